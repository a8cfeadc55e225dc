"""What runs by itself, once it is switched on: the index, the days that changed, the days that are not complete.

All of it is off at first. What is due is read from the disk at every tick, so a tick that was missed, and a crash
between two steps, cost nothing but time.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from order_assets.defs.jobs import REFRESH_DAYS, SYNC_INDEX
from order_assets.defs.resources import DataRootResource, SyncRulesResource
from order_assets.quiet import quiet_until

if TYPE_CHECKING:
    from order_assets.landing import DueDay

# Days that one tick may ask for: about as many as one run works off before the next tick matters.
_MOST_DAYS = 62
# A day whose run did not change what is due is asked for again after this long, not at every tick.
_PATIENCE = timedelta(hours=1)
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
_WHY = "order_assets/why"
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def sync_index_schedule(timezone: str, quiet_hours: str | None) -> dg.ScheduleDefinition:
    """Brings the index up to date every ten minutes."""

    def wanted(context: dg.ScheduleEvaluationContext) -> bool:
        if quiet_until(datetime.now(UTC), quiet_hours, timezone) is not None:
            return False
        under_way = dg.RunsFilter(job_name=SYNC_INDEX.name, statuses=_UNDER_WAY)
        return not context.instance.get_runs(under_way, limit=1)

    return dg.ScheduleDefinition(
        name="sync_index_every_10_minutes",
        job=SYNC_INDEX,
        cron_schedule="*/10 * * * *",
        execution_timezone=timezone,
        should_execute=wanted,
        description=(
            "Brings the index up to date every ten minutes. Costs two or three requests where the order list can be "
            "filtered or sorted, else one per hundred orders of the shop; once a day all orders are listed. "
            "Skips in quiet hours and while a sync is under way."
        ),
    )


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
            "three requests per such order. Waits while a refresh is under way."
        ),
    )
    def changed_days(
        context: dg.SensorEvaluationContext, data_root: DataRootResource
    ) -> dg.SensorResult | dg.SkipReason:
        from order_assets.defs.due import due_days
        from order_assets.landing import OrderIndexError

        if (until := quiet_until(datetime.now(UTC), quiet_hours, timezone)) is not None:
            return dg.SkipReason(f"quiet hours until {until.isoformat()}")
        if context.instance.get_runs(dg.RunsFilter(job_name=REFRESH_DAYS.name, statuses=_UNDER_WAY), limit=1):
            return dg.SkipReason("a refresh is under way; what is due then is seen at a later tick")
        known = days.get_partition_keys()
        if not known:
            return dg.SkipReason("there is no day yet")
        try:
            first, last = date.fromisoformat(known[0]), date.fromisoformat(known[-1])
            due = due_days(data_root.checked(), first, last)
        except OrderIndexError as error:
            return dg.SkipReason(str(error))
        now = datetime.now().astimezone()
        asked = _asked_before(context.cursor)
        fresh = [day for day in due if not _was_asked(asked, day, now)][-_MOST_DAYS:]
        if not fresh:
            return dg.SkipReason(
                "no day has new or changed orders" if not due else "the days that are due were asked for"
            )
        asked = {**asked, **{day.day.isoformat(): [day.fingerprint, now.isoformat()] for day in fresh}}
        still_due = {day.day.isoformat() for day in due}
        cursor = json.dumps({day: what for day, what in asked.items() if day in still_due})
        return dg.SensorResult(run_requests=list(_runs(fresh)), cursor=cursor)

    return changed_days


def read_again_schedule(
    days: dg.DailyPartitionsDefinition, timezone: str, quiet_hours: str | None
) -> dg.ScheduleDefinition:
    """Asks once a night for the days that are not complete, and for those with orders to be read again."""

    @dg.schedule(
        name="read_again_nightly",
        job=REFRESH_DAYS,
        cron_schedule="30 2 * * *",
        execution_timezone=timezone,
        description=(
            "Refreshes the days that have pending or quarantined orders, and those with open or recent orders that are "
            "due to be read again, every night at 02:30. Costs about three requests per such order. What is due "
            "follows from when each order was read, so nights that were missed are made up for."
        ),
    )
    def read_again_nightly(
        context: dg.ScheduleEvaluationContext, data_root: DataRootResource, sync_rules: SyncRulesResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from order_assets.landing import OrderIndexError, waiting_days

        if (until := quiet_until(datetime.now(UTC), quiet_hours, timezone)) is not None:
            yield dg.SkipReason(f"quiet hours until {until.isoformat()}")
            return
        # Several missed ticks may be made up at once; the first one asks for everything.
        if context.instance.get_runs(dg.RunsFilter(job_name=REFRESH_DAYS.name, statuses=_UNDER_WAY), limit=1):
            yield dg.SkipReason("a refresh is under way")
            return
        known = days.get_partition_keys()
        try:
            first, last = date.fromisoformat(known[0]), date.fromisoformat(known[-1])
            due = waiting_days(data_root.checked(), first, last, sync_rules.reread(), datetime.now(UTC))
        except OrderIndexError as error:
            yield dg.SkipReason(str(error))
            return
        if due:
            yield from _runs(due)
        else:
            yield dg.SkipReason("every landed day is complete and was read lately")

    return read_again_nightly


def _asked_before(cursor: str | None) -> dict[str, list[str]]:
    return dict(json.loads(cursor)) if cursor else {}


def _was_asked(asked: dict[str, list[str]], day: "DueDay", now: datetime) -> bool:
    fingerprint, when = asked.get(day.day.isoformat(), ["", ""])
    return fingerprint == day.fingerprint and now - datetime.fromisoformat(when) < _PATIENCE


def _runs(due: "Sequence[DueDay]") -> Iterator[dg.RunRequest]:
    """One run per stretch of neighbouring days, tagged with why."""
    stretch: list[DueDay] = []
    for day in due:
        if stretch and day.day - stretch[-1].day != timedelta(days=1):
            yield _run(stretch)
            stretch = []
        stretch.append(day)
    if stretch:
        yield _run(stretch)


def _run(stretch: "list[DueDay]") -> dg.RunRequest:
    reasons: dict[str, int] = {}
    for day in stretch:
        for reason, count in day.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    why = {_WHY: ", ".join(f"{count} {reason}" for reason, count in reasons.items())}
    first, last = stretch[0].day.isoformat(), stretch[-1].day.isoformat()
    if first == last:
        return dg.RunRequest(partition_key=first, tags=why)
    return dg.RunRequest(tags={**why, _RANGE_START: first, _RANGE_END: last})
