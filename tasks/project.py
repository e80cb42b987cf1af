"""install, demo, test, check: the tasks that the README names."""

from __future__ import annotations

import os
import subprocess

from tasks import assets, system
from tasks.system import ENVIRONMENT, PYTHON, ROOT, run, say

HOME = ROOT / "demo-home"
SAMPLE = ROOT / "tests" / "data" / "sample"
FANGZHI = ENVIRONMENT / "bin" / "fangzhi"


def install(arguments: list[str]) -> int:
    """System packages, environment, front-end libraries; with `--tests` what the tests need besides."""
    tests = "--tests" in arguments
    programs = system.RUN | (system.TEST if tests else {})
    return system.debian(programs, fonts=tests) or system.environment(tests=tests) or assets.main(["--tests"] if tests else [])


def demo(arguments: list[str]) -> int:
    """Install, make an archive home, take the sample donation in, serve it. A second run starts in seconds."""
    status = install([])
    if status:
        return status
    if not (HOME / "settings.toml").exists() and run(FANGZHI, "--home", HOME, "init"):
        return 3
    say("taking in the sample donation (unchanged files are passed over)")
    # exit status 1 is right: the sample holds one deliberately messy folder, and its faults are findings
    if run(FANGZHI, "--home", HOME, "ingest", "run", SAMPLE, "--quick") not in (0, 1):
        return 3
    if run(FANGZHI, "--home", HOME, "search", "志", "--limit", "1", quiet=True) == 3:  # made by an earlier release
        run(FANGZHI, "--home", HOME, "rebuild", "index")
    port = arguments[0] if arguments else os.environ.get("PORT", "8000")
    try:
        return run(FANGZHI, "--home", HOME, "serve", "--port", port)
    except KeyboardInterrupt:
        return 0


def check(arguments: list[str]) -> int:
    """What a reviewer reads first: format, lint, types, layers."""
    bin_ = ENVIRONMENT / "bin"
    return (
        run(bin_ / "ruff", "format", "--check", ".") or run(bin_ / "ruff", "check", ".") or run(bin_ / "mypy") or run(bin_ / "lint-imports")
    )


def test(arguments: list[str]) -> int:
    """Install what tests need, then all that CI runs: `check`, then pytest on every core."""
    status = install(["--tests"]) or check([])
    if status:
        return status
    cores = str(os.cpu_count() or 1)
    words = [PYTHON, "-m", "pytest", "-n", cores, "--dist", "loadfile", *arguments]
    return subprocess.run(words, cwd=ROOT, check=False, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}).returncode
