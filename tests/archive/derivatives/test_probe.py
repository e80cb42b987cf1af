"""What a file is by its content, and what bad files get."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from conftest_media import picture
from PIL import Image, PngImagePlugin

from archive.derivatives.base import Probe, ProbeLimits
from archive.derivatives.probe import probe
from archive.model.item import MediaKind

SMALL = ProbeLimits(max_pixels=10_000_000, max_parts=100, seconds=20)


def codes(found: Probe) -> list[tuple[str, bool]]:
    return [(fault.code, fault.fatal) for fault in found.faults]


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("name", "mode", "options", "media_type", "expected"),
    [
        ("a.jpg", "RGB", {"dpi": (300, 300)}, "image/jpeg", {"colour": "RGB", "bit_depth": 8, "dpi": [300.0, 300.0]}),
        ("a.png", "L", {}, "image/png", {"colour": "grey", "bit_depth": 8}),
        ("a.tif", "1", {"compression": "group4"}, "image/tiff", {"colour": "bitonal", "bit_depth": 1, "compression": "CCITT G4"}),
        ("a.tif", "RGB", {"compression": "tiff_lzw"}, "image/tiff", {"colour": "RGB", "bit_depth": 8, "compression": "LZW"}),
        ("a.tif", "CMYK", {}, "image/tiff", {"colour": "CMYK", "bit_depth": 8}),
        ("a.jp2", "RGB", {}, "image/jp2", {"colour": "RGB", "bit_depth": 8}),
        ("a.webp", "RGB", {}, "image/webp", {"colour": "RGB"}),
        ("a.gif", "P", {}, "image/gif", {"colour": "palette"}),
        ("a.bmp", "RGB", {}, "image/bmp", {"colour": "RGB"}),
    ],
)
def test_images_are_told_by_content_with_their_facts(
    tmp_path: Path, name: str, mode: str, options: dict[str, object], media_type: str, expected: dict[str, object]
) -> None:
    path = saved(tmp_path / name, picture(120, 80).convert(mode), **options)
    found = probe(path, "没有扩展名", SMALL)
    assert (found.media_type, found.kind, found.width, found.height, found.faults) == (media_type, MediaKind.IMAGE, 120, 80, ())
    assert dict(found.technical).items() >= expected.items()


def test_heic_is_read_where_pillow_heif_is(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(picture(64, 48)).save(path)
    found = probe(path, "a.heic", SMALL)
    assert (found.media_type, found.width, found.height, found.faults) == ("image/heic", 64, 48, ())


def test_depth_is_the_files_and_not_pillows(tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), ">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    assert probe(path, "a.png", SMALL).technical["bit_depth"] == 16


def test_exif_orientation_turns_the_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2019:05:12 10:00:00"
    found = probe(saved(tmp_path / "a.jpg", picture(120, 80), exif=exif), "a.jpg", SMALL)
    assert (found.width, found.height, found.technical["orientation"]) == (80, 120, 6)
    assert found.technical["exif"]["taken"] == "2019:05:12 10:00:00"


def test_images_of_a_tiff_are_counted_without_its_thumbnails(tmp_path: Path) -> None:
    pages = [picture(100, 60).convert("1"), picture(90, 70).convert("1"), picture(80, 50).convert("1")]
    path = saved(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:], compression="group4")
    found = probe(path, "a.tif", SMALL)
    assert (found.parts, found.part_sizes) == (3, ((100, 60), (90, 70), (80, 50)))


@pytest.mark.parametrize(
    ("name", "length", "expected"),
    [("a.jpg", 0.6, [("truncated", False)]), ("a.png", 0.5, [("truncated", False)]), ("a.jpg", 0.0, [("truncated", True)])],
    ids=["jpeg, half there", "png, half there", "jpeg, header only"],
)
def test_a_cut_image_goes_in_when_some_of_it_can_be_seen(
    tmp_path: Path, name: str, length: float, expected: list[tuple[str, bool]]
) -> None:
    path = saved(tmp_path / name, picture())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * length) or data.index(b"\xff\xda") + 14])
    assert codes(probe(path, name, SMALL)) == expected


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_garbage_in_the_middle_is_a_fault(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, picture())
    assert codes(probe(path, name, SMALL)) == []
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(n * 37 % 256 for n in range(400))
    path.write_bytes(data)
    assert codes(probe(path, name, SMALL)) in ([("damaged", False)], [("truncated", False)])


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    assert path.stat().st_size < 200_000
    assert codes(probe(path, "bomb.png", SMALL)) == [("bomb", True)]


def test_a_text_chunk_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    extra = PngImagePlugin.PngInfo()
    extra.add_text("Comment", "x" * (80 << 20), zip=True)
    path = saved(tmp_path / "a.png", picture(40, 40), pnginfo=extra)
    assert codes(probe(path, "a.png", SMALL)) == [("bomb", True)]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", [("unknown-format", False)]),
        ("a.eps", b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file read\n", [("active-content", True)]),
        ("photo.jpg", b"%!PS-Adobe-3.0\nshowpage\n", [("unknown-format", False), ("mislabelled", False)]),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><circle r='3' fill='url(#g)'/></svg>", [("unknown-format", False)]),
        ("a.svg", b"<?xml version='1.0'?><svg><image href='file:///etc/passwd'/></svg>", [("active-content", True)]),
        ("a.mp4", b"ffconcat version 1.0\nfile other.wav\n", [("active-content", True), ("mislabelled", False)]),
        ("a.mp4", b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:5,\nfile:///etc/passwd\n", [("active-content", True), ("mislabelled", False)]),
        ("a.sdp", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\n", [("active-content", True)]),
        ("0001.pdg", b"HH\x02\x11" + bytes(range(200)), [("unknown-format", False)]),
        ("a.caj", b"CAJ\0" + bytes(range(200)), [("unknown-format", False)]),
        ("a.jpg", b"", [("empty", True)]),
        ("a.xyz", bytes(range(256)) * 4, [("unknown-format", False)]),
        ("a.mp4", bytes(range(256)) * 4, [("unknown-format", False)]),
        ("a.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(4000), [("damaged", True)]),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", [("damaged", True)]),
    ],
    ids=[
        "eps",
        "eps reads a file",
        "eps called jpg",
        "svg",
        "svg reads a file",
        "ffconcat",
        "hls",
        "sdp",
        "pdg",
        "caj",
        "empty",
        "unknown",
        "junk",
        "mp4 junk",
        "wav stub",
    ],
)
def test_hostile_and_foreign_files(tmp_path: Path, name: str, content: bytes, expected: list[tuple[str, bool]]) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    assert codes(probe(path, name, SMALL)) == expected


def test_a_file_beside_is_never_opened(tmp_path: Path, media: Callable[..., Path]) -> None:
    media("other.wav")
    for name in ("list.mp4", "list.wav"):
        (tmp_path / name).write_text("ffconcat version 1.0\nfile other.wav\n")
        found = probe(tmp_path / name, name, SMALL)
        assert found.duration is None
        assert ("active-content", True) in codes(found)


def test_a_png_called_jpg_is_accepted_and_said(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", picture(30, 30))
    found = probe(path, "a.JPG ", SMALL)
    assert found.media_type == "image/png"
    assert codes(found) == [("mislabelled", False)]


def pdf_of(path: Path, pages: int = 2) -> Path:
    images = [picture(300, 400, seed).convert("1") for seed in range(pages)]
    images[0].save(path, "PDF", save_all=True, append_images=images[1:], resolution=100)
    return path


def test_pages_of_a_scanned_pdf_have_the_size_of_their_scans(tmp_path: Path) -> None:
    found = probe(pdf_of(tmp_path / "a.pdf"), "a.pdf", SMALL)
    assert (found.kind, found.parts, found.part_sizes, found.faults) == (MediaKind.PDF, 2, ((300, 400), (300, 400)), ())


def test_a_pdf_with_a_password_is_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(LOCKED_PDF)
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(path)
    assert codes(probe(path, "locked.pdf", SMALL)) == [("encrypted", False)]


LOCKED_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>endobj
4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<2055c756c72e1ad702608e8196acad447ad32d17cff583235f6dd15fed7dab67>/U<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>>>endobj
trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<01234567890123456789012345678901><01234567890123456789012345678901>]/Size 5>>
%%EOF
"""


