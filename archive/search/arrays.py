"""A file of named numpy arrays, written once, durable before it is named anywhere, and read by mapping it into memory.

Layout: the arrays one after another, each on a multiple of 64 bytes; then the foot (JSON: arrays by name with type, offset and length, and
`extra`), the length of the foot in 8 bytes, and 8 bytes that say the file is whole. So arrays are written as they are made, whatever their
length turns out to be. A file without its last bytes, or of another length than its foot says, is torn.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from archive.errors import SearchIndexError

Array = NDArray[Any]
Arrays = Mapping[str, Array]
_ALIGN = 64
_WHOLE = b"FZARRAYS"


class Spool:
    """An array on its way to a file, a block at a time."""

    def __init__(self, stream: IO[bytes], dtype: DTypeLike) -> None:
        self.stream = stream
        self.dtype = np.dtype(dtype)
        self.length = 0

    def append(self, block: Array) -> None:
        """Write the next values."""
        self.stream.write(np.ascontiguousarray(block, self.dtype).data)
        self.length += len(block)


class ArrayWriter:
    """Writes one file of arrays. Nothing of it counts until `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("wb")
        self._places: dict[str, list[Any]] = {}

    def put(self, name: str, array: Array) -> None:
        """Write a whole array."""
        with self.growing(name, array.dtype) as spool:
            spool.append(array)

    @contextmanager
    def growing(self, name: str, dtype: DTypeLike) -> Iterator[Spool]:
        """An array whose length is not known yet, written in place; one at a time."""
        self._stream.write(b"\0" * (-self._stream.tell() % _ALIGN))
        offset = self._stream.tell()
        spool = Spool(self._stream, dtype)
        yield spool
        self._places[name] = [spool.dtype.str, offset, spool.length]

    def reserve(self, name: str, dtype: DTypeLike, length: int) -> int:
        """Leave room for an array, whose values are written by `write_at`. Gives where in the file they begin."""
        with self.growing(name, dtype) as spool:
            spool.length = length
            offset = self._stream.tell()
            self._stream.seek(offset + length * spool.dtype.itemsize)
        return offset

    @contextmanager
    def beside(self, name: str, dtype: DTypeLike) -> Iterator[Spool]:
        """As `growing`, for an array that grows while another one does: kept in a nameless file until it is whole."""
        with tempfile.TemporaryFile(dir=self.path.parent) as aside:
            spool = Spool(aside, dtype)
            yield spool
            aside.seek(0)
            with self.growing(name, dtype) as place:
                shutil.copyfileobj(aside, self._stream, 1 << 20)
                place.length = spool.length

    def close(self, extra: Mapping[str, Any] | None = None, durable: bool = True) -> None:
        """Write the foot with `extra` (JSON values) and, when `durable`, put the file on the disk."""
        foot = json.dumps({"arrays": self._places, "extra": extra or {}, "size": self._stream.tell()}).encode()
        self._stream.write(foot + struct.pack("<Q", len(foot)) + _WHOLE)
        self._stream.flush()
        if durable:
            os.fsync(self._stream.fileno())
        self._stream.close()

    def abandon(self) -> None:
        """Let go of the file and remove it."""
        self._stream.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def array_writer(path: Path) -> Iterator[ArrayWriter]:
    """A writer whose file is removed when the writing fails; the caller closes it."""
    writer = ArrayWriter(path)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise


def write_arrays(path: Path, arrays: Arrays, extra: Mapping[str, Any] | None = None, durable: bool = True) -> None:
    """Write the arrays and `extra` (JSON values) and, when `durable`, put them on the disk."""
    with array_writer(path) as writer:
        for name, array in arrays.items():
            writer.put(name, array)
        writer.close(extra, durable)


def write_at(path: Path, offset: int, array: Array) -> None:
    """Write values into room that was reserved, from any process; durable when the file's writer closes it."""
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(np.ascontiguousarray(array).data)


def map_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays (read only, mapped) and `extra` of a file. Raises SearchIndexError when it is torn, FileNotFoundError when it is gone."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size < 16:
            raise SearchIndexError(f"{path.name}: torn file in the search index: fangzhi rebuild index")
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        (length,) = struct.unpack_from("<Q", mapped, size - 16)
        if mapped[size - 8 :] != _WHOLE or length > size - 16:
            raise ValueError("its end is missing")
        foot = json.loads(mapped[size - 16 - length : size - 16])
        if foot["size"] != size - 16 - length:
            raise ValueError(f"{size - 16 - length} bytes, expected {foot['size']}")
        arrays = {
            name: np.frombuffer(mapped, dtype, count, offset) if count else np.zeros(0, dtype)
            for name, (dtype, offset, count) in foot["arrays"].items()
        }
    except (ValueError, KeyError, struct.error) as error:
        raise SearchIndexError(f"{path.name}: torn file in the search index ({error}): fangzhi rebuild index") from error
    return arrays, foot["extra"]
