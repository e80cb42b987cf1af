"""`fangzhi cues` and `fangzhi passages`: timed text and described passages taken out to be mended, and put back.

What is put back is a decision: journalled, a new version of the object, and kept when the donor's files are taken in again. Until there is a
desk these commands are how an archivist does it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive.cli import opened, refresh_index, say, show_json, who
from archive.errors import NotFound, SettingsError, UsageError
from archive.language import _
from archive.model import timed_text
from archive.model.donation import Severity
from archive.model.item import Item, MediaKind, Segment, Track
from archive.model.profile import Profile
from archive.model.rights import Audience, Embargo, Rights
from archive.services import objects
from ingest.readers.personal import personal_numbers
from ingest.readers.plain_text import read_text
from ingest.readers.subtitles import Subtitles, form_of, language_of, parse, subtitle_findings

if TYPE_CHECKING:
    from archive.assembly import Archive

_RECORDED = (MediaKind.SOUND, MediaKind.FILM)
AUDIENCES = {
    "公开": Audience.PUBLIC,
    "登录": Audience.SIGNED_IN,
    "馆内": Audience.READING_ROOM,
    "申请": Audience.ON_REQUEST,
    "馆员": Audience.STAFF,
    "封存": Audience.SEALED,
}
"""As a sheet says them; their names as commands say them are understood too."""

_OUTPUT = click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="写到此文件 / write to this file")
_GIVEN = click.Path(path_type=Path, exists=True, dir_okay=False)
_CHECKED = click.option("--personal-checked", is_flag=True, help="已核实其中的号码可以公开 / numbers in it were looked at")
_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def cues() -> None:
    """随声文字：导出、修改、换回。 / Timed text: take out, mend, put back."""


@cues.command("list")
@click.argument("item")
@_JSON
@click.pass_context
def list_(ctx: click.Context, item: str, as_json: bool) -> None:
    """一件的录音录像与随声文字。 / The recordings of an item and their timed texts."""
    with opened(ctx) as archive:
        found = _item(archive, item)
    recordings = [file for file in found.files if file.kind in _RECORDED]
    texts = [track for track in found.tracks if track.timed]
    if as_json:
        show_json(
            {
                "recordings": [{"id": f.id, "name": f.received, "duration": f.duration} for f in recordings],
                "tracks": [{"id": t.id, "media": t.media, "language": t.language, "lines": len(t.cues), "file": t.file} for t in texts],
            }
        )
        return
    for file in recordings:
        click.echo(f"{file.id}  {file.received}")
    for track in texts:
        click.echo(
            _(
                "%(id)s  随 %(media)s  %(language)s  %(n)d 行",
                id=track.id,
                media=track.media or "—",
                language=track.language,
                n=len(track.cues),
            )
        )
    if not texts:
        click.echo(_("没有随声文字。"))


@cues.command("export")
@click.argument("item")
@click.argument("track")
@_OUTPUT
@click.option("--format", "form", type=click.Choice(sorted(timed_text.FORMS)), help="不写则依文件名，再则 srt / else by the file's name")
@click.pass_context
def export_cues(ctx: click.Context, item: str, track: str, output: Path | None, form: str | None) -> None:
    """导出随声文字。 / Write a timed text as SRT, VTT or LRC."""
    with opened(ctx) as archive:
        found = _track(_item(archive, item), track)
    chosen = form or (output.suffix.lower().lstrip(".") if output else "srt")
    if chosen not in timed_text.FORMS:
        raise UsageError(_("不会写 %(form)s；可用：srt、vtt、lrc。", form=chosen))
    _put(output, timed_text.FORMS[chosen].write(found))


@cues.command("replace")
@click.argument("item")
@click.argument("track")
@click.argument("given", type=_GIVEN)
@_CHECKED
@click.pass_context
def replace_cues(ctx: click.Context, item: str, track: str, given: Path, personal_checked: bool) -> None:
    """以改好的文件换下随声文字。 / Put a mended file in the place of a timed text."""
    with opened(ctx, writes=True) as archive:
        found = _item(archive, item)
        if len(_track(_whole(archive, item), track).cues) != len(_track(found, track).cues):
            raise UsageError(_("%(item)s 的 %(track)s 里有封存的段落，不能整份换下。", item=item, track=track))
        media = _track(found, track).media
        _mend(ctx, archive, found, track, media, given, "", personal_checked)


@cues.command("add")
@click.argument("item")
@click.argument("recording")
@click.argument("given", type=_GIVEN)
@click.option("--language", default="", help="zh、en……，不写则看文字 / by the script when left out")
@_CHECKED
@click.pass_context
def add_cues(ctx: click.Context, item: str, recording: str, given: Path, language: str, personal_checked: bool) -> None:
    """给录音录像加一份随声文字。 / Add a timed text, such as a translation, to a recording."""
    if language and not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
        raise UsageError(_("语言要写成 zh、en、lzh 这样的代码。"))
    with opened(ctx, writes=True) as archive:
        found = _item(archive, item)
        if all(file.id != recording or file.kind not in _RECORDED for file in found.files):
            raise NotFound(_("%(item)s 没有录音录像 %(file)s。请用 fangzhi cues list %(item)s 查看。", item=item, file=recording))
        numbers = [int(t.id[1:]) for t in found.tracks if re.fullmatch(r"m[0-9]+", t.id)]
        _mend(ctx, archive, found, f"m{max(numbers, default=0) + 1}", recording, given, language, personal_checked)


@cues.command("restore")
@click.argument("item")
@click.argument("track")
@click.pass_context
def restore_cues(ctx: click.Context, item: str, track: str) -> None:
    """撤销修改，恢复捐赠者的文字。 / Take back what was mended: the donor's text stands again."""
    with opened(ctx, writes=True) as archive:
        _track(_item(archive, item), track)
        archive.publishing.mend_text(item, track, (), by=who())
        refresh_index(archive)
    click.echo(_("%(item)s 的 %(track)s 已恢复原样。", item=item, track=track))


