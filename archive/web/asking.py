"""A search as asked for in an address: the same parameters for the page and for the API, every one bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from archive.errors import UsageError
from archive.language import _
from archive.model.identifiers import is_item_id
from archive.model.profile import Definitions

LONGEST = 400
"""Characters of a query; a sentence of a gazetteer is far shorter."""
MOST = 100
"""Hits on one page."""
DEEPEST = 10**9
"""Last page that can be asked for; one beyond the end of the list says where the end is."""
SORTS = ("relevance", "date", "-date", "title", "strokes", "call_number", "position")
SCOPES = ("leaf", "section", "juan", "work")
"""Within what several words must stand: 同叶 同目 同卷 同书."""
LINE_SORTS = ("work", "date", "-date", "left", "right")
LINES_MOST = 200
"""Orders of a concordance, and lines on one page of it."""
_YEAR = re.compile(r"-?[0-9]{1,4}")
_CHOICE = re.compile(r"[^\x00-\x1f]{1,200}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. `filters` by facet name: decade, source, section, and the profiles' own. The rest as in `archive.search.base.Query`."""

    text: str
    collection: str | None = None
    kind: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    item: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    taboo: bool = True
    confusable: bool = False
    group: bool = False
    facets: tuple[str, ...] = ()
    """Facets to count."""
    sort: str = "relevance"
    page: int = 1
    size: int = 20


def field_facets(definitions: Definitions) -> tuple[str, ...]:
    """Keys of the fields that any profile counts as facets, once each, in the order of the profiles."""
    known = _facets_of.get(id(definitions))
    if known is None or known[0] is not definitions:  # asked some times for every search
        found = (f.key for profile in definitions.profiles.values() for f in profile.fields if f.facet and not f.staff_only)
        known = definitions, tuple(dict.fromkeys(found))
        _facets_of.clear()
        _facets_of[id(definitions)] = known
    return known[1]


_facets_of: dict[int, tuple[Definitions, tuple[str, ...]]] = {}


def asked(given: MultiDict[str, str], definitions: Definitions, *, strict: bool) -> Asked:
    """What the address asks for. `strict` (the API) raises UsageError for what cannot be meant; a page leaves it out and goes on."""
    args: Mapping[str, str] = given.to_dict()  # a missing name costs a MultiDict an error that nobody sees, and some forty are missing
    filters = {"decade", "source", "section", *field_facets(definitions)}
    return Asked(
        text=_bounded(args.get("q", ""), strict),
        collection=_choice(args, "collection"),
        kind=_choice(args, "kind"),
        year_from=_year(args, "from", strict),
        year_to=_year(args, "to", strict),
        item=_item(args, strict),
        filters={name: args[name] for name in sorted(filters) if _CHOICE.fullmatch(args.get(name, ""))},
        scope=_one_of(args, "scope", SCOPES, "", strict),
        taboo=_one_of(args, "taboo", ("0", "1"), "1", strict) == "1",
        confusable=_one_of(args, "confusable", ("0", "1"), "0", strict) == "1",
        group=_one_of(args, "group", ("0", "1"), "0", strict) == "1",
        facets=_facets(args, definitions, strict),
        sort=_one_of(args, "sort", SORTS, "relevance", strict),
        page=_number(args, "page", 1, 1, DEEPEST, strict),
        size=_number(args, "size", 20, 1, MOST, strict),
    )


def all_facets(definitions: Definitions) -> tuple[str, ...]:
    """Every facet there is, in the order of the page."""
    return tuple(dict.fromkeys(("collection", "kind", "decade", "source", *field_facets(definitions), "section")))


def parameters(definitions: Definitions) -> frozenset[str]:
    """Names of everything that makes one search another; what else stands in an address is dropped."""
    named = ("q", "collection", "kind", "from", "to", "item", "scope", "taboo", "confusable", "group", "sort", "size")
    return frozenset((*named, "decade", "source", "section", *field_facets(definitions)))


def _bounded(text: str, strict: bool) -> str:
    text = text.strip().replace("\x00", "")
    if len(text) > LONGEST:
        if strict:
            raise UsageError(_("检索词太长：最多 %(n)d 个字。", n=LONGEST))
        return text[:LONGEST]
    return text


def _choice(args: Mapping[str, str], name: str) -> str | None:
    text = args.get(name, "")
    return text if _CHOICE.fullmatch(text) else None


def _item(args: Mapping[str, str], strict: bool) -> str | None:
    text = args.get("item", "")
    if text and not is_item_id(text):
        if strict:
            raise UsageError(_("item 不是藏品号：%(text)s", text=text[:64]))
        return None
    return text or None


def _one_of(args: Mapping[str, str], name: str, known: tuple[str, ...], default: str, strict: bool) -> str:
    text = args.get(name) or default
    if text != default and text not in known:
        if strict:
            raise UsageError(_("%(name)s 只能是 %(known)s。", name=name, known=" ".join(known)))
        return default
    return text


def _facets(args: Mapping[str, str], definitions: Definitions, strict: bool) -> tuple[str, ...]:
    """`facets=kind,decade`: those to count; none stated means all, an empty value none."""
    wanted = tuple(dict.fromkeys(part for part in args.get("facets", "").split(",") if part))
    known = all_facets(definitions)
    if strict and not set(wanted) <= set(known):
        raise UsageError(_("%(name)s 只能是 %(known)s。", name="facets", known=",".join(known)))
    return tuple(name for name in wanted if name in known) if "facets" in args else known


def _year(args: Mapping[str, str], name: str, strict: bool) -> int | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    if _YEAR.fullmatch(text) is None:
        if strict:
            raise UsageError(_("%(name)s 应是公元年，如 1736。", name=name))
        return None
    return int(text)


def _number(args: Mapping[str, str], name: str, default: int, low: int, high: int, strict: bool) -> int:
    text = args.get(name)
    if text is None or text == "":
        return default
    whole = text.isascii() and text.isdigit()
    if not whole or len(text) > 10 or not low <= int(text) <= high:
        if strict:
            raise UsageError(_("%(name)s 应是 %(low)d 到 %(high)d 的整数。", name=name, low=low, high=high))
        return high if whole and text.strip("0") and name == "page" else default
    return int(text)
