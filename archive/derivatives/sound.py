"""Sound: a listening copy, the waveform as numbers and as a picture, and loudness.

A file that every browser plays already is its own listening copy (the original's bytes are served; nothing is encoded again). The rest becomes
MP3, which costs half of what AAC does and plays everywhere. Where passages are closed, `closed` gives their seconds: a copy is made in which they
are silent, and the waveform is flat there, so that nothing of them is in any byte served.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg
from PIL import Image, ImageDraw

from archive.derivatives.base import Made
from archive.derivatives.ffmpeg import Tools, alone, probe_streams, run, source
from archive.errors import DecodeError

SOUND_RECIPE = "sound-1"
PEAKS_A_SECOND = 20
_PEAK_RATE = 8000
_PLAYS = {("mp3", "mp3"), ("mov", "aac"), ("ogg", "opus"), ("ogg", "vorbis"), ("flac", "flac")}
"""(container, codec) that today's browsers play; WAV plays too but is three times the size of a listening copy."""
_MOST_DIRECT = 400 << 20
_INK = (122, 42, 34)


def time_limit(duration: float | None) -> float:
    """Seconds that work on a recording of this length may take."""
    return 120 + 4 * (duration or 600)


def make_sound(path: Path, tools: Tools, out: Path, closed: Sequence[tuple[float, float]] = ()) -> Made:
    """`web.mp3` (absent when the original itself is the listening copy), `peaks.json`, `waveform.png` in `out`.

    Facts: `direct` (the original is served), `duration` (seconds), `loudness` (LUFS, integrated, EBU R128), `loudness_range` (LU), `true_peak` (dBFS), `media_type`.
    """
    with alone(path) as link:
        found = probe_streams(link, tools)
        stream = next((s for s in found["streams"] if s["codec_type"] == "audio"), None)
        if stream is None:
            raise DecodeError("damaged", "no sound")
        duration = float(found["format"].get("duration") or stream.get("duration") or 0)
        direct = not closed and plays(found, stream) and path.stat().st_size <= _MOST_DIRECT
        words = _encode(link, tools, out, duration, closed, direct)
    peaks = _peaks(out / "peaks.raw", closed)
    (out / "peaks.raw").unlink()
    (out / "peaks.json").write_text(json.dumps({"per_second": PEAKS_A_SECOND, "peaks": peaks}, separators=(",", ":")), "utf-8")
    _picture(peaks, out / "waveform.png")
    files = {name: out / name for name in ("peaks.json", "waveform.png")}
    if not direct:
        files["web.mp3"] = out / "web.mp3"
    facts = {"direct": direct, "duration": duration, "media_type": media_type(found) if direct else "audio/mpeg", **loudness(words)}
    return Made(files, facts)


def plays(found: dict[str, Any], stream: dict[str, Any]) -> bool:
    """True when browsers play this container with this codec of sound as it is."""
    container = found["format"]["format_name"].split(",")[0]
    return (container, stream.get("codec_name")) in _PLAYS and not any(
        s["codec_type"] == "video" and not s.get("disposition", {}).get("attached_pic") for s in found["streams"]
    )


def media_type(found: dict[str, Any]) -> str:
    """The media type under which a directly played file is served."""
    return {"mp3": "audio/mpeg", "mov": "audio/mp4", "ogg": "audio/ogg", "flac": "audio/flac"}[found["format"]["format_name"].split(",")[0]]


def silenced(stream: Any, closed: Sequence[tuple[float, float]]) -> Any:
    """The stream with these passages silent."""
    for start, end in closed:
        stream = stream.filter("volume", volume=0, enable=f"between(t,{start:.3f},{end:.3f})")
    return stream


def _encode(link: Path, tools: Tools, out: Path, duration: float, closed: Sequence[tuple[float, float]], direct: bool) -> str:
    sound = silenced(source(link)["a:0"], closed).filter("ebur128", framelog="verbose", peak="true")
    ways = [sound] if direct else sound.filter_multi_output("asplit", 2)
    small = ways[0].filter("aformat", sample_fmts="s16", channel_layouts="mono").filter("aresample", _PEAK_RATE)
    outputs = [ffmpeg.output(small, str(out / "peaks.raw"), f="s16le", acodec="pcm_s16le", ac=1, ar=_PEAK_RATE)]
    if not direct:
        outputs.append(ffmpeg.output(ways[1], str(out / "web.mp3"), acodec="libmp3lame", ac=2, **{"q:a": 2, "map_metadata": -1}))
    return run(tools, outputs, seconds=time_limit(duration))


def _peaks(raw: Path, closed: Sequence[tuple[float, float]]) -> list[float]:
    """Largest absolute sample of each twentieth of a second, 0 to 1."""
    import numpy

    samples = numpy.fromfile(raw, "<i2")
    step = _PEAK_RATE // PEAKS_A_SECOND
    whole = numpy.zeros(-(-len(samples) // step) * step, "<i2")
    whole[: len(samples)] = samples
    peaks = numpy.abs(whole.reshape(-1, step).astype("i4")).max(axis=1) / 32768 if len(whole) else numpy.zeros(0)
    for start, end in closed:
        peaks[int(start * PEAKS_A_SECOND) : int(end * PEAKS_A_SECOND) + 1] = 0
    return [round(float(peak), 3) for peak in peaks]


def _picture(peaks: Sequence[float], path: Path, width: int = 1200, height: int = 120) -> None:
    """The waveform as bars around the middle line."""
    image = Image.new("RGB", (width, height), (250, 247, 240))
    draw = ImageDraw.Draw(image)
    middle = height / 2
    for x in range(width):
        some = peaks[x * len(peaks) // width : max(x * len(peaks) // width + 1, (x + 1) * len(peaks) // width)]
        reach = max(0.5, max(some, default=0.0) * (middle - 4))
        draw.line((x, middle - reach, x, middle + reach), fill=_INK)
    image.quantize(16).save(path, optimize=True)


def loudness(words: str) -> dict[str, float]:
    """Integrated loudness, range and true peak out of the summary that ffmpeg's ebur128 prints; nothing for silence."""
    found = {}
    for key, pattern in (
        ("loudness", r"I:\s+(-?[\d.]+) LUFS"),
        ("loudness_range", r"LRA:\s+(-?[\d.]+) LU"),
        ("true_peak", r"Peak:\s+(-?[\d.]+) dBFS"),
    ):
        values = re.findall(pattern, words)
        if values:
            found[key] = float(values[-1])
    return found


__all__ = ["SOUND_RECIPE", "loudness", "make_sound", "media_type", "plays", "silenced", "time_limit"]
