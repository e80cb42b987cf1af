"""What a reader may not see is nowhere: every route and every command is asked for it, as every audience, and the answers are compared with
those of an archive that never had it. A route without a supplier of its arguments fails the test on the day it is added."""

from __future__ import annotations

import hashlib
import html
import json
import logging
import re
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import click
import planted
import pytest
from click.testing import CliRunner
from flask import Flask, g
from planted import PUBLIC, REQUEST, ROOM, SECRETS, SIGNED_IN, STAFF, mark
from werkzeug.routing import Rule

from archive import language
from archive.assembly import Archive
from archive.catalogue import items as item_rows
from archive.cli import main
from archive.model.identifiers import file_key
from archive.model.item import Item
from archive.model.rights import Audience, Rights
from archive.search.chinese import fold
from archive.web import create_app

READERS = (PUBLIC, SIGNED_IN, ROOM, REQUEST, STAFF)
ABSENT = "gx-never-was"


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """The language that an answer was given in is left behind by no test."""
    with language.in_language("zh"):
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the planted archive."""
    return planted.build(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def twins(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Audience], Path]:
    """The home without what an audience may not see; made when first asked for."""
    folder = tmp_path_factory.mktemp("twins")
    return cache(lambda reader: planted.twin(home, folder / reader.value, reader))


@pytest.fixture(scope="module")
def archive(home: Path) -> Iterator[Archive]:
    found = planted.opened(home)
    yield found
    found.close()


_EXPIRES = re.compile(r" Expires=[^;]*;")
"""When a cookie ends goes by the second at which it was given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is compared: status, headers, bytes, with the times left out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def kind(self) -> str:
        return dict(self.headers).get("Content-Type", "")


class Web:
    """The web over an archive, as one audience. Signing in is not built, so the test says who asks, where `access` will."""

    def __init__(self, archive: Archive, reader: Audience) -> None:
        self.app: Flask = create_app(archive)
        self.client = self.app.test_client()
        self.reader = reader

        def who_asks() -> None:
            g.reader = self.reader

        asked = self.app.before_request_funcs[None]
        asked.insert([given.__name__ for given in asked].index("begin") + 1, who_asks)

    def get(self, address: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        path, _question, query = address.partition("?")
        with self.client.open(path, query_string=query, method=method, headers=headers or {}, buffered=True) as said:
            body = re.sub(rb'("ms": ?|seconds_total\{[^}]*\} )[0-9.]+', rb"\g<1>0", said.data)
            skipped = {"Date"} | ({"ETag", "Content-Length"} if body != said.data else set())
            return Answer(
                said.status_code, tuple(sorted((k, _EXPIRES.sub("", v)) for k, v in said.headers.items() if k not in skipped)), body
            )


# What is asked for


@dataclass
class Known:
    """Everything there is, by its names: what a reader might guess, and what never was."""

    items: list[str] = field(default_factory=list)
    pages: list[tuple[str, str]] = field(default_factory=list)
    positions: list[tuple[str, int]] = field(default_factory=list)
    segments: list[tuple[str, str]] = field(default_factory=list)
    tracks: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)


def known_of(archive: Archive) -> Known:
    found = Known(collections=[*archive.definitions.collections, "no-such"])
    with archive.catalogue.read() as connection:
        stored = [item_rows.get_item(connection, item, texts=True) for item in item_rows.item_ids(connection)]
    for given in stored:
        assert given is not None
        _note(found, given.item)
    for item in (*archive.store.trashed(), ABSENT):
        found.items.append(item)
        found.pages += [(item, "p1")]
        found.positions += [(item, 1)]
        found.segments += [(item, "s1")]
        found.tracks += [(item, "t1")]
        found.keys += [f"{item}.f1", f"{item}.f1-1"]
    return found


def _note(found: Known, item: Item) -> None:
    found.items.append(item.id)
    found.pages += [(item.id, page.id) for page in item.pages] + [(item.id, "p99")]
    found.positions += [(item.id, n) for n in range(len(item.pages) + 2)]
    found.segments += [(item.id, segment.id) for segment in item.segments] + [(item.id, "s99")]
    found.tracks += [(item.id, track.id) for track in item.tracks] + [(item.id, "t99")]
    found.keys += [file_key(item.id, file.id) for file in item.files] + [f"{item.id}.f99"]
    found.keys += [file_key(item.id, file.id, part) for file in item.files for part in range(1, (file.parts or 0) + 2)]


