"""Pages of a PDF as images and text, by pdfium.

A page that is one scanned image gives that image as it lies in the file, at its own resolution; any other is rendered at up to 300 dpi.
`plan` says which and how large before anything is decoded, so the probe and the page image agree on sizes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as raw
from PIL import Image

from archive.derivatives import pixels
from archive.errors import DecodeError

DPI = 300
RENDER_PIXELS = 25_000_000
"""Largest page we render: a poster drawn with vectors would else be gigapixels."""
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


@dataclass(frozen=True, slots=True)
class PagePlan:
    """How a page becomes an image: `scan` the object that covers it or None, `scale` pixels a point when rendered; size upright."""

    width: int
    height: int
    scan: Any = None
    scale: float = 1.0


@contextlib.contextmanager
def opened(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    """The document. Raises DecodeError `encrypted` when it asks for a password, `damaged` when it is none."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        text = str(error)
        raise DecodeError("encrypted" if "assword" in text or "ecurity" in text else "damaged", text) from error
    try:
        yield document
    finally:
        document.close()


def plan(page: pypdfium2.PdfPage) -> PagePlan:
    """How this page becomes an image."""
    scan = _scan(page)
    if scan is not None:
        width, height = scan.get_px_size()
        if page.get_rotation() in (90, 270):
            width, height = height, width
        return PagePlan(width, height, scan)
    wide, high = (max(1.0, side) for side in page.get_size())
    scale = min(DPI / 72, (RENDER_PIXELS / (wide * high)) ** 0.5)
    return PagePlan(max(1, int(wide * scale)), max(1, int(high * scale)), None, scale)


def image(page: pypdfium2.PdfPage, max_pixels: int) -> Image.Image:
    """The page as an image in the mode the file has it (not yet sRGB). Raises DecodeError."""
    how = plan(page)
    if how.width * how.height > max_pixels:
        raise DecodeError("bomb", f"{how.width}×{how.height} > {max_pixels // 1_000_000} MP")
    try:
        if how.scan is None:
            rendered: Image.Image = page.render(scale=how.scale).to_pil().convert("RGB").crop((0, 0, how.width, how.height))
            return rendered
        picture = _embedded(how.scan)
    except pypdfium2.PdfiumError as error:
        raise DecodeError("damaged", str(error)) from error
    turn = _TURNS.get(page.get_rotation())
    return picture.transpose(turn) if turn is not None else picture


def verify(page: pypdfium2.PdfPage) -> None:
    """Make pdfium decode everything on the page, at thumbnail size; raises DecodeError when it cannot."""
    try:
        wide, high = page.get_size()
        page.render(scale=64 / max(wide, high, 1)).close()
    except pypdfium2.PdfiumError as error:
        raise DecodeError("damaged", str(error)) from error


def text(page: pypdfium2.PdfPage) -> str:
    """The text layer of the page, lines parted by line feeds."""
    layer = page.get_textpage()
    try:
        return str(layer.get_text_range()).replace("\r\n", "\n").replace("\ufffe", "").strip()
    except pypdfium2.PdfiumError:
        return ""
    finally:
        layer.close()


def _scan(page: pypdfium2.PdfPage) -> Any:
    """The image object that is the page, or None: one image over the whole page, upright, beside it at most invisible (OCR) text."""
    scan = None
    for number, thing in enumerate(page.get_objects(max_depth=1)):
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE and scan is None:
            scan = thing
        elif thing.type != raw.FPDF_PAGEOBJ_TEXT or raw.FPDFTextObj_GetTextRenderMode(thing) != raw.FPDF_TEXTRENDERMODE_INVISIBLE:
            return None
        if number > 5000:
            return None
    if scan is None:
        return None
    matrix, (left, bottom, right, top) = scan.get_matrix(), scan.get_bounds()
    wide, high = page.get_size()
    if page.get_rotation() in (90, 270):
        wide, high = high, wide
    upright = matrix.a > 0 and matrix.d > 0 and abs(matrix.b) + abs(matrix.c) < 0.01 * matrix.a
    covers = right - left >= 0.95 * wide and top - bottom >= 0.95 * high and right - left <= 1.1 * wide and top - bottom <= 1.1 * high
    return scan if upright and covers else None


def _embedded(scan: Any) -> Image.Image:
    if scan.get_filters() == ["DCTDecode"]:
        picture = Image.open(io.BytesIO(bytes(scan.get_data())), formats=("JPEG",))
        if picture.mode != "CMYK" and picture.size == scan.get_px_size():
            pixels.decode(picture, salvage=True)
            picture.getexif().clear()
            picture.info.pop("exif", None)
            return picture
    bitmap: Image.Image = scan.get_bitmap(render=False).to_pil().copy()
    return bitmap
