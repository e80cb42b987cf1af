"""Dates as written and the years they mean; the table of eras against itself and the cycle of sixty."""

from __future__ import annotations

import pytest

from archive.chronology import stems
from archive.chronology.eras import era_table
from archive.chronology.numerals import number
from archive.chronology.reading import find, read

ONE = {
    "乾隆四十七年": (1782, 1782),
    "清乾隆四十七年": (1782, 1782),
    "清高宗乾隆四十七年": (1782, 1782),
    "乾隆四十七年七月初三": (1782, 1782),
    "乾隆４７年": (1782, 1782),
    "乾隆壬寅": (1782, 1782),
    "乾隆": (1736, 1795),
    "干隆": (1736, 1795),
    "洪武廿三年": (1390, 1390),
    "光緒卅一年": (1905, 1905),
    "萬曆四十八年": (1620, 1620),
    "泰昌元年": (1620, 1620),
    "大歷元年": (766, 766),
    "唐貞觀元年": (627, 627),
    "康熙六十一年十一月": (1722, 1722),
    "雍正元年": (1723, 1723),
    "崇禎十七年": (1644, 1644),
    "順治元年": (1644, 1644),
    "民国十年": (1921, 1921),
    "中華民國三十六年": (1947, 1947),
    "康熙元年至六年": (1662, 1667),
    "明嘉靖–万历间": (1522, 1620),
    "乾隆..嘉庆": (1736, 1820),
    "萬曆初": (1573, 1588),
    "乾隆末": (1776, 1795),
    "明代": (1368, 1683),
    "清": (1616, 1911),
    "1583..1644": (1583, 1644),
    "1970-1973": (1970, 1973),
    "1747-08-01": (1747, 1747),
    "一七八二年": (1782, 1782),
    "１７８２": (1782, 1782),
    "公元前140年": (-139, -139),
    "1970年代": (1970, 1979),
    "金天会十五年": (1137, 1137),
    "天祐四年": (907, 907),
    "1970.8": (1970, 1970),
}
SEVERAL = {
    "至元": [(1264, 1294), (1335, 1340)],
    "元至元三年": [(1266, 1266), (1337, 1337)],
    "康熙壬寅": [(1662, 1662), (1722, 1722)],
    "貞觀元年": [(627, 627), (1101, 1101)],
    "大順元年": [(890, 890), (1644, 1644)],
    "宋代": [(420, 479), (960, 1279)],
}


@pytest.mark.parametrize(("written", "years"), ONE.items())
def test_a_date_that_means_one_time(written: str, years: tuple[int, int]) -> None:
    assert {(reading.first, reading.last) for reading in read(written)} == {years}


@pytest.mark.parametrize(("written", "years"), SEVERAL.items())
def test_an_ambiguous_date_keeps_its_meanings(written: str, years: list[tuple[int, int]]) -> None:
    assert [(reading.first, reading.last) for reading in read(written)] == years


def test_a_pair_alone_is_every_year_of_that_name() -> None:
    years = [reading.first for reading in read("壬寅")]
    assert {1662, 1722, 1782, 1842} <= set(years)
    assert all(stems.name_of(year) == "壬寅" for year in years)


@pytest.mark.parametrize(
    "written", ["安康县志", "宋", "王宋", "重修", "第三册", "", "。", "乾隆重修", "明末清初人", "甲丑", "乾隆六十五年"]
)
def test_what_is_no_date_is_left_alone(written: str) -> None:
    assert read(written) == ()


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("70.8;1971.3", (1971, 1971)),
        ("清乾隆四十七年（1782）刻本", (1782, 1782)),
        ("乾隆十三年修，光绪二年补刻", (1748, 1748)),
        ("嘉庆二十年修 民国二十二年铅印本", (1815, 1815)),
        ("至元三年（1337）", (1337, 1337)),
        ("1337（至元三年）", (1337, 1337)),
        ("康熙元年至六年间修", (1662, 1667)),
        ("明代抄本", (1368, 1683)),
        ("约2005年8月", (2005, 2005)),
    ],
)
def test_dates_are_found_among_other_words(written: str, years: tuple[int, int]) -> None:
    assert (find(written)[0].first, find(written)[0].last) == years


@pytest.mark.parametrize("written", ["安康县志", "照片120张", "编号20051", "宋某", "建设路", "70.8", "12345", "3.1415"])
def test_no_date_is_found_where_there_is_none(written: str) -> None:
    assert find(written) == ()


def test_every_year_of_every_era_reads_back() -> None:
    for era in era_table().eras:
        for year in range(era.first, era.last + 1):
            written = f"{era.dynasty}{era.name}{year - era.zero}年"
            assert year in {reading.first for reading in read(written)}, written


def test_the_first_year_is_yuan_and_the_year_before_is_none() -> None:
    for era in era_table().eras:
        if era.zero + 1 == era.first:
            assert era.first in {reading.first for reading in read(f"{era.dynasty}{era.name}元年")}
        assert era.year(era.last - era.zero + 1) is None


def test_the_cycle_of_sixty() -> None:
    assert len(set(stems.NAMES)) == 60
    for year in range(-200, 2000):
        assert year in stems.years_of(stems.name_of(year), year, year)
    assert stems.name_of(1662) == stems.name_of(1782) == "壬寅"
    assert stems.name_of(1911) == "辛亥"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("元", 1), ("十", 10), ("十二", 12), ("廿三", 23), ("卅一", 31), ("卅", 30), ("百廿", 120), ("四十七", 47), ("一百零三", 103)],
        *[("〇", 0), ("一七八二", 1782), ("47", 47), ("二十", 20), ("百", 100), ("", None), ("甲", None), ("十百", None)],
    ],
)
def test_numbers(text: str, value: int | None) -> None:
    assert number(text) == value
