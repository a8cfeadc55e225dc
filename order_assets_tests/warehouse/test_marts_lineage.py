"""Lineage: which columns of the contract a column of a mart says it comes from."""

from __future__ import annotations

import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse.marts_catalogue import FCT_ORDERS, MARTS
from order_assets.warehouse.marts_lineage import Columns, lineage_of, lineages


@pytest.fixture(scope="module")
def found() -> dict[str, Columns]:
    return lineages()


def test_every_declared_column_is_in_the_select_and_the_other_way_round(found: dict[str, Columns]) -> None:
    assert {mart: list(columns) for mart, columns in found.items()} == {mart.name: list(mart.columns) for mart in MARTS}


def test_a_column_leads_through_other_marts_to_the_tables_of_the_contract(found: dict[str, Columns]) -> None:
    assert found["agg_daily_sales"]["net_amount"] == [("orders", "amount"), ("orders", "refund_amount")]
    assert found["fct_orders"]["city"] == [("cities", "name")]
    assert found["fct_orders"]["distinct_skus"] == [("order_items", "product_sku")]
    assert found["fct_payments"]["bank"] == [("banks", "name")]
    assert found["dim_customers"]["first_order_at"] == [("orders", "date_placed")]
    assert ("loyalty_transactions", "amount") in found["fct_refunds"]["amount"]
    assert ("transactions", "is_succeeded") in found["fct_orders"]["paid_amount"]
    assert ("shipping_infos", "created_date") in found["fct_shipments"]["hours_to_ship"]


def test_every_source_is_a_column_of_the_warehouse(found: dict[str, Columns]) -> None:
    known = {(table.name, column) for table in CONTRACT for column in ("date", *table.column_names)}

    sources = {source for columns in found.values() for of_column in columns.values() for source in of_column}

    assert sources <= known
    without = {column for columns in found.values() for column, of_column in columns.items() if not of_column}
    assert without == {"source", "payment_kind"}


def test_no_mart_shows_what_names_a_person(found: dict[str, Columns]) -> None:
    personal = {
        (table.name, column.name)
        for table in CONTRACT
        for column in table.columns
        if column.personal is not None or column.gateway_text
    }

    assert personal
    shown = {source for columns in found.values() for of_column in columns.values() for source in of_column}
    assert shown & personal == set()


def test_the_lineage_of_one_mart_is_that_among_all(found: dict[str, Columns]) -> None:
    assert lineage_of(FCT_ORDERS) == found["fct_orders"]
