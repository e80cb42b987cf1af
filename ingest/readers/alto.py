"""Page text with boxes beside a scan: ALTO, PAGE XML and hOCR.

XML is read by defusedxml: entities and external references are refused. Boxes come out in pixels of the upright page image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from archive.errors import DecodeError
from archive.language import _
from archive.model.item import TextLine

Box = tuple[int, int, int, int]


class _Scale:
    """From the units of the file to pixels of the image."""

    def __init__(self, page: tuple[float, float] | None, image: tuple[int, int] | None) -> None:
        known = page is not None and image is not None and page[0] > 0 and page[1] > 0
        self.x, self.y = (image[0] / page[0], image[1] / page[1]) if known and page and image else (1.0, 1.0)

    def box(self, x: float, y: float, width: float, height: float) -> Box | None:
        if width <= 0 or height <= 0:
            return None
        return round(x * self.x), round(y * self.y), round(width * self.x), round(height * self.y)


def _name(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _each(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element.iter() if _name(child) == name)


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _name(child) == name)


def _number(element: Element, *names: str) -> float:
    for name in names:
        try:
            return float(element.get(name, ""))
        except ValueError:
            continue
    return 0.0


def read_page_text(data: bytes, image: tuple[int, int] | None = None) -> tuple[TextLine, ...]:
    """The lines of an ALTO, PAGE or hOCR file in reading order; `image` is the size of its image in pixels.

    Raises DecodeError (`not-page-text`) for anything else.
    """
    head = data[:4000].lower()
    if b"ocr_page" in data[:20_000] or b"<html" in head:
        return _hocr(data, image)
    try:
        root = fromstring(data, forbid_dtd=False)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise DecodeError("not-page-text", _("不是可读的 XML：%(detail)s", detail=error)) from error
    if _name(root) == "alto":
        return tuple(_alto(root, image))
    if _name(root) == "PcGts":
        return tuple(_page(root, image))
    raise DecodeError("not-page-text", _("既不是 ALTO 也不是 PAGE（根元素 %(name)s）", name=_name(root)))


def _alto(root: Element, image: tuple[int, int] | None) -> Iterator[TextLine]:
    for page in _each(root, "Page"):
        scale = _Scale((_number(page, "WIDTH"), _number(page, "HEIGHT")), image)
        for line in _each(page, "TextLine"):
            words = [e for e in line if _name(e) in ("String", "SP", "HYP")]
            text = _joined(words)
            if not text:
                continue
            confidences = [float(w.get("WC", "")) for w in words if re.fullmatch(r"[01](?:\.\d+)?|\.\d+", w.get("WC", ""))]
            box = scale.box(_number(line, "HPOS"), _number(line, "VPOS"), _number(line, "WIDTH"), _number(line, "HEIGHT"))
            yield TextLine(text, box, sum(confidences) / len(confidences) if confidences else None)


def _joined(words: Iterable[Element]) -> str:
    """Words of one line; a space only where the file has one and both sides are not Chinese."""
    text = ""
    for word in words:
        content = word.get("CONTENT", "") if _name(word) != "SP" else " "
        if content == " " and (not text or ord(text[-1]) > 0x2E7F):
            continue
        text += content
    return text.strip()


def _page(root: Element, image: tuple[int, int] | None) -> Iterator[TextLine]:
    kinds = {
        "heading": "heading",
        "header": "margin",
        "footer": "margin",
        "marginalia": "margin",
        "page-number": "margin",
        "footnote": "note",
    }
    for page in _each(root, "Page"):
        scale = _Scale((_number(page, "imageWidth"), _number(page, "imageHeight")), image)
        regions = list(_each(page, "TextRegion"))
        order = [e.get("regionRef", "") for e in _each(page, "RegionRefIndexed")] or [
            e.get("regionRef", "") for e in _each(page, "RegionRef")
        ]
        if order:
            regions.sort(key=lambda r: order.index(r.get("id", "")) if r.get("id", "") in order else len(order))
        for region in regions:
            for line in _children(region, "TextLine"):
                text, confidence = _equivalent(line)
                if text:
                    yield TextLine(text, _around(line, scale), confidence, kinds.get(region.get("type", ""), "main"))


def _equivalent(line: Element) -> tuple[str, float | None]:
    for equivalent in sorted(_children(line, "TextEquiv"), key=lambda e: int(e.get("index", "0") or 0)):
        text = "".join((e.text or "") for e in _children(equivalent, "Unicode")).strip()
        if text:
            return text, _number(equivalent, "conf") if equivalent.get("conf") else None
    words = [_equivalent(word)[0] for word in _children(line, "Word")]
    return "".join(words), None


def _around(line: Element, scale: _Scale) -> Box | None:
    for coords in _children(line, "Coords"):
        points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", coords.get("points", ""))]
        if points:
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            return scale.box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return None


class _Hocr(HTMLParser):
    LINES = frozenset(("ocr_line", "ocrx_line", "ocr_header", "ocr_caption", "ocr_textfloat"))
    EMPTY = frozenset(("br", "img", "meta", "link", "hr", "input"))

    def __init__(self, image: tuple[int, int] | None) -> None:
        super().__init__(convert_charrefs=True)
        self.image = image
        self.scale = _Scale(None, None)
        self.lines: list[TextLine] = []
        self.depth = 0
        self.box: Box | None = None
        self.text = ""
        self.confidences: list[float] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.EMPTY:
            return
        values = {name: value or "" for name, value in attrs}
        classes, title = set(values.get("class", "").split()), values.get("title", "")
        bbox = re.search(r"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)", title)
        if self.depth:
            self.depth += 1
            if conf := re.search(r"x_wconf (\d+(?:\.\d+)?)", title):
                self.confidences.append(float(conf[1]) / 100)
        elif "ocr_page" in classes and bbox:
            self.scale = _Scale((float(bbox[3]), float(bbox[4])), self.image)
        elif classes & self.LINES:
            self.depth, self.text, self.confidences, self.box = 1, "", [], None
            if bbox:
                x, y, right, bottom = map(float, bbox.groups())
                self.box = self.scale.box(x, y, right - x, bottom - y)

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if not self.depth or tag in self.EMPTY:
            return
        self.depth -= 1
        text = re.sub(r"(?<=[\u2e80-\U0003ffff])\s+(?=[\u2e80-\U0003ffff])|^\s+|\s+$", "", re.sub(r"\s+", " ", self.text))
        if not self.depth and text:
            mean = sum(self.confidences) / len(self.confidences) if self.confidences else None
            self.lines.append(TextLine(text, self.box, mean))


def _hocr(data: bytes, image: tuple[int, int] | None) -> tuple[TextLine, ...]:
    parser = _Hocr(image)
    parser.feed(data.decode("utf-8", "replace"))
    parser.close()
    return tuple(parser.lines)
