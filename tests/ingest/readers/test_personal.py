"""ID and telephone numbers are found, counted and never repeated. All numbers here are made up."""

from collections import Counter

import pytest

from ingest.readers.personal import is_id_number, personal_finding, personal_numbers


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("郭某 610101195301010012X", ()),
        ("身份证 11010519491231002X。", ("id",)),
        ("１１０１０５１９４９１２３１００２Ｘ", ("id",)),
        ("旧证号130503670401001，存档", ("id",)),
        ("身份证号：610101195309950609", ("id",)),
        ("610101195309950609", ()),
        ("手机13955113483、+86 139 5511 3483；139-5511-3483", ("mobile", "mobile", "mobile")),
        ("电话：3211234", ("landline",)),
        ("(0915)3211234 029-87654321", ("landline", "landline")),
        ("ISBN 9787100000000 索书号 K294.13/12 乾隆53年刻 1970-08-25", ()),
        ("每册12800139551134831元", ()),
        ("0.13955113483", ()),
        ("卷88叶42b 字数239 KR2k0009_088", ()),
    ],
)
def test_numbers_of_persons(text: str, kinds: tuple[str, ...]) -> None:
    assert personal_numbers(text) == kinds


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("990105194912310021", False),
        ("110105194913310021", False),
        ("130503670401001", True),
    ],
)
def test_check_digit_birthday_and_province(text: str, right: bool) -> None:
    assert is_id_number(text) is right


def test_the_finding_counts_and_does_not_repeat() -> None:
    finding = personal_finding("名册.txt", Counter(personal_numbers("手机13955113483，证11010519491231002X")))
    assert finding is not None
    assert (finding.code, finding.path) == ("personal-numbers", "名册.txt")
    assert "1 个、电话号码 1 个" in finding.message and "1395511" not in finding.message
    assert personal_finding("x", Counter()) is None
