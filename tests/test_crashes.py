"""`kill -9` of everything an ingest started, at forty random moments; and of a decision between its journal entry and its carrying out."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from likeness import answers, counts, invalid_objects, leavings, likeness, make_donation

from archive.assembly import make_home

KILLS = 40
IN_A_ROW = 5
"""So many kills one archive has to stand before the last run."""
SEED = 20261122


@pytest.fixture(scope="module")
def donation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_donation(tmp_path_factory.mktemp("given") / "捐赠")


@pytest.fixture(scope="module")
def undisturbed(donation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """An archive that nobody disturbed, and the seconds its ingest took."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    make_home(home)
    begin = time.monotonic()
    assert _start(home, donation).wait() in (0, 1)
    return home, time.monotonic() - begin


def _command(home: Path, *words: str | Path) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "archive", "--home", str(home), "--lang", "zh", *map(str, words)]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONDONTWRITEBYTECODE": "1"}


def _start(home: Path, donation: Path) -> subprocess.Popen[bytes]:
    words = _command(home, "ingest", "run", donation, "--json", "--jobs", "2")
    with (home.parent / "said").open("ab") as said:
        return subprocess.Popen(words, env=_environment(), start_new_session=True, stdout=subprocess.DEVNULL, stderr=said)


def _killed(home: Path, donation: Path, after: float) -> bool:
    """Kill the whole process group of an ingest so many seconds after its start; False when it had ended by itself."""
    process = _start(home, donation)
    try:
        process.wait(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def _same_as(home: Path, other: Path) -> None:
    ours, theirs = likeness(home), likeness(other)
    for part, value in theirs.items():
        assert ours[part] == value, part
    assert counts(home) == counts(other)
    assert invalid_objects(home) == []
    assert leavings(home) == []
    assert "Traceback" not in (home.parent / "said").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("row", range(KILLS // IN_A_ROW))
def test_an_ingest_killed_at_any_moments_ends_as_one_that_was_not(
    row: int, donation: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    whole, seconds = undisturbed
    random_ = random.Random(SEED + row)
    kills = archives = 0
    while kills < IN_A_ROW:
        place = tmp_path / str(archives)
        place.mkdir()
        archives += 1
        make_home(home := place / "home")
        # The first kill of an archive lies anywhere in an ingest; later ones mostly in what is left of it.
        while kills < IN_A_ROW and _killed(home, donation, random_.uniform(0.02, 1.0) * seconds):
            kills += 1
        assert _start(home, donation).wait() in (0, 1)
        _same_as(home, whole)


# --- a decision is in the journal first -------------------------------------------------------------------------------------------------

_DIES = """
import os, sys
from pathlib import Path
from archive.assembly import open_archive
from archive.catalogue import notes
from archive.model.rights import Audience
from archive.services import publishing
from archive.settings import load_settings
from archive.storage.ocfl import OcflStore

archive = open_archive(load_settings(Path(sys.argv[1])))
archive.publishing.settle()
die = lambda *given, **named: os._exit(9)
if sys.argv[3] == "before the object":
    publishing.Publishing._carry_out = publishing.Publishing._take_back = die
elif sys.argv[3] == "before the catalogue":
    publishing.Publishing._register = publishing.item_rows.remove_item = die
elif sys.argv[3] == "before the note":
    notes.put = die
service = archive.publishing
if sys.argv[2] == "publish":
    service.publish(["small-leaves"], Audience.READING_ROOM, by="王")
elif sys.argv[2] == "withdraw":
    service.withdraw(["small-leaves"], "有误", by="王")
else:
    service.undo("2026-002.1", by="王")
os._exit(0)
"""


def _decide_and_die(home: Path, decision: str, moment: str) -> int:
    words = [sys.executable, "-W", "ignore", "-c", _DIES, str(home), decision, moment]
    return subprocess.run(words, env=_environment(), check=False).returncode


@pytest.fixture
def taken_in(undisturbed: tuple[Path, float], tmp_path: Path, fangzhi: Any) -> Any:
    """The command over a copy of the undisturbed archive."""
    shutil.rmtree(fangzhi.home)
    shutil.copytree(undisturbed[0], fangzhi.home)
    return fangzhi


@pytest.mark.parametrize("moment", ["before the object", "before the catalogue", "before the note"])
@pytest.mark.parametrize("decision", ["publish", "withdraw", "undo"])
def test_a_decision_cut_off_after_its_journal_entry_is_carried_out_by_the_next_command(decision: str, moment: str, taken_in: Any) -> None:
    twin = taken_in.home.parent / "twin"
    shutil.copytree(taken_in.home, twin)
    assert _decide_and_die(twin, decision, "never") == 0
    assert _decide_and_die(taken_in.home, decision, moment) == 9

    taken_in("publish", "2026-002.9", "--audience", "staff", ok=(1,))  # any command that writes: this one finds nothing to do

    _alike_but_for_the_index(taken_in, twin)


@pytest.mark.parametrize("decision", ["publish", "withdraw", "undo"])
def test_a_decision_cut_off_after_its_journal_entry_is_carried_out_by_a_rebuild(decision: str, taken_in: Any) -> None:
    twin = taken_in.home.parent / "twin"
    shutil.copytree(taken_in.home, twin)
    assert _decide_and_die(twin, decision, "never") == 0
    assert _decide_and_die(taken_in.home, decision, "before the object") == 9
    for path in taken_in.home.glob("catalogue.sqlite*"):
        path.unlink()

    assert "fangzhi rebuild" in taken_in("search", "四庫", ok=(3,)).err
    taken_in("rebuild", "catalogue", "index")

    _alike_but_for_the_index(taken_in, twin)


def _alike_but_for_the_index(command: Any, twin: Path) -> None:
    command("rebuild", "index")
    type(command)(twin)("rebuild", "index")
    ours, theirs = likeness(command.home), likeness(twin)
    for part, value in theirs.items():
        assert ours[part] == value, part
    assert answers(command.home) == answers(twin)
    assert invalid_objects(command.home) == []
