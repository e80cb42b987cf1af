"""Real parts for every test: an archive home on disk, the command as a person runs it, the sample taken in once."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive import language
from archive.assembly import Archive, make_home, open_archive
from archive.settings import load_settings

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "sample"
SMALL = DATA / "small"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Fangzhi:
    """The `fangzhi` command over one home, in a process of its own."""

    home: Path

    def __call__(self, *words: str | Path, ok: tuple[int, ...] = (0, 1), cwd: Path | None = None) -> Said:
        """Run it; fails the test when the exit status is none of `ok` or a traceback was shown."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, cwd=cwd, env=self.environment(), check=False)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in ok, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return Said(done.returncode, done.stdout, done.stderr)

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-W", "ignore", "-m", "archive", "--home", str(self.home), "--lang", "zh", *map(str, words)]

    def environment(self) -> dict[str, str]:
        root = Path(__file__).parent.parent
        return os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}

    def archive(self) -> Archive:
        return open_archive(load_settings(self.home))


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    """Each test begins in Chinese, whatever language a test before it put in force in this process."""
    language.choose("zh")
    yield
    language.choose("zh")


def _new_home(home: Path) -> None:
    """A home whose rebuilds do not read every image by machine; tests of that ask for it."""
    make_home(home)
    with (home / "settings.toml").open("a", encoding="utf-8") as stream:
        stream.write("find_lines = false\n")


@pytest.fixture
def fangzhi(tmp_path: Path) -> Fangzhi:
    """The command over a new, empty archive."""
    _new_home(tmp_path / "home")
    return Fangzhi(tmp_path / "home")


@pytest.fixture(scope="session")
def command() -> type[Fangzhi]:
    """The command for a home of the test's own choosing (`from conftest import …` finds whichever conftest was loaded last)."""
    return Fangzhi


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    folder = base / name
    with (base / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample donation in it, made once; read it, and copy it (`sample`) to change it."""

    def make(folder: Path) -> None:
        _new_home(folder / "home")
        said = Fangzhi(folder / "home")("ingest", "run", SAMPLE, "--json")
        (folder / "run.json").write_text(said.out, "utf-8")

    return _once(tmp_path_factory, "sample", make) / "home"


@pytest.fixture
def sample(sample_home: Path, tmp_path: Path) -> Fangzhi:
    """The command over a copy of the sample archive of the test's own."""
    shutil.copytree(sample_home, tmp_path / "home", symlinks=True)
    return Fangzhi(tmp_path / "home")


@pytest.fixture
def small_archive(fangzhi: Fangzhi) -> Iterator[Archive]:
    """An open archive with the small donation in it."""
    fangzhi("ingest", "run", SMALL)
    archive = fangzhi.archive()
    yield archive
    archive.close()
