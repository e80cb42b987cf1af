"""Programs for `test_killed_at_sixty_moments`: a nursery of writers that die, and readers that look on. Run as `python killed.py ROLE FOLDER`.

`nursery` reads a line a life (JSON: `number`; `die_at`: the how-manieth file operation, or null; `of`: only of those this pattern is found in;
`delay`: seconds, or null), forks a writer, waits for its end and tells it (JSON: `killed`, `operations`, `last`). Forked, because a Python with numpy takes half a second to begin. Nothing of the archive knows of this: file
operations are counted by Python's audit events, and a writer kills itself with SIGKILL.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query
from archive.search.whoosh_index import WhooshIndex

LEAVES = 5
_SEEN = Visibility(Audience.PUBLIC)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def work(number: int, edition: int) -> list[IndexDocument]:
    """A work whose every leaf names its number and edition."""
    return [
        IndexDocument(
            f"k-{number}", "page", f"p{leaf}", f"水利漢江{_hanzi(number)}第{_hanzi(edition)}版" * 6, _SEEN, leaf > 1, position=leaf
        )
        for leaf in range(1, LEAVES + 1)
    ]


def _hanzi(number: int) -> str:
    return "".join("甲乙丙丁戊己庚辛壬癸"[int(digit)] for digit in f"{number:04}")


@dataclass
class Acknowledged:
    """What a writer was told is kept: a file to which it appends `number edition`, a line each, after the index returned."""

    path: Path
    editions: dict[int, int] = field(default_factory=dict)

    def say(self, number: int, edition: int) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{number} {edition}\n".encode())
        os.close(descriptor)
        self.editions[number] = edition

    def read(self) -> dict[int, int]:
        """Each work's newest edition."""
        lines = self.path.read_text("ascii").split("\n")[:-1] if self.path.exists() else []
        return self.editions | {int(line.split()[0]): int(line.split()[1]) for line in lines}


# A life


def live(folder: Path, number: int) -> None:
    """One life of a writer: a new work, a corrected one, a third taken out and put in again, and every third time all anew beside the old and swapped."""
    said = Acknowledged(folder / "acknowledged")
    said.editions = said.read()
    index = WhooshIndex(folder / "index")
    for new in (2 * number, 2 * number + 1):
        index.replace([(f"k-{new}", work(new, 0))])
        said.say(new, 0)
    corrected = (number * 7) % (2 * number + 1)
    edition = said.editions[corrected] + 1
    index.replace([(f"k-{corrected}", work(corrected, edition)), ("passing", work(9999, 0))])
    said.say(corrected, edition)
    index.replace([("passing", ())])
    if number % 3 == 2:
        index.rebuild((f"k-{n}", work(n, e)) for n, e in sorted(said.editions.items()))


class Death:
    """Counts what is done to files under a folder and kills this process at the n-th operation."""

    def __init__(self, folder: Path, die_at: int | None, of: str, tell: int) -> None:
        self.folder, self.die_at, self.of, self.tell = str(folder), die_at, re.compile(of), tell
        self.count = 0

    def watch(self) -> None:
        sys.addaudithook(self._event)
        sync = os.fsync

        def counted(descriptor: int) -> None:
            self._count(f"fsync {os.readlink(f'/proc/self/fd/{descriptor}')}")
            sync(descriptor)

        os.fsync = counted

    def _event(self, event: str, given: tuple[Any, ...]) -> None:
        if event == "open":
            path, _mode, flags = given
            if isinstance(path, str | os.PathLike) and isinstance(flags, int) and flags & _WRITING:
                self._count(f"open {os.fspath(path)}")
        elif event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"):
            self._count(f"{event} {given[0]} {given[1] if event == 'os.rename' else ''}")

    def _count(self, what: str) -> None:
        if self.folder not in what and not what.startswith(("os.remove", "os.rmdir")):
            return
        self.count += self.of.search(what) is not None
        if self.count == self.die_at:
            self.end(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def end(self, what: str) -> None:
        os.write(self.tell, json.dumps({"operations": self.count, "last": what}).encode())


def nursery(folder: Path) -> None:
    """See the module."""
    for line in sys.stdin:
        asked = json.loads(line)
        hear, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(hear)
            death = Death(folder / "index", asked["die_at"], asked["of"], tell)
            death.watch()
            try:
                live(folder, asked["number"])
                death.end("nothing")
            except BaseException as error:
                death.end(f"raised {error!r}")
            os._exit(0)
        os.close(tell)
        if asked["delay"] is not None:
            time.sleep(asked["delay"])
            os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        heard = os.read(hear, 10_000).decode()
        os.close(hear)
        told = json.loads(heard) if heard else {"operations": None, "last": "by the clock"}
        _tell(json.dumps({**told, "killed": os.WIFSIGNALED(status)}))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


# Looking on


def read(folder: Path) -> None:
    """Search until told to stop. Nothing may fail, and whatever was acknowledged before a question is in its answer."""
    said, index, asked = Acknowledged(folder / "acknowledged"), WhooshIndex(folder / "index"), 0
    while not (folder / "stop").exists():
        for fault in faults(index, said.read()):
            _tell(fault)
            return
        asked += 1
        time.sleep(0.03)
    _tell(f"well {asked}")


def faults(index: WhooshIndex, acknowledged: dict[int, int]) -> Iterator[str]:
    """What is wrong with an index that must hold these works, each in this edition or a later one (one step, unacknowledged)."""
    results = index.search(Query("利漢江", limit=3, facets=("kind",)))
    if results.items < len(acknowledged):
        yield f"{results.items} works for {len(acknowledged)}"
    if results.total % LEAVES:
        yield f"{results.total} leaves: a work in part"
    for number in sorted(acknowledged)[-2:]:
        edition = acknowledged[number]
        totals = [
            index.search(Query(f"“{_hanzi(number)}第{_hanzi(e)}版”", item=f"k-{number}", limit=1)).total for e in (edition, edition + 1)
        ]
        if LEAVES not in totals and index.search(Query("利漢江", item=f"k-{number}", limit=0)).total != LEAVES:
            yield f"k-{number}: leaves {totals} of editions {edition}, {edition + 1}"


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        {"nursery": nursery, "reader": read}[sys.argv[1]](Path(sys.argv[2]))
