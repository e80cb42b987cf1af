"""The language of a page: `?lang=`, then the cookie, then Accept-Language; Chinese when nothing says otherwise."""

from __future__ import annotations

from flask import Flask, Request, Response, g, request

from archive import language

COOKIE = "lang"
_YEAR = 365 * 86400


def negotiate(asked: Request) -> str:
    """`zh` or `en` for a request."""
    for wish in (asked.args.get("lang"), asked.cookies.get(COOKIE)):
        if wish in language.LANGUAGES:
            return wish
    return asked.accept_languages.best_match(language.LANGUAGES, default="zh") or "zh"


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
            response.vary.update(("Accept-Language", "Cookie"))
            if request.args.get("lang") in language.LANGUAGES and response.status_code == 200:
                response.set_cookie(COOKIE, request.args["lang"], max_age=_YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
        return response
