"""The index against the oracle: same leaves, same totals, same occurrences, for every reader."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
import search_oracle as oracle

from archive.model.rights import Audience
from archive.search import gathering, whoosh_index
from archive.search.base import Query
from archive.search.segment_text import GAP
from archive.search.whoosh_index import WhooshIndex

READERS = [Audience.PUBLIC, Audience.STAFF]


def _leaves(index: WhooshIndex, text: str, reader: Audience) -> tuple[Counter[tuple[str, str]], int, int, int]:
    results = index.search(Query(text, reader=reader, limit=100_000))
    found = Counter({(hit.item, hit.key): hit.matches for hit in results.hits})
    return found, results.total, results.items, results.occurrences


def _expected(works: list[oracle.Work], *args: object, **kwargs: object) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (f"work-{number}", f"p{leaf + 1}"): count
            for number, work in enumerate(works)
            for leaf, count in oracle.occurrences(work, *args, **kwargs).items()  # type: ignore[arg-type]
        }
    )


@pytest.fixture(scope="module")
def works() -> list[oracle.Work]:
    rng = random.Random(20261122)
    return [oracle.make_work(rng, rng.randint(1, 30)) for _ in range(36)]


@pytest.fixture(scope="module", params=["one segment", "many segments, items replaced", "chunks, corrected leaf by leaf"])
def index(request: pytest.FixtureRequest, works: list[oracle.Work], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhooshIndex]:
    made = WhooshIndex(tmp_path_factory.mktemp("index"))
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "one segment":
            made.rebuild((f"work-{n}", oracle.documents(f"work-{n}", work)) for n, work in enumerate(works))
        elif request.param == "chunks, corrected leaf by leaf":
            _corrected_leaf_by_leaf(made, works, patch)
        else:
            _replaced(made, works)
        yield made


def _replaced(made: WhooshIndex, works: list[oracle.Work]) -> None:
    made.rebuild(iter(()))
    rng = random.Random(7)
    stale = [oracle.make_work(rng, 10) for _ in works]
    for n, work in enumerate(stale):
        made.replace([(f"work-{n}", oracle.documents(f"work-{n}", work))])
    for n in rng.sample(range(len(works)), len(works)):
        made.replace([(f"work-{n}", oracle.documents(f"work-{n}", works[n]))])


def _corrected_leaf_by_leaf(made: WhooshIndex, works: list[oracle.Work], patch: pytest.MonkeyPatch) -> None:
    """Every work lies in many chunks, in as many segments as there were corrections. What is asked below reaches no farther than 80 characters."""
    patch.setattr(gathering, "CHUNK_LEAST", 60)
    patch.setattr(gathering, "CHUNK_MOST", 200)
    patch.setattr(gathering, "CHUNK_CHOICE", 2)
    patch.setattr(gathering, "SHADOW_CHARACTERS", 80)
    patch.setattr(whoosh_index, "AT_ONCE_CHARACTERS", 3000)
    patch.setattr(whoosh_index, "MERGE_CHARACTERS", 6000)
    rng = random.Random(8)
    stale: list[oracle.Work] = [list(work) for work in works]
    wrong = [(n, at) for n, work in enumerate(works) for at in range(len(work)) if work[at] is not None and rng.random() < 0.15]
    for n, at in wrong:
        leaf = works[n][at]
        assert leaf is not None
        # What is wrong ends as what is right does, so that a note left open stays so.
        stale[n][at] = oracle.Leaf("安康" + leaf.text, (("安", False), ("康", False), *leaf.cells), leaf.audience)
    made.rebuild((f"work-{n}", oracle.documents(f"work-{n}", work)) for n, work in enumerate(stale))
    for n, at in rng.sample(wrong, len(wrong)):
        stale[n][at] = works[n][at]
        made.replace([(f"work-{n}", oracle.documents(f"work-{n}", stale[n]))])
    state = made.doctor()
    assert isinstance(state["shadows"], int)
    assert state["shadows"] > 100
    assert isinstance(state["segments"], int)
    assert state["segments"] > 2


def _check(index: WhooshIndex, text: str, expected: Counter[tuple[str, str]], reader: Audience) -> None:
    found, total, items, occurrences = _leaves(index, text, reader)
    assert found == expected, text
    assert total == len(expected)
    assert items == len({item for item, _key in expected})
    assert occurrences == expected.total()


@pytest.mark.parametrize("reader", READERS)
def test_every_string_is_found_where_it_stands_and_nowhere_else(index: WhooshIndex, works: list[oracle.Work], reader: Audience) -> None:
    rng = random.Random(1)
    hits = 0
    for _ in range(150):
        wanted = oracle.some_string(rng, works)
        expected = _expected(works, wanted, reader)
        hits += bool(expected)
        _check(index, "".join(wanted), expected, reader)
    assert hits > 90


@pytest.mark.parametrize("reader", READERS)
def test_the_form_written_is_found_alone_in_quotes(index: WhooshIndex, works: list[oracle.Work], reader: Audience) -> None:
    rng = random.Random(2)
    for _ in range(70):
        wanted = oracle.some_string(rng, works, 4)
        _check(index, f"“{''.join(wanted)}”", _expected(works, wanted, reader, exact=True), reader)


@pytest.mark.parametrize("scope", ["note", "main"])
def test_notes_and_main_text_are_searched_apart(index: WhooshIndex, works: list[oracle.Work], scope: str) -> None:
    rng = random.Random(3)
    for _ in range(70):
        wanted = oracle.some_string(rng, works, 4)
        expected = _expected(works, wanted, Audience.PUBLIC, scope=scope)
        _check(index, {"note": "注：", "main": "正文:"}[scope] + "".join(wanted), expected, Audience.PUBLIC)


@pytest.mark.parametrize("reader", READERS)
def test_a_question_mark_stands_for_one_character(index: WhooshIndex, works: list[oracle.Work], reader: Audience) -> None:
    rng = random.Random(4)
    for _ in range(70):
        wanted: list[str | None] = list(oracle.some_string(rng, works, 6))
        for at in range(1, len(wanted) - 1):
            if rng.random() < 0.5:
                wanted[at] = None
        typed = "".join("？" if char is None else char for char in wanted)
        _check(index, typed, _expected(works, wanted, reader), reader)


def test_leaving_out_never_brings_in_a_hidden_leaf(index: WhooshIndex, works: list[oracle.Work]) -> None:
    """As paperless-ngx#14156: a negation must not reach beyond what the reader may see."""
    rng = random.Random(5)
    for _ in range(60):
        kept, left_out = oracle.some_string(rng, works, 1), oracle.some_string(rng, works, 2)
        first, second = _expected(works, kept, Audience.PUBLIC), _expected(works, left_out, Audience.PUBLIC)
        expected = Counter({leaf: count for leaf, count in first.items() if leaf not in second})
        _check(index, f"{''.join(kept)} -{''.join(left_out)}", expected, Audience.PUBLIC)


