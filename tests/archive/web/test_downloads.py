"""Text and PDF to be kept: what is in them copies out right, and what is closed is not in them."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from flask.testing import FlaskClient
from hall_of_records import CANARY
from PIL import Image

from archive.export.pdf import Leaf, document
from archive.export.pdf_file import Jpeg, jpeg
from archive.model.item import TextLine


def opened(data: bytes) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(data)


def words(page: pypdfium2.PdfPage) -> list[str]:
    """The text of a page as it is copied out: its lines without the blanks that keep columns apart."""
    return [line for line in (line.strip(" \u3000") for line in page.get_textpage().get_text_range().split("\r\n")) if line]


def picture(width: int = 600, height: int = 800, mode: str = "RGB") -> Jpeg:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), 200 if mode == "L" else (200, 190, 170)).save(buffer, "JPEG")
    found = jpeg(buffer.getvalue())
    assert found is not None
    return found


def made(*leaves: Leaf, title: str = "志") -> bytes:
    return b"".join(document(leaves, ["著錄"], title=title))


def test_columns_copy_out_in_reading_order_from_right_to_left() -> None:
    lines = [TextLine("欽定四庫全書𠀀簡明", (500, 50, 40, 600)), TextLine("易類(十二部/一百卷)書。詩", (440, 50, 40, 600))]
    with opened(made(Leaf("一", picture(), (600, 800), lines, notes=True))) as pdf:
        text = "".join(words(pdf[0])).replace(" ", "")
    assert text == "欽定四庫全書𠀀簡明易類(十二部/一百卷)書。詩"


def test_a_character_lies_where_its_box_is() -> None:
    lines = [TextLine("甲乙丙丁", (500, 100, 40, 400))]
    with opened(made(Leaf("一", picture(), (600, 800), lines))) as pdf:
        page = pdf[0]
        text = page.get_textpage()
        scale = page.get_height() / 800
        found = text.search("丙").get_next()
        left, bottom, right, top = (value / scale for value in text.get_charbox(found[0]))
    assert left >= 495 and right <= 545
    assert 800 - top == pytest.approx(300, abs=6) and 800 - bottom == pytest.approx(400, abs=6)


def test_rows_copy_out_as_rows() -> None:
    lines = [TextLine("the River Han", (50, 100, 300, 24)), TextLine("漢水 1938", (50, 140, 200, 24))]
    with opened(made(Leaf("1", picture(mode="L"), (600, 800), lines, vertical=False))) as pdf:
        assert [re.sub(r"(?<=[^ -~]) ", "", line) for line in words(pdf[0])] == ["the River Han", "漢水1938"]


def test_text_without_boxes_is_still_found_on_its_page() -> None:
    lines = [TextLine("無框之文一"), TextLine("無框之文二")]
    with opened(made(Leaf("一", picture(), (600, 800), lines))) as pdf:
        assert words(pdf[0]) == ["無框之文一", "無框之文二"]


def test_text_under_the_image_is_never_painted() -> None:
    lines = [TextLine("全書嘉與海內之士", (300, 50, 100, 700))]
    with opened(made(Leaf("一", picture(), (600, 800), lines))) as pdf:
        assert len(set(pdf[0].render(scale=1).to_pil().convert("L").get_flattened_data())) <= 3


def test_a_leaf_without_image_is_set_in_type_over_as_many_pages_as_it_needs() -> None:
    lines = [TextLine(f"第{n}行" + "文" * 60) for n in range(60)]
    with opened(made(Leaf("一", None, (1, 1), lines))) as pdf:
        assert len(pdf) > 3 and "第0行" in "".join(words(pdf[0])) and "第59行" in "".join(words(pdf[len(pdf) - 2]))


def test_the_shown_part_of_a_double_page_fills_the_page() -> None:
    image = Image.new("RGB", (400, 300), "white")
    image.paste((0, 0, 0), (200, 0, 400, 300))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    leaf = Leaf("一", jpeg(buffer.getvalue()), (400, 600), (), region=(400, 0, 400, 600), whole=(800, 600))
    with opened(made(leaf)) as pdf:
        shown = pdf[0].render(scale=0.2).to_pil().convert("L")
    assert max(shown.crop((4, 4, shown.width - 4, shown.height - 4)).get_flattened_data()) < 30


def test_five_hundred_leaves_are_sent_one_by_one() -> None:
    taken = 0

    def leaves() -> Iterator[Leaf]:
        nonlocal taken
        for n in range(500):
            taken += 1
            yield Leaf(f"{n}", picture(40, 60), (40, 60), [TextLine("字" * 20, (4, 4, 8, 50))])

    pieces = document(leaves(), ["著錄"], title="志")
    most = 0
    sent = bytearray()
    for piece in pieces:
        sent += piece
        most = max(most, len(piece))
        assert sent.count(b"/Type /Page ") >= taken - 1
    with opened(bytes(sent)) as pdf:
        assert len(pdf) == 501 and pdf.get_page_label(499) == "499"
    assert most < 100_000


def test_hostile_words_are_text_in_a_pdf() -> None:
    hostile = ") Tj ET endstream endobj <</JS (app.alert(1))>> \ud800\x00\n"
    data = made(Leaf(hostile, picture(), (600, 800), [TextLine(hostile, (10, 10, 20, 700))]), title=hostile)
    assert b"/JS" not in data
    for stream in re.findall(rb"/FlateDecode /Length [0-9]+ >>\nstream\n(.*?)\nendstream", data, re.S):
        assert b"/JS" not in zlib.decompress(stream)
    with opened(data) as pdf:
        assert len(pdf) == 2


def test_what_is_no_jpeg_is_told() -> None:
    assert jpeg(b"") is None and jpeg(b"\xff\xd8\xff") is None and jpeg(b"GIF89a" * 9) is None


def test_page_pdf_has_image_text_and_colophon(client: FlaskClient) -> None:
    said = client.get("/items/shengyu/p/p1/page.pdf")
    assert said.content_type == "application/pdf" and "attachment" in said.headers["Content-Disposition"]
    with opened(said.data) as pdf:
        assert len(pdf) == 2 and pdf.get_page_label(0) == "卷一·叶1上"
        assert words(pdf[0])[0] == "全書嘉與海內之士考訂源流用昭我朝文治之盛"
        last = "".join(words(pdf[1]))
    for told in ("卷一[M/OL]", "权利状态：公有领域", "捐赠者录入", "/items/shengyu/p/p1"):
        assert told in last


def test_book_pdf_leaves_out_what_is_closed_and_says_nothing_of_it(client: FlaskClient) -> None:
    with opened(client.get("/items/shengyu/book.pdf").data) as pdf:
        text = ["".join(words(page)) for page in pdf]
        labels = [pdf.get_page_label(n) for n in range(len(pdf))]
    assert labels == ["卷一·叶1上", "卷一·叶2上（未核）", "卷一·叶3上（未核）", "影像第 4 面", ""]
    assert "缺叶" in text[3] and CANARY not in "".join(text)


def test_texts_say_whose_they_are(client: FlaskClient) -> None:
    page = client.get("/items/shengyu/p/p2/text.txt").text
    assert "〔卷一·叶2上（未核） · 經部 · 捐赠者录入〕" in page and "影像第2面" in page
    book = client.get("/items/shengyu/text.txt").text
    assert book.count("〔") == 3 and "全書嘉與海內之士" in book and CANARY not in book
    assert "Cite as" in client.get("/items/shengyu/text.txt?lang=en").text


@pytest.mark.parametrize(
    "path",
    [
        *("shengyu/p/p5/text.txt", "shengyu/p/p5/page.pdf", "shengyu/p/p6/page.pdf", "shengyu/p/p4/text.txt", "secret/text.txt"),
        *("secret/book.pdf", "song/text.txt", "song/book.pdf", "shengyu/p/p99/page.pdf", "..%2f/book.pdf"),
    ],
)
def test_what_is_closed_or_not_there_is_404(client: FlaskClient, path: str) -> None:
    assert client.get(f"/items/{path}").status_code == 404
    assert client.get("/items/gone/book.pdf").status_code == 410


def test_the_blank_font_is_in_the_package() -> None:
    assert (Path(__file__).parents[3] / "archive" / "export" / "blank.ttf").stat().st_size < 1000


def test_the_page_of_an_item_leads_to_its_citation_and_downloads(client: FlaskClient) -> None:
    body = client.get("/items/shengyu").text
    for path in ("cite", "text.txt", "book.pdf"):
        assert f'href="/items/shengyu/{path}"' in body
    song = client.get("/items/song").text
    assert "/items/song/cite" in song and "book.pdf" not in song and "text.txt" not in song
