"""Akinon Omnitron orders as Dagster assets: fetched in detail, flattened to Parquet, loaded into DuckDB.

The rooms, in the order in which the data goes through them: `omnitron` (the API as a client sees it),
`landing` (from a response to a stored row), `tables` (from landing to typed Parquet), `warehouse` (from Parquet
to DuckDB). `contract` says what an order is and serves all of them; `defs` is the only room that knows Dagster;
`sandbox` is a stand-in shop for development, demonstration and tests.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from order_assets.access import TableAccessError, read_table

__all__ = ["TableAccessError", "read_table"]

# Read by Arrow's allocator when pyarrow is first imported. Arrow needs its memory for moments, and the kernel clears
# a huge page whole however little of it is used: without this, clearing can be a third of the CPU of a flattened day.
os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")


def __getattr__(name: str) -> Any:
    # The contract is loaded by whoever reads a table, not by everybody who imports a part of the package.
    if name in __all__:
        from order_assets import access

        return getattr(access, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
