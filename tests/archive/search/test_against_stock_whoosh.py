"""Stock Whoosh as a slow second opinion, on 1,000 of the leaves of `poetry_leaves`: a character a token, phrases, their spans counted.

Stock Whoosh knows nothing of leaves that run on or of notes. So a document is a leaf with the characters that follow it, once read through its
notes and once over them, and only what begins on the leaf itself counts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import poetry_leaves
import pytest
from brute_force import Row
from poetry_leaves import folded, typed
from whoosh import fields, query
from whoosh.analysis import RegexTokenizer
from whoosh.index import FileIndex, create_in
from whoosh.searching import Searcher

from archive.model.rights import Audience
from archive.search.base import Query
from archive.search.whoosh_index import WhooshIndex

pytestmark = pytest.mark.slow

LEAVES = 1000
TAIL = 29
"""Characters of the leaves after it that a string of 30 can reach."""


@pytest.fixture(scope="module")
def works() -> list[poetry_leaves.Work]:
    return poetry_leaves.make_works(11, LEAVES)


@pytest.fixture(scope="module")
def row(works: list[poetry_leaves.Work]) -> Row:
    return Row.of(works, Audience.STAFF)


@pytest.fixture(scope="module")
def ours(works: list[poetry_leaves.Work], tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    index = WhooshIndex(tmp_path_factory.mktemp("ours"))
    index.rebuild((work.item, poetry_leaves.documents(work)) for work in works)
    return index


@pytest.fixture(scope="module")
def stock(row: Row, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    index = _stock_index(row, tmp_path_factory.mktemp("stock"))
    with index.searcher() as searcher:
        yield searcher
    index.close()


def _stock_index(row: Row, folder: Path) -> FileIndex:
    characters = RegexTokenizer(r"[^\n]")
    text = fields.TEXT(analyzer=characters, phrase=True)
    index = create_in(folder, fields.Schema(leaf=fields.STORED, own=text, through=text, over=text))
    writer = index.writer(limitmb=256)
    for number, leaf in enumerate(row.leaves):
        begin = row.begins[number]
        end = begin + len(leaf.cells)
        wall = row.folded.index("\n", end)
        main = [at for at in range(begin, wall) if not row.noted[at]]
        inside = sum(at < end for at in main)
        over = "".join(row.folded[at] for at in main[: inside + TAIL])
        writer.add_document(leaf=number, own=row.folded[begin:end], through=row.folded[begin : min(wall, end + TAIL)], over=over)
    writer.commit()
    return index


def _spans(searcher: Searcher, field: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Leaf and place of each occurrence of a string in a field."""
    terms = [query.Term(field, char) for char in wanted]
    phrase = query.Phrase(field, list(wanted)) if len(terms) > 1 else terms[0]
    matcher = phrase.matcher(searcher)
    while matcher.is_active():
        leaf = searcher.stored_fields(matcher.id())["leaf"]
        yield from ((leaf, span.start) for span in matcher.spans())
        matcher.next()


def _theirs(searcher: Searcher, row: Row, wanted: str) -> Counter[tuple[str, str]]:
    """How often a string begins on each leaf, by stock Whoosh."""
    begun: set[tuple[int, int]] = set()
    for leaf, place in _spans(searcher, "through", wanted):
        if place < len(row.leaves[leaf].cells):
            begun.add((leaf, place))
    for leaf, place in _spans(searcher, "over", wanted):
        main = [at for at in range(len(row.leaves[leaf].cells)) if not row.noted[row.begins[leaf] + at]]
        if place < len(main):
            begun.add((leaf, main[place]))
    return Counter(row.names[leaf] for leaf, _place in begun)


def test_stock_whoosh_finds_every_string_as_often_on_the_same_leaves(ours: WhooshIndex, stock: Searcher, row: Row) -> None:
    rng, hits = random.Random(12), 0
    for _ in range(120):
        text = row.written if rng.random() < 0.6 else row.main_written
        begin = rng.randrange(len(text) - 30)
        wanted = text[begin : begin + rng.randint(1, 12)].split("\n")[0]
        if not wanted:
            continue
        theirs = _theirs(stock, row, folded(wanted))
        hits += bool(theirs)
        results = ours.search(Query(typed(wanted), reader=Audience.STAFF, limit=1000, facets=(), taboo=False))
        assert Counter({(hit.item, hit.key): hit.matches for hit in results.hits if hit.target == "page"}) == theirs, wanted
        assert (results.total, results.occurrences) == (len(theirs), theirs.total()), wanted
    assert hits > 90


def test_stock_whoosh_joins_and_leaves_out_the_same_leaves(ours: WhooshIndex, stock: Searcher, row: Row) -> None:
    rng = random.Random(13)
    for _ in range(40):
        one, two = (rng.choice(row.leaves[0].cells) for _ in range(2))
        first, second = (query.Term("own", folded(char)) for char in (one, two))
        for text, theirs in {
            f"{typed(one)} OR {typed(two)}": query.Or([first, second]),
            f"{typed(one)} -{typed(two)}": query.AndNot(first, second),
        }.items():
            assert ours.search(Query(text, reader=Audience.STAFF, limit=0, facets=(), taboo=False)).total == len(
                stock.search(theirs, limit=None)
            ), text
