"""An item as a IIIF Presentation 3.0 manifest: leaves as canvases in reading order, recordings as canvases with a duration.

Pure but for the language: the item as one reader sees it goes in, a JSON-ready dict comes out. Ids of canvases and of annotation pages
hang on ids that are minted once (`p12`, `f3`) and never move. A manifest of 500 leaves is made in some 20 ms of CPU, so addresses are
put together here and not by the router; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import escape

from archive import language
from archive.derivatives.page_image import thumbnail_size
from archive.language import _
from archive.model.folios import Side
from archive.model.item import FileRef, Item, MediaKind, Page
from archive.model.profile import Definitions
from archive.services.reading import LeafOutline, Outline
from archive.settings import Settings
from archive.web import presenting, table_of_contents, text_annotations
from archive.web.iiif_parts import CONTEXT, EMPTY, Json, Links, Sounding, Words, both, recording_label, tracks_of, words

THUMB = 400
"""Longest side of a thumbnail, one of those that are stored."""
_SPREAD = 1.25
"""An image this much wider than high shows a whole unfolded leaf, or both pages of an opening."""
_LICENCES = ("creativecommons.org/", "rightsstatements.org/")


def manifest(
    outline: Outline,
    soundings: Sequence[Sounding],
    definitions: Definitions,
    settings: Settings,
    links: Links,
    start: str | None = None,
) -> Json:
    """The manifest of an item without anything that its reader may not see; `start` the page or recording that viewers open first."""
    item = outline.item
    labels = leaf_labels([leaf.page for leaf in outline.leaves])
    canvases = [_leaf(leaf, label, links) for leaf, label in zip(outline.leaves, labels, strict=True)]
    canvases += [_recording(item, sounding, len(soundings), links) for sounding in soundings]
    body: Json = {"@context": CONTEXT, "id": links.manifest, "type": "Manifest", "label": words(item.title, item.title)}
    body["metadata"] = _metadata(item, definitions)
    description = item.fields.get("description", ())
    if description:
        body["summary"] = {"zh": [_plain(text) for text in description]}
    body |= _rights(item, definitions)
    body["provider"] = [provider(settings, links.root)]
    body["homepage"] = [
        {"id": links.page, "type": "Text", "label": words(item.title, item.title), "format": "text/html", "language": ["zh", "en"]}
    ]
    body["seeAlso"] = _see_also(links)
    rendering = _rendering(outline, links)
    if rendering:
        body["rendering"] = rendering
    if not item.collection or item.collection in definitions.collections:
        slug = item.collection or UNFILED
        holding = {"id": f"{links.root}/iiif/collections/{slug}", "type": "Collection", "label": holding_label(definitions, slug)}
        body["partOf"] = [holding]
    if outline.leaves:
        rtl = presenting.direction(item, outline.profile) == "rtl"
        body["viewingDirection"] = "right-to-left" if rtl else "left-to-right"
        body["behavior"] = ["paged" if is_paged(outline) else "individuals"]
    thumbnail = next((canvas["thumbnail"] for canvas in canvases if "thumbnail" in canvas), None)
    if thumbnail:
        body["thumbnail"] = thumbnail
    if start is not None:
        body["start"] = {"id": links.canvas(start), "type": "Canvas"}
    if item.tracks or item.segments or any(leaf.has_text for leaf in outline.leaves):
        body["service"] = search_services(links.root, item.id)
    body["items"] = canvases or [_empty(links)]
    structures = structures_of(outline, soundings, links)
    if structures:
        body["structures"] = structures
    return body


def structures_of(outline: Outline, soundings: Sequence[Sounding], links: Links) -> list[Json]:
    """The ranges of an item."""
    return table_of_contents.structures(outline, soundings, [recording_label(sounding.file) for sounding in soundings], links)


def canvas(outline: Outline, soundings: Sequence[Sounding], links: Links, part: str) -> Json | None:
    """One canvas by itself, None when the reader has none of that name."""
    for leaf in outline.leaves:
        if leaf.page.id == part:
            found = _leaf(leaf, leaf_labels([leaf.page])[0], links)
            break
    else:
        sounding = next((sounding for sounding in soundings if sounding.root == part), None)
        if sounding is None:
            return None
        found = _recording(outline.item, sounding, len(soundings), links)
    return {"@context": CONTEXT} | found | {"partOf": [{"id": links.manifest, "type": "Manifest"}]}


@lru_cache(maxsize=16)
def provider(settings: Settings, root: str) -> Json:
    """This house."""
    name = {"zh": [settings.name], "en": [settings.name_en]}
    return {
        "id": f"{root}/",
        "type": "Agent",
        "label": name,
        "homepage": [{"id": f"{root}/", "type": "Text", "label": name, "format": "text/html"}],
        "logo": [{"id": f"{root}/static/img/seal.svg", "type": "Image", "format": "image/svg+xml", "width": 32, "height": 32}],
    }


def search_services(root: str, item: str) -> list[Json]:
    """Content Search 2.0, and 1.0 which today's viewers ask for, each with its completion."""
    return [
        {
            "id": f"{root}/iiif/search/2/{item}",
            "type": "SearchService2",
            "service": [{"id": f"{root}/iiif/autocomplete/2/{item}", "type": "AutoCompleteService2"}],
        },
        {
            "@id": f"{root}/iiif/search/1/{item}",
            "@type": "SearchService1",
            "profile": "http://iiif.io/api/search/1/search",
            "label": "书内检索 Search within",
            "service": {
                "@id": f"{root}/iiif/autocomplete/1/{item}",
                "@type": "AutoCompleteService1",
                "profile": "http://iiif.io/api/search/1/autocomplete",
                "label": "提示 Suggestions",
            },
        },
    ]


