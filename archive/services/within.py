"""Searching within one item: every occurrence, where it stands on its leaf or in its recording, and what stands around it.

The index says which leaves and timed lines match and how many there are; where on a leaf is read from its text, by the same folding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from archive.model import placing
from archive.model.item import Cue, Item, Track
from archive.model.placing import Box
from archive.model.rights import Audience
from archive.search.base import Hit, Span
from archive.services.reading import Reading, Spread

SIZE = 10
"""Leaves and timed lines on one page of an answer."""
CONTEXT = 30
"""Characters of context on each side of a match."""
LINES = 500
"""Occurrences that a completion is counted from."""
FURTHER = 4
"""Characters that a completion adds at the most."""


Places = Callable[..., tuple[tuple[Span, ...], ...]]
"""`Reading.places` of one query."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of a match stands on one page: code points of its text, and boxes in pixels of its image (none where nobody knows them)."""

    page: str
    start: int
    end: int
    boxes: tuple[Box, ...]
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """One occurrence. On leaves it has stretches; in a recording `media` (its file) and seconds, None for text that nobody has timed."""

    key: str
    before: str
    exact: str
    after: str
    stretches: tuple[Stretch, ...] = ()
    media: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """Page `page` (from 1) of `pages` of what was found; `total` occurrences in all."""

    matches: tuple[Match, ...]
    total: int
    page: int
    pages: int


