"""Walks a donation folder: every regular file in natural order, links and devices refused, litter counted, archives looked into.

Nothing is written into the donor's folder and no link is followed. Members of archives are unpacked into the workspace.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from archive.errors import UsageError
from archive.language import _
from archive.model.donation import Finding, Severity
from ingest.readers.archives import Limits, Unpacker, looks_like_archive
from ingest.readers.order import natural_key
from ingest.readers.plain_text import decode_name
from ingest.task import GivenFile

_LITTER_NAMES = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", ".localized", "picasa.ini", ".picasa.ini", "folder.jpg~", ".bridgesort")
)
_LITTER_FOLDERS = frozenset(
    (
        "__macosx",
        ".git",
        ".svn",
        ".spotlight-v100",
        ".trashes",
        ".fseventsd",
        ".temporaryitems",
        "$recycle.bin",
        "system volume information",
        "@eadir",
    )
)
_LITTER = re.compile(r"^(~\$.*|\._.*|\.~lock\..*#|.*\.(?:lnk|tmp~))$", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_litter(path: str) -> bool:
    """True for what operating systems and office programs leave behind (`Thumbs.db`, `~$a.xlsx`, anything below `__MACOSX`)."""
    *folders, name = path.split("/")
    return name.lower() in _LITTER_NAMES or _LITTER.match(name) is not None or any(f.lower() in _LITTER_FOLDERS for f in folders)


@dataclass(frozen=True, slots=True)
class Walk:
    """The files of a donation in natural order, members of an archive after it, and what was found on the way."""

    files: tuple[GivenFile, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    location: Path
    info: os.stat_result | None
    """None when it could not be asked."""


def walk(folder: Path, workspace: Path, limits: Limits) -> Walk:
    """All files below `folder`; archives are unpacked below `workspace`. Raises UsageError when there is no such folder or it cannot be read."""
    _check(folder)
    findings: list[Finding] = []
    unpacker = Unpacker(workspace, limits)
    files: list[GivenFile] = []
    seen: set[str] = set()
    for entry in sorted(_entries(folder, "", findings), key=lambda e: natural_key(e.path)):
        given = _given(entry, findings)
        given = _apart(given, seen)
        files.append(given)
        if given.location is not None and not given.litter and looks_like_archive(given.location):
            archive, members, found = unpacker.unpack(given)
            files[-1] = archive
            files += [replace(member, litter=is_litter(member.path)) if member.location else member for member in members]
            findings += found
    if not files:
        message = _("文件夹里没有文件。请核对给的是不是捐赠文件夹。")
        findings.append(Finding(Severity.WARNING, "empty-folder", folder.name, message))
    return Walk(tuple(files), tuple(findings))


def _check(folder: Path) -> None:
    if not folder.exists():
        raise UsageError(_("%(folder)s：没有这个文件夹。请核对路径，移动盘是否已接上。", folder=folder))
    if not folder.is_dir():
        raise UsageError(_("%(folder)s：不是文件夹。请给出捐赠文件夹的路径。", folder=folder))
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except OSError as error:
        raise UsageError(_("%(folder)s：读不了（%(reason)s）。请核对权限。", folder=folder, reason=error.strerror or error)) from error


def _entries(folder: Path, inside: str, findings: list[Finding]) -> Iterator[_Entry]:
    try:
        with os.scandir(folder) as scan:
            entries = list(scan)
    except OSError as error:
        message = _("文件夹读不了（%(reason)s），其中的文件都没有收。请改好权限后重来。", reason=error.strerror or error)
        findings.append(Finding(Severity.ERROR, "unreadable", inside, message, inside))
        return
    for entry in entries:
        path = f"{inside}/{_clean(entry.name)}" if inside else _clean(entry.name)
        if _clean(entry.name) != entry.name:
            message = _("文件名的编码不对或含控制字符，按 %(name)s 记录。请与捐赠者核对名称。", name=_clean(entry.name))
            findings.append(Finding(Severity.WARNING, "name-encoding", path, message, path))
        try:
            info = entry.stat(follow_symlinks=False)
        except OSError:
            yield _Entry(path, Path(entry.path), None)
            continue
        if stat.S_ISDIR(info.st_mode):
            yield from _entries(Path(entry.path), path, findings)
        else:
            yield _Entry(path, Path(entry.path), info)


def _clean(name: str) -> str:
    """A name that can be written anywhere: bytes of another encoding read by content, control characters shown as their pictures."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = decode_name(os.fsencode(name))
    return _CONTROL.sub(lambda m: chr(0x2400 + (0x21 if m[0] == "\x7f" else ord(m[0]))), name)


def _given(entry: _Entry, findings: list[Finding]) -> GivenFile:
    path = entry.path

    def refuse(code: str, message: str) -> GivenFile:
        findings.append(Finding(Severity.ERROR, code, path, message, path))
        return GivenFile(path, None, 0, 0, refused=code)

    if entry.info is None:
        return refuse("unreadable", _("读不到这个文件。请核对磁盘和权限后重来。"))
    if stat.S_ISLNK(entry.info.st_mode):
        return refuse("link", _("这是链接，不是文件，没有跟过去。请把所指的文件本身放进来。"))
    if not stat.S_ISREG(entry.info.st_mode):
        return refuse("special", _("这不是普通文件（设备、管道或套接字），没有收。"))
    given = GivenFile(path, entry.location, entry.info.st_size, entry.info.st_mtime_ns, litter=is_litter(path))
    if given.litter:
        return given
    try:
        with entry.location.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        return refuse("unreadable", _("读不了（%(reason)s）。请核对磁盘和权限后重来。", reason=error.strerror or error))
    return given


def _apart(given: GivenFile, seen: set[str]) -> GivenFile:
    """Two names that read alike once cleaned keep different paths."""
    path, number = given.path, 2
    while path in seen:
        path, number = f"{given.path} #{number}", number + 1
    seen.add(path)
    return replace(given, path=path)
