"""The list of stages; checks, runs, resumes and records one batch.

    walk → receive (digest) → identify → describe → transcribe          `analyse`: the plan, with every finding; `check` ends here
    → mint → preserve → derive → register → (outbox drained to the index)   `run`: item by item

One function, `analyse`, finds everything there is to find, so that `check` and `run` cannot disagree. Every stage may run twice: a run that was
killed is taken up by running again, and goes on with the same batch.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from archive import records
from archive.assembly import Archive
from archive.catalogue import donations as donation_rows
from archive.catalogue import items as item_rows
from archive.catalogue import learnt
from archive.derivatives import ffmpeg, text_layer
from archive.derivatives.base import Probe, ProbeLimits
from archive.derivatives.sandbox import Sandbox
from archive.errors import ArchiveError, Busy, Conflict, DecodeError, DiskFull, MissingToolError, SearchIndexError
from archive.language import _
from archive.model.decision import Decisions
from archive.model.donation import Batch, BatchState, Donation, Finding, Severity
from archive.model.event import Event
from archive.model.item import Item
from archive.model.profile import Definitions
from archive.services import deriving, objects
from archive.services.locks import lock
from archive.settings import Settings
from ingest import remembered, sectioning
from ingest.accounting import Counts
from ingest.grouping import name_of
from ingest.readers import folder as folder_reader
from ingest.readers import registration as registration_reader
from ingest.readers import sheet as sheet_reader
from ingest.readers.archives import Limits, looks_like_archive
from ingest.readers.order import split_name
from ingest.readers.workbook import Unreadable, read_workbook
from ingest.stages import describe, identify, mint, preserve, receive, recognise, register, transcribe
from ingest.task import Fate, FileFate, GivenFile, ItemDraft, Plan, Registration, SheetRole, SheetTable

AGENT = "fangzhi ingest"
UNPACKED = "unpacked-"
"""Begins the names of folders in the staging area that hold members of archives."""
Progress = Callable[[str, int, int], None]
"""Told the stage, how much is done and how much there is (files, bytes or items; 0: unknown)."""


def _silent(stage: str, done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    """How a donation is to be gone through."""

    jobs: int = 2
    quick: bool = False
    ocr: bool = False
    progress: Progress = _silent
    shown: bool = True
    """Whether somebody reads the report on a terminal, so that it is kept to be shown again."""


@dataclass(slots=True)
class Outcome:
    """What a check or a run did: the plan, the batch (none for a check), counts of items and files, findings beyond the plan's."""

    plan: Plan
    batch: str | None = None
    ingested: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    fates: dict[str, FileFate] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def files(self) -> dict[str, int]:
        """`given`, `accepted`, `duplicate`, `ignored`, `refused`: given is the sum of the others, always."""
        counts = Counter(fate.fate for fate in self.fates.values())
        return {"given": len(self.fates)} | {fate.value: counts[fate] for fate in Fate}

    @property
    def items(self) -> dict[str, int]:
        """`ingested`, `unchanged`, `refused`."""
        return {"ingested": len(self.ingested), "unchanged": len(self.unchanged), "refused": len(self.refused)}

    @property
    def needs_a_person(self) -> bool:
        """True when something was refused or must be looked at (exit status 1)."""
        return any(finding.severity is not Severity.NOTE for finding in self.findings)


class _ArchiveView:
    """What `describe` may ask the archive (see `describe.ArchiveView`), in one state of the catalogue; without one, an empty archive."""

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection

    def holders_of(self, sha512: str) -> tuple[str, ...]:
        if self._connection is None:
            return ()
        return tuple(f"{item}.{file}" for item, file in item_rows.files_by_sha512(self._connection, sha512))

    def known_item(self, accession: str, key: str) -> str | None:
        return None if self._connection is None else item_rows.find_item(self._connection, accession, key)


