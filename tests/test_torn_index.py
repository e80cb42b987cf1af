"""A search index torn by a power cut: it is told, browsing goes on, and one command makes it anew from what is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.assembly import make_home
from archive.web import create_app

SMALL = Path(__file__).parent / "data" / "small"


def _build(index: Path) -> Path:
    (build,) = index.glob("b[0-9]*")
    return build


def _table(index: Path) -> Path:
    (table,) = _build(index).glob("*.toc")
    return table


def _last_written(index: Path) -> Path:
    """The last file that was written before the table of contents named it."""
    files = [path for path in _build(index).iterdir() if path.stat().st_size and not path.name.endswith(".toc")]
    return max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _truncate_the_last_file(index: Path) -> None:
    path = _last_written(index)
    os.truncate(path, path.stat().st_size - 100 if path.stat().st_size > 100 else 0)


def _lose_a_file_that_the_table_names(index: Path) -> None:
    max(_build(index).iterdir(), key=lambda path: path.stat().st_size).unlink()


def _zeroes_for_the_table(index: Path) -> None:
    """What a journalling file system leaves of a file whose blocks never came."""
    _table(index).write_bytes(bytes(_table(index).stat().st_size))


def _garbage_for_the_table(index: Path) -> None:
    _table(index).write_bytes(b"\x80\x04\x95garbage" * 20)


def _half_the_table(index: Path) -> None:
    os.truncate(_table(index), _table(index).stat().st_size // 2)


def _no_table(index: Path) -> None:
    _table(index).unlink()


def _an_empty_name_of_the_build(index: Path) -> None:
    (index / "current").write_bytes(b"")


def _the_name_of_a_build_that_is_not_there(index: Path) -> None:
    _build(index).rename(index / "elsewhere")


TEARS: tuple[Callable[[Path], None], ...] = (
    _truncate_the_last_file,
    _lose_a_file_that_the_table_names,
    _zeroes_for_the_table,
    _garbage_for_the_table,
    _half_the_table,
    _no_table,
    _an_empty_name_of_the_build,
    _the_name_of_a_build_that_is_not_there,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, command: Any) -> Path:
    """The home of a small archive."""
    home = tmp_path_factory.mktemp("torn") / "home"
    make_home(home)
    command(home)("ingest", "run", SMALL)
    return home


@pytest.mark.parametrize("tear", TEARS, ids=lambda tear: tear.__name__.strip("_"))
def test_a_torn_index_is_told_and_browsing_goes_on(home: Path, command: Any, tear: Callable[[Path], None], tmp_path: Path) -> None:
    index = home / "index"
    kept = shutil.copytree(index, tmp_path / "kept")
    try:
        tear(index)
        archive = command(home).archive()
        try:
            visitor = create_app(archive).test_client()
            said = visitor.get("/search?q=聖諭")
            assert said.status_code == 503
            assert "fangzhi rebuild index" in said.text
            assert visitor.get("/api/v1/search?q=聖諭").status_code == 503
            assert visitor.get("/").status_code == 200
            items = visitor.get("/api/v1/items").get_json()["items"]
            assert items
            assert visitor.get(f"/items/{items[0]['id']}").status_code == 200
            assert "fangzhi rebuild index" in str(archive.index.doctor()["fault"])
        finally:
            archive.close()
    finally:
        shutil.rmtree(index)
        shutil.copytree(kept, index)


def test_one_command_makes_it_anew(home: Path, command: Any) -> None:
    fangzhi = command(home)
    before = fangzhi("search", "聖諭", "--json").json
    _truncate_the_last_file(home / "index")
    _garbage_for_the_table(home / "index")
    failed = fangzhi("search", "聖諭", ok=(3,))
    assert "fangzhi rebuild index" in failed.err
    fangzhi("rebuild", "index")
    after = fangzhi("search", "聖諭", "--json").json
    assert before["metadata_total"] >= 1
    assert {**after, "ms": 0} == {**before, "ms": 0}
    assert len([path for path in (home / "index").iterdir() if path.is_dir()]) == 1
