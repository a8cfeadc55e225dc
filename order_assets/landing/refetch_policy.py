"""Orders that are read again although the list shows no change: their children can change without a trace there.

Belongs here: which orders these are and after how long. Not here: all other reasons to fetch an order (`refresh`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from order_assets.contract.tables.orders import CANCEL_STATUSES, STATUSES
from order_assets.landing.index import ListedOrder

OPEN = "open, read again"
RECENT = "recent, read again"
SWEPT = "not read for weeks, read again"


@dataclass(frozen=True)
class Reread:
    """When orders are read again; None for never.

    An open order, placed in the last `open_days`, is read again `open_every` after it was read. An order placed in
    the last `recent_days` is read again `recent_every` after it was read, open or not: for late refunds and shipments.
    The slow sweep reads each day of the last `sweep_days` once in `sweep_every`, whatever its orders are; days have
    their turns one after the other, so that the work is spread over the whole time.
    """

    open_every: timedelta | None = timedelta(hours=24)
    open_days: int = 90
    recent_every: timedelta | None = timedelta(days=7)
    recent_days: int = 30
    sweep_every: timedelta | None = None
    sweep_days: int = 365

    def reason(self, order: ListedOrder, row: Mapping[str, Any], now: datetime, day: date | None = None) -> str | None:
        """Why the order, with its row in landing or ledger, is to be read again now; None if it is not.

        The slow sweep needs the order's day.
        """
        read_at = row["fetched_at"]
        if read_at is None:
            return None
        age, placed = now - read_at, now - order.date_placed
        due = self.open_every is not None and age >= self.open_every and placed <= timedelta(days=self.open_days)
        if due and is_open(order.status or row.get("status"), row.get("cancel_status")):
            return OPEN
        if self.recent_every is not None and age >= self.recent_every and placed <= timedelta(days=self.recent_days):
            return RECENT
        turn = None if day is None else self.turn(day, now)
        return SWEPT if turn is not None and read_at < turn else None

    def turn(self, day: date, now: datetime) -> datetime | None:
        """When the slow sweep last had this day in turn: what was read before is to be read again. None for never."""
        begin = datetime.combine(day, time(), UTC)
        if self.sweep_every is None or now - begin > timedelta(days=self.sweep_days + 1):
            return None
        turns = (now - begin) // self.sweep_every
        return begin + turns * self.sweep_every if turns >= 1 else None


NEVER = Reread(open_every=None, recent_every=None, sweep_every=None)


def is_open(status: str | None, cancel_status: str | None) -> bool:
    """Whether an order is on its way still, or a cancellation of it is. An unknown status is."""
    cancellation, known = CANCEL_STATUSES.get(cancel_status or ""), STATUSES.get(status or "")
    under_way = cancel_status is not None and not (cancellation and cancellation.settled)
    # What comes after a final status, such as a refund, is left to the window of recent orders.
    return under_way or known is None or known.open
