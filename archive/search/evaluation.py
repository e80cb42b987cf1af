"""A tree of clauses over one index segment, as arrays: which documents, how often, in which form, how good.

Everything is evaluated for one reader on one day. Documents the reader may not see, and deleted ones, are walls: a string that touches one
does not exist, and no two documents are neighbours across one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from archive.search.arrays import Array
from archive.search.chinese import fold, written_form
from archive.search.segment_facts import ITEM, SegmentFacts, values_of
from archive.search.segment_text import GAP, NOWHERE, Occurrences, SegmentText
from archive.search.syntax import WESTERN, And, Clause, DateReader, FieldClause, Near, Not, Or, Phrase, SectionClause, Years


@dataclass(frozen=True, slots=True)
class View:
    """One segment as one reader sees it. `regions` is equal for two documents exactly when text runs from one to the other unhidden."""

    text: SegmentText
    facts: SegmentFacts
    visible: Array
    regions: Array
    characters: int
    """Length of all documents that the reader may see: what is hidden must not weigh in a score."""
    items: Array
    """By the segment's code of an item, its number in the whole index: equal in all segments that hold a part of it."""

    @classmethod
    def of(cls, text: SegmentText, facts: SegmentFacts, visible: Array, items: Array) -> View:
        joins = np.zeros(len(visible), bool)
        if len(visible) > 1:
            walls = text.walls_before(text.starts[:-1])
            joins[1:] = (walls[1:] == walls[:-1]) & visible[1:] & visible[:-1]
        return cls(text, facts, visible, np.cumsum(~joins, dtype=np.int32), int(text.lengths[visible].sum()), items)

    def seen(self, found: Occurrences) -> tuple[Occurrences, Array]:
        """Those occurrences the reader may see whole, and the document each begins in."""
        if not len(found):
            return found, found.starts
        documents = self.text.documents_of(found.starts)
        keep = self.visible[documents]
        beyond = found.ends > self.text.starts[documents + 1]
        if beyond.any():
            last = self.text.documents_of(found.ends[beyond] - 1)
            keep[beyond] &= self.regions[documents[beyond]] == self.regions[last]
        return (found, documents) if keep.all() else (found.where(keep), documents[keep])


@dataclass(slots=True)
class Found:
    """One string in one segment: its places, and by document (ascending) how often, and how often exactly as typed."""

    places: Occurrences
    place_documents: Array
    documents: Array
    counts: Array
    as_typed: Array

    def in_document(self, document: int) -> Occurrences:
        """The places that begin in one document."""
        low, high = np.searchsorted(self.place_documents, [document, document + 1])
        return self.places.where(np.arange(low, high))


def _counted(documents: Array) -> tuple[Array, Array]:
    if not len(documents):
        return documents, documents
    begins = np.flatnonzero(np.concatenate(([True], documents[1:] != documents[:-1])))
    return documents[begins], np.diff(np.append(begins, len(documents)))


def find_phrase(view: View, phrase: Phrase) -> Found:
    """All places of a string, and of the strings that stand for it, that the reader may see."""
    if not phrase.others:
        return _find_itself(view, phrase)
    itself = _find_itself(view, replace(phrase, others=()))
    every = [itself, *(_find_itself(view, other) for other in phrase.others)]
    starts, first = np.unique(np.concatenate([found.places.starts for found in every]), return_index=True)
    ends, over = (np.concatenate([getattr(found.places, name) for found in every])[first] for name in ("ends", "over"))
    documents = np.concatenate([found.place_documents for found in every])[first]
    distinct, counts = _counted(documents)
    as_typed = np.zeros(len(distinct), np.int64)
    as_typed[np.searchsorted(distinct, itself.documents)] = itself.as_typed
    return Found(Occurrences(starts, ends, over), documents, distinct, counts, as_typed)


def _find_itself(view: View, phrase: Phrase) -> Found:
    parts = [_find_part(view, phrase, number) for number in range(len(phrase.parts))]
    places, documents = parts[0]
    if len(parts) > 1:
        places, documents = _chain(view, [part for part, _ in parts])
    typed = np.zeros(len(documents), bool) if phrase.exact or len(parts) > 1 else _as_typed(view.text, places, phrase)
    distinct, counts = _counted(documents)
    if phrase.exact:
        exact = counts
    else:
        exact = np.add.reduceat(typed.astype(np.int64), np.searchsorted(documents, distinct)) if len(distinct) else counts
    return Found(places, documents, distinct, counts, exact)


def _find_part(view: View, phrase: Phrase, number: int) -> tuple[Occurrences, Array]:
    text = view.text
    pattern = text.pattern(phrase.parts[number])
    if pattern is None:
        return NOWHERE, NOWHERE.starts
    found = text.find(pattern, phrase.scope)
    if phrase.exact and len(found):
        found = found.where(_as_typed(text, found, phrase))
    return view.seen(found)


