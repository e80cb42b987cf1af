"""An archive in which something is hidden in every place where things can hide, and its twins without it.

Everything hidden carries a *mark*, two characters that stand nowhere else, in each of its words and names; every hidden picture has a
colour of its own, every hidden passage a tone of its own. So a leak is found by content, whatever route it takes. The archive goes through
the real pipeline and the real command; what no sheet can say (rights of a passage and of a single file) is written into the item's object
as an archivist's correction would be. `twin` takes away all that a reader may not see: for that reader both archives must answer alike.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import openpyxl
from click.testing import CliRunner
from PIL import Image, ImageDraw

from archive.assembly import Archive, make_home, open_archive
from archive.catalogue import items as item_rows
from archive.cli import main
from archive.model.item import Item, MediaFile, Page, Segment, Track
from archive.model.rights import Audience, Embargo, Rights
from archive.services import objects
from archive.settings import load_settings

SAMPLE = Path(__file__).parent / "data" / "sample"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
OPENING = date(2090, 1, 1)
"""The day on which embargoes end, and one begins."""
LATER = datetime(2090, 1, 2, tzinfo=UTC)
RATE = 16_000

PUBLIC, SIGNED_IN, ROOM, REQUEST, STAFF, SEALED = Audience
NOBODY = None


@dataclass(frozen=True, slots=True)
class Secret:
    """Something hidden: its mark, who may see it (None: nobody, it is gone), the colour of its pictures, the pitch (Hz) of its sound."""

    mark: str
    need: Audience | None
    colour: tuple[int, int, int] | None = None
    pitch: int | None = None
    shown: bool = True
    """Readers who may see it meet its mark on some page of the web."""

    def hidden_from(self, reader: Audience) -> bool:
        return self.need is None or not self.need.admits(reader)


SECRETS: Mapping[str, Secret] = {
    "signed": Secret("鸞鑰", SIGNED_IN, (250, 10, 10)),
    "room": Secret("龕鰲", ROOM, (10, 250, 10)),
    "request": Secret("饗鑾", REQUEST, (10, 10, 250)),
    "staff": Secret("讖驪", STAFF, (250, 10, 250), 5000),
    "unstated": Secret("釁靨", STAFF, (10, 250, 250)),
    "sealed": Secret("顰鴆", SEALED, (250, 250, 10)),
    "embargo": Secret("轡躡", STAFF, (250, 130, 10)),
    "withdrawn-staff": Secret("蠱蠶", NOBODY, (130, 10, 250)),
    "withdrawn": Secret("讞齏", NOBODY, (10, 130, 250)),
    "trash": Secret("鷙鼉", NOBODY, (130, 250, 10)),
    "page-embargo": Secret("鑊鸛", STAFF, (250, 10, 130)),
    "page-staff": Secret("齟齬", STAFF, (10, 250, 130)),
    "page-room": Secret("龘鱣", ROOM, (130, 10, 10)),
    "whole-book": Secret("籲躥", STAFF),
    "part": Secret("驫麤", STAFF, (10, 130, 10)),
    "passage": Secret("黷讜", STAFF, (10, 10, 130), 3000),
    "recording": Secret("鑿鸝", STAFF),
    "file": Secret("齎灩", STAFF, (130, 130, 10)),
    "version": Secret("纘躪", STAFF, (130, 10, 130)),
    "personal": Secret("靄鬣", STAFF),
    "field": Secret("鸕鷀", STAFF, shown=False),
    "donor": Secret("鶩鱷", NOBODY),
}
"""By what it is."""


def mark(name: str) -> str:
    return SECRETS[name].mark


HEADINGS = (
    "标识号",
    "题名",
    "资料种类",
    "专题库",
    "文件",
    "用途",
    "访问级别",
    "开放日期",
    "责任者",
    "年代",
    "地名",
    "主题",
    "内容提要",
    "捐赠者",
    "备注",
    "限制理由",
)
OPEN_WORDS = "天地玄黄宇宙洪荒"
PAGES = 6


def donation(folder: Path) -> Path:
    """The folder as a donor hands it over."""
    folder.mkdir(parents=True)
    (folder / "donation.toml").write_text(
        f'accession = "2026-099"\ndonor = "{mark("donor")}先生"\nreceived = "2026年11月1日"\nagreement = "{mark("donor")}协议"\n'
        f'provenance = "{mark("donor")}旧藏"\n[contact]\nname = "{mark("donor")}"\naddress = "{mark("donor")}巷"\n',
        "utf-8",
    )
    rows = [*_book(folder), *_multipage(folder), *_recordings(folder), *_papers(folder), *_whole_items(folder)]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "著录"
    sheet.append(HEADINGS)
    for row in rows:
        sheet.append([row.get(name, "") for name in HEADINGS])
    book.save(folder / "登记表.xlsx")
    return folder


def _book(folder: Path) -> Iterator[dict[str, str]]:
    """A public book in which one page is embargoed, one for staff, one for the reading room; the whole once more as PDF."""
    leaves = SAMPLE / "方志影像_舊唐書地理志_金州"
    home = folder / "公开志"
    home.mkdir()
    closed = {2: "page-embargo", 4: "page-staff", 6: "page-room"}
    says = {"page-embargo": ("", str(OPENING)), "page-staff": ("馆员", ""), "page-room": ("馆内", "")}
    listed = openpyxl.Workbook()
    sheet = listed.active
    assert sheet is not None
    sheet.append(("题名", "顺序", "影像", "文字", "页次", "门目", "备注", "访问级别", "开放日期"))
    pictures = []
    for number in range(1, PAGES + 1):
        name = closed.get(number)
        if name is None:
            image, word = Image.open(leaves / f"{number:03}.png" if number == 1 else leaves / "004.png").convert("RGB"), f"公开叶{number}"
            image.thumbnail((300, 420))
            stem = f"{number:03}"
        else:
            image, word, stem = picture(SECRETS[name], number), mark(name), f"{number:03}{mark(name)}"
        ImageDraw.Draw(image).point((number, 1), (number, 2, 3))
        image.save(home / f"{stem}.png")
        pictures.append(image)
        # The last line of each page and the first of the next make a word across the leaves.
        (home / f"{stem}.txt").write_text(f"{OPEN_WORDS[number]}始{word}\n志書之{word}文{number}\n{word}終{OPEN_WORDS[number]}\n", "utf-8")
        note = word if name else ""
        sheet.append(("公开志书", number, f"{stem}.png", f"{stem}.txt", word, word, note, *says.get(name or "", ("", ""))))
    listed.save(home / "影像清单.xlsx")
    pictures[0].save(home / f"合订{mark('whole-book')}.pdf", save_all=True, append_images=pictures[1:])
    yield {
        "标识号": "gx-book",
        "题名": "公开志书",
        "资料种类": "方志",
        "文件": "公开志",
        "访问级别": "公开",
        "地名": "金州",
        "年代": "1700",
    }


def _multipage(folder: Path) -> Iterator[dict[str, str]]:
    """A TIFF of three pages, one of them closed."""
    home = folder / "多页"
    home.mkdir()
    images = [Image.new("RGB", (200, 240), (200, 200, 200)), picture(SECRETS["part"]), Image.new("RGB", (200, 240), (180, 180, 180))]
    images[0].save(home / "多页.tif", save_all=True, append_images=images[1:])
    listed = openpyxl.Workbook()
    sheet = listed.active
    assert sheet is not None
    sheet.append(("题名", "顺序", "影像", "页次", "备注", "访问级别"))
    for number in (1, 2, 3):
        word = mark("part") if number == 2 else f"面{number}"
        sheet.append(("多页一种", number, "多页.tif", word, word if number == 2 else "", "馆员" if number == 2 else ""))
    listed.save(home / "影像清单.xlsx")
    yield {"标识号": "gx-multi", "题名": "多页一种", "资料种类": "方志", "文件": "多页", "访问级别": "公开", "年代": "1701"}


def _recordings(folder: Path) -> Iterator[dict[str, str]]:
    """Two recordings and a film of one opera: the second and the film get a closed passage."""
    home = folder / "唱段"
    home.mkdir()
    whole, word = mark("recording"), mark("passage")
    tone(home / "甲段.wav", [(440, 2.0)])
    (home / "甲段.lrc").write_text("[00:00.20]漢江水自東流\n[00:01.00]金州城外有船\n", "utf-8")
    tone(home / f"乙段{whole}.wav", [(440, 2.0), (SECRETS["passage"].pitch or 0, 2.0)])
    (home / f"乙段{whole}.lrc").write_text(
        f"[00:00.20]天上月兒圓\n[00:01.50]{word}起唱\n[00:02.20]{word}在此處\n[00:03.00]又是{word}\n", "utf-8"
    )
    (home / f"乙段{whole}_唱词.txt").write_text(f"天上月兒圓\n{word}在此處\n旁白{word}\n", "utf-8")
    film(home / f"丙片{whole}.mp4", [(128, 128, 128), SECRETS["passage"].colour or (0, 0, 0)], 440)
    yield {"标识号": "gx-opera", "题名": "公开戏曲", "资料种类": "han-opera", "文件": "唱段", "访问级别": "公开", "年代": "1962"}


def _papers(folder: Path) -> Iterator[dict[str, str]]:
    """Public papers with a file for staff, a master of its own row for staff, a roster with personal numbers, and fields for staff."""
    home = folder / "文件"
    home.mkdir()
    (home / "公文.txt").write_text("公開的一紙文書\n修路架橋\n", "utf-8")
    (home / f"密函{mark('file')}.txt").write_text(f"{mark('file')}密函\n不可示人{mark('file')}\n", "utf-8")
    picture(SECRETS["file"]).save(home / f"密圖{mark('file')}.png")
    roster = openpyxl.Workbook()
    sheet = roster.active
    assert sheet is not None
    sheet.append(("姓名", "身份证号", "电话", "籍贯"))
    for number in range(3):
        sheet.append(
            (f"{mark('personal')}{'甲乙丙'[number]}", f"61240119500101{number}{number}1{'508'[number]}", f"1390915000{number}", "安康")
        )
    roster.save(home / f"名册{mark('personal')}.xlsx")
    (home / f"通讯{mark('personal')}.txt").write_text(f"{mark('personal')} 电话 13909150001 身份证 612401195001010015\n", "utf-8")
    word = mark("field")
    yield {
        "标识号": "gx-papers",
        "题名": "公开文书",
        "资料种类": "third-front",
        "文件": "文件",
        "访问级别": "公开",
        "年代": "1971",
        "内容提要": "公開的提要",
        "捐赠者": word,
        "备注": f"{word}备注",
        "限制理由": f"因{word}之故",
    }
    versions = folder / "版本"
    versions.mkdir()
    Image.new("RGB", (200, 160), (210, 210, 200)).save(versions / "小图.png")
    picture(SECRETS["version"]).save(versions / f"大图{mark('version')}.png")
    common = {"标识号": "gx-versions", "题名": "两种版本", "资料种类": "通用", "年代": "1980"}
    yield common | {"文件": "版本/小图.png", "用途": "母本", "访问级别": "公开"}
    yield common | {"文件": f"版本/大图{mark('version')}.png", "用途": "印刷用", "访问级别": "馆员"}


ITEM_ROWS = (
    ("signed", "登录", "", "方志", "汉水文化"),
    ("room", "公开", "", "方志", "地方志"),
    ("request", "申请", "", "han-opera", "汉调二簧"),
    ("staff", "馆员", "", "third-front", "城市建设"),
    ("unstated", "", "", "通用", "城市建设"),
    ("sealed", "封存", "", "通用", "城市建设"),
    ("embargo", "公开", str(OPENING), "方志", "地方志"),
    ("withdrawn-staff", "馆员", "", "通用", "城市建设"),
    ("withdrawn", "公开", "", "通用", "城市建设"),
)
"""Items hidden whole: what it is, 访问级别, 开放日期, 资料种类, 专题库. `room` is narrowed by the command afterwards."""


def _whole_items(folder: Path) -> Iterator[dict[str, str]]:
    yield {"标识号": "gx-closing", "题名": "将闭之志", "资料种类": "方志", "访问级别": "公开", "年代": "1800", "内容提要": "到期不再公開"}
    for number, (name, access, opens, kind, shelf) in enumerate(ITEM_ROWS):
        yield from _hidden_item(folder, name, access, opens, kind, shelf, 1010 + 10 * number)


def _hidden_item(folder: Path, name: str, access: str, opens: str, kind: str, shelf: str, year: int) -> Iterator[dict[str, str]]:
    secret, word = SECRETS[name], mark(name)
    home = folder / f"{word}之件"
    home.mkdir()
    for number in (1, 2):
        picture(secret, number).save(home / f"{word}{number}.png")
        (home / f"{word}{number}.txt").write_text(f"{word}正文第{number}面\n志書之{word}\n", "utf-8")
    if secret.pitch:
        tone(home / f"{word}聲.wav", [(secret.pitch, 1.0)])
        (home / f"{word}聲.lrc").write_text(f"[00:00.20]{word}聲起\n", "utf-8")
    yield {
        "标识号": f"gx-{name}",
        "题名": f"{word}秘志",
        "资料种类": kind,
        "专题库": shelf,
        "文件": home.name,
        "访问级别": access,
        "开放日期": opens,
        "责任者": f"{word}子",
        "年代": str(year),
        "地名": f"{word}州",
        "主题": f"{word}學",
        "内容提要": f"{word}提要",
    }


def second_donation(folder: Path) -> Path:
    """What is taken in and taken back again."""
    folder.mkdir(parents=True)
    (folder / "donation.toml").write_text('accession = "2026-100"\n', "utf-8")
    rows = list(_hidden_item(folder, "trash", "公开", "", "方志", "地方志", 1990))
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADINGS)
    for row in rows:
        sheet.append([row.get(name, "") for name in HEADINGS])
    book.save(folder / "登记表.xlsx")
    return folder


def picture(secret: Secret, number: int = 0) -> Image.Image:
    """A picture of the secret's colour; `number` makes its bytes differ."""
    image = Image.new("RGB", (200, 240), secret.colour)
    ImageDraw.Draw(image).rectangle((number * 10, 0, number * 10 + 8, 8), (0, 0, 0))
    return image


