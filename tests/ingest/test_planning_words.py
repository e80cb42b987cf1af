"""Every sentence that planning says has its English, with the same placeholders."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ingest
from archive.language import _, in_language
from ingest.stages.describe import FAULT_WORDS, REFUSED_WORDS

ROOT = Path(ingest.__file__).parent
MODULES = [
    *(f"readers/{name}.py" for name in ("alto", "archives", "checksums", "folder", "plain_text", "subtitles")),
    "drafting.py",
    "stages/describe.py",
    "stages/transcribe.py",
]


def messages() -> Iterator[str]:
    yield from FAULT_WORDS.values()
    yield from REFUSED_WORDS.values()
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "_"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_each_sentence_has_its_english(message: str) -> None:
    with in_language("en"):
        english = _(message)
    assert english != message
    assert sorted(re.findall(r"%\(\w+\)[.\d]*\w", message)) == sorted(re.findall(r"%\(\w+\)[.\d]*\w", english))
