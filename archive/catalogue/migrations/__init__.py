"""Moves the schema forward, one file in `versions/` for each change. `alembic revision` works here with `script_location` set to this folder."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from archive.catalogue.schema import HEAD


def script() -> ScriptDirectory:
    """The migrations as Alembic sees them."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def upgrade(connection: Connection) -> bool:
    """Bring the database to HEAD inside the transaction that is open; False when it stands at a migration this program does not know."""
    versions = script()
    config = Config()
    config.attributes["connection"] = connection
    try:
        with EnvironmentContext(config, versions, fn=lambda revision, _context: versions._upgrade_revs(HEAD, revision)):
            versions.run_env()
    except CommandError:
        return False
    return True
