"""`SearchIndex`: the port every search backend fills, and the values that pass through it.

Offsets are code points of the text as written. Audience is part of every query: a match that touches what the reader may not see does not
exist for that reader, in hits, totals, facets, snippets and suggestions alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

import msgspec

from archive.model.rights import Audience, Visibility


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """One page, one timed segment (a cue or a run of cues) or one item's description.

    `target` is `page`, `segment` or `item`. Page and segment documents of one item come in reading order; text runs on from one to the
    next where `joins_previous` (never over a missing leaf, from one recording into the next, or from one reading into another).
    """

    item: str
    target: str
    key: str
    """Page id, or `TRACK@START` for timed text, or empty for the item's description."""
    text: str
    """Page text as written (a line a printed column, notes in brackets kept), cue text, or the searchable description."""
    visibility: Visibility
    joins_previous: bool = False
    notes: bool = False
    """`(right/left)` and （…） in the text are small notes."""
    position: int = 0
    label: str = ""
    start: float | None = None
    end: float | None = None
    title: str = ""
    collection: str = ""
    kind: str = ""
    year_first: int | None = None
    year_last: int | None = None
    date: str = ""
    """The item's date as written, for `年:乾隆`."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Description by field key, for `题名:`, `责任者:`, `地名:` … and for facets; on every document of the item."""
    field_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Query names (labels in Chinese and English) by field key."""
    facets: tuple[str, ...] = ()
    """Field keys that are facets."""
    section: str = ""
    juan: str = ""
    """The 卷 the leaf is in, for the scope 同卷; empty when nobody knows."""
    source: str = ""
    """Whose text: `donor`, `ocr`, `corrected`, `extracted`."""
    call_number: str = ""
    proper_names: tuple[str, ...] = ()
    """Titles, persons and places of the item that everybody who sees it may see: what suggestions and other names are made of."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search as asked for. `text` is what was typed, parsed by the backend through `archive.search.syntax`."""

    text: str
    reader: Audience = Audience.PUBLIC
    today: date = date.min
    collection: str | None = None
    kind: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    """Facet name to chosen value, beyond the ones above."""
    item: str | None = None
    """Search inside one item only."""
    collections: tuple[str, ...] = ()
    """Any of these holdings, for a holding with those beneath it; empty for all. Beside `collection` both must hold."""
    scope: str = ""
    """Within what several words must stand: `leaf` 同叶, `section` 同目, `juan` 同卷, `work` 同书; empty: a leaf or its neighbour."""
    taboo: bool = True
    """Words of the reviewed list are found under their taboo substitutes too (弘治 = 宏治)."""
    confusable: bool = False
    """Characters that machine reading confuses are found for each other."""
    group: bool = False
    """Hits grouped by work: `Results.groups` are filled, `offset` and `limit` count works."""
    sort: str = "relevance"
    """`relevance`, `date`, `-date`, `title` (pinyin), `strokes` (title by strokes), `call_number`, `position`."""
    offset: int = 0
    limit: int = 20
    facets: Sequence[str] = ("collection", "kind", "decade")
    snippets: bool = True
    """Without, hits come with no excerpts of their text."""
    advice: bool = True
    """Without, nothing is looked for beside what was asked: no corrections, expansions, offers."""


class Span(msgspec.Struct, frozen=True):
    """From `start` to before `end`, code points of the text beside it."""

    start: int
    end: int


class Snippet(msgspec.Struct, frozen=True):
    """An excerpt of the text as written, with the places that match."""

    text: str
    spans: tuple[Span, ...]


class Hit(msgspec.Struct, frozen=True):  # a page of hits is made of them: four times as quick as a frozen dataclass
    """One page, timed segment or item that matches. `matches` occurrences in it, exact."""

    target: str
    item: str
    key: str
    title: str
    label: str
    score: float
    matches: int
    snippets: tuple[Snippet, ...]
    start: float | None = None
    end: float | None = None
    position: int = 0
    collection: str = ""
    kind: str = ""
    source: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    """Why it matched where the form differs: (as typed, as written), each once: 历 ← 厯."""


@dataclass(frozen=True, slots=True)
class Group:
    """A work with its best hits. `total` pages and segments of it that match, `matches` occurrences in them, exact."""

    item: str
    title: str
    total: int
    matches: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word that was, or could be, looked for in other words too. `kind`: `taboo` or `confusable`; `words` each with its occurrences
    (inside a field, `题名:宏治`, with its hits)."""

    word: str
    kind: str
    applied: bool
    words: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """Other names of the place, person or subject whose name the bare query is, each with its hits; never added silently.

    `name` is what it is called today, `note` a sentence on when the names were used and how that is known.
    """

    name: str
    kind: str
    others: tuple[tuple[str, int], ...]
    note: str = ""


class FacetCount(msgspec.Struct, frozen=True):  # a facet has hundreds of them
    """One value of a facet with the number of hits (pages, segments, items) that have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Results:
    """`total` pages and timed segments whose text matches; `items` the works they are in; `metadata_total` items whose description
    matches; `occurrences` in all. Exact, never capped. `understood` says in words how the query was read."""

    total: int
    items: int
    metadata_total: int
    occurrences: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[FacetCount, ...]]
    understood: str = ""
    forms: tuple[tuple[str, int], ...] = ()
    """Written forms found (陜西, 陝西 …) with their occurrences, most frequent first."""
    terms: tuple[str, ...] = ()
    """The strings looked for, folded, for marking them on a page."""
    several: bool = False
    """Several strings must stand together, so that the scope matters."""
    groups: tuple[Group, ...] = ()
    wider: tuple[tuple[str, int], ...] = ()
    """With no hit: the wider scopes (`Query.scope`) with the total each would give."""
    expansions: tuple[Expansion, ...] = ()
    offers: tuple[Offer, ...] = ()
    corrections: tuple[tuple[str, int], ...] = ()
    """With no hit: queries one form or one character off that have some, with their totals."""
    works: int = 0
    """With `Query.group`: how many works there are in all, by text or description."""
    unquoted: int | None = None
    """For a quoted query: the total without the quotes."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A title, person or place that begins so, in characters, pinyin or initials. `kind`: `title`, `person`, `place`."""

    text: str
    kind: str
    items: int


