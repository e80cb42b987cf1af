"""The sixty 干支: a year's place in the cycle is (astronomical Western year − 4) mod 60, 甲子 being 0."""

from __future__ import annotations

import math

STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
NAMES = tuple(STEMS[place % 10] + BRANCHES[place % 12] for place in range(60))
PLACES = {name: place for place, name in enumerate(NAMES)}


def name_of(year: int) -> str:
    """The 干支 of the lunar year that began in a Western year."""
    return NAMES[(year - 4) % 60]


def years_of(name: str, first: int, last: int) -> tuple[int, ...]:
    """All years first..last (inclusive) of that name; none for a pair that the cycle does not have (甲丑)."""
    if name not in PLACES:
        return ()
    begin = first + (PLACES[name] + 4 - first) % 60
    return tuple(range(begin, last + 1, 60))


assert len(PLACES) == math.lcm(10, 12)
