"""A tree of clauses over one index segment, as arrays: which documents, how often, in which form, how good.

Everything is evaluated for one reader on one day. Documents the reader may not see, and deleted ones, are walls: a string that touches one
does not exist, and no two documents are neighbours across one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from archive.search import kernels, words
from archive.search.arrays import Array
from archive.search.chinese import fold, kind_of, written_form
from archive.search.segment_facts import ITEM, SegmentFacts, values_of
from archive.search.segment_text import GAP, NOWHERE, Occurrences, SegmentText, rows_between
from archive.search.syntax import WESTERN, And, Clause, DateReader, FieldClause, Near, Not, Or, Phrase, SectionClause, Years

_NONE: Array = np.zeros(0, bool)


@dataclass(frozen=True, slots=True)
class View:
    """One segment as one reader sees it. `regions` is equal for two documents exactly when text runs from one to the other unhidden."""

    text: SegmentText
    facts: SegmentFacts
    visible: Array
    counted: Array
    """True for what can be a hit: visible and no shadow of another chunk's leaf."""
    regions: Array
    total: int
    """How many documents count."""
    characters: int
    """Their length: what is hidden must not weigh in a score."""
    items: Array
    """By the segment's code of an item, its number in the whole index: equal in all segments that hold a part of it."""
    open: bool
    """Every document is visible."""
    whole: bool
    """Every document counts."""

    @classmethod
    def of(cls, text: SegmentText, facts: SegmentFacts, visible: Array, items: Array) -> View:
        joins = np.zeros(len(visible), bool)
        if len(visible) > 1:
            walls = text.walls_before(text.starts[:-1].astype(np.int64))
            joins[1:] = (walls[1:] == walls[:-1]) & visible[1:] & visible[:-1]
        counted = visible & ~facts.shadow
        total = int(np.count_nonzero(counted))
        characters = int(text.lengths[counted].sum())
        regions = np.cumsum(~joins, dtype=np.int32)
        return cls(text, facts, visible, counted, regions, total, characters, items, bool(visible.all()), total == len(visible))

    def seen(self, found: Occurrences) -> tuple[Occurrences, Array]:
        """Those occurrences the reader may see whole, and the document each begins in."""
        if not len(found):
            return found, found.starts
        text = self.text
        keep, documents, everything = kernels.seen(found.starts, found.ends, text.starts, text.steps, self.visible, self.regions)
        return (found, documents) if everything else (found.where(keep), documents[keep])


class Found:
    """One string in one segment: by document (ascending) how often, and how often exactly as typed; its places when they are asked for.

    `alternatives`: what was found of the string itself and of each string that stands for it, when there are such.
    """

    __slots__ = (
        "_between",
        "_located",
        "_located_by",
        "_within",
        "alternatives",
        "as_typed",
        "counts",
        "documents",
        "forms",
        "only_counted",
        "same",
    )

    def __init__(
        self,
        documents: Array,
        counts: Array,
        as_typed: Array,
        located: Callable[[], tuple[Occurrences, Array]],
        within: Callable[[int], Occurrences] | None = None,
        alternatives: tuple[tuple[Phrase, Found], ...] = (),
        between: Callable[[Array, Array], Occurrences] | None = None,
    ) -> None:
        self.documents, self.counts, self.as_typed = documents, counts, as_typed
        self._located_by, self._within, self._between, self.alternatives = located, within, between, alternatives
        self.forms: dict[int, tuple[Array, Array]] = {}
        """Of one character: by written code its documents and counts, whoever may see them."""
        self.same: Array | None = None
        """Of a string without wildcards: True for each of its places that stands exactly as typed."""
        self._located: tuple[Occurrences, Array] | None = None
        self.only_counted = False
        """True when its documents are all such as count."""

    def keep_counted(self, view: View) -> None:
        """Leave out the documents that are no hits (shadows of another chunk's leaves); their places stay."""
        if not view.whole:
            self.documents, self.counts, self.as_typed = kernels.kept(self.documents, self.counts, self.as_typed, view.counted)
        self.only_counted = True

    @property
    def places(self) -> Occurrences:
        """Every place, by start."""
        return self._locate()[0]

    @property
    def place_documents(self) -> Array:
        """The document that each place begins in."""
        return self._locate()[1]

    def _locate(self) -> tuple[Occurrences, Array]:
        if self._located is None:
            self._located = self._located_by()
        return self._located

    def in_document(self, document: int) -> Occurrences:
        """The places that begin in one document."""
        return self.in_documents(np.array([document]))[0]

    def in_documents(self, documents: Array) -> list[Occurrences]:
        """The places that begin in each of some documents."""
        if self._located is None and self._within is not None:
            return [self._within(document) for document in documents.tolist()]
        lows = np.searchsorted(self.place_documents, documents).tolist()
        highs = np.searchsorted(self.place_documents, documents, side="right").tolist()
        return [self.places.where(slice(low, high)) for low, high in zip(lows, highs, strict=True)]

    def between(self, lows: Array, highs: Array) -> Occurrences:
        """The places that begin within one of some stretches, both ends included; `lows` ascend."""
        if self._located is None and self._between is not None:
            return self._between(lows, highs)
        return self.places.where(rows_between(self.places.starts, lows, highs))


