"""Locks between processes: files under `run/`, held by flock, so that a killed process never leaves one behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from archive.errors import Busy, SettingsError
from archive.language import _


@contextlib.contextmanager
def lock(folder: Path, name: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock `name` for the block; raises Busy (naming the process that holds it) after `wait` seconds."""
    path = folder / f"{name}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SettingsError(_("%(path)s：不能写入：%(why)s", path=path, why=error.strerror or error)) from error
    try:
        _take(descriptor, path, name, wait)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, name: str, wait: float) -> None:
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "?"
                message = _("另一个进程（%(pid)s）正在做同样的事（%(name)s）。请等它结束再试。", pid=holder, name=name)
                raise Busy(message) from None
            time.sleep(0.05)
