"""Lineage: which columns of the contract a column of a mart says it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse.marts import MARTS, Marts
from order_assets.warehouse.marts.mart_facts import mart_facts
from order_assets.warehouse.marts.mart_lineage import tables_read

AGG_DAILY_SALES = MARTS.mart("agg_daily_sales")
FCT_ORDERS = MARTS.mart("fct_orders")

Found = dict[str, Mapping[str, Sequence[tuple[str, str]]]]


@pytest.fixture(scope="module")
def found() -> Found:
    return {mart: facts.origins for mart, facts in mart_facts(MARTS, CONTRACT).items()}


def test_every_declared_column_is_in_the_select_and_the_other_way_round(found: Found) -> None:
    assert {mart: list(columns) for mart, columns in found.items()} == {mart.name: list(mart.columns) for mart in MARTS}


def test_a_column_leads_through_other_marts_to_the_tables_of_the_contract(found: Found) -> None:
    assert found["agg_daily_sales"]["net_amount"] == [("orders", "amount"), ("orders", "refund_amount")]
    assert found["fct_orders"]["city"] == [("cities", "name")]
    assert found["fct_orders"]["distinct_skus"] == [("order_items", "product_sku")]
    assert found["fct_payments"]["bank"] == [("banks", "name")]
    assert found["dim_customers"]["first_order_at"] == [("orders", "date_placed")]
    assert ("loyalty_transactions", "amount") in found["fct_refunds"]["amount"]
    assert ("transactions", "is_succeeded") in found["fct_orders"]["paid_amount"]
    assert ("shipping_infos", "created_date") in found["fct_shipments"]["hours_to_ship"]


def test_every_source_is_a_column_of_the_warehouse(found: Found) -> None:
    known = {(table.name, column) for table in CONTRACT for column in ("date", *table.column_names)}

    sources = {source for columns in found.values() for of_column in columns.values() for source in of_column}

    assert sources <= known
    # What a status means is declared, not read.
    made = {mart: columns for mart, columns in found.items() if mart not in ("dim_statuses", "dim_dates")}
    without = {column for columns in made.values() for column, of_column in columns.items() if not of_column}
    assert without == {"source", "collected", "to_group", "payments", "refunds", "items"}


def test_no_mart_shows_what_names_a_person(found: Found) -> None:
    personal = {
        (table.name, column.name)
        for table in CONTRACT
        for column in table.columns
        if column.personal is not None or column.gateway_text
    }

    assert personal
    shown = {source for columns in found.values() for of_column in columns.values() for source in of_column}
    assert shown & personal == set()


def test_a_mart_reads_what_its_select_joins_and_no_name_of_its_own(found: Found) -> None:
    assert tables_read(AGG_DAILY_SALES, CONTRACT) == [("marts", "fct_orders")]
    assert ("orders", "channels") in tables_read(FCT_ORDERS, CONTRACT)  # the history of a thing counts as the thing
    known = {("orders", table.name) for table in CONTRACT} | {("marts", mart.name) for mart in MARTS}
    assert {place for mart in MARTS for place in tables_read(mart, CONTRACT)} <= known


def test_what_dagster_shows_is_derived_from_the_sql_of_today_and_kept(tmp_path: Path) -> None:
    facts = mart_facts(MARTS, CONTRACT, cache=tmp_path)
    assert facts["fct_orders"].types["amount"] == "DECIMAL(18,2)"
    assert facts["agg_daily_sales"].sources["net_amount"] == [("marts", "fct_orders", "net_amount")]
    assert facts["agg_daily_sales"].origins["net_amount"] == [("orders", "amount"), ("orders", "refund_amount")]
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    assert mart_facts(MARTS, CONTRACT, cache=tmp_path) == facts
    assert kept.stat().st_mtime_ns == written
    kept.write_text("{", encoding="utf-8")
    assert mart_facts(MARTS, CONTRACT, cache=tmp_path) == facts
    # Another SELECT, or other columns below it, is another mart.
    own = MARTS + Marts([replace(AGG_DAILY_SALES, name="own", sql=f"{AGG_DAILY_SALES.sql} -- changed")])
    assert set(mart_facts(own, CONTRACT, cache=tmp_path)) == {*facts, "own"}
    assert len(list(tmp_path.iterdir())) == 2
