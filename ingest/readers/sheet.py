"""The donor's sheets to tables: where the headings are, which field a column is, which rows are things, how the whole is to be read.

A table is told by its headings, not by its place or name. Nothing is guessed: a heading that is not listed is reported once, with what it
may have meant. Which files belong to which row is the work of the stages.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archive.language import _
from archive.model.donation import Finding, Severity
from archive.model.profile import Definitions, FieldType
from ingest.readers.headings import (
    FOLIO,
    IGNORED,
    IMAGE,
    Headings,
    Match,
    is_inventory_word,
    is_remarks,
    is_roster_word,
    personal_kind,
    plain,
    profile_names,
    spellings,
)
from ingest.readers.personal import ID, MOBILE, personal_finding, personal_numbers
from ingest.readers.registration import is_registration_sheet
from ingest.readers.workbook import SUFFIXES, RawRow, RawSheet, Unreadable, read_workbook
from ingest.task import GivenFile, SheetCell, SheetColumn, SheetRole, SheetRow, SheetTable

DEFAULT_KIND = "general"
SEARCHED_ROWS = 40
"""Rows from the top among which the headings are looked for."""

_NOTES_NAME = re.compile(r"说明|須知|须知|填表|填写|備註|备注|附注|read\s?me|notes?|instructions?", re.IGNORECASE)
_SUBTOTAL = re.compile(
    r"(以上|本页|本頁|全部|合计)?(小计|小計|合计|合計|总计|總計|共计|共計|累计|累計|总数|總數|subtotal|total)[:：]?[\d,，.]*\s*[种種册冊件叶葉页頁张張卷份部个個]?",
    re.IGNORECASE,
)
_FOOT = re.compile(
    r"(注|註|备注|備註|说明|說明|制表|製表|填表|审核|審核|登记人|登記人|经手人|經手人)[人者日期时间]*\s*[:：]|共\s*\d+\s*[种種册冊件页頁]$"
)
_DITTO = frozenset({"同上", "同前", "〃", "″", "''", "”", '"', "々"})
_IMAGE_NAME = re.compile(r"\.(jpe?g|png|tiff?|jp2|jpx|gif|bmp|webp|heic|pdg|j2k)$", re.IGNORECASE)
_SERIAL = re.compile(r"[1-6]\d{4}")


def is_sheet_name(path: str) -> bool:
    """True for a file whose ending says that it is a sheet."""
    return path.casefold().endswith(SUFFIXES)


def has_files_column(table: SheetTable) -> bool:
    """True when the table has a column that names files, filled or not."""
    return any(column.field in IMAGE for column in table.columns)


def names_files(table: SheetTable) -> bool:
    """True when some row of the table names files."""
    return any(row.text("files") or row.text("page-image") for row in table.rows)


def read_tables(
    file: GivenFile, definitions: Definitions, kind: str = "", roles: Mapping[str, SheetRole] | None = None
) -> tuple[SheetTable, ...]:
    """All tables of a sheet file, findings in them. `kind`: the profile that `[defaults]` names, asked first for the meaning of a heading;
    `roles`: how the archivist wants sheets read (`Registration.sheets`), which goes before what the headings tell.

    A file that cannot be read gives one table of role DOCUMENT with the finding. A roster's or an inventory's rows are not handed on.
    Rows with a finding of severity ERROR (by `row`) are in `rows` and must be refused by the caller.
    """
    name = file.path.rpartition("/")[2]
    if name.startswith("~$"):
        message = _("是办公软件打开表格时留下的锁文件，不是表格。原表若正打开着，请关闭保存后再拷。")
        return (_unread(file.path, Severity.NOTE, "lock-file", message),)
    if file.location is None:
        return ()
    try:
        sheets = read_workbook(file.location)
    except Unreadable as error:
        severity = Severity.WARNING if error.code == "sheet-empty" else Severity.ERROR
        return (_unread(file.path, severity, error.code, error.message),)
    personal: Counter[str] = Counter()
    told = _Told(definitions, kind, roles or {})
    found_tables = (_read(file.path, sheet, told, personal) for sheet in sheets if sheet.rows)
    tables = [table for table in found_tables if table is not None]
    if not tables:
        return (_unread(file.path, Severity.WARNING, "sheet-empty", _("没有内容：各工作表都是空的。")),)
    found = personal_finding(file.path, personal)
    if found:
        tables[0] = replace(tables[0], findings=(*tables[0].findings, found))
    return tuple(tables)


def reading(table: SheetTable, several: bool = False) -> str:
    """How a table was read, in words for the top of a report: `清单.xlsx:1 种,16 面`. `several`: the tab is named too."""
    place = f"{table.path}[{table.sheet}]" if several and table.sheet else table.path
    rows = len(table.rows)
    if not rows and table.columns:
        words = _("空表")
    elif table.role is SheetRole.PAGES:
        works = len({row.text("title") or row.text("parent") for row in table.rows})
        words = _("%(works)d 种,%(rows)d 面", works=works, rows=rows)
    elif table.role is SheetRole.ITEMS:
        words = _("%(rows)d 种", rows=rows)
    elif table.role is SheetRole.CATALOGUE:
        words = _("%(rows)d 种,未列文件", rows=rows)
    elif table.role is SheetRole.REGISTRATION:
        words = _("捐赠登记")
    elif table.role is SheetRole.NOTES:
        words = _("说明,不作著录")
    else:
        words = _("作为文件收下,不作著录")
    return f"{place}:{words}"


def _unread(path: str, severity: Severity, code: str, message: str) -> SheetTable:
    return SheetTable(path, "", SheetRole.DOCUMENT, findings=(Finding(severity, code, path, message, path=path),))


# One tab


@dataclass(frozen=True, slots=True)
class _Heading:
    """The heading of a table: indexes of its first and last row among the raw rows, a label for each column, the group above it."""

    first: int
    last: int
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    score: int

    def written(self, index: int) -> str:
        group, label = self.groups[index], self.labels[index]
        return f"{group}/{label}" if group and label and group != label else label or group

    @property
    def worth(self) -> tuple[int, bool]:
        """For comparing: known names, and one row rather than two, so that a title line above is no group."""
        return self.score, self.first == self.last

    @property
    def named(self) -> int:
        return sum(1 for index in range(len(self.labels)) if self.written(index))


@dataclass(slots=True)
class _Column:
    """A column on its way: `index` from 0, the field it was given, values of the body in row order."""

    index: int
    written: str
    match: Match | None
    values: list[str] = field(default_factory=list)


class _Place:
    """Makes findings of one tab."""

    def __init__(self, path: str, sheet: str) -> None:
        self.path, self.sheet = path, sheet
        self.findings: list[Finding] = []

    def add(self, severity: Severity, code: str, message: str, row: int | None = None, column: int | None = None, label: str = "") -> None:
        words = [self.path, self.sheet]
        if row is not None:
            words.append(_("第 %(row)d 行", row=row))
        if column is not None:
            words.append(label.replace("\n", " ") or _("第 %(column)s 列", column=letters(column)))
        where = " ".join(word for word in words if word)
        self.findings.append(Finding(severity, code, where, message, self.path, self.sheet or None, row, column))


def letters(column: int) -> str:
    """`A` for 1, `AA` for 27."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known beside the sheet: definitions, the kind that items have by default, roles that the archivist chose."""

    definitions: Definitions
    kind: str
    roles: Mapping[str, SheetRole]

    def role(self, path: str, sheet: str) -> SheetRole | None:
        """The role chosen for a tab: under its own name, the path of its file, or the file's name."""
        name = path.rpartition("/")[2]
        asked = (f"{path}[{sheet}]", f"{name}[{sheet}]", path, name)
        return next((self.roles[key] for key in asked if key in self.roles), None)


