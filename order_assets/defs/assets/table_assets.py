"""The assets `tables/<table>`: typed rows of a day, one Parquet file each, made together in one step."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from order_assets.contract import Kind, Table
from order_assets.contract.rules import BLOCKING_RULES
from order_assets.core.check_result import CheckResult, Severity
from order_assets.core.counted import counted
from order_assets.defs.column_lineage import LINEAGE, lineage_of_table
from order_assets.defs.partitions import ONE_RUN, days_of, has_days
from order_assets.defs.reporting import (
    OWNERS,
    StepChecks,
    add_day_metadata,
    check_spec,
    failure,
    written_together,
)
from order_assets.defs.resources import ContractResource
from order_assets.defs.shop_names import CONTRACT_POLICY, DATA_ROOT, PRIVACY, Shop
from order_assets.defs.ui_schema import table_schema
from order_assets.errors import OrderAssetsError

if TYPE_CHECKING:
    from order_assets.pipeline import DayTables

CONFORMS = "conforms_to_contract"
NO_UNKNOWN_FIELDS = "no_unknown_fields"
NOTHING_LOST = "nothing_lost_in_sample"
# Checks that span tables, named like the findings they are made of: where each is shown and what it says.
_CONTROLS = {
    NOTHING_LOST: ("orders", "Every value of the sampled orders' documents is found again in the tables"),
    "transactions_belong_to_their_order": (
        "transactions",
        "Transactions, shipments, items and discounts name the order in which they were found, or none",
    ),
    "refunds_within_amount": ("orders", "No order has more refunded than its amount, or than was paid by card"),
    "values_are_known": ("orders", "Columns with known values have no others"),
    "documented_fields_present": ("orders", "Documents have the fields that the vendor documents or shows"),
    "no_order_set_aside": (
        "orders",
        "No order that had landed went to quarantine, because its day could not have been loaded with it",
    ),
}


class TablesConfig(dg.Config):
    """How a run flattens."""

    compare: bool = Field(default=False, description="Say how many rows of each table are not as they were")


def tables_assets(shop: Shop) -> dg.AssetsDefinition:
    """All tables of the contract as one multi-asset."""
    specs = [
        dg.AssetSpec(
            shop.table(table),
            deps=[shop.order_documents],
            group_name=shop.named("tables"),
            kinds={"duckdb", "parquet"},
            tags=shop.tags("tables", personal=any(column.personal for column in table.columns)),
            owners=OWNERS,
            code_version=shop.contract_version,
            skippable=True,
            description=f"Parquet, a file per day: {table.description}. Grain: {table.grain}. {_origin(table)}",
            metadata={
                "dagster/column_schema": table_schema(table),
                LINEAGE: lineage_of_table(shop, table),
                "dagster/table_name": f"orders.{table.name}",
            },
        )
        for table in shop.contract
    ]

    @dg.multi_asset(
        name=shop.named("tables"),
        specs=specs,
        partitions_def=shop.days,
        backfill_policy=ONE_RUN,
        can_subset=True,
        required_resource_keys=shop.needs(CONTRACT_POLICY, PRIVACY, DATA_ROOT),
        check_specs=_check_specs(shop),
    )
    def tables(
        context: dg.AssetExecutionContext,
        config: TablesConfig,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.Output[None]]:
        if not has_days(context):
            return
        checks, using = StepChecks(context), shop.resources(context)
        policy = using.contract
        asked = [table for table in shop.contract if shop.table(table) in context.selected_asset_keys]
        newest = days_of(context)[-1]
        metadata: dict[tuple[dg.AssetKey, date], Mapping[str, Any]] = {}
        blocked: list[str] = []
        doing = "preparing to flatten"
        try:
            pipeline = using.pipeline(PRIVACY, CONTRACT_POLICY)
            days = days_of(context)
            with closing(pipeline.build(days, compare=config.compare)) as made:
                doing = f"flattening the orders of {days[0]}"
                for number, done in enumerate(made, 1):
                    day = done.day
                    doing = f"flattening the orders of {days[min(number, len(days) - 1)]}"
                    metadata |= {
                        (shop.table(table), day): _metadata(shop, pipeline.root, table, done)
                        # Whoever draws column lineage reads it from the newest materialisation.
                        | ({LINEAGE: lineage_of_table(shop, table)} if day == newest else {})
                        for table in asked
                    }
                    blocked += [f"{day}: {reason}" for reason in done.reasons]
                    _log_day(context, shop.contract_version, done)
                    checks.take(_results(shop, done, policy))
        except OrderAssetsError as error:
            # What was found about the days before stays known.
            yield from checks.results()
            raise failure(error, doing=doing) from None
        add_day_metadata(context, metadata)
        with written_together(context.instance):
            for table in asked:
                yield dg.MaterializeResult(asset_key=shop.table(table))
            yield from checks.results()
            yield from checks.complete()
        if blocked:
            # Dagster's own words for a check that blocks would not say why.
            raise dg.Failure(
                description=f"{len(blocked)} findings keep days out of the warehouse: {'; '.join(blocked[:10])}",
                allow_retries=False,
            )

    return tables


def _check_specs(shop: Shop) -> list[dg.AssetCheckSpec]:
    days = shop.days
    return [
        *(check_spec(shop.table(table), CONFORMS, _rules(table), days, blocking=True) for table in shop.contract),
        check_spec(
            shop.table("unmapped_fields"),
            NO_UNKNOWN_FIELDS,
            "The documents have no field that the contract does not know. Those that they have are kept in "
            "unmapped_fields; a column in order_assets/contract, or CONTRACT.with_columns, takes them over",
            days,
        ),
        *(
            check_spec(shop.table(table), name, description, days, blocking=name in BLOCKING_RULES)
            for name, (table, description) in _CONTROLS.items()
        ),
    ]


def _metadata(shop: Shop, root: Path, table: Table, done: "DayTables") -> dict[str, Any]:
    """What a table's materialisation of the day says."""
    from order_assets.tables import table_file

    metadata: dict[str, Any] = {
        "dagster/partition_row_count": done.report.rows[table.name],
        "bytes": done.bytes[table.name],
        "file": dg.MetadataValue.path(str(table_file(root, table.name, done.day))),
    }
    if table.name in done.previews:
        metadata["preview"] = dg.MetadataValue.md(done.previews[table.name])
    if table.kind is Kind.ORDER:
        versions = done.revalidation.versions
        metadata["orders_of_older_contract"] = sum(versions.values()) - versions.get(shop.contract_version, 0)
        metadata["orders_released_from_quarantine"] = done.revalidation.released
        metadata["orders_set_aside"] = len(done.set_aside)
    if done.changed is not None:
        metadata["rows_changed"] = done.changed.get(table.name, 0)
    return metadata


