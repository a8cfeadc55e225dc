"""The keys of the assets, for whoever names an asset that another module makes, also in a user's own package.

With `shop` they are those of a shop that shares its Dagster instance with others.
"""

from __future__ import annotations

import dagster as dg

from order_assets.contract.model import Table


def table_key(table: Table | str, shop: str = "") -> dg.AssetKey:
    """The key of the asset that is a table's Parquet files."""
    return _key(shop, "tables", table if isinstance(table, str) else table.name)


def warehouse_key(name: str, shop: str = "") -> dg.AssetKey:
    """The key of a warehouse table's asset."""
    return _key(shop, "warehouse", name)


def mart_key(name: str, shop: str = "") -> dg.AssetKey:
    """The key of a mart's asset."""
    return _key(shop, "marts", name)


def order_index_key(shop: str = "") -> dg.AssetKey:
    """The key of the asset that is the list of orders."""
    return _key(shop, "order_index")


def lake_key(name: str, shop: str = "") -> dg.AssetKey:
    """The key of the asset that is the copy of a table or mart in the lake."""
    return _key(shop, "lake", name)


def order_documents_key(shop: str = "") -> dg.AssetKey:
    """The key of the asset that is the landed documents."""
    return _key(shop, "order_documents")


def report_key(shop: str = "") -> dg.AssetKey:
    """The key of the report's asset."""
    return _key(shop, "report")


def _key(shop: str, *path: str) -> dg.AssetKey:
    return dg.AssetKey([shop, *path] if shop else list(path))
