"""Walking a donation folder: every regular file once, nothing followed, nothing written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tree import plant, png, zipped

from archive.errors import UsageError
from ingest.readers.archives import Limits
from ingest.readers.folder import Walk, walk


def walked(folder: Path, tmp_path: Path) -> Walk:
    return walk(folder, tmp_path / "workspace", Limits())


def test_files_come_in_natural_order(tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {"10.png": "a", "2.png": "b", "扫描０００３.png": "c", "扫描 0002 .PNG": "d", "a/1.txt": "e"})
    assert [f.path for f in walked(folder, tmp_path).files] == ["2.png", "10.png", "a/1.txt", "扫描 0002 .PNG", "扫描０００３.png"]


def test_litter_is_counted_not_lost(tmp_path: Path) -> None:
    litter = ["Thumbs.db", ".DS_Store", "~$登记表.xlsx", "desktop.ini", "__MACOSX/._001.png", "._002.png"]
    folder = plant(tmp_path / "d", dict.fromkeys([*litter, "001.png"], "x"))
    files = walked(folder, tmp_path).files
    assert {f.path for f in files if f.litter} == set(litter)
    assert len(files) == 7


def test_links_and_devices_are_refused_not_followed(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", {"secret.txt": "x"})
    folder = plant(tmp_path / "d", {"a.txt": "x"})
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "folder").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    found = walked(folder, tmp_path)
    assert {f.path: f.refused for f in found.files} == {
        "a.txt": "",
        "link.txt": "link",
        "folder": "link",
        "loop": "link",
        "pipe": "special",
    }
    assert all(f.location is None for f in found.files if f.refused)
    assert sorted(f.code for f in found.findings) == ["link", "link", "link", "special"]


def test_strange_names_are_read(tmp_path: Path) -> None:
    names = ["#特殊&字符%20+名's;（1）.txt", "长" * 80 + ".txt", "a\nb.txt"]
    folder = plant(tmp_path / "d", dict.fromkeys(names, "x"))
    Path(os.fsdecode(os.fsencode(folder) + b"/" + "旧目录".encode("gb18030"))).write_text("x")
    found = walked(folder, tmp_path)
    assert {f.path for f in found.files} == {names[0], names[1], "a␊b.txt", "旧目录"}
    assert all(f.location is not None and f.location.read_text() == "x" for f in found.files)
    assert [f.code for f in found.findings] == ["name-encoding", "name-encoding"]
    for file in found.files:
        file.path.encode()


def test_two_names_that_read_alike_stay_two_files(tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {"旧.txt": "x"})
    Path(os.fsdecode(os.fsencode(folder) + b"/" + "旧.txt".encode("gb18030"))).write_text("y")
    assert {f.path for f in walked(folder, tmp_path).files} == {"旧.txt", "旧.txt #2"}


def test_a_vanished_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="没有这个文件夹"):
        walked(tmp_path / "none", tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="不是文件夹"):
        walked(tmp_path / "file", tmp_path)


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    assert [f.code for f in walked(plant(tmp_path / "d", {}), tmp_path).findings] == ["empty-folder"]


def test_members_follow_their_archive_and_the_folder_is_not_touched(tmp_path: Path) -> None:
    folder = plant(
        tmp_path / "d", {"a.png": png(1), "老师拷来的.zip": zipped({"扫描/2.png": png(2), "扫描/10.png": png(3), "Thumbs.db": b"x"})}
    )
    before = {p: p.stat().st_mtime_ns for p in [folder, *folder.rglob("*")]}
    files = walked(folder, tmp_path).files
    assert [f.path for f in files] == [
        "a.png",
        "老师拷来的.zip",
        *(f"老师拷来的.zip/{n}" for n in ("Thumbs.db", "扫描/2.png", "扫描/10.png")),
    ]
    assert [f.member_of for f in files[2:]] == ["老师拷来的.zip"] * 3
    assert files[2].litter and files[3].location is not None and files[3].location.read_bytes() == png(2)
    assert {p: p.stat().st_mtime_ns for p in [folder, *folder.rglob("*")]} == before


def test_an_office_document_is_no_archive(tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {"a.docx": zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})})
    assert [f.path for f in walked(folder, tmp_path).files] == ["a.docx"]
