"""What is being written: locks, work folders and markers, and how everything is mended after a crash.

A *work folder* in the staging area, named after the lock it belongs to, holds what is not yet part of any object. A *marker* in the storage
root's `extensions/fangzhi-inflight/` names the object that is being touched; it lies there, not in the staging area, because that may be
deleted at any time and a copy of the originals must be mendable too. Whoever holds the lock and finds either knows that its maker is dead.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec

from archive.errors import Busy, StorageError
from archive.language import _
from archive.storage import inventory as inv
from archive.storage import layout, trash
from archive.storage.local import locked, make_folders, overwrite, remove_tree, sync_folder, told, write_new

log = logging.getLogger(__name__)


class _Marker(msgspec.Struct, frozen=True):
    item: str


class Workshop:
    """The writing side of the storage root `root`, with its work folders in `staging`."""

    def __init__(self, root: Path, staging: Path) -> None:
        self.root, self.staging = root, staging
        self.trash = root / "extensions" / "fangzhi-trash"
        self.inflight = root / "extensions" / "fangzhi-inflight"
        self._works = staging / "ocfl" / "work"
        self._locks = staging / "ocfl" / "locks"

    def recover(self) -> tuple[str, ...]:
        """Mend what a crash left and say what was done; what a living process is at is left alone. Looks only at marked objects."""
        done: list[str] = []
        for stripe in sorted({token[:2] for token in self._tokens()}):
            with contextlib.suppress(Busy), locked(self._locks / stripe, wait=False):
                done += self._mend(stripe)
        return tuple(done)

    @contextlib.contextmanager
    def working(self, item: str) -> Iterator[Path]:
        """The lock of the object, what a crash left under it mended, and an empty work folder that is gone afterwards."""
        stripe = _stripe(item)
        with locked(self._locks / stripe):
            for line in self._mend(stripe):
                log.warning("%s", line)
            work = self._works / f"{stripe}-{uuid.uuid4().hex}"
            with told(work):
                work.mkdir(parents=True)
            try:
                yield work
            except BaseException:
                # What cannot be mended now (a full disk, say) keeps its marker for the next to hold the lock.
                with contextlib.suppress(OSError, StorageError):
                    self._mend(stripe)
                raise
            with told(work):
                self._clear(work)

    def undisturbed(self, item: str) -> contextlib.AbstractContextManager[None]:
        """For reading an object as a whole: nobody writes it until the block ends."""
        return locked(self._locks / _stripe(item), shared=True)

    def mark(self, work: Path, item: str) -> None:
        """Note durably that `item` is being touched; to be called before anything of it or of its trash changes."""
        make_folders(self.inflight)
        write_new(self.inflight / f"{work.name}.json", msgspec.json.encode(_Marker(item)))
        sync_folder(self.inflight)

    def _clear(self, work: Path) -> None:
        for folder in (self.old(work), work / "erased"):
            if folder.exists():
                _wipe(folder)
        (self.inflight / f"{work.name}.json").unlink(missing_ok=True)
        remove_tree(work)

    def _tokens(self) -> list[str]:
        """Names of work folders and markers, those of living processes among them."""
        names: set[str] = set()
        for folder in (self._works, self.inflight):
            with told(folder), contextlib.suppress(FileNotFoundError):
                names.update(path.name.partition(".")[0] for path in folder.iterdir())
        return sorted(names)

    def _mend(self, stripe: str) -> list[str]:
        """Mend and clear everything under a lock that is held: whatever is found there, nobody is at it any more."""
        done: list[str] = []
        for token in self._tokens():
            if not token.startswith(f"{stripe}-"):
                continue
            work, marker = self._works / token, self.inflight / f"{token}.json"
            with told(work):
                # A marker is on the disk before anything of its object changes: one that cannot be read stands for nothing done.
                with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
                    done += self._settle(msgspec.json.decode(marker.read_bytes(), type=_Marker).item, work)
                done += _give_back(work)
                self._clear(work)
        return done

    def _settle(self, item: str, work: Path) -> list[str]:
        """Bring one object that was being written or moved to a whole state."""
        done: list[str] = []
        for folder in trash.folders_of(self.trash, item):
            if not (folder / trash.OBJECT).exists():
                remove_tree(folder)
        place, old = self.root / layout.object_path(item), self.old(work)
        if old.is_dir() and not place.is_dir():
            # `replace_object` was cut off between its two renames. The new object was whole by then, unless staging was deleted since.
            self.put(work / "object" if (work / "object").is_dir() else old, place)
        if not place.is_dir():
            self.prune(place.parent)
            return done
        whole = {inv.number(folder.name): data for folder in place.glob("v*") if (data := _whole_version(folder, item)) is not None}
        if not whole:
            return done
        newest = max(whole)
        root, sidecar = place / inv.FILE, place / inv.SIDECAR
        if _head(root) > newest:  # a damaged version, which no crash of ours leaves: for `validate` to name, not for us to touch
            return done
        for folder in place.glob("v*"):
            if inv.number(folder.name) > newest:  # no crash of ours leaves this; a disk that lied about fsync may
                aside = self.staging / "ocfl" / "aside" / f"{work.name}-{folder.name}"
                make_folders(aside.parent)
                folder.rename(aside)
                done.append(_("%(item)s：不完整的版本 %(version)s 移到了 %(place)s。", item=item, version=folder.name, place=aside))
        if not root.exists() or root.read_bytes() != whole[newest]:
            replace_into(root, whole[newest], self.staging)
            done.append(_("%(item)s：补完了第 %(version)d 版。", item=item, version=newest))
        if not sidecar.exists() or sidecar.read_bytes() != inv.sidecar(whole[newest]):
            replace_into(sidecar, inv.sidecar(whole[newest]), self.staging)
        return done

    def prune(self, folder: Path) -> None:
        """Remove empty folders from `folder` upwards: a storage hierarchy must hold none (E073)."""
        while folder != self.root and folder.is_relative_to(self.root):
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = folder.parent

    def put(self, folder: Path, place: Path) -> None:
        """Rename a whole object into its place, durably."""
        for attempt in range(20):
            try:
                make_folders(place.parent)
                folder.rename(place)
                break
            except FileNotFoundError:
                # Whoever moved the last other object out of the parent has removed the empty parent in between.
                if attempt == 19 or not folder.exists():
                    raise
        sync_folder(place.parent)

    def old(self, work: Path) -> Path:
        """Where an object lies while it is being replaced: in the root, because staging may be deleted at any time."""
        return self.inflight / f"{work.name}.old"

    def replace_object(self, work: Path, place: Path) -> None:
        """Put `work/object` where the object at `place` was; what the old one held alone is overwritten. To be called after `mark`."""
        place.rename(self.old(work))
        sync_folder(self.inflight)
        self.put(work / "object", place)
        _wipe(self.old(work))

    def remove_object(self, work: Path, place: Path) -> None:
        """Remove the object at `place`, overwriting its files. To be called after `mark`."""
        place.rename(work / "erased")
        self.prune(place.parent)
        _wipe(work / "erased")

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """For a backup: until the block ends no object goes to the trash, comes back or is purged (they raise Busy). Versions may be added."""
        with locked(self._locks / "moves", wait=False, busy=_("另一个备份正在进行，或正在移动、清除对象。请稍后再备份。")):
            yield

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        """For all but adding versions: raises Busy while a backup stands still."""
        with locked(self._locks / "moves", shared=True, wait=False, busy=_("正在备份，此时不能移动或清除对象。请等备份结束。")):
            yield


def _stripe(item: str) -> str:
    """Name of the lock of an object: one of 256 files, so that locks need not be removed. Two objects of one lock wait for each other."""
    return hashlib.sha256(item.encode()).hexdigest()[:2]


def replace_into(path: Path, data: bytes, staging: Path) -> None:
    """`replace`, with the file written in `staging`: an object's folder must never hold a file of ours (E001)."""
    aside = staging / "ocfl" / f"part-{uuid.uuid4().hex}"
    try:
        write_new(aside, data)
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def _wipe(folder: Path) -> None:
    """Remove a folder, overwriting files that have no other name. (Disks that never write in place may keep the old blocks for a while.)"""
    for path in folder.rglob("*"):
        facts = path.lstat()
        if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1:
            overwrite(path)
    remove_tree(folder)


