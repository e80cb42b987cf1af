"""Recordings on an item's page: what can be played, its passages, its timed text; WebVTT."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import url_for

from archive.language import _
from archive.model.identifiers import file_key
from archive.model.item import FileRole, Item, MediaFile, MediaKind, Segment, Track
from archive.search.base import Span
from archive.web import derived, leaves, presenting
from archive.web.leaves import Parts


@dataclass(frozen=True, slots=True)
class Moment:
    """A time asked for, seconds; `end` None: to the end."""

    start: float
    end: float | None = None

    @property
    def fragment(self) -> str:
        """As a media fragment (`#t=12.5,30`), which browsers follow by themselves."""
        return f"#t={self.start:g}" + (f",{self.end:g}" if self.end is not None else "")


@dataclass(frozen=True, slots=True)
class ShownCue:
    """One timed line. `anchor` names it in the page."""

    anchor: str
    start: float
    end: float
    clock: str
    url: str
    parts: Parts
    current: bool


@dataclass(frozen=True, slots=True)
class ShownTrack:
    """Timed text of one recording."""

    id: str
    vtt: str
    language: str
    cues: tuple[ShownCue, ...]


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """A described passage."""

    title: str
    clock: str
    start: float
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the page shows it. `web` None: there is nothing a browser could play, `absent` says why."""

    id: str
    name: str
    facts: str
    film: bool
    web: str | None
    media_type: str
    fragment: str
    poster: str | None
    waveform: str | None
    tracks: tuple[ShownTrack, ...]
    segments: tuple[ShownSegment, ...]
    absent: str


Mark = Callable[[str], Iterable[Span]]


def asked_time(text: str | None) -> Moment | None:
    """`?t=12.5` or `12.5,30`; None for anything else."""
    match = re.fullmatch(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(?:,([0-9]{1,7}(?:\.[0-9]{1,6})?))?", text or "")
    if match is None:
        return None
    start, end = float(match.group(1)), float(match.group(2)) if match.group(2) else None
    return Moment(start, end if end is not None and end > start else None)


def anchor(track: str, start: float) -> str:
    """The name of a line in the page: `t1-12.5`."""
    return f"{track}-{start:g}"


def of_item(item: Item, asked: Moment | None, segment: str | None, mark: Mark) -> tuple[Recording, ...]:
    """The recordings of an item, one for each thing recorded: of several versions the master, or the service copy when there is one."""
    passage = next((s for s in item.segments if s.id == segment), None)
    found = []
    for versions in _families(item):
        best = min(versions, key=_rank)
        ids = {version.id for version in versions}
        tracks = [track for track in item.tracks if track.timed and track.media in ids]
        passages = [s for s in item.segments if s.media in ids]
        here = passage if passage in passages else None
        moment = Moment(here.start, here.end) if here else asked
        found.append(_recording(item, best, tracks, passages, moment, here, mark))
    if found and len(found) == 1 and not found[0].tracks:
        # One recording and text that names none: they belong together.
        loose = [track for track in item.tracks if track.timed and track.media is None]
        if loose:
            first = min((f for f in item.files if f.kind in (MediaKind.SOUND, MediaKind.FILM)), key=_rank)
            found = [_recording(item, first, loose, list(item.segments), asked, passage, mark)]
    return tuple(found)


def _families(item: Item) -> list[list[MediaFile]]:
    """Sound and film files, versions of one thing together, in the order of the item."""
    files = {file.id: file for file in item.files if file.kind in (MediaKind.SOUND, MediaKind.FILM)}

    def root(file: MediaFile) -> str:
        seen = set()
        while file.version_of in files and file.id not in seen:
            seen.add(file.id)
            file = files[file.version_of]
        return file.id

    groups: dict[str, list[MediaFile]] = {}
    for file in files.values():
        groups.setdefault(root(file), []).append(file)
    return list(groups.values())


def _rank(file: MediaFile) -> tuple[int, int]:
    order = [FileRole.SERVICE, FileRole.MASTER]
    return (order.index(file.role) if file.role in order else len(order), 0 if file.damaged is None else 1)


def _recording(
    item: Item, file: MediaFile, tracks: list[Track], passages: list[Segment], asked: Moment | None, here: Segment | None, mark: Mark
) -> Recording:
    key = file_key(item.id, file.id)
    film = file.kind is MediaKind.FILM
    web = derived.web_copy(item.id, file)
    return Recording(
        id=file.id,
        name=presenting.file_name(file.path),
        facts=presenting.joined(
            (presenting.media_kind_label(file.kind), presenting.clock(file.duration) if file.duration else "", file.format)
        ),
        film=film,
        web=url_for("media.web", key=key) if web else None,
        media_type=web.media_type if web else "",
        fragment=asked.fragment if asked else "",
        poster=url_for("media.poster", key=key) if film and derived.poster(file) else None,
        waveform=url_for("media.waveform", key=key) if derived.waveform(file) else None,
        tracks=tuple(_track(item, track, asked, mark) for track in tracks),
        segments=tuple(_segment(item, s, s is here) for s in sorted(passages, key=lambda s: s.start)),
        absent=_("网页用的声像还没有做好，或这个文件不能播放。原件已保存。"),
    )


def _track(item: Item, track: Track, asked: Moment | None, mark: Mark) -> ShownTrack:
    cues = []
    for cue in track.cues:
        name = anchor(track.id, cue.start)
        cues.append(
            ShownCue(
                anchor=name,
                start=cue.start,
                end=cue.end,
                clock=presenting.clock(cue.start),
                url=url_for("browse.item", item=item.id, t=f"{cue.start:g}", _anchor=name),
                parts=leaves.split(cue.text, mark(cue.text)),
                current=asked is not None and cue.start <= asked.start < cue.end,
            )
        )
    return ShownTrack(track.id, url_for("browse.cues", item=item.id, track=track.id), track.language, tuple(cues))


def _segment(item: Item, segment: Segment, current: bool) -> ShownSegment:
    url = url_for("browse.segment", item=item.id, segment=segment.id)
    return ShownSegment(segment.title, presenting.clock(segment.start), segment.start, url, current)


def webvtt(track: Track) -> str:
    """The track as WebVTT: cues in order, nothing empty, no markup of the text's own."""
    blocks = ["WEBVTT"]
    for cue in sorted(track.cues, key=lambda cue: (cue.start, cue.end)):
        lines = [line.strip() for line in cue.text.splitlines()]
        text = "\n".join(line for line in lines if line)
        if text and math.isfinite(cue.start) and cue.end > cue.start >= 0:
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            blocks.append(f"{_stamp(cue.start)} --> {_stamp(cue.end)}\n{text}")
    return "\n\n".join(blocks) + "\n"


def _stamp(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
