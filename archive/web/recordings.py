"""Recordings on an item's page: what can be played, its passages, its timed text side by side, what was found in it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for

from archive.errors import QueryError, SearchIndexError
from archive.language import _
from archive.model import timed_text
from archive.model.identifiers import file_key
from archive.model.item import Cue, FileRole, Item, MediaFile, MediaKind, Segment, Track
from archive.search.base import Span
from archive.services.seeing import CutRecording
from archive.web import derived, leaves, presenting
from archive.web.hall import absolute, hall
from archive.web.leaves import Parts


@dataclass(frozen=True, slots=True)
class Moment:
    """A time asked for, seconds; `end` None: to the end. `track` names the timed text, or the recording, that it is meant of; empty: the first."""

    start: float
    end: float | None = None
    track: str = ""

    @property
    def fragment(self) -> str:
        """As a media fragment (`#t=12.5,30`), which browsers follow by themselves."""
        return f"#t={self.start:g}" + (f",{self.end:g}" if self.end is not None else "")


@dataclass(frozen=True, slots=True)
class ShownCue:
    """One timed line. `anchor` names it in the page; `who` is the name of a speaker at its head; `beyond`: it lies after the end."""

    anchor: str
    start: float
    end: float
    clock: str
    url: str
    who: Parts
    parts: Parts
    current: bool
    beyond: bool

    @property
    def found(self) -> bool:
        """A search found something in it."""
        return any(hit for _text, hit in (*self.who, *self.parts))


@dataclass(frozen=True, slots=True)
class ShownTrack:
    """Timed text of one recording: its WebVTT for the player, where a search in it is answered, its downloads by the name of their form."""

    id: str
    name: str
    vtt: str
    find: str
    language: str
    cues: tuple[ShownCue, ...]
    downloads: tuple[tuple[str, str], ...]
    matches: int


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """A described passage; `facts` its 板式, 行当 … as written; `cite` where it is quoted, None when nothing does that."""

    title: str
    clock: str
    start: float
    end: float
    url: str
    facts: str
    current: bool
    cite: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A passage that this reader's copy is silent in."""

    start: float
    end: float
    clock: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the page shows it. `web` None: there is nothing a browser could play, `absent` says why (empty: there is only text)."""

    id: str
    name: str
    facts: str
    film: bool
    web: str | None
    media_type: str
    duration: float
    fragment: str
    start: float
    poster: str | None
    waveform: str | None
    peaks: str | None
    storyboard: str | None
    tracks: tuple[ShownTrack, ...]
    segments: tuple[ShownSegment, ...]
    gaps: tuple[Gap, ...]
    absent: str
    cite: str | None
    link: str
    """The permanent address of the item, to which `?t=` is added."""
    meant: str = ""
    """What a link adds to say which of several recordings it means: `&track=f2`, nothing for the first."""

    @property
    def lines(self) -> int:
        """Lines of timed text in all."""
        return sum(len(track.cues) for track in self.tracks)

    @property
    def matches(self) -> int:
        """Places in its timed text that a search found."""
        return sum(track.matches for track in self.tracks)


Mark = Callable[[str], Iterable[Span]]


def asked_time(text: str | None, track: str | None = None) -> Moment | None:
    """`?t=12.5` or `12.5,30`; None for anything else."""
    match = re.fullmatch(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(?:,([0-9]{1,7}(?:\.[0-9]{1,6})?))?", text or "")
    if match is None:
        return None
    start, end = float(match.group(1)), float(match.group(2)) if match.group(2) else None
    name = track if track and re.fullmatch(r"[tmf][0-9]{1,6}", track) else ""
    return Moment(start, end if end is not None and end > start else None, name)


def anchor(track: str, start: float) -> str:
    """The name of a line in the page: `t1-12.5`."""
    return f"{track}-{start:g}"


def of_item(
    item: Item, asked: Moment | None, segment: str | None, mark: Mark, *, loop: bool = False, cut: Sequence[CutRecording] = ()
) -> tuple[Recording, ...]:
    """The recordings of an item, one for each thing recorded: of several versions the master, or the service copy when there is one.

    Timed text that belongs to none of them is shown too: with the only recording there is, else as a recording without sound. `cut`: those of
    which this reader gets a copy with something left out.
    """
    passage = next((s for s in item.segments if s.id == segment), None)
    timed = [track for track in item.tracks if track.timed]
    found: list[_Heard] = []
    cuts = {one.file.id: one.cuts for one in cut}
    for versions in families((*item.files, *(one.file for one in cut))):
        ids = {version.id for version in versions}
        tracks = [track for track in timed if track.media in ids]
        passages = [s for s in item.segments if s.media in ids]
        best = min(versions, key=lambda file: (file.id in cuts, *rank(file)))
        found.append(_Heard(best, tracks, passages, cuts.get(best.id, ())))
    loose = [track for track in timed if not any(track in heard.tracks for heard in found)]
    if loose and len(found) == 1 and not found[0].tracks:
        # One recording and text that names none: they belong together.
        found = [replace(found[0], tracks=loose, passages=list(item.segments))]
    elif loose:
        found.append(_Heard(None, loose, []))
    return tuple(
        replace(
            _recording(item, heard, _moment(heard, asked, n == 0), passage if passage in heard.passages else None, mark, loop),
            meant=f"&track={heard.file.id}" if n and heard.file is not None else "",
        )
        for n, heard in enumerate(found)
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A recording with what belongs to it; `file` None: there is only its text."""

    file: MediaFile | None
    tracks: list[Track]
    passages: list[Segment]
    cuts: derived.Cuts = ()


