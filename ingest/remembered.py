"""What a finished run answered, kept so that the same donation run again costs no more than reading it; with `--quick`, than looking at it.

A run's answer follows from what it was given and from what stands in the archive. Both are kept beside the answer and compared before it is
given again: the files (their bytes, or for `--quick` their size and time), the definitions, the settings, this program and its tools;
the journal (any decision, undo or other batch lengthens it), the items' objects and rows, and the derivatives. When anything differs, or
cannot be read, the donation is gone through as if nothing were kept. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive import __version__, language, resources
from archive.catalogue.glance import settled_versions
from archive.errors import StorageError
from archive.settings import Settings
from archive.storage.digests import sha512_file

if TYPE_CHECKING:
    from archive.assembly import Archive
    from archive.model.donation import Finding
    from ingest.accounting import Counts
    from ingest.task import GivenFile, Plan

FORMAT = 1
PASSING = frozenset(
    ("unreadable", "changing", "timeout", "memory", "crash", "no-derivative", "not-indexed", "item-refused", "tool-missing")
)
"""Codes of findings that may be gone the next time though the donation is the same; an answer with one of them is not kept."""

Entry = tuple[int, int, str]
"""Size, time of change in ns, and SHA-512 (empty for what no run reads: links, litter) of a file of the donation."""
_SECONDS = "987654.3"
"""Stands for the time it took in the text kept for the terminal."""
_TOOLS = ("7z", "7zz", "7za", "unar", "unrar", "djvutxt", "ddjvu")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the run said: the JSON document, the text for a terminal (with its colours; empty when none was asked for), the exit status."""

    document: dict[str, Any]
    text: str
    status: int


def recall(
    folder: Path, settings: Settings, *, quick: bool, jobs: int, shown: bool, progress: Callable[[str, int, int], None]
) -> Answer | None:
    """What the last run of this donation said, when one run now would say the same and change nothing; else None.

    `shown` asks for the text for a terminal. `quick` trusts files whose size and time are unchanged; without it every file is read and digested.
    """
    began = time.monotonic()
    place = _place(folder, settings)
    try:
        kept = json.loads(place.read_bytes())
        document, text, status = kept["document"], kept["text"], kept["status"]
        if shown and not text:
            return None
        if kept["format"] != FORMAT or kept["world"] != _world(settings) or not _stands(kept["stands"], settings):
            return None
        before, now = kept["files"], _tree(folder)
        if before.keys() != now.keys() or not _same(folder, before, now, quick, jobs, progress):
            return None
    except (OSError, ValueError, KeyError, TypeError, StorageError):
        return None
    seconds = time.monotonic() - began
    return Answer(document | {"seconds": round(seconds, 3)}, text.replace(_SECONDS, f"{seconds:.1f}"), status)


def remember(
    archive: Archive,
    folder: Path,
    plan: Plan,
    files: Mapping[str, GivenFile],
    findings: list[Finding],
    counts: Counts,
    *,
    items: Iterable[str],
    status: int,
    shown: bool,
) -> None:
    """Keep the answer of a run that is finished, as it will be when nothing is new: what was taken in is then unchanged."""
    place = _place(folder, archive.settings)
    with contextlib.suppress(OSError):
        place.unlink(missing_ok=True)
        if any(finding.code in PASSING for finding in findings):
            return
        given, stands = _given(folder, files), _standing(archive, plan, counts.batch, sorted(items))
        if given is None or stands is None:
            return
        document, text = _said(plan, findings, counts, folder if shown else None)
        record = {
            "format": FORMAT,
            "world": _world(archive.settings),
            "stands": stands,
            "files": given,
            "document": document,
            "text": text,
            "status": status,
        }
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = place.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(record), "utf-8")
        aside.replace(place)


def _place(folder: Path, settings: Settings) -> Path:
    return settings.run / "answers" / f"{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:32]}.json"


# What it said


def _said(plan: Plan, findings: list[Finding], counts: Counts, folder: Path | None) -> tuple[dict[str, Any], str]:
    from ingest import accounting

    items = {"ingested": 0, "unchanged": counts.items["ingested"] + counts.items["unchanged"], "refused": counts.items["refused"]}
    again = accounting.Counts(counts.batch, items, counts.files, float(_SECONDS))
    if folder is None:
        return accounting.to_json(findings, again), ""
    import io

    from rich.console import Console

    from ingest import report

    stream = io.StringIO()
    report.to_terminal(Console(file=stream, force_terminal=True, color_system="standard"), plan, findings, again, folder=str(folder))
    return accounting.to_json(findings, again), stream.getvalue()


# What it was given


def _tree(folder: Path) -> dict[str, Entry]:
    """Every file, link and device below `folder` by its path inside. Raises OSError for what cannot be looked at."""
    found: dict[str, Entry] = {}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    waiting.append(f"{inside}{entry.name}/")
                else:
                    found[f"{inside}{entry.name}"] = (info.st_size, info.st_mtime_ns, "")
    return found


