"""The table of figures: parts of the run as they were last measured, printed as Markdown, and kept in a file of JSON."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.search.figure import Figure

ROOT = Path(__file__).parents[2]
_BUSY = 2.5
"""Load of the last minute from which on a part is marked: one process of ours and the machine's two cores."""


class Measured(msgspec.Struct):
    """One part, measured: at which commit, when (UTC), for how many seconds, with what load of the machine before and after."""

    part: str
    commit: str
    when: str
    seconds: float
    load: tuple[float, float]
    leaves: int | None
    queries: int
    figures: list[Figure]


def commit() -> str:
    """The checkout's commit, with a + when something was changed since."""
    words = ("git", "-C", str(ROOT))
    name = subprocess.run([*words, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    changed = subprocess.run([*words, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False).stdout.strip()
    return name + ("+" if changed else "")


def load() -> float:
    """Processes that wanted to run in the last minute, on average."""
    return os.getloadavg()[0]


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime())


def read_results(path: Path) -> list[Measured]:
    """What was measured so far, oldest first."""
    return msgspec.json.decode(path.read_bytes(), type=list[Measured]) if path.exists() else []


def add_result(path: Path, measured: Measured) -> None:
    """Put one more at the end."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode([*read_results(path), measured]), indent=1))


def table(path: Path) -> Iterator[str]:
    """Lines of the table: of every part the last run; the parts and their commits follow."""
    last = {measured.part: measured for measured in read_results(path)}
    yield "| | must | measured | | how it stands |"
    yield "| --- | --- | --- | --- | --- |"
    for measured in last.values():
        for figure in measured.figures:
            verdict = {True: "yes", False: "**NO**", None: ""}[figure.ok]
            yield f"| {figure.row}: {figure.name} | {figure.must} | {figure.measured} | {verdict} | {figure.beside} |"
    yield ""
    for measured in last.values():
        leaves = f"first {measured.leaves:,} leaves" if measured.leaves else "all leaves"
        busy = f" **busy machine** (load {measured.load[0]:.1f} to {measured.load[1]:.1f})" if max(measured.load) > _BUSY else ""
        yield f"- {measured.part}: commit {measured.commit}, {measured.when} UTC, {measured.seconds:.0f} s, {leaves}, {measured.queries} questions a class{busy}"
    failed = [figure for measured in last.values() for figure in measured.figures if figure.ok is False]
    met = sum(figure.ok is True for measured in last.values() for figure in measured.figures)
    yield f"\n{met} figures met, {len(failed)} not"
