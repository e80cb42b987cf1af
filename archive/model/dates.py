"""A date as written and what it can mean. Types only; reading dates is the work of `archive.chronology`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """Astronomical Western years, both inclusive, in which the written date can lie, with how it was reached."""

    first: int
    last: int
    precision: str = "year"
    basis: str = ""


@dataclass(frozen=True, slots=True)
class HistoricalDate:
    """`written` as printed (乾隆十三年), always shown; `candidates` likeliest first, empty when it could not be read."""

    written: str
    candidates: tuple[Interval, ...] = ()

    @property
    def span(self) -> Interval | None:
        """The likeliest reading, or None."""
        return self.candidates[0] if self.candidates else None
