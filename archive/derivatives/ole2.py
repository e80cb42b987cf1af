"""Reads one stream out of an OLE2 compound file ([MS-CFB]): what DOC, WPS, XLS and PPT lie in. Reading only, no loops, no trust."""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType

from archive.errors import DecodeError

_FREE = 0xFFFFFFFA
"""Sector numbers from here on are marks (end of chain, free, table)."""


class CompoundFile:
    """An open compound file. Raises DecodeError `damaged` when chains loop or leave the file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        head = self._file.read(512)
        if len(head) < 512 or head[:8] != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise DecodeError("damaged", "no OLE2 header")
        self._sector = 1 << min(16, struct.unpack_from("<H", head, 30)[0])
        self._mini_sector = 1 << min(16, struct.unpack_from("<H", head, 32)[0])
        self._cutoff = struct.unpack_from("<I", head, 56)[0]
        first_directory, first_mini = struct.unpack_from("<I", head, 48)[0], struct.unpack_from("<I", head, 60)[0]
        self._sectors = path.stat().st_size // self._sector + 1
        self._table = self._read_table(head)
        self._directory = self._entries(self._chain(first_directory))
        self._mini_table = _numbers(self._chain(first_mini)) if first_mini < _FREE else ()

    def __enter__(self) -> CompoundFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def names(self) -> tuple[str, ...]:
        """Names of all streams and storages."""
        return tuple(self._directory)

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of the stream of that name; raises DecodeError `damaged` without one, `bomb` beyond `limit`."""
        if name not in self._directory:
            raise DecodeError("damaged", f"no stream {name}")
        start, size = self._directory[name]
        if size > limit:
            raise DecodeError("bomb", f"{name}: {size}")
        if size >= self._cutoff:
            return self._chain(start)[:size]
        mini = self._chain(self._directory["Root Entry"][0])
        parts, seen = list[bytes](), 0
        while start < _FREE and start < len(self._mini_table) and seen <= len(self._mini_table):
            parts.append(mini[start * self._mini_sector : (start + 1) * self._mini_sector])
            start, seen = self._mini_table[start], seen + 1
        return b"".join(parts)[:size]

    def _at(self, sector: int) -> bytes:
        self._file.seek((sector + 1) * self._sector)
        return self._file.read(self._sector)

    def _read_table(self, head: bytes) -> tuple[int, ...]:
        places = [number for number in _numbers(head[76:512]) if number < _FREE]
        extra, left = struct.unpack_from("<I", head, 68)[0], struct.unpack_from("<I", head, 72)[0]
        while extra < _FREE and left and extra < self._sectors:
            *more, extra = _numbers(self._at(extra))
            places += [number for number in more if number < _FREE]
            left -= 1
        if len(places) > self._sectors:
            raise DecodeError("damaged", "sector table larger than the file")
        return _numbers(b"".join(self._at(place) for place in places))

    def _chain(self, sector: int) -> bytes:
        parts: list[bytes] = []
        while sector < _FREE:
            if sector >= len(self._table) or len(parts) > self._sectors:
                raise DecodeError("damaged", "sector chain is broken")
            parts.append(self._at(sector))
            sector = self._table[sector]
        return b"".join(parts)

    def _entries(self, directory: bytes) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for at in range(0, len(directory) - 127, 128):
            length = struct.unpack_from("<H", directory, at + 64)[0]
            name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            if name:
                found.setdefault(name, struct.unpack_from("<II", directory, at + 116))
        return found


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
