"""Sheets as donors make them: each rule of "A donation folder" on a real workbook, written by the library of its format."""

import datetime
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from archive.language import in_language
from archive.model.donation import Severity
from archive.model.profile import Definitions, Field, FieldType, Profile
from ingest.readers import workbook
from ingest.readers.sheet import has_files_column, is_sheet_name, names_files, read_tables, reading
from ingest.task import GivenFile, SheetRole, SheetTable

CORE = (
    Field("title", "题名", "Title", term="dcterms:title"),
    Field("creator", "责任者", "Creator", term="dcterms:creator", headings=("作者", "纂修者")),
    Field("date", "日期", "Date", FieldType.DATE, term="dcterms:date", headings=("年代", "成书年代")),
    Field("subject", "主题", "Subject", term="dcterms:subject", repeatable=True),
    Field("source", "来源", "Source", term="dcterms:source"),
    Field("extent", "数量", "Extent", term="dcterms:extent", headings=("册数", "卷数")),
    Field("holder", "馆名", "Holder", headings=("存藏地馆名",)),
    Field("remarks", "备注", "Remarks"),
    Field("alt-identifier", "其他编号", "Other identifier", term="dcterms:identifier"),
)
GAZETTEER = (*CORE, Field("edition", "版本类型", "Edition", headings=("版本",)), Field("seals", "钤印", "Seals"))
DEFINITIONS = Definitions(
    profiles={
        "general": Profile("general", "通用", "General", CORE),
        "gazetteer": Profile("gazetteer", "方志", "Gazetteer", GAZETTEER),
    }
)


def given(path: Path) -> GivenFile:
    return GivenFile(path.name, path, path.stat().st_size, 0)


def tables(path: Path, kind: str = "") -> tuple[SheetTable, ...]:
    return read_tables(given(path), DEFINITIONS, kind)


def xlsx(path: Path, *rows: object, title: str = "Sheet1", merge: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for area in merge:
        sheet.merge_cells(area)
    book.save(path)
    return path


def one(path: Path, kind: str = "") -> SheetTable:
    (table,) = tables(path, kind)
    return table


def codes(table: SheetTable) -> list[str]:
    return [finding.code for finding in table.findings]


def fields(table: SheetTable) -> dict[str, str | None]:
    return {column.written: column.field for column in table.columns}


def column(table: SheetTable, field: str) -> list[str]:
    return [row.text(field) for row in table.rows]


# Roles


def test_rows_that_name_files_are_items(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "登记.xlsx", ["题名", "文件"], ["安康县志", "志/"], ["平利县志", "平利.pdf"]))
    assert table.role is SheetRole.ITEMS
    assert column(table, "files") == ["志/", "平利.pdf"]
    assert [row.number for row in table.rows] == [2, 3]
    assert reading(table) == "登记.xlsx:2 种"


def test_rows_that_repeat_a_title_and_name_images_are_a_page_list(tmp_path: Path) -> None:
    rows = [[n, f"{n:03}.png", f"{n:03}.txt", "舊唐書·地理志", "", f"{n}a", 168, ""] for n in range(1, 5)]
    table = one(xlsx(tmp_path / "清单.xlsx", ["顺序", "影像", "文字", "题名", "卷", "叶", "字数", "备注"], *rows))
    assert table.role is SheetRole.PAGES
    assert column(table, "page-image") == ["001.png", "002.png", "003.png", "004.png"]
    assert column(table, "ye") == ["1a", "2a", "3a", "4a"]
    assert column(table, "page-order") == ["1", "2", "3", "4"]
    assert reading(table) == "清单.xlsx:1 种,4 面"
    assert table.findings == ()


def test_page_list_whose_title_stands_in_the_first_row_only_repeats_it(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "p.xlsx", ["书名", "文件名", "叶"], ["兴安府志", "a.jpg", "1"], ["", "b.jpg", "2"], [None, "c.jpg", "3"]))
    assert table.role is SheetRole.PAGES
    assert column(table, "title") == ["兴安府志"] * 3


