"""What is found on a page image and kept: it comes back as it was, in pixels of the full image or of a region; and a real scan against boxes set by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archive.derivatives import page_image, page_lines
from archive.derivatives.alignment import FoundLine, place
from archive.search.chinese import fold_characters

ROOT = Path(__file__).parents[3]
SCANS = ROOT / "tests/data/sample/古籍/欽定四庫全書簡明目錄_聖諭目錄"
DOWN = FoundLine((100, 200, 40, 120), "易類", 0.9, ((100, 200, 40, 60), (100, 260, 40, 60)), ((255, 262),))
ACROSS = FoundLine((100, 20, 80, 30), "目錄", 0.8, ((100, 20, 40, 30), (140, 20, 40, 30)))
ONE = FoundLine((10, 20, 50, 40), "一", 0.7, ((10, 20, 50, 40),))


def test_what_was_found_comes_back_from_the_store() -> None:
    kept = json.loads(json.dumps({"lines": [page_lines._record(line) for line in (DOWN, ACROSS, ONE)]}))
    assert page_lines.lines_of(kept) == (DOWN, ACROSS, ONE)
    assert page_lines.lines_of(None) == page_lines.lines_of({"lines": [], "fault": "timeout"}) == ()


def test_a_page_that_is_a_region_of_a_scan_has_its_own_pixels() -> None:
    (line,) = page_lines.within([DOWN, ACROSS, ONE], (80, 180, 400, 400))
    assert line.box == (20, 20, 40, 120) and line.cells[1] == (20, 80, 40, 60) and line.gaps == ((75, 82),)


def test_gaps_are_where_a_column_has_no_ink_though_a_ruled_line_stands_beside_it() -> None:
    paper = np.full((200, 100), 230, np.uint8)
    paper[20:80, 30:70] = paper[100:180, 30:70] = 40
    paper[:, 2:5] = 40
    assert page_lines._gaps(page_lines._ink(Image.fromarray(paper)), (0, 10, 100, 180)) == [(10, 20), (80, 100), (180, 190)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_characters_of_a_real_scan_are_inside_their_boxes(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    (truth,) = [
        page for page in json.loads((ROOT / "benchmarks/boxes/truth.json").read_text("utf-8"))["pages"] if page["image"] == "005.png"
    ]
    scan = SCANS / truth["image"]
    text = scan.with_suffix(".txt").read_text("utf-8").rstrip("\n").split("\n")
    made = page_image.make(scan, scan.name, None, tmp_path)
    found = page_lines.lines_of(page_lines.find(made.files[page_image.PYRAMID]))
    given = place(text, found, fold_characters, notes=True)
    inside = total = 0
    for column, line in zip(truth["columns"], given, strict=True):
        assert line is not None and line.confidence > 0.5
        left, right = column["x"]
        for (top, bottom), box in zip(column["y"], (box for box in line.cells if box), strict=True):
            total += 1
            across = min(box[0] + box[2], right) - max(box[0], left)
            down = min(box[1] + box[3], bottom) - max(box[1], top)
            inside += max(0, across) * max(0, down) >= 0.8 * (right - left) * (bottom - top)
    assert inside >= 0.95 * total
