"""A file of named numpy arrays, written once, durable before it is named anywhere, and read by mapping it into memory.

Layout: 8 bytes length of the head, the head (JSON: size of the file, arrays by name with type, offset and length, and `extra`), then the
arrays, each on a multiple of 64 bytes. A file of another size than its head says is torn.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.errors import SearchIndexError

Array = NDArray[Any]
_ALIGN = 64


def _up(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def write_arrays(path: Path, arrays: Mapping[str, Array], extra: Mapping[str, Any] | None = None) -> None:
    """Write the arrays and `extra` (JSON values) and put them on the disk."""
    places, offset = {}, 0
    for name, array in arrays.items():
        places[name] = [array.dtype.str, offset, len(array)]
        offset += _up(array.nbytes)
    head: dict[str, Any] = {"arrays": places, "extra": extra or {}, "size": 0}
    room = _up(len(json.dumps(head)) + 24 + 8) - 8
    head["size"] = 8 + room + offset
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", room) + json.dumps(head).encode().ljust(room))
        for array in arrays.values():
            stream.write(np.ascontiguousarray(array).data)
            stream.write(b"\0" * (_up(array.nbytes) - array.nbytes))
        stream.flush()
        os.fsync(stream.fileno())


def map_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays (read only, mapped) and `extra` of a file. Raises SearchIndexError when it is torn, FileNotFoundError when it is gone."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size < 8:
            raise SearchIndexError(f"{path.name}: torn file in the search index: fangzhi rebuild index")
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        (room,) = struct.unpack_from("<Q", mapped, 0)
        head = json.loads(mapped[8 : 8 + room])
        if head["size"] != size:
            raise ValueError(f"{size} bytes, expected {head['size']}")
        base = 8 + room
        arrays = {
            name: np.frombuffer(mapped, dtype, count, base + offset) if count else np.zeros(0, dtype)
            for name, (dtype, offset, count) in head["arrays"].items()
        }
    except (ValueError, KeyError, struct.error) as error:
        raise SearchIndexError(f"{path.name}: torn file in the search index ({error}): fangzhi rebuild index") from error
    return arrays, head["extra"]
