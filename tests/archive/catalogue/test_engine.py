"""Opening, transactions, migrations, and being killed in the middle of a write."""

from __future__ import annotations

import ast
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from archive.catalogue.engine import Catalogue, Prepared, _pragma, discard, doctor, open_catalogue
from archive.catalogue.migrations import script
from archive.catalogue.schema import HEAD, metadata
from archive.errors import Busy, DiskFull, SettingsError, StorageError


def test_the_migrations_make_exactly_the_schema(catalogue: Catalogue) -> None:
    assert script().get_current_head() == HEAD
    with catalogue.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        tables = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
    ours = {name: sql for name, sql in tables if name in metadata.tables}
    assert set(ours) == set(metadata.tables)
    assert all("STRICT" in sql for sql in ours.values())
    assert {name for name, sql in ours.items() if "WITHOUT ROWID" in sql} == {"page", "shown", "tally"}


def test_pragmas_are_those_that_keep_a_deposit(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with catalogue.write(durable=False) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 1


def test_a_missing_catalogue_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    with pytest.raises(SettingsError, match="fangzhi rebuild catalogue"):
        open_catalogue(path, create=False)
    assert not path.exists()
    open_catalogue(path, create=True).close()
    open_catalogue(path, create=False).close()


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE item (x)")
    connection.close()


def _newer(path: Path) -> None:
    open_catalogue(path, create=True).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


@pytest.mark.parametrize(
    "make",
    [lambda path: path.write_bytes(b"not a database, but long enough to be one" * 40), _foreign, _newer],
    ids=["noise", "foreign", "newer"],
)
def test_what_is_no_catalogue_of_ours_names_the_remedy_and_is_left_alone(tmp_path: Path, make: object) -> None:
    path = tmp_path / "catalogue.sqlite"
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="fangzhi rebuild catalogue"):
        open_catalogue(path, create=True)
    assert path.read_bytes() == before
    discard(path)
    open_catalogue(path, create=True).close()


def test_four_processes_may_make_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    program = "import sys; from pathlib import Path; from archive.catalogue.engine import open_catalogue; open_catalogue(Path(sys.argv[1]), create=True)"
    running = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(4)]
    assert [process.wait() for process in running] == [0, 0, 0, 0]
    catalogue = open_catalogue(path, create=False)
    assert doctor(catalogue)["items"] == 0
    catalogue.close()


def test_an_empty_file_left_by_a_crash_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.touch()
    with pytest.raises(SettingsError):
        open_catalogue(path, create=False)
    open_catalogue(path, create=True).close()


def test_a_block_that_raises_leaves_nothing(catalogue: Catalogue) -> None:
    with pytest.raises(KeyError), catalogue.write() as connection:
        connection.execute(text("INSERT INTO reserved VALUES ('a', 'b')"))
        raise KeyError
    with catalogue.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM reserved")).scalar_one() == 0


def test_a_reader_cannot_write_and_sees_one_state(catalogue: Catalogue) -> None:
    with pytest.raises((SettingsError, StorageError, DBAPIError)), catalogue.read() as connection:
        connection.execute(text("INSERT INTO reserved VALUES ('a', 'b')"))
    with catalogue.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM reserved")).scalar_one() == 0
        with catalogue.write() as connection:
            connection.execute(text("INSERT INTO reserved VALUES ('a', 'b')"))
        assert reader.execute(text("SELECT count(*) FROM reserved")).scalar_one() == 0
    with catalogue.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM reserved")).scalar_one() == 1


