"""Derivatives on the disk: a folder for each (original, part, recipe), named by digest and never by item.

Access is decided where they are served. `put` makes a folder whole or not at all, so whatever stands can be used; all of it can be made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from archive.derivatives.base import Made

FACTS = "facts.json"
_SHA512 = re.compile(r"[0-9a-f]{128}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")


class DerivativeStore:
    """The folder `root`. A recipe is a name with its version (`image-1`); a new version is another folder, so it is made anew."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, sha512: str, part: int | None, recipe: str) -> Path:
        """Where the derivative lies or would lie; raises ValueError for what is no digest or no recipe name."""
        if not _SHA512.fullmatch(sha512) or not _NAME.fullmatch(recipe):
            raise ValueError(f"no derivative can be called {sha512[:20]!r} {recipe!r}")
        return self._of(sha512) / ("whole" if part is None else str(int(part))) / recipe

    def get(self, sha512: str, part: int | None, recipe: str, name: str) -> Path | None:
        """The file `name` of a derivative, None when it was not made."""
        if not _NAME.fullmatch(name):
            return None
        path = self.folder(sha512, part, recipe) / name
        return path if path.is_file() else None

    def facts(self, sha512: str, part: int | None, recipe: str) -> dict[str, Any] | None:
        """The facts kept with a derivative, None when it was not made (or did not survive a power cut whole)."""
        folder = self.folder(sha512, part, recipe)
        try:
            record = json.loads((folder / FACTS).read_bytes())
            if all((folder / name).stat().st_size == size for name, size in record["files"].items()):
                return dict(record["facts"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return None

    @contextlib.contextmanager
    def workplace(self) -> Iterator[Path]:
        """A folder on the same file system to make a derivative in; gone afterwards."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.sweep()
        folder = Path(tempfile.mkdtemp(prefix=f".making-{os.getpid()}-", dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, sha512: str, part: int | None, recipe: str, made: Made) -> Mapping[str, Any]:
        """Take the files of `made` (moved when they lie on the same file system) and give its facts. What stood there before is replaced."""
        final = self.folder(sha512, part, recipe)
        final.parent.mkdir(parents=True, exist_ok=True)
        with self.workplace() as aside:
            new = aside / "new"
            new.mkdir()
            for name, path in made.files.items():
                if not _NAME.fullmatch(name) or name == FACTS:
                    raise ValueError(f"no file of a derivative can be called {name!r}")
                shutil.move(path, new / name)
            sizes = {name: (new / name).stat().st_size for name in made.files}
            (new / FACTS).write_text(json.dumps({"facts": dict(made.facts), "files": sizes}, ensure_ascii=False), "utf-8")
            _swap(new, final, aside / "old")
        return made.facts

    def remove(self, sha512: str) -> None:
        """Remove everything made from an original."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._of(sha512))

    def originals(self) -> Iterator[str]:
        """Digests of all originals that something was made from."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")):
            if _SHA512.fullmatch(folder.name):
                yield folder.name

    def sweep(self) -> int:
        """Remove what makers that were killed left behind; the number of folders. Those of living processes stay."""
        left = [folder for folder in self.root.glob(".making-*") if not _lives(folder.name.split("-")[1])]
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def _of(self, sha512: str) -> Path:
        if not _SHA512.fullmatch(sha512):
            raise ValueError(f"{sha512[:20]!r} is no SHA-512")
        return self.root / sha512[:2] / sha512


def _lives(process: str) -> bool:
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _swap(new: Path, final: Path, old: Path) -> None:
    """Put `new` in the place of `final`; whoever comes second wins, and a reader finds one or the other."""
    for _attempt in range(10):
        try:
            new.rename(final)
            return
        except OSError:
            if not final.is_dir():
                raise
            with contextlib.suppress(FileNotFoundError):
                final.rename(old.with_name(f"old-{os.urandom(4).hex()}"))
    raise OSError(f"{final}: others keep writing here")
