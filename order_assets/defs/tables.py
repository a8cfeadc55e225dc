"""The assets `tables/<table>`: typed rows of a day, one Parquet file each, made together in one step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from order_assets.contract import CONTRACT, Kind, Table
from order_assets.contract.rules import SCHEMA_RULE
from order_assets.contract.shape import contract_version
from order_assets.defs.documents import ORDER_DOCUMENTS
from order_assets.defs.history import keep_history_open
from order_assets.defs.partitions import ONE_RUN, days_of
from order_assets.defs.reporting import OWNERS, StepChecks, Verdict, check_spec, failure
from order_assets.defs.resources import ContractResource, DataRootResource, PrivacyResource
from order_assets.defs.schema import preview, table_schema

if TYPE_CHECKING:
    from order_assets.landing import Gate, Revalidation
    from order_assets.tables import Finding, Flattener, FlattenReport, MissingFields, Sample

CONFORMS = "conforms_to_contract"
NO_UNKNOWN_FIELDS = "no_unknown_fields"
NOTHING_LOST = "nothing_lost_in_sample"
# Checks that span tables, named like the findings they are made of: where each is shown, what it says, and whether
# it keeps a day out of the warehouse.
_CONTROLS = {
    NOTHING_LOST: ("orders", "Every value of the sampled orders' documents is found again in the tables", True),
    "transactions_belong_to_their_order": (
        "transactions",
        "Transactions, shipments, items and discounts name the order in which they were found, or none",
        True,
    ),
    "refunds_within_amount": ("orders", "No order has more refunded than its amount, or than was paid by card", False),
    "values_are_known": ("orders", "Columns with known values have no others", False),
    "documented_fields_present": ("orders", "Documents have the fields that the vendor documents or shows", False),
}
_VERSION = contract_version(CONTRACT)


class TablesConfig(dg.Config):
    """How a run flattens."""

    compare: bool = Field(default=False, description="Say how many rows of each table are not as they were")


def table_key(table: Table) -> dg.AssetKey:
    """The key of a table's asset."""
    return dg.AssetKey(["tables", table.name])


def tables_assets(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """All tables of the contract as one multi-asset."""
    specs = [
        dg.AssetSpec(
            table_key(table),
            deps=[ORDER_DOCUMENTS],
            group_name="tables",
            kinds={"duckdb", "parquet"},
            owners=OWNERS,
            code_version=_VERSION,
            skippable=True,
            description=f"{table.description}. Grain: {table.grain}. {_origin(table)}",
            metadata={
                "dagster/column_schema": table_schema(table),
                "dagster/table_name": f"orders.{table.name}",
            },
        )
        for table in CONTRACT
    ]

    @dg.multi_asset(
        name="tables",
        specs=specs,
        partitions_def=days,
        backfill_policy=ONE_RUN,
        can_subset=True,
        check_specs=[
            *(check_spec(table_key(table), CONFORMS, _rules(table), days, blocking=True) for table in CONTRACT),
            check_spec(
                table_key(CONTRACT.table("unmapped_fields")),
                NO_UNKNOWN_FIELDS,
                "The documents have no field that the contract does not know",
                days,
            ),
            *(
                check_spec(table_key(CONTRACT.table(table)), name, description, days, blocking=blocking)
                for name, (table, description, blocking) in _CONTROLS.items()
            ),
        ],
    )
    def tables(
        context: dg.AssetExecutionContext,
        config: TablesConfig,
        contract: ContractResource,
        privacy: PrivacyResource,
        data_root: DataRootResource,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.Output[None]]:
        from order_assets.landing import DataRootError, Gate, LandingError, PrivacyError
        from order_assets.tables import Flattener

        keep_history_open(context.instance)
        flattener = Flattener(contract.contract())
        days_done: list[_Day] = []
        doing = "preparing to flatten"
        try:
            root = data_root.checked()
            gate = Gate(contract.contract(), privacy.privacy())
            for day in days_of(context):
                doing = f"flattening the orders of {day}"
                done = _flatten(root, day, gate, flattener, contract, compare=config.compare)
                _describe_day(context, root, done)
                days_done.append(done)
        except (DataRootError, LandingError, PrivacyError) as error:
            raise failure(error, doing=doing) from None
        for table in CONTRACT:
            if table_key(table) in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=table_key(table))
        checks = StepChecks(context)
        for done in days_done:
            yield from checks.report(done.day, done.verdicts)
        yield from checks.complete()
        blocked = [f"{done.day}: {reason}" for done in days_done for reason in done.blocked]
        if blocked and len(context.partition_keys) > 1:
            raise dg.Failure(
                description=f"{len(blocked)} findings keep days out of the warehouse: {'; '.join(blocked[:10])}",
                allow_retries=False,
            )

    return tables


