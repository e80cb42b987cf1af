"""Leaves as old books have them, made by a seed from permissive text: the poems of npm `chinese-poetry` (MIT, by the lock file).

The text is poured into half-leaves with columns, indentation, small notes `(right/left)` and （…）, notes that run on over a leaf's end, blank and
missing leaves, missing glyphs and variant forms; some leaves and works are not for everybody. What a leaf holds is known here before it is
written down, so that nothing of the archive's reading code has a part in what is expected of it.
"""

from __future__ import annotations

import functools
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument
from benchmarks.search.plain_reading import fold_table

ROOT = Path(__file__).parents[3]
POEMS = ROOT / "node_modules" / "chinese-poetry" / "dist"
_SOURCES = ("quantangshi/poet.tang.*.json", "songci/ci.song.*.json", "yuanqu/yuanqu.json")

GLYPHS = {
    chr(0xF0000 + number): markup
    for number, markup in enumerate(("&KR90001;", "&KR90002;", "&KR91234;", "⿰艮龜", "⿱龍⿰鹿鳥", "[艮*飛]", "[鹿+齊]"))
}
"""Stand-in of a glyph that no font has → how a leaf writes it."""
_RARE = [*GLYPHS, "□", "〓", "\ue123", "\U0010203f", "𠀀", "〇"]
_MARKUP = str.maketrans(GLYPHS)
_COLLECTIONS = ("tang", "song", "yuan", "misc")
_KINDS = ("gazetteer", "anthology")


@dataclass(frozen=True)
class Leaf:
    """`cells` are its characters in reading order (a glyph as its stand-in), `notes` the stretches of them that are small notes."""

    text: str
    cells: str
    notes: tuple[tuple[int, int], ...]
    section: str = ""
    juan: str = ""
    seen: Audience = Audience.PUBLIC


@dataclass(frozen=True)
class Work:
    """A work with its leaves in order, None for a missing one. `title` is all its description says."""

    item: str
    title: str
    collection: str
    kind: str
    year: int
    leaves: tuple[Leaf | None, ...] = field(repr=False)
    seen: Audience = Audience.PUBLIC


def typed(cells: str) -> str:
    """Characters as a reader types them."""
    return cells.translate(_MARKUP)


# Folding, read from the data alone


@functools.cache
def _table() -> dict[int, str]:
    return {ord(char): end for char, end in fold_table().items()}


def folded(cells: str) -> str:
    """Characters folded by the tables; as long as given."""
    return cells.translate(_table())


@functools.cache
def mates() -> dict[str, tuple[str, ...]]:
    """Each Han character that can be written otherwise to all the ways of writing it."""
    classes: dict[str, set[str]] = {}
    for char, end in fold_table().items():
        if _is_han(char) and _is_han(end):
            classes.setdefault(end, {end}).add(char)
    return {char: tuple(sorted(forms)) for forms in classes.values() for char in forms}


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


def rewritten(rng: random.Random, cells: str, share: float) -> str:
    """The same text in another hand: this share of its characters in one of their other forms."""
    chars = list(cells)
    for at in rng.sample(range(len(chars)), int(len(chars) * share)):
        chars[at] = rng.choice(mates().get(chars[at], chars[at]))
    return "".join(chars)


# Making leaves


def poems() -> str:
    """The Han characters of many poems, in the package's order. Raises AssertionError when the package is not installed."""
    if not POEMS.is_dir():
        raise AssertionError("node_modules/chinese-poetry is not there: python -m tasks assets --tests")
    return "".join(itertools.chain.from_iterable(map(_poems_of, _SOURCES)))


def _poems_of(pattern: str) -> Iterator[str]:
    for path in sorted(POEMS.glob(pattern))[:14]:
        for poem in json.loads(path.read_text("utf-8")):
            yield "".join(filter(_is_han, "".join(poem["paragraphs"])))


