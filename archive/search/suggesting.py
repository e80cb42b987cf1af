"""What a reader may mean who has begun to type: titles, persons and places of the works in the index.

All names of a snapshot are gathered once, whoever may see them; which of them exist, in which form and how often, is worked out for each reader
from the descriptions that the reader may see. A name is found by its folded characters, by its pinyin and by the initials of its pinyin.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np

from archive.search.arrays import Array
from archive.search.base import Suggestion
from archive.search.chinese import fold
from archive.search.readings import normalise, readings
from archive.search.segment_facts import ITEM, SegmentFacts, Work, values_of

MOST_NAMES = 200_000
"""Names that are remembered, some 500 bytes each with their readings; an archive with more suggests those met first."""
MOST_TYPED = 40
_READERS = 8
_READ = 50_000
"""Names whose readings are kept from one commit to the next."""
_INSIDE = 500
"""Places inside names that are looked at when few names begin so."""
_SHARED = {fold("责任者"): "person", fold("地名"): "place"}
_TITLES = ("title", "alt-title")
_LAST = "\U0010ffff"


def names_of(work: Work) -> Iterator[tuple[str, str]]:
    """The proper names of a work with their kinds: titles, persons in whatever part, places."""
    for key in _TITLES:
        yield from (("title", value) for value in values_of(work, key))
    for key, called in work.field_names.items():
        kind = next((_SHARED[name] for name in map(fold, called) if name in _SHARED), None)
        if kind is not None:
            yield from ((kind, value) for value in work.fields.get(key, ()))


_read = lru_cache(_READ)(readings)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One reader's part: the mentions the reader may see, and the works of each name."""

    mentions: Array
    counts: Array


class _Keys:
    """Strings in order, each leading to a name."""

    def __init__(self, pairs: Iterable[tuple[str, int]]) -> None:
        ordered = sorted(set(pairs))
        self.keys = [key for key, _name in ordered]
        self.names = np.array([name for _key, name in ordered], np.int32)

    def beginning(self, prefix: str) -> Array:
        """The names one of whose keys begins so, each once."""
        return np.unique(self.names[bisect_left(self.keys, prefix) : bisect_left(self.keys, prefix + _LAST)])

    def equal(self, key: str) -> Array:
        """The names with this key."""
        low = high = bisect_left(self.keys, key)
        while high < len(self.keys) and self.keys[high] == key:
            high += 1
        return self.names[low:high]