def test_two_strings_are_found_on_a_leaf_or_its_neighbour(index: WhooshIndex, works: list[oracle.Work]) -> None:
    rng = random.Random(6)
    for _ in range(80):
        first, second = oracle.some_string(rng, works, 3), oracle.some_string(rng, works, 3)
        one, two = _expected(works, first, Audience.PUBLIC), _expected(works, second, Audience.PUBLIC)
        expected = {leaf for leaf in one.keys() | two.keys() if _around(works, leaf, one) and _around(works, leaf, two)}
        found, total, _items, _occurrences = _leaves(index, f"{''.join(first)}　{''.join(second)}", Audience.PUBLIC)
        assert set(found) == expected
        assert total == len(expected)


def _around(works: list[oracle.Work], leaf: tuple[str, str], found: Counter[tuple[str, str]]) -> bool:
    """True when something is found on the leaf or on one it joins, both open."""
    number, position = int(leaf[0].split("-")[1]), int(leaf[1][1:]) - 1
    work = works[number]
    near = [position]
    for other in (position - 1, position + 1):
        if 0 <= other < len(work) and (neighbour := work[other]) is not None and neighbour.audience is Audience.PUBLIC:
            near.append(other)
    return any((leaf[0], f"p{at + 1}") in found for at in near)


@pytest.mark.parametrize(
    ("form", "distance", "ordered"), [("近:3({} {})", 3, False), ("近：10（{}　{}）", 10, False), ("{}*{}", GAP, True)]
)
def test_nearness_counts_characters_over_notes_and_within_them(
    index: WhooshIndex, works: list[oracle.Work], form: str, distance: int, ordered: bool
) -> None:
    rng = random.Random(9)
    hits = 0
    for _ in range(25):
        first, second = oracle.some_string(rng, works, 2), oracle.some_string(rng, works, 2)
        expected = Counter(
            {
                (f"work-{number}", f"p{leaf + 1}"): count
                for number, work in enumerate(works)
                for leaf, count in oracle.near(work, first, second, distance, ordered=ordered).items()
            }
        )
        hits += bool(expected)
        _check(index, form.format("".join(first), "".join(second)), expected, Audience.STAFF)
    assert hits > 6


def test_snippets_mark_the_string_and_hold_only_the_text_of_their_leaf(index: WhooshIndex, works: list[oracle.Work]) -> None:
    rng = random.Random(8)
    for _ in range(60):
        wanted = "".join(oracle.some_string(rng, works, 3))
        for hit in index.search(Query(wanted, limit=50)).hits:
            leaf = works[int(hit.item.split("-")[1])][hit.position - 1]
            assert leaf is not None
            assert hit.snippets
            for snippet in hit.snippets:
                assert snippet.text in leaf.text
                assert snippet.spans
                assert all(0 <= span.start < span.end <= len(snippet.text) for span in snippet.spans)
