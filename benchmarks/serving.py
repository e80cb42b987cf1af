"""What a page, a byte range and a slow reader cost on our own server. Prints ratios measured in one run.

    python benchmarks/serving.py [--home HOME] [--rounds 7]

Without `--home` an archive is made first: the sample donation, and an original of 1 GB. The archive is served by `fangzhi serve`, the empty
page by the same server with an application of one route and one template. CPU is that of the whole tree of server processes, on connections
that are kept open; rounds take turns, and medians are compared. See `benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "tests" / "data" / "sample"
GIGABYTE = 1 << 30
MEGABYTE = 1 << 20
STALLED = 40
PAGE = "<!doctype html>\n<html lang=zh>\n<title>{{ title }}</title>\n<h1>{{ title }}</h1>\n"


def serve_empty() -> None:
    """The reference: Flask, one route, one template that is compiled once, under our own server."""
    from flask import Flask, render_template
    from jinja2 import DictLoader

    import archive.web
    from archive.web.serving import serve

    app = Flask("empty")
    app.jinja_loader = DictLoader({"empty.html": PAGE})  # type: ignore[assignment]

    @app.get("/")
    def empty() -> str:
        return render_template("empty.html", title="empty")

    archive.web.create_app = lambda _archive: app
    serve(lambda: None, port=0)  # type: ignore[arg-type, return-value]


def environment() -> dict[str, str]:
    """Ours, with this checkout first."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def fangzhi(home: Path, *words: str) -> list[str]:
    """The command line of `fangzhi` over a home."""
    return [sys.executable, "-m", "archive", "--home", str(home), "--lang", "zh", *words]


def make_home(folder: Path) -> Path:
    """An archive with the sample and an original of 1 GB (a hole in the donor's file, real bytes in the archive)."""
    home, great = folder / "home", folder / "great"
    great.mkdir()
    with (great / "大录像.bin").open("wb") as stream:
        stream.truncate(GIGABYTE)
    (great / "donation.toml").write_text('accession = "2026-901"\ndonor = "量度用"\n\n[defaults]\naccess = "public"\n', "utf-8")
    for words in (("init",), ("ingest", "run", str(SAMPLE), "--json"), ("ingest", "run", str(great), "--json")):
        subprocess.run(fangzhi(home, *words), stdout=subprocess.DEVNULL, env=environment(), check=False)
    return home


def family(pid: int) -> list[int]:
    """Ids of a process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        for task in Path(f"/proc/{found[-1]}/task").iterdir():
            waiting += map(int, (task / "children").read_text().split())
    return found


def cpu_of(processes: Sequence[int]) -> float:
    """CPU seconds of some processes so far, to the nanosecond (the ticks of `stat` are too coarse for single pages)."""
    total = 0
    for pid in processes:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class Server:
    """A server in processes of its own, asked over one connection that is kept open."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        parts = urlsplit("http" + said.split("http", 1)[1].split("（")[0].split(" ")[0])
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=60)

    def ask(self, path: str, **headers: str) -> bytes:
        """The body of an answer."""
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 206), (path, answer.status)
        return body

    def processes(self) -> list[int]:
        """Ids of the server's processes: the one that was started and all below it."""
        return family(self.process.pid)

    def cpu(self) -> float:
        """CPU seconds of all of them so far."""
        return cpu_of(self.processes())

    def memory(self) -> Iterator[tuple[str, float, float]]:
        """What each process is, its resident MiB and its share of them (pages shared after the fork are divided)."""
        for pid in self.processes():
            values = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
            rss, pss = (int(values[name].split()[0]) / 1024 for name in ("Rss", "Pss"))
            yield ("parent" if pid == self.process.pid else f"child {pid}"), rss, pss

    def cost(self, path: str, times: int, **headers: str) -> float:
        """CPU milliseconds for one answer."""
        before = self.cpu()
        for _ in range(times):
            self.ask(path, **headers)
        return (self.cpu() - before) / times * 1000

    def end(self) -> None:
        """Stop it, politely."""
        self.process.terminate()
        self.process.wait()


