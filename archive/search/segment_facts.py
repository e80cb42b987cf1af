"""What is known of the documents of one index segment beside their text, as arrays: visibility, places, works, and their descriptions.

A *work* is the description that all documents of an item share (staff's second description is a work of its own, attached to its own
document only). Works are kept once a segment, encoded, and read when a field or facet first asks for them.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

import msgspec
import numpy as np

from archive.search import kernels
from archive.search.arrays import Array, Arrays
from archive.search.base import IndexDocument
from archive.search.chinese import collection_number, fold, has_collections, read, written_form

TARGETS = ("page", "segment", "item")
ITEM = TARGETS.index("item")
JOINS, NOTES, SHADOW = 1, 2, 4
"""Bits of the array `flags`."""
NEVER = 0x7FFFFFFF
"""Ordinal day of what never changes; also the year of what has none, negative for the first."""
NOBODY = 255
_HAVING_BYTES = 4 << 20
"""Masks of filters remembered for a segment."""


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
    call_number: str = ""
    proper_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the index keeps of one document beside its text and its work."""

    item: str
    target: str
    key: str
    label: str
    position: int
    start: float | None
    end: float | None
    joins: bool
    notes: bool
    section: str
    juan: str
    source: str


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
        document.call_number,
        tuple(document.proper_names),
    )
    return msgspec.msgpack.encode(work, order="deterministic")


_WORKS = msgspec.msgpack.Decoder(Work)
"""Made once, here: msgspec learns a type at its first use, and two threads that teach it at once crash the process."""


def read_work(encoded: bytes) -> Work:
    """The work that `work_of` encoded."""
    return _WORKS.decode(encoded)


def _years(encoded: Sequence[bytes]) -> tuple[Array, Array]:
    works = [read_work(work) for work in encoded]
    first = [NEVER if work.year_first is None else work.year_first for work in works]
    last = [-NEVER if work.year_last is None else work.year_last for work in works]
    return np.array(first, np.int32), np.array(last, np.int32)


def work_names(encoded: Sequence[bytes]) -> dict[str, list[str]]:
    """Folded query name to the keys of the fields it means."""
    names: dict[str, set[str]] = {}
    for work in encoded:
        for key, called in read_work(work).field_names.items():
            for name in called:
                names.setdefault(fold(name), set()).add(key)
    return {name: sorted(keys) for name, keys in names.items() if name}


