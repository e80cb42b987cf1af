"""The JSON interface: a sound OpenAPI document, and answers that keep to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from archive.assembly import Archive
from archive.web import create_app

ASKED = {
    "/api/v1/concordance": ["?q=目錄", "?q=玄德&sort=left&size=1&page=2", "?q=无此语", "?q=之&sort=-date&collection=local-gazetteers"],
    "/api/v1/search": [
        "?q=目錄&scope=work&taboo=0&confusable=1&group=1&facets=kind,section",
        "?q=“簡明目録”&page=1000000000",
        "?q=目錄&facets=",
        "?q=目錄",
        "?q=玄德",
        "?q=目錄&collection=local-gazetteers&from=1700&to=1800&sort=date&size=1",
        "?q=无此语",
    ],
    "/api/v1/suggest": ["", "?q=欽定", "?q=qd&limit=3", "?q=liu"],
    "/api/v1/items": ["", "?collection=han-opera", "?page=2&size=2", "?sort=recent"],
    "/api/v1/items/{item}": ["shengyu", "song", "hostile", "papers"],
    "/api/v1/items/{item}/pages/{page}": ["shengyu/p1", "shengyu/p4", "hostile/p1"],
    "/api/v1/openapi.json": [""],
}
WRONG = {
    "/api/v1/search": [
        ("", 400),
        ("?q=", 400),
        ("?q=近:5(甲", 400),
        ("?q=甲&size=0", 400),
        ("?q=甲&page=x", 400),
        ("?q=甲&from=then", 400),
        ("?q=甲&item=none-such", 404),
        ("?q=甲&scope=town", 400),
        ("?q=甲&taboo=yes", 400),
        ("?q=甲&facets=colour", 400),
        ("?q=甲&page=10000000000", 400),
    ],
    "/api/v1/concordance": [
        ("", 400),
        ("?q=“甲", 400),
        ("?q=甲&size=0", 400),
        ("?q=甲&size=201", 400),
        ("?q=甲&sort=relevance", 400),
        ("?q=甲&item=none-such", 404),
    ],
    "/api/v1/suggest": [("?q=甲&limit=0", 400)],
    "/api/v1/items": [("?size=999", 400), ("?page=0", 400), ("?sort=colour", 400)],
    "/api/v1/items/{item}": [("none-such", 404), ("gone", 410), ("X", 404)],
    "/api/v1/items/{item}/pages/{page}": [("shengyu/p99", 404), ("none-such/p1", 404), ("gone/p1", 410)],
}


def address(route: str, asked: str) -> str:
    if "{item}" not in route:
        return route + asked
    item, _, page = asked.partition("/")
    return route.replace("{item}", item).replace("{page}", page)


def check(document: Mapping[str, Any], route: str, status: int, mimetype: str, body: Any) -> None:
    answer = document["paths"][route]["get"]["responses"][str(status)]["content"][mimetype]["schema"]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], **answer}
    Draft202012Validator(schema).validate(body)


@pytest.fixture
def document(client: FlaskClient) -> Any:
    return client.get("/api/v1/openapi.json").get_json()


def test_the_document_is_sound(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_route_of_the_interface_is_described(client: FlaskClient, document: Any) -> None:
    rules = {
        rule.rule.replace("<", "{").replace(">", "}") for rule in client.application.url_map.iter_rules() if rule.rule.startswith("/api/")
    }
    assert set(document["paths"]) == rules - {"/api/v1/{path:_rest}"} == set(ASKED)


@pytest.mark.parametrize(("route", "asked"), [(route, asked) for route, several in ASKED.items() for asked in several])
def test_answers_keep_to_the_document(client: FlaskClient, document: Any, route: str, asked: str) -> None:
    answer = client.get(address(route, asked))
    assert answer.status_code == 200
    check(document, route, 200, answer.mimetype, answer.get_json())


@pytest.mark.parametrize(("route", "asked", "status"), [(route, *one) for route, several in WRONG.items() for one in several])
def test_faults_are_problems_of_the_document(client: FlaskClient, document: Any, route: str, asked: str, status: int) -> None:
    answer = client.get(address(route, asked))
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    check(document, route, status, answer.mimetype, answer.get_json())
    assert answer.get_json()["status"] == status


def test_a_search_answers_as_promised(client: FlaskClient) -> None:
    found = client.get("/api/v1/search?q=簡明目錄").get_json()
    assert {"query", "total", "items", "metadata_total", "hits", "facets", "ms"} <= set(found)
    hit = next(hit for hit in found["hits"] if hit["target"] == "page")
    assert (hit["item"], hit["page"]) == ("shengyu", "p2")
    start, end = hit["snippets"][0]["spans"][0]
    assert hit["snippets"][0]["text"][start:end] == "簡明目錄"
    assert hit["url"].startswith("http://localhost/items/shengyu/p/p2?q=")
    assert {value["value"] for value in found["facets"]["kind"]} == {"gazetteer"}


def test_suggestions_are_names_that_begin_so(client: FlaskClient) -> None:
    for typed in ("欽定", "钦定", "簡明目錄", "qinding", "qdsk"):
        found = client.get("/api/v1/suggest", query_string={"q": typed}).get_json()["suggestions"]
        assert found[0]["text"].startswith("欽定四庫全書"), typed
        assert found[0]["kind"] == "title"
    assert client.get("/api/v1/suggest?q=").get_json()["suggestions"] == []


def test_pages_are_true_to_the_end(client: FlaskClient) -> None:
    first = client.get("/api/v1/search?q=一 或 目錄&size=1").get_json()
    beyond = client.get("/api/v1/search?q=一 或 目錄&size=1&page=1000000000").get_json()
    assert beyond["hits"] == []
    assert (beyond["total"], beyond["metadata_total"]) == (first["total"], first["metadata_total"])


def test_a_list_counts_what_the_reader_sees(client: FlaskClient) -> None:
    listed = client.get("/api/v1/items?size=200").get_json()
    assert listed["total"] == len(listed["items"]) == 4
    assert {"id", "title", "kind", "collection", "url", "manifest"} <= set(listed["items"][0])


def test_addresses_are_those_of_the_public(hall: Archive, client: FlaskClient) -> None:
    public = replace(hall, settings=replace(hall.settings, public_url="https://fangzhi.example.org"))
    answer = create_app(public).test_client().get("/api/v1/items/shengyu", buffered=True).get_json()
    assert answer["url"] == "https://fangzhi.example.org/items/shengyu"


def test_a_page_gives_lines_and_boxes(client: FlaskClient) -> None:
    page = client.get("/api/v1/items/shengyu/pages/p1").get_json()
    assert page["text"].startswith("　全書嘉與海內之士")
    assert page["texts"][0]["lines"][0]["kind"] == "main"
    assert [text["source"] for text in page["texts"]] == ["donor", "ocr"]
    assert page["next"] == "http://localhost/api/v1/items/shengyu/pages/p2"


NASTY = [
    "",
    " ",
    "0",
    "-1",
    "1e9",
    "9" * 40,
    "\x00",
    "\ud7ff",
    "\U0010ffff",
    "‮甲",
    "%",
    "%00",
    "../../etc",
    "甲" * 3000,
    "[]",
    "{}",
    "null",
    "'",
    '"',
    "近:(",
    "((((",
    "*",
    "?",
    "NOT",
    "年:..",
    "同卷",
    "題名:",
    "\n\r",
    "a=b&c=d",
]


@pytest.mark.parametrize(
    "name",
    [
        "q",
        "collection",
        "kind",
        "from",
        "to",
        "item",
        "sort",
        "page",
        "size",
        "decade",
        "source",
        "place",
        "lang",
        "t",
        "xywh",
        "text",
        "version",
    ],
)
def test_nothing_that_is_asked_breaks_it(client: FlaskClient, name: str) -> None:
    for value in NASTY:
        for path in ("/api/v1/search", "/api/v1/items", "/search", "/collections/local-gazetteers", "/items/song", "/items/shengyu/p/p1"):
            asked = {"q": "目錄", name: value} if path.endswith("search") else {name: value}
            assert client.get(path, query_string=asked).status_code in (200, 400, 404), (path, name, value)
