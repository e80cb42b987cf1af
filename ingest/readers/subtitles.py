"""Timed text as donors have it: LRC, SRT, WebVTT, ASS, TextGrid, in any encoding of `plain_text`.

The donor's times are kept. What is odd (empty lines, overlaps, times beyond the end of the recording) is counted, one fault for each kind.
FFmpeg is not used: it gives the last line of an LRC no length and fails on GB18030 (measured, findings of 2026).
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archive.language import _
from archive.model.donation import Finding, Severity
from archive.model.item import Cue

LAST_CUE_SECONDS = 5.0
"""Length of the last line of an LRC when the end of the recording is not known."""

EXTENSIONS = {".lrc": "lrc", ".srt": "srt", ".vtt": "vtt", ".ass": "ass", ".ssa": "ass", ".textgrid": "textgrid"}


@dataclass(frozen=True, slots=True)
class Subtitles:
    """Cues in order of their start, what the file says about itself (LRC tags: `ti`, `ar` …), and faults: code to number of cues."""

    cues: tuple[Cue, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)


_Open = tuple[float, float | None, str]

_LRC_STAMP = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_LRC_TAG = re.compile(r"^\s*\[([A-Za-z#]+):(.*)\]\s*$")
_LRC_WORD = re.compile(r"<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>")
_ARROW = re.compile(r"([\d:.,]+)\s*-+>\s*([\d:.,]+)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,80})>")
"""WebVTT's way to say who speaks: `<v 王 老师>`."""
_MARKUP = re.compile(r"</?[A-Za-z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")


def _fraction(digits: str | None) -> float:
    return int(digits) / 10 ** len(digits) if digits else 0.0


def _seconds(stamp: str) -> float | None:
    parts = stamp.replace(",", ".").split(":")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    total = 0.0
    for value in values:
        total = total * 60 + value
    return total if len(values) <= 3 else None


def _lrc(text: str) -> tuple[list[_Open], dict[str, str]]:
    tags: dict[str, str] = {}
    found: list[tuple[float, str]] = []
    for line in text.splitlines():
        stamps = list(_LRC_STAMP.finditer(line))
        if not stamps:
            tag = _LRC_TAG.match(line)
            if tag:
                tags[tag[1].lower()] = tag[2].strip()
            continue
        words = _LRC_WORD.sub("", _LRC_STAMP.sub("", line)).strip()
        found += [(int(m[1]) * 60 + int(m[2]) + _fraction(m[3]), words) for m in stamps]
    # A positive offset shows the lines earlier, in milliseconds.
    try:
        offset = float(tags.get("offset", "0") or 0) / 1000
    except ValueError:
        offset = 0.0
    found = sorted(((max(0.0, start - offset), words) for start, words in found), key=lambda pair: pair[0])
    starts = [start for start, _words in found]
    cues: list[_Open] = []
    for index, (start, words) in enumerate(found):
        later = next((s for s in starts[index + 1 :] if s > start), None)
        cues.append((start, later, words))
    # An empty line of an LRC only says where the line before ends.
    return [cue for cue in cues if cue[2]], tags


def _blocks(text: str) -> Iterable[list[str]]:
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _bare(line: str) -> str:
    """A line without markup; who speaks stands before it (`王 老师：`), for names are part of what was said."""
    named = _VOICE.sub(lambda found: found[1].strip() + "：", line)
    return _MARKUP.sub("", named)


def _arrows(text: str) -> list[_Open]:
    """SRT and WebVTT alike: a line with an arrow, then lines of text; numbers, names, notes and styles stand before it."""
    cues: list[_Open] = []
    for block in _blocks(text):
        places = [(i, m) for i, line in enumerate(block) if (m := _ARROW.search(line))]
        for number, (index, match) in enumerate(places):
            end_of_text = len(block)
            if number + 1 < len(places):
                end_of_text = places[number + 1][0]
                # Blocks run together without a blank line: the number before the next arrow is no text.
                end_of_text -= 1 if block[end_of_text - 1].strip().isdigit() and end_of_text - 1 > index else 0
            start, end = _seconds(match[1]), _seconds(match[2])
            if start is not None:
                lines = [html.unescape(_bare(line)).strip() for line in block[index + 1 : end_of_text]]
                cues.append((start, end, "\n".join(line for line in lines if line)))
    return cues


def _ass(text: str) -> list[_Open]:
    columns = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
    cues: list[_Open] = []
    events = False
    for line in text.splitlines():
        if line.startswith("["):
            events = line.strip().lower() == "[events]"
        elif events and line.lower().startswith("format:"):
            columns = [name.strip().lower() for name in line.split(":", 1)[1].split(",")]
        elif events and line.lower().startswith("dialogue:") and {"start", "end", "text"} <= set(columns):
            cells = dict(zip(columns, line.split(":", 1)[1].split(",", len(columns) - 1), strict=False))
            start, end = _seconds(cells.get("start", "").strip()), _seconds(cells.get("end", "").strip())
            words = re.sub(r"\\[Nn]", "\n", _MARKUP.sub("", cells.get("text", ""))).replace("\\h", " ").strip()
            who = cells.get("name", "").strip()
            if start is not None:
                cues.append((start, end, f"{who}：{words}" if who and words else words))
    return cues


_GRID_WORD = re.compile(r'"((?:[^"]|"")*)"|(-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)|(<exists>)|!.*')


