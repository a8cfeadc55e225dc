"""The assets `warehouse/<table>`: the tables of all days in one DuckDB file, swapped in whole."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.contract import CONTRACT, Kind, Table
from order_assets.contract.shape import contract_version
from order_assets.defs.documents import ORDER_DOCUMENTS
from order_assets.defs.history import keep_history_open, written_together
from order_assets.defs.partitions import ONE_RUN, days_of, span
from order_assets.defs.reporting import OWNERS, add_day_metadata, failure
from order_assets.defs.resources import ContractResource, DataRootResource
from order_assets.defs.schema import table_schema
from order_assets.defs.tables import table_key

if TYPE_CHECKING:
    from order_assets.warehouse import LoadReport

WAREHOUSE_POOL = "warehouse_writer"
LEDGER = "order_ledger"


def warehouse_key(name: str) -> dg.AssetKey:
    """The key of a warehouse table's asset."""
    return dg.AssetKey(["warehouse", name])


def warehouse_assets(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """All warehouse tables as one multi-asset: a load is one transaction and one swap of the file."""
    version = contract_version(CONTRACT)
    specs = [_table_spec(table, version) for table in CONTRACT]
    specs.append(
        dg.AssetSpec(
            warehouse_key(LEDGER),
            # The tables stand between, so that a day is loaded after it was checked.
            deps=[ORDER_DOCUMENTS, table_key(CONTRACT.table("orders"))],
            group_name="warehouse",
            kinds={"duckdb"},
            owners=OWNERS,
            code_version=version,
            skippable=True,
            description="What became of each listed order. Grain: one row per listed order. Source: ledgers of landing",
        )
    )

    @dg.multi_asset(
        name="warehouse",
        specs=specs,
        partitions_def=days,
        backfill_policy=ONE_RUN,
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def warehouse(
        context: dg.AssetExecutionContext, contract: ContractResource, data_root: DataRootResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetMaterialization]:
        from order_assets.landing import DataRootError
        from order_assets.tables import read_verdict
        from order_assets.warehouse import WarehouseError, load_days

        keep_history_open(context.instance)
        days_asked = days_of(context)
        refused: list[str] = []
        loadable = []
        try:
            root = data_root.checked()
            for day in days_asked:
                verdict = read_verdict(root, day)
                if verdict is None:
                    refused.append(f"{day}: its tables are not complete; materialise tables for the day first")
                elif not verdict.passed:
                    refused.append(f"{day}: {'; '.join(verdict.reasons[:3])}")
                else:
                    loadable.append(day)
            report = load_days(root, loadable, contract_version=contract.version()) if loadable else None
        except (DataRootError, WarehouseError) as error:
            raise failure(error, doing=f"loading {span(days_asked)} into the warehouse") from None
        if report is not None:
            context.log.info(
                f"{len(loadable)} days loaded in {report.load_seconds:.2f} s, copy took {report.copy_seconds:.2f} s"
            )
            asked = [spec.key for spec in specs if spec.key in context.selected_asset_keys]
            metadata = dict(_metadata(root, report, asked))
            with written_together(context.instance):
                if refused:
                    # The days that were loaded count; a result for the whole range would count the others too.
                    for (key, day), values in metadata.items():
                        yield dg.AssetMaterialization(key, partition=day.isoformat(), metadata=values)
                else:
                    add_day_metadata(context, metadata)
                    for key in asked:
                        yield dg.MaterializeResult(asset_key=key)
        if refused:
            raise dg.Failure(
                description=f"{len(refused)} of {len(days_asked)} days stay as they were in the warehouse. "
                + " ".join(refused[:10]),
                allow_retries=False,
            )

    return warehouse


def _metadata(
    root: Path, report: "LoadReport", tables: Iterable[dg.AssetKey]
) -> Iterator[tuple[tuple[dg.AssetKey, date], dict[str, Any]]]:
    """What the materialisation of each table and day says."""
    from order_assets.landing import Landing

    for key in tables:
        rows = report.rows.get(key.path[-1], {})
        if key.path[-1] == LEDGER:
            rows = {day: len(Landing(root, day).ledger()) for day in report.days}
        for day in report.days:
            yield (
                (key, day),
                {
                    "dagster/partition_row_count": rows.get(day, 0),
                    "file": dg.MetadataValue.path(str(root / "warehouse.duckdb")),
                },
            )


def _table_spec(table: Table, version: str) -> dg.AssetSpec:
    newest = " Newest version per key over all days; all versions by day are in the schema history."
    return dg.AssetSpec(
        warehouse_key(table.name),
        deps=[table_key(table)],
        group_name="warehouse",
        kinds={"duckdb"},
        owners=OWNERS,
        code_version=version,
        skippable=True,
        description=f"{table.description}. Grain: {table.grain.removesuffix(' and day')}."
        + (newest if table.kind is Kind.THING else ""),
        metadata={"dagster/column_schema": table_schema(table), "dagster/table_name": f"orders.{table.name}"},
    )
