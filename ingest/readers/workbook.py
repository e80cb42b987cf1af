"""The cells of a donor's sheet, whatever its kind: .xlsx .xls .ods .et through a child process (`cells.py`), .csv .tsv here.

Told by content, not by ending: what an office system exports as .xls is often text with tabs or an HTML table.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from archive.language import _
from ingest.readers import cells

MEMORY_MIB = 2048
SECONDS = 120
MAX_TEXT_BYTES = 128 << 20
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".et", ".ett", ".ods", ".csv", ".tsv")

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_STRAY = re.compile(r"[\s\xa0\u200b-\u200d\u2060\u3000\ufeff\x00-\x1f\x7f]|_x000D_")
_DELIMITERS = ",\t;|"


class Unreadable(Exception):
    """The sheet cannot be read. `code` is the finding's, `message` says what is wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row with something in it: its number as the spreadsheet counts, texts from column A, marks (as in `cells`) by column from 1."""

    number: int
    texts: Sequence[str]
    marks: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class RawSheet:
    """One tab. `merged` are inclusive (row, column, row, column) from 1; `ragged`: rows are delimited text, so a wrong number of cells is a fault."""

    name: str
    rows: list[RawRow] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False
    ragged: bool = False
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Code and message of what had to be put right to read it at all."""


def read_workbook(path: Path) -> list[RawSheet]:
    """All tabs of the sheet file at `path`; raises Unreadable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise Unreadable("unreadable", _("读不出来：%(error)s。", error=error.strerror or str(error))) from error
    if not head.strip(b"\0 \t\r\n"):
        raise Unreadable("sheet-empty", _("是空文件，里面没有表格。请向捐赠者重新索取。"))
    if head.startswith(_OLE) and _is_encrypted_package(path):
        raise _fault("sheet-encrypted")
    if head.startswith((b"PK", _OLE)):
        return _from_child(path)
    if re.match(rb"(\xef\xbb\xbf)?\s*<", head):
        return _from_html(path)
    return [_from_text(path)]


def _fault(code: str, detail: str = "") -> Unreadable:
    tail = f" ({detail})" if detail else ""
    messages = {
        "sheet-encrypted": _("有密码，打不开。请捐赠者去掉密码另存一份，或口头索取密码后由馆员另存。"),
        "sheet-corrupt": _("已损坏或不是表格文件，打不开。请向捐赠者重新索取，或用办公软件修复后另存为 .xlsx。"),
        "sheet-too-large": _(
            "表格范围太大（上限 %(rows)d 行、%(columns)d 列）。常因很远处有一个空格：请删去数据以外的空行空列后保存，或拆成几份。",
            rows=cells.MAX_ROWS,
            columns=cells.MAX_COLUMNS,
        ),
        "sheet-timeout": _("读了 %(seconds)d 秒仍未读完，已放弃。请拆成几份或另存为 .csv。", seconds=SECONDS),
    }
    return Unreadable(code, messages[code] + tail)


def _is_encrypted_package(path: Path) -> bool:
    """A .xlsx with a password is an OLE file with a stream of this name."""
    return "EncryptedPackage".encode("utf-16-le") in path.read_bytes()


# Workbooks


def _from_child(path: Path) -> list[RawSheet]:
    """The tabs as the child prints them."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        command = [sys.executable, "-P", str(Path(cells.__file__)), str(path), str(MEMORY_MIB)]
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise _fault("sheet-timeout") from error
        output.seek(0)
        return list(_printed(output))


def _printed(lines: Iterable[str]) -> Iterator[RawSheet]:
    sheet: RawSheet | None = None
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            break
        if isinstance(value, list) and sheet is not None:
            number, texts, marks = value
            sheet.rows.append(RawRow(number, [tidy(text) for text in texts], {int(c): m for c, m in marks.items()}))
            continue
        if sheet is not None:
            yield sheet
        if "fault" in value:
            raise _fault(value["fault"], value["detail"])
        if "end" in value:
            return
        sheet = RawSheet(value["sheet"], merged=[(r1, c1, r2, c2) for r1, c1, r2, c2 in value["merged"]], hidden=value["hidden"])
    # The child died in the middle: with a workbook that Calamine could open, that is memory.
    raise _fault("sheet-too-large")


# Text


def tidy(text: str) -> str:
    """A cell without stray blanks: no-break and zero-width spaces, carriage returns, `_x000D_`, control characters; line feeds inside stay."""
    if _STRAY.search(text) is None:
        return text
    text = text.replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = re.sub(r"[\u200b\u200c\u200d\u2060\ufeff\x00-\x08\x0b-\x1f\x7f]", "", text)
    return re.sub(r"[ \t\u3000]*\n[ \t\u3000]*", "\n", text).strip(" \t\n\u3000")


def decode(data: bytes) -> tuple[str, str]:
    """The text, and the name of the encoding it was in; `""` when some characters could not be read (they are U+FFFD)."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _strictly(data, encoding)
    zeros = data[:4096].count(0)
    if zeros > len(data[:4096]) // 10:
        odd = data[1:4096:2].count(0)
        return _strictly(data, "utf-16-le" if odd * 2 > zeros else "utf-16-be")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    texts = [data.decode(encoding, "replace") for encoding in ("utf-8", "gb18030")]
    return min(texts, key=lambda text: text.count("\ufffd")), ""


