"""The advanced form: what is filled in becomes a query in the language of the box, and a query becomes what is filled in.

Pure but for the names of fields. `written(read(query))` asks for the same as `query`; what the form has no place for stands in `rest`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from archive.chronology.written import WrittenDates
from archive.errors import QueryError
from archive.language import _
from archive.model.profile import Definitions
from archive.search.documents import query_names
from archive.search.syntax import And, Clause, FieldClause, Near, Not, Or, Phrase, SectionClause, Years, parse
from archive.web import narrowing, presenting
from archive.web.asking import LONGEST, SCOPES, Asked
from archive.web.hall import hall

DISTANCE = 10
DISTANCES = (2, 5, 10, 20, 50, 100)
_YEAR = re.compile(r"-?[0-9]{1,4}")
_SIGNS = re.compile(r"[\"“”「」『』＂()（）\x00-\x1f]+")
"""What a word of the form cannot hold: the form writes these itself."""
_WORDS_OF_SCOPE = {"leaf": "同叶", "section": "同目", "juan": "同卷", "work": "同书"}


@dataclass(frozen=True, slots=True)
class Form:
    """What is filled in. Several words in one place stand apart by spaces; years are Western, as typed."""

    all: str = ""
    exact: str = ""
    any: str = ""
    none: str = ""
    near: str = ""
    distance: str = str(DISTANCE)
    notes: str = ""
    main: str = ""
    field1: str = ""
    value1: str = ""
    field2: str = ""
    value2: str = ""
    first: str = ""
    last: str = ""
    scope: str = ""
    rest: str = ""
    collection: str = ""
    kind: str = ""
    taboo: str = "1"
    confusable: str = ""


def filled(args: Mapping[str, str]) -> Form:
    """A form as sent; nothing in it is longer than a query may be."""
    given = {field.name: args[field.name].strip()[:LONGEST] for field in fields(Form) if field.name in args}
    form = Form(**given) if "taboo" in given else Form(**given, taboo="")
    return replace(form, scope=form.scope if form.scope in SCOPES else "")


def written(form: Form) -> str:
    """The query that a form asks for; empty when nothing is filled in that could be found."""
    parts = [*_plain(form.all), *(f"“{word}”" for word in _words(form.exact))]
    either = _words(form.any)
    if either:
        parts.append(either[0] if len(either) == 1 else f"({' 或 '.join(either)})")
    near = _words(form.near)
    if len(near) > 1:
        parts.append(f"近:{form.distance if form.distance.isascii() and form.distance.isdigit() else DISTANCE}({' '.join(near)})")
    else:
        parts += near
    parts += [f"注:{word}" for word in _words(form.notes)]
    parts += [f"正文:{word}" for word in _words(form.main)]
    for name, value in ((form.field1, form.value1), (form.field2, form.value2)):
        parts += [f"{name}:{word}" for word in _words(value) if re.fullmatch(r"[^\s:：()（）]{1,40}", name)]
    first, last = (year if _YEAR.fullmatch(year) else "" for year in (form.first, form.last))
    if first or last:
        parts.append(f"年:{first}..{last}")
    parts += [form.rest] if form.rest else []
    parts += [f"-{word}" for word in _words(form.none)] if parts else []
    return " ".join([_WORDS_OF_SCOPE[form.scope], *parts] if form.scope and parts else parts)


def beside(form: Form) -> dict[str, str]:
    """What of a form is no part of the query: parameters of the page."""
    given = {"collection": form.collection, "kind": form.kind, "confusable": form.confusable and "1", "taboo": "" if form.taboo else "0"}
    return {name: value for name, value in given.items() if value}


def _words(text: str) -> list[str]:
    return [word for word in _SIGNS.sub(" ", text).split() if word.strip("-－−:：")]


def _plain(text: str) -> list[str]:
    """Words for the first place, where signs of the language may be used by those who know them."""
    return text.split()


def read(wanted: Asked) -> Form:
    """The form as it would be filled in for a search. A query with a fault stands whole in the first place."""
    scope = narrowing.scope_of(wanted)
    form = Form(
        scope=scope,
        collection=wanted.collection or "",
        kind=wanted.kind or "",
        taboo="1" if wanted.taboo else "",
        confusable="1" if wanted.confusable else "",
        first="" if wanted.year_from is None else str(wanted.year_from),
        last="" if wanted.year_to is None else str(wanted.year_to),
    )
    text = narrowing.unscoped(wanted.text)
    if not text:
        return form
    try:
        clause = parse(text, query_names(hall().definitions), WrittenDates()).clause
    except QueryError:
        return replace(form, all=text)
    for part in clause.clauses if isinstance(clause, And) else (clause,):
        form = _placed(form, part)
    return form


def _placed(form: Form, clause: Clause) -> Form:
    """The form with one more clause in the place made for it, else in `rest`."""
    match clause:
        case Phrase(exact=True, scope=""):
            return _with(form, exact=_string(clause))
        case Phrase(exact=False, scope="note"):
            return _with(form, notes=_string(clause))
        case Phrase(exact=False, scope="main"):
            return _with(form, main=_string(clause))
        case Phrase(exact=False, others=()):
            return _with(form, all=_string(clause))
        case Not(clause=Phrase(exact=False, scope="") as phrase):
            return _with(form, none=_string(phrase))
        case Or(clauses=parts) if not form.any and all(isinstance(part, Phrase) and not part.exact and not part.scope for part in parts):
            return replace(form, any=" ".join(_string(part) for part in parts if isinstance(part, Phrase)))
        case Near(phrases=phrases) if not form.near and not any(phrase.exact for phrase in phrases):
            return replace(form, near=" ".join(map(_string, phrases)), distance=str(clause.distance))
        case FieldClause() | SectionClause() if not clause.phrase.exact and not (form.field1 and form.field2):
            name = clause.name if isinstance(clause, FieldClause) else "门目"
            at = "2" if form.field1 else "1"
            return replace(form, **{f"field{at}": name, f"value{at}": _string(clause.phrase)})
        case Years(keys=(), written="", spans=[(first, last)]) if not form.first and not form.last:
            return replace(form, first=_year(first), last=_year(last))
    return _with(form, rest=in_signs(clause))


def _with(form: Form, **more: str) -> Form:
    return replace(form, **{name: f"{getattr(form, name)} {text}".strip() for name, text in more.items()})


def _string(phrase: Phrase) -> str:
    return "*".join("".join(char or "?" for char in part) for part in phrase.written)


def _year(year: int | None) -> str:
    return "" if year is None else str(year)


def in_signs(clause: Clause) -> str:
    """A clause in the language of the box."""
    match clause:
        case Phrase():
            name = "文内年:" if clause.others else {"note": "注:", "main": "正文:"}.get(clause.scope, "")
            return name + (f"“{_string(clause)}”" if clause.exact else _string(clause))
        case Near():
            return f"近:{clause.distance}({' '.join(map(in_signs, clause.phrases))})"
        case FieldClause():
            return f"{clause.name}:{in_signs(clause.phrase)}"
        case SectionClause():
            return f"门目:{in_signs(clause.phrase)}"
        case Years():
            return f"{clause.name}:{clause.written or '..'.join(map(_year, clause.spans[0]))}"
        case Not():
            return f"-{in_signs(clause.clause)}"
        case And():
            return f"({' '.join(map(in_signs, clause.clauses))})"
        case Or():
            return f"({' 或 '.join(map(in_signs, clause.clauses))})"


def choices(definitions: Definitions) -> dict[str, Any]:
    """What can be chosen: fields by the name that the language has for them, holdings, kinds, scopes, distances."""
    named: dict[str, str] = {"题名": _("题名"), "责任者": _("责任者"), "地名": _("地名"), "门目": _("门目")}
    for profile in definitions.profiles.values():
        for field in profile.fields:
            if not field.staff_only and field.searchable and field.label not in named:
                named[field.label] = (field.label_en or field.label) if presenting.english() else field.label
    return {
        "fields": [(name, label) for name, label in named.items() if re.fullmatch(r"[^\s:：()（）]+", name)],
        "collections": [(slug, presenting.holding_label(definitions, slug)) for slug in definitions.collections],
        "kinds": [(kind, presenting.kind_label(definitions, kind)) for kind in definitions.profiles],
        "scopes": list(narrowing.scope_names().items()),
        "distances": DISTANCES,
    }
