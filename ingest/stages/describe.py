"""Sheet rows and files to items: which files each row means, what the others are, what is missing, double or clashing.

`plan` makes nothing and changes nothing: the same plan is shown by `check` and carried out by `run`.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol, TypeVar

from archive.errors import DecodeError
from archive.language import _
from archive.model.dates import HistoricalDate
from archive.model.donation import Donation, Finding, Severity
from archive.model.folios import Folio
from archive.model.identifiers import derived_item_id, is_item_id, item_id_from, parse_file_key
from archive.model.item import FileRole, Item
from archive.model.profile import Definitions, Field, Profile
from archive.model.rights import Audience, Embargo, Rights
from ingest.drafting import Drafted, PageRow, draft, is_fatal, parse_ce, parse_juan, parse_leaf
from ingest.grouping import (
    Group,
    folder_of,
    home_of,
    is_contents_file,
    is_image,
    is_text,
    is_timed,
    is_whole_text,
    name_of,
    propose,
    stems_of,
)
from ingest.naming import Names, split_names, title_form
from ingest.readers.checksums import check_manifests
from ingest.readers.order import base_of, common_folder, natural_key, plain, split_name, split_side
from ingest.readers.personal import personal_finding, personal_numbers
from ingest.readers.plain_text import read_text
from ingest.readers.registration import read_audience
from ingest.readers.sheet import reading
from ingest.readers.years import read_date
from ingest.task import Fate, FileFate, GivenFile, ItemDraft, Plan, Registration, SheetRole, SheetRow, SheetTable

K = TypeVar("K")


class ArchiveView(Protocol):
    """What planning must know of the archive as it stands."""

    def known_item(self, accession: str, key: str) -> str | None:
        """Id of the item that (accession, key) made before, None when there is none."""

    def holders_of(self, sha512: str) -> Sequence[str]:
        """File keys (`ITEM.f3`) of all items that hold these bytes; withdrawn and trashed ones are left out."""


class NoArchive:
    """An empty archive: for a check without a home, and for tests."""

    def known_item(self, accession: str, key: str) -> str | None:
        return None

    def holders_of(self, sha512: str) -> Sequence[str]:
        return ()


def plan(
    files: Sequence[GivenFile],
    tables: Sequence[SheetTable],
    registration: Registration,
    definitions: Definitions,
    *,
    folder_name: str,
    archive: ArchiveView | None = None,
) -> Plan:
    """What a run would do with the digested and probed `files` of the donation folder named `folder_name`. Every file gets one fate."""
    return _Planner(files, tables, registration, definitions, folder_name, archive or NoArchive()).plan()


@dataclass(slots=True, eq=False)
class _Claim:
    """One item on its way: its row (None for one that no row describes), its files and its page list."""

    key: str
    title: str
    files: list[GivenFile] = field(default_factory=list)
    home: str = ""
    disc: bool = False
    table: SheetTable | None = None
    row: SheetRow | None = None
    identifier: str = ""
    pages: list[PageRow] = field(default_factory=list)
    roles: dict[str, FileRole] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    refused: bool = False
    clashes: bool = False
    mixed: Audience | None = None
    rights: dict[str, Rights] = field(default_factory=dict)
    """By path, what a row of its own says about who may see a version."""
    """The widest audience of the rows of a page list that differ in it."""
    reach: dict[str, int] = field(default_factory=dict)
    """How closely the row named each file: by itself, or by a folder so many levels deep."""
    twins: list[GivenFile] = field(default_factory=list)
    """Loose files that no row names, with the bytes of one of `files`."""

    def take(self, files: Iterable[GivenFile]) -> None:
        have = {file.path for file in self.files}
        for file in files:
            if file.path not in have:
                have.add(file.path)
                self.files.append(file)

    @property
    def group(self) -> Group:
        return Group(self.key, self.title, tuple(sorted(self.files, key=lambda f: natural_key(f.path))), self.disc, self.home)


FAULT_WORDS = {
    "truncated": "文件不完整，只能读出一部分。请捐赠者另交一份。",
    "damaged": "文件有损坏，只能读出一部分。请捐赠者另交一份。",
    "bomb": "解开后过大，疑为恶意文件，没有收。确有其事，请换一种格式交来。",
    "encrypted": "文件有密码，读不出内容，照原样保存。请向捐赠者要密码，或另交一份不加密的。",
    "empty": "文件是空的（0 字节），没有收。请捐赠者另交一份。",
    "unknown-format": "认不出格式，照原样保存，不能显示。请注明用什么软件打开，或另交一份常用格式。",
    "active-content": "含宏或脚本，照原样保存，不会运行；只供馆员下载。",
    "timeout": "读取用时过长，没有读完，照原样保存。请核对文件，或另交一份。",
    "memory": "读取所需内存过大，没有读完，照原样保存。请另交一份较小的。",
    "crash": "读取时解码程序出错，照原样保存。请核对文件，或另交一份。",
    "mislabelled": "扩展名与内容不符，已按内容识别。不必改名；若不是您要交的文件，请更换。",
}


REFUSED_WORDS = {
    "truncated": "文件不完整，读不出来，没有收。请捐赠者另交一份。",
    "damaged": "文件已损坏，读不出来，没有收。请捐赠者另交一份。",
    "active-content": "含会读取别的文件的脚本或引用，不安全，没有收。请另存为普通格式后重交。",
    "timeout": "读取用时过长，读不完，没有收。请核对文件，或另交一份。",
    "memory": "读取所需内存过大，没有收。请另交一份较小的。",
    "crash": "读取时解码程序出错，没有收。请核对文件，或另交一份。",
}
"""What is said of a fault that refuses the file, where it differs from the words for one that does not."""


def _role_of(written: str, definitions: Definitions) -> FileRole | None:
    """The role that a word of the column 用途 means."""
    values = {
        "母本": FileRole.MASTER,
        "服务本": FileRole.SERVICE,
        "印刷用": FileRole.PRINT,
        "文字": FileRole.TEXT,
        "附件": FileRole.ATTACHMENT,
    }
    vocabulary = definitions.vocabularies.get("file-roles")
    term = vocabulary.term(written) if vocabulary else None
    word = term.value if term else written
    return values.get(word) or next((role for role in FileRole if role.value == word.lower()), None)


class _Planner:
    """Plans one donation; each method is one question, asked in the order of `plan`."""

    def __init__(
        self,
        files: Sequence[GivenFile],
        tables: Sequence[SheetTable],
        registration: Registration,
        definitions: Definitions,
        folder: str,
        archive: ArchiveView,
    ) -> None:
        self.files, self.tables, self.registration = list(files), list(tables), registration
        self.definitions, self.folder, self.archive = definitions, folder, archive
        self.donation = registration.donation
        self.findings: list[Finding] = []
        self.claims: list[_Claim] = []
        self.sheets_describe = False
        self.consumed: set[str] = set()
        self.claimed: set[str] = set()
        self.personal: set[str] = set()
        self.at_top: set[str] = set()
        self.bare_rows: dict[tuple[str, str], tuple[SheetTable, list[SheetRow]]] = {}
        self.strange: dict[tuple[str, str, str], tuple[SheetTable, Field, dict[str, list[SheetRow]]]] = {}

    def plan(self) -> Plan:
        self.name_donation()
        self.set_aside()
        free = [f for f in self.files if f.path not in self.consumed and f.location is not None and not f.litter and not f.refused]
        self.find_personal(free)
        self.names = Names(free)
        self.at_top = {file.path for file in free if not home_of(file.path)}
        for table in self.tables:
            if table.role in (SheetRole.ITEMS, SheetRole.CATALOGUE):
                for row in table.rows:
                    self.claim_row(table, row)
        self.settle_identifiers()
        for table in self.tables:
            if table.role is SheetRole.PAGES:
                self.claim_pages(table)
        self.settle_keys()
        self.nearest_rows()
        self.companions(free)
        self.share()
        self.orphans([file for file in free if file.path not in self.claimed])
        drafts = self.drafts()
        fates = self.fates(drafts)
        self.fault_findings()
        self.gathered()
        self.same_pages(drafts)
        contact = self.registration.contact
        table_findings = [finding for table in self.tables for finding in table.findings]
        findings = (*self.registration.findings, *table_findings, *self.findings, *(f for d in drafts for f in d.findings))
        return Plan(self.donation, tuple(drafts), fates, findings, self.readings(), contact)

    # The donation

    def name_donation(self) -> None:
        if self.donation.accession:
            return
        head = item_id_from(re.sub(r"[^\x20-\x7e]+", "-", self.folder)) or ""
        tail = derived_item_id("", self.folder).rsplit("-", 1)[-1][:6]
        accession = f"x-{head[:30]}-{tail}" if head else f"x-{tail}"
        self.donation = replace(self.donation if self.donation.donor else Donation(""), accession=accession, provisional=True)
        message = _(
            "没有入藏登记号，暂用 %(accession)s（由文件夹名得出）。请在 donation.toml 写 accession，或填捐赠登记.xlsx；文件夹改名而没有登记号，就成了另一批。",
            accession=accession,
        )
        self.findings.append(Finding(Severity.WARNING, "no-accession", self.folder, message))

    def set_aside(self) -> None:
        """Sheets, registration, manifests and archives that were looked into are accepted, but are no items."""
        self.consumed |= set(self.registration.paths)
        roles: dict[str, set[SheetRole]] = {}
        for table in self.tables:
            roles.setdefault(table.path, set()).add(table.role)
        described = {SheetRole.ITEMS, SheetRole.PAGES, SheetRole.CATALOGUE, SheetRole.REGISTRATION}
        self.consumed |= {path for path, found in roles.items() if found & described}
        self.consumed |= {file.member_of for file in self.files if file.member_of}
        checked = check_manifests(self.files)
        self.consumed |= checked.paths
        self.findings += checked.findings

    def readings(self) -> tuple[str, ...]:
        tabs = Counter(table.path for table in self.tables)
        return tuple(reading(table, tabs[table.path] > 1) for table in self.tables)

    def find_personal(self, files: Sequence[GivenFile]) -> None:
        """Files with ID and telephone numbers; those of sheets the reader has found already."""
        told = {f.path for table in self.tables for f in table.findings if f.code == "personal-numbers" and f.path}
        self.personal |= told
        for file in files:
            if file.path in told or is_fatal(file):
                continue
            finding = personal_finding(file.path, Counter(personal_numbers(_words_of(file))))
            if finding is not None:
                self.personal.add(file.path)
                self.findings.append(finding)

    # Rows

    def claim_row(self, table: SheetTable, row: SheetRow) -> None:
        """The item that a row describes, with the files it means."""
        identifier, title = row.text("identifier"), row.text("title")
        claim = _Claim("", title, table=table, row=row, identifier=identifier)
        claim.refused = any(f.severity is Severity.ERROR and f.row == row.number for f in table.findings)
        cell = row.text("files") or row.text("page-image")
        if cell:
            self.claim_named(claim, table, cell)
        else:
            self.claim_called(claim, identifier, title, table.role is SheetRole.ITEMS)
        role = self.role(claim, table, row)
        if role is not None:
            claim.roles |= {file.path: role for file in claim.files}
        if not title:
            name = claim.home.rsplit("/", 1)[-1] if claim.home else (split_name(name_of(claim.files[0]))[0] if claim.files else self.folder)
            claim.title = f"[{name}]"
        claim.disc = any(re.search(r"(?:^|/)(?:VIDEO_TS|MPEGAV|AVCHD|BDMV)/", f.path, re.IGNORECASE) for f in claim.files)
        if not claim.key:
            claim.key = identifier or title or f"{table.path}#{row.number}"
        if identifier:
            claim.key = identifier
        self.claims.append(claim)

    def claim_named(self, claim: _Claim, table: SheetTable, cell: str) -> None:
        near = folder_of(table.path)
        whole = self.names.find(cell, near)
        parts = [(cell, whole)] if whole.files else [(name, self.names.find(name, near)) for name in split_names(cell)]
        for name, found in parts:
            if not found.files:
                self.missing(claim, table, claim.row, "files", name)
            elif found.ambiguous:
                message = _("“%(name)s”有好几个同名文件，取了 %(path)s。请写出文件夹。", name=name, path=found.files[0].path)
                claim.findings.append(self.at(Severity.WARNING, "file-ambiguous", message, table, claim.row, "files"))
            claim.take(found.files)
            depth = _BY_ITSELF if len(found.files) == 1 or "*" in name else common_folder(f.path for f in found.files).count("/")
            claim.reach |= {file.path: depth for file in found.files}
        claim.home = home_of(common_folder(f.path for f in claim.files) + "/x") if claim.files else ""
        claim.key = _key_of(claim.files, claim.home) or ("." if {f.path for f in claim.files} == self.at_top else "")
        if parts and not claim.files:
            claim.refused = True

    def missing(self, claim: _Claim, table: SheetTable, row: SheetRow | None, column: str, name: str) -> None:
        if re.match(r"https?://", name):
            message = _("%(name)s 是网址，不是文件。请把文件下载下来一并交来，或从“文件”一栏去掉。", name=name)
            claim.findings.append(self.at(Severity.ERROR, "file-missing", message, table, row, column))
            return
        near = self.names.nearest(name)
        question = _("是不是 %(near)s？", near=near) if near else ""
        message = _("找不到文件 %(name)s。%(question)s请核对文件名，或向捐赠者补要。", name=name, question=question)
        claim.findings.append(self.at(Severity.ERROR, "file-missing", message, table, row, column))

    def claim_called(self, claim: _Claim, identifier: str, title: str, expects: bool) -> None:
        """Files of a row that names none: the folder, else the file, called like its identifier or title."""
        folder, files = self.names.called(identifier, title)
        if not files:
            files = self.names.stem(identifier) or self.names.stem(title)
            files = tuple(f for f in files if not is_timed(f)) and files
        claim.take(files)
        if folder:
            claim.reach |= {file.path: folder.count("/") for file in files}
        if files:
            claim.home = home_of(f"{folder}/x") if folder else home_of(files[0].path)
            claim.key = folder or _key_of(claim.files, claim.home)
        elif expects and claim.table is not None and claim.row is not None:
            self.bare_rows.setdefault((claim.table.path, claim.table.sheet), (claim.table, []))[1].append(claim.row)

    def role(self, claim: _Claim, table: SheetTable, row: SheetRow) -> FileRole | None:
        """What the column 用途 of a row says, None for nothing or (with a finding) an unknown word."""
        written = row.text("role")
        role = _role_of(written, self.definitions) if written else None
        if written and role is None:
            near = difflib.get_close_matches(written, ["母本", "服务本", "印刷用", "文字", "附件"], 1, 0.3)
            question = _("是不是“%(near)s”？", near=near[0]) if near else ""
            message = _(
                "用途“%(written)s”认不得，未采用。%(question)s可用：母本、服务本、印刷用、文字、附件。", written=written, question=question
            )
            claim.findings.append(self.at(Severity.WARNING, "role-unknown", message, table, row, "role"))
        return role

    def at(self, severity: Severity, code: str, message: str, table: SheetTable, row: SheetRow | None, column: str = "") -> Finding:
        """A finding placed in a sheet."""
        cell = row.cells.get(column) if row else None
        heading = next((c.written for c in table.columns if c.field == column), "")
        number = row.number if row else None
        line = _("第 %(row)d 行", row=number) if number else ""
        where = " ".join(part for part in (table.path, table.sheet, line, heading) if part)
        return Finding(severity, code, where, message, table.path, table.sheet or None, number, cell.column if cell else None)

    def settle_identifiers(self) -> None:
        """Rows with one identifier: with one title and a role each they are versions of one item, else a clash."""
        first: dict[str, _Claim] = {}
        kept = []
        for claim in self.claims:
            other = first.setdefault(claim.identifier, claim) if claim.identifier else claim
            if other is claim:
                kept.append(claim)
            elif title_form(other.title) == title_form(claim.title) and (claim.roles or other.roles) and claim.files:
                other.take(claim.files)
                other.roles |= claim.roles
                if claim.row is not None:
                    other.rights |= dict.fromkeys((f.path for f in claim.files), self.said_rights(other, claim.table, claim.row))
                other.findings += claim.findings
                other.home = home_of(common_folder(f.path for f in other.files) + "/x")
            elif self.is_same_row(other, claim):
                self.clash(claim, other, Severity.WARNING)
            else:
                kept.append(claim)
                self.clash(claim, other, Severity.ERROR)
                if not other.clashes:
                    self.clash(other, claim, Severity.ERROR)
                other.clashes = claim.clashes = other.refused = claim.refused = True
        self.claims = kept

    def is_same_row(self, one: _Claim, other: _Claim) -> bool:
        """True for a row that was copied: the same title and no other files."""
        return title_form(one.title) == title_form(other.title) and {f.path for f in other.files} <= {f.path for f in one.files}

    def clash(self, claim: _Claim, other: _Claim, severity: Severity) -> None:
        """Say on the row of one claim that another has its identifier. Which of them is meant nobody can know here."""
        if claim.table is None or other.table is None:
            return
        values = {"identifier": claim.identifier, "place": self.at(severity, "", "", other.table, other.row).where, "title": other.title}
        if severity is Severity.ERROR:
            message = _("标识号 %(identifier)s 与 %(place)s（%(title)s）相同，两行都没有收。请改成不同的标识号。", **values)
            claim.findings.append(self.at(severity, "identifier-repeated", message, claim.table, claim.row, "identifier"))
        else:
            message = _("标识号 %(identifier)s 与 %(place)s（%(title)s）相同，题名、文件也相同，这一行略过。", **values)
            other.findings.append(self.at(severity, "identifier-repeated", message, claim.table, claim.row, "identifier"))

    # Page lists

    def claim_pages(self, table: SheetTable) -> None:
        """Give each page row to the item whose title it repeats; titles that no row describes make items."""
        works: dict[str, list[SheetRow]] = {}
        for row in table.rows:
            works.setdefault(row.text("title") or row.text("parent") or row.text("identifier"), []).append(row)
        for title, rows in works.items():
            claim = self.work_of(title, rows, table)
            ordered = self.in_order(rows, table, claim)
            rights = self.page_rights(rows, table, claim)
            for row in ordered:
                page = replace(self.page_row(row, table, claim), rights=rights[row.number])
                named = [f for f in (page.image, page.text) if f is not None]
                claim.take(named)
                claim.reach |= {file.path: _BY_ITSELF for file in named}
                if not self.is_version_row(claim, table, row, page):
                    claim.pages.append(page)
            if claim.files and not claim.home:
                claim.home = home_of(common_folder(f.path for f in claim.files) + "/x")
            if not claim.key:
                claim.key = claim.identifier or claim.home or title or table.path
            claim.refused = claim.refused or not claim.files

    def page_rights(self, rows: Sequence[SheetRow], table: SheetTable, claim: _Claim) -> dict[int, Rights]:
        """Rights of each page by the number of its row. An item that only this list describes is as open as the most open of its pages."""
        own = claim.row is not None and claim.table is table
        agreed = (
            own and claim.row is not None and all(row.text(key) == claim.row.text(key) for row in rows for key in ("access", "embargo"))
        )
        if agreed:
            return dict.fromkeys((row.number for row in rows), Rights())
        said = {row.number: self.said_rights(claim, table, row) for row in rows}
        if own:
            default = Rights(self.default_audience() or Audience.STAFF)
            said = {number: rights if rights != Rights() else default for number, rights in said.items()}
            wide = [a for r in said.values() for a in (r.audience, r.embargo.after if r.embargo else None) if a is not None]
            claim.mixed = min(wide, key=lambda audience: audience.rank)
        return said

    def is_version_row(self, claim: _Claim, table: SheetTable, row: SheetRow, page: PageRow) -> bool:
        """Take down the role that a page row gives its image; True for a lesser version, which is no page."""
        role = self.role(claim, table, row)
        if role is None or page.image is None:
            return False
        claim.roles[page.image.path] = role
        claim.rights[page.image.path] = page.rights
        return role in (FileRole.SERVICE, FileRole.PRINT)

    def work_of(self, title: str, rows: Sequence[SheetRow], table: SheetTable) -> _Claim:
        form = title_form(title)
        wanted = [c for c in self.claims if form and form in (title_form(c.title), title_form(c.identifier)) and not c.refused]
        if len(wanted) > 1:
            # 同名的几种：list lies in the folder of the one it belongs to.
            near = [c for c in wanted if folder_of(table.path).startswith(c.home) and c.home]
            wanted = near or wanted
        if not wanted:
            near = [c for c in self.claims if c.home and folder_of(table.path) == c.home and not c.refused and not title]
            wanted = near
        if wanted:
            return wanted[0]
        identifiers = {row.text("identifier") for row in rows}
        identifier = identifiers.pop() if len(identifiers) == 1 else ""
        claim = _Claim(
            "", title or f"[{folder_of(table.path).rsplit('/', 1)[-1] or self.folder}]", table=table, row=rows[0], identifier=identifier
        )
        self.claims.append(claim)
        return claim

    def in_order(self, rows: Sequence[SheetRow], table: SheetTable, claim: _Claim) -> list[SheetRow]:
        numbers = [row.text("page-order") for row in rows]
        if not all(re.fullmatch(r"\d+(?:\.0+)?", number) for number in numbers):
            return list(rows)
        seen: dict[int, SheetRow] = {}
        for row, number in zip(rows, numbers, strict=True):
            value = int(float(number))
            if value in seen:
                message = _("顺序 %(number)d 与第 %(other)d 行重复，照表中先后排。请核对。", number=value, other=seen[value].number)
                claim.findings.append(self.at(Severity.WARNING, "order-repeat", message, table, row, "page-order"))
            seen.setdefault(value, row)
        return sorted(rows, key=lambda row: int(float(row.text("page-order"))))

    def page_row(self, row: SheetRow, table: SheetTable, claim: _Claim) -> PageRow:
        near = claim.home or folder_of(table.path)
        image = self.page_file(row, table, claim, "page-image", near) or self.page_file(row, table, claim, "files", near)
        text = self.page_file(row, table, claim, "page-text", near)
        ye, side = parse_leaf(row.text("ye"), row.text("side")) if row.text("ye") else (None, parse_leaf("1", row.text("side"))[1])
        juan, ce = parse_juan(row.text("juan")), parse_ce(row.text("ce"))
        folio = Folio(juan, ce, ye, side) if any((juan, ce, ye, side)) else None
        place = self.at(Severity.NOTE, "", "", table, row)
        return PageRow(
            image,
            text,
            folio,
            row.text("page-label"),
            row.text("section"),
            row.text("note"),
            place.where,
            table.sheet or None,
            table.path,
            row.number,
        )

    def page_file(self, row: SheetRow, table: SheetTable, claim: _Claim, column: str, near: str) -> GivenFile | None:
        name = row.text(column)
        if not name:
            return None
        found = self.names.find(name, folder_of(table.path)) if not claim.home else self.names.find(name, near)
        if not found.files:
            found = self.names.find(name, folder_of(table.path))
        wanted = (
            [f for f in found.files if is_text(f) or is_timed(f)] if column == "page-text" else [f for f in found.files if not is_text(f)]
        )
        if not wanted:
            self.missing(claim, table, row, column, name)
            return None
        return wanted[0]

    def settle_keys(self) -> None:
        """Keys are the identity inside the accession: two rows that fall on one key are told apart by their titles, then counted."""
        seen: set[str] = set()
        for claim in self.claims:
            if claim.key in seen and not claim.identifier:
                claim.key = claim.title if claim.title not in seen else claim.key
            base, number = claim.key, 2
            while claim.key in seen:
                claim.key, number = f"{base}#{number}", number + 1
            seen.add(claim.key)

    # What no row names

    def companions(self, free: Sequence[GivenFile]) -> None:
        """Sidecars, other versions and whole texts of described things go to them, although no row names them."""
        self.claimed = {file.path for claim in self.claims for file in claim.files}
        exact: dict[tuple[str, str], list[_Claim]] = {}
        loose: dict[tuple[str, str], list[_Claim]] = {}
        homes: dict[str, list[_Claim]] = {}
        others = stems_of(free)
        for claim in self.claims:
            for file in claim.files:
                stem = split_name(name_of(file))[0]
                _append(exact, (home_of(file.path), plain(stem)), claim)
                _append(loose, (home_of(file.path), _base(stem, others)), claim)
            if claim.files and not claim.disc:
                _append(homes, claim.home, claim)
        for file in free:
            if file.path in self.claimed:
                continue
            stem = split_name(name_of(file))[0]
            home = home_of(file.path)
            wanted = exact.get((home, plain(stem))) or loose.get((home, _base(stem, others))) or []
            if len(wanted) != 1:
                sole = homes.get(home, [])
                belongs = ((is_whole_text(file) or is_contents_file(file)) and len(sole) == 1) or (
                    is_image(file) and len(sole) == 1 and sole[0].pages
                )
                wanted = sole if belongs else []
            if len(wanted) == 1:
                wanted[0].take([file])
                self.claimed.add(file.path)

    def nearest_rows(self) -> None:
        """A file that one row names by its folder and another by itself, or by a folder further in, belongs to the latter alone."""
        closest: dict[str, int] = {}
        for claim in self.claims:
            for file in claim.files:
                closest[file.path] = max(closest.get(file.path, -1), claim.reach.get(file.path, _BY_ITSELF))
        for claim in self.claims:
            kept = [file for file in claim.files if claim.reach.get(file.path, _BY_ITSELF) == closest[file.path]]
            if kept:
                claim.files = kept

    def share(self) -> None:
        """One file that several rows name goes into each of them; that is rarely meant."""
        owners: dict[str, _Claim] = {}
        for claim in self.claims:
            for file in claim.files:
                other = owners.setdefault(file.path, claim)
                if other is not claim and claim.table is not None:
                    message = _("文件 %(path)s 已属于“%(title)s”，两件都列入。请核对。", path=file.path, title=other.title)
                    claim.findings.append(self.at(Severity.WARNING, "file-shared", message, claim.table, claim.row, "files"))

    def orphans(self, files: Sequence[GivenFile]) -> None:
        """Items to be described, one for each group; one whose bytes all lie in another item goes to that as a link."""
        keys = {claim.key for claim in self.claims}
        holders: dict[str, _Claim] = {}
        for claim in self.claims:
            for file in claim.files:
                if _has_bytes(file) and not claim.refused:
                    holders.setdefault(file.sha512, claim)
        for group in propose(files, self.folder):
            twins = [holders.get(file.sha512) for file in group.files if _has_bytes(file)]
            first = twins[0] if len(twins) == len(group.files) else None
            if first is not None and all(twin is first for twin in twins):
                first.twins += group.files
                continue
            key = group.key
            while key in keys:
                key += " #2"
            keys.add(key)
            claim = _Claim(key, f"[{group.title}]", list(group.files), group.home, group.disc)
            self.claims.append(claim)
            for file in group.files:
                if _has_bytes(file):
                    holders.setdefault(file.sha512, claim)

    # Items

    def drafts(self) -> list[ItemDraft]:
        ids: dict[str, str] = {}
        drafts = []
        self.sheets_describe = any(claim.row is not None for claim in self.claims)
        for claim in self.claims:
            made = draft(claim.group, claim.pages, claim.roles, frozenset(self.personal))
            made = replace(made, files=tuple(replace(f, rights=claim.rights.get(f.received, f.rights)) for f in made.files))
            made = self.with_twins(claim, made)
            if claim.row is None and claim.files and not made.files:
                claim.refused = True
            item = self.item(claim, made, ids)
            findings = [*claim.findings, *made.findings]
            if claim.row is None and not claim.refused:
                findings.append(self.to_describe(claim, made))
            sheet, row = (claim.table.path if claim.table else None), (claim.row.number if claim.row else None)
            drafts.append(ItemDraft(item, made.sources, sheet, row, tuple(findings), claim.refused))
        return drafts

    def with_twins(self, claim: _Claim, made: Drafted) -> Drafted:
        """Loose copies join the file whose bytes they have as versions, so that no name under which it came is lost."""
        by_digest = {file.sha512: file for file in reversed(made.files)}
        files, sources = list(made.files), dict(made.sources)
        for file in claim.twins:
            twin = by_digest[file.sha512]
            number, path = f"f{len(files) + 1}", f"originals/{file.path}"
            version = twin.version_of or twin.id
            personal, rights = file.path in self.personal, Rights(Audience.STAFF)  # nobody said that this copy may be seen
            own = replace(twin, id=number, path=path, received=file.path, version_of=version, role=FileRole.SERVICE, personal=personal)
            files.append(replace(own, rights=rights))
            sources[number] = file.path
        return replace(made, files=tuple(files), sources=sources)

    def to_describe(self, claim: _Claim, made: Drafted) -> Finding:
        where = claim.key if claim.key != "." else self.folder
        title, count = claim.title, len(made.files)
        message = _("没有登记，收作待著录的一件“%(title)s”（%(files)d 个文件）。请在登记表里补一行。", title=title, files=count)
        return Finding(
            Severity.WARNING, "to-describe", where, message, claim.files[0].path if len(claim.files) == 1 else claim.home or None
        )

    def item(self, claim: _Claim, made: Drafted, ids: dict[str, str]) -> Item:
        row = claim.row or SheetRow(0, {})
        profile = self.profile(claim, row)
        fields = self.fields(claim, claim.row, profile) if claim.row is not None else {}
        dated = fields.get(profile.date_field, ()) if profile.date_field else fields.get("date", ())
        when: HistoricalDate | None = read_date(dated[0]) if dated else None
        return Item(
            id=self.item_id(claim, ids),
            accession=self.donation.accession,
            kind=profile.key,
            collection=self.collection(claim, row, profile),
            title=claim.title,
            key=claim.key,
            date=when,
            fields=fields,
            files=made.files,
            pages=made.pages,
            tracks=made.tracks,
            rights=self.rights(claim, row, fields),
            to_describe=claim.row is None,
        )

    def item_id(self, claim: _Claim, ids: dict[str, str]) -> str:
        accession = self.donation.accession
        known = self.archive.known_item(accession, claim.key)
        wanted = known or (item_id_from(claim.identifier) if claim.identifier else None)
        derived = derived_item_id(accession, claim.key)
        other = ids.get(wanted or "")
        if other is not None and claim.table is not None and not claim.refused:
            message = _(
                "标识号 %(identifier)s 与 %(other)s 的写法相近，成了同一个号，这一件改用 %(id)s。请改成不同的标识号。",
                identifier=claim.identifier,
                other=other,
                id=derived,
            )
            claim.findings.append(self.at(Severity.WARNING, "identifier-taken", message, claim.table, claim.row, "identifier"))
        chosen = wanted if wanted and wanted not in ids and is_item_id(wanted) else derived
        if not claim.refused:
            ids.setdefault(chosen, f"“{claim.title}”")
        return chosen

    # What a row says

    def profile(self, claim: _Claim, row: SheetRow) -> Profile:
        written = row.text("kind")
        for name in (written, self.registration.defaults.get("kind", "")):
            for profile in self.definitions.profiles.values():
                if name and title_form(name) in (title_form(profile.key), title_form(profile.label), title_form(profile.label_en)):
                    return profile
        if written and claim.table is not None:
            labels = [profile.label for profile in self.definitions.profiles.values()]
            self.unknown(claim, row, "kind", written, labels, "kind-unknown")
        return self.definitions.profiles.get("general") or Profile("general", "通用", "General", ())

    def unknown(self, claim: _Claim, row: SheetRow, column: str, written: str, known: Sequence[str], code: str) -> None:
        near = difflib.get_close_matches(written, known, 1, 0.4)
        question = _("是不是“%(near)s”？", near=near[0]) if near else ""
        message = _(
            "“%(written)s”认不得，未采用。%(question)s可用：%(known)s。", written=written, question=question, known="、".join(known[:12])
        )
        if claim.table is not None:
            claim.findings.append(self.at(Severity.WARNING, code, message, claim.table, row, column))

    def collection(self, claim: _Claim, row: SheetRow, profile: Profile) -> str:
        written = row.text("collection")
        for name in (written, self.registration.defaults.get("collection", "")):
            for collection in self.definitions.collections.values():
                if name and title_form(name) in (
                    title_form(collection.slug),
                    title_form(collection.label),
                    title_form(collection.label_en),
                ):
                    return collection.slug
        if written and claim.table is not None:
            self.unknown(claim, row, "collection", written, [c.label for c in self.definitions.collections.values()], "collection-unknown")
        return profile.collection if profile.collection in self.definitions.collections else ""

    def fields(self, claim: _Claim, row: SheetRow, profile: Profile) -> dict[str, tuple[str, ...]]:
        """The cells of a row by the profile's fields, as printed; vocabulary terms in their listed form."""
        fields: dict[str, tuple[str, ...]] = {}
        for key, cell in row.cells.items():
            known = profile.field(key)
            if not cell.text or key in _STRUCTURE or (known is None and key in _ROW_ONLY):
                continue
            values = split_names(cell.text) if known is not None and known.repeatable else (cell.text,)
            if known is not None and known.vocabulary:
                values = tuple(value for written in values if (value := self.term(claim, row, known, written)))
            if values:
                fields[key] = values
        return fields

    def term(self, claim: _Claim, row: SheetRow, known: Field, written: str) -> str:
        vocabulary = self.definitions.vocabularies.get(known.vocabulary or "")
        term = vocabulary.term(written) if vocabulary else None
        if vocabulary is None or term is not None:
            return term.value if term else written
        if claim.table is not None:
            column = (claim.table.path, claim.table.sheet, known.key)
            rows = self.strange.setdefault(column, (claim.table, known, {}))[2]
            rows.setdefault(written, []).append(row)
        return written if vocabulary.open else ""

    def gathered(self) -> None:
        """Findings that would repeat from row to row, one for each column."""
        for table, rows in self.bare_rows.values():
            message = _(
                "有 %(count)d 行没有写文件，也没有与标识号或题名同名的文件夹，只收著录。若有文件，请填“文件”一栏。", count=len(rows)
            )
            self.findings.append(self.at(Severity.NOTE, "no-files", message, table, rows[0], "files"))
        for table, known, values in self.strange.values():
            vocabulary = self.definitions.vocabularies[known.vocabulary or ""]
            names = [term.value for term in vocabulary.terms]
            shown = []
            for written, rows in list(values.items())[:6]:
                near = difflib.get_close_matches(written, names, 1, 0.5)
                place = "、".join(str(row.number) for row in rows[:5]) + (" …" if len(rows) > 5 else "")
                question = _("，是不是“%(near)s”？", near=near[0]) if near else ""
                shown.append(_("“%(written)s”（第 %(rows)s 行%(question)s）", written=written[:40], rows=place, question=question))
            taken = _("照写收下") if vocabulary.open else _("没有采用")
            message = _("不在词表“%(list)s”里，%(taken)s：%(values)s。", list=vocabulary.label, taken=taken, values="；".join(shown))
            severity = Severity.NOTE if vocabulary.open else Severity.WARNING
            self.findings.append(self.at(severity, "not-in-vocabulary", message, table, next(iter(values.values()))[0], known.key))

    def rights(self, claim: _Claim, row: SheetRow, fields: Mapping[str, tuple[str, ...]]) -> Rights:
        """Rights of an item: what its row says, else the defaults."""
        said = self.said_rights(claim, claim.table, row)
        if said == Rights():
            # Defaults speak for what the sheets describe; what they leave over nobody has looked at.
            left_over = claim.row is None and self.sheets_describe
            said = Rights() if left_over else Rights(self.default_audience())
        status = next(iter(fields.get("rights-status", ())), "") or self.registration.defaults.get("rights_status", "")
        licence = next((v for key in ("licence", "rights") for v in fields.get(key, ()) if re.match(r"https?://", v)), "")
        reason = next(iter(fields.get("access-reason", ())), "")
        audience = said.audience
        if claim.mixed is not None:
            audience = claim.mixed
        return replace(said, audience=audience, status=status, statement=licence, reason=reason)

    def default_audience(self) -> Audience | None:
        return read_audience(self.registration.defaults.get("access", ""))

    def said_rights(self, claim: _Claim, table: SheetTable | None, row: SheetRow) -> Rights:
        """What the columns 访问级别 and 开放日期 of a row say; an unknown word narrows to staff and never opens."""
        if table is None or not (row.text("access") or row.text("embargo")):
            return Rights()
        audience, until = self.audience(claim, table, row), row.text("embargo")
        if not until:
            return Rights(audience)
        day = read_day(until)
        if day is not None:
            # A page or file that states no audience is as open as its item; one with an opening day is closed until then.
            return Rights(*_embargoed(audience or Audience.STAFF, day))
        message = _("开放日期“%(written)s”读不出来，先只供馆员。请写成 2030-01-01。", written=until)
        claim.findings.append(self.at(Severity.WARNING, "embargo-unreadable", message, table, row, "embargo"))
        return Rights(audience if audience is not None and audience.rank > Audience.STAFF.rank else Audience.STAFF)

    def audience(self, claim: _Claim, table: SheetTable, row: SheetRow) -> Audience | None:
        """The audience that a row names; staff, with a finding, for a word nobody knows; None for nothing."""
        written = row.text("access")
        audience = read_audience(written) if written else None
        if written and audience is None:
            known = [*("公开", "登录", "馆内", "申请", "馆员", "封存"), *(a.value for a in Audience)]
            near = difflib.get_close_matches(written, known, 1, 0.3)
            question = _("是不是“%(near)s”？", near=near[0]) if near else ""
            message = _(
                "访问级别“%(written)s”认不得，先只供馆员。%(question)s可用：公开、登录、馆内、申请、馆员、封存。",
                written=written,
                question=question,
            )
            claim.findings.append(self.at(Severity.WARNING, "access-unknown", message, table, row, "access"))
            return Audience.STAFF
        return audience

    # Files

    def fates(self, drafts: Sequence[ItemDraft]) -> dict[str, FileFate]:
        """One fate for each file, in the order in which the items take them."""
        fates: dict[str, FileFate] = {}
        by_path = {file.path: file for file in self.files}
        first: dict[str, str] = {}
        own = {d.item.id for d in drafts}
        for kept in (False, True):
            for claim, made in zip(self.claims, drafts, strict=True):
                if made.refused is not kept:
                    continue
                for file in (*claim.group.files, *claim.twins):
                    if file.path not in fates:
                        fates[file.path] = self.fate(file, claim, made, first, own)
        for path, file in by_path.items():
            if file.litter:
                fates[path] = FileFate(Fate.IGNORED)
            elif file.refused or (path not in fates and is_fatal(file)):
                fates[path] = FileFate(Fate.REFUSED)
            elif path not in fates:
                fates[path] = FileFate(Fate.ACCEPTED)
        return {file.path: fates[file.path] for file in self.files}

    def fate(self, file: GivenFile, claim: _Claim, made: ItemDraft, first: dict[str, str], own: set[str]) -> FileFate:
        if made.refused or is_fatal(file):
            return FileFate(Fate.REFUSED, claim.key)
        if not _has_bytes(file):
            return FileFate(Fate.ACCEPTED, claim.key)
        twin = first.setdefault(file.sha512, file.path)
        if twin == file.path:
            holders = self.archive.holders_of(file.sha512)
            held = [key for key in holders if parse_file_key(key)[0] not in own]
            # What the item has held since an earlier run is unchanged, whoever has given the same since.
            if not held or (len(held) < len(holders) and any(parse_file_key(key)[0] == made.item.id for key in holders)):
                return FileFate(Fate.ACCEPTED, claim.key)
            twin = held[0]
        message = _("与 %(other)s 内容完全相同，两处都保留位置，字节只存一份。若是误拷，可以删去。", other=twin)
        self.findings.append(Finding(Severity.NOTE, "duplicate", file.path, message, file.path))
        return FileFate(Fate.DUPLICATE, claim.key, twin)

    def fault_findings(self) -> None:
        for file in self.files:
            if file.litter or file.refused or file.probe is None:
                continue
            for fault in file.probe.faults:
                words = FAULT_WORDS.get(fault.code, "文件有问题。请核对。")
                message = _(REFUSED_WORDS.get(fault.code, words) if fault.fatal else words)
                if fault.detail:
                    message += _("（%(detail)s）", detail=fault.detail)
                severity = Severity.ERROR if fault.fatal else Severity.NOTE if fault.code == "mislabelled" else Severity.WARNING
                self.findings.append(Finding(severity, fault.code, file.path, message, file.path))

    def same_pages(self, drafts: Sequence[ItemDraft]) -> None:
        """A PDF or TIFF of one item with the pages of the scans of another: as many, of the same shapes, under a name that is part of the other's."""
        by_path = {file.path: file for file in self.files}
        by_count: dict[int, list[ItemDraft]] = {}
        for made in drafts:
            count = sum(1 for page in made.item.pages if page.image is not None)
            if count > 1 and not made.refused:
                by_count.setdefault(count, []).append(made)
        for count, alike in by_count.items():
            books = [made for made in alike if _is_multiple(made)]
            seen: set[str] = set()
            for book in books:
                seen.add(book.item.key)
                for other in alike:
                    if other.item.key in seen or not _alike(book.item.title, other.item.title):
                        continue
                    if _same_shapes(_shape(book, by_path), _shape(other, by_path)):
                        title = other.item.title
                        message = _(
                            "与“%(other)s”同为 %(count)d 面，版面大小一致，像是同一内容。若是，请在登记表里写在同一行。",
                            other=title,
                            count=count,
                        )
                        self.findings.append(Finding(Severity.WARNING, "same-pages", book.item.key, message))


