"""Reads the texts and timed texts that `describe` placed: lines onto pages, cues onto recordings.

Of texts that say the same one is kept to be shown and searched; a whole text that repeats the pages stays a file. Nothing of a file is lost:
what is not indexed is still an original.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.errors import DecodeError
from archive.language import _
from archive.model.donation import Finding, Severity
from archive.model.item import Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion, Track
from archive.model.profile import Definitions
from archive.model.sections import Section
from archive.search.chinese import fold
from ingest import sectioning
from ingest.readers.alto import read_page_text
from ingest.readers.notes import read_leaves
from ingest.readers.order import split_name
from ingest.readers.plain_text import Decoded, read_text, text_findings
from ingest.readers.subtitles import Subtitles, form_of, language_of, parse, subtitle_findings, untimed
from ingest.readers.workbook import Unreadable, read_workbook
from ingest.task import GivenFile, ItemDraft, Plan

_GRAM = 6
"""Texts are compared by runs of so many characters: long enough to be telling, short enough to survive a misread character."""


def transcribe(plan: Plan, files: Mapping[str, GivenFile], definitions: Definitions) -> Plan:
    """The plan with the texts of its items; `files` by path. Findings of the reading are added to the drafts and to the plan."""
    drafts, findings = [], list(plan.findings)
    for made in plan.drafts:
        read, found = transcribe_item(made, files, definitions)
        drafts.append(read)
        findings += found
    return replace(plan, drafts=tuple(drafts), findings=tuple(findings))


def _without_personal(item: Item) -> Item:
    """The item without the words of files in which ID or telephone numbers were found.

    The originals are kept, for staff; their words are written nowhere else, neither into the description nor into any table, until a person
    has decided.
    """
    personal = {file.id for file in item.files if file.personal}
    if not personal:
        return item

    def open_texts(page: Page) -> Page:
        if page.image is not None and page.image.file in personal:
            return replace(page, texts=())
        # Words taken out of a paper name no file of their own: where one paper of the item is personal, none of these are kept.
        # An empty reading stays that names the file, or nothing would say that the page (its label is the file's name) is as closed as that.
        source = min(personal)
        return replace(
            page,
            texts=tuple(replace(t, lines=(), file=t.file or source) if t.file is None or t.file in personal else t for t in page.texts),
        )

    tracks = tuple(t for t in item.tracks if t.file not in personal and t.media not in personal)
    return replace(item, pages=tuple(open_texts(page) for page in item.pages), tracks=tracks)


def transcribe_item(made: ItemDraft, files: Mapping[str, GivenFile], definitions: Definitions) -> tuple[ItemDraft, tuple[Finding, ...]]:
    """One item with its texts and tracks read, and what was found while reading."""
    if made.refused:
        return made, ()
    profile = definitions.profiles.get(made.item.kind)
    reader = _Reader(made, files)
    pages = reader.pages()
    contents = reader.contents(pages)
    pages = reader.without_repeats([page for page in pages if not _is_only(page, contents)])
    stated = sectioning.of_sheet(pages)
    if profile is not None and profile.notes_layout:
        pages = reader.with_notes(pages)
    pages = [replace(page, position=number) for number, page in enumerate(pages, 1)]
    known = sectioning.categories(definitions.vocabularies.get(sectioning.CATEGORIES), fold)
    sections = reader.sections(pages, contents, stated, known, headings=profile is not None and profile.notes_layout)
    item = _without_personal(replace(made.item, pages=tuple(pages), tracks=reader.tracks(), sections=sections))
    found = (*reader.encodings(), *reader.findings)
    return replace(made, item=item, findings=(*made.findings, *found)), found


class _Reader:
    """Reads the sidecars of one item, each once."""

    def __init__(self, made: ItemDraft, files: Mapping[str, GivenFile]) -> None:
        self.item: Item = made.item
        self.media: dict[str, MediaFile] = {file.id: file for file in made.item.files}
        self.given: dict[str, GivenFile] = {key: files[path] for key, path in made.sources.items() if path in files}
        self.decoded: dict[str, Decoded | None] = {}
        self.findings: list[Finding] = []

    def find(self, severity: Severity, code: str, key: str, message: str) -> None:
        path = self.media[key].received
        self.findings.append(Finding(severity, code, path, message, path))

    # Files

    def text_of(self, key: str) -> Decoded | None:
        """The decoded text of a file, None when it cannot be read."""
        if key not in self.decoded:
            self.decoded[key] = self.read(key)
        return self.decoded[key]

    def read(self, key: str) -> Decoded | None:
        given = self.given.get(key)
        if given is None or given.location is None:
            return None
        try:
            return read_text(given.location)
        except (DecodeError, OSError) as error:
            self.find(Severity.WARNING, "text-unreadable", key, _("文字读不出来（%(reason)s），照原样保存。", reason=error))
            return None

    def encodings(self) -> Iterator[Finding]:
        """What each text was read as: damage file by file, encodings once for the item."""
        names: dict[str, list[str]] = {}
        for key, decoded in self.decoded.items():
            if decoded is None:
                continue
            path = self.media[key].received
            for finding in text_findings(decoded, path):
                if finding.code == "text-encoding":
                    names.setdefault(decoded.encoding, []).append(path)
                else:
                    yield finding
        for encoding, paths in names.items():
            message = _("%(count)d 个文本文件按 %(encoding)s 读出。", count=len(paths), encoding=encoding)
            yield Finding(Severity.NOTE, "text-encoding", paths[0], message, paths[0])

    # Pages

    def pages(self) -> list[Page]:
        """All pages with their texts filled in; versions of one page that say the same become one."""
        seen: Counter[str] = Counter()
        spread: dict[tuple[str, int], tuple[TextLine, ...]] = {}
        pages = []
        for page in self.item.pages:
            versions = []
            for version in page.texts:
                if version.file is None:
                    continue
                seen[version.file] += 1
                lines = self.lines(page, version, seen[version.file], spread)
                versions.append(replace(version, lines=lines))
            key = (page.image.file, page.image.part or 1) if page.image else None
            pages.append(replace(page, texts=tuple(v for v in versions if any(line.text.strip() for line in v.lines))))
            if key in spread:
                pages[-1] = self.with_spread(pages[-1], spread[key])
        # A paper whose words nobody can take out has no page: it is there to be downloaded.
        pages = [page for page in pages if page.image is not None or page.missing or page.texts]
        return [self.one_of_the_same(page) for page in pages]

    def with_spread(self, page: Page, lines: tuple[TextLine, ...]) -> Page:
        if any(version.source is TextSource.DONOR for version in page.texts):
            return page
        return replace(page, texts=(TextVersion(TextSource.DONOR, lines, file=None), *page.texts))

    def lines(
        self, page: Page, version: TextVersion, nth: int, spread: dict[tuple[str, int], tuple[TextLine, ...]]
    ) -> tuple[TextLine, ...]:
        assert version.file is not None
        given = self.given.get(version.file)
        if version.source is TextSource.EXTRACTED:
            texts = given.probe.text if given and given.probe else ()
            number = page.image.part or 1 if page.image and page.image.file == version.file else nth
            return _as_lines(texts[number - 1].splitlines()) if 0 < number <= len(texts) else ()
        decoded = self.text_of(version.file)
        if decoded is None:
            return ()
        if self.looks_like_markup(version.file, decoded):
            return self.boxed(page, version.file)
        leaves = decoded.leaves
        if page.image is not None and page.image.part == 1 and len(leaves) > 1:
            # A text with form feeds beside a multi-page file: one leaf a page.
            for part, leaf in enumerate(leaves, 1):
                spread[page.image.file, part] = _as_lines(replace(decoded, text=leaf).lines)
            return spread[page.image.file, 1]
        return _as_lines(decoded.lines)

    def looks_like_markup(self, key: str, decoded: Decoded) -> bool:
        extension = split_name(self.media[key].received)[1]
        return extension in (".xml", ".hocr") or (extension in (".html", ".htm") and "ocr_page" in decoded.text[:20_000])

    def boxed(self, page: Page, key: str) -> tuple[TextLine, ...]:
        """Lines with boxes of ALTO, PAGE or hOCR."""
        given = self.given[key]
        self.decoded[key] = None  # its encoding is the parser's affair
        assert given.location is not None
        try:
            return read_page_text(given.location.read_bytes(), self.size_of(page))
        except (DecodeError, OSError) as error:
            self.find(Severity.WARNING, "page-text-unreadable", key, _("不是 ALTO、PAGE 或 hOCR（%(reason)s），照原样保存。", reason=error))
            return ()

    def size_of(self, page: Page) -> tuple[int, int] | None:
        if page.image is None:
            return None
        given = self.given.get(page.image.file)
        if page.image.part and given and given.probe and len(given.probe.part_sizes) >= page.image.part:
            return given.probe.part_sizes[page.image.part - 1]
        file = self.media[page.image.file]
        return (file.width, file.height) if file.width and file.height else None

    def one_of_the_same(self, page: Page) -> Page:
        """Of readings of one page that say the same, the donor's, and of those the one with boxes; others stay files."""
        if len(page.texts) < 2:
            return page
        page = self.without_excerpts(page)
        order = {TextSource.CORRECTED: 0, TextSource.DONOR: 1, TextSource.EXTRACTED: 2, TextSource.OCR: 3}
        kept: list[TextVersion] = []
        for version in sorted(page.texts, key=lambda v: (order[v.source], not any(line.box for line in v.lines))):
            twin = next((other for other in kept if same_words(other.text, version.text)), None)
            if twin is None:
                kept.append(version)
            if version.file is not None and (twin is not None or len(kept) > 1):
                shown = self.media[kept[0].file].received if kept[0].file else ""
                if twin is not None:
                    self.find(Severity.NOTE, "text-same", version.file, _("文字与 %(other)s 相同，只索引一份。", other=shown))
                else:
                    self.find(
                        Severity.NOTE,
                        "text-differs",
                        version.file,
                        _("与 %(other)s 同属一面而文字不同，显示后者，两份都保存。请核对。", other=shown),
                    )
        return replace(page, texts=tuple(kept))

    def without_excerpts(self, page: Page) -> Page:
        """A text beside a paper that is only a part of it is left out. Beside a scan the donor's text stands, whatever a program read."""
        whole = next((v for v in page.texts if v.source is TextSource.EXTRACTED), None)
        if page.image is not None or whole is None or whole.file is None:
            return page
        kept = []
        for version in page.texts:
            if version is not whole and version.file is not None and says_within(version.text, whole.text):
                message = _("文字已在 %(other)s 之内，只索引后者。", other=self.media[whole.file].received)
                self.find(Severity.NOTE, "text-same", version.file, message)
            else:
                kept.append(version)
        return replace(page, texts=tuple(kept))

    def without_repeats(self, pages: list[Page]) -> list[Page]:
        """Leave out pages without an image whose text the other pages hold already (全文.txt, the same paper in another format)."""
        plain = [page for page in pages if page.image is not None or page.missing]
        bare = [page for page in pages if page.image is None and not page.missing]
        if not bare or not any(page.texts for page in plain):
            if len(bare) < 2:
                return pages
            plain, bare = [bare[0]], bare[1:]
        grams = {gram for page in plain for version in page.texts for gram in _grams(version.text)}
        # Words run on from page to page in the whole text.
        grams |= set(_grams("".join(page.text.text for page in plain if page.text is not None)))
        dropped = set()
        for page in bare:
            own = set(_grams(page.text.text)) if page.text else set()
            if page.text is not None and own and len(own & grams) >= 0.85 * len(own):
                dropped.add(page.id)
                if page.text.file is not None:
                    message = _("文字与各面的文字重复，照原样保存，不另索引。")
                    self.find(Severity.NOTE, "text-repeats", page.text.file, message)
        return [page for page in pages if page.id not in dropped]

    # Notes

    def with_notes(self, pages: list[Page]) -> list[Page]:
        """Kinds of lines (note, heading) and sections by headings, leaf by leaf; a note may run on into the next leaf, never over a missing one."""
        out = list(pages)
        stretch: list[int] = []
        for index, page in enumerate([*pages, None]):
            if page is not None and page.text is not None and not page.missing:
                stretch.append(index)
                continue
            self.mark(out, stretch)
            stretch = []
        return self.with_sections(out)

    def mark(self, pages: list[Page], stretch: Sequence[int]) -> None:
        texts = [pages[i].text for i in stretch]
        leaves, ended, stray = read_leaves([[line.text for line in text.lines] if text else [] for text in texts])
        for index, text, leaf in zip(stretch, texts, leaves, strict=True):
            if text is None:
                continue
            kinds = [leaf.kind(n) for n in range(len(text.lines))]
            lines = tuple(replace(line, kind=kind) if line.kind == "main" else line for line, kind in zip(text.lines, kinds, strict=True))
            versions = tuple(replace(v, lines=lines) if v is text else v for v in pages[index].texts)
            pages[index] = replace(pages[index], texts=versions)
        for number in ended:
            self.about_page(pages[stretch[number]], "note-unclosed", _("小注到下一叶末仍没有收尾括号，已在这里截断。请补括号。"))
        for number in stray:
            self.about_page(pages[stretch[number]], "note-stray", _("有收尾括号，前面却没有起首括号。请核对。"))

    def about_page(self, page: Page, code: str, message: str) -> None:
        key = page.text.file if page.text and page.text.file else page.image.file if page.image else None
        if key is not None:
            self.find(Severity.WARNING, code, key, message)

    def with_sections(self, pages: Sequence[Page]) -> list[Page]:
        """The section of a page that the sheet gives none: the last heading up to it."""
        current = ""
        out = []
        for page in pages:
            headings = [m for line in (page.text.lines if page.text else ()) for m in re.findall(r"︹(.+?)︺", line.text)]
            if page.section:
                current = page.section
            elif headings or current:
                page = replace(page, section=headings[0] if headings and not current else current)
            current = headings[-1].strip() if headings else current
            out.append(page)
        return out

    # Sections

    def contents(self, pages: Sequence[Page]) -> tuple[str, list[sectioning.ContentsRow]] | None:
        """The 目录 file of the item with its rows; None when there is none, or when it is only the text of a leaf that lists the 卷."""
        for key, file in self.media.items():
            stem, extension = split_name(file.received.rsplit("/", 1)[-1])
            if not sectioning.is_contents(stem) or extension not in (".txt", *sectioning.TABLES):
                continue
            rows = self.contents_rows(key, extension)
            stated = any(sectioning.is_place(row.where) for row in rows)
            if stated or sectioning.of_contents(rows, pages, self.image_names(pages))[0]:
                return key, rows
            if rows:
                message = _("没有一行写明位置，当作书里目录叶的文字，不作门目树。若是门目树，请在每行题名后写叶、影像序号或影像文件名。")
                self.find(Severity.NOTE, "contents-plain", key, message)
        return None

    def contents_rows(self, key: str, extension: str) -> list[sectioning.ContentsRow]:
        """What a 目录 file says; nothing when it cannot be read (the finding says so)."""
        if extension == ".txt":
            text = self.text_of(key)
            return sectioning.read_contents(text.lines) if text else []
        given = self.given.get(key)
        if given is None or given.location is None:
            return []
        try:
            sheets = [[(row.number, row.texts) for row in sheet.rows] for sheet in read_workbook(given.location)]
        except Unreadable as error:
            self.find(Severity.WARNING, error.code, key, error.message)
            return []
        return sectioning.of_sheets(sheets)

    def image_names(self, pages: Sequence[Page]) -> list[str]:
        """For each page the name of its image without the ending, empty for none."""
        return [split_name(self.media[page.image.file].received.rsplit("/", 1)[-1])[0] if page.image else "" for page in pages]

    def sections(
        self,
        pages: Sequence[Page],
        contents: tuple[str, list[sectioning.ContentsRow]] | None,
        stated: Sequence[sectioning.Heading],
        known: Mapping[str, str],
        headings: bool,
    ) -> tuple[Section, ...]:
        """The section tree: the 目录 file's, else the page list's; where it has no 门 those that the text seems to have, to be accepted."""
        if contents is not None:
            key, rows = contents
            placed, faults = sectioning.of_contents(rows, pages, self.image_names(pages))
            for row, code, message in faults:
                path = self.media[key].received
                self.findings.append(Finding(Severity.WARNING, code, f"{path} {_('第 %(row)d 行', row=row)}", message, path, row=row))
            placed = self.bounded(pages, placed)
            if placed:
                return sectioning.tree(placed, "contents", True, known, fold)
        stated = self.bounded(pages, stated)
        sheet = sectioning.tree(stated, "sheet", True, known, fold)
        # Marked headings say themselves what they are, whatever kind of thing the book was taken for.
        headings = headings or any("︹" in line.text for page in pages if page.text for line in page.text.lines)
        if not headings or any(heading.level > sectioning.JUAN for heading in stated):
            return sheet
        found = self.bounded(pages, sectioning.of_text(pages, known, fold, juan=not stated), sectioning.MOST - len(stated))
        if found:
            self.sections_proposed(pages, len(found))
        return sectioning.together(stated, found, known, fold) if stated else sectioning.tree(found, "heading", False, known, fold)

    def bounded(
        self, pages: Sequence[Page], headings: Sequence[sectioning.Heading], most: int = sectioning.MOST
    ) -> list[sectioning.Heading]:
        """The headings without the levels that are too many for one book; what is left out is told."""
        kept = sectioning.within(headings, most)
        if len(kept) < len(headings) and (key := _first_file(pages)) is not None:
            message = _(
                "卷目、门目有 %(count)d 条，一部书最多 %(most)d 条：只留下 %(kept)d 条上级的。请把书分作几件，或另附较简的目录文件。",
                count=len(headings),
                most=sectioning.MOST,
                kept=len(kept),
            )
            self.find(Severity.WARNING, "sections-many", key, message)
        return kept

    def sections_proposed(self, pages: Sequence[Page], count: int) -> None:
        key = _first_file(pages)
        if key is not None:
            message = _("正文里有 %(count)d 处像是卷目、门目的标题，已拟出门目树，待馆员核定后公开。", count=count)
            self.find(Severity.NOTE, "sections-proposed", key, message)

    # Tracks

    def tracks(self) -> tuple[Track, ...]:
        """Tracks with their cues, one of those that say the same for each recording; embedded subtitles where nothing better says it."""
        read = [track for placed in self.item.tracks if (track := self.filled(placed)) is not None]
        read += self.embedded()
        kept: list[_Read] = []
        for track in sorted(read, key=lambda r: r.worth):
            twin = next((k for k in kept if k.track.media == track.track.media and same_words(k.words, track.words)), None)
            if twin is None:
                kept.append(track)
            elif track.track.file is not None:
                other = self.media[twin.track.file].received if twin.track.file else ""
                if track.track.file != track.embedded_in:
                    self.find(Severity.NOTE, "text-same", track.track.file, _("文字与 %(other)s 相同，只索引一份。", other=other))
        order = {track.id: number for number, track in enumerate(self.item.tracks)}
        kept.sort(key=lambda r: order.get(r.track.id, len(order)))
        return tuple(replace(r.track, id=f"t{number}") for number, r in enumerate(kept, 1))

    def filled(self, track: Track) -> _Read | None:
        """A placed track with its cues; None when there is no text in it."""
        if track.file is None or (decoded := self.text_of(track.file)) is None:
            return None
        name = self.media[track.file].received
        form = form_of(split_name(name)[1], decoded.text)
        if form is None:
            track = replace(track, timed=False)
            cues = untimed(decoded.lines)
        else:
            duration = self.media[track.media].duration if track.media else None
            subtitles: Subtitles = parse(decoded.text, form, duration)
            self.findings += subtitle_findings(subtitles, name)
            cues = subtitles.cues
            track = replace(track, timed=True)
        return _Read(replace(track, cues=cues, language=language_of(cues)), form or "", "_" in name) if cues else None

    def embedded(self) -> list[_Read]:
        """Subtitles inside films, for the recording they belong to."""
        found = []
        for key, given in self.given.items():
            if given.probe is None or not given.probe.subtitles or self.media[key].kind is not MediaKind.FILM:
                continue
            media = self.media[key].version_of or key
            cues = parse(_as_srt(given.probe.subtitles), "srt", self.media[media].duration).cues
            if cues:
                found.append(_Read(Track("", media, cues, key), "embedded", False, key))
        return found


