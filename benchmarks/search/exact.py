"""Recall and precision: the proof by brute force (`exactness`), run as the command it is, and what it says as figures."""

from __future__ import annotations

import re
import subprocess
import sys

from benchmarks.search.figure import Figure, Given
from benchmarks.search.latency import ensure_index
from benchmarks.search.table import ROOT

STRINGS = 2000


def exact(given: Given) -> list[Figure]:
    """2,000 strings against brute force that was written independently; what must hold of forms."""
    ensure_index(given)
    command = [sys.executable, "-m", "benchmarks.search.exactness", str(given.leaves), "--index", str(given.index)]
    command += ["--strings", str(STRINGS), *(["--limit", str(given.limit)] if given.limit else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout)
    said = dict(re.findall(r"^(strings|recall|precision|totals equal|occurrences equal) +(.+)$", done.stdout, re.MULTILINE))
    row = "recall and precision"
    if done.returncode not in (0, 1) or not said:
        return [Figure(row, "proof", "1.0", f"did not run: {done.stderr.strip()[-200:]}", False)]
    wrong = len(re.findall(r"^  NO ", done.stdout, re.MULTILINE))
    held = len(re.findall(r"^  yes ", done.stdout, re.MULTILINE))
    figures = [Figure(row, name, "1.0", said[name], float(said[name]) == 1.0, said["strings"]) for name in ("recall", "precision")]
    for name in ("totals equal", "occurrences equal"):
        one, of = said[name].split(" of ")
        figures.append(Figure(row, name, "all", said[name], one == of))
    return [*figures, Figure(row, "claims of forms", "all", f"{held} of {held + wrong}", not wrong and done.returncode == 0)]
