"""Passages of a recording that a reader may not hear: the closed intervals from which a cut copy is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Closed = tuple[tuple[float, float], ...]
"""(start, end) in seconds, in order, without overlaps."""

MARGIN = 0.1
"""Seconds closed on either side: FFmpeg switches at frames (32 ms of sound at 8 kHz, 40 ms of film), and codecs smear."""


def in_order(closed: Iterable[tuple[float, float]]) -> Closed:
    """The intervals in order, those that touch joined, rounded to milliseconds; empty ones dropped."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted((max(0.0, round(start, 3)), round(end, 3)) for start, end in closed):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def recipe(name: str, closed: Iterable[tuple[float, float]]) -> str:
    """The recipe `name` (`sound-1`), or that of its copy without the closed intervals (`sound-1-cut-9f2c…`)."""
    intervals = in_order(closed)
    if not intervals:
        return name
    written = ";".join(f"{start:.3f},{end:.3f}" for start, end in intervals)
    return f"{name}-cut-{hashlib.sha256(written.encode()).hexdigest()[:16]}"


def expression(closed: Closed, margin: float = MARGIN) -> str:
    """An FFmpeg timeline expression that is true inside the intervals."""
    return "+".join(f"between(t,{max(0.0, start - margin):.3f},{end + margin:.3f})" for start, end in closed)