def _counted(documents: Array) -> tuple[Array, Array]:
    distinct, counts, _typed = kernels.by_document(documents, _NONE)
    return distinct, counts


def find_phrase(view: View, phrase: Phrase) -> Found:
    """All places of a string, and of the strings that stand for it, that the reader may see."""
    if not phrase.others:
        return _find_itself(view, phrase)
    itself = replace(phrase, others=())
    alternatives = tuple((each, _find_itself(view, each)) for each in (itself, *phrase.others))
    places = [found.places for _phrase, found in alternatives]
    starts, first = np.unique(np.concatenate([each.starts for each in places]), return_index=True)
    together = Occurrences(starts, np.concatenate([p.ends for p in places])[first], np.concatenate([p.over for p in places])[first])
    documents = np.concatenate([found.place_documents for _phrase, found in alternatives])[first]
    distinct, counts = _counted(documents)
    typed = alternatives[0][1]
    as_typed = counts_at(distinct, typed.documents, typed.as_typed)
    return Found(distinct, counts, as_typed, lambda: (together, documents), alternatives=alternatives)


def _find_itself(view: View, phrase: Phrase) -> Found:
    if phrase.literal and not phrase.scope and len(phrase.parts[0]) == 1 and not kind_of(phrase.parts[0][0]):
        return _find_character(view, phrase)
    parts = [_find_part(view, phrase, number) for number in range(len(phrase.parts))]
    places, documents = parts[0]
    if len(parts) > 1:
        places, documents = _chain(view, [part for part, _ in parts])
    if phrase.exact:
        distinct, counts = _counted(documents)
        return Found(distinct, counts, counts, lambda: (places, documents))
    same = _as_typed(view.text, places, phrase) if len(parts) == 1 else _NONE
    distinct, counts, typed = kernels.by_document(documents, same)
    found = Found(distinct, counts, typed, lambda: (places, documents))
    found.same = same if phrase.literal else None
    return found


def _find_character(view: View, phrase: Phrase) -> Found:
    """One character from its postings: no place is looked at before one is asked for."""
    text = view.text
    code, typed = text.code(phrase.parts[0][0] or ""), text.code(phrase.written[0][0] or "")
    wanted = typed if phrase.exact else code
    if code is None or wanted is None:
        return Found(NOWHERE.starts, NOWHERE.starts, NOWHERE.starts, lambda: (NOWHERE, NOWHERE.starts))
    if phrase.exact:
        documents, counts = as_typed_postings = text.written_postings(wanted)
        as_typed, forms = counts, {wanted: as_typed_postings}
    else:
        known = text.character(code, typed)
        documents, counts, as_typed, forms = known.documents, known.counts, known.as_typed, dict(known.forms)
    if not view.open:
        keep = view.visible[documents]
        documents, counts, as_typed = documents[keep], counts[keep], as_typed[keep]

    def located() -> tuple[Occurrences, Array]:
        return _find_part(view, phrase, 0)

    def within(document: int) -> Occurrences:
        places = text.character_in(document, code)
        return places.where(_as_typed(text, places, phrase)) if phrase.exact else places

    def between(lows: Array, highs: Array) -> Occurrences:
        places = text.find_between(code, lows, highs)
        return view.seen(places.where(_as_typed(text, places, phrase)) if phrase.exact else places)[0]

    found = Found(documents, counts, as_typed, located, within, between=between)
    found.forms = forms
    return found


