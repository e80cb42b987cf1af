"""What a donation says about itself: `donation.toml`, or 捐赠登记.xlsx with a key and a value a row, or with headings and one row.

The donor's contact is kept apart from everything else, and no finding repeats it.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from archive.language import _
from archive.model.donation import Donation, Finding, Severity
from archive.model.profile import Definitions
from archive.model.rights import Audience
from ingest.readers.headings import plain
from ingest.readers.workbook import RawSheet, Unreadable, decode, read_workbook, tidy
from ingest.task import Registration, SheetRole

NAMES: Mapping[str, str] = {
    "accession": "accession 登记号 入藏号 入藏登录号 入藏登记号 捐赠编号 捐赠登记号 批次号",
    "donor": "donor 捐赠人 捐赠者 捐赠单位 捐赠人姓名 捐赠人(单位) 捐赠方 捐赠人/单位",
    "received": "received 接收日期 收到日期 捐赠日期 捐赠时间 接收时间 入藏日期 日期",
    "source": "source 来源 入藏方式 来源方式 捐赠方式 取得方式",
    "agreement": "agreement 协议 协议号 捐赠协议 捐赠协议号 协议编号",
    "rights": "rights 权利 权利说明 授权 授权说明 版权 版权说明 使用授权",
    "provenance": "provenance 来历 递藏 流传经过 来源说明",
    "kind": "kind 资料种类 默认资料种类 著录模板 资料类别",
    "collection": "collection 专题库 所属专题库 馆藏 默认专题库",
    "access": "access 访问级别 公开级别 开放级别 默认访问级别 利用级别",
    "rights_status": "rights_status 权利状态 默认权利状态 版权状态",
}
CONTACT: Mapping[str, str] = {
    "name": "contact.name 联系人 联系人姓名",
    "phone": "contact.phone phone 电话 联系电话 手机 手机号 手机号码 电话号码 telephone tel",
    "address": "contact.address address 地址 通讯地址 联系地址 住址",
    "email": "contact.email email 邮箱 电子邮箱 电子邮件 e-mail",
    "wechat": "contact.wechat wechat 微信 微信号 qq",
    "contact": "contact 联系方式 联系办法",
}
DEFAULTS = ("kind", "collection", "access", "rights_status")
ACCESS_WORDS: Mapping[str, Audience] = {
    "公开": Audience.PUBLIC,
    "登录": Audience.SIGNED_IN,
    "登录可见": Audience.SIGNED_IN,
    "馆内": Audience.READING_ROOM,
    "馆内阅览": Audience.READING_ROOM,
    "申请": Audience.ON_REQUEST,
    "馆员": Audience.STAFF,
    "内部": Audience.STAFF,
    "封存": Audience.SEALED,
}
"""What a sheet may write for an audience, beside its value."""

SHEETS = "表格读法 sheets"
"""The key under which `清单.xlsx=影像清单；名册.xlsx=文件` says how sheets are to be read; in TOML the table `[sheets]`."""
ROLE_WORDS: Mapping[str, SheetRole] = {
    "著录表": SheetRole.ITEMS,
    "影像清单": SheetRole.PAGES,
    "目录": SheetRole.CATALOGUE,
    "捐赠登记": SheetRole.REGISTRATION,
    "说明": SheetRole.NOTES,
    "文件": SheetRole.DOCUMENT,
}

_SHEETS = frozenset(map(plain, SHEETS.split()))
_KEYS = {plain(word): key for names in (NAMES,) for key, words in names.items() for word in words.split()}
_CONTACT = {plain(word): key for key, words in CONTACT.items() for word in words.split()}
_TELLING = frozenset({"accession", "donor", "received", "agreement"})


def is_registration_name(path: str) -> bool:
    """True for a file that calls itself the registration of a donation."""
    name = path.rpartition("/")[2].casefold()
    stem, _dot, suffix = name.rpartition(".")
    return name == "donation.toml" or (plain(stem) in ("捐赠登记", "捐赠登记表") and suffix in ("xlsx", "xls", "ods", "et", "csv", "tsv"))


def registration_keys(words: Iterable[str]) -> set[str]:
    """The registration's own keys among some words; `contact` for those about the donor's contact."""
    found = set()
    for word in words:
        form = plain(word) if len(word) < 40 else ""
        if form in _KEYS:
            found.add(_KEYS[form])
        elif form in _CONTACT:
            found.add("contact")
    return found


def is_registration_sheet(sheet: RawSheet) -> bool:
    """True when the tab is about the donation itself: three of its keys, two of which (登记号, 捐赠人, 接收日期, 协议) are told nowhere else."""
    if len(sheet.rows) > 60:
        return False
    keys = registration_keys(text for row in sheet.rows for text in row.texts)
    return len(keys) >= 3 and len(keys & _TELLING) >= 2


def read_audience(written: str) -> Audience | None:
    """The audience that a sheet's word means (`public`, 公开, 馆内 …), None for an unknown word."""
    form = plain(written)
    for audience in Audience:
        if plain(audience.value) == form:
            return audience
    return next((audience for word, audience in ACCESS_WORDS.items() if plain(word) == form), None)


