"""Listening and viewing copies, on recordings made by the real ffmpeg."""

import json
import subprocess
from pathlib import Path

import numpy
import pytest
from PIL import Image

from archive.derivatives import ffmpeg
from archive.derivatives.film import make_film
from archive.derivatives.sound import make_sound
from archive.errors import DecodeError, MissingToolError
from archive.settings import Settings


@pytest.fixture(scope="module")
def tools() -> ffmpeg.Tools:
    return ffmpeg.find_tools(Settings(home=Path("/nonexistent")))


def _made(target: Path, *words: str) -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *words, str(target)], check=True)
    return target


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of black, then a moving test picture; ten seconds with a tone."""
    target = tmp_path_factory.mktemp("film") / "片 1'.avi"
    graph = "color=black:s=320x240:r=25:d=4[a];testsrc2=s=320x240:r=25:d=6[b];[a][b]concat"
    return _made(target, "-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", "sine=440:d=10", "-c:v", "mpeg4", "-c:a", "mp3")


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("sound") / "-o.wav", "-f", "lavfi", "-i", "sine=440:d=6")


def _samples(path: Path) -> numpy.ndarray:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "8000", "-"]
    return numpy.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i2")


def test_a_wav_gets_a_listening_copy_with_peaks_and_loudness(tone: Path, tools: ffmpeg.Tools, tmp_path: Path) -> None:
    made = make_sound(tone, tools, tmp_path)
    assert made.facts["direct"] is False
    assert made.facts["loudness"] == pytest.approx(-21, abs=4)
    assert abs(len(_samples(made.files["web.mp3"])) / 8000 - 6) < 0.2
    peaks = json.loads(made.files["peaks.json"].read_text())
    assert peaks["per_second"] * 6 == pytest.approx(len(peaks["peaks"]), abs=2)
    with Image.open(made.files["waveform.png"]) as picture:
        assert picture.size == (1200, 120)


def test_what_browsers_play_is_not_encoded_again(tone: Path, tools: ffmpeg.Tools, tmp_path: Path) -> None:
    mp3 = _made(tmp_path / "a.mp3", "-i", str(tone))
    made = make_sound(mp3, tools, tmp_path)
    assert made.facts["direct"] is True and "web.mp3" not in made.files


def test_a_closed_passage_is_silent_in_every_byte_made(tone: Path, tools: ffmpeg.Tools, tmp_path: Path) -> None:
    made = make_sound(tone, tools, tmp_path, closed=((2.0, 4.0),))
    samples = _samples(made.files["web.mp3"])
    assert numpy.abs(samples[int(2.2 * 8000) : int(3.8 * 8000)]).max() < 20
    assert numpy.abs(samples[:8000]).max() > 1000
    peaks = json.loads(made.files["peaks.json"].read_text())["peaks"]
    assert max(peaks[40:80]) == 0 and max(peaks[:35]) > 0


def test_a_film_that_browsers_do_not_play_is_encoded_with_a_poster_that_is_not_black(
    film: Path, tools: ffmpeg.Tools, tmp_path: Path
) -> None:
    made = make_film(film, tools, tmp_path)
    assert made.facts["way"] == "encode"
    streams = ffmpeg.probe_streams(made.files["web.mp4"], tools)["streams"]
    assert {(s["codec_name"], s.get("pix_fmt")) for s in streams} == {("h264", "yuv420p"), ("aac", None)}
    with Image.open(made.files["poster.jpg"]) as poster:
        assert numpy.asarray(poster.convert("L")).mean() > 40
    assert made.files["storyboard.vtt"].read_text().count("-->") == 10


def test_an_h264_film_is_remuxed_bit_for_bit(film: Path, tools: ffmpeg.Tools, tmp_path: Path) -> None:
    mkv = _made(tmp_path / "a.mkv", "-i", str(film), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")
    made = make_film(mkv, tools, tmp_path)
    assert made.facts["way"] == "remux"

    def picture(path: Path) -> str:
        command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "md5", "-"]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    assert picture(mkv) == picture(made.files["web.mp4"])


def test_a_playlist_dressed_up_as_a_film_opens_nothing(tone: Path, tools: ffmpeg.Tools, tmp_path: Path) -> None:
    script = tmp_path / "film.mp4"
    script.write_text(f"ffconcat version 1.0\nfile {tone.name}\n")
    (tmp_path / tone.name).write_bytes(tone.read_bytes())
    with pytest.raises(DecodeError) as refused:
        ffmpeg.probe_streams(script, tools)
    assert refused.value.code == "damaged"


def test_work_that_takes_too_long_is_ended(tools: ffmpeg.Tools, tmp_path: Path) -> None:
    long = _made(tmp_path / "long.wav", "-f", "lavfi", "-i", "sine=440:d=4000")
    with pytest.raises(DecodeError) as ended:
        ffmpeg.decode_through(long, tools, sound=True, film=False, seconds=0.05)
    assert ended.value.code == "timeout"


def test_a_missing_ffmpeg_is_named_with_its_remedy() -> None:
    with pytest.raises(MissingToolError, match="apt-get install ffmpeg"):
        ffmpeg.find_tools(Settings(home=Path("/nonexistent"), ffmpeg="/nowhere/ffmpeg"))
