"""The proof of search: 20,000 leaves, a thousand strings of 1 to 30 characters, and every answer equal to brute force.

A third of the strings lies across a column, a note's edge or a leaf's end. Recall and precision are 1 when documents, totals and occurrences are
equal; a wrong one is reported with its string. `python benchmarks/search/exactness.py` asks the same of a corpus that cannot be shipped.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import poetry_leaves
import pytest
from brute_force import Row
from poetry_leaves import Work, typed

from archive.model.rights import Audience
from archive.search import chinese, whoosh_index
from archive.search.base import Query, Results
from archive.search.whoosh_index import WhooshIndex

pytestmark = pytest.mark.slow

LEAVES = 20_000
READERS = (Audience.PUBLIC, Audience.STAFF)
_SHOWN = 60
"""Answers up to this many hits are compared hit by hit; of longer ones two pages, besides all counts."""


@dataclass(frozen=True)
class Archive:
    """The index, the works in it, and what each reader may see of them."""

    index: WhooshIndex
    works: list[Work]
    rows: dict[Audience, Row]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    works = poetry_leaves.make_works(20261123, LEAVES)
    assert sum(len(work.leaves) for work in works) == LEAVES
    index = WhooshIndex(tmp_path_factory.mktemp("leaves"))
    held_back = works[3:40:4]
    with pytest.MonkeyPatch.context() as patched:  # small sizes, so that parts are merged into segments, and there are several of those
        for name, size in {"PART_CHARACTERS": 120_000, "SEGMENT_CHARACTERS": 600_000, "AT_ONCE_CHARACTERS": 20_000}.items():
            patched.setattr(whoosh_index, name, size)
        index.rebuild((work.item, poetry_leaves.documents(work)) for work in works if work not in held_back)
        for work in held_back:
            index.replace([(work.item, poetry_leaves.documents(work))])
    assert index.doctor()["segments"] in range(3, 12)
    return Archive(index, works, {reader: Row.of(works, reader) for reader in READERS})


def some_string(rng: random.Random, row: Row, longest: int = 30) -> str:
    """Characters that stand somewhere in the row, through notes or over them; one in three across a break. Now and then in another hand."""
    text = row.written if rng.random() < 0.7 else row.main_written
    for _ in range(100):
        length = rng.randint(1, longest)
        begin = _breaking(rng, row, length) if text is row.written and rng.random() < 0.4 else rng.randrange(len(text))
        wanted = text[max(begin, 0) :][:length]
        if wanted and "\n" not in wanted and wanted not in ("或", "非"):
            break
    else:
        raise AssertionError("no string")
    if rng.random() < 0.3:
        wanted = poetry_leaves.rewritten(rng, wanted, 0.5)
    if rng.random() < 0.05:
        wanted = wanted[:-1] + rng.choice(row.written[:1000].replace("\n", ""))
    return wanted


def _breaking(rng: random.Random, row: Row, length: int) -> int:
    """A place so that so many characters from it lie across a leaf's end or a note's edge."""
    if rng.random() < 0.5:
        edge = row.begins[rng.randrange(len(row.begins))]
    else:
        edge = row.noted.find(b"\1", rng.randrange(len(row.noted)))
    return edge - rng.randint(1, max(length - 1, 1))


def asked(text: str, reader: Audience = Audience.PUBLIC, limit: int = 0, facets: tuple[str, ...] = (), **more: object) -> Query:
    """A query without the reviewed words for taboo ones: what brute force looks for is these characters alone."""
    return Query(text, reader=reader, limit=limit, facets=facets, taboo=False, **more)  # type: ignore[arg-type]


def _keys(results: Results) -> Counter[tuple[str, str]]:
    return Counter({(hit.item, hit.key): hit.matches for hit in results.hits if hit.target != "item"})


def _check(archive: Archive, text: str, expected: Counter[tuple[str, str]], described: set[str], reader: Audience, **more: object) -> None:
    """The answer to a query equals what was expected: leaves with their occurrences, and works whose description has it."""
    results = archive.index.search(asked(text, reader, _SHOWN, **more))
    assert results.total == len(expected), text
    assert results.occurrences == expected.total(), text
    assert results.items == len({item for item, _key in expected}), text
    assert results.metadata_total == len(described), text
    if results.total + results.metadata_total <= _SHOWN:
        assert _keys(results) == expected, text
        assert {hit.item for hit in results.hits if hit.target == "item"} == described, text
        return
    shown = _keys(results)
    middle = archive.index.search(asked(text, reader, 20, offset=results.total // 2, **more))
    assert len(results.hits) == _SHOWN
    assert all(expected[key] == count for page in (shown, _keys(middle)) for key, count in page.items()), text
    item = max(Counter(item for item, _key in expected).items(), key=lambda pair: pair[1])[0]
    alone = archive.index.search(asked(text, reader, item=item))
    inside = {key: count for key, count in expected.items() if key[0] == item}
    assert (alone.total, alone.occurrences) == (len(inside), sum(inside.values())), text


def _named(row: Row, counts: Counter[int]) -> Counter[tuple[str, str]]:
    return Counter({row.names[leaf]: count for leaf, count in counts.items()})


@pytest.mark.parametrize("reader", READERS)
def test_every_string_is_found_wherever_it_stands_and_nowhere_else(archive: Archive, reader: Audience) -> None:
    rng, row = random.Random(1), archive.rows[reader]
    hits = breaking = 0
    for _ in range(500):
        wanted = some_string(rng, row)
        found = row.find(wanted)
        hits += bool(found)
        breaking += _breaks(row, found)
        _check(archive, typed(wanted), _named(row, row.by_leaf(found)), row.described(reader, wanted), reader)
    assert hits > 450
    assert breaking > 167


def _breaks(row: Row, found: dict[int, int]) -> bool:
    """True when an occurrence lies across a leaf's end or a note's edge."""
    return any(row.leaf_at(begin) != row.leaf_at(end - 1) or len(set(row.noted[begin:end])) > 1 for begin, end in _some(found.items()))


def _some(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    return [pair for pair, _ in zip(pairs, range(20), strict=False)]


@pytest.mark.parametrize("reader", READERS)
def test_in_quotes_only_the_form_written_is_found(archive: Archive, reader: Audience) -> None:
    rng, row = random.Random(2), archive.rows[reader]
    narrower = 0
    for _ in range(150):
        wanted = some_string(rng, row, 6)
        found = row.find(wanted, exact=True)
        narrower += len(found) < len(row.find(wanted))
        _check(archive, f"“{typed(wanted)}”", _named(row, row.by_leaf(found)), row.described(reader, wanted, exact=True), reader)
    assert narrower > 30


@pytest.mark.parametrize(("name", "scope"), [("注：", "note"), ("正文:", "main")])
def test_notes_and_main_text_are_searched_apart(archive: Archive, name: str, scope: str) -> None:
    rng, row = random.Random(3), archive.rows[Audience.PUBLIC]
    hits = 0
    for _ in range(150):
        wanted = some_string(rng, row, 6)
        found = row.find(wanted, scope=scope)
        hits += bool(found)
        described = row.described(Audience.PUBLIC, wanted) if scope == "main" else set()
        _check(archive, name + typed(wanted), _named(row, row.by_leaf(found)), described, Audience.PUBLIC)
    assert hits > 60


def test_a_question_mark_stands_for_one_character(archive: Archive) -> None:
    rng, row = random.Random(4), archive.rows[Audience.PUBLIC]
    for _ in range(60):
        wanted: list[str | None] = list(some_string(rng, row, 8))
        for at in range(1, len(wanted) - 1):
            if rng.random() < 0.5:
                wanted[at] = None
        query = "".join("？" if char is None else typed(char) for char in wanted)
        expected = _named(row, row.by_leaf(row.find(wanted)))
        _check(archive, query, expected, row.described(Audience.PUBLIC, wanted), Audience.PUBLIC)


@pytest.mark.parametrize(("form", "most", "ordered"), [("近:5({} {})", 5, False), ("近：40（{}　{}）", 40, False), ("{}*{}", 20, True)])
def test_nearness_counts_characters_over_notes_and_within_them(archive: Archive, form: str, most: int, ordered: bool) -> None:
    rng, row = random.Random(5), archive.rows[Audience.PUBLIC]
    hits = 0
    for _ in range(40):
        begin = rng.randrange(len(row.written) - 60)
        first = row.written[begin : begin + rng.randint(1, 2)]
        after = begin + len(first) + rng.randrange(most)
        second = row.written[after : after + rng.randint(1, 2)]
        if not ordered and rng.random() < 0.5:
            first, second = second, first
        if "\n" in first + second:
            continue
        found = row.near(row.find(first), row.find(second), most, ordered=ordered)
        hits += bool(found)
        results = archive.index.search(asked(form.format(typed(first), typed(second))))
        counts = row.by_leaf(found)
        assert (results.total, results.occurrences) == (len(counts), counts.total()), (first, second)
    assert hits > 20


def _leaves(row: Row, wanted: str) -> set[int]:
    return set(row.by_leaf(row.find(wanted)))


@pytest.mark.parametrize("reader", READERS)
def test_several_strings_and_or_not_and_brackets(archive: Archive, reader: Audience) -> None:
    """A space asks of a leaf and those it joins; `-` of the leaf alone, and never beyond what the reader may see (paperless-ngx#14156)."""
    rng, row = random.Random(6), archive.rows[reader]
    hits = 0
    for _ in range(70):
        one, two, three = (some_string(rng, row, 2) for _ in range(3))
        first, second, third = (_leaves(row, wanted) for wanted in (one, two, three))
        both = (first | second) & row.widened(first) & row.widened(second)
        hits += bool(both)
        a, b, c = map(typed, (one, two, three))
        for text, expected in {
            f"{a}　{b}": both,
            f"{a} OR {b}": first | second,
            f"{a} -{c}": first - third,
            f"({a} 或 {b}) 非 {c}": (first | second) - third,
            f"{a} {b} NOT {c}": both - third,
        }.items():
            results = archive.index.search(asked(text, reader, 10))
            assert results.total == len(expected), text
            assert results.items == len({row.names[leaf][0] for leaf in expected}), text
            assert {(hit.item, hit.key) for hit in results.hits if hit.target != "item"} <= {row.names[leaf] for leaf in expected}, text
    assert hits > 20


@pytest.mark.parametrize("scope", ["leaf", "section", "juan", "work"])
def test_a_scope_says_within_what_several_strings_must_stand(archive: Archive, scope: str) -> None:
    rng, row = random.Random(10), archive.rows[Audience.PUBLIC]
    hits = 0
    for _ in range(40):
        one, two = some_string(rng, row, 2), some_string(rng, row, 2)
        first, second = _leaves(row, one), _leaves(row, two)
        common = _units(row, scope, first, one) & _units(row, scope, second, two)
        expected = {leaf for leaf in first | second if _unit(row, scope, leaf) in common}
        hits += bool(expected)
        results = archive.index.search(asked(f"{typed(one)} {typed(two)}", limit=5, scope=scope))
        assert results.total == len(expected), (one, two)
        assert results.items == len({row.names[leaf][0] for leaf in expected}), (one, two)
        assert {(hit.item, hit.key) for hit in results.hits if hit.target == "page"} <= {row.names[leaf] for leaf in expected}, (one, two)
    assert hits > 10


def _unit(row: Row, scope: str, leaf: int) -> tuple[str, object]:
    place = {"leaf": leaf, "section": row.leaves[leaf].section, "juan": row.leaves[leaf].juan, "work": ""}
    return row.names[leaf][0], place[scope]


def _units(row: Row, scope: str, leaves: set[int], wanted: str) -> set[tuple[str, object]]:
    """The units that have a string: a work has it in its description too."""
    described = {(item, "") for item in row.described(Audience.PUBLIC, wanted)} if scope == "work" else set()
    return {_unit(row, scope, leaf) for leaf in leaves} | described


@pytest.mark.parametrize("sort", ["work", "left"])
def test_a_concordance_has_a_line_for_every_occurrence_with_what_stands_around_it(archive: Archive, sort: str) -> None:
    """For strings that are nowhere read over a note, whose contexts are the row's own."""
    rng, row = random.Random(11), archive.rows[Audience.PUBLIC]
    compared = 0
    for _ in range(40):
        wanted = some_string(rng, row, 3)
        found = row.find(wanted)
        concordance = archive.index.concordance(asked(typed(wanted), limit=5, sort=sort))
        assert concordance.total == len(found), wanted
        if any(char in poetry_leaves.GLYPHS for char in wanted) or any(end - begin != len(wanted) for begin, end in found.items()):
            continue
        expected = Counter((*row.names[row.leaf_at(at)], *_around(row, at, len(wanted))) for at in found)
        told: Counter[tuple[str, ...]] = Counter()
        for lines in archive.index.occurrences(asked(typed(wanted), sort=sort)):
            for left, match, right, at in zip(lines.left, lines.match, lines.right, lines.at, strict=True):
                told[lines.places[at].item, lines.places[at].key, _plain(left)[-6:], _plain(match), _plain(right)[:6]] += 1
        assert told == expected, wanted
        compared += 1
    assert compared > 12


_NO_FONT = {ord(glyph): "〓" for glyph in poetry_leaves.GLYPHS}


def _around(row: Row, at: int, length: int) -> tuple[str, str, str]:
    before = row.written[max(at - 6, 0) : at].rpartition("\n")[2]
    after = row.written[at + length : at + length + 6].partition("\n")[0]
    return before.translate(_NO_FONT), row.written[at : at + length], after.translate(_NO_FONT)


def _plain(context: str) -> str:
    """A context without its layout and ends, glyphs that no font has as one sign."""
    return re.sub("[\U00040000-\U000dffff]", "〓", chinese.read(context, True).written)


def test_filters_and_facets_count_what_brute_force_counts(archive: Archive) -> None:
    rng, row = random.Random(7), archive.rows[Audience.PUBLIC]
    works = {work.item: work for work in archive.works}
    for _ in range(60):
        wanted = some_string(rng, row, 2)
        counts = row.by_leaf(row.find(wanted))
        collection, first = rng.choice(("tang", "song", "yuan")), rng.randint(1368, 1900)
        results = archive.index.search(asked(typed(wanted), collection=collection, year_from=first, year_to=first + 200))
        kept = [
            leaf
            for leaf in counts
            if works[row.names[leaf][0]].collection == collection and first <= works[row.names[leaf][0]].year <= first + 200
        ]
        assert (results.total, results.occurrences) == (len(kept), sum(counts[leaf] for leaf in kept)), wanted
        facets = archive.index.search(asked(typed(wanted), facets=("collection", "kind", "decade", "section"))).facets
        described = [works[item] for item in row.described(Audience.PUBLIC, wanted)]
        holding = [works[row.names[leaf][0]] for leaf in counts] + described
        assert _facet(facets, "collection") == Counter(work.collection for work in holding), wanted
        assert _facet(facets, "kind") == Counter(work.kind for work in holding), wanted
        assert _facet(facets, "decade") == Counter(str(work.year // 10 * 10) for work in holding), wanted
        assert _facet(facets, "section") == Counter(row.leaves[leaf].section for leaf in counts), wanted


def _facet(facets: object, name: str) -> dict[str, int]:
    return {facet.value: facet.count for facet in facets[name]}  # type: ignore[index]


def test_the_forms_found_are_those_printed(archive: Archive) -> None:
    rng, row = random.Random(8), archive.rows[Audience.PUBLIC]
    several = 0
    for _ in range(60):
        wanted = some_string(rng, row, 2)
        found = row.find(wanted)
        forms: Counter[str] = Counter()
        for begin, end in found.items():
            cells = row.written[begin:end]
            if poetry_leaves.folded(cells) != poetry_leaves.folded(wanted):  # read over a note
                cells = "".join(char for char, note in zip(cells, row.noted[begin:end], strict=True) if not note)
            forms[cells] += 1
        results = archive.index.search(asked(typed(wanted)))
        several += len(forms) > 1
        if not any(char in poetry_leaves.GLYPHS for char in wanted):
            assert {form: count for form, count in results.forms if count} == dict(forms.most_common(100)) or len(forms) > 100, wanted
    assert several > 20


def test_a_snippet_shows_where_the_string_stands(archive: Archive) -> None:
    """What is marked, folded, is the string, or as much of it as lies on the leaf."""
    rng, row = random.Random(9), archive.rows[Audience.PUBLIC]
    leaves = dict(zip(row.names, row.leaves, strict=True))
    marked = 0
    for _ in range(100):
        wanted = some_string(rng, row, 5)
        if any(char in poetry_leaves.GLYPHS for char in wanted):
            continue
        for hit in archive.index.search(asked(typed(wanted), limit=10)).hits:
            if hit.target == "item":
                continue
            text = leaves[hit.item, hit.key].text
            for snippet in hit.snippets:
                assert snippet.text in text
                assert snippet.spans
                for span in snippet.spans:
                    shown = poetry_leaves.folded(snippet.text[span.start : span.end])
                    shown = "".join(char for char in shown if char not in "()（）/\n　 ，。、；「")
                    assert shown, wanted
                    marked += poetry_leaves.folded(wanted).startswith(shown) or poetry_leaves.folded(wanted) in shown
    assert marked > 300
