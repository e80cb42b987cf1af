"""Page text as it is printed: lines, small notes set in two columns, and the places that a search found. Pure; the templates escape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from archive.model.item import TextLine
from archive.search.base import Span

Parts = tuple[tuple[str, bool], ...]
"""Text in order, each piece with whether it is a hit. What a template needs to mark without trusting markup."""


class Run(NamedTuple):
    """Text of a page that stands together: where it begins (code points), and the number of the hit that it is part of, from 1; 0 for none."""

    text: str
    hit: int
    start: int


UNSURE = 0.6
"""Machine readings below this confidence are shown paler."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of main text (one half), a small note (one half), or a note in two columns (right, then left)."""

    halves: tuple[tuple[Run, ...], ...]
    note: bool = False


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One printed column. `kind` as in `TextLine`; `unsure` a machine reading of low confidence."""

    pieces: tuple[Piece, ...]
    kind: str = "main"
    unsure: bool = False
    start: int = 0
    """Where it begins in the text of the page."""


def split(text: str, spans: Iterable[Span]) -> Parts:
    """`text` cut at the edges of `spans` (code points; they may touch or overlap, and reach beyond the ends)."""
    hit = [bool(number) for number in _numbers(len(text), spans)]
    return tuple((run.text, bool(run.hit)) for run in _runs(text, hit, 0, len(text)))


def _numbers(length: int, spans: Iterable[Span]) -> list[int]:
    """For each code point the number of the span it is in; of spans that overlap, the later."""
    hit = [0] * length
    for number, span in enumerate(spans, 1):
        for n in range(max(0, span.start), min(length, span.end)):
            hit[n] = number
    return hit


def _runs(text: str, hit: Sequence[int], start: int, stop: int) -> tuple[Run, ...]:
    runs = []
    while start < stop:
        end = start + 1
        while end < stop and hit[end] == hit[start]:
            end += 1
        runs.append(Run(text[start:end], hit[start], start))
        start = end
    return tuple(runs)


def printed(lines: Sequence[TextLine], spans: Iterable[Span], notes: bool) -> tuple[PrintedLine, ...]:
    """The lines of one reading, ready to be set. `spans` count in the lines joined by line feeds; `notes`: brackets are small notes.

    A note may run on over lines; one that is never closed ends with the page. A bracket inside [ ] belongs to the glyph described there.
    """
    text = "\n".join(line.text for line in lines)
    hit = _numbers(len(text), spans)
    found, start, depth = [], 0, 0
    for line in lines:
        pieces: tuple[Piece, ...]
        if notes and line.kind in ("main", "note"):
            pieces, depth = _pieces(text, hit, start, start + len(line.text), depth)
        else:
            pieces = (Piece((_runs(text, hit, start, start + len(line.text)),)),)
        unsure = line.confidence is not None and line.confidence < UNSURE
        found.append(PrintedLine(pieces, line.kind, unsure, start))
        start += len(line.text) + 1
    return tuple(found)


def _pieces(text: str, hit: Sequence[int], start: int, stop: int, depth: int) -> tuple[tuple[Piece, ...], int]:
    """Pieces of `text[start:stop]`, and whether a note (1) is still open at its end."""
    pieces: list[Piece] = []
    begin, glyph = start, 0
    cuts: list[int] = []

    def close(end: int, note: bool) -> None:
        edges = [begin, *cuts, end] if note and len(cuts) == 1 else [begin, end]
        halves = tuple(_runs(text, hit, a + (1 if n else 0), b) for n, (a, b) in enumerate(pairwise(edges)))
        if begin < end:
            pieces.append(Piece(halves, note))

    for n in range(start, stop):
        sign = text[n]
        if sign == "[":
            glyph += 1
        elif sign == "]":
            glyph = max(0, glyph - 1)
        elif glyph:
            continue
        elif sign in "(（" and not depth:
            close(n, note=False)
            begin, cuts, depth = n + 1, [], 1
        elif sign in ")）" and depth:
            close(n, note=True)
            begin, cuts, depth = n + 1, [], 0
        elif sign == "/" and depth:
            cuts.append(n)
    close(stop, note=bool(depth))
    return tuple(pieces), depth