@dataclass(frozen=True, slots=True)
class _Read:
    """A track as read, and what it is worth beside others that say the same."""

    track: Track
    form: str
    tailed: bool
    embedded_in: str = ""

    @property
    def words(self) -> str:
        return "".join(cue.text for cue in self.track.cues)

    @property
    def worth(self) -> tuple[bool, int, bool]:
        """Sort key, best first: timed before untimed; forms that say where a line ends before LRC, both before embedded ones."""
        order = {"srt": 0, "vtt": 0, "ass": 0, "textgrid": 0, "lrc": 1, "embedded": 2}
        return not self.track.timed, order.get(self.form, 3), self.tailed


def _first_file(pages: Sequence[Page]) -> str | None:
    """The file of the first page with text or an image, to name a book by."""
    named = (page.text.file if page.text and page.text.file else page.image.file if page.image else None for page in pages)
    return next((key for key in named if key is not None), None)


def _is_only(page: Page, contents: tuple[str, object] | None) -> bool:
    """A page made of the 目录 file, which says what the others are."""
    return contents is not None and page.image is None and not page.missing and any(v.file == contents[0] for v in page.texts)


def _as_lines(texts: Sequence[str]) -> tuple[TextLine, ...]:
    return tuple(TextLine(text.rstrip()) for text in texts)


