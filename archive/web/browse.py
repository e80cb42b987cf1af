"""Pages for readers: home, holding, item, passage, about, help. `reading_page` adds the leaf to the same blueprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, url_for

from archive import __version__
from archive.errors import NotFound, QueryError, SearchIndexError
from archive.language import _
from archive.model import timed_text
from archive.model.identifiers import file_key
from archive.model.item import MediaFile, TextVersion, Track
from archive.model.rights import Audience
from archive.search.base import Span
from archive.services.reading import CollectionCount, ItemSummary, ItemView, PageSummary
from archive.web import contents, leaves, presenting, recordings
from archive.web.examples import examples, parts
from archive.web.hall import absolute, canonical, hall, open_to_viewers, reader
from archive.web.pages import Pages, asked_page
from archive.web.presenting import Label
from archive.web.problems import item_or_404

blueprint = Blueprint("browse", __name__)

CARDS = 24
NEWEST = 10
FACES = 40
"""Of the newest items those among which holdings look for a picture first."""
LEAVES = 48
THUMB = 400


@dataclass(frozen=True, slots=True)
class Card:
    """An item in a list. `thumb` an address or None."""

    title: str
    url: str
    kind: str
    date: str
    facts: str
    thumb: str | None


class Leaf(NamedTuple):
    """A page in the list of its item."""

    url: str
    label: str
    unverified: bool
    thumb: str | None
    section: str
    missing: bool


def card(summary: ItemSummary) -> Card:
    """How a list shows an item."""
    return Card(
        title=summary.title,
        url=url_for("browse.item", item=summary.id),
        kind=presenting.kind_label(hall().definitions, summary.kind),
        date=summary.date,
        facts=presenting.joined(
            (
                _("%(n)s 面", n=f"{summary.pages:,}") if summary.pages else "",
                _("%(n)s 段音像", n=summary.recordings) if summary.recordings else "",
                presenting.clock(summary.duration) if summary.duration else "",
            )
        ),
        thumb=thumb_url(summary.thumb),
    )


def thumb_url(key: str | None, size: int = THUMB) -> str | None:
    """The address of a thumbnail, None for what has none."""
    # Written out, for a page can name a hundred: `url_for` would cost more than the rest of the page. A test holds the two together.
    return f"{request.script_root}/thumbs/{key}/{size}" if key else None


def leaf_url(item: str, page: str) -> str:
    """The address of a leaf."""
    return f"{request.script_root}/items/{item}/p/{quote(page)}"


@blueprint.get("/")
def home() -> str:
    """Search box, holdings, what came in last."""
    canonical(url_for("browse.home"))
    counts = hall().reading.collections(reader())
    newest = hall().reading.recent(reader(), FACES)
    return render_template(
        "browse/home.html",
        holdings=[_holding(count, newest) for count in counts],
        recent=[card(summary) for summary in newest[:NEWEST]],
        examples=[example for example, _about in examples()[:4]],
    )


def _holding(count: CollectionCount, newest: Sequence[ItemSummary]) -> dict[str, Any]:
    label, description = presenting.own_words(count.collection)
    return {
        "label": label,
        "label_zh": count.collection.label,
        "description": _first_sentence(description),
        "url": url_for("browse.collection", slug=count.collection.slug),
        "facts": presenting.tally(count.items, count.pages, count.recordings),
        "thumb": _face(count.collection.slug, newest) if count.items else None,
    }


def _first_sentence(text: str) -> str:
    """As much of a description as fits on a card."""
    for stop in ("。", ". "):
        head, found, _rest = text.partition(stop)
        if found:
            return head + stop.strip()
    return text


def _face(slug: str, newest: Sequence[ItemSummary]) -> str | None:
    """A picture for a holding: that of the newest of its items that has one."""
    mine = [summary for summary in newest if summary.collection == slug and summary.thumb]
    if not mine:
        mine = [summary for summary in hall().reading.items(reader(), collection=slug, size=8, sort="recent").items if summary.thumb]
    return thumb_url(mine[0].thumb) if mine else None


@blueprint.get("/collections/<slug>")
def collection(slug: str) -> str:
    """A holding: its items, by kind and in an order."""
    count = hall().reading.collection(reader(), slug)
    kind = request.args.get("kind") or None
    sort = request.args.get("sort", "title")
    if sort not in ("title", "date", "recent"):
        sort = "title"
    number = asked_page(request)
    listed = hall().reading.items(reader(), collection=slug, kind=kind, page=number, size=CARDS, sort=sort)
    if number > listed.pages:
        raise NotFound(slug)
    label, description = presenting.own_words(count.collection)
    canonical(url_for("browse.collection", slug=slug))
    return render_template(
        "browse/collection.html",
        holding={
            "slug": slug,
            "label": label,
            "description": description,
            "facts": presenting.tally(count.items, count.pages, count.recordings),
        },
        kinds=[
            {"value": k.kind, "label": presenting.kind_label(hall().definitions, k.kind), "count": k.items}
            for k in hall().reading.kinds(reader(), slug)
        ],
        kind=kind,
        sorts=[("title", _("题名")), ("date", _("年代")), ("recent", _("入藏先后"))],
        sort=sort,
        cards=[card(summary) for summary in listed.items],
        pages=Pages(listed.page, listed.pages),
    )


@blueprint.get("/items/<item>")
def item(item: str) -> str:
    """An item: description, rights, recordings, leaves, papers, files."""
    return _item_page(item_or_404(item), url_for("browse.item", item=item))


@blueprint.get("/items/<item>/s/<segment>")
def segment(item: str, segment: str) -> str:
    """The item opened at one passage of a recording."""
    return _item_page(item_or_404(item), url_for("browse.segment", item=item, segment=segment), segment)


def _item_page(item: str, path: str, segment: str | None = None) -> str:
    number = asked_page(request)
    view = hall().reading.item(reader(), item, pages_page=number, pages_size=LEAVES)
    pages = Pages(number, max(1, -(-view.summary.pages // LEAVES)))
    if number > pages.count or (segment is not None and all(s.id != segment for s in view.item.segments)):
        raise NotFound(path)
    definitions = hall().definitions
    direction = presenting.direction(view.item, view.profile)
    asked = recordings.asked_time(request.args.get("t"), request.args.get("track"))
    query = request.args.get("q", "").strip()[:400]
    canonical(path)
    shelf = presenting.holding_label(definitions, view.item.collection)
    shelf_url = url_for("browse.collection", slug=view.item.collection) if view.item.collection in definitions.collections else None
    return render_template(
        "browse/item.html",
        item=view.item,
        steps=[(shelf, shelf_url), (view.item.title, None)],
        kind=presenting.kind_label(definitions, view.item.kind),
        audience=_closed_to_some(view.item.rights.audience),
        description=view.item.fields.get("description", ()),
        notices=_terms(view, "sensitivity"),
        details=presenting.details(view.item, definitions),
        rights=presenting.rights_lines(view.item, view.item.rights, definitions),
        recordings=recordings.of_item(
            view.item,
            asked,
            segment,
            lambda text: recordings.marks(query, text, view.item.collection),
            loop=request.args.get("loop") == "1",
            cut=view.cut,
        ),
        q=query,
        librettos=[_libretto(track, query, view.item.collection) for track in view.item.tracks if not track.timed],
        texts=_texts(view, query),
        leaves=[_leaf(view, page) for page in view.pages if page.image or page.missing or page.has_text],
        contents=contents.of_book(
            view.item.sections,
            view.places,
            view.summary.pages,
            lambda page: leaf_url(item, page),
            definitions.vocabularies.get(contents.CATEGORIES),
        ),
        leaves_heading=_("书叶") if direction == "rtl" else _("影像"),
        direction=direction,
        pages=pages,
        files=[_file(view, file) for file in view.item.files],
        frontis=_frontis(view),
        permanent=absolute(path),
        permanent_path=path,
        manifest=url_for("iiif.manifest", item=item),
        takings=_takings(view),
    )


def _takings(view: ItemView) -> list[tuple[str, str]]:
    """What of an item can be taken home, by its address: its text, its pages as PDF."""
    found = []
    if any(page.has_text for page in view.pages):
        found.append((url_for("downloads.item_text", item=view.item.id), _("下载全文（TXT）")))
    if any(page.has_text or page.image for page in view.pages):
        found.append((url_for("downloads.item_pdf", item=view.item.id), _("下载全件（PDF）")))
    return found


def _closed_to_some(audience: Audience | None) -> str | None:
    return presenting.audience_label(audience) if audience not in (None, Audience.PUBLIC) else None


def _terms(view: ItemView, key: str) -> list[str]:
    field = view.profile.field(key) if view.profile else None
    written = view.item.fields.get(key, ())
    return [presenting.value(text, field, hall().definitions).text if field else text for text in written]


def _libretto(track: Track, query: str, collection: str) -> dict[str, Any]:
    return {"id": track.id, "lines": [leaves.split(cue.text, mark(query, cue.text, collection=collection)) for cue in track.cues]}


_FEW = 6
"""Pages without images that an item's own page shows in full; a longer document is read page by page."""


