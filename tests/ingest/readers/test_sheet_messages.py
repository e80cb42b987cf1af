"""Every message about sheets and reports has its English beside it."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from archive.language import _, in_language
from ingest import report
from ingest.readers import personal, registration, sheet, workbook


def spoken(module: object) -> list[str]:
    """The messages that a module's `_` calls name, and its template's."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_")
    found = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    if module is report:
        found += re.findall(r'_\("([^"]+)"', (Path(report.__file__).parent / "templates" / "report.html").read_text("utf-8"))
    return found


@pytest.mark.parametrize("module", [sheet, workbook, registration, personal, report], ids=lambda module: module.__name__)
def test_every_message_is_translated_with_the_same_placeholders(module: object) -> None:
    messages = spoken(module)
    assert messages
    with in_language("en"):
        for message in messages:
            english = _(message)
            assert english != message, message
            holders = re.compile(r"%\((\w+)\)")
            assert set(holders.findall(english)) == set(holders.findall(message)), message
