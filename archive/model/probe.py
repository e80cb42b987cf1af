"""What a probe of a file says it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.model.item import MediaKind


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file. `code` names it (`truncated`, `bomb`, `encrypted`, `empty`, `damaged`, `unknown-format`, `active-content`,
    `timeout`, `memory`, `crash`, `mislabelled`); `fatal`: it is refused, else it goes in and someone looks. `detail` for the message."""

    code: str
    fatal: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file is, by its content, after decoding it fully."""

    media_type: str
    kind: MediaKind
    format: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    parts: int | None = None
    part_sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of each image of a multi-page file, upright."""
    technical: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    text: tuple[str, ...] = ()
    """Text taken out of a document, one string a page (one in all when it has no pages)."""
    subtitles: tuple[tuple[float, float, str], ...] = ()
    """Timed text embedded in a film: start, end (seconds), text."""
