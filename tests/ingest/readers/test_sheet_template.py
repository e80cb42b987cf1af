"""The sheet that `fangzhi template` writes, filled in and handed back, says what was typed."""

from pathlib import Path

import openpyxl
import pytest

from archive.profiles import load_definitions
from archive.template import write_template
from ingest.readers.sheet import read_tables, reading
from ingest.task import GivenFile, SheetRole

DEFINITIONS = load_definitions()


@pytest.mark.parametrize("kind", sorted(DEFINITIONS.profiles))
def test_every_column_of_a_template_is_known_when_it_comes_back(tmp_path: Path, kind: str) -> None:
    profile = DEFINITIONS.profiles[kind]
    path = tmp_path / "登记.xlsx"
    write_template(profile, DEFINITIONS, path)
    book = openpyxl.load_workbook(path)
    items, pages = book["著录表"], book["影像清单"]
    headings = [cell.value for cell in items[1]]
    for number, heading in enumerate(headings, start=1):
        items.cell(2, number, profile.label if "Kind" in heading and "模板" in heading else f"值{number}")
    for number in range(1, pages.max_column + 1):
        pages.cell(2, number, f"页{number}")
        pages.cell(3, number, f"页{number}")
    book.save(path)
    tables = {table.sheet: table for table in read_tables(GivenFile(path.name, path, 0, 0), DEFINITIONS)}
    assert tables["著录表"].role is SheetRole.ITEMS
    assert tables["影像清单"].role is SheetRole.PAGES
    assert {table.role for name, table in tables.items() if name not in ("著录表", "影像清单")} == {SheetRole.NOTES}
    assert [finding for table in tables.values() for finding in table.findings] == []
    columns = tables["著录表"].columns
    assert [column.written for column in columns if column.field is None] == []
    assert len({column.field for column in columns}) == len(headings)
    fields = {column.field for column in columns}
    assert {field.key for field in profile.fields} <= fields


def test_a_template_left_empty_is_nothing_to_complain_of(tmp_path: Path) -> None:
    path = tmp_path / "空.xlsx"
    write_template(DEFINITIONS.profiles["gazetteer"], DEFINITIONS, path)
    tables = read_tables(GivenFile(path.name, path, 0, 0), DEFINITIONS)
    assert [finding for table in tables for finding in table.findings] == []
    assert reading(tables[0], several=True) == "空.xlsx[著录表]:空表"
