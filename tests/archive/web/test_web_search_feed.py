"""A saved search as an Atom feed: valid, stable, newest first, public things only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from hall_of_records import CANARY, DAY

from archive.assembly import Archive
from archive.web import create_app

ATOM = "{http://www.w3.org/2005/Atom}"


def feed(client: FlaskClient, address: str = "/search.atom?q=一 或 目錄 或 玄德") -> ElementTree.Element:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    return ElementTree.fromstring(answer.data)


def text(element: ElementTree.Element, name: str) -> str:
    found = element.find(ATOM + name)
    assert found is not None and found.text, name
    return found.text


def test_a_feed_has_what_rfc_4287_asks_for(client: FlaskClient) -> None:
    found = feed(client)
    assert found.tag == f"{ATOM}feed"
    assert {link.get("rel") for link in found.findall(ATOM + "link")} == {"self", "alternate"}
    assert text(found.find(ATOM + "author"), "name")  # type: ignore[arg-type]
    entries = found.findall(ATOM + "entry")
    assert {text(entry, "title") for entry in entries} == {"欽定四庫全書簡明目錄·聖諭目錄", "劉玄德獨赴襄陽會"}
    for element in (found, *entries):
        assert text(element, "id").startswith("urn:uuid:")
        assert datetime.fromisoformat(text(element, "updated")).tzinfo is not None
        assert text(element, "title")
    ids = [text(entry, "id") for entry in entries]
    assert len(set(ids)) == len(ids)
    assert text(found, "updated") == max(text(entry, "updated") for entry in entries)


def test_ids_stay_whatever_the_host_and_the_order(client: FlaskClient) -> None:
    here = feed(client)
    there = feed(client, "http://elsewhere.example/search.atom?q=一 或 目錄 或 玄德&sort=title&size=5&lang=en")
    assert text(here, "id") == text(there, "id")
    assert [text(e, "id") for e in here.findall(ATOM + "entry")] == [text(e, "id") for e in there.findall(ATOM + "entry")]
    assert text(feed(client, "/search.atom?q=目錄"), "id") != text(here, "id")


def test_addresses_are_absolute_only_where_the_archive_has_one(hall: Archive, client: FlaskClient) -> None:
    links = [link.get("href", "") for link in feed(client).iter(ATOM + "link")]
    assert all(link.startswith("/") for link in links)
    public = replace(hall, settings=replace(hall.settings, public_url="https://fangzhi.example.org"))
    with create_app(public).test_client() as other:
        links = [link.get("href", "") for link in feed(other).iter(ATOM + "link")]
    assert all(link.startswith("https://fangzhi.example.org/") for link in links)


def test_whoever_asks_gets_what_is_public(client: FlaskClient) -> None:
    inside = {"REMOTE_ADDR": "10.9.1.1"}
    assert "館內可看的圖紙" in client.get("/search?q=城關", environ_overrides=inside).text
    answer = client.get("/search.atom?q=城關", environ_overrides=inside)
    assert answer.status_code == 200
    assert "<entry>" not in answer.text
    assert CANARY not in client.get(f"/search.atom?q={CANARY} 或 目錄").text.replace(f"检索：{CANARY}", "").replace("%", "")


def test_a_reader_that_has_it_is_not_sent_it_again(client: FlaskClient) -> None:
    first = client.get("/search.atom?q=目錄")
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert client.get("/search.atom?q=目錄", headers={"If-None-Match": etag}).status_code == 304
    assert client.get("/search.atom?q=目錄", headers={"If-None-Match": '"other"'}).status_code == 200
    assert modified.endswith("GMT")
    assert str(DAY.year) in modified


@pytest.mark.parametrize(("asked", "status"), [("", 400), ("?q=", 400), ("?q=近:5(甲", 400), ("?q=甲&item=none-such", 404)])
def test_what_cannot_be_meant_is_no_feed(client: FlaskClient, asked: str, status: int) -> None:
    assert client.get("/search.atom" + asked).status_code == status


def test_a_search_offers_its_feed(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄&kind=gazetteer&sort=title&page=1").text
    address = "/search.atom?q=%E7%9B%AE%E9%8C%84&amp;kind=gazetteer"
    assert f'type="application/atom+xml" title="检索：目錄" href="{address}"' in page
    assert "订阅" in page
