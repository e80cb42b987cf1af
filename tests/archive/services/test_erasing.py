"""A name is taken out of text, never out of bytes that spell it by chance."""

import io
import zipfile

import pytest

from archive.services.erasing import redact

NAME = "王建国"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5", "utf-16"])
def test_a_name_goes_in_every_encoding_that_donors_use(encoding: str) -> None:
    name = NAME if encoding != "big5" else "王建國"
    data = f"口述者{name}，安康人".encode(encoding)
    after = redact(data, name)
    assert len(after) == len(data)
    assert after.decode(encoding) == "口述者某某某，安康人"


def test_bytes_that_are_no_text_are_left_alone() -> None:
    data = b"\xff\xd8\xff\xe0" + bytes(range(256)) + NAME.encode("utf-16-be") + b"\x00\x81\xff"
    assert redact(data, NAME) == data


def test_the_members_of_a_paper_are_looked_into() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as paper:
        paper.writestr("word/document.xml", f"<w:t>{NAME}</w:t>")
        paper.writestr("media/1.png", b"\x89PNG" + NAME.encode("utf-16-le") + b"\xfe\xff\x00")
    with zipfile.ZipFile(io.BytesIO(redact(packed.getvalue(), NAME))) as paper:
        assert paper.read("word/document.xml") == "<w:t>某某某</w:t>".encode()
        assert paper.read("media/1.png").startswith(b"\x89PNG" + NAME.encode("utf-16-le"))
