"""Words put into templates when they are compiled: the right language, escaped, and only where the words are plain."""

from __future__ import annotations

import pytest
from flask import Flask, render_template, render_template_string
from jinja2 import DictLoader

from archive import language
from archive.web import wording

PAGES = {
    "base.html": '<p title="{{ _("检索") }}">{% block main %}{% endblock %}</p>',
    "page.html": '{% extends "base.html" %}{% from "parts.html" import part %}{% block main %}{{ part() }} {{ [_("馆藏"), "|"]|join }}{% endblock %}',
    "parts.html": '{% macro part() %}{{ _("帮助") }} {{ _("第 %(n)d 页", n=2) }}{% endmacro %}',
    "other.html": '{{ thing._("检索") }} {{ thing["_"]("检索") }} {{ _("<b>") }} {{ _(thing.word) }}',
}


class Thing(dict[str, object]):
    word = "帮助"

    def _(self, text: str) -> str:
        return text * 2


@pytest.fixture
def app() -> Flask:
    app = Flask("pages")
    wording.install(app)
    app.jinja_loader = DictLoader(PAGES)  # type: ignore[assignment]
    app.jinja_env.globals["_"] = language._
    return app


def _written(app: Flask, name: str, spoken: str, **values: object) -> str:
    with app.test_request_context(), language.in_language(spoken):
        return render_template(name, **values)


def test_each_language_has_its_words_whoever_asked_first(app: Flask) -> None:
    chinese, english = '<p title="检索">帮助 第 2 页 馆藏|</p>', _written(app, "page.html", "en")
    assert not any("\u3400" <= sign <= "\u9fff" for sign in english)
    assert _written(app, "page.html", "zh") == chinese
    assert _written(app, "page.html", "en") == english


def test_what_is_no_plain_word_of_ours_is_left_to_the_page(app: Flask) -> None:
    thing = Thing(_=lambda text: text * 3)
    assert _written(app, "other.html", "zh", thing=thing) == "检索检索 检索检索检索 &lt;b&gt; 帮助"


def test_a_template_without_a_name_speaks_the_language_in_force(app: Flask) -> None:
    for spoken in ("en", "zh", "en"):
        with app.test_request_context(), language.in_language(spoken):
            assert (render_template_string('{{ _("检索") }}') == "检索") == (spoken == "zh")
