"""Holdings as IIIF collections, as far as the reader sees them.

Presentation 3.0 has no paging: a holding of many items lists a collection for each hundred of them.
"""

from __future__ import annotations

from typing import Any

from archive.errors import NotFound
from archive.model.profile import Definitions
from archive.model.rights import Audience
from archive.services.reading import ItemSummary, Reading
from archive.settings import Settings
from archive.web.iiif_parts import CONTEXT, Json, Words, words
from archive.web.presentation import UNFILED, holding_label, provider

HUNDRED = 100
"""Items in one list."""


def root(reading: Reading, reader: Audience, definitions: Definitions, settings: Settings, base: str) -> Json:
    """All holdings that stand under no other, and what is in none, where the reader sees anything of them."""
    known = definitions.collections
    counts = [count for count in reading.collections(reader) if count.items]
    found = [_named(base, c.collection.slug, definitions) for c in counts if c.collection.parent not in known]
    if reading.items(reader, collection="", size=1, beneath=False).total:
        found.append(_named(base, UNFILED, definitions))
    label = {"zh": [settings.name], "en": [settings.name_en]}
    home = [{"id": f"{base}/", "type": "Text", "label": label, "format": "text/html"}]
    return _collection(f"{base}/iiif/collections/root", label, found) | {"provider": [provider(settings, base)], "homepage": home}


def holding(reading: Reading, reader: Audience, definitions: Definitions, settings: Settings, base: str, slug: str) -> Json:
    """A holding. Raises NotFound."""
    below: list[Json] = []
    described: Json = {}
    if slug != UNFILED:
        collection = reading.collection(reader, slug).collection
        counts = [count for count in reading.collections(reader) if count.items and count.collection.parent == slug]
        below = [_named(base, count.collection.slug, definitions) for count in counts]
        page = f"{base}/collections/{slug}"
        label = holding_label(definitions, slug)
        described["homepage"] = [{"id": page, "type": "Text", "label": label, "format": "text/html"}]
        if collection.description:
            chinese = collection.description.strip()
            described["summary"] = words(chinese, collection.description_en.strip() or chinese)
    listed = _listed(reading, reader, slug, 1)
    if slug == UNFILED and not listed.total:
        raise NotFound(slug)
    if listed.total > HUNDRED:
        below += [_part(base, slug, number, listed.total, definitions) for number in range(1, listed.pages + 1)]
    else:
        below += [_manifest(base, summary) for summary in listed.items]
    made = _collection(f"{base}/iiif/collections/{slug}", holding_label(definitions, slug), below)
    return made | described | {"provider": [provider(settings, base)], "partOf": [_part_of(base, "root", settings)]}


def shelf(reading: Reading, reader: Audience, definitions: Definitions, settings: Settings, base: str, slug: str, number: int) -> Json:
    """One hundred (`number` from 1) of a holding of more than one. Raises NotFound."""
    if slug != UNFILED:
        reading.collection(reader, slug)
    listed = _listed(reading, reader, slug, number)
    if listed.total <= HUNDRED or not 1 <= number <= listed.pages:
        raise NotFound(slug)
    part = _part(base, slug, number, listed.total, definitions)
    made = _collection(part["id"], part["label"], [_manifest(base, summary) for summary in listed.items])
    return made | {"provider": [provider(settings, base)], "partOf": [_named(base, slug, definitions)]}


def _listed(reading: Reading, reader: Audience, slug: str, number: int) -> Any:
    return reading.items(reader, collection="" if slug == UNFILED else slug, page=number, size=HUNDRED, beneath=False)


def _collection(id: str, label: Words, items: list[Json]) -> Json:
    return {"@context": CONTEXT, "id": id, "type": "Collection", "label": label, "items": items}


def _named(base: str, slug: str, definitions: Definitions) -> Json:
    return {"id": f"{base}/iiif/collections/{slug}", "type": "Collection", "label": holding_label(definitions, slug)}


def _part_of(base: str, slug: str, settings: Settings) -> Json:
    label = {"zh": [settings.name], "en": [settings.name_en]}
    return {"id": f"{base}/iiif/collections/{slug}", "type": "Collection", "label": label}


def _part(base: str, slug: str, number: int, total: int, definitions: Definitions) -> Json:
    first, last = (number - 1) * HUNDRED + 1, min(number * HUNDRED, total)
    label = {tongue: [f"{text} {first}–{last}" for text in texts] for tongue, texts in holding_label(definitions, slug).items()}
    return {"id": f"{base}/iiif/collections/{slug}/{number}", "type": "Collection", "label": label}


def _manifest(base: str, summary: ItemSummary) -> Json:
    found: Json = {"id": f"{base}/iiif/3/{summary.id}/manifest", "type": "Manifest", "label": words(summary.title, summary.title)}
    if summary.thumb:
        found["thumbnail"] = [{"id": f"{base}/thumbs/{summary.thumb}/400", "type": "Image", "format": "image/jpeg"}]
    if summary.date:
        found["summary"] = words(summary.date, summary.date)
    return found
