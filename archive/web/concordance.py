"""The concordance 逐字索引: every occurrence of a search on a line of its own, how they lie over works and years, and all of it as a table.

Takes the parameters of the search page. Sorting and paging need no script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from werkzeug.datastructures import MultiDict

from archive.errors import NotFound, QueryError, SearchIndexError, UsageError
from archive.language import _
from archive.model.item import TextSource
from archive.search.base import TEXT_END, Concordance, Described, Dispersion, Lines, Query, Share
from archive.search.base import Place as Spot
from archive.web import hits, narrowing, plots, presenting, recordings, tables
from archive.web.asking import LINE_SORTS, LINES_MOST, Asked, asked, parameters
from archive.web.hall import absolute, canonical, hall, reader
from archive.web.narrowing import Place
from archive.web.pages import Pages

blueprint = Blueprint("concordance", __name__)

_SIZE = 50
_DEEPEST = 10**6
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as the page shows it; `begins` and `ends` where the text to be seen does."""

    number: int
    left: str
    match: str
    right: str
    begins: bool
    ends: bool
    url: str
    title: str
    label: str
    date: str
    machine: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """The search asked for, and which lines of it."""

    search: Asked
    sort: str
    page: int
    size: int

    def query(self) -> Query:
        """For the index; raises NotFound for an item that is not there."""
        given = self.search
        return hall().reading.query(
            reader(),
            given.text,
            collection=given.collection,
            kind=given.kind,
            year_from=given.year_from,
            year_to=given.year_to,
            filters=given.filters,
            item=given.item,
            scope=given.scope,
            taboo=given.taboo,
            confusable=given.confusable,
        )


def wanted(args: MultiDict[str, str], *, strict: bool) -> Wanted:
    """What `args` ask for: the search's parameters with `sort`, `page` and `size` of our own. `strict` (the API) raises UsageError."""
    ours = ("sort", "page", "size")
    rest = MultiDict([(name, value) for name, value in args.items(multi=True) if name not in ours])
    sort = args.get("sort") or "work"
    if sort not in LINE_SORTS:
        if strict:
            raise UsageError(_("%(name)s 只能是 %(known)s。", name="sort", known=" ".join(LINE_SORTS)))
        sort = "work"
    size = _whole(args, "size", _SIZE, LINES_MOST, strict)
    return Wanted(asked(rest, hall().definitions, strict=strict), sort, _whole(args, "page", 1, _DEEPEST, strict), size)


def _whole(args: MultiDict[str, str], name: str, default: int, most: int, strict: bool) -> int:
    text = args.get(name) or str(default)
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most:
        return int(text)
    if strict:
        raise UsageError(_("%(name)s 应是 %(low)d 到 %(high)d 的整数。", name=name, low=1, high=most))
    return default


@blueprint.get("/concordance")
def page() -> Any:
    """One screen of lines with the plots, or a box to ask in."""
    asked_for = wanted(request.args, strict=False)
    text = asked_for.search.text
    at = _address("concordance.page")
    canonical(Place(at.path, {"q": text} if text else {}).but())
    shown: dict[str, Any] = {
        "q": text,
        "sort": asked_for.sort,
        "sorts": _sorts(),
        "chips": narrowing.chips(asked_for.search, at, hall().definitions, _item_title(asked_for.search.item)),
        "carried": [(name, value) for name, value in at.args.items() if name != "q"],
        "search_url": _address("search.page").but(sort=None, size=None),
    }
    if not text:
        return render_template("concordance/page.html", **shown)
    try:
        found = run(asked_for)
    except QueryError as error:
        return render_template("concordance/page.html", **shown, fault=_fault(error)), 400
    except SearchIndexError:
        return render_template("concordance/page.html", **shown, unwell=True), 503
    return render_template("concordance/page.html", **shown, found=_found(asked_for, found))


def run(asked_for: Wanted) -> Concordance:
    """Ask the archive; raises QueryError, SearchIndexError, and NotFound for an item that is not there."""
    query = _sorted(asked_for.query(), asked_for.sort, (asked_for.page - 1) * asked_for.size, asked_for.size)
    return hall().reading.concordance(query)


