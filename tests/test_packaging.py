"""What travels in a wheel, and that the folder `collections/` never hides the standard library's module of that name."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tasks import assets

ROOT = Path(__file__).parent.parent
DATA_PACKAGES = {"archive._data.collections", "archive._data.static"}


@pytest.fixture(scope="session")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from, so that nothing is built inside the checkout."""
    source = tmp_path_factory.mktemp("wheel") / "source"
    source.mkdir()
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    for name in ("archive", "ingest", "collections", "static"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    if not (source / "README.md").exists():
        (source / "README.md").write_text("Fangzhi\n", encoding="utf-8")
    return source


def build(source: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Build a wheel as a front end would, with the setuptools that is installed and without the network."""
    script = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", script, str(into)]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="session")
def wheel(source: Path) -> frozenset[str]:
    """Names of the files inside a wheel."""
    vendor = source / "static" / "vendor"
    if not vendor.is_dir():  # the libraries come from npm; a stand-in keeps the rest of these tests meaningful
        vendor.mkdir(parents=True)
        (vendor / "stand-in.js").write_text("", encoding="utf-8")
    done = build(source, source.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = source.parent.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return frozenset(archive.namelist())


def test_no_python_below_collections() -> None:
    assert not list((ROOT / "collections").rglob("*.py*"))


def test_the_standard_library_keeps_its_collections() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import collections; print(collections.__file__)"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not done.stdout.startswith(str(ROOT))


def test_the_package_list_equals_the_folders(setup: configparser.ConfigParser) -> None:
    listed = set(setup["options"]["packages"].split())
    found = {".".join(path.parent.relative_to(ROOT).parts) for top in ("archive", "ingest") for path in (ROOT / top).rglob("__init__.py")}
    missing, extra = found - listed, listed - found - DATA_PACKAGES
    assert not missing, f"folders that setup.cfg does not list: {sorted(missing)}"
    assert not extra, f"packages of setup.cfg without a folder: {sorted(extra)}"


def test_every_python_file_lies_in_a_listed_package(setup: configparser.ConfigParser) -> None:
    listed = set(setup["options"]["packages"].split())
    for top in ("archive", "ingest"):
        for path in (ROOT / top).rglob("*.py"):
            assert ".".join(path.parent.relative_to(ROOT).parts) in listed, path


@pytest.mark.parametrize(
    ("folder", "pattern", "inside"),
    [
        ("archive", "**/*.py", "archive"),
        ("ingest", "**/*.py", "ingest"),
        ("collections", "**/*.toml", "archive/_data/collections"),
        ("archive/web/templates", "**/*.*", "archive/web/templates"),
        ("archive/locale", "**/*.po", "archive/locale"),
        ("archive/catalogue/migrations", "**/*.mako", "archive/catalogue/migrations"),
        ("static/css", "**/*.*", "archive/_data/static/css"),
        ("static/js", "**/*.*", "archive/_data/static/js"),
    ],
)
def test_the_wheel_holds_every_file_of(wheel: frozenset[str], folder: str, pattern: str, inside: str) -> None:
    base = ROOT / folder
    files = [path for path in base.glob(pattern) if path.is_file() and "__pycache__" not in path.parts]
    missing = [str(path.relative_to(ROOT)) for path in files if f"{inside}/{path.relative_to(base).as_posix()}" not in wheel]
    assert not missing


def test_the_wheel_holds_the_vendored_libraries(wheel: frozenset[str]) -> None:
    vendor = ROOT / "static" / "vendor"
    if not vendor.is_dir() or not any(vendor.rglob("*.*")):
        pytest.skip("static/vendor is empty: run `make assets` first")
    files = [path for path in vendor.rglob("*") if path.is_file()]
    assert all(f"archive/_data/static/vendor/{path.relative_to(vendor).as_posix()}" in wheel for path in files)


def test_a_wheel_without_the_libraries_is_not_built(source: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(source, bare, ignore=shutil.ignore_patterns("vendor", "build", "*.egg-info"))
    done = build(bare, tmp_path)
    assert done.returncode != 0 and "make assets" in done.stderr
    assert not list(tmp_path.glob("*.whl"))


def test_the_wheel_holds_nothing_of_the_tests(wheel: frozenset[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert tops - {"archive", "ingest"} == {name for name in tops if name.endswith(".dist-info")}


def test_what_only_tests_need_is_not_shipped(wheel: frozenset[str]) -> None:
    needed = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    assert "chinese-poetry" in needed
    assert not any(name in shipped for name in needed for shipped in (*wheel, *assets.COPIES))
