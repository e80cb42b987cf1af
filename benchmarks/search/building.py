"""What building costs: ours, tantivy and FTS5 from texts that are in memory already, each in a process of its own; two processes; memory."""

from __future__ import annotations

import inspect
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.search.base import IndexDocument
from archive.search.whoosh_index import WhooshIndex
from benchmarks.search.clocks import Apart, cpu_seconds
from benchmarks.search.corpus import FoldedLeaf, folded, items
from benchmarks.search.engines import Tantivy, Trigram
from benchmarks.search.figure import Figure, Given, at_least, at_most

_held: dict[str, list[tuple[str, list[IndexDocument]]] | list[FoldedLeaf]] = {}


@dataclass(frozen=True, slots=True)
class Built:
    """Seconds of CPU and on the clock, MiB before and at the peak, characters that count."""

    cpu: float
    wall: float
    before: float
    peak: float
    characters: int

    @property
    def speed(self) -> float:
        """Thousand characters a CPU second."""
        return self.characters / self.cpu / 1000


def hold_documents(given: Given) -> int:
    """Keep the items in memory as the index takes them; their characters are counted by the index."""
    _held["items"] = [(item, list(documents)) for item, documents in items(given.leaves, given.limit)]
    return 0


def hold_folded(given: Given) -> int:
    """Keep the leaves in memory as other engines take them: read and folded."""
    leaves = list(folded(items(given.leaves, given.limit)))
    _held["leaves"] = leaves
    return sum(len(leaf.text) for leaf in leaves)


def in_two() -> bool:
    """True when our index can be built by several processes."""
    return "processes" in inspect.signature(WhooshIndex).parameters


def index_of(folder: Path, processes: int) -> WhooshIndex:
    """Our index, built anew by so many processes."""
    return WhooshIndex(folder, **({"processes": processes} if in_two() else {}))


def own_characters(folder: Path) -> int:
    """Characters of the documents; the copies that chunks have of their neighbours' leaves are not counted."""
    segments = WhooshIndex(folder)._refreshed().segments
    return sum(int(segment.text.lengths[~segment.facts.shadow].sum()) for segment in segments)


def build_ours(folder: Path, processes: int) -> tuple[float, float]:
    """CPU and clock of one build."""
    index, held = index_of(folder, processes), _held["items"]

    def handed() -> Iterator[tuple[str, Iterator[IndexDocument]]]:
        for item, documents in held:  # type: ignore[misc]
            yield item, iter(documents)  # type: ignore[arg-type]

    cpu, wall = cpu_seconds(), time.perf_counter()
    index.rebuild(handed())
    return cpu_seconds() - cpu, time.perf_counter() - wall


def build_tantivy(folder: Path) -> tuple[float, float]:
    """The same of tantivy; cutting the text into bigrams is part of it, as it is of ours."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    Tantivy.build(folder, _held["leaves"])  # type: ignore[arg-type]
    return cpu_seconds() - cpu, time.perf_counter() - wall


def build_trigram(path: Path) -> tuple[float, float]:
    """The same of FTS5."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    Trigram.build(path, _held["leaves"])  # type: ignore[arg-type]
    return cpu_seconds() - cpu, time.perf_counter() - wall


def _ours(given: Given, folder: Path, processes: int) -> Built:
    shutil.rmtree(folder, ignore_errors=True)
    with Apart() as process:
        process.call(hold_documents, given)
        before = process.private_now()
        cpu, wall = process.watched(build_ours, folder, processes)
        peak = process.peak
    return Built(cpu, wall, before, peak, own_characters(folder))


def _others(given: Given) -> tuple[Built, Built]:
    """Tantivy and FTS5; what they made is kept for comparing answers."""
    found = []
    with Apart() as process:
        characters = process.call(hold_folded, given)
        for name, build in (("tantivy", build_tantivy), ("trigram.sqlite", build_trigram)):
            path = given.kept / name
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
            before = process.private_now()
            cpu, wall = process.watched(build, path)
            found.append(Built(cpu, wall, before, process.peak, characters))
    return found[0], found[1]


def build(given: Given) -> list[Figure]:
    """Speed beside the others, two processes beside one, memory at the peak. Leaves the index behind for the other parts."""
    one = _ours(given, given.index, 1)
    tantivy, trigram = _others(given)
    row = "build"
    size = sum(path.stat().st_size for path in given.index.rglob("*") if path.is_file())
    said = f"{one.speed:,.0f} thousand characters a CPU second ({one.cpu:.1f} s CPU, {one.wall:.1f} s, {one.characters:,} characters, "
    said += f"{size / one.characters:.1f} bytes each)"
    figures = [
        at_least(row, "beside tantivy", one.speed / tantivy.speed, 1.5, "×", f"{said}; tantivy {_said(tantivy)}"),
        at_least(row, "beside FTS5 trigram", one.speed / trigram.speed, 1.5, "×", f"FTS5 {_said(trigram)}"),
    ]
    memory = f"{one.before:.0f} MiB of texts held before, not counted"
    figures.append(at_most(row, "private memory, one process", one.peak - one.before, 700, "MiB", memory))
    if not in_two():
        return [*figures, Figure(row, "two processes", "≥ 1.7 ×", "not there yet", None)]
    aside = given.kept / "index-by-two"
    two = _ours(given, aside, 2)
    shutil.rmtree(aside)
    beside = f"{one.wall:.1f} s and {two.wall:.1f} s on the clock; CPU {one.cpu:.1f} s and {two.cpu:.1f} s"
    figures.append(at_least(row, "two processes", one.wall / two.wall, 1.7, "×", beside))
    memory = f"all processes together; {two.before:.0f} MiB of texts held before, not counted"
    figures.append(at_most(row, "private memory, two processes", two.peak - two.before, 700, "MiB", memory))
    return figures


def _said(built: Built) -> str:
    return f"{built.speed:,.0f} ({built.cpu:.1f} s CPU, {built.wall:.1f} s, {built.peak - built.before:.0f} MiB)"
