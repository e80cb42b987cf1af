"""The page reader: a leaf or an opening with its text, the list of leaves, the way to a leaf by its name.

The server writes a whole page that needs no scripts; `static/js/reader/` makes it turn, zoom and quote without leaving it.
All that a reader chose is in the address: `view` (single, spread, scroll), `text` (vertical, horizontal, over, none), `q`, `xywh`, and for
the image `zoom`, `turn`, `contrast`, `bright`, `invert`.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from archive import resources
from archive.errors import NotFound, QueryError, SearchIndexError
from archive.language import _
from archive.language import current as language
from archive.model import openings, placing
from archive.model.identifiers import file_key
from archive.model.item import TextSource, TextVersion
from archive.search.base import Span
from archive.services.reading import PageSummary, PageView
from archive.web import derived, finding_leaves, leaves, presenting
from archive.web.browse import blueprint, leaf_url, mark, thumb_url, whose, with_taboo
from archive.web.hall import absolute, canonical, hall, reader
from archive.web.presenting import Label
from archive.web.problems import item_or_404

STILL = 1600
KEPT = 16
"""Books whose list of leaves a process keeps."""
VIEWS = ("single", "spread", "scroll")
LAYOUTS = ("vertical", "horizontal", "over", "none")
CARRIED = ("q", "taboo", "view", "text", "turn", "contrast", "bright", "invert")
"""What goes along from leaf to leaf."""
SCRIPTS = ("turning", "words", "quoting", "scroll")
"""Loaded after the first tile, in this order."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How the reader looks at the leaf, as the address says."""

    view: str
    layout: str
    query: str
    direction: str

    @property
    def carried(self) -> dict[str, str]:
        """Parameters for the addresses of other leaves."""
        return {name: value for name in CARRIED if (value := request.args.get(name, "").strip()[:400])}


@dataclass(frozen=True, slots=True)
class Book:
    """The leaves of an item as one reader may see them, and how they open."""

    pages: tuple[PageSummary, ...]
    openings: tuple[tuple[int, ...], ...]

    def opening_of(self, page: str) -> int:
        """The number (from 0) of the first opening that shows a page; raises NotFound."""
        index = next((n for n, one in enumerate(self.pages) if one.id == page), None)
        if index is None:
            raise NotFound(page)
        return next(n for n, opening in enumerate(self.openings) if index in opening)

    def anchor(self, opening: int) -> str | None:
        """The page by which an opening is addressed: the first one that no earlier opening shows. None where there is no such opening."""
        if not 0 <= opening < len(self.openings):
            return None
        before = self.openings[opening - 1] if opening else ()
        return self.pages[next(n for n in self.openings[opening] if n not in before)].id


def book(item: str) -> Book:
    """The leaves of an item; raises NotFound and Withdrawn. Kept for as long as the catalogue is unchanged."""
    here = hall()
    books: OrderedDict[tuple[object, ...], Book] = current_app.extensions.setdefault("fangzhi-books", OrderedDict())
    key = item, reader(), here.today(), here.archive.catalogue.state()
    found = books.get(key) or _book(item)
    books[key] = found
    while len(books) > KEPT:
        books.popitem(last=False)
    return found


def _book(item: str) -> Book:
    pages = hall().reading.pages(reader(), item)
    sided = any(page.printed is not None and page.printed.side is not None for page in pages)
    shown = []
    for page in pages:
        size = (page.width, page.height) if page.width and page.height else None
        shown.append(openings.shows(page.printed, page.label, size, missing=page.missing, sided=sided))
    return Book(pages, openings.openings(shown))


@blueprint.get("/items/<item>/pages/<position>")
def page_at(item: str, position: str) -> AnyResponse:
    """The permanent address of the page at a position, from 1."""
    if not position.isascii() or not position.isdigit() or len(position) > 7:
        raise NotFound(position)
    view = hall().reading.page_at(reader(), item_or_404(item), int(position))
    return redirect(url_for("browse.page", item=item, page=view.page.id), 302)