def is_paged(outline: Outline) -> bool:
    """True when leaves lie side by side two by two: right to left, single sides, and the first alone on its page.

    Viewers show the first canvas alone and pair the rest. Where the sides as printed say that this would pair them wrongly (a cover before
    the first leaf, a book that begins with a verso) each stands for itself: no pair is better than a wrong one.
    """
    if len(outline.leaves) < 2 or presenting.direction(outline.item, outline.profile) != "rtl":
        return False
    wide = sum(1 for leaf in outline.leaves if leaf.width and leaf.height and leaf.width > _SPREAD * leaf.height)
    if 2 * wide > len(outline.leaves):
        return False
    sided = [
        (n % 2 == 0) == (leaf.page.folio.side is Side.RECTO)
        for n, leaf in enumerate(outline.leaves)
        if leaf.page.folio and leaf.page.folio.side
    ]
    return 2 * sum(sided) >= len(sided)


def leaf_labels(pages: Sequence[Page]) -> list[Words]:
    """What leaves are called in both languages, marked where nobody has looked at the 卷 and 叶, or the leaf is missing."""
    with language.in_language("zh"):
        chinese = [_leaf_label(page) for page in pages]
    with language.in_language("en"):
        english = [_leaf_label(page) for page in pages]
    return [words(zh, en) for zh, en in zip(chinese, english, strict=True)]


def _leaf_label(page: Page) -> str:
    label = presenting.leaf_label(page)
    if page.missing:
        return _("%(label)s（缺叶）", label=label.text)
    return _("%(label)s（未核）", label=label.text) if label.unverified else label.text


def _metadata(item: Item, definitions: Definitions) -> list[Json]:
    with language.in_language("zh"):
        chinese = presenting.details(item, definitions)
    with language.in_language("en"):
        english = presenting.details(item, definitions)
    found = []
    for zh, en in zip(chinese, english, strict=True):
        one, other = [[_plain(value.text) for value in row.values] for row in (zh, en)]
        value = {"none": one} if one == other else {"zh": one, "en": other}
        found.append({"label": {"zh": [zh.label], "en": [en.label]}, "value": value})
    return found


def _plain(text: str) -> str:
    """Text that no viewer takes for HTML (Presentation 3.0 §4.5: HTML is what begins with < and ends with >)."""
    text = text.strip()
    return f"<span>{escape(text)}</span>" if text.startswith("<") and text.endswith(">") else text


