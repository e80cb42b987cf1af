"""A work of thousands of leaves is written in chunks: a corrected leaf costs one of them, and no string is lost or found twice at a cut."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest

from archive.model.rights import Audience, Visibility
from archive.search import gathering
from archive.search.base import IndexDocument, Query
from archive.search.chinese import fold
from archive.search.facts_build import Row
from archive.search.gathering import pieces_of
from archive.search.segment_facts import SHADOW
from archive.search.whoosh_index import WhooshIndex

LEAVES, COLUMNS = 8000, 9
_OPEN, _STAFF = Visibility(Audience.PUBLIC), Visibility(Audience.STAFF)


def _leaves(seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    letters = [chr(0x4E00 + n) for n in range(3000)]
    return ["\n".join("".join(rng.choices(letters, k=21)) for _ in range(COLUMNS)) for _ in range(LEAVES)]


def _documents(leaves: list[str], hidden: frozenset[int] = frozenset()) -> list[IndexDocument]:
    fields: dict[str, tuple[str, ...]] = {}
    return [
        IndexDocument(
            "big", "page", f"p{n}", text, _STAFF if n in hidden else _OPEN, joins_previous=n > 0, position=n, title="大志", fields=fields
        )
        for n, text in enumerate(leaves)
    ]


def _own(rows: list[Row] | tuple[Row, ...]) -> list[bytes]:
    return [row.key for row in rows if not row.flags & SHADOW]


@pytest.fixture(scope="module")
def leaves() -> list[str]:
    return _leaves()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, leaves: list[str]) -> Path:
    folder = tmp_path_factory.mktemp("chunks") / "index"
    WhooshIndex(folder).rebuild(iter([("big", _documents(leaves))]))
    return folder


@pytest.fixture(scope="module")
def edges(leaves: list[str]) -> list[int]:
    """The first leaf of every chunk but the first."""
    return [int(_own(list(piece.rows))[0][1:]) for piece in pieces_of(_documents(leaves))][1:]


def test_every_document_is_in_one_chunk_and_a_leaf_put_in_leaves_the_other_cuts_where_they_are(leaves: list[str]) -> None:
    before = list(pieces_of(_documents(leaves)))
    keys = [key for piece in before for key in _own(list(piece.rows))]
    assert keys == [f"p{n}".encode() for n in range(LEAVES)]
    documents = _documents(leaves)
    added = IndexDocument("big", "page", "new", "新增", _OPEN, joins_previous=True, title="大志", fields=documents[0].fields)
    after = {piece.digest for piece in pieces_of([*documents[:4000], added, *documents[4000:]])}
    assert len(before) >= 4
    assert len([piece for piece in before if piece.digest not in after]) <= 2


def test_what_runs_over_a_cut_is_found_once(folder: Path, leaves: list[str], edges: list[int]) -> None:
    index = WhooshIndex(folder)
    for edge in edges:
        for typed in (
            leaves[edge - 1][-3:] + leaves[edge][:3],
            leaves[edge - 1][-2:] + leaves[edge] + leaves[edge + 1] + leaves[edge + 2][:7],
        ):
            results = index.search(Query(typed.replace("\n", ""), limit=5))
            assert (results.total, results.items, results.occurrences) == (1, 1, 1), edge
            assert [hit.key for hit in results.hits] == [f"p{edge - 1}"]
        near = index.search(Query(f"近:100({leaves[edge][50:53]} {leaves[edge - 1][-40:-36]})".replace("\n", "")))
        assert [(hit.key, hit.matches) for hit in near.hits] == [(f"p{edge}", 1)]
        both = index.search(Query(f"{leaves[edge - 1][40:43]} {leaves[edge][64:66]}".replace("\n", "")))
        assert {hit.key for hit in both.hits} >= {f"p{edge - 1}", f"p{edge}"}


def test_a_work_in_chunks_is_one_item_with_each_leaf_once(folder: Path, leaves: list[str]) -> None:
    folded = [fold(leaf) for leaf in leaves]
    for char in leaves[0][:3]:
        results = WhooshIndex(folder).search(Query(char, facets=("kind",)))
        assert results.items == 1
        counts = [leaf.count(fold(char)) for leaf in folded]
        assert (results.total, results.occurrences) == (np.count_nonzero(counts), sum(counts))
        lines = WhooshIndex(folder).concordance(Query(char, limit=3000))
        assert (lines.total, lines.works, sum(map(len, WhooshIndex(folder).occurrences(Query(char))))) == (sum(counts), 1, sum(counts))


def test_a_corrected_leaf_is_found_at_once_and_nothing_else_changes(folder: Path, leaves: list[str], edges: list[int]) -> None:
    index = WhooshIndex(folder)
    corrected = list(leaves)
    for number in (edges[0], edges[0] - 1, edges[-1] + 1, 2):
        corrected[number] = "改正" + corrected[number][2:]
        begun = time.process_time()
        index.replace([("big", _documents(corrected))])
        assert time.process_time() - begun < 2.0
        results = index.search(Query("改正" + corrected[number][2:5]))
        assert [(hit.key, hit.matches) for hit in results.hits] == [(f"p{number}", 1)]
    fresh = WhooshIndex(folder.parent / "fresh")
    fresh.rebuild(iter([("big", _documents(corrected))]))
    rng = random.Random(5)
    everything = "".join(corrected).replace("\n", "")
    for length in (1, 2, 2, 2, 3, 4, 12) * 6:
        start = rng.randrange(len(everything) - length)
        typed = everything[start : start + length]
        one, other = (made.search(Query(typed, limit=200, sort="position")) for made in (index, fresh))
        assert (one.total, one.items, one.occurrences, one.forms) == (other.total, other.items, other.occurrences, other.forms)
        assert {(hit.key, hit.matches, hit.score) for hit in one.hits} == {(hit.key, hit.matches, hit.score) for hit in other.hits}
        assert [hit.position for hit in one.hits] == sorted(hit.position for hit in one.hits)


def test_writing_what_is_there_writes_nothing(folder: Path, leaves: list[str]) -> None:
    index = WhooshIndex(folder)
    index.replace([("big", _documents(leaves))])
    before = index.doctor()
    index.replace([("big", _documents(leaves))])
    assert {key: before[key] for key in ("chunks", "deleted", "characters")} == {
        key: index.doctor()[key] for key in ("chunks", "deleted", "characters")
    }


def test_a_hidden_leaf_beside_a_cut_stays_a_wall(folder: Path, leaves: list[str], edges: list[int]) -> None:
    index = WhooshIndex(folder)
    edge = edges[1]
    index.replace([("big", _documents(leaves, frozenset({edge})))])
    over = leaves[edge - 1][-3:] + leaves[edge][:3]
    assert index.search(Query(over)).total == 0
    assert index.search(Query(over, reader=Audience.STAFF)).total == 1
    assert index.search(Query(leaves[edge][:6])).total == 0
    assert edge not in {hit.position for hit in index.search(Query(leaves[edge][:1], limit=1000)).hits}
    index.replace([("big", _documents(leaves))])


def test_shadows_reach_as_far_as_any_query(leaves: list[str]) -> None:
    for piece in list(pieces_of(_documents(leaves)))[1:-1]:
        flags = [bool(row.flags & SHADOW) for row in piece.rows]
        before, behind = flags.index(False), flags[::-1].index(False)
        for shadows in (piece.texts[1:before], piece.texts[len(flags) - behind + 1 :]):
            assert sum(len(text.replace("\n", "")) for text in shadows) >= gathering.SHADOW_CHARACTERS
