"""What researchers do: browse, open an item, a page, a recording, search. Web, API and `fangzhi search` call these and nothing below them.

Every method takes the reader and never gives back anything hidden from that reader. Hidden and absent are the same `NotFound`, word for word.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, TypedDict, Unpack

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select

from archive.catalogue import items as rows
from archive.catalogue import schema as tables
from archive.catalogue.engine import Catalogue, Prepared
from archive.catalogue.shown import counts
from archive.derivatives.store import DerivativeStore
from archive.errors import NotFound, UsageError, Withdrawn
from archive.language import _
from archive.model.access import Access, Intervals, Terms
from archive.model.folios import Folio
from archive.model.identifiers import file_key, parse_file_key
from archive.model.item import Item, MediaFile, Page, TextLine, TextVersion, Track
from archive.model.profile import Collection, Definitions, Profile
from archive.model.rights import Audience, Rights
from archive.model.sections import Section, open_at, walk
from archive.search.base import Concordance, Hit, Lines, Place, Query, Results, SearchIndex, Span, Suggestion
from archive.services import boxes, seeing
from archive.services.seeing import CutRecording

log = logging.getLogger(__name__)

LARGEST = 200
"""Most items, pages or hits on one page of a list."""
PAGES_SIZE = 48
MOST_PAGES = 20_000
"""Most pages of one item among which hits are turned from one to the next."""


class Narrowing(TypedDict, total=False):
    """What narrows a search, as in `Query`; `collection` means the holding and those beneath it."""

    collection: str | None
    kind: str | None
    year_from: int | None
    year_to: int | None
    filters: Mapping[str, str]
    item: str | None
    scope: str
    taboo: bool
    confusable: bool


@dataclass(frozen=True, slots=True)
class CollectionCount:
    """A holding with what the reader sees in it and below it: 种, 面, recordings and their seconds."""

    collection: Collection
    items: int
    pages: int
    recordings: int
    duration: float


@dataclass(frozen=True, slots=True)
class KindCount:
    """A material kind, what the reader sees of it. `profile` None when no definition has its key any more."""

    kind: str
    profile: Profile | None
    items: int
    pages: int
    recordings: int
    duration: float


@dataclass(frozen=True, slots=True)
class ItemSummary:
    """One line of a list. `thumb` is a file key, `date` as printed, `duration` seconds; pages and recordings are those the reader sees."""

    id: str
    title: str
    kind: str
    collection: str
    date: str
    year_first: int | None
    year_last: int | None
    thumb: str | None
    pages: int
    recordings: int
    duration: float | None
    to_describe: bool


@dataclass(frozen=True, slots=True)
class ItemList:
    """`items` of page `page` (from 1) of a list of `total`."""

    total: int
    items: tuple[ItemSummary, ...]
    page: int
    size: int

    @property
    def pages(self) -> int:
        """Pages of the list, at least 1."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class PageSummary:
    """A page in the list of its item. `position` counts the pages the reader sees; `image` is a file key; `folio` a label, empty when unknown."""

    id: str
    position: int
    label: str
    folio: str
    section: str
    missing: bool
    image: str | None
    width: int | None
    height: int | None
    has_text: bool
    verified: bool = False
    """A person looked at the folio (已核)."""
    printed: Folio | None = None
    """What `folio` is the label of."""


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item opened. `item` has everything but `pages` and the files that stand on pages; `pages` is one chunk of `summary.pages` in all."""

    summary: ItemSummary
    item: Item
    profile: Profile | None
    pages: tuple[PageSummary, ...]
    pages_page: int
    pages_size: int
    cut: tuple[CutRecording, ...] = ()
    """Recordings of which the reader gets a copy without the passages that are closed to them; `item.files` does not have these."""
    places: Mapping[str, int] = field(default_factory=dict)
    """Of the pages on which sections begin, their positions (from 1, among the pages the reader sees)."""


@dataclass(frozen=True, slots=True)
class PageView:
    """A page opened: `position` of `of`, the ids beside it, its image (file key, size in pixels) and the reading to show.

    `text` has boxes wherever they are known: as they came (ALTO, machine reading) or placed on the image afterwards (`services/boxes.py`).
    """

    item: ItemSummary
    page: Page
    position: int
    of: int
    previous: str | None
    next: str | None
    image: str | None
    width: int | None
    height: int | None
    text: TextVersion | None
    profile: Profile | None
    rights: Rights
    """Of the item, for a licence line."""
    direction: tuple[str, ...] = ()
    """The item's own reading direction, as written; empty where its profile decides."""
    description: tuple[str, ...] = ()
    """Of the item, where readers may see it: it may say that the images are not of the original."""
    sections: tuple[Section, ...] = ()
    """The sections the page lies in, outermost first."""


