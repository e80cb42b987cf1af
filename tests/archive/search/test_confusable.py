"""Characters that machine reading confuses: only when asked for, both ways, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.search.chinese import fold
from archive.search.confusable import _table, confused_with, expand


@pytest.mark.parametrize(
    "group", ["己已巳", "未末", "士土", "日曰", "人入八", "大太犬", "千干于", "戊戌戍", "天夭", "王玉主", "田由甲申", "刺剌", "州洲"]
)
def test_each_of_a_group_stands_for_the_others(group: str) -> None:
    for char in group:
        assert set(group) - {char} <= set(confused_with(char))


def test_the_table_goes_both_ways_and_holds_nothing_that_folds_together() -> None:
    table = _table()
    assert all(char in table[other] for char, others in table.items() for other in others)
    assert all(fold(char) == char and char not in others for char, others in table.items())
    assert max(map(len, table.values())) <= 16, "a character that is taken for everything finds nothing"


def test_one_change_comes_before_two() -> None:
    found = expand("己未")
    assert found.index("已未") < found.index("已末")
    assert "己未" not in found
    assert expand("", 5) == ()


@given(st.text("己未天王大山", max_size=40), st.integers(0, 70))
def test_expansion_is_bounded_and_keeps_the_length(text: str, limit: int) -> None:
    found = expand(text, limit)
    assert len(found) <= limit
    assert len(set(found)) == len(found)
    assert {len(string) for string in found} <= {len(text)}
