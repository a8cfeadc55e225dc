"""The asset `order_index`: which orders there are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from order_assets.core.check_result import CheckResult
from order_assets.defs.reporting import FRESH, OWNERS, as_dagster_has_it, failure
from order_assets.defs.resources import (
    DataRootResource,
    OmnitronResource,
    SyncRulesResource,
)
from order_assets.defs.shop_names import DATA_ROOT, OMNITRON, PRIVACY, SYNC_RULES, Shop
from order_assets.errors import OrderAssetsError

if TYPE_CHECKING:
    from order_assets.landing.estimate import RunPlan
    from order_assets.pipeline.sync import SyncReport

NOTHING_LEFT_BEHIND = "no_day_failed_or_pending"
NEWEST_DAY_FRESH = "newest_day_is_fresh"
ROWS_PLACED = "every_list_row_placed"
LIST_COMPLETE = "list_read_completely"
LOOKED_AT_AGAIN = "every_order_looked_at_again"
_CHECKS = {
    NOTHING_LEFT_BEHIND: "No landed day failed, has pending or refused orders, or was left between two steps",
    NEWEST_DAY_FRESH: "The orders of the newest day in the list are landed in time",
    ROWS_PLACED: "Every row of the order list could be read and belongs to a day",
    LIST_COMPLETE: "The rows found are as many as the order list counts",
    LOOKED_AT_AGAIN: "A late refund of any order would be seen, by reading it again or by its row in the list",
}

_INVENTED = "**Orders of the embedded sandbox, an invented shop: OMNITRON_URL names no instance.** "


class IndexConfig(dg.Config):
    """How the orders are listed."""

    whole: bool = Field(default=False, description="List all orders, also where a part would do")
    accept_shorter_list: bool = Field(
        default=False, description="Believe a list that has lost most of the known orders; else that is an error"
    )


def order_index_asset(shop: Shop, *, sandbox: bool = False) -> dg.AssetsDefinition:
    """The asset that keeps the list of orders; with `sandbox` it says that the shop is invented."""

    @dg.asset(
        key=shop.order_index,
        group_name=shop.named("index"),
        kinds={"python", "parquet"},
        tags=shop.tags("index"),
        freshness_policy=FRESH,
        owners=OWNERS,
        pool=shop.api_pool,
        required_resource_keys=shop.needs(OMNITRON, PRIVACY, DATA_ROOT, SYNC_RULES),
        code_version="2",
        check_specs=[
            dg.AssetCheckSpec(name, asset=shop.order_index, description=says) for name, says in _CHECKS.items()
        ],
        description=(
            f"{_INVENTED if sandbox else ''}"
            "All orders of the instance with the day that each belongs to and when it was last changed. "
            "One row per order, from the order list of the API. Where the list can be filtered or sorted by "
            "modified_date, only what changed since the last time is asked for, and all orders once a day. "
            "Orders before the first day are in it and are counted, but belong to no partition."
        ),
    )
    def order_index(
        context: dg.AssetExecutionContext,
        config: IndexConfig,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster takes no other annotation beside checks
        using = shop.resources(context)
        omnitron, data_root, sync_rules = using.omnitron, using.data_root, using.sync_rules
        try:
            # What no run can do without is looked at before the first request.
            using.privacy.check()
            pipeline = using.pipeline(OMNITRON, PRIVACY, SYNC_RULES)
            with pipeline.client() as client:
                report = pipeline.sync_with(client, whole=config.whole, accept_shorter_list=config.accept_shorter_list)
                counters = client.counters.as_dict()
            plan = pipeline.estimate()
            checks = checks_of_sync(shop, data_root, sync_rules, report)
        except OrderAssetsError as error:
            raise failure(error, doing="listing orders") from None
        index, listing = report.index, report.listing
        if not omnitron.url:
            context.log.warning("OMNITRON_URL names no instance: the orders are those of an invented shop")
        context.log.info(
            f"{listing.mode}, {index.rows_read} rows read: {index.new} orders new, {index.changed} changed; "
            f"{index.orders} orders on {len(index.days)} days, {index.before_first_day} before the first day"
        )
        if index.migrated:
            context.log.info("the index was one file, as earlier versions kept it; it is kept by day from now on")
        if listing.fell_back:
            context.log.warning(f"all orders were listed, because {listing.fell_back}")
        if not listing.agreed:
            context.log.warning(
                f"the list did not stand still, {listing.missing} orders that it counts were on no page; the next "
                "listing begins where this one began"
            )
        if index.aside_count:
            context.log.warning(f"{index.aside_count} rows of the list could not be read, for example {index.aside[0]}")
        if index.moving:
            context.log.warning(
                f"the columns {', '.join(index.moving)} of the order list change from listing to listing on nearly all "
                "orders and are not compared"
            )
        return dg.MaterializeResult(
            check_results=[as_dagster_has_it(found) for found in checks],
            metadata={
                "instance": omnitron.url or "the embedded sandbox, an invented shop",
                **_listing_metadata(report, data_root),
                **_plan_metadata(plan, omnitron),
                "requests": int(counters["requests"]),
                "retries": int(counters["retries"]),
            },
        )

    return order_index


def checks_of_sync(
    shop: Shop, data_root: DataRootResource, rules: SyncRulesResource, report: "SyncReport"
) -> list[CheckResult]:
    """What the list and the state on the disk say about the days, as warnings: the sync itself went well."""
    from order_assets.landing.unwatched_orders import outside_of_every_window
    from order_assets.pipeline.health import (
        every_list_row_placed,
        every_order_looked_at_again,
        list_read_completely,
        newest_day_is_fresh,
        nothing_left_behind,
    )

    root, instance, now = data_root.check_root(), data_root.instance(), datetime.now(UTC)
    days, within = (instance.first_day, instance.today()), timedelta(hours=rules.fresh_within_hours)
    reread, whole = rules.reread(sweep=True), bool(rules.whole_listing_hours)
    outside = outside_of_every_window(root, instance.first_day, reread, now, whole_listings=whole)
    found = [
        nothing_left_behind(root, *days),
        newest_day_is_fresh(root, *days, now, within),
        every_list_row_placed(report.index),
        every_order_looked_at_again(outside, reread),
        list_read_completely(report.index, report.listing),
    ]
    return [replace(result, asset=shop.order_index.to_user_string()) for result in found]


def _listing_metadata(report: "SyncReport", data_root: DataRootResource) -> dict[str, Any]:
    from order_assets.landing import index_file

    index, listing, found = report.index, report.listing, report.capabilities
    first_day = data_root.instance().first_day
    return {
        "dagster/row_count": index.orders + index.vanished,
        "orders_listed": index.orders,
        "rows_read": index.rows_read,
        "orders_before_first_day": index.before_first_day,
        "orders_new": index.new,
        "orders_changed": index.changed,
        "orders_with_changed_children": index.children_changed,
        "orders_with_changed_row": index.row_changed,
        "listed_unreadable": index.aside_count,
        "list_rows_missing": listing.missing if not listing.agreed else 0,
        "columns_not_compared": dg.MetadataValue.json(list(index.moving)),
        "orders_gone_from_list": index.vanished,
        "order_transactions_changed": report.transactions_changed,
        "order_transactions_of_unknown_orders": report.transactions_unknown,
        "days": sum(day >= first_day for day in index.days),
        "newest_change": dg.MetadataValue.text(str(index.newest_change)),
        "discovery": listing.mode,
        "all_orders_listed": listing.whole,
        "all_orders_listed_because": listing.fell_back or ("asked for or due" if listing.whole else ""),
        "changes_from": dg.MetadataValue.text(str(listing.since)),
        "changes_until": dg.MetadataValue.text(str(listing.until)),
        "cursor": dg.MetadataValue.text(str(report.state.cursor)),
        "listing_was_stable": listing.agreed,
        "list_pages": listing.pages,
        "list_passes": listing.passes,
        "probed": report.probed,
        "capabilities": dg.MetadataValue.json({**found.as_dict(), "discovery": found.discovery()}),
        "file": dg.MetadataValue.path(str(index_file(data_root.check_root()))),
    }


def _plan_metadata(plan: "RunPlan", omnitron: OmnitronResource) -> dict[str, Any]:
    rate = omnitron.requests_per_second
    return {
        "due_orders": plan.due_orders,
        "due_by_reason": dg.MetadataValue.json(dict(plan.due)),
        "due_requests": plan.order_requests,
        "due_minutes_at_the_budget": round(plan.order_requests / rate / 60, 1) if rate else 0.0,
        "days_landed": plan.landed_days,
    }
