"""Fill `static/vendor/` with the front-end libraries that `package-lock.json` and `bundles` in `package.json` name.

npm fetches and checks them by digest, without running their scripts; we copy only what a page loads, and each licence beside it.
What `package.json` names under `bundles` is one file with everything in it that it needs (Mirador: 140 packages and 200 MB otherwise); its package
alone is fetched, and must have the digest that stands there. `static/vendor/stamp` holds the digest of both files, so that a second call does nothing. What only tests need (`devDependencies`: axe-core,
and chinese-poetry, permissive text for the proof of search) is fetched with `--tests` alone, stays in `node_modules/`, and is never shipped.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
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
BUNDLES = {"mirador": {"dist/mirador.min.js": "mirador.min.js", "LICENSE": "LICENSE.txt"}}
"""The same for libraries that are fetched without what they were made of."""


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
    with tempfile.TemporaryDirectory() as folder:
        try:
            packages = {name: _fetched(npm, name, pinned, Path(folder)) for name, pinned in bundles(ROOT).items()}
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"npm pack: {error}\n")
            return 3
        copy(ROOT, packages)
    sys.stderr.write("static/vendor: filled\n")
    return 0


def bundles(root: Path) -> dict[str, dict[str, str]]:
    """Library to its exact `version` and the `integrity` (SRI, SHA-512) of its package."""
    found: dict[str, dict[str, str]] = json.loads((root / "package.json").read_text("utf-8"))["bundles"]
    return found


def _fetched(npm: str, name: str, pinned: dict[str, str], folder: Path) -> bytes:
    """The package of a library as the registry has it. Raises ValueError when its digest is another than the one that stands in package.json."""
    command = [npm, "pack", f"{name}@{pinned['version']}", "--ignore-scripts", "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    packed = (folder / done.stdout.split()[-1]).read_bytes()
    check(name, packed, pinned["integrity"])
    return packed


def check(name: str, packed: bytes, integrity: str) -> None:
    """Raises ValueError when a package has another digest than it must."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
    if found != integrity:
        raise ValueError(f"{name}: expected {integrity}, found {found}. Do not use it; ask where this package came from")


def is_filled(root: Path) -> bool:
    """True when `static/vendor/` was filled from the lock file as it stands and every file is there."""
    vendor = root / "static" / "vendor"
    stamp = vendor / "stamp"
    if not stamp.is_file() or stamp.read_text("ascii") != _digest(root):
        return False
    return all((vendor / library / name).exists() for library, names in (COPIES | BUNDLES).items() for name in names.values())


def has_test_packages(root: Path) -> bool:
    """True when every package that only tests need lies in `node_modules/` in the version of the lock file."""
    locked = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = {name: facts["version"] for name, facts in locked.items() if facts.get("dev")}
    return all(_version(root / name / "package.json") == version for name, version in wanted.items())


def _version(package: Path) -> str | None:
    return json.loads(package.read_text("utf-8")).get("version") if package.is_file() else None


def copy(root: Path, packages: dict[str, bytes]) -> None:
    """Copy from `node_modules/` and from packages (name to a gzipped tar file) to `static/vendor/`, replacing what is there; the stamp last."""
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
    for library, packed in packages.items():
        with tarfile.open(fileobj=io.BytesIO(packed)) as package:
            for source, name in BUNDLES[library].items():
                inside = package.extractfile(f"package/{source}")
                if inside is None:
                    raise ValueError(f"{library}: {source} is no file")
                (vendor / library).mkdir(parents=True, exist_ok=True)
                (vendor / library / name).write_bytes(inside.read())
    (vendor / "stamp").write_text(_digest(root), "ascii")


def _digest(root: Path) -> str:
    return hashlib.sha256((root / "package-lock.json").read_bytes() + (root / "package.json").read_bytes()).hexdigest()
