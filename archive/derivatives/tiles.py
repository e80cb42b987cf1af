"""Reads a pyramid: whole tiles spliced out without decoding, any region at bounded cost.

A tile in the file is an abbreviated JPEG stream; put the shared tables behind its SOI and it is a JPEG. Tiles at the right and lower edge are
padded in the file and are decoded and cut.
"""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from archive.errors import DecodeError, NotFound

MAX_OUTPUT = 10_000_000
"""Pixels of the largest region handed out."""
MAX_DECODED = 24_000_000
"""Pixels decoded for one region: one that is squeezed in one direction only is cut from a smaller level than it might be."""
_BAND = 1 << 18
"""Pixels that are made, or decoded for it, at a time: what is decoded for a large answer never lies in memory whole."""
_EDGE_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its size, its tiles row by row as (offset, length), the shared tables without SOI and EOI."""

    width: int
    height: int
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    tables: bytes
    colour: bool
    tile: int

    @property
    def across(self) -> int:
        """Tiles in a row."""
        return -(-self.width // self.tile)

    @property
    def down(self) -> int:
        """Rows of tiles."""
        return -(-self.height // self.tile)


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Levels from the full size down; each half of the one before, rounded up."""

    levels: tuple[Level, ...]

    @property
    def width(self) -> int:
        return self.levels[0].width

    @property
    def height(self) -> int:
        return self.levels[0].height

    @property
    def tile(self) -> int:
        return self.levels[0].tile


def info(pyramid: Path) -> Pyramid:
    """Sizes and tile places of a pyramid; remembered by path and time, a few hundred at once. Raises NotFound."""
    try:
        status = pyramid.stat()
    except FileNotFoundError as error:
        raise NotFound(f"{pyramid.name}: no such image") from error
    return _read(pyramid, status.st_mtime_ns, status.st_ino)


def read_tile(pyramid: Path, level: int, tx: int, ty: int) -> bytes:
    """The tile in column `tx`, row `ty` (from 0) of a level (0 the full size) as JPEG, cut to the image. Raises NotFound outside."""
    found = info(pyramid)
    at = _level_at(found, level, tx, ty)
    data = _read_one(pyramid, at, tx, ty)
    return data if _is_full(at, tx, ty) else _jpeg(_decoded(data).crop((0, 0, *_cut_size(at, tx, ty))), _EDGE_QUALITY)


def spliced(pyramid: Path, level: int, tx: int, ty: int) -> bytes | None:
    """As `read_tile`, None for a tile that would have to be decoded."""
    at = _level_at(info(pyramid), level, tx, ty)
    return _read_one(pyramid, at, tx, ty) if _is_full(at, tx, ty) else None


def _level_at(found: Pyramid, level: int, tx: int, ty: int) -> Level:
    if not 0 <= level < len(found.levels):
        raise NotFound(f"no level {level}")
    at = found.levels[level]
    if not (0 <= tx < at.across and 0 <= ty < at.down):
        raise NotFound(f"no tile {tx},{ty} on level {level}")
    return at


def _cut_size(at: Level, tx: int, ty: int) -> tuple[int, int]:
    return min(at.tile, at.width - tx * at.tile), min(at.tile, at.height - ty * at.tile)


def _is_full(at: Level, tx: int, ty: int) -> bool:
    return _cut_size(at, tx, ty) == (at.tile, at.tile)


def _read_one(pyramid: Path, at: Level, tx: int, ty: int) -> bytes:
    try:
        descriptor = os.open(pyramid, os.O_RDONLY)
    except FileNotFoundError as error:
        raise NotFound(f"{pyramid.name}: no such image") from error
    try:
        return _splice(descriptor, at, tx, ty)
    finally:
        os.close(descriptor)


def read_region(pyramid: Path, region: tuple[int, int, int, int], size: tuple[int, int], quality: int = 85) -> bytes:
    """`region` (x, y, width, height in full-size pixels) as a JPEG of `size`, from the smallest level that has the detail.

    Raises NotFound for a region outside the image or of no size, DecodeError `bomb` for more than MAX_OUTPUT pixels.
    """
    return _jpeg(region_image(pyramid, region, size), quality)


def region_image(pyramid: Path, region: tuple[int, int, int, int], size: tuple[int, int]) -> Image.Image:
    """As `read_region`, as an image of mode L or RGB."""
    image: Image.Image | None = None
    for top, band in bands(pyramid, region, size):
        if band.size == size:
            return band
        image = image or Image.new(band.mode, size)
        image.paste(band, (0, top))
    assert image is not None
    return image


def bands(pyramid: Path, region: tuple[int, int, int, int], size: tuple[int, int]) -> Iterator[tuple[int, Image.Image]]:
    """`region` at `size` from top to bottom: where a band begins and its pixels, mode L or RGB. Few at a time, however large the image and the answer.

    Raises as `read_region`.
    """
    found = info(pyramid)
    x, y, width, height = region
    right, bottom = min(x + width, found.width), min(y + height, found.height)
    x, y = max(0, x), max(0, y)
    if right <= x or bottom <= y or min(size) < 1:
        raise NotFound("nothing lies in this region")
    if size[0] * size[1] > MAX_OUTPUT:
        raise DecodeError("bomb", f"{size[0]}×{size[1]} > {MAX_OUTPUT}")
    at = found.levels[_level_for(found, (x, y, right, bottom), size)]
    scale_x, scale_y = at.width / found.width, at.height / found.height
    box = (x * scale_x, y * scale_y, min(right * scale_x, at.width), min(bottom * scale_y, at.height))
    high = (box[3] - box[1]) / size[1]
    rows = max(1, min(size[1], int(_BAND / max(size[0], (box[2] - box[0]) * high))))
    held: _Held = {}
    for top in range(0, size[1], rows):
        below = min(size[1], top + rows)
        yield top, _cut(pyramid, at, (box[0], box[1] + top * high, box[2], box[1] + below * high), (size[0], below - top), held)


