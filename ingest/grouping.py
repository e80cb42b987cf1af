"""Which files of a donation belong together when no sheet says so, and which of them are versions of one thing.

A folder of numbered scans is one item; loose recordings, documents and photographs are one item each by common stem; a VCD, DVD or
camcorder tree is one item named after its outer folder. Folders that only say what lies in them (影像, 文字, 母本) and volumes of one
work (第一册) do not divide it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.model.item import FileRole, MediaKind
from ingest.readers.order import Tail, base_of, is_series, natural_key, plain, split_name, split_side
from ingest.readers.subtitles import EXTENSIONS as TIMED_EXTENSIONS
from ingest.sectioning import TABLES, is_contents
from ingest.task import GivenFile

_BY_EXTENSION: Mapping[MediaKind, str] = {
    MediaKind.IMAGE: ".png .jpg .jpeg .jpe .jfif .tif .tiff .jp2 .j2k .jpx .bmp .gif .webp .heic .heif .pdg .dng .nef .cr2 .psd",
    MediaKind.SOUND: ".wav .mp3 .flac .m4a .wma .ogg .oga .opus .ac3 .aac .ape .aif .aiff .amr .au .ra .dsf .dff .mka",
    MediaKind.FILM: ".mp4 .avi .wmv .webm .mov .3gp .flv .mkv .dat .mpg .mpeg .vob .rm .rmvb .mts .m2ts .m4v .dv .ts .asf",
    MediaKind.PDF: ".pdf",
    MediaKind.TEXT: ".txt .xml .hocr .html .htm .md .json .csv .tsv .lrc .srt .vtt .ass .ssa .textgrid .sha256 .md5",
    MediaKind.ARCHIVE: ".zip .rar .7z .tar .gz .iso",
}
_KINDS = {extension: kind for kind, extensions in _BY_EXTENSION.items() for extension in extensions.split()}

CONTENT_FOLDERS: Mapping[str, FileRole | None] = {
    **dict.fromkeys(
        [
            "影像",
            "图像",
            "圖像",
            "图片",
            "圖片",
            "扫描",
            "掃描",
            "扫描件",
            "扫描图",
            "images",
            "image",
            "img",
            "imgs",
            "scans",
            "scan",
            "pages",
            "data",
        ],
        None,
    ),
    **dict.fromkeys(
        [
            "文字",
            "文本",
            "录文",
            "錄文",
            "转写",
            "ocr",
            "txt",
            "text",
            "texts",
            "alto",
            "page",
            "xml",
            "hocr",
            "字幕",
            "唱词",
            "歌词",
            "lrc",
            "srt",
            "vtt",
            "subtitles",
        ],
        None,
    ),
    **dict.fromkeys(
        ["音频", "音頻", "视频", "視頻", "audio", "video", "wav", "mp3", "mp4", "flac", "tif", "tiff", "jpg", "jpeg", "png", "jp2", "pdf"],
        None,
    ),
    **dict.fromkeys(["母本", "母带", "原图", "原件", "master", "masters", "original", "originals", "preservation"], FileRole.MASTER),
    **dict.fromkeys(["服务本", "浏览", "浏览图", "缩略图", "网页", "service", "access", "web", "thumbs", "thumbnails"], FileRole.SERVICE),
    **dict.fromkeys(["印刷用", "印刷", "print"], FileRole.PRINT),
}
"""Names of folders that say what lies in them, not what it is of; and the role they give their files."""

_VOLUME = re.compile(
    r"^(第?[〇零一二三四五六七八九十百\d]{1,5}[卷册冊集函]|[卷册冊函][〇零一二三四五六七八九十百\d首末上中下]{1,5}|[上中下][卷册冊]|vol(ume)?[._ ]?\d+)$",
    re.IGNORECASE,
)
_DISC_FOLDERS = frozenset(("video_ts", "audio_ts", "mpegav", "mpeg2", "avchd", "bdmv", "hvr", "mp_root"))
_DISC_COMPANIONS = _DISC_FOLDERS | {
    "jacket_p",
    "cdi",
    "ext",
    "segment",
    "vcd",
    "svcd",
    "cdda",
    "karaoke",
    "certificate",
    "private",
    "avf_info",
    "dvd_rtav",
}
_WHOLE_TEXT = re.compile(r"^(全文|全书|全書|全本|合并|合併|总文本|正文|fulltext|full[_ -]?text|all|whole)", re.IGNORECASE)


def kind_of(file: GivenFile) -> MediaKind:
    """How a file is shown: by its probe, else by its extension."""
    named_kind = _KINDS.get(split_name(file.path)[1], MediaKind.OTHER)
    if file.probe is None:
        return named_kind
    # An empty or ruined 003.png is a missing page, not a file of an unknown kind.
    ruined = file.probe.kind is MediaKind.OTHER and any(fault.fatal for fault in file.probe.faults)
    return named_kind if ruined else file.probe.kind


def name_of(file: GivenFile) -> str:
    """The last part of a file's path."""
    return file.path.rsplit("/", 1)[-1]


def folder_of(path: str) -> str:
    """The folder part of a path, empty at the top."""
    return path.rsplit("/", 1)[0] if "/" in path else ""