@blueprint.get("/items/<item>/leaf")
def leaf(item: str) -> AnyResponse | tuple[str, int]:
    """The way to a leaf by what it is called (`to`: 12, 卷三叶十二下); what there is no leaf for gets a page that says so."""
    wanted = request.args.get("to", "").strip()[:60]
    pages = book(item_or_404(item)).pages
    if not wanted:
        return redirect(url_for("browse.item", item=item), 302)
    found = finding_leaves.find(wanted, pages)
    if found is None:
        canonical(url_for("browse.leaf", item=item))
        summary = hall().reading.item(reader(), item, pages_size=1).summary
        return render_template("browse/no_leaf.html", item=summary, wanted=wanted, of=len(pages)), 404
    kept = {name: value for name in CARRIED if (value := request.args.get(name, "").strip()[:400])}
    return redirect(_leaf(item, found, kept), 302)


@blueprint.get("/items/<item>/leaves.json")
def listed(item: str) -> Response:
    """All leaves in reading order, for thumbnails and the scroll: id, label, 1 when verified, 1 when missing, image key, width, height, section."""
    found = book(item_or_404(item))
    rows = [
        (page.id, name.text, int(not name.unverified), int(page.missing), page.image, page.width, page.height, page.section)
        for page in found.pages
        for name in (summary_label(page),)
    ]
    body = {"pages": rows, "openings": found.openings}
    return _data(body)


@blueprint.get("/items/<item>/hits.json")
def hits(item: str) -> Response:
    """The leaves on which a query is found, in order: id and occurrences."""
    query = request.args.get("q", "").strip()[:400]
    return _data({"q": query, "pages": _with_hits(item_or_404(item), query) if query else ()})


def _data(body: Mapping[str, object]) -> Response:
    response = Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")
    response.headers["Content-Language"] = "en" if language() == "en" else "zh-Hans"
    response.add_etag()
    response.make_conditional(request)
    return response


def summary_label(page: PageSummary) -> Label:
    """What a leaf is called in a list."""
    folio = presenting.folio_label(page.printed) if page.printed else ""
    if folio:
        return Label(folio, not page.verified)
    return Label(page.label or presenting.position_label(page.position, page.image is not None or page.missing))


@blueprint.get("/items/<item>/p/<page>")
def page(item: str, page: str) -> str:
    """One leaf, or the opening it lies in: images beside their text."""
    view = hall().reading.page(reader(), item_or_404(item), page)
    chosen = _choices(view)
    shown, before, after = _shown(view, chosen)
    label = presenting.leaf_label(view.page)
    path = url_for("browse.page", item=item, page=page)
    canonical(path)
    plates = [_plate(one, chosen) for one in shown]
    focal = plates[shown.index(view)]
    alive = _has_viewer() and any(plate["source"] for plate in plates)
    return render_template(
        "browse/page.html",
        item=view.item,
        page=view.page,
        label=label,
        labels=[plate["label"] for plate in plates],
        place=_("第 %(n)d 面，共 %(of)d 面", n=view.position, of=view.of),
        position=view.position,
        of=view.of,
        item_url=url_for("browse.item", item=item),
        steps=[
            (presenting.holding_label(hall().definitions, view.item.collection), _shelf_url(view.item.collection)),
            (view.item.title, url_for("browse.item", item=item)),
            *((section.title, leaf_url(item, section.page)) for section in view.sections),
            (label.text, None),
        ],
        turn={"previous": _turned(item, before, chosen), "next": _turned(item, after, chosen)},
        hit_turn=_hit_turn(view, chosen, [one.page.id for one in shown]),
        direction=chosen.direction,
        view=chosen.view,
        layout=chosen.layout,
        plates=plates,
        image=focal if focal["still"] or focal["pending"] else None,
        pictured=any(plate["still"] or plate["pending"] or plate["missing"] for plate in plates)
        or not any(plate["words"] for plate in plates),
        viewer=[_for_viewer(plate) for plate in plates] if alive else None,
        alive=alive,
        rendered=any(plate["still"] for plate in plates) and presenting.is_rendered((*view.description, view.page.note)),
        script="zh-Hant" if chosen.direction == "rtl" else "zh",
        words=[plate for plate in plates if plate["words"]],
        hits=sum(plate["hits"] for plate in plates) if chosen.query else None,
        q=chosen.query,
        carried=chosen.carried,
        permanent=absolute(path),
        citing=_answered("/items/<item>/cite"),
        reporting=_answered("/items/<item>/p/<page>/report"),
        downloads=_downloads(view, focal),
        scripts=SCRIPTS,
        spoken=_spoken(),
        zoomable=_has_viewer(),
    )


