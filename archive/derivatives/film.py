"""Film: a copy that every browser plays, a poster that is not black, a storyboard for the seek bar."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from archive.derivatives import ffmpeg, formats, passages, sound
from archive.derivatives.base import Made
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.page_image import THUMBNAIL_QUALITY, THUMBNAILS
from archive.errors import DecodeError

RECIPE = "film-1"
WEB, STORYBOARD = "web.mp4", "storyboard.vtt"
FRAMES = 100
"""Most frames of a storyboard."""
FRAME_WIDTH = 160
ACROSS = 10
KEYFRAMES_FROM = 30.0
"""Seconds; of longer films only the key frames are decoded, at a quarter of the cost (2026-11)."""
_MAX_SIDE = 1920


@dataclass(frozen=True, slots=True)
class _Film:
    """A film being worked on: as FFmpeg is given it, with what its probe said."""

    path: Path
    url: str
    demuxers: str
    key: str
    video: Mapping[str, Any]
    audio: Mapping[str, Any]
    duration: float
    tools: Tools
    seconds: float


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
    """Make the derivatives of a film in the folder `into`; `technical` and `duration` from its probe.

    With `closed` intervals ((start, end), seconds) they are silent and black in every file. Facts: `web` (`{"file", "media_type", "how"}`: how is
    `original`, `remuxed` or `encoded`; file None for the original itself), `poster` (thumbnail names are `200.jpg` … as for pages, `thumbnails`
    their sizes), `poster_time`, `storyboard` (frames, size, interval, sheets), `closed`. Raises DecodeError and MissingToolError.
    """
    form = formats.identify(path, name)
    intervals = passages.in_order(closed)
    tools = tools or Tools()
    with ffmpeg.alone(path) as url:
        film = _Film(
            path,
            url,
            form.demuxers,
            form.key,
            technical.get("video") or {},
            technical.get("audio") or {},
            duration or 0.0,
            tools,
            seconds,
        )
        web = _web_copy(film, into / WEB, intervals, on_progress)
        files = {WEB: into / WEB} if web["file"] else {}
        if intervals:  # what is shown of a cut film must come from the cut copy
            with ffmpeg.alone(into / WEB) as cut:
                shown = _Film(
                    into / WEB, cut, formats.FORMATS["mp4"].demuxers, "mp4", film.video, film.audio, film.duration, tools, seconds
                )
                pictures, facts = _pictures(shown, into)
        else:
            pictures, facts = _pictures(film, into)
    return Made(files | pictures, {"web": web, "closed": [list(pair) for pair in intervals]} | facts)


def _web_copy(film: _Film, to: Path, closed: passages.Closed, on_progress: Callable[[float], None] | None) -> dict[str, Any]:
    if not closed:
        if _plays(film):
            return {"file": None, "media_type": "video/webm" if film.key == "webm" else "video/mp4", "how": "original"}
        if _fits_mp4(film) and _remux(film, to):
            return {"file": WEB, "media_type": "video/mp4", "how": "remuxed"}
    ffmpeg.run(_encoding(film, to, closed), film.tools, film.seconds + 12 * (film.duration or 600), on_progress=on_progress)
    return {"file": WEB, "media_type": "video/mp4", "how": "encoded"}


def _fits_mp4(film: _Film) -> bool:
    """H.264 as browsers decode it, with AAC, MP3 or no sound."""
    picture = film.video.get("codec") == "h264" and film.video.get("pixel_format") in ("yuv420p", "yuvj420p")
    return picture and film.audio.get("codec") in (None, "aac", "mp3") and not _is_interlaced(film)


def _plays(film: _Film) -> bool:
    """True when browsers play the original itself, from its start."""
    if film.key == "webm":
        return film.video.get("codec") in ("vp8", "vp9", "av1") and film.audio.get("codec") in (None, "vorbis", "opus")
    return film.key == "mp4" and _fits_mp4(film) and _index_first(film.path)


def _index_first(path: Path) -> bool:
    """True for an MP4 whose `moov` box lies before its `mdat`: it plays while it loads."""
    position, size = 0, path.stat().st_size
    with path.open("rb") as stream:
        for _box in range(64):
            stream.seek(position)
            head = stream.read(16)
            if len(head) < 16 or head[4:8] in (b"moov", b"mdat"):
                return head[4:8] == b"moov"
            length = int.from_bytes(head[:4], "big")
            length = int.from_bytes(head[8:16], "big") if length == 1 else length
            if length < 8 or position + length > size:
                return False
            position += length
    return False


def _remux(film: _Film, to: Path) -> bool:
    """Put the streams into a new MP4 as they are; False when they do not fit (an AVI without time stamps), and nothing is left."""
    streams = _streams(film)
    options = {"format": "mp4", "c": "copy", "movflags": "+faststart", "map_metadata": -1, "map_chapters": -1, "sn": None, "dn": None}
    try:
        ran = ffmpeg.run(ffmpeg.output(*streams, to=to, **options), film.tools, film.seconds + film.duration / 4)
    except DecodeError:
        to.unlink(missing_ok=True)
        return False
    if ran.errors > 3 or (film.duration and abs(ran.time - film.duration) > max(2.0, 0.05 * film.duration)):
        to.unlink(missing_ok=True)
        return False
    return True


def _streams(film: _Film) -> list[Any]:
    source = ffmpeg.source(film.url, film.demuxers)
    return [source["v:0"], *([source["a:0"]] if film.audio else [])]


def _encoding(film: _Film, to: Path, closed: passages.Closed) -> Any:
    """H.264 and AAC at source size (1920 at most), square pixels, even sides, deinterlaced."""
    picture, *sounds = _streams(film)
    if _is_interlaced(film):
        picture = picture.filter("yadif", deint="interlaced")
    aspect = float(film.video.get("pixel_aspect") or 1)
    wide, high = float(film.video.get("width") or 0) * aspect, float(film.video.get("height") or 0)
    if aspect != 1 or max(wide, high) > _MAX_SIDE or wide % 2 or high % 2:
        scale = min(1.0, _MAX_SIDE / max(wide, high, 1))
        size = [max(2, round(side * scale / 2) * 2) for side in (wide, high)]
        if film.video.get("rotation") in (90, 270):  # FFmpeg has turned it before our filters see it
            size.reverse()
        picture = picture.filter("scale", *size).filter("setsar", 1)
    if closed:
        margin = max(passages.MARGIN, 1.5 / float(film.video.get("frame_rate") or 25))
        picture = picture.filter("drawbox", x=0, y=0, w="iw", h="ih", color="black", t="fill", enable=passages.expression(closed, margin))
    streams = [picture.filter("format", "yuv420p"), *(sound.silenced(one, closed) for one in sounds)]
    options: dict[str, Any] = {
        "format": "mp4",
        "vcodec": "libx264",
        "preset": "veryfast",
        "crf": 23,
        "movflags": "+faststart",
        "threads": 2,
    }
    options |= {"map_metadata": -1, "map_chapters": -1, "sn": None, "dn": None, "max_muxing_queue_size": 4096}
    if sounds:
        options |= {"acodec": "aac", "b:a": "128k", "ac": 2}
        if int(film.audio.get("sample_rate") or 44100) > 48000:
            options["ar"] = 48000
    return ffmpeg.output(*streams, to=to, **options)


def _is_interlaced(film: _Film) -> bool:
    return film.video.get("field_order") in ("tt", "bb", "tb", "bt")


def _pictures(film: _Film, into: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """Storyboard and poster: the poster is the storyboard's richest frame of the first half, taken again at full size."""
    files: dict[str, Path] = {}
    frames, interval = _frames(film)
    if not frames:
        raise DecodeError("damaged", "no picture could be decoded")
    facts: dict[str, Any] = {"storyboard": _write_storyboard(frames, interval, film.duration, into, files)}
    best = _richest(frames)
    time = min(best * interval, max(0.0, film.duration - 0.1))
    poster = _frame_at(film, time) or frames[best]
    sizes = []
    for side in THUMBNAILS:
        small = poster.copy()
        small.thumbnail((side, side), Image.Resampling.HAMMING)
        files[f"{side}.jpg"] = into / f"{side}.jpg"
        small.save(files[f"{side}.jpg"], "JPEG", quality=THUMBNAIL_QUALITY)
        sizes.append(list(small.size))
    return files, facts | {"poster": f"{THUMBNAILS[-1]}.jpg", "poster_time": round(time, 3), "thumbnails": sizes}


