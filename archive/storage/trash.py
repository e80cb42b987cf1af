"""What lies in the trash: `extensions/fangzhi-trash/ID/` with `note.json` and, as `object`, the whole object.

The trash is inside the storage root, so that it is kept, moved and backed up with the originals; OCFL leaves extensions to whoever writes
them, and no reader of the storage root takes them for objects. The same id may lie there several times, as `ID`, `ID.2`, `ID.3` …
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from archive.storage import layout
from archive.storage.local import sync_folder, told, write_new

log = logging.getLogger(__name__)

NOTE = "note.json"
OBJECT = "object"


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """One object in the trash: its id, why and when (UTC) it went there, and the folder of the entry."""

    item: str
    reason: str
    at: str
    folder: Path

    def before(self, moment: datetime) -> bool:
        """True when it went there before `moment`."""
        at = datetime.fromisoformat(self.at)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)) < moment


class _Note(msgspec.Struct, frozen=True):
    item: str
    reason: str
    at: str


def write_entry(folder: Path, item: str, reason: str, at: str) -> None:
    """Make the folder of an entry with its note, durably; the object is moved in later."""
    folder.mkdir()
    write_new(folder / NOTE, msgspec.json.format(msgspec.json.encode(_Note(item, reason, at))))
    sync_folder(folder)


def read_entry(folder: Path) -> TrashEntry | None:
    """The entry in `folder`, None when its note cannot be read."""
    try:
        note = msgspec.json.decode((folder / NOTE).read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError):
        log.warning("trash: %s has no readable note", folder)
        return None
    return TrashEntry(note.item, note.reason, note.at, folder)


def read_entries(trash: Path) -> tuple[TrashEntry, ...]:
    """All entries that hold an object; of one id the oldest first."""
    with told(trash):
        folders = sorted(trash.iterdir(), key=_order) if trash.is_dir() else []
    return tuple(entry for folder in folders if (folder / OBJECT).is_dir() and (entry := read_entry(folder)))


def folders_of(trash: Path, item: str) -> list[Path]:
    """The folders of an id's entries, with or without an object, the oldest first."""
    name = layout.encapsulation(item)
    return sorted((folder for folder in trash.glob(f"{name}*") if _order(folder)[0] == name), key=_order)


def free_folder(trash: Path, item: str) -> Path:
    """Where the next entry of an id goes."""
    taken = folders_of(trash, item)
    name = layout.encapsulation(item)
    return trash / (f"{name}.{_order(taken[-1])[1] + 1}" if taken else name)


def _order(folder: Path) -> tuple[str, int]:
    # `.` never stands in an encapsulated id, so `ID.2` is nobody else's.
    name, _dot, count = folder.name.partition(".")
    return name, int(count) if count.isdecimal() else 1
