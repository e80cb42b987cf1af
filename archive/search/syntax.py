"""What a reader types to a tree of clauses; a fault points at its character (INTERFACE.md, "Query language").

    query    = either { "OR" either }          OR, ＯＲ, 或 as words of their own
    either   = clause { clause }               a space is AND within the scope
    clause   = ["-" | NOT | 非] atom | SCOPE    同叶, 同目, 同卷, 同书 as words of their own: for the whole query
    atom     = "(" query ")" | "“" exact "”" | 近:N(string string …) | FIELD:value | string

Signs work full-width and half-width, names in both scripts. Punctuation inside a string is layout and ignored. `*` and `?` inside a string
are wildcards; at its ends they are punctuation. Characters nobody sees (joiners, direction marks) do not count anywhere. Nothing here knows
an index or a calendar: the caller gives the names of fields and who reads dates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from archive.errors import QueryError
from archive.language import _
from archive.search.chinese import characters, fold, fold_characters, kind_of, meant, pieces, read, spelled, written_form

MAX_LENGTH = 2000
MAX_CLAUSES = 256
MAX_DEPTH = 20
MAX_DISTANCE = 100
MAX_GAPS = 4
MAX_NEAR = 8
_SHOWN_SPANS = 6
_SHOWN_OTHERS = 8
_MENDS = 8
"""How many faults of one query are left out one after another to tell what the rest means."""
_IN_TEXT = 12
"""Most years of a span that are looked for in the text as they may be written there."""

_OPEN = {'"': '"', "“": "”", "”": "”", "„": "”", "＂": "＂", "「": "」", "『": "』", "〝": "〞"}
_MINUS = "-－−"
_OR = frozenset({"OR", "或"})
_NOT = frozenset({"NOT", "非"})
_AND = frozenset({"AND"})
_RANGE = re.compile(r"(-?[0-9]{1,4})?\s*(?:\.{2,3}|…|-|—+|–|~|至)\s*(-?[0-9]{1,4})?")
_NARROW = {
    ord("？"): "?",
    ord("＊"): "*",
    ord("×"): "*",
    ord("："): ":",
    ord("（"): "(",
    ord("）"): ")",
    ord("～"): "~",
    ord("．"): ".",
    ord("－"): "-",
    ord("−"): "-",
}
_NARROW |= {code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B)}
_SIGNS = frozenset("()（）") | frozenset(_OPEN) | frozenset(_OPEN.values())
_TEXT_YEAR = frozenset({fold("文内年"), "textyear"})
_BUILT_IN: dict[str, tuple[str, ...]] = {
    "题名": ("title",),
    "title": ("title",),
    "年": ("date",),
    "year": ("date",),
    "责任者": (),
    "creator": (),
    "地名": (),
    "place": (),
    "刊刻年": ("date-cut",),
    "date cut": ("date-cut",),
    "下限": ("coverage-to",),
    "coverage to": ("coverage-to",),
    "门目": (),
    "section": (),
    "文内年": (),
    "text year": (),
}
"""Names that are always understood, to fields of the description. A name is typed without spaces: `DateCut:` or `date-cut:`."""
_BUILT_IN_FOLDED = {fold(name): keys for name, keys in _BUILT_IN.items()}
_STREAMS = {"注": "note", "note": "note", "正文": "main", "main": "main"}
_SECTION = frozenset({fold("门目"), "section"})
_YEAR = frozenset({"年", "year"})
_DATED = re.compile(r".*(?:年|日期|年代|下限)|.*(?:date|year).*|coverageto")
"""Folded names of fields whose value may be a date as written."""
SCOPES = ("leaf", "section", "juan", "work")
_WITHIN = {fold("同叶"): "leaf", fold("同目"): "section", fold("同卷"): "juan", fold("同书"): "work"}
_NEAR = re.compile(r"(?:近|near):\s*([0-9]{1,9})\s*\(", re.IGNORECASE)


class DateReader(Protocol):
    """Reads dates as written; each reading is a first and a last year, inclusive, astronomical."""

    def read(self, written: str) -> Sequence[tuple[int, int]]:
        """All that the whole of `written` can mean, in the order of time; empty when it is no date."""

    def find(self, written: str) -> Sequence[tuple[int, int]]:
        """The dates inside a longer statement."""

    def forms(self, first: int, last: int) -> Sequence[str]:
        """How a text may write the years: 乾隆四十七年, 乾隆壬寅."""


class WesternYears:
    """Reads nothing but Western years in digits."""

    def read(self, written: str) -> Sequence[tuple[int, int]]:
        """A year of one to four digits."""
        match = re.fullmatch(r"(-?[0-9]{1,4})年?", written)
        return ((int(match[1]), int(match[1])),) if match else ()

    def find(self, written: str) -> Sequence[tuple[int, int]]:
        """Years of three or four digits."""
        return [(int(year), int(year)) for year in re.findall(r"[0-9]{3,4}", fold(written))]

    def forms(self, first: int, last: int) -> Sequence[str]:
        """The years in digits."""
        return [f"{year}年" for year in range(first, last + 1)]


WESTERN = WesternYears()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A string to be found. `parts` are its stretches between `*`; in each, a character or None for `?`. `exact`: in the form written.

    `written` are the same characters as typed, layout dropped; `scope` `note` or `main`, empty for both streams.
    """

    parts: tuple[tuple[str | None, ...], ...]
    written: tuple[tuple[str | None, ...], ...]
    exact: bool = False
    scope: str = ""
    others: tuple[Phrase, ...] = ()
    """Strings that stand for this one (宏治 for 弘治): what is found of any is found of it, each place once."""
    begun: bool = False
    goes_on: bool = False
    """`*` was written before or after a letter or digit: the word or number may have begun before, or go on (`words.py`)."""

    @property
    def text(self) -> str:
        """The folded string with its wildcards."""
        return "*".join("".join(char or "?" for char in part) for part in self.parts)

    @property
    def shown(self) -> str:
        """The string as typed, layout dropped, with its wildcards."""
        said = "*".join("".join("?" if char is None else _shown(char) for char in part) for part in self.written)
        return f"{'*' * self.begun}{said}{'*' * self.goes_on}"

    @property
    def literal(self) -> bool:
        """Without wildcards."""
        return len(self.parts) == 1 and None not in self.parts[0]