def _as_srt(subtitles: Sequence[tuple[float, float, str]]) -> str:
    """Embedded subtitles as SRT text, so that they pass the same checks."""

    def stamp(seconds: float) -> str:
        return f"{int(seconds // 3600):02d}:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}"

    return "\n\n".join(f"{n}\n{stamp(start)} --> {stamp(end)}\n{text}" for n, (start, end, text) in enumerate(subtitles, 1))


def _words(text: str) -> str:
    """Characters that say something: layout, punctuation and width do not."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _grams(text: str) -> Iterator[str]:
    words = _words(text)
    if len(words) <= _GRAM:
        yield words
    for start in range(len(words) - _GRAM + 1):
        yield words[start : start + _GRAM]


def says_within(part: str, whole: str) -> bool:
    """True when nearly all that `part` says stands in `whole`, which says more."""
    own = set(_grams(part))
    return len(_words(part)) < len(_words(whole)) and len(own & set(_grams(whole))) >= 0.9 * len(own)


def same_words(a: str, b: str) -> bool:
    """True when two texts say the same, up to layout, punctuation and a few misread characters."""
    x, y = _words(a), _words(b)
    if x == y:
        return True
    if min(len(x), len(y)) < 3 * _GRAM:
        return False
    first, second = set(_grams(a)), set(_grams(b))
    return len(first & second) >= 0.8 * max(len(first), len(second))