_Held = dict[tuple[int, int], Image.Image]
"""Decoded tiles by column and row, for the band that follows."""


def _cut(pyramid: Path, at: Level, box: tuple[float, float, float, float], size: tuple[int, int], held: _Held) -> Image.Image:
    """`box` (left, top, right, bottom) of a level, scaled to `size`. Read with what the filter reaches around it, so that bands meet without a seam."""
    whole = tuple(round(edge) for edge in box)
    if (whole[2] - whole[0], whole[3] - whole[1]) == size and all(abs(a - b) < 0.01 for a, b in zip(box, whole, strict=True)):
        return _patch(pyramid, at, (whole[0], whole[1], whole[2], whole[3]), held, 0)
    beside, above = (2 + math.ceil(2 * max(1.0, (box[n + 2] - box[n]) / size[n])) for n in (0, 1))
    left, top = max(0, int(box[0]) - beside), max(0, int(box[1]) - above)
    right, bottom = min(at.width, math.ceil(box[2]) + beside), min(at.height, math.ceil(box[3]) + above)
    patch = _patch(pyramid, at, (left, top, right, bottom), held, 2 * above + 2)
    inside = (box[0] - left, box[1] - top, min(box[2] - left, patch.width), min(box[3] - top, patch.height))
    return patch.resize(size, Image.Resampling.BICUBIC, box=inside)


def _level_for(pyramid: Pyramid, box: tuple[int, int, int, int], size: tuple[int, int]) -> int:
    """The smallest level that still has at least as many pixels as are asked for in both directions, within what is decoded at most."""
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(width / size[0], height / size[1])
    level = int(math.log2(factor)) if factor >= 1 else 0
    while width * height > MAX_DECODED << (2 * level):
        level += 1
    return min(level, len(pyramid.levels) - 1)


def _patch(pyramid: Path, at: Level, box: tuple[int, int, int, int], held: _Held, again: int) -> Image.Image:
    """The pixels of `box` (left, top, right, bottom) of a level, from the tiles that touch it.

    Those that reach below its last `again` rows are held for the band that follows, and what was held and is not needed any more goes.
    """
    left, top, right, bottom = box
    patch = Image.new("RGB" if at.colour else "L", (right - left, bottom - top))
    for tx, ty in [place for place in held if (place[1] + 1) * at.tile <= top]:
        del held[tx, ty]
    with pyramid.open("rb") as stream:
        for ty in range(top // at.tile, -(-bottom // at.tile)):
            for tx in range(left // at.tile, -(-right // at.tile)):
                tile = held.get((tx, ty)) or _decoded(_splice(stream.fileno(), at, tx, ty))
                patch.paste(tile, (tx * at.tile - left, ty * at.tile - top))
                if (ty + 1) * at.tile > bottom - again and bottom < at.height:
                    held[tx, ty] = tile
    return patch


def _splice(descriptor: int, at: Level, tx: int, ty: int) -> bytes:
    index = ty * at.across + tx
    data = os.pread(descriptor, at.lengths[index], at.offsets[index])
    return data[:2] + at.tables + data[2:]


def _decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JPEG",))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@lru_cache(maxsize=512)
def _read(path: Path, _mtime: int, _inode: int) -> Pyramid:
    with path.open("rb") as stream:
        data = stream.read(16)
        big = data[2] == 43
        order = "<" if data[:2] == b"II" else ">"
        where = struct.unpack_from(f"{order}Q", data, 8)[0] if big else struct.unpack_from(f"{order}I", data, 4)[0]
        levels: list[Level] = []
        while where and len(levels) < 32:
            tags, where = _directory(stream.fileno(), where, order, big)
            levels.append(_level(tags))
    return Pyramid(tuple(levels))


_SIZES = {1: "B", 2: "c", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 16: "Q"}


def _directory(descriptor: int, where: int, order: str, big: bool) -> tuple[dict[int, tuple[Any, ...]], int]:
    """The integer tags of one image file directory of a TIFF that we wrote, and where the next one lies."""
    count_format, entry, word = ("Q", 20, "Q") if big else ("H", 12, "I")
    start = struct.calcsize(f"{order}{count_format}")
    (count,) = struct.unpack(f"{order}{count_format}", os.pread(descriptor, start, where))
    block = os.pread(descriptor, count * entry + struct.calcsize(word), where + start)
    tags: dict[int, tuple[Any, ...]] = {}
    for number in range(count):
        tag, kind, length = struct.unpack_from(f"{order}HH{word}", block, number * entry)
        if kind not in _SIZES or kind == 2:
            continue
        layout = f"{order}{length}{_SIZES[kind]}"
        size, inline = struct.calcsize(layout), number * entry + 4 + struct.calcsize(f"{order}{word}")
        if size <= struct.calcsize(f"{order}{word}"):
            tags[tag] = struct.unpack_from(layout, block, inline)
        else:
            (offset,) = struct.unpack_from(f"{order}{word}", block, inline)
            tags[tag] = struct.unpack(layout, os.pread(descriptor, size, offset))
    (following,) = struct.unpack_from(f"{order}{word}", block, count * entry)
    return tags, following


def _level(tags: Mapping[int, tuple[Any, ...]]) -> Level:
    tables = bytes(tags[347])
    return Level(
        width=tags[256][0],
        height=tags[257][0],
        offsets=tags[324],
        lengths=tags[325],
        tables=tables[2:-2],
        colour=tags[262][0] == 6,
        tile=tags[322][0],
    )