def _given(folder: Path, files: Mapping[str, GivenFile]) -> dict[str, Entry] | None:
    """The tree with the digests of the run; None when it is no longer the one that was gone through."""
    tree = _tree(folder)
    for file in files.values():
        if file.location is None or file.member_of is not None or not file.sha512:
            continue
        inside = file.location.relative_to(folder).as_posix()
        size, time_ns, _none = tree.get(inside, (-1, -1, ""))
        if (size, time_ns) != (file.size, file.mtime_ns):
            return None
        tree[inside] = (size, time_ns, file.sha512)
    return tree


def _same(
    folder: Path, before: Mapping[str, Entry], now: Mapping[str, Entry], quick: bool, jobs: int, progress: Callable[[str, int, int], None]
) -> bool:
    to_read = []
    for path, (size, time_ns, _none) in now.items():
        was_size, was_time, digest = before[path]
        if size != was_size or (time_ns != was_time and (quick or not digest)):
            return False
        if digest and not quick:
            to_read.append(path)
    total = sum(now[path][0] for path in to_read)
    read = 0
    for path, same in _compared(folder, [(path, before[path][2]) for path in to_read], jobs):
        read += now[path][0]
        progress("receive", read, total)
        if not same:
            return False
    return True


def _compared(folder: Path, wanted: list[tuple[str, str]], jobs: int) -> Iterator[tuple[str, bool]]:
    def one(given: tuple[str, str]) -> tuple[str, bool]:
        return given[0], sha512_file(folder / given[0]) == given[1]

    if jobs <= 1:
        yield from map(one, wanted)
        return
    pool = ThreadPoolExecutor(jobs)
    try:
        yield from pool.map(one, wanted)
    finally:
        pool.shutdown(cancel_futures=True)


def _world(settings: Settings) -> str:
    """A digest of everything beside the donation and the archive that an answer follows from."""
    digest = hashlib.sha256(repr((FORMAT, __version__, language.current())).encode())
    for tool in (settings.ffmpeg, settings.ffprobe, *_TOOLS):
        digest.update(f"{tool}={shutil.which(tool)}\n".encode())
    for folder in (resources.definitions(), settings.definitions):
        for path in sorted(folder.rglob("*.toml")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\n" + path.read_bytes())
    digest.update((settings.home / "settings.toml").read_bytes())
    for line in _program():
        digest.update(line.encode())
    if _BOOT.exists():  # derivatives are not fsynced: after a power cut they are looked at closely again
        digest.update(_BOOT.read_bytes())
    return digest.hexdigest()


def _program() -> Iterator[str]:
    """Size and time of this program's own files, and the time at which the libraries beside it changed."""
    for package in (Path(resources.__file__).parent, Path(__file__).parent):
        for folder, folders, names in os.walk(package):
            folders[:] = sorted(name for name in folders if name not in ("__pycache__", "_data"))
            for name in sorted(names):
                info = Path(folder, name).stat()
                yield f"{folder}/{name} {info.st_size} {info.st_mtime_ns}\n"
    yield str(Path(os.__file__).parent.stat().st_mtime_ns)
    import msgspec

    yield str(Path(msgspec.__file__).parent.parent.stat().st_mtime_ns)


# What stands


def _standing(archive: Archive, plan: Plan, batch: str, items: list[str]) -> dict[str, Any] | None:
    """What the archive holds of the donation: journal, objects, rows, derivatives; None when any of it is missing."""
    from archive.services import deriving, objects
    from archive.storage import inventory, layout

    settings = archive.settings
    sets: dict[str, int] = {}
    try:
        for draft in plan.drafts:
            if not draft.refused:
                for folder in deriving.sets(draft.item, archive.derivatives):
                    sets[folder.relative_to(settings.derivatives).as_posix()] = folder.stat().st_mtime_ns
        held = [f"{layout.object_path(item)}/{inventory.FILE}" for item in items]
        papers = f"{objects.PAPERS}{plan.donation.accession}"
        if archive.store.head(papers) is not None:
            held.append(f"{layout.object_path(papers)}/{inventory.FILE}")
        stands = {"batch": batch, "journal": _journal(settings), "objects": _stamps(settings.originals, held), "derivatives": sets}
    except FileNotFoundError:
        return None
    versions = settled_versions(settings.catalogue, batch, items)
    if versions is None or len(versions) != len(items):
        return None
    return stands | {"items": versions}


def _stands(kept: Mapping[str, Any], settings: Settings) -> bool:
    """True when all of that is there as it was. Raises OSError for what is gone."""
    if kept["journal"] != _journal(settings) or kept["objects"] != _stamps(settings.originals, kept["objects"]):
        return False
    root = settings.derivatives
    if any((root / path).stat().st_mtime_ns != time_ns for path, time_ns in kept["derivatives"].items()):
        return False
    return settled_versions(settings.catalogue, kept["batch"], list(kept["items"])) == dict(kept["items"])


def _journal(settings: Settings) -> list[list[Any]]:
    with os.scandir(settings.journal) as entries:
        return sorted([entry.name, entry.stat().st_size, entry.stat().st_mtime_ns] for entry in entries)


def _stamps(root: Path, paths: Iterable[str]) -> dict[str, list[int]]:
    found = {}
    for path in paths:
        info = (root / path).stat()
        found[path] = [info.st_size, info.st_mtime_ns]
    return found
