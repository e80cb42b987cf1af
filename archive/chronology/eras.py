"""The table of reign eras (`eras.tsv`), by folded name. Facts typed by us; who else has computed them is only compared with, never copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.search.chinese import fold


@dataclass(frozen=True, slots=True)
class Era:
    """One ruler's use of an era. `first` and `last` are Western years in which its lunar years began; `zero + n` is year n, also for a ruler
    who went on counting the years of the one before."""

    dynasty: str
    ruler: str
    name: str
    first: int
    last: int
    source: str
    zero: int

    def year(self, number: int) -> int | None:
        """The Western year of year `number`; None when this use of the era has no such year."""
        year = self.zero + number
        return year if self.first <= year <= self.last else None


@dataclass(frozen=True, slots=True)
class EraTable:
    """Eras by folded name, in the order of time; dynasties by folded name with the years they held an era."""

    eras: tuple[Era, ...]
    by_name: Mapping[str, tuple[Era, ...]]
    dynasties: Mapping[str, tuple[int, int]]
    members: Mapping[str, frozenset[str]]
    """Folded dynasty as written to the dynasties of the table that it can mean: 宋 is 北宋, 南宋 and 刘宋."""


_ALSO = {
    "汉": ("西漢", "東漢", "蜀漢"),
    "前汉": ("西漢",),
    "后汉": ("東漢", "後漢"),
    "魏": ("曹魏", "北魏", "東魏", "西魏"),
    "后魏": ("北魏",),
    "蜀": ("蜀漢", "前蜀", "後蜀"),
    "吴": ("孫吳", "南吳"),
    "晋": ("西晉", "東晉", "後晉"),
    "宋": ("北宋", "南宋", "劉宋"),
    "齐": ("南齊", "北齊"),
    "周": ("北周", "武周", "後周", "周"),
    "大周": ("武周",),
    "蜀汉": ("蜀漢",),
    "国朝": ("清",),
    "皇清": ("清",),
    "大清": ("清",),
    "皇明": ("明",),
    "大明": ("明", "南明"),
    "明": ("明", "南明"),
    "大元": ("元",),
    "清": ("清", "後金"),
}
"""Shorter and other names of dynasties, folded."""
_NOT_ALONE = frozenset({"魏", "蜀", "吴", "晋", "齐", "周", "新", "梁", "陈", "夏", "闽", "汉", "宋", "代"})
"""Names that several dynasties, places or surnames share: read beside an era, and alone only with 朝 or 代 after them."""


@cache
def era_table() -> EraTable:
    """The table, read once. Raises ValueError naming the line that is wrong."""
    eras = []
    for number, line in enumerate((Path(__file__).parent / "eras.tsv").read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            eras.append(_era(line, number))
    by_name: dict[str, tuple[Era, ...]] = {}
    spans: dict[str, tuple[int, int]] = {}
    for era in sorted(eras, key=lambda era: era.first):
        by_name[fold(era.name)] = (*by_name.get(fold(era.name), ()), era)
        first, last = spans.get(era.dynasty, (era.first, era.last))
        spans[era.dynasty] = (min(first, era.first), max(last, era.last))
    members = {fold(dynasty): frozenset({dynasty}) for dynasty in spans}
    members |= {fold(name): frozenset(dynasties) for name, dynasties in _ALSO.items()}
    return EraTable(tuple(eras), by_name, spans, members)


def stands_alone(dynasty: str) -> bool:
    """True for a dynasty's folded name that means the time without 朝 or 代 after it."""
    return dynasty not in _NOT_ALONE


def _era(line: str, number: int) -> Era:
    dynasty, ruler, name, first, last, source, *began = line.split("\t")
    era = Era(dynasty, ruler, name, int(first), int(last), source, int(began[0] if began else first) - 1)
    if era.last < era.first or era.zero >= era.first:
        raise ValueError(f"eras.tsv:{number}: {name} {first}–{last}: the years are the wrong way round")
    return era
