"""What two archives must have in common to be called equal, and a small donation of many kinds for tests of the whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import ocfl
from click.testing import CliRunner

from archive import records
from archive.assembly import Archive, open_archive
from archive.catalogue import donations, events, items
from archive.cli import main
from archive.services import objects
from archive.settings import load_settings

SEARCHES = ("考訂", "小學", "四庫", "题名:測試", "测试", "聖諭", "1782", "口述", "没有这个词")
DATA = Path(__file__).parent / "data"


def make_donation(folder: Path) -> Path:
    """The small donation, an archive of a donor's and two loose photographs: 14 files, some 300 kB."""
    shutil.copytree(DATA / "small", folder)
    messy = DATA / "sample" / "未整理(杂)"
    shutil.copy(messy / "老师拷来的.zip", folder)
    shutil.copy(messy / "exif_6.jpg", folder / "旧照.jpg")
    return folder


def answers(home: Path, queries: tuple[str, ...] = SEARCHES) -> dict[str, Any]:
    """What `fangzhi search --json` says to each query, without the time it took."""
    said = {}
    for query in queries:
        result = CliRunner().invoke(main, ["--home", str(home), "--lang", "zh", "search", query, "--json"])
        assert result.exit_code == 0, (query, result.output)
        said[query] = {key: value for key, value in json.loads(result.output).items() if key != "ms"}
    return said


def likeness(home: Path) -> dict[str, Any]:
    """Everything two equal archives share: items with parts, ids, digests and rights, tombstones, batches, events (times aside), answers."""
    archive = open_archive(load_settings(home))
    try:
        return _rows(archive) | {"objects": _objects(archive), "answers": answers(home)}
    finally:
        archive.close()


def _rows(archive: Archive) -> dict[str, Any]:
    with archive.catalogue.read() as connection:
        stored = [items.get_item(connection, item, texts=True) for item in items.item_ids(connection)]
        batches = [(b.id, b.state.value, b.summary.get("items")) for b in donations.batches(connection)]
        happened = [records.to_record(event) | {"at": ""} for event in events.read(connection)]
    standing = {s.item.id for s in stored if s is not None}
    # a rebuild does not look into the trash, so what happened there before is not compared
    happened = [event for event in happened if event["object"] in standing or event["type"] == "deaccession"]
    return {
        "items": {s.item.id: records.to_record(s.item) for s in stored if s is not None},
        "standing": {s.item.id: (s.batch, s.withdrawn_reason) for s in stored if s is not None},
        "batches": batches,
        "events": sorted(json.dumps(event, sort_keys=True, ensure_ascii=False) for event in happened),
    }


def _objects(archive: Archive) -> dict[str, Any]:
    found = {}
    for item in archive.store.items():
        versions = archive.store.versions(item)
        found[item] = [objects.originals_of(version.state) for version in versions]
    return found


def counts(home: Path) -> dict[str, int]:
    """Rows of every table that a doubled run would swell."""
    connection = sqlite3.connect(home / "catalogue.sqlite")
    try:
        tables = ("item", "page", "page_text", "file", "track", "shown", "batch", "donation", "event", "outbox")
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    finally:
        connection.close()


def invalid_objects(home: Path) -> list[str]:
    """Objects, those in the trash too, that ocfl-py, which did not write them, does not find valid."""
    roots = [path.parent for path in (home / "originals").rglob("0=ocfl_object_1.1")]
    return [str(root) for root in roots if not ocfl.Object().validate(str(root), log_warnings=False)[0]]


def leavings(home: Path) -> list[str]:
    """Files in the staging area that are no locks: work that nobody finished."""
    staging = home / "staging"
    return [str(p.relative_to(staging)) for p in staging.rglob("*") if p.is_file() and p.parent != staging / "ocfl" / "locks"]


def copy_kept(home: Path, target: Path) -> Path:
    """Only what INTERFACE.md says is to be kept."""
    target.mkdir()
    shutil.copy(home / "settings.toml", target)
    for name in ("definitions", "originals", "journal", "private"):
        shutil.copytree(home / name, target / name)
    return target


def unzipped(path: Path) -> bytes:
    """The bytes of a file, and those of its members when it is a zip (workbooks and papers are)."""
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            data += b"".join(packed.read(name) for name in packed.namelist())
    return data
