"""`fangzhi sections`: the section tree of a book, looked at, accepted, rejected, or taken from a 目录 file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from archive import records
from archive.assembly import Archive
from archive.catalogue import items as item_rows
from archive.cli import opened, refresh_index, say, show_json, who
from archive.errors import NotFound, UsageError
from archive.language import _
from archive.model.item import Item
from archive.model.sections import Section, changed, highest, walk
from archive.search.chinese import fold
from ingest import sectioning
from ingest.readers.order import split_name
from ingest.readers.plain_text import read_text
from ingest.readers.workbook import Unreadable, read_workbook


@click.command()
@click.argument("item")
@click.option("--accept", multiple=True, metavar="ID", help="核定这一条（连同它所在的上级） / accept it and what it lies in")
@click.option("--accept-all", is_flag=True, help="全部核定 / accept all")
@click.option("--reject", multiple=True, metavar="ID", help="不要这一条，下级上移 / leave it out")
@click.option(
    "--from", "source", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="改用这个目录文件 / take the tree from this file"
)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def sections(
    ctx: click.Context, item: str, accept: tuple[str, ...], accept_all: bool, reject: tuple[str, ...], source: Path | None, as_json: bool
) -> None:
    """看、核定、改换一部书的卷目和门目。 / The section tree of a book."""
    decides = bool(accept or accept_all or reject or source)
    with opened(ctx, writes=decides) as archive:
        whole = _item(archive, item)
        tree, faults = whole.sections, 0
        if source is not None:
            tree, faults = _from_file(archive, whole, source)
        known = {path[-1].id for path in walk(tree)}
        for unknown in sorted({*accept, *reject} - known):
            raise NotFound(_("%(item)s 没有编号为 %(id)s 的门目。先运行 fangzhi sections %(item)s 看编号。", item=item, id=unknown))
        tree = changed(tree, accept=accept, reject=reject, everything=accept_all)
        if decides:
            archive.publishing.arrange(item, tree, by=who())
            refresh_index(archive)
        if as_json:
            show_json({"item": item, "sections": records.to_record(tree)})
        else:
            _show(whole, tree)
    ctx.exit(1 if faults else 0)


def _item(archive: Archive, id: str) -> Item:
    with archive.catalogue.read() as connection:
        stored = item_rows.get_item(connection, id, texts=True)
    if stored is None:
        raise NotFound(_("没有编号为 %(id)s 的条目。", id=id))
    return stored.item


def _from_file(archive: Archive, item: Item, source: Path) -> tuple[tuple[Section, ...], int]:
    """The tree that a 目录 file gives, and how many of its rows could not be used; raises UsageError when none can."""
    if source.suffix.lower() in sectioning.TABLES:
        try:
            sheets = [[(row.number, row.texts) for row in sheet.rows] for sheet in read_workbook(source)]
        except Unreadable as error:
            raise UsageError(f"{source}: {error.message}") from error
        rows = sectioning.of_sheets(sheets)
    else:
        rows = sectioning.read_contents(read_text(source).lines)
    files = {file.id: split_name(file.received.rsplit("/", 1)[-1])[0] for file in item.files}
    names = [files.get(page.image.file, "") if page.image else "" for page in item.pages]
    placed, faults = sectioning.of_contents(rows, item.pages, names)
    for row, _code, message in faults:
        say(_("%(path)s 第 %(row)d 行：%(message)s", path=source, row=row, message=message))
    if not placed:
        raise UsageError(_("%(path)s：没有一条能对上这部书的叶或影像。", path=source))
    known = sectioning.categories(archive.definitions.vocabularies.get(sectioning.CATEGORIES), fold)
    made = sectioning.tree(placed, "contents", True, known, fold)
    return tuple(_named(made, item)), len(faults)


def _named(made: Sequence[Section], item: Item) -> Iterator[Section]:
    """With the ids of pages, and of the sections that the item has already; new ones count on."""
    earlier: dict[tuple[str, str], list[str]] = {}
    for path in walk(item.sections):
        earlier.setdefault((path[-1].page, path[-1].title), []).append(path[-1].id)
    number = max(item.minted.get("x", 0), highest(item.sections))

    def named(section: Section) -> Section:
        nonlocal number
        page = item.pages[int(section.page[1:]) - 1].id
        same = earlier.get((page, section.title))
        if not same:
            number += 1
        id_ = same.pop(0) if same else f"x{number}"
        return replace(section, id=id_, page=page, children=tuple(named(child) for child in section.children))

    return map(named, made)


def _show(item: Item, tree: Sequence[Section]) -> None:
    if not tree:
        say(_("这一件还没有卷目、门目。"))
        return
    labels: dict[str, Any] = {
        page.id: (page.folio.label() if page.folio else "") or page.label or str(page.position) for page in item.pages
    }
    for path in walk(tree):
        section = path[-1]
        state = "" if section.accepted else _("（待核）")
        category = f" = {section.category}" if section.category and section.category != section.title else ""
        click.echo(f"{'  ' * (len(path) - 1)}{section.id}  {section.title}{category}  {labels.get(section.page, '')}{state}")
