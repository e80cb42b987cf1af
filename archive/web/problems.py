"""An error to a page, or to a JSON problem (RFC 9457) below `/api/`, or to plain text below `/iiif/`, with the right status.

What is hidden and what never was get the same answer to the byte, so the page of a 404 names neither the address nor the id.
"""

from __future__ import annotations

import json
import logging

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from archive.errors import Busy, NotFound, QueryError, SearchIndexError, UsageError, Withdrawn
from archive.language import _
from archive.model.identifiers import is_item_id
from archive.web import presenting

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Answer every error in the shape its route speaks."""
    app.register_error_handler(Withdrawn, _withdrawn)
    app.register_error_handler(NotFound, lambda _error: answer(404))
    app.register_error_handler(UsageError, lambda _error: answer(400))
    app.register_error_handler(QueryError, lambda error: answer(400, str(error)))
    app.register_error_handler(SearchIndexError, lambda _error: answer(503))
    app.register_error_handler(Busy, lambda _error: answer(503))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _internal)


def titles(status: int) -> tuple[str, str]:
    """Heading and explanation of a status, in the language in force."""
    known = {
        400: (_("请求写得不对"), _("地址或参数里有本馆不明白的地方。")),
        403: (_("不能这样看"), _("这项内容在此处不开放。")),
        404: (_("没有这一页"), _("地址可能写错了，或者它不在可以看的范围里。")),
        405: (_("不支持这种请求"), _("这个地址不接受这样的请求。")),
        410: (_("此件已撤下"), _("此件已由馆方撤下。")),
        413: (_("请求太大"), _("发来的内容超过了限度。")),
        416: (_("没有这一段"), _("所要的字节范围在文件之外。")),
        429: (_("来得太密"), _("一时收到的太多。请过几分钟再送一次。")),
        503: (_("暂时不能用"), _("这项功能暂时不能用，请稍后再来。馆藏仍可浏览。")),
    }
    return known.get(status, (_("出了差错"), _("本馆这边出了差错，已经记下。请稍后再试。")))


def answer(status: int, detail: str | None = None) -> Response:
    """The answer for a status in the shape this route speaks; `detail` replaces the explanation."""
    title, message = titles(status)
    message = detail or message
    if request.path.startswith("/api/"):
        return problem(status, title, message)
    if request.path.startswith(("/iiif/", "/media/", "/thumbs/", "/static/")):
        return _plain(status, f"{status} {title}\n{message}\n")
    g.canonical = None
    return _page(status, render_template("problems/problem.html", status=status, title=title, message=message))


def problem(status: int, title: str, detail: str, **more: object) -> Response:
    """A JSON problem."""
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail} | more
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _plain(status: int, text: str) -> Response:
    response = Response(text, status, mimetype="text/plain")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(status: int, body: str) -> Response:
    response = Response(body, status, mimetype="text/html")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _withdrawn(error: Withdrawn) -> Response:
    title, message = titles(410)
    if request.path.startswith("/api/"):
        return problem(410, title, message, item=error.item, withdrawn=error.at, reason=error.reason)
    if request.path.startswith(("/iiif/", "/media/", "/thumbs/")):
        return _plain(410, f"410 {title}\n{message}\n")
    shown, g.canonical = presenting.local_day(error.at), None
    return _page(410, render_template("problems/withdrawn.html", title=error.title, reason=error.reason, at=shown))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if 300 <= status < 400:
        # A redirect of the router (a slash too many) must lead nowhere but here; there is none of ours that needs it.
        status = 404
    response = answer(status)
    if status == 405 and error.get_headers():
        allow = dict(error.get_headers()).get("Allow")
        if allow:
            response.headers["Allow"] = allow
    return response


def _internal(error: InternalServerError) -> Response:
    # The route's name, not its address: an address can hold a reader's query.
    log.error("%s failed", request.endpoint, exc_info=error.original_exception or error)
    return answer(500)


def item_or_404(item: str) -> str:
    """`item` when it has the form of an item id; raises NotFound, so that a bad id answers as an absent one."""
    if not is_item_id(item):
        raise NotFound(item)
    return item
