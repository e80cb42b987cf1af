"""Content Search within one item, in both versions: boxes, columns, leaves, recordings, paging, completion."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hall_of_records import CANARY, DAY, OPEN

from archive.assembly import make_home, open_archive
from archive.catalogue.items import put_item
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion
from archive.model.rights import Audience, Rights
from archive.search.documents import documents_of
from archive.services import within
from archive.settings import load_settings
from archive.web import create_app

HOST = "http://localhost"


def column(text: str, n: int) -> TextLine:
    """A column of 40-pixel characters, the nth from the right of a page 400 wide."""
    return TextLine(text, (400 - 50 * n, 20, 40, 40 * len(text)))


def leaf(number: int, *texts: str, **more: Any) -> Page:
    lines = tuple(column(text, n) for n, text in enumerate(texts, 1))
    return Page(f"p{number}", number, FileRef(f"f{number}"), texts=(TextVersion(TextSource.DONOR, lines),), **more)


def typed_and_read(id: str, position: int, *texts: str) -> Page:
    """A leaf that a donor typed, without boxes, and a machine read, with them."""
    typed = TextVersion(TextSource.DONOR, tuple(TextLine(text) for text in texts))
    read = TextVersion(TextSource.OCR, tuple(column(text, n) for n, text in enumerate(texts, 1)))
    return Page(id, position, FileRef("f30"), texts=(typed, read))


def image(number: int) -> MediaFile:
    return MediaFile(
        f"f{number}", f"originals/{number}.png", f"{number}.png", 1, f"{number:0128x}", "image/png", MediaKind.IMAGE, width=400, height=600
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A book of thirty leaves with boxes, one of them closed."""
    home = tmp_path_factory.mktemp("within") / "home"
    make_home(home)
    archive = open_archive(load_settings(home))
    pages = [
        leaf(1, "金州漢水之上", "游曰安康縣"),
        leaf(2, "安康舊志云漢", "水東流金州"),
        leaf(3, "金州", CANARY, rights=Rights(Audience.STAFF)),
        leaf(4, "州治在漢陰(西/東)縣"),
        *(leaf(n, "洵陽縣志", "洵陽縣學") for n in range(5, 31)),
        typed_and_read("p31", 32, "旬水出秦嶺南麓", "入于大江"),
        typed_and_read("p32", 33, "其源有二", "合流於城下"),
    ]
    book = Item("book", "2026-001", "gazetteer", "", "金州志", files=tuple(map(image, range(1, 31))), pages=tuple(pages), rights=OPEN)
    with archive.catalogue.write() as connection:
        put_item(connection, book, version=1, batch="1", at="2026-11-22T00:00:00Z", day=DAY)
    archive.index.rebuild([("book", documents_of(book, archive.definitions, DAY))])
    yield create_app(archive).test_client()
    archive.close()


def asked(client: FlaskClient, version: int, query: str, item: str = "book", **more: object) -> Any:
    args = "".join(f"&{name}={quote(str(value))}" for name, value in more.items())
    answer = client.get(f"/iiif/search/{version}/{item}?q={quote(query)}{args}")
    assert answer.status_code == 200, answer.text
    return answer.get_json(force=True)


def canvas(page: str, fragment: str, item: str = "book") -> str:
    return f"{HOST}/iiif/3/{item}/canvas/{page}#{fragment}"


def test_a_match_is_boxed_by_its_characters(client: FlaskClient) -> None:
    (found,) = asked(client, 2, "漢水之")["items"]
    assert found["target"] == canvas("p1", "xywh=350,100,40,120")
    assert found["body"]["value"] == "漢水之"


def test_simplified_characters_find_traditional_ones(client: FlaskClient) -> None:
    assert [item["body"]["value"] for item in asked(client, 2, "汉水")["items"]][:1] == ["漢水"]


