"""What `OcflStore` writes and gives back; ocfl-py judges the objects."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.errors import Busy, Conflict, CorruptObject, NotFound, StorageError
from archive.storage.ocfl import OcflStore

Judge = Callable[[Path], int]
NOON = {"message": "入藏", "user": "王馆员", "created": "2026-11-22T12:00:00Z"}


def sha512(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest()


def read(store: OcflStore, item: str, path: str, version: int | None = None) -> bytes:
    with store.open(item, path, version) as stream:
        return stream.read()


def staged(store: OcflStore, name: str, data: bytes) -> Path:
    path = store.staging / "batch" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_what_goes_in_comes_out_in_every_version(store: OcflStore, judge: Judge) -> None:
    assert store.head("fz-001") is None
    assert store.add_version("fz-001", {"originals/一.txt": b"one", "metadata/item.json": b"{}"}, **NOON) == 1
    second = {"originals/一.txt": sha512(b"one"), "metadata/item.json": b'{"v": 2}'}
    assert store.add_version("fz-001", second, message="改题名", user="李", created="2026-11-23T00:00:00Z") == 2
    assert store.head("fz-001") == 2
    assert read(store, "fz-001", "metadata/item.json") == b'{"v": 2}'
    assert read(store, "fz-001", "metadata/item.json", 1) == b"{}"
    assert [(f.path, f.size) for f in store.files("fz-001")] == [("metadata/item.json", 8), ("originals/一.txt", 3)]
    first, last = store.versions("fz-001")
    assert (first.number, first.message, first.user, first.created) == (1, "入藏", "王馆员", "2026-11-22T12:00:00Z")
    assert last.state["originals/一.txt"] == sha512(b"one")
    assert list(store.items()) == ["fz-001"]
    assert judge(store.root) == 1
    assert list(store.validate("fz-001")) == []


def test_the_same_state_makes_no_new_version(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    assert store.add_version("fz-001", {"a": b"1"}, **NOON) == 1
    assert store.add_version("fz-001", {"b": sha512(b"1")}, **NOON) == 2


def test_equal_content_is_kept_once(store: OcflStore, judge: Judge) -> None:
    store.add_version("fz-001", {"a": b"same", "b": b"same"}, **NOON)
    store.add_version("fz-001", {"a": b"same", "b": b"same", "c": b"same", "d": b"new"}, **NOON)
    kept = [p.name for p in store.root.rglob("content/*")]
    assert sorted(kept) == ["a", "d"]
    assert judge(store.root) == 1


def test_a_staged_file_is_moved_in_and_a_foreign_one_copied(store: OcflStore, tmp_path: Path, judge: Judge) -> None:
    inside, outside = staged(store, "001.tif", b"scan" * 1000), tmp_path / "002.tif"
    outside.write_bytes(b"other")
    number = inside.stat().st_ino
    store.add_version("fz-001", {"1": inside, "2": outside}, known={"1": sha512(b"scan" * 1000)}, **NOON)
    assert not inside.exists()
    assert store.local_path("fz-001", "1").stat().st_ino == number
    assert outside.read_bytes() == read(store, "fz-001", "2")
    assert judge(store.root) == 1


def test_known_digests_spare_the_reading_and_sha256_goes_to_fixity_when_it_was_computed(
    store: OcflStore, tmp_path: Path, judge: Judge
) -> None:
    known = staged(store, "known", b"known")
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"foreign")
    store.add_version("fz-001", {"known": known, "foreign": foreign}, known={"known": sha512(b"known")}, **NOON)
    inventory = json.loads(next(store.root.rglob("v1/inventory.json")).read_bytes())
    assert inventory["fixity"] == {"sha256": {hashlib.sha256(b"foreign").hexdigest(): ["v1/content/foreign"]}}
    assert judge(store.root) == 1


def test_a_copied_file_that_is_not_what_was_known_is_refused(store: OcflStore, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"changed since")
    with pytest.raises(StorageError, match="foreign"):
        store.add_version("fz-001", {"a": foreign}, known={"a": sha512(b"as it was")}, **NOON)
    assert store.head("fz-001") is None


def test_a_wrong_expectation_of_the_head_is_a_conflict(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, expect_head=0, **NOON)
    with pytest.raises(Conflict):
        store.add_version("fz-001", {"a": b"2"}, expect_head=0, **NOON)
    assert store.add_version("fz-001", {"a": b"2"}, expect_head=1, **NOON) == 2


def test_staged_files_are_given_back_when_the_version_fails(store: OcflStore) -> None:
    good, link = staged(store, "good", b"good"), store.staging / "batch" / "link"
    link.symlink_to(good)
    with pytest.raises(StorageError, match="link"):
        store.add_version("fz-001", {"a": good, "z": link}, **NOON)
    assert good.read_bytes() == b"good"
    assert not any((store.staging / "ocfl" / "work").iterdir())


def test_a_digest_the_object_does_not_hold_is_refused(store: OcflStore) -> None:
    with pytest.raises(StorageError):
        store.add_version("fz-001", {"a": sha512(b"nowhere")}, **NOON)


ODD = [
    "originals/#%&';=+@ [x] (1)~$.tif",
    "originals/" + "长" * 200 + ".JPG",
    "originals/" + "a" * 200 + ".jpg",
    "originals/全角　１２３．ｔｘｔ",
    'originals/換\n行\t和"引号"\\反斜线.txt',
    "originals/..hidden",
    "originals/ 空格 ",
    "originals/v1/content/inventory.json",
    "originals/" + "/".join(["深" * 60] * 12) + "/x.tif",
    "originals/𠮷野.txt",
]


def test_odd_names_are_kept_as_given(store: OcflStore, judge: Judge) -> None:
    state = {path: path.encode() for path in ODD}
    store.add_version("fz-001", state, **NOON)
    assert [f.path for f in store.files("fz-001")] == sorted(ODD)
    assert all(read(store, "fz-001", path) == path.encode() for path in ODD)
    assert judge(store.root) == 1
    assert list(store.validate("fz-001")) == []


def test_composed_and_decomposed_names_stay_two(store: OcflStore, judge: Judge) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é 가.txt") for form in ("NFC", "NFD"))
    assert composed != decomposed
    store.add_version("fz-001", {composed: b"c", decomposed: b"d"}, **NOON)
    assert (read(store, "fz-001", composed), read(store, "fz-001", decomposed)) == (b"c", b"d")
    assert judge(store.root) == 1


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0b", "\udcff"], ids=repr)
def test_impossible_paths_are_refused(store: OcflStore, path: str) -> None:
    with pytest.raises(StorageError):
        store.add_version("fz-001", {path: b""}, **NOON)


def test_a_name_cannot_be_file_and_folder(store: OcflStore) -> None:
    with pytest.raises(StorageError):
        store.add_version("fz-001", {"a": b"", "a/b": b""}, **NOON)


def test_an_empty_file_is_kept(store: OcflStore, judge: Judge) -> None:
    store.add_version("fz-001", {"a": b"", "b": b"x"}, **NOON)
    assert read(store, "fz-001", "a") == b""
    assert judge(store.root) == 1


def test_what_is_not_there_is_not_found(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    for call in (
        lambda: store.open("fz-002", "a"),
        lambda: store.open("fz-001", "b"),
        lambda: store.open("fz-001", "a", 2),
        lambda: store.versions("fz-002"),
        lambda: store.files("fz-001", 7),
        lambda: store.trash("fz-002", reason="", at="2026-11-22T12:00:00Z"),
        lambda: store.untrash("fz-001"),
        lambda: list(store.validate("fz-002")),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_folder_without_a_storage_root_is_no_empty_archive(tmp_path: Path) -> None:
    (tmp_path / "originals").mkdir()
    with pytest.raises(StorageError, match="originals"):
        OcflStore(tmp_path / "originals", tmp_path / "staging").head("fz-001")


def test_init_twice_is_once_and_a_strange_folder_is_refused(store: OcflStore, tmp_path: Path, judge: Judge) -> None:
    store.init()
    assert judge(store.root) == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_bytes(b"")
    with pytest.raises(StorageError):
        OcflStore(tmp_path / "full", tmp_path / "staging").init()


def test_editing_the_description_of_a_large_book_reads_no_content(store: OcflStore, judge: Judge) -> None:
    pages = {f"originals/{n:04}.jpg": b"%d" % n for n in range(300)}
    store.add_version("fz-book", {**pages, "metadata/item.json": b"{}"}, **NOON)
    for place in store.root.rglob("v1/content/originals/*.jpg"):
        os.utime(place, ns=(0, place.stat().st_mtime_ns))
    kept = {path: digest for path, digest in store.versions("fz-book")[-1].state.items() if path.startswith("originals/")}
    store.add_version("fz-book", {**kept, "metadata/item.json": b'{"title": 1}'}, **NOON)
    assert all(place.stat().st_atime_ns == 0 for place in store.root.rglob("v1/content/originals/*.jpg"))
    assert [p.name for p in store.root.rglob("v2/content/**/*") if p.is_file()] == ["item.json"]
    assert judge(store.root) == 1


# --- the trash


def test_trash_keeps_the_object_and_its_id_and_leaves_a_valid_root(store: OcflStore, judge: Judge) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    store.add_version("fz-002", {"a": b"2"}, **NOON)
    store.trash("fz-001", reason="撤销批次", at="2026-11-22T12:00:00Z")
    assert (list(store.items()), list(store.trashed()), store.head("fz-001")) == (["fz-002"], ["fz-001"], None)
    assert judge(store.root) == 1
    assert store.trash_entries()[0].reason == "撤销批次"
    store.untrash("fz-001")
    assert read(store, "fz-001", "a") == b"1"
    assert (judge(store.root), list(store.trashed())) == (2, [])


def test_an_id_may_go_to_the_trash_again_and_the_last_comes_back(store: OcflStore, judge: Judge) -> None:
    for data in (b"first", b"second"):
        store.add_version("fz-001", {"a": data}, **NOON)
        store.trash("fz-001", reason="", at="2026-11-22T12:00:00Z")
    assert list(store.trashed()) == ["fz-001"]
    store.untrash("fz-001")
    assert read(store, "fz-001", "a") == b"second"
    with pytest.raises(Conflict):
        store.untrash("fz-001")
    store.trash("fz-001", reason="", at="2026-11-22T12:00:00Z")
    assert judge(store.root) == 0
    assert len(store.trash_entries()) == 2


def test_purge_takes_what_is_old_enough_and_says_so(tmp_path: Path, judge: Judge) -> None:
    store = OcflStore(tmp_path / "originals", tmp_path / "staging", now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    store.init()
    for item, at in (("fz-old", "2026-10-01T00:00:00Z"), ("fz-new", "2026-11-20T00:00:00Z")):
        store.add_version(item, {"a": b"1"}, **NOON)
        store.trash(item, reason="", at=at)
    assert store.purgeable(30) == ("fz-old",)
    assert store.purge(30) == ("fz-old",)
    assert list(store.trashed()) == ["fz-new"]
    assert store.purge() == ("fz-new",)
    assert (store.purge(), list((store.staging / "ocfl" / "work").iterdir())) == ((), [])
    assert judge(store.root) == 0


def test_while_a_backup_runs_objects_stay_in_their_places_but_versions_may_be_added(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    with store.standing_still():
        with pytest.raises(Busy):
            store.trash("fz-001", reason="", at="2026-11-22T12:00:00Z")
        assert store.add_version("fz-001", {"a": b"2"}, **NOON) == 2


# --- erasing


def everything_on_disk(store: OcflStore) -> bytes:
    return b"".join(path.read_bytes() for top in (store.root, store.staging) for path in top.rglob("*") if path.is_file())


def test_erased_content_is_gone_from_every_version_and_the_history_stays(store: OcflStore, tmp_path: Path, judge: Judge) -> None:
    roster = tmp_path / "roster"
    roster.write_bytes(b"612401199001011234")
    store.add_version("fz-001", {"scan": b"scan", "roster": roster, "text": b"call 13800138000"}, **NOON)
    store.add_version("fz-001", {"scan": b"scan", "copy of roster": roster, "text": b"call 13800138000 again"}, **NOON)
    store.add_version("fz-001", {"scan": b"scan", "text": b"call"}, message="删号", user="李", created="2026-11-23T00:00:00Z")
    number = store.local_path("fz-001", "scan").stat().st_ino
    store.erase(
        "fz-001",
        {sha512(b"612401199001011234"): None, sha512(b"call 13800138000"): b"call", sha512(b"call 13800138000 again"): b"call again"},
    )
    assert [sorted(v.state) for v in store.versions("fz-001")] == [["scan", "text"]] * 3
    assert [read(store, "fz-001", "text", n) for n in (1, 2, 3)] == [b"call", b"call again", b"call"]
    assert [v.message for v in store.versions("fz-001")] == ["入藏", "入藏", "删号"]
    assert store.local_path("fz-001", "scan").stat().st_ino == number
    assert b"612401" not in everything_on_disk(store) and b"138001" not in everything_on_disk(store)
    assert judge(store.root) == 1
    assert list(store.validate("fz-001")) == []
    assert store.add_version("fz-001", {"text": b"call", "new": b"n"}, **NOON) == 4
    assert judge(store.root) == 1


def test_an_erased_object_takes_its_trash_with_it(store: OcflStore, judge: Judge) -> None:
    store.add_version("fz-001", {"a": b"secret 1"}, **NOON)
    store.trash("fz-001", reason="", at="2026-11-22T12:00:00Z")
    store.add_version("fz-001", {"a": b"secret 2"}, **NOON)
    store.add_version("fz-002", {"a": b"other"}, **NOON)
    store.erase("fz-001")
    assert (list(store.items()), list(store.trashed())) == (["fz-002"], [])
    assert b"secret" not in everything_on_disk(store)
    assert judge(store.root) == 1
    with pytest.raises(NotFound):
        store.erase("fz-001")
    with pytest.raises(NotFound):
        store.erase("fz-002", {sha512(b"not in it"): None})


def test_an_object_that_loses_everything_in_a_version_stays_valid(store: OcflStore, judge: Judge) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    store.add_version("fz-001", {"a": b"2", "b": b"1"}, **NOON)
    store.erase("fz-001", {sha512(b"1"): None})
    assert [dict(v.state) for v in store.versions("fz-001")] == [{}, {"a": sha512(b"2")}]
    assert judge(store.root) == 1


def test_a_damaged_newest_version_is_left_for_validate_not_taken_away(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    store.add_version("fz-001", {"a": b"2"}, **NOON)
    own = next(store.root.rglob("v2/inventory.json"))
    own.write_bytes(b"{")
    with store._working("fz-001") as work:
        store._shop.mark(work, "fz-001")
        store._shop._settle("fz-001", work)
    assert read(store, "fz-001", "a") == b"2"
    assert "E064" in {problem.code for problem in store.validate("fz-001")}


# --- several at once


def test_threads_adding_to_one_object_make_a_version_each(store: OcflStore, judge: Judge) -> None:
    store.add_version("fz-001", {"a": b"0"}, **NOON)
    threads = [threading.Thread(target=store.add_version, args=("fz-001", {"a": b"%d" % n}), kwargs=NOON) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.head("fz-001") == 9
    assert judge(store.root) == 1


def test_of_two_with_the_same_expectation_one_wins(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"0"}, **NOON)
    outcome: list[str] = []

    def write(data: bytes) -> None:
        try:
            store.add_version("fz-001", {"a": data}, expect_head=1, **NOON)
            outcome.append("won")
        except Conflict:
            outcome.append("lost")

    threads = [threading.Thread(target=write, args=(b"%d" % n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome) == ["lost", "lost", "lost", "won"]


def test_a_second_store_sees_what_the_first_wrote(store: OcflStore) -> None:
    other = OcflStore(store.root, store.staging)
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    assert other.head("fz-001") == 1
    store.add_version("fz-001", {"a": b"2"}, **NOON)
    assert read(other, "fz-001", "a") == b"2"


# --- damage


def damage(store: OcflStore, what: str) -> str:
    """Do one kind of damage to the object fz-001; gives the code that it must be called by."""
    place = next(store.root.rglob(inv_declaration())).parent
    content = place / "v1" / "content" / "a"
    match what:
        case "flipped byte":
            content.write_bytes(b"9")
            return "E092"
        case "lost file":
            content.unlink()
            (place / "v1" / "content" / "b").rename(content.with_name("c"))
            return "E092"
        case "extra file":
            (place / "v1" / "content" / "extra").write_bytes(b"")
            return "E023"
        case "file in the object":
            (place / "Thumbs.db").write_bytes(b"")
            return "E001"
        case "file in the version":
            (place / "v1" / "Thumbs.db").write_bytes(b"")
            return "E015"
        case "edited inventory":
            text = (place / "inventory.json").read_text("utf-8")
            (place / "inventory.json").write_text(text.replace("王馆员", "张馆员"), "utf-8")
            return "E060"
        case "old inventory":
            for name in ("inventory.json", "inventory.json.sha512"):
                (place / name).write_bytes((place / "v1" / name).read_bytes())
            return "E046"
        case "no sidecar":
            (place / "inventory.json.sha512").unlink()
            return "E058"
        case "no declaration":
            (place / inv_declaration()).unlink()
            return "E003"
        case "empty folder":
            (place / "v1" / "content" / "empty").mkdir()
            return "E024"
        case "no inventory":
            (place / "inventory.json").unlink()
            return "E063"
        case "garbage inventory":
            (place / "inventory.json").write_bytes(b"{")
            return "E033"
        case "lost version":
            (place / "v1").rename(place / "v9")
            return "E046"
    raise AssertionError(what)


def inv_declaration() -> str:
    return "0=ocfl_object_1.1"


@pytest.mark.parametrize(
    "what",
    [
        "flipped byte",
        "lost file",
        "extra file",
        "file in the object",
        "file in the version",
        "edited inventory",
        "old inventory",
        "no sidecar",
        "no declaration",
        "empty folder",
        "no inventory",
        "garbage inventory",
        "lost version",
    ],
)
def test_damage_is_called_by_its_code_by_us_and_by_the_judge(store: OcflStore, judge: Judge, what: str) -> None:
    store.add_version("fz-001", {"a": b"1", "b": b"2"}, **NOON)
    store.add_version("fz-001", {"a": b"1", "b": b"3"}, **NOON)
    code = damage(store, what)
    problems = list(OcflStore(store.root, store.staging).validate("fz-001"))
    assert code in {problem.code for problem in problems}, problems
    with pytest.raises(AssertionError, match=code if what != "no declaration" else "E0"):
        judge(store.root)


def test_validate_without_bytes_reads_no_content(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1", "b": b"2"}, **NOON)
    damage(store, "flipped byte")
    assert list(store.validate("fz-001", bytes_too=False)) == []


def test_missing_content_is_said_when_it_is_asked_for(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1", "b": b"2"}, **NOON)
    store.local_path("fz-001", "a").unlink()
    with pytest.raises(CorruptObject) as caught:
        store.open("fz-001", "a")
    assert (caught.value.item, caught.value.path, caught.value.code) == ("fz-001", "a", "E092")


def test_a_broken_inventory_is_named(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1", "b": b"2"}, **NOON)
    damage(store, "garbage inventory")
    with pytest.raises(CorruptObject, match=r"inventory\.json"):
        OcflStore(store.root, store.staging).head("fz-001")


def test_what_is_wrong_outside_objects_is_said(store: OcflStore) -> None:
    for item in ("fz-001", "fz-002"):
        store.add_version(item, {"a": b"1"}, **NOON)
    assert list(store.validate_root()) == []
    (store.root / "abc" / "def").mkdir(parents=True)
    (store.root / "123").mkdir()
    (store.root / "123" / "Thumbs.db").write_bytes(b"")
    place = next(store.root.rglob("fz-002"))
    place.rename(place.with_name("fz-003"))
    (store.root / "ocfl_layout.json").unlink()
    assert {(p.code, p.path.split("/")[-1]) for p in store.validate_root()} == {
        ("E073", "def"),
        ("E072", "123"),
        ("misplaced", "fz-003"),
        ("E070", "ocfl_layout.json"),
    }


def test_a_wrong_fixity_entry_is_named(store: OcflStore) -> None:
    store.add_version("fz-001", {"a": b"1"}, **NOON)
    for path in store.root.rglob("inventory.json"):
        data = path.read_bytes().replace(hashlib.sha256(b"1").hexdigest().encode(), b"0" * 64)
        path.write_bytes(data)
        path.with_name("inventory.json.sha512").write_bytes(sha512(data).encode() + b" inventory.json\n")
    assert [problem.code for problem in store.validate("fz-001")] == ["E093"]