def tone(path: Path, parts: Iterable[tuple[int, float]]) -> None:
    """A WAV of tones, (Hz, seconds) each."""
    sound = np.concatenate([0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE) for pitch, seconds in parts])
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes((sound * 32767).astype("<i2").tobytes())


def film(path: Path, colours: Iterable[tuple[int, int, int]], pitch: int) -> None:
    """An MP4 of two seconds of each colour, with a tone."""
    inputs: list[str] = []
    given = list(colours)
    for colour in given:
        inputs += ["-f", "lavfi", "-i", f"color=c=0x{bytes(colour).hex()}:s=160x120:r=10:d=2"]
    inputs += ["-f", "lavfi", "-i", f"sine=frequency={pitch}:sample_rate={RATE}:duration={2 * len(given)}"]
    joined = "".join(f"[{n}:v]" for n in range(len(given))) + f"concat=n={len(given)}:v=1:a=0[v]"
    command = ["ffmpeg", "-v", "error", *inputs, "-filter_complex", joined, "-map", "[v]", "-map", f"{len(given)}:a"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-threads", "1", str(path)]
    subprocess.run(command, check=True, capture_output=True)


# The archive


def build(folder: Path) -> Path:
    """The home of the planted archive, through pipeline and command."""
    home = folder / "home"
    make_home(home)
    with (home / "settings.toml").open("a", encoding="utf-8") as stream:
        stream.write("find_lines = false\n")

    def fangzhi(*words: str) -> str:
        done = CliRunner().invoke(main, ["--home", str(home), "--lang", "zh", *words])
        assert done.exit_code in (0, 1) and (done.exception is None or isinstance(done.exception, SystemExit)), done.output
        return done.stdout

    fangzhi("ingest", "run", str(donation(folder / "捐赠")), "--jobs", "2")
    fangzhi("publish", "gx-room", "--audience", "reading_room")
    fangzhi("withdraw", "gx-withdrawn", "--reason", "捐赠者要求")
    fangzhi("withdraw", "gx-withdrawn-staff", "--reason", f"{mark('withdrawn-staff')}之故")
    batch = json.loads(fangzhi("ingest", "run", str(second_donation(folder / "又一批")), "--json"))["batch"]
    fangzhi("ingest", "undo", batch)
    archive = opened(home)
    try:
        rewrite(archive, "gx-opera", _with_passages)
        rewrite(archive, "gx-papers", _with_closed_file)
        rewrite(archive, "gx-closing", lambda item: replace(item, rights=Rights(PUBLIC, Embargo(OPENING, STAFF), reason=mark("field"))))
        archive.keeping.drain()
        archive.keeping.rebuild_derivatives()
        archive.keeping.rebuild_index()  # its twins are built anew too: hits of equal weight stand in the order in which they were written
    finally:
        archive.close()
    return home


def opened(home: Path, now: datetime = NOW) -> Archive:
    """The archive of a home under a clock that stands still."""
    return open_archive(replace(load_settings(home), reading_room_networks=("10.9.0.0/16",)), now=lambda: now)


def rewrite(archive: Archive, item: str, change: Callable[[Item], Item]) -> None:
    """Correct what an item's object says, as a next version, in the catalogue too."""
    before = objects.read_object(archive.store, item)
    after = change(before.described)
    kept = {file.path for file in after.files}
    state: dict[str, Path | bytes | str] = {
        path: digest for path, digest in objects.originals_of(archive.store.versions(item)[-1].state).items() if path in kept
    }
    state.update(objects.metadata_files(after, before.decisions, before.donation, objects.read_events(archive.store, item)))
    version = archive.store.add_version(item, state, message="correction", user="test", created=archive.stamp())
    with archive.catalogue.write() as connection:
        stored = item_rows.get_item(connection, item)
        assert stored is not None
        item_rows.put_item(
            connection, before.decisions.apply(after), version=version, batch=stored.batch, at=stored.described_at, day=archive.today()
        )


def _with_passages(item: Item) -> Item:
    """Passages of the recordings: an open one, and closed ones."""
    names = {file.path.rpartition("/")[2]: file.id for file in item.files}
    sound, song, film_ = (next(names[name] for name in names if name.startswith(start)) for start in ("甲段.w", "乙段", "丙片"))
    song = next(names[name] for name in names if name.startswith("乙段") and name.endswith(".wav"))
    word, closed = mark("passage"), Rights(STAFF, reason=mark("passage"))
    fields = {"role": (word,)}
    segments = (
        Segment("s1", sound, 0.0, 1.0, "漢江水"),
        Segment("s2", song, 0.0, 1.5, "月兒圓"),
        Segment("s3", song, 2.0, 4.0, f"{word}一段", fields=fields, rights=closed),
        Segment("s4", song, 2.5, 3.0, f"{word}之内", fields=fields),
        Segment("s5", film_, 2.0, 4.0, f"{word}片段", fields=fields, rights=closed),
    )
    return replace(item, segments=segments)


def _with_closed_file(item: Item) -> Item:
    closed = Rights(STAFF, reason=mark("file"))
    return replace(item, files=tuple(replace(f, rights=closed) if mark("file") in f.path else f for f in item.files))


# Its twins


def hidden_words(reader: Audience) -> tuple[str, ...]:
    """The marks of all that the reader may not see."""
    return tuple(secret.mark for secret in SECRETS.values() if secret.hidden_from(reader))


def twin(home: Path, target: Path, reader: Audience, hidden: tuple[str, ...] | None = None) -> Path:
    """A copy of the home without anything the reader may not see, or that has one of the words `hidden`."""
    shutil.copytree(home, target, symlinks=True)
    archive = opened(target)
    hidden = hidden_words(reader) if hidden is None else hidden
    tombstones = {"gx-withdrawn"} | ({"gx-withdrawn-staff"} if STAFF.admits(reader) else set())
    try:
        for item in list(objects.item_ids(archive.store)):
            title = objects.read_object(archive.store, item).described.title
            if any(word in title for word in hidden) and item not in tombstones:
                archive.store.trash(item, reason="twin", at=archive.stamp())
                with archive.catalogue.write() as connection:
                    item_rows.remove_item(connection, item)
            else:
                rewrite(archive, item, lambda item: prune(item, hidden))
        archive.keeping.rebuild_index()
    finally:
        archive.close()
    return target


def prune(item: Item, hidden: tuple[str, ...]) -> Item:
    """The item without what carries a mark. Rights are not asked: what is taken away follows from the words alone."""

    def closed(*words: str) -> bool:
        return any(mark in word for mark in hidden for word in words)

    if item.id in ("gx-withdrawn", "gx-withdrawn-staff"):
        return item  # a tombstone stands for those who saw it
    # What stands beside no page may repeat any passage: with one closed, the other recording's text file is closed too.
    closed_text = "甲段.lrc" if closed(mark("recording")) else None
    # Of a recording with a closed passage a copy without it is served, which is made of the original: that stays, under names that say nothing.
    cut = {segment.media for segment in item.segments if closed(segment.title)}
    files = tuple(
        file for file in item.files if file.id in cut or (not closed(file.path) and not (closed_text and file.path.endswith(closed_text)))
    )
    have = {file.id for file in files}
    pages = tuple(page for page in (_page(page, item, have, closed) for page in item.pages) if page is not None)
    return replace(
        item,
        fields={key: values for key, values in item.fields.items() if not closed(*values)},
        files=tuple(_file(file, have) for file in files),
        pages=pages,  # with gaps where some were: text runs on over no leaf that is not there
        tracks=tuple(track for track in (_track(track, have, closed) for track in item.tracks) if track is not None),
        segments=tuple(replace(s, title="甲", fields={}) if closed(s.title) else s for s in item.segments),
        rights=replace(item.rights, reason=""),
    )


Closed = Callable[..., bool]


def _file(file: MediaFile, have: set[str]) -> MediaFile:
    return file if file.version_of in have else replace(file, version_of=None)


def _page(page: Page, item: Item, have: set[str], closed: Closed) -> Page | None:
    image = page.image if page.image is not None and page.image.file in have else None
    texts = tuple(text for text in page.texts if text.file is None or text.file in have)
    if item.id == "gx-multi" and closed(page.label):
        return replace(page, label="", note="")  # its file stays for the pages beside it; what is on it is another's
    if closed(page.label, page.note, page.section) or (not page.missing and image is None and not texts):
        return None
    return replace(page, image=image, texts=texts)


def _track(track: Track, have: set[str], closed: Closed) -> Track | None:
    if not track.timed and any(closed(cue.text) for cue in track.cues):
        return None
    cues = tuple(cue for cue in track.cues if not closed(cue.text))
    if not cues:
        return None
    return replace(track, cues=cues, media=track.media if track.media in have else None, file=track.file if track.file in have else None)


# What is heard and seen in an answer


def colours_in(data: bytes) -> set[str]:
    """Names of the secrets whose colour fills more than a fiftieth of a picture."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16).reshape(-1, 3)
    return _coloured(pixels)


def _coloured(pixels: np.ndarray) -> set[str]:
    found = set()
    for name, secret in SECRETS.items():
        if secret.colour is not None and (np.abs(pixels - np.array(secret.colour)).max(axis=1) < 45).mean() > 0.02:
            found.add(name)
    return found


def heard_and_seen(data: bytes, folder: Path) -> set[str]:
    """Names of the secrets whose tone or colour is in a recording."""
    path = folder / "answer.bin"
    path.write_bytes(data)
    found = set()
    sound = subprocess.run(
        ["ffmpeg", "-v", "quiet", "-i", str(path), "-vn", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"],
        capture_output=True,
        check=False,
    ).stdout
    wave_ = np.frombuffer(sound[: len(sound) // 4 * 4], dtype="<f4")
    if len(wave_) > RATE // 10:
        power = np.abs(np.fft.rfft(wave_)) ** 2
        pitch = np.fft.rfftfreq(len(wave_), 1 / RATE)
        for name, secret in SECRETS.items():
            if secret.pitch and power[np.abs(pitch - secret.pitch) < 40].sum() > 0.01 * power.sum():
                found.add(name)
    frames = subprocess.run(
        ["ffmpeg", "-v", "quiet", "-i", str(path), "-an", "-vf", "scale=32:32", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
        capture_output=True,
        check=False,
    ).stdout
    if frames:
        found |= _coloured(np.frombuffer(frames, dtype=np.uint8).astype(np.int16).reshape(-1, 3))
    return found