def _moment(heard: _Heard, asked: Moment | None, first: bool) -> Moment | None:
    """The time asked for, if it is meant of this recording: the one whose text was named, else the first."""
    if asked is None:
        return None
    names = {track.id for track in heard.tracks} | ({heard.file.id} if heard.file is not None else set())
    mine = asked.track in names if asked.track else first
    return asked if mine else None


def families(given: Iterable[MediaFile]) -> list[list[MediaFile]]:
    """Sound and film files, versions of one thing together, in order."""
    files = {file.id: file for file in given if file.kind in (MediaKind.SOUND, MediaKind.FILM)}

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


def rank(file: MediaFile) -> tuple[int, bool, bool]:
    """Which of several versions is played, least first: the service copy, the master, others; whole ones; films, in which the sound is too."""
    order = [FileRole.SERVICE, FileRole.MASTER]
    return order.index(file.role) if file.role in order else len(order), file.damaged is not None, file.kind is not MediaKind.FILM


def _recording(item: Item, heard: _Heard, asked: Moment | None, here: Segment | None, mark: Mark, loop: bool) -> Recording:
    file = heard.file
    if here is not None:
        asked = Moment(here.start, here.end)
    length = file.duration if file is not None else None
    tracks = tuple(_track(item, track, asked, mark, length) for track in heard.tracks)
    cite, link = url_for("citing.cite", item=item.id), absolute(url_for("browse.item", item=item.id))
    segments = tuple(_segment(item, s, s is here, cite) for s in sorted(heard.passages, key=lambda s: s.start))
    if file is None:
        return Recording(
            "text", _("随声文字"), "", False, None, "", 0, "", 0, None, None, None, None, tracks, segments, (),
            _("这里只有文字，没有录音录像，或者录音录像不向您开放。"), cite, link,
        )  # fmt: skip
    key = file_key(item.id, file.id)
    film = file.kind is MediaKind.FILM
    cuts = heard.cuts
    web = derived.web_copy(item.id, file, cuts)
    return Recording(
        id=file.id,
        name=_cut_name(film) if cuts else presenting.file_name(file.path),
        facts=presenting.joined(
            (presenting.media_kind_label(file.kind), presenting.clock(file.duration) if file.duration else "", file.format)
        ),
        film=film,
        web=url_for("media.web", key=key) if web else None,
        media_type=web.media_type if web else "",
        duration=file.duration or 0,
        # A browser stops at the end of a fragment, a loop must not.
        fragment=(Moment(asked.start) if loop else asked).fragment if asked else "",
        start=asked.start if asked else 0,
        poster=url_for("media.poster", key=key) if film and derived.poster(file, cuts) else None,
        waveform=url_for("media.waveform", key=key) if derived.waveform(file, cuts) else None,
        peaks=url_for("media.peaks", key=key) if derived.peaks(file, cuts) else None,
        storyboard=url_for("media.storyboard", key=key, name="storyboard.vtt")
        if derived.storyboard(file, "storyboard.vtt", cuts)
        else None,
        tracks=tracks,
        segments=segments or _chapters(item, file),
        gaps=tuple(
            Gap(start, end, f"{presenting.clock(start)}–{presenting.clock(math.ceil(end))}") for start, end in derived.gaps(file, cuts)
        ),
        absent=_("网页用的声像还没有做好，或这个文件不能播放。原件已保存。"),
        cite=cite,
        link=link,
    )


def _cut_name(film: bool) -> str:
    """What a recording is called of which a reader may not have the file: its name could tell what they may not hear."""
    return _("影片（不含未开放的段落）") if film else _("录音（不含未开放的段落）")


