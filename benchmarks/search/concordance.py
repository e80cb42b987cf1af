"""The concordance of a character with about 100,000 occurrences (`kwic`), as figures."""

from __future__ import annotations

from pathlib import Path

from archive.search.whoosh_index import WhooshIndex
from benchmarks.search.clocks import apart
from benchmarks.search.figure import Figure, Given, at_least, at_most
from benchmarks.search.latency import ensure_index

ROW = "concordance"


def measure(folder: Path) -> tuple[str, int, dict[str, float], float, int]:
    """What `kwic` measures, as plain values."""
    from benchmarks.search import kwic

    found = kwic.measured(WhooshIndex(folder))
    return found.character, found.occurrences, found.screens, found.lines, found.bytes


def concordance(given: Given) -> list[Figure]:
    """First screen in the dearest of its orders, and the whole CSV."""
    ensure_index(given)
    character, occurrences, screens, lines, size = apart(measure, given.index)
    said = f"{character}, {occurrences:,} occurrences; CPU, by order: " + ", ".join(f"{sort} {took:.0f}" for sort, took in screens.items())
    return [
        at_most(ROW, "first screen", max(screens.values()), 150, beside=said),
        at_least(ROW, "whole CSV", lines, 50_000, "lines a CPU second", f"{size / 1e6:.0f} MB; the look at the catalogue is not in it"),
    ]