def _spoken() -> dict[str, str]:
    """What the scripts say, in the language of the page; `{}` stands for a number or a name."""
    return {
        "zoom": _("放大到 {}%"),
        "turned": _("转 {} 度"),
        "missing": _("缺叶"),
        "noimage": _("无影像"),
        "unverified": _("未核"),
        "hit": _("第 {} 处，共 {} 处"),
        "nohits": _("没有更多命中"),
        "copied": _("已复制"),
        "notcopied": _("浏览器不许复制，请选中文字自行复制"),
        "selected": _("已选 {} 字"),
        "loading": _("正在取……"),
        "nocite": _("引文暂时取不到，可先复制文字与链接"),
        "region": _("框选：拖出一块，或用方向键移动、Shift 加方向键改大小，回车取定，Esc 放弃"),
        "regionof": _("{} 上的一块"),
        "cite": _("复制引文"),
        "link": _("链接"),
        "report": _("报告有误"),
        "failed": _("这一面没有取到，请再试"),
        "image": _("影像"),
        "close": _("取消"),
    }


def _choices(view: PageView) -> Choices:
    direction = presenting.written_direction(view.direction, view.profile)
    layout, how = request.args.get("text", ""), request.args.get("view", "")
    usual = "vertical" if direction == "rtl" else "horizontal"
    query = request.args.get("q", "").strip()[:400]
    return Choices(how if how in VIEWS else "single", layout if layout in LAYOUTS else usual, query, direction)


def _shown(view: PageView, chosen: Choices) -> tuple[list[PageView], str | None, str | None]:
    """The leaves to show, and the ids of those that come before and after them."""
    if chosen.view != "spread":
        return [view], view.previous, view.next
    whole = book(view.item.id)
    here = whole.opening_of(view.page.id)
    ids = [whole.pages[n].id for n in whole.openings[here]]
    found = [view if one == view.page.id else hall().reading.page(reader(), view.item.id, one) for one in ids]
    return found, whole.anchor(here - 1), whole.anchor(here + 1)


def _turned(item: str, page: str | None, chosen: Choices) -> str | None:
    return _leaf(item, page, chosen.carried) if page else None


def _leaf(item: str, page: str, carried: Mapping[str, str], anchor: str = "") -> str:
    asked = "?" + urlencode(carried) if carried else ""
    return leaf_url(item, page) + asked + anchor


def _with_hits(item: str, query: str) -> tuple[tuple[str, int], ...]:
    """Leaves with hits; none when the query has a fault, for the leaf must still open."""
    try:
        return hall().reading.pages_with(reader(), item, query, taboo=with_taboo())
    except (QueryError, SearchIndexError):
        return ()


