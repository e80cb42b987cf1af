"""Looks into archives a donor handed over: zip and 7z by themselves, RAR, tar and disc images where the program `7z` is present.

Members are unpacked into the workspace under numbered names, so that no name of a member ever becomes a path on this machine. An archive
whose members were taken is accepted but not kept as an item; one that cannot be looked into is given back as it is, with a finding, and
is kept as an original. What would unpack to more than the limits is refused whole.
"""

from __future__ import annotations

import contextlib
import itertools
import lzma
import re
import shutil
import stat
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from archive.language import _
from archive.model.donation import Finding, Severity
from ingest.readers.order import natural_key, split_name
from ingest.readers.plain_text import decode_name
from ingest.task import GivenFile

_CHUNK = 1 << 20
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What the members of archives may unpack to: bytes and members in all, and bytes for each packed byte (above `ratio_from` bytes)."""

    max_bytes: int = 64 << 30
    max_members: int = 200_000
    max_ratio: int = 200
    ratio_from: int = 64 << 20
    seconds: int = 1800
    """Wall limit for an external program."""


class _Refused(Exception):
    """The archive as a whole: `code`, `message`; `keep` when its bytes are still worth keeping as an original."""

    def __init__(self, code: str, message: str, keep: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.keep = code, message, keep


@dataclass(frozen=True, slots=True)
class _Member:
    """One regular member: its name as written, size as declared, how to read it; or the code and words why not."""

    name: str
    size: int
    mtime_ns: int
    write: Callable[[Path, Callable[[int], None]], None] | None
    refused: str = ""
    message: str = ""


def _head(path: Path, length: int = 40_000) -> bytes:
    with path.open("rb") as stream:
        return stream.read(length)


def kind_of(path: Path) -> str | None:
    """`zip`, `7z`, `rar`, `tar`, `gzip` or `iso` by content; None for anything else, among it office documents, which are zips inside."""
    try:
        head = _head(path)
    except OSError:
        return None
    extension = split_name(path.name)[1]
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return None if _is_document(head, path) else "zip"
    if head[:6] == b"7z\xbc\xaf\x27\x1c":
        return "7z"
    if head[:6] == b"Rar!\x1a\x07":
        return "rar"
    if head[257:262] == b"ustar":
        return "tar"
    if head[:2] == b"\x1f\x8b" and path.name.lower().endswith((".tar.gz", ".tgz")):
        return "gzip"
    if head[0x8001:0x8006] == b"CD001" or (extension == ".iso" and head[0x8001:0x8006] == b"BEA01"):
        return "iso"
    return None


def _is_document(head: bytes, path: Path) -> bool:
    if head[30:38] == b"mimetype" or b"[Content_Types].xml" in head[:4000] or b"META-INF/MANIFEST.MF" in head[:4000]:
        return True
    return split_name(path.name)[1] in {
        ".docx",
        ".xlsx",
        ".pptx",
        ".odt",
        ".ods",
        ".odp",
        ".epub",
        ".jar",
        ".apk",
        ".ofd",
        ".wps",
        ".et",
        ".dps",
        ".kmz",
    }


def looks_like_archive(path: Path) -> bool:
    """True when the file is looked into rather than kept as one thing."""
    return kind_of(path) is not None


class Unpacker:
    """Unpacks the archives of one donation below `workspace`, counting against one set of limits."""

    def __init__(self, workspace: Path, limits: Limits) -> None:
        self.workspace, self.limits = workspace, limits
        self.bytes = self.members = self.archives = 0

    def unpack(self, archive: GivenFile, depth: int = 1) -> tuple[GivenFile, list[GivenFile], list[Finding]]:
        """The archive (refused when it is unsafe), its members (archives among them unpacked as well), and findings."""
        if archive.location is None:
            return archive, [], []
        self.archives += 1
        target = self.workspace / f"unpacked-{self.archives}"
        shutil.rmtree(target, ignore_errors=True)  # an interrupted run leaves its half here
        target.mkdir(parents=True)
        before = self.bytes, self.members
        try:
            members, findings = self._members(archive, archive.location, target)
        except _Refused as refused:
            shutil.rmtree(target, ignore_errors=True)
            self.bytes, self.members = before
            severity = Severity.WARNING if refused.keep else Severity.ERROR
            finding = Finding(severity, refused.code, archive.path, refused.message, archive.path)
            return archive if refused.keep else replace(archive, location=None, refused=refused.code), [], [finding]
        if not members:
            message = _("压缩包里没有文件，照原样保存。")
            return archive, [], [*findings, Finding(Severity.WARNING, "archive-empty", archive.path, message, archive.path)]
        return archive, *self._nested(members, findings, depth)

    def _nested(self, members: list[GivenFile], findings: list[Finding], depth: int) -> tuple[list[GivenFile], list[Finding]]:
        out: list[GivenFile] = []
        for member in sorted(members, key=lambda m: natural_key(m.path)):
            out.append(member)
            if member.location is None or not looks_like_archive(member.location):
                continue
            if depth >= _MAX_DEPTH:
                message = _("压缩包套了 %(depth)d 层以上，没有再打开。请解开后重交。", depth=_MAX_DEPTH)
                findings.append(Finding(Severity.ERROR, "nested", member.path, message, member.path))
                out[-1] = replace(member, location=None, refused="nested")
                continue
            out[-1], inner, found = self.unpack(member, depth + 1)
            out += inner
            findings += found
        return out, findings

    def _members(self, archive: GivenFile, location: Path, target: Path) -> tuple[list[GivenFile], list[Finding]]:
        with contextlib.ExitStack() as stack:
            if kind_of(location) == "zip":
                declared = list(_zip(location, stack))
            else:
                unpack = _seven_zip if kind_of(location) == "7z" else _by_program
                declared = list(unpack(location, target, self.limits))
            return self._take_all(archive, declared, target)

    def _take_all(self, archive: GivenFile, declared: list[_Member], target: Path) -> tuple[list[GivenFile], list[Finding]]:
        self._check_declared(declared, archive.size)
        findings: list[Finding] = []
        given: list[GivenFile] = []
        names: set[str] = set()
        for number, member in enumerate(declared, 1):
            path, problem = _inside(archive.path, member, names, findings)
            problem = problem or (member.refused, member.message)
            if problem[0] or member.write is None:
                findings.append(Finding(Severity.ERROR, problem[0], path, problem[1], path))
                given.append(GivenFile(path, None, member.size, member.mtime_ns, archive.path, refused=problem[0]))
                continue
            given.append(self._take(member, path, archive, target / f"{number:06d}{split_name(member.name)[1]}", findings))
        return given, findings

    def _check_declared(self, members: list[_Member], packed: int) -> None:
        total = sum(member.size for member in members)
        self.members += len(members)
        if self.members > self.limits.max_members or self.bytes + total > self.limits.max_bytes:
            raise _Refused("bomb", _bomb_message(total, len(members)))
        if total > self.limits.ratio_from and total > packed * self.limits.max_ratio:
            raise _Refused("bomb", _bomb_message(total, len(members)))

    def _take(self, member: _Member, path: str, archive: GivenFile, target: Path, findings: list[Finding]) -> GivenFile:
        written = 0

        def count(size: int) -> None:
            nonlocal written
            written += size
            self.bytes += size
            over = written > self.limits.ratio_from and written > archive.size * self.limits.max_ratio
            # A size declared small and grown while unpacking is how a bomb is hidden.
            if self.bytes > self.limits.max_bytes or over:
                raise _Refused("bomb", _bomb_message(self.bytes, self.members))

        assert member.write is not None
        try:
            member.write(target, count)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            target.unlink(missing_ok=True)
            message = _("压缩包里的这个文件解不出来（%(reason)s）。请捐赠者重新打包或另交。", reason=error)
            findings.append(Finding(Severity.ERROR, "member-damaged", path, message, path))
            return GivenFile(path, None, member.size, member.mtime_ns, archive.path, refused="member-damaged")
        return GivenFile(path, target, target.stat().st_size, member.mtime_ns, archive.path)


def _bomb_message(total: int, members: int) -> str:
    return _(
        "压缩包解开后过大（%(gib).1f GiB，%(members)d 个文件），疑为压缩炸弹，没有打开。确有其事，请解开后以文件夹交来。",
        gib=total / 2**30,
        members=members,
    )


def _inside(archive: str, member: _Member, names: set[str], findings: list[Finding]) -> tuple[str, tuple[str, str] | None]:
    """Path of a member inside the donation, and why it is refused if its name would lead out of the archive."""
    name = member.name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    unsafe = name.startswith("/") or ".." in parts or re.match(r"^[A-Za-z]:", name) is not None or not parts
    shown = re.sub(r"[\x00-\x1f\x7f]", "�", "/".join(part for part in parts if part != ".."))
    base = path = f"{archive}/{shown or '?'}"
    number = 2
    while path in names:
        path, number = f"{base} #{number}", number + 1
    names.add(path)
    if path != base and not unsafe:
        message = _("压缩包里有两个文件同名，后一个记作 %(name)s。", name=path)
        findings.append(Finding(Severity.WARNING, "member-twice", path, message, path))
    if unsafe:
        return path, ("unsafe-name", _("文件名 %(name)s 指向压缩包之外，没有收。请改名后重新打包。", name=member.name))
    return path, None


# --- zip


def _zip(location: Path, stack: contextlib.ExitStack) -> Iterator[_Member]:
    """Members of a zip, which stays open until `stack` closes."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(location))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _Refused("truncated", _("压缩包不完整或已损坏（%(reason)s）。请捐赠者重新复制一份。", reason=error)) from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if infos and all(info.flag_bits & 1 for info in infos):
        raise _Refused("encrypted", _("压缩包有密码，打不开，照原样保存。请向捐赠者要密码，解开后重交。"), keep=True)
    if _overlap(infos):
        raise _Refused("bomb", _("压缩包里的文件互相重叠，疑为压缩炸弹，没有打开。"))
    for info in infos:
        yield _zip_member(archive, info)


