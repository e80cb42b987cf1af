"""Identify: what each file is by its content, decoded fully in child processes, so that nothing about content is first learnt later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from pathlib import Path

from archive.derivatives.base import Probe, ProbeLimits
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.sandbox import Sandbox
from archive.errors import DecodeError
from ingest.readers.personal import personal_numbers
from ingest.task import GivenFile

RECIPE = "probe-1"
"""Version of the answers; a change of what a probe says must change it, so that remembered answers are asked again."""


def identify(
    files: Iterable[GivenFile],
    known: MutableMapping[str, Probe],
    sandbox: Sandbox | None,
    limits: ProbeLimits,
    tools: Tools,
    *,
    progress: Callable[[GivenFile], None] | None = None,
) -> Iterator[tuple[str, Probe]]:
    """(path, probe) of each file that has bytes. `known` maps `question(file)` to an earlier answer and is filled with new ones.

    A file that crashes or hangs its decoder costs that file only: its probe carries the fault, and is asked again the next time.
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
    from archive.derivatives import probe as prober  # with its decoders slow to import, and not needed for an unchanged donation

    jobs = ((same[0].location, Path(same[0].path).name, limits, tools) for same in waiting.values())
    by_job = {same[0].location: same for same in waiting.values()}
    for arguments, answer in sandbox.map(prober.probe, jobs, seconds=lambda job: prober.seconds_for(job[0], limits.seconds)):
        same = by_job[arguments[0]]
        found = prober.refused(arguments[0], arguments[1], answer) if isinstance(answer, DecodeError) else answer
        if not isinstance(answer, DecodeError):
            known[question(same[0])] = found
        for file in same:
            yield file.path, found
        if progress:
            progress(same[0])


def question(file: GivenFile) -> str:
    """What a probe's answer depends on: the bytes, and the suffix of the name (it breaks ties between formats)."""
    return f"{file.sha512}{Path(file.path).suffix.lower()}"


def may_be_remembered(found: Probe) -> bool:
    """False for a file with personal numbers in its words: they are written nowhere but in its original, so it is looked at anew each time."""
    return not any(personal_numbers(text) for text in found.text)
