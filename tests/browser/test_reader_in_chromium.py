"""The page reader in a real browser: by keyboard from a search to a copied quotation, openings from right to left, the scroll, the list of leaves.

Complaints of others' users by their numbers (findings, users 2.3 and 2.10): bookreader is internetarchive/bookreader, mirador ProjectMirador/mirador.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from readers import ROOT, Reader, reader_of

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
BOOK = "欽定四庫全書簡明目錄·聖諭"
SIDED = "舊唐書·地理志"
GAP = "欽定四庫全書總目·卷一"
CARD = "法院大楼明信片"


@pytest.fixture(scope="module")
def visitor(chromium: Browser, address: str) -> Iterator[Reader]:
    """A reader at a desk, through the whole module: a page costs less than a window."""
    context = chromium.new_context(viewport={"width": 1366, "height": 860}, locale="zh-CN", reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield reader_of(context, address)
    context.close()


@pytest.fixture(scope="module")
def phone(chromium: Browser, address: str) -> Iterator[Reader]:
    context = chromium.new_context(viewport={"width": 390, "height": 800}, locale="zh-CN", reduced_motion="reduce", has_touch=True)
    yield reader_of(context, address)
    context.close()


def opened(reader: Reader, title: str, rest: str = "/p/p1") -> Page:
    page = reader.go(reader.item(title) + rest)
    page.locator("[data-ready]").wait_for()
    return page


def faults(page: Page) -> list[str]:
    page.evaluate(Path(AXE).read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {node['html'][:120]}" for v in found["violations"] for node in v["nodes"]]


def plates(page: Page) -> list[str]:
    """The leaves of the opening as they lie, from left to right."""
    return list(page.evaluate("reading.plates.map(one => one.id)"))


def test_by_keyboard_alone_from_a_search_to_a_copied_quotation(visitor: Reader) -> None:
    page = visitor.go("/search")
    page.keyboard.press("/")
    page.keyboard.type("金州")
    page.keyboard.press("Enter")
    page.locator("[data-hit]").first.wait_for()
    page.wait_for_load_state("load")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("[data-ready]").wait_for()
    expect(page.locator("mark.now").first).to_be_visible()
    seen = {page.evaluate("location.pathname")}
    for _ in range(12):
        page.keyboard.press("n")
        page.wait_for_function("() => !document.querySelector('[aria-busy]')")
        seen.add(page.evaluate("location.pathname"))
        if len(seen) > 1:
            break
    assert len(seen) == 2, "after the last hit of a leaf comes the next leaf with hits"
    expect(page.locator("[data-say]")).to_contain_text("第 1 处")
    page.keyboard.press("c")
    expect(page.locator("[data-quote-citation]")).to_have_value(re.compile("舊唐書"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-quote-say]")).to_have_text("已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("“金州”\n") and "/p/" in copied
    page.keyboard.press("Escape")
    visitor.at_peace()


def test_progress_runs_with_the_book_bookreader_580_615(visitor: Reader) -> None:
    page = opened(visitor, BOOK)
    bar = page.locator("[data-progress]")
    expect(bar).to_have_attribute("dir", "rtl")
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    page.wait_for_url("**/p/p10")
    bar.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/p/p9")
    expect(bar).to_be_focused()
    page = opened(visitor, CARD)
    expect(page.locator("[data-progress]")).to_have_attribute("dir", "ltr")


def test_the_first_page_stands_alone_and_pairs_follow_the_sides_bookreader_1305(visitor: Reader) -> None:
    page = opened(visitor, SIDED, "/p/p1?view=spread")
    assert plates(page) == ["p1"]
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/p/p2?view=spread")
    page.wait_for_function("() => reading.plates.length === 2")
    assert plates(page) == ["p3", "p2"], "叶1下 on the right, 叶2上 on the left"
    expect(page.locator(".leaf-head .label")).to_contain_text("叶1下")
    expect(page.locator(".leaf-head .label")).to_contain_text("叶2上")
    assert page.locator("[data-print]").evaluate_all("all => all.map(one => one.dataset.print)") == ["p2", "p3"]
    page.go_back()
    page.wait_for_function("() => reading.plates.length === 1")


def test_a_missing_leaf_is_blank_in_its_place(visitor: Reader) -> None:
    page = opened(visitor, GAP, "/p/p3?view=spread")
    assert plates(page) == ["p3", "p2"]
    blank = page.locator(".blank-leaf")
    expect(blank).to_have_text("缺叶")
    middle = page.locator("[data-zoom]").bounding_box()
    place = blank.bounding_box()
    assert middle and place and place["x"] > middle["x"] + middle["width"] / 2 - 10


def test_after_the_hits_of_an_opening_come_those_of_the_next(visitor: Reader) -> None:
    page = opened(visitor, SIDED, "/p/p4?view=spread&q=金州")
    assert plates(page) == ["p5", "p4"]
    further = page.locator("[data-hit-go=next]").get_attribute("href")
    assert further is not None and "/p/p6?" in further


def test_thumbnails_and_arrows_follow_the_direction_mirador_419_figgy_593(visitor: Reader) -> None:
    page = opened(visitor, BOOK)
    assert page.locator("[data-thumbs-list] img").count() == 0, "pictures come when they are asked for"
    page.keyboard.press("t")
    pictures = page.locator("[data-thumbs-list] li")
    expect(pictures).to_have_count(10)
    first, second = pictures.nth(0).bounding_box(), pictures.nth(1).bounding_box()
    assert first and second and first["x"] > second["x"]
    expect(page.locator("[data-thumbs-list] [aria-current]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/p2")


def test_direction_comes_from_the_book_not_the_interface_dlme_942(visitor: Reader) -> None:
    page = opened(visitor, BOOK, "/p/p1?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("[data-progress]")).to_have_attribute("dir", "rtl")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/p/p2*")
    opened(visitor, BOOK, "/p/p1?lang=zh")


def test_leaves_scroll_one_under_the_other_mirador_1957(phone: Reader) -> None:
    page = opened(phone, BOOK, "/p/p3?view=scroll")
    strip = page.locator(".strip")
    expect(strip.locator("figure")).to_have_count(10)
    top = strip.evaluate("strip => strip.querySelector('[data-leaf=p3]').getBoundingClientRect().top - strip.getBoundingClientRect().top")
    assert abs(top) < 4, "it opens at the leaf that was asked for"
    page.wait_for_timeout(600)
    strip.evaluate("strip => { strip.scrollTop = strip.querySelector('[data-leaf=p5]').offsetTop; }")
    page.wait_for_url("**/p/p5?view=scroll")
    expect(page.locator("[data-print]")).to_have_attribute("data-print", "p5")
    phone.at_peace()


def test_the_image_keeps_its_height_mirador_1488(visitor: Reader) -> None:
    page = opened(visitor, BOOK)
    box = page.locator("[data-plate]").bounding_box()
    assert box and box["height"] > 0.6 * 860 and box["y"] < 0.4 * 860, "no strip of film eats it"


def test_to_page_n_and_to_a_leaf_by_name_mirador_3279(visitor: Reader) -> None:
    page = opened(visitor, SIDED)
    page.keyboard.press("g")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/p7")
    page.locator("[data-ready]").wait_for()
    page.keyboard.press("g")
    page.keyboard.type("叶五下")
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/p10")
    page.goto(page.url.replace("/p/p10", "/leaf?to=卷九十九"))
    expect(page.get_by_role("heading", level=1)).to_have_text("没有这一面")
    visitor.complaints.clear()  # the browser complains of the 404 that was asked for


def test_text_stands_upright_as_printed_and_its_arrows_follow_fromthepage_1248_4466(visitor: Reader) -> None:
    page = opened(visitor, BOOK, "/p/p3")
    print_ = page.locator("[data-print]")
    assert print_.evaluate("box => getComputedStyle(box).writingMode") == "vertical-rl"
    page.keyboard.press("v")
    expect(print_).to_be_focused()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(f"Shift+{key}")
    chosen = page.evaluate("reading.selected()")
    lines = print_.locator(".line")
    assert chosen["start"] == 0 and chosen["text"] == (lines.nth(0).inner_text() + lines.nth(1).inner_text()[:3]).replace("\n", "")
    expect(page.locator("[data-say]")).to_contain_text("已选")
    expect(page.locator(".selection-bar")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".selection-bar")).to_be_hidden()


def test_zoom_turn_and_region_are_said_and_kept_in_the_address_mirador_3885_3884(visitor: Reader) -> None:
    page = opened(visitor, BOOK, "/p/p3")
    page.keyboard.press("+")
    expect(page.locator("[data-say]")).to_contain_text("放大到")
    page.keyboard.press("r")
    expect(page.locator("[data-say]")).to_have_text("转 90 度")
    page.keyboard.press("i")
    assert {"turn=90", "invert=1"} <= set(page.url.partition("?")[2].split("&"))
    page.reload()
    page.locator("[data-ready]").wait_for()
    assert page.evaluate("reading.viewer.viewport.getRotation()") == 90
    assert "invert" in page.evaluate("getComputedStyle(document.querySelector('[data-zoom] canvas')).filter")
    page.keyboard.press("0")
    page.keyboard.press("b")
    expect(page.locator("[data-say]")).to_contain_text("框选")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-quote-link]")).to_contain_text("xywh=")
    page.keyboard.press("Escape")
    visitor.at_peace()


def test_focus_stays_where_it_was_when_the_leaf_turns_mirador_3918(visitor: Reader) -> None:
    page = opened(visitor, BOOK)
    page.locator("a[data-go=next]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/p2")
    expect(page.locator("a[data-go=next]")).to_be_focused()
    expect(page.locator("[data-say]")).to_contain_text("第 2 面")
    assert page.title().startswith("影像第 2 面")
    page.get_by_role("link", name="横排").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**text=horizontal")
    expect(page.get_by_role("link", name="横排")).to_be_focused()
    page.go_back()
    expect(page.locator("[data-print].vertical")).to_be_visible()


def test_names_alternatives_and_keys_for_everything_bookreader_72_652(visitor: Reader) -> None:
    page = opened(visitor, BOOK, "/p/p3?q=四庫&view=spread")
    assert faults(page) == []
    unnamed = page.evaluate("[...document.querySelectorAll('button, a')].filter(one => !one.textContent.trim() && !one.ariaLabel).length")
    assert unnamed == 0
    page.keyboard.press("?")
    expect(page.locator("[data-dialog=keys]")).to_be_visible()
    assert faults(page) == []
    page.locator("[data-keys-on]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator("[data-dialog=thumbs]")).to_be_hidden()
    page.evaluate("localStorage.clear()")
    visitor.at_peace()


def test_a_swipe_turns_a_leaf_seen_whole_and_a_finger_scrolls_the_page(phone: Reader) -> None:
    page = opened(phone, BOOK, "/p/p3")
    hand = page.context.new_cdp_session(page)

    def swipe(x: int, y: int, to_x: int, to_y: int) -> None:
        hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for n in range(1, 9):
            at = {"x": x + (to_x - x) * n / 8, "y": y + (to_y - y) * n / 8}
            hand.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    place = page.locator("[data-plate]").bounding_box()
    assert place is not None
    swipe(100, int(place["y"]) + 150, 300, int(place["y"]) + 150)
    page.wait_for_url("**/p/p4")
    page.wait_for_function("() => !document.querySelector('[aria-busy]')")
    swipe(200, int(place["y"]) + 200, 200, int(place["y"]) + 20)
    page.wait_for_function("() => scrollY > 60")


def test_text_and_image_on_a_phone_without_overflow_geniza_401_csv_37(phone: Reader) -> None:
    page = opened(phone, BOOK, "/p/p3?q=四庫&view=spread")
    page.wait_for_function("() => reading.plates.length === 1")
    image, text = page.locator("[data-plate]").bounding_box(), page.locator("[data-print]").bounding_box()
    assert image and text and text["y"] >= image["y"] + image["height"] and image["width"] > 340
    small = page.evaluate(
        "[...document.querySelectorAll('.desk-top button, .desk-top a, .instruments .button, .turn a, .words-does a')]"
        ".filter(one => one.offsetParent && one.getBoundingClientRect().height < 43.5 && !one.matches('.tag')).map(one => one.outerHTML.slice(0, 80))"
    )
    assert small == []
    assert faults(page) == []
    phone.at_peace()


def test_the_first_tile_needs_six_requests_and_250_kilobytes(chromium: Browser, address: str, visitor: Reader) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 860}, locale="zh-CN")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    asked: dict[str, str] = {}
    sizes: dict[str, float] = {}
    session.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(address + visitor.item(BOOK) + "/p/p3")
    page.locator("[data-ready]").wait_for()
    context.close()
    before = []
    for request, url in asked.items():
        if "/iiif/image/" in url:
            break
        before.append(request)
    assert len(before) <= 6, " ".join(asked[request].rpartition("/")[2][:20] for request in before)
    assert sum(sizes.get(request, 0) for request in before) <= 250_000
