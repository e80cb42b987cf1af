"""The search page over HTTP: an archive that holds the whole corpus, served by two workers, asked over sixteen connections at once."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.search.clocks import apart, at, private
from benchmarks.search.corpus import Cutter
from benchmarks.search.figure import Figure, Given, at_least, at_most
from benchmarks.serving import Server, environment, fangzhi

CONNECTIONS = 16
WORKERS = 2
_MIX = {"1 character": 1, "2 characters": 4, "3-4": 3, "8-30": 1, "AND": 1}
"""Of ten readers, how many ask what."""
_ROUNDS = 160
"""Tens of requests that are timed."""


def ensure_home(given: Given) -> Path:
    """An archive with the corpus, taken in by `fangzhi index --text` (two CPU minutes for all leaves); one that is there is indexed anew."""
    home = given.home or given.kept / "home"
    if (home / "index" / "current").exists():
        words = [("rebuild", "index")]
    else:
        words = [("init",), ("index", "--text", str(_corpus(given)))]
    for some in words:
        subprocess.run(fangzhi(home, *some), env=environment(), stdout=subprocess.DEVNULL, check=True)
    return home


def _corpus(given: Given) -> Path:
    """The leaves as a file, the first of them when there is a limit."""
    if given.limit is None:
        return given.leaves
    import msgspec

    from benchmarks.search.corpus import leaves

    path = given.kept / f"first-{given.limit}.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(leaf) + b"\n" for leaf in leaves(given.leaves, given.limit)))
    return path


def paths(given: Given, rounds: int, seed: int) -> list[str]:
    """Addresses of result pages, as readers mix them; none twice on purpose."""
    cutter = Cutter(given.leaves, given.limit, seed)
    asked = {kind: cutter.questions(rounds * share, [kind])[kind] for kind, share in _MIX.items()}
    mixed = [asked[kind][number * share + at] for number in range(rounds) for kind, share in _MIX.items() for at in range(share)]
    return ["/search?" + urlencode({"q": " ".join(question.words)}) for question in mixed]


async def _line(host: str, port: int, waiting: Iterator[str], taken: list[float]) -> None:
    """One connection, kept open: the next address as soon as an answer is there whole."""
    reader, writer = await asyncio.open_connection(host, port)
    for path in waiting:
        began = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Language: zh\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        if not head.startswith("HTTP/1.1 200"):
            raise RuntimeError(f"{path}: {head.splitlines()[0]}")
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        await reader.readexactly(int(fields["content-length"]))
        taken.append((time.perf_counter() - began) * 1000)
    writer.close()


def load(host: str, port: int, asked: Sequence[str]) -> tuple[list[float], float]:
    """Milliseconds of every answer, ascending, and seconds in all."""

    async def everyone() -> None:
        waiting = iter(asked)
        await asyncio.gather(*(_line(host, port, waiting, taken) for _ in range(CONNECTIONS)))

    taken: list[float] = []
    began = time.perf_counter()
    asyncio.run(everyone())
    return sorted(taken), time.perf_counter() - began


def http(given: Given) -> list[Figure]:
    """Requests a CPU second of the server's processes, and how far the slowest answers lie from the middle."""
    server = Server(fangzhi(ensure_home(given), "serve", "--port", "0", "--workers", str(WORKERS)))
    try:
        apart(load, server.host, server.port, paths(given, _ROUNDS // 4, 11))
        before = server.cpu()
        taken, seconds = apart(load, server.host, server.port, paths(given, _ROUNDS, 12))
        cpu = server.cpu() - before
        held = max(private(pid) for pid in server.processes() if pid != server.process.pid)
    finally:
        server.end()
    p50, p99 = at(taken, 0.5), at(taken, 0.99)
    beside = f"{len(taken):,} pages in {seconds:.1f} s, {cpu / len(taken) * 1000:.1f} ms CPU each; a worker holds {held:.0f} MiB of its own"
    return [
        at_least("HTTP search page", "2 workers", len(taken) / cpu, 150, "requests a CPU second", beside),
        at_most("HTTP search page", "p99 beside p50", p99 / p50, 5, "×", f"{p50:.0f} ms and {p99:.0f} ms, {CONNECTIONS} connections"),
    ]
