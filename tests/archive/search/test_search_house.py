"""Rules of the house for the search package, and that no query breaks an index."""

from __future__ import annotations

import ast
import random
import time
from pathlib import Path

import pytest
import search_oracle as oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import QueryError
from archive.language import _catalogue
from archive.model.rights import Audience
from archive.search.base import Query
from archive.search.whoosh_index import WhooshIndex

PACKAGE = Path(__file__).parents[3] / "archive" / "search"
SIGNS = [
    *'安康漢隂陰西陝□〇　 ?*？＊-－()（）“”「」"年注近:5：.～~',
    " OR ",
    "或 ",
    " 非 ",
    "近:3(",
    "题名:",
    "责任者：",
    "注:",
    "门目:",
    "正文:",
    "1788..",
    "\u2029",
    "\0",
    "&KR1234;",
]


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_whoosh_is_imported_in_two_files_only() -> None:
    users = {path.name for path in PACKAGE.parents[0].rglob("*.py") if any(name.split(".")[0] == "whoosh" for name in _imports(path))}
    assert users == {"whoosh_codec.py", "whoosh_index.py"}


def test_every_message_has_its_english() -> None:
    catalogue = _catalogue("en")
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                message = ast.literal_eval(node.args[0])
                assert message == "“%(text)s”" or catalogue.gettext(message) != message, f"{path.name}: {message}"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:

    rng = random.Random(5)
    made = WhooshIndex(tmp_path_factory.mktemp("fuzz"))
    made.rebuild((f"w-{n}", oracle.documents(f"w-{n}", oracle.make_work(rng, 6))) for n in range(6))
    return made


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(st.text(max_size=30), st.lists(st.sampled_from(SIGNS), max_size=14).map("".join)),
    reader=st.sampled_from(list(Audience)),
    sort=st.sampled_from(["relevance", "date", "-date", "title", "position", "nonsense"]),
    offset=st.sampled_from([0, 3, 10**9]),
    limit=st.sampled_from([0, 1, 50]),
)
def test_no_query_raises_anything_but_a_query_error(
    index: WhooshIndex, text: str, reader: Audience, sort: str, offset: int, limit: int
) -> None:
    try:
        results = index.search(Query(text, reader, sort=sort, offset=offset, limit=limit, facets=("collection", "decade", "source", "x")))
        index.mark(text, "安康(漢隂/陰)西陝", True, before="安", after="康")
    except QueryError:
        return
    assert results.items <= results.total
    assert len(results.hits) == max(0, min(limit, results.total + results.metadata_total - offset))
    for hit in results.hits:
        for snippet in hit.snippets:
            assert all(0 <= span.start < span.end <= len(snippet.text) for span in snippet.spans)


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join("安康漢隂" * 60),
        "安" * 2000,
        "*".join("安" * 5),
        "*".join("安康" * 200),
        "安?" * 500 + "康",
        " ".join("安康漢隂西陝" * 40),
    ],
)
def test_long_queries_end_in_bounded_time(index: WhooshIndex, text: str) -> None:

    begun = time.perf_counter()
    try:
        index.search(Query(text))
        index.mark(text, "安康(漢隂/陰)西陝" * 50, True)
    except QueryError:
        pass
    assert time.perf_counter() - begun < 10
