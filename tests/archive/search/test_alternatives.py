"""Words under taboo substitutes: looked for beside what is typed, shown, switched off, never in quotes; characters are never confounded."""

from __future__ import annotations

from datetime import date

import pytest

from archive.model.rights import Audience, Visibility
from archive.search import taboo
from archive.search.alternatives import MOST_IN_ALL, expanded
from archive.search.base import Expansion, IndexDocument, Query
from archive.search.chinese import fold
from archive.search.syntax import parse
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    leaves = {
        "hong": "弘治元年修城",
        "kuan": "宏治二年，宏治三年",
        "que": "𢎞治四年大水",
        "both": "弘治宏治",
        "yuan": "元宗幸蜀",
        "xuan": "玄宗幸蜀",
        "zi": "玄元弘宏丘邱",
        "note": "至正元年(宏治)五年",
        "mi": "宏治密奏",
    }
    made = WhooshIndex(tmp_path_factory.mktemp("taboo"))
    made.rebuild(
        (key, [IndexDocument(key, "page", "p1", text, Visibility(Audience.STAFF if key == "mi" else Audience.PUBLIC), notes=True)])
        for key, text in leaves.items()
    )
    return made


def _items(index: WhooshIndex, text: str, **more: bool) -> set[str]:
    return {hit.item for hit in index.search(Query(text, today=DAY, **more)).hits}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    """Works with listed words in their titles and sections; one for staff alone."""
    works = {"hong": ("弘治興安府志", "弘治職官"), "kuan": ("宏治漢中府志", "宏治職官"), "mi": ("宏治密志", "宏治密奏")}
    made = WhooshIndex(tmp_path_factory.mktemp("described"))
    made.rebuild(
        (
            key,
            [
                IndexDocument(key, "item", "", title, seen, title=title),
                IndexDocument(key, "page", "p1", "大水", seen, title=title, section=section),
            ],
        )
        for key, (title, section) in works.items()
        for seen in (Visibility(Audience.STAFF if key == "mi" else Audience.PUBLIC),)
    )
    return made


def test_fields_and_sections_know_substitutes_shown_counted_and_switchable(described: WhooshIndex) -> None:
    results = described.search(Query("题名:弘治", today=DAY))
    assert {hit.item for hit in results.hits} == {"hong", "kuan"}
    assert results.expansions == (Expansion("题名:弘治", "taboo", True, (("题名:宏治", 1),)),), "what staff alone may see counts nowhere"
    assert results.understood == "题名里有“弘治”（也找 “宏治”）"
    off = described.search(Query("题名:弘治", today=DAY, taboo=False))
    assert {hit.item for hit in off.hits} == {"hong"}
    assert off.expansions == (Expansion("题名:弘治", "taboo", False, (("题名:宏治", 1),)),)
    assert _items(described, "大水 题名:弘治") == {"hong", "kuan"}
    assert _items(described, "大水 门目:弘治") == {"hong", "kuan"}
    assert _items(described, "大水 -题名:弘治") == set()
    assert _items(described, "题名:“弘治”") == {"hong"}
    assert described.search(Query("题名:“弘治”", today=DAY)).expansions == ()


def test_a_field_is_typed_by_people_so_machines_confuse_nothing_in_it(described: WhooshIndex) -> None:
    assert _items(described, "题名:弘冶", confusable=True) == set()


def test_marks_leave_substitutes_out_when_they_were_switched_off(index: WhooshIndex) -> None:
    assert index.mark("弘治", "宏治二年，宏治三年", taboo=False) == ()
    assert len(index.mark("弘治", "弘治二年，宏治三年", taboo=False)) == 1


def test_a_listed_word_is_found_under_its_substitute_and_counted_once(index: WhooshIndex) -> None:
    results = index.search(Query("弘治", today=DAY))
    assert {hit.item for hit in results.hits} == {"hong", "kuan", "que", "both", "note"}
    assert (results.total, results.occurrences) == (5, 7)
    assert {hit.item: hit.matches for hit in results.hits} == {"hong": 1, "kuan": 2, "que": 1, "both": 2, "note": 1}
    assert results.hits[0].item in ("hong", "both"), "the form typed comes first"
    assert results.expansions == (Expansion("弘治", "taboo", True, (("宏治", 4),)),)
    assert results.understood == "“弘治”（也找 “宏治”）"


