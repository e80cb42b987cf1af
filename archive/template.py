"""The workbook that an archivist fills in: bilingual headings with notes, drop-downs from the vocabularies, filled examples.

What it holds comes from the definitions; only the columns that the pipeline acts on (files, access …) are named here, with names that
`ingest.readers.headings` knows. Handed back, only 著录表 and 影像清单 are read as tables: the notes and examples are written so that no
reader takes them for rows.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import Outline
from openpyxl.worksheet.worksheet import Worksheet

from archive.errors import UsageError
from archive.language import _
from archive.model.profile import Definitions, Field, FieldType, Profile, Vocabulary
from archive.profiles import load_definitions

ITEMS, PAGES, EXAMPLES, NOTES, LISTS = "著录表", "影像清单", "填写示例", "填表说明", "词表"
ROWS = 2000
"""Rows below the headings that have drop-downs."""
_TEXT = "@"
"""Number format 文本: Excel makes no dates or numbers of what is typed."""
_HEAD, _NEEDED, _FOLDED = (PatternFill("solid", fgColor=colour) for colour in ("EFE6D2", "D9B48F", "EDEDED"))
_RULE = Border(bottom=Side(style="thin", color="8A7A5C"))
_WIDTHS = {"title": 34, "files": 30, "description": 44, "cataloguing-note": 30, "remarks": 30, "creator": 20, "identifier": 18}


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a sheet: `choices` are the values of its drop-down, `strict` when no other value is taken."""

    key: str
    label: str
    label_en: str
    note: str = ""
    required: bool = False
    extended: bool = False
    choices: tuple[str, ...] = ()
    strict: bool = False
    several: bool = False

    @property
    def heading(self) -> str:
        return f"{self.label} / {self.label_en}"


def template_for(kind: str, overlay: Path, path: Path) -> None:
    """Write to `path` the workbook for `kind`, a profile's key or label, by the definitions as `overlay` lays over them.

    Raises UsageError for a kind that is not there or a place that takes no file, DefinitionsError for faults in the definitions.
    """
    definitions = load_definitions(overlay)
    profile = definitions.profiles.get(kind) or next((p for p in definitions.profiles.values() if kind in (p.label, p.label_en)), None)
    if profile is None:
        known = "、".join(f"{p.key}（{p.label}）" for p in definitions.profiles.values())
        raise UsageError(_("没有“%(kind)s”这个著录模板。可选：%(known)s", kind=kind, known=known))
    try:
        write_template(profile, definitions, path)
    except OSError as error:
        raise UsageError(_("%(path)s：写不进去：%(why)s。请换一个地方。", path=path, why=error.strerror or error)) from error


def write_template(profile: Profile, definitions: Definitions, path: Path) -> None:
    """Write the workbook for items of `profile` to `path` (.xlsx); nothing half written is left there. Raises OSError."""
    workbook = Workbook()
    workbook.properties.creator = "Fangzhi 方志馆"
    workbook.properties.title = f"{profile.label}著录表"
    columns = _columns(profile, definitions)
    lists = _Lists()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    _write_table(sheet, ITEMS, columns, lists)
    _write_table(workbook.create_sheet(), PAGES, _PAGE_COLUMNS, lists)
    _write_examples(workbook.create_sheet(EXAMPLES), profile, columns)
    _write_notes(workbook.create_sheet(NOTES), profile, definitions)
    lists.write(workbook.create_sheet(LISTS))
    _save(workbook, path)


def _save(workbook: Workbook, path: Path) -> None:
    handle, name = tempfile.mkstemp(suffix=".xlsx", prefix=".template-", dir=path.parent)
    os.close(handle)
    try:
        workbook.save(name)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# What columns there are


