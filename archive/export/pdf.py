"""Pages as PDF: the image as it lies, under it the text where it stands on the image, columns read downwards; last a page that says what it is.

A column is a line of text turned by a right angle: true vertical writing (Identity-V) is lost on pdfium, and others break it after every character.
The text is searched, chosen and copied, never seen. Characters stand at the boxes that are known (`archive.model.placing`); where a page has text
and no boxes, its lines are spread over it in reading order, so that a search still opens the right page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archive.export.pdf_file import Jpeg, PdfFile, song, wrapped
from archive.model.item import TextLine
from archive.model.placing import Box, character_boxes, is_vertical

LONG_SIDE = 842.0
"""Points: the long side of A4."""
_PAPER = 595.0, LONG_SIDE
_MARGIN, _SIZE, _LEADING = 64.0, 11.0, 19.0


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page to be written. `size` is that of the image as the page shows it, in the pixels that boxes count; `region` the part shown of `whole`."""

    label: str
    picture: Jpeg | None
    size: tuple[int, int]
    lines: Sequence[TextLine]
    notes: bool = False
    vertical: bool = True
    region: Box | None = None
    whole: tuple[int, int] | None = None
    without: str = ""
    """What stands on the page when there is neither image nor text: 缺叶."""


def document(leaves: Iterable[Leaf], colophon: Sequence[str], *, title: str, language: str = "zh") -> Iterator[bytes]:
    """A PDF in pieces: one page for each leaf, then the colophon. Nothing but the leaf in hand is kept."""
    file = PdfFile(title, language)
    yield file.begin()
    for leaf in leaves:
        yield from (
            _leaf(file, leaf)
            if leaf.picture
            else _typeset(file, leaf.label, [line.text for line in leaf.lines] or [leaf.without], leaf.label)
        )
    yield from _typeset(file, title, colophon)
    yield from file.end()


def _leaf(file: PdfFile, leaf: Leaf) -> Iterator[bytes]:
    width, height = leaf.size
    scale = LONG_SIDE / max(width, height, 1)
    yield from file.page(
        width * scale,
        height * scale,
        "\n".join([_placed(leaf, scale), "BT 3 Tr", *_words(file, leaf, scale), "ET"]).encode(),
        label=leaf.label,
        picture=leaf.picture,
    )


def _placed(leaf: Leaf, scale: float) -> str:
    """The image so that the part shown fills the page."""
    width, height = leaf.size
    if leaf.region is None or leaf.whole is None:
        return f"q {width * scale:.3f} 0 0 {height * scale:.3f} 0 0 cm /I Do Q"
    x, y, _w, _h = leaf.region
    whole_w, whole_h = leaf.whole
    return f"q {whole_w * scale:.3f} 0 0 {whole_h * scale:.3f} {-x * scale:.3f} {(y + height - whole_h) * scale:.3f} cm /I Do Q"


def _words(file: PdfFile, leaf: Leaf, scale: float) -> Iterator[str]:
    lines = leaf.lines
    if lines and not any(line.box or line.cells for line in lines):
        lines = _spread(leaf)
    for line in lines:
        boxes = character_boxes(line, notes=leaf.notes)
        vertical = is_vertical(line.box) if line.box else leaf.vertical
        for run in _runs(line.text, boxes, vertical):
            yield _run(file, run, vertical, scale, leaf.size[1])


