"""Where two texts say something else (異文): character by character as the search folds them, so that 陝西 and 陕西 are the same words.

Pure. `difflib` aligns the folded characters; layout, punctuation and small notes' brackets do not count, and offsets lead back to both texts
as written. A form that differs alone (陝 beside 陜) is told apart from another word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from archive.search.base import Span
from archive.search.chinese import Located, fold_characters, locate, of_collection

MOST = 8000
"""Characters of each text that are compared: a tenth of a CPU second."""
_PAIRS = 4_000_000
"""Pairs of equal characters that are looked at; texts with more (one character a thousand times over) are compared for a shorter stretch."""
ALIKE = 0.3
"""Texts with less in common are not two readings of one text: marking single characters in them would mean nothing."""
_CHANCE = 2
"""Agreements shorter than this between two differences are chance: 之 stands everywhere."""
_CONTEXT = 6


@dataclass(frozen=True, slots=True)
class Text:
    """A text as written; `notes`: its brackets are small notes; `collection`: whose glyph table it is read by."""

    text: str
    notes: bool = False
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where the texts differ: where in each (code points, empty where the other one has more), the words of each, and what stands
    before in the one that has something there. `form`: the same words in another form."""

    left: Span
    right: Span
    words: tuple[str, str]
    before: str
    form: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """All differences in order. `alike` 0 to 1, the share of characters in common; `cut`: only the first `MOST` characters were compared."""

    differences: tuple[Difference, ...]
    alike: float
    cut: bool

    @property
    def related(self) -> bool:
        """False for texts that have too little in common to be compared."""
        return self.alike >= ALIKE

    def count(self, form: bool) -> int:
        """How many differ in words (in form alone)."""
        return sum(difference.form is form for difference in self.differences)

    def spans(self, side: int, forms: bool) -> tuple[Span, ...]:
        """Where to mark the left (0) or right (1) text; with `forms` other forms of the same words too."""
        found = (difference.right if side else difference.left for difference in self.differences if forms or not difference.form)
        return tuple(span for span in found if span.start < span.end)


@dataclass(frozen=True, slots=True)
class _Read:
    """A text read into characters: as written, folded, and where each stands."""

    text: str
    written: str
    folded: str
    located: Located
    cut: bool

    @classmethod
    def of(cls, given: Text) -> _Read:
        located = locate(given.text, given.notes)
        written = of_collection(located.written, given.collection)
        return cls(given.text, written[:MOST], fold_characters(written[:MOST]), located, len(written) > MOST)

    def shortened(self) -> _Read:
        """Its first half."""
        half = (len(self.folded) + 1) // 2
        return replace(self, written=self.written[:half], folded=self.folded[:half], cut=True)

    def span(self, begin: int, end: int) -> Span:
        """Where characters stand in the text; between two of them for none."""
        if begin < end:
            return Span(self.located.starts[begin], self.located.ends[end - 1])
        at = self.located.ends[begin - 1] if begin else 0
        return Span(at, at)

    def words(self, begin: int, end: int) -> str:
        """The characters as written, without layout between them."""
        return "".join(self.text[self.located.starts[at] : self.located.ends[at]] for at in range(begin, end))


def compare(left: Text, right: Text) -> Compared:
    """The differences of two texts."""
    one, other = _bounded(_Read.of(left), _Read.of(right))
    if not one.folded or not other.folded:
        return Compared((), 0.0, one.cut or other.cut)
    matcher = SequenceMatcher(None, one.folded, other.folded, autojunk=False)
    cut = one.cut or other.cut
    if matcher.quick_ratio() < ALIKE:
        return Compared((), matcher.quick_ratio(), cut)
    alike = matcher.ratio()
    if alike < ALIKE:
        return Compared((), alike, cut)
    found: list[Difference] = []
    for same, a, b, c, d in _stretches(matcher, len(one.folded), len(other.folded)):
        if same:
            found += (
                _difference(one, other, n, m, c + n - a, c + m - a, True) for n, m in _other_forms(one.written, other.written, a, b, c)
            )
        else:
            found.append(_difference(one, other, a, b, c, d, False))
    return Compared(tuple(found), alike, cut)


def _bounded(one: _Read, other: _Read) -> tuple[_Read, _Read]:
    """Both, shortened until aligning them costs no more than it may."""
    while True:
        counts = Counter(other.folded)
        if sum(number * counts[char] for char, number in Counter(one.folded).items()) <= _PAIRS:
            return one, other
        one, other = one.shortened(), other.shortened()


def _stretches(matcher: SequenceMatcher[str], left: int, right: int) -> Iterator[tuple[bool, int, int, int, int]]:
    """Stretches in common and not, in order: whether, from where to where on the left, and on the right."""
    at_left = at_right = 0
    for begin, other, size in matcher.get_matching_blocks():
        inside = begin > at_left or other > at_right
        last = begin == left and other == right
        if size < _CHANCE and not last and (inside or at_left == begin == 0) and begin + size < left and other + size < right:
            continue  # it becomes part of the difference around it
        if begin > at_left or other > at_right:
            yield False, at_left, begin, at_right, other
        if size:
            yield True, begin, begin + size, other, other + size
        at_left, at_right = begin + size, other + size


def _other_forms(left: str, right: str, begin: int, end: int, other: int) -> Iterator[tuple[int, int]]:
    """Runs on the left whose characters are written otherwise on the right."""
    at = begin
    while at < end:
        first = at
        while at < end and left[at] != right[other + at - begin]:
            at += 1
        if at > first:
            yield first, at
        at += 1


def _difference(one: _Read, other: _Read, a: int, b: int, c: int, d: int, form: bool) -> Difference:
    before = one.words(max(0, a - _CONTEXT), a) if a < b or c == d else other.words(max(0, c - _CONTEXT), c)
    return Difference(one.span(a, b), other.span(c, d), (one.words(a, b), other.words(c, d)), before, form)
