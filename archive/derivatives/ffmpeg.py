"""Runs FFmpeg and ffprobe, and is the only module that knows ffmpeg-python. Its builder writes the arguments; our runner runs them, because
ffmpeg-python's own has no time-out, no progress and no words for a failure.

Every file from outside is read with both whitelists: protocols (only `file`) and formats (only containers of sound and film), so that a
playlist, an SDP, an SVG or an ffconcat script dressed up as a film opens nothing; and alone in an empty folder, as `file:…`, so that a relative
name in it finds nothing and a name beginning with "-" is no option. Measured traps: an ffconcat with a relative path renamed .mp4 is opened with
the protocol whitelist alone (ffmpeg 5.1, 7.0, 8.1); only the format whitelist stops it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ffmpeg

from archive.errors import DecodeError, MissingToolError
from archive.language import _
from archive.settings import Settings

FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,gsm,gxf,iff,ivf,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpc,mpc8,mpeg,mpegts,mpegvideo,mxf,nut,ogg,oma,rm,shn,sox,swf,tak,tta,voc,w64,wav,wtv,wv,xwma"
)
"""Demuxers of sound and film that donors bring; none of them reads another file."""
_GUARDS: dict[str, Any] = {"protocol_whitelist": "file,pipe", "format_whitelist": FORMATS}
_TAIL = 2000
"""Characters of ffmpeg's own words that are kept for an error."""
_OUTPUT_LIMIT = 64 << 30
"""Bytes that one file written by ffmpeg may have."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Absolute paths of the programs, and ffmpeg's version."""

    ffmpeg: str
    ffprobe: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.ffmpeg} {self.version}"


def find_tools(settings: Settings) -> Tools:
    """ffmpeg and ffprobe as the settings name them; raises MissingToolError saying which is missing and how to get it."""
    found = {}
    for name, wanted in (("ffmpeg", settings.ffmpeg), ("ffprobe", settings.ffprobe)):
        path = shutil.which(wanted)
        if path is None:
            message = _(
                "找不到 %(name)s（设置为 %(wanted)s）。Debian：apt-get install ffmpeg；或在 settings.toml 里写明路径。",
                name=name,
                wanted=wanted,
            )
            raise MissingToolError(name, message)
        found[name] = str(Path(path).absolute())
    return Tools(found["ffmpeg"], found["ffprobe"], _version(found["ffmpeg"]))


@cache
def _version(program: str) -> str:
    done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)
    match = re.match(r"ffmpeg version (\S+)", done.stdout)
    if match is None:
        raise MissingToolError("ffmpeg", _("%(path)s 运行不了：%(why)s", path=program, why=done.stderr[-200:] or done.returncode))
    return match[1]


@contextlib.contextmanager
def alone(path: Path) -> Iterator[Path]:
    """The file as the only thing in an empty folder, under a plain name, so that nothing it names by a relative path is found."""
    with tempfile.TemporaryDirectory(prefix="fangzhi-av-") as folder:
        suffix = path.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,5}", path.suffix) else ""
        link = Path(folder) / f"file{suffix}"
        link.symlink_to(path.absolute())
        yield link


def source(path: Path, **options: Any) -> Any:
    """A guarded input node for ffmpeg-python; `options` are input options (`ss`, `t`, `skip_frame` …)."""
    return ffmpeg.input(f"file:{path}", **_GUARDS, **options)


