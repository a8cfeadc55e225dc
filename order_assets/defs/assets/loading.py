"""What loading days into the warehouse is for Dagster: configuration, refused days, numbers and verdicts.

Used by the assets in `warehouse_assets` and by the job in `rebuild`; the load itself is `order_assets.warehouse`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from order_assets.core.counted import counted
from order_assets.defs.assets.mart_assets import mart_metadata
from order_assets.defs.column_lineage import LINEAGE, lineage_of_warehouse
from order_assets.defs.partitions import span
from order_assets.defs.shop_names import Shop
from order_assets.warehouse.layout import META, ORDERS

if TYPE_CHECKING:
    from order_assets.warehouse import LoadReport

LEDGER = "order_ledger"

Metadata = dict[tuple[dg.AssetKey, date], dict[str, Any]]


class WarehouseConfig(dg.Config):
    """What a load may take of the machine."""

    memory_limit: str = Field(
        default="2GB",
        pattern=r"^[1-9]\d*(\.\d+)? ?[KMGT]i?B$",
        description="Memory that DuckDB may use before it writes to the disk below the data root, such as 500MB or 4GB",
    )
    threads: int = Field(default=2, ge=1, le=64, description="Threads that DuckDB may use, 1 to 64")


def log_load(log: dg.DagsterLogManager, report: LoadReport) -> None:
    """Say how long a load took."""
    marts = sum(made.seconds for made in report.marts.values())
    log.info(
        f"{span(report.days)}: {counted(len(report.days), 'day')} loaded in {report.load_seconds:.2f} s, of which the "
        f"marts took {marts:.2f} s; the copy took {report.copy_seconds:.2f} s, and the file has {report.bytes} bytes"
    )


def load_metadata(shop: Shop, root: Path, report: LoadReport, asked: Iterable[dg.AssetKey]) -> Metadata:
    """What the materialisation of each table and mart says for each day of a load."""
    asked = list(asked)
    file = dg.MetadataValue.path(str(root / "warehouse.duckdb"))
    found: Metadata = {}
    for table in [*shop.contract.table_names, LEDGER]:
        if shop.warehouse(table) not in asked:
            continue
        rows = _ledger_rows(root, report) if table == LEDGER else report.rows[table]
        for day in report.days:
            values: dict[str, Any] = {"dagster/partition_row_count": rows.get(day, 0), "file": file}
            found[shop.warehouse(table), day] = values
        values["dagster/row_count"] = report.totals[META if table == LEDGER else ORDERS, table]
        if table != LEDGER:
            # Whoever draws column lineage reads it from the newest materialisation.
            values[LINEAGE] = lineage_of_warehouse(shop, shop.contract.table(table))
    return found | dict(mart_metadata(shop, report, asked, file))


def _ledger_rows(root: Path, report: LoadReport) -> dict[date, int]:
    from order_assets.landing import Landing

    return {day: len(Landing(root, day).listed_pks()) for day in report.days}
