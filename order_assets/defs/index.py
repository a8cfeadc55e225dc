"""The asset `order_index`: which orders there are."""

from datetime import UTC, datetime

import dagster as dg

from order_assets.defs.reporting import OWNERS, failure
from order_assets.defs.resources import DataRootResource, OmnitronResource

ORDER_INDEX = dg.AssetKey("order_index")
API_POOL = "omnitron_api"


def order_index_asset() -> dg.AssetsDefinition:
    """The asset that walks the order list."""

    @dg.asset(
        key=ORDER_INDEX,
        group_name="index",
        kinds={"python", "parquet"},
        owners=OWNERS,
        pool=API_POOL,
        code_version="1",
        description=(
            "All orders of the instance with the day that each belongs to and when it was last changed. "
            "One row per order, from the order list of the API; the whole list is walked each time. "
            "Orders before the first day are in it and are counted, but belong to no partition."
        ),
    )
    def order_index(
        context: dg.AssetExecutionContext, omnitron: OmnitronResource, data_root: DataRootResource
    ) -> dg.MaterializeResult[None]:
        from order_assets.landing import DataRootError, IndexError, index_file, write_index
        from order_assets.omnitron import OmnitronError

        seen_at = datetime.now(UTC)
        try:
            root = data_root.claim()
            with omnitron.client() as client:
                rows = (row for page in client.list_orders() for row in page.rows)
                report = write_index(root, data_root.instance(), rows, seen_at)
                counters = client.counters.as_dict()
        except (OmnitronError, DataRootError, IndexError) as error:
            raise failure(error, doing="listing orders") from None
        context.log.info(
            f"{report.orders} orders on {len(report.days)} days, {report.before_first_day} before the first day"
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.orders + report.vanished,
                "orders_listed": report.orders,
                "orders_before_first_day": report.before_first_day,
                "orders_new": report.new,
                "orders_changed": report.changed,
                "orders_gone_from_list": report.vanished,
                "days": len(report.days),
                "newest_change": dg.MetadataValue.text(str(report.newest_change)),
                "requests": int(counters["requests"]),
                "retries": int(counters["retries"]),
                "file": dg.MetadataValue.path(str(index_file(root))),
            }
        )

    return order_index
