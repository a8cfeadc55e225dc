"""A warehouse whose tables are filled by hand, without the load around it, and its marts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from order_assets.contract import CONTRACT, Kind
from order_assets.warehouse import load_days, refresh_marts
from order_assets.warehouse.marts import MARTS
from order_assets_tests.warehouse.inputs import DAY, Rows, at, write_day, write_table


def order(pk: int, **values: Any) -> dict[str, Any]:
    """A row of an order; what is not given is as plain as can be."""
    plain = {"pk": pk, "number": f"N{pk}", "date_placed": at(9), "status": "400", "currency": "try"}
    return plain | {"channel_pk": 1, "customer_pk": 7, "amount": Decimal("10.00")} | values


def a_shop(*orders: Mapping[str, Any], **others: Rows) -> dict[str, Rows]:
    """Rows of a day with these orders and what they point to."""
    things = {"channels": [{"pk": 1, "name": "Web"}], "customers": [{"pk": 7}]}
    return {"orders": list(orders), **things, **others}


def empty_warehouse(folder: Path) -> Path:
    """A warehouse file with a day without rows in it, to be copied."""
    write_day(folder, date(2000, 1, 1))
    load_days(folder, [date(2000, 1, 1)], contract=CONTRACT, marts=MARTS, contract_version="1")
    return folder / "warehouse.duckdb"


class Filled:
    """A copy of an empty warehouse, open for changes."""

    def __init__(self, empty: Path, folder: Path) -> None:
        self._folder = folder
        copy = folder / "warehouse.duckdb"
        shutil.copyfile(empty, copy)
        self.connection = duckdb.connect(copy)
        self.connection.execute("SET TimeZone = 'UTC'")

    def add(self, shop: Mapping[str, Rows], day: date = DAY, *, refresh: bool = True) -> None:
        """Add the rows of a day and make the marts of it; of a thing the day that is added last has the newest."""
        for name, rows in shop.items():
            table = CONTRACT.table(name)
            path = write_table(self._folder, day, table, rows)
            for schema in ("orders", "history") if table.kind is Kind.DIMENSION else ("orders",):
                rows_of = "read_parquet($path, hive_partitioning = false)"
                if table.kind is Kind.DIMENSION and schema == "orders":
                    newer = f"DELETE FROM orders.{name} WHERE pk IN (SELECT pk FROM {rows_of})"
                    self.connection.execute(newer, {"path": str(path)})
                self.connection.execute(
                    f"INSERT INTO {schema}.{name} BY NAME SELECT $day AS date, * FROM {rows_of}",
                    {"day": day, "path": str(path)},
                )
        self.connection.execute(
            "INSERT INTO meta.days (date, loaded_at, rows, contract_version) VALUES ($day, now(), 0, '1')", {"day": day}
        )
        if refresh:
            refresh_marts(self.connection, [day], MARTS, CONTRACT)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query, by column."""
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
