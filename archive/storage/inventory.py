"""`inventory.json` of an OCFL 1.1 object: read, write, derive the next one. Pure values; files are the work of `ocfl`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from archive.storage.base import VersionInfo

TYPE = "https://ocfl.io/1.1/spec/#inventory"
ALGORITHM = "sha512"
FILE = "inventory.json"
SIDECAR = f"{FILE}.{ALGORITHM}"
DECLARATION = "0=ocfl_object_1.1"
DECLARATION_TEXT = b"ocfl_object_1.1\n"


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who made a version."""

    name: str
    address: str | None = None


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version: `state` is digest to logical paths."""

    created: str
    state: dict[str, list[str]]
    message: str | None = None
    user: User | None = None


class Inventory(msgspec.Struct, frozen=True, omit_defaults=True):
    """An inventory as it stands in the file; never changed after it was read (it is shared by readers)."""

    id: str
    type: str
    digestAlgorithm: str
    head: str
    manifest: dict[str, list[str]]
    versions: dict[str, Version]
    fixity: dict[str, dict[str, list[str]]] = {}
    contentDirectory: str = "content"


class Content(msgspec.Struct, frozen=True):
    """New content of a version: its content path inside the object, and SHA-256 where it is known."""

    path: str
    sha256: str | None = None


def decode(data: bytes) -> Inventory:
    """Read an inventory; raises msgspec.DecodeError (of which ValidationError is one)."""
    return msgspec.json.decode(data, type=Inventory)


def encode(inventory: Inventory) -> bytes:
    """The bytes of `inventory.json`."""
    return msgspec.json.format(msgspec.json.encode(inventory), indent=1) + b"\n"


def sidecar(data: bytes) -> bytes:
    """The bytes of the sidecar of an inventory with the bytes `data` (OCFL 1.1 §3.7)."""
    return f"{hashlib.sha512(data).hexdigest()} {FILE}\n".encode()


def sidecar_digest(data: bytes) -> str | None:
    """The digest that a sidecar states, None when it is not of the right form."""
    match = re.fullmatch(rb"([0-9a-fA-F]+)\s+inventory\.json\s*", data)
    return match[1].decode().lower() if match else None


def number(version: str) -> int:
    """3 for `v3` and `v0003`; raises ValueError."""
    match = re.fullmatch(r"v(\d+)", version, re.ASCII)
    if match is None:
        raise ValueError(version)
    return int(match[1])


def by_path(state: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """A state turned round: logical path to digest, by path."""
    return dict(sorted((path, digest) for digest, paths in state.items() for path in paths))


def by_digest(state: Mapping[str, str]) -> dict[str, list[str]]:
    """A state as the inventory writes it: digest to logical paths."""
    turned: dict[str, list[str]] = {}
    for path, digest in sorted(state.items()):
        turned.setdefault(digest, []).append(path)
    return turned


def version_info(name: str, version: Version) -> VersionInfo:
    """A version in the words of the port."""
    user = version.user.name if version.user else ""
    return VersionInfo(number(name), version.created, version.message or "", user, by_path(version.state))


def following(before: Inventory | None, item: str, version: Version, new: Mapping[str, Content]) -> Inventory:
    """The inventory after `version` was added to `before` (None: the first); `new` is its new content by SHA-512."""
    head = f"v{(number(before.head) if before else 0) + 1}"
    manifest = dict(before.manifest) if before else {}
    manifest.update({digest: [content.path] for digest, content in new.items()})
    fixity = {algorithm: dict(block) for algorithm, block in (before.fixity if before else {}).items()}
    for content in new.values():
        if content.sha256 is not None:
            block = fixity.setdefault("sha256", {})
            block[content.sha256] = [*block.get(content.sha256, []), content.path]
    versions = {**(before.versions if before else {}), head: version}
    return Inventory(item, TYPE, ALGORITHM, head, manifest, versions, fixity)


def rewritten(inventory: Inventory, instead: Mapping[str, str | None]) -> Inventory:
    """The inventory with other content: `instead` gives, by SHA-512, the SHA-512 of what stands in its place in every version (None: nothing)."""
    manifest: dict[str, list[str]] = {}
    for digest, paths in inventory.manifest.items():
        now = instead.get(digest, digest)
        if now is not None:
            manifest[now] = sorted([*manifest.get(now, []), *paths])
    versions = {}
    for name, version in inventory.versions.items():
        state = {path: now for path, digest in by_path(version.state).items() if (now := instead.get(digest, digest)) is not None}
        versions[name] = msgspec.structs.replace(version, state=by_digest(state))
    same = {path for digest, paths in inventory.manifest.items() if digest not in instead for path in paths}
    return msgspec.structs.replace(inventory, manifest=manifest, versions=versions, fixity=_fixity_of(inventory, same))


def renamed(inventory: Inventory, name: Callable[[str], str]) -> Inventory:
    """The inventory with other paths: `name` gives the new one of each logical and content path."""

    def all_of(block: Mapping[str, list[str]]) -> dict[str, list[str]]:
        return {digest: [name(path) for path in paths] for digest, paths in block.items()}

    versions = {number_: msgspec.structs.replace(version, state=all_of(version.state)) for number_, version in inventory.versions.items()}
    fixity = {algorithm: all_of(block) for algorithm, block in inventory.fixity.items()}
    return msgspec.structs.replace(inventory, manifest=all_of(inventory.manifest), versions=versions, fixity=fixity)


def as_of(inventory: Inventory, version: int) -> Inventory:
    """The inventory as it was when `version` was the head."""
    manifest = {
        digest: kept for digest, paths in inventory.manifest.items() if (kept := [p for p in paths if number(p.split("/")[0]) <= version])
    }
    versions = {name: made for name, made in inventory.versions.items() if number(name) <= version}
    kept_paths = {path for paths in manifest.values() for path in paths}
    return msgspec.structs.replace(
        inventory, head=f"v{version}", manifest=manifest, versions=versions, fixity=_fixity_of(inventory, kept_paths)
    )


def _fixity_of(inventory: Inventory, paths: set[str]) -> dict[str, dict[str, list[str]]]:
    fixity = {}
    for algorithm, block in inventory.fixity.items():
        kept = {digest: left for digest, listed in block.items() if (left := [path for path in listed if path in paths])}
        if kept:
            fixity[algorithm] = kept
    return fixity
