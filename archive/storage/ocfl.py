"""`OcflStore`: versioned objects in an OCFL 1.1 storage root on a local disk, safe against a crash at any moment.

How a version is written (docs/decisions/storage.md says why):

1. Under the lock of the object, a *work folder* in the staging area takes the new version: content, its inventory and sidecar, all fsynced.
2. A *marker* naming the object is written into the root's `extensions/fangzhi-inflight/`, fsynced.
3. The version folder is renamed into the object: from here on it counts. (A new object is built whole and renamed into its place.)
4. Root inventory, then sidecar, are renamed over the old ones. Readers see the old version until the first of the two.
5. Marker and work folder go.

A crash before 3 leaves a work folder: files that were moved into it are moved back, the rest is removed. A crash between 3 and 5 leaves
the marker: the root inventory is made equal to that of the newest whole version. Both is done by whoever next holds the lock, and by `recover`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from archive.errors import Conflict, CorruptObject, NotFound, StorageError
from archive.language import _
from archive.storage import inventory as inv
from archive.storage import layout, validation
from archive.storage.base import FixityProblem, StoredFile, VersionInfo
from archive.storage.digests import copy_and_digest, digest_bytes, digest_file
from archive.storage.inflight import Workshop
from archive.storage.local import (
    make_folders,
    remove_tree,
    replace,
    sync_file,
    sync_folder,
    sync_folders_below,
    told,
    write_new,
)
from archive.storage.trash import OBJECT, TrashEntry, free_folder, read_entries, write_entry

log = logging.getLogger(__name__)

_CACHED = 128
"""Inventories kept parsed; that of a book of 300 files takes some 100 kB."""


@dataclass(frozen=True, slots=True)
class _Incoming:
    """New content: `source` is bytes, a file of the caller's to move, or (`ours`) a copy we made in the work folder."""

    logical: str
    source: Path | bytes
    sha256: str | None
    ours: bool = False


