"""The language of a page: `?lang=`, then the cookie, then Accept-Language; Chinese when nothing says otherwise."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, Request, Response, g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from archive import language

COOKIE = "lang"
_YEAR = 365 * 86400
_LONGEST = 400
"""Characters of an Accept-Language that are read; no browser sends half as many."""


def negotiate(asked: Request) -> str:
    """`zh` or `en` for a request."""
    for wish in (asked.args.get("lang"), asked.cookies.get(COOKIE)):
        if wish in language.LANGUAGES:
            return wish
    return _best(asked.headers.get("Accept-Language", "")[:_LONGEST])


@lru_cache(maxsize=256)
def _best(wishes: str) -> str:
    """The language for an Accept-Language; browsers send some tens of them."""
    return parse_accept_header(wishes, LanguageAccept).best_match(language.LANGUAGES, default="zh") or "zh"


def install(app: Flask) -> None:
    """Put the language in force before each request, and remember it when a reader chose it."""

    @app.before_request
    def choose() -> None:
        g.language = negotiate(request)
        language.choose(g.language)

    @app.after_request
    def remember(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Language"] = "zh-Hans" if g.get("language", "zh") == "zh" else "en"
            if "Vary" in response.headers:
                response.vary.update(("Accept-Language", "Cookie"))
            else:
                response.headers["Vary"] = "Accept-Language, Cookie"
            if request.args.get("lang") in language.LANGUAGES and response.status_code == 200:
                response.set_cookie(COOKIE, request.args["lang"], max_age=_YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
        return response
