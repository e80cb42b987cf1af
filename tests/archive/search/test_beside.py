"""The process that helps to build an index: it folds as this one does, its faults are told, and it outlives nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.errors import SearchIndexError
from archive.model.rights import Audience, Visibility
from archive.search import segment_build, whoosh_index
from archive.search.arrays import map_arrays, write_arrays
from archive.search.base import IndexDocument, Query
from archive.search.batch_reading import Texts
from archive.search.beside import Beside
from archive.search.chinese import learn_glyphs
from archive.search.segment_text import SegmentText
from archive.search.whoosh_index import WhooshIndex

PARENT = "from archive.search.beside import Beside; import time; beside = Beside(); print(beside.pid, flush=True); time.sleep(60)"


@pytest.fixture
def beside() -> Iterator[Beside]:
    made = Beside()
    yield made
    made.close()


def test_what_goes_wrong_there_is_raised_here(beside: Beside, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        beside.begin(map_arrays, tmp_path / "none").result()
    assert beside.begin(os.getpid).result() == beside.pid


def test_its_death_is_a_fault_of_the_index(beside: Beside) -> None:
    job = beside.begin(os._exit, 7)
    with pytest.raises(SearchIndexError, match="status 7"):
        job.result()


def test_work_left_undone_does_not_hold_up_the_end() -> None:
    made = Beside()
    made.begin(time.sleep, 60)
    began = time.monotonic()
    made.close()
    assert time.monotonic() - began < 20


def test_it_ends_with_the_process_that_began_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 20
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(child)


def test_texts_that_wait_are_built_once_by_whoever_takes_them(tmp_path: Path) -> None:
    read, built = tmp_path / "read", tmp_path / "text"
    write_arrays(read, Texts.of(["漢陰", "陝西"], [False, True], [True, True]).arrays())
    assert segment_build.build_file(read, built)
    assert not segment_build.build_file(read, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["text"]
    assert SegmentText(map_arrays(built)[0]).text_of(1) == "陝西"


def _runs(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_glyphs_of_a_home_fold_in_whichever_process_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "PART_CHARACTERS", 100)
    seen = Visibility(Audience.PUBLIC)
    works = [(f"w-{n}", [IndexDocument(f"w-{n}", "page", "p1", "\ue123西" * 60, seen)]) for n in range(12)]
    learn_glyphs({"\ue123": "陝"})
    try:
        index = WhooshIndex(tmp_path, processes=2)
        index.rebuild(iter(works))
        assert index.search(Query("陕西", today=date(2026, 11, 23))).total == 12
    finally:
        learn_glyphs({})
