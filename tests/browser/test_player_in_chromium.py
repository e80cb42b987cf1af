"""The player in a real browser with real media: text that follows and yields, keys, a passage repeated, a search, a film's pictures; on a desk and a phone.

Complaints of others' users by their numbers (findings, users 2.3 and 2.10): ramp is samvera-labs/ramp.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect
from readers import ROOT, Reader, reader_of, served

from archive.assembly import make_home
from archive.cli import main
from ingest.mending import passages

pytestmark = pytest.mark.browser

TALK, FILM, WORDS, HELD = "长谈", "短片", "只有文字", "有一段不开放"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def ffmpeg(*words: str | Path) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True, timeout=60)


def srt(lines: list[str], seconds: float) -> str:
    def stamp(t: float) -> str:
        return f"00:{int(t) // 60:02d}:{int(t) % 60:02d},{round(t % 1 * 1000):03d}"

    return "\n".join(f"{n + 1}\n{stamp(n * seconds)} --> {stamp((n + 1) * seconds)}\n{line}\n" for n, line in enumerate(lines))


def donation(folder: Path) -> Path:
    for name in ("谈", "片", "词", "禁"):
        (folder / name).mkdir(parents=True)
    (folder / "donation.toml").write_text('accession = "2026-077"\n', "utf-8")
    rows = ["标识号,题名,文件,资料种类,访问级别", f"talk,{TALK},谈,汉调二簧音像,公开", f"film,{FILM},片,汉调二簧音像,公开"]
    rows += [f"words,{WORDS},词,汉调二簧音像,公开", f"held,{HELD},禁,汉调二簧音像,公开"]
    (folder / "登记表.csv").write_text("\n".join(rows) + "\n", "utf-8")
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=330:duration=60", "-ac", "1", "-b:a", "32k", folder / "谈" / "谈.mp3")
    chinese = [f"王 老师：第{n}句，漢水東流" if n % 5 == 0 else f"李：第{n}句" for n in range(40)]
    (folder / "谈" / "谈.srt").write_text(srt(chinese, 1.5), "utf-8")
    (folder / "谈" / "谈_en.srt").write_text(srt([f"Sentence number {n}" for n in range(40)], 1.5), "utf-8")
    picture = ("-f", "lavfi", "-i", "testsrc=size=320x240:rate=12:duration=6", "-f", "lavfi", "-i", "sine=duration=6")
    ffmpeg(
        *picture,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-movflags",
        "+faststart",
        folder / "片" / "片.mp4",
    )
    (folder / "片" / "片.srt").write_text(srt(["一二三", "四五六"], 3), "utf-8")
    (folder / "词" / "词.lrc").write_text("[00:01.00]有詞無聲\n[00:05.00]漢水無聲\n", "utf-8")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=9", "-b:a", "32k", folder / "禁" / "禁.mp3")
    (folder / "禁" / "禁.srt").write_text(srt(["開頭", "不可說", "收尾"], 3), "utf-8")
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an archive of recordings, served by the real command."""
    folder = tmp_path_factory.mktemp("player")
    home = folder / "home"
    make_home(home)

    def fangzhi(command: click.Command, *words: str | Path) -> None:
        done = CliRunner().invoke(command, [*map(str, words)], obj=home)
        assert done.exit_code in (0, 1), done.output

    fangzhi(main, "--home", home, "--lang", "zh", "ingest", "run", donation(folder / "捐赠"))
    (folder / "a.csv").write_text("起,止,题名,板式\n0:00,0:20,頭一段,慢板\n0:20,0:60,後一段,原板\n", "utf-8")
    fangzhi(passages, "replace", "talk", folder / "a.csv")
    (folder / "b.csv").write_text("起,止,题名,访问级别\n0:03,0:06,不可說,馆员\n", "utf-8")
    fangzhi(passages, "replace", "held", folder / "b.csv")
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def visitor(chromium: Browser, address: str) -> Iterator[Reader]:
    """A reader at a desk, through the whole module: a page costs less than a window."""
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="zh-CN", reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield reader_of(context, address)
    context.close()


