"""Times the index on a corpus of leaves: `python benchmarks/search/run.py LEAVES.jsonl[.gz] [--index FOLDER] [--limit N] [--queries N]`.

Prints build speed, size, memory, and for each class of query p50, p95 and the mean number of hits: in-process, warm, with 20 hits and snippets.
Queries are cut from the corpus by a seed. The machine swings; compare ratios, not milliseconds, between runs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query
from archive.search.chinese import read
from archive.search.whoosh_index import WhooshIndex

_TODAY = date(2026, 11, 22)
_OPEN = Visibility(Audience.PUBLIC)
_LEAF = re.compile(r"(\d+)-(\d+)([ab])")


def _leaves(path: Path, limit: int | None) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream):
            if limit is not None and number >= limit:
                return
            yield json.loads(line)


def _follows(leaf: str, before: str) -> bool:
    """True when one leaf is the next of another, as far as their names tell; a gap is a wall."""
    one, two = _LEAF.search(before), _LEAF.search(leaf)
    if one is None or two is None:
        return False
    place = [int(match[1]) * 100_000 + int(match[2]) * 2 + (match[3] == "b") for match in (one, two)]
    return place[1] - place[0] == 1 or (int(two[1]) == int(one[1]) + 1 and int(two[2]) == 1 and two[3] == "a")


def items(path: Path, limit: int | None) -> Iterator[tuple[str, Iterator[IndexDocument]]]:
    """Each work of the corpus as an item: its description and its leaves."""
    for work, leaves in groupby(_leaves(path, limit), key=lambda leaf: leaf["work"]):
        yield work.lower(), _documents(work.lower(), leaves)


def _documents(item: str, leaves: Iterator[dict[str, str]]) -> Iterator[IndexDocument]:
    rng, before = random.Random(item), ""
    shared: dict[str, Any] = {"collection": "fangzhi", "kind": "gazetteer", "year_first": rng.randint(1368, 1911)}
    shared |= {"fields": {"dynasty": (rng.choice("明清"),)}, "field_names": {"dynasty": ("时代",)}, "facets": ("dynasty",)}
    for position, leaf in enumerate(leaves, 1):
        if position == 1:
            yield IndexDocument(item, "item", "", leaf["title"], _OPEN, title=leaf["title"], **shared)
        joins = _follows(leaf["leaf"], before)
        before = leaf["leaf"]
        yield IndexDocument(
            item,
            "page",
            f"p{position}",
            leaf["text"],
            _OPEN,
            joins,
            True,
            position,
            leaf["leaf"],
            title=leaf["title"],
            section=leaf["juan"],
            source="donor",
            **shared,
        )


def _strings(path: Path, limit: int | None, count: int) -> dict[str, list[str]]:
    rng = random.Random(1)
    texts: list[str] = []
    for number, leaf in enumerate(_leaves(path, limit)):
        written = read(leaf["text"], True).written
        if len(written) > 60:
            if len(texts) < 4 * count:
                texts.append(written)
            elif (at := rng.randrange(number + 1)) < len(texts):
                texts[at] = written

    def cut(low: int, high: int) -> str:
        text = rng.choice(texts)
        length = rng.randint(low, high)
        start = rng.randint(0, len(text) - length)
        return "".join(char for char in text[start : start + length] if char < "\U00040000" or char > "\U000e0000") or "安"

    def many(make: Callable[[], str]) -> list[str]:
        return [make() for _ in range(count)]

    return {
        "1 character": many(lambda: cut(1, 1)),
        "2 characters": many(lambda: cut(2, 2)),
        "3-4": many(lambda: cut(3, 4)),
        "8-30": many(lambda: cut(8, 30)),
        "AND": many(lambda: f"{cut(2, 2)} {cut(2, 2)}"),
        "OR": many(lambda: f"{cut(2, 2)} OR {cut(2, 2)}"),
        "NOT": many(lambda: f"{cut(2, 2)} -{cut(1, 2)}"),
        "exact": many(lambda: f"“{cut(2, 3)}”"),
        "甲?乙": many(lambda: f"{cut(1, 1)}?{cut(1, 1)}"),
        "近:5": many(lambda: f"近:5({cut(1, 2)} {cut(1, 2)})"),
    }


def _time(index: WhooshIndex, queries: list[Query]) -> tuple[float, float, float]:
    for query in queries:
        index.search(query)
    times, totals = [], []
    for query in queries:
        begun = time.perf_counter()
        totals.append(index.search(query).total)
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.95) - 1], statistics.mean(totals)


def _report(index: WhooshIndex, strings: dict[str, list[str]]) -> None:
    print(f"{'class':14}{'p50 ms':>9}{'p95 ms':>9}{'hits':>10}")
    for name, texts in strings.items():
        print("{:14}{:9.2f}{:9.2f}{:10.0f}".format(name, *_time(index, [Query(text, today=_TODAY, facets=()) for text in texts])))
    pairs = strings["2 characters"]
    variants: dict[str, dict[str, Any]] = {
        "filter + range": {"collection": "fangzhi", "year_from": 1500, "year_to": 1700, "facets": ()},
        "5 facets": {"facets": ("collection", "kind", "decade", "dynasty", "section")},
        "sorted": {"sort": "date", "facets": ()},
        "page 50": {"offset": 980, "facets": ()},
        "no hits shown": {"limit": 0, "facets": ()},
    }
    for name, more in variants.items():
        print("{:14}{:9.2f}{:9.2f}{:10.0f}".format(name, *_time(index, [Query(text, today=_TODAY, **more) for text in pairs])))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("leaves", type=Path)
    arguments.add_argument("--index", type=Path, help="keep the index here, and use it when it is there")
    arguments.add_argument("--limit", type=int)
    arguments.add_argument("--queries", type=int, default=100)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        index = WhooshIndex(given.index or Path(scratch) / "index")
        if not index.folder.is_dir():
            cpu = time.process_time()
            index.rebuild(items(given.leaves, given.limit))
            cpu = time.process_time() - cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            characters = index.doctor()["characters"]
            assert isinstance(characters, int)
            print(
                f"built: {cpu:.1f} s CPU, {characters / cpu / 1e6:.2f} million characters a second (reading included), peak {peak:.0f} MiB"
            )
        state = index.doctor()
        size, characters = state["bytes"], state["characters"]
        assert isinstance(size, int)
        assert isinstance(characters, int)
        print({**state, "bytes a character": round(size / characters, 2)})
        begun = time.perf_counter()
        WhooshIndex(index.folder).search(Query("安康", today=_TODAY))
        print(f"opened and asked for the first time: {(time.perf_counter() - begun) * 1000:.0f} ms")
        _report(index, _strings(given.leaves, given.limit, given.queries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
