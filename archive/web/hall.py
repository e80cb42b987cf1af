"""What every route shares: the archive, the reader's audience, absolute addresses, cache rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

from flask import Response, current_app, g, request

from archive.model.profile import Definitions
from archive.model.rights import Audience
from archive.settings import Settings
from archive.web.metrics import Metrics

if TYPE_CHECKING:
    from archive.assembly import Archive
    from archive.services.reading import Reading


@dataclass(frozen=True, slots=True)
class Hall:
    """The archive as the web holds it."""

    archive: Archive
    metrics: Metrics

    @property
    def settings(self) -> Settings:
        return self.archive.settings

    @property
    def definitions(self) -> Definitions:
        return self.archive.definitions

    @property
    def reading(self) -> Reading:
        return self.archive.reading

    def today(self) -> date:
        """The day in UTC, by the archive's clock."""
        return self.archive.today()


def hall() -> Hall:
    """The hall of the application that answers."""
    return cast(Hall, current_app.extensions["fangzhi"])


def reader() -> Audience:
    """The audience of whoever asks."""
    return cast(Audience, g.reader)


def absolute(path: str) -> str:
    """`path` with the archive's public address before it, for citations and data; the address asked for when none is set."""
    return (hall().settings.public_url.rstrip("/") or request.host_url.rstrip("/")) + path


def canonical(path: str) -> str:
    """Remember the page's canonical address (no language, no passing choices) for its head, and give it."""
    g.canonical = absolute(path)
    return cast(str, g.canonical)


def cache_rule(seconds: int) -> str:
    """Cache-Control for something that hangs on rights: in the reader's own browser for a while when the whole world may see it, else nowhere."""
    return f"private, max-age={seconds}" if reader() is Audience.PUBLIC else "private, no-store"


def open_to_viewers(response: Response) -> Response:
    """Let viewers on other sites read an answer that is for everyone; never what a reader gets for the place they sit in."""
    if reader() is Audience.PUBLIC:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
