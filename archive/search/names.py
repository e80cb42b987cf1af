"""Other names of places, persons and subjects, from the vocabularies: offered beside an answer, never looked for unasked.

`place-names`, `person-names` and vocabularies of subjects say which names mean the same; archivists edit them (collections/README.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archive.model.profile import Term, Vocabulary
from archive.search.chinese import fold

VOCABULARIES = {"place-names": "place", "person-names": "person", "han-opera-genres": "subject"}
"""Vocabularies whose terms have other names, and what kind of thing they name."""
_MOST = 12


CATEGORIES = "section-categories"
"""The vocabulary of categories of 门目."""


@dataclass(frozen=True, slots=True)
class Known:
    """Something with several names. `others`: those that differ from the one asked for by more than their form."""

    name: str
    kind: str
    others: tuple[str, ...]
    note: str


class OtherNames:
    """Things by each of their names, folded; a name may mean several things."""

    def __init__(self, vocabularies: Mapping[str, Vocabulary]) -> None:
        self._known: dict[str, list[tuple[str, Term]]] = {}
        for key, kind in VOCABULARIES.items():
            for term in vocabularies[key].terms if key in vocabularies else ():
                for folded in dict.fromkeys(fold(name) for name in (term.value, *term.names)):
                    self._known.setdefault(folded, []).append((kind, term))

        gates = vocabularies.get(CATEGORIES)
        self.categories: dict[str, tuple[str, ...]] = {}
        """By folded category of 门目 the names that books give it, folded; a single character would be found inside too many."""
        for term in gates.terms if gates else ():
            names = dict.fromkeys(fold(name) for name in term.names if len(name) > 1)
            self.categories[fold(term.value)] = tuple(name for name in names if name != fold(term.value))

    def of(self, name: str) -> tuple[Known, ...]:
        """What a name means and what else that is called; nothing for a name that nobody listed."""
        asked = fold(name)
        found = []
        for kind, term in self._known.get(asked, ()):
            forms: dict[str, str] = {}
            for other in (term.value, *term.names):
                forms.setdefault(fold(other), other)
            others = tuple(other for folded, other in forms.items() if folded != asked)[:_MOST]
            if others:
                found.append(Known(term.value, kind, others, term.note))
        return tuple(found)


NO_NAMES = OtherNames({})
