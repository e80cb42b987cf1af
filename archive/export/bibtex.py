"""BibTeX: one entry that every reader of it takes, with `mark` and `medium` for the styles of GB/T 7714."""

from __future__ import annotations

import re

from archive.export.reference import ARCHIVE, BOOK, MAP, ONLINE, Reference

_TYPES = {BOOK: "book", MAP: "misc", ONLINE: "online", ARCHIVE: "misc"}
_SIGNS = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    **{sign: "\\" + sign for sign in "%#$&_"},
}


def bibtex(given: Reference) -> str:
    """The reference as a BibTeX entry. Braces always balance, whatever a title holds."""
    fields = {
        "title": "{" + escaped(given.title) + "}",
        "author": " and ".join("{" + escaped(name) + "}" for name in given.authors),
        "editor": " and ".join("{" + escaped(name) + "}" for name, _role in given.others),
        "volume": escaped(given.part),
        "edition": escaped(given.edition),
        "publisher": escaped(given.publisher),
        "year": given.date.year or escaped(given.date.western or given.date.printed),
        "note": escaped(
            "；".join(part for part in (given.date.printed if given.date.western else "", given.passage, given.number) if part)
        ),
        "pages": escaped(given.at),
        "library": escaped(given.holder),
        "url": given.link.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C"),
        "urldate": given.accessed,
        "langid": "chinese",
        "mark": given.code,
        "medium": "OL",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return f"@{_TYPES.get(given.code, 'misc')}{{{key(given)},\n" + "\n".join(lines) + "\n}\n"


def key(given: Reference) -> str:
    """The entry's key: ASCII, the same each time."""
    return "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in ("fangzhi", given.item, given.key) if part)


def escaped(text: str) -> str:
    """Text in which no sign means anything to TeX."""
    return "".join(_SIGNS.get(sign, sign) for sign in text)
