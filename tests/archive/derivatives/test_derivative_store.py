"""Derivatives stand whole or not at all, by digest and recipe."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from conftest_media import picture

from archive.derivatives import film, page_image, page_lines, registry, sound
from archive.derivatives.base import Made
from archive.derivatives.sandbox import Sandbox
from archive.derivatives.store import DerivativeStore
from archive.model.item import MediaFile, MediaKind

A = "a" * 128


def put(store: DerivativeStore, text: str, recipe: str = "image-1", part: int | None = None) -> None:
    with store.workplace() as folder:
        (folder / "x.txt").write_text(text)
        store.put(A, part, recipe, Made({"x.txt": folder / "x.txt"}, {"said": text}))


def test_what_was_put_is_got_and_a_second_put_replaces_it(tmp_path: Path) -> None:
    store = DerivativeStore(tmp_path)
    assert store.get(A, None, "image-1", "x.txt") is None
    assert store.facts(A, None, "image-1") is None
    for text in ("one", "two"):
        put(store, text)
        path = store.get(A, None, "image-1", "x.txt")
        assert path is not None
        assert path.read_text() == text
        assert store.facts(A, None, "image-1") == {"said": text}
    assert not list(tmp_path.glob(".making-*"))
    assert list(store.originals()) == [A]


def test_parts_and_versions_of_a_recipe_lie_apart(tmp_path: Path) -> None:
    store = DerivativeStore(tmp_path)
    put(store, "one", part=1)
    put(store, "two", part=2)
    assert store.facts(A, 1, "image-1") == {"said": "one"}
    assert store.facts(A, 2, "image-1") == {"said": "two"}
    assert store.facts(A, 1, "image-2") is None
    store.remove(A)
    assert store.facts(A, 1, "image-1") is None


def test_a_file_that_lost_its_bytes_does_not_count(tmp_path: Path) -> None:
    store = DerivativeStore(tmp_path)
    put(store, "whole")
    path = store.get(A, None, "image-1", "x.txt")
    assert path is not None
    path.write_text("")
    assert store.facts(A, None, "image-1") is None


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", "a/b", ".making"])
def test_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    store = DerivativeStore(tmp_path)
    assert store.get(A, None, "image-1", name) is None
    with pytest.raises(ValueError, match="called"):
        store.folder("../" + "a" * 125, None, "image-1")
    with pytest.raises(ValueError, match="called"):
        store.folder(A, None, name)


def test_leavings_of_killed_makers_are_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".making-{dead.pid}-x").mkdir()
    (tmp_path / f".making-{os.getpid()}-x").mkdir()
    put(DerivativeStore(tmp_path), "text")
    assert [folder.name for folder in tmp_path.glob(".making-*")] == [f".making-{os.getpid()}-x"]


def test_the_registry_names_the_recipes_of_the_makers() -> None:
    assert registry.RECIPES == {"image": page_image.RECIPE, "sound": sound.RECIPE, "film": film.RECIPE, "lines": page_lines.RECIPE}


def test_a_page_image_is_made_once_in_the_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture().save(path)
    original = registry.Original(path, "a.jpg", hashlib.sha512(path.read_bytes()).hexdigest(), {})
    store = DerivativeStore(tmp_path / "derivatives")
    with Sandbox(1, 1024, 20) as sandbox:
        facts = sandbox.run(registry.make_image, original, None, store.root)
        made = store.get(original.sha512, None, "image-1", "pyramid.tif")
        assert made is not None
        before = made.stat()
        assert sandbox.run(registry.make_image, original, None, store.root) == facts
    assert made.stat().st_ino == before.st_ino


def test_parts_of_files(tmp_path: Path) -> None:
    def file(kind: MediaKind, parts: int | None) -> MediaFile:
        return MediaFile("f1", "originals/a", "a", 1, A, "x/y", kind, parts=parts)

    assert registry.image_parts(file(MediaKind.IMAGE, None)) == (None,)
    assert registry.image_parts(file(MediaKind.IMAGE, 3)) == (1, 2, 3)
    assert registry.image_parts(file(MediaKind.PDF, 2)) == (1, 2)
    assert registry.image_parts(file(MediaKind.SOUND, None)) == ()
