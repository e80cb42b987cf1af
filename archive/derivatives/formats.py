"""What a file is, told by its first bytes and not by its name: our own table of signatures.

A name only breaks ties (plain text of one sort or another) and is compared afterwards: `mislabelled`. Nothing is decoded here.
"""

from __future__ import annotations

import mmap
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.model.item import MediaKind

HEAD = 64 * 1024
"""Bytes from the start that are looked at."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `pillow` the only decoder that may open it, `demuxers` the only ones of ffmpeg; `extensions` its usual names.

    `family` joins formats whose extensions are commonly swapped without harm (`.mov` and `.mp4`). `readable` False: kept and named, not read.
    `active`: never handed to a decoder, because it can make one read other files.
    """

    key: str
    label: str
    media_type: str
    kind: MediaKind
    extensions: tuple[str, ...] = ()
    pillow: str = ""
    demuxers: str = ""
    family: str = ""
    readable: bool = True
    active: bool = False


def _table(*formats: Format) -> dict[str, Format]:
    return {form.key: form for form in formats}


_I, _S, _F, _D = MediaKind.IMAGE, MediaKind.SOUND, MediaKind.FILM, MediaKind.DOCUMENT
_ISO = "mov,mp4,m4a,3gp,3g2,mj2"

FORMATS = _table(
    Format("jpeg", "JPEG", "image/jpeg", _I, ("jpg", "jpeg", "jpe", "jfif"), pillow="JPEG"),
    Format("png", "PNG", "image/png", _I, ("png",), pillow="PNG"),
    Format("tiff", "TIFF", "image/tiff", _I, ("tif", "tiff"), pillow="TIFF"),
    Format("jp2", "JPEG 2000", "image/jp2", _I, ("jp2", "jpf", "jpx", "j2k", "j2c", "jpc"), pillow="JPEG2000"),
    Format("webp", "WebP", "image/webp", _I, ("webp",), pillow="WEBP"),
    Format("gif", "GIF", "image/gif", _I, ("gif",), pillow="GIF"),
    Format("bmp", "BMP", "image/bmp", _I, ("bmp", "dib"), pillow="BMP"),
    Format("heic", "HEIC", "image/heic", _I, ("heic", "heif"), pillow="HEIF"),
    Format("avif", "AVIF", "image/avif", _I, ("avif",), pillow="AVIF"),
    Format("djvu", "DjVu", "image/vnd.djvu", MediaKind.OTHER, ("djvu", "djv"), readable=False),
    Format("psd", "PSD (Photoshop)", "image/vnd.adobe.photoshop", MediaKind.OTHER, ("psd", "psb"), readable=False),
    Format("cdr", "CDR (CorelDRAW)", "application/vnd.corel-draw", MediaKind.OTHER, ("cdr",), readable=False),
    Format("dwg", "DWG (AutoCAD)", "image/vnd.dwg", MediaKind.OTHER, ("dwg",), readable=False),
    Format("wav", "WAV", "audio/x-wav", _S, ("wav", "wave", "bwf"), demuxers="wav"),
    Format("w64", "Wave64", "audio/x-w64", _S, ("w64",), demuxers="w64"),
    Format("aiff", "AIFF", "audio/aiff", _S, ("aif", "aiff", "aifc"), demuxers="aiff"),
    Format("flac", "FLAC", "audio/flac", _S, ("flac",), demuxers="flac"),
    Format("mp3", "MP3", "audio/mpeg", _S, ("mp3", "mp2", "mpa"), demuxers="mp3"),
    Format("aac", "AAC (ADTS)", "audio/aac", _S, ("aac",), demuxers="aac"),
    Format("ac3", "AC-3", "audio/ac3", _S, ("ac3",), demuxers="ac3"),
    Format("dts", "DTS", "audio/vnd.dts", _S, ("dts",), demuxers="dts"),
    Format("amr", "AMR", "audio/amr", _S, ("amr",), demuxers="amr"),
    Format("ape", "APE (Monkey's Audio)", "audio/x-ape", _S, ("ape",), demuxers="ape"),
    Format("dsf", "DSD", "audio/x-dsf", _S, ("dsf",), demuxers="dsf"),
    Format("caf", "CAF", "audio/x-caf", _S, ("caf",), demuxers="caf"),
    Format("au", "AU", "audio/basic", _S, ("au", "snd"), demuxers="au"),
    Format("m4a", "M4A (MPEG-4)", "audio/mp4", _S, ("m4a", "m4b"), demuxers=_ISO, family="iso"),
    Format("ogg", "Ogg", "audio/ogg", _S, ("ogg", "oga", "ogv", "opus", "spx"), demuxers="ogg"),
    Format("asf", "Windows Media", "video/x-ms-asf", _F, ("wmv", "wma", "asf"), demuxers="asf"),
    Format("midi", "MIDI", "audio/midi", MediaKind.OTHER, ("mid", "midi"), readable=False),
    Format("mp4", "MP4", "video/mp4", _F, ("mp4", "m4v"), demuxers=_ISO, family="iso"),
    Format("mov", "MOV (QuickTime)", "video/quicktime", _F, ("mov", "qt"), demuxers=_ISO, family="iso"),
    Format("3gp", "3GP", "video/3gpp", _F, ("3gp", "3g2", "3gpp"), demuxers=_ISO, family="iso"),
    Format("avi", "AVI", "video/x-msvideo", _F, ("avi", "divx"), demuxers="avi"),
    Format("mkv", "Matroska", "video/x-matroska", _F, ("mkv", "mka"), demuxers="matroska,webm", family="matroska"),
    Format("webm", "WebM", "video/webm", _F, ("webm",), demuxers="matroska,webm", family="matroska"),
    Format("flv", "FLV", "video/x-flv", _F, ("flv", "f4v"), demuxers="flv"),
    Format("mpeg-ps", "MPEG", "video/mpeg", _F, ("mpg", "mpeg", "vob", "dat", "mpe", "m2p"), demuxers="mpeg"),
    Format("mpeg-es", "MPEG (elementary stream)", "video/mpeg", _F, ("m1v", "m2v", "mpv", "mpg", "mpeg"), demuxers="mpegvideo"),
    Format("vcd", "VCD (MPEG-1)", "video/mpeg", _F, ("dat", "mpg", "mpeg"), demuxers="mpeg"),
    Format("mpeg-ts", "MPEG-TS", "video/mp2t", _F, ("ts", "mts", "m2ts", "m2t", "tp"), demuxers="mpegts"),
    Format("rm", "RealMedia", "application/vnd.rn-realmedia", _F, ("rm", "rmvb", "ra", "ram"), demuxers="rm"),
    Format("dv", "DV", "video/x-dv", _F, ("dv", "dif"), demuxers="dv"),
    Format("ifo", "IFO (DVD)", "application/x-dvd-ifo", MediaKind.OTHER, ("ifo", "bup"), readable=False),
    Format("pdf", "PDF", "application/pdf", MediaKind.PDF, ("pdf", "ai")),
    Format(
        "docx",
        "DOCX (Word)",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        _D,
        ("docx", "docm", "dotx", "wps"),
    ),
    Format("xlsx", "XLSX (Excel)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _D, ("xlsx", "xlsm", "xltx", "et")),
    Format("xlsb", "XLSB (Excel)", "application/vnd.ms-excel.sheet.binary.macroenabled.12", _D, ("xlsb",)),
    Format(
        "pptx",
        "PPTX (PowerPoint)",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _D,
        ("pptx", "pptm", "ppsx", "dps"),
    ),
    Format("odt", "ODT", "application/vnd.oasis.opendocument.text", _D, ("odt", "ott")),
    Format("ods", "ODS", "application/vnd.oasis.opendocument.spreadsheet", _D, ("ods", "ots")),
    Format("odp", "ODP", "application/vnd.oasis.opendocument.presentation", _D, ("odp", "otp")),
    Format("doc", "DOC (Word)", "application/msword", _D, ("doc", "dot")),
    Format("wps", "WPS (WPS 文字)", "application/vnd.ms-works", _D, ("wps", "wpt")),
    Format("xls", "XLS (Excel)", "application/vnd.ms-excel", _D, ("xls", "xlt", "et", "ett")),
    Format("et", "ET (WPS 表格)", "application/vnd.ms-excel", _D, ("et", "ett")),
    Format("ppt", "PPT (PowerPoint)", "application/vnd.ms-powerpoint", _D, ("ppt", "pps", "pot", "dps")),
    Format("old-doc", "DOC (Word, before 97)", "application/msword", _D, ("doc", "wri", "wps")),
    Format("old-ppt", "PPT (PowerPoint, before 97)", "application/vnd.ms-powerpoint", _D, ("ppt", "pps", "pot"), readable=False),
    Format("ole2-encrypted", "Office (encrypted)", "application/x-ole-storage", _D, ("docx", "xlsx", "pptx", "doc", "xls", "ppt")),
    Format("ole2", "OLE2", "application/x-ole-storage", MediaKind.OTHER, ("msg", "vsd", "pub"), readable=False),
    Format("rtf", "RTF", "application/rtf", _D, ("rtf", "doc", "wps")),
    Format("epub", "EPUB", "application/epub+zip", _D, ("epub",), readable=False),
    Format("ofd", "OFD", "application/ofd", _D, ("ofd",), readable=False),
    Format("html", "HTML", "text/html", _D, ("html", "htm", "mht", "xhtml", "hocr")),
    Format("xml", "XML", "application/xml", MediaKind.TEXT, ()),
    Format("text", "TXT", "text/plain", MediaKind.TEXT, ()),
    Format("zip", "ZIP", "application/zip", MediaKind.ARCHIVE, ("zip",)),
    Format("rar", "RAR", "application/vnd.rar", MediaKind.ARCHIVE, ("rar",)),
    Format("7z", "7z", "application/x-7z-compressed", MediaKind.ARCHIVE, ("7z",)),
    Format("gzip", "gzip", "application/gzip", MediaKind.ARCHIVE, ("gz", "tgz")),
    Format("bzip2", "bzip2", "application/x-bzip2", MediaKind.ARCHIVE, ("bz2", "tbz")),
    Format("xz", "xz", "application/x-xz", MediaKind.ARCHIVE, ("xz", "txz")),
    Format("tar", "tar", "application/x-tar", MediaKind.ARCHIVE, ("tar",)),
    Format("iso", "ISO 9660", "application/x-iso9660-image", MediaKind.ARCHIVE, ("iso", "img")),
    Format("cd-raw", "CD image", "application/x-cd-image", MediaKind.ARCHIVE, ("bin", "img", "nrg", "mdf"), readable=False),
    Format("pdg", "PDG (超星)", "application/x-pdg", MediaKind.OTHER, ("pdg",), readable=False),
    Format("caj", "CAJ (中国知网)", "application/x-caj", MediaKind.OTHER, ("caj", "nh", "kdh", "teb"), readable=False),
    Format("kdh", "KDH (中国知网)", "application/x-caj", MediaKind.OTHER, ("kdh", "caj"), readable=False),
    Format("nh", "NH (中国知网)", "application/x-caj", MediaKind.OTHER, ("nh", "caj"), readable=False),
    Format("ceb", "CEB (方正阿帕比)", "application/x-ceb", MediaKind.OTHER, ("ceb",), readable=False),
    Format("chm", "CHM", "application/vnd.ms-htmlhelp", MediaKind.OTHER, ("chm",), readable=False),
    Format("mdb", "MDB (Access)", "application/x-msaccess", MediaKind.OTHER, ("mdb", "accdb"), readable=False),
    Format("sqlite", "SQLite", "application/vnd.sqlite3", MediaKind.OTHER, ("db", "sqlite"), readable=False),
    Format("exe", "EXE (Windows)", "application/vnd.microsoft.portable-executable", MediaKind.OTHER, ("exe", "dll"), readable=False),
    Format("eps", "EPS / PostScript", "application/postscript", MediaKind.OTHER, ("eps", "ps", "ai"), readable=False, active=True),
    Format("svg", "SVG", "image/svg+xml", MediaKind.OTHER, ("svg", "svgz"), readable=False, active=True),
    Format(
        "playlist",
        "播放列表",
        "audio/x-mpegurl",
        MediaKind.OTHER,
        ("m3u", "m3u8", "pls", "asx", "wpl", "mpd", "ffconcat", "sdp", "ram"),
        readable=False,
        active=True,
    ),
    Format("unknown", "未知格式", "application/octet-stream", MediaKind.OTHER, (), readable=False),
)

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"AT&TFORM", "djvu"),
    (b"8BPS", "psd"),
    (b"AC10", "dwg"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
    (b"fLaC", "flac"),
    (b"\x0bw", "ac3"),
    (b"\x7f\xfe\x80\x01", "dts"),
    (b"#!AMR", "amr"),
    (b"MAC ", "ape"),
    (b"DSD ", "dsf"),
    (b"caff", "caf"),
    (b".snd", "au"),
    (b"OggS", "ogg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"MThd", "midi"),
    (b"FLV\x01", "flv"),
    (b"\0\0\x01\xba", "mpeg-ps"),
    (b"\0\0\x01\xb3", "mpeg-es"),
    (b".RMF", "rm"),
    (b".ra\xfd", "rm"),
    (b"\x1f\x07\0", "dv"),
    (b"DVDVIDEO-", "ifo"),
    (b"{\\rtf", "rtf"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", "cd-raw"),
    (b"HH\x02", "pdg"),
    (b"HH\x01", "pdg"),
    (b"CAJ\0", "caj"),
    (b"TEB\0", "caj"),
    (b"KDH ", "kdh"),
    (b"HN\0\0", "nh"),
    (b"HN\0", "nh"),
    (b"NH\0", "nh"),
    (b"Founder CEB", "ceb"),
    (b"ITSF\x03", "chm"),
    (b"\0\x01\0\0Standard ", "mdb"),
    (b"SQLite format 3\0", "sqlite"),
    (b"\x31\xbe\0\0", "old-doc"),
    (b"\xdb\xa5", "old-doc"),
    (b"\x9b\xa5", "old-doc"),
    (b"\xfe\x37\0", "old-doc"),
    (b"%!PS", "eps"),
    (b"\xc5\xd0\xd3\xc6", "eps"),
)
"""Longest match first is not needed: no entry begins another of a different format."""

_RIFF = {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp", b"CDXA": "vcd"}
_HEIF = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
_ISO_SOUND = {b"M4A ", b"M4B "}
_MIMETYPES = {
    "application/epub+zip": "epub",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}
_PLAYLIST = re.compile(rb"\s*(#EXTM3U|ffconcat version|\[playlist\]|<asx\b|<\?wpl|v=0\r?\n[osmtc]=|file\s+['\"/])", re.IGNORECASE)


def identify(path: Path, name: str) -> Format:
    """The format of a file that is not empty; `name` (as given) only decides between formats that share a signature."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    extension = extension_of(name)
    key = _by_signature(path, head, extension) or _by_text(head, extension) or "unknown"
    return FORMATS[key]


def extension_of(name: str) -> str:
    """What follows the last full stop, lowered; spaces and full-width forms that donors leave there are taken off."""
    stem, dot, extension = name.strip().rpartition(".")
    return extension.strip().lower() if dot and stem else ""


_VAGUE = frozenset({"dat", "bin", "img", "tmp", "bak"})
"""Extensions that claim nothing."""


def is_mislabelled(form: Format, name: str) -> bool:
    """True when the name claims another format that we know."""
    claimed = extension_of(name)
    if not claimed or claimed in form.extensions or claimed in _VAGUE:
        return False
    owners = [other for other in FORMATS.values() if claimed in other.extensions]
    if not owners or form.key in ("unknown", "text", "xml"):
        return (
            bool(owners) and form.key in ("text", "xml") and all(other.kind not in (MediaKind.TEXT, MediaKind.DOCUMENT) for other in owners)
        )
    return not any(other.family and other.family == form.family for other in owners)


def _by_signature(path: Path, head: bytes, extension: str) -> str | None:
    for start, key in _STARTS:
        if head.startswith(start):
            return key
    for look in _LOOKS:
        found = look(path, head, extension)
        if found:
            return found
    return None


def _riff(path: Path, head: bytes, extension: str) -> str | None:
    if head[:4] in (b"RIFF", b"RF64", b"RIFX"):
        if head[8:11] == b"CDR":
            return "cdr"
        return _RIFF.get(head[8:12])
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] == b"FRM8":
        return "dsf"
    return None


def _bmp(path: Path, head: bytes, extension: str) -> str | None:
    if head[:2] == b"BM" and len(head) > 26 and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "bmp"
    return None


def _iso_media(path: Path, head: bytes, extension: str) -> str | None:
    box, brand = head[4:8], head[8:12]
    if box == b"ftyp":
        if brand in _HEIF:
            return "heic"
        if brand in (b"avif", b"avis"):
            return "avif"
        if brand in _ISO_SOUND:
            return "m4a"
        if brand == b"qt  ":
            return "mov"
        return "3gp" if brand[:2] == b"3g" else "mp4"
    return "mov" if box in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot") else None


def _matroska(path: Path, head: bytes, extension: str) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return "webm" if b"webm" in head[:64] else "mkv"


def _pdf(path: Path, head: bytes, extension: str) -> str | None:
    return "pdf" if b"%PDF-" in head[:1024] else None


def _zip(path: Path, head: bytes, extension: str) -> str | None:
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return _MIMETYPES.get(archive.read("mimetype").decode("ascii", "replace").strip(), "zip")
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, NotImplementedError, zlib.error, EOFError):
        return {"docx": "docx", "xlsx": "xlsx", "pptx": "pptx", "odt": "odt", "ods": "ods"}.get(extension, "zip")
    for member, key in (
        ("word/document.xml", "docx"),
        ("xl/workbook.xml", "xlsx"),
        ("xl/workbook.bin", "xlsb"),
        ("ppt/presentation.xml", "pptx"),
    ):
        if member in names:
            return key
    return "ofd" if "OFD.xml" in names else "zip"


def _ole2(path: Path, head: bytes, extension: str) -> str | None:
    if not head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return None

    def has(stream: str) -> bool:
        return data.find(stream.encode("utf-16-le")) >= 0

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if has("EncryptedPackage"):
            return "ole2-encrypted"
        if has("WordDocument"):
            return "wps" if extension in ("wps", "wpt") else "doc"
        if has("PowerPoint Document"):
            return "ppt"
        if has("PP40"):
            return "old-ppt"
        if has("Workbook") or has("Book\0"):
            return "et" if extension in ("et", "ett") else "xls"
    return "ole2"


def _transport_stream(path: Path, head: bytes, extension: str) -> str | None:
    for offset, step in ((0, 188), (4, 192), (0, 204)):
        marks = range(offset, min(len(head), offset + 5 * step), step)
        if len(marks) == 5 and all(head[mark] == 0x47 for mark in marks):
            return "mpeg-ts"
    return None


def _mpeg_audio(path: Path, head: bytes, extension: str) -> str | None:
    """MP3 or ADTS after an ID3 tag of any length, or with a sync word at the start (two frames of one kind)."""
    if head[:3] == b"ID3":
        return "aac" if extension == "aac" else "mp3"
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return "aac" if head[length : length + 2] == head[:2] else None
    layer, rate, sampling = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if layer == 0 or rate == 15 or sampling == 3 or head[1] >> 3 & 3 == 1:
        return None
    again = head.find(head[:2], 24, 4096)
    return "mp3" if again > 0 else None


def _rest(path: Path, head: bytes, extension: str) -> str | None:
    if head[257:262] == b"ustar":
        return "tar"
    if head[32769:32774] == b"CD001":
        return "iso"
    if head[:2] == b"MZ" and b"PE\0\0" in head[:4096]:
        return "exe"
    if head[:2] == b"\x0bw":
        return "ac3"
    return "pdg" if extension == "pdg" and head[:1] != b"" and b"\0" in head[:64] else None


_LOOKS: tuple[Callable[[Path, bytes, str], str | None], ...] = (
    _riff,
    _bmp,
    _iso_media,
    _matroska,
    _pdf,
    _zip,
    _ole2,
    _transport_stream,
    _mpeg_audio,
    _rest,
)


def _by_text(head: bytes, extension: str) -> str | None:
    """Plain text and what is written in it. Which encoding is settled later, over the whole file."""
    if _PLAYLIST.match(head.lstrip(b"\xef\xbb\xbf")) and not (head[:5].lower() == b"file " and extension == "cue"):
        return "playlist"
    start = head[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head[:4096].lower() and start.startswith(b"<"):
        return "svg"
    if b"<mpd" in start and start.startswith(b"<"):
        return "playlist"
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<?xml") and b"<html" in start):
        return "html"
    if start.startswith(b"<?xml"):
        return "xml"
    return "text" if looks_like_text(head) else None


def looks_like_text(head: bytes) -> bool:
    """True for bytes that are text in UTF-8, UTF-16, GB18030 or Big5 as far as control characters tell."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if 0 in head:
        return bool(utf16_of(head))
    controls = sum(head.count(byte) for byte in range(32) if byte not in (9, 10, 12, 13, 26, 27))
    if controls * 500 > len(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return any(_decodes(head, encoding) for encoding in ("gb18030", "big5"))
    return True


def utf16_of(head: bytes) -> str:
    """`utf-16-le` or `utf-16-be` when `head` is text in it without the mark, else empty: nearly all of it ASCII, Chinese or full-width."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = head[: len(head) // 2 * 2].decode(encoding, "replace")
        usual = sum(
            " " <= sign <= "~" or sign in "\t\r\n" or "\u4e00" <= sign <= "\u9fff" or "\u3000" <= sign <= "\u303f" or sign >= "\uff00"
            for sign in text
        )
        if text and usual >= 0.97 * len(text) and "\ufffd" not in text[:-1]:
            return encoding
    return ""


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4
    return True
