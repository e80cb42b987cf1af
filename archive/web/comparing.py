"""Two leaves or two recordings side by side, with what their texts say differently (異文), and Mirador for our manifests.

Everything stands in the address: `/compare?left=/items/A/p/P1&right=/items/B/p/P7`. Each side is asked of the services as if it were opened
alone, so what a reader may not see answers here as it does there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from archive import resources
from archive.errors import NotFound, QueryError, SearchIndexError, UsageError
from archive.language import _
from archive.model import timed_text
from archive.model.item import Page, TextSource, TextVersion, Track
from archive.search.base import Span
from archive.services.reading import ItemView, PageView
from archive.web import derived, differences, leaves, presenting, recordings
from archive.web.browse import thumb_url, whose
from archive.web.differences import Compared, Text
from archive.web.hall import hall, reader
from archive.web.leaves import Parts, PrintedLine
from archive.web.presenting import Label
from archive.web.problems import answer, item_or_404
from archive.web.recordings import Recording

blueprint = Blueprint("comparing", __name__)

STILL = 1200
MOST_ROWS = 200
_LONGEST = 500
_FOUND = 12
_SIDES = ("left", "right")
_PATH = re.compile(r"/items/(?P<item>[^/?#]+)(?:/p/(?P<page>[^/?#]+)|/pages/(?P<at>[0-9]{1,7})|/s/(?P<segment>[^/?#]+))?/?")


@dataclass(frozen=True, slots=True)
class Reference:
    """What stands on one side, as the address names it: a leaf by `page` (in the reading number `version` when one is named), or a recording
    at `time` (`12.5,30`)."""

    item: str
    page: str = ""
    time: str = ""
    version: str = ""

    @property
    def path(self) -> str:
        """Its own address, which is also how the comparison's address names it."""
        if self.page:
            return url_for("browse.page", item=self.item, page=self.page, version=self.version or None)
        return url_for("browse.item", item=self.item, t=self.time or None)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of timed text: when, where it is heard alone, and its words."""

    start: float
    clock: str
    url: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Side:
    """One side as the page shows it. A leaf has `image`, `lines` and its neighbours; a recording `recording` and `cues`."""

    name: str
    reference: Reference
    title: str
    label: Label
    url: str
    source: str
    machine: bool
    text: Text
    page: PageView | None = None
    version: TextVersion | None = None
    readings: list[dict[str, str]] = field(default_factory=list)
    image: dict[str, Any] | None = None
    recording: Recording | None = None
    track: Track | None = None
    lines: tuple[PrintedLine, ...] = ()
    cues: tuple[ShownLine, ...] = ()
    turns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One difference in the list: the words before it, those of each side, and whether the form alone differs."""

    before: str
    words: tuple[str, str]
    form: bool


@blueprint.get("/compare")
def compare() -> AnyResponse | str:
    """Both sides, or what is still to be chosen."""
    try:
        given = {name: _reference(request.args[name]) for name in _SIDES if request.args.get(name, "").strip()}
        other = _same_item(given)
    except UsageError as error:
        return answer(400, str(error))
    if other is not None:
        return redirect(_address(other), 302)
    sides = {name: _side(name, reference) for name, reference in given.items()}
    compared = None
    if len(sides) == 2 and all(side.text.text.strip() for side in sides.values()):
        compared = differences.compare(sides["left"].text, sides["right"].text)
    forms = request.args.get("forms") == "1"
    shown = [_marked(sides[name], number, compared, forms) if name in sides else None for number, name in enumerate(_SIDES)]
    known = {name: side.reference for name, side in sides.items()}
    return render_template(
        "compare/page.html",
        sides=shown,
        both=len(sides) == 2,
        kept={name: reference.path for name, reference in known.items()},
        pictures=[side is not None and side.image is not None and bool(side.image["info"]) for side in shown],
        heard=[side is not None and side.recording is not None and bool(side.recording.web) for side in shown],
        compared=compared,
        forms=forms,
        rows=_rows(compared, forms) if compared else [],
        most=MOST_ROWS,
        turns=_turning_both(shown),
        exchanged=_address({"left": known["right"], "right": known["left"]}) if len(known) == 2 else None,
        find=request.args.get("find", "").strip()[:80],
        candidates=_candidates(known),
        viewer=(resources.static() / "vendor" / "openseadragon" / "openseadragon.min.js").is_file(),
        mirador=mirador_address([reference.item for reference in known.values()]) if known else None,
    )


# What the address names


