"""`Settings`: read once from the home's `settings.toml` and the environment, then handed on. Nothing else reads either."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from archive.errors import SettingsError

HOME_VARIABLE = "FANGZHI_HOME"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an institution may set. Paths are absolute; sizes as their names say."""

    home: Path
    name: str = "安康数字方志馆"
    name_en: str = "Ankang Digital Gazetteer Hall"
    public_url: str = ""
    """Address under which readers reach the archive, without a slash at the end; used in citations and feeds."""
    ffmpeg: str = "ffmpeg"
    ffprobe: str = "ffprobe"
    max_image_megapixels: int = 400
    max_archive_gigabytes: int = 64
    """What the members of a zip may unpack to, in all."""
    child_memory_mib: int = 2048
    child_seconds: int = 120
    """CPU and wall limit for decoding one image or document; recordings get more by their length."""
    find_lines: bool = True
    """Find the lines of text on page images whose typed text has no boxes (extra `ocr`): by the worker when it is idle, and by `rebuild derivatives`."""
    reading_room_networks: tuple[str, ...] = ()
    """Networks (`10.1.0.0/16`) whose visitors count as `reading_room`."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the proxies whose X-Forwarded-For is believed; nobody's otherwise. Behind one, set `public_url` too."""
    x_accel: str = ""
    """Internal location under which nginx serves the home (`/_home`): files go out by X-Accel-Redirect. Empty: we send them."""

    @property
    def originals(self) -> Path:
        return self.home / "originals"

    @property
    def journal(self) -> Path:
        return self.home / "journal"

    @property
    def private(self) -> Path:
        return self.home / "private"

    @property
    def definitions(self) -> Path:
        return self.home / "definitions"

    @property
    def catalogue(self) -> Path:
        return self.home / "catalogue.sqlite"

    @property
    def index(self) -> Path:
        return self.home / "index"

    @property
    def derivatives(self) -> Path:
        return self.home / "derivatives"

    @property
    def staging(self) -> Path:
        """On the same file system as `originals`, so that a staged file is moved in by renaming."""
        return self.home / "staging"

    @property
    def run(self) -> Path:
        """Locks and progress of running work."""
        return self.home / "run"


_PATHS = {"home"}


def locate_home(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The home: `--home`, else FANGZHI_HOME, else `./fangzhi-home`; absolute."""
    return (given or Path(environment.get(HOME_VARIABLE) or "fangzhi-home")).absolute()


def load_settings(home: Path) -> Settings:
    """The settings of an archive home; raises SettingsError for a home that is none, or naming file and key of a mistake."""
    path = home / "settings.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{home}: no archive home here (no settings.toml). Make one: fangzhi --home {home} init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not readable as TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from error
    known = {f.name: f for f in fields(Settings) if f.name not in _PATHS}
    values: dict[str, object] = {}
    for key, value in data.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise SettingsError(f"{path}: {key}: no such setting" + (f"; did you mean {near[0]!r}?" if near else ""))
        wanted = {"str": str, "int": int, "bool": bool, "tuple[str, ...]": list}[str(known[key].type)]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise SettingsError(f"{path}: {key}: expected {wanted.__name__}, found {type(value).__name__} ({value!r})")
        values[key] = tuple(value) if isinstance(value, list) else value
    return Settings(home=home, **values)  # type: ignore[arg-type]
