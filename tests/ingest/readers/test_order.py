"""Natural order, tails, sides and series of names."""

from __future__ import annotations

import pytest

from archive.model.folios import Side
from archive.model.item import FileRole
from ingest.readers.order import (
    Gap,
    chinese_number,
    common_folder,
    gaps_and_repeats,
    is_series,
    leaf_label,
    natural_key,
    number_of,
    split_name,
    split_side,
    split_tails,
)


@pytest.mark.parametrize(
    "names",
    [
        ["1.png", "2.png", "10.png"],
        ["扫描0001.png", "扫描0003.png", "扫描 0004 .PNG", "扫描０００５.png"],
        ["封面.jpg", "001.jpg", "002.jpg", "封底.jpg"],
        ["卷首/1.png", "卷一/1.png", "卷二/1.png", "卷十/1.png", "卷十一/1.png", "卷末/1.png"],
        ["第一册.pdf", "第二册.pdf", "第十册.pdf"],
        ["卷上.txt", "卷中.txt", "卷下.txt"],
        ["12a.png", "12b.png", "13a.png"],
        ["12上.png", "12下.png", "13上.png"],
        ["明信片正面.jpg", "明信片背面.jpg"],
        ["a.png", "b/1.png"],
    ],
    ids=lambda names: names[0],
)
def test_names_sort_as_an_archivist_would(names: list[str]) -> None:
    assert sorted(set(names), key=natural_key) == names


def test_a_title_with_a_numeral_is_no_number() -> None:
    assert natural_key("三国志.txt")[0] == ((1, 0, "三国志"),)


@pytest.mark.parametrize(
    ("text", "value"), [("十二", 12), ("二〇三", 203), ("一百零五", 105), ("廿三", 23), ("１２", 12), ("首", None), ("", None)]
)
def test_chinese_numbers(text: str, value: int | None) -> None:
    assert chinese_number(text) == value


@pytest.mark.parametrize(
    ("stem", "base", "words"),
    [
        ("IMG_0002_印刷用", "IMG_0002", ["印刷用"]),
        ("唱段_新水令_GBK", "唱段_新水令", ["GBK"]),
        ("唱段_VCD", "唱段", ["VCD"]),
        ("唱段_内嵌字幕", "唱段", ["内嵌字幕"]),
        ("牧羊关_8bit", "牧羊关", ["8bit"]),
        ("秦关_电话录音", "秦关", ["电话录音"]),
        ("简历 - 副本 (2)", "简历", ["2", "副本"]),
        ("a（1）", "a", ["1"]),
        ("明信片(pdf)", "明信片", ["pdf"]),
        ("简明目录_multi", "简明目录", ["multi"]),
        ("四库副本", "四库副本", []),
        ("校舍 1910", "校舍 1910", []),
        ("(1)", "(1)", []),
    ],
)
def test_tails_come_off_only_behind_a_separator(stem: str, base: str, words: list[str]) -> None:
    found, tails = split_tails(stem)
    assert (found, [tail.word for tail in tails]) == (base, words)


def test_tails_propose_roles() -> None:
    assert split_tails("a_印刷用")[1][0].role is FileRole.PRINT
    assert split_tails("a_唱词")[1][0].role is FileRole.TEXT
    assert split_tails("a_VCD")[1][0].role is None


def test_sides() -> None:
    assert split_side("明信片正面") == ("明信片", Side.RECTO)
    assert split_side("明信片_背面") == ("明信片", Side.VERSO)
    assert split_side("正面") == ("正面", None)


def test_extension_is_told_from_a_dot_in_a_name() -> None:
    assert split_name("说明 .TXT") == ("说明", ".txt")
    assert split_name("1970.8.大岭") == ("1970.8.大岭", "")


def test_numbers_of_stems() -> None:
    assert number_of("扫描 ０００５") == ("扫描", 5, "")
    assert number_of("0012_088-47a") == ("", 12, "")
    assert number_of("12b") == ("", 12, "b")
    assert number_of("封面") is None


def test_leaf_like_stems_are_labels() -> None:
    assert leaf_label("0001_088-42b") == "088-42b"
    assert leaf_label("IMG_0002") == ""


@pytest.mark.parametrize(
    ("stems", "expected"),
    [
        (["001", "002", "003"], True),
        (["扫描0001", "扫描0003", "扫描 0004", "扫描０００５"], True),
        (["IMG_0002"], True),
        (["封面", "001", "002", "003", "封底"], True),
        (["DSC_0004", "剪报1", "明信片", "校舍 1910"], False),
        (["照片1", "照片2", "照片3"], False),
        (["校舍 1910", "校舍 1911"], False),
        (["工尺谱甲", "工尺谱乙"], False),
    ],
)
def test_a_series_is_numbered_scans_of_one_thing(stems: list[str], expected: bool) -> None:
    assert is_series(stems) is expected


def test_gaps_and_repeats() -> None:
    assert gaps_and_repeats(["扫描0001", "扫描0003", "扫描4"]) == ((Gap(0, 2, 2),), ())
    assert gaps_and_repeats(["001", "1", "2"]) == ((), ((0, 1),))
    assert gaps_and_repeats(["12a", "12b", "13a"]) == ((), ())


def test_common_folder() -> None:
    assert common_folder(["a/b/1.png", "a/b/2.png"]) == "a/b"
    assert common_folder(["a/影像/1.png", "a/文字/1.txt"]) == "a"
    assert common_folder(["1.png", "a/2.png"]) == ""
