"""Hits as pages and scripts show them: where each leads, what it is called, its marked excerpts.

Twenty of them stand on a page that is written anew for every search, so addresses are put together from the pattern of their route, found
once, and excerpts become markup here, not in the template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import request, url_for
from markupsafe import Markup, escape

from archive.language import _
from archive.model.item import TextSource
from archive.model.profile import Definitions
from archive.search.base import Hit, Snippet, Span
from archive.services.reading import SearchView
from archive.web import presenting, recordings
from archive.web.asking import Asked

MARK = "hit"
"""Fragment of the first marked place of a leaf."""


class ShownHit(NamedTuple):
    """A hit as the page shows it; every text in it is markup already, so that the template need not escape it again and again.

    `sign` stands where there is no picture; `reasons` are (as typed, as written).
    """

    url: Markup
    title: Markup
    label: Markup
    kind: Markup
    matches: Markup
    source: Markup
    machine: bool
    snippets: tuple[Markup, ...]
    thumb: Markup | None
    sign: Markup
    reasons: tuple[tuple[Markup, Markup], ...]


@lru_cache(maxsize=64)
def _pattern(root: str, endpoint: str, *names: str) -> tuple[str, ...]:
    """The address of a route cut at its arguments, in the order they are named; the same for every request below `root`."""
    given: dict[str, Any] = {name: f"0{name}0" for name in names}
    path = url_for(endpoint, **given)
    return tuple(re.split("|".join(f"0{name}0" for name in names), path))


_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
"""What an address holds as it is: nearly every id."""


def _address(endpoint: str, **given: str) -> str:
    first, *rest = _pattern(request.script_root, endpoint, *given)
    return first + "".join(
        (value if _PLAIN.fullmatch(value) else quote(value, safe="")) + part for value, part in zip(given.values(), rest, strict=True)
    )


def hit_url(hit: Hit, query: str, taboo: bool = True) -> str:
    """Where a hit leads: its leaf with the words marked (without `taboo` as typed alone), the recording at that second, or the item."""
    words = "q=" + _quoted(query) + ("" if taboo else "&taboo=0")
    asked = "?" + words
    if hit.target == "page":
        return _address("browse.page", item=hit.item, page=hit.key) + asked
    if hit.target == "segment" and hit.start is not None:
        track = hit.key.partition("@")[0]
        if "@" not in hit.key:
            return _address("browse.segment", item=hit.item, segment=hit.key) + asked
        start = quote(f"{hit.start:g}")
        return _address("browse.item", item=hit.item) + f"?t={start}&{words}#{recordings.anchor(track, hit.start)}"
    return _address("browse.item", item=hit.item) + asked


@lru_cache(maxsize=64)
def _quoted(query: str) -> str:
    return quote(query, safe="")


def hit_label(hit: Hit) -> str:
    """The leaf's label, or the time, in the language in force."""
    if hit.target == "segment":
        return presenting.joined((hit.label, presenting.clock(hit.start) if hit.start is not None else ""))
    if hit.target == "page":
        return label_in_words(hit.label) or _("影像第 %(n)d 面", n=hit.position)
    return _("著录")


_FOLIO = re.compile(r"(?:册(?P<ce>[^·]+))?·?(?:卷(?P<juan>[^·]+))?·?(?:叶(?P<ye>[^·]+?)(?P<side>[上下])?)?")


def label_in_words(label: str) -> str:
    """A leaf's label as the index has it (`卷三·叶十二下`), in the language in force (`juan 三, leaf 十二b`); a donor's own label as it is."""
    if not presenting.english() or not label.startswith(("册", "卷", "叶")):
        return label
    found = _FOLIO.fullmatch(label)
    if found is None:
        return label
    return presenting.folio_in_english(found["ce"], found["juan"], found["ye"], {"上": "a", "下": "b", None: ""}[found["side"]])


def shown(hits: Sequence[Hit], view: SearchView, wanted: Asked, definitions: Definitions) -> tuple[ShownHit, ...]:
    """Hits ready for the template."""
    places, sources = _("%(n)d 处"), {source.value: escape(presenting.source_label(source)) for source in TextSource}
    kinds = {kind: escape(presenting.kind_label(definitions, kind)) for kind in {hit.kind for hit in hits}}
    titles = {title: escape(title) for title in {hit.title for hit in hits}}
    found = []
    for hit in hits:
        url = hit_url(hit, wanted.text, wanted.taboo)
        thumb = _thumb(hit, view)
        between = " · " if hit.target == "item" else ""
        found.append(
            ShownHit(
                _escaped(url + _FRAGMENT if hit.target == "page" else url),
                titles[hit.title],
                _escaped(hit_label(hit)),
                kinds[hit.kind],
                _escaped(places % {"n": hit.matches}) if hit.matches else _NOTHING,
                sources.get(hit.source, _NOTHING),
                hit.source == _OCR,
                tuple([marked(snippet, between) for snippet in hit.snippets]),
                _escaped(thumb) if thumb else None,
                _SOUND if hit.target == "segment" else _WRITING,
                tuple([(_escaped(typed), _escaped(written)) for typed, written in hit.reasons]) if hit.reasons else (),
            )
        )
    return tuple(found)


_FRAGMENT, _OCR = f"#{MARK}", TextSource.OCR.value
_NOTHING, _SOUND, _WRITING = Markup(), Markup("聲"), Markup("文")


def _thumb(hit: Hit, view: SearchView) -> str | None:
    summary = view.items.get(hit.item)
    key = view.images.get((hit.item, hit.key)) or (summary.thumb if summary else None)
    return _address("media.thumb", key=key, size="200") if key else None


def marked(snippet: Snippet, between: str = "") -> Markup:
    """An excerpt with its matches in `mark`, everything of the text escaped. `between` stands where the print has the end of a line."""
    text, out, at = snippet.text, [], 0
    plain = _SIGNS.search(text) is None
    for start, end in _apart(snippet.spans, len(text)):
        out += (
            [text[at:start], "<mark>", text[start:end], "</mark>"]
            if plain
            else [_safe(text[at:start]), "<mark>", _safe(text[start:end]), "</mark>"]
        )
        at = end
    out.append(text[at:] if plain else _safe(text[at:]))
    written = "".join(out)
    if "\n" in written:
        written = written.replace("\n", between or (" " if _LATIN.search(text) else ""))
    return str.__new__(Markup, written)


def _safe(text: str) -> str:
    return str(escape(text))


def _escaped(text: str) -> Markup:
    """`text` as markup; nearly none has anything to escape."""
    return escape(text) if _SIGNS.search(text) else str.__new__(Markup, text)


_SIGNS = re.compile("[&<>\"']")
_LATIN = re.compile("[a-z]\n|\n[a-z]", re.IGNORECASE)
"""Words of Latin letters need a space at the end of a line; Chinese has none."""


def _apart(spans: Iterable[Span], length: int) -> list[tuple[int, int]]:
    """Spans in order within a text of `length`, overlapping and touching ones made one."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted([(max(0, span.start), min(length, span.end)) for span in spans]):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        elif start < end:
            apart.append((start, end))
    return apart