def counts_at(documents: Array, found_in: Array, counts: Array) -> Array:
    """For each of `documents` its count, 0 when it is not among `found_in`. Both ascend."""
    if found_in is documents:
        return counts
    aligned: Array = kernels.counts_at(documents, found_in, counts)
    return aligned


def _find_part(view: View, phrase: Phrase, number: int) -> tuple[Occurrences, Array]:
    text = view.text
    pattern = text.pattern(phrase.parts[number])
    if pattern is None:
        return NOWHERE, NOWHERE.starts
    found = words.whole(text, text.find(pattern, phrase.scope), phrase, number)
    if phrase.exact and len(found):
        found = found.where(_as_typed(text, found, phrase))
    return view.seen(found)


def _as_typed(text: SegmentText, found: Occurrences, phrase: Phrase) -> Array:
    """True for each occurrence whose characters are those typed, in the same form."""
    return text.as_typed(found, text.letters_of(phrase.parts[0], phrase.written[0]))


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
    """Places of the first string that have every other one within the distance, before or after; `found`: where each of them stands.

    Only what lies around the rarest string is measured: all of them lie within twice the distance of it.
    """
    nowhere = Found(NOWHERE.starts, NOWHERE.starts, NOWHERE.starts, lambda: (NOWHERE, NOWHERE.starts))
    if not all(len(each.documents) for each in found):
        return nowhere
    if view.open and all(map(_is_plain, near.phrases)):
        return _near_in_text(view, near, found)
    rarest = min(found, key=lambda each: int(each.counts.sum()))
    longest = max(_length(phrase) for phrase in near.phrases)
    lows, highs = _around(view, rarest.places, 2 * (near.distance + longest))
    kept = [each.places if each is rarest else each.between(lows, highs) for each in found]
    places = _Measured.of(view, kept[0])
    for other in kept[1:]:
        others = _Measured.of(view, other)
        keep = _following(places, others, near.distance) >= 0
        order, mirrored = places.mirrored()
        keep[order] |= _following(mirrored, others.mirrored()[1], near.distance) >= 0
        places = places.where(keep)
    documents = view.text.documents_of(places.places.starts)
    distinct, counts = _counted(documents)
    return Found(distinct, counts, np.zeros(len(distinct), np.int64), lambda: (places.places, documents))


def _is_plain(phrase: Phrase) -> bool:
    """A string that is found wherever its characters stand, in whatever form."""
    special = phrase.exact or phrase.scope or phrase.others or any(words.has_ends(phrase, 0))
    return phrase.literal and not special


def _near_in_text(view: View, near: Near, found: Sequence[Found]) -> Found:
    """As `find_near`, for plain strings and a reader who sees all documents: only the text around the rarest string is read."""
    text = view.text
    patterns = [text.pattern(phrase.parts[0]) or () for phrase in near.phrases]
    counts = [int(each.counts.sum()) for each in found]
    rarest = counts.index(min(counts))
    known = [None if len(pattern) == 1 else each.places for pattern, each in zip(patterns, found, strict=True)]
    around = known[rarest] or text.places_of(patterns[rarest][0])
    if rarest:
        places = text.places_beside(around, known[0], patterns[0], near.distance)
    else:
        keep = text.beside(around, known[1], patterns[1], near.distance)
        if isinstance(around, Occurrences):
            places = around.where(keep)
        else:
            starts = around[keep].astype(np.int64)
            places = Occurrences(starts, starts + 1, np.full(len(starts), -1, np.int64))
    for number, other in enumerate(patterns):
        if number != (rarest or 1) and number:
            places = places.where(text.beside(places, known[number], other, near.distance))
    documents = text.documents_of(places.starts)
    distinct, how_often = _counted(documents)
    return Found(distinct, how_often, np.zeros(len(distinct), np.int32), lambda: (places, documents))


