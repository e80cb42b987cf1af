"""The categories of 门目: asked for by its category a section is found whatever the book calls it; in quotes only what is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from archive import resources
from archive.model.rights import Audience, Visibility
from archive.profiles import load_definitions
from archive.search.base import IndexDocument, Query
from archive.search.chinese import fold
from archive.search.names import OtherNames
from archive.search.whoosh_index import WhooshIndex

VOCABULARIES = load_definitions(resources.definitions()).vocabularies


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    sections = {"shu": "書院", "xue": "學校志", "ru": "儒學", "shan": "山川", "mi": "書院"}
    made = WhooshIndex(tmp_path_factory.mktemp("sections"), others=OtherNames(VOCABULARIES))
    made.rebuild(
        (key, [IndexDocument(key, "page", "p1", "某處", Visibility(Audience.STAFF if key == "mi" else Audience.PUBLIC), section=section)])
        for key, section in sections.items()
    )
    return made


def _found(index: WhooshIndex, text: str) -> set[str]:
    return {hit.item for hit in index.search(Query(text, today=date(2026, 11, 23))).hits}


def test_a_category_finds_the_names_that_books_give_it(index: WhooshIndex) -> None:
    assert _found(index, "某處 门目:学校") == {"shu", "xue", "ru"}
    assert _found(index, "某處 門目:學校 -门目:儒学") == {"shu", "xue"}
    assert _found(index, "某處 门目:书院") == {"shu"}
    assert _found(index, "某處 门目:“學校”") == {"xue"}
    assert "书院" in index.search(Query("某處 门目:学校", today=date(2026, 11, 23))).understood


def test_the_vocabulary_says_nothing_twice_and_no_category_is_a_name_of_another(tmp_path: Path) -> None:
    terms = VOCABULARIES["section-categories"].terms
    owners: dict[str, str] = {}
    for term in terms:
        for name in {fold(term.value), *map(fold, term.names)}:
            assert owners.setdefault(name, term.value) == term.value, (name, term.value, owners[name])
    assert all(term.label_en for term in terms)