def test_photographs_each_with_a_title_of_its_own_are_items(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "p.xlsx", ["序号", "题名", "影像"], [1, "校舍", "a.jpg"], [2, "合影", "b.jpg"]))
    assert table.role is SheetRole.ITEMS
    assert column(table, "files") == ["a.jpg", "b.jpg"]
    assert fields(table)["序号"] == "row-number"


def test_records_that_name_no_files_are_catalogue_only(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "目录.xlsx", ["题名", "责任者"], ["廬山志", "毛德琦"]))
    assert table.role is SheetRole.CATALOGUE
    assert not has_files_column(table)
    empty = one(xlsx(tmp_path / "空列.xlsx", ["题名", "文件"], ["廬山志", None]))
    assert empty.role is SheetRole.CATALOGUE
    assert has_files_column(empty) and not names_files(empty)


@pytest.mark.parametrize(
    "headings",
    [["连队", "姓名", "性别", "身份证号", "电话"], ["名称", "规格型号", "单位", "单价", "金额"], ["Composer", "Label", "Rating", "Issue"]],
    ids=["roster", "inventory", "something else"],
)
def test_a_roster_or_inventory_is_a_document_and_its_rows_stay_unread(tmp_path: Path, headings: list[str]) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", headings, ["甲"] * len(headings)))
    assert table.role is SheetRole.DOCUMENT
    assert table.rows == () and table.columns == ()
    assert codes(table) == ["sheet-document"]


def test_a_registration_among_the_tabs_is_told_from_items(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "登记.xlsx", ["登记号", "2026-017"], ["捐赠人", "王某"], ["接收日期", "2026-03-01"]))
    assert table.role is SheetRole.REGISTRATION


def test_a_notes_tab_is_notes_and_an_empty_tab_nothing(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名"], ["廬山志"])
    book = openpyxl.load_workbook(path)
    book.create_sheet("说明").append(["本表年代照原书抄录，未换算。"])
    book.create_sheet("Sheet3")
    book.save(path)
    items, notes = tables(path)
    assert items.role is SheetRole.CATALOGUE
    assert notes.role is SheetRole.NOTES
    assert notes.title == "本表年代照原书抄录，未换算。"
    assert reading(notes, several=True) == "x.xlsx[说明]:说明,不作著录"


def test_items_that_merely_have_identifiers_of_their_own_and_texts_are_no_page_list(tmp_path: Path) -> None:
    rows = [["c1", "", "Cylinders", ""], ["c1-1", "c1", "Front", "/objects/1.jpg"], ["c1-2", "c1", "Front", "/objects/2.jpg"]]
    table = one(xlsx(tmp_path / "c.xlsx", ["objectid", "parentid", "title", "object_location"], *rows))
    assert table.role is SheetRole.ITEMS
    assert column(table, "parent") == ["", "c1", "c1"]


# Where the headings are


def test_title_lines_blank_rows_and_a_heading_two_rows_deep_are_read_through(tmp_path: Path) -> None:
    table = one(
        xlsx(
            tmp_path / "旧志登记表.xlsx",
            ["××县地方志办公室  旧志登记表（征求意见稿）"],
            [],
            ["序号", "书  名", "纂修者", "成书年代", "存藏地", None, "备注"],
            [None, None, None, None, "馆名", "版本", None],
            [1, "《禹城縣志》", "任宗美/王表", "乾隆五十三年", "國圖", "刻本", None],
            [],
            ["小计", None, None, None, None, None, 1],
            ["9、", "重續鄠縣志", "魯一佐", None, None, None, None],
            merge=("A1:G1", "E3:F3"),
        ),
        "gazetteer",
    )
    assert table.title == "××县地方志办公室 旧志登记表（征求意见稿）"
    assert fields(table)["存藏地/馆名"] == "holder"
    assert fields(table)["存藏地/版本"] == "edition"
    assert column(table, "title") == ["禹城縣志", "重續鄠縣志"]
    assert [row.number for row in table.rows] == [5, 8]
    assert codes(table) == ["subtotal"]
    assert table.findings[0].severity is Severity.NOTE


def test_a_title_line_directly_above_is_no_group_of_headings(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["旧志目录"], ["题名", "责任者"], ["廬山志", "毛德琦"], merge=("A1:B1",)))
    assert list(fields(table)) == ["题名", "责任者"]
    assert table.title == "旧志目录"


