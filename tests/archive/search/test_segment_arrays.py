"""The arrays of a segment: batches are read as texts are read one by one, joining segments gives what building them at once gives."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import search_oracle as oracle

from archive.model.rights import Audience
from archive.search import chinese, facts_build, segment_build, segment_merge, whoosh_index
from archive.search.arrays import Array, map_arrays
from archive.search.batch_reading import Texts, decode, read_all
from archive.search.beside import Beside
from archive.search.gathering import Gathered, Gathering, rows_of
from archive.search.segment_merge import Source
from archive.search.segment_parts import built
from archive.search.segment_text import SegmentText
from archive.search.whoosh_index import WhooshIndex

SIGNS = list("安康漢隂ＡＢａé12（）()/，。\n　[]*&KR;⿰⿳氵青□〓𢎞\u2029\0\u200b\ue123㊎Å\ud800")


def _texts(rng: random.Random, count: int) -> list[str]:
    words = [*SIGNS, "&KR1234;", "⿰氵青", "[車*犬]", "[車*(甲乙)]", "安" * 300, "\n　　"]
    return ["".join(rng.choice(words) for _ in range(rng.choice([0, 1, 3, 20, 60]))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(12))
def test_a_batch_is_read_as_its_texts_are_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    texts = _texts(rng, 60)
    joins, notes = [[rng.random() < 0.7 for _ in texts] for _ in range(2)]
    batch = read_all(Texts.of(texts, joins, notes))
    arrays = segment_build.build(Texts.of(texts, joins, notes))
    text = SegmentText(arrays)
    noted = np.zeros(len(batch.points) + 1, bool)
    for begin, end in zip(batch.note_begins.tolist(), batch.note_ends.tolist(), strict=True):
        noted[begin:end] = True
    open_note = 0
    for number, written in enumerate(texts):
        joined = joins[number] and number > 0
        reading = chinese.read(written, notes[number], open_note if joined else 0)
        located = chinese.locate(written, notes[number], open_note if joined else 0)
        open_note = reading.open_note
        begin, end = int(batch.starts[number]), int(batch.starts[number + 1]) - int(batch.walled[number])
        assert decode(batch.points[begin:end]) == reading.written
        assert noted[begin:end].tolist() == list(located.noted)
        assert text.text_of(number) == written
        layout = text.layout(number)
        spans = [layout.span(at, at + 1) for at in range(layout.size)]
        assert (layout.text, spans) == (written, list(zip(located.starts, located.ends, strict=True)))


def _gathered(rng: random.Random, first: int, works: int) -> Gathered:
    gathering = Gathering()
    for number in range(first, first + works):
        rows, texts = rows_of(oracle.documents(f"work-{number}", oracle.make_work(rng, rng.randint(1, 12))))
        if rows:
            gathering.add(rows, texts, number)
    return gathering.take()


def _without(gathered: Gathered, living: Array) -> Gathered:
    kept = Gathered()
    at = 0
    for chunk, lives in zip(gathered.chunks, living.tolist(), strict=True):
        if lives:
            kept.chunks.append(chunk)
            for name, values in gathered.columns.items():
                kept.columns[name] += values[at : at + chunk.documents]
            kept.texts += gathered.texts[at : at + chunk.documents]
        at += chunk.documents
    return kept


@pytest.mark.parametrize("seed", range(6))
def test_joined_segments_equal_one_built_at_once(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(segment_merge, "_BLOCK", 64)
    monkeypatch.setattr(segment_merge, "_SAMPLE", 16)
    monkeypatch.setattr(segment_merge, "_COPIED", 50)
    parts = [_gathered(rng, first, 6) for first in (0, 10, 20)]
    living = [np.array([rng.random() < 0.6 for _ in part.chunks]) for part in parts]
    living[0][:] = True
    sources = [Source(made.text, made.facts, None if lives.all() else lives) for made, lives in zip(map(built, parts), living, strict=True)]
    segment_merge.merge(tmp_path / "text", sources)
    whole = Gathered()
    for part, lives in zip(parts, living, strict=True):
        kept = _without(part, lives)
        for name, values in kept.columns.items():
            whole.columns[name] += values
        whole.texts += kept.texts
        whole.chunks += kept.chunks
    expected = built(whole)
    text, _extra = map_arrays(tmp_path / "text")
    facts = facts_build.merge([(source.facts, source.documents, source.living) for source in sources])
    assert facts_build.names_of(facts) == facts_build.names_of(expected.facts)
    for name, array in expected.facts.items():
        np.testing.assert_array_equal(facts[name], array, name)
    _same_text(text, expected.text)


def _same_text(text: dict[str, Array], expected: dict[str, Array]) -> None:
    """Equal but for letters and layout strings that nothing uses any more, and the order of those strings."""
    for name in (
        "starts",
        "walled",
        "steps",
        "walls",
        "note_begins",
        "note_ends",
        "note_main",
        "places",
        "bridges",
        "layout_starts",
        "layout_gaps",
    ):
        np.testing.assert_array_equal(text[name], expected[name], name)
    np.testing.assert_array_equal(text["letters"][text["codes"]], expected["letters"][expected["codes"]])
    np.testing.assert_array_equal(np.diff(text["offsets"]), np.diff(expected["offsets"]))
    ours, theirs = SegmentText(text), SegmentText(expected)
    for document in range(theirs.documents):
        assert ours.text_of(document) == theirs.text_of(document)
    for code, letter in enumerate(expected["letters"].tolist()):
        for mine, wanted in zip(ours.written_postings(ours.code(chr(letter)) or 0), theirs.written_postings(code), strict=True):
            np.testing.assert_array_equal(mine, wanted)


def test_postings_count_every_letter_of_every_document() -> None:
    rng = random.Random(3)
    texts = ["".join(rng.choice("后後王曆") for _ in range(rng.choice([0, 5, 700]))) for _ in range(300)]
    text = SegmentText(segment_build.build(Texts.of(texts, [False] * 300, [False] * 300)))
    for char in "后後王曆":
        documents, counts = text.written_postings(text.code(char) or 0)
        assert dict(zip(documents.tolist(), counts.tolist(), strict=True)) == {n: t.count(char) for n, t in enumerate(texts) if char in t}
    documents, counts = text.postings(text.code("后") or 0)
    both = {n: t.count("后") + t.count("後") for n, t in enumerate(texts)}
    assert dict(zip(documents.tolist(), counts.tolist(), strict=True)) == {n: count for n, count in both.items() if count}


def test_a_document_is_searched_alone_as_with_all_others() -> None:
    rng = random.Random(4)
    works = [oracle.make_work(rng, 20) for _ in range(6)]
    gathering = Gathering()
    for number, work in enumerate(works):
        gathering.add(*rows_of(oracle.documents(f"work-{number}", work)), number)
    text = SegmentText(built(gathering.take()).text)
    for _ in range(60):
        (code,) = text.pattern([chinese.fold(oracle.some_string(rng, works, 1)[0])]) or (0,)
        found = text.find((code,))
        documents = text.documents_of(found.starts)
        for document in rng.sample(range(text.documents), 10):
            alone, expected = text.character_in(document, code), found.where(documents == document)
            assert alone.starts.tolist() == expected.starts.tolist()
            assert alone.ends.tolist() == expected.ends.tolist()
            assert alone.over.tolist() == expected.over.tolist()


def test_audiences_are_kept_for_every_document() -> None:
    leaves = [oracle.Leaf("安", (), Audience.STAFF), oracle.Leaf("康", ())]
    gathering = Gathering()
    gathering.add(*rows_of(oracle.documents("w", leaves)), 0)
    assert built(gathering.take()).facts["now"].tolist() == [Audience.STAFF.rank, Audience.PUBLIC.rank]


def test_two_processes_build_what_one_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "PART_CHARACTERS", 1000)
    monkeypatch.setattr(segment_merge, "_BLOCK", 512)
    monkeypatch.setattr(segment_merge, "_SAMPLE", 64)
    given: list[str] = []
    begin = Beside.begin
    monkeypatch.setattr(Beside, "begin", lambda beside, work, *more: given.append(work.__name__) or begin(beside, work, *more))
    rng = random.Random(6)
    works = [(f"work-{n}", oracle.documents(f"work-{n}", oracle.make_work(rng, 20))) for n in range(30)]
    made = []
    for processes in (1, 2):
        index = WhooshIndex(tmp_path / str(processes), processes=processes)
        index.rebuild(iter(works))
        (path,) = index.folder.glob("b0*/*.chinese")
        made.append(map_arrays(path)[0])
        assert not list(index.folder.glob("b0*/part-*"))
    assert made[0].keys() == made[1].keys()
    for name, array in made[0].items():
        np.testing.assert_array_equal(array, made[1][name], name)
    assert {"build_file", "merge_range"} <= set(given)
