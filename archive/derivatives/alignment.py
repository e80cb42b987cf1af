"""Puts a text that somebody typed onto the lines that a machine found on the page image: global alignment of characters, then places of cells.

What the machine read is evidence only; the text stays as it is. Both are laid out in reading order (columns from the right, of a small note the right
sub-column before the left one) and aligned by dynamic programming, so that columns the machine missed, split or read as one, margins it read
too, and lines of text that run over two columns cost no more than themselves. A line of which too little agrees gets no box: none is better
than a wrong one.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from archive.derivatives import reading_order
from archive.model.placing import MAIN, Box, Sign, begins_inside, ends_inside, half, merged, signs, spread

Fold = Callable[[str], str]

LEAST_OF_LINE = 0.34
"""Share of a line's characters that must agree with what was read in its place."""
LEAST_OF_PAGE = 0.25
"""Share of a page's characters that must agree, or the text belongs to another image."""
_MATCH, _OTHER, _BREAK, _IMPOSSIBLE = 1.0, -0.15, 0.5, -9.0
_TEXT_SKIPPED, _READ_SKIPPED, _BREAK_SKIPPED = -0.2, -0.1, -0.05
"""Scores of the alignment. What was read may be a margin, so passing over it costs less than passing over text."""
_BREAK_CODE = 0
_NEAR_GAP, _NEAR_END = 0.3, 0.75
"""How near, in characters, a gap of ink or the end of a column must be to be taken for the edge of a character."""

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line on the image: its box, what was read, one box for each character read, and the gaps of ink along it (start, end in pixels)."""

    box: Box
    text: str = ""
    score: float = 0.0
    cells: tuple[Box, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A line of text on the image: its box, the share of its characters that agree, and a box (or None) for each code point."""

    box: Box
    confidence: float
    cells: tuple[Box | None, ...]