def test_a_table_that_starts_far_from_the_corner_keeps_its_rows_and_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["C5"], sheet["D5"], sheet["C6"], sheet["D6"] = "题名", "文件", "廬山志", "a.pdf"
    book.save(tmp_path / "x.xlsx")
    table = one(tmp_path / "x.xlsx")
    cell = table.rows[0].cells["files"]
    assert (cell.text, cell.row, cell.column) == ("a.pdf", 6, 4)


def test_cells_merged_downwards_hold_for_each_row(tmp_path: Path) -> None:
    rows = [["题名", "影像", "叶"], ["安康县志", "1.jpg", "1"], [None, "2.jpg", "2"], ["平利县志", "3.jpg", "1"], [None, "4.jpg", "2"]]
    table = one(xlsx(tmp_path / "x.xlsx", *rows, merge=("A2:A3", "A4:A5")))
    assert column(table, "title") == ["安康县志", "安康县志", "平利县志", "平利县志"]


def test_repeated_headings_group_lines_numbered_blanks_and_foot_lines_are_no_items(tmp_path: Path) -> None:
    head = ["序号", "题名", "责任者"]
    rows = [head, ["一、清代", None, None], [1, "甲志", "张"], head, [2, "乙志", "李"], [3, None, None], [4, None, None], ["制表人：王某"]]
    table = one(xlsx(tmp_path / "x.xlsx", *rows))
    assert column(table, "title") == ["甲志", "乙志"]
    assert sorted(codes(table)) == ["foot-line", "group-line", "heading-again", "numbers-only"]


@pytest.mark.parametrize(
    ("first", "kept"), [("合  计", False), ("小计：", False), ("总计12种", False), ("合计志", True), ("TOTAL", False)], ids=lambda v: str(v)
)
def test_a_subtotal_is_skipped_but_not_a_work_that_sounds_like_one(tmp_path: Path, first: str, kept: bool) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "数量"], ["甲志", 3], [first, 3]))
    assert (len(table.rows) == 2) is kept


# Headings


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("书  名", "title"),
        ("題名", "title"),
        ("題名：", "title"),
        ("＊题名（必填）", "title"),
        ("《书名》", "title"),
        ("题名 / Title", "title"),
        ("題名\nTitle", "title"),
        ("题名/书名", "title"),
        ("ＴＩＴＬＥ", "title"),
        ("dc:title", "title"),
        ("dcterms.creator", "creator"),
        ("DC.Creator", "creator"),
        ("責任者", "creator"),
        ("纂修者[照录]", "creator"),
        ("2.成书年代", "date"),
        ("訪問級別", "access"),
        ("開放日期", "embargo"),
        ("用途 / role", "role"),
        ("專題庫", "collection"),
        ("资料种类", "kind"),
        ("文件 / files", "files"),
    ],
)
def test_a_heading_is_known_however_it_is_written(tmp_path: Path, written: str, field: str) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", [written, "标识号", "题名" if field != "title" else "备注"], ["a", "b", "c"]))
    assert table.columns[0].field == field
    assert not [code for code in codes(table) if code.startswith("heading")]


def test_a_near_miss_is_proposed_once_and_never_taken(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "来源地"], *[[f"志{n}", "安康"] for n in range(30)]))
    (finding,) = table.findings
    assert finding.code == "heading-near"
    assert "“来源”" in finding.message
    assert (finding.row, finding.column, finding.sheet) == (1, 2, "Sheet1")
    assert fields(table)["来源地"] is None
    assert column(table, "source") == [""] * 30


def test_an_unknown_heading_is_reported_and_an_empty_column_is_not(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "责任者", "架位", "保留", ""], ["甲志", "张", "A-3"], ["乙志", "李", "A-4", None, None]))
    assert [(f.code, f.column) for f in table.findings] == [("heading-unknown", 3)]


def test_content_without_a_heading_is_reported(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "责任者", None], ["甲志", "张", "虫蛀"]))
    assert codes(table) == ["heading-missing"]


