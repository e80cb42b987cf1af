"""Is an OCFL object what its inventory says? Problems by the codes of the OCFL 1.1 validation tables (E0xx, W0xx).

Our own reading of the standard, so that an audit streams and needs no test tool; in the tests ocfl-py judges the same objects.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from archive.errors import StorageError
from archive.language import _
from archive.storage import inventory as inv
from archive.storage import layout
from archive.storage.base import FixityProblem
from archive.storage.digests import sha512_file
from archive.storage.local import told

_SHA512 = re.compile(r"[0-9a-fA-F]{128}")

_Say = Callable[[str, str, str], None]
"""Notes a problem: code, path, message."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Content whose bytes are still to be read: content path to SHA-512, and to other digests by algorithm."""

    sha512: Mapping[str, str]
    fixity: Mapping[str, Mapping[str, str]]


def check_structure(item: str, place: Path) -> tuple[list[FixityProblem], Expected]:
    """Everything but the bytes of content: declaration, folders, inventories and their sidecars, states, missing and extra content."""
    problems: list[FixityProblem] = []

    def say(code: str, path: str, message: str) -> None:
        problems.append(FixityProblem(item, path, code, message))

    try:
        inventory = _read(place, "", say)
        if inventory is None:
            _check_declaration(place, say)
            return problems, Expected({}, {})
        _check_declaration(place, say)
        _check_root(place, inventory, say)
        _check_inventory(item, inventory, say)
        _check_versions(place, inventory, say)
        _check_presence(place, inventory, say)
    except OSError as error:
        say("E033", str(error.filename or ""), _("读不出：%(why)s。请检查磁盘。", why=error.strerror or str(error)))
        return problems, Expected({}, {})
    missing = {problem.path for problem in problems if problem.code == "E092"}
    keyed = {path: digest for digest, paths in inventory.manifest.items() for path in paths if path not in missing}
    fixity: dict[str, dict[str, str]] = {}
    for algorithm, block in inventory.fixity.items():
        for digest, paths in block.items():
            for path in paths:
                fixity.setdefault(path, {})[algorithm] = digest
    return problems, Expected(keyed, fixity)


def check_bytes(item: str, place: Path, content: Expected) -> Iterator[FixityProblem]:
    """Read every content file and compare its digests."""
    for path, expected in content.sha512.items():
        try:
            found = sha512_file(place / path)
            if found != expected.lower():
                message = _(
                    "%(path)s：内容与清单不符（应为 %(expected)s…，实为 %(found)s…）。请从备份恢复。",
                    path=path,
                    expected=expected[:16],
                    found=found[:16],
                )
                yield FixityProblem(item, path, "E092", message)
            for algorithm, digest in content.fixity.get(path, {}).items():
                actual = _other_digest(place / path, algorithm)
                if actual is not None and actual != digest.lower():
                    message = _("%(path)s：%(algorithm)s 与清单的 fixity 不符。请从备份恢复。", path=path, algorithm=algorithm)
                    yield FixityProblem(item, path, "E093", message)
        except StorageError as error:
            if not place.is_dir():
                return  # the object went to the trash meanwhile
            yield FixityProblem(item, path, "E092", _("%(path)s：读不出（%(why)s）", path=path, why=error))


def _other_digest(path: Path, algorithm: str) -> str | None:
    """A digest by the name that OCFL gives it, None for an algorithm we do not know. The file was just read: it comes from memory."""
    if algorithm not in ("md5", "sha1", "sha256", "sha512", "blake2b-512"):
        return None
    with told(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm.removesuffix("-512")).hexdigest()


def check_hierarchy(root: Path) -> Iterator[FixityProblem]:
    """What is wrong with a storage root outside its objects: declaration, layout, stray and empty folders, objects in the wrong place."""
    declaration = root / layout.ROOT_DECLARATION
    if not declaration.is_file() or declaration.read_bytes() != layout.ROOT_DECLARATION_TEXT:
        yield FixityProblem("", layout.ROOT_DECLARATION, "E069", _("原件库没有 OCFL 1.1 的声明，或声明的内容不对。"))
    for name in (layout.LAYOUT_FILE, f"extensions/{layout.NAME}/config.json"):
        if not (root / name).is_file():
            yield FixityProblem("", name, "E070", _("%(path)s：原件库缺了这个文件。", path=name))
    for folder, folders, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        if inside == Path():
            folders[:] = [name for name in folders if name != "extensions"]
        elif not folders and not files:
            yield FixityProblem("", inside.as_posix(), "E073", _("%(path)s：空文件夹。", path=inside.as_posix()))
        elif inv.DECLARATION in files:
            folders.clear()
            yield from _check_place(root, inside)
        elif files:
            folders.clear()
            yield FixityProblem("", inside.as_posix(), "E072", _("%(path)s：原件库里有不属于任何对象的文件。", path=inside.as_posix()))


