"""What is known of the documents of one index segment beside their text, as arrays: visibility, places, works, and their descriptions.

A *work* is the description that all documents of an item share (staff's second description is a work of its own, attached to its own
document only). Works are kept once a segment, encoded, and read when a field or facet first asks for them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import msgspec
import numpy as np

from archive.search.arrays import Array
from archive.search.base import IndexDocument
from archive.search.chinese import fold, read, written_form

TARGETS = ("page", "segment", "item")
ITEM = TARGETS.index("item")
NEVER = 0x7FFFFFFF
"""Ordinal day of what never changes; also the year of what has none, negative for the first."""
_NOBODY = 255
_YEAR = re.compile(r"[0-9]{3,4}")


class Work(msgspec.Struct, frozen=True, array_like=True):
    """The description that the documents of an item share."""

    title: str
    collection: str
    kind: str
    year_first: int | None
    year_last: int | None
    date: str
    fields: dict[str, tuple[str, ...]]
    field_names: dict[str, tuple[str, ...]]
    facets: tuple[str, ...]


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What the index keeps of one document beside its text; `work` is an encoded Work, empty for that of the item's first document."""

    item: str
    target: str
    key: str
    label: str
    position: int
    start: float | None
    end: float | None
    now: int
    changes: int
    next: int
    joins: bool
    notes: bool
    section: str
    source: str
    work: bytes


def work_of(document: IndexDocument) -> bytes:
    """The document's work, encoded."""
    work = Work(
        document.title,
        document.collection,
        document.kind,
        document.year_first,
        document.year_last if document.year_last is not None else document.year_first,
        document.date,
        {key: tuple(values) for key, values in document.fields.items()},
        {key: tuple(names) for key, names in document.field_names.items()},
        tuple(document.facets),
    )
    return msgspec.msgpack.encode(work, order="deterministic")


def facts_of(document: IndexDocument, work: bytes) -> bytes:
    """A document's facts, encoded for storing beside its text. `work` is encoded, empty when it is that of the item's first document."""
    seen = document.visibility
    return msgspec.msgpack.encode(
        Facts(
            document.item,
            document.target,
            document.key,
            document.label,
            document.position,
            document.start,
            document.end,
            seen.now.rank,
            seen.changes.toordinal() if seen.changes else NEVER,
            seen.next.rank if seen.next else _NOBODY,
            document.joins_previous,
            document.notes,
            document.section,
            document.source,
            work,
        )
    )


def read_facts(encoded: bytes) -> Facts:
    """The facts that `facts_of` encoded."""
    return msgspec.msgpack.decode(encoded, type=Facts)


def read_work(encoded: bytes) -> Work:
    """The work inside some facts."""
    return msgspec.msgpack.decode(encoded, type=Work)


def _table(values: Sequence[bytes]) -> tuple[Array, Array, Array]:
    """Codes of the values in order of first appearance, and the distinct ones as a blob with offsets."""
    known: dict[bytes, int] = {}
    codes = np.fromiter((known.setdefault(value, len(known)) for value in values), np.uint32, len(values))
    offsets = np.concatenate(([0], np.cumsum([len(value) for value in known], dtype=np.int64))) if known else np.zeros(1, np.int64)
    return codes, np.frombuffer(b"".join(known), np.uint8), offsets


def _each(values: Sequence[str]) -> tuple[Array, Array]:
    """The values of all documents one after another as UTF-8, and where each begins (one more at the end)."""
    encoded = [value.encode("utf-8", "surrogatepass") for value in values]
    offsets = np.concatenate(([0], np.cumsum([len(value) for value in encoded], dtype=np.int64))) if encoded else np.zeros(1, np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), offsets.astype(np.uint32)


def _years(encoded: Sequence[bytes]) -> tuple[Array, Array]:
    works = [read_work(work) for work in encoded]
    first = [NEVER if work.year_first is None else work.year_first for work in works]
    last = [-NEVER if work.year_last is None else work.year_last for work in works]
    return np.array(first, np.int32), np.array(last, np.int32)


def _names(encoded: Sequence[bytes]) -> dict[str, list[str]]:
    """Folded query name to the keys of the fields it means."""
    names: dict[str, set[str]] = {}
    for work in encoded:
        for key, called in read_work(work).field_names.items():
            for name in called:
                names.setdefault(fold(name), set()).add(key)
    return {name: sorted(keys) for name, keys in names.items() if name}


