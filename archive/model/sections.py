"""The section tree of a book: 卷 → 门 → 目. A section runs from its page to the page before the next one of its level or higher.

Sections are kept with the item, by the ids of pages, so inserting or reordering pages moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Section:
    """One section. `id` (`x1`, `x2` …) is minted once inside the item."""

    id: str
    title: str
    """As printed."""
    level: int
    """1 卷, 2 门, 3 目."""
    page: str
    """Id of the page it begins on."""
    line: int | None = None
    """Which line of that page's text its heading is (from 0), when that is known."""
    category: str = ""
    """Term of the standard categories 门类 that it answers to; empty when none does."""
    source: str = "sheet"
    """`sheet` the donor's sheet, `contents` a 目录 file, `heading` proposed from the text."""
    accepted: bool = True
    """False: proposed, and no person has looked at it yet."""
    children: tuple[Section, ...] = ()


Path = tuple[Section, ...]
"""A section with those it lies in, outermost first."""


def walk(sections: Sequence[Section], above: Path = ()) -> Iterator[Path]:
    """Every section with those it lies in, outermost first, in reading order."""
    for section in sections:
        path = (*above, section)
        yield path
        yield from walk(section.children, path)


def open_at(sections: Sequence[Section], places: Mapping[str, int], here: int) -> Path:
    """The sections that the page which stands `here` is counted to, outermost first; `places` are those of the pages on which sections begin.

    What runs on into a page comes before what begins further down on it; a 卷 begins on a leaf of its own, so nothing runs on into that.
    """
    running: Path = ()
    beginning: list[Path] = []
    for path in walk(sections):
        place = places.get(path[-1].page)
        if place is not None and place < here:
            running = path
        elif place == here:
            beginning.append(path)
    return _counted(running, beginning)


def by_page(sections: Sequence[Section], pages: Sequence[str]) -> Iterator[Path]:
    """What `open_at` gives for each of some pages, which are all of the book in reading order."""
    begins: dict[str, list[Path]] = {}
    for path in walk(sections):
        begins.setdefault(path[-1].page, []).append(path)
    running: Path = ()
    for page in pages:
        beginning = begins.get(page, [])
        yield _counted(running, beginning)
        running = beginning[-1] if beginning else running


def _counted(running: Path, beginning: Sequence[Path]) -> Path:
    if not beginning or (len(running) and running[-1].level > 1 and beginning[0][-1].level > 1):
        return running
    first, *others = beginning
    for path in others:
        if path[:-1] != first:
            break
        first = path
    return first


def extents(sections: Sequence[Section], places: Mapping[str, int], end: int) -> dict[str, tuple[int, int]]:
    """By id of a section where it begins and where the next of its level or higher does (`end` for none); two may share a page.

    `places` are those of the pages on which sections begin; a section that begins on none of them is left out.
    """
    found: dict[str, tuple[int, int]] = {}
    open_: list[Section] = []
    for path in walk(sections):
        section = path[-1]
        if section.page not in places:
            continue
        here = places[section.page]
        while open_ and open_[-1].level >= section.level:
            closed = open_.pop()
            found[closed.id] = found[closed.id][0], max(found[closed.id][0] + 1, here)
        found[section.id] = here, end
        open_.append(section)
    return found


def highest(sections: Sequence[Section]) -> int:
    """The highest number among the ids of a tree (`x12`), 0 for none."""
    return max((int(path[-1].id[1:]) for path in walk(sections) if path[-1].id[1:].isdecimal()), default=0)


def pruned(sections: Sequence[Section], pages: Collection[str]) -> tuple[Section, ...]:
    """Without the sections that begin on none of these pages; those inside them stand in their place."""
    return seen(sections, pages, proposed=True)


def changed(
    sections: Sequence[Section], *, accept: Collection[str] = (), reject: Collection[str] = (), everything: bool = False
) -> tuple[Section, ...]:
    """The tree with some sections accepted (or all) and some rejected: what stands inside a rejected one stands in its place.

    A section is accepted with all it lies in, for a reader could not see it otherwise where it belongs.
    """
    kept: list[Section] = []
    for section in sections:
        children = changed(section.children, accept=accept, reject=reject, everything=everything)
        if section.id in reject:
            kept += children
            continue
        inside = any(path[-1].id in accept for path in walk(children))
        kept.append(replace(section, children=children, accepted=section.accepted or everything or section.id in accept or inside))
    return tuple(kept)


def seen(sections: Sequence[Section], pages: Collection[str], *, proposed: bool = False) -> tuple[Section, ...]:
    """What a reader of these pages may know: nothing that begins on another page, proposals only when asked for.

    The sections inside one that is left out stand in its place.
    """
    kept: list[Section] = []
    for section in sections:
        children = seen(section.children, pages, proposed=proposed)
        if section.page in pages and (section.accepted or proposed):
            kept.append(replace(section, children=children))
        else:
            kept += children
    return tuple(kept)
