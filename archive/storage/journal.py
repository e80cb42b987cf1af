"""`Journal`: every decision a person saved, appended and on the disk before the save is acknowledged.

A line is one JSON object whose last field `sum` is the beginning of the SHA-256 of the line's bytes before it:

    {"seq":1,"at":"2026-11-22T12:00:00Z","by":"王馆员","kind":"publish","item":"fz-001","data":{"audience":"public"},"sum":"9f2c…"}

Lines lie in segments `000001.jsonl`, `000002.jsonl` … of some 16 MiB; `seq` counts from 1 without gaps through all of them. Only the end of
the last segment is ever written. A line that a crash cut off was never acknowledged: it is set aside into `NNNNNN.torn`, not deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from archive import records
from archive.errors import StorageError
from archive.language import _
from archive.storage.local import locked, make_folders, replace, sync_folder, told, write_all

log = logging.getLogger(__name__)

SEGMENT_BYTES = 16 << 20
"""A segment that has reached this size gets no further line."""
_SUM = re.compile(rb',"sum":"([0-9a-f]{32})"\}\n')
_TAIL = len(b',"sum":""}\n') + 32


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One saved decision. `at` UTC; `data` JSON values; `item` None when it is about no single item."""

    seq: int
    at: str
    by: str
    kind: str
    item: str | None = None
    data: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class _End:
    """Where the journal ended when we last looked: segment number, its size in bytes, the newest entry's number."""

    segment: int
    size: int
    seq: int