def test_two_columns_of_one_field_are_reported_unless_the_field_repeats(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "书名", "主题", "subject"], ["甲志", "乙志", "方志", "安康"]))
    assert codes(table) == ["heading-twice"]
    assert table.rows[0].text("title") == "甲志"
    assert table.rows[0].text("subject") == "方志；安康"


def test_the_better_named_identifier_wins_and_the_other_keeps_its_own_field(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["identifier", "objectid", "title"], ["PG9", "demo_001", "Building"]))
    assert table.rows[0].text("identifier") == "demo_001"
    assert table.rows[0].text("alt-identifier") == "PG9"
    assert table.findings == ()


def test_a_heading_of_two_things_is_reported(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "作者/年代"], ["甲志", "张 光绪"]))
    assert codes(table) == ["heading-double"]


def test_another_profile_that_knows_more_of_the_headings_is_proposed(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "钤印", "版本"], ["甲志", "朱文", "刻本"])
    assert codes(one(path)) == ["kind-hint"]
    assert codes(one(path, "gazetteer")) == []
    assert codes(one(xlsx(tmp_path / "y.xlsx", ["题名", "钤印", "资料种类"], ["甲志", "朱文", "方志"]))) == []


# Cells


def test_dates_that_excel_made_are_one_finding_a_column(tmp_path: Path) -> None:
    rows = [[f"志{n}", datetime.date(1917, 5, 1) if n % 2 else "光绪三十一年"] for n in range(40)]
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "年代"], *rows))
    (finding,) = table.findings
    assert (finding.code, finding.severity, finding.row, finding.column) == ("excel-date", Severity.WARNING, 3, 2)
    assert "20" in finding.message and "第 3、5、7、9、11 … 行" in finding.message
    cell = table.rows[1].cells["date"]
    assert cell.excel_date and cell.text == "1917-05-01"
    assert not table.rows[0].cells["date"].excel_date


@pytest.mark.parametrize(
    ("number_format", "text"),
    [('yyyy"年"m"月"', "1917-05"), ("yyyy", "1917"), ('yyyy"年"m"月"d"日"', "1917-05-01"), ("[$-804]yyyy/m/d;@", "1917-05-01")],
)
def test_a_date_cell_is_no_more_precise_than_it_looked(tmp_path: Path, number_format: str, text: str) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "年代"], ["甲志", datetime.date(1917, 5, 1)])
    book = openpyxl.load_workbook(path)
    book.active["B2"].number_format = number_format
    book.save(path)
    table = one(path)
    assert table.rows[0].text("date") == text
    assert codes(table) == ["excel-date"]


def test_the_chinese_date_formats_that_excel_leaves_unnamed_are_dates(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "年代"], ["甲志", datetime.date(1917, 5, 1)])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    # Chinese Excel writes number format 57 (yyyy"年"m"月") without spelling it out.
    parts["xl/styles.xml"] = (
        parts["xl/styles.xml"].replace(b'<xf numFmtId="14"', b'<xf numFmtId="57"').replace(b'<xf numFmtId="164"', b'<xf numFmtId="57"')
    )
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)
    assert b'numFmtId="57"' in parts["xl/styles.xml"]
    table = one(path)
    assert table.rows[0].text("date") == "1917-05"
    assert codes(table) == ["excel-date"]


def test_a_bare_day_number_in_a_date_column_is_a_date_that_excel_made_and_a_year_is_not(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "日期"], ["甲", 25805], ["乙", 1815]))
    assert column(table, "date") == ["1970-08-25", "1815"]
    assert codes(table) == ["excel-date"]


def test_a_month_that_lost_its_zero_is_a_finding(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "日期", "数量"], ["甲", 1970.1, 1970.1], ["乙", "1970.1", 2], ["丙", 1970.8, 2]))
    assert column(table, "date") == ["1970.1", "1970.1", "1970.8"]
    assert [(f.code, f.row, f.column) for f in table.findings] == [("excel-number", 2, 2)]


def test_numbers_keep_the_zeros_that_their_format_shows(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["标识号", "题名"], [12, "甲"], [1970.8, "乙"])
    book = openpyxl.load_workbook(path)
    book.active["A2"].number_format = '"AK-"0000'
    book.save(path)
    assert column(one(path), "identifier") == ["AK-0012", "1970.8"]


