"""Numbers for the plots of a concordance: our own SVG, whose sizes are shares of its width so that its words keep theirs on a telephone.

Pure. Templates draw; every plot stands beside a table that says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archive.search.base import Share

COLUMNS_HIGH = 150
"""Height of the tallest column in pixels."""
_MOST_LABELS = 7
_ROOM = 96.0
"""Percent of the width that bars take at most."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One work or stretch of years. Shares are of the largest, in percent (bars) or pixels (columns); `rate` is per 10,000 characters."""

    label: str
    url: str | None
    count: str
    characters: str
    rate: str
    length: float
    rate_length: float
    x: float = 0.0
    width: float = 0.0
    labelled: bool = True


def rate(share: Share) -> float:
    """Occurrences in 10,000 characters."""
    return share.occurrences * 10_000 / share.characters if share.characters else 0.0


def bars(rows: Sequence[tuple[str, str | None, Share]]) -> list[Bar]:
    """Bars side by side, each with a second one for how often in 10,000 characters."""
    return _drawn(rows, _ROOM)


def columns(rows: Sequence[tuple[str, str | None, Share]]) -> list[Bar]:
    """Columns from left to right; of many only some have room for their label."""
    every = -(-len(rows) // _MOST_LABELS) if rows else 1
    step = 100 / max(len(rows), 1)
    width = min(step * 0.8, 12.0)
    return [
        Bar(
            bar.label,
            bar.url,
            bar.count,
            bar.characters,
            bar.rate,
            bar.length,
            bar.rate_length,
            round(step * (number + 0.5) - width / 2, 3),
            round(width, 3),
            number % every == 0,
        )
        for number, bar in enumerate(_drawn(rows, COLUMNS_HIGH))
    ]


def _drawn(rows: Sequence[tuple[str, str | None, Share]], most: float) -> list[Bar]:
    largest = max((share.occurrences for _l, _u, share in rows), default=0) or 1
    densest = max((rate(share) for _l, _u, share in rows), default=0.0) or 1.0
    return [
        Bar(
            label,
            url,
            f"{share.occurrences:,}",
            f"{share.characters:,}",
            in_words(rate(share)),
            round(most * share.occurrences / largest, 3),
            round(most * rate(share) / densest, 3),
        )
        for label, url, share in rows
    ]


def in_words(number: float) -> str:
    """Two figures that count: `123`, `12.3`, `0.41`."""
    if not number:
        return "0"
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
