"""The tables. One metadata for every database; the first migration makes them, and a test holds the two together.

Columns hold what is asked for in a WHERE or ORDER BY; everything else of a model value is in `record`, as `archive.records` writes it.
Who may see a part is three numbers (`archive.model.access.Terms`): `rank`, from the day `until` on `after`. `shown` holds the same for
whole items, worked out for every group of readers and every span of days, so that lists and counts read nothing else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

FIRST, FOREVER = 0, 3_652_060
"""Proleptic ordinals before and after every day."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Any, **options: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, **options)


def _item() -> Column[str]:
    return Column("item", Text, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


def _number(name: str, **options: Any) -> Column[int]:
    return Column(name, Integer, nullable=False, **options)


def _terms(prefix: str = "") -> tuple[Column[int], Column[int | None], Column[int | None]]:
    """`rank`, `until`, `after` of one part."""
    return _number(f"{prefix}rank"), Column(f"{prefix}until", Integer), Column(f"{prefix}after", Integer)


item = _table(
    "item",
    _text("id", primary_key=True),
    _text("accession"),
    _text("key"),
    _text("kind"),
    _text("collection"),
    _text("title"),
    _text("date"),
    Column("year_first", Integer),
    Column("year_last", Integer),
    _text("batch"),
    _number("version"),
    _text("described_at"),
    *_terms(),
    Column("changes", Integer),
    Column("withdrawn_at", Text),
    Column("withdrawn_reason", Text),
    Column("withdrawn_rank", Integer),
    _number("to_describe"),
    _number("n_pages"),
    _text("record"),
    Index(None, "accession", "key"),
    Index(None, "batch"),
    Index(None, "changes"),
)

page = _table(
    "page",
    _item(),
    _number("position", primary_key=True),
    _text("id"),
    Column("file", Text),
    Column("part", Integer),
    Column("width", Integer),
    Column("height", Integer),
    *_terms(),
    *_terms("image_"),
    *_terms("text_"),
    _number("texts"),
    _text("record"),
    Index(None, "item", "id", unique=True),
    Index(None, "item", "file", "part"),
    sqlite_with_rowid=False,
)

page_text = _table("page_text", _item(), _text("page", primary_key=True), _text("record"), _text("terms"))
"""All readings of a page; `terms` is a list beside `record`, who may see each."""

file = _table(
    "file",
    _item(),
    _text("id", primary_key=True),
    _number("position"),
    _text("path"),
    _text("sha512"),
    _text("media_type"),
    _text("kind"),
    _text("role"),
    _number("size"),
    _number("personal"),
    _number("placed"),
    *_terms(),
    _text("record"),
    Index(None, "sha512"),
    Index(None, "item", "placed", "position"),
)

track = _table("track", _item(), _text("id", primary_key=True), _number("position"), *_terms(), _text("record"))

shown = _table(
    "shown",
    _item(),
    _number("low", primary_key=True),
    _number("from_day", primary_key=True),
    _number("high"),
    _number("to_day"),
    _text("collection"),
    _text("kind"),
    Column("sort_title", LargeBinary, nullable=False),
    _number("sort_year"),
    _text("sort_added"),
    _number("pages"),
    _number("recordings"),
    Column("duration_ms", Integer),
    Column("thumb", Text),
    Index("ix_shown_title", "sort_title", "item", "low", "high", "from_day", "to_day", "kind"),
    Index("ix_shown_collection_title", "collection", "sort_title", "item", "low", "high", "from_day", "to_day", "kind"),
    Index("ix_shown_year", "sort_year", "item", "low", "high", "from_day", "to_day", "kind", "collection"),
    Index("ix_shown_added", "sort_added", "item", "low", "high", "from_day", "to_day", "kind", "collection"),
    sqlite_with_rowid=False,
)
"""What readers of rank `low` to `high` see of the item from `from_day` to before `to_day`; no row, nothing."""

tally = _table(
    "tally",
    _number("reader", primary_key=True),
    _text("collection", primary_key=True),
    _text("kind", primary_key=True),
    _number("day", primary_key=True),
    _number("items"),
    _number("pages"),
    _number("recordings"),
    _number("duration_ms"),
    sqlite_with_rowid=False,
)
"""Sums over `shown` as changes: what is added (or taken away) on `day`. A count on a day is the sum of the changes up to it."""

event = _table(
    "event",
    _number("seq", primary_key=True, autoincrement=True),
    _text("digest", unique=True),
    _text("object"),
    _text("type"),
    _text("at"),
    _text("outcome"),
    _text("record"),
    Index(None, "object", "at"),
    Index(None, "type", "at"),
)

donation = _table("donation", _text("accession", primary_key=True), _text("record"))

batch = _table(
    "batch",
    _text("id", primary_key=True),
    _text("accession"),
    _text("folder"),
    _text("state"),
    _text("started"),
    _text("record"),
    Index(None, "accession"),
    Index(None, "folder"),
)

task = _table(
    "task",
    _text("batch", primary_key=True),
    _text("key", primary_key=True),
    _text("state"),
    _text("fingerprint"),
    Column("item", Text),
    _text("detail"),
    Index(None, "item"),
)

reserved = _table("reserved", _text("id", primary_key=True), _text("why"))

outbox = _table("outbox", _number("seq", primary_key=True, autoincrement=True), _text("item", unique=True), sqlite_autoincrement=True)

probe = _table("probe", _text("sha512", primary_key=True), _text("recipe", primary_key=True), _text("record"))

seen = _table("seen", _text("path", primary_key=True), _number("size"), _number("mtime_ns"), _text("sha512"))

fixity = _table("fixity", _text("item", primary_key=True), _text("at"), _number("sound"), _text("problems"), Index(None, "at"))

note = _table("note", _text("key", primary_key=True), _text("value"))
"""What the archive keeps about itself: the last journal entry carried out, and the like."""

KEPT_OVER_REBUILD = (probe, seen)
"""What was learnt about bytes, not about items: a rebuild leaves it."""

HEAD = "0001"
"""The migration that makes the tables as they are here."""

APPLICATION_ID = 0x66616E67
"""`PRAGMA application_id` of a catalogue: "fang"."""
