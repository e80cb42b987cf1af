"""What the index on a disk must survive: kills, torn files, foreign versions, readers in other processes, many small additions."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archive.errors import Busy, SearchIndexError
from archive.model.rights import Audience, Visibility
from archive.search import segment_build, whoosh_index
from archive.search.base import IndexDocument, Query
from archive.search.batch_reading import Texts
from archive.search.chinese import fold_characters
from archive.search.segment_text import SegmentText
from archive.search.whoosh_index import WhooshIndex

OPEN = Visibility(Audience.PUBLIC)


def _work(item: str, *leaves: str) -> list[IndexDocument]:
    return [IndexDocument(item, "page", f"p{n}", leaf, OPEN, n > 1, position=n, title=item) for n, leaf in enumerate(leaves, 1)]


def _many(count: int, word: str) -> list[tuple[str, list[IndexDocument]]]:
    return [(f"{word}-{n}", _work(f"{word}-{n}", f"安康{n}", "水利")) for n in range(count)]


@pytest.fixture
def index(tmp_path: Path) -> WhooshIndex:
    made = WhooshIndex(tmp_path / "index")
    made.rebuild(iter(_many(20, "first")))
    return made


def _build(index: WhooshIndex) -> Path:
    return index.folder / str(index.doctor()["build"])


def test_segments_do_not_pile_up_and_nothing_is_lost(index: WhooshIndex) -> None:
    for n in range(60):
        index.replace([(f"later-{n}", _work(f"later-{n}", f"金州{n}" * 30))])
        assert index.search(Query("金州")).total == n + 1
    state = index.doctor()
    assert isinstance(state["segments"], int)
    assert state["segments"] <= 8
    assert len(list(_build(index).iterdir())) <= state["segments"] * 6 + 3


def test_deleted_text_is_cleaned_out_in_time(index: WhooshIndex) -> None:
    for _ in range(10):
        index.replace(_many(20, "first"))
    state = index.doctor()
    assert state["documents"] == 40
    assert isinstance(state["deleted"], int)
    assert state["deleted"] <= 40


def test_an_open_reader_sees_what_another_writes(index: WhooshIndex) -> None:
    other = WhooshIndex(index.folder)
    for n in range(5):
        assert other.search(Query("漢江")).total == n
        index.replace([(f"new-{n}", _work(f"new-{n}", "漢江"))])
    assert other.search(Query("漢江")).total == 5
    index.rebuild(iter(_many(1, "漢")))
    assert other.search(Query("漢江")).total == 0
    assert other.search(Query("水利")).total == 1


def test_a_second_writer_is_told_to_wait(index: WhooshIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "_LOCK_SECONDS", 0.1)
    with index._writing(), pytest.raises(Busy):
        WhooshIndex(index.folder).replace(_many(1, "other"))


def test_a_rebuild_that_fails_leaves_the_old_index(index: WhooshIndex) -> None:
    def broken() -> object:
        yield from _many(3, "new")
        raise RuntimeError("catalogue gone")

    with pytest.raises(RuntimeError):
        index.rebuild(broken())  # type: ignore[arg-type]
    assert WhooshIndex(index.folder).search(Query("水利")).total == 20
    index.rebuild(iter(_many(3, "new")))
    assert len(list(index.folder.glob("b0*"))) == 1


def test_a_replacement_that_fails_leaves_the_old_item(index: WhooshIndex) -> None:
    def broken() -> object:
        yield ("first-0", _work("first-0", "半途"))
        raise RuntimeError("catalogue gone")

    with pytest.raises(RuntimeError):
        index.replace(broken())  # type: ignore[arg-type]
    assert index.search(Query("半途")).total == 0
    assert index.search(Query("水利")).total == 20
    index.replace([("first-0", _work("first-0", "全"))])
    assert index.search(Query("水利")).total == 19


@pytest.mark.parametrize("suffix", [".chinese", ".facts", ".toc", ".trm", ".col"])
@pytest.mark.parametrize("damage", ["truncated", "removed", "empty"])
def test_a_torn_index_says_so(index: WhooshIndex, suffix: str, damage: str) -> None:
    path = next(path for path in _build(index).iterdir() if path.name.endswith(suffix))
    if damage == "removed":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size // 2 if damage == "truncated" else 0)
    torn = WhooshIndex(index.folder)
    with pytest.raises(SearchIndexError, match="fangzhi rebuild index"):
        torn.replace(_many(1, "first"))
    with pytest.raises(SearchIndexError, match="fangzhi rebuild index"):
        torn.search(Query("安康"))
    assert "fault" in torn.doctor()
    torn.rebuild(iter(_many(2, "new")))
    assert torn.search(Query("水利")).total == 2


def test_an_index_of_another_fold_table_is_refused(index: WhooshIndex) -> None:
    path = index.folder / "current"
    current = json.loads(path.read_text())
    path.write_text(json.dumps(current | {"fold_version": "000000000000"}))
    foreign = WhooshIndex(index.folder)
    for call in (lambda: foreign.search(Query("安康")), lambda: foreign.replace(_many(1, "x"))):
        with pytest.raises(SearchIndexError, match="fangzhi rebuild index"):
            call()


def test_large_items_are_flushed_at_item_boundaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "PART_CHARACTERS", 50)
    monkeypatch.setattr(whoosh_index, "SEGMENT_CHARACTERS", 150)
    index = WhooshIndex(tmp_path / "index")
    index.rebuild((f"w-{n}", _work(f"w-{n}", "甲" * 30 + "乙", "丙" + "丁" * 30)) for n in range(12))
    assert index.doctor()["segments"] in range(3, 7)
    assert index.search(Query("乙丙")).total == 12
    results = index.search(Query("甲", sort="title", limit=100))
    assert (results.total, results.items, results.occurrences) == (12, 12, 360)


def test_threads_may_search_while_another_writes(index: WhooshIndex) -> None:
    faults: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                assert index.search(Query("水利")).total >= 20
        except BaseException as error:
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(10):
        index.replace([(f"new-{n}", _work(f"new-{n}", "漢江"))])
    index.rebuild(iter(_many(25, "again")))
    stop.set()
    for reader in readers:
        reader.join()
    assert not faults


def test_more_than_65535_different_characters_in_a_segment() -> None:
    points = [chr(code) for code in range(0x3400, 0x9FFF)] + [chr(code) for code in range(0x20000, 0x323AF)]
    text = "".join(points)
    arrays = segment_build.build(Texts.of([text, "漢隂"], [False, False], [False, False]))
    assert arrays["codes"].dtype == np.uint32
    made = SegmentText(arrays)
    pattern = made.pattern("汉阴")
    assert pattern is not None
    assert made.documents_of(made.find(pattern).starts).tolist() == [1]
    far = made.pattern([fold_characters(char) for char in text[70_000:70_004]])
    assert far is not None
    assert made.find(far).starts.tolist() == [70_000]


class _Overtaken(WhooshIndex):
    """A reader that reads the name of the live build just before something happens to it."""

    happens: Callable[[], None] | None = None

    def _current(self) -> dict[str, Any]:
        current = super()._current()
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return current


def _with_an_older_table_left(index: WhooshIndex) -> Path:
    """Add an item as a writer does that is killed before it removes the table of contents it took the place of; that table."""
    older = next(_build(index).glob("_MAIN_*.toc"))
    kept = {path: path.read_bytes() for path in _build(index).iterdir()}
    index.replace([("last", _work("last", "水利"))])
    for path, content in kept.items():
        path.write_bytes(content)
    return older


def _remove_the_newest_table(folder: Path, older: Path) -> None:
    (newest,) = (path for path in folder.glob("_MAIN_*.toc") if path.name != older.name)
    newest.unlink()


def test_a_build_half_removed_does_not_take_its_readers_back(index: WhooshIndex) -> None:
    older = _with_an_older_table_left(index)
    reader = _Overtaken(index.folder)
    assert reader.search(Query("水利")).total == 21

    def rebuilt() -> None:
        old = _build(index)
        left = shutil.copytree(old, index.folder / "left")
        index.rebuild(iter([*_many(20, "first"), ("last", _work("last", "水利"))]))
        _remove_the_newest_table(left, older)
        left.rename(old)

    reader.happens = rebuilt
    assert reader.search(Query("水利")).total == 21
    assert reader.happens is None


def test_a_build_put_back_from_a_copy_is_read(index: WhooshIndex) -> None:
    older = _with_an_older_table_left(index)
    reader = WhooshIndex(index.folder)
    assert reader.search(Query("水利")).total == 21
    _remove_the_newest_table(older.parent, older)
    assert reader.search(Query("水利")).total == 20
