"""Donations, their batches, and how far each item of a batch has come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from archive.catalogue.rows import to_json
from archive.catalogue.schema import batch, donation, task
from archive.errors import NotFound
from archive.language import _
from archive.model.donation import Batch, BatchState, Donation


@dataclass(frozen=True, slots=True)
class TaskState:
    """Where one item of a batch stands. `fingerprint` says from what it was made: unchanged, it need not be made again."""

    batch: str
    key: str
    state: str
    fingerprint: str = ""
    item: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def put_donation(connection: Connection, given: Donation) -> None:
    """Write or replace a donation."""
    _upsert(connection, donation, ("accession",), {"accession": given.accession, "record": to_json(given)})


def get_donation(connection: Connection, accession: str) -> Donation | None:
    """The donation of that accession number, or None."""
    record = connection.execute(select(donation.c.record).where(donation.c.accession == accession)).scalar_one_or_none()
    return None if record is None else msgspec.json.decode(record, type=Donation)


def donations(connection: Connection) -> list[Donation]:
    """All donations by accession number."""
    found = connection.execute(select(donation.c.record).order_by(donation.c.accession)).scalars()
    return [msgspec.json.decode(record, type=Donation) for record in found]


def put_batch(connection: Connection, given: Batch) -> None:
    """Write or replace a batch."""
    row = {name: getattr(given, name) for name in ("id", "accession", "folder", "started")}
    _upsert(connection, batch, ("id",), row | {"state": given.state.value, "record": to_json(given)})


def get_batch(connection: Connection, batch_id: str) -> Batch:
    """The batch; raises NotFound."""
    record = connection.execute(select(batch.c.record).where(batch.c.id == batch_id)).scalar_one_or_none()
    if record is None:
        raise NotFound(_("没有批次 %(id)s。用 fangzhi ingest status 看有哪些批次。", id=batch_id))
    return msgspec.json.decode(record, type=Batch)


def batches(connection: Connection, *, accession: str | None = None, folder: str | None = None) -> list[Batch]:
    """Batches, newest first; only those of an accession or a folder when given."""
    query = select(batch.c.record).order_by(batch.c.started.desc(), batch.c.id.desc())
    if accession is not None:
        query = query.where(batch.c.accession == accession)
    if folder is not None:
        query = query.where(batch.c.folder == folder)
    return [msgspec.json.decode(record, type=Batch) for record in connection.execute(query).scalars()]


def next_batch_id(connection: Connection, accession: str) -> str:
    """`ACCESSION.N` for the next run; ask in the transaction that writes the batch."""
    taken = connection.execute(select(batch.c.id).where(batch.c.accession == accession)).scalars()
    numbers = [int(tail) for _head, _dot, tail in (given.rpartition(".") for given in taken) if tail.isdigit()]
    return f"{accession}.{max(numbers, default=0) + 1}"


def set_batch_state(connection: Connection, batch_id: str, state: BatchState, *, ended: str = "") -> Batch:
    """Move a batch on, and give it as it is now; raises NotFound."""
    given = get_batch(connection, batch_id)
    moved = replace(given, state=state, ended=ended or given.ended)
    put_batch(connection, moved)
    return moved


def put_task(connection: Connection, given: TaskState) -> None:
    """Write or replace where an item of a batch stands."""
    row = {name: getattr(given, name) for name in ("batch", "key", "state", "fingerprint", "item")}
    _upsert(connection, task, ("batch", "key"), row | {"detail": to_json(given.detail)})


def get_task(connection: Connection, batch_id: str, key: str) -> TaskState | None:
    """Where an item of a batch stands, or None."""
    row = connection.execute(select(task).where(task.c.batch == batch_id, task.c.key == key)).mappings().one_or_none()
    return None if row is None else _task(row)


def tasks(connection: Connection, batch_id: str, state: str | None = None) -> list[TaskState]:
    """The items of a batch, by key; only those in `state` when given."""
    query = select(task).where(task.c.batch == batch_id).order_by(task.c.key)
    if state is not None:
        query = query.where(task.c.state == state)
    return [_task(row) for row in connection.execute(query).mappings()]


def last_task_of(connection: Connection, item: str) -> TaskState | None:
    """The newest entry about an item, over all batches that stand; None when there is none."""
    query = select(task).join(batch, batch.c.id == task.c.batch).where(task.c.item == item, batch.c.state != BatchState.UNDONE.value)
    row = connection.execute(query.order_by(batch.c.started.desc(), batch.c.id.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else _task(row)


def drop_tasks(connection: Connection, batch_id: str) -> None:
    """Forget the items of a batch that was undone."""
    connection.execute(delete(task).where(task.c.batch == batch_id))


def _task(row: Any) -> TaskState:
    return TaskState(row["batch"], row["key"], row["state"], row["fingerprint"], row["item"], msgspec.json.decode(row["detail"]))


def _upsert(connection: Connection, table: Any, key: tuple[str, ...], row: dict[str, Any]) -> None:
    statement = insert(table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_={k: v for k, v in row.items() if k not in key}))
