"""Backups of what the home keeps, each a zip file; the first whole, those put beside it only what changed since.

A backup may run while others work. What is in it agrees with itself because

- versions of OCFL objects never change once they stand: of each object the versions up to the head that its root inventory names at that
  moment are taken, and that very inventory; no object goes to the trash or comes back meanwhile (`OcflStore.standing_still`);
- the journal is taken last. An object says up to which journal entry it knows people's decisions; a journal that ended earlier would give
  the same numbers again to new decisions, and they would be passed over. A journal that goes further does no harm.

`manifest.json` in the zip lists every member with its SHA-256, what is to be removed, and the chain of backups before it.
What has been backed up is remembered in the home's `run/backup-state.json`; without it the next backup is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from archive.errors import DiskFull, StorageError, UsageError
from archive.language import _
from archive.settings import Settings
from archive.storage import inventory as inv
from archive.storage import layout
from archive.storage.digests import CHUNK
from archive.storage.local import make_folders, remove_tree, replace, sync_folder, told
from archive.storage.ocfl import OcflStore

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
KEPT = ("settings.toml", "definitions", "originals", "journal", "private")
_STATE = "backup-state.json"
_NEXT = "backup-state.next.json"
_ASIDE = ".restore.part"
_TEXTUAL = {".json", ".jsonl", ".toml", ".txt", ".csv", ".sha512", ".md", ".xml", ".torn"}


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds. `size` is that of the file in bytes; `why_full` says why it is whole although an earlier one was made."""

    file: Path
    number: int
    files: int
    size: int
    removed: int
    why_full: str = ""
    damaged: tuple[str, ...] = ()
    """Originals that were not what their inventory says; they are in the backup as they are."""
    skipped: tuple[str, ...] = ()
    """Links and the like, which no backup takes."""

    @property
    def full(self) -> bool:
        """True when it needs no earlier backup."""
        return self.number == 1


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored: number of files, their bytes, and the time (UTC) of the newest backup."""

    files: int
    size: int
    at: str


class _Link(msgspec.Struct, frozen=True):
    """One backup of a chain, as the later ones remember it."""

    id: str
    name: str
    at: str
    size: int = 0


class _Member(msgspec.Struct, frozen=True):
    sha256: str
    size: int


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: str = "fangzhi-backup 1"
    id: str
    number: int
    at: str
    before: list[_Link]
    removed: list[str]
    members: dict[str, _Member]

    @property
    def previous(self) -> str | None:
        return self.before[-1].id if self.before else None


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """What was backed up: `files` by path with SHA-256, `objects` by folder with head number and SHA-512 of the head's inventory."""

    chain: list[_Link]
    folder: str
    files: dict[str, str]
    objects: dict[str, tuple[int, str]]


def backup(settings: Settings, target: Path, *, at: str) -> BackupReport:
    """Write a backup of the home to the new file `target`; `at` is the time (UTC, ISO 8601).

    It holds only changes when every backup of the chain before it lies in the same folder. Raises UsageError for an impossible target, Busy
    while another backup runs, DiskFull and StorageError; `target` appears only when it is whole.
    """
    target = target.absolute()
    if target.exists():
        raise UsageError(_("%(path)s：已有这个文件。请换一个名字。", path=target))
    if target.is_relative_to(settings.home):
        raise UsageError(_("%(path)s：备份不能放在馆的文件夹里面。请放到另一块盘上。", path=target))
    store = OcflStore(settings.originals, settings.staging)
    store.check_root()
    with store.standing_still():
        state, why_full = _earlier(settings, target)
        part = target.with_name(target.name + ".part")
        try:
            with told(part), part.open("wb") as stream:
                writing = _Writing(settings.home, stream, state, target, at)
                try:
                    for step in (_originals, _plain, _journal):
                        step(settings, writing)
                    manifest = writing.finish()
                except BaseException:
                    with contextlib.suppress(OSError, ValueError):
                        writing.zip.close()  # else it complains when it is collected, long after its file was closed
                    raise
                stream.flush()
                os.fsync(stream.fileno())
                size = stream.tell()
            link = _Link(manifest.id, target.name, at, size)
            after = _State(chain=[*manifest.before, link], folder=str(target.parent), files=writing.files, objects=writing.objects)
            with told(settings.run):
                make_folders(settings.run)
                replace(settings.run / _NEXT, msgspec.json.encode(after), mode=0o600)
            with told(target):
                part.rename(target)
                sync_folder(target.parent)
            with told(settings.run):
                (settings.run / _NEXT).rename(settings.run / _STATE)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    log.info("backup %s: number %d, %d files", target, manifest.number, len(manifest.members))
    return BackupReport(
        target,
        manifest.number,
        len(manifest.members),
        size,
        len(manifest.removed),
        why_full,
        tuple(writing.damaged),
        tuple(writing.skipped),
    )


