"""Suggestions, did-you-mean and other names: exact, and nothing of what the reader may not see."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from archive.model.profile import Term, Vocabulary
from archive.model.rights import Audience, Visibility
from archive.profiles import load_definitions
from archive.search import corrections
from archive.search.base import IndexDocument, Offer, Query, Suggestion
from archive.search.chinese import WALL
from archive.search.names import OtherNames
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)
PLACES = Vocabulary(
    "place-names",
    "地名异称",
    "Other names",
    (
        Term("安康", names=("金州", "兴安", "興安"), note="待考"),
        Term("旬阳", names=("洵陽", "郇陽")),
    ),
)


def _work(
    item: str, title: str, *leaves: str, audience: Audience = Audience.PUBLIC, person: str = "李國麒", place: str = "安康", **more: str
) -> list[IndexDocument]:
    shared = IndexDocument(
        item,
        "item",
        "",
        WALL.join((title, person, place)),
        Visibility(audience),
        title=title,
        fields={"compiler": (person,), "jurisdiction": (place,)} | {key: (value,) for key, value in more.items()},
        field_names={"compiler": ("纂者", "责任者", "creator"), "jurisdiction": ("所涉政区", "地名", "place")},
    )
    pages = [
        replace(shared, target="page", key=f"p{number}", text=leaf, joins_previous=number > 1, position=number)
        for number, leaf in enumerate(leaves, 1)
    ]
    return [shared, *pages]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    made = WhooshIndex(tmp_path_factory.mktemp("names"), others=OtherNames({"place-names": PLACES}))
    works = [
        ("xaf", _work("xaf", "興安府志", "漢隂縣在金州西一百里", "洵陽縣有洵水")),
        ("hyt", _work("hyt", "漢陰廳志", "重修漢陰廳城記", person="錢鶴年", place="漢陰")),
        ("hy2", _work("hy2", "汉阴厅志", "重修漢陰廳城記", person="钱鹤年", place="漢隂")),
        ("jia", _work("jia", "嘉慶漢陰廳志", "王后之墓", place="漢隂")),
        ("mi", _work("mi", "漢陰密志", "密事重修安康廳城圖，郇陽縣丁", audience=Audience.STAFF, person="漢某", place="郇陽")),
    ]
    made.rebuild(iter(works))
    return made


def _suggested(index: WhooshIndex, typed: str, reader: Audience = Audience.PUBLIC) -> list[tuple[str, str, int]]:
    return [(found.text, found.kind, found.items) for found in index.suggest(typed, reader, DAY)]


def test_names_are_suggested_in_every_form_with_their_works(index: WhooshIndex) -> None:
    for typed in ("漢", "汉", "汉阴", "漢隂"):
        found = _suggested(index, typed)
        assert found[:2] == [("漢隂", "place", 3), ("漢陰廳志", "title", 2)]
        assert found[2:] == [("嘉慶漢陰廳志", "title", 1)], "a name that has it inside comes after those that begin so"
    assert _suggested(index, "李国") == [("李國麒", "person", 2)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("hanyin", "漢隂"),
        ("Hàn yīn", "漢隂"),
        ("hyt", "漢陰廳志"),
        ("HYTZ", "漢陰廳志"),
        ("liguo", "李國麒"),
        ("lgq", "李國麒"),
        ("xingan", "興安府志"),
    ],
)
def test_names_are_suggested_by_pinyin_and_initials(index: WhooshIndex, typed: str, first: str) -> None:
    assert _suggested(index, typed)[0][0] == first


def test_every_reading_of_a_name_leads_to_it(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path)
    index.rebuild(iter([("a", _work("a", "單雄志"))]))
    for typed in ("shanxiong", "danxiong", "chanxiong", "sxz", "dxz"):
        assert [found.text for found in index.suggest(typed, Audience.PUBLIC, DAY)] == ["單雄志"]


def test_no_suggestion_tells_of_what_a_reader_may_not_see(index: WhooshIndex) -> None:
    public = _suggested(index, "漢")
    assert all("密" not in text and "某" not in text for text, _kind, _items in public)
    assert {text for text, _kind, _items in _suggested(index, "漢", Audience.STAFF)} > {"漢陰密志", "漢某"}
    assert _suggested(index, "郇") == []
    assert _suggested(index, "郇", Audience.STAFF) == [("郇陽", "place", 1)]


def test_a_form_that_only_a_hidden_work_has_is_not_shown(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path)
    hidden = [(f"s{n}", _work(f"s{n}", "漢隂志", audience=Audience.STAFF)) for n in range(3)]
    index.rebuild(iter([*hidden, ("open", _work("open", "汉阴志"))]))
    assert index.suggest("汉阴", Audience.PUBLIC, DAY) == (Suggestion("汉阴志", "title", 1),)
    assert index.suggest("汉阴", Audience.STAFF, DAY) == (Suggestion("漢隂志", "title", 4),)


@pytest.mark.parametrize("typed", ["", "　", "，", "*", "漢" * 41, "\0", "\u202e", "\ud800", "(" * 30])
def test_nothing_is_suggested_for_nothing(index: WhooshIndex, typed: str) -> None:
    assert index.suggest(typed, Audience.STAFF, DAY) == ()


def test_as_many_as_asked_for(index: WhooshIndex) -> None:
    assert len(index.suggest("漢", Audience.STAFF, DAY, 2)) == 2
    assert index.suggest("漢", Audience.STAFF, DAY, 0) == ()


def test_an_embargo_closes_names_by_itself(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path)
    seen = Visibility(Audience.PUBLIC, date(2027, 1, 1), Audience.STAFF)
    index.rebuild(iter([("e", [replace(document, visibility=seen) for document in _work("e", "漢陰志")])]))
    assert index.suggest("漢陰", Audience.PUBLIC, date(2026, 12, 31))
    assert index.suggest("漢陰", Audience.PUBLIC, date(2027, 1, 1)) == ()


def test_suggestions_follow_changes(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path)
    index.rebuild(iter([("a", _work("a", "漢陰志"))]))
    assert index.suggest("漢", Audience.PUBLIC, DAY)
    index.replace([("a", ())])
    index.replace([("b", _work("b", "漢中志"))])
    assert [found.text for found in index.suggest("漢", Audience.PUBLIC, DAY)] == ["漢中志"]


def test_suggestions_come_at_once_among_many(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path)
    index.rebuild((f"w{n}", _work(f"w{n}", f"漢陰{chr(0x4E00 + n % 5000)}志{n}", person=f"王{chr(0x5000 + n)}")) for n in range(2000))
    index.suggest("漢", Audience.PUBLIC, DAY)
    spent = []
    for typed in ("漢", "漢陰", "王", "一", "志4", "w", "不有") * 3:
        begun = time.thread_time()
        index.suggest(typed, Audience.PUBLIC, DAY)
        spent.append(time.thread_time() - begun)
    assert statistics.median(spent) < 0.005


# Did you mean


def _corrections(index: WhooshIndex, text: str, reader: Audience = Audience.PUBLIC) -> dict[str, int]:
    results = index.search(Query(text, reader, DAY))
    assert len(results.corrections) <= 5
    for query, hits in results.corrections:
        again = index.search(Query(query, reader, DAY))
        assert again.total + again.metadata_total == hits > 0
    return dict(results.corrections)


def test_one_character_off_is_found_with_its_hits(index: WhooshIndex) -> None:
    assert _corrections(index, "重修漢中廳城記") == {"重修漢陰廳城記": 2}
    assert _corrections(index, "重修漢陰舊廳城記") == {"重修漢陰廳城記": 2}
    assert _corrections(index, "王某之墓") == {"王后之墓": 1}
    assert _corrections(index, "王某之墓 嘉慶") == {}, "the two stand in different documents"


def test_a_quoted_form_that_nobody_wrote_leads_to_the_others(index: WhooshIndex) -> None:
    assert _corrections(index, "“汉陰廳城記”") == {"汉陰廳城記": 2}


def test_a_query_with_hits_is_not_corrected(index: WhooshIndex) -> None:
    assert index.search(Query("漢陰", today=DAY)).corrections == ()


def test_did_you_mean_never_tells_of_what_a_reader_may_not_see(index: WhooshIndex) -> None:
    assert _corrections(index, "重修安寧廳城圖") == {}
    assert _corrections(index, "重修安寧廳城圖", Audience.STAFF) == {"重修安康廳城圖": 1}
    assert _corrections(index, "“密亊”") == {}


def test_a_name_that_sounds_the_same_is_meant(index: WhooshIndex) -> None:
    assert _corrections(index, "李过其") == {"李國麒": 2}
    assert _corrections(index, "liguoqi") == {"李國麒": 2}
    assert _corrections(index, "寒某") == {}
    assert _corrections(index, "寒某", Audience.STAFF) == {"漢某": 1}


def test_a_glyph_without_a_code_is_not_offered(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path)
    index.rebuild(iter([("g", _work("g", "無", "&KR1234;陰安，[車*犬]陰安，⿰氵青陰安"))]))
    assert _corrections(index, "漢陰安") == {}
    assert index.search(Query("&KR1234;陰", today=DAY)).understood == "“&KR1234;陰”"


def test_hidden_places_take_no_room_from_those_that_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "_PLACES", 3)
    index = WhooshIndex(tmp_path)
    hidden = [(f"a{n}", _work(f"a{n}", "密", "漢密縣", audience=Audience.STAFF)) for n in range(5)]
    index.rebuild(iter([*hidden, ("z", _work("z", "開", "漢陰縣"))]))
    assert _corrections(index, "漢中縣") == {"漢陰縣": 1}


def test_only_the_string_that_is_nowhere_is_changed(index: WhooshIndex) -> None:
    assert _corrections(index, "金州西一千里 -王后") == {"金州西一百里 -王后": 1}


# Other names


def test_a_bare_name_offers_its_other_names_with_hits(index: WhooshIndex) -> None:
    results = index.search(Query("洵阳", today=DAY))
    assert results.offers == (), "郇陽 stands in a hidden work alone"
    assert index.search(Query("洵阳", Audience.STAFF, DAY)).offers == (Offer("旬阳", "place", (("郇陽", 2),)),)
    assert index.search(Query("安康", today=DAY)).offers == (Offer("安康", "place", (("金州", 1), ("兴安", 1)), "待考"),)
    assert results.total == 1, "nothing is added to what was asked for"


@pytest.mark.parametrize("typed", ["李襲譽", "李袭誉", "李襲誉"])
def test_a_person_by_any_form_of_the_name_offers_the_others_with_what_the_reader_may_see(tmp_path: Path, typed: str) -> None:
    index = WhooshIndex(tmp_path, others=OtherNames(load_definitions().vocabularies))
    works = [
        ("a", _work("a", "志甲", "李襲譽安康人", "茂實家居儉，茂實好書")),
        ("b", _work("b", "志乙", "茂实密奏", audience=Audience.STAFF)),
    ]
    index.rebuild(iter(works))
    (offer,) = index.search(Query(typed, today=DAY)).offers
    assert (offer.name, offer.kind, offer.others) == ("李袭誉", "person", (("茂实", 1),))
    assert "《江南通志》" in offer.note
    assert index.search(Query(typed, Audience.STAFF, DAY)).offers[0].others == (("茂实", 2),)
    (back,) = index.search(Query("茂實", today=DAY)).offers
    assert (back.name, back.others) == ("李袭誉", (("李袭誉", 1),))
    assert index.search(Query(typed, today=DAY)).total == 1, "nothing is added to what was asked for"


def test_every_person_of_the_list_has_another_name_and_a_source() -> None:
    terms = load_definitions().vocabularies["person-names"].terms
    names = OtherNames(load_definitions().vocabularies)
    assert len(terms) >= 25
    for term in terms:
        assert re.search("《[^》]+》.*卷", term.note), term.value
        for name in (term.value, *term.names):
            assert term.value in [known.name for known in names.of(name)], name


@pytest.mark.parametrize("text", ["“安康”", "安康 水利", "注:安康", "-安康 水", "安康?水", "题名:安康", "康"])
def test_only_a_bare_name_offers(index: WhooshIndex, text: str) -> None:
    assert index.search(Query(text, today=DAY)).offers == ()
