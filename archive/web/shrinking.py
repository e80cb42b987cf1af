"""Scripts and style sheets sent small: compressed once, given so to every browser that takes it.

OpenSeadragon alone is 350 kB as it lies and 87 kB so (2026-11); a reader on a phone waits for it before the first tile. Only what is the
same for everyone is compressed: a page that could hold a secret beside a reader's words never is (BREACH).
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.security import safe_join

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
LEAST = 1_000
"""Bytes; below that nothing is won."""


def install(app: Flask) -> None:
    """Give compressed copies in place of the files, where a browser takes gzip and asks for the whole."""
    plain = app.view_functions["static"]
    folder = app.static_folder or ""
    kept = app.config["SEND_FILE_MAX_AGE_DEFAULT"]

    def as_it_lies(filename: str) -> Response:
        given: Any = plain(filename=filename)
        return app.make_response(given)

    def static(filename: str) -> Response:
        found = safe_join(folder, filename)
        path = Path(found) if found else None
        if path is None or path.suffix not in KINDS or not path.is_file() or path.stat().st_size < LEAST:
            return as_it_lies(filename)
        if not request.accept_encodings["gzip"] or "Range" in request.headers:
            response = as_it_lies(filename)
            response.vary.add("Accept-Encoding")
            return response
        state = path.stat()
        response = Response(_small(path, state.st_mtime_ns, state.st_size), mimetype=KINDS[path.suffix])
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = f"public, max-age={kept}"
        response.vary.add("Accept-Encoding")
        response.set_etag(f"z{state.st_mtime_ns:x}-{state.st_size:x}")
        response.make_conditional(request)
        return response

    app.view_functions["static"] = static


@lru_cache(maxsize=64)
def _small(path: Path, _mtime: int, _size: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)
