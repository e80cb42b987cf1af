"""Timed text as it is shown and written out; complaints of others' users by their numbers (findings, users 2.3 and 2.10)."""

from __future__ import annotations

import pytest

from archive.model import timed_text
from archive.model.item import Cue, Track
from ingest.readers.subtitles import language_of, parse

SONG = Track("t1", "f1", (Cue(1.5, 4.0, "玄德公在馬上"), Cue(4.0, 6.25, "望襄陽\n<漢水> & 一帶"), Cue(9.0, 12.0, "去也 --> 去也")))


@pytest.mark.parametrize("form", timed_text.FORMS)
def test_what_is_written_is_read_again_the_same(form: str) -> None:
    again = parse(timed_text.FORMS[form].write(SONG), form, 60).cues
    assert [(cue.start, cue.end) for cue in again] == [(cue.start, cue.end) for cue in SONG.cues]
    said = [cue.text for cue in again]
    assert said[0] == "玄德公在馬上"
    if form == "vtt":
        assert said[1:] == ["望襄陽\n<漢水> & 一帶", "去也 --> 去也"]
    if form == "lrc":
        assert said[1] == "望襄陽 <漢水> & 一帶"
    if form == "srt":
        assert said[2] == "去也 → 去也", "an arrow in the words would be read as times"


def test_a_line_without_length_is_shown_until_the_next_and_an_empty_one_never() -> None:
    cues = (Cue(3.0, 3.0, "无长"), Cue(1.0, 1.0, "先"), Cue(4.0, 9.0, " \n"), Cue(30.0, 30.0, "末"))
    assert [(cue.start, cue.end, cue.text) for cue in timed_text.shown(cues)] == [(1.0, 3.0, "先"), (3.0, 8.0, "无长"), (30.0, 35.0, "末")]


def test_times_that_are_no_times_are_not_written() -> None:
    assert timed_text.as_vtt(Track("t1", None, (Cue(float("nan"), 2, "一"), Cue(-3, 2, "二"), Cue(1, float("inf"), "三")))) == "WEBVTT\n"


def test_speaker_names_with_spaces_are_told_apart_scihist_2071() -> None:
    voiced = "WEBVTT\n\n00:00.000 --> 00:02.000\n<v 王 老师>那一年坐船来安康\n\n00:02.000 --> 00:04.000\n<v John Smith>How long?\n"
    cues = parse(voiced, "vtt").cues
    assert [cue.text for cue in cues] == ["王 老师：那一年坐船来安康", "John Smith：How long?"]
    assert [cue.text[:length] for cue, length in zip(cues, timed_text.speakers(cues), strict=True)] == ["王 老师：", "John Smith："]


def test_a_colon_alone_makes_no_speaker() -> None:
    cues = tuple(
        Cue(n, n + 1, text)
        for n, text in enumerate(("正是：山高水長", "時間 12:30 到", "見 http://a.b", "王嫂：來了", "王嫂：坐", "一", "二"))
    )
    assert timed_text.speakers(cues) == (0, 0, 0, 3, 3, 0, 0)


def test_who_speaks_in_an_ass_file_is_kept() -> None:
    text = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.00,D,劉 備,0,0,0,,上馬\n"
    assert [cue.text for cue in parse(text, "ass").cues] == ["劉 備：上馬"]


@pytest.mark.parametrize(
    ("text", "language"), [("去也", "zh"), ("Off they go", "en"), ("さあ行こう", "ja"), ("12:30", "zh"), ("A 段二黄慢板", "zh")]
)
def test_a_translation_is_told_from_the_words(text: str, language: str) -> None:
    assert language_of((Cue(0, 1, text),)) == language
