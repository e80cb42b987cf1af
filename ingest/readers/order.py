"""Names of files and folders: their natural order, what they have in common, and what their tails say.

Numbers in names order things and reveal gaps; they are never taken for a 卷 or 叶 (INTERFACE: order by natural sort).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.model.folios import Side
from archive.model.item import FileRole

NaturalKey = tuple[tuple[tuple[int, int, str], ...], ...]

_DIGITS = "〇零一二三四五六七八九"
_VALUES = {**{c: n for n, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "兩": 2, "廿": 20, "卅": 30}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "[〇零一二三四五六七八九两兩十廿卅百千]+"
_UNIT_WORDS = "卷册冊叶葉页頁集期号號辑輯编編部函章回折场場盘盤面"
# 第三册, 卷十二, 三集; a bare 三 in a title (三国志) is no number.
_COUNTED = re.compile(rf"(第)({_NUMERAL})|([卷册冊叶葉函])({_NUMERAL})|({_NUMERAL})([{_UNIT_WORDS}])")
_FIRST_LAST = re.compile(r"([卷册冊])(首|末|上|中|下|终|終)")
_TOKEN = re.compile(r"\x00-?\d+\x00|\d+|[^\d\x00]+")
_FRONT = re.compile(r"^(封面|书衣|書衣|封皮|cover|front[ _-]?cover)", re.IGNORECASE)
_BACK = re.compile(r"^(封底|back[ _-]?cover)", re.IGNORECASE)
_LAST = 10**9


@lru_cache(maxsize=1 << 16)
def plain(name: str) -> str:
    """`name` for comparing: full-width forms narrowed, case folded, spaces and lost bytes out of the way."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"\s+", "", text)


def chinese_number(text: str) -> int | None:
    """The value of 十二, 二〇三, 一百零五, 廿三 or of plain digits; None for anything else."""
    text = unicodedata.normalize("NFKC", text).strip()
    if text.isdecimal():
        return int(text)
    if not text or any(c not in _VALUES and c not in _UNITS for c in text):
        return None
    if not any(c in _UNITS or c in "廿卅" for c in text):
        return int("".join(str(_VALUES[c]) for c in text))
    total, digit = 0, 0
    for c in text:
        if c in _UNITS:
            total += (digit or 1) * _UNITS[c]
            digit = 0
        elif c in "廿卅":
            total, digit = total + _VALUES[c], 0
        else:
            digit = _VALUES[c]
    return total + digit


def _counted(match: re.Match[str]) -> str:
    before, after = match[1] or match[3] or "", match[6] or ""
    value = chinese_number(match[2] or match[4] or match[5])
    return f"{before}\0{value}\0{after}"


def _component_key(name: str) -> tuple[tuple[int, int, str], ...]:
    text = plain(name)
    if _FRONT.match(text):
        return ((-1, 0, text),)
    if _BACK.match(text):
        return ((9, 0, text),)
    ranks = {"首": -1, "上": 0, "中": 1, "下": 2, "末": _LAST, "终": _LAST, "終": _LAST}
    text = _FIRST_LAST.sub(lambda m: f"{m[1]}\0{ranks[m[2]]}\0", text)
    text = _COUNTED.sub(_counted, text)
    text = re.sub(r"(正面|正)$|(背面|反面|背|反)$", lambda m: "\0000\0" if m[1] else "\0001\0", text)
    text = re.sub(r"([\d\0])(上)$|([\d\0])(下)$", lambda m: f"{m[1]}a" if m[1] else f"{m[3]}b", text)
    return tuple(_token_key(token) for token in _TOKEN.findall(text))


def _token_key(token: str) -> tuple[int, int, str]:
    token = token.strip("\0")
    try:
        return (0, int(token), "")
    except ValueError:
        return (1, 0, token)


@lru_cache(maxsize=1 << 16)
def natural_key(path: str) -> NaturalKey:
    """Sort key of a path: numbers by value (full-width and Chinese counted ones too), 卷首 before 卷一, 卷末 last, 上 before 下, 正 before 背.

    The last component is ordered by stem, its extension only breaking ties.
    """
    *folders, name = path.split("/")
    stem, extension = split_name(name)
    keys = [_component_key(folder) for folder in folders]
    return (*keys, _component_key(stem), ((1, 0, extension),), ((1, 0, name),))


@lru_cache(maxsize=1 << 16)
def split_name(name: str) -> tuple[str, str]:
    """Stem and extension (with its dot, lower case) of a file name; spaces before the dot belong to neither (`说明 .TXT`)."""
    name = name.rsplit("/", 1)[-1]
    dot = name.rfind(".")
    extension = name[dot:] if dot > 0 else ""
    if not re.fullmatch(r"\.[A-Za-z0-9]{1,10}", extension):
        return name.strip(), ""
    return name[: -len(extension)].strip(), extension.lower()


