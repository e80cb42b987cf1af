"""Register: one transaction writes the item, its pages and files, its events and the outbox row that sends it to the index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from archive.catalogue import donations as donation_rows
from archive.catalogue import events as event_rows
from archive.catalogue import items as item_rows
from archive.catalogue.engine import Catalogue
from archive.model.decision import Decisions
from archive.model.donation import Donation
from archive.model.event import Event
from archive.model.item import Item


def register(
    catalogue: Catalogue,
    item: Item,
    decisions: Decisions,
    donation: Donation,
    events: Iterable[Event],
    *,
    version: int,
    batch: str,
    at: str,
    day: date,
) -> None:
    """Put the item as people see it (under `decisions`) into the catalogue; doing it again changes nothing."""
    with catalogue.write() as connection:
        donation_rows.put_donation(connection, donation)
        item_rows.put_item(connection, decisions.apply(item), version=version, batch=batch, at=at, day=day)
        event_rows.append(connection, events)
