"""What is hidden is nowhere: an index with hidden works, leaves and descriptions answers as its twin that never had them, to the last score.

Each function of the port is asked on both, the whole answers compared: hits, counts, facets, forms, snippets, groups, expansions, offers, corrections,
wider scopes, lines of a concordance, suggestions. A function that is added to the port is asked too, or the test fails.
"""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import poetry_leaves
import pytest
from poetry_leaves import Work

from archive.errors import QueryError
from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query, Results, SearchIndex
from archive.search.whoosh_index import WhooshIndex

TODAY = date(2026, 11, 23)
READERS = (Audience.PUBLIC, Audience.READING_ROOM)
SECRET = "鑿鸝"
"""Two characters that stand in hidden text alone."""
PLACES = ("安康", "漢陰", "石泉", "興安州", "金州")
_CLOSED = Visibility(Audience.STAFF)


@dataclass(frozen=True)
class Pair:
    """An index, and the one that holds only what a reader may see."""

    whole: WhooshIndex
    seen: dict[Audience, WhooshIndex]
    works: list[Work]


def _works() -> list[Work]:
    """Few leaves, much of them hidden; a secret in what is."""
    rng, works = random.Random(7), poetry_leaves.make_works(7, 260, largest=60)
    hidden: list[Work] = []
    for number, work in enumerate(works):
        leaves = tuple(leaf and _perhaps_closed(rng, leaf) for leaf in work.leaves)
        seen = Audience.STAFF if number % 4 == 1 else Audience.PUBLIC
        title = (PLACES[number % 5] + work.title) if number % 2 else f"{PLACES[number % 5]}志"
        hidden.append(replace(work, leaves=leaves, seen=seen, title=(SECRET if number % 4 == 1 else "") + title))
    return hidden


def _perhaps_closed(rng: random.Random, leaf: poetry_leaves.Leaf) -> poetry_leaves.Leaf:
    if rng.random() > 0.15 or not leaf.cells or _leaves_a_note_open(leaf.text):
        return replace(leaf, seen=Audience.PUBLIC)
    seen = rng.choice((Audience.READING_ROOM, Audience.STAFF))
    return replace(leaf, text=leaf.text + SECRET, cells=leaf.cells + SECRET, seen=seen, section=SECRET, juan=SECRET)


def _leaves_a_note_open(text: str) -> bool:
    """Then the next leaf begins in the note, which is so whether this one may be seen or not."""
    return max(map(text.rfind, "(（")) > max(map(text.rfind, ")）"))


def _documents(work: Work) -> Iterator[IndexDocument]:
    """The work with names of places, a description for staff, and an embargoed leaf."""
    for number, document in enumerate(poetry_leaves.documents(work)):
        named = replace(document, proper_names=(work.title, work.title[:2]), call_number=f"{work.year}-{work.item}")
        if number == 0:
            yield named
            secret = f"{SECRET}{work.title}"
            yield replace(named, text=secret, visibility=_CLOSED, fields={**named.fields, "subject": (secret,)}, proper_names=(secret,))
        elif number % 13 == 5 and document.visibility.now is Audience.PUBLIC and not _leaves_a_note_open(document.text):
            yield replace(named, visibility=Visibility(Audience.PUBLIC, TODAY, Audience.STAFF))
        else:
            yield named


def _seen(documents: Iterator[IndexDocument], reader: Audience) -> Iterator[IndexDocument]:
    """The documents a reader may see; what stood beside a hidden one stands alone."""
    before: IndexDocument | None = None
    hidden_before = False
    for document in documents:
        visible = document.visibility.now.admits(reader) and (document.visibility.next is None or document.visibility.next.admits(reader))
        if visible:
            yield replace(document, joins_previous=document.joins_previous and not hidden_before)
            before = document
        hidden_before = not visible
    assert before is None or before.item


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    works = _works()
    whole = WhooshIndex(tmp_path_factory.mktemp("whole"))
    whole.rebuild((work.item, _documents(work)) for work in works)
    seen = {}
    for reader in READERS:
        seen[reader] = WhooshIndex(tmp_path_factory.mktemp(reader.value))
        shown = ((work.item, list(_seen(_documents(work), reader))) for work in works)
        seen[reader].rebuild((item, iter(documents)) for item, documents in shown if documents)
    return Pair(whole, seen, works)