def search(reading: Reading, reader: Audience, item: str, query: str, page: int = 1, size: int = SIZE) -> Within:
    """Occurrences of a query's strings in an item, in reading order, those of `size` leaves or timed lines at a time.

    Raises QueryError, SearchIndexError, NotFound and Withdrawn.
    """
    view = reading.search(reader, query, item=item, sort="position", page=page, size=size, bare=True)
    results = view.results
    hits = [hit for hit in results.hits if hit.target != "item"]
    spreads = reading.spreads(reader, item, (hit.key for hit in hits if hit.target == "page"))
    timed = _Timed(reading.item(reader, item, pages_size=1).item) if any(hit.target == "segment" for hit in hits) else None
    found = {page: _found(reading, query, spread) for page, spread in spreads.items()}
    # Pages that a match runs on into: their lines are placed on their images only now, some milliseconds each.
    over = {s.following for page, s in spreads.items() if any(parts[-1].end > len(s.text) for parts in found[page])} - {""}
    beyond = spreads | (reading.spreads(reader, item, over - spreads.keys()) if over - spreads.keys() else {})
    matches: list[Match] = []
    for hit in hits:
        if hit.target == "page" and hit.key in spreads:
            matches += _on_leaf(spreads[hit.key], found[hit.key], beyond)
        elif hit.target == "segment" and timed is not None:
            matches += _in_time(partial(reading.places, query, collection=timed.collection), hit, timed)
    whole = results.total + results.metadata_total
    return Within(tuple(matches), results.occurrences, page, max(1, -(-whole // size)))


def _found(reading: Reading, query: str, spread: Spread) -> tuple[tuple[Span, ...], ...]:
    return reading.places(query, spread.text, spread.notes, before=spread.before, after=spread.after, collection=spread.collection)


def _on_leaf(spread: Spread, found: Sequence[tuple[Span, ...]], beyond: Mapping[str, Spread]) -> Iterator[Match]:
    text = spread.text
    whole = f"{spread.before}\n{text}\n{spread.after}"
    shift = len(spread.before) + 1
    for parts in found:
        first, last = shift + parts[0].start, shift + parts[-1].end
        yield Match(
            key=spread.page.id,
            before=_close(whole[max(0, first - 2 * CONTEXT) : first])[-CONTEXT:],
            exact=_close("".join(whole[shift + part.start : shift + part.end] for part in parts)),
            after=_close(whole[last : last + 2 * CONTEXT])[:CONTEXT],
            stretches=tuple(_stretches(spread, parts, len(text), beyond)),
        )


def _stretches(spread: Spread, parts: Sequence[Span], length: int, beyond: Mapping[str, Spread]) -> Iterator[Stretch]:
    """The parts of a match on its page and on the next, each with the boxes of its characters."""
    for part in parts:
        if part.start < length:
            yield _stretch(spread, part.start, min(part.end, length))
        if part.end > length + 1 and spread.following in beyond:
            yield _stretch(beyond[spread.following], max(part.start - length - 1, 0), part.end - length - 1)


def _stretch(spread: Spread, start: int, end: int) -> Stretch:
    boxes = placing.regions(spread.lines, start, end, notes=spread.notes) if spread.width and spread.height else ()
    return Stretch(spread.page.id, start, end, boxes, spread.width, spread.height)


def _close(text: str) -> str:
    """Text without the breaks of columns."""
    return text.replace("\n", "")


class _Timed:
    """Timed text and passages of an item as its reader sees them."""

    def __init__(self, item: Item) -> None:
        self.segments = {segment.id: segment for segment in item.segments}
        self.collection = item.collection
        self.tracks = {track.id: track for track in item.tracks}

    def cue(self, key: str, start: float | None) -> tuple[Track, int] | None:
        """The track and the line that a hit names."""
        track = self.tracks.get(key.partition("@")[0])
        if track is None:
            return None
        return next(((track, n) for n, cue in enumerate(track.cues) if start is None or cue.start == start), None)


def _in_time(places: Places, hit: Hit, timed: _Timed) -> Iterator[Match]:
    segment = timed.segments.get(hit.key)
    if segment is not None:
        found = _in_text(places, segment.title) or [("", segment.title, "")]
        yield from (Match(hit.key, *words, media=segment.media, start=segment.start, end=segment.end) for words in found)
        return
    place = timed.cue(hit.key, hit.start)
    if place is None:
        return
    track, n = place
    if not track.timed:
        text = "\n".join(cue.text for cue in track.cues)
        yield from (Match(hit.key, *words, media=track.media) for words in _in_text(places, text))
        return
    cue, beside = track.cues[n], _beside(track.cues, n)
    for words in _in_text(places, cue.text, *beside):
        yield Match(hit.key, *words, media=track.media, start=cue.start, end=cue.end)


def _beside(cues: Sequence[Cue], n: int) -> tuple[str, str]:
    """The lines before and after one."""
    return cues[n - 1].text if n else "", cues[n + 1].text if n + 1 < len(cues) else ""


def _in_text(places: Places, text: str, before: str = "", after: str = "") -> list[tuple[str, str, str]]:
    """Each occurrence that begins in a text: what stands before it, it itself, what follows."""
    whole, shift = f"{before}\n{text}\n{after}", len(before) + 1
    found = []
    for parts in places(text, before=before, after=after):
        first, last = shift + parts[0].start, shift + parts[-1].end
        exact = _close(whole[first:last])
        found.append((_close(whole[max(0, first - CONTEXT) : first]), exact, _close(whole[last : last + CONTEXT])))
    return found


def completions(reading: Reading, reader: Audience, item: str, begun: str, limit: int = 10) -> list[tuple[str, int]]:
    """How an item's own text goes on from `begun`, most frequent first, each with its occurrences.

    Chinese text has no words to list, so what follows is counted: of strings that always go on alike the longest is given. Of more than
    `LINES` occurrences the first are counted. Raises what `search` raises.
    """
    query = reading.query(reader, begun, item=item)
    lines = reading.concordance(replace(query, sort="work", offset=0, limit=LINES, facets=(), snippets=False)).lines
    counted: Counter[str] = Counter()
    for match, right in zip(lines.match, lines.right, strict=True):
        written = _close(match)
        counted[written] += 1
        for length in range(1, FURTHER + 1):
            tail = right[:length]
            if len(tail) < length or not tail.isalnum():
                break
            counted[written + tail] += 1
    follow: defaultdict[str, list[int]] = defaultdict(list)
    for text, count in counted.items():
        follow[text[:-1]].append(count)
    # What is always followed by the same character is no end.
    longest = [(text, count) for text, count in counted.items() if count not in follow[text]]
    often = [one for one in longest if one[1] > 1] or longest
    return sorted(often, key=lambda one: (-one[1], len(one[0]), one[0]))[:limit]
