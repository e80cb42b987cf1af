"""The years of a date as a sheet has it; what cannot be read stays as written."""

from __future__ import annotations

import pytest

from ingest.readers.years import read_date


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("1747", [(1747, 1747)]),
        ("1747-1750", [(1747, 1750)]),
        ("1747年", [(1747, 1747)]),
        ("１９１２年９月８日", [(1912, 1912)]),
        ("民国36年", [(1947, 1947)]),
        ("民國廿二年", [(1933, 1933)]),
        ("民国元年", [(1912, 1912)]),
        ("民国六年(1917)", [(1917, 1917)]),
        ("嘉庆20年[1815]", [(1815, 1815)]),
        ("一九七〇年八月", [(1970, 1970)]),
        ("1970.8", [(1970, 1970)]),
        ("乾隆五十三年", [(1788, 1788)]),
        ("清·道光", [(1821, 1850)]),
        ("70.8", []),
        ("12345", []),
    ],
)
def test_years(written: str, years: list[tuple[int, int]]) -> None:
    date = read_date(written)
    assert date is not None and date.written == written
    assert [(c.first, c.last) for c in date.candidates] == years


def test_nothing_written_is_no_date() -> None:
    assert read_date("  ") is None
