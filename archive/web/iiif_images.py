"""IIIF image services over the pyramids (Image API 3.0).

`info.json` names the tiles and sizes that are stored, so that viewers ask for what costs us nothing.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from archive.errors import NotFound, UsageError
from archive.services.reading import FileAccess
from archive.web import derived, ranges
from archive.web.hall import absolute, cache_rule, hall, reader
from archive.web.image_requests import FORMATS, MAX_AREA, MAX_SIDE, parse
from archive.web.problems import answer

blueprint = Blueprint("images", __name__, url_prefix="/iiif/image")

_CONTEXT = "http://iiif.io/api/image/3/context.json"
_HOUR = 3600


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    response = answer(400, str(error))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@blueprint.after_request
def _open_to_viewers(response: Response) -> Response:
    """Viewers on other sites may read what everyone may read; the reader's own cookies are never part of it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _image(key: str) -> tuple[FileAccess, derived.Picture]:
    found = hall().reading.file(reader(), key)
    picture = derived.picture(found.file, found.part)
    if picture is None:
        raise NotFound(key)
    return found, picture


@blueprint.get("/3/<key>")
def base(key: str) -> AnyResponse:
    """The service itself: its description."""
    hall().reading.file(reader(), key)
    return redirect(url_for("images.info", key=key), 303)


@blueprint.get("/3/<key>/info.json")
def info(key: str) -> Response:
    """What the image is and how it is best asked for (Image API 3.0 §5)."""
    found, picture = _image(key)
    body = {
        "@context": _CONTEXT,
        "id": absolute(url_for("images.base", key=key)),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": picture.width,
        "height": picture.height,
        "maxArea": MAX_AREA,
        "maxWidth": MAX_SIDE,
        "maxHeight": MAX_SIDE,
        "sizes": [{"width": w, "height": h} for w, h in picture.sizes],
        "tiles": [{"width": picture.tile, "height": picture.tile, "scaleFactors": list(picture.factors)}],
        "extraFormats": ["png", "webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["mirroring", "regionSquare", "sizeUpscaling"],
    }
    return _json(body, ranges.tag("i", found.file.sha512[:24], found.part or 0, picture.version))


def _json(body: dict[str, Any], tag: str) -> Response:
    wanted = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    linked = request.accept_mimetypes.best_match(["application/json", "application/ld+json"]) == "application/ld+json"
    response = Response(json.dumps(body, ensure_ascii=False), mimetype=None)
    response.headers["Content-Type"] = wanted if linked else "application/json"
    response.headers["Cache-Control"] = cache_rule(_HOUR)
    response.vary.add("Accept")
    response.set_etag(tag)
    response.make_conditional(request)
    return response


@blueprint.get("/3/<key>/<region>/<size>/<rotation>/<tail>")
def image(key: str, region: str, size: str, rotation: str, tail: str) -> Response:
    """Pixels: a stored tile as it lies, a stored size, or a bounded cut-out made from the nearest level."""
    found, picture = _image(key)
    wanted = parse(picture.width, picture.height, region, size, rotation, tail)
    tag = ranges.tag("t", found.file.sha512[:24], found.part or 0, picture.version)
    response = Response(mimetype=FORMATS[wanted.format])
    response.headers["Cache-Control"] = cache_rule(_HOUR * 24)
    response.set_etag(tag)
    if request.if_none_match.contains_weak(tag):
        response.status_code = 304
        return response
    response.set_data(picture.draw(wanted))
    return response
