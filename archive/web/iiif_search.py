"""IIIF Content Search 2.0 and 1.0 within one item, side by side, each with its autocompletion.

Today's viewers ask in 1.0. Both answers are made from the same matches, which are found by the same folding as the main search. What is
asked for beside `q` and `page` is ignored, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, request

from archive.errors import NotFound, UsageError
from archive.language import _
from archive.services import within
from archive.services.within import Match, Within
from archive.web import iiif
from archive.web.asking import LONGEST
from archive.web.hall import hall, open_to_viewers, reader
from archive.web.iiif_parts import EMPTY, Json, Links
from archive.web.problems import answer, item_or_404

blueprint = Blueprint("iiif_search", __name__, url_prefix="/iiif")
blueprint.after_request(open_to_viewers)

CONTEXT_2 = "http://iiif.io/api/search/2/context.json"
CONTEXT_1 = "http://iiif.io/api/search/1/context.json"
PRESENTATION_2 = "http://iiif.io/api/presentation/2/context.json"
VERSIONS = ("1", "2")


@dataclass(frozen=True, slots=True)
class Place:
    """One piece of a match on one canvas: a box, a stretch of time, or the canvas as a whole; with the words around it."""

    name: str
    canvas: str
    fragment: str
    before: str
    exact: str
    after: str


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    return answer(400, str(error))


@blueprint.get("/search/<version>/<item>")
def search(version: str, item: str) -> Response:
    """Every occurrence of a query in an item, a page of them at a time."""
    _known(version, item)
    query, page = _query(), _number("page", 1)
    found = within.search(hall().reading, reader(), item, query, page)
    if page > found.pages:
        raise NotFound(item)
    links = iiif.links_of(item)
    matches = [(match, list(_places(match, links, _canvases(item, found)))) for match in found.matches]
    matches = [(match, places) for match, places in matches if places]
    asked = _Asked(f"{links.root}/iiif/search/{version}/{item}", query, page, found, _ignored("q", "page"))
    return _json(_version_2(asked, matches) if version == "2" else _version_1(asked, matches))


@blueprint.get("/autocomplete/<version>/<item>")
def autocomplete(version: str, item: str) -> Response:
    """How the text of an item goes on from what was typed."""
    _known(version, item)
    query, least = _query(), _number("min", 1)
    found = within.completions(hall().reading, reader(), item, query)
    terms = [(text, count) for text, count in found if count >= least]
    root, ignored = iiif.links_of(item).root, _ignored("q", "min")
    if version == "1":
        url = f"{root}/iiif/search/1/{item}"
        listed = [{"match": text, "url": f"{url}?{urlencode({'q': text})}", "count": count} for text, count in terms]
        head: Json = {"@context": CONTEXT_1, "@id": _here(root), "@type": "search:TermList", "ignored": ignored}
        return _json(head | {"terms": listed})
    service = [{"id": f"{root}/iiif/search/2/{item}", "type": "SearchService2"}]
    items = [{"type": "Term", "value": text, "total": count, "service": service} for text, count in terms]
    return _json(
        {"@context": CONTEXT_2, "id": _here(root), "type": "TermPage"} | ({"ignored": ignored} if ignored else {}) | {"items": items}
    )


def _known(version: str, item: str) -> None:
    item_or_404(item)
    if version not in VERSIONS:
        raise NotFound(version)


def _query() -> str:
    """What was asked for. Raises UsageError when nothing was, or more than anybody reads."""
    query = request.args.get("q", "").strip()
    if not query:
        raise UsageError(_("缺少检索词：q="))
    if len(query) > LONGEST:
        raise UsageError(_("检索词太长：至多 %(n)d 字。", n=LONGEST))
    return query


def _number(name: str, default: int) -> int:
    written = request.args.get(name)
    if written is None:
        return default
    if not (written.isascii() and written.isdecimal() and len(written) <= 7 and int(written) > 0):
        raise UsageError(_("%(name)s 应是从 1 起的整数。", name=name))
    return int(written)


def _ignored(*known: str) -> list[str]:
    return sorted(set(request.args) - set(known) - {"lang"})


def _here(root: str) -> str:
    query = request.query_string.decode("ascii", "ignore")
    return root + request.path + (f"?{query}" if query else "")


def _json(body: Json) -> Response:
    response = Response(msgspec.json.encode(body), mimetype=None)
    response.headers["Content-Type"] = "application/ld+json" if _wants_ld() else "application/json"
    response.vary.add("Accept")
    return response


def _wants_ld() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "application/ld+json"]) == "application/ld+json"


# Where matches stand


def _canvases(item: str, found: Within) -> Callable[[str | None], str | None]:
    """The canvas of a recording by its file; one that is named by none belongs to the only recording there is."""
    known: Mapping[str, str] = {}
    if any(not match.stretches for match in found.matches):
        known = {version: sounding.root for sounding in iiif.soundings_of(item) for version in sounding.versions}
    roots = set(known.values())
    only = next(iter(roots)) if len(roots) == 1 else None
    return lambda media: known.get(media) if media else only


def _places(match: Match, links: Links, canvas_of: Callable[[str | None], str | None]) -> Iterator[Place]:
    if not match.stretches:
        root = canvas_of(match.media)
        if root is not None:
            fragment = "" if match.start is None or match.end is None else f"t={match.start:g},{match.end:g}"
            name = f"{match.key}-{match.before}-{match.after}".encode().hex()[:48]
            yield Place(f"{root}-{name}", links.canvas(root), fragment, match.before, match.exact, match.after)
        return
    for stretch in match.stretches:
        canvas, name = links.canvas(stretch.page), f"{stretch.page}-{stretch.start}-{stretch.end}"
        whole = f"xywh=0,0,{stretch.width or EMPTY[0]},{stretch.height or EMPTY[1]}"
        for n, box in enumerate(stretch.boxes or (None,), 1):
            # Viewers draw what has a box; where nobody knows one it is the leaf as a whole.
            fragment = "xywh=" + ",".join(map(str, box)) if box else whole
            yield Place(f"{name}-{n}", canvas, fragment, match.before, match.exact, match.after)


# The two forms


@dataclass(frozen=True, slots=True)
class _Asked:
    service: str
    query: str
    page: int
    found: Within
    ignored: list[str]

    def address(self, page: int) -> str:
        """Of a page of this answer."""
        return f"{self.service}?{urlencode({'q': self.query} | ({'page': page} if page > 1 else {}))}"

    def named(self, place: Place) -> str:
        return f"{self.service}/{place.name}"


def _version_2(asked: _Asked, matches: list[tuple[Match, list[Place]]]) -> Json:
    places = [place for _match, found in matches for place in found]
    body: Json = {"@context": CONTEXT_2, "id": asked.address(asked.page), "type": "AnnotationPage"}
    if asked.ignored:
        body["ignored"] = asked.ignored
    body["items"] = [
        {
            "id": asked.named(place),
            "type": "Annotation",
            "motivation": "supplementing",
            "body": {"type": "TextualBody", "value": place.exact, "format": "text/plain", "language": "zh"},
            "target": place.canvas + (f"#{place.fragment}" if place.fragment else ""),
        }
        for place in places
    ]
    if places:
        contexts = [_in_context(asked, place) for place in places]
        body["annotations"] = [{"type": "AnnotationPage", "items": contexts}]
    if asked.found.pages > 1:
        body["partOf"] = {
            "id": f"{asked.service}?{urlencode({'q': asked.query})}#all",
            "type": "AnnotationCollection",
            "total": asked.found.total,
            "first": {"id": asked.address(1), "type": "AnnotationPage"},
            "last": {"id": asked.address(asked.found.pages), "type": "AnnotationPage"},
        }
    if asked.page < asked.found.pages:
        body["next"] = {"id": asked.address(asked.page + 1), "type": "AnnotationPage"}
    if asked.page > 1:
        body["prev"] = {"id": asked.address(asked.page - 1), "type": "AnnotationPage"}
    return body


def _in_context(asked: _Asked, place: Place) -> Json:
    quote = {"type": "TextQuoteSelector", "prefix": place.before, "exact": place.exact, "suffix": place.after}
    target = {"type": "SpecificResource", "source": asked.named(place), "selector": [quote]}
    return {"id": f"{asked.named(place)}/context", "type": "Annotation", "motivation": "contextualizing", "target": target}


def _version_1(asked: _Asked, matches: list[tuple[Match, list[Place]]]) -> Json:
    layer: Json = {"@type": "sc:Layer", "total": asked.found.total, "first": asked.address(1), "last": asked.address(asked.found.pages)}
    if asked.ignored:
        layer["ignored"] = asked.ignored
    body: Json = {"@context": [PRESENTATION_2, CONTEXT_1], "@id": asked.address(asked.page), "@type": "sc:AnnotationList", "within": layer}
    if asked.page < asked.found.pages:
        body["next"] = asked.address(asked.page + 1)
    if asked.page > 1:
        body["prev"] = asked.address(asked.page - 1)
    else:
        body["startIndex"] = 0
    body["resources"] = [
        {
            "@id": asked.named(place),
            "@type": "oa:Annotation",
            "motivation": "sc:painting",
            "resource": {"@type": "cnt:ContentAsText", "format": "text/plain", "chars": place.exact},
            "on": place.canvas + (f"#{place.fragment}" if place.fragment else ""),
        }
        for _match, found in matches
        for place in found
    ]
    body["hits"] = [
        {
            "@type": "search:Hit",
            "annotations": [asked.named(place) for place in found],
            "before": match.before,
            "match": match.exact,
            "after": match.after,
        }
        for match, found in matches
    ]
    return body