def test_a_second_writer_that_waits_too_long_is_told_so(catalogue: Catalogue) -> None:
    other = sqlite3.connect(catalogue.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with catalogue._writers.connect() as connection:
            _pragma(connection, "busy_timeout=50")
        with pytest.raises(Busy), catalogue.write():
            pass
    finally:
        other.close()


def test_a_prepared_statement_gives_plain_rows_and_its_failure_is_ours(catalogue: Catalogue) -> None:
    given = func.json_each(bindparam("numbers")).table_valued("value")
    odd = Prepared(select(given.c.value, given.c.value * 10).where(given.c.value % 2 == bindparam("rest")).order_by(given.c.value))
    with catalogue.read() as connection:
        assert odd.rows(connection, numbers="[3, 2, 1]", rest=1) == [(1, 10), (3, 30)]
        assert odd.rows(connection, numbers="[3, 2, 1]", rest=0) == [(2, 20)]
    with pytest.raises(SettingsError), catalogue.read() as connection:
        odd.rows(connection, numbers="[", rest=1)


def test_a_full_disk_is_said_and_nothing_is_written(catalogue: Catalogue) -> None:
    with catalogue._writers.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.commit()
        _pragma(connection, f"max_page_count={pages}")
    with pytest.raises(DiskFull), catalogue.write() as connection:
        connection.execute(text("INSERT INTO reserved VALUES ('a', :why)"), {"why": "x" * 500_000})
    with catalogue.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM reserved")).scalar_one() == 0


def test_a_forked_child_uses_connections_of_its_own(catalogue: Catalogue) -> None:
    with catalogue.read() as connection:
        connection.execute(text("SELECT 1"))
    child = os.fork()
    if child == 0:
        with catalogue.write() as connection:
            connection.execute(text("INSERT INTO reserved VALUES ('child', '')"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with catalogue.read() as connection:
        assert connection.execute(text("SELECT id FROM reserved")).scalars().all() == ["child"]


def test_doctor_counts_and_finds_damage(catalogue: Catalogue) -> None:
    assert doctor(catalogue)["items"] == 0
    assert "fault" not in doctor(catalogue)


_WRITER = """
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from archive.catalogue import items
from archive.catalogue.engine import open_catalogue
from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion
from archive.model.rights import Audience, Rights

catalogue = open_catalogue(Path(sys.argv[1]), create=True)
text = TextVersion(TextSource.DONOR, (TextLine("山川" * 50),))
files = tuple(MediaFile(f"f{n}", f"originals/{n}", f"{n}", 1, f"{n:0128d}", "image/png", MediaKind.IMAGE) for n in range(40))
pages = tuple(Page(f"p{n}", n + 1, FileRef(f"f{n}"), texts=(text,)) for n in range(40))
for n in range(int(sys.argv[2]), 10**9):
    item = Item(f"item-{n % 7}", "2026-001", "general", "", f"v{n}", files=files, pages=pages[: 20 + n % 20], rights=Rights(Audience.PUBLIC))
    with catalogue.write() as connection:
        items.put_item(connection, item, version=n + 1, batch="b", at="2026-01-01T00:00:00Z", day=date(2026, 1, 1))
    print(item.id, n + 1, flush=True)
"""


@pytest.mark.slow
def test_killed_25_times_every_acknowledged_item_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    open_catalogue(path, create=True).close()
    catalogue = open_catalogue(path, create=False)
    for run in range(25):
        acknowledged = _run_and_kill(path, start=run * 1000, after=3 + run % 5, delay=(run * 7 % 11) / 1000)
        with catalogue.read() as connection:
            versions = {row.id: row for row in connection.execute(text("SELECT id, version, n_pages FROM item"))}
            pages = dict(connection.execute(text("SELECT item, count(*) FROM page GROUP BY item")).all())
            texts = dict(connection.execute(text("SELECT item, count(*) FROM page_text GROUP BY item")).all())
            sums = connection.execute(text("SELECT sum(items), sum(pages) FROM tally WHERE reader = 0")).one()
        assert all(versions[item].version >= version for item, version in acknowledged.items())
        assert {item: row.n_pages for item, row in versions.items()} == pages == texts
        assert sums == (len(versions), sum(pages.values()))
    assert "fault" not in doctor(catalogue)
    catalogue.close()


def _run_and_kill(path: Path, *, start: int, after: int, delay: float) -> dict[str, int]:
    """Run a writer, kill it `delay` seconds after it acknowledged `after` items, and give the newest version acknowledged of each."""
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(start)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    pairs = [line.split() for line in lines if line.endswith("\n")]
    return {item: int(version) for item, version in pairs}


def test_every_message_has_its_english() -> None:
    catalogue = Path("archive/locale/en/catalogue.po").read_text("utf-8")
    sources = [*Path("archive/catalogue").glob("*.py"), Path("archive/services/reading.py")]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    messages = {call.args[0].value for call in calls if getattr(call.func, "id", "") == "_" and isinstance(call.args[0], ast.Constant)}
    assert messages and [message for message in messages if f'msgid "{message}"' not in catalogue] == []
