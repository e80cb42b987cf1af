"""卷, 册, 叶 and side as printed, apart from our own count of images: leaves are missing, doubled or misbound."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Side(enum.Enum):
    """Of a leaf: 上 recto (a), 下 verso (b)."""

    RECTO = "a"
    VERSO = "b"


@dataclass(frozen=True, slots=True)
class Folio:
    """What is printed on a leaf. Fields are strings as printed (`首`, `三`, `88`), None when unknown; `verified` after a person looked (已核)."""

    juan: str | None = None
    ce: str | None = None
    ye: str | None = None
    side: Side | None = None
    verified: bool = False

    def label(self) -> str:
        """`卷三·叶十二下`; empty when nothing is known."""
        parts = []
        if self.ce:
            parts.append(f"册{self.ce}")
        if self.juan:
            parts.append(f"卷{self.juan}")
        if self.ye:
            side = {Side.RECTO: "上", Side.VERSO: "下", None: ""}[self.side]
            parts.append(f"叶{self.ye}{side}")
        return "·".join(parts)
