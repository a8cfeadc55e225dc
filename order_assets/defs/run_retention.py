"""Removes old runs with their files, so that the history does not grow for ever.

Dagster forgets the days of assets together with the run that made them last. So a run is only removed when nothing
rests on it: one without days when its job went well again later, one over days when each of them was refreshed later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from order_assets.defs.active_runs import days_under_way
from order_assets.defs.jobs import REFRESH_DAYS, REPLAY_DAYS, SYNC_INDEX, WRITE_REPORT

# What a tick removes: a tick may take a minute.
_MOST_RUNS = 200
# Each makes all of its assets anew, for all of its days or without days.
_WITHOUT_DAYS = (SYNC_INDEX, WRITE_REPORT)
_WITH_DAYS = (REFRESH_DAYS, REPLAY_DAYS)


def purge_sensor(keep_days: int, named: Callable[[str], str]) -> dg.SensorDefinition:
    """Removes the runs that are older than `keep_days`; 0 keeps all. `named` gives the shop's names of its jobs."""

    @dg.sensor(
        name=named("purge_old_runs"),
        minimum_interval_seconds=3600,
        description=(
            f"Removes runs that ended more than {keep_days} days ago (ORDER_ASSETS_KEEP_RUNS_DAYS; 0 keeps all), with "
            "their logs and files. Keeps the last run of each day and of each job, since the assets' state rests on "
            "it. Asks the shop for nothing."
        ),
    )
    def purge_old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not keep_days:
            return dg.SkipReason("all runs are kept (ORDER_ASSETS_KEEP_RUNS_DAYS is 0)")
        removed = purge(context.instance, datetime.now(UTC) - timedelta(days=keep_days), named)
        return dg.SkipReason(f"{removed} runs that ended more than {keep_days} days ago were removed")

    return purge_old_runs


def purge(instance: dg.DagsterInstance, before: datetime, named: Callable[[str], str] = str) -> int:
    """Remove runs that ended before a moment and on which nothing rests, some at a time; gives how many."""
    removed = 0
    for run_id in list(_removable(instance, before, named))[:_MOST_RUNS]:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        for file in _files(instance, run_id):
            file.unlink(missing_ok=True)
        removed += 1
    return removed


def _removable(instance: dg.DagsterInstance, before: datetime, named: Callable[[str], str]) -> Iterator[str]:
    """The oldest runs last, as they come; what is known of later runs decides."""
    without_days, with_days = set(map(named, _WITHOUT_DAYS)), set(map(named, _WITH_DAYS))
    again: set[str] = set()
    refreshed: set[date] = set()
    for record in instance.get_run_records(order_by="id"):
        run = record.dagster_run
        whole = not run.asset_selection and not run.asset_check_selection
        ended = datetime.fromtimestamp(record.end_time, UTC) if record.end_time is not None else None
        if run.is_finished and whole and ended is not None and ended < before:
            days = days_under_way([run])
            made_again = run.job_name in without_days and run.job_name in again
            if made_again or (run.job_name in with_days and days and days <= refreshed):
                yield run.run_id
        if whole and run.status == dg.DagsterRunStatus.SUCCESS:
            again.add(run.job_name)
            if run.job_name == named(REFRESH_DAYS):
                refreshed |= days_under_way([run])


def _files(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """The files of SQLite that hold the events of a run; none in other storages."""
    path_of: Any = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is None:
        return []
    file = Path(path_of(run_id))
    return [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]
