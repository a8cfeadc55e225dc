"""How assets speak to Dagster: metadata of a day, results of checks in runs over one day or many, failures.

In a run over many days Dagster keeps one result per check and no day. Then the evaluations are reported per day
here, and the blocking ones hold back their day in the warehouse step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    asset: dg.AssetKey, name: str, description: str, days: dg.PartitionsDefinition, *, blocking: bool = False
) -> dg.AssetCheckSpec:
    """The definition of a check that is evaluated day by day."""
    return dg.AssetCheckSpec(name=name, asset=asset, description=description, blocking=blocking, partitions_def=days)


def evaluations(
    context: dg.AssetExecutionContext, day: date, verdicts: Sequence[Verdict]
) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
    """The verdicts of a day as Dagster takes them; of a check that is not selected nothing is said."""
    single = len(context.partition_keys) == 1
    for verdict in verdicts:
        key = dg.AssetCheckKey(verdict.asset, verdict.check)
        if key not in context.selected_asset_check_keys:
            continue
        metadata = {"explanation": verdict.explanation, **verdict.metadata}
        if single:
            yield dg.AssetCheckResult(
                passed=verdict.passed,
                asset_key=verdict.asset,
                check_name=verdict.check,
                severity=verdict.severity,
                metadata=metadata,
                description=verdict.explanation,
            )
        else:
            yield dg.AssetCheckEvaluation(
                asset_key=verdict.asset,
                check_name=verdict.check,
                passed=verdict.passed,
                severity=verdict.severity,
                metadata={name: dg.MetadataValue.text(str(value)) for name, value in metadata.items()},
                description=verdict.explanation,
                partition=day.isoformat(),
            )


def complete_checks(context: dg.AssetExecutionContext) -> Iterator[dg.Output[None]]:
    """What Dagster waits for after `evaluations` of many days: one output per check, whatever its verdicts were.

    Without it a step that comes after a blocking check would never start.
    """
    if len(context.partition_keys) > 1:
        for key in context.selected_asset_check_keys:
            yield dg.Output(None, output_name=_output_name(key))


def failure(error: Exception, *, doing: str) -> dg.Failure:
    """What a run fails with: what was being done and what went wrong, without a retry that could not help."""
    transient = getattr(error, "kind", "permanent") == "transient"
    return dg.Failure(description=f"{doing}: {error}", allow_retries=transient)


def _output_name(key: dg.AssetCheckKey) -> str:
    # The name that Dagster gives to the output of a check in a multi-asset.
    return f"{key.asset_key.to_python_identifier()}_{key.name}"
