"""The ranges of a manifest: the sections of a book, or the 卷 and 门目 that its leaves name, and the described passages of recordings.

A section runs from its leaf to the leaf before the next section of its level or a higher one. Pure but for the language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from urllib.parse import quote

from archive import language
from archive.language import _
from archive.model import sections
from archive.model.folios import Folio
from archive.model.item import Segment
from archive.services.reading import LeafOutline, Outline
from archive.web import presenting
from archive.web.iiif_parts import Json, Links, Sounding, Words


@dataclass(slots=True)
class Entry:
    """A line of the table: leaves `first` to before `stop` (from 0), with the entries inside it."""

    id: str
    label: Words
    level: int
    first: int
    stop: int
    inside: list[Entry] = field(default_factory=list)


def structures(outline: Outline, soundings: Sequence[Sounding], names: Sequence[Words], links: Links) -> list[Json]:
    """The ranges of an item, empty when nothing is named. `names`: of the recordings."""
    entries = _nested(list(_sections(outline)) or list(_as_labelled(outline.leaves)))
    found = [_range(entry, outline.leaves, links) for entry in entries]
    found += _passages(outline.item.segments, soundings, names, links)
    return found


def _sections(outline: Outline) -> Iterator[Entry]:
    """The accepted sections of the item, in reading order, flat."""
    at = {leaf.page.id: n for n, leaf in enumerate(outline.leaves)}
    accepted = sections.seen(outline.item.sections, at)
    for (*_above, section), (first, stop) in zip(sections.walk(accepted), sections.extents(accepted, at, len(at)).values(), strict=True):
        yield Entry(section.id, {"zh": [section.title]}, section.level, first, stop)


def _as_labelled(leaves: Sequence[LeafOutline]) -> Iterator[Entry]:
    """Runs of leaves of one 卷, and of one 门目 as the sheet or a heading names it."""
    found = [*_runs(leaves, 1, "juan", lambda leaf: _juan_key(leaf.page.folio), lambda leaf: _juan(leaf.page.folio))]
    found += _runs(leaves, 2, "section", lambda leaf: leaf.page.section, lambda leaf: {"zh": [leaf.page.section]})
    yield from sorted(found, key=lambda entry: (entry.first, entry.level))


def _runs(leaves: Sequence[LeafOutline], level: int, kind: str, key: Any, label: Any) -> Iterator[Entry]:
    for value, run in groupby(enumerate(leaves), lambda pair: key(pair[1])):
        numbers = [n for n, _leaf in run]
        if value:
            leaf = leaves[numbers[0]]
            yield Entry(f"{kind}-{leaf.page.id}", label(leaf), level, numbers[0], numbers[-1] + 1)


def _juan_key(folio: Folio | None) -> tuple[str, str] | None:
    return (folio.ce or "", folio.juan or "") if folio and (folio.ce or folio.juan) else None


def _juan(folio: Folio | None) -> Words:
    """册 and 卷 in both languages; what nobody has looked at says so."""
    assert folio is not None
    whole = Folio(folio.juan, folio.ce)
    found = {}
    for tongue in language.LANGUAGES:
        with language.in_language(tongue):
            text = presenting.folio_label(whole)
            found[tongue] = [text if folio.verified else _("%(label)s（未核）", label=text)]
    return found


def _nested(entries: Sequence[Entry]) -> list[Entry]:
    """Entries in reading order as a tree; each ends where the next of its level or a higher one begins, or where it was said to end."""
    roots: list[Entry] = []
    open_: list[Entry] = []
    for entry in entries:
        while open_ and open_[-1].level >= entry.level:
            closed = open_.pop()
            closed.stop = max(closed.first + 1, min(closed.stop, entry.first))
        while open_ and open_[-1].stop <= entry.first:
            open_.pop()
        (open_[-1].inside if open_ else roots).append(entry)
        open_.append(entry)
    return roots


def _range(entry: Entry, leaves: Sequence[LeafOutline], links: Links) -> Json:
    """An entry with the leaves that none of its own entries has, then these. Two sections may share a leaf."""
    inside = {n for one in entry.inside for n in range(one.first, one.stop)}
    own = [n for n in range(entry.first, entry.stop) if n not in inside]
    before = [n for n in own if not entry.inside or n < entry.inside[0].first]
    after = own[len(before) :]
    items = [_canvas(leaves[n].page.id, links) for n in before]
    items += [_range(one, leaves, links) for one in entry.inside]
    items += [_canvas(leaves[n].page.id, links) for n in after]
    return {"id": f"{links.base}/range/{quote(entry.id)}", "type": "Range", "label": entry.label, "items": items}


def _canvas(part: str, links: Links) -> Json:
    return {"id": links.canvas(part), "type": "Canvas"}


def _passages(segments: Sequence[Segment], soundings: Sequence[Sounding], labels: Sequence[Words], links: Links) -> list[Json]:
    """Described passages as stretches of time; those of several recordings stand under the name of each."""
    found = []
    for n, sounding in enumerate(soundings):
        mine = sorted((s for s in segments if s.media in sounding.versions), key=lambda s: (s.start, s.end))
        ranges = [_passage(segment, sounding, links) for segment in mine]
        if ranges and len(soundings) > 1:
            whole = f"{links.base}/range/{quote(sounding.root)}"
            ranges = [{"id": whole, "type": "Range", "label": labels[n], "items": ranges}]
        found += ranges
    return found


def _passage(segment: Segment, sounding: Sounding, links: Links) -> Json:
    target = f"{links.canvas(sounding.root)}#t={segment.start:g},{segment.end:g}"
    return {
        "id": f"{links.base}/range/{quote(segment.id)}",
        "type": "Range",
        "label": {"zh": [segment.title]},
        "items": [{"id": target, "type": "Canvas"}],
    }
