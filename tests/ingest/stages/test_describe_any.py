"""Whatever sheets say about whatever files: a plan is made, every file ends once, and what a draft refers to exists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from archive.derivatives.base import Fault, Probe
from archive.model.donation import Donation
from archive.model.item import Item, MediaKind
from archive.model.profile import Definitions
from archive.profiles import load_definitions
from ingest.grouping import kind_of
from ingest.stages.describe import NoArchive, plan
from ingest.stages.transcribe import transcribe
from ingest.task import Fate, GivenFile, Plan, Registration, SheetCell, SheetRole, SheetRow, SheetTable

NAMES = [
    "001",
    "002",
    "003",
    "012a",
    "12b",
    "扫描1",
    "IMG_7",
    "IMG_7_印刷用",
    "甲",
    "甲_副本",
    "甲(1)",
    "甲正面",
    "甲背面",
    "封面",
    "全文",
    "唱段",
    "唱段_唱词",
    "088-42b",
    "正面",
]
FOLDERS = ["影像", "文字", "母本", "服务本", "甲", "甲志", "第一册", "卷二", "VIDEO_TS", "a.zip"]
ENDINGS = [".png", ".jpg", ".TIF", ".txt", ".lrc", ".pdf", ".mp3", ".wav", ".mp4", ".docx", ".xyz", ".xml", ".srt"]
WORDS = {
    "title": ["甲", "甲志", "乙", "", "《甲》"],
    "role": ["", "", "母本", "服务本", "?"],
    "access": ["", "公开", "封存", "??"],
    "embargo": ["", "2030", "x"],
    "kind": ["", "方志", "zz"],
    "date": ["", "1747"],
    "language": ["", "中文", "火星文"],
    "identifier": ["", "a-1", "A 1", "b", "甲"],
}
PAGE_WORDS = {"ye": ["1a", "1b", "3", "九", "x", ""], "page-order": ["1", "2", "3", ""], "juan": ["卷1", ""]}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions()


def some_file(random: Random, path: str, location: Path) -> GivenFile:
    file = GivenFile(
        path, location, random.choice([0, 5, 5, 5]), 0, sha512=str(random.randint(0, 12)), sha256="0", litter=random.random() < 0.05
    )
    kind = kind_of(file)
    paged = kind in (MediaKind.PDF, MediaKind.IMAGE)
    faults = (Fault("damaged", random.random() < 0.5),) if random.random() < 0.1 else ()
    parts, duration = (random.choice([None, 1, 1, 2, 3]) if paged else None), random.choice([None, 3.0, 9.0])
    text = ("字",) * random.randint(0, 2) if kind in (MediaKind.PDF, MediaKind.DOCUMENT) else ()
    subtitles = ((0.0, 1.0, "一"),) if kind is MediaKind.FILM else ()
    return replace(file, probe=Probe("x/y", kind, "?", 100, 100, duration, parts, faults=faults, text=text, subtitles=subtitles))


def some_table(random: Random, path: str, paths: list[str]) -> SheetTable:
    pages = random.random() < 0.5
    names = [*paths, *FOLDERS, *(name.rsplit("/", 1)[-1] for name in paths), "无.png", "*.png", "甲*", ""]
    rows = []
    for number in range(2, random.randint(3, 10)):
        words = {key: random.choice(choices) for key, choices in (WORDS | (PAGE_WORDS if pages else {})).items()}
        if pages:
            words |= {"page-image": random.choice(names), "page-text": random.choice(names)}
        else:
            words["files"] = ";".join(random.sample(names, random.randint(0, 2)))
        rows.append(SheetRow(number, {key: SheetCell(text, number, 1) for key, text in words.items() if text}))
    role = SheetRole.PAGES if pages else random.choice([SheetRole.ITEMS, SheetRole.CATALOGUE])
    return SheetTable(path, "", role, (), tuple(rows))


def some_plan(seed: int, location: Path, definitions: Definitions) -> tuple[Plan, list[GivenFile]]:
    random = Random(seed)

    class Archive(NoArchive):
        def known_item(self, accession: str, key: str) -> str | None:
            return random.choice([None, None, "old-1"])

        def holders_of(self, sha512: str) -> tuple[str, ...]:
            return random.choice([(), (), ("zzz-1.f1",)])

    made = {"/".join([*random.choices(FOLDERS, k=random.randint(0, 2)), random.choice(NAMES) + random.choice(ENDINGS)]) for _ in range(16)}
    paths = sorted(made)[: random.randint(0, 16)]
    files = [some_file(random, path, location) for path in paths]
    tables = [some_table(random, f"表{number}.csv", paths) for number in range(random.randint(0, 3))]
    files += [GivenFile(table.path, location, 3, 0, sha512=table.path, probe=Probe("text/csv", MediaKind.TEXT, "CSV")) for table in tables]
    defaults = random.choice([{}, {"kind": "gazetteer", "access": "public"}])
    registration = Registration(Donation(random.choice(["", "2026-1"])), defaults)
    found = plan(files, tables, registration, definitions, folder_name="捐赠", archive=Archive())
    return transcribe(found, {file.path: file for file in files}, definitions), files


def check_item(item: Item) -> None:
    """What an item refers to is in it."""
    known = {file.id for file in item.files}
    assert len(known) == len(item.files)
    assert [page.position for page in item.pages] == list(range(1, len(item.pages) + 1))
    assert len({page.id for page in item.pages}) == len(item.pages)
    assert {page.image.file for page in item.pages if page.image} <= known
    assert {text.file for page in item.pages for text in page.texts if text.file} <= known
    assert {track.media for track in item.tracks if track.media} <= known
    roots = {file.id for file in item.files if file.version_of is None}
    assert all(file.version_of is None or file.version_of in roots for file in item.files)


@pytest.mark.parametrize("start", range(0, 240, 40))
def test_any_sheets_about_any_files(start: int, tmp_path: Path, definitions: Definitions) -> None:
    location = tmp_path / "bytes"
    location.write_text("字(注\n[00:01.00]一\n[00:02]二")
    for seed in range(start, start + 40):
        found, files = some_plan(seed, location, definitions)
        assert set(found.fates) == {file.path for file in files}
        assert len({draft.item.key for draft in found.drafts}) == len(found.drafts)
        live = [draft for draft in found.drafts if not draft.refused]
        for draft in live:
            check_item(draft.item)
            assert len(draft.sources) == len(draft.item.files)
            assert all(found.fates[path].fate in (Fate.ACCEPTED, Fate.DUPLICATE) for path in draft.sources.values())
        held = {path for draft in live for path in draft.sources.values()}
        kept = {path for path, fate in found.fates.items() if fate.item and fate.fate in (Fate.ACCEPTED, Fate.DUPLICATE)}
        assert kept <= held
        assert all(fate.same_as for fate in found.fates.values() if fate.fate is Fate.DUPLICATE)
