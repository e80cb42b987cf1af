"""Write `archive/search/pinyin.tsv` and `strokes.tsv` from Unihan: the readings of a character in Mandarin, without tones, and its strokes.

Run once when Unihan is raised: `apt-get install unicode-data`, then `python benchmarks/search/derive_readings.py [FOLDER]`; review the difference.
A character's first reading (`kMandarin`) comes first. A reading counts when a dictionary of today has it (`kHanyuPinlu`, `kXHC1983`, `kTGHZ2013`); older
ones (`kHanyuPinyin`) only where there is no other. Both tables list characters by value, which keeps them small. Neither is part of an index.
"""

from __future__ import annotations

import bz2
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_SOURCE = Path("/usr/share/unicode")
_TARGET = Path(__file__).parents[2] / "archive" / "search"
_FIELDS = ("kMandarin", "kHanyuPinlu", "kXHC1983", "kTGHZ2013")
_HEAD = """\
# {what}, one to a line with the characters that have it. Derived by benchmarks/search/derive_readings.py from Unihan {version} of the Unicode
# Character Database, modified (cut to what is named here). Copyright © 1991-2022 Unicode, Inc.; terms in unicode-license.txt.
"""


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    for line in bz2.decompress(path.read_bytes()).decode().splitlines():
        if line.startswith("U+"):
            code, field, value = line.split("\t")
            yield chr(int(code[2:], 16)), field, value


def _version(path: Path) -> str:
    found = re.search(r"[Vv]ersion:? (\S+)", bz2.decompress(path.read_bytes()).decode())
    return found[1] if found else "?"


def _plain(reading: str) -> str:
    """Without tone; ü is v."""
    letters = unicodedata.normalize("NFD", reading.lower()).replace("u\u0308", "v")
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())


def _syllables(field: str, value: str) -> list[str]:
    """`kHanyuPinlu`: `lè(14)`; the dictionaries: `0697.030:lè,yuè`; `kMandarin`: `lè`."""
    parts = [part.split(":")[-1] for part in value.split()]
    return [plain for part in parts for one in part.split(",") if (plain := _plain(re.sub(r"\(.*", "", one)))]


def _readings(folder: Path) -> dict[str, list[str]]:
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for char, field, value in _rows(folder / "Unihan_Readings.txt.bz2"):
        if field in (*_FIELDS, "kHanyuPinyin"):
            found[char][field] = _syllables(field, value)
    return {
        char: list(dict.fromkeys(one for field in _FIELDS for one in fields.get(field, ()))) or list(dict.fromkeys(fields["kHanyuPinyin"]))
        for char, fields in found.items()
    }


def _write(name: str, what: str, version: str, lines: dict[str, list[str]]) -> None:
    text = "".join(f"{key}\t{''.join(sorted(chars))}\n" for key, chars in lines.items())
    (_TARGET / name).write_text(_HEAD.format(what=what, version=version) + text, "utf-8")


def main(folder: Path) -> int:
    readings = _readings(folder)
    first, others = defaultdict(list), defaultdict(list)
    for char, syllables in readings.items():
        first[syllables[0]].append(char)
        for syllable in syllables[1:]:
            others[syllable].append(char)
    lines = {f"{syllable}": chars for syllable, chars in sorted(first.items())}
    lines |= {f"+{syllable}": chars for syllable, chars in sorted(others.items())}
    _write("pinyin.tsv", "Readings in Mandarin without tones (+ a further one)", _version(folder / "Unihan_Readings.txt.bz2"), lines)
    strokes = defaultdict(list)
    for char, field, value in _rows(folder / "Unihan_IRGSources.txt.bz2"):
        if field == "kTotalStrokes" and char in readings:
            strokes[int(value.split()[0])].append(char)
    lines = {str(count): chars for count, chars in sorted(strokes.items())}
    _write("strokes.tsv", "Strokes (those of the form used on the mainland)", _version(folder / "Unihan_IRGSources.txt.bz2"), lines)
    print(len(readings), "characters with readings,", sum(map(len, strokes.values())), "with strokes")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else _SOURCE))