TEXT_END = "‖"
"""Stands in a context where the text that the reader may see begins or ends: the work's first or last leaf, a missing or a closed one."""


@dataclass(frozen=True, slots=True)
class Described:
    """The work that a line of a concordance stands in. `creators` 责任者; `date` as written."""

    title: str
    creators: tuple[str, ...]
    collection: str
    kind: str
    date: str
    year_first: int | None


class Place(NamedTuple):
    """The page or timed segment that lines of a concordance stand in; the fields are those of a hit."""

    target: str
    item: str
    key: str
    label: str
    position: int
    start: float | None
    source: str
    work: Described


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a concordance, column by column: what stands before each occurrence, it itself in the form written, what follows, and its place.

    Contexts run on over columns, leaves and small notes as far as the reader may see, to `TEXT_END`, as they stand in the text with its
    punctuation, without line breaks. `at[i]` is the place of line `i` among `places`.
    """

    left: Sequence[str]
    match: Sequence[str]
    right: Sequence[str]
    at: Sequence[int]
    places: Sequence[Place]

    def __len__(self) -> int:
        return len(self.at)

    def where(self, keep: Sequence[bool]) -> Lines:
        """The lines that stand in places to be kept; all places stay."""
        rows = [row for row, at in enumerate(self.at) if keep[at]]
        left, match, right = ([column[row] for row in rows] for column in (self.left, self.match, self.right))
        return Lines(left, match, right, [self.at[row] for row in rows], self.places)


@dataclass(frozen=True, slots=True)
class Share:
    """What part of the occurrences a work (`item`, `name` its title) or a stretch of years (`year` its first) has, and how many characters
    of text the reader may search there."""

    occurrences: int
    characters: int
    name: str = ""
    item: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Where the occurrences lie. `works` those with the most, most first; `rest` the other works with any together (`others` of them).

    `periods` follow each other without a gap, `step` years each, by the first year of a work; `undated` works without one.
    """

    works: tuple[Share, ...]
    rest: Share
    others: int
    step: int
    periods: tuple[Share, ...]
    undated: Share


@dataclass(frozen=True, slots=True)
class Concordance:
    """Some lines of all `total` occurrences, sorted by `sort` (which differs from what was asked for when that cannot be done)."""

    total: int
    works: int
    sort: str
    lines: Lines
    dispersion: Dispersion
    understood: str


class SearchIndex(Protocol):
    """Full text. One process writes at a time (the caller holds the lease `indexer`); any number read."""

    def search(self, query: Query) -> Results:
        """Hits of `query`; raises QueryError for a fault in it and SearchIndexError when the index is missing, foreign or corrupt."""

    def suggest(self, prefix: str, reader: Audience, today: date, limit: int = 10) -> tuple[Suggestion, ...]:
        """Titles, persons and places that begin so (then: that have it inside), in characters of any form, pinyin or initials.

        Those of most works first; only what the reader may see. Raises SearchIndexError as `search` does.
        """

    def concordance(self, query: Query) -> Concordance:
        """Every occurrence in text that `Results.occurrences` counts, a line each: those of `query.offset` and `query.limit`.

        `query.sort`: `work` (title, then reading order), `date`, `-date`, `left` (the characters before, nearest first), `right`;
        anything else is `work`. Contexts sort by folded characters. Raises what `search` raises.
        """

    def occurrences(self, query: Query) -> Iterator[Lines]:
        """All lines of the concordance in order, in batches, in bounded memory; `query.offset` and `query.limit` do not count."""

    def replace(self, changes: Iterable[tuple[str, Iterable[IndexDocument]]]) -> None:
        """For each (item, documents): take the place of whatever the index held for the item; no documents removes it. Durable on return."""

    def exists(self) -> bool:
        """False when there is no index yet, or a crash cut off the making of the first: `rebuild` makes one."""

    def rebuild(self, items: Iterator[tuple[str, Iterable[IndexDocument]]]) -> None:
        """Build a new index of all items beside the live one, then swap. Readers never see less than the old one."""

    def mark(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[Span, ...]:
        """Where the strings of `query` occur in one text as written, in order, not overlapping.

        `before` and `after` are the texts of the neighbours that this one joins (as the reader may see them): a string that runs on from
        or into them is marked as far as it lies in `text`. A string found over a small note is marked in parts, the note between left out.
        `taboo` as in `Query`; `collection` is the one the text belongs to, whose own glyph table it is read by.
        """

    def places(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[tuple[Span, ...], ...]:
        """Each occurrence of a string of `query` that begins in `text`, in order; overlapping ones too, as `Results.occurrences` counts them.

        An occurrence is one part, or several where it was found over small notes. Parts may go on into `after`, whose first code point counts
        as `len(text) + 1`. The other arguments as for `mark`.
        """

    def doctor(self) -> Mapping[str, object]:
        """State for `fangzhi doctor`: segments, documents, bytes, fold version; `fault` a sentence when it is not well."""

    def close(self) -> None:
        """Let go of files."""
