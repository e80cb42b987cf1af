"""Digests are right, and nothing is digested that was not read whole."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from archive.errors import DiskFull, StorageError
from archive.storage import digests
from archive.storage.digests import copy_and_digest, digest_bytes, digest_file


@pytest.mark.parametrize("size", [0, 1, digests.CHUNK, digests.CHUNK * 2 + 3])
def test_both_digests_and_the_size_are_right(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    found = digest_file(tmp_path / "a")
    assert (found.sha512, found.sha256, found.size) == (hashlib.sha512(data).hexdigest(), hashlib.sha256(data).hexdigest(), size)
    assert copy_and_digest(tmp_path / "a", tmp_path / "b") == found == digest_bytes(data)
    assert (tmp_path / "b").read_bytes() == data


def test_a_copy_replaces_what_an_earlier_run_left(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"left over")
    copy_and_digest(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"


def test_the_longest_name_can_be_copied(tmp_path: Path) -> None:
    name = "志" * 85
    (tmp_path / "a").write_bytes(b"1")
    copy_and_digest(tmp_path / "a", tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"1"


@pytest.mark.parametrize("grow", [b"more", b""], ids=["grows", "is touched"])
def test_a_source_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grow: bytes) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x" * 100)
    real = os.readv

    def read_and_change(descriptor: int, buffers: list[memoryview]) -> int:
        count = real(descriptor, buffers)
        if not count:
            with source.open("ab") as stream:
                stream.write(grow)
            os.utime(source)
        return count

    monkeypatch.setattr(os, "readv", read_and_change)
    for call in (lambda: digest_file(source), lambda: copy_and_digest(source, tmp_path / "b")):
        with pytest.raises(StorageError, match="变化"):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_links_pipes_folders_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder", "missing"):
        outcome: list[str] = []

        def attempt(path: Path = tmp_path / name, outcome: list[str] = outcome) -> None:
            try:
                digest_file(path)
            except StorageError as error:
                outcome.append(str(error))

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        thread.join(10)
        assert outcome and name in outcome[0]


def test_a_full_disk_leaves_no_half_copy(tmp_path: Path, tiny_disk: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(6 << 20))
    with pytest.raises(DiskFull):
        copy_and_digest(tmp_path / "a", tiny_disk / "b")
    assert list(tiny_disk.iterdir()) == []