@dataclass(frozen=True, slots=True)
class LeafOutline:
    """A page without its text. `page.image` is None when it is closed; `width` and `height` of the image, upright, None when nobody measured."""

    page: Page
    width: int | None
    height: int | None
    has_text: bool
    """There is a reading that the reader may see."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A page with the reading shown, and what stands before and after it in the same reading; empty where nothing does."""

    page: Page
    width: int | None
    height: int | None
    lines: tuple[TextLine, ...]
    before: str
    following: str
    """Id of the page after, empty when this one does not run on into it."""
    after: str
    notes: bool
    """Brackets in the text are small notes."""
    collection: str
    """The holding, whose own glyph table the text is read by."""

    @property
    def text(self) -> str:
        """The lines joined by line feeds."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Outline:
    """An item with all its pages but none of their texts: what a manifest is made of. `item` is without pages and the files on them."""

    item: Item
    profile: Profile | None
    leaves: tuple[LeafOutline, ...]
    cut: tuple[CutRecording, ...] = ()
    """As in `ItemView`."""


@dataclass(frozen=True, slots=True)
class FileAccess:
    """A file the reader may have: whole, or one image of it (`part` from 1)."""

    item: str
    file: MediaFile
    part: int | None
    title: str
    cuts: tuple[Intervals, ...] = ()
    """Not empty: only a copy without one of these sets of passages (`CutRecording`)."""


@dataclass(frozen=True, slots=True)
class SearchView:
    """An answer of the index, every hit checked once more; `items` by id, `images` file keys by (item, key of the hit)."""

    results: Results
    items: Mapping[str, ItemSummary]
    images: Mapping[tuple[str, str], str]
    page: int
    size: int


class Reading:
    """The archive as readers meet it. `today` gives the day (UTC) on which embargoes are judged. Safe to share between threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        index: SearchIndex,
        definitions: Definitions,
        today: Callable[[], date],
        derivatives: DerivativeStore | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._derivatives = derivatives
        self._index = index
        self._definitions = definitions
        self._today = today

    def collections(self, reader: Audience) -> tuple[CollectionCount, ...]:
        """All holdings in their order, those that are empty for this reader too."""
        with self._at() as (connection, day):
            found = counts(connection, reader, day)
        lines = []
        for collection in sorted(self._definitions.collections.values(), key=lambda given: (given.order, given.slug)):
            within = set(self._below(collection.slug))
            lines.append(CollectionCount(collection, *_sums(count for count in found if count.collection in within)))
        return tuple(lines)

    def collection(self, reader: Audience, slug: str) -> CollectionCount:
        """One holding; raises NotFound."""
        for count in self.collections(reader):
            if count.collection.slug == slug:
                return count
        raise NotFound(_("没有馆藏“%(slug)s”。", slug=slug))

    def kinds(self, reader: Audience, collection: str | None = None) -> tuple[KindCount, ...]:
        """Material kinds of which the reader sees anything, most items first."""
        with self._at() as (connection, day):
            found = [
                count for count in counts(connection, reader, day) if collection is None or count.collection in self._below(collection)
            ]
        lines = [
            KindCount(kind, self._definitions.profiles.get(kind), *_sums(count for count in found if count.kind == kind))
            for kind in sorted({count.kind for count in found})
        ]
        return tuple(sorted(lines, key=lambda line: -line.items))

    def recent(self, reader: Audience, limit: int = 12) -> tuple[ItemSummary, ...]:
        """What was described last, newest first."""
        return self.items(reader, size=limit, sort="recent").items

    def items(
        self,
        reader: Audience,
        collection: str | None = None,
        kind: str | None = None,
        page: int = 1,
        size: int = 24,
        sort: str = "title",
        beneath: bool = True,
    ) -> ItemList:
        """One page of the items a reader sees; `sort` is `title`, `date` or `recent`. Raises UsageError for another.

        A holding's items are those of the holdings beneath it too, unless `beneath` is False.
        """
        page, size = max(1, page), min(max(1, size), LARGEST)
        within = None if collection is None else self._below(collection) if beneath else [collection]
        with self._at() as (connection, day):
            found = counts(connection, reader, day)
            total = sum(c.items for c in found if (within is None or c.collection in within) and kind in (None, c.kind))
            query = _listed(within, kind, sort).limit(size).offset((page - 1) * size).subquery()
            lines = connection.execute(_lines_of(query, sort), {"reader": reader.rank, "day": day}) if total > (page - 1) * size else ()
            return ItemList(total, tuple(_summary(row) for row in lines), page, size)

    def item(self, reader: Audience, item_id: str, pages_page: int = 1, pages_size: int = PAGES_SIZE) -> ItemView:
        """An item with one chunk of its pages; raises NotFound and Withdrawn."""
        page, size = max(1, pages_page), min(max(1, pages_size), LARGEST)
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            profile = self._profile(row["kind"])
            item, cut = self._beside_pages(connection, row, reader, day, profile)
            pages = _chunk(connection, row, reader, day, (page - 1) * size, size)
            places = _places(connection, item.sections, row, reader, day)
        return ItemView(_summary(row), item, profile, pages, page, size, cut, places)

    def whole(self, reader: Audience, item_id: str, *, texts: bool = False) -> Item:
        """The whole item, all pages, for manifests and the API; raises NotFound and Withdrawn. Slow for works of thousands of pages."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            stored = rows.get_item(connection, item_id, texts=True)
        seen = stored and seeing.visible(stored.item, reader, date.fromordinal(day), profile=self._profile(row["kind"]))
        if not seen:
            raise _nothing(item_id)
        return seen if texts else replace(seen, pages=tuple(replace(page, texts=()) for page in seen.pages))

    def outline(self, reader: Audience, item_id: str) -> Outline:
        """The item with all its pages, quick in a work of hundreds: no text is read. Raises NotFound and Withdrawn."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            profile = self._profile(row["kind"])
            item, cut = self._beside_pages(connection, row, reader, day, profile)
            values = {"item": item_id, "reader": reader.rank, "day": day, "passed": 0, "offset": 0, "limit": -1}
            found = connection.execute(_CHUNK, values).mappings() if row["pages"] else ()
            leaves = tuple(_leaf_outline(page, n, reader, day) for n, page in enumerate(found, 1))
        return Outline(item, profile, leaves, cut)

    def page(self, reader: Audience, item_id: str, page_id: str) -> PageView:
        """One page; raises NotFound and Withdrawn."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            stored = rows.get_page(connection, item_id, page_id)
            if stored is None or stored.terms.on(day) > reader.rank:
                raise _nothing(f"{item_id}/p/{page_id}")
            position = stored.position if row["pages"] == row["n_pages"] else _position(connection, item_id, stored.position, reader, day)
            previous, following = rows.page_neighbours(connection, item_id, stored.position, reader, date.fromordinal(day))
            record = msgspec.json.decode(row["record"], type=Item)
            places = _places(connection, record.sections, row, reader, day)
        page = replace(_seen_page(stored, reader, day), position=position)
        profile = self._profile(row["kind"])
        text = page.text
        if text is not None and stored.file is not None and self._derivatives is not None:
            text = boxes.with_boxes(page, text, stored.file.sha512, self._derivatives, notes=profile.notes_layout)
        sections = seeing.sections_for(record.sections, places, reader)
        return PageView(
            item=_summary(row),
            page=page,
            position=position,
            of=row["pages"],
            previous=previous,
            next=following,
            image=file_key(item_id, page.image.file, page.image.part) if page.image else None,
            width=stored.width if page.image else None,
            height=stored.height if page.image else None,
            text=text,
            profile=profile,
            rights=seeing.told(record.rights, reader),
            direction=record.fields.get("reading-direction", ()),
            description=() if (field := profile.field("description")) is None or field.staff_only else record.fields.get("description", ()),
            sections=open_at(sections, places, position),
        )

    def page_at(self, reader: Audience, item_id: str, position: int) -> PageView:
        """The page at a position (from 1, among those the reader sees); raises NotFound and Withdrawn."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            found = _chunk(connection, row, reader, day, position - 1, 1) if position > 0 else ()
        if not found:
            raise _nothing(f"{item_id}/pages/{position}")
        return self.page(reader, item_id, found[0].id)

    def pages(self, reader: Audience, item_id: str) -> tuple[PageSummary, ...]:
        """All pages of an item that the reader sees, in order, for a viewer's list; raises NotFound and Withdrawn."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            return _chunk(connection, row, reader, day, 0, row["n_pages"])

    def pages_with(self, reader: Audience, item_id: str, text: str, *, taboo: bool = True) -> tuple[tuple[str, int], ...]:
        """The pages of an item on which a query is found, in order, each with its occurrences.

        Raises QueryError and SearchIndexError, NotFound and Withdrawn.
        """
        query = self.query(reader, text, item=item_id, taboo=taboo)
        results = self._index.search(replace(query, sort="position", limit=MOST_PAGES, facets=(), snippets=False))
        with self._at() as (connection, _day):
            seen = self._checked(connection, results, reader, query.today.toordinal(), 1, MOST_PAGES)
        return tuple((hit.key, hit.matches) for hit in seen.results.hits if hit.target == "page")

    def file(self, reader: Audience, key: str) -> FileAccess:
        """A file or one image of it, for whoever serves its bytes or what is made from them; raises NotFound and Withdrawn."""
        try:
            item_id, file_id, part = parse_file_key(key)
        except UsageError:
            raise _nothing(key) from None
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            found = connection.execute(_FILE, {"item": item_id, "file": file_id}).mappings().one_or_none()
            if found is None:
                raise _nothing(key)
            file = msgspec.json.decode(found["record"], type=MediaFile)
            if part is not None and not 1 <= part <= (file.parts or 1):
                raise _nothing(key)
            terms = _image_terms(connection, item_id, file_id, part) or [rows.terms_of(found)]
            if any(t.on(day) > reader.rank for t in terms):
                raise _nothing(key)
        return FileAccess(item_id, file, part, row["title"])

    def recording(self, reader: Audience, key: str) -> FileAccess:
        """As `file`, for what is made from a recording: where passages are closed to the reader, the copies without them. Raises as `file` does."""
        try:
            return self.file(reader, key)
        except Withdrawn:
            raise
        except NotFound:
            cut = self._cut(reader, key)
            if cut is None:
                raise
            return cut

    def _cut(self, reader: Audience, key: str) -> FileAccess | None:
        try:
            item_id, file_id, part = parse_file_key(key)
        except UsageError:
            return None
        if part is not None:
            return None
        with self._at() as (connection, day):
            row = connection.execute(_ONE_LINE, {"item": item_id, "reader": reader.rank, "day": day}).mappings().one_or_none()
            if row is None:
                return None
            _item, cut = self._beside_pages(connection, row, reader, day, self._profile(row["kind"]))
        return next((FileAccess(item_id, one.file, None, row["title"], one.cuts) for one in cut if one.file.id == file_id), None)

    def tracks(self, reader: Audience, item_id: str) -> tuple[Track, ...]:
        """Timed text of an item without what lies in closed passages; raises NotFound and Withdrawn."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            return self._without_pages(connection, row, reader, day, self._profile(row["kind"])).tracks

    def track(self, reader: Audience, item_id: str, track_id: str) -> Track:
        """One track; raises NotFound and Withdrawn."""
        for track in self.tracks(reader, item_id):
            if track.id == track_id:
                return track
        raise _nothing(f"{item_id}/{track_id}")

    def search(
        self,
        reader: Audience,
        text: str,
        *,
        sort: str = "relevance",
        page: int = 1,
        size: int = 20,
        facets: Sequence[str] = ("collection", "kind", "decade"),
        group: bool = False,
        bare: bool = False,
        **narrowing: Unpack[Narrowing],
    ) -> SearchView:
        """Hits of a query; raises QueryError and SearchIndexError, and with `item` NotFound and Withdrawn when that is closed.

        `bare`: the hits alone, without excerpts and without advice on what else could be asked.
        Every hit is checked against the catalogue before it goes out. One that fails is a fault of ours: dropped and logged, by its id only.
        """
        page, size = max(1, page), min(max(1, size), LARGEST)
        query = self.query(reader, text, **narrowing)
        query = replace(query, group=group, sort=sort, offset=(page - 1) * size, limit=size, facets=tuple(facets))
        if bare:
            query = replace(query, snippets=False, advice=False, facets=())
        results = self._index.search(query)
        with self._at() as (connection, _day):
            return self._checked(connection, results, reader, query.today.toordinal(), page, size)

    def query(self, reader: Audience, text: str, **narrowing: Unpack[Narrowing]) -> Query:
        """What `search` asks the index, for a concordance of the same; with `item` raises NotFound and Withdrawn when that is closed."""
        collection, item = narrowing.pop("collection", None), narrowing.get("item")
        if item is not None:
            with self._at() as (connection, day):
                self._row(connection, item, reader, day)
        narrowing["filters"] = narrowing.get("filters") or {}
        return Query(text, reader, self._today(), collections=tuple(self._below(collection)) if collection else (), **narrowing)

    def concordance(self, query: Query) -> Concordance:
        """Some lines of a concordance (`SearchIndex.concordance`), each checked against the catalogue as hits are."""
        found = self._index.concordance(query)
        return replace(found, lines=self._checked_lines(found.lines, query.reader))

    def occurrences(self, query: Query) -> Iterator[Lines]:
        """All its lines in batches, checked. What is wrong with the query or the index is raised before the first batch is asked for."""
        batches = self._index.occurrences(query)
        return (self._checked_lines(batch, query.reader) for batch in batches)

    def _checked_lines(self, lines: Lines, reader: Audience) -> Lines:
        with self._at() as (connection, day):
            open_ = self._open_places(connection, lines.places, reader, day)
        for place, allowed in zip(lines.places, open_, strict=True):
            if not allowed:
                log.error("the index gave %s %s/%s to a reader (%s) who may not see it", place.target, place.item, place.key, reader.value)
        return lines if all(open_) else lines.where(open_)

    def _open_places(self, connection: Connection, places: Sequence[Place], reader: Audience, day: int) -> list[bool]:
        """For each place whether the catalogue, too, lets the reader see it."""
        wanted = json.dumps(sorted({place.item for place in places}))
        items = set(connection.execute(_OPEN_ITEMS, {"items": wanted, "reader": reader.rank, "day": day}).scalars())
        pages = [(place.item, place.key) for place in places if place.target == "page"]
        given = {"pages": json.dumps(sorted(pages)), "reader": reader.rank, "day": day}
        found = {(item, page): texts for item, page, texts in connection.execute(_OPEN_TEXTS, given)} if pages else {}
        # Of a page with several readings the least closed one is known here; which of them was found decides.
        several = [_hit_in(place) for place in places if place.target == "page" and found.get((place.item, place.key), 0) > 1]
        of_several = _open_pages(connection, several, reader, day)[0]
        timed = _Timed(self, connection, reader, day)

        def allowed(place: Place) -> bool:
            if place.item not in items:
                return False
            if place.target == "segment":
                return timed.allows(_hit_in(place))
            here = place.item, place.key
            return here in found and (found[here] == 1 or here in of_several)

        return [allowed(place) for place in places]

    def suggest(self, reader: Audience, text: str, limit: int = 10) -> tuple[Suggestion, ...]:
        """Titles, persons and places that begin with `text`, in characters, pinyin or initials; raises SearchIndexError."""
        return self._index.suggest(text, reader, self._today(), limit)

    def newest(self, reader: Audience, items: Iterable[str], limit: int = 30) -> tuple[tuple[ItemSummary, str], ...]:
        """Of these items the ones that came last, each with when it came or was last published (UTC, `2026-11-22T21:11:49Z`)."""
        with self._at() as (connection, day):
            asked = {"items": json.dumps(sorted(items)), "reader": reader.rank, "day": day, "limit": min(limit, LARGEST)}
            return tuple((_summary(row), row["came"]) for row in connection.execute(_NEWEST, asked).mappings())

    def marks(self, reader: Audience, view: PageView, query: str) -> tuple[Span, ...]:
        """Where a query's strings occur in the text of a page (`view.text.text`), those too that run over from the pages beside it."""
        if view.text is None:
            return ()
        with self._at() as (connection, day):
            here = rows.get_page(connection, view.item.id, view.page.id)
            before = _text_beside(connection, view, view.previous, here, -1, reader, day)
            after = _text_beside(connection, view, view.next, here, 1, reader, day)
        notes = view.profile is not None and view.profile.notes_layout
        return self._index.mark(query, view.text.text, notes, before=before, after=after, collection=view.item.collection)

    def places(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", collection: str = ""
    ) -> tuple[tuple[Span, ...], ...]:
        """Each occurrence of a query's strings that begins in a text that the reader has before them, as in `SearchIndex.places`."""
        return self._index.places(query, text, notes, before=before, after=after, collection=collection)

    def spreads(self, reader: Audience, item_id: str, pages: Iterable[str]) -> dict[str, Spread]:
        """Pages with their text and that of the pages they run on from and into, by id; those that the reader may not see are not among them."""
        with self._at() as (connection, day):
            row = self._row(connection, item_id, reader, day)
            notes = self._profile(row["kind"]).notes_layout
            wanted = json.dumps(sorted(set(pages)))
            positions = connection.execute(_POSITIONS, {"item": item_id, "pages": wanted}).scalars().all()
            near = json.dumps(sorted({position + step for position in positions for step in (-1, 0, 1)}))
            found = connection.execute(_SPREAD, {"item": item_id, "positions": near, "reader": reader.rank, "day": day}).mappings().all()
        leaves = {leaf["position"]: _spread_leaf(leaf, reader, day) for leaf in found}
        spreads = [_spread(leaves, position, notes, row["collection"]) for position in positions if position in leaves]
        images = {leaf["id"]: leaf["sha512"] for leaf in found if leaf["sha512"]}
        return {spread.page.id: self._boxed(spread, images) for spread in spreads}

    def _boxed(self, spread: Spread, images: Mapping[str, str]) -> Spread:
        """The spread with boxes for the lines of its page, as `page` has them; `images` digests of image files by page."""
        text, sha512 = spread.page.text, images.get(spread.page.id)
        if text is None or sha512 is None or self._derivatives is None:
            return spread
        return replace(spread, lines=boxes.with_boxes(spread.page, text, sha512, self._derivatives, notes=spread.notes).lines)

    def mark(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[Span, ...]:
        """Where a query's strings occur in a text that the reader has before them; all else as in `SearchIndex.mark`."""
        return self._index.mark(query, text, notes, before=before, after=after, taboo=taboo, collection=collection)

    def _checked(self, connection: Connection, results: Results, reader: Audience, day: int, page: int, size: int) -> SearchView:
        found = {hit.item for hit in results.hits}
        lines = _ANY_LINES.rows(connection, items=json.dumps(sorted(found)), reader=reader.rank, day=day) if found else ()
        summaries = {row[0]: _summary_of(*row) for row in lines}
        open_pages, images = _open_pages(connection, results.hits, reader, day)
        timed = _Timed(self, connection, reader, day)
        kept = []
        for hit in results.hits:
            if hit.target == "segment":
                allowed = hit.item in summaries and timed.allows(hit)
            else:
                allowed = hit.item in summaries and (hit.target == "item" or (hit.item, hit.key) in open_pages)
            if allowed:
                kept.append(hit)
            else:
                log.error("the index gave %s %s/%s to a reader (%s) who may not see it", hit.target, hit.item, hit.key, reader.value)
        if len(kept) < len(results.hits):
            beside = {(hit.item, hit.key) for hit in kept}
            images = {key: image for key, image in images.items() if key in beside}
            groups = (replace(group, hits=tuple(hit for hit in group.hits if hit in kept)) for group in results.groups)
            results = replace(results, hits=tuple(kept), groups=tuple(group for group in groups if group.hits))
        return SearchView(results, summaries, images, page, size)

    @contextmanager
    def _at(self) -> Iterator[tuple[Connection, int]]:
        """A connection and today as an ordinal."""
        with self._catalogue.read() as connection:
            yield connection, self._today().toordinal()

    def _row(self, connection: Connection, item_id: str, reader: Audience, day: int) -> Mapping[Any, Any]:
        """The item's line as this reader sees it, with its record; raises Withdrawn or NotFound."""
        row = connection.execute(_ONE_LINE, {"item": item_id, "reader": reader.rank, "day": day}).mappings().one_or_none()
        if row is None:
            raise _absent(connection, item_id, reader)
        return row

    def _without_pages(self, connection: Connection, row: Mapping[Any, Any], reader: Audience, day: int, profile: Profile | None) -> Item:
        """The item as the reader sees it, without pages and the files that stand on them."""
        return self._beside_pages(connection, row, reader, day, profile)[0]

    def _beside_pages(
        self, connection: Connection, row: Mapping[Any, Any], reader: Audience, day: int, profile: Profile | None
    ) -> tuple[Item, tuple[CutRecording, ...]]:
        """The same, and the recordings of which this reader gets a copy with something cut out; timed text names those too."""
        stored = connection.execute(_BESIDE_PAGES, {"item": row["id"]}).mappings().all()
        files = tuple(msgspec.json.decode(file["record"], type=MediaFile) for file in stored)
        whole = replace(msgspec.json.decode(row["record"], type=Item), files=files, tracks=rows.tracks_of(connection, row["id"]))
        seen = seeing.visible(whole, reader, date.fromordinal(day), profile=profile)
        if seen is None:
            raise _nothing(row["id"])
        if whole.sections:
            places = _places(connection, whole.sections, row, reader, day)
            seen = replace(seen, sections=seeing.sections_for(whole.sections, places, reader))
        # The rows know what pages and their rights do to these files; the item here has no pages.
        allowed = {file["id"] for file in stored if rows.terms_of(file).on(day) <= reader.rank}
        access, today = Access(whole), date.fromordinal(day)
        cut = tuple(
            found for file in files if file.id not in allowed and (found := seeing.cut_for(whole, access, file, reader, today)) is not None
        )
        heard = allowed | {one.file.id for one in cut}
        media = {track.id: track.media if track.media in heard else None for track in whole.tracks}
        seen = replace(
            seen,
            files=tuple(file for file in seen.files if file.id in allowed),
            tracks=tuple(replace(t, media=media[t.id], file=t.file if t.file in allowed else None) for t in seen.tracks),
        )
        return seen, cut

    def _profile(self, kind: str) -> Profile:
        """The profile of a kind; without a definition one with no fields, so that nothing is shown below staff that might be closed."""
        return self._definitions.profiles.get(kind) or Profile(kind, kind, kind, ())

    def _below(self, slug: str) -> list[str]:
        """A holding and all those under it."""
        found = [slug]
        for above in found:
            found += [c.slug for c in self._definitions.collections.values() if c.parent == above and c.slug not in found]
        return found


class _Timed:
    """Which hits in timed text a reader may see; each item's tracks are read once."""

    def __init__(self, reading: Reading, connection: Connection, reader: Audience, day: int) -> None:
        self._reading, self._connection, self._reader, self._day = reading, connection, reader, day
        self._known: dict[str, tuple[Item, dict[str, Track]]] = {}

    def allows(self, hit: Hit) -> bool:
        """True when the track is open, and every cue of the hit with it."""
        seen, raw = self._item(hit.item)
        track_id = hit.key.partition("@")[0]
        track = next((t for t in seen.tracks if t.id == track_id), None)
        if track is None:
            return any(segment.id == hit.key for segment in seen.segments)
        if hit.start is None or not track.timed:
            return True
        end = hit.end if hit.end is not None else hit.start
        told = [cue for cue in raw[track_id].cues if hit.start <= cue.start < end or cue.start == hit.start]
        return set(told) <= set(track.cues)

    def _item(self, item_id: str) -> tuple[Item, dict[str, Track]]:
        if item_id not in self._known:
            row = self._reading._row(self._connection, item_id, self._reader, self._day)
            seen = self._reading._without_pages(self._connection, row, self._reader, self._day, None)
            self._known[item_id] = seen, {track.id: track for track in rows.tracks_of(self._connection, item_id)}
        return self._known[item_id]


_item, _page, _text, _file, _shown, _event = tables.item, tables.page, tables.page_text, tables.file, tables.shown, tables.event
_reader: Any = bindparam("reader")
_day: Any = bindparam("day")
_now = (_shown.c.low <= _reader, _shown.c.high >= _reader, _shown.c.from_day <= _day, _shown.c.to_day > _day)
_LINE = (
    *(_item.c[name] for name in ("id", "title", "kind", "collection", "date", "year_first", "year_last", "to_describe", "n_pages")),
    *(_shown.c[name] for name in ("thumb", "pages", "recordings", "duration_ms")),
)
_JOINED = _shown.join(_item, _item.c.id == _shown.c.item)
_ONE_LINE = select(*_LINE, _item.c.record).select_from(_JOINED).where(_shown.c.item == bindparam("item"), *_now)
_given = func.json_each(bindparam("items")).table_valued("value", name="given")
_THESE = _given.join(_shown, _shown.c.item == _given.c.value).join(_item, _item.c.id == _shown.c.item)
_ANY_LINES = Prepared(select(*_LINE).select_from(_THESE).where(*_now))
_published = (
    select(func.max(_event.c.at))
    .where(_event.c.object == _item.c.id, _event.c.type == "metadata modification")
    .where(func.json_extract(_event.c.record, "$.detail.decision") == "publish")
    .scalar_subquery()
)
_came = func.max(_shown.c.sort_added, func.coalesce(_published, "")).label("came")
_NEWEST = select(*_LINE, _came).select_from(_THESE).where(*_now).order_by(_came.desc(), _item.c.id).limit(bindparam("limit"))
_FILE = select(_file).where(_file.c.item == bindparam("item"), _file.c.id == bindparam("file"))
_BESIDE_PAGES = select(_file).where(_file.c.item == bindparam("item"), _file.c.placed == 0).order_by(_file.c.position)
_SORTS = {"title": _shown.c.sort_title, "date": _shown.c.sort_year, "recent": _shown.c.sort_added}
_PAGE_OPEN = rows.seen_by(_page, _reader, _day)
_OPEN_PAGES = select(_page.c.id, _page.c.position).where(_page.c.item == bindparam("item"), _PAGE_OPEN).order_by(_page.c.position)
_OPEN_AMONG = _OPEN_PAGES.where(_page.c.id.in_(bindparam("ids", expanding=True)))
_CHUNK = (
    select(_page)
    .where(_page.c.item == bindparam("item"), _page.c.position > bindparam("passed"), _PAGE_OPEN)
    .order_by(_page.c.position)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_POSITION = select(func.count()).where(_page.c.item == bindparam("item"), _page.c.position <= bindparam("position"), _PAGE_OPEN)
_wanted = func.json_each(bindparam("pages")).table_valued("value", name="wanted")
_SOME_PAGES = Prepared(
    select(
        *(_page.c[name] for name in ("item", "id", "file", "part", *(p + n for p in ("", "image_") for n in ("rank", "until", "after")))),
        _text.c.record.label("texts_record"),
        _text.c.terms.label("texts_terms"),
    )
    .select_from(_wanted)
    .join(_page, (_page.c.item == func.json_extract(_wanted.c.value, "$[0]")) & (_page.c.id == func.json_extract(_wanted.c.value, "$[1]")))
    .outerjoin(_text, (_text.c.item == _page.c.item) & (_text.c.page == _page.c.id))
)
"""Pages by (item, page) in a JSON list, each one look-up: SQLite has no index for a list of row values and would read every page of the archive."""


_POSITIONS = select(_page.c.position).where(
    _page.c.item == bindparam("item"),
    _page.c.id.in_(select(func.json_each(bindparam("pages")).table_valued("value", name="named").c.value)),
)
_SPREAD = (
    select(
        *(_page.c[name] for name in ("id", "position", "record", "width", "height")),
        _file.c.sha512,
        *(_page.c[f"image_{name}"] for name in ("rank", "until", "after")),
        _text.c.record.label("texts_record"),
        _text.c.terms.label("texts_terms"),
    )
    .select_from(_page)
    .outerjoin(_text, (_text.c.item == _page.c.item) & (_text.c.page == _page.c.id))
    .outerjoin(_file, (_file.c.item == _page.c.item) & (_file.c.id == _page.c.file))
    .where(
        _page.c.item == bindparam("item"),
        _page.c.position.in_(select(func.json_each(bindparam("positions")).table_valued("value", name="near").c.value)),
        _PAGE_OPEN,
    )
)
_wanted_items = func.json_each(bindparam("items")).table_valued("value", name="wanted_items")
_OPEN_ITEMS = select(_shown.c.item).select_from(_wanted_items.join(_shown, _shown.c.item == _wanted_items.c.value)).where(*_now)
_OPEN_TEXTS = (
    select(_page.c.item, _page.c.id, _page.c.texts)
    .select_from(_wanted)
    .join(_page, (_page.c.item == func.json_extract(_wanted.c.value, "$[0]")) & (_page.c.id == func.json_extract(_wanted.c.value, "$[1]")))
    .where(_PAGE_OPEN, rows.seen_by(_page, _reader, _day, "text_"))
)
"""Of some pages those with a reading that the reader may see, and how many readings they have."""


class _Source(msgspec.Struct):
    """Whose a reading is; its lines are passed over unread."""

    source: str


_SOURCES = msgspec.json.Decoder(tuple[_Source, ...])
_TERMS = msgspec.json.Decoder(tuple[Terms, ...])


def _listed(within: list[str] | None, kind: str | None, sort: str) -> Select[Any]:
    """Keys of `shown` in the order asked for; answered from an index alone."""
    if sort not in _SORTS:
        raise UsageError(_("没有排序“%(sort)s”；可用 title、date、recent。", sort=sort))
    query = select(_shown.c.item, _shown.c.low, _shown.c.from_day).where(*_now)
    if within is not None:
        query = query.where(_shown.c.collection == within[0] if len(within) == 1 else _shown.c.collection.in_(within))
    if kind is not None:
        query = query.where(_shown.c.kind == kind)
    return query.order_by(*_order(sort))


def _order(sort: str) -> tuple[Any, ...]:
    column = _SORTS[sort]
    return (column.desc(), _shown.c.item.desc()) if sort == "recent" else (column, _shown.c.item)


def _lines_of(keys: Any, sort: str) -> Select[Any]:
    same = (_shown.c.item == keys.c.item) & (_shown.c.low == keys.c.low) & (_shown.c.from_day == keys.c.from_day)
    return select(*_LINE).select_from(_JOINED.join(keys, same)).order_by(*_order(sort))


def _summary(row: Any) -> ItemSummary:
    given = row if isinstance(row, Mapping) else row._mapping
    return _summary_of(*(given[column.name] for column in _LINE))


def _summary_of(
    id: str,
    title: str,
    kind: str,
    collection: str,
    date: str,
    year_first: int | None,
    year_last: int | None,
    to_describe: int,
    _n_pages: int,
    thumb: str | None,
    pages: int,
    recordings: int,
    duration_ms: int | None,
) -> ItemSummary:
    """A line of a list from the columns of `_LINE`, in their order."""
    duration = None if duration_ms is None else duration_ms / 1000
    return ItemSummary(id, title, kind, collection, date, year_first, year_last, thumb, pages, recordings, duration, bool(to_describe))


def _sums(found: Iterable[Any]) -> tuple[int, int, int, float]:
    given = list(found)
    return sum(c.items for c in given), sum(c.pages for c in given), sum(c.recordings for c in given), sum(c.duration for c in given)


def _nothing(what: str) -> NotFound:
    """The one answer for what is hidden and what is not there."""
    return NotFound(_("%(what)s：没有这一件，或者不向您开放。", what=what))


def _absent(connection: Connection, item_id: str, reader: Audience) -> NotFound:
    """Why the reader gets nothing. A tombstone is for those who could see the item; its title for all only when all could."""
    columns = (_item.c.title, _item.c.withdrawn_at, _item.c.withdrawn_reason, _item.c.withdrawn_rank, _item.c.rank, _item.c.after)
    row = connection.execute(select(*columns).where(_item.c.id == item_id)).one_or_none()
    if row is None or row.withdrawn_at is None or row.withdrawn_rank > reader.rank:
        return _nothing(item_id)
    # It may have been described anew since, more narrowly: the title is then one that was never for all.
    for_all = max(row.withdrawn_rank, row.rank, row.after or 0) == Audience.PUBLIC.rank
    return Withdrawn(item_id, row.title if for_all else "", row.withdrawn_reason, row.withdrawn_at)


def _chunk(connection: Connection, row: Mapping[Any, Any], reader: Audience, day: int, offset: int, limit: int) -> tuple[PageSummary, ...]:
    """Some of the pages a reader sees, from `offset` on. Where nothing is hidden the place is known and none need be passed over."""
    passed = offset if row["pages"] == row["n_pages"] else 0
    values = {"item": row["id"], "reader": reader.rank, "day": day, "passed": passed, "offset": offset - passed, "limit": limit}
    found = connection.execute(_CHUNK, values).mappings()
    return tuple(_page_summary(page, n, reader, day) for n, page in enumerate(found, offset + 1))


def _page_summary(row: Mapping[Any, Any], position: int, reader: Audience, day: int) -> PageSummary:
    page = msgspec.json.decode(row["record"], type=Page)
    shows = page.image is not None and rows.terms_of(row, "image_").on(day) <= reader.rank
    return PageSummary(
        id=page.id,
        position=position,
        label=page.label,
        folio=page.folio.label() if page.folio else "",
        section=page.section,
        missing=page.missing,
        image=file_key(row["item"], row["file"], row["part"]) if shows else None,
        width=row["width"] if shows else None,
        height=row["height"] if shows else None,
        has_text=row["texts"] > 0 and rows.terms_of(row, "text_").on(day) <= reader.rank,
        verified=page.folio is not None and page.folio.verified,
        printed=page.folio,
    )


_PAGE_RECORD = msgspec.json.Decoder(Page)


def _leaf_outline(row: Mapping[Any, Any], position: int, reader: Audience, day: int) -> LeafOutline:
    page = _PAGE_RECORD.decode(row["record"])
    shows = page.image is not None and rows.terms_of(row, "image_").on(day) <= reader.rank
    return LeafOutline(
        page=replace(page, position=position, image=page.image if shows else None, note="", rights=seeing.told(page.rights, reader)),
        width=row["width"] if shows else None,
        height=row["height"] if shows else None,
        has_text=row["texts"] > 0 and rows.terms_of(row, "text_").on(day) <= reader.rank,
    )


def _places(connection: Connection, sections: Sequence[Section], row: Mapping[Any, Any], reader: Audience, day: int) -> dict[str, int]:
    """Of the pages on which sections begin, those the reader sees, with their positions from 1 among all pages the reader sees."""
    if not sections:
        return {}
    ids = {path[-1].page for path in walk(sections)}
    values = {"item": row["id"], "reader": reader.rank, "day": day}
    if row["pages"] == row["n_pages"]:
        return {page: at for page, at in connection.execute(_OPEN_AMONG, values | {"ids": sorted(ids)})}  # noqa: C416
    return {page: n for n, (page, _position) in enumerate(connection.execute(_OPEN_PAGES, values), 1) if page in ids}


def _position(connection: Connection, item_id: str, position: int, reader: Audience, day: int) -> int:
    """The place of a page among those the reader sees."""
    values = {"item": item_id, "position": position, "reader": reader.rank, "day": day}
    return int(connection.execute(_POSITION, values).scalar_one())


def _seen_page(stored: rows.StoredPage, reader: Audience, day: int) -> Page:
    page = stored.page
    texts = (version for version, terms in zip(page.texts, stored.text_terms, strict=True) if terms.on(day) <= reader.rank)
    return replace(
        page,
        image=page.image if stored.image_terms.on(day) <= reader.rank else None,
        texts=tuple(texts),
        note=seeing.note_for(page, reader),
        rights=seeing.told(page.rights, reader),
    )


def _text_beside(
    connection: Connection, view: PageView, page_id: str | None, here: rows.StoredPage | None, step: int, reader: Audience, day: int
) -> str:
    """The text of the page before or after, where the one runs on into the other: no leaf between them hidden, none missing."""
    beside = rows.get_page(connection, view.item.id, page_id) if page_id is not None else None
    if beside is None or here is None or beside.position != here.position + step or beside.page.missing or here.page.missing:
        return ""
    text = _seen_page(beside, reader, day).text
    return text.text if text is not None and view.text is not None and text.source is view.text.source else ""


_TEXTS = msgspec.json.Decoder(tuple[TextVersion, ...])
_SpreadLeaf = tuple[Page, TextVersion | None, int | None, int | None]


def _spread_leaf(row: Mapping[Any, Any], reader: Audience, day: int) -> _SpreadLeaf:
    """A page with the reading that this reader is shown, and the size of its image when they may see it."""
    page = _PAGE_RECORD.decode(row["record"])
    texts: tuple[TextVersion, ...] = ()
    if row["texts_record"]:
        both = zip(_TEXTS.decode(row["texts_record"]), _terms(row["texts_terms"]), strict=True)
        texts = tuple(version for version, terms in both if terms.on(day) <= reader.rank)
    shows = page.image is not None and rows.terms_of(row, "image_").on(day) <= reader.rank
    page = replace(page, texts=texts, image=page.image if shows else None, note="", rights=seeing.told(page.rights, reader))
    return page, page.text, row["width"] if shows else None, row["height"] if shows else None


def _spread(leaves: Mapping[int, _SpreadLeaf], position: int, notes: bool, collection: str) -> Spread:
    page, text, width, height = leaves[position]

    def beside(step: int) -> tuple[str, str]:
        # Text runs on over leaves that stand side by side in one reading, never over a missing or a hidden one.
        other, reading, *_size = leaves.get(position + step, (None, None))
        if other is None or reading is None or text is None or other.missing or page.missing or reading.source is not text.source:
            return "", ""
        if other.position != page.position + step:  # as the search has it: a gap in the count of leaves is a wall too
            return "", ""
        return other.id, reading.text

    before, (following, after) = beside(-1)[1], beside(1)
    return Spread(page, width, height, text.lines if text else (), before, following, after, notes, collection)


def _image_terms(connection: Connection, item_id: str, file_id: str, part: int | None) -> list[Terms]:
    """Terms of one image of a multi-page file, one for each page that shows it; empty when none does."""
    if part is None:
        return []
    columns = (_page.c.image_rank, _page.c.image_until, _page.c.image_after)
    found = connection.execute(select(*columns).where(_page.c.item == item_id, _page.c.file == file_id, _page.c.part == part))
    return [Terms(*row) for row in found]


def _hit_in(place: Place) -> Hit:
    """A place of a concordance as a hit, to be checked like one."""
    return Hit(place.target, place.item, place.key, "", place.label, 0.0, 0, (), place.start, position=place.position, source=place.source)


def _open_pages(
    connection: Connection, hits: Sequence[Hit], reader: Audience, day: int
) -> tuple[set[tuple[str, str]], dict[tuple[str, str], str]]:
    """Of the pages hit: those whose text the reader may see, and the file keys of those whose image they may."""
    wanted = {(hit.item, hit.key): hit.source for hit in hits if hit.target == "page"}
    found, images, rank = set(), {}, reader.rank
    for row in _SOME_PAGES.rows(connection, pages=json.dumps(sorted(wanted))) if wanted else ():
        item, page, file, part, *terms, texts, texts_terms = row
        here = item, page
        if Terms(*terms[:3]).on(day) <= rank and texts and _may_read(texts, texts_terms, wanted[here], rank, day):
            found.add(here)
        if file is not None and Terms(*terms[3:]).on(day) <= rank:
            images[here] = file_key(item, file, part)
    return found, images


def _may_read(texts: str, terms: str, source: str, rank: int, day: int) -> bool:
    """True when a reader of this rank may see a reading of the page from that source (any, when the hit names none)."""
    for version, on in zip(_SOURCES.decode(texts), _terms(terms), strict=True):
        if source in ("", version.source) and on.on(day) <= rank:
            return True
    return False


@lru_cache(maxsize=1024)
def _terms(written: str) -> tuple[Terms, ...]:
    """Terms of a page's readings as the row has them: the same few for nearly all pages."""
    return _TERMS.decode(written)
