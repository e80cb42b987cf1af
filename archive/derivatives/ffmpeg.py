"""Runs FFmpeg and ffprobe with limits; turns their failure into our errors. The only module that imports ffmpeg-python.

ffmpeg-python builds the arguments; the running is ours, because its own has no time-out, no limits and no progress. A file given by a donor
lies alone (as a link) in an empty folder while FFmpeg reads it, only the protocol `file` is allowed and only the demuxers that its signature
asks for: a relative ffconcat called .mp4 is opened otherwise (measured with 5.1, 7.0 and 8.1).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from archive.derivatives.sandbox_child import die_with_parent
from archive.errors import DecodeError, DiskFull, MissingToolError
from archive.language import _

OLDEST = (4, 4)
"""Oldest FFmpeg we have reason to trust with our filters."""

_TAIL = 16 * 1024
_MAX_OUTPUT = 64 << 30
"""Bytes a single file written by FFmpeg may have."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Names or paths of the programs, as the settings give them."""

    ffmpeg: str = "ffmpeg"
    ffprobe: str = "ffprobe"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: `time` seconds of media written, `errors` lines on standard error, `tail` the last of them."""

    time: float
    errors: int
    tail: str


def locate(tool: str) -> str:
    """The absolute path of a program; raises MissingToolError that says how to get it."""
    found = shutil.which(tool)
    if found is None:
        raise MissingToolError(
            tool,
            _(
                "找不到程序 %(tool)s:请安装 FFmpeg(Debian: apt-get install ffmpeg),或在 settings.toml 中写明 ffmpeg 与 ffprobe 的路径。",
                tool=tool,
            ),
        )
    return str(Path(found).absolute())


def version(tool: str) -> tuple[int, ...]:
    """The version numbers that `tool -version` prints, empty for a build without one (git snapshots); raises MissingToolError."""
    path = locate(tool)
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingToolError(tool, _("程序 %(tool)s 不能运行:%(error)s", tool=path, error=error)) from error
    match = re.search(r"version n?(\d+(?:\.\d+)*)", done.stdout)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def check(tools: Tools) -> list[str]:
    """What is wrong with the programs on this machine, as sentences; empty when all is well."""
    faults = []
    for tool in (tools.ffmpeg, tools.ffprobe):
        try:
            found = version(tool)
        except MissingToolError as error:
            faults.append(str(error))
            continue
        if found and found < OLDEST:
            faults.append(
                _("%(tool)s 的版本 %(found)s 过旧,需要 %(oldest)s 以上。", tool=tool, found=_dotted(found), oldest=_dotted(OLDEST))
            )
    if not faults:
        encoders = subprocess.run(
            [locate(tools.ffmpeg), "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
        faults += [
            _("FFmpeg 缺少编码器 %(name)s,不能制作网页用的副本。", name=name)
            for name in ("libx264", "libmp3lame", " aac ")
            if name not in encoders
        ]
    return faults


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[str]:
    """The file as the only thing in an empty folder, as FFmpeg is to be given it (`file:…`)."""
    with tempfile.TemporaryDirectory(prefix="fangzhi-") as folder:
        link = Path(folder) / "source"
        link.symlink_to(path.absolute())
        yield f"file:{link}"


def source(url: str, demuxers: str, **options: Any) -> Any:
    """An input node with both whitelists; `options` go before -i (`ss`, `skip_frame` …)."""
    return ffmpeg.input(url, protocol_whitelist="file", format_whitelist=demuxers, **options)


def output(*streams: Any, to: Path | str, **options: Any) -> Any:
    """An output node; `to` a path, or `pipe:1`."""
    return ffmpeg.output(*streams, f"file:{to.absolute()}" if isinstance(to, Path) else to, **options)


def together(*outputs: Any) -> Any:
    """Several outputs of one run."""
    return ffmpeg.merge_outputs(*outputs)


def inspect(url: str, demuxers: str, tools: Tools, seconds: float = 60) -> dict[str, Any]:
    """What ffprobe says of format, streams and chapters, as its JSON. Raises DecodeError and MissingToolError."""
    command = [locate(tools.ffprobe), "-v", "error", "-protocol_whitelist", "file", "-format_whitelist", demuxers, "-print_format", "json"]
    command += ["-show_format", "-show_streams", "-show_chapters", "-i", url]
    collected = bytearray()
    ran = _run(command, seconds, None, collected.extend)
    try:
        found = json.loads(collected)
    except ValueError as error:
        raise DecodeError("damaged", ran.tail or "ffprobe gave no JSON") from error
    return dict(found)


def run(
    graph: Any,
    tools: Tools,
    seconds: float,
    *,
    on_progress: Callable[[float], None] | None = None,
    on_output: Callable[[bytes], Any] | None = None,
    log_level: str = "error",
) -> Ran:
    """Run what `graph` (outputs) describes, with `seconds` of CPU and four times that of wall time at most.

    `on_progress` gets seconds of media written, `on_output` what goes to `pipe:1`. Raises DecodeError (`timeout`, `memory`, `damaged`).
    """
    program = locate(tools.ffmpeg)
    arguments = ffmpeg.compile(graph, cmd=program, overwrite_output=True)
    return _run([program, "-nostdin", "-hide_banner", "-v", log_level, *arguments[1:]], seconds, on_progress, on_output, progress=True)


def _run(
    command: Sequence[str],
    seconds: float,
    on_progress: Callable[[float], None] | None,
    on_output: Callable[[bytes], Any] | None,
    progress: bool = False,
) -> Ran:
    reading, writing = os.pipe()
    if progress:
        command = [command[0], "-progress", f"pipe:{writing}", "-nostats", *command[1:]]
    cpu = int(seconds) + 1

    def limit() -> None:
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_OUTPUT, _MAX_OUTPUT))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(writing,),
        preexec_fn=limit,
    )
    os.close(writing)
    watch = _Watch(on_progress, on_output)
    try:
        watch.follow(process, reading, time.monotonic() + 4 * seconds)
        status = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        os.close(reading)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
    tail = watch.tail.decode("utf-8", "replace").strip()
    if "No space left on device" in tail:  # FFmpeg ends with status 0 when only the last bytes did not fit
        raise DiskFull(tail.splitlines()[-1])
    if status:
        raise _failure(status, tail)
    return Ran(watch.time, watch.errors, tail)


def _failure(status: int, tail: str) -> DecodeError:
    last = tail.splitlines()[-1] if tail else ""
    if status in (-24, 152):  # SIGXCPU
        return DecodeError("timeout", last or "CPU limit")
    if "Cannot allocate memory" in tail or status == -9:
        return DecodeError("memory", last)
    if status < 0:
        return DecodeError("crash", f"signal {-status} {last}")
    return DecodeError("damaged", last or f"exit status {status}")


class _Watch:
    """Reads what a running FFmpeg says on three pipes, so that none of them fills up."""

    def __init__(self, on_progress: Callable[[float], None] | None, on_output: Callable[[bytes], Any] | None) -> None:
        self.time = 0.0
        self.errors = 0
        self.tail = b""
        self._on_progress, self._on_output = on_progress, on_output
        self._rest = b""

    def follow(self, process: subprocess.Popen[bytes], progress: int, deadline: float) -> None:
        assert process.stdout and process.stderr
        takers: dict[int, Callable[[bytes], Any]] = {
            process.stdout.fileno(): self._on_output or (lambda data: None),
            process.stderr.fileno(): self._complain,
            progress: self._advance,
        }
        with selectors.DefaultSelector() as selector:
            for descriptor in takers:
                selector.register(descriptor, selectors.EVENT_READ)
            while takers:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise DecodeError("timeout", "no end in sight")
                for key, _events in ready:
                    data = os.read(key.fd, 1 << 16)
                    takers[key.fd](data)
                    if not data:
                        selector.unregister(key.fd)
                        del takers[key.fd]

    def _complain(self, data: bytes) -> None:
        self.errors += data.count(b"\n")
        self.tail = (self.tail + data)[-_TAIL:]

    def _advance(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            name, _equals, value = line.partition(b"=")
            if name == b"out_time_us" and value.strip().lstrip(b"-").isdigit():
                self.time = max(self.time, int(value) / 1e6)
                if self._on_progress:
                    self._on_progress(self.time)
