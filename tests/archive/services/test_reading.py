"""What web, API and command line get, for each reader, from a real catalogue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import msgspec
import pytest
from seen_items import CLOSED, DAY, DEFINITIONS, LATER, OPENS, PUBLIC, STAFF, book, image, opera, with_page, words

from archive.catalogue import items as rows
from archive.catalogue.engine import Catalogue, open_catalogue
from archive.errors import NotFound, UsageError, Withdrawn
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextSource
from archive.model.rights import Audience, Embargo, Rights
from archive.search.base import Group, Hit, IndexDocument, Query, Results, Snippet, Span
from archive.search.documents import documents_of
from archive.search.whoosh_index import WhooshIndex
from archive.services.reading import LARGEST, Reading
from archive.services.seeing import file_visible, visible


@dataclass
class CarelessIndex:
    """An index that gives everything it was told to, to everyone: what must be caught."""

    hits: list[Hit] = field(default_factory=list)
    asked: list[Query] = field(default_factory=list)
    beside: tuple[str, str] = ("", "")

    def search(self, query: Query) -> Results:
        self.asked.append(query)
        works = [[hit for hit in self.hits if hit.item == item] for item in dict.fromkeys(hit.item for hit in self.hits)]
        groups = tuple(Group(hits[0].item, "书名", len(hits), len(hits), tuple(hits)) for hits in works) if query.group else ()
        return Results(len(self.hits), 1, 0, len(self.hits), tuple(self.hits), {}, groups=groups)

    def mark(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[Span, ...]:
        self.beside = (before, after)
        at = text.find(query)
        return (Span(at, at + len(query)),) if at >= 0 else ()

    def replace(self, changes: Iterable[tuple[str, Iterable[IndexDocument]]]) -> None: ...

    def rebuild(self, items: Iterator[tuple[str, Iterable[IndexDocument]]]) -> None: ...

    def doctor(self) -> Mapping[str, object]:
        return {}

    def close(self) -> None: ...


@dataclass
class House:
    """A catalogue, what reads it, and the day it is."""

    catalogue: Catalogue
    index: CarelessIndex
    day: date = DAY

    def __post_init__(self) -> None:
        self.reading = Reading(self.catalogue, self.index, DEFINITIONS, lambda: self.day)

    def put(self, *items: Item, at: str = "2026-11-22T08:00:00Z") -> None:
        with self.catalogue.write() as connection:
            for item in items:
                rows.put_item(connection, item, version=1, batch="2026-001.1", at=at, day=DAY)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    catalogue = open_catalogue(tmp_path / "catalogue.sqlite", create=True)
    yield House(catalogue, CarelessIndex())
    catalogue.close()


def counted(house: House, reader: Audience = PUBLIC) -> dict[str, tuple[int, int, int, float]]:
    return {c.collection.slug: (c.items, c.pages, c.recordings, c.duration) for c in house.reading.collections(reader)}


def test_counts_are_of_what_the_reader_sees_and_holdings_include_those_below(house: House) -> None:
    house.put(with_page(book(), 2, rights=CLOSED), book(3, "book-2", rights=Rights()), opera())
    assert counted(house) == {
        "local-gazetteers": (1, 4, 0, 0.0),
        "han-opera": (1, 0, 2, 90.0),
        "han-opera-tapes": (1, 0, 2, 90.0),
    }
    assert counted(house, STAFF)["local-gazetteers"] == (2, 8, 0, 0.0)
    assert counted(house, STAFF)["han-opera"] == (1, 0, 2, 90.0)
    assert [(k.kind, k.items) for k in house.reading.kinds(PUBLIC)] == [("gazetteer", 1), ("han-opera", 1)]


def test_an_embargo_ends_in_lists_and_counts_without_anyone_touching_the_catalogue(house: House) -> None:
    house.put(book(rights=LATER), with_page(book(3, "book-2"), 1, rights=LATER))
    assert counted(house)["local-gazetteers"] == (1, 2, 0, 0.0)
    assert [item.thumb for item in house.reading.items(PUBLIC).items] == ["book-2.f2"]
    house.day = OPENS
    assert counted(house)["local-gazetteers"] == (2, 8, 0, 0.0)
    assert [(item.id, item.pages, item.thumb) for item in house.reading.items(PUBLIC).items] == [
        ("book-1", 5, "book-1.f1"),
        ("book-2", 3, "book-2.f1"),
    ]
    assert house.reading.page(PUBLIC, "book-2", "p1").of == 3


def test_lists_have_pages_orders_and_an_exact_total(house: House) -> None:
    titles = ["白河县志", "安康县志", "汉阴厅志 10", "汉阴厅志 9", "[紫阳县志]"]
    for n, title in enumerate(titles):
        house.put(replace(book(1, f"b-{n}"), title=title), at=f"2026-11-2{n}T00:00:00Z")
    house.put(book(1, "hidden-1", rights=Rights()))
    listed = house.reading.items(PUBLIC, size=2)
    assert (listed.total, listed.pages, [item.title for item in listed.items]) == (5, 3, ["安康县志", "白河县志"])
    assert [item.title for item in house.reading.items(PUBLIC, page=2, size=2).items] == ["汉阴厅志 9", "汉阴厅志 10"]
    assert [item.title for item in house.reading.items(PUBLIC, page=3, size=2).items] == ["[紫阳县志]"]
    assert house.reading.items(PUBLIC, page=9, size=2).items == ()
    assert [item.id for item in house.reading.recent(PUBLIC, 2)] == ["b-4", "b-3"]
    assert house.reading.items(STAFF).total == 6
    assert house.reading.items(PUBLIC, collection="han-opera").total == 0
    assert house.reading.items(PUBLIC, collection="local-gazetteers", kind="gazetteer", sort="date").total == 5
    assert house.reading.items(PUBLIC, size=10**9).size == LARGEST
    with pytest.raises(UsageError):
        house.reading.items(PUBLIC, sort="'; DROP")


def refusals(reading: Reading) -> list[str]:
    """What a public reader is told at every door."""
    calls: list[Callable[[], object]] = [
        lambda: reading.item(PUBLIC, "thing-1"),
        lambda: reading.whole(PUBLIC, "thing-1"),
        lambda: reading.page(PUBLIC, "thing-1", "p1"),
        lambda: reading.page_at(PUBLIC, "thing-1", 1),
        lambda: reading.file(PUBLIC, "thing-1.f1"),
        lambda: reading.tracks(PUBLIC, "thing-1"),
        lambda: reading.search(PUBLIC, "山", item="thing-1"),
        lambda: reading.page(PUBLIC, "book-1", "p2"),
        lambda: reading.file(PUBLIC, "book-1.f2"),
        lambda: reading.file(PUBLIC, "opera-1.f1"),
        lambda: reading.track(PUBLIC, "opera-1", "t2"),
        lambda: reading.file(PUBLIC, "no key"),
        lambda: reading.page_at(PUBLIC, "book-1", 0),
    ]
    found = []
    for call in calls:
        with pytest.raises(NotFound) as caught:
            call()
        assert type(caught.value) is NotFound
        found.append(str(caught.value))
    return found


def test_hidden_and_absent_are_the_same_word_for_word(house: House) -> None:
    house.put(book(item_id="thing-1", rights=Rights()), with_page(book(), 2, rights=CLOSED), opera())
    hidden = refusals(house.reading)
    with house.catalogue.write() as connection:
        rows.remove_item(connection, "thing-1")
    house.put(book(1), replace(opera(), files=(), tracks=(), segments=()))
    assert refusals(house.reading) == hidden


def test_an_item_opens_with_a_chunk_of_its_pages(house: House) -> None:
    house.put(with_page(book(7), 3, rights=CLOSED, label="密"))
    view = house.reading.item(PUBLIC, "book-1", pages_page=2, pages_size=3)
    assert view.summary.pages == 6
    assert [(page.id, page.position, page.image) for page in view.pages] == [
        ("p5", 4, "book-1.f5"),
        ("p6", 5, "book-1.f6"),
        ("p7", 6, "book-1.f7"),
    ]
    assert view.item.fields == {"creator": ("李国麒",)}
    assert view.item.files == () and view.item.minted == {}
    assert (view.pages[0].width, view.pages[0].height, view.pages[0].has_text) == (80, 120, True)
    assert [page.id for page in house.reading.item(STAFF, "book-1", pages_size=3).pages] == ["p1", "p2", "p3"]


def test_a_page_with_a_hidden_neighbour(house: House) -> None:
    house.put(with_page(book(), 2, rights=CLOSED))
    view = house.reading.page(PUBLIC, "book-1", "p3")
    assert (view.position, view.of, view.previous, view.next, view.image) == (2, 4, "p1", "p4", "book-1.f3")
    assert (view.page.position, view.width, view.text and view.text.text) == (2, 80, "第3面山川")
    assert house.reading.page_at(PUBLIC, "book-1", 2).page.id == "p3"
    staff = house.reading.page(STAFF, "book-1", "p3")
    assert (staff.position, staff.of, staff.previous) == (3, 5, "p2")
    last = house.reading.page(PUBLIC, "book-1", "p5")
    assert (last.position, last.next) == (4, None)


def test_marks_run_on_from_the_leaf_before_but_never_over_a_hidden_one(house: House) -> None:
    house.put(with_page(book(), 2, rights=CLOSED))
    spans = house.reading.marks(PUBLIC, house.reading.page(PUBLIC, "book-1", "p3"), "山川")
    assert spans == (Span(3, 5),)
    assert house.index.beside == ("", "第4面山川")
    house.reading.marks(STAFF, house.reading.page(STAFF, "book-1", "p3"), "山川")
    assert house.index.beside == ("第2面山川", "第4面山川")


def test_a_page_shows_only_readings_that_are_open(house: House) -> None:
    sidecar = MediaFile("f9", "originals/2.txt", "2.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT, personal=True)
    item = with_page(replace(book(), files=(*book().files, sidecar)), 2, texts=(words("识别"), words("身份证号", TextSource.DONOR, "f9")))
    house.put(item)
    view = house.reading.page(PUBLIC, "book-1", "p2")
    assert view.text and view.text.text == "识别" and len(view.page.texts) == 1
    staff = house.reading.page(STAFF, "book-1", "p2")
    assert staff.text and staff.text.text == "身份证号"


def test_a_file_is_served_whole_or_in_part_by_what_is_on_it(house: House) -> None:
    pdf = MediaFile("f1", "originals/a.pdf", "a.pdf", 1, "1" * 128, "application/pdf", MediaKind.PDF, parts=3)
    pages = tuple(Page(f"p{n}", n, FileRef("f1", n)) for n in (1, 2, 3))
    house.put(with_page(replace(book(1), files=(pdf,), pages=pages), 2, rights=CLOSED))
    access = house.reading.file(PUBLIC, "book-1.f1-3")
    assert (access.item, access.file, access.part) == ("book-1", pdf, 3)
    for key in ("book-1.f1", "book-1.f1-2", "book-1.f1-4", "book-1.f1-0"):
        with pytest.raises(NotFound):
            house.reading.file(PUBLIC, key)
    assert house.reading.file(STAFF, "book-1.f1").part is None


def test_a_closed_passage_is_not_heard_or_read(house: House) -> None:
    house.put(opera())
    view = house.reading.item(PUBLIC, "opera-1")
    assert [file.id for file in view.item.files] == ["f6", "f7"]
    assert [cue.text for cue in house.reading.track(PUBLIC, "opera-1", "t1").cues] == ["开场", "收场"]
    assert [one.file.id for one in view.cut] == ["f1", "f2"]
    assert (view.summary.recordings, view.summary.duration, view.summary.thumb) == (2, 90.0, "opera-1.f6"), "what is heard in part counts"
    for number in (1, 2, 3, 4, 5):
        with pytest.raises(NotFound):
            house.reading.file(PUBLIC, f"opera-1.f{number}")
    assert house.reading.file(STAFF, "opera-1.f1").file.duration == 60.0
    assert len(house.reading.tracks(STAFF, "opera-1")) == 3


def test_a_tombstone_is_for_those_who_could_see_the_item(house: House) -> None:
    house.put(book(), book(item_id="book-2", rights=Rights(Audience.READING_ROOM)))
    with house.catalogue.write() as connection:
        for item in ("book-1", "book-2"):
            rows.withdraw(connection, item, at="2026-11-22T09:00:00Z", reason="家属要求")
    with pytest.raises(Withdrawn) as caught:
        house.reading.page(PUBLIC, "book-1", "p1")
    assert (caught.value.title, caught.value.reason, caught.value.at) == ("兴安府志 book-1", "家属要求", "2026-11-22T09:00:00Z")
    with pytest.raises(NotFound) as hidden:
        house.reading.item(PUBLIC, "book-2")
    assert type(hidden.value) is NotFound and "家属" not in str(hidden.value)
    with pytest.raises(Withdrawn) as untitled:
        house.reading.item(STAFF, "book-2")
    assert untitled.value.title == ""
    assert counted(house, STAFF)["local-gazetteers"] == (0, 0, 0, 0.0)
    assert house.reading.items(STAFF).total == 0


def hit(target: str, item: str, key: str, start: float | None = None, end: float | None = None) -> Hit:
    return Hit(target, item, key, "题", "", 1.0, 1, (Snippet("山", (Span(0, 1),)),), start, end)


def test_a_hit_that_must_not_be_seen_is_dropped_and_logged_by_its_id(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.put(with_page(book(), 2, rights=CLOSED), book(1, "book-2", rights=Rights()), opera())
    open_hits = [
        hit("item", "book-1", ""),
        hit("page", "book-1", "p3"),
        hit("segment", "opera-1", "t1@25", 25.0, 30.0),
        hit("segment", "opera-1", "t3@0", 0.0, 5.0),
    ]
    closed = [
        hit("page", "book-1", "p2"),
        hit("page", "book-1", "p99"),
        hit("page", "book-2", "p1"),
        hit("item", "book-2", ""),
        hit("item", "nothing-1", ""),
        hit("segment", "opera-1", "t1@12", 12.0, 14.0),
        hit("segment", "opera-1", "t1@0", 0.0, 30.0),
        hit("segment", "opera-1", "t2@0", 0.0, 0.0),
        hit("segment", "book-2", "t1@0", 0.0, 1.0),
        hit("segment", "opera-1", "s2", 10.0, 20.0),
    ]
    house.index.hits = [*closed, *open_hits]
    with caplog.at_level(logging.ERROR):
        view = house.reading.search(PUBLIC, "山川密语", size=50)
    assert list(view.results.hits) == open_hits
    assert set(view.items) == {"book-1", "opera-1"}
    assert view.images == {("book-1", "p3"): "book-1.f3"}
    assert len(caplog.records) == len(closed) and "山川密语" not in caplog.text
    caplog.clear()
    staff = house.reading.search(STAFF, "山川密语", size=50)
    assert len(staff.results.hits) == len(open_hits) + len(closed) - 3  # what is not there is not there for staff


def test_hits_listed_by_work_are_checked_like_others_and_a_work_without_any_goes(house: House) -> None:
    house.put(with_page(book(), 2, rights=CLOSED), book(1, "book-2", rights=CLOSED))
    seen = hit("page", "book-1", "p3")
    house.index.hits = [hit("page", "book-1", "p2"), hit("page", "book-2", "p1"), seen]
    (group,) = house.reading.search(PUBLIC, "密", group=True).results.groups
    assert (group.item, group.hits) == ("book-1", (seen,))
    assert len(house.reading.search(STAFF, "密", group=True).results.groups) == 2


def test_a_hit_in_a_closed_reading_is_dropped_though_another_is_open(house: House) -> None:
    sidecar = MediaFile("f9", "originals/2.txt", "2.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT, rights=CLOSED)
    item = with_page(replace(book(), files=(*book().files, sidecar)), 2, texts=(words("识别"), words("密", TextSource.DONOR, "f9")))
    house.put(item)
    found = {source: msgspec.structs.replace(hit("page", "book-1", "p2"), source=source) for source in ("ocr", "donor")}
    for source, expected in (("ocr", 1), ("donor", 0)):
        house.index.hits = [found[source]]
        assert len(house.reading.search(PUBLIC, "密").results.hits) == expected
    assert house.reading.item(PUBLIC, "book-1").pages[1].has_text


def test_a_search_asks_the_index_for_this_reader_and_day(house: House) -> None:
    house.put(book())
    house.reading.search(
        PUBLIC, "山", collection="local-gazetteers", year_from=1700, page=3, size=10, item="book-1", filters={"decade": "1780"}
    )
    (query,) = house.index.asked
    assert (query.reader, query.today, query.offset, query.limit, query.item) == (PUBLIC, DAY, 20, 10, "book-1")
    assert (query.collections, query.year_from, query.filters) == (("local-gazetteers",), 1700, {"decade": "1780"})


HIDING = {
    "page": with_page(book(), 2, rights=LATER),
    "image": replace(book(), files=(image(1), image(2, LATER), *book().files[2:])),
    "item": book(rights=LATER),
    "closing": book(rights=Rights(PUBLIC, Embargo(OPENS, STAFF))),
    "personal": replace(book(), files=(image(1, personal=True), *book().files[1:])),
    "segment": opera(LATER),
    "segment closed": opera(),
    "media": replace(opera(Rights()), files=(replace(opera().files[0], rights=LATER), *opera().files[1:])),
}


@pytest.mark.parametrize("reader", list(Audience), ids=lambda audience: audience.value)
@pytest.mark.parametrize("item", HIDING.values(), ids=HIDING.keys())
def test_rows_and_rules_give_the_same_answer(house: House, item: Item, reader: Audience) -> None:
    house.put(item)
    for day in (DAY, OPENS):
        house.day = day
        expected = visible(item, reader, day, profile=DEFINITIONS.profiles[item.kind])
        if expected is None:
            with pytest.raises(NotFound):
                house.reading.item(reader, item.id)
            continue
        assert house.reading.whole(reader, item.id, texts=True) == expected
        view = house.reading.item(reader, item.id)
        assert [page.id for page in view.pages] == [page.id for page in expected.pages]
        assert view.summary.pages == len(expected.pages)
        assert view.item.tracks == expected.tracks and view.item.segments == expected.segments
        assert [f for f in view.item.files if f not in expected.files] == []
        for page in expected.pages:
            found = house.reading.page(reader, item.id, page.id)
            assert found.page == page and found.position == page.position
        for file in item.files:
            assert (
                _served(house, reader, f"{item.id}.{file.id}")
                == file_visible(item, file.id, reader, day)
                == (file.id in {f.id for f in expected.files})
            )


def _served(house: House, reader: Audience, key: str) -> bool:
    try:
        house.reading.file(reader, key)
    except NotFound:
        return False
    return True


def _closed_in_other_version() -> Item:
    """The transcript hangs on the copy, the closed passage is described on the master."""
    given = opera()
    return replace(given, tracks=(replace(given.tracks[0], media="f2"), replace(given.tracks[1], media="f2")))


def _own_text() -> Item:
    """A closed scan with a donor's text of its own that is open."""
    sidecar = MediaFile("f9", "originals/2.txt", "2.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT)
    files = (image(1), image(2, CLOSED), *book().files[2:], sidecar)
    return with_page(replace(book(), files=files), 2, texts=(words("第2面密"), words("第2面山川", TextSource.DONOR, "f9")))


def _personal_version() -> Item:
    """Numbers were found in another version of the second image."""
    return replace(book(), files=(*book().files, image(8, version_of="f2", personal=True)))


def _closed_sidecar() -> Item:
    """A closed correction over an open OCR text."""
    sidecar = MediaFile("f9", "originals/2.txt", "2.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT, rights=CLOSED)
    return with_page(
        replace(book(), files=(*book().files, sidecar)), 2, texts=(words("第2面识别"), words("第2面密", TextSource.DONOR, "f9"))
    )


def _personal_sidecar() -> Item:
    """A personal transcription beside an open OCR text."""
    sidecar = MediaFile("f9", "originals/2.txt", "2.txt", 1, "9" * 128, "text/plain", MediaKind.TEXT, personal=True)
    return with_page(
        replace(book(), files=(*book().files, sidecar)), 2, texts=(words("第2面识别"), words("第2面密", TextSource.DONOR, "f9"))
    )


MORE = {
    "passage of another version": _closed_in_other_version(),
    "text of its own": _own_text(),
    "personal version": _personal_version(),
    "closed sidecar": _closed_sidecar(),
    "personal sidecar": _personal_sidecar(),
    "closed track": replace(opera(Rights()), tracks=(replace(opera().tracks[0], rights=CLOSED), opera().tracks[2])),
    "track of no recording": replace(opera(), tracks=(replace(opera().tracks[0], media=None), opera().tracks[2])),
}


@pytest.mark.parametrize("item", [*HIDING.values(), *MORE.values()], ids=[*HIDING, *MORE])
def test_the_index_finds_nothing_that_the_catalogue_would_take_back(tmp_path: Path, item: Item, caplog: pytest.LogCaptureFixture) -> None:
    catalogue = open_catalogue(tmp_path / "catalogue.sqlite", create=True)
    index = WhooshIndex(tmp_path / "index")
    house = House(catalogue, index)  # type: ignore[arg-type]
    house.put(item)
    index.rebuild(iter([(item.id, documents_of(item, DEFINITIONS, DAY))]))
    with caplog.at_level(logging.ERROR, logger="archive.services.reading"):
        for reader in Audience:
            for day in (DAY, OPENS):
                house.day = day
                for query in ("面", "密", "场", "识别", "王", "李国麒", "净"):
                    view = house.reading.search(reader, query, size=100)
                    hits = view.results.hits
                    assert view.results.total == sum(hit.target != "item" for hit in hits), (reader, day, query)
                    assert view.results.metadata_total == len({hit.item for hit in hits if hit.target == "item"}), (reader, day, query)
    assert caplog.messages == []
    index.close()
    catalogue.close()
