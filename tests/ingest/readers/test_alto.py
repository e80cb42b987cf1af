"""Page text with boxes: ALTO, PAGE, hOCR."""

from __future__ import annotations

import pytest

from archive.errors import DecodeError
from archive.model.item import TextLine
from ingest.readers.alto import read_page_text

ALTO = """<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Layout><Page WIDTH="1000" HEIGHT="2000"><PrintSpace>
<TextBlock><TextLine HPOS="900" VPOS="100" WIDTH="50" HEIGHT="800"><String CONTENT="興安" WC="0.9"/><SP/><String CONTENT="府" WC="0.7"/></TextLine>
<TextLine HPOS="800" VPOS="100" WIDTH="50" HEIGHT="10"><String CONTENT=""/></TextLine></TextBlock></PrintSpace></Page></Layout></alto>"""
PAGE = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Page imageWidth="1000" imageHeight="2000">
<ReadingOrder><OrderedGroup id="g"><RegionRefIndexed index="0" regionRef="r2"/><RegionRefIndexed index="1" regionRef="r1"/></OrderedGroup></ReadingOrder>
<TextRegion id="r1"><TextLine id="l1"><Coords points="10,20 60,20 60,820 10,820"/><TextEquiv conf="0.5"><Unicode>平利縣</Unicode></TextEquiv></TextLine></TextRegion>
<TextRegion id="r2" type="heading"><TextLine id="l2"><Coords points="100,20 150,20 150,820"/><TextEquiv><Unicode>形勢</Unicode></TextEquiv></TextLine></TextRegion>
</Page></PcGts>"""
HOCR = """<html><body><div class='ocr_page' title='bbox 0 0 1000 2000'><p><span class='ocr_line' title='bbox 10 20 60 820'>
<span class='ocrx_word' title='x_wconf 90'>石</span> <span class='ocrx_word' title='x_wconf 70'>泉<b>縣</b></span></span></p></div></body></html>"""


def test_alto_in_pixels_of_the_image() -> None:
    (line,) = read_page_text(ALTO.encode(), (500, 1000))
    assert (line.text, line.box) == ("興安府", (450, 50, 25, 400))
    assert line.confidence == pytest.approx(0.8)


def test_page_in_its_reading_order() -> None:
    assert read_page_text(PAGE.encode()) == (
        TextLine("形勢", (100, 20, 50, 800), None, "heading"),
        TextLine("平利縣", (10, 20, 50, 800), 0.5, "main"),
    )


def test_hocr() -> None:
    (line,) = read_page_text(HOCR.encode(), (2000, 4000))
    assert (line.text, line.box) == ("石泉縣", (20, 40, 100, 1600))


@pytest.mark.parametrize(
    "data",
    [
        b"<a/>",
        b"not xml",
        b"",
        b'<!DOCTYPE x [<!ENTITY a "b">]><alto>&a;</alto>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><alto>&a;</alto>',
    ],
    ids=["other", "text", "empty", "entity", "external"],
)
def test_what_is_no_page_text_says_so(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_page_text(data)
