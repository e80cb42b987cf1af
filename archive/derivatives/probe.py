"""What a file is and what is wrong with it, after decoding it whole, so that nothing about its content is first learnt later.

Runs inside the sandbox. What is unsafe or broken beyond reading gets a fatal fault; what nobody here can read is named and kept.
"""

from __future__ import annotations

import dataclasses
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image, ImageCms

from archive.derivatives import documents, formats, integrity, pdf, pixels
from archive.derivatives.base import Fault, Probe, ProbeLimits
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.formats import Format
from archive.errors import DecodeError
from archive.model.item import MediaKind

FATAL = frozenset({"bomb", "empty", "damaged", "active-content", "timeout", "memory", "crash"})
"""Codes that refuse a file when nothing of it could be read; `truncated` and `damaged` files that can be read in part go in."""


def seconds_for(path: Path, base: float) -> float:
    """CPU seconds the probe of a file may take: `base`, and more for large files, which are recordings and books of many pages."""
    return base + 4 * path.stat().st_size / (1 << 20)


def probe(path: Path, name: str, limits: ProbeLimits | None = None, tools: Tools | None = None) -> Probe:
    """What the file at `path`, called `name` by its donor, is. Never raises DecodeError: it says what is wrong in `faults`.

    Raises MissingToolError when a recording cannot be looked at for want of FFmpeg.
    """
    limits, tools = limits or ProbeLimits(), tools or Tools()
    if path.stat().st_size == 0:
        return Probe("application/x-empty", MediaKind.OTHER, "", faults=(Fault("empty", True),))
    form = formats.identify(path, name)
    found = _read(path, name, form, limits, tools)
    if formats.is_mislabelled(form, name):
        fault = Fault("mislabelled", False, f".{formats.extension_of(name)} → {found.format}")
        found = dataclasses.replace(found, faults=(*found.faults, fault))
    return found


def refused(path: Path, name: str, error: DecodeError) -> Probe:
    """The probe of a file whose decoder crashed, hung or outgrew its limits in the sandbox: named by its signature, with a fatal fault."""
    form = formats.identify(path, name) if path.stat().st_size else formats.FORMATS["unknown"]
    return _plain(form, Fault(error.code, True, str(error)))


