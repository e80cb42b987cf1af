"""Words of Latin letters and numbers in digits are found whole: 1970 is no part of 19705, `rail` none of `railway`, unless `*` is written.

A run is letters, or digits, with nothing between them; a leaf's end, a space, a line break, a bracket and any other sign part it, and so does
the change from letters to digits (`1970s`, `A4`). Chinese has no such ends. What stands between is read from the layout of the few documents
where a neighbour is of the same kind, so a string of Chinese pays nothing. Descriptions searched by field keep no layout: there any part is found.
"""

from __future__ import annotations

import numpy as np

from archive.search.arrays import Array
from archive.search.batch_reading import BETWEEN
from archive.search.chinese import DIGIT, LATIN, LATIN_LETTERS, Located, kind_of
from archive.search.segment_text import Occurrences, SegmentText
from archive.search.syntax import Phrase


def has_ends(phrase: Phrase, part: int) -> tuple[bool, bool]:
    """Whether the begin and the end of a part of a string must be those of a word: where it is a letter or a digit with no `*` beside it."""
    chars = phrase.parts[part]
    first = part == 0 and not phrase.begun and kind_of(chars[0]) > 0
    last = part == len(phrase.parts) - 1 and not phrase.goes_on and kind_of(chars[-1]) > 0
    return first, last


def whole(text: SegmentText, found: Occurrences, phrase: Phrase, part: int = 0) -> Occurrences:
    """Those places of a part of a string that are no piece of a longer word or number."""
    first, last = has_ends(phrase, part)
    for asked, name in ((first, "starts"), (last, "ends")):
        if asked and len(found):
            found = found.where(~_run_on(text, getattr(found, name)))
    return found


def runs_on(located: Located, at: int) -> bool:
    """True when the character `at` of a text and the one before it are one run; as `whole` tells it of the index."""
    if not 0 < at < len(located.written) or located.ends[at - 1] != located.starts[at]:
        return False
    kind = kind_of(located.written[at])
    return kind > 0 and kind == kind_of(located.written[at - 1])


def _run_on(text: SegmentText, places: Array) -> Array:
    """True for each through position whose character and the one before it are one run."""
    found = np.zeros(len(places), bool)
    rows = np.flatnonzero((places > 0) & (places < len(text.codes)))
    kinds = _kinds(text)
    here = kinds[text.codes[places[rows]]]
    rows = rows[(here > 0) & (here == kinds[text.codes[places[rows] - 1]])]
    documents = text.documents_of(places[rows])
    inside = text.starts[documents] < places[rows]
    rows, documents = rows[inside], documents[inside]
    if len(rows):
        parted = np.append(_parted(text, documents), len(text.codes))
        found[rows] = parted[np.searchsorted(parted, places[rows])] != places[rows]
    return found


def _kinds(text: SegmentText) -> Array:
    """The kind of each letter of a segment's alphabet, by code."""
    folded = text.letters[text.fold_of]
    kinds = np.zeros(len(folded), np.uint8)
    for low, high in LATIN_LETTERS:
        kinds[(folded >= low) & (folded <= high)] = LATIN
    kinds[(folded >= 0x30) & (folded <= 0x39)] = DIGIT
    return kinds


def _parted(text: SegmentText, documents: Array) -> Array:
    """The through positions in some documents before which something stands that is no character, ascending."""
    distinct = np.unique(documents)
    bounds = text.arrays["layout_starts"].astype(np.int64)
    begins = bounds[distinct]
    counts = bounds[distinct + 1] - begins
    before = np.cumsum(counts) - counts
    rows = np.repeat(begins - before, counts) + np.arange(int(counts.sum()))
    along = np.concatenate([np.zeros(1, np.int64), np.cumsum(text.arrays["layout_gaps"][rows], dtype=np.int64)])
    places = along[1:] + np.repeat(text.starts[distinct].astype(np.int64) - along[before], counts)
    offsets = text.arrays["string_offsets"].astype(np.int64)
    parting = (text.arrays["string_points"][offsets[:-1]] == ord(BETWEEN)) & (np.diff(offsets) > 1)  # one of nothing bridges a long gap
    parted: Array = places[parting[text.arrays["layout_numbers"][rows]]]
    return parted
