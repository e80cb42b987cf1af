"""Fill `static/vendor/` with the front-end libraries that `package-lock.json` names.

npm fetches and checks them by digest, without running their scripts; we copy only what a page loads, and each licence beside it.
`static/vendor/stamp` holds the digest of the lock file, so that a second call does nothing. What only tests need (`devDependencies`: axe-core,
and chinese-poetry, permissive text for the proof of search) is fetched with `--tests` alone, stays in `node_modules/`, and is never shipped.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VENDOR = ROOT / "static" / "vendor"

COPIES = {
    "openseadragon": {
        "build/openseadragon/openseadragon.min.js": "openseadragon.min.js",
        "build/openseadragon/images": "images",
        "LICENSE.txt": "LICENSE.txt",
    },
}
"""Library → what is taken from its npm package → its name in `static/vendor/LIBRARY/`."""


def main(arguments: list[str]) -> int:
    """Fill `static/vendor/` unless it already agrees with the lock file (`--force`: in any case; `--tests`: what tests need too); 0 done, 3 when npm failed."""
    tests = "--tests" in arguments
    if "--force" not in arguments and is_filled(ROOT) and (not tests or has_test_packages(ROOT)):
        sys.stderr.write("static/vendor: up to date\n")
        return 0
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("npm is not on this machine. Debian: apt-get install npm. Then again: python -m tasks assets\n")
        return 3
    # --ignore-scripts: a library's install script is code that nobody here has read.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *([] if tests else ["--omit=dev"])]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)
    if done.returncode != 0:
        sys.stderr.write("npm ci failed: its words stand above. Is the registry reachable from here?\n")
        return 3
    copy(ROOT)
    sys.stderr.write("static/vendor: filled\n")
    return 0


def is_filled(root: Path) -> bool:
    """True when `static/vendor/` was filled from the lock file as it stands and every file is there."""
    vendor = root / "static" / "vendor"
    stamp = vendor / "stamp"
    if not stamp.is_file() or stamp.read_text("ascii") != _digest(root):
        return False
    return all((vendor / library / name).exists() for library, names in COPIES.items() for name in names.values())


def has_test_packages(root: Path) -> bool:
    """True when every package that only tests need lies in `node_modules/` in the version of the lock file."""
    locked = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = {name: facts["version"] for name, facts in locked.items() if facts.get("dev")}
    return all(_version(root / name / "package.json") == version for name, version in wanted.items())


def _version(package: Path) -> str | None:
    return json.loads(package.read_text("utf-8")).get("version") if package.is_file() else None


def copy(root: Path) -> None:
    """Copy from `node_modules/` to `static/vendor/`, replacing what is there; the stamp last."""
    vendor = root / "static" / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    for library, names in COPIES.items():
        for source, name in names.items():
            origin, target = root / "node_modules" / library / source, vendor / library / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if origin.is_dir():
                shutil.copytree(origin, target)
            else:
                shutil.copyfile(origin, target)
    (vendor / "stamp").write_text(_digest(root), "ascii")


def _digest(root: Path) -> str:
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
