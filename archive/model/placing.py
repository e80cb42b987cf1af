"""Where each character of a line stands on its page image: boxes of code points, and the boxes to draw around a stretch of text.

Pixels are those of the upright page image as the page shows it. A line knows its own box; some know a box for each code point
(`TextLine.cells`). For the others the box is divided evenly: on woodblock pages that puts 99 of 100 characters inside their box (2026-11), for
a column has as many cells as characters and small notes mostly keep the pitch of the main text (小字雙行同).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archive.model.item import TextLine

Box = tuple[int, int, int, int]
"""x, y, width, height."""

MAIN, RIGHT, LEFT = "main", "right", "left"

_ARITY = {"\u2ff2": 3, "\u2ff3": 3, "\u2ffe": 1, "\u2fff": 1}
_GLYPH = re.compile(r"&KR[0-9]{1,6};|\[[^\[\]\sA-Za-z0-9，。、；：]{2,40}\]")
_COMPOSED = re.compile(r"[-*@+/]")
_OPENING, _CLOSING, _HEADING = "(（", ")）", "︹︺"


@dataclass(frozen=True, slots=True)
class Sign:
    """What takes one cell of a line: code points `start` to before `end`, in the main text or a sub-column of note `note` (from 0).

    `ink` False for a blank that the donor typed to move what follows down.
    """

    start: int
    end: int
    track: str = MAIN
    note: int | None = None
    ink: bool = True


def character_boxes(line: TextLine, *, notes: bool) -> tuple[Box | None, ...]:
    """One box for each code point of `line.text`; None where nothing is known, and for what has no place in print: brackets of notes, punctuation.

    `notes`: brackets hold small notes, `(right/left)`, as in profiles with `notes_layout`.
    """
    return _boxes(line, notes, begins_inside(line.text) if notes else False)


def regions(lines: Sequence[TextLine], start: int, end: int, *, notes: bool) -> tuple[Box, ...]:
    """The boxes to draw around code points `start` to before `end` of the page's text: one for each run in a column or sub-column, in reading order."""
    drawn: list[Box] = []
    at, inside = 0, False
    for line in lines:
        first, last = max(start - at, 0), min(end - at, len(line.text))
        if first < last:
            known = _boxes(line, notes, inside or (notes and begins_inside(line.text)))
            drawn += _runs(known[first:last])
        if notes:
            inside = ends_inside(line.text, inside)
        at += len(line.text) + 1
    return tuple(drawn)


def is_vertical(box: Box) -> bool:
    """A line is a column when its box is taller than wide."""
    return box[3] > box[2]


def signs(text: str, *, notes: bool, inside: bool = False) -> tuple[Sign, ...]:
    """The cells of one column as they are read: main text, and of each note the right sub-column before the left one.

    `inside`: the line begins within a note that an earlier line opened. A note without a slash was typed as it is read: its first half stands
    right. What follows a second slash goes on in the left sub-column. Blanks at both ends of the line are left out, punctuation everywhere.
    """
    found: list[Sign] = []
    for number, (stretch, noted) in enumerate(_stretches(text, notes, inside)):
        found += _note(stretch, text, number) if noted else [Sign(s, e, ink=not text[s].isspace()) for s, e in stretch]
    return tuple(_without_margins(found))


def rows(cells: Sequence[Sign]) -> tuple[float, ...]:
    """For each sign how many cells lie above it in its column; sub-columns of a note begin at the same height."""
    above, top, found = 0.0, 0.0, []
    note: int | None = None
    depth = {RIGHT: 0.0, LEFT: 0.0}
    for cell in cells:
        if cell.note != note:
            top, note, depth = above, cell.note, {RIGHT: 0.0, LEFT: 0.0}
        if cell.note is None:
            found.append(above)
            above += 1
        else:
            found.append(top + depth[cell.track])
            depth[cell.track] += 1
            above = max(above, top + depth[cell.track])
    return tuple(found)


def spread(line_length: int, cells: Iterable[Sign], boxes: Iterable[Box | None]) -> tuple[Box | None, ...]:
    """Boxes of signs as boxes of code points; every code point of a composed glyph has the box of the glyph."""
    known: list[Box | None] = [None] * line_length
    for cell, box in zip(cells, boxes, strict=True):
        known[cell.start : cell.end] = [box if cell.ink else None] * (cell.end - cell.start)
    return tuple(known)


def half(box: Box, track: str) -> Box:
    """The sub-column of a column's box that a track takes."""
    x, y, width, height = box
    middle = width // 2
    if track == MAIN or width < 2:
        return box
    return (x + middle, y, width - middle, height) if track == RIGHT else (x, y, middle, height)


