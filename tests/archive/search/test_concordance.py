"""The concordance against lines worked out the slow way: every occurrence of the oracle with what stands around it for that reader."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import search_oracle as oracle

from archive.errors import QueryError, SearchIndexError
from archive.model.rights import Audience, Visibility
from archive.search import concordance as kwic
from archive.search.base import TEXT_END, Described, IndexDocument, Lines, Place, Query
from archive.search.chinese import fold
from archive.search.surroundings import WIDTH
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)
READERS = (Audience.PUBLIC, Audience.STAFF)
WORKS = 14


def documents(number: int, work: oracle.Work) -> list[IndexDocument]:
    """A work as the index gets it, with a holding and, but for some, a year."""
    year = None if number % 5 == 0 else 1640 + 10 * number
    more: dict[str, Any] = {"collection": "甲乙丙"[number % 3], "year_first": year}
    return [replace(document, **more) for document in oracle.documents(f"w-{number:02}", work)]


@functools.cache
def works() -> list[oracle.Work]:
    rng = random.Random(77)
    return [oracle.make_work(rng, 14) for _ in range(WORKS)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhooshIndex]:
    """Several segments: a rebuild, then works added two by two."""
    found = WhooshIndex(tmp_path_factory.mktemp("kwic"))
    items = [(f"w-{n:02}", documents(n, work)) for n, work in enumerate(works())]
    found.rebuild(iter(items[:6]))
    for some in zip(items[6::2], items[7::2], strict=True):
        found.replace(some)
    yield found
    found.close()


Row = tuple[str, str, str, str, str]
"""Item, page, before, the occurrence, after."""


def rows(lines: Lines) -> list[Row]:
    places = [lines.places[at] for at in lines.at]
    return [
        (place.item, place.key, *line) for place, line in zip(places, zip(lines.left, lines.match, lines.right, strict=True), strict=True)
    ]


def all_rows(index: WhooshIndex, query: Query) -> list[Row]:
    return [row for batch in index.occurrences(query) for row in rows(batch)]


def plain(context: str) -> str:
    """A context without its brackets, folded, the text's end kept."""
    return "".join(char if char == TEXT_END else fold(char) for char in context.replace("（…）", "").replace("（", "").replace("）", ""))


def expected(wanted: str, reader: Audience) -> list[Row]:
    """Every occurrence through the notes or over them, folded; a glyph is an x, its form left to another test."""
    found: dict[tuple[int, int, int], Row] = {}
    for number, work in enumerate(works()):
        for at, stretch in enumerate(_seen(work, reader)):
            whole = [fold(char) if len(char) == 1 else "x" for _leaf, char, _noted in stretch]
            for over in (False, True):
                places = [n for n, cell in enumerate(stretch) if not (over and cell[2])]
                text = "".join(whole[n] for n in places)
                begin = text.find(wanted)
                while begin >= 0:
                    first, last = places[begin], places[begin + len(wanted) - 1]
                    left = ("" if first >= WIDTH else TEXT_END) + "".join(whole[max(0, first - WIDTH) : first])
                    right = "".join(whole[last + 1 : last + 1 + WIDTH]) + ("" if last + 1 + WIDTH <= len(whole) else TEXT_END)
                    row = (f"w-{number:02}", f"p{stretch[first][0] + 1}", left, wanted, right)
                    found.setdefault((number, at, first), row)
                    begin = text.find(wanted, begin + 1)
    return list(found.values())


def _seen(work: oracle.Work, reader: Audience) -> Iterator[list[tuple[int, str, bool]]]:
    """Unbroken stretches of what the reader may see: a missing leaf and a hidden one part the text."""
    stretch: list[tuple[int, str, bool]] = []
    for number, leaf in enumerate(work):
        if leaf is None or not leaf.audience.admits(reader):
            yield stretch
            stretch = []
        else:
            stretch.extend((number, char, noted) for char, noted in leaf.cells)
    yield stretch


