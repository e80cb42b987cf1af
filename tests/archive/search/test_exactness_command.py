"""The proof on a corpus that cannot be shipped (`benchmarks/search/exactness.py`): it fails without the corpus, and it can fail with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import poetry_leaves
import pytest

from archive.search.chinese import characters, fold_characters
from benchmarks.search import plain_reading
from benchmarks.search.plain_reading import PlainReader

ROOT = Path(__file__).parents[3]


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.search.exactness", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _corpus(works: list[poetry_leaves.Work], path: Path) -> Path:
    with path.open("w", encoding="utf-8") as stream:
        for work in works:
            for number, leaf in enumerate(work.leaves):
                if leaf is not None:
                    facts = {"work": work.item, "title": work.title, "juan": "1", "leaf": f"001-{number // 2 + 1}{'ab'[number % 2]}"}
                    stream.write(json.dumps({**facts, "text": leaf.text}, ensure_ascii=False) + "\n")
    return path


@pytest.fixture(scope="module")
def works() -> list[poetry_leaves.Work]:
    return poetry_leaves.make_works(3, 300)


def test_without_the_corpus_it_fails(tmp_path: Path) -> None:
    done = _run(tmp_path / "leaves.jsonl.gz")
    assert done.returncode == 2
    assert "leaves.jsonl.gz" in done.stderr


def test_it_proves_a_right_index_and_finds_the_fault_of_a_wrong_one(works: list[poetry_leaves.Work], tmp_path: Path) -> None:
    corpus, options = _corpus(works, tmp_path / "leaves.jsonl"), ("--index", tmp_path / "index", "--strings", "150", "--limit", "300")
    done = _run(corpus, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recall                 1.000000" in done.stdout
    lines = corpus.read_text("utf-8").splitlines(keepends=True)
    corpus.write_text("".join([*lines[:100], *lines[110:], *lines[:10]]), "utf-8")  # ten leaves fewer, ten twice
    done = _run(corpus, *options)
    assert done.returncode == 1
    assert "wrong: " in done.stdout


def test_the_plain_reader_reads_what_the_generator_wrote(works: list[poetry_leaves.Work]) -> None:
    reader = PlainReader()
    for work in works:
        still_open = False
        for leaf in work.leaves:
            if leaf is None:
                still_open = False
                continue
            numbers, noted, still_open = reader.read(leaf.text, True, still_open)
            assert reader.typed(numbers) == poetry_leaves.typed(leaf.cells)
            assert [at for at, note in enumerate(noted) if note] == [at for begin, end in leaf.notes for at in range(begin, end)]


def test_two_readings_of_the_rules_agree_on_every_character() -> None:
    """The archive's and the plain one: what counts, and what it folds to."""
    for code in (*range(0xD800), *range(0xE000, 0x323B0), 0x40000, 0xE0001, 0xF0000, 0x10203F):
        char = chr(code)
        kept = plain_reading._kept(char)
        assert (characters(char) or "\0") == chr(kept or 0), hex(code)
        if kept is not None:
            assert ord(fold_characters(chr(kept))) == plain_reading.folded(kept), hex(code)
