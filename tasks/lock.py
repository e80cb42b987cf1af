"""Write the lock files anew from setup.cfg, every distribution with its digests (needs pip-tools; a maintainer's task).

`requirements.lock` is what the archive runs on, `requirements-test.lock` the same with every extra but `bench`, `requirements-way-out.lock` the Whoosh we could
go to (docs/decisions/search.md): tests keep it working in a folder of its own, since it has the import name of the one we use.
"""

from __future__ import annotations

import configparser
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
WAY_OUT = "whoosh-reloaded==2.7.5"


def main(arguments: list[str]) -> int:
    """Resolve what setup.cfg asks for; 0 done."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    runtime = config["options"]["install_requires"]
    extras = "".join(wanted for name, wanted in config["options.extras_require"].items() if name != "bench")
    return (
        _resolve(runtime + extras, "requirements-test.lock", arguments)
        or _resolve(runtime, "requirements.lock", [*arguments, "-c", str(ROOT / "requirements-test.lock")])
        or _resolve(WAY_OUT, "requirements-way-out.lock", arguments)
    )


def _resolve(wanted: str, name: str, arguments: list[str]) -> int:
    quiet = ["--quiet", "--no-header", "--no-annotate", "--strip-extras", "--allow-unsafe"]
    bare = ["--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links", "--generate-hashes"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text(wanted, "utf-8")
        command = [sys.executable, "-m", "piptools", "compile", *quiet, *bare, *arguments, "-o", str(ROOT / name), str(source)]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
