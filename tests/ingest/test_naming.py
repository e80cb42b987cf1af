"""What a name in a sheet may mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.naming import Names, split_names, title_form
from ingest.task import GivenFile

PATHS = [
    "甲/001.png",
    "甲/001.txt",
    "甲/002.PNG",
    "乙/001.png",
    "乙/图/003.png",
    "#特殊&名's;（1）.txt",
    "表/清单.xlsx",
    "表/附/004.png",
    "五 号.jpg",
]


@pytest.fixture
def names() -> Names:
    return Names(GivenFile(path, Path("/dev/null"), 1, 0) for path in PATHS)


@pytest.mark.parametrize(
    ("written", "near", "expected"),
    [
        ("甲", "", ["甲/001.png", "甲/001.txt", "甲/002.PNG"]),
        ("甲/", "", ["甲/001.png", "甲/001.txt", "甲/002.PNG"]),
        ("甲\\002.png", "", ["甲/002.PNG"]),
        ("./甲/００２.png", "", ["甲/002.PNG"]),
        ("E:\\捐赠\\乙\\001.png", "", ["乙/001.png"]),
        ("003.png", "", ["乙/图/003.png"]),
        ("图", "", ["乙/图/003.png"]),
        ("附/004.png", "表", ["表/附/004.png"]),
        ("004", "", ["表/附/004.png"]),
        ("甲/*.png", "", ["甲/001.png", "甲/002.PNG"]),
        ("五号.jpg", "", ["五 号.jpg"]),
        ("#特殊&名's;(1).txt", "", ["#特殊&名's;（1）.txt"]),
        ("无.png", "", []),
    ],
)
def test_width_case_blanks_and_the_way_there_do_not_matter(written: str, near: str, expected: list[str], names: Names) -> None:
    assert [file.path for file in names.find(written, near).files] == expected


def test_a_name_that_fits_several_folders_is_said(names: Names) -> None:
    found = names.find("001.png")
    assert found.ambiguous and len(found.files) == 1
    assert not names.find("001.png", "乙").ambiguous


def test_the_nearest_name_is_proposed(names: Names) -> None:
    assert names.nearest("甲/0002.png") == "002.PNG"
    assert names.nearest("完全不同的名字.mp3") == ""


def test_titles_compare_in_both_scripts() -> None:
    assert title_form("《興安府志》") == title_form("兴安府志") == title_form("[兴安府志]")


def test_names_in_a_cell() -> None:
    assert split_names("a.png； b.png;\nc") == ("a.png", "b.png", "c")
