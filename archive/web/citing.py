"""Citing: a quotation with its citation in both editions of GB/T 7714, BibTeX, RIS and the permanent link, of an item, a page, a region, a passage."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from archive.errors import NotFound, UsageError
from archive.export.citation import EDITIONS, gbt7714
from archive.export.quoting import quotation, within
from archive.export.reference import Reference, reference, stretch
from archive.export.registry import FORMS
from archive.language import _
from archive.model.item import Cue, Item, Page, TextVersion
from archive.model.placing import Box, regions
from archive.services.reading import ItemView, PageView
from archive.web import presenting
from archive.web.hall import absolute, canonical, hall, reader
from archive.web.problems import answer, item_or_404
from archive.web.recordings import Moment, asked_time

blueprint = Blueprint("citing", __name__)

FORMATS = ("html", "json", "text", *FORMS)
_REGION = re.compile(r"([0-9]{1,6}),([0-9]{1,6}),([1-9][0-9]{0,5}),([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is cited: the words quoted (empty when none were chosen), the reference, and whether what it says of the place was looked at by a person."""

    quotation: str
    reference: Reference
    verified: bool
    item: Item
    view: PageView | None = None


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    return answer(400, str(error))


@blueprint.get("/items/<item>/cite")
def cite(item: str) -> str | Response:
    """How to cite an item (`page`, `xywh`, `start`, `end`, `t`, `s` say what of it), as a page or in a form for programs."""
    wanted = _one_of("format", FORMATS, "html")
    edition = _one_of("style", EDITIONS, EDITIONS[0])
    found = quoted(item_or_404(item))
    if wanted == "html":
        return _page(found, edition)
    if wanted == "json":
        return _sent(json.dumps(as_json(found), ensure_ascii=False, indent=1) + "\n", "application/json")
    if wanted == "text":
        return _sent(_as_text(found, edition), "text/plain")
    form = FORMS[wanted]
    response = _sent(form.write(found.reference), form.media_type)
    name = "-".join(part for part in (found.reference.item, found.reference.key) if part)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form.suffix}"'
    return response


def as_json(found: Quoted) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "quotation": found.quotation,
        "citation": {f"gbt7714-{edition}": gbt7714(found.reference, edition) for edition in EDITIONS},
        **{name: form.write(found.reference) for name, form in FORMS.items()},
        "link": found.reference.link,
        "verified": found.verified,
    }


def quoted(item: str) -> Quoted:
    """What the address asks to be cited; raises NotFound, Withdrawn, and UsageError when it is not well formed."""
    page, moment = request.args.get("page"), _moment()
    region, chosen = asked_region(), asked_range()
    if page is None:
        if region or chosen:
            raise UsageError(_("xywh、start、end 说的是一面上的位置，须同时写明 page。"))
        return _of_recording(item, moment) if moment or "s" in request.args else of_item(item)
    if moment:
        raise UsageError(_("page 与 t 只能写一个：一个说书叶，一个说音像。"))
    return of_page(item, page, region, chosen)


def of_page(item: str, page: str, region: str | None = None, chosen: tuple[int, int] | None = None) -> Quoted:
    """A page, a region of it, or some of its words."""
    view = hall().reading.page(reader(), item, page)
    opened = hall().reading.item(reader(), item, pages_size=1)
    words = ""
    if chosen:
        version = asked_version(view)
        if version is None or chosen[1] > len(version.text):
            raise UsageError(_("start、end 超出了这一面的文字。"))
        words = quotation(version.text, *chosen, notes=has_notes(view))
        region = region or _around(regions(version.lines, *chosen, notes=has_notes(view)))
    elif region and (version := asked_version(view)) is not None:
        x, y, width, height = map(int, region.split(","))
        stretches = within(version.lines, (x, y, width, height), notes=has_notes(view))
        words = "".join(quotation(version.text, *chars, notes=has_notes(view)) for chars in stretches)
    values: dict[str, Any] = {"xywh": region} if region else {}
    link = absolute(url_for("browse.page", item=item, page=page, **values).replace("%2C", ","))
    made = _reference(opened, link, view.page)
    return Quoted(words, made, view.page.folio is not None and view.page.folio.verified, opened.item, view)


def of_item(item: str) -> Quoted:
    view = hall().reading.item(reader(), item, pages_size=1)
    made = _reference(view, absolute(url_for("browse.item", item=item)))
    return Quoted("", made, True, view.item)


def _of_recording(item: str, moment: Moment | None) -> Quoted:
    """A passage, by its times or by the id of a described one (`s`); its words are the timed lines that are open to this reader."""
    opened = hall().reading.item(reader(), item, pages_size=1)
    whole = opened.item
    values: dict[str, Any] = {}
    segment = request.args.get("s")
    name = ""
    if segment is not None:
        passage = next((given for given in whole.segments if given.id == segment), None)
        if passage is None:
            raise NotFound(segment)
        moment, name = moment or Moment(passage.start, passage.end), passage.title
    if moment is None:
        raise NotFound(item)
    values["t"] = f"{moment.start:g}" + (f",{moment.end:g}" if moment.end is not None else "")
    if moment.track:
        values["track"] = moment.track
    link = absolute(url_for("browse.item", item=item, **values).replace("%2C", ","))
    told = stretch(moment.start, moment.end)
    made = _reference(opened, link, passage=f"{name}，{told}" if name else told)
    return Quoted(_heard(whole, moment), made, True, whole)


