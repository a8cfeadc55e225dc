"""Reading the published warehouse from Python. Any DuckDB client can open the file too, best read-only."""

from __future__ import annotations

from pathlib import Path

import duckdb

from order_assets.warehouse.database import attach_published
from order_assets.warehouse.files import WarehouseError, warehouse_file


def open_readonly(data_root: Path) -> duckdb.DuckDBPyConnection:
    """Open the warehouse as it is published now; the caller closes the connection.

    Later loads do not change what this connection sees. Tables have short names (`FROM transactions`),
    instants are shown in UTC. Raises `WarehouseError` if there is no warehouse yet or the file is no DuckDB
    database.
    """
    path = warehouse_file(data_root)
    if not path.exists():
        raise WarehouseError(f"there is no {path} yet: load a day first")
    return attach_published(path)
