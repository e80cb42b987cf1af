"""Text out of office documents and plain text, for searching and reading; the originals are kept as they came.

Zip-based formats are read with the standard library and defusedxml under a limit on what they unpack to; spreadsheets by calamine; RTF, and the
text of Word 97 and PowerPoint 97 files, by small readers of our own that look for text and nothing else.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from archive.derivatives import formats
from archive.derivatives.ole2 import CompoundFile
from archive.errors import DecodeError

MAX_MEMBER = 256 << 20
"""Bytes one part of a document may unpack to."""
MAX_TEXT = 20_000_000
"""Characters kept of one document."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_T = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Without control characters and lone surrogates, line ends as line feeds, at most MAX_TEXT characters."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:MAX_TEXT].strip("\n")


def text_of(path: Path, key: str) -> tuple[str, ...] | None:
    """The text of a document of the format `key`, one string a page, slide or sheet; None when no reader of ours knows the format.

    Raises DecodeError `encrypted`, `bomb` or `damaged`.
    """
    reader = _READERS.get(key)
    if reader is None:
        return None
    try:
        return tuple(clean(part) for part in reader(path))
    except (
        zipfile.BadZipFile,
        zlib.error,
        ParseError,
        DefusedXmlException,
        KeyError,
        EOFError,
        NotImplementedError,
        struct.error,
        IndexError,
    ) as error:
        raise DecodeError("damaged", f"{type(error).__name__}: {error}"[:200]) from error
    except RuntimeError as error:  # zipfile's way of asking for a password
        raise DecodeError("encrypted", str(error)[:200]) from error


