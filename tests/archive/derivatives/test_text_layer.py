"""Reading order of boxes, and machine reading of a real rendered page."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from archive.derivatives import page_image, reading_order, text_layer
from archive.errors import MissingToolError

FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")


def order(boxes: dict[str, reading_order.Box]) -> str:
    names = list(boxes)
    return "".join(names[index] for index, _note in reading_order.in_order(list(boxes.values())))


def test_columns_are_read_from_the_right() -> None:
    assert order({"丙": (0, 0, 40, 800), "甲": (200, 10, 40, 790), "乙": (100, 5, 40, 600)}) == "甲乙丙"


def test_small_notes_are_read_right_then_left_inside_their_column() -> None:
    boxes = {
        "左": (100, 310, 20, 200),
        "下": (100, 520, 40, 200),
        "右": (121, 305, 20, 205),
        "上": (100, 0, 40, 300),
        "次": (0, 0, 40, 700),
    }
    assert order(boxes) == "上右左下次"
    notes = [note for _index, note in reading_order.in_order(list(boxes.values()))]
    assert notes == [False, True, True, False, False]


def test_registers_are_read_one_after_the_other() -> None:
    upper = {name: (300 - 100 * n, 0, 40, 400) for n, name in enumerate("甲乙丙丁")}
    lower = {name: (300 - 100 * n, 450, 40, 400) for n, name in enumerate("戊己庚辛")}
    assert order(lower | upper) == "甲乙丙丁戊己庚辛"


def test_a_folio_number_below_is_no_register() -> None:
    columns = {name: (300 - 100 * n, 0, 40, 400) for n, name in enumerate("甲乙丙")}
    assert order(columns | {"四": (300, 450, 40, 60)}) == "甲四乙丙"


def test_rows_of_a_modern_page_are_read_from_the_left() -> None:
    assert order({"c": (0, 60, 400, 30), "b": (500, 2, 300, 30), "a": (0, 0, 400, 30)}) == "abc"


def test_two_columns_of_a_modern_page_one_after_the_other() -> None:
    left = {name: (0, 40 * n, 300, 30) for n, name in enumerate("abcde")}
    right = {name: (340, 40 * n + 5, 300, 30) for n, name in enumerate("fghij")}
    assert order(right | left) == "abcdefghij"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_vertical_page_is_read_with_boxes_of_the_full_image(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    if not FONT.exists():
        pytest.skip("fonts-noto-cjk is not installed")
    lines = ["漢陰縣在府西一百二十里", "東至興安州界六十里", "南至紫陽縣界五十里"]
    page = Image.new("L", (2400, 2800), 245)
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(FONT, 150)
    for number, line in enumerate(lines):
        for row, sign in enumerate(line):
            draw.text((1800 - 420 * number, 250 + row * 190), sign, font=font, fill=25)
    page.save(tmp_path / "a.png")
    made = page_image.make(tmp_path / "a.png", "a.png", None, tmp_path)
    found = text_layer.recognise(made.files[page_image.PYRAMID])
    assert [line.text for line in found] == lines
    assert all(line.confidence and line.confidence > 0.8 and line.kind == "main" for line in found)
    for number, line in enumerate(found):
        assert line.box is not None
        x, y, width, height = line.box
        assert abs(x - (1800 - 420 * number)) < 60 and abs(y - 270) < 80
        assert width < 260 and height == pytest.approx(190 * len(lines[number]), rel=0.1)


def test_without_the_engine_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    text_layer.engine.cache_clear()
    with pytest.raises(MissingToolError, match=r"fangzhi\[ocr\]"):
        text_layer.recognise_image(Image.new("L", (50, 50)))
