"""A backup put back is the home it was made from, whoever was writing meanwhile."""

from __future__ import annotations

import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.errors import Busy, DiskFull, StorageError, UsageError
from archive.settings import Settings, load_settings
from archive.storage import backup as backing
from archive.storage.backup import BackupReport, backup, chain_of, restore
from archive.storage.journal import Journal
from archive.storage.ocfl import OcflStore
from archive.storage.private import PrivateStore

# From Python 3.12 on, forking beside the threads of a test runner warns; our children touch none of them.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
Judge = Callable[[Path], int]
AT = "2026-11-22T12:00:00Z"
NOON = {"message": "入藏", "user": "王", "created": AT}


@dataclass
class Hall:
    """A home with something of everything, and a disk for backups beside it."""

    settings: Settings
    store: OcflStore
    journal: Journal
    private: PrivateStore
    disk: Path

    def backup(self, name: str, at: str = AT) -> BackupReport:
        return backup(self.settings, self.disk / name, at=at)


def open_hall(home: Path, disk: Path) -> Hall:
    settings = load_settings(home)
    return Hall(settings, OcflStore(settings.originals, settings.staging), Journal(settings.journal), PrivateStore(settings.private), disk)


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    home, disk = tmp_path / "home", tmp_path / "disk"
    (home / "definitions" / "profiles").mkdir(parents=True)
    disk.mkdir()
    (home / "settings.toml").write_text('name = "安康"\n', "utf-8")
    (home / "definitions" / "profiles" / "本馆.toml").write_text("# 本馆\n", "utf-8")
    made = open_hall(home, disk)
    for part in (made.store, made.journal, made.private):
        part.init()
    made.store.add_version("fz-001", {"originals/001.tif": b"scan" * 500, "metadata/item.json": b"{}"}, **NOON)
    made.store.add_version("fz-001", {"originals/001.tif": b"scan" * 500, "metadata/item.json": b'{"v":2}'}, **NOON)
    made.store.add_version("fz-002", {"originals/" + "志" * 100 + ".txt": "安康".encode()}, **NOON)
    made.store.add_version("fz-gone", {"a": b"gone"}, **NOON)
    made.store.trash("fz-gone", reason="", at=AT)
    made.journal.append("publish", {}, by="王", item="fz-001", at=AT)
    made.private.put("contact", "2026-017", {"phone": "139"})
    return made


def tree(home: Path) -> dict[str, bytes]:
    """The kept folders' files, without locks and markers."""
    found = {}
    for name in backing.KEPT:
        for path in [home / name, *(home / name).rglob("*")]:
            if path.is_file() and path.name != "lock" and "fangzhi-inflight" not in path.parts:
                found[path.relative_to(home).as_posix()] = path.read_bytes()
    return found


def test_a_whole_backup_restores_the_kept_folders_byte_for_byte(hall: Hall, tmp_path: Path, judge: Judge) -> None:
    report = hall.backup("一.zip")
    assert (report.number, report.full, report.damaged, report.skipped) == (1, True, (), ())
    done = restore([report.file], tmp_path / "new")
    assert tree(tmp_path / "new") == tree(hall.settings.home)
    assert done.files == report.files == len(tree(tmp_path / "new"))
    assert judge(tmp_path / "new" / "originals") == 2
    again = open_hall(tmp_path / "new", hall.disk)
    assert again.private.get("contact", "2026-017") == {"phone": "139"}
    assert (tmp_path / "new" / "private" / "key").stat().st_mode & 0o777 == 0o600
    assert list(again.store.trashed()) == ["fz-gone"]
    assert not (hall.disk / "一.zip.part").exists()


def change_everything(hall: Hall) -> None:
    hall.store.add_version("fz-001", {"metadata/item.json": b'{"v":3}'}, **NOON)
    hall.store.add_version("fz-new", {"a": b"new"}, **NOON)
    hall.store.trash("fz-002", reason="撤销", at=AT)
    hall.store.untrash("fz-gone")
    hall.journal.append("withdraw", {"reason": "x"}, by="李", item="fz-001", at=AT)
    hall.private.erase("contact", "2026-017")
    hall.private.put("contact", "2026-018", b"1")
    (hall.settings.definitions / "profiles" / "本馆.toml").unlink()
    (hall.settings.definitions / "holdings.toml").write_text("# neu\n")


