"""JSON for scripts: search, items, pages, and the OpenAPI document that describes them.

The shapes are those of INTERFACE; a change here is a change of what others rely on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from archive import records
from archive.errors import NotFound, UsageError
from archive.language import _
from archive.model.identifiers import file_key
from archive.model.item import FileRef, Item, MediaFile, Page, TextVersion, Track
from archive.model.rights import Rights
from archive.model.sections import Section
from archive.search.base import Group, Hit
from archive.services.reading import ItemSummary, SearchView
from archive.web import concordance, hits, narrowing, presenting
from archive.web.asking import LONGEST, Asked, asked
from archive.web.finding import run
from archive.web.hall import absolute, hall, reader
from archive.web.openapi import document
from archive.web.problems import item_or_404, problem

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

ITEMS_MOST = 200


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    return problem(400, _("请求写得不对"), str(error))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document of this interface."""
    return jsonify(document(hall().settings.public_url or request.host_url.rstrip("/"), hall().definitions))


@blueprint.get("/search")
def find() -> Response:
    """Hits of a query, exact counts, facets."""
    wanted = asked(request.args, hall().definitions, strict=True)
    if not wanted.text:
        raise UsageError(_("缺少检索词：q="))
    began = time.perf_counter()
    view = run(wanted)
    found = [_hit(hit, wanted) for hit in view.results.hits]
    groups = [_group(group, wanted) for group in view.results.groups]
    ms = (time.perf_counter() - began) * 1000
    return jsonify(_found(wanted.text, view) | {"hits": found, "groups": groups, "ms": round(ms, 3)})


@blueprint.get("/suggest")
def suggest() -> Response:
    """Titles, persons and places that begin as `q` does."""
    text = request.args.get("q", "").strip()
    if len(text) > LONGEST:
        raise UsageError(_("检索词太长：最多 %(n)d 个字。", n=LONGEST))
    kinds = {"title": _("题名"), "person": _("人名"), "place": _("地名")}
    found = [
        {
            "text": one.text,
            "kind": one.kind,
            "items": one.items,
            "note": presenting.joined((kinds.get(one.kind, one.kind), _("%(n)s 种", n=f"{one.items:,}"))),
            "url": absolute(url_for("search.page", q=one.text)),
        }
        for one in (hall().reading.suggest(reader(), text, _whole("limit", 10, 50)) if text else ())
    ]
    return jsonify(query=text, suggestions=found)


def _found(text: str, view: SearchView) -> dict[str, Any]:
    results, definitions = view.results, hall().definitions
    return {
        "query": text,
        "understood": results.understood,
        "total": results.total,
        "items": results.items,
        "metadata_total": results.metadata_total,
        "occurrences": results.occurrences,
        "works": results.works,
        "forms": _pairs("form", results.forms),
        "unquoted": results.unquoted,
        "expansions": [
            {"word": one.word, "kind": one.kind, "applied": one.applied, "words": _pairs("word", one.words)} for one in results.expansions
        ],
        "offers": [{"name": one.name, "kind": one.kind, "note": one.note, "others": _pairs("name", one.others)} for one in results.offers],
        "corrections": _pairs("query", results.corrections),
        "wider": [{"scope": scope or "neighbour", "count": count} for scope, count in results.wider],
        "facets": {
            name: [{"value": c.value, "label": narrowing.value_label(name, c.value, definitions), "count": c.count} for c in counts]
            for name, counts in results.facets.items()
        },
        "page": view.page,
        "size": view.size,
    }


def _pairs(name: str, given: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{name: text, "count": count} for text, count in given]


def _group(group: Group, wanted: Asked) -> dict[str, Any]:
    return {
        "item": group.item,
        "title": group.title,
        "total": group.total,
        "matches": group.matches,
        "hits": [_hit(hit, wanted) for hit in group.hits],
    }


