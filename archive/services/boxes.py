"""Boxes for text that came without: a donor's lines placed on the page image by what a machine found there, when the page is opened.

The text itself is never touched. What was found (`derivatives/page_lines.py`) stays good when the text is corrected: the lines are placed anew, and those
that did not change stand where they stood. A page that also has a reading with boxes (ALTO, machine reading) needs nothing more than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archive.derivatives.registry import RECIPES
from archive.derivatives.store import DerivativeStore
from archive.model.item import Page, TextLine, TextVersion
from archive.model.placing import Box, character_boxes
from archive.search.chinese import fold_characters

if TYPE_CHECKING:
    from archive.derivatives.alignment import FoundLine, Placed

_KEPT = 256
"""Pages whose places are remembered by a process; some milliseconds each to find again."""


def with_boxes(page: Page, text: TextVersion, sha512: str, derivatives: DerivativeStore, *, notes: bool) -> TextVersion:
    """`text` of a page with a box for each line that has none and can be placed surely; `sha512` of the page's image file.

    A reader who may not see the image gets no boxes either: `page.image` is None then.
    """
    if page.image is None or all(line.box or not line.text.strip() for line in text.lines):
        return text
    facts = derivatives.facts(sha512, page.image.part, RECIPES["lines"])
    if facts and facts.get("lines"):
        evidence: _Evidence | None = _Evidence((sha512, page.image.part, page.image.region, len(facts["lines"])), facts, page.image.region)
    else:
        evidence = _of_other(page, text)
    if evidence is None:
        return text
    placed = _place(tuple(line.text for line in text.lines), evidence, notes)
    return replace(text, lines=tuple(_with(line, given) for line, given in zip(text.lines, placed, strict=True)))


def _with(line: TextLine, placed: Placed | None) -> TextLine:
    if line.box is not None or placed is None:
        return line
    return replace(line, box=placed.box, confidence=placed.confidence, cells=placed.cells)


class _Evidence:
    """What is known of a page image; equal to other evidence with the same key."""

    def __init__(
        self, key: object, facts: dict[str, Any] | None = None, region: Box | None = None, lines: tuple[TextLine, ...] = ()
    ) -> None:
        self._key, self._facts, self._region, self._lines = key, facts, region, lines

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Evidence) and self._key == other._key

    def found(self) -> tuple[FoundLine, ...]:
        """The lines, in pixels of the image as the page shows it."""
        from archive.derivatives import page_lines
        from archive.derivatives.alignment import FoundLine

        if self._lines:
            return tuple(
                FoundLine(line.box, "".join(signs), line.confidence or 0.0, tuple(cells))
                for line in self._lines
                for signs, cells in [_known(line)]
                if line.box is not None
            )
        lines = page_lines.lines_of(self._facts)
        return lines if self._region is None else tuple(page_lines.within(lines, self._region))


def _known(line: TextLine) -> tuple[list[str], list[Box]]:
    """The characters of a line that have a box."""
    pairs = [(sign, box) for sign, box in zip(line.text, character_boxes(line, notes=False), strict=True) if box is not None]
    return [sign for sign, _box in pairs], [box for _sign, box in pairs]


def _of_other(page: Page, text: TextVersion) -> _Evidence | None:
    """The boxes of another reading of the page, or of those lines of this one that have some."""
    versions: Iterable[TextVersion] = (*(version for version in page.texts if version is not text), text)
    lines = next((tuple(line for line in v.lines if line.box) for v in versions if any(line.box for line in v.lines)), ())
    return _Evidence(lines, lines=lines) if lines else None


@lru_cache(maxsize=_KEPT)
def _place(lines: tuple[str, ...], evidence: _Evidence, notes: bool) -> tuple[Placed | None, ...]:
    from archive.derivatives.alignment import place

    return place(lines, evidence.found(), fold_characters, notes=notes)
