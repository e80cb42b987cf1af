"""Every folder below a directory of donations through `check` and `run`: same findings, accounting true, no traceback, what became of each file.

    python benchmarks/donations.py DIRECTORY [--files FOLDER-NAME] [--keep HOME]

Exit status 1 when any of it is not so. `--files` prints the fate of each file of one folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

GOOD = ("accepted", "duplicate")


def fangzhi(home: Path, *words: str) -> tuple[int, str, str]:
    """One command over the home: exit status, stdout, stderr."""
    command = [sys.executable, "-m", "archive", "--home", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def one(folder: Path, home: Path) -> tuple[dict[str, Any], list[str]]:
    """What `run` said of a folder, and what was not as it must be."""
    faults = []
    answers = []
    for verb in ("check", "run"):
        status, out, err = fangzhi(home, "ingest", verb, str(folder), "--json")
        if "Traceback" in err or status not in (0, 1):
            return {}, [f"{verb}: exit {status}: {err.strip()[-400:]}"]
        answers.append(json.loads(out))
    checked, ran = answers
    for answer in answers:
        files = answer["files"]
        if files["given"] != sum(files[k] for k in ("accepted", "duplicate", "ignored", "refused")):
            faults.append(f"accounting: {files}")
    on_disk = sum(1 for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if ran["files"]["given"] < on_disk:
        faults.append(f"{on_disk} files on disk, {ran['files']['given']} accounted for")
    strip = [sorted(json.dumps(f, sort_keys=True) for f in answer["findings"]) for answer in answers]
    if strip[0] != strip[1]:
        only = [set(strip[0]) - set(strip[1]), set(strip[1]) - set(strip[0])]
        faults.append(f"findings differ: only check {sorted(only[0])[:3]}, only run {sorted(only[1])[:3]}")
    if checked["files"] != ran["files"]:
        faults.append(f"check counted {checked['files']}")
    return ran, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.keep or Path(temporary) / "home"
        fangzhi(home, "init")
        print(f"{'given':>6}{'accept':>8}{'dupl':>6}{'ignor':>7}{'refus':>7}{'items':>7}{'good':>7}  folder; findings")
        for folder in sorted(path for path in arguments.directory.iterdir() if path.is_dir()):
            ran, faults = one(folder, home)
            if ran:
                f = ran["files"]
                share = (f["accepted"] + f["duplicate"]) / max(1, f["given"] - f["ignored"])
                codes = Counter(finding["code"] for finding in ran["findings"])
                print(
                    f"{f['given']:6}{f['accepted']:8}{f['duplicate']:6}{f['ignored']:7}{f['refused']:7}{ran['items']['ingested']:7}{share:7.0%}"
                    f"  {folder.name}; {', '.join(f'{c} {n}' for c, n in codes.most_common())}"
                )
            for fault in faults:
                failed = True
                print(f"       ✗ {folder.name}: {fault}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
