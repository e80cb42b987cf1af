"""Boxes of characters inside a line's box, and the boxes drawn around a stretch of a page's text."""

from __future__ import annotations

import pytest

from archive.model.item import TextLine
from archive.model.placing import character_boxes, regions, signs

COLUMN = (100, 50, 40, 600)


def test_a_column_is_divided_evenly_from_its_top() -> None:
    assert character_boxes(TextLine("興安府", COLUMN), notes=False) == ((100, 50, 40, 200), (100, 250, 40, 200), (100, 450, 40, 200))


def test_a_row_is_divided_by_the_width_of_its_signs() -> None:
    boxes = character_boxes(TextLine("漢12", (0, 10, 80, 20)), notes=False)
    assert boxes == ((0, 10, 40, 20), (40, 10, 20, 20), (60, 10, 20, 20))


def test_indentation_lies_above_the_box_and_blanks_inside_take_a_cell() -> None:
    boxes = character_boxes(TextLine("　　易　類", COLUMN), notes=False)
    assert boxes == (None, None, (100, 50, 40, 200), None, (100, 450, 40, 200))


def test_a_small_note_stands_right_then_left_and_its_brackets_nowhere() -> None:
    boxes = character_boxes(TextLine("州(甲乙/丙丁)", COLUMN), notes=True)
    assert boxes == (
        (100, 50, 40, 200),
        None,
        (120, 250, 20, 200),
        (120, 450, 20, 200),
        None,
        (100, 250, 20, 200),
        (100, 450, 20, 200),
        None,
    )


def test_a_note_without_a_slash_is_read_right_half_first() -> None:
    tracks = [(sign.track, sign.start) for sign in signs("州（甲乙丙）", notes=True)]
    assert tracks == [("main", 0), ("right", 2), ("right", 3), ("left", 4)]


def test_a_note_that_an_earlier_line_opened_goes_on() -> None:
    boxes = character_boxes(TextLine("嘉後/移西)州", COLUMN), notes=True)
    assert boxes[0] == (120, 50, 20, 200) and boxes[3] == (100, 50, 20, 200) and boxes[6] == (100, 450, 40, 200)
    lines = (TextLine("州(甲", (200, 50, 40, 400)), TextLine("乙丙", (100, 50, 40, 400)), TextLine("丁)戊", (0, 50, 40, 400)))
    assert regions(lines, 4, 6, notes=True) == ((120, 50, 20, 400), (100, 50, 20, 400))


def test_brackets_are_plain_punctuation_without_notes() -> None:
    boxes = character_boxes(TextLine("州(甲)", COLUMN), notes=False)
    assert boxes == ((100, 50, 40, 300), None, (100, 350, 40, 300), None)


@pytest.mark.parametrize("glyph", ["&KR1234;", "[車*犬]", "⿰車犬", "⿱⿰車犬土", "葛\U000e0100"])
def test_what_stands_for_one_glyph_shares_one_box(glyph: str) -> None:
    boxes = character_boxes(TextLine("甲" + glyph + "乙", COLUMN), notes=True)
    assert boxes[0] == (100, 50, 40, 200) and boxes[-1] == (100, 450, 40, 200)
    assert set(boxes[1:-1]) == {(100, 250, 40, 200)}


def test_marks_of_a_heading_and_punctuation_have_no_box() -> None:
    boxes = character_boxes(TextLine("︹山，川︺", COLUMN), notes=True)
    assert boxes == (None, (100, 50, 40, 300), None, (100, 350, 40, 300), None)


def test_regions_make_one_box_of_a_run_and_cross_columns() -> None:
    lines = (TextLine("甲乙丙", (200, 50, 40, 600)), TextLine("丁戊己", (100, 50, 40, 600)))
    assert regions(lines, 1, 6, notes=False) == ((200, 250, 40, 400), (100, 50, 40, 400))


def test_regions_part_main_text_from_the_sub_columns_of_a_note() -> None:
    lines = (TextLine("州(甲乙/丙丁)", COLUMN),)
    assert regions(lines, 0, 8, notes=True) == ((100, 50, 40, 200), (120, 250, 20, 400), (100, 250, 20, 400))


def test_nothing_known_gives_no_box() -> None:
    assert regions((TextLine("甲乙"),), 0, 2, notes=False) == ()
    assert character_boxes(TextLine("甲乙"), notes=True) == (None, None)
    assert character_boxes(TextLine("", COLUMN), notes=True) == ()
    assert character_boxes(TextLine("，。", COLUMN), notes=True) == (None, None)
    assert regions((TextLine("甲", COLUMN),), 5, 9, notes=True) == ()


def test_known_cells_go_before_even_division() -> None:
    cells = ((100, 50, 40, 90), (100, 140, 40, 510))
    assert character_boxes(TextLine("甲乙", COLUMN, cells=cells), notes=False) == cells
    assert len(character_boxes(TextLine("甲乙丙", COLUMN, cells=cells), notes=False)) == 3