class Names:
    """The proper names of an index. `facts` segment by segment, `items` for each the number of an item by its code."""

    def __init__(self, facts: Sequence[SegmentFacts], items: Sequence[Array]) -> None:
        known: dict[tuple[str, str], int] = {}
        forms: dict[str, int] = {}
        mentions = [
            (name, forms.setdefault(form, len(forms)), item, document)
            for item, document, work in _descriptions(facts, items)
            for kind, form in dict.fromkeys(names_of(work))
            if (name := _known(known, kind, form, work.collection)) is not None
        ]
        table = np.array(sorted(mentions), np.int64).reshape(-1, 4)
        self._name, self._form, self._item, self._document = (np.ascontiguousarray(column) for column in table.T)
        self._names, self._forms = tuple(known), tuple(forms)
        self._folded = _Keys((folded, name) for name, (_kind, folded) in enumerate(self._names))
        spoken = [(reading, name) for name, (_kind, folded) in enumerate(self._names) for reading in _read(folded)]
        self._full = _Keys((full, name) for (full, _initials), name in spoken)
        self._initials = _Keys((initials, name) for (_full, initials), name in spoken)
        self._joined = "\0".join(folded for _kind, folded in self._names)
        self._begins = np.cumsum([0, *(len(folded) + 1 for _kind, folded in self._names)])
        self._seen: OrderedDict[Hashable, _Seen] = OrderedDict()
        self._lock = Lock()

    def suggest(self, typed: str, reader: Hashable, visible: Sequence[Array], limit: int) -> tuple[Suggestion, ...]:
        """Names that begin so, those of most works first; when they are few also names that have it inside.

        `visible`: by segment what the reader may see; `reader` tells one such view from another.
        """
        if limit < 1 or len(typed) > MOST_TYPED or not (folded := fold(typed)):
            return ()
        seen, spoken = self._seen_by(reader, visible), normalise(typed)
        found = [self._folded.beginning(folded)]
        if spoken:
            found += [self._full.beginning(spoken), self._initials.beginning(spoken)]
        chosen = self._best(np.unique(np.concatenate(found)), seen, limit)
        if len(chosen) < limit:
            inside = np.setdiff1d(self._having(folded), chosen)
            chosen += self._best(inside, seen, limit - len(chosen))
        return tuple(self._suggestion(name, seen) for name in chosen)

    def sounding(self, typed: str, reader: Hashable, visible: Sequence[Array], limit: int) -> tuple[str, ...]:
        """Names other than `typed` that are read like it, or as it says in pinyin."""
        if len(typed) > MOST_TYPED or not (folded := fold(typed)):
            return ()
        sounds = {full for full, _initials in readings(folded)} | {normalise(typed)}
        names = np.unique(np.concatenate([self._full.equal(full) for full in sounds]))
        seen, other = self._seen_by(reader, visible), [name for name in names.tolist() if self._names[name][1] != folded]
        return tuple(self._suggestion(name, seen).text for name in self._best(np.array(other, np.int64), seen, limit))

    def _seen_by(self, reader: Hashable, visible: Sequence[Array]) -> _Seen:
        with self._lock:
            if reader in self._seen:
                self._seen.move_to_end(reader)
                return self._seen[reader]
        everything = np.concatenate([*visible, np.zeros(0, bool)])
        mentions = everything[self._document]
        pairs = np.unique(self._name[mentions] << 32 | self._item[mentions])
        seen = _Seen(mentions, np.bincount(pairs >> 32, minlength=len(self._names)).astype(np.int32))
        with self._lock:
            self._seen[reader] = seen
            while len(self._seen) > _READERS:
                self._seen.popitem(last=False)
        return seen

    def _best(self, names: Array, seen: _Seen, limit: int) -> list[int]:
        """Those of most works first, then short ones."""
        names = names[seen.counts[names] > 0]
        lengths = self._begins[names + 1] - self._begins[names]
        return [int(name) for name in names[np.lexsort((names, lengths, -seen.counts[names]))[:limit]]]

    def _having(self, folded: str) -> Array:
        places: list[int] = []
        at = self._joined.find(folded)
        while at >= 0 and len(places) < _INSIDE:
            places.append(at)
            at = self._joined.find(folded, at + 1)
        return np.unique(np.searchsorted(self._begins, np.array(places, np.int64), side="right") - 1)

    def _suggestion(self, name: int, seen: _Seen) -> Suggestion:
        """The name in the form that most works the reader may see have."""
        low, high = np.searchsorted(self._name, [name, name + 1])
        forms = self._form[low:high][seen.mentions[low:high]]
        form = min(Counter(forms.tolist()).items(), key=lambda pair: (-pair[1], pair[0]))[0]
        return Suggestion(self._forms[form], self._names[name][0], int(seen.counts[name]))


def _known(known: dict[tuple[str, str], int], kind: str, form: str, collection: str) -> int | None:
    """The number of a name; None when it is empty or there are too many."""
    folded = fold(form, collection).replace("\0", "")
    if not folded or (len(known) >= MOST_NAMES and (kind, folded) not in known):
        return None
    return known.setdefault((kind, folded), len(known))


def _descriptions(facts: Sequence[SegmentFacts], items: Sequence[Array]) -> Iterator[tuple[int, int, Work]]:
    """Item number, document (counted over all segments) and work of each description."""
    before = 0
    for segment, numbers in zip(facts, items, strict=True):
        works = segment.works()
        documents = np.flatnonzero((segment.target == ITEM) & ~segment.shadow)
        for document, work, item in zip(
            documents.tolist(), segment.work[documents].tolist(), numbers[segment.item[documents]].tolist(), strict=True
        ):
            yield item, before + document, works[work]
        before += segment.documents
