"""Words and numbers as a page shows them, in the language in force: labels of leaves, details by profile, sizes, times, rights.

Pure but for the language. Nothing here is markup; templates escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from archive import language
from archive.language import _
from archive.model.folios import Folio, Side
from archive.model.item import FileRole, Item, MediaFile, MediaKind, Page, TextSource
from archive.model.profile import Collection, Definitions, Field, FieldType, Profile
from archive.model.rights import Audience, Rights


@dataclass(frozen=True, slots=True)
class Label:
    """What a leaf is called; `unverified` when its 卷 and 叶 were read by nobody yet (未核)."""

    text: str
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a field, with where it leads."""

    text: str
    url: str | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A field with its values, for a description list."""

    label: str
    values: tuple[Value, ...]


def english() -> bool:
    """True when the page is in English."""
    return language.current() == "en"


def folio_label(folio: Folio) -> str:
    """`卷三·叶十二下`; `juan 三, leaf 十二b` in English. Empty when nothing is known."""
    if not english():
        return folio.label()
    return folio_in_english(folio.ce, folio.juan, folio.ye, {Side.RECTO: "a", Side.VERSO: "b", None: ""}[folio.side])


def folio_in_english(ce: str | None, juan: str | None, ye: str | None, side: str) -> str:
    """`ce 二, juan 三, leaf 十二b` of what is known; `side` is a, b or empty."""
    parts = []
    if ce:
        parts.append(f"ce {ce}")
    if juan:
        parts.append(f"juan {juan}")
    if ye:
        parts.append(f"leaf {ye}{side}")
    return ", ".join(parts)


def leaf_label(page: Page) -> Label:
    """What a page is called: its folio, else the donor's label, else 影像第 N 面."""
    folio = folio_label(page.folio) if page.folio else ""
    if folio and page.folio is not None:
        return Label(folio, not page.folio.verified)
    return Label(page.label or position_label(page.position, page.image is not None or page.missing))


def position_label(position: int, pictured: bool) -> str:
    """What a page is called by its place; a page of text alone is no image."""
    return _("影像第 %(n)d 面", n=position) if pictured else _("第 %(n)d 面", n=position)


def kind_label(definitions: Definitions, kind: str) -> str:
    """The name of a material kind."""
    profile = definitions.profiles.get(kind)
    if profile is None:
        return kind
    return (profile.label_en or profile.label) if english() else profile.label


def holding_label(definitions: Definitions, slug: str) -> str:
    """The name of a holding; `未分馆藏` for none."""
    holding = definitions.collections.get(slug)
    if holding is None:
        return slug or _("未分馆藏")
    return own_words(holding)[0]


def own_words(holding: Collection) -> tuple[str, str]:
    """Name and description of a holding in the language in force."""
    if english():
        return holding.label_en or holding.label, (holding.description_en or holding.description).strip()
    return holding.label, holding.description.strip()


def direction(item: Item, profile: Profile | None) -> str:
    """`rtl` or `ltr`: the item's own reading direction, else its profile's. Never the interface's."""
    return written_direction(item.fields.get("reading-direction", ()), profile)


def written_direction(values: Iterable[str], profile: Profile | None) -> str:
    """The same of the values of the field alone."""
    for written in values:
        if written.startswith(("自右", "右起", "从右")) or written.lower() in ("rtl", "right-to-left"):
            return "rtl"
        if written.startswith(("自左", "左起", "从左")) or written.lower() in ("ltr", "left-to-right"):
            return "ltr"
    return profile.reading_direction if profile else "ltr"


_RENDERED = ("重排渲染", "不是原书影像", "非原书影像", "非原件影像", "渲染影像", "渲染图像")


def is_rendered(texts: Iterable[str]) -> bool:
    """True when a record says that its images were set anew and show no original: whoever sees one must be told."""
    return any(words in text for text in texts for words in _RENDERED)


_APART = {"title", "description", "sensitivity"}
"""Fields that a page shows in places of their own."""


def details(item: Item, definitions: Definitions) -> tuple[Row, ...]:
    """The item's fields in the order of its profile; never one that is for staff only, and never one that the profile does not know."""
    profile = definitions.profiles.get(item.kind)
    rows = []
    for field in profile.fields if profile else ():
        if field.staff_only or field.key in _APART:
            continue
        written = item.fields.get(field.key, ())
        if not written and profile is not None and field.key == profile.date_field and item.date:
            written = (item.date.written,)
        if written:
            label = (field.label_en or field.label) if english() else field.label
            rows.append(Row(label, tuple(value(text, field, definitions) for text in written)))
    return tuple(rows)


def value(text: str, field: Field, definitions: Definitions) -> Value:
    """One value as shown: a term in the reader's language, an address as a link when it is one of the web's."""
    vocabulary = definitions.vocabularies.get(field.vocabulary or "")
    term = vocabulary.term(text) if vocabulary else None
    if term is not None and english() and term.label_en:
        return Value(term.label_en)
    if field.type is FieldType.URI and is_web_address(text):
        return Value(text, text, outside=True)
    return Value(text)


