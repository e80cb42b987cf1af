"""The Chinese text of one index segment as arrays, and finding strings in it. `segment_build` makes the arrays and says what each one is.

Two streams. *Through* is everything in reading order, small notes where they stand (right sub-column, then left: their order in the text);
*over* is the main text alone. A string found over a note is kept by the through position of its first character, so that an occurrence has
one place whichever way it was found. Positions in the over stream count the characters of main text (and walls) before.

`codes` holds the characters as written (a code of the segment's own alphabet), `fold_of` leads from a written to the folded code: so the form
written is known of every occurrence at no cost in space. `places` lists every position sorted by folded bigram. Code 0 is a wall.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from archive.search import kernels
from archive.search.arrays import Array, Arrays
from archive.search.batch_reading import INSTEAD, decode
from archive.search.segment_build import BLOCK_BITS, blocks_of, shift_of

ANY = kernels.ANY
"""In a pattern: one character, whichever."""
GAP = 20
"""Most characters that `*` stands for."""
_CACHED = 4096
"""Positions of a character are kept sorted in memory when there are more than this."""
_CACHE_BYTES = 8 << 20
_CHARACTER_BYTES = 48 << 20
"""What is known of frequent characters is kept up to so many bytes a segment."""
_CODES = 50_000
SCOPES = {"": kernels.EVERYWHERE, "note": kernels.IN_NOTES, "main": kernels.IN_MAIN}
"""Where a string is looked for: everywhere, in small notes alone, in main text alone."""
_INSTEAD = ord(INSTEAD)
_FORMS = 1 << 16
"""Up to so many forms that a string could have are counted by number."""
_AT_ONCE = 4096
_WORTH_MARKING = 16
"""Up to so many places of a string for each place of another are marked before the others are gone through."""
_LENGTH_BITS = 31
"""Places and lengths take 31 bits."""
_EMPTY: Array = np.empty(0, np.int64)

Pattern = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Places of a string, by start. `starts` to before `ends` in the through stream; `over` the place in the over stream, -1 when found through."""

    starts: Array
    ends: Array
    over: Array

    def __len__(self) -> int:
        return len(self.starts)

    def where(self, keep: Array | slice) -> Occurrences:
        """Those for which `keep` is True (or those of these indices)."""
        return Occurrences(self.starts[keep], self.ends[keep], self.over[keep])


NOWHERE = Occurrences(_EMPTY, _EMPTY, _EMPTY)


@dataclass(frozen=True, slots=True)
class Character:
    """Of a folded character its documents (ascending) with how often it stands there, how often as typed, and the postings of each letter."""

    documents: Array
    counts: Array
    as_typed: Array
    forms: Mapping[int, tuple[Array, Array]]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        arrays = [self.documents, self.counts, self.as_typed, *(array for pair in self.forms.values() for array in pair)]
        return sum({id(array): int(array.nbytes) for array in arrays}.values())