def _reference(written: str) -> Reference:
    """What an address, or an item's id, means. Raises UsageError when it is no address of a leaf or a recording, NotFound for a malformed id."""
    text = written.strip()
    try:
        parts = urlsplit(text if "/" in text else f"/items/{text}") if len(text) <= _LONGEST else None
    except ValueError:  # http://[::1
        parts = None
    path = parts.path.removeprefix(request.script_root) if parts else ""
    match = _PATH.fullmatch(path)
    if parts is None or match is None:
        raise UsageError(_("这不是本馆书叶或录音的网址：%(text)s。网址形如 /items/编号/p/叶。", text=text[:80]))
    item = item_or_404(match["item"])
    if match["page"]:
        return Reference(item, page=match["page"], version=_number(parse_qs(parts.query).get("version", [""])[0]))
    if match["at"]:
        return Reference(item, page=hall().reading.page_at(reader(), item, int(match["at"])).page.id)
    view = hall().reading.item(reader(), item, pages_size=1)
    time = parse_qs(parts.query).get("t", [""])[0]
    if match["segment"]:
        passage = next((one for one in view.item.segments if one.id == match["segment"]), None)
        if passage is None:
            raise NotFound(match["segment"])
        time = f"{passage.start:g},{passage.end:g}"
    return _of_item(view, time)


def _number(written: str) -> str:
    return str(int(written)) if written.isascii() and written.isdigit() and len(written) < 4 else ""


def _of_item(view: ItemView, time: str) -> Reference:
    """The recording of an item when a time is named or it has no leaves, else its first leaf."""
    moment = recordings.asked_time(time)
    if view.pages and moment is None:
        return Reference(view.item.id, page=view.pages[0].id)
    return Reference(view.item.id, time=time if moment else "")


def _same_item(given: dict[str, Reference]) -> dict[str, Reference] | None:
    """Both sides when the other leaf of the same item is asked for by its place (`?same=12`); None when it is not."""
    asked = request.args.get("same", "").strip()
    if not asked or len(given) != 1:
        return None
    ((name, there),) = given.items()
    if not (asked.isascii() and asked.isdigit() and len(asked) < 8):
        raise UsageError(_("请写第几面，只写数字。"))
    page = hall().reading.page_at(reader(), there.item, int(asked)).page.id
    missing = next(side for side in _SIDES if side != name)
    return given | {missing: Reference(there.item, page=page)}


def _address(sides: dict[str, Reference]) -> str:
    """The comparison of these, with the choices of this one."""
    named: dict[str, Any] = {name: sides[name].path for name in _SIDES if name in sides}
    return url_for("comparing.compare", **named, **_kept())


# One side


def _side(name: str, reference: Reference) -> Side:
    return _leaf(name, reference) if reference.page else _heard(name, reference)


def _leaf(name: str, reference: Reference) -> Side:
    view = hall().reading.page(reader(), reference.item, reference.page)
    label = presenting.leaf_label(view.page)
    notes = bool(view.profile and view.profile.notes_layout)
    version = _version(view, reference.version)
    turns = {way: Reference(reference.item, page=page) for way, page in (("previous", view.previous), ("next", view.next)) if page}
    return Side(
        name,
        reference,
        view.item.title,
        label,
        reference.path,
        whose(version) if version else "",
        version is not None and version.source is TextSource.OCR,
        Text(version.text if version else "", notes, view.item.collection),
        page=view,
        version=version,
        image=_image(view, view.page, label),
        turns={way: _turned(name, there) for way, there in turns.items()},
    )


def _version(view: PageView, number: str) -> TextVersion | None:
    """The reading of that number, else the one that is shown and searched."""
    return view.page.texts[int(number)] if number and int(number) < len(view.page.texts) else view.text


def _other_readings(side: Side) -> list[dict[str, str]]:
    """The other readings of a leaf, each with the comparison that has it on this side."""
    if side.page is None:
        return []
    return [
        {"source": whose(other), "url": _turned(side.name, replace(side.reference, version=str(number)))}
        for number, other in enumerate(side.page.page.texts)
        if other is not side.version and other.text != side.text.text
    ]


def _image(view: PageView, page: Page, label: Label) -> dict[str, Any] | None:
    if view.image is None or page.image is None:
        return None
    made = derived.picture(hall().reading.file(reader(), view.image).file, page.image.part)
    return {
        "still": thumb_url(view.image, STILL) if made else None,
        "info": url_for("images.info", key=view.image) if made else None,
        "region": ",".join(map(str, page.image.region)) if page.image.region else None,
        "alt": _("%(title)s，%(label)s 的影像", title=view.item.title, label=label.text),
        "width": view.width,
        "height": view.height,
    }


