"""The sample donation is what its script and its licences say it is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from openpyxl import load_workbook

from archive.profiles import load_definitions

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "sample"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", DATA / "make_sample.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(path: Path) -> dict[str, list[tuple[object, ...]]]:
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in load_workbook(path)}


def test_what_is_committed_is_what_the_script_writes(script: ModuleType, tmp_path: Path) -> None:
    script.write(tmp_path)
    written = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert len(written) == 6
    for path in written:
        kept = DATA / path.relative_to(tmp_path)
        if path.suffix == ".xlsx":
            assert cells(path) == cells(kept)
        else:
            assert path.read_bytes() == kept.read_bytes(), path.name


def test_the_sample_is_at_most_15_mib() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= 15 * 2**20


def test_every_row_names_files_that_are_there_and_values_that_are_known(script: ModuleType) -> None:
    definitions = load_definitions()
    kinds = {profile.label for profile in definitions.profiles.values()}
    holdings = {collection.label for collection in definitions.collections.values()}
    for row in script.ROWS:
        for name in row["文件"].split(";"):
            assert (SAMPLE / name.strip()).exists(), name
        assert row["著录模板"] in kinds
        assert row.get("专题库", "地方志") in holdings
        for key, heading in (("audiences", "访问级别"), ("rights-status", "权利状态"), ("dynasties", "时代"), ("languages", "语种")):
            if heading in row:
                assert definitions.vocabularies[key].term(row[heading]), row[heading]


def test_what_is_rendered_synthetic_or_invented_says_so(script: ModuleType) -> None:
    for row in script.ROWS:
        description = row["内容提要"]
        if row["文件"].startswith("方志影像_"):
            assert "重排渲染" in description
        if row["著录模板"] == "汉调二簧音像":
            assert "合成替身" in description
        if "虚构" in row["文件"]:
            assert "虚构" in description and row["访问级别"] == "馆员"


def test_every_folder_has_its_line_in_the_licences() -> None:
    text = (SAMPLE / "LICENCES.md").read_text("utf-8")
    for path in SAMPLE.iterdir():
        assert path.name.split("_")[0] in text, path.name
