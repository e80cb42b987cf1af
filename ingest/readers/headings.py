"""Column headings as donors write them, to fields. Only listed names match; what comes near is proposed, never taken.

Structural names (files, page numbers, access …) are listed here, because the pipeline acts on them; all others are the `label`, `label_en`,
`headings` and Dublin Core term of the profiles' fields, so that an archivist adds a synonym without a programmer.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.model.profile import Definitions, Profile

# Left out of metadata without a word: counters and counts that the archive makes itself.
IGNORED = ("row-number", "characters", "remarks-of-check", "page-identifier")

STRUCTURAL: Mapping[str, str] = {
    "files": "文件 文件名 文件名称 文件路径 文件夹 文件夹名 文件夹名称 所在文件夹 文件目录 影像文件夹 图片文件夹 电子文件 电子文件名 数字文件 扫描件 扫描件文件名"
    " 音频文件 录音文件 视频文件 录像文件 音视频文件 照片文件 照片文件名 files file filename filenames folder directory object_location",
    "identifier": "objectid 标识号 标识 标识符 唯一标识 唯一标识符 资源标识 identifier itemid id 编号 件号 资料编号 登记号 登记编号 档号 题名编号",
    "parent": "parentid 上级标识号 上级标识 上级编号 上级 父级 父级编号 所属 所属件 所属标识号 所属编号 parent ispartofid",
    "title": "题名 正题名 书名 名称 标题 题目 文献名 文献名称 文献题名 志书名 志书名称 志名 书籍名称 资料名称 资料题名 作品名 作品名称 照片题名 照片名称 title titleproper",
    "kind": "资料种类 资料类别 著录模板 模板 kind profile materialkind",
    "collection": "专题库 所属专题库 馆藏 馆藏库 collection holding",
    "role": "用途 文件用途 role filerole use",
    "access": "访问级别 公开级别 开放级别 访问权限 利用级别 公开程度 access accesslevel accessrights audience",
    "remarks-of-check": "核查意见 remarks-of-the-check",
    "embargo": "开放日期 解密日期 公开日期 开放时间 embargo embargo_until available",
}
"""Names of the columns that any sheet may have; earlier names win over later ones when two columns claim one field."""

PAGE: Mapping[str, str] = {
    "page-image": "影像 影像文件 影像文件名 影像名 图像 图像文件 图像文件名 图片 图片文件 图片文件名 扫描文件 扫描文件名 page-image image imagefile",
    "page-text": "文字 文本 文字文件 文本文件 文字文件名 文本文件名 录文 录文文件 转写文件 page-text text textfile object_transcript",
    "ye": "叶 叶码 叶号 叶数码 页 页码 页号 叶面 ye leaf folio",
    "side": "面 上下 半叶 叶面上下 正反 正反面 a/b side",
    "juan": "卷 卷次 卷号 juan",
    "ce": "册 册次 册号 ce",
    "page-label": "叶次 页次 标签 页面标签 page-label label",
    "section": "门目 门类 目 篇 篇目 章节 section",
    "page-order": "顺序 序号 顺序号 页序 次序 序 影像序号 图序 no no. number order sequence 编次",
    "note": "备注 附注 注 note notes remark remarks",
    "characters": "字数 characters wordcount",
}
"""Names of the columns that only a page list has."""

IMAGE = frozenset({"page-image", "files"})
FOLIO = frozenset({"ye", "side", "page-label", "page-text"})

ROSTER = (
    "姓名 性别 民族 籍贯 原籍 出生 出生日期 出生年月 身份证 身份证号 身份证号码 证件号码 电话 电话号码 联系电话 联系方式 手机 手机号 手机号码 住址 家庭住址 地址 邮箱"
    " 电子邮箱 qq 微信 微信号 职务 连队 入伍时间 工作单位 政治面貌 文化程度 sex gender birthdate phone mobile email address name"
)
INVENTORY = "规格 型号 规格型号 单位 计量单位 单价 单价(元) 金额 金额(元) 总价 资产编号 资产名称 品名 物品名称 品牌 保管人 存放地点 购置日期 使用部门 使用人 厂家 price"
PERSONAL_ID = "身份证 身份证号 身份证号码 证件号码 idnumber"
PERSONAL_PHONE = "电话 电话号码 联系电话 联系方式 手机 手机号 手机号码 phone mobile telephone tel"

# Traditional and variant forms of the characters that occur in headings. Both sides of a comparison are folded with it.
_FOLD = str.maketrans(
    "題書編號檔資種類別錄責責纂修寫標識稱卷冊葉頁圖畫像掃描訊錄聲樂戲劇場種時間開閉庫館藏權級訪問許藝術數據據採訪寄贈捐獻獲聯繫繋係絡電話機關單位處區縣鄉鎮"
    "觀點說説釋譯語韻詞賦記載體裝幀版殘損壞簽鈐題跋補續總論證錢幣長寬釐公歷曆紀傳註注輯輿地誌志碼變異內外從來歸屬層連隊軍師團營員職務專業師傳承備攝影錄製"
    "飾範圍項門節籍貫出產與於為台臺網頻視頻齣腔調絃弦樂隊導編創構築橋樑隧線鐵擁閱覽價値值實檢驗認讀順確辦報張幅頭尾餘後產檯雙紙質複製歲兒準評論規劃剛創舉",
    "题书编号档资种类别录责责纂修写标识称卷册叶页图画像扫描讯录声乐戏剧场种时间开闭库馆藏权级访问许艺术数据据采访寄赠捐献获联系系系络电话机关单位处区县乡镇"
    "观点说说释译语韵词赋记载体装帧版残损坏签钤题跋补续总论证钱币长宽厘公历历纪传注注辑舆地志志码变异内外从来归属层连队军师团营员职务专业师传承备摄影录制"
    "饰范围项门节籍贯出产与于为台台网频视频出腔调弦弦乐队导编创构筑桥梁隧线铁拥阅览价值值实检验认读顺确办报张幅头尾余后产台双纸质复制岁儿准评论规划刚创举",
)
_DUBLIN_CORE = re.compile(r"(dcterms|dc)[:._]", re.IGNORECASE)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>")
_BILINGUAL = re.compile(r"\s*([^A-Za-z]*[\u3400-\u9fff][^A-Za-z]*?)[\s/|·]+[A-Za-z][A-Za-z0-9 ,.'’()/_-]*\s*")


@lru_cache(16_384)
def plain(written: str) -> str:
    """A heading as it is compared: width, letter case, traditional forms, 《》, blanks, stars and colons do not matter; brackets stay."""
    text = unicodedata.normalize("NFKC", written).translate(_FOLD).casefold()
    text = re.sub(r"[《》〈〉「」『』“”\"'*※★☆#:\s_-]", "", _DUBLIN_CORE.sub("", text, count=1))
    return re.sub(r"^(\d{1,2}[.、)]|[①-⑳])(?=\D)", "", text).rstrip(".。,，;；?")


@lru_cache(4096)
def spellings(written: str) -> tuple[str, ...]:
    """The forms of a heading to look up, best first: whole, without its notes in brackets, the Chinese before its English (题名 Title)."""
    narrow = unicodedata.normalize("NFKC", written)
    bare = _BRACKETS.sub("", narrow)
    forms = [plain(narrow), plain(bare)]
    bilingual = _BILINGUAL.fullmatch(bare)
    if bilingual:
        forms.append(plain(bilingual[1]))
    return tuple(dict.fromkeys(form for form in forms if form))


def _table(names: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Plain name to field and rank of the name within its field."""
    return {plain(name): (field, rank) for field, words in names.items() for rank, name in enumerate(words.split())}


