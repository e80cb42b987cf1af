"""What people decided about an item, kept apart from what its sheet says, so that no later sheet and no background job overwrites it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from archive.model.item import Cue, Item, Page, Segment, Track
from archive.model.rights import Audience
from archive.model.sections import Section, by_page, pruned, walk


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A tombstone: why, when (UTC) and by whom an item was withdrawn."""

    reason: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class MendedText:
    """Timed text as an archivist put it right: of the donor's `track`, or a new one (`m1` …) of the recording `media`."""

    track: str
    cues: tuple[Cue, ...]
    media: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Overlay of one item. `journal` is the number of the newest journal entry it contains; later entries are still to be applied."""

    journal: int = 0
    audience: Audience | None = None
    withdrawn: Withdrawal | None = None
    cleared: tuple[str, ...] = ()
    """Ids of files whose personal numbers a person judged harmless."""
    timed_texts: tuple[MendedText, ...] = ()
    passages: tuple[Segment, ...] | None = None
    """The described passages of the recordings; None: what the donor gave stands."""
    last_passage: int = 0
    """Highest number given to a passage here (`s12`): none is given twice."""
    sections: tuple[Section, ...] | None = None
    """The section tree as a person left it; None: as it was read. What begins on a page that is gone is left out."""
    last_section: int = 0
    """Highest number given to a section here (`x12`): none is given twice."""

    def apply(self, item: Item) -> Item:
        """The item as people see it: the sheet's description under these decisions."""
        rights = item.rights if self.audience is None else replace(item.rights, audience=self.audience)
        files = tuple(replace(f, personal=False) if f.id in self.cleared else f for f in item.files)
        have = {file.id for file in files}
        segments = item.segments if self.passages is None else tuple(s for s in self.passages if s.media in have)
        decided = replace(item, rights=rights, files=files, tracks=self._tracks(item, have), segments=segments)
        if self.sections is None:
            return decided
        sections = pruned(self.sections, {page.id for page in item.pages})
        minted = {**item.minted, "x": max(item.minted.get("x", 0), self.last_section)}
        return replace(decided, sections=sections, pages=_named(item.pages, sections), minted=minted)

    def _tracks(self, item: Item, have: set[str]) -> tuple[Track, ...]:
        """The donor's timed texts as they were mended, then the new ones whose recording is there."""
        mended = {text.track: text for text in self.timed_texts}

        def after(track: Track) -> Track:
            text = mended.get(track.id)
            return track if text is None else replace(track, cues=text.cues, timed=True, language=text.language or track.language)

        given = {track.id for track in item.tracks}
        new = (
            Track(text.track, text.media, text.cues, language=text.language or "zh")
            for text in self.timed_texts
            if text.track not in given and text.media in have
        )
        return (*(after(track) for track in item.tracks), *new)

    def without_recording(self, file: str, tracks: Container[str] = ()) -> Decisions:
        """These decisions without a word about a file, or about timed texts that came from it."""
        return replace(
            self,
            timed_texts=tuple(t for t in self.timed_texts if t.media != file and t.track not in tracks),
            passages=None if self.passages is None else tuple(s for s in self.passages if s.media != file),
        )


def _named(pages: tuple[Page, ...], sections: tuple[Section, ...]) -> tuple[Page, ...]:
    """The pages with the 门目 that they are counted to; a tree in which no 门 or 目 is accepted says nothing of them.

    What is only proposed names no page, and neither does what stands before it run on over it.
    """
    if not any(path[-1].accepted and path[-1].level > 1 for path in walk(sections)):
        return pages
    ordered = sorted(pages, key=lambda page: page.position)
    titles = (
        next((one.title for one in reversed(path) if one.accepted and one.level > 1), "")
        for path in by_page(sections, [page.id for page in ordered])
    )
    return tuple(replace(page, section=title) for page, title in zip(ordered, titles, strict=True))