def _earlier(settings: Settings, target: Path) -> tuple[_State | None, str]:
    """What the chain in the target's folder holds already; None with the reason when a whole backup must be made."""
    newest, state = settings.run / _NEXT, settings.run / _STATE
    with told(settings.run):
        # A crash between the two renames of `backup`: the file decides whether that backup came about.
        pending = _read_state(newest)
        if pending is not None and _stands(Path(pending.folder) / pending.chain[-1].name, pending.chain[-1]):
            newest.rename(state)
        else:
            newest.unlink(missing_ok=True)
        earlier = _read_state(state)
    if earlier is None:
        return None, ""
    for link in earlier.chain:
        if not _stands(target.parent / link.name, link):
            return None, _("%(folder)s 里没有先前的备份 %(name)s，所以这一份是完整备份。", folder=target.parent, name=link.name)
    return earlier, ""


def _read_state(path: Path) -> _State | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_State)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        log.warning("%s is not readable; the next backup is whole", path)
        return None


def _stands(path: Path, link: _Link) -> bool:
    """True when the file is that backup, by its size and the id in its comment."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 200))
            return size == link.size and stream.read().endswith(link.id.encode())
    except OSError:
        return False


@dataclass
class _Writing:
    """A backup being written: the zip, what it must not take again, what it has taken."""

    home: Path
    stream: BinaryIO
    earlier: _State | None
    target: Path
    at: str
    files: dict[str, str] = field(default_factory=dict)
    objects: dict[str, tuple[int, str]] = field(default_factory=dict)
    members: dict[str, _Member] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.zip = zipfile.ZipFile(self.stream, "w", allowZip64=True)

    def add_bytes(self, name: str, data: bytes) -> None:
        """A member from memory, when it is not the same as in an earlier backup."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[name] = digest
        if self.earlier is None or self.earlier.files.get(name) != digest:
            self._store_bytes(name, data, digest)

    def _store_bytes(self, name: str, data: bytes, digest: str) -> None:
        with told(self.target):
            self.zip.writestr(self._info(name), data)
        self.members[name] = _Member(digest, len(data))

    def take(self, name: str, data: bytes) -> None:
        """A member from memory that belongs to an object (`objects` remembers it, not `files`)."""
        self._store_bytes(name, data, hashlib.sha256(data).hexdigest())

    def copy(self, name: str, path: Path, sha512: str | None = None) -> None:
        """A member that belongs to an object, from its file; noted as damaged when it is not `sha512`."""
        short, long, size = hashlib.sha256(), hashlib.sha512(), 0
        with told(path), path.open("rb") as source:
            info = self._info(name)
            info.file_size = os.fstat(source.fileno()).st_size
            with told(self.target), self.zip.open(info, "w", force_zip64=info.file_size > 1 << 30) as member:
                while True:
                    with told(path):
                        chunk = source.read(CHUNK)
                    if not chunk:
                        break
                    member.write(chunk)
                    short.update(chunk)
                    size += len(chunk)
                    if sha512 is not None:
                        long.update(chunk)
        if sha512 is not None and long.hexdigest() != sha512:
            self.damaged.append(name)
        self.members[name] = _Member(short.hexdigest(), size)

    def finish(self) -> _Manifest:
        """Close the zip with its manifest; what the earlier backups hold and the home no longer does is listed as removed."""
        before = self.earlier.chain if self.earlier else []
        if self.earlier:
            self.removed += sorted(self.earlier.files.keys() - self.files.keys())
            self.removed += sorted(self.earlier.objects.keys() - self.objects.keys())
        manifest = _Manifest(
            id=uuid.uuid4().hex, number=len(before) + 1, at=self.at, before=before, removed=self.removed, members=self.members
        )
        with told(self.target):
            self.zip.writestr(self._info(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest), indent=1))
            # Last bytes of the file: tells which backup it is without reading its directory.
            self.zip.comment = f"fangzhi-backup {manifest.id}".encode()
            self.zip.close()
        return manifest

    def _info(self, name: str) -> zipfile.ZipInfo:
        moment = datetime.fromisoformat(self.at)
        info = zipfile.ZipInfo(name, (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second))
        info.compress_type = zipfile.ZIP_DEFLATED if PurePosixPath(name).suffix in _TEXTUAL else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16 if name.startswith("private/") else 0o644 << 16
        return info