def _read(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    reader = _READERS.get(form.kind, _other)
    try:
        return reader(path, name, form, limits, tools)
    except DecodeError as error:
        return _plain(form, Fault(error.code, error.code in FATAL, str(error)))


def _plain(form: Format, *faults: Fault, **facts: Any) -> Probe:
    return Probe(form.media_type, form.kind, form.label, faults=faults, **facts)


def _image(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    sizes: list[tuple[int, int]] = []
    faults: list[Fault] = []
    with pixels.opened(path, form.pillow, limits.max_pixels) as image:
        technical = _image_facts(path, image, form)
        try:
            for number in pixels.frames(image):
                if len(sizes) >= limits.max_parts:
                    raise DecodeError("bomb", f"> {limits.max_parts}")
                pixels.check_size(image, limits.max_pixels)
                fault = _verify(path, image, form, number, limits)
                if fault:
                    faults.append(fault)
                sizes.append(pixels.upright_size(image))
        except DecodeError as error:
            if not sizes or error.code == "bomb":
                raise
            faults.append(Fault(error.code, False, str(error)))
    if faults and len(faults) >= len(sizes) and all(fault.fatal for fault in faults):
        return _plain(form, faults[0], technical=technical)
    if not faults:
        broken = integrity.fault_in(path, form.key)
        faults += [Fault("damaged", False, broken)] if broken else []
    width, height = sizes[0]
    many = len(sizes) > 1
    return Probe(
        form.media_type,
        form.kind,
        form.label,
        width=width,
        height=height,
        parts=len(sizes) if many else None,
        part_sizes=tuple(sizes) if many else (),
        technical=technical,
        faults=tuple(dataclasses.replace(fault, fatal=False) for fault in faults),
    )


def _verify(path: Path, image: Image.Image, form: Format, number: int, limits: ProbeLimits) -> Fault | None:
    """Decode the frame in hand; when it does not decode whole, try it again for what is left of it."""
    if form.key == "jpeg" and image.mode == "RGB":
        image.draft("L", image.size)  # reads every byte all the same, and spares computing colours that nobody looks at here
    try:
        pixels.decode(image)
    except DecodeError as error:
        return Fault(error.code, not _salvageable(path, form, number, limits), str(error))
    return None


def _salvageable(path: Path, form: Format, number: int, limits: ProbeLimits) -> bool:
    """True when a broken image still shows something."""
    try:
        with pixels.opened(path, form.pillow, limits.max_pixels) as image:
            if number:
                image.seek(number)
            pixels.decode(image, salvage=True)
            values = np.asarray(image.convert("L"))
    except (DecodeError, *pixels.DECODER_FAULTS):
        return False
    # what a decoder leaves unfilled is one value from edge to edge; libjpeg makes up one row of blocks even from nothing
    lively = int((values.max(axis=1) != values.min(axis=1)).sum())
    return lively >= min(24, len(values) / 2)


_COLOURS = {
    "1": "bitonal",
    "L": "grey",
    "LA": "grey",
    "P": "palette",
    "PA": "palette",
    "CMYK": "CMYK",
    "LAB": "Lab",
    "YCbCr": "RGB",
    "F": "grey",
    "I": "grey",
}
_TIFF_COMPRESSION = {
    "raw": "none",
    "group3": "CCITT G3",
    "group4": "CCITT G4",
    "tiff_lzw": "LZW",
    "tiff_adobe_deflate": "Deflate",
    "packbits": "PackBits",
}
_TIFF_COMPRESSION |= {
    "jpeg": "JPEG",
    "tiff_ccitt": "CCITT",
    "tiff_deflate": "Deflate",
    "tiff_jpeg": "JPEG (old)",
    "lzma": "LZMA",
    "zstd": "Zstandard",
}
_EXIF = {0x0132: "modified", 0x010F: "maker", 0x0110: "model", 0x0131: "software", 0x013B: "artist", 0x010E: "description"}
_EXIF_INNER = {0x9003: "taken", 0x9004: "digitised"}


def _image_facts(path: Path, image: Image.Image, form: Format) -> dict[str, Any]:
    """Technical facts of an image from its header (JSON values)."""
    colour = "grey" if image.mode.startswith("I;16") else _COLOURS.get(image.mode, "RGB")
    facts: dict[str, Any] = {"mode": image.mode, "colour": colour, "bit_depth": _bit_depth(path, image)}
    compression = image.info.get("compression")
    if form.key == "tiff" and isinstance(compression, str):
        facts["compression"] = _TIFF_COMPRESSION.get(compression, compression)
    dpi = image.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2 and all(_is_resolution(value) for value in dpi):
        facts["dpi"] = [round(float(value), 2) for value in dpi]
    profile = image.info.get("icc_profile")
    if profile:
        facts["icc"] = _profile_name(profile)
    turn = pixels.orientation(image)
    if turn != 1:
        facts["orientation"] = turn
    if getattr(image, "n_frames", 1) > 1 and form.key in ("gif", "webp", "png"):
        facts["frames"] = int(image.n_frames)  # type: ignore[attr-defined]
    exif = _exif(image)
    if exif:
        facts["exif"] = exif
    return facts


def _is_resolution(value: Any) -> bool:
    try:
        return 1 < float(value) < 100_000
    except (TypeError, ValueError, ZeroDivisionError):
        return False


def _bit_depth(path: Path, image: Image.Image) -> int:
    """Bits a channel as the file has them: Pillow shows 16-bit RGB as 8."""
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, 1)  # type: ignore[attr-defined]
        return int(bits[0] if isinstance(bits, tuple) else bits)
    if image.format == "PNG":
        with path.open("rb") as stream:
            return stream.read(25)[24]
    if image.format == "JPEG2000":
        with path.open("rb") as stream:
            head = stream.read(4096)
        at = head.find(b"ihdr")
        if at >= 0 and len(head) > at + 14 and head[at + 14] != 255:
            return (head[at + 14] & 0x7F) + 1
        size = head.find(b"\xff\x51")
        return (head[size + 40] & 0x7F) + 1 if 0 <= size < len(head) - 40 else 8
    return {"1": 1, "I": 32, "F": 32}.get(image.mode, 16 if image.mode.startswith("I;16") else 8)


def _profile_name(profile: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()[:100]
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return "?"


def _exif(image: Image.Image) -> dict[str, str]:
    try:
        exif = image.getexif()
        found = {name: exif.get(tag) for tag, name in _EXIF.items()}
        inner = exif.get_ifd(0x8769)
        found |= {name: inner.get(tag) for tag, name in _EXIF_INNER.items()}
    except Exception:  # EXIF blocks are written by every program there is
        return {}
    return {
        name: documents.clean(value.strip(" \0"))[:200] for name, value in found.items() if isinstance(value, str) and value.strip(" \0")
    }


def _pdf(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    sizes, texts, faults = [], [], []
    scans = 0
    with pdf.opened(path) as document:
        if len(document) > limits.max_parts:
            raise DecodeError("bomb", f"{len(document)} > {limits.max_parts}")
        technical: dict[str, Any] = {"version": document.get_version()}
        technical |= {key.lower(): value[:200] for key, value in document.get_metadata_dict(skip_empty=True).items()}
        for number in range(len(document)):
            try:
                page = document[number]
                pdf.verify(page)
                how = pdf.plan(page)
            except (DecodeError, pypdfium2.PdfiumError) as error:
                faults.append(Fault("damaged", False, f"{number + 1}: {error}"))
                sizes.append((1, 1))
                texts.append("")
                continue
            if how.width * how.height > limits.max_pixels:
                raise DecodeError("bomb", f"{number + 1}: {how.width}×{how.height}")
            scans += how.scan is not None
            sizes.append((how.width, how.height))
            texts.append(documents.clean(pdf.text(page)))
            page.close()
    if not sizes or len(faults) == len(sizes):
        raise DecodeError("damaged", faults[0].detail if faults else "no pages")
    return Probe(
        form.media_type,
        form.kind,
        form.label,
        width=sizes[0][0],
        height=sizes[0][1],
        parts=len(sizes),
        part_sizes=tuple(sizes),
        technical=technical | {"scanned_pages": scans},
        faults=tuple(faults),
        text=tuple(texts) if any(texts) else (),
    )


def _document(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    if form.key == "ole2-encrypted":
        return _plain(form, Fault("encrypted", False))
    if form.key == "html":
        return _plain(form, text=(_html_text(path),))
    try:
        texts = documents.text_of(path, form.key)
    except DecodeError as error:
        # what is packed in OLE2 and RTF our readers read only in part, and Word mends much of what they stumble over
        return _plain(form, Fault(error.code, error.code in FATAL and form.key not in _FORGIVEN, str(error)))
    if texts is None:
        return _plain(form, Fault("unknown-format", False, form.label))
    return _plain(form, text=tuple(text for text in texts if text))


_FORGIVEN = frozenset({"doc", "old-doc", "wps", "ppt", "xls", "et", "rtf"})


def _html_text(path: Path) -> str:
    try:
        source, _encoding = documents.plain_text(path.read_bytes()[: documents.MAX_TEXT])
    except DecodeError:
        return ""
    source = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", "", source)
    return documents.clean(html.unescape(re.sub(r"<[^>]{0,10000}>", " ", source)))


def _text(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    if path.stat().st_size > documents.MAX_MEMBER:
        return _plain(form, technical={"size": path.stat().st_size})
    try:
        text, encoding = documents.plain_text(path.read_bytes())
    except DecodeError as error:
        return _plain(formats.FORMATS["unknown"], Fault("unknown-format", False, str(error)))
    return _plain(form, text=(text,), technical={"encoding": encoding})


_REFERENCES = re.compile(
    rb"(?i)<script|<!entity|<image\b|<foreignobject|(?:xlink:)?href\s*=\s*[\"']\s*(?!#|data:|[\"'])|url\(\s*[\"']?(?!#|data:)|@import|src\s*="
)
_POSTSCRIPT_FILES = re.compile(rb"\((?:[^()\\]|\\.){1,500}\)\s*(?:\([rwa]\+?\)\s*file|run)\b|%pipe%")


def _other(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    """What is kept without being read. Formats that can make a decoder read other files are refused when they name any."""
    if form.active:
        data = path.read_bytes() if path.stat().st_size <= documents.MAX_MEMBER else path.open("rb").read(documents.MAX_MEMBER)
        pattern = {"svg": _REFERENCES, "eps": _POSTSCRIPT_FILES}.get(form.key)
        if pattern is None or pattern.search(re.sub(rb"xmlns(:\w+)?\s*=\s*[\"'][^\"']*[\"']", b"", data)):
            return _plain(form, Fault("active-content", True, form.label))
    return _plain(form, Fault("unknown-format", False, _seems(form, name)))


def _seems(form: Format, name: str) -> str:
    extension = formats.extension_of(name)
    return form.label if form.key != "unknown" or not extension else f".{extension}"


def _archive(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    return _plain(form) if form.readable else _plain(form, Fault("unknown-format", False, form.label))


def _recording(path: Path, name: str, form: Format, limits: ProbeLimits, tools: Tools) -> Probe:
    from archive.derivatives import recording

    return recording.probe(path, form, limits.seconds, tools)


_READERS: dict[MediaKind, Callable[[Path, str, Format, ProbeLimits, Tools], Probe]] = {
    MediaKind.IMAGE: _image,
    MediaKind.PDF: _pdf,
    MediaKind.DOCUMENT: _document,
    MediaKind.TEXT: _text,
    MediaKind.ARCHIVE: _archive,
    MediaKind.SOUND: _recording,
    MediaKind.FILM: _recording,
}
