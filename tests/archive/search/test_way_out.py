"""The way out stays open: search finds the same on whoosh-reloaded 2.7.5, whose import name is that of the Whoosh we use.

It is installed by `requirements-way-out.lock` into a folder of its own (`.way-out/`, kept between runs), and the contract and the brute-force tests
of search run in a process that finds it first. Nothing is skipped: where it cannot be installed, this fails.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements-way-out.lock"
TESTS = ("tests/contracts/test_search_index.py", "tests/archive/search/test_search_against_brute_force.py")
_RUN = """
import sys
import pytest
import whoosh
folder, *words = sys.argv[1:]
assert whoosh.__file__.startswith(folder), whoosh.__file__
assert whoosh.__version__ == (2, 7, 5), whoosh.__version__
sys.exit(pytest.main(words))
"""


@pytest.fixture
def reloaded() -> Path:
    """The folder it is installed in; made when the lock file changed."""
    folder = ROOT / ".way-out" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q", "--no-deps"]
            done = subprocess.run(
                [*command, "--require-hashes", "-r", str(LOCK), "--upgrade", "--target", str(folder)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return folder


@pytest.mark.slow
def test_search_finds_the_same_on_whoosh_reloaded(reloaded: Path) -> None:
    words = ["-q", "-p", "no:cacheprovider", "-k", "not against_brute_force or many", *TESTS]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"PYTHONPATH": f"{reloaded}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(reloaded), *words], cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