# --- what is taken ------------------------------------------------------------------------------------------------------------------


def _originals(settings: Settings, writing: _Writing) -> None:
    root = settings.originals
    for name in (layout.ROOT_DECLARATION, layout.LAYOUT_FILE):
        with told(root):
            writing.add_bytes(f"originals/{name}", (root / name).read_bytes())
    for folder in layout.object_folders(root):
        _object(writing, folder)
    extensions = root / "extensions"
    for path in _regular(extensions, writing):
        inside = path.relative_to(extensions).parts
        if inside[0] == "fangzhi-inflight" or (inside[0] == "fangzhi-trash" and "object" in inside[2:3]):
            continue
        with told(path):
            writing.add_bytes(path.relative_to(settings.home).as_posix(), path.read_bytes())
    with told(extensions):
        for entry in sorted(extensions.glob("fangzhi-trash/*/object")):
            _object(writing, entry)


def _object(writing: _Writing, folder: Path) -> None:
    """The versions of an object that are new since the last backup, up to its head, with the root inventory as it is now."""
    name = folder.relative_to(writing.home).as_posix()
    try:
        with told(folder):
            data = (folder / inv.FILE).read_bytes()
        inventory = inv.decode(data)
        head = inv.number(inventory.head)
    except (StorageError, msgspec.DecodeError, ValueError):
        _damaged_object(writing, folder, name)
        return
    digest = hashlib.sha512(data).hexdigest()
    writing.objects[name] = (head, digest)
    done = _already(writing, folder, name)
    if done == head:
        return
    contents = {path: sha512 for sha512, paths in inventory.manifest.items() for path in paths}
    for version in sorted(inventory.versions, key=inv.number):
        if inv.number(version) > done:
            for path in _regular(folder / version, writing):
                inside = path.relative_to(folder).as_posix()
                writing.copy(f"{name}/{inside}", path, contents.get(inside))
    writing.take(f"{name}/{inv.FILE}", data)
    writing.take(f"{name}/{inv.FILE}.{inventory.digestAlgorithm}", inv.sidecar(data))
    if not done:
        writing.take(f"{name}/{inv.DECLARATION}", inv.DECLARATION_TEXT)


def _already(writing: _Writing, folder: Path, name: str) -> int:
    """The newest version of the object that the chain holds, 0 when none; what it holds of a different object of that name is removed."""
    known = writing.earlier.objects.get(name) if writing.earlier else None
    if known is None:
        return 0
    number, digest = known
    try:
        with told(folder):
            stated = inv.sidecar_digest((folder / f"v{number}" / inv.SIDECAR).read_bytes())
    except StorageError:
        stated = None
    if number and stated == digest:
        return number
    writing.removed.append(name)
    return 0


