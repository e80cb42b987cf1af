"""A home's own table of unencoded glyphs: `definitions/gaiji/*.tsv`, a file for each collection or source of text.

A line: the mark as it stands in the text (a private-use character, `&KR1234;`, an ideographic description, `[車*犬]`), the character it is, and
why, tabs between. A mark has one meaning in a home. When a table changes, the fold version does, and the index asks to be made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from archive.errors import DefinitionsError
from archive.search.chinese import fold, mark_character

UNKNOWN = "□〓"


def load_gaiji(definitions: Path) -> Mapping[str, str]:
    """Mark to character by the tables of a home; empty without any. Raises DefinitionsError with every fault of every line."""
    meanings: dict[str, tuple[str, str]] = {}
    known: dict[str, str] = {}
    faults: list[str] = []
    for path in sorted((definitions / "gaiji").glob("*.tsv")):
        for number, line in _lines(path, faults):
            place = f"gaiji/{path.name}:{number}"
            cells = [cell.strip() for cell in line.split("\t")]
            if (fault := _fault(cells)) is not None:
                faults.append(f"{place}: {fault}")
                continue
            mark, char = cells[0], cells[1]
            meant, there = meanings.setdefault(mark_character(mark) or mark, (char, place))
            if meant != char:
                faults.append(f"{place}: {mark} is {char} here and {meant} in {there}; a mark has one meaning in a home")
            known[mark] = char
    if faults:
        raise DefinitionsError(tuple(faults))
    return known


def _lines(path: Path, faults: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"gaiji/{path.name}: {error}; save it as UTF-8")
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
