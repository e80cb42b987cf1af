"""Writes the sheets of the sample donations: `python tests/data/make_sample.py`. The files beside them are kept as they are; what is written is committed.

`sample/` is what `make demo` shows; LICENCES.md in it gives the licence and origin of every file. `small/` is for tests that need a
whole donation and little time: three leaves with text, and five seconds of a tone with timed text.
"""

from __future__ import annotations

import math
import struct
import sys
import wave
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill

HERE = Path(__file__).parent

RENDERED = "文字为真，图像为重排渲染，不是原书影像。"
STAND_IN = "声音为合成替身：语音合成朗读元曲曲文，配公有领域音乐，不是汉调二簧演唱。"
INVENTED = "人物、事件均为虚构，专为演示而写，不对应任何真人真事。"
ELSEWHERE = "外地老照片，作安康老照片的替身。"
OPERA = "汉调二黄_音像(替身)"

COLUMNS = (
    "标识号", "题名", "著录模板", "专题库", "文件", "责任者", "年代", "时代", "志书种类", "版本类型", "所涉政区", "地名",
    "文本状态", "剧种", "剧目", "唱段", "材料种类", "事件工程", "文献形式", "主题", "语种", "数量", "内容提要", "著录说明",
    "来源", "署名", "权利状态", "访问级别", "开放日期", "限制理由", "备注",
)  # fmt: skip

