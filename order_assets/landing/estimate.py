"""What a run over days would cost, from the index and the landing on disk alone.

The rules by which an order is due are those of `refresh`; which days need a run at all is found in `staleness`. The
figures are of the last listing: what happened in the shop since then is not in them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.landing.day import due_orders
from order_assets.landing.index import SyncState, manifest_of, orders_by_day
from order_assets.landing.landing_store import Landing
from order_assets.landing.quarantine import landed_days
from order_assets.landing.refetch_policy import NEVER, Reread
from order_assets.landing.staleness import days_lacking_documents
from order_assets.landing.staleness_scan import changes_by_day, days_with_old_or_unfinished

# Detail, items and discounts. Orders with very many items take more, which only the past can tell.
_REQUESTS_PER_ORDER = 3.0
_ROWS_PER_LIST_PAGE = 100


@dataclass(frozen=True)
class RunPlan:
    """What a run over the days from `first` to `last` would ask for.

    `due` counts orders by reason. `listing_requests` bring the index up to date, whatever the days; `lists_all` says
    whether all orders are listed, which is due now and then. `logins` come first where there is no token.
    `requests_per_order` is the mean over the `measured_orders` that were fetched before; without any it is assumed.
    `listed_at` is when the listing behind the figures began, UTC; None if it found no order.
    """

    first: date
    last: date
    landed_days: int
    orders: int
    due: Mapping[str, int]
    listing_requests: int
    requests_per_order: float
    measured_orders: int
    listed_at: datetime | None
    lists_all: bool = True
    logins: int = 0

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1

    @property
    def due_orders(self) -> int:
        """How many orders would be fetched."""
        return sum(self.due.values())

    @property
    def order_requests(self) -> int:
        """Requests for the documents of the due orders, about."""
        return math.ceil(self.due_orders * self.requests_per_order)

    @property
    def requests(self) -> int:
        """All requests, about; repeats come on top."""
        return self.logins + self.listing_requests + self.order_requests

    def minutes(self, requests_per_second: float) -> float:
        """How long the requests take at least."""
        return self.requests / requests_per_second / 60


def plan_run(
    data_root: Path,
    first: date,
    last: date,
    *,
    privacy_policy: str,
    reread: Reread = NEVER,
    documents: Sequence[Document] = DOCUMENTS,
    whole_every: timedelta | None = None,
    transactions: bool = True,
    logins: int = 0,
) -> RunPlan:
    """Reckon what a run over the days from first to last would ask for; asks for nothing and writes nothing.

    All orders are listed `whole_every`, None for never by itself; with `transactions` their list is read, too.
    `logins` are needed first. Raises `OrderIndexError` when there is no index, `LandingError` for a landing that cannot
    be read.
    """
    manifest = manifest_of(data_root)
    orders = {day: of.rows for day, of in manifest.days.items() if first <= day <= last}
    landed = landed_days(data_root, first, last)
    due = Counter({"new": sum(orders[day] for day in orders.keys() - set(landed))})
    now = datetime.now(UTC)
    looked_at = {
        *(of.day for of in changes_by_day(data_root, first, last)),
        *days_with_old_or_unfinished(data_root, first, last, reread, now),
        *(of.day for of in days_lacking_documents(data_root, landed, documents)),
        *(day for day in landed if Landing(data_root, day).policies() - {privacy_policy}),
    }
    for day, listed in orders_by_day(data_root, first, last, only=looked_at.intersection(landed)).items():
        current = Landing(data_root, day).current()
        found = due_orders(listed, current, privacy_policy, reread=reread, documents=documents, day=day, now=now)
        due.update(reason for _, reason in found)
    measured, spent = _past_requests(data_root)
    listing_requests, lists_all = _listing(manifest.state, manifest.listed, whole_every, transactions=transactions)
    return RunPlan(
        first=first,
        last=last,
        landed_days=sum(Landing(data_root, day).ledger_file.exists() for day in landed),
        orders=sum(orders.values()),
        due=dict((+due).most_common()),
        listing_requests=listing_requests,
        requests_per_order=spent / measured if measured else _REQUESTS_PER_ORDER,
        measured_orders=measured,
        listed_at=manifest.listed_at,
        lists_all=lists_all,
        logins=logins,
    )


def _listing(state: SyncState, length: int, whole_every: timedelta | None, *, transactions: bool) -> tuple[int, bool]:
    """How many requests the next listing takes where little has changed, and whether it is of all orders.

    `length` is the number of orders listed last.
    """
    found = state.capabilities
    # The clock and a page of a filtered list, or one page of a sorted one.
    window = 2 if found.get("date_filter") else 1 if (found.get("sorts") or {}).get("-modified_date") else None
    is_old = state.whole_at is None or (whole_every is not None and datetime.now(UTC) - state.whole_at >= whole_every)
    lists_all = is_old or state.cursor is None or window is None
    orders = max(1, math.ceil(length / (found.get("page_cap") or _ROWS_PER_LIST_PAGE))) if lists_all else window or 1
    if not transactions or state.transactions_cursor is None:
        return orders, lists_all
    # Those of the single kinds are asked for where order transactions do not tell enough.
    lists = 1 if found.get("transactions_filter") else len(found.get("money_lists", ()))
    return orders + lists, lists_all


def _past_requests(data_root: Path) -> tuple[int, int]:
    """How many orders the ledgers say were fetched, and with how many requests."""
    orders = requests = 0
    for day in landed_days(data_root):
        landing = Landing(data_root, day)
        if (summary := landing.summary()) is not None:
            orders, requests = orders + summary.fetched, requests + summary.requests
            continue
        for row in landing.ledger() if landing.ledger_file.exists() else ():
            if row["fetched_at"] is not None:
                orders += 1
                requests += row["requests"]
    return orders, requests
