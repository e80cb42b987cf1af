"""An `Item` to its `IndexDocument`s: the only mapping.

One document for the description everybody may see, one more for fields of staff, one for each page with text, each cue, each described
passage, and each libretto that no timed text repeats. Text of files in which personal numbers were found is in no document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from archive.model.access import Access, is_personal
from archive.model.item import Item, Page, TextVersion, Track
from archive.model.profile import Definitions, Field, FieldType, Profile
from archive.model.rights import Audience, Rights, Visibility, visibility
from archive.search.base import IndexDocument
from archive.search.chinese import WALL, fold

_NO_PROFILE = Profile("", "", "", ())
_CALL_NUMBER = "call-number"
_JUAN = re.compile(r"卷之?([首末上中下前后後終终〇零一二三四五六七八九十百廿卅0-9]+)")
_SHARED_NAMES = {FieldType.AGENT: ("责任者", "creator"), FieldType.PLACE: ("地名", "place")}
"""Query names that every field of a type answers to, whatever its own label."""


def documents_of(item: Item, definitions: Definitions, day: date) -> Iterator[IndexDocument]:
    """The documents of an item as they are on `day`, descriptions first, pages and cues in reading order."""
    maker = _Maker(item, definitions.profiles.get(item.kind, _NO_PROFILE), day, Access(item))
    yield from maker.descriptions()
    yield from maker.pages()
    yield from maker.passages()
    yield from maker.tracks()


@dataclass(frozen=True, slots=True)
class _Maker:
    item: Item
    profile: Profile
    day: date
    access: Access

    def visible(self, *parts: Rights) -> Visibility:
        return visibility(self.day, self.item.rights, *parts)

    def open_fields(self, fields: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Those that everybody may see: fields the profile knows and does not keep for staff."""
        return {key: values for key, values in fields.items() if (field := self.profile.field(key)) and not field.staff_only}

    def names(self, fields: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {key: _names_of(field) for key in fields if (field := self.profile.field(key))}

    def base(self) -> IndexDocument:
        """What every document of the item shares."""
        item = self.item
        fields = self.open_fields(item.fields)
        span = item.date.span if item.date else None
        return IndexDocument(
            item=item.id,
            target="item",
            key="",
            text="",
            visibility=self.visible(),
            title=item.title,
            collection=item.collection,
            kind=item.kind,
            year_first=span.first if span else None,
            year_last=span.last if span else None,
            date=item.date.written if item.date else "",
            fields=fields,
            call_number=next(iter(fields.get(_CALL_NUMBER, ())), ""),
            field_names=self.names(fields),
            facets=tuple(field.key for field in self.profile.fields if field.facet and not field.staff_only),
        )

    def descriptions(self) -> Iterator[IndexDocument]:
        shared = self.base()
        yield replace(shared, text=_description(shared.title, shared.date, *self.searchable(shared.fields)))
        kept = {key: values for key, values in self.item.fields.items() if key not in shared.fields}
        if any(any(values) for values in kept.values()):
            seen = self.visible(Rights(Audience.STAFF))
            text = _description(*self.searchable(kept))
            yield replace(
                shared, text=text, visibility=seen, fields=dict(self.item.fields), field_names=self.names(self.item.fields), facets=()
            )

    def searchable(self, fields: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
        for key, values in fields.items():
            field = self.profile.field(key)
            if field is None or field.searchable:
                yield from values

    def pages(self) -> Iterator[IndexDocument]:
        shared, before = self.base(), None
        for page in sorted(self.item.pages, key=lambda page: page.position):
            version = self.page_text(page)
            if version is None:
                before = None
                continue
            yield replace(
                shared,
                target="page",
                key=page.id,
                text=version.text,
                visibility=self.visible(*self.access.text(page, version)),
                joins_previous=before is not None and page.position == before + 1,
                notes=self.profile.notes_layout,
                position=page.position,
                label=_label(page),
                section=page.section,
                juan=_juan(page),
                source=version.source.value,
            )
            before = page.position

    def page_text(self, page: Page) -> TextVersion | None:
        """The reading that is indexed; None for a missing leaf, a page without text, and one that shows a personal file."""
        if page.missing or is_personal(self.access.image(page)):
            return None
        fit = tuple(version for version in page.texts if not is_personal(self.access.text(page, version)) and version.text.strip())
        return replace(page, texts=fit).text

    def passages(self) -> Iterator[IndexDocument]:
        shared = self.base()
        for number, passage in enumerate(self.item.segments, 1):
            rights = self.access.segment(passage)
            if is_personal(rights):
                continue
            yield replace(
                shared,
                target="segment",
                key=passage.id,
                text=_description(passage.title, *self.searchable(self.open_fields(passage.fields))),
                visibility=self.visible(*rights),
                position=number,
                label=passage.title,
                start=passage.start,
                end=passage.end,
            )

    def tracks(self) -> Iterator[IndexDocument]:
        """Tracks that say the same are indexed once: timed before untimed, open before closed."""
        said: set[str] = set()
        fit = [track for track in self.item.tracks if not is_personal(self.access.track(track))]
        for track in sorted(fit, key=lambda track: (not track.timed, self.track_visibility(track).now.rank)):
            text = fold("\n".join(cue.text for cue in track.cues))
            if not text or text in said:
                continue
            said.add(text)
            yield from self.cues(track) if track.timed else self.libretto(track)

    def track_visibility(self, track: Track) -> Visibility:
        return self.visible(*self.access.track(track))

    def cues(self, track: Track) -> Iterator[IndexDocument]:
        shared, rights = self.base(), self.access.track(track)
        for number, cue in enumerate(track.cues, 1):
            yield replace(
                shared,
                target="segment",
                key=f"{track.id}@{cue.start:.2f}",
                text=cue.text,
                visibility=self.visible(*rights, *self.access.cue(track, cue)),
                joins_previous=number > 1,
                position=number,
                start=cue.start,
                end=cue.end,
            )

    def libretto(self, track: Track) -> Iterator[IndexDocument]:
        """One document. Nobody knows where in the recording a line is sung, so any closed passage closes it whole."""
        yield replace(
            self.base(),
            target="segment",
            key=track.id,
            text="\n".join(cue.text for cue in track.cues),
            visibility=self.track_visibility(track),
            position=1,
        )


def query_names(definitions: Definitions) -> dict[str, tuple[str, ...]]:
    """Folded names of all fields that the definitions know, to their keys. Not those of the documents alone: a name that is understood only
    because some item has the field would tell of items that a reader may not see."""
    found: dict[str, set[str]] = {}
    for profile in definitions.profiles.values():
        for field in profile.fields:
            for name in _names_of(field):
                found.setdefault(fold(name), set()).add(field.key)
    return {name: tuple(sorted(keys)) for name, keys in found.items() if name}


def _names_of(field: Field) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (field.label, field.label_en, *_SHARED_NAMES.get(field.type, ())) if name))


def _description(*values: str) -> str:
    """Values apart by walls, each once, so that nothing is found across two of them."""
    return WALL.join(dict.fromkeys(value for value in values if value))


def _juan(page: Page) -> str:
    """The 卷 of a page without the word, `三`, `首`: of its verified folio, else as its label says."""
    if page.folio is not None and page.folio.verified:
        return page.folio.juan or ""
    named = _JUAN.search(page.label)
    return named[1] if named else ""


def _label(page: Page) -> str:
    if page.folio is not None and page.folio.verified and page.folio.label():
        return page.folio.label()
    return page.label
