"""Where things lie: object id to folder (OCFL extension 0003), logical path to content path."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from archive.errors import StorageError
from archive.language import _

NAME = "0003-hash-and-id-n-tuple-storage-layout"
DESCRIPTION = "Hashed Truncated N-tuple Trees with Object ID Encapsulating Directory for OCFL Storage Hierarchies"
CONFIG = {"extensionName": NAME, "digestAlgorithm": "sha256", "tupleSize": 3, "numberOfTuples": 3}
LAYOUT_FILE = "ocfl_layout.json"
ROOT_DECLARATION = "0=ocfl_1.1"
ROOT_DECLARATION_TEXT = b"ocfl_1.1\n"

_LONGEST_NAME = 240
"""Bytes of one name; file systems take 255, and something may have to be put behind it."""
_LONGEST_PATH = 1500
"""Bytes of a content path; Linux takes 4096 for the whole path, and the object's own place goes before it."""


_OTHERS = re.compile(r"[^A-Za-z0-9_-]")


def encapsulation(item: str) -> str:
    """The name of an object's own folder: the id with all but A-Z a-z 0-9 - _ percent-encoded, cut at 100 characters."""
    encoded = _OTHERS.sub(lambda match: "".join(f"%{byte:02x}" for byte in match[0].encode()), item)
    return encoded if len(encoded) <= 100 else f"{encoded[:100]}-{hashlib.sha256(item.encode()).hexdigest()}"


@lru_cache(maxsize=4096)
def object_path(item: str) -> Path:
    """The folder of an object, relative to the storage root."""
    digest = hashlib.sha256(item.encode()).hexdigest()
    return Path(digest[0:3], digest[3:6], digest[6:9], encapsulation(item))


def object_folders(root: Path) -> Iterator[Path]:
    """The folders in which objects lie (three tuples down), in no promised order."""
    level = [root]
    for depth in range(3):
        level = [child for folder in level for child in _folders(folder, tuple_only=depth == 0)]
    for folder in level:
        yield from _folders(folder)


def _folders(folder: Path, tuple_only: bool = False) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False) and (not tuple_only or len(e.name) == 3)]
    except FileNotFoundError:  # the last object in it was moved away since it was listed
        return []


def id_of(folder: Path) -> str | None:
    """The id that a folder's name states, None when the name was cut and only the inventory knows."""
    item = unquote(folder.name, errors="replace")
    return item if encapsulation(item) == folder.name else None


def check_logical_paths(paths: Iterable[str]) -> None:
    """Raise StorageError for a path that no version state may hold (OCFL 1.1 §3.5.3.1: E052, E053, E095)."""
    whole = set(paths)
    for path in sorted(whole):
        parts = path.split("/")
        if not all(part not in ("", ".", "..") for part in parts) or "\0" in path:
            raise StorageError(_("%(path)r：不能作为对象内的路径（不能有空的一段、“.”、“..”）。", path=path))
        try:
            path.encode()
        except UnicodeEncodeError:
            raise StorageError(_("%(path)r：文件名不是有效的 Unicode。请先把它解码（例如按 GB18030）再存入。", path=path)) from None
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in whole:
                raise StorageError(_("%(path)s：同一个名字既是文件又是文件夹。", path="/".join(parts[:end])))


def content_path(version: str, logical: str) -> str:
    """Where the content of a logical path is written, relative to the object: the same path, but names too long for disks are shortened.

    OCFL leaves the content path free: the name as given always stands in the version state.
    """
    short = "/".join(_shortened(part) for part in logical.split("/"))
    if len(short.encode()) > _LONGEST_PATH:
        short = "long/" + _shortened(logical, longest=0)
    return f"{version}/content/{short}"


def _shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    if len(name.encode()) <= longest:
        return name
    ending = re.search(r"\.[A-Za-z0-9]{1,10}$", name)
    return hashlib.sha256(name.encode()).hexdigest()[:40] + (ending[0].lower() if ending else "")
