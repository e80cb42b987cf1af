"""A store on a temporary folder, and ocfl-py as the judge of what it writes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import ocfl
import pytest

from archive.storage.ocfl import OcflStore

Judge = Callable[[Path], int]


@pytest.fixture
def store(tmp_path: Path) -> OcflStore:
    """An empty store."""
    made = OcflStore(tmp_path / "originals", tmp_path / "staging")
    made.init()
    return made


@pytest.fixture
def judge() -> Judge:
    """Let ocfl-py validate a whole storage root with all digests; gives the number of objects, fails with its words."""

    def validate(root: Path) -> int:
        storage_root = ocfl.StorageRoot(root=str(root))
        valid = storage_root.validate()
        assert valid, str(storage_root.log)
        assert storage_root.good_objects == storage_root.num_objects, "\n".join(text for _path, text in storage_root.errors)
        return int(storage_root.num_objects)

    return validate


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB of its own; needs root."""
    place = tmp_path / "tiny"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)
