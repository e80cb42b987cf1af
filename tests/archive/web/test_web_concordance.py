"""The concordance as readers meet it: the page, its order, its tables to take away, and what a spreadsheet makes of them."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from archive.search.base import Share
from archive.search.chinese import fold
from archive.web import plots, tables


def shown(page: str) -> list[tuple[str, str, str]]:
    """Before, the occurrence, after, of every line of a page."""
    found = re.findall(r'<p class="line"[^>]*>(.*?)<mark>(.*?)</mark>(.*?)</p>', page, re.DOTALL)
    return [(plain(left), match, plain(right)) for left, match, right in found]


def plain(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup)


def test_every_occurrence_is_a_line_that_leads_to_its_leaf(client: FlaskClient) -> None:
    page = client.get("/concordance?q=目錄").text
    assert "共 1 处 · 1 种" in page
    ((left, match, right),) = shown(page)
    assert match == "目錄" and left.endswith("欽定四庫全書簡明") and right.startswith("卷一")
    assert 'href="/items/shengyu/p/p2?q=%E7%9B%AE%E9%8C%84"' in page
    assert "影像第 2 面" in page and "乾隆四十七年" in page


def test_timed_text_leads_to_its_second(client: FlaskClient) -> None:
    page = client.get("/concordance?q=襄陽&sort=right").text
    assert re.search(r'href="/items/song\?t=1&amp;q=[^"]*#t1-1"', page)
    assert ("‖玄德公在馬上望", "襄陽", " &amp; &lt;b&gt;漢水&lt;/b&gt; 一帶去也‖") in shown(page)


@pytest.mark.parametrize(("sort", "side"), [("left", 0), ("right", 2)])
def test_the_page_sorts_by_context_without_a_script(client: FlaskClient, sort: str, side: int) -> None:
    page = client.get(f"/concordance?q=書&sort={sort}").text
    assert f'href="?q=%E6%9B%B8&amp;sort={sort}" rel="nofollow" aria-current="true"' in page
    contexts = [fold(html.unescape(line[side])) for line in shown(page)]
    nearest = [context[::-1][:8] if sort == "left" else context[:8] for context in contexts]
    assert nearest == sorted(nearest) and len(set(nearest)) > 2


def test_pages_of_lines_follow_each_other(client: FlaskClient) -> None:
    whole = shown(client.get("/concordance?q=書&size=200").text)
    found: list[tuple[str, str, str]] = []
    for number in range(1, len(whole) + 1):
        page = client.get(f"/concordance?q=書&size=1&page={number}").text
        assert f'<ol class="kwic" start="{number}">' in page
        found += shown(page)
    assert found == whole and len(whole) > 2
    assert shown(client.get("/concordance?q=書&size=1&page=999999").text) == []


def test_a_selection_is_named_and_kept(client: FlaskClient) -> None:
    page = client.get("/concordance?q=書&collection=local-gazetteers&from=1700&sort=left").text
    assert "地方志" in page and "1700 年起" in page
    assert '<input type="hidden" name="collection" value="local-gazetteers">' in page
    assert "/concordance.csv?q=%E6%9B%B8&amp;collection=local-gazetteers&amp;from=1700&amp;sort=left" in page
    assert client.get("/concordance?q=書&collection=han-opera").text.count("<mark>") == 0


def test_the_plots_stand_beside_tables_with_the_same_figures(client: FlaskClient) -> None:
    page = client.get("/concordance?q=書").text
    total = int(re.search(r"共 (\d+) 处", page)[1])  # type: ignore[index]
    assert page.count('role="img"') == 2
    assert re.findall(r'<td class="n">(\d+)</td>', page)[0] == str(total)
    assert "1780–1789" in page and 'width="96.0%"' in page


@pytest.mark.parametrize("query", ["“甲", "近:5(甲", "-甲", "()"])
def test_a_fault_points_at_its_character(client: FlaskClient, query: str) -> None:
    answer = client.get("/concordance", query_string={"q": query})
    assert answer.status_code == 400 and 'class="fault"' in answer.text
    assert client.get("/concordance.csv", query_string={"q": query}).status_code == 400


def test_nothing_asked_and_nothing_found(client: FlaskClient) -> None:
    assert client.get("/concordance").status_code == client.get("/concordance?q=+").status_code == 200
    assert "没有找到" in client.get("/concordance?q=無此語").text
    assert client.get("/concordance.csv").status_code == client.get("/concordance.xlsx?q=").status_code == 400
    assert client.get("/concordance?q=書&size=0&page=-3&sort=nonsense").status_code == 200


def rows(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_csv_has_every_line_with_citation_and_link(client: FlaskClient) -> None:
    answer = client.get("/concordance.csv?q=目錄")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=concordance.csv; filename*=UTF-8''")
    heading, line = rows(answer.data)
    told = dict(zip(heading, line, strict=True))
    assert told["所检"] == "目錄" and told["题名"] == "欽定四庫全書簡明目錄·聖諭目錄" and told["责任者"] == "永瑢、紀昀"
    assert told["引用"] == "永瑢、紀昀《欽定四庫全書簡明目錄·聖諭目錄》，乾隆四十七年，影像第 2 面，" + told["引用"].rsplit("，", 1)[1]
    assert told["永久链接"] == "http://localhost/items/shengyu/p/p2"
    assert client.get("/items/shengyu/p/p2").status_code == 200


def test_a_verified_leaf_is_cited_by_its_folio(client: FlaskClient) -> None:
    labels = {line[11].rsplit("/", 1)[1]: line[6] for line in rows(client.get("/concordance.csv?q=書").data)[1:]}
    assert labels["p1"] == "卷一·叶1上" and labels["p2"] == "影像第 2 面"


def test_both_tables_have_the_same_rows_for_every_reader_of_spreadsheets(client: FlaskClient) -> None:
    expected = rows(client.get("/concordance.csv?q=書&sort=left").data)
    data = client.get("/concordance.xlsx?q=書&sort=left").data
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None and sheet.title == "逐字索引"
    assert [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)] == expected
    told = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert [[str(int(v)) if isinstance(v, float) else str(v) for v in row] for row in told] == expected


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1"])
def test_nothing_is_taken_for_a_formula(text: str) -> None:
    assert tables.harmless(text) == "'" + text


def test_what_is_no_formula_stays_as_it_is() -> None:
    for text in ("", "‖安康", "1788", "（小注）", "a=b", "《志》"):
        assert tables.harmless(text) == text


def batches(count: int) -> Iterator[list[tuple[tables.Cell, ...]]]:
    yield [("號", "文")]
    for number in range(count):
        yield [(number, "<&\"'>\x00\x0b\ufffe 安")]


def test_csv_quotes_what_must_be_quoted() -> None:
    data = b"".join(tables.csv_lines(("甲", "a,b"), [[(1, 'b"c', "d,e", "f\ng", tables.quoted(('"', None, 7)))]]))
    assert data == '\ufeff"甲","a,b"\r\n1,"b""c","d,e","f\ng","""",,"7"\r\n'.encode()
    told = rows(data)
    assert told == [["甲", "a,b"], ["1", 'b"c', "d,e", "f\ng", '"', "", "7"]]


