"""What was made from an original, found for the web: the one place here that knows how derivatives are named.

Nothing is made on request. What is missing is None, and the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.model.item import MediaFile
from archive.web.hall import hall
from archive.web.image_requests import ImageRequest

_PLAYED: Mapping[str, str] = {
    "web.mp4": "video/mp4",
    "web.webm": "video/webm",
    "web.m4a": "audio/mp4",
    "web.mp3": "audio/mpeg",
    "web.ogg": "audio/ogg",
    "web.opus": "audio/ogg",
}
_PICTURES: Mapping[str, str] = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".vtt": "text/vtt", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A derivative's file, ready to be sent; `tag` changes with its bytes."""

    path: Path
    media_type: str
    tag: str


@dataclass(frozen=True, slots=True)
class Pyramid:
    """An image as stored tiles and sizes. Pixels of the upright image."""

    width: int
    height: int
    tile: int
    factors: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    version: str

    def draw(self, wanted: ImageRequest) -> bytes:
        """The picture asked for, encoded."""
        raise NotImplementedError


def web_copy(file: MediaFile) -> Copy | None:
    """The copy of a recording that a browser plays."""
    return None


def waveform(file: MediaFile) -> Copy | None:
    """The picture of its loudness."""
    return None


def poster(file: MediaFile) -> Copy | None:
    """A frame of a film."""
    return None


def storyboard(file: MediaFile, name: str) -> Copy | None:
    """A file of a film's storyboard."""
    return None


def thumbnail(file: MediaFile, part: int | None, size: int) -> Copy | None:
    """The stored small picture that comes nearest to `size` from above, else the largest."""
    return None


def pyramid(file: MediaFile, part: int | None) -> Pyramid | None:
    """The pyramid of an image."""
    return None


_ = (hall, _PLAYED, _PICTURES)