def _damaged_object(writing: _Writing, folder: Path, name: str) -> None:
    """An object without a readable inventory is taken as it lies, each time anew."""
    writing.damaged.append(name)
    if writing.earlier and name in writing.earlier.objects:
        writing.removed.append(name)
    writing.objects[name] = (0, "")
    for path in _regular(folder, writing):
        writing.copy(path.relative_to(writing.home).as_posix(), path)


def _plain(settings: Settings, writing: _Writing) -> None:
    private = [path for path in _regular(settings.private, writing) if path.name != "lock" and not path.name.startswith(".part-")]
    for path in (settings.home / "settings.toml", *_regular(settings.definitions, writing), *private):
        with told(path):
            writing.add_bytes(path.relative_to(settings.home).as_posix(), path.read_bytes())


def _journal(settings: Settings, writing: _Writing) -> None:
    """Segments up to their last whole line: what is being written at this moment belongs to the next backup."""
    for path in _regular(settings.journal, writing):
        if path.suffix in (".jsonl", ".torn"):
            with told(path):
                data = path.read_bytes()
            writing.add_bytes(path.relative_to(settings.home).as_posix(), data[: data.rfind(b"\n") + 1])


def _regular(folder: Path, writing: _Writing) -> Iterator[Path]:
    """The regular files below `folder`, by path; anything else is noted as skipped. Folders that cannot be listed raise StorageError."""

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    with told(folder):
        for place, folders, files in os.walk(folder, onerror=fail):
            folders.sort()
            for name in sorted([*files, *(f for f in folders if Path(place, f).is_symlink())]):
                path = Path(place, name)
                try:
                    relative = path.relative_to(writing.home).as_posix()
                    relative.encode()
                    usable = path.is_file() and not path.is_symlink()
                except UnicodeEncodeError:
                    relative, usable = ascii(relative), False
                if usable:
                    yield path
                else:
                    writing.skipped.append(relative)


# --- restore ------------------------------------------------------------------------------------------------------------------------


def restore(files: Sequence[Path], home: Path) -> RestoreReport:
    """Put a chain of backups back into an empty or new `home`.

    `files` is the whole chain, or its newest alone when the others lie beside it. Everything is unpacked aside and checked against the
    manifests first; the home is one only when all was right. Raises UsageError for a home that is not empty, StorageError naming a missing
    link or a damaged member, DiskFull.
    """
    home = home.absolute()
    with told(home):
        if home.exists() and any(path.name != _ASIDE for path in home.iterdir()):
            raise UsageError(_("%(path)s：文件夹不是空的。请恢复到一个新的文件夹。", path=home))
    chain = _chain([path.absolute() for path in files])
    wanted: dict[str, tuple[Path, _Member]] = {}
    for path, manifest in chain:
        _apply(wanted, path, manifest)
    size = sum(member.size for _file, member in wanted.values())
    aside = home / _ASIDE
    with told(home):
        make_folders(home)
        remove_tree(aside)
        free = shutil.disk_usage(home).free
    if size > free:
        raise DiskFull(_("%(path)s：需要 %(size)d MB，只剩 %(free)d MB。请换一块盘。", path=home, size=size >> 20, free=free >> 20))
    try:
        with told(aside):
            aside.mkdir()
            for path, _manifest in chain:
                _unpack(path, {name: member for name, (file, member) in wanted.items() if file == path}, aside)
            for name in KEPT[1:]:
                (aside / name).mkdir(exist_ok=True)
            (aside / "private").chmod(0o700)
            os.sync()
            for child in sorted(aside.iterdir(), key=lambda child: child.name == "settings.toml"):
                child.rename(home / child.name)
            sync_folder(home)
    finally:
        with contextlib.suppress(OSError):
            remove_tree(aside)
    return RestoreReport(len(wanted), size, chain[-1][1].at)


