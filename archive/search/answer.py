"""One query on an open index: hits in order, exact counts, facets, written forms, excerpts. Knows arrays and nothing of where they lie."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from archive.search import excerpts
from archive.search.arrays import Array
from archive.search.base import FacetCount, Hit, Query, Results
from archive.search.chinese import locate
from archive.search.evaluation import Evaluation, Found, View, evaluate
from archive.search.segment_facts import ITEM, NEVER, Facts, SegmentFacts
from archive.search.segment_text import SegmentText
from archive.search.syntax import Parsed, Phrase


class OpenSegment(Protocol):
    """A segment open for reading."""

    text: SegmentText
    facts: SegmentFacts

    def stored(self, document: int) -> tuple[str, Facts]:
        """Text as written and facts of a document."""


@dataclass(slots=True)
class _Part:
    """The hits of one segment: documents (an item's descriptions as one), occurrences, score, and their place in the whole."""

    segment: OpenSegment
    answer: Evaluation
    documents: Array
    matches: Array
    scores: Array


class Answer:
    """One query on the segments of an index, each as the reader sees it. `title_ranks` is asked only when hits are sorted by title."""

    def __init__(
        self,
        segments: Sequence[OpenSegment],
        views: Sequence[View],
        query: Query,
        parsed: Parsed,
        title_ranks: Callable[[], Sequence[Array]],
    ) -> None:
        self.segments, self.views, self.query, self.parsed, self.title_ranks = segments, views, query, parsed, title_ranks
        self.phrases = parsed.phrases()

    def results(self) -> Results:
        """The whole answer."""
        answers = [evaluate(view, self.parsed.clause, self.phrases, self.parsed.dates) for view in self.views]
        parts = [self._part(segment, answer) for segment, answer in zip(self.segments, answers, strict=True)]
        self._score(parts)
        in_text = [part.segment.facts.target[part.documents] != ITEM for part in parts]
        total = sum(int(mask.sum()) for mask in in_text)
        # All documents of an item lie in one segment, so items are counted segment by segment.
        items = sum(
            np.count_nonzero(np.bincount(part.segment.facts.item[part.documents[mask]])) for part, mask in zip(parts, in_text, strict=True)
        )
        return Results(
            total=total,
            items=int(items),
            metadata_total=sum(len(mask) for mask in in_text) - total,
            occurrences=sum(int(part.matches[mask].sum()) for part, mask in zip(parts, in_text, strict=True)),
            hits=tuple(self._hit(part, index) for part, index in self._page(parts)),
            facets={name: self._facet(name, parts) for name in self.query.facets},
            understood=self.parsed.understood,
            forms=self._forms(parts),
            terms=tuple(dict.fromkeys(phrase.text for phrase in self.parsed.strings())),
        )

    def _part(self, segment: OpenSegment, answer: Evaluation) -> _Part:
        documents = answer.documents[self._filtered(segment.facts, answer.documents)]
        counts = np.zeros(segment.facts.documents, np.int64)
        for found in (*answer.found.values(), *answer.near.values()):
            counts[found.documents] += found.counts
        if answer.near:
            counts = self._counts_with_near(segment, answer)
        documents, matches = _one_description(segment.facts, documents, counts)
        return _Part(segment, answer, documents, matches, np.zeros(len(documents)))

    def _counts_with_near(self, segment: OpenSegment, answer: Evaluation) -> Array:
        """Strings inside 近 count where they are near, not wherever they stand."""
        counts = np.zeros(segment.facts.documents, np.int64)
        inside = {phrase for near in answer.near for phrase in near.phrases}
        for phrase, found in answer.found.items():
            if phrase not in inside:
                counts[found.documents] += found.counts
        for found in answer.near.values():
            counts[found.documents] += found.counts
        return counts

    def _filtered(self, facts: SegmentFacts, documents: Array) -> Array:
        keep = np.ones(len(documents), bool)
        wanted = dict(self.query.filters)
        if self.query.collection is not None:
            wanted["collection"] = self.query.collection
        if self.query.kind is not None:
            wanted["kind"] = self.query.kind
        for name, value in wanted.items():
            keep &= facts.with_value(name, value)[documents]
        if self.query.collections:
            chosen = [facts.with_value("collection", slug)[documents] for slug in self.query.collections]
            keep &= np.logical_or.reduce(chosen)
        if self.query.year_from is not None or self.query.year_to is not None:
            keep &= facts.in_years(self.query.year_from, self.query.year_to)[documents]
        if self.query.item is not None:
            keep &= facts.item[documents] == np.int64(facts.code("item", self.query.item))
        return keep

    # Ranking

    def _score(self, parts: Sequence[_Part]) -> None:
        """Fill in the scores. A score is the sum of: 2 for a work whose title has the strings; 1 when all strings stand in the document
        itself, not its neighbour; up to 1 for the share of strings in the very form typed; and BM25, squeezed below 1."""
        documents = max(sum(int(view.visible.sum()) for view in self.views), 1)
        length = max(sum(view.characters for view in self.views) / documents, 1.0)
        for phrase in self.phrases:
            holding = sum(len(part.answer.found[phrase].documents) for part in parts)
            weight = float(np.log(1 + (documents - holding + 0.5) / (holding + 0.5)))
            for part in parts:
                _add_bm25(part, part.answer.found[phrase], weight, length)
        for part in parts:
            part.scores /= part.scores + 10.0
            if self.phrases:
                _add_tiers(part, self.phrases)

    def _page(self, parts: Sequence[_Part]) -> list[tuple[_Part, int]]:
        """The hits asked for, in order."""
        offset, limit = max(self.query.offset, 0), max(self.query.limit, 0)
        sizes = [len(part.documents) for part in parts]
        if not limit or offset >= sum(sizes):
            return []
        bounds = np.cumsum([0, *sizes])
        order = self._order(parts, offset + limit)[offset : offset + limit]
        chosen = np.searchsorted(bounds, order, side="right") - 1
        return [(parts[at], int(place - bounds[at])) for at, place in zip(chosen.tolist(), order.tolist(), strict=True)]

    def _order(self, parts: Sequence[_Part], count: int) -> Array:
        scores = np.concatenate([part.scores for part in parts])
        if self.query.sort in ("date", "-date"):
            years = np.concatenate([part.segment.facts.arrays["year_first"][part.segment.facts.work[part.documents]] for part in parts])
            years = years.astype(np.int64)
            if self.query.sort == "-date":
                years = np.where(years == NEVER, NEVER, -years)
            return np.lexsort((-scores, years))
        if self.query.sort == "title":
            ranks = self.title_ranks()
            titles = [rank[part.segment.facts.work[part.documents]] for part, rank in zip(parts, ranks, strict=True)]
            return np.lexsort((-scores, np.concatenate(titles)))
        if self.query.sort == "position":
            return np.arange(len(scores))
        if count < len(scores) // 4:
            best = np.argpartition(-scores, count)[:count]
            worst = scores[best].min()
            best = np.flatnonzero(scores >= worst)  # ties are cut in reading order, so that pages do not overlap
            return best[np.argsort(-scores[best], kind="stable")]
        return np.argsort(-scores, kind="stable")

    # What is shown

    def _hit(self, part: _Part, index: int) -> Hit:
        document = int(part.documents[index])
        text, facts = part.segment.stored(document)
        work = part.segment.facts.work_of(document)
        ranges = list(self._ranges(part, document, text, facts))
        return Hit(
            target=facts.target,
            item=facts.item,
            key=facts.key,
            title=work.title,
            label=facts.label,
            score=round(float(part.scores[index]), 6),
            matches=int(part.matches[index]),
            snippets=excerpts.snippets(text, ranges),
            start=facts.start,
            end=facts.end,
            position=facts.position,
            collection=work.collection,
            kind=work.kind,
            source=facts.source,
        )

    def _ranges(self, part: _Part, document: int, text: str, facts: Facts) -> Iterator[tuple[int, int]]:
        """Where in the text as written the occurrences that begin in this document stand, as far as they lie in it."""
        arrays = part.segment.text
        begin = int(arrays.starts[document])
        open_note = int(facts.joins and facts.notes and _begins_in_note(arrays, begin))
        located = locate(text, facts.notes, open_note)
        inside_near = {phrase for near in part.answer.near for phrase in near.phrases}
        sources = [found for phrase, found in part.answer.found.items() if phrase not in inside_near]
        for found in (*sources, *part.answer.near.values()):
            places = found.in_document(document)
            for start, end, over in zip(places.starts.tolist(), places.ends.tolist(), places.over.tolist(), strict=True):
                yield from excerpts.spans_of(located, start - begin, min(end - begin, len(located.written)), over >= 0)

    def _facet(self, name: str, parts: Sequence[_Part]) -> tuple[FacetCount, ...]:
        counts: Counter[str] = Counter()
        for part in parts:
            counts.update(part.segment.facts.facet(name, part.documents))
        return tuple(FacetCount(value, count) for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def _forms(self, parts: Sequence[_Part]) -> tuple[tuple[str, int], ...]:
        """Written forms of the strings without wildcards, counted in the text of the hits."""
        counts: Counter[str] = Counter()
        for phrase in self.phrases:
            if phrase.literal:
                for part in parts:
                    counts.update(_written_forms(part, part.answer.found[phrase], len(phrase.parts[0])))
        return tuple(heapq.nsmallest(100, counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _begins_in_note(text: SegmentText, place: int) -> bool:
    index = int(np.searchsorted(text.note_begins, place, side="right")) - 1
    return index >= 0 and int(text.note_begins[index]) < place < int(text.note_ends[index])


def _one_description(facts: SegmentFacts, documents: Array, counts: Array) -> tuple[Array, Array]:
    """The documents with what is counted in each; the descriptions of one item (everyone's and staff's) become the first of them."""
    matches = counts[documents]
    described = np.flatnonzero(facts.target[documents] == ITEM)
    if len(described) < 2:
        return documents, matches
    _items, first, inverse = np.unique(facts.item[documents[described]], return_index=True, return_inverse=True)
    if len(first) == len(described):
        return documents, matches
    matches[described[first]] = np.bincount(inverse, weights=matches[described]).astype(np.int64)
    keep = np.ones(len(documents), bool)
    keep[described] = False
    keep[described[first]] = True
    return documents[keep], matches[keep]


def _counts_at(documents: Array, found_in: Array, counts: Array) -> Array:
    """For each of `documents` its count, 0 when it is not among `found_in`. Both ascend."""
    if not len(found_in):
        return np.zeros(len(documents), np.int64)
    if len(found_in) == len(documents) and np.array_equal(found_in, documents):
        return counts
    at = np.minimum(np.searchsorted(found_in, documents), len(found_in) - 1)
    return np.where(found_in[at] == documents, counts[at], 0)


def _add_bm25(part: _Part, found: Found, weight: float, mean_length: float) -> None:
    counts = _counts_at(part.documents, found.documents, found.counts)
    lengths = part.segment.text.lengths[part.documents]
    part.scores += weight * counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * lengths / mean_length))


def _add_tiers(part: _Part, phrases: Sequence[Phrase]) -> None:
    present = np.zeros(len(part.documents))
    as_typed = np.zeros(len(part.documents))
    for phrase in phrases:
        found = part.answer.found[phrase]
        present += _counts_at(part.documents, found.documents, found.counts) > 0
        as_typed += _counts_at(part.documents, found.documents, found.as_typed) > 0
    best = max(float(present.max(initial=0)), 1.0)
    part.scores += (present >= best) + as_typed / len(phrases)
    described = np.flatnonzero(part.segment.facts.target[part.documents] == ITEM)
    part.scores[described[_in_title(part, part.documents[described], phrases)]] += 2.0


def _in_title(part: _Part, documents: Array, phrases: Sequence[Phrase]) -> Array:
    """True for each description with one of the strings in its title, which is what it begins with."""
    ends = part.segment.text.starts[documents] + part.segment.facts.title_lengths(documents)
    titled = np.zeros(len(documents), bool)
    for phrase in phrases:
        found = part.answer.found[phrase]
        if len(found.places):
            first = np.minimum(np.searchsorted(found.place_documents, documents), len(found.places) - 1)
            titled |= (found.place_documents[first] == documents) & (found.places.ends[first] <= ends)
    return titled


def _written_forms(part: _Part, found: Found, length: int) -> dict[str, int]:
    facts, text = part.segment.facts, part.segment.text
    counted = np.zeros(facts.documents, bool)
    counted[part.documents] = True
    counted &= facts.target != ITEM
    places = found.places.where(counted[found.place_documents])
    if not len(places):
        return {}
    rows = text.written(places, length)
    # One number for each form, column by column, so that long strings need no wide comparison.
    number = np.zeros(len(rows), np.int64)
    for column in rows.T:
        if (column == column[0]).all():
            continue
        variants = np.flatnonzero(text.fold_of == text.fold_of[column[0]])
        number = number * len(variants) + np.searchsorted(variants, column)
        if len(variants) > 1:
            _numbers, number = np.unique(number, return_inverse=True)
    _numbers, first, counts = np.unique(number, return_index=True, return_counts=True)
    return {"".join(map(chr, text.letters[rows[at]])): int(count) for at, count in zip(first.tolist(), counts.tolist(), strict=True)}
