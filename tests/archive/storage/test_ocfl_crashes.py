"""A process that dies in the midst of writing leaves, after `recover`, only whole objects and every version it had been told of.

Dying is real: a forked child ends without any clean-up, either at its k-th call to the system (every k in turn) or by SIGKILL at random moments.
What a power cut does to bytes that were not fsynced is not shown here.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.errors import ArchiveError, DiskFull
from archive.storage.ocfl import OcflStore

# From Python 3.12 on, forking beside the threads of a test runner warns; our children touch none of them.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
Judge = Callable[[Path], int]
NOON = {"message": "入藏", "user": "王", "created": "2026-11-22T12:00:00Z"}
CALLS = ("open", "mkdir", "rename", "fsync", "unlink", "rmdir", "write", "chmod")


def sha512(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest()


def in_child(work: Callable[[], None], die_at: int | None = None) -> int:
    """Run `work` in a forked child; with `die_at` it ends without a word at that call to the system. Gives its exit status."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        if die_at is not None:
            count = 0

            def counted(call: Callable[..., object]) -> Callable[..., object]:
                def wrapper(*args: object, **kwargs: object) -> object:
                    nonlocal count
                    count += 1
                    if count == die_at:
                        os._exit(99)
                    return call(*args, **kwargs)

                return wrapper

            os.fsync = lambda descriptor: None  # the disk outlives the process; waiting for it would only make the test slow
            for name in CALLS:
                setattr(os, name, counted(getattr(os, name)))
        work()
        os._exit(0)
    except BaseException:
        os._exit(1)


def again(store: OcflStore) -> OcflStore:
    """The store as a new process opens it."""
    return OcflStore(store.root, store.staging)


def prepare(folder: Path) -> OcflStore:
    """A store with an object, one in the trash and a staged file; made once and then copied."""
    store = OcflStore(folder / "originals", folder / "staging")
    model = folder.parent / "model"
    if folder != model:
        if not model.exists():
            prepare(model)
        shutil.copytree(model, folder)
        return store
    store.init()
    store.add_version("fz-001", {"a": b"one", "b": b"two"}, **NOON)
    store.add_version("fz-gone", {"a": b"gone"}, **NOON)
    store.trash("fz-gone", reason="", at="2026-11-01T00:00:00Z")
    (store.staging / "scan.tif").write_bytes(b"scan")
    return store


def create(store: OcflStore) -> None:
    store.add_version("fz-new", {"s": store.staging / "scan.tif", "m": b"{}"}, known={"s": sha512(b"scan")}, **NOON)