_STRUCTURAL = _table(STRUCTURAL)
_PAGE = _table(PAGE)
_WRITTEN = {plain(name): name for words in (*PAGE.values(), *STRUCTURAL.values()) for name in words.split()}
_ROSTER = frozenset(map(plain, ROSTER.split()))
_INVENTORY = frozenset(map(plain, INVENTORY.split()))
_ID = frozenset(map(plain, PERSONAL_ID.split()))
_PHONE = frozenset(map(plain, PERSONAL_PHONE.split()))


def is_roster_word(written: str) -> bool:
    """True for a heading that a list of people has."""
    return not _ROSTER.isdisjoint(spellings(written))


def is_remarks(form: str) -> bool:
    """True for the spelling of the column that our own report adds to a copy of a sheet."""
    return _STRUCTURAL.get(form, ("", 0))[0] == "remarks-of-check"


def is_inventory_word(written: str) -> bool:
    """True for a heading that a list of property has."""
    return not _INVENTORY.isdisjoint(spellings(written))


def personal_kind(written: str) -> str:
    """`id` or `mobile` for a heading of a column of ID or telephone numbers, else empty."""
    forms = spellings(written)
    return "id" if not _ID.isdisjoint(forms) else "mobile" if not _PHONE.isdisjoint(forms) else ""


