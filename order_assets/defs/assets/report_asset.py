"""The asset `report`: one HTML page from the warehouse, and the job that writes it."""

# Dagster reads the annotations of asset functions, so this module does not postpone them.

import base64
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from order_assets.defs.partitions import ONE_RUN
from order_assets.defs.reporting import OWNERS, failure
from order_assets.defs.shop_names import DATA_ROOT, SYNC_RULES, Shop
from order_assets.errors import OrderAssetsError

# What the page reads.
_MARTS = ("fct_orders", "agg_daily_sales", "fct_payments", "fct_refunds", "fct_shipments")


def report_asset(shop: Shop) -> dg.AssetsDefinition:
    """The asset of the report; it is of all days, and made anew when somebody asks for it."""

    @dg.asset(
        key=shop.report,
        deps=[shop.order_index, *(shop.mart(mart.name) for mart in shop.marts if mart.name in _MARTS)],
        required_resource_keys=shop.needs(DATA_ROOT, SYNC_RULES),
        group_name=shop.named("report"),
        kinds={"duckdb", "html"},
        tags=shop.tags("report"),
        owners=OWNERS,
        code_version="1",
        # A range of days that takes this along is one run, and writes the page once.
        backfill_policy=ONE_RUN,
        description=(
            "report.html: sales by day and channel, payment success, delivery times, refunds, and the health of the "
            "pipeline. Source: the marts, the index and the ledgers. One file that opens without a network. "
            "Its key plots are in the metadata. Grain: one page of all days."
        ),
    )
    def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from order_assets.landing.unwatched_orders import outside_of_every_window
        from order_assets.report import write_report
        from order_assets.report.write import KEY_PLOTS

        using = shop.resources(context)
        data_root, sync_rules = using.data_root, using.sync_rules
        now, first = datetime.now(UTC), date.fromisoformat(data_root.first_day)
        try:
            reread, whole = sync_rules.reread(sweep=True), bool(sync_rules.whole_listing_hours)
            outside = outside_of_every_window(data_root.check_root(), first, reread, now, whole_listings=whole)
            written = write_report(
                data_root.check_root(),
                first=first,
                outside=outside.orders,
                last=now.astimezone(ZoneInfo(data_root.timezone)).date(),
                timezone=data_root.timezone,
                now=now,
            )
        except OrderAssetsError as error:
            raise failure(error, doing="writing the report") from None
        pictures = {name: written.picture(name) for name in KEY_PLOTS}
        context.log.info(f"written to {written.path}")
        return dg.MaterializeResult(
            metadata={
                "file": dg.MetadataValue.path(str(written.path)),
                "page": dg.MetadataValue.url(written.path.as_uri()),
                **{number.name: f"{number.value} ({number.note})" for number in written.numbers},
                **{name: dg.MetadataValue.md(_image(name, png)) for name, png in pictures.items() if png},
            }
        )

    return report


def _image(name: str, png: bytes) -> str:
    return f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})"