def pages(ours: Server, empty: Server, items: list[str], rounds: int) -> None:
    """Item pages beside the empty page: asked as readers do, and written anew each time (a question mark keeps a page from being kept)."""
    asked = {"as asked": items, "written anew": [f"{path}?anew=1" for path in items]}
    for _ in range(3):
        for path in (*asked["as asked"], *asked["written anew"]):
            ours.ask(path)
        empty.ask("/")
    spent: dict[str, list[float]] = {path: [] for path in ("empty", *asked["as asked"], *asked["written anew"])}
    for _ in range(rounds):
        spent["empty"].append(empty.cost("/", 200))
        for path in (*asked["as asked"], *asked["written anew"]):
            spent[path].append(ours.cost(path, 40))
    reference = statistics.median(spent["empty"])
    print(f"empty page: {reference:.2f} ms CPU")
    for name, paths in asked.items():
        ratios = [statistics.median(spent[path]) / reference for path in paths]
        listed = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"item pages {name}: median × {statistics.median(ratios):.2f}, dearest × {max(ratios):.2f} (limit 4)   ({listed})")


def byte_ranges(ours: Server, path: str, rounds: int) -> None:
    """The last megabyte of a gigabyte beside the first."""
    wanted = {"start": f"bytes=0-{MEGABYTE - 1}", "end": f"bytes={GIGABYTE - MEGABYTE}-{GIGABYTE - 1}"}
    spent: dict[str, list[float]] = {name: [] for name in wanted}
    for name in wanted:
        assert len(ours.ask(path, Range=wanted[name])) == MEGABYTE
    for _ in range(rounds):
        for name, header in wanted.items():
            spent[name].append(ours.cost(path, 40, Range=header))
    start, end = (statistics.median(spent[name]) for name in ("start", "end"))
    print(f"1 MiB of 1 GiB: at the start {start:.2f} ms CPU, at the end {end:.2f} ms, × {end / start:.2f} (limit 1.5)")


def stalled(ours: Server, path: str, asked: list[str]) -> None:
    """Pages while downloads stall: sockets that ask for the whole file and never read."""
    sockets = []
    for _ in range(STALLED):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((ours.host, ours.port))
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        sockets.append(line)
    time.sleep(2)
    slowest = 0.0
    for page in asked:
        began = time.perf_counter()
        fresh = http.client.HTTPConnection(ours.host, ours.port, timeout=30)
        fresh.request("GET", page)
        answer = fresh.getresponse()
        answer.read()
        assert answer.status == 200, (page, answer.status)
        slowest = max(slowest, time.perf_counter() - began)
        fresh.close()
    print(f"with {STALLED} stalled downloads {len(asked)} of {len(asked)} pages answered, the slowest after {slowest:.2f} s")
    for line in sockets:
        line.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="an archive that holds an original of 1 GiB")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--empty", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.empty:
        serve_empty()
        return
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.home or make_home(Path(temporary))
        ours, empty = Server(fangzhi(home, "serve", "--port", "0")), Server([sys.executable, __file__, "--empty"])
        try:
            measure(ours, empty, arguments.rounds)
        finally:
            ours.end()
            empty.end()


def measure(ours: Server, empty: Server, rounds: int) -> None:
    """All figures, from two servers that run."""
    listed: list[dict[str, Any]] = json.loads(ours.ask("/api/v1/items?size=100"))["items"]
    items = [f"/items/{item['id']}" for item in listed]
    great = None
    for item in listed:
        record = json.loads(ours.ask(f"/api/v1/items/{item['id']}"))
        for file in record.get("files", record.get("item", {}).get("files", ())):
            if file.get("size") == GIGABYTE:
                great = f"/media/{item['id']}.{file['id']}/original"
    pages(ours, empty, items[:8], rounds)
    if great is None:
        print("no original of 1 GiB in this archive: byte ranges and stalled downloads not measured")
    else:
        byte_ranges(ours, great, rounds)
        asked = [
            "/",
            "/search?q=%E6%B1%89",
            "/about",
            "/help",
            "/healthz",
            *(f"/collections/{s}" for s in ("local-gazetteers", "han-opera")),
        ]
        stalled(ours, great, [*asked, *items[:20], "/search?q=%E9%87%91%E5%B7%9E"])
    for name, rss, pss in ours.memory():
        print(f"memory of {name}: {rss:.0f} MiB resident, {pss:.0f} MiB its share")


if __name__ == "__main__":
    main()
