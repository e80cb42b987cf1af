"""What is known of the documents of a segment beside their text, on its way into arrays: gathered, built, and joined with that of other segments.

`segment_facts` reads the arrays. A coded string (`item`, `section`, `juan`, `source`, `work`) is a code for each document and the distinct
values as one blob; `work` values are encoded `segment_facts.Work`s and only looked into there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from archive.search.arrays import Array, Arrays
from archive.search.base import IndexDocument
from archive.search.chinese import collection_number
from archive.search.segment_facts import JOINS, NEVER, NOBODY, NOTES, TARGETS, work_arrays, work_names

CODED = ("item", "section", "juan", "source", "work")
BLOBS = ("key", "label")
_PLAIN: Mapping[str, type[np.generic]] = {
    "target": np.uint8,
    "position": np.int32,
    "time": np.float64,
    "until": np.float64,
    "now": np.uint8,
    "changes": np.int32,
    "next": np.uint8,
    "flags": np.uint8,
}
"""A value for each document."""


class Row(NamedTuple):
    """What the index keeps of one document beside its text; `work` is an encoded Work."""

    item: bytes
    section: bytes
    juan: bytes
    source: bytes
    work: bytes
    key: bytes
    label: bytes
    target: int
    position: int
    time: float
    until: float
    now: int
    changes: int
    next: int
    flags: int
    glyphs: int
    """The number of the glyph table that the text is read by; the arrays have no need of it."""


class Chunk(NamedTuple):
    """A run of documents of one item that is written and deleted as one; equal digests, equal chunks."""

    documents: int
    digest: int


Stretch = tuple[int, int]
Living = Sequence[tuple[Arrays, Sequence[Stretch], Array | None]]
"""For each segment its arrays, the stretches of documents that live on, and for each chunk whether it does (None: all)."""

_NAN = float("nan")


def row_of(document: IndexDocument, work: bytes, joins: bool) -> Row:
    """The row of a document. `joins`: it runs on from the one before it in its chunk."""
    seen = document.visibility
    return Row(
        document.item.encode("utf-8", "surrogatepass"),
        document.section.encode("utf-8", "surrogatepass"),
        document.juan.encode("utf-8", "surrogatepass"),
        document.source.encode("utf-8", "surrogatepass"),
        work,
        document.key.encode("utf-8", "surrogatepass"),
        document.label.encode("utf-8", "surrogatepass"),
        TARGETS.index(document.target),
        document.position,
        _NAN if document.start is None else document.start,
        _NAN if document.end is None else document.end,
        seen.now.rank,
        seen.changes.toordinal() if seen.changes else NEVER,
        seen.next.rank if seen.next else NOBODY,
        JOINS * joins + NOTES * document.notes,
        collection_number(document.collection),
    )


def build(columns: Mapping[str, Sequence[Any]], chunks: Sequence[Chunk]) -> dict[str, Array]:
    """The arrays of some documents, given by column (the fields of `Row`), and of the chunks they make up."""
    arrays = {name: np.array(columns[name], dtype) for name, dtype in _PLAIN.items()}
    for name in CODED:
        known: dict[bytes, int] = {}
        arrays[name] = np.fromiter((known.setdefault(value, len(known)) for value in columns[name]), np.uint32, len(columns[name]))
        arrays |= _table(name, known)
    for name in BLOBS:
        arrays |= blob_arrays(name, columns[name])
    arrays["chunk_starts"] = np.concatenate(([0], np.cumsum([chunk.documents for chunk in chunks], dtype=np.int64))).astype(np.uint32)
    arrays["chunk_digests"] = np.array([chunk.digest for chunk in chunks], np.uint64)
    return arrays | work_arrays(list(dict.fromkeys(columns["work"])))


def _table(name: str, values: Iterable[bytes]) -> dict[str, Array]:
    return blob_arrays(name, list(values))


def blob_arrays(name: str, values: Sequence[bytes]) -> dict[str, Array]:
    """Values one after another, and where each begins (one more at the end)."""
    offsets = np.concatenate(([0], np.cumsum([len(value) for value in values], dtype=np.int64)))
    return {f"{name}_blob": np.frombuffer(b"".join(values), np.uint8), f"{name}_offsets": offsets.astype(np.uint32)}


def parts(arrays: Arrays, name: str) -> list[bytes]:
    """The values of a blob."""
    blob, offsets = arrays[f"{name}_blob"].tobytes(), arrays[f"{name}_offsets"].tolist()
    return [blob[begin:end] for begin, end in pairwise(offsets)]


def merge(sources: Living) -> dict[str, Array]:
    """The arrays of several segments as one."""
    merged: dict[str, Array] = {name: _put_together(sources, name, dtype) for name, dtype in _PLAIN.items()}
    for name in BLOBS:
        merged |= _merged_blobs(sources, name)
    for name in CODED:
        merged |= _merged_codes(sources, name)
    kept = [slice(None) if chunks is None else chunks for _arrays, _living, chunks in sources]
    sizes = [np.diff(arrays["chunk_starts"])[keep] for (arrays, _living, _chunks), keep in zip(sources, kept, strict=True)]
    merged["chunk_starts"] = np.cumsum(np.concatenate((np.zeros(1, np.int64), *sizes))).astype(np.uint32)
    merged["chunk_digests"] = np.concatenate([arrays["chunk_digests"][keep] for (arrays, _l, _c), keep in zip(sources, kept, strict=True)])
    return merged | work_arrays(parts(merged, "work"))


def _put_together(sources: Living, name: str, dtype: type[np.generic]) -> Array:
    stretches = [arrays[name][begin:end] for arrays, living, _chunks in sources for begin, end in living]
    return np.concatenate([np.empty(0, dtype), *stretches])


def _merged_blobs(sources: Living, name: str) -> dict[str, Array]:
    blobs, lengths = [np.empty(0, np.uint8)], [np.zeros(1, np.int64)]
    for arrays, living, _chunks in sources:
        offsets = arrays[f"{name}_offsets"]
        for begin, end in living:
            blobs.append(arrays[f"{name}_blob"][int(offsets[begin]) : int(offsets[end])])
            lengths.append(np.diff(offsets[begin : end + 1]))
    return {f"{name}_blob": np.concatenate(blobs), f"{name}_offsets": np.cumsum(np.concatenate(lengths)).astype(np.uint32)}


def _merged_codes(sources: Living, name: str) -> dict[str, Array]:
    """Codes of the values that live on, in order of first appearance."""
    known: dict[bytes, int] = {}
    codes = [np.empty(0, np.uint32)]
    for arrays, living, _chunks in sources:
        own = np.concatenate([np.empty(0, np.uint32), *(arrays[name][begin:end] for begin, end in living)])
        used, first = np.unique(own, return_index=True)
        values = parts(arrays, name)
        table = np.zeros(len(values), np.uint32)
        for code in used[np.argsort(first)].tolist():
            table[code] = known.setdefault(values[code], len(known))
        codes.append(table[own])
    return {name: np.concatenate(codes)} | _table(name, known)


def names_of(arrays: Arrays) -> dict[str, list[str]]:
    """Folded query name to the keys of the fields it means, of all works."""
    return work_names(parts(arrays, "work"))