def _check_place(root: Path, inside: Path) -> Iterator[FixityProblem]:
    try:
        item = inv.decode((root / inside / inv.FILE).read_bytes()).id
    except (OSError, msgspec.DecodeError):
        return  # `check_structure` says so
    if layout.object_path(item) != inside:
        yield FixityProblem(
            item,
            inside.as_posix(),
            "misplaced",
            _("%(item)s：应在 %(place)s，却在 %(path)s。", item=item, place=layout.object_path(item), path=inside),
        )


def _read(place: Path, version: str, say: _Say) -> inv.Inventory | None:
    """One inventory and its sidecar; None after saying why when it cannot be used."""
    folder = place / version if version else place
    name = f"{version}/{inv.FILE}" if version else inv.FILE
    try:
        data = (folder / inv.FILE).read_bytes()
    except FileNotFoundError:
        say("W010" if version else "E063", name, _("%(path)s：没有清单。", path=name))
        return None
    try:
        inventory = inv.decode(data)
    except msgspec.DecodeError as error:
        say("E033", name, _("%(path)s：清单无法读取（%(why)s）。", path=name, why=error))
        return None
    sidecar = f"{name}.{inventory.digestAlgorithm}"
    if inventory.digestAlgorithm not in ("sha512", "sha256"):
        say("E025", name, _("%(path)s：摘要算法 %(algorithm)s 不被允许。", path=name, algorithm=inventory.digestAlgorithm))
        return None
    try:
        stated = inv.sidecar_digest((place / sidecar).read_bytes())
    except FileNotFoundError:
        say("E058", sidecar, _("%(path)s：没有清单的摘要文件。", path=sidecar))
        return inventory
    if stated is None:
        say("E061", sidecar, _("%(path)s：摘要文件的格式不对。", path=sidecar))
    elif stated != hashlib.new(inventory.digestAlgorithm, data).hexdigest():
        say("E060", name, _("%(path)s：清单与它的摘要文件不符。", path=name))
    return inventory


def _check_declaration(place: Path, say: _Say) -> None:
    declaration = place / inv.DECLARATION
    if not declaration.is_file():
        say("E003", inv.DECLARATION, _("没有 OCFL 1.1 的对象声明。"))
    elif declaration.read_bytes().rstrip(b"\r\n") != b"ocfl_object_1.1":
        say("E007", inv.DECLARATION, _("对象声明的内容不对。"))


def _check_root(place: Path, inventory: inv.Inventory, say: _Say) -> None:
    usual = {inv.DECLARATION, inv.FILE, f"{inv.FILE}.{inventory.digestAlgorithm}", "logs", "extensions"}
    names = {entry.name for entry in os.scandir(place)}
    for name in sorted(names - usual - inventory.versions.keys()):
        code = "E046" if re.fullmatch(r"v\d+", name) else "E001"
        say(code, name, _("对象文件夹里有不属于它的 %(name)s。", name=name))
    for name in sorted(inventory.versions.keys() - names):
        say("E046", name, _("版本文件夹 %(name)s 不见了。", name=name))


def _check_inventory(item: str, inventory: inv.Inventory, say: _Say) -> None:
    """What an inventory must be by itself."""
    if inventory.id != item:
        say("E037", inv.FILE, _("清单写的是另一个对象 %(other)s。", other=inventory.id))
    if inventory.type != inv.TYPE:
        say("E038", inv.FILE, _("清单的类型不是 OCFL 1.1：%(type)s。", type=inventory.type))
    try:
        numbers = sorted(inv.number(name) for name in inventory.versions)
    except ValueError as error:
        say("E046", inv.FILE, _("版本名不对：%(name)s。", name=error))
        return
    if not numbers:
        say("E008", inv.FILE, _("清单里没有版本。"))
        return
    if numbers != list(range(1, len(numbers) + 1)):
        say("E010", inv.FILE, _("版本号不连续：%(numbers)s。", numbers=numbers))
    if inventory.head not in inventory.versions or inv.number(inventory.head) != numbers[-1]:
        say("E040", inv.FILE, _("head 不是最新的版本：%(head)s。", head=inventory.head))
    _check_manifest(inventory, say)
    used: set[str] = set()
    for name, version in inventory.versions.items():
        used |= version.state.keys()
        _check_version(name, version, inventory.manifest, say)
    for digest in sorted(inventory.manifest.keys() - used):
        say("E107", inv.FILE, _("清单里的内容 %(digest)s… 没有版本使用。", digest=digest[:16]))