def _log_day(context: dg.AssetExecutionContext, version: str, done: "DayTables") -> None:
    rows = sum(done.report.rows.values())
    context.log.info(
        f"{done.day}: {done.report.orders} orders, {rows} rows in {len(done.report.rows)} tables, "
        f"{done.report.seconds:.2f} s"
    )
    older = {found: count for found, count in done.revalidation.versions.items() if found != version}
    if older:
        landed = ", ".join(f"{count} orders under {found}" for found, count in older.items())
        context.log.info(
            f"{done.day}: landed under an older contract: {landed}; {done.revalidation.released} released from "
            f"quarantine, {done.revalidation.refused} refused"
        )
    for pk, reason in done.set_aside.items():
        context.log.warning(f"{done.day}: order {pk} waits in quarantine, its siblings go on: {reason}")
    if done.changed:
        rows_changed = ", ".join(f"{count} in {table}" for table, count in done.changed.items())
        context.log.info(f"{done.day}: rows changed: {rows_changed}")


def _results(shop: Shop, done: "DayTables", policy: ContractResource) -> Iterator[CheckResult]:
    """What was found about the tables of a day, with these named as Dagster names them."""
    for found in (*_conformity(shop, done.findings), _unknown_fields(done, policy), *done.controls):
        yield replace(found, asset=shop.table(found.asset).to_user_string(), day=done.day)


def _conformity(shop: Shop, findings: "Sequence[CheckResult]") -> Iterator[CheckResult]:
    """One result per table from those of its rules."""
    for table in shop.contract:
        of_table = [found for found in findings if found.asset == table.name]
        failed = [found for found in of_table if not found.passed]
        yield CheckResult(
            table.name,
            CONFORMS,
            not failed,
            "; ".join(f"{found.name}: {found.explanation}" for found in failed or of_table),
            {found.name: "passed" if found.passed else "FAILED" for found in of_table},
            examples=tuple(example for found in failed for example in found.examples),
            next_step=". ".join(dict.fromkeys(found.next_step for found in failed)),
        )


def _unknown_fields(done: "DayTables", policy: ContractResource) -> CheckResult:
    listed = ", ".join(f"{path} in {counted(orders, 'order')}" for path, orders in sorted(done.unmapped.items())[:20])
    return CheckResult(
        "unmapped_fields",
        NO_UNKNOWN_FIELDS,
        not done.unmapped,
        f"not in the contract, or said otherwise elsewhere in the order: {listed}"
        if done.unmapped
        else "every field is in the contract",
        {"unknown_paths": len(done.unmapped), "values": done.unmapped_values},
        severity=Severity.ERROR if policy.unknown_field == "fail" else Severity.WARN,
        next_step="Nothing is lost: the values are in unmapped_fields. To have them in columns, add these to the "
        "contract, then run order-assets replay --stale",
    )


def _rules(table: Table) -> str:
    from order_assets.contract.rules import rules_of

    return ". ".join(rules_of(table).values())


def _origin(table: Table) -> str:
    if not table.sources:
        return "Made by the validator"
    places = ", ".join(dict.fromkeys(f"{source.document.name}: {source.path or 'root'}" for source in table.sources))
    return f"Source: {places}"
