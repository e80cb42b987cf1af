"""Chinese first, English beside it: gettext with the Chinese text as message id.

English lies in `archive/locale/en/*.po`, one file for each part of the house, read together. The catalogues are compiled in memory
when first needed, so that nothing binary is committed and an edited line shows at once.

`_("…")` translates into the language in force (a context variable, so that two requests never share it);
`in_language("en")` sets it for a block. Placeholders are named, `%(count)d`, and filled by `_("…", count=3)`.
"""

from __future__ import annotations

import contextlib
import gettext as _gettext
import io
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from typing import Any

from archive import resources

LANGUAGES = ("zh", "en")
_current: ContextVar[str] = ContextVar("language", default="zh")


@cache
def _catalogue(language: str) -> _gettext.NullTranslations:
    folder = resources.locale() / language
    if language == "zh" or not folder.is_dir():
        return _gettext.NullTranslations()
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    whole = Catalog(locale=language)
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream, locale=language):
                if message.id and message.string:
                    whole.add(message.id, message.string, context=message.context)
    buffer = io.BytesIO()
    write_mo(buffer, whole)
    buffer.seek(0)
    return _gettext.GNUTranslations(buffer)


def current() -> str:
    """The language in force, `zh` or `en`."""
    return _current.get()


def choose(language: str) -> None:
    """Put a language in force for the rest of this context (a command, a request)."""
    _current.set(language if language in LANGUAGES else "zh")


@contextlib.contextmanager
def in_language(language: str) -> Iterator[None]:
    """Put a language in force for a block."""
    token = _current.set(language if language in LANGUAGES else "zh")
    try:
        yield
    finally:
        _current.reset(token)


def _(message: str, /, **values: Any) -> str:
    """`message` in the language in force, its placeholders filled."""
    text = _catalogue(_current.get()).gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, n: int, /, **values: Any) -> str:
    """The right plural in the language in force (Chinese has one form)."""
    text = _catalogue(_current.get()).ngettext(singular, plural, n)
    return text % ({"n": n} | values)
