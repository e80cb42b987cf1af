"""Scopes, groups by work, other forms and sorts of an answer, against sets worked out leaf by leaf; in one segment and in several."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

import pytest

from archive.model.rights import Audience, Visibility
from archive.search import whoosh_index
from archive.search.base import IndexDocument, Query, Results
from archive.search.whoosh_index import WhooshIndex

LETTERS = "甲乙丙丁戊"
ALL = 10_000


def _leaf(rng: random.Random, item: int, number: int) -> IndexDocument:
    return IndexDocument(
        f"书{item}",
        "page",
        f"p{number}",
        "".join(rng.sample(LETTERS, rng.choice((0, 1, 1, 2)))) + "山",
        Visibility(Audience.STAFF if rng.random() < 0.15 else Audience.PUBLIC),
        position=number,
        title=f"书{item}",
        collection="fangzhi",
        year_first=rng.choice((None, 1500, 1700)),
        section=rng.choice(("", "山川", "人物")),
        juan=rng.choice(("", "一", "二")),
    )


def _works() -> list[list[IndexDocument]]:
    rng = random.Random(7)
    return [[_leaf(rng, item, number) for number in range(12)] for item in range(12)]


WORKS = _works()


@pytest.fixture(scope="module", params=["one segment", "several"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhooshIndex]:
    index = WhooshIndex(Path(tmp_path_factory.mktemp("scopes")) / "index")
    items = [(works[0].item, works) for works in WORKS]
    if request.param == "one segment":
        index.rebuild(iter(items))
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(whoosh_index, "AT_ONCE_CHARACTERS", 0)
            patch.setattr(whoosh_index, "MERGE_CHARACTERS", 0)
            index.rebuild(iter(items[:4]))
            for at in (4, 8):
                index.replace(items[at : at + 4])
    assert (index.doctor()["segments"] == 1) == (request.param == "one segment")
    yield index
    index.close()


UNITS: dict[str, Callable[[IndexDocument], Hashable]] = {
    "leaf": lambda leaf: (leaf.item, leaf.key),
    "section": lambda leaf: (leaf.item, leaf.section or ("alone", leaf.key)),
    "juan": lambda leaf: (leaf.item, "卷", leaf.juan or ("alone", leaf.key)),
    "work": lambda leaf: leaf.item,
}


def _expected(scope: str, words: str, without: str = "", reader: Audience = Audience.PUBLIC) -> set[tuple[str, str]]:
    """Leaves with one of the words in a unit that has them all and none of `without`."""
    seen = [leaf for work in WORKS for leaf in work if reader is Audience.STAFF or leaf.visibility.now is Audience.PUBLIC]
    unit = UNITS[scope]
    having = {char: {unit(leaf) for leaf in seen if char in leaf.text} for char in words + without}
    good = set.intersection(*(having[char] for char in words)) - set().union(*(having[char] for char in without))
    return {(leaf.item, leaf.key) for leaf in seen if set(leaf.text) & set(words) and unit(leaf) in good}


def _found(results: Results) -> set[tuple[str, str]]:
    assert len(results.hits) == results.total + results.metadata_total
    return {(hit.item, hit.key) for hit in results.hits}


@pytest.mark.parametrize("reader", [Audience.PUBLIC, Audience.STAFF])
@pytest.mark.parametrize("scope", UNITS)
def test_words_stand_within_the_scope(index: WhooshIndex, scope: str, reader: Audience) -> None:
    sizes = set()
    for words in ("甲乙", "甲丙丁", "乙戊"):
        expected = _expected(scope, words, reader=reader)
        sizes.add(len(expected))
        assert _found(index.search(Query(" ".join(words), scope=scope, reader=reader, limit=ALL))) == expected
        expected = _expected(scope, words[:2], words[-1] if len(words) > 2 else "丙", reader)
        without = words[-1] if len(words) > 2 else "丙"
        assert _found(index.search(Query(f"{words[0]} {words[1]} -{without}", scope=scope, reader=reader, limit=ALL))) == expected
    assert max(sizes) > 0


def test_a_scope_as_a_word_is_the_scope(index: WhooshIndex) -> None:
    assert _found(index.search(Query("同目 甲 乙", limit=ALL))) == _expected("section", "甲乙")


def test_without_a_hit_the_wider_scopes_are_counted(index: WhooshIndex) -> None:
    words = "甲乙丙丁"
    results = index.search(Query(" ".join(words), scope="leaf"))
    assert results.total == 0
    wider = dict(results.wider)
    assert set(wider) == {"", "section", "juan", "work"}
    for scope in ("section", "juan", "work"):
        assert wider[scope] == len(_expected(scope, words))
    assert wider["work"] > 0
    assert index.search(Query("甲")).wider == ()


@pytest.mark.parametrize("sort", ["relevance", "title", "-date", "position"])
def test_groups_are_the_works_in_the_order_of_their_best_hit(index: WhooshIndex, sort: str) -> None:
    flat = index.search(Query("甲 OR 乙", sort=sort, limit=ALL)).hits
    order = list(dict.fromkeys(hit.item for hit in flat))
    whole = index.search(Query("甲 OR 乙", sort=sort, group=True, limit=ALL))
    assert [group.item for group in whole.groups] == order
    assert whole.works == whole.items == len(order)
    for group in whole.groups:
        hits = [hit for hit in flat if hit.item == group.item]
        assert [hit.key for hit in group.hits] == [hit.key for hit in hits[:3]]
        assert (group.total, group.matches) == (len(hits), sum(hit.matches for hit in hits))
    paged = [
        group.item
        for offset in range(0, len(order), 5)
        for group in index.search(Query("甲 OR 乙", sort=sort, group=True, offset=offset, limit=5)).groups
    ]
    assert paged == order


def test_pages_never_overlap_and_the_last_of_all_is_empty(index: WhooshIndex) -> None:
    for sort in ("relevance", "date", "strokes", "call_number"):
        whole = [(hit.item, hit.key) for hit in index.search(Query("山", sort=sort, limit=ALL)).hits]
        paged = [(h.item, h.key) for at in range(0, len(whole), 7) for h in index.search(Query("山", sort=sort, offset=at, limit=7)).hits]
        assert paged == whole
    assert index.search(Query("山", offset=20 * 10**9)).hits == ()
    assert index.search(Query("山", offset=20 * 10**9, group=True)).groups == ()


def test_scores_are_the_same_however_the_index_is_cut(tmp_path: Path, index: WhooshIndex) -> None:
    whole = WhooshIndex(tmp_path / "whole")
    whole.rebuild((work[0].item, work) for work in WORKS)
    for text in ("甲", "甲 OR 乙", "甲 丙"):
        scores = {(hit.item, hit.key): hit.score for hit in whole.search(Query(text, limit=ALL)).hits}
        assert scores == {(hit.item, hit.key): pytest.approx(hit.score) for hit in index.search(Query(text, limit=ALL)).hits}


def test_an_answer_without_snippets_is_the_same_but_for_them(index: WhooshIndex) -> None:
    with_them, without = index.search(Query("甲 OR 乙")), index.search(Query("甲 OR 乙", snippets=False))
    assert [hit.key for hit in with_them.hits] == [hit.key for hit in without.hits]
    assert all(hit.snippets for hit in with_them.hits)
    assert not any(hit.snippets for hit in without.hits)


def test_reasons_forms_and_the_total_without_quotes(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path / "forms")
    texts = ("萬厯元年", "萬曆二年萬厯", "万历")
    leaves = [
        IndexDocument("a", "page", f"p{at}", text, Visibility(Audience.PUBLIC), position=at, title="某志") for at, text in enumerate(texts)
    ]
    index.rebuild(iter([("a", leaves)]))
    results = index.search(Query("万历"))
    reasons = {hit.key: hit.reasons for hit in results.hits}
    assert reasons == {"p0": (("万", "萬"), ("历", "厯")), "p1": (("万", "萬"), ("历", "曆")), "p2": ()}
    assert results.hits[0].key == "p2"
    assert dict(results.forms) == {"萬厯": 2, "萬曆": 1, "万历": 1}
    assert dict(index.search(Query("萬歷")).forms)["萬歷"] == 0
    quoted = index.search(Query("“萬厯”"))
    assert (quoted.total, quoted.unquoted) == (2, 3)
    assert results.unquoted is None
