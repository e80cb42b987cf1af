"""The search page: one box, hits with their marks, facets as links, and how the query was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for

from archive.errors import NotFound, QueryError, SearchIndexError
from archive.language import _
from archive.model.item import TextSource
from archive.search.base import FacetCount, Hit, Results
from archive.services.reading import SearchView
from archive.web import leaves, presenting, recordings
from archive.web.asking import Asked, asked, field_facets
from archive.web.examples import examples
from archive.web.hall import canonical, hall, reader
from archive.web.leaves import Parts
from archive.web.pages import Pages

blueprint = Blueprint("search", __name__)

_MOST_VALUES = 12
"""Values shown of one facet; the rest can be reached by narrowing."""


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit as the page shows it. `sign` stands where there is no picture."""

    url: str
    title: str
    label: str
    kind: str
    matches: int
    source: str
    machine: bool
    snippets: tuple[Parts, ...]
    thumb: str | None
    sign: str


@blueprint.get("/search")
def page() -> Any:
    """Results, or what can be asked when nothing was asked yet."""
    wanted = asked(request.args, hall().definitions, strict=False)
    canonical(url_for("search.page") + ("?" + urlencode({"q": wanted.text}) if wanted.text else ""))
    shown: dict[str, Any] = {
        "q": wanted.text,
        "sort": wanted.sort,
        "sorts": [("relevance", _("相关")), ("date", _("年代早在前")), ("-date", _("年代晚在前")), ("title", _("题名"))],
        "chips": _chips(wanted),
        "carried": [(n, v) for n, v in request.args.items() if n not in ("q", "page", "lang") and v],
        "examples": examples(),
    }
    if not wanted.text:
        return render_template("search/page.html", **shown)
    try:
        view = run(wanted)
    except QueryError as error:
        return render_template("search/page.html", **shown, fault=_fault(error)), 400
    except SearchIndexError:
        return render_template("search/page.html", **shown, unwell=True), 503
    return render_template("search/page.html", **shown, found=_found(wanted, view))


def run(wanted: Asked) -> SearchView:
    """Ask the archive; raises QueryError, SearchIndexError, and NotFound for an item that is not there."""
    return hall().reading.search(
        reader(),
        wanted.text,
        collection=wanted.collection,
        kind=wanted.kind,
        year_from=wanted.year_from,
        year_to=wanted.year_to,
        filters=wanted.filters,
        item=wanted.item,
        sort=wanted.sort,
        page=wanted.page,
        size=wanted.size,
        facets=("collection", "kind", "decade", "source", *field_facets(hall().definitions)),
    )


def hit_url(hit: Hit, query: str) -> str:
    """Where a hit leads: its leaf with the words marked, the recording at that second, or the item."""
    if hit.target == "page":
        return url_for("browse.page", item=hit.item, page=hit.key, q=query)
    if hit.target == "segment" and hit.start is not None:
        track = hit.key.partition("@")[0]
        if "@" not in hit.key:
            return url_for("browse.segment", item=hit.item, segment=hit.key, q=query)
        return url_for("browse.item", item=hit.item, t=f"{hit.start:g}", q=query, _anchor=recordings.anchor(track, hit.start))
    return url_for("browse.item", item=hit.item, q=query)


def hit_label(hit: Hit) -> str:
    """The leaf's label, or the time."""
    if hit.target == "segment":
        return presenting.joined((hit.label, presenting.clock(hit.start) if hit.start is not None else ""))
    if hit.target == "page":
        return hit.label or _("影像第 %(n)d 面", n=hit.position)
    return _("著录")


