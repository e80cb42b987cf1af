"""报告此处文字有误: a form without scripts or accounts, a number to keep, a queue for the desk.

There is nothing to forge, for a report carries nobody's rights; what is kept out is noise: posts from other sites, bodies of no sensible size, a field
that only programs fill, and more than a person sends. Visitors are counted in memory, by a digest that changes with every start.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from archive.errors import StorageError, UsageError
from archive.export.quoting import quotation
from archive.language import _
from archive.model.item import TextVersion
from archive.services.reading import PageView
from archive.services.reports import version_of
from archive.web import citing, presenting
from archive.web.access import visitor_address
from archive.web.browse import whose
from archive.web.hall import absolute, canonical, hall, reader
from archive.web.problems import answer, item_or_404

blueprint = Blueprint("reports", __name__)

MOST_BYTES = 32 << 10
LENGTHS = {"note": 2000, "quotation": 1000, "contact": 200}
"""Characters that a field may have."""
_NUMBER = re.compile(r"[0-9]{8}-[0-9A-Z]{6}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass
class Turnstile:
    """Lets `each` reports of one visitor through in `seconds`, `all` of all together. One for each web process."""

    each: int = 6
    all: int = 120
    seconds: float = 600.0
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _passed: deque[tuple[float, bytes]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lets(self, visitor: str) -> bool:
        """True, and counted, when this visitor may pass."""
        who, now = hashlib.blake2b(visitor.encode(), key=self._salt, digest_size=8).digest(), time.monotonic()
        with self._lock:
            while self._passed and self._passed[0][0] < now - self.seconds:
                self._passed.popleft()
            if len(self._passed) >= self.all or sum(one == who for _at, one in self._passed) >= self.each:
                return False
            self._passed.append((now, who))
            return True


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    return answer(400, str(error))


@blueprint.get("/items/<item>/p/<page>/report")
def report(item: str, page: str) -> str:
    """The form, filled with the place it is about; with `done` the thanks."""
    view = hall().reading.page(reader(), item_or_404(item), page)
    region, chosen = citing.asked_region(), citing.asked_range()
    done = request.args.get("done", "")
    if _NUMBER.fullmatch(done):
        return _shown(view, done=done)
    version = citing.asked_version(view)
    words = _words(view, version, chosen)
    return _shown(view, region=region, chosen=chosen, quotation=words or _plain(request.args.get("quotation"), "quotation"))


@blueprint.post("/items/<item>/p/<page>/report")
def send(item: str, page: str) -> AnyResponse | tuple[str, int]:
    """Take a report in; sends on to the thanks with its number."""
    if _from_elsewhere():
        return answer(403)
    if (request.content_length or 0) > MOST_BYTES or request.content_length is None:
        return answer(413)
    view = hall().reading.page(reader(), item_or_404(item), page)
    region, chosen = citing.asked_region(), citing.asked_range()
    note, contact = (_plain(request.form.get(name), name) for name in ("note", "contact"))
    version = citing.asked_version(view)
    words = _words(view, version, chosen) or _plain(request.form.get("quotation"), "quotation")
    if not note:
        return _shown(view, region=region, chosen=chosen, quotation=words, contact=contact, missing=True), 400
    if request.form.get("website"):  # a field that people do not see
        return _thanks(item, page, "00000000-" + secrets.token_hex(3).upper())
    if not _turnstile().lets(visitor_address(request, hall().settings)):
        response = answer(429)
        response.headers["Retry-After"] = "600"
        return response
    given = request.form.get("text", "")
    text = given if re.fullmatch(r"[a-z]{1,12}:[0-9a-f]{16}", given) else version_of(version)
    try:
        number = hall().archive.reports.submit(
            item, page, text=text, note=note, quotation=words, region=region or "", span=chosen, contact=contact
        )
    except StorageError:
        current_app.logger.exception("a report could not be kept")
        return answer(503)
    return _thanks(item, page, number)


def _thanks(item: str, page: str, number: str) -> AnyResponse:
    return redirect(url_for("reports.report", item=item, page=page, done=number), 303)


def _turnstile() -> Turnstile:
    found: Turnstile = current_app.extensions.setdefault("fangzhi-reports", Turnstile())
    return found


def _from_elsewhere() -> bool:
    """True for a post that a page of another site makes a browser send (Fetch metadata, else Origin)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.rstrip("/") not in (request.host_url.rstrip("/"), absolute(""))


def _words(view: PageView, version: TextVersion | None, chosen: tuple[int, int] | None) -> str:
    """The words a range chooses; raises UsageError when the page has no such."""
    if chosen is None:
        return ""
    if version is None or chosen[1] > len(version.text):
        raise UsageError(_("start、end 超出了这一面的文字。"))
    return quotation(version.text, *chosen, notes=citing.has_notes(view))[: LENGTHS["quotation"]]


def _plain(text: str | None, name: str) -> str:
    """What was typed, without signs nobody can type, cut to what the field takes."""
    return _CONTROL.sub("", (text or "").replace("\r\n", "\n")).strip()[: LENGTHS[name]]


def _shown(
    view: PageView,
    *,
    region: str | None = None,
    chosen: tuple[int, int] | None = None,
    quotation: str = "",
    contact: str = "",
    missing: bool = False,
    done: str = "",
) -> str:
    item, page = view.item.id, view.page.id
    canonical(url_for("reports.report", item=item, page=page))
    label = presenting.leaf_label(view.page)
    version = citing.asked_version(view)
    back: dict[str, Any] = {"xywh": region} if region else {}
    return render_template(
        "citing/report.html",
        item=view.item,
        label=label,
        steps=[
            (view.item.title, url_for("browse.item", item=item)),
            (label.text, url_for("browse.page", item=item, page=page)),
            (_("报告此处文字有误"), None),
        ],
        back=url_for("browse.page", item=item, page=page, **back),
        source=whose(version) if version else None,
        strip=_strip(view, region),
        hidden={
            "xywh": region or "",
            "start": chosen[0] if chosen else "",
            "end": chosen[1] if chosen else "",
            "text": version_of(version),
        },
        quotation=quotation,
        chosen=chosen is not None,
        contact=contact,
        lengths=LENGTHS,
        missing=missing,
        done=done,
    )


def _strip(view: PageView, region: str | None) -> str | None:
    """The address of the region as an image, so that the reader sees what is spoken of."""
    if region is None or view.image is None or "images.image" not in current_app.view_functions:
        return None
    x, y, width, height = map(int, region.split(","))
    left, top = view.page.image.region[:2] if view.page.image and view.page.image.region else (0, 0)
    within = f"{x + left},{y + top},{width},{height}"
    return url_for(
        "images.image", key=view.image, region=within, size=f"!{min(width, 640)},{min(height, 480)}", rotation="0", tail="default.jpg"
    )
