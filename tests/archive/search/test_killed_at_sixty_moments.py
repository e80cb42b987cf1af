"""Writers killed (SIGKILL) at sixty moments of adding, committing, merging and swapping, while three processes read."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import killed
import pytest
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from archive.search.base import Query
from archive.search.whoosh_codec import schema
from archive.search.whoosh_index import WhooshIndex

KILLS = 60
MERGING = ("os.rename .*toc", "os.remove .*chinese", "open .*toc", "fsync .*toc", "os.remove .*toc")
SWAPPING = ("open .*current.new", "fsync .*current.new", "os.rename .*current", "fsync .*index$", "os.rmdir", "os.remove", "os.mkdir")
"""Moments that chance may miss: each of them is waited for by name. A swap comes with every third life. All other moments are drawn."""


class Nursery:
    """A process that brings up writers and tells how each ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def life(self, number: int, die_at: int | None = None, of: str = "", delay: float | None = None) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"number": number, "die_at": die_at, "of": of, "delay": delay}) + "\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert not told["last"].startswith("raised"), told
        return told


@contextlib.contextmanager
def _running(role: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`killed.py` in a role; it does not outlive the block."""
    command = [sys.executable, "-W", "error", killed.__file__, role, str(folder)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def _orphans(index: WhooshIndex) -> set[str]:
    """Files of the index that nothing names."""
    (build,) = index.folder.glob("b[0-9]*")
    assert build.name == index.doctor()["build"]
    contents = TOC.read(FileStorage(str(build)), "MAIN", schema=schema())
    stems = tuple(segment.segment_id() for segment in contents.segments)
    named = {path.name for path in build.iterdir() if path.name.startswith(stems)}
    tables = {path.name for path in build.glob("*.toc")}
    assert len(tables) == 1
    left = {path.name for path in build.iterdir()} - named - tables - {"MAIN_WRITELOCK"}
    return left | {path.name for path in index.folder.iterdir()} - {"current", "write.lock", build.name}


@pytest.mark.slow
def test_killed_at_sixty_moments_readers_never_fail_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    index, rng = WhooshIndex(tmp_path / "index"), random.Random(20261123)
    index.rebuild(iter(()))
    said, deaths, life = killed.Acknowledged(tmp_path / "acknowledged"), [], 0
    with contextlib.ExitStack() as running:
        readers = [running.enter_context(_running("reader", tmp_path)) for _ in range(3)]
        nursery = Nursery(running.enter_context(_running("nursery", tmp_path)))
        for life in range(3):  # whole lives, to know how long one is
            operations = nursery.life(life)["operations"]
        waiting = {True: [*SWAPPING], False: [*MERGING] * 2}
        while len(deaths) < KILLS:
            life += 1
            named = waiting[life % 3 == 2]
            if len(deaths) % 4 == 3:
                told = nursery.life(life, delay=rng.random() * 0.25)
            elif named and (life % 3 == 2 or len(deaths) % 2):
                told = nursery.life(life, die_at=1, of=named[0])
                named.append(named.pop(0))  # what did not come in this life comes in another
                if told["killed"]:
                    named.pop()
            else:
                told = nursery.life(life, die_at=rng.randint(1, operations if life % 3 == 2 else operations * 2 // 3))
            if told["killed"]:
                deaths.append(told["last"])
            assert [*killed.faults(WhooshIndex(index.folder), said.read())] == []
            undone = set(range(2 * life + 2)) - said.read().keys()
            for number in undone:  # what the writer did not come to do or to say
                index.replace([(f"k-{number}", killed.work(number, 0))])
                said.say(number, 0)
            index.replace([("passing", killed.work(9999, life))])
            assert _orphans(index) == set()
        (tmp_path / "stop").touch()
        ends = [reader.communicate()[0] for reader in readers]
    assert [end.split()[0] for end in ends] == ["well"] * 3, ends
    assert all(int(end.split()[1]) > 30 for end in ends)
    _check_moments(deaths)
    index.replace([("passing", ())])
    assert index.search(Query("利漢江", limit=0)).total == killed.LEAVES * len(said.read())


def _check_moments(deaths: list[str]) -> None:
    """The moments were what they should be: while a segment is written, while it is named, while old ones go, while builds are swapped."""
    missed = [
        moment for moment in ("chinese", *MERGING, *SWAPPING, "by the clock") if not any(re.search(moment, death) for death in deaths)
    ]
    assert len(missed) < 4, (missed, deaths)
