"""Did you mean: for a query that finds nothing, other queries close to it that do.

Only what the reader may see is looked at, and every query offered is asked before it is shown.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from archive.search import confusable
from archive.search.evaluation import View
from archive.search.segment_text import ANY, NOWHERE, Occurrences
from archive.search.syntax import And, Clause, Parsed, Phrase

MOST = 5
_TRIED = 12
"""Queries asked at the most for one answer."""
_LONGEST = 40
_PLACES = 20_000
"""Places of a string with a gap that are read for what stands in the gap."""
_EACH = 4

Count = Callable[[str], int]
"""The hits of a query for the reader."""


def corrections(typed: str, parsed: Parsed, views: Sequence[View], homophones: Sequence[str], count: Count) -> tuple[tuple[str, int], ...]:
    """Queries that differ from `typed` by the form written, a name that sounds the same, or one character, each with its hits.

    At most `MOST`, those with most hits first within each kind. `homophones`: names that the reader may see which are read like `typed`.
    """
    found: dict[str, int] = {}
    tried = {typed.strip()}
    for query in _candidates(typed, parsed, views, homophones):
        if len(found) >= MOST or len(tried) > _TRIED:
            break
        if query not in tried:
            tried.add(query)
            if hits := count(query):
                found[query] = hits
    return tuple(found.items())


def _candidates(typed: str, parsed: Parsed, views: Sequence[View], homophones: Sequence[str]) -> Iterator[str]:
    yield from homophones
    for phrase in _strings(parsed.clause):
        text = "".join(char or "" for part in phrase.written for char in part)
        if not phrase.literal or typed.count(text) != 1 or len(text) > _LONGEST:
            continue
        before, after = typed.split(text)
        if phrase.exact:
            yield (before[:-1] + text + after[1:]).strip()
        elif not _present(phrase, views):
            yield from (before + other + after for other in _near(phrase, views))


def _strings(clause: Clause) -> Iterator[Phrase]:
    """The strings that every hit must have."""
    if isinstance(clause, Phrase):
        yield clause
    elif isinstance(clause, And):
        for part in clause.clauses:
            yield from _strings(part)


def _present(phrase: Phrase, views: Sequence[View]) -> bool:
    return any(len(_seen(view, phrase.parts[0], phrase.scope)) for view in views)


def _seen(view: View, chars: Sequence[str | None], scope: str) -> Occurrences:
    """Where some characters stand that the reader may see (None: any one); not more than are to be read."""
    pattern = view.text.pattern(chars)
    if pattern is None:
        return NOWHERE
    found = view.text.find(pattern, scope) if scope or ANY not in pattern else view.text.find_through(pattern)
    found, documents = view.seen(found)
    return found.where(np.flatnonzero(view.counted[documents])[:_PLACES])


def _near(phrase: Phrase, views: Sequence[View]) -> Iterator[str]:
    """Strings one character off, as they stand in the text: another character (of three and more), or one less (of four and more).

    Of shorter ones only a character that is easily taken for another.
    """
    folded, written = phrase.parts[0], phrase.written[0]
    if len(folded) < 3:
        yield from confusable.expand(phrase.text, _TRIED)
        return
    counts: Counter[str] = Counter()
    for at in range(len(folded)):
        for char, number in _in_the_gap(folded, at, views, phrase.scope).most_common(_EACH):
            counts["".join(char if place == at else other or "" for place, other in enumerate(written))] = number
    if len(folded) > 3:
        for at in range(len(folded)):
            rest = [*folded[:at], *folded[at + 1 :]]
            if number := sum(len(_seen(view, rest, phrase.scope)) for view in views):
                counts["".join(other or "" for place, other in enumerate(written) if place != at)] = number
    yield from (text for text, _number in counts.most_common())


def _in_the_gap(folded: Sequence[str | None], at: int, views: Sequence[View], scope: str) -> Counter[str]:
    """What stands at one place of a string where the rest of it agrees, as written; no signs that stand for glyphs without a code."""
    forms: Counter[str] = Counter()
    for view in views:
        found = _seen(view, [None if place == at else char for place, char in enumerate(folded)], scope)
        if len(found):
            codes, numbers = np.unique(view.text.codes_at(found, at), return_counts=True)
            letters = map(chr, view.text.letters[codes])
            forms.update(
                {letter: int(number) for letter, number in zip(letters, numbers, strict=True) if unicodedata.category(letter) != "Cn"}
            )
    return forms