def test_stray_blanks_are_trimmed_and_lines_inside_a_note_kept(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "备注"], ["\xa0 安康\n县志\u3000\ufeff", "残 \r\n 虫蛀\u200b"]))
    assert table.rows[0].text("title") == "安康 县志"
    assert table.rows[0].text("remarks") == "残\n虫蛀"


def test_error_values_and_formulas_without_a_value_are_findings(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "责任者", "数量"], ["甲志", "#N/A", "=1+1"])
    book = openpyxl.load_workbook(path)
    book.active["B2"].data_type = "e"
    book.save(path)
    table = one(path)
    assert [(f.code, f.row, f.column) for f in table.findings] == [("cell-error", 2, 2), ("cell-formula", 2, 3)]
    assert set(table.rows[0].cells) == {"title"}


def test_a_formula_with_its_value_gives_the_value(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "数量"], ["甲志", "=1+1"])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)
    table = one(path)
    assert table.rows[0].text("extent") == "2"
    assert table.findings == ()


def test_ditto_marks_are_read_as_the_cell_above(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "责任者"], ["甲志", "张三"], ["乙志", "同上"], ["丙志", "〃"]))
    assert column(table, "creator") == ["张三"] * 3
    assert codes(table) == ["ditto"]


# Files


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8-sig", b""), ("gb18030", b""), ("utf-16", b""), ("utf-16-le", b""), ("utf-16-be", b"\xfe\xff")],
)
def test_encodings_of_text_are_told_apart(tmp_path: Path, encoding: str, mark: bytes) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(mark + "题名\t责任者\r\n鄠縣志\t魯一佐\r\n㐅志\t丁\r\n".encode(encoding))
    table = one(path)
    assert column(table, "title") == ["鄠縣志", "㐅志"]
    assert fields(table) == {"题名": "title", "责任者": "creator"}
    assert table.sheet == "" and table.findings == ()


def test_text_in_no_known_encoding_is_read_with_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("题名,责任者\n甲志,张".encode() + b"\xff\xff\n")
    assert "encoding" in codes(one(path))


@pytest.mark.parametrize(
    "text", ["题名;文件\n甲志;a.jpg, b.jpg\n", "sep=;\n题名;文件\n甲志;a.jpg, b.jpg\n", '题名,文件\n甲志,"a.jpg, b.jpg"\n']
)
def test_delimiters_are_told_apart(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, "utf-8")
    assert column(one(path), "files") == ["a.jpg, b.jpg"]


def test_a_row_with_too_many_cells_is_an_error_and_one_with_too_few_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("题名,责任者,年代\n甲志,张,光绪\n乙志,李,王,光绪\n丙志,赵\n丁志,钱,光绪,,\n", "utf-8")
    found = [(f.severity, f.code, f.row) for f in one(path).findings]
    assert found == [(Severity.ERROR, "row-width", 3), (Severity.WARNING, "row-width", 4)]


def test_quoted_line_breaks_count_as_one_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('题名,备注\n甲志,"残\n虫蛀"\n乙志,\n', "utf-8")
    table = one(path)
    assert [row.number for row in table.rows] == [2, 3]
    assert table.rows[0].text("remarks") == "残\n虫蛀"


@pytest.mark.parametrize("name", ["旧.xls", "金山.et", "其实是.xlsx"])
def test_old_workbooks_are_told_by_content(tmp_path: Path, name: str) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("登记")
    style = xlwt.XFStyle()
    style.num_format_str = "yyyy-mm-dd"
    sheet.write_merge(0, 0, 0, 2, "旧志登记表")
    for column_, text in enumerate(["题名", "文件", "年代"]):
        sheet.write(2, column_, text)
    sheet.write(3, 0, "《甲志》")
    sheet.write(3, 1, "a.pdf")
    sheet.write(3, 2, datetime.date(1917, 5, 1), style)
    book.save(tmp_path / name)
    table = one(tmp_path / name)
    assert (table.role, table.sheet, table.title) == (SheetRole.ITEMS, "登记", "旧志登记表")
    assert {key: cell.text for key, cell in table.rows[0].cells.items()} == {"title": "甲志", "files": "a.pdf", "date": "1917-05-01"}
    assert codes(table) == ["excel-date"]