def extend(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": sha512(b"one"), "s": store.staging / "scan.tif", "c": b"three"}, **NOON)


def describe(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": sha512(b"one"), "b": sha512(b"two"), "z": sha512(b"one")}, **NOON)


def trash(store: OcflStore) -> None:
    store.trash("fz-001", reason="撤销", at="2026-11-22T12:00:00Z")


def untrash(store: OcflStore) -> None:
    store.untrash("fz-gone")


def purge(store: OcflStore) -> None:
    store.purge()


def erase_content(store: OcflStore) -> None:
    store.erase("fz-001", {sha512(b"one"): b"x", sha512(b"two"): None})


def erase_object(store: OcflStore) -> None:
    store.erase("fz-001")


def picture(store: OcflStore) -> dict[str, object]:
    """Everything a user can tell about a store."""
    return {
        "objects": {item: [dict(v.state) for v in store.versions(item)] for item in sorted(store.items())},
        "trash": list(store.trashed()),
        "staged": sorted(p.name for p in store.staging.iterdir() if p.is_file()),
    }


@pytest.mark.parametrize(
    "operation", [create, extend, describe, trash, untrash, purge, erase_content, erase_object], ids=lambda f: f.__name__
)
def test_dying_at_any_call_leaves_all_or_nothing(tmp_path: Path, judge: Judge, operation: Callable[[OcflStore], None]) -> None:
    before = picture(prepare(tmp_path / "before"))
    finished = prepare(tmp_path / "finished")
    operation(finished)
    after = picture(finished)
    assert before != after
    seen = []
    for die_at in range(1, 400):
        store = prepare(tmp_path / str(die_at))
        status = in_child(lambda: operation(again(store)), die_at)  # noqa: B023
        again(store).recover()
        found = picture(again(store))
        assert found in (before, after), f"call {die_at}"
        assert judge(store.root) == len(found["objects"])  # type: ignore[arg-type]
        assert again(store).recover() == ()
        assert not list((store.staging / "ocfl" / "work").iterdir())
        seen.append(found == after)
        if status == 0:
            break
        assert status == 99
    assert seen[0] is False and seen[-1] is True and len(seen) > 10
    assert seen == sorted(seen), "once done, always done"


def test_the_next_writer_mends_what_a_dead_one_left_without_recover(tmp_path: Path) -> None:
    for die_at in range(1, 400):
        store = prepare(tmp_path / str(die_at))
        status = in_child(lambda: extend(again(store)), die_at)  # noqa: B023
        head = again(store).add_version("fz-001", {"last": b"word"}, **NOON)
        assert head in (2, 3)
        assert list(store.validate("fz-001")) == []
        if status == 0:
            return
    raise AssertionError("never came to the end")


def test_forty_kills_at_random_moments_lose_nothing_acknowledged(tmp_path: Path, judge: Judge) -> None:
    """The child makes, extends, trashes and brings back objects and says each step through a pipe after it returned."""
    chance = random.Random(20261122)
    store = OcflStore(tmp_path / "originals", tmp_path / "staging")
    store.init()
    heads: dict[str, int] = {}
    gone: set[str] = set()
    for round_ in range(45):
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                _work_until_killed(again(store), writer, round_)
            finally:
                os._exit(1)
        os.close(writer)
        said = os.fdopen(reader)
        # At least so many steps, however busy the machine; then somewhere within the next one.
        lines = [said.readline() for _step in range(chance.randrange(5))]
        time.sleep(chance.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with said:
            for line in (*lines, *said):
                word, item, *number = line.split()
                if word == "version":
                    heads[item] = int(number[0])
                (gone.add if word == "trash" else gone.discard)(item)
        fresh = again(store)
        fresh.recover()
        if round_ % 9 == 8:  # a broken object stays broken; judging all of them each time would take most of the test
            judge(store.root)
        trashed = set(fresh.trashed())
        for item, head in heads.items():
            if item in trashed:  # its last step may have been a trash that it could not say any more
                continue
            assert (fresh.head(item) or 0) >= head, f"round {round_}: {item} lost version {head}"
        assert gone - trashed <= set(fresh.items())
    assert len(heads) > 20


def _work_until_killed(store: OcflStore, writer: int, round_: int) -> None:
    step = 0
    while True:
        step += 1
        item = f"fz-{round_}-{step % 3}"
        source = store.staging / f"{item}-{step}.tif"
        source.write_bytes(os.urandom(3000))
        if (store.head(item) or 0) == 4:
            store.trash(item, reason="", at="2026-11-22T12:00:00Z")
            os.write(writer, f"trash {item}\n".encode())
            store.untrash(item)
            os.write(writer, f"back {item}\n".encode())
        head = store.add_version(item, {"scan.tif": source, "metadata/item.json": b"%d" % step}, **NOON)
        os.write(writer, f"version {item} {head}\n".encode())


def test_recover_leaves_alone_what_a_living_process_is_at(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    with store._working("fz-001") as work:
        (work / "copy").write_bytes(b"half")
        assert again(store).recover() == ()
        assert (work / "copy").read_bytes() == b"half"


def test_recover_looks_only_at_marked_objects(store: OcflStore) -> None:
    for number in range(20):
        store.add_version(f"fz-{number:03}", {"a": b"1"}, **NOON)
    for place in store.root.rglob("inventory.json*"):
        os.utime(place, ns=(0, place.stat().st_mtime_ns))
    assert again(store).recover() == ()
    assert all(place.stat().st_atime_ns == 0 for place in store.root.rglob("inventory.json*"))


# --- disks that are full or read-only


def test_a_full_disk_leaves_the_object_and_the_staged_files_as_they_were(tmp_path: Path, judge: Judge, tiny_disk: Path) -> None:
    store = OcflStore(tiny_disk / "originals", tiny_disk / "staging")
    store.init()
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    foreign, scan = tmp_path / "film.mpg", store.staging / "scan.tif"
    foreign.write_bytes(os.urandom(8 << 20))
    scan.write_bytes(b"scan")
    for _attempt in range(3):
        with pytest.raises(DiskFull):
            store.add_version("fz-001", {"a": scan, "z": foreign}, **NOON)
    with pytest.raises(DiskFull):
        store.add_version("fz-002", {"a": scan, "z": foreign.read_bytes()}, **NOON)
    assert (store.head("fz-001"), store.head("fz-002"), scan.read_bytes()) == (1, None, b"scan")
    assert judge(store.root) == 1
    assert store.add_version("fz-001", {"a": scan}, **NOON) == 2
    assert judge(store.root) == 1


def test_every_moment_at_which_the_disk_fills_up_ends_in_disk_full_and_whole_objects(tiny_disk: Path, judge: Judge) -> None:
    store = OcflStore(tiny_disk / "originals", tiny_disk / "staging")
    store.init()
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    filler = tiny_disk / "filler"
    free = os.statvfs(tiny_disk).f_bavail * os.statvfs(tiny_disk).f_frsize
    outcomes = set()
    for left in range(0, 96 * 1024, 4096):
        filler.write_bytes(b"\0" * (free - left))
        try:
            store.add_version("fz-001", {f"f{n}": b"%d-%d" % (left, n) * 1000 for n in range(4)}, **NOON)
            outcomes.add("written")
        except DiskFull:
            outcomes.add("full")
        filler.unlink()
        again(store).recover()
        judge(store.root)
        free = os.statvfs(tiny_disk).f_bavail * os.statvfs(tiny_disk).f_frsize
    assert outcomes == {"written", "full"}


def test_a_limit_on_file_size_is_a_full_disk_too(store: OcflStore, tmp_path: Path, judge: Judge) -> None:
    """Where no small disk can be mounted, this is what shows that a writing that is cut off leaves nothing."""
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    film, scan = tmp_path / "film.mpg", store.staging / "scan.tif"
    film.write_bytes(os.urandom(200_000))
    scan.write_bytes(b"scan")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(DiskFull):
            again(store).add_version("fz-001", {"a": scan, "z": film}, **NOON)

    assert in_child(limited) == 0
    assert (store.head("fz-001"), scan.read_bytes()) == (1, b"scan")
    assert judge(store.root) == 1


def test_a_read_only_disk_can_be_read_and_says_that_it_cannot_be_written(tiny_disk: Path) -> None:
    store = OcflStore(tiny_disk / "originals", tiny_disk / "staging")
    store.init()
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    os.system(f"mount -o remount,ro {tiny_disk}")
    fresh = again(store)
    assert fresh.recover() == ()
    assert list(fresh.validate("fz-001")) == []
    with fresh.open("fz-001", "a") as stream:
        assert stream.read() == b"1"
    for call in (
        lambda: fresh.add_version("fz-001", {"a": b"2"}, **NOON),
        lambda: fresh.trash("fz-001", reason="", at="2026-11-22T12:00:00Z"),
    ):
        with pytest.raises(ArchiveError, match="只读"):
            call()


def test_staging_on_another_disk_is_refused_by_name(tmp_path: Path, tiny_disk: Path) -> None:
    store = OcflStore(tmp_path / "originals", tiny_disk / "staging")
    store.init()
    with pytest.raises(ArchiveError, match="staging"):
        store.add_version("fz-001", {"a": b"1"}, **NOON)
    assert store.head("fz-001") is None
