"""IIIF image services over the pyramids: Image API 3.0 below `/iiif/image/3/`, 2.1 below `/iiif/image/2/`, both level 2.

`info.json` names the tiles and sizes that are stored, so that viewers ask for what costs us nothing; the rest is cut from the nearest level and
the last cuts are kept in memory. What a key leads to is kept while the catalogue stands as it was when its rights were asked: the catalogue is asked
on every request whether anybody has committed anything, and the day and the audience are part of the key, so what is closed is closed at once.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, Response, current_app, redirect, request
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from archive import memory
from archive.errors import NotFound, UsageError
from archive.language import _
from archive.model.item import MediaKind
from archive.web import derived, image_requests
from archive.web.hall import absolute, cache_rule, hall, open_to_viewers, reader
from archive.web.image_requests import FORMATS, ImageRequest, parse
from archive.web.problems import answer

log = logging.getLogger(__name__)
blueprint = Blueprint("images", __name__, url_prefix="/iiif/image")

_HOUR = 3600
_LEVEL = {3: "http://iiif.io/api/image/3/level2.json", 2: "http://iiif.io/api/image/2/level2.json"}
_CONTEXT = {3: "http://iiif.io/api/image/3/context.json", 2: "http://iiif.io/api/image/2/context.json"}
_LD = {3: f'application/ld+json;profile="{_CONTEXT[3]}"', 2: "application/ld+json"}
_EXTRA_QUALITIES = ("color", "gray", "bitonal")
_EXTRA = ("canonicalLinkHeader", "mirroring", "profileLinkHeader", "sizeUpscaling")
"""3.0 §5.7: what level 2 does not ask for."""
_EXTRA_2 = ("canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare", "sizeAboveFull")

SECONDS = 5.0
"""How long a picture's place is remembered with the catalogue unchanged: derivatives made anew are not in it."""
PLACES = 2_000
"""Pictures whose place is remembered."""
ROOM = 4 << 20
"""Bytes of cut-outs that a web process keeps, and none larger than an eighth of it."""
LARGE = 400_000
"""Pixels, of a cut-out or of what is decoded for it, from which they are made one after the other: a web process holds one such image."""


@dataclass(frozen=True, slots=True)
class _Place:
    picture: derived.Picture
    state: int
    asked: float


