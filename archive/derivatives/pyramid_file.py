"""Writes a tiled pyramid TIFF of JPEG tiles: the few tags it takes, in a classic TIFF, a level at a time.

Of our own, because tifffile asks for imagecodecs (a hundred megabytes of codecs) even when the tiles come ready compressed, and Pillow writes strips only.
Tags by TIFF 6.0 and Technical Note 2 (JPEG-in-TIFF).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from archive.errors import DecodeError

_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_MAX = 0xF0000000


class PyramidWriter:
    """An open file to which levels are added, largest first; a context manager. The file is valid after each level."""

    def __init__(self, path: Path, tile: int) -> None:
        self._stream = path.open("wb")
        self._stream.write(struct.pack("<2sHI", b"II", 42, 0))
        self._link = 4
        self._tile = tile

    def __enter__(self) -> PyramidWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def add(self, width: int, height: int, colour: bool, tables: bytes, tiles: Iterable[bytes], reduced: bool) -> None:
        """Write one level from its tiles, row by row: abbreviated JPEG streams that need `tables`."""
        offsets, lengths = [], []
        for tile in tiles:
            offsets.append(self._append(tile))
            lengths.append(len(tile))
        entries: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
            254: (_LONG, (int(reduced),)),  # NewSubfileType
            256: (_LONG, (width,)),
            257: (_LONG, (height,)),
            258: (_SHORT, (8,) * (3 if colour else 1)),
            259: (_SHORT, (7,)),  # Compression: JPEG
            262: (_SHORT, (6 if colour else 1,)),  # YCbCr, or black is zero
            277: (_SHORT, (3 if colour else 1,)),
            284: (_SHORT, (1,)),
            322: (_LONG, (self._tile,)),
            323: (_LONG, (self._tile,)),
            324: (_LONG, tuple(offsets)),
            325: (_LONG, tuple(lengths)),
            347: (_UNDEFINED, tables),
        }
        if colour:
            entries[530] = (_SHORT, (2, 2))  # YCbCrSubSampling
        self._write_directory(entries)

    def _append(self, data: bytes) -> int:
        """Write `data` at an even offset (TIFF 6.0, section 2) and give it."""
        place = self._stream.seek(0, 2)
        if place > _MAX:
            raise DecodeError("bomb", "pyramid larger than a TIFF can be")
        if place % 2:
            self._stream.write(b"\0")
            place += 1
        self._stream.write(data)
        return place

    def _write_directory(self, entries: dict[int, tuple[int, tuple[int, ...] | bytes]]) -> None:
        packed = []
        for tag, (kind, value) in sorted(entries.items()):
            data = value if isinstance(value, bytes) else struct.pack(f"<{len(value)}{'H' if kind == _SHORT else 'I'}", *value)
            if len(data) > 4:
                data = struct.pack("<I", self._append(data))
            packed.append(struct.pack("<HHI4s", tag, kind, len(value), data))
        place = self._append(struct.pack("<H", len(packed)) + b"".join(packed) + struct.pack("<I", 0))
        self._stream.seek(self._link)
        self._stream.write(struct.pack("<I", place))
        self._link = place + 2 + 12 * len(packed)