ROWS: Sequence[Mapping[str, str]] = (
    {
        "标识号": "2026-001-01", "题名": "欽定四庫全書簡明目錄·聖諭", "著录模板": "方志", "专题库": "地方志",
        "文件": "古籍/欽定四庫全書簡明目錄_聖諭目錄", "责任者": "于敏中等", "年代": "乾隆四十七年（1782）", "时代": "清", "文本状态": "一校",
        "主题": "目录学; 四库全书", "语种": "中文（繁体）", "数量": "10面", "内容提要": "卷前聖諭与目錄十面，影像为真实扫描，文字逐列录入，一行即原书一列。",
        "著录说明": "不是地方志，借作古籍影像与文字对照的样例。", "来源": "开放项目 open-guji 所附扫描", "署名": "佚名提供",
        "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-02", "题名": "舊唐書·地理志", "著录模板": "方志", "专题库": "地方志", "文件": "方志影像_舊唐書地理志_金州",
        "责任者": "劉昫等", "年代": "後晉開運二年（945）", "时代": "五代十国", "志书种类": "正史地理志", "所涉政区": "金州",
        "地名": "金州; 西城; 洵陽; 平利", "主题": "建置沿革; 户口", "语种": "中文（繁体）", "数量": "16面",
        "内容提要": "卷中山南道金州前后各州十六面。" + RENDERED, "著录说明": "文字由简体本转为繁体，标点已去，转换或有讹误；叶码为重排后的叶码。",
        "来源": "开放项目 ChineseHistoricalSource 文本", "权利状态": "开放许可", "访问级别": "公开", "备注": "逐面见文件夹内清单.xlsx",
    },
    {
        "标识号": "2026-001-03", "题名": "欽定四庫全書總目·卷一", "著录模板": "方志", "专题库": "地方志", "文件": "古籍/四庫總目 卷1（无文字）",
        "责任者": "永瑢等", "年代": "[乾隆間]", "时代": "清", "文本状态": "无", "主题": "目录学; 四库全书", "语种": "中文（繁体）", "数量": "存2面",
        "内容提要": "经部总叙卷首。真实扫描，没有文字。", "著录说明": "中间缺一面，故意保留以示缺叶。不是地方志，借作样例。",
        "来源": "开放项目 open-guji 所附扫描", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-04", "题名": "史記評林·總目錄（殘葉）", "著录模板": "方志", "专题库": "地方志", "文件": "古籍/史記評林_彩色扫描",
        "责任者": "凌稚隆", "年代": "[明萬曆間]", "时代": "明", "版本类型": "刻本", "文本状态": "无", "主题": "史部", "语种": "中文（繁体）",
        "数量": "1面", "内容提要": "卷首总目录半叶，彩色扫描。", "著录说明": "年代据通行书目，此本未核。不是地方志，借作彩色影像的样例。",
        "来源": "开放项目 open-guji 所附扫描", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-05", "题名": "简明目录（多页TIFF）", "著录模板": "方志", "专题库": "地方志", "文件": "古籍/简明目录_multi.tif",
        "年代": "乾隆四十七年（1782）", "时代": "清", "文本状态": "无", "语种": "中文（繁体）", "数量": "10面",
        "内容提要": "与“欽定四庫全書簡明目錄·聖諭”相同的十面，合为一个二值多页TIFF，演示多页文件。", "来源": "开放项目 open-guji 所附扫描，重新封装",
        "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-06", "题名": "简明目录（合订PDF）", "著录模板": "方志", "专题库": "地方志", "文件": "古籍/简明目录(合订).pdf",
        "年代": "乾隆四十七年（1782）", "时代": "清", "文本状态": "无", "语种": "中文（繁体）", "数量": "10面",
        "内容提要": "与“欽定四庫全書簡明目錄·聖諭”相同的十面，合为一个只有图像的PDF。", "来源": "开放项目 open-guji 所附扫描，重新封装",
        "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-11", "题名": "刘玄德独赴襄阳会·新水令（录音）", "著录模板": "汉调二簧音像", "专题库": "汉调二簧",
        "文件": f"{OPERA}/新水令_录音", "责任者": "高文秀（元）", "年代": "2026年", "剧种": "其他", "剧目": "刘玄德独赴襄阳会",
        "唱段": "统堂堂军校出襄阳", "地名": "襄阳", "语种": "中文（简体）", "数量": "22秒", "内容提要": "MP3 与 LRC 字幕。" + STAND_IN,
        "来源": "chinese-poetry 元曲文本；CC0 音乐", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-12", "题名": "刘玄德独赴襄阳会·新水令（录像）", "著录模板": "汉调二簧音像", "专题库": "汉调二簧",
        "文件": f"{OPERA}/新水令_录像", "责任者": "高文秀（元）", "年代": "2026年", "剧种": "其他", "剧目": "刘玄德独赴襄阳会",
        "唱段": "统堂堂军校出襄阳", "地名": "襄阳", "语种": "中文（简体）", "数量": "22秒", "内容提要": "MP4 与 SRT 字幕。" + STAND_IN,
        "来源": "chinese-poetry 元曲文本；CC0 音乐", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-13", "题名": "刘玄德独赴襄阳会·新水令（VCD）", "著录模板": "汉调二簧音像", "专题库": "汉调二簧",
        "文件": f"{OPERA}/新水令_VCD", "责任者": "高文秀（元）", "年代": "2026年", "剧种": "其他", "剧目": "刘玄德独赴襄阳会",
        "唱段": "统堂堂军校出襄阳", "语种": "中文（简体）", "数量": "22秒", "内容提要": "VCD 的 DAT 文件与 GBK 编码的 LRC 字幕。" + STAND_IN,
        "来源": "chinese-poetry 元曲文本；CC0 音乐", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-14", "题名": "越调·小桃红（汉水秦关）", "著录模板": "汉调二簧音像", "专题库": "汉水文化",
        "文件": f"{OPERA}/小桃红_录像", "年代": "2026年", "剧种": "其他", "唱段": "山林钟鼎未谋身", "地名": "汉水", "语种": "中文（简体）",
        "数量": "56秒", "内容提要": "AVI 与 GB18030 编码的 SRT 字幕。" + STAND_IN, "来源": "chinese-poetry 元曲文本；CC0 音乐", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-15", "题名": "裴少俊墙头马上·牧羊关", "著录模板": "汉调二簧音像", "专题库": "汉调二簧",
        "文件": f"{OPERA}/牧羊关_录音", "责任者": "白朴（元）", "年代": "2026年", "剧种": "其他", "剧目": "裴少俊墙头马上",
        "唱段": "待月帘微簌", "语种": "中文（简体）", "数量": "48秒", "内容提要": "AC-3 与 UTF-16 编码的 LRC 字幕。" + STAND_IN,
        "来源": "chinese-poetry 元曲文本；CC0 音乐", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-16", "题名": "九宮大成·聖世呈符（工尺谱）", "著录模板": "通用", "专题库": "汉调二簧",
        "文件": f"{OPERA}/九宮大成_工尺谱_聖世呈符.png", "年代": "乾隆十一年（1746）", "文献形式": "曲谱", "主题": "工尺谱", "语种": "中文（繁体）",
        "数量": "1面", "内容提要": "《九宮大成南北詞宮譜》工尺谱一面，真实影像。", "来源": "开放项目 luatex-cn 所附影像",
        "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-21", "题名": "口述史访谈（甲，化名）", "著录模板": "三线学兵材料", "专题库": "三线学兵",
        "文件": "三线学兵(虚构)/口述_甲.docx; 三线学兵(虚构)/口述_甲.txt", "年代": "2019年5月12日", "材料种类": "口述",
        "事件工程": "襄渝铁路", "地名": "紫阳; 旬阳", "语种": "中文（简体）", "内容提要": "访谈记录一份。" + INVENTED, "来源": "本项目编写",
        "署名": "甲（化名）", "权利状态": "开放许可", "访问级别": "馆员", "开放日期": "2030-01-01", "限制理由": "演示：到期公开",
    },
    {
        "标识号": "2026-001-31", "题名": "法院大楼明信片", "著录模板": "通用", "专题库": "城市建设",
        "文件": "老照片/明信片正面.jpg; 老照片/明信片背面.jpg", "责任者": "Spokane Post Card Co.", "年代": "1912年9月8日", "文献形式": "明信片",
        "主题": "公共建筑", "语种": "英文", "数量": "1张（正背两面）", "内容提要": "彩色明信片，背面有邮戳与墨笔书信。" + ELSEWHERE,
        "著录说明": "年代据邮戳。", "来源": "爱达荷大学图书馆特藏，经 CollectionBuilder 项目", "权利状态": "公有领域", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-32", "题名": "校舍旧影", "著录模板": "通用", "专题库": "城市建设", "文件": "老照片/校舍 1910.jpg",
        "责任者": "Pacific Photo Co.", "年代": "1910年", "文献形式": "照片", "主题": "学校建筑", "语种": "英文", "数量": "1张",
        "内容提要": "大学行政楼照片。" + ELSEWHERE, "来源": "爱达荷大学图书馆特藏，经 CollectionBuilder 项目",
        "权利状态": "公有领域", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-41", "题名": "示例文稿（ODT）", "著录模板": "通用", "专题库": "城市建设",
        "文件": "旧办公文档/01_LibreOfficeWriter_odt_1.3.odt", "文献形式": "文件", "语种": "英文", "数量": "1件",
        "内容提要": "格式样例，英文，内容与安康无关。", "来源": "openpreserve format-corpus", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-42", "题名": "旧讲义（Word 2.0）", "著录模板": "通用", "专题库": "城市建设", "文件": "旧办公文档/02_NEWSSLID.DOC",
        "文献形式": "文件", "语种": "英文", "数量": "1件", "内容提要": "九十年代初的 Word 2.0 文档，格式样例，内容与安康无关。",
        "来源": "openpreserve format-corpus", "权利状态": "开放许可", "访问级别": "公开",
    },
    {
        "标识号": "2026-001-43", "题名": "旧演示文稿（PowerPoint 4）", "著录模板": "通用", "专题库": "城市建设", "文件": "旧办公文档/08_ecdl paris.ppt",
        "责任者": "JISC", "年代": "1999年9月", "文献形式": "演示文稿", "语种": "英文", "数量": "1件", "内容提要": "格式样例，内容与安康无关。",
        "来源": "openpreserve format-corpus", "权利状态": "开放许可", "访问级别": "馆员", "限制理由": "演示：只供馆员",
    },
    {
        "标识号": "2026-001-99", "题名": "样例捐赠：文件来源与许可", "著录模板": "通用", "文件": "LICENCES.md", "年代": "2026年", "文献形式": "文件",
        "语种": "英文", "内容提要": "本批每个文件的来源与许可。", "权利状态": "开放许可", "访问级别": "公开",
    },
)  # fmt: skip

