"""Text beside a scan, in whatever encoding the donor's computer wrote: UTF-8, UTF-16, GB18030 or Big5, told apart by content.

A line of the file is a printed column. Nothing is guessed silently: the encoding found and what had to be dropped are given back.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from archive.errors import DecodeError
from archive.language import _
from archive.model.donation import Finding, Severity

MAX_TEXT_BYTES = 64 << 20
"""A text beside a scan is kilobytes, a whole gazetteer a few megabytes; more than this is no text."""

# The characters that run through Chinese prose and gazetteers in both scripts: what a right decoding is full of and a wrong one is not.
_FREQUENT = frozenset(
    "的一是了不在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"
    "來個們這國說時會過發後裡經麼學現當沒動還進樣開從實軍無長機業將兩間問並應戰頭體與產給話門論處義條題爾變總電數報結務場計資統區隊決馬書則聽卻達強難權設記類據邊張該規萬領傳師觀淸讓識帶導爭運"
    "縣州府城里廳置屬漢隋唐宋元明清魏晉武德貞觀開元天寶乾隆嘉慶光緒康熙同治道光民國東西南北山川河江志卷圖序目錄人物藝文職官學校祠祀古蹟津梁土産風俗曰也以其於為而有改省故治舊今按距至百十千步户口"
    "县厅属汉志图录艺职产风俗旧户图档案料批盒待查共第种样说明清单登记题名备注年月日"
)
_CJK = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_EXPECTED = re.compile(r"[\u0020-\u007e\n\r\t\u3000-\u303f\uff00-\uffef\u2010-\u2027\u2460-\u24ff\u25a0-\u25ff\u2ff0-\u2fff\u30fb·×℃Ⅰ-Ⅻ]")
_NEWLINES = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text as decoded. `damaged` characters could not be decoded (they read U+FFFD), `controls` control characters were dropped."""

    text: str
    encoding: str
    damaged: int = 0
    controls: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """Printed columns: line ends of every system, no blanks at line ends (indentation stays), no empty lines at the end."""
        lines = [line.rstrip() for line in _NEWLINES.split(self.text)]
        while lines and not lines[-1]:
            lines.pop()
        return tuple(lines)

    @property
    def leaves(self) -> tuple[str, ...]:
        """The text cut at form feeds, which programs write between pages; one leaf when there are none."""
        return tuple(self.text.rstrip("\f").split("\f"))


def _plausibility(text: str) -> float:
    """How much `text` looks like Chinese somebody wrote, per character; may be negative."""
    sample = text[:20_000]
    score = 0.0
    for character in sample:
        if character in _FREQUENT:
            score += 1.0
        elif _CJK.match(character):
            score += 0.2 if character <= "\u9fff" and character >= "\u4e00" else -0.5
        elif _EXPECTED.match(character):
            score += 0.1
        elif unicodedata.category(character) in ("Co", "Cn", "Cc"):
            score -= 2.0
        else:
            score -= 0.6
    return score / max(1, len(sample))


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _wide(data: bytes) -> tuple[str, str] | None:
    """UTF-16 without a mark: an even number of bytes, and one of the two orders reads as text."""
    if len(data) < 4 or len(data) % 2:
        return None
    zeros = data[:4000].count(0)
    best = max(
        (
            (text, f"UTF-16{name}")
            for name, codec in (("LE", "utf-16-le"), ("BE", "utf-16-be"))
            if (text := _strict(data, codec)) is not None
        ),
        key=lambda pair: _plausibility(pair[0]),
        default=None,
    )
    if best is None:
        return None
    # Zero bytes are no text in any of the other encodings; without them the UTF-16 reading must be clearly Chinese.
    if zeros * 20 > min(len(data), 4000) or _plausibility(best[0]) > 0.55:
        return best
    return None


def _legacy(data: bytes) -> tuple[str, str] | None:
    readings = [
        (text, name) for name, codec in (("GB18030", "gb18030"), ("Big5", "big5hkscs")) if (text := _strict(data, codec)) is not None
    ]
    return max(readings, key=lambda pair: _plausibility(pair[0]), default=None)


def _least_damaged(data: bytes) -> tuple[str, str]:
    readings = [
        (data.decode(codec, "replace"), name) for name, codec in (("UTF-8", "utf-8"), ("GB18030", "gb18030"), ("Big5", "big5hkscs"))
    ]
    return max(readings, key=lambda pair: (_plausibility(pair[0]), -pair[0].count("\ufffd")))


def _marked(data: bytes) -> tuple[str, str] | None:
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8", "UTF-8 BOM"),
        (b"\xff\xfe\x00\x00", "utf-32-le", "UTF-32LE"),
        (b"\xff\xfe", "utf-16-le", "UTF-16LE"),
        (b"\xfe\xff", "utf-16-be", "UTF-16BE"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace"), name
    return None


def _read(data: bytes) -> tuple[str, str]:
    marked = _marked(data)
    if marked:
        return marked
    utf8 = _strict(data, "utf-8")
    if utf8 is not None and "\0" not in utf8:
        return utf8, "UTF-8"
    wide = _wide(data)
    legacy = _legacy(data)
    narrow = (utf8, "UTF-8") if utf8 is not None else legacy
    if wide and (narrow is None or _plausibility(wide[0]) > _plausibility(narrow[0])):
        return wide
    return narrow or _least_damaged(data)


def decode(data: bytes) -> Decoded:
    """`data` as text. Never raises: what fits no encoding is read by the likeliest, with U+FFFD where it fails."""
    text, encoding = _read(data)
    clean = "".join(c for c in text if c in "\n\r\t\f\v\x85" or (unicodedata.category(c) != "Cc" and c != "\ufeff"))
    marks = text.count("\ufeff")
    controls = len(text) - len(clean) - marks
    return Decoded(clean, encoding, clean.count("\ufffd"), controls)


def read_text(path: Path) -> Decoded:
    """The text of a file; raises DecodeError for one too large to be text, OSError when it cannot be read."""
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise DecodeError("too-large", _("文本文件超过 %(mib)d MiB", mib=MAX_TEXT_BYTES >> 20))
    return decode(path.read_bytes())


def decode_name(raw: bytes) -> str:
    """A file name from bytes of unknown encoding (an old zip, a disk mounted wrongly): UTF-8, GB18030, Big5, else code page 437."""
    utf8 = _strict(raw, "utf-8")
    if utf8 is not None:
        return utf8
    readings = [text for codec in ("gb18030", "big5hkscs", "cp437") if (text := _strict(raw, codec)) is not None]
    return max(readings, key=_plausibility)


def text_findings(decoded: Decoded, path: str) -> tuple[Finding, ...]:
    """What an archivist must know about how a text was read."""
    findings = []
    if decoded.damaged:
        message = _(
            "按 %(encoding)s 读出，有 %(count)d 处不能解码，显示为 �。请用原软件另存为 UTF-8 后重交。",
            encoding=decoded.encoding,
            count=decoded.damaged,
        )
        findings.append(Finding(Severity.WARNING, "text-damaged", path, message, path))
    if decoded.controls:
        message = _("有 %(count)d 个控制字符（如 NUL），已去除后入库显示；原文件不变。", count=decoded.controls)
        findings.append(Finding(Severity.WARNING, "text-controls", path, message, path))
    if not decoded.encoding.startswith("UTF-8") and not decoded.damaged:
        findings.append(Finding(Severity.NOTE, "text-encoding", path, _("文本按 %(encoding)s 读出。", encoding=decoded.encoding), path))
    return tuple(findings)
