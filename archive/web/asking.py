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
DEEPEST = 10_000
"""Hits that can be paged through; beyond that, narrow the search."""
SORTS = ("relevance", "date", "-date", "title")
_YEAR = re.compile(r"-?[0-9]{1,4}")
_CHOICE = re.compile(r"[^\x00-\x1f]{1,200}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. `filters` by facet name: decade, source, and the profiles' own."""

    text: str
    collection: str | None = None
    kind: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    item: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = "relevance"
    page: int = 1
    size: int = 20


def field_facets(definitions: Definitions) -> tuple[str, ...]:
    """Keys of the fields that any profile counts as facets, once each, in the order of the profiles."""
    found = (f.key for profile in definitions.profiles.values() for f in profile.fields if f.facet and not f.staff_only)
    return tuple(dict.fromkeys(found))


def asked(args: MultiDict[str, str], definitions: Definitions, *, strict: bool) -> Asked:
    """What `args` ask for. `strict` (the API) raises UsageError for what cannot be meant; a page leaves it out and goes on."""
    facets = {"decade", "source", *field_facets(definitions)}
    size = _number(args, "size", 20, 1, MOST, strict)
    found = Asked(
        text=_bounded(args.get("q", ""), strict),
        collection=_choice(args, "collection"),
        kind=_choice(args, "kind"),
        year_from=_year(args, "from", strict),
        year_to=_year(args, "to", strict),
        item=_item(args, strict),
        filters={name: args[name] for name in sorted(facets) if _CHOICE.fullmatch(args.get(name, ""))},
        sort=_sort(args, strict),
        page=_number(args, "page", 1, 1, 10**6, strict),
        size=size,
    )
    if (found.page - 1) * size >= DEEPEST:
        raise UsageError(_("只能翻到第 %(n)d 条结果，请加条件缩小范围。", n=DEEPEST))
    return found


def _bounded(text: str, strict: bool) -> str:
    text = text.strip().replace("\x00", "")
    if len(text) > LONGEST:
        if strict:
            raise UsageError(_("检索词太长：最多 %(n)d 个字。", n=LONGEST))
        return text[:LONGEST]
    return text


def _choice(args: MultiDict[str, str], name: str) -> str | None:
    text = args.get(name, "")
    return text if _CHOICE.fullmatch(text) else None


def _item(args: MultiDict[str, str], strict: bool) -> str | None:
    text = args.get("item", "")
    if text and not is_item_id(text):
        if strict:
            raise UsageError(_("item 不是藏品号：%(text)s", text=text[:64]))
        return None
    return text or None


def _sort(args: MultiDict[str, str], strict: bool) -> str:
    text = args.get("sort") or "relevance"
    if text not in SORTS:
        if strict:
            raise UsageError(_("sort 只能是 %(known)s。", known=" ".join(SORTS)))
        return "relevance"
    return text


def _year(args: MultiDict[str, str], name: str, strict: bool) -> int | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    if _YEAR.fullmatch(text) is None:
        if strict:
            raise UsageError(_("%(name)s 应是公元年，如 1736。", name=name))
        return None
    return int(text)


def _number(args: MultiDict[str, str], name: str, default: int, low: int, high: int, strict: bool) -> int:
    text = args.get(name)
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not low <= int(text) <= high:
        if strict:
            raise UsageError(_("%(name)s 应是 %(low)d 到 %(high)d 的整数。", name=name, low=low, high=high))
        return default
    return int(text)
