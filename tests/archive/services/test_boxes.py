"""Boxes handed out with a page: placed from what was found on the image or from another reading, never for a reader who may not see the image."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from seen_items import DAY, DEFINITIONS, PUBLIC, book

from archive.catalogue import items as rows
from archive.catalogue.engine import Catalogue, open_catalogue
from archive.derivatives import page_lines, registry
from archive.derivatives.alignment import FoundLine
from archive.derivatives.base import Made
from archive.derivatives.store import DerivativeStore
from archive.model.item import FileRef, Item, Page, TextLine, TextSource, TextVersion
from archive.model.placing import regions
from archive.model.rights import Audience
from archive.services import deriving
from archive.services.boxes import with_boxes
from archive.services.idle import Idle
from archive.services.reading import Reading
from archive.settings import Settings

SMALL = Path(__file__).parents[2] / "data" / "small"
TEXT = ("第此次各省", "種者如浙江")


def found(number: int, text: str) -> FoundLine:
    x = 300 - 100 * number
    return FoundLine((x, 50, 80, 300), text, 0.9, tuple((x, 50 + 60 * row, 80, 60) for row in range(len(text))))


class House:
    def __init__(self, folder: Path) -> None:
        self.catalogue: Catalogue = open_catalogue(folder / "catalogue.sqlite", create=True)
        self.derivatives = DerivativeStore(folder / "derivatives")
        self.reading = Reading(self.catalogue, None, DEFINITIONS, lambda: DAY, self.derivatives)  # type: ignore[arg-type]

    def put(self, *texts: TextVersion, region: tuple[int, int, int, int] | None = None) -> Item:
        item = book(1, "book-1")
        page = replace(item.pages[0], image=FileRef(item.files[0].id, region=region), texts=texts)
        item = replace(item, pages=(page,))
        with self.catalogue.write() as connection:
            rows.put_item(connection, item, version=1, batch="2026-001.1", at="2026-11-22T08:00:00Z", day=DAY)
        return item

    def know(self, item: Item, *lines: FoundLine) -> None:
        facts = {"lines": [page_lines._record(line) for line in lines]}
        self.derivatives.put(item.files[0].sha512, None, page_lines.RECIPE, Made({}, facts))

    def lines(self, reader: Audience = PUBLIC) -> tuple[TextLine, ...]:
        text = self.reading.page(reader, "book-1", "p1").text
        assert text is not None
        return text.lines


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    given = House(tmp_path)
    yield given
    given.catalogue.close()


def donor(*lines: str) -> TextVersion:
    return TextVersion(TextSource.DONOR, tuple(TextLine(line) for line in lines))


def test_a_donors_text_has_boxes_when_the_page_is_opened(house: House) -> None:
    item = house.put(donor(*TEXT))
    assert [line.box for line in house.lines()] == [None, None]
    house.know(item, found(0, TEXT[0]), found(1, TEXT[1]))
    lines = house.lines()
    assert [line.box for line in lines] == [(300, 50, 80, 300), (200, 50, 80, 300)] and [line.text for line in lines] == list(TEXT)
    assert lines[0].confidence == 1.0
    assert regions(lines, 3, 8, notes=True) == ((300, 230, 80, 120), (200, 50, 80, 120))


def test_a_correction_keeps_the_boxes_of_the_other_lines(house: House) -> None:
    item = house.put(donor(*TEXT))
    house.know(item, found(0, TEXT[0]), found(1, TEXT[1]))
    before = house.lines()
    house.put(donor(*TEXT), TextVersion(TextSource.CORRECTED, (TextLine(TEXT[0]), TextLine("種者如漸江府"))))
    after = house.lines()
    assert after[0] == before[0] and after[1].text == "種者如漸江府" and after[1].box is not None


def test_boxes_of_another_reading_place_the_donors_text(house: House) -> None:
    read = TextVersion(TextSource.OCR, (TextLine("第此次吝省", (300, 50, 80, 300), 0.8), TextLine(TEXT[1], (200, 50, 80, 300), 0.8)))
    house.put(donor(*TEXT), read)
    assert [line.box for line in house.lines()] == [(300, 50, 80, 300), (200, 50, 80, 300)]


def test_boxes_that_came_with_the_text_stay(house: House) -> None:
    given = TextVersion(TextSource.DONOR, (TextLine(TEXT[0], (1, 2, 30, 400)), TextLine(TEXT[1])))
    item = house.put(given)
    house.know(item, found(0, TEXT[0]), found(1, TEXT[1]))
    assert [line.box for line in house.lines()] == [(1, 2, 30, 400), (200, 50, 80, 300)]


def test_a_region_of_a_scan_has_boxes_in_its_own_pixels(house: House) -> None:
    item = house.put(donor(TEXT[1]), region=(180, 40, 110, 400))
    house.know(item, found(0, TEXT[0]), found(1, TEXT[1]))
    assert house.lines()[0].box == (20, 10, 80, 300)


def test_without_the_image_there_are_no_boxes(house: House) -> None:
    item = house.put(donor(*TEXT))
    house.know(item, found(0, TEXT[0]), found(1, TEXT[1]))
    page, sha512 = item.pages[0], item.files[0].sha512
    assert with_boxes(page, page.texts[0], sha512, house.derivatives, notes=True).lines[0].box is not None
    assert with_boxes(replace(page, image=None), page.texts[0], sha512, house.derivatives, notes=True) == page.texts[0]


def test_text_of_another_page_stays_without_boxes(house: House) -> None:
    item = house.put(donor("全書嘉與海", "著四庫全書"))
    house.know(item, found(0, TEXT[0]), found(1, TEXT[1]))
    assert [line.box for line in house.lines()] == [None, None]


class Originals:
    def local_path(self, item: str, path: str) -> Path:
        return Path("/nowhere") / item / path


def jobs(item: Item, derivatives: DerivativeStore, *, again: bool = False) -> list[str]:
    given = deriving.line_jobs(item, Originals(), derivatives, Settings(home=Path("/nowhere")), again=again)  # type: ignore[arg-type]
    return [job.page for job in given]


def test_lines_are_looked_for_once_and_only_where_text_lacks_boxes(house: House) -> None:
    item = house.put(donor(*TEXT))
    boxed = TextVersion(TextSource.OCR, (TextLine(TEXT[0], (1, 2, 3, 4)),))
    assert jobs(item, house.derivatives) == ["p1"]
    assert jobs(replace(item, pages=(replace(item.pages[0], texts=()),)), house.derivatives) == []
    assert jobs(replace(item, pages=(replace(item.pages[0], texts=(boxed,)),)), house.derivatives) == []
    assert jobs(replace(item, pages=(Page("p9", 9, texts=item.pages[0].texts),)), house.derivatives) == []
    assert jobs(replace(item, files=(replace(item.files[0], personal=True),)), house.derivatives) == []
    twice = (item.pages[0], replace(item.pages[0], id="p2", position=2))
    assert jobs(replace(item, pages=twice), house.derivatives) == ["p1"]
    house.know(item, found(0, TEXT[0]))
    assert jobs(item, house.derivatives) == []


def test_an_image_that_failed_is_tried_again_only_when_asked(house: House) -> None:
    item = house.put(donor(*TEXT))
    original = registry.original(item.files[0], Path("/nowhere"))
    registry.mark_lines_faulty(original, None, house.derivatives.root, "timeout")
    assert jobs(item, house.derivatives) == [] and jobs(item, house.derivatives, again=True) == ["p1"]
    assert [line.box for line in house.lines()] == [None, None]


def test_the_worker_waits_until_it_was_quiet_and_stops_when_all_is_done() -> None:
    idle = Idle(3600)
    assert not idle.long_enough()
    idle = Idle(-1)
    assert idle.long_enough()
    idle.done(False)
    assert idle.long_enough()
    idle.done(True)
    assert not idle.long_enough()
    idle.disturbed()
    assert idle.long_enough()


def test_a_rebuild_finds_lines_where_the_settings_let_it(fangzhi: Any, tmp_path: Path) -> None:
    shutil.copytree(SMALL / "聖諭目錄_三面", tmp_path / "書" / "聖諭目錄")
    for page in sorted((tmp_path / "書" / "聖諭目錄").iterdir())[2:]:
        page.unlink()  # one page is enough
    fangzhi("ingest", "run", tmp_path / "書")

    def boxes_after_a_rebuild() -> list[bool]:
        fangzhi("rebuild", "derivatives")
        with closing(fangzhi.archive()) as archive:
            (item,) = archive.reading.items(Audience.STAFF).items
            (page,) = archive.reading.whole(Audience.STAFF, item.id).pages
            text = archive.reading.page(Audience.STAFF, item.id, page.id).text
            return [line.box is not None for line in text.lines if line.text.strip()]

    assert not any(boxes_after_a_rebuild())  # the homes of tests say find_lines = false
    settings = fangzhi.home / "settings.toml"
    settings.write_text(settings.read_text("utf-8").replace("find_lines = false", "find_lines = true"), "utf-8")
    assert all(boxes_after_a_rebuild())
