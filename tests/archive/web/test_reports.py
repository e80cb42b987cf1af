"""报告此处文字有误: what is kept, what is refused, how the queue is worked through, what an erasure reaches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hall_of_records import CANARY

from archive.assembly import Archive
from archive.cli import main
from archive.errors import NotFound, UsageError
from archive.model.rights import Audience
from archive.services.reports import CONTACT, Reports, version_of
from archive.storage.journal import Journal
from archive.storage.private import PrivateStore
from archive.web import create_app
from archive.web.reports import Turnstile

PLACE = "/items/shengyu/p/p1/report"
NOTE = {"note": "“之士”当作“之事”，见殿本。", "contact": "读者@example.org", "start": "1", "end": "9", "xywh": "10,20,30,40"}


@pytest.fixture
def desk(hall: Archive, tmp_path: Path) -> Archive:
    """The archive of the hall with a journal and a private store of the test's own."""
    journal, private = Journal(tmp_path / "journal"), PrivateStore(tmp_path / "private")
    journal.init()
    private.init()
    return replace(hall, journal=journal, private=private, reports=Reports(journal, private, hall.now))


@pytest.fixture
def visitor(desk: Archive) -> FlaskClient:
    return create_app(desk).test_client()


def command(desk: Archive, *words: str, ok: int = 0) -> str:
    done = CliRunner().invoke(main, ["--home", str(desk.settings.home), "--lang", "zh", *words], catch_exceptions=False)
    assert done.exit_code == ok, done.output
    return done.output


def test_a_report_keeps_place_version_words_and_gives_a_number(desk: Archive, visitor: FlaskClient) -> None:
    said = visitor.post(PLACE, data=NOTE)
    assert said.status_code == 303
    number = said.location.rpartition("done=")[2]
    assert number in visitor.get(said.location).text
    (kept,) = desk.reports.all()
    text = desk.reading.page(Audience.PUBLIC, "shengyu", "p1").text
    assert (kept.number, kept.item, kept.page, kept.region, kept.start, kept.end) == (number, "shengyu", "p1", "10,20,30,40", 1, 9)
    assert kept.quotation == "全書嘉與海內之士" and kept.note == NOTE["note"] and kept.text == version_of(text) != ""


def test_the_contact_is_in_the_private_store_only(desk: Archive, visitor: FlaskClient) -> None:
    visitor.post(PLACE, data=NOTE)
    (kept,) = desk.reports.all()
    assert desk.reports.contact(kept) == NOTE["contact"]
    for folder in (desk.journal.folder, desk.private.folder):
        for path in folder.iterdir():
            assert NOTE["contact"].encode() not in path.read_bytes(), path


def report_in(archive: Archive, **more: Any) -> str:
    given = {
        "text": "donor:0123456789abcdef",
        "note": "張某某之名誤",
        "quotation": "之士",
        "region": "10,20,30,40",
        "contact": "李某某 0915",
    }
    return archive.reports.submit("small-leaves", "p1", **given | more)


def test_staff_list_and_close_and_the_contact_is_forgotten(small_archive: Archive) -> None:
    number = report_in(small_archive)
    listed = command(small_archive, "reports", "list")
    for told in (number, "之士", "李某某 0915", "/items/small-leaves/p/p1?xywh=10,20,30,40"):
        assert told in listed
    command(small_archive, "reports", "close", number, "--outcome", "已改")
    assert "没有待办的勘误" in command(small_archive, "reports", "list")
    assert "已改" in command(small_archive, "reports", "list", "--all")
    assert '"contact": ""' in command(small_archive, "reports", "list", "--all", "--json")
    assert small_archive.private.names(CONTACT) == ()
    with pytest.raises(UsageError):
        small_archive.reports.close(number, "再办", by="馆员")
    with pytest.raises(NotFound):
        small_archive.reports.close("20990101-ABCDEF", "无", by="馆员")


def test_the_queue_survives_a_rebuild_and_an_erasure_reaches_it(small_archive: Archive) -> None:
    report_in(small_archive)
    report_in(small_archive, note="他面之誤", contact="張某某 139")
    small_archive.keeping.rebuild_catalogue()
    assert [report.note for report in small_archive.reports.all()] == ["張某某之名誤", "他面之誤"]

    small_archive.keeping.erase("張某某", "本人要求", by="馆长", private=small_archive.private)
    first, second = small_archive.reports.all()
    assert "張某某" not in first.note and small_archive.reports.contact(first) and not small_archive.reports.contact(second)

    small_archive.keeping.erase("small-leaves", "法院判决", by="馆长", private=small_archive.private)
    assert {report.note for report in small_archive.reports.all()} == {"…"} and small_archive.private.names(CONTACT) == ()
    assert "之士" not in (small_archive.settings.journal / "000001.jsonl").read_text("utf-8")


