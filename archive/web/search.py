"""The search page: one box, hits with their marks, facets as links, and how the query was understood."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for

from archive.errors import NotFound, QueryError, SearchIndexError
from archive.language import _
from archive.search.base import Group, Results
from archive.services.reading import SearchView
from archive.web import advanced, feed, hits, narrowing
from archive.web.asking import Asked, asked, parameters
from archive.web.examples import examples
from archive.web.finding import run
from archive.web.hall import canonical, hall, reader
from archive.web.narrowing import Link, Place
from archive.web.pages import Pages

blueprint = Blueprint("search", __name__)

_IN_THE_FORM = {"q", "confusable"}
"""Parameters that the form of the page has a place for; the others go with it unseen."""


@blueprint.get("/search")
def page() -> Any:
    """Results, or what can be asked when nothing was asked yet."""
    definitions = hall().definitions
    wanted = asked(request.args, definitions, strict=False)
    place = _place()
    canonical(Place(place.path, {"q": wanted.text} if wanted.text else {}).but())
    shown: dict[str, Any] = {
        "q": wanted.text,
        "wanted": wanted,
        "chips": narrowing.chips(wanted, place, definitions, _item_title(wanted.item)),
        "carried": [(name, value) for name, value in place.args.items() if name not in _IN_THE_FORM],
        "advanced": Place(url_for("search.form"), place.args).but(),
    }
    if not wanted.text:
        return render_template("search/page.html", **shown, examples=examples())
    try:
        view = run(wanted)
    except QueryError as error:
        return render_template("search/page.html", **shown, fault=_fault(error)), 400
    except SearchIndexError:
        return render_template("search/page.html", **shown, unwell=True), 503
    return render_template("search/page.html", **shown, found=_found(wanted, place, view), feed=feed.address(place))


@blueprint.get("/search/advanced")
def form() -> Any:
    """A form for those who would rather not learn signs: it writes the same language into the box and goes there."""
    canonical(url_for("search.form"))
    definitions = hall().definitions
    if "go" not in request.args:
        filled = advanced.read(asked(request.args, definitions, strict=False))
        return render_template("search/advanced.html", form=filled, choices=advanced.choices(definitions))
    filled = advanced.filled(request.args)
    text = advanced.written(filled)
    if not text:
        return render_template("search/advanced.html", form=filled, choices=advanced.choices(definitions), empty=True)
    return redirect(Place(url_for("search.page"), {"q": text} | advanced.beside(filled)).but())


@blueprint.get("/search.atom")
def atom() -> Response:
    """A search to subscribe to: the items that match, the newest first. Whoever asks, only what is public."""
    return feed.answer(asked(request.args, hall().definitions, strict=False), _place())


def _place() -> Place:
    known = parameters(hall().definitions)
    return Place(url_for("search.page"), {name: value for name, value in request.args.items() if name in known and value})


def _found(wanted: Asked, place: Place, view: SearchView) -> dict[str, Any]:
    definitions, results = hall().definitions, view.results
    return {
        "counts": _counts(results),
        "understood": results.understood,
        "unquoted": _unquoted(wanted, place, results),
        "forms": narrowing.forms(wanted, place, results),
        "expansions": narrowing.expansions(place, results.expansions),
        "offers": narrowing.offers(place, results),
        "corrections": narrowing.corrections(place, results.corrections),
        "wider": narrowing.wider(wanted, place, results),
        "scopes": narrowing.scopes(wanted, place, results),
        "switches": narrowing.switches(wanted, place),
        "hits": hits.shown(results.hits, view, wanted, definitions) if not wanted.group else (),
        "groups": [_group(group, wanted, place, view) for group in results.groups],
        "facets": narrowing.facets(wanted, place, results, definitions, request.args.get("more", "")),
        "pages": _pages(wanted, results),
        "lines": _lines(place) if results.occurrences else None,
    }


def _pages(wanted: Asked, results: Results) -> Pages:
    """Pages there really are. `number` can lie beyond `count`: an address can ask for anything."""
    listed = results.works if wanted.group else results.total + results.metadata_total
    return Pages(wanted.page, max(1, -(-listed // wanted.size)))


def _group(group: Group, wanted: Asked, place: Place, view: SearchView) -> dict[str, Any]:
    return {
        "title": group.title,
        "counts": _("%(total)s 面或段 · %(n)s 处", total=f"{group.total:,}", n=f"{group.matches:,}") if group.total else _("著录"),
        "hits": hits.shown(group.hits, view, wanted, hall().definitions),
        "all": place.but(item=group.item, group=None) if group.total > len(group.hits) else None,
    }


def _lines(place: Place) -> str | None:
    """The address of the concordance of this search, where there is one."""
    if "concordance.page" not in current_app.view_functions:
        return None
    return Place(
        url_for("concordance.page"), {name: value for name, value in place.args.items() if name not in ("sort", "group", "size")}
    ).but()


def _unquoted(wanted: Asked, place: Place, results: Results) -> Link | None:
    """How much there is when a quoted query is asked without its quotes; None for a query without any."""
    text = narrowing.unquoted(wanted.text)
    return Link(text, place.but(q=text), f"{results.unquoted:,}") if text and results.unquoted is not None else None


def _counts(results: Results) -> str:
    if not results.total and not results.metadata_total:
        return _("没有找到")
    parts = []
    if results.total:
        parts.append(
            _(
                "正文：%(items)s 种 · %(total)s 面或唱段 · %(occurrences)s 处",
                items=f"{results.items:,}",
                total=f"{results.total:,}",
                occurrences=f"{results.occurrences:,}",
            )
        )
    if results.metadata_total:
        parts.append(_("著录：%(n)s 种", n=f"{results.metadata_total:,}"))
    return _("；").join(parts)


def _item_title(item: str | None) -> str:
    if item is None:
        return ""
    try:
        title = hall().reading.item(reader(), item, pages_size=1).summary.title
    except NotFound:
        return item
    return _("只在《%(title)s》中", title=title)


def _fault(error: QueryError) -> dict[str, str]:
    at = max(0, min(error.position, len(error.query)))
    return {
        "message": str(error),
        "before": error.query[:at],
        "at": error.query[at : at + 1] or "　",
        "after": error.query[at + 1 :],
        "understood": getattr(error, "understood", ""),
    }
