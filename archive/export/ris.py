"""RIS: tagged lines, as reference managers take them in."""

from __future__ import annotations

from archive.export.reference import ARCHIVE, BOOK, MAP, NEWSPAPER, ONLINE, Reference

_TYPES = {BOOK: "BOOK", MAP: "MAP", NEWSPAPER: "NEWS"}


def ris(given: Reference) -> str:
    """The reference as one RIS record, closed by ER; a value never begins a line of its own."""
    lines = [
        ("TY", _type(given)),
        ("TI", given.title),
        *(("AU", name.replace(",", "，")) for name in given.authors),
        *(("A3", name.replace(",", "，")) for name, _role in given.others),
        ("VL", given.part),
        ("ET", given.edition),
        ("PB", given.publisher),
        ("PY", given.date.year),
        ("DA", "" if given.date.year == given.date.western else given.date.western),
        ("N1", "；".join(part for part in (given.date.printed, given.passage) if part)),
        ("SP", given.at),
        ("CN", given.number),
        ("AN", given.item),
        ("DP", given.archive),
        ("AV", given.holder),
        ("LA", "zh"),
        ("UR", given.link),
        ("Y2", given.accessed.replace("-", "/")),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value) + "ER  - \r\n"


def _type(given: Reference) -> str:
    if given.code == ONLINE:
        return "VIDEO" if given.recording == "film" else "SOUND"
    if given.code == ARCHIVE:
        return "ART" if given.pictured else "MANSCPT"
    return _TYPES.get(given.code, "GEN")
