"""`fangzhi doctor`: what is missing or wrong on this machine, in the home and in the definitions, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from archive import resources
from archive.derivatives import ffmpeg
from archive.errors import ArchiveError, DefinitionsError
from archive.language import _
from archive.profiles import load_definitions
from archive.search.gaiji import load_gaiji
from archive.services.deriving import tools_of
from archive.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its name, whether it is well, and what was seen or what to do."""

    name: str
    ok: bool
    detail: str


def examine(home: Path, index_state: Callable[[Settings], dict[str, object]] | None = None) -> tuple[Check, ...]:
    """Every check, whatever the others say; never raises for what it is there to find."""
    return tuple(_checks(home, index_state))


def _checks(home: Path, index_state: Callable[[Settings], dict[str, object]] | None) -> Iterator[Check]:
    try:
        settings = load_settings(home)
    except ArchiveError as error:
        yield Check(_("设置"), False, str(error))
        settings = Settings(home=home)
    else:
        yield Check(_("设置"), True, str(home / "settings.toml"))
    yield _tools(settings)
    yield _extra("rapidocr", _("机器识别"), "ocr")
    yield _extra("pillow_heif", "HEIC", "heif")
    yield _program("7z", "RAR / ISO", "apt-get install p7zip-full")
    yield from _definitions(settings)
    yield from _home(settings)
    yield _vendor()
    if index_state is not None and settings.index.exists():
        state = index_state(settings)
        fault = state.get("fault")
        yield Check(_("检索索引"), not fault, str(fault or ", ".join(f"{key}={value}" for key, value in state.items())))


def _tools(settings: Settings) -> Check:
    tools = tools_of(settings)
    faults = ffmpeg.check(tools)
    return Check("ffmpeg", not faults, "；".join(faults) or ffmpeg.locate(tools.ffmpeg))


def _extra(module: str, name: str, extra: str) -> Check:
    if find_spec(module) is None:
        return Check(name, True, _("没有安装（可选）：pip install 'fangzhi[%(extra)s]'", extra=extra))
    return Check(name, True, _("可用"))


def _program(program: str, name: str, remedy: str) -> Check:
    found = shutil.which(program)
    return Check(name, True, found or _("没有 %(program)s（可选）：%(remedy)s", program=program, remedy=remedy))


def _definitions(settings: Settings) -> Iterator[Check]:
    try:
        found = load_definitions(resources.definitions(), settings.definitions)
        load_gaiji(settings.definitions, found.collections)
    except DefinitionsError as error:
        for fault in error.faults:
            yield Check(_("定义"), False, fault)
        return
    counts = _("%(p)d 种模板，%(v)d 个词表，%(c)d 个专题", p=len(found.profiles), v=len(found.vocabularies), c=len(found.collections))
    yield Check(_("定义"), True, counts)


def _home(settings: Settings) -> Iterator[Check]:
    for folder in (settings.home, settings.originals, settings.journal, settings.private):
        if not folder.is_dir():
            yield Check(_("主目录"), False, _("缺少 %(path)s；新馆请运行 fangzhi init，旧馆请从备份恢复。", path=folder))
        elif not os.access(folder, os.W_OK):
            yield Check(_("主目录"), False, _("%(path)s 不可写，请检查权限。", path=folder))
    if settings.home.is_dir():
        free = shutil.disk_usage(settings.home).free
        yield Check(_("磁盘"), free > 2 << 30, _("剩余 %(gib).1f GiB", gib=free / (1 << 30)))
    if settings.catalogue.exists():
        yield _catalogue(settings.catalogue)


def _catalogue(path: Path) -> Check:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        said = str(error)
    if said == "ok":
        return Check(_("目录"), True, str(path))
    return Check(_("目录"), False, _("%(path)s 已损坏（%(why)s）。请运行 fangzhi rebuild catalogue。", path=path, why=said))


def _vendor() -> Check:
    vendor = resources.static() / "vendor"
    if any(vendor.glob("*/*.js")):
        return Check(_("前端库"), True, str(vendor))
    return Check(_("前端库"), False, _("%(path)s 是空的；请运行 make assets。", path=vendor))