@dataclass(frozen=True)
class _Day:
    """What flattening a day gave."""

    day: date
    report: "FlattenReport"
    revalidation: "Revalidation"
    changed: Mapping[str, int] | None
    verdicts: Sequence[Verdict]
    blocked: Sequence[str]


def _flatten(
    root: Path, day: date, gate: "Gate", flattener: "Flattener", contract: ContractResource, *, compare: bool
) -> _Day:
    """Make the tables of a day from its landing, and look at them."""
    from order_assets.landing import Landing, earlier_versions, revalidate_day
    from order_assets.tables import (
        MissingFields,
        Sample,
        keeping_old_files,
        verify_day,
        withdraw_verdict,
        write_verdict,
    )

    declared = contract.contract()
    landing = Landing(root, day)
    listed = [row["order_pk"] for row in landing.ledger()]
    revalidation = revalidate_day(root, day, gate, listed)
    sample = Sample(len(listed), percent=contract.proof_sample_percent, at_most=contract.proof_sample_at_most)
    missing = MissingFields()
    documents = sample.watching(missing.watching(landing.documents(listed)))
    withdraw_verdict(root, day)
    if compare:
        with keeping_old_files(root, day, declared) as before:
            report = flattener.flatten_day(root, day, documents, earlier_versions(landing, listed))
            changed = before.changed_rows(root, day)
    else:
        report = flattener.flatten_day(root, day, documents, earlier_versions(landing, listed))
        changed = None
    findings = list(verify_day(root, day, declared, {**report.expected, "orders": report.orders}))
    # What does not have its columns cannot be looked at any further.
    readable = not any(found.rule == SCHEMA_RULE and not found.passed for found in findings)
    controls = list(_controls(root, day, contract, sample, missing)) if readable else []
    blocking = [found for found in controls if _CONTROLS[found.rule][2]]
    verdict = write_verdict(root, day, contract.version(), [*findings, *blocking])
    verdicts = [*_conformity(findings), _unknown_fields(root, day, contract), *map(_control_verdict, controls)]
    return _Day(day, report, revalidation, changed, verdicts, verdict.reasons)


def _describe_day(context: dg.AssetExecutionContext, root: Path, done: _Day) -> None:
    from order_assets.tables import table_file

    for table in CONTRACT:
        key = table_key(table)
        if key not in context.selected_asset_keys:
            continue
        path = table_file(root, table.name, done.day)
        metadata: dict[str, Any] = {
            "dagster/partition_row_count": done.report.rows[table.name],
            "bytes": path.stat().st_size,
            "file": dg.MetadataValue.path(str(path)),
        }
        if done.report.rows[table.name]:
            metadata["preview"] = dg.MetadataValue.md(preview(table, path))
        if table.kind is Kind.ORDER:
            versions = done.revalidation.versions
            metadata["orders_of_older_contract"] = sum(versions.values()) - versions.get(_VERSION, 0)
            metadata["orders_released_from_quarantine"] = done.revalidation.released
        if done.changed is not None:
            metadata["rows_changed"] = done.changed.get(table.name, 0)
        context.add_asset_metadata(metadata, asset_key=key, partition_key=done.day.isoformat())
    rows = sum(done.report.rows.values())
    context.log.info(
        f"{done.day}: {done.report.orders} orders, {rows} rows in {len(done.report.rows)} tables, "
        f"{done.report.seconds:.2f} s"
    )
    older = {version: count for version, count in done.revalidation.versions.items() if version != _VERSION}
    if older:
        landed = ", ".join(f"{count} orders under {version}" for version, count in older.items())
        context.log.info(
            f"{done.day}: landed under an older contract: {landed}; {done.revalidation.released} released from "
            f"quarantine, {done.revalidation.refused} refused"
        )
    if done.changed:
        rows_changed = ", ".join(f"{count} in {table}" for table, count in done.changed.items())
        context.log.info(f"{done.day}: rows changed: {rows_changed}")


