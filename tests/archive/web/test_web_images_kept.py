"""Images of an archive that changes while they are read: what is closed is closed at the next tile."""

from __future__ import annotations

from collections.abc import Iterator

import hall_of_records
import pytest
from flask import Flask, g

from archive.assembly import Archive
from archive.catalogue.items import withdraw
from archive.model.rights import Audience
from archive.web import create_app, iiif_images

TILE = "/iiif/image/3/shengyu.f1/full/100,/0/default.jpg"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that these tests may change; they run in their order."""
    found = hall_of_records.build(tmp_path_factory.mktemp("own") / "home", indexed=False, reading_room_networks=("10.9.0.0/16",))
    yield found
    found.close()


@pytest.fixture
def app(own: Archive) -> Flask:
    """The application."""
    return create_app(own)


def test_what_one_audience_was_given_is_not_another_s(app: Flask) -> None:
    kept, asked = iiif_images.Kept(), []
    with app.test_request_context("/"):
        for audience in (Audience.READING_ROOM, Audience.PUBLIC, Audience.READING_ROOM):
            g.reader = audience
            kept.picture("shengyu.f1", lambda: (asked.append(g.reader), iiif_images._found("shengyu.f1"))[1])
    assert asked == [Audience.READING_ROOM, Audience.PUBLIC]


def test_any_commit_has_the_rights_asked_again(app: Flask, own: Archive) -> None:
    kept, asked = iiif_images.Kept(), []
    with app.test_request_context("/"):
        g.reader = Audience.PUBLIC
        for _time in range(2):
            kept.picture("shengyu.f1", lambda: (asked.append(1), iiif_images._found("shengyu.f1"))[1])
        with own.catalogue.write() as connection:
            connection.exec_driver_sql("UPDATE item SET changes = coalesce(changes, 0) + 1")
        kept.picture("shengyu.f1", lambda: (asked.append(2), iiif_images._found("shengyu.f1"))[1])
    assert asked == [1, 2]


def test_a_missing_derivative_is_explained(app: Flask, own: Archive) -> None:
    own.derivatives.remove(own.reading.file(Audience.PUBLIC, "shengyu.f2").file.sha512)
    answer = app.test_client().get("/iiif/image/3/shengyu.f2/info.json")
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert "rebuild derivatives" in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_pyramid_that_is_taken_away_meanwhile_is_no_fault_of_ours(app: Flask, own: Archive) -> None:
    client = app.test_client()
    addresses = ("full/100,/0/default.jpg", "0,0,50,50/max/0/default.jpg", "full/200,/0/default.jpg")
    assert all(client.get(f"/iiif/image/3/shengyu.f3/{address}").status_code == 200 for address in addresses)
    own.derivatives.remove(own.reading.file(Audience.PUBLIC, "shengyu.f3").file.sha512)
    assert {client.get(f"/iiif/image/3/shengyu.f3/{address}").status_code for address in addresses} == {404}


def test_a_withdrawn_image_is_gone_at_the_next_tile(app: Flask, own: Archive) -> None:
    client = app.test_client()
    tag = client.get(TILE).headers["ETag"]
    with own.catalogue.write() as connection:
        withdraw(connection, "shengyu", at="2026-11-22T08:00:00Z", reason="捐赠者要求")
    assert client.get(TILE).status_code == 410
    assert client.get(TILE, headers={"If-None-Match": tag}).status_code == 410