@dataclass(frozen=True, slots=True)
class Tail:
    """What the tail of a stem says: the word, and the role it proposes (None: just another version)."""

    word: str
    role: FileRole | None = None


# Words donors, scanners and editing programs hang on a name. Text tails (唱词, 歌词) are no versions but sidecars.
_TAIL_WORDS: dict[str, FileRole | None] = {
    **dict.fromkeys(("印刷用", "印刷", "打印用", "打印", "印刷版", "cmyk", "print"), FileRole.PRINT),
    **dict.fromkeys(("母本", "母带", "原始", "原件", "原版", "存档", "保存级", "master", "raw", "original"), FileRole.MASTER),
    **dict.fromkeys(
        (
            "服务本",
            "服务级",
            "网络版",
            "网页用",
            "浏览",
            "预览",
            "压缩",
            "小图",
            "缩略图",
            "低清",
            "标清",
            "试听",
            "thumb",
            "small",
            "web",
            "low",
            "lowres",
            "preview",
        ),
        FileRole.SERVICE,
    ),
    **dict.fromkeys(
        ("唱词", "歌词", "戏词", "台词", "念白", "文字稿", "文字", "字幕", "转写", "听打", "lyrics", "transcript"), FileRole.TEXT
    ),
    **dict.fromkeys(
        (
            *(
                "副本",
                "拷贝",
                "复制",
                "copy",
                "备份",
                "backup",
                "bak",
                "新",
                "旧",
                "final",
                "最终",
                "最终版",
                "修改",
                "修改版",
                "修订",
                "修订版",
            ),
            *("gbk", "gb2312", "gb18030", "utf8", "utf-8", "utf16", "utf-16", "big5", "ansi", "unicode", "繁体", "简体", "繁", "简"),
            *(
                "vcd",
                "svcd",
                "dvd",
                "dv",
                "vhs",
                "mp3",
                "mp4",
                "wav",
                "flac",
                "tif",
                "tiff",
                "jpg",
                "jpeg",
                "png",
                "jp2",
                "pdf",
                "doc",
                "docx",
            ),
            *(
                "内嵌字幕",
                "内嵌",
                "硬字幕",
                "软字幕",
                "带字幕",
                "无字幕",
                "有字幕",
                "字幕版",
                "8bit",
                "16bit",
                "24bit",
                "8位",
                "16位",
                "24位",
            ),
            *(
                "电话录音",
                "电话",
                "现场",
                "降噪",
                "修复",
                "剪辑",
                "高清",
                "超清",
                "彩色",
                "灰度",
                "黑白",
                "单声道",
                "立体声",
                "mono",
                "stereo",
            ),
            *("合订", "合订本", "合并", "全本", "多页", "multi", "multipage"),
        ),
        None,
    ),
}
_WORDS = "|".join(sorted(map(re.escape, _TAIL_WORDS), key=len, reverse=True))
_TAIL = re.compile(rf"(?:\s*[_＿－—–-]\s*|\s+)({_WORDS})$|\s*[(（\[【]({_WORDS}|\d{{1,2}})[)）\]】]$", re.IGNORECASE)


@lru_cache(maxsize=1 << 16)
def split_tails(stem: str) -> tuple[str, tuple[Tail, ...]]:
    """What remains of a stem without its tails, and the tails from the outermost in (`a_副本 (2)`: `a`, 2 and 副本)."""
    tails = []
    base = stem.strip()
    while match := _TAIL.search(base):
        rest = base[: match.start()].strip()
        if not rest:
            break
        word = match[1] or match[2]
        tails.append(Tail(word, _TAIL_WORDS.get(word.casefold())))
        base = rest
    return base, tuple(tails)


def base_of(stem: str, others: frozenset[str] = frozenset()) -> tuple[str, tuple[Tail, ...]]:
    """As `split_tails`, but a number in brackets is a tail only beside the bare name (`others`: plain stems of the same folder).

    Windows numbers a batch `照片 (1)`, `照片 (2)`; only a copy of `照片` beside `照片` itself is another version.
    """
    base, tails = split_tails(stem)
    if any(tail.word.isdecimal() for tail in tails) and plain(base) not in others:
        return stem.strip(), ()
    return base, tails


_SIDE = re.compile(r"[_ ＿-]?[(（]?(?:(正面|正|前面|front|recto)|(背面|反面|背|反|后面|back|verso))[)）]?$", re.IGNORECASE)


