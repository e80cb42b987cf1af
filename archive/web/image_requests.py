"""IIIF Image API requests, 3.0 (§4) and 2.1 (§4), read and checked against an image's size. Pure: no pixels here.

Sizes are bounded, so that no request costs more than some megapixels of work, whatever it asks. What the specifications leave open: an angle that
is no quarter turn is made, on paper colour or transparent; `!w,h` of 2.1 never enlarges; `^max` enlarges only where a limit is told.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from archive.errors import UsageError

MAX_AREA = 4_000_000
"""Pixels of an answer that is not a stored tile or size. Pillow holds four bytes for each, beside what is decoded of a level at most twice as wide."""
WHOLE_AREA = 10_000_000
"""An image of no more pixels, a leaf at 300 dpi, is given whole: nothing is scaled, so less lies beside it. As `archive.derivatives.tiles` hands out."""
MAX_SIDE = 6_000
AREAS = {"jpg": WHOLE_AREA, "png": 2_000_000, "webp": 2_000_000}
"""Pixels by format at most: libwebp holds eight bytes for each (findings/media.md §1), and a PNG of a scan is two bytes for each."""
TILTED_AREA = 2_000_000
"""Pixels of a picture turned by an angle, which is held twice."""

_NUMBER = r"(?:[0-9]{1,7}(?:\.[0-9]{0,10})?|\.[0-9]{1,10})"
_REGION = re.compile(rf"(pct:)?({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})", re.ASCII)
_SIZE = re.compile(r"(!?)([0-9]{0,7}),([0-9]{0,7})", re.ASCII)
_PERCENT = re.compile(rf"pct:({_NUMBER})", re.ASCII)
_ROTATION = re.compile(rf"(!?)({_NUMBER})", re.ASCII)
QUALITIES = ("default", "color", "gray", "bitonal")
FORMATS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """`region` (x, y, width, height) in pixels of the full image, `size` the pixels of the answer before it is turned."""

    region: tuple[int, int, int, int]
    size: tuple[int, int]
    mirror: bool = False
    rotation: float = 0
    """Degrees clockwise, 0 to below 360; a quarter turn is a whole number."""
    quality: str = "default"
    format: str = "jpg"
    free: int | None = None
    """The side that was not named, 0 width or 1 height: it may be a pixel off, as the sizes of stored tiles are (rounded up)."""

    @property
    def plain(self) -> bool:
        """True when neither turned nor recoloured, as JPEG: what stored tiles and sizes can answer."""
        return not self.mirror and self.rotation == 0 and self.quality in ("default", "color") and self.format == "jpg"

    def fits(self, size: tuple[int, int]) -> bool:
        """True when a stored picture of this size is what was asked for."""
        if self.size == size:
            return True
        return (
            self.free is not None and self.size[1 - self.free] == size[1 - self.free] and abs(self.size[self.free] - size[self.free]) == 1
        )


def parse(width: int, height: int, region: str, size: str, rotation: str, tail: str, version: int = 3) -> ImageRequest:
    """The request that the four parts of an address make of an image of `width` × `height`, by version 3 or 2 of the API.

    Raises UsageError (400) for what the specification forbids or this archive does not make.
    """
    quality, dot, suffix = tail.rpartition(".")
    if not dot:
        raise UsageError(f"{tail!r}: expected quality.format")
    if quality not in QUALITIES or suffix not in FORMATS:
        raise UsageError(f"{tail!r}: qualities {', '.join(QUALITIES)}; formats {', '.join(FORMATS)}")
    box = _region(width, height, region)
    mirror, turn = _rotation(rotation)
    limit = _limit(width, height, suffix)
    wanted = _size(box, size, limit, version, told=bool(limits(width, height)))
    if turn % 90 and _turned_area(wanted, turn) > TILTED_AREA:
        raise UsageError(
            f"rotation {rotation!r}: larger than this archive turns by an angle ({TILTED_AREA} pixels); ask for a smaller size"
        )
    free = 1 if size.endswith(",") else 0 if size.startswith((",", "^,")) else None
    return ImageRequest(box, wanted, mirror, turn, quality, suffix, free)


def _limit(width: int, height: int, suffix: str = "jpg") -> int:
    """Pixels that an answer about an image of this size may have."""
    return min(AREAS[suffix], max(MAX_AREA, width * height if width * height <= WHOLE_AREA else 0))


def bounded(width: int, height: int, area: int | None = None) -> tuple[int, int]:
    """The size that `max` gives for a region of this size, or an image of this size without `area`."""
    area = _limit(width, height) if area is None else area
    shrink = min(1.0, MAX_SIDE / max(width, height), (area / (width * height)) ** 0.5)
    return max(1, int(width * shrink)), max(1, int(height * shrink))


def limits(width: int, height: int) -> dict[str, int]:
    """What an image's description says of sizes; nothing for an image that is given whole."""
    if bounded(width, height) == (width, height):
        return {}
    return {"maxWidth": MAX_SIDE, "maxHeight": MAX_SIDE, "maxArea": MAX_AREA}


