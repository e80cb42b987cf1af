"""A leaf found by what it is called: `12` (its place), `卷三叶十二下`, `3.12b`, the donor's own label. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from archive.model.folios import Side
from archive.services.reading import PageSummary

_DIGITS = {sign: n for n, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SIDES = {"a": Side.RECTO, "上": Side.RECTO, "b": Side.VERSO, "下": Side.VERSO}
_ONE_SPELLING = str.maketrans({"冊": "册", "葉": "叶", "頁": "叶", "页": "叶", "巻": "卷", "·": ".", "第": None})
_ASKED = re.compile(
    r"(?:册(?P<ce>[^册卷叶.]+)|(?P<ce_too>[^册卷叶.]+)册)?[.]?(?:卷(?P<juan>[^卷叶.]+)|(?P<juan_too>[^卷叶.]+)[.])?[.]?"
    r"(?:叶?(?P<ye>[^册卷叶.]+?)叶?(?P<side>[ab上下])?面?)?"
)


def find(wanted: str, pages: Sequence[PageSummary]) -> str | None:
    """The id of the page meant, None when there is none. A bare number is a place in the item, or `影像第 N 面`."""
    asked = unicodedata.normalize("NFKC", wanted).casefold().translate(_ONE_SPELLING)
    for english, chinese in (("juan", "卷"), ("leaf", "叶"), ("ce", "册"), ("image", ""), ("影像", "")):
        asked = asked.replace(english, chinese)
    asked = re.sub(r"[\s,，、]", "", asked).strip(".")
    if not asked:
        return None
    if place := re.fullmatch(r"([0-9]{1,7})面?", asked):
        number = int(place[1])
        return pages[number - 1].id if 1 <= number <= len(pages) else None
    labelled = next((page.id for page in pages if page.label and page.label.casefold() == wanted.casefold()), None)
    return labelled or _by_folio(asked, pages)


def _by_folio(asked: str, pages: Sequence[PageSummary]) -> str | None:
    match = _ASKED.fullmatch(asked)
    if match is None:
        return None
    ce, juan, ye = match["ce"] or match["ce_too"], match["juan"] or match["juan_too"], match["ye"]
    side = _SIDES.get(match["side"] or "")
    for page in pages:
        printed = page.printed
        if printed is None or (side is not None and printed.side is not side):
            continue
        if _same(ce, printed.ce) and _same(juan, printed.juan) and _same(ye, printed.ye):
            return page.id
    return None


def _same(asked: str | None, printed: str | None) -> bool:
    """True when nothing was asked, or the same number in whatever digits."""
    return not asked or (printed is not None and _number(asked) == _number(unicodedata.normalize("NFKC", printed).casefold()))


def _number(text: str) -> int | str:
    """十二, 一二 and 12 are 12; what is no number (首, 末) stays as it is."""
    if text.isascii() and text.isdigit():
        return int(text)
    if all(sign in _DIGITS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, digit = 0, 0
    for sign in text.replace("廿", "二十").replace("卅", "三十"):
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[sign], 0
        else:
            return text
    return total + digit