def test_a_match_over_two_columns_has_a_box_in_each(client: FlaskClient) -> None:
    found = asked(client, 1, "之上游曰")
    assert [resource["on"] for resource in found["resources"]] == [canvas("p1", "xywh=350,180,40,80"), canvas("p1", "xywh=300,20,40,80")]
    (hit,) = found["hits"]
    assert hit["annotations"] == [resource["@id"] for resource in found["resources"]]
    assert (hit["before"], hit["match"], hit["after"]) == ("金州漢水", "之上游曰", "安康縣安康舊志云漢水東流金州")


def test_a_match_over_two_leaves_has_a_box_on_each(client: FlaskClient) -> None:
    found = asked(client, 2, "縣安康舊志")["items"]
    assert [item["target"] for item in found] == [canvas("p1", "xywh=300,180,40,40"), canvas("p2", "xywh=350,20,40,160")]


def test_what_a_donor_typed_is_boxed_where_the_machine_read_the_same(client: FlaskClient) -> None:
    (found,) = asked(client, 2, "秦嶺南")["items"]
    assert found["target"] == canvas("p31", "xywh=350,140,40,120")
    over = asked(client, 2, "大江其源")["items"]
    assert [item["target"] for item in over] == [canvas("p31", "xywh=300,100,40,80"), canvas("p32", "xywh=350,20,40,80")]


def test_nothing_runs_on_over_a_closed_leaf(client: FlaskClient) -> None:
    assert asked(client, 2, "金州州治")["items"] == []
    assert asked(client, 2, CANARY)["items"] == []
    assert len(asked(client, 2, "金州")["items"]) == 2
    assert CANARY not in str(asked(client, 1, "東流"))


def test_every_occurrence_is_told_a_page_at_a_time(client: FlaskClient) -> None:
    first = asked(client, 2, "洵陽")
    assert (len(first["items"]), first["partOf"]["total"]) == (2 * within.SIZE, 52)
    second = client.get(first["next"]["id"].removeprefix(HOST)).get_json(force=True)
    third = client.get(second["next"]["id"].removeprefix(HOST)).get_json(force=True)
    assert (len(third["items"]), "next" in third, second["prev"]["id"]) == (12, False, first["id"])
    ids = [item["id"] for item in first["items"] + second["items"] + third["items"]]
    assert len(set(ids)) == 52
    old = asked(client, 1, "洵陽")
    assert (old["within"]["total"], old["startIndex"]) == (52, 0)
    assert client.get(old["next"].removeprefix(HOST)).get_json(force=True)["@id"] == old["next"]


def test_what_is_not_understood_is_said_to_be_ignored(client: FlaskClient) -> None:
    assert asked(client, 2, "漢水", motivation="painting", user="x")["ignored"] == ["motivation", "user"]
    assert asked(client, 1, "漢水", date="2026")["within"]["ignored"] == ["date"]
    assert "ignored" not in asked(client, 2, "漢水")


def test_words_around_a_match_stand_beside_its_annotation(client: FlaskClient) -> None:
    found = asked(client, 2, "舊志")
    context = found["annotations"][0]["items"][0]
    assert context["target"]["source"] == found["items"][0]["id"]
    selector = context["target"]["selector"][0]
    assert (selector["exact"], selector["suffix"]) == ("舊志", "云漢水東流金州")
    assert selector["prefix"].endswith("游曰安康縣安康")