def test_later_backups_hold_only_changes_and_the_chain_restores(hall: Hall, tmp_path: Path, judge: Judge) -> None:
    first = hall.backup("1.zip")
    change_everything(hall)
    second = hall.backup("2.zip")
    assert (second.number, second.why_full) == (2, "")
    names = zipfile.ZipFile(second.file).namelist()
    assert not [name for name in names if name.endswith("001.tif")]
    assert len([name for name in names if "/fz-001/" in name]) == 5  # v3: item.json, inventory, sidecar; root: inventory, sidecar
    hall.store.purge()
    hall.store.add_version("fz-002", {"b": b"another with the number of a purged one"}, **NOON)
    third = hall.backup("3.zip")
    idle = hall.backup("4.zip")
    assert zipfile.ZipFile(idle.file).namelist() == ["manifest.json"]
    for files in ([idle.file], [first.file, second.file, third.file, idle.file], [third.file, first.file, second.file, idle.file]):
        home = tmp_path / f"new{len(list(tmp_path.iterdir()))}"
        restore(files, home)
        assert tree(home) == tree(hall.settings.home)
    assert judge(home / "originals") == 4
    restore([second.file], tmp_path / "then")
    assert "fz-002" in OcflStore(tmp_path / "then" / "originals", tmp_path / "then" / "staging").trashed()


def test_an_object_with_erased_content_is_taken_anew(hall: Hall, tmp_path: Path, judge: Judge) -> None:
    hall.backup("1.zip")
    hall.store.erase("fz-001", {hall.store.versions("fz-001")[0].state["originals/001.tif"]: None})
    second = hall.backup("2.zip")
    restore([second.file], tmp_path / "new")
    assert tree(tmp_path / "new") == tree(hall.settings.home)
    assert not [name for name in tree(tmp_path / "new") if name.endswith("001.tif")]
    judge(tmp_path / "new" / "originals")


