"""Every error the archive raises, as one tree; each names the thing, the place and the remedy.

    ArchiveError
    ├── UsageError              what was asked for cannot be meant (exit status 2)
    ├── SettingsError           settings.toml, the environment or the machine (exit status 3)
    │   ├── DefinitionsError    one or more faults in `collections/` or the home's `definitions/`
    │   └── MissingToolError    ffmpeg, ffprobe … not on this machine
    ├── NotFound                no such item, page, file or batch (for this reader)
    │   └── Withdrawn           there was one; a tombstone stands in its place
    ├── Conflict                somebody else is at it, or changed it since
    │   └── Busy                another process holds the lock
    ├── StorageError            the kept folders are not well (exit status 3)
    │   ├── DiskFull
    │   └── CorruptObject       an OCFL object does not agree with its inventory
    ├── SearchIndexError        the search index is missing, foreign or corrupt: `fangzhi rebuild index`
    ├── QueryError              a search as typed has a fault; points at its character
    └── DecodeError             a file cannot be decoded: truncated, encrypted, bomb, crash, time-out

What a person must mend in a donation is no exception but a `archive.model.donation.Finding`.
"""


class ArchiveError(Exception):
    """Base of all our errors. `str(error)` is a sentence for a person: thing, place, remedy."""

    exit_status = 1


class UsageError(ArchiveError):
    """What was asked for cannot be meant."""

    exit_status = 2


class SettingsError(ArchiveError):
    """The settings, the definitions or the machine are not as they must be."""

    exit_status = 3


class DefinitionsError(SettingsError):
    """Faults in the definitions, all of them; `faults` is a tuple of sentences "file: key: what; did you mean …"."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class MissingToolError(SettingsError):
    """A program the archive needs is not on this machine; `tool` is its name."""

    def __init__(self, tool: str, message: str) -> None:
        super().__init__(message)
        self.tool = tool


class NotFound(ArchiveError):
    """There is no such thing for this reader."""


class Withdrawn(NotFound):
    """The thing was withdrawn; `reason` is what the public may be told."""

    def __init__(self, item: str, title: str, reason: str, at: str) -> None:
        super().__init__(f"{item}: withdrawn on {at}: {reason}")
        self.item, self.title, self.reason, self.at = item, title, reason, at


class Conflict(ArchiveError):
    """Somebody else changed the thing since it was read."""


class Busy(Conflict):
    """Another process is at it; try again when it has ended."""

    exit_status = 3


class StorageError(ArchiveError):
    """The kept folders are not well."""

    exit_status = 3


class DiskFull(StorageError):
    """No space left; nothing half done was left looking whole."""


class CorruptObject(StorageError):
    """An object does not agree with its inventory. `item`, `path` and `code` (OCFL E0xx) say where."""

    def __init__(self, item: str, path: str, code: str, message: str) -> None:
        super().__init__(message)
        self.item, self.path, self.code = item, path, code


class SearchIndexError(ArchiveError):
    """The search index is missing, foreign or corrupt; `fangzhi rebuild index` makes it again."""

    exit_status = 3


class QueryError(ArchiveError):
    """A search as typed has a fault. `position` is the index of the character (code points) it points at; `understood` says how the query
    is read without what is wrong with it, empty when nothing is left."""

    exit_status = 2

    def __init__(self, message: str, query: str, position: int) -> None:
        super().__init__(message)
        self.query, self.position = query, position
        self.understood = ""


class DecodeError(ArchiveError):
    """A file cannot be decoded. `code` is the code of the finding it becomes (`truncated`, `bomb`, `encrypted`, `timeout` …)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
