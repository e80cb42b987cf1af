"""Two leaves or two recordings side by side, without scripts; and the page that opens Mirador."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from archive import resources

LEAF, OTHER, SONG = "/items/shengyu/p/p1", "/items/shengyu/p/p2", "/items/song"


def asked(client: FlaskClient, status: int = 200, **given: str) -> str:
    answer = client.get("/compare?" + urlencode(given))
    assert answer.status_code == status, answer.status_code
    return html.unescape(answer.get_data(as_text=True))


def test_two_leaves_stand_side_by_side_with_image_text_and_label(client: FlaskClient) -> None:
    page = asked(client, left=LEAF, right=OTHER)
    assert page.count("data-info=") == page.count('class="still"') == 2
    assert page.count('class="print horizontal"') == 2
    assert "捐赠者录入" in page and "未核" in page
    assert f'<a href="{LEAF}">欽定四庫全書簡明目錄·聖諭目錄</a>' in page


def test_what_is_chosen_stands_in_the_address_whatever_way_it_was_named(client: FlaskClient) -> None:
    plain = asked(client, left=LEAF, right=OTHER)
    for left in ("shengyu", "/items/shengyu", "/items/shengyu/", "/items/shengyu/pages/1", f" http://elsewhere.example{LEAF}?q=x#hit "):
        page = asked(client, left=left, right=OTHER)
        assert plain.count("data-info=") == page.count("data-info=")
        assert f'href="{LEAF}"' in page, left


def test_readings_of_one_leaf_are_compared_with_each_other(client: FlaskClient) -> None:
    page = asked(client, left=f"{LEAF}?version=0", right=f"{LEAF}?version=1")
    assert "捐赠者录入" in page and "机器识别" in page
    assert "不像同一篇" in page
    links = re.findall(r'<a href="(/compare[^"]+)" rel="nofollow">(机器识别|捐赠者录入)</a>', page)
    assert [text for _url, text in links] == ["机器识别", "捐赠者录入"]
    assert "两边的字句完全相同" in html.unescape(client.get(links[0][0]).get_data(as_text=True))


def test_the_same_text_twice_says_the_same_words(client: FlaskClient) -> None:
    page = asked(client, left=LEAF, right=LEAF)
    assert "两边的字句完全相同" in page and '<mark class="differs">' not in page


def test_variant_readings_are_marked_and_listed(client: FlaskClient) -> None:
    """Timed text of a song and its libretto's neighbours: the recording compared with itself from a passage on is the same text."""
    page = asked(client, left=f"{SONG}?t=1", right=f"{SONG}/s/s1")
    assert "两边的字句完全相同" in page
    assert page.count("<audio") == 2 and "#t=1,2" in page and 'href="/items/song?t=1,2"' in page.replace("%2C", ",")


def test_a_leaf_and_a_recording_may_stand_side_by_side(client: FlaskClient) -> None:
    page = asked(client, left=LEAF, right=SONG)
    assert "<audio" in page and 'class="still"' in page and "data-instruments" not in page


def test_each_side_turns_alone_and_both_together(client: FlaskClient) -> None:
    page = asked(client, left=LEAF, right=OTHER)
    links = dict(re.findall(r'<a href="([^"]+)" rel="(?:next|prev) nofollow" data-go="(?:next|prev)">([^<]+)</a>', page))
    both = next(url for url, text in links.items() if text == "两边下一面")
    assert "left=/items/shengyu/p/p2&right=/items/shengyu/p/p3" in both
    alone = [url for url, text in links.items() if text == "下一面"]
    assert len(alone) == 2 and all(client.get(url).status_code == 200 for url in links)
    assert "两边上一面" not in links.values()


def test_with_one_side_the_other_is_chosen_by_address_number_or_title(client: FlaskClient) -> None:
    page = asked(client, left=LEAF)
    assert 'name="right"' in page and 'name="same"' in page and f'name="left" value="{LEAF}"' in page
    answer = client.get("/compare?" + urlencode({"left": LEAF, "same": "3"}))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/compare?left=/items/shengyu/p/p1&right=/items/shengyu/p/p3")
    found = asked(client, left=LEAF, find="襄陽")
    (link,) = re.findall(r'<a href="(/compare[^"]+)">劉玄德獨赴襄陽會</a>', found)
    assert "<audio" in html.unescape(client.get(link).get_data(as_text=True))
    assert "没有题名里有这些字的" in asked(client, left=LEAF, find="無此書")
    assert 'name="left"' in asked(client) and 'name="right"' in asked(client)


@pytest.mark.parametrize(
    "given",
    [
        {"left": "https://elsewhere.example/book/3"},
        {"left": "/items"},
        {"left": "/items/a b"},
        {"left": "/" + "x" * 600},
        {"left": "http://[::1"},
        {"left": LEAF, "same": "first"},
        {"left": LEAF, "same": "9" * 40},
    ],
    ids=["foreign", "no-item", "blank", "long", "no-address", "word", "huge"],
)
def test_what_is_no_address_is_told_in_words(client: FlaskClient, given: dict[str, str]) -> None:
    page = asked(client, 404 if given["left"] == "/items/a b" else 400, **given)
    assert "<h1" in page


@pytest.mark.parametrize("left", ["/items/none-such", "/items/shengyu/p/p99", "/items/shengyu/pages/0", "/items/song/s/s9", "/items/X"])
def test_what_is_not_there_is_not_found(client: FlaskClient, left: str) -> None:
    asked(client, 404, left=left, right=LEAF)


def test_a_withdrawn_item_says_that_it_was(client: FlaskClient) -> None:
    assert client.get("/compare?left=/items/gone").status_code == client.get("/items/gone").status_code == 410
    assert client.get("/mirador?item=gone").status_code == 410


@pytest.mark.parametrize("find", ["“", "题名:", "(", "*", "a OR", "漢" * 200])
def test_whatever_is_looked_for_by_title_gets_an_answer(client: FlaskClient, find: str) -> None:
    asked(client, left=LEAF, find=find)


def test_mirador_opens_our_manifests(client: FlaskClient) -> None:
    page = client.get("/mirador?item=shengyu&item=song&page=p2").get_data(as_text=True)
    assert "/iiif/3/shengyu/manifest" in page and "/iiif/3/song/manifest" in page
    assert 'href="/items/shengyu"' in page and 'href="/items/song"' in page
    assert ('data-page="p2"' in page) is (resources.static() / "vendor" / "mirador" / "mirador.min.js").is_file()
    assert "<noscript>" in page


@pytest.mark.parametrize(("query", "status"), [("", 400), ("item=A", 404), ("item=absent", 404), ("&".join(["item=song"] * 5), 400)])
def test_mirador_refuses_what_it_cannot_open(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/mirador?{query}").status_code == status


def test_items_and_leaves_lead_to_both(client: FlaskClient) -> None:
    leaf = html.unescape(client.get(LEAF).get_data(as_text=True))
    assert f'href="/compare?left={LEAF}"' in leaf and 'href="/mirador?item=shengyu&page=p1"' in leaf
    page = html.unescape(client.get("/items/shengyu").get_data(as_text=True))
    assert 'href="/compare?left=/items/shengyu"' in page and 'href="/mirador?item=shengyu"' in page
