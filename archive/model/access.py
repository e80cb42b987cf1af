"""Which rights bear on which part of an item: the one set of rules that catalogue, index, web and packages follow.

Rights are written at the item, its pages, segments, tracks and files. What reaches a reader is often made of several of these: an image
shows a page, a scan of two pages shows both, a recording contains its passages, a transcript repeats them. `Access` gathers, for each such
thing, every `Rights` that bears on it beside the item's own; the narrowest wins (`archive.model.rights.visibility`).

The rules:

- An image shows its pages: it is as closed as the most closed page that is on it. One image of a multi-page file is judged alone, the
  whole file by all its pages.
- Versions of one thing (`version_of`) contain the same pages and passages, so a closed page or passage closes every version.
- A recording with a closed passage is closed as a whole; cues inside the passage, an untimed libretto of it and the sidecar they came
  from are closed with it. Segments lying wholly inside a closed one are closed too. A copy without the passage is open to whom all else admits.
- Text with a sidecar of its own follows that sidecar; text without one (OCR, extracted) follows the image it was read from.
- Documents, PDF, multi-page images, text and archives that no page shows may repeat anything of their item: where a page or passage is closed they are
  closed as well, unless their own rights name an audience.
- `personal` is staff, for every version.
- A page whose image and texts are all closed is closed: nothing of it would be left to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from archive.model.item import Cue, Item, MediaFile, MediaKind, Page, Segment, TextVersion, Track
from archive.model.rights import Audience, Rights, visibility

PERSONAL = Rights(audience=Audience.STAFF)
"""What bears on a file in which ID or telephone numbers were found."""

_REPEATS = {MediaKind.PDF, MediaKind.DOCUMENT, MediaKind.TEXT, MediaKind.ARCHIVE, MediaKind.OTHER}
_PUBLIC = Rights(audience=Audience.PUBLIC)


class Terms(NamedTuple):
    """Who may see a part, as numbers a table can hold: the rank until the day `until` (proleptic ordinal, exclusive), `after` from then on.

    Where rights change more than once, `after` is the narrowest of all that follows: never too wide, and made exact by settling again.
    """

    rank: int
    until: int | None = None
    after: int | None = None

    def on(self, day: int) -> int:
        """The rank on a day (ordinal)."""
        return self.rank if self.until is None or self.after is None or day < self.until else self.after


OPEN = Terms(0)

Intervals = tuple[tuple[float, float], ...]
"""Start and end (seconds) of passages of a recording."""


def rank_on(day: date, rights: Iterable[Rights]) -> int:
    """The rank of the narrowest of `rights` on `day`, each public where it says nothing."""
    return visibility(day, _PUBLIC, *rights).now.rank


def settle(day: date, bearing: Iterable[Rights], rank: Callable[[date], int] | None = None) -> Terms:
    """`Terms` from `day` on of what all `bearing` rights bear on; `rank` replaces the rule that the narrowest wins."""
    given = tuple(bearing)
    if not given:
        return OPEN
    of = rank or (lambda when: rank_on(when, given))
    now = of(day)
    later = sorted({r.embargo.until for r in given if r.embargo is not None and r.embargo.until > day})
    ranks = [of(when) for when in later]
    for at, changed in enumerate(ranks):
        if changed != now:
            return Terms(now, later[at].toordinal(), max(ranks[at:]))
    return Terms(now)


def change_days(item: Item) -> tuple[date, ...]:
    """The days on which the rights of anything in the item change, ascending."""
    found = {r.embargo.until for r in _all_rights(item) if r.embargo is not None}
    return tuple(sorted(found))


def _all_rights(item: Item) -> Iterable[Rights]:
    yield item.rights
    for parts in (item.pages, item.files, item.tracks, item.segments):
        yield from (part.rights for part in parts)


def _speaks(rights: Rights) -> tuple[Rights, ...]:
    """The rights as a tuple, empty when they say nothing about who may see."""
    return () if rights.audience is None and rights.embargo is None else (rights,)


class Access:
    """The rights that bear on each part of one item, beside the item's own. Pass the item whole; asking is cheap."""

    def __init__(self, item: Item) -> None:
        self._item = item
        self._files = {file.id: file for file in item.files}
        self._family = {file.id: self._root(file) for file in item.files}
        self._shown: dict[str, list[Page]] = {}
        self._read: dict[str, list[Page]] = {}
        for page in item.pages:
            if page.image is not None:
                self._shown.setdefault(page.image.file, []).append(page)
            for file in {version.file for version in page.texts if version.file}:
                self._read.setdefault(file, []).append(page)
        self._segments: dict[str, list[Segment]] = {}
        for segment in item.segments:
            self._segments.setdefault(self._family.get(segment.media, segment.media), []).append(segment)
        self._members: dict[str, list[str]] = {}
        for file, root in self._family.items():
            self._members.setdefault(root, []).append(file)
        self._tracks: dict[str, list[Track]] = {}
        for track in item.tracks:
            if track.file:
                self._tracks.setdefault(track.file, []).append(track)
        self._any_page = tuple(r for page in item.pages for r in _speaks(page.rights))
        self._any_segment = tuple(r for segment in item.segments for r in _speaks(segment.rights))

    def _root(self, file: MediaFile) -> str:
        """The id of the file that all its versions go back to."""
        seen = {file.id}
        while file.version_of is not None and file.version_of in self._files and file.version_of not in seen:
            file = self._files[file.version_of]
            seen.add(file.id)
        return min(seen) if file.version_of in seen else file.id

    def family(self, file: str) -> str:
        """A name for the file and all its versions together."""
        return self._family.get(file, file)

    def page(self, page: Page) -> tuple[Rights, ...]:
        """What the page's own rights say. Whether anything of it is left to see: `page_terms`."""
        return _speaks(page.rights)

    def page_terms(self, page: Page, day: date) -> Terms:
        """Who sees the page at all: those whom its rights admit and who may see its image or one of its texts, if it has any."""
        image = () if page.image is None else (self.image(page),)
        return self._any_of(page, (*self._texts(page), *image), day)

    def text_terms(self, page: Page, day: date) -> Terms:
        """Who sees any text of the page; as the page's own rights say where it has none."""
        return self._any_of(page, self._texts(page), day)

    def _texts(self, page: Page) -> tuple[tuple[Rights, ...], ...]:
        return tuple(self.text(page, version) for version in page.texts)

    def _any_of(self, page: Page, ways: tuple[tuple[Rights, ...], ...], day: date) -> Terms:
        """Terms of a page for whoever may go one of these ways; of its own rights when there is no way or one that nothing bars."""
        own = self.page(page)
        if () in ways or not ways:
            return settle(day, own)

        def rank(when: date) -> int:
            return max(rank_on(when, own), min(rank_on(when, way) for way in ways))

        return settle(day, (r for way in (own, *ways) for r in way), rank)

    def image(self, page: Page) -> tuple[Rights, ...]:
        """What bears on the image of a page; the page's own rights when it has none."""
        if page.image is None:
            return self.page(page)
        return self.part(page.image.file, page.image.part)

    def part(self, file: str, part: int | None) -> tuple[Rights, ...]:
        """What bears on one image of a file (`part` from 1; None: its only one)."""
        on_it = [p for p in self._shown.get(file, ()) if p.image is not None and p.image.part in (None, part)]
        if part is None or not on_it:
            return self.file(file)
        return (*self._own(file), *_of(p.rights for p in on_it))

    def text(self, page: Page, version: TextVersion) -> tuple[Rights, ...]:
        """What bears on one reading of a page."""
        source = version.file or (page.image.file if page.image is not None else None)
        return (*self.page(page), *(self._own(source) if source else ()))

    def file(self, file: str) -> tuple[Rights, ...]:
        """What bears on the bytes of a whole file, and on what is made from them."""
        family = self._members.get(self.family(file), [file])
        pages = [page for member in family for page in (*self._shown.get(member, ()), *self._read.get(member, ()))]
        passages = self._segments.get(self.family(file), ())
        tracks = self._tracks.get(file, ())
        bearing = [
            *self._own(file),
            *_of(page.rights for page in pages),
            *_of(segment.rights for segment in passages),
            *(r for track in tracks for r in (*_speaks(track.rights), *self._passages_of(track))),
        ]
        if self._may_repeat(file):
            bearing += [*self._any_page, *self._any_segment]
        return tuple(bearing)

    def without_passages(self, file: str) -> tuple[Rights, ...]:
        """What bears on a copy of a recording from which the closed passages were cut, with no subtitles in it."""
        family = self._members.get(self.family(file), [file])
        pages = [page for member in family for page in (*self._shown.get(member, ()), *self._read.get(member, ()))]
        return (*self._own(file), *_of(page.rights for page in pages), *_of(track.rights for track in self._tracks.get(file, ())))

    def closed_passages(self, file: str, reader: Audience, day: date) -> Intervals:
        """The passages of a recording that the reader may not hear, in order."""
        around = self._segments.get(self.family(file), ())
        return tuple(sorted({(s.start, s.end) for s in around if not admits(_speaks(s.rights), reader, day)}))

    def cuts(self, file: str) -> tuple[Intervals, ...]:
        """The copies that a recording needs: one for each set of passages that some reader may not hear, first the one without any of them.

        Sets that hold between two embargoes only are not among them: such a reader gets the first.
        """
        days = sorted({date.min, *change_days(self._item)})
        every = sorted({passage for day in days for passage in self.closed_passages(file, Audience.PUBLIC, day)})
        sets = [self.closed_passages(file, reader, day) for day in (days[0], days[-1]) for reader in Audience]
        return tuple(dict.fromkeys(found for found in (tuple(every), *sets) if found))

    def _may_repeat(self, file: str) -> bool:
        """True for what no page shows or reads and yet may hold any page or passage of its item: the scans once more as PDF, a transcript."""
        given = self._files.get(file)
        if given is None or file in self._shown or file in self._read or given.rights.audience is not None:
            return False
        return given.kind in _REPEATS or (given.parts or 1) > 1

    def _own(self, file: str) -> tuple[Rights, ...]:
        """The rights written at the file, and `PERSONAL` where it or a version of it is."""
        given = self._files.get(file)
        if given is None:
            return ()
        personal = any(self._files[member].personal for member in self._members[self.family(file)])
        return (*_speaks(given.rights), *((PERSONAL,) if personal else ()))

    def segment(self, segment: Segment) -> tuple[Rights, ...]:
        """What bears on a segment's title and fields: its own rights, its recording's, and those of segments that contain it."""
        around = [
            other.rights
            for other in self._segments.get(self.family(segment.media), ())
            if other.start <= segment.start and segment.end <= other.end
        ]
        return (*self._own(segment.media), *_of(around))

    def track(self, track: Track) -> tuple[Rights, ...]:
        """What bears on a track as a whole; its cues are judged one by one where it is timed."""
        source = track.file or track.media
        whole = () if self._cuts(track) else self._passages_of(track)
        return (*_speaks(track.rights), *(self._own(source) if source else ()), *whole)

    def cue(self, track: Track, cue: Cue) -> tuple[Rights, ...]:
        """What bears on one cue of a track, beside the track's own."""
        if not self._cuts(track):
            return ()
        passages = self._segments.get(self.family(track.media or ""), ())
        return _of(segment.rights for segment in passages if _inside(cue, segment))

    def _cuts(self, track: Track) -> bool:
        """True when single cues can be told to lie in a passage."""
        return track.timed and track.media is not None

    def _passages_of(self, track: Track) -> tuple[Rights, ...]:
        if track.media is None:
            return self._any_segment
        return _of(segment.rights for segment in self._segments.get(self.family(track.media), ()))


def _of(rights: Iterable[Rights]) -> tuple[Rights, ...]:
    return tuple(r for given in rights for r in _speaks(given))


def _inside(cue: Cue, segment: Segment) -> bool:
    """True when any of the cue is heard within the passage."""
    return segment.start <= cue.start < segment.end or (cue.start < segment.end and cue.end > segment.start)


def is_personal(rights: Iterable[Rights]) -> bool:
    """True when what these rights bear on comes from a file in which personal numbers were found: no index takes it."""
    return any(given is PERSONAL for given in rights)


def admits(rights: Sequence[Rights], reader: Audience, day: date) -> bool:
    """True when the reader may see what these rights bear on (the item itself is asked apart)."""
    return not rights or rank_on(day, rights) <= reader.rank
