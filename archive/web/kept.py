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

DOCUMENTS = frozenset(("iiif.manifest", "iiif.root", "iiif.collection", "iiif.shelf"))
"""Documents for programs, which cost more to make than a page and change less: kept for as long as the catalogue is unchanged."""
DOCUMENT_SECONDS = 300.0
"""And no longer than this, for what has been derived meanwhile."""

Key = tuple[str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class _Page:
    body: bytes
    etag: str
    state: int
    written: float
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)


class KeptPages:
    """The pages of one process, the least recently asked for going first. Safe to share between threads."""

    def __init__(self, room: int = ROOM, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._pages: OrderedDict[Key, _Page] = OrderedDict()
        self._lock = threading.Lock()
        self._size, self._room = 0, room

    def get(self, key: Key, state: int) -> _Page | None:
        """The page, when it was written in this state of the catalogue and not long ago."""
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.state != state or time.monotonic() - page.written > self._seconds:
                return None
            self._pages.move_to_end(key)
            return page

    def put(self, key: Key, page: _Page) -> None:
        """Keep a page, letting go of others where room is short."""
        with self._lock:
            before = self._pages.pop(key, None)
            self._size -= len(before.body) if before else 0
            self._pages[key] = page
            self._size += len(page.body)
            while self._size > self._room:
                _key, gone = self._pages.popitem(last=False)
                self._size -= len(gone.body)


def install(app: Flask) -> None:
    """Give kept pages in place of asking a route, and keep what routes write. To be installed after the routes."""
    hall: Hall = app.extensions["fangzhi"]
    pages = KeptPages()
    for endpoint in ENDPOINTS:
        app.view_functions[endpoint] = _keeping(app.view_functions[endpoint], hall, pages)
    documents = KeptPages(seconds=DOCUMENT_SECONDS)
    for endpoint in DOCUMENTS:
        app.view_functions[endpoint] = _keeping(app.view_functions[endpoint], hall, documents)


def _keeping(view: Callable[..., Any], hall: Hall, pages: KeptPages) -> Callable[..., Any]:
    @functools.wraps(view)
    def kept_or_written(**given: Any) -> Any:
        if request.method != "GET" or request.query_string:
            return view(**given)
        key = (request.path, g.language, reader().value, hall.today().toordinal(), request.host_url)
        state = hall.archive.catalogue.state()  # before the page is written: a commit meanwhile makes it old at once
        page = pages.get(key, state)
        if page is not None:
            return _answer(page)
        answer = view(**given)
        page = _written(answer, state)
        if page is None:
            return answer
        pages.put(key, page)
        return _answer(page)

    return kept_or_written


def _written(answer: Any, state: int) -> _Page | None:
    """What a view wrote, ready to be kept; None for what is not (a redirect, an error, an answer without a body)."""
    if isinstance(answer, str):
        body = answer.encode()
        return _Page(body, hashlib.sha256(body).hexdigest()[:32], state, time.monotonic())
    if not isinstance(answer, Response) or answer.status_code != 200:
        return None
    etag, _weak = answer.get_etag()
    headers = tuple((name, value) for name, value in answer.headers if name in ("Content-Type", "Cache-Control"))
    return _Page(answer.get_data(), etag, state, time.monotonic(), headers) if etag else None


def _answer(page: _Page) -> Response:
    response = Response(page.body, headers=list(page.headers))
    response.set_etag(page.etag)
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response
