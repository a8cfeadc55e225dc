"""How assets speak to Dagster: metadata of a day, results of checks in runs over one day or many, failures.

In a run over many days Dagster keeps one result per check and no day. Then the evaluations are reported per day
here, and the blocking ones hold back their day in the warehouse step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

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
        self._waiting = set(context.selected_asset_check_keys)
        self._given: set[dg.AssetCheckKey] = set()
        self._selected = frozenset(self._waiting)

    def report(
        self, day: date | None, verdicts: Iterable[Verdict]
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        """The verdicts of a day as Dagster takes them, or of checks that have no days; of checks that are not selected
        nothing is said.
        """
        for verdict in verdicts:
            key = dg.AssetCheckKey(verdict.asset, verdict.check)
            if key in self._selected:
                self._waiting.discard(key)
                if day is None or self.days == 1:
                    self._given.add(key)
                    yield self._result(verdict)
                else:
                    yield evaluation(day, verdict)

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


def evaluation(day: date | None, verdict: Verdict) -> dg.AssetCheckEvaluation:
    """The verdict of a day, or of a check that has no days, as an event of its own."""
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
    )


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


def failure(error: Exception, *, doing: str) -> dg.Failure:
    """What a run fails with: what was being done and what went wrong, without a retry that could not help."""
    transient = getattr(error, "kind", "permanent") == "transient"
    return dg.Failure(description=f"{doing}: {error}", allow_retries=transient)


def _output_name(key: dg.AssetCheckKey) -> str:
    # The name that Dagster gives to the output of a check in a multi-asset.
    return f"{key.asset_key.to_python_identifier()}_{key.name}"
