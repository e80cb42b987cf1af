"""The web: `create_app(archive)` makes the Flask application. Routes ask the services; they know no table, index or folder."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, Response, g, request, url_for
from markupsafe import Markup

from archive import language as words
from archive import resources
from archive.language import _
from archive.web import (
    access,
    api,
    citing,
    comparing,
    concordance,
    downloads,
    health,
    iiif,
    iiif_images,
    iiif_search,
    kept,
    language,
    media,
    problems,
    reading_page,
    reports,
    search,
    shrinking,
    timed_text,
    turns,
    wording,
)
from archive.web.hall import Hall
from archive.web.metrics import Metrics

if TYPE_CHECKING:
    from archive.assembly import Archive

_MAX_BODY = 1 << 20
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""An empty style element: reader/plate.js adds one so that OpenSeadragon adds none with rules of its own."""
_CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {_EMPTY_STYLE}",
        "img-src 'self' data: blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
    # Who may see what can change at any moment, and differs by network: nothing is kept by a proxy.
    "Cache-Control": "private, no-cache",
}
"""What an answer carries that says nothing else."""


def create_app(archive: Archive) -> Flask:
    """The application over an open archive. Raises SettingsError when a setting of the web cannot be meant."""
    settings = archive.settings
    access.networks(settings.reading_room_networks)
    access.networks(settings.trusted_proxies)
    app = Flask("archive.web", static_folder=str(resources.static()), static_url_path="/static")
    app.config.update(MAX_CONTENT_LENGTH=_MAX_BODY, SEND_FILE_MAX_AGE_DEFAULT=86400, SECRET_KEY=secrets.token_hex(16))
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    wording.install(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["fangzhi"] = Hall(archive, Metrics(settings.run))
    language.install(app)
    problems.install(app)
    _watch(app)
    _dress(app)
    # Pages of items and of leaves share a blueprint.
    for part in (
        reading_page,
        citing,
        downloads,
        reports,
        search,
        concordance,
        comparing,
        api,
        media,
        timed_text,
        iiif,
        iiif_images,
        iiif_search,
        health,
    ):
        app.register_blueprint(part.blueprint)
    shrinking.install(app)
    kept.install(app)
    turns.install(app)
    return app


def _watch(app: Flask) -> None:
    """Who asks, how long it took, and the headers that every answer carries."""
    hall: Hall = app.extensions["fangzhi"]

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.reader = access.reader(request, hall.settings)

    @app.after_request
    def end(response: Response) -> Response:
        given = {name.lower() for name, _value in response.headers}
        response.headers.extend([(name, value) for name, value in _HEADERS.items() if name.lower() not in given])
        hall.metrics.count(request.endpoint or "none", response.status_code, time.perf_counter() - g.get("began", time.perf_counter()))
        return response


def _dress(app: Flask) -> None:
    """What templates may use beside what a route hands them."""
    hall: Hall = app.extensions["fangzhi"]
    folder = resources.static()
    app.jinja_env.globals.update(
        _=_,
        asset=lambda name: _asset(request.script_root, folder, name),
        url_for=lambda endpoint, **values: url_for(endpoint, **values) if values else _bare(request.script_root, endpoint),
        with_args=_with_args,
        in_language=_in_language,
        zh=_ZH,
        tongue=_tongue,
    )

    @app.context_processor
    def names() -> dict[str, Any]:
        english = words.current() == "en"
        return {
            "language": words.current(),
            "site_name": hall.settings.name_en if english else hall.settings.name,
            "site_name_zh": hall.settings.name,
            "canonical": g.get("canonical"),
        }


class _Chinese:
    """An attribute for a start tag, ` lang="zh"`, on pages in English; nothing on pages in Chinese. Titles and values are Chinese."""

    def __html__(self) -> str:
        return ' lang="zh"' if words.current() == "en" else ""


_HAN = re.compile("[\u3400-\u9fff]")
_ZH, _NONE = _Chinese(), Markup()


def _tongue(text: str) -> _Chinese | Markup:
    """The same for text that may be Chinese or not, such as a label that only a donor gave."""
    return _ZH if _HAN.search(text) else _NONE


@lru_cache(maxsize=64)
def _stamp(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


@lru_cache(maxsize=256)
def _bare(root: str, endpoint: str) -> str:
    """The address of a route without arguments, below `root`; every page names a dozen."""
    return url_for(endpoint)


@lru_cache(maxsize=256)
def _asset(root: str, folder: Path, name: str) -> str:
    """The address of one of our style sheets or scripts, with a stamp of its bytes so that a new release is fetched at once."""
    return url_for("static", filename=name, v=_stamp(folder / name))


def _with_args(**changes: object) -> str:
    """The query part of this page's address with some parameters changed (None removes one); a new choice starts at the first page."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes and name not in ("lang", "page")]
    return "?" + urlencode(kept + [(name, str(value)) for name, value in changes.items() if value is not None])


def _in_language(wanted: str) -> str:
    """This page in another language. A page of an error names no address, so that what is hidden answers as what never was."""
    if g.get("canonical") is None:
        return "?" + urlencode({"lang": wanted})
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return "?" + urlencode([*kept, ("lang", wanted)])
