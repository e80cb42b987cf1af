"""What a reader types to a tree of clauses; a fault points at its character (INTERFACE.md, "Query language").

    query    = either { "OR" either }          OR, ＯＲ, 或 as words of their own
    either   = clause { clause }               a space is AND within a leaf or its neighbour
    clause   = ["-" | NOT | 非] atom
    atom     = "(" query ")" | "“" exact "”" | 近:N(…) | FIELD:value | string

Signs work full-width and half-width, names in both scripts. Punctuation inside a string is layout and ignored. `*` and `?` inside a string
are wildcards; at its ends they are punctuation. Nothing here knows an index: the caller gives the names of fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archive.errors import QueryError
from archive.language import _
from archive.search.chinese import characters, fold, fold_characters, pieces, read

MAX_LENGTH = 2000
MAX_CLAUSES = 256
MAX_DEPTH = 20
MAX_DISTANCE = 100
MAX_GAPS = 4

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
_BUILT_IN = {"题名": ("title",), "title": ("title",), "年": ("date",), "year": ("date",), "门目": (), "section": ()}
_SCOPES = {"注": "note", "正文": "main"}
_SECTION = frozenset({fold("门目"), "section"})
_YEAR = frozenset({"年", "year"})
_NEAR = re.compile(r"[近near]{1,4}:\s*([0-9]{1,4})\s*\(")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A string to be found. `parts` are its stretches between `*`; in each, a character or None for `?`. `exact`: in the form written.

    `written` are the same characters as typed, layout dropped; `scope` `note` or `main`, empty for both streams.
    """

    parts: tuple[tuple[str | None, ...], ...]
    written: tuple[tuple[str | None, ...], ...]
    exact: bool = False
    scope: str = ""

    @property
    def text(self) -> str:
        """The folded string with its wildcards."""
        return "*".join("".join(char or "?" for char in part) for part in self.parts)

    @property
    def literal(self) -> bool:
        """Without wildcards."""
        return len(self.parts) == 1 and None not in self.parts[0]


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
    """Years `first` to `last`, both inclusive, None open. `keys` empty: the item's date; else the years written in those fields."""

    keys: tuple[str, ...]
    name: str
    first: int | None
    last: int | None


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
    """A query and how it was read, in words."""

    clause: Clause
    understood: str

    def phrases(self) -> tuple[Phrase, ...]:
        """The strings looked for in text, without those to be left out, each once."""
        return tuple(dict.fromkeys(_wanted(self.clause)))


def _wanted(clause: Clause) -> Iterator[Phrase]:
    match clause:
        case Phrase():
            yield clause
        case Near():
            yield from clause.phrases
        case And() | Or():
            for part in clause.clauses:
                yield from _wanted(part)


