"""IIIF as viewers ask for it: descriptions, tiles, sizes, cut-outs."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from PIL import Image

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
        ("full/max/11/default.jpg", 400),
        ("full/^99999,/0/default.jpg", 400),
        ("full/max/0/default", 400),
        ("full/max/0/sepia.jpg", 404),
        ("full/max/0/default.tif", 404),
    ],
)
def test_faults_are_said_in_words(client: FlaskClient, request_: str, status: int) -> None:
    answer = client.get(f"{BASE}/{request_}")
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert len(answer.text) > 10


def test_a_tile_is_kept_by_its_tag(client: FlaskClient) -> None:
    answer = client.get(f"{BASE}/full/max/0/default.jpg")
    again = client.get(f"{BASE}/full/max/0/default.jpg", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_base_leads_to_the_description(client: FlaskClient) -> None:
    answer = client.get(BASE)
    assert (answer.status_code, answer.headers["Location"]) == (303, BASE + "/info.json")
