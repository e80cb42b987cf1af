"""Section trees: from a page list, from a 目录 file, from headings in the text; what is wrong in a 目录 file is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from archive.model.folios import Folio, Side
from archive.model.item import Item, Page, TextLine, TextSource, TextVersion
from archive.model.profile import Term, Vocabulary
from archive.model.sections import Section, walk
from archive.search.chinese import fold
from ingest import sectioning
from ingest.stages.mint import mint

VOCABULARY = Vocabulary("section-categories", "门类", "", (Term("山川", names=("山水",)), Term("学校", names=("书院", "儒学"))))
KNOWN = sectioning.categories(VOCABULARY, fold)


def page(text: str = "", *, juan: str | None = None, ye: str | None = None, side: str | None = None, section: str = "") -> Page:
    texts = (TextVersion(TextSource.DONOR, tuple(map(TextLine, text.split("\n")))),) if text else ()
    folio = Folio(juan=juan, ye=ye, side=Side(side) if side else None) if juan or ye else None
    return Page("", 0, None, folio, texts=texts, section=section)


def outline(sections: Sequence[Section]) -> list[str]:
    return [f"{'  ' * (len(path) - 1)}{path[-1].title}{path[-1].page}" for path in walk(sections)]


def test_a_page_list_gives_juan_and_sections_of_several_levels() -> None:
    pages = [
        page(juan="一", section="山川"),
        page(juan="一", section="山川"),
        page(juan="一", section="學校/府學"),
        page(juan="一", section="學校/縣學"),
        page(juan="二"),
        page(juan="二", section="山川"),
    ]
    found = sectioning.tree(sectioning.of_sheet(pages), "sheet", True, KNOWN, fold)
    assert outline(found) == ["卷一@1", "  山川@1", "  學校@3", "    府學@3", "    縣學@4", "卷二@5", "  山川@6"]
    assert [path[-1].category for path in walk(found)] == ["", "山川", "学校", "", "", "", "山川"]


def test_headings_in_the_text_are_proposed_and_a_list_of_contents_heads_nothing() -> None:
    pages = [
        page("陝西通志目録\n卷一\n山川\n卷二\n學校"),
        page("卷三\n書院\n卷四"),
        page("　陝西通志卷一\n︹山川︺\n漢水出嶓冢山"),
        page("︹本朝︺\n某山在縣東"),
        page("陝西通志卷一"),  # the title again at the end of the 卷
        page("陝西通志卷之二\n　書院\n關南書院在府治東\n學校志序云"),
    ]
    headings = sectioning.of_text(pages, KNOWN, fold, juan=True)
    found = sectioning.tree(headings, "heading", False, KNOWN, fold)
    assert outline(found) == ["卷一@3", "  山川@3", "    本朝@4", "卷二@6", "  書院@6"]
    assert not any(path[-1].accepted for path in walk(found))
    assert [heading.line for heading in headings] == [0, 1, 0, 0, 1]


def test_stated_juan_keep_their_standing_and_proposals_stand_inside_them() -> None:
    pages = [page("︹山川︺", juan="一"), page("某山", juan="一"), page("︹學校︺", juan="二")]
    stated = sectioning.of_sheet(pages)
    found = sectioning.together(stated, sectioning.of_text(pages, KNOWN, fold, juan=False), KNOWN, fold)
    assert outline(found) == ["卷一@1", "  山川@1", "卷二@3", "  學校@3"]
    assert [(path[-1].source, path[-1].accepted) for path in walk(found)] == [("sheet", True), ("heading", False)] * 2


PAGES = [
    page(juan="一", ye="一", side="a"),
    page(juan="一", ye="一", side="b"),
    page(juan="一", ye="二", side="a"),
    page(juan="二", ye="一", side="a"),
    page(juan="二", ye="二", side="a"),
]
NAMES = ["001", "002", "003", "004", "005"]


def test_a_contents_file_names_leaves_images_and_files() -> None:
    lines = ["目錄", "卷一", "\t山川\t葉一下", "\t學校 …… 3", "卷二", "\t祠祀\t葉一", "\t\t城隍廟\t005.tif"]
    found, faults = sectioning.of_contents(sectioning.read_contents(lines), PAGES, NAMES)
    assert faults == []
    assert outline(sectioning.tree(found, "contents", True, KNOWN, fold)) == [
        "卷一@2",
        "  山川@2",
        "  學校@3",
        "卷二@4",
        "  祠祀@4",
        "    城隍廟@5",
    ]


def test_faults_of_a_contents_file_name_row_and_remedy() -> None:
    lines = ["山川\t3", "學校\t叶九十", "祠祀\t2", "山川\t3"]
    found, faults = sectioning.of_contents(sectioning.read_contents(lines), PAGES, NAMES)
    assert [(row, code) for row, code, _message in faults] == [(2, "contents-nowhere"), (3, "contents-order"), (4, "contents-repeat")]
    assert "叶九十" in faults[0][2]
    assert [heading.title for heading in found] == ["祠祀", "山川"]


def test_a_contents_table_by_headings_or_by_columns() -> None:
    by_headings = sectioning.read_table("题名,级别,位置\n卷一,1,1\n山川,2,2\n", ",")
    assert [(row.title, row.level, row.where) for row in by_headings] == [("卷一", 1, "1"), ("山川", 2, "2")]
    by_columns = sectioning.read_table("卷一\t\t1\n\t山川\t2\n", "\t")
    assert [(row.title, row.level, row.where) for row in by_columns] == [("卷一", 1, "1"), ("山川", 2, "2")]


def test_ids_are_minted_once_and_kept_when_the_same_book_comes_again() -> None:
    tree = sectioning.tree(
        sectioning.of_sheet([page(juan="一", section="山川"), page(juan="一", section="學校")]), "sheet", True, KNOWN, fold
    )
    draft = Item("a-1", "2026-001", "gazetteer", "", "志", pages=(page("甲"), page("乙")), sections=tree)
    first = mint(draft, None)
    assert [(path[-1].id, path[-1].page) for path in walk(first.sections)] == [("x1", "p1"), ("x2", "p1"), ("x3", "p2")]
    without = replace(draft, sections=sectioning.tree([sectioning.Heading("學校", 2, 2)], "sheet", True, KNOWN, fold))
    again = mint(without, first)
    assert [(path[-1].id, path[-1].page) for path in walk(again.sections)] == [("x3", "p2")]
    added = mint(draft, again)
    assert [path[-1].id for path in walk(added.sections)] == ["x4", "x5", "x3"]
    assert added.minted["x"] == 5


def test_names_of_contents_files() -> None:
    assert all(map(sectioning.is_contents, ("目录", "目錄", "00_目次", "contents", "TOC")))
    assert not any(map(sectioning.is_contents, ("目录说明", "卷一", "item")))


@pytest.mark.parametrize(
    ("heads", "rows"),
    [
        ("卷,门,目,位置", "卷一,,,1\n,學校,,2\n,,府學,3"),
        ("题名,级别,叶", "卷一,1,1\n學校,2,2\n府學,3,3"),
        ("级别,题名,位置", "卷,卷一,1\n門,學校,2\n目,府學,3"),
    ],
    ids=["columns that are levels", "levels in figures", "levels in words"],
)
def test_the_headings_of_a_contents_table_say_what_is_what(heads: str, rows: str) -> None:
    found = sectioning.read_table(f"{heads}\n{rows}\n", ",")
    assert [(row.title, row.level, row.where) for row in found] == [("卷一", 1, "1"), ("學校", 2, "2"), ("府學", 3, "3")]


@pytest.mark.parametrize(
    ("cells", "contents"),
    [
        ("题名,级别,位置|山川,2,3", True),
        ("卷,门,位置|,山川,3", True),
        ("题名,级别,位置|一只碗,三级,东库", False),
        ("题名,文件|山川,3.tif", False),
        ("题名,级别,位置", False),
    ],
    ids=["titles and levels", "levels as columns", "relics on shelves", "a list of things", "headings alone"],
)
def test_a_list_of_things_named_contents_is_no_contents_table(cells: str, contents: bool) -> None:
    rows = [(number, row.split(",")) for number, row in enumerate(cells.split("|"), 1)]
    assert sectioning.is_contents_table(rows) is contents


def test_lines_of_a_contents_file_without_indentation_or_tabs() -> None:
    flat = sectioning.read_contents(["卷一 疆域 1", "山川 2", "卷二 3", "祠祀 叶二"])
    assert [(row.title, row.level, row.where) for row in flat] == [
        ("卷一 疆域", 1, "1"),
        ("山川", 2, "2"),
        ("卷二", 1, "3"),
        ("祠祀", 2, "叶二"),
    ]
    gates = sectioning.read_contents(["卷一\t1", "山川門\t2", "\t漢水\t3"])
    assert [row.level for row in gates] == [1, 2, 3]
    assert [row.where for row in sectioning.read_contents(["山川 一"])] == [""]  # 一 may belong to the title


def test_leaves_are_found_by_figures_and_by_chinese_numbers() -> None:
    lines = ["山川\t卷1叶1下", "學校\t叶2", "祠祀\t卷二叶1", "古蹟\t第五面"]
    found, faults = sectioning.of_contents(sectioning.read_contents(lines), PAGES, NAMES)
    assert faults == []
    assert [heading.place for heading in found] == [2, 3, 4, 5]


def test_a_book_with_too_many_headings_loses_whole_levels_never_its_end() -> None:
    heads = [
        sectioning.Heading("卷一", 1, 1),
        *(sectioning.Heading("山川", 2 + n % 2, n) for n in range(1, 5)),
        sectioning.Heading("卷二", 1, 9),
    ]
    assert sectioning.within(heads, 6) == heads
    assert [(head.title, head.level) for head in sectioning.within(heads, 4)] == [("卷一", 1), ("山川", 2), ("山川", 2), ("卷二", 1)]
    assert [head.title for head in sectioning.within(heads, 3)] == ["卷一", "卷二"]
    assert sectioning.within(heads, 1) == []


def test_the_end_of_a_small_note_is_no_heading() -> None:
    assert sectioning.of_text([page("在縣東百里(即\n山川)\n山川")], KNOWN, fold, juan=True) == [sectioning.Heading("山川", 2, 1, 2)]
