"""What is typed and how it is read; faults point at their character; nothing else is ever raised."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.chronology.written import WrittenDates
from archive.errors import QueryError
from archive.language import in_language
from archive.search.chinese import fold
from archive.search.syntax import And, FieldClause, Near, Not, Or, Phrase, SectionClause, Years, parse

NAMES = {"责任者": ["creator", "compiler"], "行当": ["role"], "刊刻年": ["cut"]}


def _texts(query: str) -> list[str]:
    return [phrase.text for phrase in parse(query, NAMES).phrases()]


@pytest.mark.parametrize(
    ("typed", "strings"),
    [
        ("安康", ["安康"]),
        ("安康　水利", ["安康", "水利"]),
        ("安康 水利 -兴安", ["安康", "水利"]),
        ("安康（金州）", ["安康金州"]),
        ("在哪？", ["在哪"]),
        ("金！", ["金"]),
        ("甲?乙", ["甲?乙"]),
        ("甲？乙？", ["甲?乙"]),
        ("*甲＊乙*", ["甲*乙"]),
        ("後漢，書", ["后汉书"]),
        ("或", ["或"]),
        ("非", ["非"]),
        ("A OR B", ["a", "b"]),
        ("or and", ["or", "and"]),
    ],
)
def test_strings_looked_for(typed: str, strings: list[str]) -> None:
    assert _texts(typed) == strings


@pytest.mark.parametrize("typed", ['"陝西"', "“陝西”", "「陝西」", "『陝西』", "＂陝西＂", "”陝西”"])
def test_quotes_of_every_kind_mean_the_form_written(typed: str) -> None:
    clause = parse(typed).clause
    assert isinstance(clause, Phrase)
    assert clause.exact
    assert clause.written == (("陝", "西"),)


@pytest.mark.parametrize("typed", ["甲 OR 乙", "甲 或 乙", "甲　ＯＲ　乙"])
def test_or_in_every_spelling(typed: str) -> None:
    assert isinstance(parse(typed).clause, Or)


@pytest.mark.parametrize("typed", ["甲 -乙", "甲 －乙", "甲 NOT 乙", "甲 非 乙", "甲　ＮＯＴ　乙"])
def test_leaving_out_in_every_spelling(typed: str) -> None:
    clause = parse(typed).clause
    assert isinstance(clause, And)
    assert isinstance(clause.clauses[1], Not)


@pytest.mark.parametrize("typed", ["责任者:李国麒", "責任者：李國麒"])
def test_field_names_work_in_both_scripts_and_widths(typed: str) -> None:
    clause = parse(typed, NAMES).clause
    assert isinstance(clause, FieldClause)
    assert clause.keys == ("creator", "compiler")
    assert clause.phrase.text == "李国麒"


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("年:1583..1644", 1583, 1644),
        ("年：１５８３－１６４４", 1583, 1644),
        ("年:1583—1644", 1583, 1644),
        ("年:1583～1644", 1583, 1644),
        ("年:1583..", 1583, None),
        ("年:..1644", None, 1644),
        ("年:1748", 1748, 1748),
        ("年:1748年", 1748, 1748),
        ("1583..1644", 1583, 1644),
        ("1583～1644", 1583, 1644),
        ("1583-1644", 1583, 1644),
        ("1583——1644", 1583, 1644),
    ],
)
def test_ranges_of_years(typed: str, first: int | None, last: int | None) -> None:
    assert parse(typed).clause == Years((), "年", ((first, last),))


def test_a_year_that_nobody_can_read_is_looked_for_in_the_date() -> None:
    clause = parse("年:乾隆四十七年").clause
    assert isinstance(clause, FieldClause)
    assert clause.keys == ("date",)


@pytest.mark.parametrize(
    ("typed", "spans", "said"),
    [
        ("年:乾隆", ((1736, 1795),), "年为 乾隆（1736–1795）"),
        ("年：乾隆四十七年", ((1782, 1782),), "年为 乾隆四十七年（1782）"),
        ("年:壬寅", None, "年为 壬寅（… 1602、1662、1722、1782、1842、1902）"),
        ("年:民国十年", ((1921, 1921),), "年为 民国十年（1921）"),
        ("年:乾隆..嘉慶", ((1736, 1820),), "年为 乾隆..嘉慶（1736–1820）"),
        ("乾隆～嘉庆", ((1736, 1820),), "年为 乾隆～嘉庆（1736–1820）"),
        ("年:康熙元年至六年", ((1662, 1667),), "年为 康熙元年至六年（1662–1667）"),
        ("刊刻年:乾隆四十七年", ((1782, 1782),), "刊刻年为 乾隆四十七年（1782）"),
        ("记事下限：1783", ((1783, 1783),), "记事下限为 1783"),
        ("下限:前221", ((-220, -220),), "下限为 前221（公元前 221）"),
    ],
)
def test_dates_as_written_are_read_and_shown(typed: str, spans: tuple[tuple[int, int], ...] | None, said: str) -> None:
    parsed = parse(typed, NAMES | {"记事下限": ["coverage-to"]}, WrittenDates())
    assert isinstance(parsed.clause, Years)
    assert spans is None or parsed.clause.spans == spans
    assert parsed.understood == said


def test_a_reign_alone_is_text() -> None:
    assert isinstance(parse("乾隆", NAMES, WrittenDates()).clause, Phrase)


def test_a_year_in_the_text_is_looked_for_in_every_form_it_may_have() -> None:
    clause = parse("文内年:1782", NAMES, WrittenDates()).clause
    assert isinstance(clause, Phrase)
    assert {phrase.text for phrase in (clause, *clause.others)} == {fold("乾隆四十七年"), fold("乾隆壬寅")}
    typed = parse("文內年：乾隆壬寅", NAMES, WrittenDates()).clause
    assert isinstance(typed, Phrase)
    assert (typed.text, [other.text for other in typed.others]) == (fold("乾隆壬寅"), [fold("乾隆四十七年")])
    assert parse("文内年:乾隆", NAMES, WrittenDates()).clause == Phrase((tuple(fold("乾隆")),), (("乾", "隆"),))


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        ("同葉 甲 乙", "leaf"),
        ("甲 同目 乙", "section"),
        ("甲 乙　同卷", "juan"),
        ("(甲 同書) 乙", "work"),
        ("甲 乙", ""),
        ("甲 同書 同书", "work"),
    ],
)
def test_words_of_scope_set_it_and_are_not_looked_for(typed: str, scope: str) -> None:
    parsed = parse(typed)
    assert parsed.scope == scope
    assert {"同书", "同目", "同卷", "同叶"}.isdisjoint(phrase.text for phrase in parsed.phrases())


@pytest.mark.parametrize("typed", ["同书", "“同书” 甲", "注:同书"])
def test_a_word_of_scope_alone_or_in_quotes_is_text(typed: str) -> None:
    assert parse(typed).scope == ""
    assert parse(typed).phrases()[0].text == "同书"


def test_the_scope_is_part_of_what_was_understood() -> None:
    assert parse("同书 甲 乙").understood == "在同一部书里：“甲”，并且 “乙”"


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("甲 “乙", "“甲”，并且 “乙”"),
        ("甲 OR (乙", "“甲”，或者 “乙”"),
        ("甲) 题名:", "“甲”"),
        ("安康 年:1644..1583 水利", "“安康”，并且 “水利”"),
        ("“”", ""),
        ("安" * 3000, "“" + "安" * 2000 + "”"),
    ],
)
def test_a_fault_still_tells_what_was_understood(typed: str, understood: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(typed, NAMES)
    assert caught.value.understood == understood


def test_what_nobody_sees_is_no_part_of_a_query() -> None:
    assert _texts("漢\u200b陰\u202e 縣\ufeff") == ["汉阴", "县"]
    assert isinstance(parse("甲 \u200eOR\u200f 乙").clause, Or)


def test_notes_main_text_section_and_nearness() -> None:
    assert parse("注:渭水").clause == Phrase((("渭", "水"),), (("渭", "水"),), False, "note")
    assert parse("正文：渭水").phrases()[0].scope == "main"
    assert isinstance(parse("门目:职官").clause, SectionClause)
    near = parse("近：５（渭水　“漢陰”）").clause
    assert isinstance(near, Near)
    assert near.distance == 5
    assert near.phrases[1].exact


def test_an_unknown_name_is_text() -> None:
    assert _texts("县志：安康") == ["县志安康"]


@pytest.mark.parametrize(
    ("typed", "position"),
    [
        ("", 0),
        ("　", 0),
        ("，。", 0),
        ("*", 0),
        ("?", 0),
        ("-", 0),
        ("-甲", 0),
        ("非 甲", 0),
        ("甲 或", 2),
        ("或 甲", 0),
        ("甲 “乙", 2),
        ("甲 “，”", 2),
        ("(甲", 0),
        ("甲)", 1),
        ("甲 ()", 3),
        ("甲 --乙", 3),
        ("近:0(甲 乙)", 2),
        ("近:5(甲)", 3),
        ("近:5(甲 乙", 3),
        ("题名:", 0),
        ("题名:，", 0),
        ("年:1644..1583", 2),
        ("甲 OR -乙", 0),
        ("甲 甲*乙*丙*丁*戊*己", 2),
        ("安" * 2001, 2000),
        ("甲 同书 乙 同卷", 7),
        ("近:5(甲 近:3(乙 丙))", 6),
        ("近:5(甲 或 乙)", 6),
        ("近:5(甲 -乙)", 6),
        ("近:5(甲 (乙 丙))", 6),
        ("近:5(题名:甲 乙)", 4),
        ("甲\u200b \u202e“乙", 4),
        ("文内年:1583..1644", 4),
        ("注:，", 0),
    ],
)
def test_a_fault_points_at_its_character(typed: str, position: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(typed, NAMES)
    assert caught.value.position == position
    assert str(caught.value)


def test_what_was_understood_is_said_in_words() -> None:
    assert (
        parse("題名：金州 “陝西” -兴安 年:1583..1644").understood
        == "題名里有“金州”，并且 照原字形“陝西”，并且 不含“兴安”，并且 年从 1583 到 1644"
    )
    with in_language("en"):
        assert parse("甲 OR 乙").understood == "“甲” or “乙”"


@pytest.mark.parametrize(
    "typed", [" OR ".join("甲" * 1000), "(" * 1000, "安" * 10_000, "“" * 1000, "-" * 1000, "a " * 1000, "近:5(" * 300, "*甲" * 600]
)
def test_hostile_queries_end_quickly(typed: str) -> None:
    begun = time.perf_counter()
    try:
        parse(typed)
    except QueryError as error:
        assert 0 <= error.position <= len(typed)
    assert time.perf_counter() - begun < 2


_PIECES = [
    "安",
    "康",
    "甲 ",
    "OR",
    "或",
    " ",
    "　",
    "-",
    "－",
    "NOT ",
    "非",
    "(",
    ")",
    "（",
    "）",
    '"',
    "“",
    "”",
    "「",
    "」",
    "*",
    "?",
    "？",
    "近:5(",
    "近：3（",
]
_PIECES += [
    "题名:",
    "年：",
    "1583",
    "..",
    "～",
    "注:",
    "门目:",
    "行当:",
    "\u202e",
    "\0",
    "\u2029",
    "&KR1;",
    "⿰",
    "[車*犬]",
    "\ud800",
    "𠀀",
    "AND ",
]


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(_PIECES), max_size=25).map("".join)))
def test_nothing_but_a_query_error_is_ever_raised(typed: str) -> None:
    try:
        parsed = parse(typed, NAMES)
    except QueryError as error:
        assert 0 <= error.position <= max(len(typed), 1)
        return
    assert parsed.understood
    assert all(phrase.text for phrase in parsed.phrases())
