"""The text of a leaf or a recording as IIIF annotations: a line each, where it stands on the image or in time, and whose text it is.

Pure but for the language.
"""

from __future__ import annotations

from archive import language
from archive.model.item import Cue, TextSource, TextVersion, Track
from archive.services.reading import PageView
from archive.web import presenting
from archive.web.iiif_parts import CONTEXT, Json, Links, Sounding, Words, both, words

_AGENT = {TextSource.OCR: "Software", TextSource.EXTRACTED: "Software", TextSource.CORRECTED: "Organization", TextSource.DONOR: "Person"}


def of_page(view: PageView, links: Links) -> Json:
    """The lines of a page, as shown and searched; `items` is empty when it has no text that the reader may see."""
    canvas = links.canvas(view.page.id)
    items = (
        []
        if view.text is None
        else [_line(n, view.text, canvas, links.annotations(view.page.id)) for n in range(1, len(view.text.lines) + 1)]
    )
    found = _page(links.annotations(view.page.id), canvas, [item for item in items if item is not None], links)
    if view.text is not None:
        found["label"] = source_words(view.text.source)
    return found


def source_words(source: TextSource) -> Words:
    """Whose text it is, in both languages."""
    with language.in_language("zh"):
        chinese = presenting.source_label(source)
    with language.in_language("en"):
        return words(chinese, presenting.source_label(source))


def of_recording(tracks: list[Track], sounding: Sounding, links: Links) -> Json:
    """The timed lines of a recording, and librettos that nobody has timed, which are of the whole of it."""
    canvas, base = links.canvas(sounding.root), links.annotations(sounding.root)
    items = []
    for track in tracks:
        for n, cue in enumerate(track.cues, 1):
            if cue.text.strip():
                items.append(_annotation(f"{base}/{track.id}-{n}", cue.text, track.language, target(canvas, cue if track.timed else None)))
    return _page(base, canvas, items, links) | {"label": both("随声文字")}


def embedded(tracks: list[Track], sounding: Sounding, links: Links) -> Json:
    """The same inside a manifest, which says by itself what it is part of."""
    page = of_recording(tracks, sounding, links)
    return {key: value for key, value in page.items() if key not in ("@context", "partOf")}


def target(canvas: str, cue: Cue | None) -> str:
    """A stretch of a recording's canvas; the whole of it for a line that has no time."""
    return canvas if cue is None or cue.end <= cue.start else f"{canvas}#t={cue.start:g},{cue.end:g}"


def _line(number: int, text: TextVersion, canvas: str, base: str) -> Json | None:
    line = text.lines[number - 1]
    if not line.text.strip():
        return None
    place = f"{canvas}#xywh={','.join(map(str, line.box))}" if line.box else canvas
    found = _annotation(f"{base}/{number}", line.text, "zh", place)
    with language.in_language("zh"):
        found["creator"] = {"type": _AGENT[text.source], "name": presenting.source_label(text.source)}
    return found


def _annotation(id: str, text: str, tongue: str, place: str) -> Json:
    body = {"type": "TextualBody", "value": text, "format": "text/plain", "language": tongue}
    return {"id": id, "type": "Annotation", "motivation": "supplementing", "body": body, "target": place}


def _page(id: str, canvas: str, items: list[Json], links: Links) -> Json:
    part_of = [{"id": canvas, "type": "Canvas", "partOf": [{"id": links.manifest, "type": "Manifest"}]}]
    return {"@context": CONTEXT, "id": id, "type": "AnnotationPage", "items": items, "partOf": part_of}
