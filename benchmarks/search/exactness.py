"""Proves the index against brute force on a corpus: `python -m benchmarks.search.exactness LEAVES.jsonl[.gz] [--index FOLDER] [--strings N]`.

Prints recall and precision of random strings of 1 to 30 characters (a third across a column's, note's or leaf's end), how many totals and
occurrences were equal, and what must hold of forms: the same leaves for every form, only the written one in quotes, the written one first, no
taboo substitute. What is searched is counted beforehand in the corpus itself. Exit status 0 when all is exact, 1 when something is not, 2
without the corpus. `--limit N` takes the first N leaves; then forms that do not occur there are told and left out.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.search.base import IndexDocument, Query, Results
from archive.search.whoosh_index import WhooshIndex
from benchmarks.search.corpus import items
from benchmarks.search.plain_reading import PlainReader, folded

Numbers = NDArray[np.int32]
Places = NDArray[np.int64]
WALL = 0
_TODAY = date(2026, 11, 22)
_SHOWN = 200
_COMPARED = 1000
_FORMS = [
    ("漢陰", "漢隂", "汉阴"),
    ("陜西", "陝西", "陕西"),
    ("萬厯", "萬歷", "萬曆", "万历"),
    ("𢎞治", "弘治"),
    ("縣志", "县志"),
    ("諸暨", "諸曁"),
    ("隱居", "𨼆居"),
    ("博士", "愽士"),
    ("稽勳司", "稽&KR0564;司"),
]
"""Forms of one word. The first is also searched in quotes."""
_FIRST = [("王后", "王後"), ("漢隂", "漢陰")]
"""The first form, asked for, ranks above the second."""
_APART = [("玄", "元"), ("弘治", "宏治"), ("丘縣", "邱縣")]
"""The first never finds its taboo substitute."""


_RUN = re.compile("&KR[0-9]+;|([A-Za-zＡ-Ｚａ-ｚ](?=[A-Za-zＡ-Ｚａ-ｚ])|[0-9０-９](?=[0-9０-９]))")
"""The mark of a glyph, passed over, or the first of two letters or two digits that stand side by side."""


@dataclass
class Row:
    """All leaves in one row of numbers, a wall where text does not run on. Leaf n is `names[n]` and begins at `begins[n]`."""

    reader: PlainReader = field(default_factory=PlainReader)
    names: list[tuple[str, str]] = field(default_factory=list)
    _begins: list[int] = field(default_factory=list)
    _parts: list[Numbers] = field(default_factory=list)
    _notes: list[NDArray[np.bool_]] = field(default_factory=list)
    _length: int = 0
    _open: bool = False
    _running: list[int] = field(default_factory=list)
    """Places of Latin letters and digits right before which another of their kind is written: there no word begins or ends."""

    def watch(self, documents: Iterator[IndexDocument]) -> Iterator[IndexDocument]:
        """Hand the documents of an item on, and lay those with leaves into the row."""
        for document in documents:
            if document.target == "page":
                self.lay(document)
            yield document

    def lay(self, document: IndexDocument) -> None:
        if not document.joins_previous:
            self._add(np.zeros(1, np.int32), np.zeros(1, bool))
        for match in _RUN.finditer(document.text):
            if match[1]:
                self._running.append(self._length + len(self.reader.read(document.text[: match.end()])[0]))
        numbers, noted, self._open = self.reader.read(document.text, document.notes, self._open and document.joins_previous)
        self.names.append((document.item, document.key))
        self._begins.append(self._length)
        self._add(np.array(numbers, np.int32), np.array(noted, bool))

    def _add(self, numbers: Numbers, noted: NDArray[np.bool_]) -> None:
        self._parts.append(numbers)
        self._notes.append(noted)
        self._length += len(numbers)

    @cached_property
    def begins(self) -> Places:
        return np.array(self._begins, np.int64)

    @cached_property
    def written(self) -> Numbers:
        """The row as written, a wall at its end."""
        return np.concatenate([*self._parts, np.zeros(1, np.int32)])

    @cached_property
    def noted(self) -> NDArray[np.bool_]:
        return np.concatenate([*self._notes, np.zeros(1, bool)])

    @cached_property
    def edges(self) -> Places:
        """Where a note begins or ends."""
        return np.flatnonzero(np.diff(self.noted.astype(np.int8))) + 1

    @cached_property
    def through(self) -> Stream:
        return Stream(self.written)

    @cached_property
    def main(self) -> Places:
        """Where main text and walls stand in the row."""
        return np.flatnonzero(~self.noted)

    @cached_property
    def over(self) -> Stream:
        return Stream(self.written[self.main])

    def find(self, wanted: Sequence[int], exact: bool = False) -> Places:
        """Where a string begins, read through notes or over them, each place once; no piece of a longer word or number."""
        through = self.through.find(wanted, exact)
        over = self.over.find(wanted, exact)
        over = over[self._are_whole(wanted, self.main[over], self.main[over + len(wanted) - 1] + 1)]
        return np.union1d(through[self._are_whole(wanted, through, through + len(wanted))], self.main[over])

    def _are_whole(self, wanted: Sequence[int], begins: Places, ends: Places) -> NDArray[np.bool_]:
        first, last = (folded(wanted[at]) < 0x80 for at in (0, -1))
        inside = (np.isin(begins, self._running) & first) | (np.isin(ends, self._running) & last)
        return ~inside

    def leaves(self, places: Places) -> dict[tuple[str, str], int]:
        """How often a string begins on each leaf."""
        numbers, counts = np.unique(np.searchsorted(self.begins, places, side="right") - 1, return_counts=True)
        return {self.names[number]: int(count) for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)}

    def form(self, text: str) -> list[int]:
        """A string as numbers."""
        return self.reader.read(text, notes=False)[0]


class Stream:
    """A row of characters in which a string is found by testing every place of its rarest character."""

    def __init__(self, written: Numbers) -> None:
        self.written = written
        kinds, codes = np.unique(written, return_inverse=True)
        self.folded = np.array([folded(kind) if kind else 0 for kind in kinds.tolist()], np.int32)[codes]
        self._order = {False: _Order(self.folded), True: _Order(written)}

    def find(self, wanted: Sequence[int], exact: bool) -> Places:
        chars, text = (list(wanted), self.written) if exact else ([folded(char) for char in wanted], self.folded)
        rarest = min(range(len(chars)), key=lambda at: len(self._order[exact].places(chars[at])))
        places = self._order[exact].places(chars[rarest]) - rarest
        places = places[(places >= 0) & (places + len(chars) <= len(text))]
        for at, char in enumerate(chars):
            places = places[text[places + at] == char]
        return np.sort(places)


class _Order:
    """The places of every character."""

    def __init__(self, text: Numbers) -> None:
        self._places = np.argsort(text, kind="stable")
        self._sorted = text[self._places]

    def places(self, char: int) -> Places:
        low, high = np.searchsorted(self._sorted, np.array([char, char + 1], np.int32))  # of one type: no copy of the row
        return self._places[low:high]


@dataclass
class Tally:
    """What came of the strings."""

    strings: int = 0
    breaking: int = 0
    expected: int = 0
    found: int = 0
    both: int = 0
    totals: int = 0
    occurrences: int = 0
    wrong: list[str] = field(default_factory=list)

    def tell(self) -> None:
        print(f"strings                {self.strings:,} of 1 to 30 characters, {self.breaking:,} of them across a break")
        print(f"leaves by brute force  {self.expected:,}")
        print(f"recall                 {self.both / max(self.expected, 1):.6f}")
        print(f"precision              {self.both / max(self.found, 1):.6f}")
        print(f"totals equal           {self.totals:,} of {self.strings:,}")
        print(f"occurrences equal      {self.occurrences:,} of {self.strings:,}")
        for text in self.wrong[:20]:
            print(f"  wrong: {text}")

    @property
    def exact(self) -> bool:
        return self.expected == self.found == self.both and self.totals == self.occurrences == self.strings


def some_string(rng: random.Random, row: Row) -> list[int]:
    """A string of the corpus; two in five are laid across a leaf's end or a note's edge, three in ten are read over the notes."""
    while True:
        length = rng.randint(1, 30)
        text = row.written
        if rng.random() < 0.4:
            edge = int(rng.choice(row.begins) if rng.random() < 0.5 or not len(row.edges) else rng.choice(row.edges))
            begin = edge - rng.randint(1, max(length - 1, 1))
        elif rng.random() < 0.5:
            text = row.over.written
            begin = rng.randrange(len(text))
        else:
            begin = rng.randrange(len(text))
        wanted = text[max(begin, 0) :][:length].tolist()
        if wanted and WALL not in wanted and row.reader.typed(wanted) not in ("或", "非"):
            return wanted


def compare(index: WhooshIndex, row: Row, count: int) -> Tally:
    """So many random strings, searched and found by brute force."""
    rng, tally = random.Random(3), Tally()
    for _ in range(count):
        wanted = some_string(rng, row)
        text = row.reader.typed(wanted)
        places = row.find(wanted)
        expected = row.leaves(places)
        tally.strings += 1
        tally.breaking += _breaks(row, places, len(wanted))
        results = _ask(index, text, _SHOWN)
        found = _found(index, text, results, expected)
        tally.expected += len(expected)
        tally.found += len(found)
        tally.both += len(expected.keys() & found.keys())
        tally.totals += results.total == len(expected)
        tally.occurrences += results.occurrences == len(places)
        if found != expected or results.total != len(expected) or results.occurrences != len(places):
            tally.wrong.append(
                f"{text}: {results.total} leaves, {results.occurrences} places; {len(expected)}, {len(places)} by brute force"
            )
    return tally


def _breaks(row: Row, places: Places, length: int) -> bool:
    some = places[:50]
    ends = np.minimum(some + length - 1, len(row.noted) - 1)
    leaves = np.searchsorted(row.begins, some, side="right") != np.searchsorted(row.begins, ends, side="right")
    return bool(leaves.any() or any(len(set(row.noted[a : b + 1].tolist())) > 1 for a, b in zip(some.tolist(), ends.tolist(), strict=True)))


def _ask(index: WhooshIndex, text: str, limit: int, offset: int = 0) -> Results:
    return index.search(Query(text, today=_TODAY, limit=limit, offset=offset, facets=(), taboo=False, snippets=False))


def _found(index: WhooshIndex, text: str, first: Results, expected: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Every leaf the search gives with its occurrences, page by page; of longer answers the first thousand, the rest taken as counted."""
    found: dict[tuple[str, str], int] = {}
    results, offset = first, 0
    while results.hits:
        found |= {(hit.item, hit.key): hit.matches for hit in results.hits if hit.target == "page"}
        offset += _SHOWN
        if offset >= _COMPARED and first.total == len(expected):
            return found | {key: count for key, count in expected.items() if key not in found}
        results = _ask(index, text, _SHOWN, offset)
    return found