def work_arrays(encoded: Sequence[bytes]) -> dict[str, Array]:
    """What is kept of each distinct work as arrays, by its code."""
    first, last = _years(encoded)
    titles = np.array([len(read(read_work(work).title).written) for work in encoded], np.int32)
    return {"year_first": first, "year_last": last, "title_length": titles}


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one facet: which work has which value."""

    works: Array
    values: Array
    names: tuple[str, ...]


class SegmentFacts:
    """Reads the arrays that `facts_build` made. Immutable but for what is read late; safe for threads."""

    def __init__(self, arrays: Arrays, names: Mapping[str, Sequence[str]]) -> None:
        self.arrays = arrays
        self.names = names
        self.target, self.item, self.work = arrays["target"], arrays["item"], arrays["work"]
        self.position, self.time = arrays["position"], arrays["time"]
        self.shadow: Array = (arrays["flags"] & SHADOW) != 0
        """True for each document that is a copy of another chunk's, there so that text runs on and has its neighbours: never a hit, never counted."""
        self._lock = threading.RLock()
        self._works: list[Work] | None = None
        self._joined: dict[tuple[tuple[str, ...], bool], tuple[str, Array]] = {}
        self._facets: dict[str, _Values] = {}
        self._strings: dict[str, tuple[str, ...]] = {}
        self._having: OrderedDict[tuple[str, tuple[str, ...]], Array] = OrderedDict()

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
        """The distinct values of `item`, `section`, `juan` or `source`, by code."""
        with self._lock:
            if name not in self._strings:
                self._strings[name] = tuple(part.decode("utf-8", "surrogatepass") for part in self._parts(name))
            return self._strings[name]

    def _parts(self, name: str) -> list[bytes]:
        blob, offsets = self.arrays[f"{name}_blob"].tobytes(), self.arrays[f"{name}_offsets"].tolist()
        return [blob[begin:end] for begin, end in pairwise(offsets)]

    def of(self, document: int) -> Facts:
        """The facts of one document, without reading those of others."""
        arrays = self.arrays
        flags, start, end = int(arrays["flags"][document]), float(arrays["time"][document]), float(arrays["until"][document])
        return Facts(
            item=self.value("item", int(self.item[document])),
            target=TARGETS[int(self.target[document])],
            key=self.value("key", document),
            label=self.value("label", document),
            position=int(self.position[document]),
            start=None if start != start else start,
            end=None if end != end else end,
            joins=bool(flags & JOINS),
            notes=bool(flags & NOTES),
            section=self.value("section", int(arrays["section"][document])),
            juan=self.value("juan", int(arrays["juan"][document])),
            source=self.value("source", int(arrays["source"][document])),
        )

    def texts(self, name: str, documents: Array) -> list[str]:
        """The `key` or `label` of each of these documents."""
        blob, offsets = self.arrays[f"{name}_blob"].data, self.arrays[f"{name}_offsets"]
        spans = zip(offsets[documents].tolist(), offsets[documents + 1].tolist(), strict=True)
        return [str(blob[begin:end], "utf-8", "surrogatepass") for begin, end in spans]

    def value(self, name: str, number: int) -> str:
        """The `key` or `label` of a document, or the value of `item`, `section`, `juan` or `source` with a code."""
        if name in self._strings:
            return self._strings[name][number]
        begin, end = self.arrays[f"{name}_offsets"][number : number + 2].tolist()
        return str(self.arrays[f"{name}_blob"][begin:end].data, "utf-8", "surrogatepass")

    @cached_property
    def descriptions(self) -> Array:
        """The documents that describe an item, ascending."""
        return np.flatnonzero(self.target == ITEM)

    @cached_property
    def item_begins(self) -> Array:
        """Where each run of documents of one item begins: documents of an item stand together."""
        return np.flatnonzero(np.diff(self.item.astype(np.int64), prepend=-1))

    def by_work_counts(self, documents: Array) -> Array:
        """How many of these documents each work has."""
        counts: Array = kernels.tally(self.work, documents, len(self.arrays["year_first"]))
        return counts

    def works(self) -> list[Work]:
        """The works of the segment, by code."""
        with self._lock:
            if self._works is None:
                self._works = [read_work(part) for part in self._parts("work")]
            return self._works

    def works_of(self, documents: Array) -> list[Work]:
        """The work of each of some documents, without reading all others."""
        codes = self.work[documents].tolist()
        if self._works is not None:
            return [self._works[code] for code in codes]
        offsets, blob = self.arrays["work_offsets"], self.arrays["work_blob"]
        known = {code: read_work(blob[offsets[code] : offsets[code + 1]].tobytes()) for code in set(codes)}
        return [known[code] for code in codes]

    def work_of(self, document: int) -> Work:
        """The work of one document."""
        return self.works_of(np.array([document]))[0]

    def named(self, name: str, codes: Array) -> list[str]:
        """The values of `item`, `section`, `juan` or `source` with these codes."""
        known = {code: self.value(name, code) for code in set(codes.tolist())}
        return [known[code] for code in codes.tolist()]

    def title_lengths(self, documents: Array) -> Array:
        """Characters of the title of each of these documents' works."""
        lengths: Array = self.arrays["title_length"][self.work[documents]]
        return lengths

    def code(self, name: str, value: str) -> int:
        """The code of a value of `item`, `section`, `juan` or `source`; -1 when the segment does not have it."""
        try:
            return self.strings(name).index(value)
        except ValueError:
            return -1

    def by_work(self, claim: Callable[[Work], bool]) -> Array:
        """True for each document whose work makes the claim true."""
        return np.array([claim(work) for work in self.works()], bool)[self.work] if self.documents else np.zeros(0, bool)

    def by_glyphs(self) -> list[tuple[str, Array | bool]]:
        """The collections with glyph tables of their own and the documents of each; first, as one, what no such table is for."""
        own = {work.collection for work in self.works() if collection_number(work.collection)} if has_collections() else set()
        if not own:
            return [("", True)]
        others = self.by_work(lambda work: work.collection not in own)
        return [("", others), *((slug, self.having("collection", (slug,))) for slug in sorted(own))]

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
                    part = "".join(f"{reading(value, work.collection)}\0" for key in keys for value in values_of(work, key))
                    parts.append(part)
                    at += len(part)
                if len(self._joined) > 32:
                    self._joined.clear()
                self._joined[keys, exact] = ("".join(parts), np.array(begins, np.int64))
            return self._joined[keys, exact]

    def facet(self, name: str, documents: Array, by_work: Array) -> dict[str, int]:
        """How many of these documents have each value of a facet: `collection`, `kind`, `decade`, `section`, `source`, `item`, or a field key.

        `by_work`: how many of them each work has.
        """
        if name in ("section", "source", "item", "juan"):
            names = self.strings(name)
            return _named(names, kernels.tally(self.arrays[name], documents, len(names)))
        values = self._facet_values(name)
        if not len(values.works):
            return {}
        counts = np.bincount(values.values, weights=by_work[values.works], minlength=len(values.names)).astype(np.int64)
        return _named(values.names, counts)

    def having(self, name: str, wanted: tuple[str, ...]) -> Array:
        """True for each document that has one of these values of a facet; remembered, for filters come again and again."""
        with self._lock:
            if (name, wanted) not in self._having:
                while sum(mask.nbytes for mask in self._having.values()) > _HAVING_BYTES:
                    self._having.popitem(last=False)
                self._having[name, wanted] = np.logical_or.reduce([self.with_value(name, value) for value in wanted])
            self._having.move_to_end((name, wanted))
            return self._having[name, wanted]

    def with_value(self, name: str, value: str) -> Array:
        """True for each document that has this value of a facet."""
        if name in ("section", "source", "item", "juan"):
            code = self.code(name, value)
            return np.asarray(self.arrays[name] == np.int64(code)) if code >= 0 else np.zeros(self.documents, bool)
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


def _named(names: Sequence[str], counts: Array) -> dict[str, int]:
    """The counts above 0 of what has a name."""
    codes = np.flatnonzero(counts)
    return {names[code]: count for code, count in zip(codes.tolist(), counts[codes].tolist(), strict=True) if names[code]}


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
