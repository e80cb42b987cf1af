"""A concordance 逐字索引: every occurrence of a query on a line of its own, sorted, and how the occurrences lie over works and years.

Works on arrays: an occurrence is a few numbers (some 40 bytes with its sort keys) until its line is asked for, and lines are made by the
thousand. What is asked of the stored text are the lines of a screen alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archive.search import surroundings
from archive.search.answer import Answer, OpenSegment, Ranks
from archive.search.arrays import Array
from archive.search.base import Concordance, Described, Dispersion, Lines, Place, Query, Share
from archive.search.chinese import fold
from archive.search.evaluation import Evaluation, View, evaluate_all
from archive.search.segment_facts import ITEM, NEVER, TARGETS, SegmentFacts, Work
from archive.search.segment_text import Occurrences
from archive.search.surroundings import Spots
from archive.search.syntax import Parsed

SORTS = ("work", "date", "-date", "left", "right")
NEAREST = 8
"""Characters that lines sorted by context are compared by; the same eight stand in reading order."""
MOST_SORTED = 8_000_000
"""Occurrences that are sorted by context, at 16 bytes each; more stay in the order of works."""
BATCH = 8192
WORKS = 30
"""Works shown one by one in the dispersion."""
_LONG = 300
"""Years from the first to the last decade beyond which centuries are counted."""
_CREATOR = fold("责任者")


@dataclass(frozen=True, slots=True)
class _Part:
    """The occurrences of one segment that count; `selected` True for every document that the query's filters and the reader leave."""

    segment: OpenSegment
    spots: Spots
    selected: Array

    @property
    def facts(self) -> SegmentFacts:
        return self.segment.facts


