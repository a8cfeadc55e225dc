"""What Dagster did and will do: the last runs, and when what runs by itself ticks next."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState
from dagster._utils.schedules import cron_string_iterator

from order_assets.defs.active_runs import days_under_way
from order_assets.defs.build import build_definitions
from order_assets.defs.own_package import own_package

# A daemon says that it lives twice a minute.
_ALIVE_SECONDS = 120.0


@dataclass(frozen=True)
class PastRun:
    """A run: `days` in words, empty for one without; `seconds` are None for one that has not ended."""

    job: str
    days: str
    status: str
    started: datetime | None
    seconds: float | None
    run_id: str


@dataclass(frozen=True)
class Automation:
    """A schedule or sensor; `next_tick` (UTC) is None where it is switched off or no daemon runs."""

    name: str
    is_on: bool
    next_tick: datetime | None


@dataclass(frozen=True)
class RunHistory:
    """What a history says; without one, or where it may not be written, nothing."""

    runs: Sequence[PastRun] = ()
    automation: Sequence[Automation] = ()
    daemon_lives: bool = False


def of_home(home: Path) -> RunHistory:
    """The last runs and next ticks by the history in a folder, as DAGSTER_HOME names it; read only."""
    if not os.access(home / "history", os.W_OK):
        return RunHistory()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return RunHistory(last_runs(instance), automation(instance), daemon_lives(instance))


def last_runs(instance: dg.DagsterInstance, count: int = 5) -> list[PastRun]:
    """The newest runs, the newest first."""
    return [
        PastRun(
            record.dagster_run.job_name,
            _days(record.dagster_run),
            record.dagster_run.status.value.lower(),
            datetime.fromtimestamp(record.start_time, UTC) if record.start_time else None,
            record.end_time - record.start_time if record.start_time and record.end_time else None,
            record.dagster_run.run_id,
        )
        for record in instance.get_run_records(limit=count)
    ]


def automation(instance: dg.DagsterInstance) -> list[Automation]:
    """Schedules and sensors of the definitions that the command works with, in their order."""
    package = own_package()
    repository = (package.definitions if package else build_definitions()).get_repository_def()
    states = {state.instigator_name: state for state in instance.all_instigator_state()}
    return list(_automation(repository, states, is_alive=daemon_lives(instance)))


def daemon_lives(instance: dg.DagsterInstance) -> bool:
    """Whether a daemon works with this history: without one nothing runs by itself."""
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    return time.time() - max(beats, default=0.0) < _ALIVE_SECONDS


def _automation(
    repository: dg.RepositoryDefinition, states: dict[str, InstigatorState], *, is_alive: bool
) -> Iterator[Automation]:
    now = time.time()
    for schedule in repository.schedule_defs:
        is_on = schedule.name in states and states[schedule.name].is_running
        ticks = cron_string_iterator(now, str(schedule.cron_schedule), schedule.execution_timezone)
        yield Automation(schedule.name, is_on, next(ticks).astimezone(UTC) if is_on and is_alive else None)
    for sensor in repository.sensor_defs:
        state = states.get(sensor.name)
        is_on = state is not None and state.is_running
        last = getattr(state.instigator_data, "last_tick_timestamp", None) if state else None
        tick = max(now, (last or now) + (sensor.minimum_interval_seconds or 30))
        yield Automation(sensor.name, is_on, datetime.fromtimestamp(tick, UTC) if is_on and is_alive else None)


def _days(run: dg.DagsterRun) -> str:
    days = sorted(days_under_way([run]))
    return " to ".join(dict.fromkeys(map(str, (days[0], days[-1])))) if days else ""
