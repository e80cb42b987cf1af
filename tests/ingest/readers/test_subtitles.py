"""Timed text in five forms; all give the same cues."""

from __future__ import annotations

import pytest

from archive.model.item import Cue
from ingest.readers.subtitles import form_of, parse, subtitle_findings, untimed

SRT = (
    "\ufeff1\n00:00:00,800 --> 00:00:08,259\n统堂堂军校出襄阳。\n\n2\n00:00:08,609 --> 00:00:13,590\n<i>旗摇</i>笼日色\n{\\an8}鼓凯撼空苍\n"
)
VTT = "WEBVTT\n\nNOTE 说明\n\nintro\n00:00.800 --> 00:08.259 align:start\n<c.hong>统堂堂军校出襄阳。</c>\n\n00:08.609 --> 00:13.590\n旗摇笼日色\n鼓凯撼空苍\n"
ASS = (
    "[Script Info]\nTitle: x\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:00.80,0:00:08.259,Default,,0,0,0,,统堂堂军校出襄阳。\n"
    "Dialogue: 0,0:00:08.609,0:00:13.59,Default,,0,0,0,,{\\b1}旗摇笼日色\\N鼓凯撼空苍\n"
)
GRID_LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 13.59
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "唱词"
        xmin = 0
        xmax = 13.59
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.8
            text = ""
        intervals [2]:
            xmin = 0.8
            xmax = 8.259
            text = "统堂堂军校出襄阳。"
        intervals [3]:
            xmin = 8.609
            xmax = 13.59
            text = "旗摇笼日色"
"""
GRID_SHORT = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n13.59\n<exists>\n1\n"IntervalTier"\n"唱词"\n0\n13.59\n2\n0\n0.8\n""\n0.8\n8.259\n"统堂堂军校出襄阳。"\n'
FIRST = Cue(0.8, 8.259, "统堂堂军校出襄阳。")
SECOND = Cue(8.609, 13.59, "旗摇笼日色\n鼓凯撼空苍")


@pytest.mark.parametrize(("text", "form"), [(SRT, "srt"), (VTT, "vtt"), (ASS, "ass")], ids=["srt", "vtt", "ass"])
def test_forms_agree(text: str, form: str) -> None:
    assert form_of(".txt", text) == form
    assert parse(text, form).cues == (FIRST, SECOND)


@pytest.mark.parametrize("text", [GRID_LONG, GRID_SHORT], ids=["long", "short"])
def test_textgrid(text: str) -> None:
    assert form_of(".TextGrid", text) == "textgrid"
    assert parse(text, "textgrid").cues[0] == FIRST


def test_lrc_lines_end_where_the_next_begins_and_the_last_with_the_recording() -> None:
    lrc = "[ti:新水令]\n[ar:高文秀]\n[00:00.80]统堂堂\n[00:08.61]旗摇\n[00:13.94]明晃晃\n"
    read = parse(lrc, "lrc", duration=21.87)
    assert read.cues == (Cue(0.8, 8.61, "统堂堂"), Cue(8.61, 13.94, "旗摇"), Cue(13.94, 21.87, "明晃晃"))
    assert read.tags == {"ti": "新水令", "ar": "高文秀"}


def test_lrc_with_several_stamps_and_offset() -> None:
    read = parse("[offset:500]\n[00:10.5][00:01]帮腔\n[00:05.00]<00:05.00>唱<00:06.00>词\n[00:08.00]\n", "lrc")
    assert read.cues == (Cue(0.5, 4.5, "帮腔"), Cue(4.5, 7.5, "唱词"), Cue(10.0, 15.0, "帮腔"))


def test_srt_blocks_without_a_blank_line_between() -> None:
    read = parse("1\n00:00:01,0 --> 00:00:02,0\n甲\n2\n00:00:03,0 --> 00:00:04,0\n乙\n", "srt")
    assert [cue.text for cue in read.cues] == ["甲", "乙"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1\n00:00:01,0 --> 00:00:05,0\n甲\n\n2\n00:00:03,0 --> 00:00:06,0\n乙", "cue-overlap"),
        ("1\n00:00:01,0 --> 00:00:05,0\n\n2\n00:00:06,0 --> 00:00:07,0\n乙", "cue-empty"),
        ("1\n00:00:05,0 --> 00:00:01,0\n甲", "cue-backwards"),
        ("1\n00:01:05,0 --> 00:01:06,0\n甲", "cue-beyond-end"),
        ("什么也没有", "cue-none"),
    ],
)
def test_faults_are_counted_once_for_each_kind(text: str, code: str) -> None:
    read = parse(text, "srt", duration=30.0)
    assert read.faults == {code: 1}
    assert [f.code for f in subtitle_findings(read, "a.srt")] == [code]


def test_plain_text_is_no_timed_text() -> None:
    assert form_of(".txt", "统堂堂军校出襄阳") is None


def test_a_libretto_has_no_times() -> None:
    assert untimed(["甲", "", "乙"]) == (Cue(0, 0, "甲"), Cue(0, 0, "乙"))
