"""Builds donation folders for tests: small true files of every kind, under the names donors give."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def png(shade: int = 200, size: tuple[int, int] = (40, 60)) -> bytes:
    """A PNG of one shade; another shade is another file."""
    buffer = io.BytesIO()
    Image.new("L", size, shade).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(shade: int = 200, size: tuple[int, int] = (40, 60)) -> bytes:
    """A JPEG of one shade."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(buffer, "JPEG")
    return buffer.getvalue()


def wav(seconds: float = 1.0, rate: int = 8000, level: int = 0) -> bytes:
    """A mono 8-bit WAV of one level."""
    data = bytes([128 + level]) * int(seconds * rate)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, rate, 1, 8, b"data", len(data))
    return head + data


def zipped(members: Mapping[str, bytes], names: str = "utf-8") -> bytes:
    """A zip; with another `names` its names are written in that encoding, unmarked, as old Windows does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name if names == "utf-8" else name.encode(names).decode("cp437"))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    data = buffer.getvalue()
    # zipfile marks every name that is not ASCII as UTF-8: write the bytes the old program would have written, and clear the mark.
    if names != "utf-8":
        for name in members:
            wrong = name.encode(names).decode("cp437").encode("utf-8")
            data = _rename(data, wrong, name.encode(names))
    return data


def _rename(data: bytes, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    end = data.rfind(b"PK\x05\x06")
    directory = struct.unpack("<I", data[end + 16 : end + 20])[0]
    moved: dict[int, int] = {}
    position = 0
    while data[position : position + 4] == b"PK\x03\x04":
        moved[position] = out.tell()
        flags, size, length, extra = (
            struct.unpack("<H", data[position + 6 : position + 8])[0],
            struct.unpack("<I", data[position + 18 : position + 22])[0],
            *struct.unpack("<HH", data[position + 26 : position + 30]),
        )
        name = data[position + 30 : position + 30 + length]
        head = bytearray(data[position : position + 30])
        if name == old:
            name = new
            head[6:8] = struct.pack("<H", flags & ~0x800)
            head[26:28] = struct.pack("<H", len(name))
        rest = data[position + 30 + length : position + 30 + length + extra + size]
        out.write(bytes(head) + name + rest)
        position += 30 + length + extra + size
    start = out.tell()
    position = directory
    while data[position : position + 4] == b"PK\x01\x02":
        head = bytearray(data[position : position + 46])
        length, extra, comment = struct.unpack("<HHH", head[28:34])
        name = data[position + 46 : position + 46 + length]
        rest = data[position + 46 + length : position + 46 + length + extra + comment]
        if name == old:
            name = new
            head[8:10] = struct.pack("<H", struct.unpack("<H", head[8:10])[0] & ~0x800)
            head[28:30] = struct.pack("<H", len(name))
        head[42:46] = struct.pack("<I", moved[struct.unpack("<I", head[42:46])[0]])
        out.write(bytes(head) + name + rest)
        position += 46 + length + extra + comment
    tail = bytearray(data[end:])
    tail[12:20] = struct.pack("<II", out.tell() - start, start)
    out.write(bytes(tail))
    return out.getvalue()


def plant(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write `files` (path to bytes, or to text in UTF-8) below `folder`, which is made, and give it back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder
