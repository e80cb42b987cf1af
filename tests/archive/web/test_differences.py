"""Where two texts say something else: by folded characters, with offsets into both as written."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from archive.search.chinese import fold, learn_glyphs
from archive.web import differences
from archive.web.differences import MOST, Compared, Text, compare


@pytest.fixture(autouse=True)
def _shipped() -> Iterator[None]:
    yield
    learn_glyphs({})


def told(left: str, right: str, **more: bool) -> list[tuple[str, str]]:
    found = compare(Text(left, **more), Text(right, **more))
    return [one.words for one in found.differences if not one.form]


def test_other_words_are_found_with_their_places_in_both() -> None:
    left, right = "金州　漢隂郡，西城縣（古）地", "金州安康郡西城縣古之地也"
    found = compare(Text(left), Text(right))
    words = [(left[d.left.start : d.left.end], right[d.right.start : d.right.end]) for d in found.differences]
    assert words == [("漢隂", "安康"), ("", "之"), ("", "也")]
    assert [one.before for one in found.differences] == ["金州", "康郡西城縣古", "西城縣古之地"]


def test_layout_punctuation_and_script_are_no_differences() -> None:
    found = compare(Text("漢陰縣志，\n卷之三"), Text("汉阴县志卷之三"))
    assert (found.count(False), found.count(True), found.alike) == (0, 1, 1.0)
    assert found.spans(0, forms=False) == ()
    (form,) = found.spans(0, forms=True)
    assert "漢陰縣志，\n卷之三"[form.start : form.end] == "漢陰縣"


def test_variant_forms_are_told_apart_from_other_words() -> None:
    found = compare(Text("陝西總督奏報漢隂廳"), Text("陜西巡撫奏報漢陰廳"))
    assert [(one.words, one.form) for one in found.differences] == [(("陝", "陜"), True), (("總督", "巡撫"), False), (("隂", "陰"), True)]


def test_an_agreement_of_one_character_inside_a_difference_is_chance() -> None:
    assert told("州治在江之南岸今廢不存", "州治移山之北麓今廢不存") == [("在江之南岸", "移山之北麓")]


def test_what_only_one_side_has_at_its_ends_is_told() -> None:
    assert told("序曰：金州古西城也", "金州古西城") == [("序曰", ""), ("也", "")]


def test_texts_that_have_nothing_to_do_with_each_other_are_not_compared() -> None:
    found = compare(Text("漢陰縣志卷之三城池"), Text("玄德公在馬上望襄陽一帶"))
    assert not found.related and found.differences == () and found.spans(0, True) == ()


def test_a_text_without_words_has_no_differences() -> None:
    assert compare(Text("，。\n"), Text("漢陰")).differences == ()


def test_a_small_note_counts_without_its_brackets() -> None:
    assert told("漢陰(古西/城地)縣屬興安府", "漢陰古西城地縣屬興安府", notes=True) == []


def test_a_mark_of_a_holding_is_the_character_it_is_there() -> None:
    learn_glyphs({}, {"ankang": {"&KR0001;": "陝"}})
    left, right = Text("興安府屬&KR0001;西省", collection="ankang"), Text("興安府屬陝西省")
    assert [one.words for one in compare(left, right).differences if not one.form] == []
    assert [one.words for one in compare(Text(left.text), right).differences if not one.form] == [("&KR0001;", "陝")]


def test_every_character_is_in_a_difference_or_agrees() -> None:
    """Laid side by side, what lies between the differences is the same on both sides: for texts changed at random places."""
    rng = random.Random(20261123)
    letters = "金州漢陰西城安康石泉紫陽平利洵白河之也縣志卷"
    for _round in range(60):
        left = "".join(rng.choice(letters) for _n in range(rng.randint(1, 120)))
        right = "".join(char if rng.random() > 0.15 else rng.choice(["", char + "江", "山"]) for char in left)
        found = compare(Text(left), Text(right))
        if found.related:
            assert _rest(left, found, 0) == _rest(right, found, 1)


def _rest(text: str, found: Compared, side: int) -> str:
    kept, at = "", 0
    for span in found.spans(side, forms=False):
        kept += text[at : span.start]
        at = span.end
    return fold(kept + text[at:])


@pytest.mark.parametrize(("left", "right"), [("之" * 30_000, "之" * 29_999 + "也"), ("之也" * 9000, "也之" * 9000)], ids=["one", "two"])
def test_the_same_character_over_and_over_is_cut_short(left: str, right: str) -> None:
    assert compare(Text(left), Text(right)).cut


def test_a_long_text_is_compared_at_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "MOST", 10)
    found = compare(Text("金州漢陰西城安康石泉紫陽"), Text("金州漢陰西城安康石泉平利"))
    assert found.cut and found.differences == ()
    assert MOST >= 5000
