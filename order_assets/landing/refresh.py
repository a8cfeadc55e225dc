"""Refreshes many days in one walk over their orders, so that the last orders of a day do not keep the next waiting.

Which orders are due and what a ledger says is decided in `day`. Here is how days are worked on at the same time:
a day is begun when there is room to fetch, orders are stored as they come, days are reported in their order.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.landing.day import Attempt, DayRefresh, DayReport, due_orders
from order_assets.landing.index import ListedOrder, OrderIndexError, orders_by_day
from order_assets.landing.landing_store import Landing, LandingError
from order_assets.landing.refetch_policy import NEVER, Reread

# Fetched orders are made durable this many at a time, or after so many seconds: what a kill can cost.
_BATCH = 500
_BATCH_SECONDS = 15.0
# The index is read for this many days at a time.
_DAYS_PER_READ = 7

Begin = Callable[[date, Sequence[ListedOrder]], DayRefresh]
# Gets the orders that are due and gives one attempt each.
FetchMany = Callable[[Iterable[ListedOrder]], Iterable[Attempt]]
Progress = Callable[[date, int, int], None]


def refresh_days(
    data_root: Path,
    days: Sequence[date],
    fetch: FetchMany,
    *,
    privacy_policy: str,
    refetch: bool = False,
    reread: Reread = NEVER,
    documents: Sequence[Document] = DOCUMENTS,
    keep_versions: timedelta | None = None,
    on_progress: Progress = lambda _day, _done, _due: None,
) -> Iterator[DayReport]:
    """Bring the landing of days up to the index, write their ledgers, and give their reports in the order of the days.

    `fetch` is called once at most, with the orders that are due, day after day; it takes an order when it can begin
    it, and gives one attempt each, in any order. `refetch` makes all orders due, `reread` some without a change in the
    list, `documents` those that landed without one of them. The documents of versions older than `keep_versions` that
    are not an order's last are dropped; None keeps them all. `on_progress` hears day, orders done and orders due.

    What `fetch` raises passes through: what came before is stored, and the days that were finished are reported first.
    A day that cannot be read raises after the days before it are finished; no day after it is begun.
    """

    def begin(day: date, listed: Sequence[ListedOrder]) -> DayRefresh:
        landing = Landing(data_root, day)
        current = landing.current()
        reasons = due_orders(
            listed, current, privacy_policy, refetch=refetch, reread=reread, documents=documents, day=day
        )
        due = {order.pk: reason for order, reason in reasons}
        return DayRefresh(landing, listed, due, privacy_policy, keep_versions)

    walk = _Walk(data_root, days, begin)
    due = walk.due()
    first = next(due, None)
    yield from walk.reports()
    try:
        for attempt in () if first is None else fetch(chain([first], due)):
            day = walk.take(attempt)
            on_progress(day.day, day.done, len(day.due))
            yield from walk.reports()
        walk.finish()
    except Exception:
        walk.store()
        yield from walk.reports()
        raise
    except BaseException:
        # Nobody listens any more.
        walk.store()
        raise
    yield from walk.reports()
    if walk.unreadable is not None:
        raise walk.unreadable


class _Walk:
    """The days that are under way, and those that are finished and wait for an earlier one."""

    def __init__(
        self, data_root: Path, days: Sequence[date], begin: Callable[[date, Sequence[ListedOrder]], DayRefresh]
    ) -> None:
        self._data_root = data_root
        self._days = days
        self._begin = begin
        self._under_way: deque[DayRefresh] = deque()
        self._finished: dict[date, DayReport] = {}
        self._of_order: dict[int, DayRefresh] = {}
        self._stored_at = time.perf_counter()
        self.unreadable: LandingError | OrderIndexError | None = None

    def due(self) -> Iterator[ListedOrder]:
        """The orders to fetch, day after day; a day is begun when its first order is asked for."""
        try:
            for day, listed in self._listed():
                begun = self._begin(day, listed)
                self._under_way.append(begun)
                if not begun.due:
                    self._finished[day] = begun.finish()
                self._of_order |= {order.pk: begun for order in begun.due}
                yield from begun.due
        except (LandingError, OrderIndexError) as error:
            # What is under way for the days before can still come to its end.
            self.unreadable = error

    def take(self, attempt: Attempt) -> DayRefresh:
        """Keep what came of an order; gives its day."""
        day = self._of_order.pop(attempt.order.pk)
        day.take(attempt)
        if day.done == len(day.due):
            self._finished[day.day] = day.finish()
        elif (
            sum(len(other.fetched) for other in self._under_way) >= _BATCH
            or time.perf_counter() - self._stored_at >= _BATCH_SECONDS
        ):
            self.store()
        return day

    def reports(self) -> Iterator[DayReport]:
        """The reports of the days that are finished, up to the first one that is not."""
        while self._under_way and self._under_way[0].day in self._finished:
            yield self._finished.pop(self._under_way.popleft().day)

    def store(self) -> None:
        """Make durable what came."""
        for day in self._under_way:
            day.store()
        self._stored_at = time.perf_counter()

    def finish(self) -> None:
        """Finish all days, whatever came of their orders."""
        for day in self._under_way:
            if day.day not in self._finished:
                self._finished[day.day] = day.finish()

    def _listed(self) -> Iterator[tuple[date, Sequence[ListedOrder]]]:
        for start in range(0, len(self._days), _DAYS_PER_READ):
            days = self._days[start : start + _DAYS_PER_READ]
            found = orders_by_day(self._data_root, min(days), max(days))
            yield from ((day, found.get(day, ())) for day in days)
