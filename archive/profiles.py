"""Reads the definitions (`collections/`, overlaid by a home's `definitions/`) into profiles, vocabularies and holdings.

They are edited by archivists, so every fault of every file is gathered and told at once, with file, key and what was probably meant.
Nothing is cached: the caller keeps what it was given.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive import resources
from archive.errors import DefinitionsError
from archive.model.profile import Collection, Definitions, Field, FieldType, Profile, Term, Vocabulary

SHEET_COLUMNS = ("identifier", "files", "kind", "collection", "access", "embargo", "role")
"""Columns of an item sheet that are no field of a profile: the pipeline acts on them (`ingest.readers.headings`)."""
FOLDERS = ("profiles", "vocabularies", "holdings")
DIRECTIONS = ("ltr", "rtl")
_PROPERTIES = """abstract accessRights accrualMethod accrualPeriodicity accrualPolicy alternative audience available bibliographicCitation conformsTo
    contributor coverage created creator date dateAccepted dateCopyrighted dateSubmitted description educationLevel extent format hasFormat
    hasPart hasVersion identifier instructionalMethod isFormatOf isPartOf isReferencedBy isReplacedBy isRequiredBy issued isVersionOf language
    license mediator medium modified provenance publisher references relation replaces requires rights rightsHolder source spatial subject
    tableOfContents temporal title type valid"""
DUBLIN_CORE = frozenset(_PROPERTIES.split())
"""Properties of the namespace dcterms (DCMI Metadata Terms)."""

_STEM = re.compile(r"[a-z0-9][a-z0-9-]*")
_KEY = re.compile(r"[^\s.:;,/'\"]+")
_SYNTAX = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")
_FIELD_KEYS = tuple(f.name for f in dataclasses.fields(Field) if f.name != "key")
_KINDS: Mapping[type, str] = {str: "text", bool: "true or false", int: "a whole number", list: "a list", dict: "a table", float: "a number"}


def load_definitions(*folders: Path) -> Definitions:
    """What the shipped definitions say, overlaid by each of `folders` in turn: a file takes the place of an earlier one of the same name.

    A folder that is not there adds nothing. Raises DefinitionsError with all faults of all files.
    """
    faults: list[str] = []
    files = _gather(folders, faults)
    vocabularies = {stem: _vocabulary(stem, table) for stem, table in files["vocabularies"].items()}
    collections = {stem: _collection(stem, table) for stem, table in files["holdings"].items()}
    _check_tree(collections, files["holdings"])
    shared = {stem: table for stem, table in files["profiles"].items() if table.flag("shared")}
    profiles = {
        stem: _profile(stem, table, shared, vocabularies, collections) for stem, table in files["profiles"].items() if stem not in shared
    }
    for stem, table in shared.items():
        _check_shared(stem, table, vocabularies)
    for part in files.values():
        for table in part.values():
            faults += table.faults()
    if faults:
        raise DefinitionsError(tuple(dict.fromkeys(faults)))
    order = sorted(collections.values(), key=lambda c: (c.order, c.slug))
    return Definitions(profiles=profiles, vocabularies=vocabularies, collections={c.slug: c for c in order})


@functools.lru_cache(maxsize=4096)
def heading_key(written: str) -> str:
    """A heading as it is compared: full-width forms narrowed, letters lowered, white space gone."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", written)).casefold()


# Files


def _gather(folders: Iterable[Path], faults: list[str]) -> dict[str, dict[str, _Table]]:
    """The tables in force, by folder name and stem."""
    found: dict[str, dict[str, _Table]] = {name: {} for name in FOLDERS}
    shipped = resources.definitions()
    for root in (shipped, *(folder for folder in folders if folder.resolve() != shipped.resolve())):
        if not root.is_dir():
            continue
        prefix = "" if root == shipped else f"{root.name}/"
        faults += _misnamed(root, prefix)
        for name in FOLDERS:
            for path in sorted((root / name).glob("*.toml")):
                if path.name.startswith("."):
                    continue
                where = f"{prefix}{name}/{path.name}"
                if not _STEM.fullmatch(path.stem):
                    faults.append(f"{where}: the name of the file is the key: use a-z, 0-9 and '-' only")
                    continue
                data = _parse(path, where, faults)
                if data is not None:
                    found[name][path.stem] = _Table(where, data)
    return found


