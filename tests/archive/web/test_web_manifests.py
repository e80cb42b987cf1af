"""Manifests, ranges, text and collections as viewers read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from archive.assembly import Archive
from archive.model.folios import Folio, Side
from archive.model.item import FileRef, Item, Page
from archive.model.profile import Profile
from archive.model.sections import Section
from archive.services.reading import LeafOutline, Outline
from archive.web import presentation
from archive.web.iiif import links_of
from archive.web.iiif_parts import Links

HOST = "http://localhost"
LINKS = Links("https://a.example", "book")


def document(client: FlaskClient, address: str) -> Any:
    answer = client.get(address.removeprefix(HOST))
    assert answer.status_code == 200, address
    return answer.get_json(force=True)


def book(*leaves: tuple[Folio | None, str], size: tuple[int, int] = (800, 1200)) -> Outline:
    """A book of leaves with these folios and sections."""
    pages = [Page(f"p{n}", n, FileRef(f"f{n}"), folio, section=section) for n, (folio, section) in enumerate(leaves, 1)]
    item = Item("book", "2026-001", "gazetteer", "", "某縣志")
    profile = Profile("gazetteer", "方志", "Gazetteer", (), reading_direction="rtl")
    return Outline(item, profile, tuple(LeafOutline(page, *size, True) for page in pages))


def every(found: Any) -> Iterator[dict[str, Any]]:
    """Everything with an id in a document."""
    if isinstance(found, dict):
        if "id" in found:
            yield found
        for value in found.values():
            yield from every(value)
    elif isinstance(found, list):
        for value in found:
            yield from every(value)


def test_addresses_put_together_are_those_of_the_router(app: Flask) -> None:
    with app.test_request_context():
        links, image = links_of("song"), FileRef("f1", 2)
        pairs = {
            links.manifest: url_for("iiif.manifest", item="song"),
            links.canvas("p1"): url_for("iiif.canvas", item="song", part="p1"),
            links.annotations("p1"): url_for("iiif.text_of", item="song", part="p1"),
            links.page: url_for("browse.item", item="song"),
            links.record: url_for("api.item", item="song"),
            links.home: url_for("browse.home"),
            links.leaf("p1"): url_for("browse.page", item="song", page="p1"),
            links.service(image): url_for("images.base", key="song.f1-2"),
            links.media("f1", "web"): url_for("media.web", key="song.f1"),
            links.media("f1", "poster"): url_for("media.poster", key="song.f1"),
            links.media("f1", "original"): url_for("media.original", key="song.f1"),
            links.cues("t1"): url_for("browse.cues", item="song", track="t1"),
        }
    assert {address: HOST + path for address, path in pairs.items()} == {address: address for address in pairs}


@pytest.mark.parametrize("item", ["shengyu", "song", "papers", "hostile"])
def test_what_a_manifest_names_answers(client: FlaskClient, item: str) -> None:
    manifest = document(client, f"/iiif/3/{item}/manifest")
    inside = f"{HOST}/iiif/3/{item}/canvas/"
    for named in every(manifest):
        address = named["id"].partition("#")[0]
        if (
            named.get("type") in ("Annotation", "Agent")
            or address.endswith(("/image", "/media", "/captions"))
            or address == inside + "none"
        ):
            continue  # these have names, not addresses
        address += "?q=之" if "/search/" in address or "/autocomplete/" in address else ""
        answer = client.get(address.removeprefix(HOST), follow_redirects=True)
        assert answer.status_code == 200, address
    ids = [named["id"] for named in every(manifest["items"]) if named.get("type") in ("Canvas", "Annotation", "AnnotationPage")]
    assert len(ids) == len(set(ids))


def test_a_leaf_is_called_by_its_folio_in_both_languages(client: FlaskClient) -> None:
    labels = [canvas["label"] for canvas in document(client, "/iiif/3/shengyu/manifest")["items"]]
    assert labels[0] == {"zh": ["卷一·叶1上"], "en": ["juan 一, leaf 1a"]}
    assert labels[1] == {"zh": ["卷一·叶2上（未核）"], "en": ["juan 一, leaf 2a (unverified)"]}
    assert labels[3]["zh"][0].endswith("（缺叶）") and labels[3]["en"][0].endswith("(missing leaf)")


def test_a_manifest_says_whose_it_is_and_what_may_be_done(client: FlaskClient) -> None:
    manifest = document(client, "/iiif/3/shengyu/manifest")
    assert manifest["requiredStatement"]["value"] == {"zh": ["公有领域"], "en": ["Public domain"]}
    assert manifest["partOf"][0]["id"] == f"{HOST}/iiif/collections/local-gazetteers"
    assert manifest["provider"][0]["homepage"][0]["id"] == f"{HOST}/"
    assert "rights" not in document(client, "/iiif/3/hostile/manifest")  # javascript: is no licence


def test_a_value_is_never_taken_for_html(client: FlaskClient) -> None:
    manifest = document(client, "/iiif/3/hostile/manifest")
    texts = [text for entry in manifest["metadata"] for values in entry["value"].values() for text in values]
    texts += [text for values in manifest["summary"].values() for text in values]
    assert any("script" in text for text in texts)
    assert not any(text.startswith("<script") for text in texts)


def test_a_deep_link_names_the_canvas_to_begin_with(client: FlaskClient) -> None:
    assert document(client, "/iiif/3/shengyu/manifest?page=p2")["start"] == {"id": f"{HOST}/iiif/3/shengyu/canvas/p2", "type": "Canvas"}
    assert "start" not in document(client, "/iiif/3/shengyu/manifest")


def test_sections_become_ranges_and_a_passage_a_stretch_of_time(client: FlaskClient) -> None:
    juan = document(client, "/iiif/3/shengyu/manifest")["structures"][0]
    assert juan["label"] == {"zh": ["卷一"]}
    section = juan["items"][1]
    assert (section["type"], section["label"]) == ("Range", {"zh": ["經部"]})
    assert [canvas["id"].rsplit("/", 1)[1] for canvas in section["items"]] == ["p2", "p3", "p4"]
    (passage,) = document(client, "/iiif/3/song/manifest")["structures"]
    assert (passage["label"], passage["items"][0]["id"]) == ({"zh": ["望襄陽"]}, f"{HOST}/iiif/3/song/canvas/f1#t=1,2")


def test_a_section_runs_to_the_leaf_before_the_next_of_its_level() -> None:
    folios = [Folio("一", None, str(n), verified=True) for n in range(3)] + [Folio("二", None, "1")]
    outline = book((folios[0], ""), (folios[1], "山川"), (folios[2], "山川"), (folios[3], "山川"))
    first, second = presentation.structures_of(outline, [], LINKS)
    assert [item["type"] for item in first["items"]] == ["Canvas", "Range"]
    assert second["label"] == {"zh": ["卷二（未核）"], "en": ["juan 二 (unverified)"]}
    inside = first["items"][1]
    assert [canvas["id"].rsplit("/", 1)[1] for canvas in inside["items"]] == ["p2", "p3"]


@pytest.mark.parametrize(
    ("sides", "size", "paged"),
    [
        ("ababab", (800, 1200), True),
        ("      ", (800, 1200), True),
        ("bababa", (800, 1200), False),
        (" ababa", (800, 1200), False),
        ("      ", (1600, 1200), False),
    ],
    ids=["recto first", "nobody knows", "begins with a verso", "a cover first", "unfolded leaves"],
)
def test_leaves_are_paired_only_where_that_is_right(sides: str, size: tuple[int, int], paged: bool) -> None:
    folios = [Folio("一", None, str(n), Side(side)) if side.strip() else None for n, side in enumerate(sides)]
    outline = book(*((folio, "") for folio in folios), size=size)
    assert presentation.is_paged(outline) is paged


def test_a_page_that_is_part_of_an_image_is_shown_alone() -> None:
    outline = book((None, ""))
    page = replace(outline.leaves[0].page, image=FileRef("f1", None, (10, 20, 300, 400)))
    outline = replace(outline, leaves=(LeafOutline(page, 300, 400, False),))
    found = presentation.canvas(outline, [], LINKS, "p1")
    assert found is not None
    body = found["items"][0]["items"][0]["body"]
    assert body["id"] == "https://a.example/iiif/image/3/book.f1/10,20,300,400/max/0/default.jpg"
    assert "service" not in body and (found["width"], found["height"]) == (300, 400)


def test_thumbnails_are_those_that_lie_ready(client: FlaskClient) -> None:
    canvas = document(client, "/iiif/3/shengyu/manifest")["items"][0]
    thumbnail = canvas["thumbnail"][0]
    sizes = document(client, "/iiif/image/3/shengyu.f1/info.json")["sizes"]
    assert {"width": thumbnail["width"], "height": thumbnail["height"]} in sizes
    assert all(size in sizes for size in thumbnail["service"][0]["sizes"])


def test_the_text_of_a_leaf_says_whose_it_is(client: FlaskClient) -> None:
    page = document(client, "/iiif/3/shengyu/annotations/p1")
    assert page["label"] == {"zh": ["捐赠者录入"], "en": ["Donor's transcription"]} or page["label"]["zh"] == ["捐赠者录入"]
    first = page["items"][0]
    assert (first["motivation"], first["body"]["language"], first["creator"]["name"]) == ("supplementing", "zh", "捐赠者录入")
    assert first["target"].startswith(f"{HOST}/iiif/3/shengyu/canvas/p1")
    assert document(client, "/iiif/3/shengyu/annotations/p4")["items"] == []


def test_the_lines_of_a_recording_are_stretches_of_time_and_the_libretto_is_of_the_whole(client: FlaskClient) -> None:
    items = document(client, "/iiif/3/song/annotations/f1")["items"]
    canvas = f"{HOST}/iiif/3/song/canvas/f1"
    assert [item["target"] for item in items] == [f"{canvas}#t=0,1", f"{canvas}#t=1,2", f"{canvas}#t=2,3", canvas, canvas]


def test_a_holding_is_a_collection(client: FlaskClient) -> None:
    root = document(client, "/iiif/collections/root")
    assert f"{HOST}/iiif/collections/local-gazetteers" in [entry["id"] for entry in root["items"]]
    for entry in root["items"]:
        assert document(client, entry["id"])["items"], entry["id"]
    (manifest,) = document(client, "/iiif/collections/local-gazetteers")["items"]
    assert manifest["id"] == f"{HOST}/iiif/3/shengyu/manifest"
    assert client.get(manifest["thumbnail"][0]["id"].removeprefix(HOST)).status_code == 200


def test_a_manifest_is_kept_until_something_is_committed(client: FlaskClient, hall: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = presentation.manifest
    monkeypatch.setattr(presentation, "manifest", lambda *given: made.append(1) or real(*given))
    first = client.get("/iiif/3/shengyu/manifest")
    again = client.get("/iiif/3/shengyu/manifest")
    assert (len(made), again.data, again.headers["Content-Type"]) == (1, first.data, first.headers["Content-Type"])
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    unchanged = client.get("/iiif/3/shengyu/manifest", headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    with hall.catalogue.write() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 7")
    client.get("/iiif/3/shengyu/manifest")
    assert len(made) == 2


@pytest.mark.parametrize(
    "path", ["/iiif/3/x/manifest", "/iiif/3/SHENGYU/manifest", "/iiif/collections/local-gazetteers/x", "/iiif/3/shengyu/canvas/%00"]
)
def test_what_is_no_address_is_404_in_words(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype, answer.headers["Access-Control-Allow-Origin"]) == (404, "text/plain", "*")


def test_accepted_sections_of_the_item_are_its_ranges() -> None:
    outline = book(*((None, "") for _n in range(5)))
    aria = Section("x2", "山川", 2, "p2")
    tree = (Section("x1", "卷一", 1, "p1", children=(aria, Section("x3", "擬", 2, "p3", accepted=False))), Section("x4", "卷二", 1, "p4"))
    outline = replace(outline, item=replace(outline.item, sections=tree))
    first, second = presentation.structures_of(outline, [], LINKS)
    assert [(one["label"]["zh"][0], len(one["items"])) for one in (first, first["items"][1], second)] == [
        ("卷一", 2),
        ("山川", 2),
        ("卷二", 2),
    ]
    assert first["items"][1]["id"] == "https://a.example/iiif/3/book/range/x2"


@pytest.mark.parametrize(
    "path",
    [
        "/media/song.f1/web",
        "/items/song/cues/t1.vtt",
        "/thumbs/shengyu.f1/400",
        "/iiif/3/song/manifest",
        "/iiif/image/3/shengyu.f1/info.json",
        "/iiif/image/2/shengyu.f1/full/max/0/default.jpg",
    ],
)
def test_viewers_on_other_sites_may_read_what_everyone_may(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"
    inside = client.get(path, environ_overrides={"REMOTE_ADDR": "10.9.0.4"})
    assert inside.status_code == 200 and "Access-Control-Allow-Origin" not in inside.headers
