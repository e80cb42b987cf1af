"""What stands around places in the text of a segment, for many places at once: as strings to be read, and as numbers to sort by.

Nothing is told from beyond what one reader may see: a wall, a missing leaf or a hidden one ends the text on that side.
"""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass

import numpy as np

from archive.search.arrays import Array
from archive.search.base import TEXT_END
from archive.search.batch_reading import INSTEAD
from archive.search.evaluation import View
from archive.search.segment_text import Occurrences, SegmentText

WIDTH = 24
"""Characters shown on each side."""
LONGEST = 120
"""Characters shown of an occurrence: one with `*` may run on."""
_END, _LINE = ord(TEXT_END), ord("\n")
_ELISION = np.array([ord(char) for char in "（…）"], np.uint32)
_GLYPHS = re.compile("[\U00040000-\U000dffff]")
_LAST_KR = 0x80000
_SEVERAL = 0x110000
"""Beyond Unicode: a layout string of several signs, by its number."""
_LINE_BREAK = "\u2028"
_BREAK = re.compile(r"[ \t\u3000]*[\r\n\u2028][\s\u3000]*")
_LATIN_BREAK = re.compile("(?<=[A-Za-z0-9,.;:])\u2028(?=[A-Za-z0-9])")
_SPACE = re.compile(r"[^\S\u2028]+")


@dataclass(frozen=True, slots=True)
class Spots:
    """Occurrences in one segment for one reader. `lengths`: characters of each, notes that it was found over not counted."""

    view: View
    found: Occurrences
    lengths: Array
    documents: Array

    def __len__(self) -> int:
        return len(self.documents)

    def where(self, keep: Array) -> Spots:
        """Those of these indices, or for which `keep` is True."""
        return Spots(self.view, self.found.where(keep), self.lengths[keep], self.documents[keep])

    def limits(self) -> tuple[Array, Array]:
        """For each, where the text that the reader may see begins and ends around it (through positions)."""
        text, regions = self.view.text, self.view.regions
        region = regions[self.documents]
        low = text.starts[np.searchsorted(regions, region, side="left")].astype(np.int64)
        high = text.starts[np.searchsorted(regions, region, side="right")].astype(np.int64)
        wall = text.walls_before(self.found.starts)
        walls = np.concatenate(([-1], text.walls, [len(text.codes)])).astype(np.int64)
        return np.maximum(low, walls[wall] + 1), np.minimum(high, walls[wall + 1])


def nearest(spots: Spots, side: str, count: int, numbers: Array) -> Array:
    """The `count` characters before (`left`) or after each occurrence, nearest first, as numbers of code (0 beyond the text's end)."""
    text = spots.view.text
    low, high = spots.limits()
    steps = np.arange(count)
    places = spots.found.starts[:, None] - 1 - steps if side == "left" else spots.found.ends[:, None] + steps
    inside = (places >= low[:, None]) & (places < high[:, None])
    codes = text.codes[np.where(inside, places, 0)]
    found: Array = np.where(inside, numbers[codes], 0)
    return found


def lines(spots: Spots, width: int = WIDTH) -> tuple[list[str], list[str], list[str]]:
    """What stands before each occurrence, it itself and what stands after it, as written, the end of the text marked, without line breaks.

    Of an occurrence at most `LONGEST` characters are shown; a note that it was found over is left out and marked.
    """
    text = spots.view.text
    low, high = spots.limits()
    starts, ends = spots.found.starts.astype(np.int64), spots.found.ends.astype(np.int64)
    begin, until = np.maximum(starts - width, low), np.minimum(ends + width, high)
    layout = _Layout.of(text, begin, until)
    before = _window(text, layout, starts - width, width, begin, starts, (0, 1))
    before[:, -1, 2] = 0  # the occurrence itself
    before[np.flatnonzero(starts - width > low), 0, :2] = 0  # what stands after a character that is not shown
    after = _window(text, layout, ends, width, ends, until, (1, 0))
    after[np.flatnonzero(until < high), -1] = 0  # what stands before a character that is not shown
    edges = (np.where(short, _END, 0).astype(np.uint32)[:, None] for short in (starts - width < low, ends + width > high))
    left = np.hstack((next(edges), before.reshape(len(starts), -1)))
    right = np.hstack((after.reshape(len(starts), -1), next(edges)))
    return _strings(left, text), _matches(spots, layout), _strings(right, text)


