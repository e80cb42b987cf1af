"""A PDF written page by page, so that a book of five hundred leaves costs the memory of one.

The libraries we looked at (reportlab 4, fpdf2 2.8, pikepdf 10; 2026-11) keep every image of a document until it is saved, and none of them writes a
text layer in vertical columns. What is needed is little: JPEG as stored, one blank font for text that is searched and not seen, Chinese in the font
every reader has (Adobe-GB1), the table at the end. ISO 32000-1 is the source of what stands here; pdfium and qpdf judge it in the tests.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CATALOG, PAGES, BLANK, INNER, FONT_FILE, DESCRIPTOR, GLYPHS, MEANING, SONG, SONG_INNER, SONG_DESCRIPTOR, SONG_MEANING, INFO = range(1, 14)
_MOST_SIGNS = 0xFFFE


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A JPEG as stored, with what its frame header says."""

    data: bytes
    width: int
    height: int
    channels: int


def jpeg(data: bytes) -> Jpeg | None:
    """Read size and channels from the frame header (ISO 10918-1 B.2.2); None for what is no JPEG."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return Jpeg(data, width, height, data[at + 9])
        at += 2 + length
    return None


@dataclass
class PdfFile:
    """The parts of a PDF in the order in which they are sent. Each method gives bytes to send; call `begin`, then pages, then `end`."""

    title: str
    language: str = "zh"
    _sent: int = 0
    _offsets: dict[int, int] = field(default_factory=dict)
    _pages: list[tuple[int, str]] = field(default_factory=list)
    _signs: dict[str, int] = field(default_factory=dict)
    _next: int = INFO + 1

    def begin(self) -> bytes:
        """The head of the file."""
        return self._told(b"%PDF-1.7\n%\xe5\xbf\x97\xe6\x9b\xb8\n")

    def page(self, width: float, height: float, content: bytes, *, label: str = "", picture: Jpeg | None = None) -> Iterator[bytes]:
        """A page of that size in points; `content` may draw the picture as `/I`, and text in `/B` (blank) and `/S` (seen)."""
        image = f" /XObject << /I {self._next} 0 R >>" if picture else ""
        if picture:
            space = {1: "DeviceGray", 4: "DeviceCMYK"}.get(picture.channels, "DeviceRGB")
            head = (
                f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height} /ColorSpace /{space} /BitsPerComponent 8"
            )
            yield self._stream(self._new(), picture.data, f"{head} /Filter /DCTDecode")
        body, number = self._new(), self._new()
        yield self._stream(body, zlib.compress(content), "/Filter /FlateDecode")
        fonts = f"/Font << /B {BLANK} 0 R /S {SONG} 0 R >>"
        page = (
            f"/Type /Page /Parent {PAGES} 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] /Resources << {fonts}{image} >> /Contents {body} 0 R"
        )
        self._pages.append((number, label))
        yield self._object(number, f"<< {page} >>".encode())

    def end(self) -> Iterator[bytes]:
        """Fonts, the list of pages, the table of everything."""
        kids = " ".join(f"{number} 0 R" for number, _label in self._pages)
        yield self._object(PAGES, f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>".encode())
        yield from self._fonts()
        labels = " ".join(f"{n} << /P {_text(label)} >>" for n, (_number, label) in enumerate(self._pages))
        # No /Direction /R2L for books from right to left: pdfium (Chrome) then gives text back to front (2026-11).
        view = "/ViewerPreferences << /DisplayDocTitle true >>"
        root = f"/Type /Catalog /Pages {PAGES} 0 R /Lang ({self.language}) {view} /PageLabels << /Nums [{labels}] >>"
        yield self._object(CATALOG, f"<< {root} >>".encode())
        yield self._object(INFO, f"<< /Title {_text(self.title)} /Producer (Fangzhi) >>".encode())
        yield self._table()

    def codes(self, text: str) -> list[str]:
        """Codes of characters in the blank fonts, as hexadecimal; what a code means is told at the end of the file."""
        found = []
        for sign in text:
            code = self._signs.get(sign)
            if code is None:
                code = self._signs[sign] = min(len(self._signs) + 1, _MOST_SIGNS)
            found.append(f"{code:04X}")
        return found

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _told(self, data: bytes) -> bytes:
        self._sent += len(data)
        return data

    def _object(self, number: int, body: bytes) -> bytes:
        self._offsets[number] = self._sent
        return self._told(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def _stream(self, number: int, data: bytes, head: str) -> bytes:
        return self._object(number, f"<< {head} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream")

    def _fonts(self) -> Iterator[bytes]:
        font = f"/Type /Font /Subtype /Type0 /BaseFont /FangzhiBlank /Encoding /Identity-H /DescendantFonts [{INNER} 0 R]"
        yield self._object(BLANK, f"<< {font} /ToUnicode {MEANING} 0 R >>".encode())
        system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        inner = f"/Type /Font /Subtype /CIDFontType2 /BaseFont /FangzhiBlank {system} /DW 1000 /FontDescriptor {DESCRIPTOR} 0 R"
        yield self._object(INNER, f"<< {inner} /CIDToGIDMap {GLYPHS} 0 R >>".encode())
        metrics = "/Flags 4 /FontBBox [0 -120 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 80"
        yield self._object(DESCRIPTOR, f"<< /Type /FontDescriptor /FontName /FangzhiBlank {metrics} /FontFile2 {FONT_FILE} 0 R >>".encode())
        blank = _blank_font()
        yield self._stream(FONT_FILE, zlib.compress(blank), f"/Filter /FlateDecode /Length1 {len(blank)}")
        yield self._stream(GLYPHS, zlib.compress(b"\0\1" * 65536, 9), "/Filter /FlateDecode")
        yield self._stream(MEANING, zlib.compress(_meaning(self._signs)), "/Filter /FlateDecode")
        yield from self._song()

    def _song(self) -> Iterator[bytes]:
        """The Chinese font that readers of PDF bring with them, for what is seen."""
        song = f"/Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UTF16-H /Encoding /UniGB-UTF16-H /DescendantFonts [{SONG_INNER} 0 R]"
        yield self._object(SONG, f"<< {song} /ToUnicode {SONG_MEANING} 0 R >>".encode())
        system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >>"
        inner = f"/Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light {system} /DW 1000 /W [1 95 500]"
        yield self._object(SONG_INNER, f"<< {inner} /FontDescriptor {SONG_DESCRIPTOR} 0 R >>".encode())
        metrics = "/Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93"
        yield self._object(SONG_DESCRIPTOR, f"<< /Type /FontDescriptor /FontName /STSong-Light {metrics} >>".encode())
        yield self._stream(
            SONG_MEANING,
            zlib.compress(_CMAP_HEAD + b"1 beginbfrange\n<0000> <FFFF> <0000>\nendbfrange\n" + _CMAP_TAIL),
            "/Filter /FlateDecode",
        )

    def _table(self) -> bytes:
        """Where every object begins (§7.5.4)."""
        rows = [b"0000000000 65535 f \n"]
        rows += [b"%010d 00000 n \n" % self._offsets[number] for number in range(1, self._next)]
        begin = self._sent
        trailer = b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (self._next, CATALOG, INFO, begin)
        return self._told(b"xref\n0 %d\n" % self._next + b"".join(rows) + trailer)


_CMAP_HEAD = (
    b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
    b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
    b"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
)
_CMAP_TAIL = b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"


def _meaning(signs: dict[str, int]) -> bytes:
    """The character that each code stands for (§9.10.3)."""
    rows = [f"<{code:04X}> <{sign.encode('utf-16-be', 'replace').hex().upper()}>" for sign, code in signs.items()]
    blocks = [rows[at : at + 100] for at in range(0, len(rows), 100)]
    body = "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
    return _CMAP_HEAD + body.encode() + _CMAP_TAIL


@cache
def _blank_font() -> bytes:
    """A font whose one glyph is its whole square: never painted (text mode 3), but pdfium drops text whose glyphs have no extent. Made with fontTools."""
    return Path(__file__).with_name("blank.ttf").read_bytes()


def _text(text: str) -> str:
    """A text string (§7.9.2.2): UTF-16 with its mark, as hexadecimal, so that nothing in it is read as PDF."""
    return "<FEFF" + text.encode("utf-16-be", "replace").hex().upper() + ">"


def song(text: str) -> str:
    """Codes of seen text in `/S`; what the font cannot have (beyond the basic plane) is 〓."""
    shown = "".join(sign if sign < "\U00010000" and not "\ud800" <= sign <= "\udfff" else "〓" for sign in text)
    return shown.encode("utf-16-be").hex().upper()


def wrapped(text: str, width: float) -> Sequence[str]:
    """Lines of at most `width` ems; ideographs are an em wide, the rest half. Words and addresses are cut only when a line cannot hold them."""
    lines, line, used = [], "", 0.0
    for piece in _PIECES.findall(text.replace("\n", " ")):
        parts = [piece] if _ems(piece) <= width else list(piece)
        for part in parts:
            if used + _ems(part) > width:
                lines.append(line)
                line, used = "", 0.0
            line, used = line + part, used + _ems(part)
    return [*lines, line]


_PIECES = re.compile(r"[（《〈「『“〔]?(?:[!-~]+|.)[，。：；、）》〉」』”〕]?", re.DOTALL)


def _ems(text: str) -> float:
    return sum(0.5 if sign < "\u1100" else 1.0 for sign in text)
