"""Joining the arrays of several segments into one file, without reading a text again.

Chunks that live on are put one after another. What lies in order of the text is copied a stretch at a time; what is sorted by code is merged a
block of codes at a time, the slices of the segments one behind the other, since later segments have later places. Memory is bounded by the
block, whatever the size of the segments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from archive.search.arrays import Array, Arrays, ArrayWriter, array_writer, map_arrays, write_arrays, write_at
from archive.search.batch_reading import decode
from archive.search.segment_build import (
    BLOCK_BITS,
    HEAVY,
    blocks_of,
    changes,
    code_type,
    decoded_postings,
    key_type,
    main_before,
    shift_of,
    steps_of,
    string_arrays,
)

_BLOCK = 1 << 20
"""Places merged at a time."""
_SAMPLE = 1 << 15
_COPIED = 1 << 22
"""Characters copied at a time."""

Stretch = tuple[int, int]
Rows = tuple[Array, Array, tuple[Array, ...]]
"""Ascending keys, how many values each has, and the values (in columns), key by key."""


@dataclass(frozen=True)
class Source:
    """A segment to take over: its arrays, and for each of its chunks whether it lives on (None: all)."""

    text: Arrays
    facts: Arrays
    living: Array | None = None

    @cached_property
    def documents(self) -> list[Stretch]:
        """Stretches of documents that live on."""
        starts = self.facts["chunk_starts"]
        if self.living is None:
            return [(0, int(starts[-1]))] if len(starts) > 1 else []
        edges = np.flatnonzero(np.diff(np.concatenate(([False], self.living, [False])).astype(np.int8)))
        return [(int(starts[begin]), int(starts[end])) for begin, end in edges.reshape(-1, 2)]

    def stretches(self, starts: Array) -> list[Stretch]:
        """The same in other units: `starts` says where each document begins."""
        return [(int(starts[begin]), int(starts[end])) for begin, end in self.documents]

    @property
    def characters(self) -> int:
        """Characters (walls too) of what lives on."""
        return sum(end - begin for begin, end in self.stretches(self.text["starts"]))


@dataclass(frozen=True, slots=True)
class _Moved:
    """Where the numbers (places, documents, notes) of one segment go: stretches of old numbers, and what is added to those of each."""

    begins: Array
    ends: Array
    added: Array
    whole: bool

    @classmethod
    def to(cls, base: int, stretches: Sequence[Stretch], size: int) -> _Moved:
        """Stretches put one after another from `base` on; `size`: how many numbers there are."""
        begins, ends = (np.array(side, np.int64) for side in zip(*stretches, strict=True)) if stretches else (np.zeros(0, np.int64),) * 2
        lengths = ends - begins
        return cls(begins, ends, base + np.cumsum(lengths) - lengths - begins, list(stretches) == [(0, size)])

    @property
    def size(self) -> int:
        return int((self.ends - self.begins).sum())

    def __call__(self, numbers: Array) -> tuple[Array, Array | None]:
        """New numbers as uint32, and which of the old live on (None: all)."""
        if self.whole:
            return numbers + np.uint32(self.added[0]), None
        at = np.maximum(np.searchsorted(self.begins, numbers, side="right") - 1, 0)
        keep = (numbers >= self.begins[at]) & (numbers < self.ends[at]) if len(self.begins) else np.zeros(len(numbers), bool)
        return (numbers[keep] + self.added[at[keep]]).astype(np.uint32), keep


class Range(NamedTuple):
    """Bigrams from one key to before another (None: the last), and where in the new file their places begin."""

    low: int
    high: int | None
    offset: int


class Helpers(Protocol):
    """Other processes that merge bigrams of the same sources."""

    def give(self, some: Range, text: Path, at_once: bool = False) -> Callable[[], Arrays] | None:
        """Have another process do what `_Joined.write_range` does; None when none has time, unless it shall be taken on `at_once`."""


def merge(path: Path, sources: Sequence[Source], helpers: Helpers | None = None) -> int:
    """Write the text arrays of all sources as those of one segment, durable. Gives its characters (walls too).

    `helpers` do part of it; then everything of the sources lives on.
    """
    with array_writer(path) as out:
        merging = _Merging(out, sources)
        if helpers is None:
            characters = merging.run()
            merging.bigrams()
        else:
            shared = _Shared(merging, helpers)
            characters = merging.run()
            shared.finish()
        out.close()
    return characters


def merge_range(texts: tuple[Path, ...], facts: tuple[Path, ...], some: Range, path: Path, aside: Path) -> None:
    """As `_Joined.write_range`, of sources in files, everything of which lives on; what it gives goes into a file of its own."""
    write_arrays(aside, _joined(texts, facts).write_range(some, path), durable=False)


@lru_cache(maxsize=1)
def _joined(texts: tuple[Path, ...], facts: tuple[Path, ...]) -> _Joined:
    return _Joined([Source(map_arrays(text)[0], map_arrays(fact)[0]) for text, fact in zip(texts, facts, strict=True)])


class _Joined:
    """Segments as one: the letters of all, and where the places and documents of each go."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        self.texts = [source.text for source in sources]
        self.letters = np.unique(np.concatenate([text["letters"] for text in self.texts]))
        self.type, self.shift = key_type(len(self.letters)), shift_of(len(self.letters))
        self.codes = [np.searchsorted(self.letters, text["letters"]).astype(code_type(len(self.letters))) for text in self.texts]
        self.places = self._moved("starts", lambda text: len(text["codes"]))
        self.documents: list[_Moved] = []
        base = 0
        for source in sources:
            self.documents.append(_Moved.to(base, source.documents, len(source.text["starts"]) - 1))
            base += self.documents[-1].size
        self.total = base

    def streams(self, keys: str, offsets: str, values: str, moved: Sequence[_Moved]) -> list[_Bigrams]:
        """The sorted bigrams of each."""
        return [
            _Bigrams(text[keys], text[offsets], text[values], codes, move, self.shift)
            for text, codes, move in zip(self.texts, self.codes, moved, strict=True)
        ]

    @cached_property
    def bigram_streams(self) -> list[_Bigrams]:
        return self.streams("keys", "offsets", "places", self.places)

    def write_range(self, some: Range, path: Path) -> Arrays:
        """Write the places of some bigrams where they belong in a new file. Gives `keys` and the `counts` of places of each."""
        keys, counts, (places,) = _combined([stream.between(some.low, some.high) for stream in self.bigram_streams])
        write_at(path, some.offset, places)
        return {"keys": keys.astype(self.type), "counts": counts.astype(np.uint32)}

    def _moved(self, starts: str, size: Callable[[Arrays], int]) -> list[_Moved]:
        moved, base = [], 0
        for source, text in zip(self.sources, self.texts, strict=True):
            moved.append(_Moved.to(base, source.stretches(text[starts]), size(text)))
            base += moved[-1].size
        return moved


