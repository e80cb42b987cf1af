"""The documents are complete: every command, setting, definition key and finding code that the code knows is explained in the guides."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from archive.model.profile import Collection, Field, Profile, Term, Vocabulary
from archive.profiles import SHEET_COLUMNS
from archive.settings import Settings

ROOT = Path(__file__).parent.parent
ARCHIVIST = ROOT / "docs" / "guide" / "馆员手册.md"
OPERATOR = ROOT / "docs" / "guide" / "运维手册.md"
DEFINITIONS = ROOT / "collections" / "README.md"

FOREIGN_KEYS = {"key", "slug", "notes_layout"}
"""Attributes that are no key of a file: names of files, and `layout.notes`, which is looked for by that name."""


def codes() -> dict[str, str]:
    """Codes of findings and faults that the source names, each with a file that does."""
    found: dict[str, str] = {}
    for top in ("archive", "ingest"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for code in (*(_codes_of(node) if isinstance(node, ast.Call) else ()), *_told(node)):
                    found.setdefault(code, str(path.relative_to(ROOT)))
    return found


HELPERS = {"Fault", "DecodeError", "_Refused", "_heading", "fault", "unknown"}
"""Calls one of whose texts is a code."""


def _codes_of(call: ast.Call) -> Iterator[str]:
    """Constants that stand where a code is given: after a severity, as `code=`, in a call that makes faults."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    places = [keyword.value for keyword in call.keywords if keyword.arg in ("code", "refused")]
    if name in HELPERS:
        places += [
            a
            for a in call.args
            if isinstance(a, ast.IfExp) or (isinstance(a, ast.Constant) and (name in ("Fault", "DecodeError") or "-" in str(a.value)))
        ]
    for before, argument in zip(call.args, call.args[1:], strict=False):
        if isinstance(before, ast.Attribute) and getattr(before.value, "id", "") == "Severity":
            places.append(argument)
    for place in places:
        yield from _constants(place)


def _constants(place: ast.expr) -> Iterator[str]:
    for part in (place.body, place.orelse) if isinstance(place, ast.IfExp) else (place,):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.fullmatch(r"[a-z][a-z0-9-]+", part.value):
            yield part.value


def _told(node: ast.AST) -> Iterator[str]:
    """Codes in tables of messages: `{"code": _("…")}`, `("code", _("…"))`."""
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = list(zip(node.keys, node.values, strict=True))
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
        pairs = [(node.elts[0], node.elts[1])]
    for key, value in pairs:
        if key is not None and isinstance(value, ast.Call) and getattr(value.func, "id", "") == "_":
            yield from (code for code in _constants(key) if "-" in code)


def described_codes() -> set[str]:
    return set(re.findall(r"^\| `([a-z0-9-]+)` \|", ARCHIVIST.read_text("utf-8"), re.MULTILINE))


def test_every_finding_code_has_its_line() -> None:
    missing = {code: path for code, path in codes().items() if code not in described_codes()}
    assert not missing, f"add a line to {ARCHIVIST.name}: {missing}"


@pytest.mark.parametrize("setting", [f.name for f in dataclasses.fields(Settings) if f.name != "home"])
def test_every_setting_has_its_heading(setting: str) -> None:
    assert f"\n### {setting}\n" in OPERATOR.read_text("utf-8")


def test_no_heading_is_of_a_setting_that_is_gone() -> None:
    settings = {f.name for f in dataclasses.fields(Settings)}
    assert set(re.findall(r"^### ([a-z_]+)$", OPERATOR.read_text("utf-8"), re.MULTILINE)) <= settings


@pytest.mark.parametrize("type_", [Profile, Field, Vocabulary, Term, Collection], ids=lambda t: t.__name__)
def test_every_key_of_a_definition_is_explained(type_: type) -> None:
    text = DEFINITIONS.read_text("utf-8")
    keys = {f.name for f in dataclasses.fields(type_)} - FOREIGN_KEYS
    assert not [key for key in sorted(keys) if f"`{key}`" not in text]


def test_the_keys_that_only_files_have_are_explained() -> None:
    text = DEFINITIONS.read_text("utf-8")
    assert not [key for key in ("include", "shared", "layout.notes", *SHEET_COLUMNS) if f"`{key}`" not in text]


def commands(group: click.Group, context: click.Context, path: tuple[str, ...] = ("fangzhi",)) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, click.Context(command), (*path, name))
        else:
            yield (*path, name)


def test_every_command_has_its_line() -> None:
    cli = pytest.importorskip("archive.cli", exc_type=ImportError)
    text = OPERATOR.read_text("utf-8")
    missing = [" ".join(path) for path in commands(cli.main, click.Context(cli.main)) if f"`{' '.join(path)}" not in text]
    assert not missing


def test_the_guides_name_no_command_that_is_not_there() -> None:
    cli = pytest.importorskip("archive.cli", exc_type=ImportError)
    known = {path[1] for path in commands(cli.main, click.Context(cli.main))}
    named = set(re.findall(r"fangzhi (?:--home \S+ )?([a-z]+)", OPERATOR.read_text("utf-8") + ARCHIVIST.read_text("utf-8")))
    assert named <= known, named - known


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in (ARCHIVIST, OPERATOR, DEFINITIONS, ROOT / "docs" / "guide" / "README.en.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
