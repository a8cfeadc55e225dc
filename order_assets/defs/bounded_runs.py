"""How much one tick of a sensor or schedule launches: little, newest days first, and said in words.

Belongs here: cutting the days that are due into runs, and what they cost. Not here: which days are due
(`pipeline.stale_days`) and who asks when (`automation`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from order_assets.defs.active_runs import RANGE_END, RANGE_START

if TYPE_CHECKING:
    from order_assets.landing import DueDay

WHY = "order_assets/why"
_COSTS = "order_assets/costs"
# What one run takes: minutes of the shop's budget, so that an order that is placed meanwhile does not wait for long.
_MOST_DAYS = 14
_MOST_ORDERS = 2_000
# Detail, items and discounts; orders with very many items take more.
REQUESTS_PER_ORDER = 3


@dataclass(frozen=True)
class Piece:
    """Neighbouring days for one run, in order."""

    days: tuple[DueDay, ...]

    @property
    def orders(self) -> int:
        """How many orders are asked for."""
        return sum(map(orders_of, self.days))

    @property
    def is_swept(self) -> bool:
        """Whether the days are read again because it is their turn in the slow sweep."""
        return _is_swept(self.days[0])

    def run_request(self, documents: str, requests_per_second: float | None, *, keyed: bool) -> dg.RunRequest:
        """The run, tagged with why and what it costs; `documents` is the name of the step that fetches.

        Without a key, where a sensor would never ask for a key a second time.
        """
        reasons: Counter[str] = Counter()
        for day in self.days:
            reasons.update(day.reasons)
        tags = {
            WHY: ", ".join(f"{count} {reason}" for reason, count in reasons.items()),
            _COSTS: costs(len(self.days), self.orders, requests_per_second),
        }
        first, last = self.days[0].day.isoformat(), self.days[-1].day.isoformat()
        run_key = f"{first}...{last}" if keyed else None
        # The orders whose turn in the slow sweep it is are read again only where a run is told so.
        config = {"ops": {documents: {"config": {"sweep": True}}}} if self.is_swept else None
        if first == last:
            return dg.RunRequest(run_key, config, partition_key=first, tags=tags)
        return dg.RunRequest(run_key, config, tags={**tags, RANGE_START: first, RANGE_END: last})


def newest_first(due: Sequence[DueDay]) -> Iterator[Piece]:
    """Days in order as pieces, the newest first; a piece is small, or one day that has many orders."""
    days: list[DueDay] = []
    orders = 0
    for day in reversed(due):
        neighbours = (
            bool(days) and days[-1].day - day.day == timedelta(days=1) and _is_swept(days[-1]) == _is_swept(day)
        )
        fits = len(days) < _MOST_DAYS and orders + orders_of(day) <= _MOST_ORDERS
        if days and not (neighbours and fits):
            yield Piece(tuple(reversed(days)))
            days, orders = [], 0
        days.append(day)
        orders += orders_of(day)
    if days:
        yield Piece(tuple(reversed(days)))


def _is_swept(day: DueDay) -> bool:
    from order_assets.landing.refetch_policy import SWEPT

    return SWEPT in day.reasons


def orders_of(day: DueDay) -> int:
    """How many orders of a day are due; a day that was cut off after fetching asks the shop for nothing."""
    from order_assets.pipeline.stale_days import NOT_FLATTENED, NOT_LOADED

    return sum(count for reason, count in day.reasons.items() if reason not in (NOT_FLATTENED, NOT_LOADED))


def costs(days: int, orders: int, requests_per_second: float | None) -> str:
    """Days, orders, requests and minutes in words."""
    requests = orders * REQUESTS_PER_ORDER
    said = f"{_count(days, 'day')}, {_count(orders, 'order')}, about {_count(requests, 'request')}"
    if requests_per_second is None or not requests:
        return said
    return f"{said}, {requests / requests_per_second / 60:.1f} min at {requests_per_second:g} requests per second"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
