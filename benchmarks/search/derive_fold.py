"""Write `archive/search/fold.tsv`: traditional and compatibility forms to simplified, one code point at a time, derived from the opencc wheel.

Only characters are converted, never phrases: with phrases the same character would fold two ways by its neighbours, and a substring could be lost.
Run once when opencc is raised (`pip install opencc`); review the difference; every index is then made again, because the fold version changes.
"""

from __future__ import annotations

import sys
import unicodedata
from importlib.metadata import version
from pathlib import Path

from opencc import OpenCC

_HAN = [(0x2E80, 0x2FE0), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x2A6E0), (0x2A700, 0x33480)]
# 麼 and 麽 are 么 in today's print; 幺 is another word (must-not-merge).
_KEPT = frozenset("么")
_TARGET = Path(__file__).parents[2] / "archive" / "search" / "fold.tsv"


def _derive() -> dict[str, str]:
    converters = [OpenCC(name) for name in ("t2s", "tw2s", "hk2s")]
    table = {}
    for first, last in _HAN:
        for code in range(first, last):
            plain = unicodedata.normalize("NFKC", chr(code))
            changed = (converter.convert(plain) for converter in converters)
            simple = next((text for text in changed if text != plain), plain)
            for _ in range(4):
                simple = converters[0].convert(simple)
            if simple != chr(code) and len(simple) == 1 and chr(code) not in _KEPT:
                table[chr(code)] = simple
    return table


def _close(table: dict[str, str]) -> dict[str, str]:
    """The table with every chain followed to its end; a ring keeps its smallest character."""
    closed = {}
    for char in table:
        seen = [char]
        while (following := table.get(seen[-1])) is not None and following not in seen:
            seen.append(following)
        end = seen[-1] if following is None else min(seen[seen.index(following) :])
        if end != char:
            closed[char] = end
    return closed


def main() -> int:
    table = _close(_derive())
    lines = [f"# derived from opencc {version('opencc')} by benchmarks/search/derive_fold.py; Unicode {unicodedata.unidata_version}"]
    lines += [f"{char}\t{table[char]}" for char in sorted(table)]
    _TARGET.write_text("\n".join(lines) + "\n", "utf-8")
    print(len(table), "entries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
