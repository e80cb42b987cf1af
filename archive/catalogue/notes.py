"""Small notes that the archive keeps about itself, by key."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from archive.catalogue.schema import note


def get(connection: Connection, key: str) -> str | None:
    """The note of that key, or None."""
    found: str | None = connection.execute(select(note.c.value).where(note.c.key == key)).scalar_one_or_none()
    return found


def put(connection: Connection, key: str, value: str) -> None:
    """Write or replace a note."""
    statement = insert(note).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
