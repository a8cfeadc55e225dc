"""The assets `tables/<table>`: typed rows of a day, one Parquet file each, made together in one step."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.contract import CONTRACT, Table
from order_assets.contract.shape import contract_version
from order_assets.defs.documents import ORDER_DOCUMENTS
from order_assets.defs.partitions import ONE_RUN, days_of
from order_assets.defs.reporting import OWNERS, Verdict, check_spec, complete_checks, evaluations, failure
from order_assets.defs.resources import ContractResource, DataRootResource
from order_assets.defs.schema import preview, table_schema

if TYPE_CHECKING:
    from order_assets.tables import Finding, FlattenReport

CONFORMS = "conforms_to_contract"
NO_UNKNOWN_FIELDS = "no_unknown_fields"


def table_key(table: Table) -> dg.AssetKey:
    """The key of a table's asset."""
    return dg.AssetKey(["tables", table.name])


def tables_assets(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """All tables of the contract as one multi-asset."""
    version = contract_version(CONTRACT)
    specs = [
        dg.AssetSpec(
            table_key(table),
            deps=[ORDER_DOCUMENTS],
            group_name="tables",
            kinds={"duckdb", "parquet"},
            owners=OWNERS,
            code_version=version,
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
        ],
    )
    def tables(
        context: dg.AssetExecutionContext, contract: ContractResource, data_root: DataRootResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.Output[None]]:
        from order_assets.landing import DataRootError, Landing, LandingError
        from order_assets.tables import Flattener, verify_day, withdraw_verdict, write_verdict

        declared = contract.contract()
        flattener = Flattener(declared)
        blocked: list[str] = []
        verdicts: list[tuple[date, list[Verdict]]] = []
        doing = "preparing to flatten"
        try:
            root = data_root.checked()
            for day in days_of(context):
                doing = f"flattening the orders of {day}"
                landing = Landing(root, day)
                listed = [row["order_pk"] for row in landing.ledger()]
                withdraw_verdict(root, day)
                report = flattener.flatten_day(root, day, landing.documents(listed))
                findings = list(verify_day(root, day, declared, {**report.expected, "orders": report.orders}))
                verdict = write_verdict(root, day, contract.version(), findings)
                blocked.extend(f"{day}: {reason}" for reason in verdict.reasons)
                _describe_day(context, root, day, report)
                verdicts.append((day, [*_conformity(findings), _unknown_fields(root, day, contract)]))
        except (DataRootError, LandingError) as error:
            raise failure(error, doing=doing) from None
        for table in CONTRACT:
            if table_key(table) in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=table_key(table))
        for day, of_day in verdicts:
            yield from evaluations(context, day, of_day)
        yield from complete_checks(context)
        if blocked and len(context.partition_keys) > 1:
            raise dg.Failure(
                description=f"{len(blocked)} findings keep days out of the warehouse: {'; '.join(blocked[:10])}",
                allow_retries=False,
            )

    return tables


def _describe_day(context: dg.AssetExecutionContext, root: Path, day: date, report: "FlattenReport") -> None:
    from order_assets.tables import table_file

    for table in CONTRACT:
        key = table_key(table)
        if key not in context.selected_asset_keys:
            continue
        path = table_file(root, table.name, day)
        metadata: dict[str, Any] = {
            "dagster/partition_row_count": report.rows[table.name],
            "bytes": path.stat().st_size,
            "file": dg.MetadataValue.path(str(path)),
        }
        if report.rows[table.name]:
            metadata["preview"] = dg.MetadataValue.md(preview(table, path))
        context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
    context.log.info(
        f"{day}: {report.orders} orders, {sum(report.rows.values())} rows in {len(report.rows)} tables, "
        f"{report.seconds:.2f} s"
    )


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
