"""`ObjectStore` (versioned objects): the port of storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of one version of an object: logical `path`, `sha512`, `size` in bytes."""

    path: str
    sha512: str
    size: int


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version: number from 1, UTC time, message, who made it, the state (logical path to sha512)."""

    number: int
    created: str
    message: str
    user: str
    state: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FixityProblem:
    """What `validate` found wrong. `code` is OCFL's (E0xx, W0xx) or ours; `path` the content path inside the object."""

    item: str
    path: str
    code: str
    message: str


class ObjectStore(Protocol):
    """Objects with versions; every call is safe against a crash at any moment, and a reader never sees half a version."""

    def head(self, item: str) -> int | None:
        """Number of the newest version, None when there is no such object."""

    def items(self) -> Iterator[str]:
        """Ids of all objects, in no promised order; the trash is not among them."""

    def versions(self, item: str) -> tuple[VersionInfo, ...]:
        """All versions, oldest first; raises NotFound."""

    def files(self, item: str, version: int | None = None) -> tuple[StoredFile, ...]:
        """Files of a version (the head when None), by path; raises NotFound."""

    def open(self, item: str, path: str, version: int | None = None) -> BinaryIO:
        """The bytes of a file; raises NotFound."""

    def local_path(self, item: str, path: str, version: int | None = None) -> Path:
        """Where the bytes lie on this machine, for decoders and range requests (read only); raises NotFound."""

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
        """Make the next version whose state is exactly `state`, and give its number.

        Values: a Path is moved in when it lies on the same file system below the store's staging area, else copied; bytes are written;
        a str is the sha512 of content the object already holds. `known` gives sha512 by logical path for Paths already digested (they
        are not read again). Makes no version when the head already has this state (gives the head). Raises Conflict when
        `expect_head` (0 for none) is not the head, DiskFull and StorageError otherwise; nothing is left that looks whole.
        """

    def validate(self, item: str, *, bytes_too: bool = True) -> Iterator[FixityProblem]:
        """What is wrong with an object: structure, inventories and, with `bytes_too`, the digest of every content file."""

    def validate_root(self) -> Iterator[FixityProblem]:
        """What is wrong with the storage root itself: its declaration, its layout, things that are no objects."""

    def trash(self, item: str, *, reason: str, at: str) -> None:
        """Move the whole object to the trash; its id stays known to `trashed`."""

    def trashed(self) -> Iterator[str]:
        """Ids of the objects in the trash."""

    def untrash(self, item: str) -> None:
        """Bring an object back from the trash."""

    def open_trashed(self, item: str, path: str) -> BinaryIO:
        """The bytes of a file of the object of this id that went to the trash last, as its head has it; raises NotFound."""

    def purgeable(self, older_than_days: int | None = None) -> tuple[str, ...]:
        """Ids that `purge` would take now, so that the caller can record them as reserved before they go."""

    def purge(self, older_than_days: int | None = None) -> tuple[str, ...]:
        """Empty the trash for good and give the ids that went."""

    def erase(self, item: str, changes: Mapping[str, bytes | None] | None = None, name: Callable[[str], str] | None = None) -> None:
        """Take content out of every version for good, by SHA-512 what stands in its place (None: nothing); without `changes` the whole object.

        `name` gives each path another name. What the object has in the trash goes too. Raises NotFound, Busy during a backup.
        """

    def recover(self) -> tuple[str, ...]:
        """Mend what a crash left (roll forward a version whose own inventory stands, clear leavings); give what was done, in words."""
