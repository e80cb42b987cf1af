"""Identify: what each file is by its content, decoded fully in child processes, so that nothing about content is first learnt later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from pathlib import Path

from archive.derivatives.probe import ProbeLimits, probe
from archive.derivatives.sandbox import Sandbox

from archive.derivatives.base import Fault, Probe
from archive.errors import DecodeError
from archive.model.item import MediaKind
from ingest.task import GivenFile


def identify(
    files: Iterable[GivenFile],
    known: MutableMapping[str, Probe],
    sandbox: Sandbox | None,
    limits: ProbeLimits,
    *,
    progress: Callable[[GivenFile], None] | None = None,
) -> Iterator[tuple[str, Probe]]:
    """(path, probe) of each file that has bytes. `known` maps `question(file)` to an earlier answer and is filled with new ones.

    A file that crashes or hangs its decoder costs that file only: its probe carries the fault.
    """
    waiting: dict[str, list[GivenFile]] = {}
    for file in files:
        if not file.sha512:
            continue
        if question(file) in known:
            yield file.path, known[question(file)]
        else:
            waiting.setdefault(question(file), []).append(file)
    if not waiting or sandbox is None:
        return
    jobs = ((same[0].location, Path(same[0].path).name, limits) for same in waiting.values())
    by_job = {(same[0].location, Path(same[0].path).name): same for same in waiting.values()}
    for arguments, answer in sandbox.map(probe, jobs):
        same = by_job[arguments[0], arguments[1]]
        found = _failed(answer) if isinstance(answer, DecodeError) else answer
        if not isinstance(answer, DecodeError):
            known[question(same[0])] = found
        for file in same:
            yield file.path, found
        if progress:
            progress(same[0])


def question(file: GivenFile) -> str:
    """What a probe's answer depends on: the bytes and the suffix of the name."""
    # the name breaks ties between formats, so files of one content but different suffix are asked apart
    return f"{file.sha512}{Path(file.path).suffix.lower()}"


def _failed(error: DecodeError) -> Probe:
    return Probe("application/octet-stream", MediaKind.OTHER, "", faults=(Fault(error.code, False, str(error)),))
