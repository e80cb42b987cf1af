"""Two leaves and two recordings side by side in a real browser, and Mirador served from here under our security policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from readers import ROOT, Reader

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
BOOK = "欽定四庫全書簡明目錄·聖諭"
SONGS = ("刘玄德独赴襄阳会·新水令（录音）", "刘玄德独赴襄阳会·新水令（VCD）")


def faults(page: Page) -> list[str]:
    page.evaluate(Path(AXE).read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [violation["id"] for violation in found["violations"] if violation["impact"] in ("serious", "critical")]


def two_leaves(reader: Reader) -> Page:
    book = reader.item(BOOK)
    page = reader.go(f"/compare?left={book}/pages/2&right={book}/pages/3")
    expect(page.locator(".openseadragon-canvas canvas")).to_have_count(2)
    page.wait_for_timeout(300)
    return page


def widths(page: Page) -> list[str]:
    """What both canvases show, as digests of their pixels would be: their data addresses."""
    return [str(url) for url in page.evaluate("[...document.querySelectorAll('.openseadragon-canvas canvas')].map((c) => c.toDataURL())")]


def test_leaves_zoom_together_until_they_are_unlinked(desk: Reader) -> None:
    page = two_leaves(desk)
    before = widths(page)
    page.locator('[data-side="0"] [data-do="in"]').click()
    page.wait_for_timeout(500)
    after = widths(page)
    assert before[0] != after[0] and before[1] != after[1]
    link = page.get_by_role("button", name="两边联动")
    link.click()
    expect(link).to_have_attribute("aria-pressed", "false")
    page.locator('[data-side="0"] [data-do="turn"]').click()
    page.wait_for_timeout(500)
    alone = widths(page)
    assert alone[0] != after[0] and alone[1] == after[1]
    desk.at_peace()


def test_a_comparison_has_no_serious_fault(reader: Reader) -> None:
    page = two_leaves(reader)
    assert faults(page) == []
    reader.at_peace()
    left, right = map(reader.item, SONGS)
    page = reader.go(f"/compare?left={left}&right={right}")
    assert faults(page) == []
    page = reader.go(f"/compare?left={left}")
    assert faults(page) == []
    reader.at_peace()


def test_recordings_play_together_and_are_heard_in_turn(desk: Reader) -> None:
    left, right = map(desk.item, SONGS)
    page = desk.go(f"/compare?left={left}&right={right}")
    page.get_by_role("button", name="两边同放").click()
    for _attempt in range(50):
        if page.evaluate("[...document.querySelectorAll('audio, video')].every((one) => one.currentTime > 0.2)"):
            break
        page.wait_for_timeout(200)
    else:
        pytest.fail("one of the two does not play")
    page.get_by_role("button", name="只听右边").click()
    assert page.evaluate("[...document.querySelectorAll('audio, video')].map((one) => one.muted)") == [True, False]
    page.get_by_role("button", name="两边暂停").click()
    assert page.evaluate("[...document.querySelectorAll('audio, video')].every((one) => one.paused)")
    desk.at_peace()


def test_everything_can_be_compared_without_scripts(plain: Reader) -> None:
    book = plain.item(BOOK)
    page = plain.go(f"/compare?left={book}")
    page.get_by_label("或者同一件的第几面").fill("3")
    page.get_by_label("或者同一件的第几面").press("Enter")
    assert page.locator("img.still").count() == 2
    page.get_by_role("link", name="两边下一面").click()
    expect(page.locator(".one .label").first).to_contain_text("2")
    assert "right=" in plain.path()


def test_mirador_opens_at_the_leaf_and_asks_nobody_else(desk: Reader) -> None:
    if not (ROOT / "static" / "vendor" / "mirador").is_dir():
        pytest.fail("static/vendor has no Mirador: python -m tasks assets")
    book = desk.item(BOOK)
    item = book.rsplit("/", 1)[1]
    page_id = desk.page.request.get(f"{desk.address}/api/v1/items/{item}").json()["pages"][2]["id"]
    page = desk.go(f"/mirador?item={item}&page={page_id}")
    page.locator(".mirador-window").wait_for()
    page.locator(".mirador-window canvas").first.wait_for()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".mirador-canvas-nav, .mirador-osd-info").first).to_be_visible()
    assert "3 / 10" in page.inner_text("body").replace(" of ", " / ") or "第 3 面" in page.inner_text("body")
    assert desk.foreign == []
    assert not [said for said in desk.complaints if "Content Security Policy" in said or "Content-Security-Policy" in said]
