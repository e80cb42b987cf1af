"""Our Whoosh codec: Whoosh keeps schema, segments, table of contents, locks, deletion and merging; the Chinese text of each segment lies
beside it as memory-mapped arrays (`.chinese`, `.facts`).

The text field gives Whoosh no postings. When a segment is merged, Whoosh feeds the stored values of the documents that live on into the new
one, and the arrays are built again from them. Whoosh itself never asks the disk to be sure; `DurableWriter` does, before the table of
contents names a new segment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from whoosh import fields
from whoosh.analysis import IDAnalyzer
from whoosh.codec.whoosh3 import W3Codec, W3PerDocWriter, W3Segment
from whoosh.filedb.filestore import FileStorage
from whoosh.formats import Existence
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from archive.errors import SearchIndexError
from archive.search import segment_facts, segment_text
from archive.search.arrays import write_arrays
from archive.search.chinese import read
from archive.search.segment_facts import Facts, read_facts
from archive.search.segment_text import DocumentText

TEXT_FILE = ".chinese"
FACTS_FILE = ".facts"


class ChineseText(fields.FieldType):
    """Text that Whoosh stores and our arrays index."""

    def __init__(self) -> None:
        self.format = Existence()
        self.analyzer = IDAnalyzer()
        self.stored = self.indexed = True
        self.scorable = self.unique = self.spelling = False
        self.vector = self.column_type = None
        self.multitoken_query = "default"

    def index(self, value: str, **kwargs: Any) -> tuple[()]:
        """No postings: the arrays have them."""
        return ()

    def separate_spelling(self) -> bool:
        """False: there is no spelling field."""
        return False


def schema() -> fields.Schema:
    """`item` for deleting, `text` as written, `facts` encoded."""
    return fields.Schema(item=fields.ID(stored=True), text=ChineseText(), facts=fields.STORED)


class ChinesePerDocWriter(W3PerDocWriter):
    """Gathers text and facts of every document, added or merged, and writes the arrays when the segment closes."""

    def __init__(self, codec: W3Codec, storage: FileStorage, segment: ChineseSegment) -> None:
        super().__init__(codec, storage, segment)
        self._texts: list[DocumentText] = []
        self._facts: list[Facts] = []
        self._pending: dict[str, Any] = {}
        self._open_note = 0
        self._shared_work = b""

    @property
    def characters(self) -> int:
        """Characters gathered so far."""
        return int(self._segment.characters)

    def add_field(self, fieldname: str, fieldobj: Any, value: Any, length: int) -> None:
        if fieldname in ("text", "facts"):
            self._pending[fieldname] = value
        super().add_field(fieldname, fieldobj, value, length)

    def finish_doc(self) -> None:
        super().finish_doc()
        if self._pending:
            self._gather(self._pending.get("text") or "", read_facts(self._pending["facts"]))
            self._pending = {}

    def _gather(self, text: str, facts: Facts) -> None:
        before = self._facts[-1] if self._facts else None
        if before is None or before.item != facts.item:
            self._shared_work = facts.work
        elif not facts.work:
            facts = msgspec.structs.replace(facts, work=self._shared_work)
        joins = facts.joins and before is not None and (before.item, before.target) == (facts.item, facts.target)
        reading = read(text, facts.notes, self._open_note if joins else 0)
        self._open_note = reading.open_note
        self._texts.append(DocumentText(reading.written, reading.notes, joins))
        self._facts.append(facts)
        self._segment.characters += len(reading.written)

    def close(self) -> None:
        super().close()
        if not self._facts:
            return
        folder = Path(self._storage.folder)
        write_arrays(folder / self._segment.make_filename(TEXT_FILE), segment_text.build(self._texts))
        self._texts = []
        arrays, extra = segment_facts.build(self._facts)
        write_arrays(folder / self._segment.make_filename(FACTS_FILE), arrays, extra)
        self._facts = []


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

    def _commit_toc(self, segments: list[ChineseSegment]) -> None:
        if self._added:
            folder = Path(self.storage.folder)
            for name in self.newsegment.list_files(self.storage):
                _sync(folder / name)
                self.newsegment.sizes[name] = (folder / name).stat().st_size
        super()._commit_toc(segments)

    @property
    def characters(self) -> int:
        """Characters added since the writer was opened."""
        return int(self.newsegment.characters)

    def merge_in(self, segment: ChineseSegment) -> None:
        """Take the living documents of a segment over into the one being written."""
        reader = SegmentReader(self.storage, self.schema, segment)
        try:
            self.add_reader(reader)
        finally:
            reader.close()
