"""Small true files of every kind, made when a test asks for them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MakeMedia = Callable[..., Path]


@pytest.fixture
def media(tmp_path: Path) -> MakeMedia:
    """Make a recording with FFmpeg: name, then output options; two seconds of a tone (and a test picture for `video=True`)."""

    def make(name: str, *options: str, video: bool = False, seconds: float = 2, inputs: tuple[str, ...] = ()) -> Path:
        path = tmp_path / name
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs]
        if video:
            command += ["-f", "lavfi", "-i", f"testsrc=size=176x144:rate=25:duration={seconds}"]
        command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", *options, str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path

    return make