def _read(path: str, sheet: RawSheet, told: _Told, personal: Counter[str]) -> SheetTable | None:
    """The table of one tab; None for a hidden one that describes nothing, as the lists behind drop-downs are."""
    place = _Place(path, sheet.name)
    for code, message in sheet.notes:
        place.add(Severity.WARNING, code, message)
    heading = _find_heading(sheet, told.definitions)
    if heading:
        _forget_remarks(sheet, heading)
    _count_personal(sheet, heading, personal)
    role = told.role(path, sheet.name)
    table = SheetTable(path, sheet.name, SheetRole.DOCUMENT)
    if sheet.hidden and role is None:
        if heading is None or not _names_things(heading, told.definitions):
            return None
        place.add(Severity.NOTE, "sheet-hidden", _("工作表是隐藏的，未读。若是要著录的内容，请取消隐藏后重交。"))
    elif role in (SheetRole.DOCUMENT, SheetRole.NOTES, SheetRole.REGISTRATION):
        table = replace(table, role=role)
    elif role is None and is_registration_sheet(sheet):
        table = replace(table, role=SheetRole.REGISTRATION)
    elif heading is None:
        table = _without_heading(table, sheet, place, role)
    else:
        table = _Reader(sheet, heading, told, place, role).table()
    return replace(table, findings=tuple(place.findings))


