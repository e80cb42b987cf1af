"""Copies of sound and film that browsers play, and what is shown of them; passages that may not be heard are gone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest_media import read

from archive.derivatives import ffmpeg, film, passages, sound
from archive.derivatives.base import ProbeLimits
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.probe import probe
from archive.errors import DecodeError, DiskFull, MissingToolError

MakeMedia = Callable[..., Path]
LIMITS = ProbeLimits(seconds=30)


def make(maker: Any, path: Path, into: Path, **options: Any) -> dict[str, Any]:
    into.mkdir(exist_ok=True)
    found = probe(path, path.name, LIMITS)
    made = maker.make(path, path.name, found.technical, found.duration, into, seconds=60, **options)
    assert all(file.stat().st_size > 0 for file in made.files.values())
    return dict(made.facts)


def samples(path: Path) -> Any:
    """Mono samples at 8 kHz."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "8000", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i2").astype(int)


def frame(path: Path, time: float) -> Any:
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-ss",
        str(time),
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    ]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)


def streams(path: Path) -> list[str]:
    with ffmpeg.alone(path) as url:
        return [stream["codec_name"] for stream in ffmpeg.inspect(url, "mov,mp4,m4a,3gp,3g2,mj2", Tools())["streams"]]


def test_sound_gets_a_web_copy_peaks_picture_and_loudness(media: MakeMedia, tmp_path: Path) -> None:
    facts = make(sound, media("a.wav", seconds=5), tmp_path / "out")
    assert facts["web"] == {"file": "web.mp3", "media_type": "audio/mpeg"}
    assert len(samples(tmp_path / "out" / "web.mp3")) == pytest.approx(40000, rel=0.03)
    peaks = json.loads((tmp_path / "out" / "peaks.json").read_text())
    assert len(peaks["data"]) == 2 * peaks["length"] == 2 * facts["peaks"]
    assert peaks["length"] * peaks["samples_per_pixel"] / peaks["sample_rate"] == pytest.approx(5, rel=0.02)
    assert max(peaks["data"]) == pytest.approx(16, abs=2)  # the sine source swings to an eighth
    assert facts["loudness"] == pytest.approx(-21.8, abs=1.5)
    assert facts["peak"] == pytest.approx(-18, abs=0.5)
    assert read(tmp_path / "out" / "waveform.png").size == (1600, 200)


@pytest.mark.parametrize(("name", "media_type"), [("a.mp3", "audio/mpeg"), ("a.m4a", "audio/mp4"), ("a.opus", "audio/ogg")])
def test_sound_that_browsers_play_is_kept_as_it_is(media: MakeMedia, tmp_path: Path, name: str, media_type: str) -> None:
    assert make(sound, media(name), tmp_path / "out")["web"] == {"file": None, "media_type": media_type}
    assert not (tmp_path / "out" / "web.mp3").exists()


@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_a_closed_passage_is_silent_in_copy_and_waveform(media: MakeMedia, tmp_path: Path, name: str) -> None:
    facts = make(sound, media(name, seconds=6), tmp_path / "out", closed=((2.0, 4.0),))
    assert facts["web"]["file"] == "web.mp3"
    heard = samples(tmp_path / "out" / "web.mp3")
    assert abs(heard[2 * 8000 : 4 * 8000]).max() < 20
    assert abs(heard[8000 : int(1.7 * 8000)]).max() > 1000
    assert abs(heard[int(4.4 * 8000) : 5 * 8000]).max() > 1000
    peaks = json.loads((tmp_path / "out" / "peaks.json").read_text())
    seconds = peaks["samples_per_pixel"] / peaks["sample_rate"]
    inside = peaks["data"][2 * int(2 / seconds) : 2 * int(4 / seconds)]
    assert set(inside) <= {-1, 0, 1}


@pytest.mark.parametrize("rate", ["8000", "96000"])
def test_a_passage_is_cut_out_of_recordings_of_any_rate(media: MakeMedia, tmp_path: Path, rate: str) -> None:
    path = media("a.wav", "-ar", rate, seconds=3)
    facts = make(sound, path, tmp_path / "out", closed=((1.0, 2.0),))
    assert facts["web"]["file"] == "web.mp3"
    heard = samples(tmp_path / "out" / "web.mp3")
    assert abs(heard[int(1.1 * 8000) : int(1.9 * 8000)]).max() < 40
    assert abs(heard[4000:6000]).max() > 1000


def test_recipes_of_cut_copies_differ_by_their_intervals() -> None:
    assert passages.recipe("sound-1", ()) == "sound-1"
    cut = passages.recipe("sound-1", ((5, 6), (1, 2)))
    assert cut == passages.recipe("sound-1", ((1.0, 2.0), (5.0, 6.0)))
    assert cut != passages.recipe("sound-1", ((1, 2),))
    assert passages.in_order(((3, 5), (1, 2), (4, 6), (9, 8))) == ((1.0, 2.0), (3, 6))


