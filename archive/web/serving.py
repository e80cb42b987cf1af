"""`serve`: waitress on one socket, in one or several processes, with the background worker beside them; one command.

The parent binds the socket, opens nothing else, starts the children and starts again what dies. A child opens its own archive: no
database connection and no index reader is shared over a fork. SIGTERM and SIGINT let requests in hand be answered, then end everything.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import TYPE_CHECKING, Any

from archive.errors import SettingsError
from archive.language import _

if TYPE_CHECKING:
    from archive.assembly import Archive

log = logging.getLogger(__name__)

THREADS = 8
GRACE = 10.0
"""Seconds that answers in hand get after a signal to stop; a film on its way to a slow reader is cut then."""
_PAUSE = 1.0
_FORK = multiprocessing.get_context("fork")


@dataclass(slots=True)
class _Child:
    name: str
    work: Callable[[], None]
    process: ForkProcess | None = None
    started: float = 0.0
    failures: int = 0


def serve(
    archive_factory: Callable[[], Archive],
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    background: Callable[[], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `background` is run in a process of its own and started again when it ends with a fault.

    `announce` gets the address once the socket listens (by default it is printed). Raises SettingsError when the address cannot be had.
    """
    listener = _listen(host, port)
    shown = _address(listener)
    children = [_Child(f"web-{n}", lambda: _serve_here(archive_factory, listener)) for n in range(1, max(1, workers) + 1)]
    if background is not None:
        children.append(_Child("worker", background))
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        (announce or _print_address)(shown)
        while not stop.is_set():
            for child in children:
                _tend(child)
            stop.wait(0.2)
    finally:
        _end(children)
        listener.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_address(address: str) -> None:
    sys.stdout.write(_("方志馆已开放：%(address)s（按 Ctrl+C 停止）", address=address) + "\n")
    sys.stdout.flush()


def _listen(host: str, port: int) -> socket.socket:
    listener = None
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise SettingsError(
            _(
                "%(host)s:%(port)s 不能用来提供服务：%(reason)s。请换一个端口（--port），或先停下占用它的程序。",
                host=host,
                port=port,
                reason=error.strerror or str(error),
            )
        ) from error
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}/"


def _tend(child: _Child) -> None:
    """Start a child that does not run; one that keeps dying waits longer each time, a minute at most."""
    if child.process is not None and child.process.is_alive():
        if child.failures and time.monotonic() - child.started > 60:
            child.failures = 0
        return
    if child.process is not None:
        if child.process.exitcode == 0 and child.name == "worker":
            return
        wait = min(60.0, _PAUSE * 2**child.failures)
        if time.monotonic() - child.started < wait:
            return
        log.error("%s ended with status %s; starting it again", child.name, child.process.exitcode)
        child.failures = min(child.failures + 1, 6)
    child.process = _FORK.Process(target=_run_child, args=(child.work, os.getpid()), name=child.name)
    child.process.start()
    child.started = time.monotonic()


def _end(children: list[_Child]) -> None:
    """Ask all children to end, wait, then end by force what has not."""
    running = [child.process for child in children if child.process is not None and child.process.is_alive()]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + GRACE + 5
    for process in running:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _run_child(work: Callable[[], None], parent: int) -> None:
    """The first thing in a child: its own signals, and an end when the parent is gone (killed, it cannot tell us)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, _leave)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE + 5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="watch-parent").start()
    work()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _serve_here(archive_factory: Callable[[], Archive], listener: socket.socket) -> None:
    """One web process: open the archive, answer until SIGTERM, then finish what is in hand."""
    from waitress import create_server, wasyncore

    from archive.web import create_app

    # A queue of a few requests is no news; it would fill the log of every busy afternoon.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    channels: dict[int, Any] = {}
    app = create_app(archive_factory())
    server: Any = create_server(
        app,
        map=channels,
        sockets=[listener],
        threads=THREADS,
        ident="",
        connection_limit=1000,
        channel_timeout=120,
        asyncore_use_poll=True,
        max_request_body_size=64 << 20,
        clear_untrusted_proxy_headers=False,  # access.py decides whom to believe
    )
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    while not stopping.is_set():
        wasyncore.loop(timeout=0.5, use_poll=True, map=channels, count=1)
    server.accepting = False
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(c.requests or c.total_outbufs_len for c in server.active_channels.values()):
        wasyncore.loop(timeout=0.1, use_poll=True, map=channels, count=1)
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=2)