class _Shared:
    """The bigrams of sources, everything of which lives on, merged together with others: ranges of them, each written where it belongs."""

    def __init__(self, merging: _Merging, helpers: Helpers) -> None:
        self._merging, self._helpers, self._path = merging, helpers, merging.out.path
        streams = merging.bigram_streams
        begin = merging.out.reserve("places", np.uint32, sum(len(stream.values) for stream in streams))
        ranges = [
            Range(low, high, begin + 4 * sum(stream.before(low) for stream in streams)) for low, high in _ranges(streams, merging.type)
        ]
        self._done: list[Callable[[], Arrays] | None] = [None] * len(ranges)
        self._left = deque(enumerate(ranges))
        while len(self._left) * 2 > len(ranges):
            self._give(at_once=True)

    def _give(self, at_once: bool = False) -> bool:
        number, some = self._left[0]
        self._done[number] = self._helpers.give(some, self._path, at_once)
        if self._done[number] is None:
            return False
        self._left.popleft()
        return True

    def finish(self) -> None:
        """Do what is left, and write the keys."""
        while self._left:
            if not self._give():
                number, some = self._left.pop()
                self._done[number] = partial(dict, self._merging.write_range(some, self._path))
        found = [done() for done in self._done if done is not None]
        self._merging.put_keys("keys", "offsets", [one["keys"] for one in found], [one["counts"] for one in found])


