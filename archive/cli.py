"""The `fangzhi` command. Other packages add subcommands by the entry-point group `fangzhi.commands`.

Results go to stdout, talk to stderr. Exit status: 0 done, 1 findings that a person must mend, 2 wrong usage, 3 the archive itself is not well.
Heavy modules are imported inside commands, so that `--help` answers at once.
"""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import locale
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive import __version__, language
from archive.errors import ArchiveError, SettingsError, StorageError
from archive.language import _
from archive.model.rights import Audience
from archive.settings import Settings, load_settings, locate_home

if TYPE_CHECKING:
    from archive.assembly import Archive

log = logging.getLogger(__name__)
AUDIENCES = [audience.value for audience in Audience]


class Commands(click.Group):
    """Our own commands and those that other packages bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(entry.name for entry in _entries())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for entry in _entries():
            if entry.name == cmd_name:
                command: click.Command = entry.load()
                return command
        return None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchiveError as error:
            say(str(error))
            ctx.exit(error.exit_status)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt:
            say(_("已中断。已经完成的都在；再运行一次会接着做。"))
            ctx.exit(130)


def _entries() -> tuple[importlib.metadata.EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group="fangzhi.commands"))


def say(message: str) -> None:
    """Talk: one message to stderr."""
    click.echo(message, err=True)


def show_json(value: object) -> None:
    """A result: one JSON document to stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _language(given: str | None) -> str:
    if given:
        return given
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "en" if name.lower().startswith("en") else "zh"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="馆藏主目录 / the archive's home (FANGZHI_HOME, ./fangzhi-home)"
)
@click.option("--lang", type=click.Choice(language.LANGUAGES), help="语言 / language")
@click.version_option(__version__, prog_name="fangzhi")
@click.pass_context
def main(ctx: click.Context, home: Path | None, lang: str | None) -> None:
    """方志馆：地方文献数字典藏。 / Fangzhi: a digital archive of local history."""
    language.choose(_language(lang))
    ctx.obj = locate_home(home)


@contextmanager
def opened(ctx: click.Context, *, writes: bool = False, rebuilds: bool = False) -> Iterator[Archive]:
    """The archive of this command's home; one that writes first carries out what a crash left undone.

    Without a catalogue only a command that `rebuilds` goes on: to the others an archive full of originals would look empty.
    """
    from archive.assembly import open_archive

    settings = load_settings(ctx.obj)
    if not rebuilds:
        _must_have_catalogue(settings)
    archive = open_archive(settings)
    try:
        if writes:
            for line in (*archive.store.recover(), *archive.journal.recover()):
                say(line)
            archive.publishing.settle()
        yield archive
    finally:
        archive.close()


def _must_have_catalogue(settings: Settings) -> None:
    from archive.storage.journal import Journal

    if not settings.catalogue.exists() and Journal(settings.journal).last():
        raise SettingsError(_("%(path)s：没有目录库。请运行 fangzhi rebuild，由原件重建。", path=settings.catalogue))


