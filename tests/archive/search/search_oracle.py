"""What the search must find, worked out the slow way and apart from it: character by character, with nothing of the index but the fold table.

An archive here is a list of works; a work a list of leaves (or None for a missing one). The generator makes them by a seed.
"""

from __future__ import annotations

import functools
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from archive.model.rights import Audience, Visibility
from archive.search import chinese
from archive.search.base import IndexDocument

fold = functools.cache(chinese.fold)

_COMMON = "安康漢隂陰阴西陝陜陕興府志水利州縣县金石泉山川人物王后後之曆厯歷"
_RARE = "𢎞𨽻𠀀\ue123\U0010203f□〓〇乾隆"
_LAYOUT = ["\n", "\n　　", "，", "。", " ", "　", "《", "\n\n"]


@dataclass(frozen=True)
class Leaf:
    """`cells`: (character, in a note, in how the note began here) in reading order, and the text they are written as."""

    text: str
    cells: tuple[tuple[str, bool], ...]
    audience: Audience = Audience.PUBLIC


Work = list[Leaf | None]


def _character(rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.03:
        return rng.choice(["&KR1234;", "&KR0021;", "⿰氵青", "[車*犬]"])
    if chance < 0.08:
        return rng.choice(_RARE)
    return rng.choice(_COMMON)


def make_leaf(rng: random.Random, note_open: bool, may_stay_open: bool, audience: Audience) -> tuple[Leaf, bool]:
    """A leaf that begins in a note or not; and whether it ends in one (a note goes on over one leaf's end at most)."""
    text: list[str] = []
    cells: list[tuple[str, bool]] = []
    inside, carried = note_open, note_open
    for _ in range(rng.randint(0, 40)):
        chance = rng.random()
        if chance < 0.08:
            text.append(rng.choice("）)" if inside else "（("))
            inside, carried = not inside, False
        elif inside and chance < 0.14:
            text.append("/")
        elif chance < 0.25:
            text.append(rng.choice(_LAYOUT))
        else:
            char = _character(rng)
            text.append(char)
            cells.append((char, inside))
    if inside and (carried or not may_stay_open):
        text.append(")")
        inside = False
    return Leaf("".join(text), tuple(cells), audience), inside


def make_work(rng: random.Random, leaves: int) -> Work:
    work: Work = []
    inside = False
    for number in range(leaves):
        if not inside and rng.random() < 0.1:
            work.append(None)
            continue
        audience = Audience.STAFF if rng.random() < 0.12 else Audience.PUBLIC
        leaf, inside = make_leaf(rng, inside, number + 1 < leaves, audience)
        work.append(leaf)
    return work


def documents(item: str, work: Work) -> list[IndexDocument]:
    """The work as the index gets it."""
    made, before = [], False
    for position, leaf in enumerate(work, 1):
        if leaf is not None:
            made.append(
                IndexDocument(
                    item,
                    "page",
                    f"p{position}",
                    leaf.text,
                    Visibility(leaf.audience),
                    joins_previous=before,
                    notes=True,
                    position=position,
                    title=item,
                )
            )
        before = leaf is not None
    return made


@functools.cache
def _cells_of(leaves: tuple[Leaf | None, ...]) -> list[list[tuple[int, str, bool]]]:
    """Unbroken stretches of (leaf number, character, in a note)."""
    stretches: list[list[tuple[int, str, bool]]] = [[]]
    for number, leaf in enumerate(leaves):
        if leaf is None:
            stretches.append([])
        else:
            stretches[-1].extend((number, char, noted) for char, noted in leaf.cells)
    return stretches


def _cells(work: Work) -> list[list[tuple[int, str, bool]]]:
    return _cells_of(tuple(work))


@functools.cache
def _streams_of(leaves: tuple[Leaf | None, ...], exact: bool) -> list[tuple[list[tuple[int, str, bool]], list[int], str, bool]]:
    """For each stretch, through its notes and over them: its cells, the places of the stream, the stream as a string, and whether it is over."""
    streams = []
    for stretch in _cells_of(leaves):
        for over in (False, True):
            places = [at for at, cell in enumerate(stretch) if not (over and cell[2])]
            streams.append((stretch, places, "".join(_one(stretch[at][1], exact) for at in places), over))
    return streams


def _one(char: str, exact: bool) -> str:
    return (chinese.written_form(char) if exact else fold(char)) or "\0"


def occurrences(work: Work, wanted: Sequence[str | None], reader: Audience, *, exact: bool = False, scope: str = "") -> Counter[int]:
    """How often a string (a list of characters, None for any one) begins on each leaf (index from 0) for this reader."""
    pattern = re.compile("(?=" + "".join("." if char is None else re.escape(_one(char, exact)) for char in wanted) + ")", re.DOTALL)
    found: set[tuple[int, int, int]] = set()
    for stretch, stream, text, over in _streams_of(tuple(work), exact):
        for match in pattern.finditer(text):
            places = stream[match.start() : match.start() + len(wanted)]
            noted = [stretch[at][2] for at in places]
            if (scope == "note" and (over or not all(noted))) or (scope == "main" and any(noted)):
                continue
            first, last = stretch[places[0]][0], stretch[places[-1]][0]
            leaves = [work[number] for number in range(first, last + 1)]
            if all(leaf is not None and leaf.audience.admits(reader) for leaf in leaves):
                found.add((first, id(stretch), places[0]))
    return Counter(leaf for leaf, _stretch, _place in found)


def some_string(rng: random.Random, works: list[Work], longest: int = 8) -> list[str]:
    """A string that mostly occurs: taken through the notes or over them, across whatever breaks lie there."""
    work = rng.choice(works)
    stretch = rng.choice([part for part in _cells(work) if part] or [[(0, "安", False)]])
    stream = [cell for cell in stretch if not cell[2]] if rng.random() < 0.4 else stretch
    stream = stream or stretch
    length = rng.randint(1, min(longest, len(stream)))
    begin = rng.randint(0, len(stream) - length)
    return [char for _number, char, _noted in stream[begin : begin + length]]


def _places(work: Work, stretch_number: int, wanted: Sequence[str]) -> list[tuple[int, int]]:
    """First place and place of the last character of each occurrence in one stretch, nobody's leaves hidden."""
    found: dict[int, int] = {}
    text = "".join(_one(char, False) for char in wanted)
    # What is found over the notes first: what starts there through them goes before it.
    for _stretch, stream, characters, _over in reversed(_streams_of(tuple(work), False)[2 * stretch_number : 2 * stretch_number + 2]):
        at = characters.find(text)
        while at >= 0:
            found[stream[at]] = stream[at + len(text) - 1]
            at = characters.find(text, at + 1)
    return sorted(found.items())


def _between(stretch: list[tuple[int, str, bool]], last: int, first: int) -> int | None:
    """Characters between two places, None when the second does not lie after the first; between main text, main text alone."""
    if first <= last:
        return None
    inside = stretch[last + 1 : first]
    if stretch[last][2] or stretch[first][2]:
        return len(inside)
    return sum(not noted for _leaf, _char, noted in inside)


def near(work: Work, first: Sequence[str], second: Sequence[str], distance: int, *, ordered: bool) -> Counter[int]:
    """Occurrences of `first`, by leaf, that have `second` within the distance after them (or before, unless `ordered`). Nothing hidden."""
    counts: Counter[int] = Counter()
    for number, stretch in enumerate(_cells(work)):
        others = _places(work, number, second)
        for begin, last in _places(work, number, first):
            after = (_between(stretch, last, other) for other, _end in others)
            before = () if ordered else (_between(stretch, end, begin) for _other, end in others)
            counts[stretch[begin][0]] += any(gap is not None and gap <= distance for gap in (*after, *before))
    return +counts
