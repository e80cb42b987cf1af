"""Re-running an unchanged donation: CPU seconds of `fangzhi ingest run`, plain and `--quick`, over those of reading and hashing the files.

    python benchmarks/ingest.py [--files 2000] [--shape scans|photographs|page-list] [--runs 3] [--work DIRECTORY]

The donation is made here, taken in once (that takes minutes: every image is decoded and gets its derivatives) and then run again unchanged.
With `--work` the donation and the archive stay there, and a second call measures at once. See `benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def cpu(command: list[str], ok: tuple[int, ...] = (0,)) -> tuple[float, float, str]:
    """CPU seconds (user and system, all children that were waited for), wall seconds and stdout of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in ok:
        raise SystemExit(f"{command}: exit {done.returncode}\n{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began, done.stdout


def fangzhi(home: Path, *words: str) -> list[str]:
    """The command line of `fangzhi` over a home."""
    return [sys.executable, "-m", "archive", "--home", str(home), "--lang", "zh", *words]


def take_in(donation: Path, home: Path) -> None:
    """The first run, not measured beyond being told."""
    cpu(fangzhi(home, "init"))
    spent, wall, out = cpu(fangzhi(home, "ingest", "run", str(donation), "--json"), ok=(0, 1))
    answer = json.loads(out)
    print(f"first run: {spent:.0f} s CPU, {wall:.0f} s, items {answer['items']}, files {answer['files']}", flush=True)


def measure(donation: Path, home: Path, runs: int) -> dict[str, list[float]]:
    """CPU seconds of each kind of run, taken in turn so that a busy machine slows all alike."""
    spent: dict[str, list[float]] = {"hash": [], "rerun": [], "quick": []}
    for _ in range(runs):
        spent["hash"].append(cpu([sys.executable, "-c", HASH, str(donation)])[0])
        for name, words in (("rerun", ()), ("quick", ("--quick",))):
            seconds, _wall, out = cpu(fangzhi(home, "ingest", "run", str(donation), "--json", *words), ok=(0, 1))
            answer = json.loads(out)
            if answer["items"]["ingested"] or not answer["items"]["unchanged"]:
                raise SystemExit(f"{name}: not unchanged: {answer['items']}")
            spent[name].append(seconds)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--shape", choices=["scans", "photographs", "one"], default="scans")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.work or Path(temporary)).absolute()
        donation, home = work / "donation", work / "home"
        if not donation.exists():
            make_donation(donation, arguments.files, arguments.shape)
        if not home.exists():
            take_in(donation, home)
        spent = measure(donation, home, arguments.runs)
    reference = statistics.median(spent["hash"])
    for name, seconds in spent.items():
        listed = " ".join(f"{value:.2f}" for value in seconds)
        print(f"{name:6} median {statistics.median(seconds):6.2f} s CPU  × {statistics.median(seconds) / reference:5.3f}   ({listed})")


if __name__ == "__main__":
    main()