def test_a_workbook_goes_on_in_another_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_ROWS_IN_SHEET", 4)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(tables.xlsx_parts(batches(8), "逐字/索引"))))
    assert book.sheetnames == ["逐字索引 1", "逐字索引 2", "逐字索引 3"]
    assert [[row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book] == [["號", 0, 1, 2], ["號", 3, 4, 5], ["號", 6, 7]]
    assert book.worksheets[2]["B2"].value == "<&\"'> 安"
    assert openpyxl.load_workbook(io.BytesIO(b"".join(tables.xlsx_parts([], "x")))).sheetnames == ["x"]


def test_a_workbook_is_sent_while_it_is_written() -> None:
    parts = tables.xlsx_parts(([(n, "安康" * 20 + str(n))] for n in range(30_000)), "x")
    sizes = [len(part) for part in parts]
    assert len(sizes) > 6 and max(sizes) < sum(sizes) / 2


def test_bars_and_columns_are_shares_of_the_largest() -> None:
    shares = [("甲", None, Share(30, 10_000)), ("乙", None, Share(15, 1_000)), ("丙", None, Share(0, 0))]
    first, second, third = plots.bars(shares)
    assert (first.length, second.length, third.length) == (96.0, 48.0, 0.0)
    assert (first.rate, second.rate, third.rate) == ("30.0", "150", "0")
    assert second.rate_length == 96.0 and first.rate_length == 19.2
    drawn = plots.columns([(str(n), None, Share(n, 100)) for n in range(20)])
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in drawn) and sum(bar.labelled for bar in drawn) <= 7
    assert drawn[-1].length == plots.COLUMNS_HIGH
    assert plots.columns([]) == plots.bars([]) == []
