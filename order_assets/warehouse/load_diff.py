"""Compares the rows that the draft has of its days with the rows of their Parquet files, value for value.

Not a check of the input, which `inputs` does, but of the database: DuckDB 2.0.0 was seen to write other values than it
was given, without a word. What does not fail loudly is found here, before it is published.
"""

from __future__ import annotations

import duckdb

from order_assets.contract import Contract
from order_assets.warehouse.inputs import Inputs
from order_assets.warehouse.layout import loaded_layout
from order_assets.warehouse.locations import WarehouseError
from order_assets.warehouse.statements import digest_per_day, digest_per_file


def refuse_unlike(connection: duckdb.DuckDBPyConnection, contract: Contract, inputs: Inputs) -> None:
    """Raise `WarehouseError` if a table of the draft has other rows of these days than their files."""
    tables = [(loaded_layout(table), inputs.tables[table.name]) for table in contract]
    days = {"days": list(inputs.days)}
    span = {"first": inputs.days[0], "last": inputs.days[-1]}
    loaded = connection.execute(digest_per_day(layout for layout, _ in tables), {**days, **span}).fetchall()
    in_files = connection.execute(digest_per_file(tables), days).fetchall()
    unlike = sorted({(name, day) for name, day, *_ in set(loaded) ^ set(in_files)})
    if unlike:
        table, day = unlike[0]
        raise WarehouseError(
            f"table {table} in the warehouse would not have had the rows of its Parquet file for {day}"
            f" ({len(unlike)} tables and days in all). Nothing was changed; load the days again"
        )
