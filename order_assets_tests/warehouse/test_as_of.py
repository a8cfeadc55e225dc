"""The recipes of docs/as-of.md, run as they are written, and the versions of things that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from order_assets.contract import CONTRACT, Kind
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, at

NEXT, THIRD = DAY + timedelta(days=1), DAY + timedelta(days=2)
PAGE = Path(__file__).parents[2] / "docs" / "as-of.md"


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    folder = tmp_path / "empty"
    folder.mkdir()
    warehouse = Filled(empty_warehouse(folder), tmp_path)
    warehouse.connection.execute("UPDATE meta.settings SET time_zone = 'Europe/Istanbul'")
    yield warehouse
    warehouse.connection.close()


def recipe(number: int) -> str:
    return re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[number]


def test_an_order_gets_the_version_of_its_customer_that_held_when_it_was_placed(filled: Filled) -> None:
    def customer(pk: int, allowed: bool, hour: int) -> dict[str, object]:
        return {"pk": pk, "email_allowed": allowed, "modified_date": at(hour)}

    filled.add(a_shop(order(1, date_placed=at(9)), order(2, date_placed=at(12)), customers=[customer(7, True, 8)]))
    # The second day was read later, and shows a change that came between the two orders; the third the first again.
    filled.add(a_shop(order(3, date_placed=at(8, NEXT)), customers=[customer(7, False, 11)]), NEXT)
    late = order(4, date_placed=at(7, THIRD), customer_pk=8)
    filled.add(
        a_shop(late, customers=[customer(7, True, 8), customer(8, True, 20) | {"modified_date": at(9, THIRD)}]), THIRD
    )

    assert [tuple(row.values()) for row in filled.query(recipe(0))] == [
        (1, True),
        (2, False),
        (3, False),
        # Its only version is younger than the order.
        (4, None),
    ]
    versions = filled.query("SELECT valid_from f, valid_to t FROM versions.customers WHERE pk = 7 ORDER BY f")
    assert versions == [{"f": at(8), "t": at(11)}, {"f": at(11), "t": None}]


def test_a_thing_without_a_date_has_a_version_for_each_time_that_it_changed(filled: Filled) -> None:
    for number, label in enumerate(("3 taksit", "3 taksit", "Üç taksit", "3 taksit")):
        filled.add(a_shop(order(number + 1), installments=[{"pk": 5, "label": label}]), DAY + timedelta(days=number))

    found = filled.query("SELECT label l, valid_from f, valid_to t FROM versions.installments ORDER BY f")
    # Days of a file that was made for UTC.
    assert [tuple(row.values()) for row in found] == [
        ("3 taksit", at(0), at(0, THIRD)),
        ("Üç taksit", at(0, THIRD), at(0, DAY + timedelta(days=3))),
        ("3 taksit", at(0, DAY + timedelta(days=3)), None),
    ]


def test_what_was_known_on_an_evening_has_nothing_of_later_in_it(filled: Filled) -> None:
    def state(pk: int, status: str, seen: object, **values: object) -> dict[str, object]:
        return {"order_pk": pk, "observed_at": seen, "status": status, **values} | dict.fromkeys(
            ("shipping_info_count", "shipped_info_count"), 0
        )

    states = [
        state(1, "400", at(10)),
        state(1, "550", at(20, NEXT)),
        # Midnight in Istanbul is at 21:00 UTC.
        state(1, "600", at(21, NEXT), refund_amount=Decimal("10.00")),
        state(2, "400", at(22, NEXT)),
    ]
    filled.add(a_shop(order(1, status="600"), order(2), order_status_history=states))

    assert filled.query(recipe(1)) == [{"order_pk": 1, "status": "550", "refunded": 0}]


def test_every_thing_has_its_versions_and_the_keys_lead_to_columns_that_are_there(filled: Filled) -> None:
    views = filled.query("SELECT view_name v FROM duckdb_views() WHERE schema_name = 'versions'")
    assert {row["v"] for row in views} == {table.name for table in CONTRACT.of_kind(Kind.DIMENSION)}

    known = filled.query(
        "SELECT schema_name || '.' || table_name t, list(column_name) c FROM duckdb_columns() GROUP BY 1"
    )
    columns = {row["t"]: set(row["c"]) for row in known}
    keys = filled.query("SELECT * FROM meta.keys")
    for row in keys:
        assert set(row["columns"].split(", ")) <= columns[f"{row['schema_name']}.{row['table_name']}"], row
        if row["kind"] == "reference":
            assert set(row["references_columns"].split(", ")) <= columns[row["references_table"]], row
    shown = {tuple(row.values()) for row in keys}
    assert ("marts", "fct_payments", "reference", "date, order_pk", "marts.fct_orders", "date, order_pk") in shown
    assert ("orders", "order_items", "reference", "date, order_pk", "orders.orders", "date, pk") in shown
    assert ("orders", "orders", "reference", "customer_pk", "orders.customers", "pk") in shown
    assert ("marts", "fct_orders", "reference", "date", "marts.dim_dates", "day") in shown
