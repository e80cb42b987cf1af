"""An item to its documents: what is indexed, for whom, and what runs on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from archive.model.dates import HistoricalDate, Interval
from archive.model.folios import Folio, Side
from archive.model.item import Cue, FileRef, Item, MediaFile, MediaKind, Page, Segment, TextLine, TextSource, TextVersion, Track
from archive.model.profile import Definitions, Field, FieldType, Profile
from archive.model.rights import Audience, Embargo, Rights
from archive.search.base import IndexDocument
from archive.search.chinese import WALL
from archive.search.documents import documents_of

DAY = date(2026, 11, 22)
PUBLIC = Rights(Audience.PUBLIC)
PROFILE = Profile(
    "gazetteer",
    "地方志",
    "Gazetteer",
    (
        Field("title", "题名", "Title"),
        Field("compiler", "纂者", "Compiler", FieldType.AGENT, facet=True),
        Field("shelf", "架位", "Shelf", staff_only=True),
        Field("size", "开本", "Size", searchable=False),
    ),
    notes_layout=True,
)
DEFINITIONS = Definitions({"gazetteer": PROFILE})


def _text(text: str, source: TextSource = TextSource.DONOR, file: str | None = None) -> TextVersion:
    return TextVersion(source, tuple(TextLine(line) for line in text.split("\n")), file=file)


def _page(number: int, *texts: TextVersion, **more: object) -> Page:
    return Page(f"p{number}", number, texts=texts, **more)  # type: ignore[arg-type]


def _file(name: str, **more: object) -> MediaFile:
    return MediaFile(name, f"originals/{name}", name, 1, "0", "image/png", MediaKind.IMAGE, **more)  # type: ignore[arg-type]


def _item(**more: object) -> Item:
    fields = {"compiler": ("李國麒",), "shelf": ("甲三",), "size": ("32開",), "odd": ("不明",)}
    return replace(Item("xaf-1", "2026-001", "gazetteer", "fangzhi", "興安府志", fields=fields, rights=PUBLIC), **more)  # type: ignore[arg-type]


def _documents(item: Item, target: str = "page") -> list[IndexDocument]:
    return [document for document in documents_of(item, DEFINITIONS, DAY) if document.target == target]


def test_the_description_is_open_and_fields_of_staff_are_in_one_of_their_own() -> None:
    when = HistoricalDate("乾隆五十三年", (Interval(1788, 1788),))
    everyone, staff = _documents(_item(date=when), "item")
    assert everyone.text.split(WALL) == ["興安府志", "乾隆五十三年", "李國麒"]
    assert everyone.visibility.now is Audience.PUBLIC
    assert set(everyone.fields) == {"compiler", "size"}
    assert everyone.field_names["compiler"] == ("纂者", "Compiler", "责任者", "creator")
    assert (everyone.year_first, everyone.date, everyone.facets) == (1788, "乾隆五十三年", ("compiler",))
    assert set(staff.text.split(WALL)) == {"甲三", "不明"}
    assert staff.visibility.now is Audience.STAFF


def test_pages_carry_nothing_of_staff() -> None:
    (page,) = _documents(_item(pages=(_page(1, _text("安康")),)))
    assert "shelf" not in page.fields
    assert "odd" not in page.fields
    assert page.notes
    assert (page.key, page.source, page.title) == ("p1", "donor", "興安府志")


def test_text_runs_on_but_not_over_a_missing_leaf_or_one_without_text() -> None:
    pages = (
        _page(1, _text("甲")),
        _page(2, _text("乙")),
        _page(3, missing=True),
        _page(4, _text("丙")),
        _page(5),
        _page(6, _text("丁")),
        _page(7, _text("戊")),
    )
    assert [(page.key, page.joins_previous) for page in _documents(_item(pages=pages))] == [
        ("p1", False),
        ("p2", True),
        ("p4", False),
        ("p6", False),
        ("p7", True),
    ]


def test_the_juan_of_a_leaf_is_that_of_its_verified_folio_or_of_its_label() -> None:
    pages = (
        _page(1, _text("甲"), label="卷之十二·叶一上"),
        _page(2, _text("乙"), label="卷二", folio=Folio(juan="三", verified=True)),
        _page(3, _text("丙"), label="卷首", folio=Folio(juan="四")),
        _page(4, _text("丁"), label="第4页"),
    )
    assert [page.juan for page in _documents(_item(pages=pages))] == ["十二", "三", "首", ""]


def test_the_best_reading_is_indexed() -> None:
    (page,) = _documents(_item(pages=(_page(1, _text("機", TextSource.OCR), _text("校", TextSource.CORRECTED)),)))
    assert (page.text, page.source) == ("校", "corrected")


def test_text_of_a_personal_file_is_in_no_document() -> None:
    files = (_file("f1", personal=True), _file("f2"))
    pages = (
        _page(1, _text("身份證", file="f1")),
        _page(2, _text("機讀"), image=FileRef("f1")),
        _page(3, _text("好", TextSource.OCR), _text("證", file="f1"), image=FileRef("f2")),
    )
    tracks = (Track("t1", "f2", (Cue(0, 1, "電話"),), file="f1"), Track("t2", "f1", (Cue(0, 1, "電話"),)))
    documents = list(documents_of(_item(files=files, pages=pages, tracks=tracks), DEFINITIONS, DAY))
    assert [document.text for document in documents if document.target != "item"] == ["好"]


def test_the_narrowest_of_item_page_and_file_decides() -> None:
    files = (_file("f1", rights=Rights(Audience.READING_ROOM)),)
    closed = Rights(embargo=Embargo(date(2027, 1, 1), Audience.STAFF))
    pages = (_page(1, _text("甲"), image=FileRef("f1")), _page(2, _text("乙", file="f1")), _page(3, _text("丙"), rights=closed))
    seen = [page.visibility for page in _documents(_item(files=files, pages=pages))]
    assert [visibility.now for visibility in seen] == [Audience.READING_ROOM, Audience.READING_ROOM, Audience.PUBLIC]
    assert (seen[2].changes, seen[2].next) == (date(2027, 1, 1), Audience.STAFF)
    assert _documents(_item(rights=Rights(), pages=(_page(1, _text("甲")),)))[0].visibility.now is Audience.STAFF


def test_a_label_is_cited_only_when_a_person_looked() -> None:
    folio = Folio(juan="三", ye="十二", side=Side.VERSO)
    pages = (_page(1, _text("甲"), folio=folio, label="影像 1"), _page(2, _text("乙"), folio=replace(folio, verified=True), label="影像 2"))
    assert [page.label for page in _documents(_item(pages=pages))] == ["影像 1", "卷三·叶十二下"]


CUES = (Cue(0, 2, "大雪飄"), Cue(2, 4.5, "撲人面"), Cue(725, 730, "朔風陣陣"))


def test_each_cue_is_a_segment_and_the_text_runs_on() -> None:
    cues = _documents(_item(files=(_file("f1"),), tracks=(Track("t1", "f1", CUES),)), "segment")
    assert [(cue.key, cue.start, cue.joins_previous) for cue in cues] == [
        ("t1@0.00", 0, False),
        ("t1@2.00", 2, True),
        ("t1@725.00", 725, True),
    ]


def test_a_closed_passage_closes_the_cues_that_overlap_it_and_the_whole_libretto() -> None:
    passage = Segment("s1", "f1", 4, 10, "不宜公開", rights=Rights(Audience.STAFF))
    libretto = Track("t2", "f1", (Cue(0, 0, "另一唱詞"),), timed=False)
    found = _documents(_item(files=(_file("f1"),), tracks=(Track("t1", "f1", CUES), libretto), segments=(passage,)), "segment")
    assert {document.key: document.visibility.now for document in found} == {
        "s1": Audience.STAFF,
        "t1@0.00": Audience.PUBLIC,
        "t1@2.00": Audience.STAFF,
        "t1@725.00": Audience.PUBLIC,
        "t2": Audience.STAFF,
    }


@pytest.mark.parametrize("timed_first", [True, False])
def test_a_libretto_that_repeats_the_timed_text_is_not_indexed_twice(timed_first: bool) -> None:
    timed = Track("t1", "f1", CUES)
    libretto = Track("t2", "f1", tuple(Cue(0, 0, cue.text.replace("飄", "飄，")) for cue in CUES), timed=False)
    tracks = (timed, libretto) if timed_first else (libretto, timed)
    assert {cue.key.split("@")[0] for cue in _documents(_item(files=(_file("f1"),), tracks=tracks), "segment")} == {"t1"}


def test_a_libretto_alone_is_one_segment_without_a_time() -> None:
    (libretto,) = _documents(_item(tracks=(Track("t1", None, CUES, timed=False),)), "segment")
    assert (libretto.key, libretto.start, libretto.text) == ("t1", None, "大雪飄\n撲人面\n朔風陣陣")


def test_an_item_of_an_unknown_kind_shows_its_title_alone() -> None:
    everyone, _staff = _documents(_item(kind="lost"), "item")
    assert everyone.text == "興安府志"