def _texts(view: ItemView, query: str) -> list[dict[str, Any]]:
    """The text of a paper that has no images, to be read where it is described."""
    if not view.pages or view.summary.pages > _FEW or any(page.image or page.missing for page in view.pages):
        return []
    found = []
    for page in view.pages:
        opened = hall().reading.page(reader(), view.item.id, page.id)
        if opened.text:
            parts = leaves.split(opened.text.text, mark(query, opened.text.text, collection=view.item.collection))
            url = url_for("browse.page", item=view.item.id, page=page.id)
            found.append({"id": page.id, "label": _summary_label(page), "source": whose(opened.text), "parts": parts, "url": url})
    return found


def _leaf(view: ItemView, page: PageSummary) -> Leaf:
    label = _summary_label(page)
    return Leaf(
        url=leaf_url(view.item.id, page.id),
        label=label.text,
        unverified=label.unverified,
        thumb=thumb_url(page.image),
        section=page.section,
        missing=page.missing,
    )


def _summary_label(page: PageSummary) -> Label:
    if page.folio:
        return Label(page.folio, not page.verified)
    return Label(page.label or presenting.position_label(page.position, page.image is not None or page.missing))


def _frontis(view: ItemView) -> dict[str, Any] | None:
    """The picture beside the description: the first leaf, or the item's picture when it has no leaves."""
    first = next((page for page in view.pages if page.image and not page.missing), None)
    if first is not None and view.pages_page == 1:
        label = _summary_label(first)
        url = url_for("browse.page", item=view.item.id, page=first.id)
        invitation = _("从头阅读") if presenting.direction(view.item, view.profile) == "rtl" else _("看大图")
        return {
            "url": url,
            "thumb": thumb_url(first.image, 800),
            "alt": label.text,
            "label": label,
            "start": view.summary.pages > 1,
            "invitation": invitation,
        }
    return None


