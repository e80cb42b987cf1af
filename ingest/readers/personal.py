"""Finds ID and telephone numbers in sheets and texts. Says how many of which kind, never which: a finding must not spread them."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import Counter

from archive.language import _
from archive.model.donation import Finding, Severity

ID = "id"
MOBILE = "mobile"
LANDLINE = "landline"

_PROVINCES = frozenset(
    map(str, [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91])
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID = re.compile(r"(?<![0-9A-Za-z.])(\d{17}[0-9Xx]|\d{15})(?![0-9A-Za-z]|\.\d)")
_NAMED_ID = re.compile(r"身[份分][证證]\D{0,8}(\d{17}[0-9Xx]|\d{15})(?![0-9A-Za-z])")
_MOBILE = re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?1[3-9]\d(?:\d{8}|([- ])\d{4}\1\d{4})(?![0-9A-Za-z]|\.\d)")
_LANDLINE = re.compile(r"(?<![0-9A-Za-z.-])(?:\(0\d{2,3}\)[- ]?|0\d{2,3}-)[2-9]\d{6,7}(?![0-9A-Za-z]|-\d{5})")
_NAMED_PHONE = re.compile(r"(?:电话|電話|手机|手機|座机|传真|tel|phone)[^\d\n]{0,6}([2-9]\d{6,7}|1\d{10})(?!\d)", re.IGNORECASE)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return datetime.date(year, month, day) <= datetime.date(2200, 1, 1) and year >= 1850
    except ValueError:
        return False


def is_id_number(text: str) -> bool:
    """True for an 18-digit citizen ID number (GB 11643-1999: province, day of birth, check digit) or one of 15 digits as before 1999."""
    if text[:2] not in _PROVINCES:
        return False
    if len(text) == 15:
        return text.isdigit() and _is_day(1900 + int(text[6:8]), int(text[8:10]), int(text[10:12]))
    if not re.fullmatch(r"\d{17}[0-9Xx]", text) or not _is_day(int(text[6:10]), int(text[10:12]), int(text[12:14])):
        return False
    check = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)) % 11
    return "10X98765432"[check] == text[-1].upper()


def personal_numbers(text: str) -> tuple[str, ...]:
    """The kind (`id`, `mobile`, `landline`) of each ID and telephone number in `text`.

    An ID number counts when province, birthday and check digit are right, or when the words 身份证 stand before it.
    """
    text = unicodedata.normalize("NFKC", text)
    if not re.search(r"\d{7}|\d[- ]\d{4}", text):
        return ()
    spans: dict[int, str] = {}
    for match in _ID.finditer(text):
        if is_id_number(match[1]):
            spans[match.start(1)] = ID
    for match in _NAMED_ID.finditer(text):
        spans[match.start(1)] = ID
    for match in _MOBILE.finditer(text):
        spans[match.start()] = MOBILE
    for match in _LANDLINE.finditer(text):
        spans[match.start()] = LANDLINE
    for match in _NAMED_PHONE.finditer(text):
        spans.setdefault(match.start(1), MOBILE if len(match[1]) == 11 else LANDLINE)
    return tuple(kind for _start, kind in sorted(spans.items()))


def personal_finding(path: str, kinds: Counter[str]) -> Finding | None:
    """The finding `personal-numbers` about a file, with counts only; None when there are none."""
    if not kinds.total():
        return None
    telephones = kinds[MOBILE] + kinds[LANDLINE]
    message = _(
        "含身份证号 %(ids)d 个、电话号码 %(telephones)d 个。文件只供馆员，内容不进检索；请核实后决定可否开放。",
        ids=kinds[ID],
        telephones=telephones,
    )
    return Finding(Severity.WARNING, "personal-numbers", path, message, path=path)