def time_of(page: Page) -> float:
    return float(page.evaluate("document.querySelector('audio, video').currentTime"))


def ready(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('audio, video').readyState > 0")


def faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {node['html'][:120]}" for v in found["violations"] for node in v["nodes"]]


def test_text_scrolls_inside_its_box_only_ramp_514(visitor: Reader) -> None:
    page = visitor.go("/items/talk?t=40")
    ready(page)
    before = page.evaluate("scrollY")
    page.get_by_role("button", name="播放", exact=True).click()
    page.wait_for_function("() => document.querySelector('[data-cues] li.now') && document.querySelector('[data-cues]').scrollTop > 300")
    box = page.locator("[data-cues]").first
    shown = page.locator("[data-cues] li.now").first.evaluate(
        "line => { const a = line.getBoundingClientRect(), b = line.parentElement.getBoundingClientRect(); return a.top >= b.top - 1 && a.bottom <= b.bottom + 1 }"
    )
    assert shown, box.evaluate("box => [box.scrollTop, box.clientHeight]")
    assert page.evaluate("scrollY") == before
    page.get_by_role("button", name="暂停", exact=True).click()
    visitor.at_peace()


def test_following_can_be_switched_off_and_yields_to_hits_ramp_371_401(visitor: Reader) -> None:
    page = visitor.go("/items/talk")
    ready(page)
    follow = page.locator("[data-follow]")
    expect(follow).to_have_attribute("aria-pressed", "true")
    page.get_by_role("searchbox", name="在随声文字中查找").fill("汉水东流")
    page.keyboard.press("Enter")
    expect(page.locator("[data-hits]")).to_have_text("第 1 处，共 8 处")
    expect(follow).to_have_attribute("aria-pressed", "false")
    assert page.locator("mark").first.inner_text() == "漢水東流", "folded as the search folds"
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator("[data-hits]")).to_have_text("第 3 处，共 8 处")
    expect(page.locator("li.found-here a")).to_be_focused()
    page.keyboard.press("p")
    expect(page.locator("li.found-here .clock")).to_have_text("0:07")
    top = page.locator("[data-cues]").first.evaluate("box => box.scrollTop")
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")
    assert page.locator("[data-cues]").first.evaluate("box => box.scrollTop") == top, "it stays with the hit"
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('audio').currentTime >= 7.4")
    expect(follow).to_have_attribute("aria-pressed", "true")
    visitor.at_peace()


def test_arrow_keys_move_along_ramp_183(visitor: Reader) -> None:
    page = visitor.go("/items/talk?t=12")
    ready(page)
    slider = page.get_by_role("slider", name="播放位置")
    slider.focus()
    for key, moved in (("ArrowRight", 5), ("Shift+ArrowRight", 1), ("ArrowUp", 5), ("ArrowLeft", -5), ("PageUp", 30), ("Home", -48)):
        before = time_of(page)
        page.keyboard.press(key)
        assert abs(time_of(page) - before - moved) < 0.3, key
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "5")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^0:05，共 1:00 · 李：第3句$"))
    assert page.locator("[data-preview]").is_visible()
    page.keyboard.press(".")
    assert abs(time_of(page) - 6.0) < 0.05, "the next line"
    page.keyboard.press(",")
    assert abs(time_of(page) - 4.5) < 0.05


