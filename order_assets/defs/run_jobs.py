"""Runs jobs of the definitions in this process, for the command; the runs are in Dagster's history like all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.repository_definition.valid_definitions import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from order_assets.core.check_result import CheckResult, Severity
from order_assets.core.processes import this_process
from order_assets.defs.build import build_definitions
from order_assets.defs.jobs import REBUILD_WAREHOUSE, REFRESH_DAYS, REPLAY_DAYS, SYNC_INDEX, WRITE_REPORT
from order_assets.defs.own_package import own_package
from order_assets.defs.pool_claims import PROCESS_TAG, release_places_of_dead_runs

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
# As in workspace.yaml, and in pyproject.toml for `dg`.
CODE_LOCATION = "order_assets"
_MODULE = "order_assets.definitions"
# Whoever stopped the command or saw it fail starts it again; a daemon that runs beside it must not.
_NOT_AGAIN = {"dagster/max_retries": "0"}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class RunSummary:
    """What came of a run: numbers per asset and day as they stand in the UI, checks, and why it failed.

    `days` maps asset to day to the plain numbers of its metadata, `texts` asset to the texts and paths of what has no
    days.
    """

    run_id: str
    succeeded: bool
    days: Mapping[str, Mapping[str, Mapping[str, float]]]
    checks: tuple[CheckResult, ...]
    failures: tuple[str, ...] = field(default=())
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def sync_index_job() -> dg.JobDefinition:
    """The job `sync_index` of the definitions."""
    return _job(SYNC_INDEX)


def refresh_days_job() -> dg.JobDefinition:
    """The job `refresh_days` of the definitions."""
    return _job(REFRESH_DAYS)


def replay_days_job() -> dg.JobDefinition:
    """The job `replay_days` of the definitions."""
    return _job(REPLAY_DAYS)


def write_report_job() -> dg.JobDefinition:
    """The job `write_report` of the definitions."""
    return _job(WRITE_REPORT)


def rebuild_warehouse_job() -> dg.JobDefinition:
    """The job `rebuild_warehouse` of the definitions."""
    return _job(REBUILD_WAREHOUSE)


def _job(name: str) -> dg.JobDefinition:
    package = own_package()
    if package is None:
        return build_definitions().resolve_job_def(name)
    return package.definitions.resolve_job_def(package.shop.named(name))


@contextmanager
def history() -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, from DAGSTER_HOME."""
    with dg.DagsterInstance.get() as instance:
        release_places_of_dead_runs(instance)
        yield instance


def sync_index(instance: dg.DagsterInstance) -> RunSummary:
    """List all orders."""
    return _run(instance, sync_index_job, _QUIET, {})


def refresh_days(instance: dg.DagsterInstance, first: date, last: date, *, refetch: bool = False) -> RunSummary:
    """Fetch, flatten and load the days from first to last."""
    config = {**_QUIET, "ops": {_named("order_documents"): {"config": {"refetch": refetch}}}}
    return _run(instance, refresh_days_job, config, _days(first, last))


def replay_days(instance: dg.DagsterInstance, first: date, last: date) -> RunSummary:
    """Make the tables of landed days again and load them; asks the API for nothing."""
    config = {**_QUIET, "ops": {_named("tables"): {"config": {"compare": True}}}}
    return _run(instance, replay_days_job, config, _days(first, last))


def rebuild_warehouse(instance: dg.DagsterInstance) -> RunSummary:
    """Make the warehouse file anew from all days that passed; asks the API for nothing."""
    return _run(instance, rebuild_warehouse_job, _QUIET, {})


def write_report(instance: dg.DagsterInstance) -> RunSummary:
    """Write the report of what is in the warehouse; asks the API for nothing."""
    return _run(instance, write_report_job, _QUIET, {})


def _run(
    instance: dg.DagsterInstance,
    job: Callable[[], dg.JobDefinition],
    config: Mapping[str, object],
    tags: Mapping[str, str],
) -> RunSummary:
    code = dg.reconstructable(job)
    definition = code.get_definition()
    run = instance.create_run_for_job(
        definition,
        run_config=config,
        tags={**tags, **_NOT_AGAIN, PROCESS_TAG: this_process()},
        # By its origin the UI knows whose run it is: without one it is in no timeline and under no job.
        remote_job_origin=RemoteJobOrigin(repository_origin=_repository(), job_name=definition.name),
        job_code_origin=code.get_python_origin(),
    )
    with execute_run(code, run, instance) as result:
        return _summary(result)


def _named(name: str) -> str:
    package = own_package()
    return package.shop.named(name) if package else name


def _repository() -> RemoteRepositoryOrigin:
    """The definitions as workspace.yaml names them to the UI and the daemon."""
    package = own_package()
    module, location = (package.module, package.location) if package else (_MODULE, CODE_LOCATION)
    return RemoteRepositoryOrigin(
        code_location_origin=ManagedGrpcPythonEnvCodeLocationOrigin(
            loadable_target_origin=LoadableTargetOrigin(module_name=module), location_name=location
        ),
        repository_name=SINGLETON_REPOSITORY_NAME,
    )


def _days(first: date, last: date) -> dict[str, str]:
    if first == last:
        return {"dagster/partition": first.isoformat()}
    return {_RANGE_START: first.isoformat(), _RANGE_END: last.isoformat()}


def _summary(result: dg.JobExecutionResult) -> RunSummary:
    days: dict[str, dict[str, dict[str, float]]] = {}
    texts: dict[str, dict[str, str]] = {}
    # A check of a day may be evaluated twice in a run: when the day is done, and at the end.
    checks: dict[tuple[str, str, date | None], CheckResult] = {}
    failures: list[str] = []
    for event in result.all_events:
        if event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            numbers = {
                name: value.value
                for name, value in materialization.metadata.items()
                if isinstance(value.value, int | float)
            }
            asset = materialization.asset_key.to_user_string()
            days.setdefault(asset, {})[materialization.partition or ""] = numbers
            if materialization.partition is None:
                texts[asset] = {
                    name: value.value
                    for name, value in materialization.metadata.items()
                    if isinstance(value, dg.TextMetadataValue | dg.PathMetadataValue) and value.value
                }
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            found = _check(event.asset_check_evaluation_data, result.dagster_run.tags.get("dagster/partition", ""))
            checks[found.asset, found.name, found.day] = found
        elif event.is_step_failure:
            failures.append(_reason(event))
    return RunSummary(result.run_id, result.success, days, tuple(checks.values()), tuple(failures), texts)


def _check(evaluation: Any, day: str) -> CheckResult:
    said = {name: value.value for name, value in evaluation.metadata.items()}
    of_day = evaluation.partition or day
    return CheckResult(
        asset=evaluation.asset_key.to_user_string(),
        name=evaluation.check_name,
        passed=evaluation.passed,
        explanation=str(said.get("explanation", "")),
        day=date.fromisoformat(of_day) if of_day else None,
        severity=Severity.ERROR if evaluation.severity == dg.AssetCheckSeverity.ERROR else Severity.WARN,
    )


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error
    cause = error.cause if error is not None and error.cause is not None else error
    return "no reason given" if cause is None else cause.message.strip()
