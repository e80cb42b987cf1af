"""Having the compiled kernels ready before a reader asks. Machine code kept on the disk takes some five milliseconds a kernel to load, and
where there is none yet a second or two to make: both are done when a process opens its first segment, not during somebody's first question.

`python -m archive.search.loading` makes it all; the set-up does so.
"""

from __future__ import annotations

import tempfile
import threading
from datetime import date
from pathlib import Path

import numpy as np

from archive.model.rights import Audience, Visibility
from archive.search import kernels
from archive.search.arrays import Array
from archive.search.base import IndexDocument, Query
from archive.search.segment_facts import SegmentFacts
from archive.search.segment_text import NOWHERE, SegmentText

_loaded: set[np.dtype[np.generic]] = set()
_lock = threading.Lock()


def load(text: SegmentText, facts: SegmentFacts) -> None:
    """Call every kernel on nothing, with the types that the arrays of a segment have; once in a process for each width of codes."""
    with _lock:
        if text.codes.dtype in _loaded or not text.documents:
            return
        _load_finding(text)
        _load_counting(text, facts)
        _loaded.add(text.codes.dtype)


def _load_finding(text: SegmentText) -> None:
    none: Array = np.zeros(0, np.int64)
    visible, regions = np.ones(text.documents, bool), np.zeros(text.documents, np.int32)
    last = len(text.letters) - 1
    for pattern in ((last, last), (last, kernels.ANY, last)):
        text.find(pattern)
    kernels.seen(none, none, text.starts, text.steps, visible, regions)
    text.documents_of(none), text.note_state(none), text.through_of(none), text.walls_before(none)
    text.as_typed(NOWHERE, none)
    text.forms(NOWHERE, none, none, (last,))
    for places in (NOWHERE, np.zeros(0, np.uint32)):
        text.beside(places, None, (last,), 1)
        text.places_beside(places, NOWHERE, (last,), 1)
    kernels.block_marks(np.zeros(0, np.uint32), 0), kernels.block_marks(text.places[:0], 0)
    text.layout(0)
    text.written_postings(last)
    kernels.by_document(none, np.zeros(0, bool))
    kernels.widened(none, regions)
    kernels.having(none, none, regions)


def _load_counting(text: SegmentText, facts: SegmentFacts) -> None:
    none, counts, scores = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
    kernels.intersected(none, none), kernels.united(none, none), kernels.without(none, none)
    kernels.added(none, counts, none, counts)
    kernels.counts_at(none, none, counts)
    kernels.summed_where(none, counts, none)
    kernels.weigh(none, text.lengths, 1.0, 1.0, none, counts, counts, scores, counts, counts)
    kernels.scored(scores, counts, counts, 1, 1)
    kernels.lowest(scores, 1)
    kernels.kept(none, counts, counts, np.zeros(0, bool))
    kernels.rows_among(none, facts.descriptions)
    kernels.mark(np.zeros(0, bool), none, facts.item, facts.item_begins, none)
    kernels.tally(facts.work, none, 1)


def make() -> None:
    """Have the machine code made and kept, by opening an index of one leaf."""
    from archive.search.whoosh_index import WhooshIndex  # it imports this module

    with tempfile.TemporaryDirectory() as folder:
        index = WhooshIndex(Path(folder), processes=1)
        index.rebuild(iter([("leaf", [IndexDocument("leaf", "page", "p1", "漢陰（縣）志", Visibility(Audience.PUBLIC), notes=True)])]))
        index.search(Query("漢陰", today=date(2026, 1, 1)))
        index.close()


if __name__ == "__main__":
    make()