class _Merging(_Joined):
    def __init__(self, out: ArrayWriter, sources: Sequence[Source]) -> None:
        super().__init__(sources)
        self.out = out

    def run(self) -> int:
        """Everything but the bigrams. Gives the characters (walls too)."""
        out = self.out
        out.put("letters", self.letters)
        fold_of = np.zeros(len(self.letters), code_type(len(self.letters)))
        for codes, text in zip(self.codes, self.texts, strict=True):
            fold_of[codes] = codes[text["fold_of"]]
        out.put("fold_of", fold_of)
        characters = self.text_itself()
        self.notes()
        self.postings()
        self.layout()
        return characters

    def bigrams(self) -> None:
        """Merge the places of every bigram."""
        self.sorted("keys", "offsets", "places", self.bigram_streams)

    # What lies in the order of the text

    def text_itself(self) -> int:
        with self.out.growing("codes", code_type(len(self.letters))) as spool:
            for moved, codes, text in zip(self.places, self.codes, self.texts, strict=True):
                for begin, end in zip(moved.begins.tolist(), moved.ends.tolist(), strict=True):
                    for at in range(begin, end, _COPIED):
                        spool.append(codes[text["codes"][at : min(at + _COPIED, end)]])
            characters = spool.length
        starts = [
            text["starts"][begin:end].astype(np.int64) + added
            for source, text, moved in zip(self.sources, self.texts, self.places, strict=True)
            for (begin, end), added in zip(source.documents, moved.added.tolist(), strict=True)
        ]
        starts.append(np.array([characters], np.int64))
        joined = np.concatenate(starts).astype(np.uint32)
        self.out.put("starts", joined)
        self.out.put("steps", steps_of(joined, characters))
        self.out.put("walled", self.by_document("walled"))
        self.out.put("walls", self.numbers("walls", self.places))
        return characters

    def by_document(self, name: str) -> Array:
        """An array with a value for each document."""
        return np.concatenate([text[name][begin:end] for source, text in self.by_source() for begin, end in source.documents])

    def by_source(self) -> Iterator[tuple[Source, Arrays]]:
        return zip(self.sources, self.texts, strict=True)

    def numbers(self, name: str, moved: Sequence[_Moved]) -> Array:
        """An ascending array of numbers that move."""
        return np.concatenate([move(text[name])[0] for move, text in zip(moved, self.texts, strict=True)])

    def notes(self) -> None:
        begins, ends, moved, base = [], [], [], 0
        for places, text in zip(self.places, self.texts, strict=True):
            new, keep = places(text["note_begins"])
            begins.append(new)
            ends.append(new + (text["note_ends"] - text["note_begins"])[slice(None) if keep is None else keep])
            size = len(text["note_begins"])
            edges = np.searchsorted(text["note_begins"], np.stack((places.begins, places.ends), axis=1).astype(np.uint32)).tolist()
            moved.append(_Moved.to(base, [(begin, end) for begin, end in edges], size))
            base += len(new)
        all_begins, all_ends = np.concatenate(begins), np.concatenate(ends)
        self.out.put("note_begins", all_begins)
        self.out.put("note_ends", all_ends)
        self.out.put("note_main", main_before(all_begins, all_ends))
        names = "bridge_keys", "bridge_offsets", "bridges"
        self.sorted(*names, self.streams(*names, moved))

    def layout(self) -> None:
        known: dict[str, int] = {}
        tables = [np.array([known.setdefault(string, len(known)) for string in _strings(text)], np.uint32) for text in self.texts]
        spans = [source.stretches(text["layout_starts"]) for source, text in self.by_source()]
        lengths = [np.diff(text["layout_starts"][begin : end + 1]) for source, text in self.by_source() for begin, end in source.documents]
        self.out.put("layout_starts", np.cumsum(np.concatenate(([0], *lengths)), dtype=np.int64).astype(np.uint32))
        with self.out.growing("layout_gaps", np.uint8) as spool:
            for text, stretches in zip(self.texts, spans, strict=True):
                for begin, end in stretches:
                    spool.append(text["layout_gaps"][begin:end])
        with self.out.growing("layout_numbers", code_type(len(known))) as spool:
            for text, table, stretches in zip(self.texts, tables, spans, strict=True):
                for begin, end in stretches:
                    spool.append(table[text["layout_numbers"][begin:end]])
        for name, array in string_arrays(list(known)).items():
            self.out.put(name, array)

    # What is sorted by code

    def sorted(self, keys: str, offsets: str, values: str, streams: Sequence[_Bigrams]) -> None:
        """Merge bigrams and their numbers, a block of bigrams at a time."""
        all_keys, all_counts = [], []
        with self.out.growing(values, np.uint32) as spool:
            for low, high in _ranges(streams, self.type):
                merged, counts, (column,) = _combined([stream.between(low, high) for stream in streams])
                all_keys.append(merged.astype(self.type))
                all_counts.append(counts.astype(np.uint32))
                spool.append(column)
        self.put_keys(keys, offsets, all_keys, all_counts)

    def put_keys(self, keys: str, offsets: str, all_keys: Sequence[Array], all_counts: Sequence[Array]) -> None:
        """Write bigrams, and where the numbers of each begin."""
        with self.out.growing(keys, self.type) as spool:
            for some in all_keys:
                spool.append(some)
        with self.out.growing(offsets, np.uint32) as spool:
            end = 0
            for counts in all_counts:
                ends = end + np.cumsum(counts, dtype=np.int64)
                spool.append(ends - counts)
                end = int(ends[-1]) if len(ends) else end
            spool.append(np.array([end]))

    def postings(self) -> None:
        """Merge the documents of every letter, some letters at a time."""
        blocks, letters = blocks_of(self.total), len(self.letters)
        sizes = np.zeros(letters, np.int64)
        own = [blocks_of(len(text["starts"]) - 1) for text in self.texts]
        for text, codes, block in zip(self.texts, self.codes, own, strict=True):
            ends: Array = text["posting_offsets"][::block].astype(np.int64)
            sizes[codes] += ends[1:] - ends[:-1]
        slots = np.zeros(letters * blocks, np.int64)
        heavy_rows, heavy_counts = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
        bounds = np.searchsorted(np.cumsum(sizes), np.arange(_BLOCK, sizes.sum() + _BLOCK, _BLOCK)).tolist()
        with self.out.beside("posting_counts", np.uint8) as beside, self.out.growing("posting_lows", np.uint16) as spool:
            first = 0
            for last in [*(bound + 1 for bound in bounds), letters]:
                last = min(last, letters)
                if last <= first:
                    continue
                slices = [
                    _letters(text, codes, block, move, first, last)
                    for text, codes, block, move in zip(self.texts, self.codes, own, self.documents, strict=True)
                ]
                merged, sizes_here, (documents, counts) = _combined(slices)
                slot = np.repeat(merged.astype(np.int64) * blocks, sizes_here) + (documents >> np.uint32(BLOCK_BITS))
                slots[first * blocks : last * blocks] += np.bincount(slot - np.int64(first * blocks), minlength=(last - first) * blocks)
                heavy = np.flatnonzero(counts >= HEAVY)
                heavy_rows.append((heavy + spool.length).astype(np.uint32))
                heavy_counts.append(counts[heavy].astype(np.uint32))
                spool.append(documents.astype(np.uint16))
                beside.append(np.minimum(counts, HEAVY))
                first = last
        self.out.put("posting_offsets", np.concatenate(([0], np.cumsum(slots))).astype(np.uint32))
        self.out.put("heavy_rows", np.concatenate(heavy_rows))
        self.out.put("heavy_counts", np.concatenate(heavy_counts))


