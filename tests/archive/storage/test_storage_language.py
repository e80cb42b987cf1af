"""Every sentence of storage is said in English too, with the same placeholders."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import archive.storage
from archive.language import _, in_language


def sentences() -> set[str]:
    found = set()
    for path in Path(archive.storage.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                (text,) = node.args
                assert isinstance(text, ast.Constant)
                found.add(str(text.value))
    return found


def test_every_sentence_has_its_english() -> None:
    assert len(sentences()) > 50
    with in_language("en"):
        for sentence in sentences():
            english = _(sentence)
            assert english != sentence, sentence
            assert sorted(re.findall(r"%\([a-z_0-9]+\)[sdr]", english)) == sorted(re.findall(r"%\([a-z_0-9]+\)[sdr]", sentence))
