"""Glyphs without a code point fold as the characters they are known to be; a home adds its own; the unknown stays unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.assembly import index_state
from archive.errors import DefinitionsError, SearchIndexError
from archive.model.rights import Audience, Visibility
from archive.search import chinese
from archive.search.base import IndexDocument, Query
from archive.search.chinese import fold, fold_version, learn_glyphs, locate, mark_character
from archive.search.gaiji import load_gaiji
from archive.search.whoosh_index import WhooshIndex
from archive.settings import Settings

DAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _shipped() -> Iterator[None]:
    yield
    learn_glyphs({})


def _written(home: Path, name: str, text: str) -> Path:
    (home / "gaiji").mkdir(exist_ok=True)
    (home / "gaiji" / name).write_text(text, "utf-8")
    return home


def test_shipped_marks_fold_to_the_characters_they_are() -> None:
    assert fold("稽&KR0564;司") == fold("稽勳司")
    assert fold("&KR0648;陽") == fold("汧陽")
    assert fold("⿰土完") == fold("垸")
    assert fold("[婺-矛+牙]州") == fold("婺州")
    assert locate("稽&KR0564;司").starts == (0, 1, 9)


def test_every_shipped_line_has_a_source_and_a_mark() -> None:
    lines = [line.split("\t") for line in (chinese._FOLDER / "gaiji.tsv").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all(len(line) == 3 and line[2] and mark_character(line[0]) for line in lines)
    assert len({mark_character(line[0]) for line in lines}) == len(lines)


@pytest.mark.parametrize("sign", ["□", "〓", "〇", "水", "ab", "", "&KR12", "⿰氵"])
def test_what_is_no_mark_of_a_glyph_is_none(sign: str) -> None:
    assert mark_character(sign) is None


def test_a_home_teaches_its_own_and_the_fold_version_tells(tmp_path: Path) -> None:
    before = fold_version()
    assert fold("\ue123西") != fold("陝西")
    learn_glyphs(load_gaiji(_written(tmp_path, "ankang.tsv", "# 安康\n\ue123\t陝\t捐赠者字表\n&KR9999;\t陰\t同上\n")))
    assert fold("\ue123西") == fold("陝西")
    assert fold("漢&KR9999;") == fold("汉阴")
    assert fold_version() != before
    learn_glyphs({})
    assert fold_version() == before
    assert fold("\ue123西") != fold("陝西")


def test_a_home_without_tables_has_none(tmp_path: Path) -> None:
    assert load_gaiji(tmp_path) == {}


def test_every_fault_of_every_line_is_told_with_its_place(tmp_path: Path) -> None:
    _written(tmp_path, "a.tsv", "\ue123\t陝\t字表\n水\t氷\t形近\n□\t陝\t猜\n\ue124\t陝西\t字表\n\ue125\t陝\n")
    _written(tmp_path, "b.tsv", "\ue123\t陰\t字表\n")
    (tmp_path / "gaiji" / "c.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(DefinitionsError) as caught:
        load_gaiji(tmp_path)
    faults = caught.value.faults
    assert [fault.split(": ")[0] for fault in faults] == [
        "gaiji/a.tsv:2",
        "gaiji/a.tsv:3",
        "gaiji/a.tsv:4",
        "gaiji/a.tsv:5",
        "gaiji/b.tsv:1",
        "gaiji/c.tsv",
    ]
    assert "variants.tsv" in faults[0]
    assert "gaiji/a.tsv:1" in faults[4]


def test_an_index_made_before_a_table_changed_asks_to_be_made_again(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path / "index")
    page = IndexDocument("a", "page", "1", "漢\ue123西", Visibility(Audience.PUBLIC))
    index.rebuild(iter([("a", [page])]))
    assert index.search(Query("汉陕西", today=DAY)).total == 0
    learn_glyphs({"\ue123": "陝"})
    with pytest.raises(SearchIndexError, match="rebuild index"):
        index.search(Query("汉陕西", today=DAY))
    index.rebuild(iter([("a", [page])]))
    assert index.search(Query("汉陕西", today=DAY)).total == 1
    assert index.search(Query("“汉陕西”", today=DAY)).total == 0
    index.close()


def test_a_faulty_table_is_told_by_doctor_not_raised(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    _written(tmp_path / "definitions", "a.tsv", "水\t氷\t形近\n")
    assert "gaiji/a.tsv:1" in str(index_state(Settings(home=tmp_path))["fault"])
