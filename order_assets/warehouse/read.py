"""Reading the published warehouse from Python. Any DuckDB client can open the file too, best read-only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from order_assets.warehouse.database import attach_published
from order_assets.warehouse.files import WarehouseError, warehouse_file
from order_assets.warehouse.statements import statement


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


def loaded_days(data_root: Path) -> dict[date, datetime]:
    """The days in the published warehouse and when each was last loaded, UTC; empty without a warehouse.

    Raises `WarehouseError` if the file is no DuckDB database.
    """
    if not warehouse_file(data_root).exists():
        return {}
    connection = open_readonly(data_root)
    try:
        return {day: loaded_at.astimezone(UTC) for day, loaded_at in connection.execute(statement("days")).fetchall()}
    finally:
        connection.close()
