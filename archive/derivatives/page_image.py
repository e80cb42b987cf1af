"""A page as it is shown: tiled pyramid TIFF and thumbnails, from one decode of the original.

The image is made upright and sRGB once, halved again and again; the levels give the tiles, and the thumbnails come from the level just
above them. Tiles are abbreviated JPEG streams that share one set of tables, so that `tiles.py` serves them without decoding.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from archive.derivatives import formats, pdf, pixels
from archive.derivatives.base import Made
from archive.derivatives.pyramid_file import PyramidWriter
from archive.errors import DecodeError
from archive.model.item import MediaKind

RECIPE = "image-1"
TILE = 512
QUALITY = 82
THUMBNAILS = (200, 400, 800, 1600)
"""Longest side in pixels; an image that is smaller is never enlarged, but has all four files."""
THUMBNAIL_QUALITY = 80
PYRAMID = "pyramid.tif"


def make(path: Path, name: str, part: int | None, into: Path, *, max_pixels: int = 400_000_000, salvage: bool = False) -> Made:
    """Make pyramid and thumbnails of one image (part from 1 of a multi-page file) in the folder `into`.

    `salvage`: the probe found it truncated or damaged, so missing pixels stay as they are. Facts: `width`, `height`, `tile`, `levels` and
    `thumbnails` as lists of [width, height], largest first and smallest first. Raises DecodeError.
    """
    return make_from(load(path, name, part, max_pixels=max_pixels, salvage=salvage), into)


def load(path: Path, name: str, part: int | None = None, *, max_pixels: int = 400_000_000, salvage: bool = False) -> Image.Image:
    """One image of a file, upright, sRGB, mode L or RGB. Raises DecodeError."""
    form = formats.identify(path, name)
    if form.kind is MediaKind.PDF:
        with pdf.opened(path) as document:
            if not 1 <= (part or 1) <= len(document):
                raise DecodeError("damaged", f"no page {part}")
            image = pdf.image(document[(part or 1) - 1], max_pixels)
        return pixels.shown(image)
    if not form.pillow:
        raise DecodeError("unknown-format", form.label)
    with pixels.opened(path, form.pillow, max_pixels) as image:
        if part is not None:
            _seek(image, part)
            pixels.check_size(image, max_pixels)
        pixels.decode(image, salvage)
        return pixels.shown(image.copy() if image.format == "TIFF" and part is not None else image)


def make_from(image: Image.Image, into: Path) -> Made:
    """Make pyramid and thumbnails of an image of mode L or RGB; the image may be closed on the way to save memory."""
    image = pixels.as_grey_if_grey(image)
    tables = _tables(image.mode)
    levels: list[tuple[int, int]] = []
    thumbnails: dict[int, list[int]] = {}
    files = {PYRAMID: into / PYRAMID}
    with PyramidWriter(into / PYRAMID, TILE) as pyramid:
        while True:
            last = max(image.size) <= TILE
            smaller = None if last else image.reduce(2)
            for side in THUMBNAILS:
                if side not in thumbnails and (smaller is None or max(smaller.size) < side):
                    files[f"{side}.jpg"] = into / f"{side}.jpg"
                    thumbnails[side] = _write_thumbnail(image, side, files[f"{side}.jpg"])
            pyramid.add(*image.size, image.mode == "RGB", tables, _tiles(image), reduced=bool(levels))
            levels.append(image.size)
            if smaller is None:
                break
            image.close()
            image = smaller
    width, height = levels[0]
    facts: dict[str, Any] = {"width": width, "height": height, "tile": TILE, "levels": [list(size) for size in levels]}
    facts["thumbnails"] = [thumbnails[side] for side in THUMBNAILS]
    return Made(files, facts)


def _seek(image: Image.Image, part: int) -> None:
    for number, _frame in enumerate(pixels.frames(image), start=1):
        if number == part:
            return
    raise DecodeError("damaged", f"no image {part}")


def _write_thumbnail(image: Image.Image, side: int, path: Path) -> list[int]:
    """Write `image` at most `side` pixels long; its size. The level is less than twice too large, so a box filter is all it takes."""
    scale = min(1.0, side / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image if size == image.size else image.resize(size, Image.Resampling.HAMMING)
    small.save(path, "JPEG", quality=THUMBNAIL_QUALITY, progressive=False)
    return list(size)


def thumbnail_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height of the stored thumbnail of that longest side, of an image of that size: worked out without opening it."""
    while max(width, height) > TILE and max(-(-width // 2), -(-height // 2)) >= side:
        width, height = -(-width // 2), -(-height // 2)
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _tiles(image: Image.Image) -> Iterator[bytes]:
    """The tiles row by row; those at the edges repeat the last pixels, so that no dark seam is compressed into them."""
    for top in range(0, image.height, TILE):
        for left in range(0, image.width, TILE):
            tile = image.crop((left, top, min(left + TILE, image.width), min(top + TILE, image.height)))
            buffer = io.BytesIO()
            _filled(tile).save(buffer, "JPEG", quality=QUALITY, subsampling=_sampling(tile.mode), streamtype=2)
            yield buffer.getvalue()


def _filled(tile: Image.Image) -> Image.Image:
    if tile.size == (TILE, TILE):
        return tile
    edges = ((0, TILE - tile.height), (0, TILE - tile.width))
    values = np.asarray(tile)
    return Image.fromarray(np.pad(values, edges if values.ndim == 2 else (*edges, (0, 0)), mode="edge"))


def _tables(mode: str) -> bytes:
    """The quantisation and Huffman tables that all tiles share, as one abbreviated JPEG stream."""
    buffer = io.BytesIO()
    Image.new(mode, (16, 16)).save(buffer, "JPEG", quality=QUALITY, subsampling=_sampling(mode), streamtype=1)
    return buffer.getvalue()


def _sampling(mode: str) -> str:
    """Grey has factors 1,1, else libtiff refuses the tiles."""
    return "4:2:0" if mode == "RGB" else "4:4:4"