def canonical(width: int, height: int, wanted: ImageRequest, version: int = 3) -> str:
    """The one address, below the image's, of what was asked (3.0 §4.7, 2.1 §4.7)."""
    box = "full" if wanted.region == (0, 0, width, height) else ",".join(map(str, wanted.region))
    turn = f"{wanted.rotation:.10f}".rstrip("0").rstrip(".") if wanted.rotation % 1 else str(int(wanted.rotation))
    quality = "default" if wanted.quality == "color" else wanted.quality
    size = _canonical_size(wanted, _limit(width, height, wanted.format)) if version == 3 else _canonical_size_2(wanted)
    return f"{box}/{size}/{'!' if wanted.mirror else ''}{turn}/{quality}.{wanted.format}"


def _canonical_size(wanted: ImageRequest, limit: int) -> str:
    _x, _y, width, height = wanted.region
    w, h = wanted.size
    if wanted.size == bounded(width, height, limit):
        return "max"
    return f"{'^' if w > width or h > height else ''}{w},{h}"


def _canonical_size_2(wanted: ImageRequest) -> str:
    _x, _y, width, height = wanted.region
    w, h = wanted.size
    if (w, h) == (width, height):
        return "full"
    return f"{w}," if h == max(1, round(height * w / width)) else f"{w},{h}"


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


def _size(box: tuple[int, int, int, int], text: str, limit: int, version: int, told: bool) -> tuple[int, int]:
    _x, _y, width, height = box
    caret = version == 3 and text.startswith("^")
    asked = text[1:] if caret else text
    if asked == "max":
        return _largest(width, height, limit) if caret and told else bounded(width, height, limit)
    if asked == "full" and version == 2:
        wanted = width, height
    elif match := _PERCENT.fullmatch(asked):
        factor = float(match.group(1)) / 100
        wanted = round(width * factor), round(height * factor)
    elif match := _SIZE.fullmatch(asked):
        wanted = _pixels(width, height, bool(match.group(1)), match.group(2), match.group(3), (caret, limit), text)
    else:
        forms = "full, max," if version == 2 else "max,"
        raise UsageError(f"size {text!r}: expected {forms} w,  ,h  w,h  !w,h or pct:n" + (", with ^ to enlarge" if version == 3 else ""))
    if min(wanted) < 1:
        raise UsageError(f"size {text!r}: nothing would be left of the image")
    if version == 3 and not caret and (wanted[0] > width or wanted[1] > height):
        raise UsageError(f"size {text!r}: larger than the region of {width} x {height}; ask with ^ to enlarge")
    if max(wanted) > MAX_SIDE or wanted[0] * wanted[1] > limit:
        raise UsageError(f"size {text!r}: larger than this archive makes ({limit} pixels, {MAX_SIDE} a side); max gives the largest")
    return wanted


def _pixels(width: int, height: int, within: bool, w: str, h: str, may: tuple[bool, int], text: str) -> tuple[int, int]:
    """`may`: whether it may be enlarged, and the area it may have; both matter for a size to fit in, which is made as large as it may be."""
    if within:
        if not (w and h):
            raise UsageError(f"size {text!r}: ! needs both width and height")
        factor = min(int(w) / width, int(h) / height, MAX_SIDE / max(width, height), (may[1] / (width * height)) ** 0.5)
        return _scaled(width, height, factor if may[0] else min(factor, 1.0), (int(w), int(h)))
    if w and h:
        return int(w), int(h)
    if w:
        return int(w), max(1, round(height * int(w) / width)) if int(w) else 0
    if h:
        return max(1, round(width * int(h) / height)) if int(h) else 0, int(h)
    raise UsageError(f"size {text!r}: neither width nor height")


def _scaled(width: int, height: int, factor: float, most: tuple[int, int]) -> tuple[int, int]:
    """Both sides times `factor`, at least a pixel of each where a pixel fits in."""
    w, h = min(most[0], max(1, round(width * factor))), min(most[1], max(1, round(height * factor)))
    return w, h


def _largest(width: int, height: int, area: int) -> tuple[int, int]:
    factor = min(MAX_SIDE / max(width, height), (area / (width * height)) ** 0.5)
    return max(1, int(width * factor)), max(1, int(height * factor))


def _rotation(text: str) -> tuple[bool, float]:
    match = _ROTATION.fullmatch(text)
    if match is None or float(match.group(2)) > 360:
        raise UsageError(f"rotation {text!r}: expected 0 to 360, with ! for a mirror image")
    degrees = float(match.group(2)) % 360
    return bool(match.group(1)), degrees


def _turned_area(size: tuple[int, int], degrees: float) -> float:
    """Pixels of the upright rectangle around a turned one."""
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    return (size[0] * cosine + size[1] * sine) * (size[0] * sine + size[1] * cosine)
