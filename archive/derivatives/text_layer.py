"""Reads the text of a page image by machine (机器识别): lines with boxes and confidence, in reading order, vertical pages too.

The engine is the extra `ocr`: rapidocr with the models inside its wheel, nothing is fetched. It takes half a gigabyte and a second or two to
load, so it is loaded once in a process and kept: call this in a sandbox of its own with at least ENGINE_MEMORY_MIB.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from archive.derivatives import reading_order, tiles
from archive.errors import MissingToolError
from archive.language import _
from archive.model.item import TextLine

RECIPE = "ocr-1"
ENGINE_MEMORY_MIB = 3072
SIDE = 2000
"""Longest side that is read; at 4000 the engine takes twice the time and memory for next to nothing (2026-11)."""


def recognise(pyramid: Path, threads: int = 1) -> tuple[TextLine, ...]:
    """The lines of the page whose pyramid this is, boxes in pixels of the full upright image. Raises MissingToolError without the extra."""
    found = tiles.info(pyramid)
    scale = min(1.0, SIDE / max(found.width, found.height))
    size = max(1, round(found.width * scale)), max(1, round(found.height * scale))
    image = tiles.region_image(pyramid, (0, 0, found.width, found.height), size)
    return recognise_image(image, found.width / size[0], threads)


def recognise_image(image: Image.Image, scale: float = 1.0, threads: int = 1) -> tuple[TextLine, ...]:
    """The lines of an upright image; boxes are multiplied by `scale`. Lines in double small columns are of kind `note`."""
    result = engine(threads)(np.asarray(image.convert("RGB"))[:, :, ::-1])
    if result.boxes is None or result.txts is None or result.scores is None:
        return ()
    boxes = [upright(polygon, scale) for polygon in result.boxes]
    return tuple(
        TextLine(str(result.txts[index]), boxes[index], round(float(result.scores[index]), 3), "note" if note else "main")
        for index, note in reading_order.in_order(boxes)
    )


def check() -> str:
    """Empty when the engine can be used, else what is missing, as a sentence."""
    try:
        import onnxruntime  # type: ignore[import-untyped,unused-ignore]  # noqa: F401
        import rapidocr  # noqa: F401
    except ImportError:
        return _("没有安装文字识别引擎。请安装：pip install 'fangzhi[ocr]'")
    return ""


@cache
def engine(threads: int) -> Any:
    """The engine, loaded once; raises MissingToolError without the extra `ocr`."""
    missing = check()
    if missing:
        raise MissingToolError("rapidocr", missing)
    from rapidocr import RapidOCR

    options = {
        "Global.log_level": "critical",
        "Global.max_side_len": SIDE,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return RapidOCR(params=options)


def upright(polygon: Any, scale: float) -> reading_order.Box:
    """The box around a polygon of corners, multiplied by `scale`."""
    xs, ys = [float(point[0]) for point in polygon], [float(point[1]) for point in polygon]
    left, top = max(0, round(min(xs) * scale)), max(0, round(min(ys) * scale))
    return left, top, max(1, round(max(xs) * scale) - left), max(1, round(max(ys) * scale) - top)
