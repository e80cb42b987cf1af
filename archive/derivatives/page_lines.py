"""Where the lines of a page image are and what a machine reads there, kept so that a donor's text can be placed on the image (`alignment.py`).

Made once for an image whose page has text without boxes; the engine is that of `text_layer.py`. What is read here is never shown or searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from archive.derivatives import text_layer, tiles
from archive.derivatives.alignment import FoundLine
from archive.model.placing import Box

RECIPE = "lines-1"
_INNER = 0.15
"""Share of a column's width left out at both sides when its gaps are looked for: ruled lines stand there."""
_CLEAR = 0.02
"""A row with less ink than this share of the column's width is part of a gap."""


def find(pyramid: Path, threads: int = 1) -> dict[str, Any]:
    """The lines of the page whose pyramid this is as JSON values, `lines`; boxes in pixels of the full upright image.

    Raises MissingToolError without the extra `ocr`.
    """
    found = tiles.info(pyramid)
    scale = min(1.0, text_layer.SIDE / max(found.width, found.height))
    size = max(1, round(found.width * scale)), max(1, round(found.height * scale))
    image = tiles.region_image(pyramid, (0, 0, found.width, found.height), size)
    return {"lines": [_record(line) for line in find_in(image, found.width / size[0], threads)]}


def find_in(image: Image.Image, scale: float = 1.0, threads: int = 1) -> tuple[FoundLine, ...]:
    """The lines of an upright image in no particular order; all boxes are multiplied by `scale`."""
    result = text_layer.engine(threads)(np.asarray(image.convert("RGB"))[:, :, ::-1], return_word_box=True, return_single_char_box=True)
    if result.boxes is None or result.txts is None or result.scores is None:
        return ()
    ink = _ink(image)
    lines = []
    for polygon, text, score, words in zip(result.boxes, result.txts, result.scores, result.word_results or (), strict=False):
        box = text_layer.upright(polygon, 1.0)
        signs = [(sign, text_layer.upright(corners, 1.0)) for word, _score, corners in words for sign in word]
        written, cells = "".join(sign for sign, _cell in signs) or str(text), tuple(_scaled(cell, scale) for _sign, cell in signs)
        gaps = tuple((round(start * scale), round(end * scale)) for start, end in _gaps(ink, box))
        lines.append(FoundLine(_scaled(box, scale), written, round(float(score), 3), cells, gaps))
    return tuple(lines)


def lines_of(facts: Mapping[str, Any] | None) -> tuple[FoundLine, ...]:
    """What `find` gave, from the facts kept; nothing when there are none."""
    return tuple(_line(record) for record in (facts or {}).get("lines", ()))


def within(lines: Iterable[FoundLine], region: Box) -> Iterator[FoundLine]:
    """The lines whose middle lies in a region of the image, in pixels of that region."""
    left, top, width, height = region
    for line in lines:
        x, y, w, h = line.box
        if left <= x + w / 2 < left + width and top <= y + h / 2 < top + height:
            along = top if _runs_down(line) else left
            gaps = tuple((start - along, end - along) for start, end in line.gaps)
            cells = tuple((cx - left, cy - top, cw, ch) for cx, cy, cw, ch in line.cells)
            yield FoundLine((x - left, y - top, w, h), line.text, line.score, cells, gaps)


def _record(line: FoundLine) -> dict[str, Any]:
    """Cells share a line's extent across, so that along it two numbers a character are enough."""
    down = _runs_down(line)
    along = [[cell[down], cell[down + 2]] for cell in line.cells]
    return {
        "box": list(line.box),
        "down": down,
        "text": line.text,
        "score": line.score,
        "cells": along,
        "gaps": [list(gap) for gap in line.gaps],
    }


def _line(record: Mapping[str, Any]) -> FoundLine:
    x, y, width, height = record["box"]
    cells = tuple((x, start, width, length) if record["down"] else (start, y, length, height) for start, length in record["cells"])
    return FoundLine((x, y, width, height), record["text"], record["score"], cells, tuple((start, end) for start, end in record["gaps"]))


def _runs_down(line: FoundLine) -> bool:
    """Whether its characters stand below each other."""
    if len(line.cells) < 2:
        return line.box[3] > line.box[2]
    first, last = line.cells[0], line.cells[-1]
    return abs(last[1] - first[1]) > abs(last[0] - first[0])


def _scaled(box: Box, scale: float) -> Box:
    x, y, width, height = (round(value * scale) for value in box)
    return x, y, max(1, width), max(1, height)


def _ink(image: Image.Image) -> npt.NDArray[np.bool_]:
    """True where a pixel is darker than the paper, by Otsu's threshold: the one that parts the grey values into two groups most unlike."""
    grey = np.asarray(image.convert("L"))
    counts = np.bincount(grey.ravel(), minlength=256).astype(float)
    values = np.arange(256)
    below, weight = np.cumsum(counts * values), np.cumsum(counts)
    total, whole = below[-1], weight[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (total * weight / whole - below) ** 2 / (weight * (whole - weight))
    return grey <= int(np.nanargmax(np.where(np.isfinite(between), between, -1.0)))


def _gaps(ink: npt.NDArray[np.bool_], box: Box) -> list[tuple[int, int]]:
    """Stretches along a line (from its top, or its left) without ink."""
    x, y, width, height = box
    down = height > width
    part = ink[y : y + height, x : x + width]
    part = part if down else part.T
    margin = int(part.shape[1] * _INNER)
    clear = part[:, margin : part.shape[1] - margin or None].mean(axis=1) < _CLEAR if part.size else np.zeros(0, bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], clear, [False])).astype(np.int8)))
    start = y if down else x
    return [(start + int(first), start + int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True) if last - first > 1]
