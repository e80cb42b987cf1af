"""A saved search as an Atom feed (RFC 4287): the items that match, those published last first.

Feeds are read by programs that keep what they get, so whoever asks is given what the public may see and nothing else. Addresses are
absolute only where the archive has a public address; ids never hang on one.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, render_template, request, url_for

from archive.errors import NotFound, QueryError, SearchIndexError
from archive.language import _
from archive.model.rights import Audience
from archive.services.reading import ItemSummary
from archive.web import hits, presenting
from archive.web.asking import Asked
from archive.web.finding import run
from archive.web.hall import hall
from archive.web.narrowing import Place
from archive.web.problems import answer as problem_answer

MOST = 30
"""Entries of a feed."""
MIMETYPE = "application/atom+xml"
_IDS = uuid.UUID("5c0c2a53-7a5f-4b43-9d0e-7b1d0c6f3a11")
_NEVER = "1970-01-01T00:00:00Z"
_IN_A_FEED = {"sort", "size", "group"}
"""Parameters that change how hits are shown, not which there are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that matches. `excerpt` is plain text, empty when only its description matched."""

    id: str
    title: str
    url: str
    updated: str
    facts: str
    excerpt: str


def address(place: Place) -> str:
    """Where a search can be subscribed to."""
    return Place(url_for("search.atom"), {name: value for name, value in place.args.items() if name not in _IN_A_FEED}).but()


def answer(wanted: Asked, place: Place) -> Response:
    """The feed of a search; a fault in the query is a 400, an index that is missing a 503, as everywhere."""
    if not wanted.text:
        return problem_answer(400, _("缺少检索词：q="))
    wanted = replace(wanted, group=False, sort="relevance", page=1)
    try:
        entries = _entries(wanted)
    except (QueryError, SearchIndexError, NotFound) as error:
        status = 400 if isinstance(error, QueryError) else 503 if isinstance(error, SearchIndexError) else 404
        return problem_answer(status, str(error) if status == 400 else None)
    body = render_template("search/feed.xml", **_head(wanted, place, entries), entries=entries)
    response = Response(body, mimetype=MIMETYPE)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:32])
    if entries:
        response.last_modified = datetime.fromisoformat(entries[0].updated.replace("Z", "+00:00")).astimezone(UTC)
    response.make_conditional(request)
    return response


def _head(wanted: Asked, place: Place, entries: Sequence[Entry]) -> dict[str, Any]:
    asked = {name: value for name, value in place.args.items() if name not in _IN_A_FEED}
    return {
        "feed_id": _id("search", *(f"{name}={value}" for name, value in sorted(asked.items()))),
        "title": _("检索：%(q)s", q=wanted.text),
        "updated": entries[0].updated if entries else _NEVER,
        "self_url": _outside(address(place)),
        "page_url": _outside(Place(place.path, asked).but()),
    }


def _entries(wanted: Asked) -> list[Entry]:
    everyone = Audience.PUBLIC
    found = run(replace(wanted, size=1, facets=("item",)), everyone).results
    matching = [count.value for count in found.facets.get("item", ())]
    return [_entry(wanted, summary, at) for summary, at in hall().reading.newest(everyone, matching, MOST)]


def _entry(wanted: Asked, summary: ItemSummary, at: str) -> Entry:
    results = run(replace(wanted, item=summary.id, size=1, facets=()), Audience.PUBLIC).results
    best = results.hits[0] if results.hits else None
    facts = [summary.date, presenting.kind_label(hall().definitions, summary.kind)]
    if results.total:
        facts.append(_("%(total)s 面或段 · %(n)s 处", total=f"{results.total:,}", n=f"{results.occurrences:,}"))
    path = hits.hit_url(best, wanted.text, wanted.taboo) if best else url_for("browse.item", item=summary.id)
    label = hits.hit_label(best) if best else ""
    excerpt = " … ".join(snippet.text for snippet in best.snippets) if best else ""
    return Entry(_id("item", summary.id), summary.title, _outside(path), at, presenting.joined((*facts, label)), _printable(excerpt))


def _id(*parts: str) -> str:
    """An id that stays: made of what is meant, not of where it is."""
    return f"urn:uuid:{uuid.uuid5(_IDS, chr(10).join(parts))}"


def _outside(path: str) -> str:
    return hall().settings.public_url.rstrip("/") + path


def _printable(text: str) -> str:
    """Text without the characters that XML 1.0 has no way to write."""
    return "".join(
        char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff" and not "\ud800" <= char <= "\udfff")
    )
