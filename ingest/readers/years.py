"""The date of a sheet's cell: as written, with the years that it can mean. What is written is always kept."""

from __future__ import annotations

from archive.chronology.reading import find
from archive.model.dates import HistoricalDate, Interval


def read_date(written: str) -> HistoricalDate | None:
    """`written` with the years it names: 1747, 1747-1750, 民国36年, 清乾隆四十七年刻本. The date named first comes first. None when empty."""
    written = written.strip()
    if not written:
        return None
    candidates = (Interval(reading.first, reading.last, reading.precision, reading.basis) for reading in find(written))
    return HistoricalDate(written, tuple(candidates))
