"""An item as one reader may see it. Pure: the same item, reader and day give the same answer, and what is hidden is nowhere in it.

The rules are those of `archive.model.access`; here they are carried out on a whole item, for manifests, packages and whoever holds an `Item`.
`archive.services.reading` answers the web from rows settled by the same rules.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from archive.model.access import Access, Intervals, admits
from archive.model.item import Item, MediaFile, MediaKind, Page, Segment, Track
from archive.model.profile import Profile
from archive.model.rights import Audience, Rights, visibility
from archive.model.sections import Section
from archive.model.sections import seen as sections_seen


@dataclass(frozen=True, slots=True)
class CutRecording:
    """A recording without the passages that are closed to a reader.

    `file` has the digest by which the copy is found, and no name, size or technical facts: those are the original's. `cuts`: the sets of
    passages that a copy for this reader leaves out, the exact one first, then one that leaves out more.
    """

    file: MediaFile
    cuts: tuple[Intervals, ...]


def visible(item: Item, reader: Audience, day: date, *, profile: Profile | None = None) -> Item | None:
    """The item without anything the reader may not see, or None when the item itself is closed.

    Page positions are counted anew (ids stay), so that a hidden page leaves no gap. An image of a multi-page file may be open while the
    file as a whole is not: then `files` lacks what `page.image` names. `profile` hides its `staff_only` fields, and fields it does not
    know, from everyone below staff; without one all fields stay.
    """
    if not visibility(day, item.rights).admits(reader):
        return None
    access = Access(item)
    files = {file.id: file for file in item.files if admits(access.file(file.id), reader, day)}
    pages = [_page(page, access, files, reader, day) for page in sorted(item.pages, key=lambda page: page.position)]
    open_pages = [page for page in pages if page is not None]
    return replace(
        item,
        rights=told(item.rights, reader),
        fields=fields_for(item.fields, reader, profile),
        files=tuple(_file(file, files, reader) for file in files.values()),
        pages=tuple(replace(page, position=n) for n, page in enumerate(open_pages, 1)),
        segments=segments_for(item, access, reader, day, profile),
        sections=sections_for(item.sections, {page.id for page in open_pages}, reader),
        tracks=tracks_for(item, access, files, reader, day),
        minted=item.minted if _is_staff(reader) else {},
    )


def file_visible(item: Item, file: str, reader: Audience, day: date, part: int | None = None) -> bool:
    """True when the reader may have the bytes of a file of the item, or of one image in it (`part` from 1), and what is made from them."""
    access = Access(item)
    known = any(f.id == file for f in item.files)
    bearing = access.file(file) if part is None else access.part(file, part)
    return known and visibility(day, item.rights).admits(reader) and admits(bearing, reader, day)


def _is_staff(reader: Audience) -> bool:
    return Audience.STAFF.admits(reader)


def told(rights: Rights, reader: Audience) -> Rights:
    """Rights as a reader may read them: why something was closed is for staff, it may name people."""
    return rights if _is_staff(reader) or not rights.reason else replace(rights, reason="")


def fields_for(fields: Mapping[str, tuple[str, ...]], reader: Audience, profile: Profile | None) -> Mapping[str, tuple[str, ...]]:
    """The fields a reader may see."""
    if profile is None or _is_staff(reader):
        return fields
    shown = {field.key for field in profile.fields if not field.staff_only}
    return {key: values for key, values in fields.items() if key in shown}


def _page(page: Page, access: Access, files: Mapping[str, MediaFile], reader: Audience, day: date) -> Page | None:
    if access.page_terms(page, day).rank > reader.rank:
        return None
    texts = (version for version in page.texts if admits(access.text(page, version), reader, day))
    return replace(
        page,
        image=page.image if admits(access.image(page), reader, day) else None,
        texts=tuple(version if version.file in files or not version.file else replace(version, file=None) for version in texts),
        note=note_for(page, reader),
        rights=told(page.rights, reader),
    )


def note_for(page: Page, reader: Audience) -> str:
    """The remark of a page list (备注) as a reader may read it: for staff only, as 备注 of an item's row is; archivists write it for each other."""
    return page.note if _is_staff(reader) else ""


def _file(file: MediaFile, files: Mapping[str, MediaFile], reader: Audience) -> MediaFile:
    other = file.version_of if file.version_of in files else None
    return replace(file, version_of=other, rights=told(file.rights, reader))


def segments_for(item: Item, access: Access, reader: Audience, day: date, profile: Profile | None) -> tuple[Segment, ...]:
    """The passages whose titles a reader may see."""
    return tuple(
        replace(segment, fields=fields_for(segment.fields, reader, profile), rights=told(segment.rights, reader))
        for segment in item.segments
        if admits(access.segment(segment), reader, day)
    )


def sections_for(sections: Sequence[Section], pages: Collection[str], reader: Audience) -> tuple[Section, ...]:
    """The section tree over the pages a reader may open; what nobody has accepted yet is for staff. `pages`: their ids."""
    return sections_seen(sections, pages, proposed=_is_staff(reader))


def cut_for(item: Item, access: Access, file: MediaFile, reader: Audience, day: date) -> CutRecording | None:
    """What a reader gets of a recording of which they may not hear everything: nothing of the file itself but how long it is. None: nothing at all."""
    if file.kind not in (MediaKind.SOUND, MediaKind.FILM) or not visibility(day, item.rights).admits(reader):
        return None
    closed = access.closed_passages(file.id, reader, day)
    if not closed or not admits(access.without_passages(file.id), reader, day):
        return None
    bare = replace(file, path="", received="", size=0, format="", technical={}, rights=told(file.rights, reader))
    return CutRecording(bare, tuple(dict.fromkeys((closed, *access.cuts(file.id)[:1]))))


def tracks_for(item: Item, access: Access, files: Container[str | None], reader: Audience, day: date) -> tuple[Track, ...]:
    """Timed text without the cues of closed passages; a track of which nothing is left is gone. `files`: ids of those the reader may have.

    A track names its recording where the reader gets at least a copy of it.
    """
    cut = {file.id for file in item.files if file.id not in files and cut_for(item, access, file, reader, day) is not None}
    found = []
    for track in item.tracks:
        if admits(access.track(track), reader, day):
            cues = tuple(cue for cue in track.cues if admits(access.cue(track, cue), reader, day))
            if cues or not track.cues:
                media = track.media if track.media in files or track.media in cut else None
                file = track.file if track.file in files else None
                found.append(replace(track, cues=cues, media=media, file=file, rights=told(track.rights, reader)))
    return tuple(found)