@dataclass(frozen=True, slots=True)
class Layout:
    """A document's text as written, and where in it each of its characters begins and ends (code points)."""

    text: str
    begins: Array
    ends: Array

    @property
    def size(self) -> int:
        """How many characters there are."""
        return len(self.begins)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the characters `first` to before `last` begin and end in the text (code points)."""
        return int(self.begins[first]), int(self.ends[last - 1])


class SegmentText:
    """Finds strings in the arrays of a segment. Immutable but for bounded caches; safe for threads."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.letters, self.fold_of, self.codes = arrays["letters"], arrays["fold_of"], arrays["codes"]
        self.starts, self.walled = arrays["starts"], arrays["walled"]
        self.keys, self.offsets, self.places = arrays["keys"], arrays["offsets"], arrays["places"]
        self.steps, self.walls = arrays["steps"], arrays["walls"]
        self.note_begins, self.note_ends, self.note_main = arrays["note_begins"], arrays["note_ends"], arrays["note_main"]
        self.bridge_keys, self.bridge_offsets, self.bridges = arrays["bridge_keys"], arrays["bridge_offsets"], arrays["bridges"]
        self._shift = shift_of(len(self.letters))
        self._blocks = blocks_of(self.documents)
        self._sorted: OrderedDict[int, Array] = OrderedDict()
        self._sorted_bytes = 0
        self._codes: dict[str, int | None] = {}
        self._characters_known: OrderedDict[tuple[int, int | None], Character] = OrderedDict()
        self._characters_bytes = 0
        self._lock = threading.Lock()

    # What there is

    @property
    def documents(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> Array:
        """Characters of each document, for ranking; without the wall after it, which would tell whether a hidden one runs on from it."""
        lengths: Array = np.maximum(np.diff(self.starts) - self.walled, 1).astype(np.int32)
        return lengths

    def code(self, char: str) -> int | None:
        """The code of a character, None when the segment does not have it."""
        known = self._codes.get(char, -1)
        if known == -1:
            index = int(np.searchsorted(self.letters, np.uint32(ord(char))))
            known = index if index < len(self.letters) and self.letters[index] == ord(char) else None
            if len(self._codes) > _CODES:
                self._codes.clear()
            self._codes[char] = known
        return known

    def pattern(self, chars: Sequence[str | None]) -> Pattern | None:
        """Codes of some characters (None: any one); None when one of them does not occur."""
        codes = [ANY if char is None else self.code(char) for char in chars]
        return None if None in codes else tuple(code for code in codes if code is not None)

    def letters_of(self, folded: Sequence[str | None], written: Sequence[str | None]) -> Array:
        """The letters typed, to compare with (see `kernels`): not where any will do or the segment has no other form of the character."""
        wanted = np.full(len(written), kernels.ANY, np.int64)
        for at, (char, typed) in enumerate(zip(folded, written, strict=True)):
            if typed is None:
                continue
            code = self.code(typed)
            if code is None:
                wanted[at] = kernels.NO_LETTER
            elif char != typed or len(self.forms_of(code)) > 1:
                wanted[at] = code
        return wanted

    def forms_of(self, code: int) -> Array:
        """Codes of the letters as written that fold to a code."""
        order, bounds = self._forms
        return order[bounds[code] : bounds[code + 1]]

    @cached_property
    def _forms(self) -> tuple[Array, Array]:
        """The written codes ordered by what they fold to, and where those of each folded code begin."""
        order = np.argsort(self.fold_of, kind="stable")
        return order, np.searchsorted(self.fold_of[order], np.arange(len(self.letters) + 1))

    # Where a place lies

    def documents_of(self, places: Array) -> Array:
        """The document of each through position."""
        found: Array = kernels.documents_of(_whole(places), self.starts, self.steps)
        return found

    def notes_before(self, places: Array) -> Array:
        """How many characters of notes lie before each through position."""
        return self.note_state(places)[0]

    def note_state(self, places: Array) -> tuple[Array, Array]:
        """For each through position how many characters of notes lie before it, and whether it lies in a note itself."""
        return kernels.note_state(_whole(places), self.note_begins, self.note_ends, self.note_main)

    def through_of(self, over: Array) -> Array:
        """Through positions of over positions."""
        through: Array = kernels.through_of(_whole(over), self.note_ends, self.note_main)
        return through

    def walls_before(self, places: Array) -> Array:
        """How many walls lie before each position: equal for two positions exactly when none parts them."""
        before: Array = kernels.ranks(_whole(places), self.walls)
        return before

    # Finding

    def find(self, pattern: Pattern, scope: str = "") -> Occurrences:
        """Every place of a pattern, by start. `scope`: `note` notes alone, `main` main text alone, empty for both streams."""
        wanted = np.array(pattern, np.int64)
        over = _EMPTY if scope == "note" else self._over(wanted)
        return self._occurrences(self._through(pattern), over, len(pattern), SCOPES[scope])

    def character_in(self, document: int, code: int) -> Occurrences:
        """Every place of one character in one document, without a look at the others."""
        begin, end = int(self.starts[document]), int(self.starts[document + 1])
        starts = begin + np.flatnonzero(self.fold_of[self.codes[begin:end]] == code)
        return Occurrences(starts, starts + 1, np.full(len(starts), -1, np.int64))

    def find_through(self, pattern: Pattern) -> Occurrences:
        """The places of a pattern in reading order alone, not over notes: less work where a few may be missed."""
        starts = self._through(pattern)
        return Occurrences(starts, starts + len(pattern), np.full(len(starts), -1, np.int64))

    def find_between(self, code: int, lows: Array, highs: Array) -> Occurrences:
        """Places of one character within some stretches, both ends included; `lows` ascend."""
        places = self.places_of(code)
        starts = places[rows_between(places, lows, highs)].astype(np.int64)
        return Occurrences(starts, starts + 1, np.full(len(starts), -1, np.int64))

    def _occurrences(self, through: Array, over: Array, length: int, scope: int = kernels.EVERYWHERE) -> Occurrences:
        """What was found through and over notes together; what starts at the same place was found through."""
        return Occurrences(*kernels.occurrences(through, over, length, scope, self.note_begins, self.note_ends, self.note_main))

    def _span_of(self, code: int) -> tuple[int, int]:
        """Where the positions of a character lie in `places`."""
        low = code << self._shift
        begin = np.searchsorted(self.keys, self.keys.dtype.type(low))
        last = np.searchsorted(self.keys, self.keys.dtype.type(low | (1 << self._shift) - 1), side="right")
        return int(self.offsets[begin]), int(self.offsets[last])

    def places_of(self, code: int) -> Array:
        """Positions of a character, sorted; the lists of frequent ones stay in memory up to a bound."""
        with self._lock:
            if code in self._sorted:
                self._sorted.move_to_end(code)
                return self._sorted[code]
        begin, end = self._span_of(code)
        places = np.sort(self.places[begin:end])
        if len(places) > _CACHED and places.nbytes <= _CACHE_BYTES:
            with self._lock:
                if code not in self._sorted:
                    self._sorted[code] = places
                    self._sorted_bytes += places.nbytes
                while self._sorted_bytes > _CACHE_BYTES:
                    self._sorted_bytes -= self._sorted.popitem(last=False)[1].nbytes
        return places

    def _through(self, pattern: Pattern) -> Array:
        if len(pattern) == 1:
            return self.places_of(pattern[0]).astype(np.int64)
        wanted = np.array(pattern, np.int64)
        found: Array = kernels.through_starts(wanted, self.codes, self.fold_of, self.keys, self.offsets, self.places, self._shift)
        return found

    def _over(self, wanted: Array) -> Array:
        """Over positions where the pattern stands with a note inside it."""
        if len(wanted) < 2 or not len(self.bridges):
            return _EMPTY
        found: Array = kernels.over_starts(
            wanted,
            self.codes,
            self.fold_of,
            self._shift,
            self.note_begins,
            self.note_ends,
            self.note_main,
            self.bridge_keys,
            *(self._by_second if ANY in wanted else (_EMPTY, _EMPTY)),
            self.bridge_offsets,
            self.bridges,
        )
        return found

    @cached_property
    def _by_second(self) -> tuple[Array, Array]:
        """The rows of the bigrams that notes part in the order of their second characters, and these."""
        seconds = (self.bridge_keys & self.bridge_keys.dtype.type((1 << self._shift) - 1)).astype(np.int64)
        order = np.argsort(seconds, kind="stable")
        return order, seconds[order]

    def as_typed(self, found: Occurrences, typed: Array) -> Array:
        """True for each occurrence whose characters are these letters (`kernels.ANY`, `kernels.NO_LETTER`)."""
        same: Array = kernels.as_typed(found.starts, found.over, typed, self.codes, self.note_ends, self.note_main)
        return same

    def forms(self, found: Occurrences, documents: Array, wanted: Array, codes: Sequence[int]) -> dict[str, int]:
        """The written forms of a string of these codes in the `wanted` documents, and how often each stands there.

        `documents`: that of each occurrence.
        """
        kinds = [len(self.forms_of(code)) for code in codes]
        offsets = [at for at, kind in enumerate(kinds) if kind > 1]
        counted: Counter[str] = Counter()
        if math.prod(kinds) <= _FORMS:
            some, length = np.array([kinds[at] for at in offsets], np.int64), len(codes)
            first, counts = kernels.forms(
                found.starts,
                found.over,
                documents,
                wanted,
                np.array(offsets, np.int64),
                some,
                self._form_ranks,
                self.codes,
                self.note_ends,
                self.note_main,
            )
            written = decode(self.letters[self.written(found.where(first), length)].ravel())
            return {written[at * length : (at + 1) * length]: count for at, count in enumerate(counts.tolist())}
        chosen = np.flatnonzero(np.isin(documents, wanted))
        for begin in range(0, len(chosen), _AT_ONCE):
            rows = self.written(found.where(chosen[begin : begin + _AT_ONCE]), len(codes))
            text = decode(self.letters[rows].ravel())
            counted.update(text[at : at + len(codes)] for at in range(0, len(text), len(codes)))
        return counted

    @cached_property
    def _form_ranks(self) -> Array:
        """By written code, which of the forms of its folded character it is."""
        order, bounds = self._forms
        ranks: Array = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order)) - bounds[self.fold_of[order]]
        return ranks

    def beside(self, places: Occurrences | Array, others: Occurrences | None, pattern: Pattern, most: int) -> Array:
        """True for each of some places that has a pattern before or after it with at most `most` characters between; see `kernels.beside`.

        `places` may be those of one character, as `places_of` gives them; `others` are those of the pattern, None for one of one character.
        """
        starts, ends = (places.starts, places.ends) if isinstance(places, Occurrences) else (places, places[:0])
        state = self._perhaps(starts, ends, others, pattern, most)
        near: Array = state == kernels.BESIDE
        rows = np.flatnonzero(state if len(pattern) > 1 else state == kernels.PERHAPS)
        near[rows] = self._beside(starts[rows], ends[rows] if len(ends) else ends, pattern, most, False)[0]
        return near

    def places_beside(self, places: Occurrences | Array, others: Occurrences | None, pattern: Pattern, most: int) -> Occurrences:
        """The places of a pattern before or after some places, as near as in `beside`."""
        starts, ends = (places.starts, places.ends) if isinstance(places, Occurrences) else (places, places[:0])
        rows = np.flatnonzero(self._perhaps(starts, ends, others, pattern, most))
        _near, begins, until = self._beside(starts[rows], ends[rows] if len(ends) else ends, pattern, most, True)
        both = np.unique(begins << _LENGTH_BITS | until - begins)  # what starts at one place ends at one
        begins, until = both >> _LENGTH_BITS, (both >> _LENGTH_BITS) + (both & (1 << _LENGTH_BITS) - 1)
        over = np.where(until - begins > len(pattern), begins - self.notes_before(begins), -1)
        return Occurrences(begins, until, over)

    def _perhaps(self, starts: Array, ends: Array, others: Occurrences | None, pattern: Pattern, most: int) -> Array:
        first, last = ((self.fold_of == code).astype(np.uint8) * np.uint8(kernels.HERE) for code in (pattern[0], pattern[-1]))
        first[0] = last[0] = kernels.WALL
        if others is None:
            begin, end = self._span_of(pattern[0])
            known = self.places[begin:end]
        else:
            known = np.concatenate((others.starts, others.ends - 1)).astype(np.uint32)
        marks = kernels.block_marks(known, len(self.codes)) if len(known) < _WORTH_MARKING * len(starts) else np.zeros(0, np.uint64)
        state: Array = kernels.perhaps_beside(
            starts, ends, first, last, most, self.codes, marks, self._note_marks, self._note_steps, self.note_begins, self.note_ends
        )
        return state

    @cached_property
    def _note_marks(self) -> Array:
        """Where a note begins, and what stands before it and after it."""
        return kernels.block_marks(np.concatenate((self.note_begins, self.note_ends)), len(self.codes))

    @cached_property
    def _note_steps(self) -> Array:
        """How many notes begin before each stretch of the text."""
        begins = np.arange(0, len(self.codes) + 1, 1 << kernels.NOTE_STEP_BITS, dtype=np.uint32)
        return np.searchsorted(self.note_begins, begins).astype(np.uint32)

    def _beside(self, starts: Array, ends: Array, pattern: Pattern, most: int, collect: bool) -> tuple[Array, Array, Array]:
        wanted = np.array(pattern, np.int64)
        return kernels.beside(starts, ends, wanted, most, collect, self.codes, self.fold_of, self.walls, self.note_begins, self.note_ends)

    # Forms as written

    def codes_at(self, found: Occurrences, at: int) -> Array:
        """The written code of the character at an offset (from 0) of each occurrence of a pattern without gaps."""
        places = np.minimum(found.starts + at, len(self.codes) - 1)
        over = np.flatnonzero(found.over >= 0)
        if len(over):
            places[over] = self.through_of(found.over[over] + at)
        codes: Array = self.codes[places]
        return codes

    def written(self, found: Occurrences, length: int) -> Array:
        """Written codes of each occurrence of a pattern of `length` without gaps: a matrix, a row an occurrence."""
        if found.over.max(initial=-1) < 0:
            rows: Array = self.codes[found.starts[:, None] + np.arange(length)]
            return rows
        return np.stack([self.codes_at(found, at) for at in range(length)], axis=1)

    # One character

    def postings(self, code: int) -> tuple[Array, Array]:
        """Documents (ascending) that have a folded character, and how often."""
        return self.together([self.written_postings(form) for form in self.forms_of(code).tolist()])

    @staticmethod
    def together(forms: list[tuple[Array, Array]]) -> tuple[Array, Array]:
        """The postings of several letters as those of one."""
        return reduce(lambda one, other: kernels.added(*one, *other), sorted(forms, key=lambda form: len(form[0])))

    def character(self, code: int, typed: int | None) -> Character:
        """What is known of a folded character, and of the letter `typed`; that of frequent ones stays in memory up to a bound."""
        with self._lock:
            if (code, typed) in self._characters_known:
                self._characters_known.move_to_end((code, typed))
                return self._characters_known[code, typed]
        forms = {form: self.written_postings(form) for form in self.forms_of(code).tolist()}
        documents, counts = self.together(list(forms.values()))
        if list(forms) == [typed]:
            as_typed = counts
        else:
            as_typed = np.zeros(len(documents), np.int32)
            if typed is not None and typed in forms:
                as_typed = kernels.counts_at(documents, *forms[typed])
        found = Character(documents, counts, as_typed, forms)
        if len(documents) > _CACHED and found.nbytes <= _CHARACTER_BYTES:
            with self._lock:
                if (code, typed) not in self._characters_known:
                    self._characters_known[code, typed] = found
                    self._characters_bytes += found.nbytes
                while self._characters_bytes > _CHARACTER_BYTES:
                    self._characters_bytes -= self._characters_known.popitem(last=False)[1].nbytes
        return found

    def written_postings(self, code: int) -> tuple[Array, Array]:
        """Documents (ascending) that have a letter as written, and how often."""
        arrays, blocks = self.arrays, self._blocks
        offsets = arrays["posting_offsets"][code * blocks : (code + 1) * blocks + 1]
        return kernels.postings(
            arrays["posting_lows"], arrays["posting_counts"], offsets, arrays["heavy_rows"], arrays["heavy_counts"], BLOCK_BITS
        )

    # Text as written

    def layout_string(self, number: int) -> str:
        """One of the strings between characters: `batch_reading.BETWEEN` or `INSTEAD`, and the signs."""
        begin, end = self.arrays["string_offsets"][number : number + 2].tolist()
        return decode(self.arrays["string_points"][begin:end])

    def text_of(self, document: int) -> str:
        """A document's text as written."""
        return self.layout(document).text

    def layout(self, document: int) -> Layout:
        """A document's text as written, and where each of its characters stands in it."""
        begin, end = self.starts[document : document + 2].tolist()
        first, last = self.arrays["layout_starts"][document : document + 2].tolist()
        points, begins, ends = kernels.woven(
            self.codes[begin : end - int(self.walled[document])],
            self.letters,
            self.arrays["layout_gaps"][first:last],
            self.arrays["layout_numbers"][first:last],
            self.arrays["string_points"],
            self.arrays["string_offsets"],
            _INSTEAD,
        )
        return Layout(decode(points), begins, ends)


def _whole(places: Array) -> Array:
    """The positions as the kernels know them: of 64 bits, one after another."""
    return np.ascontiguousarray(places, np.int64)


def rows_between(values: Array, lows: Array, highs: Array) -> Array:
    """Indices of those ascending `values` that lie within one of some stretches, both ends included; `lows` ascend."""
    begins = np.searchsorted(values, lows.astype(values.dtype))
    ends = np.searchsorted(values, highs.astype(values.dtype), side="right")
    begins[1:] = np.maximum(begins[1:], np.maximum.accumulate(ends)[:-1])  # no row twice
    counts = np.maximum(ends - begins, 0)
    rows: Array = np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
    return rows
