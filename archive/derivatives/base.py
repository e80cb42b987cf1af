"""What makes a derivative gives, and (from the model) what a probe of a file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.model.probe import Fault, Probe

__all__ = ["Fault", "Made", "Probe", "ProbeLimits"]


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    """What one file may ask for: `max_pixels` of one image, `max_parts` images in a file, `seconds` for a still file."""

    max_pixels: int = 400_000_000
    max_parts: int = 20_000
    seconds: float = 120


@dataclass(frozen=True, slots=True)
class Made:
    """What a maker made: files by name inside the derivative's folder, and facts worth keeping (JSON values)."""

    files: Mapping[str, Path]
    facts: Mapping[str, Any] = field(default_factory=dict)
