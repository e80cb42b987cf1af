"""Donations, batches, tasks, events and what was learnt about bytes."""

from __future__ import annotations

import pytest

from archive.catalogue import donations, events, learnt
from archive.catalogue.engine import Catalogue, clear
from archive.derivatives.base import Fault, Probe
from archive.errors import NotFound
from archive.model.donation import Batch, BatchState, Donation
from archive.model.event import Event
from archive.model.item import MediaKind


def batch(number: int, **more: str) -> Batch:
    return Batch(f"2026-001.{number}", "2026-001", "/donations/张", BatchState.RUNNING, f"2026-11-{number:02}T00:00:00Z", **more)


def test_a_donation_is_replaced_by_its_accession(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        donations.put_donation(connection, Donation("2026-002", "乙"))
        donations.put_donation(connection, Donation("2026-001", "甲"))
        donations.put_donation(connection, Donation("2026-001", "张家", provisional=True))
        assert [d.donor for d in donations.donations(connection)] == ["张家", "乙"]
        assert donations.get_donation(connection, "2026-001") == Donation("2026-001", "张家", provisional=True)
        assert donations.get_donation(connection, "2026-009") is None


def test_batches_are_numbered_within_their_accession_and_come_newest_first(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        assert donations.next_batch_id(connection, "2026-001") == "2026-001.1"
        for number in (1, 2, 10):
            donations.put_batch(connection, batch(number))
        assert donations.next_batch_id(connection, "2026-001") == "2026-001.11"
        assert donations.next_batch_id(connection, "2026-0") == "2026-0.1"
        assert [b.id for b in donations.batches(connection, folder="/donations/张")] == ["2026-001.10", "2026-001.2", "2026-001.1"]
        assert donations.batches(connection, accession="2026-002") == []
        moved = donations.set_batch_state(connection, "2026-001.2", BatchState.DONE, ended="2026-11-03T00:00:00Z")
        assert donations.get_batch(connection, "2026-001.2") == moved and moved.state is BatchState.DONE
        with pytest.raises(NotFound, match="fangzhi ingest status"):
            donations.get_batch(connection, "2026-001.3")


def test_tasks_say_how_far_each_item_of_a_batch_came(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        donations.put_batch(connection, batch(1))
        donations.put_batch(connection, batch(2))
        donations.put_task(connection, donations.TaskState("2026-001.1", "影像/甲", "preserved", "abc", "item-1", {"files": 3}))
        donations.put_task(connection, donations.TaskState("2026-001.1", "影像/甲", "registered", "abd", "item-1"))
        donations.put_task(connection, donations.TaskState("2026-001.2", "影像/甲", "stopped", "x", "item-1"))
        assert [t.state for t in donations.tasks(connection, "2026-001.1")] == ["registered"]
        assert donations.tasks(connection, "2026-001.1", "stopped") == []
        newest = donations.last_task_of(connection, "item-1")
        assert newest and newest.batch == "2026-001.2"
        donations.set_batch_state(connection, "2026-001.2", BatchState.UNDONE)
        standing = donations.last_task_of(connection, "item-1")
        assert standing and standing.batch == "2026-001.1"
        donations.drop_tasks(connection, "2026-001.1")
        assert donations.get_task(connection, "2026-001.1", "影像/甲") is None


def test_an_event_given_twice_is_there_once_and_order_is_kept(catalogue: Catalogue) -> None:
    first = Event("item-1", "ingestion", "2026-11-22T08:00:00Z", "fangzhi", detail={"batch": "2026-001.1"})
    second = Event("item-1", "fixity check", "2026-11-23T08:00:00Z", "fangzhi", "failure")
    other = Event("item-2", "ingestion", "2026-11-22T09:00:00Z", "fangzhi")
    with catalogue.write() as connection:
        events.append(connection, [second, other])
        events.append(connection, [first, second])
        assert events.read(connection, "item-1") == (first, second)
        assert events.read(connection, kind="ingestion") == (first, other)
        assert events.read(connection, limit=1) == (second,)


def test_probes_and_seen_files_outlive_a_rebuild_and_know_their_conditions(catalogue: Catalogue) -> None:
    probe = Probe(
        "image/png", MediaKind.IMAGE, "PNG", 8, 9, part_sizes=((8, 9),), faults=(Fault("truncated", False, "x"),), technical={"depth": 8}
    )
    many = {f"{n:0128d}": probe for n in range(1200)}
    with catalogue.write(durable=False) as connection:
        learnt.remember_probes(connection, many, "probe-1")
        learnt.remember_seen(connection, [("/d/a.png", 10, 5, "a" * 128), ("/d/b.png", 11, 6, "b" * 128)])
        clear(connection)
        assert learnt.probes(connection, [*many, "unknown"], "probe-1") == many
        assert learnt.probes(connection, many, "probe-2") == {}
        learnt.remember_probes(connection, many, "probe-2")
        assert learnt.probes(connection, many, "probe-1") == {}
        assert learnt.seen_files(connection, [("/d/a.png", 10, 5), ("/d/b.png", 11, 7), ("/d/c.png", 1, 1)]) == {"/d/a.png": "a" * 128}
        learnt.remember_seen(connection, [("/d/b.png", 11, 7, "c" * 128)])
        assert learnt.seen_files(connection, [("/d/b.png", 11, 7)]) == {"/d/b.png": "c" * 128}


def test_the_last_audit_of_each_item_is_kept(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        learnt.put_fixity(connection, learnt.FixityResult("item-1", "2026-11-01T00:00:00Z", True))
        learnt.put_fixity(connection, learnt.FixityResult("item-1", "2026-11-22T00:00:00Z", False, ("originals/1.png: E092",)))
        learnt.put_fixity(connection, learnt.FixityResult("item-2", "2026-11-02T00:00:00Z", True))
        assert [r.item for r in learnt.fixity_results(connection)] == ["item-2", "item-1"]
        (bad,) = learnt.fixity_results(connection, unsound_only=True)
        assert bad.problems == ("originals/1.png: E092",)
