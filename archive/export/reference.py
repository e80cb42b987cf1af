"""`Reference`: what a citation needs to know of an item and of a place in it, whatever style prints it.

Names, titles and dates stand as they are on the piece. A 卷 or 叶 that nobody looked at is never part of a reference: then the place is our own
count of images, which is always true.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.chronology import reading
from archive.model.folios import Folio, Side
from archive.model.item import Item, MediaKind, Page

BOOK, ARCHIVE, ONLINE, MAP, NEWSPAPER, JOURNAL, OTHER = "M", "A", "EB", "CM", "N", "J", "Z"
"""Codes of kinds of documents (GB/T 7714-2025 annex A.1). Recordings have none of their own: what is heard online counts as a web resource."""

_FORMS = {
    "图书": BOOK,
    "地图": MAP,
    "录音": ONLINE,
    "录像": ONLINE,
    "影片": ONLINE,
    "影像资料": ONLINE,
    "口述": ONLINE,
    "口述史": ONLINE,
    "访谈": ONLINE,
    "实物": OTHER,
}
_MAIN: Mapping[str, tuple[str, ...]] = {
    BOOK: ("compiler", "creator", "sponsor"),
    MAP: ("creator", "illustrator", "contributor"),
    ONLINE: ("performer", "narrator", "creator", "troupe", "recording-body"),
    ARCHIVE: ("creator", "photographer", "sender", "narrator"),
}
"""Fields that name who is chiefly responsible, by code; the first that is filled."""
_OTHERS = (("sponsor", "修"), ("augmenter", "增修"), ("collator", "校"), ("illustrator", "绘"))
_WESTERN = re.compile(r"(?:公元)?([0-9]{4})(?:年(?:([0-9]{1,2})月(?:([0-9]{1,2})[日号]?)?)?|[-./]([0-9]{1,2})(?:[-./]([0-9]{1,2}))?)?")
_BESIDE = re.compile(r"[（(〔\[]\s*(?:公元)?([0-9]{3,4})年?\s*[)）〕\]]")
_DOUBT = re.compile(r"[?？\[［约約疑]|左右|前后|可能")


@dataclass(frozen=True, slots=True)
class Year:
    """A date for a citation: `western` `1788`, `[1875—1908]`, `1970-08-03` or empty; `printed` what else stands on the piece, or empty."""

    western: str = ""
    printed: str = ""

    @property
    def year(self) -> str:
        """The Western year alone, empty when it is not known for certain."""
        return self.western[:4] if re.fullmatch(r"[0-9]{4}(-.*)?", self.western) else ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A citation before it is printed. `part` is a 卷 or 册, `at` a leaf or image, `passage` a stretch of a recording; `accessed` is a day as YYYY-MM-DD."""

    item: str
    code: str
    title: str
    link: str
    accessed: str
    authors: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    """Names with what they did (修, 校 …)."""
    number: str = ""
    edition: str = ""
    publisher: str = ""
    holder: str = ""
    date: Year = Year()
    part: str = ""
    at: str = ""
    passage: str = ""
    recording: str = ""
    """`sound` or `film` where it is one, for forms that tell them apart."""
    archive: str = ""
    """Who makes it available: the name of this archive."""
    key: str = ""
    """Of the place in the item, for identifiers: `p3`, `t12`."""
    pictured: bool = False
    """It is a photograph."""


def reference(
    item: Item, *, link: str, accessed: str, archive: str, of: int, leaves: bool = False, page: Page | None = None, passage: str = ""
) -> Reference:
    """The reference to an item, one of its `of` pages, or a passage. `item` and `page` as this reader may see them, the item without its pages.

    `leaves`: its pages have 卷 or 叶, so it is a book, whatever else is not said of it.
    """
    code = ONLINE if passage else code_of(item, of, leaves=leaves)
    if code == ONLINE and page is not None:
        code = ARCHIVE
    part, at = place_of(page, of) if page is not None else ("", "")
    authors, taken = _authors(item, code)
    kinds = {file.kind for file in item.files}
    return Reference(
        item=item.id,
        code=code,
        title=_flat(item.title),
        link=link,
        accessed=accessed,
        authors=authors,
        others=_others(item, code, taken),
        number=_first(item, "call-number") if code == ARCHIVE else "",
        edition=_first(item, "edition", "edition-type") if code in (BOOK, MAP) else "",
        publisher=_first(item, "publisher"),
        holder=_first(item, "holder") or (archive if code == ARCHIVE else ""),
        date=_date_of(item, code),
        part=part,
        at=at,
        passage=passage,
        recording="film" if MediaKind.FILM in kinds else "sound" if MediaKind.SOUND in kinds else "",
        archive=archive,
        key=page.id if page is not None else "",
        pictured="照片" in _first(item, "form", "material-kind"),
    )


