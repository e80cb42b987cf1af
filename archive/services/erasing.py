"""Erasing for good: bytes and words out of every version of an object. The one exception to "versions never change", for what the law or a promise demands."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archive.derivatives.store import DerivativeStore
from archive.errors import NotFound, UsageError
from archive.language import _
from archive.model.decision import Decisions
from archive.model.identifiers import is_item_id, parse_file_key
from archive.model.item import Item, MediaFile, MediaKind
from archive.services import objects
from archive.storage.base import ObjectStore, VersionInfo
from archive.storage.private import PrivateStore

_UNMARKED = ("utf-8", "gb18030", "big5")
_WIDE = ("utf-16-le", "utf-16-be")
_WORDS = frozenset({MediaKind.TEXT, MediaKind.DOCUMENT})
"""Kinds of originals that are searched for a name."""
_OPAQUE = {MediaKind.DOCUMENT, MediaKind.PDF, MediaKind.ARCHIVE, MediaKind.OTHER}
_FILLER = "某"
_MEMBER_BYTES = 256 << 20
"""A larger member of a zip is left to a person."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure touched: `kind` `item`, `file` or `person`; items; and (item, path) of files that a program cannot look into."""

    kind: str
    items: tuple[str, ...]
    left: tuple[tuple[str, str], ...] = ()
    file: str = ""
    """Of a file: its id, and below the timed texts that came from it."""
    tracks: frozenset[str] = frozenset()


def erase(store: ObjectStore, derivatives: DerivativeStore, thing: str) -> Erased:
    """Erase an item by its id, a file by its key, else a person by the name; raises NotFound when there is nothing of it."""
    if thing.startswith(objects.PAPERS):
        return _paper(store, thing)
    if is_item_id(thing) and (store.head(thing) is not None or thing in set(store.trashed())):
        return _item(store, derivatives, thing)
    try:
        item, file, _part = parse_file_key(thing)
    except UsageError:
        return _person(store, thing)
    return _file(store, derivatives, item, file)


def _item(store: ObjectStore, derivatives: DerivativeStore, item: str) -> Erased:
    described = objects.read_object(store, item).described if store.head(item) is not None else objects.read_trashed(store, item)
    store.erase(item)
    _drop_derivatives(store, derivatives, described.files)
    return Erased("item", (item,), tuple(_named_in_papers(store, described)))


def _named_in_papers(store: ObjectStore, item: Item) -> Iterator[tuple[str, str]]:
    """Sheets of the donation that name the item: a person must say whether they go as well (`fangzhi erase papers:ACCESSION/PATH`)."""
    papers = f"{objects.PAPERS}{item.accession}"
    if store.head(papers) is None:
        return
    words = [word for word in (item.title, item.id) if len(word) > 1]
    for path in sorted({path for info in store.versions(papers) for path in objects.originals_of(info.state)}):
        found = (info.number for info in store.versions(papers) if path in info.state)
        if any(redact(data, word) != data for number in found for data in [_bytes(store, papers, path, number)] for word in words):
            yield f"{papers}/{path.removeprefix('originals/')}", path


def _paper(store: ObjectStore, thing: str) -> Erased:
    """A sheet or other paper of a donation, by `papers:ACCESSION/PATH`."""
    papers, _slash, path = thing.partition("/")
    logical = f"originals/{path}"
    if store.head(papers) is None:
        raise NotFound(_("没有编号为 %(id)s 的条目。", id=papers))
    digests = {info.state[logical] for info in store.versions(papers) if logical in info.state}
    if not digests:
        raise NotFound(_("条目 %(item)s 没有文件 %(file)s。", item=papers, file=path))
    store.erase(papers, dict.fromkeys(digests))
    return Erased("file", (papers,))


def _bytes(store: ObjectStore, item: str, path: str, version: int) -> bytes:
    with store.open(item, path, version) as stream:
        return stream.read()


def _drop_derivatives(store: ObjectStore, derivatives: DerivativeStore, files: tuple[MediaFile, ...]) -> None:
    wanted = {file.sha512 for file in files}
    for other in objects.item_ids(store):
        wanted -= set(store.versions(other)[-1].state.values())
    for sha512 in wanted:
        derivatives.remove(sha512)


def _file(store: ObjectStore, derivatives: DerivativeStore, item: str, file_id: str) -> Erased:
    if store.head(item) is None:
        raise NotFound(_("没有编号为 %(id)s 的条目。", id=item))
    changes: dict[str, bytes | None] = {}
    gone: dict[str, MediaFile] = {}
    tracks: set[str] = set()
    for info in store.versions(item):
        described = objects.read_object(store, item, info.number).described
        tracks |= {track.id for track in described.tracks if file_id in (track.media, track.file)}
        for file in described.files:
            if file.id == file_id:
                changes[file.sha512] = None
                gone[file.sha512] = file
        rest = without_file(described, file_id)
        decisions = _decisions(store, item, info).without_recording(file_id, tracks)
        again = objects.metadata_files(rest, decisions, objects.read_object(store, item, info.number).donation, ())
        for path in (objects.ITEM, objects.TEXTS, objects.DECISIONS):
            if path in info.state:
                changes[info.state[path]] = again.get(path)
        if objects.EVENTS in info.state:
            changes[info.state[objects.EVENTS]] = _without_lines(store, item, info, gone)
    if not gone:
        raise NotFound(_("条目 %(item)s 没有文件 %(file)s。", item=item, file=file_id))
    store.erase(item, changes)
    _drop_derivatives(store, derivatives, tuple(gone.values()))
    return Erased("file", (item,), file=file_id, tracks=frozenset(tracks))