def probe_streams(path: Path, tools: Tools, *, seconds: float = 60) -> dict[str, Any]:
    """ffprobe's `format`, `streams` and `chapters`; raises DecodeError (`damaged`) when no container of sound or film is recognised."""
    command = [tools.ffprobe, "-v", "error", "-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS]
    command += ["-print_format", "json", "-show_format", "-show_streams", "-show_chapters", f"file:{path}"]
    out, _err = _run(command, seconds=seconds, cpu=seconds)
    found: dict[str, Any] = json.loads(out or b"{}")
    if not found.get("streams"):
        raise DecodeError("damaged", _("里面没有声音或影像的数据流"))
    return found


def run(
    tools: Tools,
    outputs: Any | Sequence[Any],
    *,
    seconds: float,
    global_options: Sequence[str] = (),
    progress: Callable[[float], None] | None = None,
) -> str:
    """Run what ffmpeg-python's output nodes describe; ffmpeg's words (stderr). `seconds` bounds wall and, per core, CPU time.

    `progress` is told seconds of output. Raises DecodeError (`damaged`, `timeout`, `crash`) with the tail of ffmpeg's words.
    """
    nodes = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    node = ffmpeg.merge_outputs(*nodes) if len(nodes) > 1 else nodes[0]
    arguments = ffmpeg.get_args(node, overwrite_output=True)
    command = [tools.ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "info", "-nostats", *global_options]
    command += [*(["-progress", "pipe:1"] if progress else []), *arguments]
    _out, words = _run(command, seconds=seconds, cpu=seconds * (os.cpu_count() or 1), progress=progress)
    return words


def decode_through(path: Path, tools: Tools, *, sound: bool, film: bool, seconds: float) -> tuple[float, str]:
    """Decode the first sound and the first moving picture and throw them away: seconds decoded (the longest), and ffmpeg's words.

    Raises DecodeError when nothing decodes. A file cut short ends with status 0: compare the seconds with those of the container.
    """
    last = 0.0

    def told(at: float) -> None:
        nonlocal last
        last = max(last, at)

    node = source(path)
    streams = [node[name] for name, there in (("a:0", sound), ("V:0", film)) if there]
    words = run(tools, ffmpeg.output(*streams, "-", f="null"), seconds=seconds, progress=told)
    return last, words


def _limit(child: subprocess.Popen[bytes], cpu: float) -> None:
    whole = int(cpu) + 1
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (whole, whole + 5))
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (_OUTPUT_LIMIT, _OUTPUT_LIMIT))


def _run(command: Sequence[str], *, seconds: float, cpu: float, progress: Callable[[float], None] | None = None) -> tuple[bytes, str]:
    child = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _limit(child, cpu)
    words: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(child, words), daemon=True)
    listener.start()
    timer = threading.Timer(seconds, _kill, args=(child,))
    timer.start()
    try:
        out = _follow(child, progress)
        status = child.wait()
    finally:
        late = not timer.is_alive()
        timer.cancel()
        _kill(child)
        child.wait()
        listener.join(5)
        for stream in (child.stdout, child.stderr):
            if stream:
                stream.close()
    tail = b"".join(words)[-_TAIL:].decode(errors="replace")
    if status == 0:
        return out, tail
    if late or status == -signal.SIGXCPU:
        raise DecodeError("timeout", _("%(seconds)d 秒内没有处理完", seconds=seconds))
    if status < 0 and status not in (-signal.SIGTERM, -signal.SIGKILL):
        raise DecodeError("crash", _("解码器崩溃（信号 %(signal)d）", signal=-status))
    raise DecodeError("damaged", _last_line(tail))


def _follow(child: subprocess.Popen[bytes], progress: Callable[[float], None] | None) -> bytes:
    assert child.stdout is not None
    if progress is None:
        return child.stdout.read()
    for line in child.stdout:
        name, _equals, value = line.decode(errors="replace").strip().partition("=")
        if name == "out_time_us" and value.lstrip("-").isdigit():
            progress(max(0, int(value)) / 1_000_000)
    return b""


def _listen(child: subprocess.Popen[bytes], words: list[bytes]) -> None:
    assert child.stderr is not None
    kept = 0
    for line in child.stderr:
        words.append(line)
        kept += len(line)
        while kept > 64 * _TAIL and len(words) > 1:  # a broken film complains once a frame
            kept -= len(words.pop(0))


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)


def _last_line(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return lines[-1][:300] if lines else _("ffmpeg 没有说明原因")
