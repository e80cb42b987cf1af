"""What was learnt about bytes before, so that an unchanged donation is run again at the speed of hashing, and the results of audits.

Probes and seen files are kept over a rebuild of the catalogue; losing them costs time only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from archive.catalogue.rows import to_json
from archive.catalogue.schema import fixity, probe, seen
from archive.model.probe import Probe

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FixityResult:
    """The last audit of an item: when (UTC), whether it was sound, and what was wrong, in words."""

    item: str
    at: str
    sound: bool
    problems: tuple[str, ...] = ()


def probes(connection: Connection, digests: Iterable[str], recipe: str) -> dict[str, Probe]:
    """Probes of these bytes made by this version of the recipe, by sha512; what is not known is missing."""
    wanted = sorted(set(digests))
    found: dict[str, Probe] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(probe.c.sha512, probe.c.record).where(probe.c.recipe == recipe, probe.c.sha512.in_(wanted[start : start + _AT_ONCE]))
        found |= {sha512: msgspec.json.decode(record, type=Probe) for sha512, record in connection.execute(query)}
    return found


def remember_probes(connection: Connection, found: Mapping[str, Probe], recipe: str) -> None:
    """Keep probes by sha512; those of other versions of the recipe are let go."""
    if found:
        older = delete(probe).where(probe.c.sha512 == bindparam("of"), probe.c.recipe != recipe)
        connection.execute(older, [{"of": sha512} for sha512 in found])
        statement = insert(probe)
        statement = statement.on_conflict_do_update(index_elements=["sha512", "recipe"], set_={"record": statement.excluded.record})
        connection.execute(statement, [{"sha512": key, "recipe": recipe, "record": to_json(value)} for key, value in found.items()])


def seen_files(connection: Connection, files: Sequence[tuple[str, int, int]]) -> dict[str, str]:
    """sha512 by path of those (absolute path, size, mtime in ns) that were digested before and have not changed since."""
    found: dict[str, str] = {}
    for start in range(0, len(files), _AT_ONCE):
        some = tuple_(seen.c.path, seen.c.size, seen.c.mtime_ns).in_(list(files[start : start + _AT_ONCE]))
        found |= {path: sha512 for path, sha512 in connection.execute(select(seen.c.path, seen.c.sha512).where(some))}  # noqa: C416
    return found


def remember_seen(connection: Connection, files: Iterable[tuple[str, int, int, str]]) -> None:
    """Keep (absolute path, size, mtime in ns, sha512)."""
    rows = [dict(zip(("path", "size", "mtime_ns", "sha512"), given, strict=True)) for given in files]
    if rows:
        statement = insert(seen)
        changed = {name: statement.excluded[name] for name in ("size", "mtime_ns", "sha512")}
        connection.execute(statement.on_conflict_do_update(index_elements=["path"], set_=changed), rows)


def put_fixity(connection: Connection, result: FixityResult) -> None:
    """Write the last audit of an item."""
    row: dict[str, Any] = {"at": result.at, "sound": int(result.sound), "problems": to_json(result.problems)}
    connection.execute(insert(fixity).values(item=result.item, **row).on_conflict_do_update(index_elements=["item"], set_=row))


def fixity_results(connection: Connection, *, unsound_only: bool = False) -> list[FixityResult]:
    """The last audit of each item, longest ago first."""
    query = select(fixity).order_by(fixity.c.at, fixity.c.item)
    if unsound_only:
        query = query.where(fixity.c.sound == 0)
    return [
        FixityResult(item, at, bool(sound), msgspec.json.decode(problems, type=tuple[str, ...]))
        for item, at, sound, problems in connection.execute(query)
    ]