def starred(text: str) -> str:
    """What may stand for a glyph, or for nothing we know, as a star."""
    for glyph in ("&KR1234;", "&KR0021;", "〓", "⿰氵青", "[車*犬]"):
        text = text.replace(glyph, "x")
    return "".join(char if char == TEXT_END or 0x3400 <= ord(char) < 0xA000 else "＊" for char in plain(text))


def comparable(row: Row) -> Row:
    item, page, left, match, right = row
    return item, page, starred(left), starred(match), starred(right)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.value)
@pytest.mark.parametrize("wanted", ["之", "山", "安康", "水", "康", "西", "志", "陕西", "石"])
def test_lines_are_those_of_the_oracle(index: WhooshIndex, wanted: str, reader: Audience) -> None:
    wanted = fold(wanted)
    found = sorted(map(comparable, all_rows(index, Query(wanted, reader, DAY))))
    assert found == sorted(map(comparable, expected(wanted, reader)))
    assert len(found) == index.search(Query(wanted, reader, DAY)).occurrences > 0


QUERIES = [
    "安 康",
    "安 OR 山",
    "安康 OR 安",
    "水 -州",
    "近:4(安 康)",
    "安?山",
    "安*水",
    "“漢”",
    "“陝”",
    "注:山",
    "正文:山",
    "安 近:9(水 利)",
    "厯",
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.value)
@pytest.mark.parametrize("text", QUERIES)
def test_there_is_a_line_for_every_occurrence_that_the_search_counts(index: WhooshIndex, text: str, reader: Audience) -> None:
    query = Query(text, reader, DAY)
    counted = index.search(query).occurrences
    assert index.concordance(query).total == len(all_rows(index, query)) == counted > 0


@pytest.mark.parametrize(
    "more", [{"item": "w-03"}, {"collection": "甲"}, {"collections": ("甲", "乙")}, {"year_from": 1700}], ids=lambda more: next(iter(more))
)
def test_a_selection_has_the_occurrences_that_the_search_counts_there(index: WhooshIndex, more: dict[str, Any]) -> None:
    query = Query("之", Audience.PUBLIC, DAY, **more)
    assert index.concordance(query).total == index.search(query).occurrences


@pytest.mark.parametrize("sort", ["left", "right"])
def test_lines_sort_by_the_nearest_folded_characters(index: WhooshIndex, sort: str) -> None:
    def nearest(row: Row) -> str:
        context = row[2][::-1] if sort == "left" else row[4]
        return context.split(TEXT_END)[0][: kwic.NEAREST]

    for text in ("山", "水", "安"):
        query = Query(text, Audience.STAFF, DAY, sort=sort, limit=7)
        keys = [nearest(row) for row in map(comparable, all_rows(index, query))]
        known = [key for key in keys if "＊" not in key]
        assert known == sorted(known) and len(set(known)) > 20


@pytest.mark.parametrize("sort", kwic.SORTS)
def test_the_pages_of_a_concordance_are_its_whole_cut_in_pieces(index: WhooshIndex, sort: str) -> None:
    query = Query("之", Audience.STAFF, DAY, sort=sort, limit=9)
    whole = list(map(comparable, all_rows(index, query)))
    found: list[Row] = []
    while len(found) < len(whole):
        page = index.concordance(replace(query, offset=len(found)))
        assert page.sort == sort
        found += map(comparable, rows(page.lines))
    assert found == whole
    assert not index.concordance(replace(query, offset=10**9)).lines


def test_lines_in_the_order_of_works_read_on(index: WhooshIndex) -> None:
    found = [(row[0], int(row[1][1:])) for row in all_rows(index, Query("之", Audience.PUBLIC, DAY))]
    assert found == sorted(found)
    years = [index.concordance(Query("之", Audience.PUBLIC, DAY, sort=sort, limit=200)).lines for sort in ("date", "-date")]
    early, late = ([place.work.year_first for place in (lines.places[at] for at in lines.at)] for lines in years)
    assert early == sorted(early, key=lambda year: 9999 if year is None else year) and None in early
    assert late == sorted(late, key=lambda year: 9999 if year is None else -year)


def test_too_many_lines_to_sort_by_context_stay_in_the_order_of_works(index: WhooshIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kwic, "MOST_SORTED", 10)
    assert index.concordance(Query("之", Audience.PUBLIC, DAY, sort="left")).sort == "work"


