"""Give a draft its permanent ids: those of the earlier version where the thing is the same, new ones where it is new.

A file is the same when its bytes are the same (at the same path before any other: a scan that was only renumbered stays itself), else when it
lies at the same path of the donation; a page when it shows the same image
(file, part, region), else, for a missing leaf, when its label and neighbours' place are the same, for a page of a paper,
when it comes from the same file in the same order; a track when it comes from the same file or
belongs to the same recording in the same order; a segment when recording and title are the same. Numbers are never used twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from archive.catalogue import items as item_rows
from archive.catalogue.engine import Catalogue
from archive.errors import Conflict
from archive.language import _
from archive.model.identifiers import derived_item_id
from archive.model.item import FileRef, Item, MediaFile, Page, Segment, TextSource, TextVersion, Track
from archive.model.sections import Section, walk
from archive.services import objects
from archive.storage.base import ObjectStore

T = TypeVar("T", MediaFile, Page, Track, Segment)
_KEPT = (TextSource.OCR, TextSource.CORRECTED)


@dataclass(frozen=True, slots=True)
class Found:
    """The id that an identity has or gets, and what its object says today. `described` gives the ids of its parts: the object's description,
    or that of the object in the trash when its batch was taken back; None for a thing never seen."""

    id: str
    earlier: objects.ItemObject | None = None
    described: Item | None = None


def find(store: ObjectStore, catalogue: Catalogue, item: Item, trashed: Collection[str]) -> Found:
    """What the archive has of the thing with this accession and key. An id that another thing has or had is passed over; raises Conflict."""
    with catalogue.read() as connection:
        known = item_rows.find_item(connection, item.accession, item.key)
    for candidate in filter(None, (known, item.id, derived_item_id(item.accession, item.key), *_numbered(item.id))):
        if store.head(candidate) is not None:
            earlier = objects.read_object(store, candidate)
            if _same(earlier.described, item):
                return Found(candidate, earlier, earlier.described)
        elif candidate in trashed:
            if _same(gone := objects.read_trashed(store, candidate), item):
                return Found(candidate, None, gone)
        elif not _reserved(catalogue, candidate):
            return Found(candidate)
    raise Conflict(_("条目 %(key)s 的编号都已被占用。", key=item.key))


def _reserved(catalogue: Catalogue, item: str) -> bool:
    with catalogue.read() as connection:
        return item in item_rows.reserved_ids(connection)


def _same(one: Item, other: Item) -> bool:
    return (one.accession, one.key) == (other.accession, other.key)


def _numbered(item: str) -> Iterator[str]:
    for number in range(2, 100):
        yield f"{item[:60]}-{number}"


def mint(draft: Item, earlier: Item | None) -> Item:
    """`draft` with permanent ids, under the id of `earlier` when there is one; readings made since (OCR, corrections) stay with their pages."""
    minted = dict(earlier.minted) if earlier else {}
    old = earlier or replace(draft, files=(), pages=(), tracks=(), segments=(), sections=())
    files = _assign("f", draft.files, old.files, minted, [lambda f: (f.received, f.sha512), lambda f: f.sha512, lambda f: f.received])
    names = _names(draft.files, files)

    def moved(id: str | None) -> str | None:
        return names.get(id, id) if id is not None else None

    files = tuple(replace(f, version_of=moved(f.version_of)) for f in files)
    pages = tuple(_rename_page(page, names) for page in draft.pages)
    shown = [_image_of, lambda p: (p.missing, p.label, p.folio) if p.missing else None, _words_of, _leaf_of, _paper_of]
    pages = _assign("p", pages, old.pages, minted, shown)
    tracks = tuple(replace(t, media=moved(t.media), file=moved(t.file)) for t in draft.tracks)
    tracks = _assign("t", tracks, old.tracks, minted, [lambda t: t.file, lambda t: (t.media, t.language, t.timed)])
    segments = tuple(replace(s, media=names.get(s.media, s.media)) for s in draft.segments)
    segments = _assign("s", segments, old.segments, minted, [lambda s: (s.media, s.title), lambda s: (s.media, s.start)])
    pages = _keep_readings(pages, files, old)
    sections = _sections(draft.sections, pages, old, minted)
    return replace(draft, id=old.id, files=files, pages=pages, tracks=tracks, segments=segments, sections=sections, minted=minted)


def _sections(draft: Sequence[Section], pages: Sequence[Page], old: Item, minted: dict[str, int]) -> tuple[Section, ...]:
    """The tree with the ids of its pages (a draft names them by their place, `@12`) and of its sections: the same title on the same page is the same."""
    known: dict[tuple[str, int, str], list[str]] = {}
    for path in walk(old.sections):
        known.setdefault((path[-1].page, path[-1].level, path[-1].title), []).append(path[-1].id)

    def named(section: Section) -> Section:
        page = pages[int(section.page[1:]) - 1].id if section.page.startswith("@") else section.page
        earlier = known.get((page, section.level, section.title))
        if earlier:
            name = earlier.pop(0)
        else:
            minted["x"] = minted.get("x", 0) + 1
            name = f"x{minted['x']}"
        return replace(section, id=name, page=page, children=tuple(named(child) for child in section.children))

    return tuple(named(section) for section in draft)


def _assign(
    letter: str, new: Sequence[T], old: Sequence[T], minted: dict[str, int], keys: Iterable[Callable[[T], Hashable | None]]
) -> tuple[T, ...]:
    given: dict[int, str] = {}
    free = {thing.id: thing for thing in old}
    for key in keys:
        by_key: dict[Hashable, list[str]] = {}
        for thing in old:
            if thing.id in free and key(thing) is not None:
                by_key.setdefault(key(thing), []).append(thing.id)
        for index, thing in enumerate(new):
            if index not in given and by_key.get(key(thing)):
                given[index] = by_key[key(thing)].pop(0)
                del free[given[index]]
    for index in range(len(new)):
        if index not in given:
            minted[letter] = minted.get(letter, 0) + 1
            given[index] = f"{letter}{minted[letter]}"
    return tuple(replace(thing, id=given[index]) for index, thing in enumerate(new))


def _words_of(page: Page) -> Hashable | None:
    """What a page without image says: it stays itself when others are put before it."""
    if page.image is not None or not page.texts:
        return None
    return _paper_of(page), page.folio, page.texts[0].lines


def _leaf_of(page: Page) -> Hashable | None:
    return page.folio if page.image is None and not page.missing else None


def _names(before: Sequence[MediaFile], after: Sequence[MediaFile]) -> dict[str, str]:
    return {b.id: a.id for b, a in zip(before, after, strict=True)}


def _rename_page(page: Page, names: dict[str, str]) -> Page:
    image = page.image
    if image is not None:
        image = FileRef(names.get(image.file, image.file), image.part, image.region)
    texts = tuple(replace(t, file=names.get(t.file, t.file)) if t.file else t for t in page.texts)
    return replace(page, image=image, texts=texts)


def _image_of(page: Page) -> Hashable | None:
    return page.image


def _paper_of(page: Page) -> Hashable | None:
    """The file that a page without image is read from: pages of papers are the same in the order in which they come."""
    return None if page.image else next((text.file for text in page.texts if text.file), None)


def _keep_readings(pages: tuple[Page, ...], files: Sequence[MediaFile], old: Item) -> tuple[Page, ...]:
    """Readings that machine or people made since stay while the image (or paper) they were read from is the same."""
    before = {page.id: page for page in old.pages}
    digests = {f.id: f.sha512 for f in files}
    old_digests = {f.id: f.sha512 for f in old.files}

    def kept(page: Page) -> tuple[TextVersion, ...]:
        earlier = before.get(page.id)
        if earlier is None:
            return ()
        now, then = (p.image.file if p.image else _paper_of(p) for p in (page, earlier))
        if now is None or digests.get(str(now)) is None or digests.get(str(now)) != old_digests.get(str(then)):
            return ()
        have = {text.source for text in page.texts}
        return tuple(text for text in earlier.texts if text.source in _KEPT and text.source not in have)

    return tuple(replace(page, texts=page.texts + kept(page)) for page in pages)
