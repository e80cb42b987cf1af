"""Texts onto pages, cues onto recordings; of those that say the same one is indexed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rough import planned
from tree import plant, png, wav

from archive.model.item import Item, TextSource, TextVersion
from archive.model.profile import Definitions
from archive.profiles import load_definitions
from ingest.stages.transcribe import same_words, transcribe
from ingest.task import Plan

GAZETTEER = 'accession = "2026-1"\n[defaults]\nkind = "gazetteer"\n'
LONG = "興安府在省治南六百八十里東西距七百六十里南北距六百二十里東至湖北鄖陽府鄖縣界四百十五里"


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions()


def read(tmp_path: Path, files: Mapping[str, bytes | str], definitions: Definitions) -> tuple[Item, list[str]]:
    """The one item of a folder, and the codes of the findings."""
    found, _files = planned(plant(tmp_path / "given", files), tmp_path / "space", definitions)
    (draft,) = found.drafts
    return draft.item, [f.code for f in found.findings if f.code not in ("no-accession", "to-describe")]


def test_a_line_of_the_file_is_a_column_of_its_page(tmp_path: Path, definitions: Definitions) -> None:
    item, codes = read(
        tmp_path, {"志/001.png": png(1), "志/001.txt": "興安府\r\n　山川\r\n".encode("gb18030"), "志/002.png": png(2)}, definitions
    )
    (text,) = item.pages[0].texts
    assert (text.source, [line.text for line in text.lines]) == (TextSource.DONOR, ["興安府", "　山川"])
    assert item.pages[1].texts == () and codes == ["text-encoding"]


def test_notes_and_headings_only_where_the_profile_has_them(tmp_path: Path, definitions: Definitions) -> None:
    files = {"志/001.png": png(1), "志/001.txt": "︹形勢︺\n(在省治南/南北距)\n正文(注)", "志/002.png": png(2)}
    item, _codes = read(tmp_path / "a", {**files, "donation.toml": GAZETTEER}, definitions)
    assert [line.kind for line in item.pages[0].texts[0].lines] == ["heading", "note", "main"]
    assert [page.section for page in item.pages] == ["形勢", "形勢"]
    item, _codes = read(tmp_path / "b", files, definitions)
    assert {line.kind for line in item.pages[0].texts[0].lines} == {"main"}


def test_an_unclosed_note_is_reported_on_the_leaf_where_it_is_ended(tmp_path: Path, definitions: Definitions) -> None:
    files = {"donation.toml": GAZETTEER, **{f"志/{n}.png": png(n) for n in (1, 2, 3)}}
    texts = {"志/1.txt": "正文(注", "志/2.txt": "仍是注", "志/3.txt": "正文"}
    item, codes = read(tmp_path, {**files, **texts}, definitions)
    assert codes == ["note-unclosed"]
    assert [page.texts[0].lines[0].kind for page in item.pages] == ["main", "note", "main"]


def test_a_note_never_runs_over_a_missing_leaf(tmp_path: Path, definitions: Definitions) -> None:
    files = {"donation.toml": GAZETTEER, **{f"志/{n}.png": png(n) for n in (1, 3, 4)}}
    item, codes = read(tmp_path, {**files, "志/1.txt": "正文(注", "志/3.txt": "正文"}, definitions)
    assert codes == ["scan-gap", "note-unclosed"]
    assert item.pages[2].texts[0].lines[0].kind == "main"


def test_boxes_of_alto_come_with_the_donors_page(tmp_path: Path, definitions: Definitions) -> None:
    alto = '<alto><Page WIDTH="80" HEIGHT="120"><TextLine HPOS="8" VPOS="12" WIDTH="8" HEIGHT="80"><String CONTENT="興安"/></TextLine></Page></alto>'
    item, codes = read(tmp_path, {"志/001.png": png(1), "志/001.xml": alto, "志/001.txt": "興安", "志/002.png": png(2)}, definitions)
    (text,) = item.pages[0].texts
    assert text.lines[0].box == (4, 6, 4, 40) and codes == ["text-same"]


def test_xml_that_is_no_page_text_is_kept_and_said(tmp_path: Path, definitions: Definitions) -> None:
    item, codes = read(tmp_path, {"志/001.png": png(1), "志/001.xml": "<mets/>", "志/002.png": png(2)}, definitions)
    assert item.pages[0].texts == () and len(item.files) == 3 and codes == ["page-text-unreadable"]


def test_a_whole_text_that_repeats_the_pages_is_kept_not_indexed(tmp_path: Path, definitions: Definitions) -> None:
    files = {"志/1.png": png(1), "志/2.png": png(2), "志/1.txt": LONG[:22], "志/2.txt": LONG[22:]}
    item, codes = read(tmp_path / "a", {**files, "志/全文.txt": LONG}, definitions)
    assert len(item.pages) == 2 and codes == ["text-repeats"] and "志/全文.txt" in {f.received for f in item.files}
    item, codes = read(tmp_path / "b", {**files, "志/全文.txt": LONG + "另有平利縣志序一篇各面所無今錄於此以備查考云云"}, definitions)
    assert len(item.pages) == 3 and item.pages[2].label == "全文" and codes == []


def test_a_whole_text_alone_is_a_page_of_its_own(tmp_path: Path, definitions: Definitions) -> None:
    item, codes = read(tmp_path, {"志/1.png": png(1), "志/2.png": png(2), "志/全文.txt": LONG}, definitions)
    assert item.pages[2].text is not None and item.pages[2].text.text == LONG and codes == []


def test_tracks_that_say_the_same_are_indexed_once(tmp_path: Path, definitions: Definitions) -> None:
    words = ["统堂堂军校出襄阳", "胜军回凯歌齐唱"]
    files = {
        "唱段.wav": wav(3.0),
        "唱段.lrc": f"[00:00.50]{words[0]}\n[00:01.50]{words[1]}\n",
        "唱段.srt": f"1\n00:00:00,520 --> 00:00:01,480\n{words[0]}，\n\n2\n00:00:01,490 --> 00:00:02,900\n{words[1]}。\n",
        "唱段_唱词.txt": "\n".join(words),
    }
    item, codes = read(tmp_path, files, definitions)
    (track,) = item.tracks
    names = {f.id: f.received for f in item.files}
    assert (names[track.file or ""], names[track.media or ""], track.timed) == ("唱段.srt", "唱段.wav", True)
    assert codes == ["text-same", "text-same"]


def test_a_libretto_that_says_something_else_stays_beside_the_subtitles(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "唱段.wav": wav(3.0),
        "唱段.lrc": "[00:00.5]统堂堂军校出襄阳\n[00:01.0]胜军回凯歌齐唱\n",
        "唱段_唱词.txt": "待月帘微簌，迎风户半开",
    }
    item, _codes = read(tmp_path, files, definitions)
    assert [(track.timed, len(track.cues)) for track in item.tracks] == [(True, 2), (False, 1)]


def test_subtitles_inside_a_film_serve_when_there_is_nothing_better(tmp_path: Path, definitions: Definitions) -> None:
    found, files = planned(plant(tmp_path / "given", {"戏.mp4": b"film"}), tmp_path / "space", definitions)
    probe = replace(files[0].probe, subtitles=((0.8, 2.0, "统堂堂"), (2.0, 3.0, "军校")))  # type: ignore[type-var]
    bare: Plan = replace(found, findings=())
    again = transcribe(bare, {"戏.mp4": replace(files[0], probe=probe)}, definitions)
    (track,) = again.drafts[0].item.tracks
    assert [(cue.start, cue.end, cue.text) for cue in track.cues] == [(0.8, 2.0, "统堂堂"), (2.0, 3.0, "军校")]
    assert (track.file, track.media) == ("f1", "f1")


def test_a_text_that_is_part_of_its_paper_is_not_shown_in_its_place(tmp_path: Path, definitions: Definitions) -> None:
    found, files = planned(plant(tmp_path / "given", {"口述.docx": b"paper", "口述.txt": LONG[:30]}), tmp_path / "space", definitions)
    by_path = {file.path: file for file in files}
    paper = by_path["口述.docx"]
    by_path["口述.docx"] = replace(paper, probe=replace(paper.probe, text=(LONG,)))  # type: ignore[type-var]
    empty = [replace(d, item=replace(d.item, pages=tuple(replace(p, texts=placed(p.texts)) for p in d.item.pages))) for d in found.drafts]
    again = transcribe(replace(found, findings=(), drafts=tuple(empty)), by_path, definitions)
    (page,) = again.drafts[0].item.pages
    assert page.text is not None and page.text.text == LONG
    assert [f.code for f in again.findings] == ["text-same"]


def test_a_paper_without_words_has_no_page(tmp_path: Path, definitions: Definitions) -> None:
    found, files = planned(plant(tmp_path / "given", {"讲义.doc": b"old"}), tmp_path / "space", definitions)
    bare = {file.path: replace(file, probe=replace(file.probe, text=())) for file in files}  # type: ignore[type-var]
    (draft,) = transcribe(found, bare, definitions).drafts
    assert draft.item.pages == () and len(draft.item.files) == 1


def placed(texts: tuple[TextVersion, ...]) -> tuple[TextVersion, ...]:
    """Readings as `describe` leaves them."""
    return tuple(replace(text, lines=()) for text in texts)


def test_texts_of_a_paged_document_are_its_pages(tmp_path: Path, definitions: Definitions) -> None:
    found, files = planned(plant(tmp_path / "given", {"a.txt": "x"}), tmp_path / "space", definitions)
    assert found.drafts[0].item.pages[0].text is not None
    assert found.drafts[0].item.pages[0].text.source is TextSource.DONOR and files


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("甲，乙。", "甲 乙", True),
        ("甲乙", "甲丙", False),
        (LONG, LONG[:-1] + "誤", True),
        (LONG, "　" + "\n".join(LONG), True),
        (LONG, LONG[::-1], False),
    ],
)
def test_same_words(a: str, b: str, same: bool) -> None:
    assert same_words(a, b) is same
