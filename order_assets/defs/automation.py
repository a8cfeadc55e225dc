"""What runs by itself, once it is switched on: the index, the days that changed, the days that are not complete.

All of it is off at first. What is due is read from the disk at every tick, so a tick that was missed, and a crash
between two steps, cost nothing but time. Days that a run is under way for, whoever launched it, are left to that run.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster._utils.schedules import cron_string_iterator, is_valid_cron_string

from order_assets.core.quiet_hours import QuietHours, quiet_until
from order_assets.defs.active_runs import days_under_way, runs_under_way
from order_assets.defs.bounded_runs import REQUESTS_PER_ORDER, WHY, Piece, costs, newest_first
from order_assets.defs.jobs import Jobs
from order_assets.defs.shop_names import DATA_ROOT, OMNITRON, PRIVACY, SYNC_RULES, Shop
from order_assets.settings import VARIABLES, Settings, SettingsError

if TYPE_CHECKING:
    from order_assets.landing import DueDay

_LONGEST_TAG = 300
# Runs of the sensor that may be queued or under way at a time: the next days are fetched while the last are loaded.
_MOST_RUNS = 2
_CHANGED_DAYS = "changed_days"
_BY_SENSOR = "dagster/sensor_name"
# What the nightly schedule may take of the shop's budget.
_NIGHT = timedelta(hours=6)
# A day whose run did not change what is due is asked for again after this long, not at every tick.
_PATIENCE = timedelta(hours=1)
_NOTHING_FETCHED = (
    "no day was fetched yet, so nothing is launched by itself: fetch the days from which on you want them once, by a "
    "backfill of order_documents and what follows it, or by order-assets run --from DAY --to DAY; from then on they "
    "are kept up to date.{}"
)
# In the queue the index goes before the days: they are refreshed by what it says.
_FIRST = {"dagster/priority": "1"}


def refuse_times_that_never_come(settings: Settings) -> None:
    """Raises `SettingsError` for a schedule that Dagster does not understand, or that only ticks in quiet hours."""
    for field in ("sync_cron", "nightly_cron"):
        name, text = VARIABLES[field], str(getattr(settings, field))
        if not is_valid_cron_string(text):
            raise SettingsError(f"{name} is {text!r}, not a cron expression such as 30 2 * * *; see crontab(5)")
        if settings.quiet_hours is None:
            continue
        if all(quiet_until(tick, settings.quiet_hours) for tick in _a_day_of(text, settings.timezone.key)):
            raise SettingsError(
                f"{name} is {text!r}, always within ORDER_ASSETS_QUIET_HOURS ({settings.quiet_hours}), so that nothing "
                "would ever run: choose a time outside of them"
            )


def _a_day_of(cron: str, timezone: str) -> Iterator[datetime]:
    """The first moment of a schedule, and those within a day from then on."""
    first = None
    for moment in cron_string_iterator(0, cron, timezone):
        first = first or moment
        if moment - first >= timedelta(days=1):
            return
        yield moment


def sync_index_schedule(
    shop: Shop, jobs: Jobs, cron: str, timezone: str, quiet_hours: QuietHours | None
) -> dg.ScheduleDefinition:
    """Brings the index up to date at the times of a cron expression."""

    @dg.schedule(
        name=shop.named("sync_index_regularly"),
        job=jobs.sync_index,
        required_resource_keys=shop.needs(OMNITRON, PRIVACY, DATA_ROOT, SYNC_RULES),
        cron_schedule=cron,
        execution_timezone=timezone,
        description=(
            "Brings the index up to date, by ORDER_ASSETS_SYNC_CRON. The tick itself asks whether anything is new, and "
            "launches a run where something is, where a check of the index would say something else, where asking "
            "takes longer than a tick may, and once a day; else it says what it found and leaves nothing behind. Costs "
            "two or three requests where the order list can be filtered or sorted, else one per hundred orders of the "
            "shop; once a day all orders are listed. Skips in quiet hours and while a sync is queued or under way."
        ),
    )
    def sync_index_regularly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from order_assets.defs.quick_sync import QuickSync

        if (until := quiet_until(datetime.now(UTC), quiet_hours)) is not None:
            return dg.SkipReason(f"quiet hours until {until.isoformat()}")
        if runs := runs_under_way(context.instance, jobs.sync_index.name, shop.order_index):
            return dg.SkipReason(f"a sync is queued or under way: run {runs[0].run_id}")
        using = shop.resources(context)
        tick = QuickSync(context.instance, shop, using.omnitron, using.privacy, using.data_root, using.sync_rules)
        asked = tick.ask(datetime.now(UTC))
        if not asked.needs_run:
            return dg.SkipReason(asked.said)
        return dg.RunRequest(tags={**_FIRST, WHY: asked.said[:_LONGEST_TAG]})

    return sync_index_regularly


def changed_days_sensor(
    shop: Shop, jobs: Jobs, quiet_hours: QuietHours | None, requests_per_second: float | None
) -> dg.SensorDefinition:
    """Asks for runs over exactly the days whose orders are new or changed in the index, from the first day fetched."""
    name = shop.named(_CHANGED_DAYS)

    @dg.sensor(
        name=name,
        job=jobs.refresh_days,
        required_resource_keys=shop.needs(DATA_ROOT),
        minimum_interval_seconds=60,
        description=(
            "Refreshes the days on which the index has new or changed orders, from the first day that was ever fetched "
            "to today, newest first: at most two runs at a time, of at most 14 neighbouring days or 2,000 orders each. "
            "Costs about three requests per such order. Older days are fetched when somebody asks for them, by a "
            "backfill or order-assets run. Leaves out days that a run is queued or under way for."
        ),
    )
    def changed_days(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from order_assets.landing import OrderIndexError
        from order_assets.pipeline.stale_days import due_days

        if (until := quiet_until(datetime.now(UTC), quiet_hours)) is not None:
            return dg.SkipReason(f"quiet hours until {until.isoformat()}")
        if (known := _first_and_last(shop.days)) is None:
            return dg.SkipReason("there is no day yet")
        # Before the disk: a run that ends in between has done its days, and they are not due any more.
        runs = runs_under_way(context.instance, jobs.refresh_days.name, shop.order_documents)
        busy = days_under_way(runs)
        root = shop.resources(context).data_root.check_root()
        try:
            left_out = _left_out(root, *known, requests_per_second)
            if (first := first_fetched(root, *known)) is None:
                return dg.SkipReason(_NOTHING_FETCHED.format(left_out))
            due = due_days(root, first, known[1], shop.contract.documents)
        except OrderIndexError as error:
            return dg.SkipReason(str(error))
        now = datetime.now().astimezone()
        asked = _asked_before(context.cursor)
        free = [day for day in due if day.day not in busy]
        fresh = [day for day in free if not _was_asked(asked, day, now)]
        room = _MOST_RUNS - sum(run.tags.get(_BY_SENSOR) == name for run in runs)
        pieces = list(newest_first(fresh))[: max(0, room)]
        if not pieces:
            return dg.SkipReason(_why_nothing(due, free, fresh) + left_out)
        launched = [day for piece in pieces for day in piece.days]
        asked = {**asked, **{day.day.isoformat(): [day.fingerprint, now.isoformat()] for day in launched}}
        still_due = {day.day.isoformat() for day in due}
        cursor = json.dumps({day: what for day, what in asked.items() if day in still_due})
        context.log.info(_launches(pieces, len(fresh) - len(launched), requests_per_second) + left_out)
        documents = shop.named("order_documents")
        requests = [piece.run_request(documents, requests_per_second, keyed=False) for piece in pieces]
        return dg.SensorResult(run_requests=requests, cursor=cursor)

    return changed_days


def read_again_schedule(
    shop: Shop,
    jobs: Jobs,
    cron: str,
    timezone: str,
    quiet_hours: QuietHours | None,
    requests_per_second: float | None,
) -> dg.ScheduleDefinition:
    """Asks once a night for the days that are not complete, and for those with orders to be read again."""

    @dg.schedule(
        name=shop.named("read_again_nightly"),
        job=jobs.refresh_days,
        required_resource_keys=shop.needs(DATA_ROOT, SYNC_RULES),
        cron_schedule=cron,
        execution_timezone=timezone,
        description=(
            "Refreshes the days that have pending or quarantined orders, and those with open or recent orders that are "
            "due to be read again, by ORDER_ASSETS_NIGHTLY_CRON: newest first, in runs of at most 14 neighbouring days "
            "or 2,000 orders, as many as fit into six hours; and the days whose turn in the slow sweep it is, so that "
            "each order of the last year is read once in ORDER_ASSETS_SWEEP_WEEKS, with a tenth of the budget at most. "
            "Only days that were fetched before. Costs about three requests per such order. What is due follows from "
            "when each order was read, so nights that were missed are made up for. Leaves out days that a run is "
            "queued or under way for."
        ),
    )
    def read_again_nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from order_assets.landing import OrderIndexError, waiting_days

        if (until := quiet_until(datetime.now(UTC), quiet_hours)) is not None:
            yield dg.SkipReason(f"quiet hours until {until.isoformat()}")
            return
        if (known := _first_and_last(shop.days)) is None:
            yield dg.SkipReason("there is no day yet")
            return
        busy = days_under_way(runs_under_way(context.instance, jobs.refresh_days.name, shop.order_documents))
        try:
            using = shop.resources(context)
            reread, share = using.sync_rules.reread(sweep=True), _sweep_of_a_night(requests_per_second)
            due = waiting_days(using.data_root.check_root(), *known, reread, datetime.now(UTC), most_swept=share)
        except OrderIndexError as error:
            yield dg.SkipReason(str(error))
            return
        pieces = list(newest_first([day for day in due if day.day not in busy]))
        others = [piece for piece in pieces if not piece.is_swept]
        # The sweep has a share of its own: its days are the oldest.
        tonight = [*_of_a_night(others, requests_per_second), *(piece for piece in pieces if piece.is_swept)]
        if tonight:
            later = sum(len(piece.days) for piece in pieces) - sum(len(piece.days) for piece in tonight)
            context.log.info(_launches(tonight, later, requests_per_second))
            # A schedule may ask for several runs only by keys; they count within one tick.
            documents = shop.named("order_documents")
            yield from (piece.run_request(documents, requests_per_second, keyed=True) for piece in tonight)
        elif due:
            yield dg.SkipReason("a run is queued or under way for the days that are due")
        else:
            yield dg.SkipReason("every landed day is complete and was read lately")

    return read_again_nightly


def first_fetched(root: Path, first: date, last: date) -> date | None:
    """The oldest day of a data root that was ever fetched; what runs by itself begins there. None for none."""
    from order_assets.landing import landed_days

    landed = landed_days(root, first, last)
    return landed[0] if landed else None


def _left_out(root: Path, first: date, last: date, requests_per_second: float | None) -> str:
    """The days of the list that nothing fetches by itself, in words; empty where there are none."""
    from order_assets.landing import days_before

    until = first_fetched(root, first, last)
    days, orders = days_before(root, first, until or last + timedelta(days=1))
    if not days:
        return ""
    what = costs(days, orders, requests_per_second)
    if until is None:
        return f" The list has {what}"
    return (
        f". Left out: {what}, before {until}, the first day fetched here; for those launch a backfill of "
        "order_documents and what follows it, or order-assets run"
    )


def _of_a_night(pieces: Sequence[Piece], requests_per_second: float | None) -> Sequence[Piece]:
    """The newest pieces that fit into a night, one at least."""
    if requests_per_second is None:
        return pieces
    orders = 0
    for number, piece in enumerate(pieces):
        orders += piece.orders
        if number and orders * REQUESTS_PER_ORDER > _NIGHT.total_seconds() * requests_per_second:
            return pieces[:number]
    return pieces


def _sweep_of_a_night(requests_per_second: float | None) -> int | None:
    """How many orders the slow sweep may read: a tenth of a day's budget."""
    if requests_per_second is None:
        return None
    return int(requests_per_second * timedelta(days=1).total_seconds() / 10 / REQUESTS_PER_ORDER)