@pytest.mark.parametrize("batch", [1, 5])
def test_batches_are_of_one_order_whatever_their_size(index: WhooshIndex, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    query = Query("水", Audience.STAFF, DAY, sort="left")
    whole = all_rows(index, query)
    monkeypatch.setattr(kwic, "BATCH", batch)
    assert all_rows(index, query) == whole


def test_what_is_hidden_is_in_no_line_and_no_figure(tmp_path: Path) -> None:
    """An index with hidden leaves answers as one that never had them."""
    made, without = WhooshIndex(tmp_path / "with"), WhooshIndex(tmp_path / "without")
    made.rebuild((f"w-{n:02}", documents(n, work)) for n, work in enumerate(works()))
    open_ = [[leaf if leaf and leaf.audience is Audience.PUBLIC else None for leaf in work] for work in works()]
    without.rebuild((f"w-{n:02}", documents(n, work)) for n, work in enumerate(open_))
    for text, sort in (("之", "left"), ("安", "right"), ("山 OR 水", "work"), ("康", "date")):
        query = Query(text, Audience.PUBLIC, DAY, sort=sort, limit=40)
        seen, told = made.concordance(query), without.concordance(query)
        assert rows(seen.lines) == rows(told.lines) and seen.dispersion == told.dispersion and seen.total == told.total > 40
        assert seen.total < made.concordance(replace(query, reader=Audience.STAFF)).total
        assert all_rows(made, query) == all_rows(without, query)


def test_a_note_beside_one_in_a_hidden_leaf_keeps_its_brackets(tmp_path: Path) -> None:
    made = WhooshIndex(tmp_path)
    leaves = (("甲乙(丙丁)", Audience.STAFF), ("(戊己)庚辛", Audience.PUBLIC))
    made.rebuild(
        iter([("w", [IndexDocument("w", "page", f"p{n}", t, Visibility(seen), n > 1, True, n) for n, (t, seen) in enumerate(leaves, 1)])])
    )
    assert [row[2:] for row in all_rows(made, Query("己", today=DAY))] == [("‖(戊", "己", ")庚辛‖")]


def test_a_note_that_runs_on_into_a_hidden_leaf_ends_with_what_is_seen(tmp_path: Path) -> None:
    made = WhooshIndex(tmp_path)
    texts = (("興安(府志", Audience.PUBLIC), ("密語)密", Audience.STAFF), ("語漢陰", Audience.PUBLIC))
    made.rebuild(
        iter([("w", [IndexDocument("w", "page", f"p{n}", t, Visibility(seen), n > 1, True, n) for n, (t, seen) in enumerate(texts, 1)])])
    )
    assert [row[2:] for row in all_rows(made, Query("安 OR 阴", today=DAY))] == [("‖興", "安", "(府志‖"), ("‖語漢", "陰", "‖")]
    assert [row[2:] for row in all_rows(made, Query("安", Audience.STAFF, DAY))] == [("‖興", "安", "(府志密語)密語漢陰‖")]


def test_the_dispersion_adds_up(index: WhooshIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kwic, "WORKS", 3)
    found = index.concordance(Query("之", Audience.PUBLIC, DAY))
    spread = found.dispersion
    assert [share.occurrences for share in spread.works] == sorted((share.occurrences for share in spread.works), reverse=True)
    assert len(spread.works) == 3 and spread.others == found.works - 3
    assert sum(share.occurrences for share in spread.works) + spread.rest.occurrences == found.total
    assert sum(share.occurrences for share in spread.periods) + spread.undated.occurrences == found.total
    assert [share.year for share in spread.periods] == list(range(1660, 1780, 10)) and spread.step == 10
    first = spread.works[0]
    leaves = [leaf for leaf in works()[int(first.item[2:])] if leaf and leaf.audience is Audience.PUBLIC]
    assert first.characters == sum(max(len(leaf.cells), 1) for leaf in leaves)


def made_of(tmp_path: Path, *leaves: str, **more: Any) -> WhooshIndex:
    """An index with one work of these leaves, running on."""
    found = WhooshIndex(tmp_path)
    pages = [
        IndexDocument("w", "page", f"p{n}", text, Visibility(Audience.PUBLIC), n > 1, True, n, f"葉{n}", title="志", **more)
        for n, text in enumerate(leaves, 1)
    ]
    found.rebuild(iter([("w", pages)]))
    return found


def test_a_line_is_quoted_as_it_stands(tmp_path: Path) -> None:
    index = made_of(tmp_path, "興安府志，卷之一。\n　　疆域：東至洵陽", "(古旬陽/也)，西至漢\n隂。⿰氵青&KR0021;")
    lines = index.concordance(Query("洵阳", today=DAY)).lines
    assert rows(lines) == [("w", "p1", "‖興安府志，卷之一。疆域：東至", "洵陽", "(古旬陽/也)，西至漢隂。⿰氵青&KR0021;‖")]
    lines = index.concordance(Query("洵陽西至", today=DAY)).lines
    assert rows(lines) == [("w", "p1", "‖興安府志，卷之一。疆域：東至", "洵陽（…）西至", "漢隂。⿰氵青&KR0021;‖")]
    lines = index.concordance(Query("古旬", today=DAY)).lines
    assert rows(lines)[0][2:] == ("‖興安府志，卷之一。疆域：東至洵陽(", "古旬", "陽/也)，西至漢隂。⿰氵青&KR0021;‖")
    (found,) = all_rows(index, Query("志卷", today=DAY))
    assert found[2:] == ("‖興安府", "志，卷", "之一。疆域：東至洵陽(古旬陽/也)，西至漢隂。⿰氵青&KR0021;‖")
    (found,) = all_rows(index, Query("青也 OR ⿰氵青", today=DAY))
    assert found[3:] == ("⿰氵青", "&KR0021;‖")


def test_an_occurrence_over_a_note_is_as_long_as_what_was_found(tmp_path: Path) -> None:
    index = made_of(tmp_path, "弘(甲乙丙丁)治(戊己)十年")
    assert [row[2:] for row in all_rows(index, Query("弘治十", today=DAY))] == [("‖", "弘（…）治（…）十", "年‖")]


def test_an_occurrence_with_a_gap_is_shown_whole_unless_it_has_no_end(tmp_path: Path) -> None:
    index = made_of(tmp_path, "甲" + "子" * 15 + "乙" + "丑" * 400, "Red River\nbridge")
    (found,) = all_rows(index, Query("甲*乙", today=DAY))
    assert found[3] == "甲" + "子" * 15 + "乙"
    (found,) = rows(index.concordance(Query("甲*乙", today=DAY)).lines)
    assert found[3:] == ("甲" + "子" * 15 + "乙", "丑" * WIDTH)
    (found,) = rows(index.concordance(Query("river", today=DAY)).lines)
    assert found[2:] == ("丑" * (WIDTH - 3) + "Red ", "River", "bridge‖")


def test_a_line_knows_its_place_and_its_work(tmp_path: Path) -> None:
    index = made_of(
        tmp_path,
        "安康縣",
        collection="甲",
        kind="gazetteer",
        date="乾隆五十三年",
        year_first=1788,
        source="ocr",
        fields={"compiler": ("李國麒",), "place": ("安康",)},
        field_names={"compiler": ("纂修者", "责任者"), "place": ("地名",)},
    )
    lines = index.concordance(Query("康", today=DAY)).lines
    (place,) = lines.places
    assert place == Place("page", "w", "p1", "葉1", 1, None, "ocr", Described("志", ("李國麒",), "甲", "gazetteer", "乾隆五十三年", 1788))
    assert list(lines.at) == [0]


def test_a_missing_index_and_a_fault_in_the_query_are_said_at_once(tmp_path: Path, index: WhooshIndex) -> None:
    with pytest.raises(SearchIndexError):
        WhooshIndex(tmp_path / "none").occurrences(Query("安", today=DAY))
    with pytest.raises(QueryError):
        index.occurrences(Query("“安", today=DAY))
