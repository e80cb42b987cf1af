"""Glyphs without a code point fold as the characters they are known to be; a home adds its own; the unknown stays unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from archive.assembly import index_state
from archive.errors import DefinitionsError, SearchIndexError
from archive.model.profile import Collection
from archive.model.rights import Audience, Visibility
from archive.search import chinese, whoosh_index
from archive.search.base import IndexDocument, Query
from archive.search.chinese import fold, fold_version, learn_glyphs, locate, mark_character, spelled
from archive.search.gaiji import load_gaiji
from archive.search.whoosh_index import WhooshIndex
from archive.settings import Settings

DAY = date(2026, 11, 23)
HOLDINGS = {
    "gazetteers": Collection("gazetteers", "方志", "Gazetteers"),
    "ankang": Collection("ankang", "安康志", "Ankang", parent="gazetteers"),
    "opera": Collection("opera", "汉剧", "Han opera"),
}
TWO = {"ankang": {"&KR0001;": "陝", "\ue123": "漢"}, "opera": {"&KR0001;": "隂", "[車*犬]": "漢"}}


@pytest.fixture(autouse=True)
def _shipped() -> Iterator[None]:
    yield
    learn_glyphs({})


def _written(home: Path, name: str, text: str) -> Path:
    (home / "gaiji" / name).parent.mkdir(parents=True, exist_ok=True)
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
    learn_glyphs(*load_gaiji(_written(tmp_path, "ankang.tsv", "# 安康\n\ue123\t陝\t捐赠者字表\n&KR9999;\t陰\t同上\n"), HOLDINGS))
    assert fold("\ue123西") == fold("陝西")
    assert fold("漢&KR9999;") == fold("汉阴")
    assert fold_version() != before
    learn_glyphs({})
    assert fold_version() == before
    assert fold("\ue123西") != fold("陝西")


def test_a_home_without_tables_has_none(tmp_path: Path) -> None:
    assert load_gaiji(tmp_path, HOLDINGS) == ({}, {})


def test_every_fault_of_every_line_is_told_with_its_place(tmp_path: Path) -> None:
    _written(tmp_path, "a.tsv", "\ue123\t陝\t字表\n水\t氷\t形近\n□\t陝\t猜\n\ue124\t陝西\t字表\n\ue125\t陝\n")
    _written(tmp_path, "b.tsv", "\ue123\t陰\t字表\n")
    (tmp_path / "gaiji" / "c.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(DefinitionsError) as caught:
        load_gaiji(tmp_path, HOLDINGS)
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


# What a mark is in one holding alone


def _page(item: str, text: str, collection: str, **more: Any) -> IndexDocument:
    return IndexDocument(item, "page", "p1", text, Visibility(Audience.PUBLIC), collection=collection, title=item, **more)


def _index(folder: Path, *pages: IndexDocument, processes: int = 1) -> WhooshIndex:
    index = WhooshIndex(folder, processes=processes)
    index.rebuild(iter([(page.item, [page]) for page in pages]))
    return index


def _found(index: WhooshIndex, text: str) -> list[str]:
    return sorted(hit.item for hit in index.search(Query(text, today=DAY)).hits)


def test_a_holding_has_its_own_tables_and_those_of_the_holding_above(tmp_path: Path) -> None:
    _written(tmp_path, "all.tsv", "&KR0003;\t志\t字表\n")
    _written(tmp_path, "gazetteers/a.tsv", "&KR0001;\t縣\t字表\n&KR0002;\t州\t字表\n")
    _written(tmp_path, "ankang/a.tsv", "&KR1;\t陝\t字表\n")
    home, holdings = load_gaiji(tmp_path, HOLDINGS)
    assert home == {"&KR0003;": "志"}
    assert holdings == {"gazetteers": {"&KR0001;": "縣", "&KR0002;": "州"}, "ankang": {"&KR1;": "陝", "&KR0002;": "州"}}
    learn_glyphs(home, holdings)
    assert [fold("&KR0001;&KR0002;&KR0003;", name) for name in ("gazetteers", "ankang")] == [fold("縣州志"), fold("陝州志")]
    assert fold("&KR0001;&KR0003;", "opera") == fold("&KR0001;志") != fold("縣志")


def test_faults_in_a_holdings_tables_are_told_with_their_places(tmp_path: Path) -> None:
    _written(tmp_path, "ankang/a.tsv", "&KR0001;\t陝\t字表\n&KR1;\t隂\t字表\n")
    _written(tmp_path, "ankng/a.tsv", "&KR0001;\t陝\t字表\n")
    with pytest.raises(DefinitionsError) as caught:
        load_gaiji(tmp_path, HOLDINGS)
    first, second = caught.value.faults
    assert first.startswith("gaiji/ankang/a.tsv:2: &KR1; is 隂 here and 陝 in gaiji/ankang/a.tsv:1")
    assert second.startswith("gaiji/ankng: no holding is called so") and "ankang" in second
    _written(tmp_path / "definitions", "ankng/a.tsv", "&KR0001;\t陝\t字表\n")
    assert "gaiji/ankng" in str(index_state(Settings(home=tmp_path))["fault"])


def test_one_mark_in_two_holdings_is_two_characters(tmp_path: Path) -> None:
    learn_glyphs({}, TWO)
    pages = [_page("a", "漢&KR0001;西志", "ankang"), _page("b", "漢&KR0001;西志", "opera"), _page("c", "漢&KR0001;西志", "")]
    index = _index(tmp_path, *pages)
    assert (_found(index, "汉陕西"), _found(index, "汉阴西"), _found(index, "漢西")) == (["a"], ["b"], [])
    assert (_found(index, "陕"), _found(index, "阴")) == (["a"], ["b"])
    reopened = WhooshIndex(tmp_path)
    assert (_found(reopened, "汉陕西"), _found(reopened, "汉阴西")) == (["a"], ["b"])
    snippet = reopened.search(Query("汉陕西", today=DAY)).hits[0].snippets[0]
    assert (snippet.text, [snippet.text[span.start : span.end] for span in snippet.spans]) == ("漢&KR0001;西志", ["漢&KR0001;西"])


def test_a_query_with_the_mark_itself_finds_what_each_holding_means_by_it(tmp_path: Path) -> None:
    learn_glyphs({}, TWO)
    pages = [_page("a", "漢&KR0001;西", "ankang"), _page("b", "漢&KR0001;西", "opera"), _page("c", "漢&KR0001;西", "")]
    index = _index(tmp_path, *pages, _page("d", "漢陝西", ""))
    assert _found(index, "漢&KR0001;西") == ["a", "b", "c", "d"]
    assert _found(index, "“漢&KR0001;西”") == ["a", "b", "c"]
    assert _found(index, "&KR1;") == ["a", "b", "c", "d"]
    assert _found(index, "“漢陝西”") == ["d"]
    results = index.search(Query("漢陕西", today=DAY))
    assert dict(results.forms) == {"漢&KR0001;西": 1, "漢陕西": 0, "漢陝西": 1}
    assert {reason for hit in results.hits for reason in hit.reasons} == {("陕", "&KR0001;"), ("陕", "陝")}
    understood = index.search(Query("&KR0001;西", today=DAY)).understood
    assert "“&KR0001;西”" in understood and "“陝西”" in understood and "“隂西”" in understood


def test_marks_of_every_kind_have_a_meaning_in_a_holding(tmp_path: Path) -> None:
    learn_glyphs({"\ue123": "陰"}, TWO)
    index = _index(
        tmp_path, _page("a", "王（\ue123/陽）后[車*犬]", "ankang", notes=True), _page("b", "王后[車*犬]城\ue123陽", "opera", notes=True)
    )
    assert (_found(index, "汉阳"), _found(index, "后汉"), _found(index, "阴阳")) == (["a"], ["b"], ["b"])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_large_index_reads_each_text_by_its_holdings_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.setattr(whoosh_index, "PART_CHARACTERS", 100)
    learn_glyphs({}, TWO)
    pages = [_page(f"w{number:02}", "&KR0001;西" * 40, ("ankang", "opera", "")[number % 3]) for number in range(12)]
    index = _index(tmp_path, *pages, processes=processes)
    assert _found(index, "陕西") == [page.item for page in pages if page.collection == "ankang"]
    assert _found(index, "阴西") == [page.item for page in pages if page.collection == "opera"]


def test_an_item_that_moves_to_another_holding_is_read_by_its_table(tmp_path: Path) -> None:
    learn_glyphs({}, TWO)
    index = _index(tmp_path, _page("a", "漢&KR0001;西", "ankang"))
    index.replace([("a", [_page("a", "漢&KR0001;西", "opera")])])
    assert (_found(index, "汉陕西"), _found(index, "汉阴西")) == ([], ["a"])


def test_an_index_made_before_a_holdings_table_changed_asks_to_be_made_again(tmp_path: Path) -> None:
    before = fold_version()
    page = _page("a", "漢&KR0001;西", "ankang")
    index = _index(tmp_path, page)
    learn_glyphs({}, TWO)
    assert fold_version() != before
    with pytest.raises(SearchIndexError, match="rebuild index"):
        index.search(Query("汉陕西", today=DAY))
    index.rebuild(iter([("a", [page])]))
    assert _found(index, "汉陕西") == ["a"]
    learn_glyphs({}, {"opera": TWO["ankang"], "ankang": TWO["opera"]})
    with pytest.raises(SearchIndexError, match="rebuild index"):
        index.search(Query("汉陕西", today=DAY))
    learn_glyphs({}, {})
    assert fold_version() == before


def test_descriptions_and_names_are_read_by_the_holdings_table(tmp_path: Path) -> None:
    learn_glyphs({}, TWO)
    index = WhooshIndex(tmp_path)
    works = []
    for item, collection in (("a", "ankang"), ("b", "opera")):
        title = "&KR0001;西志"
        shared = {"title": title, "collection": collection, "fields": {"title": (title,)}, "field_names": {"title": ("题名",)}}
        public = Visibility(Audience.PUBLIC)
        works.append(
            (
                item,
                [
                    IndexDocument(item, "item", "", title, public, **shared),
                    IndexDocument(item, "page", "p1", "某", public, section="&KR0001;西", **shared),
                ],
            )
        )
    index.rebuild(iter(works))
    for query in ("题名:陕西志", "“&KR0001;西志” 题名:陕西", "某 门目:陕西"):
        assert _found(index, query) == ["a"], query
    assert _found(index, "某 门目:“&KR0001;西”") == _found(index, "题名:“&KR0001;西志”") == ["a", "b"]
    assert [(name.text, name.items) for name in index.suggest("陕西", Audience.PUBLIC, DAY)] == [("&KR0001;西志", 1)]
    assert [(name.text, name.items) for name in index.suggest("阴西", Audience.PUBLIC, DAY)] == [("&KR0001;西志", 1)]


def test_marks_on_a_text_follow_its_holding(tmp_path: Path) -> None:
    learn_glyphs({}, TWO)
    index = WhooshIndex(tmp_path)
    text = "漢&KR0001;西（&KR0001;）"
    marked = [[text[s.start : s.end] for s in index.mark("陕西", text, True, collection=slug)] for slug in ("ankang", "opera", "")]
    assert marked == [["&KR0001;西"], [], []]
    assert [text[s.start : s.end] for s in index.mark("阴", text, True, collection="opera")] == ["&KR0001;", "&KR0001;"]
    assert [text[s.start : s.end] for s in index.mark("“&KR0001;西”", text, collection="opera")] == ["&KR0001;西"]
    lines = _index(tmp_path, _page("a", text, "ankang", notes=True)).concordance(Query("陕西", today=DAY)).lines
    assert (lines.left[0][-1], lines.match, lines.right[0][:1]) == ("漢", ["&KR0001;西"], "（")


def test_signs_of_glyphs_are_spelled_as_one_can_type_them() -> None:
    learn_glyphs({}, TWO)
    assert spelled(chinese.written_form("水&KR0648;陽\ue999")) == "水&KR0648;陽\ue999"
    assert spelled(chinese.written_form("&KR0001;\ue123", "ankang")) == "&KR0001;\ue123"
    assert spelled(chinese.written_form("⿰氵青西")) == "〓西"


def test_more_marks_than_there_is_room_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chinese, "_HELD_ROOM", 1)
    with pytest.raises(ValueError, match="at most 1"):
        learn_glyphs({}, TWO)