def _decisions(store: ObjectStore, item: str, info: VersionInfo) -> Decisions:
    return objects.read_object(store, item, info.number).decisions


def _without_lines(store: ObjectStore, item: str, info: VersionInfo, gone: Mapping[str, MediaFile]) -> bytes:
    with store.open(item, objects.EVENTS, info.number) as stream:
        return b"".join(line for line in stream if not any(sha512.encode() in line for sha512 in gone))


def without_file(item: Item, file_id: str) -> Item:
    """The item without a file and everything read from or shown of it."""
    pages = tuple(
        replace(page, texts=tuple(text for text in page.texts if text.file != file_id))
        for page in item.pages
        if page.image is None or page.image.file != file_id
    )
    return replace(
        item,
        files=tuple(replace(f, version_of=None) if f.version_of == file_id else f for f in item.files if f.id != file_id),
        pages=pages,
        tracks=tuple(t for t in item.tracks if file_id not in (t.media, t.file)),
        segments=tuple(s for s in item.segments if s.media != file_id),
    )


def _person(store: ObjectStore, name: str) -> Erased:
    name = name.strip()
    if len(name) < 2:
        raise UsageError(_("%(name)s 太短，会误伤。请写全名。", name=name))
    touched, left = [], []
    for item in sorted(store.items()):
        changes: dict[str, bytes | None] = {}
        seen: set[str] = set()
        for info in store.versions(item):
            closed = _without_words(store, item, info.number)
            for path, digest in info.state.items():
                if digest not in seen and path not in closed:
                    seen.add(digest)
                    data = _bytes(store, item, path, info.number)
                    if (new := redact(data, name)) != data:
                        changes[digest] = new
        if changes or any(name in path for info in store.versions(item) for path in info.state):
            left += list(_opaque(store, item, name))
            changes |= _new_digests(store, item, changes)
            store.erase(item, changes, lambda path: path.replace(name, _FILLER * len(name)))
            touched.append(item)
    return Erased("person", tuple(touched), tuple(left))


def _without_words(store: ObjectStore, item: str, version: int) -> frozenset[str]:
    """Paths of images, recordings and the like, which are not searched for a name: four bytes that spell one by chance would cost a picture."""
    if item.startswith(objects.PAPERS):
        return frozenset()
    files = objects.read_object(store, item, version).described.files
    return frozenset(file.path for file in files if file.kind not in _WORDS)


def redact(data: bytes, name: str) -> bytes:
    """`data` with the name replaced by as many 某, where it is text in an encoding donors use; in the members of workbooks and papers (zip files) too.

    Read as text and written back, never byte against byte: in a file of another kind, or across two characters, the bytes may stand by chance.
    """
    if data.startswith(b"PK\x03\x04"):
        return _redact_packed(data, name)
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if name in text:
            return text.replace(name, _FILLER * len(name)).encode(encoding)
    return data


def _encodings(data: bytes) -> tuple[str, ...]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16-le",) if data.startswith(b"\xff\xfe") else ("utf-16-be",)
    return _UNMARKED if b"\0" not in data else _WIDE


def _redact_packed(data: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    changed = False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w") as new:
            for member in old.infolist():
                if member.file_size > _MEMBER_BYTES:
                    return data
                before = old.read(member)
                after = redact(before, name)
                changed = changed or after != before or name in member.filename
                member.filename = member.filename.replace(name, _FILLER * len(name))
                new.writestr(member, after, member.compress_type)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):  # damaged, encrypted, of another kind
        return data
    return packed.getvalue() if changed else data


def redact_values(value: Any, name: str) -> Any:
    """A JSON value with the name replaced in every string of it."""
    if isinstance(value, str):
        return value.replace(name, _FILLER * len(name))
    if isinstance(value, Mapping):
        return {redact_values(key, name): redact_values(inner, name) for key, inner in value.items()}
    return [redact_values(inner, name) for inner in value] if isinstance(value, (list, tuple)) else value


def erase_private(private: PrivateStore, name: str) -> int:
    """Entries of the private store that name a person are removed whole; how many."""
    count = 0
    for kind in ("contact", "registration", "report-contact"):
        for entry in private.names(kind):
            held = private.get(kind, entry)
            named = redact(held, name) != held if isinstance(held, bytes) else redact_values(held, name) != held
            if named or name in entry:
                private.erase(kind, entry)
                count += 1
    return count


def _new_digests(store: ObjectStore, item: str, changes: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """`item.json` of each version must name the new digests of originals that changed."""
    import hashlib

    renamed = {old: hashlib.sha512(new).hexdigest() for old, new in changes.items() if new is not None}
    more: dict[str, bytes | None] = {}
    for info in store.versions(item):
        for path in (objects.ITEM, objects.EVENTS):
            digest = info.state.get(path)
            if digest is None:
                continue
            with store.open(item, path, info.number) as stream:
                data = changes.get(digest) or stream.read()
            for old, new in renamed.items():
                data = data.replace(old.encode(), new.encode())
            more[digest] = data
    return more


def _opaque(store: ObjectStore, item: str, name: str) -> Iterator[tuple[str, str]]:
    """Files whose text was taken out by a program and held the name: their bytes hold it still."""
    if item.startswith(objects.PAPERS):
        return
    described = objects.read_object(store, item).described
    named = any(name in text.text for page in described.pages for text in page.texts)
    for file in described.files:
        if file.kind in _OPAQUE and named:
            yield item, file.received
