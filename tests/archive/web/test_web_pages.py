"""Pages for readers: what stands on them, in which order, and that nothing of a donor's words becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from hall_of_records import HOSTILE

from archive.assembly import Archive
from archive.derivatives.store import DerivativeStore
from archive.model.rights import Audience
from archive.web import create_app, presenting
from archive.web.browse import leaf_url, thumb_url

PAGES = (
    "/",
    "/collections/local-gazetteers",
    "/collections/city-building?sort=recent",
    "/items/shengyu",
    "/items/shengyu/p/p1",
    "/items/shengyu/p/p1?text=horizontal&q=目錄",
    "/items/shengyu/p/p4",
    "/items/song",
    "/items/song?t=1.5",
    "/items/song/s/s1",
    "/items/hostile",
    "/items/hostile/p/p1",
    "/items/papers",
    "/items/gone",
    "/items/none-such",
    "/search",
    "/search?q=目錄",
    "/search?q=alert",
    "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "/about",
    "/help",
)


class Outline(HTMLParser):
    """Tags, attributes and text of a page; the parser of the standard library reads it as a browser would, near enough."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "source", "track"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_is_whole_and_safe(client: FlaskClient, path: str, language: str) -> None:
    answer = client.get(path, headers={"Accept-Language": language})
    page = answer.text
    outline = Outline(page)
    assert outline.open == []
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids)), sorted(ids)
    for tag, attrs in outline.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
        assert tag != "style"
        if tag == "script":
            assert str(attrs.get("src")).startswith("/static/"), "no script stands in a page"
        if tag == "img":
            assert "alt" in attrs
        for name in ("href", "src", "action", "poster"):
            target = attrs.get(name)
            if target and "rel" not in attrs:
                assert target.startswith(("/", "#", "?")), f"{name}={target} leads elsewhere"
            assert not (target or "").lower().startswith(("javascript:", "data:"))
    assert "alert(1)" not in "".join(str(attrs) for tag, attrs in outline.tags if tag == "script")