def test_without_a_note_the_form_comes_back_with_what_was_typed(visitor: FlaskClient, desk: Archive) -> None:
    said = visitor.post(PLACE, data={"quotation": "之士", "note": "  ", "contact": "甲"})
    assert said.status_code == 400 and 'role="alert"' in said.text and 'value="之士"' in said.text and 'value="甲"' in said.text
    assert desk.reports.all() == ()


def test_the_form_shows_the_words_and_the_place(visitor: FlaskClient) -> None:
    body = visitor.get(PLACE + "?start=1&end=9&xywh=10,20,30,40").text
    assert "<blockquote" in body and "全書嘉與海內之士" in body and 'name="xywh" value="10,20,30,40"' in body
    assert "/iiif/image/3/shengyu.f1/10,20,30,40/" in body and 'method="post"' in body and "<script>" not in body
    assert "Report an error" in visitor.get(PLACE + "?lang=en").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.example"}, 303),
    ],
)
def test_posts_from_other_sites_are_refused(visitor: FlaskClient, desk: Archive, headers: dict[str, str], status: int) -> None:
    assert visitor.post(PLACE, data=NOTE, headers=headers).status_code == status
    assert len(desk.reports.all()) == (status == 303)


def test_a_program_that_fills_every_field_is_thanked_and_forgotten(visitor: FlaskClient, desk: Archive) -> None:
    said = visitor.post(PLACE, data=NOTE | {"website": "https://spam.example"})
    assert said.status_code == 303 and visitor.get(said.location).status_code == 200 and desk.reports.all() == ()


def test_bodies_beyond_the_bound_are_413(visitor: FlaskClient, desk: Archive) -> None:
    assert visitor.post(PLACE, data={"note": "長" * 20_000}).status_code == 413
    visitor.post(PLACE, data={"note": "長" * 2_500})
    assert [len(report.note) for report in desk.reports.all()] == [2000]


def test_too_many_at_once_are_429_with_a_time(visitor: FlaskClient, desk: Archive) -> None:
    statuses = [visitor.post(PLACE, data=NOTE).status_code for _n in range(8)]
    assert statuses == [303] * 6 + [429] * 2 and len(desk.reports.all()) == 6
    assert visitor.post(PLACE, data=NOTE).headers["Retry-After"] == "600"


def test_the_turnstile_bounds_everyone_together_and_opens_again() -> None:
    gate = Turnstile(each=2, all=3, seconds=0.05)
    assert [gate.lets(who) for who in ("甲", "甲", "甲", "乙", "丙")] == [True, True, False, True, False]
    import time

    time.sleep(0.06)
    assert gate.lets("甲")


@pytest.mark.parametrize("path", ["shengyu/p/p5", "shengyu/p/p6", "secret/p/p1", "shengyu/p/p99", "never-was/p/p1"])
def test_nothing_can_be_reported_of_what_is_hidden(visitor: FlaskClient, desk: Archive, path: str) -> None:
    absent = visitor.post("/items/never-was/p/p9/report", data=NOTE)
    said = visitor.post(f"/items/{path}/report", data=NOTE)
    assert said.status_code == absent.status_code == 404 and said.data == absent.data and desk.reports.all() == ()


def test_a_page_without_text_or_image_can_be_reported_too(visitor: FlaskClient, desk: Archive) -> None:
    assert CANARY not in visitor.get("/items/shengyu/p/p4/report").text
    assert visitor.post("/items/shengyu/p/p4/report", data={"note": "此面未缺"}).status_code == 303
    assert desk.reports.all()[0].text == ""


@pytest.mark.parametrize("more", [{"start": "5", "end": "2"}, {"start": "0", "end": "9999"}, {"xywh": "a"}, {"start": "x"}])
def test_places_that_cannot_be_are_400(visitor: FlaskClient, more: dict[str, Any]) -> None:
    assert visitor.post(PLACE, data={"note": "誤"} | more).status_code == 400
    assert visitor.get(PLACE, query_string=more).status_code == 400


def test_control_signs_and_hostile_words_are_kept_as_harmless_text(visitor: FlaskClient, desk: Archive) -> None:
    visitor.post(PLACE, data={"note": "\x00甲\x1b[31m\u2028<script>乙", "quotation": "\ud800".encode("utf-8", "surrogatepass")})
    assert desk.reports.all()[0].note == "甲[31m<script>乙"


def test_a_full_disk_is_503_and_nothing_is_half_kept(visitor: FlaskClient, desk: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    from archive.errors import DiskFull

    def full(*_given: Any, **_more: Any) -> None:
        raise DiskFull("journal")

    monkeypatch.setattr(Journal, "append", full)
    assert visitor.post(PLACE, data=NOTE).status_code == 503
    assert desk.private.names(CONTACT) == ()
