"""How well donors' text is placed on scans, judged by boxes set by hand: `python -m benchmarks.boxes [--overlays FOLDER]`. See README.md."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from archive.derivatives import page_image, page_lines
from archive.derivatives.alignment import FoundLine, place
from archive.model.item import TextLine
from archive.model.placing import Box, regions
from archive.search.chinese import fold_characters

HERE = Path(__file__).parent
SCANS = HERE.parents[1] / "tests/data/sample/古籍/欽定四庫全書簡明目錄_聖諭目錄"
SEED, STRINGS, SHORTEST, LONGEST = 4, 50, 2, 12
COVERED, SPILT = 0.8, 0.5


def main() -> int:
    """Print the figures; exit status 1 when fewer than 95 of 100 characters are inside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overlays", type=Path, help="draw the boxes of every character of all ten scans into this folder")
    given = parser.parse_args()
    truth = json.loads((HERE / "truth.json").read_text("utf-8"))
    pages = [_Page(record) for record in truth["pages"]]
    chooser = random.Random(SEED)
    inside = asked = spilt = whole = 0
    for number in range(STRINGS):
        page = chooser.choices(pages, [len(page.boxes) for page in pages])[0]
        wanted = page.draw(chooser, across=number % 5 == 0)
        drawn = regions(page.lines, min(wanted), max(wanted) + 1, notes=True)
        good = [at for at in wanted if _share(page.boxes[at], drawn) >= COVERED]
        spilt += sum(_share(box, drawn) > SPILT for at, box in page.boxes.items() if at not in wanted)
        inside, asked, whole = inside + len(good), asked + len(wanted), whole + (len(good) == len(wanted))
    every = sum(_share(box, regions(page.lines, at, at + 1, notes=True)) >= COVERED for page in pages for at, box in page.boxes.items())
    total = sum(len(page.boxes) for page in pages)
    print(f"{STRINGS} strings: {inside} of {asked} characters inside ({inside / asked:.1%}), {whole} strings whole, {spilt} others covered")
    print(f"every character by itself: {every} of {total} inside ({every / total:.1%})")
    for page in pages:
        print(f"{page.name}: found in {page.finding:.1f} CPU s, placed in {page.placing * 1000:.1f} CPU ms, {page.confidences}")
    if given.overlays:
        given.overlays.mkdir(parents=True, exist_ok=True)
        for scan in sorted(SCANS.glob("*.png")):
            _overlay(scan, given.overlays / scan.name)
    return int(inside < 0.95 * asked)


class _Page:
    """One scan with boxes set by hand: `boxes` by code point of its text, and its `lines` as they were placed."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.name: str = record["image"]
        text = _text(SCANS / self.name)
        self.boxes: dict[int, Box] = {}
        at = 0
        for column, line in zip(record["columns"], text, strict=True):
            printed = [at + offset for offset, sign in enumerate(line) if not sign.isspace()]
            left, right = column["x"]
            self.boxes |= {
                place: (left, top, right - left, bottom - top) for place, (top, bottom) in zip(printed, column["y"], strict=True)
            }
            at += len(line) + 1
        begun = time.process_time()
        found = _found(SCANS / self.name)
        self.finding = time.process_time() - begun
        begun = time.process_time()
        self.lines = _placed(text, found)
        self.placing = time.process_time() - begun
        self.confidences = [line.confidence for line in self.lines]
        self._ends = [max(place for place in self.boxes if place < end) for end in _line_ends(text)]

    def draw(self, chooser: random.Random, *, across: bool) -> list[int]:
        """The code points of a string; `across`: it runs over the end of a column."""
        places, length = sorted(self.boxes), chooser.randint(SHORTEST, LONGEST)
        if across:
            end = places.index(chooser.choice(self._ends[:-1]))
            first = end - chooser.randint(0, min(length - 2, end))
        else:
            first = chooser.randint(0, len(places) - length)
        return places[first : first + length]


def _line_ends(text: list[str]) -> list[int]:
    ends, at = [], 0
    for line in text:
        ends.append(at + len(line))
        at += len(line) + 1
    return ends


def _text(scan: Path) -> list[str]:
    return scan.with_suffix(".txt").read_text("utf-8").rstrip("\n").split("\n")


def _found(scan: Path) -> tuple[FoundLine, ...]:
    with tempfile.TemporaryDirectory() as folder:
        made = page_image.make(scan, scan.name, None, Path(folder))
        return page_lines.lines_of(json.loads(json.dumps(page_lines.find(made.files[page_image.PYRAMID]))))


def _placed(text: list[str], found: tuple[FoundLine, ...]) -> tuple[TextLine, ...]:
    given = zip(text, place(text, found, fold_characters, notes=True), strict=True)
    return tuple(TextLine(line, p.box, p.confidence, cells=p.cells) if p else TextLine(line) for line, p in given)


def _share(box: Box, drawn: tuple[Box, ...]) -> float:
    """How much of a box the drawn ones cover (they do not overlap)."""
    x, y, width, height = box
    return sum(
        max(0, min(x + width, left + w) - max(x, left)) * max(0, min(y + height, top + h) - max(y, top)) for left, top, w, h in drawn
    ) / (width * height)


def _overlay(scan: Path, target: Path) -> None:
    text = _text(scan)
    lines = _placed(text, _found(scan))
    with Image.open(scan) as opened:
        image = opened.convert("RGB")
    draw, at = ImageDraw.Draw(image), 0
    for line in lines:
        for offset in range(len(line.text)):
            for x, y, width, height in regions(lines, at + offset, at + offset + 1, notes=True):
                draw.rectangle((x, y, x + width, y + height), outline=(200, 30, 30) if offset % 2 else (30, 90, 220), width=2)
        at += len(line.text) + 1
    image.save(target)


if __name__ == "__main__":
    raise SystemExit(main())
