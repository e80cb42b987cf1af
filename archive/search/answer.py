"""One query on an open index: hits in order, exact counts, facets, written forms, excerpts. Knows arrays and nothing of where they lie."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Protocol

import numpy as np

from archive.search import excerpts, kernels
from archive.search.arrays import Array
from archive.search.base import FacetCount, Group, Hit, Query, Results, Snippet
from archive.search.batch_reading import decode
from archive.search.chinese import FIRST_GLYPH, spelled
from archive.search.evaluation import Evaluation, Found, Units, View, counts_at, evaluate_all
from archive.search.picking import first_of
from archive.search.segment_facts import ITEM, NEVER, TARGETS, Facts, SegmentFacts
from archive.search.segment_text import Layout, Occurrences, SegmentText
from archive.search.syntax import And, Clause, Near, Or, Parsed, Phrase

_IN_GROUP = 3
"""Hits shown of each work."""
_MARKED = 40
"""So many occurrences of a string in one document are looked at for its excerpts."""
_COUNT = itemgetter(1)
_WIDER = ("", "section", "juan", "work")
"""Scopes from narrow to wide; `leaf` is narrower than all."""


class OpenSegment(Protocol):
    """A segment open for reading."""

    text: SegmentText
    facts: SegmentFacts

    def stored(self, document: int) -> tuple[str, Facts]:
        """Text as written and facts of a document."""


class Ranks(Protocol):
    """Asked only when hits are sorted so."""

    def __call__(self, order: str = "title") -> Sequence[Array]:
        """For each segment the place of each of its works among all works: by `title`, `strokes` or `call_number`."""


@dataclass(slots=True)
class _Part:
    """The hits of one segment: documents (an item's descriptions as one), occurrences, score, and their place in the whole."""

    segment: OpenSegment
    answer: Evaluation
    documents: Array
    matches: Array
    scores: Array
    described: Array
    """Which of the documents are descriptions; all others are pages and timed segments."""

    @property
    def text_documents(self) -> Array:
        """The pages and timed segments."""
        return np.delete(self.documents, self.described) if len(self.described) else self.documents

    @property
    def occurrences(self) -> int:
        """How many in text."""
        return int(self.matches.sum()) - int(self.matches[self.described].sum())


class Answer:
    """One query on the segments of an index, each as the reader sees it."""

    def __init__(
        self,
        segments: Sequence[OpenSegment],
        views: Sequence[View],
        query: Query,
        parsed: Parsed,
        title_ranks: Ranks,
        units: Units | None = None,
    ) -> None:
        self.segments, self.views, self.query, self.parsed, self.title_ranks = segments, views, query, parsed, title_ranks
        self.units = units
        self.phrases = parsed.phrases()

    def results(self) -> Results:
        """The whole answer."""
        parts = self._parts(self.parsed.clause, self.phrases, self.query.scope)
        self._score(parts)
        described = sum(len(part.described) for part in parts)
        total = sum(len(part.documents) for part in parts) - described
        texts = [part.text_documents for part in parts]
        groups = self._groups(parts) if self.query.group else ()
        return Results(
            total=total,
            items=self._works(parts, texts),
            metadata_total=described,
            occurrences=sum(part.occurrences for part in parts),
            hits=tuple(hit for group in groups for hit in group.hits) if self.query.group else tuple(self._hits(self._page(parts))),
            facets=self._facets(parts),
            understood=self.parsed.understood,
            forms=self._forms(parts, texts),
            terms=tuple(dict.fromkeys(phrase.text for phrase in self.parsed.strings())),
            several=_has_several(self.parsed.clause),
            groups=groups,
            works=self._works(parts, [part.documents for part in parts]) if self.query.group else 0,
            wider=self._wider(parts) if not total and not described else (),
            unquoted=self._unquoted(),
        )

    def count(self) -> int:
        """How many pages, timed segments and descriptions match; nothing is sorted or shown."""
        return sum(len(part.documents) for part in self._parts(self.parsed.clause, self.phrases, self.query.scope))

    def total(self, clause: Clause, phrases: Sequence[Phrase] = (), scope: str = "", known: Sequence[Evaluation] = ()) -> int:
        """How many pages and timed segments a clause finds under the same filters, for the same reader."""
        parts = self._parts(clause, phrases, scope, known)
        return sum(len(part.documents) - len(part.described) for part in parts)

    def selected(self, facts: SegmentFacts, documents: Array) -> Array:
        """True for each of these documents that the query's filters leave."""
        query = self.query
        chosen = [facts.having(name, (value,)) for name, value in query.filters.items()]
        if query.collection is not None:
            chosen.append(facts.having("collection", (query.collection,)))
        if query.kind is not None:
            chosen.append(facts.having("kind", (query.kind,)))
        if query.collections:
            chosen.append(facts.having("collection", query.collections))
        if query.year_from is not None or query.year_to is not None:
            chosen.append(facts.in_years(query.year_from, query.year_to))
        if query.item is not None:
            chosen.append(facts.item == np.int64(facts.code("item", query.item)))
        keep = np.ones(len(documents), bool)
        for mask in chosen:
            keep &= mask[documents]
        return keep

    # Which documents

    def _narrows(self) -> bool:
        """True when there is a filter."""
        query = self.query
        given = (query.collection, query.kind, query.item, query.year_from, query.year_to)
        return bool(query.filters or query.collections) or any(value is not None for value in given)

    def _parts(self, clause: Clause, phrases: Sequence[Phrase], scope: str, known: Sequence[Evaluation] = ()) -> list[_Part]:
        answers = evaluate_all(self.views, clause, phrases, scope, self.parsed.dates, self.units, known)
        return [self._part(segment, answer) for segment, answer in zip(self.segments, answers, strict=True)]

    def _part(self, segment: OpenSegment, answer: Evaluation) -> _Part:
        documents = answer.documents
        if self._narrows():
            keep = self.selected(segment.facts, documents)
            if not keep.all():
                documents = documents[keep]
        counted = [counts_at(documents, found.documents, found.counts) for found in _counting(answer)]
        matches = counted[0] if len(counted) == 1 else np.sum(counted, axis=0) if counted else np.zeros(len(documents), np.int64)
        described = kernels.rows_among(documents, segment.facts.descriptions)
        if len(described) > 1:
            documents, matches = _one_description(segment.facts, documents, matches, described)
            described = kernels.rows_among(documents, segment.facts.descriptions)
        return _Part(segment, answer, documents, matches, np.zeros(len(documents), np.float32), described)

    def _works(self, parts: Sequence[_Part], documents: Sequence[Array]) -> int:
        """How many items have one of the documents."""
        found = np.zeros(max((int(view.items.max(initial=-1)) + 1 for view in self.views), default=0), bool)
        for part, some in zip(parts, documents, strict=True):
            kernels.mark(found, part.answer.view.items, part.segment.facts.item, part.segment.facts.item_begins, some)
        return int(np.count_nonzero(found))

    # Ranking

    def _score(self, parts: Sequence[_Part]) -> None:
        """Fill in the scores. A score is the sum of: 2 for a work whose title has the strings; 1 when all strings stand in the document
        itself, not its neighbour; up to 1 for the share of strings in the very form typed; and BM25, squeezed below 1."""
        documents = max(sum(view.total for view in self.views), 1)
        length = max(sum(view.characters for view in self.views) / documents, 1.0)
        present = [np.zeros(len(part.documents), np.int32) for part in parts]
        in_form = [np.zeros(len(part.documents), np.int32) for part in parts]
        for phrase in self.phrases:
            holding = sum(_holding(part, phrase) for part in parts)
            weight = float(2.2 * np.log(1 + (documents - holding + 0.5) / (holding + 0.5)))
            for part, here, same in zip(parts, present, in_form, strict=True):
                found, lengths = part.answer.found[phrase], part.segment.text.lengths
                kernels.weigh(
                    part.documents, lengths, length, weight, found.documents, found.counts, found.as_typed, part.scores, here, same
                )
        if not self.phrases:
            return
        most = max([1, *(int(here.max(initial=0)) for here in present)])
        for part, here, same in zip(parts, present, in_form, strict=True):
            kernels.scored(part.scores, here, same, most, len(self.phrases))
            _add_titles(part, self.phrases)

    def _page(self, parts: Sequence[_Part]) -> list[tuple[_Part, int]]:
        """The hits asked for, in order."""
        offset, limit = max(self.query.offset, 0), max(self.query.limit, 0)
        sizes = [len(part.documents) for part in parts]
        if not limit or offset >= sum(sizes):
            return []
        bounds = np.cumsum([0, *sizes])
        order = first_of(self._keys(parts), offset + limit)[offset:]
        chosen = np.searchsorted(bounds, order, side="right") - 1
        return [(parts[at], int(place - bounds[at])) for at, place in zip(chosen.tolist(), order.tolist(), strict=True)]

    def _keys(self, parts: Sequence[_Part]) -> list[Array]:
        """What all hits are sorted by, the weightiest first."""
        scores = _joined([-part.scores for part in parts])
        sort = self.query.sort
        if sort in ("date", "-date"):
            years = _joined([part.segment.facts.arrays["year_first"][part.segment.facts.work[part.documents]] for part in parts])
            if sort == "-date":
                years = np.where(years == NEVER, NEVER, -years)
            return [years, scores]
        if sort in ("title", "strokes", "call_number"):
            ranks = self.title_ranks(sort)
            titles = [rank[part.segment.facts.work[part.documents]] for part, rank in zip(parts, ranks, strict=True)]
            return [_joined(titles), scores]
        if sort == "position":
            return self._positions(parts)
        return [scores]

    def _positions(self, parts: Sequence[_Part]) -> list[Array]:
        """Works in the order of the index, in each the order of reading."""
        items = [part.answer.view.items[part.segment.facts.item[part.documents]] for part in parts]
        places = [part.segment.facts.position[part.documents] for part in parts]
        kinds = [part.segment.facts.target[part.documents] == ITEM for part in parts]
        return [_joined(items), ~_joined(kinds), _joined(places)]

    # Grouped by work

    def _groups(self, parts: Sequence[_Part]) -> tuple[Group, ...]:
        """The works asked for, in the order of their best hit."""
        offset, limit = max(self.query.offset, 0), max(self.query.limit, 0)
        items = _joined([part.answer.view.items[part.segment.facts.item[part.documents]] for part in parts])
        if not limit or not len(items):
            return ()
        keys = self._keys(parts)
        order = np.lexsort([*reversed(keys), items])
        begins = np.flatnonzero(np.diff(items[order], prepend=-1))
        best = order[begins]
        chosen = first_of([key[best] for key in keys], offset + limit)[offset:]
        ends = np.append(begins[1:], len(order))
        bounds = np.cumsum([0, *(len(part.documents) for part in parts)])
        matches, text = _joined([part.matches for part in parts]), np.ones(len(items), bool)
        text[_joined([part.described + bound for part, bound in zip(parts, bounds.tolist(), strict=False)])] = False
        groups = []
        for at in chosen.tolist():
            rows = order[begins[at] : ends[at]]
            numbers = np.searchsorted(bounds, rows[:_IN_GROUP], side="right") - 1
            hits = self._hits([(parts[n], row - int(bounds[n])) for n, row in zip(numbers.tolist(), rows.tolist(), strict=False)])
            inside = text[rows]
            groups.append(Group(hits[0].item, hits[0].title, int(inside.sum()), int(matches[rows][inside].sum()), tuple(hits)))
        return tuple(groups)

    # What is shown

    def _hits(self, chosen: Sequence[tuple[_Part, int]]) -> list[Hit]:
        """The hits as they are shown."""
        hits: dict[int, Hit] = {}
        for part in {id(part): part for part, _index in chosen}.values():
            places = [place for place, (other, _index) in enumerate(chosen) if other is part]
            hits.update(zip(places, self._hits_of(part, np.array([chosen[place][1] for place in places])), strict=True))
        return [hits[place] for place in range(len(chosen))]

    def _hits_of(self, part: _Part, rows: Array) -> Iterator[Hit]:
        """Those hits of one segment; what is kept of them is read column by column."""
        facts, documents = part.segment.facts, part.documents[rows]
        numbers: list[int] = documents.tolist()
        works = facts.works_of(documents)
        items, sources = facts.named("item", facts.item[documents]), facts.named("source", facts.arrays["source"][documents])
        columns = (
            facts.target[documents].tolist(),
            facts.texts("key", documents),
            facts.texts("label", documents),
            part.scores[rows].tolist(),
            part.matches[rows].tolist(),
            facts.time[documents].tolist(),
            facts.arrays["until"][documents].tolist(),
            facts.position[documents].tolist(),
        )
        text = part.segment.text
        places = _places_in(part, documents) if self.query.snippets else [()] * len(rows)
        for document, work, item, source, row, found in zip(
            numbers, works, items, sources, zip(*columns, strict=True), places, strict=True
        ):
            target, key, label, score, matches, start, end, position = row
            yield Hit(
                TARGETS[target],
                item,
                key,
                work.title,
                label,
                round(score, 6),
                matches,
                self._snippets(part, document, found) if self.query.snippets else (),
                None if start != start else start,
                None if end != end else end,
                position,
                work.collection,
                work.kind,
                source,
                _reasons(text, found),
            )

    def _snippets(self, part: _Part, document: int, places: Sequence[tuple[Phrase | None, Occurrences]]) -> tuple[Snippet, ...]:
        text = part.segment.text
        layout = text.layout(document)
        begin = int(text.starts[document])
        ranges = [pair for _phrase, found in places for pair in _ranges(text, layout, begin, found)]
        return excerpts.snippets(layout.text, ranges)

    def _facets(self, parts: Sequence[_Part]) -> dict[str, tuple[FacetCount, ...]]:
        found = {}
        by_work = [part.segment.facts.by_work_counts(part.documents) for part in parts] if self.query.facets else []
        for name in self.query.facets:
            each = [part.segment.facts.facet(name, part.documents, works) for part, works in zip(parts, by_work, strict=True)]
            counts = each[0] if len(each) == 1 else sum(map(Counter, each), Counter())
            ordered = sorted(sorted(counts.items()), key=_COUNT, reverse=True) if len(counts) > 1 else counts.items()
            found[name] = tuple(FacetCount(value, count) for value, count in ordered)
        return found

    def _forms(self, parts: Sequence[_Part], texts: Sequence[Array]) -> tuple[tuple[str, int], ...]:
        """Written forms of the strings without wildcards, counted in the text of the hits; a form as typed that is nowhere counts 0."""
        counts: Counter[str] = Counter()
        for phrase in self.phrases:
            if not phrase.literal:
                continue
            if not phrase.exact and not phrase.scope:
                counts["".join(char or "" for char in phrase.written[0])] += 0
            for part, documents in zip(parts, texts, strict=True):
                for each, found in part.answer.found[phrase].alternatives or ((phrase, part.answer.found[phrase]),):
                    if each.literal:
                        counts.update(_written_forms(part, documents, each, found))
        return tuple(heapq.nsmallest(100, _spelled(counts).items(), key=lambda pair: (-pair[1], pair[0])))

    def _wider(self, parts: Sequence[_Part]) -> tuple[tuple[str, int], ...]:
        """What each wider scope would find of several strings."""
        if not _has_several(self.parsed.clause) or not _possible(self.parsed.clause, parts):
            return ()
        wider = _WIDER if self.query.scope == "leaf" else _WIDER[_WIDER.index(self.query.scope) + 1 :]
        known = [part.answer for part in parts]
        return tuple((scope, self.total(self.parsed.clause, self.phrases, scope, known)) for scope in wider)

    def _unquoted(self) -> int | None:
        """The total of one quoted string without its quotes."""
        clause = self.parsed.clause
        if not isinstance(clause, Phrase) or not clause.exact:
            return None
        loose = replace(clause, exact=False)
        return self.total(loose, (loose,))


def _joined(arrays: Sequence[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays) if arrays else np.zeros(0, np.int64)


def _counting(answer: Evaluation) -> list[Found]:
    """What is counted: strings inside 近 where they are near, not wherever they stand."""
    inside = {phrase for near in answer.near for phrase in near.phrases}
    return [*(found for phrase, found in answer.found.items() if phrase not in inside), *answer.near.values()]


def _has_several(clause: Clause) -> bool:
    match clause:
        case And():
            return sum(isinstance(part, Phrase | Near | Or) for part in clause.clauses) > 1 or any(map(_has_several, clause.clauses))
        case Or():
            return any(map(_has_several, clause.clauses))
    return False


def _possible(clause: Clause, parts: Sequence[_Part]) -> bool:
    """False when a string that every hit must have is nowhere: no scope would help."""
    match clause:
        case Phrase():
            return any(len(part.answer.found[clause].documents) for part in parts)
        case And():
            return all(_possible(each, parts) for each in clause.clauses)
        case Or():
            return any(_possible(each, parts) for each in clause.clauses)
    return True


def _one_description(facts: SegmentFacts, documents: Array, matches: Array, described: Array) -> tuple[Array, Array]:
    """The documents with what is counted in each; the descriptions of one item (everyone's and staff's) become the first of them."""
    _items, first, inverse = np.unique(facts.item[documents[described]], return_index=True, return_inverse=True)
    if len(first) == len(described):
        return documents, matches
    matches = matches.copy()
    matches[described[first]] = np.bincount(inverse, weights=matches[described]).astype(np.int64)
    keep = np.ones(len(documents), bool)
    keep[described] = False
    keep[described[first]] = True
    return documents[keep], matches[keep]


def _holding(part: _Part, phrase: Phrase) -> int:
    """How many documents that count have a string."""
    found = part.answer.found[phrase]
    if found.only_counted or part.answer.view.whole:
        return len(found.documents)
    return int(np.count_nonzero(part.answer.view.counted[found.documents]))


def _add_titles(part: _Part, phrases: Sequence[Phrase]) -> None:
    """2 for a description with one of the strings in its title."""
    described = part.described
    if len(described):
        part.scores[described[_in_title(part, part.documents[described], phrases)]] += np.float32(2.0)


def _in_title(part: _Part, documents: Array, phrases: Sequence[Phrase]) -> Array:
    """True for each description with one of the strings in its title, which is what it begins with."""
    ends = part.segment.text.starts[documents] + part.segment.facts.title_lengths(documents)
    titled = np.zeros(len(documents), bool)
    for phrase in phrases:
        found = part.answer.found[phrase]
        for at in np.flatnonzero(counts_at(documents, found.documents, found.counts) > 0).tolist():
            titled[at] |= int(found.in_document(int(documents[at])).ends[0]) <= int(ends[at])
    return titled


def _places_in(part: _Part, documents: Array) -> list[tuple[tuple[Phrase | None, Occurrences], ...]]:
    """What was found in each of some documents, string by string; None for the strings of a 近."""
    answer = part.answer
    inside = {phrase for near in answer.near for phrase in near.phrases}
    wanted: list[tuple[Phrase | None, Found]] = [
        pair for phrase, found in answer.found.items() if phrase not in inside for pair in found.alternatives or ((phrase, found),)
    ]
    wanted += [(None, found) for found in answer.near.values()]
    each = [found.in_documents(documents) for _phrase, found in wanted]
    return [tuple((phrase, places[row]) for (phrase, _found), places in zip(wanted, each, strict=True)) for row in range(len(documents))]


def _ranges(text: SegmentText, layout: Layout, begin: int, found: Occurrences) -> Iterator[tuple[int, int]]:
    """Where in the text as written the occurrences that begin in a document stand, as far as they lie in it; over a note in parts."""
    first, size = found.starts[:_MARKED] - begin, layout.size
    last, over = np.minimum(found.ends[:_MARKED] - begin, size), found.over[:_MARKED]
    if (over < 0).all():
        yield from zip(layout.begins[first].tolist(), layout.ends[last - 1].tolist(), strict=True)
        return
    for low, high, parted in zip(first.tolist(), last.tolist(), (over >= 0).tolist(), strict=True):
        inside = np.arange(low, high)
        main = inside[~text.note_state(inside + begin)[1]] if parted else inside
        cuts = np.flatnonzero(np.diff(main) > 1)
        for start, end in zip([0, *(cuts + 1).tolist()], [*cuts.tolist(), len(main) - 1], strict=True):
            yield layout.span(int(main[start]), int(main[end]) + 1)


def _reasons(text: SegmentText, found: Sequence[tuple[Phrase | None, Occurrences]]) -> tuple[tuple[str, str], ...]:
    """Why a document matched where its form differs, each difference once."""
    pairs = [pair for phrase, places in found for pair in _differences(text, phrase, places)]
    return tuple(dict.fromkeys(pairs)) if pairs else ()


def _differences(text: SegmentText, phrase: Phrase | None, found: Occurrences) -> Iterator[tuple[str, str]]:
    """Characters of the first occurrence that stand in another form than was typed: (typed, written)."""
    if phrase is None or not phrase.literal or not len(found):
        return
    begin, length = int(found.starts[0]), len(phrase.written[0])
    if found.over[0] < 0:
        codes = text.codes[begin : begin + length]
    else:
        codes = text.written(found.where(slice(0, 1)), length)[0]
    written = decode(text.letters[codes])
    if tuple(written) == phrase.written[0]:
        return
    for typed, stands in zip(phrase.written[0], written, strict=True):
        if typed is not None and typed != stands and (said := spelled(stands)) != spelled(typed):
            yield spelled(typed), said


def _spelled(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Forms as one can show and type them; what is spelled alike counts together."""
    if not counts or max(map(max, filter(None, counts)), default="") < FIRST_GLYPH:
        return counts
    together: Counter[str] = Counter()
    for form, count in counts.items():
        together[spelled(form)] += count
    return together


def _written_forms(part: _Part, documents: Array, phrase: Phrase, found: Found) -> dict[str, int]:
    text = part.segment.text
    if found.forms:  # one character, from its postings
        return _character_forms(text, phrase, found, documents)
    codes, places, of_places = text.pattern(phrase.parts[0]) or (), found.places, found.place_documents
    if found.same is None:
        return text.forms(places, of_places, documents, codes)
    # What stands as typed is counted by document already: commonly nearly all.
    others = np.flatnonzero(~found.same)
    counted = text.forms(places.where(others), of_places[others], documents, codes) if len(others) else {}
    as_typed = kernels.summed_where(found.documents, found.as_typed, documents)
    return counted | {"".join(char or "" for char in phrase.written[0]): as_typed} if as_typed else counted


def _character_forms(text: SegmentText, phrase: Phrase, found: Found, documents: Array) -> dict[str, int]:
    forms = found.forms.items()
    typed = text.code(phrase.written[0][0] or "")
    if documents is found.documents and len(forms) < 3 and typed in found.forms:
        as_typed, every = int(found.as_typed.sum()), int(found.counts.sum())
        parts = {chr(int(text.letters[form])): as_typed if form == typed else every - as_typed for form, _postings in forms}
        return {form: count for form, count in parts.items() if count}
    counted = {chr(int(text.letters[form])): kernels.summed_where(holding, counts, documents) for form, (holding, counts) in forms}
    return {form: count for form, count in counted.items() if count}
