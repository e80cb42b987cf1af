"""Other strings that a reader may mean by one: words under their taboo substitutes (弘治 = 宏治), characters that machine reading confuses.

They are added to a query as data, `Phrase.others`; the index finds what stands for what, each place once. A string in quotes is what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from archive.search import confusable as confusables
from archive.search import taboo as taboos
from archive.search.chinese import fold_characters, has_collections, meanings
from archive.search.syntax import And, Clause, FieldClause, Near, Not, Or, Parsed, Phrase, SectionClause, describe

MOST_TABOO = 16
MOST_CONFUSABLE = 32
MOST_GLYPHS = 16
MOST_IN_ALL = 128
"""Strings that are added to one query, whatever it says."""


@dataclass(frozen=True, slots=True)
class Possible:
    """A string of a query and what can be looked for beside it; `kind` as in `Expansion`. Each of `others` as it would be typed alone."""

    word: str
    kind: str
    others: tuple[tuple[str, Clause], ...]


def expanded(parsed: Parsed, taboo: bool, confusable: bool) -> Parsed:
    """The query with what else its strings may be written as."""
    if not (taboo or confusable or has_collections()):
        return parsed
    room = MOST_IN_ALL

    def with_others(phrase: Phrase) -> Phrase:
        nonlocal room
        found = [*_by_glyph(phrase), *(_by_taboo(phrase) if taboo else ()), *(_by_confusion(phrase) if confusable else ())]
        others = tuple(dict.fromkeys([*phrase.others, *found[:room]]))
        room -= len(found[:room])
        return replace(phrase, others=others) if len(others) > len(phrase.others) else phrase

    def in_field(phrase: Phrase) -> Phrase:
        """Descriptions are typed by people: machines confuse nothing there."""
        others = [*phrase.others, *_by_glyph(phrase), *(_by_taboo(phrase) if taboo else ())]
        return replace(phrase, others=tuple(dict.fromkeys(others))) if others else phrase

    clause = _mapped(parsed.clause, with_others, in_field)
    return parsed if clause == parsed.clause else replace(parsed, clause=clause, understood=describe(clause, scope=parsed.scope))


def in_categories(parsed: Parsed, categories: Mapping[str, Sequence[str]]) -> Parsed:
    """The query with what books call the categories of 门目 that it names: 门目:学校 finds 书院 too. A string in quotes is what it is.

    `categories`: by folded category other folded names.
    """

    def by_category(phrase: Phrase) -> Phrase:
        found = _as_phrases(phrase, categories.get(phrase.text, ())) if _is_open(phrase) else ()
        return replace(phrase, others=tuple(dict.fromkeys([*phrase.others, *found]))) if found else phrase

    def changed(clause: Clause) -> Clause:
        match clause:
            case SectionClause():
                return replace(clause, phrase=by_category(clause.phrase))
            case Not():
                return Not(changed(clause.clause))
            case And():
                return And(tuple(map(changed, clause.clauses)))
            case Or():
                return Or(tuple(map(changed, clause.clauses)))
        return clause

    clause = changed(parsed.clause)
    return parsed if clause == parsed.clause else replace(parsed, clause=clause, understood=describe(clause, scope=parsed.scope))


def possible(parsed: Parsed, confusable: bool) -> Iterator[Possible]:
    """What is looked for beside the strings of a query, or could be: taboo substitutes always, confusions when they are asked for.

    `parsed` may be expanded already or not. `MOST_IN_ALL` strings in all, as each is counted by itself.
    """
    room = MOST_IN_ALL
    for phrase in parsed.phrases():
        for kind, found in (("taboo", _by_taboo(phrase)), ("confusable", _by_confusion(phrase) if confusable else ())):
            if others := found[:room]:
                room -= len(others)
                yield Possible(phrase.shown, kind, tuple((other.shown, other) for other in others))
    for field in dict.fromkeys(_fields(parsed.clause)):
        if others := _by_taboo(field.phrase)[:room]:
            room -= len(others)
            alone = tuple((f"{field.name}:{other.shown}", replace(field, phrase=other)) for other in others)
            yield Possible(f"{field.name}:{field.phrase.shown}", "taboo", alone)


def _fields(clause: Clause) -> Iterator[FieldClause]:
    """The clauses about descriptions, without those to be left out. A section alone has no hits that could be counted."""
    match clause:
        case FieldClause():
            yield clause
        case And() | Or():
            for part in clause.clauses:
                yield from _fields(part)


def _mapped(clause: Clause, change: Callable[[Phrase], Phrase], in_field: Callable[[Phrase], Phrase]) -> Clause:
    match clause:
        case Phrase():
            return change(clause)
        case Near():
            return replace(clause, phrases=tuple(map(change, clause.phrases)))
        case FieldClause() | SectionClause():
            return replace(clause, phrase=in_field(clause.phrase))
        case Not():
            return Not(_mapped(clause.clause, change, in_field))
        case And():
            return And(tuple(_mapped(part, change, in_field) for part in clause.clauses))
        case Or():
            return Or(tuple(_mapped(part, change, in_field) for part in clause.clauses))
    return clause


def _by_glyph(phrase: Phrase) -> tuple[Phrase, ...]:
    """A string typed with a mark that collections explain: the same with what they mean by it, in quotes too, for the mark is the form written."""
    if not has_collections() or not any(char and meanings(char) for part in phrase.written for char in part):
        return ()
    each = [[(char, *meanings(char)) if char else (None,) for char in part] for part in phrase.written]
    found = islice(product(*(product(*part) for part in each)), MOST_GLYPHS)
    others = (
        replace(phrase, parts=tuple(tuple(char and fold_characters(char) for char in part) for part in written), written=written, others=())
        for written in found
    )
    return tuple(other for other in others if other.written != phrase.written)


def _by_taboo(phrase: Phrase) -> tuple[Phrase, ...]:
    return _as_phrases(phrase, taboos.expand(phrase.text, MOST_TABOO)) if _is_open(phrase) else ()


def _by_confusion(phrase: Phrase) -> tuple[Phrase, ...]:
    return _as_phrases(phrase, confusables.expand(phrase.text, MOST_CONFUSABLE)) if _is_open(phrase) else ()


def _is_open(phrase: Phrase) -> bool:
    return phrase.literal and not phrase.exact


def _as_phrases(phrase: Phrase, strings: Sequence[str]) -> tuple[Phrase, ...]:
    """Folded strings as phrases; characters that stay are shown in the form typed."""
    folded, written = phrase.text, phrase.written[0]
    found = []
    for string in strings:
        shown: Sequence[str | None] = string
        if len(string) == len(folded):
            shown = [typed if char == before else char for char, before, typed in zip(string, folded, written, strict=True)]
        found.append(Phrase((tuple(string),), (tuple(shown),), scope=phrase.scope))
    return tuple(found)
