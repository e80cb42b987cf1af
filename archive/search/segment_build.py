"""Building the arrays of a segment from texts; `segment_text` searches them, `segment_merge` joins those of several segments.

A segment is a row of *chunks*, each a row of documents of one item between walls: no text runs from one chunk into the next, so chunks can be
dropped and put side by side without looking into them. Everything sorted is sorted by code, codes are in the order of code points, and places
ascend within a code: so the sorted arrays of several segments can be merged by putting slices one after another.

    letters, fold_of            code → code point (ascending; 0 is the wall), code → folded code
    codes                       the characters as written
    starts, walled              where each document begins (one more at the end); 1 where it ends with a wall
    steps                       the document of every 64th place
    walls                       where codes is 0
    note_begins, note_ends      small notes; `note_main`: characters of main text before each
    keys, offsets, places       folded bigrams; where the places of each begin; every place that is not a wall
    bridge_keys, …_offsets, bridges    bigrams that stand over a note; the numbers of those notes
    posting_offsets, posting_lows, posting_counts    for each letter as written, then each 65,536 documents: documents (low 16 bits) that have it,
                                and how often (255: see `heavy_rows`, `heavy_counts`)
    layout_starts, layout_gaps, layout_numbers, string_points, string_offsets    what stands between the characters (`batch_reading.Between`)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archive.search.arrays import Array, Arrays, map_arrays, write_arrays
from archive.search.batch_reading import Between, Texts, encode, read_all
from archive.search.chinese import fold_characters

STEP_BITS = 6
BLOCK_BITS = 16
"""Documents of a posting are kept in blocks of 65,536."""
HEAVY = 255
_STEP = 1 << STEP_BITS


def shift_of(letters: int) -> int:
    """Bits by which the first code of a bigram stands before the second."""
    return 16 if letters <= 1 << 16 else 32


def code_type(letters: int) -> type[np.unsignedinteger]:
    """The type that holds a code."""
    return np.uint16 if letters <= 1 << 16 else np.uint32


def key_type(letters: int) -> type[np.unsignedinteger]:
    """The type that holds a bigram."""
    return np.uint32 if letters <= 1 << 16 else np.uint64


def build(texts: Texts) -> dict[str, Array]:
    """The arrays of some texts."""
    batch = read_all(texts)
    letters, codes, fold_of = _alphabet(batch.points)
    folded = fold_of[codes]
    arrays = {"letters": letters, "fold_of": fold_of, "codes": codes}
    arrays |= {"starts": batch.starts.astype(np.uint32), "walled": batch.walled}
    arrays |= {"steps": steps_of(batch.starts, len(codes)), "walls": np.flatnonzero(codes == 0).astype(np.uint32)}
    begins, ends = batch.note_begins.astype(np.uint32), batch.note_ends.astype(np.uint32)
    arrays |= {"note_begins": begins, "note_ends": ends, "note_main": main_before(begins, ends)}
    arrays["keys"], arrays["offsets"], arrays["places"] = _sorted_bigrams(folded[:-1], folded[1:], len(letters))
    arrays["bridge_keys"], arrays["bridge_offsets"], arrays["bridges"] = _bridges(folded, begins, ends, len(letters))
    arrays |= _postings(codes, batch.starts, len(letters))
    return arrays | layout_arrays(batch.between)


def build_file(read: Path, path: Path) -> bool:
    """Build the arrays of texts that wait in a file (`Texts.arrays`) into another; the first is removed. False when somebody took it already."""
    taken = read.with_name(f"{read.name}-taken")
    try:
        read.rename(taken)
    except FileNotFoundError:
        return False
    texts, _extra = map_arrays(taken)
    taken.unlink()
    write_arrays(path, build(Texts(**texts)), durable=False)
    return True


def _alphabet(points: Array) -> tuple[Array, Array, Array]:
    """Sorted code points that occur (as written or folded), codes of `points`, and the folded code of each code."""
    present = np.zeros(0x110000, bool)
    present[points] = True
    present[0] = True
    letters = np.flatnonzero(present)
    present[encode(fold_characters("".join(map(chr, letters))))] = True
    letters = np.flatnonzero(present).astype(np.uint32)
    table = np.zeros(0x110000, code_type(len(letters)))
    table[letters] = np.arange(len(letters))
    folded = encode(fold_characters("".join(map(chr, letters))))
    return letters, table[points], table[folded]


def steps_of(starts: Array, length: int) -> Array:
    """The document of every 64th place, and one more."""
    found = np.searchsorted(starts[:-1], np.arange(0, length + _STEP, _STEP), side="right") - 1
    return np.maximum(found, 0).astype(np.uint32)


def main_before(begins: Array, ends: Array) -> Array:
    """Characters (walls too) of main text before each note."""
    noted = np.cumsum(ends.astype(np.int64) - begins)
    return (begins - np.concatenate(([0], noted[:-1]))[: len(begins)]).astype(np.uint32)


def _sorted_bigrams(first: Array, second: Array, letters: int, values: Array | None = None) -> tuple[Array, Array, Array]:
    """Distinct keys in order, where the values of each begin, and the values (the indices unless given) in order of (key, index); first 0 left out."""
    shift = shift_of(letters)
    keys = first.astype(key_type(letters))
    keys <<= keys.dtype.type(shift)
    keys |= second
    if shift == 16:  # one sort of key and index in one number: half the time of sorting indices
        both = keys.astype(np.uint64)
        both <<= np.uint64(32)
        both |= np.arange(len(keys), dtype=np.uint64)
        both.sort()
        order, keys = both.astype(np.uint32), (both >> np.uint64(32)).astype(np.uint32)
    else:
        order = np.argsort(keys, kind="stable").astype(np.uint32)
        keys = keys[order]
    skip = int(np.searchsorted(keys, keys.dtype.type(1 << shift)))
    keys, order = keys[skip:], order[skip:]
    if values is not None:
        order = values[order]
    begins = np.flatnonzero(changes(keys))
    return keys[begins], np.append(begins, len(keys)).astype(np.uint32), order


def changes(values: Array) -> Array:
    """True where a value differs from the one before, and at the first."""
    differs = np.ones(len(values), bool)
    differs[1:] = values[1:] != values[:-1]
    return differs


def _bridges(folded: Array, begins: Array, ends: Array, letters: int) -> tuple[Array, Array, Array]:
    """The notes over which main text reads on, by the characters before and after."""
    notes = np.flatnonzero(begins > 0)
    first, second = folded[begins[notes] - np.uint32(1)], folded[ends[notes]]
    reads_on = (first != 0) & (second != 0)
    return _sorted_bigrams(first[reads_on], second[reads_on], letters, notes[reads_on].astype(np.uint32))


def _postings(codes: Array, starts: Array, letters: int) -> dict[str, Array]:
    documents = np.repeat(np.arange(len(starts) - 1, dtype=np.uint64), np.diff(starts))
    both = codes.astype(np.uint64) << np.uint64(32) | documents
    both = both[codes != 0]
    both.sort()
    rows = np.flatnonzero(changes(both))
    counts = np.diff(np.append(rows, len(both)))
    pairs = both[rows]
    blocks = blocks_of(len(starts) - 1)
    slots = (pairs >> np.uint64(32)) * np.uint64(blocks) + ((pairs & np.uint64(0xFFFFFFFF)) >> np.uint64(BLOCK_BITS))
    offsets = np.searchsorted(slots, np.arange(letters * blocks + 1, dtype=np.uint64))
    heavy = np.flatnonzero(counts >= HEAVY)
    return {
        "posting_offsets": offsets.astype(np.uint32),
        "posting_lows": (pairs & np.uint64(0xFFFF)).astype(np.uint16),
        "posting_counts": np.minimum(counts, HEAVY).astype(np.uint8),
        "heavy_rows": heavy.astype(np.uint32),
        "heavy_counts": counts[heavy].astype(np.uint32),
    }


def blocks_of(documents: int) -> int:
    """Blocks of the postings of so many documents."""
    return max(-(-documents >> BLOCK_BITS), 1)


def decoded_postings(arrays: Arrays, blocks: int, first: int, last: int) -> tuple[Array, Array]:
    """Documents and counts of the letters `first` to before `last`, one letter after another."""
    bounds = arrays["posting_offsets"][first * blocks : last * blocks + 1].astype(np.int64)
    begin, end = int(bounds[0]), int(bounds[-1])
    documents = arrays["posting_lows"][begin:end].astype(np.int64)
    if last - first == 1:
        for block in range(1, blocks):
            documents[bounds[block] - begin : bounds[block + 1] - begin] += block << BLOCK_BITS
    elif blocks > 1:
        documents += np.repeat(np.tile(np.arange(blocks) << BLOCK_BITS, last - first), np.diff(bounds))
    counts = arrays["posting_counts"][begin:end].astype(np.int32)
    low, high = np.searchsorted(arrays["heavy_rows"], np.array([begin, end], np.uint32))
    if high > low:
        counts[arrays["heavy_rows"][low:high].astype(np.int64) - begin] = arrays["heavy_counts"][low:high]
    return documents, counts


def layout_arrays(layout: Between) -> dict[str, Array]:
    """A layout as arrays."""
    return {
        "layout_starts": layout.starts,
        "layout_gaps": layout.gaps,
        "layout_numbers": layout.numbers.astype(code_type(len(layout.strings))),
        **string_arrays(layout.strings),
    }


def string_arrays(strings: Sequence[str]) -> dict[str, Array]:
    """Strings as code points one after another."""
    offsets = np.concatenate(([0], np.cumsum([len(string) for string in strings], dtype=np.int64)))
    return {"string_points": encode("".join(strings)), "string_offsets": offsets.astype(np.uint32)}
