"""An item as a IIIF Presentation 3.0 manifest: leaves as canvases in reading order, recordings as canvases with a duration.

Pure: the item as one reader sees it goes in, a JSON-ready dict comes out. Canvas ids are minted with the pages and never move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archive import language
from archive.model.item import Item, MediaFile, MediaKind, Page
from archive.model.profile import Definitions
from archive.settings import Settings
from archive.web import derived, presenting

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
EMPTY = (1500, 2000)
"""Width and height of the canvas of a leaf that has no image."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses that a manifest names."""

    manifest: str
    page: str
    record: str
    home: str
    leaf: Callable[[str], str]
    service: Callable[[str, int | None], str]
    thumb: Callable[[str, int | None, int], str]
    web: Callable[[str], str]
    poster: Callable[[str], str]
    cues: Callable[[str], str]


def manifest(item: Item, definitions: Definitions, settings: Settings, links: Links) -> Json:
    """The manifest of an item without anything that its reader may not see."""
    profile = definitions.profiles.get(item.kind)
    files = {file.id: file for file in item.files}
    canvases = [_leaf(item, page, files, links) for page in item.pages]
    canvases += [canvas for file in item.files if (canvas := _recording(item, file, links)) is not None]
    right_to_left = presenting.direction(item, profile) == "rtl"
    body: Json = {
        "@context": CONTEXT,
        "id": links.manifest,
        "type": "Manifest",
        "label": {"zh": [item.title]},
        "metadata": _metadata(item, definitions),
        "provider": [
            {
                "id": links.home,
                "type": "Agent",
                "label": {"zh": [settings.name], "en": [settings.name_en]},
                "homepage": [{"id": links.home, "type": "Text", "label": {"zh": [settings.name]}, "format": "text/html"}],
            }
        ],
        "homepage": [{"id": links.page, "type": "Text", "label": {"zh": [item.title]}, "format": "text/html"}],
        "seeAlso": [{"id": links.record, "type": "Dataset", "label": {"zh": ["记录"], "en": ["Record"]}, "format": "application/json"}],
    }
    description = item.fields.get("description", ())
    if description:
        body["summary"] = {"zh": list(description)}
    if item.pages:
        body["viewingDirection"] = "right-to-left" if right_to_left else "left-to-right"
        body["behavior"] = ["paged"] if right_to_left and len(item.pages) > 1 else ["individuals"]
    status = item.rights.status or "未定"
    body["requiredStatement"] = {"label": {"zh": ["权利状态"], "en": ["Rights status"]}, "value": {"zh": [status]}}
    if item.rights.statement.startswith(("http://creativecommons.org/", "http://rightsstatements.org/")):
        body["rights"] = item.rights.statement
    thumbnail = next((canvas["thumbnail"] for canvas in canvases if "thumbnail" in canvas), None)
    if thumbnail:
        body["thumbnail"] = thumbnail
    body["items"] = canvases or [_empty(links)]
    return body


def _metadata(item: Item, definitions: Definitions) -> list[Json]:
    with language.in_language("zh"):
        chinese = presenting.details(item, definitions)
    with language.in_language("en"):
        english = presenting.details(item, definitions)
    return [
        {"label": {"zh": [zh.label], "en": [en.label]}, "value": {"none": [value.text for value in zh.values]}}
        for zh, en in zip(chinese, english, strict=True)
    ]


