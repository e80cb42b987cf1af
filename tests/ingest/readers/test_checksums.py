"""What a donor's manifests say, against the files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tree import plant

from archive.storage.digests import digest_file
from ingest.readers.checksums import check_manifests
from ingest.task import GivenFile


def checked(folder: Path) -> set[tuple[str, str]]:
    files = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest = digest_file(path)
        files.append(GivenFile(str(path.relative_to(folder)), path, digest.size, 0, sha512=digest.sha512, sha256=digest.sha256))
    return {(f.code, f.path or "") for f in check_manifests(files).findings}


def digest(name: str, data: str) -> str:
    return hashlib.new(name, data.encode()).hexdigest()


def test_manifests_of_every_kind(tmp_path: Path) -> None:
    folder = plant(
        tmp_path,
        {
            "a.txt": "a",
            "b 文.txt": "b",
            "manifest-sha256.txt": f"{digest('sha256', 'a')}  a.txt\n{digest('sha256', 'x')} *b 文.txt\n",
            "c.txt": "c",
            "c.txt.md5": digest("md5", "c").upper() + "\n",
            "d.txt": "d",
            "d.txt.sha1": f"{digest('sha1', 'x')}  d.txt\n",
            "SHA512SUMS": f"{digest('sha512', 'a')}  ./a.txt\n{digest('sha512', 'z')}  z.txt\n",
        },
    )
    assert checked(folder) == {("fixity-mismatch", "b 文.txt"), ("fixity-mismatch", "d.txt"), ("fixity-missing", "z.txt")}


def test_a_manifest_need_not_name_everything_outside_a_bag(tmp_path: Path) -> None:
    assert checked(plant(tmp_path, {"a.txt": "a", "b.txt": "b", "manifest-md5.txt": f"{digest('md5', 'a')} a.txt"})) == set()


def test_a_text_that_only_has_the_name_is_no_manifest(tmp_path: Path) -> None:
    assert checked(plant(tmp_path, {"a.md5": "说明", "a": "x"})) == set()