def _columns(profile: Profile, definitions: Definitions) -> tuple[_Column, ...]:
    """Identity and files first, then the common fields, then who may see it; seldom filled ones last."""
    kinds = tuple(p.label for p in definitions.profiles.values())
    holdings = tuple(c.label for c in definitions.collections.values())
    title = next((f for f in profile.fields if f.key == "title"), Field("title", "题名", "Title", required=True))
    identity = (
        _Column(
            "identifier", "标识号", "Identifier", "同一批内不重复，给后不再改：登记号加流水号最好，例 2026-017-001。不填则按文件路径编号。"
        ),
        _of_field(title, definitions),
        _Column(
            "files",
            "文件",
            "Files",
            "文件夹、文件或通配（照片/*.jpg），相对本表所在文件夹；多个用分号隔开。不填则找与标识号或题名同名的文件夹。",
        ),
        _Column(
            "kind",
            "著录模板",
            "Kind",
            f"本表请填“{profile.label}”；不填则按捐赠登记的默认值，再不然作“通用”。",
            True,
            choices=kinds,
            strict=True,
        ),
        _Column("collection", "专题库", "Collection", _collection_note(profile, definitions), choices=holdings, strict=True),
    )
    audiences = definitions.vocabularies.get("audiences")
    rights = (
        _Column("access", "访问级别", "Access", "不填作“馆员”。", choices=_values(audiences), strict=True),
        _Column("embargo", "开放日期", "Embargo", "到这一天（照写 2030-01-01）才公开，此前按访问级别。"),
    )
    role = _Column(
        "role",
        "用途",
        "Role",
        "同一件有几个版本时，注明母本、服务本或印刷用。",
        extended=True,
        choices=_values(definitions.vocabularies.get("file-roles")),
    )
    fields = [_of_field(f, definitions) for f in profile.fields if f.key != "title"]
    common = [column for column in fields if not column.extended]
    folded = [role, *(column for column in fields if column.extended)]
    return (*identity, *common, *rights, *folded)


def _collection_note(profile: Profile, definitions: Definitions) -> str:
    holding = definitions.collections.get(profile.collection)
    return f"不填作“{holding.label}”。" if holding else "属于哪个专题库；不清楚可不填。"


def _of_field(field: Field, definitions: Definitions) -> _Column:
    vocabulary = definitions.vocabularies.get(field.vocabulary or "")
    parts = [field.note]
    if field.type is FieldType.DATE and not field.note:
        parts.append("照原件抄录，不要换算。")
    if field.repeatable and "分号" not in field.note:
        parts.append("多个用分号隔开。")
    if field.staff_only and "馆员" not in field.note:
        parts.append("只供馆员查看。")
    if vocabulary:
        parts.append("可从下拉表中选，也可另填，另填的会提示核对。" if vocabulary.open else "只能从下拉表中选。")
        parts.append(vocabulary.note)
    if field.example:
        parts.append(f"例：{field.example}")
    return _Column(
        field.key,
        field.label,
        field.label_en,
        "\n".join(part for part in parts if part),
        field.required,
        field.extended,
        _values(vocabulary),
        bool(vocabulary and not vocabulary.open),
        field.repeatable,
    )


def _values(vocabulary: Vocabulary | None) -> tuple[str, ...]:
    return tuple(term.value for term in vocabulary.terms) if vocabulary else ()


_PAGE_COLUMNS = (
    _Column("title", "题名", "Title", "与著录表的题名一字不差，每行都写。", True),
    _Column("page-order", "顺序", "Order", "阅读顺序，从 1 起。不填按文件名排。"),
    _Column("page-image", "影像", "Image", "影像文件名，相对本表所在文件夹。缺叶的一行留空，并在备注写“缺叶”。", True),
    _Column("page-text", "文字", "Text", "文字文件名；与影像同名的可不填。"),
    _Column("ce", "册", "Ce", "照原书。"),
    _Column("juan", "卷", "Juan", "照原书：卷三、卷首、卷末。文件名里的数字不会当作卷数。"),
    _Column("ye", "叶", "Ye", "版心所刻叶码，照原书：十二、12、12a。"),
    _Column("side", "面", "Side", "上或下（a 或 b）。", choices=("上", "下")),
    _Column("section", "门目", "Section", "这一面所属的门目：藝文志。换门目时写，也可每行都写。"),
    _Column("page-label", "标签", "Label", "卷叶之外的称呼：书衣、牌记、图。"),
    _Column("note", "备注", "Remarks", "重叶、错简、残损等。供馆员看，不公开。"),
)


# Writing


