"""Reports of faulty text by readers: kept in the journal as a queue for the desk, what a reader left to be reached at in the private store.

A report is an entry `report`; closing it an entry `report closed`. So it survives a rebuild, goes into backups, and `erase` reaches it: the words
of a person by name, those about an erased item all together. Where to reach the reader is forgotten when the report is closed.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from archive.errors import NotFound, StorageError, UsageError
from archive.language import _
from archive.model.item import TextVersion
from archive.storage.journal import Journal, JournalEntry
from archive.storage.private import PrivateStore

REPORT, CLOSED = "report", "report closed"
CONTACT = "report-contact"
"""Kind of the entries in the private store."""
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `region` as `x,y,w,h`; `start` and `end` code points of the text whose source and digest `text` names (`donor:9f2c…`)."""

    number: str
    at: str
    item: str
    page: str
    text: str
    note: str
    quotation: str = ""
    region: str = ""
    start: int | None = None
    end: int | None = None
    contact: str = ""
    """Name of its entry in the private store, empty when the reader left nothing."""
    outcome: str | None = None
    """Why it was closed; None while it is open."""
    closed: str = ""


def version_of(text: TextVersion | None) -> str:
    """Names one reading of a page, so that a report says which text it is about: source and digest. Empty for a page without text."""
    return f"{text.source.value}:{hashlib.sha256(text.text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}" if text else ""


class Reports:
    """The queue of reports."""

    def __init__(self, journal: Journal, private: PrivateStore, now: Callable[[], datetime]) -> None:
        self._journal, self._private, self._now = journal, private, now

    def submit(
        self,
        item: str,
        page: str,
        *,
        text: str,
        note: str,
        quotation: str = "",
        region: str = "",
        span: tuple[int, int] | None = None,
        contact: str = "",
    ) -> str:
        """Keep a report; when this returns it is on the disk. Gives its number; raises StorageError, and then nothing is kept."""
        now = self._now()
        number = f"{now:%Y%m%d}-" + "".join(secrets.choice(_SIGNS) for _n in range(6))
        data: dict[str, Any] = {"number": number, "page": page, "text": text, "note": note, "quotation": quotation, "region": region}
        if span:
            data |= {"start": span[0], "end": span[1]}
        if contact:
            self._private.put(CONTACT, number, {"contact": contact, "item": item, "page": page})
            data["contact"] = number
        try:
            self._journal.append(REPORT, {k: v for k, v in data.items() if v != ""}, by="reader", item=item, at=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        except StorageError:
            if contact:
                self._private.erase(CONTACT, number)
            raise
        return number

    def all(self) -> tuple[Report, ...]:
        """Every report, oldest first, with what became of it."""
        found: dict[str, Report] = {}
        for entry in self._journal.entries():
            if entry.kind == REPORT:
                report = _read(entry)
                found[report.number] = report
            elif entry.kind == CLOSED and entry.data.get("number") in found:
                number = entry.data["number"]
                found[number] = _closed(found[number], entry)
        return tuple(found.values())

    def contact(self, report: Report) -> str:
        """Where to reach who reported, empty when nothing was left or it is forgotten."""
        if not report.contact:
            return ""
        with contextlib.suppress(NotFound):
            held = self._private.get(CONTACT, report.contact)
            return str(held.get("contact", "")) if isinstance(held, Mapping) else ""
        return ""

    def close(self, number: str, outcome: str, *, by: str) -> Report:
        """Close a report, saying what became of it; its contact is forgotten. Raises NotFound, and UsageError when it is closed already."""
        report = next((given for given in self.all() if given.number == number), None)
        if report is None:
            raise NotFound(_("没有编号为 %(number)s 的勘误。", number=number))
        if report.outcome is not None:
            raise UsageError(_("勘误 %(number)s 已经办结。", number=number))
        if not outcome.strip():
            raise UsageError(_("办结须写明结果：--outcome"))
        at = f"{self._now():%Y-%m-%dT%H:%M:%SZ}"
        entry = self._journal.append(CLOSED, {"number": number, "outcome": outcome.strip()}, by=by, item=report.item, at=at)
        _forget(self._private, [report.contact])
        return _closed(report, entry)


def forget_items(journal: Journal, private: PrivateStore, items: Iterable[str]) -> None:
    """Contacts of the reports about items that are erased."""
    gone = set(items)
    _forget(private, [str(entry.data.get("contact", "")) for entry in journal.entries() if entry.kind == REPORT and entry.item in gone])


def redacted(entry: JournalEntry) -> Mapping[str, Any]:
    """What is left of a report, or of its closing, when the thing it is about is erased: that there was one."""
    return {key: "…" if key in ("note", "quotation", "outcome") else value for key, value in entry.data.items() if key != "contact"}


def _forget(private: PrivateStore, names: Iterable[str]) -> None:
    for name in names:
        if name:
            with contextlib.suppress(NotFound):
                private.erase(CONTACT, name)


def _read(entry: JournalEntry) -> Report:
    data = entry.data
    known = {key: data[key] for key in ("number", "page", "text", "note", "quotation", "region", "start", "end", "contact") if key in data}
    return Report(**({"text": "", "note": "", "page": ""} | known), at=entry.at, item=entry.item or "")


def _closed(report: Report, entry: JournalEntry) -> Report:
    return replace(report, outcome=str(entry.data.get("outcome", "")), closed=entry.at)
