"""`Item` to rows. Pure: what `items` writes and what a settled visibility needs is worked out here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec

from archive import records
from archive.catalogue import shown
from archive.model.access import Access, Terms, change_days, settle
from archive.model.identifiers import file_key
from archive.model.item import Item, MediaFile, MediaKind, Page
from archive.model.rights import visibility


@dataclass(frozen=True, slots=True)
class ItemRows:
    """Rows of every table for one item, ready to be written."""

    item: dict[str, Any]
    pages: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    files: list[dict[str, Any]]
    tracks: list[dict[str, Any]]
    shown: list[dict[str, Any]]


def to_json(value: object) -> str:
    """A model value as compact JSON."""
    return msgspec.json.encode(records.to_record(value)).decode()


def make_rows(item: Item, *, version: int, batch: str, at: str, day: date) -> ItemRows:
    """The rows of `item` as its rights stand from `day` on."""
    access = Access(item)
    files = {file.id: file for file in item.files}
    in_order = sorted(item.pages, key=lambda page: page.position)
    pages = [_page(item.id, n, page, access, files, day) for n, page in enumerate(in_order, 1)]
    placed = _placed(item)
    file_rows = [_file(item.id, n, file, access, file.id in placed, day) for n, file in enumerate(item.files, 1)]
    tracks = [
        {"item": item.id, "id": track.id, "position": n, "record": to_json(track)} | _columns(settle(day, access.track(track)))
        for n, track in enumerate(item.tracks, 1)
    ]
    texts = [_texts(item.id, page, access, day) for page in in_order if page.texts]
    terms = item_terms(item, day)
    row = _item(item, terms, day) | {"version": version, "batch": batch, "described_at": at}
    lines = shown.rows(_parts(item, terms, pages, file_rows, access, day), _static(item, row))
    return ItemRows(row, pages, texts, file_rows, tracks, lines)


def item_terms(item: Item, day: date) -> Terms:
    """On what terms the item itself is seen; one that states no audience is staff."""
    seen = visibility(day, item.rights)
    until = seen.changes.toordinal() if seen.changes else None
    return Terms(seen.now.rank, until, seen.next.rank if seen.next else None)


def _item(item: Item, terms: Terms, day: date) -> dict[str, Any]:
    span = item.date.span if item.date else None
    changes = next((d.toordinal() for d in change_days(item) if d > day), None)
    return {
        "id": item.id,
        "accession": item.accession,
        "key": item.key,
        "kind": item.kind,
        "collection": item.collection,
        "title": item.title,
        "date": item.date.written if item.date else "",
        "year_first": span.first if span else None,
        "year_last": span.last if span else None,
        "changes": changes,
        "to_describe": int(item.to_describe),
        "n_pages": len(item.pages),
        "record": to_json(replace(item, files=(), pages=(), tracks=())),
    } | _columns(terms)


def _columns(terms: Terms, prefix: str = "") -> dict[str, int | None]:
    return {f"{prefix}rank": terms.rank, f"{prefix}until": terms.until, f"{prefix}after": terms.after}


def _page(item: str, position: int, page: Page, access: Access, files: Mapping[str, MediaFile], day: date) -> dict[str, Any]:
    """One page; `position` counts from 1 without gaps. The text's terms are those on which any reading of it is seen."""
    image = files.get(page.image.file) if page.image else None
    width, height = _size(page, image)
    return {
        "item": item,
        "position": position,
        "id": page.id,
        "file": page.image.file if page.image else None,
        "part": page.image.part if page.image else None,
        "width": width,
        "height": height,
        "texts": len(page.texts),
        "record": to_json(replace(page, texts=())),
    } | (
        _columns(access.page_terms(page, day))
        | _columns(settle(day, access.image(page)), "image_")
        | _columns(access.text_terms(page, day), "text_")
    )


def _texts(item: str, page: Page, access: Access, day: date) -> dict[str, Any]:
    terms = [settle(day, access.text(page, version)) for version in page.texts]
    return {"item": item, "page": page.id, "record": to_json(page.texts), "terms": to_json(terms)}


def _size(page: Page, image: MediaFile | None) -> tuple[int | None, int | None]:
    """Width and height of a page's image in pixels, upright."""
    if page.image is None or image is None:
        return None, None
    if page.image.region is not None:
        return page.image.region[2], page.image.region[3]
    sizes = image.technical.get("part_sizes")
    if page.image.part is not None and isinstance(sizes, list | tuple) and 0 < page.image.part <= len(sizes):
        width, height = sizes[page.image.part - 1]
        return int(width), int(height)
    return image.width, image.height


def _placed(item: Item) -> set[str]:
    """Files that a reader meets on a page and not in the list beside it: single images and the sidecars of pages."""
    images = {page.image.file for page in item.pages if page.image and page.image.part is None}
    return images | {version.file for page in item.pages for version in page.texts if version.file}


def _file(item: str, position: int, file: MediaFile, access: Access, placed: bool, day: date) -> dict[str, Any]:
    return {
        "item": item,
        "id": file.id,
        "position": position,
        "path": file.path,
        "sha512": file.sha512,
        "media_type": file.media_type,
        "kind": file.kind.value,
        "role": file.role.value,
        "size": file.size,
        "personal": int(file.personal),
        "placed": int(placed),
        "record": to_json(file),
    } | _columns(settle(day, access.file(file.id)))


_RECORDED = (MediaKind.SOUND, MediaKind.FILM)
_PICTURES = (MediaKind.FILM, MediaKind.IMAGE, MediaKind.PDF)


def _parts(item: Item, terms: Terms, pages: list[dict[str, Any]], files: list[dict[str, Any]], access: Access, day: date) -> shown.Parts:
    parts = shown.Parts(terms)
    for page in pages:
        parts.pages[_terms(page)] += 1
        if page["file"] is not None:
            parts.thumbs.setdefault(_terms(page, "image_"), file_key(item.id, page["file"], page["part"]))
    # Of a recording with closed passages everybody whom all else admits gets at least the copy without them.
    cut = {file.id: settle(day, access.without_passages(file.id)) for file in item.files if file.kind in _RECORDED and access.cuts(file.id)}
    for kind in _PICTURES:
        for row in files:
            if row["kind"] == kind.value:
                parts.thumbs.setdefault(cut.get(row["id"], _terms(row)), file_key(item.id, row["id"]))
    for row, file in zip(files, item.files, strict=True):
        if file.kind in _RECORDED:
            heard = cut.get(file.id, _terms(row))
            parts.recordings.setdefault(access.family(file.id), []).append((heard, file.duration or 0.0))
    return parts


def _terms(row: Mapping[str, Any], prefix: str = "") -> Terms:
    return Terms(row[f"{prefix}rank"], row[f"{prefix}until"], row[f"{prefix}after"])


def _static(item: Item, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "item": item.id,
        "collection": item.collection,
        "kind": item.kind,
        "sort_title": shown.sort_key(item.title),
        "sort_year": row["year_first"] if row["year_first"] is not None else shown.NO_YEAR,
        "sort_added": row["described_at"],
    }