class Journal:
    """The journal in `folder`. Any number of threads and processes may append and read."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder.absolute()
        self._segment_bytes = segment_bytes
        self._end: _End | None = None

    def init(self) -> None:
        """Make the folder; nothing happens when it is there."""
        with told(self.folder):
            make_folders(self.folder)

    def append(self, kind: str, data: Mapping[str, Any], *, by: str, item: str | None = None, at: str) -> JournalEntry:
        """Write an entry; when this returns it is on the disk. Raises DiskFull or StorageError, and then nothing was written."""
        with self._writing() as end:
            entry = JournalEntry(seq=end.seq + 1, at=at, by=by, kind=kind, item=item, data=records.to_record(data))
            line = _encode(entry)
            segment = end.segment
            if not segment or end.size >= self._segment_bytes:
                segment += 1
            path = self._path(segment)
            with told(path):
                size = _append(path, line, end.size if segment == end.segment else 0)
            self._end = _End(segment, size, entry.seq)
            return entry

    def entries(self, after: int = 0, item: str | None = None) -> Iterator[JournalEntry]:
        """Entries with a number above `after`, oldest first; with `item` only those about it. A line being written just now is not among them.

        Raises StorageError naming file and line when a line is damaged or missing.
        """
        expected: int | None = None
        for segment in self._to_read(after):
            expected = 1 if segment == 1 else expected
            path = self._path(segment)
            for place, line in self._lines(path, last=segment == self._segments()[-1]):
                entry = _decode(line, place)
                if expected is not None and entry.seq != expected:
                    raise StorageError(
                        _(
                            "%(place)s：应是第 %(expected)d 条，却是第 %(found)d 条。请从备份恢复这个文件。",
                            place=place,
                            expected=expected,
                            found=entry.seq,
                        )
                    )
                expected = entry.seq + 1
                if entry.seq > after and (item is None or entry.item == item):
                    yield entry

    def last(self) -> int:
        """The number of the newest entry, 0 when there is none."""
        return self._find_end().seq

    def recover(self) -> tuple[str, ...]:
        """Set aside what a crash cut off at the end, and say so; an append does the same by itself."""
        with told(self.folder):
            if not self._segments():
                return ()
        end = self._find_end()
        with told(self.folder):
            whole = not end.segment or self._path(end.segment).stat().st_size == end.size
        if whole:
            return ()
        with locked(self.folder / "lock"):
            return self._set_aside(self._find_end())

    def redact(self, change: Callable[[JournalEntry], Mapping[str, Any]]) -> int:
        """Give entries other data, as `change` says of each; gives how many really changed.

        The one exception to "appended, never changed", for what the law wants gone: lines keep number, time, author and kind.
        """
        changed = 0
        with self._writing():
            for segment in self._segments():
                path, lines, before = self._path(segment), [], changed
                for place, line in self._lines(path, last=False):
                    entry = _decode(line, place)
                    data = records.to_record(change(entry))
                    changed += data != entry.data
                    lines.append(line if data == entry.data else _encode(msgspec.structs.replace(entry, data=data)))
                if changed != before:
                    with told(path):
                        replace(path, b"".join(lines))
            with told(self.folder):
                for torn in self.folder.glob("*.torn"):  # never acknowledged, and may hold the same words
                    torn.unlink()
            self._end = None
        return changed

    # --- segments -----------------------------------------------------------------------------------------------------------------

    def _path(self, segment: int) -> Path:
        return self.folder / f"{segment:06}.jsonl"

    def _segments(self) -> list[int]:
        with told(self.folder):
            if not self.folder.is_dir():
                # Starting again at 1 would give numbers that objects hold for known already.
                raise StorageError(_("%(path)s：没有日志文件夹。请从备份恢复；新建的馆请先运行 fangzhi init。", path=self.folder))
            found = sorted(int(p.stem) for p in self.folder.glob("*.jsonl") if p.stem.isdecimal())
        if found and found != list(range(found[0], found[0] + len(found))):
            missing = next(n for n in range(found[0], found[-1]) if n not in found)
            raise StorageError(_("%(path)s：日志缺了这个文件。请从备份恢复。", path=self._path(missing)))
        if found and found[0] != 1:
            raise StorageError(_("%(path)s：日志缺了这个文件。请从备份恢复。", path=self._path(1)))
        return found

    def _to_read(self, after: int) -> list[int]:
        """The segments that can hold entries above `after`: those behind the last one that begins at or below it."""
        segments = self._segments()
        for index in range(len(segments) - 1, 0, -1):
            first = next(self._lines(self._path(segments[index]), last=True), None)
            if first is not None and _decode(first[1], first[0]).seq <= after + 1:
                return segments[index:]
        return segments

    def _lines(self, path: Path, *, last: bool) -> Iterator[tuple[str, bytes]]:
        """Each line with its place ("000001.jsonl:12"). An unfinished end is passed over in the `last` segment, damage anywhere else."""
        with told(path), path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                place = f"{path}:{number}"
                if _torn(line):
                    if last and all(_torn(later) for later in stream):
                        return
                    raise StorageError(_("%(place)s：日志的这一行不完整。请从备份恢复这个文件。", place=place))
                yield place, line

    def _find_end(self) -> _End:
        """Where the last whole line ends; reads only what was appended since we last looked."""
        segments = self._segments()
        if not segments:
            return _End(0, 0, 0)
        known = self._end
        with told(self.folder):
            size = self._path(segments[-1]).stat().st_size
        if known and known.segment == segments[-1] and known.size == size:
            return known
        end = _End(segments[-1], 0, 0)
        for segment in reversed(segments):
            tail = self._last_line(segment)
            if segment == segments[-1]:
                end = _End(segment, tail[1], 0)
            if tail[0]:
                return _End(end.segment, end.size, tail[0])
        return end

    def _last_line(self, segment: int) -> tuple[int, int]:
        """Number of the last whole entry of a segment (0 when it has none), and the size in bytes up to its end."""
        path = self._path(segment)
        with told(path), path.open("rb") as stream:
            size, take = stream.seek(0, os.SEEK_END), 1 << 16
            while True:
                start = stream.seek(max(0, size - take))
                lines = stream.read(size - start).split(b"\n")
                end = size - len(lines.pop())
                while lines and _torn(lines[-1] + b"\n"):
                    end -= len(lines.pop()) + 1
                if lines and (len(lines) > 1 or not start):
                    return _decode(lines[-1] + b"\n", str(path)).seq, end
                if not start:
                    return 0, 0
                take *= 4

    @contextlib.contextmanager
    def _writing(self) -> Iterator[_End]:
        """The lock, what a crash cut off set aside, and where the journal ends."""
        self._segments()
        with locked(self.folder / "lock"):
            end = self._find_end()
            for line in self._set_aside(end):
                log.warning("%s", line)
            yield end

    def _set_aside(self, end: _End) -> tuple[str, ...]:
        """Move what lies behind the last whole line into `NNNNNN.torn`; under the lock nobody is writing it any more."""
        if not end.segment:
            return ()
        path = self._path(end.segment)
        with told(path), path.open("r+b") as stream:
            stream.seek(end.size)
            torn = stream.read()
            if not torn:
                return ()
            with path.with_suffix(".torn").open("ab") as aside:
                aside.write(torn + b"\n")
                aside.flush()
                os.fsync(aside.fileno())
            sync_folder(self.folder)
            stream.truncate(end.size)
            os.fsync(stream.fileno())
        return (
            _(
                "%(path)s：最后一行没有写完（断电或程序中止），移到了 %(torn)s；它从未被确认保存。",
                path=path,
                torn=path.with_suffix(".torn").name,
            ),
        )


def _append(path: Path, line: bytes, size: int) -> int:
    """Put `line` behind the first `size` bytes of the file and on the disk; gives the new size. On failure the file is as before."""
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        try:
            write_all(descriptor, line)
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if new:
        sync_folder(path.parent)
    return size + len(line)


def _encode(entry: JournalEntry) -> bytes:
    body = msgspec.json.encode(entry)[:-1]
    return body + b',"sum":"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"}\n'


def _decode(line: bytes, place: str) -> JournalEntry:
    match = _SUM.fullmatch(line, max(0, len(line) - _TAIL))
    if match is None or hashlib.sha256(line[: match.start()]).hexdigest()[:32].encode() != match[1]:
        raise StorageError(_("%(place)s：日志的这一行损坏（校验和不符）。请从备份恢复这个文件。", place=place))
    return msgspec.json.decode(line, type=JournalEntry)


def _torn(line: bytes) -> bool:
    """True for a line whose writing was cut off; after a power cut, parts that never reached the disk read as zeros."""
    return not line.endswith(b"\n") or b"\0" in line
