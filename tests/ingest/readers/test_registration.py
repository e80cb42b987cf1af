"""`donation.toml` and 捐赠登记.xlsx: what they say, what is kept apart, and how a slip is told."""

from pathlib import Path

import openpyxl
import pytest

from archive.model.donation import Finding, Severity
from archive.model.profile import Collection, Definitions, Profile, Term, Vocabulary
from archive.model.rights import Audience
from ingest.readers.registration import is_registration_name, read_audience, read_registration
from ingest.task import Registration, SheetRole

DEFINITIONS = Definitions(
    profiles={"general": Profile("general", "通用", "General", ()), "gazetteer": Profile("gazetteer", "方志", "Gazetteer", ())},
    collections={"third-front": Collection("third-front", "三线学兵", "Third-Front student soldiers")},
    vocabularies={
        "rights-status": Vocabulary(
            "rights-status", "权利状态", "", (Term("公有领域", "public domain", ("公版",)), Term("未定")), open=False
        )
    },
)
FULL = """\
accession = "2026-017"
donor = "王某"
received = 2026-03-01
source = "捐赠"
agreement = "协议-17"
rights = "可在馆内阅览"

[contact]
phone = "0915-3211234"
"地址" = "安康市"

[defaults]
kind = "方志"
collection = "三线学兵"
access = "馆内"
rights_status = "公版"
"""


def toml(folder: Path, text: str | bytes) -> Registration:
    path = folder / "donation.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_registration(path, "donation.toml", DEFINITIONS)


def sheet(folder: Path, *rows: list[object]) -> Registration:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "捐赠登记.xlsx")
    return read_registration(folder / "捐赠登记.xlsx", "捐赠登记.xlsx", DEFINITIONS)


def only(registration: Registration) -> Finding:
    (finding,) = registration.findings
    return finding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_everything_that_a_donation_toml_may_say(tmp_path: Path, encoding: str) -> None:
    found = toml(tmp_path, FULL.encode(encoding))
    assert found.findings == ()
    donation = found.donation
    assert (donation.accession, donation.donor, donation.received) == ("2026-017", "王某", "2026-03-01")
    assert (donation.source, donation.agreement, donation.rights) == ("捐赠", "协议-17", "可在馆内阅览")
    assert found.defaults == {"kind": "gazetteer", "collection": "third-front", "access": "reading_room", "rights_status": "公有领域"}
    assert found.contact == {"phone": "0915-3211234", "address": "安康市"}
    assert found.paths == ("donation.toml",)


def test_the_contact_is_nowhere_but_in_the_contact(tmp_path: Path) -> None:
    found = toml(tmp_path, FULL + '\n[其他]\nx = "13955113483"\n')
    assert "3211234" not in repr((found.donation, found.defaults, found.findings))
    assert "139551" not in repr(found)


def test_key_and_value_in_two_columns_with_a_title_above(tmp_path: Path) -> None:
    rows = [
        ["捐赠登记表"],
        [],
        ["登记号：", "2026-017"],
        ["捐赠人", "王某"],
        ["接收日期", "2026年3月"],
        ["联系电话", "0915-3211234"],
        ["公开级别", "公开"],
    ]
    found = sheet(tmp_path, *rows)
    assert found.findings == ()
    assert (found.donation.accession, found.donation.donor, found.donation.received) == ("2026-017", "王某", "2026年3月")
    assert found.contact == {"phone": "0915-3211234"}
    assert found.defaults == {"access": "public"}


def test_two_pairs_in_a_row_and_pairs_in_one_cell(tmp_path: Path) -> None:
    found = sheet(tmp_path, ["登记号", "2026-017", "捐赠人", "王某"], ["来源：征集"], ["协议号", None, "接收日期", "2026-03-01"])
    donation = found.donation
    assert (donation.accession, donation.donor, donation.source, donation.agreement) == ("2026-017", "王某", "征集", "")
    assert donation.received == "2026-03-01"