_BY_ITSELF = 1000

_STRUCTURE = frozenset(
    ("title", "files", "identifier", "kind", "collection", "role", "access", "embargo", "row-number", "characters", "page-identifier")
)
_ROW_ONLY = frozenset(
    ("parent", "page-image", "page-order", "page-text", "page-label", "juan", "ce", "ye", "side", "section", "note"),
)


def _agreed(rows: Sequence[SheetRow]) -> SheetRow:
    """What all rows of a page list say alike: that is said of the item."""
    first = rows[0]
    return SheetRow(first.number, {key: cell for key, cell in first.cells.items() if all(row.text(key) == cell.text for row in rows)})


def _has_bytes(file: GivenFile) -> bool:
    """True for a file that can equal another: digested, not empty, and kept."""
    return bool(file.sha512) and file.size > 0 and not is_fatal(file)


def _append(index: dict[K, list[_Claim]], key: K, claim: _Claim) -> None:
    claims = index.setdefault(key, [])
    if claim not in claims:
        claims.append(claim)


def _base(stem: str, others: frozenset[str]) -> str:
    return plain(split_side(base_of(stem, others)[0])[0])


def _key_of(files: Sequence[GivenFile], home: str) -> str:
    """The path inside the folder of what a row names: the same that `propose` gives when no row names it."""
    if not files:
        return ""
    others = stems_of(files)
    bases = {_base(split_name(name_of(file))[0], others) for file in files}
    if len(bases) == 1:
        best = min(files, key=lambda f: (len(name_of(f)), f.path))
        stem = split_side(base_of(split_name(name_of(best))[0], others)[0])[0]
        return f"{home}/{stem}" if home else stem
    return home or ""


