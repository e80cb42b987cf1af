"""What stands around the hits: conditions in force, what they can be changed to, and what the search says it did. All of it links.

A search is its address. `Place` writes the addresses of searches that differ from this one in one thing; nothing is kept anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus

from archive.language import _
from archive.model.item import TextSource
from archive.model.profile import Definitions
from archive.search.base import Expansion, FacetCount, Results
from archive.search.chinese import fold
from archive.web import presenting
from archive.web.asking import Asked

FEW = 12
"""Values shown of one facet before the reader asks for more."""
MANY = 500
"""Values shown of one facet after that; the rest is reached by narrowing."""
_DECADES = 36
_CHOSEN = {"collection", "kind"}


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a search, with the number of hits there (already written), and whether it is the one in force."""

    text: str
    url: str
    count: str = ""
    here: bool = False


_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
"""What an address holds as it is: nearly all names and choices."""


def _pair(name: str, value: str) -> str:
    name = name if _PLAIN.fullmatch(name) else quote_plus(name)
    return f"{name}={value if _PLAIN.fullmatch(value) else quote_plus(value)}"


@dataclass(frozen=True)
class Place:
    """The address of a search: `path`, and what makes it this one. Pages, languages and what is not known stay behind."""

    path: str
    args: Mapping[str, str]

    @cached_property
    def _pairs(self) -> dict[str, str]:
        return {name: _pair(name, value) for name, value in self.args.items()}

    def but(self, **changes: str | None) -> str:
        """The search that differs in these; None takes one away."""
        pairs = self._pairs.copy()
        for name, value in changes.items():
            if value is not None:
                pairs[name] = _pair(name, value)
            else:
                pairs.pop(name, None)
        return self.path + ("?" + "&".join(pairs.values()) if pairs else "")

    def each(self, name: str) -> str:
        """The search with another value of `name`, up to that value."""
        kept = self.but(**{name: None})
        return kept + ("&" if "?" in kept else "?") + quote_plus(name) + "="


def scope_names() -> dict[str, str]:
    """The scopes in words, the widest last; the empty one is what holds when nothing is said."""
    return {"": _("同面或邻面"), "leaf": _("同叶"), "section": _("同目"), "juan": _("同卷"), "work": _("同书")}


_SCOPE_WORDS = {"同叶": "leaf", "同目": "section", "同卷": "juan", "同书": "work"}
_FOLDED = {fold(word): scope for word, scope in _SCOPE_WORDS.items()}


def scope_of(wanted: Asked) -> str:
    """The scope in force: a word of the query goes before the parameter."""
    return next((_FOLDED[fold(word)] for word in wanted.text.split() if fold(word) in _FOLDED), wanted.scope)


def unscoped(text: str) -> str:
    """A query without its words of scope."""
    return " ".join(word for word in text.split() if fold(word) not in _FOLDED)


def scopes(wanted: Asked, place: Place, results: Results) -> list[Link]:
    """The scopes to choose from; none where there is only one word to be found."""
    here = scope_of(wanted)
    if not results.several and not here:
        return []
    text = unscoped(wanted.text) or wanted.text
    return [Link(name, place.but(q=text, scope=scope or None), here=scope == here) for scope, name in scope_names().items()]


def wider(wanted: Asked, place: Place, results: Results) -> list[Link]:
    """With no hit: the wider scopes, each with what it would find."""
    names, text = scope_names(), unscoped(wanted.text) or wanted.text
    return [
        Link(names[scope], place.but(q=text, scope=scope or None), f"{count:,}")
        for scope, count in results.wider
        if count and scope in names
    ]


def facet_label(name: str, definitions: Definitions) -> str:
    """The heading of a facet."""
    known = {"collection": _("馆藏"), "kind": _("类型"), "decade": _("年代"), "source": _("文字来源"), "section": _("门目")}
    if name in known:
        return known[name]
    for profile in definitions.profiles.values():
        field = profile.field(name)
        if field is not None:
            return (field.label_en or field.label) if presenting.english() else field.label
    return name


def value_label(name: str, value: str, definitions: Definitions) -> str:
    """A facet's value in words."""
    if name == "collection":
        return presenting.holding_label(definitions, value)
    if name == "kind":
        return presenting.kind_label(definitions, value)
    if name == "decade":
        return _("%(decade)s 年代", decade=value)
    if name == "source":
        return {s.value: presenting.source_label(s) for s in TextSource}.get(value, value)
    if name == "section":
        return value
    for profile in definitions.profiles.values():
        field = profile.field(name)
        if field is not None:
            return presenting.value(value, field, definitions).text
    return value


def facets(wanted: Asked, place: Place, results: Results, definitions: Definitions, more: str) -> list[dict[str, Any]]:
    """Facets with their values; of the one named `more` all that can be shown."""
    chosen = {"collection": wanted.collection, "kind": wanted.kind} | dict(wanted.filters)
    found = []
    for name, counts in results.facets.items():
        if chosen.get(name) or not counts or (len(counts) == 1 and name in ("collection", "kind", "source")):
            continue
        most = MANY if name == more else _DECADES if name == "decade" else FEW
        some = sorted(counts[:most], key=lambda c: _as_number(c.value)) if name == "decade" else counts[:most]
        found.append(
            {
                "label": facet_label(name, definitions),
                "entries": [_value(place.each(name), name, count, definitions) for count in some],
                "more": _more(place, name, len(counts) - len(some)) if name != more else None,
                "beyond": len(counts) - len(some) if name == more else 0,
            }
        )
    return found


