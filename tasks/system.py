"""Debian packages and the virtual environment: what set-up installs, and only where it is missing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
RUN = {"ffmpeg": "ffmpeg", "npm": "npm"}
"""Program → Debian package that the archive needs to be set up and to run."""
TEST = {"chromium": "chromium", "7z": "p7zip-full"}
"""Program → Debian package that only the tests need."""
FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")


def say(message: str) -> None:
    """Talk to whoever set this going."""
    sys.stderr.write(f"» {message}\n")


def run(*command: str | Path, quiet: bool = False) -> int:
    """Run a command in the checkout; its exit status. With `quiet` its output is shown only when it fails."""
    words = [str(word) for word in command]
    if not quiet:
        return subprocess.run(words, cwd=ROOT, check=False).returncode
    done = subprocess.run(words, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
    return done.returncode


def debian(programs: dict[str, str], *, fonts: bool = False) -> int:
    """Install the Debian packages of programs that are missing; 0 when everything is there, 3 when it cannot be put there."""
    packages = [package for program, package in programs.items() if shutil.which(program) is None]
    if fonts and not FONT.exists():
        packages.append("fonts-noto-cjk")
    if not packages:
        return 0
    if shutil.which("apt-get") is None:
        say(f"missing: {', '.join(packages)}. Install them by this system's package manager, then run again.")
        return 3
    say(f"installing Debian's {', '.join(packages)}")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    run(*sudo, "apt-get", "update", "-qq", quiet=True)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "-y", "-qq", "--no-install-recommends"]
    return 3 if run(*sudo, *environment, *install, *packages, quiet=True) else 0


def environment(*, tests: bool) -> int:
    """The virtual environment `.venv`: the lock file's distributions by digest, this checkout editable; made again only when either changed."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs before any package says which Python it needs
        say(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
        return 3
    stamp = ENVIRONMENT / "fangzhi-stamp"
    full, small = _stamp("requirements-test.lock"), _stamp("requirements.lock")
    have = stamp.read_text("utf-8") if stamp.exists() and PYTHON.exists() else ""
    if have == full or (have == small and not tests):
        return 0
    if not PYTHON.exists() and _make():
        return 3
    say("installing Python packages (some minutes the first time)")
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q"]
    lock = "requirements-test.lock" if tests else "requirements.lock"
    if run(*pip, "--require-hashes", "-r", lock, quiet=True) or run(*pip, "--no-deps", "-e", ".", quiet=True):
        return 3
    say("compiling the inner loops of the search (half a minute, once)")
    if run(PYTHON, "-m", "archive.search.loading", quiet=True):
        return 3
    stamp.write_text(full if tests else small, "utf-8")
    return 0


def _stamp(lock: str) -> str:
    return hashlib.sha256((ROOT / "setup.cfg").read_bytes() + (ROOT / lock).read_bytes()).hexdigest()


def _make() -> int:
    say("making .venv")
    for attempt in (1, 2):
        try:
            venv.create(ENVIRONMENT, with_pip=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            if attempt == 1 and debian({"ensurepip": "python3-venv"}) == 0:
                continue
            return 3
        return 0
    return 3
