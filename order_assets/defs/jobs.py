"""Jobs named for what people do."""

from __future__ import annotations

import dagster as dg

from order_assets.defs.index import ORDER_INDEX

SYNC_INDEX = dg.define_asset_job(
    "sync_index",
    selection=dg.AssetSelection.assets(ORDER_INDEX),
    description="Find out which orders there are and which have changed",
)
REFRESH_DAYS = dg.define_asset_job(
    "refresh_days",
    selection=dg.AssetSelection.groups("landing", "tables", "warehouse", "marts"),
    description="Fetch what is new or changed on days, flatten it and load it into the warehouse",
)
REPLAY_DAYS = dg.define_asset_job(
    "replay_days",
    selection=dg.AssetSelection.groups("tables", "warehouse", "marts"),
    config={"ops": {"tables": {"config": {"compare": True}}}},
    description="Make the tables of landed days again with today's contract, without asking the API",
)
JOBS = (SYNC_INDEX, REFRESH_DAYS, REPLAY_DAYS)