class OcflStore:
    """`ObjectStore` below `root`; `staging` is a folder on the same file system, shared with those who stage files to be moved in.

    Any number of threads and processes may use stores on the same two folders.
    """

    def __init__(self, root: Path, staging: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.root, self.staging = root.absolute(), staging.absolute()
        self._shop = Workshop(self.root, self.staging)
        self._now = now
        self._cache: OrderedDict[str, tuple[tuple[int, int, int], inv.Inventory]] = OrderedDict()
        self._cache_lock = threading.Lock()
        self._known_root = False

    # --- the root -----------------------------------------------------------------------------------------------------------------

    def init(self) -> None:
        """Make the storage root: declaration last, so that half a root is none. Nothing happens when it is there."""
        with told(self.root):
            if (self.root / layout.ROOT_DECLARATION).exists():
                return
            if self.root.is_dir() and any(p.name not in ("extensions", layout.LAYOUT_FILE) for p in self.root.iterdir()):
                raise StorageError(_("%(path)s：文件夹里已有别的东西，不能作为原件库。请换一个空文件夹。", path=self.root))
            extension = self.root / "extensions" / layout.NAME
            make_folders(extension)
            make_folders(self._shop.trash)
            make_folders(self._shop.inflight)
            make_folders(self.staging)
            replace(extension / "config.json", _json(layout.CONFIG))
            replace(self.root / layout.LAYOUT_FILE, _json({"extension": layout.NAME, "description": layout.DESCRIPTION}))
            replace(self.root / layout.ROOT_DECLARATION, layout.ROOT_DECLARATION_TEXT)

    def check_root(self) -> None:
        """Raise StorageError where there is no storage root: a folder without declaration is a disk that is not mounted, not an empty archive."""
        if not self._known_root:
            with told(self.root):
                if not (self.root / layout.ROOT_DECLARATION).is_file():
                    raise StorageError(_("%(path)s：这里没有原件库。磁盘挂载了吗？", path=self.root))
            self._known_root = True

    # --- reading ------------------------------------------------------------------------------------------------------------------

    def head(self, item: str) -> int | None:
        """Number of the newest version, None when there is no such object."""
        inventory = self._find(item)
        return inv.number(inventory.head) if inventory else None

    def items(self) -> Iterator[str]:
        """Ids of all objects, in no promised order; the trash is not among them."""
        self.check_root()
        for folder in layout.object_folders(self.root):
            if (folder / inv.DECLARATION).is_file():
                item = layout.id_of(folder)
                if item is None and (inventory := self._parse(folder)):
                    item = inventory.id
                if item is not None:
                    yield item

    def versions(self, item: str) -> tuple[VersionInfo, ...]:
        """All versions, oldest first; raises NotFound."""
        inventory = self._get(item)
        return tuple(sorted((inv.version_info(name, v) for name, v in inventory.versions.items()), key=lambda v: v.number))

    def files(self, item: str, version: int | None = None) -> tuple[StoredFile, ...]:
        """Files of a version (the head when None), by path; raises NotFound, and CorruptObject when content is missing."""
        inventory = self._get(item)
        state = inv.by_path(self._version(inventory, version).state)
        sizes: dict[str, int] = {}
        for path, digest in state.items():
            if digest not in sizes:
                sizes[digest] = self._stat(inventory, path, digest).st_size
        return tuple(StoredFile(path, digest, sizes[digest]) for path, digest in state.items())

    def open(self, item: str, path: str, version: int | None = None) -> BinaryIO:
        """The bytes of a file; raises NotFound."""
        place = self.local_path(item, path, version)
        with told(place):
            return place.open("rb")

    def local_path(self, item: str, path: str, version: int | None = None) -> Path:
        """Where the bytes lie on this machine (read only); raises NotFound, and CorruptObject when they are gone."""
        inventory = self._get(item)
        for digest, paths in self._version(inventory, version).state.items():
            if path in paths:
                self._stat(inventory, path, digest)
                return self._content(inventory, path, digest)
        raise NotFound(_("%(item)s：没有文件 %(path)s。", item=item, path=path))

    def _content(self, inventory: inv.Inventory, path: str, digest: str) -> Path:
        try:
            return self.root / layout.object_path(inventory.id) / inventory.manifest[digest][0]
        except (KeyError, IndexError):
            message = _("%(item)s：清单中没有 %(path)s 的内容（%(digest)s）。", item=inventory.id, path=path, digest=digest[:16])
            raise CorruptObject(inventory.id, path, "E050", message) from None

    def _stat(self, inventory: inv.Inventory, path: str, digest: str) -> os.stat_result:
        place = self._content(inventory, path, digest)
        try:
            with told(place):
                return place.stat()
        except StorageError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
        if self._find(inventory.id) is None:
            raise NotFound(_("没有 %(item)s。", item=inventory.id))
        message = _("%(item)s：%(path)s 的内容不见了（应在 %(place)s）。请从备份恢复。", item=inventory.id, path=path, place=place)
        raise CorruptObject(inventory.id, path, "E092", message)

    def _version(self, inventory: inv.Inventory, version: int | None) -> inv.Version:
        if version is None:
            return inventory.versions[inventory.head]
        for name, found in inventory.versions.items():
            if inv.number(name) == version:
                return found
        raise NotFound(_("%(item)s：没有第 %(version)d 版。", item=inventory.id, version=version))

    def _get(self, item: str) -> inv.Inventory:
        inventory = self._find(item)
        if inventory is None:
            raise NotFound(_("没有 %(item)s。", item=item))
        return inventory

    def _find(self, item: str) -> inv.Inventory | None:
        """The root inventory of an object, parsed once for as long as the file stays the same."""
        self.check_root()
        folder = self.root / layout.object_path(item)
        with told(folder):
            try:
                facts = (folder / inv.FILE).stat()
            except (FileNotFoundError, NotADirectoryError):
                facts = None
            if facts is None:
                if folder.is_dir():
                    raise CorruptObject(item, inv.FILE, "E063", _("%(item)s：对象没有清单 inventory.json。请从备份恢复。", item=item))
                return None
        stamp = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        with self._cache_lock:
            kept = self._cache.get(item)
            if kept and kept[0] == stamp:
                self._cache.move_to_end(item)
                return kept[1]
        inventory = self._parse(folder)
        if inventory is not None:
            if inventory.id != item:
                raise CorruptObject(item, inv.FILE, "E037", _("%(item)s：清单写的是另一个对象 %(other)s。", item=item, other=inventory.id))
            with self._cache_lock:
                self._cache[item] = (stamp, inventory)
                self._cache.move_to_end(item)
                while len(self._cache) > _CACHED:
                    self._cache.popitem(last=False)
        return inventory

    def _parse(self, folder: Path) -> inv.Inventory | None:
        path = folder / inv.FILE
        with told(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            inventory = inv.decode(data)
            if inventory.head not in inventory.versions:
                raise msgspec.ValidationError("head")
            for name in inventory.versions:
                inv.number(name)
        except (msgspec.DecodeError, ValueError) as error:
            message = _("%(path)s：清单无法读取（%(why)s）。请从备份恢复。", path=path, why=error)
            raise CorruptObject(layout.id_of(folder) or folder.name, inv.FILE, "E033", message) from error
        return inventory

    # --- writing ------------------------------------------------------------------------------------------------------------------

    def add_version(
        self,
        item: str,
        state: Mapping[str, Path | bytes | str],
        *,
        message: str,
        user: str,
        created: str,
        expect_head: int | None = None,
        known: Mapping[str, str] | None = None,
    ) -> int:
        """Make the next version; see `ObjectStore.add_version`.

        A Path below `staging` is moved in (and moved back when the version does not come about); when its content is already in the object
        it stays where it is. A copied file is checked against `known`. Waits for another writer of the same object.
        """
        layout.check_logical_paths(state)
        with self._working(item) as work:
            before = self._find(item)
            head = inv.number(before.head) if before else 0
            if expect_head is not None and expect_head != head:
                raise Conflict(
                    _(
                        "%(item)s：有人先改过了（现在是第 %(head)d 版，以为是第 %(expected)d 版）。",
                        item=item,
                        head=head,
                        expected=expect_head,
                    )
                )
            if before and (before.digestAlgorithm != inv.ALGORITHM or before.head != f"v{head}" or before.contentDirectory != "content"):
                raise StorageError(_("%(item)s：不是本馆写的 OCFL 对象，不能增加版本。", item=item))
            digests, incoming = self._gather(work, item, before, state, known or {})
            if before and digests == inv.by_path(before.versions[before.head].state):
                return head
            version = inv.Version(created, inv.by_digest(digests), message, inv.User(user))
            self._build(work, item, before, version, incoming)
            self._commit(work, item, new=before is None)
            return head + 1

    def _gather(
        self, work: Path, item: str, before: inv.Inventory | None, state: Mapping[str, Path | bytes | str], known: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, _Incoming]]:
        """The new state (logical path to SHA-512) and, by SHA-512, the content that the object does not hold yet."""
        held = before.manifest if before else {}
        digests: dict[str, str] = {}
        incoming: dict[str, _Incoming] = {}
        for logical, value in sorted(state.items()):
            if isinstance(value, str):
                if value not in held:
                    raise StorageError(
                        _("%(item)s：%(path)s 所指的内容 %(digest)s 不在对象中。", item=item, path=logical, digest=value[:16])
                    )
                digests[logical] = value
                continue
            digest, found = self._digested(work, logical, value, known.get(logical), (held, incoming))
            digests[logical] = digest
            if found is not None and digest not in held:
                incoming.setdefault(digest, found)
        return digests, incoming

    def _digested(
        self, work: Path, logical: str, value: Path | bytes, known: str | None, held: tuple[Mapping[str, object], ...]
    ) -> tuple[str, _Incoming | None]:
        """SHA-512 of a value and how it comes in, None when its content is held already; each file is read at most once."""
        if isinstance(value, bytes):
            digest = digest_bytes(value)
            return digest.sha512, _Incoming(logical, value, digest.sha256)
        if known is not None and any(known in digests for digests in held):
            return known, None
        if value.absolute().is_relative_to(self.staging):
            with told(value):
                if not stat.S_ISREG(value.lstat().st_mode):
                    raise StorageError(_("%(path)s：不是普通文件。请去掉它，或换成真正的文件。", path=value))
            if known is not None:
                return known, _Incoming(logical, value, None)
            digest = digest_file(value)
            return digest.sha512, _Incoming(logical, value, digest.sha256)
        copy = work / f"copy-{uuid.uuid4().hex}"
        digest = copy_and_digest(value, copy)
        if known is not None and digest.sha512 != known:
            raise StorageError(_("%(path)s：文件变了（与先前算出的 SHA-512 不同）。请再运行一次。", path=value))
        return digest.sha512, _Incoming(logical, copy, digest.sha256, ours=True)

    def _build(self, work: Path, item: str, before: inv.Inventory | None, version: inv.Version, incoming: Mapping[str, _Incoming]) -> None:
        """Write the version whole into `work/object/vN`, and beside it what becomes root inventory and sidecar."""
        name = f"v{(inv.number(before.head) if before else 0) + 1}"
        new = {digest: inv.Content(layout.content_path(name, part.logical), part.sha256) for digest, part in incoming.items()}
        made = work / "object"
        with told(work):
            (made / name).mkdir(parents=True)
            moves = {f"object/{new[d].path}": str(p.source) for d, p in incoming.items() if isinstance(p.source, Path) and not p.ours}
            if moves:
                write_new(work / "moves.json", msgspec.json.encode(moves))
                sync_folder(work)
            for digest, part in incoming.items():
                target = made / new[digest].path
                target.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(part.source, bytes):
                    write_new(target, part.source)
                    continue
                if part.source.lstat().st_mode & 0o777 != 0o644:
                    part.source.chmod(0o644)
                part.source.rename(target)
                sync_file(target)
            after = inv.following(before, item, version, new)
            for folder in (made, made / name):
                _write_inventory(folder, after)
            if before is None:
                write_new(made / inv.DECLARATION, inv.DECLARATION_TEXT)
            sync_folders_below(made)

    def _commit(self, work: Path, item: str, *, new: bool) -> None:
        """Steps 2 to 4: the marker, then the renames that make the version count."""
        made, place = work / "object", self.root / layout.object_path(item)
        with told(place):
            self._shop.mark(work, item)
            if new:
                self._shop.put(made, place)
                return
            version = next(made.glob("v*"))
            version.rename(place / version.name)
            sync_folder(place)
            (made / inv.FILE).rename(place / inv.FILE)
            (made / inv.SIDECAR).rename(place / inv.SIDECAR)
            sync_folder(place)

    # --- the trash ----------------------------------------------------------------------------------------------------------------

    def trash(self, item: str, *, reason: str, at: str) -> None:
        """Move the whole object to the trash; raises NotFound. The same id may lie there several times."""
        place, bin_ = self.root / layout.object_path(item), self._shop.trash
        with self._shop.moving(), self._working(item) as work:
            self._get(item)
            with told(place):
                write_entry(work / "entry", item, reason, at)
                self._shop.mark(work, item)
                make_folders(bin_)
                entry = free_folder(bin_, item)
                (work / "entry").rename(entry)
                sync_folder(bin_)
                place.rename(entry / OBJECT)
                sync_folder(entry)
                self._shop.prune(place.parent)

    def trashed(self) -> Iterator[str]:
        """Ids of the objects in the trash, each once, by id."""
        yield from sorted({entry.item for entry in self.trash_entries()})

    def trash_entries(self) -> tuple[TrashEntry, ...]:
        """Everything in the trash, the oldest of one id first."""
        self.check_root()
        return read_entries(self._shop.trash)

    def untrash(self, item: str) -> None:
        """Bring back the object of this id that went to the trash last; raises NotFound, and Conflict when there is one in its place."""
        place = self.root / layout.object_path(item)
        with self._shop.moving(), self._working(item) as work:
            entries = [entry for entry in self.trash_entries() if entry.item == item]
            if not entries:
                raise NotFound(_("回收站里没有 %(item)s。", item=item))
            if self._find(item) is not None:
                raise Conflict(_("%(item)s：馆中已另有同号的对象，不能从回收站取回。", item=item))
            with told(place):
                self._shop.mark(work, item)
                self._shop.put(entries[-1].folder / OBJECT, place)
                sync_folder(entries[-1].folder)
                remove_tree(entries[-1].folder)

    def open_trashed(self, item: str, path: str) -> BinaryIO:
        """The bytes of a file of the object of this id that went to the trash last, as its head has it; raises NotFound."""
        entries = [entry for entry in self.trash_entries() if entry.item == item]
        place = entries[-1].folder / OBJECT if entries else None
        inventory = self._parse(place) if place else None
        if place is not None and inventory is not None:
            for digest, paths in inventory.versions[inventory.head].state.items():
                if path in paths:
                    with told(place):
                        return (place / inventory.manifest[digest][0]).open("rb")
        raise NotFound(_("回收站里没有 %(item)s。", item=item))

    def purgeable(self, older_than_days: int | None = None) -> tuple[str, ...]:
        """Ids that `purge` would take now, so that the caller can record them as reserved before they go."""
        return tuple(sorted({entry.item for entry in self._due(older_than_days)}))

    def purge(self, older_than_days: int | None = None) -> tuple[str, ...]:
        """Empty the trash for good and give the ids that went; with `older_than_days` only what went there longer ago."""
        gone: set[str] = set()
        for entry in self._due(older_than_days):
            with self._shop.moving(), self._working(entry.item) as work:
                if entry.folder.is_dir():  # else it was brought back, or purged by somebody else
                    self._purge(entry, work)
                    gone.add(entry.item)
        return tuple(sorted(gone))

    def _due(self, older_than_days: int | None) -> list[TrashEntry]:
        entries = list(self.trash_entries())
        if older_than_days is None:
            return entries
        limit = self._now() - timedelta(days=older_than_days)
        return [entry for entry in entries if entry.before(limit)]

    def _purge(self, entry: TrashEntry, work: Path) -> None:
        with told(entry.folder):
            entry.folder.rename(work / "purged")
            sync_folder(entry.folder.parent)
            remove_tree(work / "purged")

    # --- erasing ------------------------------------------------------------------------------------------------------------------

    def erase(self, item: str, changes: Mapping[str, bytes | None] | None = None, name: Callable[[str], str] | None = None) -> None:
        """Take content out of every version for good; raises NotFound. What the object has in the trash is purged.

        `changes` gives, by SHA-512, the bytes that stand in its place (None: the files are gone from the states that had them). Versions keep
        number, time, author and message; `name` gives each path, logical or of content, another. Without `changes` the whole object goes. The one exception to "versions never change": a backup
        notices and takes the object anew.
        """
        place = self.root / layout.object_path(item)
        with self._shop.moving(), self._working(item) as work:
            inventory = self._find(item)
            mine = [entry for entry in self.trash_entries() if entry.item == item]
            if inventory is None and not mine:
                raise NotFound(_("没有 %(item)s。", item=item))
            for entry in mine:
                self._purge(entry, work)
            if inventory is None:
                return
            with told(place):
                if changes is not None:
                    self._rebuild(work, inventory, changes, name or str)
                self._shop.mark(work, item)
                if changes is not None:
                    self._shop.replace_object(work, place)
                else:
                    self._shop.remove_object(work, place)

    def _rebuild(self, work: Path, inventory: inv.Inventory, changes: Mapping[str, bytes | None], name: Callable[[str], str]) -> None:
        """Build the object with other content as `work/object`; files that stay are linked, not copied."""
        unknown = changes.keys() - inventory.manifest.keys()
        if unknown:
            raise NotFound(_("%(item)s：对象中没有内容 %(digest)s。", item=inventory.id, digest=min(unknown)[:16]))
        now = {digest: None if data is None else digest_bytes(data).sha512 for digest, data in changes.items()}
        after = inv.renamed(inv.rewritten(inventory, now), name)
        made, place = work / "object", self.root / layout.object_path(inventory.id)
        for digest, paths in inventory.manifest.items():
            for path in paths if now.get(digest, digest) is not None else ():
                target = made / name(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                data = changes.get(digest)
                if data is None:
                    _link(place / path, target)
                else:
                    write_new(target, data)
        for version in range(1, inv.number(after.head) + 1):
            (made / f"v{version}").mkdir(parents=True, exist_ok=True)
            _write_inventory(made / f"v{version}", inv.as_of(after, version))
        _write_inventory(made, after)
        write_new(made / inv.DECLARATION, inv.DECLARATION_TEXT)
        sync_folders_below(made)

    # --- several at once, and crashes ---------------------------------------------------------------------------------------------

    def standing_still(self) -> contextlib.AbstractContextManager[None]:
        """For a backup: until the block ends no object goes to the trash, comes back, is purged or erased (they raise Busy).

        Versions may be added.
        """
        return self._shop.standing_still()

    def recover(self) -> tuple[str, ...]:
        """Mend what a crash left and say what was done; what a living process is at is left alone. Looks only at marked objects."""
        self.check_root()
        return self._shop.recover()

    @contextlib.contextmanager
    def _working(self, item: str) -> Iterator[Path]:
        self.check_root()
        with self._shop.working(item) as work:
            yield work

    # --- validation ---------------------------------------------------------------------------------------------------------------

    def validate(self, item: str, *, bytes_too: bool = True) -> Iterator[FixityProblem]:
        """What is wrong with an object, by OCFL code; raises NotFound. Structure is looked at under the object's lock, bytes are not."""
        self.check_root()
        place = self.root / layout.object_path(item)
        if not place.is_dir():
            raise NotFound(_("没有 %(item)s。", item=item))
        with contextlib.ExitStack() as held:
            # On a read-only disk there is no lock, and no writer either.
            with contextlib.suppress(StorageError):
                held.enter_context(self._shop.undisturbed(item))
            structure, content = validation.check_structure(item, place)
        yield from structure
        if bytes_too:
            yield from validation.check_bytes(item, place, content)

    def validate_root(self) -> Iterator[FixityProblem]:
        """What is wrong with the storage root outside its objects (their `item` is empty); a folder of an object being made may show as empty."""
        with told(self.root):
            yield from validation.check_hierarchy(self.root)


def _link(source: Path, target: Path) -> None:
    """The same content under a second name, or a copy where the file system knows no second names (exFAT)."""
    try:
        os.link(source, target)
    except OSError:
        copy_and_digest(source, target)


def _write_inventory(folder: Path, inventory: inv.Inventory) -> None:
    data = inv.encode(inventory)
    write_new(folder / inv.FILE, data)
    write_new(folder / inv.SIDECAR, inv.sidecar(data))


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
