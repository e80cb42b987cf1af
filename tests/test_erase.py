"""Erasing: the bytes and words of an item, a file or a person stand nowhere under the home, and no rebuild brings them back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from likeness import invalid_objects, likeness, make_donation, unzipped

NAME = "欧阳青云"
WORDS = "青云口述一九七一年进山修路"


@pytest.fixture
def told(fangzhi: Any, tmp_path: Path) -> Any:
    """An archive with a person in the words, the names and the sheet of a donation."""
    donation = make_donation(tmp_path / f"{NAME}的捐赠")
    (donation / f"{NAME}口述.txt").write_text(f"{NAME}：{WORDS}。\n", "utf-8")
    (donation / "名册.txt").write_text(f"队员 {NAME}、王某\n", "gb18030")
    book = openpyxl.load_workbook(donation / "登记表.xlsx")
    book.active.append((None, f"{NAME}口述", "通用", None, f"{NAME}口述.txt", "1971年"))
    book.save(donation / "登记表.xlsx")
    registration = donation / "donation.toml"
    registration.write_text(registration.read_text("utf-8").replace("测试", NAME) + f'\n[contact]\nname = "{NAME}"\n', "utf-8")
    fangzhi("ingest", "run", donation)
    shutil.rmtree(donation)
    assert _holders(fangzhi.home, NAME)
    return fangzhi


def _holders(home: Path, words: str | bytes) -> list[str]:
    """Files under the home in which, or in whose names, the words stand."""
    wanted = [words] if isinstance(words, bytes) else [words.encode(e) for e in ("utf-8", "gb18030", "utf-16-le")]
    found = []
    for path in home.rglob("*"):
        if (isinstance(words, str) and words in path.name) or (path.is_file() and any(word in unzipped(path) for word in wanted)):
            found.append(str(path))
    return found


def _of(fangzhi: Any, title: str) -> str:
    return next(item for item, record in likeness(fangzhi.home)["items"].items() if title in record["title"])


def test_a_person_stands_nowhere_any_more(told: Any) -> None:
    before = set(likeness(told.home)["items"])
    told("erase", NAME, "--reason", f"{NAME}家属要求", "--yes")

    assert _holders(told.home, NAME) == []
    assert invalid_objects(told.home) == []
    assert told("verify", "--json").json["problems"] == []
    assert set(likeness(told.home)["items"]) == before
    told("rebuild")
    assert _holders(told.home, NAME) == []
    assert told("search", WORDS, "--json").json["total"] == 1  # the words stay, the name is gone
    assert told("search", NAME, "--json").json["total"] == 0
    assert told("erase", NAME, "--reason", "再一次", "--yes", ok=(1,)).err


def test_an_item_stands_nowhere_any_more(told: Any) -> None:
    item = _of(told, f"{NAME}口述")
    told("withdraw", item, "--reason", f"{WORDS}不实")

    said = told("erase", item, "--reason", "法院判决", "--yes", ok=(1,))

    assert "登记表.xlsx" in said.out  # the sheet names it, and may name others: a person decides
    assert _holders(told.home, WORDS) == []
    assert item not in likeness(told.home)["items"]
    told("erase", "papers:2026-002/登记表.xlsx", "--reason", "法院判决", "--yes")
    told("rebuild")
    assert _holders(told.home, WORDS) == []
    assert _holders(told.home, f"{NAME}口述") == []
    assert item not in likeness(told.home)["items"]
    assert invalid_objects(told.home) == []


def test_a_file_stands_nowhere_any_more(told: Any) -> None:
    record = likeness(told.home)["items"]["small-leaves"]
    file = next(file for file in record["files"] if file["path"].endswith("005.png"))
    place = next((told.home / "originals").rglob("005.png"))
    middle = place.read_bytes()[2000:2064]
    assert _holders(told.home, middle)
    derived = told.home / "derivatives" / file["sha512"][:2] / file["sha512"]
    assert derived.is_dir()

    told("erase", f"small-leaves.{file['id']}", "--reason", "版权人要求", "--yes")

    assert not derived.exists()
    assert _holders(told.home, middle) == []
    for moment in ("before", "after a rebuild"):
        files = likeness(told.home)["items"]["small-leaves"]["files"]
        assert file["id"] not in {f["id"] for f in files}, moment
        told("rebuild", "catalogue", "index")
    assert invalid_objects(told.home) == []
    assert told("verify", "--json").json["problems"] == []