def _as_typed(text: SegmentText, found: Occurrences, phrase: Phrase) -> Array:
    """True for each occurrence whose characters are those typed, in the same form."""
    keep = np.ones(len(found), bool)
    if not len(found):
        return keep
    for at, char in enumerate(phrase.written[0]):
        if char is None:
            continue
        code = text.code(char)
        if code is None:
            return np.zeros(len(found), bool)
        keep &= text.codes_at(found, at) == code
    return keep


@dataclass(frozen=True, slots=True)
class _Measured:
    """Places with what distances are reckoned from. `main_starts`, `main_ends`: how many characters of main text lie before start and end;
    `starts_main`, `ends_main`: whether first and last character are main text; `regions` as a View's, `walls` as SegmentText's."""

    places: Occurrences
    main_starts: Array
    main_ends: Array
    starts_main: Array
    ends_main: Array
    walls: Array
    regions: Array

    @classmethod
    def of(cls, view: View, places: Occurrences) -> _Measured:
        text = view.text
        before_start, start_noted = text.note_state(places.starts)
        before_last, last_noted = text.note_state(places.ends - 1)
        regions = view.regions[text.documents_of(places.starts)]
        main_ends = places.ends - before_last - last_noted
        return cls(places, places.starts - before_start, main_ends, ~start_noted, ~last_noted, text.walls_before(places.starts), regions)

    def where(self, keep: Array) -> _Measured:
        return _Measured(
            self.places.where(keep),
            self.main_starts[keep],
            self.main_ends[keep],
            self.starts_main[keep],
            self.ends_main[keep],
            self.walls[keep],
            self.regions[keep],
        )

    def mirrored(self) -> tuple[Array, _Measured]:
        """The same read from the end, and which of our rows its rows are."""
        order = np.argsort(-self.places.ends, kind="stable")
        turned = self.where(order)
        places = Occurrences(-turned.places.ends, -turned.places.starts, turned.places.over)
        return order, _Measured(
            places, -turned.main_ends, -turned.main_starts, turned.ends_main, turned.starts_main, turned.walls, turned.regions
        )

    def parted(self, i: Array, other: _Measured, j: Array) -> Array:
        """True where something hidden or a wall lies between self[i] and other[j]."""
        apart: Array = (self.walls[i] != other.walls[j]) | (self.regions[i] != other.regions[j])
        return apart


def _following(first: _Measured, second: _Measured, most: int) -> Array:
    """For each of `first` the index of one of `second` that begins at most `most` characters after its end, unparted; -1 for none.

    Between main text and main text the characters of notes do not count: the main text reads over them.
    """
    found = np.full(len(first.places), -1, np.int64)
    after = np.searchsorted(second.places.starts, first.places.ends)
    rows = np.flatnonzero(after < len(second.places))
    near = second.places.starts[after[rows]] - first.places.ends[rows] <= most
    rows = rows[near]
    rows = rows[~first.parted(rows, second, after[rows])]
    found[rows] = after[rows]
    main = np.flatnonzero(second.starts_main)
    rows = np.flatnonzero(first.ends_main & (found < 0))
    after = np.searchsorted(second.main_starts[main], first.main_ends[rows])
    fits = after < len(main)
    rows, candidates = rows[fits], main[after[fits]]
    near = second.main_starts[candidates] - first.main_ends[rows] <= most
    rows, candidates = rows[near], candidates[near]
    unparted = ~first.parted(rows, second, candidates)
    found[rows[unparted]] = candidates[unparted]
    return found


def _chain(view: View, parts: Sequence[Occurrences]) -> tuple[Occurrences, Array]:
    """Occurrences of all parts in order with at most GAP characters between each two, by the first part's place; ends at the last part's."""
    later = _Measured.of(view, parts[-1])
    ends = later.places.ends
    for part in reversed(parts[:-1]):
        measured = _Measured.of(view, part)
        following = _following(measured, later, GAP)
        keep = np.flatnonzero(following >= 0)
        ends = ends[following[keep]]
        later = measured.where(keep)
    starts = later.places.starts
    return Occurrences(starts, ends, np.full(len(starts), -1, np.int64)), view.text.documents_of(starts)


def find_near(view: View, near: Near, found: Sequence[Found]) -> Found:
    """Places of the first string that have every other one within the distance, before or after; `found`: where each of them stands."""
    places = _Measured.of(view, found[0].places)
    for other in found[1:]:
        others = _Measured.of(view, other.places)
        keep = _following(places, others, near.distance) >= 0
        order, mirrored = places.mirrored()
        keep[order] |= _following(mirrored, others.mirrored()[1], near.distance) >= 0
        places = places.where(keep)
    documents = view.text.documents_of(places.places.starts)
    distinct, counts = _counted(documents)
    return Found(places.places, documents, distinct, counts, np.zeros(len(distinct), np.int64))


