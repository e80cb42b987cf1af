"""`SearchIndex` on Whoosh: the index of an archive on the disk of one machine.

    index/current       names the live build and the fold version it was made with (JSON); renaming it is the swap after a rebuild
    index/b0001/        one build: a Whoosh index with our codec (`whoosh_codec`)
    index/write.lock    held by the process that writes

Any number of processes read. Each looks at every search whether the build or its table of contents changed, which costs two `stat`s. What a
reader has open stays readable when a writer removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import json
import os
import pickle
import shutil
import struct
import threading
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import index as whoosh_index
from whoosh.index import TOC, FileIndex

from archive.errors import Busy, SearchIndexError
from archive.language import _
from archive.search import excerpts, syntax
from archive.search.arrays import Array, map_arrays
from archive.search.base import FacetCount, Hit, IndexDocument, Query, Results, Span
from archive.search.chinese import FOLD_VERSION, locate
from archive.search.evaluation import Evaluation, Found, View, evaluate
from archive.search.segment_facts import ITEM, NEVER, TARGETS, Facts, SegmentFacts, facts_of, read_facts, work_of
from archive.search.segment_text import SegmentText
from archive.search.syntax import Parsed, Phrase
from archive.search.whoosh_codec import (
    FACTS_FILE,
    TEXT_FILE,
    ChineseCodec,
    ChineseSegment,
    DurableStorage,
    DurableWriter,
    schema,
)

FORMAT = 2
"""Raise it when the files of a build change; older builds are then refused."""
FLUSH_CHARACTERS = 6_000_000
"""A segment is closed at the first item boundary after so many characters; building takes about 60 bytes of memory for each."""
MERGE_CHARACTERS = 4_000_000
"""Segments are merged until they are so large, so that no merge takes long (about a million characters a second)."""
_TRIES = 40
_LOCK_SECONDS = 10.0
_VIEWS = 12
_FAULTS: tuple[type[Exception], ...] = (OSError, whoosh_index.IndexError, pickle.UnpicklingError, struct.error, EOFError, AssertionError)
_FAULTS += (AttributeError, ValueError, TypeError, KeyError, IndexError, ImportError, MemoryError)
"""What Whoosh raises on reading a damaged table of contents: it is a pickle, so nearly anything."""


def _broken(reason: object) -> SearchIndexError:
    return SearchIndexError(_("检索索引缺失或损坏（%(reason)s），请运行 fangzhi rebuild index", reason=reason))


class _Segment:
    """One segment open for reading: its arrays, its stored documents. Never changes; lives as long as a snapshot holds it."""

    def __init__(self, storage: DurableStorage, segment: ChineseSegment) -> None:
        folder = Path(storage.folder)
        segment.check(folder)
        text, _extra = map_arrays(folder / segment.make_filename(TEXT_FILE))
        facts, extra = map_arrays(folder / segment.make_filename(FACTS_FILE))
        self.id = segment.segment_id()
        self.text = SegmentText(text)
        self.facts = SegmentFacts(facts, extra["names"])
        self._stored = segment.codec().per_document_reader(storage, segment)
        weakref.finalize(self, self._stored.close)
        self._lock = threading.Lock()
        if segment.doc_count_all() != self.facts.documents:
            raise _broken(f"{self.id}: {self.facts.documents} ≠ {segment.doc_count_all()}")
        self.stored(0)  # opens the file, which a writer may remove later

    def stored(self, document: int) -> tuple[str, Facts]:
        """Text as written and facts of a document."""
        with self._lock:
            values = self._stored.stored_fields(document)
        return values.get("text") or "", read_facts(values["facts"])


@dataclass(slots=True)
class _Snapshot:
    """The index as it was at one commit."""

    build: str
    generation: int
    segments: tuple[_Segment, ...]
    living: tuple[Array | None, ...]
    """For each segment True for the documents that are not deleted; None when all live."""
    deleted: int
    names: Mapping[str, Sequence[str]]
    ranks: tuple[Array, ...] | None = None
    views: OrderedDict[tuple[int, date], tuple[View, ...]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def seen_by(self, rank: int, today: date) -> tuple[View, ...]:
        """Each segment as a reader of this rank sees it on this day; a few are remembered."""
        key = (rank, today)
        with self.lock:
            if key in self.views:
                self.views.move_to_end(key)
                return self.views[key]
        views = tuple(
            View.of(segment.text, segment.facts, segment.facts.visible(rank, today) & (True if living is None else living))
            for segment, living in zip(self.segments, self.living, strict=True)
        )
        with self.lock:
            self.views[key] = views
            while len(self.views) > _VIEWS:
                self.views.popitem(last=False)
        return views

    def title_ranks(self) -> tuple[Array, ...]:
        """For each segment the place of each work's title among all titles, by code point."""
        if self.ranks is None:
            titles = [[work.title for work in segment.facts.works()] for segment in self.segments]
            rank = {title: number for number, title in enumerate(sorted({title for some in titles for title in some}))}
            self.ranks = tuple(np.array([rank[title] for title in some], np.int64) for some in titles)
        return self.ranks