def _mend(
    ctx: click.Context, archive: Archive, item: Item, track: str, media: str | None, given: Path, language: str, checked: bool
) -> None:
    """Read a file and put it in the place of a track; exit status 1 when there is something in it to look at."""
    duration = next((file.duration for file in item.files if file.id == media), None)
    read = _read(given, duration)
    if not checked and any(personal_numbers(cue.text) for cue in read.cues):
        raise UsageError(_("%(path)s：里面像有身份证号或电话号码。核实可以公开后，加 --personal-checked 再来。", path=given))
    donors = any(t.id == track and t.file is not None for t in item.tracks)
    archive.publishing.mend_text(
        item.id, track, read.cues, media=None if donors else media, language=language or language_of(read.cues), by=who()
    )
    refresh_index(archive)
    found = subtitle_findings(read, str(given))
    for finding in found:
        say(f"{finding.where}: {finding.message}（{finding.code}）")
    click.echo(_("%(item)s 的 %(track)s：%(n)d 行", item=item.id, track=track, n=len(read.cues)))
    if any(finding.severity is not Severity.NOTE for finding in found):
        ctx.exit(1)


def _read(given: Path, duration: float | None) -> Subtitles:
    text = read_text(given).text
    form = form_of(given.suffix, text)
    read = parse(text, form, duration) if form else Subtitles(())
    if not read.cues:
        raise UsageError(_("%(path)s：没有读到带时间的字幕。可用：SRT、VTT、LRC、ASS、TextGrid。", path=given))
    return read


def _item(archive: Archive, item: str) -> Item:
    """The item as staff may see it; raises NotFound and Withdrawn."""
    return archive.reading.whole(Audience.STAFF, item)


def _whole(archive: Archive, item: str) -> Item:
    """The item with what is sealed, so that putting back what staff saw of it loses nothing; nothing of it is told."""
    return objects.read_object(archive.store, item).item


def _hidden(archive: Archive, item: str, seen: Item) -> tuple[Segment, ...]:
    """Passages that not even staff may see: they stay as they are."""
    shown = {segment.id for segment in seen.segments}
    return tuple(segment for segment in _whole(archive, item).segments if segment.id not in shown)


def _track(item: Item, track: str) -> Track:
    for found in item.tracks:
        if found.id == track:
            return found
    raise NotFound(_("%(item)s 没有随声文字 %(track)s。请用 fangzhi cues list %(item)s 查看。", item=item.id, track=track))


def _put(output: Path | None, text: str) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise SettingsError(_("%(path)s：不能写入：%(why)s", path=output, why=error.strerror or error)) from error
    click.echo(_("已写好 %(path)s", path=output))