def office(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
T = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'


@pytest.mark.parametrize(
    ("name", "members", "expected"),
    [
        (
            "a.docx",
            {
                "word/document.xml": f"<w:document {W}><w:p><w:t>汉水</w:t><w:tab/><w:t>文化</w:t></w:p><w:p/><w:p><w:t>二</w:t></w:p></w:document>"
            },
            "汉水\t文化\n\n二",
        ),
        (
            "a.odt",
            {
                "mimetype": "application/vnd.oasis.opendocument.text",
                "content.xml": f"<d {T}><text:p>一<text:span>二<text:s text:c='2'/></text:span>三</text:p></d>",
            },
            "一二  三",
        ),
        (
            "a.pptx",
            {
                "ppt/presentation.xml": "<p/>",
                "ppt/slides/slide1.xml": '<p xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:r><a:t>三线</a:t></a:r></a:p></p>',
            },
            "三线",
        ),
    ],
)
def test_text_of_office_documents(tmp_path: Path, name: str, members: dict[str, str], expected: str) -> None:
    found = probe(office(tmp_path / name, members), name, SMALL)
    assert (found.kind, found.text, found.faults) == (MediaKind.DOCUMENT, (expected,), ())


def test_an_entity_bomb_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><w:document ' + W + "><w:p><w:t>&b;</w:t></w:p></w:document>"
    assert codes(probe(office(tmp_path / "a.docx", {"word/document.xml": bomb}), "a.docx", SMALL)) == [("damaged", True)]


def test_text_of_rtf_and_plain_text(tmp_path: Path) -> None:
    (tmp_path / "a.rtf").write_bytes(rb"{\rtf1\ansi\ansicpg936{\fonttbl{\f0 Song;}}\f0 \'b0\'b2\'bf\'b5 \u27721?\par end}")
    assert probe(tmp_path / "a.rtf", "a.doc", SMALL).text == ("安康 汉\nend",)
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le"):
        (tmp_path / "a.txt").write_bytes("金州，漢陰縣志。\n卷一，星野。山川，水利。\n".encode(encoding))
        found = probe(tmp_path / "a.txt", "a.txt", SMALL)
        assert (found.kind, found.text) == (MediaKind.TEXT, ("金州，漢陰縣志。\n卷一，星野。山川，水利。",)), encoding


@pytest.mark.parametrize(
    ("name", "options", "media_type", "codec"),
    [
        ("a.wav", (), "audio/x-wav", "pcm_s16le"),
        ("a.flac", (), "audio/flac", "flac"),
        ("a.mp3", (), "audio/mpeg", "mp3"),
        ("a.m4a", (), "audio/mp4", "aac"),
        ("a.wma", (), "audio/x-ms-wma", "wmav2"),
        ("a.ogg", ("-c:a", "libvorbis"), "audio/ogg", "vorbis"),
        ("a.opus", (), "audio/ogg", "opus"),
        ("a.ac3", (), "audio/ac3", "ac3"),
    ],
)
def test_sound_of_every_kind(media: Callable[..., Path], name: str, options: tuple[str, ...], media_type: str, codec: str) -> None:
    found = probe(media(name, *options), name, SMALL)
    assert (found.kind, found.media_type, found.faults) == (MediaKind.SOUND, media_type, ())
    assert found.technical["audio"]["codec"] == codec
    assert found.duration == pytest.approx(2, abs=0.15)


def test_amr_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.amr"
    path.write_bytes(b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100)
    found = probe(path, "a.amr", SMALL)
    assert (found.media_type, found.technical["audio"]["codec"], found.duration) == ("audio/amr", "amr_nb", pytest.approx(2, abs=0.1))


@pytest.mark.parametrize(
    ("name", "options", "media_type"),
    [
        ("a.mp4", (), "video/mp4"),
        ("a.mov", (), "video/quicktime"),
        ("a.avi", (), "video/x-msvideo"),
        ("a.mkv", (), "video/x-matroska"),
        ("a.wmv", (), "video/x-ms-wmv"),
        ("a.webm", ("-deadline", "realtime"), "video/webm"),
        ("a.3gp", ("-c:v", "h263", "-c:a", "aac"), "video/3gpp"),
        ("a.flv", ("-ar", "22050"), "video/x-flv"),
        ("a.mpg", (), "video/mpeg"),
        ("a.dat", ("-f", "vcd"), "video/mpeg"),
        ("a.vob", ("-f", "vob"), "video/mpeg"),
        ("a.mts", ("-f", "mpegts"), "video/mp2t"),
        ("a.rm", ("-c:v", "rv10", "-c:a", "ac3"), "application/vnd.rn-realmedia"),
    ],
)
def test_film_of_every_kind(media: Callable[..., Path], name: str, options: tuple[str, ...], media_type: str) -> None:
    found = probe(media(name, *options, video=True), name, SMALL)
    assert (found.kind, found.media_type, found.faults, found.width, found.height) == (MediaKind.FILM, media_type, (), 176, 144)
    assert found.duration == pytest.approx(2, abs=0.25)
    assert found.technical["video"]["frame_rate"] == pytest.approx(25, abs=0.1)


def test_a_vcd_track_in_its_riff_wrapper(media: Callable[..., Path], tmp_path: Path) -> None:
    stream = media("a.mpg", "-f", "vcd", video=True).read_bytes()
    sectors = [bytes(24) + stream[at : at + 2324].ljust(2324, b"\0") + bytes(4) for at in range(0, len(stream), 2324)]
    body = b"".join(sectors)
    path = tmp_path / "AVSEQ01.DAT"
    path.write_bytes(
        b"RIFF" + struct.pack("<I", len(body) + 36) + b"CDXAfmt \x10\0\0\0" + bytes(16) + b"data" + struct.pack("<I", len(body)) + body
    )
    found = probe(path, "AVSEQ01.DAT", SMALL)
    assert (found.format, found.kind, found.width) == ("VCD (MPEG-1)", MediaKind.FILM, 176)


def test_cut_recordings_are_said_to_be_so(media: Callable[..., Path]) -> None:
    wav = media("a.wav", seconds=10)
    film = media("a.mp4", "-movflags", "+faststart", video=True, seconds=10)
    for path in (wav, film):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        assert ("truncated", False) in codes(probe(path, path.name, SMALL))


def test_embedded_subtitles_come_out(media: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "s.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\n<i>统堂堂军校</i>\n出襄阳\n", "utf-8")
    path = media("a.mkv", "-map", "1:v", "-map", "2:a", "-map", "0:s", video=True, inputs=("-i", str(tmp_path / "s.srt")))
    assert probe(path, "a.mkv", SMALL).subtitles == ((pytest.approx(0.5, abs=0.1), pytest.approx(1.5, abs=0.1), "统堂堂军校\n出襄阳"),)


def test_a_cover_picture_does_not_make_a_film(media: Callable[..., Path], tmp_path: Path) -> None:
    cover = saved(tmp_path / "cover.jpg", picture(60, 60))
    path = media("a.mp3", "-map", "0:v", "-map", "1:a", "-disposition:v", "attached_pic", inputs=("-i", str(cover)))
    assert probe(path, "a.mp3", SMALL).kind is MediaKind.SOUND


def test_word_97_text_by_its_piece_table(tmp_path: Path) -> None:
    path = tmp_path / "a.doc"
    path.write_bytes(compound_doc("安康县志\r第二行"))
    found = probe(path, "a.doc", SMALL)
    assert (found.format, found.text) == ("DOC (Word)", ("安康县志\n第二行",))


@pytest.mark.parametrize(("text", "encoding"), [("安康縣志。\r第二行的字", "gb18030"), ("Don\u2019t panic, said the curator\r", "cp1252")])
def test_word_of_the_nineties_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    body = text.encode(encoding)
    head = bytearray(b"\xdb\xa5".ljust(384, b"\0"))
    struct.pack_into("<II", head, 0x18, 384, 384 + len(body))
    path = tmp_path / "a.doc"
    path.write_bytes(bytes(head) + body)
    assert probe(path, "a.doc", SMALL).text == (text.replace("\r", "\n").strip(),)


def compound_doc(text: str) -> bytes:
    """The least that is a Word 97 file: header, one table sector, directory, WordDocument and 1Table of 4096 bytes each."""
    main = bytearray(4096)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main, 10, 0x200)
    encoded = text.encode("utf-16-le")
    main[2048 : 2048 + len(encoded)] = encoded
    clx = b"\x02" + struct.pack("<I", 16) + struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, 2048, 0)
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    table = clx.ljust(4096, b"\0")
    directory = io.BytesIO()
    for name, kind, start, size in (("Root Entry", 5, 0xFFFFFFFE, 0), ("WordDocument", 2, 2, 4096), ("1Table", 2, 10, 4096)):
        encoded = (name + "\0").encode("utf-16-le")
        directory.write(
            encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1) + bytes(48) + struct.pack("<III", start, size, 0)
        )
    sectors = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE, *range(11, 18), 0xFFFFFFFE]
    fat = struct.pack(f"<{len(sectors)}I", *sectors).ljust(512, b"\xff")
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0"))
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIIII", header, 44, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    header[80:512] = b"\xff" * 432
    return bytes(header) + fat + directory.getvalue().ljust(512, b"\0") + bytes(main) + table
