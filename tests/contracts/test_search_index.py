"""What every `SearchIndex` must do. An adapter joins by a line in ADAPTERS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from archive.errors import QueryError, SearchIndexError
from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query, SearchIndex
from archive.search.chinese import WALL
from archive.search.whoosh_index import WhooshIndex

ADAPTERS: dict[str, Callable[[Path], SearchIndex]] = {"whoosh": WhooshIndex}
OPEN = Visibility(Audience.PUBLIC)


@pytest.fixture(params=sorted(ADAPTERS))
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> SearchIndex:
    index = ADAPTERS[request.param](tmp_path / "index")
    index.rebuild(iter(()))
    return index


def _work(item: str, title: str, *leaves: str, year: int = 1788, seen: Visibility = OPEN, creator: str = "李國麒") -> list[IndexDocument]:
    shared = IndexDocument(
        item,
        "item",
        "",
        WALL.join((title, creator)),
        seen,
        title=title,
        collection="fangzhi" if year < 1900 else "oral",
        kind="gazetteer",
        year_first=year,
        year_last=year,
        date="乾隆五十三年",
        fields={"creator": (creator,)},
        field_names={"creator": ("责任者", "creator")},
        facets=("creator",),
    )
    pages = [
        replace(
            shared, target="page", key=f"p{n}", text=leaf, joins_previous=n > 1, position=n, label=f"叶{n}", section="建置", source="donor"
        )
        for n, leaf in enumerate(leaves, 1)
    ]
    return [shared, *pages]


@pytest.fixture
def index(empty: SearchIndex) -> SearchIndex:
    empty.replace(
        [
            ("xaf", _work("xaf", "興安府志", "漢隂縣在府西\n昔為陜", "西布政司，水利", "王后之墓，水利水利", creator="李國麒")),
            ("hyt", _work("hyt", "漢陰廳志", "王後殿之", "漢阴水利", year=1818, creator="錢鶴年")),
            ("xb", _work("xb", "學兵口述", "水利工地", year=1971, creator="甲")),
        ]
    )
    return empty


def _keys(index: SearchIndex, text: str, **more: object) -> list[tuple[str, str]]:
    return [(hit.item, hit.key) for hit in index.search(Query(text, **more)).hits]  # type: ignore[arg-type]


def test_every_form_gives_the_same_leaves(index: SearchIndex) -> None:
    found = {frozenset(_keys(index, text)) for text in ("汉阴", "漢陰", "漢隂", "漢阴")}
    assert found == {frozenset({("xaf", "p1"), ("hyt", "p2"), ("hyt", "")})}


def test_totals_count_leaves_works_occurrences_and_descriptions(index: SearchIndex) -> None:
    results = index.search(Query("水利"))
    assert (results.total, results.items, results.occurrences, results.metadata_total) == (4, 3, 5, 0)
    results = index.search(Query("漢陰"))
    assert (results.total, results.items, results.occurrences, results.metadata_total) == (2, 2, 2, 1)
    assert results.terms == ("汉阴",)
    assert results.understood


def test_a_string_across_a_leaf_belongs_to_the_leaf_where_it_begins(index: SearchIndex) -> None:
    (hit,) = index.search(Query("陝西布政司")).hits
    assert (hit.item, hit.key, hit.matches) == ("xaf", "p1", 1)
    (snippet,) = hit.snippets
    assert [snippet.text[span.start : span.end] for span in snippet.spans] == ["陜"]


def test_the_work_whose_title_is_asked_for_comes_first(index: SearchIndex) -> None:
    assert _keys(index, "汉阴")[0] == ("hyt", "")


def test_the_form_typed_comes_before_other_forms(index: SearchIndex) -> None:
    assert _keys(index, "王后")[0] == ("xaf", "p3")
    assert _keys(index, "王後")[0] == ("hyt", "p1")
    assert _keys(index, "“王后”") == [("xaf", "p3")]


def test_forms_found_are_counted(index: SearchIndex) -> None:
    assert index.search(Query("漢陰")).forms == (("漢阴", 1), ("漢隂", 1), ("漢陰", 0))
    assert dict(index.search(Query("水利")).forms) == {"水利": 5}


def test_nothing_is_found_across_two_values_of_a_description(index: SearchIndex) -> None:
    assert _keys(index, "廳志錢鶴") == []
    assert _keys(index, "錢鶴年") == [("hyt", "")]


def test_fields_and_years_narrow(index: SearchIndex) -> None:
    assert _keys(index, "责任者：李国麒") == [("xaf", "")]
    assert set(_keys(index, "责任者：李国麒 水利")) == {("xaf", "p2"), ("xaf", "p3")}
    assert set(_keys(index, "水利 年:1800..1900")) == {("hyt", "p2")}
    assert set(_keys(index, "水利 -年:1800..1900")) == {("xaf", "p2"), ("xaf", "p3"), ("xb", "p1")}
    assert set(_keys(index, "年:乾隆 题名:府志")) == {("xaf", "")}
    assert set(_keys(index, "门目:建置 布政")) == {("xaf", "p2")}


def test_filters_facets_and_item(index: SearchIndex) -> None:
    results = index.search(Query("水利", facets=("collection", "decade", "creator", "source")))
    assert {(f.value, f.count) for f in results.facets["collection"]} == {("fangzhi", 3), ("oral", 1)}
    assert {(f.value, f.count) for f in results.facets["decade"]} == {("1780", 2), ("1810", 1), ("1970", 1)}
    assert results.facets["creator"][0].value == "李國麒"
    assert results.facets["source"][0].count == 4
    for name, values in results.facets.items():
        for facet in values:
            assert index.search(Query("水利", filters={name: facet.value})).total == facet.count
    assert index.search(Query("水利", collection="oral")).total == 1
    assert index.search(Query("水利", year_from=1800, year_to=1900)).total == 1
    assert index.search(Query("水利", item="xaf")).total == 2
    assert index.search(Query("水利", item="nobody")).total == 0


def test_sorting_and_paging_give_every_hit_once(index: SearchIndex) -> None:
    assert [item for item, _ in _keys(index, "水利", sort="date")] == ["xaf", "xaf", "hyt", "xb"]
    assert [item for item, _ in _keys(index, "水利", sort="-date")] == ["xb", "hyt", "xaf", "xaf"]
    assert [item for item, _ in _keys(index, "水利", sort="title")] == ["hyt", "xaf", "xaf", "xb"]  # hàn, xīng, xué
    assert _keys(index, "水利", sort="position", item="xaf") == [("xaf", "p2"), ("xaf", "p3")]
    for sort in ("relevance", "date", "title"):
        paged = [key for offset in range(4) for key in _keys(index, "水利", sort=sort, offset=offset, limit=1)]
        assert paged == _keys(index, "水利", sort=sort)
    assert _keys(index, "水利", offset=10**9) == []
    assert _keys(index, "水利", limit=0) == []


def test_what_a_reader_may_not_see_appears_nowhere(empty: SearchIndex) -> None:
    staff = Visibility(Audience.STAFF)
    leaves = _work("open", "公開", "昔為陜", "西布政司", "秘密甲")
    leaves[2] = replace(leaves[2], visibility=staff)
    empty.replace([("open", leaves), ("shut", _work("shut", "秘密", "秘密之卷", seen=staff, creator="某人"))])
    for text in ("秘密之", "陝西", "布政", "题名:秘密", "责任者:某人", "公開 OR 某人"):
        results = empty.search(Query(text, facets=("creator", "decade", "collection")))
        assert results.total == 0
        assert "shut" not in {hit.item for hit in results.hits}
        assert "某人" not in {facet.value for facet in results.facets["creator"]}
    assert empty.search(Query("秘密")).forms == (("秘密", 1),)
    assert empty.search(Query("秘密", reader=Audience.STAFF)).total == 2
    assert empty.search(Query("陝西", reader=Audience.STAFF)).total == 1
    assert {hit.key for hit in empty.search(Query("昔 布政")).hits} == set()
    assert {hit.key for hit in empty.search(Query("昔 布政", reader=Audience.STAFF)).hits} == {"p1", "p2"}


@pytest.mark.parametrize(
    ("seen", "today", "found"),
    [
        (Visibility(Audience.PUBLIC, date(2027, 1, 1), Audience.STAFF), date(2026, 12, 31), True),
        (Visibility(Audience.PUBLIC, date(2027, 1, 1), Audience.STAFF), date(2027, 1, 1), False),
        (Visibility(Audience.STAFF, date(2027, 1, 1), Audience.PUBLIC), date(2026, 12, 31), False),
        (Visibility(Audience.STAFF, date(2027, 1, 1), Audience.PUBLIC), date(2027, 1, 1), False),
    ],
    ids=["open before", "closes by itself", "closed before", "opens only when indexed anew"],
)
def test_an_embargo_closes_by_itself_and_opens_with_the_index(empty: SearchIndex, seen: Visibility, today: date, found: bool) -> None:
    empty.replace([("a-1", _work("a-1", "甲", "安康", seen=seen))])
    assert empty.search(Query("安康", today=today)).total == int(found)


def test_an_item_described_for_staff_too_is_one_hit(empty: SearchIndex) -> None:
    described = _work("a-1", "安康志")
    staff = replace(described[0], text="安康庫房", visibility=Visibility(Audience.STAFF))
    empty.replace([("a-1", [*described, staff])])
    results = empty.search(Query("安康", reader=Audience.STAFF))
    assert (results.metadata_total, len(results.hits), results.hits[0].matches) == (1, 1, 2)


def test_replacing_takes_the_place_and_nothing_removes(index: SearchIndex) -> None:
    index.replace([("xaf", _work("xaf", "興安府志", "新修水利"))])
    assert [key for key in _keys(index, "水利") if key[0] == "xaf"] == [("xaf", "p1")]
    index.replace([("xaf", ()), ("gone", ())])
    assert "xaf" not in {item for item, _ in _keys(index, "水利 OR 興安")}
    index.replace([("a-1", _work("a-1", "甲", "初")), ("a-1", _work("a-1", "甲", "再"))])
    assert _keys(index, "初") == []
    assert _keys(index, "再") == [("a-1", "p1")]


def test_rebuilding_leaves_what_was_given_alone(index: SearchIndex) -> None:
    index.rebuild(iter([("new", _work("new", "新志", "水利"))]))
    assert {item for item, _ in _keys(index, "水利")} == {"new"}


def test_a_fault_in_the_query_is_a_query_error(index: SearchIndex) -> None:
    for text in ("", "*", "甲 或", "“甲"):
        with pytest.raises(QueryError):
            index.search(Query(text))
        with pytest.raises(QueryError):
            index.mark(text, "甲")


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_without_an_index_the_error_names_the_remedy(tmp_path: Path, name: str) -> None:
    index = ADAPTERS[name](tmp_path / "nowhere")
    with pytest.raises(SearchIndexError, match="fangzhi rebuild index"):
        index.search(Query("安"))
    with pytest.raises(SearchIndexError, match="fangzhi rebuild index"):
        index.replace([("a-1", _work("a-1", "甲"))])
    assert "fault" in index.doctor()


def test_the_doctor_tells_the_state(index: SearchIndex) -> None:
    state = index.doctor()
    assert state["documents"] == 9
    assert "fault" not in state
    assert {"segments", "bytes", "fold_version", "characters"} <= state.keys()
