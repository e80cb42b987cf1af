"""Register: one transaction writes the item, its pages and files, its events and the outbox row that sends it to the index.

Everything is read back from the object, inside the transaction: what the catalogue says after a crash and a resumed run, or when somebody
decided something about the item meanwhile, is what a rebuild would say.
"""

from __future__ import annotations

from datetime import date

from archive.catalogue import donations as donation_rows
from archive.catalogue import events as event_rows
from archive.catalogue import items as item_rows
from archive.catalogue.engine import Catalogue
from archive.services import objects
from archive.storage.base import ObjectStore


def register(catalogue: Catalogue, store: ObjectStore, item: str, *, day: date) -> None:
    """Put the item as its object has it into the catalogue; doing it again changes nothing."""
    with catalogue.write() as connection:
        found = objects.read_object(store, item)
        donation_rows.put_donation(connection, found.donation)
        item_rows.put_item(connection, found.item, version=found.version, batch=found.batch, at=found.created, day=day)
        event_rows.append(connection, objects.read_events(store, item))