def _rights(item: Item, definitions: Definitions) -> Json:
    with language.in_language("zh"):
        chinese = presenting.rights_status(item, item.rights, definitions)
    with language.in_language("en"):
        english = presenting.rights_status(item, item.rights, definitions)
    found: Json = {
        "requiredStatement": {
            "label": {"zh": ["权利状态"], "en": ["Rights status"]},
            "value": words(_plain(chinese), _plain(english)),
        }
    }
    scheme, _colon, rest = item.rights.statement.strip().partition("://")
    if scheme in ("http", "https") and rest.removeprefix("www.").startswith(_LICENCES):
        # Presentation 3.0 §3.1 rights: the address as those who keep it write it, which begins with http.
        found["rights"] = "http://" + rest.removeprefix("www.")
    return found


def _see_also(links: Links) -> list[Json]:
    return [
        {"id": links.record, "type": "Dataset", "label": {"zh": ["记录"], "en": ["Record"]}, "format": "application/json"},
        {"id": links.bibtex, "type": "Dataset", "label": {"none": ["BibTeX"]}, "format": "application/x-bibtex"},
    ]


def _rendering(outline: Outline, links: Links) -> list[Json]:
    """The whole in other shapes: text and PDF of a book, papers as they came."""
    found = []
    if any(leaf.has_text for leaf in outline.leaves):
        found.append({"id": links.text, "type": "Text", "label": {"zh": ["全文（纯文本）"], "en": ["Plain text"]}, "format": "text/plain"})
    if any(leaf.page.image for leaf in outline.leaves):
        found.append(
            {"id": links.pdf, "type": "Text", "label": {"zh": ["PDF（带文字层）"], "en": ["PDF with text"]}, "format": "application/pdf"}
        )
    for file in outline.item.files:
        if file.kind in (MediaKind.PDF, MediaKind.DOCUMENT):
            name = presenting.file_name(file.path)
            found.append({"id": links.media(file.id, "original"), "type": "Text", "label": words(name, name), "format": file.media_type})
    return found


UNFILED = "unfiled"
"""The collection of what is in no holding."""


def holding_label(definitions: Definitions, slug: str) -> Words:
    """The name of a holding in both languages."""
    slug = "" if slug == UNFILED else slug
    with language.in_language("zh"):
        chinese = presenting.holding_label(definitions, slug)
    with language.in_language("en"):
        return words(chinese, presenting.holding_label(definitions, slug))


def _leaf(leaf: LeafOutline, label: Words, links: Links) -> Json:
    page = leaf.page
    canvas_id = links.canvas(page.id)
    painted = page.image is not None and bool(leaf.width and leaf.height)
    width, height = (leaf.width or 0, leaf.height or 0) if painted else EMPTY
    found: Json = {"id": canvas_id, "type": "Canvas", "label": label, "width": width, "height": height}
    painting: Json = {"id": f"{canvas_id}/image", "type": "AnnotationPage", "items": []}
    if page.image is not None and painted:
        found["thumbnail"] = [thumbnail(page.image, width, height, links)]
        painting["items"] = [_painting(page.image, width, height, canvas_id, links)]
    found["items"] = [painting]
    if leaf.has_text:
        found["annotations"] = [{"id": links.annotations(page.id), "type": "AnnotationPage", "label": _TEXT}]
    found["homepage"] = [{"id": links.leaf(page.id), "type": "Text", "label": label, "format": "text/html"}]
    if painted and width > _SPREAD * height:
        found["behavior"] = ["facing-pages"]
    return found


_TEXT: Words = {"zh": ["本面文字"], "en": ["Text of this page"]}


def _painting(image: FileRef, width: int, height: int, canvas_id: str, links: Links) -> Json:
    base = links.service(image)
    region = ",".join(map(str, image.region)) if image.region else "full"
    body: Json = {"id": f"{base}/{region}/max/0/default.jpg", "type": "Image", "format": "image/jpeg", "width": width, "height": height}
    if not image.region:
        # A viewer that is told of a service shows all of its image. Where one image holds two pages it gets the cut alone.
        body["service"] = [
            {"id": base, "type": "ImageService3", "profile": "level2", "width": width, "height": height},
            {"@id": links.service(image, 2), "@type": "ImageService2", "profile": "http://iiif.io/api/image/2/level2.json"},
        ]
    return {"id": f"{canvas_id}/painting", "type": "Annotation", "motivation": "painting", "body": body, "target": canvas_id}


