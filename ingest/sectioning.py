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
from dataclasses import dataclass, field, replace

from archive.chronology import numerals
from archive.language import _
from archive.model.item import Page
from archive.model.profile import Vocabulary
from archive.model.sections import Section

CATEGORIES = "section-categories"
"""The vocabulary of standard categories."""
JUAN, GATE, ENTRY = 1, 2, 3
"""Levels: 卷, 门, 目."""
MOST = 5_000
"""Sections of one item: each leaf's page reads them all. 大清一統志 has 14,140 marked headings on 26,903 leaves."""

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


def within(headings: Sequence[Heading], most: int = MOST) -> list[Heading]:
    """As many levels of the headings as `most` allows, each level whole: half a tree would put the rest of the book into its last section."""
    for deepest in (ENTRY, GATE, JUAN):
        kept = [heading for heading in headings if heading.level <= deepest]
        if len(kept) <= most:
            return kept
    return []


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
            if not marked and 2 <= len(line) <= 5 and line.isalpha() and fold(line) in known:  # a small note's end is 山)
                found.append(Heading(line, GATE, place, number))
                gate = True
    return found


# A 目录 file

_ROW = re.compile(r"^(?P<indent>[\s　]*)(?P<title>.*?)(?:[\s　]*[.．·…⋯—\-]{2,}[\s　]*|[\t　 ]{2,}|\t)(?P<where>[^\t]*?)[\s　]*$")
_BARE_ROW = re.compile(r"^(?P<indent>[\s　]*)(?P<title>.*?\S)[\s　]+(?P<where>\S+)[\s　]*$")
_LEAF = re.compile(r"^(?:[卷巻](?P<juan>[^·叶葉]+?)[·,，\s]*)?[叶葉](?P<ye>[^上下ab]+?)(?P<side>[上下ab])?$")
_PLACE = re.compile(rf"^(?:影像|第|p\.?|P\.?)?\s*(?P<n>[0-9]{{1,6}}|{_NUMBER}{{1,6}})\s*(?:面|頁|页)?$")
_JUAN_BEFORE = re.compile(rf"^[卷巻](?:之|第)?(?:{_NUMBER}{{1,6}}|[首末])[\s　]")


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
    beneath = False  # 山川門 stands where its 卷 does
    flat = not any(line[:1].isspace() for line in lines if line.strip())
    for number, line in enumerate(lines, 1):
        if not line.strip() or (_CONTENTS_TITLE.search(line.strip()) and len(line.strip()) < 16):
            continue
        match = _ROW.match(line.rstrip())
        if match is None and (bare := _BARE_ROW.match(line)) is not None and is_place(bare["where"]):
            match = bare
        indent, title, where = (
            (match["indent"], match["title"], match["where"]) if match else (line[: len(line) - len(line.lstrip())], line.strip(), "")
        )
        width = sum(4 if char == "\t" else 2 if char == "　" else 1 for char in indent)
        while indents and indents[-1] >= width:
            indents.pop()
        indents.append(width)
        title = title.strip().strip("︹︺")
        juan = _is_juan(title)
        if juan or len(indents) == 1:
            beneath = not juan and title.endswith(("门", "門"))
        base = 0 if juan or (any(r.level == JUAN for r in rows) and not beneath) else 1
        level = len(indents) + base
        if flat:  # words alone tell the levels
            level = JUAN if juan else GATE
        rows.append(ContentsRow(number, title, min(level, ENTRY), where.strip()))
    return rows


def _is_juan(title: str) -> bool:
    """True for 卷一, 某志卷之二, and 卷三 with the name of what it holds after a blank."""
    return _JUAN_TITLE.match(re.sub(r"[\s　]", "", title)) is not None or _JUAN_BEFORE.match(title) is not None


def is_place(where: str) -> bool:
    """True for what can only name a leaf or an image: 叶三上, 卷二叶五, 12, 第12面, 影像3."""
    return _LEAF.match(where) is not None or (re.search(r"[0-9]", where) is not None and _PLACE.match(where) is not None)


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
            and _same_number(page.folio.ye, match["ye"])
            and (side is None or page.folio.side is None or page.folio.side.value == side)
            and (juan is None or page.folio.juan is None or _same_number(page.folio.juan, juan))
        ]
        return next((place for place in fitting if place >= before), fitting[0] if fitting else None)
    stem = where.rsplit(".", 1)[0]
    if stem in names or where in names:
        return names.index(stem if stem in names else where) + 1
    if (match := _PLACE.match(where)) is not None and (count := numerals.number(match["n"])) and 1 <= count <= len(pages):
        return count
    return None


def _same_number(folio: str | None, named: str) -> bool:
    """Two numbers of a leaf or a 卷, written in Chinese or in figures; 又三 and the like as written."""
    if folio is None or folio == named:
        return folio == named
    one, other = numerals.number(folio), numerals.number(named)
    return one is not None and one == other


