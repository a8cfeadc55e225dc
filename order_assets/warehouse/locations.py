"""Where the files of the warehouse and its inputs lie, which DuckDB can read it, and the error of this room.

Only paths are made here. Who writes the warehouse file and how it is swapped is in `publish`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from order_assets.errors import OrderAssetsError

# Every DuckDB from 1.1 on reads it; what 1.2 and later write by themselves is not read by 1.1.
STORAGE_VERSION = "v1.0.0"


class WarehouseError(OrderAssetsError):
    """The warehouse could not be written or read; the published file is as it was before."""


def table_files(data_root: Path, table: str, day: date) -> Path:
    """The Parquet file of one table and day."""
    return data_root / "tables" / table / f"date={day:%Y-%m-%d}" / "part-0.parquet"


def ledger_file(data_root: Path, day: date) -> Path:
    """The Parquet file that accounts for every order of one day."""
    return data_root / "landing" / f"date={day:%Y-%m-%d}" / "ledger.parquet"


def warehouse_file(data_root: Path) -> Path:
    """The published DuckDB file."""
    return data_root / "warehouse.duckdb"


def loaded_days_file(data_root: Path) -> Path:
    """Which days the published file has, so that nobody has to open it to know."""
    return data_root / ".warehouse.days.json"


def lock_file(data_root: Path) -> Path:
    """The file whose lock makes one writer wait for the other."""
    return data_root / ".warehouse.lock"
