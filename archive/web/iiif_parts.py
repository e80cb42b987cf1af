"""What the IIIF documents of the house share: addresses, recordings as canvases, texts in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from archive import language
from archive.language import _ as said
from archive.model.identifiers import file_key
from archive.model.item import FileRef, Item, MediaFile, Track
from archive.web import presenting

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
EMPTY = (1500, 2000)
"""Width and height of the canvas of a leaf that has no image."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that a manifest names. `root` is the archive's public address."""

    root: str
    item: str

    @property
    def base(self) -> str:
        return f"{self.root}/iiif/3/{self.item}"

    @property
    def manifest(self) -> str:
        return f"{self.base}/manifest"

    @property
    def page(self) -> str:
        return f"{self.root}/items/{self.item}"

    @property
    def text(self) -> str:
        return f"{self.page}/text.txt"

    @property
    def pdf(self) -> str:
        return f"{self.page}/book.pdf"

    @property
    def bibtex(self) -> str:
        return f"{self.page}/cite?format=bibtex"

    @property
    def record(self) -> str:
        return f"{self.root}/api/v1/items/{self.item}"

    @property
    def home(self) -> str:
        return f"{self.root}/"

    def canvas(self, part: str) -> str:
        return f"{self.base}/canvas/{quote(part)}"

    def annotations(self, part: str) -> str:
        return f"{self.base}/annotations/{quote(part)}"

    def leaf(self, page: str) -> str:
        return f"{self.page}/p/{quote(page)}"

    def service(self, image: FileRef, version: int = 3) -> str:
        return f"{self.root}/iiif/image/{version}/{file_key(self.item, image.file, image.part)}"

    def media(self, file: str, what: str) -> str:
        """`web`, `poster` or `original` of a file."""
        return f"{self.root}/media/{file_key(self.item, file)}/{what}"

    def cues(self, track: str) -> str:
        return f"{self.page}/cues/{quote(track)}.vtt"


@dataclass(frozen=True, slots=True)
class Sounding:
    """A recording as a canvas: `root` names all its versions together and the canvas; `media_type` None when nothing can be played."""

    root: str
    file: MediaFile
    media_type: str | None
    poster: bool
    versions: frozenset[str]


Words = dict[str, list[str]]
"""A text in languages, as IIIF writes it."""


def words(chinese: str, english: str) -> Words:
    """One text in both languages; in none when it is the same in both and not Chinese."""
    if chinese != english:
        return {"zh": [chinese], "en": [english]}
    return {"zh" if presenting.is_chinese(chinese) else "none": [chinese]}


def both(message: str, **values: Any) -> Words:
    """A text of the interface in both languages."""
    with language.in_language("zh"):
        chinese = said(message, **values)
    with language.in_language("en"):
        return words(chinese, said(message, **values))


def recording_label(file: MediaFile) -> Words:
    """The name of a recording's file; of a copy with something cut out, whose original's name is not told, what it is."""
    name = presenting.file_name(file.path)
    if name:
        return words(name, name)
    with language.in_language("zh"):
        chinese = presenting.media_kind_label(file.kind)
    with language.in_language("en"):
        return words(chinese, presenting.media_kind_label(file.kind))


def tracks_of(item: Item, sounding: Sounding, soundings: int = 1) -> list[Track]:
    """Timed text and librettos of a recording; those that name none belong to the only one."""
    only = soundings == 1
    return [track for track in item.tracks if track.media in sounding.versions or (track.media is None and only)]
