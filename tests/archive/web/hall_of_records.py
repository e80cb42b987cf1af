"""A small true archive for the tests of the web: a catalogue, originals in OCFL, and something hidden in every place where things can hide."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from archive.assembly import Archive, make_home, open_archive
from archive.catalogue.items import put_item, withdraw
from archive.model.dates import HistoricalDate, Interval
from archive.model.folios import Folio, Side
from archive.model.item import (
    Cue,
    FileRef,
    FileRole,
    Item,
    MediaFile,
    MediaKind,
    Page,
    Segment,
    TextLine,
    TextSource,
    TextVersion,
    Track,
)
from archive.model.rights import Audience, Embargo, Rights
from archive.model.sections import Section
from archive.search.documents import documents_of
from archive.services.deriving import make, missing
from archive.settings import load_settings

SMALL = Path(__file__).parents[2] / "data" / "small"
DAY = date(2026, 11, 22)
CANARY = "金絲雀密語"
"""Stands in everything hidden, and must come out nowhere."""
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"

OPEN = Rights(Audience.PUBLIC, status="公有领域")
STAFF = Rights(Audience.STAFF, reason=CANARY)
LATER = Rights(Audience.STAFF, Embargo(date(2030, 1, 1), Audience.PUBLIC))


def words(text: str, source: TextSource = TextSource.DONOR, file: str | None = None) -> TextVersion:
    return TextVersion(source, tuple(TextLine(line) for line in text.split("\n")), file=file)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def file_of(number: int, path: Path, kind: MediaKind, media_type: str, name: str | None = None, **more: Any) -> MediaFile:
    data = path.read_bytes()
    name = name or path.name
    digest = hashlib.sha512(data).hexdigest()
    return MediaFile(f"f{number}", f"originals/{name}", name, len(data), digest, media_type, kind, format=media_type, **more)


def items() -> list[tuple[Item, Mapping[str, Path]]]:
    """Every item with the bytes of its files, by path in its object."""
    scans = sorted((SMALL / "聖諭目錄_三面").glob("*.png"))
    sound = SMALL / "测试音.wav"
    found: list[tuple[Item, Mapping[str, Path]]] = []

    def add(item: Item, *paths: Path) -> None:
        found.append((item, {file.path: path for file, path in zip(item.files, paths, strict=True)}))

    sizes = [_size(path) for path in scans]
    images = [
        file_of(n, path, MediaKind.IMAGE, "image/png", width=size[0], height=size[1])
        for n, (path, size) in enumerate(zip(scans, sizes, strict=True), 1)
    ]
    closed = file_of(4, scans[0], MediaKind.IMAGE, "image/png", name=f"{CANARY}.png", width=sizes[0][0], height=sizes[0][1])
    pages = tuple(
        Page(
            f"p{n}",
            n,
            FileRef(f"f{n}"),
            Folio("一", None, str(n), Side.RECTO, verified=n == 1),
            texts=(words(path.with_suffix(".txt").read_text("utf-8").strip("\n")), words(f"机器读到的第{n}面", TextSource.OCR)),
            section="經部" if n == 2 else "",
        )
        for n, path in enumerate(scans, 1)
    )
    hidden = Page("p5", 5, FileRef("f4"), label=CANARY, texts=(words(CANARY),), note=CANARY, section=CANARY, rights=STAFF)
    embargoed = Page("p6", 6, None, label=CANARY, texts=(words(CANARY),), rights=LATER)
    add(
        Item(
            "shengyu",
            "2026-001",
            "gazetteer",
            "local-gazetteers",
            "欽定四庫全書簡明目錄·聖諭目錄",
            "shengyu",
            HistoricalDate("乾隆四十七年", (Interval(1782, 1782),)),
            {
                "title": ("欽定四庫全書簡明目錄·聖諭目錄",),
                "creator": ("永瑢", "紀昀"),
                "date": ("乾隆四十七年",),
                "place": ("京師",),
                "subject": ("目錄",),
                "description": ("文淵閣本書影三面。",),
                "donor": (CANARY,),
                "remarks": (CANARY,),
            },
            (*images, closed),
            (*pages, Page("p4", 4, None, missing=True), hidden, embargoed),
            sections=(
                Section("x1", "卷一", 1, "p1", children=(Section("x2", "經部", 2, "p2", category="艺文"), Section("x3", CANARY, 2, "p5"))),
                Section("x4", CANARY, 2, "p2", source="heading", accepted=False),
            ),
            rights=OPEN,
        ),
        *scans,
        scans[0],
    )
    tone = file_of(1, sound, MediaKind.SOUND, "audio/wav", duration=3.0)
    shut = file_of(2, sound, MediaKind.SOUND, "audio/wav", name=f"{CANARY}.wav", duration=3.0, rights=STAFF)
    roster = file_of(3, sound, MediaKind.OTHER, "application/octet-stream", name=f"{CANARY}.xlsx", personal=True)
    add(
        Item(
            "song",
            "2026-002",
            "han-opera",
            "han-opera",
            "劉玄德獨赴襄陽會",
            "song",
            None,
            {"title": ("劉玄德獨赴襄陽會",), "role": ("生",), "description": ("声音是合成的替身。",)},
            (tone, shut, roster),
            tracks=(
                Track("t1", "f1", (Cue(0.0, 1.0, "玄德公在馬上"), Cue(1.0, 2.0, "望襄陽 & <b>漢水</b> 一帶"), Cue(2.0, 3.0, "去也"))),
                Track("t2", "f1", (Cue(0, 0, "玄德公在馬上"), Cue(0, 0, "望襄陽漢水")), timed=False),
                Track("t3", "f2", (Cue(0.0, 1.0, CANARY),)),
            ),
            segments=(Segment("s1", "f1", 1.0, 2.0, "望襄陽"), Segment("s2", "f2", 0.0, 1.0, CANARY)),
            rights=OPEN,
        ),
        sound,
        sound,
        sound,
    )
    add(
        Item(
            "secret",
            "2026-003",
            "gazetteer",
            "local-gazetteers",
            CANARY,
            "secret",
            HistoricalDate(CANARY, (Interval(1111, 1111),)),
            {"title": (CANARY,), "place": (CANARY,), "subject": (CANARY,)},
            (file_of(1, scans[0], MediaKind.IMAGE, "image/png"), file_of(2, sound, MediaKind.SOUND, "audio/wav", duration=3.0)),
            (Page("p1", 1, FileRef("f1"), label=CANARY, texts=(words(CANARY),)),),
            (Track("t1", "f2", (Cue(0.0, 1.0, CANARY),)),),
            (Segment("s1", "f2", 0.0, 1.0, CANARY),),
            rights=STAFF,
        ),
        scans[0],
        sound,
    )
    add(
        Item(
            "reading-room-only",
            "2026-003",
            "general",
            "city-building",
            "館內可看的圖紙",
            "room",
            pages=(Page("p1", 1, texts=(words("城關圖說"),)),),
            rights=replace(OPEN, audience=Audience.READING_ROOM),
        )
    )
    add(
        Item(
            "hostile",
            "2026-004",
            "general",
            "city-building",
            HOSTILE,
            "hostile",
            HistoricalDate(HOSTILE),
            {"title": (HOSTILE,), "description": (HOSTILE,), "creator": (HOSTILE, "javascript:alert(3)"), "place": (HOSTILE,)},
            (file_of(1, sound, MediaKind.SOUND, "audio/wav", name="a<b>&\"'.wav", duration=3.0),),
            (Page("p1", 1, label=HOSTILE, texts=(words(HOSTILE),), note=HOSTILE, section=HOSTILE),),
            (Track("t1", "f1", (Cue(0.0, 1.0, HOSTILE),)),),
            (Segment("s1", "f1", 0.0, 1.0, HOSTILE),),
            rights=replace(OPEN, statement="javascript:alert(4)"),
        ),
        sound,
    )
    add(Item("gone", "2026-005", "general", "city-building", "撤下的信札", "gone", rights=OPEN))
    add(
        Item(
            "papers",
            "2026-006",
            "third-front",
            "third-front",
            "學兵口述（虛構）",
            "papers",
            files=(file_of(1, SMALL / "donation.toml", MediaKind.DOCUMENT, "text/plain", role=FileRole.DOCUMENT),),
            to_describe=True,
            rights=OPEN,
        ),
        SMALL / "donation.toml",
    )
    return found


def build(home: Path, *, indexed: bool = True, **settings: Any) -> Archive:
    """The archive in `home`, ready for `create_app`; without `indexed` its search index is missing."""
    make_home(home)
    chosen = replace(load_settings(home), **settings)
    archive = open_archive(chosen, now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    given = items()
    for item, paths in given:
        state: dict[str, Path | bytes | str] = {path: source.read_bytes() for path, source in paths.items()}
        state["metadata/item.json"] = b"{}"
        archive.store.add_version(item.id, state, message="ingestion 1", user="test", created="2026-11-22T00:00:00Z")
        for job in missing(item, archive.store, archive.derivatives, chosen):
            make(job)
        with archive.catalogue.write() as connection:
            put_item(connection, item, version=1, batch="1", at="2026-11-22T00:00:00Z", day=DAY)
    with archive.catalogue.write() as connection:
        withdraw(connection, "gone", at="2026-11-22T08:00:00Z", reason="捐赠者要求")
    if indexed:
        archive.index.rebuild((item.id, documents_of(item, archive.definitions, DAY)) for item, _paths in given if item.id != "gone")
    return archive
