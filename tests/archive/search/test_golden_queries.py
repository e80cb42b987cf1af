"""What a reader types and what must come first: one line of `tests/golden/queries.tsv` for each rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archive.model.rights import Audience, Visibility
from archive.search.base import IndexDocument, Query
from archive.search.chinese import WALL
from archive.search.whoosh_index import WhooshIndex

_LINES = (Path(__file__).parents[2] / "golden" / "queries.tsv").read_text("utf-8").splitlines()
_CASES = [line.split("\t") for line in _LINES if line and not line.startswith("#")]


def _item(item: str, title: str, year: int, fields: dict[str, tuple[str, ...]], names: dict[str, tuple[str, ...]]) -> IndexDocument:
    text = WALL.join((title, *(value for values in fields.values() for value in values)))
    seen = Visibility(Audience.PUBLIC)
    return IndexDocument(item, "item", "", text, seen, title=title, year_first=year, year_last=year, fields=fields, field_names=names)


def _leaves(shared: IndexDocument, *leaves: str) -> list[IndexDocument]:
    return [
        shared,
        *(
            replace(shared, target="page", key=f"p{n}", text=leaf, joins_previous=n > 1, notes=True, position=n)
            for n, leaf in enumerate(leaves, 1)
        ),
    ]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    names = {"compiler": ("纂者", "责任者"), "role": ("行当",)}
    xaf = _item("xaf", "興安府志", 1788, {"compiler": ("李國麒",)}, names)
    hyt = _item("hyt", "漢陰廳志", 1818, {"compiler": ("錢鶴年",)}, names)
    play = _item("play", "風雪山神廟", 1961, {"role": ("淨",), "carrier": ("VCD",)}, names)
    cues = [(0.0, "大雪飄"), (2.0, "撲人面"), (4.0, "朔風陣陣")]
    made = WhooshIndex(tmp_path_factory.mktemp("golden"))
    made.rebuild(
        iter(
            [
                (
                    "xaf",
                    _leaves(
                        xaf,
                        "昔漢隂屬陜西布\n　",
                        "政司，在陜之南",
                        "漢隂縣(在府西/一百里)城北",
                        "王后之墓在水利堤",
                        "唐玄宗時",
                        "唐元宗時",
                    ),
                ),
                ("hyt", _leaves(hyt, "王後殿", "萬厯間興水利")),
                (
                    "play",
                    [
                        play,
                        *(
                            replace(
                                play,
                                target="segment",
                                key=f"t1@{start:.2f}",
                                text=text,
                                joins_previous=start > 0,
                                start=start,
                                end=start + 2,
                            )
                            for start, text in cues
                        ),
                    ],
                ),
            ]
        )
    )
    return made


@pytest.mark.parametrize(("typed", "first", "absent"), _CASES, ids=[case[0] for case in _CASES])
def test_golden_query(index: WhooshIndex, typed: str, first: str, absent: str) -> None:
    found = [f"{hit.item}/{hit.key}" for hit in index.search(Query(typed)).hits]
    wanted = [] if first == "-" else first.split()
    assert sorted(found[: len(wanted)]) == sorted(wanted)
    assert found[:1] == wanted[:1]
    assert not set(found) & set(absent.split())
