"""Which orders no rule looks at again: what changes in them without a trace in the list is never seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.landing.index import index_file, index_rows
from order_assets.landing.refetch_policy import Reread, is_open


@dataclass(frozen=True)
class OutsideOrders:
    """Listed orders from the first day on that are outside of every window in which orders are read again.

    Of these, `unshown` have a row in the list that would not show a refund either.
    """

    orders: int
    unshown: int


def outside_of_every_window(
    data_root: Path, first_day: date, reread: Reread, now: datetime, *, whole_listings: bool = True
) -> OutsideOrders:
    """Count the orders that neither the rules of `reread` nor its slow sweep read again after `now`.

    Without `whole_listings` no order's row is compared once its own clock stands still. Raises `OrderIndexError` for an
    index that cannot be read.
    """
    if not index_file(data_root).exists():
        return OutsideOrders(0, 0)
    names = ["partition", "status", "fingerprint", "refund_amount"]
    orders = unshown = 0
    for table in index_rows(data_root, names, first_day, _last_outside(reread, now)):
        rows = _outside(table.filter(table["listed"]), reread, now)
        shown = pc.and_(pc.is_valid(rows["fingerprint"]), pc.is_valid(rows["refund_amount"]))
        orders += rows.num_rows
        unshown += rows.num_rows - int(pc.sum(shown).as_py() or 0) if whole_listings else rows.num_rows
    return OutsideOrders(orders, unshown)


def _last_outside(reread: Reread, now: datetime) -> date:
    """The last day that may have orders outside."""
    windows = ((reread.sweep_every, reread.sweep_days), (reread.recent_every, reread.recent_days))
    return min(
        (_days_ago(now, days) - timedelta(days=1) for every, days in windows if every is not None), default=date.max
    )


def _outside(rows: pa.Table, reread: Reread, now: datetime) -> pa.Table:
    """The orders that no rule reads again after `now`."""
    if reread.sweep_every is not None:
        rows = rows.filter(pc.less(rows["partition"], _days_ago(now, reread.sweep_days)))
    if reread.recent_every is not None:
        rows = rows.filter(pc.less(rows["partition"], _days_ago(now, reread.recent_days)))
    if reread.open_every is not None:
        statuses = [status for status in pc.unique(rows["status"]).to_pylist() if is_open(status, None)]
        open_now = pc.is_in(rows["status"], value_set=pa.array(statuses, pa.string()))
        young = pc.greater_equal(rows["partition"], _days_ago(now, reread.open_days))
        rows = rows.filter(pc.invert(pc.and_(open_now, young)))
    return rows


def _days_ago(now: datetime, days: int) -> date:
    return (now - timedelta(days=days)).date()