def _heard(name: str, reference: Reference) -> Side:
    view = hall().reading.item(reader(), reference.item, pages_size=1)
    asked = recordings.asked_time(reference.time)
    heard = recordings.of_item(view.item, asked, None, lambda _text: (), cut=view.cut)
    recording = heard[0] if heard else None
    timed = {track.id: track for track in view.item.tracks if track.timed}
    track = timed.get(recording.tracks[0].id) if recording is not None and recording.tracks else None
    text = "\n".join(cue.text for cue in timed_text.shown(track.cues)) if track else ""
    return Side(
        name,
        reference,
        view.item.title,
        Label(recording.name if recording else _("录音录像")),
        reference.path,
        _("随声文字") if track else "",
        False,
        Text(text, collection=view.item.collection),
        recording=recording,
        track=track,
    )


def _turned(name: str, there: Reference) -> str:
    """The comparison with one side turned to another leaf."""
    named: dict[str, Any] = {side: request.args[side] for side in _SIDES if request.args.get(side)} | {name: there.path}
    return url_for("comparing.compare", **named, **_kept())


def _kept() -> dict[str, Any]:
    """The choices that stay when a side changes."""
    return {name: request.args[name] for name in ("forms", "lang") if request.args.get(name)}


def _marked(side: Side, number: int, compared: Compared | None, forms: bool) -> Side:
    """The side with its words, those marked that the other one has otherwise."""
    spans: tuple[Span, ...] = compared.spans(number, forms) if compared and compared.related else ()
    if side.page is not None:
        lines = leaves.printed(side.version.lines, spans, side.text.notes) if side.version else ()
        return replace(side, lines=lines, readings=_other_readings(side))
    if side.track is None:
        return side
    found = recordings.find(side.track, lambda _text: spans)
    cues = (
        ShownLine(
            cue.start,
            presenting.clock(cue.start),
            url_for("browse.item", item=side.reference.item, t=f"{cue.start:g},{cue.end:g}"),
            leaves.split(cue.text, inside),
        )
        for cue, inside in found
    )
    return replace(side, cues=tuple(cues))


# Both


def _turning_both(sides: list[Side | None]) -> dict[str, str]:
    """Both sides turned to the leaf before and the one after, where both have one."""
    pages = [side.page for side in sides if side is not None and side.page is not None]
    if len(pages) < 2:
        return {}
    found = {}
    for way in ("previous", "next"):
        there = [getattr(page, way) for page in pages]
        if all(there):
            both = {name: Reference(page.item.id, page=to) for name, page, to in zip(_SIDES, pages, there, strict=True)}
            found[way] = _address(both)
    return found


def _rows(compared: Compared, forms: bool) -> list[Row]:
    chosen = [one for one in compared.differences if forms or not one.form][:MOST_ROWS]
    return [Row(_clean(one.before), (_clean(one.words[0]), _clean(one.words[1])), one.form) for one in chosen]


def _clean(words: str) -> str:
    return words.replace("\n", "")


def _candidates(known: dict[str, Reference]) -> list[dict[str, str]] | None:
    """Items by words of their titles (`?find=`), each with the comparison it would make; None when nothing was looked for."""
    wanted = re.sub(r"[\s\"“”「」『』()（）*?？:：]+", "", request.args.get("find", ""))[:80]
    if not wanted or len(known) > 1:
        return None
    try:
        view = hall().reading.search(reader(), f"题名:{wanted}", size=_FOUND, facets=())
    except (QueryError, SearchIndexError):
        return []
    there = next(name for name in _SIDES if name not in known)
    return [{"title": one.title, "date": one.date, "url": _address(known | {there: Reference(one.id)})} for one in view.items.values()]


# Mirador


def mirador_address(items: list[str]) -> str:
    """Where Mirador opens these items of ours, one beside the other."""
    return url_for("comparing.mirador", item=list(dict.fromkeys(items)))


@blueprint.get("/mirador")
def mirador() -> Response | str:
    """Mirador with one or two of our manifests (`?item=A&item=B`, `canvas=` a leaf of the first)."""
    wanted = [item_or_404(item) for item in request.args.getlist("item")]
    if not 1 <= len(wanted) <= 4:
        return answer(400, _("请写要打开的一件到四件：/mirador?item=编号&item=编号。"))
    views = [hall().reading.item(reader(), item, pages_size=1) for item in wanted]
    page = request.args.get("page", "")
    if page:
        hall().reading.page(reader(), wanted[0], page)
    windows = [
        {
            "title": view.item.title,
            "url": url_for("browse.item", item=view.item.id),
            "manifest": url_for("iiif.manifest", item=view.item.id),
        }
        for view in views
    ]
    return render_template(
        "compare/mirador.html",
        windows=windows,
        page=page,
        viewer=(resources.static() / "vendor" / "mirador" / "mirador.min.js").is_file(),
    )
