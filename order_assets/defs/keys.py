"""The keys of the assets, for whoever names an asset that another module makes."""

from __future__ import annotations

import dagster as dg

from order_assets.contract.model import Table
from order_assets.warehouse.marts import SCHEMA

ORDER_DOCUMENTS = dg.AssetKey("order_documents")


def table_key(table: Table) -> dg.AssetKey:
    """The key of the asset that is a table's Parquet files."""
    return dg.AssetKey(["tables", table.name])


def warehouse_key(name: str) -> dg.AssetKey:
    """The key of a warehouse table's asset."""
    return dg.AssetKey(["warehouse", name])


def mart_key(name: str) -> dg.AssetKey:
    """The key of a mart's asset."""
    return dg.AssetKey(["marts", name])


def place_key(schema: str, table: str) -> dg.AssetKey:
    """The key of the asset that a SELECT names as a table of a schema, `orders` or `marts`."""
    return mart_key(table) if schema == SCHEMA else warehouse_key(table)