def _frames(film: _Film) -> tuple[list[Image.Image], float]:
    """Frames spread evenly over the film, FRAME_WIDTH wide, and the seconds between them."""
    interval = max(1.0, math.ceil((film.duration or 1) / FRAMES))
    size = _frame_size(film)
    collected = bytearray()
    for quick in (True, False):
        options = {"skip_frame": "nokey"} if quick else {}
        if quick and film.duration < KEYFRAMES_FROM:
            continue
        collected.clear()
        picture = ffmpeg.source(film.url, film.demuxers, **options)["v:0"]
        picture = picture.filter("fps", f"1/{interval:g}", round="up", start_time=0).filter("scale", *size)
        graph = ffmpeg.output(picture, to="pipe:1", format="rawvideo", pix_fmt="rgb24", vframes=FRAMES + 1, threads=1)
        try:
            ffmpeg.run(graph, film.tools, film.seconds + 3 * (film.duration or 600), on_output=collected.extend)
        except DecodeError:
            if not collected:
                continue
        length = size[0] * size[1] * 3
        count = len(collected) // length
        if count >= min(2, film.duration / interval / 4):  # else the film has next to no key frames: decode all of it
            return [
                Image.frombytes("RGB", size, bytes(collected[n * length : (n + 1) * length])) for n in range(min(count, FRAMES))
            ], interval
    return [], interval


