"""What was made from an original, found for the web: the one place here that knows how derivatives are named.

Nothing is made on request. What is missing is None, and the page says so. Rights are asked before, by whoever calls.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from archive.derivatives import page_image, passages, tiles
from archive.derivatives.registry import MAKERS, RECIPES
from archive.errors import NotFound, StorageError
from archive.model.access import Intervals
from archive.model.item import MediaFile, MediaKind
from archive.web.hall import hall
from archive.web.image_requests import ImageRequest

_QUALITY = 90
"""Of a cut-out as JPEG. It is compressed a second time: at 85 the validators' test image is off by 6 of 255 in places, and they allow 5."""
_BOARD = {"storyboard.jpg": "image/jpeg", "storyboard.vtt": "text/vtt"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A file ready to be sent; `tag` changes with its bytes."""

    path: Path
    media_type: str
    tag: str


Cuts = Sequence[Intervals]
"""The sets of passages without which a reader gets a recording (`FileAccess.cuts`); empty: they get it whole."""


def web_copy(item: str, file: MediaFile, cuts: Cuts = ()) -> Copy | None:
    """What a browser plays of a recording (the original itself when every browser plays it), or shows of a picture."""
    if file.kind is MediaKind.IMAGE:
        return thumbnail(file, None, max(page_image.THUMBNAILS))
    recipe = _recipe(file, cuts)
    facts = _facts(file, recipe)
    if recipe is None or facts is None:
        return None
    web = facts["web"]
    if web["file"] is not None:
        return _made(file, recipe, web["file"], web["media_type"])
    if cuts:  # a copy with something cut out is never the original
        return None
    return Copy(hall().archive.store.local_path(item, file.path), web["media_type"], f"o-{file.sha512[:32]}")


def gaps(file: MediaFile, cuts: Cuts) -> Intervals:
    """The passages that the copy leaves out which this reader gets; those that it should where none was made yet."""
    facts = _facts(file, _recipe(file, cuts)) if cuts else None
    if facts is not None:
        return passages.in_order((float(start), float(end)) for start, end in facts["closed"])
    return passages.in_order(cuts[0]) if cuts else ()


def _recipe(file: MediaFile, cuts: Cuts) -> str | None:
    """The recipe of the copy that a reader gets: of those without what is closed to them the first that was made."""
    if file.kind not in (MediaKind.SOUND, MediaKind.FILM):
        return None
    name = RECIPES[MAKERS[file.kind]]
    if not cuts:
        return name
    wanted = (passages.recipe(name, closed) for closed in cuts if passages.in_order(closed))
    return next((recipe for recipe in wanted if _facts(file, recipe) is not None), None)


def _facts(file: MediaFile, recipe: str | None) -> Mapping[str, Any] | None:
    """The facts kept with the derivatives of a recording."""
    return hall().archive.derivatives.facts(file.sha512, None, recipe) if recipe else None


def _made(file: MediaFile, recipe: str | None, name: str, media_type: str, part: int | None = None) -> Copy | None:
    path = hall().archive.derivatives.get(file.sha512, part, recipe, name) if recipe else None
    if path is None:
        return None
    tag = f"{recipe}-{part or 0}-{name}-{file.sha512[:32]}"
    if "-cut-" in str(recipe):  # the digest of what this reader may not have is no business of theirs
        tag = f"cut-{name}-{hashlib.sha256(tag.encode()).hexdigest()[:32]}"
    return Copy(path, media_type, tag)


def waveform(file: MediaFile, cuts: Cuts = ()) -> Copy | None:
    """The picture of a recording's loudness."""
    return _made(file, _recipe(file, cuts), "waveform.png", "image/png") if file.kind is MediaKind.SOUND else None


def peaks(file: MediaFile, cuts: Cuts = ()) -> Copy | None:
    """The same loudness as numbers."""
    return _made(file, _recipe(file, cuts), "peaks.json", "application/json") if file.kind is MediaKind.SOUND else None


def poster(file: MediaFile, cuts: Cuts = ()) -> Copy | None:
    """A frame of a film, not a black one."""
    name = f"{max(page_image.THUMBNAILS)}.jpg"
    return _made(file, _recipe(file, cuts), name, "image/jpeg") if file.kind is MediaKind.FILM else None


def storyboard(file: MediaFile, name: str, cuts: Cuts = ()) -> Copy | None:
    """A file of a film's storyboard."""
    return _made(file, _recipe(file, cuts), name, _BOARD[name]) if file.kind is MediaKind.FILM and name in _BOARD else None


def thumbnail(file: MediaFile, part: int | None, size: int, cuts: Cuts = ()) -> Copy | None:
    """The stored small picture that comes nearest to `size` from above, else the largest; a film's shows its poster."""
    fitting = [side for side in page_image.THUMBNAILS if side >= size] or [max(page_image.THUMBNAILS)]
    if file.kind is MediaKind.FILM:
        return _made(file, _recipe(file, cuts), f"{fitting[0]}.jpg", "image/jpeg")
    if cuts:
        return None
    for place in _parts(part):
        copy = _made(file, page_image.RECIPE, f"{fitting[0]}.jpg", "image/jpeg", place)
        if copy is not None:
            return copy
    return None


def _parts(part: int | None) -> tuple[int | None, ...]:
    """Where derivatives of an image may lie: a file asked for as a whole is shown by its first image when it has several."""
    return (part,) if part is not None else (None, 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as stored tiles and sizes. Pixels of the upright image. `tag` changes with the bytes of every answer."""

    path: Path
    width: int
    height: int
    tile: int
    factors: tuple[int, ...]
    sizes: Mapping[tuple[int, int], Path]
    tag: str

    def changed(self) -> int:
        """When the pyramid was written (ns). Raises NotFound when it is gone."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            raise NotFound(self.path.name) from None

    def lying(self, wanted: ImageRequest) -> bytes | None:
        """The stored size or tile that is what was asked for, without decoding; None when it has to be made. Raises NotFound."""
        if not wanted.plain:
            return None
        if wanted.region[2:] == (self.width, self.height):
            for size, path in self.sizes.items():
                if wanted.fits(size):
                    return _bytes(path)
        place = self._tile(wanted)
        return tiles.spliced(self.path, *place) if place else None

    def draw(self, wanted: ImageRequest) -> bytes:
        """The picture asked for, encoded, cut from the nearest level. Raises NotFound when the pyramid is gone."""
        place = self._tile(wanted) if wanted.plain else None
        if place:
            return tiles.read_tile(self.path, *place)
        return _encoded(_composed(self.path, wanted), wanted.format)

    def _tile(self, wanted: ImageRequest) -> tuple[int, int, int] | None:
        """Level, column and row of the tile that is what was asked for."""
        x, y, width, height = wanted.region
        for level, factor in enumerate(self.factors):
            step = self.tile * factor
            if x % step or y % step:
                return None  # nor is it on a coarser grid
            if (
                width == min(step, self.width - x)
                and height == min(step, self.height - y)
                and wanted.fits((-(-width // factor), -(-height // factor)))
            ):
                return level, x // step, y // step
        return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(path.name) from None


def picture(file: MediaFile, part: int | None) -> Picture | None:
    """The pyramid of an image, None when none was made."""
    for place in _parts(part):
        path = hall().archive.derivatives.get(file.sha512, place, page_image.RECIPE, page_image.PYRAMID)
        if path is not None:
            return _picture(file, place, path)
    return None


def _picture(file: MediaFile, part: int | None, path: Path) -> Picture:
    found = tiles.info(path)
    facts = hall().archive.derivatives.facts(file.sha512, part, page_image.RECIPE)
    if facts is None:
        raise StorageError(f"{path.parent.name}: derivative without facts; fangzhi rebuild derivatives")
    sizes: dict[tuple[int, int], Path] = {}
    for side, size in zip(page_image.THUMBNAILS, facts["thumbnails"], strict=True):
        sizes.setdefault((int(size[0]), int(size[1])), path.with_name(f"{side}.jpg"))
    factors = tuple(2**n for n in range(len(found.levels)))
    tag = f"{page_image.RECIPE}-{file.sha512[:24]}-{part or 0}"
    return Picture(path, found.width, found.height, found.tile, factors, sizes, tag)


def size(file: MediaFile, part: int | None) -> tuple[int, int] | None:
    """Width and height of an image, upright, as its tiles are."""
    found = picture(file, part)
    return (found.width, found.height) if found else None


def _composed(path: Path, wanted: ImageRequest) -> Image.Image:
    """What was asked for as an image. Bands are recoloured and turned as they come, so that the whole is in memory once."""
    if wanted.rotation % 90:
        image = _coloured(tiles.region_image(path, wanted.region, wanted.size), wanted)
        return _tilted(ImageOps.mirror(image) if wanted.mirror else image, wanted)
    turn = int(wanted.rotation)
    size = wanted.size if turn % 180 == 0 else (wanted.size[1], wanted.size[0])
    whole: Image.Image | None = None
    for top, made in tiles.bands(path, wanted.region, wanted.size):
        band = _coloured(made, wanted)
        if wanted.mirror:
            band = ImageOps.mirror(band)
        if turn:
            band = band.transpose(_TURNS[turn])
        if band.size == size:
            return band
        whole = whole or Image.new(band.mode, size)
        below = top + made.height
        whole.paste(band, {0: (0, top), 90: (size[0] - below, 0), 180: (0, size[1] - below), 270: (top, 0)}[turn])
    assert whole is not None
    return whole


def _coloured(image: Image.Image, wanted: ImageRequest) -> Image.Image:
    if wanted.quality not in ("gray", "bitonal"):
        return image
    grey = image if image.mode == "L" else image.convert("L")
    if wanted.quality == "gray" or wanted.rotation % 90:
        return grey
    return _bitonal(grey, wanted)


def _bitonal(grey: Image.Image, wanted: ImageRequest) -> Image.Image:
    grey = grey.point(lambda value: 255 if value > 127 else 0)
    return grey.convert("1") if wanted.format == "png" else grey


_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
"""Pillow turns against the clock."""


def _tilted(image: Image.Image, wanted: ImageRequest) -> Image.Image:
    """Turned by an angle: the corners are see-through where the format can have that (3.0 §4.3), else white."""
    if wanted.format != "jpg" and wanted.quality != "bitonal":
        image = image.convert("LA" if image.mode == "L" and wanted.format == "png" else "RGBA")
        return image.rotate(-wanted.rotation, Image.Resampling.BILINEAR, expand=True)
    white = 255 if image.mode == "L" else (255, 255, 255)
    image = image.rotate(-wanted.rotation, Image.Resampling.BILINEAR, expand=True, fillcolor=white)
    return _bitonal(image, wanted) if wanted.quality == "bitonal" else image


def _encoded(image: Image.Image, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == "png":
        image.save(buffer, "PNG", compress_level=3)
    elif suffix == "webp":
        image.save(buffer, "WEBP", quality=80, method=2)
    else:
        image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
