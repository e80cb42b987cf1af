"""Texts in the encodings donors use."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.errors import DecodeError
from ingest.readers import plain_text
from ingest.readers.plain_text import decode, decode_name, read_text, text_findings

SIMPLIFIED = "这批材料共１２盒，其中第３、第７盒待查。"
TRADITIONAL = "大淸一統志\n　興安府(在省治南六百八十里東西距七百六十里/南北距六百二十里東至湖北鄖陽府鄖縣)"


@pytest.mark.parametrize(
    ("text", "codec", "expected"),
    [
        (SIMPLIFIED, "utf-8", "UTF-8"),
        (SIMPLIFIED, "utf-8-sig", "UTF-8 BOM"),
        (SIMPLIFIED, "utf-16", "UTF-16LE"),
        (SIMPLIFIED, "utf-16-be", "UTF-16BE"),
        (SIMPLIFIED, "gb18030", "GB18030"),
        (TRADITIONAL, "gb18030", "GB18030"),
        (TRADITIONAL.replace("淸", "清"), "big5", "Big5"),
        ("乾隆四十七年興安府志卷之一", "big5", "Big5"),
        ("长名", "gb18030", "GB18030"),
        ("绝密", "utf-8", "UTF-8"),
        ("x", "ascii", "UTF-8"),
        ("", "ascii", "UTF-8"),
    ],
)
def test_encoding_is_told_by_content(text: str, codec: str, expected: str) -> None:
    decoded = decode(text.encode(codec))
    assert (decoded.text, decoded.encoding) == (text, expected)
    assert decoded.damaged == decoded.controls == 0


def test_a_line_is_a_printed_column_whatever_the_system() -> None:
    assert decode("一\r\n　二 \r\r三\n\n".encode()).lines == ("一", "　二", "", "三")


def test_control_characters_go_with_a_finding() -> None:
    decoded = decode("安\0康\x07".encode())
    assert decoded.text == "安康"
    assert [f.code for f in text_findings(decoded, "a.txt")] == ["text-controls"]


def test_what_cannot_be_decoded_is_said() -> None:
    decoded = decode("安康府志卷一".encode() + b"\xff\xfe\xff")
    assert decoded.text.startswith("安康府志卷一") and decoded.damaged
    assert [f.code for f in text_findings(decoded, "a.txt")] == ["text-damaged"]


def test_a_text_that_is_no_text_by_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_text, "MAX_TEXT_BYTES", 3)
    (tmp_path / "a.txt").write_bytes(b"1234")
    with pytest.raises(DecodeError):
        read_text(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("name", "codec"), [("旧目录说明1.txt", "gb18030"), ("興安府志.txt", "big5"), ("café.txt", "cp437"), ("安康.txt", "utf-8")]
)
def test_names_of_old_archives(name: str, codec: str) -> None:
    assert decode_name(name.encode(codec)) == name
