"""Opening the catalogue and its transactions: one SQLite file in WAL mode, many readers, one writer at a time.

SQLAlchemy is slow to import; callers import this module inside the function that needs it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, create_engine, event, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from archive.catalogue.schema import APPLICATION_ID, HEAD, KEPT_OVER_REBUILD, metadata
from archive.errors import ArchiveError, Busy, DiskFull, SettingsError, StorageError
from archive.language import _

# Measured in findings of 2026: these leave 6 readers and 1 writer without an error for 8 s. FULL, because a commit may acknowledge a deposit.
_PRAGMAS = (
    "busy_timeout=10000",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-32768",
    "mmap_size=268435456",
    "trusted_schema=OFF",
)


class Catalogue:
    """The catalogue at `path`. Safe to share between threads, and after a fork. Made by `open_catalogue`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = _engine(path, "query_only=ON")
        self._writers = _engine(path, "journal_mode=WAL")
        self._process = os.getpid()
        self._watch: Any = None
        self._watch_lock = threading.Lock()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the catalogue throughout the block and cannot change it."""
        self._after_fork()
        with _translated(self.path), self._readers.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A connection whose changes stand together when the block ends, or not at all when it raises.

        `durable`: a commit survives the loss of power (leave it so for anything that is acknowledged to a person); else only a crash of
        this process. Waits up to ten seconds for another writer, then raises Busy. Do not nest in one thread.
        """
        self._after_fork()
        with _translated(self.path), self._writers.connect() as connection:
            _pragma(connection, f"synchronous={'FULL' if durable else 'NORMAL'}")
            with connection.execution_options(begin="IMMEDIATE").begin():
                yield connection

    def state(self) -> int:
        """A number that changes with every commit to the catalogue, by whomever; for comparing within one process."""
        self._after_fork()
        with self._watch_lock, _translated(self.path):
            if self._watch is None:
                self._watch = self._readers.raw_connection()
            # Asked on one connection that writes nothing: SQLite counts the commits of all others.
            return int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._readers.dispose()
        self._writers.dispose()

    def _after_fork(self) -> None:
        if os.getpid() != self._process:
            # SQLite's locks do not pass to a child; the parent's connections are dropped, not closed.
            self._readers.dispose(close=False)
            self._writers.dispose(close=False)
            self._watch = None
            self._process = os.getpid()


class Prepared:
    """A statement put into SQL once and asked of SQLite itself, its rows plain tuples in the order of its columns.

    For what every page of a search asks: SQLAlchemy's own part of a statement takes three times as long as SQLite's (0.3 and 0.1 ms for
    twenty pages by key). Only for columns that need no conversion.
    """

    def __init__(self, statement: Select[Any]) -> None:
        written = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        self._sql, self._fixed = str(written), dict(written.params)

    def rows(self, connection: Connection, **values: object) -> list[tuple[Any, ...]]:
        """All rows, with the statement's named parameters as `values`."""
        raw = connection.connection.dbapi_connection
        assert raw is not None
        found: list[tuple[Any, ...]] = raw.cursor().execute(self._sql, self._fixed | values).fetchall()
        return found


def open_catalogue(path: Path, *, create: bool) -> Catalogue:
    """The catalogue at `path`, moved forward to this program's schema; made when it is missing and `create` is true.

    Raises SettingsError when it is missing, no catalogue, or made by a newer program: `fangzhi rebuild catalogue` makes it again.
    """
    if not path.exists() and not create:
        raise SettingsError(_("%(path)s：没有目录库。请运行 fangzhi rebuild catalogue，由原件重建。", path=path))
    catalogue = Catalogue(path)
    try:
        with catalogue.read() as connection:
            standing = _standing(connection, path)
        if standing != HEAD:
            _migrate(catalogue, create=create)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def discard(path: Path) -> None:
    """Delete the catalogue's files, so that a new one can be made; for one that cannot be opened. No process may have it open."""
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)


