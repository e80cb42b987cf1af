"""What tiles and cut-outs cost, as ratios in the same run: `python -m benchmarks.media.tiles IMAGE [--rounds N]`.

IMAGE, any picture, is scaled to a map of 10,000 × 8,000, taken into an archive of its own and served by `fangzhi serve`. Beside it stand a bare Flask
application under waitress that gives the same tiles from files by `send_file`, and IIPImage (Debian's iipimage-server, asked by FastCGI) over
the very same pyramid. Times are CPU (user and system) of all processes of a server, asked over one connection; the median of the rounds, in which the
three take turns. Every round asks for other tiles and other cut-outs, so no cache has them. Memory is the peak of a web process (VmHWM) above what it
held before, when eight readers ask at once for whatever is dearest.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from benchmarks.serving import cpu_of, environment, family, fangzhi

IIPSRV = Path("/usr/lib/iipimage-server/iipsrv.fcgi")
SIZE = (10_000, 8_000)
TILE = 512
_DONATION = 'accession = "2026-902"\ndonor = "量度用"\n\n[defaults]\naccess = "public"\nkind = "general"\n'
_BARE = """
import sys
from flask import Flask, send_file
from waitress import create_server
app = Flask("bare")
app.add_url_rule("/<name>", view_func=lambda name: send_file(f"{sys.argv[1]}/{name}", mimetype="image/jpeg", max_age=86400), endpoint="tile")
server = create_server(app, host="127.0.0.1", port=0, threads=8)
print(f"http://127.0.0.1:{server.effective_port} ", flush=True)
server.run()
"""


def main() -> None:
    """Run all measurements and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fangzhi-bench-") as name, contextlib.ExitStack() as open_:
        work = Path(name)
        home, pyramid = archive(options.image, work)
        ours = Http(fangzhi(home, "serve", "--port", "0"))
        open_.callback(ours.end)
        key = the_key(ours)
        rows = tile_rows(ours, key, pyramid, work, options.rounds, open_)
        rows.append(memory_row(home, key))
    width = max(len(row[0]) for row in rows)
    for what, value, limit in rows:
        print(f"{what:<{width}}  {value:>10}  {limit}")


def archive(image: Path, work: Path) -> tuple[Path, Path]:
    """A home with one map in it, and its pyramid."""
    home, given = work / "home", work / "given"
    given.mkdir()
    (given / "donation.toml").write_text(_DONATION, "utf-8")
    with Image.open(image) as found:
        found.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC).save(given / "map.jpg", quality=90)
    for words in (("init",), ("ingest", "run", str(given), "--json"), ("publish", "--audience", "public", "2026-902.1")):
        subprocess.run(fangzhi(home, *words), stdout=subprocess.DEVNULL, env=environment(), check=False)
    return home, next(home.rglob("pyramid.tif"))


