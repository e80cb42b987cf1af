"""What makes a derivative gives, and (from the model) what a probe of a file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.model.probe import Fault, Probe

__all__ = ["Fault", "Made", "Probe"]


@dataclass(frozen=True, slots=True)
class Made:
    """What a maker made: files by name inside the derivative's folder, and facts worth keeping (JSON values)."""

    files: Mapping[str, Path]
    facts: Mapping[str, Any] = field(default_factory=dict)
