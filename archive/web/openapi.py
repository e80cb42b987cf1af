"""The OpenAPI 3.1 document of `/api/v1/`. Kept beside `api.py`; a test holds every answer against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archive import __version__
from archive.model.profile import Definitions
from archive.web.asking import DEEPEST, LINE_SORTS, LINES_MOST, LONGEST, MOST, SCOPES, SORTS, field_facets

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}
_ADDRESS: Schema = {"type": "string", "format": "uri"}
_AUDIENCES = ["public", "signed_in", "reading_room", "on_request", "staff", "sealed"]


def _or_none(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _object(about: str = "", /, **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
    return schema | ({"description": about} if about else {})


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_BOX: Schema = {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}
_SPAN: Schema = {"type": "array", "items": _WHOLE, "minItems": 2, "maxItems": 2}


def _schemas() -> Mapping[str, Schema]:
    return {
        "Problem": {
            "type": "object",
            "description": "RFC 9457. A withdrawn item (410) also says `item`, `withdrawn` and `reason`.",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": _TEXT,
                "title": _TEXT,
                "status": _WHOLE,
                "detail": _TEXT,
                "item": _TEXT,
                "withdrawn": _TEXT,
                "reason": _TEXT,
            },
        },
        "Hit": _object(
            target={"type": "string", "enum": ["page", "segment", "item"]},
            item=_TEXT,
            title=_TEXT,
            page=_or_none(_TEXT),
            segment=_or_none(_TEXT),
            start=_or_none(_NUMBER),
            end=_or_none(_NUMBER),
            label=_TEXT,
            score=_NUMBER,
            matches=_WHOLE | {"description": "Occurrences there, exact."},
            snippets=_list(_object(text=_TEXT, spans=_list(_SPAN))),
            reasons=_list(_object(typed=_TEXT, written=_TEXT))
            | {"description": "Where a form other than the one typed was found: what was typed, what is written."},
            url=_ADDRESS,
        ),
        "Group": _object(
            "A work with its best hits; `total` pages and segments of it match, `matches` times, exact.",
            item=_TEXT,
            title=_TEXT,
            total=_WHOLE,
            matches=_WHOLE,
            hits=_list(_ref("Hit")),
        ),
        "Suggestions": _object(
            query=_TEXT,
            suggestions=_list(
                _object(
                    "`items`: works that have the name; `note` says the same in words.",
                    text=_TEXT,
                    kind={"type": "string", "enum": ["title", "person", "place"]},
                    items=_WHOLE,
                    note=_TEXT,
                    url=_ADDRESS,
                )
            ),
        ),
        "Results": _object(
            query=_TEXT,
            understood=_TEXT,
            total=_WHOLE | {"description": "Pages and timed segments whose text matches, exact."},
            items=_WHOLE | {"description": "The works they are in."},
            metadata_total=_WHOLE | {"description": "Items whose description matches."},
            occurrences=_WHOLE,
            works=_WHOLE | {"description": "With `group=1`, how many groups there are in all; else 0."},
            forms=_list(_object(form=_TEXT, count=_WHOLE)) | {"description": "Forms in which it is written, with occurrences."},
            unquoted=_or_none(_WHOLE) | {"description": "For a quoted query, the total without its quotes."},
            expansions=_list(
                _object(
                    "A word that was (`applied`) or could be looked for in other words: taboo substitutes, characters that machines confuse.",
                    word=_TEXT,
                    kind={"type": "string", "enum": ["taboo", "confusable"]},
                    applied=_FLAG,
                    words=_list(_object(word=_TEXT, count=_WHOLE)),
                )
            ),
            offers=_list(
                _object(
                    "Other names of the place or person asked for.", name=_TEXT, kind=_TEXT, others=_list(_object(name=_TEXT, count=_WHOLE))
                )
            ),
            corrections=_list(_object("With no hit: queries close by that have some.", query=_TEXT, count=_WHOLE)),
            wider=_list(
                _object(
                    "With no hit: what a wider scope would find.", scope={"type": "string", "enum": ["neighbour", *SCOPES]}, count=_WHOLE
                )
            ),
            hits=_list(_ref("Hit")) | {"description": "With `group=1` those of the groups."},
            groups=_list(_ref("Group")),
            facets={"type": "object", "additionalProperties": _list(_object(value=_TEXT, label=_TEXT, count=_WHOLE))},
            page=_WHOLE,
            size=_WHOLE,
            ms=_NUMBER | {"description": "Wall time from parsed request to finished hits, snippets included."},
        ),
        "Line": _object(
            "An occurrence with what stands before and after it; `‖` where the text that may be seen begins or ends.",
            left=_TEXT,
            match=_TEXT,
            right=_TEXT,
            target={"type": "string", "enum": ["page", "segment"]},
            item=_TEXT,
            key=_TEXT | {"description": "Page id, segment id, or TRACK@START."},
            title=_TEXT,
            creators=_list(_TEXT),
            label=_TEXT,
            date=_TEXT,
            collection=_TEXT,
            kind=_TEXT,
            source=_TEXT,
            start=_or_none(_NUMBER),
            url=_ADDRESS,
        ),
        "Concordance": _object(
            query=_TEXT,
            understood=_TEXT,
            total=_WHOLE | {"description": "All occurrences in text, exact."},
            items=_WHOLE | {"description": "The works they are in."},
            sort={
                "type": "string",
                "enum": list(LINE_SORTS),
                "description": "As sorted; by `work` when there are too many to sort by context.",
            },
            page=_WHOLE,
            size=_WHOLE,
            lines=_list(_ref("Line")),
            dispersion=_object(
                "Occurrences and characters of text by work and by the first years of works, `step` years a period.",
                works=_list(_object(item=_TEXT, title=_TEXT, occurrences=_WHOLE, characters=_WHOLE)),
                other_works=_object(works=_WHOLE, occurrences=_WHOLE, characters=_WHOLE),
                step=_WHOLE,
                periods=_list(_object(first={"type": "integer"}, occurrences=_WHOLE, characters=_WHOLE)),
                undated=_object(occurrences=_WHOLE, characters=_WHOLE),
            ),
        ),
        "ItemLine": _object(
            id=_TEXT,
            title=_TEXT,
            kind=_TEXT,
            collection=_TEXT,
            date=_TEXT,
            pages=_WHOLE,
            recordings=_WHOLE,
            thumbnail=_or_none(_ADDRESS),
            url=_ADDRESS,
            manifest=_or_none(_ADDRESS),
        ),
        "ItemList": _object(total=_WHOLE, page=_WHOLE, size=_WHOLE, items=_list(_ref("ItemLine"))),
        "Folio": _object(
            "卷 册 叶 and side as printed; only a verified one may be cited.",
            juan=_or_none(_TEXT),
            ce=_or_none(_TEXT),
            ye=_or_none(_TEXT),
            side={"type": ["string", "null"], "enum": ["a", "b", None]},
            verified=_FLAG,
        ),
        "Image": _object(
            "`service` is the base of a IIIF Image 3 service; `region` x, y, width, height where the page is only part of the image.",
            file=_TEXT,
            region=_or_none(_BOX),
            service=_ADDRESS,
            thumbnail=_ADDRESS,
        ),
        "Item": _object(
            id=_TEXT,
            title=_TEXT,
            kind=_TEXT,
            kind_label=_TEXT,
            collection=_TEXT,
            accession=_TEXT,
            date={
                "anyOf": [
                    {
                        "type": "object",
                        "required": ["written"],
                        "properties": {"written": _TEXT, "candidates": _list({"type": "object"})},
                        "additionalProperties": False,
                    },
                    {"type": "null"},
                ]
            },
            fields=_list(_object(key=_TEXT, label=_TEXT, label_en=_TEXT, term=_TEXT, values=_list(_TEXT))),
            rights=_object(
                audience={"type": ["string", "null"], "enum": [*_AUDIENCES, None]},
                embargo=_or_none(_object(until={"type": "string", "format": "date"}, after={"type": "string", "enum": _AUDIENCES})),
                status=_TEXT,
                statement=_or_none(_TEXT),
            ),
            direction={"type": "string", "enum": ["ltr", "rtl"]},
            to_describe=_FLAG,
            pages=_list(
                _object(
                    id=_TEXT,
                    position=_WHOLE,
                    label=_TEXT,
                    folio=_or_none(_ref("Folio")),
                    section=_TEXT,
                    missing=_FLAG,
                    image=_or_none(_ref("Image")),
                    url=_ADDRESS,
                )
            ),
            files=_list(
                _object(
                    id=_TEXT,
                    key=_TEXT,
                    name=_TEXT,
                    role=_TEXT,
                    kind=_TEXT,
                    media_type=_TEXT,
                    format=_TEXT,
                    size=_WHOLE,
                    sha512=_TEXT,
                    width=_or_none(_WHOLE),
                    height=_or_none(_WHOLE),
                    duration=_or_none(_NUMBER),
                    parts=_or_none(_WHOLE),
                    damaged=_or_none(_TEXT),
                    technical={"type": "object"},
                    original=_ADDRESS,
                )
            ),
            tracks=_list(
                _object(
                    id=_TEXT,
                    media=_or_none(_TEXT),
                    language=_TEXT,
                    timed=_FLAG,
                    cues=_list(_object(start=_NUMBER, end=_NUMBER, text=_TEXT)),
                    vtt=_or_none(_ADDRESS),
                )
            ),
            segments=_list(
                _object(
                    id=_TEXT,
                    media=_or_none(_TEXT),
                    start=_NUMBER,
                    end=_NUMBER,
                    title=_TEXT,
                    kind=_TEXT,
                    fields={"type": "object", "additionalProperties": _list(_TEXT)},
                    url=_ADDRESS,
                )
            ),
            sections=_list(_ref("Section")),
            url=_ADDRESS,
            manifest=_or_none(_ADDRESS),
        ),
        "Section": _object(
            id=_TEXT,
            title=_TEXT,
            level=_WHOLE,
            category=_TEXT,
            page=_TEXT,
            accepted=_FLAG,
            url=_ADDRESS,
            children=_list(_ref("Section")),
        ),
        "Page": _object(
            id=_TEXT,
            item=_TEXT,
            title=_TEXT,
            position=_WHOLE,
            of=_WHOLE,
            label=_TEXT,
            folio=_or_none(_ref("Folio")),
            section=_TEXT,
            missing=_FLAG,
            note=_TEXT,
            image=_or_none(_ref("Image")),
            width=_or_none(_WHOLE),
            height=_or_none(_WHOLE),
            text=_or_none(_TEXT),
            source=_or_none(_TEXT),
            texts=_list(
                _object(
                    source={"type": "string", "enum": ["donor", "ocr", "corrected", "extracted"]},
                    status=_TEXT,
                    at=_or_none(_TEXT),
                    lines=_list(
                        _object(
                            "A printed column or line; `box` x, y, width, height in pixels of the upright image.",
                            text=_TEXT,
                            box=_or_none(_BOX),
                            confidence=_or_none(_NUMBER),
                            kind={"type": "string", "enum": ["main", "note", "heading", "margin"]},
                        )
                    ),
                )
            ),
            previous=_or_none(_ADDRESS),
            next=_or_none(_ADDRESS),
            url=_ADDRESS,
        ),
    }


def _in_query(name: str, schema: Schema, about: str, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": about}


def _in_path(name: str, pattern: str, about: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}, "description": about}


def _whole(low: int, high: int, default: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


def _answers(schema: str, about: str, *problems: int) -> Schema:
    known = {
        400: "The request cannot be meant; for a query, `detail` says where.",
        404: "There is no such thing, or it is not open to you.",
        410: "It was withdrawn; a tombstone stands in its place.",
        503: "The search index is missing; browsing still works.",
    }
    answers: Schema = {"200": {"description": about, "content": {"application/json": {"schema": _ref(schema)}}}}
    for status in problems:
        answers[str(status)] = {"description": known[status], "content": {"application/problem+json": {"schema": _ref("Problem")}}}
    return answers


_ITEM = _in_path("item", "^[a-z0-9-]{3,64}$", "Item id.")
_SWITCH: Schema = {"type": "string", "enum": ["0", "1"]}
_YEAR: Schema = {"type": "integer", "minimum": -9999, "maximum": 9999}


def _search_parameters(definitions: Definitions) -> list[Schema]:
    parameters = [
        _in_query("q", {"type": "string", "minLength": 1, "maxLength": LONGEST}, "The query; see /help.", required=True),
        _in_query("collection", _TEXT, "Slug of a holding."),
        _in_query("kind", _TEXT, "Key of a material kind."),
        _in_query("from", _YEAR, "First Western year, astronomical."),
        _in_query("to", _YEAR, "Last Western year, inclusive."),
        _in_query("item", {"type": "string", "pattern": "^[a-z0-9-]{3,64}$"}, "Search inside one item."),
        _in_query("decade", _TEXT, "A decade, by its first year."),
        _in_query("source", _TEXT, "Whose text: donor, ocr, corrected, extracted."),
        _in_query("section", _TEXT, "A 门目 of a book."),
        _in_query(
            "scope",
            {"type": "string", "enum": list(SCOPES)},
            "Within what several words must stand; a leaf or its neighbour when not said.",
        ),
        _in_query("taboo", _SWITCH | {"default": "1"}, "1: find taboo substitutes of the reviewed list too (弘治 = 宏治)."),
        _in_query("confusable", _SWITCH | {"default": "0"}, "1: find characters that machine reading confuses for each other."),
        _in_query("group", _SWITCH | {"default": "0"}, "1: hits by work, in `groups`; `page` and `size` count works."),
        _in_query("facets", _TEXT, "Names of facets to count, commas between; all when not said, none when empty."),
        _in_query("sort", {"type": "string", "enum": list(SORTS), "default": "relevance"}, "Order."),
        _in_query("page", _whole(1, DEEPEST, 1), "Page of the list; beyond its end there are no hits, and the totals stay true."),
        _in_query("size", _whole(1, MOST, 20), "Hits on a page."),
    ]
    named = {parameter["name"] for parameter in parameters}
    return parameters + [_in_query(key, _TEXT, "A value of this field.") for key in field_facets(definitions) if key not in named]


def _concordance_parameters(definitions: Definitions) -> list[Schema]:
    """Those of the search, with an order, pages and sizes of its own."""
    ours = [
        _in_query(
            "sort", {"type": "string", "enum": list(LINE_SORTS), "default": LINE_SORTS[0]}, "Order; contexts by the nearest 8 characters."
        ),
        _in_query("page", _whole(1, 10**6, 1), "Page of the lines."),
        _in_query("size", _whole(1, LINES_MOST, 50), "Lines on a page."),
    ]
    others = {"group", "facets", *(parameter["name"] for parameter in ours)}
    return [parameter for parameter in _search_parameters(definitions) if parameter["name"] not in others] + ours


def document(server: str, definitions: Definitions) -> Schema:
    """The document, for the archive at `server` (no slash at the end)."""
    listing = [
        _in_query("collection", _TEXT, "Slug of a holding."),
        _in_query("kind", _TEXT, "Key of a material kind."),
        _in_query("sort", {"type": "string", "enum": ["title", "date", "recent"], "default": "title"}, "Order."),
        _in_query("page", _whole(1, 10**6, 1), "Page of the list."),
        _in_query("size", _whole(1, 200, 24), "Items on a page."),
    ]
    item_page = [_ITEM, _in_path("page", "^[^/]+$", "Page id inside the item.")]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "方志馆 Fangzhi",
            "version": __version__,
            "description": "Search, items and pages as this reader may see them. What is not open does not exist here.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [],
        "paths": {
            "/api/v1/search": {
                "get": {
                    "operationId": "search",
                    "summary": "Search texts and descriptions",
                    "parameters": _search_parameters(definitions),
                    "responses": _answers("Results", "Hits with exact counts.", 400, 404, 410, 503),
                }
            },
            "/api/v1/concordance": {
                "get": {
                    "operationId": "concordance",
                    "summary": "Every occurrence with what stands around it",
                    "parameters": [*_concordance_parameters(definitions)],
                    "responses": _answers("Concordance", "Lines with the dispersion of all.", 400, 404, 410, 503),
                }
            },
            "/api/v1/suggest": {
                "get": {
                    "operationId": "suggest",
                    "summary": "Titles, persons and places that begin so",
                    "parameters": [
                        _in_query("q", {"type": "string", "maxLength": LONGEST}, "Characters of any form, pinyin, or its initials."),
                        _in_query("limit", _whole(1, 50, 10), "Suggestions at most."),
                    ],
                    "responses": _answers("Suggestions", "Those of most works first.", 400, 503),
                }
            },
            "/api/v1/items": {
                "get": {
                    "operationId": "items",
                    "summary": "List items",
                    "parameters": listing,
                    "responses": _answers("ItemList", "A page of the list.", 400),
                }
            },
            "/api/v1/items/{item}": {
                "get": {
                    "operationId": "item",
                    "summary": "The whole record of an item",
                    "parameters": [_ITEM],
                    "responses": _answers("Item", "The record, without page texts.", 404, 410),
                }
            },
            "/api/v1/items/{item}/pages/{page}": {
                "get": {
                    "operationId": "page",
                    "summary": "One page with text, lines and boxes",
                    "parameters": item_page,
                    "responses": _answers("Page", "The page.", 404, 410),
                }
            },
            "/api/v1/openapi.json": {
                "get": {
                    "operationId": "openapi",
                    "summary": "This document",
                    "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}},
                }
            },
        },
        "components": {"schemas": dict(_schemas())},
    }