def _names_things(heading: _Heading, definitions: Definitions) -> bool:
    names = Headings(definitions)
    matches = (_match(names, heading, index, pages=True) for index in range(len(heading.labels)))
    return any(match and match.field == "title" for match in matches)


def _forget_remarks(sheet: RawSheet, heading: _Heading) -> None:
    """Empty the column of remarks that a report wrote into a sheet which is handed in again."""
    ours = [i for i, label in enumerate(heading.labels) if any(is_remarks(form) for form in spellings(label))]
    if ours:
        for index, row in enumerate(sheet.rows[heading.last + 1 :], start=heading.last + 1):
            sheet.rows[index] = replace(row, texts=["" if i in ours else text for i, text in enumerate(row.texts)])


def _without_heading(table: SheetTable, sheet: RawSheet, place: _Place, role: SheetRole | None) -> SheetTable:
    if role is not None:
        message = _("要按著录表读，却没有认得的表头，未能著录。请加一行表头：题名、文件、责任者 …")
        place.add(Severity.ERROR, "sheet-document", message)
        return table
    texts = [text for row in sheet.rows for text in row.texts if text]
    wide = max(sum(1 for text in row.texts if text) for row in sheet.rows)
    if _NOTES_NAME.search(sheet.name) or (wide == 1 and sheet.name):
        return replace(table, role=SheetRole.NOTES, title="\n".join(texts)[:2000])
    message = _(
        "没有找到认得的表头，作为文件收下，不作著录。若是著录表，请加一行表头：题名、文件、责任者 …（`fangzhi template` 可给样表）。"
    )
    place.add(Severity.NOTE, "sheet-document", message)
    return table


def _count_personal(sheet: RawSheet, heading: _Heading | None, personal: Counter[str]) -> None:
    """Count ID and telephone numbers: in columns that say so whatever their form, elsewhere by their form."""
    kinds = {i: personal_kind(heading.written(i)) for i in range(len(heading.labels))} if heading else {}
    start = heading.last + 1 if heading else 0
    for number, row in enumerate(sheet.rows):
        for index, text in enumerate(row.texts):
            if len(text) < 7:
                continue
            kind = kinds.get(index, "") if number >= start else ""
            if kind == ID and re.search(r"\d{14,17}[\dXx]", text):
                personal[ID] += 1
            elif kind == MOBILE and len(re.findall(r"\d", text)) >= 7:
                personal[MOBILE] += 1
            else:
                personal.update(personal_numbers(text))


# Headings


def _find_heading(sheet: RawSheet, definitions: Definitions) -> _Heading | None:
    """The rows that name the columns: those among the first with the most known names. None when there are none."""
    names = Headings(definitions)
    best: _Heading | None = None
    top = sheet.rows[:SEARCHED_ROWS]
    for index, row in enumerate(top):
        single = _heading(names, index, index, row.texts, ())
        candidates = [single]
        if index + 1 < len(top) and top[index + 1].number == row.number + 1:
            pair = _two_deep(row.texts, top[index + 1].texts)
            if pair:
                candidates.append(_heading(names, index, index + 1, *pair))
        for candidate in candidates:
            if _acceptable(candidate) and (best is None or candidate.worth > best.worth):
                best = candidate
    return best


def _acceptable(heading: _Heading) -> bool:
    if heading.score >= 2:
        return heading.score * 4 >= heading.named
    return heading.score == 1 and heading.named <= 3 and heading.first < 5


