"""Byte ranges: what is asked for and nothing else is read and sent."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Flask, Response, request

from archive.web.ranges import Slice, disposition, parse_range, send

BYTES = bytes(range(256)) * 40


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    (tmp_path / "film.bin").write_bytes(BYTES)
    app = Flask("ranges")

    @app.get("/film")
    def film() -> Response:
        accel = ("/_home", tmp_path) if "accel" in request.args else None
        return send(request, tmp_path / "film.bin", media_type="video/mp4", etag="abc", cache="private", download="片.mp4", accel=accel)

    return app


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=10000-", 10000, 10239),
        ("bytes=-5", 10235, 10239),
        ("bytes=-99999", 0, 10239),
        ("bytes=10230-99999", 10230, 10239),
    ],
)
def test_one_range_is_answered_with_exactly_its_bytes(app: Flask, header: str, first: int, last: int) -> None:
    answer = app.test_client().get("/film", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.data == BYTES[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/10240"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_file_is_416_with_its_size(app: Flask, header: str) -> None:
    answer = app.test_client().get("/film", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */10240"


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=5-1", "pages=1-2", "bytes=a-b", "bytes=0-1,5-6", "bytes=" + "9" * 99 + "-"]
)
def test_what_is_no_single_range_gets_the_whole(app: Flask, header: str) -> None:
    answer = app.test_client().get("/film", headers={"Range": header})
    assert answer.status_code == 200
    assert answer.data == BYTES


def test_head_says_the_length_and_sends_nothing(app: Flask) -> None:
    answer = app.test_client().head("/film", headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.headers["Content-Length"], answer.data) == (206, "10", b"")
    assert app.test_client().head("/film").headers["Accept-Ranges"] == "bytes"


def test_a_part_of_what_has_changed_since_is_the_whole(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/film", headers={"Range": "bytes=0-9", "If-Range": '"abc"'}, buffered=True).status_code == 206
    assert client.get("/film", headers={"Range": "bytes=0-9", "If-Range": '"old"'}, buffered=True).status_code == 200
    assert (
        client.get("/film", headers={"Range": "bytes=0-9", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT"}, buffered=True).status_code == 200
    )


def test_a_known_tag_is_304_without_a_body(app: Flask) -> None:
    answer = app.test_client().get("/film", headers={"If-None-Match": '"abc"'})
    assert (answer.status_code, answer.data) == (304, b"")


def test_the_servers_own_wrapper_gets_the_file_already_in_its_place(app: Flask) -> None:
    seen: list[int] = []

    def wrapper(stream: io.FileIO, size: int) -> list[bytes]:
        with stream:
            seen.append(stream.tell())
            return [stream.read(3)]

    answer = app.test_client().get("/film", headers={"Range": "bytes=9000-9002"}, environ_overrides={"wsgi.file_wrapper": wrapper})
    assert seen == [9000]
    assert answer.data == BYTES[9000:9003]


def test_nginx_is_told_where_the_file_lies(app: Flask) -> None:
    answer = app.test_client().get("/film?accel=1")
    assert answer.headers["X-Accel-Redirect"] == "/_home/film.bin"
    assert answer.data == b""


def test_any_name_can_be_saved_under() -> None:
    assert disposition('a";\r\n片.mp4') == "attachment; filename=\"a_____.mp4\"; filename*=UTF-8''a%22%3B%0D%0A%E7%89%87.mp4"


def test_sizes_of_nothing_have_no_range() -> None:
    assert parse_range("bytes=0-", 10) == Slice(0, 10)
    assert not isinstance(parse_range("bytes=0-", 0), Slice)
