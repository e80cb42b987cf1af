"""Finds the files that a row of a sheet means: a folder, a file, a pattern, several with `;`, or nothing but the row's own name.

Donors write names as they remember them: width, letter case, blanks, slashes and the way there do not matter; anything else does.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.search.chinese import fold
from ingest.readers.order import plain, split_name
from ingest.task import GivenFile

MOST_PROPOSALS = 100
"""A sheet whose every file is missing lies beside the wrong folder; names near each are no help then, and slow to find."""


@dataclass(frozen=True, slots=True)
class Found:
    """Files that a name means; `ambiguous` when it fits files in several folders and the nearest were taken."""

    files: tuple[GivenFile, ...]
    ambiguous: bool = False


def _norm(path: str) -> str:
    parts = [plain(part) for part in path.replace("\\", "/").split("/")]
    return "/".join(part for part in parts if part not in ("", "."))


class Names:
    """The files of a donation by what they may be called."""

    def __init__(self, files: Iterable[GivenFile]) -> None:
        self.files = [file for file in files if file.location is not None and not file.litter]
        self.paths: dict[str, list[GivenFile]] = {}
        self.names: dict[str, list[GivenFile]] = {}
        self.stems: dict[str, list[GivenFile]] = {}
        self.folders: dict[str, list[GivenFile]] = {}
        self.folded: dict[str, list[str]] = {}
        self.below: dict[tuple[str, str], list[GivenFile]] = {}
        self.asked = 0
        self.norms: dict[str, str] = {}
        for file in self.files:
            path = self.norms[file.path] = _norm(file.path)
            name = path.rsplit("/", 1)[-1]
            self.paths.setdefault(path, []).append(file)
            self.names.setdefault(name, []).append(file)
            self.stems.setdefault(plain(split_name(file.path.rsplit("/", 1)[-1])[0]), []).append(file)
            folders = path.split("/")[:-1]
            for depth in range(1, len(folders) + 1):
                self.folders.setdefault("/".join(folders[:depth]), []).append(file)
                self.below.setdefault(("/".join(folders[:depth]), name), []).append(file)
        for folder in self.folders:
            self.folded.setdefault(title_form(folder.rsplit("/", 1)[-1]), []).append(folder)

    def find(self, written: str, near: str = "") -> Found:
        """What one name in a cell means, looked for from the folder `near` (where the sheet lies), then from the top, then anywhere."""
        name, beside = _norm(written), _norm(near)
        if not name:
            return Found(())
        for start in dict.fromkeys((beside, "")):
            path = f"{start}/{name}" if start else name
            if path in self.paths:
                return Found(tuple(self.paths[path]))
            if path in self.folders:
                return Found(tuple(self.folders[path]))
        if re.search(r"[*?]", name):
            return self._pattern(name, beside)
        return self._anywhere(name, beside)

    def _pattern(self, name: str, beside: str) -> Found:
        for start in dict.fromkeys((beside, "")):
            pattern = f"{start}/{name}" if start else name
            found = [file for path, files in self.paths.items() if fnmatch.fnmatchcase(path, pattern) for file in files]
            if found:
                return Found(tuple(found))
        return Found(tuple(file for path, files in self.paths.items() if fnmatch.fnmatchcase(path, f"*/{name}") for file in files))

    def _anywhere(self, name: str, beside: str) -> Found:
        # 盘符和绝对路径 (E:/捐赠/001.jpg) are the donor's own: only the tail can match here.
        parts = name.split("/")
        for skip in range(len(parts)):
            tail = "/".join(parts[skip:])
            named = self.below.get((beside, parts[-1])) or self.names.get(parts[-1], [])
            candidates = [file for file in named if f"/{self.norms[file.path]}".endswith(f"/{tail}")]
            if candidates:
                return self._nearest(candidates, beside)
            folders = [folder for folder in self.folders if folder == tail or folder.endswith("/" + tail)]
            if len(folders) == 1 and tail:
                return Found(tuple(self.folders[folders[0]]))
        if not split_name(parts[-1])[1] and parts[-1] in self.stems:
            return self._nearest(self.stems[parts[-1]], beside)
        return Found(())

    def _nearest(self, candidates: Sequence[GivenFile], beside: str) -> Found:
        inside = [file for file in candidates if not beside or self.norms[file.path].startswith(beside + "/")] or list(candidates)
        folders = {self.norms[file.path].rpartition("/")[0] for file in inside}
        if len(folders) <= 1:
            return Found(tuple(inside))
        nearest = min(folders, key=lambda folder: (folder.count("/"), folder))
        return Found(tuple(file for file in inside if self.norms[file.path].rpartition("/")[0] == nearest), ambiguous=True)

    def called(self, *names: str) -> tuple[str, tuple[GivenFile, ...]]:
        """The one folder called like one of `names` (identifier, title), and its files; empty when none or several are."""
        for name in names:
            folders = self.folded.get(title_form(name), []) if name else []
            # A folder of that name inside another of that name is the same thing, packed twice.
            outer = [folder for folder in folders if not any(folder.startswith(other + "/") for other in folders)]
            if len(outer) == 1:
                files = self.folders[outer[0]]
                depth = outer[0].count("/") + 1
                return "/".join(files[0].path.split("/")[:depth]), tuple(files)
        return "", ()

    def stem(self, name: str) -> tuple[GivenFile, ...]:
        """Files whose stem is `name`."""
        return tuple(self.stems.get(plain(name), ())) if name else ()

    def nearest(self, written: str) -> str:
        """The name in the donation that comes nearest to one that is not there; empty when none is near."""
        self.asked += 1
        if self.asked > MOST_PROPOSALS:
            return ""
        name = _norm(written).rsplit("/", 1)[-1]
        close = difflib.get_close_matches(name, [*self.names, *(folder.rsplit("/", 1)[-1] for folder in self.folders)], 1, 0.75)
        if not close:
            return ""
        file = self.names.get(close[0])
        return file[0].path.rsplit("/", 1)[-1] if file else close[0]


def title_form(title: str) -> str:
    """A title for comparing: script form, variants, punctuation, brackets and blanks do not matter, as in a search."""
    return fold(title) or plain(title)


def split_names(cell: str) -> tuple[str, ...]:
    """The names in a cell, one for each `;` or line."""
    return tuple(name.strip() for name in re.split(r"[;；\n]", cell) if name.strip())
