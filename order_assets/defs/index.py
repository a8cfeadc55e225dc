"""The asset `order_index`: which orders there are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.defs.reporting import OWNERS, failure
from order_assets.defs.resources import DataRootResource, OmnitronResource, PrivacyResource

if TYPE_CHECKING:
    from order_assets.omnitron import OmnitronClient

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
        context: dg.AssetExecutionContext,
        omnitron: OmnitronResource,
        privacy: PrivacyResource,
        data_root: DataRootResource,
    ) -> dg.MaterializeResult[None]:
        from order_assets.landing import DataRootError, OrderIndexError, PrivacyError, index_file, write_index
        from order_assets.omnitron import OmnitronError

        seen_at = datetime.now(UTC)
        try:
            # What no run can do without is looked at before the first request.
            privacy.check()
            root = data_root.checked()
            with omnitron.client() as client:
                rows = _whole_list(client, data_root)
                report = write_index(root, data_root.instance(), rows, seen_at)
                counters = client.counters.as_dict()
        except (OmnitronError, DataRootError, OrderIndexError, PrivacyError) as error:
            raise failure(error, doing="listing orders") from None
        days = sum(day >= data_root.instance().first_day for day in report.days)
        context.log.info(f"{report.orders} orders on {days} days, {report.before_first_day} before the first day")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.orders + report.vanished,
                "orders_listed": report.orders,
                "rows_read": report.rows_read,
                "orders_before_first_day": report.before_first_day,
                "orders_new": report.new,
                "orders_changed": report.changed,
                "orders_gone_from_list": report.vanished,
                "days": days,
                "newest_change": dg.MetadataValue.text(str(report.newest_change)),
                "requests": int(counters["requests"]),
                "retries": int(counters["retries"]),
                "file": dg.MetadataValue.path(str(index_file(root))),
            }
        )

    return order_index


def _whole_list(client: "OmnitronClient", data_root: DataRootResource) -> Iterator[dict[str, Any]]:
    """The rows of all pages. Only an instance that answered makes the folder its own: a mistyped address must not."""
    for page in client.list_orders():
        yield from page.rows
    data_root.claimed()
