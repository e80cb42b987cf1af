"""The whole table of figures: `python -m benchmarks.search LEAVES.jsonl[.gz] --keep FOLDER [--only warm,build] [--limit N]`.

Measures every part, or those named, each in processes of its own, adds what was measured to a file, and prints the table of what was last
measured of every part. Indexes are kept in the folder: `build` makes them anew, the other parts use them. Exit status 1 when a figure is
not met. How each figure is taken is told in the README beside this file.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.search import building, concordance, exact, latency, million, web
from benchmarks.search.figure import Figure, Given
from benchmarks.search.table import Measured, add_result, commit, load, now, read_results, table

PARTS: dict[str, Callable[[Given], list[Figure]]] = {
    "build": building.build,
    "exact": exact.exact,
    "warm": latency.warm,
    "cold": latency.cold,
    "others": latency.others,
    "concordance": concordance.concordance,
    "http": web.http,
    "million": million.million,
}
"""In the order in which they run: what is built is used by what follows."""


def _given(words: list[str] | None = None) -> tuple[Given, list[str], Path]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__.splitlines()[0])
    parser.add_argument("leaves", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="folder of the indexes, used again when they are there")
    parser.add_argument("--only", default="", help=f"parts, with commas: {', '.join(PARTS)}; `none` prints the table alone")
    parser.add_argument("--limit", type=int, help="the first so many leaves")
    parser.add_argument("--queries", type=int, default=100, help="of each class")
    parser.add_argument("--million", type=int, default=1_000_000, help="so many leaves for the part of that name")
    parser.add_argument("--home", type=Path, help="an archive that holds the corpus; made in --keep when not given")
    parser.add_argument("--results", type=Path, help="file that results are added to; results.json in --keep")
    given = parser.parse_args(words)
    given.keep.mkdir(parents=True, exist_ok=True)
    parts = [part for part in given.only.split(",") if part and part != "none"] or ([] if given.only else list(PARTS))
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    values = Given(given.leaves, given.limit, given.keep, given.queries, given.million, given.home)
    return values, parts, given.results or given.keep / "results.json"


def main() -> int:
    """Measure and print."""
    given, parts, results = _given()
    if not given.leaves.is_file():
        sys.stderr.write(f"{given.leaves}: not there. Nothing is measured without the corpus.\n")
        return 2
    for part in (part for part in PARTS if part in parts):
        print(f"{now()} {part} …", flush=True)
        began, before, at = time.perf_counter(), load(), now()
        figures = PARTS[part](given)
        seconds = time.perf_counter() - began
        add_result(results, Measured(part, commit(), at, round(seconds, 1), (before, load()), given.limit, given.queries, figures))
    print("\n".join(table(results)))
    return int(any(figure.ok is False for measured in read_results(results) for figure in measured.figures if measured.part in parts))


if __name__ == "__main__":
    sys.exit(main())