def code_of(item: Item, pages: int, *, leaves: bool = False) -> str:
    """The kind of document, from what the archivist said it is, else from what it consists of: files, and that many pages."""
    written = _first(item, "form", "material-kind")
    if written in _FORMS:
        return _FORMS[written]
    if "报" in written and written != "简报" and item.kind == "general":
        return NEWSPAPER
    if "刊" in written and item.kind == "general":
        return JOURNAL
    if item.kind == "gazetteer" or any(_first(item, key) for key in ("edition-type", "juan-count")):
        return BOOK
    if written:
        return ARCHIVE
    if leaves:
        return BOOK
    if any(file.kind in (MediaKind.SOUND, MediaKind.FILM) for file in item.files) and not pages:
        return ONLINE
    if item.kind == "han-opera" and not pages:
        return ONLINE
    return BOOK if _first(item, "publisher") else ARCHIVE


def place_of(page: Page, of: int) -> tuple[str, str]:
    """The 卷 (or 册) and the leaf with its side as printed, when a person looked at them; else our own count, `影像第12面`."""
    folio = page.folio
    pictured = page.image is not None or page.missing
    own = (f"影像第{page.position}面" if pictured else f"第{page.position}面") if of != 1 else ""
    if folio is None or not folio.verified:
        return "", own
    return _part(folio), _leaf(folio) or own


def _part(folio: Folio) -> str:
    if folio.juan:
        return folio.juan if folio.juan.startswith("卷") else f"卷{folio.juan}"
    if folio.ce:
        return folio.ce if folio.ce.startswith("册") else f"册{folio.ce}"
    return ""


def _leaf(folio: Folio) -> str:
    side = {Side.RECTO: "上", Side.VERSO: "下", None: ""}[folio.side]
    return f"叶{folio.ye}{side}" if folio.ye else ""


def _authors(item: Item, code: str) -> tuple[tuple[str, ...], str]:
    """Who is chiefly responsible, and the field that says so."""
    for key in _MAIN.get(code, ("creator", "contributor")):
        names = tuple(_flat(name) for name in item.fields.get(key, ()) if name.strip())
        if names:
            return names, key
    return (), ""


def _others(item: Item, code: str, taken: str) -> tuple[tuple[str, str], ...]:
    if code != BOOK:
        return ()
    found = []
    for key, role in _OTHERS:
        names = [_flat(name) for name in item.fields.get(key, ()) if name.strip()] if key != taken else []
        found += [(name, role) for name in names]
    return tuple(found)


def _date_of(item: Item, code: str) -> Year:
    if code == BOOK:
        cut, edition = _first(item, "date-cut"), _first(item, "edition")
        if cut:
            return year_of(cut)
        named = {(found.first, found.last) for found in reading.find(edition) if found.precision == "year"}
        if len(named) == 1:  # the edition says it, and stands before it in the citation
            return Year(str(named.pop()[0]))
    return year_of(item.date.written, full=code in (ARCHIVE, ONLINE, NEWSPAPER)) if item.date else Year()


def year_of(written: str, *, full: bool = False) -> Year:
    """A date as written, as a citation prints it (GB/T 7714-2025 7.5.4): the Western year, what else is printed in brackets after it.

    An estimate or a span stands in [ ]; what names several years or none stays as it is written. `full`: to the day, where it is written so.
    """
    text = _flat(written)
    match = _WESTERN.fullmatch(text)
    if match is not None:
        return Year(_to_the_day(match) if full else match[1])
    if re.fullmatch(r"[0-9]{4}年?[-—–~～至][0-9]{4}年?", text):
        return Year("—".join(re.findall(r"[0-9]{4}", text)))
    beside = _BESIDE.search(text)
    plain = _BESIDE.sub("", text).strip() if beside else text
    if beside and plain:
        return Year(beside[1] if not _DOUBT.search(plain) else f"[{beside[1]}]", plain)
    spans = {(found.first, found.last): found.precision for found in reading.find(text)}
    if len(spans) != 1:
        return Year("", text)
    ((first, last), precision) = next(iter(spans.items()))
    if precision == "dynasty" or first < 1:
        return Year("", text)
    western = str(first) if first == last else f"{first}—{last}"
    doubtful = first != last or _DOUBT.search(text) is not None
    bare = re.fullmatch(r"[\[［]?(?:公元)?[0-9]{4}(?:年[^0-9]{0,4})?[\]］?？]{0,2}", text) is not None
    return Year(f"[{western}]" if doubtful else western, "" if bare else text)


def _to_the_day(match: re.Match[str]) -> str:
    month, day = match[2] or match[4], match[3] or match[5]
    parts = [match[1], *(f"{int(part):02d}" for part in (month, day) if part)]
    return "-".join(parts)


def clock(seconds: float) -> str:
    """`12:05`, `1:02:03`: a moment of a recording."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"


def stretch(start: float, end: float | None) -> str:
    """`12:05-13:30`; the second is the one in which the passage ends."""
    return clock(start) if end is None else f"{clock(start)}-{clock(-(-end // 1))}"


def _first(item: Item, *keys: str) -> str:
    values: Iterable[str] = (value for key in keys for value in item.fields.get(key, ()))
    return next((_flat(value) for value in values if value.strip()), "")


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def _flat(text: str) -> str:
    """One line, nothing unprintable in it."""
    return _CONTROL.sub(" ", text).strip()
