"""The small archive of `hall_of_records`, its application and a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hall_of_records
import pytest
from flask import Flask
from flask.testing import FlaskClient

from archive.assembly import Archive
from archive.web import create_app


@pytest.fixture(scope="session")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The archive, built once: no test changes it."""
    found = hall_of_records.build(tmp_path_factory.mktemp("hall") / "home", reading_room_networks=("10.9.0.0/16",))
    yield found
    found.close()


class Visitor(FlaskClient):
    """Reads every answer to its end and closes it, as a browser does."""

    def open(self, *given: Any, **more: Any) -> Any:
        return super().open(*given, **{"buffered": True} | more)


@pytest.fixture
def app(hall: Archive) -> Flask:
    """The application."""
    app = create_app(hall)
    app.test_client_class = Visitor
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor without an account, from nowhere in particular."""
    return app.test_client()
