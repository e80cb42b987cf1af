"""`PrivateStore`: contacts, consents and personal registers, encrypted, and erasable for good.

Each entry is one file below `private/`. Neither its kind nor its name can be read from the file's name, which is an HMAC of both. The file holds

    FZP1 · 4 bytes length of the head · head · body

where head (JSON: kind, name, whether the body is JSON) and body are each 12 bytes of nonce followed by AES-256-GCM, bound to the file's name.
The key lies in `private/key` (mode 0600) or wherever the institution wants it; without it nothing here can be read again by anyone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.errors import NotFound, StorageError
from archive.language import _
from archive.storage.local import locked, make_folders, spare_name, sync_folder, told, write_all, write_new

_MAGIC = b"FZP1"
_NONCE = 12


class _Head(msgspec.Struct, frozen=True):
    kind: str
    name: str
    json: bool


class PrivateStore:
    """The private store in `folder`; `key_file` is `folder/key` when None."""

    def __init__(self, folder: Path, key_file: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.key_file = (key_file or folder / "key").absolute()
        self._keys: tuple[AESGCM, bytes] | None = None

    def init(self) -> None:
        """Make folder and key; nothing happens when they are there. A lost key is never replaced silently: raises StorageError."""
        with told(self.folder):
            make_folders(self.folder)
            self.folder.chmod(0o700)
            if self.key_file.exists():
                return
            if next(self._files(), None) is not None:
                raise self._no_key()
            make_folders(self.key_file.parent)
            # Linked, not renamed: of two processes that make a key in this moment, the first one's stays. A key is there whole or not at all.
            aside = spare_name(self.key_file)
            write_new(aside, base64.urlsafe_b64encode(os.urandom(32)) + b"\n", mode=0o600)
            with contextlib.suppress(FileExistsError):
                os.link(aside, self.key_file)
            aside.unlink()
            sync_folder(self.key_file.parent)

    def put(self, kind: str, name: str, data: bytes | Mapping[str, Any]) -> None:
        """Keep `data` (bytes, or a mapping of JSON values) as `name`; what stood there before is overwritten on the disk."""
        path = self._path(kind, name)
        plain = data if isinstance(data, bytes) else msgspec.json.encode(data)
        head = self._seal(msgspec.json.encode(_Head(kind, name, not isinstance(data, bytes))), path, b"head")
        sealed = _MAGIC + len(head).to_bytes(4, "big") + head + self._seal(plain, path, b"body")
        with locked(self.folder / "lock"), told(path):
            aside = spare_name(path)
            try:
                write_new(aside, sealed, mode=0o600)
                with _wiped(path):
                    aside.rename(path)
                    sync_folder(self.folder)
            finally:
                aside.unlink(missing_ok=True)

    def get(self, kind: str, name: str) -> bytes | dict[str, Any]:
        """What was put, in the form in which it was put; raises NotFound."""
        path = self._path(kind, name)
        try:
            with told(path):
                sealed = path.read_bytes()
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise NotFound(_("没有存过 %(kind)s “%(name)s”。", kind=kind, name=name)) from None
            raise
        head, end = self._head(sealed, path)
        body = self._open(sealed[end:], path, b"body")
        return msgspec.json.decode(body, type=dict[str, Any]) if head.json else body

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of a kind, sorted."""
        found = []
        for path in self._files():
            with told(path), path.open("rb") as stream:
                sealed = stream.read(len(_MAGIC) + 4)
                sealed += stream.read(int.from_bytes(sealed[len(_MAGIC) :], "big"))
            head, _end = self._head(sealed, path)
            if head.kind == kind:
                found.append(head.name)
        return tuple(sorted(found))

    def erase(self, kind: str, name: str) -> None:
        """Overwrite an entry and remove it; raises NotFound. Backups made earlier still hold it: make a new one and destroy those."""
        path = self._path(kind, name)
        with locked(self.folder / "lock"), told(path):
            if not path.exists():
                raise NotFound(_("没有存过 %(kind)s “%(name)s”。", kind=kind, name=name))
            with _wiped(path):
                path.unlink()
                sync_folder(self.folder)

    def _files(self) -> Iterator[Path]:
        with told(self.folder):
            yield from sorted(self.folder.glob("*.sealed"))

    def _path(self, kind: str, name: str) -> Path:
        _cipher, naming = self._load()
        digest = hmac.new(naming, f"{len(kind)}:{kind}{name}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return self.folder / f"{digest[:48]}.sealed"

    def _load(self) -> tuple[AESGCM, bytes]:
        if self._keys is None:
            with told(self.key_file):
                if not self.key_file.exists():
                    raise self._no_key()
                text = self.key_file.read_bytes()
            try:
                key = base64.urlsafe_b64decode(text.strip())
            except binascii.Error:
                key = b""
            if len(key) != 32:
                raise StorageError(_("%(path)s：不是本馆的密钥文件。请换回原来的密钥。", path=self.key_file))
            # One key in the file, a separate one for each use.
            self._keys = AESGCM(_derived(key, b"fangzhi private content")), _derived(key, b"fangzhi private names")
        return self._keys

    def _no_key(self) -> StorageError:
        return StorageError(
            _(
                "%(path)s：没有密钥，私密资料无法读写。请放回原来的密钥文件（备份里有），或检查 FANGZHI_PRIVATE_KEY_FILE。",
                path=self.key_file,
            )
        )

    def _seal(self, plain: bytes, path: Path, part: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._load()[0].encrypt(nonce, plain, path.name.encode() + part)

    def _open(self, sealed: bytes, path: Path, part: bytes) -> bytes:
        try:
            return self._load()[0].decrypt(sealed[:_NONCE], sealed[_NONCE:], path.name.encode() + part)
        except (InvalidTag, ValueError):
            raise StorageError(_("%(path)s：解不开（文件损坏，或密钥不对）。请检查密钥，或从备份恢复。", path=path)) from None

    def _head(self, sealed: bytes, path: Path) -> tuple[_Head, int]:
        """The head, and where the body begins."""
        start = len(_MAGIC) + 4
        end = start + int.from_bytes(sealed[len(_MAGIC) : start], "big")
        if not sealed.startswith(_MAGIC):
            raise StorageError(_("%(path)s：解不开（文件损坏，或密钥不对）。请检查密钥，或从备份恢复。", path=path))
        return msgspec.json.decode(self._open(sealed[start:end], path, b"head"), type=_Head), end


def _derived(key: bytes, use: bytes) -> bytes:
    return hmac.new(key, use, hashlib.sha256).digest()


@contextlib.contextmanager
def _wiped(path: Path) -> Iterator[None]:
    """Overwrite the bytes that `path` names now, once the block has taken the name away from them.

    On disks that never write in place (flash, copy-on-write) the old blocks may live on; they are encrypted all the same.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        yield
        return
    try:
        yield
        size = os.fstat(descriptor).st_size
        write_all(descriptor, os.urandom(size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
