"""Whole journeys by command: giving again, taking back, and everything that must stop before anything is half done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from likeness import answers, counts, invalid_objects, leavings, likeness, make_donation

from archive.services.locks import lock

LEAVES, TONE = "small-leaves", "small-tone"


@pytest.fixture
def donation(tmp_path: Path) -> Path:
    return make_donation(tmp_path / "捐赠")


def _set(donation: Path, cells: dict[str, str]) -> None:
    book = openpyxl.load_workbook(donation / "登记表.xlsx")
    for cell, value in cells.items():
        book.active[cell] = value
    book.save(donation / "登记表.xlsx")


def _versions(fangzhi: Any) -> dict[str, int]:
    archive = fangzhi.archive()
    try:
        return {item: archive.store.head(item) for item in archive.store.items()}
    finally:
        archive.close()


def _item(fangzhi: Any, item: str) -> Any:
    return likeness(fangzhi.home)["items"][item]


# --- giving again -------------------------------------------------------------------------------------------------------------------


def test_the_same_folder_again_changes_nothing(fangzhi: Any, donation: Path) -> None:
    first = fangzhi("ingest", "run", donation, "--json").json
    versions, rows, before = _versions(fangzhi), counts(fangzhi.home), likeness(fangzhi.home)

    second = fangzhi("ingest", "run", donation, "--json").json

    assert second["items"] == {"ingested": 0, "unchanged": first["items"]["ingested"], "refused": 0}
    assert second["files"]["accepted"] == first["files"]["accepted"]
    assert second["batch"] == first["batch"]  # nothing to do: no batch of its own
    assert _versions(fangzhi) == versions
    assert counts(fangzhi.home) == rows
    assert likeness(fangzhi.home) == before
    assert leavings(fangzhi.home) == []


def test_a_renamed_folder_of_the_same_accession_replaces(fangzhi: Any, donation: Path) -> None:
    fangzhi("ingest", "run", donation)
    before = likeness(fangzhi.home)
    donation = donation.rename(donation.with_name("捐赠 (新)"))
    assert fangzhi("ingest", "run", donation, "--json").json["items"]["ingested"] == 0
    assert likeness(fangzhi.home) == before


def test_a_leaf_put_in_between_keeps_the_ids_of_the_others(fangzhi: Any, donation: Path) -> None:
    fangzhi("ingest", "run", donation)
    before = {page["id"]: page["image"]["file"] for page in _item(fangzhi, LEAVES)["pages"]}
    folder = donation / "聖諭目錄_三面"
    for suffix in ("png", "txt"):
        shutil.move(folder / f"006.{suffix}", folder / f"007.{suffix}")
    shutil.copy(next((Path(__file__).parent / "data" / "sample").rglob("010.png")), folder / "006.png")

    fangzhi("ingest", "run", donation)

    pages = _item(fangzhi, LEAVES)["pages"]
    assert [page["id"] for page in pages] == ["p1", "p2", "p4", "p3"]
    assert {page["id"]: page["image"]["file"] for page in pages if page["id"] in before} == before


# --- taking back --------------------------------------------------------------------------------------------------------------------


def _given_twice(fangzhi: Any, donation: Path) -> None:
    """A first batch with the leaves alone; a second that makes all others and changes the leaves."""
    others = donation.with_name("其余")
    others.mkdir()
    for name in ("测试音.wav", "测试音.lrc", "旧照.jpg", "老师拷来的.zip"):
        shutil.move(donation / name, others)
    _set(donation, dict.fromkeys(("A4", "B4", "C4", "D4", "E4", "F4"), ""))
    fangzhi("ingest", "run", donation)
    fangzhi("publish", LEAVES, "--audience", "reading_room")
    for path in others.iterdir():
        shutil.move(path, donation)
    row = ("small-tone", "五秒测试音", "汉调二簧音像", "汉调二簧", "测试音.wav", "2026年")
    _set(donation, {f"{'ABCDEF'[n]}4": text for n, text in enumerate(row)} | {"B3": "改过的题名"})


def test_undo_takes_back_what_a_batch_made_and_what_it_changed(fangzhi: Any, donation: Path) -> None:
    _given_twice(fangzhi, donation)
    before = likeness(fangzhi.home)
    second = fangzhi("ingest", "run", donation, "--json").json
    made = set(likeness(fangzhi.home)["items"]) - {LEAVES}
    assert len(made) >= 2
    fangzhi("publish", LEAVES, "--audience", "public")  # decided after the batch: it stays

    said = fangzhi("ingest", "undo", second["batch"], "--json").json

    assert set(said["trashed"]) == made
    assert (said["restored"], said["left"]) == ([LEAVES], [])
    after = likeness(fangzhi.home)
    assert set(after["items"]) == {LEAVES}
    kept = before["items"][LEAVES]
    assert after["items"][LEAVES] == kept | {"rights": kept["rights"] | {"audience": "public"}}
    assert after["standing"][LEAVES][0] == "2026-002.1"
    assert after["objects"][LEAVES][-1] == before["objects"][LEAVES][-1]
    assert after["answers"]["测试"]["metadata_total"] == 0
    assert invalid_objects(fangzhi.home) == []

    fangzhi("rebuild", "catalogue", "index")
    again = likeness(fangzhi.home)
    for part in after:
        assert again[part] == after[part], part
    assert fangzhi("ingest", "undo", second["batch"], ok=(2,)).err  # there is nothing left to take back


def test_what_was_taken_back_can_be_given_again_under_its_ids(fangzhi: Any, donation: Path) -> None:
    fangzhi("ingest", "run", donation)
    fangzhi("publish", LEAVES, "--audience", "staff")
    first = likeness(fangzhi.home)
    fangzhi("ingest", "undo", "2026-002.1")

    said = fangzhi("ingest", "run", donation, "--json").json

    assert said["batch"] == "2026-002.2"
    assert said["items"]["unchanged"] == 0
    again = likeness(fangzhi.home)
    assert set(again["items"]) == set(first["items"])
    # the decision was about the thing that went; what the sheet says holds
    first["items"][LEAVES]["rights"]["audience"] = "public"
    assert again["items"] == first["items"]
    fangzhi("purge", "--yes")
    fangzhi("rebuild", "catalogue", "index")
    rebuilt = likeness(fangzhi.home)
    assert rebuilt["items"] == first["items"]
    assert fangzhi("ingest", "undo", "2026-002.2", "--json").json["left"] == []
    assert likeness(fangzhi.home)["items"] == {}


def test_purged_ids_are_never_given_to_another_thing(fangzhi: Any, donation: Path) -> None:
    fangzhi("ingest", "run", donation)
    fangzhi("ingest", "undo", "2026-002.1")
    fangzhi("purge", "--yes")
    fangzhi("rebuild", "catalogue")
    fangzhi("ingest", "run", donation)
    assert not {LEAVES, TONE} & set(likeness(fangzhi.home)["items"])


def test_a_batch_under_a_later_one_is_left_alone_until_that_is_taken_back(fangzhi: Any, donation: Path) -> None:
    for title in ("一", "二", "三"):
        _set(donation, {"B3": title})
        fangzhi("ingest", "run", donation)
    left = fangzhi("ingest", "undo", "2026-002.2", "--json", ok=(1,)).json["left"]
    assert [entry["item"] for entry in left] == [LEAVES]
    assert "2026-002.3" in left[0]["why"]
    assert fangzhi("ingest", "undo", "2026-002.3", "--json").json["restored"] == [LEAVES]
    assert _item(fangzhi, LEAVES)["title"] == "二"
    assert fangzhi("ingest", "undo", "2026-002.2", "--json").json["restored"] == [LEAVES]
    assert _item(fangzhi, LEAVES)["title"] == "一"


def test_an_id_in_the_trash_is_not_taken_for_another_donation(fangzhi: Any, donation: Path) -> None:
    fangzhi("ingest", "run", donation)
    fangzhi("ingest", "undo", "2026-002.1")
    registration = donation / "donation.toml"
    registration.write_text(registration.read_text("utf-8").replace("2026-002", "2026-077"), "utf-8")
    fangzhi("ingest", "run", donation)
    found = likeness(fangzhi.home)["items"]
    assert {item["accession"] for item in found.values()} == {"2026-077"}
    assert LEAVES not in found


# --- what stops before anything is half done ------------------------------------------------------------------------------------------


def _untouched(fangzhi: Any) -> None:
    assert _versions(fangzhi) == {}
    assert fangzhi("ingest", "status", "--json").json == []


def test_a_second_run_at_the_same_moment_is_told_to_wait(fangzhi: Any, donation: Path) -> None:
    with lock(fangzhi.home / "run", "ingest"):
        said = fangzhi("ingest", "run", donation, ok=(3,))
        undo = fangzhi("ingest", "undo", "2026-002.1", ok=(3,))
    assert str(os.getpid()) in said.err
    assert str(os.getpid()) in undo.err
    _untouched(fangzhi)


def test_a_settings_mistake_names_file_and_key(fangzhi: Any, donation: Path) -> None:
    settings = fangzhi.home / "settings.toml"
    whole = settings.read_text("utf-8")
    for line, named in (('ffmpg = "x"', "ffmpeg"), ("child_seconds = true", "child_seconds"), ('name = "', "settings.toml")):
        settings.write_text(whole + line + "\n", "utf-8")
        said = fangzhi("ingest", "run", donation, ok=(3,))
        assert "settings.toml" in said.err
        assert named in said.err
    settings.write_text(whole, "utf-8")
    _untouched(fangzhi)


def test_a_missing_ffmpeg_stops_before_anything_is_written(fangzhi: Any, donation: Path) -> None:
    (fangzhi.home / "settings.toml").write_text('ffmpeg = "/nowhere"\n', "utf-8")
    assert "/nowhere" in fangzhi("ingest", "run", donation, ok=(3,)).err
    checks = {check["name"]: check for check in fangzhi("doctor", "--json", ok=(3,)).json}
    assert not checks["ffmpeg"]["ok"]
    _untouched(fangzhi)


def test_home_and_donation_must_lie_apart(fangzhi: Any, donation: Path) -> None:
    assert fangzhi("ingest", "run", fangzhi.home.parent, ok=(2,)).err
    inside = shutil.copytree(donation, fangzhi.home / "捐赠")
    assert fangzhi("ingest", "run", inside, ok=(2,)).err
    assert fangzhi("ingest", "run", fangzhi.home.parent / "nothing", ok=(2,)).err


@pytest.fixture
def nobody() -> list[str]:
    """How to run a command as a person who may not do everything."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read and write everything, and setpriv is not there")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def _as(prefix: list[str], fangzhi: Any, *words: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*prefix, *fangzhi.command(*words)], capture_output=True, text=True, env=fangzhi.environment(), check=False)
    if prefix and "Permission denied" in done.stderr and "Traceback" in done.stderr and "fangzhi" not in done.stderr:
        pytest.skip("this checkout cannot be read by another user")
    return done


