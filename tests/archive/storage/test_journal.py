"""The journal loses nothing it acknowledged, and says where it is damaged."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from archive.errors import DiskFull, StorageError
from archive.model.rights import Audience
from archive.storage.journal import Journal

# From Python 3.12 on, forking beside the threads of a test runner warns; our children touch none of them.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
AT = "2026-11-22T12:00:00Z"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "journal")
    made.init()
    return made


def write(journal: Journal, count: int, item: str | None = None) -> None:
    for number in range(count):
        journal.append("edit", {"题名": f"安康县志 {number}"}, by="王", item=item, at=AT)


def test_entries_come_back_in_order_and_as_they_were(journal: Journal) -> None:
    journal.append("publish", {"audience": Audience.PUBLIC, "items": ("fz-001",)}, by="王馆员", item="fz-001", at=AT)
    journal.append("withdraw", {"reason": "第一行\n第二行\r\0"}, by="李", at=AT)
    first, second = journal.entries()
    assert (first.seq, first.kind, first.by, first.item, first.at) == (1, "publish", "王馆员", "fz-001", AT)
    assert first.data == {"audience": "public", "items": ["fz-001"]}
    assert (second.seq, second.item, second.data) == (2, None, {"reason": "第一行\n第二行\r\0"})
    assert journal.last() == 2


def test_entries_can_be_asked_for_after_a_number_and_by_item(journal: Journal) -> None:
    write(journal, 3, "fz-001")
    write(journal, 2, "fz-002")
    assert [e.seq for e in journal.entries(after=3)] == [4, 5]
    assert [e.seq for e in journal.entries(item="fz-001")] == [1, 2, 3]
    assert [e.seq for e in journal.entries(after=2, item="fz-001")] == [3]
    assert list(journal.entries(after=5)) == []


def test_segments_roll_and_numbers_go_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", segment_bytes=500)
    journal.init()
    write(journal, 20)
    assert len(list(journal.folder.glob("*.jsonl"))) > 3
    fresh = Journal(journal.folder, segment_bytes=500)
    assert [e.seq for e in fresh.entries()] == list(range(1, 21))
    assert [e.seq for e in fresh.entries(after=13)] == list(range(14, 21))
    assert fresh.append("edit", {}, by="", at=AT).seq == 21


def test_an_empty_new_segment_after_a_crash_does_not_restart_the_numbers(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.init()
    write(journal, 2)
    (journal.folder / "000002.jsonl").touch()
    fresh = Journal(journal.folder)
    assert fresh.append("edit", {}, by="", at=AT).seq == 3
    assert [e.seq for e in fresh.entries()] == [1, 2, 3]


@pytest.mark.parametrize(
    "tail", [b'{"seq":3,"at":"20', b"\0" * 4096, b'{"seq":3' + b"\0" * 100, b"\0" * 100 + b'"sum":"0"}\n', b"x" * 200_000]
)
@pytest.mark.parametrize("before", [0, 2])
def test_a_line_cut_off_by_a_crash_is_set_aside_and_said(
    journal: Journal, tail: bytes, before: int, caplog: pytest.LogCaptureFixture
) -> None:
    write(journal, before)
    segment = journal.folder / "000001.jsonl"
    with segment.open("ab") as stream:
        stream.write(tail)
    fresh = Journal(journal.folder)
    assert [e.seq for e in fresh.entries()] == list(range(1, before + 1))
    with caplog.at_level(logging.WARNING):
        assert fresh.append("edit", {}, by="", at=AT).seq == before + 1
    assert "000001.torn" in caplog.text
    assert (journal.folder / "000001.torn").read_bytes() == tail + b"\n"
    assert [e.seq for e in fresh.entries()] == list(range(1, before + 2))


def test_recover_sets_a_cut_line_aside_once(journal: Journal) -> None:
    write(journal, 2)
    with (journal.folder / "000001.jsonl").open("ab") as stream:
        stream.write(b"{half")
    assert "000001.torn" in Journal(journal.folder).recover()[0]
    assert Journal(journal.folder).recover() == ()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0], lines[1].replace("安康".encode(), "平利".encode()), lines[2]], 2),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[1], lines[2]], 1),
        (lambda lines: [lines[0], lines[1][:30] + b"\n", lines[2]], 2),
        (lambda lines: [lines[0], b"\0" * 50 + b"\n", lines[2]], 2),
        (lambda lines: [lines[0], lines[0], lines[1]], 2),
        (lambda lines: [lines[0], lines[1], lines[2].replace(b"edit", b"3dit")], 3),
    ],
    ids=["edited", "one taken out", "first taken out", "shortened", "zeros", "doubled", "last one edited"],
)
def test_damage_in_the_middle_names_file_and_line(journal: Journal, change: object, line: int) -> None:
    write(journal, 3)
    segment = journal.folder / "000001.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(change(lines)))  # type: ignore[operator]
    with pytest.raises(StorageError, match=rf"000001\.jsonl:{line}"):
        list(Journal(journal.folder).entries())


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", segment_bytes=200)
    journal.init()
    write(journal, 10)
    (journal.folder / "000002.jsonl").unlink()
    with pytest.raises(StorageError, match="000002"):
        list(Journal(journal.folder).entries())


def test_threads_and_stores_append_without_gap_or_double(journal: Journal) -> None:
    threads = [threading.Thread(target=write, args=(j, 15)) for j in (journal, journal, Journal(journal.folder), Journal(journal.folder))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.seq for e in journal.entries()] == list(range(1, 61))


def test_processes_killed_while_appending_lose_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(5)
    folder = tmp_path / "journal"
    Journal(folder).init()
    acknowledged: list[int] = []
    for _round in range(40):
        reader, writer = os.pipe()
        pids = []
        for _ in range(2):
            pid = os.fork()
            if not pid:
                try:
                    journal = Journal(folder, segment_bytes=20_000)
                    while True:
                        seq = journal.append("edit", {"text": "字" * 500}, by="王", at=AT).seq
                        os.write(writer, b"%d\n" % seq)
                finally:
                    os._exit(1)
            pids.append(pid)
        os.close(writer)
        with os.fdopen(reader) as said:
            lines = [said.readline() for _step in range(chance.randrange(4))]
            time.sleep(chance.uniform(0, 0.01))
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            for pid in pids:
                os.waitpid(pid, 0)
            acknowledged += [int(line) for line in (*lines, *said)]
    found = [entry.seq for entry in Journal(folder).entries()]
    assert found == list(range(1, len(found) + 1))
    assert len(acknowledged) == len(set(acknowledged)) > 40
    assert set(acknowledged) <= set(found)


def test_a_full_disk_is_said_and_leaves_the_journal_whole(tiny_disk: Path) -> None:
    journal = Journal(tiny_disk / "journal")
    journal.init()
    write(journal, 2)
    with pytest.raises(DiskFull):
        journal.append("edit", {"text": "x" * (6 << 20)}, by="", at=AT)
    assert journal.append("edit", {}, by="", at=AT).seq == 3
    assert [e.seq for e in Journal(journal.folder).entries()] == [1, 2, 3]
    assert not list(journal.folder.glob("*.torn"))


def test_redacted_words_are_gone_from_the_disk_and_the_numbers_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", segment_bytes=400)
    journal.init()
    for number in range(8):
        journal.append("edit", {"text": "身份证 612401" if number == 3 else "别的"}, by="王", at=AT)
    changed = journal.redact(lambda entry: {**entry.data, "text": ""} if "612401" in entry.data["text"] else entry.data)
    assert changed == 1
    assert not any("612401" in path.read_text("utf-8") for path in journal.folder.iterdir())
    assert [(e.seq, e.data["text"]) for e in Journal(journal.folder).entries()] == [(n + 1, "" if n == 3 else "别的") for n in range(8)]


def test_a_lost_folder_does_not_start_the_numbers_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for call in (journal.last, lambda: list(journal.entries()), lambda: journal.append("edit", {}, by="", at=AT)):
        with pytest.raises(StorageError, match="journal"):
            call()
    assert not (tmp_path / "journal").exists()
