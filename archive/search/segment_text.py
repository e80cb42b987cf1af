"""The Chinese text of one index segment as arrays, and finding strings in it.

Two streams. *Through* is everything in reading order, small notes where they stand (right sub-column, then left: their order in the text);
*over* is the main text alone, of those runs of leaves that have notes. A string found over a note is kept by the through position of its first
character, so that an occurrence has one place whichever way it was found.

`codes` holds the characters as written (a code of the segment's own alphabet), `fold_of` leads from a written to the folded code: so the form
written is known of every occurrence at no cost in space. `places` lists every position sorted by folded bigram. Code 0 is a wall.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from archive.search.arrays import Array
from archive.search.chinese import WALL_CHARACTER, fold_characters

ANY = -1
"""In a pattern: one character, whichever."""
GAP = 20
"""Most characters that `*` stands for."""
_STEP_BITS = 6
_STEP = 1 << _STEP_BITS
_CACHED = 4096
"""Positions of a character are kept sorted in memory when there are more than this."""
_CACHE_BYTES = 8 << 20
_EMPTY: Array = np.empty(0, np.int64)

Pattern = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DocumentText:
    """One document on its way in: characters as written, stretches of them that are notes, and whether it runs on from the one before."""

    written: str
    notes: tuple[tuple[int, int], ...]
    joins: bool


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Places of a string, by start. `starts` to before `ends` in the through stream; `over` the place in the over stream, -1 when found through."""

    starts: Array
    ends: Array
    over: Array

    def __len__(self) -> int:
        return len(self.starts)

    def where(self, keep: Array) -> Occurrences:
        """Those for which `keep` is True (or those of these indices)."""
        return Occurrences(self.starts[keep], self.ends[keep], self.over[keep])


NOWHERE = Occurrences(_EMPTY, _EMPTY, _EMPTY)


