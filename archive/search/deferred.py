"""An index that is opened when it is first asked: most commands never search, and numpy and Whoosh are slow to import."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from archive.model.rights import Audience
from archive.search.base import Concordance, IndexDocument, Lines, Query, Results, SearchIndex, Span, Suggestion


class DeferredIndex:
    """What `make` gives, made once, when first needed. Safe to share between threads."""

    def __init__(self, make: Callable[[], SearchIndex]) -> None:
        self._make = make
        self._made: SearchIndex | None = None
        self._lock = threading.Lock()

    def search(self, query: Query) -> Results:
        """See `SearchIndex`."""
        return self._index().search(query)

    def suggest(self, prefix: str, reader: Audience, today: date, limit: int = 10) -> tuple[Suggestion, ...]:
        """See `SearchIndex`."""
        return self._index().suggest(prefix, reader, today, limit)

    def concordance(self, query: Query) -> Concordance:
        """See `SearchIndex`."""
        return self._index().concordance(query)

    def occurrences(self, query: Query) -> Iterator[Lines]:
        """See `SearchIndex`."""
        return self._index().occurrences(query)

    def replace(self, changes: Iterable[tuple[str, Iterable[IndexDocument]]]) -> None:
        """See `SearchIndex`."""
        self._index().replace(changes)

    def rebuild(self, items: Iterator[tuple[str, Iterable[IndexDocument]]]) -> None:
        """See `SearchIndex`."""
        self._index().rebuild(items)

    def mark(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[Span, ...]:
        """See `SearchIndex`."""
        return self._index().mark(query, text, notes, before=before, after=after, taboo=taboo, collection=collection)

    def places(
        self, query: str, text: str, notes: bool = False, *, before: str = "", after: str = "", taboo: bool = True, collection: str = ""
    ) -> tuple[tuple[Span, ...], ...]:
        """See `SearchIndex`."""
        return self._index().places(query, text, notes, before=before, after=after, taboo=taboo, collection=collection)

    def exists(self) -> bool:
        """See `SearchIndex`."""
        return self._index().exists()

    def doctor(self) -> Mapping[str, object]:
        """See `SearchIndex`."""
        return self._index().doctor()

    def close(self) -> None:
        """Let go of files, if any were opened."""
        with self._lock:
            if self._made is not None:
                self._made.close()

    def _index(self) -> SearchIndex:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made
