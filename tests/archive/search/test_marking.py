"""Marking a page: the string, its runs over notes, and what it shares with the neighbouring leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.search.whoosh_index import WhooshIndex


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    made = WhooshIndex(tmp_path_factory.mktemp("mark"))
    made.rebuild(iter(()))
    return made


def _marked(index: WhooshIndex, query: str, text: str, notes: bool = False, before: str = "", after: str = "") -> list[str]:
    return [text[span.start : span.end] for span in index.mark(query, text, notes, before=before, after=after)]


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("陕西", "昔陜西布政司，陝 西", ["陜西", "陝 西"]),
        ("后汉书", "後\n　漢，書", ["後\n　漢，書"]),
        ("“陝西”", "陜西陝西", ["陝西"]),
        ("甲甲", "甲甲甲", ["甲甲甲"]),
        ("甲?丙 -乙", "甲乙丙", ["甲乙丙"]),
        ("题名:安康 水利", "安康水利", ["水利"]),
        ("甲*丁", "甲乙丙丁戊", ["甲乙丙丁"]),
        ("无", "安康", []),
    ],
)
def test_what_is_marked(index: WhooshIndex, query: str, text: str, marked: list[str]) -> None:
    assert _marked(index, query, text) == marked


def test_a_string_over_a_note_is_marked_without_the_note(index: WhooshIndex) -> None:
    text = "金州(漢置/縣)在漢水"
    assert _marked(index, "州在汉", text, notes=True) == ["州", "在漢"]
    assert _marked(index, "州汉置县在", text, notes=True) == ["州(漢置/縣)在"]
    assert _marked(index, "注:汉", text, notes=True) == ["漢"]
    assert _marked(index, "正文:汉水", text, notes=True) == ["漢水"]


def test_a_string_that_runs_on_is_marked_as_far_as_it_lies_here(index: WhooshIndex) -> None:
    assert _marked(index, "陕西布政司", "昔為陜西", after="布政司也") == ["陜西"]
    assert _marked(index, "陕西布政司", "布政司也", before="昔為陜西") == ["布政司"]
    assert _marked(index, "陕西布政司", "布政司也") == []


def test_a_note_that_began_on_the_leaf_before_is_still_a_note(index: WhooshIndex) -> None:
    assert _marked(index, "注:府西", "府西)漢陰", notes=True, before="縣(在") == ["府西"]


def test_a_page_can_be_marked_without_an_index(tmp_path: Path) -> None:
    assert _marked(WhooshIndex(tmp_path / "none"), "安康", "安康縣") == ["安康"]
