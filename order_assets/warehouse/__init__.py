"""From Parquet to DuckDB: days replace themselves in `warehouse.duckdb`, which is swapped in whole.

Here are the tables of the warehouse, the load of days into them, the marts made from them, the swap of the file and
the way to read it. What a table *is* stands in `order_assets.contract`; how its Parquet files are made, in
`order_assets.tables`. Nothing here knows an orchestrator.
"""

from order_assets.warehouse.files import WarehouseError, table_files
from order_assets.warehouse.load import LoadReport, drop_days, load_days
from order_assets.warehouse.marts_refresh import MartReport, refresh_marts
from order_assets.warehouse.read import loaded_days, open_readonly

__all__ = [
    "LoadReport",
    "MartReport",
    "WarehouseError",
    "drop_days",
    "load_days",
    "loaded_days",
    "open_readonly",
    "refresh_marts",
    "table_files",
]