def _encode(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _alphabet(points: Array) -> tuple[Array, Array, Array]:
    """Sorted code points that occur (as written or folded), codes of `points`, and the folded code of each code."""
    present = np.zeros(0x110000, bool)
    present[points] = True
    present[0] = True
    letters = np.flatnonzero(present)
    present[_encode(fold_characters("".join(map(chr, letters))))] = True
    letters = np.flatnonzero(present).astype(np.uint32)
    dtype = np.uint16 if len(letters) <= 1 << 16 else np.uint32
    table = np.zeros(0x110000, dtype)
    table[letters] = np.arange(len(letters), dtype=dtype)
    folded = _encode(fold_characters("".join(map(chr, letters))))
    return letters, table[points], table[folded]


def _shift(codes: Array) -> int:
    return 16 if codes.dtype.itemsize == 2 else 32


def _sorted_bigrams(first: Array, second: Array) -> tuple[Array, Array, Array]:
    """Distinct keys in order, where each begins in `order`, and `order`: the indices sorted by (first, second, index); first 0 left out."""
    order = np.argsort(second, kind="stable").astype(np.uint32)  # uint16: two radix passes
    order = order[np.argsort(first[order], kind="stable")]
    shift = _shift(first)
    keys: Array = first[order].astype(np.uint32 if shift == 16 else np.uint64)
    keys <<= keys.dtype.type(shift)
    keys |= second[order]
    skip = int(np.searchsorted(keys, keys.dtype.type(1 << shift)))
    keys, order = keys[skip:], order[skip:]
    if not len(keys):
        return keys, np.zeros(1, np.uint32), order
    begins = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[begins], np.append(begins, len(keys)).astype(np.uint32), order


def _join(texts: Sequence[DocumentText]) -> tuple[str, Array, Array, Array]:
    """All text with walls between what does not run on, where each document starts (one more at the end), and where notes begin and end."""
    parts: list[str] = []
    starts = np.zeros(len(texts) + 1, np.uint32)
    begins: list[int] = []
    ends: list[int] = []
    at = 0
    for number, text in enumerate(texts):
        if number and not text.joins:
            parts.append(WALL_CHARACTER)
            at += 1
        starts[number] = at
        for begin, end in text.notes:
            if ends and ends[-1] == at + begin:  # a note that runs on over the leaf
                ends[-1] = at + end
            else:
                begins.append(at + begin)
                ends.append(at + end)
        parts.append(text.written)
        at += len(text.written)
    parts.append(WALL_CHARACTER)
    starts[len(texts)] = at
    return "".join(parts), starts, np.array(begins, np.uint32), np.array(ends, np.uint32)


def _over(codes: Array, note_begins: Array, note_ends: Array) -> Array:
    """Through positions of the over stream: main text and walls of every run (wall to wall) that has a note."""
    if not len(note_begins):
        return np.empty(0, np.uint32)
    change = np.zeros(len(codes) + 1, np.int8)
    np.add.at(change, note_begins, 1)
    np.add.at(change, note_ends, -1)
    main = np.cumsum(change[:-1], dtype=np.int8) == 0
    walls = np.flatnonzero(codes == 0)
    noted = np.zeros(len(walls) + 1, bool)
    noted[np.searchsorted(walls, note_begins)] = True
    # A wall belongs to the run it ends, so every run of the over stream ends with one.
    run_lengths = np.diff(np.concatenate(([-1], walls, [len(codes) - 1])))
    main &= np.repeat(noted, run_lengths)
    return np.flatnonzero(main).astype(np.uint32)


def build(texts: Sequence[DocumentText]) -> dict[str, Array]:
    """The arrays of a segment."""
    whole, starts, note_begins, note_ends = _join(texts)
    letters, codes, fold_of = _alphabet(_encode(whole))
    del whole
    folded = fold_of[codes]
    keys, offsets, places = _sorted_bigrams(folded[:-1], folded[1:])
    arrays = {"letters": letters, "fold_of": fold_of, "codes": codes, "starts": starts}
    arrays |= {"keys": keys, "offsets": offsets, "places": places}
    arrays["steps"] = np.maximum(np.searchsorted(starts[:-1], np.arange(0, len(codes) + _STEP, _STEP), side="right") - 1, 0).astype(
        np.uint32
    )
    arrays["walls"] = np.flatnonzero(codes == 0).astype(np.uint32)
    arrays |= {"note_begins": note_begins, "note_ends": note_ends}
    over = _over(codes, note_begins, note_ends)
    breaks = np.flatnonzero(np.diff(over.astype(np.int64)) > 1)
    runs = np.concatenate(([0], breaks + 1)) if len(over) else _EMPTY
    arrays |= {"over_codes": codes[over], "run_over": runs.astype(np.uint32), "run_through": over[runs] if len(over) else over}
    first, second = fold_of[codes[over[breaks]]], fold_of[codes[over[breaks + 1]]] if len(breaks) else fold_of[:0]
    bridges = breaks[(first != 0) & (second != 0)]
    first, second = fold_of[codes[over[bridges]]], fold_of[codes[over[bridges + 1]]]
    bridge_keys, bridge_offsets, order = _sorted_bigrams(first, second)
    arrays |= {"bridge_keys": bridge_keys, "bridge_offsets": bridge_offsets, "bridges": bridges[order].astype(np.uint32)}
    return arrays


class SegmentText:
    """Finds strings in the arrays that `build` made. Immutable but for bounded caches; safe for threads."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self.letters = arrays["letters"]
        self.fold_of = arrays["fold_of"]
        self.codes = arrays["codes"]
        self.starts = arrays["starts"]
        self.keys, self.offsets, self.places = arrays["keys"], arrays["offsets"], arrays["places"]
        self.steps, self.walls = arrays["steps"], arrays["walls"]
        self.note_begins, self.note_ends = arrays["note_begins"], arrays["note_ends"]
        self.over_codes, self.run_over, self.run_through = arrays["over_codes"], arrays["run_over"], arrays["run_through"]
        self.bridge_keys, self.bridge_offsets, self.bridges = arrays["bridge_keys"], arrays["bridge_offsets"], arrays["bridges"]
        self._shift = _shift(self.codes)
        self._sorted: OrderedDict[int, Array] = OrderedDict()
        self._sorted_bytes = 0
        self._lock = threading.Lock()

    @property
    def documents(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> Array:
        """Characters of each document, for ranking; without the wall after it, which would tell whether a hidden one runs on from it."""
        starts = self.starts.astype(np.int64)
        walled = self.codes[starts[1:] - 1] == 0 if len(self.codes) else np.zeros(len(starts) - 1, bool)
        lengths: Array = np.maximum(np.diff(starts) - walled, 1)
        return lengths

    @cached_property
    def _note_sums(self) -> Array:
        return np.concatenate(([0], np.cumsum(self.note_ends.astype(np.int64) - self.note_begins)))

    def code(self, char: str) -> int | None:
        """The code of a character, None when the segment does not have it."""
        index = int(np.searchsorted(self.letters, ord(char)))
        return index if index < len(self.letters) and self.letters[index] == ord(char) else None

    def pattern(self, chars: Sequence[str | None]) -> Pattern | None:
        """Codes of some characters (None: any one); None when one of them does not occur."""
        codes = [ANY if char is None else self.code(char) for char in chars]
        return None if None in codes else tuple(code for code in codes if code is not None)

    def documents_of(self, places: Array) -> Array:
        """The document of each through position."""
        found: Array = self.steps[places >> _STEP_BITS].astype(np.int64)
        late = np.flatnonzero(places >= self.starts[found + 1])
        while len(late):
            found[late] += 1
            late = late[(places[late] >= self.starts[found[late] + 1]) & (found[late] < len(self.starts) - 2)]
        return found

    def notes_before(self, places: Array) -> Array:
        """How many characters of notes lie before each through position."""
        return self.note_state(places)[0]

    def note_state(self, places: Array) -> tuple[Array, Array]:
        """For each through position how many characters of notes lie before it, and whether it lies in a note itself."""
        if not len(self.note_begins):
            return np.zeros(len(places), np.int64), np.zeros(len(places), bool)
        index = np.searchsorted(self.note_begins, places.astype(np.uint32), side="right")  # of one type: no copy of the array
        left = self.note_ends[np.maximum(index - 1, 0)].astype(np.int64) - places
        inside = (index > 0) & (left > 0)
        before: Array = self._note_sums[index]
        return before - np.where(inside, left, 0), inside

    def find(self, pattern: Pattern, scope: str = "") -> Occurrences:
        """Every place of a pattern, by start. `scope`: `note` notes alone, `main` main text alone, empty for both streams."""
        starts = self._through(pattern)
        ends = starts + len(pattern)
        if scope:
            inside = self.notes_before(ends) - self.notes_before(starts)
            keep = inside == (len(pattern) if scope == "note" else 0)
            starts, ends = starts[keep], ends[keep]
        through = Occurrences(starts, ends, np.full(len(starts), -1, np.int64))
        return through if scope == "note" else self._with_over(through, pattern)

    def _with_over(self, through: Occurrences, pattern: Pattern) -> Occurrences:
        over = self._over(pattern)
        if not len(over):
            return through
        starts, ends = self.through_of(over), self.through_of(over + len(pattern) - 1) + 1
        new = ~np.isin(starts, through.starts)
        starts, ends, over = starts[new], ends[new], over[new]
        order = np.argsort(np.concatenate((through.starts, starts)), kind="stable")
        return Occurrences(
            np.concatenate((through.starts, starts))[order],
            np.concatenate((through.ends, ends))[order],
            np.concatenate((through.over, over))[order],
        )

    def through_of(self, over: Array) -> Array:
        """Through positions of over positions."""
        run = np.searchsorted(self.run_over, over.astype(np.uint32), side="right") - 1
        return self.run_through[run].astype(np.int64) + over - self.run_over[run]

    def _over_of(self, through: Array) -> Array:
        """Over positions of those through positions that have one."""
        if not len(self.run_over):
            return _EMPTY
        run: Array = np.searchsorted(self.run_through, through.astype(np.uint32), side="right") - 1
        offset = through - self.run_through[run].astype(np.int64)
        lengths = np.diff(np.append(self.run_over.astype(np.int64), len(self.over_codes)))
        fits = (run >= 0) & (offset < lengths[run])
        over: Array = self.run_over[run[fits]].astype(np.int64) + offset[fits]
        return over

    def _key(self, first: int, second: int) -> int:
        return first << self._shift | second

    def _span(self, first: int, second: int | None) -> tuple[int, int]:
        """Where the positions of a bigram, or of a character, lie in `places`."""
        if second is None:
            low, high = self._key(first, 0), self._key(first + 1, 0)
        else:
            low, high = self._key(first, second), self._key(first, second) + 1
        bounds = np.array([low, high], np.uint64)
        if self._shift == 16:
            bounds = np.minimum(bounds, 0xFFFFFFFF).astype(np.uint32)
        begin, end = np.searchsorted(self.keys, bounds)
        if high > 0xFFFFFFFF and self._shift == 16:
            end = len(self.keys)
        return int(self.offsets[begin]), int(self.offsets[end])

    def _places_of(self, code: int) -> Array:
        """Positions of a character, sorted; the lists of frequent ones stay in memory up to a bound."""
        with self._lock:
            if code in self._sorted:
                self._sorted.move_to_end(code)
                return self._sorted[code]
        begin, end = self._span(code, None)
        places = np.sort(self.places[begin:end])
        if len(places) > _CACHED:
            with self._lock:
                if code not in self._sorted:
                    self._sorted[code] = places
                    self._sorted_bytes += places.nbytes
                while self._sorted_bytes > _CACHE_BYTES and len(self._sorted) > 1:
                    self._sorted_bytes -= self._sorted.popitem(last=False)[1].nbytes
        return places

    def _through(self, pattern: Pattern) -> Array:
        length = len(pattern)
        if length == 1:
            return self._places_of(pattern[0]).astype(np.int64)
        pairs = [(self._span(pattern[k], pattern[k + 1]), k) for k in range(length - 1) if ANY not in pattern[k : k + 2]]
        if pairs:
            (begin, end), at = min(pairs, key=lambda pair: pair[0][1] - pair[0][0])
            places, tested = self.places[begin:end].astype(np.int64) - at, {at, at + 1}
        else:
            spans = [(self._span(code, None), k) for k, code in enumerate(pattern) if code != ANY]
            _, at = min(spans, key=lambda span: span[0][1] - span[0][0])
            places, tested = self._places_of(pattern[at]).astype(np.int64) - at, {at}
        places = places[(places >= 0) & (places + length <= len(self.codes))]
        return self._matching(places, self.codes, pattern, tested)

    def _matching(self, places: Array, codes: Array, pattern: Pattern, tested: set[int]) -> Array:
        """Those of `places` (indices into `codes`) where the whole pattern stands; the offsets `tested` are known to."""
        anchor = min(tested)
        for at in sorted(set(range(len(pattern))) - tested, key=lambda at: abs(at - anchor)):
            if not len(places):
                break
            here = codes[places + at]
            places = places[here != 0 if pattern[at] == ANY else self.fold_of[here] == pattern[at]]
        return places

    def _over(self, pattern: Pattern) -> Array:
        """Over positions where the pattern stands with a note inside it."""
        if len(pattern) < 2 or not len(self.bridges):
            return _EMPTY
        found = self._over_any(pattern) if ANY in pattern else self._over_literal(pattern)
        return np.unique(found) if len(found) else _EMPTY

    def _over_literal(self, pattern: Pattern) -> Array:
        keys = np.array([self._key(a, b) for a, b in pairwise(pattern)], self.bridge_keys.dtype)
        rows = np.searchsorted(self.bridge_keys, keys)
        found = [_EMPTY]
        for at in np.flatnonzero(self.bridge_keys[np.minimum(rows, len(self.bridge_keys) - 1)] == keys).tolist():
            row = rows[at]
            places = self.bridges[self.bridge_offsets[row] : self.bridge_offsets[row + 1]].astype(np.int64) - at
            places = places[(places >= 0) & (places + len(pattern) <= len(self.over_codes))]
            found.append(self._matching(places, self.over_codes, pattern, {at, at + 1}))
        return np.concatenate(found)

    def _over_any(self, pattern: Pattern) -> Array:
        spans = [(self._span(code, None), k) for k, code in enumerate(pattern) if code != ANY]
        _, at = min(spans, key=lambda span: span[0][1] - span[0][0])
        places = self._over_of(self._places_of(pattern[at]).astype(np.int64)) - at
        places = places[(places >= 0) & (places + len(pattern) <= len(self.over_codes))]
        places = self._matching(places, self.over_codes, pattern, {at})
        if not len(places):
            return _EMPTY
        run = np.searchsorted(self.run_over, np.stack((places, places + len(pattern) - 1)).astype(np.uint32), side="right")
        bridging: Array = places[run[0] != run[1]]
        return bridging

    def written(self, found: Occurrences, length: int) -> Array:
        """Written codes of each occurrence of a pattern of `length` without gaps: a matrix, a row an occurrence."""
        steps = np.arange(length)
        rows = self.codes[np.minimum(found.starts[:, None] + steps, len(self.codes) - 1)]
        over = np.flatnonzero(found.over >= 0)
        if len(over):
            rows[over] = self.over_codes[found.over[over][:, None] + steps]
        return rows

    def walls_before(self, places: Array) -> Array:
        """How many walls lie before each position: equal for two positions exactly when none parts them."""
        return np.searchsorted(self.walls, places.astype(np.uint32))
