"""Sound: a copy that every browser plays, the waveform as numbers and as a picture, the loudness; one decode for all of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from archive.derivatives import ffmpeg, formats, passages
from archive.derivatives.base import Made
from archive.derivatives.ffmpeg import Tools
from archive.errors import DecodeError

RECIPE = "sound-1"
WEB, PEAKS, PICTURE = "web.mp3", "peaks.json", "waveform.png"
PEAK_RATE = 8000
"""Samples a second of what the peaks are taken from."""
BUCKET = 80
"""Samples of the finest peaks kept while reading: 10 ms, an hour in 700 kB."""
MAX_PEAKS = 2000
_PICTURE_SIZE = (1600, 200)
_INK = (110, 84, 62)

_PLAYED = {
    ("mp3", "mp3"): "audio/mpeg",
    ("m4a", "aac"): "audio/mp4",
    ("mp4", "aac"): "audio/mp4",
    ("ogg", "opus"): "audio/ogg",
    ("webm", "opus"): "audio/webm",
}
"""(format, codec) that browsers play as it is."""


def make(
    path: Path,
    name: str,
    technical: Mapping[str, Any],
    duration: float | None,
    into: Path,
    *,
    closed: Iterable[tuple[float, float]] = (),
    tools: Tools | None = None,
    seconds: float = 120,
    on_progress: Callable[[float], None] | None = None,
) -> Made:
    """Make the derivatives of a recording in the folder `into`; `technical` and `duration` from its probe.

    With `closed` intervals ((start, end), seconds) they are silent in every file. Facts: `web` (`{"file", "media_type"}`; file None when
    browsers play the original itself), `peaks` (count), `loudness` in LUFS, `range` in LU, `peak` in dBFS (when measurable), `closed`.
    Raises DecodeError and MissingToolError.
    """
    form = formats.identify(path, name)
    intervals = passages.in_order(closed)
    codec = str((technical.get("audio") or {}).get("codec", ""))
    played = None if intervals else _PLAYED.get((form.key, codec))
    peaks = _PeakReader()
    with ffmpeg.alone(path) as url:
        channels = 1 if (technical.get("audio") or {}).get("channels") == 1 else 2
        graph = _graph(ffmpeg.source(url, form.demuxers), intervals, None if played else into / WEB, channels)
        limit = seconds + 2 * (duration or 600)
        ran = ffmpeg.run(graph, tools or Tools(), limit, on_progress=on_progress, on_output=peaks.feed, log_level="info")
    files = {PEAKS: into / PEAKS, PICTURE: into / PICTURE}
    if not played:
        files[WEB] = into / WEB
    values = peaks.finish()
    files[PEAKS].write_text(json.dumps(values, separators=(",", ":")), "utf-8")
    draw(values["data"], files[PICTURE])
    web = {"file": None if played else WEB, "media_type": played or "audio/mpeg"}
    return Made(files, {"web": web, "peaks": values["length"], "closed": [list(pair) for pair in intervals]} | loudness(ran.tail))


def _graph(source: Any, closed: passages.Closed, web: Path | None, channels: int) -> Any:
    """Loudness and peaks, and the web copy when one is needed, from one decode."""
    sound = silenced(source["a:0"], closed)
    branches = sound.filter_multi_output("asplit", 3 if web else 2)
    outputs = [
        ffmpeg.output(branches[0].filter("ebur128", peak="sample", framelog="verbose"), to="-", format="null"),
        ffmpeg.output(branches[1].filter("aresample", PEAK_RATE), to="pipe:1", format="s16le", ac=1),
    ]
    if web:
        options = {"format": "mp3", "acodec": "libmp3lame", "q:a": 2, "ac": channels, "map_metadata": -1, "write_xing": 1}
        outputs.append(
            ffmpeg.output(
                branches[2].filter("aresample").filter("aformat", sample_rates="44100|48000|32000|22050|16000"), to=web, **options
            )
        )
    return ffmpeg.together(*outputs)


def silenced(sound: Any, closed: passages.Closed) -> Any:
    """The stream with nothing to hear inside the closed intervals. Cut into short frames first: a timeline switches at frames."""
    if not closed:
        return sound
    cut = sound.filter("asetnsamples", n=256, p=0).filter("volume", 0, enable=passages.expression(closed))
    # Where a later filter asks for another rate (recordings of 8 or 96 kHz), FFmpeg 5.1 cannot put its resampler before `volume`.
    return cut.filter("aresample")


def loudness(log: str) -> dict[str, float]:
    """EBU R128 figures out of FFmpeg's summary; silence has none."""
    found = {}
    for key, pattern in (
        ("loudness", r"\bI:\s+(-?[\d.]+) LUFS"),
        ("range", r"\bLRA:\s+([\d.]+) LU\b"),
        ("peak", r"\bPeak:\s+(-?[\d.]+) dBFS"),
    ):
        numbers = re.findall(pattern, log)
        if numbers:
            found[key] = float(numbers[-1])
    return found


class _PeakReader:
    """Takes 16-bit mono samples as they come and keeps the lowest and highest of each 10 ms."""

    def __init__(self) -> None:
        self._rest = b""
        self._low: list[Any] = []
        self._high: list[Any] = []

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // (2 * BUCKET) * 2 * BUCKET
        self._rest = data[whole:]
        if whole:
            self._keep(np.frombuffer(data[:whole], "<i2").reshape(-1, BUCKET))

    def _keep(self, buckets: Any) -> None:
        self._low.append((buckets.min(axis=1) >> 8).astype(np.int8))
        self._high.append(((buckets.max(axis=1).astype(np.int32) + 255) >> 8).clip(-128, 127).astype(np.int8))

    def finish(self) -> dict[str, Any]:
        """Peaks in the JSON form of audiowaveform (version 2, 8 bits): `data` lowest, highest, lowest, highest …, at most MAX_PEAKS pairs."""
        if len(self._rest) >= 2:
            self._keep(np.frombuffer(self._rest[: len(self._rest) // 2 * 2], "<i2").reshape(1, -1))
        if not self._low:
            raise DecodeError("damaged", "no sound in it")
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        step = max(1, math.ceil(len(low) / MAX_PEAKS))
        starts = np.arange(0, len(low), step)
        pairs = np.stack([np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)], axis=1)
        return {
            "version": 2,
            "channels": 1,
            "sample_rate": PEAK_RATE,
            "samples_per_pixel": BUCKET * step,
            "bits": 8,
            "length": len(pairs),
            "data": [int(value) for value in pairs.ravel()],
        }


def draw(data: list[int], path: Path) -> None:
    """The waveform as a picture on a transparent ground, as wide as the recording is long."""
    width, height = _PICTURE_SIZE
    pairs = np.asarray(data, dtype=np.float32).reshape(-1, 2)
    at = (np.arange(width) * len(pairs) // width).clip(0, len(pairs) - 1)
    scale = (height / 2 - 1) / max(32.0, float(np.abs(pairs).max()))
    top = np.floor(height / 2 - pairs[at, 1] * scale)
    bottom = np.maximum(np.ceil(height / 2 - pairs[at, 0] * scale), top + 1)
    rows = np.arange(height)[:, None]
    inked = (rows >= top) & (rows < bottom)
    picture = Image.fromarray(inked.astype(np.uint8))
    picture.putpalette([255, 255, 255, *_INK])
    picture.save(path, "PNG", transparency=0, bits=1)
