"""What a donation folder is planned as: items, pages, versions, duplicates, gaps; every file with one fate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rough import planned
from tree import jpeg, plant, png, wav, zipped

from archive.derivatives.base import Fault, Probe
from archive.model.donation import Donation, Severity
from archive.model.item import FileRole, Item, MediaKind
from archive.model.profile import Definitions
from archive.model.rights import Audience, Embargo
from archive.profiles import load_definitions
from ingest.grouping import kind_of
from ingest.stages.describe import NoArchive, plan, read_day
from ingest.task import Fate, FileFate, GivenFile, Plan, Registration


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions()


def made(tmp_path: Path, files: Mapping[str, bytes | str], definitions: Definitions, name: str = "捐赠") -> Plan:
    """The plan of a folder of these files; that every file has its fate is checked each time."""
    folder = plant(tmp_path / "given", files)
    found, given_files = planned(folder, tmp_path / "space", definitions, name=name)
    assert set(found.fates) == {file.path for file in given_files}
    return found


def shown(item: Item) -> str:
    """Pages in short: stems of images, `缺` for a missing one, `文` for one without an image, `/3` for a part."""
    names = {file.id: file.received.rsplit("/", 1)[-1].rsplit(".", 1)[0] for file in item.files}
    parts = []
    for page in item.pages:
        if page.missing:
            parts.append("缺")
        elif page.image is None:
            parts.append("文")
        else:
            parts.append(names[page.image.file] + (f"/{page.image.part}" if page.image.part else ""))
    return " ".join(parts)


def titles(found: Plan) -> dict[str, str]:
    """Title to pages of every item that is not refused."""
    return {draft.item.title: shown(draft.item) for draft in found.drafts if not draft.refused}


def codes(found: Plan) -> set[str]:
    return {finding.code for finding in found.findings} - {"no-accession", "to-describe"}


TREES = {
    "a folder of numbered scans is one item": (
        {"縣志/10.png": png(1), "縣志/2.png": png(2), "縣志/1.png": png(3), "縣志/9.png": png(9)},
        {"[縣志]": "1 2 缺 缺 缺 缺 缺 缺 9 10"},
        {"scan-gap"},
    ),
    "the donation folder itself may be the item": ({"001.png": png(1), "002.png": png(2)}, {"[捐赠]": "001 002"}, set()),
    "full-width digits and blanks sort as numbers": (
        {f"書/{n}": png(i) for i, n in enumerate(["扫描0001.png", "扫描0003.png", "扫描 0004 .PNG", "扫描０００５.png"])},
        {"[書]": "扫描0001 缺 扫描0003 扫描 0004  扫描０００５"},
        {"scan-gap"},
    ),
    "loose photographs are one item each": (
        {"老照片/DSC_0004.JPG": jpeg(1), "老照片/剪报1.png": png(2), "老照片/校舍 1910.jpg": jpeg(3)},
        {"[DSC_0004]": "DSC_0004", "[剪报1]": "剪报1", "[校舍 1910]": "校舍 1910"},
        set(),
    ),
    "front and back are two pages of one": (
        {"明信片背面.jpg": jpeg(1), "明信片正面.jpg": jpeg(2)},
        {"[明信片]": "明信片正面 明信片背面"},
        set(),
    ),
    "a version for print is no page": (
        {"史記/IMG_0002.jpg": jpeg(1), "史記/IMG_0002_印刷用.jpg": jpeg(2)},
        {"[史記]": "IMG_0002"},
        {"versions"},
    ),
    "masters and service copies in sibling folders": (
        {"志/母本/001.tif": png(1), "志/服务本/001.jpg": jpeg(2), "志/母本/002.tif": png(3), "志/服务本/002.jpg": jpeg(4)},
        {"[志]": "001 002"},
        {"versions"},
    ),
    "images and texts in sibling folders": (
        {"志/影像/001.png": png(1), "志/影像/002.png": png(2), "志/文字/001.TXT": "一", "志/文字/002.txt": "二"},
        {"[志]": "001 002"},
        set(),
    ),
    "volumes of numbered scans are one work": (
        {f"志/第{v}册/{n}.png": png(i * 10 + n) for i, v in enumerate("一二") for n in (1, 2, 3)},
        {"[志]": "1 2 3 1 2 3"},
        set(),
    ),
    "numbers of two volumes are no gap and no repeat": (
        {**{f"志/卷一/{n:03}.png": png(n) for n in (1, 2, 3)}, **{f"志/卷二/{n:03}.png": png(n + 10) for n in (7, 8, 9)}},
        {"[志]": "001 002 003 007 008 009"},
        set(),
    ),
    "a copy Windows made is a version, a numbered batch is not": (
        {"a.jpg": jpeg(1), "a (1).jpg": jpeg(2), "b (1).png": png(3), "b (2).png": png(4)},
        {"[a]": "a", "[b (1)]": "b (1)", "[b (2)]": "b (2)"},
        {"versions"},
    ),
    "texts alone are papers": ({"说明.txt": "x", "说明2.txt": "y"}, {"[说明]": "文", "[说明2]": "文"}, set()),
    "a text beside a photograph belongs to it": ({"校舍.jpg": jpeg(1), "校舍.txt": "背面题字"}, {"[校舍]": "校舍"}, set()),
    "members of a zip are grouped like a folder": (
        {"扫描.zip": zipped({"001.png": png(1), "002.png": png(2), "003.png": png(3)})},
        {"[扫描]": "001 002 003"},
        set(),
    ),
    "a doubled scan keeps its place": (
        {"志/001.png": png(1), "志/002.png": png(1), "志/003.png": png(3)},
        {"[志]": "001 002 003"},
        {"duplicate"},
    ),
    "a broken scan leaves an empty leaf": (
        {"志/001.png": png(1), "志/002.png": b"", "志/003.png": png(3)},
        {"[志]": "001 缺 003"},
        {"empty"},
    ),
    "scan numbers that repeat are said": (
        {"志/001.png": png(1), "志/01.png": png(2), "志/002.png": png(3), "志/003.png": png(4)},
        {"[志]": "001 01 002 003"},
        {"scan-repeat"},
    ),
}


@pytest.mark.parametrize(("files", "expected", "found_codes"), TREES.values(), ids=TREES)
def test_without_a_sheet(
    files: dict[str, bytes | str], expected: dict[str, str], found_codes: set[str], tmp_path: Path, definitions: Definitions
) -> None:
    found = made(tmp_path, files, definitions)
    assert titles(found) == expected
    assert codes(found) == found_codes


def test_what_no_row_names_is_to_be_described_and_for_staff(tmp_path: Path, definitions: Definitions) -> None:
    found = made(tmp_path, {"001.png": png(1), "002.png": png(2)}, definitions)
    item = found.drafts[0].item
    assert (item.to_describe, item.kind, item.key, item.rights.audience) == (True, "general", ".", None)
    assert [f.severity for f in found.findings if f.code == "to-describe"] == [Severity.WARNING]


def test_recordings_of_one_stem_are_versions_and_their_texts_tracks(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "唱段.mp3": b"m",
        "唱段.wav": wav(),
        "唱段_8bit.wav": wav(1.0, 4000),
        "唱段.lrc": "[00:00.0]一句\n[00:00.5]二句",
        "唱段_GBK.lrc": "[00:00.0]一句\n[00:00.5]二句".encode("gb18030"),
        "唱段_唱词.txt": "一句\n二句",
        "另一段.wav": wav(2.0),
    }
    found = made(tmp_path, files, definitions)
    by_title = {draft.item.title: draft.item for draft in found.drafts}
    assert set(by_title) == {"[唱段]", "[另一段]"}
    item = by_title["[唱段]"]
    master = next(file for file in item.files if file.role is FileRole.MASTER)
    assert master.received == "唱段.wav"
    assert {f.received for f in item.files if f.version_of == master.id} == {"唱段.mp3", "唱段_8bit.wav"}
    assert [(t.timed, [cue.text for cue in t.cues]) for t in item.tracks] == [(True, ["一句", "二句"])]


@pytest.mark.parametrize("tree", ["VIDEO_TS/VTS_01_1.VOB", "MPEGAV/AVSEQ01.DAT", "AVCHD/BDMV/STREAM/00001.MTS"])
def test_a_disc_is_one_item_named_after_its_outer_folder(tree: str, tmp_path: Path, definitions: Definitions) -> None:
    other = tree.replace("1.", "2.")
    found = made(tmp_path, {f"录像/秧歌1987/{tree}": b"a", f"录像/秧歌1987/{other}": b"b", "录像/秧歌1987/封面.jpg": jpeg(1)}, definitions)
    (draft,) = found.drafts
    assert draft.item.title == "[秧歌1987]"
    assert all(file.version_of is None for file in draft.item.files) and len(draft.item.files) == 3


SHEET = "标识号,题名,文件,访问级别,开放日期,年代,著录模板,用途\n"


def test_rows_name_folders_files_and_patterns(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "登记.csv": SHEET
        + "a-1,甲志,甲,公开,,1747,方志,\n"
        + "a-2,乙图,图\\乙.PNG,馆内,,,,\n"
        + "a-3,丙集,丙*.jpg,公开,2030-01-01,,,\n"
        + "a-4,丁,丁正.jpg;丁背.jpg,,,,,\n",
        "甲/001.png": png(1),
        "甲/002.png": png(2),
        "图/乙.png": png(3),
        "丙1.jpg": jpeg(4),
        "丙2.jpg": jpeg(5),
        "丁正.jpg": jpeg(6),
        "丁背.jpg": jpeg(7),
    }
    found = made(tmp_path, files, definitions)
    assert titles(found) == {"甲志": "001 002", "乙图": "乙", "丙集": "丙1 丙2", "丁": "丁正 丁背"}
    items = {draft.item.title: draft.item for draft in found.drafts}
    assert (items["甲志"].id, items["甲志"].key, items["甲志"].kind) == ("a-1", "a-1", "gazetteer")
    assert items["甲志"].date is not None and items["甲志"].date.span is not None and items["甲志"].date.span.first == 1747
    assert items["乙图"].rights.audience is Audience.READING_ROOM
    assert items["丙集"].rights.embargo == Embargo(date(2030, 1, 1), Audience.PUBLIC) and items["丙集"].rights.audience is Audience.STAFF
    assert found.fates["登记.csv"] == FileFate(Fate.ACCEPTED)


def test_a_row_without_files_means_the_folder_of_its_name(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "登记.csv": "题名,文件\n《興安府志》,\n山阳志,山阳.png\n",
        "资料/兴安府志/001.png": png(1),
        "资料/兴安府志/002.png": png(2),
        "山阳.png": png(3),
    }
    assert titles(made(tmp_path, files, definitions)) == {"興安府志": "001 002", "山阳志": "山阳"}


def test_missing_files_are_errors_on_their_row_and_the_rest_goes_in(tmp_path: Path, definitions: Definitions) -> None:
    files = {"登记.csv": "标识号,题名,文件\na-1,甲,1.png;扫描2.png\na-2,乙,无.png\n", "1.png": png(1), "扫描02.png": png(2)}
    found = made(tmp_path, files, definitions)
    missing = [f for f in found.findings if f.code == "file-missing"]
    assert [(f.row, f.severity) for f in missing] == [(2, Severity.ERROR), (3, Severity.ERROR)]
    assert "扫描02.png" in missing[0].message
    assert [(d.item.title, d.refused) for d in found.drafts if d.row] == [("甲", False), ("乙", True)]


def test_rows_that_clash_are_both_refused_and_their_files_with_them(tmp_path: Path, definitions: Definitions) -> None:
    files = {"登记.csv": "标识号,题名,文件\na-1,甲,1.png\na-1,乙,2.png\na-2,丙,3.png\n", **{f"{n}.png": png(n) for n in (1, 2, 3)}}
    found = made(tmp_path, files, definitions)
    clashes = [f for f in found.findings if f.code == "identifier-repeated"]
    assert {(f.row, f.severity) for f in clashes} == {(2, Severity.ERROR), (3, Severity.ERROR)}
    assert all("a-1" in f.message for f in clashes) and "甲" in next(f.message for f in clashes if f.row == 3)
    assert [found.fates[f"{n}.png"].fate for n in (1, 2, 3)] == [Fate.REFUSED, Fate.REFUSED, Fate.ACCEPTED]


def test_a_row_copied_twice_is_taken_once(tmp_path: Path, definitions: Definitions) -> None:
    found = made(tmp_path, {"登记.csv": "标识号,题名,文件\na-1,甲,1.png\na-1,甲,1.png\na-2,乙,1.png\n", "1.png": png(1)}, definitions)
    assert [(d.item.id, d.refused) for d in found.drafts] == [("a-1", False), ("a-2", False)]
    assert [(f.row, f.severity) for f in found.findings if f.code == "identifier-repeated"] == [(3, Severity.WARNING)]


def test_rows_with_one_identifier_and_a_role_each_are_versions(tmp_path: Path, definitions: Definitions) -> None:
    files = {"登记.csv": "标识号,题名,文件,用途\na-1,甲,x.png,母本\na-1,甲,y.jpg,服务本\n", "x.png": png(1), "y.jpg": jpeg(2)}
    (draft,) = made(tmp_path, files, definitions).drafts
    assert shown(draft.item) == "x" and [f.version_of for f in draft.item.files] == [None, "f1"]
    assert {f.received: f.role for f in draft.item.files} == {"x.png": FileRole.MASTER, "y.jpg": FileRole.SERVICE}


@pytest.mark.parametrize(
    ("heading", "written", "code", "near"),
    [
        ("访问级别", "公幵", "access-unknown", ""),
        ("访问级别", "publik", "access-unknown", "public"),
        ("资料种类", "方志书", "kind-unknown", "方志"),
    ],
)
def test_a_word_nobody_knows_is_reported_and_never_opens_anything(
    heading: str, written: str, code: str, near: str, tmp_path: Path, definitions: Definitions
) -> None:
    files = {
        "donation.toml": 'accession = "2026-1"\n[defaults]\naccess = "public"\n',
        "登记.csv": f"题名,文件,{heading}\n甲,1.png,{written}\n",
        "1.png": png(1),
    }
    found = made(tmp_path, files, definitions)
    (finding,) = [f for f in found.findings if f.code == code]
    assert near in finding.message and finding.row == 2
    if heading == "访问级别":
        assert found.drafts[0].item.rights.audience is Audience.STAFF


def test_page_lists_give_order_leaves_and_texts(tmp_path: Path, definitions: Definitions) -> None:
    rows = [("c.png", "45b"), ("a.png", "47a"), ("b.png", "47b")]
    sheet = "顺序,影像,文字,题名,卷,叶\n" + "".join(
        f"{n},{image},{image[0]}.txt,《大清一統志》,卷88,{leaf}\n" for n, (image, leaf) in enumerate(rows, 1)
    )
    files: dict[str, bytes | str] = {"清单.csv": sheet, "全文.txt": "丙文在此九十百千甲文在此一二三四乙文在此五六七八"}
    for name, words in {"a": "甲文在此一二三四", "b": "乙文在此五六七八", "c": "丙文在此九十百千"}.items():
        files |= {f"影像/{name}.png": png(ord(name)), f"文字/{name}.txt": words}
    found = made(tmp_path, files, definitions)
    (draft,) = found.drafts
    item = draft.item
    assert shown(item) == "c 缺 缺 a b"
    assert [page.folio.label() for page in item.pages if page.folio] == [
        "卷88·叶45下",
        "卷88·叶46上",
        "卷88·叶46下",
        "卷88·叶47上",
        "卷88·叶47下",
    ]
    assert [page.text.text if page.text else "" for page in item.pages] == [
        "丙文在此九十百千",
        "",
        "",
        "甲文在此一二三四",
        "乙文在此五六七八",
    ]
    assert codes(found) == {"leaf-gap", "text-repeats"}
    assert found.readings[0].startswith("清单.csv:1 种,3 面")
    assert "全文.txt" in draft.sources.values() and found.fates["全文.txt"].fate is Fate.ACCEPTED


def test_a_page_list_joins_the_item_whose_title_it_repeats(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "登记.csv": "标识号,题名,文件\nx-1,甲志,甲\n",
        "甲/清单.csv": "影像,题名,叶\n2.png,甲志,1\n1.png,甲志,2\n9.png,甲志,3\n",
        **{f"甲/{n}.png": png(n) for n in (1, 2, 3)},
    }
    found = made(tmp_path, files, definitions)
    assert titles(found) == {"甲志": "2 1 缺 3"}
    assert {"file-missing", "page-not-listed"} <= codes(found)


def test_rights_of_pages_in_a_page_list(tmp_path: Path, definitions: Definitions) -> None:
    sheet = "影像,题名,叶,访问级别,责任者\n1.png,甲,1,公开,某\n2.png,甲,2,封存,某\n3.png,甲,3,,某\n"
    files = {"清单.csv": sheet, "全文.txt": "各面的文字", **{f"{n}.png": png(n) for n in (1, 2, 3, 4)}}
    (draft,) = made(tmp_path, files, definitions).drafts
    assert shown(draft.item) == "1 2 3 4 文"
    assert draft.item.rights.audience is Audience.PUBLIC
    assert [page.rights.audience for page in draft.item.pages] == [
        Audience.PUBLIC,
        Audience.SEALED,
        *[Audience.STAFF] * 3,
    ]
    assert draft.item.fields == {"creator": ("某",)}


def test_rights_that_all_pages_share_are_the_items(tmp_path: Path, definitions: Definitions) -> None:
    sheet = "影像,题名,叶,访问级别\n1.png,甲,1,馆内\n2.png,甲,2,馆内\n"
    (draft,) = made(tmp_path, {"清单.csv": sheet, **{f"{n}.png": png(n) for n in (1, 2)}}, definitions).drafts
    assert draft.item.rights.audience is Audience.READING_ROOM
    assert [page.rights.audience for page in draft.item.pages] == [None, None]


def test_a_page_list_beside_an_item_narrows_its_pages(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "登记.csv": "标识号,题名,文件,访问级别\nx-1,甲志,甲,公开\n",
        "甲/清单.csv": "影像,题名,叶,访问级别\n1.png,甲志,1,\n2.png,甲志,2,馆员\n",
        **{f"甲/{n}.png": png(n) for n in (1, 2)},
    }
    (draft,) = made(tmp_path, files, definitions).drafts
    assert draft.item.rights.audience is Audience.PUBLIC
    assert [page.rights.audience for page in draft.item.pages] == [None, Audience.STAFF]


def test_repeated_leaves_are_both_kept(tmp_path: Path, definitions: Definitions) -> None:
    sheet = "影像,题名,叶\n1.png,甲,1a\n2.png,甲,1b\n3.png,甲,1b\n"
    found = made(tmp_path, {"清单.csv": sheet, **{f"{n}.png": png(n) for n in (1, 2, 3)}}, definitions)
    assert titles(found) == {"甲": "1 2 3"} and codes(found) == {"leaf-repeat"}


def test_records_that_name_no_files_are_items_without_files(tmp_path: Path, definitions: Definitions) -> None:
    found = made(tmp_path, {"目录.csv": "题名,责任者\n平陽縣志,甲\n平陽縣志,乙\n"}, definitions)
    assert [(d.item.key, d.item.files, d.item.to_describe) for d in found.drafts] == [("平陽縣志", (), False), ("平陽縣志#2", (), False)]
    assert len({d.item.id for d in found.drafts}) == 2


def test_a_roster_is_a_document_with_personal_numbers(tmp_path: Path, definitions: Definitions) -> None:
    sheet = "姓名,性别,身份证号,电话\n甲,男,,13955113483\n乙,女,,13912345678\n"
    found = made(tmp_path, {"名册.csv": sheet, "信.txt": "联系电话13955113483"}, definitions)
    assert {d.item.title: [f.personal for f in d.item.files] for d in found.drafts} == {"[名册]": [True], "[信]": [True]}
    assert "13955113483" not in " ".join(f.message for f in found.findings)


def test_a_loose_copy_of_something_described_links_to_it_and_is_shown_to_nobody(tmp_path: Path, definitions: Definitions) -> None:
    files = {"登记.csv": "题名,文件,访问级别\n甲,1.png,公开\n", "1.png": png(1), "杂/重复_003.png": png(1)}
    found = made(tmp_path, files, definitions)
    (draft,) = found.drafts
    copy = draft.item.files[1]
    assert (copy.received, copy.version_of, copy.rights.audience) == ("杂/重复_003.png", "f1", Audience.STAFF)
    assert found.fates["杂/重复_003.png"] == FileFate(Fate.DUPLICATE, draft.item.key, "1.png")


def test_bytes_that_another_donor_gave_are_a_duplicate_with_its_own_provenance(tmp_path: Path, definitions: Definitions) -> None:
    class Held(NoArchive):
        def holders_of(self, sha512: str) -> tuple[str, ...]:
            return ("2020-001-xyz.f3",)

    folder = plant(tmp_path / "given", {"校舍.png": png(1)})
    found, _files = planned(folder, tmp_path / "space", definitions, Held())
    assert found.fates["校舍.png"] == FileFate(Fate.DUPLICATE, "校舍", "2020-001-xyz.f3")
    assert len(found.drafts) == 1 and found.drafts[0].item.files


def test_what_was_given_before_is_no_duplicate_of_itself(tmp_path: Path, definitions: Definitions) -> None:
    class Before(NoArchive):
        def known_item(self, accession: str, key: str) -> str:
            return "old-id-1"

        def holders_of(self, sha512: str) -> tuple[str, ...]:
            return ("2021-003-other.f1", "old-id-1.f1")

    folder = plant(tmp_path / "given", {"校舍.png": png(1)})
    found, _files = planned(folder, tmp_path / "space", definitions, Before())
    assert found.drafts[0].item.id == "old-id-1" and found.fates["校舍.png"].fate is Fate.ACCEPTED


def test_a_provisional_accession_comes_from_the_folder(tmp_path: Path, definitions: Definitions) -> None:
    first = made(tmp_path, {"a.png": png(1)}, definitions, "老照片")
    assert first.donation.provisional and first.donation.accession.startswith("x-")
    (tmp_path / "b").mkdir()
    again = made(tmp_path / "b", {"a.png": png(1)}, definitions, "老照片")
    assert (again.donation, again.drafts[0].item.id) == (first.donation, first.drafts[0].item.id)


def test_a_proposal_handed_back_as_a_sheet_is_the_same_item(tmp_path: Path, definitions: Definitions) -> None:
    registered = {"donation.toml": 'accession = "2026-9"\n'}
    files = {"甲/001.png": png(1), "甲/002.png": png(2), "乙.mp3": b"m", "乙_唱词.txt": "词", **registered}
    (tmp_path / "b").mkdir()
    first = made(tmp_path, files, definitions)
    again = made(tmp_path / "b", {**files, "登记.csv": "题名,文件\n甲志,甲\n乙曲,乙.mp3;乙_唱词.txt\n"}, definitions)
    assert {d.item.id for d in again.drafts} == {d.item.id for d in first.drafts}


def test_a_proposal_of_scans_at_the_top_is_the_same_item(tmp_path: Path, definitions: Definitions) -> None:
    files = {"donation.toml": 'accession = "2026-9"\n', **{f"{n:03}.png": png(n) for n in (1, 2, 3)}}
    (tmp_path / "b").mkdir()
    first = made(tmp_path, files, definitions)
    again = made(tmp_path / "b", {**files, "登记.csv": "题名,文件\n甲志,001.png;002.png;003.png\n"}, definitions)
    assert [d.item.id for d in again.drafts] == [d.item.id for d in first.drafts]


def test_the_row_that_names_a_file_most_closely_has_it(tmp_path: Path, definitions: Definitions) -> None:
    files = {
        "登记.csv": "题名,文件\n甲志,甲\n甲志附图,甲/附图.png\n甲志續編,甲/續編\n",
        "甲/001.png": png(1),
        "甲/002.png": png(2),
        "甲/附图.png": png(3),
        "甲/續編/001.png": png(4),
    }
    found = made(tmp_path, files, definitions)
    assert titles(found) == {"甲志": "001 002", "甲志附图": "附图", "甲志續編": "001"}
    assert "file-shared" not in codes(found)


def test_defaults_do_not_open_what_no_row_describes(tmp_path: Path, definitions: Definitions) -> None:
    registered = {"donation.toml": 'accession = "2026-9"\n[defaults]\naccess = "public"\n', "甲.png": png(1), "乙.png": png(2)}
    (tmp_path / "b").mkdir()
    alone = made(tmp_path, registered, definitions)
    assert {d.item.rights.audience for d in alone.drafts} == {Audience.PUBLIC}
    found = made(tmp_path / "b", {**registered, "登记.csv": "题名,文件\n甲,甲.png\n"}, definitions)
    assert {d.item.title: d.item.rights.audience for d in found.drafts} == {"甲": Audience.PUBLIC, "[乙]": None}


def test_an_archive_that_is_refused_makes_no_item(tmp_path: Path, definitions: Definitions) -> None:
    found = made(tmp_path, {"坏.zip": zipped({"a.txt": b"x" * 99})[:-20], "锁.rar": b"Rar!\x1a\x07\x00", "甲.png": png(1)}, definitions)
    assert found.fates["坏.zip"].fate is Fate.REFUSED
    assert "[坏]" not in {d.item.title for d in found.drafts}


def test_a_bag_is_checked(tmp_path: Path, definitions: Definitions) -> None:
    import hashlib

    good = hashlib.sha256(png(1)).hexdigest()
    files = {
        "包/bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "包/manifest-sha256.txt": f"{good}  data/001.png\n{good}  data/002.png\n{good}  data/003.png\n",
        "包/data/001.png": png(1),
        "包/data/002.png": png(2),
        "包/data/004.png": png(4),
    }
    found = made(tmp_path, files, definitions)
    said = {(f.code, f.path) for f in found.findings if f.code.startswith("fixity")}
    assert said == {("fixity-mismatch", "包/data/002.png"), ("fixity-missing", "包/data/003.png"), ("fixity-extra", "包/data/004.png")}
    assert titles(found) == {"[包]": "001 002 缺 004"}
    assert found.fates["包/bagit.txt"] == FileFate(Fate.ACCEPTED)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2030-01-01", date(2030, 1, 1)),
        ("2030/1/2", date(2030, 1, 2)),
        ("2030年1月", date(2030, 1, 1)),
        ("2030", date(2030, 1, 1)),
        ("明年", None),
        ("2030-13-01", None),
    ],
)
def test_days(written: str, day: date | None) -> None:
    assert read_day(written) == day


def given_file(path: str, location: Path, text: bool = False, parts: int | None = None, fatal: bool = False) -> GivenFile:
    file = GivenFile(path, location, 1, 0, sha512=str(hash(path) % 7), sha256="0")
    probe = Probe(
        "x/y", kind_of(file), "?", 100, 100, parts=parts, text=("字",) if text else (), faults=(Fault("damaged", fatal),) if fatal else ()
    )
    return replace(file, probe=probe)


NAMES = st.sampled_from(
    [
        "001",
        "002",
        "003",
        "012a",
        "12b",
        "扫描1",
        "扫描０２",
        "IMG_7",
        "IMG_7_印刷用",
        "甲",
        "甲_副本",
        "甲(1)",
        "甲正面",
        "甲背面",
        "封面",
        "全文",
        "唱段",
        "唱段_唱词",
        "唱段_GBK",
        "088-42b",
        "0001_088-42b",
        "正面",
        "背面",
        "说明",
    ]
)
FOLDERS = st.sampled_from(["影像", "文字", "母本", "服务本", "甲", "甲志", "第一册", "卷二", "VIDEO_TS", "MPEGAV", "a.zip", "新建文件夹"])
ENDINGS = st.sampled_from([".png", ".jpg", ".TIF", ".txt", ".lrc", ".pdf", ".mp3", ".wav", ".mp4", ".DAT", ".docx", ".xyz", ".xml"])
PATHS = st.builds(lambda folders, name, ending: "/".join([*folders, name + ending]), st.lists(FOLDERS, max_size=3), NAMES, ENDINGS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.lists(PATHS, max_size=14, unique=True),
    odd=st.data(),
)
def test_any_tree_is_planned_and_every_file_ends_once(paths: list[str], odd: st.DataObject, tmp_path: Path) -> None:
    location = tmp_path / "bytes"
    location.write_bytes("字".encode())
    files = []
    for path in paths:
        kind = odd.draw(st.sampled_from(["plain", "plain", "plain", "litter", "refused", "fatal", "parts", "text"]))
        file = given_file(path, location, kind == "text", odd.draw(st.integers(1, 4)) if kind == "parts" else None, kind == "fatal")
        if kind == "litter":
            file = replace(file, litter=True, probe=None)
        if kind == "refused":
            file = replace(file, location=None, refused="link", probe=None, sha512="")
        files.append(file)
    found = plan(files, (), Registration(Donation("2026-1")), Definitions(), folder_name="捐赠")
    assert set(found.fates) == set(paths)
    counts = [sum(1 for fate in found.fates.values() if fate.fate is kind) for kind in Fate]
    assert sum(counts) == len(paths)
    assert len({draft.item.key for draft in found.drafts}) == len(found.drafts)
    for draft in found.drafts:
        item = draft.item
        assert len({file.id for file in item.files}) == len(item.files) == len(draft.sources)
        assert [page.position for page in item.pages] == list(range(1, len(item.pages) + 1))
        known = {file.id for file in item.files}
        assert {page.image.file for page in item.pages if page.image} <= known
        assert {text.file for page in item.pages for text in page.texts} <= known
        assert all(track.file in known and (track.media is None or track.media in known) for track in item.tracks)
        assert all(file.version_of is None or file.version_of in known - {file.id} for file in item.files)
        kept = {path for path, fate in found.fates.items() if fate.fate in (Fate.ACCEPTED, Fate.DUPLICATE)}
        assert draft.refused or set(draft.sources.values()) <= kept
    held = {path for draft in found.drafts if not draft.refused for path in draft.sources.values()}
    assert all(path in held for path, fate in found.fates.items() if fate.item and fate.fate in (Fate.ACCEPTED, Fate.DUPLICATE))
    assert MediaKind.IMAGE
