"""Archives: names, limits, what is refused and what is kept as it is."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import py7zr
import pytest
from tree import plant, zipped

from ingest.readers.archives import Limits, Unpacker
from ingest.task import GivenFile


def unpacked(
    tmp_path: Path, data: bytes, name: str = "a.zip", limits: Limits | None = None
) -> tuple[dict[str, str], dict[str, bytes | None], list[str]]:
    """Refusals by path, bytes by path, codes of the findings."""
    path = tmp_path / name
    path.write_bytes(data)
    unpacker = Unpacker(tmp_path / "w", limits or Limits())
    archive, members, findings = unpacker.unpack(GivenFile(name, path, len(data), 0))
    refused = {f.path: f.refused for f in [archive, *members] if f.refused}
    assert all((f.location is None) == bool(f.refused) for f in members)
    return refused, {f.path: f.location.read_bytes() if f.location else None for f in members}, [f.code for f in findings]


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "big5"])
def test_names_in_the_encoding_they_were_written(tmp_path: Path, codec: str) -> None:
    data = zipped({"興安府志/旧目录說明1.txt".replace("旧", "舊").replace("录", "錄"): b"x"}, codec)
    assert unpacked(tmp_path, data) == ({}, {"a.zip/興安府志/舊目錄說明1.txt": b"x"}, [])


def test_names_that_lead_out_are_refused_one_by_one(tmp_path: Path) -> None:
    data = zipped({"../../etc/x": b"1", "/abs.txt": b"2", "C:\\win.txt": b"3", "ok\\in.txt": b"4"})
    refused, files, codes = unpacked(tmp_path, data)
    assert set(refused.values()) == {"unsafe-name"} and len(refused) == 3
    assert files["a.zip/ok/in.txt"] == b"4" and codes == ["unsafe-name"] * 3


def test_a_link_inside_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("a.txt", "x")
    assert unpacked(tmp_path, buffer.getvalue())[0] == {"a.zip/link": "link"}


def test_a_bomb_is_refused_before_unpacking(tmp_path: Path) -> None:
    data = zipped({"big.bin": bytes(5_000_000)})
    refused, files, codes = unpacked(tmp_path, data, limits=Limits(ratio_from=1_000_000))
    assert (refused, files, codes) == ({"a.zip": "bomb"}, {}, ["bomb"])


def test_a_bomb_that_lies_about_its_size_is_stopped_while_unpacking(tmp_path: Path) -> None:
    data = bytearray(zipped({"big.bin": bytes(5_000_000)}))
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    refused, files, _codes = unpacked(tmp_path, bytes(data), limits=Limits(ratio_from=1_000_000))
    assert files.get("a.zip/big.bin") is None and refused
    assert sum(p.stat().st_size for p in (tmp_path / "w").rglob("*") if p.is_file()) < 2_000_000


def test_the_total_counts_over_all_archives(tmp_path: Path) -> None:
    unpacker = Unpacker(tmp_path / "w", Limits(max_bytes=150))
    codes = []
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(zipped({"x": b"0123456789" * 10}))
        codes.append([f.code for f in unpacker.unpack(GivenFile(name, tmp_path / name, 1, 0))[2]])
    assert codes == [[], ["bomb"]]


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    data = zipped({"a.txt": b"x" * 1000})
    assert unpacked(tmp_path, data[:-30])[0] == {"a.zip": "truncated"}


def test_a_member_with_wrong_bytes_is_refused_alone(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", "abcdefgh")
        archive.writestr("b.txt", "x")
    refused, files, codes = unpacked(tmp_path, buffer.getvalue().replace(b"abcdefgh", b"abcdefgX"))
    assert refused == {"a.zip/a.txt": "member-damaged"} and files["a.zip/b.txt"] == b"x" and codes == ["member-damaged"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_both_kept(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "1")
        archive.writestr("a.txt", "2")
    _refused, files, codes = unpacked(tmp_path, buffer.getvalue())
    assert files == {"a.zip/a.txt": b"1", "a.zip/a.txt #2": b"2"} and codes == ["member-twice"]


def test_archives_in_archives_to_the_third_depth(tmp_path: Path) -> None:
    data = zipped({"x.txt": b"deep"})
    for name in ("3.zip", "2.zip", "1.zip"):
        data = zipped({name: data})
    refused, _files, codes = unpacked(tmp_path, data)
    assert refused == {"a.zip/1.zip/2.zip/3.zip": "nested"} and codes == ["nested"]
    data = zipped({"2.zip": zipped({"3.zip": zipped({"x.txt": b"deep"})})})
    assert unpacked(tmp_path, data)[1]["a.zip/2.zip/3.zip/x.txt"] == b"deep"


def test_a_zip_with_a_password_is_kept_as_it_is(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": b"x"}))
    data[6] |= 1
    place = data.rfind(b"PK\x01\x02")
    data[place + 8] |= 1
    assert unpacked(tmp_path, bytes(data)) == ({}, {}, ["encrypted"])


def test_seven_zip(tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {"卷一/1.txt": "甲", "2.txt": "乙"})
    with py7zr.SevenZipFile(tmp_path / "made.7z", "w") as archive:
        archive.writeall(folder, "")
    files = unpacked(tmp_path, (tmp_path / "made.7z").read_bytes(), "a.7z")[1]
    assert files == {"a.7z/卷一/1.txt": "甲".encode(), "a.7z/2.txt": "乙".encode()}


def test_seven_zip_with_a_password_or_cut_short(tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {"1.txt": "甲" * 500})
    with py7zr.SevenZipFile(tmp_path / "made.7z", "w", password="x") as archive:
        archive.writeall(folder, "")
    assert unpacked(tmp_path, (tmp_path / "made.7z").read_bytes(), "a.7z") == ({}, {}, ["encrypted"])
    with py7zr.SevenZipFile(tmp_path / "made.7z", "w") as archive:
        archive.writeall(folder, "")
    assert unpacked(tmp_path, (tmp_path / "made.7z").read_bytes()[:-20], "a.7z")[0] == {"a.7z": "truncated"}


@pytest.mark.skipif(shutil.which("7z") is None, reason="7z is not on this machine")
def test_tar_by_the_program(tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {"卷一/1.txt": "甲"})
    (folder / "link").symlink_to("/etc/passwd")
    for name, flags in (("a.tar", "-cf"), ("a.tar.gz", "-czf")):
        subprocess.run(["tar", flags, tmp_path / name, "-C", folder, "."], check=True)
        refused, files, _codes = unpacked(tmp_path, (tmp_path / name).read_bytes(), name)
        assert files[f"{name}/卷一/1.txt"] == "甲".encode()
        assert refused == {f"{name}/link": "link"}


def test_without_the_program_the_archive_is_kept_and_the_program_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused, files, codes = unpacked(tmp_path, b"Rar!\x1a\x07\x00" + bytes(100), "a.rar")
    assert (refused, files, codes) == ({}, {}, ["tool-missing"])
