"""`python -m tasks NAME [ARGUMENTS]`: runs one task; without a name, lists them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from tasks import assets, lock, project

TASKS: Mapping[str, tuple[Callable[[list[str]], int], str]] = {
    "install": (project.install, "system packages, environment, front-end libraries (--tests: what tests need too)"),
    "demo": (project.demo, "install, take the sample donation in and serve it"),
    "test": (project.test, "install what tests need and run all that CI runs"),
    "check": (project.check, "format, lint, types, layers"),
    "lock": (lock.main, "write requirements.lock anew (maintainers)"),
    "assets": (assets.main, "fill static/vendor/ from package-lock.json (--tests: what tests need too)"),
}


def main(arguments: list[str]) -> int:
    """Run the task named first; gives its exit status, 2 for a name that is none."""
    if arguments and arguments[0] in TASKS:
        return TASKS[arguments[0]][0](arguments[1:])
    lines = [f"  {name:<10} {about}" for name, (_, about) in TASKS.items()]
    sys.stderr.write("usage: python -m tasks NAME\n" + "\n".join(lines) + "\n")
    return 2 if arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
