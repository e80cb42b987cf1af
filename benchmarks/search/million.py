"""A million leaves: the works of the corpus again and again under other names, 5 % of their characters changed; built, measured and asked."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from archive.search.base import IndexDocument
from archive.search.whoosh_index import WhooshIndex
from benchmarks.search.building import in_two, index_of, own_characters
from benchmarks.search.clocks import Apart, Times, cpu_seconds, private
from benchmarks.search.corpus import KINDS, Cutter, Leaf, Question, documents, leaves
from benchmarks.search.engines import Ours
from benchmarks.search.figure import Figure, Given, at_most
from benchmarks.search.latency import best

CHANGED = 0.05
_SEED = 7
_FIRST, _LAST = 0x3400, 0x3FFFF
"""Characters from and to which are changed: Han, not brackets, marks or line breaks."""
_PARTED = "\x1f"
_POOL = 1 << 20

Codes = NDArray[np.uint32]


def _encode(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def changed(texts: list[str], pool: Codes, rng: np.random.Generator) -> list[str]:
    """The texts with some characters replaced by others of the corpus."""
    codes = _encode(_PARTED.join(texts)).copy()
    at = np.flatnonzero((rng.random(len(codes), np.float32) < CHANGED) & (codes >= _FIRST) & (codes <= _LAST))
    codes[at] = pool[rng.integers(0, len(pool), len(at))]
    return codes.tobytes().decode("utf-32-le", "surrogatepass").split(_PARTED)


def works(path: Path, limit: int | None, count: int) -> Iterator[tuple[str, Iterator[IndexDocument]]]:
    """So many leaves as items. The first time round works are as they are; then each has a number more to its name and other characters."""
    whole = [(work, list(some)) for work, some in groupby(leaves(path, limit), key=lambda leaf: leaf.work)]
    han = _encode("".join(leaf.text for _, some in whole[:: max(1, len(whole) // 400)] for leaf in some))
    rng = np.random.default_rng(_SEED)
    pool = rng.choice(han[(han >= _FIRST) & (han <= _LAST)], _POOL)
    given, copy = 0, 0
    while given < count:
        for work, some in whole:
            some = some[: count - given]
            if not some:
                return
            name = f"{work.lower()}-{copy}" if copy else work.lower()
            yield name, documents(name, _again(some, copy, pool, rng) if copy else some)
            given += len(some)
        copy += 1


def _again(some: list[Leaf], copy: int, pool: Codes, rng: np.random.Generator) -> list[Leaf]:
    texts = changed([leaf.text for leaf in some], pool, rng)
    title = f"{some[0].title}（{copy + 1}）"
    return [msgspec.structs.replace(leaf, title=title, text=text) for leaf, text in zip(some, texts, strict=True)]


def build_million(given: Given, folder: Path, processes: int) -> tuple[float, float, float]:
    """CPU and clock of building, and the CPU that making the leaves took of it."""
    making = 0.0

    def counted() -> Iterator[tuple[str, Iterator[IndexDocument]]]:
        nonlocal making
        source = works(given.leaves, given.limit, given.million)
        while True:
            began = time.thread_time()
            try:
                item, some = next(source)
                made = iter(list(some))
            except StopIteration:
                return
            finally:
                making += time.thread_time() - began
            yield item, made

    cpu, wall = cpu_seconds(), time.perf_counter()
    index_of(folder, processes).rebuild(counted())
    return cpu_seconds() - cpu, time.perf_counter() - wall, making


def ask_million(folder: Path, asked: dict[str, list[Question]]) -> tuple[list[dict[str, tuple[Times, int]]], float]:
    """Times and hits of every class, without snippets and with those of 20 hits, and what the process then holds for itself."""
    times = [{kind: best(ours, some, 2) for kind, some in asked.items()} for ours in (Ours(folder), Ours(folder, snippets=True))]
    return times, private(os.getpid())


def million(given: Given) -> list[Figure]:
    """Build, size, memory and classes. An index that is there is asked and not built again."""
    folder, built, row = given.kept / "million", given.kept / "million.json", f"{given.million:,} leaves"
    if not built.exists():
        shutil.rmtree(folder, ignore_errors=True)
        with Apart() as process:
            took = process.watched(build_million, given, folder, 2 if in_two() else 1)
            built.write_text(msgspec.json.encode((*took, process.peak)).decode())
    cpu, wall, making, peak = msgspec.json.decode(built.read_bytes(), type=tuple[float, float, float, float])
    state = WhooshIndex(folder).doctor()
    size, characters = state["bytes"], own_characters(folder)
    assert isinstance(size, int)
    said = f"{wall / 60:.1f} minutes on the clock, {making / 60:.1f} CPU minutes of making the leaves taken off; peak {peak:.0f} MiB; "
    said += f"{characters:,} characters in {state['segments']} segments"
    figures = [
        at_most(row, "build", (cpu - making) / 60, 12, "CPU minutes", said),
        at_most(row, "index", size / characters, 12, "bytes a character"),
    ]
    kinds = [kind for kind in KINDS if kind != "page 50"]
    asked = Cutter(given.leaves, given.limit, _SEED).questions(max(20, given.queries // 2), kinds)
    with Apart() as process:
        (plain, shown), held = process.call(ask_million, folder, asked)
    figures.append(at_most(row, "private memory after all classes", held, 400, "MiB"))
    for kind, (taken, hits) in plain.items():
        beside = f"CPU p50 {taken.cpu_p50:.2f}, p95 {taken.cpu_p95:.2f}; {hits / len(taken.wall):,.0f} hits on average"
        figures.append(at_most(row, f"{kind}, p50", taken.p50, 5, beside=beside))
        with_snippets = shown[kind][0]
        beside = f"with snippets p50 {with_snippets.p50:.2f}, p95 {with_snippets.p95:.2f}"
        figures.append(at_most(row, f"{kind}, p95", taken.p95, 20, beside=beside))
    return figures
