"""Archivists' care: the index kept up with the catalogue, fixity, rebuilding what can be made again, and what the doctor says."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from archive.catalogue import donations as donation_rows
from archive.catalogue import events as event_rows
from archive.catalogue import items as item_rows
from archive.catalogue import notes, outbox
from archive.catalogue.engine import Catalogue, clear, scrub
from archive.derivatives.sandbox import Sandbox
from archive.derivatives.store import DerivativeStore
from archive.errors import Busy, DecodeError, NotFound, StorageError, UsageError
from archive.language import _
from archive.model.donation import Batch, BatchState
from archive.model.item import Item
from archive.model.profile import Definitions
from archive.records import from_record
from archive.search.base import IndexDocument, SearchIndex
from archive.search.documents import documents_of
from archive.services import deriving, erasing, objects, reports
from archive.services.erasing import Erased
from archive.services.locks import lock
from archive.services.publishing import APPLIED, DECISIONS, deaccession, decide, event_of
from archive.settings import Settings
from archive.storage.base import FixityProblem, ObjectStore
from archive.storage.journal import Journal, JournalEntry
from archive.storage.private import PrivateStore

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, how many there are (0: unknown)."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A fixity audit: objects looked at and what was wrong."""

    items: int
    problems: tuple[FixityProblem, ...]


