"""What a reader quotes of a page: running text, small notes in （…）, exactly the characters that were chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archive.model.item import TextLine
from archive.model.placing import Box, character_boxes

_HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


def quotation(text: str, start: int, end: int, *, notes: bool) -> str:
    """Code points `start` to before `end` of a page's text as one runs it on: lines joined, indentation gone, a slash of a note too.

    `notes`: brackets hold small notes, `(right/left)`; one that begins or ends outside the choice is closed within it. A bracket inside [ ]
    belongs to the glyph described there.
    """
    found: list[str] = []
    glyph, inside, began = 0, False, False
    for n, sign in enumerate(text[:end]):
        chosen = n >= start
        if chosen and not began:
            began = True
            if inside and not (sign in ")）" and not glyph):
                found.append("（")
        glyph = max(0, glyph + (sign == "[") - (sign == "]"))
        mark = notes and not glyph
        if mark and not inside and sign in "(（":
            inside, sign = True, "（"
        elif mark and inside and sign in ")）":
            inside, sign = False, "）"
            if chosen and not found:
                sign = ""
        elif mark and inside and sign == "/":
            sign = ""
        if chosen:
            found.append(sign)
    if inside and began:
        found.append("）")
    return re.sub("（）", "", _run_on("".join(found)))


def _run_on(text: str) -> str:
    """Lines joined: nothing between Chinese characters, a space between words."""
    joined = ""
    for line in text.split("\n"):
        line = line.strip(" \t\u3000")
        if joined and line and not (_HAN.match(joined[-1]) or _HAN.match(line[0])):
            joined += " "
        joined += line
    return joined


def within(lines: Sequence[TextLine], region: Box, *, notes: bool) -> tuple[tuple[int, int], ...]:
    """Stretches of the page's text, code points from start to before end, whose characters have their middle in a region; what has no box goes along
    with the characters on both sides of it. Empty when no box is known there."""
    left, top, width, height = region
    found: list[tuple[int, int]] = []
    at = 0
    for line in lines:
        start = end = None
        for n, box in enumerate(character_boxes(line, notes=notes)):
            if box is None:
                continue
            x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
            if left <= x <= left + width and top <= y <= top + height:
                start, end = at + n if start is None else start, at + n + 1
            elif start is not None and end is not None:
                found.append((start, end))
                start = end = None
        if start is not None and end is not None:
            found.append((start, end))
        at += len(line.text) + 1
    return tuple(found)
