"""From the files of one item to its files, pages and tracks: what shows which page, what is another version of what, what is missing.

Texts and tracks are only placed here (empty, naming their file); the stage `transcribe` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.language import _
from archive.model.donation import Finding, Severity
from archive.model.folios import Folio, Side
from archive.model.item import FileRef, FileRole, MediaFile, MediaKind, Page, TextSource, TextVersion, Track
from archive.model.rights import Audience, Rights
from ingest.grouping import (
    Group,
    Named,
    folder_role,
    is_image,
    is_recording,
    is_text,
    is_timed,
    is_whole_text,
    kind_of,
    name_of,
    named,
    stems_of,
    volume_of,
)
from ingest.readers.order import (
    chinese_number,
    gaps_and_repeats,
    leaf_label,
    natural_key,
    plain,
    split_name,
    split_side,
)
from ingest.task import GivenFile

MOST_MISSING = 20
"""A gap of more leaves than this becomes one missing page that says how many."""

_LOSSLESS = frozenset((".tif", ".tiff", ".jp2", ".png", ".bmp", ".dng", ".psd", ".wav", ".flac", ".aif", ".aiff", ".ape"))


@dataclass(frozen=True, slots=True)
class PageRow:
    """One row of a page list with the files it names; `where` places it in words."""

    image: GivenFile | None = None
    text: GivenFile | None = None
    folio: Folio | None = None
    label: str = ""
    section: str = ""
    note: str = ""
    where: str = ""
    sheet: str | None = None
    path: str | None = None
    row: int | None = None
    rights: Rights = Rights()


@dataclass(frozen=True, slots=True)
class Drafted:
    """Files, pages and tracks with provisional ids (f1 …, p1 …, t1 …), the paths of the files, and what was found."""

    files: tuple[MediaFile, ...]
    pages: tuple[Page, ...]
    tracks: tuple[Track, ...]
    sources: Mapping[str, str]
    findings: tuple[Finding, ...]


def is_fatal(file: GivenFile) -> bool:
    """True when the file is broken or unsafe beyond keeping."""
    return file.probe is not None and any(fault.fatal for fault in file.probe.faults)


def parse_leaf(ye: str, side: str = "") -> tuple[str | None, Side | None]:
    """`42b`, `十二下`, `第3叶 上`, with a side of its own column: leaf as printed and side; what cannot be told apart stays in the leaf."""
    text = re.sub(r"\s+", "", ye)
    match = re.fullmatch(r"(?:第|叶|葉|页)?(.+?)(?:[叶葉页頁])?[-_]?(a|b|A|B|上|下|左|右|正|背|前|后|後)?(?:半[叶葉]|面)?", text)
    words = {"a": Side.RECTO, "上": Side.RECTO, "正": Side.RECTO, "前": Side.RECTO, "右": Side.RECTO}
    words |= {"b": Side.VERSO, "下": Side.VERSO, "背": Side.VERSO, "后": Side.VERSO, "後": Side.VERSO, "左": Side.VERSO}
    number, mark = (match[1], match[2]) if match else (text, None)
    if mark and chinese_number(number) is None:
        number, mark = text, None
    own = re.sub(r"\s+", "", side).lower()[:1]
    return number or None, words.get(own) or words.get((mark or "").lower())


def parse_juan(text: str) -> str | None:
    """`卷八十八`, `88`, `卷之三`, `第三卷` without the word; None when empty."""
    return re.sub(r"^第?[卷]之?|卷$|^第", "", text.strip()) or None


def parse_ce(text: str) -> str | None:
    """`第3册`, `册三` without the word; None when empty."""
    return re.sub(r"^第?[册冊]?|[册冊]$", "", text.strip()) or None


class _Item:
    """One item while it is put together."""

    def __init__(self, group: Group, roles: Mapping[str, FileRole], personal: frozenset[str]) -> None:
        self.group, self.roles, self.personal = group, roles, personal
        self.all = sorted(group.files, key=lambda f: natural_key(f.path))
        self.usable = [file for file in self.all if not is_fatal(file)]
        self.ids = {file.path: f"f{n}" for n, file in enumerate(self.usable, 1)}
        others = stems_of(self.all)
        self.names: dict[str, Named] = {file.path: named(file, group.home, others) for file in self.all}
        self.role: dict[str, FileRole] = {}
        self.version_of: dict[str, str] = {}
        self.placed: set[str] = set()
        self.pages: list[Page] = []
        self.tracks: list[Track] = []
        self.findings: list[Finding] = []
        self.sided = False

    def find(self, severity: Severity, code: str, message: str, file: GivenFile | None = None) -> None:
        where = file.path if file else self.group.key if self.group.key != "." else self.group.title
        self.findings.append(Finding(severity, code, where, message, file.path if file else None))

    # Versions

    def wanted_role(self, file: GivenFile) -> FileRole | None:
        tail = next((t.role for t in self.names[file.path].tails if t.role in (FileRole.PRINT, FileRole.MASTER, FileRole.SERVICE)), None)
        return self.roles.get(file.path) or tail or folder_role(file.path)

    def rank(self, file: GivenFile) -> tuple[object, ...]:
        """Sort key of versions of one thing, the best first: what is called the master, what has no tail, lossless, large."""
        role = self.wanted_role(file)
        probe = file.probe
        # The width of a film is that of its display; versions of one film differ in truth by lines and by bytes.
        film = kind_of(file) is MediaKind.FILM
        pixels = (probe.height or 0) * (1 if film else probe.width or 0) if probe else 0
        damaged = bool(probe and any(f.code in ("truncated", "damaged") for f in probe.faults))
        order = {FileRole.MASTER: 0, None: 1}.get(role, 2)
        tails = sum(1 for tail in self.names[file.path].tails if tail.role is not FileRole.MASTER)
        lossy = split_name(file.path)[1] not in _LOSSLESS
        return damaged, order, tails, lossy, -pixels, -file.size, natural_key(file.path)

    def versions(self, files: Sequence[GivenFile]) -> GivenFile:
        """The best of files that are the same thing; the others become its versions."""
        best, *others = sorted(files, key=self.rank)
        for other in others:
            self.version_of[other.path] = best.path
            self.role[other.path] = self.wanted_role(other) or FileRole.SERVICE
        self.role.setdefault(best.path, self.wanted_role(best) or FileRole.MASTER)
        return best

    def units(self, files: Iterable[GivenFile]) -> list[list[GivenFile]]:
        """Files by what they show, in natural order."""
        units: dict[tuple[str, str], list[GivenFile]] = {}
        for file in files:
            units.setdefault(self.names[file.path].unit, []).append(file)
        return list(units.values())

    def root_of(self, path: str) -> str:
        """The file that a version goes back to: versions of versions are versions of the one that is shown."""
        for _step in self.version_of:
            path = self.version_of.get(path, path)
        return path

    def said_versions(self, rows: Sequence[PageRow]) -> None:
        """Files that a sheet or their folder calls a service copy or a print copy, under names of their own: versions of the masters in order."""
        lesser_roles = (FileRole.SERVICE, FileRole.PRINT)
        listed = {row.image.path for row in rows if row.image is not None}
        for belongs in (is_image, is_recording):
            files = [file for file in self.usable if belongs(file)]
            roles = {f.path: self.roles.get(f.path) or folder_role(f.path) for f in files if f.path not in listed}
            said = {path: role for path, role in roles.items() if role in lesser_roles}
            masters = [unit for unit in self.units(files) if any(f.path not in said for f in unit)]
            lesser = [unit for unit in self.units(files) if all(f.path in said for f in unit)]
            if not masters or not lesser:
                continue
            paired = len(masters) == len(lesser)
            for number, unit in enumerate(lesser):
                for file in unit:
                    self.placed.add(file.path)
                    self.role[file.path] = said[file.path]
                    if paired or len(masters) == 1:
                        best = min(masters[number if paired else 0], key=self.rank)
                        self.version_of[file.path] = best.path
            if not paired and len(masters) > 1:
                message = _(
                    "母本 %(masters)d 份，服务本或印刷用 %(others)d 份，数目不同，对不上，只收不列为页。请核对。",
                    masters=len(masters),
                    others=len(lesser),
                )
                self.find(Severity.WARNING, "version-unpaired", message, lesser[0][0])

    # Pages of images

    def image_pages(self) -> None:
        """Pages of pictures, multi-page files and PDF, in natural order, with empty pages where numbers are missing."""
        pictures = [f for f in self.all if is_image(f) and f.path not in self.placed]
        books = [f for f in self.usable if kind_of(f) is MediaKind.PDF and not is_image(f) and f.path not in self.placed]
        units = self.units(pictures)
        single = [unit for unit in units if not any(_parts(f) > 1 for f in unit)]
        multiple = [[f] for unit in units if unit not in single for f in unit] + [[f] for f in books]
        shown = [self.picture(unit) for unit in single]
        self.with_gaps(shown, [unit[0] for unit in single])
        self.many(multiple, len(single) if not self.pages_before else self.pages_before)

    @property
    def pages_before(self) -> int:
        return sum(1 for page in self.pages if page.image is not None)

    def picture(self, unit: Sequence[GivenFile]) -> Page:
        """The page that one unit shows; a missing one when none of its files can be read."""
        usable = [file for file in unit if not is_fatal(file)]
        self.placed.update(file.path for file in unit)
        label = self.label(unit[0])
        if not usable:
            return Page("", 0, missing=True, label=label, note=f"影像 {name_of(unit[0])} 损坏，没有收")
        best = self.versions(usable)
        return Page("", 0, FileRef(self.ids[best.path]), self.volume(best), label)

    def label(self, file: GivenFile) -> str:
        """What the name of a file says about its page: 正面, 088-42b; never a 卷 or 叶."""
        what = self.names[file.path]
        if what.side:
            return "正面" if what.side == "a" else "背面"
        return leaf_label(what.base) or (
            "封面" if plain(what.base).startswith("封面") else "封底" if plain(what.base).startswith("封底") else ""
        )

    def volume(self, file: GivenFile) -> Folio | None:
        """册 or 卷 that a folder around the file names in so many words (第三册, 卷首)."""
        volume = plain(volume_of(file.path[len(self.group.home) :]))
        if re.search("[册冊]", volume):
            return Folio(ce=parse_ce(volume))
        return Folio(juan=parse_juan(volume)) if "卷" in volume else None

    def with_gaps(self, shown: Sequence[Page], files: Sequence[GivenFile]) -> None:
        """Add pages, and an empty one for each number that is missing within a part."""
        missing: dict[int, list[Page]] = {}
        parts: dict[str, list[int]] = {}
        for index, file in enumerate(files):
            parts.setdefault(self.names[file.path].part, []).append(index)
        for indices in parts.values():
            if len(indices) < 2 or any(self.names[files[i].path].side for i in indices):
                continue
            self.gaps(indices, files, missing)
        for index, page in enumerate(shown):
            self.pages.append(page)
            self.pages += missing.get(index, [])

    def gaps(self, indices: Sequence[int], files: Sequence[GivenFile], missing: dict[int, list[Page]]) -> None:
        stems = [self.names[files[i].path].base for i in indices]
        if len({re.sub(r"\d+", "", plain(stem)) for stem in stems}) > max(1, len(stems) // 2) and len(stems) < 4:
            return  # two or three pictures of different names are no series
        gaps, repeats = gaps_and_repeats(stems)
        if sum(gap.last - gap.first + 1 for gap in gaps) > 3 * len(stems) + MOST_MISSING:
            return  # numbers that camera or archive gave; nothing is missing
        for gap in gaps:
            pages = _missing(gap.first, gap.last)
            missing[indices[gap.after]] = pages
            name, count = name_of(files[indices[gap.after]]), gap.last - gap.first + 1
            span = str(gap.first) if count == 1 else f"{gap.first}—{gap.last}"
            message = _("影像编号在 %(name)s 之后缺 %(span)s，已留缺叶 %(count)d 面。请核对是否漏扫。", name=name, span=span, count=count)
            self.find(Severity.WARNING, "scan-gap", message, files[indices[gap.after]])
        for a, b in repeats:
            first, second = files[indices[a]], files[indices[b]]
            message = _("影像编号与 %(other)s 重复，两面都收了。请核对。", other=name_of(first))
            self.find(Severity.WARNING, "scan-repeat", message, second)

    def many(self, units: Sequence[Sequence[GivenFile]], singles: int) -> None:
        """Multi-page files: the same pages as the scans or as each other are versions, others follow as pages."""
        by_count: dict[int, list[GivenFile]] = {}
        for unit in units:
            for file in unit:
                if not is_fatal(file):
                    by_count.setdefault(_parts(file), []).append(file)
                self.placed.add(file.path)
        bases = {plain(self.names[f.path].base) for files in by_count.values() for f in files}
        for count, files in by_count.items():
            if count == singles and self.pages:
                self.same_as_scans(files)
                continue
            same = [files] if len(bases) == 1 and not self.group.disc else [[f] for f in files]
            for versions in same:
                best = self.versions(versions)
                for other in versions:
                    if other is not best:
                        message = _("与 %(other)s 同为 %(count)d 面，按同一内容的另一版本收。请核对。", other=name_of(best), count=count)
                        self.find(Severity.NOTE, "same-pages", message, other)
                self.pages += [Page("", 0, FileRef(self.ids[best.path], part if count > 1 else None)) for part in range(1, count + 1)]
            if singles and self.pages and any(kind_of(f) is MediaKind.PDF for f in files):
                message = _(
                    "散页影像 %(scans)d 面，这个文件 %(count)d 面，数目不同，两样都列为页。请核对是否同一内容。", scans=singles, count=count
                )
                self.find(Severity.WARNING, "same-pages", message, files[0])

    def same_as_scans(self, files: Sequence[GivenFile]) -> None:
        first = next((page.image.file for page in self.pages if page.image is not None), None)
        path = next((path for path, key in self.ids.items() if key == first), None)
        for file in files:
            if path is not None:
                self.version_of[file.path] = path
            self.role[file.path] = self.wanted_role(file) or FileRole.SERVICE
            message = _("与散页影像同为 %(count)d 面，看来是同一内容，作另一版本收，页按散页影像列。", count=_parts(file))
            self.find(Severity.WARNING, "same-pages", message, file)

    # Pages of a page list

    def listed_pages(self, rows: Sequence[PageRow]) -> None:
        """Pages in the order of a page list, empty leaves where 叶 are missing or an image is."""
        shown: dict[str, int] = {}
        # A list of a sides only is of images that show whole leaves.
        self.sided = len({row.folio.side for row in rows if row.folio and row.folio.side}) == 2
        by_unit = {tuple(self.names[f.path].unit): unit for unit in self.units(f for f in self.all if is_image(f)) for f in unit}
        before: PageRow | None = None
        for row in rows:
            if before is not None:
                self.leaf_gap(before, row)
            before = row
            page = Page("", 0, None, row.folio, row.label, section=row.section, note=row.note, rights=row.rights)
            if row.image is None or is_fatal(row.image):
                page = replace(page, missing=True)
            else:
                count = shown[row.image.path] = shown.get(row.image.path, 0) + 1
                unit = by_unit.get(tuple(self.names[row.image.path].unit), [row.image])
                self.listed_versions(row.image, unit, rows)
                part = count if _parts(row.image) > 1 else None
                page = replace(page, image=FileRef(self.ids[row.image.path], part))
            if row.text is not None and row.text.path in self.ids:
                self.placed.add(row.text.path)
                self.role[row.text.path] = FileRole.TEXT
                page = replace(page, texts=(TextVersion(TextSource.DONOR, (), file=self.ids[row.text.path]),))
            self.pages.append(page)
        self.leaf_repeats(rows)

    def listed_versions(self, image: GivenFile, unit: Sequence[GivenFile], rows: Sequence[PageRow]) -> None:
        """The image that the list names is the one shown; its namesakes that no row names are its versions."""
        listed = {row.image.path for row in rows if row.image is not None}
        self.placed.add(image.path)
        self.role.setdefault(image.path, self.roles.get(image.path, FileRole.MASTER))
        for other in unit:
            if other.path not in listed and not is_fatal(other) and other.path not in self.placed:
                self.placed.add(other.path)
                self.version_of[other.path] = image.path
                self.role[other.path] = self.wanted_role(other) or FileRole.SERVICE

    def leaf_gap(self, before: PageRow, row: PageRow) -> None:
        a, b = _leaf_number(before.folio), _leaf_number(row.folio)
        if a is None or b is None or before.folio is None or row.folio is None:
            self.row_scan_gap(before, row)
            return
        if (before.folio.juan, before.folio.ce) != (row.folio.juan, row.folio.ce) or b <= a + 1:
            return
        sided = self.sided
        wanted = [n for n in range(a + 1, b) if sided or n % 2 == 0]
        if not wanted:
            return
        names = [f"{n // 2}{'ab'[n % 2] if sided else ''}" for n in wanted]
        if len(wanted) > MOST_MISSING:
            note = f"缺叶 {names[0]}—{names[-1]}"
            self.pages.append(Page("", 0, missing=True, label=f"{names[0]}—{names[-1]}", note=note))
        else:
            for number, name in zip(wanted, names, strict=True):
                side = (Side.RECTO, Side.VERSO)[number % 2] if sided else None
                folio = replace(before.folio, ye=str(number // 2), side=side, verified=False)
                self.pages.append(Page("", 0, None, folio, name, missing=True))
        shown = "、".join(names[:6]) + ("…" if len(names) > 6 else "")
        message = _(
            "叶 %(before)s 之后接 %(after)s，缺 %(names)s，已留缺叶。请核对是否漏扫。", before=_leaf(before), after=_leaf(row), names=shown
        )
        self.findings.append(Finding(Severity.WARNING, "leaf-gap", row.where, message, row.path, row.sheet, row.row))

    def row_scan_gap(self, before: PageRow, row: PageRow) -> None:
        """Without 叶 the numbers of the images must serve."""
        if before.image is None or row.image is None:
            return
        stems = [self.names[f.path].base for f in (before.image, row.image)]
        gaps, _repeats = gaps_and_repeats(stems)
        for gap in gaps:
            if gap.last - gap.first < 3 * MOST_MISSING:
                self.pages += _missing(gap.first, gap.last)
                message = _("影像编号缺 %(first)d—%(last)d，已留缺叶。请核对是否漏扫。", first=gap.first, last=gap.last)
                self.findings.append(Finding(Severity.WARNING, "scan-gap", row.where, message, row.path, row.sheet, row.row))

    def leaf_repeats(self, rows: Sequence[PageRow]) -> None:
        seen: dict[tuple[object, ...], PageRow] = {}
        for row in rows:
            if row.folio is None or row.folio.ye is None:
                continue
            key = (row.folio.ce, row.folio.juan, row.folio.ye, row.folio.side)
            if key in seen:
                message = _("叶 %(leaf)s 与第 %(other)s 行重复，两面都收了。请核对。", leaf=_leaf(row), other=seen[key].row or "?")
                self.findings.append(Finding(Severity.WARNING, "leaf-repeat", row.where, message, row.path, row.sheet, row.row))
            seen.setdefault(key, row)

    def unlisted(self) -> None:
        """Images of the item that its page list forgets follow at the end."""
        left = [f for f in self.all if is_image(f) and f.path not in self.placed and _parts(f) <= 1]
        units = self.units(left)
        self.pages += [self.picture(unit) for unit in units]
        if units:
            names = "、".join(name_of(unit[0]) for unit in units[:5])
            message = _("有 %(count)d 面影像不在影像清单里（%(names)s …），已排在最后。请补进清单。", count=len(units), names=names)
            self.find(Severity.WARNING, "page-not-listed", message)

    # Recordings

    def recordings(self) -> dict[str, str]:
        """Place recordings; gives the plain base of each to the path of its master."""
        files = [file for file in self.usable if is_recording(file) and file.path not in self.placed]
        masters: dict[str, str] = {}
        units = [[f] for f in files] if self.group.disc else self.units(files)
        for unit in units:
            self.placed.update(file.path for file in unit)
            best = self.master_recording(unit)
            for file in unit:
                masters[plain(self.names[file.path].base)] = best.path
            self.durations(best, unit)
        return masters

    def master_recording(self, unit: Sequence[GivenFile]) -> GivenFile:
        """Lossless sound is better than film with lossy sound, film better than lossy sound alone."""
        sounds = [f for f in unit if kind_of(f) is MediaKind.SOUND]
        films = [f for f in unit if kind_of(f) is MediaKind.FILM]
        if not sounds or not films:
            return self.versions(unit)
        explicit = [f for f in unit if self.wanted_role(f) is FileRole.MASTER]
        best_sound, best_film = min(sounds, key=self.rank), min(films, key=self.rank)
        lossless = split_name(best_sound.path)[1] in _LOSSLESS and not self.names[best_sound.path].tails
        best = min(explicit, key=self.rank) if explicit else best_sound if lossless else best_film
        for other in unit:
            if other is not best:
                self.version_of[other.path] = best.path
                self.role[other.path] = self.wanted_role(other) or FileRole.SERVICE
        self.role[best.path] = FileRole.MASTER
        return best

    def durations(self, best: GivenFile, unit: Sequence[GivenFile]) -> None:
        length = best.probe.duration if best.probe else None
        for other in unit:
            own = other.probe.duration if other.probe else None
            if length and own and abs(own - length) > max(2.0, 0.03 * length):
                message = _(
                    "长 %(own).1f 秒，母本 %(name)s 长 %(length).1f 秒，可能不是同一内容。请核对。",
                    own=own,
                    name=name_of(best),
                    length=length,
                )
                self.find(Severity.WARNING, "version-duration", message, other)

    # Texts and documents

    def timed_texts(self, masters: Mapping[str, str]) -> None:
        for file in self.usable:
            if is_timed(file):
                self.placed.add(file.path)
                self.role[file.path] = FileRole.TIMED_TEXT
                self.tracks.append(Track("", self.recording_of(file, masters), (), self.ids[file.path]))

    def recording_of(self, file: GivenFile, masters: Mapping[str, str]) -> str | None:
        path = masters.get(plain(self.names[file.path].base))
        if path is None and len(set(masters.values())) == 1:
            path = next(iter(masters.values()))
        return self.ids[path] if path else None

    def texts(self, masters: Mapping[str, str]) -> None:
        """Place texts: beside their page, else as the libretto of their recording, else as pages of their own."""
        pages = self.pages_by_unit()
        texts = [f for f in self.usable if is_text(f) and f.path not in self.placed]
        for file in sorted(texts, key=lambda f: bool(self.names[f.path].tails)):
            index = None if is_whole_text(file) and len(self.pages) > 1 else self.page_of(file, pages)
            if index is not None:
                self.placed.add(file.path)
                self.role[file.path] = FileRole.TEXT
                version = TextVersion(TextSource.DONOR, (), file=self.ids[file.path])
                self.pages[index] = replace(self.pages[index], texts=(*self.pages[index].texts, version))
            elif masters and (plain(self.names[file.path].base) in masters or len(set(masters.values())) == 1) and not self.pages:
                self.placed.add(file.path)
                self.role[file.path] = FileRole.TEXT
                self.tracks.append(Track("", self.recording_of(file, masters), (), self.ids[file.path], timed=False))

    def pages_by_unit(self) -> dict[tuple[str, str], int]:
        paths = {key: path for path, key in self.ids.items()}
        pages: dict[tuple[str, str], int] = {}
        for index, page in enumerate(self.pages):
            if page.image is not None:
                pages.setdefault(self.names[paths[page.image.file]].unit, index)
        # A text beside a lesser version belongs to the page all the same.
        for path, best in self.version_of.items():
            if self.names[best].unit in pages:
                pages.setdefault(self.names[path].unit, pages[self.names[best].unit])
        return pages

    def page_of(self, file: GivenFile, pages: Mapping[tuple[str, str], int]) -> int | None:
        what = self.names[file.path]
        bare, side = split_side(what.base)
        for base, mark in ((what.base, ""), (bare, side.value if side else "")):
            unit = (what.part, plain(base) + "\0" + mark)
            if unit in pages:
                return pages[unit]
            elsewhere = [index for (_part, name), index in pages.items() if name == unit[1]]
            if len(elsewhere) == 1:
                return elsewhere[0]
        return None

    def documents(self) -> None:
        """Papers and leftover texts: a page without image for each page of text, so that they are read and found."""
        left = [f for f in self.usable if f.path not in self.placed and (kind_of(f) is MediaKind.DOCUMENT or is_text(f))]
        for unit in self.units(left):
            papers = [file for file in unit if not is_text(file)]
            notes = [file for file in unit if is_text(file)]
            best = self.versions(papers) if papers else notes[0]
            self.placed.update(file.path for file in unit)
            self.role.setdefault(best.path, FileRole.DOCUMENT)
            if self.role[best.path] is FileRole.MASTER:
                self.role[best.path] = FileRole.DOCUMENT
            self.document_pages(best, [f for f in notes if f is not best])

    def document_pages(self, best: GivenFile, beside: Sequence[GivenFile]) -> None:
        source = TextSource.DONOR if is_text(best) else TextSource.EXTRACTED
        count = max(1, len(best.probe.text) if best.probe and not is_text(best) else 1)
        several = len(self.pages) > 0
        for number in range(count):
            version = TextVersion(source, (), file=self.ids[best.path])
            label = split_name(name_of(best))[0] if several or is_whole_text(best) else ""
            page = Page("", 0, label=label, texts=(version,))
            if number == 0:
                for file in beside:
                    self.role[file.path] = FileRole.TEXT
                    page = replace(page, texts=(*page.texts, TextVersion(TextSource.DONOR, (), file=self.ids[file.path])))
            self.pages.append(page)

    # The whole

    def drafted(self, rows: Sequence[PageRow]) -> Drafted:
        self.said_versions(rows)
        if rows:
            self.listed_pages(rows)
        listed = len(self.pages)
        if rows:
            self.unlisted()
        self.image_pages()
        masters = self.recordings()
        self.timed_texts(masters)
        self.texts(masters)
        self.documents()
        self.version_of = {path: self.root_of(path) for path in self.version_of}
        self.proposed_versions()
        if any(row.rights != Rights() for row in rows):
            # The list says page by page who may see them; of what it forgets it says nothing.
            self.pages[listed:] = [replace(page, rights=Rights(Audience.STAFF)) for page in self.pages[listed:]]
        pages = tuple(replace(page, id=f"p{n}", position=n) for n, page in enumerate(self.extracted(), 1))
        tracks = tuple(replace(track, id=f"t{n}") for n, track in enumerate(self.tracks, 1))
        files = tuple(self.media(file) for file in self.usable)
        sources = {key: path for path, key in self.ids.items()}
        return Drafted(files, pages, tracks, sources, tuple(self.findings))

    def extracted(self) -> list[Page]:
        """Pages of PDF and the like whose text a program took out get a place for it."""
        by_id = {self.ids[file.path]: file for file in self.usable}
        pages = []
        for page in self.pages:
            file = by_id.get(page.image.file) if page.image else None
            part = (page.image.part or 1) if page.image else 1
            if file is not None and file.probe and len(file.probe.text) >= part and file.probe.text[part - 1].strip():
                version = TextVersion(TextSource.EXTRACTED, (), file=self.ids[file.path])
                page = replace(page, texts=(*page.texts, version))
            pages.append(page)
        return pages

    def proposed_versions(self) -> None:
        """One finding for the item, naming what was taken for another version of what."""
        proposed = [path for path in self.version_of if path not in self.roles]
        if proposed:
            names = "、".join(path.rsplit("/", 1)[-1] for path in proposed[:6]) + ("…" if len(proposed) > 6 else "")
            masters = "、".join(sorted({self.version_of[path].rsplit("/", 1)[-1] for path in proposed})[:3])
            message = _(
                "%(count)d 个文件看来是同一内容的另一版本（%(names)s），母本取 %(masters)s。不对的请在“用途”一栏写明。",
                count=len(proposed),
                names=names,
                masters=masters,
            )
            self.find(Severity.NOTE, "versions", message)

    def media(self, file: GivenFile) -> MediaFile:
        probe = file.probe
        role = self.roles.get(file.path) or self.role.get(file.path) or self.default_role(file)
        version = self.version_of.get(file.path)
        return MediaFile(
            id=self.ids[file.path],
            path=f"originals/{file.path}",
            received=file.path,
            size=file.size,
            sha512=file.sha512,
            media_type=probe.media_type if probe else "application/octet-stream",
            kind=kind_of(file),
            role=role,
            format=probe.format if probe else "",
            width=probe.width if probe else None,
            height=probe.height if probe else None,
            duration=probe.duration if probe else None,
            parts=probe.parts if probe else None,
            technical=probe.technical if probe else {},
            version_of=self.ids[version] if version else None,
            damaged=next((f.code for f in probe.faults if f.code in ("truncated", "damaged")), None) if probe else None,
            personal=file.path in self.personal,
        )

    def default_role(self, file: GivenFile) -> FileRole:
        if is_text(file):
            return FileRole.TEXT
        known = kind_of(file) in (MediaKind.IMAGE, MediaKind.PDF, MediaKind.SOUND, MediaKind.FILM)
        alone = len(self.usable) == 1
        return FileRole.MASTER if known or alone else FileRole.ATTACHMENT


def _parts(file: GivenFile) -> int:
    return (file.probe.parts or 1) if file.probe else 1


def _missing(first: int, last: int) -> list[Page]:
    """Empty pages for missing numbers. Their notes become part of the item, so they never depend on the language of the command."""
    if last - first + 1 > MOST_MISSING:
        return [Page("", 0, missing=True, label=f"{first}—{last}", note=f"缺影像 {first}—{last}")]
    return [Page("", 0, missing=True, note=f"缺影像 {number}") for number in range(first, last + 1)]


def _leaf_number(folio: Folio | None) -> int | None:
    """Half-leaves counted through: 42b is 85. Without a side a leaf counts as its recto."""
    number = chinese_number(folio.ye) if folio and folio.ye else None
    if number is None or folio is None:
        return None
    return number * 2 + (1 if folio.side is Side.VERSO else 0)


def _leaf(row: PageRow) -> str:
    folio = row.folio or Folio()
    return f"{folio.ye or '?'}{folio.side.value if folio.side else ''}"


def draft(
    group: Group,
    rows: Sequence[PageRow] = (),
    roles: Mapping[str, FileRole] | None = None,
    personal: frozenset[str] = frozenset(),
) -> Drafted:
    """What the files of one item are to it. `rows`: its page list; `roles`: by path, as a sheet says; `personal`: paths with personal numbers."""
    return _Item(group, roles or {}, personal).drafted(rows)