def _found(wanted: Asked, view: SearchView) -> dict[str, Any]:
    results = view.results
    total = results.total + results.metadata_total
    return {
        "counts": _counts(results),
        "understood": results.understood,
        "unquoted": _unquoted(wanted),
        "forms": [
            {"text": form, "count": f"{count:,}", "url": _search_url(request.args.to_dict() | {"q": f"“{form}”"})}
            for form, count in results.forms
        ]
        if len(results.forms) > 1 or any(form != wanted.text for form, _count in results.forms)
        else [],
        "hits": [_hit(hit, view, wanted.text) for hit in results.hits],
        "facets": _facets(wanted, results),
        "pages": Pages(wanted.page, max(1, -(-min(total, 10_000) // wanted.size))),
    }


_QUOTES = str.maketrans("", "", '"“”「」『』')


def _unquoted(wanted: Asked) -> dict[str, str] | None:
    """How much more there is when a quoted query is asked without its quotes; None for a query without any."""
    text = wanted.text.translate(_QUOTES).strip()
    if text == wanted.text or not text:
        return None
    try:
        results = run(replace(wanted, text=text, page=1, size=1)).results
    except (QueryError, SearchIndexError):
        return None
    return {"text": text, "counts": _counts(results), "url": _search_url(request.args.to_dict() | {"q": text})}


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


def _hit(hit: Hit, view: SearchView, query: str) -> ShownHit:
    summary = view.items.get(hit.item)
    key = view.images.get((hit.item, hit.key)) or (summary.thumb if summary else None)
    sources = {source.value: source for source in TextSource}
    source = sources.get(hit.source)
    return ShownHit(
        url=hit_url(hit, query),
        title=hit.title,
        label=hit_label(hit),
        kind=presenting.kind_label(hall().definitions, hit.kind),
        matches=hit.matches,
        source=presenting.source_label(source) if source else "",
        machine=source is TextSource.OCR,
        snippets=tuple(leaves.split(snippet.text, snippet.spans) for snippet in hit.snippets),
        thumb=url_for("media.thumb", key=key, size=200) if key else None,
        sign={"segment": "聲"}.get(hit.target, "文"),
    )


def _facets(wanted: Asked, results: Results) -> list[dict[str, Any]]:
    chosen = {"collection": wanted.collection, "kind": wanted.kind} | dict(wanted.filters)
    found = []
    for name, counts in results.facets.items():
        if chosen.get(name) or not counts or (len(counts) == 1 and name in ("collection", "kind", "source")):
            continue
        shown = sorted(counts, key=lambda c: c.value)[: _MOST_VALUES * 3] if name == "decade" else list(counts)[:_MOST_VALUES]
        found.append({"label": facet_label(name), "entries": [_entry(name, count) for count in shown]})
    return found


def _entry(name: str, count: FacetCount) -> dict[str, Any]:
    url = _search_url({k: v for k, v in request.args.items() if k not in ("page", "lang")} | {name: count.value})
    return {"label": value_label(name, count.value), "count": f"{count.count:,}", "url": url}


def _search_url(args: Mapping[str, str]) -> str:
    kept: dict[str, Any] = {name: value for name, value in args.items() if name not in ("page", "lang") and not name.startswith("_")}
    return url_for("search.page", **kept)


def facet_label(name: str) -> str:
    """The heading of a facet."""
    known = {"collection": _("馆藏"), "kind": _("类型"), "decade": _("年代"), "source": _("文字来源"), "section": _("门目")}
    if name in known:
        return known[name]
    for profile in hall().definitions.profiles.values():
        field = profile.field(name)
        if field is not None:
            return (field.label_en or field.label) if presenting.english() else field.label
    return name


def value_label(name: str, value: str) -> str:
    """A facet's value in words."""
    if name == "collection":
        return presenting.holding_label(hall().definitions, value)
    if name == "kind":
        return presenting.kind_label(hall().definitions, value)
    if name == "decade":
        return _("%(decade)s 年代", decade=value)
    if name == "source":
        return {s.value: presenting.source_label(s) for s in TextSource}.get(value, value)
    for profile in hall().definitions.profiles.values():
        field = profile.field(name)
        if field is not None:
            return presenting.value(value, field, hall().definitions).text
    return value


def _chips(wanted: Asked) -> list[dict[str, str]]:
    """The conditions in force, each with the address of the search without it."""
    chosen: list[tuple[str, str]] = []
    if wanted.collection:
        chosen.append(("collection", value_label("collection", wanted.collection)))
    if wanted.kind:
        chosen.append(("kind", value_label("kind", wanted.kind)))
    if wanted.year_from is not None:
        chosen.append(("from", _("%(year)d 年起", year=wanted.year_from)))
    if wanted.year_to is not None:
        chosen.append(("to", _("至 %(year)d 年", year=wanted.year_to)))
    if wanted.item:
        chosen.append(("item", _item_title(wanted.item)))
    chosen += [(name, f"{facet_label(name)} {value_label(name, value)}") for name, value in wanted.filters.items()]
    return [{"label": label, "url": _search_url({k: v for k, v in request.args.items() if k != name})} for name, label in chosen]


def _item_title(item: str) -> str:
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
    }