def make_works(seed: int, leaves: int, largest: int = 4000) -> list[Work]:
    """Works of together so many leaves: one `largest`, some of hundreds, many small ones."""
    rng, text = random.Random(seed), poems()
    sizes = [min(largest, leaves // 3)]
    while sum(sizes) < leaves:
        sizes.append(min(rng.choice((1, 3, 12, 40, 150, 400, 900)), leaves - sum(sizes)))
    works, at = [], 0
    for number, size in enumerate(sizes):
        cut = text[at : at + 110 * size + 40]
        at = (at + len(cut)) % (len(text) - 110 * largest)
        works.append(_work(rng, number, cut, size))
    return works


def _work(rng: random.Random, number: int, text: str, size: int) -> Work:
    hand = rng.choice((0.0, 0.02, 0.3))
    leaves = tuple(_Pouring(rng, rewritten(rng, text, hand)).leaves(size))
    title = "".join(rng.choice(text) for _ in range(rng.randint(2, 5)))
    seen = Audience.STAFF if rng.random() < 0.06 and size < 1000 else Audience.PUBLIC
    return Work(
        f"work-{number}", title, rng.choice(_COLLECTIONS), rng.choice(_KINDS), rng.randint(1368, 1949), _with_places(rng, leaves), seen
    )


def _with_places(rng: random.Random, leaves: tuple[Leaf | None, ...]) -> tuple[Leaf | None, ...]:
    """The leaves with 门目 and 卷, and some of them for fewer readers."""
    placed: list[Leaf | None] = []
    section, juan = "建置", 1
    for leaf in leaves:
        if rng.random() < 0.05:
            section = rng.choice(("建置", "山川", "食貨", "人物", "藝文"))
            juan += rng.random() < 0.4
        seen = rng.choice((Audience.READING_ROOM, Audience.STAFF)) if rng.random() < 0.01 else Audience.PUBLIC
        placed.append(leaf and replace(leaf, section=section, juan=str(juan), seen=seen))
    return tuple(placed)


class _Pouring:
    """Text on its way into leaves. A note may be cut by a leaf's end; it is then closed and opened anew, or left open over the end."""

    def __init__(self, rng: random.Random, text: str) -> None:
        self.rng = rng
        self.text = text
        self.at = 0
        self.note_left = 0
        """Characters of the note being poured that are still to come."""
        self.note_open = False
        """The leaf before ended inside a note that it did not close."""
        self.punctuated = rng.random() < 0.4
        self.brackets = rng.choice(("()", "()", "（）"))

    def leaves(self, count: int) -> Iterator[Leaf | None]:
        missing = False
        for _ in range(count):
            if missing:
                missing = False
                yield None
            elif not self.note_open and self.rng.random() < 0.01:
                yield Leaf("　\n", "", ())
            else:
                missing = self.rng.random() < 0.015
                yield self.leaf(missing)

    def leaf(self, last: bool) -> Leaf:
        """A leaf; on the `last` before a gap nothing stays open."""
        rng, room = self.rng, self.rng.randint(60, 150)
        parts, cells, notes, length = [], [], [], 0
        while length < room:
            noted = self.note_left > 0
            if not noted and parts and rng.random() < 0.5:
                self.note_left, noted = rng.randint(2, 40), True
            wanted = self.note_left if noted else rng.randint(1, 60)
            stretch = self.taken(min(wanted, room - length))
            cells.append(stretch)
            if noted:
                self.note_left -= len(stretch)
                stays = self.note_left > 0 and not last and rng.random() < 0.6
                parts.append(self.note(stretch, opens=not self.note_open, closes=not stays))
                self.note_open = stays
                if notes and notes[-1][1] == length:
                    notes[-1] = (notes[-1][0], length + len(stretch))
                else:
                    notes.append((length, length + len(stretch)))
            else:
                parts.append(self.main(stretch))
            length += len(stretch)
        return Leaf("".join(parts), "".join(cells), tuple(notes))

    def taken(self, most: int) -> str:
        if self.at + most > len(self.text):
            self.at = 0
        stretch = self.text[self.at : self.at + most]
        self.at += most
        if self.rng.random() < 0.1:
            place = self.rng.randrange(len(stretch))
            stretch = stretch[:place] + self.rng.choice(_RARE) + stretch[place + 1 :]
        return stretch

    def note(self, cells: str, opens: bool, closes: bool) -> str:
        """`(right/left)`; a long one may take two columns, each with its own brackets."""
        before, after = self.brackets
        if len(cells) > 12 and self.rng.random() < 0.4:
            half = len(cells) // 2
            inner = f"{self.halves(cells[:half])}{after}\n{before}{self.halves(cells[half:])}"
        else:
            inner = self.halves(cells)
        return (before if opens else "") + inner + (after if closes else "")

    def halves(self, cells: str) -> str:
        middle = (len(cells) + 1) // 2
        sign = "/" if self.brackets == "()" else ""
        return typed(cells[:middle]) + sign + typed(cells[middle:])

    def main(self, cells: str) -> str:
        """Columns, some indented; or clauses with their points."""
        if not self.punctuated:
            width = self.rng.randint(16, 22)
            columns = [typed(cells[at : at + width]) for at in range(0, len(cells), width)]
            return self.rng.choice(("\n", "\n　　", "\n　")).join(columns) + self.rng.choice(("", "\n"))
        width = self.rng.choice((4, 5, 7))
        clauses = [typed(cells[at : at + width]) for at in range(0, len(cells), width)]
        return self.rng.choice(("，", "。\n", "、 ", "；「")).join(clauses) + "。"


def documents(work: Work) -> Iterator[IndexDocument]:
    """The work as the index gets it: its description, then its leaves."""
    shared = IndexDocument(
        work.item,
        "item",
        "",
        work.title,
        Visibility(work.seen),
        title=work.title,
        collection=work.collection,
        kind=work.kind,
        year_first=work.year,
        year_last=work.year,
        fields={"creator": (work.title[::-1],)},
        field_names={"creator": ("责任者", "creator")},
    )
    yield shared
    before = False
    for position, leaf in enumerate(work.leaves, 1):
        if leaf is not None:
            yield replace(
                shared,
                target="page",
                key=f"p{position}",
                text=leaf.text,
                visibility=Visibility(max(work.seen, leaf.seen, key=lambda audience: audience.rank)),
                joins_previous=before,
                notes=True,
                position=position,
                label=f"葉{position}",
                section=leaf.section,
                juan=leaf.juan,
                source="donor",
            )
        before = leaf is not None