def limits_of(settings: Settings) -> ProbeLimits:
    """The limits of decoding that an institution set."""
    return ProbeLimits(max_pixels=settings.max_image_megapixels * 1_000_000, seconds=settings.child_seconds)


def analyse(
    folder: Path, workspace: Path, archive: Archive | None, settings: Settings, definitions: Definitions, options: Options
) -> tuple[Plan, dict[str, GivenFile]]:
    """Everything there is to find in a donation folder, and the files as given. Writes only below `workspace`."""
    for tool in (settings.ffmpeg, settings.ffprobe):
        ffmpeg.locate(tool)
    walk = folder_reader.walk(folder, workspace, Limits(max_bytes=settings.max_archive_gigabytes << 30))
    findings = list(walk.findings)
    files, more = _digest(walk.files, archive, options)
    findings += more
    files = _identify(files, archive, settings, options)
    registration, tables = _read_sheets(files, definitions)
    with ExitStack() as stack:
        connection = stack.enter_context(archive.catalogue.read()) if archive is not None else None
        plan = describe.plan(files, tables, registration, definitions, folder_name=folder.name, archive=_ArchiveView(connection))
    plan = transcribe.transcribe(plan, {file.path: file for file in files}, definitions)
    plan = replace(plan, findings=_in_order([*findings, *plan.findings]), registrations=registration.paths)
    return plan, {file.path: file for file in files}


def _digest(files: tuple[GivenFile, ...], archive: Archive | None, options: Options) -> tuple[list[GivenFile], list[Finding]]:
    total = sum(file.size for file in files)
    read = 0

    def told(size: int) -> None:
        nonlocal read
        read += size
        options.progress("receive", read, total)

    seen: dict[str, str] = {}
    if archive is not None and options.quick:
        with archive.catalogue.read() as connection:
            seen = learnt.seen_files(connection, [(receive.place_of(f), f.size, f.mtime_ns) for f in files if f.member_of is None])
    done = list(receive.digest(files, seen=seen, jobs=options.jobs, progress=told))
    if archive is not None:
        noted = [(receive.place_of(f), f.size, f.mtime_ns, f.sha512) for f, _finding in done if f.sha512 and f.member_of is None]
        with archive.catalogue.write(durable=False) as connection:
            learnt.remember_seen(connection, [row for row in noted if row[0] not in seen])
    return [file for file, _finding in done], [finding for _file, finding in done if finding]


def _identify(files: list[GivenFile], archive: Archive | None, settings: Settings, options: Options) -> list[GivenFile]:
    known: dict[str, Probe] = {}
    if archive is not None:
        with archive.catalogue.read() as connection:
            known = learnt.probes(connection, [identify.question(f) for f in files if f.sha512], identify.RECIPE)
    before = set(known)
    total = len({identify.question(f) for f in files if f.sha512} - before)
    done = 0

    def told(_file: GivenFile) -> None:
        nonlocal done
        done += 1
        options.progress("identify", done, total)

    probes: dict[str, Probe] = {}
    with ExitStack() as stack:
        sandbox = None
        if total:
            sandbox = stack.enter_context(Sandbox(options.jobs, settings.child_memory_mib, settings.child_seconds))
        probes.update(identify.identify(files, known, sandbox, limits_of(settings), deriving.tools_of(settings), progress=told))
    if archive is not None and set(known) - before:
        with archive.catalogue.write(durable=False) as connection:
            new = {q: found for q, found in known.items() if q not in before and identify.may_be_remembered(found)}
            learnt.remember_probes(connection, new, identify.RECIPE)
    return [replace(file, probe=probes.get(file.path)) for file in files]