REGIONS = (
    ("full", "max", "0", "default.jpg"),
    ("0,0,64,64", "max", "!0", "gray.png"),
)
ARGUMENTS: dict[frozenset[str], Any] = {
    frozenset(): lambda known: [{}],
    frozenset({"item"}): lambda known: [{"item": i} for i in known.items],
    frozenset({"item", "page"}): lambda known: [{"item": i, "page": p} for i, p in known.pages],
    frozenset({"item", "position"}): lambda known: [{"item": i, "position": str(n)} for i, n in known.positions],
    frozenset({"item", "segment"}): lambda known: [{"item": i, "segment": s} for i, s in known.segments],
    frozenset({"item", "track"}): lambda known: [{"item": i, "track": t} for i, t in known.tracks],
    frozenset({"item", "track", "form"}): lambda known: [
        {"item": i, "track": t, "form": f} for i, t in known.tracks for f in ("srt", "lrc")
    ],
    frozenset({"key"}): lambda known: [{"key": k} for k in known.keys],
    frozenset({"key", "size"}): lambda known: [{"key": k, "size": s} for k in known.keys for s in ("64", "400")],
    frozenset({"key", "name"}): lambda known: [{"key": k, "name": n} for k in known.keys for n in ("storyboard.jpg", "storyboard.vtt")],
    frozenset({"key", "region", "size", "rotation", "tail"}): lambda known: [
        dict(zip(("region", "size", "rotation", "tail"), given, strict=True)) | {"key": k} for k in known.keys for given in REGIONS
    ],
    frozenset({"item", "part"}): lambda known: [
        *({"item": i, "part": p} for i, p in (*known.pages, *known.segments)),
        *({"item": i, "part": f"{kind}-{p}"} for i, p in known.pages for kind in ("juan", "section")),
        *({"item": key.rpartition(".")[0], "part": key.rpartition(".")[2]} for key in known.keys if "-" not in key.rpartition(".")[2]),
    ],
    frozenset({"version", "item"}): lambda known: [{"version": v, "item": i} for v in ("1", "2") for i in known.items],
    frozenset({"slug", "number"}): lambda known: [{"slug": slug, "number": "1"} for slug in known.collections],
    frozenset({"slug"}): lambda known: [{"slug": slug} for slug in known.collections],
}
"""Values for the arguments of a rule, by the names of its arguments. A new route with new arguments states here what can be asked of it."""

EXEMPT = {
    "static": "our own style sheets and scripts, the same in every archive",
    "api.nothing": "answers 404 to whatever it is asked; asked below with one address",
}
"""Endpoints that are not asked for everything, with the reason."""

MARKED = tuple(SECRETS.values())


def _asked_with() -> list[str]:
    """Queries that would find each hidden thing, if anything could."""
    found = [
        "志",
        "公开",
        "公開",
        "的",
        "志書之",
        "始",
        "之*",
        "?終",
        "天",
        "年:1000..1200",
        "年:1700",
        "志 -公开",
        "題名:志",
        "天上月兒圓",
        "州",
    ]
    for secret in MARKED:
        a, b = secret.mark
        found += [secret.mark, fold(secret.mark), a, f"“{secret.mark}”", f"?{b}", f"公开 OR {secret.mark}", f"志 -{secret.mark}"]
        found += [f"題名:{secret.mark}", f"近:5(志 {a})", f"備註:{secret.mark}", f"始{secret.mark}"]
    return found


QUERIES = _asked_with()
NARROWINGS: tuple[dict[str, str], ...] = (
    {"collection": "city-building"},
    {"collection": "local-gazetteers"},
    {"kind": "third-front"},
    {"kind": "gazetteer", "sort": "date"},
    {"from": "1000", "to": "1200"},
    {"sort": "-date", "size": "3", "page": "2"},
    {"sort": "title", "size": "100"},
    {"decade": "1010"},
    {"group": "1", "size": "3", "scope": "work"},
    {"taboo": "0", "confusable": "1", "more": "subject", "page": "1000000000"},
    {"place": f"{SECRETS['staff'].mark}州"},
    {"subject": f"{SECRETS['request'].mark}學"},
)


