"""A home's own tables of unencoded glyphs: `definitions/gaiji/*.tsv` for all texts, `definitions/gaiji/SLUG/*.tsv` for those of one holding.

A line: the mark as it stands in the text (a private-use character, `&KR1234;`, an ideographic description, `[車*犬]`), the character it is, and
why, tabs between. A mark has one meaning among the tables of the home, and one among those of a holding; a holding's goes before that of the
holding above it, and this before the home's. When a table changes, the fold version does, and the index asks to be made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from archive.errors import DefinitionsError
from archive.model.profile import Collection
from archive.search.chinese import Glyphs, fold, mark_character

UNKNOWN = "□〓"


def load_gaiji(definitions: Path, collections: Mapping[str, Collection]) -> Glyphs:
    """Mark to character by the tables of a home; empty without any. Raises DefinitionsError with every fault of every line.

    A holding without tables of its own has those of the holding above it.
    """
    faults: list[str] = []
    folder = definitions / "gaiji"
    home = _tables(folder, "gaiji", faults)
    own: dict[str, Mapping[str, str]] = {}
    for inside in sorted(path for path in folder.glob("*") if path.is_dir()):
        if inside.name in collections:
            own[inside.name] = _tables(inside, f"gaiji/{inside.name}", faults)
        else:
            known = ", ".join(sorted(collections)) or "—"
            faults.append(f"gaiji/{inside.name}: no holding is called so; expected the slug of one: {known}")
    if faults:
        raise DefinitionsError(tuple(faults))
    return Glyphs(home, {slug: table for slug in collections if (table := _with_those_above(slug, collections, own))})


def _with_those_above(slug: str, collections: Mapping[str, Collection], own: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The tables of a holding and of all above it as one; of two meanings the nearest."""
    found: dict[str, str] = {}
    known: set[str] = set()
    above: str | None = slug
    while above is not None and above in collections:
        for mark, char in own.get(above, {}).items():
            if (code := mark_character(mark) or mark) not in known:
                known.add(code)
                found[mark] = char
        above = collections[above].parent
    return found


def _tables(folder: Path, shown: str, faults: list[str]) -> dict[str, str]:
    """Mark to character by the tables that lie in one folder; what is wrong with a line is put to `faults`."""
    meanings: dict[str, tuple[str, str]] = {}
    known: dict[str, str] = {}
    for path in sorted(path for path in folder.glob("*.tsv") if path.is_file()):
        for number, line in _lines(path, f"{shown}/{path.name}", faults):
            place = f"{shown}/{path.name}:{number}"
            cells = [cell.strip() for cell in line.split("\t")]
            if (fault := _fault(cells)) is not None:
                faults.append(f"{place}: {fault}")
                continue
            mark, char = cells[0], cells[1]
            meant, there = meanings.setdefault(mark_character(mark) or mark, (char, place))
            if meant != char:
                faults.append(f"{place}: {mark} is {char} here and {meant} in {there}; {_one_meaning(shown)}")
            known[mark] = char
    return known


def _one_meaning(shown: str) -> str:
    if shown == "gaiji":
        return "a mark has one meaning here; what it means in one holding alone belongs into gaiji/SLUG/ of that holding"
    return "a mark has one meaning in a holding"


def _lines(path: Path, shown: str, faults: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{shown}: {error}; save it as UTF-8")
        return
    yield from ((number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#"))


def _fault(cells: list[str]) -> str | None:
    """What is wrong with a line, and what was meant; None when it is well."""
    if len(cells) != 3 or not all(cells):
        return "expected mark, character, reason, with tabs between"
    mark, char, _reason = cells
    if mark in UNKNOWN or char in UNKNOWN:
        return f"{mark} → {char}: □ and 〓 stand for what nobody knows; leave the line out"
    if len(char) != 1 or len(fold(char)) != 1 or mark_character(char) is not None:
        return f"{mark} → {char}: expected one encoded character"
    if mark_character(mark) is None:
        return f"{mark} is no mark of one glyph: expected a private-use character, &KR1234;, ⿰氵青 or [車*犬]; did you mean variants.tsv?"
    return None
