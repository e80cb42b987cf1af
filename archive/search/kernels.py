"""The inner loops of searching, compiled: one pass over the arrays where numpy would make a dozen, each with an array of its own.

Written in the part of Python that numba compiles, once per machine (numba keeps the machine code beside this file, or in the user's cache folder where that
cannot be written). `docs/decisions/kernels.md` says why. Nothing here knows of queries, readers or segments: arrays in, arrays out. All
positions are through positions (see `segment_text`) unless a name says `over`; lists of documents and places ascend.

Indices are not checked: callers pass arrays of one segment. What a kernel needs of them stands in its docstring.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

from archive.search.arrays import Array
from archive.search.segment_build import STEP_BITS

_Function = TypeVar("_Function", bound=Callable[..., Any])

Integer = Any
"""Of 64 bits. Those from arrays without a sign are made such first: numba takes the sum of both kinds for a fraction."""
ANY = -1
"""In a pattern: one character, whichever. Among the letters typed: not to be compared."""
NO_LETTER = -2
"""Among the letters typed: one that the segment does not have."""
_WORTH = 100_000
"""For fewer places the text around each is looked at; for more it pays to go through the places of two bigrams side by side."""
_AHEAD = 64
"""So many places are fetched from memory at once."""
NOTE_STEP_BITS = 6
_BLOCK_BITS = 3
"""Blocks of so many bits of a place have a mark in common."""
HERE, WALL = 1, 2
"""In the tables of `perhaps_beside`."""
NOT_BESIDE, PERHAPS, BESIDE = 0, 1, 2
EVERYWHERE, IN_NOTES, IN_MAIN = 0, 1, 2


def compiled(function: _Function) -> _Function:
    """The function as machine code, made at the first call with each combination of types."""
    try:
        made: Any = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no place to keep machine code: neither this folder nor one of the user's can be written
        made = numba.njit(error_model="numpy")(function)
    return made  # type: ignore[no-any-return]


_inlined = numba.njit(inline="always", error_model="numpy")
"""For a part of a loop: a call that hands ten arrays over costs as much as what it does with them."""


# Searching sorted arrays


@compiled
def _lower(values: Array, wanted: Integer, low: Integer, high: Integer) -> Integer:
    """The first index of `low` to `high` whose value is at least `wanted`."""
    while low < high:
        middle = (low + high) >> 1
        if np.int64(values[middle]) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _onward(values: Array, wanted: Integer, at: Integer) -> Integer:
    """The first index from `at` on whose value is at least `wanted`: near ones are found in few steps."""
    size, step = len(values), 1
    if at == size or np.int64(values[at]) >= wanted:
        return at
    low, high = at, at
    while high < size and np.int64(values[high]) < wanted:
        low = high + 1
        high += step
        step <<= 1
    return _lower(values, wanted, low, min(high, size))


@compiled
def _document(place: Integer, starts: Array, steps: Array) -> Integer:
    found = np.int64(steps[place >> STEP_BITS])
    while found + 2 < len(starts) and place >= np.int64(starts[found + 1]):
        found += 1
    return found


@compiled
def _through(over: Integer, note_ends: Array, note_main: Array) -> Integer:
    """The through position of an over position."""
    index = _lower(note_main, over + 1, 0, len(note_main))
    return over + np.int64(note_ends[index - 1]) - np.int64(note_main[index - 1]) if index else over


@compiled
def _notes_before(place: Integer, note_begins: Array, note_ends: Array, note_main: Array) -> Integer:
    """How many characters of notes lie before a through position."""
    index = _lower(note_begins, place + 1, 0, len(note_begins))
    return min(np.int64(note_ends[index - 1]), place) - np.int64(note_main[index - 1]) if index else 0


@compiled
def documents_of(places: Array, starts: Array, steps: Array) -> Array:
    """The document of each place."""
    found = np.empty(len(places), np.int64)
    for i in range(len(places)):
        found[i] = _document(places[i], starts, steps)
    return found


@compiled
def note_state(places: Array, note_begins: Array, note_ends: Array, note_main: Array) -> tuple[Array, Array]:
    """For each place how many characters of notes lie before it, and whether it lies in a note itself; quick when places ascend."""
    before, inside = np.zeros(len(places), np.int64), np.zeros(len(places), np.bool_)
    index = 0
    for i in range(len(places)):
        place = places[i]
        if index and np.int64(note_begins[index - 1]) > place:
            index = 0
        index = _onward(note_begins, place + 1, index)
        if index:
            end = np.int64(note_ends[index - 1])
            inside[i] = end > place
            before[i] = min(end, place) - np.int64(note_main[index - 1])
    return before, inside


@compiled
def ranks(places: Array, values: Array) -> Array:
    """For each place how many of the ascending `values` lie before it; quick when places ascend."""
    found = np.empty(len(places), np.int64)
    at = 0
    for i in range(len(places)):
        if at and np.int64(values[at - 1]) >= places[i]:
            at = 0
        at = _onward(values, places[i], at)
        found[i] = at
    return found


@compiled
def through_of(over: Array, note_ends: Array, note_main: Array) -> Array:
    """Through positions of over positions; quick when they ascend."""
    found = np.empty(len(over), np.int64)
    index = 0
    for i in range(len(over)):
        place = over[i]
        if index and np.int64(note_main[index - 1]) > place:
            index = 0
        index = _onward(note_main, place + 1, index)
        found[i] = place + np.int64(note_ends[index - 1]) - np.int64(note_main[index - 1]) if index else place
    return found


# Finding a string


@compiled
def _stands(start: Integer, pattern: Array, codes: Array, fold_of: Array) -> bool:
    """Whether the pattern stands at a through position."""
    for at in range(len(pattern)):
        code = codes[start + at]
        if pattern[at] == ANY:
            if code == 0:
                return False
        elif np.int64(fold_of[code]) != pattern[at]:
            return False
    return True


@compiled
def _agrees(code: Integer, wanted: Integer, fold_of: Array) -> Any:
    """Whether a written code is what a pattern wants; a wall never is."""
    return code != 0 if wanted == ANY else np.int64(fold_of[code]) == wanted


@compiled
def _walled(start: Integer, other: Integer, walls: Array) -> Any:
    """Whether a wall lies between two places, the first before the other."""
    at = _lower(walls, start, 0, len(walls))
    return at < len(walls) and np.int64(walls[at]) < other


@compiled
def _end_over(start: Integer, note: Integer, pattern: Array, codes: Array, fold_of: Array, note_begins: Array, note_ends: Array) -> Integer:
    """Where a pattern ends that is read in main text from a through position of main text on; -1 when it does not stand there.

    `note`: the first note that begins after the position.
    """
    place = start
    for at in range(len(pattern)):
        while at and note < len(note_begins) and np.int64(note_begins[note]) == place:
            place = np.int64(note_ends[note])
            note += 1
        if place >= len(codes) or not _agrees(codes[place], pattern[at], fold_of):
            return -1
        place += 1
    return place


@compiled
def _start_over(end: Integer, note: Integer, pattern: Array, codes: Array, fold_of: Array, note_begins: Array, note_ends: Array) -> Integer:
    """Where a pattern starts that is read in main text up to a through position after main text; -1 when it does not stand there.

    `note`: the last note that begins before the position.
    """
    place = end - 1
    for back in range(len(pattern)):
        while back and note >= 0 and np.int64(note_ends[note]) == place + 1:
            place = np.int64(note_begins[note]) - 1
            note -= 1
        if place < 0 or not _agrees(codes[place], pattern[len(pattern) - 1 - back], fold_of):
            return -1
        place -= 1
    return place + 1


@compiled
def _span(code: Integer, keys: Array, offsets: Array, shift: Integer) -> tuple[Integer, Integer]:
    """Where the positions of a character lie in `places`."""
    begin = _lower(keys, code << shift, 0, len(keys))
    return np.int64(offsets[begin]), np.int64(offsets[_lower(keys, (code + 1) << shift, begin, len(keys))])


@compiled
def _rarest(pattern: Array, keys: Array, offsets: Array, shift: Integer) -> tuple[Integer, Integer, Integer, bool]:
    """Where in `places` the rarest bigram of a pattern lies (its rarest character, where no two known ones adjoin), at which offset of the
    pattern, and whether its positions ascend."""
    begin, end, at, paired = np.int64(0), np.int64(-1), 0, False
    for k in range(len(pattern) - 1):
        if pattern[k] == ANY or pattern[k + 1] == ANY:
            continue
        paired = True
        key = pattern[k] << shift | pattern[k + 1]
        row = _lower(keys, key, 0, len(keys))
        if row == len(keys) or np.int64(keys[row]) != key:
            return 0, 0, 0, True
        low, high = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if end < 0 or high - low < end - begin:
            begin, end, at = low, high, k
    if not paired:
        for k in range(len(pattern)):
            if pattern[k] == ANY:
                continue
            low, high = _span(pattern[k], keys, offsets, shift)
            if end < 0 or high - low < end - begin:
                begin, end, at = low, high, k
    return begin, max(end, begin), at, paired


@compiled
def through_starts(pattern: Array, codes: Array, fold_of: Array, keys: Array, offsets: Array, places: Array, shift: Integer) -> Array:
    """Where a pattern (at least one character of it known) stands in reading order."""
    begin, end, at, ascending = _rarest(pattern, keys, offsets, shift)
    last = len(codes) - len(pattern)
    if not ascending and end - begin > _WORTH:
        for k in range(len(pattern) - 2):
            if pattern[k] != ANY and pattern[k + 2] != ANY:
                return _with_one_between(k, pattern, codes, fold_of, keys, offsets, places, shift)
    found = np.empty(end - begin, np.int64)
    count = 0
    known = ascending and len(pattern) == 2
    for i in range(begin, end):
        if not known and not (i - begin) % _AHEAD:
            count += _fetched(places, i, min(i + _AHEAD, end), codes)
        start = np.int64(places[i]) - at
        if known or (0 <= start <= last and _stands(start, pattern, codes, fold_of)):
            found[count] = start
            count += 1
    found = found[:count]
    return found if ascending else np.sort(found)


@compiled
def _with_one_between(
    k: Integer, pattern: Array, codes: Array, fold_of: Array, keys: Array, offsets: Array, places: Array, shift: Integer
) -> Array:
    """Where a pattern stands whose characters `k` and `k + 2` are known and that between them is any.

    For each character that can stand between, the places of both bigrams are gone through side by side: in order, where looking at the text
    around every place of one would wait for memory each time.
    """
    mask, last = (np.int64(1) << shift) - 1, len(codes) - len(pattern)
    row, end = _lower(keys, pattern[k] << shift, 0, len(keys)), _lower(keys, (pattern[k] + 1) << shift, 0, len(keys))
    found, count, at_second = np.empty(256, np.int64), 0, 0
    for first in range(row, end):
        between = np.int64(keys[first]) & mask
        if between == 0:
            continue
        wanted = between << shift | pattern[k + 2]
        at_second = _onward(keys, wanted, at_second)
        if at_second == len(keys) or np.int64(keys[at_second]) != wanted:
            continue
        i, i_end = np.int64(offsets[first]), np.int64(offsets[first + 1])
        j, j_end = np.int64(offsets[at_second]), np.int64(offsets[at_second + 1])
        skewed = i_end - i > 8 * (j_end - j) or j_end - j > 8 * (i_end - i)
        while i < i_end and j < j_end:
            one, other = np.int64(places[i]) + 1, np.int64(places[j])
            if one == other:
                start = one - 1 - k
                if 0 <= start <= last and (len(pattern) == 3 or _stands(start, pattern, codes, fold_of)):
                    if count == len(found):
                        found = np.concatenate((found, np.empty(count, np.int64)))
                    found[count] = start
                    count += 1
            if skewed:
                i, j = _lower_onward(places, other - 1, i, i_end), _lower_onward(places, one, j, j_end)
                i, j = i + (one == other), j + (one == other)
            else:
                i, j = i + (one <= other), j + (other <= one)  # no branch: which it is cannot be foreseen
    return np.sort(found[:count])


@compiled
def _lower_onward(values: Array, wanted: Integer, at: Integer, end: Integer) -> Integer:
    """As `_onward`, up to `end`."""
    step, low, high = 1, at, at
    while high < end and np.int64(values[high]) < wanted:
        low = high + 1
        high += step
        step <<= 1
    return _lower(values, wanted, low, min(high, end))


@compiled
def _bridged(first: Integer, second: Integer, keys: Array, seconds: Array, shift: Integer) -> tuple[Integer, Integer]:
    """Which rows of the bigrams that notes part have these two characters, either of which may be any; rows by the second for any first."""
    if first == ANY:
        if second == ANY:
            return 0, len(keys)
        low = _lower(seconds, second, 0, len(seconds))
        return low, _lower(seconds, second + 1, low, len(seconds))
    if second == ANY:
        return _lower(keys, first << shift, 0, len(keys)), _lower(keys, (first + 1) << shift, 0, len(keys))
    key = first << shift | second
    row = _lower(keys, key, 0, len(keys))
    return row, row + (row < len(keys) and np.int64(keys[row]) == key)


@compiled
def over_starts(
    pattern: Array,
    codes: Array,
    fold_of: Array,
    shift: Integer,
    note_begins: Array,
    note_ends: Array,
    note_main: Array,
    bridge_keys: Array,
    by_second: Array,
    seconds: Array,
    bridge_offsets: Array,
    bridges: Array,
) -> Array:
    """Over positions where a pattern stands with a note inside it. `by_second`: the rows of `bridge_keys` in the order of their second
    characters, which are `seconds`; needed only for patterns with ANY."""
    size = np.int64(0)
    for k in range(len(pattern) - 1):
        low, high = _bridged(pattern[k], pattern[k + 1], bridge_keys, seconds, shift)
        for at in range(low, high):
            row = by_second[at] if pattern[k] == ANY else at
            size += np.int64(bridge_offsets[row + 1]) - np.int64(bridge_offsets[row])
    found = np.empty(size, np.int64)
    count = 0
    for k in range(len(pattern) - 1):
        before, after = pattern[: k + 1], pattern[k + 1 :]
        low, high = _bridged(pattern[k], pattern[k + 1], bridge_keys, seconds, shift)
        for at in range(low, high):
            row = by_second[at] if pattern[k] == ANY else at
            for i in range(np.int64(bridge_offsets[row]), np.int64(bridge_offsets[row + 1])):
                note = np.int64(bridges[i])
                over = np.int64(note_main[note]) - 1 - k
                if over < 0:
                    continue
                if len(pattern) > 2:  # touching notes are one, so main text stands on both sides of it
                    begin, end = np.int64(note_begins[note]), np.int64(note_ends[note])
                    if _end_over(end, note + 1, after, codes, fold_of, note_begins, note_ends) < 0:
                        continue
                    if _start_over(begin, note - 1, before, codes, fold_of, note_begins, note_ends) < 0:
                        continue
                found[count] = over
                count += 1
    if count < 2:
        return found[:count]
    ordered = np.sort(found[:count])
    kept = 1
    for i in range(1, count):
        if ordered[i] != ordered[kept - 1]:
            ordered[kept] = ordered[i]
            kept += 1
    return ordered[:kept]


@compiled
def occurrences(
    starts: Array, over: Array, length: Integer, scope: Integer, note_begins: Array, note_ends: Array, note_main: Array
) -> tuple[Array, Array, Array]:
    """Starts, ends and over positions (-1: found through) of a pattern of `length`, found at `starts` and over notes at `over`.

    What starts at the same place was found through. `scope`: EVERYWHERE, IN_NOTES, IN_MAIN.
    """
    size = len(starts) + len(over)
    begins, ends, overs = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    count, j = 0, 0
    for i in range(len(starts) + 1):
        start = starts[i] if i < len(starts) else 1 << 62
        if scope != EVERYWHERE and i < len(starts):
            inside = _notes_before(start + length, note_begins, note_ends, note_main) - _notes_before(
                start, note_begins, note_ends, note_main
            )
            if inside != (length if scope == IN_NOTES else 0):
                continue
        while j < len(over):
            begin = _through(over[j], note_ends, note_main)
            if begin >= start:
                j += begin == start
                break
            begins[count], ends[count] = begin, _through(over[j] + length - 1, note_ends, note_main) + 1
            overs[count] = over[j]
            count += 1
            j += 1
        if i < len(starts):
            begins[count], ends[count], overs[count] = start, start + length, -1
            count += 1
    return begins[:count], ends[:count], overs[:count]


@compiled
def as_typed(starts: Array, overs: Array, typed: Array, codes: Array, note_ends: Array, note_main: Array) -> Array:
    """True for each occurrence whose characters are the letters `typed` (ANY: whichever; NO_LETTER: never)."""
    same = np.ones(len(starts), np.bool_)
    for at in range(len(typed)):
        letter = typed[at]
        if letter == ANY:
            continue
        for i in range(len(starts)):
            place = starts[i] + at
            if overs[i] >= 0:
                place = _through(overs[i] + at, note_ends, note_main)
            same[i] &= codes[place] == letter
    return same


@compiled
def seen(starts: Array, ends: Array, begins: Array, steps: Array, visible: Array, regions: Array) -> tuple[Array, Array, bool]:
    """Which occurrences a reader may see whole, the document each begins in, and whether all are seen.

    `begins`: where documents start; `visible` and `regions` as a View's.
    """
    keep, documents, everything = np.empty(len(starts), np.bool_), np.empty(len(starts), np.int64), True
    document, begin, end = np.int64(0), np.int64(0), np.int64(0)
    for i in range(len(starts)):
        start = starts[i]
        if start >= end or start < begin:
            document = _document(start, begins, steps)
            begin, end = np.int64(begins[document]), np.int64(begins[document + 1])
        documents[i] = document
        whole = visible[document]
        if ends[i] > end:
            whole = whole and regions[document] == regions[_document(ends[i] - 1, begins, steps)]
        keep[i] = whole
        everything = everything and whole
    return keep, documents, everything


@compiled
def by_document(documents: Array, same: Array) -> tuple[Array, Array, Array]:
    """The distinct documents, how often each comes, and how often with `same` True (`same` empty: never)."""
    distinct, counts, typed = np.empty(len(documents), np.int64), np.zeros(len(documents), np.int32), np.zeros(len(documents), np.int32)
    count = 0
    for i in range(len(documents)):
        if not count or documents[i] != distinct[count - 1]:
            distinct[count] = documents[i]
            count += 1
        counts[count - 1] += 1
        if len(same) and same[i]:
            typed[count - 1] += 1
    return distinct[:count], counts[:count], typed[:count]


# Nearness


@compiled
def _fetched(starts: Array, begin: Integer, end: Integer, codes: Array) -> Any:
    """Have the text at some places brought from memory side by side: one after another, each would be waited for. 0, as no sum is so large."""
    mixed = np.int64(0)
    for i in range(begin, end):
        mixed += np.int64(codes[starts[i]])
    return mixed >> 40


@compiled
def block_marks(places: Array, size: Integer) -> Array:
    """A bit for each block of eight characters of a text of `size`, set where one of the places (in any order) lies."""
    marks = np.zeros((size >> _BLOCK_BITS + 6) + 2, np.uint64)
    for i in range(len(places)):
        block = np.uint64(places[i]) >> np.uint64(_BLOCK_BITS)
        marks[block >> np.uint64(6)] |= np.uint64(1) << (block & np.uint64(63))
    return marks


@_inlined
def _marked(marks: Array, low: Integer, high: Integer) -> Any:
    """Whether a block between two places, both included, has a mark."""
    found = False
    for block in range(max(low, 0) >> _BLOCK_BITS, (high >> _BLOCK_BITS) + 1):
        found |= (marks[np.uint64(block) >> np.uint64(6)] >> (np.uint64(block) & np.uint64(63)) & np.uint64(1)) != 0
    return found


@compiled
def perhaps_beside(
    starts: Array,
    ends: Array,
    first: Array,
    last: Array,
    most: Integer,
    codes: Array,
    marks: Array,
    note_marks: Array,
    note_steps: Array,
    note_begins: Array,
    note_ends: Array,
) -> Array:
    """For each occurrence as in `beside` whether a pattern can be near: NOT_BESIDE, PERHAPS, or BESIDE for a character between which and the
    occurrence no note is skipped. `first` and `last`: by code HERE for the first and last character of the pattern, WALL for a wall, else 0.

    `marks`: `block_marks` of where the pattern starts and ends, empty when that is not known; `note_marks` of where notes begin, and of what
    follows each. They lie close together in memory, so most occurrences, which have neither near them, are told without a look at the text;
    so are those with one note in the way. `note_steps`: how many notes begin before each stretch of 2 ** NOTE_STEP_BITS characters.
    """
    found = np.zeros(len(starts), np.uint8)
    notes, size = len(note_begins), len(codes)
    noted, count = np.empty(len(starts), np.int64), 0
    for i in range(len(starts)):
        start = np.int64(starts[i])
        end = np.int64(ends[i]) if len(ends) else start + 1
        low, high = start - most - 1, min(end + most, size - 1)
        if not len(marks) or _marked(marks, low, high):
            found[i] = _in_reading_order(start, end, first, last, most, codes)
        noted[count] = i
        count += found[i] == NOT_BESIDE and _marked(note_marks, low, high)
    following = np.empty(count, np.int64)  # in a loop of its own: short ones wait for memory side by side
    for k in range(count):
        start = np.int64(starts[noted[k]])
        note = np.int64(note_steps[start >> NOTE_STEP_BITS])
        while note < notes and np.int64(note_begins[note]) <= start:
            note += 1
        following[k] = note
    for k in range(count):
        i, note = noted[k], following[k]
        start = np.int64(starts[i])
        end = np.int64(ends[i]) if len(ends) else start + 1
        before = np.int64(note_ends[note - 1]) if note else np.int64(-most - 1)  # where the last note that begins before ends
        perhaps = False
        if note < notes and np.int64(note_begins[note]) <= end + most and before < end:
            perhaps = not len(marks) or _marked_ahead(end, note, most + 1, size, marks, note_begins, note_ends)
        if not perhaps and note and start - most <= before <= start:
            perhaps = not len(marks) or _marked_behind(start, note - 1, most + 1, marks, note_begins, note_ends)
        if perhaps:
            found[i] = PERHAPS
    return found


@_inlined
def _in_reading_order(start: Integer, end: Integer, first: Array, last: Array, most: Integer, codes: Array) -> Integer:
    for place in range(end, min(end + most + 1, len(codes))):
        kind = first[codes[place]]
        if kind:
            if kind == HERE:
                return BESIDE
            break
    for place in range(start - 1, max(start - most - 2, -1), -1):
        kind = last[codes[place]]
        if kind:
            if kind == HERE:
                return BESIDE
            break
    return NOT_BESIDE


@_inlined
def _marked_ahead(place: Integer, note: Integer, left: Integer, size: Integer, marks: Array, note_begins: Array, note_ends: Array) -> Any:
    """Whether a block of the next `left` characters of main text has a mark. `note`: the first note that begins at the place or after."""
    found = False
    while left > 0 and not found:
        opens = np.int64(note_begins[note]) if note < len(note_begins) else size
        step = min(opens - place, left)
        found = step > 0 and _marked(marks, place, place + step - 1)
        left = left - step if note < len(note_begins) else 0
        place = np.int64(note_ends[note]) if note < len(note_begins) else size
        note += 1
    return found


@_inlined
def _marked_behind(place: Integer, note: Integer, left: Integer, marks: Array, note_begins: Array, note_ends: Array) -> Any:
    """Whether a block of the `left` characters of main text before a place has a mark. `note`: the last note that ends at the place or before."""
    found = False
    while left > 0 and not found:
        closes = np.int64(note_ends[note]) if note >= 0 else 0
        step = min(place - closes, left)
        found = step > 0 and _marked(marks, place - step, place - 1)
        left = left - step if note >= 0 else 0
        place = np.int64(note_begins[note]) if note >= 0 else 0
        note -= 1
    return found


@compiled
def beside(
    starts: Array,
    ends: Array,
    wanted: Array,
    most: Integer,
    collect: Any,
    codes: Array,
    fold_of: Array,
    walls: Array,
    note_begins: Array,
    note_ends: Array,
) -> tuple[Array, Array, Array]:
    """Which of some occurrences (their starts ascend; empty `ends`: of one character each) have the pattern `wanted` before or after them
    with at most `most` characters between, no wall parting them; and when `collect`, starts and ends of all places of it that are so near.

    Characters between are counted in reading order, and again without those of notes where both ends of the gap are main text. What is
    collected comes in no order and more than once.
    """
    near, room = np.zeros(len(starts), np.bool_), 8 * (most + 1)  # two ways in two streams, and a pattern over a note beside it
    found, found_ends, count = np.empty(room, np.int64), np.empty(room, np.int64), 0
    enough = room if collect else 1
    note = 0  # the first note that begins after the start
    for i in range(len(starts)):
        start = np.int64(starts[i])
        end = np.int64(ends[i]) if len(ends) else start + 1
        note = _onward(note_begins, start + 1, note)
        if count + room > len(found):
            found = np.concatenate((found, np.empty(len(found), np.int64)))
            found_ends = np.concatenate((found_ends, np.empty(len(found_ends), np.int64)))
        into, into_ends = found[count : count + room], found_ends[count : count + room]
        many = _ahead(
            end, _onward(note_begins, end, note), wanted, most, enough, into, into_ends, codes, fold_of, walls, note_begins, note_ends
        )
        if many < enough:
            into, into_ends = into[many:], into_ends[many:]
            many += _behind(start, note - 1, wanted, most, enough, into, into_ends, codes, fold_of, walls, note_begins, note_ends)
        near[i] = many > 0
        if collect:
            count += many
    return near, found[:count], found_ends[:count]


@compiled
def _ahead(
    end: Integer,
    following: Integer,
    wanted: Array,
    most: Integer,
    enough: Integer,
    found: Array,
    found_ends: Array,
    codes: Array,
    fold_of: Array,
    walls: Array,
    note_begins: Array,
    note_ends: Array,
) -> Integer:
    """How many places of a pattern, up to `enough`, start at most `most` characters from a place on, and which. `following`: the first note
    that begins there or after."""
    count, size = 0, len(wanted)
    for over in range(2):
        if over and (following and np.int64(note_ends[following - 1]) >= end):
            break  # the occurrence ends in a note, or what is before it does
        place, at = end, following
        for _step in range(most + 1):
            while at < len(note_begins) and np.int64(note_begins[at]) <= place:
                if over:
                    place = np.int64(note_ends[at])
                at += 1
            if place >= len(codes) or codes[place] == 0:
                break
            until = -1
            if _agrees(codes[place], wanted[0], fold_of):
                if place + size <= len(codes) and _stands(place, wanted, codes, fold_of):
                    until = place + size
                elif size > 1 and not (at and np.int64(note_ends[at - 1]) > place):
                    until = _end_over(place, at, wanted, codes, fold_of, note_begins, note_ends)
            if until >= 0 and not _walled(end if over else place, until, walls):
                found[count], found_ends[count] = place, until
                count += 1
                if count == enough:
                    return count
            place += 1
        if following == len(note_begins) or np.int64(note_begins[following]) > end + most:
            break  # over notes there is nothing else
    return count


@compiled
def _behind(
    start: Integer,
    preceding: Integer,
    wanted: Array,
    most: Integer,
    enough: Integer,
    found: Array,
    found_ends: Array,
    codes: Array,
    fold_of: Array,
    walls: Array,
    note_begins: Array,
    note_ends: Array,
) -> Integer:
    """How many places of a pattern, up to `enough`, end at most `most` characters before a place, and which. `preceding`: the last note that
    begins there or before. Two may end at one place: in reading order and over a note."""
    count, size = 0, len(wanted)
    for over in range(2):
        if over and (preceding < 0 or np.int64(note_ends[preceding]) > start or np.int64(note_ends[preceding]) < start - most):
            break  # the occurrence starts in a note, or over notes there is nothing else
        place, at = start, preceding
        for _step in range(most + 1):
            while at >= 0 and (np.int64(note_ends[at]) == place if over else np.int64(note_begins[at]) >= place):
                if over:
                    place = np.int64(note_begins[at])
                at -= 1
            if place <= 0 or codes[place - 1] == 0:
                break
            if _agrees(codes[place - 1], wanted[size - 1], fold_of) and not (over and _walled(place, start, walls)):
                if place >= size and _stands(place - size, wanted, codes, fold_of):
                    found[count], found_ends[count] = place - size, place
                    count += 1
                begin = -1
                if size > 1 and not (at >= 0 and np.int64(note_ends[at]) >= place):
                    begin = _start_over(place, at, wanted, codes, fold_of, note_begins, note_ends)
                if (
                    begin >= 0
                    and not _walled(begin, place, walls)
                    and not (begin + size <= len(codes) and _stands(begin, wanted, codes, fold_of))
                ):
                    found[count], found_ends[count] = begin, place
                    count += 1
                if count >= enough:
                    return count
            place -= 1
    return count


# Text as written


@compiled
def woven(
    codes: Array, letters: Array, gaps: Array, numbers: Array, string_points: Array, string_offsets: Array, instead: Integer
) -> tuple[Array, Array, Array]:
    """The code points of a document as written, and for each of its characters where it begins and ends there.

    `gaps`: after how many characters each string of layout stands, from the one before; `numbers` which string, whose first point says
    whether it stands before a character or `instead` of it.
    """
    size, length = len(codes), len(codes)
    for number in numbers:
        first, last = np.int64(string_offsets[number]), np.int64(string_offsets[number + 1])
        length += last - first - 1 - (string_points[first] == instead)
    points, begins, ends = np.empty(length, np.uint32), np.empty(size, np.int64), np.empty(size, np.int64)
    out, event, place = 0, 0, np.int64(0)
    if len(gaps):
        place = np.int64(gaps[0])
    for i in range(size + 1):
        replaced = False
        while event < len(gaps) and place == i:
            first, last = np.int64(string_offsets[numbers[event]]), np.int64(string_offsets[numbers[event] + 1])
            replaces = string_points[first] == instead
            if replaces:
                begins[i] = out
            for at in range(first + 1, last):
                points[out] = string_points[at]
                out += 1
            if replaces:
                ends[i], replaced = out, True
            event += 1
            if event < len(gaps):
                place += np.int64(gaps[event])
        if i < size and not replaced:
            begins[i] = out
            points[out] = letters[codes[i]]
            out += 1
            ends[i] = out
    return points, begins, ends


# Written forms


@compiled
def forms(
    starts: Array,
    overs: Array,
    documents: Array,
    wanted: Array,
    offsets: Array,
    kinds: Array,
    ranks: Array,
    codes: Array,
    note_ends: Array,
    note_main: Array,
) -> tuple[Array, Array]:
    """For each written form of a string the first occurrence in the `wanted` documents that has it, and how many there have; unordered.

    `documents`: that of each occurrence. `offsets`: where in the string a character may stand in several forms, `kinds` how many of them
    the segment has, `ranks` by code which of them it is. Forms are numbered by these; all numbers must have room in an array.
    """
    size = 1
    for kind in kinds:
        size *= kind
    counts, first = np.zeros(size, np.int64), np.full(size, -1, np.int64)
    at, last, chosen = 0, -1, False
    for i in range(len(starts)):
        document = documents[i]
        if document != last:
            while at < len(wanted) and wanted[at] < document:
                at += 1
            last, chosen = document, at < len(wanted) and wanted[at] == document
        if not chosen:
            continue
        number = 0
        for k in range(len(offsets)):
            place = starts[i] + offsets[k]
            if overs[i] >= 0:
                place = _through(overs[i] + offsets[k], note_ends, note_main)
            number = number * kinds[k] + ranks[codes[place]]
        counts[number] += 1
        if first[number] < 0:
            first[number] = i
    found = np.flatnonzero(counts)
    return first[found], counts[found]


@compiled
def summed_where(documents: Array, counts: Array, wanted: Array) -> Integer:
    """The sum of the counts of those documents that are among the `wanted`; both ascend."""
    total, at = 0, 0
    for i in range(len(documents)):
        at = _onward(wanted, documents[i], at)
        if at == len(wanted):
            break
        if wanted[at] == documents[i]:
            total += counts[i]
            at += 1
    return total


# Sets of documents


@compiled
def intersected(some: Array, others: Array) -> Array:
    """What is in both lists."""
    if len(others) < len(some):
        some, others = others, some
    found = np.empty(len(some), np.int64)
    count, at = 0, 0
    for i in range(len(some)):
        at = _onward(others, some[i], at)
        if at == len(others):
            break
        if others[at] == some[i]:
            found[count] = some[i]
            count += 1
            at += 1
    return found[:count]


@compiled
def without(some: Array, others: Array) -> Array:
    """What is in the first list and not in the second."""
    found = np.empty(len(some), np.int64)
    count, at = 0, 0
    for i in range(len(some)):
        at = _onward(others, some[i], at)
        if at == len(others) or others[at] != some[i]:
            found[count] = some[i]
            count += 1
    return found[:count]


@compiled
def united(some: Array, others: Array) -> Array:
    """What is in one of the lists."""
    found = np.empty(len(some) + len(others), np.int64)
    count, i, j = 0, 0, 0
    while i < len(some) or j < len(others):
        if j == len(others) or (i < len(some) and some[i] < others[j]):
            found[count] = some[i]
            i += 1
        else:
            found[count] = others[j]
            i += i < len(some) and some[i] == others[j]
            j += 1
        count += 1
    return found[:count]


@compiled
def widened(documents: Array, regions: Array) -> Array:
    """The documents and those neighbours that text runs to or from."""
    found = np.empty(3 * len(documents), np.int64)
    count = 0
    for i in range(len(documents)):
        document = documents[i]
        for other in range(max(document - 1, 0), min(document + 2, len(regions))):
            if regions[other] == regions[document] and (not count or found[count - 1] < other):
                found[count] = other
                count += 1
    return found[:count]


@compiled
def having(candidates: Array, documents: Array, regions: Array) -> Array:
    """Those candidates that are among the documents, or beside one of them with text running between."""
    found = np.empty(len(candidates), np.int64)
    count, at = 0, 0
    for i in range(len(candidates)):
        candidate = candidates[i]
        at = _onward(documents, candidate - 1, at)
        for k in range(at, min(at + 3, len(documents))):
            if documents[k] > candidate + 1:
                break
            if regions[documents[k]] == regions[candidate]:
                found[count] = candidate
                count += 1
                break
    return found[:count]


# Ranking and counting


@compiled
def postings(lows: Array, low_counts: Array, offsets: Array, heavy_rows: Array, heavy_counts: Array, bits: Integer) -> tuple[Array, Array]:
    """Documents of one letter and how often each has it. `offsets`: where each block of 2 ** `bits` documents begins and ends in `lows`;
    counts that do not fit into their byte stand among the `heavy`."""
    first, last = np.int64(offsets[0]), np.int64(offsets[len(offsets) - 1])
    documents, counts = np.empty(last - first, np.int64), np.empty(last - first, np.int32)
    for block in range(len(offsets) - 1):
        base = block << bits
        for i in range(np.int64(offsets[block]), np.int64(offsets[block + 1])):
            documents[i - first] = base + np.int64(lows[i])
            counts[i - first] = low_counts[i]
    at = _lower(heavy_rows, first, 0, len(heavy_rows))
    while at < len(heavy_rows) and np.int64(heavy_rows[at]) < last:
        counts[np.int64(heavy_rows[at]) - first] = heavy_counts[at]
        at += 1
    return documents, counts


@compiled
def added(documents: Array, counts: Array, others: Array, other_counts: Array) -> tuple[Array, Array]:
    """Two lists of documents with counts as one."""
    size = len(documents) + len(others)
    found, sums, count, i, j = np.empty(size, np.int64), np.empty(size, np.int32), 0, 0, 0
    while i < len(documents) or j < len(others):
        if j == len(others) or (i < len(documents) and documents[i] < others[j]):
            found[count], sums[count] = documents[i], counts[i]
            i += 1
        else:
            found[count], sums[count] = others[j], other_counts[j]
            if i < len(documents) and documents[i] == others[j]:
                sums[count] += counts[i]
                i += 1
            j += 1
        count += 1
    return found[:count], sums[:count]


@compiled
def counts_at(documents: Array, found_in: Array, counts: Array) -> Array:
    """For each document its count, 0 when it is not among `found_in`."""
    aligned = np.zeros(len(documents), np.int32)
    at = 0
    for i in range(len(documents)):
        at = _onward(found_in, documents[i], at)
        if at == len(found_in):
            break
        if found_in[at] == documents[i]:
            aligned[i] = counts[at]
            at += 1
    return aligned


@compiled
def weigh(
    documents: Array,
    lengths: Array,
    mean: float,
    weight: float,
    found_in: Array,
    counts: Array,
    typed: Array,
    scores: Array,
    present: Array,
    in_form: Array,
) -> None:
    """Add one string to what is known of each document: BM25 to `scores`, one to `present` where it stands, to `in_form` where as typed."""
    factor, heavy, least = np.float32(0.9 / mean), np.float32(weight), np.float32(0.3)
    at = 0
    for i in range(len(documents)):
        document = documents[i]
        at = _onward(found_in, document, at)
        if at == len(found_in):
            break
        if found_in[at] == document:
            count = np.float32(counts[at])
            scores[i] += heavy * count / (count + (np.float32(lengths[document]) * factor + least))
            present[i] += 1
            in_form[i] += typed[at] > 0
            at += 1


@compiled
def scored(scores: Array, present: Array, in_form: Array, most: Integer, strings: Integer) -> None:
    """BM25 squeezed below 1, and 1 for the documents with `most` of the strings, and the share of the strings in the very form typed."""
    for i in range(len(scores)):
        score = scores[i]
        score = score / (score + np.float32(10.0)) + np.float32(in_form[i]) / np.float32(strings)
        scores[i] = score + np.float32(1.0) if present[i] >= most else score


@compiled
def lowest(values: Array, count: Integer) -> Array:
    """Indices of the `count` lowest values, lowest first; of equal ones the first."""
    room = min(count, len(values))
    heap = np.empty(room, np.int64)  # the last of the chosen on top
    if not room:
        return heap
    for i in range(len(values)):
        if i < room:
            at = i
            while at:
                parent = (at - 1) >> 1
                if not _before(values, heap[parent], i):
                    break
                heap[at] = heap[parent]
                at = parent
            heap[at] = i
        elif values[i] < values[heap[0]]:
            _sink(heap, room, i, values)
    ordered = np.empty(room, np.int64)
    for left in range(room, 0, -1):
        ordered[left - 1] = heap[0]
        _sink(heap, left - 1, heap[left - 1], values)
    return ordered


@compiled
def _before(values: Array, one: Integer, other: Integer) -> Any:
    return values[one] < values[other] or (values[one] == values[other] and one < other)


@compiled
def _sink(heap: Array, size: Integer, entry: Integer, values: Array) -> None:
    """Put `entry` where the top was, and the order right again."""
    if not size:
        return
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _before(values, heap[child], heap[child + 1]):
            child += 1
        if not _before(values, entry, heap[child]):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = entry


@compiled
def kept(documents: Array, counts: Array, typed: Array, keep: Array) -> tuple[Array, Array, Array]:
    """Those rows of three columns whose document is to be kept, by a table of all documents."""
    some, many, same = np.empty(len(documents), np.int64), np.empty(len(documents), np.int32), np.empty(len(documents), np.int32)
    count = 0
    for i in range(len(documents)):
        some[count], many[count], same[count] = documents[i], counts[i], typed[i]
        count += keep[documents[i]]
    return some[:count], many[:count], same[:count]


@compiled
def rows_among(documents: Array, others: Array) -> Array:
    """Indices of the documents that are among the others."""
    found = np.empty(min(len(documents), len(others)), np.int64)
    count, at, i = 0, 0, 0
    while i < len(documents) and at < len(others):
        if documents[i] == others[at]:
            found[count] = i
            count, i, at = count + 1, i + 1, at + 1
        elif documents[i] < others[at]:
            i = _onward(documents, others[at], i)
        else:
            at = _onward(others, documents[i], at)
    return found[:count]


@compiled
def mark(found: Array, numbers: Array, codes: Array, begins: Array, documents: Array) -> None:
    """Make `found` True for the number of the code of each document. `begins`: where runs of documents with one code begin, ascending."""
    i, run = 0, 0
    while i < len(documents):
        document = documents[i]
        found[numbers[codes[document]]] = True
        run = _onward(begins, document + 1, run)
        if run == len(begins):
            break
        i = _onward(documents, begins[run], i)


@compiled
def tally(codes: Array, documents: Array, size: Integer) -> Array:
    """How many of the documents have each code below `size`."""
    counts = np.zeros(size, np.int64)
    for i in range(len(documents)):
        counts[codes[documents[i]]] += 1
    return counts