def _shown(char: str) -> str:
    """A character as it can be shown: what a collection means by a mark, the mark of a glyph without a meaning, 〓 for a description."""
    return meant(char) or spelled(char)


@dataclass(frozen=True, slots=True)
class Near:
    """All strings within `distance` characters of the first."""

    phrases: tuple[Phrase, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class FieldClause:
    """A value looked for in some fields of the description; keys `title` and `date` are the item's own."""

    keys: tuple[str, ...]
    name: str
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class SectionClause:
    """A 门目 of the leaf."""

    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Years:
    """Any of some spans of years, both ends inclusive, None open. `keys` empty: the item's date; else the years written in those fields.

    `written` is a date as typed (壬寅), empty when years were typed.
    """

    keys: tuple[str, ...]
    name: str
    spans: tuple[tuple[int | None, int | None], ...]
    written: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """Without what `clause` finds."""

    clause: Clause


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    clauses: tuple[Clause, ...]


Clause = Phrase | Near | FieldClause | SectionClause | Years | Not | And | Or


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query and how it was read, in words. `scope` as in `Query`, empty when the query names none; `dates` who read its dates."""

    clause: Clause
    understood: str
    scope: str = ""
    dates: DateReader = field(default=WESTERN, compare=False)

    def phrases(self) -> tuple[Phrase, ...]:
        """The strings looked for in text, without those to be left out, each once."""
        return tuple(dict.fromkeys(_wanted(self.clause)))

    def strings(self) -> tuple[Phrase, ...]:
        """The same with the strings that stand for others as strings of their own, for marking."""
        return tuple(dict.fromkeys(string for phrase in self.phrases() for string in (phrase, *phrase.others)))


def _wanted(clause: Clause) -> Iterator[Phrase]:
    match clause:
        case Phrase():
            yield clause
        case Near():
            yield from clause.phrases
        case And() | Or():
            for part in clause.clauses:
                yield from _wanted(part)


def parse(text: str, names: Mapping[str, Sequence[str]] | None = None, dates: DateReader = WESTERN) -> Parsed:
    """Read a query. `names`: folded field name to field keys, beside the built-in ones. Raises QueryError, and nothing else.

    The error tells as `understood` how the query is read without what is wrong with it.
    """
    try:
        return _parse(text, names or {}, dates)
    except QueryError as fault:
        fault.understood = _understood_without(fault, names or {}, dates)
        raise


def _parse(text: str, names: Mapping[str, Sequence[str]], dates: DateReader) -> Parsed:
    if len(text) > MAX_LENGTH:
        raise QueryError(_("检索式太长，最多 %(count)d 个字", count=MAX_LENGTH), text, MAX_LENGTH)
    parser = _Parser(text, names, dates)
    clause = parser.query(0)
    parser.finish()
    if not _positive(clause):
        raise QueryError(_("只写了要排除的，请写上要找的字"), text, 0)
    return Parsed(clause, describe(clause, scope=parser.scope), parser.scope, dates)


def _understood_without(fault: QueryError, names: Mapping[str, Sequence[str]], dates: DateReader) -> str:
    """How the query is read when what the faults point at is left out; empty when nothing is left."""
    text = fault.query[:MAX_LENGTH]
    for _attempt in range(_MENDS):
        try:
            return _parse(text, names, dates).understood
        except QueryError as found:
            text = _left_out(text, found.position)
    return ""


def _left_out(text: str, at: int) -> str:
    """The query without the sign at `at`, or without the word there."""
    begin, end = at, at + 1
    if text[at : at + 1] not in _SIGNS:
        while begin > 0 and not text[begin - 1].isspace():
            begin -= 1
        while end < len(text) and not text[end].isspace():
            end += 1
    return text[:begin] + " " * (end - begin) + text[end:]


def _positive(clause: Clause) -> bool:
    match clause:
        case Not():
            return False
        case And():
            return any(_positive(part) for part in clause.clauses)
        case Or():
            return all(_positive(part) for part in clause.clauses)
    return True


class _Parser:
    """Recursive descent over the text as typed; `at` is the next character."""

    def __init__(self, text: str, names: Mapping[str, Sequence[str]], dates: DateReader) -> None:
        self.typed = text
        self.places = [place for place, char in enumerate(text) if unicodedata.category(char) != "Cf"]
        self.text = "".join(text[place] for place in self.places)
        self.plain = self.text.translate(_NARROW)  # one to one, so that places agree
        self.at = 0
        self.clauses = 0
        self.scope = ""
        self.names, self.dates = names, dates

    def fault(self, message: str, at: int) -> QueryError:
        at = max(0, min(at, len(self.text) - 1))
        return QueryError(message, self.typed, self.places[at] if self.places else 0)

    def blank(self) -> None:
        while self.at < len(self.text) and not self._visible(self.text[self.at]):
            self.at += 1

    @staticmethod
    def _visible(char: str) -> bool:
        return not (char.isspace() or unicodedata.category(char) == "Cc")

    def word_at(self, at: int) -> str:
        """The word (up to a space or bracket) that begins at `at`, narrowed."""
        end = at
        while end < len(self.plain) and self._visible(self.plain[end]) and self.plain[end] not in "()":
            end += 1
        return self.plain[at:end]

    def query(self, depth: int) -> Clause:
        found = [self.either(depth)]
        while self.word_at(self.at) in _OR:
            operator, word = self.at, self.word_at(self.at)
            self.at += len(word)
            self.blank()
            if self.ended():
                raise self.fault(_("“%(word)s”后面缺少要找的字", word=word), operator)
            found.append(self.either(depth))
        return found[0] if len(found) == 1 else Or(tuple(found))

    def ended(self) -> bool:
        return self.at >= len(self.text) or self.plain[self.at] == ")"

    def either(self, depth: int) -> Clause:
        found: list[Clause] = []
        start = self.at
        self.blank()
        while not self.ended():
            word = self.word_at(self.at)
            if word in _OR and found:
                break
            if len(word) == 2 and (scope := _WITHIN.get(fold(word))) is not None and not self.alone(word):
                self.within(scope, word)
            elif word in _AND and found and len(self.text) > self.at + 3:
                self.at += 3
            else:
                clause = self.clause(depth)
                if clause is not None:
                    found.append(clause)
            self.blank()
        if not found:
            raise self.fault(_("没有可检索的字"), start)
        return found[0] if len(found) == 1 else And(tuple(found))

    def alone(self, word: str) -> bool:
        """True when the query is this word and nothing else: then it is a string like any other."""
        return self.plain.strip() == word

    def within(self, scope: str, word: str) -> None:
        if self.scope and self.scope != scope:
            raise self.fault(_("写了两个不同的范围"), self.at)
        self.scope = scope
        self.at += len(word)

    def clause(self, depth: int) -> Clause | None:
        start, word = self.at, self.word_at(self.at)
        self.clauses += 1
        if self.clauses > MAX_CLAUSES:
            raise self.fault(_("条件太多，最多 %(count)d 个", count=MAX_CLAUSES), start)
        if word in _OR and not self.alone(word):
            raise self.fault(_("“%(word)s”前面缺少要找的字", word=word), start)
        if word in _NOT and self.text[start + len(word) :].strip():
            self.at += len(word)
            self.blank()
            return self.negated(start, word, depth)
        if (self.text[start] in _MINUS and len(word) > 1) or (self.text[start] in _MINUS and self.plain[start + 1 : start + 2] == "("):
            self.at += 1
            return self.negated(start, self.text[start], depth)
        return self.atom(depth)

    def negated(self, start: int, sign: str, depth: int) -> Clause | None:
        if self.ended():
            raise self.fault(_("“%(word)s”后面缺少要排除的字", word=sign), start)
        if self.text[self.at] in _MINUS:
            raise self.fault(_("排除号重复了"), self.at)
        clause = self.atom(depth)
        return None if clause is None else Not(clause)

    def atom(self, depth: int) -> Clause | None:
        if self.plain[self.at] == "(":
            return self.group(depth)
        if self.text[self.at] in _OPEN:
            return self.quoted("")
        near = _NEAR.match(self.plain, self.at)
        if near is not None:
            return self.near(near)
        if (years := self.bare_years()) is not None:
            return years
        field = self.field_name()
        return self.string("") if field is None else self.field(*field)

    def group(self, depth: int) -> Clause:
        opened = self.at
        if depth >= MAX_DEPTH:
            raise self.fault(_("括号层数太多"), opened)
        self.at += 1
        clause = self.query(depth + 1)
        self.close(opened)
        return clause

    def close(self, opened: int) -> None:
        self.blank()
        if self.at >= len(self.text) or self.plain[self.at] != ")":
            raise self.fault(_("括号没有合上"), opened)
        self.at += 1

    def quoted(self, scope: str) -> Phrase:
        opened = self.at
        closing = _OPEN[self.text[opened]]
        end = self.text.find(closing, opened + 1)
        if end < 0:
            end = next((at for at in range(opened + 1, len(self.text)) if self.text[at] in '"”＂」』〞'), -1)
        if end < 0:
            raise self.fault(_("引号没有合上"), opened)
        self.at = end + 1
        written = read(self.text[opened + 1 : end]).written.replace("\0", "")
        if not written:
            raise self.fault(_("引号里没有可检索的字"), opened)
        return Phrase((tuple(fold_characters(written)),), (tuple(written),), True, scope)

    def near(self, match: re.Match[str]) -> Near:
        distance, opened = int(match[1]), match.end() - 1
        if not 1 <= distance <= MAX_DISTANCE:
            raise self.fault(_("“近”的字数须在 1 到 %(most)d 之间", most=MAX_DISTANCE), match.start(1))
        self.at = match.end()
        phrases: list[Phrase] = []
        self.blank()
        while not self.ended():
            phrase = self.near_string()
            if phrase is not None:
                phrases.append(phrase)
            if len(phrases) > MAX_NEAR:
                raise self.fault(_("“近”里最多写 8 个词"), self.at)
            self.blank()
        self.close(opened)
        if len(phrases) < 2:
            raise self.fault(_("“近”里要写两个以上的词，用空格隔开"), opened)
        return Near(tuple(phrases), distance)

    def near_string(self) -> Phrase | None:
        """One of the strings in 近; anything that has another meaning elsewhere is a fault rather than text."""
        if self.text[self.at] in _OPEN:
            return self.quoted("")
        word = self.word_at(self.at)
        signed = self.text[self.at] in _MINUS and len(word) > 1
        if signed or self.plain[self.at] == "(" or word in _OR | _NOT | _AND or _NEAR.match(self.plain, self.at) or self.field_name():
            raise self.fault(_("“近”里只能写词；“或”“非”、字段和括号要写在外面"), self.at)
        return self.string("")

    def field_name(self) -> tuple[str, str] | None:
        """The name before a colon when it is one we know: (as typed, folded)."""
        word = self.word_at(self.at)
        colon = word.find(":")
        if colon < 1 or colon > 20:
            return None
        folded = fold(word[:colon])
        known = folded in self.names or folded in _BUILT_IN_FOLDED or folded in _STREAMS
        return (self.text[self.at : self.at + colon], folded) if known else None

    def field(self, typed: str, name: str) -> Clause | None:
        start = self.at
        self.at += len(typed) + 1
        self.blank()
        if self.ended():
            raise self.fault(_("“%(name)s：”后面缺少内容", name=typed), start)
        typed, quoted = written_form(typed), self.text[self.at] in _OPEN
        if name in _STREAMS:
            phrase = self.quoted(_STREAMS[name]) if quoted else self.string(_STREAMS[name])
            return self.something(phrase, typed, start)
        if name in _TEXT_YEAR:
            return self.something(self.quoted("") if quoted else self.year_in_text(), typed, start)
        keys = tuple(dict.fromkeys([*_BUILT_IN_FOLDED.get(name, ()), *self.names.get(name, ())]))
        if not quoted and (years := self.years(typed, name, keys)) is not None:
            return years
        phrase = self.something(self.quoted("") if quoted else self.string(""), typed, start)
        return SectionClause(phrase) if name in _SECTION and not keys else FieldClause(keys, typed, phrase)

    def something(self, phrase: Phrase | None, name: str, start: int) -> Phrase:
        if phrase is None:
            raise self.fault(_("“%(name)s：”后面缺少内容", name=name), start)
        return phrase

    def bare_years(self) -> Years | None:
        """A range of years without a name: 1583..1644, 1583-1644, 乾隆..嘉庆."""
        word = self.word_at(self.at)
        western = re.fullmatch(r"([0-9]{3,4})(?:\.\.|~)([0-9]{3,4})|([0-9]{4})(?:-|–|—+)([0-9]{4})", word)
        if western is not None and (western[3] is None or western[3] <= western[4]):
            return self.years("年", "年", ("date",))
        if re.fullmatch(r"[^.~]+(?:\.\.|~)[^.~]+", word) and (spans := self.dates.read(word)):
            self.at += len(word)
            return Years((), "年", tuple(spans), self.shown(word))
        return None

    def years(self, typed: str, name: str, keys: tuple[str, ...]) -> Years | None:
        """The value of a field as years: a range, or a date as written where the field is one of dates. None when it is neither."""
        word, start = self.word_at(self.at), self.at
        keys = () if name in _YEAR else keys
        match = _RANGE.fullmatch(word)
        if match is not None and (match[1] is not None or match[2] is not None):
            first, last = (int(part) if part else None for part in match.groups())
            if first is not None and last is not None and first > last:
                raise self.fault(_("年代范围前大后小"), start)
            self.at += len(word)
            return Years(keys, typed, ((first, last),))
        if not _DATED.fullmatch(name):
            return None
        year = re.fullmatch(r"(-?[0-9]{1,4})年?", word)
        spans = ((int(year[1]), int(year[1])),) if year else tuple(self.dates.read(word))
        if not spans:
            return None
        self.at += len(word)
        return Years(keys, typed, spans, "" if year else self.shown(word))

    def shown(self, word: str) -> str:
        """The word just read, as typed, without what cannot be shown."""
        return "".join(char for char in self.text[self.at - len(word) : self.at] if char.isprintable())

    def year_in_text(self) -> Phrase | None:
        """Years as a text may write them, beside what was typed."""
        word, start = self.word_at(self.at), self.at
        years = self.years("年", "年", ())
        self.at = start
        phrase = self.string("")
        if years is None or phrase is None:
            return phrase
        first, last = years.spans[0]
        if first is None or last is None or sum((end or 0) - (begin or 0) + 1 for begin, end in years.spans) > _IN_TEXT:
            if years.written:
                return phrase
            raise self.fault(_("“文内年”一次最多找 %(most)d 年", most=_IN_TEXT), start)
        forms = [form for begin, end in years.spans for form in self.dates.forms(begin or 0, end or 0)]
        strings = [string for form in forms if (string := literal(form)) is not None]
        strings = list(dict.fromkeys([literal(word) or phrase, *strings] if years.written or not strings else strings))
        return Phrase(strings[0].parts, strings[0].written, others=tuple(strings[1:]))

    def string(self, scope: str) -> Phrase | None:
        """The string up to a space, or a closing bracket when one is open; None when nothing of it counts."""
        start, depth = self.at, 0
        while self.at < len(self.text) and self._visible(self.text[self.at]):
            if self.plain[self.at] == "(":
                depth += 1
            elif self.plain[self.at] == ")":
                if depth == 0:
                    break
                depth -= 1
            self.at += 1
        parts, written = _wildcards(self.text[start : self.at])
        if len(parts) > MAX_GAPS + 1:
            raise self.fault(_("一个词里最多写 %(most)d 个 *", most=MAX_GAPS), start)
        if not parts:
            return None
        begun, goes_on = _open_ends(self.text[start : self.at])
        return Phrase(parts, written, False, scope, begun=begun, goes_on=goes_on)

    def finish(self) -> None:
        if self.at < len(self.text):
            raise self.fault(_("多了一个右括号"), self.at)


def literal(text: str) -> Phrase | None:
    """A string without wildcards; None when nothing of it counts."""
    written = read(text).written.replace("\0", "")
    return Phrase((tuple(fold_characters(written)),), (tuple(written),)) if written else None


def _wildcards(typed: str) -> tuple[tuple[tuple[str | None, ...], ...], tuple[tuple[str | None, ...], ...]]:
    """A string's characters, folded and as written: a tuple for each stretch between `*`, None for `?`; nothing at its ends is a wildcard."""
    parts: list[list[str | None]] = [[]]
    for piece in pieces(typed)[0]:
        if piece.glyph is not None:
            parts[-1].append(piece.glyph)
            continue
        for sign in re.split(r"([*＊?？])", typed[piece.start : piece.end]):
            if sign in ("*", "＊"):
                parts.append([])
            elif sign in ("?", "？"):
                parts[-1].append(None)
            else:
                parts[-1].extend(characters(sign).replace("\0", ""))
    written = [tuple(part) for part in parts if any(char is not None for char in part)]
    if not written:
        return (), ()
    written[0] = _strip_front(written[0])
    written[-1] = _strip_front(written[-1][::-1])[::-1]
    folded = tuple(tuple(None if char is None else fold_characters(char) for char in part) for part in written)
    return folded, tuple(written)


def _open_ends(typed: str) -> tuple[bool, bool]:
    """Whether `*` stands right before a string that begins with a letter or digit, and right after one that ends so. Chinese has no words."""
    begun = re.match(r"[*＊?？]*[*＊][*＊?？]*([^*＊?？])", typed)
    goes_on = re.search(r"([^*＊?？])[*＊?？]*[*＊][*＊?？]*$", typed)
    return begun is not None and kind_of(begun[1]) > 0, goes_on is not None and kind_of(goes_on[1]) > 0


def _strip_front(part: tuple[str | None, ...]) -> tuple[str | None, ...]:
    at = next(index for index, char in enumerate(part) if char is not None)
    return part[at:]


def describe(clause: Clause, inner: bool = False, scope: str = "") -> str:
    """How a clause was read, in words, in the language in force."""
    if scope:
        return _("%(scope)s：%(clause)s", scope=_scope_words()[scope], clause=describe(clause))
    match clause:
        case Phrase():
            return _describe_phrase(clause)
        case Near():
            return _("%(words)s 相距 %(count)d 字以内", words=" ".join(map(_describe_phrase, clause.phrases)), count=clause.distance)
        case FieldClause():
            return _("%(name)s里有%(phrase)s", name=clause.name, phrase=_describe_phrase(clause.phrase))
        case SectionClause():
            return _("门目里有%(phrase)s", phrase=_describe_phrase(clause.phrase))
        case Years():
            return _describe_years(clause)
        case Not():
            return _("不含%(clause)s", clause=describe(clause.clause, True))
        case And():
            text = _("，并且 ").join(describe(part, True) for part in clause.clauses)
        case Or():
            text = _("，或者 ").join(describe(part, True) for part in clause.clauses)
    return f"（{text}）" if inner else text


def _scope_words() -> dict[str, str]:
    return {"leaf": _("在同一叶里"), "section": _("在同一目里"), "juan": _("在同一卷里"), "work": _("在同一部书里")}


def _describe_phrase(phrase: Phrase) -> str:
    said = _("照原字形“%(text)s”", text=phrase.shown) if phrase.exact else _("“%(text)s”", text=phrase.shown)
    shown = [other.shown for other in phrase.others if not other.exact]  # in quotes a mark is looked for as it stands, whatever it means
    if shown:
        others = _("、").join(_("“%(text)s”", text=text) for text in shown[:_SHOWN_OTHERS])
        others += "…" if len(shown) > _SHOWN_OTHERS else ""
        said = _("%(phrase)s（也找 %(others)s）", phrase=said, others=others)
    if phrase.scope == "note":
        return _("小注中的%(phrase)s", phrase=said)
    if phrase.scope == "main":
        return _("正文中的%(phrase)s", phrase=said)
    return said


def _describe_years(years: Years) -> str:
    if not years.written:
        return _("、").join(_describe_span(years.name, first, last) for first, last in years.spans)
    spans = _("、").join(_span_in_digits(first, last) for first, last in years.spans[-_SHOWN_SPANS:])
    if len(years.spans) > _SHOWN_SPANS:
        spans = f"… {spans}"
    return _("%(name)s为 %(written)s（%(years)s）", name=years.name, written=years.written, years=spans)


def _span_in_digits(first: int | None, last: int | None) -> str:
    if first == last and first is not None:
        return _year(first)
    return f"{'' if first is None else _year(first)}–{'' if last is None else _year(last)}"


def _year(year: int) -> str:
    """An astronomical year as it is called; 0 is 1 BC."""
    return str(year) if year > 0 else _("公元前 %(year)d", year=1 - year)


def _describe_span(name: str, first: int | None, last: int | None) -> str:
    if first is None:
        return _("%(name)s不晚于 %(last)s", name=name, last=last)
    if last is None:
        return _("%(name)s不早于 %(first)s", name=name, first=first)
    if first == last:
        return _("%(name)s为 %(first)s", name=name, first=first)
    return _("%(name)s从 %(first)s 到 %(last)s", name=name, first=first, last=last)