def _length(phrase: Phrase) -> int:
    """The most characters that an occurrence can have."""
    every = (phrase, *phrase.others)
    return max(sum(map(len, each.parts)) + GAP * (len(each.parts) - 1) for each in every)


def _around(view: View, places: Occurrences, reach: int) -> tuple[Array, Array]:
    """From where to where a string can begin that is within `reach` characters of each place, reading through small notes or over them."""
    text = view.text
    ends = len(text.codes) - 1
    before = places.starts - text.notes_before(places.starts)
    after = places.ends - text.notes_before(places.ends)
    lows = np.minimum(text.through_of(np.maximum(before - reach, 0)), places.starts - reach)
    highs = np.maximum(text.through_of(np.minimum(after + reach, ends)), places.ends + reach)
    return np.maximum(lows, 0), np.minimum(highs, ends)


@dataclass(slots=True)
class Evaluation:
    """The answer of one segment: `documents` that match (ascending), and what was found of each wanted string."""

    view: View
    documents: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    found: dict[Phrase, Found] = field(default_factory=dict)
    near: dict[Near, Found] = field(default_factory=dict)


def _adjoining(view: View, strings: Sequence[Array]) -> Array:
    """The documents with one of some strings that have each of the others too, or a neighbour has it that the text runs on to or from."""
    rarest = min(strings, key=len)
    candidates = kernels.widened(rarest, view.regions)
    for documents in strings:
        if documents is not rarest:
            candidates = kernels.having(candidates, documents, view.regions)
    having: Array = reduce(kernels.united, [kernels.intersected(candidates, documents) for documents in strings])
    return having


Units = Callable[[str], Sequence[Array]]
"""A scope to what `units_of` gives for the segments at hand."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Documents of one segment (ascending), or with `but` all but these."""

    documents: Array
    but: bool = False

    def among(self, total: int) -> Array:
        """The documents themselves, of so many."""
        return np.flatnonzero(_mask(total, self.documents, False)) if self.but else self.documents

    def also(self, other: _Chosen) -> _Chosen:
        """What both choose."""
        if self.but and other.but:
            return _Chosen(kernels.united(self.documents, other.documents), True)
        if self.but or other.but:
            kept, left_out = (other, self) if self.but else (self, other)
            return _Chosen(kernels.without(kept.documents, left_out.documents))
        return _Chosen(kernels.intersected(self.documents, other.documents))

    def turned(self) -> _Chosen:
        """What is not chosen."""
        return _Chosen(self.documents, not self.but)

    def either(self, other: _Chosen) -> _Chosen:
        """What one of them chooses."""
        if self.but or other.but:
            return self.turned().also(other.turned()).turned()
        return _Chosen(kernels.united(self.documents, other.documents))


def _mask(total: int, documents: Array, chosen: bool = True) -> Array:
    mask = np.full(total, not chosen)
    mask[documents] = chosen
    return mask


@dataclass(frozen=True, slots=True)
class _Match:
    """The documents of each segment. `text`: strings in text had a part in it; without, only descriptions are meant."""

    chosen: list[_Chosen]
    text: bool


def evaluate_all(
    views: Sequence[View],
    clause: Clause,
    wanted: Sequence[Phrase],
    scope: str = "",
    dates: DateReader = WESTERN,
    units: Units | None = None,
    known: Sequence[Evaluation] = (),
) -> list[Evaluation]:
    """Find the documents of each segment that match. `scope` as in `Query`: within what several words must stand.

    `known`: what an earlier evaluation of the same strings found. `units` gives what `units_of` gives, remembered.
    """
    answers = [Evaluation(view) for view in views]
    for number, answer in enumerate(answers):
        for phrase in wanted:
            answer.found[phrase] = (known[number].found.get(phrase) if known else None) or find_phrase(answer.view, phrase)
    if isinstance(clause, Phrase):
        for answer in answers:
            answer.found[clause].keep_counted(answer.view)
            answer.documents = answer.found[clause].documents
        return answers
    match = _Evaluator(answers, scope, dates, units).match(clause)
    for answer, chosen in zip(answers, match.chosen, strict=True):
        facts = answer.view.facts
        documents = chosen.among(facts.documents)
        if not (answer.view.whole and answer.view.open):
            documents = documents[answer.view.counted[documents]]
        answer.documents = documents if match.text else documents[facts.target[documents] == ITEM]
    return answers


