"""IIIF Image API 3.0 (§4) requests, read and checked against an image's size. Pure: no pixels here.

Sizes are bounded, so that no request costs more than a few megapixels of work, whatever it asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.errors import NotFound, UsageError

MAX_AREA = 4_000_000
"""Pixels of an answer that is not a stored tile or size; `max` gives at most this. Not more than `archive.derivatives.tiles` hands out."""
MAX_SIDE = 6_000

_NUMBER = r"[0-9]{1,7}(?:\.[0-9]{1,10})?"
_REGION = re.compile(rf"(pct:)?({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})")
_SIZE = re.compile(r"(!?)([0-9]{0,6}),([0-9]{0,6})")
_PERCENT = re.compile(rf"pct:({_NUMBER})")
_ROTATION = re.compile(rf"(!?)({_NUMBER})")
QUALITIES = ("default", "color", "gray", "bitonal")
FORMATS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """`region` (x, y, width, height) in pixels of the full image, `size` the pixels of the answer before it is turned."""

    region: tuple[int, int, int, int]
    size: tuple[int, int]
    mirror: bool = False
    rotation: int = 0
    """0, 90, 180 or 270, clockwise."""
    quality: str = "default"
    format: str = "jpg"

    @property
    def plain(self) -> bool:
        """True when neither turned nor recoloured, as JPEG: what stored tiles and sizes can answer."""
        return not self.mirror and self.rotation == 0 and self.quality in ("default", "color") and self.format == "jpg"


def parse(width: int, height: int, region: str, size: str, rotation: str, tail: str) -> ImageRequest:
    """The request that the four parts of an address make of an image of `width` × `height`.

    Raises UsageError (400) for what the specification forbids and NotFound (404) for a quality or format that there is not.
    """
    box = _region(width, height, region)
    wanted = _size(box, size)
    mirror, turn = _rotation(rotation)
    quality, dot, suffix = tail.rpartition(".")
    if not dot:
        raise UsageError(f"{tail!r}: expected quality.format")
    if quality not in QUALITIES or suffix not in FORMATS:
        raise NotFound(f"{tail!r}: qualities {', '.join(QUALITIES)}; formats {', '.join(FORMATS)}")
    return ImageRequest(box, wanted, mirror, turn, quality, suffix)


def bounded(width: int, height: int) -> tuple[int, int]:
    """The size that `max` gives for a region of this size."""
    shrink = min(1.0, MAX_SIDE / max(width, height), (MAX_AREA / (width * height)) ** 0.5)
    return max(1, int(width * shrink)), max(1, int(height * shrink))


def _region(width: int, height: int, text: str) -> tuple[int, int, int, int]:
    if text == "full":
        return 0, 0, width, height
    if text == "square":
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side, side
    match = _REGION.fullmatch(text)
    if match is None:
        raise UsageError(f"region {text!r}: expected full, square, x,y,w,h or pct:x,y,w,h")
    x, y, w, h = (float(part) for part in match.groups()[1:])
    if match.group(1):
        x, y, w, h = x * width / 100, y * height / 100, w * width / 100, h * height / 100
    elif "." in text:
        raise UsageError(f"region {text!r}: pixels are whole numbers")
    left, top = round(x), round(y)
    right, bottom = min(width, round(x + w)), min(height, round(y + h))
    if left >= width or top >= height or right <= left or bottom <= top:
        raise UsageError(f"region {text!r}: empty or outside the image of {width} x {height}")
    return left, top, right - left, bottom - top


def _size(box: tuple[int, int, int, int], text: str) -> tuple[int, int]:
    _x, _y, width, height = box
    enlarge = text.startswith("^")
    asked = text[1:] if enlarge else text
    if asked == "max":
        return bounded(width, height)
    if match := _PERCENT.fullmatch(asked):
        factor = float(match.group(1)) / 100
        wanted = round(width * factor), round(height * factor)
    elif match := _SIZE.fullmatch(asked):
        wanted = _pixels(width, height, bool(match.group(1)), match.group(2), match.group(3), enlarge, text)
    else:
        raise UsageError(f"size {text!r}: expected max, w,  ,h  w,h  !w,h or pct:n")
    if min(wanted) < 1:
        raise UsageError(f"size {text!r}: nothing would be left of the image")
    if not enlarge and (wanted[0] > width or wanted[1] > height):
        raise UsageError(f"size {text!r}: larger than the region of {width} x {height}; ask with ^ to enlarge")
    if max(wanted) > MAX_SIDE or wanted[0] * wanted[1] > MAX_AREA:
        raise UsageError(f"size {text!r}: larger than this archive makes ({MAX_AREA} pixels)")
    return wanted


def _pixels(width: int, height: int, within: bool, w: str, h: str, enlarge: bool, text: str) -> tuple[int, int]:
    if within:
        if not (w and h):
            raise UsageError(f"size {text!r}: ! needs both width and height")
        factor = min(int(w) / width, int(h) / height)
        if not enlarge:
            factor = min(factor, 1.0)
        return max(1, round(width * factor)), max(1, round(height * factor))
    if w and h:
        return int(w), int(h)
    if w:
        return int(w), max(1, round(height * int(w) / width)) if int(w) else 0
    if h:
        return max(1, round(width * int(h) / height)) if int(h) else 0, int(h)
    raise UsageError(f"size {text!r}: neither width nor height")


def _rotation(text: str) -> tuple[bool, int]:
    match = _ROTATION.fullmatch(text)
    if match is None or float(match.group(2)) > 360:
        raise UsageError(f"rotation {text!r}: expected 0 to 360, with ! for a mirror image")
    degrees = float(match.group(2))
    if degrees % 90:
        raise UsageError(f"rotation {text!r}: only quarter turns are made")
    return bool(match.group(1)), int(degrees) % 360
