"""Times the concordance on an index: `python benchmarks/search/kwic.py INDEX [--character 府] [--rounds N]`.

Two figures of CPU time, medians: the first screen (50 lines as they stand in the text, with the dispersion) in each order, and all lines
as the bytes of the CSV that a reader would be sent. INDEX is a folder that `run.py --index` made. Without `--character` one is chosen that
occurs about 100,000 times. The second look at the catalogue, which an archive takes before a line goes out, is not in it: an index alone has none.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from archive.assembly import make_home, open_archive
from archive.search.base import Query
from archive.search.whoosh_index import WhooshIndex
from archive.settings import load_settings
from archive.web import create_app
from archive.web.asking import LINE_SORTS
from archive.web.concordance import csv_of

_TODAY = date(2026, 11, 22)
_CANDIDATES = "府縣山水城人在南北西東州之金石泉漢安康志"


@dataclass(frozen=True, slots=True)
class Figures:
    """`screens`: milliseconds of CPU for the first screen, by order. `lines` a second of CPU for the whole CSV, of `bytes` bytes."""

    character: str
    occurrences: int
    screens: dict[str, float]
    lines: float
    bytes: int


def measured(index: WhooshIndex, character: str | None = None, rounds: int = 5) -> Figures:
    """The figures of one character on an index."""
    wanted = character or _about_100_000(index)
    query = Query(wanted, today=_TODAY, limit=50)
    total = index.concordance(query).total
    screens = {sort: _cpu(lambda sort=sort: index.concordance(replace(query, sort=sort)), rounds) * 1000 for sort in LINE_SORTS}
    size = 0

    def whole() -> None:
        nonlocal size
        lines = index.occurrences(replace(query, sort="left"))
        size = sum(len(part) for part in csv_of(lines, "方志馆", "https://fangzhi.example.org"))

    with tempfile.TemporaryDirectory() as folder:
        make_home(Path(folder) / "home")
        archive = open_archive(load_settings(Path(folder) / "home"))
        with create_app(archive).test_request_context():
            seconds = _cpu(whole, rounds)
        archive.close()
    return Figures(wanted, total, screens, total / seconds, size)


def _about_100_000(index: WhooshIndex) -> str:
    counts = {character: index.concordance(Query(character, today=_TODAY, limit=0)).total for character in _CANDIDATES}
    return min(counts, key=lambda character: abs(counts[character] - 100_000))


def _cpu(work: Callable[[], object], rounds: int) -> float:
    """Median seconds of CPU, once done beforehand."""
    work()
    times = []
    for _ in range(rounds):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return statistics.median(times)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("index", type=Path)
    arguments.add_argument("--character")
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    figures = measured(WhooshIndex(given.index), given.character, given.rounds)
    print(f"{figures.character}: {figures.occurrences:,} occurrences")
    for sort, milliseconds in figures.screens.items():
        print(f"first screen, by {sort:6}{milliseconds:8.1f} ms CPU")
    print(f"whole CSV: {figures.lines:,.0f} lines a second of CPU, {figures.bytes / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
