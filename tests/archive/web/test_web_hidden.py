"""What a reader may not see is nowhere: every route of the URL map is asked for it, and a route that is not listed here fails the test."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hall_of_records import CANARY

OPEN: dict[str, list[str]] = {
    "static": ["/static/css/fangzhi.css"],
    "browse.home": ["/", "/?lang=en"],
    "browse.collection": [
        "/collections/local-gazetteers",
        "/collections/local-gazetteers?kind=gazetteer&sort=date",
        "/collections/han-opera",
    ],
    "browse.item": ["/items/shengyu", "/items/song", "/items/song?q={c}", "/items/hostile", "/items/papers"],
    "browse.segment": ["/items/song/s/s1"],
    "browse.page_at": ["/items/shengyu/pages/1"],
    "browse.page": ["/items/shengyu/p/p1", "/items/shengyu/p/p4", "/items/shengyu/p/p3?q={c}", "/items/shengyu/p/p4?view=spread&q={c}"],
    "browse.listed": ["/items/shengyu/leaves.json", "/items/hostile/leaves.json"],
    "browse.hits": ["/items/shengyu/hits.json?q={c}", "/items/shengyu/hits.json?q=目錄"],
    "browse.leaf": ["/items/shengyu/leaf?to=1"],
    "citing.cite": [
        "/items/shengyu/cite",
        "/items/shengyu/cite?page=p3&format=json",
        "/items/song/cite?t=0,3&format=json",
        "/items/song/cite?s=s1",
    ],
    "reports.report": ["/items/shengyu/p/p1/report", "/items/shengyu/p/p1/report?start=1&end=5", "/items/hostile/p/p1/report"],
    "downloads.page_text": ["/items/shengyu/p/p1/text.txt"],
    "downloads.item_text": ["/items/shengyu/text.txt", "/items/hostile/text.txt"],
    "downloads.page_pdf": ["/items/shengyu/p/p1/page.pdf"],
    "downloads.item_pdf": ["/items/shengyu/book.pdf"],
    "browse.cues": ["/items/song/cues/t1.vtt"],
    "timed_text.written": ["/items/song/cues/t1.srt", "/items/song/cues/t1.lrc"],
    "timed_text.find": ["/items/song/cues/t1/find?q=襄阳", "/items/song/cues/t1/find?q={c}"],
    "browse.about": ["/about"],
    "browse.help": ["/help"],
    "search.page": [
        "/search",
        "/search?q=目錄",
        "/search?q={c}",
        "/search?q=玄德&collection=han-opera",
        "/search?q=年:1111",
        "/search?q=題名:{c}",
    ],
    "search.form": ["/search/advanced", "/search/advanced?q=題名:{c}", "/search/advanced?q=年:1111&collection=local-gazetteers"],
    "search.atom": ["/search.atom?q=目錄", "/search.atom?q={c}", "/search.atom?q=目錄 OR {c}"],
    "concordance.page": ["/concordance", "/concordance?q=目錄", "/concordance?q={c}", "/concordance?q=玄德&sort=left"],
    "concordance.as_csv": ["/concordance.csv?q=目錄", "/concordance.csv?q={c}", "/concordance.csv?q=之&sort=right"],
    "concordance.as_xlsx": ["/concordance.xlsx?q=目錄"],
    "comparing.compare": [
        "/compare",
        "/compare?left=/items/shengyu/p/p1&right=/items/shengyu/p/p2&forms=1",
        "/compare?left=shengyu&right=song",
        "/compare?left=/items/song/s/s1&find={c}",
        "/compare?left=/items/song&find=目錄",
    ],
    "comparing.mirador": ["/mirador?item=shengyu", "/mirador?item=song&item=shengyu&page="],
    "api.lines": ["/api/v1/concordance?q=目錄", "/api/v1/concordance?q={c}", "/api/v1/concordance?q=玄德&sort=right"],
    "api.openapi": ["/api/v1/openapi.json"],
    "api.find": ["/api/v1/search?q={c}", "/api/v1/search?q=目錄", "/api/v1/search?q=玄德", "/api/v1/search?q={c}&from=1000&to=1200"],
    "api.suggest": ["/api/v1/suggest?q=目", "/api/v1/suggest?q=", "/api/v1/suggest?q=劉"],
    "api.items": ["/api/v1/items", "/api/v1/items?collection=local-gazetteers&size=200"],
    "api.item": ["/api/v1/items/shengyu", "/api/v1/items/song"],
    "api.page": ["/api/v1/items/shengyu/pages/p1"],
    "media.original": ["/media/shengyu.f1/original"],
    "media.web": ["/media/song.f1/web", "/media/shengyu.f1/web"],
    "media.waveform": ["/media/song.f1/waveform"],
    "media.peaks": ["/media/song.f1/peaks"],
    "media.thumb": ["/thumbs/shengyu.f1/400"],
    "images.base": ["/iiif/image/3/shengyu.f1"],
    "images.base2": ["/iiif/image/2/shengyu.f1"],
    "images.info": ["/iiif/image/3/shengyu.f1/info.json"],
    "images.info2": ["/iiif/image/2/shengyu.f1/info.json"],
    "images.image": ["/iiif/image/3/shengyu.f1/full/100,/0/default.jpg"],
    "images.image2": ["/iiif/image/2/shengyu.f1/full/100,/0/default.jpg"],
    "iiif.manifest": ["/iiif/3/shengyu/manifest", "/iiif/3/song/manifest", "/iiif/3/shengyu/manifest?page=p2"],
    "iiif.canvas": ["/iiif/3/shengyu/canvas/p1", "/iiif/3/song/canvas/f1"],
    "iiif.range_of": ["/iiif/3/shengyu/range/x2", "/iiif/3/song/range/s1"],
    "iiif.text_of": ["/iiif/3/shengyu/annotations/p1", "/iiif/3/song/annotations/f1"],
    "iiif_search.search": [
        "/iiif/search/2/shengyu?q=海內",
        "/iiif/search/1/shengyu?q=之",
        "/iiif/search/1/song?q=漢水",
        "/iiif/search/2/hostile?q=script",
        "/iiif/search/2/shengyu?q=金絲",
    ],
    "iiif_search.autocomplete": [
        "/iiif/autocomplete/2/shengyu?q=之",
        "/iiif/autocomplete/1/song?q=玄",
        "/iiif/autocomplete/2/shengyu?q=金絲雀",
    ],
    "iiif.root": ["/iiif/collections/root"],
    "iiif.collection": ["/iiif/collections/local-gazetteers", "/iiif/collections/han-opera", "/iiif/collections/city-building"],
    "health.healthz": ["/healthz"],
    "health.metrics": ["/metrics"],
}
"""What is open on each route: it answers, and nothing hidden is in it."""

HIDDEN: dict[str, list[tuple[str, str]]] = {
    "browse.collection": [("/collections/no-such", "/collections/nor-this")],
    "browse.item": [("/items/secret", "/items/absent"), ("/items/reading-room-only", "/items/absent")],
    "browse.segment": [
        ("/items/song/s/s2", "/items/song/s/s9"),
        ("/items/secret/s/s1", "/items/absent/s/s1"),
    ],
    "browse.page_at": [("/items/secret/pages/1", "/items/absent/pages/1"), ("/items/shengyu/pages/5", "/items/shengyu/pages/99")],
    "browse.page": [
        ("/items/shengyu/p/p5", "/items/shengyu/p/p99"),
        ("/items/shengyu/p/p6", "/items/shengyu/p/p99"),
        ("/items/secret/p/p1", "/items/absent/p/p1"),
    ],
    "citing.cite": [
        ("/items/secret/cite", "/items/absent/cite"),
        ("/items/shengyu/cite?page=p5", "/items/shengyu/cite?page=p99"),
        ("/items/shengyu/cite?page=p6&format=json", "/items/shengyu/cite?page=p99&format=json"),
        ("/items/song/cite?s=s2", "/items/song/cite?s=s9"),
    ],
    "reports.report": [
        ("/items/secret/p/p1/report", "/items/absent/p/p1/report"),
        ("/items/shengyu/p/p5/report", "/items/shengyu/p/p99/report"),
    ],
    "reports.send": [("/items/secret/p/p1/report", "/items/absent/p/p1/report")],
    "downloads.page_text": [("/items/shengyu/p/p5/text.txt", "/items/shengyu/p/p99/text.txt")],
    "downloads.item_text": [("/items/secret/text.txt", "/items/absent/text.txt")],
    "downloads.page_pdf": [("/items/shengyu/p/p6/page.pdf", "/items/shengyu/p/p99/page.pdf")],
    "downloads.item_pdf": [("/items/secret/book.pdf", "/items/absent/book.pdf")],
    "browse.listed": [("/items/secret/leaves.json", "/items/absent/leaves.json")],
    "browse.hits": [("/items/secret/hits.json?q=目", "/items/absent/hits.json?q=目")],
    "browse.leaf": [("/items/secret/leaf?to=1", "/items/absent/leaf?to=1")],
    "comparing.compare": [
        ("/compare?left=secret", "/compare?left=absent"),
        ("/compare?left=/items/shengyu/p/p1&right=/items/secret/p/p1", "/compare?left=/items/shengyu/p/p1&right=/items/absent/p/p1"),
        ("/compare?left=/items/shengyu/p/p5", "/compare?left=/items/shengyu/p/p99"),
        ("/compare?right=/items/shengyu/pages/5", "/compare?right=/items/shengyu/pages/99"),
        ("/compare?left=/items/song/s/s2", "/compare?left=/items/song/s/s9"),
        ("/compare?left=/items/shengyu/p/p1&same=5", "/compare?left=/items/shengyu/p/p1&same=99"),
    ],
    "comparing.mirador": [
        ("/mirador?item=secret", "/mirador?item=absent"),
        ("/mirador?item=shengyu&page=p5", "/mirador?item=shengyu&page=p99"),
    ],
    "browse.cues": [("/items/song/cues/t3.vtt", "/items/song/cues/t9.vtt"), ("/items/secret/cues/t1.vtt", "/items/absent/cues/t1.vtt")],
    "timed_text.written": [
        ("/items/song/cues/t3.srt", "/items/song/cues/t9.srt"),
        ("/items/secret/cues/t1.lrc", "/items/absent/cues/t1.lrc"),
    ],
    "timed_text.find": [
        ("/items/song/cues/t3/find?q=甲", "/items/song/cues/t9/find?q=甲"),
        ("/items/secret/cues/t1/find?q=甲", "/items/absent/cues/t1/find?q=甲"),
    ],
    "search.page": [("/search?q=甲&item=secret", "/search?q=甲&item=absent")],
    "search.atom": [("/search.atom?q=甲&item=secret", "/search.atom?q=甲&item=absent")],
    "api.find": [("/api/v1/search?q=甲&item=secret", "/api/v1/search?q=甲&item=absent")],
    "concordance.page": [("/concordance?q=甲&item=secret", "/concordance?q=甲&item=absent")],
    "concordance.as_csv": [("/concordance.csv?q=甲&item=secret", "/concordance.csv?q=甲&item=absent")],
    "concordance.as_xlsx": [("/concordance.xlsx?q=甲&item=secret", "/concordance.xlsx?q=甲&item=absent")],
    "api.lines": [("/api/v1/concordance?q=甲&item=secret", "/api/v1/concordance?q=甲&item=absent")],
    "api.item": [("/api/v1/items/secret", "/api/v1/items/absent")],
    "api.page": [
        ("/api/v1/items/secret/pages/p1", "/api/v1/items/absent/pages/p1"),
        ("/api/v1/items/shengyu/pages/p5", "/api/v1/items/shengyu/pages/p99"),
    ],
    "media.original": [
        ("/media/secret.f1/original", "/media/absent.f1/original"),
        ("/media/shengyu.f4/original", "/media/shengyu.f99/original"),
        ("/media/song.f2/original", "/media/song.f99/original"),
        ("/media/song.f3/original", "/media/song.f99/original"),
    ],
    "media.web": [("/media/song.f2/web", "/media/song.f99/web"), ("/media/secret.f2/web", "/media/absent.f2/web")],
    "media.waveform": [("/media/song.f2/waveform", "/media/song.f99/waveform"), ("/media/secret.f2/waveform", "/media/absent.f2/waveform")],
    "media.peaks": [("/media/song.f2/peaks", "/media/song.f99/peaks"), ("/media/secret.f2/peaks", "/media/absent.f2/peaks")],
    "media.poster": [("/media/song.f2/poster", "/media/song.f99/poster"), ("/media/secret.f2/poster", "/media/absent.f2/poster")],
    "media.storyboard": [("/media/secret.f2/storyboard/storyboard.jpg", "/media/absent.f2/storyboard/storyboard.jpg")],
    "media.thumb": [("/thumbs/shengyu.f4/400", "/thumbs/shengyu.f99/400"), ("/thumbs/secret.f1/400", "/thumbs/absent.f1/400")],
    "images.base": [("/iiif/image/3/secret.f1", "/iiif/image/3/absent.f1"), ("/iiif/image/3/shengyu.f4", "/iiif/image/3/shengyu.f99")],
    "images.base2": [("/iiif/image/2/secret.f1", "/iiif/image/2/absent.f1"), ("/iiif/image/2/shengyu.f4", "/iiif/image/2/shengyu.f99")],
    "images.info": [("/iiif/image/3/shengyu.f4/info.json", "/iiif/image/3/shengyu.f99/info.json")],
    "images.info2": [("/iiif/image/2/shengyu.f4/info.json", "/iiif/image/2/shengyu.f99/info.json")],
    "images.image": [("/iiif/image/3/shengyu.f4/full/max/0/default.jpg", "/iiif/image/3/shengyu.f99/full/max/0/default.jpg")],
    "images.image2": [("/iiif/image/2/shengyu.f4/full/max/0/default.jpg", "/iiif/image/2/shengyu.f99/full/max/0/default.jpg")],
    "iiif.manifest": [
        ("/iiif/3/secret/manifest", "/iiif/3/absent/manifest"),
        ("/iiif/3/shengyu/manifest?page=p5", "/iiif/3/shengyu/manifest?page=p99"),
    ],
    "iiif.canvas": [
        ("/iiif/3/secret/canvas/p1", "/iiif/3/absent/canvas/p1"),
        ("/iiif/3/shengyu/canvas/p5", "/iiif/3/shengyu/canvas/p99"),
        ("/iiif/3/song/canvas/f2", "/iiif/3/song/canvas/f99"),
    ],
    "iiif.range_of": [
        ("/iiif/3/shengyu/range/x3", "/iiif/3/shengyu/range/x9"),
        ("/iiif/3/shengyu/range/x4", "/iiif/3/shengyu/range/x9"),
        ("/iiif/3/song/range/s2", "/iiif/3/song/range/s99"),
    ],
    "iiif.text_of": [
        ("/iiif/3/secret/annotations/p1", "/iiif/3/absent/annotations/p1"),
        ("/iiif/3/shengyu/annotations/p5", "/iiif/3/shengyu/annotations/p99"),
        ("/iiif/3/song/annotations/f2", "/iiif/3/song/annotations/f99"),
    ],
    "iiif.collection": [("/iiif/collections/no-such", "/iiif/collections/nor-this")],
    "iiif_search.search": [
        ("/iiif/search/2/secret?q=志", "/iiif/search/2/absent?q=志"),
        ("/iiif/search/1/secret?q=志", "/iiif/search/1/absent?q=志"),
    ],
    "iiif_search.autocomplete": [
        ("/iiif/autocomplete/2/secret?q=金", "/iiif/autocomplete/2/absent?q=金"),
        ("/iiif/autocomplete/1/secret?q=金", "/iiif/autocomplete/1/absent?q=金"),
    ],
    "iiif.shelf": [("/iiif/collections/local-gazetteers/1", "/iiif/collections/local-gazetteers/9")],
}
"""What is hidden on each route, beside something that never was: the same answer, to the byte."""

NOTHING_TO_HIDE = {
    "iiif.root",
    "static",
    "browse.home",
    "browse.about",
    "browse.help",
    "search.form",
    "api.openapi",
    "api.items",
    "api.suggest",
    "api.nothing",
    "health.healthz",
    "health.metrics",
}
"""Routes that name no thing; `OPEN` covers their content."""


def test_every_route_is_covered(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert routes - set(HIDDEN) - NOTHING_TO_HIDE == set(), "say in HIDDEN what this route could give away"
    assert set(HIDDEN) | NOTHING_TO_HIDE == routes | {"api.nothing"}


OPEN_CASES = [path for paths in OPEN.values() for path in paths]


@pytest.mark.parametrize("path", OPEN_CASES)
def test_nothing_hidden_is_in_what_is_open(client: FlaskClient, path: str) -> None:
    answer = client.get(path.replace("{c}", CANARY))
    assert answer.status_code in (200, 302, 303), path
    said = answer.data.decode("utf-8", "replace")
    if "{c}" in path:
        # The query itself is shown again; beyond that nothing: no hit, no count, no facet.
        assert_nothing_found(answer.get_json() if path.startswith("/api") else said)
    else:
        assert CANARY not in said
        assert quote(CANARY) not in said
    for word in ("secret", "reading-room-only", "館內可看的圖紙", "1110 年代"):
        assert word not in said, word


def assert_nothing_found(answer: Any) -> None:
    if isinstance(answer, dict) and "lines" in answer:
        spread = answer["dispersion"]
        assert (answer["total"], answer["items"], answer["lines"], spread["works"], spread["periods"]) == (0, 0, [], [], [])
    elif isinstance(answer, dict):
        assert (answer["total"], answer["items"], answer["metadata_total"], answer["occurrences"]) == (0, 0, 0, 0)
        assert answer["hits"] == []
        assert all(form["count"] == 0 for form in answer["forms"]), "what was typed, and that it is nowhere"
        assert all(values == [] for values in answer["facets"].values())
    else:
        assert '<li class="hit">' not in answer and 'class="kwic"' not in answer
        assert not answer.startswith("\ufeff") or answer.count("\r\n") == 1  # a table with its heading alone
        assert 'class="facets"' not in answer or "<details" not in answer


HIDDEN_CASES = [pair for pairs in HIDDEN.values() for pair in pairs]


@pytest.mark.parametrize(("hidden", "absent"), HIDDEN_CASES, ids=[pair[0] for pair in HIDDEN_CASES])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_hidden_answers_as_absent(client: FlaskClient, hidden: str, absent: str, language: str) -> None:
    headers = {"Accept-Language": language}
    first, second = client.get(hidden, headers=headers), client.get(absent, headers=headers)
    assert first.status_code == second.status_code == 404
    assert first.data == second.data
    assert list(first.headers) == list(second.headers)
    assert client.head(hidden, headers=headers).status_code == 404
    assert client.get(hidden, headers=headers | {"Range": "bytes=0-1", "If-None-Match": "*"}).data == first.data


def test_a_reading_room_sees_more_and_nobody_keeps_it(client: FlaskClient) -> None:
    here = client.get("/items/reading-room-only", environ_overrides={"REMOTE_ADDR": "10.9.3.4"})
    assert here.status_code == 200
    assert here.headers["Cache-Control"].startswith("private")
    assert client.get("/items/reading-room-only").status_code == 404
    assert (
        client.get("/thumbs/shengyu.f1/200", environ_overrides={"REMOTE_ADDR": "10.9.3.4"}).headers["Cache-Control"] == "private, no-store"
    )


def test_a_visitor_cannot_claim_an_address(client: FlaskClient) -> None:
    claims = {"X-Forwarded-For": "10.9.3.4", "Forwarded": "for=10.9.3.4", "X-Real-Ip": "10.9.3.4"}
    assert client.get("/items/reading-room-only", headers=claims).status_code == 404


def test_what_was_withdrawn_leaves_a_tombstone(client: FlaskClient) -> None:
    for path in ("/items/gone", "/items/gone/p/p1", "/api/v1/items/gone", "/iiif/3/gone/manifest"):
        answer = client.get(path)
        assert answer.status_code == 410, path
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert "捐赠者要求" in client.get("/items/gone").text
    assert client.get("/api/v1/items/gone").get_json()["reason"] == "捐赠者要求"


def test_metrics_are_for_this_machine_alone(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404


def test_metrics_keep_no_query_and_no_id(client: FlaskClient) -> None:
    client.get("/search?q=目錄")
    client.get("/items/shengyu")
    said = client.get("/metrics").text
    assert 'fangzhi_requests_total{route="search.page",status="200"}' in said
    assert "目錄" not in said
    assert "shengyu" not in said