def _matches(spots: Spots, layout: _Layout) -> list[str]:
    text = spots.view.text
    over = np.flatnonzero(spots.found.over >= 0)
    starts = spots.found.starts.astype(np.int64)
    lengths = np.minimum(np.where(spots.found.over >= 0, 0, spots.found.ends - starts), LONGEST)
    width = int(lengths.max(initial=0))
    cells = _window(text, layout, starts, width, starts, starts + lengths)
    cells[:, 0, :2] = 0
    cells[np.arange(len(starts)), lengths] = 0
    found = _strings(cells.reshape(len(starts), -1), text)
    if len(over):
        for row, string in zip(over.tolist(), _skipping(spots.where(over)), strict=True):
            found[row] = string
    return found


def _skipping(spots: Spots) -> list[str]:
    """Occurrences that were found over notes: characters alone, a sign for each note between."""
    text, over = spots.view.text, spots.found.over
    lengths = np.minimum(spots.lengths, LONGEST)
    cells = np.zeros((len(spots), int(lengths.max(initial=0)), 1 + len(_ELISION)), np.uint32)
    rows = np.arange(len(spots))
    for at in range(cells.shape[1]):
        rows = rows[lengths[rows] > at]
        places = text.through_of(np.concatenate((over[rows] + max(at - 1, 0), over[rows] + at))).reshape(2, -1)
        cells[rows, at, 0] = text.letters[text.codes[places[1]]]
        cells[rows[places[1] - places[0] > 1], at - 1, 1:] = _ELISION
    return _strings(cells.reshape(len(spots), -1), text)


@dataclass(frozen=True, slots=True)
class _Layout:
    """What stands between the characters of some documents: through places (ascending), numbers of strings, the document of each, and True
    for what stands after its last character, where the next document begins."""

    at: Array
    numbers: Array
    documents: Array
    tail: Array

    @classmethod
    def of(cls, text: SegmentText, first: Array, last: Array) -> _Layout:
        """Of every document that one of the stretches `first` to before `last` touches."""
        spans = text.documents_of(np.concatenate((first, last - 1))).reshape(2, -1)
        touched = np.zeros(text.documents, bool)
        for step in range(int((spans[1] - spans[0]).max(initial=0)) + 1):
            touched[np.minimum(spans[0] + step, spans[1])] = True
        documents = np.flatnonzero(touched)
        begin, end = (text.arrays["layout_starts"][documents + step].astype(np.int64) for step in (0, 1))
        counts = end - begin
        before = np.cumsum(counts) - counts
        events = np.arange(int(counts.sum())) + np.repeat(begin - before, counts)
        gaps = np.concatenate(([0], np.cumsum(text.arrays["layout_gaps"][events], dtype=np.int64)))
        starts = text.starts[documents].astype(np.int64)
        sizes = text.starts[documents + 1] - starts - text.walled[documents]
        inside = gaps[1:] - np.repeat(gaps[before], counts)
        tail = inside >= np.repeat(sizes, counts)
        numbers = text.arrays["layout_numbers"][events].astype(np.int64)
        return cls(inside + np.repeat(starts, counts), numbers, np.repeat(documents, counts), tail)


