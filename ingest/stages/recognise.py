"""Recognise: read pages that have an image and no text by machine, in a child process that keeps its engine; only when asked for (`--ocr`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from archive.derivatives import page_image, text_layer
from archive.derivatives.sandbox import Sandbox
from archive.derivatives.store import DerivativeStore
from archive.errors import DecodeError
from archive.model.item import Item, Page, TextLine, TextSource, TextVersion

SECONDS = 300
"""CPU seconds for one page."""


def wanted(item: Item, derivatives: DerivativeStore) -> Iterator[tuple[str, Path]]:
    """(page id, its pyramid) of the pages to be read."""
    files = {file.id: file for file in item.files}
    for page in item.pages:
        if page.texts or page.image is None or files[page.image.file].personal:
            continue
        pyramid = derivatives.get(files[page.image.file].sha512, page.image.part, page_image.RECIPE, page_image.PYRAMID)
        if pyramid is not None:
            yield page.id, pyramid


def recognise(item: Item, derivatives: DerivativeStore, sandbox: Sandbox, *, at: str) -> tuple[Item, tuple[tuple[str, str], ...]]:
    """The item with what was read, marked as read by machine; and (page id, why) of pages that could not be read."""
    pages = dict(wanted(item, derivatives))
    by_path = {str(path): page for page, path in pages.items()}
    read: dict[str, tuple[TextLine, ...]] = {}
    failed = []
    for arguments, answer in sandbox.map(text_layer.recognise, ((path,) for path in pages.values()), seconds=lambda _job: SECONDS):
        page = by_path[str(arguments[0])]
        if isinstance(answer, DecodeError):
            failed.append((page, str(answer)))
        elif answer:
            read[page] = answer
    return replace(item, pages=tuple(_with(page, read.get(page.id), at) for page in item.pages)), tuple(failed)


def _with(page: Page, lines: tuple[TextLine, ...] | None, at: str) -> Page:
    if not lines:
        return page
    return replace(page, texts=(*page.texts, TextVersion(TextSource.OCR, lines, status="机器识别", by="rapidocr", at=at)))
