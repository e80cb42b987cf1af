"""An item as files of its OCFL object, and back. The one place that knows what an object's state looks like.

originals/<path as given>   what the donor gave
metadata/item.json          the description, files, pages, segments (no page texts)
metadata/texts.jsonl        one line a page that has text: {"page": id, "texts": [...]}
metadata/decisions.json     what people decided since (overlay)
metadata/donation.json      the accession it came with
metadata/events.jsonl       what was done to it on its way in, PREMIS words
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from archive import records
from archive.errors import CorruptObject, NotFound
from archive.language import _
from archive.model.decision import Decisions
from archive.model.donation import Donation
from archive.model.event import Event
from archive.model.item import Item, Page, TextVersion
from archive.storage.base import ObjectStore, VersionInfo

ITEM = "metadata/item.json"
TEXTS = "metadata/texts.jsonl"
DECISIONS = "metadata/decisions.json"
DONATION = "metadata/donation.json"
EVENTS = "metadata/events.jsonl"
INGESTION = "ingestion "
"""Version messages of the pipeline begin with this word, followed by the batch id."""

PAPERS = "papers:"
"""Objects so called hold what came with a donation but belongs to no item: sheets, checksum lists. They are kept and verified, never shown."""
UNDO = "undo "
"""Version messages of a batch taken back begin with this word, followed by the batch id."""


@dataclass(frozen=True, slots=True)
class ItemObject:
    """What one version of an item's object says. `described` is the sheet's description with page texts; `item` the same under `decisions`."""

    described: Item
    decisions: Decisions
    donation: Donation
    version: int
    batch: str
    """The batch that described it last, empty when none did."""
    created: str

    @property
    def item(self) -> Item:
        """The item as people see it."""
        return self.decisions.apply(self.described)


class _PageTexts(msgspec.Struct, frozen=True):
    page: str
    texts: tuple[TextVersion, ...]


def metadata_files(item: Item, decisions: Decisions, donation: Donation, events: Iterable[Event]) -> dict[str, bytes]:
    """The metadata files of an object's next version, by logical path; the same values give the same bytes."""
    bare = replace(item, pages=tuple(replace(page, texts=()) for page in item.pages))
    texts = b"".join(_line({"page": page.id, "texts": page.texts}) for page in item.pages if page.texts)
    files = {
        ITEM: records.encode(bare),
        DECISIONS: records.encode(decisions),
        DONATION: records.encode(donation),
        EVENTS: b"".join(_line(event) for event in events),
    }
    if texts:
        files[TEXTS] = texts
    return files


def _line(value: object) -> bytes:
    return msgspec.json.encode(records.to_record(value)) + b"\n"


def item_ids(store: ObjectStore) -> Iterator[str]:
    """Ids of the objects that are items (not the papers of a donation)."""
    return (item for item in store.items() if not item.startswith(PAPERS))


def read_object(store: ObjectStore, item: str, version: int | None = None) -> ItemObject:
    """What a version (the head when None) of an item's object says; raises NotFound, and CorruptObject when its metadata cannot be read."""
    versions = store.versions(item)
    info = versions[-1] if version is None else versions[version - 1]
    texts = _read(store, item, TEXTS, info.number) if TEXTS in info.state else b""
    try:
        return ItemObject(
            _described(_read(store, item, ITEM, info.number), texts),
            records.decode(_read(store, item, DECISIONS, info.number), Decisions),
            records.decode(_read(store, item, DONATION, info.number), Donation),
            info.number,
            next(reversed(batches_of(versions[: info.number])), ""),
            versions[0].created,
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = _(
            "%(item)s 的著录（metadata）读不懂：%(why)s。请运行 fangzhi verify %(item)s，并从备份恢复这一件。", item=item, why=error
        )
        raise CorruptObject(item, "metadata/", "E092", message) from error


def batches_of(versions: Iterable[VersionInfo]) -> list[str]:
    """The batches that described an object, oldest first, without those that were taken back."""
    described: list[str] = []
    for version in versions:
        word, batch = version.message.split(" ", 1)[0] + " ", version.message.split(" ")[1:2]
        if word == INGESTION and batch:
            described.append(batch[0])
        elif word == UNDO and batch:
            described = [earlier for earlier in described if earlier != batch[0]]
    return described


def read_events(store: ObjectStore, item: str) -> tuple[Event, ...]:
    """The events written into the object, oldest first, each once; those of versions that were taken back too. Raises NotFound."""
    found: dict[bytes, None] = {}
    read: set[str] = set()
    for info in store.versions(item):
        if EVENTS in info.state and info.state[EVENTS] not in read:
            read.add(info.state[EVENTS])
            found |= dict.fromkeys(_read(store, item, EVENTS, info.number).splitlines())
    return tuple(msgspec.json.decode(line, type=Event) for line in found)


def read_trashed(store: ObjectStore, item: str) -> Item:
    """The description, with page texts, of the object of this id that went to the trash last; raises NotFound."""
    with store.open_trashed(item, ITEM) as stream:
        described = stream.read()
    try:
        with store.open_trashed(item, TEXTS) as stream:
            return _described(described, stream.read())
    except NotFound:
        return _described(described, b"")


def _described(described: bytes, texts: bytes) -> Item:
    item = records.decode(described, Item)
    entries = (msgspec.json.decode(line, type=_PageTexts) for line in texts.splitlines())
    by_page = {entry.page: entry.texts for entry in entries}
    return replace(item, pages=tuple(_with_texts(page, by_page) for page in item.pages)) if by_page else item


def originals_of(state: Mapping[str, str]) -> dict[str, str]:
    """The part of a version's state that is originals: logical path to sha512."""
    return {path: digest for path, digest in state.items() if path.startswith("originals/")}


def _with_texts(page: Page, texts: Mapping[str, tuple[TextVersion, ...]]) -> Page:
    return replace(page, texts=texts[page.id]) if page.id in texts else page


def _read(store: ObjectStore, item: str, path: str, version: int | None) -> bytes:
    with store.open(item, path, version) as stream:
        return stream.read()
