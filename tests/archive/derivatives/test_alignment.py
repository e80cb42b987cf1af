"""A donor's lines set onto what a machine found on the image: what it missed, split, ran together or misread, and what it must not be trusted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from archive.derivatives.alignment import FoundLine, Placed, place
from archive.model.placing import Box
from archive.search.chinese import fold_characters

TEXT = ["第此次各省搜訪書籍", "種者如浙江范懋柱等", "已降旨分別頒賞古今", "并擇其書尤雅者製詩"]
PITCH, WIDE, APART, TOP = 60, 80, 100, 200


def column(number: int, text: str, *, first: int = 0, x: int | None = None, wide: int = WIDE) -> FoundLine:
    """The `number`th column from the right, whose text begins `first` cells from the top."""
    left = 900 - APART * number if x is None else x
    cells = tuple((left, TOP + PITCH * (first + row), wide, PITCH) for row in range(len(text)))
    return FoundLine((left, TOP + PITCH * first, wide, PITCH * len(text)), text, 0.99, cells)


def columns(text: Sequence[str]) -> list[FoundLine]:
    return [column(number, line) for number, line in enumerate(text)]


def placed(text: Sequence[str], found: Sequence[FoundLine], *, notes: bool = False) -> list[Placed]:
    given = place(text, found, fold_characters, notes=notes)
    assert all(given), given
    return [one for one in given if one]


def cell(number: int, row: int) -> Box:
    return (900 - APART * number, TOP + PITCH * row, WIDE, PITCH)


def near(box: Box | None, other: Box, within: int = 12) -> bool:
    return box is not None and all(abs(a - b) <= within for a, b in zip(box, other, strict=True))


def assert_right(given: Sequence[Placed], text: Sequence[str] = TEXT) -> None:
    for number, (line, one) in enumerate(zip(text, given, strict=True)):
        assert all(near(box, cell(number, row)) for row, box in enumerate(one.cells)), (line, one.cells)


def test_lines_stand_where_they_were_read() -> None:
    given = placed(TEXT, columns(TEXT))
    assert_right(given)
    assert [one.confidence for one in given] == [1.0] * 4 and near(given[0].box, (900, TOP, WIDE, 9 * PITCH))


def test_what_is_written_otherwise_agrees() -> None:
    assert placed(["訪書於總目"], [column(0, "访书于总目")])[0].confidence == 1.0


def test_a_column_that_was_missed_gets_no_box_and_moves_no_other() -> None:
    given = place(TEXT, [line for number, line in enumerate(columns(TEXT)) if number != 1], fold_characters, notes=False)
    assert given[1] is None
    assert all(given[n] and near(given[n].cells[0], cell(n, 0)) for n in (0, 2, 3))  # type: ignore[union-attr]


def test_a_column_found_in_two_pieces_is_one_line() -> None:
    found = columns(TEXT)
    found[1:2] = [column(1, "種者如浙"), column(1, "范懋柱等", first=5)]  # 江 was not read
    assert_right(placed(TEXT, found))


def test_two_columns_read_as_pieces_of_each_other_stay_apart() -> None:
    found = [column(0, TEXT[0]), column(1, TEXT[1][:5]), column(2, TEXT[2]), column(1, TEXT[1][5:], first=5), column(3, TEXT[3])]
    assert_right(placed(TEXT, found))


def test_a_margin_that_repeats_words_of_the_text_is_left_out() -> None:
    margin = column(0, "書籍目錄此次", x=1020, wide=40)
    assert_right(placed(TEXT, [margin, *columns(TEXT), column(4, "搜訪書籍", x=440, wide=40)]))


def test_misread_characters_stand_between_their_neighbours() -> None:
    found = columns([TEXT[0], "種者炳浙汪范懸柱等", TEXT[2], TEXT[3]])
    given = placed(TEXT, found)
    assert_right(given)
    assert given[1].confidence == pytest.approx(6 / 9, abs=0.01)


def test_characters_that_were_not_read_at_the_ends_stand_one_pitch_on() -> None:
    found = [replace(line, text=line.text[1:-1], cells=line.cells[1:-1]) for line in columns(TEXT)]
    assert_right(placed(TEXT, found))


def test_a_line_of_text_may_run_over_two_columns() -> None:
    (line,) = placed(["".join(TEXT[:2])], columns(TEXT[:2]))
    assert near(line.cells[8], cell(0, 8)) and near(line.cells[9], cell(1, 0))


def test_repeated_lines_keep_their_order() -> None:
    text = ["經部一", "易類", "經部二", "書類", "經部三"]
    given = placed(text, columns(text))
    assert [one.box[0] for one in given] == [900, 800, 700, 600, 500]


def test_a_correction_of_one_line_leaves_the_others_where_they_were() -> None:
    before = placed(TEXT, columns(TEXT))
    corrected = [TEXT[0], "種者如漸江范某懋柱", *TEXT[2:]]
    after = placed(corrected, columns(TEXT))
    assert [after[n] for n in (0, 2, 3)] == [before[n] for n in (0, 2, 3)]
    assert near(after[1].cells[0], cell(1, 0))


def test_the_text_of_another_page_gets_no_box_at_all() -> None:
    other = ["全書嘉與海內之士考", "著四庫全書處總裁等", "之欽此"]
    assert place(other, columns(TEXT), fold_characters, notes=False) == (None, None, None)


def test_indentation_and_punctuation_have_no_box() -> None:
    (line,) = placed(["　　易，類"], [column(0, "易類")])
    assert [box is None for box in line.cells] == [True, True, False, True, False]


NOTED = "金州(寰宇記魏時/移理洵口晉)總管府"


def noted(*, left: bool = True) -> list[FoundLine]:
    found = [
        column(0, "金州"),
        FoundLine((942, TOP + 120, 36, 300), "寰宇記魏時", 0.9, tuple((942, TOP + 120 + PITCH * n, 36, PITCH) for n in range(5))),
        FoundLine((902, TOP + 120, 36, 300), "移理洵口晉", 0.9, tuple((902, TOP + 120 + PITCH * n, 36, PITCH) for n in range(5))),
        column(0, "總管府", first=7),
    ]
    return found if left else [found[0], found[1], found[3]]


@pytest.mark.parametrize("left", [True, False], ids=["both read", "left one missed"])
def test_small_notes_stand_in_two_sub_columns(left: bool) -> None:
    (line,) = placed([NOTED], noted(left=left), notes=True)
    assert near(line.cells[0], cell(0, 0)) and near(line.cells[-1], cell(0, 9))
    for row, right in enumerate(range(3, 8)):
        assert near(line.cells[right], (942, TOP + 120 + PITCH * row, 36, PITCH))
        assert near(line.cells[right + 6], (904, TOP + 120 + PITCH * row, 36, PITCH))
    assert [n for n, box in enumerate(line.cells) if box is None] == [2, 8, 14]


def test_rows_of_a_modern_page_are_placed_too() -> None:
    text = ["安康县志编纂委员会", "一九八九年十二月"]
    found = [
        FoundLine((100, 50 + 60 * n, 30 * len(t), 30), t, 0.9, tuple((100 + 30 * i, 50 + 60 * n, 30, 30) for i in range(len(t))))
        for n, t in enumerate(text)
    ]
    given = placed(text, found)
    assert near(given[1].cells[3], (190, 110, 30, 30)) and near(given[0].box, (100, 50, 270, 30))


def test_nothing_found_places_nothing() -> None:
    assert place(TEXT, [], fold_characters, notes=True) == (None,) * 4
    assert place([], columns(TEXT), fold_characters, notes=True) == ()
    assert place(["", "　"], columns(TEXT), fold_characters, notes=True) == (None, None)
