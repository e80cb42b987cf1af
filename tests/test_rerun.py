"""A donation run again: the same answer when nothing changed, gone through again when anything did."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.model.rights import Audience
from archive.settings import load_settings
from ingest import pipeline, remembered

SMALL = Path(__file__).parent / "data" / "small"

QUICK = pytest.mark.parametrize("words", [(), ("--quick",)], ids=["read", "quick"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, command: Any) -> tuple[Path, Any]:
    """A home with the small donation in it beside that donation, and what the first run said."""
    base = tmp_path_factory.mktemp("rerun")
    shutil.copytree(SMALL, base / "donation")
    fangzhi = command(base / "home")
    fangzhi("init")
    return base, fangzhi("ingest", "run", base / "donation", "--json").json


class Place:
    """A home and a donation of the test's own, at the place where they were made: what is remembered goes by the path."""

    def __init__(self, base: Path, first: Any, command: Any) -> None:
        self.home, self.donation, self.first = base / "home", base / "donation", first
        self.fangzhi = command(self.home)

    def run(self, *words: str) -> Any:
        return self.fangzhi("ingest", "run", self.donation, "--json", *words).json

    def batches(self) -> int:
        return len(self.fangzhi("ingest", "status", "--json").json)

    def answers(self) -> list[Path]:
        return list((self.home / "run" / "answers").glob("*.json"))


@pytest.fixture
def place(made: tuple[Path, Any], command: Any, tmp_path: Path) -> Iterator[Place]:
    base, first = made
    shutil.copytree(base, tmp_path / "kept", symlinks=True)  # keeps the times of files and folders
    yield Place(base, first, command)
    shutil.rmtree(base)
    (tmp_path / "kept").rename(base)


def same(one: Any, other: Any) -> bool:
    return all(one[key] == other[key] for key in ("files", "findings")) and sum(one["items"].values()) == sum(other["items"].values())


@QUICK
def test_unchanged_donation_gets_the_same_answer_and_no_new_batch(place: Place, words: tuple[str, ...]) -> None:
    batches = place.batches()
    again = place.run(*words)
    assert same(again, place.first)
    assert again["items"]["ingested"] == 0
    assert again["items"]["unchanged"] == place.first["items"]["ingested"] > 0
    assert place.batches() == batches


def test_remembered_answer_is_what_going_through_it_says(place: Place) -> None:
    remembered = place.run()
    for path in place.answers():
        path.unlink()
    gone_through = place.run()
    assert {**remembered, "batch": "", "seconds": 0} == {**gone_through, "batch": "", "seconds": 0}


def test_terminal_shows_the_same_report(place: Place) -> None:
    batches = place.batches()
    gone_through, remembered = (place.fangzhi("ingest", "run", place.donation).out.splitlines() for _ in range(2))
    assert place.batches() == batches
    assert len(remembered) == len(gone_through) > 3
    assert [line for line in remembered[1:] if "用时" not in line] == [line for line in gone_through[1:] if "用时" not in line]


def change_a_byte(place: Place) -> None:
    """Other bytes, same size and time: `--quick` is told to trust those."""
    path = place.donation / "测试音.lrc"
    data = path.read_bytes()
    info = path.stat()
    path.write_bytes(data[:-3] + data[-3:].swapcase() if data[-3:].swapcase() != data[-3:] else data[:-1] + b" ")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def touch(place: Place) -> None:
    path = place.donation / "测试音.lrc"
    path.write_text(path.read_text("utf-8").replace("]", "] ", 1), "utf-8")


def add_a_file(place: Place) -> None:
    (place.donation / "新来的.txt").write_text("后来放进来的", "utf-8")


def take_a_file_away(place: Place) -> None:
    (place.donation / "测试音.lrc").unlink()


def change_a_definition(place: Place) -> None:
    (place.home / "definitions" / "holdings").mkdir(exist_ok=True)
    (place.home / "definitions" / "holdings" / "new.toml").write_text('label = "新"\nlabel_en = "New"\norder = 99\n', "utf-8")


def change_a_setting(place: Place) -> None:
    with (place.home / "settings.toml").open("a", encoding="utf-8") as stream:
        stream.write("\nchild_seconds = 99\n")


def undo(place: Place) -> None:
    place.fangzhi("ingest", "undo", place.first["batch"])


def publish(place: Place) -> None:
    place.fangzhi("publish", place.first["batch"], "--audience", "signed_in")


def lose_a_derivative(place: Place) -> None:
    next((place.home / "derivatives").glob("??/*")).rename(place.home / "lost")


def lose_a_part_of_a_derivative(place: Place) -> None:
    next(path for path in sorted((place.home / "derivatives").glob("??/*/*/*/*")) if path.suffix != ".json").unlink()


def lose_the_catalogue(place: Place) -> None:
    for path in place.home.glob("catalogue.sqlite*"):
        path.unlink()


def lose_an_object(place: Place) -> None:
    shutil.rmtree(next((place.home / "originals").glob("???/???/???/*")))


CHANGES = [
    change_a_byte,
    touch,
    add_a_file,
    take_a_file_away,
    change_a_definition,
    change_a_setting,
    undo,
    publish,
    lose_a_derivative,
    lose_a_part_of_a_derivative,
    lose_the_catalogue,
    lose_an_object,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_nothing_that_changed_is_passed_over(place: Place, change: Callable[[Place], None]) -> None:
    def recalled(*, quick: bool) -> bool:
        settings = load_settings(place.home)
        return remembered.recall(place.donation, settings, quick=quick, jobs=1, shown=False, progress=lambda *_told: None) is not None

    assert recalled(quick=True)
    assert recalled(quick=False)
    change(place)
    assert recalled(quick=True) == (change is change_a_byte)
    assert not recalled(quick=False)


def test_lost_derivative_is_made_again(place: Place) -> None:
    before = sorted(path.relative_to(place.home) for path in (place.home / "derivatives").rglob("*") if path.is_file())
    lose_a_derivative(place)
    place.run("--quick")
    assert sorted(path.relative_to(place.home) for path in (place.home / "derivatives").rglob("*") if path.is_file()) == before


def test_undone_batch_comes_back(place: Place) -> None:
    undo(place)
    place.run("--quick")
    with closing(place.fangzhi.archive()) as archive:
        held = [item for item in archive.store.items() if not item.startswith("papers:")]
        found = [archive.reading.item(Audience.STAFF, item).item.id for item in held]
    assert len(found) == place.first["items"]["ingested"]


def test_answer_that_may_pass_is_not_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    add_a_file(place)
    monkeypatch.setattr(remembered, "PASSING", {"to-describe"})
    with closing(place.fangzhi.archive()) as archive, pipeline.workspace_in(archive.settings) as workspace:
        outcome, _files = pipeline.run(place.donation, archive, pipeline.Options(jobs=1), Path(workspace))
    assert "to-describe" in {finding.code for finding in outcome.findings}
    assert not place.answers()


def test_torn_record_is_no_answer(place: Place) -> None:
    for path in place.answers():
        path.write_text(json.dumps({"format": 1}), "utf-8")
    assert same(place.run("--quick"), place.first)
