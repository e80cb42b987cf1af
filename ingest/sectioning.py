"""The section tree 卷 → 门 → 目 of a book: from a 目录 file, from the donor's page list, or proposed from headings in the text.

Draft pages have no ids yet: a section names its page by its place in the book (`@12`, from 1); `mint` puts the id in its place.
What a donor states is accepted; what a program read from headings is proposed, and a person accepts it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.language import _
from archive.model.item import Page
from archive.model.profile import Vocabulary
from archive.model.sections import Section

CATEGORIES = "section-categories"
"""The vocabulary of standard categories."""
JUAN, GATE, ENTRY = 1, 2, 3
"""Levels: 卷, 门, 目."""
MOST = 5_000
"""Sections of one item; a book with more is read wrongly."""

_NUMBER = "[一二三四五六七八九十百千零〇廿卅卌兩两]"
_JUAN_TITLE = re.compile(
    rf"^(?P<book>[^，。、：；]{{0,12}}?)[卷巻](?:之|第)?(?P<number>{_NUMBER}{{1,6}}|[首末上中下])(?:之{_NUMBER}{{1,3}})?[上中下]?$"
)
_CONTENTS_TITLE = re.compile(r"(目[錄録录]|目次)$")
_HEADING = re.compile(r"︹(.+?)︺")
_DYNASTIES = frozenset(
    (
        "周",
        "秦",
        "汉",
        "后汉",
        "三国",
        "魏",
        "蜀",
        "吴",
        "晋",
        "南北朝",
        "宋",
        "齐",
        "梁",
        "陈",
        "隋",
        "唐",
        "五代",
        "辽",
        "金",
        "元",
        "明",
        "清",
        "本朝",
        "国朝",
    )
)
"""What a 门 of people or offices is divided by, folded."""
_PARTS = re.compile(r"\s*[/／>＞→]\s*")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading on its way into the tree. `place` the page's, from 1; `line` the line of its text, from 0."""

    title: str
    level: int
    place: int
    line: int | None = None


Fold = Callable[[str], str]


def categories(vocabulary: Vocabulary | None, fold: Fold) -> Mapping[str, str]:
    """By folded name of a section the category it answers to."""
    terms = vocabulary.terms if vocabulary else ()
    known = {fold(name): term.value for term in terms for name in term.names}
    return known | {fold(term.value): term.value for term in terms}


def category_of(title: str, known: Mapping[str, str], fold: Fold) -> str:
    """The category of a section: by its whole name, else without a 志, 考, 表 or 門 at its end; empty for none."""
    plain = fold(re.sub(r"[\s　]", "", title))
    return known.get(plain) or known.get(re.sub("[志考表门略记]$", "", plain), "")


def tree(headings: Sequence[Heading], source: str, accepted: bool, known: Mapping[str, str], fold: Fold) -> tuple[Section, ...]:
    """Headings in the order of the book as a tree. A 目 without a 门, or a 门 without a 卷, stands at the top."""
    roots: list[Section] = []
    open_: list[list[Section]] = [roots]
    levels: list[int] = []
    made: list[tuple[list[Section], int]] = []
    for heading in headings[:MOST]:
        while levels and levels[-1] >= heading.level:
            levels.pop()
            _close(open_, made)
        section = Section(
            "", heading.title, heading.level, f"@{heading.place}", heading.line, category_of(heading.title, known, fold), source, accepted
        )
        open_[-1].append(section)
        made.append((open_[-1], len(open_[-1]) - 1))
        open_.append([])
        levels.append(heading.level)
    while levels:
        levels.pop()
        _close(open_, made)
    return tuple(roots)


def together(stated: Sequence[Heading], found: Sequence[Heading], known: Mapping[str, str], fold: Fold) -> tuple[Section, ...]:
    """What the donor's list states, with what the text seems to have proposed inside it."""
    own = {id(heading) for heading in stated}
    merged = sorted(
        (*stated, *found), key=lambda heading: (heading.place, heading.level if id(heading) in own else ENTRY, heading.line or 0)
    )
    built = iter(merged)

    def marked(section: Section) -> Section:
        heading = next(built)
        proposed = id(heading) not in own
        section = replace(section, source="heading" if proposed else "sheet", accepted=not proposed)
        return replace(section, children=tuple(marked(child) for child in section.children))

    return tuple(marked(section) for section in tree(merged, "sheet", True, known, fold))


def _close(open_: list[list[Section]], made: list[tuple[list[Section], int]]) -> None:
    """Give the section opened last its children."""
    children = open_.pop()
    siblings, index = made.pop()
    siblings[index] = replace(siblings[index], children=tuple(children))


