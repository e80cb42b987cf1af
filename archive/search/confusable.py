"""Characters that machine reading of woodblock print takes for each other (己 已 巳): a reviewed list, `confusable.tsv`.

Looked up in the query alone, and only when the reader ticks the box; the index and the fold version know nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, islice, product
from pathlib import Path

from archive.search.chinese import fold


@cache
def _table() -> dict[str, tuple[str, ...]]:
    """Folded character to those it is taken for. Raises ValueError for a line that is not two or more characters and a reason, naming it."""
    found: dict[str, dict[str, None]] = {}
    for number, line in enumerate((Path(__file__).parent / "confusable.tsv").read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            written, _tab, reason = line.partition("\t")
            folded = fold(written)
            if len(set(folded)) < 2 or len(set(folded)) != len(written) or not reason.strip():
                raise ValueError(f"confusable.tsv:{number}: {line!r}: expected different characters, a tab, where they are alike")
            for char in folded:
                found.setdefault(char, {}).update(dict.fromkeys(other for other in folded if other != char))
    return {char: tuple(others) for char, others in found.items()}


def confused_with(char: str) -> tuple[str, ...]:
    """The folded characters that a folded one is taken for and that are taken for it; never itself."""
    return _table().get(char, ())


def expand(folded: str, limit: int = 64) -> tuple[str, ...]:
    """What a folded string may have been read as: first those with one character changed, then two …; without itself, at most `limit`."""
    return tuple(islice(_changed(folded), limit))


def _changed(folded: str) -> Iterator[str]:
    places = [at for at, char in enumerate(folded) if confused_with(char)]
    for count in range(1, len(places) + 1):
        for chosen in combinations(places, count):
            for others in product(*(confused_with(folded[at]) for at in chosen)):
                chars = list(folded)
                for at, other in zip(chosen, others, strict=True):
                    chars[at] = other
                yield "".join(chars)