@pytest.mark.parametrize("path", ["/items/hostile", "/items/hostile/p/p1", "/", "/collections/city-building", "/search?q=alert"])
def test_a_hostile_title_is_text(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    outline = Outline(page)
    assert any(HOSTILE in text for text in ["".join(outline.text)])
    assert not any(tag == "img" and attrs.get("src") == "x" for tag, attrs in outline.tags)
    assert [attrs.get("src", "")[:8] for tag, attrs in outline.tags if tag == "script"] == ["/static/"] * sum(
        t == "script" for t, _ in outline.tags
    )


@pytest.mark.parametrize(
    "path", ["/", "/items/shengyu", "/items/none-such", "/search", "/api/v1/items", "/static/css/fangzhi.css", "/thumbs/shengyu.f1/200"]
)
def test_every_answer_carries_the_safe_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_an_original_is_saved_and_runs_nothing(client: FlaskClient) -> None:
    headers = client.get("/media/hostile.f1/original").headers
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize(
    "path",
    [
        "/items/AB",
        "/items/a",
        "/items/" + "a" * 65,
        "/items/..",
        "/items/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/items/shengyu%00",
        "/items/shengyu/p/%2e%2e",
        "/items/shengyu/pages/0",
        "/items/shengyu/pages/-1",
        "/items/shengyu/pages/1e3",
        "/items/shengyu/pages/٣",
        "/items/shengyu?page=99",
        "/media/shengyu/original",
        "/media/../original",
        "/media/shengyu.f1-1-1/original",
        "/media/shengyu.f1-99999999999999999999/original",
        "/thumbs/shengyu.f1/0",
        "/thumbs/shengyu.f1/abc",
        "/thumbs/shengyu.f1/99999",
        "/media/song.f1/storyboard/..%2f..%2ffacts.json",
        "/media/song.f1/storyboard/facts.json",
        "/iiif/image/3/x/info.json",
        "/exhibits/one",
        "/desk",
        "/oai",
        "/items//shengyu",
        "/static/../setup.cfg",
        "/static/%2e%2e/setup.cfg",
    ],
)
def test_what_is_no_address_of_ours_is_404(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["//example.org/%2e%2e", "/items/shengyu/", "/search/", "/\\example.org", "/items/shengyu/pages/1?next=//example.org"]
)
def test_no_redirect_leads_elsewhere(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if 300 <= answer.status_code < 400:
        assert answer.headers["Location"].startswith("/items/")


def test_a_position_leads_to_the_permanent_page(client: FlaskClient) -> None:
    answer = client.get("/items/shengyu/pages/2")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/items/shengyu/p/p2")


def test_a_book_turns_its_own_way_in_any_language(client: FlaskClient) -> None:
    for language in ("zh", "en"):
        page = client.get("/items/shengyu/p/p2", headers={"Accept-Language": language}).text
        turn = page[page.index('class="turn"') : page.index("</nav>", page.index('class="turn"'))]
        assert turn.index("/p/p3") < turn.index("/p/p1"), "in a book from right to left the button on the left goes on"
    assert 'data-direction="rtl"' in client.get("/items/shengyu").text


def test_a_folio_that_nobody_checked_says_so(client: FlaskClient) -> None:
    assert "未核" not in client.get("/items/shengyu/p/p1").text
    assert "未核" in client.get("/items/shengyu/p/p2").text


def test_a_missing_leaf_keeps_its_place(client: FlaskClient) -> None:
    page = client.get("/items/shengyu/p/p4").text
    assert "缺叶" in page
    assert "/items/shengyu/p/p3" in page


def test_text_says_whose_it_is_and_other_readings_can_be_had(client: FlaskClient) -> None:
    page = client.get("/items/shengyu/p/p1").text
    assert "捐赠者录入" in page
    assert "version=1" in page
    other = client.get("/items/shengyu/p/p1?version=1").text
    assert "机器读到的第1面" in other


def test_staff_fields_are_not_shown_and_the_profile_orders_the_rest(client: FlaskClient) -> None:
    page = client.get("/items/shengyu").text
    labels = re.findall(r"<dt>(.*?)</dt>", page)
    assert labels.index("责任者") < labels.index("地名") < labels.index("主题")
    assert "捐赠者" not in labels
    assert "备注" not in labels


def test_hits_are_marked_on_the_leaf(client: FlaskClient) -> None:
    page = client.get("/items/shengyu/p/p2?q=簡明目錄").text
    assert re.search(r'<mark data-at="[0-9]+" data-hit="[0-9]+">簡明目錄</mark>', page)


def test_a_faulty_query_does_not_close_the_leaf(client: FlaskClient) -> None:
    assert client.get("/items/shengyu/p/p2?q=近:(").status_code == 200


def test_a_recording_plays_without_scripts(client: FlaskClient) -> None:
    page = client.get("/items/song?t=1.5").text
    assert 'src="/media/song.f1/web#t=1.5"' in page
    assert 'href="/items/song?t=1#t1-1"' in page
    assert '<li id="t1-1" data-start="1.0" data-end="2.0" class="now">' in page
    assert 'src="/media/song.f1/waveform"' in page


def test_a_passage_opens_at_its_start_and_ends_at_its_end(client: FlaskClient) -> None:
    assert 'src="/media/song.f1/web#t=1,2"' in client.get("/items/song/s/s1").text


def test_captions_are_webvtt_without_markup_of_the_text(client: FlaskClient) -> None:
    answer = client.get("/items/song/cues/t1.vtt")
    assert answer.mimetype == "text/vtt"
    assert answer.text == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n玄德公在馬上\n\n"
        "00:00:01.000 --> 00:00:02.000\n望襄陽 &amp; &lt;b&gt;漢水&lt;/b&gt; 一帶\n\n00:00:02.000 --> 00:00:03.000\n去也\n"
    )
    assert client.get("/items/song/cues/t1.vtt", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_an_untimed_libretto_has_no_captions(client: FlaskClient) -> None:
    assert client.get("/items/song/cues/t2.vtt").status_code == 404


def test_a_byte_range_of_a_web_copy(client: FlaskClient) -> None:
    whole = client.get("/media/song.f1/web")
    part = client.get("/media/song.f1/web", headers={"Range": "bytes=-10", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.data) == (206, whole.data[-10:])


def test_filters_and_pages_of_a_holding(client: FlaskClient) -> None:
    assert "聖諭目錄" in client.get("/collections/local-gazetteers?kind=gazetteer").text
    assert "聖諭目錄" not in client.get("/collections/local-gazetteers?kind=han-opera").text
    assert client.get("/collections/local-gazetteers?page=2").status_code == 404


def test_other_methods_are_refused_with_what_is_allowed(client: FlaskClient) -> None:
    answer = client.post("/items/shengyu")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_fault_of_ours_says_nothing_of_its_cause(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_more: object) -> None:
        raise RuntimeError("path /srv/private/secret.db")

    monkeypatch.setattr(type(app.extensions["fangzhi"].reading), "collections", broken)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_addresses_written_out_are_those_of_the_routes(app: Flask) -> None:
    for root in ("", "/fangzhi"):
        with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
            assert thumb_url("a-b.f3-5", 200) == url_for("media.thumb", key="a-b.f3-5", size=200)
            assert leaf_url("a-b", "p3 x") == url_for("browse.page", item="a-b", page="p3 x")


def test_a_region_of_a_leaf_can_be_linked(client: FlaskClient) -> None:
    framed = client.get("/items/shengyu/p/p1?xywh=10,20,300,400").text
    assert '<rect class="framed" vector-effect="non-scaling-stroke" x="10" y="20" width="300" height="400"/>' in framed
    assert "framed" not in client.get("/items/shengyu/p/p1?xywh=1,2,0,x").text


def test_an_image_that_was_not_made_is_explained(hall: Archive, tmp_path: Path) -> None:
    bare = replace(hall, derivatives=DerivativeStore(tmp_path))
    page = create_app(bare).test_client().get("/items/shengyu/p/p1", buffered=True).text
    assert "影像还没有制成" in page
    assert "/media/shengyu.f1/original" in page
    song = create_app(bare).test_client().get("/items/song", buffered=True).text
    assert "原件已保存" in song


@pytest.mark.parametrize(
    ("text", "expected"),
    [("图像为重排渲染，不是原书影像。", True), ("据原书影像录入。", False), ("", False)],
)
def test_images_that_show_no_original_are_told_by_the_record(text: str, expected: bool) -> None:
    assert presenting.is_rendered([text]) is expected


def test_the_section_tree_leads_into_the_book_and_says_how_long_each_is(client: FlaskClient) -> None:
    page = client.get("/items/shengyu?lang=zh").text
    tree = page[page.index('class="contents top"') : page.index('class="leaves"')]
    assert [*re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', tree)] == [
        ("/items/shengyu/p/p1", "从首叶读起"),
        ("/items/shengyu/p/p2", "經部"),
    ]
    assert re.search(r'<span class="name"[^>]*>卷一</span>', tree)
    assert re.findall(r"(\d+) 面", tree) == ["4", "3"]
    assert "艺文" in tree
    assert "Literature" in client.get("/items/shengyu?lang=en").text


def test_a_leaf_knows_the_sections_it_lies_in(hall: Archive) -> None:
    titles = {page: [one.title for one in hall.reading.page(Audience.PUBLIC, "shengyu", page).sections] for page in ("p1", "p3")}
    assert titles == {"p1": ["卷一"], "p3": ["卷一", "經部"]}


def test_the_trail_of_a_leaf_leads_to_its_sections_and_programs_get_the_tree(client: FlaskClient) -> None:
    page = client.get("/items/shengyu/p/p3?lang=zh").text
    trail = page[page.index('class="trail"') : page.index("</nav>", page.index('class="trail"'))]
    assert re.findall(r'href="(/items/shengyu/p/[^"]+)"[^>]*>([^<]+)<', trail) == [
        ("/items/shengyu/p/p1", "卷一"),
        ("/items/shengyu/p/p2", "經部"),
    ]
    (juan,) = client.get("/api/v1/items/shengyu").json["sections"]
    assert (juan["title"], [child["title"] for child in juan["children"]], juan["accepted"]) == ("卷一", ["經部"], True)