@dataclass(slots=True)
class Evaluation:
    """The answer of one segment: `documents` that match (ascending), and what was found of each wanted string."""

    view: View
    documents: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    found: dict[Phrase, Found] = field(default_factory=dict)
    near: dict[Near, Found] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Match:
    """Documents as a mask. `text`: strings in text had a part in it; without, only descriptions are meant."""

    mask: Array
    text: bool


def evaluate(view: View, clause: Clause, wanted: Sequence[Phrase], dates: DateReader = WESTERN) -> Evaluation:
    """Find the documents of one segment that match."""
    answer = Evaluation(view)
    for phrase in wanted:
        answer.found[phrase] = find_phrase(view, phrase)
    match = _Evaluator(view, answer, dates).match(clause)
    mask = match.mask & view.visible
    if not match.text:
        mask = mask & (view.facts.target == ITEM)
    answer.documents = np.flatnonzero(mask)
    return answer


class _Evaluator:
    def __init__(self, view: View, answer: Evaluation, dates: DateReader) -> None:
        self.view, self.answer, self.dates = view, answer, dates
        self.size = view.facts.documents

    def match(self, clause: Clause) -> _Match:
        match clause:
            case Phrase():
                return _Match(self.mask(self.found(clause).documents), True)
            case Near():
                near = find_near(self.view, clause, [self.found(phrase) for phrase in clause.phrases])
                if all(phrase in self.answer.found for phrase in clause.phrases):
                    self.answer.near[clause] = near
                return _Match(self.mask(near.documents), True)
            case FieldClause():
                exact = clause.phrase.exact
                return _Match(self.view.facts.matching_fields(clause.keys, _field_pattern(clause.phrase), exact), False)
            case SectionClause():
                return _Match(self.in_section(clause.phrase), False)
            case Years():
                return _Match(self.in_years(clause), False)
            case Not():
                return _Match(~self.match(clause.clause).mask, False)
            case And():
                return self.all_of(clause.clauses)
            case Or():
                return self.any_of(clause.clauses)

    def found(self, phrase: Phrase) -> Found:
        """Where a string stands; what is to be left out is not remembered for the answer."""
        return self.answer.found.get(phrase) or find_phrase(self.view, phrase)

    def mask(self, documents: Array) -> Array:
        mask = np.zeros(self.size, bool)
        mask[documents] = True
        return mask

    def all_of(self, clauses: Sequence[Clause]) -> _Match:
        """Text clauses within a document or its neighbour, at least one in the document itself; the others of the document itself."""
        matches = [self.match(clause) for clause in clauses]
        texts = [match.mask for match in matches if match.text]
        mask = np.ones(self.size, bool)
        if len(texts) == 1:
            mask = texts[0].copy()
        elif texts:
            mask = np.logical_or.reduce(texts)
            for text in texts:
                mask &= self.widened(text)
        for match in matches:
            if not match.text:
                mask &= match.mask
        return _Match(mask, bool(texts))

    def any_of(self, clauses: Sequence[Clause]) -> _Match:
        """A clause about descriptions alone means descriptions, when it stands beside strings of text."""
        matches = [self.match(clause) for clause in clauses]
        if not any(match.text for match in matches):
            return _Match(np.logical_or.reduce([match.mask for match in matches]), False)
        items = self.view.facts.target == ITEM
        return _Match(np.logical_or.reduce([match.mask if match.text else match.mask & items for match in matches]), True)

    def widened(self, mask: Array) -> Array:
        """The documents of the mask and their neighbours, the text running on between them."""
        wide = mask.copy()
        if self.size > 1:
            joined = self.view.regions[1:] == self.view.regions[:-1]
            wide[1:] |= mask[:-1] & joined
            wide[:-1] |= mask[1:] & joined
        return wide

    def in_section(self, phrase: Phrase) -> Array:
        pattern = _field_pattern(phrase)
        facts = self.view.facts
        reading = written_form if phrase.exact else fold
        having = [pattern.search(reading(section)) is not None for section in facts.strings("section")]
        return np.array(having, bool)[facts.arrays["section"]] if having else np.zeros(self.size, bool)

    def in_years(self, years: Years) -> Array:
        facts = self.view.facts
        if not years.keys:
            return np.asarray(np.logical_or.reduce([facts.in_years(first, last) for first, last in years.spans]))
        bounds = [(-(10**6) if first is None else first, 10**6 if last is None else last) for first, last in years.spans]
        return facts.by_work(
            lambda work: any(
                begin <= high and end >= low
                for key in years.keys
                for value in values_of(work, key)
                for begin, end in self.dates.find(value)
                for low, high in bounds
            )
        )


def _field_pattern(phrase: Phrase) -> re.Pattern[str]:
    """A string with its wildcards, for values folded (as written for an exact one) and kept apart by NUL."""
    wanted = phrase.written if phrase.exact else phrase.parts
    parts = ("".join("[^\0]" if char is None else re.escape(char) for char in part) for part in wanted)
    return re.compile(f"[^\0]{{0,{GAP}}}?".join(parts))
