"""Jobs named for what people do."""

from __future__ import annotations

from typing import Any

import dagster as dg

from order_assets.defs.index import ORDER_INDEX


def jobs(days: dg.DailyPartitionsDefinition) -> list[Any]:
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
            partitions_def=days,
            description="Fetch what is new or changed on days, flatten it and load it into the warehouse",
        ),
    ]
