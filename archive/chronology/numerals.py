"""Chinese numbers as they stand in dates, folded to simplified: 四十七, 廿三, 卅一, 一七八二, 百廿, 元, 36."""

from __future__ import annotations

import re

NUMBER = r"(?:元|[0-9]{1,4}|[〇零○一二三四五六七八九十廿卅卌百两]{1,7})"
"""A number in a date, as a pattern; `number` reads it."""
_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "两": 2}
_TENS = {"廿": 20, "卅": 30, "卌": 40}
_SHAPE = re.compile(r"(?:([一二两三四五六七八九])?百零?)?(?:([一二三四五六七八九])?(十)|([廿卅卌])十?)?([一二三四五六七八九])?")


def number(text: str) -> int | None:
    """The value of `text`; 元 is 1, digits in a row are read as digits. None when it is no number."""
    if text == "元":
        return 1
    if text.isascii() and text.isdigit():
        return int(text)
    if len(text) > 1 and all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    match = _SHAPE.fullmatch(text)
    if not text or match is None:
        return 0 if text in ("〇", "零", "○") else None
    hundreds, tens, ten, twenty, ones = match.groups()
    value = 100 * _DIGITS.get(hundreds or "一", 1) if "百" in text else 0
    value += 10 * _DIGITS[tens] if tens else 10 if ten else 0
    value += _TENS[twenty] if twenty else 0
    return value + (_DIGITS[ones] if ones else 0)
