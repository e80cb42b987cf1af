"""What a check or a run found, for an archivist: on the terminal, as JSON, as one HTML page, and in copies of her own workbooks.

First how each sheet was read, then what she must mend, what she should look at, what is merely said; then the totals and the next step.
The donor's contact (`Plan.contact`) is in none of them. Names of files come from strangers: they are shown without control characters
on the terminal, escaped in HTML, and as text, never as a formula, in a workbook.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import openpyxl
from jinja2 import Environment, PackageLoader
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet
from rich.console import Console
from rich.text import Text

from archive.errors import UsageError
from archive.language import _, current
from archive.model.donation import Finding, Severity
from ingest.accounting import Counts as Counts
from ingest.accounting import to_json as to_json
from ingest.readers.sheet import is_sheet_name, letters, row_list
from ingest.readers.workbook import RawRow, RawSheet, Unreadable, read_workbook
from ingest.task import Fate, ItemDraft, Plan

SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
MAX_ITEMS_SHOWN = 2_000
MAX_UNPACKED = 64 << 20
"""Bytes of XML in a .xlsx up to which the archivist's own file is edited; beyond, its values are written anew (openpyxl takes 50 times that)."""
MAX_MERGED = 200_000
"""Cells in merged areas up to which openpyxl is let at a workbook: it makes an object of each, and a merged A:XFD has seventeen thousand million."""

_FILLS = {Severity.ERROR: "FFC7CE", Severity.WARNING: "FFEB9C", Severity.NOTE: "DDEBF7"}
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def counts_of(plan: Plan, batch: str = "", unchanged: int = 0, seconds: float = 0.0) -> Counts:
    """The accounting that follows from a plan; `unchanged` items are those that the archive already holds as they are."""
    fates = Counter(fate.fate for fate in plan.fates.values())
    refused = sum(1 for draft in plan.drafts if draft.refused)
    items = {"ingested": len(plan.drafts) - refused - unchanged, "unchanged": unchanged, "refused": refused}
    return Counts(batch, items, {"given": fates.total()} | {fate.value: fates[fate] for fate in Fate}, seconds)


def severity_words(severity: Severity) -> str:
    """错误, 警告 or 提示."""
    return {Severity.ERROR: _("错误"), Severity.WARNING: _("警告"), Severity.NOTE: _("提示")}[severity]


# Grouping


@dataclass(frozen=True, slots=True)
class Entry:
    """Findings that say the same, once: where in words, what, how many."""

    severity: Severity
    code: str
    place: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """The entries of one severity about one file; `path` empty for the donation as a whole, or several files of which all say the same."""

    severity: Severity
    path: str
    entries: tuple[Entry, ...]
    paths: tuple[str, ...] = ()


def sections(findings: Iterable[Finding]) -> tuple[Section, ...]:
    """All findings: errors, warnings, notes; in each by file in the order given; what four files or more have in common stands once."""
    entries: dict[tuple[Severity, str], list[Entry]] = defaultdict(list)
    for group in _same(findings):
        first = group[0]
        entries[first.severity, first.path or ""].append(Entry(first.severity, first.code, _place(group), first.message, len(group)))
    found: list[Section] = []
    for severity in SEVERITIES:
        of_severity = {path: tuple(said) for (this, path), said in entries.items() if this is severity}
        alike: dict[tuple[tuple[str, str, str], ...], list[str]] = defaultdict(list)
        for path, said in of_severity.items():
            alike[tuple((entry.code, entry.place, entry.message) for entry in said) if path else ()].append(path)
        for paths in alike.values():
            if len(paths) > 3:
                found.append(Section(severity, "", of_severity[paths[0]], tuple(paths)))
            else:
                found += [Section(severity, path, of_severity[path]) for path in paths]
    return tuple(found)


