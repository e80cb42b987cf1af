"""The page reader: one leaf with its text, addressed by its id or its place in the item.

The server writes a whole page that needs no scripts; `static/js/reader/` makes it turn, zoom and quote without leaving it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from archive import resources
from archive.errors import NotFound
from archive.language import _
from archive.model.identifiers import file_key
from archive.model.item import TextSource, TextVersion
from archive.search.base import Span
from archive.services.reading import PageView
from archive.web import derived, leaves, presenting
from archive.web.browse import blueprint, mark, thumb_url, whose, with_taboo
from archive.web.hall import absolute, canonical, hall, reader
from archive.web.presenting import Label
from archive.web.problems import item_or_404

STILL = 1600


@blueprint.get("/items/<item>/pages/<position>")
def page_at(item: str, position: str) -> AnyResponse:
    """The permanent address of the page at a position, from 1."""
    if not position.isascii() or not position.isdigit() or len(position) > 7:
        raise NotFound(position)
    view = hall().reading.page_at(reader(), item_or_404(item), int(position))
    return redirect(url_for("browse.page", item=item, page=view.page.id), 302)


@blueprint.get("/items/<item>/p/<page>")
def page(item: str, page: str) -> str:
    """One leaf: its image beside its text."""
    view = hall().reading.page(reader(), item_or_404(item), page)
    found = view.page
    query = request.args.get("q", "").strip()[:400]
    direction = view.profile.reading_direction if view.profile else "ltr"
    layout = request.args.get("text", "vertical" if direction == "rtl" else "horizontal")
    layout = layout if layout in ("vertical", "horizontal") else "vertical"
    label = presenting.leaf_label(found)
    path = url_for("browse.page", item=item, page=page)
    canonical(path)
    version = _asked_version(view)
    spans = _mark_on_leaf(query, view, version) if version and query else ()
    carried: dict[str, Any] = {name: value for name, value in (("q", query), ("text", request.args.get("text"))) if value}
    if query and not with_taboo():
        carried["taboo"] = "0"
    return render_template(
        "browse/page.html",
        item=view.item,
        page=found,
        label=label,
        place=_("第 %(n)d 面，共 %(of)d 面", n=view.position, of=view.of),
        item_url=url_for("browse.item", item=item),
        steps=[
            (presenting.holding_label(hall().definitions, view.item.collection), _shelf_url(view.item.collection)),
            (view.item.title, url_for("browse.item", item=item)),
            (label.text, None),
        ],
        turn={
            "previous": url_for("browse.page", item=item, page=view.previous, **carried) if view.previous else None,
            "next": url_for("browse.page", item=item, page=view.next, **carried) if view.next else None,
        },
        direction=direction,
        layout=layout,
        image=_image(view, label),
        script="zh-Hant" if direction == "rtl" else "zh",
        zoomable=_has_viewer(),
        words=_words(view, version, spans),
        hits=len(spans) if query and version else None,
        q=query,
        permanent=absolute(path),
    )


def _shelf_url(slug: str) -> str | None:
    return url_for("browse.collection", slug=slug) if slug in hall().definitions.collections else None


def _asked_version(view: PageView) -> TextVersion | None:
    """The reading of the page that was asked for by number (`?version=`), else the one that is shown and searched."""
    number = request.args.get("version", "")
    if number.isascii() and number.isdigit() and int(number) < len(view.page.texts):
        return view.page.texts[int(number)]
    return view.text


def _image(view: PageView, label: Label) -> dict[str, Any] | None:
    ref = view.page.image
    if view.image is None or ref is None:
        return None
    key = file_key(view.item.id, ref.file)
    made = derived.picture(hall().reading.file(reader(), view.image).file, ref.part)
    still = thumb_url(view.image, STILL) if made else None
    return {
        "still": still,
        "info": url_for("images.info", key=view.image) if made and _has_viewer() else None,
        "region": _asked_region() or (",".join(map(str, ref.region)) if ref.region else None),
        "alt": _("%(title)s，%(label)s 的影像", title=view.item.title, label=label.text),
        "width": view.width,
        "height": view.height,
        "original": _original(key),
    }


def _original(key: str) -> str | None:
    """Where the whole file of an image can be had, if this reader may have it: of a multi-page file often not."""
    try:
        hall().reading.file(reader(), key)
    except NotFound:
        return None
    return url_for("media.original", key=key)


def _asked_region() -> str | None:
    """`?xywh=` (pixels of the full image), when it is well formed."""
    text = request.args.get("xywh", "")
    return text if re.fullmatch(r"[0-9]{1,6},[0-9]{1,6},[1-9][0-9]{0,5},[1-9][0-9]{0,5}", text) else None


def _has_viewer() -> bool:
    return (resources.static() / "vendor" / "openseadragon" / "openseadragon.min.js").is_file()


def _words(view: PageView, version: TextVersion | None, spans: tuple[Span, ...]) -> dict[str, Any] | None:
    if version is None:
        return None
    notes = bool(view.profile and view.profile.notes_layout)
    return {
        "source": whose(version),
        "machine": version.source is TextSource.OCR,
        "lines": leaves.printed(version.lines, spans, notes),
        "others": [{"number": n, "source": whose(other)} for n, other in enumerate(view.page.texts) if other is not version],
    }


def _mark_on_leaf(query: str, view: PageView, version: TextVersion) -> tuple[Span, ...]:
    """Marks on a leaf, of strings too that run on from the leaf before or into the one after."""
    beside = []
    for neighbour in (view.previous, view.next):
        opened = hall().reading.page(reader(), view.item.id, neighbour) if neighbour else None
        beside.append(opened.text.text if opened and opened.text and not opened.page.missing else "")
    notes = bool(view.profile and view.profile.notes_layout)
    return mark(query, version.text, notes, before=beside[0], after=beside[1], collection=view.item.collection)