def of_sheet(pages: Sequence[Page]) -> list[Heading]:
    """What a page list says: 卷 by its column, 门目 by its column (several levels parted by /). A new heading where the value changes."""
    found: list[Heading] = []
    juan = ""
    parts: tuple[str, ...] = ("",)
    for place, page in enumerate(pages, 1):
        folio = page.folio
        here = f"卷{folio.juan}" if folio and folio.juan else f"册{folio.ce}" if folio and folio.ce else juan
        if here != juan:
            found.append(Heading(here, JUAN, place))
            juan, parts = here, ("",)
        named = tuple(part for part in _PARTS.split(page.section.strip()) if part)
        if not named:
            continue
        if named[0] == juan:
            named = named[1:]
        same = next((at for at, (old, new) in enumerate(zip(parts, named, strict=False)) if old != new), min(len(parts), len(named)))
        found += [Heading(title, min(GATE + at, ENTRY), place) for at, title in enumerate(named) if at >= same]
        parts = named or parts
    return found


def of_text(pages: Sequence[Page], known: Mapping[str, str], fold: Fold, *, juan: bool) -> list[Heading]:
    """Headings in the text: `︹…︺`, the title of a 卷 on a line of its own, a line that is the name of a category. `juan`: look for 卷 too.

    A page that lists several 卷 is a table of contents and heads nothing; the title of a 卷 repeated at its end begins nothing.
    """
    found: list[Heading] = []
    current, gate = "", False
    listing = False
    for place, page in enumerate(pages, 1):
        lines = [] if page.text is None or page.missing else [re.sub(r"[\s　]", "", line.text) for line in page.text.lines]
        titles = [match for line in lines if (match := _JUAN_TITLE.match(line))]
        ends_in_contents = any(_CONTENTS_TITLE.search(line) for line in lines[:3] if len(line) < 16)
        listing = len({match["number"] for match in titles}) > 1 or ends_in_contents or (listing and not titles)
        if listing:
            continue
        for number, line in enumerate(lines):
            marked = _HEADING.findall(line)
            if juan and (match := _JUAN_TITLE.match(line)):
                if match["number"] != current:
                    current, gate = match["number"], False
                    found.append(Heading(f"卷{current}", JUAN, place, number))
                continue
            for title in marked:
                level = GATE if category_of(title, known, fold) or not gate else ENTRY
                level = ENTRY if fold(title) in _DYNASTIES and gate else level
                gate = gate or level == GATE
                found.append(Heading(title, level, place, number))
            if not marked and 2 <= len(line) <= 5 and fold(line) in known:
                found.append(Heading(line, GATE, place, number))
                gate = True
    return found


# A 目录 file

_ROW = re.compile(r"^(?P<indent>[\s　]*)(?P<title>.*?)(?:[\s　]*[.．·…⋯—\-]{2,}[\s　]*|[\t　 ]{2,}|\t)(?P<where>[^\t]*?)[\s　]*$")
_LEAF = re.compile(r"^(?:[卷巻](?P<juan>[^·叶葉]+?)[·,，\s]*)?[叶葉](?P<ye>[^上下ab]+?)(?P<side>[上下ab])?$")
_PLACE = re.compile(r"^(?:影像|第|p\.?|P\.?)?\s*(?P<n>[0-9]{1,6})\s*(?:面|頁|页)?$")


@dataclass(frozen=True, slots=True)
class ContentsRow:
    """A line of a 目录 file: `row` counts from 1."""

    row: int
    title: str
    level: int
    where: str


def read_contents(lines: Sequence[str]) -> list[ContentsRow]:
    """The rows of a 目录 file: levels by indentation (tab or spaces) or by 卷 and 门 words; the place stands after dots, a tab or spaces."""
    rows: list[ContentsRow] = []
    indents: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or (_CONTENTS_TITLE.search(line.strip()) and len(line.strip()) < 16):
            continue
        match = _ROW.match(line.rstrip())
        indent, title, where = (
            (match["indent"], match["title"], match["where"]) if match else (line[: len(line) - len(line.lstrip())], line.strip(), "")
        )
        width = sum(4 if char == "\t" else 2 if char == "　" else 1 for char in indent)
        while indents and indents[-1] >= width:
            indents.pop()
        indents.append(width)
        title = title.strip().strip("︹︺")
        base = 0 if any(r.level == JUAN for r in rows) or _JUAN_TITLE.match(re.sub(r"[\s　]", "", title)) else 1
        rows.append(ContentsRow(number, title, min(len(indents) + base, ENTRY), where.strip()))
    return rows


