"""The order of the vendor's documentation, in the tables."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from order_assets.contract import CONTRACT
from order_assets.contract.arrow import arrow_schema
from order_assets.tables import FlattenReport, table_file
from order_assets_tests.tables.days import DAY, faults, flatten, landed, order, rows_of, utc

ONE_ROW = (
    "orders",
    "order_status_history",
    "transactions",
    "shipping_infos",
    "addresses",
    "customers",
    "countries",
    "cities",
    "townships",
    "districts",
    "channels",
    "payment_options",
    "installments",
    "cards",
    "banks",
    "card_types",
    "pos",
    "cargo_companies",
)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FlattenReport]:
    root = tmp_path_factory.mktemp("documented")
    return root, flatten(root, landed(order()))


def test_every_table_has_as_many_rows_as_the_order_has_objects(day: tuple[Path, FlattenReport]) -> None:
    root, report = day
    expected = {table.name: 0 for table in CONTRACT} | dict.fromkeys(ONE_ROW, 1) | {"integration_mappings": 6}
    found = {table.name: len(rows_of(root, table.name)) for table in CONTRACT}
    assert found == expected
    assert found == dict(report.rows)
    assert faults(root, report) == []


def test_values_of_the_order_are_exact(day: tuple[Path, FlattenReport]) -> None:
    (found,) = rows_of(day[0], "orders")
    facts: dict[str, Any] = {
        "pk": 27,
        "number": "bf7b66149236455",
        "status": "400",
        "amount": Decimal("16.40"),
        "net_shipping_amount": Decimal("8.50"),
        "date_placed": utc("2017-01-30T08:28:26.158165"),
        "customer_pk": 1103,
    }
    assert {name: found[name] for name in facts} == facts


def test_the_order_was_modified_when_its_copy_in_the_transaction_says(day: tuple[Path, FlattenReport]) -> None:
    (found,) = rows_of(day[0], "orders")
    assert found["modified_date"] == utc("2017-02-02T17:03:37.189715")


def test_each_mapping_knows_what_it_maps(day: tuple[Path, FlattenReport]) -> None:
    owners = {row["pk"]: row["owner_type"] for row in rows_of(day[0], "integration_mappings")}
    places = {1: "country", 25: "city", 28: "township"}
    assert owners == {905: "order", 902: "address", 903: "address"} | places


def test_every_column_has_its_declared_type_and_description(day: tuple[Path, FlattenReport]) -> None:
    for table in CONTRACT:
        found = pq.read_schema(table_file(day[0], table.name, DAY))
        assert found.equals(arrow_schema(table), check_metadata=False), table.name
        described = [found.field(name).metadata[b"description"].decode() for name in found.names]
        assert described == [column.description for column in table.columns]


def test_a_day_without_orders_has_every_table_and_column(tmp_path: Path) -> None:
    report = flatten(tmp_path)
    for table in CONTRACT:
        found = pq.read_table(table_file(tmp_path, table.name, DAY))
        assert found.num_rows == 0
        assert found.schema.equals(arrow_schema(table)), table.name
    assert (report.orders, faults(tmp_path, report)) == (0, [])