def merged(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; raises ValueError when there are none."""
    given = list(boxes)
    left, top = min(b[0] for b in given), min(b[1] for b in given)
    return left, top, max(b[0] + b[2] for b in given) - left, max(b[1] + b[3] for b in given) - top


def _boxes(line: TextLine, notes: bool, inside: bool) -> tuple[Box | None, ...]:
    if line.cells and len(line.cells) == len(line.text):
        return line.cells
    if line.box is None:
        return (None,) * len(line.text)
    return _divided_down(line, line.box, notes, inside) if is_vertical(line.box) else _divided_across(line.text, line.box)


def _divided_down(line: TextLine, box: Box, notes: bool, inside: bool) -> tuple[Box | None, ...]:
    """A column divided evenly; where only punctuation and blanks stand, nothing is known."""
    cells = signs(line.text, notes=notes, inside=inside)
    above = rows(cells)
    total = max(above, default=0.0) + 1
    x, y, width, height = box
    boxes = []
    for cell, row in zip(cells, above, strict=True):
        top, bottom = round(y + height * row / total), round(y + height * (row + 1) / total)
        boxes.append(half((x, top, width, max(1, bottom - top)), cell.track))
    return spread(len(line.text), cells, boxes)


def _divided_across(text: str, box: Box) -> tuple[Box | None, ...]:
    """A row divided by the width of its characters: narrow letters and digits take half of what an ideograph takes."""
    inner = text.strip()
    begin = text.index(inner) if inner else 0
    widths = [0.0] * begin + [_width(sign) for sign in inner] + [0.0] * (len(text) - begin - len(inner))
    total, passed = sum(widths), 0.0
    x, y, width, height = box
    boxes: list[Box | None] = []
    for sign, share in zip(text, widths, strict=True):
        left, right = round(x + width * passed / total) if total else x, round(x + width * (passed + share) / total) if total else x
        boxes.append((left, y, max(1, right - left), height) if share and not sign.isspace() else None)
        passed += share
    return tuple(boxes)


def _width(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(sign) in "WFA" else 0.5


def _runs(boxes: Iterable[Box | None]) -> list[Box]:
    """Boxes that stand in one column or sub-column (or row) one after the other, as one."""
    found: list[Box] = []
    last: Box | None = None
    for box in boxes:
        if box is None:
            continue
        if last is not None and _goes_on(last, box):
            found[-1] = merged((found[-1], box))
        else:
            found.append(box)
        last = box
    return found


def _goes_on(box: Box, following: Box) -> bool:
    """True when the next character stands below in as wide a column, or beside in as high a row."""
    return any(
        _overlap(box[axis], box[axis + 2], following[axis], following[axis + 2]) > 0.6
        and following[1 - axis] + following[3 - axis] >= box[1 - axis] + box[3 - axis]
        for axis in (0, 1)
    )


def _overlap(start: int, length: int, other: int, other_length: int) -> float:
    """What two spans have in common, as a share of the longer."""
    return (min(start + length, other + other_length) - max(start, other)) / max(length, other_length, 1)


def _stretches(text: str, notes: bool, inside: bool) -> Iterator[tuple[list[tuple[int, int]], bool]]:
    """Cells (start, end) of main text and of notes in turn, True for a note; a slash in a note is kept for `_note` to find."""
    cells: list[tuple[int, int]] = []
    for start, end in _cells(text):
        sign = text[start]
        if notes and end - start == 1 and sign in _OPENING + _CLOSING:
            yield cells, inside
            cells, inside = [], sign in _OPENING
        elif end - start > 1 or sign.isspace() or _is_printed(sign) or (inside and sign in "/／"):
            cells.append((start, end))
    yield cells, inside


def _note(cells: list[tuple[int, int]], text: str, number: int) -> list[Sign]:
    slash = next((i for i, (start, _end) in enumerate(cells) if text[start] in "/／"), None)
    printed = [[c for c in part if text[c[0]] not in "/／"] for part in (cells[:slash], cells[slash:] if slash is not None else [])]
    if slash is None:
        printed = [printed[0][: -(-len(printed[0]) // 2)], printed[0][-(-len(printed[0]) // 2) :]]
    right, left = printed
    if not right and not left:
        return []
    return [
        Sign(start, end, track, number, ink=not text[start].isspace())
        for track, part in ((RIGHT, right), (LEFT, left))
        for start, end in part
    ]


def _without_margins(found: list[Sign]) -> list[Sign]:
    """Blank main cells at the ends go: a line's box begins and ends with ink."""
    begin, end = 0, len(found)
    while begin < end and not found[begin].ink and found[begin].note is None:
        begin += 1
    while end > begin and not found[end - 1].ink and found[end - 1].note is None:
        end -= 1
    return found[begin:end]


def _cells(text: str) -> Iterator[tuple[int, int]]:
    """Every code point, those that together are one glyph (`&KR1234;`, `[車*犬]`, an ideographic description) as one."""
    at = 0
    while at < len(text):
        end = _glyph_end(text, at)
        while end < len(text) and (
            unicodedata.combining(text[end]) or "\ufe00" <= text[end] <= "\ufe0f" or "\U000e0100" <= text[end] <= "\U000e01ef"
        ):
            end += 1
        yield at, end
        at = end


def _glyph_end(text: str, at: int) -> int:
    sign = text[at]
    if sign in "&[":
        match = _GLYPH.match(text, at)
        return match.end() if match and (sign == "&" or _COMPOSED.search(match[0], 1)) else at + 1
    if "\u2ff0" <= sign <= "\u2fff":
        wanted, end = 1, at
        while wanted and end < len(text) and end - at < 32 and not text[end].isspace():
            wanted += (_ARITY.get(text[end], 2) if "\u2ff0" <= text[end] <= "\u2fff" else 0) - 1
            end += 1
        return end if not wanted else at + 1
    return at + 1


def _is_printed(sign: str) -> bool:
    """Punctuation is the donor's, not the page's: woodblock columns give it no cell of its own; nor control signs and marks of headings."""
    return unicodedata.category(sign)[0] not in "PCM" and sign not in _HEADING


def begins_inside(text: str) -> bool:
    """True when the first bracket of a line closes a note."""
    return next((sign in _CLOSING for sign in text if sign in _OPENING + _CLOSING), False)


def ends_inside(text: str, inside: bool) -> bool:
    """True when a note is open at the end of a line; `inside`: one was open at its beginning."""
    return next((sign in _OPENING for sign in reversed(text) if sign in _OPENING + _CLOSING), inside)