def _read_sheets(files: list[GivenFile], definitions: Definitions) -> tuple[Registration, list[SheetTable]]:
    usable = [file for file in files if file.location is not None and file.sha512]
    named = [file for file in usable if registration_reader.is_registration_name(file.path)]
    registrations = [registration_reader.read_registration(_at(file), file.path, definitions) for file in named]
    first = _together(registrations)
    tables: list[SheetTable] = []
    for file in usable:
        if file in named or not sheet_reader.is_sheet_name(file.path):
            continue
        if _is_contents(file, first):
            continue
        read = sheet_reader.read_tables(file, definitions, first.defaults.get("kind", ""), first.sheets)
        if any(table.role is SheetRole.REGISTRATION for table in read):
            registrations.append(registration_reader.read_registration(_at(file), file.path, definitions))
        tables.extend(read)
    return _together(registrations), tables


def _is_contents(file: GivenFile, registration: Registration) -> bool:
    """True for a 目录 table of a book, which describes nothing by itself; what the archivist says of a sheet goes before."""
    name = name_of(file)
    if file.location is None or not sectioning.is_contents(split_name(name)[0]) or {file.path, name} & set(registration.sheets):
        return False
    try:
        return any(sectioning.is_contents_table([(row.number, row.texts) for row in sheet.rows]) for sheet in read_workbook(file.location))
    except Unreadable:
        return False  # the reader of sheets says what is wrong with it


def _together(registrations: list[Registration]) -> Registration:
    """One registration out of several: what the first (nearest the top of the folder) says wins, what it leaves open the next may say."""
    if not registrations:
        return Registration(Donation(""))
    first, *rest = sorted(registrations, key=lambda registration: registration.paths[0].count("/") if registration.paths else 0)
    for other in rest:
        said = {name: value for name, value in records.to_record(other.donation).items() if name != "provisional"}
        donation = records.from_record(said | records.to_record(first.donation), Donation)
        first = Registration(
            donation,
            {**other.defaults, **first.defaults},
            {**other.contact, **first.contact},
            first.paths + other.paths,
            first.findings + other.findings,
            {**other.sheets, **first.sheets},
        )
    return first


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """By severity, then place; the same finding only once."""
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda f: (order[f.severity], f.path or "", f.sheet or "", f.row or 0, f.column or 0, f.code)))


def check(
    folder: Path, archive: Archive | None, settings: Settings, definitions: Definitions, options: Options, workspace: Path
) -> tuple[Outcome, dict[str, GivenFile]]:
    """What `run` would find and do, writing nothing to the archive."""
    begin = time.monotonic()
    plan, files = analyse(folder, workspace, archive, settings, definitions, options)
    outcome = Outcome(plan, findings=list(plan.findings), fates=dict(plan.fates))
    outcome.refused = [draft.item.key for draft in plan.drafts if draft.refused]
    outcome.ingested = [draft.item.key for draft in plan.drafts if not draft.refused]
    outcome.seconds = time.monotonic() - begin
    return outcome, files


def run(folder: Path, archive: Archive, options: Options, workspace: Path) -> tuple[Outcome, dict[str, GivenFile]]:
    """Take a donation in. Goes on by itself where an interrupted run of the same donation stopped. Raises Busy, DiskFull, UsageError before anything is half done."""
    begin = time.monotonic()
    if options.ocr and (missing := text_layer.check()):
        raise MissingToolError("rapidocr", missing)
    with lock(archive.settings.run, "ingest"):
        archive.store.recover()
        archive.publishing.settle()
        _clear_staging(archive.settings, workspace)
        plan, files = analyse(folder, workspace, archive, archive.settings, archive.definitions, options)
        _room(archive, plan, files)
        outcome = Outcome(plan, findings=list(plan.findings), fates=dict(plan.fates))
        try:
            _Run(archive, folder, plan, files, options, outcome).go()
        finally:
            _clear_staging(archive.settings, workspace)
        outcome.findings = list(_in_order(outcome.findings))
        _remember(archive, folder, outcome, files, options)
    outcome.seconds = time.monotonic() - begin
    return outcome, files


