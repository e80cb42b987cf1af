"""Dates as written, in queries and in fields, against a real index."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from archive.chronology.written import WrittenDates, chinese_number
from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)


def _work(
    item: str, first: int | None, last: int | None, cut: str, *leaves: str, audience: Audience = Audience.PUBLIC
) -> list[IndexDocument]:
    shared = IndexDocument(
        item,
        "item",
        "",
        f"{item}志",
        Visibility(audience),
        title=f"{item}志",
        year_first=first,
        year_last=last,
        fields={"date-cut": (cut,)},
        field_names={"date-cut": ("刊刻年", "Date cut")},
    )
    return [shared, *(replace(shared, target="page", key=f"p{n}", text=leaf, position=n) for n, leaf in enumerate(leaves, 1))]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    made = WhooshIndex(tmp_path_factory.mktemp("dated"), dates=WrittenDates())
    made.rebuild(
        iter(
            [
                ("long", _work("long", 1782, 1783, "清乾隆四十八年（1783）刻本", "乾隆四十七年升府", "乾隆壬寅大水", "康熙壬寅大旱")),
                ("qing", _work("qing", 1796, 1820, "嘉慶二十年刻", "乾隆四十七\n年設縣", "乾隆四十六年")),
                ("min", _work("min", 1921, 1921, "民國十年鉛印", "民國十年")),
                ("none", _work("none", None, None, "不詳", "無年")),
                ("mi", _work("mi", 1782, 1782, "乾隆四十七年", "乾隆四十七年", audience=Audience.STAFF)),
            ]
        )
    )
    return made


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("年:乾隆", {"long"}),
        ("年:乾隆四十七年", {"long"}),
        ("年:壬寅", {"long"}),
        ("年:乾隆..嘉慶", {"long", "qing"}),
        ("年：民国十年", {"min"}),
        ("年:1790..", {"qing", "min"}),
        ("刊刻年:乾隆", {"long"}),
        ("刊刻年：1783", {"long"}),
        ("刊刻年:乾隆～嘉慶", {"long", "qing"}),
        ("date-cut:1815", {"qing"}),
        ("刊刻年:不詳", {"none"}),
    ],
)
def test_items_by_dates_as_written(index: WhooshIndex, text: str, items: set[str]) -> None:
    results = index.search(Query(text, today=DAY))
    assert {hit.item for hit in results.hits} == items
    assert (results.total, results.metadata_total) == (0, len(items))


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("文内年:1782", {("long", "p1"), ("long", "p2"), ("qing", "p1")}),
        ("文內年：乾隆壬寅", {("long", "p1"), ("long", "p2"), ("qing", "p1")}),
        ("文内年:1781..1782", {("long", "p1"), ("long", "p2"), ("qing", "p1"), ("qing", "p2")}),
        ("文内年:1921", {("min", "p1")}),
        ("文内年:1782 -年:乾隆", {("qing", "p1")}),
    ],
)
def test_leaves_by_years_in_the_text(index: WhooshIndex, text: str, leaves: set[tuple[str, str]]) -> None:
    results = index.search(Query(text, today=DAY))
    assert {(hit.item, hit.key) for hit in results.hits} == leaves
    assert results.occurrences == len(leaves)
    assert all(snippet.spans for hit in results.hits for snippet in hit.snippets)


def test_what_stands_for_the_words_is_marked_too(index: WhooshIndex) -> None:
    assert len(index.mark("文内年:1782", "乾隆四十七年，乾隆壬寅，康熙壬寅")) == 2


@pytest.mark.parametrize(
    ("value", "written"), [(1, "元"), (4, "四"), (10, "十"), (11, "十一"), (20, "二十"), (47, "四十七"), (61, "六十一")]
)
def test_numbers_of_reign_years(value: int, written: str) -> None:
    assert chinese_number(value) == written
