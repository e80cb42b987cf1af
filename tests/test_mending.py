"""Timed text and passages taken out, mended and put back by command: decisions that are journalled, versioned, and outlive the donor's next visit."""

from __future__ import annotations

import csv
import io
import json
import shutil
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from archive.assembly import Archive, make_home, open_archive
from archive.cli import main
from archive.errors import NotFound, UsageError
from archive.model.item import Item
from archive.model.rights import Audience
from archive.services import objects
from archive.settings import load_settings
from archive.web import create_app
from ingest.mending import cues, passages

LINES = "1\n00:00:00,200 --> 00:00:01,000\n王 老师：坐船来安康\n\n2\n00:00:01,000 --> 00:00:02,000\n王 老师：走了四天\n"


def donation(folder: Path) -> Path:
    folder.mkdir()
    (folder / "donation.toml").write_text('accession = "2026-050"\n', "utf-8")
    (folder / "登记表.csv").write_text("标识号,题名,文件,资料种类,访问级别\ntalk,一段口述,声,汉调二簧音像,公开\n", "utf-8")
    (folder / "声").mkdir()
    with wave.open(str(folder / "声" / "口述.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes((np.sin(np.arange(24_000) / 3) * 9000).astype("<i2").tobytes())
    (folder / "声" / "口述.srt").write_text(LINES, "gb18030")
    return folder


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk")
    make_home(folder / "home")
    done = CliRunner().invoke(main, ["--home", str(folder / "home"), "--lang", "zh", "ingest", "run", str(donation(folder / "捐赠"))])
    assert done.exit_code in (0, 1), done.output
    return folder


@pytest.fixture
def home(taken_in: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taken_in / "home", tmp_path / "home", symlinks=True))


Run = Callable[..., Result]


@pytest.fixture
def run(home: Path) -> Run:
    """A command over the home."""

    def invoke(words: str, *given: str | Path, ok: int = 0) -> Result:
        group, *rest = words.split()
        groups = {"cues": cues, "passages": passages}
        arguments = [*rest, *map(str, given)]
        if group in groups:
            done = CliRunner().invoke(groups[group], arguments, obj=home)
        else:
            done = CliRunner().invoke(main, ["--home", str(home), "--lang", "zh", group, *arguments])
        assert done.exit_code == ok or isinstance(done.exception, UsageError | NotFound), done.output
        return done

    return invoke


@pytest.fixture
def opened(home: Path) -> Iterator[Callable[[], Archive]]:
    found: list[Archive] = []

    def again() -> Archive:
        found.append(open_archive(load_settings(home)))
        return found[-1]

    yield again
    for archive in found:
        archive.close()


def said(item: Item, track: str = "t1") -> list[str]:
    return [cue.text for t in item.tracks if t.id == track for cue in t.cues]


def test_timed_text_is_taken_out_mended_and_put_back(run: Run, opened: Callable[[], Archive], tmp_path: Path, taken_in: Path) -> None:
    out = tmp_path / "out.srt"
    run("cues export talk t1", "-o", out)
    assert out.read_text("utf-8").startswith("1\n00:00:00,200 --> 00:00:01,000\n王 老师：坐船来安康")
    out.write_text(out.read_text("utf-8").replace("坐船", "乘木船"), "utf-8")
    before = len(opened().store.versions("talk"))
    run("cues replace talk t1", out)
    archive = opened()
    assert [v.message.partition(" ")[0] for v in archive.store.versions("talk")[before:]] == ["timed-text"]
    assert said(archive.reading.whole(Audience.PUBLIC, "talk"))[0] == "王 老师：乘木船来安康"
    assert json.loads(run("search", "乘木船", "--json").stdout)["total"] == 1
    assert json.loads(run("search", "坐船", "--json").stdout)["total"] == 0
    assert "乘木船" in create_app(archive).test_client().get("/items/talk/cues/t1.vtt").text
    # The donor's file is as it was, and another visit of the donor does not undo what a person decided.
    again = Path(shutil.copytree(taken_in / "捐赠", tmp_path / "again"))
    (again / "登记表.csv").write_text("标识号,题名,文件,资料种类,访问级别\ntalk,又一题名,声,汉调二簧音像,公开\n", "utf-8")
    run("ingest", "run", again, ok=0)
    archive = opened()
    item = archive.reading.whole(Audience.PUBLIC, "talk")
    assert (item.title, said(item)[0]) == ("又一题名", "王 老师：乘木船来安康")
    run("rebuild", "catalogue")
    assert said(opened().reading.whole(Audience.PUBLIC, "talk"))[0] == "王 老师：乘木船来安康"
    run("cues restore talk t1")
    assert said(opened().reading.whole(Audience.PUBLIC, "talk"))[0] == "王 老师：坐船来安康"


def test_a_translation_is_added_beside_the_words(run: Run, opened: Callable[[], Archive], tmp_path: Path) -> None:
    english = tmp_path / "en.vtt"
    english.write_text("WEBVTT\n\n00:00.200 --> 00:01.000\n<v Mr Wang>By boat\n", "utf-8")
    run("cues add talk f2", english)
    listed = json.loads(run("cues list talk", "--json").stdout)
    assert [(t["id"], t["language"], t["lines"]) for t in listed["tracks"]] == [("t1", "zh", 2), ("m1", "en", 1)]
    page = create_app(opened()).test_client().get("/items/talk").text
    assert page.count("data-track=") == 2
    run("cues restore talk m1")
    assert [t.id for t in opened().reading.whole(Audience.PUBLIC, "talk").tracks] == ["t1"]


def test_what_is_odd_is_put_in_shown_and_told(run: Run, opened: Callable[[], Archive], tmp_path: Path) -> None:
    odd = tmp_path / "odd.srt"
    odd.write_text(
        LINES.replace("00:00:01,000\n王", "00:00:01,500\n王")
        + "\n3\n00:01:00,000 --> 00:01:02,000\n太晚\n\n4\n00:00:02,500 --> 00:00:02,700\n \n",
        "utf-8",
    )
    told = run("cues replace talk t1", odd, ok=1)
    assert told.exit_code == 1
    assert {code for code in ("cue-overlap", "cue-beyond-end", "cue-empty") if code in told.output} == {
        "cue-overlap",
        "cue-beyond-end",
        "cue-empty",
    }
    assert said(opened().reading.whole(Audience.PUBLIC, "talk"))[-1] == "太晚"
    assert "在录音结束之后" in create_app(opened()).test_client().get("/items/talk").text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02" * 400,
        "只是一段文字\n没有时间\n".encode(),
        b"WEBVTT\n\n00:aa --> 00:bb\nx\n",
        LINES.replace("安康", "13909150001").encode(),
    ],
    ids=["empty", "bytes", "plain", "no times", "personal"],
)
def test_what_is_no_timed_text_changes_nothing(run: Run, opened: Callable[[], Archive], tmp_path: Path, data: bytes) -> None:
    bad = tmp_path / "bad.srt"
    bad.write_bytes(data)
    last = opened().journal.last()
    done = run("cues replace talk t1", bad)
    assert isinstance(done.exception, UsageError)
    assert "13909150001" not in str(done.exception)
    assert opened().journal.last() == last


