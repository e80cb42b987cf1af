"""What a reader may not see is nowhere: every route and every command is asked for it, as every audience, and the answers are compared with
those of an archive that never had it. A route without a supplier of its arguments fails the test on the day it is added."""

from __future__ import annotations

import hashlib
import html
import json
import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import click
import planted
import pytest
from click.testing import CliRunner
from flask import Flask, g
from planted import NOBODY, PUBLIC, REQUEST, ROOM, SEALED, SECRETS, SIGNED_IN, STAFF, mark
from werkzeug.routing import Rule

from archive.assembly import Archive
from archive.catalogue import items as item_rows
from archive.cli import main
from archive.model.identifiers import file_key
from archive.model.item import Item
from archive.model.rights import Audience
from archive.search.chinese import fold
from archive.web import create_app

READERS = (PUBLIC, SIGNED_IN, ROOM, REQUEST, STAFF)
ABSENT = "gx-never-was"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the planted archive."""
    return planted.build(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def archive(home: Path) -> Iterator[Archive]:
    found = planted.opened(home)
    yield found
    found.close()


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

        @self.app.before_request
        def who_asks() -> None:
            g.reader = self.reader

    def get(self, address: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        path, _question, query = address.partition("?")
        with self.client.open(path, query_string=query, method=method, headers=headers or {}, buffered=True) as said:
            body = re.sub(rb'"ms": ?[0-9.]+', b'"ms":0', said.data)
            skipped = {"Date"} | ({"ETag", "Content-Length"} if body != said.data else set())
            return Answer(said.status_code, tuple(sorted((k, v) for k, v in said.headers.items() if k not in skipped)), body)


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
    ("full", "90,", "90", "gray.png"),
    ("0,0,64,64", "max", "!0", "color.webp"),
    ("square", "!50,50", "0", "default.jpg"),
)
ARGUMENTS: dict[frozenset[str], Any] = {
    frozenset(): lambda known: [{}],
    frozenset({"item"}): lambda known: [{"item": i} for i in known.items],
    frozenset({"item", "page"}): lambda known: [{"item": i, "page": p} for i, p in known.pages],
    frozenset({"item", "position"}): lambda known: [{"item": i, "position": str(n)} for i, n in known.positions],
    frozenset({"item", "segment"}): lambda known: [{"item": i, "segment": s} for i, s in known.segments],
    frozenset({"item", "track"}): lambda known: [{"item": i, "track": t} for i, t in known.tracks],
    frozenset({"key"}): lambda known: [{"key": k} for k in known.keys],
    frozenset({"key", "size"}): lambda known: [{"key": k, "size": s} for k in known.keys for s in ("64", "400", "1600")],
    frozenset({"key", "name"}): lambda known: [
        {"key": k, "name": n} for k in known.keys for n in ("storyboard.jpg", "storyboard.vtt", "index.vtt")
    ],
    frozenset({"key", "region", "size", "rotation", "tail"}): lambda known: [
        dict(zip(("region", "size", "rotation", "tail"), given, strict=True)) | {"key": k} for k in known.keys for given in REGIONS
    ],
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
    found = ["志", "公开", "公開", "的", "志書之", "始", "之*", "?終", "天", "年:1000..1200", "年:1700", "志 -公开", "題名:志", "天上月兒圓", "州"]
    for secret in MARKED:
        a, b = secret.mark
        found += [secret.mark, fold(secret.mark), a, b, f"“{secret.mark}”", f"{a}*", f"?{b}", f"公开 OR {secret.mark}", f"志 -{secret.mark}"]
        found += [f"題名:{secret.mark}", f"地名:{secret.mark}", f"近:5(志 {a})", f"備註:{secret.mark}", f"始{secret.mark}", f"{secret.mark}終"]
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
    {"place": f"{SECRETS['staff'].mark}州"},
    {"subject": f"{SECRETS['request'].mark}學"},
)


def _searches(known: Known) -> Iterator[dict[str, str]]:
    yield from ({"q": query} for query in QUERIES)
    yield from ({"q": query} | narrowing for query in ("志", "志書之", "公开 OR 州") for narrowing in NARROWINGS)
    yield from ({"q": query, "item": item} for item in known.items for query in ("志", "之*"))


def _pages_of_search(known: Known) -> Iterator[dict[str, str]]:
    yield {}
    yield from ({"q": query} for query in QUERIES[:15])
    yield from ({"q": secret.mark} for secret in MARKED)
    yield from ({"q": "志"} | narrowing for narrowing in NARROWINGS)
    yield from ({"q": "志", "item": item} for item in known.items)
    yield {"q": "志", "lang": "en"}


def _lists(known: Known) -> Iterator[dict[str, str]]:
    yield from ({}, {"kind": "third-front"}, {"sort": "date"}, {"sort": "recent"}, {"page": "2"}, {"lang": "en"}, {"kind": "gazetteer"})


ASKED: dict[str, Any] = {
    "api.find": _searches,
    "search.page": _pages_of_search,
    "api.items": lambda known: [
        {},
        {"size": "2", "page": "2"},
        {"sort": "recent"},
        {"sort": "date", "kind": "gazetteer"},
        *({"collection": slug} for slug in known.collections),
    ],
    "browse.collection": _lists,
    "browse.item": lambda known: [{}, {"q": "志"}, {"q": "月"}, {"page": "2"}, {"t": "2.5,3"}, {"lang": "en"}],
    "browse.page": lambda known: [{}, {"q": "始公"}, {"q": "志書之"}, {"version": "1"}, {"version": "0", "text": "horizontal"}],
}
"""Parameters to ask an endpoint with; without an entry a route is asked bare and with a query."""
BARE: tuple[dict[str, str], ...] = ({}, {"q": "志"})
SMALL = {"media.thumb", "iiif.image", "iiif.info", "iiif.base", "media.original", "media.web", "media.poster", "media.waveform", "media.storyboard"}
"""Endpoints that take no parameters."""


def addresses(app: Flask, known: Known) -> list[str]:
    """Every address that the rules of the URL map make of what there is."""
    found: dict[str, None] = {"/api/v1/nothing": None, "/robots.txt": None, "/sitemap.xml": None}
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            if rule.endpoint in EXEMPT:
                continue
            for values in supplied(rule, known):
                path = adapter.build(rule.endpoint, values)
                choices = ({},) if rule.endpoint in SMALL else ASKED.get(rule.endpoint, lambda known: BARE)(known)
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
MOST = 6_000


def links(said: Answer) -> Iterator[str]:
    """Addresses in this archive that an answer names."""
    if not said.kind.startswith(("text/html", "application/json", "application/ld+json", "text/vtt")):
        return
    for match in _LINK.finditer(html.unescape(said.body.decode("utf-8", "replace"))):
        parts = urlsplit((match[1] or match[2]).replace("\\/", "/"))
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.path.startswith("/static/"):
            continue
        if len(parse_qsl(parts.query)) <= 2:  # the facets of facets of a search have no end
            yield parts.path + ("?" + parts.query if parts.query else "")


def walk(web: Web, known: Known) -> Iterator[tuple[str, Answer]]:
    """Every address there is, and every one that the answers lead to."""
    waiting = deque(addresses(web.app, known))
    seen = {key(address) for address in waiting}
    while waiting:
        address = waiting.popleft()
        said = web.get(address)
        yield address, said
        for link in links(said):
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


def hidden_from(reader: Audience, names: Iterable[str]) -> set[str]:
    return {name for name in names if SECRETS[name].hidden_from(reader)}


TOMBSTONE = "/items/gx-withdrawn"
"""The one page that may still say the title of what was public and was withdrawn."""


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
    reader: Audience, home: Path, archive: Archive, senses: Senses, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    without = planted.opened(planted.twin(home, tmp_path / "twin", reader))
    web, other, leaks = Web(archive, reader), Web(without, reader), Leaks()
    shown: set[str] = set()
    try:
        for address, said in walk(web, known_of(archive)):
            expected = other.get(address)
            if said != expected:
                leaks.note(address, difference(said, expected))
            words = marks_in(said)
            if not tells(address):
                shown |= words
                told = hidden_from(reader, words) - ({"withdrawn"} if said.status == 410 and address.startswith(TOMBSTONE) else set())
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
