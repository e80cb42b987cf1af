"""Who may see a thing: audiences, embargoes, and what follows when several rights meet.

Rights attach to item, page, segment and file; the narrowest wins. What states no audience is `staff` for an item and
inherits for its parts. An embargo is a date on which the audience changes (it usually opens).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


class Audience(enum.Enum):
    """The one list of audiences, from widest to narrowest (INTERFACE: things, identity, links)."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    READING_ROOM = "reading_room"
    ON_REQUEST = "on_request"
    STAFF = "staff"
    SEALED = "sealed"

    @property
    def rank(self) -> int:
        """0 for `public` … 5 for `sealed`; a reader admitted to rank r sees everything of rank ≤ r."""
        return _RANKS[self]

    @classmethod
    def of_rank(cls, rank: int) -> Audience:
        """The audience of that rank; raises IndexError beyond 5."""
        return tuple(cls)[rank]

    def admits(self, reader: Audience) -> bool:
        """True when a reader of audience `reader` may see what has this audience."""
        return self.rank <= reader.rank


_RANKS = {audience: rank for rank, audience in enumerate(Audience)}


@dataclass(frozen=True, slots=True)
class Embargo:
    """On the day `until` (UTC) and after it, the audience is `after`."""

    until: date
    after: Audience


@dataclass(frozen=True, slots=True)
class Rights:
    """What was agreed for one thing. `audience` None inherits (an item without one is `staff`)."""

    audience: Audience | None = None
    embargo: Embargo | None = None
    status: str = ""
    """权利状态 as recorded, a term of the vocabulary `rights-status`; empty means 未定."""
    statement: str = ""
    """URI of a rights statement or licence, or empty."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who may see a thing on a day, and when that next changes. `changes` None: never."""

    now: Audience
    changes: date | None = None
    next: Audience | None = None

    def admits(self, reader: Audience) -> bool:
        """True when the reader may see the thing on the day this was worked out for."""
        return self.now.admits(reader)


def _on(rights: Rights, day: date, inherits: Audience) -> Audience:
    if rights.embargo is not None and day >= rights.embargo.until:
        return rights.embargo.after
    return rights.audience if rights.audience is not None else inherits


def visibility(day: date, item: Rights, *parts: Rights) -> Visibility:
    """Who may see a part of an item on `day`: the narrowest of the item's rights and of each of `parts`."""

    def at(when: date) -> Audience:
        ranks = [_on(item, when, Audience.STAFF), *(_on(part, when, Audience.PUBLIC) for part in parts)]
        return max(ranks, key=lambda audience: audience.rank)

    now = at(day)
    for until in sorted({r.embargo.until for r in (item, *parts) if r.embargo is not None and r.embargo.until > day}):
        if at(until) is not now:
            return Visibility(now, until, at(until))
    return Visibility(now)


def narrowest(audiences: Iterable[Audience]) -> Audience:
    """The narrowest of some audiences; `public` for none."""
    return max(audiences, key=lambda audience: audience.rank, default=Audience.PUBLIC)
