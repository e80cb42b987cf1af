"""A served archive with the sample donation in it, and a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from readers import ROOT, Reader, reader_of, served

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def address(sample_home: Path) -> Iterator[str]:
    """The address of the sample archive, served by the real command."""
    if not (ROOT / "static" / "vendor" / "stamp").is_file():
        pytest.fail("static/vendor is empty: python -m tasks assets")
    with served(sample_home) as found:
        yield found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail("chromium is not on this machine. Debian: apt-get install chromium")
    found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    yield found
    found.close()


@pytest.fixture(params=[(1280, 860), (390, 800)], ids=["desk", "phone"])
def reader(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader at a desk, and one with a phone."""
    width, height = request.param
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN", reduced_motion="reduce")
    yield reader_of(context, address)
    context.close()


@pytest.fixture
def desk(chromium: Browser, address: str) -> Iterator[Reader]:
    """A reader at a desk."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN", reduced_motion="reduce")
    yield reader_of(context, address)
    context.close()


@pytest.fixture
def plain(chromium: Browser, address: str) -> Iterator[Reader]:
    """A reader whose browser runs no scripts."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN", java_script_enabled=False)
    yield reader_of(context, address)
    context.close()
