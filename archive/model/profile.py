"""A material kind as data: `Profile`, its fields, vocabularies and collections. Read from `collections/` by `archive.profiles`."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class FieldType(enum.Enum):
    """How a field's value is read and checked."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    VOCABULARY = "vocabulary"
    PLACE = "place"
    AGENT = "agent"
    URI = "uri"


@dataclass(frozen=True, slots=True)
class Term:
    """A value of a vocabulary. `names` are other spellings a sheet may use."""

    value: str
    label_en: str = ""
    names: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A list of terms; an open one takes other values with a finding, a closed one refuses them."""

    key: str
    label: str
    label_en: str
    terms: tuple[Term, ...]
    open: bool = True
    note: str = ""

    def term(self, written: str) -> Term | None:
        """The term written so, by value or by another name; None when there is none."""
        for term in self.terms:
            if written == term.value or written in term.names:
                return term
        return None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a profile. `headings` are the column headings a sheet may use for it, beside `label` and `label_en`."""

    key: str
    label: str
    label_en: str
    type: FieldType = FieldType.TEXT
    term: str = ""
    """Dublin Core term (`dcterms:creator`) or empty for a local field."""
    vocabulary: str | None = None
    repeatable: bool = False
    facet: bool = False
    searchable: bool = True
    staff_only: bool = False
    """Never shown, indexed or counted for anyone below staff."""
    headings: tuple[str, ...] = ()
    note: str = ""
    example: str = ""
    required: bool = False
    """The donor must give it (only the title is)."""
    extended: bool = False
    """Seldom filled: the template folds its column away."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A material kind. `core` fields (title, date, agents …) come first in `fields`."""

    key: str
    label: str
    label_en: str
    fields: tuple[Field, ...]
    date_field: str = ""
    """Key of the date field that facets and ranges use."""
    derivatives: tuple[str, ...] = ()
    notes_layout: bool = False
    """`(right/left)` and （…） in page text are small double-column notes (`layout.notes`)."""
    reading_direction: str = "ltr"
    """`rtl` for woodblock books."""
    collection: str = ""
    """Slug of the holding its items belong to when nothing else is said."""
    note: str = ""
    examples: tuple[Mapping[str, str], ...] = ()
    """Filled rows for the template: values by field key or structural column (`identifier`, `files`, `access` …)."""

    def field(self, key: str) -> Field | None:
        """The field of that key, or None."""
        return next((f for f in self.fields if f.key == key), None)


@dataclass(frozen=True, slots=True)
class Collection:
    """A holding and its place in the tree."""

    slug: str
    label: str
    label_en: str
    parent: str | None = None
    description: str = ""
    description_en: str = ""
    provenance: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything read from `collections/`, overlaid by the home's `definitions/`."""

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    vocabularies: Mapping[str, Vocabulary] = field(default_factory=dict)
    collections: Mapping[str, Collection] = field(default_factory=dict)
