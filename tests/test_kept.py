"""Only the kept folders matter: a rebuild, a backup and a restore give the same archive; a flipped byte is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from likeness import copy_kept, invalid_objects, likeness, make_donation

from archive.catalogue import items

LEAVES, TONE = "small-leaves", "small-tone"


def _change_sheet(donation: Path, cell: str, value: str) -> None:
    book = openpyxl.load_workbook(donation / "登记表.xlsx")
    book.active[cell] = value
    book.save(donation / "登记表.xlsx")


@pytest.fixture
def lived_in(fangzhi: Any, tmp_path: Path) -> Any:
    """An archive with a past: taken in, published, described anew by a later sheet, one item withdrawn."""
    donation = make_donation(tmp_path / "捐赠")
    fangzhi("ingest", "run", donation)
    fangzhi("publish", LEAVES, "--audience", "reading_room")
    _change_sheet(donation, "B3", "聖諭目錄（重訂題名）")
    assert fangzhi("ingest", "run", donation, "--json").json["items"]["ingested"] == 1
    fangzhi("publish", TONE, "--audience", "public")
    fangzhi("withdraw", TONE, "--reason", "家属要求")
    return fangzhi


def test_a_rebuild_from_the_kept_folders_gives_the_same_archive(lived_in: Any, tmp_path: Path) -> None:
    elsewhere = type(lived_in)(copy_kept(lived_in.home, tmp_path / "elsewhere"))
    elsewhere("rebuild")

    ours, theirs = likeness(elsewhere.home), likeness(lived_in.home)
    for part, value in theirs.items():
        assert ours[part] == value, part
    assert ours["items"][LEAVES]["title"] == "聖諭目錄（重訂題名）"
    assert ours["items"][LEAVES]["rights"]["audience"] == "reading_room"
    assert ours["standing"][TONE] == ("2026-002.1", "家属要求")
    assert elsewhere("verify", "--json").json["problems"] == []
    assert elsewhere("ingest", "status", "--json").json == lived_in("ingest", "status", "--json").json
    derived = [
        {p.relative_to(home / "derivatives") for p in (home / "derivatives").rglob("*.jpg")} for home in (elsewhere.home, lived_in.home)
    ]
    assert derived[0] == derived[1]


def test_a_damaged_description_costs_that_item_only(lived_in: Any) -> None:
    path = max(lived_in.home.glob(f"originals/???/???/???/{LEAVES}/v*/content/metadata/item.json"), key=lambda path: path.parts[-4])
    path.write_bytes(path.read_bytes()[:-40])
    said = lived_in("rebuild", ok=(3,))
    assert LEAVES in said.err and "verify" in said.err
    assert LEAVES not in lived_in("search", "聖", "--json").out
    assert lived_in("search", "聖諭", "--json").json["metadata_total"] == 0


def test_readers_see_the_old_catalogue_until_the_new_one_stands(lived_in: Any) -> None:
    archive = lived_in.archive()
    seen: list[int] = []

    def look(_item: str, _done: int, _all: int) -> None:
        with archive.catalogue.read() as connection:
            seen.append(len(items.item_ids(connection)))

    try:
        count, unread = archive.keeping.rebuild_catalogue(progress=look)
    finally:
        archive.close()
    assert unread == () and seen == [count] * count and count > 2


def test_the_index_alone_and_a_damaged_catalogue_are_made_again(lived_in: Any) -> None:
    before = likeness(lived_in.home)
    shutil.rmtree(lived_in.home / "index")
    lived_in("rebuild", "index")
    (lived_in.home / "catalogue.sqlite").write_bytes(b"no catalogue at all")
    assert "rebuild catalogue" in lived_in("search", "四庫", ok=(3,)).err
    lived_in("rebuild", "catalogue", "index")
    assert likeness(lived_in.home) == before


def test_a_flipped_byte_of_an_original_is_named(lived_in: Any) -> None:
    original = next((lived_in.home / "originals").rglob("005.png"))
    data = bytearray(original.read_bytes())
    data[len(data) // 2] ^= 1
    original.write_bytes(data)

    said = lived_in("verify", "--json", ok=(3,))

    (problem,) = said.json["problems"]
    assert problem["item"] == LEAVES
    assert problem["path"].endswith("005.png")


def test_backups_restored_and_rebuilt_give_the_same_archive(fangzhi: Any, tmp_path: Path) -> None:
    donation = make_donation(tmp_path / "捐赠")
    fangzhi("ingest", "run", donation)
    fangzhi("backup", tmp_path / "first.tar")
    _change_sheet(donation, "B3", "聖諭目錄（重訂題名）")
    fangzhi("ingest", "run", donation)
    fangzhi("publish", LEAVES, "--audience", "reading_room")
    fangzhi("backup", tmp_path / "second.tar")
    assert (tmp_path / "second.tar").stat().st_size < (tmp_path / "first.tar").stat().st_size

    again = type(fangzhi)(tmp_path / "again")
    again("restore", tmp_path / "first.tar", tmp_path / "second.tar")
    again("rebuild")

    ours, theirs = likeness(again.home), likeness(fangzhi.home)
    for part, value in theirs.items():
        assert ours[part] == value, part
    assert invalid_objects(again.home) == []
    assert json.loads(again("verify", "--json").out)["problems"] == []
