"""A book with a 目录 file and one with headings in its text: taken in, looked at, decided about, made again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image

from archive.model.sections import walk


def _book(folder: Path, texts: list[str], contents: str = "") -> None:
    folder.mkdir(parents=True)
    for number, text in enumerate(texts, 1):
        Image.new("L", (60, 90), 255 - number).save(folder / f"{number:03d}.png")
        (folder / f"{number:03d}.txt").write_text(text, "utf-8")
    if contents:
        (folder / "目录.txt").write_text(contents, "utf-8")


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory, command: Any) -> tuple[Any, dict[str, str], list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("donation") / "志书"
    _book(folder / "興安府志", ["卷首語", "漢水在城南", "關南書院在東"], "目錄\n卷一\t1\n\t山川\t002\n\t學校……3\n\t祠祀\t叶九十\n")
    _book(folder / "漢陰廳志", ["︹山川︺\n漢水", "︹學校︺\n書院在東"])
    (folder / "donation.toml").write_text('accession = "2026-777"\n[defaults]\nkind = "gazetteer"\naccess = "public"\n', "utf-8")
    fangzhi = command(tmp_path_factory.mktemp("made") / "home")
    fangzhi("init")
    found = fangzhi("ingest", "run", folder, "--json").json["findings"]
    with closing(fangzhi.archive()) as archive:
        items = {item.title: item.id for item in archive.reading.items(_staff(), size=10).items}
    return fangzhi, items, found


def _staff() -> Any:
    from archive.model.rights import Audience

    return Audience.STAFF


def _titles(sections: list[dict[str, Any]]) -> list[Any]:
    return [(one["title"], one["page"], one.get("accepted", True), _titles(one.get("children", []))) for one in sections]


def _flat(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for one in sections for each in (one, *_flat(one.get("children", [])))]


def test_a_contents_file_makes_the_tree_and_its_faults_are_named(taken_in: Any) -> None:
    fangzhi, items, findings = taken_in
    told = fangzhi("sections", items["[興安府志]"], "--json").json
    assert _titles(told["sections"]) == [("卷一", "p1", True, [("山川", "p2", True, []), ("學校", "p3", True, [])])]
    assert told["sections"][0]["children"][1]["category"] == "学校"
    (fault,) = [finding for finding in findings if finding["code"] == "contents-nowhere"]
    assert "目录.txt" in fault["where"]
    assert "叶九十" in fault["message"]
    with closing(fangzhi.archive()) as archive:
        assert len(archive.reading.whole(_staff(), items["[興安府志]"]).pages) == 3  # the file itself is no page


def test_headings_are_proposed_to_staff_alone_until_a_person_accepts_them(taken_in: Any) -> None:
    from archive.model.rights import Audience

    fangzhi, items, findings = taken_in
    book = items["[漢陰廳志]"]
    assert [f["code"] for f in findings if f["code"] == "sections-proposed"] == ["sections-proposed"]
    assert _titles(fangzhi("sections", book, "--json").json["sections"]) == [("山川", "p1", False, []), ("學校", "p2", False, [])]
    with closing(fangzhi.archive()) as archive:
        assert archive.reading.item(Audience.PUBLIC, book).item.sections == ()
    said = fangzhi("sections", book, "--accept", "x2", "--reject", "x1")
    assert "學校" in said.out
    assert "山川" not in said.out
    fangzhi("rebuild", "catalogue", "index")
    with closing(fangzhi.archive()) as archive:
        assert [section.title for section in archive.reading.item(Audience.PUBLIC, book).item.sections] == ["學校"]


def test_a_file_takes_the_place_of_the_tree_and_wrong_ids_are_named(taken_in: Any, tmp_path: Path) -> None:
    fangzhi, items, _findings = taken_in
    book = items["[漢陰廳志]"]
    (tmp_path / "新目录.csv").write_text("题名,级别,位置\n卷一,1,1\n山川,2,001\n學校,2,90\n", "utf-8-sig")
    told = fangzhi("sections", book, "--from", tmp_path / "新目录.csv", "--json")
    assert told.status == 1
    assert "第 4 行" in told.err
    assert _titles(told.json["sections"]) == [("卷一", "p1", True, [("山川", "p1", True, [])])]
    before = {path["id"] for path in _flat(told.json["sections"])}
    fangzhi("sections", book, *(word for one in sorted(before) for word in ("--reject", one)))
    again = {path["id"] for path in _flat(fangzhi("sections", book, "--from", tmp_path / "新目录.csv", "--json").json["sections"])}
    assert len(again) == len(before) and not again & before  # an id is never given twice
    assert fangzhi("sections", book, "--accept", "x99", ok=(1,)).status == 1
    assert fangzhi("sections", "nothing-here", ok=(1,)).status == 1


def test_a_contents_table_in_a_book_describes_no_items_and_a_useless_one_is_told_row_by_row(tmp_path: Path, command: Any) -> None:
    folder = tmp_path / "donation" / "志书"
    _book(folder / "甲志", ["甲", "甲漢水", "甲書院"])
    workbook = openpyxl.Workbook()
    for row in (("题名", "级别", "位置"), ("卷一", 1, 1), ("山川", 2, 2), ("學校", 2, "叶九十")):
        workbook.active.append(row)
    workbook.save(folder / "甲志" / "目录.xlsx")
    _book(folder / "乙志", ["乙", "乙漢水"])
    (folder / "乙志" / "目录.csv").write_text("卷,门,位置\n卷一,,1\n,山川,2\n", "utf-8")
    _book(folder / "丙志", ["丙", "丙漢水"], "卷一\t叶八\n山川\t叶九\n")
    _book(folder / "丁志", ["丁", "丁漢水"], "卷一　　星野\n卷二　　山川\n")
    (folder / "donation.toml").write_text('accession = "2026-778"\n[defaults]\nkind = "gazetteer"\naccess = "public"\n', "utf-8")
    fangzhi = command(tmp_path / "made" / "home")
    fangzhi("init")
    checked = fangzhi("ingest", "check", folder, "--json").json["findings"]
    found = fangzhi("ingest", "run", folder, "--json").json["findings"]
    told = sorted((f["code"], f["where"]) for f in found if f["code"].startswith("contents-"))
    assert told == sorted((f["code"], f["where"]) for f in checked if f["code"].startswith("contents-"))
    assert told == [
        ("contents-nowhere", "丙志/目录.txt 第 1 行"),
        ("contents-nowhere", "丙志/目录.txt 第 2 行"),
        ("contents-nowhere", "甲志/目录.xlsx 第 4 行"),
        ("contents-plain", "丁志/目录.txt"),
    ]
    with closing(fangzhi.archive()) as archive:
        books = {one.title: archive.reading.whole(_staff(), one.id) for one in archive.reading.items(_staff(), size=20).items}
    assert sorted(books) == ["[丁志]", "[丙志]", "[乙志]", "[甲志]"]
    outline = {title: [(path[-1].title, path[-1].level, path[-1].page) for path in walk(book.sections)] for title, book in books.items()}
    assert outline["[甲志]"] == outline["[乙志]"] == [("卷一", 1, "p1"), ("山川", 2, "p2")]
    assert outline["[丙志]"] == outline["[丁志]"] == []
    assert {title: len(book.pages) for title, book in books.items()} == {"[甲志]": 3, "[乙志]": 2, "[丙志]": 2, "[丁志]": 3}
