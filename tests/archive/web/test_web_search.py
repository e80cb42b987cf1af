"""The search page: counts, marks, facets, faults, and an archive whose index is gone."""

from __future__ import annotations

from pathlib import Path

import hall_of_records
import pytest
from flask.testing import FlaskClient

from archive.web import create_app


def test_a_hit_leads_to_its_marked_leaf(client: FlaskClient) -> None:
    page = client.get("/search?q=簡明目錄").text
    assert "<mark>簡明目錄</mark>" in page
    assert "/items/shengyu/p/p2?q=%E7%B0%A1%E6%98%8E%E7%9B%AE%E9%8C%84" in page
    assert "捐赠者录入" in page


def test_a_hit_of_a_search_without_substitutes_leads_to_marks_without_them(client: FlaskClient) -> None:
    assert "/items/shengyu/p/p2?q=%E7%B0%A1%E6%98%8E%E7%9B%AE%E9%8C%84&amp;taboo=0" in client.get("/search?q=簡明目錄&taboo=0").text
    assert client.get("/api/v1/search?q=簡明目錄&taboo=0").get_json()["hits"][0]["url"].endswith("&taboo=0")
    assert "&amp;taboo=0#" in client.get("/search?q=玄德公&taboo=0").text
    assert "&amp;taboo=0" in client.get("/concordance?q=簡明目錄&taboo=0").text
    leaf = client.get("/items/shengyu/p/p2?q=簡明目錄&taboo=0").text
    assert "<mark" in leaf
    assert "taboo=0" in leaf, "turning the leaf keeps it"


def test_a_hit_in_a_libretto_leads_to_its_second(client: FlaskClient) -> None:
    page = client.get("/search?q=玄德公").text
    assert "/items/song?t=0&amp;q=%E7%8E%84%E5%BE%B7%E5%85%AC#t1-0" in page


def test_conditions_are_chips_that_can_be_taken_away(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄&collection=local-gazetteers&from=1700").text
    assert 'href="/search?q=%E7%9B%AE%E9%8C%84&amp;from=1700"' in page
    assert 'href="/search?q=%E7%9B%AE%E9%8C%84&amp;collection=local-gazetteers"' in page
    assert "1700 年起" in page


def test_facets_are_links_with_counts(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄").text
    assert "1780 年代" in page
    assert "decade=1780" in page


def test_a_fault_points_at_its_character(client: FlaskClient) -> None:
    answer = client.get("/search?q=近:5(甲")
    assert answer.status_code == 400
    assert 'class="fault"' in answer.text
    assert "近:5" in answer.text


@pytest.mark.parametrize(
    "query", ["?q=" + "甲" * 5000, "?q=%00", "?q=目錄&page=0", "?q=目錄&page=abc", "?q=目錄&sort=nonsense", "?q=目錄&from=x&size=9999"]
)
def test_odd_parameters_never_break_the_page(client: FlaskClient, query: str) -> None:
    assert client.get("/search" + query).status_code in (200, 400)


def test_without_an_index_search_says_so_and_browsing_goes_on(tmp_path: Path) -> None:
    hall = hall_of_records.build(tmp_path / "home", indexed=False)
    try:
        client = create_app(hall).test_client()
        answer = client.get("/search?q=目錄", buffered=True)
        assert answer.status_code == 503
        assert "rebuild index" in answer.text
        assert client.get("/api/v1/search?q=目錄", buffered=True).status_code == 503
        for path in ("/", "/items/shengyu", "/items/shengyu/p/p2?q=目錄", "/collections/local-gazetteers"):
            assert client.get(path, buffered=True).status_code == 200, path
        health = client.get("/healthz", buffered=True)
        assert (health.status_code, health.get_json()["search"]) == (200, False)
    finally:
        hall.close()


def test_a_quoted_query_says_what_it_leaves_out(client: FlaskClient) -> None:
    page = client.get("/search?q=“简明目录”").text
    assert "没有找到" in page
    assert "不加引号" in page
    assert "/search?q=%E7%AE%80%E6%98%8E%E7%9B%AE%E5%BD%95" in page


def test_the_forms_found_are_filters(client: FlaskClient) -> None:
    page = client.get("/search?q=简明目录").text
    assert ">簡明目錄</a>" in page
    assert "q=%E2%80%9C%E7%B0%A1%E6%98%8E%E7%9B%AE%E9%8C%84%E2%80%9D" in page


def test_hits_by_work_count_what_is_in_each(client: FlaskClient) -> None:
    page = client.get("/search?q=一 或 目錄 或 玄德&group=1").text
    assert page.count('<li class="work">') == 2
    assert 'aria-current="true">按书归并</a>' in page
    found = client.get("/api/v1/search?q=一 或 目錄 或 玄德&group=1&size=1&page=2").get_json()
    assert (found["works"], len(found["groups"])) == (2, 1)


def test_a_scope_is_a_chip_with_its_alternatives(client: FlaskClient) -> None:
    page = client.get("/search?q=同书 簡明 望襄陽").text
    assert ">同书</span><span aria-hidden" in page
    assert 'href="/search?q=%E7%B0%A1%E6%98%8E+%E6%9C%9B%E8%A5%84%E9%99%BD&amp;scope=juan"' in page
    assert 'aria-current="true">同书</a>' in page
    assert "同卷" not in client.get("/search?q=簡明").text, "one word has no scope"
    assert "同卷" not in client.get("/search?q=弘治").text, "one word under its taboo substitute is still one word"


def test_with_no_hit_the_wider_scopes_are_counted(client: FlaskClient) -> None:
    words = "嘉與 經部"
    wide = client.get("/api/v1/search", query_string={"q": words, "scope": "work"}).get_json()["total"]
    page = client.get("/search", query_string={"q": words, "scope": "leaf"}).text
    assert wide
    assert "放宽范围" in page
    assert f">同书</a> {wide}" in page


def test_a_hit_says_why_it_matched(client: FlaskClient) -> None:
    assert '<span class="why" lang="zh-Hant">录 ← 錄</span>' in client.get("/search?q=简明目录").text


def test_a_page_beyond_the_end_says_where_the_end_is(client: FlaskClient) -> None:
    answer = client.get("/search?q=目錄&page=1000000000")
    assert answer.status_code == 200
    assert "没有第 1,000,000,000 页：结果一共 1 页" in answer.text
    assert client.get(f"/search?q=目錄&page={'9' * 40}").status_code == 200


def test_labels_of_leaves_are_in_the_language_of_the_page(client: FlaskClient) -> None:
    asked = {"q": "全書嘉與海內之士"}
    assert "卷一·叶1上" in client.get("/search", query_string=asked).text
    assert "juan 一, leaf 1a" in client.get("/search", query_string=asked | {"lang": "en"}).text


def test_what_is_not_known_in_an_address_goes_no_further(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄&tracking=1").text
    assert page.count("tracking") == 1, "the other language of this very address"


def test_the_written_forms_stand_in_the_place_of_their_word(client: FlaskClient) -> None:
    page = client.get("/search?q=简明目录 -玄德").text
    assert "q=%E2%80%9C%E7%B0%A1%E6%98%8E%E7%9B%AE%E9%8C%84%E2%80%9D+-%E7%8E%84%E5%BE%B7" in page


def test_a_fault_still_tells_what_was_understood(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄 近:5(甲").text
    assert "已读懂的部分" in page
    assert "“目錄”" in page
