"""A look into the catalogue without SQLAlchemy, whose import alone costs more than all that an unchanged donation needs to be answered.

Reads three tables and nothing else; whoever wants more opens the catalogue.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

_AT_ONCE = 500


def settled_versions(path: Path, batch: str, items: Sequence[str]) -> dict[str, int] | None:
    """The OCFL version that each of these items is registered at; one that is not registered is missing.

    None when the batch does not stand as done, when items wait for the index, or when the catalogue cannot be read.
    """
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        state = connection.execute("SELECT state FROM batch WHERE id = ?", (batch,)).fetchone()
        if state != ("done",) or connection.execute("SELECT 1 FROM outbox LIMIT 1").fetchone():
            return None
        found: dict[str, int] = {}
        for start in range(0, len(items), _AT_ONCE):
            some = items[start : start + _AT_ONCE]
            found.update(connection.execute(f"SELECT id, version FROM item WHERE id IN ({','.join('?' * len(some))})", some))
        return found
    return None
