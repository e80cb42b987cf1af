"""IIIF as viewers ask for it: manifests."""

from __future__ import annotations

import io

from flask.testing import FlaskClient
from PIL import Image

BASE = "/iiif/image/3/shengyu.f1"


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_book_is_a_manifest_from_right_to_left(client: FlaskClient) -> None:
    answer = client.get("/iiif/3/shengyu/manifest")
    manifest = answer.get_json(force=True)
    assert answer.headers["Content-Type"] == 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    assert manifest["viewingDirection"] == "right-to-left"
    assert [canvas["id"].rsplit("/", 1)[1] for canvas in manifest["items"]] == ["p1", "p2", "p3", "p4"]
    first = manifest["items"][0]
    body = first["items"][0]["items"][0]["body"]
    assert body["service"][0]["id"] == "http://localhost" + BASE
    assert (
        (body["width"], body["height"])
        == (first["width"], first["height"])
        == picture(client.get(f"{BASE}/full/max/0/default.jpg").data).size
    )
    assert manifest["items"][3]["items"][0]["items"] == []
    assert {"zh": ["责任者"], "en": ["Creator"]} in [entry["label"] for entry in manifest["metadata"]]


def test_a_recording_is_a_canvas_with_a_duration_and_captions(client: FlaskClient) -> None:
    manifest = client.get("/iiif/3/song/manifest").get_json(force=True)
    (canvas,) = manifest["items"]
    assert canvas["duration"] == 3.0
    assert canvas["annotations"][0]["items"][0]["body"]["id"].endswith("/items/song/cues/t1.vtt")
    assert client.get(canvas["items"][0]["items"][0]["body"]["id"].removeprefix("http://localhost")).status_code == 200
