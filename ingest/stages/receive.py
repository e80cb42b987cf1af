"""Receive: digest what was given, and bring a file into the staging area when it is to be kept.

`check` digests in place and copies nothing. `run` copies a file only when its item gets a new version; the copy is digested as it is
written, so a file that changed between the two readings is found out and never kept under a wrong name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from archive.errors import StorageError
from archive.language import _
from archive.model.donation import Finding, Severity
from archive.storage.digests import copy_and_digest, digest_file
from ingest.readers.checksums import names_sha256
from ingest.task import GivenFile


def place_of(file: GivenFile) -> str:
    """Where a file lies, in words that can be written down even when its name is in no known encoding."""
    return os.fsencode(file.location or "").decode("utf-8", "backslashreplace")


def digest(
    files: Sequence[GivenFile], *, seen: Mapping[str, str] | None = None, jobs: int = 2, progress: Callable[[int], None] | None = None
) -> Iterator[tuple[GivenFile, Finding | None]]:
    """Each file with its digests, in order, and a finding for one that cannot be read. Litter and what the walk refused are not read.

    `seen` (for `--quick`) maps the absolute path of files whose size and time are unchanged to their sha512, and is trusted; members of archives are always read.
    SHA-256 is worked out only where a list among the files states it. `progress` is told the bytes read.
    """
    both = any(names_sha256(file.path) for file in files)

    def one(file: GivenFile) -> tuple[GivenFile, Finding | None]:
        if file.litter or file.refused or file.location is None:
            return file, None
        known = seen.get(place_of(file)) if seen and file.member_of is None else None
        if known is not None:
            return replace(file, sha512=known), None
        try:
            found = digest_file(file.location, sha256=both)
        except OSError as error:
            return replace(file, refused="unreadable"), _unreadable(file, error.strerror or str(error))
        except StorageError:
            return replace(file, refused="changing"), _changing(file)
        if progress:
            progress(found.size)
        return replace(file, sha512=found.sha512, sha256=found.sha256, size=found.size), None

    if jobs <= 1:
        yield from map(one, files)
        return
    with ThreadPoolExecutor(jobs) as pool:  # hashlib lets go of the interpreter lock
        yield from pool.map(one, files)


def stage(sources: Mapping[str, GivenFile], folder: Path) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    """Copy files into `folder` and give where each lies by its logical path; a file whose bytes are not those digested before is a finding.

    `sources` maps logical path to the file as given. Raises DiskFull and StorageError when the copy cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staged: dict[str, Path] = {}
    findings = []
    for number, (path, file) in enumerate(sources.items()):
        assert file.location is not None
        target = folder / f"{number:06d}"
        try:
            found = copy_and_digest(file.location, target)
        except StorageError as error:
            if isinstance(error.__cause__, OSError) or not file.location.exists():
                raise
            findings.append(_changing(file))
            continue
        if found.sha512 != file.sha512:
            target.unlink(missing_ok=True)
            findings.append(_changing(file))
            continue
        staged[path] = target
    return staged, tuple(findings)


def _unreadable(file: GivenFile, why: str) -> Finding:
    message = _("读不出来（%(why)s）。请检查存储介质或权限，再向捐赠者要一份。", why=why)
    return Finding(Severity.ERROR, "unreadable", file.path, message, path=file.path)


def _changing(file: GivenFile) -> Finding:
    message = _("读取期间文件内容发生了变化，没有收入。请等复制完成后重新运行。")
    return Finding(Severity.ERROR, "changing", file.path, message, path=file.path)
