"""The rows that Dagster's SQL storage keeps of checks: one when a check is planned, changed when it is evaluated.

The same rows as Dagster's own, for many events at a time. Which events there are is the work of `event_log`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as db
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

# An event: its row in the event log, the number of that row, and itself.
Stored = tuple[Mapping[str, Any], int, EventLogEntry]

_CHECKS = AssetCheckExecutionsTable
_KEY = ("asset_key", "check_name", "run_id", "partition")
# The partition of a check without partitions is null, which IS finds and = does not.
_EVALUATE = _CHECKS.update().where(*(_CHECKS.c[name].is_(db.bindparam(f"of_{name}")) for name in _KEY))
_FIND = db.select(_CHECKS.c.id).where(*(_CHECKS.c[name].is_(db.bindparam(name)) for name in _KEY))


def plan(connection: Any, events: Sequence[Stored]) -> None:
    """Write down that checks are going to be evaluated, each for its partitions."""
    for stored in events:
        connection.execute(_CHECKS.insert(), list(_plans(*stored)))


def evaluate(connection: Any, events: Sequence[Stored]) -> None:
    """Put evaluations in the place of their plans; one without a plan is a row of its own."""
    rows = [_evaluation(*stored) for stored in events]
    # What belongs to no run was not planned.
    unplanned = [row for row in rows if not row["run_id"]]
    if planned := [row for row in rows if row["run_id"]]:
        changed = connection.execute(_EVALUATE, [{**row, **_key(row, "of_")} for row in planned]).rowcount
        if changed != len(planned):
            unplanned += [row for row in planned if connection.execute(_FIND, _key(row)).first() is None]
    if unplanned:
        connection.execute(_CHECKS.insert(), unplanned)


def _plans(row: Mapping[str, Any], number: int, event: EventLogEntry) -> Iterator[dict[str, Any]]:
    planned: Any = event.get_dagster_event().event_specific_data
    for day in planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]:
        yield {
            **_of_event(row, number, AssetCheckExecutionRecordStatus.PLANNED),
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "partition": day,
        }


def _evaluation(row: Mapping[str, Any], number: int, event: EventLogEntry) -> dict[str, Any]:
    found: Any = event.get_dagster_event().event_specific_data
    status = AssetCheckExecutionRecordStatus.SUCCEEDED if found.passed else AssetCheckExecutionRecordStatus.FAILED
    target = found.target_materialization_data
    return {
        **_of_event(row, number, status),
        "asset_key": found.asset_key.to_string(),
        "check_name": found.check_name,
        "run_id": event.run_id,
        "partition": found.partition,
        "materialization_event_storage_id": target.storage_id if target else None,
    }


def _of_event(row: Mapping[str, Any], number: int, status: AssetCheckExecutionRecordStatus) -> dict[str, Any]:
    return {
        "execution_status": status.value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": number,
    }


def _key(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}{name}": row[name] for name in _KEY}
