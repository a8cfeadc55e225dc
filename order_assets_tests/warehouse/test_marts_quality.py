"""Quality of the marts: each rule says which rows break it, and only those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from order_assets.contract import CONTRACT
from order_assets.core.check_result import CheckResult
from order_assets.warehouse import WarehouseError, load_days, refresh_marts
from order_assets.warehouse.marts import MARTS, Marts, Reference
from order_assets.warehouse.marts.mart_checks import (
    QualityError,
    Severity,
    Usual,
    amounts_add_up,
    check_marts,
    daily_sales_equal_orders,
    grain_is_unique,
    references_resolve,
    status_goes_forward,
    volume_as_usual,
)
from order_assets.warehouse.marts.mart_rules import ADVICE, rules_of
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, Rows, at, write_day

DIM_CUSTOMERS = MARTS.mart("dim_customers")
FCT_ORDER_ITEMS = MARTS.mart("fct_order_items")
FCT_ORDERS = MARTS.mart("fct_orders")

NEXT = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_warehouse(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def filled(empty: Path, tmp_path: Path) -> Iterator[Filled]:
    warehouse = Filled(empty, tmp_path)
    yield warehouse
    warehouse.connection.close()


def broken(filled: Filled) -> set[tuple[str, str]]:
    return {(f.asset, f.name) for f in check_marts(filled.connection, [DAY], MARTS, CONTRACT) if not f.passed}


def only(findings: Iterator[CheckResult]) -> CheckResult:
    (found,) = findings
    return found


def test_each_mart_has_one_finding_per_rule_and_day_and_what_is_whole_one_for_all(filled: Filled) -> None:
    filled.add(a_shop(order(1)), DAY)
    filled.add({"orders": [order(2)]}, NEXT)

    findings = list(check_marts(filled.connection, [DAY, NEXT], MARTS, CONTRACT))

    expected: list[tuple[str, str, date | None]] = [
        (mart.name, rule, day)
        for mart in MARTS
        for rule in rules_of(mart)
        for day in ((None,) if mart.refresh == "whole" else (DAY, NEXT))
    ]
    assert sorted((f.asset, f.name, str(f.day)) for f in findings) == sorted((m, r, str(d)) for m, r, d in expected)
    assert all(f.passed for f in findings)


def test_a_row_that_is_there_twice_breaks_the_grain(filled: Filled) -> None:
    filled.add(a_shop(order(1), order(2)))
    assert only(grain_is_unique(filled.connection, FCT_ORDERS, [DAY])).passed
    filled.connection.execute("INSERT INTO marts.fct_orders SELECT * FROM marts.fct_orders WHERE order_pk = 2")

    found, next_day = grain_is_unique(filled.connection, FCT_ORDERS, [DAY, NEXT])

    assert (found.passed, found.severity, found.numbers) == (False, Severity.ERROR, {"keys": 1, "rows_too_many": 1})
    assert "for example order_pk = 2 (order number N2). " + ADVICE["grain_is_unique"] in str(found)
    assert broken(filled) == {("fct_orders", "grain_is_unique"), ("agg_daily_sales", "daily_sales_equal_orders")}
    assert next_day.passed


def test_three_keys_that_are_there_twice_are_named_with_the_numbers_of_their_orders(filled: Filled) -> None:
    filled.add(a_shop(*map(order, (1, 2, 3, 4))))
    filled.connection.execute("INSERT INTO marts.fct_orders SELECT * FROM marts.fct_orders")

    found = only(grain_is_unique(filled.connection, FCT_ORDERS, [DAY]))

    three = "order_pk = 1 (order number N1); order_pk = 2 (order number N2); order_pk = 3 (order number N3). "
    assert f"4 keys are there more than once, 4 rows too many; for example {three}" in str(found)


def test_a_customer_who_is_there_twice_breaks_the_grain_of_all_days(filled: Filled) -> None:
    filled.add(a_shop(order(1)))
    filled.connection.execute("INSERT INTO marts.dim_customers FROM marts.dim_customers")

    found = only(grain_is_unique(filled.connection, DIM_CUSTOMERS, [DAY]))

    assert (found.passed, found.day) == (False, None)
    assert "customer_pk = 7" in str(found)


def test_a_row_whose_order_is_not_there_breaks_the_reference(filled: Filled) -> None:
    filled.add(a_shop(order(1), order_items=[{"order_pk": 1, "pk": 5, "position": 0}]))
    filled.connection.execute("DELETE FROM marts.fct_orders")

    found, next_day = references_resolve(filled.connection, FCT_ORDER_ITEMS, [DAY, NEXT])

    assert (found.passed, found.numbers) == (False, {"date, order_pk in marts.fct_orders": 1})
    assert "1 rows name 1 values of date, order_pk in marts.fct_orders that are not there" in str(found)
    assert "for example item_pk = 5 names 2026-01-01, 1" in str(found)
    assert next_day.passed


def test_an_order_without_a_channel_names_none(filled: Filled) -> None:
    filled.add(a_shop(order(1, channel_pk=None), order(2, channel_pk=99)))
    to_channel = Reference(("channel_pk",), "orders", "channels", ("pk",))

    found = only(references_resolve(filled.connection, replace(FCT_ORDERS, references=(to_channel,)), [DAY]))

    assert found.numbers == {"channel_pk in orders.channels": 1}
    assert "order_pk = 2 names 99" in str(found)


def test_amounts_that_do_not_add_up_show_how_far_they_are_off_per_currency(filled: Filled) -> None:
    items: Rows = [
        {"order_pk": pk, "pk": pk, "position": 0, "price": Decimal(price), "price_currency": None}
        for pk, price in ((1, "12.00"), (2, "9.00"), (3, "10.00"), (4, "10.00"))
    ]
    discounted = order(1, discount_amount=Decimal("4.00"), shipping_amount=Decimal("2.00"))
    filled.add(
        a_shop(discounted, order(2), order(3), order(4, currency="eur"), order(5), order_items=items)  # 5 has no items
    )

    found = only(amounts_add_up(filled.connection, MARTS.mart("fct_orders"), [DAY]))

    assert (found.passed, found.severity) == (False, Severity.WARN)
    assert found.numbers == {
        "orders": 4,
        "orders_off": 1,
        "try_least": "0.00",
        "try_p05": "0.00",
        "try_median": "0.00",
        "try_p95": "1.00",
        "try_most": "1.00",
    }
    assert "in 1 of 4 orders" in str(found)
    assert "order_pk 2. " in str(found)


def test_a_status_goes_back_only_through_a_cancellation_that_is_not_through(filled: Filled) -> None:
    lives = [
        ("200", "400", "500", "550", "600"),
        ("300", "350", "400", "425", "400"),
        ("450", "50", "100"),
        ("450", "50", "450"),
        ("550", "546", "547"),
        ("450", "777", "500"),
    ]
    going_back = [("500", "450"), ("550", "50", "500"), ("100", "400"), ("200", "500", "450")]
    states = [
        {"order_pk": pk, "observed_at": at(n + 1), "status": s, "shipping_info_count": 0, "shipped_info_count": 0}
        for pk, life in enumerate([*lives, *going_back], 1)
        for n, s in enumerate(life)
    ]
    orders = [order(pk) for pk in range(1, len(lives) + len(going_back) + 1)]
    filled.add(a_shop(*orders, order_status_history=states))

    found = only(status_goes_forward(filled.connection, MARTS.mart("fct_orders"), [DAY], CONTRACT))

    assert (found.passed, found.severity) == (False, Severity.ERROR)
    assert found.numbers == {"500 to 450": 2, "100 to 400": 1, "550 to 500": 1}
    assert "500 to 450 in 2 orders, as order_pk 7" in str(found)
    filled.connection.execute(f"DELETE FROM orders.order_status_history WHERE order_pk > {len(lives)}")
    assert only(status_goes_forward(filled.connection, MARTS.mart("fct_orders"), [DAY], CONTRACT)).passed


def test_sales_that_are_not_the_sum_of_their_orders_are_found_to_the_cent(filled: Filled) -> None:
    filled.add(a_shop(order(1), order(2, currency=None, channel_pk=None)))
    assert only(daily_sales_equal_orders(filled.connection, MARTS.mart("agg_daily_sales"), [DAY])).passed
    filled.connection.execute("UPDATE marts.fct_orders SET net_amount = net_amount + 0.01 WHERE order_pk = 2")

    found = only(daily_sales_equal_orders(filled.connection, MARTS.mart("agg_daily_sales"), [DAY]))

    assert (found.passed, found.numbers) == (False, {"groups": 1})
    assert "channel_pk None, None, in_progress" in str(found)
    refresh_marts(filled.connection, [DAY], MARTS, CONTRACT)
    assert only(daily_sales_equal_orders(filled.connection, MARTS.mart("agg_daily_sales"), [DAY])).passed


def test_a_day_with_far_fewer_orders_than_the_weekday_before_is_found(filled: Filled) -> None:
    for week, orders in enumerate((4, 5, 4, 1)):
        day = DAY + timedelta(weeks=week)
        filled.add({"orders": [order(week * 10 + n) for n in range(orders)]}, day, refresh=False)
    filled.add({"orders": []}, DAY + timedelta(weeks=3, days=1), refresh=False)
    refresh_marts(filled.connection, None, MARTS, CONTRACT)
    days = [DAY + timedelta(weeks=3), DAY + timedelta(weeks=2), DAY + timedelta(weeks=3, days=1)]

    def volume(**usual: int) -> dict[date, CheckResult]:
        return {
            f.day: f
            for f in volume_as_usual(filled.connection, MARTS.mart("fct_orders"), days, Usual(**usual))
            if f.day is not None
        }

    found = volume(few=2)
    assert {day for day, finding in found.items() if not finding.passed} == {days[0]}
    assert found[days[0]].severity is Severity.WARN
    assert found[days[0]].numbers == {"orders": 1, "weeks_compared": 3, "usual": 4.0}
    assert str(found[days[0]]).startswith("1 orders, usually 4. ")
    assert "only 2 of the weekdays before are loaded" in str(found[days[1]])
    assert volume(few=3)[days[0]].passed
    assert volume(few=2, known_weeks=4)[days[0]].passed


def test_a_mart_with_a_broken_grain_is_never_published(tmp_path: Path) -> None:
    for day in (DAY, NEXT):
        write_day(tmp_path, day, a_shop(order(day.toordinal())))
    load_days(tmp_path, [DAY], contract=CONTRACT, marts=MARTS, contract_version="1")
    before = (tmp_path / "warehouse.duckdb").read_bytes()
    twice = replace(FCT_ORDERS, sql=f"SELECT * FROM ({FCT_ORDERS.sql}) UNION ALL SELECT * FROM ({FCT_ORDERS.sql})")
    marts = Marts(twice if mart is FCT_ORDERS else mart for mart in MARTS)

    with pytest.raises(QualityError) as refused:
        load_days(tmp_path, [NEXT], contract=CONTRACT, marts=marts, contract_version="1")

    assert isinstance(refused.value, WarehouseError)
    # The mart was made anew for all days, so the day that was loaded before is wrong as well.
    assert refused.value.days == {DAY, NEXT}
    assert {f.asset for f in refused.value.findings} == {"fct_orders"}
    assert "fct_orders 2026-01-01: 1 keys are there more than once" in str(refused.value)
    assert (tmp_path / "warehouse.duckdb").read_bytes() == before
