"""What pages and films cost, as ratios to a bare decode in the same run: `python benchmarks/media/run.py FOLDER [--pages N] [--film SECONDS]`.

FOLDER holds images of leaves (any kind, any depth). Each is scaled to 2500×3500, made different from the others (turned a little, another
light) and saved as JPEG, quality 90. Times are CPU seconds (user and system) of all processes, so a busy machine matters little; the gain of
a second worker is wall time and needs a quiet one. The bare decode is libjpeg-turbo through simplejpeg when that is installed, else Pillow.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance

from archive.derivatives import ffmpeg, film, formats, probe, registry
from archive.derivatives.ffmpeg import Tools
from archive.derivatives.sandbox import Sandbox

SIZE = (2500, 3500)
IMAGES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".jp2"}


def main() -> None:
    """Run all measurements and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--film", type=int, default=120, help="seconds of 720p MPEG-2; 0 for none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fangzhi-bench-") as name:
        work = Path(name)
        rows = pages_rows(leaves(options.folder, work / "leaves", options.pages), work)
        if options.film:
            rows += film_rows(work, options.film)
    width = max(len(row[0]) for row in rows)
    for what, value, limit in rows:
        print(f"{what:<{width}}  {value:>12}  {limit}")


def leaves(folder: Path, into: Path, count: int) -> list[Path]:
    """`count` different leaves made from the images below `folder`."""
    into.mkdir(parents=True)
    given = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGES and path.stat().st_size > 10_000]
    made: list[Path] = []
    turn = 0
    while len(made) < count:
        for path in given:
            if len(made) == count:
                break
            try:
                with Image.open(path, formats=("JPEG", "PNG", "TIFF", "JPEG2000")) as image:
                    page = image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
            except OSError:
                continue
            page = ImageEnhance.Brightness(page).enhance(0.9 + 0.02 * (len(made) % 10))
            if turn:
                page = page.rotate(0.3 * turn, Image.Resampling.BILINEAR, fillcolor=(236, 226, 205))
            made.append(into / f"{len(made):04d}.jpg")
            page.save(made[-1], quality=90)
        turn += 1
    return made


def pages_rows(pages: Sequence[Path], work: Path) -> list[tuple[str, str, str]]:
    """Rows about pages: CPU per page against a bare decode, memory of a worker, two workers against one."""
    decoder, bare = bare_decode(pages)
    cpu, wall, memory = ingest(pages, work / "one", 1)
    _cpu, wall_two, _memory = ingest(pages, work / "two", 2)
    parts = by_part(pages[:20], work / "parts")
    size = sum(path.stat().st_size for path in (work / "one").rglob("*") if path.is_file()) / len(pages)
    return [
        (f"bare decode of a page ({decoder}), CPU s", f"{bare:.4f}", ""),
        (f"ingest of a page ({len(pages)} pages, start-up included), CPU s", f"{cpu / len(pages):.4f}", ""),
        ("ingest / bare decode", f"{cpu / len(pages) / bare:.2f}", "aim 8, at most 10"),
        *((f"  of which {name}", f"{value / bare:.2f}", "") for name, value in parts),
        ("peak memory of a worker, MiB", f"{memory:.0f}", "at most 160"),
        ("two workers / one (wall; needs an idle machine)", f"{wall / wall_two:.2f}", "at least 1.7"),
        ("derivatives of a page / original, bytes", f"{size / (sum(p.stat().st_size for p in pages) / len(pages)):.2f}", ""),
    ]


def bare_decode(pages: Sequence[Path]) -> tuple[str, float]:
    """Name of the decoder and CPU seconds a page, bytes read beforehand."""
    data = [path.read_bytes() for path in pages]
    decode: Callable[[bytes], Any]
    try:
        import simplejpeg

        name, decode = "libjpeg-turbo", simplejpeg.decode_jpeg
    except ImportError:
        name, decode = "Pillow", _pillow_decode
    decode(data[0])

    def every() -> None:
        for page in data:
            decode(page)  # let go at once: keeping them all costs more than decoding them

    return name, _cpu_of(every)[0] / len(pages)


def _pillow_decode(data: bytes) -> None:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.load()


