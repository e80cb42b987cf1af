"""IIIF Image requests, 3.0 and 2.1, against a picture of 2000 x 1500 and a map of 80 megapixels."""

from __future__ import annotations

import pytest

from archive.errors import ArchiveError, UsageError
from archive.web.image_requests import MAX_AREA, MAX_SIDE, ImageRequest, bounded, canonical, limits, parse

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
        ("full", "max", "9e1"),
        ("full", "max", ""),
        ("full", "^", "0"),
        ("full", "^full", "0"),
        ("full", "pct:200", "0"),
        ("full", "2000,1501", "0"),
        ("pct:100,0,10,10", "max", "0"),
        ("0,0,1", "max", "0"),
        ("", "max", "0"),
        ("０,0,10,10", "max", "0"),
        ("full", "max", "-90"),
        ("full", "99999999999,", "0"),
    ],
)
def test_what_cannot_be_meant_is_400(region: str, size: str, rotation: str) -> None:
    with pytest.raises(UsageError):
        parse(W, H, region, size, rotation, "default.jpg")


@pytest.mark.parametrize("tail", ["default.tif", "sepia.jpg", "default.php", "default", ".jpg"])
def test_a_quality_or_format_that_there_is_not_is_400(tail: str) -> None:
    """3.0 §4.4 and §4.5: an unsupported value should result in 400."""
    with pytest.raises(UsageError):
        parse(W, H, "full", "max", "0", tail)


def test_turns_and_mirrors() -> None:
    assert parse(W, H, "full", "500,375", "!90", "gray.png") == ImageRequest((0, 0, W, H), (500, 375), True, 90, "gray", "png")
    assert parse(W, H, "full", "max", "360", "default.jpg").plain


def test_max_is_bounded_for_great_maps() -> None:
    w, h = bounded(20000, 16000)
    assert w * h <= MAX_AREA
    assert abs(w / h - 20000 / 16000) < 0.01


def test_a_tail_without_format_is_a_mistake() -> None:
    with pytest.raises(ArchiveError):
        parse(W, H, "full", "max", "0", "default")


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("full", (2000, 1500)),
        ("max", (2000, 1500)),
        ("2300,", (2300, 1725)),
        (",3000", None),
        ("pct:110", (2200, 1650)),
        ("pct:150", None),
        ("!3000,3000", (2000, 1500)),
        ("!100,100", (100, 75)),
        ("300,300", (300, 300)),
        ("^300,", None),
        ("^max", None),
    ],
)
def test_sizes_of_2_1(size: str, pixels: tuple[int, int] | None) -> None:
    """2.1 §4.2: `full` is a size, `^` is not, and what is larger than the region needs no sign."""
    if pixels is None:
        with pytest.raises(UsageError):
            parse(W, H, "full", size, "0", "default.jpg", 2)
    else:
        assert parse(W, H, "full", size, "0", "default.jpg", 2).size == pixels


@pytest.mark.parametrize(
    ("asked", "three", "two"),
    [
        (("full", "max", "0", "default.jpg"), "full/max/0/default.jpg", "full/full/0/default.jpg"),
        (("0,0,2000,1500", "pct:10", "!90.0", "color.png"), "full/200,150/!90/default.png", "full/200,/!90/default.png"),
        (("square", "100,", "360", "gray.jpg"), "250,0,1500,1500/100,100/0/gray.jpg", "250,0,1500,1500/100,/0/gray.jpg"),
        (("0,0,512,512", ",256", "22.50", "default.jpg"), "0,0,512,512/256,256/22.5/default.jpg", "0,0,512,512/256,/22.5/default.jpg"),
        (("pct:0,0,50,50", "300,30", "0.50", "bitonal.png"), "0,0,1000,750/300,30/0.5/bitonal.png", "0,0,1000,750/300,30/0.5/bitonal.png"),
    ],
)
def test_every_request_has_one_canonical_address(asked: tuple[str, str, str, str], three: str, two: str) -> None:
    assert canonical(W, H, parse(W, H, *asked), 3) == three
    assert canonical(W, H, parse(W, H, *asked, 2), 2) == two
    region, size, rotation, tail = three.split("/")
    assert canonical(W, H, parse(W, H, region, size, rotation, tail), 3) == three


def test_an_enlarged_size_keeps_its_sign() -> None:
    assert canonical(W, H, parse(W, H, "0,0,10,10", "^40,", "0", "default.jpg")) == "0,0,10,10/^40,40/0/default.jpg"


def test_limits_are_told_only_where_they_bind() -> None:
    assert limits(W, H) == {}
    assert parse(W, H, "0,0,100,100", "^max", "0", "default.jpg").size == (100, 100)
    assert limits(10_000, 8_000) == {"maxWidth": MAX_SIDE, "maxHeight": MAX_SIDE, "maxArea": MAX_AREA}
    most = parse(10_000, 8_000, "0,0,100,100", "^max", "0", "default.jpg").size
    assert 0.99 * MAX_AREA < most[0] * most[1] <= MAX_AREA, "3.0 §4.2: ^max enlarges to the limits told"


def test_a_leaf_at_300_dpi_is_given_whole() -> None:
    assert parse(2500, 3500, "full", "max", "0", "default.jpg").size == (2500, 3500)
    assert limits(2500, 3500) == {}
    assert canonical(2500, 3500, parse(2500, 3500, "full", "max", "0", "default.jpg"), 3) == "full/max/0/default.jpg"


@pytest.mark.parametrize("size", ["max", "^max", "!9999999,9999999", "^!9999999,9999999", "full", "pct:35"])
def test_a_map_of_80_megapixels_is_never_made_larger_than_the_bound(size: str) -> None:
    for version in (2, 3):
        for tail in ("default.jpg", "default.webp"):
            try:
                w, h = parse(10_000, 8_000, "full", size, "0", tail, version).size
            except UsageError:
                continue
            assert w * h <= MAX_AREA
            assert max(w, h) <= MAX_SIDE


def test_a_tilted_picture_is_bounded_by_what_surrounds_it() -> None:
    assert parse(W, H, "full", "1000,", "45", "default.jpg").rotation == 45
    with pytest.raises(UsageError, match="smaller"):
        parse(W, H, "full", "1200,", "45", "default.jpg")


def test_a_side_that_was_not_named_may_be_a_pixel_off() -> None:
    assert parse(W, 1501, "0,1024,2000,477", "250,", "0", "default.jpg").fits((250, 60))
    assert not parse(W, 1501, "0,1024,2000,477", "250,59", "0", "default.jpg").fits((250, 60))
    assert not parse(W, 1501, "0,1024,2000,477", "250,", "0", "default.jpg").fits((251, 60))
