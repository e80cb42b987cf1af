"""Checks what a donor says about his files: BagIt manifests, `manifest-sha256.txt`, `SHA256SUMS`, `NAME.md5` beside a file.

Needs digested files: sha512 and sha256 are taken from them, md5 and sha1 are worked out here because old bags have nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from archive.language import _
from archive.model.donation import Finding, Severity
from ingest.readers.plain_text import decode
from ingest.task import GivenFile

_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_MANIFEST = re.compile(
    r"(?:tag)?manifest-(md5|sha1|sha256|sha512)\.txt|(md5|sha1|sha256|sha512)sums?(?:\.txt)?|(?:.+)\.(md5|sha1|sha256|sha512)",
    re.IGNORECASE,
)
_BAG_TAGS = frozenset(("bagit.txt", "bag-info.txt", "fetch.txt"))
_LINE = re.compile(r"^\\?([0-9a-fA-F]{32,128})\s+[*]?(.+?)\s*$")


@dataclass(frozen=True, slots=True)
class Checked:
    """Paths of the manifests and bag tags that were read, and what does not agree."""

    paths: frozenset[str]
    findings: tuple[Finding, ...]


def check_manifests(files: Sequence[GivenFile]) -> Checked:
    """Compare the files of a donation with the manifests among them."""
    by_path = {file.path: file for file in files if not file.litter}
    manifests = {path: algorithm for path, file in by_path.items() if file.location and (algorithm := _algorithm(path))}
    bags = {path.rpartition("/")[0] for path in by_path if path.rpartition("/")[2] == "bagit.txt"}
    tags = {path for path in by_path if path.rpartition("/")[2] in _BAG_TAGS and path.rpartition("/")[0] in bags}
    findings: list[Finding] = []
    read = set(tags)
    covered: dict[str, set[str]] = {}
    for path, algorithm in manifests.items():
        entries = dict(_entries(by_path[path], algorithm))
        if not entries:
            continue
        read.add(path)
        folder = path.rpartition("/")[0]
        if "tagmanifest" not in path.rpartition("/")[2]:
            covered.setdefault(folder, set()).update(_resolve(name, folder, by_path) for name in entries)
        findings += _compare(path, entries, algorithm, by_path)
    findings += _extra(covered, bags, by_path)
    return Checked(frozenset(read), tuple(findings))


def names_sha256(path: str) -> bool:
    """True for a list that states SHA-256, so that it is best worked out while the files are read anyway."""
    return _algorithm(path) == "sha256"


def _algorithm(path: str) -> str:
    match = _MANIFEST.fullmatch(path.rpartition("/")[2])
    return next((group.lower() for group in match.groups() if group), "") if match else ""


def _entries(file: GivenFile, algorithm: str) -> Iterator[tuple[str, str]]:
    """Name to digest; a file of one bare digest is about its namesake."""
    if file.location is None or file.size > 256 << 20:
        return
    text = decode(file.location.read_bytes()).text
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and len(match[1]) == _LENGTHS[algorithm]:
            yield unquote(match[2]).removeprefix("./").replace("\\", "/"), match[1].lower()
        elif re.fullmatch(r"[0-9a-fA-F]+", line.strip()) and len(line.strip()) == _LENGTHS[algorithm]:
            yield file.path.rpartition("/")[2].rpartition(".")[0], line.strip().lower()


def _resolve(name: str, folder: str, by_path: Mapping[str, GivenFile]) -> str:
    path = f"{folder}/{name}" if folder else name
    return path if path in by_path or name not in by_path else name


def _digest(file: GivenFile, algorithm: str) -> str:
    if algorithm == "sha512":
        return file.sha512
    if algorithm == "sha256":
        return file.sha256 or (_hash(file.location, algorithm) if file.location else "")
    return _hash(file.location, algorithm) if file.location else ""


def _hash(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _compare(manifest: str, entries: Mapping[str, str], algorithm: str, by_path: Mapping[str, GivenFile]) -> Iterator[Finding]:
    folder, _slash, name = manifest.rpartition("/")
    for entry, expected in entries.items():
        path = _resolve(entry, folder, by_path)
        file = by_path.get(path)
        if file is None:
            message = _("%(manifest)s 里列有这个文件，捐赠里没有。请向捐赠者补要。", manifest=name)
            yield Finding(Severity.WARNING, "fixity-missing", path, message, path)
        elif file.location is not None and (found := _digest(file, algorithm)) and found != expected:
            message = _(
                "%(algorithm)s 与 %(manifest)s 不符（应为 %(expected)s…，实为 %(found)s…）。文件可能在复制时损坏，请捐赠者另交一份。",
                algorithm=algorithm.upper(),
                manifest=name,
                expected=expected[:8],
                found=found[:8],
            )
            yield Finding(Severity.WARNING, "fixity-mismatch", path, message, path)


def _extra(covered: Mapping[str, set[str]], bags: set[str], by_path: Mapping[str, GivenFile]) -> Iterator[Finding]:
    """Files that a bag holds and no manifest of it names; outside bags a manifest need not name everything."""
    for bag in bags & covered.keys():
        payload = f"{bag}/data/" if bag else "data/"
        for path in by_path:
            if path.startswith(payload) and path not in covered[bag]:
                message = _("在 BagIt 包里，清单却没有列它，无从核对。请与捐赠者核对。")
                yield Finding(Severity.WARNING, "fixity-extra", path, message, path)