def plain_text(data: bytes) -> tuple[str, str]:
    """(text, encoding). UTF-8, UTF-16 with or without mark, GB18030, Big5; raises DecodeError when none fits."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif data.startswith(b"\xef\xbb\xbf"):
        candidates = ["utf-8-sig"]
    elif 0 in data[: formats.HEAD]:
        candidates = [formats.utf16_of(data[: formats.HEAD]) or "utf-8"]
    else:
        candidates = ["utf-8", *_chinese(data)]
    for encoding in candidates:
        try:
            return clean(data.decode(encoding)), encoding
        except UnicodeDecodeError:
            continue
    raise DecodeError("damaged", "no known encoding")


def _chinese(data: bytes) -> list[str]:
    """GB18030 and Big5, the likelier first: by how many characters are of the commonest ideographs and full-width signs."""

    def score(encoding: str) -> float:
        text = data[:20000].decode(encoding, "ignore")
        wide = [character for character in text if character >= "\x80"]
        common = sum(character in _COMMON for character in wide)
        return common / (len(wide) or 1)

    return sorted(("gb18030", "big5"), key=score, reverse=True)


_COMMON = frozenset(
    "的一是不了在人有我他这这個个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发当没成只如事把还用第样道想作种開開关美山水州縣县府志卷城江河西南北東东門门不為無无其曰者也故相及與与所此則则，。、：；「」『』（）《》！？　"
)


def _members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not wanted(info.filename):
                continue
            if info.flag_bits & 1:
                raise DecodeError("encrypted", info.filename)
            if info.file_size > MAX_MEMBER:
                raise DecodeError("bomb", f"{info.filename}: {info.file_size}")
            with archive.open(info) as stream:
                data = stream.read(MAX_MEMBER + 1)
            if len(data) > MAX_MEMBER:
                raise DecodeError("bomb", info.filename)
            yield info.filename, data


def _parse(data: bytes) -> Element:
    root: Element = defusedxml.ElementTree.fromstring(data)
    return root


def _docx(path: Path) -> list[str]:
    (_name, data), *_rest = _members(path, lambda name: name == "word/document.xml")
    return ["\n".join(_word_paragraph(paragraph) for paragraph in _parse(data).iter(f"{_W}p"))]


def _word_paragraph(paragraph: Element) -> str:
    parts = []
    for node in paragraph.iter():
        if node.tag == f"{_W}t":
            parts.append(node.text or "")
        elif node.tag == f"{_W}tab":
            parts.append("\t")
        elif node.tag in (f"{_W}br", f"{_W}cr"):
            parts.append("\n")
    return "".join(parts)


def _pptx(path: Path) -> list[str]:
    def number(name: str) -> int:
        return int(re.sub(r"\D", "", name.rpartition("/")[2]) or 0)

    slides = _members(path, lambda name: re.fullmatch(r"ppt/slides/slide\d+\.xml", name) is not None)
    ordered = sorted(slides, key=lambda member: number(member[0]))
    return ["\n".join("".join(t.text or "" for t in p.iter(f"{_A}t")) for p in _parse(data).iter(f"{_A}p")) for _name, data in ordered]


def _open_document(path: Path) -> list[str]:
    _refuse_encrypted_odf(path)
    (_name, data), *_rest = _members(path, lambda name: name == "content.xml")
    blocks = (node for node in _parse(data).iter() if node.tag in (f"{_T}p", f"{_T}h"))
    return ["\n".join(_odf_text(block) for block in blocks)]


def _refuse_encrypted_odf(path: Path) -> None:
    for _name, data in _members(path, lambda name: name == "META-INF/manifest.xml"):
        if b"encryption-data" in data:
            raise DecodeError("encrypted", "OpenDocument")


def _odf_text(node: Element) -> str:
    parts = [node.text or ""]
    for child in node:
        if child.tag == f"{_T}s":
            parts.append(" " * min(1000, int(child.get(f"{_T}c", "1") or 1)))
        elif child.tag == f"{_T}tab":
            parts.append("\t")
        elif child.tag == f"{_T}line-break":
            parts.append("\n")
        elif child.tag not in (f"{_T}p", f"{_T}h"):
            parts.append(_odf_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _sheets(path: Path) -> list[str]:
    import python_calamine

    if zipfile.is_zipfile(path):
        for _member in _members(path, lambda name: name.endswith((".xml", ".bin"))):
            pass  # unpacked once under our limit before calamine does it without one
        _refuse_encrypted_odf(path)
    try:
        with path.open("rb") as stream:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            return [f"{name}\n" + "\n".join(_row(row) for row in book.get_sheet_by_name(name).iter_rows()) for name in book.sheet_names]
    except python_calamine.PasswordError as error:
        raise DecodeError("encrypted", str(error)) from error
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise DecodeError("damaged", str(error)[:200]) from error


def _row(row: Sequence[object]) -> str:
    def cell(value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)

    return "\t".join(cell(value) for value in row).rstrip("\t")


_RTF = re.compile(rb"\\'([0-9a-fA-F]{2})|\\([a-z]+)(-?\d+)? ?|\\([^a-z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.IGNORECASE)
_RTF_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object themedata colorschememapping datastore listtable listoverridetable rsidtbl generator latentstyles xmlnstbl header footer fldinst".split()
)
_RTF_SIGNS = {
    b"par": "\n",
    b"line": "\n",
    b"tab": "\t",
    b"row": "\n",
    b"cell": "\t",
    b"sect": "\n",
    b"page": "\n",
    b"emdash": "—",
    b"endash": "–",
}
_RTF_SIGNS |= {b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•"}


def _rtf(path: Path) -> list[str]:
    """Text of a rich text file: groups that hold no text skipped, bytes in its code page, `\\u` escapes with their fallback dropped."""
    data = path.read_bytes()[:MAX_MEMBER]
    match = re.search(rb"\\ansicpg(\d+)", data[:4096])
    encoding = {b"936": "gb18030", b"950": "big5", b"932": "shift_jis", b"65001": "utf-8"}.get(match.group(1) if match else b"", "gb18030")
    out: list[str] = []
    pending = bytearray()
    stack: list[tuple[bool, int]] = []
    skipping, fallback, drop = False, 1, 0

    def flush() -> None:
        if pending:
            out.append(pending.decode(encoding, "replace"))
            pending.clear()

    for code, word, number, sign, brace, run in (found.groups() for found in _RTF.finditer(data)):
        if brace == b"{":
            stack.append((skipping, fallback))
        elif brace == b"}":
            skipping, fallback = stack.pop() if stack else (False, 1)
        elif word:
            if word == b"uc":
                fallback = int(number or 1)
            elif word in _RTF_SKIPPED:
                skipping = True
            elif word == b"bin":
                raise DecodeError("damaged", "binary data inside RTF")
            elif not skipping and word == b"u" and number:
                flush()
                out.append(chr(int(number) % 65536))
                drop = fallback
            elif not skipping and word in _RTF_SIGNS:
                flush()
                out.append(_RTF_SIGNS[word])
        elif sign == b"*":
            skipping = True
        elif not skipping:
            piece = bytes([int(code, 16)]) if code else (sign if sign in (b"\\", b"{", b"}") else b" " if sign == b"~" else run or b"")
            if drop and piece:
                taken = min(drop, len(piece))
                drop, piece = drop - taken, piece[taken:]
            pending += piece
    flush()
    joined = "".join(out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return [joined]


def _doc(path: Path) -> list[str]:
    """Text of a Word 97–2003 (or WPS) file by its piece table ([MS-DOC] 2.4.1). Fields, pictures and formatting are left."""
    with CompoundFile(path) as compound:
        main = compound.read("WordDocument", MAX_MEMBER)
        flags = struct.unpack_from("<H", main, 10)[0]
        if flags & 0x100:
            raise DecodeError("encrypted", "Word")
        if struct.unpack_from("<H", main, 2)[0] < 0xC1:
            return _old_word(main)
        table = compound.read("1Table" if flags & 0x200 else "0Table", MAX_MEMBER)
    offset, size = struct.unpack_from("<II", main, 0x1A2)
    return [_word_signs("".join(_pieces(main, table[offset : offset + size])))]


def _old_doc(path: Path) -> list[str]:
    """Word for Windows 1 and 2 lay the same header at the start of the file itself."""
    data = path.read_bytes()[:MAX_MEMBER]
    if data[:2] not in (b"\xdb\xa5", b"\x9b\xa5"):
        raise DecodeError("unknown-format", "Word for DOS, Write")
    return _old_word(data)


def _old_word(main: bytes) -> list[str]:
    """Word before 97: one run of 8-bit text between two places that the header names, unless it was saved in haste (`fComplex`)."""
    flags, (start, end) = struct.unpack_from("<H", main, 10)[0], struct.unpack_from("<II", main, 0x18)
    if flags & 0x100:
        raise DecodeError("encrypted", "Word")
    data = main[start:end]
    if flags & 4 or not data:
        raise DecodeError("unknown-format", "Word, fast-saved")
    high = sum(byte >= 0x80 for byte in data)
    encoding = _chinese(data)[0] if high * 10 > len(data) else "cp1252"
    return [_word_signs(data.decode(encoding, "replace"))]


def _pieces(main: bytes, clx: bytes) -> Iterator[str]:
    position = 0
    while position < len(clx) and clx[position] == 1:  # formatting runs before the table
        position += 3 + struct.unpack_from("<H", clx, position + 1)[0]
    if position >= len(clx) or clx[position] != 2:
        raise DecodeError("damaged", "no piece table")
    size = struct.unpack_from("<I", clx, position + 1)[0]
    table = clx[position + 5 : position + 5 + size]
    count = (size - 4) // 12
    ends = struct.unpack_from(f"<{count + 1}I", table, 0)
    for index in range(count):
        where = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * index + 2)[0]
        length = ends[index + 1] - ends[index]
        if where & 0x40000000:
            start = (where & 0x3FFFFFFF) // 2
            yield main[start : start + length].decode("cp1252", "replace")
        else:
            yield main[where : where + 2 * length].decode("utf-16-le", "replace")


def _word_signs(text: str) -> str:
    """Word's own control characters as line feeds and tabs; of fields (13 … 14 … 15) the result is kept."""
    text = re.sub("\x13[^\x13\x14\x15]*(?:\x14|(?=\x15))", "", text).replace("\x15", "")
    return text.replace("\x07", "\t").replace("\x0b", "\n").replace("\x0c", "\n")


