"""Documents on their way into a segment: chunks of one item each, kept as columns until there are enough to build arrays of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archive.search.base import IndexDocument
from archive.search.facts_build import Chunk, Row, row_of
from archive.search.segment_facts import JOINS, NOTES, work_of


@dataclass(slots=True)
class Gathered:
    """Rows and texts of the documents of some chunks, one after another."""

    rows: list[Row] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def joins(self) -> list[bool]:
        """Which texts run on from the one before."""
        return [row.flags & JOINS > 0 for row in self.rows]

    @property
    def notes(self) -> list[bool]:
        """In which texts brackets are small notes."""
        return [row.flags & NOTES > 0 for row in self.rows]


class Gathering:
    """Takes chunks in and hands them out together. `characters` counts what was taken in since it was last emptied, `total` ever."""

    def __init__(self) -> None:
        self._gathered = Gathered()
        self.characters = 0
        self.total = 0

    @property
    def documents(self) -> int:
        return len(self._gathered.rows)

    def add(self, rows: Sequence[Row], texts: Sequence[str], digest: int) -> None:
        """Take in a chunk."""
        self._gathered.rows += rows
        self._gathered.texts += texts
        self._gathered.chunks.append(Chunk(len(rows), digest))
        length = sum(map(len, texts))
        self.characters += length
        self.total += length

    def take(self) -> Gathered:
        """What was gathered; nothing is left."""
        taken, self._gathered, self.characters = self._gathered, Gathered(), 0
        return taken


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
