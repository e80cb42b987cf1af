"""What is still to be made from an item's originals; asked by the pipeline and by `rebuild derivatives`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.derivatives import registry
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.registry import MakeLimits, Original
from archive.derivatives.store import DerivativeStore
from archive.model.access import Access, Intervals
from archive.model.item import Item, MediaFile, MediaKind
from archive.settings import Settings
from archive.storage.base import ObjectStore

Closed = Intervals


@dataclass(frozen=True, slots=True)
class DeriveJob:
    """One thing to make, whole enough to be sent to a child process. `closed` gives the passages that the copy leaves out."""

    item: str
    file: str
    kind: MediaKind
    original: Original
    part: int | None
    closed: Closed
    root: str
    tools: Tools
    limits: MakeLimits

    @property
    def seconds(self) -> float:
        """CPU seconds the job may take."""
        return registry.seconds_for(self.kind, self.original.duration, self.limits.seconds)


def make(job: DeriveJob) -> dict[str, Any]:
    """Do a job; what it found worth keeping. Raises DecodeError. Runs in a child process."""
    root = Path(job.root)
    if job.kind is MediaKind.SOUND:
        return registry.make_sound(job.original, root, job.tools, job.closed, job.limits)
    if job.kind is MediaKind.FILM:
        return registry.make_film(job.original, root, job.tools, job.closed, job.limits)
    return registry.make_image(job.original, job.part, root, job.limits)


def missing(item: Item, store: ObjectStore, derivatives: DerivativeStore, settings: Settings) -> Iterator[DeriveJob]:
    """The jobs still to be done for an item's files; none for what exists already.

    Of a recording with closed passages every copy is made that some reader needs: the whole one, and those without what is closed to them.
    """
    tools, limits = tools_of(settings), make_limits(settings)
    for file in item.files:
        for part, closed in _wanted(item, file):
            recipe = registry.recipe_for(file.kind, closed)
            if recipe is None or derivatives.facts(file.sha512, part, recipe) is not None:
                continue
            original = registry.original(file, store.local_path(item.id, file.path))
            yield DeriveJob(item.id, file.id, file.kind, original, part, closed, str(derivatives.root), tools, limits)


def sets(item: Item, derivatives: DerivativeStore) -> Iterator[Path]:
    """The folders of all derivatives that an item's files have when nothing is missing."""
    for file in item.files:
        for part, closed in _wanted(item, file):
            recipe = registry.recipe_for(file.kind, closed)
            if recipe is not None:
                yield derivatives.folder(file.sha512, part, recipe)


def _wanted(item: Item, file: MediaFile) -> Iterator[tuple[int | None, Closed]]:
    if file.kind in (MediaKind.SOUND, MediaKind.FILM):
        yield None, ()
        for closed in Access(item).cuts(file.id):
            yield None, closed
        return
    for part in registry.image_parts(file):
        yield part, ()


def tools_of(settings: Settings) -> Tools:
    """FFmpeg's programs as the settings name them."""
    return Tools(settings.ffmpeg, settings.ffprobe)


def make_limits(settings: Settings) -> MakeLimits:
    """What making a derivative may use."""
    return MakeLimits(settings.max_image_megapixels * 1_000_000, settings.child_seconds)