def _open_up(path: Path) -> None:
    """Let another user reach a temporary folder."""
    for parent in [path, *path.parents]:
        if parent in (Path("/"), Path("/tmp")):
            break
        parent.chmod(0o755)


def test_an_unreadable_folder_and_a_read_only_home_are_said_clearly(fangzhi: Any, donation: Path, nobody: list[str]) -> None:
    _open_up(fangzhi.home)
    readable = _as(nobody, fangzhi, "--version")
    if readable.returncode:
        pytest.skip("this checkout cannot be run by another user")
    donation.chmod(0o000)
    try:
        closed = _as(nobody, fangzhi, "ingest", "run", donation)
    finally:
        donation.chmod(0o755)
    read_only = _as(nobody, fangzhi, "ingest", "run", donation)
    assert closed.returncode == 2
    assert read_only.returncode == 3
    for done in (closed, read_only):
        assert "Traceback" not in done.stderr
        assert str(fangzhi.home.parent) in done.stderr
    _untouched(fangzhi)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_stops_before_anything_is_written(fangzhi: Any, donation: Path, tiny: Path) -> None:
    small = type(fangzhi)(tiny / "home")
    small("init")
    said = small("ingest", "run", donation, ok=(3,))
    assert "MiB" in said.err
    _untouched(small)


