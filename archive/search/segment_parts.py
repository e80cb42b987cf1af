"""Building the parts of a large segment, here or in processes side by side. Parts wait in files until the segment closes and they are merged."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count
from pathlib import Path

from archive.search import facts_build, segment_build
from archive.search.arrays import Arrays, map_arrays, write_arrays
from archive.search.gathering import Gathered
from archive.search.segment_merge import Source, merge_bigrams

PART_PREFIX = "part-"
"""Files of parts; what a killed writer left of them is removed by the next."""


def built(gathered: Gathered) -> Source:
    """The arrays of some chunks."""
    return Source(segment_build.build(gathered.texts, gathered.joins, gathered.notes), facts_build.build(gathered.columns, gathered.chunks))


def _build_aside(gathered: Gathered, text: Path, facts: Path) -> None:
    """Build a part and leave its arrays in two files."""
    source = built(gathered)
    write_arrays(text, source.text, durable=False)
    write_arrays(facts, source.facts, durable=False)


def _merge_bigrams(texts: Sequence[Path], facts: Sequence[Path], path: Path) -> None:
    """Merge the bigrams of parts into a file of their own."""
    merge_bigrams(path, [Source(map_arrays(text)[0], map_arrays(fact)[0]) for text, fact in zip(texts, facts, strict=True)])


class Part:
    """A part that is being built, or is: two files."""

    def __init__(self, text: Path, facts: Path, built: Future[None] | None) -> None:
        self.text, self.facts, self._built = text, facts, built

    def wait(self) -> None:
        """Return when it is built. Raises what went wrong."""
        if self._built is not None:
            self._built.result()

    def source(self) -> Source:
        """Its arrays."""
        self.wait()
        return Source(map_arrays(self.text)[0], map_arrays(self.facts)[0])

    def remove(self) -> None:
        """Remove its files; what is mapped stays readable."""
        self.text.unlink(missing_ok=True)
        self.facts.unlink(missing_ok=True)


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

    def bigrams(self, parts: Sequence[Part]) -> Callable[[], Arrays] | None:
        """Begin to merge the bigrams of parts in a process beside this one; None when there is no other."""
        if self._executor is None:
            return None
        for part in parts:
            part.wait()
        path = self._folder / f"{PART_PREFIX}bigrams"
        merged = self._executor.submit(_merge_bigrams, [part.text for part in parts], [part.facts for part in parts], path)

        def arrays() -> Arrays:
            merged.result()
            mapped, _extra = map_arrays(path)
            path.unlink()
            return mapped

        return arrays

    def close(self) -> None:
        """End the processes."""
        self._under_way = []
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None
