"""Which pages lie open side by side: the back of one leaf (下, b) and the front of the next (上, a). Pure.

A thread-bound leaf is folded outwards, so an opening never shows the two sides of one leaf. The same pairs hold for books read from
left to right: verso and recto. Indices are those of the pages given, in reading order; the page read first comes first in its opening.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from archive.model.folios import Folio, Side


class Shows(enum.Enum):
    """What one page shows of its leaf."""

    RECTO = "recto"
    VERSO = "verso"
    ALONE = "alone"  # an unfolded leaf, an opening in one image, a cover
    BOTH = "both"  # a missing leaf of which nothing but its place is left: both sides are blank
    UNKNOWN = "unknown"


def shows(folio: Folio | None, label: str, size: tuple[int, int] | None, *, missing: bool, sided: bool) -> Shows:
    """What a page shows, by its folio, the donor's label and its size (width, height). `sided`: other pages of the item name their sides."""
    if label.startswith("封") or (size is not None and size[0] > size[1]):
        return Shows.ALONE
    if folio is not None and folio.side is not None:
        return Shows.RECTO if folio.side is Side.RECTO else Shows.VERSO
    if missing and ("—" in label or (folio is not None and folio.ye)):
        return Shows.BOTH if sided else Shows.ALONE
    return Shows.UNKNOWN


def openings(pages: Sequence[Shows]) -> tuple[tuple[int, ...], ...]:
    """The openings of a book, each one or two indices; a leaf of which both sides are missing stands in two.

    Where sides are unknown they alternate from the nearest known one; where none is known the first page stands alone, as a recto does.
    """
    halves = [half for index, shown in enumerate(_guessed(pages)) for half in _halves(index, shown)]
    found: list[tuple[int, ...]] = []
    at = 0
    while at < len(halves):
        together = halves[at][1] is Shows.VERSO and at + 1 < len(halves) and halves[at + 1][1] is Shows.RECTO
        found.append((halves[at][0], halves[at + 1][0]) if together else (halves[at][0],))
        at += 2 if together else 1
    return _each_with_a_page_of_its_own(found)


def _guessed(pages: Sequence[Shows]) -> list[Shows]:
    sides = list(pages)
    first = next((n for n, side in enumerate(sides) if side is not Shows.UNKNOWN), None)
    if first is not None:
        for n in range(first - 1, -1, -1):
            sides[n] = Shows.RECTO if sides[n + 1] is Shows.VERSO else Shows.VERSO
    for n, side in enumerate(sides):
        if side is Shows.UNKNOWN:
            sides[n] = Shows.VERSO if n and sides[n - 1] is Shows.RECTO else Shows.RECTO
    return sides


def _halves(index: int, shown: Shows) -> list[tuple[int, Shows]]:
    return [(index, Shows.RECTO), (index, Shows.VERSO)] if shown is Shows.BOTH else [(index, shown)]


def _each_with_a_page_of_its_own(found: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Without those that show only what an earlier opening shows: every opening can be named by a page."""
    seen: set[int] = set()
    kept = []
    for opening in found:
        if not set(opening) <= seen:
            kept.append(opening)
            seen.update(opening)
    return tuple(kept)
