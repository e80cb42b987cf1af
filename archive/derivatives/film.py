"""Film: a viewing copy, a poster that is not black, a storyboard with its WebVTT, and the waveform of its sound.

What browsers play already is only put into a streamable container (remuxed), never encoded again; VP8 and VP9 in WebM are served as they are.
The rest becomes H.264 at source size. Passages that are closed (`closed`, seconds) are black and silent in a copy that is always encoded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg
from PIL import Image

from archive.derivatives.base import Made
from archive.derivatives.ffmpeg import Tools, alone, probe_streams, run, source
from archive.derivatives.sound import loudness, silenced, time_limit
from archive.errors import DecodeError

FILM_RECIPE = "film-1"
TILE = (160, 90)
_COLUMNS = 5
_MOST_TILES = 100
_DIRECT_VIDEO = {"vp8", "vp9"}
_DIRECT_AUDIO = {"vorbis", "opus"}
_REMUX_AUDIO = {"aac", "mp3"}


def make_film(path: Path, tools: Tools, out: Path, closed: Sequence[tuple[float, float]] = ()) -> Made:
    """`web.mp4` (absent when the original WebM is served), `poster.jpg`, `storyboard.jpg`, `storyboard.vtt` in `out`.

    Facts: `way` (`direct`, `remux`, `encode`), `duration` (seconds), `width`, `height` as shown, `media_type`.
    """
    with alone(path) as link:
        found = probe_streams(link, tools)
        picture = next(
            (s for s in found["streams"] if s["codec_type"] == "video" and not s.get("disposition", {}).get("attached_pic")), None
        )
        if picture is None:
            raise DecodeError("damaged", "no moving picture")
        sound = next((s for s in found["streams"] if s["codec_type"] == "audio"), None)
        duration = float(found["format"].get("duration") or picture.get("duration") or 0)
        way = "encode" if closed else _way(found, picture, sound)
        words = _viewing_copy(link, tools, out / "web.mp4", way, sound, duration, closed)
        _poster(link, tools, out / "poster.jpg", duration, closed)
        tiles = _storyboard(link, tools, out, duration, closed)
    files = {name: out / name for name in ("poster.jpg", "storyboard.jpg", "storyboard.vtt") if (out / name).exists()}
    if way != "direct":
        files["web.mp4"] = out / "web.mp4"
    width, height = shown_size(picture)
    facts: dict[str, Any] = {"way": way, "duration": duration, "width": width, "height": height, "tiles": tiles}
    facts["media_type"] = "video/webm" if way == "direct" else "video/mp4"
    return Made(files, facts | loudness(words))


def shown_size(picture: dict[str, Any]) -> tuple[int, int]:
    """Width and height in square pixels, as a viewer shows them."""
    width, height = int(picture["width"]), int(picture["height"])
    ratio = str(picture.get("sample_aspect_ratio") or "1:1").split(":")
    if len(ratio) == 2 and all(part.isdigit() and int(part) for part in ratio):
        width = round(width * int(ratio[0]) / int(ratio[1]))
    return width, height


def _way(found: dict[str, Any], picture: dict[str, Any], sound: dict[str, Any] | None) -> str:
    codec, audio = picture.get("codec_name"), sound.get("codec_name") if sound else None
    if "webm" in found["format"]["format_name"] and codec in _DIRECT_VIDEO and (audio is None or audio in _DIRECT_AUDIO):
        return "direct"
    if codec == "h264" and picture.get("pix_fmt") in ("yuv420p", "yuvj420p") and (audio is None or audio in _REMUX_AUDIO):
        return "remux"
    return "encode"


def _viewing_copy(
    link: Path, tools: Tools, target: Path, way: str, sound: dict[str, Any] | None, duration: float, closed: Sequence[tuple[float, float]]
) -> str:
    if way == "direct":
        return ""
    node = source(link)
    if way == "remux":
        streams = [node["V:0"], *([node["a:0"]] if sound else [])]
        output = ffmpeg.output(*streams, str(target), c="copy", movflags="+faststart", map_metadata=-1)
        return run(tools, output, seconds=time_limit(duration))
    picture = _blackened(node["V:0"], closed).filter("scale", "trunc(iw*max(sar,1)/2)*2", "trunc(ih/min(1,sar)/2)*2").filter("setsar", 1)
    streams = [picture]
    options: dict[str, Any] = {"vcodec": "libx264", "preset": "veryfast", "crf": 21, "pix_fmt": "yuv420p", "threads": 2}
    if sound:
        streams.append(silenced(node["a:0"], closed).filter("aresample", 44100))
        options |= {"acodec": "aac", "b:a": "128k", "ac": 2}
    output = ffmpeg.output(*streams, str(target), movflags="+faststart", map_metadata=-1, **options)
    return run(tools, output, seconds=600 + 20 * (duration or 3600))


def _blackened(stream: Any, closed: Sequence[tuple[float, float]]) -> Any:
    for start, end in closed:
        stream = stream.filter("drawbox", color="black", t="fill", enable=f"between(t,{start:.3f},{end:.3f})")
    return stream


def _poster(link: Path, tools: Tools, target: Path, duration: float, closed: Sequence[tuple[float, float]]) -> None:
    """The most typical frame near the beginning that is not black, tried further and further in."""
    best: tuple[float, bytes] | None = None
    for share in (0.1, 0.3, 0.6, 0.02):
        at = min(duration * share, 60 + duration * share / 10)
        if any(start - 4 <= at <= end for start, end in closed):
            continue
        node = source(link, ss=f"{at:.3f}")["V:0"].filter("thumbnail", 24).filter("scale", "min(1280,iw*sar)", -2).filter("setsar", 1)
        try:
            run(tools, ffmpeg.output(node, str(target), vframes=1, **{"q:v": 3}), seconds=120)
        except DecodeError:
            continue
        if not target.exists():
            continue
        light = _light(target)
        if light > 24:
            return
        if best is None or light > best[0]:
            best = light, target.read_bytes()
    if best is not None:
        target.write_bytes(best[1])


def _light(path: Path) -> float:
    """Mean brightness, 0 to 255."""
    with Image.open(path, formats=("JPEG",)) as image:
        histogram = image.convert("L").resize((64, 36)).histogram()
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)


def _storyboard(link: Path, tools: Tools, out: Path, duration: float, closed: Sequence[tuple[float, float]]) -> int:
    """One sheet of small pictures and the WebVTT that says which is which; the number of pictures. Long films are read by key frames only."""
    if duration < 2:
        return 0
    step = max(1.0, math.ceil(duration / _MOST_TILES))
    count = max(1, math.ceil((duration - 0.2) / step))  # a last picture of a few frames is none
    rows = -(-count // _COLUMNS)
    options = {"skip_frame": "nokey"} if duration > 20 else {}
    picture = _blackened(source(link, **options)["V:0"], closed)
    picture = picture.filter("fps", fps=f"1/{step:g}", start_time=0, eof_action="pass").filter(
        "scale", *TILE, force_original_aspect_ratio="decrease"
    )
    picture = picture.filter("pad", *TILE, "(ow-iw)/2", "(oh-ih)/2").filter("tile", f"{_COLUMNS}x{rows}")
    try:
        run(tools, ffmpeg.output(picture, str(out / "storyboard.jpg"), vframes=1, **{"q:v": 5}), seconds=time_limit(duration))
    except DecodeError:
        return 0
    if not (out / "storyboard.jpg").exists():
        return 0
    (out / "storyboard.vtt").write_text(_cues(count, step, duration), "utf-8")
    return count


def _cues(count: int, step: float, duration: float) -> str:
    lines = ["WEBVTT", ""]
    for number in range(count):
        x, y = number % _COLUMNS * TILE[0], number // _COLUMNS * TILE[1]
        start, end = number * step, min((number + 1) * step, duration)
        lines += [f"{_stamp(start)} --> {_stamp(end)}", f"storyboard.jpg#xywh={x},{y},{TILE[0]},{TILE[1]}", ""]
    return "\n".join(lines)


def _stamp(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{thousandths:03d}"