class Server:
    """A server in processes of its own."""

    process: subprocess.Popen[str]

    def ask(self, path: str) -> bytes:
        """The body of an answer."""
        raise NotImplementedError

    def cpu(self) -> float:
        """CPU milliseconds of all of its processes so far."""
        return cpu_of(self.processes()) * 1000

    def processes(self) -> list[int]:
        """The one that was started and all below it."""
        return family(self.process.pid)

    def cost(self, paths: Sequence[str]) -> float:
        """CPU milliseconds for an answer."""
        before = self.cpu()
        for path in paths:
            self.ask(path)
        return (self.cpu() - before) / len(paths)

    def end(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait()


class Http(Server):
    """A server that says its address on its first line; one connection, kept open."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        assert self.process.stdout is not None
        parts = urlsplit("http" + self.process.stdout.readline().split("http", 1)[1].split("（")[0].split(" ")[0])
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=120)

    def ask(self, path: str) -> bytes:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:200])
        return body


class Iip(Server):
    """IIPImage, asked as a web server asks it (FastCGI 1.0 §4), without the web server's own cost."""

    def __init__(self, pyramid: Path, work: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = {
            "LOGFILE": str(work / "iip.log"),
            "VERBOSITY": "0",
            "MAX_CVT": "6000",
            "JPEG_QUALITY": "90",
            "FILESYSTEM_PREFIX": str(pyramid.parent) + "/",
        }
        self.process = subprocess.Popen([str(IIPSRV), "--bind", f"127.0.0.1:{self.port}"], env=os.environ | settings, text=True)
        for _try in range(50):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.1)
        raise SystemExit("IIPImage does not answer")

    def ask(self, path: str) -> bytes:
        query = f"IIIF=pyramid.tif/{path}"
        pairs = {
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": query,
            "REQUEST_URI": f"/fcgi?{query}",
            "SCRIPT_NAME": "/fcgi",
            "HTTP_HOST": "127.0.0.1",
        }
        given = b"".join(struct.pack(">II", len(k) | 1 << 31, len(v) | 1 << 31) + k.encode() + v.encode() for k, v in pairs.items())
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(_record(1, struct.pack(">HB5x", 1, 0)) + _record(4, given) + _record(4, b"") + _record(5, b""))
            head, _, body = _said(line).partition(b"\r\n\r\n")
        assert body.startswith(b"\xff\xd8"), (path, head[:300], body[:300])
        return body


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def _said(line: socket.socket) -> bytes:
    """What the application wrote, until it says that it is done."""
    out = bytearray()
    with line.makefile("rb") as stream:
        while True:
            _version, kind, _request, length, padding = struct.unpack(">BBHHBx", stream.read(8))
            content = stream.read(length + padding)[:length]
            if kind == 6:
                out += content
            if kind == 3:
                return bytes(out)


def the_key(ours: Http) -> str:
    """The file key of the map."""
    import json

    (item,) = json.loads(ours.ask("/api/v1/items"))["items"]
    return f"{item['id']}.f1"


def all_tiles(edges: bool) -> list[tuple[str, str]]:
    """Region and size of every tile of every level, those that the image cuts with `edges`, else those that it does not."""
    found = []
    for factor in (1, 2, 4, 8, 16, 32):
        step = TILE * factor
        for y in range(0, SIZE[1], step):
            for x in range(0, SIZE[0], step):
                w, h = min(step, SIZE[0] - x), min(step, SIZE[1] - y)
                if ((w, h) != (step, step)) is edges:
                    found.append((f"{x},{y},{w},{h}", f"{-(-w // factor)},{-(-h // factor)}"))
    return found


def a_cut_out(chance: random.Random) -> tuple[str, str]:
    """A region anywhere, 300 to 2,500 pixels a side, shown at 300 to 1,000 pixels' width."""
    w, h = chance.randint(300, 2500), chance.randint(300, 2500)
    width = min(w, chance.randint(300, 1000))
    return f"{chance.randint(0, SIZE[0] - w)},{chance.randint(0, SIZE[1] - h)},{w},{h}", f"{width},{max(1, round(h * width / w))}"


def tile_rows(ours: Http, key: str, pyramid: Path, work: Path, rounds: int, open_: contextlib.ExitStack) -> list[tuple[str, str, str]]:
    """Rows about tiles and cut-outs beside send_file and IIPImage."""
    chance = random.Random(4)
    whole, edges = all_tiles(False), all_tiles(True)
    files = work / "tiles"
    files.mkdir()
    for region, size in whole:
        (files / f"{region}-{size}.jpg").write_bytes(ours.ask(f"/iiif/image/3/{key}/{region}/{size}/0/default.jpg"))
    bare = Http([sys.executable, "-W", "ignore", "-c", _BARE, str(files)])
    open_.callback(bare.end)
    iip = Iip(pyramid, work)
    open_.callback(iip.end)

    def fangzhi_path(asked: tuple[str, str]) -> str:
        return f"/iiif/image/3/{key}/{asked[0]}/{asked[1]}/0/default.jpg"

    def iip_path(asked: tuple[str, str]) -> str:
        return f"{asked[0]}/{asked[1]}/0/default.jpg"

    def bare_path(asked: tuple[str, str]) -> str:
        return f"/{asked[0]}-{asked[1]}.jpg"

    ways: dict[str, tuple[Server, Callable[[tuple[str, str]], str]]] = {
        "fangzhi": (ours, fangzhi_path),
        "send_file": (bare, bare_path),
        "IIPImage": (iip, iip_path),
    }
    spent: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds + 1):
        asked = {"tile": chance.sample(whole, 150), "edge": chance.sample(edges, 20), "cut-out": [a_cut_out(chance) for _ in range(30)]}
        for what, requests in asked.items():
            for name, (server, path) in ways.items():
                if name == "send_file" and what != "tile":
                    continue
                cost = server.cost([path(request) for request in requests])
                if turn:  # the first is for warming up
                    spent.setdefault((what, name), []).append(cost)
    middle = {pair: statistics.median(costs) for pair, costs in spent.items()}
    rows = [(f"{what}, {name}, CPU ms", f"{value:.2f}", "") for (what, name), value in middle.items()]
    ratio = [statistics.median(a / b for a, b in zip(spent[x], spent[y], strict=True)) for x, y in _PAIRS]
    return rows + [(f"{x[0]}: {x[1]} / {y[1]}", f"{value:.2f}", limit) for (x, y), value, limit in zip(_PAIRS, ratio, _LIMITS, strict=True)]


_PAIRS = (
    (("tile", "fangzhi"), ("tile", "send_file")),
    (("tile", "fangzhi"), ("tile", "IIPImage")),
    (("edge", "fangzhi"), ("edge", "IIPImage")),
    (("cut-out", "fangzhi"), ("cut-out", "IIPImage")),
)
_LIMITS = ("at most 1.7", "at most 0.6", "", "at most 1")


def memory_row(home: Path, key: str) -> tuple[str, str, str]:
    """How much more a web process holds at its peak when eight readers ask for what is dearest, above what one tile took."""
    ours = Http(fangzhi(home, "serve", "--port", "0"))
    try:
        base = f"/iiif/image/3/{key}"
        for _time in range(40):  # every process and thread is awake
            ours.ask(f"{base}/0,0,512,512/512,512/0/default.jpg")
        web = [pid for pid in ours.processes() if pid != ours.process.pid]
        before = {pid: _status(pid, "VmRSS") for pid in web}
        for pid in web:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        dear = [f"{base}/{path}" for path in _DEAR]
        threads = [threading.Thread(target=_ask_all, args=(ours.port, random.Random(n).sample(dear, len(dear)))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        more = max(_status(pid, "VmHWM") - before[pid] for pid in web)
        return ("an 80-megapixel map adds to a web process, MiB", f"{more:.0f}", "at most 64")
    finally:
        ours.end()


_DEAR = (
    "full/max/0/default.jpg",
    "full/max/90/default.jpg",
    "full/max/0/default.png",
    "full/1000,/33/default.png",
    "full/max/0/default.webp",
    "0,0,2200,1800/2200,1800/180/default.jpg",
    "1,1,1900,1900/^1999,1999/0/default.jpg",
    "full/60,6000/0/default.jpg",
    "full/6000,60/0/default.jpg",
    "77,77,6000,5000/1999,999/0/default.jpg",
)


def _ask_all(port: int, paths: Sequence[str]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    for path in paths:
        line.request("GET", path)
        answer = line.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:200])


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
