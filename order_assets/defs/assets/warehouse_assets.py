"""The assets `warehouse/<table>` and `marts/<name>`: all days in one DuckDB file, swapped in whole.

One load makes both and publishes once. What the marts are is in `marts`, making the file anew in `rebuild`.
"""

from collections.abc import Iterator

import dagster as dg

from order_assets.contract import Kind, Table
from order_assets.defs.assets.loading import LEDGER, WarehouseConfig, load_metadata, log_load
from order_assets.defs.assets.mart_assets import mart_checks, mart_specs, shown
from order_assets.defs.column_lineage import LINEAGE, lineage_of_warehouse
from order_assets.defs.partitions import ONE_RUN, days_of, has_days, span
from order_assets.defs.reporting import OWNERS, StepChecks, add_day_metadata, failure, written_together
from order_assets.defs.shop_names import DATA_ROOT, Shop
from order_assets.defs.ui_schema import warehouse_schema
from order_assets.errors import OrderAssetsError

_Event = (
    dg.MaterializeResult[None]
    | dg.AssetMaterialization
    | dg.AssetCheckResult
    | dg.AssetCheckEvaluation
    | dg.Output[None]
)


def warehouse_assets(shop: Shop) -> dg.AssetsDefinition:
    """All warehouse tables and marts as one multi-asset: a load is one transaction and one swap of the file."""
    specs = warehouse_specs(shop)

    @dg.multi_asset(
        name=shop.named("warehouse"),
        specs=specs,
        partitions_def=shop.days,
        backfill_policy=ONE_RUN,
        can_subset=True,
        pool=shop.warehouse_pool,
        required_resource_keys=shop.needs(DATA_ROOT),
        check_specs=mart_checks(shop),
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        config: WarehouseConfig,
    ) -> Iterator[_Event]:
        if not has_days(context):
            return
        checks = StepChecks(context)
        days_asked = days_of(context)
        try:
            pipeline = shop.resources(context).pipeline()
            loaded = pipeline.load(days_asked, memory_limit=config.memory_limit, threads=config.threads)
        except OrderAssetsError as error:
            raise failure(error, doing=f"loading {span(days_asked)} into the warehouse") from None
        refused = loaded.refused
        asked = [spec.key for spec in specs if spec.key in context.selected_asset_keys]
        with written_together(context.instance):
            if loaded.report is not None:
                log_load(context.log, loaded.report)
                metadata = load_metadata(shop, pipeline.root, loaded.report, asked)
                if refused:
                    # The days that were loaded count; a result for the whole range would count the others too.
                    for (key, day), values in metadata.items():
                        yield dg.AssetMaterialization(key, partition=day.isoformat(), metadata=values)
                else:
                    add_day_metadata(context, metadata)
                    for key in asked:
                        yield dg.MaterializeResult(asset_key=key)
            checks.take(found for found in shown(shop, loaded.findings) if found.day is None or found.day in days_asked)
            yield from checks.results()
            if not refused:
                yield from checks.complete()
        if refused:
            reasons = " ".join(f"{day}: {reason}" for day, reason in sorted(refused.items())[:10])
            raise dg.Failure(
                description=f"{len(refused)} of {len(days_asked)} days stay as they were in the warehouse. {reasons}",
                allow_retries=False,
            )

    return warehouse


def warehouse_specs(shop: Shop) -> list[dg.AssetSpec]:
    """The tables of the warehouse and the marts, in the order in which they are made."""
    ledger = dg.AssetSpec(
        shop.warehouse(LEDGER),
        # The tables stand between, so that a day is loaded after it was checked.
        deps=[shop.order_documents, shop.table("orders")],
        group_name=shop.named("warehouse"),
        kinds={"duckdb"},
        tags=shop.tags("warehouse"),
        owners=OWNERS,
        code_version=shop.contract_version,
        skippable=True,
        description=(
            "DuckDB, all days: What became of each listed order. Grain: one row per listed order. Source: ledgers of "
            "landing"
        ),
        metadata={"dagster/table_name": f"meta.{LEDGER}"},
    )
    return [*(_table_spec(shop, table) for table in shop.contract), ledger, *mart_specs(shop)]


def _table_spec(shop: Shop, table: Table) -> dg.AssetSpec:
    newest = " Newest version per key over all days; all versions by day are in the schema history."
    return dg.AssetSpec(
        shop.warehouse(table.name),
        deps=[shop.table(table)],
        group_name=shop.named("warehouse"),
        kinds={"duckdb"},
        tags=shop.tags("warehouse", personal=any(column.personal for column in table.columns)),
        owners=OWNERS,
        code_version=shop.contract_version,
        skippable=True,
        description=f"DuckDB, all days: {table.description}. Grain: {table.grain.removesuffix(' and day')}. "
        f"Source: tables/{table.name} of all days." + (newest if table.kind is Kind.DIMENSION else ""),
        metadata={
            "dagster/column_schema": warehouse_schema(table),
            LINEAGE: lineage_of_warehouse(shop, table),
            "dagster/table_name": f"orders.{table.name}",
        },
    )
