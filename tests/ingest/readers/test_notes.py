"""Small notes, headings and brackets that belong to a glyph."""

from __future__ import annotations

from ingest.readers.notes import Run, read_leaf, read_leaves


def test_notes_and_main_text_of_a_column() -> None:
    leaf = read_leaf(["興安府(在省治南/南北距)以下"])
    assert leaf.lines[0] == (Run("main", 0, 3), Run("note", 3, 13), Run("main", 13, 15))
    assert leaf.open_from is None


def test_a_column_of_note_only_is_a_note() -> None:
    leaf = read_leaf(["（界四百/十五里）", "　興安府(注)"])
    assert (leaf.kind(0), leaf.kind(1)) == ("note", "main")


def test_a_note_runs_over_columns() -> None:
    leaf = read_leaf(["甲(一", "二", "三)乙"])
    assert [leaf.kind(i) for i in range(3)] == ["main", "note", "main"]


def test_a_heading() -> None:
    assert read_leaf(["︹形勢︺"]).kind(0) == "heading"


def test_a_bracket_inside_a_glyph_description_is_no_note() -> None:
    assert read_leaf(["楊[⿰(a)b]高"]).lines[0] == (Run("main", 0, 9),)


def test_a_note_may_close_on_the_next_leaf() -> None:
    leaves, ended, stray = read_leaves([["甲(一"], ["二)乙"], ["丙"]])
    assert (ended, stray) == ((), ())
    assert leaves[1].continues and leaves[1].kind(0) == "main" and leaves[2].kind(0) == "main"


def test_a_note_unclosed_after_the_next_leaf_ends_there() -> None:
    leaves, ended, _stray = read_leaves([["甲(一"], ["二"], ["丙"]])
    assert ended == (1,)
    assert leaves[1].kind(0) == "note" and leaves[2].kind(0) == "main"


def test_a_note_unclosed_on_the_last_leaf_is_reported() -> None:
    assert read_leaves([["甲(一"]])[1] == (0,)


def test_a_closing_bracket_nothing_opened_is_reported() -> None:
    assert read_leaves([["甲)一"]])[2] == (0,)


def test_two_notes_each_over_one_leaf_edge() -> None:
    assert read_leaves([["甲(一"], ["二)乙(三"], ["四)"]])[1] == ()