def _strings(text: Arrays) -> list[str]:
    whole, offsets = decode(text["string_points"]), text["string_offsets"].tolist()
    return [whole[begin:end] for begin, end in pairwise(offsets)]


@dataclass(frozen=True, slots=True)
class _Bigrams:
    """The sorted bigrams of one segment, read in the codes of the new one."""

    keys: Array
    offsets: Array
    values: Array
    codes: Array
    moved: _Moved
    shift: int

    @property
    def own_shift(self) -> int:
        return self.keys.dtype.itemsize * 4

    def renamed(self, keys: Array) -> Array:
        """Keys in the codes of the new segment; their order stays."""
        own = self.keys.dtype.type
        first, second = keys >> own(self.own_shift), keys & own((1 << self.own_shift) - 1)
        renamed: Array = self.codes[first].astype(np.uint64) << np.uint64(self.shift) | self.codes[second]
        return renamed

    def row(self, key: int) -> int:
        """Where a key of the new segment would stand among ours."""
        first, second = key >> self.shift, key & ((1 << self.shift) - 1)
        own_first = int(np.searchsorted(self.codes, first))
        own = own_first << self.own_shift
        if own_first < len(self.codes) and self.codes[own_first] == first:
            own += int(np.searchsorted(self.codes, second))
        if own > int(np.iinfo(self.keys.dtype).max):
            return len(self.keys)
        return int(np.searchsorted(self.keys, self.keys.dtype.type(own)))

    def before(self, key: int) -> int:
        """How many values stand before those of a key of the new segment."""
        return int(self.offsets[self.row(key)])

    def samples(self) -> Array:
        """A key of the new segment for about every so many values."""
        rows = np.searchsorted(self.offsets, np.arange(0, len(self.values), _SAMPLE, dtype=np.uint32), side="right") - 1
        return self.renamed(self.keys[rows])

    def between(self, low: int, high: int | None) -> Rows:
        """What lies from one key to before another."""
        begin, end = self.row(low), len(self.keys) if high is None else self.row(high)
        offsets = self.offsets[begin : end + 1].astype(np.int64)
        values, keep = self.moved(self.values[offsets[0] : offsets[-1]])
        return _some(self.renamed(self.keys[begin:end]), np.diff(offsets), (values,), keep)


