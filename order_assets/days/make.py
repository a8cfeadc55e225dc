"""Makes the tables of a day from its landing, looks at them, and writes the verdict.

The parts are those of `landing` and `tables`; here is the order in which a day goes through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from order_assets.contract import Contract
from order_assets.contract.rules import SCHEMA_RULE
from order_assets.contract.shape import contract_version
from order_assets.days.preview import preview
from order_assets.landing import Gate, Landing, Privacy, Revalidation, earlier_versions, revalidate_day
from order_assets.tables import (
    DayFiles,
    Finding,
    Flattener,
    FlattenReport,
    MissingFields,
    Sample,
    documented_fields_present,
    keeping_old_files,
    nothing_lost,
    prove_day,
    refunds_within_amount,
    rows_name_their_order,
    values_are_known,
    verify_day,
    withdraw_verdict,
    write_verdict,
)


@dataclass(frozen=True)
class Task:
    """What is to be done with each day: of which data root, under which contract, privacy settings and policy.

    `sample_percent` and `sample_at_most` bound the orders whose every value is looked for. Findings of the rules in
    `ignored` pass whatever they are; those of the rules in `blocking` keep a day out of the warehouse. With `compare`
    the rows that changed are counted.
    """

    root: Path
    contract: Contract
    privacy: Privacy
    sample_percent: float
    sample_at_most: int
    ignored: frozenset[str]
    blocking: frozenset[str]
    compare: bool = False


@dataclass(frozen=True)
class DayTables:
    """What making the tables of a day gave.

    `findings` are those of the rules of each table, `controls` those that span tables; `reasons` say why the day may
    not be loaded. `unmapped` counts the orders that have a field which the contract does not know, by its path;
    `unmapped_values` counts the values. `bytes` and `previews` (Markdown) are by table; empty tables have no preview.
    """

    day: date
    report: FlattenReport
    revalidation: Revalidation
    changed: Mapping[str, int] | None
    findings: Sequence[Finding]
    controls: Sequence[Finding]
    reasons: Sequence[str]
    unmapped: Mapping[str, int]
    unmapped_values: int
    bytes: Mapping[str, int]
    previews: Mapping[str, str]


class Maker:
    """Makes days; keep one for many, since its statements are planned once."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._gate = Gate(task.contract, task.privacy)
        self._flattener = Flattener(task.contract)

    def make(self, day: date) -> DayTables:
        """Make the tables of a day. Raises `LandingError` for a day that was never landed or cannot be read."""
        task = self._task
        landing = Landing(task.root, day)
        listed = landing.listed_pks()
        revalidation = revalidate_day(task.root, day, self._gate, listed)
        sample = Sample(len(listed), percent=task.sample_percent, at_most=task.sample_at_most)
        missing = MissingFields()
        withdraw_verdict(task.root, day)
        report, changed = self._flatten(landing, listed, sample, missing)
        files = DayFiles(task.root, day)
        findings = list(verify_day(files, task.contract, {**report.expected, "orders": report.orders}))
        # What does not have its columns cannot be looked at any further.
        readable = not any(found.rule == SCHEMA_RULE and not found.passed for found in findings)
        controls = list(self._controls(files, sample, missing)) if readable else []
        blocking = [found for found in controls if found.rule in task.blocking]
        verdict = write_verdict(task.root, day, contract_version(task.contract), [*findings, *blocking])
        unmapped, values = _unmapped(files)
        return DayTables(
            day=day,
            report=report,
            revalidation=revalidation,
            changed=changed,
            findings=findings,
            controls=controls,
            reasons=verdict.reasons,
            unmapped=unmapped,
            unmapped_values=values,
            bytes={table.name: files.path(table.name).stat().st_size for table in task.contract},
            previews={table.name: preview(files, table) for table in task.contract if report.rows[table.name]},
        )

    def _flatten(
        self, landing: Landing, listed: Sequence[int], sample: Sample, missing: MissingFields
    ) -> tuple[FlattenReport, Mapping[str, int] | None]:
        root, day = landing.data_root, landing.day
        documents = sample.watching(missing.watching(landing.documents(listed)))
        earlier = earlier_versions(landing, listed)
        if not self._task.compare:
            return self._flattener.flatten_day(root, day, documents, earlier), None
        with keeping_old_files(root, day, self._task.contract) as before:
            report = self._flattener.flatten_day(root, day, documents, earlier)
            return report, before.changed_rows(root, day)

    def _controls(self, files: DayFiles, sample: Sample, missing: MissingFields) -> Iterator[Finding]:
        contract = self._task.contract
        for found in (
            nothing_lost(prove_day(files, contract, sample), files.day, sample),
            rows_name_their_order(files),
            refunds_within_amount(files),
            values_are_known(files, contract),
            documented_fields_present(missing),
        ):
            yield replace(found, passed=True) if found.rule in self._task.ignored else found


def _unmapped(files: DayFiles) -> tuple[dict[str, int], int]:
    """Orders with an unknown field by its path, and how many values there are."""
    rows = files.read("unmapped_fields", ["order_pk", "document", "path"]).to_pylist()
    orders: dict[str, set[int]] = {}
    for row in rows:
        orders.setdefault(f"{row['document']}: {_without_positions(row['path'])}", set()).add(row["order_pk"])
    return {path: len(pks) for path, pks in orders.items()}, len(rows)


def _without_positions(path: str) -> str:
    parts = path.split("[")
    return parts[0] + "".join("[]" + part.partition("]")[2] for part in parts[1:])
