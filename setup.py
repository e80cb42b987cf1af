"""Refuses to build a wheel without the front-end libraries; everything else about the distribution stands in setup.cfg."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import SetupError


class BuildWithLibraries(build_py):
    """`build_py` that fails when `static/vendor/` is empty. An editable install reads the folder in place and is let through."""

    def run(self) -> None:
        vendor = Path(__file__).parent / "static" / "vendor"
        if not self.editable_mode and not (vendor.is_dir() and any(path.is_file() for path in vendor.rglob("*"))):
            raise SetupError("static/vendor is empty: fill it first with `make assets` (python -m tasks assets), then build again")
        super().run()


setup(cmdclass={"build_py": BuildWithLibraries})
