"""`Event`: what was done to an object, when, by whom, with what outcome, in PREMIS words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Appended, never changed. `type` is a PREMIS event type (`ingestion`, `fixity check`, `format identification`, `metadata modification` …).

    `at` is UTC, ISO 8601 with Z; `outcome` `success`, `warning` or `failure`.
    """

    object: str
    type: str
    at: str
    agent: str
    outcome: str = "success"
    detail: Mapping[str, Any] = field(default_factory=dict)
