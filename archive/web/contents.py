"""The section tree of a book as its page shows it: what stands where, how many leaves it has, where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from archive.model.profile import Vocabulary
from archive.model.sections import Section, extents, walk
from archive.search.chinese import fold
from archive.web import presenting

CATEGORIES = "section-categories"
OPEN = 60
"""Sections up to which the whole tree is unfolded; of a larger one the 卷 are shown, each to be opened."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A section. `leaves`: pages from its beginning to the next section's of its level or higher. `category`: said only where it differs."""

    title: str
    url: str
    leaves: int
    category: str
    proposed: bool
    children: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole tree; `unfolded` when there is room for all of it."""

    entries: tuple[Entry, ...]
    unfolded: bool
    proposed: int


def of_book(
    sections: Sequence[Section], places: Mapping[str, int], pages: int, url: Callable[[str], str], categories: Vocabulary | None
) -> Contents | None:
    """The tree with links; None when there is none. `places` positions of pages, `pages` how many there are, `url` the address of one."""
    reaches = extents(sections, places, pages + 1)
    if not reaches:
        return None

    def entry(section: Section) -> Entry:
        return Entry(
            section.title,
            url(section.page),
            reaches[section.id][1] - reaches[section.id][0],
            _category(section, categories),
            not section.accepted,
            tuple(entry(child) for child in section.children if child.id in reaches),
        )

    entries = tuple(entry(section) for section in sections if section.id in reaches)
    proposed = sum(not path[-1].accepted for path in walk(sections) if path[-1].id in reaches)
    return Contents(entries, len(reaches) <= OPEN, proposed)


def _category(section: Section, categories: Vocabulary | None) -> str:
    """The standard category in the language in force, where the title does not say it already."""
    if not section.category:
        return ""
    term = categories.term(section.category) if categories else None
    if presenting.english():
        return term.label_en if term and term.label_en else section.category
    return "" if fold(section.category) in fold(section.title) else section.category