def test_completions_come_from_the_open_text_of_the_item(client: FlaskClient) -> None:
    found = client.get(f"/iiif/autocomplete/2/book?q={quote('洵')}").get_json(force=True)
    assert found["type"] == "TermPage"
    assert next((term["value"], term["total"]) for term in found["items"]) == ("洵陽縣", 52)
    old = client.get(f"/iiif/autocomplete/1/book?q={quote('洵')}").get_json(force=True)
    assert (old["@type"], old["terms"][0]["match"], old["terms"][0]["count"]) == ("search:TermList", "洵陽縣", 52)
    assert client.get(old["terms"][0]["url"].removeprefix(HOST)).status_code == 200
    assert client.get(f"/iiif/autocomplete/2/book?q={quote(CANARY[:2])}").get_json(force=True)["items"] == []
    assert client.get(f"/iiif/autocomplete/1/book?q={quote('洵')}&min=53").get_json(force=True)["terms"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/iiif/search/2/book", 400),
        ("/iiif/search/1/book?q=", 400),
        ("/iiif/search/2/book?q=%22", 400),
        ("/iiif/search/2/book?q=%E6%BC%A2&page=0", 400),
        ("/iiif/search/2/book?q=%E6%BC%A2&page=x", 400),
        ("/iiif/search/2/book?q=%E6%BC%A2&page=99", 404),
        ("/iiif/search/3/book?q=%E6%BC%A2", 404),
        ("/iiif/search/2/none?q=%E6%BC%A2", 404),
        ("/iiif/search/2/%00?q=%E6%BC%A2", 404),
        ("/iiif/search/2/book?q=" + "%E6%BC%A2" * 500, 400),
        ("/iiif/autocomplete/2/book", 400),
        ("/iiif/autocomplete/1/book?q=%E6%BC%A2&min=-1", 400),
        ("/iiif/autocomplete/9/book?q=%E6%BC%A2", 404),
    ],
)
def test_faults_are_said_in_words(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype, answer.headers["Access-Control-Allow-Origin"]) == (status, "text/plain", "*")
    assert len(answer.text) > 10


@pytest.mark.parametrize(
    "query", ["\x00", "(((", "OR", "a:b:c", "*", "漢 OR", "-漢", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "?"]
)
def test_no_query_is_a_fault_of_ours(client: FlaskClient, query: str) -> None:
    for path in ("search/2", "search/1", "autocomplete/2", "autocomplete/1"):
        assert client.get(f"/iiif/{path}/book?q={quote(query)}").status_code in (200, 400), (path, query)


class TestRecordings:
    """Timed text and passages, in the small archive of the web's tests."""

    @pytest.fixture
    def visitor(self, app: Any) -> FlaskClient:
        visitor: FlaskClient = app.test_client()
        return visitor

    def test_a_line_is_a_stretch_of_time(self, visitor: FlaskClient) -> None:
        found = asked(visitor, 2, "漢水", item="song")["items"]
        assert canvas("f1", "t=1,2", "song") in [item["target"] for item in found]
        assert asked(visitor, 1, "玄德公", item="song")["resources"][0]["on"] == canvas("f1", "t=0,1", "song")

    def test_a_passage_is_found_by_its_title(self, visitor: FlaskClient) -> None:
        found = asked(visitor, 2, "望襄陽", item="song")["items"]
        assert canvas("f1", "t=1,2", "song") in [item["target"] for item in found]
        assert len({item["id"] for item in found}) == len(found)

    def test_closed_recordings_are_not_searched(self, visitor: FlaskClient) -> None:
        assert asked(visitor, 2, CANARY, item="song")["items"] == []

    def test_text_without_boxes_is_the_whole_leaf(self, visitor: FlaskClient) -> None:
        canvas_id = f"{HOST}/iiif/3/shengyu/canvas/p1"
        manifest = visitor.get("/iiif/3/shengyu/manifest").get_json(force=True)
        width, height = (manifest["items"][0][side] for side in ("width", "height"))
        new, old = asked(visitor, 2, "海內", item="shengyu"), asked(visitor, 1, "海內", item="shengyu")
        assert f"{canvas_id}#xywh=0,0,{width},{height}" in {item["target"] for item in new["items"]}
        assert f"{canvas_id}#xywh=0,0,{width},{height}" in {resource["on"] for resource in old["resources"]}


def test_the_manifest_announces_both(client: FlaskClient) -> None:
    search2, search1 = client.get("/iiif/3/book/manifest").get_json(force=True)["service"]
    assert (search2["type"], search1["profile"]) == ("SearchService2", "http://iiif.io/api/search/1/search")
    assert search2["service"][0]["id"] == f"{HOST}/iiif/autocomplete/2/book"
    assert search1["service"]["@id"] == f"{HOST}/iiif/autocomplete/1/book"