def _hit(hit: Hit, wanted: Asked) -> dict[str, Any]:
    return {
        "target": hit.target,
        "item": hit.item,
        "title": hit.title,
        "page": hit.key if hit.target == "page" else None,
        "segment": hit.key if hit.target == "segment" else None,
        "start": hit.start,
        "end": hit.end,
        "label": hits.hit_label(hit),
        "score": hit.score,
        "matches": hit.matches,
        "snippets": [{"text": s.text, "spans": [[span.start, span.end] for span in s.spans]} for s in hit.snippets],
        "reasons": [{"typed": typed, "written": written} for typed, written in hit.reasons],
        "url": absolute(hits.hit_url(hit, wanted.text, wanted.taboo)),
    }


@blueprint.get("/concordance")
def lines() -> Response:
    """Lines of a concordance, sorted, with its dispersion."""
    wanted = concordance.wanted(request.args, strict=True)
    if not wanted.search.text:
        raise UsageError(_("缺少检索词：q="))
    found = concordance.run(wanted)
    return jsonify(concordance.in_json(wanted, found))


@blueprint.get("/items")
def items() -> Response:
    """Items that the reader sees, a page at a time."""
    page, size = _whole("page", 1, 10**6), _whole("size", 24, ITEMS_MOST)
    collection, kind = request.args.get("collection") or None, request.args.get("kind") or None
    sort = request.args.get("sort", "title")
    listed = hall().reading.items(reader(), collection=collection, kind=kind, page=page, size=size, sort=sort)
    return jsonify(total=listed.total, page=listed.page, size=listed.size, items=[_line(summary) for summary in listed.items])


def _whole(name: str, default: int, most: int) -> int:
    text = request.args.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise UsageError(_("%(name)s 应是 %(low)d 到 %(high)d 的整数。", name=name, low=1, high=most))
    return int(text)


def _line(summary: ItemSummary) -> dict[str, Any]:
    return {
        "id": summary.id,
        "title": summary.title,
        "kind": summary.kind,
        "collection": summary.collection,
        "date": summary.date,
        "pages": summary.pages,
        "recordings": summary.recordings,
        "thumbnail": absolute(url_for("media.thumb", key=summary.thumb, size=400)) if summary.thumb else None,
        "url": absolute(url_for("browse.item", item=summary.id)),
        "manifest": manifest_url(summary.id),
    }


def manifest_url(item: str) -> str | None:
    """The address of an item's IIIF manifest."""
    return absolute(url_for("iiif.manifest", item=item))


@blueprint.get("/items/<item>")
def item(item: str) -> Response:
    """The whole record of an item, without page texts."""
    seen = hall().reading.whole(reader(), item_or_404(item))
    profile = hall().definitions.profiles.get(seen.kind)
    files = {file.id for file in seen.files}
    return jsonify(
        id=seen.id,
        title=seen.title,
        kind=seen.kind,
        kind_label=presenting.kind_label(hall().definitions, seen.kind),
        collection=seen.collection,
        accession=seen.accession,
        date=records.to_record(seen.date) if seen.date else None,
        fields=[
            {"key": f.key, "label": f.label, "label_en": f.label_en, "term": f.term, "values": list(seen.fields[f.key])}
            for f in (profile.fields if profile else ())
            if not f.staff_only and seen.fields.get(f.key)
        ],
        rights=_rights(seen.rights),
        direction=presenting.direction(seen, profile),
        to_describe=seen.to_describe,
        pages=[_page_line(seen, page) for page in seen.pages],
        files=[_file(seen.id, file) for file in seen.files],
        tracks=[_track(seen.id, track) for track in seen.tracks],
        segments=[
            {
                "id": s.id,
                "media": s.media if s.media in files else None,
                "start": s.start,
                "end": s.end,
                "title": s.title,
                "kind": s.kind,
                "fields": {key: list(values) for key, values in s.fields.items()},
                "url": absolute(url_for("browse.segment", item=seen.id, segment=s.id)),
            }
            for s in seen.segments
        ],
        sections=[_section(seen.id, section) for section in seen.sections],
        url=absolute(url_for("browse.item", item=seen.id)),
        manifest=manifest_url(seen.id),
    )


