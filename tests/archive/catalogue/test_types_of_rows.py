"""Several threads may be the first to read rows: a web worker that has just started is asked by many at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

FIRST_READERS = """
import sys, threading, msgspec
import archive.catalogue.items
from archive.model.item import Item
from archive.model.event import Event
sys.setswitchinterval(1e-6)
gate = threading.Barrier(6)
def read():
    gate.wait()
    for kind in (Item, Event) * 20:
        try:
            msgspec.json.decode(b'{"nothing": 1}', type=kind)
        except msgspec.ValidationError:
            pass
threads = [threading.Thread(target=read) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("attempt", range(5))
def test_the_first_rows_may_be_read_by_several_threads(attempt: int) -> None:
    """Without the types learnt at import more than half of such processes died of a segmentation fault."""
    assert subprocess.run([sys.executable, "-c", FIRST_READERS], check=False).returncode == 0
