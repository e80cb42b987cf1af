"""What a sound recording or a film is: ffprobe's facts, a full decode by FFmpeg, embedded subtitles."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from archive.derivatives import ffmpeg
from archive.derivatives.base import Fault, Probe
from archive.derivatives.documents import clean
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.formats import Format
from archive.errors import DecodeError
from archive.model.item import MediaKind

_TIMED = frozenset({"mov", "mp4", "m4a", "3gp", "mkv", "webm", "avi", "asf", "flac", "ape", "caf", "aiff", "rm"})
"""Formats whose header states the duration; in others ffprobe estimates it from size and bit rate, which proves nothing."""
_TEXT_SUBTITLES = frozenset({"subrip", "ass", "ssa", "mov_text", "webvtt", "text", "ttml"})
_MAX_ERRORS = 20
_LABELS = {
    ("ogg", "opus"): ("Opus", "audio/ogg"),
    ("ogg", "vorbis"): ("Ogg Vorbis", "audio/ogg"),
    ("ogg", "flac"): ("Ogg FLAC", "audio/ogg"),
    ("ogg", "speex"): ("Ogg Speex", "audio/ogg"),
}


def time_limit(duration: float | None, base: float) -> float:
    """CPU seconds for decoding a recording of `duration` seconds once: several times the slowest we have seen (HEVC 1080p)."""
    return base + 3 * (duration or 600)


def probe(path: Path, form: Format, seconds: float, tools: Tools) -> Probe:
    """The probe of a recording. Raises DecodeError when nothing of it can be decoded, MissingToolError without FFmpeg."""
    with ffmpeg.alone(path) as url:
        found = ffmpeg.inspect(url, form.demuxers, tools, seconds)
        streams = found.get("streams", [])
        video = [stream for stream in streams if stream.get("codec_type") == "video" and not _is_cover(stream)]
        audio = [stream for stream in streams if stream.get("codec_type") == "audio"]
        if not video and not audio:
            raise DecodeError("damaged", "no sound and no picture in it")
        stated = _number(found.get("format", {}).get("duration"))
        decoded, faults = _decode(url, form, bool(video), bool(audio), stated, time_limit(stated, seconds), tools)
        subtitles = _subtitles(url, form, streams, seconds, tools)
    faults += _cut_short(path, form, stated, decoded)
    # a header's estimate (VBR MP3, AMR) yields to what was decoded
    duration = stated if stated and form.key in _TIMED and not any(fault.code == "truncated" for fault in faults) else decoded or stated
    technical = _facts(found, video, audio)
    kind = MediaKind.FILM if video else MediaKind.SOUND
    label, media_type = _label(form, kind, audio)
    width, height = _shown_size(video[0]) if video else (None, None)
    return Probe(
        media_type,
        kind,
        label,
        width=width,
        height=height,
        duration=round(duration, 3) if duration else None,
        technical=technical,
        faults=tuple(faults),
        subtitles=subtitles,
    )


def _decode(
    url: str, form: Format, video: bool, audio: bool, stated: float | None, seconds: float, tools: Tools
) -> tuple[float, list[Fault]]:
    """Decode everything to nowhere: seconds decoded, and what FFmpeg complained of."""
    source = ffmpeg.source(url, form.demuxers)
    streams = [source["v:0"]] if video else []
    streams += [source["a:0"]] if audio else []
    try:
        ran = ffmpeg.run(ffmpeg.output(*streams, to="-", format="null"), tools, seconds)
    except DecodeError as error:
        if error.code != "damaged":
            raise
        raise DecodeError("damaged", str(error)) from error
    if ran.time <= 0:
        raise DecodeError("damaged", ran.tail.splitlines()[-1] if ran.tail else "nothing in it could be decoded")
    faults = []
    if ran.errors > _MAX_ERRORS + (stated or 0) / 60:
        faults.append(Fault("damaged", False, f"{ran.errors}: {ran.tail.splitlines()[-1][:200]}"))
    return ran.time, faults


def _cut_short(path: Path, form: Format, stated: float | None, decoded: float) -> list[Fault]:
    """`truncated` when less can be decoded than the header promises."""
    if form.key == "wav":
        promised = _wav_bytes(path)
        if promised is not None and promised > path.stat().st_size + 1:
            return [Fault("truncated", False, f"{path.stat().st_size} / {promised} bytes")]
    elif form.key in _TIMED and stated and decoded < stated - max(1.5, 0.03 * stated):
        return [Fault("truncated", False, f"{decoded:.1f} / {stated:.1f} s")]
    return []


def _wav_bytes(path: Path) -> int | None:
    """Size the file must have by its RIFF `data` chunk, None when the recorder left it open (0 or all ones)."""
    with path.open("rb") as stream:
        if stream.read(4) != b"RIFF":
            return None
        position = 12
        while position < 1 << 20:
            stream.seek(position)
            head = stream.read(8)
            if len(head) < 8:
                return None
            size = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                return None if size in (0, 0xFFFFFFFF) or size >= 0x7FFFF000 else position + 8 + size
            position += 8 + size + size % 2
    return None


def _facts(found: dict[str, Any], video: list[dict[str, Any]], audio: list[dict[str, Any]]) -> dict[str, Any]:
    """Technical facts by stream (JSON values)."""
    outer = found.get("format", {})
    facts: dict[str, Any] = {"container": outer.get("format_name", "")}
    if _number(outer.get("bit_rate")):
        facts["bit_rate"] = int(outer["bit_rate"])
    if video:
        facts["video"] = _video_facts(video[0])
    if audio:
        facts["audio"] = _audio_facts(audio[0])
        if len(audio) > 1:
            facts["audio_tracks"] = len(audio)
    chapters = found.get("chapters", [])
    if chapters:
        facts["chapters"] = [
            {"start": _number(chapter.get("start_time")) or 0, "title": clean(str(chapter.get("tags", {}).get("title", "")))[:200]}
            for chapter in chapters[:500]
        ]
    tags = {key.lower(): clean(str(value))[:500] for key, value in outer.get("tags", {}).items()}
    kept = {key: tags[key] for key in ("title", "artist", "album", "date", "creation_time", "comment", "genre", "encoder") if tags.get(key)}
    return facts | ({"tags": kept} if kept else {})


def _video_facts(stream: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"codec": stream.get("codec_name", "?"), "width": stream.get("width"), "height": stream.get("height")}
    rate = _rate(stream.get("avg_frame_rate")) or _rate(stream.get("r_frame_rate"))
    if rate:
        facts["frame_rate"] = round(rate, 3)
    for key, name in (("pix_fmt", "pixel_format"), ("profile", "profile"), ("field_order", "field_order"), ("color_space", "colour_space")):
        if stream.get(key) not in (None, "unknown", "progressive"):
            facts[name] = stream[key]
    aspect = _rate(str(stream.get("sample_aspect_ratio", "")).replace(":", "/"))
    if aspect and abs(aspect - 1) > 0.005:
        facts["pixel_aspect"] = round(aspect, 4)
    if _number(stream.get("bit_rate")):
        facts["bit_rate"] = int(stream["bit_rate"])
    if _rotation(stream):
        facts["rotation"] = _rotation(stream)
    return facts


def _audio_facts(stream: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"codec": stream.get("codec_name", "?"), "channels": stream.get("channels")}
    for key, name in (("sample_rate", "sample_rate"), ("bit_rate", "bit_rate")):
        if _number(stream.get(key)):
            facts[name] = int(stream[key])
    bits = int(stream.get("bits_per_raw_sample") or stream.get("bits_per_sample") or 0)
    return facts | ({"bit_depth": bits} if bits else {})


def _label(form: Format, kind: MediaKind, audio: list[dict[str, Any]]) -> tuple[str, str]:
    """Name and media type, where the streams tell more than the container."""
    codec = audio[0].get("codec_name", "") if audio else ""
    if (form.key, codec) in _LABELS and kind is MediaKind.SOUND:
        return _LABELS[form.key, codec]
    if form.key == "asf":
        return ("WMA", "audio/x-ms-wma") if kind is MediaKind.SOUND else ("WMV", "video/x-ms-wmv")
    if kind is MediaKind.SOUND and form.media_type.startswith("video/"):
        return f"{form.label} ({codec.upper()})", form.media_type.replace("video/", "audio/", 1)
    if kind is MediaKind.FILM and form.media_type.startswith("audio/"):
        return form.label, form.media_type.replace("audio/", "video/", 1)
    return form.label, form.media_type


def _shown_size(stream: dict[str, Any]) -> tuple[int, int]:
    """Width and height as a viewer sees them: square pixels, turned."""
    width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
    aspect = _rate(str(stream.get("sample_aspect_ratio", "")).replace(":", "/")) or 1
    width = round(width * aspect) if 0.2 < aspect < 5 else width
    return (height, width) if _rotation(stream) in (90, 270) else (width, height)


def _rotation(stream: dict[str, Any]) -> int:
    turns = [side.get("rotation", 0) for side in stream.get("side_data_list", [])] + [stream.get("tags", {}).get("rotate", 0)]
    return next((int(float(turn)) % 360 for turn in turns if turn), 0)


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic")) or bool(stream.get("disposition", {}).get("still_image"))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number > 0 and number < 1e12 else None


def _rate(text: Any) -> float | None:
    try:
        rate = float(Fraction(str(text)))
    except (ValueError, ZeroDivisionError):
        return None
    return rate if rate > 0 else None


def _subtitles(url: str, form: Format, streams: list[dict[str, Any]], seconds: float, tools: Tools) -> tuple[tuple[float, float, str], ...]:
    """The cues of the first embedded subtitle track that is text."""
    tracks = [stream for stream in streams if stream.get("codec_type") == "subtitle"]
    for number, stream in enumerate(tracks):
        if stream.get("codec_name") not in _TEXT_SUBTITLES:
            continue
        collected = bytearray()
        graph = ffmpeg.output(ffmpeg.source(url, form.demuxers)[f"s:{number}"], to="pipe:1", format="srt")
        try:
            ffmpeg.run(graph, tools, seconds, on_output=collected.extend)
        except DecodeError:
            continue
        return _cues(collected.decode("utf-8", "replace"))
    return ()


_TIMES = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{3})\s*-->\s*(\d+):(\d\d):(\d\d)[,.](\d{3})[^\n]*\n")


def _cues(srt: str) -> tuple[tuple[float, float, str], ...]:
    """SubRip as FFmpeg writes it, without its mark-up."""
    cues = []
    for block in re.split(r"\n\s*\n", srt.replace("\r\n", "\n")):
        match = _TIMES.search(block)
        if match is None:
            continue
        h1, m1, s1, t1, h2, m2, s2, t2 = (int(part) for part in match.groups())
        text = re.sub(r"<[^>]*>|\{\\[^}]*\}", "", block[match.end() :]).strip()
        if text:
            cues.append((h1 * 3600 + m1 * 60 + s1 + t1 / 1000, h2 * 3600 + m2 * 60 + s2 + t2 / 1000, clean(text)))
    return tuple(cues)
