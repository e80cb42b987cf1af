"""Words of Latin letters and numbers are found whole unless `*` is written; against regular expressions over the texts themselves."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query
from archive.search.syntax import parse
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)
OPEN = Visibility(Audience.PUBLIC)
_RUNS = [
    "rail",
    "Railway",
    "RAILWAY",
    "way",
    "1970",
    "19705",
    "70",
    "a",
    "A",
    "é",
    "Émile",
    "x1",
    "安",
    "康",
    "铁路",
    "年",
    "１９７０",
    "Ｒail",
    "ß",
]
_SIGNS = ["", "", "", " ", " ", "\n", "-", "，", "(", ")", ".", "　"]
_ASKED = [
    "rail",
    "railway",
    "way",
    "1970",
    "70",
    "a",
    "19705",
    "安1970",
    "1970年",
    "rail安",
    "x",
    "1",
    "康a",
    "铁路",
    "emile",
    "é",
    "ß",
    "way1970",
]


def _pages(item: str, texts: list[str], **more: bool) -> list[IndexDocument]:
    shared = IndexDocument(item, "page", "", "", OPEN, title=item, **more)
    return [replace(shared, key=f"p{n}", text=text, joins_previous=n > 1, position=n) for n, text in enumerate(texts, 1)]


def _counts(index: WhooshIndex, text: str) -> dict[str, int]:
    return {hit.key: hit.matches for hit in index.search(Query(text, today=DAY, limit=1000)).hits}


def _brute(texts: list[str], asked: str) -> dict[str, int]:
    """Each place in one long string where the characters stand with any signs between, and no more of a run before or after."""
    whole = "\n".join(texts)
    plain = whole.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}).lower().replace("é", "e")
    wanted, open_start, open_end = asked.strip("*").replace("é", "e"), asked[0] == "*", asked[-1] == "*"
    before = (
        ""
        if open_start
        else {True: r"(?<![a-zß])", False: ""}[bool(re.match("[a-zß]", wanted))] + (r"(?<![0-9])" if wanted[0].isdigit() else "")
    )
    after = (
        ""
        if open_end
        else {True: r"(?![a-zß])", False: ""}[bool(re.search("[a-zß]$", wanted))] + (r"(?![0-9])" if wanted[-1].isdigit() else "")
    )
    pattern = re.compile("(?=" + before + r"[^a-z0-9ß\u4e00-\u9fff]*".join(map(re.escape, wanted)) + after + ")")
    found: dict[str, int] = {}
    for match in pattern.finditer(plain):
        key = f"p{whole.count(chr(10) + chr(1), 0, match.start()) + 1}"
        found[key] = found.get(key, 0) + 1
    return found


def test_words_and_numbers_equal_brute_force(tmp_path: Path) -> None:
    rng = random.Random(8)
    texts = ["".join(rng.choice(_RUNS) + rng.choice(_SIGNS) for _ in range(rng.randint(0, 60))) for _ in range(150)]
    index = WhooshIndex(tmp_path)
    index.rebuild(iter([("a", _pages("a", texts))]))
    marked = [text if number == 0 else "\1" + text for number, text in enumerate(texts)]
    for asked in [form for one in _ASKED for form in (one, f"{one}*", f"*{one}", f"*{one}*")]:
        assert _counts(index, asked) == _brute(marked, asked), asked


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    made = WhooshIndex(tmp_path_factory.mktemp("words"))
    texts = ["安康至陽平關railway於1970年開工，電話19705", "the rail way，rail(注 railhead)s", "1970s，A4纸，襄渝线1970-1978", "19"]
    hidden = IndexDocument("b", "page", "p1", "70", Visibility(Audience.STAFF), joins_previous=False, title="b")
    made.rebuild(iter([("a", _pages("a", texts, notes=True)), ("b", [hidden])]))
    return made


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1970", {"p1": 1, "p3": 2}),
        ("1970*", {"p1": 2, "p3": 2}),
        ("*70", {"p1": 1, "p3": 2}),
        ("19705", {"p1": 1}),
        ("rail", {"p2": 2}),
        ("rail*", {"p1": 1, "p2": 3}),
        ("rail?", {"p2": 2}),
        ("“rail”", {"p2": 2}),
        ("railway", {"p1": 1, "p2": 1}),
        ("rail*way", {"p1": 1, "p2": 1}),
        ("rails", {"p2": 1}),
        ("注:rail*", {"p2": 1}),
        ("注:rail", {}),
        ("a", {"p3": 1}),
        ("a4", {"p3": 1}),
        ("*線1970", {"p3": 1}),
        ("近:20(開工 1970)", {"p1": 1}),
        ("近:20(開工 19*)", {"p1": 1}),
        ("开工 -1970*", {}),
    ],
)
def test_a_word_is_whole_unless_a_wildcard_says_else(index: WhooshIndex, asked: str, found: dict[str, int]) -> None:
    assert _counts(index, asked) == found


def test_marks_snippets_and_the_concordance_agree(index: WhooshIndex) -> None:
    text = "安康至陽平關railway於1970年開工，電話19705"
    assert [text[span.start : span.end] for span in index.mark("1970", text)] == ["1970"]
    assert [text[span.start : span.end] for span in index.mark("1970*", text)] == ["1970", "1970"]
    assert index.mark("rail", text) == ()
    (snippet,) = index.search(Query("1970 开工", today=DAY)).hits[0].snippets
    assert [snippet.text[span.start : span.end] for span in snippet.spans] == ["1970", "開工"]
    assert index.concordance(Query("1970", today=DAY)).total == 3
    assert index.concordance(Query("1970*", today=DAY)).total == 4


def test_an_end_that_is_open_is_said_and_typed_back() -> None:
    (phrase,) = parse("*rail*").phrases()
    assert (phrase.shown, phrase.begun, phrase.goes_on) == ("*rail*", True, True)
    assert parse("*rail*").understood == "“*rail*”"
    assert parse(phrase.shown).phrases() == (phrase,)
    assert parse("*安康*").phrases() == parse("安康").phrases(), "Chinese has no words: at its ends a wildcard is punctuation"


def test_what_stands_on_the_next_leaf_is_no_part_of_a_number(index: WhooshIndex) -> None:
    assert _counts(index, "19") == {"p4": 1}


@pytest.mark.parametrize("asked", ["a", "A", '"A"', "1", "rail", "1970", "安", "é"])
def test_every_occurrence_has_a_form(index: WhooshIndex, asked: str) -> None:
    results = index.search(Query(asked, today=DAY))
    assert sum(count for _form, count in results.forms) == results.occurrences
