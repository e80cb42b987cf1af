"""Plans a folder with a rough probe (by extension, Pillow and pypdfium2), so that these tests need no sandbox. Also a tool: prints a plan."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import pypdfium2
from PIL import Image, UnidentifiedImageError

from archive.derivatives.base import Fault, Probe
from archive.model.item import MediaKind
from archive.model.profile import Definitions
from archive.profiles import load_definitions
from archive.storage.digests import digest_file
from ingest.grouping import kind_of
from ingest.readers.archives import Limits
from ingest.readers.folder import walk
from ingest.readers.order import split_name
from ingest.readers.registration import is_registration_name, read_registration
from ingest.readers.sheet import is_sheet_name, read_tables
from ingest.stages.describe import ArchiveView, plan
from ingest.stages.transcribe import transcribe
from ingest.task import GivenFile, Plan, Registration, SheetTable


def probed(file: GivenFile) -> Probe:
    """What a file seems to be, roughly."""
    kind = kind_of(file)
    name = split_name(file.path)[1].lstrip(".").upper()
    if file.size == 0:
        return Probe("application/x-empty", kind, name, faults=(Fault("empty", True),))
    assert file.location is not None
    if kind is MediaKind.IMAGE:
        try:
            with Image.open(file.location) as image:
                sizes = []
                for number in range(getattr(image, "n_frames", 1)):
                    image.seek(number)
                    sizes.append(image.size)
                return Probe(f"image/{name.lower()}", kind, name, *sizes[0], parts=len(sizes), part_sizes=tuple(sizes))
        except (UnidentifiedImageError, OSError):
            return Probe("application/octet-stream", kind, name, faults=(Fault("damaged", True),))
    if kind is MediaKind.PDF:
        with pypdfium2.PdfDocument(file.location) as document:
            sizes = [(round(w), round(h)) for w, h in (document.get_page_size(n) for n in range(len(document)))]
        return Probe("application/pdf", kind, name, *sizes[0], parts=len(sizes), part_sizes=tuple(sizes))
    if kind is MediaKind.OTHER and name in ("DOC", "DOCX", "ODT", "ODS", "XLSX", "XLS", "PPT"):
        return Probe("application/x-office", MediaKind.DOCUMENT, name, text=("text",))
    return Probe("application/octet-stream", kind, name)


def planned(
    folder: Path, workspace: Path, definitions: Definitions | None = None, archive: ArchiveView | None = None, name: str = ""
) -> tuple[Plan, list[GivenFile]]:
    """The plan of a donation folder, and its files digested and probed; findings of the walk go into the plan."""
    from dataclasses import replace

    definitions = definitions or load_definitions()
    found = walk(folder, workspace, Limits())
    files = []
    for file in found.files:
        if file.location is not None and not file.litter:
            digest = digest_file(file.location)
            file = replace(file, sha512=digest.sha512, sha256=digest.sha256)
            file = replace(file, probe=probed(file))
        files.append(file)
    registration = next(
        (read_registration(f.location, f.path, definitions) for f in files if is_registration_name(f.path) and f.location),
        Registration(plan_nothing()),
    )
    tables: list[SheetTable] = []
    for file in files:
        if is_sheet_name(file.path) and file.path not in registration.paths and not file.litter and file.location:
            tables += read_tables(file, definitions, registration.defaults.get("kind", ""))
    made = plan(files, tables, registration, definitions, folder_name=name or folder.name, archive=archive)
    made = transcribe(made, {file.path: file for file in files}, definitions)
    return replace(made, findings=(*found.findings, *made.findings)), files


def plan_nothing():  # type: ignore[no-untyped-def]
    """A donation of which nothing is said."""
    from archive.model.donation import Donation

    return Donation("")


def show(made: Plan) -> None:
    """Print a plan for a person."""
    out = sys.stdout.write
    out(f"登记号 {made.donation.accession}\n")
    for line in made.readings:
        out(f"  {line}\n")
    for draft in made.drafts[:40]:
        item = draft.item
        state = "拒收" if draft.refused else "待著录" if item.to_describe else "著录"
        missing = sum(page.missing for page in item.pages)
        out(f"[{state}] {item.title}  key={item.key} id={item.id} kind={item.kind} 库={item.collection} 日期={item.date}\n")
        out(
            f"    {len(item.files)} 文件 {len(item.pages)} 面(缺 {missing}) 轨 {[(t.media, t.file, t.timed, len(t.cues)) for t in item.tracks]} {item.rights}\n"
        )
        if len(item.files) <= 16:
            for file in item.files:
                out(f"      {file.id} {file.received} {file.role.value} -> {file.version_of or ''} {'私' if file.personal else ''}\n")
        if len(item.pages) <= 45:
            for page in item.pages:
                image = f"{page.image.file}/{page.image.part or ''}" if page.image else "-"
                texts = [(text.file, text.source.value, len(text.lines)) for text in page.texts]
                out(f"      p{page.position} {image} {page.folio.label() if page.folio else ''} {page.label} {page.note} {texts}\n")
    out(f"{Counter(f.fate.value for f in made.fates.values())} / {len(made.fates)}\n")
    for finding in made.findings[:60]:
        out(f"  {finding.severity.value} {finding.code}: {finding.where}: {finding.message}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as space:
        show(planned(Path(sys.argv[1]), Path(space))[0])