def _leaf(item: Item, page: Page, files: Mapping[str, MediaFile], links: Links) -> Json:
    canvas_id = f"{links.manifest}/canvas/{page.id}"
    with language.in_language("zh"):
        label = presenting.leaf_label(page)
    width, height = _size(page, files)
    canvas: Json = {
        "id": canvas_id,
        "type": "Canvas",
        "label": {"zh": [label.text + ("（未核）" if label.unverified else "")]},
        "width": width,
        "height": height,
        "items": [{"id": f"{canvas_id}/image", "type": "AnnotationPage", "items": []}],
        "homepage": [{"id": links.leaf(page.id), "type": "Text", "label": {"zh": [label.text]}, "format": "text/html"}],
    }
    if page.missing:
        canvas["label"] = {"zh": [f"{label.text}（缺叶）"]}
    if page.image is None:
        return canvas
    base = links.service(page.image.file, page.image.part)
    region = ",".join(str(n) for n in page.image.region) if page.image.region else "full"
    service = {"id": base, "type": "ImageService3", "profile": "level2"}
    canvas["items"][0]["items"] = [
        {
            "id": f"{canvas_id}/painting",
            "type": "Annotation",
            "motivation": "painting",
            "target": canvas_id,
            "body": {
                "id": f"{base}/{region}/max/0/default.jpg",
                "type": "Image",
                "format": "image/jpeg",
                "width": width,
                "height": height,
                "service": [service],
            },
        }
    ]
    canvas["thumbnail"] = [{"id": links.thumb(page.image.file, page.image.part, 400), "type": "Image", "format": "image/jpeg"}]
    return canvas


def _size(page: Page, files: Mapping[str, MediaFile]) -> tuple[int, int]:
    if page.image is None:
        return EMPTY
    if page.image.region:
        return page.image.region[2], page.image.region[3]
    file = files.get(page.image.file)
    stored = derived.size(file, page.image.part) if file else None
    if stored is not None:
        return stored
    if file is not None and file.width and file.height:
        return file.width, file.height
    return EMPTY


def _recording(item: Item, file: MediaFile, links: Links) -> Json | None:
    if file.kind not in (MediaKind.SOUND, MediaKind.FILM) or file.version_of is not None or not file.duration:
        return None
    copy = derived.web_copy(item.id, file)
    if copy is None:
        return None
    canvas_id = f"{links.manifest}/canvas/{file.id}"
    film = file.kind is MediaKind.FILM
    body: Json = {"id": links.web(file.id), "type": "Video" if film else "Sound", "format": copy.media_type, "duration": file.duration}
    canvas: Json = {
        "id": canvas_id,
        "type": "Canvas",
        "label": {"zh": [presenting.file_name(file.path)]},
        "duration": file.duration,
    }
    if film:
        size = {"width": file.width or 640, "height": file.height or 480}
        canvas |= size
        body |= size
        if derived.poster(file):
            canvas["thumbnail"] = [{"id": links.poster(file.id), "type": "Image", "format": "image/jpeg"}]
    canvas["items"] = [
        {
            "id": f"{canvas_id}/media",
            "type": "AnnotationPage",
            "items": [{"id": f"{canvas_id}/painting", "type": "Annotation", "motivation": "painting", "target": canvas_id, "body": body}],
        }
    ]
    tracks = [track for track in item.tracks if track.timed and track.media == file.id]
    if tracks:
        canvas["annotations"] = [
            {
                "id": f"{canvas_id}/captions",
                "type": "AnnotationPage",
                "items": [
                    {
                        "id": f"{canvas_id}/captions/{track.id}",
                        "type": "Annotation",
                        "motivation": "supplementing",
                        "target": canvas_id,
                        "body": {
                            "id": links.cues(track.id),
                            "type": "Text",
                            "format": "text/vtt",
                            "language": track.language,
                            "label": {"zh": ["随声文字"]},
                        },
                    }
                    for track in tracks
                ],
            }
        ]
    return canvas


def _empty(links: Links) -> Json:
    """A manifest must have a canvas; an item of papers alone gets an empty one that leads to its page."""
    canvas_id = f"{links.manifest}/canvas/none"
    return {
        "id": canvas_id,
        "type": "Canvas",
        "label": {"zh": ["无影像"]},
        "width": EMPTY[0],
        "height": EMPTY[1],
        "items": [{"id": f"{canvas_id}/image", "type": "AnnotationPage", "items": []}],
        "homepage": [{"id": links.page, "type": "Text", "label": {"zh": ["藏品页"]}, "format": "text/html"}],
    }
