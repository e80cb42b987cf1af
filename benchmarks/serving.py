"""What a page, a byte range and a slow reader cost on our own server. Prints ratios measured in one run.

python benchmarks/serving.py HOME [ITEM…]

HOME holds an archive (the sample donation will do). Figures are CPU time of the web process from /proc, the least of several rounds:
an item's page beside an empty Flask and Jinja page, 1 MB at the end of a 1 GB file beside 1 MB at its start, and whether every page
answers while 40 downloads stall.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, render_template_string, request

import archive.web
from archive.assembly import open_archive
from archive.model.rights import Audience
from archive.settings import load_settings
from archive.web import ranges
from archive.web.serving import serve

GIGABYTE = 1 << 30
STALLED = 40
_TICK = os.sysconf("SC_CLK_TCK")


def build(home: Path, film: Path) -> Flask:
    """The archive's own application, with an empty page and a great file beside it."""
    app = archive.web.create_app(open_archive(load_settings(home)))
    # A Flask application of its own: the empty page must not pay for our headers and language.
    bare = Flask("bare")

    @bare.get("/empty")
    def empty() -> str:
        return render_template_string("<!doctype html><title>{{ title }}</title><p>{{ title }}</p>", title="empty")

    @bare.get("/film")
    def film_() -> Response:
        return ranges.send(request, film, media_type="video/mp4", etag="film", cache="private")

    ours = app.wsgi_app

    def either(environ: Any, start: Any) -> Any:
        return (bare.wsgi_app if environ["PATH_INFO"] in ("/empty", "/film") else ours)(environ, start)

    app.wsgi_app = either  # type: ignore[method-assign]
    return app


@contextmanager
def served(home: Path, film: Path) -> Iterator[tuple[str, int, int]]:
    """Host, port and process id of one web process."""
    found, told = get_context("fork").Pipe()

    def run() -> None:
        original = archive.web.create_app
        archive.web.create_app = lambda _archive: _build_with(original, home, film)
        serve(lambda: None, port=0, announce=told.send)  # type: ignore[arg-type, return-value]

    process = get_context("fork").Process(target=run)
    process.start()
    address = urlsplit(found.recv())
    host, port = str(address.hostname), int(address.port or 0)
    ask(host, port, "/empty")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    try:
        yield host, port, int(children[0])
    finally:
        process.terminate()
        process.join()


def _build_with(original: Callable[..., Flask], home: Path, film: Path) -> Flask:
    archive.web.create_app = original
    return build(home, film)


def ask(host: str, port: int, path: str, wanted: str | None = None) -> int:
    """Ask once, read everything; the bytes of the body."""
    for _attempt in range(40):
        try:
            connection = http.client.HTTPConnection(host, port, timeout=30)
            connection.request("GET", path, headers={"Range": wanted} if wanted else {})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
        except ConnectionRefusedError:
            time.sleep(0.25)
            continue
        assert answer.status in (200, 206), (path, answer.status)
        return len(body)
    raise AssertionError(path)


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / _TICK


def cost(pid: int, work: Callable[[], object], times: int, rounds: int = 5) -> float:
    """CPU milliseconds of the server for one `work`, the least of several rounds."""
    work()
    least = float("inf")
    for _round in range(rounds):
        before = cpu(pid)
        for _ in range(times):
            work()
        least = min(least, (cpu(pid) - before) / times * 1000)
    return least


def pages(host: str, port: int, pid: int, items: list[str]) -> None:
    """Item pages beside an empty page."""
    empty = cost(pid, lambda: ask(host, port, "/empty"), 200)
    print(f"empty page {empty:.2f} ms CPU")
    for path in items:
        took = cost(pid, lambda path=path: ask(host, port, path), 100)  # type: ignore[misc]
        print(f"{path}: {took:.2f} ms CPU, {took / empty:.2f} x an empty page (limit 4)")


def byte_ranges(host: str, port: int, pid: int) -> None:
    """The end of a great file beside its start."""
    start = cost(pid, lambda: ask(host, port, "/film", "bytes=0-1048575"), 50)
    end = cost(pid, lambda: ask(host, port, "/film", f"bytes={GIGABYTE - 1048576}-"), 50)
    print(f"1 MB of 1 GB: at the start {start:.2f} ms CPU, at the end {end:.2f}, {end / start:.2f} x (limit 1.5)")


def stalled(host: str, port: int, path: str) -> None:
    """Pages while downloads stall: sockets that ask for the whole file and never read."""
    sockets = []
    for _ in range(STALLED):
        line = socket.create_connection((host, port), timeout=30)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n")
        sockets.append(line)
    time.sleep(1)
    slowest, answered = 0.0, 0
    for _ in range(20):
        began = time.perf_counter()
        answered += ask(host, port, path) > 0
        slowest = max(slowest, time.perf_counter() - began)
    print(f"with {STALLED} stalled downloads {answered} of 20 pages answered, the slowest after {slowest:.2f} s")
    for line in sockets:
        line.close()


def main(arguments: list[str]) -> None:
    """Measure and print."""
    home = Path(arguments[0]).absolute()
    items = [f"/items/{item}" for item in arguments[1:] or _some_items(home)]
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        with film.open("wb") as stream:
            stream.truncate(GIGABYTE)
        with served(home, film) as (host, port, pid):
            pages(host, port, pid, items)
            byte_ranges(host, port, pid)
            stalled(host, port, items[0])


def _some_items(home: Path) -> list[str]:
    found = open_archive(load_settings(home))
    try:
        return [summary.id for summary in found.reading.items(Audience.PUBLIC, size=6).items]
    finally:
        found.close()


if __name__ == "__main__":
    main(sys.argv[1:])
