"""The order in which the lines of a page are read, from their boxes alone: columns right to left with registers and double notes, or rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

_REGISTER_LINES = 3
"""Lines that a part of a page must have to be a register of its own; a folio number below the text is none."""


def is_vertical(boxes: Sequence[Box]) -> bool:
    """True when tall boxes outweigh wide ones."""
    tall = sum(w * h for _x, _y, w, h in boxes if h > 1.5 * w)
    wide = sum(w * h for _x, _y, w, h in boxes if w > 1.5 * h)
    return tall > wide


def in_order(boxes: Sequence[Box]) -> list[tuple[int, bool]]:
    """Indices of `boxes` in reading order, each with True when it is one of two small columns side by side (a note)."""
    every = list(range(len(boxes)))
    if not is_vertical(boxes):
        return [(index, False) for index in _rows(boxes, every)]
    ordered = []
    for register in _registers(boxes, every):
        for column in _columns(boxes, register):
            ordered += _down(boxes, column)
    return ordered


def _registers(boxes: Sequence[Box], indices: list[int]) -> list[list[int]]:
    """Parts of the page above each other, parted by a horizontal cut that no box crosses and that both are as wide as the page."""
    parts = _cut(indices, lambda index: (boxes[index][1], boxes[index][1] + boxes[index][3]))
    width = _extent(boxes, indices)
    whole = [len(part) >= _REGISTER_LINES and _extent(boxes, part) >= 0.5 * width for part in parts]
    return parts if len(parts) > 1 and all(whole) else [indices]


def _extent(boxes: Sequence[Box], indices: list[int]) -> int:
    return max((boxes[i][0] + boxes[i][2] for i in indices), default=0) - min((boxes[i][0] for i in indices), default=0)


def _cut(indices: list[int], span: Callable[[int], tuple[int, int]]) -> list[list[int]]:
    """Groups of indices whose spans overlap one another, in the order of the spans."""
    groups: list[list[int]] = []
    end = 0
    for index in sorted(indices, key=span):
        start, stop = span(index)
        if groups and start < end:
            groups[-1].append(index)
        else:
            groups.append([index])
            end = start
        end = max(end, stop)
    return groups


def _columns(boxes: Sequence[Box], indices: list[int]) -> list[list[int]]:
    """Columns from right to left: boxes that share more than half the width of the narrower one with the widest of the column."""
    columns: list[list[int]] = []
    widest_first = sorted(indices, key=lambda index: -boxes[index][2])
    for index in widest_first:
        for column in columns:
            if _shared(boxes[index][0], boxes[index][2], boxes[column[0]][0], boxes[column[0]][2]) > 0.5:
                column.append(index)
                break
        else:
            columns.append([index])
    return sorted(columns, key=lambda column: -(boxes[column[0]][0] + boxes[column[0]][2] / 2))


def _down(boxes: Sequence[Box], column: list[int]) -> list[tuple[int, bool]]:
    """A column from its top; where boxes lie side by side, the right ones before the left ones."""
    bands: list[list[int]] = []
    for index in sorted(column, key=lambda index: boxes[index][1]):
        beside = bands and any(_shared(boxes[index][1], boxes[index][3], boxes[other][1], boxes[other][3]) > 0.5 for other in bands[-1])
        if beside:
            bands[-1].append(index)
        else:
            bands.append([index])
    ordered = []
    for band in bands:
        middle = sum(boxes[index][0] + boxes[index][2] / 2 for index in band) / len(band)
        band.sort(key=lambda index: (boxes[index][0] + boxes[index][2] / 2 < middle, boxes[index][1]))
        ordered += [(index, len(band) > 1) for index in band]
    return ordered


def _rows(boxes: Sequence[Box], indices: list[int]) -> list[int]:
    """Rows from the top, each from the left; two columns of a modern page one after the other."""
    height = max((boxes[i][1] + boxes[i][3] for i in indices), default=0) - min((boxes[i][1] for i in indices), default=0)
    parts = _cut(indices, lambda index: (boxes[index][0], boxes[index][0] + boxes[index][2]))
    tall = [len(part) >= 5 and _height(boxes, part) >= 0.5 * height for part in parts]
    if len(parts) > 1 and all(tall):
        return [index for part in parts for index in _rows(boxes, part)]
    rows: list[list[int]] = []
    for index in sorted(indices, key=lambda index: boxes[index][1]):
        if rows and _shared(boxes[index][1], boxes[index][3], boxes[rows[-1][0]][1], boxes[rows[-1][0]][3]) > 0.5:
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda index: boxes[index][0])]


def _height(boxes: Sequence[Box], indices: list[int]) -> int:
    return max(boxes[i][1] + boxes[i][3] for i in indices) - min(boxes[i][1] for i in indices)


def _shared(start: int, length: int, other_start: int, other_length: int) -> float:
    """What two spans have in common, as a share of the shorter."""
    common = min(start + length, other_start + other_length) - max(start, other_start)
    return common / max(1, min(length, other_length))