def ingest(pages: Sequence[Path], root: Path, workers: int) -> tuple[float, float, float]:
    """Probe and derive all pages: CPU seconds of all processes, wall seconds, peak MiB of the largest worker."""

    def work() -> float:
        originals = [(path, registry.Original(path, path.name, hashlib.sha512(str(path).encode()).hexdigest(), {})) for path in pages]
        with Sandbox(workers, 2048, 120) as sandbox:
            for _args, found in sandbox.map(probe.probe, ((path, path.name) for path, _original in originals)):
                assert not found.faults, found
            for _args, facts in sandbox.map(registry.make_image, ((original, None, root) for _path, original in originals)):
                assert isinstance(facts, dict), facts
            return max(_peak(child.process.pid) for child in sandbox._children)

    return _cpu_of(work)


def _peak(pid: int) -> float:
    match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


def by_part(pages: Sequence[Path], root: Path) -> list[tuple[str, float]]:
    """CPU seconds a page of probing and of deriving, in this process."""
    limits = probe.ProbeLimits()
    originals = [registry.Original(path, path.name, hashlib.sha512(str(path).encode()).hexdigest(), {}) for path in pages]
    probing = _cpu_of(lambda: [probe.probe(path, path.name, limits) for path in pages])[0]
    deriving = _cpu_of(lambda: [registry.make_image(original, None, root) for original in originals])[0]
    return [("probe", probing / len(pages)), ("derive", deriving / len(pages))]


def _cpu_of(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU seconds of this process and its ended children, wall seconds, and the result."""

    def used() -> float:
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))

    before, start = used(), time.monotonic()
    result = work()
    return used() - before, time.monotonic() - start, result


def film_rows(work: Path, seconds: int) -> list[tuple[str, str, str]]:
    """Rows about film: web copy and storyboard against a bare decode, likeness, and that nothing playable is encoded."""
    source = work / "film.mpg"
    picture = f"testsrc2=size=1280x720:rate=25:duration={seconds},noise=alls=8:allf=t"
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "quiet",
        "-f",
        "lavfi",
        "-i",
        picture,
        "-f",
        "lavfi",
        "-i",
        f"sine=frequency=440:duration={seconds}",
    ]
    subprocess.run([*command, "-c:v", "mpeg2video", "-b:v", "8M", "-g", "12", "-c:a", "mp2", str(source)], check=True)
    found = probe.probe(source, source.name)
    bare = _cpu_of(
        lambda: subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", str(source), "-f", "null", "-"], check=True)
    )[0]
    form, tools = formats.identify(source, source.name), Tools()
    with ffmpeg.alone(source) as url:
        shown = film._Film(
            source, url, form.demuxers, form.key, found.technical["video"], found.technical["audio"], found.duration or 0, tools, 600
        )
        copying = _cpu_of(lambda: film._web_copy(shown, work / "web.mp4", (), None))
        board = _cpu_of(lambda: film._frames(shown))
    how = remux(work / "web.mp4", work)
    return [
        (f"bare decode of {seconds} s of 720p MPEG-2, CPU s", f"{bare:.2f}", ""),
        ("web copy / bare decode", f"{copying[0] / bare:.2f}", "at most 25"),
        ("likeness (SSIM) of the web copy", f"{ssim(work / 'web.mp4', source):.4f}", "at least 0.95"),
        ("storyboard / bare decode", f"{board[0] / bare:.2f}", "at most 0.4"),
        ("the copy, given as Matroska, becomes", how, "remuxed"),
    ]


def remux(copy: Path, work: Path) -> str:
    """How a film that browsers nearly play is given back; its packets must be the same bytes."""
    given, into = work / "given.mkv", work / "again"
    into.mkdir()
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(copy), "-c", "copy", str(given)], check=True)
    found = probe.probe(given, given.name)
    made = film.make(given, given.name, found.technical, found.duration, into)
    assert _packets(given) == _packets(made.files["web.mp4"]), "the picture was changed"
    return str(made.facts["web"]["how"])


def _packets(path: Path) -> str:
    """Digest of the decoded picture."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "md5", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def ssim(copy: Path, source: Path) -> float:
    """Structural likeness of two films of one size, by FFmpeg."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(copy), "-i", str(source), "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"All:([\d.]+)", words)[-1])


if __name__ == "__main__":
    sys.exit(main())
