"""Akinon Omnitron orders as Dagster assets: fetched in detail, flattened to Parquet, loaded into DuckDB.

The rooms, in the order in which the data goes through them: `omnitron` (the API as a client sees it),
`landing` (from a response to a stored row), `tables` (from landing to typed Parquet), `warehouse` (from Parquet
to DuckDB). `contract` says what an order is and serves all of them; `defs` is the only room that knows Dagster;
`sandbox` is a stand-in shop for development, demonstration and tests.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from order_assets.access import TableAccessError, read_table

__all__ = ["TableAccessError", "read_table"]


def __getattr__(name: str) -> Any:
    # The contract is loaded by whoever reads a table, not by everybody who imports a part of the package.
    if name in __all__:
        from order_assets import access

        return getattr(access, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