def is_web_address(text: str) -> bool:
    """True for an http or https address with a host; nothing else may become a link (`javascript:` …)."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def audience_label(audience: Audience) -> str:
    """The name of an audience."""
    return {
        Audience.PUBLIC: _("公开"),
        Audience.SIGNED_IN: _("登录"),
        Audience.READING_ROOM: _("馆内"),
        Audience.ON_REQUEST: _("申请"),
        Audience.STAFF: _("馆员"),
        Audience.SEALED: _("封存"),
    }[audience]


def rights_status(item: Item, rights: Rights, definitions: Definitions) -> str:
    """The status of rights, in the words of its list; 未定 where nobody says."""
    status = rights.status or next(iter(item.fields.get("rights-status", ())), "") or "未定"
    vocabulary = definitions.vocabularies.get("rights-status")
    term = vocabulary.term(status) if vocabulary else None
    return term.label_en if term is not None and english() and term.label_en else status


def rights_lines(item: Item, rights: Rights, definitions: Definitions) -> tuple[Value, ...]:
    """What a reader may know of rights and origin: status, licence, who may see, accession."""
    lines = [Value(_("权利状态：%(status)s", status=rights_status(item, rights, definitions)))]
    if rights.statement:
        outside = is_web_address(rights.statement)
        text = _("权利声明：%(text)s", text=rights.statement)
        lines.append(Value(text, rights.statement if outside else None, outside))
    lines.append(Value(_("开放范围：%(audience)s", audience=audience_label(rights.audience or Audience.STAFF))))
    if rights.embargo is not None:
        lines.append(
            Value(_("自 %(day)s 起：%(audience)s", day=rights.embargo.until.isoformat(), audience=audience_label(rights.embargo.after)))
        )
    lines.append(Value(_("入藏登记：%(accession)s", accession=item.accession)))
    return tuple(lines)


def source_label(source: TextSource) -> str:
    """Whose text it is."""
    return {
        TextSource.DONOR: _("捐赠者录入"),
        TextSource.OCR: _("机器识别"),
        TextSource.CORRECTED: _("已校对"),
        TextSource.EXTRACTED: _("自文件中取出"),
    }[source]


def role_label(role: FileRole) -> str:
    """What a file is to its item."""
    return {
        FileRole.MASTER: _("母本"),
        FileRole.SERVICE: _("服务本"),
        FileRole.PRINT: _("印刷用"),
        FileRole.TEXT: _("文字"),
        FileRole.TIMED_TEXT: _("随声文字"),
        FileRole.DOCUMENT: _("文书"),
        FileRole.ATTACHMENT: _("附件"),
    }[role]


def media_kind_label(kind: MediaKind) -> str:
    """How a file is shown."""
    return {
        MediaKind.IMAGE: _("图像"),
        MediaKind.SOUND: _("录音"),
        MediaKind.FILM: _("影片"),
        MediaKind.PDF: "PDF",
        MediaKind.DOCUMENT: _("文书"),
        MediaKind.TEXT: _("文字"),
        MediaKind.ARCHIVE: _("压缩包"),
        MediaKind.OTHER: _("其他"),
    }[kind]


def size_in_words(size: int) -> str:
    """`3.4 MB`; decimal units, as shops and disks count."""
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def clock(seconds: float) -> str:
    """`12:05`, `1:02:03`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def local_day(at: str) -> str:
    """The local day of a UTC time as in events (`2026-11-22T21:11:49Z`)."""
    try:
        when = datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        return at[:10]
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone().date().isoformat()


def measures(file: MediaFile) -> str:
    """`2500 × 3500 像素`, `3:20`, `12 面`: what was measured of a file, in one line."""
    parts = []
    if file.width and file.height:
        parts.append(_("%(w)d × %(h)d 像素", w=file.width, h=file.height))
    if file.duration:
        parts.append(clock(file.duration))
    if file.parts and file.parts > 1:
        parts.append(_("%(n)d 面", n=file.parts))
    return _("，").join(parts)


_HAN = re.compile("[\u3400-\u9fff]")


def is_chinese(text: str) -> bool:
    """True when a Chinese character stands in it."""
    return _HAN.search(text) is not None


def file_name(path: str) -> str:
    """The last part of a path."""
    return path.rsplit("/", 1)[-1]


def joined(parts: Iterable[str]) -> str:
    """Facts side by side."""
    return " · ".join(part for part in parts if part)


def tally(items: int, pages: int, recordings: int) -> str:
    """`12 种 · 345 面 · 6 段音像`."""
    return joined(
        (
            _("%(n)s 种", n=f"{items:,}"),
            _("%(n)s 面", n=f"{pages:,}") if pages else "",
            _("%(n)s 段音像", n=f"{recordings:,}") if recordings else "",
        )
    )


def technical(file: MediaFile) -> Mapping[str, object]:
    """Technical facts fit for everyone: nothing of EXIF that tells where and by whom a picture was taken."""
    return {key: fact for key, fact in file.technical.items() if key.lower() not in ("exif", "gps", "xmp", "iptc", "tags", "comment")}
