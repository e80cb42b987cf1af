"""The derivatives by name, and the calls that make them: plain functions of plain values, to be run in the sandbox.

Each call puts what it made into the store and gives its facts; what stands already is not made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.derivatives import passages
from archive.derivatives.base import Made
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.store import DerivativeStore
from archive.model.item import MediaFile, MediaKind, TextLine

RECIPES: dict[str, str] = {
    "image": "image-1",
    "sound": "sound-1",
    "film": "film-1",
    "lines": "lines-1",
}
"""Name of a derivative to recipe with version. The makers state the same; a test compares them, so that this module stays quick to import."""

MAKERS: dict[MediaKind, str] = {
    MediaKind.IMAGE: "image",
    MediaKind.PDF: "image",
    MediaKind.SOUND: "sound",
    MediaKind.FILM: "film",
}
"""What is made from which kind of file."""

DAMAGED = frozenset({"truncated", "damaged"})


@dataclass(frozen=True, slots=True)
class Original:
    """What a maker must know of an original: where its bytes lie now, the name it was given, and what its probe found."""

    path: Path
    name: str
    sha512: str
    technical: Mapping[str, Any]
    duration: float | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class MakeLimits:
    """What making may use: pixels of one image, CPU seconds for a still image (recordings get more by their length)."""

    max_pixels: int = 400_000_000
    seconds: float = 120


def original(file: MediaFile, path: Path) -> Original:
    """The original that a catalogued file is, its bytes at `path`."""
    return Original(path, file.received, file.sha512, dict(file.technical), file.duration, file.damaged in DAMAGED)


def image_parts(file: MediaFile) -> tuple[int | None, ...]:
    """The parts of which page images are made: None for a file that is one image, 1 … n for a multi-page TIFF or a PDF; empty for others."""
    if file.kind not in (MediaKind.IMAGE, MediaKind.PDF) or file.damaged in ("encrypted", "unknown-format"):
        return ()
    if file.kind is MediaKind.PDF:
        return tuple(range(1, (file.parts or 0) + 1))
    return tuple(range(1, file.parts + 1)) if file.parts and file.parts > 1 else (None,)


def recipe_for(kind: MediaKind, closed: Iterable[tuple[float, float]] = ()) -> str | None:
    """The recipe that serves a file of this kind, with these passages cut; None when nothing is made of it."""
    name = MAKERS.get(kind)
    return passages.recipe(RECIPES[name], closed) if name else None


def seconds_for(kind: MediaKind, duration: float | None, base: float) -> float:
    """CPU seconds a call below may take in all."""
    if kind in (MediaKind.SOUND, MediaKind.FILM):
        return 4 * base + (24 if kind is MediaKind.FILM else 4) * (duration or 600)
    return base


def make_image(original: Original, part: int | None, root: Path, limits: MakeLimits | None = None) -> dict[str, Any]:
    """Page image and thumbnails of one image; facts as `page_image.make`. Raises DecodeError."""
    from archive.derivatives import page_image

    limits, store = limits or MakeLimits(), DerivativeStore(root)
    found = store.facts(original.sha512, part, page_image.RECIPE)
    if found is not None:
        return found
    with store.workplace() as into:
        made = page_image.make(original.path, original.name, part, into, max_pixels=limits.max_pixels, salvage=original.damaged)
        return dict(store.put(original.sha512, part, page_image.RECIPE, made))


def make_sound(
    original: Original, root: Path, tools: Tools | None = None, closed: Iterable[tuple[float, float]] = (), limits: MakeLimits | None = None
) -> dict[str, Any]:
    """Web copy, waveform and loudness of a recording; facts as `sound.make`. Raises DecodeError and MissingToolError."""
    from archive.derivatives import sound

    return _make_recording(sound, original, root, tools, closed, limits)


def make_film(
    original: Original, root: Path, tools: Tools | None = None, closed: Iterable[tuple[float, float]] = (), limits: MakeLimits | None = None
) -> dict[str, Any]:
    """Web copy, poster and storyboard of a film; facts as `film.make`. Raises DecodeError and MissingToolError."""
    from archive.derivatives import film

    return _make_recording(film, original, root, tools, closed, limits)


def read_text(original: Original, part: int | None, root: Path, limits: MakeLimits | None = None) -> tuple[TextLine, ...]:
    """The lines of an image as the machine reads them; its page image is made first when it is missing.

    Needs a sandbox of `text_layer.ENGINE_MEMORY_MIB`. Raises MissingToolError without the extra `ocr`, DecodeError.
    """
    from archive.derivatives import page_image, text_layer

    make_image(original, part, root, limits)
    pyramid = DerivativeStore(root).get(original.sha512, part, page_image.RECIPE, page_image.PYRAMID)
    return text_layer.recognise(pyramid) if pyramid else ()


def find_lines(original: Original, part: int | None, root: Path, limits: MakeLimits | None = None) -> dict[str, Any]:
    """Where the lines of an image are, kept in the store; its page image is made first when it is missing. Facts as `page_lines.find`.

    Needs a sandbox of `text_layer.ENGINE_MEMORY_MIB`. Raises MissingToolError without the extra `ocr`, DecodeError.
    """
    from archive.derivatives import page_image, page_lines

    store = DerivativeStore(root)
    found = store.facts(original.sha512, part, page_lines.RECIPE)
    if found is not None and "fault" not in found:
        return found
    make_image(original, part, root, limits)
    pyramid = store.get(original.sha512, part, page_image.RECIPE, page_image.PYRAMID)
    assert pyramid is not None
    return dict(store.put(original.sha512, part, page_lines.RECIPE, Made({}, page_lines.find(pyramid))))


def mark_lines_faulty(original: Original, part: int | None, root: Path, fault: str) -> None:
    """Note that the lines of an image cannot be found, so that nobody tries again and again; `find_lines` does."""
    from archive.derivatives import page_lines

    DerivativeStore(root).put(original.sha512, part, page_lines.RECIPE, Made({}, {"lines": [], "fault": fault}))


def _make_recording(
    maker: Any, original: Original, root: Path, tools: Tools | None, closed: Iterable[tuple[float, float]], limits: MakeLimits | None
) -> dict[str, Any]:
    from archive.derivatives.sandbox_child import report

    intervals = passages.in_order(closed)
    recipe, store = passages.recipe(maker.RECIPE, intervals), DerivativeStore(root)
    found = store.facts(original.sha512, None, recipe)
    if found is not None:
        return found
    with store.workplace() as into:
        made = maker.make(
            original.path,
            original.name,
            original.technical,
            original.duration,
            into,
            closed=intervals,
            tools=tools,
            seconds=(limits or MakeLimits()).seconds,
            on_progress=report,
        )
        return dict(store.put(original.sha512, None, recipe, made))
