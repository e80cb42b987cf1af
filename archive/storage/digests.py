"""SHA-512 (the key of OCFL content) and SHA-256 (what donors' lists use) of a file, both in one reading."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.errors import StorageError
from archive.language import _
from archive.storage.local import spare_name, sync_folder, told, write_all

CHUNK = 1 << 20
"""Bytes read at a time."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Lower-case hexadecimal digests (`sha256` empty where it was not asked for), and the size in bytes."""

    sha512: str
    sha256: str
    size: int


def digest_bytes(data: bytes) -> Digest:
    """The digests of `data`."""
    return Digest(hashlib.sha512(data).hexdigest(), hashlib.sha256(data).hexdigest(), len(data))


def digest_file(path: Path, *, sha256: bool = True) -> Digest:
    """The digests of a regular file, read once; without SHA-256 it takes a third less time.

    Raises StorageError when it cannot be read, is a link or no file at all, or changed while it was read.
    """
    if sha256:
        return _read(path, lambda chunk: None)
    long = hashlib.sha512()
    size = _chunks(path, long.update)
    return Digest(long.hexdigest(), "", size)


def sha512_file(path: Path) -> str:
    """The SHA-512 alone, for audits: a quarter less work than both. Raises as `digest_file`."""
    long = hashlib.sha512()
    _chunks(path, long.update)
    return long.hexdigest()


def copy_and_digest(src: Path, dst: Path) -> Digest:
    """Copy `src` to `dst` and digest it, in one reading. `dst` (replaced when it exists) appears only when it is whole and on the disk.

    Raises as `digest_file`, and DiskFull; nothing is left then.
    """
    aside = spare_name(dst)
    with told(dst):
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        try:
            digest = _read(src, lambda chunk: _write(descriptor, chunk, dst))
            with told(dst):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with told(dst):
            aside.rename(dst)
            sync_folder(dst.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    return digest


def _write(descriptor: int, chunk: memoryview, dst: Path) -> None:
    with told(dst):
        write_all(descriptor, chunk)


def _read(path: Path, take: Callable[[memoryview], None]) -> Digest:
    long, short = hashlib.sha512(), hashlib.sha256()

    def digest(chunk: memoryview) -> None:
        long.update(chunk)
        short.update(chunk)
        take(chunk)

    size = _chunks(path, digest)
    return Digest(long.hexdigest(), short.hexdigest(), size)


def _chunks(path: Path, take: Callable[[memoryview], None]) -> int:
    """Hand the bytes of a regular file to `take`, piece by piece; gives their number."""
    buffer, size = memoryview(bytearray(CHUNK)), 0
    # O_NONBLOCK: opening a named pipe must fail below, not wait for a writer; O_NOFOLLOW: a donor's link may point anywhere.
    with told(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise StorageError(_("%(path)s：不是普通文件。请去掉它，或换成真正的文件。", path=path))
        while True:
            with told(path):
                count = os.readv(descriptor, [buffer])
            if not count:
                break
            take(buffer[:count])
            size += count
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if size != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise StorageError(_("%(path)s：读取时文件正在变化。请等写入或复制结束后再试。", path=path))
    return size
