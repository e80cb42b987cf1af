"""The citing page and its forms for programs: what contract readers, viewers and scripts rely on."""

from __future__ import annotations

import re

import bibtexparser
import pytest
import rispy
from flask.testing import FlaskClient
from hall_of_records import CANARY, HOSTILE


def test_json_has_quotation_both_editions_forms_link_and_whether_verified(client: FlaskClient) -> None:
    said = client.get("/items/shengyu/cite?page=p1&start=0&end=9&format=json").get_json()
    assert set(said) == {"quotation", "citation", "bibtex", "ris", "link", "verified"}
    assert said["quotation"] == "全書嘉與海內之士" and said["verified"] is True
    assert said["citation"]["gbt7714-2025"].startswith(
        "永瑢，紀昀. 欽定四庫全書簡明目錄·聖諭目錄：卷一[M/OL]. 1782（乾隆四十七年）：叶1上. "
    )
    assert said["citation"]["gbt7714-2015"].endswith(f": 叶1上[2026-11-22]. {said['link']}.")
    assert said["link"] == "http://localhost/items/shengyu/p/p1"


def test_unverified_leaf_is_cited_by_its_image_in_every_form(client: FlaskClient) -> None:
    said = client.get("/items/shengyu/cite?page=p2&format=json").get_json()
    assert said["verified"] is False
    for written in (*said["citation"].values(), said["bibtex"], said["ris"]):
        assert "影像第2面" in written and "卷一" not in written and "叶2" not in written


def test_region_stands_in_the_link(client: FlaskClient) -> None:
    said = client.get("/items/shengyu/cite?page=p1&xywh=10,20,30,40&format=json").get_json()
    assert said["link"].endswith("/items/shengyu/p/p1?xywh=10,20,30,40") and said["quotation"] == ""


def test_passage_quotes_the_lines_that_sound_in_it(client: FlaskClient) -> None:
    said = client.get("/items/song/cite?t=0.5,2&format=json").get_json()
    assert said["quotation"] == "玄德公在馬上\n望襄陽 & <b>漢水</b> 一帶"
    assert "劉玄德獨赴襄陽會：00:00-00:02[EB/OL]" in said["citation"]["gbt7714-2025"]
    assert client.get("/items/song/cite?s=s1&format=json").get_json()["link"].endswith("/items/song?t=1,2")


def test_page_without_scripts_has_everything_in_boxes(client: FlaskClient) -> None:
    body = client.get("/items/shengyu/cite?page=p1&start=0&end=5").text
    boxes = re.findall(r'<textarea id="text-([a-z0-9-]+)"[^>]*>\n(.*?)</textarea>', body, re.S)
    assert [name for name, _text in boxes] == ["quotation", "gbt7714-2025", "gbt7714-2015", "link", "bibtex", "ris"]
    assert dict(boxes)["quotation"] == "全書嘉與" and "noindex" in body
    swapped = client.get("/items/shengyu/cite?page=p1&style=2015").text
    assert swapped.index("text-gbt7714-2015") < swapped.index("text-gbt7714-2025")


def test_english_page_gives_the_same_citation(client: FlaskClient) -> None:
    zh, en = (client.get(f"/items/shengyu/cite?page=p1&format=json&lang={lang}").get_json() for lang in ("zh", "en"))
    assert zh["citation"] == en["citation"]
    assert "<h1>Cite</h1>" in client.get("/items/shengyu/cite?lang=en").text


def test_files_for_reference_managers_parse(client: FlaskClient) -> None:
    for item in ("shengyu", "hostile", "song"):
        bib, ris = (client.get(f"/items/{item}/cite?format={form}") for form in ("bibtex", "ris"))
        assert bib.headers["Content-Disposition"] == f'attachment; filename="{item}.bib"'
        library = bibtexparser.parse_string(bib.text)
        assert len(library.entries) == 1 and not library.failed_blocks
        assert len(rispy.loads(ris.text)) == 1 and ris.headers["Content-Disposition"].endswith('.ris"')


def test_hostile_words_are_text(client: FlaskClient) -> None:
    body = client.get("/items/hostile/cite?page=p1&start=0&end=20").text
    assert HOSTILE not in body and "<script>alert" not in body


@pytest.mark.parametrize("query", ["page=p5", "page=p6", "page=p99", "s=s2", "page=..%2f", "page=p5&start=0&end=1&format=json"])
def test_what_is_hidden_is_absent(client: FlaskClient, query: str) -> None:
    item = "song" if query.startswith("s=") else "shengyu"
    said = client.get(f"/items/{item}/cite?{query}")
    assert said.status_code == 404 and said.data == client.get("/items/never-was/cite").data


def test_closed_items_answer_as_everywhere(client: FlaskClient) -> None:
    assert client.get("/items/secret/cite").status_code == 404
    assert client.get("/items/gone/cite").status_code == 410
    assert CANARY not in client.get("/items/song/cite?t=0,3&format=json").text


@pytest.mark.parametrize(
    "query",
    [
        "format=docx",
        "style=2005",
        "t=abc",
        "start=0&end=3",
        "xywh=1,2,3,4",
        "page=p1&start=3&end=3",
        "page=p1&start=-1&end=3",
        "page=p1&start=1",
        "page=p1&start=0&end=99999",
        "page=p1&xywh=1,2,0,4",
        "page=p1&xywh=%F0%9F%98%80",
        "page=p1&t=3",
        "page=p4&start=0&end=1",
    ],
)
def test_what_cannot_be_meant_is_400_with_a_reason(client: FlaskClient, query: str) -> None:
    said = client.get(f"/items/shengyu/cite?{query}")
    assert said.status_code == 400 and "<h1>" in said.text
