"""`serve`: several processes on one socket, a worker beside them, an orderly end. Real processes, a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from flask import Flask
import archive.web
from archive.web import serving

def create_app(archive):
    app = Flask("small")

    @app.get("/pid")
    def pid():
        return str(os.getpid())

    @app.get("/slow")
    def slow():
        time.sleep(1.5)
        return "finished"

    @app.get("/die")
    def die():
        os._exit(7)

    return app

archive.web.create_app = create_app

def worker():
    with open(sys.argv[1], "a") as stream:
        stream.write("worked\\n")
    while True:
        time.sleep(0.1)

serving.serve(lambda: None, "127.0.0.1", 0, int(sys.argv[2]), background=worker)
"""


class Server:
    """A running `serve` in a process of its own."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.work = folder / "worked"
        arguments = [sys.executable, "-c", PROGRAM, str(self.work), str(workers)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": os.getcwd()})
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.address = line[line.index("http://") :].split("/（")[0].split("（")[0].rstrip("/")
        self.port = int(self.address.rsplit(":", 1)[1])

    def get(self, path: str) -> str:
        for _attempt in range(40):
            try:
                with urllib.request.urlopen(self.address + path, timeout=20) as answer:
                    return str(answer.read().decode())
            except (ConnectionResetError, OSError):
                time.sleep(0.25)
        raise AssertionError(f"no answer from {path}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[list[Server]]:
    servers: list[Server] = []
    yield servers
    for server in servers:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(20)
        assert server.process.stdout is not None
        server.process.stdout.close()


def test_workers_share_a_socket_and_end_in_order(tmp_path: Path, running: list[Server]) -> None:
    server = Server(tmp_path, 2)
    running.append(server)
    pids = {server.get("/pid") for _ in range(40)}
    deadline = time.monotonic() + 20
    while len(pids) < 2 and time.monotonic() < deadline:
        pids.add(server.get("/pid"))
    assert len(pids) == 2
    assert str(server.process.pid) not in pids
    assert server.work.read_text() == "worked\n"
    assert server.stop() == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_an_answer_in_hand_is_finished_after_the_signal(tmp_path: Path, running: list[Server]) -> None:
    server = Server(tmp_path, 1)
    running.append(server)
    server.get("/pid")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        time.sleep(0.4)
        server.process.send_signal(signal.SIGTERM)
        got = b""
        while block := line.recv(4096):
            got += block
    assert got.endswith(b"finished")
    assert server.process.wait(20) == 0


def test_a_process_that_dies_is_started_again(tmp_path: Path, running: list[Server]) -> None:
    server = Server(tmp_path, 1)
    running.append(server)
    before = server.get("/pid")
    with pytest.raises(OSError):
        urllib.request.urlopen(server.address + "/die", timeout=20)
    assert server.get("/pid") != before


def test_children_end_when_the_parent_is_killed(tmp_path: Path, running: list[Server]) -> None:
    server = Server(tmp_path, 1)
    running.append(server)
    child = int(server.get("/pid"))
    server.process.kill()
    server.process.wait(20)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    raise AssertionError("the child outlived its parent")


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    from archive.errors import SettingsError
    from archive.web.serving import serve

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="--port"):
            serve(lambda: None, "127.0.0.1", taken.getsockname()[1])  # type: ignore[arg-type, return-value]