def _queries(works: list[Work]) -> list[str]:
    """Strings of open and of hidden leaves, strings into hidden leaves, names, and every sign of the language."""
    rng, found = (
        random.Random(8),
        [SECRET, SECRET[0], f"-{SECRET} 安", f"安康 OR {SECRET}", "題名:志", f"题名:{SECRET}", *PLACES, "漢阴", "安庚"],
    )
    for _ in range(35):
        cells = "".join(leaf.cells for leaf in rng.choice(works).leaves if leaf is not None)
        at = rng.randrange(max(len(cells) - 6, 1))
        found.append(poetry_leaves.typed(cells[at : at + rng.randint(1, 4)]))
    one, two, three = found[-1], found[-2], found[-3]
    found += [
        f"{one} {two}",
        f"{one} -{SECRET}",
        f"近:50({one[:1]} {two[:1]})",
        f"{one[:1]}?{one[2:3] or '人'}",
        f"“{two}”",
        f"注:{three[:1]}",
    ]
    found += [
        "不 無",
        "人 -不",
        "風 OR 月",
        "正文:山",
        f"不*{SECRET}",
        f"门目:{SECRET}",
        f"门目:人物 {one[:1]}",
        "年:1500..1700 春",
        "玄宗 OR 弘治",
    ]
    return found


_VIEWS: tuple[dict[str, Any], ...] = (
    {"facets": ("collection", "kind", "decade", "section", "source", "creator", "subject", "juan")},
    {"sort": "date", "offset": 3, "limit": 5},
    {"sort": "title", "scope": "work"},
    {"sort": "strokes", "scope": "juan", "limit": 7},
    {"sort": "call_number", "scope": "section"},
    {"sort": "-date", "scope": "leaf"},
    {"group": True, "limit": 4},
    {"group": True, "offset": 2, "sort": "title", "confusable": True},
    {"collection": "tang", "year_from": 1500, "year_to": 1800, "taboo": False},
    {"filters": {"section": SECRET}},
    {"item": "work-1"},
    {"item": "work-2", "sort": "position"},
)


