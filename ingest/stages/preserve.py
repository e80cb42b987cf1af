"""Preserve: one new OCFL version of an item's object, when there is anything new to keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.model.decision import Decisions
from archive.model.donation import Donation
from archive.model.event import Event
from archive.model.item import Item
from archive.services import objects
from archive.storage.base import ObjectStore


@dataclass(frozen=True, slots=True)
class Preserved:
    """`version` is the object's head now; `before` what it was (0: the object is new); `changed` False when nothing new was to be kept."""

    version: int
    before: int
    changed: bool


def is_kept(store: ObjectStore, item: Item, decisions: Decisions, donation: Donation) -> bool:
    """True when the head of the item's object already says exactly this (events aside: each run would word them anew)."""
    try:
        earlier = objects.read_object(store, item.id)
    except LookupError:
        return False
    return earlier.described == item and earlier.decisions == decisions and earlier.donation == donation


def preserve(
    store: ObjectStore,
    item: Item,
    decisions: Decisions,
    donation: Donation,
    events: Iterable[Event],
    originals: Mapping[str, Path | str],
    *,
    batch: str,
    agent: str,
    at: str,
    before: int,
) -> Preserved:
    """Write the next version of the item's object: `originals` (logical path to a staged file, or the sha512 of content it holds) and metadata.

    `before` is the head this description was made against; raises Conflict when somebody else wrote a version meanwhile.
    """
    state: dict[str, Path | bytes | str] = dict(originals)
    state.update(objects.metadata_files(item, decisions, donation, events))
    known = {file.path: file.sha512 for file in item.files if isinstance(originals.get(file.path), Path)}
    version = store.add_version(
        item.id, state, message=f"{objects.INGESTION}{batch}", user=agent, created=at, expect_head=before, known=known
    )
    return Preserved(version, before, version != before)