def _chapters(item: Item, file: MediaFile) -> tuple[ShownSegment, ...]:
    """The chapters that the file itself brought, where nobody described passages."""
    given = [c for c in file.technical.get("chapters", ()) if isinstance(c, dict) and isinstance(c.get("start"), int | float)]
    starts = [float(c["start"]) for c in given]
    ends = [*starts[1:], file.duration or 0.0][: len(starts)]
    return tuple(
        ShownSegment(
            str(c.get("title") or _("第 %(n)d 章", n=n)),
            presenting.clock(start),
            start,
            max(start, end),
            url_for("browse.item", item=item.id, t=f"{start:g}"),
            "",
            False,
            None,
        )
        for n, (c, start, end) in enumerate(zip(given, starts, ends, strict=True), 1)
    )


def find(track: Track, mark: Mark) -> tuple[tuple[Cue, tuple[Span, ...]], ...]:
    """The lines of a track as they are shown, each with what `mark` finds in it; a string that runs on into the next line is found in both."""
    cues = timed_text.shown(track.cues)
    spans = sorted(mark("\n".join(cue.text for cue in cues)), key=lambda span: span.start)
    found, begin = [], 0
    for cue in cues:
        end = begin + len(cue.text)
        inside = (span for span in spans if span.start < end and span.end > begin)
        found.append((cue, tuple(Span(max(0, span.start - begin), min(end, span.end) - begin) for span in inside)))
        begin = end + 1
    return tuple(found)


def _track(item: Item, track: Track, asked: Moment | None, mark: Mark, length: float | None) -> ShownTrack:
    marked = find(track, mark)
    names = timed_text.speakers(cue for cue, _spans in marked)
    named: dict[str, Any] = {} if track.id == "t1" else {"track": track.id}
    now = None if asked is None else _begun(marked, asked.start)
    cues = []
    for (cue, spans), who in zip(marked, names, strict=True):
        name = anchor(track.id, cue.start)
        parts = leaves.split(cue.text, spans)
        cues.append(
            ShownCue(
                anchor=name,
                start=cue.start,
                end=cue.end,
                clock=presenting.clock(cue.start),
                url=url_for("browse.item", item=item.id, t=f"{cue.start:g}", _anchor=name, **named),
                who=_cut(parts, 0, who),
                parts=_cut(parts, who, len(cue.text)),
                current=now is not None and now == cue.start <= (asked.start if asked else 0) < cue.end,
                beyond=length is not None and cue.start > length,
            )
        )
    forms: tuple[tuple[str, dict[str, Any]], ...] = (("vtt", {}), ("srt", {"form": "srt"}), ("lrc", {"form": "lrc"}))
    downloads = tuple(
        (form.upper(), url_for("browse.cues" if form == "vtt" else "timed_text.written", item=item.id, track=track.id, **more))
        for form, more in forms
    )
    return ShownTrack(
        track.id,
        _track_name(item, track),
        url_for("browse.cues", item=item.id, track=track.id),
        url_for("timed_text.find", item=item.id, track=track.id),
        track.language,
        tuple(cues),
        downloads,
        sum(len(spans) for _cue, spans in marked),
    )


_LANGUAGES = {"zh": "中文", "en": "English", "lzh": "文言", "ja": "日本語"}


def _track_name(item: Item, track: Track) -> str:
    """What a track is called beside others of its recording."""
    beside = [other for other in item.tracks if other.timed and other.media == track.media]
    if len(beside) < 2:
        return _("随声文字")
    language = _LANGUAGES.get(track.language, track.language)
    return f"{_('随声文字')} {beside.index(track) + 1}（{language}）"


def _begun(marked: Sequence[tuple[Cue, tuple[Span, ...]]], time: float) -> float | None:
    """When the lines heard at a time began: of some that overlap the latest, and two of one beginning (a language each) are heard together."""
    return max((cue.start for cue, _spans in marked if cue.start <= time < cue.end), default=None)


def _cut(parts: Parts, start: int, end: int) -> Parts:
    """The part of some parts from one character to another."""
    found, at = [], 0
    for text, hit in parts:
        piece = text[max(0, start - at) : max(0, end - at)]
        if piece:
            found.append((piece, hit))
        at += len(text)
    return tuple(found)


def _segment(item: Item, segment: Segment, current: bool, cite: str) -> ShownSegment:
    return ShownSegment(
        segment.title,
        presenting.clock(segment.start),
        segment.start,
        segment.end,
        url_for("browse.segment", item=item.id, segment=segment.id),
        " · ".join(value for values in segment.fields.values() for value in values),
        current,
        f"{cite}?s={segment.id}",
    )


def marks(query: str, text: str, collection: str = "") -> tuple[Span, ...]:
    """Where a query's strings are in a text, folded as the search folds; nowhere when there is no query or it has a fault."""
    if not query or not text:
        return ()
    try:
        return hall().reading.mark(query, text, taboo=request.args.get("taboo") != "0", collection=collection)
    except (QueryError, SearchIndexError):
        return ()


def asked_query() -> str:
    """What a reader looks for in the text of this page."""
    return request.args.get("q", "").strip()[:400]