def _remember(archive: Archive, folder: Path, outcome: Outcome, files: Mapping[str, GivenFile], options: Options) -> None:
    if options.ocr:
        return
    counts = Counts(outcome.batch or "", outcome.items, outcome.files)
    items = [*outcome.ingested, *outcome.unchanged]
    status = int(outcome.needs_a_person)
    remembered.remember(archive, folder, outcome.plan, files, outcome.findings, counts, items=items, status=status, shown=options.shown)


def _clear_staging(settings: Settings, workspace: Path) -> None:
    """Remove what this or a killed run staged. Only the holder of the lock `ingest` stages anything there."""
    if settings.staging.is_dir():
        for path in settings.staging.iterdir():
            if path.name == "ingest" or (path.name.startswith(UNPACKED) and path != workspace):
                shutil.rmtree(path, ignore_errors=True)


def _room(archive: Archive, plan: Plan, files: Mapping[str, GivenFile]) -> None:
    needed = sum(files[path].size for path, fate in plan.fates.items() if fate.fate in (Fate.ACCEPTED, Fate.DUPLICATE) and path in files)
    free = shutil.disk_usage(archive.settings.home).free
    if needed * 1.6 + (64 << 20) > free:
        message = _(
            "磁盘空间不够：要收 %(needed)d MiB，连同衍生件约需 %(want)d MiB，只剩 %(free)d MiB。什么都还没有写。请腾出空间再运行。",
            needed=needed >> 20,
            want=int(needed * 1.6 + (64 << 20)) >> 20,
            free=free >> 20,
        )
        raise DiskFull(message)


