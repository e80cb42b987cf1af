"""`Reader`: someone before a screen, and what their browser said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).parents[2]


@dataclass
class Reader:
    """Someone before a screen; keeps what the browser complained of and every request that left the archive."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path, wait_until="load")
        return self.page

    def path(self) -> str:
        """Where the reader is, without the host."""
        return self.page.url.removeprefix(self.address)

    def at_peace(self) -> None:
        """Nothing failed, nothing left the archive, nothing is wider than the screen."""
        assert self.foreign == []
        assert self.complaints == []
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{self.path()} is {width} pixels too wide"

    def item(self, title: str) -> str:
        """The path of the item whose title begins so."""
        listed = self.page.request.get(self.address + "/api/v1/items?size=200").json()["items"]
        return next(urlsplit(one["url"]).path for one in listed if one["title"].startswith(title))


def reader_of(context: BrowserContext, address: str) -> Reader:
    reader = Reader(context.new_page(), address)

    def watch(request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((address, "data:", "blob:")):
            reader.foreign.append(url)

    reader.page.on("request", watch)
    reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
    reader.page.on("console", lambda said: reader.complaints.append(said.text) if _is_a_complaint(said.type, said.text) else None)
    return reader


_OPENSEADRAGON = ("Ignoring tile", "stopTrackingPointer()", "updatePointerCaptured()")
"""What OpenSeadragon 6.1.1 warns of by itself when a leaf is turned while tiles come, or a pointer leaves while it is slow; it goes on."""


def _is_a_complaint(kind: str, text: str) -> bool:
    return kind == "error" or (kind == "warning" and not text.startswith(_OPENSEADRAGON))


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of an archive, served by the real command for as long as the block."""
    command = [sys.executable, "-W", "ignore", "-m", "archive", "--home", str(home), "serve", "--port", "0"]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", server.stdout.readline())
            assert found is not None
            yield found.group()
        finally:
            server.terminate()
            server.wait(30)