class _Lists:
    """The values of all drop-downs, each once, a column each on a hidden sheet: a list typed into the rule itself ends at 255 characters."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, ...], str] = {}

    def reference(self, choices: tuple[str, ...]) -> str:
        """The range that holds these values."""
        letter = self._columns.setdefault(choices, get_column_letter(len(self._columns) + 1))
        return f"'{LISTS}'!${letter}$1:${letter}${len(choices)}"

    def write(self, sheet: Worksheet) -> None:
        for number, choices in enumerate(self._columns, 1):
            for row, value in enumerate(choices, 1):
                sheet.cell(row, number, value).number_format = _TEXT
        sheet.sheet_state = "hidden"


def _write_table(sheet: Worksheet, name: str, columns: Sequence[_Column], lists: _Lists) -> None:
    sheet.title = name
    for number, column in enumerate(columns, 1):
        _write_heading(sheet, number, column)
        letter = get_column_letter(number)
        dimension = sheet.column_dimensions[letter]
        dimension.number_format = _TEXT
        dimension.width = _width(column)
        if column.extended:
            dimension.outlineLevel, dimension.hidden = 1, True
        if column.choices:
            _add_choices(sheet, f"{letter}2:{letter}{ROWS + 1}", column, lists)
    sheet.freeze_panes = "C2"
    sheet.row_dimensions[1].height = 34
    sheet.sheet_properties.outlinePr = Outline(summaryRight=False)


def _write_heading(sheet: Worksheet, number: int, column: _Column) -> None:
    cell = sheet.cell(1, number, column.heading)
    cell.font = Font(bold=True)
    cell.border = _RULE
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    cell.fill = _NEEDED if column.required else _FOLDED if column.extended else _HEAD
    text = ("必填。\n" if column.required else "") + column.note
    if text.strip():
        lines = sum(1 + len(line) // 22 for line in text.splitlines())
        cell.comment = Comment(text.strip(), "方志馆", width=320, height=24 + 20 * lines)


def _width(column: _Column) -> float:
    return float(_WIDTHS.get(column.key, max(12, 2 * len(column.label) + 4, len(column.label_en) + 2)))


def _add_choices(sheet: Worksheet, cells: str, column: _Column, lists: _Lists) -> None:
    """A drop-down; a closed list refuses other values, an open one asks, one that takes several values says nothing."""
    rule = DataValidation(type="list", formula1=lists.reference(column.choices), allow_blank=True)
    rule.showErrorMessage = not column.several
    rule.errorStyle = "stop" if column.strict else "warning"
    rule.errorTitle = column.label
    rule.error = "请从下拉表中选。" if column.strict else "下拉表中没有这个词。确实要这样填吗？"
    sheet.add_data_validation(rule)
    rule.add(cells)


def _write_examples(sheet: Worksheet, profile: Profile, columns: Iterable[_Column]) -> None:
    """Filled rows under headings marked 例, which no reader takes for headings."""
    used = [column for column in columns if any(column.key in example for example in profile.examples)]
    for number, column in enumerate(used, 1):
        cell = sheet.cell(1, number, f"例·{column.label}")
        cell.font, cell.fill, cell.border = Font(bold=True), _HEAD, _RULE
        sheet.column_dimensions[get_column_letter(number)].width = _width(column)
        for row, example in enumerate(profile.examples, 2):
            value = sheet.cell(row, number, example.get(column.key, ""))
            value.number_format = _TEXT
            value.alignment = Alignment(vertical="top", wrap_text=True)
    sheet.freeze_panes = "A2"


_HOW = (
    "把本表放进捐赠文件夹，与影像、录音放在一起；“著录表”一行一件，深色表头必填。",
    "多卷册古籍要逐面对照时，另填“影像清单”，一行一面；不需要就空着。",
    "灰色表头是不常用的栏目，折叠在右边，点表上方的加号展开。不用的栏目可以删，栏目次序可以换，表头文字请勿改动。",
    "所有格子都是文本格式：年代照原件抄，乾隆五十三年、民国廿二年，公元年可括注在后，不要让表格软件改成日期。",
    "一格填几个值，用分号隔开。不知道的就空着，不要填“无”“不详”。",
    "身份证号、电话、住址不要写进任何一格；捐赠者的联系方式写在捐赠登记里，另行加密保存。",
    "填好后先检查：fangzhi ingest check 文件夹。所有问题一次列出，并写在本表的副本里，改好再交。",
)


def _write_notes(sheet: Worksheet, profile: Profile, definitions: Definitions) -> None:
    """One column of sentences: a reader that looks for headings finds none."""
    lines = [f"{profile.label}著录表：填表说明", "", *(f"（{n}）{text}" for n, text in zip("一二三四五六七八九", _HOW, strict=False)), ""]
    lines += [_plain(profile.note), "", "各栏目怎样填："]
    for column in _columns(profile, definitions):
        said = _plain(column.note) or "照实填写。"
        lines.append(f"栏目“{column.label}”{'，必填' if column.required else ''}：{said}")
    for number, line in enumerate(lines, 1):
        cell = sheet.cell(number, 1, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.column_dimensions["A"].width = 110


def _plain(note: str) -> str:
    return " ".join(note.split())