def _searches(known: Known) -> Iterator[dict[str, str]]:
    yield from ({"q": query} for query in QUERIES)
    yield from ({"q": query} | narrowing for query in ("志", "志書之") for narrowing in NARROWINGS)
    yield from ({"q": "之*", "item": item} for item in known.items)


def _pages_of_search(known: Known) -> Iterator[dict[str, str]]:
    yield {}
    yield from ({"q": query} for query in QUERIES[:15])
    yield from ({"q": f"公开 OR {secret.mark}"} for secret in MARKED)
    yield from ({"q": "志"} | narrowing for narrowing in NARROWINGS)
    yield from ({"q": "志", "item": item} for item in known.items)
    yield {"q": "志", "lang": "en"}


EVERYTHING = {"q": "志 OR 之 OR 公 OR 始"}


def _pages_of_concordance(known: Known) -> Iterator[dict[str, str]]:
    yield from ({}, EVERYTHING | {"sort": "left", "size": "200"}, EVERYTHING | {"lang": "en", "size": "3", "page": "2"})
    yield from ({"q": "之*", "item": item} for item in known.items)


def _tables_of_concordance(known: Known) -> Iterator[dict[str, str]]:
    yield from ({"q": query} for query in QUERIES[:14])
    yield from ({"q": secret.mark} for secret in MARKED)
    yield from (EVERYTHING | narrowing for narrowing in NARROWINGS if "sort" not in narrowing)
    yield from (EVERYTHING | {"sort": sort} for sort in ("left", "right", "-date"))


def _lists(known: Known) -> Iterator[dict[str, str]]:
    yield from ({}, {"kind": "third-front"}, {"sort": "date"}, {"sort": "recent"}, {"page": "2"}, {"lang": "en"}, {"kind": "gazetteer"})


ASKED: dict[str, Any] = {
    "api.find": _searches,
    "search.page": _pages_of_search,
    "search.form": lambda known: [
        {},
        {"q": "志 -公开", "kind": "gazetteer"},
        {"q": f"備註:{SECRETS['staff'].mark}"},
        {"go": "1", "all": "志"},
    ],
    "search.atom": lambda known: (
        [{"q": query} for query in QUERIES[:15]]
        + [{"q": f"公开 OR {secret.mark}"} for secret in MARKED]
        + [{"q": "志", "item": item} for item in known.items]
    ),
    "concordance.page": _pages_of_concordance,
    "concordance.as_csv": _tables_of_concordance,
    "concordance.as_xlsx": lambda known: [EVERYTHING, EVERYTHING | {"sort": "right"}],
    "api.lines": lambda known: [EVERYTHING | {"size": "200", "sort": sort} for sort in ("work", "left")],
    "api.items": lambda known: [
        {},
        {"size": "2", "page": "2"},
        {"sort": "recent"},
        {"sort": "date", "kind": "gazetteer"},
        *({"collection": slug} for slug in known.collections),
    ],
    "browse.collection": _lists,
    "iiif_search.search": lambda known: [{"q": "志 OR 之 OR 公开 OR 月"}, *({"q": secret.mark} for secret in MARKED)],
    "iiif_search.autocomplete": lambda known: [{"q": "志"}, *({"q": secret.mark[:2]} for secret in MARKED)],
    "iiif.manifest": lambda known: [{}, {"page": "p2"}],
    "browse.item": lambda known: [{}, {"q": "月"}, {"page": "2"}, {"t": "2.5,3"}],
    "browse.page": lambda known: [{}, {"q": "志書之", "view": "spread"}, {"version": "1", "text": "over"}],
    "browse.hits": lambda known: [{"q": "志"}, *({"q": secret.mark} for secret in SECRETS.values())],
    "browse.leaf": lambda known: [{"to": "1"}, {"to": "卷一"}],
    "reports.report": lambda known: [{}, {"start": "0", "end": "1"}, {"version": "1", "start": "0", "end": "2", "lang": "en"}],
    "citing.cite": lambda known: [
        {},
        {"format": "json"},
        {"format": "ris", "lang": "en"},
        {"page": "p1", "format": "json", "start": "0", "end": "1"},
        {"page": "p2", "format": "json"},
        {"t": "0,9999", "format": "json"},
        {"s": "s1", "format": "json"},
        {"s": "s2", "format": "bibtex"},
    ],
    "comparing.compare": lambda known: [
        {},
        *({"left": item, "find": "志"} for item in known.items),
        *({"right": f"/items/{item}/pages/{n}", "left": known.items[0]} for item in known.items for n in (1, 2)),
    ],
    "comparing.mirador": lambda known: [{"item": item} for item in known.items],
    "timed_text.find": lambda known: [{"q": "月"}, {"q": SECRETS["passage"].mark}],
}
"""Parameters to ask an endpoint with; without an entry a route is asked bare and with a query."""
BARE: tuple[dict[str, str], ...] = ({}, {"q": "志"})
SMALL = {
    "iiif.canvas",
    "iiif.range_of",
    "iiif.text_of",
    "iiif.root",
    "iiif.collection",
    "iiif.shelf",
    "downloads.page_text",
    "downloads.item_text",
    "downloads.page_pdf",
    "downloads.item_pdf",
    "media.thumb",
    "images.image",
    "images.info",
    "images.base",
    "images.image2",
    "images.info2",
    "images.base2",
    "media.original",
    "media.web",
    "media.poster",
    "media.waveform",
    "media.peaks",
    "media.storyboard",
    "timed_text.written",
}
"""Endpoints that take no parameters."""


