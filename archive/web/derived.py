"""What was made from an original, found for the web: the one place here that knows how derivatives are named.

Nothing is made on request. What is missing is None, and the page says so. Rights are asked before, by whoever calls.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from archive.derivatives import page_image, tiles
from archive.derivatives.registry import MAKERS, RECIPES
from archive.errors import StorageError
from archive.model.item import MediaFile, MediaKind
from archive.web.hall import hall
from archive.web.image_requests import ImageRequest

_BOARD = {"storyboard.jpg": "image/jpeg", "storyboard.vtt": "text/vtt"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A file ready to be sent; `tag` changes with its bytes."""

    path: Path
    media_type: str
    tag: str


def web_copy(item: str, file: MediaFile) -> Copy | None:
    """What a browser plays of a recording (the original itself when every browser plays it), or shows of a picture."""
    if file.kind is MediaKind.IMAGE:
        return thumbnail(file, None, max(page_image.THUMBNAILS))
    facts = _facts(file)
    if facts is None:
        return None
    web = facts["web"]
    if web["file"] is not None:
        return _made(file, RECIPES[MAKERS[file.kind]], web["file"], web["media_type"])
    return Copy(hall().archive.store.local_path(item, file.path), web["media_type"], f"o-{file.sha512[:32]}")


def _facts(file: MediaFile) -> Mapping[str, Any] | None:
    """The facts kept with the derivatives of a recording."""
    if file.kind not in (MediaKind.SOUND, MediaKind.FILM):
        return None
    return hall().archive.derivatives.facts(file.sha512, None, RECIPES[MAKERS[file.kind]])


def _made(file: MediaFile, recipe: str, name: str, media_type: str, part: int | None = None) -> Copy | None:
    path = hall().archive.derivatives.get(file.sha512, part, recipe, name)
    return Copy(path, media_type, f"{recipe}-{part or 0}-{name}-{file.sha512[:32]}") if path else None


def waveform(file: MediaFile) -> Copy | None:
    """The picture of a recording's loudness."""
    return _made(file, RECIPES["sound"], "waveform.png", "image/png") if file.kind is MediaKind.SOUND else None


def peaks(file: MediaFile) -> Copy | None:
    """The same loudness as numbers."""
    return _made(file, RECIPES["sound"], "peaks.json", "application/json") if file.kind is MediaKind.SOUND else None


def poster(file: MediaFile) -> Copy | None:
    """A frame of a film, not a black one."""
    return _made(file, RECIPES["film"], f"{max(page_image.THUMBNAILS)}.jpg", "image/jpeg") if file.kind is MediaKind.FILM else None


def storyboard(file: MediaFile, name: str) -> Copy | None:
    """A file of a film's storyboard."""
    return _made(file, RECIPES["film"], name, _BOARD[name]) if file.kind is MediaKind.FILM and name in _BOARD else None


def thumbnail(file: MediaFile, part: int | None, size: int) -> Copy | None:
    """The stored small picture that comes nearest to `size` from above, else the largest; a film's shows its poster."""
    fitting = [side for side in page_image.THUMBNAILS if side >= size] or [max(page_image.THUMBNAILS)]
    if file.kind is MediaKind.FILM:
        return _made(file, RECIPES["film"], f"{fitting[0]}.jpg", "image/jpeg")
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
    """An image as stored tiles and sizes. Pixels of the upright image."""

    path: Path
    width: int
    height: int
    tile: int
    factors: tuple[int, ...]
    sizes: Mapping[tuple[int, int], Path]

    @property
    def version(self) -> str:
        """Changes with the recipe, and with it the bytes of every answer."""
        return page_image.RECIPE

    def draw(self, wanted: ImageRequest) -> bytes:
        """The picture asked for, encoded: a stored tile or size as it lies, else cut from the nearest level."""
        if wanted.plain:
            stored = self._stored(wanted)
            if stored is not None:
                return stored
        image = tiles.region_image(self.path, wanted.region, wanted.size)
        return _encoded(_turned(image, wanted), wanted.format)

    def _stored(self, wanted: ImageRequest) -> bytes | None:
        whole = wanted.region == (0, 0, self.width, self.height)
        if whole and wanted.size in self.sizes:
            return self.sizes[wanted.size].read_bytes()
        x, y, width, height = wanted.region
        for level, factor in enumerate(self.factors):
            step = self.tile * factor
            fits = (
                x % step == 0
                and y % step == 0
                and width == min(step, self.width - x)
                and height == min(step, self.height - y)
                and wanted.size == (-(-width // factor), -(-height // factor))
            )
            if fits:
                return tiles.read_tile(self.path, level, x // step, y // step)
        return None


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
    return Picture(path, found.width, found.height, found.tile, tuple(2**n for n in range(len(found.levels))), sizes)


def size(file: MediaFile, part: int | None) -> tuple[int, int] | None:
    """Width and height of an image, upright, as its tiles are."""
    found = picture(file, part)
    return (found.width, found.height) if found else None


def _turned(image: Image.Image, wanted: ImageRequest) -> Image.Image:
    if wanted.mirror:
        image = ImageOps.mirror(image)
    if wanted.rotation:
        image = image.rotate(-wanted.rotation, expand=True)
    if wanted.quality == "gray":
        return image.convert("L")
    if wanted.quality == "bitonal":
        return image.convert("L").point(lambda value: 255 if value > 127 else 0).convert("1")
    return image


def _encoded(image: Image.Image, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == "png":
        image.save(buffer, "PNG", compress_level=3)
    elif suffix == "webp":
        (image if image.mode != "1" else image.convert("L")).save(buffer, "WEBP", quality=80, method=2)
    else:
        (image if image.mode != "1" else image.convert("L")).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