def _answer(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except QueryError as error:
        return str(error)


@pytest.mark.parametrize("reader", READERS)
def test_search_answers_as_if_what_is_hidden_had_never_been(pair: Pair, reader: Audience) -> None:
    rng, hits = random.Random(9), 0
    for text in _queries(pair.works):
        for view in rng.sample(_VIEWS, 5):
            query = Query(text, reader=reader, today=TODAY, **view)
            told, expected = (_answer(functools.partial(index.search, query)) for index in (pair.whole, pair.seen[reader]))
            assert told == expected, (text, view)
            hits += isinstance(told, Results) and bool(told.hits)
            assert reader is not Audience.PUBLIC or SECRET in text or SECRET not in repr(told), (text, view)
    assert hits > 100


def _suggestions(index: WhooshIndex, reader: Audience) -> list[object]:
    return [index.suggest(start, reader, TODAY) for start in ("安", "安康", SECRET, SECRET[0], "zao", "a", "ak", "hy", "漢", "志", "")]  # type: ignore[attr-defined]


def _concordances(index: WhooshIndex, reader: Audience) -> list[object]:
    asked = [
        Query(text, reader=reader, today=TODAY, sort=sort, limit=50)
        for text in ("人", "不?", SECRET, "春", "安康")
        for sort in ("work", "left")
    ]
    return [index.concordance(query) for query in asked]


def _lines(index: WhooshIndex, reader: Audience) -> list[object]:
    return [list(index.occurrences(Query(text, reader=reader, today=TODAY))) for text in ("人", "不?", SECRET, "春")]


OTHERS: dict[str, Callable[[WhooshIndex, Audience], list[object]]] = {
    "suggest": _suggestions,
    "concordance": _concordances,
    "occurrences": _lines,
}
"""Each function of the port beside `search` that tells a reader something, and how it is asked."""
SILENT = {"search", "replace", "rebuild", "mark", "places", "exists", "doctor", "close"}
"""Asked above, for keepers, or given its text by the caller."""


def test_every_function_of_the_port_is_asked() -> None:
    functions = {name for name, _ in inspect.getmembers(SearchIndex, inspect.isfunction) if not name.startswith("_")}
    assert functions <= SILENT | OTHERS.keys()


@pytest.mark.parametrize("name", [name for name in OTHERS if hasattr(WhooshIndex, name)])
@pytest.mark.parametrize("reader", READERS)
def test_other_functions_answer_as_if_what_is_hidden_had_never_been(pair: Pair, name: str, reader: Audience) -> None:
    whole, seen = OTHERS[name](pair.whole, reader), OTHERS[name](pair.seen[reader], reader)
    for told, expected in zip(whole, seen, strict=True):
        assert told == expected
    assert any(whole)


def test_a_hidden_page_never_comes_by_leaving_out(tmp_path: Path) -> None:
    """paperless-ngx#14156: NOT must not reach beyond what the reader may see."""
    index = WhooshIndex(tmp_path)
    opened, closed = Visibility(Audience.PUBLIC), _CLOSED
    pages = [
        IndexDocument("a", "page", f"p{n}", text, seen, position=n, title="甲", kind="gazetteer")
        for n, (text, seen) in enumerate([("水利甲", opened), ("水利乙", closed), ("田賦", closed), ("水利丙", opened)], 1)
    ]
    index.rebuild(iter([("a", pages), ("b", [replace(page, item="b", visibility=closed, title="乙") for page in pages])]))
    for text in ("水利 -甲", "水利 NOT 甲", "水利 非 甲", "水利 -（甲 OR 乙）", "(水利 OR 田賦) -甲", "水利 -田賦 -甲"):
        results = index.search(Query(text, facets=("kind",)))
        assert [(hit.item, hit.key) for hit in results.hits] == [("a", "p4")], text
        assert (results.total, results.items, results.occurrences) == (1, 1, 1)
        assert [facet.count for facet in results.facets["kind"]] == [1]
    assert index.search(Query("水利 -甲", reader=Audience.STAFF)).total == 4
    assert index.search(Query("田賦 OR 水利乙")).total == 0


def test_a_word_of_two_characters_is_found(tmp_path: Path) -> None:
    """omeka-s#1557: a full-text index that wants three characters, or words between spaces, finds no 水利."""
    index = WhooshIndex(tmp_path)
    text = "乾隆四十七年修水利於漢江北岸"
    index.rebuild(iter([("a", [IndexDocument("a", "page", "p1", text, Visibility(Audience.PUBLIC), position=1)])]))
    for at in range(len(text) - 1):
        results = index.search(Query(text[at : at + 2]))
        assert (results.total, results.occurrences) == (1, 1), text[at : at + 2]
    assert all(index.search(Query(char)).total == 1 for char in text)


def test_every_script_and_variant_finds_every_other(tmp_path: Path) -> None:
    """SearchWorks#1920: simplified, traditional, Japanese and printed variants of one word give the same leaves."""
    words = [
        ("漢陰", "汉阴", "漢隂"),
        ("廣東", "广东", "広東"),
        ("歷史", "历史", "厯史"),
        ("縣志", "县志"),
        ("國學", "国学"),
        ("隸屬", "隶属", "𨽻屬"),
    ]
    index = WhooshIndex(tmp_path)
    leaves = [
        IndexDocument("a", "page", f"p{row}-{column}", f"前{form}後", Visibility(Audience.PUBLIC), position=row * 10 + column)
        for row, forms in enumerate(words)
        for column, form in enumerate(forms)
    ]
    index.rebuild(iter([("a", leaves)]))
    for row, forms in enumerate(words):
        for form in forms:
            results = index.search(Query(form))
            assert {hit.key for hit in results.hits} == {f"p{row}-{column}" for column in range(len(forms))}, form
            assert dict(results.forms) == dict.fromkeys(forms, 1)
            assert results.hits[0].key == f"p{row}-{forms.index(form)}", "the form typed comes first"
            assert [hit.key for hit in index.search(Query(f"“{form}”")).hits] == [f"p{row}-{forms.index(form)}"]


def test_the_form_typed_ranks_above_another_word_that_folds_alike(tmp_path: Path) -> None:
    """王后 the queen, 王後 after the king: both are found, what was typed comes first, however often the other stands there."""
    index = WhooshIndex(tmp_path)
    texts = ["王後" * 9, "太王王后之墓", "王後", "王後殿王后殿", "王后"]
    index.rebuild(
        iter([("a", [IndexDocument("a", "page", f"p{n}", text, Visibility(Audience.PUBLIC), position=n) for n, text in enumerate(texts)])])
    )
    for typed, first in {"王后": {"p1", "p3", "p4"}, "王後": {"p0", "p2", "p3"}}.items():
        keys = [hit.key for hit in index.search(Query(typed)).hits]
        assert len(keys) == 5
        assert set(keys[:3]) == first
    assert index.search(Query("玄")).total == 0