def _section(item: str, section: Section) -> dict[str, Any]:
    """A section with those inside it; `accepted` False only for staff, who see what is proposed."""
    return {
        "id": section.id,
        "title": section.title,
        "level": section.level,
        "category": section.category,
        "page": section.page,
        "accepted": section.accepted,
        "url": absolute(url_for("browse.page", item=item, page=section.page)),
        "children": [_section(item, child) for child in section.children],
    }


def _rights(rights: Rights) -> dict[str, Any]:
    return {
        "audience": rights.audience.value if rights.audience else None,
        "embargo": {"until": rights.embargo.until.isoformat(), "after": rights.embargo.after.value} if rights.embargo else None,
        "status": rights.status or "未定",
        "statement": rights.statement or None,
    }


def _page_line(item: Item, page: Page) -> dict[str, Any]:
    label = presenting.leaf_label(page)
    return {
        "id": page.id,
        "position": page.position,
        "label": label.text,
        "folio": _folio(page),
        "section": page.section,
        "missing": page.missing,
        "image": _image(item.id, page.image),
        "url": absolute(url_for("browse.page", item=item.id, page=page.id)),
    }


def _folio(page: Page) -> dict[str, Any] | None:
    folio = page.folio
    if folio is None:
        return None
    side = folio.side.value if folio.side else None
    return {"juan": folio.juan, "ce": folio.ce, "ye": folio.ye, "side": side, "verified": folio.verified}


def _image(item: str, ref: FileRef | None) -> dict[str, Any] | None:
    if ref is None:
        return None
    key = file_key(item, ref.file, ref.part)
    return {
        "file": key,
        "region": list(ref.region) if ref.region else None,
        "service": absolute(url_for("images.base", key=key)),
        "thumbnail": absolute(url_for("media.thumb", key=key, size=400)),
    }


def _file(item: str, file: MediaFile) -> dict[str, Any]:
    key = file_key(item, file.id)
    return {
        "id": file.id,
        "key": key,
        "name": presenting.file_name(file.path),
        "role": file.role.value,
        "kind": file.kind.value,
        "media_type": file.media_type,
        "format": file.format,
        "size": file.size,
        "sha512": file.sha512,
        "width": file.width,
        "height": file.height,
        "duration": file.duration,
        "parts": file.parts,
        "damaged": file.damaged,
        "technical": dict(presenting.technical(file)),
        "original": absolute(url_for("media.original", key=key)),
    }


def _track(item: str, track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "media": track.media,
        "language": track.language,
        "timed": track.timed,
        "cues": [{"start": cue.start, "end": cue.end, "text": cue.text} for cue in track.cues],
        "vtt": absolute(url_for("browse.cues", item=item, track=track.id)) if track.timed else None,
    }


@blueprint.get("/items/<item>/pages/<page>")
def page(item: str, page: str) -> Response:
    """One page with its texts, lines and boxes."""
    view = hall().reading.page(reader(), item_or_404(item), page)
    label = presenting.leaf_label(view.page)
    return jsonify(
        id=view.page.id,
        item=view.item.id,
        title=view.item.title,
        position=view.position,
        of=view.of,
        label=label.text,
        folio=_folio(view.page),
        section=view.page.section,
        missing=view.page.missing,
        note=view.page.note,
        image=_image(view.item.id, view.page.image) if view.image else None,
        width=view.width,
        height=view.height,
        text=view.text.text if view.text else None,
        source=view.text.source.value if view.text else None,
        texts=[_text(version) for version in view.page.texts],
        previous=_page_url(item, view.previous),
        next=_page_url(item, view.next),
        url=absolute(url_for("browse.page", item=item, page=page)),
    )


def _page_url(item: str, page: str | None) -> str | None:
    return absolute(url_for("api.page", item=item, page=page)) if page else None


def _text(version: TextVersion) -> dict[str, Any]:
    return {
        "source": version.source.value,
        "status": version.status,
        "at": version.at or None,
        "lines": [
            {"text": line.text, "box": list(line.box) if line.box else None, "confidence": line.confidence, "kind": line.kind}
            for line in version.lines
        ],
    }


@blueprint.get("/<path:_rest>")
def nothing(_rest: str) -> Response:
    """Whatever else is asked for below `/api/v1/`: a JSON problem, not a page."""
    raise NotFound("api")
