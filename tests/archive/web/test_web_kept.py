"""A page that was kept is never an old page, nor anybody else's."""

from __future__ import annotations

import time
from collections.abc import Iterator

import hall_of_records
import pytest
from flask import Flask

from archive.assembly import Archive
from archive.catalogue.items import withdraw
from archive.web import browse, create_app, kept


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that these tests may change."""
    found = hall_of_records.build(tmp_path_factory.mktemp("own") / "home", indexed=False, reading_room_networks=("10.9.0.0/16",))
    yield found
    found.close()


@pytest.fixture
def app(own: Archive, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, counting how often the page of an item is written."""
    app = create_app(own)
    written = app.extensions["written"] = []
    page = browse._item_page
    monkeypatch.setattr(browse, "_item_page", lambda item, *more: (written.append(item), page(item, *more))[1])
    return app


def an_item(app: Flask) -> str:
    return str(app.test_client().get("/api/v1/items?size=1").get_json()["items"][0]["id"])


def test_second_reader_gets_the_same_page_without_its_being_written_again(app: Flask) -> None:
    item = an_item(app)
    first, second = (app.test_client().get(f"/items/{item}") for _ in range(2))
    assert first.data == second.data
    assert {k: v for k, v in first.headers if k != "Date"} == {k: v for k, v in second.headers if k != "Date"}
    assert app.extensions["written"] == [item]


def test_page_that_a_browser_has_is_not_sent_again(app: Flask) -> None:
    item = an_item(app)
    etag = app.test_client().get(f"/items/{item}").headers["ETag"]
    answer = app.test_client().get(f"/items/{item}", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_every_language_host_and_audience_has_its_own_page(app: Flask) -> None:
    item = an_item(app)
    client = app.test_client()
    pages = [
        client.get(f"/items/{item}").data,
        client.get(f"/items/{item}", headers={"Accept-Language": "en"}).data,
        client.get(f"/items/{item}", base_url="http://elsewhere.example/").data,
    ]
    client.get(f"/items/{item}", environ_base={"REMOTE_ADDR": "10.9.1.1"})
    assert len(set(pages)) == 3
    assert len(app.extensions["written"]) == 4


def test_questions_are_not_kept(app: Flask) -> None:
    item = an_item(app)
    for _ in range(2):
        app.test_client().get(f"/items/{item}?q=汉")
    assert len(app.extensions["written"]) == 2


def test_kept_page_goes_when_its_time_is_over() -> None:
    key = ("/items/x", "zh", "public", 1, "http://x/")
    for seconds, there in ((60.0, True), (-1.0, False)):
        pages = kept.KeptPages(seconds=seconds)
        pages.put(key, kept._Page(b"...", "e", 1, time.monotonic()))
        assert (pages.get(key, 1) is not None) is there


def test_withdrawn_item_is_gone_at_once(app: Flask, own: Archive) -> None:
    item = an_item(app)
    assert app.test_client().get(f"/items/{item}").status_code == 200
    with own.catalogue.write() as connection:
        withdraw(connection, item, at="2026-11-22T08:00:00Z", reason="捐赠者要求")
    assert app.test_client().get(f"/items/{item}").status_code == 410


def test_room_is_not_exceeded() -> None:
    pages = kept.KeptPages(room=100)
    keys = [(f"/{n}", "zh", "public", 1, "http://x/") for n in range(5)]
    for key in keys:
        pages.put(key, kept._Page(bytes(40), "e", 1, time.monotonic()))
    assert [pages.get(key, 1) is not None for key in keys] == [False, False, False, True, True]
    assert pages.get(keys[-1], 2) is None
