"""A catalogue on a disk and a rich item; shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.catalogue.engine import Catalogue, open_catalogue
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


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """A new catalogue."""
    found = open_catalogue(tmp_path / "catalogue.sqlite", create=True)
    yield found
    found.close()


@pytest.fixture
def rich() -> Item:
    """An item with something in nearly every field of the model."""
    files = (
        MediaFile("f1", "originals/影像/001.png", "影像/001.png", 10, "a" * 128, "image/png", MediaKind.IMAGE, width=800, height=1200),
        MediaFile(
            "f2",
            "originals/本.pdf",
            "本.pdf",
            20,
            "b" * 128,
            "application/pdf",
            MediaKind.PDF,
            parts=3,
            technical={"part_sizes": [[10, 20], [30, 40], [5, 6]]},
        ),
        MediaFile("f3", "originals/001.txt", "001.txt", 5, "c" * 128, "text/plain", MediaKind.TEXT, FileRole.TEXT),
        MediaFile(
            "f4",
            "originals/唱.mp3",
            "唱.mp3",
            99,
            "d" * 128,
            "audio/mpeg",
            MediaKind.SOUND,
            duration=61.5,
            damaged="truncated",
            rights=Rights(status="著作权保护中"),
        ),
    )
    text = TextVersion(
        TextSource.DONOR,
        (TextLine("府志卷之一", (1, 2, 3, 4), 0.9, "heading"), TextLine("山川（大／小）")),
        "校",
        "f3",
        "王",
        "2026-01-01T00:00:00Z",
    )
    pages = (
        Page("p7", 1, FileRef("f1"), Folio("一", None, "三", Side.VERSO, True), "封面", (text,), section="山川", note="破损"),
        Page(
            "p2",
            2,
            FileRef("f2", 2),
            texts=(TextVersion(TextSource.OCR, (TextLine("漢江"),)),),
            rights=Rights(embargo=Embargo(date(2030, 1, 1), Audience.PUBLIC)),
        ),
        Page("p3", 3, missing=True),
    )
    return Item(
        "xingan-1788",
        "2026-017",
        "gazetteer",
        "local-gazetteers",
        "兴安府志",
        key="XA-1",
        date=HistoricalDate("乾隆五十三年", (Interval(1788, 1788, "year", "reign"),)),
        fields={"creator": ("李国麒", "王"), "extent": ("三十卷",)},
        files=files,
        pages=pages,
        tracks=(Track("t1", "f4", (Cue(0.0, 2.5, "大江东去"), Cue(2.5, 5.0, "浪淘尽")), "f3"),),
        segments=(Segment("s1", "f4", 1.0, 2.0, "慢板", "aria", {"metre": ("慢板",)}),),
        rights=Rights(Audience.PUBLIC, Embargo(date(2031, 5, 1), Audience.STAFF), "公有领域", "https://example.org/pd", "协议"),
        minted={"p": 7, "f": 4},
    )
