"""A process beside this one that does part of the work of a build.

It is begun bare, neither forked (whoever rebuilds may have threads) nor by `multiprocessing`, which would import the program that rebuilds once
more: so it takes 0.2 s of CPU and some 30 MiB. Jobs are functions of modules and their arguments, told through a pipe; what is large goes by files.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from archive.errors import SearchIndexError
from archive.search.chinese import learn_glyphs, learned_glyphs

T = TypeVar("T")
_SIZE = struct.Struct("<Q")
_AHEAD = 3
"""Jobs that a process is given at a time: the one it does and the next two, enough for as long as the writer builds a part itself."""
_ALLOCATING = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": str(256 << 20), "MALLOC_MMAP_THRESHOLD_": str(64 << 20)}
"""Memory of one job is kept for the next, which has arrays as large: given back and taken again each time, it costs a tenth of the CPU."""
_PROGRAM = "from archive.search.beside import serve; serve()"


class Job(Generic[T]):
    """Work that was given away."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self.answer: tuple[bool, Any] | None = None

    def result(self) -> T:
        """Wait for its end. Raises what went wrong."""
        while self.answer is None:
            self._beside.receive()
        done, value = self.answer
        if not done:
            raise value
        return value  # type: ignore[no-any-return]


class Beside:
    """One such process. It knows the glyphs that this one has learned, and ends when this one does, however that ends."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))} | _ALLOCATING
        warnings = [f"-W{option}" for option in sys.warnoptions]
        self._process = subprocess.Popen(
            [sys.executable, "-P", *warnings, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        assert self._process.stdout is not None
        self._answers = self._process.stdout.fileno()
        self.pid = self._process.pid
        self._jobs: deque[Job[Any]] = deque()
        self.begin(learn_glyphs, *learned_glyphs())

    def begin(self, work: Callable[..., T], *given: Any) -> Job[T]:
        """Give a job away; `given` should be small."""
        assert self._process.stdin is not None
        job: Job[T] = Job(self)
        try:
            pickle.dump((work, given), self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error
        self._jobs.append(job)
        return job

    @property
    def busy(self) -> bool:
        """True while it has enough to do."""
        while self._jobs and select.select([self._answers], [], [], 0)[0]:
            self.receive()
        return len(self._jobs) >= _AHEAD

    def receive(self) -> None:
        """Wait for the next answer."""
        try:
            (size,) = _SIZE.unpack(self._read(_SIZE.size))
            answer = pickle.loads(self._read(size))
        except EOFError as error:
            raise self._ended() from error
        self._jobs.popleft().answer = answer

    def _read(self, size: int) -> bytes:
        """So many bytes, past Python's own buffer, which `select` would not know of."""
        read = b""
        while len(read) < size:
            some = os.read(self._answers, size - len(read))
            if not some:
                raise EOFError
            read += some
        return read

    def _ended(self) -> SearchIndexError:
        return SearchIndexError(f"a process that helped to build the index ended with status {self._process.wait()}")

    def close(self) -> None:
        """End it; what it has not done is left undone."""
        if self._jobs:
            self._process.kill()
        self._process.communicate()


def serve() -> None:
    """Be that process: do jobs until whoever gives them has no more, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes; the other one says when to end.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            work, given = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, work(*given)
        except Exception as error:  # the outermost loop of this process: whatever a job raises is told to whoever gave it
            answer = False, error
        try:
            said = pickle.dumps(answer)
            answers.write(_SIZE.pack(len(said)) + said)
            answers.flush()
        except BrokenPipeError:
            return