def _heard(item: Item, moment: Moment) -> str:
    """The timed lines of a passage; of several tracks the first that has any there, of those of the recording that was named when one was."""
    media = next((track.media for track in item.tracks if track.id == moment.track), moment.track)
    for track in item.tracks:
        if track.timed and (not moment.track or track.media == media):
            lines = [cue.text.strip() for cue in track.cues if _within(cue, moment)]
            if lines:
                return "\n".join(lines)
    return ""


def _within(cue: Cue, moment: Moment) -> bool:
    if moment.end is None:
        return cue.start <= moment.start < cue.end
    return cue.start < moment.end and cue.end > moment.start


def _reference(opened: ItemView, link: str, page: Page | None = None, passage: str = "") -> Reference:
    today = hall().archive.now().astimezone().date().isoformat()
    leaves, of = any(one.folio for one in opened.pages), opened.summary.pages
    name = hall().settings.name
    return reference(opened.item, link=link, accessed=today, archive=name, of=of, leaves=leaves, page=page, passage=passage)


def has_notes(view: PageView) -> bool:
    """True when brackets in the text of this page are small notes."""
    return view.profile is not None and view.profile.notes_layout


def asked_version(view: PageView) -> TextVersion | None:
    """The reading asked for by number (`version`), else the one that is shown."""
    number = request.values.get("version", "")
    if number.isascii() and number.isdigit() and len(number) < 4 and int(number) < len(view.page.texts):
        return view.page.texts[int(number)]
    return view.text


def _around(boxes: tuple[Box, ...]) -> str | None:
    """One region around all of them, as an address writes it."""
    if not boxes:
        return None
    left, top = min(x for x, _y, _w, _h in boxes), min(y for _x, y, _w, _h in boxes)
    right, bottom = max(x + w for x, _y, w, _h in boxes), max(y + h for _x, y, _w, h in boxes)
    return f"{max(0, left)},{max(0, top)},{right - left},{bottom - top}"


def asked_region() -> str | None:
    """`xywh` as written; raises UsageError when it is no region."""
    written = request.values.get("xywh")
    if not written:
        return None
    if _REGION.fullmatch(written) is None:
        raise UsageError(_("xywh 应是四个数：左,上,宽,高（像素）。"))
    return written


def asked_range() -> tuple[int, int] | None:
    """`start` and `end`, code points of the page's text; raises UsageError when they are none."""
    written = [request.values.get(name) or None for name in ("start", "end")]
    if written == [None, None]:
        return None
    numbers = [int(text) if text and re.fullmatch(r"[0-9]{1,7}", text) else -1 for text in written]
    if min(numbers) < 0 or numbers[0] >= numbers[1]:
        raise UsageError(_("start、end 应是两个数，end 在后：引文在这一面文字里的起止。"))
    return numbers[0], numbers[1]


def _moment() -> Moment | None:
    written = request.args.get("t")
    moment = asked_time(written, request.args.get("track"))
    if written and moment is None:
        raise UsageError(_("t 应是秒数：12.5 或 12.5,30。"))
    return moment


def _one_of(name: str, known: tuple[str, ...], default: str) -> str:
    wanted = request.args.get(name) or default
    if wanted not in known:
        raise UsageError(_("%(name)s 可以是：%(known)s。", name=name, known="、".join(known)))
    return wanted


def _sent(text: str, media_type: str) -> Response:
    return Response(text, content_type=f"{media_type}; charset=utf-8")


def _as_text(found: Quoted, edition: str) -> str:
    return (f"{found.quotation}\n\n" if found.quotation else "") + gbt7714(found.reference, edition) + "\n"


def _page(found: Quoted, edition: str) -> str:
    made, view = found.reference, found.view
    item_url = url_for("browse.item", item=made.item)
    canonical(url_for("citing.cite", item=made.item))
    label = presenting.leaf_label(view.page) if view else None
    steps = [(found.item.title, item_url)]
    if view and label:
        steps.append((label.text, url_for("browse.page", item=made.item, page=view.page.id)))
    others = tuple(one for one in EDITIONS if one != edition)
    return render_template(
        "citing/cite.html",
        item=found.item,
        steps=[*steps, (_("引用"), None)],
        label=label,
        passage=made.passage,
        quotation=found.quotation,
        editions=[(one, gbt7714(made, one)) for one in (edition, *others)],
        forms=[(name, form.write(made)) for name, form in FORMS.items()],
        link=made.link,
        unverified=view is not None and view.page.folio is not None and not found.verified,
    )