class _Evaluator:
    def __init__(self, answers: Sequence[Evaluation], scope: str, dates: DateReader, units: Units | None) -> None:
        self.answers = answers
        self.views = [answer.view for answer in answers]
        self.scope, self.dates, self._units = scope, dates, units

    def match(self, clause: Clause) -> _Match:
        match clause:
            case Phrase():
                return _Match([_Chosen(self.found(answer, clause).documents) for answer in self.answers], True)
            case Near():
                return _Match([self.near(answer, clause) for answer in self.answers], True)
            case FieldClause():
                pattern, exact = _field_pattern(clause.phrase), clause.phrase.exact
                return self.described([view.facts.matching_fields(clause.keys, pattern, exact) for view in self.views])
            case SectionClause():
                return self.described([self.in_section(view, clause.phrase) for view in self.views])
            case Years():
                return self.described([self.in_years(view, clause) for view in self.views])
            case Not():
                return self.none_of(self.match(clause.clause))
            case And():
                return self.all_of(clause.clauses)
            case Or():
                return self.any_of(clause.clauses)

    @staticmethod
    def described(masks: Sequence[Array]) -> _Match:
        """Documents for what is said of them, not for their text."""
        return _Match([_Chosen(np.flatnonzero(mask)) for mask in masks], False)

    def found(self, answer: Evaluation, phrase: Phrase) -> Found:
        """Where a string stands; what is to be left out is not remembered for the answer."""
        return answer.found.get(phrase) or find_phrase(answer.view, phrase)

    def near(self, answer: Evaluation, clause: Near) -> _Chosen:
        near = find_near(answer.view, clause, [self.found(answer, phrase) for phrase in clause.phrases])
        if all(phrase in answer.found for phrase in clause.phrases):
            answer.near[clause] = near
        return _Chosen(near.documents)

    def none_of(self, match: _Match) -> _Match:
        """What does not match; with a scope, what stands in no unit that matches."""
        chosen = match.chosen
        if self.scope and self.scope != "leaf" and match.text:
            matching = self.matching_units(self.documents(chosen))
            chosen = [_Chosen(np.flatnonzero(matching[unit])) for unit in self.units()]
        return _Match([one.turned() for one in chosen], False)

    def all_of(self, clauses: Sequence[Clause]) -> _Match:
        """Text clauses within the scope, at least one in the document itself; the others of the document itself."""
        matches = [self.match(clause) for clause in clauses]
        texts = [match.chosen for match in matches if match.text]
        if len(texts) == 1:
            chosen = texts[0]
        elif texts:
            chosen = self.together(texts)
        else:
            chosen = [_Chosen(np.zeros(0, np.int64), True) for _view in self.views]
        for match in matches:
            if not match.text:
                chosen = [one.also(other) for one, other in zip(chosen, match.chosen, strict=True)]
        return _Match(chosen, bool(texts))

    def together(self, texts: Sequence[list[_Chosen]]) -> list[_Chosen]:
        """The documents with one of some strings that have all of them within the scope."""
        if self.scope == "leaf":
            return [reduce(_Chosen.also, some) for some in zip(*texts, strict=True)]
        listed = [self.documents(chosen) for chosen in texts]
        if not self.scope:
            return [_Chosen(_adjoining(view, some)) for view, some in zip(self.views, zip(*listed, strict=True), strict=True)]
        common = np.logical_and.reduce([self.matching_units(some) for some in listed])
        either = [reduce(kernels.united, some) for some in zip(*listed, strict=True)]
        return [_Chosen(some[common[unit[some]]]) for some, unit in zip(either, self.units(), strict=True)]

    def documents(self, chosen: Sequence[_Chosen]) -> list[Array]:
        """The documents of each segment, one by one."""
        return [one.among(view.facts.documents) for one, view in zip(chosen, self.views, strict=True)]

    def units(self) -> Sequence[Array]:
        """See `units_of`."""
        return units_of(self.views, self.scope) if self._units is None else self._units(self.scope)

    def matching_units(self, documents: Sequence[Array]) -> Array:
        """True for each unit that has one of the documents."""
        units = self.units()
        having = np.zeros(max((int(unit.max(initial=-1)) + 1 for unit in units), default=0), bool)
        for unit, some in zip(units, documents, strict=True):
            having[unit[some]] = True
        return having

    def any_of(self, clauses: Sequence[Clause]) -> _Match:
        """A clause about descriptions alone means descriptions, when it stands beside strings of text."""
        matches = [self.match(clause) for clause in clauses]
        text = any(match.text for match in matches)
        chosen = []
        for number, view in enumerate(self.views):
            items = _Chosen(view.facts.descriptions) if text and not all(match.text for match in matches) else None
            each = [m.chosen[number] if m.text or items is None else m.chosen[number].also(items) for m in matches]
            chosen.append(reduce(_Chosen.either, each))
        return _Match(chosen, text)

    def in_section(self, view: View, phrase: Phrase) -> Array:
        pattern = _field_pattern(phrase)
        facts = view.facts
        reading = written_form if phrase.exact else fold
        sections, names = facts.arrays["section"].astype(np.int64), facts.strings("section")
        found = np.zeros(facts.documents, bool)
        for collection, inside in facts.by_glyphs():
            having = [pattern.search(reading(section, collection)) is not None for section in names]
            if having:
                found |= np.array(having, bool)[sections] & inside
        return found

    def in_years(self, view: View, years: Years) -> Array:
        facts = view.facts
        if not years.keys:
            return np.asarray(np.logical_or.reduce([facts.in_years(first, last) for first, last in years.spans]))
        bounds = [(-(10**6) if first is None else first, 10**6 if last is None else last) for first, last in years.spans]
        found: Array = facts.by_work(
            lambda work: any(
                begin <= high and end >= low
                for key in years.keys
                for value in values_of(work, key)
                for begin, end in self.dates.find(value)
                for low, high in bounds
            )
        )
        return found


