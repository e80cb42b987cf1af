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
import json
import os
import pickle
import shutil
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import index as whoosh_index
from whoosh.index import TOC, FileIndex

from archive import memory
from archive.errors import Busy, QueryError, SearchIndexError
from archive.language import _, current
from archive.model.rights import Audience
from archive.search import alternatives, corrections, excerpts, loading, syntax
from archive.search.answer import Answer
from archive.search.arrays import Array, map_arrays
from archive.search.base import Concordance, Expansion, IndexDocument, Lines, Offer, Query, Results, Span, Suggestion
from archive.search.chinese import fold_version
from archive.search.concordance import Kwic
from archive.search.evaluation import View, units_of
from archive.search.gathering import pieces_of
from archive.search.names import NO_NAMES, OtherNames
from archive.search.readings import pinyin_key, stroke_key
from archive.search.segment_facts import Facts, SegmentFacts, Work
from archive.search.segment_parts import PART_PREFIX, PartBuilders
from archive.search.segment_text import SegmentText
from archive.search.suggesting import Names
from archive.search.syntax import DateReader, Parsed, Phrase
from archive.search.whoosh_codec import (
    FACTS_FILE,
    TEXT_FILE,
    ChineseCodec,
    ChineseSegment,
    DurableStorage,
    DurableWriter,
    schema,
)

FORMAT = 4
"""Raise it when the files of a build change; older builds are then refused."""
PART_CHARACTERS = 2_000_000
"""Arrays are built of so many characters at a time, at an item boundary; building takes about 50 bytes of memory for each."""
PART_DOCUMENTS = 60_000
SEGMENT_CHARACTERS = 1_000_000_000
"""A segment is closed at the first item boundary after so many; places are 31 bits."""
AT_ONCE_CHARACTERS = 1_000_000
"""Segments up to so many characters together are merged by the very commit that adds (a tenth of a second)."""
MERGE_CHARACTERS = 64_000_000
"""Segments are merged after an addition until they are so large (3 seconds at the most); what is larger is left to a rebuild."""
_TRIES = 40
_LOCK_SECONDS = 10.0
_VIEWS = 12
_PARSED = 256
"""Queries whose reading is kept; what they find never is."""
_FAULTS: tuple[type[Exception], ...] = (OSError, whoosh_index.IndexError, pickle.UnpicklingError, struct.error, EOFError, AssertionError)
_FAULTS += (AttributeError, ValueError, TypeError, KeyError, IndexError, ImportError, MemoryError)
"""What Whoosh raises on reading a damaged table of contents: it is a pickle, so nearly anything."""


def _broken(reason: object) -> SearchIndexError:
    return SearchIndexError(_("检索索引缺失或损坏（%(reason)s），请运行 fangzhi rebuild index", reason=reason))


class _Segment:
    """One segment open for reading: its arrays. Never changes; lives as long as a snapshot holds it."""

    def __init__(self, storage: DurableStorage, segment: ChineseSegment) -> None:
        folder = Path(storage.folder)
        segment.check(folder)
        text, _extra = map_arrays(folder / segment.make_filename(TEXT_FILE))
        facts, extra = map_arrays(folder / segment.make_filename(FACTS_FILE))
        self.id = segment.segment_id()
        self.text = SegmentText(text)
        self.facts = SegmentFacts(facts, extra["names"])
        self.chunk_starts = facts["chunk_starts"]
        loading.load(self.text, self.facts)
        if segment.doc_count_all() != len(self.chunk_starts) - 1 or self.facts.documents != self.text.documents:
            raise _broken(f"{self.id}: {len(self.chunk_starts) - 1} ≠ {segment.doc_count_all()}")

    def stored(self, document: int) -> tuple[str, Facts]:
        """Text as written and facts of a document."""
        return self.text.text_of(document), self.facts.of(document)

    def living(self, segment: ChineseSegment) -> Array | None:
        """True for each document that is not deleted; None when all live."""
        if not segment.deleted_count():
            return None
        living = np.ones(len(self.chunk_starts) - 1, bool)
        living[list(segment.deleted_docs())] = False
        return np.repeat(living, np.diff(self.chunk_starts))


