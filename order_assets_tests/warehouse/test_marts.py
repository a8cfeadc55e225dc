"""Marts: whether their figures are those of the orders, counted once, and which days a load touches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse import WarehouseError, drop_days, load_days, open_readonly, refresh_marts
from order_assets.warehouse.marts import MARTS
from order_assets.warehouse.marts.mart import Refresh
from order_assets.warehouse.marts.mart_checks import check_marts
from order_assets.warehouse.statements import names, statement
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, at, days, some_rows, write_day
from order_assets_tests.warehouse.recomputed_marts import Tables, recomputed
from order_assets_tests.warehouse.recomputed_sales import SETTINGS
from order_assets_tests.warehouse.sandbox_days import make_days

FCT_ORDERS = MARTS.mart("fct_orders")

NEXT = DAY + timedelta(days=1)
DAILY = [mart for mart in MARTS if mart.refresh is Refresh.DAYS]


@dataclass(frozen=True)
class Made:
    """Days of the stand-in in a warehouse, and the same marts made by other means."""

    root: Path
    days: list[date]
    expected: Mapping[str, pd.DataFrame]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("marts")
    made_days = make_days(root, date(2026, 1, 5), 4, 25)
    load_days(root, made_days, contract=CONTRACT, marts=MARTS, contract_version="1", settings=SETTINGS)
    return Made(root, made_days, recomputed(Tables(root, made_days)))


def load(root: Path, *wanted: date) -> Any:
    return load_days(root, wanted, contract=CONTRACT, marts=MARTS, contract_version="1")


def query(root: Path, sql: str) -> list[dict[str, Any]]:
    connection = open_readonly(root)
    try:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    finally:
        connection.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_warehouse(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def filled(empty: Path, tmp_path: Path) -> Iterator[Filled]:
    """A warehouse without rows, to be filled by hand."""
    warehouse = Filled(empty, tmp_path)
    yield warehouse
    warehouse.connection.close()


# Figures


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_every_row_is_what_pandas_makes_of_the_parquet_files(made: Made, mart: Any) -> None:
    expected = {
        tuple(_plain(row[column]) for column in mart.key): {name: _plain(value) for name, value in row.items()}
        for row in made.expected[mart.name].to_dict("records")
    }

    found = query(made.root, f"SELECT * FROM marts.{mart.name}")

    assert len(found) == len(expected) > 0
    for row in found:
        of_row = expected[tuple(row[column] for column in mart.key)]
        assert row.keys() == of_row.keys()
        for column, value in row.items():
            wanted = pytest.approx(of_row[column]) if isinstance(value, float) else of_row[column]
            assert value == wanted, (column, row)


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def test_the_marts_of_the_stand_in_hold_what_is_asked_of_them(made: Made) -> None:
    connection = open_readonly(made.root)
    found = list(check_marts(connection, made.days, MARTS, CONTRACT))
    connection.close()

    assert [finding for finding in found if not finding.passed] == []
    assert {"error", "warn"} == {finding.severity for finding in found}


def test_an_order_with_many_of_everything_is_counted_once_in_every_mart(filled: Filled) -> None:
    whole = order(1, amount=Decimal("112.00"), discount_amount=Decimal("18.00"), refund_amount=Decimal("30.00"))
    whole |= {"shipping_amount": Decimal("10.00"), "status": "550", "shipping_address_pk": 3}
    items = [
        {"order_pk": 1, "pk": 100 + n, "position": n, "price": Decimal("10.00"), "product_sku": f"S{n % 5}"}
        for n in range(12)
    ]
    items[0]["attributes"] = '{"quantity":3}'
    discounts = [{"order_pk": 1, "pk": 200 + n, "position": n, "amount": Decimal("6.00")} for n in range(3)]
    applicants = [
        {"order_pk": 1, "discount_item_pk": 200 + d, "role": role, "position": n, "order_item_pk": 100 + n}
        for d in range(3)
        for role in ("benefit", "condition")
        for n in range(12)
    ]
    moves = [("pre_purchase", "112.00"), ("purchase", "112.00"), ("refund", "10.00"), ("refund", "20.00")]
    transactions = [
        {
            "order_pk": 1,
            "pk": 300 + n,
            "position": n,
            "transaction_type": kind,
            "amount": Decimal(amount),
            "is_succeeded": True,
            "created_date": at(10 + n),
        }
        for n, (kind, amount) in enumerate(moves)
    ]
    infos = [{"order_pk": 1, "pk": 400 + n, "position": n, "is_send": n > 0, "created_date": at(12)} for n in range(3)]
    states = [
        {"order_pk": 1, "observed_at": at(10 + n), "status": status, "shipping_info_count": 0, "shipped_info_count": 0}
        for n, status in enumerate(("200", "400", "500", "500", "550"))
    ]
    plans = [{"order_pk": 1, "pk": 500 + n, "position": n, "status": "completed", "raw": "{}"} for n in range(2)]
    shop = a_shop(
        whole,
        order_items=items,
        discount_items=discounts,
        discount_applicants=applicants,
        transactions=transactions,
        shipping_infos=infos,
        order_status_history=states,
        cancellation_plans=plans,
        addresses=[{"pk": 3, "city_pk": 4}],
    )
    filled.add(shop)

    (row,) = filled.query("SELECT * FROM marts.fct_orders")
    amounts = ("gross_amount", "amount", "refunded_amount", "net_amount", "items_amount", "paid_amount")
    assert [row[name] for name in amounts] == [Decimal(n) for n in ("130", "112", "30", "82", "120", "112")]
    counts = ("items", "quantity", "distinct_skus", "discounts", "payment_attempts", "refunds", "status_changes")
    assert [row[name] for name in counts] == [12, 14, 5, 3, 2, 2, 3]
    assert filled.query("SELECT count(*) n, sum(price) p, max(discounts) d FROM marts.fct_order_items") == [
        {"n": 12, "p": Decimal(120), "d": 3}
    ]
    assert filled.query("SELECT count(*) n, sum(captured_amount) a FROM marts.fct_payments") == [
        {"n": 2, "a": Decimal(112)}
    ]
    assert filled.query("SELECT count(*) n, sum(amount) a FROM marts.fct_refunds") == [{"n": 2, "a": Decimal(30)}]
    assert filled.query("SELECT exchanges, accepted, hours_in_transit h FROM marts.fct_shipments") == [
        {"exchanges": 3, "accepted": 2, "h": 2.0}
    ]
    assert filled.query("SELECT orders, items, amount, net_amount n FROM marts.agg_daily_sales") == [
        {"orders": 1, "items": 12, "amount": Decimal(112), "n": Decimal(82)}
    ]
    assert filled.query("SELECT sale_count s, net_sales v FROM marts.agg_customer_currency") == [
        {"s": 1, "v": Decimal(72)}
    ]
    assert filled.query("SELECT geography_key k FROM marts.dim_geography") == [{"k": "0-4-0-0"}]


def test_amounts_of_two_currencies_are_never_added(filled: Filled) -> None:
    in_euro = {"order_pk": 1, "pk": 11, "position": 1, "price": Decimal("3.00"), "price_currency": "eur"}
    moves = [
        {"order_pk": 1, "position": n, "pk": 20 + n, "amount": Decimal("4.00"), "is_succeeded": True} | more
        for n, more in enumerate(
            (
                {"transaction_type": "purchase"},
                {"transaction_type": "purchase", "currency": "EUR"},
                {"transaction_type": "refund", "currency": "eur"},
            )
        )
    ]
    shop = a_shop(
        order(1, refund_amount=Decimal("2.00")),
        order(2, currency="EUR", amount=Decimal("5.00")),
        order_items=[{"order_pk": 1, "pk": 10, "position": 0, "price": Decimal("7.00")}, in_euro],
        transactions=moves,
    )
    filled.add(shop)

    assert filled.query("SELECT items, items_amount i, paid_amount p FROM marts.fct_orders WHERE order_pk = 1") == [
        {"items": 2, "i": Decimal("7.00"), "p": Decimal("4.00")}
    ]
    # What went back in euro does not make up for what the order says in lira.
    assert filled.query("SELECT currency c, amount a, source s FROM marts.fct_refunds ORDER BY c") == [
        {"c": "eur", "a": Decimal("4.00"), "s": "transactions"},
        {"c": "try", "a": Decimal("2.00"), "s": "orders"},
    ]
    assert filled.query("SELECT currency c, amount a FROM marts.agg_daily_sales ORDER BY c") == [
        {"c": "eur", "a": Decimal("5.00")},
        {"c": "try", "a": Decimal("10.00")},
    ]
    assert filled.query(
        "SELECT customer_pk k, currency c, lifetime_value v FROM marts.agg_customer_currency ORDER BY c"
    ) == [
        {"k": 7, "c": "eur", "v": Decimal("5.00")},
        {"k": 7, "c": "try", "v": Decimal("8.00")},
    ]


def test_a_payment_counts_the_tries_that_failed_before_it(filled: Filled) -> None:
    tries = [
        {"order_pk": 1, "pk": n, "position": n, "is_succeeded": good, "created_date": at(20 - n), "amount": Decimal(10)}
        for n, good in enumerate((True, False, None))
    ]
    loyalty = {"order_pk": 1, "position": 0, "amount": Decimal(1), "raw": json.dumps({"is_succeeded": False})}
    filled.add(a_shop(order(1), transactions=tries, loyalty_transactions=[loyalty]))

    found = filled.query("SELECT * FROM marts.fct_payments ORDER BY payment_kind, attempt_number")

    columns = ("payment_kind", "attempt_number", "succeeded", "retries_until_success", "captured_amount")
    assert [tuple(row[column] for column in columns) for row in found] == [
        ("credit_card", 1, False, 2, 0),
        ("credit_card", 2, False, 2, 0),
        ("credit_card", 3, True, 2, 10),
        ("loyalty_money", 1, False, None, 0),
    ]


def test_every_known_status_belongs_to_a_group_and_an_unknown_one_to_other(filled: Filled) -> None:
    known = list(CONTRACT.table("orders").column("status").values)
    filled.add(a_shop(*(order(pk, status=status) for pk, status in enumerate([*known, "777"], 1))))

    others = filled.query("SELECT status FROM marts.fct_orders WHERE status_group = 'other'")

    assert len(known) > 10
    assert others == [{"status": "777"}]


def test_what_a_marketplace_pays_back_is_a_refund_of_the_plan_that_was_carried_out(filled: Filled) -> None:
    statuses = ("completed", "rejected", "waiting")
    plans = [
        {"order_pk": 1, "pk": 50 + n, "position": n, "status": status, "plan_type": "refund", "modified_date": at(n)}
        for n, status in enumerate(statuses)
    ]
    filled.add(a_shop(order(1, refund_amount=Decimal("4.00")), order(2), cancellation_plans=plans))

    found = filled.query("SELECT * FROM marts.fct_refunds")

    columns = ("order_pk", "source", "position", "transaction_pk", "plan_pk", "plan_type", "refunded_at", "amount")
    assert [tuple(row[column] for column in columns) for row in found] == [
        (1, "cancellation_plans", 0, None, 50, "refund", at(0), Decimal("4.00"))
    ]


def test_a_first_state_dates_no_shipment_but_the_carrier_does(filled: Filled) -> None:
    state = {"order_pk": 1, "observed_at": at(20), "status": "550", "shipping_info_count": 1, "shipped_info_count": 1}
    info = {"order_pk": 1, "pk": 5, "position": 0, "is_send": True, "created_date": at(15), "shipping_company": "ups"}
    filled.add(a_shop(order(1, status="550"), shipping_infos=[info], order_status_history=[state]))

    (row,) = filled.query("SELECT * FROM marts.fct_shipments")

    assert (row["carrier"], row["shipped_from"], row["hours_to_ship"]) == ("ups", "shipping_infos", 6.0)
    assert (row["delivered_at"], row["delivered_from"]) == (None, None)


# Days


def test_a_refreshed_day_changes_only_its_rows(root: Path) -> None:
    three = days(3)
    for number, day in enumerate(three):
        item = {"order_pk": number, "pk": number, "position": 0, "price": Decimal("9.00")}
        move = {"order_pk": number, "pk": number, "position": 0, "amount": Decimal("1.00"), "is_succeeded": True}
        moves = [move, move | {"pk": number + 9, "position": 1, "transaction_type": "refund"}]
        shop = a_shop(
            order(number, date_placed=at(9, day), status="500"),
            order_items=[item],
            transactions=moves,
            discount_items=[{"order_pk": number, "pk": number, "position": 0, "amount": Decimal("1.00")}],
            cancellation_plans=[{"order_pk": number, "pk": number, "position": 0, "raw": "{}"}],
            order_status_history=[
                {"order_pk": number, "observed_at": at(9, day)}
                | dict.fromkeys(("shipping_info_count", "shipped_info_count"), 0)
            ],
            channels=[{"pk": 1}],
        )
        write_day(root, day, shop)
    load(root, *three)
    # How many sales a customer had before is the one thing that another day changes.
    columns = {m.name: "* EXCLUDE (customer_order_number)" if m.restated else "*" for m in DAILY}
    rows = {
        name: f"SELECT {c} FROM marts.{name} WHERE date <> '{three[1]}' ORDER BY ALL" for name, c in columns.items()
    }
    before = {mart: query(root, sql) for mart, sql in rows.items()}
    changed = order(9, amount=Decimal("77.00"), currency="usd")
    write_day(root, three[1], a_shop(changed, order(10)))

    report = load(root, three[1])

    assert {mart: query(root, sql) for mart, sql in rows.items()} == before
    assert all(before.values())
    found = query(root, f"SELECT order_pk FROM marts.fct_orders WHERE date = '{three[1]}' ORDER BY order_pk")
    assert [row["order_pk"] for row in found] == [9, 10]
    assert query(root, f"SELECT * FROM marts.fct_order_items WHERE date = '{three[1]}'") == []
    assert query(root, "SELECT currency, orders FROM marts.agg_customer_currency ORDER BY currency") == [
        {"currency": "try", "orders": 3},
        {"currency": "usd", "orders": 1},
    ]
    assert report.marts["fct_orders"].rows == {three[1]: 2}
    assert report.marts["fct_orders"].written == 2


def test_a_dropped_day_leaves_the_marts_too(root: Path) -> None:
    write_day(root, DAY, a_shop(order(1, customer_pk=6), customers=[{"pk": 6}]))
    write_day(root, NEXT, a_shop(order(2)))
    load(root, DAY, NEXT)

    drop_days(root, [DAY], contract=CONTRACT, marts=MARTS)

    for mart in DAILY:
        assert query(root, f"SELECT DISTINCT date FROM marts.{mart.name} WHERE date <> '{NEXT}'") == []
    assert query(root, "SELECT order_pk FROM marts.fct_orders") == [{"order_pk": 2}]
    assert query(root, "SELECT customer_pk FROM marts.dim_customers") == [{"customer_pk": 7}]


def test_a_refused_day_is_not_in_the_marts(root: Path) -> None:
    write_day(root, DAY, a_shop(order(1)))
    load(root, DAY)
    write_day(root, NEXT, a_shop(order(2)))
    (root / "tables" / "order_items" / f"date={NEXT}" / "part-0.parquet").unlink()

    with pytest.raises(WarehouseError, match="order_items"):
        load(root, DAY, NEXT)

    assert query(root, "SELECT order_pk FROM marts.fct_orders") == [{"order_pk": 1}]


def test_a_day_without_orders_gives_every_mart_without_rows(filled: Filled) -> None:
    for mart in MARTS:
        if mart.name == "dim_dates":
            continue
        declared = " WHERE NOT is_known" if mart.name == "dim_statuses" else ""
        assert filled.query(f"SELECT * FROM marts.{mart.name}{declared}") == []
    days = [row["date"] for row in filled.query("SELECT date FROM meta.days")]
    assert len(days) == 1
    assert [finding for finding in check_marts(filled.connection, days, MARTS, CONTRACT) if not finding.passed] == []


def test_a_mart_that_is_computed_in_another_way_now_is_made_anew_for_all_days(filled: Filled) -> None:
    filled.add(a_shop(order(1)), DAY, refresh=False)
    filled.add({"orders": [order(2)]}, NEXT)
    refresh_marts(filled.connection, [DAY], MARTS, CONTRACT)
    by_day = "SELECT amount a FROM marts.fct_orders ORDER BY date"
    filled.connection.execute("UPDATE marts.fct_orders SET amount = 0")
    refresh_marts(filled.connection, [NEXT], MARTS, CONTRACT)
    assert filled.query(by_day) == [{"a": 0}, {"a": 10}]
    other = replace(FCT_ORDERS, description="Orders, otherwise")

    refresh_marts(filled.connection, [NEXT], tuple(other if mart is FCT_ORDERS else mart for mart in MARTS), CONTRACT)

    assert filled.query(by_day) == [{"a": 10}, {"a": 10}]
    # What is made from it follows.
    assert filled.query("SELECT sum(amount) a FROM marts.agg_daily_sales") == [{"a": 20}]


def test_all_marts_can_be_made_anew(filled: Filled) -> None:
    filled.add(a_shop(order(1)))
    filled.connection.execute("UPDATE marts.fct_orders SET amount = 0; DROP TABLE marts.dim_geography")

    report = refresh_marts(filled.connection, None, MARTS, CONTRACT)

    assert filled.query("SELECT sum(amount) a FROM marts.fct_orders") == [{"a": 10}]
    assert report["fct_orders"].rows[DAY] == 1


def test_a_mart_that_is_no_more_goes_and_what_users_put_beside_it_stays(filled: Filled) -> None:
    filled.connection.execute("CREATE TABLE marts.mine AS SELECT 1 AS one")

    refresh_marts(filled.connection, [DAY], MARTS[:-1], CONTRACT)

    tables = filled.query("SELECT table_name t FROM duckdb_tables() WHERE schema_name = 'marts'")
    assert {row["t"] for row in tables} == {"mine", *(mart.name for mart in MARTS[:-1])}


def test_a_refresh_reads_only_the_rows_of_its_days(filled: Filled) -> None:
    four = days(4)
    for day in four:
        rows = some_rows(2, day)
        for table, of_table in rows.items():
            for row, of_order in zip(of_table, rows["orders"], strict=True):
                row |= {"order_pk": of_order["pk"]} if table != "orders" else {"refund_amount": Decimal("9.00")}
        rows["transactions"][1]["transaction_type"] = "refund"
        filled.add(rows, day, refresh=False)
    refresh_marts(filled.connection, None, MARTS, CONTRACT)
    # Not the first and the last: what every row fulfils is not asked of any.
    first, last = four[1:3]
    scanned = set()
    for mart in DAILY:
        sql = statement(
            "insert_mart_days", mart=f"marts.{mart.name}", select=mart.select(CONTRACT), key=names(mart.key)
        )
        select = sql.partition(f"INSERT INTO marts.{mart.name}")[2]
        parameters = {"days": [first, last], "first": first, "last": last}
        plan = filled.connection.execute(f"EXPLAIN (FORMAT json) {select}", parameters).fetchall()
        for scan in _scans(json.loads(plan[0][1])[0]):
            assert f"date >= '{first}'" in str(scan.get("Filters")), (mart.name, scan)
            scanned.add(scan["Table"].partition(".")[2])

    assert {"orders.orders", "history.addresses", "orders.cash_register_transactions", "marts.fct_orders"} <= scanned


def _scans(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "SCAN" in node["name"] and "Table" in node["extra_info"]:
        yield node["extra_info"]
    for child in node["children"]:
        yield from _scans(child)


# What the database says


def test_columns_and_descriptions_are_those_that_are_declared(made: Made) -> None:
    sql = "SELECT column_name n, comment c FROM duckdb_columns() WHERE schema_name = 'marts' AND table_name = '{}'"
    for mart in MARTS:
        found = query(made.root, f"{sql.format(mart.name)} ORDER BY column_index")
        assert [(row["n"], row["c"]) for row in found] == list(mart.columns.items()), mart.name
        assert set(mart.key) <= set(mart.columns)
    comments = query(made.root, "SELECT comment c FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY table_name")
    assert [row["c"] for row in comments] == [mart.comment for mart in sorted(MARTS, key=lambda mart: mart.name)]


def test_money_is_never_a_float(made: Made) -> None:
    sql = "SELECT column_name n, data_type t FROM duckdb_columns() WHERE schema_name = 'marts'"
    types = {(row["n"], row["t"]) for row in query(made.root, sql)}

    assert {name for name, type_ in types if type_ in ("DOUBLE", "FLOAT")} == {
        "hours_to_ship",
        "hours_in_transit",
        "hours_to_deliver",
        "hours_in_state",
    }
    amounts = {type_.split("(")[0] for name, type_ in types if name.endswith("_amount") or name == "lifetime_value"}
    assert amounts == {"DECIMAL"}
    # DuckDB's widest integer is a float in Parquet and in many clients.
    assert not [name for name, type_ in types if type_ == "HUGEINT"]
