"""What one donor handed over at one time, its way in, and what an archivist must see about it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Donation:
    """An accession 入藏登记. Never holds the donor's contact: that lies in the private store."""

    accession: str
    donor: str = ""
    received: str = ""
    source: str = ""
    """捐赠, 征集, 交流 …"""
    agreement: str = ""
    rights: str = ""
    provenance: str = ""
    provisional: bool = False
    """The number was made up from the folder's name because none was given."""


class BatchState(enum.Enum):
    """Where a batch stands."""

    STAGED = "staged"
    CHECKED = "checked"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Batch:
    """One folder of a donation on its way in. `id` is `ACCESSION.N` (the Nth run of it); times UTC."""

    id: str
    accession: str
    folder: str
    state: BatchState
    started: str
    ended: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)


class Severity(enum.Enum):
    """`ERROR`: something was refused and a person must mend it. `WARNING`: it went in, but someone must look. `NOTE`: said so that nothing is silent."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing an archivist must see. `where` names the place in words ("登记表.xlsx 第 12 行 年代", "影像/0012.tif").

    `message` says what is wrong and what to do, in the language of the command. `sheet`, `row`, `column` (from 1, as the spreadsheet counts)
    and `path` (inside the donation) place it for reports.
    """

    severity: Severity
    code: str
    where: str
    message: str
    path: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: int | None = None
