"""Pages as they are shown: upright, sRGB, tiled; and the tiles handed out without decoding."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest_media import picture, read
from PIL import Image, ImageCms

from archive.derivatives import page_image, tiles
from archive.errors import DecodeError, NotFound


def made(path: Path, into: Path, part: int | None = None, salvage: bool = False) -> dict[str, object]:
    into.mkdir(exist_ok=True)
    return dict(page_image.make(path, path.name, part, into, salvage=salvage).facts)


def mean(path: Path) -> float:
    return float(np.asarray(read(path).convert("L")).mean())


def test_levels_halve_and_all_thumbnails_are_there(tmp_path: Path) -> None:
    picture(1300, 2100).save(tmp_path / "a.jpg")
    facts = made(tmp_path / "a.jpg", tmp_path / "out")
    assert (facts["width"], facts["height"], facts["tile"]) == (1300, 2100, 512)
    assert facts["levels"] == [[1300, 2100], [650, 1050], [325, 525], [163, 263]]
    sizes = [read(tmp_path / "out" / f"{side}.jpg").size for side in (200, 400, 800, 1600)]
    assert sizes == [(124, 200), (248, 400), (495, 800), (990, 1600)]
    assert facts["thumbnails"] == [list(size) for size in sizes]


def test_small_images_are_never_enlarged(tmp_path: Path) -> None:
    picture(300, 220).save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    assert read(tmp_path / "out" / "1600.jpg").size == (300, 220)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_spliced_tiles_are_what_a_decoder_of_the_tiff_sees(tmp_path: Path, mode: str) -> None:
    picture(1300, 1100).convert(mode).save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    pyramid = tmp_path / "out" / page_image.PYRAMID
    with Image.open(pyramid) as whole:
        for number, level in enumerate(tiles.info(pyramid).levels):
            whole.seek(number)
            assert (whole.mode, whole.size) == (mode, (level.width, level.height))
            for ty in range(level.down):
                for tx in range(level.across):
                    box = (tx * 512, ty * 512, min(tx * 512 + 512, level.width), min(ty * 512 + 512, level.height))
                    expected = whole.crop(box)
                    with Image.open(io.BytesIO(tiles.read_tile(pyramid, number, tx, ty))) as tile:
                        assert (tile.mode, tile.size) == (mode, expected.size)
                        if tile.size == (512, 512):
                            assert tile.tobytes() == expected.tobytes()
                        else:
                            assert abs(np.asarray(tile, int) - np.asarray(expected, int)).mean() < 5


def test_the_pyramid_is_a_tiff_that_others_read(tmp_path: Path) -> None:
    picture(1300, 1100).save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out" / page_image.PYRAMID) as tiff:
        shapes = [page.shape for page in tiff.pages]
        assert shapes == [(1100, 1300, 3), (550, 650, 3), (275, 325, 3)]
        assert [bool(page.is_reduced) for page in tiff.pages] == [False, True, True]
        assert {page.tilewidth for page in tiff.pages} == {512}


def test_tiles_show_the_original(tmp_path: Path) -> None:
    original = picture(700, 600)
    original.save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    with Image.open(io.BytesIO(tiles.read_tile(tmp_path / "out" / "pyramid.tif", 0, 0, 0))) as tile:
        difference = abs(np.asarray(tile, int) - np.asarray(original.crop((0, 0, 512, 512)), int))
    assert difference.mean() < 5


@pytest.mark.parametrize(
    ("region", "size", "expected"),
    [
        ((0, 0, 1300, 1100), (325, 275), (325, 275)),
        ((600, 500, 400, 400), (400, 400), (400, 400)),
        ((1200, 1000, 500, 500), (50, 50), (50, 50)),
    ],
    ids=["whole from a level", "across four tiles", "over the edge"],
)
def test_regions_come_from_the_nearest_level(
    tmp_path: Path, region: tuple[int, int, int, int], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    original = picture(1300, 1100)
    original.save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    data = tiles.read_region(tmp_path / "out" / "pyramid.tif", region, size)
    x, y, width, height = region
    reference = original.crop((x, y, min(x + width, 1300), min(y + height, 1100))).resize(size, Image.Resampling.BOX)
    with Image.open(io.BytesIO(data)) as found:
        assert found.size == expected
        assert abs(np.asarray(found, int) - np.asarray(reference, int)).mean() < 16


def test_a_large_region_is_made_in_bands_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(1300, 1100).save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    pyramid = tmp_path / "out" / "pyramid.tif"
    for region, size in (((3, 7, 1290, 1085), (800, 700)), ((0, 0, 1300, 1100), (1300, 1100)), ((0, 0, 1300, 1100), (1500, 40))):
        whole = np.asarray(tiles.region_image(pyramid, region, size), int)
        with monkeypatch.context() as narrow:
            narrow.setattr(tiles, "_BAND", 20_000)
            banded = np.asarray(tiles.region_image(pyramid, region, size), int)
        assert abs(whole - banded).max() <= 1, (region, size)


def test_no_request_has_more_decoded_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(1300, 1100).save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    decoded: list[tuple[int, int]] = []
    decode = tiles._decoded

    def counting(data: bytes) -> Image.Image:
        decoded.append(decode(data).size)
        return decode(data)

    monkeypatch.setattr(tiles, "_decoded", counting)
    monkeypatch.setattr(tiles, "_BAND", 20_000)
    monkeypatch.setattr(tiles, "MAX_DECODED", 400_000)
    assert tiles.region_image(tmp_path / "out" / "pyramid.tif", (0, 0, 1300, 1100), (5, 1100)).size == (5, 1100)
    assert len(decoded) == 4, "a quarter of 1300 x 1100 in tiles of 512, each decoded once however many bands there are"


def test_regions_have_bounds(tmp_path: Path) -> None:
    picture(600, 600).save(tmp_path / "a.png")
    made(tmp_path / "a.png", tmp_path / "out")
    pyramid = tmp_path / "out" / "pyramid.tif"
    with pytest.raises(DecodeError, match="10000000"):
        tiles.read_region(pyramid, (0, 0, 600, 600), (5000, 5000))
    with pytest.raises(NotFound):
        tiles.read_region(pyramid, (600, 0, 10, 10), (10, 10))
    for level, tx, ty in ((9, 0, 0), (0, 2, 0), (0, 0, -1)):
        with pytest.raises(NotFound):
            tiles.read_tile(pyramid, level, tx, ty)
    with pytest.raises(NotFound):
        tiles.info(tmp_path / "none.tif")


def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    for name, values in (("a.tif", ramp), ("b.png", ramp)):
        Image.fromarray(np.tile(values, (64, 1))).save(tmp_path / name)
        made(tmp_path / name, tmp_path / "out")
        assert mean(tmp_path / "out" / "400.jpg") == pytest.approx(127, abs=1)


def test_bitonal_becomes_grey_before_it_is_reduced(tmp_path: Path) -> None:
    y, x = np.mgrid[0:1200, 0:1200]
    Image.fromarray((x + y) % 2 > 0).save(tmp_path / "a.tif", compression="group4")
    made(tmp_path / "a.tif", tmp_path / "out")
    values = np.asarray(read(tmp_path / "out" / "200.jpg"))
    assert values.min() > 100
    assert values.max() < 155


def test_cmyk_and_palette_and_transparency_become_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (100, 100), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    Image.new("P", (100, 100), 1).save(tmp_path / "b.png")
    Image.new("RGBA", (100, 100), (0, 0, 0, 0)).save(tmp_path / "c.png")
    made(tmp_path / "a.jpg", tmp_path / "a")
    made(tmp_path / "b.png", tmp_path / "b")
    made(tmp_path / "c.png", tmp_path / "c")
    with Image.open(tmp_path / "a" / "200.jpg") as red:
        assert red.mode == "RGB"
        pixel = red.getpixel((50, 50))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 230 and max(pixel[1:]) < 30
    assert mean(tmp_path / "c" / "200.jpg") > 250


def test_an_embedded_profile_is_applied(tmp_path: Path) -> None:
    """Pixels in Lab say 50 % grey; in sRGB that is 119."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    source = ImageCms.profileToProfile(Image.new("RGB", (64, 64), (119, 119, 119)), srgb, lab, outputMode="LAB")
    assert source is not None
    source.save(tmp_path / "a.tif")
    made(tmp_path / "a.tif", tmp_path / "out")
    assert mean(tmp_path / "out" / "200.jpg") == pytest.approx(119, abs=2)


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path: Path, turn: int) -> None:
    """All eight turnings of one picture look the same when shown."""
    upright = picture(320, 200)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[turn]) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    stored.save(tmp_path / "a.png", exif=exif)
    made(tmp_path / "a.png", tmp_path / "out")
    with Image.open(tmp_path / "out" / "1600.jpg") as shown:
        assert shown.size == (320, 200)
        assert shown.getexif().get(0x0112) is None
        assert abs(np.asarray(shown, int) - np.asarray(upright, int)).mean() < 6


def test_parts_of_a_tiff_and_a_pdf(tmp_path: Path) -> None:
    pages = [Image.new("L", (300, 400), shade) for shade in (40, 120, 220)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "a.pdf", save_all=True, append_images=pages[1:], resolution=72)
    for name in ("a.tif", "a.pdf"):
        for part, shade in ((1, 40), (3, 220), (2, 120)):
            assert made(tmp_path / name, tmp_path / "out", part)["width"] == 300
            assert mean(tmp_path / "out" / "400.jpg") == pytest.approx(shade, abs=2)
        with pytest.raises(DecodeError):
            made(tmp_path / name, tmp_path / "out", 4)


def test_a_truncated_image_is_shown_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture().save(path)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(DecodeError) as caught:
        made(path, tmp_path / "out")
    assert caught.value.code == "truncated"
    assert made(path, tmp_path / "out", salvage=True)["width"] == 640