def _textgrid(text: str) -> list[_Open]:
    """Praat, long and short form: the interval tier with the most text (others are translations and phones of the same talk)."""
    words: list[str | float] = []
    # The long form says what each value is ("xmin = 0.5"); the values alone are the short form.
    for line in text.splitlines()[2:]:
        bare = re.sub(
            r"^\s*(?:[A-Za-z ]+\[?\d*\]?:?\s*)?(?:=|:)\s*|^\s*(?:item|intervals|points) ?\[\d*\]:?\s*$|^\s*[A-Za-z]+\? ", "", line
        )
        words += [
            m[1].replace('""', '"') if m[1] is not None else float(m[2]) for m in _GRID_WORD.finditer(bare) if m[1] is not None or m[2]
        ]
    tiers: list[list[_Open]] = []
    for index, word in enumerate(words):
        if word != "IntervalTier":
            continue
        tier: list[_Open] = []
        cells = words[index + 5 :]
        for start, end, label in zip(cells[::3], cells[1::3], cells[2::3], strict=False):
            if not (isinstance(start, float) and isinstance(end, float) and isinstance(label, str)):
                break
            if label.strip():
                tier.append((start, end, label.strip()))
        tiers.append(tier)
    return max(tiers, key=lambda tier: sum(len(cue[2]) for cue in tier), default=[])


def form_of(extension: str, text: str) -> str | None:
    """`lrc`, `srt`, `vtt`, `ass` or `textgrid`: by what the text is, else by the extension; None for plain text."""
    head = text.lstrip("\ufeff \r\n")[:4000]
    if head.startswith("WEBVTT"):
        return "vtt"
    if "[Script Info]" in head or "[Events]" in head:
        return "ass"
    if 'Object class = "TextGrid"' in head or head.startswith('File type = "ooTextFile'):
        return "textgrid"
    if re.search(r"^\s*\d+:\d+:\d+[.,]\d+\s*-+>", head, re.MULTILINE):
        return "srt"
    if len(_LRC_STAMP.findall(head)) >= 2:
        return "lrc"
    return EXTENSIONS.get(extension.lower())


def parse(text: str, form: str, duration: float | None = None) -> Subtitles:
    """The cues of a timed text. `duration` (seconds) of its recording ends the last line and shows times beyond it."""
    tags: dict[str, str] = {}
    if form == "lrc":
        found, tags = _lrc(text)
    elif form in ("srt", "vtt"):
        found = _arrows(text)
    elif form == "ass":
        found = _ass(text)
    else:
        found = _textgrid(text)
    return _closed(found, tags, duration)


def _closed(found: Sequence[_Open], tags: Mapping[str, str], duration: float | None) -> Subtitles:
    faults: dict[str, int] = {}

    def fault(code: str) -> None:
        faults[code] = faults.get(code, 0) + 1

    cues: list[Cue] = []
    for start, end, words in found:
        if not words.strip():
            fault("cue-empty")
            continue
        if end is None:
            end = max(duration, start) if duration is not None else start + LAST_CUE_SECONDS
        if end < start:
            fault("cue-backwards")
            end = start
        if duration is not None and start > duration + 0.5:
            fault("cue-beyond-end")
        cues.append(Cue(round(start, 3), round(end, 3), words))
    if any(b.start < a.start for a, b in itertools.pairwise(cues)):
        cues.sort(key=lambda cue: cue.start)
    for a, b in itertools.pairwise(cues):
        if b.start < a.end - 0.05 and b.start != a.start:
            fault("cue-overlap")
    # Two lines of one stamp (a language each) end together: the first must not lose its length.
    cues = [
        replace(cue, end=max(cue.end, next((b.end for b in cues[i + 1 :] if b.start == cue.start), cue.end))) for i, cue in enumerate(cues)
    ]
    if not cues:
        fault("cue-none")
    return Subtitles(tuple(cues), dict(tags), faults)


def language_of(cues: Iterable[Cue]) -> str:
    """`zh`, `ja` or `en` by the script of most lines: a translation beside the words is told from them. `zh` where nothing tells."""
    text = "".join(cue.text for cue in cues)
    if len(re.findall("[\u3040-\u30ff]", text)) * 8 > len(text):
        return "ja"
    return "en" if len(re.findall("[A-Za-z]", text)) > 4 * len(re.findall("[\u3400-\u9fff]", text)) else "zh"


def untimed(lines: Iterable[str]) -> tuple[Cue, ...]:
    """A libretto: lines as cues without times."""
    return tuple(Cue(0.0, 0.0, line.strip()) for line in lines if line.strip())


def subtitle_findings(subtitles: Subtitles, path: str) -> tuple[Finding, ...]:
    """One finding for each kind of fault."""
    texts = {
        "cue-none": _("没有读到带时间的字幕。请核对格式，或改作 NAME_唱词.txt 交来。"),
        "cue-empty": _("有 %(count)d 条字幕没有文字，已略过。请核对。"),
        "cue-overlap": _("有 %(count)d 处字幕时间重叠，照原样保留。请核对。"),
        "cue-beyond-end": _("有 %(count)d 条字幕的时间超出录音长度，照原样保留。请核对是否属于这份录音。"),
        "cue-backwards": _("有 %(count)d 条字幕的结束早于开始，已按开始时间显示。请核对。"),
    }
    return tuple(
        Finding(Severity.WARNING, code, path, texts[code] % {"count": count}, path)
        for code, count in subtitles.faults.items()
        if code in texts
    )
