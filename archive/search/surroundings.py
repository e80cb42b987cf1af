"""What stands around places in the text of a segment, for many places at once: as strings to be read, and as numbers to sort by.

Nothing is told from beyond what one reader may see: a wall, a missing leaf or a hidden one ends the text on that side.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archive.search.arrays import Array
from archive.search.base import TEXT_END
from archive.search.chinese import WALL, Located, locate
from archive.search.evaluation import View
from archive.search.segment_facts import Facts
from archive.search.segment_text import Occurrences

WIDTH = 24
"""Characters shown on each side."""
LONGEST = 120
"""Characters shown of an occurrence: one with `*` may run on."""
_OPEN, _CLOSE, _END, _LINE = (ord(char) for char in f"（）{TEXT_END}\n")
_ELISION = np.array([ord(char) for char in "（…）"], np.uint32)
_GLYPHS = re.compile("[\U00040000-\U000dffff]")
_LAST_KR = 0x80000
_ROOM = 3 * WIDTH
"""Most code points of a context as written: punctuation has no bound of its own."""
_BREAK = re.compile(r"(?<=([A-Za-z0-9,.;:]))?[ \t\u3000]*\n[\s\u3000]*(?=([A-Za-z0-9]))?")
_SPACE = re.compile(r"[\s\u3000]+")


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


def around(spots: Spots, width: int = WIDTH) -> tuple[list[str], list[str]]:
    """What stands before and after each occurrence: characters, small notes in brackets, the end of the text marked."""
    low, high = spots.limits()
    starts, ends = spots.found.starts.astype(np.int64), spots.found.ends.astype(np.int64)
    edge = np.zeros((len(starts), 1), np.uint32)
    before = _characters(spots.view, starts - width, width, low, high)
    _bracket(spots.view, before, starts - width, (np.maximum(starts - width, low), starts), (low, high), outer=0)
    left = np.hstack((np.where((starts - width < low)[:, None], _END, edge), before.reshape(len(starts), -1)))
    after = _characters(spots.view, ends, width, low, high)
    _bracket(spots.view, after, ends, (ends, np.minimum(ends + width, high)), (low, high), outer=1)
    right = np.hstack((after.reshape(len(starts), -1), np.where((ends + width > high)[:, None], _END, edge)))
    return strings(left), strings(right)


def _characters(view: View, begins: Array, width: int, low: Array, high: Array) -> Array:
    """Code points of `width` places from `begins` on, 0 beyond the limits: a row of (a note closes, a note opens, the character) and a last gap."""
    places = begins[:, None] + np.arange(width)
    inside = (places >= low[:, None]) & (places < high[:, None])
    cells = np.zeros((len(begins), width + 1, 3), np.uint32)
    cells[:, :width, 2] = np.where(inside, view.text.letters[view.text.codes[np.where(inside, places, 0)]], 0)
    return cells


def _bracket(view: View, cells: Array, begins: Array, spans: tuple[Array, Array], limits: tuple[Array, Array], outer: int) -> None:
    """Set the brackets of notes in the gaps of a span. At its outer gap (0 the first, 1 the last) only a bracket that faces the text shown.

    A note that comes from what the reader may not see, or goes on into it, begins and ends where the text does.
    """
    (first, last), (low, high) = spans, limits
    text = view.text
    rows, notes = _between(text.note_begins, text.note_ends, first, last)
    opens = np.maximum(text.note_begins[notes].astype(np.int64), low[rows])
    closes = np.minimum(text.note_ends[notes].astype(np.int64), high[rows])
    seen = closes > opens
    closing = seen & (closes >= first[rows] + (not outer)) & (closes <= last[rows])
    opening = seen & (opens >= first[rows]) & (opens <= last[rows] - outer)
    cells[rows[closing], (closes - begins[rows])[closing], 0] = _CLOSE
    cells[rows[opening], (opens - begins[rows])[opening], 1] = _OPEN


def _between(begins: Array, ends: Array, first: Array, last: Array) -> tuple[Array, Array]:
    """The notes that touch `first[i]` to `last[i]`: row `i` and number of the note, pair by pair."""
    low = np.searchsorted(ends, first.astype(ends.dtype), side="left")
    high = np.searchsorted(begins, last.astype(begins.dtype), side="right")
    counts = np.maximum(high - low, 0)
    rows = np.repeat(np.arange(len(first)), counts)
    notes = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) + low[rows]
    return rows, notes


def matches(spots: Spots) -> list[str]:
    """Each occurrence in the form written; a note that it was found over is left out and marked."""
    text = spots.view.text
    over = spots.found.over >= 0
    lengths = np.minimum(spots.lengths, LONGEST)
    width = int(lengths.max(initial=0))
    cells = np.zeros((len(spots), width, 1 + len(_ELISION)), np.uint32)
    for at in range(width):
        rows = np.flatnonzero(lengths > at)
        through = rows[~over[rows]]
        cells[through, at, 0] = text.letters[text.codes[spots.found.starts[through] + at]]
    _skipping(spots, np.flatnonzero(over), cells)
    return strings(cells.reshape(len(spots), -1))


def _skipping(spots: Spots, rows: Array, cells: Array) -> None:
    """Fill in the cells of occurrences that were found over notes."""
    text, over = spots.view.text, spots.found.over
    for at in range(cells.shape[1]):
        rows = rows[spots.lengths[rows] > at]
        if not len(rows):
            return
        cells[rows, at, 0] = text.letters[text.codes[text.through_of(over[rows] + at)]]
        if at:
            places = text.through_of(np.concatenate((over[rows] + at - 1, over[rows] + at))).reshape(2, -1)
            cells[rows[places[1] - places[0] > 1], at - 1, 1:] = _ELISION


def strings(points: Array) -> list[str]:
    """Each row of code points as a string, 0 left out."""
    if not len(points):
        return []
    lined = np.hstack((points, np.full((len(points), 1), _LINE, np.uint32))).ravel()
    whole = lined[lined != 0].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return _GLYPHS.sub(_glyph, whole).split("\n")[:-1]


def _glyph(match: re.Match[str]) -> str:
    """A character that stands for a glyph: by its number where it has one; a description is known only from the text itself."""
    number = ord(match[0])
    return f"&KR{number - 0x40000:04d};" if number < _LAST_KR else "〓"


class Quoted:
    """Contexts as they stand in the text, with punctuation; reads the stored text of each document it meets once."""

    def __init__(self, view: View, stored: Callable[[int], tuple[str, Facts]]) -> None:
        self.view, self.stored = view, stored
        self._read: dict[int, tuple[str, Located]] = {}

    def around(self, spots: Spots, width: int = WIDTH) -> tuple[list[str], list[str], list[str]]:
        """Before, the occurrence itself, after; a line each, line breaks and indentation left out."""
        low, high = spots.limits()
        short = matches(spots)
        left, middle, right = [], [], []
        places = zip(spots.found.starts.tolist(), spots.found.ends.tolist(), low.tolist(), high.tolist(), strict=True)
        for number, (start, end, first, last) in enumerate(places):
            before = _one_line(self._between(max(first, start - width), start, to_next=True))[-_ROOM:]
            after = _one_line(self._between(end, min(last, end + width), from_last=True))[:_ROOM]
            left.append(TEXT_END + before if start - width < first else before)
            right.append(after + TEXT_END if end + width > last else after)
            plain = spots.found.over[number] < 0 and end - start <= LONGEST
            middle.append(_one_line(self._between(start, end)) if plain else short[number])
        return left, middle, right

    def _between(self, first: int, last: int, *, to_next: bool = False, from_last: bool = False) -> str:
        """The text from one through position to before another, with the layout up to the next character, or from the one before."""
        if first >= last:
            return ""
        begin, end = self.view.text.documents_of(np.array([first - from_last, last - 1 + to_next])).tolist()
        parts = []
        for document in range(begin, end + 1):
            text, located = self._located(document)
            base = int(self.view.text.starts[document])
            at, until = max(first - base, 0), min(last - base, len(located.written))
            low = 0 if document > begin else _edge(located, at, 0, from_last)
            high = len(text) if document < end else _edge(located, until, len(text), not to_next)
            parts.append(text[low:high])
        return "\n".join(parts)

    def _located(self, document: int) -> tuple[str, Located]:
        if document not in self._read:
            text, facts = self.stored(document)
            begin = int(self.view.text.starts[document])
            beside = np.array([max(begin - 1, 0), begin])
            goes_on = facts.joins and facts.notes and self.view.text.note_state(beside)[1].all()
            self._read[document] = text, locate(text, facts.notes, int(goes_on))
        return self._read[document]


def _edge(located: Located, at: int, beyond: int, after: bool) -> int:
    """Where in a text the gap before character `at` is cut: `after` the character before it, else before this one; `beyond` where there is none."""
    if after:
        return located.ends[at - 1] if at else beyond
    return located.starts[at] if at < len(located.written) else beyond


def _one_line(text: str) -> str:
    """Line breaks with their indentation left out, other white space as one space; Latin words stay apart."""
    joined = _BREAK.sub(lambda match: " " if match[1] and match[2] else "", text)
    return _SPACE.sub(" ", joined.replace(WALL, " ")).strip()
