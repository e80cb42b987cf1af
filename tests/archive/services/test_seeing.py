"""What a reader may see of an item, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from seen_items import BOOK, CLOSED, DAY, LATER, OPENS, OPERA, PUBLIC, SEALED, STAFF, book, image, opera, with_page, words

from archive import records
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextSource, Track
from archive.model.rights import Audience, Embargo, Rights
from archive.services.seeing import file_visible, visible


def seen(item: Item, reader: Audience = PUBLIC, day: date = DAY) -> Item:
    found = visible(item, reader, day, profile=BOOK if item.kind == "gazetteer" else OPERA)
    assert found is not None
    return found


def ids(parts: tuple[object, ...]) -> list[str]:
    return [part.id for part in parts]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rights", "reader", "expected"),
    [
        (Rights(), PUBLIC, False),
        (Rights(), STAFF, True),
        (Rights(PUBLIC), PUBLIC, True),
        (Rights(Audience.READING_ROOM), Audience.SIGNED_IN, False),
        (Rights(Audience.READING_ROOM), Audience.ON_REQUEST, True),
        (Rights(SEALED), STAFF, False),
    ],
    ids=["nothing stated is staff", "staff sees it", "public", "signed in is not the room", "wider than asked", "sealed even from staff"],
)
def test_an_item_is_there_or_not(rights: Rights, reader: Audience, expected: bool) -> None:
    assert (visible(book(rights=rights), reader, DAY) is not None) is expected


def test_an_embargo_opens_on_its_day_and_closes_on_its_day() -> None:
    opens, closes = book(rights=LATER), book(rights=Rights(PUBLIC, Embargo(OPENS, STAFF)))
    assert [visible(opens, PUBLIC, day) is None for day in (date(2026, 12, 31), OPENS)] == [True, False]
    assert [visible(closes, PUBLIC, day) is None for day in (date(2026, 12, 31), OPENS)] == [False, True]


def test_a_hidden_page_leaves_no_gap_and_takes_its_image_along() -> None:
    item = with_page(book(), 2, rights=CLOSED)
    public = seen(item)
    assert ids(public.pages) == ["p1", "p3", "p4", "p5"]
    assert [page.position for page in public.pages] == [1, 2, 3, 4]
    assert "f2" not in ids(public.files)
    assert not file_visible(item, "f2", PUBLIC, DAY)
    assert file_visible(item, "f2", STAFF, DAY)
    assert ids(seen(item, STAFF).pages) == ["p1", "p2", "p3", "p4", "p5"]


def test_nothing_hidden_is_anywhere_in_what_is_handed_out() -> None:
    item = with_page(book(), 2, rights=CLOSED, label="密页", note="密注", section="密目")
    written = records.encode(seen(item)).decode()
    assert not [word for word in ("密", "涉及", "张家", "电话", "第2面", '"p2"', '"f2"', "minted") if word in written]
    assert "涉及张某" in records.encode(seen(item, STAFF)).decode()


def test_a_page_of_a_closed_image_keeps_the_text_that_has_its_own_source() -> None:
    sidecar = MediaFile("f9", "originals/2.txt", "2.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT)
    item = book()
    item = replace(item, files=(*(replace(f, rights=CLOSED) if f.id == "f2" else f for f in item.files), sidecar))
    item = with_page(item, 2, texts=(words("识别", TextSource.OCR), words("录入", TextSource.DONOR, "f9")))
    page = seen(item).page("p2")
    assert page.image is None
    assert [version.text for version in page.texts] == ["录入"]


def test_a_page_of_which_nothing_is_left_is_hidden() -> None:
    item = book()
    item = replace(item, files=tuple(replace(f, rights=LATER) if f.id == "f2" else f for f in item.files))
    assert ids(seen(item).pages) == ["p1", "p3", "p4", "p5"]
    assert ids(seen(item, day=OPENS).pages) == ["p1", "p2", "p3", "p4", "p5"]


def test_a_personal_file_is_staff_only_with_its_text_and_its_other_versions() -> None:
    item = book()
    item = replace(item, files=(*(replace(f, personal=True) if f.id == "f3" else f for f in item.files), image(8, version_of="f3")))
    public = seen(item)
    assert ids(public.files) == ["f1", "f2", "f4", "f5"]
    assert ids(public.pages) == ["p1", "p2", "p4", "p5"]
    assert len(seen(item, STAFF).files) == 6


def test_every_version_of_a_closed_page_is_closed() -> None:
    item = with_page(replace(book(), files=(*book().files, image(8, version_of="f2"))), 2, rights=CLOSED)
    assert ids(seen(item).files) == ["f1", "f3", "f4", "f5"]


def test_two_pages_on_one_image_are_as_closed_as_either() -> None:
    pages = (Page("p1", 1, FileRef("f1", region=(0, 0, 40, 120))), Page("p2", 2, FileRef("f1", region=(40, 0, 40, 120)), rights=CLOSED))
    item = replace(book(1), pages=pages)
    assert seen(item).pages == () and seen(item).files == ()


def test_one_image_of_a_multi_page_file_is_judged_alone_and_the_file_by_all() -> None:
    pdf = MediaFile("f1", "originals/a.pdf", "a.pdf", 1, "1" * 128, "application/pdf", MediaKind.PDF, parts=3)
    pages = tuple(Page(f"p{n}", n, FileRef("f1", n)) for n in (1, 2, 3))
    item = with_page(replace(book(1), files=(pdf,), pages=pages), 2, rights=CLOSED)
    assert [file_visible(item, "f1", PUBLIC, DAY, part) for part in (None, 1, 2, 3)] == [False, True, False, True]
    assert [page.image for page in seen(item).pages] == [FileRef("f1", 1), FileRef("f1", 3)]
    assert seen(item).files == ()


def test_a_document_beside_closed_pages_is_closed_unless_its_own_rights_open_it() -> None:
    whole = MediaFile("f9", "originals/全文.txt", "全文.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT)
    item = with_page(replace(book(), files=(*book().files, whole)), 2, rights=CLOSED)
    assert "f9" not in ids(seen(item).files)
    opened = replace(item, files=(*book().files, replace(whole, rights=Rights(PUBLIC))))
    assert "f9" in ids(seen(opened).files)


@pytest.mark.parametrize(
    ("kind", "parts"), [(MediaKind.PDF, 5), (MediaKind.PDF, None), (MediaKind.IMAGE, 5)], ids=["pdf", "pdf of unknown length", "tiff"]
)
def test_the_scans_once_more_in_one_file_are_closed_with_any_page(kind: MediaKind, parts: int | None) -> None:
    again = MediaFile("f9", "originals/全书", "全书", 1, "9" * 128, "application/pdf", kind, parts=parts, version_of="f1")
    item = replace(book(), files=(*book().files, again))
    assert "f9" in ids(seen(item).files)
    closed = seen(with_page(item, 4, rights=CLOSED))
    assert ids(closed.files) == ["f1", "f2", "f3", "f5"]


def test_a_recording_with_a_closed_passage_is_closed_in_every_version() -> None:
    public = seen(opera())
    assert ids(public.files) == ["f6", "f7"]
    assert ids(seen(opera(), STAFF).files) == ["f1", "f2", "f3", "f4", "f5", "f6", "f7"]
    assert ids(seen(opera(Rights())).files) == ["f1", "f2", "f3", "f4", "f5", "f6", "f7"]


def test_cues_of_a_closed_passage_go_and_the_others_stay() -> None:
    public = seen(opera())
    assert [cue.text for cue in public.tracks[0].cues] == ["开场", "收场"]
    assert (public.tracks[0].media, public.tracks[0].file) == ("f1", None), "of the recording there is a copy without the passage"
    assert all(file.id != "f1" for file in public.files)
    assert ids(public.tracks) == ["t1", "t3"]
    assert public.tracks[1].media == "f7"
    assert ids(seen(opera(), STAFF).tracks) == ["t1", "t2", "t3"]


def test_segments_in_a_closed_passage_are_closed_with_it() -> None:
    public = seen(opera())
    assert [segment.title for segment in public.segments] == ["引子"]
    assert public.segments[0].fields == {"role": ("净",)}
    assert ids(seen(opera(LATER), day=OPENS).segments) == ["s1", "s2", "s3"]


def test_a_track_of_no_known_recording_follows_every_passage() -> None:
    item = replace(opera(), tracks=(Track("t9", None, opera().tracks[0].cues),))
    assert seen(item).tracks == ()


def test_fields_below_staff_are_those_the_profile_shows() -> None:
    assert seen(book()).fields == {"creator": ("李国麒",)}
    assert set(seen(book(), STAFF).fields) == {"creator", "donor-note", "unlisted"}


def test_versions_that_point_at_each_other_do_not_hang() -> None:
    item = replace(book(2), files=(image(1, version_of="f2"), image(2, version_of="f1")))
    assert ids(seen(item).pages) == ["p1", "p2"]
    assert ids(seen(with_page(item, 1, rights=CLOSED)).files) == []


def test_the_remark_of_a_page_list_is_for_staff_as_that_of_a_row_is() -> None:
    item = with_page(book(), 2, note="此面待与王馆长商量")
    for reader, note in ((Audience.PUBLIC, ""), (Audience.READING_ROOM, ""), (Audience.STAFF, "此面待与王馆长商量")):
        seen = visible(item, reader, DAY)
        assert seen is not None and seen.pages[1].note == note
