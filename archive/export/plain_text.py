"""Text of pages as plain text, with a head that says whose it is: UTF-8, lines as printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """The text of one page: what the page is called, with whose text it is, and the text."""

    heading: str
    text: str


def plain(head: Sequence[str], parts: Iterable[Part]) -> Iterator[str]:
    """The head, then page after page, each under its heading."""
    yield "\n".join(head) + "\n"
    for part in parts:
        yield f"\n〔{part.heading}〕\n{part.text}\n"
