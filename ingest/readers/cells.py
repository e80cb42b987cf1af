"""Prints the cells of one workbook as JSON lines. A program of its own, run in bounds by `workbook.py`.

Calamine lays a sheet out as one dense block: a stray blank in XFD1048576 asks for 512 GiB and aborts the process. So it works in a child
whose memory is limited, and only the child dies. This file imports nothing of ours: it starts in a few hundredths of a second.

Output: `{"sheet", "hidden", "merged": [[row, column, row, column]…]}` for each sheet, then `[number, [text…], {column: mark}]` for each row
that has something in it (all counted from 1, merges inclusive); at the end `{"end": true}`, or `{"fault": code, "detail": words}`.
Marks: `date` (Excel made a date of it), `error` (#N/A …), `formula` (a formula whose value was never worked out), `number` (one with a fraction).

Calamine drops error values, knows no cached-value-less formulas, and takes neither the number formats 27–58 that Chinese Excel writes
for 年月日 nor `0000` into account; `_marks` reads those from the XML of a .xlsx, and only when the sheet has any.
"""

from __future__ import annotations

import datetime
import json
import math
import re
import resource
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import python_calamine

MAX_ROWS = 200_000
MAX_COLUMNS = 1_000

_DAY = {14, 15, 16, 22, *range(28, 32), 51, 53, 54, 58}
_MONTH = {17, 27, 36, 50, 52, 57}
_PADDED = re.compile(r'(?:"([^"]*)"|([A-Za-z-]*))(0{2,})(?:"([^"]*)")?')
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
_CELL = re.compile(r"([A-Z]+)(\d+)")

Mark = tuple[str, str]
"""Text (empty keeps Calamine's) and mark of a cell."""


class Fault(Exception):
    """The workbook cannot be read; `args` are a finding's code and words of detail."""


