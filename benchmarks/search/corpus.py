"""The corpus of leaves as every measurement reads it: items for the index, folded texts for other engines, questions cut from it by a seed.

A line of the file is `{"work", "title", "juan", "leaf", "text"}`; a work's leaves stand together. What the leaves do not tell (first year,
dynasty) is drawn by the name of the work, so that ranges and facets have something to do and are the same in every run.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument
from archive.search.chinese import fold, read

TODAY = date(2026, 11, 22)
_OPEN = Visibility(Audience.PUBLIC)
_LEAF = re.compile(r"(\d+)-(\d+)([ab])")
_SAMPLED = 4000
_OPERATORS = frozenset("或非")


class Leaf(msgspec.Struct):
    """One line of the file."""

    work: str
    title: str
    juan: str
    leaf: str
    text: str


def leaves(path: Path, limit: int | None = None) -> Iterator[Leaf]:
    """The leaves of a file, `limit` of them."""
    decode = msgspec.json.Decoder(Leaf).decode
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        for number, line in enumerate(stream):
            if limit is not None and number >= limit:
                return
            yield decode(line)


def _follows(leaf: str, before: str) -> bool:
    """True when one leaf is the next of another, as far as their names tell; a gap is a wall."""
    one, two = _LEAF.search(before), _LEAF.search(leaf)
    if one is None or two is None:
        return False
    place = [int(match[1]) * 100_000 + int(match[2]) * 2 + (match[3] == "b") for match in (one, two)]
    return place[1] - place[0] == 1 or (int(two[1]) == int(one[1]) + 1 and int(two[2]) == 1 and two[3] == "a")


def items(path: Path, limit: int | None = None) -> Iterator[tuple[str, Iterator[IndexDocument]]]:
    """Each work of the corpus as an item: its description and its leaves."""
    for work, of_work in groupby(leaves(path, limit), key=lambda leaf: leaf.work):
        yield work.lower(), documents(work.lower(), of_work)


def documents(item: str, of_work: Iterable[Leaf]) -> Iterator[IndexDocument]:
    """A work's description and leaves, as the index takes them."""
    rng, before = random.Random(item), ""
    shared: dict[str, Any] = {"collection": "fangzhi", "kind": "gazetteer", "year_first": rng.randint(1368, 1911)}
    shared |= {"fields": {"dynasty": (rng.choice("明清"),)}, "field_names": {"dynasty": ("时代",)}, "facets": ("dynasty",)}
    for position, leaf in enumerate(of_work, 1):
        if position == 1:
            yield IndexDocument(item, "item", "", leaf.title, _OPEN, title=leaf.title, **shared)
        joins = _follows(leaf.leaf, before)
        before = leaf.leaf
        yield IndexDocument(
            item,
            "page",
            f"p{position}",
            leaf.text,
            _OPEN,
            joins,
            True,
            position,
            leaf.leaf,
            title=leaf.title,
            section=leaf.juan,
            source="donor",
            **shared,
        )


@dataclass(frozen=True, slots=True)
class FoldedLeaf:
    """What other engines are given of a leaf: the characters that count, folded, and the values of its facets."""

    id: str
    text: str
    year: int
    dynasty: str
    section: str


def folded(everything: Iterable[tuple[str, Iterable[IndexDocument]]]) -> Iterator[FoldedLeaf]:
    """The leaves of items, read and folded by our own tables: all engines hold the same characters."""
    for _item, some in everything:
        for document in some:
            if document.target == "page":
                text = fold(read(document.text, document.notes).written)
                yield FoldedLeaf(
                    f"{document.item}/{document.key}", text, document.year_first or 0, document.fields["dynasty"][0], document.section
                )


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, for any engine: a kind of question and its strings."""

    kind: str
    words: tuple[str, ...]


KINDS = (
    "1 character",
    "2 characters",
    "3-4",
    "8-30",
    "AND",
    "OR",
    "NOT",
    "filter + range",
    "5 facets",
    "sorted",
    "page 50",
    "甲?乙",
    "近:5",
)


class Cutter:
    """Cuts strings from leaves drawn by a seed. A string stands on one leaf, read through its notes, and is typed as it is written there."""

    def __init__(self, path: Path, limit: int | None, seed: int) -> None:
        self._rng = random.Random(seed)
        drawn: list[str] = []
        for number, leaf in enumerate(leaves(path, limit)):
            if len(drawn) < _SAMPLED:
                drawn.append(leaf.text)
            elif (at := self._rng.randrange(number + 1)) < _SAMPLED:
                drawn[at] = leaf.text
        written = (read(text, True).written for text in drawn)
        self._texts = [text for text in written if len(text) > 60]

    def cut(self, low: int, high: int) -> str:
        """A string of so many characters, none of which stands for a glyph without a code point."""
        while True:
            text = self._rng.choice(self._texts)
            length = self._rng.randint(low, high)
            start = self._rng.randint(0, len(text) - length)
            word = text[start : start + length]
            if word not in _OPERATORS and not any("\U00040000" <= char <= "\U000e0000" for char in word):
                return word

    def _one_or_two(self) -> str:
        return self.cut(1, 2)

    def questions(self, count: int, kinds: Iterable[str] = KINDS) -> dict[str, list[Question]]:
        """So many questions of each kind. Filter, facets, sorting and page 50 are asked of strings of one or two characters."""
        words: dict[str, Callable[[], tuple[str, ...]]] = {
            "1 character": lambda: (self.cut(1, 1),),
            "2 characters": lambda: (self.cut(2, 2),),
            "3-4": lambda: (self.cut(3, 4),),
            "8-30": lambda: (self.cut(8, 30),),
            "AND": lambda: (self.cut(2, 2), self.cut(2, 2)),
            "OR": lambda: (self.cut(2, 2), self.cut(2, 2)),
            "NOT": lambda: (self.cut(2, 2), self.cut(1, 2)),
            "甲?乙": lambda: (self.cut(1, 1), self.cut(1, 1)),
            "近:5": lambda: (self.cut(1, 2), self.cut(1, 2)),
        }
        return {kind: [Question(kind, words.get(kind, lambda: (self._one_or_two(),))()) for _ in range(count)] for kind in kinds}
