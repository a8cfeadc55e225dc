"""What runs by itself, once it is switched on: the index, the days that changed, the days that are not complete.

All of it is off at first. What is due is read from the disk at every tick, so a tick that was missed, and a crash
between two steps, cost nothing but time. Days that a run is under way for, whoever launched it, are left to that run.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from order_assets.defs.index import ORDER_INDEX
from order_assets.defs.jobs import REFRESH_DAYS, SYNC_INDEX
from order_assets.defs.keys import ORDER_DOCUMENTS
from order_assets.defs.resources import DataRootResource, SyncRulesResource
from order_assets.defs.under_way import RANGE_END, RANGE_START, days_under_way, runs_under_way
from order_assets.quiet import quiet_until

if TYPE_CHECKING:
    from order_assets.landing import DueDay

# Days that one tick may ask for: about as many as one run works off before the next tick matters.
_MOST_DAYS = 62
# A day whose run did not change what is due is asked for again after this long, not at every tick.
_PATIENCE = timedelta(hours=1)
_WHY = "order_assets/why"
# In the queue the index goes before the days: they are refreshed by what it says.
_FIRST = {"dagster/priority": "1"}


def sync_index_schedule(cron: str, timezone: str, quiet_hours: str | None) -> dg.ScheduleDefinition:
    """Brings the index up to date at the times of a cron expression."""

    @dg.schedule(
        name="sync_index_regularly",
        job=SYNC_INDEX,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=(
            "Brings the index up to date, by ORDER_ASSETS_SYNC_CRON. Costs two or three requests where the order list "
            "can be filtered or sorted, else one per hundred orders of the shop; once a day all orders are listed. "
            "Skips in quiet hours and while a sync is queued or under way."
        ),
    )
    def sync_index_regularly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if (until := quiet_until(datetime.now(UTC), quiet_hours, timezone)) is not None:
            return dg.SkipReason(f"quiet hours until {until.isoformat()}")
        if runs := runs_under_way(context.instance, SYNC_INDEX.name, ORDER_INDEX):
            return dg.SkipReason(f"a sync is queued or under way: run {runs[0].run_id}")
        return dg.RunRequest(tags=_FIRST)

    return sync_index_regularly


def changed_days_sensor(
    days: dg.DailyPartitionsDefinition, timezone: str, quiet_hours: str | None
) -> dg.SensorDefinition:
    """Asks for runs over exactly the days whose orders are new or changed in the index."""

    @dg.sensor(
        name="changed_days",
        job=REFRESH_DAYS,
        minimum_interval_seconds=60,
        description=(
            "Refreshes the days on which the index has new or changed orders, neighbours in one run. Costs about "
            "three requests per such order. Leaves out days that a run is queued or under way for."
        ),
    )
    def changed_days(
        context: dg.SensorEvaluationContext, data_root: DataRootResource
    ) -> dg.SensorResult | dg.SkipReason:
        from order_assets.defs.due import due_days
        from order_assets.landing import OrderIndexError

        if (until := quiet_until(datetime.now(UTC), quiet_hours, timezone)) is not None:
            return dg.SkipReason(f"quiet hours until {until.isoformat()}")
        if (known := _first_and_last(days)) is None:
            return dg.SkipReason("there is no day yet")
        # Before the disk: a run that ends in between has done its days, and they are not due any more.
        busy = days_under_way(runs_under_way(context.instance, REFRESH_DAYS.name, ORDER_DOCUMENTS))
        try:
            due = due_days(data_root.checked(), *known)
        except OrderIndexError as error:
            return dg.SkipReason(str(error))
        now = datetime.now().astimezone()
        asked = _asked_before(context.cursor)
        free = [day for day in due if day.day not in busy]
        fresh = [day for day in free if not _was_asked(asked, day, now)][-_MOST_DAYS:]
        if not fresh:
            return dg.SkipReason(_why_nothing(due, free))
        asked = {**asked, **{day.day.isoformat(): [day.fingerprint, now.isoformat()] for day in fresh}}
        still_due = {day.day.isoformat() for day in due}
        cursor = json.dumps({day: what for day, what in asked.items() if day in still_due})
        return dg.SensorResult(run_requests=list(_runs(fresh)), cursor=cursor)

    return changed_days


def read_again_schedule(
    days: dg.DailyPartitionsDefinition, cron: str, timezone: str, quiet_hours: str | None
) -> dg.ScheduleDefinition:
    """Asks once a night for the days that are not complete, and for those with orders to be read again."""

    @dg.schedule(
        name="read_again_nightly",
        job=REFRESH_DAYS,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=(
            "Refreshes the days that have pending or quarantined orders, and those with open or recent orders that are "
            "due to be read again, by ORDER_ASSETS_NIGHTLY_CRON. Costs about three requests per such order. What is "
            "due follows from when each order was read, so nights that were missed are made up for. Leaves out days "
            "that a run is queued or under way for."
        ),
    )
    def read_again_nightly(
        context: dg.ScheduleEvaluationContext, data_root: DataRootResource, sync_rules: SyncRulesResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from order_assets.landing import OrderIndexError, waiting_days

        if (until := quiet_until(datetime.now(UTC), quiet_hours, timezone)) is not None:
            yield dg.SkipReason(f"quiet hours until {until.isoformat()}")
            return
        if (known := _first_and_last(days)) is None:
            yield dg.SkipReason("there is no day yet")
            return
        busy = days_under_way(runs_under_way(context.instance, REFRESH_DAYS.name, ORDER_DOCUMENTS))
        try:
            due = waiting_days(data_root.checked(), *known, sync_rules.reread(), datetime.now(UTC))
        except OrderIndexError as error:
            yield dg.SkipReason(str(error))
            return
        if free := [day for day in due if day.day not in busy]:
            # A schedule may ask for several runs only by keys; they count within one tick.
            yield from _runs(free, keyed=True)
        elif due:
            yield dg.SkipReason("a run is queued or under way for the days that are due")
        else:
            yield dg.SkipReason("every landed day is complete and was read lately")

    return read_again_nightly


def _first_and_last(days: dg.DailyPartitionsDefinition) -> tuple[date, date] | None:
    known = days.get_partition_keys()
    return (date.fromisoformat(known[0]), date.fromisoformat(known[-1])) if known else None


def _why_nothing(due: "Sequence[DueDay]", free: "Sequence[DueDay]") -> str:
    if not due:
        return "no day has new or changed orders"
    if not free:
        return "a run is queued or under way for the days that are due"
    return "the days that are due were asked for"


def _asked_before(cursor: str | None) -> dict[str, list[str]]:
    return dict(json.loads(cursor)) if cursor else {}


def _was_asked(asked: dict[str, list[str]], day: "DueDay", now: datetime) -> bool:
    fingerprint, when = asked.get(day.day.isoformat(), ["", ""])
    return fingerprint == day.fingerprint and now - datetime.fromisoformat(when) < _PATIENCE


def _runs(due: "Sequence[DueDay]", *, keyed: bool = False) -> Iterator[dg.RunRequest]:
    """One run per stretch of neighbouring days, tagged with why.

    Without keys: a sensor would never ask for a key a second time.
    """
    stretch: list[DueDay] = []
    for day in due:
        if stretch and day.day - stretch[-1].day != timedelta(days=1):
            yield _run(stretch, keyed)
            stretch = []
        stretch.append(day)
    if stretch:
        yield _run(stretch, keyed)


def _run(stretch: "list[DueDay]", keyed: bool) -> dg.RunRequest:
    reasons: dict[str, int] = {}
    for day in stretch:
        for reason, count in day.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    why = {_WHY: ", ".join(f"{count} {reason}" for reason, count in reasons.items())}
    first, last = stretch[0].day.isoformat(), stretch[-1].day.isoformat()
    run_key = f"{first}...{last}" if keyed else None
    if first == last:
        return dg.RunRequest(run_key, partition_key=first, tags=why)
    return dg.RunRequest(run_key, tags={**why, RANGE_START: first, RANGE_END: last})
