"""Reading and folding Chinese text once more, the plain way, for proofs: written from the rules, not from `archive.search`.

A text becomes numbers, one a character: its code point, or for a glyph that no font has (`&KR1234;`, an ideographic description, `[車*犬]`) a
number beyond Unicode. The fold tables are the archive's data; following them is done here.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

TABLES = Path(__file__).parents[2] / "archive" / "search"
BEYOND = 0x110000
"""The first number of a glyph."""

KNOWN = BEYOND + 0x100000
"""The first number of a glyph of the table of known ones, in its order."""

_TOKEN = re.compile(r"(&KR[0-9]{1,6};)|(\[[^\[\]\sA-Za-z0-9，。、；：]{2,40}\])|([\u2ff0-\u2fff\u31ef])|([(（])|([)）])")
_THREE, _ONE = "\u2ff2\u2ff3", "\u2ffe\u2fff"
_SIGNS = "〇□〓"
_RANGES = ("\u2e80\u2fff", "\u31c0\u31ef", "\u4dc0\u4dff", "\u2630\u2637")


class PlainReader:
    """Texts to numbers; it remembers the number of every glyph it met."""

    def __init__(self) -> None:
        self.glyphs: dict[str, int] = {}

    def read(self, text: str, notes: bool = True, carried: bool = False) -> tuple[list[int], list[bool], bool]:
        """The characters, whether each is in a small note, and whether a note is left open at the end (never one that was `carried` in)."""
        numbers: list[int] = []
        noted: list[bool] = []
        inside, opened = carried and notes, False
        for number, bracket in self._tokens(text):
            if bracket is None:
                numbers.append(number)
                noted.append(inside)
            elif notes:
                inside = opened = bracket
        return numbers, noted, inside and opened

    def _tokens(self, text: str) -> Iterator[tuple[int, bool | None]]:
        """Characters that count, and brackets (True: one opens)."""
        at = 0
        while at < len(text):
            match = _TOKEN.search(text, at)
            for char in text[at : match.start() if match else None]:
                if (kept := _kept(char)) is not None:
                    yield kept, None
            if match is None:
                return
            at = match.end()
            if match[4] or match[5]:
                yield 0, bool(match[4])
            elif match[1]:
                yield self._glyph(f"&KR{int(match[1][3:-1])};"), None
            elif match[2]:
                if re.search(r"[*@+/-]", match[2]) and any(_kept(char) is not None for char in match[2][1:-1]):
                    yield self._glyph(match[2]), None
                else:
                    at = match.start() + 1
            elif (end := _description_end(text, match.start())) is not None:
                yield self._glyph(text[match.start() : end]), None
                at = end

    def _glyph(self, markup: str) -> int:
        known = known_glyphs()
        number = KNOWN + list(known).index(markup) if markup in known else BEYOND + len(self.glyphs)
        return self.glyphs.setdefault(markup, number)

    def typed(self, numbers: list[int]) -> str:
        """Characters as a reader types them."""
        markups = {number: markup for markup, number in self.glyphs.items()}
        return "".join(markups[number] if number >= BEYOND else chr(number) for number in numbers)


def _description_end(text: str, start: int) -> int | None:
    """Where the ideographic description at `start` ends, None when it is cut short."""
    missing, at = 1, start
    while missing and at < len(text) and at < start + 32:
        char = text[at]
        if "\u2ff0" <= char <= "\u2fff" or char == "\u31ef":
            missing += 2 if char in _THREE else 0 if char in _ONE else 1
        elif _kept(char) is None:
            return None
        else:
            missing -= 1
        at += 1
    return None if missing else at


@functools.cache
def _kept(char: str) -> int | None:
    """The half-width code point of a character that counts; None for layout."""
    if "\uff00" < char < "\uffef" and len(plain := unicodedata.normalize("NFKC", char)) == 1:
        char = plain
    category = unicodedata.category(char)
    counts = (
        category[0] in "LN"
        or category == "Co"
        or char in _SIGNS
        or (category != "Cn" and any(first <= char <= last for first, last in _RANGES))
        or (category != "Cn" and "\u3200" <= char <= "\u33ff" and len(unicodedata.normalize("NFKC", char)) == 1)
        or (category == "Cn" and "\U00020000" <= char <= "\U0003ffff")
    )
    return ord(char) if counts else None


@functools.cache
def fold_table() -> dict[str, str]:
    """Each character of the tables to the form it folds to: both tables followed to their end, the reviewed one first at every step."""
    reviewed, derived = _rows("variants.tsv"), _rows("fold.tsv")

    def end(char: str) -> str:
        seen = [char]
        while (step := reviewed.get(char) or derived.get(char)) is not None and step not in seen:
            seen.append(char := step)
        return char

    return {char: end(char) for char in (*reviewed, *derived)}


@functools.cache
def known_glyphs() -> dict[str, str]:
    """Marks of glyphs, as read, to the characters they are."""
    rows = _rows("gaiji.tsv")
    return {re.sub(r"&KR0*([0-9]+);", r"&KR\1;", mark): char for mark, char in rows.items()}


def _rows(name: str) -> dict[str, str]:
    lines = [line.split("\t") for line in (TABLES / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {line[0]: line[1] for line in lines}


@functools.cache
def folded(number: int) -> int:
    """The folded form of one character: narrowed and small, without accent on a Latin letter, by the tables."""
    if number >= KNOWN:
        return folded(ord(list(known_glyphs().values())[number - KNOWN]))
    if number >= BEYOND:
        return number
    char = chr(number)
    for change in (functools.partial(unicodedata.normalize, "NFKC"), str.lower):
        char = changed if len(changed := change(char)) == 1 else char
    base = unicodedata.normalize("NFD", char)[0]
    if base.isascii() and base.isalpha():
        char = base.lower()
    return ord(fold_table().get(char, char))