@pytest.mark.parametrize("words", ["cues export talk t9", "cues export no-such t1", "cues list no-such", "passages export no-such"])
def test_what_is_not_there_is_named(run: Run, words: str) -> None:
    assert isinstance(run(words).exception, NotFound)


def sheet(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(("起,止,题名,板式,访问级别,开放日期", *rows)) + "\n", "utf-8")
    return path


def test_passages_come_by_a_sheet_and_a_closed_one_gets_its_copy(run: Run, opened: Callable[[], Archive], tmp_path: Path) -> None:
    told = run("passages replace talk", sheet(tmp_path / "a.csv", "0:00,0:01,來安康,慢板;散板,,", "0:01,2.2,路上,,馆员,"))
    assert "2 段" in told.output
    archive = opened()
    item = archive.reading.whole(Audience.PUBLIC, "talk")
    assert [(s.id, s.start, s.end, s.title, s.fields) for s in item.segments] == [("s1", 0.0, 1.0, "來安康", {"metre": ("慢板", "散板")})]
    client = create_app(archive).test_client()
    page = client.get("/items/talk").text
    assert 'data-gap="1.0,2.2"' in page and "慢板 · 散板" in page and "走了四天" not in page
    assert client.get("/media/talk.f2/web", buffered=True).status_code == 200
    assert client.get("/media/talk.f2/original").status_code == 404
    rows = list(csv.DictReader(io.StringIO(run("passages export talk").stdout)))
    assert [(row["编号"], row["题名"], row["板式"], row["访问级别"]) for row in rows] == [
        ("s1", "來安康", "慢板; 散板", ""),
        ("s2", "路上", "", "馆员"),
    ]
    # A number is never given twice.
    run("passages replace talk", sheet(tmp_path / "b.csv", "0:00,0:01,來安康,,,"))
    run("passages replace talk", sheet(tmp_path / "c.csv", "0:00,0:01,來安康,,,", "1,2,新的,,,2099-01-01"))
    found = objects.read_object(opened().store, "talk").item.segments
    assert [(s.id, s.title) for s in found] == [("s1", "來安康"), ("s3", "新的")]
    assert [s.id for s in opened().reading.whole(Audience.PUBLIC, "talk").segments] == ["s1"], "until its day a passage is for staff"


def test_every_fault_of_a_sheet_is_told_at_once(run: Run, opened: Callable[[], Archive], tmp_path: Path) -> None:
    last = opened().journal.last()
    rows = ("x,0:01,甲,,,", "0:02,0:01,乙,,,", "9:00,9:30,丙,,,", "0,1,,,,", "0,1,丁,,谁都行,", "0,1,戊,,,明年")
    told = str(run("passages replace talk", sheet(tmp_path / "a.csv", *rows)).exception)
    assert [n for n in range(2, 8) if f"第 {n} 行" in told] == [2, 3, 4, 5, 6, 7]
    assert opened().journal.last() == last


def test_erasing_a_file_erases_what_was_mended_of_it(run: Run, opened: Callable[[], Archive], home: Path, tmp_path: Path) -> None:
    mended = tmp_path / "m.srt"
    mended.write_text(LINES.replace("坐船", "鸞鑰"), "utf-8")
    run("cues replace talk t1", mended)
    run("passages replace talk", sheet(tmp_path / "a.csv", "0,1,龕鰲,,,"))
    item = opened().reading.whole(Audience.STAFF, "talk")
    text = next(file.id for file in item.files if file.received.endswith(".srt"))
    run("erase", f"talk.{text}", "--reason", "误收", "--yes")
    left = b"".join(path.read_bytes() for folder in ("originals", "journal") for path in (home / folder).rglob("*") if path.is_file())
    assert "鸞鑰".encode() not in left and "龕鰲".encode() in left
    run("erase", "talk.f2", "--reason", "误收", "--yes")
    left = b"".join(path.read_bytes() for folder in ("originals", "journal") for path in (home / folder).rglob("*") if path.is_file())
    assert "龕鰲".encode() not in left
