"""Which runs are under way: so that nobody asks for work that is being done, nor waits for a run that is dead.

Dagster does not notice when a machine goes down under a run: the run stays started for hours. Here such runs are
ended. Those of the command, and the places in pools that they hold, are the matter of `pool_claims`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg

from order_assets.core.processes import lived_at

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_DAY = "dagster/partition"
# Dagster writes it to the runs whose process a code server of this code location starts.
_OF_CODE_SERVER = ".dagster/grpc_info"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_HAS_PROCESS = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def runs_under_way(instance: dg.DagsterInstance, job_name: str, asset: dg.AssetKey) -> list[dg.DagsterRun]:
    """The runs that are queued or running, of the job or of others that make the asset, such as those of the UI.

    Those whose process is gone are ended: they fail with an explanation and leave their pools. They are still among
    the runs this time, because Dagster may be about to launch them again.
    """
    unfinished = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
    ours = [run for run in unfinished if run.job_name == job_name or asset in (run.asset_selection or ())]
    for run in ours:
        if run.status in _HAS_PROCESS and _is_dead(instance, run):
            _end(instance, run)
    return ours


def days_under_way(runs: Iterable[dg.DagsterRun]) -> set[date]:
    """The days that these runs are for."""
    found: set[date] = set()
    for run in runs:
        first, last = (run.tags.get(name) or run.tags.get(_DAY) for name in (RANGE_START, RANGE_END))
        if first and last:
            start, end = date.fromisoformat(first), date.fromisoformat(last)
            found |= {start + timedelta(days=number) for number in range((end - start).days + 1)}
    return found


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    known = instance.get_run_by_id(run.run_id)
    # It may have come to its end before its process went.
    if known is not None and not known.is_finished:
        instance.report_run_failed(known, "The process of the run is gone; what it had fetched is kept.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process is gone that this machine started for a run; of other runs nothing is known."""
    if _OF_CODE_SERVER not in run.tags or not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return False
    started = [
        (int(str(event.engine_event_data.metadata["pid"].value)), entry.timestamp)
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if (event := entry.dagster_event) is not None and "pid" in event.engine_event_data.metadata
    ]
    return bool(started) and not lived_at(*started[-1])
