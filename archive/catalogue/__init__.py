"""Rows in SQLite, all of them made again from what the home keeps.

msgspec learns a type at its first use, and a second thread that decodes it meanwhile crashes the process. So the types of the rows are learnt here,
before any thread can ask for one.
"""

from __future__ import annotations

import msgspec

from archive.model.access import Terms
from archive.model.donation import Batch, Donation
from archive.model.event import Event
from archive.model.item import Item
from archive.model.probe import Probe

LEARNT = tuple(msgspec.json.Decoder(type_) for type_ in (Item, Terms, Donation, Batch, Event, Probe))
"""A type is learnt with all that it is made of: an item with its files, pages, texts and tracks."""