def _words_of(file: GivenFile) -> str:
    """The words in a file as far as they are text."""
    if file.probe and file.probe.text:
        return "\n".join(file.probe.text)
    if (is_text(file) or is_timed(file)) and file.location is not None:
        with contextlib.suppress(DecodeError, OSError):
            return read_text(file.location).text
    return ""


def read_day(written: str) -> date | None:
    """A day of the calendar: 2030-01-01, 2030/1/1, 2030.1.1, 2030年1月1日; a month or year alone means its first day."""
    match = re.fullmatch(r"\s*(\d{4})\s*[-/.年]?\s*(?:(\d{1,2})\s*[-/.月]?\s*(?:(\d{1,2})\s*日?)?)?(?:[ T]0?0:00(?::00)?)?\s*", written)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def _embargoed(audience: Audience | None, day: date) -> tuple[Audience | None, Embargo]:
    """What an opening date means: `public` opens then and is closed until; any other audience holds until then; a sealed thing never opens by itself."""
    if audience is Audience.PUBLIC:
        return Audience.STAFF, Embargo(day, Audience.PUBLIC)
    return audience, Embargo(day, Audience.STAFF if audience is Audience.SEALED else Audience.PUBLIC)


def _shape(made: ItemDraft, by_path: Mapping[str, GivenFile]) -> tuple[float, ...]:
    """Height by width of each page."""
    shape = []
    for page in made.item.pages:
        if page.image is None:
            continue
        probe = by_path[made.sources[page.image.file]].probe
        if probe is None:
            continue
        size = (probe.width, probe.height)
        if page.image.part and len(probe.part_sizes) >= page.image.part:
            size = probe.part_sizes[page.image.part - 1]
        shape.append((size[1] or 1) / (size[0] or 1))
    return tuple(shape)


def _is_multiple(made: ItemDraft) -> bool:
    return any(page.image is not None and page.image.part for page in made.item.pages)


def _same_shapes(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and all(abs(x - y) < 0.02 * max(x, y) for x, y in zip(a, b, strict=True))


def _alike(a: str, b: str) -> bool:
    """True when two titles share four characters in a row, or one is within the other."""
    x, y = title_form(a), title_form(b)
    match = difflib.SequenceMatcher(None, x, y, autojunk=False).find_longest_match()
    return match.size >= min(4, len(x), len(y))