def chain_of(file: Path) -> tuple[Path, ...]:
    """The backups that `file` needs, oldest first, itself last, looked for in its folder; raises StorageError naming a missing one."""
    manifest = _read_manifest(file)
    before = tuple(file.parent / link.name for link in manifest.before)
    for number, (path, link) in enumerate(zip(before, manifest.before, strict=True), 1):
        if not path.exists():
            raise _missing(number, link, file)
    return (*before, file)


def _missing(number: int, link: _Link, file: Path) -> StorageError:
    return StorageError(
        _(
            "%(file)s：缺少它之前的第 %(number)d 份备份（原名 %(name)s，备份于 %(at)s）。请把它找来一起恢复。",
            file=file,
            number=number,
            name=link.name,
            at=link.at,
        )
    )


def _chain(files: Sequence[Path]) -> list[tuple[Path, _Manifest]]:
    """The chain in order, each the one that the next was made after; raises StorageError naming what is missing."""
    if not files:
        raise UsageError(_("没有给出备份文件。"))
    if len(files) == 1:
        files = chain_of(files[0])
    chain = sorted(((path, _read_manifest(path)) for path in files), key=lambda pair: pair[1].number)
    newest, last = chain[-1]
    wanted = [*(link.id for link in last.before), last.id]
    given = {manifest.id: (path, manifest) for path, manifest in chain}
    for number, link in enumerate(last.before, 1):
        if link.id not in given:
            raise _missing(number, link, newest)
    for path, manifest in chain:
        if manifest.id not in wanted:
            raise StorageError(_("%(file)s：不属于 %(newest)s 的那一串备份。请不要混在一起。", file=path, newest=newest))
    return [given[key] for key in wanted]


def _read_manifest(path: Path) -> _Manifest:
    try:
        with told(path), zipfile.ZipFile(path) as archive:
            manifest = msgspec.json.decode(archive.read(MANIFEST), type=_Manifest)
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError, NotImplementedError, EOFError) as error:
        raise StorageError(_("%(path)s：不是方志馆的备份，或已损坏（%(why)s）。", path=path, why=error)) from error
    for name in (*manifest.members, *manifest.removed):
        parts = name.split("/")
        if parts[0] not in KEPT or any(part in ("", ".", "..") for part in parts):
            raise StorageError(_("%(path)s：备份里有不该有的路径 %(name)r。", path=path, name=name))
    return manifest


def _apply(wanted: dict[str, tuple[Path, _Member]], path: Path, manifest: _Manifest) -> None:
    """Turn what the backups before `manifest` leave standing into what it leaves standing."""
    removed = set(manifest.removed)
    if removed:
        for name in [name for name in wanted if not removed.isdisjoint(_ancestors(name))]:
            del wanted[name]
    wanted.update({name: (path, member) for name, member in manifest.members.items()})


def _ancestors(name: str) -> Iterable[str]:
    yield name
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _unpack(path: Path, members: dict[str, _Member], aside: Path) -> None:
    """Write members of one backup below `aside`, each compared with its digest."""
    with told(path), zipfile.ZipFile(path) as archive:
        for name, member in members.items():
            place = aside / name
            place.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o600 if name.startswith("private/") else 0o644
            digest = hashlib.sha256()
            try:
                with archive.open(name) as source, os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as sink:
                    while chunk := source.read(CHUNK):
                        digest.update(chunk)
                        sink.write(chunk)
            except (zipfile.BadZipFile, KeyError, zlib.error, EOFError) as error:
                raise _damaged(path, name) from error
            if digest.hexdigest() != member.sha256:
                raise _damaged(path, name)


def _damaged(path: Path, name: str) -> StorageError:
    return StorageError(_("%(path)s：备份里的 %(name)s 损坏了（SHA-256 不符）。没有恢复任何东西。", path=path, name=name))
