"""`fangzhi ingest check / run / status / resume / undo` and `fangzhi index --text`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from archive.cli import AUDIENCES, opened, refresh_index, show_json, who
from archive.errors import NotFound, UsageError
from archive.language import _
from archive.model.rights import Audience
from archive.services.locks import lock
from archive.settings import load_settings

if TYPE_CHECKING:
    from ingest.pipeline import Outcome
    from ingest.task import GivenFile

_JOBS = click.option("--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1, help="子进程数 / child processes")
_REPORT = click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="报告写到此文件夹 / write reports here")
_JSON = click.option("--json", "as_json", is_flag=True)
_QUICK = click.option("--quick", is_flag=True, help="大小和时间未变的文件不再重读 / trust unchanged size and time")
_FOLDER = click.argument("folder", type=click.Path(path_type=Path))


@click.group()
def ingest() -> None:
    """收入一批捐赠。 / Take in a donation."""


@ingest.command()
@_FOLDER
@_REPORT
@_JOBS
@_JSON
@_QUICK
@click.pass_context
def check(ctx: click.Context, folder: Path, report: Path | None, jobs: int, as_json: bool, quick: bool) -> None:
    """只检查，什么也不写进馆藏。 / Everything that `run` would find, writing nothing."""
    from ingest import pipeline

    folder = _donation(folder, ctx.obj)
    with opened(ctx) as archive, pipeline.workspace_in(None) as workspace, _Bar(as_json) as bar:
        options = pipeline.Options(jobs, quick, False, bar.told)
        outcome, files = pipeline.check(folder, archive, archive.settings, archive.definitions, options, Path(workspace))
        bar.stop()
        _tell(ctx, folder, outcome, files, report, as_json)


@ingest.command()
@_FOLDER
@_REPORT
@_JOBS
@_JSON
@_QUICK
@click.option(
    "--ocr",
    is_flag=True,
    help="没有文本的面做机器识别，有文本的面找出各列的位置 / read pages without text, find the lines of those with text",
)
@click.pass_context
def run(ctx: click.Context, folder: Path, report: Path | None, jobs: int, as_json: bool, quick: bool, ocr: bool) -> None:
    """收入；中断过就接着做。 / Take it in; goes on by itself where it was interrupted."""
    folder = _donation(folder, ctx.obj)
    if report is None and not ocr and _answer(ctx, folder, jobs, as_json, quick):
        return
    from ingest import pipeline

    with opened(ctx, writes=True) as archive, pipeline.workspace_in(archive.settings) as workspace, _Bar(as_json) as bar:
        options = pipeline.Options(jobs, quick, ocr, bar.told, shown=not as_json)
        outcome, files = pipeline.run(folder, archive, options, Path(workspace))
        bar.stop()
        _tell(ctx, folder, outcome, files, report, as_json)


@ingest.command()
@click.argument("batch", required=False)
@_JSON
@click.pass_context
def status(ctx: click.Context, batch: str | None, as_json: bool) -> None:
    """各批次的情况。 / What happened to batches."""
    from archive import records
    from archive.catalogue import donations

    with opened(ctx) as archive, archive.catalogue.read() as connection:
        rows = donations.batches(connection)
    if batch is not None:
        rows = [row for row in rows if row.id == batch]
        if not rows:
            raise NotFound(_("没有编号为 %(id)s 的批次。", id=batch))
    if as_json:
        show_json([records.to_record(row) for row in rows])
        return
    for row in rows:
        counts = row.summary.get("items", {})
        click.echo(f"{row.id}  {row.state.value}  {row.started}  {row.folder}  {' '.join(f'{k} {v}' for k, v in counts.items())}")
    if not rows:
        click.echo(_("还没有批次。"))


@ingest.command()
@click.argument("batch")
@_REPORT
@_JOBS
@_JSON
@click.pass_context
def resume(ctx: click.Context, batch: str, report: Path | None, jobs: int, as_json: bool) -> None:
    """接着做一个停下的批次。 / Go on with a batch that stopped."""
    from archive.catalogue import donations

    with opened(ctx) as archive, archive.catalogue.read() as connection:
        row = donations.get_batch(connection, batch)
    if row is None:
        raise NotFound(_("没有编号为 %(id)s 的批次。", id=batch))
    ctx.invoke(run, folder=Path(row.folder), report=report, jobs=jobs, as_json=as_json, quick=False, ocr=False)


@ingest.command()
@click.argument("batch")
@_JSON
@click.pass_context
def undo(ctx: click.Context, batch: str, as_json: bool) -> None:
    """撤回一个批次。 / Take a batch back."""
    with opened(ctx, writes=True) as archive:
        with lock(archive.settings.run, "ingest"):
            undone = archive.publishing.undo(batch, by=who())
        refresh_index(archive)
    if as_json:
        show_json({"trashed": undone.trashed, "restored": undone.restored, "left": [{"item": i, "why": w} for i, w in undone.left]})
    else:
        click.echo(_("进回收站 %(t)d 件，恢复原状 %(r)d 件。", t=len(undone.trashed), r=len(undone.restored)))
        for item, why in undone.left:
            click.echo(f"{item}  {why}")
    if undone.left:
        ctx.exit(1)


def _answer(ctx: click.Context, folder: Path, jobs: int, as_json: bool, quick: bool) -> bool:
    """Give the answer of the last run again when nothing has changed since; False when the donation must be gone through."""
    from ingest import remembered

    with _Bar(as_json) as bar:
        answer = remembered.recall(folder, load_settings(ctx.obj), quick=quick, jobs=jobs, shown=not as_json, progress=bar.told)
    if answer is None:
        return False
    if as_json:
        show_json(answer.document)
    else:
        click.echo(answer.text, nl=False, color=False if os.environ.get("NO_COLOR") else None)
    if answer.status:
        ctx.exit(answer.status)
    return True


def _donation(folder: Path, home: Path) -> Path:
    folder = folder.absolute()
    if not folder.is_dir():
        raise UsageError(_("%(folder)s 不是文件夹。请给出捐赠文件夹的路径。", folder=folder))
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError(_("%(folder)s 读不了，请检查权限。", folder=folder))
    load_settings(home)
    _refuse_overlap(folder, home)
    return folder


def _refuse_overlap(folder: Path, home: Path) -> None:
    donor, own = folder.resolve(), home.resolve()
    if donor == own or own in donor.parents or donor in own.parents:
        raise UsageError(_("捐赠文件夹 %(folder)s 与馆藏主目录 %(home)s 互相包含；请分开放。", folder=folder, home=home))


def _tell(ctx: click.Context, folder: Path, outcome: Outcome, files: dict[str, GivenFile], report: Path | None, as_json: bool) -> None:
    from ingest import accounting

    counts = accounting.Counts(outcome.batch or "", outcome.items, outcome.files, outcome.seconds)
    findings, checked = outcome.findings, outcome.batch is None
    written: tuple[Path, ...] = ()
    if report is not None or not as_json:
        from rich.console import Console

        from ingest import report as reports
    if report is not None:
        locations = {path: file.location for path, file in files.items() if file.location is not None}
        written = reports.write_reports(report, outcome.plan, findings, counts, locations, name=folder.name, checked=checked)
    if as_json:
        show_json(accounting.to_json(findings, counts))
    else:
        reports.to_terminal(Console(), outcome.plan, findings, counts, folder=str(folder), checked=checked, reports=written)
    if outcome.needs_a_person:
        ctx.exit(1)


class _Bar:
    """Progress with time left on a terminal; silence elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._progress: Any = None
        self._tasks: dict[str, Any] = {}
        self._quiet = quiet or not sys.stderr.isatty()

    def __enter__(self) -> _Bar:
        if not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=Console(stderr=True))
            self._progress.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def told(self, stage: str, done: int, total: int) -> None:
        if self._progress is None:
            return
        words = {
            "receive": _("核对字节"),
            "identify": _("辨认格式"),
            "preserve": _("收入原件"),
            "derive": _("制作衍生件"),
            "ocr": _("机器识别"),
            "lines": _("找出影像上的各列"),
            "index": _("编入索引"),
        }
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(words.get(stage, stage), total=total or None)
        self._progress.update(self._tasks[stage], completed=done, total=total or None)


@click.command()
@click.option("--text", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="JSONL，一行一面")
@click.option("--access", type=click.Choice(AUDIENCES), default=Audience.PUBLIC.value)
@click.pass_context
def index(ctx: click.Context, source: Path, access: str) -> None:
    """把纯文本叶收为条目并编入索引。 / Take bare pages of text in as items."""
    import gzip

    from ingest import leaves

    with opened(ctx, writes=True) as archive:
        with cast(BinaryIO, gzip.open(source)) if source.suffix == ".gz" else source.open("rb") as stream:
            works, count = leaves.take_in(archive, stream, str(source), Audience(access), agent=who())
        refresh_index(archive)
    click.echo(_("收入 %(works)d 种，%(leaves)d 面。", works=works, leaves=count))
