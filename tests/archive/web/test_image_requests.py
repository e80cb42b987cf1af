"""IIIF Image 3.0 requests against a picture of 4000 x 3000."""

from __future__ import annotations

import pytest

from archive.errors import ArchiveError, NotFound, UsageError
from archive.web.image_requests import MAX_AREA, ImageRequest, bounded, parse

W, H = 2000, 1500


@pytest.mark.parametrize(
    ("region", "size", "box", "pixels"),
    [
        ("full", "max", (0, 0, 2000, 1500), (2000, 1500)),
        ("square", "100,", (250, 0, 1500, 1500), (100, 100)),
        ("0,0,512,512", "256,", (0, 0, 512, 512), (256, 256)),
        ("1536,1024,512,512", "max", (1536, 1024, 464, 476), (464, 476)),
        ("pct:50,50,50,50", ",75", (1000, 750, 1000, 750), (100, 75)),
        ("full", "!100,100", (0, 0, 2000, 1500), (100, 75)),
        ("full", "pct:10", (0, 0, 2000, 1500), (200, 150)),
        ("0,0,10,10", "^40,", (0, 0, 10, 10), (40, 40)),
        ("full", "30,40", (0, 0, 2000, 1500), (30, 40)),
    ],
)
def test_region_and_size(region: str, size: str, box: tuple[int, ...], pixels: tuple[int, int]) -> None:
    request = parse(W, H, region, size, "0", "default.jpg")
    assert (request.region, request.size) == (box, pixels)


@pytest.mark.parametrize(
    ("region", "size", "rotation"),
    [
        ("2000,0,10,10", "max", "0"),
        ("0,0,0,10", "max", "0"),
        ("a,b,c,d", "max", "0"),
        ("0.5,0,10,10", "max", "0"),
        ("-1,0,10,10", "max", "0"),
        ("full", "2001,", "0"),
        ("full", "0,", "0"),
        ("full", ",", "0"),
        ("full", "full", "0"),
        ("full", "^5000,5000", "0"),
        ("full", "!100,", "0"),
        ("full", "pct:0", "0"),
        ("full", "max", "361"),
        ("full", "max", "45"),
        ("full", "max", "-90"),
        ("full", "99999999999,", "0"),
    ],
)
def test_what_cannot_be_meant_is_400(region: str, size: str, rotation: str) -> None:
    with pytest.raises(UsageError):
        parse(W, H, region, size, rotation, "default.jpg")


@pytest.mark.parametrize("tail", ["default.tif", "sepia.jpg", "default.php"])
def test_a_quality_or_format_that_there_is_not_is_404(tail: str) -> None:
    with pytest.raises(NotFound):
        parse(W, H, "full", "max", "0", tail)


def test_turns_and_mirrors() -> None:
    assert parse(W, H, "full", "max", "!90", "gray.png") == ImageRequest((0, 0, W, H), (W, H), True, 90, "gray", "png")
    assert parse(W, H, "full", "max", "360", "default.jpg").plain


def test_max_is_bounded_for_great_maps() -> None:
    w, h = bounded(20000, 16000)
    assert w * h <= MAX_AREA
    assert abs(w / h - 20000 / 16000) < 0.01


def test_a_tail_without_format_is_a_mistake() -> None:
    with pytest.raises(ArchiveError):
        parse(W, H, "full", "max", "0", "default")
