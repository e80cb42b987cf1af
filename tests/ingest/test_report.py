"""The report of a check or a run: what an archivist gets to see, in each of its forms."""

import datetime
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
import xlwt
from rich.console import Console

from archive.errors import UsageError
from archive.language import in_language
from archive.model.donation import Donation, Finding, Severity
from archive.model.item import Item, Page
from archive.model.profile import Definitions, Field, FieldType, Profile
from ingest.readers.sheet import read_tables
from ingest.report import Counts, counts_of, sections, to_html, to_json, to_terminal, with_findings, write_reports
from ingest.task import Fate, FileFate, GivenFile, ItemDraft, Plan, SheetRole

DEFINITIONS = Definitions(
    profiles={
        "general": Profile(
            "general",
            "通用",
            "General",
            (
                Field("title", "题名", "Title"),
                Field("date", "日期", "Date", FieldType.DATE),
                Field("creator", "责任者", "Creator"),
                Field("source", "来源", "Source"),
            ),
        )
    }
)


def draft(
    title: str, *paths: str, pages: int = 0, sheet: str | None = None, refused: bool = False, findings: tuple[Finding, ...] = ()
) -> ItemDraft:
    images = tuple(Page(f"p{n}", n) for n in range(1, pages + 1))
    item = Item(title, "2026-017", "general", "", title, key=title, pages=images, to_describe=sheet is None)
    return ItemDraft(item, {f"f{n}": path for n, path in enumerate(paths, start=1)}, sheet, refused=refused, findings=findings)


def plan_of(*drafts: ItemDraft, findings: tuple[Finding, ...] = (), **more: object) -> Plan:
    fates = {path: FileFate(Fate.REFUSED if d.refused else Fate.ACCEPTED, d.item.key) for d in drafts for path in d.sources.values()}
    fates["Thumbs.db"] = FileFate(Fate.IGNORED)
    values = {"readings": ("清单.xlsx:1 种,16 面",), "contact": {"phone": "0915-3211234"}} | more
    return Plan(Donation("2026-017", "王某"), drafts, fates, findings, **values)


def fault(path: str | None, message: str, severity: Severity = Severity.WARNING, code: str = "x", **place: object) -> Finding:
    return Finding(severity, code, path or "整批", message, path, **place)


def terminal(plan: Plan, findings: tuple[Finding, ...], **more: object) -> str:
    stream = io.StringIO()
    to_terminal(Console(file=stream, width=80), plan, findings, counts_of(plan), **more)
    return stream.getvalue()


def workbook(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["旧志登记表"], [], ["题名", "日期", "来源地"], ["甲志", datetime.date(1917, 5, 1), "安康"], ["乙志", "光绪", "=1+1"]):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet["A4"].font = openpyxl.styles.Font(name="宋体", italic=True)
    sheet.column_dimensions["A"].width = 33
    book.create_sheet("说明").append(["照录"])
    book.save(path)
    return path


def findings_of(path: Path) -> tuple[Finding, ...]:
    return tuple(f for table in read_tables(GivenFile(path.name, path, 0, 0), DEFINITIONS) for f in table.findings)


# Accounting and JSON


def test_every_file_counts_once() -> None:
    counts = counts_of(plan_of(draft("甲", "a.png", "b.png"), draft("乙", "c.png", refused=True)))
    assert counts.files == {"given": 4, "accepted": 2, "duplicate": 0, "ignored": 1, "refused": 1}
    assert counts.items == {"ingested": 1, "unchanged": 0, "refused": 1}


def test_json_is_the_document_of_the_interface() -> None:
    finding = Finding(Severity.ERROR, "row-width", "a.csv 第 3 行", "错位", "a.csv", None, 3, None)
    plan = plan_of(draft("甲", "a.png"))
    document = json.loads(json.dumps(to_json([finding], counts_of(plan, "2026-017.1", seconds=1.23456))))
    assert list(document) == ["batch", "items", "files", "findings", "seconds"]
    assert document["batch"] == "2026-017.1" and document["seconds"] == 1.235
    assert document["files"]["given"] == sum(document["files"][key] for key in ("accepted", "duplicate", "ignored", "refused"))
    assert document["findings"] == [
        {"severity": "error", "code": "row-width", "where": "a.csv 第 3 行", "message": "错位", "path": "a.csv", "row": 3}
    ]