def who() -> str:
    """Who gives a command, for events: the login name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def refresh_index(archive: Archive) -> None:
    """Send what waits to the index, unless somebody else is at it already."""
    from archive.errors import Busy

    try:
        archive.keeping.drain(wait=30.0)
    except Busy:
        say(_("索引正由另一个进程更新；改动稍后可检索到。"))


@main.command()
@click.pass_context
def init(ctx: click.Context) -> None:
    """建立馆藏主目录。 / Make an archive home."""
    from archive.assembly import make_home

    make_home(ctx.obj)
    click.echo(_("馆藏主目录已建好：%(home)s", home=ctx.obj))


@main.command()
@click.argument("kind")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.pass_context
def template(ctx: click.Context, kind: str, output: Path) -> None:
    """生成著录表模板。 / Write the sheet that an archivist fills in."""
    import difflib

    from archive import resources
    from archive.errors import UsageError
    from archive.profiles import load_definitions
    from archive.template import write_template

    definitions = load_definitions(resources.definitions(), ctx.obj / "definitions")
    profile = definitions.profiles.get(kind)
    if profile is None:
        near = difflib.get_close_matches(kind, definitions.profiles, 1) or sorted(definitions.profiles)
        raise UsageError(_("没有 %(kind)s 这种资料种类。可用：%(known)s", kind=kind, known="、".join(near)))
    try:
        write_template(profile, definitions, output)
    except OSError as error:
        raise SettingsError(_("%(path)s：不能写入：%(why)s", path=output, why=error.strerror or error)) from error
    click.echo(_("已写好 %(path)s", path=output))


@main.command()
@click.argument("things", nargs=-1, required=True)
@click.option("--audience", type=click.Choice(AUDIENCES), required=True)
@click.pass_context
def publish(ctx: click.Context, things: tuple[str, ...], audience: str) -> None:
    """设定条目或整批的访问级别。 / Set who may see items or a batch."""
    with opened(ctx, writes=True) as archive:
        items = [item for thing in things for item in archive.publishing.members(thing)]
        done = archive.publishing.publish(items, Audience(audience), by=who())
        refresh_index(archive)
    click.echo(_("%(count)d 件，访问级别：%(audience)s", count=len(done), audience=audience))


@main.command()
@click.argument("items", nargs=-1, required=True)
@click.option("--reason", required=True)
@click.pass_context
def withdraw(ctx: click.Context, items: tuple[str, ...], reason: str) -> None:
    """撤下条目，留下说明。 / Withdraw items; a tombstone with the reason stays."""
    with opened(ctx, writes=True) as archive:
        wanted = [item for thing in items for item in archive.publishing.members(thing)]
        done = archive.publishing.withdraw(wanted, reason, by=who())
        refresh_index(archive)
    click.echo(_("已撤下 %(count)d 件", count=len(done)))


@main.command()
@click.option("--older-than", type=click.IntRange(min=0), metavar="DAYS")
@click.option("--yes", is_flag=True, help="不再询问 / do not ask")
@click.pass_context
def purge(ctx: click.Context, older_than: int | None, yes: bool) -> None:
    """清空回收站，不可恢复。 / Empty the trash for good."""
    with opened(ctx, writes=True) as archive:
        count = len(tuple(archive.store.trashed()))
        if not count:
            click.echo(_("回收站是空的。"))
            return
        if not yes:
            click.confirm(_("回收站里有 %(count)d 件，清空后不可恢复。继续吗？", count=count), abort=True, err=True)
        gone = archive.keeping.purge(older_than, by=who())
    click.echo(_("已清除 %(count)d 件；它们的编号不再使用。", count=len(gone)))


@main.group()
def reports() -> None:
    """读者勘误：列出、办结。 / Readers' reports of faulty text."""


@reports.command("list")
@click.option("--all", "everything", is_flag=True, help="连已办结的 / closed ones too")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_reports(ctx: click.Context, everything: bool, as_json: bool) -> None:
    """列出待办的勘误。 / List the reports that are open."""
    from dataclasses import asdict

    with opened(ctx) as archive:
        found = [report for report in archive.reports.all() if everything or report.outcome is None]
        shown = [asdict(report) | {"contact": archive.reports.contact(report)} for report in found]
        address = archive.settings.public_url.rstrip("/")
    if as_json:
        show_json({"reports": shown})
        return
    if not shown:
        click.echo(_("没有待办的勘误。"))
    for report in shown:
        _show_report(report, address)


def _show_report(report: dict[str, Any], address: str) -> None:
    place = f"{address}/items/{report['item']}/p/{report['page']}" + (f"?xywh={report['region']}" if report["region"] else "")
    click.echo(f"{report['number']}  {report['at']}  {place}")
    lines = [_("读者：%(text)s", text=report["note"])]
    if report["quotation"]:
        lines.insert(0, _("所录：%(text)s", text=report["quotation"]))
    if report["contact"]:
        lines.append(_("联系：%(text)s", text=report["contact"]))
    if report["outcome"] is not None:
        lines.append(_("办结（%(day)s）：%(text)s", day=report["closed"][:10], text=report["outcome"]))
    for line in lines:
        click.echo("  " + line.replace("\n", "\n  "))


@reports.command("close")
@click.argument("number")
@click.option("--outcome", required=True, help="结果：已改、不改及理由 / what became of it")
@click.pass_context
def close_report(ctx: click.Context, number: str, outcome: str) -> None:
    """办结一条勘误，抹去联系方式。 / Close a report and forget its contact."""
    with opened(ctx, writes=True) as archive:
        archive.reports.close(number, outcome, by=who())
    click.echo(_("勘误 %(number)s 已办结；联系方式已抹去。", number=number))


