"""Reads a date as written into the years it can mean. What it cannot read it leaves alone; what is ambiguous stays several readings.

    date  = point [ "至" point ]                        康熙元年至六年, 嘉靖–萬曆, 1583..1644
    point = [dynasty] era [ number 年 | 干支 | part ]   清乾隆四十七年, 乾隆壬寅, 萬曆初
          | dynasty [朝 代] [part] | [公元 [前]] digits [年] | 干支 [年]

Signs are told apart after folding, so that script form and variants do not matter. Months and days after a year are passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from archive.chronology import stems
from archive.chronology.eras import Era, era_table, stands_alone
from archive.chronology.numerals import NUMBER, number
from archive.search.chinese import fold

_SPAN = (-206, 1949)
"""Years in which a 干支 alone is looked for: from Han to the Republic."""
_ISO = re.compile(r"(?<!\d)(\d{4})([-./])\d{1,2}(?:\2\d{1,2})?(?!\d)")
_DECIMAL = re.compile(r"(?<=\d)[./](?=\d)")
_BESIDE = re.compile(r"(?<=[\d年])[;,、\s]+(?=\d)")
_TO = re.compile(r"\s*(?:[-—–―~～〜‐－]+|\.{2,}|…+|[至到迄])\s*")
_PART = "(?:年间|年代|之间|间|初年|中叶|中期|末年|初|中|末|朝|年)"
_PAIR = f"[{stems.STEMS}][{stems.BRANCHES}]"
_SEASON = "(?:[孟仲季]?[春夏秋冬][月]?)"
_MONTH = "(?:闰?(?:[正元一二三四五六七八九冬腊]|十[一二]?|[0-9]{1,2})月)"
_DAY = f"(?:[朔望晦]|初?[一二三四五六七八九十廿卅]{{1,3}}日?|[0-9]{{1,2}}日|{_PAIR}日?)"
_TAIL = f"(?:{_SEASON}|{_MONTH}{_DAY}?)?"


@dataclass(frozen=True, slots=True)
class Reading:
    """Astronomical Western years `first` to `last` (inclusive, those in which the lunar years began), and how they were reached.

    `precision` is `year`, `part`, `era`, `dynasty` or `range`; `basis` says the reading in Chinese: 清高宗乾隆四十七年.
    """

    first: int
    last: int
    precision: str
    basis: str
    era: Era | None = None


def read(written: str) -> tuple[Reading, ...]:
    """All that `written` as a whole can mean, in the order of time; empty when some of it is not part of a date."""
    text = _prepared(written)
    match = _point().fullmatch(text)
    if match is not None:
        return _readings(match)
    for at in (found.start() for found in re.finditer("至", text)):
        first, last = _point().fullmatch(text[:at]), _point().fullmatch(text[at + 1 :])
        if first is not None and last is None:
            last = _point().fullmatch(f"{first['era'] or ''}{text[at + 1 :]}")
        if first is not None and last is not None:
            return _spans(_readings(first), _readings(last))
    return ()


def find(written: str) -> tuple[Reading, ...]:
    """The dates inside a statement such as 清乾隆四十七年（1782）刻本, in the order written.

    A reign and a Western year that agree are one date; of several meanings of a reign the one that agrees is kept. A 干支 counts only beside
    an era, since two characters alone are often something else.
    """
    if whole := read(written):
        return whole
    text, found = _prepared(written), list[tuple[Reading, ...]]()
    at = 0
    while (match := _inside().search(text, at)) is not None:
        readings, at = _readings(match), match.end()
        if text[at : at + 1] == "至":
            after = _inside().match(text, at + 1) or _inside().match(f"{text[: at + 1]}{match['era'] or ''}{text[at + 1 :]}", at + 1)
            if after is not None and (spans := _spans(readings, _readings(after))):
                readings, at = spans, min(after.end(), len(text)) if after.string is text else at + 1
        if readings:
            found.append(readings)
    return tuple(dict.fromkeys(reading for readings in _agreeing(found) for reading in readings))


def _prepared(written: str) -> str:
    text = unicodedata.normalize("NFKC", written)
    text = _BESIDE.sub("y", _DECIMAL.sub("x", _ISO.sub(r"\1年", text)))  # folding would make 708 of 70.8
    return fold(_TO.sub("至", text))


@cache
def _patterns() -> tuple[str, str]:
    table = era_table()
    eras = "|".join(sorted(map(re.escape, table.by_name), key=len, reverse=True))
    dynasties = "|".join(sorted(map(re.escape, table.members), key=len, reverse=True))
    return eras, dynasties


def _pattern(era_number: str) -> str:
    eras, dynasties = _patterns()
    return (
        f"(?:中华)?(?:(?P<of>{dynasties})[朝代]?)?(?P<ruler>[^\\W\\d_]{{1,3}}[帝宗祖王主公])??(?P<era>{eras})"
        f"(?:(?P<number>{NUMBER}){era_number}(?:[(]?{_PAIR}[)]?[年岁]?)?{_TAIL}|(?P<pair>{_PAIR})[年岁]?{_TAIL}|(?P<part>{_PART}))?"
    )


@cache
def _point() -> re.Pattern[str]:
    """One point of time, the whole string."""
    dynasties = _patterns()[1]
    return re.compile(
        f"(?:{_pattern('年?')}"
        f"|(?P<dynasty>{dynasties})(?P<kind>[朝代])?(?P<third>{_PART})?"
        f"|(?:公元|西元|公历)?(?P<before>前)?(?P<western>[0-9]{{1,4}}|[〇零○一二三四五六七八九]{{4}})(?:年(?P<decade>代)?)?{_TAIL}"
        f"|(?:岁次|岁在)?(?P<alone>{_PAIR})[年岁]?{_TAIL})"
    )


@cache
def _inside() -> re.Pattern[str]:
    """One point of time within other words: only what cannot well be anything else."""
    dynasties = _patterns()[1]
    return re.compile(
        f"(?:{_pattern('年')}"
        f"|(?P<dynasty>{dynasties})(?P<kind>[朝代])(?P<third>{_PART})?"
        f"|(?P<before>(?:公元|西元|公历)前)?(?<![0-9x])(?P<western>(?:(?<=公元)[0-9]{{1,3}}(?=年)|(?<=元前)[0-9]{{1,3}}(?=年)|(?:1[0-9]|20)[0-9]{{2}}(?![0-9x])"
        f"|[一二][〇零○一二三四五六七八九]{{3}}(?=年)))(?:年(?P<decade>代)?)?{_TAIL}"
        f"|(?P<alone>(?!))(?:))"
    )


def _readings(match: re.Match[str]) -> tuple[Reading, ...]:
    if match["era"]:
        return tuple(_in_era(match))
    if match["dynasty"]:
        return tuple(_in_dynasty(match["dynasty"], match["kind"], match["third"]))
    if match["western"]:
        value = number(match["western"]) or 0
        year = 1 - value if match["before"] else value
        last = year + 9 if match["decade"] and not match["before"] and value % 10 == 0 else year
        basis = f"公元{'前' if match['before'] else ''}{value}年{match['decade'] or ''}"
        return (Reading(year, last, "year" if last == year else "part", basis),) if value else ()
    if match["alone"]:
        return tuple(Reading(year, year, "year", match["alone"]) for year in stems.years_of(match["alone"], *_SPAN))
    return ()


def _in_era(match: re.Match[str]) -> Iterator[Reading]:
    table = era_table()
    members = table.members[match["of"]] if match["of"] else None
    uses = [era for era in table.by_name[match["era"]] if members is None or era.dynasty in members]
    if match["number"]:
        value = number(match["number"])
        for era in uses:
            year = era.year(value) if value is not None else None
            if year is not None:
                yield Reading(year, year, "year", f"{_named(era)}{match['number']}年", era)
    elif match["pair"]:
        for era in uses:
            for year in stems.years_of(match["pair"], era.first, era.last):
                yield Reading(year, year, "year", f"{_named(era)}{match['pair']}（{year - era.zero}年）", era)
    else:
        for era in _merged(uses):
            first, last, whole = _third(era.first, era.last, match["part"])
            yield Reading(first, last, "era" if whole else "part", f"{_named(era)}{match['part'] or ''}", era)


def _named(era: Era) -> str:
    return era.name if era.dynasty == "民國" else f"{era.dynasty}{era.ruler}{era.name}"


def _merged(uses: list[Era]) -> Iterator[Era]:
    """An era that one ruler took over from another is one stretch of time."""
    last: Era | None = None
    for era in uses:
        if last is not None and last.zero == era.zero and last.dynasty == era.dynasty:
            last = replace(last, last=era.last)
            continue
        if last is not None:
            yield last
        last = era
    if last is not None:
        yield last


def _in_dynasty(name: str, kind: str | None, part: str | None) -> Iterator[Reading]:
    if kind is None and part is None and not stands_alone(name):
        return
    table = era_table()
    spans = sorted((table.dynasties[dynasty], dynasty) for dynasty in table.members[name])
    joined: list[tuple[int, int]] = []
    for (first, last), _dynasty in spans:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    for first, last in joined:
        begin, end, whole = _third(first, last, part)
        yield Reading(begin, end, "dynasty" if whole else "part", f"{name}{kind or ''}{part or ''}")


def _third(first: int, last: int, part: str | None) -> tuple[int, int, bool]:
    """初, 中 and 末 as the thirds of a span, each one third of its years, at least one."""
    size = max(1, -(-(last - first + 1) // 3))
    if part and part[0] == "初":
        return first, min(last, first + size - 1), False
    if part and part[0] == "末":
        return max(first, last - size + 1), last, False
    if part and part[0] == "中":
        return min(last, first + size), max(first, last - size), False
    return first, last, True


def _spans(first: tuple[Reading, ...], last: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """From each beginning to the nearest end after it."""
    found = []
    for begin in first:
        ends = [end for end in last if end.last >= begin.first]
        if ends:
            end = min(ends, key=lambda end: end.last)
            found.append(Reading(begin.first, end.last, "range", f"{begin.basis}至{end.basis}", begin.era))
    return tuple(found)


def _agreeing(found: list[tuple[Reading, ...]]) -> list[tuple[Reading, ...]]:
    """Where a reign and a Western year stand beside each other and agree, only the readings that agree."""
    kept = list(found)
    for at in range(len(kept) - 1):
        one, two = kept[at], kept[at + 1]
        if not one or not two or bool(one[0].era) == bool(two[0].era):
            continue
        reigns, western = (one, two) if one[0].era else (two, one)
        agreeing = tuple(r for r in reigns if any(r.first - 1 <= w.first <= r.last + 1 for w in western))
        if agreeing:
            same = all(any((r.first, r.last) == (w.first, w.last) for r in agreeing) for w in western)
            kept[at : at + 2] = [agreeing, () if same else western] if one[0].era else [() if same else western, agreeing]
    return [readings for readings in kept if readings]