class Kept:
    """What one web process remembers of images; safe to share between threads."""

    def __init__(self, room: int = ROOM) -> None:
        self._places: OrderedDict[tuple[str, int, str], _Place] = OrderedDict()
        self._cuts: OrderedDict[tuple[str, ImageRequest, int], bytes] = OrderedDict()
        self._lock = threading.Lock()
        # Threads of their own, few: glibc keeps what each thread has freed, which for all of a server's threads were hundreds of megabytes.
        self._makers = {large: ThreadPoolExecutor(1, "cut-outs") for large in (False, True)}
        self._size, self._room = 0, room

    def picture(self, key: str, find: Callable[[], derived.Picture]) -> derived.Picture:
        """The picture of a key for this reader on this day, from `find` unless it was found in this very state of the catalogue."""
        asked = reader().value, hall().today().toordinal(), key
        state, now = hall().archive.catalogue.state(), time.monotonic()
        place = self._places.get(asked)
        if place is not None and place.state == state and now - place.asked < SECONDS:
            return place.picture
        found = find()
        with self._lock:
            self._places[asked] = _Place(found, state, now)
            self._places.move_to_end(asked)
            if len(self._places) > PLACES:
                self._places.popitem(last=False)
        return found

    def cut(self, picture: derived.Picture, wanted: ImageRequest) -> bytes:
        """A cut-out, made when it is not at hand."""
        key = picture.tag, wanted, picture.changed()
        with self._lock:
            data = self._cuts.get(key)
            if data is not None:
                self._cuts.move_to_end(key)
                return data
        data = self._made(picture, wanted)
        if len(data) <= self._room // 8:
            self._keep(key, data)
        return data

    def _made(self, picture: derived.Picture, wanted: ImageRequest) -> bytes:
        large = max(wanted.size[0] * wanted.size[1], wanted.region[2] * wanted.region[3] // 4) >= LARGE
        return self._makers[large].submit(_draw, picture, wanted).result()

    def _keep(self, key: tuple[str, ImageRequest, int], data: bytes) -> None:
        with self._lock:
            if key not in self._cuts:
                self._cuts[key] = data
                self._size += len(data)
            while self._size > self._room:
                _key, gone = self._cuts.popitem(last=False)
                self._size -= len(gone)


def _draw(picture: derived.Picture, wanted: ImageRequest) -> bytes:
    data = picture.draw(wanted)
    if wanted.size[0] * wanted.size[1] >= 1_000_000:
        memory.give_back()
    return data


@blueprint.record
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["fangzhi.images"] = Kept()


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    return answer(400, str(error))


@blueprint.after_request
def _open_to_viewers(response: Response) -> Response:
    """Viewers on other sites may read what everyone may read, ask beforehand what they may, and read the canonical address."""
    open_to_viewers(response)
    if "Access-Control-Allow-Origin" not in response.headers:
        return response
    if request.method == "OPTIONS":
        more = [("Allow-Methods", "GET, HEAD, OPTIONS"), ("Allow-Headers", "*"), ("Max-Age", "86400")]
    else:
        more = [("Expose-Headers", "ETag, Link")]
    response.headers.extend([(f"Access-Control-{name}", value) for name, value in more])
    return response


class _NoPicture(NotFound):
    """The reader may have the file, and there is nothing to see of it; said in words, because the file itself is no secret."""


@blueprint.errorhandler(_NoPicture)
def _explained(error: _NoPicture) -> Response:
    return answer(404, str(error))


def _picture(key: str) -> derived.Picture:
    return _kept().picture(key, lambda: _found(key))


def _found(key: str) -> derived.Picture:
    found = hall().reading.file(reader(), key)
    picture = derived.picture(found.file, found.part)
    if picture is not None:
        return picture
    if found.file.kind not in (MediaKind.IMAGE, MediaKind.PDF):
        raise _NoPicture(_("这个文件不是图像，没有可看的画面。"))
    log.warning("%s: nothing was made of this image; fangzhi rebuild derivatives", key)
    raise _NoPicture(_("这幅图像还没有制成可以放大的样子。请告诉管理员：在馆里运行 fangzhi rebuild derivatives 即可补上。"))


def _address(version: int, key: str) -> str:
    """The service's own address, quicker than asking Flask for it: keys that were found are ASCII without signs that need escaping."""
    return absolute(f"{request.script_root}/iiif/image/{version}/{key}")


@blueprint.get("/3/<key>")
def base(key: str) -> AnyResponse:
    """The service itself: its description."""
    _picture(key)
    return redirect(_address(3, key) + "/info.json", 303)


@blueprint.get("/2/<key>")
def base2(key: str) -> AnyResponse:
    """The service by 2.1: its description."""
    _picture(key)
    return redirect(_address(2, key) + "/info.json", 303)


@blueprint.get("/3/<key>/info.json")
def info(key: str) -> Response:
    """What the image is and how it is best asked for (3.0 §5)."""
    picture = _picture(key)
    body = {
        "@context": _CONTEXT[3],
        "id": _address(3, key),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
    }
    body |= _dimensions(picture) | image_requests.limits(picture.width, picture.height)
    more = {"preferredFormats": ["jpg"], "extraFormats": ["webp"], "extraQualities": list(_EXTRA_QUALITIES), "extraFeatures": list(_EXTRA)}
    return _json(body | more, picture.tag, 3)


@blueprint.get("/2/<key>/info.json")
def info2(key: str) -> Response:
    """The same by 2.1 (§5)."""
    picture = _picture(key)
    more: dict[str, Any] = {"formats": ["jpg", "png", "webp"], "qualities": ["default", *_EXTRA_QUALITIES], "supports": list(_EXTRA_2)}
    more |= image_requests.limits(picture.width, picture.height)
    body: dict[str, Any] = {
        "@context": _CONTEXT[2],
        "@id": _address(2, key),
        "protocol": "http://iiif.io/api/image",
        "profile": [_LEVEL[2], more],
    }
    return _json(body | _dimensions(picture), picture.tag, 2)


def _dimensions(picture: derived.Picture) -> dict[str, Any]:
    return {
        "width": picture.width,
        "height": picture.height,
        "sizes": [{"width": w, "height": h} for w, h in picture.sizes],
        "tiles": [{"width": picture.tile, "height": picture.tile, "scaleFactors": list(picture.factors)}],
    }


def _json(body: dict[str, Any], tag: str, version: int) -> Response:
    linked = request.accept_mimetypes.best_match(["application/json", "application/ld+json"]) == "application/ld+json"
    response = Response(json.dumps(body, ensure_ascii=False), mimetype=None)
    response.headers["Content-Type"] = _LD[version] if linked else "application/json"
    links = [f'<{_LEVEL[version]}>;rel="profile"']
    if not linked:
        links.append(f'<{_CONTEXT[version]}>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"')
    response.headers["Link"] = ", ".join(links)
    response.headers["Cache-Control"] = cache_rule(_HOUR)
    response.vary.add("Accept")
    response.set_etag(f"i{version}{'l' if linked else 'j'}-{tag}")
    response.make_conditional(request)
    return response


@blueprint.get("/3/<key>/<region>/<size>/<rotation>/<tail>")
def image(key: str, region: str, size: str, rotation: str, tail: str) -> Response:
    """Pixels: a stored tile as it lies, a stored size, or a bounded cut-out made from the nearest level."""
    return _pixels(3, key, (region, size, rotation, tail))


@blueprint.get("/2/<key>/<region>/<size>/<rotation>/<tail>")
def image2(key: str, region: str, size: str, rotation: str, tail: str) -> Response:
    """The same by 2.1."""
    return _pixels(2, key, (region, size, rotation, tail))


def _pixels(version: int, key: str, asked: tuple[str, str, str, str]) -> Response:
    picture = _picture(key)
    wanted = parse(picture.width, picture.height, *asked, version)
    canonical = image_requests.canonical(picture.width, picture.height, wanted, version)
    tag = f'"t-{picture.tag}"'
    headers = [
        ("Cache-Control", cache_rule(_HOUR * 24)),
        ("ETag", tag),
        ("Link", f'<{_LEVEL[version]}>;rel="profile", <{_address(version, key)}/{canonical}>;rel="canonical"'),
    ]
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag.strip('"')):
        return Response(status=304, headers=headers)
    return Response(_data(picture, wanted), headers=headers, content_type=FORMATS[wanted.format])


def _data(picture: derived.Picture, wanted: ImageRequest) -> bytes:
    data = picture.lying(wanted)
    return data if data is not None else _kept().cut(picture, wanted)


def _kept() -> Kept:
    return cast(Kept, current_app.extensions["fangzhi.images"])
