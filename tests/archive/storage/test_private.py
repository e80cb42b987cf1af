"""The private store: readable with the key, by nobody without, and gone when erased."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from archive.errors import NotFound, StorageError
from archive.storage.private import PrivateStore


@pytest.fixture
def private(tmp_path: Path) -> PrivateStore:
    made = PrivateStore(tmp_path / "private")
    made.init()
    return made


def test_what_is_put_comes_back_in_its_form(private: PrivateStore) -> None:
    private.put("contact", "2026-017", {"电话": "0915-3212345", "地址": ["安康", "汉滨"]})
    private.put("consent", "2026-017", b"%PDF")
    fresh = PrivateStore(private.folder)
    assert fresh.get("contact", "2026-017") == {"电话": "0915-3212345", "地址": ["安康", "汉滨"]}
    assert fresh.get("consent", "2026-017") == b"%PDF"
    private.put("contact", "2026-017", {"电话": "139"})
    assert fresh.get("contact", "2026-017") == {"电话": "139"}


def test_names_of_a_kind_are_listed(private: PrivateStore) -> None:
    for kind, name in (("contact", "王"), ("contact", "李/四 #1"), ("consent", "赵")):
        private.put(kind, name, b"")
    assert private.names("contact") == tuple(sorted(("王", "李/四 #1")))
    assert private.names("roster") == ()


def test_nothing_can_be_read_from_the_disk(private: PrivateStore) -> None:
    private.put("contact", "donor-zhang", {"phone": "13800138000"})
    for path in private.folder.iterdir():
        assert "zhang" not in path.name and "contact" not in path.name
        for word in (b"zhang", b"13800138000", b"contact", b"phone"):
            assert word not in path.read_bytes()
        assert path.name == "lock" or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.folder.stat().st_mode) == 0o700


def test_erased_is_overwritten_and_gone(private: PrivateStore, tmp_path: Path) -> None:
    private.put("contact", "a", {"phone": "1"})
    private.put("contact", "b", {"phone": "2"})
    (sealed,) = set(private.folder.glob("*.sealed")) - {private._path("contact", "b")}
    os.link(sealed, tmp_path / "other-name-of-the-same-bytes")
    before = (tmp_path / "other-name-of-the-same-bytes").read_bytes()
    private.erase("contact", "a")
    assert (tmp_path / "other-name-of-the-same-bytes").read_bytes() != before
    assert private.names("contact") == ("b",)
    for call in (private.get, private.erase):
        with pytest.raises(NotFound):
            call("contact", "a")


def test_a_replaced_entry_is_overwritten(private: PrivateStore, tmp_path: Path) -> None:
    private.put("contact", "a", {"phone": "1"})
    os.link(private._path("contact", "a"), tmp_path / "old")
    before = (tmp_path / "old").read_bytes()
    private.put("contact", "a", {"phone": "2"})
    assert (tmp_path / "old").read_bytes() != before


def test_entries_cannot_be_swapped_or_changed(private: PrivateStore) -> None:
    private.put("contact", "a", b"A" * 100)
    private.put("contact", "b", b"B" * 100)
    a, b = private._path("contact", "a"), private._path("contact", "b")
    swapped = b.read_bytes()
    b.write_bytes(a.read_bytes())
    with pytest.raises(StorageError, match="sealed"):
        private.get("contact", "b")
    b.write_bytes(swapped[:-1] + bytes([swapped[-1] ^ 1]))
    with pytest.raises(StorageError):
        private.get("contact", "b")
    b.write_bytes(b"")
    with pytest.raises(StorageError):
        private.get("contact", "b")


def test_a_lost_key_is_said_and_not_replaced(private: PrivateStore) -> None:
    private.put("contact", "a", b"")
    private.key_file.unlink()
    fresh = PrivateStore(private.folder)
    with pytest.raises(StorageError, match="key"):
        fresh.get("contact", "a")
    with pytest.raises(StorageError, match="key"):
        fresh.init()
    assert not private.key_file.exists()


def test_a_wrong_key_is_said(private: PrivateStore) -> None:
    private.put("contact", "a", b"")
    private.key_file.write_bytes(b"short\n")
    with pytest.raises(StorageError, match="key"):
        PrivateStore(private.folder).get("contact", "a")


def test_the_key_may_lie_elsewhere(tmp_path: Path) -> None:
    private = PrivateStore(tmp_path / "private", tmp_path / "safe" / "fangzhi.key")
    private.init()
    private.put("contact", "a", b"1")
    assert not (private.folder / "key").exists()
    assert stat.S_IMODE((tmp_path / "safe" / "fangzhi.key").stat().st_mode) == 0o600
    assert PrivateStore(private.folder, tmp_path / "safe" / "fangzhi.key").get("contact", "a") == b"1"
