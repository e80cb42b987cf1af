"""Queries to try, with what they mean; on the home page, on an empty search and in the help."""

from __future__ import annotations

from archive.language import _


def examples() -> tuple[tuple[str, str], ...]:
    """(query, meaning) in the language in force, the plainest first."""
    return (
        ("金州", _("找这两个字连在一起的地方，繁体、简体、异体都算")),
        ("漢江", _("跨行、跨叶、夹注里的也找得到")),
        ("刘玄德", _("唱词也在检索之内，点开就从那一句听起")),
        ("西城 漢陰", _("空格：同一面或相邻一面里都有")),
        ("“舊唐書”", _("加引号：只找原样写法，不论繁简的合并不作数")),
        ("金州 -房州", _("减号：不要含这个词的")),
        ("縣 或 郡", _("或：有其一即可")),
        ("西?縣", _("问号代一个字，星号代几个字")),
        ("近:5(金州 領縣)", _("两处相距不超过五个字")),
        ("题名:地理志", _("只在题名里找；还有 责任者: 地名: 注: 正文: 等")),
        ("年:乾隆", _("按年代找：年号、公元年或区间，如 年:1583..1644")),
        ("同卷 刺史 戶口", _("同叶、同目、同卷、同书：几个词要在多大范围里同时出现")),
    )
