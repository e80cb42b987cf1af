"""Who may see what was taken in: publish, withdraw, and take a batch back.

Every decision is first appended to the journal (then it is acknowledged), then written into the item's object as a version, then into the
catalogue. `settle` carries out what a crash left between the first and the last step; it runs whenever an archive that may write is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from archive import records
from archive.catalogue import donations as donation_rows
from archive.catalogue import events as event_rows
from archive.catalogue import items as item_rows
from archive.catalogue import notes
from archive.catalogue.engine import Catalogue
from archive.errors import Conflict, NotFound, UsageError
from archive.language import _
from archive.model.decision import Decisions, MendedText, Withdrawal
from archive.model.donation import BatchState
from archive.model.event import Event
from archive.model.item import Cue, Segment
from archive.model.rights import Audience
from archive.model.sections import Section, highest
from archive.services import objects
from archive.storage.base import ObjectStore
from archive.storage.journal import Journal, JournalEntry

APPLIED = "journal-applied"
"""Key of the catalogue's note of the last journal entry carried out."""

DECISIONS = ("publish", "withdraw", "clear-personal", "timed-text", "passages", "sections")
"""Kinds of journal entries that change what an item's object says of people's decisions."""


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

    def mend_text(
        self, item: str, track: str, cues: Iterable[Cue], *, by: str, media: str | None = None, language: str = ""
    ) -> tuple[str, ...]:
        """Put these lines in the place of a timed text, or beside a recording (`media`) as a new one; no lines: what was mended goes again."""
        lines = [[cue.start, cue.end, cue.text] for cue in cues]
        return self._decide([item], "timed-text", {"track": track, "media": media, "language": language, "cues": lines}, by)

    def describe_passages(self, item: str, passages: Iterable[Segment], *, last: int, by: str) -> tuple[str, ...]:
        """Say which passages the recordings of an item have, all of them; `last` is the highest number ever given to one."""
        return self._decide([item], "passages", {"passages": records.to_record(tuple(passages)), "last": last}, by)

    def arrange(self, item: str, sections: Sequence[Section], *, by: str) -> tuple[str, ...]:
        """Take down the section tree of an item as a person left it; raises NotFound."""
        return self._decide([item], "sections", {"sections": records.to_record(tuple(sections))}, by)

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
            objects.read_object(self._store, item)  # a damaged object is found out before the decision is taken down
        for item in wanted:
            self._journal.append(kind, data, by=by, item=item, at=self._stamp())
        self.settle()
        return wanted

    def settle(self) -> int:
        """Carry out journal entries that a crash left undone; the number of them. Two processes may be at it: each step is done once."""
        with self._catalogue.read() as connection:
            done = int(notes.get(connection, APPLIED) or 0)
        count = 0
        for entry in self._journal.entries(after=done):
            self._carry_out(entry)
            count += 1
        return count

    def _carry_out(self, entry: JournalEntry) -> None:
        if entry.kind in DECISIONS and entry.item and self._store.head(entry.item) is not None:
            self._apply(entry, entry.item)
        elif entry.kind == "undo":
            self._take_back(entry.data["batch"], entry)
        with self._catalogue.write() as connection:
            notes.put(connection, APPLIED, str(max(entry.seq, int(notes.get(connection, APPLIED) or 0))))

    def _apply(self, entry: JournalEntry, item: str) -> None:
        while True:
            before = objects.read_object(self._store, item)
            decisions = decide(before.decisions, entry)
            try:
                if decisions != before.decisions:
                    self._write(replace(before, decisions=decisions), entry)
                break
            except Conflict:  # an ingest, or another process that settles, wrote a version meanwhile
                continue
        self._register(item, event_of(entry))

    def _write(self, after: objects.ItemObject, entry: JournalEntry) -> int:
        item = after.described.id
        state: dict[str, Any] = dict(self._store.versions(item)[after.version - 1].state)
        state[objects.DECISIONS] = records.encode(after.decisions)
        return self._store.add_version(
            item, state, message=f"{entry.kind} (journal {entry.seq})", user=entry.by, created=entry.at, expect_head=after.version
        )

    def _register(self, item: str, event: Event) -> None:
        """The item as its object has it now, read inside the transaction: whoever comes last puts down the newest."""
        with self._catalogue.write() as connection:
            now = objects.read_object(self._store, item)
            donation_rows.put_donation(connection, now.donation)
            item_rows.put_item(connection, now.item, version=now.version, batch=now.batch, at=now.created, day=self._now().date())
            withdrawn = now.decisions.withdrawn
            if withdrawn:
                item_rows.withdraw(connection, item, reason=withdrawn.reason, at=withdrawn.at)
            else:
                item_rows.reinstate(connection, item, self._now().date())
            event_rows.append(connection, [event])

    def undo(self, batch: str, *, by: str) -> Undone:
        """Take a batch back: objects it made go whole to the trash, objects it changed get a new version equal to the one before.

        What people decided about an item that was changed stays. An item that a later batch changed is left alone, with the reason; once that
        batch is taken back, this one can be again. Raises NotFound for an unknown batch, UsageError when there is nothing left to take back.
        """
        with self._catalogue.read() as connection:
            row = donation_rows.get_batch(connection, batch)
        if row.state is BatchState.UNDONE and not any(batch in self._batches(item) for item in self._store.items()):
            raise UsageError(_("批次 %(id)s 已经撤回过。", id=batch))
        self.settle()
        entry = self._journal.append("undo", {"batch": batch}, by=by, item=None, at=self._stamp())
        undone = self._take_back(batch, entry)
        with self._catalogue.write() as connection:
            notes.put(connection, APPLIED, str(entry.seq))
        return undone

    def _batches(self, item: str) -> list[str]:
        return objects.batches_of(self._store.versions(item))

    def _take_back(self, batch: str, entry: JournalEntry) -> Undone:
        trashed, restored, left = [], [], []
        for item in sorted(self._store.items()):
            versions = self._store.versions(item)
            batches = objects.batches_of(versions)
            message = f"{objects.UNDO}{batch} (journal {entry.seq})"
            if batch in batches and batches[-1] != batch:
                left.append((item, _("后来的批次 %(batch)s 又改过它，没有撤回；请先撤回那一批。", batch=batches[-1])))
            elif set(batches) == {batch}:
                self._trash(item, batch, entry)
                trashed.append(item)
            elif batch in batches or versions[-1].message == message:
                self._restore(item, batch, message, entry)
                restored.append(item)
        with self._catalogue.write() as connection:
            for item in item_rows.item_ids(connection, batch=batch):
                if self._store.head(item) is None:  # a crash came between the trash and the catalogue
                    item_rows.remove_item(connection, item)
                    event_rows.append(connection, [deaccession(entry, item)])
                    trashed.append(item)
            donation_rows.set_batch_state(connection, batch, BatchState.UNDONE, ended=entry.at)
        done = {"undo": entry.seq, "batch": batch, "trashed": trashed, "restored": restored, "left": [item for item, _why in left]}
        self._journal.append("undone", done, by=entry.by, item=None, at=entry.at)
        return Undone(_items(trashed), _items(restored), tuple((item, why) for item, why in left if not item.startswith(objects.PAPERS)))

    def _trash(self, item: str, batch: str, entry: JournalEntry) -> None:
        self._store.trash(item, reason=f"undo of {batch}", at=entry.at)
        with self._catalogue.write() as connection:
            item_rows.remove_item(connection, item)
            event_rows.append(connection, [deaccession(entry, item)])

    def _restore(self, item: str, batch: str, message: str, entry: JournalEntry) -> None:
        while (versions := self._store.versions(item))[-1].message != message:
            first = next(v.number for v in versions if v.message == f"{objects.INGESTION}{batch}")
            state: dict[str, Any] = dict(versions[first - 2].state)
            if objects.DECISIONS in versions[-1].state:  # people may have decided since: their decisions stay
                state[objects.DECISIONS] = versions[-1].state[objects.DECISIONS]
            try:
                self._store.add_version(item, state, message=message, user=entry.by, created=entry.at, expect_head=versions[-1].number)
            except Conflict:
                continue
            if len(self._store.versions(item)) == len(versions):
                break  # the batch changed nothing that is kept
        if not item.startswith(objects.PAPERS):
            self._register(item, event_of(entry, item))

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
    if entry.kind == "timed-text":
        return replace(decisions, journal=entry.seq, timed_texts=_mended(decisions.timed_texts, entry.data))
    if entry.kind == "passages":
        passages = records.from_record(entry.data["passages"], tuple[Segment, ...])
        return replace(decisions, journal=entry.seq, passages=passages, last_passage=max(decisions.last_passage, entry.data["last"]))
    if entry.kind == "clear-personal":
        return replace(decisions, journal=entry.seq, cleared=tuple(sorted({*decisions.cleared, *entry.data["files"]})))
    if entry.kind == "sections":
        sections = records.from_record(entry.data["sections"], tuple[Section, ...])
        last = max(decisions.last_section, highest(sections), highest(decisions.sections or ()))
        return replace(decisions, journal=entry.seq, sections=sections, last_section=last)
    return decisions


