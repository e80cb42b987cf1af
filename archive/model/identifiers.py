"""Identifiers: items, their pages, files and segments; accession numbers. Parse, check, mint.

An item id is `[a-z0-9-]{3,64}`. Pages, files, segments and tracks have ids minted once inside the item (`p12`, `f3`, `s1`, `t1`).
Across the archive a file is `ITEM.f3`, one image of a multi-page file `ITEM.f3-5` (part 5, from 1).
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata

from archive.errors import UsageError

_ITEM = re.compile(r"[a-z0-9-]{3,64}")
_FILE = re.compile(r"([a-z0-9-]{3,64})\.(f[0-9]+)(?:-([0-9]+))?")


def is_item_id(text: str) -> bool:
    """True when `text` has the form of an item id."""
    return _ITEM.fullmatch(text) is not None


def check_item_id(text: str) -> str:
    """Give back `text`; raise UsageError when it does not have the form of an item id."""
    if not is_item_id(text):
        raise UsageError(f"{text!r} is no item id: 3 to 64 of a-z, 0-9 and '-'")
    return text


def item_id_from(identifier: str) -> str | None:
    """The item id that a sheet's identifier asks for, or None when nothing usable is in it.

    Full-width forms are narrowed, letters lowered, anything else than letters and digits becomes one hyphen.
    An identifier with Chinese characters gives None: ids must survive being typed and printed anywhere.
    """
    text = unicodedata.normalize("NFKC", identifier).strip().lower()
    if not text.isascii():
        return None
    text = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    return text if is_item_id(text) else None


def derived_item_id(accession: str, key: str) -> str:
    """The item id for (accession, key), where key is the identifier as written or the path inside the folder; always the same."""
    digest = hashlib.sha256(f"{accession}\0{unicodedata.normalize('NFC', key)}".encode()).digest()
    tail = base64.b32encode(digest).decode().lower()[:10]
    head = item_id_from(accession) or "item"
    return f"{head[:50]}-{tail}"


def file_key(item: str, file: str, part: int | None = None) -> str:
    """The archive-wide key of a file or of one image in it: `ITEM.f3`, `ITEM.f3-5`."""
    return f"{item}.{file}" if part is None else f"{item}.{file}-{part}"


def parse_file_key(key: str) -> tuple[str, str, int | None]:
    """Item id, file id and part (from 1, or None) of a key; raises UsageError for anything else."""
    match = _FILE.fullmatch(key)
    if match is None:
        raise UsageError(f"{key!r} is no file key")
    item, file, part = match.groups()
    return item, file, int(part) if part else None
