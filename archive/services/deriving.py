"""What is still to be made from an item's originals; asked by the pipeline and by `rebuild derivatives`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archive.derivatives.registry import Job, jobs_for
from archive.derivatives.store import DerivativeStore
from archive.model.item import Item
from archive.storage.base import ObjectStore


@dataclass(frozen=True, slots=True)
class DeriveJob:
    """One job for a child process: which item and file it is for, and what to make."""

    item: str
    file: str
    job: Job


def missing(item: Item, store: ObjectStore, derivatives: DerivativeStore) -> Iterator[DeriveJob]:
    """The jobs still to be done for an item's files; none for what exists already."""
    for file in item.files:
        path = store.local_path(item.id, file.path)
        for job in jobs_for(file, path, derivatives, closed=closed_passages(item, file.id)):
            yield DeriveJob(item.id, file.id, job)


def closed_passages(item: Item, media: str) -> tuple[tuple[float, float], ...]:
    """Start and end (seconds) of the passages of a recording that have rights of their own."""
    return tuple(sorted((s.start, s.end) for s in item.segments if s.media == media and (s.rights.audience or s.rights.embargo)))