def test_findings_of_a_plan_and_of_its_drafts_each_once() -> None:
    one, two = fault("a", "一"), fault("b", "二")
    assert with_findings(plan_of(draft("甲", findings=(one, two)), findings=(one,))) == (one, two)


# Grouping


def test_faults_that_differ_in_their_row_only_stand_once() -> None:
    found = sections([fault("a.csv", "太少", code="row-width", row=row) for row in (3, 5, 9)])
    assert [(s.path, [(e.place, e.count) for e in s.entries]) for s in found] == [("a.csv", [("第 3、5、9 行", 3)])]


def test_errors_come_first_and_each_file_has_its_faults_together() -> None:
    found = sections(
        [fault("b", "一", Severity.NOTE), fault("a", "二"), fault("b", "三", Severity.ERROR), fault("b", "四", Severity.ERROR, "y")]
    )
    assert [(s.severity, s.path, len(s.entries)) for s in found] == [
        (Severity.ERROR, "b", 2),
        (Severity.WARNING, "a", 1),
        (Severity.NOTE, "b", 1),
    ]


def test_what_many_files_have_in_common_stands_once_with_all_their_names() -> None:
    found = sections([fault(f"{n}.jpg", "没有著录") for n in range(40)])
    assert len(found) == 1
    assert len(found[0].paths) == 40


# Terminal


def test_terminal_says_readings_then_errors_warnings_notes_totals_and_the_next_step() -> None:
    plan = plan_of(draft("甲", "a.png", pages=16))
    words = terminal(
        plan,
        (fault("b", "提一下", Severity.NOTE), fault("a.xlsx", "改一下", Severity.ERROR), fault("c", "看一下")),
        folder="捐赠甲",
        checked=True,
    )
    order = [
        "捐赠 2026-017 · 王某",
        "清单.xlsx:1 种,16 面",
        "错误 1",
        "a.xlsx",
        "改一下",
        "警告 1",
        "看一下",
        "提示 1",
        "共 16 面",
        "fangzhi ingest check 捐赠甲",
    ]
    positions = [words.index(part) for part in order]
    assert positions == sorted(positions)
    assert "交来 2 = 收下 1 + 重复 0 + 忽略 1 + 退回 0" in words
    assert "3211234" not in words


def test_items_that_no_sheet_names_are_said_to_be_waiting_and_where_their_sheet_is() -> None:
    plan = plan_of(draft("甲", "a.png"), draft("乙", "b.png", sheet="登记.xlsx"))
    assert "有 1 件没有登记：加 --report" in terminal(plan, (), checked=True)
    assert "拟著录.xlsx" in terminal(plan, (), reports=[Path("r/拟著录.xlsx")])
    assert "没有登记" not in terminal(plan_of(draft("乙", "b.png", sheet="登记.xlsx")), ())


def test_no_colours_where_there_is_no_terminal() -> None:
    assert "\x1b" not in terminal(plan_of(), (fault("a", "改", Severity.ERROR),))


def test_a_file_name_cannot_steer_the_terminal() -> None:
    words = terminal(plan_of(), (fault("\x1b[2J\u202egpj.exe [bold]", "改\x07", Severity.ERROR),))
    assert "\x1b" not in words and "\u202e" not in words and "\x07" not in words
    assert "\\u001b[2J\\u202egpj.exe [bold]" in words


# HTML