def _spread(leaf: Leaf) -> list[TextLine]:
    """Lines without boxes at equal distances over the page, the first at the right when they are columns."""
    width, height = leaf.size
    given = [line for line in leaf.lines if line.text.strip()]
    found = []
    for n, line in enumerate(given):
        if leaf.vertical:
            pitch = width / max(len(given), 1)
            box = (int(width - (n + 1) * pitch), height // 20, max(1, int(pitch * 0.8)), height * 9 // 10)
        else:
            pitch = height / max(len(given), 1)
            box = (width // 20, int(n * pitch), width * 9 // 10, max(1, int(min(pitch, height / 20) * 0.8)))
        found.append(replace(line, box=box))
    return found


Placed = tuple[str, Box | None]


def _runs(text: str, boxes: Sequence[Box | None], vertical: bool) -> Iterator[list[Placed]]:
    """Characters that stand one after the other in one column (row); what has no box goes with the character before it, at the start with the first."""
    run: list[Placed] = []
    last: Box | None = None
    for sign, box in zip(text, boxes, strict=True):
        if box is not None and last is not None and not _goes_on(last, box, vertical):
            yield run
            run = []
        if sign not in "\n\r":
            run.append((sign, box))
        last = box or last
    if any(box for _sign, box in run):
        yield run


def _goes_on(last: Box, box: Box, vertical: bool) -> bool:
    """Below the last one in the same column, or after it in the same row. One that is drawn in the same box (a composed glyph) goes on too."""
    across, along = (0, 1) if vertical else (1, 0)
    middle = box[across] + box[across + 2] / 2
    return last[across] <= middle <= last[across] + last[across + 2] and box[along] >= last[along]


def _run(file: PdfFile, run: Sequence[Placed], vertical: bool, scale: float, height: int) -> str:
    """One string whose characters begin where their boxes do; a character without a box takes no room."""
    known = [box for _sign, box in run if box]
    along = 1 if vertical else 0
    pitch = _pitch([box[along] for box in known], known[-1][along + 2])
    breadth = max(box[3 - along] for box in known)
    left, top = known[0][0], known[0][1]
    if vertical:
        matrix = f"0 {-pitch * scale:.3f} {breadth * scale:.3f} 0 {(left + breadth * 0.12) * scale:.3f} {(height - top) * scale:.3f} Tm"
    else:
        matrix = f"{pitch * scale:.3f} 0 0 {breadth * scale:.3f} {left * scale:.3f} {(height - top - breadth * 0.88) * scale:.3f} Tm"
    at, parts = float(known[0][along]), []
    for (_sign, box), code in zip(run, file.codes("".join(sign for sign, _box in run)), strict=True):
        begin = float(box[along]) if box else at
        if abs(begin - at) > pitch / 200:
            parts.append(f"{(at - begin) / pitch * 1000:.0f}")
        parts.append(f"<{code}>" if box else f"<{code}> 1000")
        at = begin + (pitch if box else 0.0)
    drawn = f"/B 1 Tf {matrix} [{' '.join(parts)}] TJ"
    if not vertical:
        return drawn
    # pdfium takes strings that begin at one height for one line and sorts them from left to right; a blank below each column keeps them apart.
    below = (height - at - 2 * pitch) * scale
    return (
        drawn
        + f" 0 {-pitch * scale:.3f} {breadth * scale:.3f} 0 {(left + breadth * 0.12) * scale:.3f} {below:.3f} Tm <{file.codes(' ')[0]}> Tj"
    )


def _pitch(begins: Sequence[int], last: int) -> float:
    """How much room a character takes along a run: the widest step that is no gap, for readers put a blank where a character ends before the next."""
    steps = sorted(after - before for before, after in pairwise(begins) if after > before) or [last]
    usual = steps[len(steps) // 2]
    return max(1.0, *(step for step in steps if step <= usual * 1.6))


def _typeset(file: PdfFile, title: str, paragraphs: Sequence[str], label: str = "") -> Iterator[bytes]:
    """Text that is seen, set in rows under a heading, over as many pages as it needs: the colophon, and leaves that have text and no image."""
    width, height = _PAPER
    ems = (width - 2 * _MARGIN) / _SIZE
    drawn = [f"BT /S 16 Tf {_MARGIN} {height - 96:.1f} Td <{song(wrapped(title, ems * _SIZE / 16)[0])}> Tj ET"] if title else []
    y = height - 136
    for paragraph in paragraphs:
        for line in wrapped(paragraph, ems):
            if y < _MARGIN:
                yield from file.page(width, height, "\n".join(drawn).encode(), label=label)
                drawn, y = [], height - 96
            drawn.append(f"BT /S {_SIZE} Tf {_MARGIN} {y:.1f} Td <{song(line)}> Tj ET")
            y -= _LEADING
        y -= _LEADING / 3
    yield from file.page(width, height, "\n".join(drawn).encode(), label=label)
