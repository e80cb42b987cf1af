"""Where `collections/` and `static/` are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def _folder(name: str) -> Path:
    """`name` as installed in a wheel, or beside this package in a checkout."""
    installed = Path(__file__).parent / "_data" / name
    return installed if installed.is_dir() else Path(__file__).parent.parent / name


def definitions() -> Path:
    """The shipped definitions (profiles, vocabularies, holdings)."""
    return _folder("collections")


def static() -> Path:
    """Our style sheets and scripts, and `vendor/` filled at set-up."""
    return _folder("static")


def locale() -> Path:
    """The English catalogues, `en/*.po`."""
    return Path(__file__).parent / "locale"