def thumbnail(image: FileRef, width: int, height: int, links: Links) -> Json:
    """A small picture of a page: one that lies ready, or of a region one that is cut from the smallest level that has it."""
    base = links.service(image)
    if image.region:
        scale = min(1.0, THUMB / max(width, height))
        w, h = max(1, round(width * scale)), max(1, round(height * scale))
        region = ",".join(map(str, image.region))
        return {"id": f"{base}/{region}/{w},{h}/0/default.jpg", "type": "Image", "format": "image/jpeg", "width": w, "height": h}
    w, h = thumbnail_size(width, height, THUMB)
    small, large = thumbnail_size(width, height, 200), thumbnail_size(width, height, 800)
    sizes = [{"width": a, "height": b} for a, b in dict.fromkeys((small, (w, h), large))]
    service = {"id": base, "type": "ImageService3", "profile": "level2", "width": width, "height": height, "sizes": sizes}
    shown = {"id": f"{base}/full/{w},{h}/0/default.jpg", "type": "Image", "format": "image/jpeg", "width": w, "height": h}
    return shown | {"service": [service]}


def _recording(item: Item, sounding: Sounding, soundings: int, links: Links) -> Json:
    canvas_id, file = links.canvas(sounding.root), sounding.file
    film = file.kind is MediaKind.FILM
    found: Json = {"id": canvas_id, "type": "Canvas", "label": recording_label(file), "duration": file.duration}
    body: Json = {
        "id": links.media(file.id, "web"),
        "type": "Video" if film else "Sound",
        "format": sounding.media_type,
        "duration": file.duration,
    }
    if film:
        size = {"width": file.width or 640, "height": file.height or 480}
        found |= size
        body |= size
        if sounding.poster:
            found["thumbnail"] = [{"id": links.media(file.id, "poster"), "type": "Image", "format": "image/jpeg"}]
    painting = [{"id": f"{canvas_id}/painting", "type": "Annotation", "motivation": "painting", "body": body, "target": canvas_id}]
    found["items"] = [{"id": f"{canvas_id}/media", "type": "AnnotationPage", "items": painting if sounding.media_type else []}]
    tracks = tracks_of(item, sounding, soundings)
    captions = [_captions(track.id, track.language, canvas_id, links) for track in tracks if track.timed]
    annotations: list[Json] = []
    if captions:
        annotations.append({"id": f"{canvas_id}/captions", "type": "AnnotationPage", "items": captions})
    if tracks:
        # Not by reference: Mirador 4.0 shows no recording one of whose annotation pages has no items (MiradorCanvas.v3VttContent).
        annotations.append(text_annotations.embedded(tracks, sounding, links))
    if annotations:
        found["annotations"] = annotations
    return found


def _captions(track: str, tongue: str, canvas_id: str, links: Links) -> Json:
    body = {"id": links.cues(track), "type": "Text", "format": "text/vtt", "language": tongue, "label": both("随声文字")}
    return {"id": f"{canvas_id}/captions/{track}", "type": "Annotation", "motivation": "supplementing", "body": body, "target": canvas_id}


def _empty(links: Links) -> Json:
    """A manifest must have a canvas; an item of papers alone gets an empty one that leads to its page."""
    canvas_id = links.canvas("none")
    return {
        "id": canvas_id,
        "type": "Canvas",
        "label": {"zh": ["无影像"], "en": ["No images"]},
        "width": EMPTY[0],
        "height": EMPTY[1],
        "items": [{"id": f"{canvas_id}/image", "type": "AnnotationPage", "items": []}],
        "homepage": [{"id": links.page, "type": "Text", "label": {"zh": ["藏品页"], "en": ["Item page"]}, "format": "text/html"}],
    }
