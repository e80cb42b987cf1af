"""The advanced form writes the language of the box, and reads it back."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.search.syntax import parse
from archive.web import advanced
from archive.web.advanced import Form
from archive.web.asking import Asked

WRITTEN = [
    (Form(all="金州 刺史"), "金州 刺史"),
    (Form(exact="舊唐書"), "“舊唐書”"),
    (Form(any="縣 郡"), "(縣 或 郡)"),
    (Form(all="金州", none="房州 均州"), "金州 -房州 -均州"),
    (Form(near="金州 領縣", distance="5"), "近:5(金州 領縣)"),
    (Form(notes="洵陽"), "注:洵陽"),
    (Form(main="洵陽"), "正文:洵陽"),
    (Form(all="州", field1="题名", value1="地理志"), "州 题名:地理志"),
    (Form(all="州", first="1583", last="1644"), "州 年:1583..1644"),
    (Form(all="州", first="1583"), "州 年:1583.."),
    (Form(all="刺史 戶口", scope="juan"), "同卷 刺史 戶口"),
]


@pytest.mark.parametrize(("form", "query"), WRITTEN, ids=[query for _form, query in WRITTEN])
def test_a_form_becomes_a_query_and_a_query_the_form(app: Flask, form: Form, query: str) -> None:
    assert advanced.written(form) == query
    with app.test_request_context():
        assert advanced.read(Asked(query)) == form


def test_what_has_no_place_is_kept_as_it_stands(app: Flask) -> None:
    query = "金州 (縣 或 (郡 -房州)) -“舊書”"
    with app.test_request_context():
        form = advanced.read(Asked(query))
        assert form.all == "金州"
        assert form.rest
        assert parse(advanced.written(form)).clause == parse(query).clause


def test_a_query_with_a_fault_stands_in_the_first_place(app: Flask) -> None:
    with app.test_request_context():
        assert advanced.read(Asked("近:5(甲")).all == "近:5(甲"


def test_only_what_to_leave_out_is_no_query() -> None:
    assert advanced.written(Form(none="房州")) == ""
    assert advanced.written(Form(scope="work")) == ""


WORD = st.text(st.sampled_from("甲乙丙丁天地玄黃宇宙"), min_size=1, max_size=4)
WORDS = st.lists(WORD, max_size=3).map(" ".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(Form, all=WORDS, exact=WORDS, any=WORDS, none=WORDS, near=WORDS, notes=WORDS, main=WORDS, scope=st.sampled_from(("", "juan")))
)
def test_whatever_is_filled_in_is_asked_for_again(app: Flask, form: Form) -> None:
    query = advanced.written(form)
    if not query:
        return
    with app.test_request_context():
        again = advanced.read(Asked(query))
        assert advanced.written(again) == advanced.written(advanced.read(Asked(advanced.written(again))))
        if len(form.any.split()) > 1 and len(form.near.split()) > 1:
            assert replace(again, all=form.all) == replace(form, all=form.all)


@settings(max_examples=60, deadline=None)
@given(
    st.builds(Form, **{name: st.text(max_size=8) for name in ("all", "exact", "any", "none", "near", "notes", "field1", "value1", "first")})
)
def test_nothing_that_is_typed_into_the_form_breaks_it(form: Form) -> None:
    advanced.written(form)


def test_the_form_goes_to_the_search_page(client: FlaskClient) -> None:
    answer = client.get("/search/advanced?go=1&all=簡明 目錄&none=聖諭&kind=gazetteer&confusable=1&field1=题名&value1=")
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["Location"])
    assert parts.path == "/search"
    assert parse_qs(parts.query) == {"q": ["簡明 目錄 -聖諭"], "kind": ["gazetteer"], "confusable": ["1"], "taboo": ["0"]}


def test_an_empty_form_says_so(client: FlaskClient) -> None:
    answer = client.get("/search/advanced?go=1&taboo=1")
    assert answer.status_code == 200
    assert "请至少填一项" in answer.text


def test_from_a_search_the_form_is_filled_with_what_was_understood(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄 -聖諭&kind=gazetteer").text
    assert "/search/advanced?q=%E7%9B%AE%E9%8C%84+-%E8%81%96%E8%AB%AD&amp;kind=gazetteer" in page
    form = client.get("/search/advanced?q=目錄 -聖諭&kind=gazetteer").text
    assert 'id="all" name="all" value="目錄"' in form
    assert 'id="none" name="none" value="聖諭"' in form
    assert '<option value="gazetteer" selected>' in form
