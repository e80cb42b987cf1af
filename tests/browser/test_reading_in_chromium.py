"""A reader's ways through the archive in a real browser: to a leaf, to a marked hit, to a second of a recording; by mouse, keyboard, without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from readers import ROOT, Reader

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
BOOK = "欽定四庫全書簡明目錄"
SONG = "刘玄德独赴襄阳会·新水令（录音）"
FILMS = ("刘玄德独赴襄阳会·新水令（录像）", "越调·小桃红", "刘玄德独赴襄阳会·新水令（VCD）")


def faults(reader: Reader) -> list[str]:
    """What axe-core finds serious or critical on the page as it stands."""
    # Brought in by the debugger, not by the page: our security policy lets no page do so.
    reader.page.evaluate(Path(AXE).read_text("utf-8"))
    found = reader.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_from_home_to_a_leaf(reader: Reader) -> None:
    page = reader.go("/")
    assert faults(reader) == []
    reader.at_peace()
    page.locator("#holdings").scroll_into_view_if_needed()
    page.get_by_role("link", name="地方志", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("地方志")
    assert faults(reader) == []
    reader.at_peace()
    page.get_by_role("link", name=f"{BOOK}·聖諭").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(BOOK)
    assert page.locator(".leaves li").count() == 10
    assert faults(reader) == []
    reader.at_peace()
    page.get_by_role("link", name="从头阅读").click()
    page.locator(".openseadragon-canvas canvas").wait_for()
    expect(page.locator("[data-print] .line").first).to_contain_text(BOOK)
    assert faults(reader) == []
    reader.at_peace()


def test_a_string_over_two_columns_is_found_and_marked_on_its_leaf(reader: Reader) -> None:
    page = reader.go("/")
    page.get_by_role("combobox").fill("现办四库全书总目")
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(1)
    assert faults(reader) == []
    reader.at_peace()
    page.locator(".hit h3 a").click()
    marks = page.locator("[data-print] mark")
    expect(marks.first).to_be_visible()
    assert "".join(marks.all_text_contents()).replace("　", "") == "現辦四庫全書總目"
    columns = page.locator("[data-print] .line:has(mark)")
    assert columns.count() == 2, "one string, two printed columns"
    assert faults(reader) == []
    reader.at_peace()


@pytest.mark.parametrize("title", [SONG, *FILMS])
def test_a_recording_plays_and_its_text_follows(desk: Reader, title: str) -> None:
    page = desk.go(desk.item(title))
    assert faults(desk) == []
    media = page.locator("audio, video").first
    lines = page.locator("[data-cues] li")
    assert lines.count() >= 2
    lines.nth(1).locator("a").click()
    expect(lines.nth(1)).to_have_class("now", timeout=15_000)
    page.wait_for_function("media => media.currentTime > 0.2 && !media.error", arg=media.element_handle(), timeout=15_000)
    if title != SONG:
        assert page.evaluate("media => media.videoWidth", media.element_handle()) > 0
    start = float(lines.nth(1).get_attribute("data-start") or 0)
    assert page.evaluate("media => media.currentTime", media.element_handle()) >= start - 0.3
    desk.at_peace()


def test_the_text_waits_for_a_reader_who_scrolls(desk: Reader) -> None:
    page = desk.go(desk.item(SONG))
    page.locator("[data-cues] li a").first.click()
    page.wait_for_function("!document.querySelector('audio').paused")
    follow = page.locator("[data-follow]").first
    expect(follow).to_have_attribute("aria-pressed", "true")
    page.locator("[data-cues]").hover()
    page.mouse.wheel(0, 60)
    expect(follow).to_have_attribute("aria-pressed", "false")
    top = page.evaluate("scrollY")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("scrollY") == top, "the page itself never moves"


def test_by_keyboard_alone_from_search_to_the_next_leaf(desk: Reader) -> None:
    page = desk.go("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#q-home")).to_be_focused()
    page.keyboard.type("四庫全書處")
    page.keyboard.press("Enter")
    first = page.locator(".hit h3 a").first
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-print] mark").first).to_be_visible()
    page.locator("[data-ready]").wait_for()  # the keys are the script's, and it comes after the first tile
    here = desk.path().partition("#")[0]
    follow = page.locator("a[data-go='next']").get_attribute("href")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{follow}")
    assert desk.path() != here, "in a book from right to left the left arrow goes on"
    assert "q=" in desk.path(), "the search goes along"
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**{here}")


def test_the_image_zooms_by_keyboard_and_says_so(desk: Reader) -> None:
    page = desk.go(desk.item(BOOK) + "/p/p1")
    page.locator(".openseadragon-canvas canvas").wait_for()
    button = page.locator("[data-do='in']")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-say]")).to_have_text(re.compile(r"[0-9]+%$"), use_inner_text=False)
    desk.at_peace()


def test_the_direction_of_the_text_is_kept_from_leaf_to_leaf(desk: Reader) -> None:
    page = desk.go(desk.item(BOOK) + "/p/p1")
    page.get_by_role("link", name="横排").click()
    page.wait_for_url("**text=horizontal*")
    page.locator("a[data-go='next']").click()
    expect(page.locator("[data-print].horizontal")).to_be_visible()


def test_everything_can_be_read_without_scripts(plain: Reader) -> None:
    page = plain.go("/search?q=聖諭")
    assert page.locator(".hit").count() >= 1
    page = plain.go(plain.item(BOOK) + "/p/p1")
    assert page.locator(".still").evaluate("image => image.naturalWidth") > 200
    assert page.locator(".print.vertical .line").count() > 5
    page.get_by_role("link", name="横排").click()
    assert page.locator(".print.horizontal").count() == 1
    page.locator("a[data-go='next']").click()
    assert "/p/p2" in plain.path()
    page = plain.go(plain.item(SONG))
    page.locator("[data-cues] a").nth(1).click()
    assert "t=" in plain.path()
    assert page.locator("[data-cues] li.now").count() == 1
    assert plain.foreign == []


@pytest.mark.parametrize("path", ["/about", "/help", "/search", "/items/none-such", "/search?q=近:5(甲"])
def test_other_pages_have_no_serious_fault(reader: Reader, path: str) -> None:
    reader.go(path)
    assert faults(reader) == []
    assert reader.foreign == []
