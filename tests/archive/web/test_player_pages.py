"""Recordings on their pages, without scripts: text beside sound, text alone, search in it, downloads; and bad input."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from hall_of_records import items

from archive.model.item import Cue, Item, Segment, Track
from archive.search.base import Span
from archive.web import recordings

SONG = next(item for item, _paths in items() if item.id == "song")


@pytest.fixture
def shown(client: FlaskClient) -> Callable[..., tuple[recordings.Recording, ...]]:
    """The recordings of an item as a page would have them."""

    def show(item: Item, asked: recordings.Moment | None = None, *finds: str) -> tuple[recordings.Recording, ...]:
        def mark(text: str) -> list[Span]:
            return [Span(found.start(), found.end()) for word in finds for found in re.finditer(word, text)]

        with client.application.test_request_context("/"):
            return recordings.of_item(item, asked, None, mark)

    return show


def test_a_transcript_for_audio_is_announced_ramp_180(client: FlaskClient) -> None:
    page = client.get("/items/song").text
    described = re.search(r'<audio[^>]*aria-describedby="([^"]+)"', page)
    assert described is not None
    assert re.search(rf'id="{described[1]}">[^<]*有随声文字 3 行', page)


def test_one_text_is_caption_and_transcript_avalon_5729(client: FlaskClient) -> None:
    page = client.get("/items/song").text
    assert '<track kind="metadata" src="/items/song/cues/t1.vtt"' in page
    assert page.count("望襄陽 &amp; &lt;b&gt;漢水&lt;/b&gt; 一帶") == 1


def test_a_transcript_without_a_recording_is_shown_and_searched_scihist_744(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    only = replace(SONG, files=(), segments=(), tracks=(Track("t1", None, SONG.tracks[0].cues),))
    (rec,) = shown(only, None, "去也")
    assert rec.web is None
    assert [cue.found for cue in rec.tracks[0].cues] == [False, False, True]


def test_text_and_translation_stand_side_by_side_scihist_1475(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    english = Track("t5", "f1", (Cue(0.0, 1.0, "Lord Xuande on his horse"),), language="en")
    (rec, *_rest) = shown(replace(SONG, tracks=(SONG.tracks[0], english)))
    assert [track.language for track in rec.tracks] == ["zh", "en"]
    assert rec.tracks[1].cues[0].url == "/items/song?t=0&track=t5#t5-0", "of several texts the link says which it means"


def test_a_string_over_two_lines_is_found_in_both(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    (rec, *_rest) = shown(SONG, None, "馬上\n望")
    cues = rec.tracks[0].cues
    assert [cue.parts for cue in cues[:2]] == [(("玄德公在", False), ("馬上", True)), (("望", True), ("襄陽 & <b>漢水</b> 一帶", False))]


def test_a_time_is_meant_of_the_recording_whose_text_it_names(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    tracks = (SONG.tracks[0], Track("t3", "f2", (Cue(0.0, 2.0, "另一段"),)))
    first, second, *_rest = shown(replace(SONG, tracks=tracks), recordings.Moment(0.5, None, "t3"))
    assert first.fragment == ""
    assert second.fragment == "#t=0.5"
    assert second.tracks[0].cues[0].current


def test_two_languages_of_one_beginning_are_heard_together(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    both = Track("t1", "f1", (Cue(0.0, 2.0, "前"), Cue(1.0, 2.0, "去也"), Cue(1.0, 2.0, "Off they go")))
    (rec, *_rest) = shown(replace(SONG, tracks=(both,)), recordings.Moment(1.5))
    assert [cue.current for cue in rec.tracks[0].cues] == [False, True, True]


def test_of_several_recordings_a_link_says_which_it_means(
    shown: Callable[..., tuple[recordings.Recording, ...]], client: FlaskClient
) -> None:
    first, second, *_rest = shown(SONG, recordings.asked_time("1", "f2"))
    assert (first.meant, second.meant) == ("", "&track=f2")
    assert (first.fragment, second.fragment) == ("", "#t=1")
    cited = client.get("/items/song/cite?t=0,1&track=t1&format=json").get_json()
    assert (cited["quotation"], cited["link"].partition("?")[2]) == ("玄德公在馬上", "t=0,1&track=t1")
    assert client.get("/items/song/cite?t=0,1&track=f9&format=json").get_json()["quotation"] == ""


def test_what_lies_beyond_the_end_is_shown_and_says_so(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    late = Track("t1", "f1", (*SONG.tracks[0].cues, Cue(60.0, 62.0, "多出來的一句")))
    (rec, *_rest) = shown(replace(SONG, tracks=(late,)))
    assert [cue.beyond for cue in rec.tracks[0].cues] == [False, False, False, True]


def test_chapters_of_the_file_stand_where_nobody_described_passages(shown: Callable[..., tuple[recordings.Recording, ...]]) -> None:
    film = replace(SONG.files[0], technical={"chapters": [{"start": 0, "title": "開場"}, {"start": 1.5, "title": ""}]})
    (rec, *_rest) = shown(replace(SONG, files=(film,), segments=()))
    assert [(s.title, s.start, s.end) for s in rec.segments] == [("開場", 0.0, 1.5), ("第 2 章", 1.5, 3.0)]
    described = replace(SONG, files=(film,), segments=(Segment("s1", "f1", 0, 2, "正板", fields={"metre": ("慢板",)}),))
    assert [(s.title, s.facts) for s in shown(described)[0].segments] == [("正板", "慢板")]


def test_a_search_in_the_text_folds_as_the_search_does(client: FlaskClient) -> None:
    found = client.get("/items/song/cues/t1/find?q=襄阳").get_json()
    assert found["matches"] == 1
    assert found["lines"] == [{"line": 1, "start": 1.0, "end": 2.0, "spans": [[1, 3]]}]
    page = client.get("/items/song?q=襄阳").text
    assert "<mark>襄陽</mark>" in page
    assert "1 处" in page


def test_a_faulty_query_finds_nothing_and_breaks_nothing(client: FlaskClient) -> None:
    for query in ("近:5(甲", "", "x" * 2000, "*", "\x00"):
        assert client.get("/items/song/cues/t1/find", query_string={"q": query}).get_json() == {"matches": 0, "lines": []}


@pytest.mark.parametrize(("form", "head"), [("srt", "1\n00:00:00,000 --> 00:00:01,000\n"), ("lrc", "[00:00.00]玄德公在馬上\n")])
def test_timed_text_can_be_taken_home(client: FlaskClient, form: str, head: str) -> None:
    answer = client.get(f"/items/song/cues/t1.{form}")
    assert answer.text.startswith(head)
    assert f"song-t1.{form}" in answer.headers["Content-Disposition"]
    assert client.get(f"/items/song/cues/t1.{form}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["t1.txt", "t1.VTT", "t2.srt", "t2/find", "t99.lrc", "..%2Ft1.srt", "t1.srt%00"])
def test_other_forms_and_texts_are_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(f"/items/song/cues/{path}").status_code == 404


@pytest.mark.parametrize("asked", ["t=abc", "t=9,3", "t=-1", "t=1e9", "t=1&track=../x", "t=2,3&loop=x", "t=99999&loop=1&rate=9"])
def test_odd_times_still_open_the_page(client: FlaskClient, asked: str) -> None:
    assert client.get(f"/items/song?{asked}").status_code == 200


def test_a_loop_does_not_stop_at_its_end(client: FlaskClient) -> None:
    assert "web#t=1,2" in client.get("/items/song?t=1,2").text
    assert 'web#t=1"' in client.get("/items/song?t=1,2&loop=1").text


def test_the_waveform_comes_as_numbers_too(client: FlaskClient) -> None:
    peaks = client.get("/media/song.f1/peaks").get_json()
    assert peaks["bits"] == 8
    assert len(peaks["data"]) == 2 * peaks["length"]
