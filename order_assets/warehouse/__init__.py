"""From Parquet to DuckDB: days replace themselves in `warehouse.duckdb`, which is swapped in whole.

Here are the tables of the warehouse, the load of days into them, the marts made from them, the swap of the file and
the way to read it. What a table *is* stands in `order_assets.contract`; how its Parquet files are made, in
`order_assets.tables`. Nothing here knows an orchestrator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from order_assets.warehouse.load import LoadReport, drop_days, load_days
    from order_assets.warehouse.locations import WarehouseError, table_files
    from order_assets.warehouse.marts.mart_checks import QualityError
    from order_assets.warehouse.marts.mart_refresh import MartReport, refresh_marts
    from order_assets.warehouse.meta import Watermarks
    from order_assets.warehouse.read import loaded_days, open_readonly

__all__ = [
    "LoadReport",
    "MartReport",
    "QualityError",
    "WarehouseError",
    "Watermarks",
    "drop_days",
    "load_days",
    "loaded_days",
    "open_readonly",
    "refresh_marts",
    "table_files",
]

_MODULES = {
    "LoadReport": "load",
    "MartReport": "marts.mart_refresh",
    "QualityError": "marts.mart_checks",
    "WarehouseError": "locations",
    "Watermarks": "meta",
    "drop_days": "load",
    "load_days": "load",
    "loaded_days": "read",
    "open_readonly": "read",
    "refresh_marts": "marts.mart_refresh",
    "table_files": "locations",
}


def __getattr__(name: str) -> Any:
    # Dagster reads from this room which marts there are, and must not wait for DuckDB then.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