def _check_manifest(inventory: inv.Inventory, say: _Say) -> None:
    paths = [path for listed in inventory.manifest.values() for path in listed]
    for path, count in Counter(paths).items():
        parts = path.split("/")
        if count > 1:
            say("E101", path, _("%(path)s：在清单里列了不止一次。", path=path))
        if any(part in ("", ".", "..") for part in parts):
            say("E099", path, _("%(path)s：不是合法的内容路径。", path=path))
        elif len(parts) < 3 or parts[0] not in inventory.versions or parts[1] != inventory.contentDirectory:
            say("E042", path, _("%(path)s：不在版本的内容文件夹里。", path=path))
    if inventory.digestAlgorithm == "sha512":
        for digest in inventory.manifest:
            if not _SHA512.fullmatch(digest):
                say("E025", inv.FILE, _("%(digest)s：不是 SHA-512。", digest=digest[:40]))


def _check_version(name: str, version: inv.Version, manifest: Mapping[str, list[str]], say: _Say) -> None:
    for digest in version.state.keys() - manifest.keys():
        say("E050", inv.FILE, _("%(version)s：状态里的 %(digest)s… 不在清单中。", version=name, digest=digest[:16]))
    paths = [path for listed in version.state.values() for path in listed]
    whole = set(paths)
    if len(whole) != len(paths):
        say("E095", inv.FILE, _("%(version)s：同一路径出现了两次。", version=name))
    for path in paths:
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts):
            say("E052", inv.FILE, _("%(version)s：%(path)s 不是合法的路径。", version=name, path=path))
        if any("/".join(parts[:end]) in whole for end in range(1, len(parts))):
            say("E095", inv.FILE, _("%(version)s：%(path)s 的上级既是文件又是文件夹。", version=name, path=path))
    try:
        dated = datetime.fromisoformat(version.created).tzinfo is not None
    except ValueError:
        dated = False
    if not dated:
        say("E049", inv.FILE, _("%(version)s：时间 %(created)s 不合 RFC 3339。", version=name, created=version.created))
    if version.user is not None and not version.user.name:
        say("E054", inv.FILE, _("%(version)s：没有写是谁做的。", version=name))


def _check_versions(place: Path, inventory: inv.Inventory, say: _Say) -> None:
    """Each version's own inventory: the newest equals the root's, the others say the same of the versions they know."""
    for name in inventory.versions:
        folder = place / name
        if not folder.is_dir():
            continue
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            if entry.name not in (inventory.contentDirectory, inv.FILE, f"{inv.FILE}.sha512", f"{inv.FILE}.sha256"):
                say("E015", f"{name}/{entry.name}", _("版本文件夹里有不属于它的 %(name)s。", name=f"{name}/{entry.name}"))
        if name == inventory.head:
            own = folder / inv.FILE
            if own.exists() and own.read_bytes() != (place / inv.FILE).read_bytes():
                say("E064", f"{name}/{inv.FILE}", _("%(version)s 的清单与对象的清单不同。", version=name))
                continue
        own_inventory = _read(place, name, say)
        if own_inventory is None or name == inventory.head:
            continue
        if own_inventory.id != inventory.id:
            say("E037", f"{name}/{inv.FILE}", _("清单写的是另一个对象 %(other)s。", other=own_inventory.id))
        if own_inventory.head != name:
            say("E040", f"{name}/{inv.FILE}", _("head 不是最新的版本：%(head)s。", head=own_inventory.head))
        for earlier, version in own_inventory.versions.items():
            now = inventory.versions.get(earlier)
            if now is None or (
                own_inventory.digestAlgorithm == inventory.digestAlgorithm and inv.by_path(version.state) != inv.by_path(now.state)
            ):
                say("E066", f"{name}/{inv.FILE}", _("%(version)s 的清单对 %(earlier)s 的说法与现在不同。", version=name, earlier=earlier))


def _check_presence(place: Path, inventory: inv.Inventory, say: _Say) -> None:
    """Content that is listed but not there, and the other way round."""
    listed = {path for paths in inventory.manifest.values() for path in paths}
    there: set[str] = set()
    for name in inventory.versions:
        content = place / name / inventory.contentDirectory
        for folder, folders, files in os.walk(content):
            inside = Path(folder).relative_to(place).as_posix()
            if not folders and not files:
                say("E024", inside, _("%(path)s：空文件夹。", path=inside))
            there |= {f"{inside}/{file}" for file in files}
            for link in (f for f in folders if Path(folder, f).is_symlink()):
                say("E090", f"{inside}/{link}", _("%(path)s：是链接。", path=f"{inside}/{link}"))
    for path in sorted(listed - there):
        say("E092", path, _("%(path)s：文件不见了。请从备份恢复。", path=path))
    for path in sorted(there - listed):
        say("E023", path, _("%(path)s：不在清单中的多余文件。", path=path))
    for block in inventory.fixity.values():
        for paths in block.values():
            for path in sorted(set(paths) - listed):
                say("E093", path, _("%(path)s：fixity 提到了清单里没有的文件。", path=path))
