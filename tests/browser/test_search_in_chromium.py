"""Searching in a real browser: by keyboard from the box to the marked leaf, by the form, on a phone, without scripts; nothing asked of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from readers import ROOT, Reader

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def faults(page: Page) -> list[str]:
    """What axe-core finds at all on the page as it stands."""
    page.evaluate(Path(AXE).read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{violation['id']}: {node['html'][:120]}" for violation in found["violations"] for node in violation["nodes"]]


def test_by_keyboard_alone_from_the_box_to_the_marked_leaf(desk: Reader) -> None:
    page = desk.go("/search")
    page.keyboard.press("/")
    expect(page.locator("#q-main")).to_be_focused()
    page.keyboard.type("金州")
    page.keyboard.press("Enter")
    hits = page.locator("[data-hit]")
    expect(hits.first).to_be_visible()
    page.wait_for_load_state("load")  # the keys are the script's, and it comes after the text
    page.keyboard.press("j")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q-main")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits.nth(0)).to_be_focused()
    leads_to = hits.nth(0).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{leads_to}")
    mark = page.locator("[data-print] mark").first
    expect(mark).to_have_text("金州")
    expect(mark).to_be_in_viewport()
    desk.at_peace()


def test_the_form_writes_into_the_box_and_the_box_into_the_form(reader: Reader) -> None:
    page = reader.go("/search")
    page.get_by_role("link", name="高级检索").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("高级检索")
    assert faults(page) == []
    reader.at_peace()
    page.get_by_label("全部都有").fill("金州")
    page.get_by_label("不要有").fill("领县")
    page.get_by_label("著录项 1 里有").fill("地理志")
    page.get_by_role("button", name="检索").click()
    expect(page.locator("#q-main")).to_have_value("金州 题名:地理志 -领县")
    expect(page.locator(".hit")).to_have_count(4)
    page.get_by_role("link", name="高级检索").click()
    expect(page.get_by_label("全部都有")).to_have_value("金州")
    expect(page.get_by_label("不要有")).to_have_value("领县")
    expect(page.get_by_label("著录项 1 里有")).to_have_value("地理志")
    reader.at_peace()


@pytest.mark.parametrize(
    "path", ["/search?q=金州&kind=gazetteer", "/search?q=州&group=1", "/search?q=金州&lang=en", "/search?q=州&page=999", "/help"]
)
def test_pages_of_search_fit_and_have_no_fault(reader: Reader, path: str) -> None:
    page = reader.go(path)
    assert faults(page) == []
    reader.at_peace()


def test_suggestions_come_while_typing_and_go_by_keyboard(desk: Reader) -> None:
    page = desk.go("/search")
    box = page.get_by_role("combobox")
    box.click()
    page.keyboard.type("旧唐")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("舊唐書·地理志")
    expect(box).to_have_attribute("aria-expanded", "true")
    assert faults(page) == []
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", option.get_attribute("id") or "")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value("旧唐")
    page.keyboard.type("书")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".hit h3").first).to_have_text("舊唐書·地理志")
    desk.at_peace()


def test_a_condition_is_taken_away_by_its_chip(desk: Reader) -> None:
    page = desk.go("/search?q=州")
    before = page.locator(".counts").text_content()
    page.locator(".facets").get_by_role("link", name="方志").first.click()
    assert "kind=gazetteer" in desk.path()
    page.get_by_label("已选条件").get_by_role("link").click()
    expect(page.locator(".counts")).to_have_text(before or "")
    desk.at_peace()


def test_searching_needs_no_scripts(plain: Reader) -> None:
    page = plain.go("/search/advanced")
    page.get_by_label("照原字形").fill("金州")
    page.get_by_role("button", name="检索").click()
    expect(page.locator("#q-main")).to_have_value("“金州”")
    page.get_by_role("link", name="按书归并").click()
    expect(page.locator(".work, .hit").first).to_be_visible()
    page = plain.go("/search?q=金州")
    page.locator("[data-hit]").first.click()
    assert plain.path().endswith("#hit")
    expect(page.locator("#hit + mark")).to_be_in_viewport()
    assert plain.foreign == []
