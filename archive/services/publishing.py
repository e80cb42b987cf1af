"""Who may see what was taken in: publish, withdraw, and take a batch back.

Every decision is first appended to the journal (then it is acknowledged), then written into the item's object as a version, then into the
catalogue. `settle` carries out what a crash left between the first and the last step; it runs whenever an archive that may write is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from archive import records
from archive.catalogue import donations as donation_rows
from archive.catalogue import events as event_rows
from archive.catalogue import items as item_rows
from archive.catalogue import notes
from archive.catalogue.engine import Catalogue
from archive.errors import NotFound, UsageError
from archive.language import _
from archive.model.decision import Decisions, Withdrawal
from archive.model.donation import BatchState
from archive.model.event import Event
from archive.model.rights import Audience
from archive.services import objects
from archive.storage.base import ObjectStore
from archive.storage.journal import Journal, JournalEntry

APPLIED = "journal-applied"
"""Key of the catalogue's note of the last journal entry carried out."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What `undo` did: items whole in the trash, items back to the version before, and items it left alone with the reason."""

    trashed: tuple[str, ...]
    restored: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


class Publishing:
    """Decisions about items, by archivists."""

    def __init__(self, store: ObjectStore, journal: Journal, catalogue: Catalogue, now: Callable[[], datetime]) -> None:
        self._store, self._journal, self._catalogue, self._now = store, journal, catalogue, now

    def publish(self, items: Iterable[str], audience: Audience, *, by: str) -> tuple[str, ...]:
        """Give items this audience (an item withdrawn before comes back); the ids done. Raises NotFound naming the first unknown id, before anything is done."""
        return self._decide(items, "publish", {"audience": audience.value}, by)

    def withdraw(self, items: Iterable[str], reason: str, *, by: str) -> tuple[str, ...]:
        """Put a tombstone in place of items; raises UsageError without a reason, NotFound for an unknown id."""
        if not reason.strip():
            raise UsageError(_("撤下必须写明理由：--reason"))
        return self._decide(items, "withdraw", {"reason": reason.strip()}, by)

    def clear_personal(self, item: str, files: Iterable[str], *, by: str) -> tuple[str, ...]:
        """Note that a person looked at the personal numbers found in these files and judged them harmless."""
        return self._decide([item], "clear-personal", {"files": sorted(files)}, by)

    def members(self, batch_or_item: str) -> tuple[str, ...]:
        """The items of a batch, or the item itself; raises NotFound for neither."""
        with self._catalogue.read() as connection:
            if item_rows.get_item(connection, batch_or_item, pages=False, files=False) is not None:
                return (batch_or_item,)
            if any(batch.id == batch_or_item for batch in donation_rows.batches(connection)):
                return tuple(item_rows.item_ids(connection, batch=batch_or_item))
        raise NotFound(_("没有编号为 %(id)s 的条目或批次。", id=batch_or_item))

    def _decide(self, items: Iterable[str], kind: str, data: Mapping[str, Any], by: str) -> tuple[str, ...]:
        wanted = tuple(dict.fromkeys(items))
        for item in wanted:
            if self._store.head(item) is None:
                raise NotFound(_("没有编号为 %(id)s 的条目。", id=item))
        for item in wanted:
            entry = self._journal.append(kind, data, by=by, item=item, at=self._stamp())
            self._carry_out(entry)
        return wanted

    def settle(self) -> int:
        """Carry out journal entries that a crash left undone; the number of them."""
        with self._catalogue.read() as connection:
            done = int(notes.get(connection, APPLIED) or 0)
        count = 0
        for entry in self._journal.entries(after=done):
            self._carry_out(entry)
            count += 1
        return count

    def _carry_out(self, entry: JournalEntry) -> None:
        if entry.kind in ("publish", "withdraw", "clear-personal") and entry.item and self._store.head(entry.item) is not None:
            self._apply(entry, entry.item)
        elif entry.kind == "undo":
            self._take_back(entry.data["batch"], entry)
        with self._catalogue.write() as connection:
            notes.put(connection, APPLIED, str(entry.seq))

    def _apply(self, entry: JournalEntry, item: str) -> None:
        before = objects.read_object(self._store, item)
        decisions = decide(before.decisions, entry)
        after = replace(before, decisions=decisions)
        if decisions != before.decisions:
            after = replace(after, version=self._write(after, entry))
        self._register(after, entry)

    def _write(self, after: objects.ItemObject, entry: JournalEntry) -> int:
        item = after.described.id
        state: dict[str, Any] = dict(self._store.versions(item)[-1].state)
        state[objects.DECISIONS] = records.encode(after.decisions)
        return self._store.add_version(
            item, state, message=f"{entry.kind} (journal {entry.seq})", user=entry.by, created=entry.at, expect_head=after.version
        )

    def _register(self, after: objects.ItemObject, entry: JournalEntry) -> None:
        event = Event(after.described.id, "metadata modification", entry.at, entry.by, detail={"decision": entry.kind, **entry.data})
        with self._catalogue.write() as connection:
            item_rows.put_item(connection, after.item, version=after.version, batch=after.batch, at=entry.at, day=self._now().date())
            withdrawn = after.decisions.withdrawn
            if withdrawn:
                item_rows.withdraw(connection, after.described.id, reason=withdrawn.reason, at=withdrawn.at)
            else:
                item_rows.reinstate(connection, after.described.id, self._now().date())
            event_rows.append(connection, [event])

    def undo(self, batch: str, *, by: str) -> Undone:
        """Take a batch back: objects it made go whole to the trash, objects it changed get a new version equal to the one before.

        An item that something else changed since is left alone, with the reason. Raises NotFound for an unknown batch, UsageError for one undone already.
        """
        with self._catalogue.read() as connection:
            row = donation_rows.get_batch(connection, batch)
        if row.state is BatchState.UNDONE:
            raise UsageError(_("批次 %(id)s 已经撤回过。", id=batch))
        entry = self._journal.append("undo", {"batch": batch}, by=by, item=None, at=self._stamp())
        undone = self._take_back(batch, entry)
        with self._catalogue.write() as connection:
            notes.put(connection, APPLIED, str(entry.seq))
        return undone

    def _take_back(self, batch: str, entry: JournalEntry) -> Undone:
        trashed, restored, left = [], [], []
        for item in sorted(self._store.items()):
            made = [v.number for v in self._store.versions(item) if v.message == f"{objects.INGESTION}{batch}"]
            if not made:
                continue
            try:
                if made[0] == 1:
                    self._trash(item, batch, entry)
                    trashed.append(item)
                elif self._restore(item, batch, made, entry):
                    restored.append(item)
            except UsageError as error:
                left.append((item, str(error)))
        with self._catalogue.write() as connection:
            for item in item_rows.item_ids(connection, batch=batch):
                if self._store.head(item) is None:  # a crash came between the trash and the catalogue
                    item_rows.remove_item(connection, item)
            donation_rows.set_batch_state(connection, batch, BatchState.UNDONE, ended=entry.at)
        return Undone(_items(trashed), _items(restored), tuple(left))

    def _trash(self, item: str, batch: str, entry: JournalEntry) -> None:
        later = [v.message for v in self._store.versions(item) if v.message.startswith(objects.INGESTION)]
        if any(message != f"{objects.INGESTION}{batch}" for message in later):
            raise UsageError(_("后来的批次又改过它（%(message)s），没有撤回；请先撤回后来的批次。", message=later[-1]))
        self._store.trash(item, reason=f"undo of {batch}", at=entry.at)
        with self._catalogue.write() as connection:
            item_rows.remove_item(connection, item)
            event = Event(item, "deaccession", entry.at, entry.by, detail={"undo": batch})
            event_rows.append(connection, [event])

    def _restore(self, item: str, made_by: str, made: list[int], entry: JournalEntry) -> bool:
        versions = self._store.versions(item)
        message = f"{objects.UNDO}{made_by} (journal {entry.seq})"
        if versions[-1].message != message:
            if any(v.message.startswith(objects.INGESTION) for v in versions[made[-1] :]):
                raise UsageError(_("后来的批次又改过它，没有撤回；请先撤回后来的批次。"))
            state: dict[str, Any] = dict(versions[made[0] - 2].state)
            if versions[-1].number != made[-1] and objects.DECISIONS in state:  # people decided since: their decisions stay
                state[objects.DECISIONS] = versions[-1].state[objects.DECISIONS]
            self._store.add_version(item, state, message=message, user=entry.by, created=entry.at, expect_head=versions[-1].number)
        if not item.startswith(objects.PAPERS):
            self._register(objects.read_object(self._store, item), entry)
        return True

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _items(objects_: Iterable[str]) -> tuple[str, ...]:
    return tuple(item for item in objects_ if not item.startswith(objects.PAPERS))


def decide(decisions: Decisions, entry: JournalEntry) -> Decisions:
    """The decisions after one more journal entry; entries they contain already change nothing."""
    if entry.seq <= decisions.journal:
        return decisions
    if entry.kind == "publish":
        return replace(decisions, journal=entry.seq, audience=Audience(entry.data["audience"]), withdrawn=None)
    if entry.kind == "withdraw":
        return replace(decisions, journal=entry.seq, withdrawn=Withdrawal(entry.data["reason"], entry.at, entry.by))
    if entry.kind == "clear-personal":
        return replace(decisions, journal=entry.seq, cleared=tuple(sorted({*decisions.cleared, *entry.data["files"]})))
    return decisions


def later_entries(journal: Journal, decisions: Decisions, item: str) -> Iterator[JournalEntry]:
    """Journal entries about the item that its object does not contain yet."""
    return journal.entries(after=decisions.journal, item=item)
