"""What a manifest and a search within an item cost in one process. Prints medians and 95th percentiles of CPU time, in milliseconds.

python benchmarks/iiif.py [LEAVES_OF_THE_BOOK]

A book of 500 leaves for the manifest, one of 1,000 for the search. Their text is that of the sample's 舊唐書地理志, its columns shuffled by a
stated seed, each with a box. Every search is a new one, of 1–8 characters that stand in the text, some over columns and leaves.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from archive.assembly import Archive, make_home, open_archive
from archive.catalogue.items import put_item
from archive.model.folios import Folio, Side
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion
from archive.model.rights import Audience, Rights
from archive.search.documents import documents_of
from archive.settings import load_settings
from archive.web import create_app

SAMPLE = Path(__file__).parent.parent / "tests" / "data" / "sample"
SEED = 20261123
COLUMNS, WIDTH, HEIGHT = 16, 2400, 3400
SEARCHES, MANIFESTS = 300, 30


def columns() -> list[str]:
    """Columns of the sample's longest text, as typed."""
    folder = max((path.parent for path in SAMPLE.rglob("*.txt")), key=lambda place: len(list(place.glob("*.txt"))))
    texts = (path.read_text("utf-8", "replace") for path in sorted(folder.glob("*.txt")))
    return [line.strip() for text in texts for line in text.splitlines() if len(line.strip()) > 3]


def book(name: str, leaves: int, chosen: random.Random, given: list[str]) -> Item:
    """A book of single sides, each column with its box."""
    pages, files = [], []
    for n in range(1, leaves + 1):
        lines = []
        for at in range(COLUMNS):
            text = chosen.choice(given)
            lines.append(TextLine(text, (WIDTH - 140 * (at + 1), 200, 120, 3000)))
        folio = Folio(str((n - 1) // 60 + 1), None, str((n + 1) // 2), Side.RECTO if n % 2 else Side.VERSO, verified=True)
        pages.append(
            Page(f"p{n}", n, FileRef(f"f{n}"), folio, texts=(TextVersion(TextSource.DONOR, tuple(lines)),), section=f"門{n // 20}")
        )
        digest = f"{abs(hash((name, n))):0128x}"[-128:]
        files.append(MediaFile(f"f{n}", f"{n}.png", f"{n}.png", 9, digest, "image/png", MediaKind.IMAGE, width=WIDTH, height=HEIGHT))
    return Item(name, "2026-001", "gazetteer", "", "金州志", files=tuple(files), pages=tuple(pages), rights=Rights(Audience.PUBLIC))


def queries(of: Item, chosen: random.Random) -> Iterator[str]:
    """Strings of 1–8 characters of the book, a fifth of them over the end of a leaf."""
    texts = [page.text.text.replace("\n", "") for page in of.pages if page.text]
    while True:
        n, length = chosen.randrange(len(texts) - 1), chosen.randint(1, 8)
        whole = texts[n] + texts[n + 1]
        begin = len(texts[n]) - length // 2 if chosen.random() < 0.2 else chosen.randrange(len(texts[n]))
        found = whole[begin : begin + length]
        if found.isalpha():
            yield found


def cost(call: Callable[[], Any]) -> float:
    """CPU milliseconds of a call."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1000


def said(name: str, times: list[float]) -> None:
    """One line of the table."""
    times.sort()
    print(f"{name}: median {statistics.median(times):.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms, most {times[-1]:.1f} ms")


def main() -> None:
    """Build, ask, print."""
    leaves = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    chosen, given = random.Random(SEED), columns()
    with tempfile.TemporaryDirectory() as folder:
        make_home(Path(folder) / "home")
        archive: Archive = open_archive(load_settings(Path(folder) / "home"))
        books = [book("thin", 500, chosen, given), book("thick", leaves, chosen, given)]
        with archive.catalogue.write() as connection:
            for one in books:
                put_item(connection, one, version=1, batch="1", at="2026-11-22T00:00:00Z", day=date.today())
        archive.index.rebuild((one.id, documents_of(one, archive.definitions, date.today())) for one in books)
        client = create_app(archive).test_client()

        def get(path: str) -> int:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            return len(answer.data)

        size = get("/iiif/3/thin/manifest")
        # A question mark goes past what is kept, so that each is made anew.
        said(
            f"manifest of 500 leaves, {size / 1000:.0f} kB, made anew",
            [cost(lambda: get("/iiif/3/thin/manifest?n=1")) for _n in range(MANIFESTS)],
        )
        said("the same, kept", [cost(lambda: get("/iiif/3/thin/manifest")) for _n in range(MANIFESTS)])
        for version in ("2", "1"):
            asked = queries(books[1], chosen)
            get(f"/iiif/search/{version}/thick?q={quote('縣')}")
            times = [cost(lambda: get(f"/iiif/search/{version}/thick?q={quote(next(asked))}")) for _n in range(SEARCHES)]  # noqa: B023
            said(f"search {version}.0 in {leaves} leaves", times)
        asked = queries(books[1], chosen)
        said("completion", [cost(lambda: get(f"/iiif/autocomplete/2/thick?q={quote(next(asked)[:2])}")) for _n in range(SEARCHES // 3)])
        archive.close()


if __name__ == "__main__":
    main()