@dataclass(slots=True)
class _Snapshot:
    """The index as it was at one commit."""

    build: str
    generation: int
    segments: tuple[_Segment, ...]
    living: tuple[Array | None, ...]
    """For each segment True for the documents that are not deleted; None when all live."""
    items: tuple[Array, ...]
    """For each segment, by its own code of an item, the number of the item in the whole index."""
    names: Mapping[str, Sequence[str]]
    proper: Names | None = None
    ranks: dict[str, tuple[Array, ...]] = field(default_factory=dict)
    known_units: dict[str, Sequence[Array]] = field(default_factory=dict)
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
            View.of(segment.text, segment.facts, segment.facts.visible(rank, today) & (True if living is None else living), items)
            for segment, living, items in zip(self.segments, self.living, self.items, strict=True)
        )
        with self.lock:
            self.views[key] = views
            while len(self.views) > _VIEWS:
                self.views.popitem(last=False)
        return views

    def units(self, scope: str) -> Sequence[Array]:
        """What `units_of` gives for these segments; the same for every reader."""
        with self.lock:
            if scope not in self.known_units:
                self.known_units[scope] = units_of(next(iter(self.views.values())), scope)
            return self.known_units[scope]

    def title_ranks(self, order: str = "title") -> tuple[Array, ...]:
        """For each segment the place of each work among all: by `title` (pinyin), `strokes` (of the title) or `call_number`."""
        with self.lock:
            if order not in self.ranks:
                self.ranks[order] = _ranked([segment.facts.works() for segment in self.segments], order)
            return self.ranks[order]

    def proper_names(self) -> Names:
        """Titles, persons and places, gathered when first asked for."""
        if self.proper is None:
            self.proper = Names([segment.facts for segment in self.segments], self.items)
        return self.proper


def _sorted_by(work: Work, order: str) -> tuple[bool, str, str]:
    if order == "call_number":
        return (not work.call_number, work.call_number, pinyin_key(work.title))
    return (False, stroke_key(work.title) if order == "strokes" else pinyin_key(work.title), work.title)


def _ranked(works: Sequence[Sequence[Work]], order: str) -> tuple[Array, ...]:
    keys = [[_sorted_by(work, order) for work in some] for some in works]
    rank = {key: number for number, key in enumerate(sorted({key for some in keys for key in some}))}
    return tuple(np.array([rank[key] for key in some], np.int32) for some in keys)


