"""How assets speak to Dagster: metadata of a day, results of checks in runs over one day or many, failures.

In a run over many days Dagster keeps one result per check and no day. Then the evaluations are reported per day
here, and the blocking ones hold back their day in the warehouse step. An evaluation counts only as long as it names
the newest materialisation of its asset and day, so all of them come after the materialisations that they are about.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

from order_assets.core.check_result import CheckResult
from order_assets.errors import OrderAssetsError

OWNERS = ["team:data-engineering"]
# What is kept up to date by itself is made anew once a day at the least; the daemon looks, without a run.
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=72), warn_window=timedelta(hours=26))


def check_spec(
    asset: dg.AssetKey, name: str, description: str, days: dg.PartitionsDefinition | None, *, blocking: bool = False
) -> dg.AssetCheckSpec:
    """The definition of a check that is evaluated day by day; without days, once in a run."""
    return dg.AssetCheckSpec(name=name, asset=asset, description=description, blocking=blocking, partitions_def=days)


class StepChecks:
    """The checks of one step: takes results day by day, and sees to it that Dagster hears about every check."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self.days = len(context.partition_keys)
        self._context = context
        self._waiting = set(context.selected_asset_check_keys)
        self._given: set[dg.AssetCheckKey] = set()
        self._selected = frozenset(self._waiting)
        self._taken: list[CheckResult] = []

    def take(self, results: Iterable[CheckResult]) -> None:
        """Keep results, whose assets are named as Dagster names them, for `results`; those that are not selected are
        left out.
        """
        self._taken += [found for found in results if _key_of(found) in self._selected]

    def results(self) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        """What was taken, as Dagster takes it; to be asked for once the assets of the days are materialised."""
        taken, self._taken = self._taken, []
        self._waiting -= {_key_of(found) for found in taken}
        of_days = [found for found in taken if found.day is not None and self.days > 1]
        for found in taken:
            if found.day is None or self.days == 1:
                self._given.add(_key_of(found))
                yield as_dagster_has_it(found)
        yield from evaluations(self._context.instance, self._context.run.run_id, of_days)

    def complete(self) -> Iterator[dg.AssetCheckResult | dg.Output[None]]:
        """What Dagster waits for at the end of a step: without an output for each check the next step never starts.

        A check that got no result fails.
        """
        for key in sorted(self._waiting, key=str):
            asset = key.asset_key.to_user_string()
            yield as_dagster_has_it(CheckResult(asset, key.name, False, "the check was not evaluated"))
        if self.days > 1:
            for key in sorted(self._selected - self._waiting - self._given, key=str):
                yield dg.Output(None, output_name=_output_name(key))


def as_dagster_has_it(found: CheckResult) -> dg.AssetCheckResult:
    """A result for Dagster, for the day of the run or for all days."""
    return dg.AssetCheckResult(
        passed=found.passed,
        asset_key=dg.AssetKey.from_user_string(found.asset),
        check_name=found.name,
        severity=_severity(found),
        metadata=_metadata(found),
        description=str(found),
    )


def evaluations(
    instance: dg.DagsterInstance, run_id: str, results: Sequence[CheckResult]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Results of days, or of checks that have no days, as events of their own, each about the newest materialisation
    of its asset and day.
    """
    newest: dict[tuple[str, date | None], int] = {}
    days_of: dict[str, set[str]] = {}
    for found in results:
        if found.day is not None:
            days_of.setdefault(found.asset, set()).add(found.day.isoformat())
    for asset, days in days_of.items():
        numbers = instance.event_log_storage.get_latest_storage_id_by_partition(
            dg.AssetKey.from_user_string(asset), dg.DagsterEventType.ASSET_MATERIALIZATION, days
        )
        newest |= {(asset, date.fromisoformat(day)): number for day, number in numbers.items()}
    now = time.time()
    for found in results:
        number = newest.get((found.asset, found.day))
        yield dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey.from_user_string(found.asset),
            check_name=found.name,
            passed=found.passed,
            severity=_severity(found),
            metadata=_metadata(found),
            description=str(found),
            partition=None if found.day is None else found.day.isoformat(),
            target_materialization_data=None
            if number is None
            else Target(storage_id=number, run_id=run_id, timestamp=now),
        )


def _severity(found: CheckResult) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if found.is_error else dg.AssetCheckSeverity.WARN


def _metadata(found: CheckResult) -> dict[str, Any]:
    """Numbers stay numbers: the page of a check plots them over the days."""
    values: dict[str, Any] = {"explanation": str(found), **found.numbers}
    if found.examples:
        values["examples"] = "; ".join(found.examples)
    if found.next_step and not found.passed:
        values["next_step"] = found.next_step
    return {name: value if isinstance(value, int | float) else str(value) for name, value in values.items()}


def _key_of(found: CheckResult) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey.from_user_string(found.asset), found.name)


def add_day_metadata(
    context: dg.AssetExecutionContext, found: Mapping[tuple[dg.AssetKey, date], Mapping[str, Any]]
) -> None:
    """Give the materialisations of assets and days their metadata, all at once, before their results are yielded.

    `context.add_asset_metadata` copies and checks what it was given so far, and the keys of the range, at each call:
    for thirty tables over a year it takes longer than all other work. What was given before is replaced.
    """
    from dagster._core.execution.context.metadata_logging import AssetMetadataHandle, OutputMetadataAccumulator

    context.get_step_execution_context()._metadata_accumulator = OutputMetadataAccumulator(
        per_output_metadata={
            AssetMetadataHandle(asset_key=asset, partition_key=day.isoformat()): metadata
            for (asset, day), metadata in found.items()
        }
    )


def failure(error: OrderAssetsError, *, doing: str) -> dg.Failure:
    """What a run fails with: what was being done and what went wrong, without a retry that could not help."""
    return dg.Failure(description=f"{doing}: {error}", allow_retries=error.kind == "transient")


def _output_name(key: dg.AssetCheckKey) -> str:
    # The name that Dagster gives to the output of a check in a multi-asset.
    return f"{key.asset_key.to_python_identifier()}_{key.name}"


@contextmanager
def written_together(instance: dg.DagsterInstance) -> Iterator[None]:
    """Write the events that this thread reports inside the block in few transactions, at its end at the latest.

    Whoever reads in this thread finds them. A kill inside the block can lose them. A plain block where the instance
    keeps its events otherwise than in `event_log`.
    """
    together: Any = getattr(instance.event_log_storage, "together", None)
    if together is None:
        yield
        return
    with together():
        yield
