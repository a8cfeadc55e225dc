"""The assets `warehouse/<table>` and `marts/<name>`: all days in one DuckDB file, swapped in whole.

One load makes both and publishes once. What the marts are is in `marts`, making the file anew in `rebuild`.
"""

from collections.abc import Iterator

import dagster as dg

from order_assets.contract import CONTRACT, Kind, Table
from order_assets.contract.shape import contract_version
from order_assets.defs.keys import ORDER_DOCUMENTS, table_key, warehouse_key
from order_assets.defs.lineage import LINEAGE, lineage_of_warehouse
from order_assets.defs.loading import LEDGER, WarehouseConfig, load, load_metadata, log_load, refusal
from order_assets.defs.marts import mart_checks, mart_specs
from order_assets.defs.partitions import ONE_RUN, days_of, has_days, span
from order_assets.defs.reporting import OWNERS, StepChecks, add_day_metadata, failure, written_together
from order_assets.defs.resources import ContractResource, DataRootResource
from order_assets.defs.schema import warehouse_schema
from order_assets.errors import OrderAssetsError
from order_assets.warehouse.marts_facts import MartFacts, mart_facts

WAREHOUSE_POOL = "warehouse_writer"

_Event = (
    dg.MaterializeResult[None]
    | dg.AssetMaterialization
    | dg.AssetCheckResult
    | dg.AssetCheckEvaluation
    | dg.Output[None]
)


def warehouse_assets(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """All warehouse tables and marts as one multi-asset: a load is one transaction and one swap of the file."""
    facts = mart_facts()
    specs = warehouse_specs(facts)

    @dg.multi_asset(
        name="warehouse",
        specs=specs,
        partitions_def=days,
        backfill_policy=ONE_RUN,
        can_subset=True,
        pool=WAREHOUSE_POOL,
        check_specs=mart_checks(days),
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        config: WarehouseConfig,
        contract: ContractResource,
        data_root: DataRootResource,
    ) -> Iterator[_Event]:
        if not has_days(context):
            return
        checks = StepChecks(context)
        days_asked = days_of(context)
        try:
            root = data_root.checked()
            refused = {day: reason for day in days_asked if (reason := refusal(root, day))}
            loadable = [day for day in days_asked if day not in refused]
            loaded = load(root, loadable, contract.version(), config, storage_version=data_root.storage_version)
        except OrderAssetsError as error:
            raise failure(error, doing=f"loading {span(days_asked)} into the warehouse") from None
        refused |= loaded.refused
        asked = [spec.key for spec in specs if spec.key in context.selected_asset_keys]
        with written_together(context.instance):
            if loaded.report is not None:
                log_load(context.log, loaded.report)
                metadata = load_metadata(root, loaded.report, asked, facts)
                if refused:
                    # The days that were loaded count; a result for the whole range would count the others too.
                    for (key, day), values in metadata.items():
                        yield dg.AssetMaterialization(key, partition=day.isoformat(), metadata=values)
                else:
                    add_day_metadata(context, metadata)
                    for key in asked:
                        yield dg.MaterializeResult(asset_key=key)
            checks.take(found for found in loaded.results if found.day is None or found.day in days_asked)
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


def warehouse_specs(facts: dict[str, MartFacts]) -> list[dg.AssetSpec]:
    """The tables of the warehouse and the marts, in the order in which they are made."""
    version = contract_version(CONTRACT)
    ledger = dg.AssetSpec(
        warehouse_key(LEDGER),
        # The tables stand between, so that a day is loaded after it was checked.
        deps=[ORDER_DOCUMENTS, table_key(CONTRACT.table("orders"))],
        group_name="warehouse",
        kinds={"duckdb"},
        owners=OWNERS,
        code_version=version,
        skippable=True,
        description="What became of each listed order. Grain: one row per listed order. Source: ledgers of landing",
        metadata={"dagster/table_name": f"meta.{LEDGER}"},
    )
    return [*(_table_spec(table, version) for table in CONTRACT), ledger, *mart_specs(facts)]


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
        description=f"{table.description}. Grain: {table.grain.removesuffix(' and day')}. "
        f"Source: tables/{table.name} of all days." + (newest if table.kind is Kind.THING else ""),
        metadata={
            "dagster/column_schema": warehouse_schema(table),
            LINEAGE: lineage_of_warehouse(table),
            "dagster/table_name": f"orders.{table.name}",
        },
    )
