"""One search after the other in a process, rather than eight at once that interrupt each other every few milliseconds.

A page of results is some milliseconds of Python, which one thread at a time can run anyway. Threads that interleave within it cost the
switching and the processor's caches: with 16 readers at two processes 7.6 ms of CPU a page, and 6.6 in turns, the slowest pages in half the
time (2 cores, 2026-11-23). Nobody waits long for a turn: after `PATIENCE` a request goes on without one, so a question that takes a
second holds nobody up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATHS = frozenset(("/search", "/search/advanced", "/search.atom", "/api/v1/search", "/api/v1/suggest"))
"""Short answers that ask the index; not the concordance, which can be long."""
PATIENCE = 0.25
"""Seconds that a request waits for its turn."""


class Turns:
    """One turn, given in the order it was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def take(self, patience: float = PATIENCE) -> bool:
        """Wait for a turn; False when it did not come in `patience` seconds. A turn taken must be given back."""
        mine = threading.Lock()
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=patience):
            return True
        with self._lock:
            if mine not in self._waiting:
                return True  # it came at the last moment
            self._waiting.remove(mine)
            return False

    def give(self) -> None:
        """The turn to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class _Answer:
    """An answer that gives the turn back once it was sent, or the server lets go of it."""

    def __init__(self, whole: Iterable[bytes], give: Callable[[], None]) -> None:
        self._whole, self._parts = whole, iter(whole)
        self._give: Callable[[], None] | None = give

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except BaseException:
            self._done()
            raise

    def close(self) -> None:
        """What WSGI wants closed, and the turn given back."""
        self._done()
        close = getattr(self._whole, "close", None)
        if close is not None:
            close()

    def _done(self) -> None:
        give, self._give = self._give, None
        if give is not None:
            give()


def install(app: Flask) -> None:
    """Have requests for `PATHS` take turns."""
    turns, answer = Turns(), app.wsgi_app

    def in_turn(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] not in PATHS or not turns.take():
            return answer(environ, start)
        try:
            return _Answer(answer(environ, start), turns.give)
        except BaseException:
            turns.give()
            raise

    app.wsgi_app = in_turn  # type: ignore[method-assign,assignment]
