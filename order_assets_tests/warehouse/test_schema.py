"""The layout of the file: names, comments, and what happens when the contract changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from order_assets.contract import CONTRACT, Column, Contract, Kind
from order_assets.contract.model import BIGINT, TEXT, column, decimal
from order_assets.warehouse import WarehouseError, load_days, open_readonly
from order_assets.warehouse.marts import MARTS
from order_assets_tests.warehouse.inputs import DAY, write_day

NEXT = DAY + timedelta(days=1)


def with_orders(contract: Contract, *columns: Column) -> Contract:
    """The contract with these columns of orders instead of its own."""
    orders = replace(contract.table("orders"), columns=columns)
    return Contract(tuple(orders if table.name == "orders" else table for table in contract))


def load(root: Path, contract: Contract, day: Any = DAY, rows: Any = ()) -> None:
    write_day(root, day, {"orders": rows}, contract=contract)
    load_days(root, [day], contract=contract, marts=MARTS if contract == CONTRACT else (), contract_version="1")


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = open_readonly(root)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


NAMES = ("orders", "main.orders", "orders.orders", "orders.transactions", "transactions", "order_ledger")


def test_tables_have_their_names_in_the_file_opened_directly_or_attached(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"orders": [{"pk": 1}], "transactions": [{"pk": 2}]}, contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    file = root / "warehouse.duckdb"
    with (
        open_readonly(root) as ours,
        duckdb.connect(file, read_only=True) as direct,
        duckdb.connect() as other,
    ):
        other.execute(f"ATTACH '{file}' AS shop (READ_ONLY)")
        for table in NAMES:
            for connection, path in ((ours, table), (direct, table), (other, f"shop.{table}")):
                assert connection.execute(f"SELECT date FROM {path}").fetchall() == [(DAY,)]
        other.execute("USE shop")
        for table in NAMES:
            assert other.execute(f"SELECT date FROM {table}").fetchall() == [(DAY,)]


def test_tables_views_and_columns_say_what_they_mean(root: Path) -> None:
    load(root, CONTRACT)
    tables = dict(query(root, "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables()"))
    views = dict(
        query(root, "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal")
    )
    columns = {
        tuple(row[:3]): row[3]
        for row in query(root, "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()")
    }
    for table in CONTRACT:
        assert tables[f"orders.{table.name}"].startswith(table.description)
        assert "Grain: one row per" in tables[f"orders.{table.name}"]
        assert views[table.name] == tables[f"orders.{table.name}"]
        for each in table.columns:
            assert columns["orders", table.name, each.name] == each.description
            assert columns["main", table.name, each.name] == each.description
    assert "one row per pk" in tables["orders.customers"]
    assert "one row per customer and day" in tables["history.customers"]
    assert all(tables[f"meta.{name}"] for name in ("days", "order_ledger"))


def test_a_new_column_keeps_the_rows_of_days_loaded_before(root: Path, few: Contract) -> None:
    load(root, few, rows=[{"pk": 1, "number": "A1"}])
    first, *rest = few.table("orders").columns
    wider = with_orders(few, first, column("gift_note", TEXT, "Note on the gift"), *rest)

    load(root, wider, NEXT, [{"pk": 2, "gift_note": "for you", "number": "B2"}])

    assert query(root, "SELECT pk, gift_note, number FROM orders ORDER BY pk") == [
        (1, None, "A1"),
        (2, "for you", "B2"),
    ]
    names = [row[0] for row in query(root, "DESCRIBE orders")]
    assert names == ["date", *wider.table("orders").column_names]
    comment = "SELECT comment FROM duckdb_columns() WHERE column_name = 'gift_note' AND schema_name = 'main'"
    assert query(root, comment) == [("Note on the gift",)]


def test_a_new_column_of_a_thing_reaches_its_history_and_its_newest_version(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"customers": [{"pk": 1}]}, contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    customers = few.table("customers")
    wider = replace(customers, columns=(*customers.columns, column("tier", TEXT, "Tier")))
    changed = Contract(tuple(wider if table.name == "customers" else table for table in few))
    write_day(root, NEXT, {"customers": [{"pk": 2, "tier": "gold"}]}, contract=changed)

    load_days(root, [NEXT], contract=changed, marts=(), contract_version="2")

    for table in ("customers", "history.customers"):
        assert query(root, f"SELECT pk, tier FROM {table} ORDER BY pk") == [(1, None), (2, "gold")]


def test_a_removed_column_goes_and_the_rows_stay(root: Path, few: Contract) -> None:
    load(root, few, rows=[{"pk": 1}])
    narrow = with_orders(few, *(each for each in few.table("orders").columns if each.name != "number"))
    load(root, narrow, NEXT, [{"pk": 2}])
    assert query(root, "SELECT pk FROM orders ORDER BY pk") == [(1,), (2,)]
    assert "number" not in [row[0] for row in query(root, "DESCRIBE orders")]


def test_a_required_column_is_asked_for_once_no_old_row_lacks_it(root: Path, few: Contract) -> None:
    load(root, few, rows=[{"pk": 1}])
    stricter = with_orders(few, *few.table("orders").columns, column("shop", TEXT, "Shop", required=True))

    def nullable() -> list[tuple[Any, ...]]:
        return query(root, "SELECT is_nullable FROM duckdb_columns() WHERE table_name = 'orders'"
                           " AND schema_name = 'orders' AND column_name = 'shop'")  # fmt: skip

    load(root, stricter, NEXT, [{"pk": 2}])
    assert nullable() == [(True,)]
    load(root, stricter, DAY, [{"pk": 1}])
    load(root, stricter, NEXT, [{"pk": 2}])
    assert nullable() == [(False,)]
    assert query(root, "SELECT pk, shop FROM orders ORDER BY pk") == [(1, "x"), (2, "x")]


def test_a_thing_from_before_a_column_was_required_can_still_come_back(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"customers": [{"pk": 1}]}, contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    customers = few.table("customers")
    stricter = replace(customers, columns=(*customers.columns, column("tier", TEXT, "Tier", required=True)))
    changed = Contract(tuple(stricter if table.name == "customers" else table for table in few))
    for rows in ([{"pk": 1}], [{"pk": 2}], []):
        write_day(root, NEXT, {"customers": rows}, contract=changed)
        load_days(root, [NEXT], contract=changed, marts=(), contract_version="2")
    assert query(root, "SELECT pk, tier FROM customers") == [(1, None)]


def test_a_table_that_became_a_thing_asks_for_a_rebuild(root: Path, few: Contract) -> None:
    load(root, few)
    orders = replace(few.table("orders"), kind=Kind.DIMENSION)
    with pytest.raises(WarehouseError, match="table orders became thing"):
        load(root, Contract(tuple(orders if table.name == "orders" else table for table in few)), NEXT)


PK = column("pk", BIGINT, "Key", required=True)


def test_a_wider_type_takes_the_old_values_over(root: Path, few: Contract) -> None:
    load(
        root,
        with_orders(few, PK, column("sum", decimal(9, 2), "S")),
        rows=[{"pk": 1, "sum": Decimal("1.25")}],
    )
    wider = with_orders(few, PK, column("sum", decimal(18, 4), "S"))
    load(root, wider, NEXT, [{"pk": 2, "sum": Decimal("2.1234")}])
    assert query(root, "SELECT sum FROM orders ORDER BY pk") == [(Decimal("1.2500"),), (Decimal("2.1234"),)]


def test_a_narrower_type_never_rounds_old_values(root: Path, few: Contract) -> None:
    wide = with_orders(few, PK, column("sum", decimal(18, 4), "S"))
    load(root, wide, rows=[{"pk": 1, "sum": Decimal("2.1234")}])
    before = (root / "warehouse.duckdb").read_bytes()
    with pytest.raises(WarehouseError, match=r"column sum of orders\.orders changed from DECIMAL\(18,4\) to"):
        load(root, with_orders(few, PK, column("sum", decimal(9, 2), "S")), NEXT)
    assert (root / "warehouse.duckdb").read_bytes() == before


def test_a_table_that_left_the_contract_leaves_the_warehouse(root: Path, few: Contract) -> None:
    load(root, few)
    load(root, Contract(tuple(table for table in few if table.name != "customers")), NEXT)
    left = "SELECT * FROM duckdb_columns() WHERE table_name = 'customers'"
    assert query(root, left) == []


def test_what_users_add_to_the_file_survives_loads(root: Path, few: Contract) -> None:
    load(root, few, rows=[{"pk": 1}])
    with duckdb.connect(root / "warehouse.duckdb") as own:
        own.execute("CREATE VIEW main.mine AS SELECT * FROM orders.orders")
        own.execute("CREATE SCHEMA marts; CREATE TABLE marts.revenue AS SELECT 1 AS lira")
    load(root, few, NEXT, [{"pk": 2}])
    assert query(root, "SELECT count(*) FROM mine") == [(2,)]
    assert query(root, "SELECT lira FROM marts.revenue") == [(1,)]


def test_a_load_under_an_unchanged_contract_rebuilds_nothing(root: Path, few: Contract) -> None:
    load(root, few)
    oids = (
        "SELECT table_name, table_oid FROM duckdb_tables()"
        " UNION ALL SELECT view_name, view_oid FROM duckdb_views() WHERE NOT internal"
    )
    before = sorted(query(root, oids))
    load(root, few, NEXT)
    assert sorted(query(root, oids)) == before
