"""Damage that decoders pass over in silence: Pillow neither checks the sums in a PNG nor hears libjpeg's warnings of corrupt data."""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from pathlib import Path

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_BETWEEN_SCANS = frozenset(b"\xc4\xda\xdb\xdc\xdd\xe0\xe1\xe2\xed\xfe")
_EOI, _SOS = 0xD9, 0xDA
_STANDALONE = frozenset([0x01, *range(0xD0, 0xD9)])


def fault_in(path: Path, key: str) -> str:
    """What is wrong with the bytes of a JPEG or PNG (`key` of its format), in words; empty when nothing is."""
    check = {"jpeg": _jpeg, "png": _png}.get(key)
    if check is None:
        return ""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return check(data)


def _png(data: mmap.mmap) -> str:
    """Sums of all chunks that are needed to show it (PNG 3.4; ancillary ones begin with a small letter)."""
    position = 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 8 + length
        if end + 4 > len(data):
            return "chunk cut short"
        with memoryview(data) as view, view[position + 4 : end] as part:
            found = zlib.crc32(part)
        if kind[:1].isupper() and found != struct.unpack_from(">I", data, end)[0]:
            return f"CRC of chunk {kind.decode('ascii', 'replace')} at byte {position} is wrong"
        if kind == b"IEND":
            return ""
        position = end + 4
    return "no IEND"


def _jpeg(data: mmap.mmap) -> str:
    """Markers that cannot stand inside a scan: what garbage written over one holds after a few hundred bytes."""
    position, length = 2, len(data)
    while position + 2 <= length:
        if data[position] != 0xFF:
            return f"no marker at byte {position}"
        marker = data[position + 1]
        if marker == _EOI:
            return ""
        if marker == 0xFF or marker in _STANDALONE:
            position += 1 if marker == 0xFF else 2
            continue
        if position + 4 > length:
            break
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
        if marker == _SOS:
            following = _MARKER.search(data, position)
            if following is None:
                return "no end of image"
            marker = following.group(1)[0]
            if marker != _EOI and marker not in _BETWEEN_SCANS:
                return f"marker {marker:02X} inside the image at byte {following.start()}"
            position = following.end() - 2
    return "no end of image"
