"""Dates for search (`archive.search.syntax.DateReader`): what a date as typed can mean, and how a text may have written a year."""

from __future__ import annotations

from collections.abc import Sequence

from archive.chronology import reading, stems
from archive.chronology.eras import era_table

_DIGITS = "〇一二三四五六七八九"
_MOST = 24


class WrittenDates:
    """Reign years, dynasties, 干支 and Western years."""

    def read(self, written: str) -> Sequence[tuple[int, int]]:
        """The spans of Western years that the whole of `written` can mean, each once, in the order of time; empty when it is no date."""
        return tuple(dict.fromkeys((found.first, found.last) for found in reading.read(written)))

    def find(self, written: str) -> Sequence[tuple[int, int]]:
        """The dates inside a statement such as 清乾隆四十七年（1782）刻本."""
        return tuple(dict.fromkeys((found.first, found.last) for found in reading.find(written)))

    def forms(self, first: int, last: int) -> Sequence[str]:
        """How a text may write the years: 乾隆四十七年 and 乾隆壬寅 for each era, at most two dozen."""
        found = [
            form
            for year in range(first, last + 1)
            for era in era_table().eras
            if era.first <= year <= era.last
            for form in (f"{era.name}{chinese_number(year - era.zero)}年", f"{era.name}{stems.name_of(year)}")
        ]
        return tuple(dict.fromkeys(found))[:_MOST]


def chinese_number(value: int) -> str:
    """The number of a reign year, 1 to 99, as it is written: 元, 四十七."""
    if value == 1:
        return "元"
    tens, ones = divmod(value, 10)
    return ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (_DIGITS[ones] if ones else "")
