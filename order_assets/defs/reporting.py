"""How assets speak to Dagster: metadata of a day, results of checks in runs over one day or many, failures.

In a run over many days Dagster keeps one result per check and no day. Then the evaluations are reported per day
here, and the blocking ones hold back their day in the warehouse step. An evaluation counts only as long as it names
the newest materialisation of its asset and day, so all of them come after the materialisations that they are about.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

from order_assets.errors import OrderAssetsError

OWNERS = ["team:data-engineering"]


@dataclass(frozen=True)
class Verdict:
    """The result of a check for one day."""

    asset: dg.AssetKey
    check: str
    passed: bool
    explanation: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    metadata: Mapping[str, Any] = field(default_factory=dict)


def check_spec(
    asset: dg.AssetKey, name: str, description: str, days: dg.PartitionsDefinition | None, *, blocking: bool = False
) -> dg.AssetCheckSpec:
    """The definition of a check that is evaluated day by day; without days, once in a run."""
    return dg.AssetCheckSpec(name=name, asset=asset, description=description, blocking=blocking, partitions_def=days)


class StepChecks:
    """The checks of one step: takes verdicts day by day, and sees to it that Dagster hears about every check."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self.days = len(context.partition_keys)
        self._context = context
        self._waiting = set(context.selected_asset_check_keys)
        self._given: set[dg.AssetCheckKey] = set()
        self._selected = frozenset(self._waiting)
        self._taken: list[tuple[date | None, Verdict]] = []

    def take(self, day: date | None, verdicts: Iterable[Verdict]) -> None:
        """Keep the verdicts of a day, or of checks that have no days, for `results`; those that are not selected are
        left out.
        """
        self._taken += [(day, found) for found in verdicts if _key_of(found) in self._selected]

    def results(self) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        """What was taken, as Dagster takes it; to be asked for once the assets of the days are materialised."""
        taken, self._taken = self._taken, []
        self._waiting -= {_key_of(verdict) for _, verdict in taken}
        of_days = [(day, verdict) for day, verdict in taken if day is not None and self.days > 1]
        for day, verdict in taken:
            if day is None or self.days == 1:
                self._given.add(_key_of(verdict))
                yield self._result(verdict)
        yield from evaluations(self._context.instance, self._context.run.run_id, of_days)

    def complete(self) -> Iterator[dg.AssetCheckResult | dg.Output[None]]:
        """What Dagster waits for at the end of a step: without an output for each check the next step never starts.

        A check that got no verdict fails.
        """
        for key in sorted(self._waiting, key=str):
            yield self._result(Verdict(key.asset_key, key.name, False, "the check was not evaluated"))
        if self.days > 1:
            for key in sorted(self._selected - self._waiting - self._given, key=str):
                yield dg.Output(None, output_name=_output_name(key))

    def _result(self, verdict: Verdict) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            passed=verdict.passed,
            asset_key=verdict.asset,
            check_name=verdict.check,
            severity=verdict.severity,
            metadata={"explanation": verdict.explanation, **verdict.metadata},
            description=verdict.explanation,
        )


def evaluations(
    instance: dg.DagsterInstance, run_id: str, verdicts: Sequence[tuple[date | None, Verdict]]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Verdicts of days, or of checks that have no days, as events of their own, each about the newest materialisation
    of its asset and day.
    """
    newest: dict[tuple[dg.AssetKey, str | None], int] = {}
    days_of: dict[dg.AssetKey, set[str]] = {}
    for day, verdict in verdicts:
        if day is not None:
            days_of.setdefault(verdict.asset, set()).add(day.isoformat())
    for asset, days in days_of.items():
        found = instance.event_log_storage.get_latest_storage_id_by_partition(
            asset, dg.DagsterEventType.ASSET_MATERIALIZATION, days
        )
        newest |= {(asset, day): number for day, number in found.items()}
    now = time.time()
    for day, verdict in verdicts:
        number = newest.get((verdict.asset, day.isoformat() if day is not None else None))
        target = None if number is None else Target(storage_id=number, run_id=run_id, timestamp=now)
        yield _evaluation(day, verdict, target)


def _evaluation(day: date | None, verdict: Verdict, target: Target | None) -> dg.AssetCheckEvaluation:
    metadata = {"explanation": verdict.explanation, **verdict.metadata}
    return dg.AssetCheckEvaluation(
        asset_key=verdict.asset,
        check_name=verdict.check,
        passed=verdict.passed,
        severity=verdict.severity,
        # Numbers stay numbers: the page of a check plots them over the days.
        metadata={name: value if isinstance(value, int | float) else str(value) for name, value in metadata.items()},
        description=verdict.explanation,
        partition=None if day is None else day.isoformat(),
        target_materialization_data=target,
    )


def _key_of(verdict: Verdict) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(verdict.asset, verdict.check)


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
