"""Words under their taboo substitutes (避諱): 弘治 is printed 宏治 under the Qing. A reviewed list of words (`taboo.tsv`); characters never fold so.

Looked up in the query alone: the index and the fold version know nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise, product
from pathlib import Path

from archive.search.chinese import fold


@dataclass(frozen=True, slots=True)
class Alternative:
    """A listed word in a string, from `start` to before `end`, and the words that stand for it; all folded."""

    start: int
    end: int
    word: str
    others: tuple[str, ...]


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """Each word, folded, to the others of its line. Raises ValueError when a word stands on two lines."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (Path(__file__).parent / "taboo.tsv").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        word, substitutes = line.split("\t")[:2]
        group = tuple(dict.fromkeys(map(fold, (word, *substitutes.split(",")))))
        for one in group:
            if one in found:
                raise ValueError(f"taboo.tsv: {one} has an entry already")
            found[one] = tuple(other for other in group if other != one)
    return found


@cache
def _longest() -> int:
    return max(map(len, _words()), default=0)


def alternatives(folded: str) -> tuple[Alternative, ...]:
    """The listed words in a folded string: leftmost first, the longest at each place, none over another."""
    words, found, at = _words(), [], 0
    while at < len(folded):
        lengths = range(min(_longest(), len(folded) - at), 1, -1)
        word = next((folded[at : at + length] for length in lengths if folded[at : at + length] in words), "")
        if word:
            found.append(Alternative(at, at + len(word), word, words[word]))
        at += len(word) or 1
    return tuple(found)


def expand(folded: str, limit: int = 16) -> tuple[str, ...]:
    """The strings that a folded string may also be written as, without itself, at most `limit`."""
    found = alternatives(folded)
    if not found:
        return ()
    kept = [folded[left.end : right.start] for left, right in pairwise(found)]
    kept = [folded[: found[0].start], *kept, folded[found[-1].end :]]
    written = product(*((each.word, *each.others) for each in found))
    strings = (kept[0] + "".join(word + rest for word, rest in zip(words, kept[1:], strict=True)) for words in written)
    return tuple(islice((string for string in strings if string != folded), limit))