# Passages


@click.group()
def passages() -> None:
    """录音录像的段落：导出、著录、换回。 / Passages of recordings: take out, describe, put back."""


_FIXED = ("编号", "录音", "起", "止", "题名", "类别")
_USUAL = ("vocal-system", "metre", "tuning", "performer", "character", "role-type", "place", "subject")
"""Fields for which the sheet has a column; any other of the profile may be added by its heading."""
_RIGHTS = ("访问级别", "开放日期", "限制理由")


@passages.command("export")
@click.argument("item")
@_OUTPUT
@click.pass_context
def export_passages(ctx: click.Context, item: str, output: Path | None) -> None:
    """导出段落表（CSV）；还没有段落的，得到一张空表。 / Write the passages as CSV; an empty sheet where there are none."""
    with opened(ctx) as archive:
        found = _item(archive, item)
        known = _fields(archive.definitions.profiles.get(found.kind))
    used = {key for segment in found.segments for key in segment.fields}
    fields = {key: label for key, label in known.items() if key in _USUAL or key in used}
    buffer = io.StringIO()
    sheet = csv.writer(buffer)
    sheet.writerow([*_FIXED, *fields.values(), *_RIGHTS])
    for segment in found.segments:
        sheet.writerow(_row(segment, fields))
    _put(output, "\ufeff" + buffer.getvalue() if output else buffer.getvalue())  # with a mark Excel reads it as UTF-8


def _fields(profile: Profile | None) -> Mapping[str, str]:
    """Fields of a passage: those of its profile that are for all to see, key to heading."""
    if profile is None:
        return {}
    passed = {"title", "identifier", "files", "kind", "collection", "access", "rights-status", "date", "remarks", "description"}
    return {field.key: field.label for field in profile.fields if not field.staff_only and field.key not in passed}


def _row(segment: Segment, fields: Mapping[str, str]) -> list[str]:
    words = {audience: word for word, audience in AUDIENCES.items()}
    rights = segment.rights
    audience = rights.embargo.after if rights.embargo is not None else rights.audience
    return [
        segment.id,
        segment.media,
        _clock(segment.start),
        _clock(segment.end),
        segment.title,
        segment.kind,
        *("; ".join(segment.fields.get(key, ())) for key in fields),
        words[audience] if audience is not None else "",
        rights.embargo.until.isoformat() if rights.embargo is not None else "",
        rights.reason,
    ]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes}:{rest / 1000:06.3f}".rstrip("0").rstrip(".")


@passages.command("replace")
@click.argument("item")
@click.argument("given", type=_GIVEN)
@click.option("--jobs", type=click.IntRange(1, 64), default=1)
@click.pass_context
def replace_passages(ctx: click.Context, item: str, given: Path, jobs: int) -> None:
    """以填好的段落表（CSV、XLSX）换下段落，并制作所需的副本。 / Put a filled-in sheet in the place of the passages; copies without closed ones are made."""
    with opened(ctx, writes=True) as archive:
        found = _item(archive, item)
        sealed = _hidden(archive, item, found)
        last = objects.read_object(archive.store, item).decisions.last_passage
        read, last = _Sheet(found, _fields(archive.definitions.profiles.get(found.kind)), last).read(given)
        archive.publishing.describe_passages(item, (*read, *sealed), last=last, by=who())
        refresh_index(archive)
        made, failed = archive.keeping.rebuild_derivatives(jobs=jobs, item=item)
    click.echo(_("%(item)s：%(n)d 段；衍生件做了 %(made)d 项，未成 %(failed)d 项", item=item, n=len(read), made=made, failed=failed))
    if failed:
        ctx.exit(1)