def _strictly(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), ""


def _delimiter(text: str) -> str:
    """The character between cells: the one that cuts the first lines into the most columns that agree."""
    sample = text[:65536].splitlines(keepends=True)[:200]

    def score(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if any(row)]
        except csv.Error:
            return 0, 0
        wide = [width for width in widths if width > 1]
        if not wide:
            return 0, 0
        usual = max(set(wide), key=wide.count)
        return wide.count(usual) * 2 > len(widths), wide.count(usual) * usual

    return max(_DELIMITERS, key=score)


def _from_text(path: Path) -> RawSheet:
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise _fault("sheet-too-large")
    text, encoding = decode(path.read_bytes())
    sheet = RawSheet("", ragged=True)
    if not encoding:
        sheet.notes.append(("encoding", _("有些字不是 UTF-8、UTF-16 或 GB18030，读作“�”。请在办公软件里另存为“CSV UTF-8”或 .xlsx。")))
    if text.count("\0") > len(text) // 100:
        raise _fault("sheet-corrupt")
    first, newline, rest = text.partition("\n")
    declared = re.fullmatch(r"sep=(.)\r?", first)
    delimiter = declared[1] if declared else _delimiter(text)
    lines = io.StringIO(newline + rest if declared else text, newline="")
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
            if any(cell.strip() for cell in row):
                sheet.rows.append(RawRow(number, [tidy(cell) for cell in row]))
            if number > cells.MAX_ROWS:
                raise _fault("sheet-too-large")
    except csv.Error as error:
        raise Unreadable(
            "sheet-corrupt", _("第 %(row)d 行之后读不下去（%(error)s），多半是引号不成对。", row=number + 1, error=str(error))
        ) from error
    return sheet


class _Tables(HTMLParser):
    """The rows of an HTML page, or of each worksheet of an XML workbook of 2003. Spans count as one cell and blanks; nested tables are read through."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, list[list[str]]]] = [("", [])]
        self.inside = False
        self.span = 1

    @property
    def rows(self) -> list[list[str]]:
        return self.sheets[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = tag.rpartition(":")[2]
        said = {name.rpartition(":")[2]: value or "" for name, value in attrs}
        if tag == "worksheet":
            self.sheets.append((said.get("name", ""), []))
        elif tag in ("tr", "row"):
            self._skip(self.rows, said, [])
            self.rows.append([])
        elif tag in ("td", "th", "cell") and self.rows:
            self._skip(self.rows[-1], said, "")
            self.rows[-1].append("")
            self.inside = True
            self.span = min(int(said["colspan"]), 100) if said.get("colspan", "").isdigit() else 1
        elif tag == "br" and self.inside:
            self.rows[-1][-1] += "\n"

    def _skip(self, line: list[Any], said: Mapping[str, str], blank: object) -> None:
        """Fill up to `ss:Index`, from 1, with which an XML workbook leaves empty rows and cells out."""
        index = said.get("index", "")
        if index.isdigit() and int(index) <= cells.MAX_ROWS:
            line += [type(blank)() for _blank in range(int(index) - 1 - len(line))]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag.rpartition(":")[2] in ("td", "th", "tr", "cell", "row") and self.inside:
            self.rows[-1] += [""] * (self.span - 1)
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def _from_html(path: Path) -> list[RawSheet]:
    """A table in HTML or XML that calls itself .xls, as web and office systems export them."""
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise _fault("sheet-too-large")
    tables = _Tables()
    tables.feed(decode(path.read_bytes())[0])
    found = []
    for name, rows in tables.sheets:
        if any(rows):
            sheet = RawSheet(name)
            texts = ([tidy(cell) for cell in row[: cells.MAX_COLUMNS]] for row in rows[: cells.MAX_ROWS])
            sheet.rows = [RawRow(number, row) for number, row in enumerate(texts, start=1) if any(row)]
            found.append(sheet)
    if not found:
        raise _fault("sheet-corrupt")
    return found