def addresses(app: Flask, known: Known, *, thorough: bool = True) -> list[str]:
    """Every address that the rules of the URL map make of what there is; `thorough` with every parameter, else with the first few."""
    found: dict[str, None] = {"/api/v1/nothing": None, "/robots.txt": None, "/sitemap.xml": None}
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            if rule.endpoint in EXEMPT:
                continue
            for values in supplied(rule, known):
                path = adapter.build(rule.endpoint, values)
                choices = [{}] if rule.endpoint in SMALL else list(ASKED.get(rule.endpoint, lambda known: BARE)(known))
                if not thorough:
                    choices = choices[::3] if rule.endpoint == "api.find" else choices[:1] + choices[2:][-2:]
                for choice in choices:
                    found[path + ("?" + urlencode(choice) if choice else "")] = None
    return list(found)


def supplied(rule: Rule, known: Known) -> list[dict[str, str]]:
    """Values for a rule's arguments; fails for a rule that nobody thought of."""
    supplier = ARGUMENTS.get(frozenset(rule.arguments))
    if supplier is None:
        pytest.fail(f"{rule.rule}: say in ARGUMENTS what can be asked of this route, or in EXEMPT why nothing need be")
    return list(supplier(known))


_LINK = re.compile(r"""(?:href|src|poster|action|data-[a-z-]+)=["']([^"']+)["']|"(https?://localhost/[^"\s]*|/[a-z][^"\s]*)\"""")
VIEWS = {"sort", "group", "scope", "taboo", "confusable", "more"}
"""Parameters that show the hits of a search in another way."""
MOST = 12_000
"""There are some 8,000; far more would be links without end."""


def links(said: Answer, *, thorough: bool = True) -> Iterator[str]:
    """Addresses in this archive that an answer names; those of other searches only when `thorough`."""
    if not said.kind.startswith(("text/html", "application/json", "application/ld+json", "text/vtt")):
        return
    for match in _LINK.finditer(html.unescape(said.body.decode("utf-8", "replace"))):
        parts = urlsplit((match[1] or match[2]).replace("\\/", "/"))
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.path.startswith("/static/"):
            continue
        if parts.query and not thorough:
            continue
        if parts.path in ("/search.atom", "/search/advanced") or VIEWS & dict(parse_qsl(parts.query)).keys():
            continue  # every search names them all; they are asked for in NARROWINGS and ASKED
        if parts.path.startswith("/concordance.") or (parts.path == "/concordance" and len(parse_qsl(parts.query)) > 1):
            continue  # its tables, orders and selections are asked for above
        if len(parse_qsl(parts.query)) <= 2:  # the facets of facets of a search have no end
            yield parts.path + ("?" + parts.query if parts.query else "")


def walk(web: Web, known: Known, *, thorough: bool = True) -> Iterator[tuple[str, Answer]]:
    """Every address there is, and every one that the answers lead to."""
    waiting = deque(addresses(web.app, known, thorough=thorough))
    seen = {key(address) for address in waiting}
    while waiting:
        address = waiting.popleft()
        said = web.get(address)
        yield address, said
        for link in links(said, thorough=thorough):
            if key(link) not in seen:
                seen.add(key(link))
                waiting.append(link)
        assert len(seen) < MOST, "links without end"


