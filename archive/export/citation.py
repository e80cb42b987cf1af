"""Citations 参照 GB/T 7714-2025 (in force since 2026-07-01) and, as a switch, GB/T 7714-2015, for things read online.

Where the editions differ for us: 2025 prints ， ： （ ） full-width and `.` `[ ]` half-width (§6) where 2015's are half-width throughout; 2025 gives
the day of access for web resources only, 2015 for everything online; 2025 has a form of its own for archives: 档号 with the title, then who keeps it
and when it was made (§8.12). In both a missing place or publisher of something online is left out (7.5.2.3, 7.5.3.3), a missing author too (7.1.3).
Paragraph numbers are those of the 2025 edition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.export.reference import ARCHIVE, ONLINE, Reference, Year

EDITIONS = ("2025", "2015")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_MOST = 3
"""Names that are printed; more are 等 (7.1.2)."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """The signs between elements (§6)."""

    colon: str
    comma: str
    opening: str
    closing: str


_WIDE = _Signs("：", "，", "（", "）")
_NARROW = _Signs(": ", ", ", "(", ")")


def gbt7714(given: Reference, edition: str = "2025") -> str:
    """The reference as one line; `edition` is `2025` or `2015`. The language is the work's, whatever the reader's."""
    signs = _WIDE if edition == "2025" and _HAN.search(given.title) else _NARROW
    head = [_names(given.authors, signs), _title(given, signs) + f"[{given.code}/OL]"]
    if given.code == ONLINE:
        tail = [_online(given, signs), given.link]
    else:
        day = f"[{given.accessed}]" if edition == "2015" else ""
        tail = [_others(given, signs), given.edition, _published(given, signs) + day, given.link]
    return ". ".join(_open(element) for element in (*head, *tail) if element) + "."


def _open(element: str) -> str:
    """An element without the full stop that the next sign brings."""
    return element[:-1] if element.endswith(".") and not element.endswith("..") else element


def _title(given: Reference, signs: _Signs) -> str:
    """Title, then what tells more of it: 卷 or 册, a passage, and of archives the 档号 (7.2.3, 8.12)."""
    number = given.number if given.code == ARCHIVE else ""
    return signs.colon.join(part for part in (given.title, given.part, given.passage, number) if part)


def _names(names: tuple[str, ...], signs: _Signs) -> str:
    shown = list(names[:_MOST])
    if len(names) > _MOST:
        shown.append("等" if any(_HAN.search(name) for name in names) else "et al")
    return signs.comma.join(shown)


def _others(given: Reference, signs: _Signs) -> str:
    """`某甲，修；某乙，校`: those who did something else (7.1), one group for each kind of work."""
    roles = dict.fromkeys(role for _name, role in given.others)
    groups = [_names(tuple(n for n, r in given.others if r == role), signs) + signs.comma + role for role in roles]
    return ". ".join(groups)


def _published(given: Reference, signs: _Signs) -> str:
    """Publisher (of archives: keeper), date, place in the work."""
    who = given.holder if given.code == ARCHIVE else given.publisher
    when = _date(given.date, signs)
    published = signs.comma.join(part for part in (who, when) if part)
    return signs.colon.join(part for part in (published, given.at) if part)


def _online(given: Reference, signs: _Signs) -> str:
    """`（1982）[2026-11-22]`: when it was made, when it was heard (8.11)."""
    when = _date(given.date, signs)
    return (f"{signs.opening}{when}{signs.closing}" if when else "") + f"[{given.accessed}]"


def _date(given: Year, signs: _Signs) -> str:
    """`1788（乾隆五十三年）` (7.5.4.1)."""
    if given.western and given.printed:
        return f"{given.western}{signs.opening}{given.printed}{signs.closing}"
    return given.western or given.printed
