"""Our Whoosh codec: Whoosh keeps schema, segments, table of contents, locks, deletion and merging; the Chinese text of each segment lies
beside it as memory-mapped arrays (`.chinese`, `.facts`).

A Whoosh document is a *chunk*: a run of documents (leaves, cues, descriptions) of one item that is written and deleted as one. Whoosh knows the
item of each; everything else is in the arrays, so that merging costs Whoosh a step a chunk and the arrays a few copies. Whoosh itself never
asks the disk to be sure; `DurableWriter` does, before the table of contents names a new segment.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import fields
from whoosh.codec.whoosh3 import W3Codec, W3PerDocWriter, W3Segment
from whoosh.filedb.filestore import FileStorage
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from archive.errors import SearchIndexError
from archive.search import facts_build, segment_merge
from archive.search.arrays import Array, map_arrays, write_arrays
from archive.search.gathering import Gathering
from archive.search.segment_merge import Source
from archive.search.segment_parts import Part, PartBuilders, built

TEXT_FILE = ".chinese"
FACTS_FILE = ".facts"


def schema() -> fields.Schema:
    """`item`, for deleting."""
    return fields.Schema(item=fields.ID(stored=True))


class ChinesePerDocWriter(W3PerDocWriter):
    """Gathers the documents of every chunk, added or merged, and writes the arrays when the segment closes."""

    def __init__(self, codec: W3Codec, storage: FileStorage, segment: ChineseSegment) -> None:
        super().__init__(codec, storage, segment)
        self.gathering = Gathering()
        self._sources: list[Source | Part] = []
        self._builders: PartBuilders | None = None

    def add_source(self, source: Source) -> None:
        """Take over what lives of another segment, after what was gathered so far."""
        self.finish_part()
        self._sources.append(source)

    def finish_part(self, builders: PartBuilders | None = None) -> None:
        """Build the arrays of what was gathered so far; `builders` do it aside, so that they take no memory here."""
        self._builders = builders or self._builders
        gathered = self.gathering.take()
        if gathered.chunks:
            self._sources.append(built(gathered) if self._builders is None else self._builders.begin(gathered))

    def forget(self) -> None:
        """Drop what was taken in: the segment is not wanted any more, and closing shall not build it."""
        self.gathering.take()
        for source in self._sources:
            if isinstance(source, Part):
                source.remove()
        self._sources = []

    def close(self) -> None:
        super().close()
        self.finish_part()
        if not self._sources:
            return
        parts = [source for source in self._sources if isinstance(source, Part)]
        text, facts = (Path(self._storage.folder) / self._segment.make_filename(name) for name in (TEXT_FILE, FACTS_FILE))
        _write_facts(facts, [source.known() if isinstance(source, Part) else source for source in self._sources])
        for part in reversed(parts):
            part.take_back()
        helpers = self._builders.helpers(parts) if self._builders is not None and len(parts) == len(self._sources) > 1 else None
        sources = [source.source() if isinstance(source, Part) else source for source in self._sources]
        self._sources = []
        if len(sources) == 1 and sources[0].living is None:
            write_arrays(text, sources[0].text)
            self._segment.characters = len(sources[0].text["codes"])
        else:
            self._segment.characters = segment_merge.merge(text, sources, helpers)
        for part in parts:
            part.remove()


def _write_facts(path: Path, sources: Sequence[Source]) -> None:
    """Write what is known of the documents of all sources, durable."""
    if len(sources) == 1 and sources[0].living is None:
        facts = sources[0].facts
    else:
        facts = facts_build.merge([(source.facts, source.documents, source.living) for source in sources])
    write_arrays(path, facts, {"names": facts_build.names_of(facts)})


class ChineseSegment(W3Segment):
    """Knows its size, for the merge policy, and that of each of its files, and keeps them apart, so that the arrays can be mapped."""

    characters = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sizes: dict[str, int] = {}

    def check(self, folder: Path) -> None:
        """Raise FileNotFoundError when one of its files is gone, SearchIndexError when one is torn."""
        for name, size in self.sizes.items():
            if (found := (folder / name).stat().st_size) != size:
                raise SearchIndexError(f"{name}: {found} bytes, expected {size}: fangzhi rebuild index")

    def should_assemble(self) -> bool:
        return False

    def source(self, folder: Path) -> Source:
        """Its arrays and which of its chunks live on."""
        text, facts = (map_arrays(folder / self.make_filename(name))[0] for name in (TEXT_FILE, FACTS_FILE))
        if not self.deleted_count():
            return Source(text, facts)
        living = np.ones(int(self.doc_count_all()), bool)
        living[list(self.deleted_docs())] = False
        return Source(text, facts, living)


class ChineseCodec(W3Codec):
    """Whoosh's own codec with our writer of documents."""

    def new_segment(self, storage: FileStorage, indexname: str) -> ChineseSegment:
        return ChineseSegment(self, indexname)

    def per_document_writer(self, storage: FileStorage, segment: ChineseSegment) -> ChinesePerDocWriter:
        return ChinesePerDocWriter(self, storage, segment)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DurableStorage(FileStorage):
    """A folder whose renames are on the disk when they return (the table of contents is written aside and renamed).

    Whoosh leaves files open when it finds one corrupt; `let_go` closes what was opened so far.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._opened: list[Any] = []

    def open_file(self, name: str, **kwargs: Any) -> Any:
        opened = super().open_file(name, **kwargs)
        self._opened.append(opened)
        return opened

    def let_go(self) -> None:
        """Close every file that was opened through this storage."""
        for opened in self._opened:
            if not opened.is_closed:
                opened.close()
        self._opened = []

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        _sync(Path(self.folder) / oldname)
        super().rename_file(oldname, newname, safe)
        _sync(Path(self.folder))


class DurableWriter(SegmentWriter):
    """Whoosh's writer; everything a commit names is on the disk before the commit names it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._opened: list[tuple[ChineseSegment, SegmentReader, Array]] | None = None

    def add_chunk(self, item: str, rows: Sequence[facts_build.Row], texts: Sequence[str], digest: int) -> None:
        """Add documents of one item as a chunk."""
        self.perdocwriter.gathering.add(rows, texts, digest)
        self.add_document(item=item)

    def chunks_of(self, item: str) -> dict[int, tuple[ChineseSegment, int]]:
        """The living chunks of an item by digest: the segment of each and its number there."""
        found: dict[int, tuple[ChineseSegment, int]] = {}
        for segment, reader, digests in self._readers():
            if ("item", item) in reader:
                for chunk in reader.postings("item", item).all_ids():
                    if not segment.is_deleted(chunk):
                        found[int(digests[chunk])] = segment, int(chunk)
        return found

    def _readers(self) -> list[tuple[ChineseSegment, SegmentReader, Array]]:
        if self._opened is None:
            folder = Path(self.storage.folder)
            self._opened = [
                (segment, SegmentReader(self.storage, self.schema, segment), segment.source(folder).facts["chunk_digests"])
                for segment in self.segments
            ]
        return self._opened

    def cancel(self) -> None:
        self.perdocwriter.forget()
        super().cancel()

    def _finish(self) -> None:
        for _segment, reader, _digests in self._opened or ():
            reader.close()
        self._opened = None
        super()._finish()

    def flush_part(self, builders: PartBuilders) -> None:
        """Have the arrays of what was gathered built aside."""
        self.perdocwriter.finish_part(builders)

    @property
    def gathered(self) -> Gathering:
        return self.perdocwriter.gathering  # type: ignore[no-any-return]

    def merge_in(self, segment: ChineseSegment) -> None:
        """Take the living chunks of a segment over into the one being written."""
        self.perdocwriter.add_source(segment.source(Path(self.storage.folder)))
        reader = SegmentReader(self.storage, self.schema, segment)
        try:
            self.add_reader(reader)
        finally:
            reader.close()

    def _commit_toc(self, segments: list[ChineseSegment]) -> None:
        if self._added:
            folder = Path(self.storage.folder)
            for name in self.newsegment.list_files(self.storage):
                _sync(folder / name)
                self.newsegment.sizes[name] = (folder / name).stat().st_size
        super()._commit_toc(segments)