def test_a_passage_is_repeated_by_keyboard_and_stands_in_the_address(visitor: Reader) -> None:
    page = visitor.go("/items/talk?t=10")
    ready(page)
    page.locator("[data-timeline]").focus()
    page.keyboard.press("[")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("]")
    expect(page.locator("[data-say]")).to_have_text("段末 0:11，反复播放")
    assert "t=10,11&loop=1" in visitor.path()
    page = visitor.go(visitor.path())
    ready(page)
    expect(page.locator("[data-do=b]")).to_have_attribute("aria-pressed", "true")
    page.evaluate("window.back = 0; document.querySelector('audio').addEventListener('seeked', () => { window.back += 1 })")
    page.locator("[data-timeline]").focus()
    page.keyboard.press(" ")
    page.wait_for_function("() => window.back >= 2", timeout=15_000)
    assert 9.9 <= time_of(page) <= 11.3
    page.keyboard.press("Escape")
    assert "loop" not in visitor.path()
    page.keyboard.press(" ")


def test_speed_leaves_the_pitch_and_stands_in_the_address(visitor: Reader) -> None:
    page = visitor.go("/items/talk?rate=0.75")
    ready(page)
    assert page.evaluate("[document.querySelector('audio').playbackRate, document.querySelector('audio').preservesPitch]") == [0.75, True]
    page.get_by_label("速度").select_option("1.5")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.5
    assert "rate=1.5" in visitor.path()
    page.locator("[data-timeline]").focus()
    page.keyboard.press("-")
    assert "rate=1.25" in visitor.path()


def test_by_keyboard_alone_from_a_search_to_the_second_in_a_recording(visitor: Reader) -> None:
    page = visitor.go("/")
    for _tab in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name === 'q'"):
            break
    page.locator("#q-home").focus()
    page.keyboard.type("第25句")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    expect(page.locator(".hit")).to_have_count(1)
    for _tab in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('.hit h3, .hit h4')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/talk?t=37.5*")
    ready(page)
    expect(page.locator("#t1-37\\.5 a")).to_be_focused()
    assert page.locator("#t1-37\\.5 mark").inner_text() == "第25句"
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 37.6 && !document.querySelector('audio').paused")
    assert time_of(page) < 42
    page.keyboard.press("k")
    visitor.at_peace()


def test_two_texts_stand_side_by_side_and_follow_together_scihist_1475(visitor: Reader) -> None:
    page = visitor.go("/items/talk?t=15.5")
    ready(page)
    lists = page.locator("[data-cues]")
    assert lists.count() == 2
    left, right = (lists.nth(n).bounding_box() for n in (0, 1))
    assert left and right and right["x"] > left["x"] + left["width"] - 1 and abs(right["y"] - left["y"]) < 4
    expect(page.locator("li.now .spoken")).to_have_text(["王 老师：第10句，漢水東流", "Sentence number 10"])
    assert lists.nth(1).get_attribute("lang") == "en"
    assert page.locator("li.now .who").inner_text() == "王 老师："
    page.locator("[data-show]").nth(1).click()
    expect(lists.nth(1)).to_be_hidden()
    expect(page.locator("[data-show]").nth(1)).to_have_attribute("aria-pressed", "false")


def test_bands_and_passages_lead_to_their_second(visitor: Reader) -> None:
    page = visitor.go("/items/talk")
    ready(page)
    bands = page.locator("[data-bands] span")
    expect(bands).to_have_text(["慢板", "原板"])
    widths = [bands.nth(n).bounding_box() for n in (0, 1)]
    assert widths[0] and widths[1] and 1.8 < widths[1]["width"] / widths[0]["width"] < 2.2
    page.locator(".segments a[data-start='20.0']").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('audio').currentTime >= 20")
    page.locator("[data-do=play]").click()
    page.locator("[data-do=link]").click()
    expect(page.locator("[data-say]")).to_contain_text("已复制")
    assert re.search(r"/items/talk\?t=2\d(\.\d+)?$", page.evaluate("navigator.clipboard.readText()"))
    page.locator("[data-do=quote]").click()
    expect(page.locator("[data-say]")).to_contain_text("[EB/OL]")
    quoted = page.evaluate("navigator.clipboard.readText()")
    assert re.match(r"李：第1\d句\n.*长谈.*\n.*/items/talk\?t=", quoted, re.DOTALL), quoted


