"""What people decided about an item, kept apart from what its sheet says, so that no later sheet and no background job overwrites it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archive.model.item import Item
from archive.model.rights import Audience


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A tombstone: why, when (UTC) and by whom an item was withdrawn."""

    reason: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Decisions:
    """Overlay of one item. `journal` is the number of the newest journal entry it contains; later entries are still to be applied."""

    journal: int = 0
    audience: Audience | None = None
    withdrawn: Withdrawal | None = None
    cleared: tuple[str, ...] = ()
    """Ids of files whose personal numbers a person judged harmless."""

    def apply(self, item: Item) -> Item:
        """The item as people see it: the sheet's description under these decisions."""
        rights = item.rights if self.audience is None else replace(item.rights, audience=self.audience)
        files = tuple(replace(f, personal=False) if f.id in self.cleared else f for f in item.files)
        return replace(item, rights=rights, files=files)
