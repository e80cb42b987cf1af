"""Building the parts of a large segment, here and in processes beside this one. Parts wait in files until the segment closes and they are merged.

Whoever writes takes part: it gathers, and builds a part itself whenever the others have enough to do. A text goes to another process as a file of
code points, which costs neither side a copy; what is known of documents beside their text stays here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from archive.search import facts_build, segment_build, segment_merge
from archive.search.arrays import Arrays, map_arrays, write_arrays
from archive.search.batch_reading import Texts
from archive.search.beside import Beside, Job
from archive.search.gathering import Gathered
from archive.search.segment_merge import Range, Source

PART_PREFIX = "part-"
"""Files of parts; what a killed writer left of them is removed by the next."""


def built(gathered: Gathered) -> Source:
    """The arrays of some chunks."""
    return Source(segment_build.build(_texts(gathered)), facts_build.build(gathered.columns, gathered.chunks))


def _texts(gathered: Gathered) -> Texts:
    return Texts.of(gathered.texts, gathered.joins, gathered.notes, gathered.columns["glyphs"])


class Part:
    """A part that is being built, or is: two files. `read`: the texts, while another process has yet to begin; `job` is its work."""

    def __init__(self, text: Path, facts: Path, read: Path, job: Job[bool] | None = None) -> None:
        self.text, self.facts, self._read, self._job = text, facts, read, job

    def take_back(self) -> None:
        """Build it here when nobody has begun to."""
        if self._job is not None and segment_build.build_file(self._read, self.text):
            self._job = None

    def source(self) -> Source:
        """Its arrays. Raises what went wrong with building it."""
        if self._job is not None:
            self._job.result()
        return Source(map_arrays(self.text)[0], map_arrays(self.facts)[0])

    def known(self) -> Source:
        """What is known of its documents; the text may not be built yet."""
        return Source({}, map_arrays(self.facts)[0])

    def remove(self) -> None:
        """Remove its files, and what is still to be built; what is mapped stays readable."""
        for path in (self.text, self.facts, self._read):
            path.unlink(missing_ok=True)


class PartBuilders:
    """Builds parts into a folder and merges their bigrams. With `processes` above 1 others help, begun when there is a first part: small writes
    have none."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self._folder, self._processes = folder, processes
        self._others: list[Beside] = []
        self._numbers = count()

    def begin(self, gathered: Gathered) -> Part:
        """Have a part built: here, unless another process has time."""
        while len(self._others) < self._processes - 1:
            self._others.append(Beside())
        number = next(self._numbers)
        read, text, facts = (self._folder / f"{PART_PREFIX}{number}-{name}" for name in ("read", "text", "facts"))
        texts, job = _texts(gathered), None
        if (other := _idle(self._others)) is not None:
            write_arrays(read, texts.arrays(), durable=False)
            job = other.begin(segment_build.build_file, read, text)
        else:
            write_arrays(text, segment_build.build(texts), durable=False)
        write_arrays(facts, facts_build.build(gathered.columns, gathered.chunks), durable=False)
        return Part(text, facts, read, job)

    def helpers(self, parts: Sequence[Part]) -> RangeHelpers | None:
        """Who helps to merge parts; None when there is nobody."""
        return RangeHelpers(self._others, parts, self._folder) if self._others else None

    def close(self) -> None:
        """End the other processes."""
        for other in self._others:
            other.close()
        self._others = []


class RangeHelpers:
    """Other processes that merge the bigrams of parts, a range at a time."""

    def __init__(self, others: Sequence[Beside], parts: Sequence[Part], folder: Path) -> None:
        self._others, self._folder, self._numbers = others, folder, count()
        self._texts, self._facts = tuple(part.text for part in parts), tuple(part.facts for part in parts)

    def give(self, some: Range, text: Path, at_once: bool = False) -> Callable[[], Arrays] | None:
        """Have another process write a range; see `segment_merge.Helpers`."""
        number = next(self._numbers)
        idle = self._others[number % len(self._others)] if at_once else _idle(self._others)
        if idle is None:
            return None
        aside = self._folder / f"{PART_PREFIX}range-{number}"
        job = idle.begin(segment_merge.merge_range, self._texts, self._facts, some, text, aside)

        def found() -> Arrays:
            job.result()
            arrays, _extra = map_arrays(aside)
            aside.unlink()
            return arrays

        return found


def _idle(others: Sequence[Beside]) -> Beside | None:
    return next((other for other in others if not other.busy), None)
