"""Timed text written out: WebVTT, SRT and LRC from a track, and what of it can be shown. Pure.

The web sends these to players, the command hands them to archivists who mend them; reading them back is `ingest.readers.subtitles`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from archive.model.item import Cue, Track

SHORTEST = 0.05
"""Seconds below which a line is as good as without length: no player shows it."""
GIVEN = 5.0
"""Seconds that such a line is shown, unless the next begins before."""


def shown(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Cues in order of their start, without empty ones; one without length lasts until the next begins, `GIVEN` seconds at most."""
    told = [replace(cue, text=_trimmed(cue.text)) for cue in cues if math.isfinite(cue.start) and math.isfinite(cue.end) and cue.start >= 0]
    told = sorted((cue for cue in told if cue.text), key=lambda cue: (cue.start, cue.end))
    found = []
    for n, cue in enumerate(told):
        if cue.end - cue.start < SHORTEST:
            following = next((later.start for later in told[n + 1 :] if later.start > cue.start + SHORTEST), math.inf)
            cue = replace(cue, end=min(cue.start + GIVEN, following))
        found.append(cue)
    return tuple(found)


def _trimmed(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def as_vtt(track: Track) -> str:
    """WebVTT: nothing empty, no markup of the text's own (W3C WebVTT §4.1)."""
    blocks = ["WEBVTT"]
    for cue in shown(track.cues):
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{text}")
    return "\n\n".join(blocks) + "\n"


def as_srt(track: Track) -> str:
    """SubRip, numbered from 1."""
    # An arrow inside the words would be read as a line of times.
    blocks = [
        f"{n}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{cue.text.replace('-->', '→')}\n"
        for n, cue in enumerate(shown(track.cues), 1)
    ]
    return "\n".join(blocks)


def as_lrc(track: Track) -> str:
    """LRC with hundredths of a second; an empty line says where a line ends before the next begins. Lines within a line are joined by a space."""
    cues = shown(track.cues)
    lines = []
    for n, cue in enumerate(cues):
        lines.append(f"[{_lrc_stamp(cue.start)}]{' '.join(cue.text.splitlines())}")
        following = cues[n + 1].start if n + 1 < len(cues) else math.inf
        if cue.end < following - SHORTEST:
            lines.append(f"[{_lrc_stamp(cue.end)}]")
    return "".join(f"{line}\n" for line in lines)


def _stamp(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _lrc_stamp(seconds: float) -> str:
    hundredths = round(seconds * 100)
    return f"{hundredths // 6000:02d}:{hundredths % 6000 // 100:02d}.{hundredths % 100:02d}"


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write timed text down: the name of its extension, its media type, and who writes it."""

    extension: str
    media_type: str
    write: Callable[[Track], str]


FORMS = {
    "vtt": Form("vtt", "text/vtt", as_vtt),
    "srt": Form("srt", "application/x-subrip", as_srt),
    "lrc": Form("lrc", "text/plain", as_lrc),
}
"""By extension."""

_WHO = re.compile(r"[\s·•.\-()（）\w]{1,24}[：:](?=\s*\S)")
_NO_NAME = re.compile(r"\d|https?$", re.IGNORECASE)
_SAYINGS = frozenset(["正是", "诗曰", "詩曰", "词曰", "詞曰", "诗云", "詩云", "常言道", "俗话说", "俗話說", "有诗为证", "有詩為證"])
"""Words before a couplet or a proverb; nobody is called so."""


def speakers(cues: Iterable[Cue]) -> tuple[int, ...]:
    """For each cue how many characters at its start name who speaks (`王 老师：`, colon included); 0 where nobody is named.

    Words before a colon are a name when they come twice, or when half of the lines begin so: 正是： before a couplet is none.
    """
    labels = [_label(cue.text) for cue in cues]
    often = Counter(label for label in labels if label)
    usual = 2 * sum(1 for label in labels if label) >= len(labels) > 1
    return tuple(len(label) if label and (usual or often[label] > 1) else 0 for label in labels)


def _label(text: str) -> str:
    match = _WHO.match(text)
    if match is None or "\n" in match[0] or _NO_NAME.search(match[0][:-1]):
        return ""
    name = match[0][:-1].strip()
    return match[0] if name and name not in _SAYINGS else ""