_CONTENTS_FILE = re.compile(r"^(?:\d+[._ -]*)?(目[录錄録次]|目录树|contents|table[_ -]?of[_ -]?contents|toc)$", re.IGNORECASE)


def is_contents(stem: str) -> bool:
    """True for the name (without ending) of a file that says what stands where in a book: 目录, 目次, contents, toc."""
    return _CONTENTS_FILE.match(unicodedata.normalize("NFKC", stem).strip()) is not None


TABLES = (".xlsx", ".xlsm", ".xls", ".et", ".ods", ".csv", ".tsv")
"""Endings of a 目录 file that is a table."""
_TITLE_HEADINGS = frozenset(("题名", "標題", "标题", "名称", "目", "篇名", "title"))
_PLACE_HEADINGS = frozenset(("位置", "叶", "葉", "页", "頁", "起叶", "起页", "影像", "起始影像", "page", "leaf", "image"))
_LEVEL_HEADINGS = frozenset(("级", "級", "级别", "级次", "层级", "level"))
_COLUMN_LEVELS = {"卷": JUAN, "巻": JUAN, "门": GATE, "門": GATE, "目": ENTRY}
"""Headings of columns that are levels themselves."""
_LEVELS = _COLUMN_LEVELS | {str(level): level for level in (JUAN, GATE, ENTRY)}
"""What a column 级别 says."""

TableRow = tuple[int, Sequence[str]]
"""Number of the row as a spreadsheet counts, and its cells."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column is what, from 0; `levels` those that are levels themselves."""

    place: int | None = None
    title: int | None = None
    level: int | None = None
    levels: Mapping[int, int] = field(default_factory=dict)


def _columns(head: Sequence[str]) -> _Columns:
    """What the cells of the first row head. 目 heads titles, and the third level where 卷 or 门 stand beside it."""
    names = [cell.strip().casefold() for cell in head]

    def first(known: frozenset[str]) -> int | None:
        return next((at for at, name in enumerate(names) if name in known), None)

    levels = {at: _COLUMN_LEVELS[name] for at, name in enumerate(names) if name in _COLUMN_LEVELS}
    levels = levels if len(levels) > 1 else {}
    return _Columns(first(_PLACE_HEADINGS), None if levels else first(_TITLE_HEADINGS), first(_LEVEL_HEADINGS), levels)


def is_contents_table(rows: Sequence[TableRow]) -> bool:
    """True for a table that can only say what stands where in a book: a place and levels, and nothing but levels where they stand.

    A donor's list of what was given may be called 目录 too, and may have 级别 (of a relic) and 位置 (of a shelf).
    """
    if len(rows) < 2:
        return False
    columns = _columns(rows[0][1])
    if columns.place is None:
        return False
    if columns.levels:
        return True
    said = [cells[columns.level].strip() for _number, cells in rows[1:] if columns.level is not None and columns.level < len(cells)]
    return columns.title is not None and bool(said) and all(level in _LEVELS for level in said)


def read_table(text: str, separator: str) -> list[ContentsRow]:
    """The rows of a 目录 table of delimited text."""
    return table_rows([(number, row) for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=separator), 1)])


def of_sheets(sheets: Sequence[Sequence[TableRow]]) -> list[ContentsRow]:
    """The rows of a workbook's 目录: of the tab whose headings say that it is one, else of the first."""
    return table_rows(next(filter(is_contents_table, sheets), sheets[0] if sheets else ()))


def table_rows(rows: Sequence[TableRow]) -> list[ContentsRow]:
    """The rows of a 目录 table: columns 题名, 级别 (1 卷, 2 门, 3 目) and 位置 told by their headings; or 卷, 门, 目 in columns of their own.

    Without headings the last column is the place and each column before it a level.
    """
    columns = _columns(rows[0][1]) if rows else _Columns()
    found: list[ContentsRow] = []
    for number, raw in rows[1 if columns.place is not None else 0 :]:
        cells = [cell.strip() for cell in raw]
        if not any(cells):
            continue
        place = columns.place if columns.place is not None else len(cells) - 1
        where = cells[place] if place < len(cells) else ""
        if columns.title is not None:
            title = cells[columns.title] if columns.title < len(cells) else ""
            said = cells[columns.level] if columns.level is not None and columns.level < len(cells) else ""
            if title:
                found.append(ContentsRow(number, title, _LEVELS.get(said, JUAN if not said and _is_juan(title) else GATE), where))
            continue
        named = [(at, cell) for at, cell in enumerate(cells) if cell and at != place and (at in columns.levels or not columns.levels)]
        for at, cell in named:
            found.append(ContentsRow(number, cell, columns.levels.get(at, min(at + 1, ENTRY)), where if cell is named[-1][1] else ""))
    return found
