"""Opens one image of a file as it is and as it is to be shown: upright, sRGB, 8 bits. Memory is bounded by the pixel limit of the caller.

Pillow is always told which decoder it may use: left alone it starts Ghostscript on an EPS. Its own bomb check is off, because the limit is
the institution's and is checked from the header before anything is decoded.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from archive.errors import DecodeError

Image.MAX_IMAGE_PIXELS = None

_ORIENTATION = 0x0112
_SUBFILE_TYPE = 254
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    RuntimeError,
    ZeroDivisionError,
    AttributeError,
)
"""What Pillow's decoders raise on broken files, as met with in practice (struct.error is a ValueError's cousin: see `opened`)."""


@contextlib.contextmanager
def opened(path: Path, decoder: str, max_pixels: int) -> Iterator[Image.Image]:
    """The image with only its header read. Raises DecodeError `bomb` for more than `max_pixels`, `damaged` when it is none."""
    if decoder == "HEIF":
        _register_heif()
    with _quiet():
        try:
            image = Image.open(path, formats=(decoder,))
        except UnidentifiedImageError as error:
            raise DecodeError("damaged", f"no readable {decoder} header") from error
        except DECODER_FAULTS as error:
            swollen = "Decompressed data too large" in str(error) or "Too much memory" in str(error)  # text chunks of a PNG
            raise DecodeError("bomb" if swollen else "damaged", _words(error)) from error
    with image:
        check_size(image, max_pixels)
        yield image


def check_size(image: Image.Image, max_pixels: int) -> None:
    """Raises DecodeError `bomb` when the frame in hand has more than `max_pixels` or no pixels at all."""
    if image.width * image.height > max_pixels:
        raise DecodeError("bomb", f"{image.width}×{image.height} > {max_pixels // 1_000_000} MP")
    if image.width < 1 or image.height < 1:
        raise DecodeError("damaged", "no pixels")


def decode(image: Image.Image, salvage: bool = False) -> None:
    """Decode the frame in hand whole; raises DecodeError `truncated` or `damaged`. With `salvage`, missing pixels stay as they are."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = salvage
    try:
        with _quiet():
            image.load()
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever they meet (struct.error, zlib.error, Image.DecompressionBombError …)
        text = _words(error)
        raise DecodeError("truncated" if "truncated" in text or "end of" in text.lower() else "damaged", text) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def frames(image: Image.Image) -> Iterator[int]:
    """Seek through the full-size images of a TIFF, giving the frame number of each; anything else has one. Thumbnails inside are passed over."""
    if image.format != "TIFF":
        yield 0
        return
    number, found = 0, False
    while True:
        try:
            with _quiet():
                image.seek(number)
        except EOFError:
            break
        except DECODER_FAULTS as error:
            raise DecodeError("truncated", f"{number + 1}: {_words(error)}") from error
        if not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & 1:  # type: ignore[attr-defined]
            found = True
            yield number
        number += 1
    if not found:
        image.seek(0)
        yield 0


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8 (1 when absent or nonsense)."""
    try:
        with _quiet():
            value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # EXIF blocks are written by every program there is
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height after the EXIF orientation is applied."""
    width, height = image.size
    return (height, width) if orientation(image) >= 5 else (width, height)


def shown(image: Image.Image) -> Image.Image:
    """A decoded frame as it is to be shown: mode L or RGB, sRGB, upright. May be `image` itself, changed."""
    turn = orientation(image)
    profile = image.info.get("icc_profile")
    image = _eight_bits(image)
    image = _without_alpha(image)
    image = _in_srgb(image, profile)
    if turn > 1:
        transposed = image.transpose(_TURNS[turn])
        image.close()
        return transposed
    return image


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey is scaled by 1/257 (Pillow clips: a full gradient comes out white); floats and 32 bits by their own range."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image)
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        low, high = float(values.min()), float(values.max())
        if image.mode == "I" and low >= 0 and high <= 65535:
            low, high = 0.0, 255.0 if high <= 255 else 65535.0
        return Image.fromarray(((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    return image


def _without_alpha(image: Image.Image) -> Image.Image:
    """Transparent pixels over white paper; palettes resolved."""
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    if image.mode == "P":
        return image.convert("RGB")
    return image


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In sRGB by the embedded profile; without one CMYK is converted naively and RGB taken for sRGB."""
    if profile and not _is_srgb(profile):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = "L" if image.mode == "L" else "RGB"
            if mode == "L":
                return image if _is_grey(source) else image.convert("L")
            if image.mode == "RGB":
                ImageCms.profileToProfile(image, source, _srgb(), outputMode=None, inPlace=True)
                return image
            converted = ImageCms.profileToProfile(image, source, _srgb(), outputMode=mode)
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # the profile does not fit the pixels: show them as if it were not there
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(lab), _srgb(), outputMode="RGB") or image.convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_grey(profile: ImageCms.ImageCmsProfile) -> bool:
    return profile.profile.xcolor_space.strip() == "GRAY"


def _is_srgb(profile: bytes) -> bool:
    """By its own description; spares an hour of conversion on a thousand leaves that already are."""
    return b"sRGB" in profile[:4096] or b"s\0R\0G\0B" in profile[:4096]


def as_grey_if_grey(image: Image.Image) -> Image.Image:
    """An RGB image all of whose pixels are grey, as L: a third of the work for most scanned leaves.

    Told by means of 8×8 pixels at most: a single pixel whose channels differ by 64 shows there, and chroma in a JPEG is coarser than a pixel.
    """
    if image.mode != "RGB":
        return image
    red, green, blue = image.reduce(max(1, min(8, min(image.size) // 64))).split()
    if red.tobytes() != green.tobytes() or green.tobytes() != blue.tobytes():
        return image
    return image.getchannel("G")


def _register_heif() -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise DecodeError("unknown-format", "HEIC: pillow-heif is not installed") from error
    pillow_heif.register_heif_opener()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of odd metadata; what matters is said by the faults of the probe."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