class WhooshIndex:
    """`SearchIndex` in a folder. `folder` need not exist: `rebuild` makes it; until then everything else raises SearchIndexError.

    `names`: folded names of fields to their keys (`documents.query_names`); None takes those of the documents, whoever may see them.
    `dates` reads dates as written, in queries and in fields; `others` are the names that are offered beside an answer.
    So many `processes` build side by side when everything is indexed anew and there is enough to do; None: two where there are two processors.
    """

    def __init__(
        self,
        folder: Path,
        names: Mapping[str, Sequence[str]] | None = None,
        dates: DateReader = syntax.WESTERN,
        others: OtherNames = NO_NAMES,
        processes: int | None = None,
    ) -> None:
        memory.keep_freed()
        self.folder = folder
        self._where = str(folder)
        self._processes = min(2, os.cpu_count() or 1) if processes is None else processes
        self._names = names
        self._dates = dates
        self._others = others
        self._snapshot: _Snapshot | None = None
        self._stamp: tuple[int, ...] = ()
        self._parsed: OrderedDict[tuple[object, ...], Parsed] = OrderedDict()
        self._lock = threading.RLock()

    # Reading

    def search(self, query: Query) -> Results:
        """Hits of `query`. Raises QueryError for a fault in it and SearchIndexError when the index is missing, foreign or corrupt."""
        snapshot = self._refreshed()
        query, parsed = self._read(query, snapshot)
        views = snapshot.seen_by(query.reader.rank, query.today)
        results = self._answer(query, parsed, snapshot, views).results()
        if query.offset > 0 or query.limit < 1 or not query.advice:
            return results
        if not results.total and not results.metadata_total:
            results = replace(results, corrections=self._corrections(query, parsed, snapshot, views))
        expansions, offers = self._expansions(query, parsed, snapshot, views), self._offers(query, parsed, snapshot, views)
        return replace(results, expansions=expansions, offers=offers) if expansions or offers else results

    def _expansions(self, query: Query, parsed: Parsed, snapshot: _Snapshot, views: tuple[View, ...]) -> tuple[Expansion, ...]:
        """What was looked for beside the strings typed, or could be, each with its own occurrences under the same filters."""
        expansions = []
        for possible in alternatives.possible(parsed, query.confusable):
            confusion, words = possible.kind == "confusable", []
            for word, other in possible.others:
                alone = replace(query, limit=0, facets=(), group=False)
                found = self._answer(alone, Parsed(other, "", dates=self._dates), snapshot, views).results()
                count = found.occurrences if isinstance(other, Phrase) else found.total + found.metadata_total
                if count or not confusion:
                    words.append((word, count))
            applied = query.confusable if confusion else query.taboo
            expansions.append(Expansion(possible.word, possible.kind, applied, tuple(words)))
        return tuple(expansions)

    def _offers(self, query: Query, parsed: Parsed, snapshot: _Snapshot, views: tuple[View, ...]) -> tuple[Offer, ...]:
        """Other names of what a bare query names, those that have hits."""
        phrase = parsed.clause
        if not isinstance(phrase, Phrase) or not phrase.literal or phrase.exact or phrase.scope:
            return ()
        offers = []
        for known in self._others.of(query.text):
            counted = ((name, self._count(replace(query, text=name), snapshot, views)) for name in known.others)
            if having := tuple((name, hits) for name, hits in counted if hits):
                offers.append(Offer(known.name, known.kind, having, known.note))
        return tuple(offers)

    def _corrections(self, query: Query, parsed: Parsed, snapshot: _Snapshot, views: tuple[View, ...]) -> tuple[tuple[str, int], ...]:
        reader, visible = (query.reader.rank, query.today), [view.visible for view in views]
        homophones = snapshot.proper_names().sounding(query.text, reader, visible, corrections.MOST)
        return corrections.corrections(
            query.text, parsed, views, homophones, lambda text: self._count(replace(query, text=text), snapshot, views)
        )

    def _count(self, query: Query, snapshot: _Snapshot, views: tuple[View, ...]) -> int:
        """The hits of a query that nobody typed."""
        try:
            query, parsed = self._read(replace(query, limit=0, facets=(), group=False), snapshot)
        except QueryError:
            return 0
        return self._answer(query, parsed, snapshot, views).count()

    @staticmethod
    def _answer(query: Query, parsed: Parsed, snapshot: _Snapshot, views: tuple[View, ...]) -> Answer:
        return Answer(snapshot.segments, views, query, parsed, snapshot.title_ranks, snapshot.units)

    def suggest(self, prefix: str, reader: Audience, today: date, limit: int = 10) -> tuple[Suggestion, ...]:
        """Titles, persons and places that begin so; see the port."""
        snapshot = self._refreshed()
        visible = [view.visible for view in snapshot.seen_by(reader.rank, today)]
        return snapshot.proper_names().suggest(prefix, (reader.rank, today), visible, limit)

    def concordance(self, query: Query) -> Concordance:
        """Every occurrence on a line; see the port."""
        return self._kwic(query).concordance()

    def occurrences(self, query: Query) -> Iterator[Lines]:
        """All lines of the concordance, in batches; a fault in the query is raised at once, not with the first batch."""
        return self._kwic(query).batches()

    def _kwic(self, query: Query) -> Kwic:
        snapshot = self._refreshed()
        query, parsed = self._read(query, snapshot)
        views = snapshot.seen_by(query.reader.rank, query.today)
        return Kwic(snapshot.segments, views, query, parsed, snapshot.title_ranks)

    def _read(self, query: Query, snapshot: _Snapshot) -> tuple[Query, Parsed]:
        """The query with the scope that its words name, and its clauses."""
        names = snapshot.names if self._names is None else self._names
        named = None if self._names is not None else (snapshot.build, snapshot.generation)
        key = (query.text, query.taboo, query.confusable, named, current())
        with self._lock:
            parsed = self._parsed.get(key)
        if parsed is None:
            parsed = syntax.parse(query.text, names, self._dates)
            parsed = alternatives.in_categories(parsed, self._others.categories)
            parsed = alternatives.expanded(parsed, query.taboo, query.confusable)
            with self._lock:
                self._parsed[key] = parsed
                while len(self._parsed) > _PARSED:
                    self._parsed.popitem(last=False)
        scope = parsed.scope or (query.scope if query.scope in syntax.SCOPES else "")
        return query if scope == query.scope else replace(query, scope=scope), parsed

    def mark(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[Span, ...]:
        """Where the strings of `query` occur in one text as written; see the port."""
        return excerpts.mark(self._strings(query, taboo), text, notes, before, after, collection)

    def places(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[tuple[Span, ...], ...]:
        """Each occurrence in one text as written, in its parts; see the port."""
        return excerpts.places(self._strings(query, taboo), text, notes, before, after, collection)

    def _strings(self, query: str, taboo: bool) -> tuple[Phrase, ...]:
        try:
            return self._read(Query(query, taboo=taboo), self._refreshed())[1].strings()
        except SearchIndexError:  # a page can be marked without an index
            return alternatives.expanded(syntax.parse(query, self._names or {}, self._dates), taboo, confusable=False).strings()

    def doctor(self) -> Mapping[str, object]:
        """State of the index: build, segments, documents, chunks, deleted, shadows, characters, bytes, fold version; `fault` when it is not well."""
        state: dict[str, object] = {"fold_version": fold_version()}
        try:
            snapshot = self._refreshed()
        except SearchIndexError as error:
            return state | {"fault": str(error)}
        folder = self.folder / snapshot.build
        documents = sum(segment.facts.documents for segment in snapshot.segments)
        dead = sum(0 if living is None else int((~living).sum()) for living in snapshot.living)
        shadows = sum(
            int((segment.facts.shadow if living is None else segment.facts.shadow & living).sum())
            for segment, living in zip(snapshot.segments, snapshot.living, strict=True)
        )
        return state | {
            "build": snapshot.build,
            "segments": len(snapshot.segments),
            "chunks": sum(len(segment.chunk_starts) - 1 for segment in snapshot.segments),
            "documents": documents - dead - shadows,
            "deleted": dead,
            "shadows": shadows,
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
            build, made_with, format_ = current["build"], current["fold_version"], current["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _broken(f"{self.folder / 'current'}: {error}") from error
        if format_ != FORMAT or made_with != fold_version():
            reason = _("索引的字形表版本是 %(found)s，程序的是 %(expected)s", found=made_with, expected=fold_version())
            raise _broken(reason)
        if not (self.folder / build).is_dir():
            raise _broken(self.folder / build)
        return dict(current)

    def _look(self) -> tuple[int, ...]:
        """What changes when the index changes; empty when that cannot be told yet (a folder changed within the clock's grain)."""
        try:
            # Asked before every answer: a path object would cost more than the look.
            current = os.stat(f"{self._where}/current")  # noqa: PTH116
            build = os.stat(f"{self._where}/{self._snapshot.build}") if self._snapshot else current  # noqa: PTH116
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
                return self._open_build(current["build"], going_back=attempt > 4)
            except _FAULTS as error:
                fault = error
                if attempt > 4 and not isinstance(error, FileNotFoundError):
                    break
                time.sleep(0.01)
        raise _broken(fault) from fault

    def _open_build(self, build: str, going_back: bool) -> _Snapshot:
        """The newest generation of a build; an older one than we have only when `going_back` (a folder put back from a copy).

        A killed writer leaves older tables of contents lying. When a rebuild then removes the whole folder, the newest may go first.
        """
        old = self._snapshot if self._snapshot is not None and self._snapshot.build == build else None
        storage = DurableStorage(str(self.folder / build))
        generation = TOC._latest_generation(storage, "MAIN")
        if old is not None and generation == old.generation:
            return old
        if old is not None and generation < old.generation and not going_back:
            raise FileNotFoundError(f"{build}: {generation} < {old.generation}")
        try:
            contents = TOC.read(storage, "MAIN", gen=generation if generation >= 0 else None, schema=schema())
            known = {segment.id: segment for segment in old.segments} if old is not None else {}
            segments = tuple(known.get(segment.segment_id()) or _Segment(storage, segment) for segment in contents.segments)
        except BaseException:
            storage.let_go()
            raise
        return _Snapshot(
            build,
            generation,
            segments,
            tuple(opened.living(segment) for opened, segment in zip(segments, contents.segments, strict=True)),
            _numbered_items(segments),
            _names(segments),
        )

    # Writing

    def replace(self, changes: Iterable[tuple[str, Iterable[IndexDocument]]]) -> None:
        """Take the place of whatever the index held for each item. Durable on return. Raises SearchIndexError when there is no index."""
        with self._writing():
            build = self._current()["build"]
            self._clear(build)
            try:
                writer = _Build(self.folder / build)
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
            _Build(folder, self._processes).write(items, deleting=False)
            self._swap(build)
            self._clear(build)

    def _swap(self, build: str) -> None:
        aside = self.folder / "current.new"
        with aside.open("w", encoding="utf-8") as stream:
            json.dump({"build": build, "fold_version": fold_version(), "format": FORMAT}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(self.folder / "current")
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _clear(self, build: str) -> None:
        """Remove other builds and what a killed writer left aside; Whoosh removes the segments that no table of contents names."""
        for path in self.folder.glob("b[0-9]*"):
            if path.name != build:
                shutil.rmtree(path, ignore_errors=True)
        left = [path for pattern in ("_MAIN_*.toc.*", f"{PART_PREFIX}*") for path in (self.folder / build).glob(pattern)]
        for path in (self.folder / "current.new", *left):
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


def _numbered_items(segments: Sequence[_Segment]) -> tuple[Array, ...]:
    if len(segments) == 1:
        return (np.arange(len(segments[0].facts.strings("item"))),)
    known: dict[str, int] = {}
    return tuple(np.array([known.setdefault(item, len(known)) for item in segment.facts.strings("item")], np.int32) for segment in segments)


def _names(segments: Sequence[_Segment]) -> dict[str, list[str]]:
    names: dict[str, set[str]] = {}
    for segment in segments:
        for name, keys in segment.facts.names.items():
            names.setdefault(name, set()).update(keys)
    return {name: sorted(keys) for name, keys in names.items()}


class _Build:
    """Writes items into one build."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        storage = DurableStorage(str(folder))
        self.builders = PartBuilders(folder, processes)
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
        """Write all items; with `deleting` in place of what is there of them, and then see to it that segments stay few."""
        try:
            for item, documents in items:
                self._item(item, documents, deleting)
            self._commit(AT_ONCE_CHARACTERS if deleting else 0)
            if deleting:
                self._tidy()
        except BaseException:
            if self.writer is not None:
                with contextlib.suppress(Exception):
                    self.writer.cancel()
            raise
        finally:
            self.builders.close()

    def _item(self, item: str, documents: Iterable[IndexDocument], deleting: bool) -> None:
        if item in self.inside:
            self._commit(0)
            deleting = True
        writer = self._writer()
        self.inside.add(item)
        there = writer.chunks_of(item) if deleting else {}
        for piece in pieces_of(documents):
            if there.pop(piece.digest, None) is None:
                writer.add_chunk(item, piece.rows, piece.texts, piece.digest)
                self._flush(writer)
        for segment, chunk in there.values():
            segment.delete_document(chunk)
        if writer.gathered.total > SEGMENT_CHARACTERS:
            self._commit(0)

    def _flush(self, writer: DurableWriter) -> None:
        if writer.gathered.characters > PART_CHARACTERS or writer.gathered.documents > PART_DOCUMENTS:
            writer.flush_part(self.builders)

    def _writer(self) -> DurableWriter:
        if self.writer is None:
            self.writer = DurableWriter(self.index, codec=ChineseCodec(), limitmb=32, compound=False)
        return self.writer

    def _commit(self, most: int) -> None:
        """Commit, and take over what small segments there are up to so many characters in all."""
        if self.writer is not None:
            writer, self.writer = self.writer, None
            writer.commit(mergetype=lambda writer, segments: _merge(writer, segments, most))
        self.inside.clear()

    def _tidy(self) -> None:
        """Merge segments when there are too many. Readers see what was added already."""
        segments = TOC.read(self.index.storage, "MAIN").segments
        if _too_many(Path(self.index.storage.folder), segments, 0, MERGE_CHARACTERS):
            self._writer()
            self._commit(MERGE_CHARACTERS)


def _too_many(folder: Path, segments: Sequence[ChineseSegment], written: int, most: int) -> list[ChineseSegment]:
    """The segments to merge with `written` new characters: smallest first, each not larger than twice all before it, up to `most` in all;
    and those of which less than half lives on.

    So each segment left is more than twice all smaller ones together, and their number grows with the logarithm.
    """
    living = {segment: segment.source(folder).characters for segment in segments if segment.doc_count()}
    chosen: list[ChineseSegment] = []
    total = written
    for segment in sorted(living, key=lambda segment: living[segment]):
        if total + living[segment] > most or (total and living[segment] > 2 * max(total, 2000)):
            break
        chosen.append(segment)
        total += living[segment]
    if len(chosen) == 1 and not written:
        chosen = []
    for segment, characters in living.items():
        if segment not in chosen and characters * 2 < segment.characters and characters <= most:
            chosen.append(segment)
    return chosen


def _merge(writer: DurableWriter, segments: list[ChineseSegment], most: int) -> list[ChineseSegment]:
    """What Whoosh calls on commit: takes some segments over and gives back those that stay. Segments where nothing lives go."""
    written = writer.gathered.total
    chosen = _too_many(Path(writer.storage.folder), segments, written, most) if most else []
    for segment in chosen:
        writer.merge_in(segment)
    return [segment for segment in segments if segment not in chosen and segment.doc_count()]
