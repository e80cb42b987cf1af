"""Chinese first, English beside it: every sentence of the web has its English, and a reader's choice is kept."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

import archive.web
from archive import resources

WEB = Path(archive.web.__file__).parent


def sentences() -> dict[str, str]:
    """Every message of the templates and modules of the web, with the file it stands in."""
    found: dict[str, str] = {}
    for path in sorted(WEB.rglob("*.html")):
        for match in re.finditer(r"""\b_\(\s*(?:"([^"]*)"|'([^']*)')""", path.read_text("utf-8")):
            found[match.group(1) or match.group(2)] = path.name
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_" and node.args:
                argument = node.args[0]
                assert isinstance(argument, ast.Constant), f"{path.name}: a message that is not written out"
                found[str(argument.value)] = path.name
    return found


def english() -> dict[str, str]:
    found = {}
    for path in (resources.locale() / "en").glob("web*.po"):
        with path.open("rb") as stream:
            found |= {str(m.id): str(m.string) for m in read_po(stream, locale="en") if m.id}
    return found


def test_every_sentence_has_its_english_with_the_same_placeholders() -> None:
    known = english()
    missing = {text: where for text, where in sentences().items() if not known.get(text)}
    assert missing == {}
    for text, translated in known.items():
        assert set(re.findall(r"%\(\w+\)[sd]", text)) == set(re.findall(r"%\(\w+\)[sd]", translated)), text


def test_no_english_is_kept_for_what_is_no_longer_said() -> None:
    assert set(english()) - set(sentences()) == set()


@pytest.mark.parametrize(
    ("asked", "cookie", "header", "expected"),
    [
        ("", "", "", "zh-Hans"),
        ("", "", "en-US,en;q=0.9", "en"),
        ("", "", "fr,zh;q=0.5", "zh-Hans"),
        ("", "zh", "en", "zh-Hans"),
        ("en", "zh", "zh", "en"),
        ("zh", "en", "en", "zh-Hans"),
        ("tlh", "", "", "zh-Hans"),
    ],
)
def test_language_is_the_address_then_the_cookie_then_the_browser(
    client: FlaskClient, asked: str, cookie: str, header: str, expected: str
) -> None:
    if cookie:
        client.set_cookie("lang", cookie)
    answer = client.get("/about", query_string={"lang": asked} if asked else {}, headers={"Accept-Language": header} if header else {})
    assert f'<html lang="{expected}">' in answer.text
    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in answer.headers["Vary"].split(",")}


def test_a_chosen_language_is_remembered(client: FlaskClient) -> None:
    client.get("/?lang=en")
    assert '<html lang="en">' in client.get("/help").text


def test_canonical_links_carry_no_language(client: FlaskClient) -> None:
    page = client.get("/items/shengyu/p/p1?lang=en&text=horizontal").text
    assert '<link rel="canonical" href="http://localhost/items/shengyu/p/p1">' in page


def test_switching_keeps_the_page_and_its_query(client: FlaskClient) -> None:
    page = client.get("/search?q=目錄&sort=date").text
    assert 'href="?q=%E7%9B%AE%E9%8C%84&amp;sort=date&amp;lang=en"' in page


def test_chinese_titles_say_so_on_an_english_page(client: FlaskClient) -> None:
    assert '<h1 class="item-title" lang="zh">' in client.get("/items/shengyu?lang=en").text


class Foreign(HTMLParser):
    """Chinese text of a page that no element around it says to be Chinese."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "source", "track"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.languages, self.tags = ["en"], [""]
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.tags.append(tag)
            self.languages.append(dict(attrs).get("lang") or self.languages[-1])

    def handle_endtag(self, tag: str) -> None:
        self.tags.pop()
        self.languages.pop()

    def handle_data(self, data: str) -> None:
        # The title of the window cannot say so.
        if self.languages[-1] == "en" and self.tags[-1] != "title" and re.search(r"[\u4e00-\u9fff]", data):
            self.found.append(data.strip())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collections/local-gazetteers",
        "/items/shengyu",
        "/items/shengyu/p/p2?q=目錄",
        "/items/song",
        "/search?q=目錄",
        "/search?q=無此語",
        "/concordance?q=目錄",
        "/concordance?q=玄德&collection=han-opera",
        "/about",
        "/items/none-such",
        "/items/papers",
    ],
)
def test_an_english_page_says_what_is_chinese_on_it(client: FlaskClient, path: str) -> None:
    page = Foreign(client.get(path, headers={"Accept-Language": "en"}).text)
    assert page.found == []
