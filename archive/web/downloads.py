"""Text and PDF of a page or a whole item, to be kept. Written while they are sent and never stored: images go out as they lie, so a book of five
hundred leaves costs the memory of one and hardly more time than its bytes take, and what is closed meanwhile is closed in the next download."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from urllib.parse import quote

from flask import Blueprint, Response, stream_with_context, url_for

from archive import language
from archive.errors import NotFound
from archive.export.citation import gbt7714
from archive.export.pdf import Leaf, document
from archive.export.pdf_file import Jpeg, jpeg
from archive.export.plain_text import Part, plain
from archive.language import _
from archive.model.item import TextLine
from archive.model.rights import Audience
from archive.services.reading import LARGEST, ItemView, PageView
from archive.web import citing, derived, presenting
from archive.web.browse import whose
from archive.web.hall import absolute, hall, reader
from archive.web.problems import item_or_404

blueprint = Blueprint("downloads", __name__)

READING_SIZE = 1600
"""Pixels of the longer side of an image in a PDF: some 140 to the inch on A4, legible small notes, about 300 kB a leaf."""


@blueprint.get("/items/<item>/p/<page>/text.txt")
def page_text(item: str, page: str) -> Response:
    """The text of a page."""
    view = hall().reading.page(reader(), item_or_404(item), page)
    if view.text is None:
        raise NotFound(page)
    return _text(citing.of_page(item, page), [view], f"{item}-{page}.txt")


@blueprint.get("/items/<item>/text.txt")
def item_text(item: str) -> Response:
    """The text of all pages that the reader may read."""
    opened = hall().reading.item(reader(), item_or_404(item), pages_size=LARGEST)
    views = _views(opened, with_text=True)
    first = next(views, None)
    if first is None:
        raise NotFound(item)
    return _text(citing.of_item(item), _after(first, views), f"{item}.txt")


@blueprint.get("/items/<item>/p/<page>/page.pdf")
def page_pdf(item: str, page: str) -> Response:
    """A page as PDF: its image, with the text under it."""
    view = hall().reading.page(reader(), item_or_404(item), page)
    if not _has_something(view):
        raise NotFound(page)
    return _pdf(citing.of_page(item, page), [view], f"{item}-{page}.pdf")


@blueprint.get("/items/<item>/book.pdf")
def item_pdf(item: str) -> Response:
    """All pages that the reader may see, as one PDF."""
    opened = hall().reading.item(reader(), item_or_404(item), pages_size=LARGEST)
    views = (view for view in _views(opened) if _has_something(view))
    first = next(views, None)
    if first is None:
        raise NotFound(item)
    return _pdf(citing.of_item(item), _after(first, views), f"{item}.pdf")


def _after(first: PageView, rest: Iterable[PageView]) -> Iterator[PageView]:
    yield first
    yield from rest


def _views(opened: ItemView, *, with_text: bool = False) -> Iterator[PageView]:
    """The pages of an item one by one, each asked for when its turn comes; one that was closed meanwhile is passed over."""
    for number in count(1):
        pages = opened.pages if number == 1 else hall().reading.item(reader(), opened.item.id, number, LARGEST).pages
        if not pages:
            return
        for page in pages:
            if page.has_text or not with_text:
                try:
                    view = hall().reading.page(reader(), opened.item.id, page.id)
                except NotFound:
                    continue
                if view.text is not None or not with_text:
                    yield view


def _has_something(view: PageView) -> bool:
    return view.page.missing or view.text is not None or (view.image is not None and _picture(view) is not None)


def _text(cited: citing.Quoted, views: Iterable[PageView], name: str) -> Response:
    head = _head(cited)
    pieces = (piece.encode() for piece in plain(head, (Part(_heading(view), view.text.text) for view in views if view.text)))
    return _sent(pieces, "text/plain; charset=utf-8", name, inline=True)


def _pdf(cited: citing.Quoted, views: Iterable[PageView], name: str) -> Response:
    colophon, title = _head(cited)[1:], cited.item.title
    written = cited.view.profile.reading_direction if cited.view and cited.view.profile else "ltr"
    pieces = document((_leaf(view) for view in views), colophon, title=title, language="zh-Hant" if written == "rtl" else "zh")
    return _sent(pieces, "application/pdf", name, inline=False)


def _sent(pieces: Iterator[bytes], media_type: str, name: str, *, inline: bool) -> Response:
    """A download that is written while it is sent, in the language of the request from its first byte to its last."""
    spoken = language.current()

    def written() -> Iterator[bytes]:
        while True:
            with language.in_language(spoken):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    response = Response(stream_with_context(written()), content_type=media_type)
    response.headers["Content-Disposition"] = f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "private, no-cache" if reader() is Audience.PUBLIC else "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _head(cited: citing.Quoted) -> list[str]:
    """Title, place, whose text, citation, rights: the head of a text, the colophon of a PDF."""
    item, view = cited.item, cited.view
    lines = [item.title]
    if view is not None:
        lines.append(_heading(view))
    lines.append(_("引用（参照 GB/T 7714-2025）：%(citation)s", citation=gbt7714(cited.reference)))
    lines += [line.text for line in presenting.rights_lines(item, item.rights, hall().definitions)]
    lines += [_("署名：%(credit)s", credit=credit) for credit in item.fields.get("credit", ())]
    home = absolute(url_for("browse.item", item=item.id))
    lines.append(_("取自%(name)s：%(link)s", name=hall().settings.name, link=home))
    if view is None or presenting.leaf_label(view.page).unverified:
        lines.append(_("卷、叶标“未核”的尚未经人核对。"))
    return [line.replace("\n", " ") for line in lines]


def _heading(view: PageView) -> str:
    """`卷一·叶1上（未核） · 捐赠者录入（一校）`."""
    label = presenting.leaf_label(view.page)
    named = label.text + (_("（未核）") if label.unverified else "")
    return presenting.joined((named, view.page.section, whose(view.text) if view.text else _("无文字")))


def _leaf(view: PageView) -> Leaf:
    """A page as the PDF takes it; coordinates are those of the image as the page shows it."""
    found = _picture(view)
    region = view.page.image.region if view.page.image else None
    whole = (view.width, view.height) if view.width and view.height else (found.width, found.height) if found else None
    size = (region[2], region[3]) if region else whole or (1000, 1414)
    vertical = view.profile is not None and view.profile.reading_direction == "rtl"
    lines: tuple[TextLine, ...] = view.text.lines if view.text else ()
    label = presenting.leaf_label(view.page)
    named = label.text + (_("（未核）") if label.unverified else "")
    without = _("缺叶") if view.page.missing else _("影像还没有制成。")
    return Leaf(named, found, size, lines, citing.has_notes(view), vertical, region, whole, without)


def _picture(view: PageView) -> Jpeg | None:
    """The stored image at reading size, if this reader may have it and it has been made."""
    if view.image is None:
        return None
    try:
        found = hall().reading.file(reader(), view.image)
    except NotFound:
        return None
    copy = derived.thumbnail(found.file, found.part, READING_SIZE)
    return jpeg(copy.path.read_bytes()) if copy else None