def _frame_size(film: _Film) -> tuple[int, int]:
    wide = float(film.video.get("width") or 4) * float(film.video.get("pixel_aspect") or 1)
    high = float(film.video.get("height") or 3)
    if film.video.get("rotation") in (90, 270):
        wide, high = high, wide
    return FRAME_WIDTH, max(2, min(2 * FRAME_WIDTH, round(FRAME_WIDTH * high / wide)))


def _richest(frames: list[Image.Image]) -> int:
    """Of the first half the frame with the widest spread of light; darkness, blank leaders and test cards have little."""
    half = frames[: max(1, math.ceil(len(frames) / 2))]
    spread = [_spread(frame) for frame in half]
    if max(spread) < 8 and len(frames) > len(half):
        spread = [_spread(frame) for frame in frames]
    return int(np.argmax(spread))


def _spread(frame: Image.Image) -> float:
    light = np.asarray(frame.convert("L"), dtype=np.float32)
    return float(light.std()) if light.mean() > 20 else float(light.std()) / 4


def _frame_at(film: _Film, time: float) -> Image.Image | None:
    """One frame at full size, square pixels; None when seeking there gives nothing."""
    collected = bytearray()
    picture = ffmpeg.source(film.url, film.demuxers, ss=f"{time:.3f}")["v:0"]
    if film.video.get("pixel_aspect"):
        picture = picture.filter("scale", "trunc(iw*sar/2)*2", "ih").filter("setsar", 1)
    graph = ffmpeg.output(picture, to="pipe:1", format="image2pipe", vcodec="ppm", vframes=1, pix_fmt="rgb24")
    try:
        ffmpeg.run(graph, film.tools, film.seconds, on_output=collected.extend)
        image = Image.open(io.BytesIO(bytes(collected)), formats=("PPM",))
        image.load()
    except (DecodeError, OSError):
        return None
    return image if _spread(image) >= 1 else None


def _write_storyboard(frames: list[Image.Image], interval: float, duration: float, into: Path, files: dict[str, Path]) -> dict[str, Any]:
    """One sheet of sprites, and a WebVTT file that says which rectangle of it belongs to which seconds."""
    width, height = frames[0].size
    rows = math.ceil(len(frames) / ACROSS)
    sheet = Image.new("RGB", (min(len(frames), ACROSS) * width, rows * height))
    cues = ["WEBVTT", ""]
    for number, frame in enumerate(frames):
        x, y = number % ACROSS * width, number // ACROSS * height
        sheet.paste(frame, (x, y))
        end = (number + 1) * interval if number + 1 < len(frames) else max(duration, number * interval + 0.001)
        cues += [f"{_clock(number * interval)} --> {_clock(end)}", f"storyboard.jpg#xywh={x},{y},{width},{height}", ""]
    files["storyboard.jpg"], files[STORYBOARD] = into / "storyboard.jpg", into / STORYBOARD
    sheet.save(files["storyboard.jpg"], "JPEG", quality=70)
    files[STORYBOARD].write_text("\n".join(cues), "utf-8")
    return {"frames": len(frames), "width": width, "height": height, "interval": interval, "across": ACROSS}


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}:{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"