# --- the other commands -----------------------------------------------------------------------------------------------------------------


def _leaves(path: Path, works: int = 2, leaves: int = 6) -> Path:
    with path.open("w", encoding="utf-8") as stream:
        for work in range(works):
            for leaf in range(leaves):
                text = f"志書第{leaf}葉\n漢江之水流入興安府城第{work}卷"
                line = {"work": f"w{work}", "title": f"試志{work}", "juan": 1, "leaf": f"{leaf // 2 + 1}{'ab'[leaf % 2]}", "text": text}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


def test_bare_pages_are_taken_in_and_found(fangzhi: Any, tmp_path: Path) -> None:
    source = _leaves(tmp_path / "叶.jsonl")
    fangzhi("index", "--text", source)
    found = answers(fangzhi.home, ("漢江之水",))["漢江之水"]
    assert (found["total"], found["items"]) == (12, 2)
    assert fangzhi("search", "漢江之水", "--as", "public", "--json").json["total"] == 12
    before = likeness(fangzhi.home)

    fangzhi("index", "--text", source)
    assert likeness(fangzhi.home) == before
    assert leavings(fangzhi.home) == []
    assert invalid_objects(fangzhi.home) == []
    fangzhi("rebuild", "catalogue", "index")
    assert likeness(fangzhi.home) == before

    with source.open("a", encoding="utf-8") as stream:
        stream.write('{"work": "w9", "title": 5}\n')
    assert "13" in fangzhi("index", "--text", source, ok=(2,)).err
    assert likeness(fangzhi.home) == before


