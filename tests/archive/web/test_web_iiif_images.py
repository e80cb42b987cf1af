"""IIIF as viewers ask for it: descriptions, tiles, sizes, cut-outs."""

from __future__ import annotations

import io

import pytest
from flask import g
from flask.testing import FlaskClient
from PIL import Image, ImageOps

from archive.derivatives import tiles
from archive.model.rights import Audience
from archive.web import derived, iiif_images
from archive.web.image_requests import parse

BASE = "/iiif/image/3/shengyu.f1"


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_info_describes_what_is_stored(client: FlaskClient) -> None:
    answer = client.get(BASE + "/info.json")
    info = answer.get_json()
    assert info["id"] == "http://localhost" + BASE
    assert (info["type"], info["profile"]) == ("ImageService3", "level2")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for size in info["sizes"]:
        stored = picture(client.get(f"{BASE}/full/{size['width']},{size['height']}/0/default.jpg").data)
        assert stored.size == (size["width"], size["height"])


def test_every_tile_of_every_level_fits_together(client: FlaskClient) -> None:
    info = client.get(BASE + "/info.json").get_json()
    tile = info["tiles"][0]["width"]
    for factor in info["tiles"][0]["scaleFactors"]:
        step = tile * factor
        whole = picture(client.get(f"{BASE}/full/{-(-info['width'] // factor)},/0/default.jpg").data).convert("L")
        for y in range(0, info["height"], step):
            for x in range(0, info["width"], step):
                w, h = min(step, info["width"] - x), min(step, info["height"] - y)
                size = -(-w // factor), -(-h // factor)
                got = picture(client.get(f"{BASE}/{x},{y},{w},{h}/{size[0]},{size[1]}/0/default.jpg").data).convert("L")
                assert got.size == size
                expected = whole.crop((x // factor, y // factor, x // factor + size[0], y // factor + size[1]))
                difference = sum(abs(a - b) for a, b in zip(got.tobytes(), expected.tobytes(), strict=True)) / (size[0] * size[1])
                assert difference < 6, (factor, x, y)


@pytest.mark.parametrize(
    ("request_", "size", "kind"),
    [
        ("full/!90,90/0/default.png", None, "PNG"),
        ("100,100,50,80/max/90/default.jpg", (80, 50), "JPEG"),
        ("square/60,/!0/gray.webp", (60, 60), "WEBP"),
        ("pct:10,10,20,20/30,30/180/bitonal.png", (30, 30), "PNG"),
        ("0,0,10,10/^40,/0/default.jpg", (40, 40), "JPEG"),
        ("0,0,100,50/max/30/default.jpg", None, "JPEG"),
        ("0,0,100,50/max/!45.5/bitonal.png", None, "PNG"),
        ("0,0,100,50/max/45/gray.webp", None, "WEBP"),
    ],
)
def test_other_cuts_are_made(client: FlaskClient, request_: str, size: tuple[int, int] | None, kind: str) -> None:
    answer = client.get(f"{BASE}/{request_}")
    assert answer.status_code == 200
    made = picture(answer.data)
    assert made.format == kind
    if size:
        assert made.size == size


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("full/full/0/default.jpg", 400),
        ("9999,0,1,1/max/0/default.jpg", 400),
        ("full/max/361/default.jpg", 400),
        ("full/^99999,/0/default.jpg", 400),
        ("full/max/0/default", 400),
        ("full/max/0/sepia.jpg", 400),
        ("full/max/0/default.tif", 400),
    ],
)
def test_faults_are_said_in_words(client: FlaskClient, request_: str, status: int) -> None:
    answer = client.get(f"{BASE}/{request_}")
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert len(answer.text) > 10


TWO = "/iiif/image/2/shengyu.f1"


def test_the_same_image_by_2_1(client: FlaskClient) -> None:
    info = client.get(TWO + "/info.json").get_json()
    assert info["@id"] == "http://localhost" + TWO
    assert info["@context"] == "http://iiif.io/api/image/2/context.json"
    assert info["profile"][0] == "http://iiif.io/api/image/2/level2.json"
    assert "sizeAboveFull" in info["profile"][1]["supports"]
    three = client.get(BASE + "/info.json").get_json()
    assert (info["tiles"], info["sizes"], info["width"]) == (three["tiles"], three["sizes"], three["width"])
    full = client.get(TWO + "/full/full/0/default.jpg")
    assert picture(full.data).size == (info["width"], info["height"])
    assert f'<http://localhost{TWO}/full/full/0/default.jpg>;rel="canonical"' in full.headers["Link"]
    assert client.get(TWO).headers["Location"] == "http://localhost" + TWO + "/info.json"


def test_tiles_named_by_width_alone_are_the_stored_ones(client: FlaskClient) -> None:
    """2.1 §4.7: viewers that speak 2.1 name only the width."""
    info = client.get(TWO + "/info.json").get_json()
    tile, factor = info["tiles"][0]["width"], info["tiles"][0]["scaleFactors"][-1]
    step = tile * factor
    for y in range(0, info["height"], step):
        w, h = min(step, info["width"]), min(step, info["height"] - y)
        two = client.get(f"{TWO}/0,{y},{w},{h}/{-(-w // factor)},/0/default.jpg")
        three = client.get(f"{BASE}/0,{y},{w},{h}/{-(-w // factor)},{-(-h // factor)}/0/default.jpg")
        assert two.data == three.data


@pytest.mark.parametrize(("version", "context"), [(3, "3"), (2, "2")])
def test_headers_that_viewers_and_caches_live_by(client: FlaskClient, version: int, context: str) -> None:
    base = f"/iiif/image/{version}/shengyu.f1"
    given = client.get(f"{base}/square/50,50/0/color.jpg")
    assert f'<http://iiif.io/api/image/{context}/level2.json>;rel="profile"' in given.headers["Link"]
    assert given.headers["Cache-Control"] == "private, max-age=86400"
    assert "Link" in given.headers["Access-Control-Expose-Headers"]
    asked = client.options(f"{base}/full/max/0/default.jpg", headers={"Origin": "https://elsewhere.example"})
    assert asked.status_code == 200
    assert (asked.headers["Access-Control-Allow-Origin"], asked.headers["Access-Control-Allow-Methods"]) == ("*", "GET, HEAD, OPTIONS")
    described = client.get(f"{base}/info.json", headers={"Accept": "application/ld+json"})
    assert described.headers["Content-Type"].startswith("application/ld+json")
    assert "Accept" in described.headers["Vary"]
    plain = client.get(f"{base}/info.json")
    assert plain.headers["Content-Type"] == "application/json"
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in plain.headers["Link"]
    assert client.get(f"{base}/info.json", headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304
    assert client.head(f"{base}/square/50,50/0/color.jpg").headers["Content-Length"] == given.headers["Content-Length"]


def test_a_canonical_address_gives_the_same_bytes(client: FlaskClient) -> None:
    for asked in ("pct:10,10,50,50/pct:50/0/default.jpg", "square/,40/!180/gray.png", "full/!77,77/0/color.jpg"):
        given = client.get(f"{BASE}/{asked}")
        address = given.headers["Link"].split(", <")[1].split(">")[0].removeprefix("http://localhost")
        again = client.get(address)
        assert (again.status_code, again.data) == (200, given.data), address


@pytest.mark.parametrize("turn", ["0", "90", "180", "270", "!0", "!90", "!180", "!270"])
@pytest.mark.parametrize("tail", ["default.png", "gray.png", "bitonal.png"])
def test_turned_in_bands_is_turned_whole(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, turn: str, tail: str) -> None:
    upright = picture(client.get(f"{BASE}/3,5,210,150/max/0/{tail}").data).convert("L")
    mirrored = ImageOps.mirror(upright) if turn.startswith("!") else upright
    expected = mirrored.rotate(-int(turn.strip("!")), expand=True)
    monkeypatch.setattr(tiles, "_BAND", 9_000)
    client.application.extensions["fangzhi.images"] = iiif_images.Kept(room=0)
    got = picture(client.get(f"{BASE}/3,5,210,150/max/{turn}/{tail}").data).convert("L")
    assert got.size == expected.size
    assert got.tobytes() == expected.tobytes()


def test_a_cut_out_asked_for_again_is_not_made_again(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    draw = derived.Picture.draw
    monkeypatch.setattr(derived.Picture, "draw", lambda self, wanted: made.append(wanted) or draw(self, wanted))
    first, again = (client.get(f"{BASE}/11,13,60,50/max/0/default.jpg") for _time in range(2))
    assert first.data == again.data
    assert len(made) == 1


def test_what_is_kept_of_cut_outs_is_bounded(client: FlaskClient) -> None:
    kept = iiif_images.Kept(room=64_000)
    with client.application.test_request_context("/"):
        g.reader = Audience.PUBLIC
        found = iiif_images._found("shengyu.f1")
        for x in range(80):
            kept.cut(found, parse(found.width, found.height, f"{x},0,100,100", "max", "0", "default.jpg"))
    assert 0 < kept._size <= 64_000
    assert kept._size == sum(len(data) for data in kept._cuts.values())


def test_a_recording_is_no_image_and_says_so(client: FlaskClient) -> None:
    answer = client.get("/iiif/image/3/song.f1/info.json")
    assert answer.status_code == 404
    assert "不是图像" in answer.text


def test_a_tile_is_kept_by_its_tag(client: FlaskClient) -> None:
    answer = client.get(f"{BASE}/full/max/0/default.jpg")
    again = client.get(f"{BASE}/full/max/0/default.jpg", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_base_leads_to_the_description(client: FlaskClient) -> None:
    answer = client.get(BASE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost" + BASE + "/info.json")
