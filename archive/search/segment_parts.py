"""Building the parts of a large segment, here or in processes side by side. Parts wait in files until the segment closes and they are merged."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count
from pathlib import Path

from archive.search import facts_build, segment_build
from archive.search.arrays import Arrays, map_arrays, write_arrays
from archive.search.gathering import Gathered
from archive.search.segment_merge import Source

PART_PREFIX = "part-"
"""Files of parts; what a killed writer left of them is removed by the next."""


def built(gathered: Gathered) -> Source:
    """The arrays of some chunks."""
    return Source(segment_build.build(gathered.texts, gathered.joins, gathered.notes), facts_build.build(gathered.rows, gathered.chunks))


def _build_aside(gathered: Gathered, text: Path, facts: Path) -> None:
    """Build a part and leave its arrays in two files."""
    source = built(gathered)
    write_arrays(text, source.text, durable=False)
    write_arrays(facts, source.facts, durable=False)


class Part:
    """A part that is being built, or is."""

    def __init__(self, text: Path, facts: Path, built: Future[None] | None) -> None:
        self._text, self._facts, self._built = text, facts, built

    def wait(self) -> None:
        """Return when it is built. Raises what went wrong."""
        if self._built is not None:
            self._built.result()

    def source(self) -> Source:
        """Its arrays, in files that have no name any more, so that nothing is left of them whatever happens."""
        self.wait()
        return Source(_nameless(self._text), _nameless(self._facts))


def _nameless(path: Path) -> Arrays:
    arrays, _extra = map_arrays(path)
    path.unlink()
    return arrays


class PartBuilders:
    """Builds parts into a folder. With `processes` above 1 other processes do it, begun when there is a first part: small writes have none."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self._folder, self._processes = folder, processes
        self._executor: ProcessPoolExecutor | None = None
        self._under_way: list[Part] = []
        self._numbers = count()

    def begin(self, gathered: Gathered) -> Part:
        """Begin to build a part; returns at once unless all processes have enough to do."""
        number = next(self._numbers)
        text, facts = (self._folder / f"{PART_PREFIX}{number}-{name}" for name in ("text", "facts"))
        if self._processes <= 1:
            _build_aside(gathered, text, facts)
            return Part(text, facts, None)
        while len(self._under_way) > self._processes:
            self._under_way.pop(0).wait()
        if self._executor is None:
            # Not forked: whoever rebuilds may have threads.
            self._executor = ProcessPoolExecutor(self._processes, multiprocessing.get_context("spawn"))
        part = Part(text, facts, self._executor.submit(_build_aside, gathered, text, facts))
        self._under_way.append(part)
        return part

    def close(self) -> None:
        """End the processes."""
        self._under_way = []
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None