def _same(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one file and tab that differ in their row or column only."""
    groups: dict[tuple[Any, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        where = "" if finding.path else finding.where
        groups[finding.severity, finding.path, finding.code, finding.sheet, finding.message, where].append(finding)
    return list(groups.values())


def _place(group: Sequence[Finding]) -> str:
    """Where inside its file a finding stands: tab, rows, and the words of `where` that name the columns."""
    first = group[0]
    if not first.path:
        return first.where
    rest = first.where.removeprefix(first.path).strip()
    if len(group) == 1 or first.row is None:
        return rest
    rows = row_list(list(dict.fromkeys(finding.row for finding in group if finding.row is not None)), 10)
    columns = dict.fromkeys(_column_words(finding) for finding in group if finding.column)
    return " ".join(filter(None, [first.sheet, rows, _("、").join(columns)]))


def _column_words(finding: Finding) -> str:
    """The heading that `where` ends in, else the letters of the column."""
    start = " ".join(filter(None, [finding.path, finding.sheet, _("第 %(row)d 行", row=finding.row) if finding.row else ""]))
    words = finding.where.removeprefix(start).strip() if finding.where.startswith(start) else ""
    return words or _("第 %(column)s 列", column=letters(finding.column or 1))


# Terminal


def printable(text: str) -> str:
    """`text` without anything that could steer a terminal or turn the line around: such characters as \\u001b."""
    return "".join(
        c if c in "\n " or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") else f"\\u{ord(c):04x}" for c in text
    )


def to_terminal(
    console: Console,
    plan: Plan,
    findings: Sequence[Finding],
    counts: Counts,
    *,
    folder: str = "",
    checked: bool = False,
    reports: Sequence[Path] = (),
) -> None:
    """Print the whole report. `checked`: nothing was written, `run` is the next step; `reports`: what `write_reports` wrote."""

    def line(text: str, style: str = "", indent: int = 0) -> None:
        console.print(Text(" " * indent + printable(text), style=style), soft_wrap=True)

    line(headline(plan, counts), "bold")
    if plan.readings:
        line(_("怎样读的"), "bold")
        for words in plan.readings:
            line(words, indent=2)
    for severity in SEVERITIES:
        of_severity = [section for section in sections(findings) if section.severity is severity]
        if not of_severity:
            continue
        line(f"{severity_words(severity)} {sum(1 for f in findings if f.severity is severity)}", _STYLES[severity])
        for section in of_severity:
            line(_section_name(section), indent=2)
            for entry in section.entries:
                line(": ".join(filter(None, [entry.place, entry.message])), _STYLES[severity], indent=4)
    for words in totals(plan, counts, findings):
        line(words, "bold")
    for path in reports:
        line(str(path), indent=2)
    for words in next_steps(plan, findings, folder, checked, bool(reports)):
        line(words)


def _section_name(section: Section) -> str:
    if not section.paths:
        return section.path or _("整批")
    return _("%(count)d 个文件：%(first)s …", count=len(section.paths), first=_("、").join(section.paths[:3]))


def headline(plan: Plan, counts: Counts) -> str:
    """Whose donation this is."""
    donation = plan.donation
    words = [_("捐赠 %(accession)s", accession=donation.accession), donation.donor, donation.received]
    if counts.batch:
        words.append(_("批次 %(batch)s", batch=counts.batch))
    return " · ".join(filter(None, words))


def totals(plan: Plan, counts: Counts, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Items, files and findings in numbers."""
    items, files = counts.items, counts.files
    images = sum(len(draft.item.pages) for draft in plan.drafts if not draft.refused)
    severities = Counter(finding.severity for finding in findings)
    return (
        _(
            "件：入藏 %(ingested)d，未变 %(unchanged)d，退回 %(refused)d；共 %(images)d 面",
            **{key: items.get(key, 0) for key in ("ingested", "unchanged", "refused")},
            images=images,
        ),
        _(
            "文件：交来 %(given)d = 收下 %(accepted)d + 重复 %(duplicate)d + 忽略 %(ignored)d + 退回 %(refused)d",
            **{key: files.get(key, 0) for key in ("given", "accepted", "duplicate", "ignored", "refused")},
        ),
        _(
            "错误 %(errors)d，警告 %(warnings)d，提示 %(notes)d；用时 %(seconds).1f 秒",
            errors=severities[Severity.ERROR],
            warnings=severities[Severity.WARNING],
            notes=severities[Severity.NOTE],
            seconds=counts.seconds,
        ),
    )


def next_steps(plan: Plan, findings: Sequence[Finding], folder: str, checked: bool, reported: bool) -> tuple[str, ...]:
    """What the archivist does now, in order."""
    steps = []
    errors = sum(1 for finding in findings if finding.severity is Severity.ERROR)
    name = folder or _("捐赠文件夹")
    if errors:
        steps.append(_("请改正 %(count)d 处错误，再检查一遍：fangzhi ingest check %(folder)s", count=errors, folder=name))
        if not reported:
            steps.append(_("加 --report 目录 可得到标出问题的原表副本和可打印的报告。"))
    elif any(finding.severity is Severity.WARNING for finding in findings):
        steps.append(_("没有错误。请看一遍警告。"))
    waiting = sum(1 for draft in plan.drafts if draft.sheet is None and not draft.refused)
    if waiting and reported:
        steps.append(_("有 %(count)d 件没有登记：可填好报告里的“拟著录.xlsx”，放进捐赠文件夹，再运行一次。", count=waiting))
    elif waiting:
        steps.append(_("有 %(count)d 件没有登记：加 --report 目录 可得到一份拟好的登记表。", count=waiting))
    if checked:
        steps.append(_("入库：fangzhi ingest run %(folder)s（有错误的件会退回，其余照常入库）", folder=name))
    return tuple(steps)


# Files of a report


def write_reports(
    folder: Path,
    plan: Plan,
    findings: Sequence[Finding],
    counts: Counts,
    locations: Mapping[str, Path],
    *,
    name: str = "",
    checked: bool = False,
) -> tuple[Path, ...]:
    """Write the HTML page, the JSON, a marked copy of each sheet with findings, and the proposed items as a sheet; gives what was written.

    `locations`: where the bytes of a path inside the donation can be read; `name`: the donation's folder as the archivist calls it.
    Raises UsageError when a file of the report would fall on one of the donation's own.
    """
    own = {location.resolve() for location in locations.values()}
    written: list[Path] = []

    def place(relative: str) -> Path:
        target = _free(folder / relative, written)
        if target.resolve() in own or target.is_symlink():
            raise UsageError(_("%(path)s 是捐赠里的文件，不能写在上面。请换一个 --report 目录。", path=str(target)))
        target.parent.mkdir(parents=True, exist_ok=True)
        written.append(target)
        return target

    page = to_html(plan, findings, counts, name=name, checked=checked)
    place(_("报告.html")).write_text(page, "utf-8")
    document = json.dumps(to_json(findings, counts), ensure_ascii=False, indent=1)
    place("report.json").write_text(document + "\n", "utf-8")
    for path, group in _located(findings).items():
        if path in locations and is_sheet_name(path):
            _mark_copy(locations[path], path, group, place)
    proposed = [draft for draft in plan.drafts if draft.sheet is None and not draft.refused]
    if proposed:
        _propose(proposed, plan).save(place(_("拟著录.xlsx")))
    return tuple(written)


def _free(path: Path, taken: Sequence[Path]) -> Path:
    number = 1
    free = path
    while free in taken:
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def to_html(plan: Plan, findings: Sequence[Finding], counts: Counts, *, name: str = "", checked: bool = False) -> str:
    """One page that loads nothing, prints well and filters by severity without a script."""
    environment = Environment(loader=PackageLoader("ingest"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    drafts = plan.drafts[:MAX_ITEMS_SHOWN]
    return environment.get_template("report.html").render(
        _=_,
        language=current(),
        headline=headline(plan, counts),
        name=name,
        plan=plan,
        sections=sections(findings),
        severities=[(severity, severity_words(severity), sum(1 for f in findings if f.severity is severity)) for severity in SEVERITIES],
        totals=totals(plan, counts, findings),
        steps=next_steps(plan, findings, name, checked, True),
        drafts=drafts,
        more=len(plan.drafts) - len(drafts),
    )


# Marked copies


def _located(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by file, of the files that have at least one with a row. A roster with nothing but a count of numbers is not copied about."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.path:
            groups[finding.path].append(finding)
    return {path: group for path, group in groups.items() if any(finding.row is not None for finding in group)}


def _mark_copy(location: Path, path: str, findings: Sequence[Finding], place: Any) -> None:
    """Write the archivist's own workbook with faulty cells coloured and a column 核查意见 at the right of each row."""
    try:
        sheets = read_workbook(location)
    except Unreadable:
        return
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..")]
    suffix = os.path.splitext(path)[1].casefold()  # noqa: PTH122
    relative = _("核查") + "/" + "/".join(parts)
    marks = [_Marks(sheet, [f for f in findings if (f.sheet or "") == sheet.name or not f.sheet]) for sheet in sheets]
    if suffix in (".xlsx", ".xlsm") and _is_small(location) and sum(map(_merged_cells, sheets)) < MAX_MERGED:
        try:
            book = openpyxl.load_workbook(location, keep_vba=suffix == ".xlsm")
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile):
            pass  # what openpyxl cannot take is written anew from its values
        else:
            for mark in marks:
                if mark.sheet.name in book.sheetnames and isinstance(book[mark.sheet.name], Worksheet):
                    mark.into(book[mark.sheet.name])
            book.save(place(relative))
            return
    book = openpyxl.Workbook(write_only=True)
    for mark in marks:
        mark.anew(book.create_sheet(re.sub(r"[\[\]:*?/\\]", "_", mark.sheet.name)[:31] or _("表")))
    book.save(place(relative if suffix == ".xlsx" else relative + ".xlsx"))


def _merged_cells(sheet: RawSheet) -> int:
    return sum((bottom - top + 1) * (right - left + 1) for top, left, bottom, right in sheet.merged)


def _is_small(location: Path) -> bool:
    try:
        with zipfile.ZipFile(location) as archive:
            return sum(info.file_size for info in archive.infolist()) <= MAX_UNPACKED
    except (OSError, zipfile.BadZipFile):
        return False


class _Marks:
    """What is to be coloured and said in one tab. The column of remarks stands beyond the last one that has anything in it."""

    def __init__(self, sheet: RawSheet, findings: Sequence[Finding]) -> None:
        self.sheet = sheet
        self.cells: dict[tuple[int, int], Severity] = {}
        self.remarks: dict[int, list[Finding]] = defaultdict(list)
        widths = [max((i for i, text in enumerate(row.texts, start=1) if text), default=0) for row in sheet.rows]
        self.column = max(widths, default=0) + 1
        heading_rows = [finding.row for finding in findings if finding.row and finding.code.startswith("heading-") and finding.column]
        several = (row.number for row in sheet.rows if sum(map(bool, row.texts)) > 1)
        self.heading = min(heading_rows) if heading_rows else next(several, 1)
        for finding in findings:
            self._take(finding)

    def _take(self, finding: Finding) -> None:
        self.remarks[finding.row or self.heading].append(finding)
        if not finding.row or not finding.column:
            return
        rows = [finding.row]
        if finding.code == "excel-date":
            rows += [row.number for row in self.sheet.rows if row.marks.get(finding.column) == "date"]
        for row in rows:
            before = self.cells.get((row, finding.column), Severity.NOTE)
            self.cells[row, finding.column] = min(before, finding.severity, key=SEVERITIES.index)

    def remark(self, row: int) -> tuple[str, Severity] | None:
        """The words of the last column in a row, and the gravest severity. The heading row's name stays readable as a heading (【】)."""
        found = self.remarks.get(row, [])
        words = [f"[{severity_words(f.severity)}] {self._label(f)}{f.message}" for f in found]
        gravest = min((f.severity for f in found), key=SEVERITIES.index, default=Severity.NOTE)
        if row == self.heading:
            inner = "\n".join(words).replace("【", "[").replace("】", "]")
            return _("核查意见") + (f"\n【{inner}】" if inner else ""), gravest
        return ("\n".join(words), gravest) if words else None

    def _label(self, finding: Finding) -> str:
        return f"{letters(finding.column)}: " if finding.column else ""

    def into(self, sheet: Worksheet) -> None:
        """Mark a sheet of the archivist's own workbook."""
        for (row, column), severity in self.cells.items():
            sheet.cell(row, column).fill = _fill(severity)
        for row in {self.heading, *self.remarks}:
            remark = self.remark(row)
            cell = sheet.cell(row, self.column)
            if remark and isinstance(cell, Cell):
                _write(cell, *remark)
        sheet.column_dimensions[letters(self.column)].width = 60

    def anew(self, sheet: Any) -> None:
        """Write the tab anew into a write-only sheet, each value as text."""
        sheet.column_dimensions[letters(self.column)].width = 60
        by_number = {row.number: row for row in self.sheet.rows}
        last = max([self.heading, *by_number, *self.remarks])
        for number in range(1, last + 1):
            sheet.append(list(self._line(sheet, by_number.get(number, RawRow(number, [])))))

    def _line(self, sheet: Any, row: RawRow) -> Iterator[Any]:
        for column in range(1, self.column):
            cell = WriteOnlyCell(sheet)
            _set_text(cell, row.texts[column - 1] if column <= len(row.texts) else "")
            if (row.number, column) in self.cells:
                cell.fill = _fill(self.cells[row.number, column])
            yield cell
        remark = self.remark(row.number)
        if remark:
            cell = WriteOnlyCell(sheet)
            _write(cell, *remark)
            yield cell


def _fill(severity: Severity) -> PatternFill:
    return PatternFill("solid", start_color=_FILLS[severity], end_color=_FILLS[severity])


def _write(cell: Any, text: str, severity: Severity) -> None:
    _set_text(cell, text)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.fill = _fill(severity)
    cell.font = Font(bold=severity is Severity.ERROR)


def _set_text(cell: Any, text: str) -> None:
    """Put `text` into a cell as text: never a formula, whatever it begins with."""
    text = _UNPRINTABLE.sub("�", text)[:32_000]
    if text:
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = text[0] in "=+-@\t\r"


# Proposed items


def _propose(drafts: Sequence[ItemDraft], plan: Plan) -> openpyxl.Workbook:
    """The items that no sheet names as a sheet to fill in and lay into the donation's folder."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _("拟著录")
    headings = ["题名 Title", "文件 Files", "资料种类 Kind", "日期 Date", "责任者 Creator", "备注 Remarks"]
    for column, heading in enumerate(headings, start=1):
        cell = sheet.cell(1, column, heading)
        cell.font = Font(bold=True)
    holders = _holders(plan)
    for row, draft in enumerate(drafts, start=2):
        written = draft.item.date.written if draft.item.date else ""
        for column, text in enumerate([draft.item.title, _files(draft, holders), draft.item.kind, written], start=1):
            _set_text(sheet.cell(row, column), text)
    for letter, width in (("A", 40), ("B", 60), ("C", 14), ("D", 18), ("E", 18), ("F", 30)):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    return book


def _holders(plan: Plan) -> dict[str, set[str | None]]:
    """For each folder of the donation, the keys of the items to which the files in it (at any depth) went."""
    holders: dict[str, set[str | None]] = defaultdict(set)
    for path, fate in plan.fates.items():
        if fate.fate is not Fate.IGNORED:
            for parent in PurePosixPath(path).parents:
                holders[str(parent)].add(fate.item)
    return holders


def _files(draft: ItemDraft, holders: Mapping[str, set[str | None]]) -> str:
    """The files of an item as a sheet names them: the folder that holds all of them and nothing else, else one by one."""
    paths = sorted(set(draft.sources.values()))
    if len(paths) > 1:
        common = os.path.commonpath(paths)
        if common and holders.get(common) == {draft.item.key}:
            return f"{common}/"
    return ";".join(paths)


def with_findings(plan: Plan) -> tuple[Finding, ...]:
    """All findings of a plan: its own and its drafts', each once, in order."""
    everything = [*plan.findings, *(finding for draft in plan.drafts for finding in draft.findings)]
    return tuple({dataclasses.astuple(finding): finding for finding in everything}.values())
