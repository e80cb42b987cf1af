"""Write and read items, their pages and files. A page is read without the thousands beside it; text only when asked for.

`put_item` replaces everything of an item in the transaction that is open; nothing of it is ever doubled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from archive.catalogue import outbox, shown
from archive.catalogue.rows import item_terms, make_rows
from archive.catalogue.schema import file, item, page, page_text, reserved, track
from archive.errors import NotFound
from archive.language import _
from archive.model.access import Terms
from archive.model.identifiers import parse_file_key
from archive.model.item import Item, MediaFile, Page, TextVersion, Track
from archive.model.rights import Audience

CHILDREN = (page, page_text, file, track)

# Statements that run for every item of an ingest are made once: building one costs SQLAlchemy more than SQLite takes to run it.
_put = insert(item)
_OURS = [c.name for c in item.columns if c.name != "id" and not c.name.startswith("withdrawn")]
_PUT = _put.on_conflict_do_update(index_elements=["id"], set_={name: _put.excluded[name] for name in _OURS})
_CLEAR = {table.name: delete(table).where(table.c.item == bindparam("of")) for table in CHILDREN}
_FILL = {table.name: table.insert() for table in CHILDREN}
_WITHDRAWN = select(item.c.withdrawn_at).where(item.c.id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as the catalogue holds it: the OCFL version it was read from, the batch that brought it, when it was described (UTC).

    `withdrawn_to` is the audience that could see it when it was withdrawn; they find a tombstone.
    """

    item: Item
    version: int
    batch: str
    described_at: str
    withdrawn_at: str | None = None
    withdrawn_reason: str = ""
    withdrawn_to: Audience | None = None


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page with its texts, its image file and its place (from 1) among all pages of the item; on what terms page, image and each text are seen."""

    page: Page
    position: int
    file: MediaFile | None
    width: int | None
    height: int | None
    terms: Terms
    image_terms: Terms
    text_terms: tuple[Terms, ...]


def put_item(connection: Connection, given: Item, *, version: int, batch: str, at: str, day: date) -> None:
    """Replace everything the catalogue holds of the item, and queue it for the index. `at` UTC; `day` today, from which rights are settled.

    A withdrawn item stays withdrawn.
    """
    rows = make_rows(given, version=version, batch=batch, at=at, day=day)
    connection.execute(_PUT, rows.item)
    for table, new in zip(CHILDREN, (rows.pages, rows.texts, rows.files, rows.tracks), strict=True):
        connection.execute(_CLEAR[table.name], {"of": given.id})
        if new:
            connection.execute(_FILL[table.name], new)
    shown.replace_rows(connection, given.id, [] if is_withdrawn(connection, given.id) else rows.shown)
    outbox.push(connection, given.id)


_ITEM = select(item).where(item.c.id == bindparam("id"))


def get_item(
    connection: Connection, item_id: str, *, pages: bool | slice = True, texts: bool = False, files: bool = True
) -> StoredItem | None:
    """The item, or None. `pages` False leaves them out, a slice (from 0, in reading order) takes some; `texts` brings page texts along."""
    row = connection.execute(_ITEM, {"id": item_id}).mappings().one_or_none()
    if row is None:
        return None
    bare = msgspec.json.decode(row["record"], type=Item)
    whole = replace(
        bare,
        pages=tuple(_pages(connection, item_id, pages, texts)) if pages is not False else (),
        files=tuple(_files(connection, item_id)) if files else (),
        tracks=tracks_of(connection, item_id),
    )
    return _stored(whole, row)


def _stored(whole: Item, row: Mapping[Any, Any]) -> StoredItem:
    rank = row["withdrawn_rank"]
    return StoredItem(
        whole,
        row["version"],
        row["batch"],
        row["described_at"],
        row["withdrawn_at"],
        row["withdrawn_reason"] or "",
        None if rank is None else Audience.of_rank(rank),
    )


def _pages(connection: Connection, item_id: str, which: bool | slice, texts: bool) -> Iterator[Page]:
    within: list[Any] = [page.c.item == item_id]
    if isinstance(which, slice):
        within.append(page.c.position > (which.start or 0))
        if which.stop is not None:
            within.append(page.c.position <= which.stop)
    query = select(page.c.record, page_text.c.record) if texts else select(page.c.record)
    if texts:
        query = query.join_from(page, page_text, (page_text.c.item == page.c.item) & (page_text.c.page == page.c.id), isouter=True)
    for row in connection.execute(query.where(*within).order_by(page.c.position)):
        yield _page(row[0], row[1] if texts else None)


def _page(record: str, text: str | None) -> Page:
    found = msgspec.json.decode(record, type=Page)
    return found if text is None else replace(found, texts=msgspec.json.decode(text, type=tuple[TextVersion, ...]))


def _files(connection: Connection, item_id: str) -> Iterator[MediaFile]:
    found = connection.execute(select(file.c.record).where(file.c.item == item_id).order_by(file.c.position))
    return (msgspec.json.decode(record, type=MediaFile) for (record,) in found)


_TRACKS = select(track.c.record).where(track.c.item == bindparam("item")).order_by(track.c.position)


def tracks_of(connection: Connection, item_id: str) -> tuple[Track, ...]:
    """All timed text of an item, with its cues."""
    return tuple(msgspec.json.decode(record, type=Track) for (record,) in connection.execute(_TRACKS, {"item": item_id}))


_PAGE = (
    select(page, page_text.c.record.label("texts_record"), page_text.c.terms, file.c.record.label("file_record"))
    .join_from(page, page_text, (page_text.c.item == page.c.item) & (page_text.c.page == page.c.id), isouter=True)
    .outerjoin(file, (file.c.item == page.c.item) & (file.c.id == page.c.file))
    .where(page.c.item == bindparam("item"), page.c.id == bindparam("page"))
)


def get_page(connection: Connection, item_id: str, page_id: str) -> StoredPage | None:
    """One page with its texts and image file, or None; as quick in a work of 27,000 pages as in one of two."""
    row = connection.execute(_PAGE, {"item": item_id, "page": page_id}).mappings().one_or_none()
    if row is None:
        return None
    image = msgspec.json.decode(row["file_record"], type=MediaFile) if row["file_record"] else None
    return StoredPage(
        _page(row["record"], row["texts_record"]),
        row["position"],
        image,
        row["width"],
        row["height"],
        terms_of(row),
        terms_of(row, "image_"),
        msgspec.json.decode(row["terms"], type=tuple[Terms, ...]) if row["terms"] else (),
    )


def terms_of(row: Mapping[Any, Any], prefix: str = "") -> Terms:
    """The terms that a row of `page`, `file` or `track` holds."""
    return Terms(row[f"{prefix}rank"], row[f"{prefix}until"], row[f"{prefix}after"])


def seen_by(table: Any, reader: Any, day: Any, prefix: str = "") -> Any:
    """SQL condition: a reader of rank `reader` may see the row on `day` (ordinal). The item itself is asked apart."""
    rank, until, after = (table.c[f"{prefix}{name}"] for name in ("rank", "until", "after"))
    return ((until.is_(None) | (until > day)) & (rank <= reader)) | ((until <= day) & (after <= reader))


def _neighbour(before: bool) -> Select[str]:
    beyond = page.c.position < bindparam("position") if before else page.c.position > bindparam("position")
    order = page.c.position.desc() if before else page.c.position
    here = page.c.item == bindparam("item")
    return select(page.c.id).where(here, beyond, seen_by(page, bindparam("reader"), bindparam("day"))).order_by(order).limit(1)


_BEFORE, _AFTER = _neighbour(True), _neighbour(False)


def page_neighbours(
    connection: Connection,
    item_id: str,
    position: int,
    reader: Audience = Audience.SEALED,
    day: date = date.min,
) -> tuple[str | None, str | None]:
    """Ids of the pages before and after `position` that a reader sees, None at the ends."""
    values = {"item": item_id, "position": position, "reader": reader.rank, "day": day.toordinal()}
    return connection.execute(_BEFORE, values).scalars().first(), connection.execute(_AFTER, values).scalars().first()


def file_by_key(connection: Connection, key: str) -> tuple[str, MediaFile, int | None] | None:
    """Item id, file and part (from 1, or None) of an archive-wide file key, or None when there is no such file. Raises UsageError."""
    item_id, file_id, part = parse_file_key(key)
    record = connection.execute(select(file.c.record).where(file.c.item == item_id, file.c.id == file_id)).scalar_one_or_none()
    return None if record is None else (item_id, msgspec.json.decode(record, type=MediaFile), part)


_HOLDERS = select(file.c.item, file.c.id).where(file.c.sha512 == bindparam("sha512")).order_by(file.c.item, file.c.position)
_FIND = select(item.c.id).where(item.c.accession == bindparam("accession"), item.c.key == bindparam("key"))
_VERSION = select(item.c.version).where(item.c.id == bindparam("id"))


def files_by_sha512(connection: Connection, sha512: str) -> list[tuple[str, str]]:
    """(item id, file id) of every original with these bytes."""
    found = connection.execute(_HOLDERS, {"sha512": sha512})
    return [(item_id, file_id) for item_id, file_id in found]


def find_item(connection: Connection, accession: str, key: str) -> str | None:
    """The id of the item with this identity, or None."""
    return connection.execute(_FIND, {"accession": accession, "key": key}).scalars().first()


def version_of(connection: Connection, item_id: str) -> int | None:
    """The OCFL version at which an item is registered, None when it is not."""
    return connection.execute(_VERSION, {"id": item_id}).scalar_one_or_none()


def item_ids(connection: Connection, *, batch: str | None = None, accession: str | None = None) -> list[str]:
    """Ids of all items, or of those that a batch described last, or of an accession; in order of id, withdrawn ones too."""
    query = select(item.c.id).order_by(item.c.id)
    if batch is not None:
        query = query.where(item.c.batch == batch)
    if accession is not None:
        query = query.where(item.c.accession == accession)
    return list(connection.execute(query).scalars())


def is_withdrawn(connection: Connection, item_id: str) -> bool:
    """True when the item exists and a tombstone stands in its place."""
    return connection.execute(_WITHDRAWN, {"of": item_id}).scalar() is not None


def remove_item(connection: Connection, item_id: str) -> None:
    """Forget the item wholly (undo, trash), and queue it so that the index forgets it."""
    shown.replace_rows(connection, item_id, [])
    for clear in _CLEAR.values():
        connection.execute(clear, {"of": item_id})
    connection.execute(delete(item).where(item.c.id == item_id))
    outbox.push(connection, item_id)


def withdraw(connection: Connection, item_id: str, *, at: str, reason: str) -> None:
    """Put a tombstone in its place for those who could see it on the day of `at` (UTC, ISO 8601); raises NotFound."""
    given = get_item(connection, item_id, pages=False, files=False)
    if given is None:
        raise NotFound(_("%(id)s：目录库里没有这件。", id=item_id))
    rank = item_terms(given.item, datetime.fromisoformat(at).date()).rank
    values = {"withdrawn_at": at, "withdrawn_reason": reason, "withdrawn_rank": rank}
    connection.execute(update(item).where(item.c.id == item_id).values(values))
    shown.replace_rows(connection, item_id, [])
    outbox.push(connection, item_id)


def reinstate(connection: Connection, item_id: str, day: date) -> None:
    """Take the tombstone away, if one stands there; raises NotFound."""
    values = {"withdrawn_at": None, "withdrawn_reason": None, "withdrawn_rank": None}
    changed = connection.execute(update(item).where(item.c.id == item_id, item.c.withdrawn_at.is_not(None)).values(values))
    if changed.rowcount or not connection.execute(_ITEM, {"id": item_id}).first():
        refresh_visibility(connection, item_id, day)


def due_changes(connection: Connection, day: date) -> list[str]:
    """Ids of items in which rights have changed by `day` since they were last settled; withdrawn ones are not among them."""
    due = (item.c.changes <= day.toordinal()) & item.c.withdrawn_at.is_(None)
    return list(connection.execute(select(item.c.id).where(due).order_by(item.c.id)).scalars())


def refresh_visibility(connection: Connection, item_id: str, day: date) -> None:
    """Settle the item's rights anew from `day` on and queue it for the index, which knows one change ahead only; raises NotFound."""
    stored = get_item(connection, item_id, texts=True)
    if stored is None:
        raise NotFound(_("%(id)s：目录库里没有这件。", id=item_id))
    put_item(connection, stored.item, version=stored.version, batch=stored.batch, at=stored.described_at, day=day)


def reserve(connection: Connection, ids: Iterable[str], why: str) -> None:
    """Ids never to be given to another item: what was purged, erased or is in the trash."""
    for item_id in ids:
        connection.execute(insert(reserved).values(id=item_id, why=why).on_conflict_do_update(index_elements=["id"], set_={"why": why}))


def release(connection: Connection, item_id: str) -> None:
    """The id is in use again by the item it belonged to."""
    connection.execute(delete(reserved).where(reserved.c.id == item_id))


def reserved_ids(connection: Connection) -> dict[str, str]:
    """Reserved ids and why."""
    return {item_id: why for item_id, why in connection.execute(select(reserved))}  # noqa: C416
