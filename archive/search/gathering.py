"""Documents on their way into a segment: cut into chunks of one item each, and kept as columns until there are enough to build arrays of.

A work of tens of thousands of leaves is several chunks, so that a corrected leaf costs the writing of one. Where the text runs on over a cut, each
side has copies of leaves of the other, its *shadows*: a string that begins in a chunk is found whole in it, and whatever is near is there.
"""

from __future__ import annotations

import hashlib
import marshal
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from archive.search.base import IndexDocument
from archive.search.chinese import read
from archive.search.facts_build import Chunk, Row, row_of
from archive.search.segment_facts import JOINS, NOTES, SHADOW, work_of
from archive.search.syntax import MAX_DISTANCE, MAX_LENGTH

CHUNK_LEAST, CHUNK_MOST = 400_000, 1_000_000
"""Characters of a chunk as written. An item of no more than CHUNK_MOST is one chunk; a chunk ends before a document chosen by its key."""
CHUNK_CHOICE = 256
"""One document in so many may begin a chunk, so that cuts stay where they are when leaves are added elsewhere."""
SHADOW_CHARACTERS = MAX_LENGTH + MAX_DISTANCE
"""Characters of main text on the other side of a cut that a query can reach: the longest string, and the farthest 近."""


@dataclass(slots=True)
class Gathered:
    """What is known of the documents of some chunks, by column (the fields of `Row`), and their texts, one after another."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in Row._fields})
    texts: list[str] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def joins(self) -> list[bool]:
        """Which texts run on from the one before."""
        return [flags & JOINS > 0 for flags in self.columns["flags"]]

    @property
    def notes(self) -> list[bool]:
        """In which texts brackets are small notes."""
        return [flags & NOTES > 0 for flags in self.columns["flags"]]

    def add(self, rows: Sequence[Row], texts: Sequence[str], digest: int) -> None:
        """Take in a chunk."""
        for name, values in zip(Row._fields, zip(*rows, strict=True), strict=True):
            self.columns[name] += values
        self.texts += texts
        self.chunks.append(Chunk(len(rows), digest))


class Gathering:
    """Takes chunks in and hands them out together. `characters` counts what was taken in since it was last emptied, `total` ever."""

    def __init__(self) -> None:
        self._gathered = Gathered()
        self.characters = 0
        self.total = 0

    @property
    def documents(self) -> int:
        return len(self._gathered.texts)

    def add(self, rows: Sequence[Row], texts: Sequence[str], digest: int) -> None:
        """Take in a chunk."""
        self._gathered.add(rows, texts, digest)
        length = sum(map(len, texts))
        self.characters += length
        self.total += length

    def take(self) -> Gathered:
        """What was gathered; nothing is left."""
        taken, self._gathered, self.characters = self._gathered, Gathered(), 0
        return taken


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk on its way in: rows and texts of its documents, shadows before and behind, and the digest of all of it."""

    rows: Sequence[Row]
    texts: Sequence[str]
    digest: int


def pieces_of(documents: Iterable[IndexDocument]) -> Iterator[Piece]:
    """The documents of one item as chunks."""
    rows, texts = rows_of(documents)
    cuts = [0, *_cuts(rows, texts), len(rows)]
    for begin, end in pairwise(cuts):
        if begin < end:
            yield _piece(rows, texts, begin, end)


def _cuts(rows: Sequence[Row], texts: Sequence[str]) -> Iterator[int]:
    """Before which documents a chunk begins, but for the first."""
    left = sum(map(len, texts))
    if left <= CHUNK_MOST:
        return
    size = 0
    for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
        chosen = size >= CHUNK_LEAST and zlib.crc32(row.key) % CHUNK_CHOICE == 0
        if number and (chosen or size + len(text) > CHUNK_MOST):
            yield number
            size = 0
        size += len(text)


def _piece(rows: Sequence[Row], texts: Sequence[str], begin: int, end: int) -> Piece:
    first, last = _first_shadow(rows, texts, begin), _last_shadow(rows, texts, end)
    own = [row if begin <= number < end else row._replace(flags=row.flags | SHADOW) for number, row in enumerate(rows[first:last], first)]
    if first < begin:
        own[0] = own[0]._replace(flags=own[0].flags & ~JOINS)
    # marshal 2 writes equal values equally, whether they are the same object or not.
    content = marshal.dumps(([tuple(row) for row in own], list(texts[first:last])), 2)
    digest = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")
    return Piece(own, texts[first:last], digest)


def _first_shadow(rows: Sequence[Row], texts: Sequence[str], begin: int) -> int:
    """The first document whose text a query that finds something from `begin` on can reach, and one more: whether a document begins in a note
    left open is known when the one before it is there."""
    reached, number = 0, begin
    while number > 0 and rows[number].flags & JOINS and reached < SHADOW_CHARACTERS:
        number -= 1
        reached += _main_characters(rows, texts, number)
    return number - 1 if 0 < number < begin and rows[number].flags & JOINS else number


def _last_shadow(rows: Sequence[Row], texts: Sequence[str], end: int) -> int:
    """Before which document the shadows of a chunk that ends at `end` stop: a neighbour, and what strings that begin in it can reach."""
    reached, number = 0, end
    while number < len(rows) and rows[number].flags & JOINS and reached < SHADOW_CHARACTERS:
        if number > end:
            reached += _main_characters(rows, texts, number)
        number += 1
    return number


def _main_characters(rows: Sequence[Row], texts: Sequence[str], number: int) -> int:
    """Characters of main text of a document."""
    notes, open_note = bool(rows[number].flags & NOTES), 0
    if notes and rows[number].flags & JOINS and rows[number - 1].flags & NOTES:
        open_note = read(texts[number - 1], True).open_note
    reading = read(texts[number], notes, open_note)
    return len(reading.written) - sum(end - begin for begin, end in reading.notes)


def rows_of(documents: Iterable[IndexDocument]) -> tuple[list[Row], list[str]]:
    """Rows and texts of the documents of one item."""
    rows: list[Row] = []
    texts: list[str] = []
    before: IndexDocument | None = None
    work = b""
    for document in documents:
        if before is None or not _same_work(before, document):
            work = work_of(document)
        joins = document.joins_previous and before is not None and before.target == document.target and before.item == document.item
        rows.append(row_of(document, work, joins))
        texts.append(document.text)
        before = document
    return rows, texts


def _same_work(one: IndexDocument, other: IndexDocument) -> bool:
    """True when two documents surely describe the same work: most of an item's documents share the very objects."""
    return (
        one.fields is other.fields
        and one.field_names is other.field_names
        and one.facets is other.facets
        and one.proper_names is other.proper_names
        and (one.title, one.collection, one.kind, one.year_first, one.year_last, one.date, one.call_number)
        == (other.title, other.collection, other.kind, other.year_first, other.year_last, other.date, other.call_number)
    )
