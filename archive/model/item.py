"""`Item` and what it consists of: pages, files, text, timed text, segments, rights.

All frozen. Units: `duration`, `start`, `end` seconds; `size` bytes; `width`, `height` pixels; positions count from 1.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.model.dates import HistoricalDate
from archive.model.folios import Folio
from archive.model.rights import Rights
from archive.model.sections import Section


class FileRole(enum.Enum):
    """What a file is to its item."""

    MASTER = "master"  # 母本
    SERVICE = "service"  # 服务本
    PRINT = "print"  # 印刷用
    TEXT = "text"  # page text, libretto: a sidecar
    TIMED_TEXT = "timed_text"
    DOCUMENT = "document"
    ATTACHMENT = "attachment"


class MediaKind(enum.Enum):
    """How a file is shown."""

    IMAGE = "image"
    SOUND = "sound"
    FILM = "film"
    PDF = "pdf"
    DOCUMENT = "document"  # office documents, plain text
    TEXT = "text"
    ARCHIVE = "archive"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One original as received. `path` is inside the object's state (`originals/影像/001.png`), `received` the path inside the donation."""

    id: str
    path: str
    received: str
    size: int
    sha512: str
    media_type: str
    kind: MediaKind
    role: FileRole = FileRole.MASTER
    format: str = ""
    """What it is in words a person knows: "JPEG 2000", "VCD (MPEG-1)", "PDG (超星)"."""
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    parts: int | None = None
    """Images in a multi-page TIFF or PDF."""
    technical: Mapping[str, Any] = field(default_factory=dict)
    """Technical facts as measured: depth, colour, codecs, bit rate, EXIF … JSON values only."""
    version_of: str | None = None
    """Id of the file of the same item that this is another version of."""
    damaged: str | None = None
    """The code of what is wrong with it, when it was accepted although it does not decode whole."""
    personal: bool = False
    """ID or telephone numbers were found in it and no person has decided yet: staff only, never indexed."""
    rights: Rights = Rights()


@dataclass(frozen=True, slots=True)
class FileRef:
    """An image: a file of the item, part of a PDF or TIFF (from 1), region (x, y, width, height in pixels of the upright image)."""

    file: str
    part: int | None = None
    region: tuple[int, int, int, int] | None = None


class TextSource(enum.Enum):
    """Whose text it is."""

    DONOR = "donor"  # 捐赠者录入
    OCR = "ocr"  # 机器识别
    CORRECTED = "corrected"  # 校次
    EXTRACTED = "extracted"  # taken out of a document or PDF by a program


@dataclass(frozen=True, slots=True)
class TextLine:
    """One printed column or line. `box` is (x, y, width, height) in pixels of the upright page image; `confidence` 0 to 1."""

    text: str
    box: tuple[int, int, int, int] | None = None
    confidence: float | None = None
    kind: str = "main"
    """`main`, `note`, `heading` or `margin`."""
    cells: tuple[tuple[int, int, int, int] | None, ...] = ()
    """Box of each code point of `text`, where they are known better than by dividing `box` (`archive.model.placing`); empty otherwise."""


@dataclass(frozen=True, slots=True)
class TextVersion:
    """One reading of a page; `file` is the sidecar it came from."""

    source: TextSource
    lines: tuple[TextLine, ...]
    status: str = ""
    file: str | None = None
    by: str = ""
    at: str = ""

    @property
    def text(self) -> str:
        """The lines joined by line feeds."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Page:
    """One side of a leaf, or one image, or a leaf known to be missing (缺叶: `missing`, no image)."""

    id: str
    position: int
    image: FileRef | None = None
    folio: Folio | None = None
    label: str = ""
    """Label as the donor gave it; without one the interface says 影像第 N 面."""
    texts: tuple[TextVersion, ...] = ()
    missing: bool = False
    section: str = ""
    """门目 as the sheet or a heading gives it."""
    note: str = ""
    rights: Rights = Rights()

    @property
    def text(self) -> TextVersion | None:
        """The reading that is shown and searched: corrected before donor before extracted before OCR."""
        order = [TextSource.CORRECTED, TextSource.DONOR, TextSource.EXTRACTED, TextSource.OCR]
        return min(self.texts, key=lambda version: order.index(version.source), default=None)


@dataclass(frozen=True, slots=True)
class Cue:
    """One timed line."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """Timed text of one recording of the item (`media` is its file id); or its untimed libretto (`timed` False: cues are lines, 0 to 0)."""

    id: str
    media: str | None
    cues: tuple[Cue, ...]
    file: str | None = None
    language: str = "zh"
    timed: bool = True
    rights: Rights = Rights()


@dataclass(frozen=True, slots=True)
class Segment:
    """A described passage of a recording: an aria, a scene, an answer."""

    id: str
    media: str
    start: float
    end: float
    title: str
    kind: str = ""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rights: Rights = Rights()


@dataclass(frozen=True, slots=True)
class Item:
    """One described thing: a gazetteer, a performance, a paper. `fields` are keyed by the profile's field keys, values as printed."""

    id: str
    accession: str
    kind: str
    """Key of its profile: `gazetteer`, `han-opera`, `third-front`, `general` …"""
    collection: str
    """Slug of its holding; empty when none was given."""
    title: str
    """As on the piece; supplied titles stand in [ ]."""
    key: str = ""
    """Identity inside the accession: the sheet's identifier, else the path inside the folder."""
    date: HistoricalDate | None = None
    """The date that facets and ranges use: compiled for books, the event for others."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[MediaFile, ...] = ()
    pages: tuple[Page, ...] = ()
    tracks: tuple[Track, ...] = ()
    segments: tuple[Segment, ...] = ()
    sections: tuple[Section, ...] = ()
    """The section tree 卷 → 门 → 目: its roots in reading order."""
    rights: Rights = Rights()
    to_describe: bool = False
    """Made from files that no row names; an archivist must describe it."""
    minted: Mapping[str, int] = field(default_factory=dict)
    """Highest number minted for each letter (`p`, `f`, `s`, `t`, `x`); numbers are never used twice."""

    def file(self, id: str) -> MediaFile:
        """The file of that id; raises KeyError."""
        for file in self.files:
            if file.id == id:
                return file
        raise KeyError(id)

    def page(self, id: str) -> Page:
        """The page of that id; raises KeyError."""
        for page in self.pages:
            if page.id == id:
                return page
        raise KeyError(id)