class Page_(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_html_is_one_page_that_loads_and_runs_nothing() -> None:
    plan = plan_of(draft("<script>alert(1)</script>", "a.png"))
    page = to_html(plan, [fault("<img src=x onerror=1>", "“&”<b>", Severity.ERROR)], counts_of(plan))
    tags = Page_(page).tags
    assert not {tag for tag, _attrs in tags} & {"script", "img", "link", "iframe", "b"}
    assert not [attrs for _tag, attrs in tags if {"src", "href", "onerror"} & attrs.keys()]
    assert "url(" not in page and "@import" not in page
    assert "&lt;img src=x onerror=1&gt;" in page
    assert '<html lang="zh-Hans">' in page and "3211234" not in page


def test_html_filters_without_a_script_and_prints_without_the_filter() -> None:
    plan = plan_of()
    page = to_html(plan, [fault("a", "改", Severity.ERROR), fault("b", "看")], counts_of(plan))
    radios = [attrs["id"] for tag, attrs in Page_(page).tags if tag == "input"]
    assert radios == ["show-all", "show-error", "show-warning", "show-note"]
    assert re.search(r"@media print \{.*fieldset \{ display: none; \}", page)


def test_html_in_english() -> None:
    plan = plan_of(draft("甲", "a.png"))
    with in_language("en"):
        page = to_html(plan, [fault("a", "broken", Severity.ERROR)], counts_of(plan))
    assert '<html lang="en">' in page and "Report of the check" in page and "核查报告" not in page


# Workbooks


def copy_of(folder: Path, path: Path, findings: tuple[Finding, ...]) -> openpyxl.Workbook:
    written = write_reports(folder, plan_of(), findings, Counts(), {path.name: path})
    (copy,) = [p for p in written if p.suffix == ".xlsx"]
    return openpyxl.load_workbook(copy)


def test_the_archivists_own_workbook_comes_back_with_faulty_cells_coloured_and_remarks(tmp_path: Path) -> None:
    path = workbook(tmp_path / "登记.xlsx")
    before = path.read_bytes()
    findings = (*findings_of(path), Finding(Severity.ERROR, "no-file", "登记.xlsx 第 5 行", "=没有这个文件", "登记.xlsx", "Sheet", 5, 1))
    book = copy_of(tmp_path / "报告", path, findings)
    sheet = book["Sheet"]
    assert sheet["D3"].value.startswith("核查意见") and "来源" in sheet["D3"].value
    assert "改成了日期" in sheet["D4"].value and sheet["D4"].value.startswith("[警告] B: ")
    assert sheet["D5"].value == "[错误] A: =没有这个文件"
    assert sheet["B4"].fill.start_color.rgb.endswith("FFEB9C")
    assert sheet["A5"].fill.start_color.rgb.endswith("FFC7CE")
    assert sheet["A4"].fill.fill_type is None
    assert (sheet["A4"].font.name, sheet["A4"].font.italic) == ("宋体", True)
    assert sheet.column_dimensions["A"].width == 33
    assert [str(area) for area in sheet.merged_cells.ranges] == ["A1:C1"]
    assert sheet["C5"].value == "=1+1"
    assert book["说明"]["A1"].value == "照录"
    assert path.read_bytes() == before


def test_a_marked_copy_can_be_handed_in_again(tmp_path: Path) -> None:
    path = workbook(tmp_path / "登记.xlsx")
    findings = findings_of(path)
    write_reports(tmp_path / "r", plan_of(), findings, Counts(), {path.name: path})
    copy = tmp_path / "r" / "核查" / "登记.xlsx"
    first, _notes = read_tables(GivenFile("登记.xlsx", path, 0, 0), DEFINITIONS)
    again, _notes = read_tables(GivenFile("登记.xlsx", copy, 0, 0), DEFINITIONS)
    assert [row.cells["title"].text for row in again.rows] == [row.cells["title"].text for row in first.rows]
    assert [f.code for f in again.findings] == [f.code for f in first.findings]


def test_every_date_that_excel_made_is_coloured(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["题名", "日期"], ["甲", datetime.date(1917, 5, 1)], ["乙", "光绪"], ["丙", datetime.date(1918, 5, 1)]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    sheet = copy_of(tmp_path / "r", tmp_path / "x.xlsx", findings_of(tmp_path / "x.xlsx")).active
    assert [sheet.cell(row, 2).fill.fill_type for row in (2, 3, 4)] == ["solid", None, "solid"]


def test_a_workbook_with_a_whole_sheet_merged_is_written_anew_at_once(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx")
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b'ref="A1:C1"', b'ref="A6:XFD1048576"')
    with zipfile.ZipFile(path, "w") as new:
        for part, data in parts.items():
            new.writestr(part, data)
    assert b"XFD1048576" in parts[name]
    copy = copy_of(tmp_path / "r", path, findings_of(path))
    assert copy["Sheet"]["A4"].value == "甲志"


def test_other_kinds_come_back_as_xlsx_and_nothing_in_them_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "登记.csv"
    path.write_bytes("题名,责任者\n=cmd|' /C calc'!A0,+1\n甲志,张,多一格\n".encode("gb18030"))
    findings = findings_of(path)
    assert [f.code for f in findings] == ["row-width"]
    book = copy_of(tmp_path / "r", path, findings)
    sheet = book.active
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=cmd|' /C calc'!A0", "s")
    assert sheet["D3"].value.startswith("[错误] ")
    assert sheet["D1"].value == "核查意见"
    assert (tmp_path / "r" / "核查" / "登记.csv.xlsx").is_file()


def test_an_old_xls_keeps_its_row_numbers(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("登记")
    for row, cells in {0: ["旧志"], 3: ["题名", "架位"], 5: ["甲志", "A-1"]}.items():
        for column, text in enumerate(cells):
            sheet.write(row, column, text)
    book.save(tmp_path / "x.xls")
    copy = copy_of(tmp_path / "r", tmp_path / "x.xls", findings_of(tmp_path / "x.xls"))
    assert copy["登记"]["A6"].value == "甲志"
    assert copy["登记"]["B4"].fill.fill_type == "solid"
    assert copy["登记"]["C4"].value.startswith("核查意见\n【[警告] B: ")


def test_a_roster_with_nothing_but_a_count_of_numbers_is_not_copied_about(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["姓名", "性别", "电话"], ["郭某", "男", "13955113483"]):
        book.active.append(row)
    book.save(tmp_path / "名册.xlsx")
    findings = findings_of(tmp_path / "名册.xlsx")
    assert "personal-numbers" in [f.code for f in findings]
    written = write_reports(tmp_path / "r", plan_of(), findings, Counts(), {"名册.xlsx": tmp_path / "名册.xlsx"})
    assert sorted(path.name for path in written) == ["report.json", "报告.html"]
    assert not any(b"13955113483" in path.read_bytes() for path in written)


def test_a_report_never_falls_on_the_donors_own_file(tmp_path: Path) -> None:
    folder = tmp_path / "捐赠"
    (folder / "核查").mkdir(parents=True)
    path = workbook(folder / "核查" / "登记.xlsx")
    finding = Finding(Severity.ERROR, "x", "登记.xlsx", "坏", "登记.xlsx", "Sheet", 4, 1)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="--report"):
        write_reports(folder, plan_of(), (finding,), Counts(), {"登记.xlsx": path})
    assert path.read_bytes() == before


def test_a_path_with_dots_stays_inside_the_report(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx")
    finding = Finding(Severity.ERROR, "x", "x", "坏", "../../a.zip/x.xlsx", "Sheet", 4, 1)
    written = write_reports(tmp_path / "deep" / "r", plan_of(), (finding,), Counts(), {"../../a.zip/x.xlsx": path})
    assert all(p.resolve().is_relative_to(tmp_path / "deep" / "r") for p in written)
    assert (tmp_path / "deep" / "r" / "核查" / "a.zip" / "x.xlsx").is_file()


def test_items_that_no_sheet_names_are_proposed_as_a_sheet_that_reads_back(tmp_path: Path) -> None:
    plan = plan_of(
        draft("[四庫總目]", "四庫/001.png", "四庫/002.png"),
        draft("校舍", "照片/校舍正面.jpg", "照片/校舍背面.jpg"),
        draft("=合影", "照片/合影.jpg"),
        draft("有表的", "x.pdf", sheet="登记.xlsx"),
    )
    written = write_reports(tmp_path, plan, (), counts_of(plan), {})
    (proposed,) = [path for path in written if path.suffix == ".xlsx"]
    (table,) = read_tables(GivenFile(proposed.name, proposed, 0, 0), DEFINITIONS)
    assert table.role is SheetRole.ITEMS
    assert table.findings == ()
    assert {row.text("title"): row.text("files") for row in table.rows} == {
        "[四庫總目]": "四庫/",
        "校舍": "照片/校舍正面.jpg;照片/校舍背面.jpg",
        "=合影": "照片/合影.jpg",
    }
