"""The accounting of a batch and its JSON document, by themselves so that a command that prints nothing else need not load the reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.model.donation import Finding


@dataclass(frozen=True, slots=True)
class Counts:
    """The accounting of a batch. `items`: ingested, unchanged, refused; `files`: given = accepted + duplicate + ignored + refused."""

    batch: str = ""
    items: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def to_json(findings: Iterable[Finding], counts: Counts) -> dict[str, Any]:
    """The document of `ingest … --json` (INTERFACE.md); a finding's place is added where it has one."""
    return {
        "batch": counts.batch,
        "items": {key: counts.items.get(key, 0) for key in ("ingested", "unchanged", "refused")},
        "files": {key: counts.files.get(key, 0) for key in ("given", "accepted", "duplicate", "ignored", "refused")},
        "findings": [_finding_json(finding) for finding in findings],
        "seconds": round(counts.seconds, 3),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    place = {key: value for key in ("path", "sheet", "row", "column") if (value := getattr(finding, key)) is not None}
    return {"severity": finding.severity.value, "code": finding.code, "where": finding.where, "message": finding.message} | place