@main.command()
@click.argument("query")
@click.option("--collection")
@click.option("--from", "year_from", type=int)
@click.option("--to", "year_to", type=int)
@click.option("--kind")
@click.option("--sort", default="relevance")
@click.option("--limit", type=click.IntRange(1, 1000), default=20)
@click.option("--as", "audience", type=click.Choice(AUDIENCES), default=Audience.STAFF.value)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def search(
    ctx: click.Context,
    query: str,
    collection: str | None,
    year_from: int | None,
    year_to: int | None,
    kind: str | None,
    sort: str,
    limit: int,
    audience: str,
    as_json: bool,
) -> None:
    """检索，与网页相同。 / The same search as the web."""
    asked = {"q": query, "collection": collection, "from": year_from, "to": year_to, "kind": kind, "sort": sort}
    with opened(ctx) as archive:
        answer = _found(archive, {name: value for name, value in asked.items() if value is not None}, limit, Audience(audience))
    if as_json:
        show_json(answer)
        return
    click.echo(
        _(
            "%(items)d 种 · %(total)d 面（段） · 著录命中 %(metadata)d 件",
            items=answer["items"],
            total=answer["total"],
            metadata=answer["metadata_total"],
        )
    )
    for close in answer["corrections"]:
        click.echo(_("是不是要找：") + f"{close['query']}（{close['count']:,}）")
    for hit in answer["hits"]:
        click.echo(f"\n{hit['title']}  {hit['label']}  {hit['url']}")
        for snippet in hit["snippets"]:
            click.echo("  " + _marked(snippet))