def value_text(value: Any) -> tuple[str, str]:
    """A cell's value as text, and its mark (`date`, `number` or none)."""
    if isinstance(value, str):
        return value, ""
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), ""
    if isinstance(value, int | float):
        if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
            return str(int(value)), ""
        return f"{value:.15g}", "number"
    if isinstance(value, datetime.datetime):
        return (value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")), "date"
    if isinstance(value, datetime.date):
        return value.isoformat(), "date"
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M"), ""
    return ("" if value is None else str(value)), ""


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _style(number: int, code: str) -> tuple[str, str] | None:
    """What a number format means to us: ("day"|"month"|"year", ""), ("pad", format code), or None."""
    if number in _DAY:
        return "day", ""
    if number in _MONTH:
        return "month", ""
    if _PADDED.fullmatch(code):
        return "pad", code
    bare = _LITERAL.sub("", code.split(";")[0]).lower()
    if "y" in bare or "e" in bare.replace("general", ""):
        if re.search(r"[#0]", bare):
            return None
        return ("day" if "d" in bare else "month" if "m" in bare else "year"), ""
    return None


def _styles(archive: zipfile.ZipFile) -> dict[str, tuple[str, str]]:
    """The cell styles (as `c/@s` names them) that matter to us."""
    try:
        root = ElementTree.fromstring(archive.read("xl/styles.xml"))
    except (KeyError, ElementTree.ParseError):
        return {}
    codes = {int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in root.iter() if e.tag.endswith("}numFmt")}
    found = {}
    for formats in (e for e in root if e.tag.endswith("}cellXfs")):
        for index, xf in enumerate(formats):
            number = int(xf.get("numFmtId", "0"))
            style = _style(number, codes.get(number, ""))
            if style:
                found[str(index)] = style
    return found


def _parts(archive: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """The part of each sheet by its name, and whether the workbook counts days from 1904."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id", ""): r.get("Target", "") for r in relations}
    parts = {}
    mac = False
    for element in book.iter():
        if element.tag.endswith("}workbookPr"):
            mac = element.get("date1904", "0") in ("1", "true")
        if element.tag.endswith("}sheet"):
            target = next((targets.get(v, "") for k, v in element.attrib.items() if k.endswith("}id")), "")
            parts[element.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return parts, mac


def _serial(text: str, precision: str, mac: bool) -> str:
    """The day, month or year that a serial number stands for, ISO; empty for what is none."""
    try:
        number = float(text)
        base = datetime.datetime(1904, 1, 1) if mac else datetime.datetime(1899, 12, 30 if number >= 60 else 31)
        moment = base + datetime.timedelta(days=number)
    except (ValueError, OverflowError):
        return ""
    return moment.date().isoformat()[: {"day": 10, "month": 7, "year": 4}[precision]]


def _padded(text: str, code: str) -> str:
    match = _PADDED.fullmatch(code)
    if match is None or not re.fullmatch(r"\d+(\.0+)?", text):
        return ""
    quoted, plain, zeros, after = match.groups()
    return f"{quoted or plain or ''}{text.split('.')[0].zfill(len(zeros))}{after or ''}"


class _Cells:
    """Expat handlers that note the cells Calamine tells too little about."""

    def __init__(self, styles: Mapping[str, tuple[str, str]], mac: bool) -> None:
        self.styles, self.mac = styles, mac
        self.marks: dict[tuple[int, int], Mark] = {}
        self.cell: Mapping[str, str] = {}
        self.formula = False
        self.inside = False
        self.value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            self.cell, self.formula, self.value = attributes, False, ""
        elif local == "f":
            self.formula = True
        elif local == "v":
            self.inside = True

    def data(self, text: str) -> None:
        if self.inside:
            self.value += text

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "v":
            self.inside = False
        elif local == "c":
            self.note()

    def note(self) -> None:
        where = _CELL.fullmatch(self.cell.get("r", ""))
        mark = self.mark()
        if where and mark:
            self.marks[int(where[2]), column_number(where[1])] = mark

    def mark(self) -> Mark | None:
        kind = self.cell.get("t", "n")
        if kind == "e":
            return self.value or "#N/A", "error"
        if self.formula and not self.value and kind != "inlineStr":
            return "", "formula"
        meaning, code = self.styles.get(self.cell.get("s", ""), ("", ""))
        if kind != "n" or not self.value or not meaning:
            return None
        if meaning == "pad":
            text = _padded(self.value, code)
            return (text, "") if text else None
        text = _serial(self.value, meaning, self.mac)
        return (text, "date") if text else None


def _marks(path: str, name: str) -> dict[tuple[int, int], Mark]:
    """What the XML of a .xlsx says beyond Calamine, by (row, column). Empty for other kinds of file."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return {}
        styles = _styles(archive)
        parts, mac = _parts(archive)
        part = parts.get(name, "")
        if part not in archive.namelist():
            return {}
        wanted = re.compile(rb't="e"|<(?:\w+:)?f[ >/]' + "".join(f'|s="{s}"' for s in styles).encode())
        with archive.open(part) as stream:
            tail = b""
            while block := stream.read(1 << 20):
                if wanted.search(tail + block):
                    break
                tail = block[-64:]
            else:
                return {}
        cells = _Cells(styles, mac)
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = cells.start, cells.end
        parser.CharacterDataHandler = cells.data
        with archive.open(part) as stream:
            try:
                parser.ParseFile(stream)
            except expat.ExpatError:
                return cells.marks
        return cells.marks


def rows(sheet: Any, marks: Mapping[tuple[int, int], Mark]) -> Iterator[tuple[int, list[str], dict[int, str]]]:
    """Each row that has something in it: number, texts from column A, marks by column."""
    offset = sheet.start[1] if sheet.start else 0
    by_row: dict[int, dict[int, Mark]] = {}
    for (row, column), mark in marks.items():
        by_row.setdefault(row, {})[column] = mark
    last = max(by_row, default=0)
    number = 0
    for number, values in enumerate(sheet.iter_rows(), start=1):
        yield from _row(number, [None] * offset + list(values), by_row.get(number, {}))
    for beyond in range(number + 1, min(last, MAX_ROWS) + 1):
        yield from _row(beyond, [], by_row.get(beyond, {}))


def _row(number: int, values: list[Any], marks: Mapping[int, Mark]) -> Iterator[tuple[int, list[str], dict[int, str]]]:
    texts, noted = [], {}
    for column, value in enumerate(values, start=1):
        text, mark = value_text(value)
        texts.append(text)
        if mark:
            noted[column] = mark
    for column, (text, mark) in marks.items():
        if column <= MAX_COLUMNS:
            texts += [""] * (column - len(texts))
            texts[column - 1] = text or texts[column - 1]
            if mark != "formula" or not texts[column - 1]:
                noted[column] = mark
    if any(texts) or noted:
        yield number, texts, {column: mark for column, mark in noted.items() if mark}


def _open(path: str) -> Any:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            return python_calamine.CalamineWorkbook.from_filelike(stream)
    except python_calamine.PasswordError as error:
        raise Fault("sheet-encrypted", str(error)) from error
    except (python_calamine.CalamineError, OSError) as error:
        code = "sheet-encrypted" if "password" in str(error).lower() else "sheet-corrupt"
        raise Fault(code, str(error)) from error


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _sheet(path: str, workbook: Any, metadata: Any) -> None:
    try:
        sheet = workbook.get_sheet_by_name(metadata.name)
    except python_calamine.CalamineError as error:
        raise Fault("sheet-corrupt", f"{metadata.name}: {error}") from error
    if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
        raise Fault("sheet-too-large", f"{metadata.name}: {sheet.total_height} x {sheet.total_width}")
    merged = [[r1 + 1, c1 + 1, r2 + 1, c2 + 1] for (r1, c1), (r2, c2) in sheet.merged_cell_ranges or ()]
    hidden = metadata.visible is not python_calamine.SheetVisibleEnum.Visible
    _print({"sheet": metadata.name, "hidden": hidden, "merged": merged[:10_000]})
    for row in rows(sheet, _marks(path, metadata.name)):
        _print(row)


def main(path: str, memory_mib: int) -> None:
    """Print the workbook at `path`, using at most `memory_mib` of memory."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        workbook = _open(path)
        for metadata in workbook.sheets_metadata:
            if metadata.typ is python_calamine.SheetTypeEnum.WorkSheet:
                _sheet(path, workbook, metadata)
        _print({"end": True})
    except Fault as fault:
        _print({"fault": fault.args[0], "detail": fault.args[1]})
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, EOFError, OSError) as error:
        _print({"fault": "sheet-corrupt", "detail": str(error)})
    except MemoryError:
        _print({"fault": "sheet-too-large", "detail": ""})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
