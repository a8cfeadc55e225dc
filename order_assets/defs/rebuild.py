"""The job `rebuild_warehouse`: the DuckDB file anew from all days that passed, with today's marts."""

# Dagster reads the annotations of op functions, so this module does not postpone them.

from collections.abc import Iterator

import dagster as dg

from order_assets.defs.assets.loading import WarehouseConfig, load_metadata, log_load
from order_assets.defs.assets.mart_assets import shown
from order_assets.defs.assets.warehouse_assets import warehouse_specs
from order_assets.defs.jobs import REBUILD_WAREHOUSE
from order_assets.defs.reporting import evaluations, failure, written_together
from order_assets.defs.shop_names import DATA_ROOT, Shop
from order_assets.errors import OrderAssetsError


def rebuild_warehouse_job(shop: Shop) -> dg.JobDefinition:
    """A job without partitions: it takes all days."""

    @dg.op(
        name=shop.named("rebuild"),
        pool=shop.warehouse_pool,
        required_resource_keys=shop.needs(DATA_ROOT),
        out=dg.Out(dagster_type=dg.Nothing),
        description=(
            "Makes warehouse.duckdb anew from the Parquet files of all days that passed their checks, and publishes it "
            "at once. What was deleted is in no unused block of the new file. The API is not asked"
        ),
    )
    def rebuild(
        context: dg.OpExecutionContext, config: WarehouseConfig
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output[None]]:
        from order_assets.tables import passed_days

        try:
            pipeline = shop.resources(context).pipeline()
            root = pipeline.root
            loaded = pipeline.load(
                passed_days(root), fresh=True, memory_limit=config.memory_limit, threads=config.threads
            )
        except OrderAssetsError as error:
            raise failure(error, doing="making the warehouse anew") from None
        with written_together(context.instance):
            if loaded.report is not None:
                log_load(context.log, loaded.report)
                asked = [spec.key for spec in warehouse_specs(shop)]
                for (key, day), values in load_metadata(shop, root, loaded.report, asked).items():
                    yield dg.AssetMaterialization(key, partition=day.isoformat(), metadata=values)
            yield from evaluations(context.instance, context.run_id, shown(shop, loaded.findings))
        if loaded.refused:
            raise dg.Failure(
                description=f"The warehouse is as it was: {next(iter(loaded.refused.values()))}", allow_retries=False
            )
        if loaded.report is None:
            raise dg.Failure(
                description=f"No day below {root} has passed its checks: run refresh_days first", allow_retries=False
            )
        yield dg.Output(None)

    @dg.job(
        name=shop.named(REBUILD_WAREHOUSE),
        description=(
            "Make the warehouse file anew from all days that passed their checks, such as after a change of a mart's "
            "SQL, without asking the API. Readers keep the old file until the new one is complete"
        ),
    )
    def rebuild_warehouse() -> None:
        rebuild()

    return rebuild_warehouse