def _heading(names: Headings, first: int, last: int, labels: Sequence[str], groups: Sequence[str]) -> _Heading:
    heading = _Heading(first, last, tuple(labels), tuple(groups) or ("",) * len(labels), 0)
    score = sum(1 for index in range(len(labels)) if _known(names, heading, index))
    return replace(heading, score=score)


def _known(names: Headings, heading: _Heading, index: int) -> bool:
    written = heading.written(index)
    if not written or len(written) > 60:
        return False
    if _match(names, heading, index, pages=True) or names.double(written, pages=True):
        return True
    return is_roster_word(heading.labels[index] or written) or is_inventory_word(heading.labels[index] or written)


def _match(names: Headings, heading: _Heading, index: int, pages: bool) -> Match | None:
    """The field of a column; under a group (存藏地/馆名) group and label together, then the label, then a group of one column."""
    group, label = heading.groups[index], heading.labels[index]
    if not label:
        return names.match(group, pages) if group else None
    if not group:
        return names.match(label, pages)
    return names.match(group + label, pages) or names.match(label, pages)


def _two_deep(top: Sequence[str], below: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Labels and groups of a heading of two rows, or None when `below` is no second heading row.

    Every name of the lower row stands under a blank of the upper one, or under a name that has such a blank beside it.
    """
    width = max(len(top), len(below))
    upper = [*top, *[""] * (width - len(top))]
    lower = [*below, *[""] * (width - len(below))]
    if not any(lower[i] and not upper[i] for i in range(width)) or not any(upper):
        return None
    labels, groups = [], []
    group = ""
    for index in range(width):
        if upper[index]:
            spans = index + 1 < width and not upper[index + 1] and bool(lower[index + 1])
            group = upper[index] if spans else ""
            if lower[index] and not spans:
                return None
        elif lower[index] and not group:
            return None
        labels.append(lower[index] or upper[index])
        groups.append(group if lower[index] else "")
    return labels, groups


# Tables with headings


class _Reader:
    """Reads the body of one tab under a known heading."""

    def __init__(self, sheet: RawSheet, heading: _Heading, told: _Told, place: _Place, role: SheetRole | None) -> None:
        self.sheet, self.heading, self.definitions, self.place = sheet, heading, told.definitions, place
        self.role = role
        self.row = sheet.rows[heading.last].number
        self.body = self._body()
        labels = [heading.written(index) for index in range(len(heading.labels))]
        self.kinds = self._kinds(labels, told.kind or DEFAULT_KIND)
        self.names = Headings(self.definitions, self.kinds, labels)

    # What kind of table

    def table(self) -> SheetTable:
        """The whole table; its findings go to the place."""
        table = SheetTable(self.place.path, self.place.sheet, SheetRole.DOCUMENT, title=self._title())
        columns = self._columns(pages=True)
        pages = self._is_page_list(columns) if self.role is None else self.role is SheetRole.PAGES
        if not pages:
            columns = self._columns(pages=False)
        else:
            self._own_identifiers(columns)
        fields = {column.match.field for column in columns if column.match}
        if self.role is None and _NOTES_NAME.search(self.sheet.name) and "title" not in fields:
            return replace(table, role=SheetRole.NOTES)
        if self.role is None and not pages and not self._describes(columns, fields):
            return self._document(table)
        self._report_headings(columns, pages)
        if not pages and self.body and len(self.kinds) == 1:
            self._hint_kind(self.kinds[0], [column.written for column in columns])
        rows = tuple(self._rows(columns, pages))
        self._report_widths()
        role = SheetRole.PAGES if pages else SheetRole.CATALOGUE
        if role is SheetRole.CATALOGUE and self.role is not role and any(row.text("files") for row in rows):
            role = SheetRole.ITEMS
        given = tuple(SheetColumn(c.index + 1, c.written, c.match.field if c.match else None) for c in columns if c.written)
        return replace(table, role=role, columns=given, rows=rows)

    def _document(self, table: SheetTable) -> SheetTable:
        labels = [label or group for label, group in zip(self.heading.labels, self.heading.groups, strict=True)]
        roster = sum(1 for label in labels if is_roster_word(label))
        inventory = sum(1 for label in labels if is_inventory_word(label))
        if roster >= 2 and roster >= inventory:
            message = _("是名册（%(rows)d 行），作为文件收下，不作著录。", rows=len(self.body))
        elif inventory >= 2:
            message = _("是物品清册（%(rows)d 行），作为文件收下，不作著录。", rows=len(self.body))
        else:
            message = _(
                "不像著录表（%(rows)d 行，认得的表头太少），作为文件收下，不作著录。若是著录表，请把题名一列的表头写作“题名”。",
                rows=len(self.body),
            )
        self.place.add(Severity.NOTE, "sheet-document", message)
        return table

    def _describes(self, columns: Sequence[_Column], fields: set[str]) -> bool:
        """True for a table whose rows are things to describe."""
        labels = [label or group for label, group in zip(self.heading.labels, self.heading.groups, strict=True)]
        if "files" in fields:
            return True
        strange = sum(1 for label in labels if is_roster_word(label) or is_inventory_word(label))
        known = sum(1 for column in columns if column.match and column.match.field not in IGNORED)
        if strange >= 2 and strange >= known:
            return False
        if "title" not in fields and not ({"identifier", "parent"} & fields and known >= 2):
            return False
        return known * 3 >= self.heading.named

    def _is_page_list(self, columns: Sequence[_Column]) -> bool:
        """True when the rows name single images of works whose title they repeat."""
        by_field = {column.match.field: column for column in columns if column.match}
        image = by_field.get("page-image") or by_field.get("files")
        if image is None:
            return False
        values = [value for value in image.values if value]
        single = sum(1 for value in values if _IMAGE_NAME.search(value) and not re.search("[;；*]", value))
        own = "identifier" in by_field and len(set(by_field["identifier"].values)) == len(self.body)
        if image is not by_field.get("page-image") and (own or single * 2 <= len(values)):
            return False
        if own and "title" not in by_field:
            return False
        title = by_field.get("title") or by_field.get("parent")
        works = len(set(filter(None, title.values))) if title else 0
        if title and works == len(self.body) > 1:
            return False
        paged = bool(FOLIO & by_field.keys()) or "juan" in by_field or "page-order" in by_field
        return paged or works * 2 <= len(self.body)

    def _kinds(self, labels: Sequence[str], hint: str) -> list[str]:
        """Profiles to ask first: those that the kind column names, then the hint."""
        names = Headings(self.definitions)
        known = {plain(word): p.key for p in self.definitions.profiles.values() for word in (p.key, p.label, p.label_en) if word}
        for index, label in enumerate(labels):
            match = names.match(label, pages=False) if label else None
            if match and match.field == "kind":
                said = Counter(known.get(plain(_text(row, index)), "") for row in self.body)
                return [kind for kind, _count in said.most_common() if kind] + [hint]
        return [hint]

    def _own_identifiers(self, columns: Sequence[_Column]) -> None:
        """Identifiers that differ from row to row in a page list are those of the images, not of the item."""
        for column in columns:
            if column.match and column.match.field == "identifier" and len(set(column.values)) == len(self.body) > 1:
                column.match = Match("page-identifier")

    def _hint_kind(self, hint: str, labels: Sequence[str]) -> None:
        """Say so when another profile than the one in force would understand more of the columns."""
        profiles = self.definitions.profiles
        known = {
            k: sum(1 for label in labels if label and any(form in profile_names(p) for form in spellings(label)))
            for k, p in profiles.items()
        }
        best = max(known, key=lambda key: known[key], default="")
        if best and known[best] > known.get(hint, 0):
            here = profiles[hint].label if hint in profiles else hint
            message = _(
                "表头更像“%(best)s”的著录表，现按“%(here)s”著录。若是“%(best)s”，请加一列“资料种类”，或在捐赠登记里写明。",
                best=profiles[best].label,
                here=here,
            )
            self.place.add(Severity.NOTE, "kind-hint", message)

    def _title(self) -> str:
        above = [text for row in self.sheet.rows[: self.heading.first] for text in row.texts if text]
        return " ".join(" ".join(above).split())[:300]

    # Columns

    def _body(self) -> list[RawRow]:
        """The rows under the heading, cells merged downwards filled."""
        body = self.sheet.rows[self.heading.last + 1 :]
        down = [m for m in self.sheet.merged if m[2] > m[0] and m[2] > self.row]
        if not down:
            return body
        starts = {(first, column): last for first, column, last, _right in down}
        columns = {column for _first, column, _last, _right in down}
        running: dict[int, tuple[int, str]] = {}
        filled = []
        for row in body:
            texts = list(row.texts)
            for column in columns:
                if (row.number, column) in starts:
                    running[column] = starts[row.number, column], _text(row, column - 1)
                last, text = running.get(column, (0, ""))
                if text and row.number <= last and not _text(row, column - 1):
                    texts += [""] * (column - len(texts))
                    texts[column - 1] = text
            filled.append(replace(row, texts=texts))
        return filled

    def _columns(self, pages: bool) -> list[_Column]:
        """Each column with its field; a field that two columns claim stays with the better named one."""
        width = max([len(self.heading.labels), *(len(row.texts) for row in self.body)])
        columns = []
        for index in range(width):
            written = self.heading.written(index) if index < len(self.heading.labels) else ""
            match = _match(self.names, self.heading, index, pages) if written else None
            columns.append(_Column(index, written, match, [_text(row, index) for row in self.body]))
        for column in columns:
            if column.written and column.match is None:
                double = self.names.double(column.written, pages)
                column.match = Match(double[0], 1000) if double else None
        self._settle(columns)
        return columns

    def _settle(self, columns: list[_Column]) -> None:
        claims: dict[str, list[_Column]] = defaultdict(list)
        for column in columns:
            if column.match:
                claims[column.match.field].append(column)
        for name, claimed in claims.items():
            if name in self.names.repeatable or name in IGNORED:
                continue
            ranked = sorted(claimed, key=lambda c: c.match.rank if c.match else 0)
            for loser in ranked[1:]:
                other = self.names.second(loser.written)
                loser.match = Match(other) if other and other != name and other not in claims else None

    def _report_headings(self, columns: Sequence[_Column], pages: bool) -> None:
        """One finding for each column that was not understood, or not wholly."""
        taken = {column.match.field: column for column in columns if column.match}
        for column in columns:
            if not any(column.values) and column.match is None:
                continue
            at: dict[str, int | str] = {"row": self.row, "column": column.index + 1, "label": column.written}
            double = self.names.double(column.written, pages) if column.written else ()
            if not column.written:
                if self.sheet.ragged and column.index >= len(self.sheet.rows[self.heading.last].texts):
                    continue  # told of row by row
                message = _("有内容而没有表头，未采用。请补上表头。")
                self._heading("heading-missing", message, at)
            elif column.match is None:
                self._unknown(column, taken, pages, at)
            elif double and column.match.field == double[0]:
                message = _("一列写了两项，全部记入“%(field)s”。请分成两列。", field=self._label(double[0]))
                self._heading("heading-double", message, at)

    def _heading(self, code: str, message: str, at: Mapping[str, int | str]) -> None:
        self.place.add(Severity.WARNING, code, message, int(at["row"]), int(at["column"]), str(at["label"]))

    def _unknown(self, column: _Column, taken: Mapping[str, _Column], pages: bool, at: Mapping[str, int | str]) -> None:
        match = _match(self.names, self.heading, column.index, pages)
        if match and match.field in taken:
            message = _("与“%(other)s”列是同一项，只采用了那一列。请合并，或改用别的表头。", other=taken[match.field].written)
            self._heading("heading-twice", message, at)
            return
        near = self.names.nearest(column.written, pages)
        if near:
            message = _("不认得这个表头，整列未采用；是不是“%(near)s”？若是，请改表头后重交。", near=near)
            self._heading("heading-near", message, at)
        else:
            message = _("不认得这个表头，整列未采用（原表照样保存）。若要著录，请改用样表里的表头，或请管理员在著录模板里添加。")
            self._heading("heading-unknown", message, at)

    def _label(self, key: str) -> str:
        for kind in self.names.kinds:
            found = self.definitions.profiles[kind].field(key)
            if found:
                return found.label
        return key

    # Rows

    def _rows(self, columns: Sequence[_Column], pages: bool) -> Iterator[SheetRow]:
        """The rows that are things, each with its cells by field; the others are told of, once for each reason."""
        used = [column for column in columns if column.match and column.match.field != "characters"]
        skipped: dict[str, list[int]] = defaultdict(list)
        cells = _Cells(self, used, pages)
        for row in self.body:
            reason = self._skip(row, columns)
            if reason:
                skipped[reason].append(row.number)
                continue
            yield SheetRow(row.number, cells.of(row))
        cells.report()
        for reason, numbers in skipped.items():
            self.place.add(Severity.NOTE, reason, _skipped(reason, numbers), row=numbers[0] if len(numbers) == 1 else None)

    def _skip(self, row: RawRow, columns: Sequence[_Column]) -> str:
        """Why a row is no thing (code of the finding), or empty."""
        filled = [text for text in row.texts if text]
        if not filled:
            return "" if row.marks else "numbers-only"
        labels = self.heading.labels
        if len(filled) > 1 and all(text in (labels[i], self.heading.groups[i]) for i, text in enumerate(row.texts[: len(labels)]) if text):
            return "heading-again"
        if _SUBTOTAL.fullmatch(filled[0].replace(" ", "").replace("\u3000", "")) and all(re.search(r"\d", text) for text in filled[1:]):
            return "subtotal"
        if len(filled) <= 3 and _FOOT.match(filled[0]):
            return "foot-line"
        keys = ("title", "identifier", "files", "page-image", "page-text", "parent")
        if any(_text(row, column.index) for column in columns if column.match and column.match.field in keys):
            return ""
        rest = [_text(row, c.index) for c in columns if not (c.match and c.match.field in ("row-number", "page-order"))]
        if not any(rest):
            return "numbers-only" if re.fullmatch(r"\d+\D?", filled[0]) else "group-line"
        return "group-line" if len(filled) == 1 else ""

    def _report_widths(self) -> None:
        """Rows of delimited text with more or fewer cells than there are headings."""
        if not self.sheet.ragged:
            return
        expected = len(self.sheet.rows[self.heading.last].texts)
        short = [row.number for row in self.body if len(row.texts) < expected and sum(map(bool, row.texts)) > 1]
        filled = {row.number: max((i for i, text in enumerate(row.texts, start=1) if text), default=0) for row in self.body}
        wide = {number: width for number, width in filled.items() if width > expected}
        if len(wide) > max(2, len(self.body) // 2):
            message = _("有 %(count)d 行比表头的 %(expected)d 列多，多出的各列未采用。请补上表头。", count=len(wide), expected=expected)
            self.place.add(Severity.WARNING, "heading-missing", message, self.row, expected + 1)
            wide = {}
        for number, width in wide.items():
            message = _(
                "有 %(found)d 格，表头只有 %(expected)d 列：多半是内容里有分隔符而没加引号，各格已错位。请改好此行。",
                found=width,
                expected=expected,
            )
            self.place.add(Severity.ERROR, "row-width", message, number)
        if len(short) > max(20, len(self.body) // 2):
            message = _("有 %(count)d 行比表头的 %(expected)d 列少，缺的当作空格。", count=len(short), expected=expected)
            self.place.add(Severity.WARNING, "row-width", message)
            return
        for number in short:
            message = _("比表头的 %(expected)d 列少，缺的当作空格；请核对各格是否错位。", expected=expected)
            self.place.add(Severity.WARNING, "row-width", message, number)


def _text(row: RawRow, index: int) -> str:
    return row.texts[index] if index < len(row.texts) else ""


def _skipped(reason: str, numbers: Sequence[int]) -> str:
    rows = row_list(numbers)
    messages = {
        "subtotal": _("%(rows)s是合计或小计，未当作一件。", rows=rows),
        "heading-again": _("%(rows)s重复了表头，已跳过。", rows=rows),
        "foot-line": _("%(rows)s是表下的附注，未当作一件。", rows=rows),
        "numbers-only": _("%(rows)s只有序号，已跳过。", rows=rows),
        "group-line": _("%(rows)s没有题名、文件，像是分类标题，未当作一件。", rows=rows),
    }
    return messages[reason]


def row_list(numbers: Sequence[int], shown: int = 5) -> str:
    """`第 6、31、39 行`; beyond `shown` with the whole count."""
    first = _("、").join(str(number) for number in numbers[:shown])
    if len(numbers) > shown:
        return _("第 %(first)s … 行（共 %(count)d 行）", first=first, count=len(numbers))
    return _("第 %(first)s 行", first=first)


class _Cells:
    """Makes the cells of each row and gathers what a column's finding says about them."""

    def __init__(self, reader: _Reader, columns: Sequence[_Column], pages: bool) -> None:
        self.reader, self.columns, self.pages = reader, columns, pages
        self.above: dict[int, str] = {}
        self.dates: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.fractions: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.formulas: dict[int, list[int]] = defaultdict(list)
        self.dittos: dict[int, list[int]] = defaultdict(list)

    def of(self, row: RawRow) -> dict[str, SheetCell]:
        """The cells of a row by field. Columns of one repeatable field are joined by ；."""
        cells: dict[str, SheetCell] = {}
        for column in self.columns:
            assert column.match is not None
            name = column.match.field
            cell = self._cell(row, column, name)
            if cell is None:
                continue
            before = cells.get(name)
            cells[name] = cell if before is None else replace(before, text=f"{before.text}；{cell.text}")
        return cells

    def _cell(self, row: RawRow, column: _Column, name: str) -> SheetCell | None:
        text, mark = _text(row, column.index), row.marks.get(column.index + 1, "")
        number = column.index + 1
        if mark == "error":
            message = _("格中是公式的错误值 %(value)s，当作空格。请填上实际内容。", value=text)
            self.reader.place.add(Severity.WARNING, "cell-error", message, row.number, number, column.written)
            return None
        if mark == "formula":
            self.formulas[column.index].append(row.number)
            return None
        if text in _DITTO and column.index in self.above:
            self.dittos[column.index].append(row.number)
            text = self.above[column.index]
        elif not text and self.pages and name == "title":
            text = self.above.get(column.index, "")
        if not text:
            return None
        self.above[column.index] = text
        date = mark == "date"
        dated = self.reader.names.types.get(name) is FieldType.DATE
        if dated and mark == "number" and re.fullmatch(r"\d{4}\.1", text):
            self.fractions[column.index].append((row.number, text))
        if dated and _SERIAL.fullmatch(text):
            text, date = (datetime.date(1899, 12, 30) + datetime.timedelta(days=int(text))).isoformat(), True
        if date:
            self.dates[column.index].append((row.number, text))
        return SheetCell(_said(text, name), row.number, number, date)

    def report(self) -> None:
        """One finding a column for dates that Excel made, formulas without value, ditto marks."""
        by_index = {column.index: column for column in self.columns}
        for index, dates in self.dates.items():
            message = _(
                "有 %(count)d 格被电子表格改成了日期（%(rows)s，如 %(example)s），原来的写法已失。请照原件补填，并先把该列设成“文本”格式。",
                count=len(dates),
                rows=row_list([number for number, _text in dates]),
                example=dates[0][1],
            )
            self._column(Severity.WARNING, "excel-date", message, dates[0][0], by_index[index])
        for index, found in self.fractions.items():
            message = _(
                "%(rows)s的 %(example)s 是数字，分不清 1 月还是 10 月（%(example)s0）。请照原件核对，并先把该列设成“文本”格式。",
                rows=row_list([number for number, _text in found]),
                example=found[0][1],
            )
            self._column(Severity.WARNING, "excel-number", message, found[0][0], by_index[index])
        for index, numbers in self.formulas.items():
            message = _("%(rows)s是公式，但文件里没有存下结果，当作空格。请用电子表格软件打开、保存一次再交。", rows=row_list(numbers))
            self._column(Severity.WARNING, "cell-formula", message, numbers[0], by_index[index])
        for index, numbers in self.dittos.items():
            message = _("%(rows)s写“同上”，已照上一行读。", rows=row_list(numbers))
            self._column(Severity.NOTE, "ditto", message, numbers[0], by_index[index])

    def _column(self, severity: Severity, code: str, message: str, row: int, column: _Column) -> None:
        self.reader.place.add(severity, code, message, row, column.index + 1, column.written)


def _said(text: str, name: str) -> str:
    """A cell as its field wants it: titles and identifiers on one line, a title out of its 《》."""
    if name in ("title", "identifier", "parent"):
        text = " ".join(text.split("\n"))
    if name in ("title", "parent") and re.fullmatch(r"《[^《》]*》", text):
        text = text[1:-1].strip()
    return text