# Forms


class Claims:
    """What must hold of forms, each told with what it rests on."""

    def __init__(self, index: WhooshIndex, row: Row) -> None:
        self.index, self.row = index, row
        self.failed = 0

    def tell(self, text: str, holds: bool) -> None:
        self.failed += not holds
        print(f"  {'yes' if holds else 'NO '}  {text}")

    def count(self, form: str) -> int:
        """Leaves on which a form begins, as written."""
        return len(self.row.leaves(self.row.find(self.row.form(form), exact=True)))

    def leaves(self, text: str) -> dict[tuple[str, str], int]:
        """All of them, however many."""
        found: dict[tuple[str, str], int] = {}
        while hits := _ask(self.index, text, 1000, len(found)).hits:
            found |= {(hit.item, hit.key): hit.matches for hit in hits}
        return {key: count for key, count in found.items() if key[1]}

    def same_leaves(self, forms: Sequence[str]) -> None:
        counts = {form: self.count(form) for form in forms}
        told = "，".join(f"{form} {count:,}" for form, count in counts.items())
        found = [self.leaves(form) for form in forms]
        union = self.row.leaves(self.row.find(self.row.form(forms[0])))
        self.tell(f"{told} in the corpus; each form is answered with the same {len(union):,} leaves", all(some == union for some in found))

    def only_in_quotes(self, form: str) -> None:
        places = self.row.find(self.row.form(form), exact=True)
        results = _ask(self.index, f"“{form}”", 0)
        exact = results.occurrences == len(places) and self.leaves(f"“{form}”") == self.row.leaves(places)
        self.tell(f"“{form}” is answered with its {results.total:,} leaves alone", exact)

    def written_first(self, first: str, other: str) -> None:
        having = self.row.leaves(self.row.find(self.row.form(first), exact=True))
        hits = [(hit.item, hit.key) in having for hit in _ask(self.index, first, _COMPARED).hits if hit.target == "page"]
        ordered = hits == sorted(hits, reverse=True)
        self.tell(
            f"{first} {self.count(first):,}, {other} {self.count(other):,} in the corpus; {first} asked for: {sum(hits):,} leaves that have it, "
            f"then {len(hits) - sum(hits):,} others",
            ordered and bool(hits) and (sum(hits) == min(len(having), len(hits))),
        )

    def never(self, asked: str, other: str) -> None:
        expected = self.row.leaves(self.row.find(self.row.form(asked)))
        only_other = self.row.leaves(self.row.find(self.row.form(other))).keys() - expected.keys()
        results = _ask(self.index, asked, 0)
        union = _ask(self.index, f"{other} -{asked}", 0)
        self.tell(
            f"{asked} {self.count(asked):,}, {other} {self.count(other):,} in the corpus; {asked} finds {results.total:,} leaves, none of the {len(only_other):,} with {other} alone",
            results.total == len(expected) and union.total == len(only_other),
        )