def read_registration(location: Path, path: str, definitions: Definitions) -> Registration:
    """The registration in the file at `location` (`path` inside the donation); what is wrong with it are findings."""
    reader = _Reader(path, definitions)
    if path.casefold().endswith(".toml"):
        reader.toml(location)
    else:
        reader.sheet(location)
    return reader.registration()


class _Reader:
    """Gathers keys and findings of one registration."""

    def __init__(self, path: str, definitions: Definitions) -> None:
        self.path, self.definitions = path, definitions
        self.values: dict[str, str] = {}
        self.contact: dict[str, str] = {}
        self.sheets: dict[str, SheetRole] = {}
        self.findings: list[Finding] = []

    def report(self, severity: Severity, code: str, message: str, *, key: str = "", sheet: str = "", row: int | None = None) -> None:
        where = " ".join(filter(None, [self.path, sheet, _("第 %(row)d 行", row=row) if row else "", key]))
        self.findings.append(Finding(severity, code, where, message, self.path, sheet or None, row))

    # TOML

    def toml(self, location: Path) -> None:
        try:
            text, encoding = decode(location.read_bytes())
            data = tomllib.loads(text)
        except OSError as error:
            self.report(Severity.ERROR, "registration-unreadable", _("读不出来：%(error)s。", error=error.strerror or str(error)))
            return
        except tomllib.TOMLDecodeError as error:
            self.broken(text, str(error))
            return
        if not encoding:
            self.report(Severity.WARNING, "encoding", _("有些字不是 UTF-8，读作“�”。请另存为 UTF-8。"))
        for key, value in data.items():
            if isinstance(value, dict):
                self.table(key, value)
            else:
                self.take(key, value)

    def broken(self, text: str, error: str) -> None:
        """The finding about a file that is no TOML, with its line and the usual reason."""
        place = re.search(r"line (\d+)", error)
        row = int(place[1]) if place else max(1, len(text.splitlines()))
        line = text.splitlines()[row - 1] if row <= len(text.splitlines()) else ""
        hint = ""
        if re.search("[“”‘’＝＂［］]", line):
            hint = _("这一行里有全角的引号、等号或方括号，请改成半角。")
        elif re.match(r"\s*[^\s=\"#\[]*[^\x00-\x7f][^=]*=", line):
            hint = _("中文的键名要加半角引号，或改用英文键名（accession、donor、received …）。")
        elif re.search(r"=\s*[^\s\"'\[{0-9tf+-]", line):
            hint = _("等号后面的文字要加半角引号。")
        self.report(Severity.ERROR, "registration-syntax", _("第 %(row)d 行不合 TOML 写法。%(hint)s", row=row, hint=hint), row=row)

    def table(self, name: str, table: Mapping[str, Any]) -> None:
        form = plain(name)
        if form in ("contact", "联系方式", "联系人"):
            for key, value in table.items():
                self.contact[_CONTACT.get(plain(f"contact.{key}"), _CONTACT.get(plain(key), key))] = _scalar(value)
        elif form in ("defaults", "默认", "默认值"):
            for key, value in table.items():
                self.take(key, value, section="defaults")
        elif form in ("donation", "捐赠"):
            for key, value in table.items():
                self.take(key, value)
        elif form in _SHEETS:
            for key, value in table.items():
                self.sheet_role(key, _scalar(value))
        else:
            self.unknown(f"[{name}]", difflib.get_close_matches(form, ["contact", "defaults", "sheets"], 1))

    # Sheets

    def sheet(self, location: Path) -> None:
        try:
            sheets = read_workbook(location)
        except Unreadable as error:
            self.report(Severity.ERROR, error.code, error.message)
            return
        for sheet in sheets:
            if not sheet.hidden:
                self.tab(sheet)
        if not self.values and not self.contact:
            self.report(Severity.WARNING, "registration-empty", _("没有读到登记号、捐赠人等内容。左边一列写项目，右边一列写内容即可。"))

    def tab(self, sheet: RawSheet) -> None:
        for index, row in enumerate(sheet.rows):
            known = [column for column, text in enumerate(row.texts) if self.known(text)]
            below = sheet.rows[index + 1].texts if index + 1 < len(sheet.rows) else ()
            if len(known) >= 3 and len(known) == sum(1 for text in row.texts if text):
                self.across(sheet, row.number, row.texts, below)
                return
        for row in sheet.rows:
            self.pairs(sheet, row.number, row.texts)

    def known(self, text: str) -> bool:
        form = plain(text) if len(text) < 40 else ""
        return form in _KEYS or form in _CONTACT or form in _SHEETS

    def across(self, sheet: RawSheet, row: int, headings: Sequence[str], values: Sequence[str]) -> None:
        """Headings in one row, their values in the next."""
        for heading, value in zip(headings, values, strict=False):
            if heading and value:
                self.take(heading, value, sheet=sheet.name, row=row + 1)

    def pairs(self, sheet: RawSheet, row: int, texts: Sequence[str]) -> None:
        """Keys with their values to the right, one pair or several a row; `键：值` in one cell too."""
        cells = [text for text in texts if text]
        if len(cells) == 1:
            key, colon, value = re.sub("[:：]", ":", cells[0], count=1).partition(":")
            if colon and value.strip() and self.known(key):
                self.take(key, value.strip(), sheet=sheet.name, row=row)
            return
        if cells and not any(self.known(text) for text in cells) and len(cells) == 2 and len(cells[0]) <= 12:
            self.take(cells[0], cells[1], sheet=sheet.name, row=row)
            return
        position = 0
        while position < len(cells):
            if self.known(cells[position]):
                value = cells[position + 1] if position + 1 < len(cells) and not self.known(cells[position + 1]) else ""
                if value:
                    self.take(cells[position], value, sheet=sheet.name, row=row)
                position += 2 if value else 1
            else:
                position += 1

    # Keys

    def take(self, written: str, value: object, *, section: str = "", sheet: str = "", row: int | None = None) -> None:
        """One key as written and its value."""
        form = plain(written)
        key = _KEYS.get(form, "")
        if key and isinstance(value, dict | list):
            message = _('应是一段文字，不是列表或表。请改成 键 = "内容"。')
            self.report(Severity.ERROR, "registration-value", message, key=written, sheet=sheet, row=row)
        elif key:
            if section and key not in DEFAULTS:
                self.report(Severity.NOTE, "registration-place", _("不属于 [defaults]，已当作捐赠本身的项目。"), key=written)
            self.values.setdefault(key, _scalar(value))
        elif form in _SHEETS:
            for part in re.split(r"[;；\n]", _scalar(value)):
                file, _sign, role = re.sub("＝", "=", part).rpartition("=")
                if part.strip():
                    self.sheet_role(file.strip(), role.strip())
        elif form in _CONTACT:
            self.contact.setdefault(_CONTACT[form], _scalar(value))
        else:
            known = [*_KEYS, *_CONTACT]
            self.unknown(written, difflib.get_close_matches(form, known, 1, 0.6), sheet=sheet, row=row)

    def sheet_role(self, file: str, written: str) -> None:
        """How one sheet is to be read, in words of `ROLE_WORDS` or a role's value."""
        roles = {plain(role.value): role for role in SheetRole} | {plain(word): role for word, role in ROLE_WORDS.items()}
        role = roles.get(plain(written))
        if role is not None and file:
            self.sheets[file.removeprefix("./")] = role
            return
        allowed = "、".join(ROLE_WORDS)
        message = _("没有“%(written)s”这种读法，仍按表头判断。可用的有：%(allowed)s。", written=written[:40], allowed=allowed)
        self.report(Severity.ERROR, "registration-value", message, key=file[:80])

    def unknown(self, written: str, near: Sequence[str], sheet: str = "", row: int | None = None) -> None:
        if near:
            message = _("没有这个项目，未采用；是不是“%(near)s”？请改名后重交。", near=near[0])
        else:
            names = "、".join(words.split()[1] for words in NAMES.values())
            message = _("没有这个项目，未采用。可用的有：%(names)s、联系方式。", names=names)
        self.report(Severity.WARNING, "registration-unknown", message, key=written[:40], sheet=sheet, row=row)

    def registration(self) -> Registration:
        """What was gathered, its defaults checked against the definitions."""
        said = self.values
        donation = Donation(
            accession=said.get("accession", ""),
            donor=said.get("donor", ""),
            received=said.get("received", ""),
            source=said.get("source", ""),
            agreement=said.get("agreement", ""),
            rights=said.get("rights", ""),
            provenance=said.get("provenance", ""),
        )
        defaults = {key: value for key in DEFAULTS if (value := self.default(key, said.get(key, "")))}
        contact = {key: value for key, value in self.contact.items() if value}
        return Registration(donation, defaults, contact, (self.path,), tuple(self.findings), self.sheets)

    def default(self, key: str, written: str) -> str:
        """The value that a default means, empty (with a finding) when it means none."""
        if not written:
            return ""
        names = self.choices(key)
        if not names:
            return written
        value = names.get(plain(written))
        if value is None:
            near = difflib.get_close_matches(plain(written), names, 1, 0.5)
            question = _("是不是“%(near)s”？", near=names[near[0]]) if near else ""
            allowed = "、".join(dict.fromkeys(names.values()))
            message = _(
                "没有“%(written)s”，未采用。%(question)s可用的有：%(allowed)s。", written=written[:40], question=question, allowed=allowed
            )
            self.report(Severity.ERROR, "registration-value", message, key=key)
        return value or ""

    def choices(self, key: str) -> dict[str, str]:
        """Plain name to value of what a default may be; empty when the definitions do not say."""
        if key == "kind":
            profiles = self.definitions.profiles.values()
            return {plain(name): p.key for p in profiles for name in (p.key, p.label, p.label_en) if name}
        if key == "collection":
            collections = self.definitions.collections.values()
            return {plain(name): c.slug for c in collections for name in (c.slug, c.label, c.label_en) if name}
        if key == "access":
            values = {plain(audience.value): audience.value for audience in Audience}
            return values | {plain(word): audience.value for word, audience in ACCESS_WORDS.items()}
        vocabulary = self.definitions.vocabularies.get("rights-status")
        if vocabulary is None or vocabulary.open:
            return {}
        return {plain(name): t.value for t in vocabulary.terms for name in (t.value, t.label_en, *t.names) if name}


def _scalar(value: object) -> str:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return tidy(str(value))
