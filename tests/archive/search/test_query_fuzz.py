"""Whatever is typed: an answer or a QueryError, in bounded time, for every reader, and never a word of what the reader may not see."""

from __future__ import annotations

import shutil
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.chronology.written import WrittenDates
from archive.errors import QueryError, SearchIndexError
from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query
from archive.search.chinese import WALL
from archive.search.names import OtherNames
from archive.search.whoosh_index import WhooshIndex

DAY = date(2026, 11, 23)
SECRET = "丙丁戊己"
"""Characters that stand in hidden documents alone."""
LEAVES = ["安康縣在漢隂（縣/志）東，弘治元年", "王后之墓&KR1234;宏治", "水利⿰氵青 Han River 1970", "", "𢎞治[車*犬]㊎"]


def _work(number: int, audience: Audience, words: str) -> list[IndexDocument]:
    shared = {"item": f"w-{number}", "visibility": Visibility(audience), "title": f"{words}志", "year_first": 1700 + number}
    shared |= {"fields": {"compiler": (f"李{words}",)}, "field_names": {"compiler": ("纂者", "责任者")}, "date": "乾隆"}
    description = IndexDocument(target="item", key="", text=WALL.join((f"{words}志", f"李{words}")), **shared)
    leaves = [
        IndexDocument(
            target="page", key=f"p{at}", text=words + leaf, joins_previous=at > 0, notes=True, position=at, section="建置", **shared
        )
        for at, leaf in enumerate(LEAVES)
    ]
    return [description, *leaves]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    made = WhooshIndex(tmp_path_factory.mktemp("typed"), dates=WrittenDates(), others=OtherNames({}))
    hidden = [(f"w-{number}", _work(number, Audience.STAFF, SECRET)) for number in (1, 3)]
    made.rebuild(iter([*hidden, *((f"w-{number}", _work(number, Audience.PUBLIC, "安康")) for number in (2, 4))]))
    return made


