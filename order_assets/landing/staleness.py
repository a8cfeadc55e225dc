"""Which days need a run: found by comparing the index with the ledgers, so nothing has to be remembered between runs.

Which days cannot be left as they are is found in `staleness_scan`, quickly; which orders of a day are fetched is
decided in `refresh`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.landing.index import ListedOrder, orders_by_day
from order_assets.landing.landing_store import Landing, Outcome
from order_assets.landing.list_row import comparable
from order_assets.landing.quarantine import landed_days
from order_assets.landing.refetch_policy import SWEPT, Reread
from order_assets.landing.staleness_scan import ROW_CHANGED, changes_by_day, days_with_old_or_unfinished

# The reason of orders that landed before a document was declared.
NEW_DOCUMENT = "new_document"


@dataclass(frozen=True)
class DueDay:
    """A day that needs a run: its orders by reason, and a text that changes when what is due changes."""

    day: date
    reasons: dict[str, int]
    fingerprint: str


def changed_days(data_root: Path, first: date, last: date) -> list[DueDay]:
    """The days on which orders are new, changed or gone from the list since they were landed, in order.

    Raises `OrderIndexError` when there is no index, `LandingError` for a ledger that cannot be read.
    """
    return [
        DueDay(of.day, of.reasons, f"{sum(of.reasons.values())} {of.newest or ''}")
        for of in changes_by_day(data_root, first, last)
    ]


def waiting_days(
    data_root: Path, first: date, last: date, reread: Reread, now: datetime, *, most_swept: int | None = None
) -> list[DueDay]:
    """The landed days with orders that could not be fetched, are in quarantine or are to be read again, in order.

    Of the days that are due for the slow sweep alone those that were read longest ago come first, up to `most_swept`
    orders; the others wait for the next time. None is no bound, and one day is taken in any case.

    Raises `OrderIndexError` when there is no index, `LandingError` for a ledger that cannot be read.
    """
    found: dict[date, Counter[str]] = {}
    swept: list[tuple[datetime, date]] = []
    candidates = days_with_old_or_unfinished(data_root, first, last, reread, now)
    orders_of = orders_by_day(data_root, first, last, only=candidates)
    for day in candidates:
        ledger = _ledger(data_root, day)
        listed = {order.pk: order for order in orders_of.get(day, [])}
        why = {
            pk: reason
            for pk, row in ledger.items()
            if pk in listed and (reason := _waiting(listed[pk], row, reread, now, day))
        }
        found[day] = Counter(why.values())
        if SWEPT in found[day]:
            swept.append((min(ledger[pk]["fetched_at"] for pk, reason in why.items() if reason == SWEPT), day))
    left = most_swept
    for place, (_, day) in enumerate(sorted(swept)):
        count = found[day][SWEPT]
        if left is not None and count > left and place > 0:
            left = 0
            del found[day][SWEPT]
        elif left is not None:
            left = max(0, left - count)
    return [DueDay(day, dict(reasons), f"{reasons.total()}") for day, reasons in found.items() if reasons]


def incomplete_days(data_root: Path) -> list[DueDay]:
    """The landed days with orders that could not be fetched or are in quarantine, in order."""
    due = []
    for day in landed_days(data_root):
        reasons = Counter(reason for row in _ledger(data_root, day).values() if (reason := _unfinished(row)))
        if reasons:
            due.append(DueDay(day, dict(reasons), f"{reasons.total()}"))
    return due


def changed(order: ListedOrder, row: Mapping[str, Any] | None) -> str | None:
    """Why the list makes an order due, given its row in landing or ledger; None if it does not."""
    if row is None:
        return "new"
    if row["listed_modified_date"] != order.modified_date:
        return "changed"
    if row.get("listed_children_modified_date") != order.children_modified_date:
        return "changed below"
    if row_changed(order, row):
        return ROW_CHANGED
    if not order.listed and row["outcome"] not in (Outcome.TOMBSTONED, Outcome.PENDING):
        return "gone from the list"
    if order.listed and row["outcome"] == Outcome.TOMBSTONED:
        return "listed again"
    return None


def lacks_document(order: ListedOrder, row: Mapping[str, Any], documents: Iterable[Document]) -> bool:
    """Whether the order landed before one of the documents was declared; `row` is its row in landing or ledger."""
    further = [of.name for of in documents if of not in DOCUMENTS and of.is_of(order.date_placed)]
    if not further or row["outcome"] != Outcome.LANDED:
        return False
    return not set(further) <= set((row.get("further_documents") or "").split(","))


def days_lacking_documents(data_root: Path, days: Iterable[date], documents: Iterable[Document]) -> list[DueDay]:
    """The landed days with orders that landed before one of the documents was declared.

    Of the day that a document begins with nothing is said: its orders may lie on both sides. Raises `LandingError`.
    """
    further = [of for of in documents if of not in DOCUMENTS]
    found = []
    for day in days if further else ():
        wanted = {of.name for of in further if of.since is None or day > of.since}
        landing = Landing(data_root, day)
        if not wanted or not landing.ledger_file.exists():
            continue
        with landing.reading(landing.ledger_file):
            file = pq.ParquetFile(landing.ledger_file)
            names = [name for name in ("outcome", "further_documents") if name in file.schema_arrow.names]
            rows = file.read(columns=names).to_pylist()
        lacking = sum(
            row["outcome"] == Outcome.LANDED and not wanted <= set((row.get("further_documents") or "").split(","))
            for row in rows
        )
        if lacking:
            found.append(DueDay(day, {NEW_DOCUMENT: lacking}, f"{NEW_DOCUMENT} {lacking}"))
    return found


def row_changed(order: ListedOrder, row: Mapping[str, Any]) -> bool:
    """Whether the order's row in the list is not the one that its version in landing or ledger was fetched under.

    Where fingerprints cannot be compared, since one is missing or made in another way, it is told by when the index
    last found the row changed.
    """
    fetched_under = row.get("listed_fingerprint")
    if comparable(order.fingerprint, fetched_under):
        return order.fingerprint != fetched_under
    return order.row_changed_at is not None and order.row_changed_at != row.get("listed_row_changed_at")


def _waiting(order: ListedOrder, row: Mapping[str, Any], reread: Reread, now: datetime, day: date) -> str | None:
    if reason := _unfinished(row):
        return reason
    if changed(order, row) or row["outcome"] != Outcome.LANDED:
        return None
    return reread.reason(order, row, now, day)


def _unfinished(row: Mapping[str, Any]) -> str | None:
    return str(row["outcome"]) if row["outcome"] in (Outcome.PENDING, Outcome.QUARANTINED) else None


def _ledger(data_root: Path, day: date) -> dict[int, dict[str, Any]]:
    landing = Landing(data_root, day)
    return {row["order_pk"]: row for row in landing.ledger()} if landing.ledger_file.exists() else {}
