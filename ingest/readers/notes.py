"""Small double-column notes and headings in the text of a leaf, for profiles with `layout.notes`.

The text is kept as written, brackets and all: search and page show know the marks. What is read here is which columns are notes or
headings throughout, and whether every note closes. `（…）` and `(right/left)` are notes (further slashes are 提行), `︹…︺` is a heading,
and a bracket inside `[…]` belongs to the glyph it describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_OPEN, _CLOSE = "(（", ")）"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one line: from `start` to before `end` (code points), `main`, `note` or `heading`. Marks belong to their run."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """The lines of one leaf as runs. `open_from` is the line (from 0) where a note begins that does not close here, else None.

    `continues` is True when the leaf begins inside a note of the leaf before; `stray` counts closing brackets that nothing opened.
    """

    lines: tuple[tuple[Run, ...], ...]
    open_from: int | None = None
    continues: bool = False
    stray: int = 0

    def kind(self, line: int) -> str:
        """`note` or `heading` when nothing else stands on the line, else `main`."""
        kinds = {run.kind for run in self.lines[line]}
        return kinds.pop() if len(kinds) == 1 else "main"


class _Reader:
    def __init__(self, inside: bool) -> None:
        self.depth = 1 if inside else 0
        self.heading = False
        self.opened: int | None = 0 if inside else None
        self.stray = 0

    @property
    def kind(self) -> str:
        return "heading" if self.heading else "note" if self.depth else "main"

    def line(self, number: int, text: str) -> tuple[Run, ...]:
        runs: list[Run] = []
        start = 0

        def cut(end: int, kind: str) -> None:
            nonlocal start
            if end > start:
                runs.append(Run(kind, start, end))
            start = end

        position = 0
        while position < len(text):
            character = text[position]
            if character == "[" and (end := text.find("]", position)) > 0:
                position = end
            elif character in _OPEN:
                if not self.depth:
                    cut(position, self.kind)
                    self.opened = number
                self.depth += 1
            elif character in _CLOSE:
                if not self.depth:
                    self.stray += 1
                else:
                    self.depth -= 1
                    if not self.depth:
                        cut(position + 1, "note")
            elif character == "︹" and not self.depth:
                cut(position, self.kind)
                self.heading = True
            elif character == "︺" and self.heading:
                cut(position + 1, "heading")
                self.heading = False
            position += 1
        cut(len(text), self.kind)
        self.heading = False  # a heading never runs on into the next column
        return tuple(runs)


def read_leaf(lines: Sequence[str], inside: bool = False) -> Leaf:
    """The runs of one leaf; `inside` when a note of the leaf before has not closed."""
    reader = _Reader(inside)
    runs = tuple(reader.line(number, line) for number, line in enumerate(lines))
    return Leaf(runs, reader.opened if reader.depth else None, inside, reader.stray)


def read_leaves(leaves: Sequence[Sequence[str]]) -> tuple[tuple[Leaf, ...], tuple[int, ...], tuple[int, ...]]:
    """Consecutive leaves of one work; then the indices of leaves at whose end an unclosed note was ended, and of leaves with stray closing brackets.

    A note may run on into the next leaf, not further: a typist forgot the bracket, and all the rest would read as small print.
    """
    read: list[Leaf] = []
    ended: list[int] = []
    inside = False
    for index, lines in enumerate(leaves):
        leaf = read_leaf(lines, inside)
        if inside and leaf.open_from is not None and leaf.open_from == 0 and not _reopens(lines):
            ended.append(index)
            inside = False
        else:
            inside = leaf.open_from is not None
        read.append(leaf)
    if inside:
        ended.append(len(leaves) - 1)
    return tuple(read), tuple(ended), tuple(i for i, leaf in enumerate(read) if leaf.stray)


def _reopens(lines: Sequence[str]) -> bool:
    """True when the note that is open at the end of the leaf began on it, after the one it came with had closed."""
    text = "\n".join(lines)
    first_close = min((text.find(c) for c in _CLOSE if c in text), default=-1)
    return first_close >= 0 and any(text.find(c, first_close) >= 0 for c in _OPEN)