def test_open_document_spreadsheets(tmp_path: Path) -> None:
    document = OpenDocumentSpreadsheet()
    table_ = Table(name="清单")
    for row in (["题名", "文件"], ["甲志", "a.pdf"]):
        line = TableRow()
        for text in row:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=text))
            line.addElement(cell)
        table_.addElement(line)
    document.spreadsheet.addElement(table_)
    document.save(str(tmp_path / "x.ods"))
    table = one(tmp_path / "x.ods")
    assert (table.role, table.sheet, column(table, "files")) == (SheetRole.ITEMS, "清单", ["a.pdf"])


def test_an_html_table_that_calls_itself_xls(tmp_path: Path) -> None:
    path = tmp_path / "导出.xls"
    page = "<html><meta charset=gbk><table><tr><th>题名</th><th>责任者</th></tr><tr><td>甲&amp;乙志</td><td>张</td></tr></table>"
    path.write_bytes(page.encode("gb18030"))
    assert column(one(path), "title") == ["甲&乙志"]


def test_an_xml_workbook_of_2003(tmp_path: Path) -> None:
    path = tmp_path / "导出.xls"
    rows = (
        '<Row ss:Index="3"><Cell><Data ss:Type="String">题名</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">文件</Data></Cell></Row>'
        '<Row><Cell><Data ss:Type="String">甲志</Data></Cell><Cell/><Cell><Data ss:Type="String">a.pdf</Data></Cell></Row>'
    )
    path.write_text(
        '<?xml version="1.0"?><Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="登记">'
        f"<Table>{rows}</Table></Worksheet></Workbook>",
        "utf-8",
    )
    table = one(path)
    cell = table.rows[0].cells["files"]
    assert (table.sheet, cell.text, cell.row, cell.column) == ("登记", "a.pdf", 4, 3)


def test_a_column_that_a_csv_has_no_heading_for_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("题名,责任者\n" + "".join(f"志{n},张,多\n" for n in range(30)), "utf-8")
    assert [(f.code, f.severity, f.column) for f in one(path).findings] == [("heading-missing", Severity.WARNING, 3)]


def encrypted(path: Path) -> None:
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    with path.open("wb") as stream:
        OOXMLFile(book).encrypt("秘密", stream)


@pytest.mark.parametrize(
    ("make", "code", "severity"),
    [
        (encrypted, "sheet-encrypted", Severity.ERROR),
        (lambda path: path.write_bytes(b"PK\x03\x04 broken"), "sheet-corrupt", Severity.ERROR),
        (lambda path: path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)), "sheet-corrupt", Severity.ERROR),
        (lambda path: path.write_bytes(b""), "sheet-empty", Severity.WARNING),
        (lambda path: openpyxl.Workbook().save(path), "sheet-empty", Severity.WARNING),
    ],
    ids=["password", "broken zip", "broken OLE", "no bytes", "no cells"],
)
def test_what_cannot_be_read_is_a_finding(tmp_path: Path, make, code: str, severity: Severity) -> None:
    path = tmp_path / "x.xlsx"
    make(path)
    table = one(path)
    assert (table.role, table.rows) == (SheetRole.DOCUMENT, ())
    assert [(f.code, f.severity, f.path) for f in table.findings] == [(code, severity, "x.xlsx")]


def test_a_lock_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "~$清单.xlsx"
    path.write_bytes(b"\x05admin" + bytes(150))
    assert codes(one(path)) == ["lock-file"]


