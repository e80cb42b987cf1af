"""A work corrected leaf by leaf answers as one built anew: no string is lost or doubled where the index cuts a long work into chunks.

Sizes are set so small that a work of a dozen leaves is cut several times, segments are merged all the time, and shadows of leaves matter.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive.model.rights import Audience, Visibility
from archive.search import gathering, whoosh_index
from archive.search.base import IndexDocument, Query
from archive.search.whoosh_index import WhooshIndex

SIZES: tuple[tuple[Any, str, int], ...] = (
    (gathering, "CHUNK_LEAST", 20),
    (gathering, "CHUNK_MOST", 60),
    (gathering, "CHUNK_CHOICE", 3),
    (whoosh_index, "PART_CHARACTERS", 90),
    (whoosh_index, "SEGMENT_CHARACTERS", 300),
    (whoosh_index, "AT_ONCE_CHARACTERS", 120),
    (whoosh_index, "MERGE_CHARACTERS", 400),
)
QUERIES = (
    *("安", "安康", "康安", "安康安", "漢陰安", "“漢陰”", "康康安康", "安?康", "安*陰", "近:3(安 漢)", "近:60(康 陰)"),
    *("安 陰", "漢陰 康康", "安 -康", "注:安", "注:康安", "正文:安康", "安 OR 漢", "門目:甲 安"),
)
_SCOPED = ("安 陰", "安 -康")
_VIEWS: tuple[dict[str, Any], ...] = ({}, {"scope": "work"}, {"scope": "juan"}, {"scope": "section"}, {"scope": "leaf"})


@dataclass(frozen=True)
class Leaf:
    """Text, and for whom."""

    text: str
    seen: Audience = Audience.PUBLIC
    section: str = "甲"


Works = dict[str, list[Leaf | None]]

_texts = st.lists(st.sampled_from([*"安康漢隂陰安康安康(）)(\n", "，", "康(安/康)安", "&KR1234;"]), max_size=14).map("".join)
_leaves = st.builds(Leaf, _texts, st.sampled_from([Audience.PUBLIC] * 8 + [Audience.STAFF]), st.sampled_from("甲甲甲乙"))
_places = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 19))
_changes = st.lists(st.tuples(_places, st.one_of(st.none(), _leaves, _leaves, _leaves)), max_size=6)


def _documents(item: str, leaves: list[Leaf | None]) -> Iterator[IndexDocument]:
    shared = IndexDocument(item, "item", "", f"安康{item}", Visibility(Audience.PUBLIC), title=f"安康{item}", kind="gazetteer")
    yield shared
    before = False
    for position, leaf in enumerate(leaves, 1):
        if leaf is not None:
            seen = Visibility(leaf.seen)
            juan = str(position // 6)
            place = replace(shared, target="page", key=f"p{position}", position=position, section=leaf.section, juan=juan)
            yield replace(place, text=leaf.text, visibility=seen, joins_previous=before, notes=True)
        before = leaf is not None


@contextmanager
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for module, name, size in SIZES:
            patched.setattr(module, name, size)
        yield


def _answers(index: WhooshIndex) -> Iterator[object]:
    """All that is told, but for the order of hits that are equally good."""
    for reader in (Audience.PUBLIC, Audience.STAFF):
        for text in QUERIES:
            for view in _VIEWS if text in _SCOPED else _VIEWS[:1]:
                query = Query(text, reader=reader, limit=100, facets=("kind", "section"), **view)
                results = index.search(query)
                hits = {(hit.item, hit.key): (hit.matches, hit.score, hit.snippets, hit.reasons) for hit in results.hits}
                assert len(hits) == len(results.hits), (text, view)
                yield text, view, reader, hits, replace(results, hits=(), corrections=())  # of near strings, some are tried
            lines = [
                (lines.places[at].key, left, match, right)
                for lines in index.occurrences(Query(text, reader=reader))
                for left, match, right, at in zip(lines.left, lines.match, lines.right, lines.at, strict=True)
            ]
            yield text, "lines", reader, sorted(lines)


@pytest.mark.slow
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(_leaves, min_size=8, max_size=20), st.lists(_leaves, max_size=6), _changes)
def test_a_work_corrected_leaf_by_leaf_answers_as_one_built_anew(first: list[Leaf], second: list[Leaf], changes: Any) -> None:
    works: Works = {"a": [*first], "b": [*second]}
    with tempfile.TemporaryDirectory() as folder:
        corrected, anew = WhooshIndex(Path(folder) / "corrected"), WhooshIndex(Path(folder) / "anew")
        with _small():
            corrected.rebuild((item, _documents(item, leaves)) for item, leaves in works.items())
            for (item, place), leaf in changes:
                leaves = works[item]
                leaves += [None] * (place + 1 - len(leaves))
                leaves[place] = leaf
                corrected.replace([(item, _documents(item, leaves))])
        anew.rebuild((item, _documents(item, leaves)) for item, leaves in works.items())
        for told, expected in zip(_answers(corrected), _answers(anew), strict=True):
            assert told == expected
