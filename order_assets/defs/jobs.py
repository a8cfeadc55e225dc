"""Jobs named for what people do. A user's own assets downstream are made by them as well."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

from order_assets.defs.shop_names import Shop

SYNC_INDEX, REFRESH_DAYS, REPLAY_DAYS = "sync_index", "refresh_days", "replay_days"
WRITE_REPORT, REBUILD_WAREHOUSE = "write_report", "rebuild_warehouse"


@dataclass(frozen=True)
class Jobs:
    """The jobs of one shop that are selections of its assets."""

    sync_index: Job
    refresh_days: Job
    replay_days: Job
    write_report: Job

    def all(self) -> list[Job]:
        """The jobs as a list."""
        return [self.sync_index, self.refresh_days, self.replay_days, self.write_report]


def jobs_of(shop: Shop, flattened: list[dg.AssetKey]) -> Jobs:
    """The jobs of a shop; `flattened` are the keys of what follows from its documents."""
    return Jobs(
        sync_index=dg.define_asset_job(
            shop.named(SYNC_INDEX),
            selection=dg.AssetSelection.assets(shop.order_index),
            description="Find out which orders there are and which have changed",
        ),
        refresh_days=dg.define_asset_job(
            shop.named(REFRESH_DAYS),
            selection=_with_own(shop, [shop.order_documents, *flattened]),
            description="Fetch what is new or changed on days, flatten it and load it into the warehouse",
        ),
        replay_days=dg.define_asset_job(
            shop.named(REPLAY_DAYS),
            selection=_with_own(shop, flattened),
            config={"ops": {shop.named("tables"): {"config": {"compare": True}}}},
            description="Make the tables of landed days again with today's contract, without asking the API",
        ),
        write_report=dg.define_asset_job(
            shop.named(WRITE_REPORT),
            selection=dg.AssetSelection.assets(shop.report),
            description="Write report.html from what is in the warehouse now, without asking the API",
        ),
    )


def _with_own(shop: Shop, keys: list[dg.AssetKey]) -> dg.AssetSelection:
    """These assets, and those of the user's own that follow from them."""
    ours = dg.AssetSelection.assets(*keys)
    return ours | (dg.AssetSelection.assets(*shop.own_assets) & ours.downstream()) if shop.own_assets else ours