def _as_number(text: str) -> int:
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else 0


def _value(base: str, name: str, count: FacetCount, definitions: Definitions) -> Link:
    return Link(value_label(name, count.value, definitions), base + quote_plus(count.value), f"{count.count:,}")


def _more(place: Place, name: str, rest: int) -> Link | None:
    return Link(_("还有 %(n)d 项", n=rest), place.but(more=name)) if rest > 0 else None


def chips(wanted: Asked, place: Place, definitions: Definitions, item_title: str) -> list[Link]:
    """The conditions in force, each with the address of the search without it."""
    chosen: list[tuple[str, str]] = []
    if wanted.collection:
        chosen.append(("collection", value_label("collection", wanted.collection, definitions)))
    if wanted.kind:
        chosen.append(("kind", value_label("kind", wanted.kind, definitions)))
    if wanted.year_from is not None:
        chosen.append(("from", _("%(year)d 年起", year=wanted.year_from)))
    if wanted.year_to is not None:
        chosen.append(("to", _("至 %(year)d 年", year=wanted.year_to)))
    if wanted.item:
        chosen.append(("item", item_title))
    for name, value in wanted.filters.items():
        chosen.append((name, f"{facet_label(name, definitions)} {value_label(name, value, definitions)}"))
    if not wanted.taboo:
        chosen.append(("taboo", _("不找避讳字")))
    if wanted.confusable:
        chosen.append(("confusable", _("也找形近误认的字")))
    found = [Link(label, place.but(**{name: None})) for name, label in chosen]
    scope = scope_of(wanted)
    if scope:
        found.append(Link(scope_names()[scope], place.but(q=unscoped(wanted.text) or wanted.text, scope=None)))
    return found


def switches(wanted: Asked, place: Place) -> dict[str, list[Link]]:
    """Order, and hits one by one or by work."""
    orders = {
        "relevance": _("相关"),
        "date": _("年代早在前"),
        "-date": _("年代晚在前"),
        "title": _("题名拼音"),
        "strokes": _("题名笔画"),
        "call_number": _("索书号"),
    }
    if wanted.item:
        orders = {"relevance": _("相关"), "position": _("书中次序")}
    return {
        "order": [
            Link(label, place.but(sort=name if name != "relevance" else None), here=wanted.sort == name) for name, label in orders.items()
        ],
        "view": [
            Link(_("逐面"), place.but(group=None), here=not wanted.group),
            Link(_("按书归并"), place.but(group="1"), here=wanted.group),
        ]
        if not wanted.item
        else [],
    }


_QUOTES = str.maketrans("", "", '"“”「」『』＂')


def forms(wanted: Asked, place: Place, results: Results) -> list[Link]:
    """Written forms found with their counts, each leading to itself alone; empty when there is only the one that was typed."""
    if not any(count for _form, count in results.forms) or [form for form, _count in results.forms] == [wanted.text]:
        return []
    return [Link(form, place.but(q=only_form(wanted.text, form)), f"{count:,}") for form, count in results.forms]


def only_form(text: str, form: str) -> str:
    """The query with the word that `form` is a form of replaced by that form in quotes; the form alone when no word is."""
    words = text.split()
    same = [fold(word.translate(_QUOTES)) == fold(form) for word in words]
    return " ".join(f"“{form}”" if is_it else word for word, is_it in zip(words, same, strict=True)) if any(same) else f"“{form}”"


def unquoted(text: str) -> str:
    """A query without its quotation marks; empty when it has none."""
    bare = text.translate(_QUOTES).strip()
    return bare if bare != text else ""


def expansions(place: Place, given: Iterable[Expansion]) -> list[dict[str, Any]]:
    """What else was, or could be, looked for, with the way to change it."""
    found = []
    for expansion in given:
        if not any(count for _word, count in expansion.words):
            continue
        taboo = expansion.kind == "taboo"
        if taboo:
            url = place.but(taboo="0" if expansion.applied else None)
            switch = _("只找“%(word)s”", word=expansion.word) if expansion.applied else _("也找这些避讳写法")
            about = _("避讳改字：“%(word)s”也作", word=expansion.word)
        else:
            url = place.but(confusable=None if expansion.applied else "1")
            switch = _("只找“%(word)s”", word=expansion.word) if expansion.applied else _("也找这些形近字")
            about = _("机器识别易误：“%(word)s”或作", word=expansion.word)
        words = [Link(word, place.but(q=word, taboo="0"), f"{count:,}") for word, count in expansion.words]
        found.append({"about": about, "words": words, "switch": Link(switch, url), "applied": expansion.applied})
    return found


def offers(place: Place, results: Results) -> list[dict[str, Any]]:
    """Other names of the place or person that the query is."""
    about = {"place": _("同一地方又称"), "person": _("同一人又称")}
    return [
        {
            "about": about.get(offer.kind, _("又称")),
            "words": [Link(name, place.but(q=name), f"{count:,}") for name, count in offer.others if count],
            "note": offer.note,
        }
        for offer in results.offers
        if any(count for _name, count in offer.others)
    ]


def corrections(place: Place, given: Sequence[tuple[str, int]]) -> list[Link]:
    """With no hit: queries one form or one character off that have some."""
    return [Link(query, place.but(q=query, scope=None), f"{count:,}") for query, count in given]
