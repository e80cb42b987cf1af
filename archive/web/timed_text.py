"""Timed text by itself: to be taken home (SRT, LRC; WebVTT is what the player gets), and to be searched while it is played."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from archive.errors import NotFound
from archive.model import timed_text
from archive.model.item import Track
from archive.web import recordings
from archive.web.hall import hall, reader
from archive.web.problems import item_or_404

blueprint = Blueprint("timed_text", __name__)


@blueprint.get("/items/<item>/cues/<track>.<form>")
def written(item: str, track: str, form: str) -> Response:
    """Timed text as a file, without anything of closed passages."""
    found = _track(item, track)
    if form not in timed_text.FORMS:
        raise NotFound(form)
    way = timed_text.FORMS[form]
    response = Response(way.write(found), content_type=f"{way.media_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{item}-{track}.{form}')}"
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/items/<item>/cues/<track>/find")
def find(item: str, track: str) -> Response:
    """Where `?q=` occurs in the lines of a track, folded as the search folds: `{"matches", "lines": [{"line", "start", "end", "spans"}]}`."""
    found = _track(item, track)
    query = recordings.asked_query()
    held = hall().reading.item(reader(), item, pages_size=1).item.collection if query else ""
    lines = [
        {"line": n, "start": cue.start, "end": cue.end, "spans": [[span.start, span.end] for span in spans]}
        for n, (cue, spans) in enumerate(recordings.find(found, lambda text: recordings.marks(query, text, held)))
        if spans
    ]
    response = jsonify({"matches": sum(len(line["spans"]) for line in lines), "lines": lines})  # type: ignore[arg-type,misc]
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _track(item: str, track: str) -> Track:
    found = hall().reading.track(reader(), item_or_404(item), track)
    if not found.timed:
        raise NotFound(track)
    return found
