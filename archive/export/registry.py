"""Forms of a citation that other programs take: a plain table, one line a form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archive.export.bibtex import bibtex
from archive.export.reference import Reference
from archive.export.ris import ris


@dataclass(frozen=True, slots=True)
class Form:
    """A form: how it is written, its media type, the ending of its file's name."""

    write: Callable[[Reference], str]
    media_type: str
    suffix: str


FORMS = {
    "bibtex": Form(bibtex, "application/x-bibtex", "bib"),
    "ris": Form(ris, "application/x-research-info-systems", "ris"),
}
