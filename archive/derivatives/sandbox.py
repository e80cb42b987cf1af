"""Runs decoders in child processes with limits on memory, CPU and time: a file that crashes or hangs one costs that file only.

A small pool of our own, because a crash inside `concurrent.futures.ProcessPoolExecutor` fails every job of the pool. The children
(`sandbox_child.py`) are started as fresh programs, never forked from a process that may have threads, kept and used again, and replaced
when they die. Each leads a session of its own, so that killing its group takes any ffmpeg it started with it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any

from archive.errors import ArchiveError, DecodeError, DiskFull, MissingToolError

WALL_FACTOR = 4
"""Wall time a job may take, as a multiple of its CPU seconds: a busy machine is no fault of the file."""

_CHILD = "from archive.derivatives.sandbox_child import main; main()"
_GRACE = 10
"""Seconds more for a child that has begun to answer: it waits for us, not we for it."""
_HEADER = struct.Struct(">Q")
_FATAL_SIGNALS = {signal.SIGXCPU: "timeout", signal.SIGKILL: "memory"}


@dataclass(eq=False)
class _Job:
    """One call on its way: `outcome` is the message of the child once there is one."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float
    outcome: tuple[Any, ...] | None = None


@dataclass(eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    buffer: bytearray = field(default_factory=bytearray)
    job: _Job | None = None
    deadline: float = 0.0

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout


class Sandbox:
    """A pool of `workers` children, each with `memory_mib` of address space; a job has `seconds` of CPU unless its call says otherwise.

    For one thread of the parent, which must outlive the pool: the kernel ends the children with the thread that started them.
    `on_progress(args, value)` gets what a job reports through `sandbox_child.report`.
    """

    def __init__(
        self,
        workers: int = 1,
        memory_mib: int = 2048,
        seconds: float = 120,
        on_progress: Callable[[tuple[Any, ...], Any], None] | None = None,
    ) -> None:
        self._workers = max(1, workers)
        self._memory = memory_mib
        self._seconds = seconds
        self._on_progress = on_progress
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End all children, whatever they are doing."""
        for child in list(self._children):
            self._end(child)
        self._selector.close()

    def run(self, function: Callable[..., Any], *args: Any, seconds: float | None = None) -> Any:
        """What `function(*args)` gives in a child. Raises DecodeError (also `crash`, `timeout`, `memory`) or another error of ours."""
        job = _Job(function, args, seconds or self._seconds)
        while not self._start(job):
            self._pump()
        try:
            while job.outcome is None:
                self._pump()
        except BaseException:
            self._abandon([job])
            raise
        result = _opened(job.outcome)
        if isinstance(result, ArchiveError):
            raise result
        return result

    def map(
        self,
        function: Callable[..., Any],
        argument_lists: Iterable[tuple[Any, ...]],
        seconds: Callable[[tuple[Any, ...]], float] | None = None,
    ) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """(args, result or DecodeError) of each call, as they end. `seconds` gives the CPU limit of one call.

        A fault of the machine rather than of the file (MissingToolError, DiskFull) is raised and ends the whole.
        """
        waiting = iter(argument_lists)
        running: list[_Job] = []
        more = True
        try:
            while more or running:
                while more and self._has_room():
                    args = next(waiting, None)
                    if args is None:
                        more = False
                        break
                    job = _Job(function, args, seconds(args) if seconds else self._seconds)
                    self._start(job)
                    running.append(job)
                done = [job for job in running if job.outcome is not None]
                if not done and running:
                    self._pump()
                for job in done:
                    running.remove(job)
                    result = _opened(job.outcome or ())
                    if isinstance(result, ArchiveError) and not isinstance(result, DecodeError):
                        raise result
                    yield job.args, result
        finally:
            self._abandon(running)

    def _has_room(self) -> bool:
        return len(self._children) < self._workers or any(child.job is None for child in self._children)

    def _start(self, job: _Job) -> bool:
        """Hand `job` to an idle child; False when all are busy."""
        for child in list(self._children):
            if child.job is None and child.process.poll() is not None:
                self._end(child)
        idle = next((child for child in self._children if child.job is None), None)
        if idle is None:
            if len(self._children) >= self._workers:
                return False
            idle = self._spawn()
        data = pickle.dumps((job.function, job.args, job.seconds))
        assert idle.process.stdin is not None
        idle.job, idle.deadline = job, time.monotonic() + job.seconds * WALL_FACTOR
        try:
            idle.process.stdin.write(_HEADER.pack(len(data)) + data)
            idle.process.stdin.flush()
        except BrokenPipeError:
            self._bury(idle)
        return True

    def _spawn(self) -> _Child:
        errors = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the child
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OPENBLAS_NUM_THREADS": "1",  # one core a child; and idle BLAS threads take address space
            "OMP_NUM_THREADS": "1",
            # keep the memory of one page for the next: else a fifth of the time goes into page faults (2026-11)
            "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
            "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
        }
        process = subprocess.Popen(
            # -P: the folder we stand in may be a donor's, and nothing of it is to be imported
            [sys.executable, "-P", "-c", _CHILD, str(self._memory), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
        made = _Child(process, errors)
        os.set_blocking(made.output.fileno(), False)
        self._selector.register(made.output, selectors.EVENT_READ, made)
        self._children.append(made)
        return made

    def _pump(self) -> None:
        """Wait for news of the children, at most until the next deadline, and take it in."""
        busy = [child for child in self._children if child.job is not None]
        if not busy:
            return
        wait = max(0.0, min(child.deadline for child in busy) - time.monotonic())
        for key, _ in self._selector.select(wait):
            self._listen(key.data)
        now = time.monotonic()
        for child in busy:
            if child.job is not None and child.buffer and child.deadline <= now:
                child.deadline = now + _GRACE
            if child.job is not None and child.deadline <= now:
                child.job.outcome = ("fault", "timeout", f"no answer within {child.job.seconds * WALL_FACTOR:g} s")
                self._end(child)

    def _listen(self, child: _Child) -> None:
        data = os.read(child.output.fileno(), 1 << 20)
        if not data:
            self._bury(child)
            return
        child.buffer += data
        while len(child.buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(child.buffer)
            end = _HEADER.size + length
            if len(child.buffer) < end:
                return
            message = pickle.loads(bytes(child.buffer[_HEADER.size : end]))
            del child.buffer[:end]
            self._take(child, message)

    def _take(self, child: _Child, message: tuple[Any, ...]) -> None:
        job = child.job
        if job is None:
            return
        if message[0] == "progress":
            if self._on_progress:
                self._on_progress(job.args, message[1])
            return
        job.outcome, child.job = message, None
        if message[:2] == ("fault", "memory"):
            self._end(child)  # its heap is spoilt; the next job starts with a fresh one

    def _bury(self, child: _Child) -> None:
        """A child died in the middle of a job: say of what."""
        job = child.job
        code, detail = self._end(child)
        if job is not None and job.outcome is None:
            job.outcome = ("fault", code, detail)

    def _end(self, child: _Child) -> tuple[str, str]:
        """Kill a child with everything it started; its code of death and the last it said."""
        status = child.process.poll()
        if status is None:  # it closed its pipe: give it a moment to be dead by its own signal
            try:
                status = child.process.wait(0.2 if child.job is not None and child.job.outcome is None else 0)
            except subprocess.TimeoutExpired:
                status = 0
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        last = _last_words(child.errors)
        self._selector.unregister(child.output)
        self._children.remove(child)
        child.job = None
        for stream in (child.process.stdin, child.output, child.errors):
            with contextlib.suppress(BrokenPipeError):
                if stream:
                    stream.close()
        return _death(status, last)

    def _abandon(self, jobs: list[_Job]) -> None:
        for child in list(self._children):
            if child.job is not None and child.job in jobs:
                child.job.outcome = ("fault", "crash", "abandoned")
                self._end(child)


def _death(status: int, last: str) -> tuple[str, str]:
    if "bad_alloc" in last or "Cannot allocate memory" in last or "MemoryError" in last:
        return "memory", last
    if status < 0:
        number = signal.Signals(-status)
        return _FATAL_SIGNALS.get(number, "crash"), f"{number.name} {last}".strip()
    return "crash", f"exit status {status} {last}".strip()


def _last_words(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - 2000))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _opened(message: tuple[Any, ...]) -> Any:
    """The result of a message from a child, or the error it stands for."""
    match message:
        case ("result", value):
            return value
        case ("fault", code, text):
            return DecodeError(code, text)
        case ("tool", tool, text):
            return MissingToolError(tool, text)
        case ("full", text):
            return DiskFull(text)
        case (_, text):
            return ArchiveError(text)
    return DecodeError("crash", f"unknown message {message!r}")
