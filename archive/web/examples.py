"""Queries to try, with what they mean: on the home page, on an empty search and in the help. Tests ask every one of them of the sample archive."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.language import _
from archive.web import presenting

TABLE = Path(__file__).parent / "examples.tsv"


@dataclass(frozen=True, slots=True)
class Example:
    """A query and its meaning in both languages. Of the sample archive it `finds` these hits and `lacks` those (title, title/position)."""

    part: str
    query: str
    zh: str
    en: str
    finds: tuple[str, ...]
    lacks: tuple[str, ...]

    @property
    def about(self) -> str:
        """What it means, in the language in force."""
        return self.en if presenting.english() else self.zh


@cache
def table() -> tuple[Example, ...]:
    """Every example, in the order of the file."""
    lines = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return tuple(
        Example(part, query, zh, en, *(tuple(one for one in told.split("|") if one) for told in (finds, lacks)))
        for part, query, zh, en, finds, lacks in lines[1:]
    )


def examples() -> tuple[tuple[str, str], ...]:
    """(query, meaning) in the language in force, the plainest first."""
    return tuple((example.query, example.about) for example in table())


def parts() -> tuple[tuple[str, tuple[Example, ...]], ...]:
    """The examples under the headings of the help."""
    headings = {"words": _("找一个词"), "together": _("几个词"), "where": _("在哪里找")}
    return tuple((heading, tuple(example for example in table() if example.part == part)) for part, heading in headings.items())
