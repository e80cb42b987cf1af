"""One figure of the table, and what every part of the run is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archive.search.chinese import fold_version
from archive.search.whoosh_index import FORMAT


@dataclass(frozen=True, slots=True)
class Given:
    """`leaves` the corpus (its first `limit` leaves), `keep` a folder for indexes that parts and runs share, `queries` of each class."""

    leaves: Path
    limit: int | None
    keep: Path
    queries: int
    million: int
    home: Path | None

    @property
    def kept(self) -> Path:
        """Where indexes of this format and this folding are kept."""
        folder = self.keep / f"{FORMAT}-{fold_version()}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def index(self) -> Path:
        """Our index of the corpus."""
        return self.kept / "index"


@dataclass(frozen=True, slots=True)
class Figure:
    """`row` of the table, `name` within it; `ok` None where nothing is demanded or nothing could be measured."""

    row: str
    name: str
    must: str
    measured: str
    ok: bool | None
    beside: str = ""


def at_most(row: str, name: str, value: float, most: float, unit: str = "ms", beside: str = "") -> Figure:
    """A figure that must not be larger."""
    return Figure(row, name, f"≤ {most:g} {unit}", f"{number(value)} {unit}", value <= most, beside)


def at_least(row: str, name: str, value: float, least: float, unit: str, beside: str = "") -> Figure:
    """A figure that must not be smaller."""
    return Figure(row, name, f"≥ {least:g} {unit}", f"{number(value)} {unit}", value >= least, beside)


def number(value: float) -> str:
    """Three figures, thousands parted."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