def test_it_can_be_switched_off_and_still_tells_what_there_is(index: WhooshIndex) -> None:
    results = index.search(Query("弘治", today=DAY, taboo=False))
    assert {hit.item for hit in results.hits} == {"hong", "que", "both"}
    assert results.expansions == (Expansion("弘治", "taboo", False, (("宏治", 4),)),)
    assert results.understood == "“弘治”"


def test_a_hidden_leaf_is_no_part_of_the_counts(index: WhooshIndex) -> None:
    assert index.search(Query("弘治", Audience.STAFF, DAY)).expansions == (Expansion("弘治", "taboo", True, (("宏治", 5),)),)


def test_what_is_quoted_or_has_gaps_is_what_it_is(index: WhooshIndex) -> None:
    assert _items(index, "“弘治”") == {"hong", "both"}
    assert _items(index, "弘?元") == {"hong"}
    assert index.search(Query("“弘治”", today=DAY)).expansions == ()


def test_characters_are_never_confounded(index: WhooshIndex) -> None:
    assert _items(index, "玄") == {"xuan", "zi"}
    assert _items(index, "玄宗") == {"xuan", "yuan"}
    assert _items(index, "丘") == {"zi"}


def test_substitutes_count_wherever_strings_stand(index: WhooshIndex) -> None:
    assert _items(index, "注:弘治") == {"note"}
    assert _items(index, "近:3(弘治 元年)") == {"hong", "note"}
    assert _items(index, "幸蜀 -玄宗") == set()
    assert _items(index, "幸蜀 -玄宗", taboo=False) == {"yuan"}


def test_marks_and_concordance_know_them_too(index: WhooshIndex) -> None:
    assert len(index.mark("弘治", "宏治二年，宏治三年")) == 2
    assert index.concordance(Query("弘治", today=DAY)).total == 7
    assert set(index.search(Query("弘治", today=DAY)).terms) == {"弘治", "宏治"}


def test_confusions_of_machine_reading_are_looked_for_when_asked(index: WhooshIndex) -> None:
    assert _items(index, "弘冶") == set()
    asked = index.search(Query("弘冶", today=DAY, confusable=True))
    assert {hit.item for hit in asked.hits} == {"hong", "que", "both"}
    (expansion,) = asked.expansions
    assert (expansion.word, expansion.kind, expansion.applied) == ("弘冶", "confusable", True)
    assert dict(expansion.words)["弘治"] == 3
    assert all(number for _word, number in expansion.words)
    assert _items(index, "“弘冶”", confusable=True) == set()
    assert index.search(Query("弘冶", today=DAY)).corrections == (("弘治", 5),)


def test_every_word_leads_to_the_others_of_its_line() -> None:
    assert taboo.expand(fold("弘治")) == (fold("宏治"),)
    assert taboo.expand(fold("宏治")) == (fold("弘治"),)
    assert set(taboo.expand(fold("王士禎"))) == {fold("王士禛"), fold("王士正")}
    assert taboo.expand(fold("至正元年")) == taboo.expand("玄") == taboo.expand("") == ()


def test_the_longest_word_goes_first_and_all_words_are_changed() -> None:
    strings = taboo.expand(fold("弘治玄宗"))
    assert set(strings) == {fold("弘治元宗"), fold("宏治玄宗"), fold("宏治元宗")}
    assert [found.word for found in taboo.alternatives(fold("公孫弘治"))] == [fold("公孫弘")]


def test_what_is_added_to_a_query_is_bounded() -> None:
    parsed = expanded(parse(" ".join(["弘治玄宗商丘章丘"] * 60 + ["弘治"] * 60)), taboo=True, confusable=False)
    assert sum(len(phrase.others) for phrase in parsed.phrases()) <= MOST_IN_ALL
    assert len(taboo.expand(fold("弘治" * 500))) == 16


def test_substitutes_differ_from_their_words_by_more_than_form() -> None:
    words = [fold(word) for found in taboo._words().values() for word in found]
    assert all(len(word) > 1 for word in words)
    assert all(word not in taboo.expand(word) for word in words)