def is_timed(file: GivenFile) -> bool:
    """True for timed text by its extension."""
    return split_name(file.path)[1] in TIMED_EXTENSIONS


def is_text(file: GivenFile) -> bool:
    """True for a text that can stand beside a scan or a recording."""
    if is_timed(file):
        return False
    return kind_of(file) is MediaKind.TEXT or (split_name(file.path)[1] == ".hocr" and kind_of(file) is MediaKind.DOCUMENT)


def is_image(file: GivenFile) -> bool:
    """True for a picture, and for a PDF of one page, which scanners make for each page."""
    kind = kind_of(file)
    return kind is MediaKind.IMAGE or (kind is MediaKind.PDF and file.probe is not None and file.probe.parts == 1)


def is_recording(file: GivenFile) -> bool:
    """True for sound and film."""
    return kind_of(file) in (MediaKind.SOUND, MediaKind.FILM)


def is_whole_text(file: GivenFile) -> bool:
    """True for a text whose name says it holds all pages (全文.txt)."""
    return is_text(file) and _WHOLE_TEXT.match(unicodedata.normalize("NFKC", split_name(name_of(file))[0])) is not None


def is_contents_file(file: GivenFile) -> bool:
    """True for a 目录 file: what stands where in the book it lies beside."""
    stem, extension = split_name(name_of(file))
    return (is_text(file) or extension in TABLES) and is_contents(stem)


def folder_role(path: str) -> FileRole | None:
    """The role that the folders of a path give (母本/001.tif), None when they give none."""
    for folder in reversed(path.split("/")[:-1]):
        role = CONTENT_FOLDERS.get(plain(folder))
        if role is not None:
            return role
    return None


def home_of(path: str, volumes: bool = False) -> str:
    """The folder that names the thing: without folders that only say what lies in them and, with `volumes`, without those of one volume."""
    folders = path.split("/")[:-1]
    while folders and (plain(folders[-1]) in CONTENT_FOLDERS or (volumes and _VOLUME.match(plain(folders[-1])))):
        folders.pop()
    return "/".join(folders)


def volume_of(path: str) -> str:
    """The innermost folder name of a path that is a volume (第一册, 卷三), else empty."""
    return next((folder for folder in reversed(path.split("/")[:-1]) if _VOLUME.match(plain(folder))), "")


@dataclass(frozen=True, slots=True)
class Named:
    """What the name of one file says: the stem without tails and side, in which part (volume) of its item, and what the tails propose."""

    base: str
    side: str
    part: str
    tails: tuple[Tail, ...]

    @property
    def unit(self) -> tuple[str, str]:
        """Files of one unit show or sound the same page or recording."""
        return self.part, plain(self.base) + "\0" + self.side


def named(file: GivenFile, home: str, others: frozenset[str]) -> Named:
    """What the name of `file` says inside an item at `home`; `others` are the plain stems of the item's files."""
    stem = split_name(name_of(file))[0]
    base, tails = base_of(stem, others)
    side = ""
    if is_image(file):
        bare, which = split_side(base)
        base, side = (bare, which.value) if which else _bare_side(base)
    rest = folder_of(file.path)[len(home) :].strip("/")
    part = "/".join(folder for folder in rest.split("/") if folder and plain(folder) not in CONTENT_FOLDERS)
    return Named(base, side, part, tails)


def _bare_side(stem: str) -> tuple[str, str]:
    side = {"正面": "a", "正": "a", "front": "a", "背面": "b", "反面": "b", "背": "b", "back": "b"}.get(plain(stem), "")
    return ("", side) if side else (stem, "")


def stems_of(files: Iterable[GivenFile]) -> frozenset[str]:
    """Plain stems of files."""
    return frozenset(plain(split_name(name_of(file))[0]) for file in files)


@dataclass(frozen=True, slots=True)
class Group:
    """Files proposed as one item. `key` is its path inside the folder (`.` for the folder itself), `title` what its name would be.

    `disc`: the files of a disc, whose recordings are parts, never versions of each other.
    """

    key: str
    title: str
    files: tuple[GivenFile, ...]
    disc: bool = False
    home: str = ""


@dataclass(slots=True)
class _Home:
    files: list[GivenFile] = field(default_factory=list)

    def series(self) -> bool:
        others = stems_of(self.files)
        stems = {named(f, "", others).base + named(f, "", others).side for f in self.files if is_image(f)}
        return is_series(sorted(stems, key=natural_key))


def propose(files: Sequence[GivenFile], folder: str) -> tuple[Group, ...]:
    """Items for files that no row names, in natural order. `folder` is the name of the donation folder, for what lies at its top."""
    discs, rest = _discs(files, folder)
    homes: dict[str, _Home] = {}
    for file in rest:
        homes.setdefault(home_of(file.path), _Home()).files.append(file)
    groups = list(discs)
    scans: dict[str, list[GivenFile]] = {}
    for home, content in homes.items():
        if content.series():
            # Volumes of one work, each a folder of numbered scans, are one item.
            scans.setdefault(home_of(home + "/", volumes=True) if home else "", []).extend(_with_scans(content.files, home))
            taken = {file.path for file in scans[home_of(home + "/", volumes=True) if home else ""]}
            content.files = [file for file in content.files if file.path not in taken]
    groups += [_group(home, home, folder, members) for home, members in scans.items()]
    for home, content in homes.items():
        groups += _loose(home, content.files, folder, scans.get(home, []))
    return tuple(sorted(_with_twins(groups), key=lambda group: natural_key(group.files[0].path)))