@dataclass
class _Sheet:
    """Reads the sheet of an item's passages; every fault of every row is told at once."""

    item: Item
    fields: Mapping[str, str]
    last: int
    """Highest number that any passage ever had."""

    def read(self, path: Path) -> tuple[tuple[Segment, ...], int]:
        """The passages in the order of the sheet, and the highest number that any was ever given. Raises UsageError with all faults."""
        from ingest.readers.workbook import Unreadable, read_workbook

        try:
            sheets = read_workbook(path)
        except Unreadable as error:
            raise UsageError(f"{path}: {error.message}") from error
        rows = [row for sheet in sheets[:1] for row in sheet.rows]
        headings = [text.strip() for text in rows[0].texts] if rows else []
        missing = [name for name in ("起", "止", "题名") if name not in headings]
        unknown = [name for name in headings if name and name not in (*_FIXED, *_RIGHTS, *self.fields.values())]
        faults = [_("缺少列：%(names)s", names="、".join(missing))] if missing else []
        faults += [_("不认识的列：%(names)s", names="、".join(unknown))] if unknown else []
        read: list[Segment] = []
        for row in rows[1:] if not missing else ():
            cells = dict(zip(headings, (text.strip() for text in row.texts), strict=False))
            if any(cells.values()):
                try:
                    read.append(self._segment(cells))
                except ValueError as error:
                    faults.append(_("第 %(n)d 行：%(why)s", n=row.number, why=error))
        if faults:
            raise UsageError("\n".join(f"{path}: {fault}" for fault in faults))
        return self._numbered(read)

    def _segment(self, cells: Mapping[str, str]) -> Segment:
        media = self._media(cells.get("录音", ""))
        start, end = (_seconds(cells.get(name, ""), name) for name in ("起", "止"))
        if end <= start:
            raise ValueError(_("“止”须在“起”之后"))
        title = cells.get("题名", "")
        if not title:
            raise ValueError(_("没有题名"))
        length = next(file.duration for file in self.item.files if file.id == media)
        if length is not None and start >= length:
            raise ValueError(_("“起”在录音结束（%(end)s）之后", end=_clock(length)))
        values = {key: _several(cells[label]) for key, label in self.fields.items() if cells.get(label)}
        return Segment(cells.get("编号", ""), media, start, end, title, cells.get("类别", ""), values, _rights(cells))

    def _media(self, name: str) -> str:
        recorded = [file for file in self.item.files if file.kind in _RECORDED]
        if not name and len(recorded) == 1:
            return recorded[0].id
        for file in recorded:
            if name and name in (file.id, file.received, file.received.rpartition("/")[2]):
                return file.id
        raise ValueError(_("“录音”要写：%(names)s", names="、".join(f"{f.id}（{f.received.rpartition('/')[2]}）" for f in recorded)))

    def _numbered(self, read: Sequence[Segment]) -> tuple[tuple[Segment, ...], int]:
        """Ids: the one in the sheet if it is of this item, else that of the same passage, else a new one."""
        before = {segment.id: segment for segment in self.item.segments}
        last = max([self.last, self.item.minted.get("s", 0), *(_number(name) for name in before)], default=0)
        taken: set[str] = set()
        found = []
        for segment in read:
            same = (s.id for s in before.values() if (s.media, s.title) == (segment.media, segment.title) and s.id not in taken)
            name = segment.id if segment.id in before and segment.id not in taken else next(same, "")
            if not name:
                last += 1
                name = f"s{last}"
            taken.add(name)
            found.append(replace(segment, id=name))
        return tuple(found), last


def _number(id: str) -> int:
    return int(id[1:]) if id[1:].isdigit() else 0


def _seconds(written: str, name: str) -> float:
    """`1:05.5`, `1:02:03` or `65.5` as seconds; raises ValueError."""
    text = written.replace("：", ":")
    if not re.fullmatch(r"(?:\d{1,3}:){0,2}\d{1,6}(?:\.\d{1,3})?", text):
        raise ValueError(_("“%(name)s”写作 1:05.5 或秒数，这里是“%(written)s”", name=name, written=written))
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return round(total, 3)


def _several(written: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split("[;；]", written) if part.strip())


def _rights(cells: Mapping[str, str]) -> Rights:
    """The rights of a passage. An opening date means: for staff until then, and for the audience written (else everybody) from that day on."""
    word, day = cells.get("访问级别", ""), cells.get("开放日期", "")
    known: dict[str, Audience] = {**AUDIENCES, **{audience.value: audience for audience in Audience}}
    if word and word not in known:
        raise ValueError(_("“访问级别”可用：%(names)s", names="、".join(AUDIENCES)))
    audience, reason = known.get(word), cells.get("限制理由", "")
    if not day:
        return Rights(audience, reason=reason)
    try:
        until = date.fromisoformat(day)
    except ValueError:
        raise ValueError(_("“开放日期”写作 2030-01-01")) from None
    return Rights(Audience.STAFF, Embargo(until, audience or Audience.PUBLIC), reason=reason)
