"""What is still to be made from an item's originals; asked by the pipeline and by `rebuild derivatives`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archive.derivatives import registry
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.registry import MakeLimits, Original
from archive.derivatives.sandbox import Sandbox
from archive.derivatives.store import DerivativeStore
from archive.errors import DecodeError
from archive.model.access import Access, Intervals
from archive.model.item import Item, MediaFile, MediaKind, Page
from archive.settings import Settings
from archive.storage.base import ObjectStore

Closed = Intervals

LINES_SECONDS = 300
"""CPU seconds in which the lines of one image must be found."""


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


@dataclass(frozen=True, slots=True)
class LinesJob:
    """One page image whose lines are to be found, whole enough to be sent to a child process."""

    item: str
    page: str
    original: Original
    part: int | None
    root: str
    limits: MakeLimits


def line_jobs(
    item: Item, store: ObjectStore, derivatives: DerivativeStore, settings: Settings, *, again: bool = False
) -> Iterator[LinesJob]:
    """The images of an item (with its texts) whose lines are still to be found, each once: those of pages that have text without boxes.

    `again`: also those that failed. Files in which personal numbers may stand are left alone.
    """
    limits, files, done = make_limits(settings), {file.id: file for file in item.files}, set()
    for page in item.pages:
        if page.image is None or not lacks_boxes(page):
            continue
        file, part = files[page.image.file], page.image.part
        if file.personal or part not in registry.image_parts(file) or (file.id, part) in done:
            continue
        done.add((file.id, part))
        known = derivatives.facts(file.sha512, part, registry.RECIPES["lines"])
        if known is None or (again and "fault" in known):
            original = registry.original(file, store.local_path(item.id, file.path))
            yield LinesJob(item.id, page.id, original, part, str(derivatives.root), limits)


def lacks_boxes(page: Page) -> bool:
    """True when the text that is shown of a page has printed lines and none of them a box."""
    lines = [line for line in page.text.lines if line.text.strip()] if page.text else []
    return bool(lines) and not any(line.box for line in lines)


def can_find_lines() -> bool:
    """Whether the extra `ocr` is here."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def find_lines(job: LinesJob) -> int:
    """Do a job; the number of lines found. Raises DecodeError and MissingToolError. Runs in a child process, behind everything else."""
    os.setpriority(os.PRIO_PROCESS, 0, 15)
    return len(registry.find_lines(job.original, job.part, Path(job.root), job.limits)["lines"])


def find_all_lines(jobs: Iterable[LinesJob]) -> Iterator[tuple[LinesJob, DecodeError | None]]:
    """Do jobs one after the other; each with why it failed. What failed is marked, and not tried again until it is asked for."""
    from archive.derivatives import text_layer

    with Sandbox(1, text_layer.ENGINE_MEMORY_MIB, LINES_SECONDS) as sandbox:
        for (job,), answer in sandbox.map(find_lines, ((job,) for job in jobs)):
            fault = answer if isinstance(answer, DecodeError) else None
            if fault:
                registry.mark_lines_faulty(job.original, job.part, Path(job.root), str(fault))
            yield job, fault


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