NOTES = (
    "本表是演示用的样例捐赠，除注明者外都不是安康的藏品。",
    "年代照原件抄录，括注的公元年为馆员所加；方括号内为推断。",
    "“未整理(杂)”文件夹故意不登记：它演示无人整理的文件怎样入库、怎样提示。",
)

DONATION = """\
# 捐赠登记。联系方式写在 [contact] 下，另行加密保存；样例没有联系方式。
accession = "2026-001"
donor = "样例捐赠（本项目汇集）"
received = "2026年11月22日"
source = "交流"
rights = "逐件见登记表；每个文件的来源与许可见 LICENCES.md"
provenance = "由公开许可的项目与公有领域资料汇集，演示之用；不是安康的藏品。"

[defaults]
kind = "general"
access = "staff"
rights_status = "未定"
"""

SMALL_DONATION = """\
accession = "2026-002"
donor = "测试"
received = "2026年11月"
source = "捐赠"

[defaults]
access = "public"
rights_status = "开放许可"
"""

SMALL_ROWS: Sequence[Mapping[str, str]] = (
    {
        "标识号": "small-leaves",
        "题名": "聖諭目錄三面",
        "著录模板": "方志",
        "专题库": "地方志",
        "文件": "聖諭目錄_三面",
        "年代": "乾隆四十七年（1782）",
    },
    {
        "标识号": "small-tone",
        "题名": "五秒测试音",
        "著录模板": "汉调二簧音像",
        "专题库": "汉调二簧",
        "文件": "测试音.wav",
        "年代": "2026年",
    },
)