@dataclass(frozen=True, slots=True)
class _Track:
    """A column or sub-column (or row) of the image: x and width across, y and height along the text. `column` numbers the columns in reading order."""

    box: Box
    text: str
    centres: tuple[float, ...]
    gaps: tuple[tuple[int, int], ...]
    column: int

    @property
    def end(self) -> int:
        return self.box[1] + self.box[3]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was found, as tracks in reading order; `across` True when the text runs in rows, whose boxes are then turned over."""

    tracks: tuple[_Track, ...]
    across: bool


@dataclass(slots=True)
class _Cell:
    """A sign of the text on its way to a place. `sure`: what was read there agrees."""

    line: int
    sign: Sign
    code: int
    track: _Track | None = None
    centre: float = 0.0
    sure: bool = False
    box: Box | None = None


def place(lines: Sequence[str], found: Sequence[FoundLine], fold: Fold, *, notes: bool) -> tuple[Placed | None, ...]:
    """For each line of a page's text where it stands on the image, None where that is not sure enough.

    `fold` makes alike what is written differently (繁简, 异体), character by character; it keeps the length of what it is given.
    """
    best: tuple[int, list[_Cell], _Reading] | None = None
    for reading in _readings(found):
        cells = _cells(lines, fold, notes=notes and not reading.across)
        agreed = _align(cells, reading, fold)
        if best is None or agreed > best[0]:
            best = agreed, cells, reading
    if best is None or best[0] < max(1, LEAST_OF_PAGE * sum(cell.sign.ink for cell in best[1])):
        return (None,) * len(lines)
    _agreed, cells, reading = best
    _settle(cells)
    by_line: dict[int, list[_Cell]] = {}
    for cell in cells:
        by_line.setdefault(cell.line, []).append(cell)
    return tuple(_placed(text, by_line.get(number, []), reading.across) for number, text in enumerate(lines))


def _placed(text: str, cells: list[_Cell], across: bool) -> Placed | None:
    printed = [cell for cell in cells if cell.sign.ink]
    boxes = [cell.box for cell in printed if cell.box is not None]
    confidence = sum(cell.sure for cell in printed) / len(printed) if printed else 0.0
    if not boxes or confidence < LEAST_OF_LINE:
        return None
    turn = _turned if across else _unturned
    known = spread(len(text), (cell.sign for cell in cells), (turn(cell.box) if cell.box else None for cell in cells))
    return Placed(turn(merged(boxes)), round(confidence, 3), known)


def _unturned(box: Box) -> Box:
    return box


def _turned(box: Box) -> Box:
    x, y, width, height = box
    return y, x, height, width


# What was found, in reading order


def _readings(found: Sequence[FoundLine]) -> Iterator[_Reading]:
    boxes = [line.box for line in found]
    if not boxes:
        return
    across = not reading_order.is_vertical(boxes)
    yield _Reading(_tracks([found[index] for index, _note in reading_order.in_order(boxes)], across), across)


def _tracks(found: Sequence[FoundLine], across: bool) -> tuple[_Track, ...]:
    """The lines as tracks; those that share most of their width with the one before stand in one column with it."""
    tracks: list[_Track] = []
    column, extent = -1, (0, 0)
    for line in found:
        x, y, width, height = _turned(line.box) if across else line.box
        shared = min(x + width, extent[1]) - max(x, extent[0])
        if column < 0 or shared < 0.5 * min(width, extent[1] - extent[0]):
            column, extent = column + 1, (x, x + width)
        else:
            extent = min(x, extent[0]), max(x + width, extent[1])
        axis = 0 if across else 1
        centres = tuple(cell[axis] + cell[axis + 2] / 2 for cell in line.cells)
        tracks.append(_Track((x, y, width, height), line.text, centres, line.gaps, column))
    return tuple(tracks)


# Which character is which


def _cells(lines: Sequence[str], fold: Fold, *, notes: bool) -> list[_Cell]:
    """The signs of all lines in the order in which they are read."""
    cells: list[_Cell] = []
    inside = False
    for number, text in enumerate(lines):
        for sign in signs(text, notes=notes, inside=inside or (notes and begins_inside(text))):
            written = text[sign.start : sign.end]
            cells.append(_Cell(number, sign, ord(fold(written)) if len(written) == 1 else -1))
        inside = notes and ends_inside(text, inside)
    return cells


def _align(cells: list[_Cell], reading: _Reading, fold: Fold) -> int:
    """Give each cell the track and centre of the character that was read for it, where there is one; how many agree."""
    wanted: list[_Cell | None] = []
    for cell in cells:
        if wanted and wanted[-1] is not None and wanted[-1].line != cell.line:
            wanted.append(None)
        if cell.sign.ink:
            wanted.append(cell)
    read: list[tuple[_Track, int] | None] = []
    for track in reading.tracks:
        if read and read[-1] is not None and read[-1][0].column != track.column:
            read.append(None)
        read += [(track, index) for index in range(min(len(track.text), len(track.centres)))]
    folded = {id(track): fold(track.text) for track in reading.tracks}
    pairs = _pairs(
        np.array([cell.code if cell else _BREAK_CODE for cell in wanted], dtype=np.int64),
        np.array([ord(folded[id(at[0])][at[1]]) if at else _BREAK_CODE for at in read], dtype=np.int64),
    )
    for i, j in pairs:
        one, at = wanted[i], read[j]
        if one is not None and at is not None:
            one.track, one.centre = at[0], at[0].centres[at[1]]
            one.sure = one.code == ord(folded[id(at[0])][at[1]])
    _drop_strays(cells)
    return sum(cell.sure for cell in cells)


def _pairs(text: Codes, read: Codes) -> list[tuple[int, int]]:
    """Places (in the text, in what was read) that belong together, in order: the alignment of the highest score."""
    breaks_text, breaks_read = text == _BREAK_CODE, read == _BREAK_CODE
    skip_text = np.where(breaks_text, _BREAK_SKIPPED, _TEXT_SKIPPED)
    passed = np.concatenate(([0.0], np.cumsum(np.where(breaks_read, _BREAK_SKIPPED, _READ_SKIPPED))))
    scores = np.empty((len(text) + 1, len(read) + 1))
    scores[0] = passed
    for i in range(len(text)):
        along = scores[i, :-1] + _substitution(int(text[i]), read, breaks_read)
        row = np.concatenate(([scores[i, 0] + skip_text[i]], np.maximum(along, scores[i, 1:] + skip_text[i])))
        scores[i + 1] = np.maximum.accumulate(row - passed) + passed
    pairs = []
    i, j = len(text), len(read)
    while i and j:
        here = scores[i, j]
        if here - 1e-9 <= scores[i - 1, j - 1] + _substitution(int(text[i - 1]), read[j - 1 : j], breaks_read[j - 1 : j])[0]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif here - 1e-9 <= scores[i - 1, j] + skip_text[i - 1]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _substitution(code: int, read: Codes, breaks_read: Flags) -> Scores:
    """The score of setting a character of the text against each of those read; the end of a line goes with the end of a column only."""
    if code == _BREAK_CODE:
        return np.where(breaks_read, _BREAK, _IMPOSSIBLE)
    return np.where(breaks_read, _IMPOSSIBLE, np.where(read == code, _MATCH, _OTHER))


def _drop_strays(cells: list[_Cell]) -> None:
    """Forget what stands alone: one character of a line that agrees with something in a column where nothing else of the line is."""
    columns = Counter((cell.line, cell.track.column) for cell in cells if cell.track and cell.sure)
    tracks = Counter((cell.line, id(cell.track)) for cell in cells if cell.track and cell.sure)
    printed = Counter(cell.line for cell in cells if cell.sign.ink)
    for cell in cells:
        if cell.track is not None:
            here = columns[cell.line, cell.track.column]
            if (here < 2 and printed[cell.line] > 3) or not tracks[cell.line, id(cell.track)]:
                cell.track, cell.sure = None, False


# Where the others are


def _settle(cells: list[_Cell]) -> None:
    """Place the cells that nothing was read for between and beside those that are placed, then draw the boxes of all."""
    stretches = _stretches(cells)
    pitches = {id(track): pitch for track, pitch in _pitches(cells)}
    usual = statistics.median(pitches.values()) if pitches else 0.0
    for stretch in stretches:
        _fill(stretch, lambda track: pitches.get(id(track)) or usual or track.box[2])
    _fill_beside(stretches)
    wide = statistics.median([c.track.box[2] for c in cells if c.track and c.sign.track == MAIN] or [0])
    for stretch in stretches:
        _draw(stretch, lambda track: pitches.get(id(track)) or usual or track.box[2], wide)


def _stretches(cells: list[_Cell]) -> list[list[_Cell]]:
    """Runs of main text and sub-columns of notes, each of one line."""
    runs: list[list[_Cell]] = []
    for cell in cells:
        last = runs[-1][-1] if runs else None
        if last and (last.line, last.sign.note, last.sign.track) == (cell.line, cell.sign.note, cell.sign.track):
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return runs


def _pitches(cells: list[_Cell]) -> Iterator[tuple[_Track, float]]:
    """How far the characters of each track are apart."""
    steps: dict[int, list[float]] = {}
    known: dict[int, _Track] = {}
    for first, second in pairwise(cells):
        if first.track is not None and first.track is second.track and second.centre > first.centre:
            steps.setdefault(id(first.track), []).append(second.centre - first.centre)
            known[id(first.track)] = first.track
    for key, found in steps.items():
        yield known[key], statistics.fmean(found)


def _fill(stretch: list[_Cell], pitch: Callable[[_Track], float]) -> None:
    """Centres between those known; at the ends as far as the track reaches and a character more."""
    known = [index for index, cell in enumerate(stretch) if cell.track is not None]
    if not known:
        return
    for first, second in pairwise(known):
        _fill_between(stretch, first, second, pitch)
    for index in range(known[0] - 1, -1, -1):
        _step(stretch, index, index + 1, -1.0, pitch)
    for index in range(known[-1] + 1, len(stretch)):
        _step(stretch, index, index - 1, 1.0, pitch)


def _step(stretch: list[_Cell], index: int, beside: int, direction: float, pitch: Callable[[_Track], float]) -> None:
    """Place a cell one pitch from the one beside it; nowhere when that is beyond its track."""
    track = stretch[beside].track
    if track is None:
        return
    centre = stretch[beside].centre + direction * pitch(track)
    if track.box[1] - pitch(track) < centre < track.end + pitch(track):
        stretch[index].track, stretch[index].centre = track, centre


def _fill_between(stretch: list[_Cell], first: int, second: int, pitch: Callable[[_Track], float]) -> None:
    before, after = stretch[first], stretch[second]
    if before.track is after.track:
        for index in range(first + 1, second):
            share = (index - first) / (second - first)
            stretch[index].track, stretch[index].centre = before.track, before.centre + share * (after.centre - before.centre)
        return
    assert before.track is not None
    room = max(0, round((before.track.end - before.centre) / pitch(before.track) - 0.5))
    turn = min(second, first + 1 + room)
    for index in range(first + 1, turn):
        _step(stretch, index, index - 1, 1.0, pitch)
    for index in range(second - 1, turn - 1, -1):
        _step(stretch, index, index + 1, -1.0, pitch)


def _fill_beside(stretches: list[list[_Cell]]) -> None:
    """A sub-column of a note of which nothing was read stands beside the other one, row by row."""
    for first, second in pairwise(stretches):
        same = first[0].line == second[0].line and first[0].sign.note is not None and first[0].sign.note == second[0].sign.note
        if not same:
            continue
        for known, unknown, side in ((first, second, -1), (second, first, 1)):
            if any(c.track for c in unknown):
                continue
            for cell, beside in zip(unknown, known, strict=False):
                if beside.track is not None:
                    x, y, width, height = beside.track.box
                    cell.track, cell.centre = replace(beside.track, box=(x + side * width, y, width, height)), beside.centre


# The boxes


def _draw(stretch: list[_Cell], pitch: Callable[[_Track], float], wide: float) -> None:
    """Boxes from the middle between two centres to the next such middle, moved to the gap of ink that is nearest."""
    for index, cell in enumerate(stretch):
        track = cell.track
        if track is None:
            continue
        before = stretch[index - 1] if index else None
        after = stretch[index + 1] if index + 1 < len(stretch) else None
        top, bottom = _top(before, cell, track, pitch(track)), _bottom(cell, after, track, pitch(track))
        x, _y, width, _height = track.box
        box = x, round(top), width, max(1, round(bottom) - round(top))
        cell.box = half(box, cell.sign.track) if cell.sign.track != MAIN and width > 0.75 * wide else box


def _top(before: _Cell | None, cell: _Cell, track: _Track, pitch: float) -> float:
    """Where a character begins: half-way from the one above, or where the ink of its track begins."""
    if before is not None and before.track is not None and before.track.box == track.box:
        return _gap(track, (before.centre + cell.centre) / 2, pitch)
    top = cell.centre - pitch / 2
    return track.box[1] if abs(top - track.box[1]) < _NEAR_END * pitch else _gap(track, top, pitch)


def _bottom(cell: _Cell, after: _Cell | None, track: _Track, pitch: float) -> float:
    """Where a character ends: half-way to the one below, or where the ink of its track ends."""
    if after is not None and after.track is not None and after.track.box == track.box:
        return _gap(track, (cell.centre + after.centre) / 2, pitch)
    bottom = cell.centre + pitch / 2
    return track.end if abs(bottom - track.end) < _NEAR_END * pitch else _gap(track, bottom, pitch)


def _gap(track: _Track, at: float, pitch: float) -> float:
    """The gap of ink that is nearest, when one is near."""
    middles = ((start + end) / 2 for start, end in track.gaps)
    nearest = min(middles, key=lambda middle: abs(middle - at), default=at)
    return nearest if abs(nearest - at) < _NEAR_GAP * pitch else at