def _mended(before: tuple[MendedText, ...], data: Mapping[str, Any]) -> tuple[MendedText, ...]:
    """The mended texts after one more; one without lines takes back what was mended."""
    cues = tuple(Cue(float(start), float(end), text) for start, end, text in data["cues"])
    text = MendedText(data["track"], cues, data["media"], data["language"])
    others = tuple(one for one in before if one.track != text.track)
    return (*others, text) if cues else others


def deaccession(entry: JournalEntry, item: str) -> Event:
    """The event of an item that went to the trash because its batch was taken back; `entry` says `undo` or `undone`."""
    return Event(item, "deaccession", entry.at, entry.by, detail={"undo": entry.data["batch"]})


def event_of(entry: JournalEntry, item: str = "") -> Event:
    """The event that a decision is, for the item it is about (or for `item`); the same when it is carried out and when a rebuild reads it."""
    detail = {"decision": entry.kind, **_in_short(entry)}
    return Event(entry.item or item, "metadata modification", entry.at, entry.by, detail=detail)


def _in_short(entry: JournalEntry) -> Mapping[str, Any]:
    """What an event tells of a decision: of many lines how many there are, for their words stand in the object."""
    if entry.kind == "timed-text":
        return {"track": entry.data["track"], "lines": len(entry.data["cues"])}
    if entry.kind == "passages":
        return {"passages": len(entry.data["passages"])}
    return entry.data
