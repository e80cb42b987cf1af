"""Engines that hold the same leaves and answer the same questions: ours, tantivy, SQLite's FTS5 with trigrams.

All count exactly and give the first 20 by the archive's own ids, which tantivy has stored. Tantivy has two fields of folded text, bigrams with positions and single characters with frequencies
(`whitespace` tokens cut by us); FTS5 finds strings of three characters and more by its index and shorter ones by LIKE over all rows. Neither
reads on from leaf to leaf or over a small note, as ours does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from archive.search.base import Query
from archive.search.chinese import fold
from archive.search.whoosh_index import WhooshIndex
from benchmarks.search.corpus import TODAY, FoldedLeaf, Question

FIVE = ("collection", "kind", "decade", "dynasty", "section")
YEARS = (1400, 1700)
DYNASTY = "明"
SHOWN = 20
_PLAIN: dict[str, Any] = {"snippets": False}


class Engine(Protocol):
    """Something that answers questions."""

    def ask(self, question: Question) -> int:
        """The exact number of leaves that match; 20 of them are fetched on the way."""


def query_of(question: Question, snippets: bool = True) -> Query:
    """A question in our own query language."""
    words = question.words
    query = Query(words[0], today=TODAY, facets=(), **({} if snippets else _PLAIN))
    match question.kind:
        case "AND":
            return replace(query, text=" ".join(words))
        case "OR":
            return replace(query, text=" OR ".join(words))
        case "NOT":
            return replace(query, text=f"{words[0]} -{words[1]}")
        case "甲?乙":
            return replace(query, text="?".join(words))
        case "近:5":
            return replace(query, text=f"近:5({' '.join(words)})")
        case "filter + range":
            return replace(query, filters={"dynasty": DYNASTY}, year_from=YEARS[0], year_to=YEARS[1])
        case "5 facets":
            return replace(query, facets=FIVE)
        case "sorted":
            return replace(query, sort="date")
        case "page 50":
            return replace(query, offset=49 * SHOWN)
    return query


class Ours:
    """Our index in a folder."""

    def __init__(self, folder: Path, snippets: bool = False) -> None:
        self.index, self.snippets = WhooshIndex(folder), snippets

    def ask(self, question: Question) -> int:
        return self.index.search(query_of(question, self.snippets)).total


def _pairs(text: str) -> list[str]:
    return [first + second for first, second in pairwise(text)]


class Tantivy:
    """Tantivy in a folder, through its own Python package."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._make = tantivy.Query
        self._occur = tantivy.Occur
        self.index = tantivy.Index(_tantivy_schema(), path=str(folder))
        self.index.reload()
        self.searcher = self.index.searcher()

    @staticmethod
    def build(folder: Path, texts: Iterable[FoldedLeaf]) -> None:
        """One writing thread; its merges may run beside it."""
        import tantivy

        folder.mkdir(parents=True)
        index = tantivy.Index(_tantivy_schema(), path=str(folder))
        writer = index.writer(heap_size=300_000_000, num_threads=1)
        for leaf in texts:
            writer.add_document(
                tantivy.Document(
                    id=leaf.id,
                    bi=" ".join(_pairs(leaf.text)),
                    uni=" ".join(leaf.text),
                    collection="fangzhi",
                    kind="gazetteer",
                    decade=leaf.year // 10 * 10,
                    year=leaf.year,
                    dynasty=leaf.dynasty,
                    section=leaf.section,
                )
            )
        writer.commit()
        writer.wait_merging_threads()

    def ask(self, question: Question) -> int:
        query = self._query(question)
        if question.kind == "5 facets":
            self.searcher.aggregate(query, {name: {"terms": {"field": name, "size": 1000}} for name in FIVE})
        offset = 49 * SHOWN if question.kind == "page 50" else 0
        found = self.searcher.search(query, limit=SHOWN, count=True, offset=offset)
        self.shown = [self.searcher.doc(address)["id"] for _score, address in found.hits]
        return int(found.count)

    def _word(self, word: str) -> Any:
        text = fold(word)
        if len(text) == 1:
            return self._make.term_query(self.index.schema, "uni", text)
        if len(text) == 2:
            return self._make.term_query(self.index.schema, "bi", text)
        return self._make.phrase_query(self.index.schema, "bi", _pairs(text))

    def _query(self, question: Question) -> Any:
        import tantivy

        words = [self._word(word) for word in question.words]
        must, should, not_ = self._occur.Must, self._occur.Should, self._occur.MustNot
        match question.kind:
            case "AND":
                return self._make.boolean_query([(must, word) for word in words])
            case "OR":
                return self._make.boolean_query([(should, word) for word in words])
            case "NOT":
                return self._make.boolean_query([(must, words[0]), (not_, words[1])])
            case "filter + range":
                years = self._make.range_query(self.index.schema, "year", tantivy.FieldType.Integer, *YEARS)
                dynasty = self._make.term_query(self.index.schema, "dynasty", DYNASTY)
                return self._make.boolean_query([(must, words[0]), (must, dynasty), (must, years)])
        return words[0]


def _tantivy_schema() -> Any:
    import tantivy

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    schema.add_text_field("bi", tokenizer_name="whitespace", index_option="position")
    schema.add_text_field("uni", tokenizer_name="whitespace", index_option="freq")
    for name in ("collection", "kind", "dynasty", "section"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    schema.add_integer_field("year", indexed=True, fast=True)
    schema.add_integer_field("decade", indexed=False, fast=True)
    return schema.build()


class Trigram:
    """FTS5 of SQLite with its trigram tokenizer, in one file."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)

    @staticmethod
    def build(path: Path, texts: Iterable[FoldedLeaf]) -> None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA synchronous = off")
        connection.execute("CREATE VIRTUAL TABLE leaves USING fts5(text, tokenize = 'trigram')")

        def rows() -> Iterator[tuple[str]]:
            for leaf in texts:
                yield (leaf.text,)

        connection.executemany("INSERT INTO leaves (text) VALUES (?)", rows())
        connection.commit()
        connection.close()

    def ask(self, question: Question) -> int:
        text = fold(question.words[0])
        # The + keeps SQLite 3.40 from asking the index, which finds nothing for two characters of three bytes each.
        where, value = ("+text LIKE ?", f"%{text}%") if len(text) < 3 else ("leaves MATCH ?", f'"{text}"')
        rows = self.connection.execute(f"SELECT rowid FROM leaves WHERE {where}", (value,)).fetchall()
        return len(rows)
