"""Which forms fall together, which must not, and that places lead back to the text as written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.search import chinese
from archive.search.chinese import fold, fold_map, locate, read

_HERE = Path(__file__).parent


def _pairs(name: str) -> list[tuple[str, str, str]]:
    """Pairs of characters with the source that says so."""
    lines = [line for line in (_HERE / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    return [(left, right, source) for left, right, source in rows]


MUST_MERGE, MUST_NOT_MERGE = _pairs("must_merge.tsv"), _pairs("must_not_merge.tsv")


def test_forms_of_one_character_fall_together() -> None:
    assert [(left, right) for left, right, _source in MUST_MERGE if fold(left) != fold(right)] == []


def test_different_characters_stay_apart() -> None:
    """Taboo substitutes, look-alikes, words that Unihan links: a reader who asks for one does not mean the other."""
    assert [(left, right) for left, right, _source in MUST_NOT_MERGE if fold(left) == fold(right)] == []


def test_the_tables_are_as_large_as_they_must_be_and_give_their_sources() -> None:
    merged, apart = ({frozenset(row[:2]) for row in table} for table in (MUST_MERGE, MUST_NOT_MERGE))
    assert len(merged) == len(MUST_MERGE) >= 300
    assert len(apart) == len(MUST_NOT_MERGE) >= 100
    assert not merged & apart
    assert all(source.strip() and len(left) == len(right) == 1 for left, right, source in MUST_MERGE + MUST_NOT_MERGE)
    assert sum("语料" in source for _left, _right, source in MUST_MERGE) >= 300, "forms met in Siku and other old prints"


@pytest.mark.parametrize(
    ("written", "others"), [("漢陰", ("汉阴", "漢隂")), ("陝西", ("陕西", "陜西")), ("萬曆", ("万历", "萬厯")), ("弘治", ("𢎞治",))]
)
def test_words_of_gazetteers_are_one_in_every_form(written: str, others: tuple[str, ...]) -> None:
    assert {fold(other) for other in others} == {fold(written)}


def test_folding_every_code_point_twice_changes_nothing_more() -> None:
    codes = (
        code for code in range(0x33480) if not 0xD800 <= code < 0xE000 and chr(code) != chinese.WALL
    )  # beyond are planes of no letters
    folded = {fold(chr(code)) for code in codes}
    assert {char for char in folded if fold(char) != char} == set()
    assert {len(char) for char in folded} == {0, 1}


def test_the_curated_list_says_why_of_every_line() -> None:
    lines = (chinese._FOLDER / "variants.tsv").read_text("utf-8").splitlines()
    entries = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(len(entry) == 4 and entry[3].strip() for entry in entries)
    assert {entry[2] for entry in entries} == {"四库", "旧形", "日本", "缺笔", "避讳"}
    assert len({entry[0] for entry in entries}) == len(entries)


def test_layout_and_punctuation_are_dropped() -> None:
    assert fold("後\n　　漢，書。《金 州》︹城池︺\u200b\u202e・—…") == "后汉书金州城池"


@pytest.mark.parametrize(("full", "half"), [("ＡＢＣ１２３", "abc123"), ("ｱ", "ア"), ("É", "e"), ("ﬀ", "ﬀ"), ("①", "1"), ("㊎", "金")])
def test_width_case_and_accents_do_not_matter(full: str, half: str) -> None:
    assert fold(full) == fold(half)


@pytest.mark.parametrize(
    "sign", ["□", "〓", "〇", "\ue123", "\U0010203f", "𠀀", "\U000323b0", "&KR1234;", "⿰氵青", "⿱艹⿰氵青", "[車*犬]", "[夢-夕+登]", "䷀"]
)
def test_what_stands_for_one_character_is_one(sign: str) -> None:
    folded, offsets = fold_map(f"甲{sign}乙")
    assert len(folded) == 3
    assert offsets == (0, 1, 1 + len(sign))


def test_different_glyphs_stay_apart_and_supplied_words_are_words() -> None:
    assert fold("&KR1234;") != fold("&KR1235;")
    assert fold("⿰氵青") != fold("⿰氵靑青")[:1]
    assert fold("[光緒]安康縣志") == "光绪安康县志"
    assert len(fold("⿰氵")) == 2  # not whole: each sign for itself


def test_a_small_note_is_read_right_column_then_left() -> None:
    reading = read("甲(乙/丙)丁（戊）", True)
    assert (reading.written, reading.notes, reading.open_note) == ("甲乙丙丁戊", ((1, 3), (4, 5)), 0)


def test_a_bracket_inside_a_glyph_belongs_to_the_glyph() -> None:
    reading = read("宋趙[桌-日+(ㄇ@(人/人))]題(石/猶)", True)
    assert len(reading.written) == 6
    assert reading.notes == ((4, 6),)


def test_a_note_goes_on_over_one_leaf_and_ends_with_the_next() -> None:
    assert read("甲(乙", True).open_note == 1
    assert read("丙)丁", True, 1).notes == ((0, 1),)
    whole = read("丙丁", True, 1)
    assert whole.notes == ((0, 2),)
    assert whole.open_note == 0


def test_brackets_are_punctuation_where_the_profile_has_no_notes() -> None:
    assert read("甲(乙)丙").notes == ()


@given(st.text(max_size=200), st.booleans(), st.integers(0, 1))
def test_places_lead_back_to_the_text(text: str, notes: bool, open_note: int) -> None:
    located, reading = locate(text, notes, open_note), read(text, notes, open_note)
    assert located.written == reading.written
    assert located.open_note == reading.open_note
    assert len(located.starts) == len(located.ends) == len(located.noted) == len(located.written)
    assert [at for at, noted in enumerate(located.noted) if noted] == [at for a, b in reading.notes for at in range(a, b)]
    for char, start, end in zip(located.written, located.starts, located.ends, strict=True):
        assert end > start
        if end == start + 1 and char != "\0":
            assert fold(text[start]) in (chinese.fold_characters(char), "")
    assert len(fold(text)) == len(read(text).written)


@given(st.text("甲乙𢎞()（）&KR1;[]*⿰⿱\n　，Ａé\ue000\u2029", max_size=60), st.booleans(), st.integers(0, 1))
def test_the_fast_way_reads_as_the_careful_one(text: str, notes: bool, open_note: int) -> None:
    assert read(text, notes, open_note) == chinese._read_pieces(text, notes, open_note)