def _found(archive: Archive, asked: dict[str, Any], limit: int, audience: Audience) -> dict[str, Any]:
    """The answer of `/api/v1/search` with up to `limit` hits, asked for in as many pages as that takes."""
    from flask import g

    from archive.web import create_app
    from archive.web.api import find
    from archive.web.asking import MOST

    app = create_app(archive)
    address = archive.settings.public_url or "http://127.0.0.1:8000"
    answer: dict[str, Any] = {}
    for page in range(1, -(-limit // MOST) + 1):
        asked |= {"size": min(limit, MOST), "page": page}
        with app.test_request_context("/api/v1/search", base_url=address, query_string=asked):
            g.reader = audience
            some = find().get_json()
        if not answer:
            answer = some | {"size": limit}
        else:
            answer["hits"] += some["hits"][: limit - len(answer["hits"])]
        if len(some["hits"]) < MOST:
            break
    return answer


def _marked(snippet: dict[str, Any]) -> str:
    text, out, at = snippet["text"], [], 0
    for start, end in snippet["spans"]:
        out += [text[at:start], click.style(text[start:end], fg="red", bold=True)]
        at = end
    return "".join([*out, text[at:]]).replace("\n", " ")


@main.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", type=click.IntRange(0, 65535), default=8000)
@click.option("--workers", type=click.IntRange(1, 32), default=1)
@click.pass_context
def serve(ctx: click.Context, host: str, port: int, workers: int) -> None:
    """开馆：网页与后台工作。 / Serve the web and a background worker."""
    from archive.assembly import open_archive
    from archive.web.serving import serve as run

    importlib.import_module("archive.search.whoosh_index")  # before the fork: its memory is shared, and no reader waits for it
    importlib.import_module("archive.web")
    settings = load_settings(ctx.obj)
    with opened(ctx, writes=True) as archive:
        if archive.keeping.waiting():
            refresh_index(archive)
    run(lambda: open_archive(settings), host=host, port=port, workers=workers, background=lambda: work(ctx.obj, threading.Event()))


def _discard_damaged(settings: Settings) -> None:
    """Take away a catalogue that cannot be opened, so that it can be made again; one that can be stays until the new one stands."""
    from archive.catalogue.engine import discard, doctor, open_catalogue

    if not settings.catalogue.exists():
        return
    try:
        catalogue = open_catalogue(settings.catalogue, create=True)
        try:
            fault = doctor(catalogue).get("fault")
        finally:
            catalogue.close()
    except (SettingsError, StorageError) as error:
        fault = str(error)
    if fault:
        say(str(fault))
        discard(settings.catalogue)


def work(home: Path, stop: threading.Event) -> None:
    """The background worker: keeps the index up with the catalogue until `stop` is set; when that has been quiet, finds lines on page images."""
    from archive.assembly import open_archive
    from archive.errors import Busy
    from archive.services.idle import Idle

    archive = open_archive(load_settings(home))
    pause, said, idle = 1.0, "", Idle()
    try:
        while not stop.wait(pause):
            try:
                if archive.keeping.waiting():
                    idle.disturbed()
                    archive.keeping.drain()
                elif idle.long_enough():
                    idle.done(archive.keeping.find_lines(until=lambda: stop.is_set() or archive.keeping.waiting()))
                pause, said = 1.0, ""
            except Busy:
                continue
            except ArchiveError as error:  # an index that a person must rebuild, a full disk: said once, tried again now and then
                if str(error) != said:
                    log.error("%s", error)
                pause, said = 30.0, str(error)
    finally:
        archive.close()


@main.command()
@click.pass_context
def worker(ctx: click.Context) -> None:
    """只运行后台工作。 / The background worker alone."""
    import signal

    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_args: stop.set())
    say(_("后台工作已开始；按 Ctrl-C 结束。"))
    work(ctx.obj, stop)


@main.command()
@click.argument("items", nargs=-1)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def verify(ctx: click.Context, items: tuple[str, ...], as_json: bool) -> None:
    """核对原件的固定性。 / Compare originals with their inventories, byte for byte."""
    from archive import records

    with opened(ctx) as archive:  # decisions that a crash left undone are not carried out: they may concern what is damaged
        for line in (*archive.store.recover(), *archive.journal.recover()):
            say(line)
        audit = archive.keeping.verify(items)
    if as_json:
        show_json({"items": audit.items, "problems": [records.to_record(problem) for problem in audit.problems]})
    else:
        for problem in audit.problems:
            click.echo(f"{problem.item}  {problem.path}  {problem.code}  {problem.message}")
        click.echo(_("核对 %(items)d 件，问题 %(problems)d 处。", items=audit.items, problems=len(audit.problems)))
    if audit.problems:
        ctx.exit(3)


@main.command()
@click.argument("parts", nargs=-1, type=click.Choice(["catalogue", "index", "derivatives"]))
@click.option("--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1)
@click.pass_context
def rebuild(ctx: click.Context, parts: tuple[str, ...], jobs: int) -> None:
    """重建目录、索引、衍生件。 / Make catalogue, index and derivatives again."""
    wanted = parts or ("catalogue", "index", "derivatives")
    unread: tuple[str, ...] = ()
    if "catalogue" in wanted:
        _discard_damaged(load_settings(ctx.obj))
    with opened(ctx, rebuilds="catalogue" in wanted) as archive:
        archive.store.recover()
        archive.journal.recover()
        if "catalogue" in wanted:
            count, unread = archive.keeping.rebuild_catalogue()
            click.echo(_("目录：%(count)d 件", count=count))
            for fault in unread:
                say(fault)
            if not unread:  # what is left undone may concern what is damaged
                archive.publishing.settle()
        if "index" in wanted:
            click.echo(_("索引：%(count)d 件", count=archive.keeping.rebuild_index()))
        if "derivatives" in wanted:
            made, failed = archive.keeping.rebuild_derivatives(jobs=jobs)
            click.echo(_("衍生件：做了 %(made)d 项，未成 %(failed)d 项", made=made, failed=failed))
    if unread:
        ctx.exit(StorageError.exit_status)


@main.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """备份自上次以来的变动。 / Back up what changed since the last time."""
    from archive.storage.backup import backup as back_up

    with opened(ctx, writes=True) as archive:
        done = back_up(archive.settings, target, at=archive.stamp())
    click.echo(_("已备份到 %(path)s：%(files)d 个文件", path=target, files=done.files))


@main.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def restore(ctx: click.Context, sources: tuple[Path, ...]) -> None:
    """从备份恢复到空的主目录。 / Restore backups, oldest first, into an empty home."""
    from archive.storage.backup import restore as bring_back

    bring_back(sources, ctx.obj)
    click.echo(_("已恢复到 %(home)s。接着运行：fangzhi rebuild", home=ctx.obj))


@main.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """检查机器、设置与定义。 / What is missing or wrong here, and how to mend it."""
    from archive.assembly import index_state
    from archive.services.examining import examine

    checks = examine(ctx.obj, index_state)
    if as_json:
        show_json([{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks])
    else:
        for check in checks:
            click.echo(f"{'✓' if check.ok else '✗'} {check.name}  {check.detail}")
    if not all(check.ok for check in checks):
        ctx.exit(3)


@main.command()
@click.argument("thing")
@click.option("--reason", required=True)
@click.option("--yes", is_flag=True, help="不再询问 / do not ask")
@click.pass_context
def erase(ctx: click.Context, thing: str, reason: str, yes: bool) -> None:
    """彻底抹去条目、文件或人名。 / Remove an item's, a file's or a person's bytes and words for good."""
    from archive.services.locks import lock

    if not yes:
        click.confirm(_("将从所有版本、衍生件、索引中抹去 %(thing)s，不可恢复。继续吗？", thing=thing), abort=True, err=True)
    with opened(ctx, writes=True) as archive:
        with lock(archive.settings.run, "ingest"):
            erased = archive.keeping.erase(thing, reason, by=who(), private=archive.private)
        archive.publishing.settle()
        refresh_index(archive)
    click.echo(_("已抹去：涉及 %(count)d 件。旧的备份里还有；请重做备份，销毁旧的。", count=len(erased.items)))
    for item, path in erased.left:
        click.echo(_("%(item)s：%(path)s 里可能还有，程序改不了；请查看后用 fangzhi erase 抹去该文件。", item=item, path=path))
    if erased.left:
        ctx.exit(1)


@main.command()
@click.argument("query")
@click.option("--collection")
@click.option("--from", "year_from", type=int)
@click.option("--to", "year_to", type=int)
@click.option("--item")
@click.option("--sort", type=click.Choice(("work", "date", "-date", "left", "right")), default="work")
@click.option("--limit", type=click.IntRange(1, 200), default=50)
@click.option(
    "--csv", "table", type=click.Path(path_type=Path, dir_okay=False), help="全部各处写成表格 / write all lines to a file: .csv, .xlsx"
)
@click.option("--as", "audience", type=click.Choice(AUDIENCES), default=Audience.STAFF.value)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def concordance(
    ctx: click.Context,
    query: str,
    collection: str | None,
    year_from: int | None,
    year_to: int | None,
    item: str | None,
    sort: str,
    limit: int,
    table: Path | None,
    audience: str,
    as_json: bool,
) -> None:
    """逐字索引：每一处一行。 / Every occurrence on a line, with what stands around it."""
    from flask import g

    from archive.web import create_app
    from archive.web.api import lines

    asked = {"q": query, "collection": collection, "from": year_from, "to": year_to, "item": item, "sort": sort, "size": limit}
    with opened(ctx) as archive:
        app = create_app(archive)
        address = archive.settings.public_url or "http://127.0.0.1:8000"
        wanted = {name: value for name, value in asked.items() if value is not None}
        with app.test_request_context("/api/v1/concordance", base_url=address, query_string=wanted):
            g.reader = Audience(audience)
            answer = lines().get_json()
            if table is not None:
                _write_lines(table)
    if as_json:
        show_json(answer)
        return
    click.echo(_("共 %(total)s 处 · %(works)s 种", total=f"{answer['total']:,}", works=f"{answer['items']:,}"))
    if table is not None:
        click.echo(_("已写好 %(path)s", path=table))
        return
    for line in answer["lines"]:
        click.echo(f"{line['left']}{click.style(line['match'], fg='red', bold=True)}{line['right']}  {line['title']}  {line['label']}")


def _write_lines(path: Path) -> None:
    """All lines of the request in force, to a file that stands only when it is whole."""
    from archive.web.concordance import as_csv, as_xlsx

    answer = as_xlsx() if path.suffix.lower() == ".xlsx" else as_csv()
    aside = path.with_name(path.name + ".part")
    try:
        with aside.open("wb") as stream:
            for part in answer.iter_encoded():
                stream.write(part)
        aside.replace(path)
    except OSError as error:
        raise SettingsError(_("%(path)s：不能写入：%(why)s", path=path, why=error.strerror or error)) from error
    finally:
        aside.unlink(missing_ok=True)