LRC = "[ti:五秒测试音]\n[00:00.50]第一句 汉水东流\n[00:02.00]第二句 金州在望\n[00:03.50]第三句 船到安康\n"


def write_sheet(path: Path, title: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]], notes: Sequence[str]) -> None:
    """An item sheet as an archivist makes one: a title line, headings, a row an item, a sheet 说明."""
    workbook = Workbook()
    workbook.properties.creator = "fangzhi"
    workbook.properties.created = workbook.properties.modified = datetime(2026, 11, 22)
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "登记表"
    sheet["A1"] = title
    sheet["A1"].font = Font(bold=True, size=14)
    for number, name in enumerate(columns, 1):
        cell = sheet.cell(2, number, name)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="EFE6D2")
    for row, values in enumerate(rows, 3):
        unknown = set(values) - set(columns)
        assert not unknown, f"row {row}: {unknown}"
        for number, name in enumerate(columns, 1):
            if name in values:
                cell = sheet.cell(row, number, values[name])
                cell.number_format, cell.alignment = "@", Alignment(vertical="top", wrap_text=name == "内容提要")
    for number, name in enumerate(columns, 1):
        sheet.column_dimensions[sheet.cell(2, number).column_letter].width = {"题名": 34, "文件": 34, "内容提要": 48}.get(name, 14)
    sheet.freeze_panes = "C3"
    if notes:
        said = workbook.create_sheet("说明")
        for number, note in enumerate(notes, 1):
            said.cell(number, 1, note)
    workbook.save(path)


def write_tone(path: Path, seconds: int = 5, rate: int = 8000) -> None:
    """A 440 Hz tone that grows and falls, 16 bit mono."""
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        for n in range(seconds * rate):
            level = 9000 * math.sin(math.pi * n / (seconds * rate))
            stream.writeframes(struct.pack("<h", round(level * math.sin(2 * math.pi * 440 * n / rate))))


def write(folder: Path) -> None:
    """Write what this script makes of both donations below `folder`."""
    sample, small = folder / "sample", folder / "small"
    sample.mkdir(parents=True, exist_ok=True)
    small.mkdir(parents=True, exist_ok=True)
    write_sheet(sample / "登记表.xlsx", "样例捐赠登记表（2026-001）", COLUMNS, ROWS, NOTES)
    (sample / "donation.toml").write_text(DONATION, encoding="utf-8")
    columns = [name for name in COLUMNS if any(name in row for row in SMALL_ROWS)]
    write_sheet(small / "登记表.xlsx", "测试捐赠登记表", columns, SMALL_ROWS, ())
    (small / "donation.toml").write_text(SMALL_DONATION, encoding="utf-8")
    write_tone(small / "测试音.wav")
    (small / "测试音.lrc").write_text(LRC, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