class _Run:
    """One run of a batch: the items one after another, their derivatives in child processes meanwhile."""

    def __init__(
        self, archive: Archive, folder: Path, plan: Plan, files: Mapping[str, GivenFile], options: Options, outcome: Outcome
    ) -> None:
        self.archive, self.folder, self.plan, self.files = archive, folder, plan, files
        self.options, self.outcome = options, outcome
        self.batch, self._begun = self._find_batch()
        self._trashed = frozenset(archive.store.trashed())
        self.waiting: dict[str, int] = {}
        self.ready: dict[str, Item] = {}

    def go(self) -> None:
        """Preserve, derive and register every draft that is not refused; then the index; then the journal's record of the batch."""
        drafts = [draft for draft in self.plan.drafts if not draft.refused]
        self.outcome.refused = [draft.item.key for draft in self.plan.drafts if draft.refused]
        self._keep_papers()
        settings = self.archive.settings
        done = 0
        with Sandbox(self.options.jobs, settings.child_memory_mib, settings.child_seconds) as sandbox:
            for arguments, answer in sandbox.map(deriving.make, self._jobs(drafts), seconds=lambda given: given[0].seconds):
                self._derived(arguments[0], answer)
                done += 1
                self.options.progress("derive", done, 0)
        self._register_ready(everything=True)
        if self.options.ocr:
            self._recognise()
            self._find_lines()
        self._close_batch()
        self.options.progress("index", 0, 1)
        self._index()
        self.options.progress("index", 1, 1)

    def _recognise(self) -> None:
        """Read pages without text by machine; each item so read gets a version of its own under the same batch."""
        archive, outcome = self.archive, self.outcome
        todo = [*outcome.ingested, *outcome.unchanged]
        with Sandbox(1, text_layer.ENGINE_MEMORY_MIB, recognise.SECONDS) as sandbox:
            for number, item_id in enumerate(todo, 1):
                self.options.progress("ocr", number, len(todo))
                found = objects.read_object(archive.store, item_id)
                item, failed = recognise.recognise(found.described, archive.derivatives, sandbox, at=archive.stamp())
                for page, why in failed:
                    message = _("这一面没有识别成（%(why)s）。影像已收好，可以以后再识别。", why=why)
                    outcome.findings.append(Finding(Severity.WARNING, "not-recognised", f"{item_id} {page}", message))
                if item == found.described:
                    continue
                self._begin()
                state = objects.originals_of(archive.store.versions(item_id)[-1].state)
                detail = {"batch": self.batch, "pages": sum(1 for page in item.pages if page not in found.described.pages)}
                events = [
                    *objects.read_events(archive.store, item_id),
                    Event(item_id, "transcription", archive.stamp(), AGENT, detail=detail),
                ]
                preserve.preserve(
                    archive.store,
                    item,
                    found.decisions,
                    found.donation,
                    events,
                    dict(state),
                    batch=self.batch,
                    agent=AGENT,
                    at=archive.stamp(),
                    before=found.version,
                )
                register.register(archive.catalogue, archive.store, item_id, day=archive.today())

    def _find_lines(self) -> None:
        """Find the lines of pages that came with text but without boxes, so that the text can be placed on the image."""
        archive, outcome = self.archive, self.outcome
        items = (objects.read_object(archive.store, item).described for item in [*outcome.ingested, *outcome.unchanged])
        jobs = (job for item in items for job in deriving.line_jobs(item, archive.store, archive.derivatives, archive.settings, again=True))
        for number, (job, fault) in enumerate(deriving.find_all_lines(jobs), 1):
            self.options.progress("lines", number, 0)
            if fault is not None:
                message = _("这一面上各列的位置没有找到（%(why)s）。文字照常可读可检，只是不在影像上标出。", why=str(fault))
                outcome.findings.append(Finding(Severity.NOTE, "no-lines", f"{job.item} {job.page}", message))

    def _index(self) -> None:
        try:
            self.archive.keeping.drain(wait=30.0)
        except Busy:
            return  # whoever holds the lease sends it; the outbox row stands
        except SearchIndexError as error:
            self.outcome.findings.append(Finding(Severity.WARNING, "not-indexed", _("检索索引"), str(error)))

    def _find_batch(self) -> tuple[str, bool]:
        """The batch of an interrupted run of this donation and True, else the id that the next batch will have and False."""
        donation = self.plan.donation
        folder = str(self.folder) if donation.provisional else None
        with self.archive.catalogue.read() as connection:
            earlier = donation_rows.batches(connection, accession=donation.accession, folder=folder)
            interrupted = next((b for b in earlier if b.state in (BatchState.RUNNING, BatchState.STOPPED)), None)
            if interrupted is not None:
                return interrupted.id, True
            return donation_rows.next_batch_id(connection, donation.accession), False

    def _begin(self) -> None:
        """Open the batch, before the first thing is written; a run that finds nothing to do opens none. The journal first: ids of batches are never reused."""
        if self._begun:
            return
        archive = self.archive
        batch = Batch(self.batch, self.plan.donation.accession, str(self.folder), BatchState.RUNNING, archive.stamp())
        archive.journal.append("batch", {"batch": records.to_record(batch)}, by=AGENT, item=None, at=batch.started)
        with archive.catalogue.write() as connection:
            donation_rows.put_donation(connection, self.plan.donation)
            donation_rows.put_batch(connection, batch)
        self._begun = True

    def _keep_papers(self) -> None:
        """What came with the donation and belongs to no item: sheets into an object of the donation's own; the contact, and the file it stands in, into the private store."""
        accession, private = self.plan.donation.accession, self.archive.private
        if self.plan.contact:
            private.put("contact", accession, dict(self.plan.contact))
        papers = {
            path: self.files[path]
            for path, fate in self.plan.fates.items()
            if fate.fate in (Fate.ACCEPTED, Fate.DUPLICATE) and fate.item is None and self.files[path].location is not None
        }
        for path in [path for path in papers if self.plan.contact and path in self.plan.registrations]:
            location = papers.pop(path).location
            assert location is not None
            private.put("registration", f"{accession}/{path}", location.read_bytes())
        papers = {path: file for path, file in papers.items() if not looks_like_archive(_at(file))}
        if papers:
            self._keep_object(f"{objects.PAPERS}{accession}", papers)

    def _keep_object(self, name: str, papers: Mapping[str, GivenFile]) -> None:
        store = self.archive.store
        head = store.head(name)
        wanted = {f"originals/{path}": file.sha512 for path, file in papers.items()}
        held = {file.sha512 for file in store.files(name)} if head else set()
        if head and objects.originals_of(store.versions(name)[-1].state) == wanted:
            return
        fresh = {f"originals/{path}": file for path, file in papers.items() if file.sha512 not in held}
        staged, findings = receive.stage(fresh, self.archive.settings.staging / "ingest" / "papers")
        self.outcome.findings.extend(findings)
        state: dict[str, Path | bytes | str] = {path: digest for path, digest in wanted.items() if path not in fresh}
        state.update(staged)
        state[objects.DONATION] = records.encode(self.plan.donation)
        message = f"{objects.INGESTION}{self.batch}"
        store.add_version(name, state, message=message, user=AGENT, created=self.archive.stamp(), expect_head=head or 0)

    def _close_batch(self) -> None:
        """Record what the batch did. Nothing new and nothing refused: there is no batch, and the one that stands is named."""
        archive, outcome = self.archive, self.outcome
        if outcome.refused and not outcome.unchanged:
            self._begin()
        if not self._begun:
            outcome.batch = self._standing_batch()
            return
        outcome.batch = self.batch
        summary = {"items": outcome.items, "files": outcome.files, "ingested": outcome.ingested, "findings": len(outcome.findings)}
        with archive.catalogue.read() as connection:
            batch = donation_rows.get_batch(connection, self.batch)
        batch = replace(batch, folder=str(self.folder), state=BatchState.DONE, ended=archive.stamp(), summary=summary)
        archive.journal.append("batch", {"batch": records.to_record(batch)}, by=AGENT, item=None, at=batch.ended)
        with archive.catalogue.write() as connection:
            donation_rows.put_batch(connection, batch)

    def _standing_batch(self) -> str:
        with self.archive.catalogue.read() as connection:
            earlier = donation_rows.batches(connection, accession=self.plan.donation.accession)
        return next((batch.id for batch in earlier if batch.state is BatchState.DONE), "")

    def _jobs(self, drafts: list[ItemDraft]) -> Iterator[tuple[deriving.DeriveJob]]:
        for number, draft in enumerate(drafts, 1):
            self.options.progress("preserve", number, len(drafts))
            try:
                kept = self._keep(draft)
            except DiskFull:
                raise
            except (ArchiveError, OSError) as error:
                self._refuse(draft, str(error))
                continue
            if kept is not None:
                self.ready[kept.id] = kept
                jobs = list(self._missing(kept))
                self.waiting[kept.id] = len(jobs)
                for job in jobs:
                    yield (job,)
            self._register_ready()

    def _missing(self, item: Item) -> Iterator[deriving.DeriveJob]:
        archive = self.archive
        return deriving.missing(item, archive.store, archive.derivatives, archive.settings)

    def _keep(self, draft: ItemDraft) -> Item | None:
        """Mint and preserve one draft; None when nothing changed and it is registered already."""
        archive = self.archive
        found = mint.find(archive.store, archive.catalogue, draft.item, self._trashed)
        earlier, before = found.earlier, found.earlier.version if found.earlier else 0
        item = mint.mint(replace(draft.item, id=found.id), found.described)
        if earlier and earlier.described == item and earlier.donation == self.plan.donation:
            if earlier.batch == self.batch:  # preserved by an interrupted run of this batch
                self.outcome.ingested.append(item.id)
            else:
                self.outcome.unchanged.append(item.id)
            if self._registered(item.id, before) and not any(self._missing(item)):
                return None
            return item
        # What was decided about the thing before its batch was taken back does not hold for the thing given anew.
        decisions = earlier.decisions if earlier else Decisions(journal=archive.journal.last() if found.described else 0)
        self._begin()
        try:
            preserve.preserve(
                archive.store,
                item,
                decisions,
                self.plan.donation,
                self._events(item, earlier),
                self._originals(draft, item, earlier),
                batch=self.batch,
                agent=AGENT,
                at=archive.stamp(),
                before=before,
            )
        except Conflict:
            if archive.store.head(item.id) in (None, before):
                raise
            return self._keep(draft)  # somebody decided something about it meanwhile
        self.outcome.ingested.append(item.id)
        return item

    def _registered(self, item: str, version: int) -> bool:
        with self.archive.catalogue.read() as connection:
            return item_rows.version_of(connection, item) == version

    def _originals(self, draft: ItemDraft, item: Item, earlier: objects.ItemObject | None) -> dict[str, Path | str]:
        """Each original as a staged copy, or as the digest of content the object holds already."""
        held: set[str] = set()
        if earlier is not None:
            held = {f.sha512 for f in self.archive.store.files(item.id)}
        provisional = {f.received: draft.sources[f.id] for f in draft.item.files}
        known = {f.path: f.sha512 for f in item.files if f.sha512 in held}
        wanted = {f.path: self.files[provisional[f.received]] for f in item.files if f.sha512 not in held}
        staged, findings = receive.stage(wanted, self.archive.settings.staging / "ingest" / item.id)
        if findings:
            self.outcome.findings.extend(findings)
            raise Conflict(findings[0].message)
        return {**known, **staged}

    def _events(self, item: Item, earlier: objects.ItemObject | None) -> list[Event]:
        """What the object's events say from now on: those of the version before, then this ingestion's."""
        at, store = self.archive.stamp(), self.archive.store
        events = list(objects.read_events(store, item.id)) if earlier else []
        events.append(Event(item.id, "ingestion", at, AGENT, detail={"batch": self.batch, "files": len(item.files)}))
        held = {file.sha512 for file in earlier.described.files} if earlier else set()
        for file in item.files:
            if file.sha512 not in held:
                detail = {"file": file.id, "sha512": file.sha512, "format": file.format, "media_type": file.media_type}
                events.append(Event(item.id, "message digest calculation", at, AGENT, detail=detail))
        return events

    def _derived(self, job: deriving.DeriveJob, answer: object) -> None:
        item, file = job.item, job.file
        if isinstance(answer, DecodeError):
            where = next((f.received for f in self.ready[item].files if f.id == file), item)
            message = _("衍生件没有做成（%(why)s）。原件已收好；可用 fangzhi rebuild derivatives 再做。", why=str(answer))
            self.outcome.findings.append(Finding(Severity.WARNING, "no-derivative", where, message, path=where))
        self.waiting[item] -= 1
        self._register_ready()

    def _register_ready(self, *, everything: bool = False) -> None:
        for item_id in [i for i, left in self.waiting.items() if left == 0 or everything]:
            del self.ready[item_id], self.waiting[item_id]
            register.register(self.archive.catalogue, self.archive.store, item_id, day=self.archive.today())

    def _refuse(self, draft: ItemDraft, why: str) -> None:
        key = draft.item.key
        self.outcome.refused.append(key)
        message = _("没有收入：%(why)s", why=why)
        where = draft.item.title or key
        self.outcome.findings.append(Finding(Severity.ERROR, "item-refused", where, message, sheet=draft.sheet, row=draft.row))
        for path in draft.sources.values():
            if self.outcome.fates[path].fate in (Fate.ACCEPTED, Fate.DUPLICATE):
                self.outcome.fates[path] = FileFate(Fate.REFUSED, key)


def _at(file: GivenFile) -> Path:
    assert file.location is not None
    return file.location


def workspace_in(settings: Settings | None) -> tempfile.TemporaryDirectory[str]:
    """A folder for members of archives while a donation is gone through: in the home's staging area for a run, else among temporary files."""
    if settings is None:
        return tempfile.TemporaryDirectory(prefix="fangzhi-")
    settings.staging.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=UNPACKED, dir=settings.staging)
