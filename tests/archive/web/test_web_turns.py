"""Searches answered one after the other: order, patience, and no turn that is never given back."""

from __future__ import annotations

import threading
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from archive.web import search, turns
from archive.web.turns import Turns


def _wait_for(turns: Turns, number: int) -> None:
    while len(turns._waiting) < number:
        time.sleep(0.001)


def test_turns_come_in_the_order_they_were_asked_for() -> None:
    turns, came = Turns(), []
    assert turns.take()

    def ask(name: int) -> None:
        assert turns.take(patience=10)
        came.append(name)
        turns.give()

    asking = []
    for name in range(5):
        asking.append(threading.Thread(target=ask, args=(name,)))
        asking[-1].start()
        _wait_for(turns, name + 1)
    turns.give()
    for thread in asking:
        thread.join(10)
    assert came == [0, 1, 2, 3, 4]
    assert turns.take(patience=0)


def test_who_waited_long_enough_goes_on_without_a_turn_and_leaves_the_row() -> None:
    turns = Turns()
    assert turns.take()
    assert not turns.take(patience=0.01)
    turns.give()
    assert turns.take(patience=0)


def test_a_search_that_takes_long_holds_nobody_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, inside, go_on = search.run, threading.Event(), threading.Event()

    def slow(wanted: search.Asked) -> object:
        if wanted.text == "汉江":
            inside.set()
            assert go_on.wait(10)
        return ask(wanted)

    monkeypatch.setattr(search, "run", slow)
    first = threading.Thread(target=lambda: app.test_client().get("/search?q=汉江"))
    first.start()
    assert inside.wait(10)
    assert app.test_client().get("/search?q=知县").status_code == 200
    assert first.is_alive()
    go_on.set()
    first.join(10)


@pytest.mark.parametrize("path", sorted(turns.PATHS))
def test_every_answer_gives_its_turn_back(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    given: list[bool] = []
    give = Turns.give
    monkeypatch.setattr(Turns, "give", lambda self: (given.append(True), give(self))[1])
    for asked in ("?q=知县", "?q=“知县", "?q=", "?go=1&all=知县", "?q=知县&size=no"):
        assert client.get(path + asked).status_code in (200, 302, 400)
        assert client.head(path + asked).status_code in (200, 302, 400)
        assert client.post(path + asked).status_code in (404, 405)
    assert len(given) == 15


def test_a_fault_of_ours_gives_the_turn_back(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> None:
        raise RuntimeError("broken")

    given: list[bool] = []
    monkeypatch.setattr(Turns, "give", lambda self: given.append(True))
    monkeypatch.setattr(app, "full_dispatch_request", broken)
    monkeypatch.setattr(app, "handle_exception", broken)
    with pytest.raises(RuntimeError, match="broken"):
        app.test_client().get("/search?q=知县")
    assert given == [True]