def _letters(text: Arrays, codes: Array, blocks: int, moved: _Moved, first: int, last: int) -> Rows:
    """The postings of one segment for letters of the new one."""
    begin, end = np.searchsorted(codes, [first, last]).tolist()
    documents, counts = decoded_postings(text, blocks, begin, end)
    documents, keep = moved(documents.astype(np.uint32))
    sizes = np.diff(text["posting_offsets"][begin * blocks : end * blocks + 1 : blocks].astype(np.int64))
    return _some(codes[begin:end], sizes, (documents, counts if keep is None else counts[keep]), keep)


def _some(keys: Array, counts: Array, columns: tuple[Array, ...], keep: Array | None) -> Rows:
    """Rows of which only some values live on (`columns` hold those), without keys that have none left."""
    if keep is not None:
        sums, ends = np.concatenate(([0], np.cumsum(keep))), np.cumsum(counts)
        counts = sums[ends] - sums[ends - counts]
    if not counts.all():
        keys, counts = keys[counts > 0], counts[counts > 0]
    return keys, counts, columns


def _ranges(streams: Sequence[_Bigrams], dtype: type[np.unsignedinteger]) -> Iterator[tuple[int, int | None]]:
    """Ranges of keys with about _BLOCK values each, all streams together; the last is open."""
    samples = np.sort(np.concatenate([stream.samples() for stream in streams]))
    bounds = [0, *np.unique(samples[_BLOCK // _SAMPLE :: _BLOCK // _SAMPLE]).tolist()]
    yield from zip(bounds, [*bounds[1:], None], strict=True)


def _combined(slices: Sequence[Rows]) -> Rows:
    """Rows of several segments as one, in order of key and, within a key, of segment."""
    if len(slices) == 1:
        return slices[0]
    merged = np.sort(np.concatenate([keys for keys, _counts, _columns in slices]))
    merged = merged[changes(merged)]
    rows = [np.searchsorted(merged, keys) for keys, _counts, _columns in slices]
    totals = np.zeros(len(merged), np.int64)
    for row, (_keys, counts, _columns) in zip(rows, slices, strict=True):
        totals[row] += counts
    begins = np.cumsum(totals) - totals
    columns = tuple(np.empty(int(totals.sum()), column.dtype) for column in slices[0][2])
    for row, (_keys, counts, values) in zip(rows, slices, strict=True):
        into = np.repeat(begins[row] - (np.cumsum(counts) - counts), counts)
        into += np.arange(len(into))
        for column, value in zip(columns, values, strict=True):
            column[into] = value
        begins[row] += counts
    return merged, totals, columns
