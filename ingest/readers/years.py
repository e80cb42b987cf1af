"""The least that is read of a date until `archive.chronology` exists: Western years and 民国 years. What is written is always kept."""

from __future__ import annotations

import re
import unicodedata

from archive.model.dates import HistoricalDate, Interval
from ingest.readers.order import chinese_number

_WESTERN = r"(?<![\d.])(1[0-9]\d\d|20\d\d)(?!\d)"
_RANGE = re.compile(rf"{_WESTERN}\s*年?\s*(?:[-—–~～至到]+)\s*(1[0-9]\d\d|20\d\d)(?!\d)")
_YEAR = re.compile(_WESTERN)
_DIGITS = re.compile(r"([一二][〇零○一二三四五六七八九]{3})年")
_REPUBLIC = re.compile(r"(?:民国|民國)\s*([〇零一二三四五六七八九十廿卅百\d元]{1,4})\s*年")


def read_date(written: str) -> HistoricalDate | None:
    """`written` with the years it names for certain: 1747, 1747-1750, 一九七〇年, 民国36年. Reign years are left unread. None when empty."""
    written = written.strip()
    if not written:
        return None
    text = unicodedata.normalize("NFKC", written)
    span = _RANGE.search(text)
    if span:
        first, last = sorted((int(span[1]), int(span[2])))
        return HistoricalDate(written, (Interval(first, last, "range", "western"),))
    years = [int(match[1]) for match in _YEAR.finditer(text)]
    years += [value for match in _DIGITS.finditer(text) if (value := chinese_number(match[1].replace("○", "〇")))]
    basis = "western"
    if not years:
        basis = "republic"
        for match in _REPUBLIC.finditer(text):
            number = 1 if match[1] == "元" else chinese_number(match[1])
            years += [1911 + number] if number and number < 120 else []
    candidates = tuple(Interval(year, year, "year", basis) for year in dict.fromkeys(years))
    return HistoricalDate(written, candidates)