def _misnamed(root: Path, prefix: str) -> Iterable[str]:
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in FOLDERS:
            near = difflib.get_close_matches(folder.name, FOLDERS, 1)
            if near:
                yield f"{prefix}{folder.name}/: no folder of that name is read; did you mean {near[0]!r}?"


def _parse(path: Path, where: str, faults: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        match = _SYNTAX.fullmatch(str(error))
        text = f"line {match[2]}, column {match[3]}: {match[1]}" if match else str(error)
        faults.append(f'{where}: {text}. Texts stand in quotation marks "…", lists in [ ], a table\'s name in [ ] on a line of its own')
    except UnicodeDecodeError as error:
        faults.append(f"{where}: byte {error.start} is not UTF-8. Save the file as UTF-8")
    except OSError as error:
        faults.append(f"{where}: {error.strerror or error}")
    return None


# Reading one table, remembering its faults


class _Table:
    """A TOML table being read: gives values of the wanted type, remembers what was wrong, and which keys nobody asked for."""

    def __init__(self, where: str, data: dict[str, Any], path: str = "") -> None:
        self.where, self.data, self.path = where, data, path
        self._asked: dict[str, None] = {}
        self._faults: list[str] = []
        self._parts: dict[str, _Table] = {}
        self.field: Field | None = None
        """What a field's table was read as, when it stood by itself: four profiles share those of the core."""

    def expect(self, *keys: str) -> None:
        """Take these keys for known, though their value was not asked for."""
        self._asked.update(dict.fromkeys(keys))

    def fault(self, key: str, text: str) -> None:
        """Remember a fault of `key` of this table (of the table itself when empty)."""
        place = ".".join(part for part in (self.path, key) if part)
        self._faults.append(f"{self.where}: {place}: {text}" if place else f"{self.where}: {text}")

    def faults(self) -> list[str]:
        """All faults of this table and of those inside it, unknown keys included."""
        for key in self.data:
            if key not in self._asked:
                self.fault(key, "no such key" + _meant(key, self._asked))
                self._asked[key] = None
        return self._faults + [fault for part in self._parts.values() for fault in part.faults()]

    def get(self, key: str, wanted: type, default: Any) -> Any:
        """The value of `key` when it is of type `wanted`, else a fault and the default."""
        self._asked[key] = None
        value = self.data.get(key, default)
        if value is default:
            return default
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            found = _KINDS.get(type(value), type(value).__name__)
            self.fault(key, f"expected {_KINDS[wanted]}, found {found} ({value!r})")
            return default
        return value

    def text(self, key: str, *, required: bool = False) -> str:
        value = str(self.get(key, str, "")).strip()
        if required and not value and (key not in self.data or isinstance(self.data[key], str)):
            self.fault(key, "is missing: give a text" if key not in self.data else "is empty: give a text")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        return bool(self.get(key, bool, default))

    def number(self, key: str) -> int:
        return int(self.get(key, int, 0))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.get(key, list, [])
        for value in values:
            if not isinstance(value, str) or not value.strip():
                self.fault(key, f"expected a list of texts, found {value!r} in it")
        return tuple(value.strip() for value in values if isinstance(value, str) and value.strip())

    def table(self, key: str) -> _Table:
        """The table inside; an empty one when there is none."""
        if key not in self._parts:
            self._parts[key] = _Table(self.where, self.get(key, dict, {}), f"{self.path}.{key}".strip("."))
        return self._parts[key]

    def tables(self, key: str) -> list[_Table]:
        """The tables of a list, whose faults are told with their number from 1."""
        made = []
        for number, value in enumerate(self.get(key, list, []), 1):
            if isinstance(value, dict):
                part = _Table(self.where, value, f"{self.path}.{key}[{number}]".strip("."))
                self._parts[part.path] = part
                made.append(part)
            else:
                self.fault(key, f'number {number}: expected a table {{ value = "…" }}, found {value!r}')
        return made


def _meant(written: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(written, list(known), 1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


# Vocabularies and holdings


def _vocabulary(key: str, table: _Table) -> Vocabulary:
    terms = []
    seen: dict[str, int] = {}
    for number, part in enumerate(table.tables("terms"), 1):
        term = Term(part.text("value", required=True), part.text("label_en"), part.texts("names"), part.text("note"))
        for name in (term.value, *term.names):
            if name and seen.setdefault(name, number) != number:
                part.fault("", f"{name!r} is already a value or name of terms[{seen[name]}]")
        terms.append(term)
    return Vocabulary(
        key,
        table.text("label", required=True),
        table.text("label_en", required=True),
        tuple(terms),
        table.flag("open", True),
        table.text("note"),
    )


def _collection(slug: str, table: _Table) -> Collection:
    return Collection(
        slug,
        table.text("label", required=True),
        table.text("label_en", required=True),
        table.text("parent") or None,
        table.text("description"),
        table.text("description_en"),
        table.text("provenance"),
        table.number("order"),
    )


def _check_tree(collections: Mapping[str, Collection], tables: Mapping[str, _Table]) -> None:
    """Every parent exists and nobody is their own ancestor; a ring is told once, at its first member by name."""
    told: set[str] = set()
    for slug, collection in collections.items():
        if collection.parent and collection.parent not in collections:
            tables[slug].fault("parent", f"holding {collection.parent!r} does not exist{_meant(collection.parent, collections)}")
        ring = _ring(slug, collections)
        if ring and not told & set(ring):
            tables[slug].fault("parent", "is its own ancestor: " + " → ".join((*ring, slug)))
            told.update(ring)


def _ring(slug: str, collections: Mapping[str, Collection]) -> tuple[str, ...]:
    """The way from `slug` up to itself, or nothing."""
    way = [slug]
    while (parent := collections[way[-1]].parent) in collections:
        assert parent is not None
        if parent == slug:
            return tuple(way)
        if parent in way:
            return ()
        way.append(parent)
    return ()


# Profiles


@dataclass(frozen=True, slots=True)
class _Source:
    """A field's table, and the table of the same field in an included file that it is laid over."""

    table: _Table
    base: _Table | None = None

    def holder(self, key: str) -> _Table:
        """The table that says `key`; the upper one when neither does."""
        under = self.base is not None and key not in self.table.data and key in self.base.data
        return self.base if under and self.base is not None else self.table


def _fields_of(table: _Table) -> dict[str, _Table]:
    fields = table.table("fields")
    made = {}
    for key in fields.data:
        if not _KEY.fullmatch(key):
            fields.fault(key, "a key has no spaces, points or quotation marks")
        made[key] = fields.table(key)
    return made


def _sources(table: _Table, shared: Mapping[str, _Table]) -> dict[str, _Source]:
    """Fields by key: those of the included files first, in their order, then our own; ours of the same key is laid over theirs."""
    sources: dict[str, _Source] = {}
    for name in table.texts("include"):
        if name not in shared:
            table.fault("include", f"profiles/{name}.toml does not exist or does not say shared = true{_meant(name, shared)}")
            continue
        for key, part in _fields_of(shared[name]).items():
            sources[key] = _Source(part)
    for key, part in _fields_of(table).items():
        sources[key] = _Source(part, sources[key].table if key in sources else None)
    return sources


def _profile(
    key: str,
    table: _Table,
    shared: Mapping[str, _Table],
    vocabularies: Mapping[str, Vocabulary],
    collections: Mapping[str, Collection],
) -> Profile:
    sources = _sources(table, shared)
    fields = tuple(_field(name, source, vocabularies) for name, source in sources.items())
    _check_headings(fields, sources)
    direction = table.text("reading_direction") or "ltr"
    if direction not in DIRECTIONS:
        table.fault("reading_direction", f"{direction!r} is none of {', '.join(DIRECTIONS)}{_meant(direction, DIRECTIONS)}")
    collection = table.text("collection")
    if collection and collection not in collections:
        table.fault("collection", f"holding {collection!r} does not exist{_meant(collection, collections)}")
    profile = Profile(
        key,
        table.text("label", required=True),
        table.text("label_en", required=True),
        fields,
        table.text("date_field"),
        table.texts("derivatives"),
        table.table("layout").flag("notes"),
        direction,
        collection,
        table.text("note"),
        _examples(table, (*SHEET_COLUMNS, *sources)),
    )
    _check_date_field(profile, table)
    return profile


def _examples(table: _Table, known: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    examples = []
    for part in table.tables("examples"):
        part.expect(*known)
        examples.append({key: part.text(key) for key in part.data if key in known})
    return tuple(examples)


def _check_date_field(profile: Profile, table: _Table) -> None:
    if not profile.date_field:
        return
    field = profile.field(profile.date_field)
    if field is None:
        near = _meant(profile.date_field, (f.key for f in profile.fields))
        table.fault("date_field", f"field {profile.date_field!r} does not exist{near}")
    elif field.type is not FieldType.DATE:
        table.fault("date_field", f"field {field.key!r} is of type {field.type.value!r}, not 'date'")


def _field(key: str, source: _Source, vocabularies: Mapping[str, Vocabulary]) -> Field:
    if source.base is not None:
        return _read_field(key, source, vocabularies)
    if source.table.field is None:
        source.table.field = _read_field(key, source, vocabularies)
    return source.table.field


def _read_field(key: str, source: _Source, vocabularies: Mapping[str, Vocabulary]) -> Field:
    def text(name: str, required: bool = False) -> str:
        return source.holder(name).text(name, required=required)

    vocabulary = text("vocabulary")
    if vocabulary and vocabulary not in vocabularies:
        source.holder("vocabulary").fault("", f"vocabulary {vocabulary!r} does not exist{_meant(vocabulary, vocabularies)}")
    field = Field(
        key=key,
        label=text("label", required=True),
        label_en=text("label_en", required=True),
        type=_type(source, bool(vocabulary)),
        term=_term(source),
        vocabulary=vocabulary or None,
        repeatable=source.holder("repeatable").flag("repeatable"),
        facet=source.holder("facet").flag("facet"),
        searchable=source.holder("searchable").flag("searchable", True),
        staff_only=source.holder("staff_only").flag("staff_only"),
        headings=source.holder("headings").texts("headings"),
        note=text("note"),
        example=text("example"),
        required=source.holder("required").flag("required"),
        extended=source.holder("extended").flag("extended"),
    )
    if field.staff_only and field.facet:
        source.table.fault("facet", "a field that only staff may see cannot be a facet")
    for part in (source.table, source.base):  # each may say what the other said
        if part is not None:
            part.expect(*_FIELD_KEYS)
    return field


def _type(source: _Source, has_vocabulary: bool) -> FieldType:
    table = source.holder("type")
    written = table.text("type") or ("vocabulary" if has_vocabulary else "text")
    known = [type_.value for type_ in FieldType]
    if written not in known:
        table.fault("type", f"{written!r} is none of {', '.join(known)}{_meant(written, known)}")
        return FieldType.TEXT
    if (written == "vocabulary") is not has_vocabulary:
        table.fault("type", 'a vocabulary needs its name: vocabulary = "…"' if not has_vocabulary else f"{written!r} takes no vocabulary")
    return FieldType(written)


def _term(source: _Source) -> str:
    table = source.holder("term")
    term = table.text("term")
    if not term:
        return ""
    space, _, name = term.partition(":")
    if space != "dcterms" or name not in DUBLIN_CORE:
        near = difflib.get_close_matches(name or space, DUBLIN_CORE, 1)
        table.fault("term", f"{term!r} is no Dublin Core term" + (f"; did you mean 'dcterms:{near[0]}'?" if near else ""))
    return term


def _check_headings(fields: Iterable[Field], sources: Mapping[str, _Source]) -> None:
    """No two fields of a profile answer to one heading."""
    taken: dict[str, tuple[str, str]] = {}
    for field in fields:
        for written in (field.label, field.label_en, field.key, *field.headings):
            key = heading_key(written)
            owner, first = taken.setdefault(key, (field.key, written))
            if key and owner != field.key:
                sources[field.key].table.fault("headings", f"{written!r} is already a heading of fields.{owner} ({first!r})")


def _check_shared(stem: str, table: _Table, vocabularies: Mapping[str, Vocabulary]) -> None:
    """A shared file is checked by itself too, so that its faults are told though no profile includes it."""
    table.text("label"), table.text("label_en"), table.text("note")
    sources = {key: _Source(part) for key, part in _fields_of(table).items()}
    _check_headings([_field(key, source, vocabularies) for key, source in sources.items()], sources)
