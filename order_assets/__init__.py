"""Akinon Omnitron orders as Dagster assets: fetched in detail, flattened to Parquet, loaded into DuckDB.

The rooms, in the order in which the data goes through them: `omnitron` (the API as a client sees it),
`landing` (from a response to a stored row), `tables` (from landing to typed Parquet), `warehouse` (from Parquet
to DuckDB). `contract` says what an order is and serves all of them; `defs` is the only room that knows Dagster;
`sandbox` is a stand-in shop for development, demonstration and tests.

What is named in `__all__` is for a user's own package: the contract and marts and what extends them, the definitions,
and the tables as data frames.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from order_assets.contract import (
        CONTRACT,
        Column,
        Contract,
        ContractError,
        Document,
        Kind,
        Source,
        Table,
        column,
    )
    from order_assets.contract.model import (
        BIGINT,
        BOOLEAN,
        DATE,
        JSON,
        MONEY,
        TEXT,
        TIMESTAMP,
        Personal,
        decimal,
        order_pk,
        position,
    )
    from order_assets.defs.build import build_definitions
    from order_assets.defs.component import OmnitronOrders
    from order_assets.defs.keys import (
        lake_key,
        mart_key,
        order_documents_key,
        order_index_key,
        report_key,
        table_key,
        warehouse_key,
    )
    from order_assets.defs.partitions import daily_partitions
    from order_assets.errors import OrderAssetsError
    from order_assets.pipeline.pipeline import Pipeline, RunReport
    from order_assets.pipeline.read_tables import TableAccessError, read_table
    from order_assets.settings import Settings, SettingsError, read_settings, setting
    from order_assets.warehouse.marts import MARTS, Mart, MartError, Marts, load_marts

__all__ = [
    "BIGINT",
    "BOOLEAN",
    "CONTRACT",
    "DATE",
    "JSON",
    "MARTS",
    "MONEY",
    "TEXT",
    "TIMESTAMP",
    "Column",
    "Contract",
    "ContractError",
    "Document",
    "Kind",
    "Mart",
    "MartError",
    "Marts",
    "OmnitronOrders",
    "OrderAssetsError",
    "Personal",
    "Pipeline",
    "RunReport",
    "Settings",
    "SettingsError",
    "Source",
    "Table",
    "TableAccessError",
    "build_definitions",
    "column",
    "daily_partitions",
    "decimal",
    "lake_key",
    "load_marts",
    "mart_key",
    "order_documents_key",
    "order_index_key",
    "order_pk",
    "position",
    "read_settings",
    "read_table",
    "report_key",
    "setting",
    "table_key",
    "warehouse_key",
]

# Where each name is; everything else in `__all__` is of the contract's vocabulary.
_ROOMS = {
    "TableAccessError": "pipeline.read_tables",
    "read_table": "pipeline.read_tables",
    "CONTRACT": "contract",
    "OrderAssetsError": "errors",
    "Pipeline": "pipeline.pipeline",
    "RunReport": "pipeline.pipeline",
    "OmnitronOrders": "defs.component",
    "build_definitions": "defs.build",
    "daily_partitions": "defs.partitions",
    **dict.fromkeys(("Settings", "SettingsError", "read_settings", "setting"), "settings"),
    **dict.fromkeys(("MARTS", "Mart", "MartError", "Marts", "load_marts"), "warehouse.marts"),
    **{name: "defs.keys" for name in __all__ if name.endswith("_key")},
}

# Read by Arrow's allocator when pyarrow is first imported. Arrow needs its memory for moments, and the kernel clears
# a huge page whole however little of it is used: without this, clearing can be a third of the CPU of a flattened day.
os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")


def __getattr__(name: str) -> Any:
    # The contract is loaded by whoever reads a table, not by everybody who imports a part of the package.
    if name in __all__:
        return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'contract.model')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # `dg list components` looks for components among the names of a module.
    return sorted({*globals(), *__all__})