def units_of(views: Sequence[View], scope: str) -> list[Array]:
    """For each segment the number of the unit of each document, equal in all segments: its `work`, or its 目 (`section`) or 卷 (`juan`)
    within its work. A document that has none is a unit of its own."""
    if scope == "work":
        return [view.items[view.facts.item] for view in views]
    known: dict[str, int] = {"": 0}
    found, alone = [], -1
    for view in views:
        names = view.facts.strings(scope)
        numbers = np.array([known.setdefault(name, len(known)) for name in names], np.int64)
        inside = numbers[view.facts.arrays[scope]] if len(names) else np.zeros(view.facts.documents, np.int64)
        units = (view.items[view.facts.item].astype(np.int64) << 32) + inside
        found.append(np.where(inside > 0, units, alone - np.arange(len(units))))
        alone -= len(units)
    _units, numbered = np.unique(np.concatenate([np.zeros(0, np.int64), *found]), return_inverse=True)
    bounds = np.cumsum([len(units) for units in found])[:-1]
    return np.split(numbered.astype(np.int32), bounds) if found else []


def _field_pattern(phrase: Phrase) -> re.Pattern[str]:
    """A string with its wildcards, or one that stands for it, for values folded (as written for an exact one) and kept apart by NUL."""
    return re.compile("|".join(map(_one_pattern, (phrase, *phrase.others))))


def _one_pattern(phrase: Phrase) -> str:
    wanted = phrase.written if phrase.exact else phrase.parts
    parts = ("".join("[^\0]" if char is None else re.escape(char) for char in part) for part in wanted)
    return f"[^\0]{{0,{GAP}}}?".join(parts)