def test_a_film_has_captions_and_shows_where_one_is_going(visitor: Reader) -> None:
    page = visitor.go("/items/film")
    ready(page)
    page.wait_for_function(
        "() => document.querySelector('video').textTracks[0].cues && document.querySelector('video').textTracks[0].cues.length === 2"
    )
    assert page.evaluate("document.querySelector('video').textTracks[0].mode") == "showing"
    page.get_by_role("button", name="字幕").click()
    assert page.evaluate("document.querySelector('video').textTracks[0].mode") == "hidden"
    timeline = page.locator("[data-timeline]")
    timeline.hover(position={"x": 200, "y": 10})
    page.wait_for_timeout(300)
    timeline.hover(position={"x": 210, "y": 10})
    expect(page.locator("[data-frame]")).to_be_visible()
    assert "storyboard.jpg" in page.locator("[data-frame]").evaluate("frame => getComputedStyle(frame).backgroundImage")
    assert faults(page) == []
    visitor.at_peace()


def test_text_without_a_recording_is_read_and_searched_scihist_744(visitor: Reader) -> None:
    page = visitor.go("/items/words?q=汉水")
    assert page.locator("audio, video, [data-deck]").count() == 0
    assert page.locator("mark").inner_text() == "漢水"
    page.get_by_role("searchbox", name="在随声文字中查找").fill("有词")
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_have_text(["有詞"])
    assert faults(page) == []
    visitor.at_peace()


def test_a_copy_with_a_gap_plays_and_says_so(visitor: Reader) -> None:
    page = visitor.go("/items/held")
    ready(page)
    expect(page.locator(".gaps")).to_contain_text("0:03–0:06")
    assert "不可說" not in page.content()
    page.locator("[data-timeline]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-timeline]")).to_have_attribute("aria-valuetext", re.compile("此处未向您开放$"))
    assert abs(page.evaluate("document.querySelector('audio').duration") - 9) < 0.2
    assert faults(page) == []
    visitor.at_peace()


@pytest.mark.parametrize("path", ["/items/talk?t=12,15&loop=1&q=汉水", "/items/film", "/items/held?lang=en"])
def test_nothing_runs_over_on_a_phone_and_text_follows_there_ramp_371(chromium: Browser, address: str, path: str) -> None:
    width = 320 if "lang=en" in path else 390  # 320: the narrowest of WCAG 1.4.10
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, locale="zh-CN", has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    reader = reader_of(context, address)
    page = reader.go(path)
    ready(page)
    reader.at_peace()
    assert faults(page) == []
    for button in page.locator(".deck button:visible, .cue-tools button:visible").all():
        box = button.bounding_box()
        assert box and box["height"] >= 36 and box["x"] + box["width"] <= width, button.inner_text()
    if "talk" in path:
        page.locator("[data-do=clear]").tap()
        page.locator("[data-do=play]").tap()
        page.wait_for_function("() => document.querySelector('audio').currentTime > 12.4")
        page.locator("[data-cues]").first.dispatch_event("touchmove")
        expect(page.locator("[data-follow]")).to_have_attribute("aria-pressed", "false")
    context.close()


def test_without_scripts_text_search_and_links_are_there(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="zh-CN")
    reader = reader_of(context, address)
    page = reader.go("/items/talk")
    assert page.locator("audio").get_attribute("controls") is not None
    expect(page.locator("[data-deck]")).to_be_hidden()
    expect(page.locator("[data-still] img")).to_be_visible()
    page.get_by_role("searchbox", name="在随声文字中查找").fill("汉水东流")
    page.get_by_role("button", name="查找", exact=True).click()
    assert page.locator("mark").count() == 8
    expect(page.locator("[data-hits]")).to_have_text("8 处")
    page.locator("[data-cues] a").nth(5).click()
    assert "t=7.5" in reader.path()
    assert (page.locator("audio source").get_attribute("src") or "").endswith("#t=7.5")
    context.close()
