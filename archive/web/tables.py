"""Tables for spreadsheets, written as they come and sent as they are written: CSV and XLSX of any length in little memory."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

Cell = str | int | None
Row = Sequence[Cell]

_FORMULA = frozenset("=+-@＝＋－＠\t\r")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROWS_IN_SHEET: Final = 1_048_576
_LONGEST_CELL: Final = 32_767
"""Both are Excel's own limits."""


def harmless(text: str) -> str:
    """A text that a spreadsheet takes for text: what it would take for a formula gets an apostrophe before it (OWASP, CSV injection)."""
    return "'" + text if text[:1] in _FORMULA and text else text


def quoted(cells: Iterable[Cell]) -> str:
    """Some cells of a CSV row, with commas between: what rows share is written once."""
    return ",".join('"' + str(cell).replace('"', '""') + '"' if cell is not None else "" for cell in cells)


def csv_lines(heading: Sequence[str], batches: Iterable[Iterable[tuple[int, str, str, str, str]]]) -> Iterator[bytes]:
    """RFC 4180 in UTF-8 with a byte order mark, so that Excel knows it. Texts must be `harmless` already.

    A row is a number, three texts and what is `quoted` already: the csv module would look at every sign of what many rows share.
    """
    yield ("\ufeff" + quoted(heading) + "\r\n").encode()
    for rows in batches:
        lines = [
            f'{number},"{left}","{match}","{right}",{rest}\r\n'
            if '"' not in left and '"' not in match and '"' not in right
            else f"{number},{quoted((left, match, right))},{rest}\r\n"
            for number, left, match, right, rest in rows
        ]
        yield "".join(lines).encode("utf-8", "replace")


class _Sink(io.RawIOBase):
    """A file that cannot be turned back: gathers what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """All that was written since it was last asked."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def xlsx_parts(batches: Iterable[Iterable[Row]], name: str) -> Iterator[bytes]:
    """A workbook (ECMA-376) whose first row is the first of the rows and stands still. A new sheet begins where one is full."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        sheets = 0
        rows = _numbered(batches)
        head: str | None = None
        row = next(rows, None)
        while row is not None or not sheets:
            sheets += 1
            with book.open(_entry(f"xl/worksheets/sheet{sheets}.xml"), "w", force_zip64=True) as stream:
                stream.write(_SHEET_HEAD.encode())
                written = 0
                if head is not None:
                    stream.write(head.encode())
                    written = 1
                while row is not None and written < _ROWS_IN_SHEET:
                    line = _row(row)
                    head = line if head is None else head
                    stream.write(line.encode())
                    written += 1
                    row = next(rows, None)
                    if written % 4096 == 0:
                        yield sink.take()
                stream.write(b"</sheetData></worksheet>")
            yield sink.take()
        for path, text in _frame(name, sheets):
            book.writestr(_entry(path), text)
    yield sink.take()


def _numbered(batches: Iterable[Iterable[Row]]) -> Iterator[Row]:
    for batch in batches:
        yield from batch


def _entry(path: str) -> zipfile.ZipInfo:
    """A part of the workbook, without a time: the same rows make the same bytes."""
    entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _row(row: Row) -> str:
    return "<row>" + "".join(map(_cell, row)) + "</row>"


def _cell(value: Cell) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    if not value:
        return "<c/>"
    text = escape(_NOT_XML.sub("", value[:_LONGEST_CELL]))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_HEAD = (
    f'{_XML}<worksheet {_MAIN}><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)


def _frame(name: str, sheets: int) -> Iterator[tuple[str, str]]:
    """The parts of a workbook beside its sheets."""
    numbers = range(1, sheets + 1)
    plain = re.sub(r"[\[\]:*?/\\'\x00-\x1f]", "", name)[:24] or "1"
    called = [plain if sheets == 1 else f"{plain} {n}" for n in numbers]
    overrides = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers)
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{overrides}</Types>',
    )
    yield (
        "_rels/.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    listed = "".join(
        f'<sheet name="{escape(title, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>'
        for n, title in zip(numbers, called, strict=True)
    )
    yield "xl/workbook.xml", f'{_XML}<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    relations = "".join(f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    yield "xl/_rels/workbook.xml.rels", f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'