def test_headings_with_one_row_below(tmp_path: Path) -> None:
    found = sheet(tmp_path, ["登记号", "捐赠人", "资料种类", "联系方式"], ["2026-017", "王某", "gazetteer", "微信 abc"])
    assert (found.donation.accession, found.donation.donor) == ("2026-017", "王某")
    assert found.defaults == {"kind": "gazetteer"}
    assert found.contact == {"contact": "微信 abc"}


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ('accesion = "2026-017"', "registration-unknown", "accession"),
        ('[defaults]\nkind = "gazeteer"', "registration-value", "gazetteer"),
        ('[defaults]\naccess = "公开吧"', "registration-value", "public"),
        ('donor = ["甲", "乙"]', "registration-value", "键"),
        ("[contacts]\nphone = '1'", "registration-unknown", "contact"),
    ],
)
def test_a_slip_is_named_with_what_may_be_meant(tmp_path: Path, text: str, code: str, part: str) -> None:
    finding = only(toml(tmp_path, text))
    assert finding.code == code
    assert part in finding.message
    assert finding.path == "donation.toml"


@pytest.mark.parametrize(
    ("text", "row", "part"),
    [
        ('accession = "1"\ndonor = “王某”\n', 2, "全角"),
        ('accession = "1"\n\n捐赠人 = "王某"\n', 3, "键名"),
        ("accession = 王某\n", 1, "引号"),
        ('accession = "1"\n[defaults\n', 2, "TOML"),
    ],
)
def test_bad_toml_is_an_error_with_its_line(tmp_path: Path, text: str, row: int, part: str) -> None:
    found = toml(tmp_path, text)
    finding = only(found)
    assert (finding.severity, finding.code, finding.row) == (Severity.ERROR, "registration-syntax", row)
    assert part in finding.message
    assert found.donation.accession == ""


def test_an_unknown_line_of_a_sheet_is_told_with_its_row(tmp_path: Path) -> None:
    finding = only(sheet(tmp_path, ["登记号", "1"], ["捐赠人", "王某"], ["捐赠日", "2026"]))
    assert (finding.code, finding.row) == ("registration-unknown", 3)
    assert "捐赠日期" in finding.message


def test_a_registration_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "捐赠登记.xlsx"
    path.write_bytes(b"PK\x03\x04")
    assert only(read_registration(path, "捐赠登记.xlsx", DEFINITIONS)).code == "sheet-corrupt"
    assert only(sheet(tmp_path)).code == "registration-empty"


def test_names_of_registrations() -> None:
    assert is_registration_name("a/donation.toml") and is_registration_name("捐赠登记.xlsx") and is_registration_name("捐贈登記表.xls")
    assert not is_registration_name("登记.xlsx")


@pytest.mark.parametrize(
    ("written", "audience"),
    [("public", Audience.PUBLIC), ("馆内", Audience.READING_ROOM), ("館員", Audience.STAFF), ("封存", Audience.SEALED), ("大家", None)],
)
def test_words_for_audiences(written: str, audience: Audience | None) -> None:
    assert read_audience(written) is audience


def test_how_sheets_are_to_be_read(tmp_path: Path) -> None:
    found = toml(tmp_path, '[sheets]\n"清单.xlsx" = "影像清单"\n"./a/名册.xlsx[表1]" = "document"\n')
    assert found.findings == ()
    assert found.sheets == {"清单.xlsx": SheetRole.PAGES, "a/名册.xlsx[表1]": SheetRole.DOCUMENT}
    found = sheet(tmp_path, ["登记号", "1"], ["表格读法", "清单.xlsx=影像清单；名册.xlsx＝文件"])
    assert found.sheets == {"清单.xlsx": SheetRole.PAGES, "名册.xlsx": SheetRole.DOCUMENT}
    assert only(toml(tmp_path, '[sheets]\n"清单.xlsx" = "图"')).code == "registration-value"
