"""The concordance in a real browser: aligned lines, the plots, the order changed and a leaf reached by keyboard, a table taken away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from readers import ROOT, Reader

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def faults(reader: Reader) -> list[str]:
    """What axe-core finds serious or critical on the page as it stands."""
    reader.page.evaluate(Path(AXE).read_text("utf-8"))
    found = reader.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {n['html'][:120]}" for v in found["violations"] if v["impact"] in ("serious", "critical") for n in v["nodes"]]


def test_every_occurrence_aligned_and_plotted(reader: Reader, tmp_path: Path) -> None:
    page = reader.go("/concordance?q=書&sort=left")
    lines = page.locator(".kwic li")
    assert lines.count() > 5
    middles = page.eval_on_selector_all(
        ".kwic mark", "marks => marks.map(m => { const r = m.getBoundingClientRect(); return (r.left + r.right) / 2; })"
    )
    assert max(middles) - min(middles) <= 1.5, "what was looked for stands in one column"
    near = page.eval_on_selector_all(
        ".kwic .left bdi",
        "parts => parts.map(p => p.closest('.line').querySelector('mark').getBoundingClientRect().left - p.getBoundingClientRect().right)",
    )
    assert all(0 <= gap <= 12 for gap in near), "the nearest characters are seen, however narrow the screen"
    for plot in page.get_by_role("img").all():
        box = plot.bounding_box()
        assert box is not None and box["width"] > 150 and box["height"] > 30
    widest = page.eval_on_selector_all(".bars rect.often", "bars => bars.map(b => b.getBoundingClientRect().width)")
    assert widest[0] == max(widest) > 100
    of_works = page.locator("section[aria-labelledby=works] tbody td:nth-child(2)").all_inner_texts()
    assert sum(map(int, of_works)) == lines.count() and len(of_works) > 1
    assert faults(reader) == []
    reader.at_peace()
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    table = tmp_path / "lines.csv"
    taken.value.save_as(table)
    assert table.read_text("utf-8-sig").count("\n") == lines.count() + 1


def test_by_keyboard_from_the_box_to_a_leaf(desk: Reader) -> None:
    page = desk.go("/concordance")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("四庫")
    page.keyboard.press("Enter")
    page.wait_for_url("**/concordance?q=*")
    after = page.get_by_role("link", name="后文", exact=True)
    after.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=right*")
    expect(page.get_by_role("link", name="后文", exact=True)).to_have_attribute("aria-current", "true")
    page.locator(".kwic .from a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-print] mark").first).to_be_visible()
    desk.at_peace()


def test_without_scripts_lines_sort_and_plots_stand(plain: Reader) -> None:
    page = plain.go("/concordance?q=書")
    page.get_by_role("link", name="前文", exact=True).click()
    assert "sort=left" in plain.path()
    assert page.locator(".kwic li").count() > 5 and page.locator("svg[role=img] rect").count() >= 4
