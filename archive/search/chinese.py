"""The one place for Chinese text in search: what of a text counts, how it is folded, and where small notes lie.

A text is read into *characters*: punctuation, spaces, line breaks and indentation are dropped, full-width forms narrowed, and what stands for
one glyph (`&KR1234;`, an ideographic description, `[車*犬]`) becomes one character. Folding then goes character by character, so that a folded
text is as long as the written one and offsets lead back to the text as written. Tables: `fold.tsv` (derived), `variants.tsv` and
`gaiji.tsv` (reviewed by us).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import NamedTuple, TypeVar

K = TypeVar("K")
V = TypeVar("V")

WALL = "\u2029"
"""Paragraph separator: nothing is found across it. It parts the values of a description."""
WALL_CHARACTER = "\0"
"""What `WALL` becomes among the characters of a text."""

_RULES = 2
"""Raise it when the rules below change what a text folds to; the index is then made again."""
_FOLDER = Path(__file__).parent
_SYMBOLS = frozenset("〇□〓")
_KR_BASE = 0x40000
"""`&KR1234;` becomes the unassigned code point 0x40000 + 1234: exact, and no donor's text can hold it."""
FIRST_GLYPH = chr(_KR_BASE)
"""No sign of a glyph is read into a character below this one, but for private use, which stays as it is."""
_GLYPH_BASE = 0x80000
_GLYPH_ROOM = 0x60000
"""Descriptions of glyphs become one of 393,216 unassigned code points by digest; two chosen ones fall together once in that many."""
_HELD_BASE, _HELD_ROOM = 0xE1000, 0xF000
"""A mark that a collection's own table explains becomes one of 61,440 unassigned code points, one for each mark and meaning: what two
collections mean by one mark are two characters from the first reading on."""
_GLYPH = re.compile(r"\[[^\[\]\sA-Za-z0-9，。、；：]{2,40}\]")
_SPECIAL = re.compile(r"&KR[0-9]{1,6};|[\u2ff0-\u2fff\u31ef]|\[[^\[\]\sA-Za-z0-9，。、；：]{2,40}\]|[()（）]")
_NARROW_BRACKETS = {ord("("): ord("("), ord("（"): ord("("), ord(")"): ord(")"), ord("）"): ord(")")}
_BRACKET = re.compile(r"[()]")
_OTHERS = re.compile("([^\u4e00-\u9ff0\u3400-\u4db5]+)")
"""Runs of what is no common ideograph; those in between count as they are, so that most of a text is never looked at one by one."""
_RUN_LENGTH, _RUNS_ROOM = 6, 4096
_ARITY = {"\u2ff2": 3, "\u2ff3": 3, "\u2ffe": 1, "\u2fff": 1}


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    for line in (_FOLDER / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            written, folded = line.split("\t")[:2]
            yield written, folded


def _load_table() -> dict[int, str]:
    """Both tables as one; ours goes before the derived one. Raises ValueError when it is not idempotent or a variant is listed twice."""
    table = dict(_pairs("fold.tsv"))
    ours: dict[str, str] = {}
    for written, folded in _pairs("variants.tsv"):
        if written in ours:
            raise ValueError(f"variants.tsv: {written} has an entry already")
        ours[written] = folded
    for written, folded in ours.items():
        end = ours.get(table.get(folded, folded), table.get(folded, folded))
        table[written] = table.get(end, end)
    for written, folded in table.items():
        if folded in ours:
            table[written] = table[folded]
    for written, folded in table.items():
        if folded in table or len(written) != 1 or len(folded) != 1:
            raise ValueError(f"fold table: {written} → {folded} folds on to {table.get(folded)}")
    return {ord(written): folded for written, folded in table.items()}


class Glyphs(NamedTuple):
    """Marks of unencoded glyphs to the characters they are: `home` wherever a text belongs, `collections` (by slug) in texts of these alone."""

    home: Mapping[str, str]
    collections: Mapping[str, Mapping[str, str]]


def _fold_version(learned: Glyphs) -> str:
    digest = hashlib.blake2b(str(_RULES).encode(), digest_size=6)
    for name in ("fold.tsv", "variants.tsv", "gaiji.tsv"):
        digest.update((_FOLDER / name).read_bytes())
    for mark, char in sorted(learned.home.items()):
        digest.update(f"\0{mark}\t{char}".encode("utf-8", "surrogatepass"))
    for slug, table in sorted(learned.collections.items()):
        for mark, char in sorted(table.items()):
            digest.update(f"\0{slug}\0{mark}\t{char}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def fold_version() -> str:
    """Kept in every index; an index of another version refuses to be searched. Changes with every table that changes what folds."""
    return _version


def _narrow(char: str) -> str:
    """Half-width for full-width; everything else as it is."""
    if "\uff00" < char < "\uffef":
        plain = unicodedata.normalize("NFKC", char)
        return plain if len(plain) == 1 else char
    return char


def _counts(char: str) -> bool:
    """Letters, numbers, private use, unassigned ideographs, 〇 □ 〓, radicals and Yijing signs count; all else is layout."""
    category = unicodedata.category(char)
    if category[0] in "LN" or category == "Co" or char in _SYMBOLS:
        return True
    if category == "Cn":
        return "\U00020000" <= char <= "\U0003ffff"
    if "\u3200" <= char <= "\u33ff":  # ㊎, ㋿ and the like count when they are one character in other dress
        return len(unicodedata.normalize("NFKC", char)) == 1
    return "\u2e80" <= char <= "\u2fff" or "\u31c0" <= char <= "\u31ef" or "\u4dc0" <= char <= "\u4dff" or "\u2630" <= char <= "\u2637"


class _Kept(dict[int, int | None]):
    """For `str.translate`: code point to the character that counts, or None. Filled as characters are met."""

    def __missing__(self, code: int) -> int | None:
        char = _narrow(chr(code))
        kept = 0 if chr(code) == WALL else ord(char) if _counts(char) else None
        self[code] = kept
        return kept


class _Glyphs(Exception):
    """The text has a sign that may begin a glyph: it is read piece by piece."""


class _Marked(dict[int, int | None]):
    """As `_Kept` for text without glyphs; a bracket of a note becomes `(` or `)` where notes are read. Raises `_Glyphs`."""

    def __init__(self, notes: bool) -> None:
        super().__init__()
        self._brackets = _NARROW_BRACKETS if notes else {}

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        if char in "&[\u31ef" or "\u2ff0" <= char <= "\u2fff":
            raise _Glyphs
        kept = self[code] = self._brackets[code] if code in self._brackets else _KEPT[code]
        return kept


class _Runs(dict[str, str]):
    """A run of other signs than common ideographs, mostly a line break or a bracket, to what is kept of it. Short ones are remembered."""

    def __init__(self, notes: bool) -> None:
        super().__init__()
        self._table = _Marked(notes)

    def __missing__(self, run: str) -> str:
        kept = run.translate(self._table)
        if len(run) <= _RUN_LENGTH and len(self) < _RUNS_ROOM:
            self[run] = kept
        return kept


class _Counts(dict[str, bool]):
    """Whether a character counts; as `_Kept`, for picking places."""

    def __missing__(self, char: str) -> bool:
        counts = self[char] = _KEPT[ord(char)] is not None
        return counts


class _Folded(dict[int, str]):
    """For `str.translate`: code point to its folded form. Filled as characters are met."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) != 1:
        plain = char
    lowered = plain.lower()
    if len(lowered) != 1:
        lowered = plain
    base = unicodedata.normalize("NFD", lowered)[0]
    if base.isascii() and base.isalpha():  # é is e; か and が stay two
        lowered = base.lower()
    return _TABLE.get(ord(lowered)) or _GAIJI.get(ord(lowered), lowered)


_TABLE = _load_table()
_GAIJI: dict[int, str] = {}
_version = ""
_learned = Glyphs({}, {})
_HELD: dict[str, dict[int, int]] = {}
"""By collection, in the order of their numbers from 1: a mark's character to the one it is read into there."""
_MARK_OF: dict[int, int] = {}
_MEANINGS: dict[str, tuple[str, ...]] = {}
_MEANT: dict[str, str] = {}
_KEPT = _Kept()
_PLAIN, _NOTED = _Runs(False), _Runs(True)
_COUNTS = _Counts()
_FOLDED = _Folded()


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text as written, from `start` to before `end`: in a small note or not, and the one character it stands for if it is a glyph."""

    start: int
    end: int
    note: bool
    glyph: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read into characters: `written` (as written, layout dropped), the stretches of `written` that are small notes, and the
    note left open at the end (pass it to the next leaf's reading: 0 for none)."""

    written: str
    notes: tuple[tuple[int, int], ...]
    open_note: int


@dataclass(frozen=True, slots=True)
class Located:
    """A reading whose characters know their place: `starts[i]` to before `ends[i]` in the text, `noted[i]` True inside a small note."""

    written: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    noted: tuple[bool, ...]
    open_note: int


def _glyph_end(text: str, start: int) -> int | None:
    """Where the ideographic description that begins at `start` ends; None when it is not whole."""
    wanted, at = 1, start
    while wanted and at < len(text) and at - start < 32:
        char = text[at]
        if "\u2ff0" <= char <= "\u2fff" or char == "\u31ef":
            wanted += _ARITY.get(char, 2) - 1
        elif not _counts(char):
            return None
        else:
            wanted -= 1
        at += 1
    return at if not wanted else None


def _glyph(description: str) -> str:
    digest = hashlib.blake2b(description.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return chr(_GLYPH_BASE + int.from_bytes(digest, "big") % _GLYPH_ROOM)


def _is_composition(token: str) -> bool:
    """`[車*犬]` is one glyph; `[光緒]` is a supplied word."""
    inner = token[1:-1]
    return any(sign in inner for sign in "*@+-/") and any(_counts(char) for char in inner)


def _tokens(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Glyphs and brackets of a text in order: start, end, and the one character a glyph stands for (None for a bracket)."""
    at = 0
    while (match := _SPECIAL.search(text, at)) is not None:
        start, end, token = match.start(), match.end(), match[0]
        at = end
        if token[0] == "&":
            yield start, end, chr(_KR_BASE + min(int(token[3:-1]), 0x3FFFF))
        elif token[0] == "[":
            if _is_composition(token):
                yield start, end, _glyph(token)
            else:
                at = start + 1
        elif token in "()（）":
            yield start, end, None
        elif (whole := _glyph_end(text, start)) is not None:
            at = whole
            yield start, whole, _glyph(text[start:whole])


def glyphs(text: str) -> Iterator[tuple[int, int, str]]:
    """The glyphs written as a sequence of signs: start, end, and the one character each stands for."""
    return ((start, end, glyph) for start, end, glyph in _tokens(text) if glyph is not None)


def pieces(text: str, notes: bool = False, open_note: int = 0) -> tuple[list[Piece], int]:
    """The text as pieces without the brackets of notes, and the note left open at its end.

    With `notes` a bracket opens a small note. Notes do not nest. One that is not closed goes on into the next leaf (`open_note` 1) and ends
    with that leaf at the latest.
    """
    inside, carried = bool(open_note and notes), bool(open_note)
    found, last = [], 0
    for start, end, glyph in _tokens(text):
        if glyph is None and not notes:
            continue
        if start > last:
            found.append(Piece(last, start, inside))
        if glyph is not None:
            found.append(Piece(start, end, inside, glyph))
        elif text[start] in "(（":
            inside, carried = True, False
        else:
            inside = carried = False
        last = end
    if last < len(text):
        found.append(Piece(last, len(text), inside))
    return found, int(inside and not carried)


def characters(text: str) -> str:
    """What counts of a stretch without glyphs, as written but for width."""
    return text.translate(_KEPT)


def fold_characters(written: str) -> str:
    """Fold characters that `read` gave; as long as `written`."""
    return written.translate(_FOLDED)


LATIN, DIGIT = 1, 2
LATIN_LETTERS = ((0x61, 0x7A), (0xDF, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF))
"""Small Latin letters as they are folded: a to z, and those that are no other letter with a sign on it (ß, ø, æ)."""


def kind_of(char: str | None) -> int:
    """`LATIN`, `DIGIT`, or 0 for every other character: those whose runs are words or numbers. None is any one, and has no kind."""
    if char is None or "\u2e80" <= char < "\uff00":
        return 0
    code = ord(fold_characters(char))
    if 0x30 <= code <= 0x39:
        return DIGIT
    return LATIN if any(low <= code <= high for low, high in LATIN_LETTERS) else 0


def read(text: str, notes: bool = False, open_note: int = 0) -> Reading:
    """Read a text into characters, without their places (fast: one pass where there are no glyphs, as on 98 of 100 leaves)."""
    try:
        stretches = _OTHERS.split(text)
        stretches[1::2] = map((_NOTED if notes else _PLAIN).__getitem__, stretches[1::2])
    except _Glyphs:
        return _read_pieces(text, notes, open_note)
    return _without_brackets("".join(stretches), bool(open_note and notes), bool(open_note))


def _without_brackets(marked: str, inside: bool, carried: bool) -> Reading:
    """The reading of characters whose only brackets are those of notes. `inside`, `carried`: it begins in a note, of the leaf before."""
    notes: list[tuple[int, int]] = []
    last = 0
    for dropped, bracket in enumerate(_BRACKET.finditer(marked)):
        at = bracket.start() - dropped
        if inside:
            _add_note(notes, last, at)
        inside, carried, last = bracket[0] == "(", False, at
    written = marked.replace("(", "").replace(")", "")
    if inside:
        _add_note(notes, last, len(written))
    return Reading(written, tuple(notes), int(inside and not carried))


def _add_note(notes: list[tuple[int, int]], start: int, end: int) -> None:
    """Notes that touch are one."""
    if start == end:
        return
    if notes and notes[-1][1] == start:
        start = notes.pop()[0]
    notes.append((start, end))


def _read_pieces(text: str, notes: bool, open_note: int) -> Reading:
    parts: list[str] = []
    stretches: list[tuple[int, int]] = []
    length = 0
    found, left_open = pieces(text, notes, open_note)
    for piece in found:
        part = piece.glyph or characters(text[piece.start : piece.end])
        if piece.note:
            _add_note(stretches, length, length + len(part))
        parts.append(part)
        length += len(part)
    return Reading("".join(parts), tuple(stretches), left_open)


def locate(text: str, notes: bool = False, open_note: int = 0) -> Located:
    """Read a text into characters with their places in it."""
    written: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    noted: list[bool] = []
    found, left_open = pieces(text, notes, open_note)
    for piece in found:
        if piece.glyph is not None:
            written.append(piece.glyph)
            places = [piece.start]
            ends.append(piece.end)
        else:
            stretch = text[piece.start : piece.end]
            written.append(characters(stretch))
            places = list(compress(range(piece.start, piece.end), map(_COUNTS.__getitem__, stretch)))
            ends.extend([place + 1 for place in places])
        starts.extend(places)
        noted.extend([piece.note] * len(places))
    return Located("".join(written), tuple(starts), tuple(ends), tuple(noted), left_open)


def written_form(text: str, collection: str = "") -> str:
    """The characters of a text as written, layout dropped; of a text of that collection where one is named."""
    return of_collection(read(text).written, collection)


def fold(text: str, collection: str = "") -> str:
    """The text folded: layout dropped, full-width narrowed, variants and traditional forms to simplified, letters to small ones."""
    return fold_characters(written_form(text, collection))


def of_collection(written: str, collection: str) -> str:
    """Characters that `read` gave, of a text of this collection: marks that its own table explains become characters of their own."""
    table = _HELD.get(collection)
    return written if table is None else written.translate(table)


def has_collections() -> bool:
    """True when some collection has a table of its own."""
    return bool(_HELD)


def collection_number(collection: str) -> int:
    """The number of the collection's own table, from 1; 0 when it has none."""
    return list(_HELD).index(collection) + 1 if collection in _HELD else 0


def collection_table(number: int) -> Mapping[int, int]:
    """The table of that number: code points of marks' characters to those they are read into."""
    return list(_HELD.values())[number - 1]


def meanings(char: str) -> tuple[str, ...]:
    """What a mark's character is read into in the collections that explain it, each once; empty for nearly everything."""
    return _MEANINGS.get(char, ()) if _MEANINGS else ()


def meant(char: str) -> str | None:
    """The character that a collection's table says a mark is, when `char` is what the mark was read into there."""
    return _MEANT.get(char)


def as_marked(written: str) -> str:
    """Characters with the marks of collections as everywhere else: what two collections mean by one mark is written alike."""
    return written.translate(_MARK_OF) if _MARK_OF else written


def spelled(written: str) -> str:
    """Characters as one can show and type them: `&KR0648;` for the one it is read into, 〓 for a description that is known by digest alone."""
    if not written or max(written) < FIRST_GLYPH:
        return written
    return "".join(map(_spelled, as_marked(written)))


def _spelled(char: str) -> str:
    if _KR_BASE <= ord(char) < _GLYPH_BASE:
        return f"&KR{ord(char) - _KR_BASE:04d};"
    return "〓" if char >= chr(_GLYPH_BASE) and unicodedata.category(char) == "Cn" else char


def fold_map(text: str) -> tuple[str, tuple[int, ...]]:
    """The folded text, and for each of its characters the offset (code points) in the text as written."""
    located = locate(text)
    return fold_characters(located.written), located.starts


def mark_character(mark: str) -> str | None:
    """The one character that the sign of an unencoded glyph is read into; None when `mark` is no such sign: private use, `&KR1234;`, an
    ideographic description or a composition. □ and 〓 are none: nobody knows what they stand for."""
    written = read(mark).written
    private = len(mark) == 1 and unicodedata.category(mark) == "Co"
    return written if len(written) == 1 and (private or ord(written) >= _KR_BASE) else None


def learn_glyphs(home: Mapping[str, str], collections: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Fold unencoded glyphs, by their marks, as the characters they are: the shipped `gaiji.tsv`, overlaid by a home's own, and in texts of
    a collection overlaid by its table.

    Holds for this process, so for one home at a time; whoever opens a home says what it knows. Raises ValueError for a mark that is none,
    and for more than 61,440 marks of collections.
    """
    global _version, _learned
    learned = Glyphs(dict(home), {slug: dict(table) for slug, table in sorted((collections or {}).items()) if table})
    version = _fold_version(learned)
    if version == _version:
        return
    known = {_code(mark): _fold_character(char) for mark, char in [*_pairs("gaiji.tsv"), *learned.home.items()]}
    pairs = sorted({(_code(mark), char) for table in learned.collections.values() for mark, char in table.items()})
    if len(pairs) > _HELD_ROOM:
        raise ValueError(f"gaiji: {len(pairs)} marks of collections, at most {_HELD_ROOM}")
    held = {pair: _HELD_BASE + number for number, pair in enumerate(pairs)}
    known |= {code: _fold_character(char) for (_mark, char), code in held.items()}
    by_mark: dict[str, tuple[str, ...]] = {}
    for (mark, _char), code in held.items():
        by_mark[chr(mark)] = (*by_mark.get(chr(mark), ()), chr(code))
    _put(_GAIJI, known)
    _put(_MARK_OF, {code: mark for (mark, _char), code in held.items()})
    _put(_MEANT, {chr(code): char for (_mark, char), code in held.items()})
    _put(_MEANINGS, by_mark)
    _put(_HELD, {slug: {_code(m): held[_code(m), c] for m, c in given.items()} for slug, given in learned.collections.items()})
    _FOLDED.clear()
    _version, _learned = version, learned


def _put(table: dict[K, V], found: Mapping[K, V]) -> None:
    """Let a table that others hold have these entries and no others."""
    table.clear()
    table.update(found)


def _code(mark: str) -> int:
    """The code point of the character that a mark is read into."""
    char = mark_character(mark)
    if char is None:
        raise ValueError(f"gaiji: {mark} is no mark of one glyph")
    return ord(char)


def learned_glyphs() -> Glyphs:
    """What `learn_glyphs` was last given: for a process that is to fold as this one does."""
    return _learned


learn_glyphs({})
