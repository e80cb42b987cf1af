"""Time and memory of processes: what an answer costs on the clock and in CPU, and what a process holds that is its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of several answers, on the clock and of CPU, in order of size."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Times:
        return cls(tuple(sorted(wall for wall, _ in pairs)), tuple(sorted(cpu for _, cpu in pairs)))

    @property
    def p50(self) -> float:
        return statistics.median(self.wall)

    @property
    def p95(self) -> float:
        return at(self.wall, 0.95)

    @property
    def cpu_p50(self) -> float:
        return statistics.median(self.cpu)

    @property
    def cpu_p95(self) -> float:
        return at(self.cpu, 0.95)


def at(values: Sequence[float], share: float) -> float:
    """The smallest of ascending values that so large a share does not exceed."""
    return values[max(0, -int(-len(values) * share // 1) - 1)]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of one call on the clock, and of this thread's CPU."""
    cpu, wall = time.thread_time(), time.perf_counter()
    work()
    return (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000


def private(pid: int) -> float:
    """MiB that a process and those below it hold for themselves: dirty private pages, not what is mapped from files."""
    total = 0
    for each in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Private_Dirty"):
                    total += int(line.split()[1])
    return total / 1024


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                with contextlib.suppress(OSError):
                    waiting += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds() -> float:
    """CPU of this process so far, of all its threads, and of its ended children."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


class Apart:
    """A process of its own, fresh, for what must not find memory or caches of others. `peak` is watched from outside."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.peak = 0.0

    def __enter__(self) -> Self:
        self.pid = self._pool.submit(os.getpid).result()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def call(self, work: Callable[..., T], *given: Any) -> T:
        """The value of a call in that process (a function of a module, values that can be pickled)."""
        return self._pool.submit(work, *given).result()

    def private_now(self) -> float:
        """MiB it holds for itself."""
        return private(self.pid)

    def watched(self, work: Callable[..., T], *given: Any) -> T:
        """As `call`; `peak` becomes the most private memory seen meanwhile, looked at every half second."""
        ended = threading.Event()
        self.peak = 0.0

        def watch() -> None:
            while not ended.wait(0.5):
                self.peak = max(self.peak, private(self.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return self.call(work, *given)
        finally:
            ended.set()
            watcher.join()


def apart(work: Callable[..., T], *given: Any) -> T:
    """The value of a call in a fresh process."""
    with Apart() as process:
        return process.call(work, *given)
