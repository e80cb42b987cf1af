"""Durable writing on a local disk: fsync, atomic replacement, locks, and the system's errors told in our words.

Everything kept for good is written through these few functions, so that there is one place to read about what survives a crash.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from archive.errors import Busy, DiskFull, StorageError
from archive.language import _

# EFBIG: the file system (FAT) or a limit of the process allows no larger file; to the archivist that is a full disk too.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}


def storage_error(error: OSError, path: Path) -> StorageError:
    """Our error for one of the system's while working on `path`."""
    where = str(error.filename or path)
    if error.errno in _FULL:
        return DiskFull(_("%(path)s：磁盘已满。请腾出空间后再做一次；没有留下做了一半的东西。", path=where))
    if error.errno in _FORBIDDEN:
        return StorageError(_("%(path)s：不能写入或读取（只读，或没有权限）。请检查磁盘的挂载方式和文件夹的属主。", path=where))
    if error.errno == errno.EXDEV:
        return StorageError(_("%(path)s：暂存区与原件不在同一个文件系统上。请把 staging 和 originals 放在同一块盘上。", path=where))
    return StorageError(_("%(path)s：%(why)s。请检查磁盘。", path=where, why=error.strerror or str(error)))


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into DiskFull or StorageError; `path` is named when the system names none."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the bytes of `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders_below(folder: Path) -> None:
    """`sync_folder` for `folder` and every folder in it, the deepest first."""
    for path, _folders, _files in os.walk(folder, topdown=False):
        sync_folder(Path(path))


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`; os.write may take less than it was given when the disk is nearly full."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_new(path: Path, data: bytes, mode: int = 0o644) -> None:
    """A new file with `data`, on the disk before this returns (its name is not: see `sync_folder`). Fails when there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes, mode: int = 0o644) -> None:
    """`path` holds `data` from now on; a reader sees the old bytes or the new, and so does whoever comes after a crash."""
    aside = spare_name(path)
    try:
        write_new(aside, data, mode)
        aside.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def spare_name(path: Path) -> Path:
    """A free, short name beside `path` (long names leave no room for a suffix)."""
    return path.with_name(f".part-{uuid.uuid4().hex}")


def make_folders(folder: Path) -> None:
    """`folder` and its missing parents, each name durable."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def overwrite(path: Path) -> None:
    """Put zeros over the bytes of a file that is about to go, on the disk."""
    with path.open("r+b") as stream:
        left, zeros = os.fstat(stream.fileno()).st_size, bytes(1 << 20)
        while left > 0:
            left -= stream.write(zeros[: min(left, len(zeros))])
        stream.flush()
        os.fsync(stream.fileno())


def remove_tree(path: Path) -> None:
    """Remove a folder or a file with all in it; nothing happens when there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True, busy: str = "") -> Iterator[None]:
    """Hold the lock file `path`; raises Busy saying `busy` when it is taken and `wait` is False.

    flock belongs to the open file: it excludes threads of one process as well, and the system drops it when the process dies.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with told(path):
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Busy(busy or _("%(path)s：另一个进程正在使用。请等它结束后再试。", path=path)) from None
        yield
    finally:
        os.close(descriptor)