def test_a_film_that_browsers_play_is_not_encoded(media: MakeMedia, tmp_path: Path) -> None:
    options = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    fast = media("fast.mp4", *options, "-movflags", "+faststart", video=True)
    assert make(film, fast, tmp_path / "a")["web"] == {"file": None, "media_type": "video/mp4", "how": "original"}
    for name in ("late.mp4", "a.mkv", "a.flv"):
        path = media(name, *options, "-ar", "44100", video=True)
        assert make(film, path, tmp_path / name.replace(".", "-"))["web"]["how"] == "remuxed"
        assert streams(tmp_path / name.replace(".", "-") / "web.mp4") == ["h264", "aac"]
    webm = media("a.webm", "-deadline", "realtime", video=True)
    assert make(film, webm, tmp_path / "w")["web"] == {"file": None, "media_type": "video/webm", "how": "original"}


def test_an_old_film_becomes_h264_at_its_shape(media: MakeMedia, tmp_path: Path) -> None:
    facts = make(film, media("a.mpg", "-c:v", "mpeg2video", "-aspect", "16:9", video=True, seconds=3), tmp_path / "out")
    assert facts["web"] == {"file": "web.mp4", "media_type": "video/mp4", "how": "encoded"}
    found = probe(tmp_path / "out" / "web.mp4", "web.mp4", LIMITS)
    assert found.technical["video"]["codec"] == "h264"
    assert (found.width, found.height, found.faults) == (256, 144, ())
    assert read(tmp_path / "out" / "1600.jpg").size == (256, 144)
    assert found.duration == pytest.approx(3, abs=0.2)


def test_the_poster_is_not_black(media: MakeMedia, tmp_path: Path) -> None:
    path = media("a.avi", "-vf", "tpad=start_duration=4:color=black", "-c:v", "mpeg4", video=True, seconds=6)
    facts = make(film, path, tmp_path / "out")
    assert np.asarray(read(tmp_path / "out" / "400.jpg").convert("L")).mean() > 60
    assert 4 <= facts["poster_time"] <= 10


@pytest.mark.parametrize("seconds", [6, 40])
def test_the_storyboard_covers_the_film(media: MakeMedia, tmp_path: Path, seconds: int) -> None:
    facts = make(film, media("a.mpg", video=True, seconds=seconds), tmp_path / "out")["storyboard"]
    text = (tmp_path / "out" / "storyboard.vtt").read_text()
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nstoryboard.jpg#xywh=0,0,160,")
    assert text.count("-->") == facts["frames"] == pytest.approx(seconds, abs=2)
    sheet = read(tmp_path / "out" / "storyboard.jpg")
    assert sheet.width == min(10, facts["frames"]) * 160


def test_a_closed_passage_of_a_film_is_dark_and_silent(media: MakeMedia, tmp_path: Path) -> None:
    path = media("a.mp4", "-c:v", "libx264", "-movflags", "+faststart", video=True, seconds=6)
    facts = make(film, path, tmp_path / "out", closed=((0, 3.0),))
    copy = tmp_path / "out" / "web.mp4"
    assert facts["web"]["how"] == "encoded"
    for time in (0, 1, 2.9):
        assert frame(copy, time).max() < 30
    assert frame(copy, 4.5).max() > 200
    heard = samples(copy)
    assert abs(heard[: 3 * 8000]).max() < 20
    assert abs(heard[4 * 8000 : 5 * 8000]).max() > 1000
    assert facts["poster_time"] > 3
    sheet = np.asarray(read(tmp_path / "out" / "storyboard.jpg").convert("L"))
    assert sheet[:, : 3 * 160].max() < 40


def test_a_missing_ffmpeg_is_named_with_its_remedy(media: MakeMedia) -> None:
    with pytest.raises(MissingToolError, match="apt-get install ffmpeg") as caught:
        probe(media("a.wav"), "a.wav", LIMITS, Tools(ffprobe="no-such-program"))
    assert caught.value.tool == "no-such-program"
    assert len(ffmpeg.check(Tools("no-such", "no-such-either"))) == 2
    assert ffmpeg.check(Tools()) == []
    assert ffmpeg.version("ffmpeg") >= (4, 4)


def test_ffmpeg_is_stopped_at_its_limit(media: MakeMedia) -> None:
    path = media("a.wav", seconds=4000)
    with ffmpeg.alone(path) as url:
        slow = ffmpeg.output(ffmpeg.source(url, "wav").audio.filter("arealtime"), to="-", format="null")
        with pytest.raises(DecodeError) as caught:
            ffmpeg.run(slow, Tools(), 0.3)
    assert caught.value.code == "timeout"


def test_a_full_disk_is_no_fault_of_the_file(media: MakeMedia) -> None:
    path = media("a.wav")
    with ffmpeg.alone(path) as url:
        graph = ffmpeg.output(ffmpeg.source(url, "wav").audio, to=Path("/dev/full"), format="wav")
        with pytest.raises(DiskFull):
            ffmpeg.run(graph, Tools(), 20)


def test_progress_is_told(media: MakeMedia, tmp_path: Path) -> None:
    seen: list[float] = []
    make(sound, media("a.wav", seconds=3), tmp_path / "out", on_progress=seen.append)
    assert seen[-1] == pytest.approx(3, abs=0.3)
