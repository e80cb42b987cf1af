"""Does what a reader asks for cost the same in a large archive and a large work as in small ones? Prints ratios measured in one run.

python benchmarks/catalogue.py [ITEMS] [PAGES_OF_THE_LARGE_WORK]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, cast

from archive.catalogue import items as rows
from archive.catalogue.engine import Catalogue, open_catalogue
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion
from archive.model.profile import Collection, Definitions
from archive.model.rights import Audience, Rights
from archive.services.reading import Reading

DAY = date(2026, 11, 22)
PUBLIC = Audience.PUBLIC
SLUGS = ("local-gazetteers", "han-opera", "third-front", "han-river", "city-building")
TEXT = "府志卷之一山川形勝\n漢江自西来" * 12


def work(item_id: str, pages: int, *, closed: int = 0) -> Item:
    """A book of single images with text; every `closed`th page for staff only (0: none)."""
    text = TextVersion(TextSource.DONOR, tuple(TextLine(line) for line in TEXT.splitlines()))
    files = tuple(
        MediaFile(f"f{n}", f"originals/{n:05}.png", f"{n:05}.png", 9, f"{n:0128d}", "image/png", MediaKind.IMAGE, width=2500, height=3500)
        for n in range(1, pages + 1)
    )
    sheets = tuple(
        Page(f"p{n}", n, FileRef(f"f{n}"), texts=(text,), rights=Rights(Audience.STAFF) if closed and n % closed == 0 else Rights())
        for n in range(1, pages + 1)
    )
    slug = SLUGS[len(item_id) % 2 + sum(map(ord, item_id)) % 4]
    return Item(item_id, "2026-001", "gazetteer", slug, f"志 {item_id}", key=item_id, files=files, pages=sheets, rights=Rights(PUBLIC))


def fill(catalogue: Catalogue, wanted: list[Item]) -> float:
    """Write items, 200 a transaction; seconds."""
    begin = time.perf_counter()
    for start in range(0, len(wanted), 200):
        with catalogue.write() as connection:
            for item in wanted[start : start + 200]:
                rows.put_item(connection, item, version=1, batch="2026-001.1", at="2026-11-22T00:00:00Z", day=DAY)
    return time.perf_counter() - begin


def best(call: Callable[[], Any], times: int = 40) -> float:
    """The quickest of some calls, in milliseconds."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return min(found) * 1000


def main() -> None:
    """Fill two catalogues, ask both."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    leaves = int(sys.argv[2]) if len(sys.argv) > 2 else 27_000
    definitions = Definitions(collections={slug: Collection(slug, slug, slug) for slug in SLUGS})
    with tempfile.TemporaryDirectory() as folder:
        readings = {}
        for name, number in (("small", 50), ("large", count)):
            catalogue = open_catalogue(Path(folder) / f"{name}.sqlite", create=True)
            seconds = fill(catalogue, [work(f"w-{n:06}", 20) for n in range(number)])
            print(f"{name}: {number} items of 20 pages written in {seconds:.1f} s, {number / seconds:.0f} items/s")
            readings[name] = Reading(catalogue, cast(Any, None), definitions, lambda: DAY)
            if name == "large":
                seconds = fill(catalogue, [work("thick-1", leaves), work("thick-2", leaves, closed=7)])
                print(f"two works of {leaves} pages written in {seconds:.1f} s")
        small, large = readings["small"], readings["large"]
        asked: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "holdings with counts": (lambda: small.collections(PUBLIC), lambda: large.collections(PUBLIC)),
            "first page of a list": (lambda: small.items(PUBLIC), lambda: large.items(PUBLIC)),
            "first page of a holding": (lambda: small.items(PUBLIC, SLUGS[1]), lambda: large.items(PUBLIC, SLUGS[1])),
            "newest": (lambda: small.recent(PUBLIC), lambda: large.recent(PUBLIC)),
            "middle of a list": (lambda: small.items(PUBLIC, page=2), lambda: large.items(PUBLIC, page=count // 48)),
            "item": (lambda: small.item(PUBLIC, "w-000007"), lambda: large.item(PUBLIC, "thick-1")),
            "page": (lambda: small.page(PUBLIC, "w-000007", "p9"), lambda: large.page(PUBLIC, "thick-1", f"p{leaves // 2}")),
            "page of a work with closed pages": (
                lambda: small.page(PUBLIC, "w-000007", "p9"),
                lambda: large.page(PUBLIC, "thick-2", f"p{leaves // 2 // 7 * 7 + 1}"),
            ),
            "file": (lambda: small.file(PUBLIC, "w-000007.f9"), lambda: large.file(PUBLIC, f"thick-1.f{leaves // 2}")),
        }
        for name, (few, many) in asked.items():
            first, second = best(few), best(many)
            print(f"{name}: {first:.2f} ms small, {second:.2f} ms large, ratio {second / first:.2f}")


if __name__ == "__main__":
    main()