def test_a_stray_cell_in_the_last_corner_kills_no_process(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名"], ["甲志"])
    book = openpyxl.load_workbook(path)
    book.active["XFD1048576"] = " "
    book.save(path)
    assert codes(one(path)) == ["sheet-too-large"]


def test_a_workbook_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SECONDS", 0.01)
    assert codes(one(xlsx(tmp_path / "x.xlsx", ["题名"], ["甲志"]))) == ["sheet-timeout"]


def test_a_hidden_tab_is_not_read_and_said_so_only_when_it_describes_things(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名"], ["甲志"])
    book = openpyxl.load_workbook(path)
    for name, row in (("旧表", ["题名", "文件"]), ("词表", ["语种", "公开", "馆内"])):
        hidden = book.create_sheet(name)
        hidden.append(row)
        hidden.sheet_state = "hidden"
    book.save(path)
    _items, table = tables(path)
    assert (table.sheet, table.role, table.rows, codes(table)) == ("旧表", SheetRole.DOCUMENT, (), ["sheet-hidden"])


def test_a_large_csv_is_read_in_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8") as stream:
        stream.write("标识号,题名,责任者,备注\n")
        stream.writelines(f"k{n},志{n},甲乙丙,残\n" for n in range(50_000))
    table = one(path)
    assert len(table.rows) == 50_000
    assert table.rows[-1].number == 50_001


# Personal numbers and language


def test_personal_numbers_are_counted_by_column_and_never_repeated(tmp_path: Path) -> None:
    rows = [["郭某", "610101195309950609", "13955113483"], ["王某", "", "0915-3211234"]]
    table = one(xlsx(tmp_path / "名册.xlsx", ["姓名", "身份证号", "电话"], *rows))
    finding = next(f for f in table.findings if f.code == "personal-numbers")
    assert "身份证号 1 个" in finding.message and "电话号码 2 个" in finding.message
    assert finding.path == "名册.xlsx"
    assert not any(number in f.message for f in table.findings for number in ("610101", "139551", "3211234"))


def test_messages_are_english_when_english_is_in_force(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "来源地", "日期"], ["甲志", "安康", datetime.date(1917, 5, 1)])
    with in_language("en"):
        table = one(path)
        assert reading(table) == "x.xlsx:1 works, no files listed"
    for finding in table.findings:
        words = finding.message.replace("来源", "")
        assert words.isascii() or not any("\u4e00" <= character <= "\u9fff" for character in words)


def test_sheet_names() -> None:
    assert is_sheet_name("a/清单.XLSX") and is_sheet_name("x.et") and is_sheet_name("y.tsv")
    assert not is_sheet_name("a.xlsx/b.txt")


# What the archivist says goes first


def test_the_archivist_can_say_how_a_sheet_is_read(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名", "影像"], ["甲", "1.jpg"], ["乙", "2.jpg"], ["丙", "3.jpg"])

    def read(key: str, role: SheetRole) -> SheetTable:
        return read_tables(given(path), DEFINITIONS, "", {key: role})[0]

    assert one(path).role is SheetRole.ITEMS
    pages = read("x.xlsx", SheetRole.PAGES)
    assert (pages.role, column(pages, "page-image")) == (SheetRole.PAGES, ["1.jpg", "2.jpg", "3.jpg"])
    assert read("x.xlsx[Sheet1]", SheetRole.DOCUMENT).rows == ()
    assert read("x.xlsx", SheetRole.CATALOGUE).role is SheetRole.CATALOGUE
    assert read("y.xlsx", SheetRole.PAGES).role is SheetRole.ITEMS


def test_a_roster_is_described_when_the_archivist_says_so_and_an_unknown_heading_is_an_error(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["名称", "规格", "单位"], ["铁锤", "大", "把"])
    assert one(path).role is SheetRole.DOCUMENT
    (table,) = read_tables(given(path), DEFINITIONS, "", {"x.xlsx": SheetRole.ITEMS})
    assert column(table, "title") == ["铁锤"]
    (table,) = read_tables(given(xlsx(tmp_path / "y.xlsx", ["a", "b"], ["c", "d"])), DEFINITIONS, "", {"y.xlsx": SheetRole.ITEMS})
    assert [(f.code, f.severity) for f in table.findings] == [("sheet-document", Severity.ERROR)]


def test_a_table_without_rows_is_said_to_be_empty(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path / "x.xlsx", ["题名", "文件", "钤印"]))
    assert reading(table) == "x.xlsx:空表"
    assert table.findings == ()


def test_cells_that_are_only_formatted_do_not_make_a_sheet_too_large(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "x.xlsx", ["题名"], ["甲志"])
    book = openpyxl.load_workbook(path)
    book.active["XFD1048576"].font = openpyxl.styles.Font(bold=True)
    book.save(path)
    assert column(one(path), "title") == ["甲志"]
