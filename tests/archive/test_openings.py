"""Pages that lie open together: b of one leaf with a of the next, whatever the item begins with."""

from __future__ import annotations

import pytest

from archive.model.folios import Folio, Side
from archive.model.openings import Shows, openings, shows

LETTERS = {"a": Shows.RECTO, "b": Shows.VERSO, "w": Shows.ALONE, "x": Shows.BOTH, "?": Shows.UNKNOWN}
CASES = {
    "from-a": ("ababab", "0 12 34 5"),
    "from-b": ("babab", "01 23 4"),
    "a-leaf-misbound": ("bbaa", "0 12 3"),
    "unknown": ("?????", "0 12 34"),
    "known-in-the-middle": ("??b??", "01 23 4"),
    "unfolded": ("wabwab", "0 1 2 3 4 5"),
    "all-unfolded": ("www", "0 1 2"),
    "a-leaf-missing": ("abxab", "0 12 23 4"),
    "missing-first": ("xab", "0 01 2"),
    "missing-last": ("abx", "0 12"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("pages", "expected"), CASES.values(), ids=CASES)
def test_pairs_follow_the_sides(pages: str, expected: str) -> None:
    found = openings([LETTERS[letter] for letter in pages])
    assert " ".join("".join(map(str, opening)) for opening in found) == expected


def test_every_page_is_in_an_opening_and_every_opening_can_be_named() -> None:
    seen: set[int] = set()
    for opening in openings([LETTERS[letter] for letter in "?xbawaxxb?ab"]):
        assert not set(opening) <= seen
        seen.update(opening)
    assert seen == set(range(12))


@pytest.mark.parametrize(
    ("folio", "label", "size", "missing", "expected"),
    [
        (Folio(ye="三", side=Side.RECTO), "", (700, 1000), False, Shows.RECTO),
        (Folio(ye="三", side=Side.VERSO), "", None, True, Shows.VERSO),
        (Folio(ye="三"), "", None, True, Shows.BOTH),
        (None, "12—40", None, True, Shows.BOTH),
        (None, "", None, True, Shows.UNKNOWN),
        (Folio(ye="三", side=Side.RECTO), "", (1400, 1000), False, Shows.ALONE),
        (None, "封面", (700, 1000), False, Shows.ALONE),
        (Folio(ye="三"), "", (700, 1000), False, Shows.UNKNOWN),
    ],
)
def test_what_a_page_shows(folio: Folio | None, label: str, size: tuple[int, int] | None, missing: bool, expected: Shows) -> None:
    assert shows(folio, label, size, missing=missing, sided=True) is expected
