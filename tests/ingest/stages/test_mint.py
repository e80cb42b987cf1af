"""Permanent ids survive reordering, insertion and renaming."""

from dataclasses import replace

from archive.model.item import FileRef, Item, MediaFile, MediaKind, Page, TextLine, TextSource, TextVersion
from ingest.stages.mint import mint


def _file(number: int, name: str, digest: str) -> MediaFile:
    return MediaFile(f"f{number}", f"originals/{name}", name, 1, digest, "image/png", MediaKind.IMAGE)


def _draft(*names: str) -> Item:
    files = tuple(_file(n, name, f"digest of {name}") for n, name in enumerate(names, 1))
    pages = tuple(Page(f"p{n}", n, FileRef(f"f{n}")) for n in range(1, len(names) + 1))
    return Item("2026-001-a", "2026-001", "gazetteer", "", "志", files=files, pages=pages)


def _ids(item: Item) -> list[tuple[str, str]]:
    received = {f.id: f.received for f in item.files}
    return [(page.id, received[page.image.file]) for page in item.pages if page.image]


def test_first_version_numbers_in_order() -> None:
    assert _ids(mint(_draft("1.png", "2.png"), None)) == [("p1", "1.png"), ("p2", "2.png")]


def test_insertion_keeps_the_ids_of_what_was_there() -> None:
    first = mint(_draft("1.png", "3.png"), None)
    second = mint(_draft("1.png", "2.png", "3.png"), first)
    assert _ids(second) == [("p1", "1.png"), ("p3", "2.png"), ("p2", "3.png")]


def test_a_number_is_never_used_twice() -> None:
    first = mint(_draft("1.png", "2.png"), None)
    without = mint(_draft("1.png"), first)
    again = mint(_draft("1.png", "9.png"), without)
    assert _ids(again) == [("p1", "1.png"), ("p3", "9.png")]


def test_a_renamed_file_with_the_same_bytes_is_the_same() -> None:
    first = mint(_draft("1.png", "2.png"), None)
    renamed = _draft("1.png", "b.png")
    renamed = replace(renamed, files=(renamed.files[0], replace(renamed.files[1], sha512="digest of 2.png")))
    assert _ids(mint(renamed, first)) == [("p1", "1.png"), ("p2", "b.png")]


def test_a_correction_stays_while_the_image_is_the_same() -> None:
    first = mint(_draft("1.png"), None)
    corrected = TextVersion(TextSource.CORRECTED, (TextLine("安康"),))
    first = replace(first, pages=(replace(first.pages[0], texts=(corrected,)),))
    assert mint(_draft("1.png"), first).pages[0].texts == (corrected,)
    other = _draft("1.png")
    other = replace(other, files=(replace(other.files[0], sha512="changed"),))
    assert mint(other, first).pages[0].texts == ()


def _paper(*names: str) -> Item:
    draft = _draft(*names)
    texts = [TextVersion(TextSource.EXTRACTED, (TextLine("一"),), file=file.id) for file in draft.files]
    return replace(draft, pages=tuple(Page(f"p{n}", n, texts=(text,)) for n, text in enumerate(texts, 1)))


def test_pages_of_papers_keep_their_ids_and_corrections() -> None:
    first = mint(_paper("a.doc", "b.doc"), None)
    assert mint(_paper("a.doc", "b.doc"), first) == first
    corrected = TextVersion(TextSource.CORRECTED, (TextLine("校"),))
    mended = replace(first, pages=(first.pages[0], replace(first.pages[1], texts=(*first.pages[1].texts, corrected))))
    again = mint(_paper("0.doc", "a.doc", "b.doc"), mended)
    assert [page.id for page in again.pages] == ["p3", "p1", "p2"]
    assert corrected in again.pages[2].texts
