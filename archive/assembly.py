"""`open_archive(settings) -> Archive`: the one place that chooses adapters and hands out the clock."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from archive import resources
from archive.catalogue.engine import Catalogue, open_catalogue
from archive.derivatives.store import DerivativeStore
from archive.errors import DefinitionsError, SettingsError, UsageError
from archive.language import _
from archive.model.profile import Definitions
from archive.profiles import load_definitions
from archive.search.base import SearchIndex
from archive.search.chinese import learn_glyphs
from archive.search.deferred import DeferredIndex
from archive.search.gaiji import load_gaiji
from archive.services.keeping import Keeping
from archive.services.publishing import Publishing
from archive.services.reading import Reading
from archive.services.reports import Reports
from archive.settings import Settings, load_settings
from archive.storage.journal import Journal
from archive.storage.ocfl import OcflStore
from archive.storage.private import PrivateStore

KEY_VARIABLE = "FANGZHI_PRIVATE_KEY_FILE"
"""Names the key of the private store, where an institution keeps it away from the home."""

_SETTINGS = """# 方志馆设置。每一项的意思见运维手册。 / Settings; each is explained in the operators' guide.
# name = "安康数字方志馆"
# name_en = "Ankang Digital Gazetteer Hall"
# public_url = "https://fangzhi.example.org"
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """An open archive: its parts, and what people do with it."""

    settings: Settings
    definitions: Definitions
    store: OcflStore
    journal: Journal
    private: PrivateStore
    catalogue: Catalogue
    index: SearchIndex
    derivatives: DerivativeStore
    reading: Reading
    keeping: Keeping
    publishing: Publishing
    reports: Reports
    now: Callable[[], datetime]

    def today(self) -> date:
        """The day in UTC, by the archive's clock."""
        return self.now().date()

    def stamp(self) -> str:
        """The time in UTC as written into events: `2026-11-22T21:11:49Z`."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def close(self) -> None:
        """Let go of files and connections."""
        self.index.close()
        self.catalogue.close()


def make_home(home: Path) -> None:
    """Make an archive home in an empty or new folder; raises UsageError when something else lies there. Safe to run twice on a home."""
    if home.is_dir() and any(home.iterdir()) and not (home / "settings.toml").exists():
        raise UsageError(_("%(home)s 里已有别的东西，没有在其中建馆。请换一个空文件夹。", home=home))
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name in ("definitions", "journal", "private"):
            (home / name).mkdir(exist_ok=True)
        settings = Settings(home=home)
        OcflStore(settings.originals, settings.staging).init()
        Journal(settings.journal).init()
        _private(settings).init()
        if not (home / "settings.toml").exists():
            (home / "settings.toml").write_text(_SETTINGS, "utf-8")
    except OSError as error:
        raise SettingsError(_("%(home)s：不能在这里建馆：%(why)s", home=home, why=error.strerror or error)) from error
    open_archive(load_settings(home)).close()


def _private(settings: Settings) -> PrivateStore:
    given = os.environ.get(KEY_VARIABLE)
    return PrivateStore(settings.private, Path(given) if given else None)


def _index(folder: Path, definitions: Definitions | None = None) -> SearchIndex:
    from archive.chronology.written import WrittenDates
    from archive.search.documents import query_names
    from archive.search.names import OtherNames
    from archive.search.whoosh_index import WhooshIndex

    names = query_names(definitions) if definitions is not None else None
    return WhooshIndex(folder, names, WrittenDates(), OtherNames(definitions.vocabularies if definitions is not None else {}))


def index_state(settings: Settings) -> dict[str, object]:
    """What the search index says of itself, for `fangzhi doctor`; `fault` when it is not well."""
    try:
        definitions = load_definitions(resources.definitions(), settings.definitions)
        learn_glyphs(*load_gaiji(settings.definitions, definitions.collections))
    except DefinitionsError as error:
        return {"fault": str(error)}
    index = _index(settings.index)
    try:
        return dict(index.doctor())
    finally:
        index.close()


def system_clock() -> datetime:
    """Now, UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def open_archive(settings: Settings, *, now: Callable[[], datetime] = system_clock) -> Archive:
    """Open a home: check it, mend what a crash left, connect the parts. Raises SettingsError or StorageError when the home is not well."""
    definitions = load_definitions(resources.definitions(), settings.definitions)
    learn_glyphs(*load_gaiji(settings.definitions, definitions.collections))
    store = OcflStore(settings.originals, settings.staging)
    journal = Journal(settings.journal)
    catalogue = open_catalogue(settings.catalogue, create=True)
    index = DeferredIndex(lambda: _index(settings.index, definitions))
    derivatives = DerivativeStore(settings.derivatives)
    reading = Reading(catalogue, index, definitions, lambda: now().date(), derivatives)
    keeping = Keeping(settings, store, journal, catalogue, index, derivatives, definitions, now)
    publishing = Publishing(store, journal, catalogue, now)
    private = _private(settings)
    reports = Reports(journal, private, now)
    return Archive(
        settings, definitions, store, journal, private, catalogue, index, derivatives, reading, keeping, publishing, reports, now
    )
