"""Finding strings the slow way in the leaves of `poetry_leaves`: plain Python over long strings, nothing of the archive's search.

For one reader everything is laid in one row: unbroken runs of leaves the reader may see, a wall after each. What is missing or hidden is not
in the row at all. `through` is the row as it is read, small notes where they stand; `over` is its main text alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import poetry_leaves
from poetry_leaves import Leaf, Work, folded

from archive.model.rights import Audience

WALL = "\n"
LeafName = tuple[str, str]
Places = dict[int, int]
"""Where a string begins → where it ends (one more), in the row read through."""


@dataclass(frozen=True)
class Row:
    """What one reader may see of some works. `names[n]` is the n-th visible leaf, which begins at `begins[n]`; `runs[n]` its run."""

    works: Sequence[Work]
    names: list[LeafName]
    leaves: list[Leaf]
    begins: list[int]
    runs: list[int]
    written: str
    noted: bytearray

    @classmethod
    def of(cls, works: Sequence[Work], reader: Audience) -> Row:
        names: list[LeafName] = []
        leaves: list[Leaf] = []
        begins: list[int] = []
        runs: list[int] = []
        parts: list[str] = []
        noted = bytearray()
        run = at = 0
        for work in works:
            for position, leaf in enumerate((*work.leaves, None), 1):
                if leaf is None or not (work.seen.admits(reader) and leaf.seen.admits(reader)):
                    parts.append(WALL)
                    noted.append(0)
                    at += 1
                    run += 1
                    continue
                names.append((work.item, f"p{position}"))
                leaves.append(leaf)
                begins.append(at)
                runs.append(run)
                parts.append(leaf.cells)
                flags = bytearray(len(leaf.cells))
                for begin, end in leaf.notes:
                    flags[begin:end] = b"\1" * (end - begin)
                noted += flags
                at += len(leaf.cells)
        return cls(works, names, leaves, begins, runs, "".join(parts), noted)

    @cached_property
    def folded(self) -> str:
        return folded(self.written)

    @cached_property
    def main_places(self) -> list[int]:
        """Places of the main text and of the walls, in order."""
        return [at for at, note in enumerate(self.noted) if not note]

    @cached_property
    def main_written(self) -> str:
        return "".join(map(self.written.__getitem__, self.main_places))

    @cached_property
    def main_folded(self) -> str:
        return folded(self.main_written)

    @cached_property
    def main_before(self) -> list[int]:
        """For each place of the row how many places of main text lie before it (one more at the end)."""
        counts = [0]
        for note in self.noted:
            counts.append(counts[-1] + (not note))
        return counts

    def leaf_at(self, place: int) -> int:
        return bisect_right(self.begins, place) - 1

    def find(self, wanted: Sequence[str | None], *, exact: bool = False, scope: str = "") -> Places:
        """Each place where the characters (None: any one) begin. Read over a note only where they do not begin so when read through."""
        found: Places = {}
        if scope != "note":
            for at in _all(wanted if exact else _fold(wanted), self.main_written if exact else self.main_folded):
                places = self.main_places
                found[places[at]] = places[at + len(wanted) - 1] + 1
        for at in _all(wanted if exact else _fold(wanted), self.written if exact else self.folded):
            notes = sum(self.noted[at : at + len(wanted)]) if scope else 0
            if not scope or notes == (len(wanted) if scope == "note" else 0):
                found[at] = at + len(wanted)
        return found

    def by_leaf(self, places: Places) -> Counter[int]:
        """How often a string begins on each leaf (its number)."""
        return Counter(self.leaf_at(at) for at in places)

    def near(self, first: Places, others: Places, most: int, *, ordered: bool) -> Places:
        """Those of `first` that have one of `others` at most so many characters after their end (or before their begin, unless `ordered`).

        Between main text and main text the characters of notes do not count. A wall parts. Ends at the nearest other when `ordered`.
        """
        begins = sorted(others)
        ends = sorted((end, begin) for begin, end in others.items())
        kept: Places = {}
        for begin, end in first.items():
            after = next(self._following(end, begins, most), None)
            if after is not None:
                kept[begin] = others[after] if ordered else end
            elif not ordered and any(self._preceding(begin, ends, most)):
                kept[begin] = end
        return kept

    def _following(self, end: int, begins: list[int], most: int) -> Iterator[int]:
        for at in range(bisect_left(begins, end), len(begins)):
            begin = begins[at]
            if self.main_before[begin] - self.main_before[end] > most or WALL in self.written[end:begin]:
                return
            if self._gap(end - 1, begin) <= most:
                yield begin

    def _preceding(self, begin: int, ends: list[tuple[int, int]], most: int) -> Iterator[bool]:
        for at in range(bisect_right(ends, (begin, len(self.written))) - 1, -1, -1):
            end = ends[at][0]
            if self.main_before[begin] - self.main_before[end] > most or WALL in self.written[end:begin]:
                return
            if self._gap(end - 1, begin) <= most:
                yield True

    def _gap(self, last: int, first: int) -> int:
        """Characters between two places."""
        if self.noted[last] or self.noted[first]:
            return first - last - 1
        return self.main_before[first] - self.main_before[last + 1]

    def widened(self, leaves: set[int]) -> set[int]:
        """These leaves and those that text runs to from them."""
        wide = set(leaves)
        for leaf in leaves:
            for other in (leaf - 1, leaf + 1):
                if 0 <= other < len(self.runs) and self.runs[other] == self.runs[leaf]:
                    wide.add(other)
        return wide

    def described(self, reader: Audience, wanted: Sequence[str | None], *, exact: bool = False) -> set[str]:
        """Works whose description has the string."""
        chars = wanted if exact else _fold(wanted)
        return {
            work.item
            for work in self.works
            if work.seen.admits(reader) and any(True for _ in _all(chars, work.title if exact else folded(work.title)))
        }


def _fold(wanted: Sequence[str | None]) -> list[str | None]:
    return [None if char is None else poetry_leaves.folded(char) for char in wanted]


def _all(wanted: Sequence[str | None], text: str) -> Iterator[int]:
    """Every place of the characters in a text, overlapping ones too."""
    if not all(wanted):
        pattern = re.compile("(?=" + "".join("." if char is None else re.escape(char) for char in wanted) + ")")
        yield from (match.start() for match in pattern.finditer(text))
        return
    string = "".join(char for char in wanted if char is not None)
    at = text.find(string)
    while at >= 0:
        yield at
        at = text.find(string, at + 1)