def parse(text: str, names: Mapping[str, Sequence[str]] | None = None) -> Parsed:
    """Read a query. `names`: folded field name to field keys, beside the built-in ones. Raises QueryError, and nothing else."""
    if len(text) > MAX_LENGTH:
        raise QueryError(_("检索式太长，最多 %(count)d 个字", count=MAX_LENGTH), text, MAX_LENGTH)
    parser = _Parser(text, {fold(name): keys for name, keys in _BUILT_IN.items()}, names or {})
    clause = parser.query(0)
    parser.finish()
    if not _positive(clause):
        raise QueryError(_("只写了要排除的，请写上要找的字"), text, 0)
    return Parsed(clause, describe(clause))


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

    def __init__(self, text: str, built_in: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]]) -> None:
        self.text = text
        self.plain = text.translate(_NARROW)  # one to one, so that places agree
        self.at = 0
        self.clauses = 0
        self.built_in, self.names = built_in, names

    def fault(self, message: str, at: int) -> QueryError:
        return QueryError(message, self.text, max(0, min(at, len(self.text) - 1)))

    def blank(self) -> None:
        while self.at < len(self.text) and not self._visible(self.text[self.at]):
            self.at += 1

    @staticmethod
    def _visible(char: str) -> bool:
        return not (
            char.isspace() or char < " " or char in "\u200b\u200e\u200f\ufeff\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e"
        )

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
            if word in _AND and found and len(self.text) > self.at + 3:
                self.at += 3
            else:
                clause = self.clause(depth)
                if clause is not None:
                    found.append(clause)
            self.blank()
        if not found:
            raise self.fault(_("没有可检索的字"), start)
        return found[0] if len(found) == 1 else And(tuple(found))

    def clause(self, depth: int) -> Clause | None:
        start, word = self.at, self.word_at(self.at)
        self.clauses += 1
        if self.clauses > MAX_CLAUSES:
            raise self.fault(_("条件太多，最多 %(count)d 个", count=MAX_CLAUSES), start)
        if word in _OR and (self.text.strip() != self.text[start : start + len(word)]):
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
        if near is not None and near[0][0] in "近n" and near[0].split(":")[0] in ("近", "near"):
            return self.near(near)
        if re.fullmatch(r"[0-9]{3,4}(?:\.\.|~)[0-9]{3,4}", self.word_at(self.at)) and (years := self.years("")) is not None:
            return Years((), "年", *years)
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
            phrase = self.quoted("") if self.text[self.at] in _OPEN else self.string("")
            if phrase is not None:
                phrases.append(phrase)
            if len(phrases) > 8:
                raise self.fault(_("“近”里最多写 8 个词"), self.at)
            self.blank()
        self.close(opened)
        if len(phrases) < 2:
            raise self.fault(_("“近”里要写两个以上的词，用空格隔开"), opened)
        return Near(tuple(phrases), distance)

    def field_name(self) -> tuple[str, str] | None:
        """The name before a colon when it is one we know: (as typed, folded)."""
        word = self.word_at(self.at)
        colon = word.find(":")
        if colon < 1 or colon > 20:
            return None
        folded = fold(word[:colon])
        known = folded in self.names or folded in self.built_in or folded in _SCOPES
        return (self.text[self.at : self.at + colon], folded) if known else None

    def field(self, typed: str, name: str) -> Clause | None:
        start = self.at
        self.at += len(typed) + 1
        self.blank()
        if self.ended():
            raise self.fault(_("“%(name)s：”后面缺少内容", name=typed), start)
        quoted = self.text[self.at] in _OPEN
        if name in _SCOPES:
            return self.quoted(_SCOPES[name]) if quoted else self.string(_SCOPES[name])
        keys = tuple(dict.fromkeys([*self.built_in.get(name, ()), *self.names.get(name, ())]))
        if not quoted and (years := self.years(name)) is not None:
            return Years(() if name in _YEAR else keys, typed, *years)
        phrase = self.quoted("") if quoted else self.string("")
        if phrase is None:
            raise self.fault(_("“%(name)s：”后面缺少内容", name=typed), start)
        return SectionClause(phrase) if name in _SECTION and not keys else FieldClause(keys, typed, phrase)

    def years(self, name: str) -> tuple[int | None, int | None] | None:
        word, start = self.word_at(self.at), self.at
        if name in _YEAR and re.fullmatch(r"-?[0-9]{1,4}年?", word):
            self.at += len(word)
            year = int(word.rstrip("年"))
            return year, year
        match = _RANGE.fullmatch(word)
        if match is None or (match[1] is None and match[2] is None):
            return None
        first, last = (int(part) if part else None for part in match.groups())
        if first is not None and last is not None and first > last:
            raise self.fault(_("年代范围前大后小"), start)
        self.at += len(word)
        return first, last

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
        return Phrase(parts, written, False, scope) if parts else None

    def finish(self) -> None:
        if self.at < len(self.text):
            raise self.fault(_("多了一个右括号"), self.at)


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


def _strip_front(part: tuple[str | None, ...]) -> tuple[str | None, ...]:
    at = next(index for index, char in enumerate(part) if char is not None)
    return part[at:]


def describe(clause: Clause, inner: bool = False) -> str:
    """How a clause was read, in words, in the language in force."""
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


def _describe_phrase(phrase: Phrase) -> str:
    text = "*".join("".join(char or "?" for char in part) for part in phrase.written)
    if phrase.exact:
        return _("照原字形“%(text)s”", text=text)
    if phrase.scope == "note":
        return _("小注中的“%(text)s”", text=text)
    if phrase.scope == "main":
        return _("正文中的“%(text)s”", text=text)
    return _("“%(text)s”", text=text)


def _describe_years(years: Years) -> str:
    if years.first is None:
        return _("%(name)s不晚于 %(last)s", name=years.name, last=years.last)
    if years.last is None:
        return _("%(name)s不早于 %(first)s", name=years.name, first=years.first)
    if years.first == years.last:
        return _("%(name)s为 %(first)s", name=years.name, first=years.first)
    return _("%(name)s从 %(first)s 到 %(last)s", name=years.name, first=years.first, last=years.last)