def _hit_turn(view: PageView, chosen: Choices, shown: Sequence[str]) -> dict[str, Any] | None:
    """The leaves with hits before and after those shown, and how many there are."""
    found = _with_hits(view.item.id, chosen.query) if chosen.query else ()
    if not found:
        return None
    places = {one.id: n for n, one in enumerate(book(view.item.id).pages)}
    first, last = places[shown[0]], places[shown[-1]]
    before = [page for page, _matches in found if places.get(page, first) < first]
    after = [page for page, _matches in found if places.get(page, last) > last]
    return {
        "previous": _leaf(view.item.id, before[-1], chosen.carried, "#hit") if before else None,
        "next": _leaf(view.item.id, after[0], chosen.carried, "#hit") if after else None,
        "leaves": len(found),
        "matches": sum(matches for _page, matches in found),
    }


def _shelf_url(slug: str) -> str | None:
    return url_for("browse.collection", slug=slug) if slug in hall().definitions.collections else None


def _asked_version(view: PageView) -> TextVersion | None:
    """The reading of the page that was asked for by number (`?version=`), else the one that is shown and searched."""
    number = request.args.get("version", "")
    if number.isascii() and number.isdigit() and int(number) < len(view.page.texts):
        return view.page.texts[int(number)]
    return view.text


def _plate(view: PageView, chosen: Choices) -> dict[str, Any]:
    """One leaf as the template shows it: image, text, and the places of hits on both."""
    label = presenting.leaf_label(view.page)
    version = _asked_version(view)
    spans = _mark_on_leaf(chosen.query, view, version) if version and chosen.query else ()
    notes = bool(view.profile and view.profile.notes_layout)
    return _image(view, label) | {
        "id": view.page.id,
        "label": label,
        "missing": view.page.missing,
        "words": _words(view, version, spans, notes),
        "hits": len(spans),
        "boxes": _boxes(version, spans, notes) if view.image else (),
        "frame": _asked_region(),
        "glyphs": _glyphs(version, notes) if version and view.image and chosen.layout == "over" else (),
        "placed": bool(version and view.image and any(line.box or line.cells for line in version.lines)),
    }


def _image(view: PageView, label: Label) -> dict[str, Any]:
    ref = view.page.image
    found: dict[str, Any] = {
        "still": None,
        "source": None,
        "region": None,
        "pending": False,
        "original": None,
        "width": 0,
        "height": 0,
        "alt": "",
    }
    if view.image is None or ref is None:
        return found
    made = derived.picture(hall().reading.file(reader(), view.image).file, ref.part)
    width, height = (made.width, made.height) if made else (view.width or 0, view.height or 0)
    return found | {
        "still": thumb_url(view.image, STILL) if made else None,
        "source": _source(view.image, made) if made else None,
        "region": ref.region,
        "pending": made is None,
        "original": _original(file_key(view.item.id, ref.file)),
        "width": ref.region[2] if ref.region else width,
        "height": ref.region[3] if ref.region else height,
        "alt": _("%(title)s，%(label)s 的影像", title=view.item.title, label=label.text),
    }


def _source(key: str, made: derived.Picture) -> dict[str, Any]:
    """What a viewer must know of an image service, so that it need not ask for `info.json` before its first tile."""
    return {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": url_for("images.base", key=key),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": made.width,
        "height": made.height,
        "tiles": [{"width": made.tile, "height": made.tile, "scaleFactors": list(made.factors)}],
    }


def _original(key: str) -> str | None:
    """Where the whole file of an image can be had, if this reader may have it: of a multi-page file often not."""
    try:
        hall().reading.file(reader(), key)
    except NotFound:
        return None
    return url_for("media.original", key=key)


def _asked_region() -> tuple[int, ...] | None:
    """`?xywh=` (pixels of the page's image), when it is well formed."""
    text = request.args.get("xywh", "")
    if not re.fullmatch(r"[0-9]{1,6},[0-9]{1,6},[1-9][0-9]{0,5},[1-9][0-9]{0,5}", text):
        return None
    return tuple(int(part) for part in text.split(","))


