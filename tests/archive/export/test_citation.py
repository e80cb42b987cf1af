"""Citations: a golden table by rule, quotations by code points, BibTeX and RIS read back by other people's parsers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import bibtexparser
import pytest
import references_of
import rispy
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.export.bibtex import bibtex
from archive.export.citation import gbt7714
from archive.export.quoting import quotation, within
from archive.export.reference import stretch, year_of
from archive.export.ris import ris
from archive.model.item import TextLine

GOLDEN = Path(__file__).parents[2] / "golden" / "citations.tsv"
CASES = list(csv.DictReader(GOLDEN.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("case", CASES, ids=[case["rule"] for case in CASES])
def test_rule_of_the_golden_table(case: dict[str, str]) -> None:
    made = references_of.made(json.loads(case["case"]))
    assert (gbt7714(made), gbt7714(made, "2015")) == (case["2025"], case["2015"])


def test_golden_table_has_sixty_rules() -> None:
    assert len({case["rule"] for case in CASES}) >= 60


def test_unverified_juan_is_in_no_form() -> None:
    made = references_of.made({"page": {"juan": "廿七", "ye": "十二", "side": "b", "verified": False}})
    for written in (gbt7714(made), gbt7714(made, "2015"), bibtex(made), ris(made)):
        assert "廿七" not in written and "十二" not in written and "影像第12面" in written


@pytest.mark.parametrize(
    ("written", "western", "printed"),
    [
        ("乾隆五十三年", "1788", "乾隆五十三年"),
        ("光緒三十三年", "1907", "光緒三十三年"),
        ("乾隆五十三年（1788）", "1788", "乾隆五十三年"),
        ("民國廿五年", "1936", "民國廿五年"),
        ("約乾隆五十三年（1788）", "[1788]", "約乾隆五十三年"),
        ("1936", "1936", ""),
        ("[1936]", "[1936]", ""),
        ("壬寅", "", "壬寅"),
        ("年代不詳", "", "年代不詳"),
    ],
)
def test_western_year_comes_first_and_the_printed_one_after(written: str, western: str, printed: str) -> None:
    assert (year_of(written).western, year_of(written).printed) == (western, printed)


@pytest.mark.parametrize(
    ("text", "start", "end", "quoted"),
    [
        ("全書嘉與\n海內之士", 0, 9, "全書嘉與海內之士"),
        ("　　聖諭\n　朕惟", 0, 9, "聖諭朕惟"),
        ("易類(十二部/一百卷)書類", 0, 13, "易類（十二部一百卷）書類"),
        ("易類(十二部/一百卷)書類", 1, 5, "類（十二）"),
        ("易類(十二部/一百卷)書類", 4, 9, "（二部一百）"),
        ("易類(十二部/一百卷)書類", 9, 13, "（卷）書類"),
        ("易類(十二部/一百卷)書類", 10, 13, "書類"),
        ("易類（十\n二部）書", 2, 9, "（十二部）書"),
        ("the Han\nRiver", 0, 13, "the Han River"),
        ("𠀀𠀁字", 1, 2, "𠀁"),
        ("甲[禾(白)]乙", 0, 8, "甲[禾(白)]乙"),
    ],
)
def test_quotation_is_the_very_characters_with_notes_in_brackets(text: str, start: int, end: int, quoted: str) -> None:
    assert quotation(text, start, end, notes=True) == quoted


def test_brackets_of_a_text_without_notes_stay() -> None:
    assert quotation("甲(a/b)乙", 0, 7, notes=False) == "甲(a/b)乙"


def test_a_region_chooses_the_characters_whose_middle_is_in_it() -> None:
    lines = [TextLine("甲乙丙丁", (100, 0, 20, 400)), TextLine("戊己，庚辛", (60, 0, 20, 400)), TextLine("無框")]
    assert within(lines, (100, 100, 20, 200), notes=False) == ((1, 3),)
    assert within(lines, (55, 90, 70, 220), notes=False) == ((1, 3), (6, 9))
    assert within(lines, (0, 0, 10, 10), notes=False) == () == within(lines[2:], (0, 0, 999, 999), notes=False)


def test_passage_rounds_its_end_up() -> None:
    assert stretch(12.5, 29.2) == "00:12-00:30"


HOSTILE = "}{\\%$#&_^~\"'@,and\nER  - \r\nTY  - BOOK <b> \u2028 卷 {un{balanced"


def test_bibtex_and_ris_hold_what_would_break_them() -> None:
    made = references_of.made({"title": HOSTILE, "compiler": [HOSTILE, "甲 and 乙"], "edition": HOSTILE, "publisher": HOSTILE})
    _assert_read_back(bibtex(made), ris(made))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_any_title_parses(title: str) -> None:
    made = references_of.made({"title": "志" + title, "compiler": title, "date": title})
    _assert_read_back(bibtex(made), ris(made))


def _assert_read_back(bib: str, records: str) -> None:
    library = bibtexparser.parse_string(bib)
    assert not library.failed_blocks and len(library.entries) == 1
    assert library.entries[0].fields_dict["title"].value
    found = rispy.loads(records)
    assert len(found) == 1 and found[0]["title"]
    assert records.count("ER  - ") == records.count("\r\nER  - ") + HOSTILE.count("ER  - ") * records.count("and ER  - ")


def test_bibtex_keeps_names_apart() -> None:
    made = references_of.made({"compiler": ["甲", "乙, 丙"], "sponsor": "丁"})
    entry = bibtexparser.parse_string(bibtex(made)).entries[0]
    assert entry.fields_dict["author"].value == "{甲} and {乙, 丙}" and entry.fields_dict["editor"].value == "{丁}"
