"""Page text as printed: notes in two columns, marks through them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from archive.model.item import TextLine
from archive.search.base import Span
from archive.web.leaves import PrintedLine, printed, split


def flat(parts: Iterable[tuple[Any, ...]]) -> str:
    return "".join(f"«{text}»" if hit else text for text, hit, *_start in parts)


def shape(line: PrintedLine) -> str:
    return "".join("{" + "|".join(flat(half) for half in p.halves) + "}" if p.note else flat(p.halves[0]) for p in line.pieces)


def set_in(text: str, *spans: tuple[int, int], notes: bool = True) -> list[str]:
    lines = tuple(TextLine(line) for line in text.split("\n"))
    return [shape(line) for line in printed(lines, [Span(*span) for span in spans], notes)]


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("金州漢隂郡", [(0, 2)], ["«金州»漢隂郡"]),
        ("金州(武德/元年)領縣", [], ["金州{武德|元年}領縣"]),
        ("金州（治西城）領縣", [], ["金州{治西城}領縣"]),
        ("金州(武德/元年)領縣", [(1, 4)], ["金«州»{«武»德|元年}領縣"]),
        ("金州(武\n德/元年)領", [(3, 6)], ["金州{«武»}", "{«德»|元年}領"]),
        ("[山(水)]州", [], ["[山(水)]州"]),
        ("州)縣", [], ["州)縣"]),
        ("州(一/二/三)", [], ["州{一/二/三}"]),
        ("州(未\n完", [], ["州{未}", "{完}"]),
    ],
    ids=["mark", "two-columns", "one-column", "mark-into-note", "note-over-lines", "glyph", "stray", "more-slashes", "unclosed"],
)
def test_notes_are_set_and_marked(text: str, spans: list[tuple[int, int]], expected: list[str]) -> None:
    assert set_in(text, *spans) == expected


def test_brackets_stay_text_where_the_profile_has_no_notes() -> None:
    assert set_in("厂(一/二)区", notes=False) == ["厂(一/二)区"]


def test_every_character_survives_but_the_brackets_of_notes() -> None:
    text = "甲(乙/丙)丁\n戊（己）庚"
    plain = "".join(set_in(text)).translate(str.maketrans("", "", "{}|"))
    assert plain == "甲乙丙丁戊己庚"


def test_spans_beyond_the_text_do_no_harm() -> None:
    assert flat(split("金州", [Span(-3, 1), Span(1, 99)])) == "«金州»"


def test_a_doubtful_reading_is_told_apart() -> None:
    lines = printed((TextLine("金", confidence=0.2), TextLine("州", confidence=0.9), TextLine("縣")), [], False)
    assert [line.unsure for line in lines] == [True, False, False]


def test_each_run_knows_its_place_and_its_hit() -> None:
    lines = (TextLine("金州(武"), TextLine("德/元年)領縣"))
    text = "\n".join(line.text for line in lines)
    printed_lines = printed(lines, [Span(0, 1), Span(1, 6)], True)
    runs = [run for line in printed_lines for piece in line.pieces for half in piece.halves for run in half]
    assert all(text[run.start : run.start + len(run.text)] == run.text for run in runs)
    assert [(run.text, run.hit) for run in runs if run.hit] == [("金", 1), ("州", 2), ("武", 2), ("德", 2)]
    assert [line.start for line in printed_lines] == [0, 5]
