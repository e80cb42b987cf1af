"""Items with something to hide, for the tests of seeing and reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

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
from archive.model.profile import Collection, Definitions, Field, Profile
from archive.model.rights import Audience, Embargo, Rights

DAY = date(2026, 11, 22)
OPENS = date(2027, 1, 1)
PUBLIC, STAFF, SEALED = Audience.PUBLIC, Audience.STAFF, Audience.SEALED
NOTHING, OPEN = Rights(), Rights(PUBLIC)
CLOSED = Rights(STAFF, reason="涉及张某")
LATER = Rights(STAFF, Embargo(OPENS, PUBLIC))

BOOK = Profile(
    "gazetteer", "方志", "Gazetteer", (Field("creator", "纂修者", "Compiler"), Field("donor-note", "捐赠者", "Donor", staff_only=True))
)
OPERA = Profile("han-opera", "汉调二簧", "Han opera", (Field("role", "行当", "Role"),))
DEFINITIONS = Definitions(
    profiles={"gazetteer": BOOK, "han-opera": OPERA},
    collections={
        "local-gazetteers": Collection("local-gazetteers", "地方志", "Gazetteers", order=1),
        "han-opera": Collection("han-opera", "汉调二簧", "Han opera", order=2),
        "han-opera-tapes": Collection("han-opera-tapes", "磁带", "Tapes", parent="han-opera", order=3),
    },
)


def image(number: int, rights: Rights = NOTHING, **more: object) -> MediaFile:
    file = MediaFile(
        f"f{number}", f"originals/{number}.png", f"{number}.png", 9, f"{number:0128d}", "image/png", MediaKind.IMAGE, width=80, height=120
    )
    return replace(file, rights=rights, **more)


def words(text: str, source: TextSource = TextSource.OCR, file: str | None = None) -> TextVersion:
    return TextVersion(source, (TextLine(text),), file=file)


def book(pages: int = 5, item_id: str = "book-1", rights: Rights = OPEN) -> Item:
    """A gazetteer of single images with OCR text, all open."""
    return Item(
        item_id,
        "2026-001",
        "gazetteer",
        "local-gazetteers",
        f"兴安府志 {item_id}",
        key=item_id,
        fields={"creator": ("李国麒",), "donor-note": ("张家旧藏",), "unlisted": ("电话",)},
        files=tuple(image(n) for n in range(1, pages + 1)),
        pages=tuple(Page(f"p{n}", n, FileRef(f"f{n}"), texts=(words(f"第{n}面山川"),)) for n in range(1, pages + 1)),
        rights=rights,
        minted={"p": pages, "f": pages},
    )


def with_page(item: Item, number: int, **changes: object) -> Item:
    """The item with one page (from 1) changed."""
    pages = list(item.pages)
    pages[number - 1] = replace(pages[number - 1], **changes)
    return replace(item, pages=tuple(pages))


def opera(segment: Rights = CLOSED, item_id: str = "opera-1") -> Item:
    """A recording with another version, a transcript, a libretto, a paper, and a passage (10 to 20 s) with its own rights."""
    sound = MediaFile("f1", "originals/a.wav", "a.wav", 100, "a" * 128, "audio/wav", MediaKind.SOUND, duration=60.0)
    copy = MediaFile(
        "f2", "originals/a.mp3", "a.mp3", 10, "b" * 128, "audio/mpeg", MediaKind.SOUND, FileRole.SERVICE, duration=60.0, version_of="f1"
    )
    lyrics = MediaFile("f3", "originals/a.lrc", "a.lrc", 1, "c" * 128, "text/plain", MediaKind.TEXT, FileRole.TIMED_TEXT)
    libretto = MediaFile("f4", "originals/a_唱词.txt", "a_唱词.txt", 1, "d" * 128, "text/plain", MediaKind.TEXT, FileRole.TIMED_TEXT)
    paper = MediaFile("f5", "originals/稿.docx", "稿.docx", 1, "e" * 128, "application/msword", MediaKind.DOCUMENT, FileRole.DOCUMENT)
    picture = image(6)
    other = MediaFile("f7", "originals/b.wav", "b.wav", 100, "f" * 128, "audio/wav", MediaKind.SOUND, duration=30.0)
    cues = (Cue(0, 9.5, "开场"), Cue(9.5, 12, "跨入密处"), Cue(12, 14, "密中"), Cue(19, 25, "跨出密处"), Cue(25, 30, "收场"))
    return Item(
        item_id,
        "2026-002",
        "han-opera",
        "han-opera-tapes",
        "文王访贤",
        fields={"role": ("净",)},
        files=(sound, copy, lyrics, libretto, paper, picture, other),
        tracks=(
            Track("t1", "f1", cues, "f3"),
            Track("t2", "f1", (Cue(0, 0, "开场"), Cue(0, 0, "密中")), "f4", timed=False),
            Track("t3", "f7", (Cue(0, 5, "另一段"),)),
        ),
        segments=(
            Segment("s1", "f1", 0, 10, "引子", fields={"role": ("净",), "phone": ("0915",)}),
            Segment("s2", "f1", 10, 20, "密谈", rights=segment),
            Segment("s3", "f1", 12, 15, "密谈中的一句"),
        ),
        rights=Rights(PUBLIC),
    )