def _conformity(findings: "Sequence[Finding]") -> Iterator[Verdict]:
    """One verdict per table from the findings of its rules."""
    for table in CONTRACT:
        of_table = [found for found in findings if found.table == table.name]
        failed = [found for found in of_table if not found.passed]
        yield Verdict(
            table_key(table),
            CONFORMS,
            not failed,
            "; ".join(f"{found.rule}: {found.explanation}" for found in failed or of_table),
            metadata={found.rule: "passed" if found.passed else "FAILED" for found in of_table},
        )


def _controls(
    root: Path, day: date, policy: ContractResource, sample: "Sample", missing: "MissingFields"
) -> "Iterator[Finding]":
    """What the checks that span tables found, under the policy of this instance."""
    from order_assets.tables import (
        documented_fields_present,
        nothing_lost,
        prove_day,
        refunds_within_amount,
        rows_name_their_order,
        values_are_known,
    )

    declared = policy.contract()
    yield nothing_lost(prove_day(root, day, declared, sample), day, sample)
    yield rows_name_their_order(root, day)
    yield refunds_within_amount(root, day)
    for found, severity in (
        (values_are_known(root, day, declared), policy.unknown_value),
        (documented_fields_present(missing), policy.missing_field),
    ):
        yield replace(found, passed=True) if severity == "ignore" else found


def _control_verdict(found: "Finding") -> Verdict:
    _, _, blocking = _CONTROLS[found.rule]
    return Verdict(
        table_key(CONTRACT.table(found.table)),
        found.rule,
        found.passed,
        found.explanation,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        metadata=found.numbers,
    )


def _unknown_fields(root: Path, day: date, policy: ContractResource) -> Verdict:
    import pyarrow.parquet as pq

    from order_assets.tables import table_file

    rows = pq.read_table(table_file(root, "unmapped_fields", day), columns=["order_pk", "document", "path"]).to_pylist()
    orders_by_path: dict[str, set[int]] = {}
    for row in rows:
        path = f"{row['document']}: {_without_positions(row['path'])}"
        orders_by_path.setdefault(path, set()).add(row["order_pk"])
    listed = ", ".join(f"{path} in {len(orders)} orders" for path, orders in sorted(orders_by_path.items())[:20])
    return Verdict(
        table_key(CONTRACT.table("unmapped_fields")),
        NO_UNKNOWN_FIELDS,
        not rows,
        f"not in the contract: {listed}" if rows else "every field is in the contract",
        severity=dg.AssetCheckSeverity.ERROR if policy.unknown_field == "fail" else dg.AssetCheckSeverity.WARN,
        metadata={"unknown_paths": len(orders_by_path), "values": len(rows)},
    )


def _without_positions(path: str) -> str:
    parts = path.split("[")
    return parts[0] + "".join("[]" + part.partition("]")[2] for part in parts[1:])


def _rules(table: Table) -> str:
    from order_assets.contract.rules import rules_of

    return ". ".join(rules_of(table).values())


def _origin(table: Table) -> str:
    if not table.sources:
        return "Made by the gate of landing"
    places = ", ".join(dict.fromkeys(f"{source.document.value}: {source.path or 'root'}" for source in table.sources))
    return f"Source: {places}"
