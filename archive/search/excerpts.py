"""Excerpts of a text with the places that match, and marking a whole text. Offsets are code points of the text as written."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from archive.search import words
from archive.search.base import Snippet, Span
from archive.search.chinese import WALL, WALL_CHARACTER, Located, fold_characters, locate, of_collection
from archive.search.segment_text import GAP
from archive.search.syntax import Phrase

CONTEXT = 30
"""Characters of context on each side of a match."""
_MOST = 3
_NEIGHBOUR = 300
"""Characters of a neighbouring text that can matter to a mark."""


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, overlapping and touching ones made one."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def spans_of(located: Located, first: int, last: int, over: bool) -> Iterator[tuple[int, int]]:
    """Where the characters `first` to before `last` stand in the text; with `over` in parts that leave out the notes between."""
    begin: int | None = None
    for at in range(first, last):
        if over and located.noted[at] and not located.noted[first]:
            if begin is not None:
                yield begin, located.ends[at - 1]
            begin = None
        elif begin is None:
            begin = located.starts[at]
    if begin is not None:
        yield begin, located.ends[last - 1]


def snippets(text: str, ranges: Sequence[tuple[int, int]]) -> tuple[Snippet, ...]:
    """Up to three excerpts around the first matches; without matches the beginning of the text."""
    if not ranges:
        return (Snippet(_shown(text[: 2 * CONTEXT]), ()),) if text else ()
    windows: list[tuple[int, int, list[tuple[int, int]]]] = []
    for start, end in merged(ranges):
        low, high = max(0, start - CONTEXT), min(len(text), min(end, start + 4 * CONTEXT) + CONTEXT)
        if windows and low <= windows[-1][1]:
            windows[-1][2].append((start, end))
            windows[-1] = (windows[-1][0], max(high, windows[-1][1]), windows[-1][2])
        elif len(windows) < _MOST:
            windows.append((low, high, [(start, end)]))
        else:
            break
        if windows[-1][1] - windows[-1][0] > 8 * CONTEXT and len(windows) == _MOST:
            break
    return tuple(
        Snippet(_shown(text[low:high]), tuple(Span(start - low, min(end, high) - low) for start, end in inside if start < high))
        for low, high, inside in windows
    )


def _shown(text: str) -> str:
    return text.replace(WALL, "\n")


def mark(phrases: Sequence[Phrase], text: str, notes: bool, before: str, after: str, collection: str = "") -> tuple[Span, ...]:
    """Where the phrases stand in `text`, which runs on from `before` and into `after` and belongs to a collection."""
    ranges = (pair for found in _found(phrases, text, notes, before, after, collection) for pair in found)
    clipped = ((max(start, 0), min(end, len(text))) for start, end in ranges)
    return tuple(Span(start, end) for start, end in merged(pair for pair in clipped if pair[0] < pair[1]))


def places(
    phrases: Sequence[Phrase], text: str, notes: bool, before: str, after: str, collection: str = ""
) -> tuple[tuple[Span, ...], ...]:
    """Each occurrence that begins in `text`, once, in its parts; these go on into `after`, which stands one line feed behind `text`."""
    found = {tuple(parts) for parts in _found(phrases, text, notes, before, after, collection)}
    begun = sorted(parts for parts in found if 0 <= parts[0][0] < len(text))
    return tuple(tuple(Span(start, end) for start, end in parts) for parts in begun)


def _found(phrases: Sequence[Phrase], text: str, notes: bool, before: str, after: str, collection: str) -> Iterator[list[tuple[int, int]]]:
    """Every occurrence in its parts, in code points from the beginning of `text`: negative ones lie in `before`."""
    head = before[-_NEIGHBOUR:] if not notes else before
    whole = head + "\n" + text + "\n" + after[:_NEIGHBOUR]
    shift = len(head) + 1
    located = locate(whole, notes)
    characters = of_collection(located.written, collection)
    streams = [(tuple(range(len(located.written))), False)]
    if any(located.noted):
        streams.append((tuple(at for at, noted in enumerate(located.noted) if not noted), True))
    for places, over in streams:
        written = "".join(map(characters.__getitem__, places)) if over else "".join(characters)
        for phrase in phrases:
            for start, end in _matches(phrase, written):
                first, last = places[start], places[end - 1] + 1
                if _in_scope(phrase, located, places[start:end], over) and not _is_piece(phrase, located, first, last):
                    yield [(begin - shift, stop - shift) for begin, stop in spans_of(located, first, last, over)]


def _is_piece(phrase: Phrase, located: Located, start: int, end: int) -> bool:
    """Part of a longer word of Latin letters, or of a longer number."""
    first, last = words.has_ends(phrase, 0)[0], words.has_ends(phrase, len(phrase.parts) - 1)[1]
    return (first and words.runs_on(located, start)) or (last and words.runs_on(located, end))


def _in_scope(phrase: Phrase, located: Located, places: Sequence[int], over: bool) -> bool:
    if not phrase.scope:
        return True
    noted = [located.noted[at] for at in places]
    return (all(noted) and not over) if phrase.scope == "note" else not any(noted)


def _matches(phrase: Phrase, written: str) -> Iterator[tuple[int, int]]:
    """Each place of a phrase in a stream of characters, overlapping ones too.

    Parts are found one by one and linked from the last to the first, as the index does it: one pattern for all would try every gap with every other.
    """
    haystack = written if phrase.exact else fold_characters(written)
    parts = [_places(part, haystack) for part in (phrase.written if phrase.exact else phrase.parts)]
    later = parts[-1]
    for part in reversed(parts[:-1]):
        starts, linked = [start for start, _end in later], []
        for start, end in part:
            at = bisect_left(starts, end)
            if at < len(later) and starts[at] - end <= GAP and WALL_CHARACTER not in haystack[end : starts[at]]:
                linked.append((start, later[at][1]))
        later = linked
    yield from later


def _places(part: Sequence[str | None], haystack: str) -> list[tuple[int, int]]:
    pattern = re.compile("(?=" + "".join("[^\0]" if char is None else re.escape(char) for char in part) + ")")
    return [(match.start(), match.start() + len(part)) for match in pattern.finditer(haystack)]
