"""`fangzhi index --text`: bare pages of text, a JSON object a line, as items without images, kept as OCFL objects like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import msgspec

from archive.assembly import Archive
from archive.catalogue import items as item_rows
from archive.errors import UsageError
from archive.language import _
from archive.model.decision import Decisions
from archive.model.donation import Donation
from archive.model.event import Event
from archive.model.folios import Folio, Side
from archive.model.identifiers import derived_item_id, item_id_from
from archive.model.item import FileRole, Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion
from archive.model.rights import Audience, Rights
from archive.services import objects
from archive.services.locks import lock
from ingest.stages import mint, preserve, register

ACCESSION = "text"
KIND = "gazetteer"


class Leaf(msgspec.Struct, frozen=True):
    """One line of the file. `leaf` is the printed leaf with its side (`12a`); a line of `text` is a printed column."""

    work: str
    title: str
    text: str
    juan: str | int | None = None
    leaf: str | int | None = None


@dataclass(slots=True)
class _Work:
    title: str
    leaves: list[Leaf] = field(default_factory=list)


def read_leaves(stream: BinaryIO, name: str) -> Iterator[Leaf]:
    """Leaves of a JSONL file; raises UsageError naming file and line of one that cannot be read."""
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            yield msgspec.json.decode(line, type=Leaf)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise UsageError(_("%(name)s 第 %(line)d 行读不懂：%(why)s", name=name, line=number, why=error)) from error


def take_in(archive: Archive, stream: BinaryIO, name: str, audience: Audience, *, agent: str) -> tuple[int, int]:
    """Take every work of the file in, replacing what it held before; works and leaves. The index is drained by the caller."""
    works: dict[str, _Work] = {}
    for leaf in read_leaves(stream, name):
        works.setdefault(leaf.work, _Work(leaf.title)).leaves.append(leaf)
    with lock(archive.settings.run, "ingest"):
        for key, work in works.items():
            _keep(archive, key, work, audience, agent)
    return len(works), sum(len(work.leaves) for work in works.values())


def _keep(archive: Archive, key: str, work: _Work, audience: Audience, agent: str) -> None:
    content = b"".join(msgspec.json.encode(leaf) + b"\n" for leaf in work.leaves)
    draft = _item(key, work, content, audience)
    found = mint.find(archive.store, archive.catalogue, draft, tuple(archive.store.trashed()))
    earlier = found.earlier
    item = mint.mint(replace(draft, id=found.id), found.described)
    if earlier and earlier.described == item:
        if not _registered(archive, earlier):
            register.register(archive.catalogue, archive.store, item.id, day=archive.today())
        return
    staged = archive.settings.staging / "ingest" / f"leaves-{item.id}"
    staged.parent.mkdir(parents=True, exist_ok=True)
    staged.write_bytes(content)
    at = archive.stamp()
    events = list(objects.read_events(archive.store, item.id)) if earlier else []
    preserve.preserve(
        archive.store,
        item,
        earlier.decisions if earlier else Decisions(journal=archive.journal.last() if found.described else 0),
        Donation(ACCESSION, source="文本"),
        [*events, Event(item.id, "ingestion", at, agent, detail={"leaves": len(item.pages)})],
        {item.files[0].path: staged},
        batch=f"{ACCESSION}.1",
        agent=agent,
        at=at,
        before=earlier.version if earlier else 0,
    )
    register.register(archive.catalogue, archive.store, item.id, day=archive.today())


def _registered(archive: Archive, earlier: objects.ItemObject) -> bool:
    with archive.catalogue.read() as connection:
        row = item_rows.get_item(connection, earlier.described.id, pages=False, files=False)
    return row is not None and row.version == earlier.version


def _item(key: str, work: _Work, content: bytes, audience: Audience) -> Item:
    file = MediaFile(
        "f1",
        "originals/leaves.jsonl",
        f"{key}/leaves.jsonl",
        len(content),
        hashlib.sha512(content).hexdigest(),
        "application/jsonl",
        MediaKind.TEXT,
        FileRole.TEXT,
        "JSON Lines",
    )
    pages = tuple(_page(number, leaf) for number, leaf in enumerate(work.leaves, 1))
    item_id = item_id_from(key) or derived_item_id(ACCESSION, key)
    return Item(item_id, ACCESSION, KIND, "local-gazetteers", work.title, key=key, files=(file,), pages=pages, rights=Rights(audience))


def _page(number: int, leaf: Leaf) -> Page:
    text = TextVersion(TextSource.DONOR, tuple(TextLine(line) for line in leaf.text.split("\n")))
    juan = None if leaf.juan is None else str(leaf.juan)
    ye, side = _leaf(None if leaf.leaf is None else str(leaf.leaf))
    folio = Folio(juan=juan, ye=ye, side=side) if juan or ye else None
    return Page(f"p{number}", number, folio=folio, texts=(text,) if leaf.text else ())


def _leaf(written: str | None) -> tuple[str | None, Side | None]:
    if written and written[-1:] in ("a", "b"):
        return written[:-1], Side(written[-1])
    return written, None
