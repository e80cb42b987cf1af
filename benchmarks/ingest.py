"""Re-running an unchanged donation: CPU seconds of `fangzhi ingest run`, plain and `--quick`, over those of reading and hashing the files.

    python benchmarks/ingest.py [--files 2000] [--shape scans|photographs|page-list] [--runs 3] [--work DIRECTORY]

The donation is made here, taken in once (that takes minutes: every image is decoded and gets its derivatives) and then run again unchanged.
With `--work` the donation and the archive stay there, and a second call measures at once. See `benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

ROOT = Path(__file__).parent.parent
LEAF = ROOT / "tests" / "data" / "sample" / "方志影像_舊唐書地理志_金州" / "002.jpg"
SIZE = 2 << 20
BLOCK = 1 << 20
SCANS_A_FOLDER = 100
HASH = """
import hashlib, os, sys
for folder, _folders, names in os.walk(sys.argv[1]):
    for name in names:
        digest = hashlib.sha512()
        with open(os.path.join(folder, name), "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        digest.hexdigest()
"""
"""The reference, in a Python of its own: every file read in blocks of 1 MiB into SHA-512."""


def leaf(number: int, base: bytes) -> bytes:
    """A JPEG of 2 MB that differs from all others in its comments (segments COM) only, so that it is decoded quickly and hashed like any other."""
    noise = random.Random(number)
    parts, left = [base[:2]], SIZE - len(base)
    while left > 4:
        length = min(left, 65_535 + 2) - 4
        parts.append(b"\xff\xfe" + (length + 2).to_bytes(2, "big") + noise.randbytes(length))
        left -= length + 4
    return b"".join([*parts, base[2:]])


def make_donation(folder: Path, files: int, shape: str) -> None:
    """`files` images: folders of a hundred numbered scans each (one item a folder), loose photographs (one item each), or one item of all."""
    with Image.open(LEAF) as image:
        small = io.BytesIO()
        image.convert("L").resize((500, 700)).save(small, "JPEG", quality=85)
    folder.mkdir(parents=True)
    (folder / "donation.toml").write_text('accession = "2026-900"\ndonor = "量度用"\n\n[defaults]\naccess = "public"\n', "utf-8")
    for number in range(files):
        path = folder / name_of(number, shape)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(leaf(number, small.getvalue()))


def name_of(number: int, shape: str) -> str:
    """Where the image of that number lies in the donation."""
    if shape == "photographs":
        place, other = (
            ["东关", "西城", "南桥", "北门", "江岸", "码头", "城隍庙", "文庙", "学堂", "会馆"],
            ["晨", "午", "暮", "雨", "雪", "春", "夏", "秋", "冬", "夜"],
        )
        return f"{place[number % 10]}{other[number // 10 % 10]}景之{chr(0x4E00 + number)}.jpg"
    if shape == "one":
        return f"志书/{number + 1:04d}.jpg"
    return f"第{number // SCANS_A_FOLDER + 1:02d}册/{number % SCANS_A_FOLDER + 1:03d}.jpg"


class Spent(NamedTuple):
    """What a command cost: CPU seconds (user and system, of all its children too), wall seconds, most memory of its own process in MiB."""

    cpu: float
    wall: float
    memory: float
    out: str


def run(command: list[str], ok: tuple[int, ...] = (0,)) -> Spent:
    """Run a command to its end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    memory = 0.0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        while process.poll() is None:
            memory = max(memory, _most(process.pid))
            time.sleep(0.02)
        out.seek(0)
        err.seek(0)
        if process.returncode not in ok:
            raise SystemExit(f"{command}: exit {process.returncode}\n{err.read()}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Spent(spent, time.perf_counter() - began, memory, out.read())


def _most(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def fangzhi(home: Path, *words: str) -> list[str]:
    """The command line of `fangzhi` over a home."""
    return [sys.executable, "-m", "archive", "--home", str(home), "--lang", "zh", *words]


def take_in(donation: Path, home: Path) -> None:
    """The first run, not measured beyond being told."""
    run(fangzhi(home, "init"))
    spent = run(fangzhi(home, "ingest", "run", str(donation), "--json"), ok=(0, 1))
    answer = json.loads(spent.out)
    print(f"first run: {spent.cpu:.0f} s CPU, {spent.wall:.0f} s, main process {spent.memory:.0f} MiB, items {answer['items']}", flush=True)


def measure(donation: Path, home: Path, runs: int, deep: bool) -> dict[str, list[Spent]]:
    """What each kind of run costs, taken in turn so that a busy machine slows all alike."""
    kinds: dict[str, tuple[str, ...]] = {"rerun": (), "quick": ("--quick",)}
    spent: dict[str, list[Spent]] = {"hash": [], **{name: [] for name in kinds}}
    if deep:
        spent["forgotten"] = []
    for _ in range(runs):
        spent["hash"].append(run([sys.executable, "-c", HASH, str(donation)]))
        if deep:
            shutil.rmtree(home / "run" / "answers", ignore_errors=True)
            spent["forgotten"].append(unchanged(donation, home))
        for name, words in kinds.items():
            spent[name].append(unchanged(donation, home, *words))
    return spent


def unchanged(donation: Path, home: Path, *words: str) -> Spent:
    """A run of a donation of which nothing is new."""
    spent = run(fangzhi(home, "ingest", "run", str(donation), "--json", *words), ok=(0, 1))
    answer = json.loads(spent.out)
    if answer["items"]["ingested"] or not answer["items"]["unchanged"]:
        raise SystemExit(f"not unchanged: {answer['items']}")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--shape", choices=["scans", "photographs", "one"], default="scans")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep donation and archive here")
    parser.add_argument("--deep", action="store_true", help="also a run that remembers no answer and goes through everything")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.work or Path(temporary)).absolute()
        donation, home = work / "donation", work / "home"
        if not donation.exists():
            make_donation(donation, arguments.files, arguments.shape)
        if not home.exists():
            take_in(donation, home)
        spent = measure(donation, home, arguments.runs, arguments.deep)
    reference = statistics.median(one.cpu for one in spent["hash"])
    for name, runs in spent.items():
        median = statistics.median(one.cpu for one in runs)
        listed = " ".join(f"{one.cpu:.2f}" for one in runs)
        memory = statistics.median(one.memory for one in runs)
        print(f"{name:9} median {median:6.2f} s CPU  × {median / reference:5.3f}   ({listed})  {memory:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
