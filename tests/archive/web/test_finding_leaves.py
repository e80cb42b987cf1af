"""A leaf found by what it is called."""

from __future__ import annotations

import pytest

from archive.model.folios import Folio, Side
from archive.services.reading import PageSummary
from archive.web.finding_leaves import find

A, B = Side.RECTO, Side.VERSO
FOLIOS = [
    None,
    Folio(juan="首", ye="1", side=A),
    Folio(juan="一", ye="三", side=A),
    Folio(juan="一", ye="三", side=B),
    Folio(juan="十二", ye="3", side=A),
    Folio(ce="二", juan="一", ye="3", side=A),
    Folio(juan="一百二十", ye="十二", side=B),
]
PAGES = [
    PageSummary(f"p{n}", n, "封面" if n == 1 else "", "", "", False, None, None, None, False, printed=folio)
    for n, folio in enumerate(FOLIOS, 1)
]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("1", "p1"),
        ("第7面", "p7"),
        ("7 面", "p7"),
        ("８", None),
        ("0", None),
        ("99999999", None),
        ("封面", "p1"),
        ("卷一叶三下", "p4"),
        ("卷一葉三", "p3"),
        ("卷1叶3b", "p4"),
        ("1.3b", "p4"),
        ("卷首", "p2"),
        ("卷十二", "p5"),
        ("卷12", "p5"),
        ("卷一二", "p5"),
        ("册二卷一叶三上", "p6"),
        ("第二冊卷一", "p6"),
        ("卷120叶12下", "p7"),
        ("叶十二", "p7"),
        ("juan 12, leaf 3a", "p5"),
        ("卷九", None),
        ("", None),
        ("..", None),
        ("卷", None),
        ("((((", None),
        ("叶" * 60, None),
    ],
)
def test_a_leaf_is_found_by_its_name(wanted: str, expected: str | None) -> None:
    assert find(wanted, PAGES) == expected
