"""The examples of the help do what it says they do: each is asked of the sample archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from archive.assembly import open_archive
from archive.settings import load_settings
from archive.web import create_app
from archive.web.examples import Example, table


@pytest.fixture(scope="module")
def client(sample_home: Path) -> Iterator[FlaskClient]:
    """A visitor of the sample archive."""
    archive = open_archive(load_settings(sample_home))
    yield create_app(archive).test_client()
    archive.close()


def found(client: FlaskClient, query: str) -> set[str]:
    """Titles of the hits, and title/position of those that are leaves."""
    answer = client.get("/api/v1/search", query_string={"q": query, "size": 100}, buffered=True).get_json()
    assert answer["total"] + answer["metadata_total"] <= 100
    names = set()
    for hit in answer["hits"]:
        names.add(hit["title"])
        if hit["target"] == "page":
            page = client.get(f"/api/v1/items/{hit['item']}/pages/{hit['page']}", buffered=True).get_json()
            names.add(f"{hit['title']}/{page['position']}")
    return names


@pytest.mark.parametrize("example", table(), ids=[example.query for example in table()])
def test_an_example_finds_what_it_says(client: FlaskClient, example: Example) -> None:
    assert example.finds or example.lacks, "an example that claims nothing"
    names = found(client, example.query)
    assert set(example.finds) <= names
    assert not set(example.lacks) & names
    assert example.zh and example.en


def test_every_example_is_a_link_of_the_help(client: FlaskClient) -> None:
    page = client.get("/help", buffered=True).text
    assert page.count('<td><a href="/search?q=') == len(table())
    assert all(f">{example.query}</a>" in page for example in table() if '"' not in example.query)
