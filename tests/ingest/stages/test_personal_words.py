"""Words of files with personal numbers are written nowhere until a person has decided."""

from pathlib import Path
from typing import Any

ID = "610103195001011237"


def _with_checksum(number: str) -> str:
    weights, marks = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
    return number[:17] + marks[sum(int(d) * w for d, w in zip(number[:17], weights, strict=True)) % 11]


def test_numbers_of_a_paper_are_in_its_original_only(fangzhi: Any, tmp_path: Path) -> None:
    number = _with_checksum(ID)
    given = tmp_path / "捐赠"
    given.mkdir()
    (given / "donation.toml").write_text('accession = "2026-050"\n[defaults]\naccess = "public"\n', "utf-8")
    (given / "证明.txt").write_text(f"兹证明张某身份证号{number}\n参加三线建设\n", "utf-8")
    said = fangzhi("ingest", "run", given, "--json").json
    assert "personal-numbers" in {finding["code"] for finding in said["findings"]}
    assert number not in str(said)
    holding = [p.name for p in fangzhi.home.rglob("*") if p.is_file() and number.encode() in p.read_bytes()]
    assert holding == ["证明.txt"]
    for audience in ("public", "staff"):
        assert fangzhi("search", "参加三线", "--as", audience, "--json").json["total"] == 0