def build(documents: Sequence[Facts]) -> tuple[dict[str, Array], dict[str, dict[str, list[str]]]]:
    """The arrays of a segment, and the names of its fields."""
    nan = float("nan")
    arrays: dict[str, Array] = {
        "target": np.array([TARGETS.index(d.target) for d in documents], np.uint8),
        "position": np.array([d.position for d in documents], np.int32),
        "time": np.array([nan if d.start is None else d.start for d in documents], np.float64),
        "now": np.array([d.now for d in documents], np.uint8),
        "changes": np.array([d.changes for d in documents], np.int32),
        "next": np.array([d.next for d in documents], np.uint8),
    }
    for name in ("item", "section", "source"):
        codes, blob, offsets = _table([getattr(d, name).encode() for d in documents])
        arrays |= {name: codes, f"{name}_blob": blob, f"{name}_offsets": offsets}
    for name in ("key", "label"):
        blob, offsets = _each([getattr(d, name) for d in documents])
        arrays |= {f"{name}_blob": blob, f"{name}_offsets": offsets}
    encoded = [d.work for d in documents]
    codes, blob, offsets = _table(encoded)
    arrays |= {"work": codes, "work_blob": blob, "work_offsets": offsets}
    works = list(dict.fromkeys(encoded))
    first, last = _years(works)
    arrays |= {"year_first": first, "year_last": last}
    arrays["title_length"] = np.array([len(read(read_work(work).title).written) for work in works], np.int32)
    return arrays, {"names": _names(works)}


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one facet: which work has which value."""

    works: Array
    values: Array
    names: tuple[str, ...]


class SegmentFacts:
    """Reads the arrays that `build` made. Immutable but for what is read late; safe for threads."""

    def __init__(self, arrays: dict[str, Array], names: Mapping[str, Sequence[str]]) -> None:
        self.arrays = arrays
        self.names = names
        self.target, self.item, self.work = arrays["target"], arrays["item"], arrays["work"]
        self.position, self.time = arrays["position"], arrays["time"]
        self._lock = threading.RLock()
        self._works: list[Work] | None = None
        self._joined: dict[tuple[tuple[str, ...], bool], tuple[str, Array]] = {}
        self._facets: dict[str, _Values] = {}
        self._strings: dict[str, tuple[str, ...]] = {}

    @property
    def documents(self) -> int:
        return len(self.target)

    def visible(self, rank: int, today: date) -> Array:
        """True for each document that a reader of this rank may see on this day.

        Once the day of a change has come both audiences must admit the reader until the document is indexed anew: a closing embargo
        closes by itself, an opening one waits for the index.
        """
        changed = self.arrays["changes"] <= today.toordinal()
        return (self.arrays["now"] <= rank) & (~changed | (self.arrays["next"] <= rank))

    def strings(self, name: str) -> tuple[str, ...]:
        """The distinct values of `item`, `section` or `source`, by code."""
        with self._lock:
            if name not in self._strings:
                self._strings[name] = tuple(part.decode() for part in self._parts(name))
            return self._strings[name]

    def _parts(self, name: str) -> list[bytes]:
        blob, offsets = self.arrays[f"{name}_blob"].tobytes(), self.arrays[f"{name}_offsets"].tolist()
        return [blob[begin:end] for begin, end in pairwise(offsets)]

    def texts(self, name: str, documents: Array) -> list[str]:
        """The `key` or `label` of each of these documents."""
        blob, offsets = self.arrays[f"{name}_blob"].data, self.arrays[f"{name}_offsets"]
        spans = zip(offsets[documents].tolist(), offsets[documents + 1].tolist(), strict=True)
        return [str(blob[begin:end], "utf-8", "surrogatepass") for begin, end in spans]

    def works(self) -> list[Work]:
        """The works of the segment, by code."""
        with self._lock:
            if self._works is None:
                self._works = [read_work(part) for part in self._parts("work")]
            return self._works

    def work_of(self, document: int) -> Work:
        """The work of one document, without reading all others."""
        code = int(self.work[document])
        if self._works is not None:
            return self._works[code]
        begin, end = self.arrays["work_offsets"][code : code + 2].tolist()
        return read_work(self.arrays["work_blob"][begin:end].tobytes())

    def title_lengths(self, documents: Array) -> Array:
        """Characters of the title of each of these documents' works."""
        lengths: Array = self.arrays["title_length"][self.work[documents]]
        return lengths

    def code(self, name: str, value: str) -> int:
        """The code of a value of `item`, `section` or `source`; -1 when the segment does not have it."""
        try:
            return self.strings(name).index(value)
        except ValueError:
            return -1

    def by_work(self, claim: Callable[[Work], bool]) -> Array:
        """True for each document whose work makes the claim true."""
        return np.array([claim(work) for work in self.works()], bool)[self.work] if self.documents else np.zeros(0, bool)

    def in_years(self, first: int | None, last: int | None) -> Array:
        """True for each document whose work's years meet first..last (None: open)."""
        begins, ends = self.arrays["year_first"], self.arrays["year_last"]
        meets = (begins != NEVER) & (begins <= (NEVER if last is None else last)) & (ends >= (-NEVER if first is None else first))
        return np.asarray(meets[self.work])

    def matching_fields(self, keys: tuple[str, ...], pattern: re.Pattern[str], exact: bool = False) -> Array:
        """True for each document in one of whose values of these fields, folded or in the form written, the pattern is found.

        Keys `title` and `date` are the work's own.
        """
        joined, begins = self._values(keys, exact)
        found = np.zeros(len(begins), bool)
        at, number = 0, len(begins)
        while number and (match := pattern.search(joined, at)) is not None:
            work = int(np.searchsorted(begins, match.start(), side="right")) - 1
            found[work] = True
            if work + 1 >= number:
                break
            at = int(begins[work + 1])
        return found[self.work] if self.documents else np.zeros(0, bool)

    def _values(self, keys: tuple[str, ...], exact: bool) -> tuple[str, Array]:
        """All values of some fields as one text, values apart by NUL, and where each work begins in it."""
        reading = written_form if exact else fold
        with self._lock:
            if (keys, exact) not in self._joined:
                parts, begins, at = [], [], 0
                for work in self.works():
                    begins.append(at)
                    part = "".join(f"{reading(value)}\0" for key in keys for value in values_of(work, key))
                    parts.append(part)
                    at += len(part)
                if len(self._joined) > 32:
                    self._joined.clear()
                self._joined[keys, exact] = ("".join(parts), np.array(begins, np.int64))
            return self._joined[keys, exact]

    def facet(self, name: str, documents: Array) -> dict[str, int]:
        """How many of these documents have each value of a facet: `collection`, `kind`, `decade`, `item`, `section`, `source`, or a
        field key."""
        if name in ("item", "section", "source"):
            counts = np.bincount(self.arrays[name][documents], minlength=len(self.strings(name)))
            return {value: int(count) for value, count in zip(self.strings(name), counts, strict=True) if count and value}
        values = self._facet_values(name)
        if not len(values.works):
            return {}
        by_work = np.bincount(self.work[documents], minlength=len(self.works()))
        counts = np.bincount(values.values, weights=by_work[values.works], minlength=len(values.names))
        return {values.names[index]: int(counts[index]) for index in np.flatnonzero(counts)}

    def with_value(self, name: str, value: str) -> Array:
        """True for each document that has this value of a facet."""
        if name in ("section", "source"):
            return (
                np.asarray(self.arrays[name] == self.code(name, value)) if self.code(name, value) >= 0 else np.zeros(self.documents, bool)
            )
        values = self._facet_values(name)
        having = np.zeros(max(len(self.works()), 1), bool)
        if value in values.names:
            having[values.works[values.values == values.names.index(value)]] = True
        return np.asarray(having[self.work]) if self.documents else np.zeros(0, bool)

    def _facet_values(self, name: str) -> _Values:
        with self._lock:
            if name not in self._facets:
                known: dict[str, int] = {}
                pairs = [
                    (number, known.setdefault(value, len(known)))
                    for number, work in enumerate(self.works())
                    for value in dict.fromkeys(facet_values(work, name))
                ]
                numbers, values = np.array(pairs, np.int64).reshape(-1, 2).T
                self._facets[name] = _Values(numbers, values, tuple(known))
            return self._facets[name]


def values_of(work: Work, key: str) -> tuple[str, ...]:
    """The values of a field of a work; `title` and `date` are its own."""
    if key == "title":
        return (work.title, *work.fields.get("title", ()))
    if key == "date":
        return (work.date, *work.fields.get("date", ()))
    return work.fields.get(key, ())


def facet_values(work: Work, name: str) -> tuple[str, ...]:
    """The values of a facet that a work has. A decade is that of the first year, `1740`."""
    if name == "collection":
        return (work.collection,) if work.collection else ()
    if name == "kind":
        return (work.kind,) if work.kind else ()
    if name == "decade":
        return () if work.year_first is None else (str(work.year_first // 10 * 10),)
    return work.fields.get(name, ()) if name in work.facets else ()


def years_in(values: Sequence[str]) -> list[int]:
    """The years written in some values in digits."""
    return [int(year) for value in values for year in _YEAR.findall(fold(value))]
