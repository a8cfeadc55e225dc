"""Which days need a run: found by comparing the index with the ledgers, so nothing has to be remembered between runs.

Which orders of a day are fetched then is decided in `refresh`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from order_assets.landing.index import ListedOrder, orders_by_day
from order_assets.landing.quarantine import landed_days
from order_assets.landing.store import Landing, Outcome


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
    due = []
    for day, orders in sorted(orders_by_day(data_root, first, last).items()):
        landing = Landing(data_root, day)
        ledger = {row["order_pk"]: row for row in landing.ledger()} if landing.ledger_file.exists() else {}
        found = {order.pk: reason for order in orders if (reason := _reason(order, ledger.get(order.pk)))}
        if found:
            newest = max((str(order.modified_date) for order in orders if order.pk in found), default="")
            due.append(DueDay(day, dict(Counter(found.values())), f"{len(found)} {newest}"))
    return due


def incomplete_days(data_root: Path) -> list[DueDay]:
    """The landed days with orders that could not be fetched or are in quarantine, in order."""
    due = []
    for day in landed_days(data_root):
        landing = Landing(data_root, day)
        rows = landing.ledger() if landing.ledger_file.exists() else []
        waiting = [row for row in rows if row["outcome"] in (Outcome.PENDING, Outcome.QUARANTINED)]
        if waiting:
            reasons = Counter(str(row["outcome"]) for row in waiting)
            due.append(DueDay(day, dict(reasons), f"{len(waiting)}"))
    return due


def _reason(order: ListedOrder, row: dict[str, object] | None) -> str | None:
    if row is None:
        return "new"
    if row["listed_modified_date"] != order.modified_date:
        return "changed"
    if not order.listed and row["outcome"] not in (Outcome.TOMBSTONED, Outcome.PENDING):
        return "gone from the list"
    return None
