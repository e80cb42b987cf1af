"""The section tree: what lies where, what a reader may know of it, and that it is kept with the item."""

from __future__ import annotations

from archive import records
from archive.model.decision import Decisions
from archive.model.item import Item, Page
from archive.model.sections import Section, by_page, changed, open_at, seen, walk

TREE = (
    Section("x1", "卷一", 1, "p1", children=(Section("x2", "疆域", 2, "p1"), Section("x3", "山川", 2, "p3", accepted=False))),
    Section("x4", "卷二", 1, "p4", children=(Section("x5", "祠祀", 2, "p4", children=(Section("x6", "城隍廟", 3, "p5"),)),)),
)
PAGES = ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]


def test_a_page_is_counted_to_what_runs_on_into_it_and_else_to_what_begins_on_it_first() -> None:
    expected = [
        [],
        ["卷一", "疆域"],
        ["卷一", "疆域"],
        ["卷一", "疆域"],  # 山川 begins further down
        ["卷二", "祠祀"],  # nothing runs on into a new 卷
        ["卷二", "祠祀"],
        ["卷二", "祠祀", "城隍廟"],
    ]
    assert [[section.title for section in path] for path in by_page(TREE, PAGES)] == expected
    places = {page: at for at, page in enumerate(PAGES)}
    assert [[section.title for section in open_at(TREE, places, at)] for at in range(len(PAGES))] == expected


def test_what_begins_on_a_hidden_page_is_not_known_but_what_lies_in_it_is() -> None:
    found = seen(TREE, {"p1", "p3", "p5"})
    assert [[section.id for section in path] for path in walk(found)] == [["x1"], ["x1", "x2"], ["x6"]]
    assert [path[-1].id for path in walk(seen(TREE, set(PAGES), proposed=True))] == ["x1", "x2", "x3", "x4", "x5", "x6"]


def test_the_tree_is_written_with_the_item_and_read_again() -> None:
    item = Item("a-1", "2026-001", "gazetteer", "gazetteers", "興安府志", sections=TREE)
    assert records.decode(records.encode(item), Item) == item


def test_accepting_takes_what_it_lies_in_along_and_rejecting_moves_up_what_lies_inside() -> None:
    proposed = (Section("x1", "卷一", 1, "p1", accepted=False, children=(Section("x2", "山川", 2, "p1", accepted=False),)),)
    assert [path[-1].accepted for path in walk(changed(proposed, accept={"x2"}))] == [True, True]
    assert [path[-1].id for path in walk(changed(proposed, reject={"x1"}))] == ["x2"]
    assert [path[-1].accepted for path in walk(changed(TREE, everything=True))] == [True] * 6


def test_a_persons_tree_takes_the_place_of_what_was_read_and_names_the_pages() -> None:
    pages = tuple(Page(one, n, section="誤讀") for n, one in enumerate(PAGES, 1))
    item = Item("a-1", "2026-001", "gazetteer", "", "志", pages=pages, sections=(Section("x9", "誤", 2, "p0"),))
    assert Decisions().apply(item) == item
    decided = Decisions(sections=(*TREE, Section("x7", "在別處", 2, "gone"))).apply(item)
    assert [path[-1].id for path in walk(decided.sections)] == ["x1", "x2", "x3", "x4", "x5", "x6"]
    assert [page.section for page in decided.pages] == ["", "疆域", "疆域", "疆域", "祠祀", "祠祀", "城隍廟"]
    assert [page.section for page in Decisions(sections=(Section("x1", "卷一", 1, "p1"),)).apply(item).pages] == ["誤讀"] * 7
