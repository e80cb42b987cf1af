"""How names are read aloud and how many strokes they have: for suggestions and for sorting. Titles, persons and places only, never text.

Tables: `pinyin.tsv`, `strokes.tsv` (derived from Unihan) and `readings.tsv` (ours: words whose reading the characters do not tell, 重庆, 单于).
They are read at the first use and kept as they lie, some 0.7 MB; each character is looked up once. None is part of an index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice, product
from pathlib import Path

from archive.search.chinese import WALL_CHARACTER, fold, fold_characters, written_form

MOST_READINGS = 64
_FOLDER = Path(__file__).parent
_KNOWN = 20_000
_LAST = "~"
"""Before a character without a reading or strokes: it comes after all that have."""
_SYLLABLE = re.compile(r"[a-z]+(?: [a-z]+)*(?:/[a-z]+(?: [a-z]+)*)*")
_NUMBER = re.compile(r"([0-9]+)")

Spoken = tuple[tuple[str, ...], ...]
"""Of a stretch of a name: its readings, each syllable by syllable."""


class _Table(dict[str, tuple[str, ...]]):
    """Character to its values in a table of `value<TAB>characters`, first value first; characters are looked up as they are met."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._lines: list[tuple[str, str]] = []

    def __missing__(self, char: str) -> tuple[str, ...]:
        if not self._lines:
            rows = (line.split("\t") for line in (_FOLDER / self._name).read_text("utf-8").splitlines() if not line.startswith("#"))
            self._lines = [(value, chars) for value, chars in rows]
        values = tuple(value.lstrip("+") for value, chars in self._lines if char in chars)
        if len(self) < _KNOWN:
            self[char] = values
        return values


_PINYIN, _STROKES = _Table("pinyin.tsv"), _Table("strokes.tsv")


@cache
def _words() -> dict[str, Spoken]:
    """Folded word to its readings. Raises ValueError for a line that is not word, syllables and reason, naming it."""
    words: dict[str, Spoken] = {}
    for number, line in enumerate((_FOLDER / "readings.tsv").read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            word, spoken, reason = line.split("\t")
            readings = tuple(tuple(reading.split()) for reading in spoken.split("/"))
            if (
                not _SYLLABLE.fullmatch(spoken)
                or {len(reading) for reading in readings} != {len(word)}
                or not reason
                or fold(word) in words
            ):
                raise ValueError(f"readings.tsv:{number}: {line!r}: expected a new word, a syllable for each of its characters, a reason")
            words[fold(word)] = readings
    return words


@cache
def _longest() -> dict[str, int]:
    """First character of a word of the table to the length of the longest that begins so."""
    longest: dict[str, int] = {}
    for word in _words():
        longest[word[0]] = max(longest.get(word[0], 0), len(word))
    return longest


def _characters(name: str) -> str:
    return written_form(name).replace(WALL_CHARACTER, "")


def _stretches(written: str) -> Iterator[Spoken]:
    """The characters of a name in words of the table, single characters between them. What no table has stands for itself."""
    folded, at = fold_characters(written), 0
    while at < len(written):
        for length in range(_longest().get(folded[at], 0), 1, -1):
            if (word := _words().get(folded[at : at + length])) is not None:
                yield word
                at += length
                break
        else:
            heard = dict.fromkeys((*_PINYIN[written[at]], *_PINYIN[folded[at]])) or (folded[at],)
            yield tuple((reading,) for reading in heard)
            at += 1


def readings(name: str) -> frozenset[tuple[str, str]]:
    """Every reading of a name, at most 64: full pinyin and initials, small ASCII letters without tones, ü as v. 重庆: chongqing, cq.

    Latin letters and digits stand for themselves, and so does a character that nobody can read.
    """
    ways = islice(product(*_stretches(_characters(name))), MOST_READINGS)
    spoken = [[syllable for stretch in way for syllable in stretch] for way in ways]
    return frozenset(("".join(way), "".join(syllable[0] for syllable in way)) for way in spoken if way)


def normalise(typed: str) -> str:
    """What a reader typed as pinyin in the form of `readings`: Chóng qìng → chongqing. Empty when it has other than letters and digits."""
    letters = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", typed).lower()).replace("u\u0308", "v")
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter not in " '’·-")
    return kept if kept.isascii() and kept.isalnum() else ""


def _number(digits: str) -> str:
    """By value, before all else: 第2册 before 第10册."""
    value = digits.lstrip("0")
    return f" {len(value):02d}{value}"


def _sorted_by(title: str, key: Callable[[str], str]) -> str:
    """Runs of digits by value, what lies between them by `key`, then the title as written."""
    written = _characters(title)
    parts = (_number(part) if number else key(part) for number, part in _parts(written))
    return "".join(parts) + f"\t{written}"


def _parts(written: str) -> Iterator[tuple[bool, str]]:
    for at, part in enumerate(_NUMBER.split(written)):
        if part:
            yield at % 2 == 1, part


def pinyin_key(title: str) -> str:
    """To sort titles by sound: syllable by syllable in the first reading, then by character. What cannot be read comes last."""
    return _sorted_by(title, lambda part: "".join(map(_spoken, (one for stretch in _stretches(part) for one in stretch[0]))))


def stroke_key(title: str) -> str:
    """To sort titles by strokes: character by character as written, those of equal strokes by code point. What has none comes last,
    letters and digits first."""
    return _sorted_by(title, lambda part: "".join(map(_stroke, part)))


def _spoken(syllable: str) -> str:
    return f"{syllable} " if syllable.isascii() else f"{_LAST}{syllable}"


def _stroke(char: str) -> str:
    if char.isascii():
        return f" {char.lower()}"
    strokes = _STROKES[char] or _STROKES[fold_characters(char)]
    return f"{int(strokes[0]):02d}{char}" if strokes else f"{_LAST}{char}"
