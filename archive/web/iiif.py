"""IIIF Presentation 3: a manifest for each item, its canvases, ranges and text, and collections.

The image services lie in `iiif_images.py`, Content Search in `iiif_search.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, request

from archive.errors import NotFound, UsageError
from archive.model.identifiers import file_key
from archive.model.item import Item, MediaFile, MediaKind
from archive.services.reading import LeafOutline, Outline
from archive.services.seeing import CutRecording
from archive.web import collections, derived, presentation, recordings, text_annotations
from archive.web.hall import absolute, cache_rule, hall, open_to_viewers, reader
from archive.web.iiif_parts import CONTEXT, Links, Sounding, tracks_of
from archive.web.problems import answer, item_or_404

blueprint = Blueprint("iiif", __name__, url_prefix="/iiif")
blueprint.after_request(open_to_viewers)


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    return answer(400, str(error))


@blueprint.get("/3/<item>/manifest")
def manifest(item: str) -> Response:
    """The item as a Presentation 3 manifest, as this reader may see it. `?page=p12` (or `f3`) names the canvas to begin with."""
    outline, soundings = _opened(item)
    start = request.args.get("page")
    if start is not None and not _has(outline, soundings, start):
        raise NotFound(item)
    links = links_of(item)
    return _document(presentation.manifest(outline, soundings, hall().definitions, hall().settings, links, start))


@blueprint.get("/3/<item>/canvas/<part>")
def canvas(item: str, part: str) -> Response:
    """One canvas by itself, for whoever looks up its address."""
    found = presentation.canvas(*_opened(item), links_of(item), part)
    if found is None:
        raise NotFound(part)
    return _document(found)


@blueprint.get("/3/<item>/range/<part>")
def range_of(item: str, part: str) -> Response:
    """One range by itself."""
    outline, soundings = _opened(item)
    links = links_of(item)
    wanted = f"{links.base}/range/{quote(part)}"
    waiting = presentation.structures_of(outline, soundings, links)
    for found in waiting:
        if found["id"] == wanted:
            return _document({"@context": CONTEXT} | found | {"partOf": [{"id": links.manifest, "type": "Manifest"}]})
        waiting += [inside for inside in found["items"] if inside["type"] == "Range"]
    raise NotFound(part)


@blueprint.get("/3/<item>/annotations/<part>")
def text_of(item: str, part: str) -> Response:
    """The text of a leaf or a recording, a line an annotation."""
    item_or_404(item)
    if part.startswith("p"):
        return _document(text_annotations.of_page(hall().reading.page(reader(), item, part), links_of(item)))
    outline, soundings = _opened(item)
    for sounding in soundings:
        if sounding.root == part:
            return _document(text_annotations.of_recording(tracks_of(outline.item, sounding, len(soundings)), sounding, links_of(item)))
    raise NotFound(part)


@blueprint.get("/collections/root")
def root() -> Response:
    """Every holding in which the reader sees anything."""
    return _document(collections.root(hall().reading, reader(), hall().definitions, hall().settings, _root()))


@blueprint.get("/collections/<slug>")
def collection(slug: str) -> Response:
    """A holding: those beneath it, and its items; of many items a collection for each hundred."""
    return _document(collections.holding(hall().reading, reader(), hall().definitions, hall().settings, _root(), slug))


@blueprint.get("/collections/<slug>/<number>")
def shelf(slug: str, number: str) -> Response:
    """One hundred of a holding's items."""
    if not number.isdecimal() or not number.isascii() or len(number) > 7:
        raise NotFound(slug)
    return _document(collections.shelf(hall().reading, reader(), hall().definitions, hall().settings, _root(), slug, int(number)))


def _document(body: dict[str, Any]) -> Response:
    """A Presentation 3 document; the tag is of its bytes."""
    response = Response(msgspec.json.encode(body), mimetype=None)
    response.headers["Content-Type"] = f'application/ld+json;profile="{CONTEXT}"'
    response.headers["Cache-Control"] = cache_rule(60)
    response.add_etag()
    response.make_conditional(request)
    return response


def _opened(item: str) -> tuple[Outline, list[Sounding]]:
    """The item without texts, sizes known as far as anything knows them, and its recordings."""
    outline = hall().reading.outline(reader(), item_or_404(item))
    if any(leaf.page.image and not leaf.width for leaf in outline.leaves):
        outline = replace(outline, leaves=tuple(map(_measured, outline.leaves, repeat(item))))
    return outline, _soundings(outline.item, outline.cut)


def soundings_of(item: str) -> list[Sounding]:
    """The recordings of an item, as its manifest has them."""
    view = hall().reading.item(reader(), item, pages_size=1)
    return _soundings(view.item, view.cut)


def _soundings(item: Item, cut: Sequence[CutRecording]) -> list[Sounding]:
    cuts = {one.file.id: one.cuts for one in cut}
    families = recordings.families((*item.files, *(one.file for one in cut)))
    return [found for versions in families if (found := _sounding(item.id, versions, cuts)) is not None]


def _measured(leaf: LeafOutline, item: str) -> LeafOutline:
    """The leaf with the size of its image as its tiles have it, where the catalogue has none."""
    image = leaf.page.image
    if image is None or leaf.width:
        return leaf
    file = hall().reading.file(reader(), file_key(item, image.file, image.part)).file
    width, height = derived.size(file, image.part) or (None, None)
    return replace(leaf, width=width, height=height)


def _sounding(item: str, versions: list[MediaFile], cuts: Mapping[str, derived.Cuts]) -> Sounding | None:
    """A recording with the best of its versions, whole where the reader may hear it whole; None when nobody knows how long it is."""
    best = min(versions, key=lambda file: (file.id in cuts, *recordings.rank(file)))
    if not best.duration:
        return None
    cut = cuts.get(best.id, ())
    copy = derived.web_copy(item, best, cut)
    poster = best.kind is MediaKind.FILM and derived.poster(best, cut) is not None
    root = next((v.id for v in versions if v.version_of is None), versions[0].id)
    return Sounding(root, best, copy.media_type if copy else None, poster, frozenset(v.id for v in versions))


def _has(outline: Outline, soundings: list[Sounding], part: str) -> bool:
    return any(leaf.page.id == part for leaf in outline.leaves) or any(sounding.root == part for sounding in soundings)


def _root() -> str:
    """The archive's public address, without a slash at its end."""
    return absolute(request.script_root)


def links_of(item: str) -> Links:
    """Addresses for the documents of an item."""
    return Links(_root(), item)