def _launches(pieces: Sequence[Piece], later: int, requests_per_second: float | None) -> str:
    """What a tick launches, in words."""
    said = [
        f"{piece.days[0].day} to {piece.days[-1].day} ({costs(len(piece.days), piece.orders, requests_per_second)})"
        for piece in pieces
    ]
    waits = f"; {later} older days wait for a later tick" if later else ""
    return f"launched {'; '.join(said)}{waits}"


def _first_and_last(days: dg.DailyPartitionsDefinition) -> tuple[date, date] | None:
    known = days.get_partition_keys()
    return (date.fromisoformat(known[0]), date.fromisoformat(known[-1])) if known else None


def _why_nothing(due: "Sequence[DueDay]", free: "Sequence[DueDay]", fresh: "Sequence[DueDay]") -> str:
    if not due:
        return "no day has new or changed orders"
    if not free:
        return "a run is queued or under way for the days that are due"
    if fresh:
        return f"{len(fresh)} days wait until a run that this sensor launched is through"
    return "the days that are due were asked for"


def _asked_before(cursor: str | None) -> dict[str, list[str]]:
    return dict(json.loads(cursor)) if cursor else {}


def _was_asked(asked: dict[str, list[str]], day: "DueDay", now: datetime) -> bool:
    fingerprint, when = asked.get(day.day.isoformat(), ["", ""])
    return fingerprint == day.fingerprint and now - datetime.fromisoformat(when) < _PATIENCE