class Kwic:
    """The concordance of one query for one reader, over the segments of an index. `title_ranks` as for `Answer`."""

    def __init__(
        self,
        segments: Sequence[OpenSegment],
        views: Sequence[View],
        query: Query,
        parsed: Parsed,
        title_ranks: Ranks,
    ) -> None:
        self.query, self.parsed, self.title_ranks = query, parsed, title_ranks
        self._chosen = Answer(segments, views, query, parsed, title_ranks)
        answers = evaluate_all(views, parsed.clause, parsed.phrases(), query.scope, parsed.dates)
        self._parts = [self._part(segment, answer) for segment, answer in zip(segments, answers, strict=True)]
        self._items = _item_numbers(self._parts)
        self._bounds = np.cumsum([0, *(len(part.spots) for part in self._parts)])
        self.total = int(self._bounds[-1])
        self.sort = query.sort if query.sort in SORTS else "work"
        if self.sort in ("left", "right") and self.total > MOST_SORTED:
            self.sort = "work"

    def concordance(self) -> Concordance:
        """The lines asked for, and the dispersion of all."""
        offset, limit = max(self.query.offset, 0), max(self.query.limit, 0)
        chosen = self._order(offset + limit)[offset : offset + limit] if offset < self.total else np.zeros(0, np.int64)
        return Concordance(
            self.total,
            self._works(),
            self.sort,
            self._lines(chosen),
            self._dispersion(),
            self.parsed.understood,
        )

    def batches(self) -> Iterator[Lines]:
        """All lines in order."""
        order = self._order(self.total)
        for begin in range(0, self.total, BATCH):
            yield self._lines(order[begin : begin + BATCH])

    def _works(self) -> int:
        found = [np.unique(items[part.facts.item[part.spots.documents]]) for part, items in zip(self._parts, self._items, strict=True)]
        return len(np.unique(np.concatenate(found))) if found else 0

    # Which occurrences

    def _part(self, segment: OpenSegment, answer: Evaluation) -> _Part:
        view = answer.view
        everything = np.arange(segment.facts.documents)
        selected = view.counted & (segment.facts.target != ITEM) & self._chosen.selected(segment.facts, everything)
        matching = np.zeros(segment.facts.documents, bool)
        matching[answer.documents] = True
        matching &= selected
        found = [_kept(view, places, documents, matching) for places, documents in _sources(answer)]
        return _Part(segment, _joined(view, found), selected)

    # In which order

    def _order(self, count: int) -> Array:
        """The occurrences by number, those that come first in their order; at least `count` of them."""
        if self.sort in ("left", "right"):
            return self._by_context(count)
        ranks = self._document_ranks()
        return np.argsort(np.concatenate(ranks), kind="stable") if ranks else np.zeros(0, np.int64)

    def _document_ranks(self) -> list[Array]:
        """For each segment's occurrences the place of their document among all: by year where that is asked for, title, reading order."""
        keys: list[list[Array]] = [[], [], [], []]
        inside = []
        for part, titles, items in zip(self._parts, self.title_ranks(), self._items, strict=True):
            documents, which = np.unique(part.spots.documents, return_inverse=True)
            inside.append(which + sum(map(len, keys[0])))
            years = part.facts.arrays["year_first"].astype(np.int64)[part.facts.work[documents]]
            keys[0].append(_begins(part.facts, documents))
            keys[1].append(items[part.facts.item[documents]])
            keys[2].append(titles[part.facts.work[documents]])
            keys[3].append(np.where((years == NEVER) | (self.sort == "date"), years, -years) if self.sort != "work" else 0 * years)
        order = np.lexsort([np.concatenate(key) for key in keys])
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return [ranks[which] for which in inside]

    def _by_context(self, count: int) -> Array:
        numbers, bits = self._alphabet()
        each = 64 // bits
        first = self._keys(numbers, bits, range(min(each, NEAREST)))
        if count < self.total // 4:
            last = np.partition(first, count)[count]
            rows = np.flatnonzero(first <= last)
        else:
            rows = np.arange(self.total)
        keys = [first[rows]]
        for begin in range(each, NEAREST, each):
            keys.append(self._keys(numbers, bits, range(begin, min(begin + each, NEAREST)), rows))
        return rows[np.lexsort(keys[::-1])]

    def _alphabet(self) -> tuple[list[Array], int]:
        """For each segment the number of each of its codes, in the order of folded characters, equal in all; and bits that hold one."""
        points = [part.spots.view.text.letters[part.spots.view.text.fold_of] for part in self._parts]
        known = np.unique(np.concatenate(points)) if points else np.zeros(1, np.uint32)
        return [np.searchsorted(known, each).astype(np.uint32) for each in points], max(len(known).bit_length(), 1)

    def _keys(self, numbers: Sequence[Array], bits: int, steps: range, rows: Array | None = None) -> Array:
        """Some of the nearest characters of every occurrence (or of `rows`, ascending) packed into one number each."""
        wanted = np.arange(self.total) if rows is None else rows
        keys = np.zeros(len(wanted), np.uint64)
        for begin in range(0, len(wanted), 1 << 16):
            some = wanted[begin : begin + (1 << 16)]
            for number, spots, at in self._apart(some):
                near = surroundings.nearest(spots, self.sort, steps.stop, numbers[number])
                for step in steps:
                    keys[begin + at] = keys[begin + at] << np.uint64(bits) | near[:, step].astype(np.uint64)
        return keys

    def _apart(self, chosen: Array) -> Iterator[tuple[int, Spots, Array]]:
        """The chosen occurrences segment by segment: which segment, its spots, and where in `chosen` they were."""
        numbers = np.searchsorted(self._bounds, chosen, side="right") - 1
        for number in np.unique(numbers).tolist():
            at = np.flatnonzero(numbers == number)
            yield number, self._parts[number].spots.where(chosen[at] - self._bounds[number]), at

    # Lines

    def _lines(self, chosen: Array) -> Lines:
        whole: list[tuple[str, str, str, int]] = [("", "", "", 0)] * len(chosen)
        places: list[Place] = []
        for number, spots, at in self._apart(chosen):
            segment = self._parts[number].segment
            left, match, right = surroundings.lines(spots)
            documents, which = np.unique(spots.documents, return_inverse=True)
            rows = zip(left, match, right, (which + len(places)).tolist(), strict=True)
            if len(at) == len(chosen):
                whole = list(rows)
            else:
                for row, line in zip(at.tolist(), rows, strict=True):
                    whole[row] = line
            places += _places(segment.facts, documents)
        columns = [list(column) for column in zip(*whole, strict=True)] or [[], [], [], []]
        return Lines(columns[0], columns[1], columns[2], columns[3], places)

    # Dispersion

    def _dispersion(self) -> Dispersion:
        occurrences, characters, works = Counter[str](), Counter[str](), dict[str, Work]()
        for part in self._parts:
            facts = part.facts
            held = np.bincount(facts.item[part.selected], part.spots.view.text.lengths[part.selected], minlength=1).astype(np.int64)
            found = np.bincount(facts.item[part.spots.documents], minlength=len(held))
            names = facts.strings("item")
            _codes, first = np.unique(facts.item, return_index=True)
            for code in np.flatnonzero(held).tolist():
                works[names[code]] = facts.works()[int(facts.work[first[code]])]
                characters[names[code]] += int(held[code])
                occurrences[names[code]] += int(found[code])
        return _dispersed(occurrences, characters, works)


def _item_numbers(parts: Sequence[_Part]) -> list[Array]:
    """For each segment a number for each of its codes of items, the same for an item in all of them."""
    known: dict[str, int] = {}
    return [np.array([known.setdefault(name, len(known)) for name in part.facts.strings("item")], np.int64) for part in parts]


