"""The days: one partition per calendar day of the business time zone, up to and with today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from order_assets.settings import read_settings


def daily_partitions(first_day: date | None = None, timezone: str | None = None) -> dg.DailyPartitionsDefinition:
    """Days from the first day on, by default as the environment has them; today is there, since its orders are.

    Raises `SettingsError`.
    """
    if first_day is None or timezone is None:
        settings = read_settings()
        first_day, timezone = first_day or settings.first_day, timezone or settings.timezone.key
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone=timezone, end_offset=1)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of a run, one or many."""
    return [date.fromisoformat(key) for key in context.partition_keys]


def has_days(context: dg.AssetExecutionContext) -> bool:
    """Whether the step is of a day or of many; of checks alone without days, as `Execute all` launches them, it says
    what to do instead.

    Raises `Failure` where assets are to be made without saying of which days.
    """
    if context.has_partition_key or context.has_partition_key_range:
        return True
    sentence = (
        "These checks are evaluated when a day is made, and this run names no day: open the asset, choose Materialize "
        "and the days. Nothing was asked of the shop and nothing was changed."
    )
    if context.selected_asset_keys:
        raise dg.Failure(description=sentence, allow_retries=False)
    context.log.warning(sentence)
    return False


def span(days: Sequence[date]) -> str:
    """Days in words: the only one, or the first and the last."""
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"


# A range of days is one run: the work inside it is done day by day, and each day reports for itself.
ONE_RUN = dg.BackfillPolicy.single_run()