def _window(
    text: SegmentText, layout: _Layout, begins: Array, width: int, first: Array, last: Array, beside: tuple[int, int] = (0, 0)
) -> Array:
    """Code points of the characters `first` to before `last` in rows of `width` places from `begins` on, 0 elsewhere, with their layout.

    Three cells for each place, and once more for the gap after the last: what a leaf has after its last character, what stands before the
    character, and the character or what it was written as. Layout of several signs is a number beyond Unicode, for `_strings`. Layout comes
    from the documents that the characters shown lie in, and as many characters `beside` them (before, after).
    """
    places = begins[:, None] + np.arange(width)
    inside = (places >= first[:, None]) & (places < last[:, None])
    cells = np.zeros((len(begins), width + 1, 3), np.uint32)
    cells[:, :width, 2] = np.where(inside, text.letters[text.codes[np.where(inside, places, 0)]], 0)
    shown = np.flatnonzero(last > first)
    if not len(shown):
        return cells
    first, last = first[shown], last[shown]
    low = np.searchsorted(layout.at, first, side="left")
    counts = np.maximum(np.searchsorted(layout.at, last, side="right") - low, 0)
    events = np.arange(int(counts.sum())) + np.repeat(low - (np.cumsum(counts) - counts), counts)
    spans = text.documents_of(np.concatenate((first - beside[0], last - 1 + beside[1]))).reshape(2, -1)
    owners = layout.documents[events]
    own = np.flatnonzero((owners >= np.repeat(spans[0], counts)) & (owners <= np.repeat(spans[1], counts)))
    rows, events = np.repeat(shown, counts)[own], events[own]
    points, instead = _points_of(text)
    numbers = layout.numbers[events]
    slots = np.where(layout.tail[events], 0, np.where(instead[numbers], 2, 1))
    cells[rows, layout.at[events] - begins[rows], slots] = points[numbers]
    return cells


_KNOWN: weakref.WeakKeyDictionary[SegmentText, tuple[Array, Array]] = weakref.WeakKeyDictionary()


def _points_of(text: SegmentText) -> tuple[Array, Array]:
    """For each layout string of a segment its one code point, 0 when nothing of it is shown, beyond Unicode when it has several; and whether
    it is what a character was written as. Five bytes a string, made once."""
    if text not in _KNOWN:
        strings = [text.layout_string(number) for number in range(len(text.arrays["string_offsets"]) - 1)]
        shown = list(map(_shown, strings))
        points = [0 if not part else ord(part) if len(part) == 1 else _SEVERAL + number for number, part in enumerate(shown)]
        _KNOWN[text] = np.array(points, np.uint32), np.array([string[:1] == INSTEAD for string in strings], bool)
    return _KNOWN[text]


def _shown(string: str) -> str:
    """A layout string in one line: a line break with its indentation as a sign of its own, other white space as one space; never long."""
    shown = _SPACE.sub(" ", _BREAK.sub(_LINE_BREAK, string[1:]))
    return shown if string[:1] == INSTEAD else shown[:WIDTH]


def _strings(points: Array, text: SegmentText) -> list[str]:
    """Each row of code points as a string, 0 left out, layout of several signs in full, line breaks as nothing or, in Latin, as a space."""
    if not len(points):
        return []
    lined = np.hstack((points, np.full((len(points), 1), _LINE, np.uint32))).ravel()
    lined = lined[lined != 0]
    glyphs = bool(((lined >= 0x40000) & (lined < 0xE0000)).any())
    latin = bool(((lined >= ord("0")) & (lined <= ord("z"))).any())
    lined = _in_full(lined, text)
    whole = lined.astype("<u4", copy=False).tobytes().decode("utf-32-le", "surrogatepass")
    if latin:
        whole = _LATIN_BREAK.sub(" ", whole)
    whole = whole.replace(_LINE_BREAK, "")
    return (_GLYPHS.sub(_glyph, whole) if glyphs else whole).split("\n")[:-1]


def _in_full(points: Array, text: SegmentText) -> Array:
    """The code points with layout of several signs put in where its number stands."""
    several = np.flatnonzero(points >= _SEVERAL)
    if not len(several):
        return points
    numbers, which = np.unique(points[several], return_inverse=True)
    parts = [np.array(list(map(ord, _shown(text.layout_string(number - _SEVERAL)))), np.uint32) for number in numbers.tolist()]
    lengths = np.array(list(map(len, parts)))[which]
    signs, begins = np.concatenate(parts), np.cumsum([0, *map(len, parts)])[which]
    counts = np.ones(len(points), np.int64)
    counts[several] = lengths
    full = np.repeat(points, counts)
    at = several + np.cumsum(lengths - 1) - (lengths - 1)
    steps = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    full[np.repeat(at, lengths) + steps] = signs[np.repeat(begins, lengths) + steps]
    return full


def _glyph(match: re.Match[str]) -> str:
    """A character that stands for a glyph: by its number where it has one; a description is known only from the text itself."""
    number = ord(match[0])
    return f"&KR{number - 0x40000:04d};" if number < _LAST_KR else "〓"