def key(address: str) -> str:
    path, _question, query = address.partition("?")
    return unquote(path) + "?" + urlencode(sorted(parse_qsl(query)))


# What must not be in it


def spellings(word: str) -> set[str]:
    """A mark as it could stand in an answer: itself, folded, in an address, escaped in JSON."""
    found = {word, fold(word)}
    for form in (word, fold(word)):
        found |= {quote(form), quote(form).lower(), json.dumps(form)[1:-1], form.encode("ascii", "xmlcharrefreplace").decode("ascii")}
    return found


SPELLINGS = {name: spellings(secret.mark) for name, secret in SECRETS.items()}


def marks_in(said: Answer) -> set[str]:
    """Names of the secrets whose words an answer says."""
    heads = "\n".join(f"{name}: {value}" for name, value in said.headers)
    text = heads + said.body.decode("utf-8", "replace")
    return {name for name, forms in SPELLINGS.items() if any(form in text for form in forms)}


@dataclass
class Senses:
    """Looks and listens; every different picture or recording once."""

    folder: Path
    known: dict[bytes, set[str]] = field(default_factory=dict)

    def perceive(self, said: Answer) -> set[str]:
        if said.status != 200 or not said.kind.startswith(("image/", "audio/", "video/")) or not said.body:
            return set()
        digest = hashlib.sha256(said.body).digest()
        if digest not in self.known:
            image = said.kind.startswith("image/")
            self.known[digest] = planted.colours_in(said.body) if image else planted.heard_and_seen(said.body, self.folder)
        return self.known[digest]


@pytest.fixture(scope="module")
def senses(tmp_path_factory: pytest.TempPathFactory) -> Senses:
    return Senses(tmp_path_factory.mktemp("senses"))


TOMBSTONES = {"withdrawn", "withdrawn-staff"}
"""What a 410 may still name, to those who saw it; that others get none is seen by comparing."""


def hidden_from(reader: Audience, names: Iterable[str]) -> set[str]:
    return {name for name in names if SECRETS[name].hidden_from(reader)}


def tells(address: str) -> bool:
    """True when an answer says again what the address asked, so that its words prove nothing; its twin's answer does."""
    return any(form in unquote(address) for forms in SPELLINGS.values() for form in forms)


