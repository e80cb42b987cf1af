"""Items as rows: what goes in comes out, replacing never doubles, nothing of a removed item stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from archive.catalogue import items, outbox
from archive.catalogue.engine import Catalogue, clear
from archive.catalogue.schema import metadata
from archive.errors import NotFound, UsageError
from archive.model.access import change_days
from archive.model.item import FileRef, Item, Page
from archive.model.rights import Audience, Embargo, Rights

DAY = date(2026, 11, 22)


def put(catalogue: Catalogue, item: Item, *, version: int = 1, day: date = DAY) -> None:
    with catalogue.write() as connection:
        items.put_item(connection, item, version=version, batch="2026-017.1", at="2026-11-22T08:00:00Z", day=day)


def sizes(catalogue: Catalogue) -> dict[str, int]:
    with catalogue.read() as connection:
        return {name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in metadata.tables.items()}


def test_a_rich_item_comes_back_equal(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich, version=3)
    with catalogue.read() as connection:
        stored = items.get_item(connection, rich.id, texts=True)
    assert stored is not None
    assert stored.item == rich
    assert (stored.version, stored.batch, stored.described_at) == (3, "2026-017.1", "2026-11-22T08:00:00Z")
    assert stored.withdrawn_at is None


def test_texts_and_pages_come_only_when_asked_for(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    with catalogue.read() as connection:
        bare = items.get_item(connection, rich.id)
        none = items.get_item(connection, rich.id, pages=False)
        some = items.get_item(connection, rich.id, pages=slice(1, 3))
    assert bare and none and some
    assert [page.texts for page in bare.item.pages] == [(), (), ()]
    assert none.item.pages == ()
    assert [page.id for page in some.item.pages] == ["p2", "p3"]


def test_putting_again_replaces_and_never_doubles(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    first = sizes(catalogue)
    put(catalogue, rich, version=2)
    assert sizes(catalogue) == first
    put(catalogue, replace(rich, title="[兴安府志]", pages=rich.pages[:1], tracks=()), version=3)
    with catalogue.read() as connection:
        stored = items.get_item(connection, rich.id)
    assert stored and stored.item.title == "[兴安府志]" and len(stored.item.pages) == 1 and stored.item.tracks == ()


def test_the_sums_are_those_of_the_lines_after_any_history(catalogue: Catalogue, rich: Item) -> None:
    once, twice = sizes(catalogue), replace(rich, collection="third-front", kind="third-front")
    put(catalogue, twice)
    put(catalogue, rich)
    put(catalogue, replace(rich, id="another-1", pages=()))
    with catalogue.write() as connection:
        items.withdraw(connection, "another-1", at="2026-11-22T09:00:00Z", reason="重复")
        items.remove_item(connection, rich.id)
    with catalogue.read() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM tally WHERE items OR pages OR recordings OR duration_ms").scalar_one()
    assert left == 0
    assert sizes(catalogue)["shown"] == once["shown"] == 0


def test_a_page_is_found_alone_with_its_text_and_image(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    with catalogue.read() as connection:
        page = items.get_page(connection, rich.id, "p2")
        first = items.get_page(connection, rich.id, "p7")
        assert items.get_page(connection, rich.id, "p99") is None
        assert items.page_neighbours(connection, rich.id, 2) == ("p7", "p3")
        assert items.page_neighbours(connection, rich.id, 1) == (None, "p2")
    assert page and first and page.page == rich.pages[1] and page.position == 2
    assert page.file == rich.files[1]
    assert (page.width, page.height) == (30, 40)
    assert (first.width, first.height) == (800, 1200)


def test_files_are_found_by_key_and_by_bytes(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    put(catalogue, replace(rich, id="copy-1", key="other"))
    with catalogue.read() as connection:
        assert items.file_by_key(connection, "xingan-1788.f2-3") == (rich.id, rich.files[1], 3)
        assert items.file_by_key(connection, "xingan-1788.f9") is None
        with pytest.raises(UsageError):
            items.file_by_key(connection, "no key")
        assert items.files_by_sha512(connection, "a" * 128) == [("copy-1", "f1"), ("xingan-1788", "f1")]
        assert items.find_item(connection, "2026-017", "XA-1") == rich.id
        assert items.find_item(connection, "2026-018", "XA-1") is None
        assert items.item_ids(connection, batch="2026-017.1") == ["copy-1", "xingan-1788"]


def test_the_outbox_holds_an_item_once_and_keeps_what_changed_meanwhile(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    put(catalogue, rich)
    with catalogue.read() as connection:
        ((seq, item),) = outbox.pending(connection)
    assert item == rich.id
    put(catalogue, rich)
    with catalogue.write() as connection:
        outbox.done(connection, seq)
        ((later, _item),) = outbox.pending(connection)
        assert later > seq
        outbox.done(connection, later)
        assert outbox.pending(connection) == []


def test_a_withdrawn_item_stays_withdrawn_until_reinstated(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    with catalogue.write() as connection:
        items.withdraw(connection, rich.id, at="2026-11-22T09:00:00Z", reason="家属要求")
    put(catalogue, rich, version=2)
    assert sizes(catalogue)["shown"] == 0
    with catalogue.read() as connection:
        stored = items.get_item(connection, rich.id)
    assert stored and stored.withdrawn_reason == "家属要求" and stored.withdrawn_to is Audience.PUBLIC and stored.version == 2
    with catalogue.write() as connection:
        items.reinstate(connection, rich.id, DAY)
        with pytest.raises(NotFound):
            items.withdraw(connection, "nothing-here", at="2026-11-22T09:00:00Z", reason="x")
    assert sizes(catalogue)["shown"] > 0


def test_changes_that_are_due_are_found_and_settled(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    assert change_days(rich) == (date(2030, 1, 1), date(2031, 5, 1))
    with catalogue.write() as connection:
        assert items.due_changes(connection, date(2029, 12, 31)) == []
        assert items.due_changes(connection, date(2030, 1, 1)) == [rich.id]
        items.refresh_visibility(connection, rich.id, date(2030, 1, 1))
        assert items.due_changes(connection, date(2030, 1, 1)) == []
        assert items.due_changes(connection, date(2031, 5, 1)) == [rich.id]
        stored = items.get_item(connection, rich.id, texts=True)
    assert stored and stored.item == rich


def test_more_changes_than_a_row_holds_are_never_too_wide(catalogue: Catalogue, rich: Item) -> None:
    back_and_forth = Rights(Audience.STAFF, Embargo(date(2027, 1, 1), Audience.PUBLIC))
    closing = replace(rich.files[0], rights=Rights(Audience.PUBLIC, Embargo(date(2028, 1, 1), Audience.STAFF)))
    page = Page("p1", 1, FileRef("f1"), rights=back_and_forth)
    put(catalogue, replace(rich, pages=(page,), files=(closing,), tracks=(), segments=(), rights=Rights(Audience.PUBLIC)))
    with catalogue.read() as connection:
        stored = items.get_page(connection, rich.id, "p1")
    assert stored
    seen = [stored.image_terms.on(day.toordinal()) for day in (DAY, date(2027, 6, 1), date(2028, 6, 1))]
    assert seen[0] == seen[2] == Audience.STAFF.rank and seen[1] >= Audience.PUBLIC.rank


def test_reserved_ids_and_clearing(catalogue: Catalogue, rich: Item) -> None:
    put(catalogue, rich)
    with catalogue.write() as connection:
        items.reserve(connection, ["gone-1", "gone-1"], "清除")
        items.reserve(connection, ["gone-1"], "抹除")
        assert items.reserved_ids(connection) == {"gone-1": "抹除"}
        items.release(connection, "gone-1")
        clear(connection)
    assert set(sizes(catalogue).values()) == {0}