def _sorted(query: Query, sort: str, offset: int, limit: int) -> Query:
    return replace(query, sort=sort, offset=offset, limit=limit)


def _sorts() -> list[tuple[str, str]]:
    return [
        ("work", _("书名与次序")),
        ("left", _("前文")),
        ("right", _("后文")),
        ("date", _("年代早在前")),
        ("-date", _("年代晚在前")),
    ]


def _address(endpoint: str) -> Place:
    """The same search elsewhere."""
    known = parameters(hall().definitions) - {"group"}
    return Place(url_for(endpoint), {name: value for name, value in request.args.items() if name in known and value})


def _item_title(item: str | None) -> str:
    if not item:
        return ""
    try:
        return _("只在《%(title)s》中", title=hall().reading.item(reader(), item, pages_size=1).summary.title)
    except NotFound:
        return item


def _fault(error: QueryError) -> dict[str, str]:
    at = max(0, min(error.position, len(error.query)))
    return {"message": str(error), "before": error.query[:at], "at": error.query[at : at + 1] or "　", "after": error.query[at + 1 :]}


def _found(asked_for: Wanted, found: Concordance) -> dict[str, Any]:
    first = (asked_for.page - 1) * asked_for.size
    return {
        "total": found.total,
        "counts": _("共 %(total)s 处 · %(works)s 种", total=f"{found.total:,}", works=f"{found.works:,}") if found.total else _("没有找到"),
        "understood": found.understood,
        "unsorted": found.sort != asked_for.sort,
        "lines": _shown(found.lines, asked_for.search, first),
        "pages": Pages(asked_for.page, max(1, -(-found.total // asked_for.size))),
        "csv": _address("concordance.as_csv").but(size=None),
        "xlsx": _address("concordance.as_xlsx").but(size=None),
        "works": _works(found.dispersion),
        "periods": _periods(found.dispersion),
        "step": found.dispersion.step,
        "high": plots.COLUMNS_HIGH,
        "end": TEXT_END,
    }


def _shown(lines: Lines, search: Asked, first: int) -> list[ShownLine]:
    return [
        ShownLine(
            number,
            left.removeprefix(TEXT_END),
            match,
            right.removesuffix(TEXT_END),
            left.startswith(TEXT_END),
            right.endswith(TEXT_END),
            place_url(place := lines.places[at], search),
            place.work.title,
            place_label(place),
            place.work.date,
            place.source == TextSource.OCR.value,
        )
        for number, (left, match, right, at) in enumerate(zip(lines.left, lines.match, lines.right, lines.at, strict=True), first + 1)
    ]


def place_label(place: Spot) -> str:
    """What a line's leaf or moment is called: 卷 and 叶 where verified, else the number of the image."""
    if place.target == "segment":
        return presenting.joined((place.label, presenting.clock(place.start) if place.start is not None else ""))
    return hits.label_in_words(place.label) or _("影像第 %(n)d 面", n=place.position)


def place_url(place: Spot, search: Asked | None = None) -> str:
    """The leaf, or the recording at that second; with `search` its words marked."""
    query: dict[str, Any] = {"q": search.text} if search else {}
    if search and not search.taboo:
        query["taboo"] = "0"
    if place.target == "page":
        return url_for("browse.page", item=place.item, page=place.key, **query)
    if place.start is None:
        return url_for("browse.item", item=place.item, **query)
    track, timed, _start = place.key.partition("@")
    if not timed:
        return url_for("browse.segment", item=place.item, segment=place.key, **query)
    return url_for("browse.item", item=place.item, t=f"{place.start:g}", **query, _anchor=recordings.anchor(track, place.start))


def in_json(asked_for: Wanted, found: Concordance) -> dict[str, Any]:
    """For scripts: the lines asked for, and the dispersion of all."""
    lines, spread = found.lines, found.dispersion
    return {
        "query": asked_for.search.text,
        "understood": found.understood,
        "total": found.total,
        "items": found.works,
        "sort": found.sort,
        "page": asked_for.page,
        "size": asked_for.size,
        "lines": [
            {"left": left, "match": match, "right": right} | _place_in_json(lines.places[at])
            for left, match, right, at in zip(lines.left, lines.match, lines.right, lines.at, strict=True)
        ],
        "dispersion": {
            "works": [{"item": share.item, "title": share.name} | _share(share) for share in spread.works],
            "other_works": {"works": spread.others} | _share(spread.rest),
            "step": spread.step,
            "periods": [{"first": share.year} | _share(share) for share in spread.periods],
            "undated": _share(spread.undated),
        },
    }


def _place_in_json(place: Spot) -> dict[str, Any]:
    return {
        "target": place.target,
        "item": place.item,
        "key": place.key,
        "title": place.work.title,
        "creators": list(place.work.creators),
        "label": place_label(place),
        "date": place.work.date,
        "collection": place.work.collection,
        "kind": place.work.kind,
        "source": place.source,
        "start": place.start,
        "url": absolute(place_url(place)),
    }


def _share(share: Share) -> dict[str, int]:
    return {"occurrences": share.occurrences, "characters": share.characters}


# Dispersion


def _works(spread: Dispersion) -> list[plots.Bar]:
    at = _address("concordance.page")
    rows: list[tuple[str, str | None, Share]] = [(share.name, at.but(item=share.item), share) for share in spread.works]
    if spread.others:
        rows.append((_("其余 %(n)s 种", n=f"{spread.others:,}"), None, spread.rest))
    return plots.bars(rows)


def _periods(spread: Dispersion) -> list[plots.Bar]:
    at = _address("concordance.page")
    rows: list[tuple[str, str | None, Share]] = []
    for share in spread.periods:
        first = share.year or 0
        url = at.but(decade=None, **{"from": str(first), "to": str(first + spread.step - 1)})
        rows.append((period(first, spread.step), url, share))
    if spread.undated.occurrences:
        rows.append((_("年代不详"), None, spread.undated))
    return plots.columns(rows)


def period(first: int, step: int) -> str:
    """Years as a heading: `1780–1789`."""
    return f"{first}–{first + step - 1}"


# Tables


@blueprint.get("/concordance.csv")
def as_csv() -> Response:
    """All lines as CSV, sent as they are written."""
    name, batches, library, root = _table()
    return _attached(csv_of(batches, library, root), "text/csv; charset=utf-8", f"{name}.csv")


@blueprint.get("/concordance.xlsx")
def as_xlsx() -> Response:
    """All lines as a workbook."""
    name, batches, library, root = _table()
    return _attached(tables.xlsx_parts(rows_of(batches, library, root), name), _XLSX, f"{name}.xlsx")


def _table() -> tuple[str, Iterator[Lines], str, str]:
    asked_for = wanted(request.args, strict=True)
    if not asked_for.search.text:
        raise UsageError(_("缺少检索词：q="))
    batches = hall().reading.occurrences(_sorted(asked_for.query(), asked_for.sort, 0, 0))
    return _("逐字索引"), batches, hall().settings.name, absolute("")


def _attached(parts: Iterator[bytes], kind: str, name: str) -> Response:
    response = Response(stream_with_context(parts), content_type=kind)
    plain = "concordance" + name[name.rindex(".") :]
    response.headers["Content-Disposition"] = f"attachment; filename={plain}; filename*=UTF-8''{quote(name)}"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def csv_of(batches: Iterator[Lines], library: str, root: str) -> Iterator[bytes]:
    """All lines as CSV."""
    return tables.csv_lines(heading(), _csv_rows(batches, _Cells(library, root)))


def _csv_rows(batches: Iterator[Lines], cells: _Cells) -> Iterator[Iterator[tuple[int, str, str, str, str]]]:
    number = 1
    for lines in batches:
        places = _quoted(cells.of(lines.places))
        contexts = (map(tables.harmless, column) for column in (lines.left, lines.match, lines.right))
        yield zip(range(number, number + len(lines)), *contexts, map(places.__getitem__, lines.at), strict=True)
        number += len(lines)


def _quoted(places: Sequence[tuple[str, ...]]) -> list[str]:
    """The cells of each place as they stand in a CSV row; what places of one work share is written once."""
    shared: dict[tuple[str, ...], str] = {}
    found = []
    for title, creators, label, *work, cited, url in places:
        for cells in ((title, creators), tuple(work)):
            if cells not in shared:
                shared[cells] = tables.quoted(cells)
        found.append(f'{shared[title, creators]},{tables.quoted((label,))},{shared[tuple(work)]},{tables.quoted((cited,))},"{url}"')
    return found


def rows_of(batches: Iterator[Lines], library: str, root: str) -> Iterator[list[tuple[tables.Cell, ...]]]:
    """The rows of the table, its heading first, batch by batch. What is said of a work or a place is worked out once for all its lines."""
    yield [heading()]
    cells, number = _Cells(library, root), 1
    for lines in batches:
        places = cells.of(lines.places)
        contexts = (map(tables.harmless, column) for column in (lines.left, lines.match, lines.right))
        yield [
            (at, left, match, right, *places[place])
            for at, left, match, right, place in zip(range(number, number + len(lines)), *contexts, lines.at, strict=True)
        ]
        number += len(lines)


def heading() -> tuple[str, ...]:
    """The names of the columns."""
    return (
        _("序号"),
        _("前文"),
        _("所检"),
        _("后文"),
        _("题名"),
        _("责任者"),
        _("卷叶或时刻"),
        _("年代"),
        _("馆藏"),
        _("文字来源"),
        _("引用"),
        _("永久链接"),
    )


class _Cells:
    """The cells that tell of places. Asking Flask for an address, or gettext for a word, for each would take longer than all the rest."""

    def __init__(self, library: str, root: str) -> None:
        self.library, self.root = tables.harmless(library), root
        self.leaf = root + url_for("browse.page", item="ITEM", page="PAGE")
        self.as_it_is = not presenting.english()
        self.sources = {source.value: presenting.source_label(source) for source in TextSource}

    def of(self, places: Sequence[Spot]) -> list[tuple[str, ...]]:
        """Title, 责任者, leaf, date, holding, whose text, citation and address of each."""
        works: dict[int, tuple[str, ...]] = {}
        found: list[tuple[str, ...]] = []
        for place in places:
            if id(place.work) not in works:
                works[id(place.work)] = self._of_work(place.work)
            title, creators, date, holding, cited = works[id(place.work)]
            label = place.label if place.label and self.as_it_is and place.target == "page" else place_label(place)
            whole = citation(
                cited, label if place.label or place.target != "page" else f"影像第 {place.position} 面", self.library, place.source
            )
            url = self._address(place)
            found.append((title, creators, tables.harmless(label), date, holding, self.sources.get(place.source, ""), whole, url))
        return found

    def _of_work(self, work: Described) -> tuple[str, ...]:
        creators = "、".join(work.creators)
        cited = "，".join(part for part in (f"{creators}《{work.title}》", work.date) if part)
        holding = presenting.holding_label(hall().definitions, work.collection)
        return tuple(map(tables.harmless, (work.title, creators, work.date, holding, cited)))

    def _address(self, place: Spot) -> str:
        if place.target != "page":
            return self.root + place_url(place)
        plain = place.key.isascii() and place.key.isalnum()
        return self.leaf.replace("PAGE", place.key if plain else quote(place.key, safe="")).replace("ITEM", place.item)


def citation(work: str, label: str, library: str, source: str) -> str:
    """What a footnote says of a line, in Chinese as its source: 责任者《题名》，年代，卷叶，收藏者. Machine-read text says so."""
    read = "，机器识别文字" if source == TextSource.OCR.value else ""
    return f"{work}，{label}，{library}{read}。" if label else f"{work}，{library}{read}。"
