"""What travels through the pipeline: the files given, the sheets read, one draft for each item, and the plan of a whole donation."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive.derivatives.base import Probe
from archive.model.donation import Donation, Finding
from archive.model.item import Item


class Fate(enum.Enum):
    """How a file of a donation ends. Every regular file ends as exactly one; an archive once and each member once."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class GivenFile:
    """One regular file as given. `path` is inside the donation with forward slashes, as written on the disk; a member of an archive is `a.zip/inner/x.png`.

    `location` is where its bytes can be read now (None for a member that was refused before unpacking); `litter` Thumbs.db and the like.
    `sha512`, `sha256` and `probe` are filled by `receive` and `identify`.
    """

    path: str
    location: Path | None
    size: int
    mtime_ns: int
    member_of: str | None = None
    litter: bool = False
    refused: str = ""
    """Finding code when the walk itself refused it (`link`, `unreadable`, `unsafe-name`, `bomb`)."""
    sha512: str = ""
    sha256: str = ""
    probe: Probe | None = None


class SheetRole(enum.Enum):
    """How a table of a donor's sheet is read, told by its headings."""

    ITEMS = "items"
    PAGES = "pages"
    CATALOGUE = "catalogue"  # records that name no files
    REGISTRATION = "registration"  # 捐赠登记: about the donation itself
    NOTES = "notes"  # a 说明 sheet
    DOCUMENT = "document"  # a roster, an inventory: given, never metadata


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One cell as text, trimmed; `row` and `column` count from 1 as the spreadsheet does."""

    text: str
    row: int
    column: int
    excel_date: bool = False
    """Excel made a date of it; the printed form is lost."""


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A heading as written and the field it stands for (a field key, or one of `files`, `identifier`, `parent`, `page-image`, `page-order`, `page-text`, `juan`,
    `ce`, `ye`, `side`, `page-label`, `section`, `role`, `access`, `embargo`, `kind`, `collection`, `title` …); None: unknown, reported once."""

    column: int
    written: str
    field: str | None


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the spreadsheet and its cells by field."""

    number: int
    cells: Mapping[str, SheetCell]

    def text(self, field: str) -> str:
        """The text of a field, empty when there is none."""
        cell = self.cells.get(field)
        return cell.text if cell else ""


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One table (a sheet of a workbook, a CSV). `path` is the file inside the donation, `sheet` the name of the tab (empty for CSV)."""

    path: str
    sheet: str
    role: SheetRole
    columns: tuple[SheetColumn, ...] = ()
    rows: tuple[SheetRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    title: str = ""
    """Title line above the table, if any."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What `donation.toml` or 捐赠登记.xlsx says, empty when there is neither. `paths` are the files it was read from.

    `defaults` keys: `kind`, `collection`, `access`, `rights_status` … `donation.accession` is empty when none was given.
    """

    donation: Donation
    defaults: Mapping[str, str] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    sheets: Mapping[str, SheetRole] = field(default_factory=dict)
    """How the archivist wants sheets read: role by path inside the donation, by name, or by `path[tab]`."""


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """One item on its way. `item` has provisional ids; `sources` maps its file ids to paths inside the donation."""

    item: Item
    sources: Mapping[str, str]
    sheet: str | None = None
    row: int | None = None
    findings: tuple[Finding, ...] = ()
    refused: bool = False
    """A fault of its row keeps it out; its files are refused with it."""


@dataclass(frozen=True, slots=True)
class FileFate:
    """How one file ends, the key of the item it went to, and for a duplicate the path or file key it equals."""

    fate: Fate
    item: str | None = None
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do with a donation. `readings` says how each sheet was read, in words, for the top of the report."""

    donation: Donation
    drafts: tuple[ItemDraft, ...]
    fates: Mapping[str, FileFate]
    findings: tuple[Finding, ...]
    readings: tuple[str, ...] = ()
    contact: Mapping[str, str] = field(default_factory=dict)
    """The donor's contact as given: goes to the private store and nowhere else."""
    registrations: tuple[str, ...] = ()
    """The files that the registration was read from; where they hold a contact, they go to the private store with it."""