def _check_forms(claims: Claims, partial: bool) -> None:
    def when(there: Sequence[str], claim: Callable[[], None]) -> None:
        missing = [form for form in there if not claims.count(form)]
        if missing and partial:
            print(f"  --   not in these leaves: {'、'.join(missing)}")
        elif missing:
            claims.tell(f"in the corpus: {'、'.join(missing)}", False)
        else:
            claim()

    for forms in _FORMS:
        when(forms[:1], lambda forms=forms: claims.same_leaves(forms))
        when(forms[:1], lambda forms=forms: claims.only_in_quotes(forms[0]))
    for one, other in _FIRST:
        when((one, other), lambda one=one, other=other: claims.written_first(one, other))
    for one, other in _APART:
        when((one, other), lambda one=one, other=other: claims.never(one, other))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="exactness", description=__doc__.splitlines()[0])
    arguments.add_argument("leaves", type=Path)
    arguments.add_argument("--index", type=Path, help="keep the index here, and use it when it is there")
    arguments.add_argument("--strings", type=int, default=2000)
    arguments.add_argument("--limit", type=int)
    given = arguments.parse_args()
    if not given.leaves.is_file():
        sys.stderr.write(f"{given.leaves}: not there. This proof needs the corpus and is worth nothing without it.\n")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        row, index = Row(), WhooshIndex(given.index or Path(scratch) / "index")
        corpus = ((item, row.watch(documents)) for item, documents in items(given.leaves, given.limit))
        if index.exists():
            for _item, documents in corpus:
                for _document in documents:
                    pass
        else:
            index.rebuild(corpus)
        print(f"{len(row.names):,} leaves, {len(row.written) - 1:,} characters and walls, {len(row.reader.glyphs):,} glyphs by description")
        tally = compare(index, row, given.strings)
        tally.tell()
        claims = Claims(index, row)
        _check_forms(claims, given.limit is not None)
    return 0 if tally.exact and not claims.failed else 1


if __name__ == "__main__":
    sys.exit(main())
