"""Jobs named for what people do."""

from __future__ import annotations

from typing import Any

import dagster as dg

from order_assets.defs.index import ORDER_INDEX


def jobs() -> list[Any]:
    """All jobs."""
    return [
        dg.define_asset_job(
            "sync_index",
            selection=dg.AssetSelection.assets(ORDER_INDEX),
            description="Find out which orders there are and which have changed",
        ),
        dg.define_asset_job(
            "refresh_days",
            selection=dg.AssetSelection.groups("landing", "tables", "warehouse"),
            description="Fetch what is new or changed on days, flatten it and load it into the warehouse",
        ),
        dg.define_asset_job(
            "replay_days",
            selection=dg.AssetSelection.groups("tables", "warehouse"),
            config={"ops": {"tables": {"config": {"compare": True}}}},
            description="Make the tables of landed days again with today's contract, without asking the API",
        ),
    ]