def test_a_missing_link_is_named(hall: Hall, tmp_path: Path) -> None:
    hall.backup("1.zip")
    hall.backup("2.zip", at="2026-11-23T00:00:00Z")
    change_everything(hall)
    third = hall.backup("3.zip")
    (hall.disk / "2.zip").rename(tmp_path / "elsewhere.zip")
    for files in ([third.file], [hall.disk / "1.zip", third.file]):
        with pytest.raises(StorageError, match=r"2\.zip.*2026-11-23"):
            restore(files, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    restore([hall.disk / "1.zip", tmp_path / "elsewhere.zip", third.file], tmp_path / "new")
    assert tree(tmp_path / "new") == tree(hall.settings.home)


def test_a_backup_of_another_chain_is_refused(hall: Hall, tmp_path: Path) -> None:
    first = hall.backup("1.zip")
    (hall.settings.run / "backup-state.json").unlink()
    other = hall.backup("other.zip")
    with pytest.raises(StorageError, match=r"other\.zip|1\.zip"):
        restore([first.file, other.file], tmp_path / "new")


@pytest.mark.parametrize("lost", ["state", "earlier backup", "other disk"])
def test_without_the_earlier_backups_beside_it_a_backup_is_whole(hall: Hall, tmp_path: Path, lost: str) -> None:
    hall.backup("1.zip")
    target = hall.disk / "2.zip"
    if lost == "state":
        (hall.settings.run / "backup-state.json").unlink()
    elif lost == "earlier backup":
        (hall.disk / "1.zip").unlink()
    else:
        (tmp_path / "usb").mkdir()
        target = tmp_path / "usb" / "2.zip"
    report = backup(hall.settings, target, at=AT)
    assert report.full
    assert ("1.zip" in report.why_full) == (lost != "state")
    restore([report.file], tmp_path / "new")
    assert tree(tmp_path / "new") == tree(hall.settings.home)


def test_a_damaged_backup_restores_nothing(hall: Hall, tmp_path: Path) -> None:
    report = hall.backup("1.zip")
    data = bytearray(report.file.read_bytes())
    position = data.find(b"scan" * 100)
    data[position] ^= 1
    report.file.write_bytes(data)
    with pytest.raises(StorageError, match=r"001\.tif"):
        restore([report.file], tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    report.file.write_bytes(data[:-300])
    with pytest.raises(StorageError, match=r"1\.zip"):
        restore([report.file], tmp_path / "new")


def test_a_backup_from_strangers_cannot_write_outside(hall: Hall, tmp_path: Path) -> None:
    report = hall.backup("1.zip")
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(report.file) as source, zipfile.ZipFile(evil, "w") as sink:
        for name in source.namelist():
            data = source.read(name)
            if name == "manifest.json":
                data = data.replace(b'"settings.toml"', b'"private/../../escaped"')
            sink.writestr(name.replace("settings.toml", "private/../../escaped"), data)
    with pytest.raises(StorageError, match="escaped"):
        restore([evil], tmp_path / "new")
    assert not (tmp_path / "escaped").exists()


def test_a_home_that_is_not_empty_is_refused(hall: Hall, tmp_path: Path) -> None:
    report = hall.backup("1.zip")
    before = tree(hall.settings.home)
    with pytest.raises(UsageError):
        restore([report.file], hall.settings.home)
    assert tree(hall.settings.home) == before
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".restore.part").mkdir()
    restore([report.file], tmp_path / "empty")


def test_impossible_targets_are_refused(hall: Hall) -> None:
    hall.backup("1.zip")
    with pytest.raises(UsageError):
        hall.backup("1.zip")
    with pytest.raises(UsageError):
        backup(hall.settings, hall.settings.home / "b.zip", at=AT)
    with pytest.raises(StorageError):
        backup(hall.settings, hall.disk / "no" / "b.zip", at=AT)


def test_bit_rot_is_reported_while_copying(hall: Hall) -> None:
    hall.store.local_path("fz-001", "originals/001.tif").write_bytes(b"rot")
    next(hall.settings.originals.rglob("fz-002/inventory.json")).write_bytes(b"{")
    report = hall.backup("1.zip")
    assert {name.rsplit("/", 1)[1] for name in report.damaged} == {"001.tif", "fz-002"}


def test_links_are_not_followed_and_said(hall: Hall, tmp_path: Path) -> None:
    (hall.settings.definitions / "link").symlink_to(tmp_path)
    (hall.settings.definitions / "file-link").symlink_to("/etc/hostname")
    report = hall.backup("1.zip")
    assert sorted(report.skipped) == ["definitions/file-link", "definitions/link"]


def test_while_others_write_the_copy_is_whole_and_the_journal_reaches_as_far_as_the_objects(
    hall: Hall, tmp_path: Path, judge: Judge
) -> None:
    stop = threading.Event()

    def work(name: str) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            seq = hall.journal.append("edit", {}, by=name, at=AT).seq
            hall.store.add_version(f"{name}-{count % 7}", {"metadata/journal": b"%d" % seq, "o": os.urandom(2000)}, **NOON)

    threads = [threading.Thread(target=work, args=(f"fz-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(6):
            hall.backup(f"{number}.zip")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for number in range(6):
        home = tmp_path / f"new{number}"
        restore([hall.disk / f"{number}.zip"], home)
        assert judge(home / "originals") >= 2
        again = open_hall(home, hall.disk)
        newest = again.journal.last()
        for item in again.store.items():
            if "metadata/journal" in again.store.versions(item)[-1].state:
                with again.store.open(item, "metadata/journal") as stream:
                    assert int(stream.read()) <= newest


def test_two_backups_at_once_and_moving_meanwhile_are_refused(hall: Hall) -> None:
    with hall.store.standing_still(), pytest.raises(Busy):
        hall.backup("1.zip")
    assert hall.backup("1.zip").full


def test_a_full_disk_leaves_no_half_backup(hall: Hall, tiny_disk: Path) -> None:
    hall.store.add_version("fz-big", {"film": os.urandom(6 << 20)}, **NOON)
    with pytest.raises(DiskFull):
        backup(hall.settings, tiny_disk / "1.zip", at=AT)
    assert list(tiny_disk.iterdir()) == []
    report = hall.backup("1.zip")
    with pytest.raises(DiskFull):
        restore([report.file], tiny_disk / "new")
    assert not [path for path in tiny_disk.rglob("*") if path.is_file()]


def test_dying_between_file_and_state_does_not_break_the_chain(hall: Hall, tmp_path: Path) -> None:
    """At every call to the system at which a backup's process may end, the next backup and its chain restore."""
    calls = ("rename", "fsync", "unlink", "open")
    for die_at in range(1, 60):
        disk = tmp_path / f"disk{die_at}"
        disk.mkdir()
        shutil.rmtree(hall.settings.run, ignore_errors=True)
        backup(hall.settings, disk / "1.zip", at=AT)
        hall.journal.append("edit", {}, by="", at=AT)
        pid = os.fork()
        if not pid:
            count = 0

            def counted(call: Callable[..., object]) -> Callable[..., object]:
                def wrapper(*args: object, **kwargs: object) -> object:
                    nonlocal count
                    count += 1
                    if count == die_at:  # noqa: B023
                        os._exit(99)
                    return call(*args, **kwargs)

                return wrapper

            for name in calls:
                setattr(os, name, counted(getattr(os, name)))
            try:
                backup(hall.settings, disk / "2.zip", at=AT)
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        hall.journal.append("edit", {}, by="", at=AT)
        report = backup(hall.settings, disk / "3.zip", at=AT)
        assert report.number == (3 if (disk / "2.zip").exists() else 2)
        assert len(chain_of(report.file)) == report.number
        restore([report.file], tmp_path / f"new{die_at}")
        assert tree(tmp_path / f"new{die_at}") == tree(hall.settings.home)
        if status == 0:
            return
        assert status == 99
    raise AssertionError("the backup never came to its end")
