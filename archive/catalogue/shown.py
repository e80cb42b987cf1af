"""What each group of readers sees of an item in lists, worked out when it is written: rows of `shown`, and their sums in `tally`.

Nothing here counts page rows when a reader asks, and an embargo that ends needs no one to be awake: the rows of the days to come stand beside today's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from archive.catalogue.schema import FIRST, FOREVER, shown, tally
from archive.model.access import Terms
from archive.model.rights import Audience

READERS = range(len(Audience))
_MOST_CHANGES = 50
"""Days of change kept for one item; beyond the last the item leaves the lists until it is settled again (`refresh_visibility`)."""
NO_YEAR = 99_999


@dataclass(slots=True)
class Parts:
    """What counts towards an item's line in a list, by the terms on which it is seen."""

    item: Terms
    pages: Counter[Terms] = field(default_factory=Counter)
    thumbs: dict[Terms, str] = field(default_factory=dict)
    """File key of the first picture on each terms, best first."""
    recordings: dict[str, list[tuple[Terms, float]]] = field(default_factory=dict)
    """Versions of each recording: terms and duration in seconds."""


@dataclass(frozen=True, slots=True)
class _Line:
    pages: int
    recordings: int
    duration_ms: int | None
    thumb: str | None


def sort_key(title: str) -> bytes:
    """Bytes that order titles for Chinese readers: by GB 18030, whose 3,755 commonest characters stand in the order of their pinyin.

    Brackets and signs are passed over, numbers count as numbers.
    """
    text = unicodedata.normalize("NFKC", title).casefold()
    text = re.sub(r"[\W_]+", "", text)
    text = re.sub(r"\d+", lambda match: match.group().zfill(6), text)
    return text.encode("gb18030", "replace")


def rows(parts: Parts, static: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of `shown` for one item; `static` are the columns that are the same on all of them."""
    days = sorted({t.until for t in _all_terms(parts) if t.until is not None})[: _MOST_CHANGES + 1]
    ends = days if len(days) > _MOST_CHANGES else [*days, FOREVER]
    found = []
    for start, end in zip([FIRST, *days], ends, strict=False):
        for low, high, line in _lines(parts, start):
            found.append(static | {"low": low, "high": high, "from_day": start, "to_day": end} | asdict(line))
    return found


def _all_terms(parts: Parts) -> Iterable[Terms]:
    yield parts.item
    yield from parts.pages
    yield from parts.thumbs
    for versions in parts.recordings.values():
        yield from (terms for terms, _duration in versions)


def _lines(parts: Parts, day: int) -> list[tuple[int, int, _Line]]:
    """(lowest reader, highest reader, line) on a day; neighbours that see the same are one."""
    found: list[tuple[int, int, _Line]] = []
    for reader in READERS[parts.item.on(day) :]:
        line = _line(parts, reader, day)
        if found and found[-1][2] == line:
            found[-1] = (found[-1][0], reader, line)
        else:
            found.append((reader, reader, line))
    return found


def _line(parts: Parts, reader: int, day: int) -> _Line:
    heard = [
        max((duration for terms, duration in versions if terms.on(day) <= reader), default=None) for versions in parts.recordings.values()
    ]
    durations = [duration for duration in heard if duration is not None]
    return _Line(
        pages=sum(count for terms, count in parts.pages.items() if terms.on(day) <= reader),
        recordings=len(durations),
        duration_ms=round(sum(durations) * 1000) or None,
        thumb=next((key for terms, key in parts.thumbs.items() if terms.on(day) <= reader), None),
    )


def replace_rows(connection: Connection, item: str, new: Sequence[dict[str, Any]]) -> None:
    """Put `new` in place of the rows of `item`, and the difference into the sums."""
    old = connection.execute(_OLD, {"of": item}).mappings().all()
    if old:
        connection.execute(_FORGET, {"of": item})
    if new:
        connection.execute(_SHOW, list(new))
    sums: dict[tuple[int, str, str, int], Counter[str]] = {}
    for sign, given in ((-1, old), (1, new)):
        for row in given:
            _add(sums, row, sign)
    changed = [
        dict(zip(("reader", "collection", "kind", "day"), key, strict=True)) | total for key, total in sums.items() if any(total.values())
    ]
    if changed:
        connection.execute(_TALLY, [dict.fromkeys(_SUMS, 0) | row for row in changed])


def _add(sums: dict[tuple[int, str, str, int], Counter[str]], row: Any, sign: int) -> None:
    for reader in range(row["low"], row["high"] + 1):
        for day, way in ((row["from_day"], sign), (row["to_day"], -sign)):
            if day < FOREVER:
                total = sums.setdefault((reader, row["collection"], row["kind"], day), Counter())
                total["items"] += way
                for name in _SUMS[1:]:
                    total[name] += way * (row[name] or 0)


_SUMS = ("items", "pages", "recordings", "duration_ms")
_OLD_COLUMNS = ("low", "high", "from_day", "to_day", "collection", "kind", "pages", "recordings", "duration_ms")
_OLD = select(*(shown.c[name] for name in _OLD_COLUMNS)).where(shown.c.item == bindparam("of"))
_FORGET = delete(shown).where(shown.c.item == bindparam("of"))
_SHOW = shown.insert()
_insert_tally = insert(tally)
_TALLY = _insert_tally.on_conflict_do_update(
    index_elements=["reader", "collection", "kind", "day"],
    set_={name: tally.c[name] + _insert_tally.excluded[name] for name in _SUMS},
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many 种, 面 and recordings of one kind in one collection a reader sees; `duration` of the recordings in seconds."""

    collection: str
    kind: str
    items: int
    pages: int
    recordings: int
    duration: float


_COUNTS = (
    select(tally.c.collection, tally.c.kind, *(func.sum(tally.c[name]) for name in _SUMS))
    .where(tally.c.reader == bindparam("reader"), tally.c.day <= bindparam("day"))
    .group_by(tally.c.collection, tally.c.kind)
)


def counts(connection: Connection, reader: Audience, day: int) -> tuple[Count, ...]:
    """What a reader sees on a day (ordinal), by collection and kind; a few rows read, however large the archive."""
    found = connection.execute(_COUNTS, {"reader": reader.rank, "day": day})
    return tuple(Count(c, k, items, pages, recordings, ms / 1000) for c, k, items, pages, recordings, ms in found if items)
