"""How names are read aloud and counted in strokes: for suggestions and sorting."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.search.readings import MOST_READINGS, _words, normalise, pinyin_key, readings, stroke_key


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("重庆府志", "chongqingfuzhi"),
        ("重慶府志", "chongqingfuzhi"),
        ("长安县志", "changanxianzhi"),
        ("單于", "chanyu"),
        ("洵陽縣志", "xunyangxianzhi"),
        ("郧阳", "yunyang"),
        ("陜西通志", "shanxitongzhi"),
        ("乐山", "leshan"),
        ("乐清", "yueqing"),
        ("曾国藩", "zengguofan"),
        ("𢎞治兴安州志", "hongzhixinganzhouzhi"),
        ("乾隆", "qianlong"),
        ("略阳", "lveyang"),
    ],
)
def test_a_name_is_read_as_people_say_it(name: str, full: str) -> None:
    assert full in {said for said, _initials in readings(name)}
    assert pinyin_key(name).split("\t")[0].replace(" ", "") == full


@pytest.mark.parametrize("name", ["行", "乐", "曾", "重", "长"])
def test_every_reading_of_a_character_is_given(name: str) -> None:
    expected = {"行": {"xing", "hang"}, "乐": {"le", "yue"}, "曾": {"ceng", "zeng"}, "重": {"zhong", "chong"}, "长": {"chang", "zhang"}}
    assert expected[name] <= {said for said, _initials in readings(name)}


def test_words_of_the_table_have_no_other_reading() -> None:
    assert readings("重庆") == {("chongqing", "cq")}
    assert readings("朝邑") == {("chaoyi", "cy"), ("zhaoyi", "zy")}


def test_letters_and_digits_stand_for_themselves_and_punctuation_for_nothing() -> None:
    assert readings("《汉江 Vol.2》") == {("hanjiangvol2", "hjvol2")}
    assert readings("……") == frozenset()


@given(st.text("行乐重长单朝曾调传藏□ＡbÉ1⿰氵青\u2029", max_size=30))
def test_readings_are_bounded_and_keys_never_fail(name: str) -> None:
    assert len(readings(name)) <= MOST_READINGS
    assert pinyin_key(name) == pinyin_key(name)
    assert isinstance(stroke_key(name), str)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("Chóng qìng", "chongqing"), ("xi'an", "xian"), ("lüe", "lve"), ("ｌüè", "lve"), ("重庆", ""), ("", ""), ("a;b", "")],
)
def test_what_is_typed_is_compared_without_tones(typed: str, plain: str) -> None:
    assert normalise(typed) == plain


def test_titles_sort_by_sound() -> None:
    titles = ["重庆府志", "安康县志", "洵阳县志", "□山志", "汉阴厅志", "长安志", "Hanjiang", "第10册", "第2册"]
    assert sorted(titles, key=pinyin_key) == [
        "安康县志",
        "长安志",
        "重庆府志",
        "第2册",
        "第10册",
        "Hanjiang",
        "汉阴厅志",
        "洵阳县志",
        "□山志",
    ]


def test_titles_sort_by_strokes_as_written() -> None:
    assert sorted(["漢陰廳志", "安康縣志", "十堰市志", "一統志", "石泉縣志", "□山志", "2", "10"], key=stroke_key) == [
        "2",
        "10",
        "一統志",
        "十堰市志",
        "石泉縣志",
        "安康縣志",
        "漢陰廳志",
        "□山志",
    ]


def test_every_line_of_the_table_is_one_that_characters_alone_do_not_tell_or_that_settles_the_order() -> None:
    assert len(_words()) > 200
    assert all(2 <= len(word) <= 5 for word in _words())


def test_nothing_is_read_before_the_first_name() -> None:
    """A worker that never sorts by sound pays nothing: the tables are read at the first use."""
    program = "from archive.search import readings as r; assert not r._PINYIN._lines; r.readings('安'); assert r._PINYIN._lines"
    subprocess.run([sys.executable, "-c", program], check=True)