_STRINGS = st.one_of(
    st.sampled_from(
        [
            "安康",
            "漢陰",
            "弘治",
            "县志",
            "王?之",
            "水*利",
            "漢隂縣志東",
            "Han",
            "１９７０",
            "𢎞",
            "&KR1234;",
            "⿰氵青",
            "丙丁",
            "丁戊己安康",
        ]
    ),
    st.text("安康漢隂王后水利丙丁戊己?*？＊，。（）()\u200b\u202e\ue000𠀀", min_size=1, max_size=6),
)
_VALUES = st.sampled_from(
    ["1583..1644", "乾隆", "乾隆四十七年", "壬寅", "民国十年", "..", "1644-1583", "甲子～", "－5", "99999", "安康", "“安", "至元至至正"]
)
_FIELDS = st.sampled_from(["题名", "責任者", "年", "刊刻年", "下限", "文内年", "门目", "注", "正文", "note", "Year", "纂者", "无此"])
_FIELD = st.builds(lambda name, colon, value: name + colon + value, _FIELDS, st.sampled_from(":："), _VALUES | _STRINGS)
_QUOTED = st.builds(lambda signs, text: signs[0] + text + signs[1:], st.sampled_from(['""', "“”", "「」", "“", "『』", '"”']), _STRINGS)
_NEAR = st.builds(lambda n, words: f"近:{n}({' '.join(words)})", st.sampled_from([0, 3, 5, 100, 10**6]), st.lists(_STRINGS, max_size=3))
_WORDS = st.sampled_from(
    ["OR", "或", "NOT", "非", "AND", "同叶", "同目", "同卷", "同书", "同書", "-", "(", ")", "*", "\0", "\u2029", "\ud800"]
)
_ATOMS = st.one_of(_STRINGS, _FIELD, _QUOTED, _NEAR, _WORDS, st.text(max_size=8))
_QUERIES = st.recursive(
    st.lists(_ATOMS, max_size=5).map(" ".join),
    lambda inner: st.one_of(
        st.builds("({}) {}".format, inner, inner),
        st.builds("-{}".format, inner),
        st.builds("近:5({})".format, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=220, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    text=_QUERIES,
    reader=st.sampled_from([Audience.PUBLIC, Audience.STAFF]),
    taboo=st.booleans(),
    confusable=st.booleans(),
    group=st.booleans(),
    scope=st.sampled_from(["", "leaf", "section", "juan", "work", "nonsense"]),
    sort=st.sampled_from(["relevance", "date", "-date", "title", "strokes", "call_number", "position", "nonsense"]),
    offset=st.sampled_from([0, 1, 10**9]),
    limit=st.sampled_from([0, 1, 20]),
)
def test_nothing_typed_raises_anything_else_or_tells_what_is_hidden(
    index: WhooshIndex,
    text: str,
    reader: Audience,
    taboo: bool,
    confusable: bool,
    group: bool,
    scope: str,
    sort: str,
    offset: int,
    limit: int,
) -> None:
    facets = ("collection", "decade", "section", "x")
    query = Query(
        text,
        reader,
        DAY,
        scope=scope,
        taboo=taboo,
        confusable=confusable,
        group=group,
        sort=sort,
        offset=offset,
        limit=limit,
        facets=facets,
    )
    try:
        results = index.search(query)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert str(error)
        assert isinstance(error.understood, str)
        with pytest.raises(QueryError):
            index.concordance(query)
        return
    assert results.understood
    assert min(results.total, results.items, results.metadata_total, results.occurrences) >= 0
    assert results.items <= results.total
    assert index.concordance(query).total == results.occurrences
    index.mark(text, "安康(漢隂/縣)西", True, before="王", after="后")
    suggestions = index.suggest(text, reader, DAY)
    if reader is Audience.PUBLIC:
        assert results.metadata_total + results.total <= 12
        shown = [snippet.text for hit in results.hits for snippet in hit.snippets] + [hit.title for hit in results.hits]
        shown += [suggestion.text for suggestion in suggestions] + [form for form, count in results.forms if count]  # 0: as it was typed
        assert not set(SECRET) & set("".join(shown))
        assert all(hits for _query, hits in results.corrections)


@pytest.mark.parametrize(
    "text",
    [
        "“" * 2000,
        "安" * 10_000,
        "*" * 500,
        "?" * 500,
        "安*" * 1000,
        "\u202e" * 1999 + "安",
        "\0" * 2000,
        " OR ".join(["安康"] * 1000),
        " OR ".join(f"{a}{b}" for a in "安康漢隂縣" for b in "在王后之墓水利弘治")[:2000],
        "(" * 2000,
        "(" * 20 + "安" + ")" * 20,
        "近:5(" * 400,
        " ".join(["近:100(安 康 漢 隂 縣 在 王 后)"] * 60),
        "-(" * 500 + "安",
        " ".join(["年:壬寅"] * 250),
        " ".join(["文内年:1782"] * 150),
        "年:" + "乾" * 1900,
        "年:" + "1" * 1900,
        "年:" + "至" * 1900,
        "年:" + "元年至" * 600,
        "年:" + "二" * 1500 + "年",
        "同书 " * 600,
        " ".join(f"弘治大太{char}" for char in "安康漢隂縣在王后之墓水利" * 12),
        "题名:" * 600,
        "&KR1;" * 400,
        "⿰" * 2000,
        "[" * 2000,
        "𠀀?" * 900,
    ],
    ids=lambda text: f"{text[:6]!a}x{len(text)}",
)
def test_hostile_queries_end_in_bounded_time(index: WhooshIndex, text: str) -> None:
    begun = time.thread_time()
    for confusable in (False, True):
        try:
            index.search(Query(text, today=DAY, offset=10**9 if confusable else 0, confusable=confusable))
            index.mark(text, LEAVES[0], True)
        except QueryError as error:
            assert 0 <= error.position <= len(text)
    index.suggest(text, Audience.STAFF, DAY)
    assert time.thread_time() - begun < 2


def test_without_an_index_every_way_in_says_so(index: WhooshIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder, tmp_path / "torn")
    next((tmp_path / "torn").glob("b*/*.facts*")).write_bytes(b"torn")
    for broken in (WhooshIndex(tmp_path / "none"), WhooshIndex(tmp_path / "torn")):
        for text in ("安康", "“", "安*康"):
            with pytest.raises(SearchIndexError):
                broken.search(Query(text, today=DAY))
            with pytest.raises(SearchIndexError):
                broken.suggest(text, Audience.PUBLIC, DAY)