def _overlap(infos: list[zipfile.ZipInfo]) -> bool:
    """True when members share packed bytes, the trick of the bombs that stay small."""
    places = sorted((info.header_offset, info.compress_size) for info in infos)
    return any(b < a + size for (a, size), (b, _size) in itertools.pairwise(places))


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    name = _zip_name(info)
    mtime = _dos_time(info.date_time)
    if stat.S_ISLNK(info.external_attr >> 16):
        return _Member(name, info.file_size, mtime, None, "link", _("压缩包里的这一项是链接，没有跟过去。请放入所指的文件本身。"))
    if info.flag_bits & 1:
        return _Member(name, info.file_size, mtime, None, "encrypted", _("压缩包里的这个文件有密码，没有收。请解开后重交。"))

    def write(path: Path, count: Callable[[int], None]) -> None:
        with archive.open(info) as source, path.open("wb") as sink:
            _copy(source, sink, count)

    return _Member(name, info.file_size, mtime, write)


def _copy(source: IO[bytes], sink: IO[bytes], count: Callable[[int], None]) -> None:
    while chunk := source.read(_CHUNK):
        count(len(chunk))
        sink.write(chunk)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name of a member: the UTF-8 flag, the Unicode path field, else the bytes read by content (Chinese Windows writes GB18030 unmarked)."""
    if info.flag_bits & 0x800:
        return info.filename
    extra = info.extra
    while len(extra) >= 4:
        tag, size = struct.unpack("<HH", extra[:4])
        if tag == 0x7075 and size > 5:
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    # `orig_filename` is the name before zipfile cut it at a NUL and turned separators.
    try:
        return decode_name(info.orig_filename.encode("cp437"))
    except UnicodeEncodeError:
        return info.filename


def _dos_time(stamp: tuple[int, int, int, int, int, int]) -> int:
    try:
        return int(datetime(*stamp, tzinfo=UTC).timestamp()) * 10**9
    except ValueError:
        return 0


# --- 7z


def _seven_zip(location: Path, target: Path, limits: Limits) -> Iterator[_Member]:
    import py7zr  # slow to import, and few donations hold one

    out = target / "all"
    try:
        with py7zr.SevenZipFile(location) as archive:
            if archive.needs_password():
                raise _Refused("encrypted", _("压缩包有密码，打不开，照原样保存。请向捐赠者要密码，解开后重交。"), keep=True)
            entries = [entry for entry in archive.list() if not entry.is_directory]
            _check_total(sum(entry.uncompressed or 0 for entry in entries), len(entries), location.stat().st_size, limits)
            safe = [entry.filename for entry in entries if _safe(entry.filename) and not entry.is_symlink]
            unsafe = [entry for entry in entries if entry.filename not in set(safe)]
            if safe:
                out.mkdir()
                archive.extract(path=out, targets=safe)
    except _Refused:
        raise
    except py7zr.exceptions.PasswordRequired as error:
        raise _Refused("encrypted", _("压缩包有密码，打不开，照原样保存。请向捐赠者要密码，解开后重交。"), keep=True) from error
    except (py7zr.exceptions.ArchiveError, lzma.LZMAError, OSError, EOFError, ValueError, struct.error) as error:
        raise _Refused("truncated", _("压缩包不完整或已损坏（%(reason)s）。请捐赠者重新复制一份。", reason=error)) from error
    for entry in unsafe:
        message = _("压缩包里的这一项是链接，没有跟过去。请放入所指的文件本身。")
        yield _Member(
            entry.filename,
            0,
            0,
            None,
            "link" if entry.is_symlink else "unsafe-name",
            message if entry.is_symlink else _("文件名指向压缩包之外，没有收。"),
        )
    yield from _unpacked(out)


def _safe(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name.startswith(("/", "\\")) and ".." not in parts and re.match(r"^[A-Za-z]:", name) is None


def _check_total(total: int, members: int, packed: int, limits: Limits) -> None:
    if total > limits.max_bytes or members > limits.max_members or (total > limits.ratio_from and total > packed * limits.max_ratio):
        raise _Refused("bomb", _bomb_message(total, members))


def _unpacked(out: Path) -> Iterator[_Member]:
    """What a program unpacked below `out`, as members that are moved rather than written again."""
    for path in sorted(out.rglob("*")):
        info = path.lstat()
        name = decode_name(bytes(path.relative_to(out)))
        if stat.S_ISLNK(info.st_mode):
            yield _Member(name, 0, 0, None, "link", _("压缩包里的这一项是链接，没有跟过去。请放入所指的文件本身。"))
        elif stat.S_ISREG(info.st_mode):
            yield _Member(name, info.st_size, info.st_mtime_ns, _mover(path))


def _mover(path: Path) -> Callable[[Path, Callable[[int], None]], None]:
    def write(target: Path, count: Callable[[int], None]) -> None:
        count(path.stat().st_size)
        path.chmod(0o600)
        path.rename(target)

    return write


# --- RAR, tar, disc images: the program 7z


def _by_program(location: Path, target: Path, limits: Limits) -> Iterator[_Member]:
    tool = shutil.which("7z") or shutil.which("7zz") or shutil.which("7za")
    if tool is None:
        message = _("打开这种压缩包要用程序 7z，本机没有，照原样保存。请安装 7z（p7zip-full）后重来，或解开后重交。")
        raise _Refused("tool-missing", message, keep=True)
    listing = _run([tool, "l", "-slt", "-p-", "-sccUTF-8", "--", str(location)], limits.seconds)
    blocks = [
        dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        for block in listing.partition("----------")[2].split("\n\n")
    ]
    files = [
        block
        for block in blocks
        if "Path" in block and "D" not in block.get("Attributes", "").split(" ")[0] and block.get("Folder", "-") != "+"
    ]
    if files and all(block.get("Encrypted") == "+" for block in files):
        raise _Refused("encrypted", _("压缩包有密码，打不开，照原样保存。请向捐赠者要密码，解开后重交。"), keep=True)
    _check_total(sum(int(block.get("Size") or 0) for block in files), len(files), location.stat().st_size, limits)
    out = target / "all"
    out.mkdir()
    _run([tool, "x", "-y", "-p-", "-snl-", f"-o{out}", "--", str(location)], limits.seconds)
    yield from _unpacked(_single_tar(out, tool, target, limits))


def _single_tar(out: Path, tool: str, target: Path, limits: Limits) -> Path:
    """A `.tar.gz` unpacks to one tar: that is what its maker means by the archive."""
    inner = list(out.iterdir())
    if len(inner) != 1 or not inner[0].is_file() or kind_of(inner[0]) != "tar":
        return out
    second = target / "tar"
    second.mkdir()
    _run([tool, "x", "-y", "-snl-", f"-o{second}", "--", str(inner[0])], limits.seconds)
    inner[0].unlink()
    return second


def _run(command: list[str], seconds: int) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise _Refused("timeout", _("打开压缩包超过 %(seconds)d 秒，没有收。请解开后重交。", seconds=seconds)) from error
    output = done.stdout.decode("utf-8", "replace")
    problem = done.stderr.decode("utf-8", "replace") + output
    if "Wrong password" in problem or "Cannot open encrypted archive" in problem:
        raise _Refused("encrypted", _("压缩包有密码，打不开，照原样保存。请向捐赠者要密码，解开后重交。"), keep=True)
    if done.returncode > 1:
        raise _Refused("truncated", _("压缩包不完整或已损坏（%(reason)s）。请捐赠者重新复制一份。", reason=_reason(problem)))
    return output


def _reason(problem: str) -> str:
    line = next((line for line in problem.splitlines() if "ERROR" in line or "Error" in line), "7z")
    return line.split(":", 1)[-1].strip()[:120] or "7z"