def _give_back(work: Path) -> list[str]:
    """Move files that were on their way in back to where the caller had staged them."""
    try:
        moves: dict[str, str] = msgspec.json.decode((work / "moves.json").read_bytes(), type=dict[str, str])
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return []
    back = 0
    for inside, source in moves.items():
        if (work / inside).exists() and not Path(source).exists():
            Path(source).parent.mkdir(parents=True, exist_ok=True)
            (work / inside).rename(source)
            back += 1
    return [_("退回了 %(count)d 个没有存完的文件到暂存区。", count=back)] if back else []


def _head(path: Path) -> int:
    """The head that an inventory names, 0 when it cannot be read."""
    try:
        return inv.number(inv.decode(path.read_bytes()).head)
    except (OSError, ValueError):  # msgspec's errors are ValueErrors
        return 0


def _whole_version(folder: Path, item: str) -> bytes | None:
    """The bytes of a version's own inventory when it agrees with its sidecar, the object and the version; else None."""
    try:
        data, sidecar = (folder / inv.FILE).read_bytes(), (folder / inv.SIDECAR).read_bytes()
        inventory = inv.decode(data)
    except (OSError, msgspec.DecodeError):
        return None
    agrees = sidecar == inv.sidecar(data) and inventory.id == item and inventory.head == folder.name
    return data if agrees else None
