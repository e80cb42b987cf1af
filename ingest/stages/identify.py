"""Identify: what each file is by its content, decoded fully in child processes, so that nothing about content is first learnt later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path

import msgspec
from archive.derivatives.probe import PROBE_VERSION, ProbeLimits, probe
from archive.derivatives.sandbox import Sandbox

from archive import records
from archive.derivatives.base import Fault, Probe
from archive.errors import DecodeError
from archive.model.item import MediaKind
from ingest.task import GivenFile


def identify(
    files: Iterable[GivenFile],
    known: MutableMapping[str, Probe],
    sandbox: Sandbox,
    limits: ProbeLimits,
    *,
    progress: Callable[[GivenFile], None] | None = None,
) -> Iterator[tuple[str, Probe]]:
    """(path, probe) of each file that has bytes. `known` maps sha512 to an earlier answer and is filled with new ones.

    A file that crashes or hangs its decoder costs that file only: its probe carries the fault.
    """
    waiting: dict[str, list[GivenFile]] = {}
    for file in files:
        if not file.sha512:
            continue
        if file.sha512 in known:
            yield file.path, known[file.sha512]
        else:
            waiting.setdefault(_question(file), []).append(file)
    jobs = ((same[0].location, Path(same[0].path).name, limits) for same in waiting.values())
    by_job = {(same[0].location, Path(same[0].path).name): same for same in waiting.values()}
    for arguments, answer in sandbox.map(probe, jobs):
        same = by_job[arguments[0], arguments[1]]
        found = _failed(answer) if isinstance(answer, DecodeError) else answer
        if not isinstance(answer, DecodeError):
            known[same[0].sha512] = found
        for file in same:
            yield file.path, found
        if progress:
            progress(same[0])


def _question(file: GivenFile) -> str:
    # the name breaks ties between formats, so files of one content but different suffix are asked apart
    return f"{file.sha512}{Path(file.path).suffix.lower()}"


def _failed(error: DecodeError) -> Probe:
    return Probe("application/octet-stream", MediaKind.OTHER, "", faults=(Fault(error.code, False, str(error)),))


def probe_record(found: Probe) -> bytes:
    """A probe as it is remembered in the catalogue."""
    return msgspec.json.encode(records.to_record(found))


def probe_from(record: bytes) -> Probe:
    """What `probe_record` wrote."""
    return msgspec.json.decode(record, type=Probe)


__all__ = ["PROBE_VERSION", "Mapping", "identify", "probe_from", "probe_record"]