def _boxes(version: TextVersion | None, spans: Sequence[Span], notes: bool) -> tuple[tuple[int, placing.Box], ...]:
    """The boxes of hits on the image, each with the number of its hit; none where no line has a box."""
    if version is None:
        return ()
    return tuple((n, box) for n, span in enumerate(spans, 1) for box in placing.regions(version.lines, span.start, span.end, notes=notes))


def _glyphs(version: TextVersion, notes: bool) -> tuple[tuple[str, int, int, int], ...]:
    """The characters of a page where they stand on it: character, middle from the left, baseline, size in pixels."""
    found = []
    for line in version.lines:
        boxes = placing.character_boxes(line, notes=notes)
        pitch = statistics.median(box[3] for box in boxes if box) if any(boxes) else 0
        for sign, box in zip(line.text, boxes, strict=True):
            if box is not None:
                x, y, width, height = box
                # 一 is flat: its box says where it stands, its line how large it is set.
                size = round(min(width, pitch))
                found.append((sign, x + width // 2, round(y + height / 2 + size * 0.36), size))
    return tuple(found)


def _for_viewer(plate: Mapping[str, Any]) -> dict[str, Any]:
    """What the script needs to show a leaf."""
    kept = {name: plate[name] for name in ("id", "source", "region", "width", "height", "alt", "missing", "frame")}
    return kept | {"label": plate["label"].text}


def _has_viewer() -> bool:
    return (resources.static() / "vendor" / "openseadragon" / "openseadragon.min.js").is_file()


def _words(view: PageView, version: TextVersion | None, spans: tuple[Span, ...], notes: bool) -> dict[str, Any] | None:
    if version is None:
        return None
    # The reading that is shown may have been given boxes, and is then no longer the page's own.
    shown = view.page.text if version is view.text else version
    return {
        "source": whose(version),
        "machine": version.source is TextSource.OCR,
        "lines": leaves.printed(version.lines, spans, notes),
        "others": [{"number": n, "source": whose(other)} for n, other in enumerate(view.page.texts) if other is not shown],
    }


def _mark_on_leaf(query: str, view: PageView, version: TextVersion) -> tuple[Span, ...]:
    """Marks on a leaf, of strings too that run on from the leaf before or into the one after."""
    beside = []
    for neighbour in (view.previous, view.next):
        opened = hall().reading.page(reader(), view.item.id, neighbour) if neighbour else None
        beside.append(opened.text.text if opened and opened.text and not opened.page.missing else "")
    notes = bool(view.profile and view.profile.notes_layout)
    return mark(query, version.text, notes, before=beside[0], after=beside[1], collection=view.item.collection)


@lru_cache(maxsize=32)
def _rules(app: Any) -> frozenset[str]:
    return frozenset(rule.rule for rule in app.url_map.iter_rules())


def _answered(rule: str) -> bool:
    """True when this archive answers at a rule."""
    return rule in _rules(current_app._get_current_object())  # type: ignore[attr-defined]


def _downloads(view: PageView, plate: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What can be taken away of the leaf and of the item: words and address."""
    leaf, item = leaf_url(view.item.id, view.page.id), url_for("browse.item", item=view.item.id)
    known = (
        ("/items/<item>/p/<page>/text.txt", leaf + "/text.txt", _("本面文字（TXT）"), view.text is not None),
        ("/items/<item>/p/<page>/page.pdf", leaf + "/page.pdf", _("本面（PDF，带文字）"), plate["still"] is not None),
        ("/items/<item>/text.txt", item + "/text.txt", _("全书文字（TXT）"), view.text is not None),
        ("/items/<item>/book.pdf", item + "/book.pdf", _("全书（PDF）"), plate["still"] is not None),
    )
    found = [(words, url) for rule, url, words, has in known if has and _answered(rule)]
    if plate["still"]:
        found.insert(0, (_("本面影像（JPEG）"), plate["still"]))
    if plate["original"] and plate["still"]:
        found.append((_("下载原件"), plate["original"]))
    return found