def profile_names(profile: Profile) -> Mapping[str, str]:
    """Plain heading to field key. What the profile lists goes before Dublin Core names, earlier fields before later ones."""
    names: dict[str, str] = {}
    for field in profile.fields:
        for name in (field.label, field.label_en, *field.headings):
            names.setdefault(plain(name), field.key)
    for field in profile.fields:
        names.setdefault(plain(field.key), field.key)
        if field.term.startswith(("dc:", "dcterms:")):
            names.setdefault(plain(field.term), field.key)
    names.pop("", None)
    return names


@dataclass(frozen=True, slots=True)
class Match:
    """A heading and the field it stands for; `rank` settles which of two columns keeps a structural field (lower wins)."""

    field: str
    rank: int = 0


class Headings:
    """All names that a sheet's headings may have, for one sheet: the profiles in the order in which they are asked."""

    def __init__(self, definitions: Definitions, kinds: Iterable[str] = (), written: Sequence[str] = ()) -> None:
        """`kinds`: profiles to ask first (the hint, what the kind column says); the others follow by how many of the headings `written` they know."""
        by_profile = {key: profile_names(profile) for key, profile in definitions.profiles.items()}
        forms = [spellings(heading) for heading in written]
        first = [kind for kind in kinds if kind in by_profile]
        known = {key: sum(1 for form in forms if any(name in names for name in form)) for key, names in by_profile.items()}
        self.kinds = tuple(dict.fromkeys([*first, *sorted(by_profile, key=lambda key: -known[key])]))
        self.names: dict[str, str] = {}
        for kind in self.kinds:
            for name, field in by_profile[kind].items():
                self.names.setdefault(name, field)
        every = [f for kind in reversed(self.kinds) for f in definitions.profiles[kind].fields]
        self.written = {plain(name): name for f in every for name in (f.label_en, *f.headings, f.label)}
        self.types = {f.key: f.type for kind in reversed(self.kinds) for f in definitions.profiles[kind].fields}
        self.repeatable = {f.key for kind in self.kinds for f in definitions.profiles[kind].fields if f.repeatable}

    def match(self, written: str, pages: bool) -> Match | None:
        """The field that a heading stands for, None when it is not listed. `pages`: in a page list its own names come first, elsewhere last."""
        for form in spellings(written):
            found = self._exact(form, pages)
            if found:
                return found
        parts = self._parts(written, pages)
        return parts[0] if len({match.field for match in parts}) == 1 else None

    def _parts(self, written: str, pages: bool) -> list[Match]:
        """What each part of a heading with strokes between (题名/书名) stands for; empty when one of them is unknown."""
        parts = [plain(part) for part in re.split(r"[/|、]|\s及\s|\s和\s", _BRACKETS.sub("", unicodedata.normalize("NFKC", written)))]
        found = [self._exact(part, pages) for part in parts if part]
        return [match for match in found if match] if len(found) > 1 and all(found) else []

    def _exact(self, form: str, pages: bool) -> Match | None:
        if pages and form in _PAGE:
            return Match(*_PAGE[form])
        if form in _STRUCTURAL:
            return Match(*_STRUCTURAL[form])
        if form in self.names:
            return Match(self.names[form])
        if form in _PAGE:
            field, rank = _PAGE[form]
            return {"page-order": Match("row-number"), "page-image": Match("files", 100 + rank), "characters": Match("characters")}.get(
                field
            )
        return None

    def second(self, written: str) -> str | None:
        """The profile's own field for a heading whose structural field another column has taken."""
        return next((self.names[form] for form in spellings(written) if form in self.names), None)

    def double(self, written: str, pages: bool) -> tuple[str, ...]:
        """The different fields of a heading that names several (册数/卷数)."""
        fields = tuple(dict.fromkeys(match.field for match in self._parts(written, pages)))
        return fields if len(fields) > 1 else ()

    def nearest(self, written: str, pages: bool) -> str:
        """The listed name that comes nearest to an unknown heading, for a question; empty when none is near."""
        known = {**dict.fromkeys(self.names), **dict.fromkeys(_STRUCTURAL), **dict.fromkeys(_PAGE if pages else ())}
        for form in spellings(written):
            close = difflib.get_close_matches(form, known, 1, 0.6 if _chinese(form) else 0.78)
            inside = [name for name in known if _chinese(name) and min(len(name), len(form)) > 1 and (name in form or form in name)]
            near = close or sorted((n for n in inside if abs(len(n) - len(form)) <= 3), key=lambda name: abs(len(name) - len(form)))
            if near:
                return self.written.get(near[0]) or _WRITTEN.get(near[0]) or str(near[0])
        return ""


def _chinese(text: str) -> bool:
    return any("\u3400" <= character <= "\u9fff" for character in text)
