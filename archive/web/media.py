"""Bytes: originals, web copies, thumbnails, waveforms, posters, storyboards. Each asks first whether this reader may have the file."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, request

from archive.errors import NotFound
from archive.services.reading import FileAccess
from archive.web import derived, presenting, ranges
from archive.web.derived import Copy
from archive.web.hall import cache_rule, hall, open_to_viewers, reader

blueprint = Blueprint("media", __name__)
blueprint.after_request(open_to_viewers)

_DAY = 86_400
_SANDBOX = "sandbox; default-src 'none'"
"""What a donor gave may be a page with scripts: a browser that opens it anyway runs nothing."""


@blueprint.get("/media/<key>/original")
def original(key: str) -> Response:
    """The bytes as received, to be saved under their own name."""
    found = _file(key)
    path = hall().archive.store.local_path(found.item, found.file.path)
    response = _send(path, found.file.media_type, ranges.tag("o", found.file.sha512[:32]), presenting.file_name(found.file.path))
    response.headers["Content-Security-Policy"] = _SANDBOX
    return response


@blueprint.get("/media/<key>/web")
def web(key: str) -> Response:
    """The copy that a browser plays."""
    found = _recording(key)
    return _copy(derived.web_copy(found.item, found.file, found.cuts))


@blueprint.get("/media/<key>/waveform")
def waveform(key: str) -> Response:
    """The picture of a recording's loudness."""
    found = _recording(key)
    return _copy(derived.waveform(found.file, found.cuts))


@blueprint.get("/media/<key>/peaks")
def peaks(key: str) -> Response:
    """The same loudness as numbers, as audiowaveform writes them."""
    found = _recording(key)
    return _copy(derived.peaks(found.file, found.cuts))


@blueprint.get("/media/<key>/poster")
def poster(key: str) -> Response:
    """A frame of a film, not a black one."""
    found = _recording(key)
    return _copy(derived.poster(found.file, found.cuts))


@blueprint.get("/media/<key>/storyboard/<name>")
def storyboard(key: str, name: str) -> Response:
    """The frames of a film as small pictures, and the WebVTT that says which is when."""
    found = _recording(key)
    return _copy(derived.storyboard(found.file, name, found.cuts))


@blueprint.get("/thumbs/<key>/<size>")
def thumb(key: str, size: str) -> Response:
    """A small picture, at most `size` pixels wide or high: the stored one that comes nearest from above."""
    if not size.isascii() or not size.isdigit() or len(size) > 4 or not 16 <= int(size) <= 4096:
        raise NotFound(size)
    found = hall().reading.recording(reader(), key)
    return _copy(derived.thumbnail(found.file, found.part, int(size), found.cuts))


def _file(key: str) -> FileAccess:
    """The whole file of a key, if this reader may have it; one image of a file has no bytes of its own. Raises NotFound and Withdrawn."""
    found = hall().reading.file(reader(), key)
    if found.part is not None:
        raise NotFound(key)
    return found


def _recording(key: str) -> FileAccess:
    """The same, where a copy without what is closed to this reader will do: nothing of the original but what was made of it."""
    found = hall().reading.recording(reader(), key)
    if found.part is not None:
        raise NotFound(key)
    return found


def _copy(copy: Copy | None) -> Response:
    if copy is None:
        raise NotFound("derivative")
    return _send(copy.path, copy.media_type, copy.tag)


def _send(path: Path, media_type: str, tag: str, download: str | None = None) -> Response:
    settings = hall().settings
    accel = (settings.x_accel, settings.home) if settings.x_accel else None
    try:
        return ranges.send(request, path, media_type=media_type, etag=tag, cache=cache_rule(_DAY // 24), download=download, accel=accel)
    except FileNotFoundError:
        raise NotFound("file") from None
