"""A recording with closed passages: who may not hear them gets a copy without them, of the same length. What is served is decoded and listened to."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from flask import g
from flask.testing import FlaskClient
from PIL import Image

from archive.assembly import Archive, make_home, open_archive
from archive.catalogue.items import put_item
from archive.model.item import Cue, Item, MediaFile, MediaKind, Segment, Track
from archive.model.rights import Audience, Embargo, Rights
from archive.services.deriving import make, missing
from archive.settings import load_settings
from archive.web import create_app

RATE = 16_000
SECRET, ROOM, OPEN = 3000, 1800, 440
"""Hz of what staff may hear, of what the reading room may, of what all may."""
SOUND_GAPS, FILM_GAP = ((2.0, 4.0), (5.0, 6.0)), (1.6, 2.4)
NAME = "不可說的名字"
OPENING = date(2030, 1, 1)


def ffmpeg(*words: str) -> bytes:
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *words], check=True, capture_output=True, timeout=60).stdout


def originals(folder: Path) -> tuple[Path, Path]:
    """Seven seconds of sound, in which the closed passages have a pitch of their own; three of film, in which the closed one is red."""
    pieces = [(OPEN, 2), (SECRET, 2), (OPEN, 1), (ROOM, 1), (OPEN, 1)]
    inputs = [word for pitch, seconds in pieces for word in ("-f", "lavfi", "-i", f"sine=frequency={pitch}:duration={seconds}")]
    joined = "".join(f"[{n}:a]" for n in range(len(pieces))) + f"concat=n={len(pieces)}:v=0:a=1"
    ffmpeg(*inputs, "-filter_complex", joined, "-b:a", "128k", str(folder / "a.mp3"))
    colours = [("gray", 1.6), ("red", 0.8), ("gray", 0.6)]
    inputs = [word for colour, seconds in colours for word in ("-f", "lavfi", "-i", f"color={colour}:s=160x120:r=25:d={seconds}")]
    options = ("-map", "[v]", "-map", "3:a", "-pix_fmt", "yuv420p", "-g", "5", "-movflags", "+faststart")
    tone = ("-f", "lavfi", "-i", f"sine=frequency={SECRET}:duration=3")
    ffmpeg(*inputs, *tone, "-filter_complex", "[0:v][1:v][2:v]concat=n=3[v]", *options, str(folder / "b.mp4"))
    return folder / "a.mp3", folder / "b.mp4"


def opera(sound: Path, film: Path) -> Item:
    def file(id: str, path: Path, kind: MediaKind, duration: float, codec: dict[str, object]) -> MediaFile:
        data = path.read_bytes()
        digest, media_type = hashlib.sha512(data).hexdigest(), "audio/mpeg" if kind is MediaKind.SOUND else "video/mp4"
        return MediaFile(
            id, f"originals/{NAME}{path.suffix}", path.name, len(data), digest, media_type, kind, duration=duration, technical=codec
        )

    picture = {"codec": "h264", "pixel_format": "yuv420p", "width": 160, "height": 120, "frame_rate": 25}
    staff, room = Rights(Audience.STAFF), Rights(Audience.READING_ROOM)
    return Item(
        "opera", "2026-001", "han-opera", "han-opera", "戲", "opera",
        files=(
            file("f1", sound, MediaKind.SOUND, 7.0, {"audio": {"codec": "mp3", "channels": 1}}),
            file("f2", film, MediaKind.FILM, 3.0, {"video": picture, "audio": {"codec": "aac"}}),
        ),
        tracks=(Track("t1", "f1", (Cue(0.5, 1.5, "開場"), Cue(2.5, 3.5, NAME), Cue(4.2, 4.8, "收場"))),),
        segments=(
            Segment("s1", "f1", *SOUND_GAPS[0], NAME, rights=staff),
            Segment("s2", "f1", *SOUND_GAPS[1], NAME, rights=room),
            Segment("s3", "f2", *FILM_GAP, NAME, rights=Rights(Audience.STAFF, Embargo(OPENING, Audience.PUBLIC))),
        ),
        rights=Rights(Audience.PUBLIC),
    )  # fmt: skip


def opened(home: Path, day: date = date(2026, 11, 22)) -> Archive:
    return open_archive(load_settings(home), now=lambda: datetime(day.year, day.month, day.day, tzinfo=UTC))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut")
    item = opera(*originals(folder))
    make_home(folder / "home")
    archive = opened(folder / "home")
    state: dict[str, Path | bytes | str] = {item.files[0].path: folder / "a.mp3", item.files[1].path: folder / "b.mp4"}
    archive.store.add_version(item.id, state, message="ingestion 1", user="test", created="2026-11-22T00:00:00Z")
    for job in missing(item, archive.store, archive.derivatives, archive.settings):
        make(job)
    with archive.catalogue.write() as connection:
        put_item(connection, item, version=1, batch="1", at="2026-11-22T00:00:00Z", day=date(2026, 11, 22))
    archive.close()
    return folder / "home"


@dataclass
class Listener:
    """Asks as one audience, and hears what comes."""

    client: FlaskClient
    folder: Path

    def get(self, path: str, **headers: str) -> bytes | None:
        """The body, None for what is not there."""
        answer = self.client.get(path, headers=headers, buffered=True)
        return answer.data if answer.status_code in (200, 206) else None

    def hears(self, data: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        path = self.folder / "heard"
        path.write_bytes(data)
        return np.frombuffer(ffmpeg("-i", str(path), "-vn", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"), "<f4")


Ask = Callable[..., Listener]


@pytest.fixture
def ask(home: Path, tmp_path: Path) -> Iterator[Ask]:
    archives = []

    def make_one(reader: Audience, day: date = date(2026, 11, 22), at: Path = home) -> Listener:
        archives.append(opened(at, day))
        app = create_app(archives[-1])
        app.before_request_funcs[None].append(lambda: setattr(g, "reader", reader))
        return Listener(app.test_client(), tmp_path)

    yield make_one
    for archive in archives:
        archive.close()


def pitches(heard: np.ndarray) -> set[int]:
    power, pitch = np.abs(np.fft.rfft(heard)) ** 2, np.fft.rfftfreq(len(heard), 1 / RATE)
    return {known for known in (SECRET, ROOM, OPEN) if power[np.abs(pitch - known) < 30].sum() > 0.003 * power.sum()}


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (Audience.PUBLIC, {OPEN}),
        (Audience.SIGNED_IN, {OPEN}),
        (Audience.READING_ROOM, {OPEN, ROOM}),
        (Audience.ON_REQUEST, {OPEN, ROOM}),
        (Audience.STAFF, {OPEN, ROOM, SECRET}),
    ],
    ids=lambda value: value.value if isinstance(value, Audience) else "",
)
def test_each_reader_hears_what_is_open_to_them_and_no_more(ask: Ask, reader: Audience, expected: set[int]) -> None:
    listener = ask(reader)
    data = listener.get("/media/opera.f1/web")
    assert data is not None
    heard = listener.hears(data)
    assert pitches(heard) == expected
    assert abs(len(heard) / RATE - 7.0) < 0.15, "the same timeline"
    closed = [gap for gap, pitch in zip(SOUND_GAPS, (SECRET, ROOM), strict=True) if pitch not in expected]
    for start, end in closed:
        assert np.abs(heard[int(start * RATE) : int(end * RATE)]).max() < 0.003
    assert np.abs(heard[int(0.5 * RATE) : int(1.7 * RATE)]).max() > 0.05, "what is open is heard"
    assert (listener.get("/media/opera.f1/original") is None) is bool(closed)


def test_a_range_of_bytes_is_one_of_the_copy(ask: Ask) -> None:
    listener = ask(Audience.PUBLIC)
    whole = listener.get("/media/opera.f1/web")
    assert whole is not None
    middle = len(whole) // 2
    assert listener.get("/media/opera.f1/web", Range=f"bytes={middle}-{middle + 999}") == whole[middle : middle + 1000]
    staff = ask(Audience.STAFF).get("/media/opera.f1/web")
    assert staff is not None and whole[2000:4000] not in staff
    tag = listener.client.get("/media/opera.f1/web", buffered=True).headers["ETag"]
    digest = hashlib.sha512(staff).hexdigest()  # browsers play this original itself
    assert digest[:8] not in tag


def test_waveform_and_peaks_are_those_of_the_copy(ask: Ask) -> None:
    listener = ask(Audience.PUBLIC)
    peaks = listener.client.get("/media/opera.f1/peaks").get_json()
    values = np.abs(np.array(peaks["data"]).reshape(-1, 2)).max(axis=1)
    at = (np.arange(len(values)) + 0.5) / len(values) * 7.0
    for start, end in SOUND_GAPS:
        assert values[(at > start) & (at < end)].max() <= 1
    assert values[(at > 0.5) & (at < 1.5)].max() > 5
    drawn = listener.get("/media/opera.f1/waveform")
    assert drawn is not None
    inked = (np.asarray(Image.open(io.BytesIO(drawn)).convert("RGBA"))[:, :, 3] > 0).sum(axis=0)
    assert inked[int(len(inked) * 2.2 / 7) : int(len(inked) * 3.8 / 7)].max() <= 2


def red(picture: Image.Image) -> bool:
    r, gr, b = np.asarray(picture.convert("RGB"), dtype=np.int16).reshape(-1, 3).T
    return bool(((r > 150) & (gr < 90) & (b < 90)).mean() > 0.002)


def frames(data: bytes, folder: Path) -> list[Image.Image]:
    (folder / "seen.mp4").write_bytes(data)
    raw = ffmpeg("-i", str(folder / "seen.mp4"), "-an", "-vf", "scale=32:24", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    return [Image.frombytes("RGB", (32, 24), raw[n : n + 2304]) for n in range(0, len(raw) - 2303, 2304)]


def test_nothing_of_a_closed_passage_of_a_film_is_seen_or_heard(ask: Ask, tmp_path: Path) -> None:
    listener = ask(Audience.PUBLIC)
    data = listener.get("/media/opera.f2/web")
    assert data is not None
    pictures = frames(data, tmp_path)
    assert not any(red(picture) for picture in pictures)
    assert abs(len(pictures) - 75) <= 2
    heard = listener.hears(data)
    assert np.abs(heard[int(1.65 * RATE) : int(2.35 * RATE)]).max() < 0.003
    for path in ("/media/opera.f2/poster", "/media/opera.f2/storyboard/storyboard.jpg", "/thumbs/opera.f2/400"):
        picture = listener.get(path)
        assert picture is not None, path
        assert not red(Image.open(io.BytesIO(picture))), path
    seen_by_staff = ask(Audience.STAFF).get("/media/opera.f2/web")
    assert seen_by_staff is not None and any(red(picture) for picture in frames(seen_by_staff, tmp_path)), "the test can fail"


def test_on_the_day_an_embargo_ends_the_whole_film_is_there(ask: Ask, tmp_path: Path) -> None:
    before, after = ask(Audience.PUBLIC, date(2029, 12, 31)), ask(Audience.PUBLIC, OPENING)
    assert before.get("/media/opera.f2/original") is None
    data = after.get("/media/opera.f2/original")
    assert data is not None and any(red(picture) for picture in frames(data, tmp_path))
    assert 'data-gap="1.6' not in after.client.get("/items/opera").text


def test_the_page_says_where_the_gaps_are_and_not_what_is_in_them(ask: Ask) -> None:
    page = ask(Audience.PUBLIC).client.get("/items/opera").text
    assert NAME not in page
    assert 'data-gap="2.0,4.0"' in page and 'data-gap="5.0,6.0"' in page and 'data-gap="1.6,2.4"' in page
    assert page.count("开场") + page.count("開場") == 1
    assert 'src="/media/opera.f1/web"' in page
    assert NAME not in ask(Audience.PUBLIC).client.get("/items/opera/cues/t1.vtt").text
    room = ask(Audience.READING_ROOM).client.get("/items/opera").text
    assert 'data-gap="2.0,4.0"' in room and 'data-gap="5.0,6.0"' not in room


def test_lists_count_what_is_heard_in_part(ask: Ask) -> None:
    (line,) = ask(Audience.PUBLIC).client.get("/api/v1/items").get_json()["items"]
    assert line["recordings"] == 2
    assert line["thumbnail"].endswith("/thumbs/opera.f2/400")


def test_without_the_copy_nothing_is_played(ask: Ask, home: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(home, tmp_path / "home", symlinks=True))
    for folder in bare.glob("derivatives/*/*/whole/*-cut-*"):
        shutil.rmtree(folder)
    listener = ask(Audience.PUBLIC, at=bare)
    for path in ("f1/web", "f1/waveform", "f1/peaks", "f2/web", "f2/poster", "f2/storyboard/storyboard.vtt"):
        assert listener.get(f"/media/opera.{path}") is None, path
    page = listener.client.get("/items/opera").text
    assert "<audio" not in page and "还没有做好" in page and "開場" in page