@dataclass
class Leaks:
    """What came out, gathered, so that one run shows everything."""

    found: list[str] = field(default_factory=list)

    def note(self, address: str, what: str) -> None:
        self.found.append(f"{unquote(address)}: {what}")

    def none(self) -> None:
        shown = "\n".join(self.found[:60])
        assert not self.found, f"{len(self.found)} leaks\n{shown}"


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.value)
def test_every_route_answers_as_if_the_hidden_things_never_were(
    reader: Audience, twins: Callable[[Audience], Path], archive: Archive, senses: Senses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    without = planted.opened(twins(reader))
    web, other, leaks = Web(archive, reader), Web(without, reader), Leaks()
    shown: set[str] = set()
    try:
        for address, said in walk(web, known_of(archive), thorough=reader is PUBLIC):
            expected = other.get(address)
            if said != expected:
                leaks.note(address, difference(said, expected))
            words = marks_in(said)
            if not tells(address):
                shown |= words
                told = hidden_from(reader, words) - (TOMBSTONES if said.status == 410 else set())
                if told:
                    leaks.note(address, f"says {told}")
            seen = hidden_from(reader, senses.perceive(said))
            if seen:
                leaks.note(address, f"shows {seen}")
            if "media/" in address and said.status == 200:
                for headers, method in (({"Range": "bytes=0-99"}, "GET"), ({}, "HEAD")):
                    if web.get(address, headers, method) != other.get(address, headers, method):
                        leaks.note(address, f"{method} {headers} differs")
    finally:
        without.close()
    for record in caplog.records:
        if record.name.startswith(("archive", "ingest")):
            said_in_log = {name for name, forms in SPELLINGS.items() if any(form in record.getMessage() for form in forms)}
            if said_in_log or record.levelno >= logging.ERROR:
                leaks.note("log", record.getMessage())
    leaks.none()
    # The test can fail: what this reader may see was met.
    open_to_reader = {name for name, secret in SECRETS.items() if not secret.hidden_from(reader) and secret.shown}
    assert open_to_reader <= shown


def difference(said: Answer, expected: Answer) -> str:
    """Where an answer first differs from that of the archive that never had the hidden things."""
    if said.status != expected.status:
        return f"{said.status}, not {expected.status}"
    if said.headers != expected.headers:
        return f"headers {sorted(set(said.headers) ^ set(expected.headers))[:4]}"
    a, b = said.body.decode("utf-8", "replace"), expected.body.decode("utf-8", "replace")
    at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return f"…{a[max(0, at - 60) : at + 60]!r} not …{b[max(0, at - 20) : at + 60]!r}"


def test_what_is_hidden_answers_as_what_never_was(archive: Archive) -> None:
    reader = PUBLIC
    web, known = Web(archive, reader), known_of(archive)
    hidden = [
        name for name, secret in SECRETS.items() if secret.hidden_from(reader) and f"gx-{name}" in known.items and name != "withdrawn"
    ]
    assert len(hidden) >= 6
    for address in addresses(web.app, known, thorough=False):
        name = next((name for name in hidden if re.search(rf"gx-{name}(?![a-z-])", address)), None)
        if name is not None:
            said = web.get(address)
            assert said.status == 404, address
            assert said == web.get(address.replace(f"gx-{name}", ABSENT)), address


def test_no_answer_is_kept_for_another_reader(archive: Archive) -> None:
    web, fresh = Web(archive, STAFF), Web(archive, PUBLIC)
    for address in (
        "/",
        "/about",
        "/collections/city-building",
        "/items/gx-book",
        "/items/gx-book/p/p1",
        "/items/gx-staff",
        "/items/gx-opera",
    ):
        web.reader = STAFF
        told = web.get(address)
        web.reader = PUBLIC
        assert web.get(address) == fresh.get(address) != told, address


def test_a_route_that_nobody_thought_of_fails(archive: Archive) -> None:
    app = Web(archive, PUBLIC).app
    assert set(EXEMPT) <= {rule.endpoint for rule in app.url_map.iter_rules()}
    rule = Rule("/exhibits/<exhibit>/<wall>", endpoint="new")
    app.url_map.add(rule)
    with pytest.raises(pytest.fail.Exception, match="ARGUMENTS"):
        addresses(app, Known())


def test_a_tombstone_says_no_title_that_was_given_more_narrowly_since(home: Path, tmp_path: Path) -> None:
    archive = planted.opened(Path(shutil.copytree(home, tmp_path / "home", symlinks=True)))
    try:
        assert "withdrawn" in marks_in(Web(archive, PUBLIC).get("/items/gx-withdrawn"))
        planted.rewrite(archive, "gx-withdrawn", lambda item: replace(item, title=mark("staff"), rights=Rights(STAFF)))
        for address in ("/items/gx-withdrawn", "/api/v1/items/gx-withdrawn", "/iiif/3/gx-withdrawn/manifest"):
            said = Web(archive, PUBLIC).get(address)
            assert said.status == 410 and not marks_in(said), address
    finally:
        archive.close()


# Commands


AS_READER = {("search",), ("concordance",)}
"""Commands that take `--as`."""
AS_STAFF: dict[tuple[str, ...], tuple[str, ...]] = {
    ("doctor",): ("--json",),
    ("verify",): (),
    ("ingest", "status"): ("--json",),
    ("cues", "list"): ("gx-sealed", "--json"),
    ("cues", "export"): ("gx-sealed", "t1"),
    ("passages", "export"): ("gx-sealed",),
    ("sections",): ("gx-sealed", "--json"),
    ("reports", "list"): ("--all", "--json"),
}
"""Commands that say something of the whole archive, with their options. They act as staff: nothing sealed is in what they say."""
SILENT = {
    "init restore": "there is no archive yet",
    "template": "of the definitions only",
    "publish withdraw purge erase": "say how many of what they were given the name of",
    "ingest-check ingest-run ingest-resume ingest-undo index": "say what the donor's folder holds, to the one who has it",
    "cues-replace cues-add cues-restore passages-replace": "say how many lines of what they were given the name of",
    "rebuild backup": "say numbers of all there is, to the one who has its files",
    "reports-close": "says the number it was given",
    "serve": "the web, above",
    "worker": "says what a job did",
}
"""Commands that tell nothing of what is in the archive, with the reason."""


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its path, those of other packages too."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from commands(inner, (*path, name))


def test_every_command_is_thought_of() -> None:
    found = dict(commands(main))
    silent = {tuple(name.split("-")) for names in SILENT for name in names.split()}
    assert set(found) - AS_READER - set(AS_STAFF) - silent == set(), "say in AS_STAFF or SILENT what this command tells"
    assert {path for path, command in found.items() if any("--as" in option.opts for option in command.params)} == AS_READER


def run(home: Path, *words: str) -> str:
    """All that a command says."""
    done = CliRunner().invoke(main, ["--home", str(home), "--lang", "zh", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return re.sub(r'"ms": [0-9.]+', '"ms": 0', done.output).replace(str(home), "HOME")


@pytest.mark.parametrize("reader", (PUBLIC, STAFF), ids=lambda reader: reader.value)
def test_the_search_command_finds_as_if_the_hidden_things_never_were(
    reader: Audience, home: Path, twins: Callable[[Audience], Path]
) -> None:
    asked = [(secret.mark,) for secret in SECRETS.values() if secret.hidden_from(reader)]
    asked += [("志",), ("志書之",), ("题名:志", "--from", "1000", "--to", "1200"), ("志", "--collection", "city-building")]
    for number, query in enumerate(asked):
        words = ("search", *query, "--as", reader.value, *(("--json",) if number % 3 else ()))
        assert run(home, *words) == run(twins(reader), *words), words
    for sort in ("work", "left"):
        words = ("concordance", "志 OR 之 OR 公", "--sort", sort, "--as", reader.value, "--json")
        assert run(home, *words) == run(twins(reader), *words), words
    shown = run(home, "search", mark("staff"), "--as", reader.value, "--json")
    assert (json.loads(shown)["total"] > 0) is STAFF.admits(reader)
    assert json.loads(run(home, "search", mark("personal"), "--as", reader.value, "--json"))["total"] == 0


def test_no_command_tells_of_what_is_sealed(home: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(home, tmp_path / "home", symlinks=True))
    for path, options in AS_STAFF.items():
        said = run(copy, *path, *options)
        assert not any(form in said for name in ("sealed", "donor") for form in SPELLINGS[name]), path


# Time


def test_what_opens_and_closes_on_a_day_does_so_everywhere(home: Path, tmp_path: Path, senses: Senses) -> None:
    opens = ("page-embargo", "embargo")
    there = Path(shutil.copytree(home, tmp_path / "home", symlinks=True))
    hidden = (*(word for word in planted.hidden_words(PUBLIC) if word not in map(mark, opens)), "将闭")
    without = planted.opened(planted.twin(home, tmp_path / "twin", PUBLIC, hidden), planted.LATER)
    archive = planted.opened(there, planted.LATER)
    web, other, leaks = Web(archive, PUBLIC), Web(without, PUBLIC), Leaks()
    early = Web(archive, PUBLIC)  # the web counts what it is asked, and `web` and `other` are to be asked the same

    def found(query: str) -> dict[str, Any]:
        return dict(json.loads(early.get(f"/api/v1/search?q={query}").body))

    try:
        # At once, with no one awake: what closes is closed, what opens is open on its pages and in lists.
        assert early.get("/items/gx-closing").status == early.get("/iiif/3/gx-closing/manifest").status == 404
        assert (found("到期不再公開")["metadata_total"], found("到期不再公開")["hits"]) == (0, [])
        listed = json.loads(early.get("/api/v1/items?size=100").body)
        assert "gx-embargo" in {line["id"] for line in listed["items"]} and "gx-closing" not in {line["id"] for line in listed["items"]}
        assert early.get("/items/gx-book/p/p2").status == 200
        # When the index was kept up, the archive is as if it had always been so.
        archive.keeping.drain()
        assert found(mark("page-embargo"))["total"] == 1
        assert found(mark("embargo"))["total"] == 2
        for given in (archive, without):
            given.keeping.rebuild_index()
        seen = set()
        for address, said in walk(web, known_of(archive), thorough=False):
            expected = other.get(address)
            if said != expected:
                leaks.note(address, difference(said, expected))
            seen |= senses.perceive(said)
        leaks.none()
        assert seen == set(opens)
    finally:
        archive.close()
        without.close()