def _begins(facts: SegmentFacts, documents: Array) -> Array:
    """For each document the position of the first one that its item has in this segment: parts of a work in several segments sort by it."""
    first = np.flatnonzero(np.concatenate(([True], facts.item[1:] != facts.item[:-1]))) if facts.documents else np.zeros(0, np.int64)
    found: Array = facts.position[first[np.searchsorted(first, documents, side="right") - 1]].astype(np.int64)
    return found


def _sources(answer: Evaluation) -> Iterator[tuple[Occurrences, Array]]:
    """What counts as an occurrence: places and their documents."""
    inside_near = {phrase for near in answer.near for phrase in near.phrases}
    for phrase, found in answer.found.items():
        if phrase not in inside_near:
            yield found.places, found.place_documents
    for found in answer.near.values():
        yield found.places, answer.view.text.documents_of(found.places.starts)


def _kept(view: View, places: Occurrences, documents: Array, matching: Array) -> tuple[Occurrences, Array, Array]:
    """Those in documents that match, small, and the characters of each; notes that it was found over are not of it."""
    keep = matching[documents]
    places, documents = places.where(keep), documents[keep].astype(np.uint32)
    lengths = (places.ends - places.starts).astype(np.uint32)
    over = np.flatnonzero(places.over >= 0)
    if len(over):
        notes = view.text.notes_before(places.ends[over]) - view.text.notes_before(places.starts[over])
        lengths[over] -= notes.astype(np.uint32)
    small = Occurrences(places.starts.astype(np.uint32), places.ends.astype(np.uint32), places.over.astype(np.int32))
    return small, documents, lengths


def _joined(view: View, found: Sequence[tuple[Occurrences, Array, Array]]) -> Spots:
    """The occurrences of all strings of a query in one, in the order in which they stand."""
    if len(found) == 1:
        places, documents, lengths = found[0]
        return Spots(view, places, lengths, documents)
    names = ("starts", "ends", "over")
    columns = [np.concatenate([getattr(places, name) for places, *_ in found] or [np.zeros(0, np.int64)]) for name in names]
    documents = np.concatenate([documents for _p, documents, _l in found] or [np.zeros(0, np.uint32)])
    lengths = np.concatenate([lengths for *_, lengths in found] or [np.zeros(0, np.uint32)])
    return Spots(view, Occurrences(*columns), lengths, documents).where(np.argsort(columns[0], kind="stable"))


def _places(facts: SegmentFacts, documents: Array) -> Iterator[Place]:
    works, items, sources = facts.works(), facts.strings("item"), facts.strings("source")
    described: dict[int, Described] = {}
    columns = zip(
        facts.target[documents].tolist(),
        facts.item[documents].tolist(),
        facts.texts("key", documents),
        facts.texts("label", documents),
        facts.position[documents].tolist(),
        facts.time[documents].tolist(),
        facts.arrays["source"][documents].tolist(),
        facts.work[documents].tolist(),
        strict=True,
    )
    for target, item, key, label, position, time, source, work in columns:
        if work not in described:
            described[work] = _described(works[work])
        start = time if time == time else None  # NaN: the document has no time
        yield Place(TARGETS[target], items[item], key, label, position, start, sources[source], described[work])


def _described(work: Work) -> Described:
    """A work, with those of its fields that answer to 责任者."""
    keys = [key for key, names in work.field_names.items() if _CREATOR in map(fold, names)]
    creators = tuple(dict.fromkeys(value for key in keys for value in work.fields.get(key, ())))
    return Described(work.title, creators, work.collection, work.kind, work.date, work.year_first)


def _dispersed(occurrences: Counter[str], characters: Counter[str], works: dict[str, Work]) -> Dispersion:
    """The figures of works put in order, and summed by their first years."""
    order = sorted((item for item, count in occurrences.items() if count), key=lambda item: (-occurrences[item], works[item].title, item))
    shares = tuple(Share(occurrences[item], characters[item], works[item].title, item) for item in order[:WORKS])
    rest = order[WORKS:]
    years = {item: work.year_first for item, work in works.items()}
    with_any = [year for item in order if (year := years[item]) is not None]
    step = 100 if with_any and max(with_any) - min(with_any) > _LONG else 10
    found, held = Counter[int | None](), Counter[int | None]()
    for item, year in years.items():
        period = None if year is None else year // step * step
        found[period] += occurrences[item]
        held[period] += characters[item]
    spans = range(min(with_any) // step * step, max(with_any) + 1, step) if with_any else ()
    return Dispersion(
        shares,
        Share(sum(occurrences[item] for item in rest), sum(characters[item] for item in rest)),
        len(rest),
        step,
        tuple(Share(found[year], held[year], year=year) for year in spans),
        Share(found[None], held[None]),
    )
