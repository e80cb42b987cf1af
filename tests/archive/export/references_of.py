"""Items for the tests of citations, from a line of `golden/citations.tsv`: small words for what a case is about."""

from __future__ import annotations

from typing import Any

from archive.export.reference import Reference, reference, stretch
from archive.model.dates import HistoricalDate
from archive.model.folios import Folio, Side
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page

LINK = "https://example.org/items/x"
KINDS = {"sound": MediaKind.SOUND, "film": MediaKind.FILM, "image": MediaKind.IMAGE}


def made(spec: dict[str, Any]) -> Reference:
    """The reference a case describes: `kind`, `title`, `date`, `files`, `page`, `of`, `t` and fields by their keys."""
    spec = dict(spec)
    item = Item(
        "x",
        "2026-017",
        spec.pop("kind", "gazetteer"),
        "",
        spec.pop("title", "興安府志"),
        date=HistoricalDate(spec.pop("date")) if "date" in spec else None,
        files=tuple(MediaFile(f"f{n}", "", "", 1, "", "", KINDS[kind]) for n, kind in enumerate(spec.pop("files", []), 1)),
    )
    page, of, moment = spec.pop("page", None), spec.pop("of", 300), spec.pop("t", None)
    fields = {key: tuple(value) if isinstance(value, list) else (value,) for key, value in spec.items()}
    item = Item(**{name: getattr(item, name) for name in item.__slots__} | {"fields": fields})
    return reference(
        item,
        link=LINK,
        accessed="2026-11-23",
        archive="安康数字方志馆",
        of=0 if item.files and not page else of,
        leaves=bool(page and page.keys() & {"juan", "ce", "ye"}),
        page=_page(page) if page else None,
        passage=stretch(*moment) if moment else "",
    )


def _page(spec: dict[str, Any]) -> Page:
    """`juan`, `ce`, `ye`, `side`, `verified`; `n` the position, `text` for a page without image."""
    folio = None
    if spec.keys() & {"juan", "ce", "ye"}:
        side = Side(spec["side"]) if "side" in spec else None
        folio = Folio(spec.get("juan"), spec.get("ce"), spec.get("ye"), side, verified=spec.get("verified", True))
    return Page("p1", spec.get("n", 12), None if spec.get("text") else FileRef("f1"), folio, label=spec.get("label", ""))
