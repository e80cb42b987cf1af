"""Definitions: what ships is sound, what an institution lays over it holds, and every mistake is told with file, key and meaning."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from archive.errors import DefinitionsError
from archive.model.profile import Definitions, FieldType
from archive.model.rights import Audience
from archive.profiles import DUBLIN_CORE, heading_key, load_definitions


@pytest.fixture(scope="module")
def shipped() -> Definitions:
    return load_definitions()


def write(home: Path, name: str, text: str) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return home


def faults_of(home: Path) -> tuple[str, ...]:
    with pytest.raises(DefinitionsError) as caught:
        load_definitions(home)
    return caught.value.faults


PROFILE = 'label = "甲"\nlabel_en = "A"\n'


def test_the_five_holdings_come_in_their_order(shipped: Definitions) -> None:
    labels = [collection.label for collection in shipped.collections.values()]
    assert labels == ["地方志", "汉调二簧", "三线学兵", "汉水文化", "城市建设"]


def test_the_four_kinds_ship_and_the_shared_file_is_none(shipped: Definitions) -> None:
    assert sorted(shipped.profiles) == ["gazetteer", "general", "han-opera", "third-front"]


def test_core_fields_come_first_and_only_the_title_is_required(shipped: Definitions) -> None:
    for profile in shipped.profiles.values():
        assert profile.fields[0].key == "title"
        assert [field.key for field in profile.fields if field.required] == ["title"]


def test_every_profile_has_a_date_field_of_type_date(shipped: Definitions) -> None:
    for profile in shipped.profiles.values():
        field = profile.field(profile.date_field)
        assert field is not None and field.type is FieldType.DATE


def test_a_profile_says_over_again_only_what_differs_from_the_core(shipped: Definitions) -> None:
    date = shipped.profiles["gazetteer"].field("date")
    assert date is not None
    assert (date.label, date.type, date.term) == ("修纂年", FieldType.DATE, "dcterms:created")
    assert shipped.profiles["general"].field("date").label == "年代"  # type: ignore[union-attr]


def test_woodblock_books_read_from_the_right_with_small_notes(shipped: Definitions) -> None:
    gazetteer = shipped.profiles["gazetteer"]
    assert gazetteer.reading_direction == "rtl" and gazetteer.notes_layout
    assert not shipped.profiles["general"].notes_layout


def test_one_heading_means_one_field_whatever_the_kind(shipped: Definitions) -> None:
    """A sheet is read before the kind of its rows is known."""
    meant: dict[str, str] = {}
    for profile in shipped.profiles.values():
        for field in profile.fields:
            for written in (field.key, field.label, field.label_en, *field.headings):
                assert meant.setdefault(heading_key(written), field.key) == field.key, written


@pytest.mark.parametrize(
    ("kind", "written", "key"),
    [
        ("gazetteer", "书  名", "title"),
        ("gazetteer", "纂修者", "creator"),
        ("gazetteer", "修纂者", "creator"),
        ("gazetteer", "修者", "sponsor"),
        ("gazetteer", "纂者", "compiler"),
        ("gazetteer", "成书年代", "date"),
        ("gazetteer", "版本", "edition"),
        ("gazetteer", "册数／卷数", "extent"),
        ("han-opera", "行当", "role-type"),
        ("third-front", "连队", "unit"),
        ("general", "作者", "creator"),
        ("general", "备注", "remarks"),
    ],
)
def test_headings_as_archivists_write_them(shipped: Definitions, kind: str, written: str, key: str) -> None:
    found = [
        field.key
        for field in shipped.profiles[kind].fields
        if heading_key(written) in {heading_key(w) for w in (field.label, field.label_en, *field.headings)}
    ]
    assert found == [key]


def test_what_could_name_a_living_person_is_for_staff(shipped: Definitions) -> None:
    fields = {f.key: f for f in shipped.profiles["third-front"].fields}
    for key in ("person", "narrator", "birth-year", "donor", "recipient", "depicted-persons", "consent-id", "remarks"):
        assert fields[key].staff_only, key
    written = {heading_key(w) for f in fields.values() for w in (f.label, *f.headings)}
    assert not written & {"身份证号", "电话", "联系方式", "手机", "住址"}, "contact data have no field: they belong in the private store"


def test_the_audiences_mirror_the_one_list(shipped: Definitions) -> None:
    terms = shipped.vocabularies["audiences"].terms
    assert not shipped.vocabularies["audiences"].open
    assert [next(n for n in t.names if n.isascii()) for t in terms] == [audience.value for audience in Audience]


@pytest.mark.parametrize("key", ["han-opera-roles", "han-opera-systems", "han-opera-metres", "third-front-units", "han-opera-genres"])
def test_a_list_that_awaits_an_expert_says_so_and_stays_open(shipped: Definitions, key: str) -> None:
    vocabulary = shipped.vocabularies[key]
    assert "专家" in vocabulary.note and vocabulary.open


def test_no_standard_is_claimed_to_be_met(shipped: Definitions) -> None:
    texts = [v.note for v in shipped.vocabularies.values()] + [p.note for p in shipped.profiles.values()]
    texts += [f.note for p in shipped.profiles.values() for f in p.fields]
    assert not [text for text in texts if "符合" in text]


def test_variant_names_of_the_opera_are_one_term(shipped: Definitions) -> None:
    genres = shipped.vocabularies["han-opera-genres"]
    assert {genres.term(w).value for w in ("汉调二黄", "汉二簧", "汉调", "陕西汉剧")} == {"汉调二簧"}  # type: ignore[union-attr]


def test_every_term_named_is_one_of_dublin_core(shipped: Definitions) -> None:
    terms = {field.term for profile in shipped.profiles.values() for field in profile.fields if field.term}
    assert terms and all(term.removeprefix("dcterms:") in DUBLIN_CORE for term in terms)


def test_a_file_of_the_home_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    home = write(tmp_path, "vocabularies/han-opera-roles.toml", PROFILE + 'terms = [{ value = "净" }]')
    write(home, "profiles/map.toml", PROFILE.replace("甲", "地图") + 'include = ["core"]\ndate_field = "date"\n')
    found = load_definitions(home)
    assert [term.value for term in found.vocabularies["han-opera-roles"].terms] == ["净"]
    assert found.profiles["map"].label == "地图"
    assert "gazetteer" in found.profiles


def test_a_home_without_definitions_is_as_shipped(tmp_path: Path, shipped: Definitions) -> None:
    assert load_definitions(tmp_path / "definitions") == shipped


def test_the_sentence_of_a_vocabulary_that_is_not_there(tmp_path: Path) -> None:
    home = write(
        tmp_path, "profiles/han-opera.toml", PROFILE + '[fields."行当"]\nlabel = "行当"\nlabel_en = "Role"\nvocabulary = "han-opera-role"\n'
    )
    assert faults_of(home) == (
        f"{tmp_path.name}/profiles/han-opera.toml: fields.行当: vocabulary 'han-opera-role' does not exist; did you mean 'han-opera-roles'?",
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("profiles/x.toml", PROFILE + "lable = 3", "x.toml: lable: no such key; did you mean 'label'?"),
        ("profiles/x.toml", 'label = "甲"', "x.toml: label_en: is missing"),
        ("profiles/x.toml", 'label = "甲"\nlabel_en = 3', "x.toml: label_en: expected text, found a whole number (3)"),
        ("profiles/x.toml", PROFILE + '[fields.a]\nlabel = "子"', "x.toml: fields.a.label_en: is missing"),
        (
            "profiles/x.toml",
            PROFILE + '[fields.a]\nlabel = "子"\nlabel_en = "a"\nfacte = true',
            "fields.a.facte: no such key; did you mean 'facet'?",
        ),
        ("profiles/x.toml", PROFILE + '[fields.a]\nlabel = "子"\nlabel_en = "a"\ntype = "dates"', "fields.a.type: 'dates' is none of"),
        (
            "profiles/x.toml",
            PROFILE + '[fields.a]\nlabel = "子"\nlabel_en = "a"\nterm = "dcterms:creater"',
            "did you mean 'dcterms:creator'?",
        ),
        (
            "profiles/x.toml",
            PROFILE + '[fields.a]\nlabel = "子"\nlabel_en = "a"\nheadings = "丑"',
            "fields.a.headings: expected a list, found text",
        ),
        ("profiles/x.toml", PROFILE + 'include = ["cor"]', "include: profiles/cor.toml does not exist"),
        ("profiles/x.toml", PROFILE + 'date_field = "date"', "date_field: field 'date' does not exist"),
        ("profiles/x.toml", PROFILE + 'reading_direction = "rlt"', "did you mean 'rtl'?"),
        ("profiles/x.toml", PROFILE + 'collection = "han-oprea"', "did you mean 'han-opera'?"),
        ("profiles/x.toml", PROFILE + "[fields.a\n", "x.toml: line 3, column"),
        (
            "profiles/x.toml",
            PROFILE + 'include = ["core"]\n[fields.a]\nlabel = "書名"\nlabel_en = "a"\nheadings = ["书名"]',
            "fields.a.headings: '书名' is already a heading of fields.title ('书名')",
        ),
        ("vocabularies/x.toml", PROFILE + 'terms = ["甲"]', "x.toml: terms: number 1: expected a table"),
        ("vocabularies/x.toml", PROFILE + 'terms = [{ value = "甲" }, { value = "乙", names = ["甲"] }]', "terms[2]: '甲' is already"),
        ("holdings/x.toml", PROFILE + 'parent = "han-oprea"', "parent: holding 'han-oprea' does not exist; did you mean 'han-opera'?"),
        ("holdings/x.toml", PROFILE + 'parent = "x"', "parent: is its own ancestor: x → x"),
        ("holdings/甲.toml", PROFILE, "the name of the file is the key"),
        ("profile/x.toml", PROFILE, "profile/: no folder of that name is read; did you mean 'profiles'?"),
    ],
)
def test_a_mistake_is_told_with_file_key_and_meaning(tmp_path: Path, name: str, text: str, said: str) -> None:
    faults = faults_of(write(tmp_path, name, text))
    assert [fault for fault in faults if said in fault], faults
    assert len(faults) == 1, faults


def test_a_ring_of_parents_is_told_once(tmp_path: Path) -> None:
    for slug, parent in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        write(tmp_path, f"holdings/{slug}.toml", PROFILE + f'parent = "{parent}"')
    (fault,) = faults_of(tmp_path)
    assert "a → b → c → a" in fault


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, "profiles/x.toml", "label = 1\n")
    write(tmp_path, "vocabularies/y.toml", "=")
    (tmp_path / "holdings").mkdir()
    (tmp_path / "holdings" / "z.toml").write_bytes('label = "汉"'.encode("gb18030"))
    text = "\n".join(faults_of(tmp_path))
    assert "x.toml: label: expected text" in text and "x.toml: label_en: is missing" in text
    assert "y.toml: line 1" in text and "z.toml: byte 9 is not UTF-8" in text


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    write(tmp_path, "holdings/x.toml", "\ufeff" + PROFILE)
    assert load_definitions(tmp_path).collections["x"].label == "甲"


def test_reading_takes_no_time_a_person_notices() -> None:
    """Under 30 ms on a quiet machine; the bound leaves room for a busy one."""
    best = min(_timed() for _ in range(5))
    assert best < 0.12


def _timed() -> float:
    start = time.perf_counter()
    load_definitions()
    return time.perf_counter() - start