def _with_twins(groups: list[Group]) -> list[Group]:
    """Join a loose book of the same name as a folder of scans beside it (县志/001.jpg …, 县志.pdf)."""
    by_key = {group.key: group for group in groups}
    if len(by_key) == len(groups):
        return groups
    joined: dict[str, Group] = {}
    for group in groups:
        if group.key in joined:
            first = joined[group.key]
            files = sorted((*first.files, *group.files), key=lambda f: natural_key(f.path))
            joined[group.key] = Group(
                first.key, first.title, tuple(files), first.disc, folder_of(first.key) if first.home != group.home else first.home
            )
        else:
            joined[group.key] = group
    return list(joined.values())


def _group(key: str, home: str, folder: str, files: Sequence[GivenFile], disc: bool = False) -> Group:
    title = key.rsplit("/", 1)[-1] if key else folder
    return Group(key or ".", _bare_title(title), tuple(sorted(files, key=lambda f: natural_key(f.path))), disc, home)


def _bare_title(name: str) -> str:
    """A folder that was an archive loses the archive's extension."""
    stem, extension = split_name(name)
    return stem if _KINDS.get(extension) is MediaKind.ARCHIVE else name


def _discs(files: Sequence[GivenFile], folder: str) -> tuple[list[Group], list[GivenFile]]:
    outers: set[str] = set()
    for file in files:
        folders = file.path.split("/")[:-1]
        for index, name in enumerate(folders):
            if name.casefold() in _DISC_FOLDERS:
                outer = folders[:index]
                if outer and outer[-1].casefold() in _DISC_COMPANIONS:
                    outer = outer[:-1]
                outers.add("/".join(outer))
                break
    taken: dict[str, list[GivenFile]] = {}
    rest = []
    for file in files:
        around = [place for place in outers if _belongs(file.path, place)]
        if around:
            taken.setdefault(max(around, key=len), []).append(file)
        else:
            rest.append(file)
    return [_group(outer, outer, folder, members, disc=True) for outer, members in taken.items()], rest


def _belongs(path: str, outer: str) -> bool:
    if outer:
        return path.startswith(outer + "/")
    return path.split("/")[0].casefold() in _DISC_COMPANIONS


def _with_scans(files: Sequence[GivenFile], home: str) -> list[GivenFile]:
    """What goes into the item of a folder of scans: its images, texts and, unless it is the donation's own folder, small companions."""
    images = [file for file in files if is_image(file)]
    others = stems_of(files)
    bases = {named(file, home, others).unit[1].split("\0")[0] for file in images}
    taken = []
    for file in files:
        base = plain(base_of(split_name(name_of(file))[0], others)[0])
        paired = (is_text(file) or is_timed(file)) and base in bases
        companion = (is_text(file) and bool(home)) or is_whole_text(file) or is_contents_file(file) or _same_pages(file, len(images))
        if is_image(file) or paired or companion:
            taken.append(file)
    return taken


def _same_pages(file: GivenFile, count: int) -> bool:
    """A PDF or TIFF with just as many pages as there are scans beside it."""
    return kind_of(file) in (MediaKind.PDF, MediaKind.IMAGE) and file.probe is not None and file.probe.parts == count and count > 1


def _loose(home: str, files: Sequence[GivenFile], folder: str, scans: Sequence[GivenFile]) -> list[Group]:
    others = stems_of(files)
    by_base: dict[str, list[tuple[GivenFile, Named]]] = {}
    for file in files:
        what = named(file, home, others)
        # What lies in a volume folder stays apart from its namesake in the next volume.
        by_base.setdefault(plain(what.base), []).append((file, what))
    groups = []
    for base, members in by_base.items():
        untailed = next((what for _file, what in members if not what.tails), None)
        whole = split_name(name_of(members[0][0]))[0]
        title = (untailed or members[0][1]).base if len(members) > 1 else _single_title(members[0][1], whole)
        key = "/".join(part for part in (home, title if base else "") if part)
        if not base:
            title = home.rsplit("/", 1)[-1] if home else folder
        found = sorted((file for file, _what in members), key=lambda f: natural_key(f.path))
        groups.append(Group(key or ".", title, tuple(found), home=home))
    return _apart(groups)


def _single_title(what: Named, stem: str) -> str:
    return what.base if what.side else stem


def _apart(groups: list[Group]) -> list[Group]:
    """Two groups whose names differ only in ways that a key cannot show keep different keys."""
    seen: dict[str, int] = {}
    out = []
    for group in groups:
        seen[group.key] = seen.get(group.key, 0) + 1
        key = group.key if seen[group.key] == 1 else f"{group.key} #{seen[group.key]}"
        out.append(Group(key, group.title, group.files, group.disc, group.home))
    return out