def _file(view: ItemView, file: MediaFile) -> dict[str, Any]:
    key = file_key(view.item.id, file.id)
    return {
        "name": presenting.file_name(file.path),
        "original": url_for("media.original", key=key),
        "damaged": file.damaged,
        "sha512": file.sha512,
        "format": file.format or file.media_type,
        "measures": presenting.measures(file),
        "size": presenting.size_in_words(file.size),
        "role": presenting.role_label(file.role),
    }


def whose(version: TextVersion) -> str:
    """Whose reading it is, with what the donor said of its state."""
    return presenting.source_label(version.source) + (f"（{version.status}）" if version.status else "")


def mark(query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", collection: str = "") -> tuple[Span, ...]:
    """Where the query's strings are in a text; nowhere when there is no query or it has a fault, for the page must still open."""
    if not query or not text:
        return ()
    try:
        return hall().reading.mark(query, text, notes, before=before, after=after, taboo=with_taboo(), collection=collection)
    except (QueryError, SearchIndexError):
        return ()


def with_taboo() -> bool:
    """False when the search that led here was told to leave taboo substitutes alone (`?taboo=0`): then they are not marked either."""
    return request.args.get("taboo") != "0"


@blueprint.get("/items/<item>/cues/<track>.vtt")
def cues(item: str, track: str) -> Response:
    """Timed text as WebVTT, without anything of closed passages."""
    found = hall().reading.track(reader(), item_or_404(item), track)
    if not found.timed:
        raise NotFound(track)
    response = Response(timed_text.as_vtt(found), mimetype="text/vtt")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return open_to_viewers(response)


@blueprint.get("/about")
def about() -> str:
    """What this archive is."""
    canonical(url_for("browse.about"))
    counts = hall().reading.kinds(reader())
    facts = presenting.tally(sum(c.items for c in counts), sum(c.pages for c in counts), sum(c.recordings for c in counts))
    return render_template("browse/about.html", facts=facts, version=__version__)


@blueprint.get("/help", endpoint="help")
def guide() -> str:
    """How to search, read and listen."""
    canonical(url_for("browse.help"))
    return render_template("browse/help.html", parts=parts())