def test_bare_pages_do_not_take_another_things_place(fangzhi: Any, donation: Path, tmp_path: Path) -> None:
    fangzhi("ingest", "run", donation)
    before = _item(fangzhi, LEAVES)
    source = tmp_path / "叶.jsonl"
    source.write_text(json.dumps({"work": LEAVES, "title": "别的书", "text": "别的文字"}, ensure_ascii=False) + "\n", "utf-8")
    fangzhi("index", "--text", source)
    assert _item(fangzhi, LEAVES) == before
    assert answers(fangzhi.home, ("别的文字",))["别的文字"]["total"] == 1


def test_templates_are_written_and_unknown_kinds_named(fangzhi: Any, tmp_path: Path) -> None:
    fangzhi("template", "gazetteer", "-o", tmp_path / "t.xlsx")
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames
    assert "gazetteer" in fangzhi("template", "gazeteer", "-o", tmp_path / "u.xlsx", ok=(2,)).err


def test_the_doctor_names_a_faulty_definition_and_a_lost_folder(fangzhi: Any) -> None:
    assert all(check["ok"] for check in fangzhi("doctor", "--json", ok=(0, 3)).json if check["name"] != "前端库")
    (fangzhi.home / "definitions" / "profiles").mkdir(parents=True)
    (fangzhi.home / "definitions" / "profiles" / "x.toml").write_text("name = 3\n", "utf-8")
    shutil.rmtree(fangzhi.home / "private")
    said = [check["detail"] for check in fangzhi("doctor", "--json", ok=(3,)).json if not check["ok"]]
    assert any("x.toml" in detail for detail in said)
    assert any("private" in detail for detail in said)


def test_the_command_speaks_english(fangzhi: Any, donation: Path) -> None:
    words = [sys.executable, "-W", "ignore", "-m", "archive", "--home", str(fangzhi.home), "--lang", "en"]

    def said(*more: str | Path) -> str:
        done = subprocess.run([*words, *map(str, more)], capture_output=True, text=True, env=fangzhi.environment(), check=False)
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def chinese(text: str) -> list[str]:
        return [line for line in text.splitlines() if any("一" <= sign <= "鿿" for sign in line)]

    assert chinese(said("ingest", "status")) == []
    assert chinese(said("publish", "no-such-item", "--audience", "public")) == []
    assert chinese(said("verify")) == []
    assert chinese(said("ingest", "undo", "x.1")) == []
    assert chinese(said("erase", "no-such-item", "--reason", "x", "--yes")) == []
    assert chinese(said("purge", "--yes")) == []
