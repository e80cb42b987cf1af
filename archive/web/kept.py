"""Pages kept as they were written, for as long as the catalogue is unchanged: most readers open what others opened a moment ago.

A kept page is given only for the same address, language, audience, day and host, and only while nobody has committed anything to the
catalogue since before it was written; so what is withdrawn or closed is gone with that commit. What is not in the catalogue (a
derivative that was made meanwhile) may show some seconds late. Questions (`?q=` and all else after a question mark) are never kept.
"""

from __future__ import annotations

import functools
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request

from archive.web.hall import Hall, reader

ENDPOINTS = frozenset(("browse.home", "browse.collection", "browse.item", "browse.segment", "browse.page", "browse.about", "browse.help"))
SECONDS = 5.0
"""How long a page may be given without being written anew, catalogue unchanged or not."""
ROOM = 16 << 20
"""Bytes of pages that a web process keeps."""

Key = tuple[str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class _Page:
    body: bytes
    etag: str
    state: int
    written: float


class KeptPages:
    """The pages of one process, the least recently asked for going first. Safe to share between threads."""

    def __init__(self, room: int = ROOM) -> None:
        self._pages: OrderedDict[Key, _Page] = OrderedDict()
        self._lock = threading.Lock()
        self._size, self._room = 0, room

    def get(self, key: Key, state: int) -> _Page | None:
        """The page, when it was written in this state of the catalogue and not long ago."""
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.state != state or time.monotonic() - page.written > SECONDS:
                return None
            self._pages.move_to_end(key)
            return page

    def put(self, key: Key, body: bytes, etag: str, state: int) -> None:
        """Keep a page, letting go of others where room is short."""
        with self._lock:
            before = self._pages.pop(key, None)
            self._size -= len(before.body) if before else 0
            self._pages[key] = _Page(body, etag, state, time.monotonic())
            self._size += len(body)
            while self._size > self._room:
                _key, gone = self._pages.popitem(last=False)
                self._size -= len(gone.body)


def install(app: Flask) -> None:
    """Give kept pages in place of asking a route, and keep what routes write. To be installed after the routes."""
    hall: Hall = app.extensions["fangzhi"]
    pages = KeptPages()
    for endpoint in ENDPOINTS:
        app.view_functions[endpoint] = _keeping(app.view_functions[endpoint], hall, pages)


def _keeping(view: Callable[..., Any], hall: Hall, pages: KeptPages) -> Callable[..., Any]:
    @functools.wraps(view)
    def kept_or_written(**given: Any) -> Any:
        if request.method != "GET" or request.query_string:
            return view(**given)
        key = (request.path, g.language, reader().value, hall.today().toordinal(), request.host_url)
        state = hall.archive.catalogue.state()  # before the page is written: a commit meanwhile makes it old at once
        page = pages.get(key, state)
        if page is not None:
            return _answer(page.body, page.etag)
        written = view(**given)
        if not isinstance(written, str):
            return written
        body = written.encode()
        etag = hashlib.sha256(body).hexdigest()[:32]
        pages.put(key, body, etag, state)
        return _answer(body, etag)

    return kept_or_written


def _answer(body: bytes, etag: str) -> Response:
    response = Response(body, mimetype="text/html")
    response.set_etag(etag)
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response
