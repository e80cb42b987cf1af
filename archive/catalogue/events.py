"""Append and read events; never change one. The same event given again (a rebuild, a resumed run) is there once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from archive.catalogue.rows import to_json
from archive.catalogue.schema import event
from archive.model.event import Event


def append(connection: Connection, events: Iterable[Event]) -> None:
    """Append events in the order given; one that stands already is passed over."""
    rows = [_row(given) for given in events]
    if rows:
        connection.execute(insert(event).on_conflict_do_nothing(index_elements=["digest"]), rows)


def _row(given: Event) -> dict[str, str]:
    record = to_json(given)
    digest = hashlib.sha256(record.encode()).hexdigest()
    return {"digest": digest, "record": record} | {name: getattr(given, name) for name in ("object", "type", "at", "outcome")}


def read(
    connection: Connection,
    of: str | None = None,
    kind: str | None = None,
    limit: int | None = None,
) -> tuple[Event, ...]:
    """Events, oldest first; of one object or of one PREMIS type (`kind`) when given; with `limit` the newest ones only."""
    query = select(event.c.record).order_by(event.c.at.desc(), event.c.seq.desc())
    if of is not None:
        query = query.where(event.c.object == of)
    if kind is not None:
        query = query.where(event.c.type == kind)
    found = [msgspec.json.decode(record, type=Event) for record in connection.execute(query.limit(limit)).scalars()]
    return tuple(reversed(found))