def split_side(stem: str) -> tuple[str, Side | None]:
    """`明信片正面` to (明信片, recto), `…背面` to verso; the stem and None for anything else."""
    match = _SIDE.search(stem)
    if match is None or not stem[: match.start()].strip():
        return stem, None
    return stem[: match.start()].strip(), Side.RECTO if match[1] else Side.VERSO


_NUMBERED = re.compile(r"^(.*?)(\d+)(?:[-_ ]?([ab上下]))?$")
_LEAF = re.compile(r"(?:^|[_ ])(\d{1,4}-\d{1,4}[ab])$|(?:^|[_ -])(\d{1,4}[ab])$", re.IGNORECASE)


def number_of(stem: str) -> tuple[str, int, str] | None:
    """(prefix, number, side letter) of a numbered stem, `扫描 ０００５` to (扫描, 5, ""); None when it does not end in a number.

    `0012_088-47a` counts by its first number: scanners number in front, people append.
    """
    text = re.sub(r"\s*\((\d{1,4})\)$", r"\1", unicodedata.normalize("NFKC", stem).strip())
    leading = re.match(r"^(\d{2,6})[_-]\D*\d+-?\d*[ab]?$", text)
    if leading:
        return "", int(leading[1]), ""
    match = _NUMBERED.match(text)
    if match is None or len(match[2]) > 9:
        return None
    return plain(match[1]).strip("_-"), int(match[2]), {"上": "a", "下": "b"}.get(match[3] or "", match[3] or "")


def leaf_label(stem: str) -> str:
    """`088-42b` of `0001_088-42b`, `12a` of `p12a`-like stems: a label as the scanner wrote it, never a 卷 or 叶; else empty."""
    match = _LEAF.search(unicodedata.normalize("NFKC", stem).strip())
    return (match[1] or match[2]) if match else ""


_LOOSE_PREFIX = re.compile(r"照片|相片|老照|photo|明信片|剪报|奖状|书信|信件|证书|地图")


def is_series(stems: Sequence[str]) -> bool:
    """True when the stems of the images of one folder are numbered scans of one thing (001 …, 扫描0001 …, IMG_0002 …).

    Most must share one prefix; a prefix that names loose things (照片1, 明信片2) makes no series. One stem alone is a series only
    when a scanner or camera named it.
    """
    numbered = [n for n in map(number_of, stems) if n is not None]
    if not numbered or len(numbered) * 10 < len(stems) * 6:
        return False
    prefixes = [prefix for prefix, _, _ in numbered]
    commonest = max(set(prefixes), key=prefixes.count)
    if _LOOSE_PREFIX.search(commonest) or prefixes.count(commonest) * 10 < len(stems) * 6:
        return False
    if prefixes.count(commonest) < 3:
        # Two pictures that merely end in numbers (校舍 1910, 校舍 1911) are two pictures.
        return commonest in _MACHINE_PREFIXES
    return True


_MACHINE_PREFIXES = frozenset(
    ("", "img", "dsc", "dscn", "dscf", "scan", "扫描", "掃描", "page", "p", "页", "頁", "image", "图像", "影像", "微信图片", "pic", "y")
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that are missing after the position `after` (index into the stems given): from `first` to `last`, both inclusive."""

    after: int
    first: int
    last: int


def gaps_and_repeats(stems: Sequence[str]) -> tuple[tuple[Gap, ...], tuple[tuple[int, int], ...]]:
    """Gaps of a numbered series in natural order, and pairs of indices that have the same number.

    Stems of another prefix than the commonest stand outside; a 12a and a 12b are no repeat; a series of a sides only is no gap.
    """
    numbered = [(i, n) for i, n in enumerate(map(number_of, stems)) if n is not None]
    prefixes = [n[0] for _, n in numbered]
    if not prefixes:
        return (), ()
    commonest = max(set(prefixes), key=prefixes.count)
    series = [(i, n[1], n[2]) for i, n in numbered if n[0] == commonest]
    gaps = []
    repeats = []
    for (i, a, a_side), (j, b, b_side) in itertools.pairwise(series):
        if b == a and a_side == b_side:
            repeats.append((i, j))
        elif b > a + 1:
            gaps.append(Gap(i, a + 1, b - 1))
    return tuple(gaps), tuple(repeats)


def common_folder(paths: Iterable[str]) -> str:
    """The innermost folder that holds all paths; empty for the donation's own folder."""
    split = [path.split("/")[:-1] for path in paths]
    if not split:
        return ""
    common = split[0]
    for other in split[1:]:
        length = 0
        for a, b in zip(common, other, strict=False):
            if a != b:
                break
            length += 1
        common = common[:length]
    return "/".join(common)