def clear(connection: Connection) -> None:
    """Empty every table but what was learnt about bytes; for a rebuild inside one transaction, unseen by readers until it commits."""
    for table in reversed(metadata.sorted_tables):
        if table not in KEPT_OVER_REBUILD:
            connection.execute(table.delete())


def scrub(catalogue: Catalogue) -> None:
    """Leave nothing in the file but what the tables say: what was learnt about bytes is forgotten, freed pages and the log go. After an erasure."""
    with catalogue.write() as connection:
        for table in KEPT_OVER_REBUILD:
            connection.execute(table.delete())
    with _translated(catalogue.path), catalogue._writers.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            raw.cursor().execute(statement).fetchall()


def doctor(catalogue: Catalogue) -> dict[str, object]:
    """State for `fangzhi doctor`: items, rows waiting for the index, size in bytes; `fault` a sentence when the file is not well."""
    with catalogue.read() as connection:
        fault = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        return {
            "items": connection.execute(text("SELECT count(*) FROM item")).scalar_one(),
            "waiting": connection.execute(text("SELECT count(*) FROM outbox")).scalar_one(),
            "bytes": catalogue.path.stat().st_size,
            "schema": HEAD,
        } | ({} if fault == "ok" else {"fault": _damaged(catalogue.path)})


def _engine(path: Path, *more: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10}, pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # else the driver begins transactions where it likes, and never IMMEDIATE
        for pragma in (*_PRAGMAS, *more):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.cursor().execute(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")

    return engine


def _pragma(connection: Connection, pragma: str) -> None:
    """Set what SQLite takes outside a transaction only; SQLAlchemy would begin one."""
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.cursor().execute(f"PRAGMA {pragma}")


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's failures as ours."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(str(error.orig), path) from error
    except sqlite3.Error as error:  # of a statement that went by SQLAlchemy
        raise _ours(str(error), path) from error


def _ours(message: str, path: Path) -> ArchiveError:
    if "locked" in message or "busy" in message:
        return Busy(_("%(path)s：另一个程序正在写目录库，请稍后再试。", path=path))
    if "disk is full" in message or "disk I/O" in message:
        return DiskFull(_("%(path)s：磁盘已满，或无法写入。没有写下任何改动。", path=path))
    if "not a database" in message or "malformed" in message or "no such table" in message:
        return SettingsError(_damaged(path))
    if "unable to open" in message or "readonly" in message:
        return SettingsError(_("%(path)s：目录库打不开，或没有写权限。请检查所在文件夹的权限。", path=path))
    return StorageError(f"{path}: {message}")


def _damaged(path: Path) -> str:
    return _("%(path)s：不是完好的目录库。请运行 fangzhi rebuild catalogue，由原件重建。", path=path)


def _standing(connection: Connection, path: Path) -> str | None:
    """The migration the file stands at; None for an empty file. Raises SettingsError for another program's database."""
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    if connection.exec_driver_sql("PRAGMA application_id").scalar_one() != APPLICATION_ID or "alembic_version" not in names:
        raise SettingsError(_damaged(path))
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _migrate(catalogue: Catalogue, *, create: bool) -> None:
    """Bring the file to HEAD in one transaction, alone; another process may have done it meanwhile."""
    from archive.catalogue.migrations import upgrade

    with _translated(catalogue.path), catalogue._writers.connect() as connection:
        # Rebuilding a table drops it for a moment; with foreign keys on, its children's rows would go with it.
        _pragma(connection, "foreign_keys=OFF")
        with connection.execution_options(begin="IMMEDIATE").begin():
            standing = _standing(connection, catalogue.path)
            if standing is None and not create:
                raise SettingsError(_damaged(catalogue.path))
            if standing != HEAD:
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                if not upgrade(connection):
                    raise SettingsError(
                        _("%(path)s：由更新版本的程序写成。请升级本程序，或运行 fangzhi rebuild catalogue。", path=catalogue.path)
                    )
        connection.invalidate()  # its foreign keys are off
