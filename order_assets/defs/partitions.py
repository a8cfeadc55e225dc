"""The days: one partition per calendar day of the business time zone, up to and with today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg


def daily_partitions(first_day: date, timezone: str) -> dg.DailyPartitionsDefinition:
    """Days from the first day on; today is there, since its orders are."""
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone=timezone, end_offset=1)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of a run, one or many."""
    return [date.fromisoformat(key) for key in context.partition_keys]


def span(days: Sequence[date]) -> str:
    """Days in words: the only one, or the first and the last."""
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"


# A range of days is one run: the work inside it is done day by day, and each day reports for itself.
ONE_RUN = dg.BackfillPolicy.single_run()
