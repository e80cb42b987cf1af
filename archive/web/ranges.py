"""Send a file, whole or in part, without reading what is not asked for.

Flask's `send_file` reads from byte 0 to the start of the range under servers whose file wrapper cannot seek. Here the file is put in its
place first and then handed to the server's own wrapper with its length, so that the end of a film costs what its start costs, and
waitress sends it from its main loop without holding a thread.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from flask import Request, Response

_RANGE = re.compile(r"bytes=\s*([0-9]*)-([0-9]*)\s*")
_CHUNK = 1 << 16


class _Wish(enum.Enum):
    WHOLE = "whole"
    UNSATISFIABLE = "unsatisfiable"


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes `start` to before `stop` of a file."""

    start: int
    stop: int


def parse_range(header: str | None, size: int) -> Slice | _Wish:
    """What a Range header asks of `size` bytes (RFC 9110 §14).

    Another unit, a mistake or more than one range gives the whole: a server may always answer 200, and many small ranges are an attack.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", "") or len(match.group(0)) > 60:
        return _Wish.WHOLE
    first, last = match.groups()
    if first == "":
        length = min(int(last), size)
        return Slice(size - length, size) if length else _Wish.UNSATISFIABLE
    start = int(first)
    if last and int(last) < start:
        return _Wish.WHOLE
    if start >= size:
        return _Wish.UNSATISFIABLE
    return Slice(start, min(int(last) + 1, size) if last else size)


def send(
    request: Request,
    path: Path,
    *,
    media_type: str,
    etag: str,
    cache: str,
    download: str | None = None,
    accel: tuple[str, Path] | None = None,
) -> Response:
    """The answer to a GET or HEAD for the file at `path`: 200, 206, 304 or 416.

    `etag` without quotes; `cache` the Cache-Control; `download` the name under which a browser saves it; `accel` (internal location,
    folder it serves) lets nginx send a file below that folder. Raises FileNotFoundError.
    """
    size = path.stat().st_size
    response = Response(status=200, mimetype=None)
    response.headers["Content-Type"] = media_type
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = cache
    response.set_etag(etag)
    if download is not None:
        response.headers["Content-Disposition"] = disposition(download)
    if request.if_none_match.contains_weak(etag):
        response.status_code = 304
        response.headers.pop("Content-Type")
        return response
    if accel is not None and path.is_relative_to(accel[1]):
        response.headers["X-Accel-Redirect"] = accel[0].rstrip("/") + "/" + quote(path.relative_to(accel[1]).as_posix())
        return response
    # A file that changed since the first part was fetched is sent whole. Our tags are strong; we send no dates to compare with.
    fresh = "If-Range" not in request.headers or request.if_range.etag == etag
    wish = parse_range(request.headers.get("Range"), size) if fresh else _Wish.WHOLE
    if wish is _Wish.UNSATISFIABLE:
        response.status_code = 416
        response.headers["Content-Range"] = f"bytes */{size}"
        response.headers["Content-Length"] = "0"
        return response
    part = Slice(0, size)
    if isinstance(wish, Slice):
        part = wish
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response.headers["Content-Length"] = str(part.stop - part.start)
    if request.method != "HEAD":
        _fill(response, request, path, part)
    return response


def disposition(name: str) -> str:
    """Content-Disposition that saves under `name`, whatever characters it has (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _fill(response: Response, request: Request, path: Path, part: Slice) -> None:
    stream = path.open("rb", buffering=0)
    stream.seek(part.start)
    wrapper: Any = request.environ.get("wsgi.file_wrapper")
    # Passed through as it is: the server closes it, and waitress knows its own wrapper again.
    response.response = wrapper(stream, _CHUNK) if wrapper is not None else _Bounded(stream, part.stop - part.start)
    response.direct_passthrough = True


class _Bounded:
    """`length` bytes from where `stream` stands, for servers without a file wrapper."""

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream, self._left = stream, length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = b"" if self._stream.closed else self._stream.read(min(_CHUNK, self._left))
        if not block:
            self.close()
            raise StopIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


def tag(*parts: object) -> str:
    """An entity tag from the parts that decide the bytes; short digests and version numbers, no spaces."""
    return "-".join(str(part) for part in parts).replace('"', "").replace(os.sep, "_")
