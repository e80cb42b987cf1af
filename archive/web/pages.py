"""Lists in pages: which one was asked for, and which numbers to show."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Request


@dataclass(frozen=True, slots=True)
class Pages:
    """Page `number` of `count`, both from 1."""

    number: int
    count: int

    @property
    def shown(self) -> tuple[int | None, ...]:
        """Numbers to link to: the ends, and those around this one; None for a gap."""
        near = {1, self.count, *range(self.number - 2, self.number + 3)}
        numbers = sorted(n for n in near if 1 <= n <= self.count)
        found: list[int | None] = []
        for before, n in zip([0, *numbers], numbers, strict=False):
            if n - before == 2:
                found.append(n - 1)
            elif n - before > 2:
                found.append(None)
            found.append(n)
        return tuple(found)


def asked_page(request: Request, most: int = 100_000) -> int:
    """`?page=`, from 1; 1 for anything that is no such number."""
    text = request.args.get("page", "1")
    return min(most, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 9 else 1