class Keeping:
    """What keeps an archive well."""

    def __init__(
        self,
        settings: Settings,
        store: ObjectStore,
        journal: Journal,
        catalogue: Catalogue,
        index: SearchIndex,
        derivatives: DerivativeStore,
        definitions: Definitions,
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._store, self._journal, self._catalogue = settings, store, journal, catalogue
        self._index, self._derivatives, self._definitions, self._now = index, derivatives, definitions, now

    def drain(self, *, wait: float = 0.0, at_a_time: int = 200) -> int:
        """Send what waits in the outbox to the index; the number of items sent. Raises Busy when another process holds the lease `indexer`."""
        sent = 0
        if not self._index.exists():
            return self.rebuild_index()
        with lock(self._settings.run, "indexer", wait=wait):
            self._renew_due()
            while True:
                with self._catalogue.read() as connection:
                    waiting = outbox.pending(connection, at_a_time)
                if not waiting:
                    return sent
                items = list(dict.fromkeys(item for _seq, item in waiting))
                self._index.replace((item, self._documents(item)) for item in items)
                with self._catalogue.write() as connection:
                    for seq, _item in waiting:
                        outbox.done(connection, seq)
                sent += len(items)

    def waiting(self) -> bool:
        """True when the index has something to take up: outbox rows, or embargoes that ended."""
        with self._catalogue.read() as connection:
            return bool(outbox.pending(connection, 1)) or bool(item_rows.due_changes(connection, self._today()))

    def _renew_due(self) -> None:
        with self._catalogue.read() as connection:
            due = item_rows.due_changes(connection, self._today())
        for item in due:
            with self._catalogue.write() as connection:
                item_rows.refresh_visibility(connection, item, self._today())

    def _documents(self, item: str) -> Iterable[IndexDocument]:
        with self._catalogue.read() as connection:
            stored = item_rows.get_item(connection, item, texts=True)
        if stored is None or stored.withdrawn_at:
            return ()
        return documents_of(stored.item, self._definitions, self._today())

    def verify(self, items: Iterable[str] = (), *, progress: Progress | None = None) -> Audit:
        """Compare originals with their inventories, byte for byte; every object when none is named. The outcome goes to the journal as one event."""
        wanted = tuple(items) or tuple(sorted(self._store.items()))
        problems: list[FixityProblem] = [] if items else list(self._store.validate_root())
        for number, item in enumerate(wanted, 1):
            problems.extend(self._store.validate(item))
            if progress:
                progress(item, number, len(wanted))
        outcome = {"items": len(wanted), "failed": sorted({problem.item for problem in problems})}
        self._journal.append("fixity check", outcome, by="fangzhi verify", item=None, at=self._stamp())
        return Audit(len(wanted), tuple(problems))

    def rebuild_catalogue(self, *, progress: Progress | None = None) -> tuple[int, tuple[str, ...]]:
        """Make the catalogue again from originals and journal; the number of items, and a sentence for each whose object cannot be read.

        Whatever it held is replaced; the outbox holds every item afterwards. A damaged object costs that item only.

        Journal entries that a crash left undone are noted as still to be carried out (`Publishing.settle`).
        """
        entries = list(self._journal.entries())
        decided: dict[str, list[JournalEntry]] = {}
        for entry in entries:
            if entry.item and entry.kind in DECISIONS:
                decided.setdefault(entry.item, []).append(entry)
        count, behind, unread = 0, [], []
        # one transaction: until it commits readers see what was there, and a crash leaves that, not half an archive that looks whole
        with self._catalogue.write() as connection:
            clear(connection)
            for item in sorted(objects.item_ids(self._store)):
                try:
                    behind.extend(self._read_in(connection, item, decided.get(item, ())))
                except StorageError as error:
                    unread.append(str(error))
                    continue
                count += 1
                if progress:
                    progress(item, count, 0)
            self._replay(connection, entries, behind)
        return count, tuple(unread)

    def _read_in(self, connection: Any, item: str, decided: Iterable[JournalEntry]) -> list[int]:
        """Put an item into the catalogue as its object and what was `decided` say; the numbers of the entries that its object does not contain yet."""
        found = objects.read_object(self._store, item)
        decisions = found.decisions
        later = [entry for entry in decided if entry.seq > decisions.journal]
        for entry in later:
            decisions = decide(decisions, entry)
        donation_rows.put_donation(connection, found.donation)
        described = decisions.apply(found.described)
        item_rows.put_item(connection, described, version=found.version, batch=found.batch, at=found.created, day=self._today())
        if decisions.withdrawn:
            item_rows.withdraw(connection, item, reason=decisions.withdrawn.reason, at=decisions.withdrawn.at)
        event_rows.append(connection, objects.read_events(self._store, item))
        return [entry.seq for entry in later]

    def _replay(self, connection: Any, entries: Iterable[JournalEntry], behind: Iterable[int]) -> None:
        """What only the journal knows: batches, reserved ids, later events. `behind`: entries that objects do not contain yet."""
        undos: dict[int, JournalEntry] = {}
        last = 0
        for entry in entries:
            last = entry.seq
            self._replay_one(connection, entry, undos)
        unfinished = min([*behind, *undos], default=last + 1)
        notes.put(connection, APPLIED, str(unfinished - 1))

    def _replay_one(self, connection: Any, entry: JournalEntry, undos: dict[int, JournalEntry]) -> None:
        if entry.kind == "batch":
            donation_rows.put_batch(connection, from_record(entry.data["batch"], Batch))
        elif entry.kind == "undo":
            undos[entry.seq] = entry
            with contextlib.suppress(NotFound):
                donation_rows.set_batch_state(connection, entry.data["batch"], BatchState.UNDONE, ended=entry.at)
        elif entry.kind == "undone":
            undo = undos.pop(entry.data["undo"], entry)
            event_rows.append(connection, [deaccession(undo, item) for item in entry.data["trashed"] if not _is_papers(item)])
            event_rows.append(connection, [event_of(undo, item) for item in entry.data["restored"] if not _is_papers(item)])
        elif entry.kind == "purge":
            item_rows.reserve(connection, entry.data["items"], "purged")
        elif entry.kind == "erase":
            item_rows.reserve(connection, [item for item in entry.data["items"] if self._store.head(item) is None], "erased")
        if entry.item and entry.kind in DECISIONS:
            event_rows.append(connection, [event_of(entry)])

    def rebuild_index(self) -> int:
        """Build the index of every item anew beside the live one, then swap; the number of items."""
        with lock(self._settings.run, "indexer", wait=60.0):
            with self._catalogue.read() as connection:
                ids = item_rows.item_ids(connection)
                waiting = outbox.pending(connection, 10_000_000)
            self._index.rebuild((item, self._documents(item)) for item in ids)
            with self._catalogue.write() as connection:
                for seq, _item in waiting:
                    outbox.done(connection, seq)
        return len(ids)

    def rebuild_derivatives(self, *, jobs: int = 1, progress: Progress | None = None, item: str | None = None) -> tuple[int, int]:
        """Make every derivative that is missing (of one `item` when it is named); how many were made and how many failed. One bad file costs that file only."""
        made = failed = 0
        settings = self._settings
        with Sandbox(jobs, settings.child_memory_mib, settings.child_seconds) as sandbox:
            for _job, answer in sandbox.map(deriving.make, self._jobs(item), seconds=lambda arguments: arguments[0].seconds):
                if isinstance(answer, DecodeError):
                    failed += 1
                else:
                    made += 1
                if progress:
                    progress("derivatives", made + failed, 0)
        wanted = self.line_jobs(item, again=True) if self._finds_lines() else ()
        for _page, fault in deriving.find_all_lines(wanted):
            made, failed = made + (fault is None), failed + (fault is not None)
            if progress:
                progress("lines", made + failed, 0)
        return made, failed

    def find_lines(self, *, until: Callable[[], bool] = lambda: False) -> bool:
        """Find the lines of page images that have text without boxes, one after the other until `until`; True when none is left.

        Does nothing without the extra `ocr`, where the settings say not to, or while another process does it.
        """
        if not self._finds_lines():
            return True
        with contextlib.suppress(Busy), lock(self._settings.run, "lines"):
            for job, fault in deriving.find_all_lines(self.line_jobs()):
                if fault is not None:
                    log.warning("no lines were found on %s %s: %s", job.item, job.page, fault)
                if until():
                    return False
        return True

    def _finds_lines(self) -> bool:
        return self._settings.find_lines and deriving.can_find_lines()

    def line_jobs(self, only: str | None = None, *, again: bool = False) -> Iterator[deriving.LinesJob]:
        """Page images (of `only` one item) with text without boxes whose lines are still to be found; `again`: those too that failed."""
        with self._catalogue.read() as connection:
            ids = [only] if only is not None else item_rows.item_ids(connection)
        for item in ids:
            with self._catalogue.read() as connection:
                stored = item_rows.get_item(connection, item, texts=True)
            if stored is not None:
                yield from deriving.line_jobs(stored.item, self._store, self._derivatives, self._settings, again=again)

    def _jobs(self, only: str | None = None) -> Iterator[tuple[deriving.DeriveJob]]:
        for item in self.items(only):
            for job in deriving.missing(item, self._store, self._derivatives, self._settings):
                yield (job,)

    def items(self, only: str | None = None) -> Iterator[Item]:
        """Every item of the catalogue (or `only` one), without texts."""
        with self._catalogue.read() as connection:
            ids = [only] if only is not None else item_rows.item_ids(connection)
        for item in ids:
            with self._catalogue.read() as connection:
                stored = item_rows.get_item(connection, item)
            if stored is not None:
                yield stored.item

    def purge(self, older_than_days: int | None, *, by: str) -> tuple[str, ...]:
        """Empty the trash for good; the ids that went. They stay reserved."""
        gone = self._store.purgeable(older_than_days)
        if not gone:
            return ()
        # the journal first: a crash between the two must not lose the reservation of an id
        self._journal.append("purge", {"items": list(gone)}, by=by, item=None, at=self._stamp())
        purged = self._store.purge(older_than_days)
        with self._catalogue.write() as connection:
            item_rows.reserve(connection, purged, "purged")
        return purged

    def erase(self, thing: str, reason: str, *, by: str, private: PrivateStore) -> Erased:
        """Take an item (its id), a file (`ITEM.f3`), a paper (`papers:ACCESSION/PATH`) or a person (a name) out of everything the home holds, for good.

        Originals and their versions, journal, private store and derivatives are rewritten; catalogue and index are made anew, because freed
        pages and merged segments keep words. What is left is one journal entry that says what kind of thing went, when, by whom and why,
        never the words themselves. Raises NotFound when there is nothing of it, UsageError without a reason.
        """
        if not reason.strip():
            raise UsageError(_("抹去必须写明理由：--reason"))
        erased = erasing.erase(self._store, self._derivatives, thing)
        name = thing.strip() if erased.kind == "person" else ""
        if not name:
            reports.forget_items(self._journal, private, erased.items)
        found = erasing.erase_private(private, name) if name else 0
        changed = self._journal.redact(lambda entry: _redacted(entry, erased, name))
        if name and not (erased.items or found or changed):
            raise NotFound(_("没有找到“%(name)s”：不是条目编号、文件编号，也没有这个人名。", name=name))
        told = {"thing": "person" if name else thing, "reason": reason.strip(), "items": list(erased.items)}
        self._journal.append("erase", erasing.redact_values(told, name) if name else told, by=by, item=None, at=self._stamp())
        self.rebuild_catalogue()
        scrub(self._catalogue)
        for leaving in (self._settings.run / "answers", self._settings.staging / "ocfl" / "aside"):
            shutil.rmtree(leaving, ignore_errors=True)
        self.rebuild_index()
        return erased

    def _today(self) -> date:
        return self._now().date()

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_papers(item: str) -> bool:
    return item.startswith(objects.PAPERS)


def _redacted(entry: JournalEntry, erased: Erased, name: str) -> Mapping[str, Any]:
    """What an entry says after an erasure: nothing of the person, and of an item that is gone no reason that may tell of it."""
    if name:
        data: Mapping[str, Any] = erasing.redact_values(dict(entry.data), name)
        return data
    if entry.item not in erased.items:
        return entry.data
    if entry.kind in (reports.REPORT, reports.CLOSED):
        return reports.redacted(entry)
    if erased.kind == "item" and "reason" in entry.data:
        return {**entry.data, "reason": "…"}
    if entry.kind == "timed-text" and (erased.kind == "item" or erased.file == entry.data["media"] or entry.data["track"] in erased.tracks):
        return {**entry.data, "cues": []}
    if entry.kind == "passages":
        kept = () if erased.kind == "item" else (p for p in entry.data["passages"] if p["media"] != erased.file)
        return {**entry.data, "passages": list(kept)}
    return entry.data