class WhooshIndex:
    """`SearchIndex` in a folder. `folder` need not exist: `rebuild` makes it; until then everything else raises SearchIndexError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._snapshot: _Snapshot | None = None
        self._stamp: tuple[int, ...] = ()
        self._lock = threading.RLock()

    # Reading

    def search(self, query: Query) -> Results:
        """Hits of `query`. Raises QueryError for a fault in it and SearchIndexError when the index is missing, foreign or corrupt."""
        snapshot = self._refreshed()
        parsed = syntax.parse(query.text, snapshot.names)
        return _Answer(snapshot, query, parsed).results()

    def mark(self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "") -> tuple[Span, ...]:
        """Where the strings of `query` occur in one text as written; see the port."""
        try:
            names = self._refreshed().names
        except SearchIndexError:  # a page can be marked without an index
            names = {}
        return excerpts.mark(syntax.parse(query, names).phrases(), text, notes, before, after)

    def doctor(self) -> Mapping[str, object]:
        """State of the index: build, segments, documents, deleted, characters, bytes, fold version; `fault` when it is not well."""
        state: dict[str, object] = {"fold_version": FOLD_VERSION}
        try:
            snapshot = self._refreshed()
        except SearchIndexError as error:
            return state | {"fault": str(error)}
        folder = self.folder / snapshot.build
        return state | {
            "build": snapshot.build,
            "segments": len(snapshot.segments),
            "documents": sum(segment.facts.documents for segment in snapshot.segments) - snapshot.deleted,
            "deleted": snapshot.deleted,
            "characters": sum(len(segment.text.codes) for segment in snapshot.segments),
            "bytes": sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
        }

    def close(self) -> None:
        """Let go of files."""
        with self._lock:
            self._snapshot, self._stamp = None, ()

    def _current(self) -> dict[str, Any]:
        try:
            current = json.loads((self.folder / "current").read_text("utf-8"))
            build, fold_version, format_ = current["build"], current["fold_version"], current["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _broken(f"{self.folder / 'current'}: {error}") from error
        if format_ != FORMAT or fold_version != FOLD_VERSION:
            reason = _("索引的字形表版本是 %(found)s，程序的是 %(expected)s", found=fold_version, expected=FOLD_VERSION)
            raise _broken(reason)
        if not (self.folder / build).is_dir():
            raise _broken(self.folder / build)
        return dict(current)

    def _look(self) -> tuple[int, ...]:
        """What changes when the index changes; empty when that cannot be told yet (a folder changed within the clock's grain)."""
        try:
            current = (self.folder / "current").stat()
            build = (self.folder / self._snapshot.build).stat() if self._snapshot else current
        except OSError:
            return ()
        if time.time_ns() - max(current.st_mtime_ns, build.st_mtime_ns) < 100_000_000:
            return ()
        return current.st_ino, current.st_mtime_ns, build.st_ino, build.st_mtime_ns

    def _refreshed(self) -> _Snapshot:
        stamp, snapshot = self._look(), self._snapshot
        if snapshot is not None and stamp and stamp == self._stamp:
            return snapshot
        with self._lock:
            self._snapshot = snapshot = self._opened()
            self._stamp = stamp
            return snapshot

    def _opened(self) -> _Snapshot:
        """The newest snapshot. Tried again for a while when a writer removes files under our hands."""
        fault: BaseException | None = None
        for attempt in range(_TRIES):
            current = self._current()
            try:
                return self._open_build(current["build"])
            except _FAULTS as error:
                fault = error
                if attempt > 4 and not isinstance(error, FileNotFoundError):
                    break
                time.sleep(0.01)
        raise _broken(fault) from fault

    def _open_build(self, build: str) -> _Snapshot:
        old = self._snapshot
        storage = DurableStorage(str(self.folder / build))
        generation = TOC._latest_generation(storage, "MAIN")
        if old is not None and (old.build, old.generation) == (build, generation):
            return old
        try:
            contents = TOC.read(storage, "MAIN", gen=generation if generation >= 0 else None, schema=schema())
            known = {segment.id: segment for segment in old.segments} if old is not None and old.build == build else {}
            segments = tuple(known.get(segment.segment_id()) or _Segment(storage, segment) for segment in contents.segments)
        except BaseException:
            storage.let_go()
            raise
        return _Snapshot(
            build,
            generation,
            segments,
            tuple(_living(segment) for segment in contents.segments),
            sum(segment.deleted_count() for segment in contents.segments),
            _names(segments),
        )

    # Writing

    def replace(self, changes: Iterable[tuple[str, Iterable[IndexDocument]]]) -> None:
        """Take the place of whatever the index held for each item. Durable on return. Raises SearchIndexError when there is no index."""
        with self._writing():
            folder = self.folder / self._current()["build"]
            self._clear(folder)
            try:
                writer = _Build(folder)
            except _FAULTS as error:
                raise _broken(error) from error
            writer.write(changes, deleting=True)

    def exists(self) -> bool:
        """True when an index was once finished here, well or not."""
        return (self.folder / "current").exists()

    def rebuild(self, items: Iterator[tuple[str, Iterable[IndexDocument]]]) -> None:
        """Build a new index of all items beside the live one, then swap. The new one takes over only when it is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._writing():
            numbers = [int(path.name[1:]) for path in self.folder.glob("b[0-9]*") if path.name[1:].isdigit()]
            build = f"b{max(numbers, default=0) + 1:04d}"
            folder = self.folder / build
            folder.mkdir()
            FileIndex.create(DurableStorage(str(folder)), schema(), "MAIN")
            _Build(folder).write(items, deleting=False)
            self._swap(build)
            for path in self.folder.glob("b[0-9]*"):
                if path.name != build:
                    shutil.rmtree(path, ignore_errors=True)

    def _swap(self, build: str) -> None:
        aside = self.folder / "current.new"
        with aside.open("w", encoding="utf-8") as stream:
            json.dump({"build": build, "fold_version": FOLD_VERSION, "format": FORMAT}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(self.folder / "current")
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @staticmethod
    def _clear(folder: Path) -> None:
        """Remove what a killed writer left aside; Whoosh removes the segments that no table of contents names."""
        for path in folder.glob("_MAIN_*.toc.*"):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        if not self.folder.is_dir():
            raise _broken(self.folder)
        with (self.folder / "write.lock").open("a") as stream:
            until = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise Busy(_("另一个进程正在写检索索引，请稍后再试")) from None
                    time.sleep(0.05)
            yield


def _living(segment: ChineseSegment) -> Array | None:
    if not segment.deleted_count():
        return None
    living = np.ones(int(segment.doc_count_all()), bool)
    living[list(segment.deleted_docs())] = False
    return living


def _names(segments: Sequence[_Segment]) -> dict[str, list[str]]:
    names: dict[str, set[str]] = {}
    for segment in segments:
        for name, keys in segment.facts.names.items():
            names.setdefault(name, set()).update(keys)
    return {name: sorted(keys) for name, keys in names.items()}


class _Build:
    """Writes items into one build: a segment at a time, each committed at an item boundary."""

    def __init__(self, folder: Path) -> None:
        storage = DurableStorage(str(folder))
        try:
            self.index = FileIndex(storage, indexname="MAIN")
            for segment in TOC.read(storage, "MAIN").segments:
                segment.check(folder)
        except BaseException:
            storage.let_go()
            raise
        self.writer: DurableWriter | None = None
        self.inside: set[str] = set()

    def write(self, items: Iterable[tuple[str, Iterable[IndexDocument]]], deleting: bool) -> None:
        try:
            for item, documents in items:
                self._item(item, documents, deleting)
            self._commit(merging=deleting)
        except BaseException:
            if self.writer is not None:
                with contextlib.suppress(Exception):
                    self.writer.cancel()
            raise

    def _item(self, item: str, documents: Iterable[IndexDocument], deleting: bool) -> None:
        if item in self.inside:
            self._commit(merging=False)
            deleting = True
        if self.writer is None:
            self.writer = DurableWriter(self.index, codec=ChineseCodec(), limitmb=32, compound=False)
        writer = self.writer
        if deleting:
            writer.delete_by_term("item", item)
        self.inside.add(item)
        shared: bytes | None = None
        for document in documents:
            work = work_of(document)
            writer.add_document(item=item, text=document.text, facts=facts_of(document, b"" if work == shared else work))
            shared = work if shared is None else shared
        if writer.characters > FLUSH_CHARACTERS:
            self._commit(merging=False)

    def _commit(self, merging: bool) -> None:
        if self.writer is not None:
            writer, self.writer = self.writer, None
            writer.commit(mergetype=_merge_few if merging else _merge_none)
        self.inside.clear()


def _merge_none(writer: DurableWriter, segments: list[ChineseSegment]) -> list[ChineseSegment]:
    return segments


def _merge_few(writer: DurableWriter, segments: list[ChineseSegment]) -> list[ChineseSegment]:
    """Merge, smallest first, every segment not larger than twice what is being written; drop empty ones, clean half-deleted ones.

    So each segment left is more than twice all smaller ones together until MERGE_CHARACTERS, and their number grows with the logarithm.
    """
    kept: list[ChineseSegment] = []
    for segment in sorted(segments, key=_living_characters):
        living = _living_characters(segment)
        if segment.doc_count() == 0:
            continue
        small = writer.characters + living <= MERGE_CHARACTERS and living <= 2 * max(writer.characters, 2000)
        half_deleted = living * 2 < segment.characters and living <= MERGE_CHARACTERS
        if small or half_deleted:
            writer.merge_in(segment)
        else:
            kept.append(segment)
    return [segment for segment in segments if segment in kept]


def _living_characters(segment: ChineseSegment) -> int:
    documents = segment.doc_count_all()
    return int(segment.characters * segment.doc_count() / documents) if documents else 0


# Answering


@dataclass(slots=True)
class _Part:
    """The hits of one segment: documents (an item's descriptions as one), occurrences, score, and their place in the whole."""

    segment: _Segment
    answer: Evaluation
    documents: Array
    matches: Array
    scores: Array


class _Answer:
    """One query on one snapshot."""

    def __init__(self, snapshot: _Snapshot, query: Query, parsed: Parsed) -> None:
        self.snapshot, self.query, self.parsed = snapshot, query, parsed
        self.phrases = parsed.phrases()

    def results(self) -> Results:
        views = self.snapshot.seen_by(self.query.reader.rank, self.query.today)
        answers = [evaluate(view, self.parsed.clause, self.phrases) for view in views]
        parts = [self._part(segment, answer) for segment, answer in zip(self.snapshot.segments, answers, strict=True)]
        self._score(parts, views)
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
            terms=tuple(dict.fromkeys(phrase.text for phrase in self.phrases)),
        )

    def _part(self, segment: _Segment, answer: Evaluation) -> _Part:
        documents = answer.documents[self._filtered(segment.facts, answer.documents)]
        counts = np.zeros(segment.facts.documents, np.int64)
        for found in (*answer.found.values(), *answer.near.values()):
            counts[found.documents] += found.counts
        if answer.near:
            counts = self._counts_with_near(segment, answer)
        documents, matches = _one_description(segment.facts, documents, counts)
        return _Part(segment, answer, documents, matches, np.zeros(len(documents)))

    def _counts_with_near(self, segment: _Segment, answer: Evaluation) -> Array:
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
        if self.query.year_from is not None or self.query.year_to is not None:
            keep &= facts.in_years(self.query.year_from, self.query.year_to)[documents]
        if self.query.item is not None:
            keep &= facts.item[documents] == np.int64(facts.code("item", self.query.item))
        return keep

    # Ranking

    def _score(self, parts: Sequence[_Part], views: Sequence[View]) -> None:
        """Fill in the scores. A score is the sum of: 2 for a work whose title has the strings; 1 when all strings stand in the document
        itself, not its neighbour; up to 1 for the share of strings in the very form typed; and BM25, squeezed below 1."""
        documents = max(sum(int(view.visible.sum()) for view in views), 1)
        length = sum(int(view.text.lengths.sum()) for view in views) / documents if views else 1.0
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
            ranks = self.snapshot.title_ranks()
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


__all__ = ["TARGETS", "WhooshIndex"]
