"""Items whose rows changed and whose place in the search index has not been renewed yet. Written in the transaction that changes the rows."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select

from archive.catalogue.schema import outbox

_FORGET = delete(outbox).where(outbox.c.item == bindparam("of"))
_PUSH = outbox.insert()


def push(connection: Connection, item: str) -> None:
    """The item must be indexed anew (or taken out, when it is gone or withdrawn)."""
    connection.execute(_FORGET, {"of": item})
    connection.execute(_PUSH, {"item": item})


def pending(connection: Connection, limit: int = 100) -> list[tuple[int, str]]:
    """(seq, item) waiting, oldest first."""
    found = connection.execute(select(outbox.c.seq, outbox.c.item).order_by(outbox.c.seq).limit(limit))
    return [(seq, item) for seq, item in found]


def done(connection: Connection, seq: int) -> None:
    """The index holds what stood when `seq` was pending; an item changed since has another seq and stays."""
    connection.execute(delete(outbox).where(outbox.c.seq == seq))