def _ppt(path: Path) -> list[str]:
    """Text atoms of a PowerPoint 97–2003 file ([MS-PPT] 2.9.42, 2.9.44), in file order, each once."""
    with CompoundFile(path) as compound:
        data = compound.read("PowerPoint Document", MAX_MEMBER)
    return ["\n".join(dict.fromkeys(_atoms(data)))]


def _atoms(data: bytes) -> Iterator[str]:
    position = 0
    while position + 8 <= len(data):
        version, kind, size = struct.unpack_from("<HHI", data, position)
        position += 8
        if version & 0xF == 0xF:
            continue  # a container: its records follow
        if kind == 0x0FA0:
            yield data[position : position + size].decode("utf-16-le", "replace").replace("\x0b", "\n")
        elif kind == 0x0FA8:
            yield data[position : position + size].decode("cp1252", "replace").replace("\x0b", "\n")
        position += size


_READERS: dict[str, Callable[[Path], list[str]]] = {
    "docx": _docx,
    "pptx": _pptx,
    "odt": _open_document,
    "odp": _open_document,
    "xlsx": _sheets,
    "xlsb": _sheets,
    "ods": _sheets,
    "xls": _sheets,
    "et": _sheets,
    "rtf": _rtf,
    "doc": _doc,
    "old-doc": _old_doc,
    "wps": _doc,
    "ppt": _ppt,
}
