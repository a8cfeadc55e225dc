"""The assets `lake/<table>` and `lake/<mart>`: Delta tables of days that passed, where a place for them is named."""

# Dagster reads the annotations of asset functions, so this module does not postpone them.

from collections.abc import Iterator

import dagster as dg

from order_assets.defs.partitions import ONE_RUN, days_of, has_days, span
from order_assets.defs.reporting import OWNERS, failure
from order_assets.defs.shop_names import DATA_ROOT, Shop
from order_assets.errors import OrderAssetsError


def lake_assets(shop: Shop, lake: str) -> dg.AssetsDefinition:
    """All Delta tables below `lake` as one multi-asset: a day is in all of them or, for its readers, in none."""
    tables = {
        **{f"tables/{table.name}": (shop.lake(table.name), shop.warehouse(table.name)) for table in shop.contract},
        **{f"marts/{mart.name}": (shop.lake(mart.name), shop.mart(mart.name)) for mart in shop.marts},
    }
    specs = [
        dg.AssetSpec(
            key,
            deps=[copied],
            group_name=shop.named("lake"),
            kinds={"delta"},
            owners=OWNERS,
            code_version=shop.contract_version,
            description=f"Copy of {copied.to_user_string()} as the Delta table {name}, for readers other than DuckDB. "
            "Join on date and batch_id of the table days to see whole days only.",
            metadata={"dagster/table_name": name.replace("/", "."), "place": f"{lake}/{name}"},
        )
        for name, (key, copied) in tables.items()
    ]

    @dg.multi_asset(
        name=shop.named("lake"),
        specs=specs,
        partitions_def=shop.days,
        backfill_policy=ONE_RUN,
        # The next export of the same days waits for this one.
        pool=shop.warehouse_pool,
        required_resource_keys=shop.needs(DATA_ROOT),
    )
    def lake_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        if not has_days(context):
            return
        days = days_of(context)
        try:
            report = shop.resources(context).pipeline().export_lake(days, lake)
        except OrderAssetsError as error:
            raise failure(error, doing=f"copying {span(days)} into {lake}") from None
        for day, why in sorted(report.dropped.items()):
            context.log.warning(f"{day} is not in the lake: {why}")
        for name, (key, _) in tables.items():
            yield dg.MaterializeResult(asset_key=key, metadata={"rows_written": report.rows.get(name, 0)})

    return lake_tables