def of_contents(
    rows: Sequence[ContentsRow], pages: Sequence[Page], names: Sequence[str]
) -> tuple[list[Heading], list[tuple[int, str, str]]]:
    """Rows as headings in the order of the book, and faults as (row, code, words). `names`: the name of each page's image, without ending."""
    faults: list[tuple[int, str, str]] = []
    placed: list[tuple[ContentsRow, int]] = []
    before = 1
    seen: dict[tuple[str, int], int] = {}
    for at, row in enumerate(rows):
        place = _place_of(row.where, pages, names, rows[:at], before)
        if not row.where:
            place = _next_place(rows[at + 1 :], pages, names, before)
        if place is None:
            faults.append(
                (
                    row.row,
                    "contents-nowhere",
                    _(
                        "目录“%(title)s”的位置“%(where)s”在本书里找不到，这一条没有用。请改成 叶三上、卷二叶五、影像序号或影像文件名。",
                        title=row.title,
                        where=row.where,
                    ),
                )
            )
            continue
        if place < before:
            faults.append(
                (row.row, "contents-order", _("目录“%(title)s”排在前一条之前（第 %(place)d 面）。请核对。", title=row.title, place=place))
            )
        if (row.title, place) in seen:
            faults.append(
                (
                    row.row,
                    "contents-repeat",
                    _("目录“%(title)s”与第 %(row)d 行重复，只用一条。", title=row.title, row=seen[row.title, place]),
                )
            )
            continue
        seen[row.title, place] = row.row
        before = max(before, place)
        placed.append((row, place))
    placed.sort(key=lambda pair: pair[1])  # stable: rows of one page keep their order
    return [Heading(row.title, row.level, place) for row, place in placed], faults


def _next_place(rows: Sequence[ContentsRow], pages: Sequence[Page], names: Sequence[str], before: int) -> int | None:
    """Of a row that names no place: that of the first row after it that does (a 卷 begins where its first 门 does)."""
    return next((place for row in rows if row.where and (place := _place_of(row.where, pages, names, (), before)) is not None), None)


def _place_of(where: str, pages: Sequence[Page], names: Sequence[str], above: Sequence[ContentsRow], before: int) -> int | None:
    """The page, from 1, that a row names: a leaf, an image by number, an image by name; None when there is none."""
    if not where:
        return None
    if (match := _LEAF.match(where)) is not None:
        side = {"上": "a", "下": "b", None: None}.get(match["side"], match["side"])
        juan = match["juan"] or next(
            (m["number"] for row in reversed(above) if (m := _JUAN_TITLE.match(re.sub(r"[\s　]", "", row.title)))), None
        )
        fitting = [
            place
            for place, page in enumerate(pages, 1)
            if page.folio
            and page.folio.ye == match["ye"]
            and (side is None or page.folio.side is None or page.folio.side.value == side)
            and (juan is None or page.folio.juan in (None, juan))
        ]
        return next((place for place in fitting if place >= before), fitting[0] if fitting else None)
    stem = where.rsplit(".", 1)[0]
    if stem in names or where in names:
        return names.index(stem if stem in names else where) + 1
    if (match := _PLACE.match(where)) is not None and 1 <= int(match["n"]) <= len(pages):
        return int(match["n"])
    return None


_CONTENTS_FILE = re.compile(r"^(?:\d+[._ -]*)?(目[录錄録次]|目录树|contents|table[_ -]?of[_ -]?contents|toc)$", re.IGNORECASE)


def is_contents(stem: str) -> bool:
    """True for the name (without ending) of a file that says what stands where in a book: 目录, 目次, contents, toc."""
    return _CONTENTS_FILE.match(unicodedata.normalize("NFKC", stem).strip()) is not None


_TITLE_HEADINGS = frozenset(("题名", "標題", "标题", "名称", "目", "篇名", "title"))
_PLACE_HEADINGS = frozenset(("位置", "叶", "葉", "页", "頁", "起叶", "起页", "影像", "起始影像", "page", "leaf", "image"))
_LEVEL_HEADINGS = frozenset(("级", "級", "级别", "级次", "层级", "level"))


def read_table(text: str, separator: str) -> list[ContentsRow]:
    """The rows of a 目录 table: columns 题名, 级别 (1 卷, 2 门, 3 目) and 位置 told by their headings; or 卷, 门, 目 in columns of their own.

    Without headings the last column is the place and the first one that says something the title, its column the level.
    """
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=separator)]
    head = [cell.casefold() for cell in rows[0]] if rows else []
    place = next((at for at, cell in enumerate(head) if cell in _PLACE_HEADINGS), None)
    title = next((at for at, cell in enumerate(head) if cell in _TITLE_HEADINGS), None)
    level = next((at for at, cell in enumerate(head) if cell in _LEVEL_HEADINGS), None)
    found = []
    for number, row in enumerate(rows, 1):
        if not any(row) or (number == 1 and place is not None):
            continue
        where = row[place if place is not None and place < len(row) else -1]
        named = [(at, cell) for at, cell in enumerate(row) if cell and at not in (place if place is not None else len(row) - 1, level)]
        if title is not None and level is not None and title < len(row):
            stated = row[level] if level < len(row) else ""
            found.append(ContentsRow(number, row[title], int(stated) if stated in ("1", "2", "3") else GATE, where))
            continue
        for at, cell in named:
            found.append(ContentsRow(number, cell, min(at + 1, ENTRY) if title is None else GATE, where if cell is named[-1][1] else ""))
    return found
