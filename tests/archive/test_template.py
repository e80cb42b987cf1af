"""The archivist's workbook: what it holds, that it keeps dates as typed, and that handed back it is read as what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from archive.errors import UsageError
from archive.language import in_language
from archive.model.profile import Definitions, Term
from archive.profiles import load_definitions
from archive.template import template_for, write_template

KINDS = ("gazetteer", "han-opera", "third-front", "general")


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions()


@pytest.fixture(scope="module")
def books(definitions: Definitions, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workbook]:
    folder = tmp_path_factory.mktemp("templates")
    made = {}
    for kind in KINDS:
        write_template(definitions.profiles[kind], definitions, folder / f"{kind}.xlsx")
        made[kind] = load_workbook(folder / f"{kind}.xlsx")
    return made


def headings(sheet: Worksheet) -> dict[str, int]:
    return {str(cell.value).split(" / ")[0]: cell.column for cell in sheet[1]}


def choices(book: Workbook, sheet: str, column: int) -> tuple[list[str], bool, str]:
    """Values of a column's drop-down, whether other values are stopped, and the cells it covers."""
    letter = book[sheet].cell(1, column).column_letter
    (rule,) = (r for r in book[sheet].data_validations.dataValidation if str(r.sqref).startswith(f"{letter}2:"))
    name, area = rule.formula1.rsplit("!", 1)
    first, last = area.replace("$", "").split(":")
    cells = book[name.strip("'")][f"{first}:{last}"]
    return [row[0].value for row in cells], bool(rule.showErrorMessage and rule.errorStyle in (None, "stop")), str(rule.sqref)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_its_bilingual_column_with_a_note(books: dict[str, Workbook], definitions: Definitions, kind: str) -> None:
    sheet = books[kind]["著录表"]
    written = {str(cell.value) for cell in sheet[1]}
    for field in definitions.profiles[kind].fields:
        assert f"{field.label} / {field.label_en}" in written
        if field.note:
            assert field.note.split("\n")[0][:20] in sheet.cell(1, headings(sheet)[field.label]).comment.text


@pytest.mark.parametrize("kind", KINDS)
def test_all_cells_are_text_so_that_no_date_is_made(books: dict[str, Workbook], kind: str) -> None:
    for name in ("著录表", "影像清单"):
        sheet = books[kind][name]
        for cell in sheet[1]:
            assert sheet.column_dimensions[cell.column_letter].number_format == "@"


def test_the_header_stays_in_sight_and_required_columns_stand_out(books: dict[str, Workbook]) -> None:
    sheet = books["gazetteer"]["著录表"]
    assert sheet.freeze_panes == "C2"
    columns = headings(sheet)
    assert sheet.cell(1, columns["题名"]).comment.text.startswith("必填")
    assert sheet.cell(1, columns["题名"]).fill.fgColor.rgb != sheet.cell(1, columns["责任者"]).fill.fgColor.rgb


def test_a_drop_down_offers_the_whole_vocabulary_and_stops_others_only_when_closed(
    books: dict[str, Workbook], definitions: Definitions
) -> None:
    book = books["gazetteer"]
    columns = headings(book["著录表"])
    values, strict, cells = choices(book, "著录表", columns["版本类型"])
    assert values == [term.value for term in definitions.vocabularies["edition-types"].terms] and not strict
    assert cells.endswith("2001")
    values, strict, _ = choices(book, "著录表", columns["访问级别"])
    assert values == ["公开", "登录", "馆内", "申请", "馆员", "封存"] and strict
    assert book["词表"].sheet_state == "hidden"


def test_a_list_longer_than_a_rule_may_hold_is_offered_whole(definitions: Definitions, tmp_path: Path) -> None:
    terms = tuple(Term(f"第{n}种很长的版本类型名称") for n in range(200))
    long = replace(definitions.vocabularies["edition-types"], terms=terms)
    many = replace(definitions, vocabularies={**definitions.vocabularies, "edition-types": long})
    write_template(many.profiles["gazetteer"], many, tmp_path / "x.xlsx")
    book = load_workbook(tmp_path / "x.xlsx")
    values, _, _ = choices(book, "著录表", headings(book["著录表"])["版本类型"])
    assert values == [term.value for term in terms]


def test_seldom_filled_columns_are_folded_away_not_left_out(books: dict[str, Workbook]) -> None:
    sheet = books["han-opera"]["著录表"]
    columns = headings(sheet)
    hidden = {name for name, n in columns.items() if sheet.column_dimensions[sheet.cell(1, n).column_letter].hidden}
    assert {"调门", "师承", "用途"} <= hidden
    assert not {"题名", "文件", "剧目", "行当", "访问级别"} & hidden


@pytest.mark.parametrize("kind", KINDS)
def test_two_filled_examples_stand_on_a_sheet_of_their_own(books: dict[str, Workbook], kind: str) -> None:
    sheet = books[kind]["填写示例"]
    assert sheet.max_row == 3 and str(sheet["A1"].value).startswith("例·")
    assert books[kind]["著录表"].max_row == 1


def test_nothing_is_left_behind_when_the_folder_takes_no_file(definitions: Definitions, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_template(definitions.profiles["general"], definitions, tmp_path / "no" / "x.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["gazetteer", "方志", "Gazetteer"])
def test_a_kind_is_asked_for_by_key_or_label(tmp_path: Path, kind: str) -> None:
    template_for(kind, tmp_path / "definitions", tmp_path / "x.xlsx")
    assert "修者" in headings(load_workbook(tmp_path / "x.xlsx")["著录表"])


def test_an_unknown_kind_is_told_which_there_are(tmp_path: Path) -> None:
    with in_language("zh"), pytest.raises(UsageError, match=r"没有“地图”这个著录模板.*gazetteer（方志）"):
        template_for("地图", tmp_path, tmp_path / "x.xlsx")
    with in_language("en"), pytest.raises(UsageError, match="There is no kind"):
        template_for("地图", tmp_path, tmp_path / "x.xlsx")


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="写不进去"):
        template_for("general", tmp_path, tmp_path / "no" / "x.xlsx")


@pytest.mark.parametrize("kind", KINDS)
def test_handed_back_it_is_an_item_sheet_a_page_list_and_notes(definitions: Definitions, tmp_path: Path, kind: str) -> None:
    sheet = pytest.importorskip("ingest.readers.sheet")
    from ingest.task import GivenFile, SheetRole

    path = tmp_path / "表.xlsx"
    write_template(definitions.profiles[kind], definitions, path)
    book = load_workbook(path)
    columns = headings(book["著录表"])
    for name, value in {"题名": "某书", "文件": "某书", "著录模板": definitions.profiles[kind].label, "访问级别": "公开"}.items():
        book["著录表"].cell(2, columns[name], value)
    book.save(path)
    tables = {t.sheet: t for t in sheet.read_tables(GivenFile("表.xlsx", path, path.stat().st_size, 0), definitions)}
    assert tables["著录表"].role is SheetRole.ITEMS and len(tables["著录表"].rows) == 1
    assert not tables["著录表"].findings
    read = {column.written.split(" / ")[0]: column.field for column in tables["著录表"].columns}
    for field in definitions.profiles[kind].fields:
        assert read[field.label] == field.key
    assert tables["影像清单"].role is SheetRole.PAGES and not tables["影像清单"].rows
    assert tables["填写示例"].role is SheetRole.NOTES and tables["填表说明"].role is SheetRole.NOTES
