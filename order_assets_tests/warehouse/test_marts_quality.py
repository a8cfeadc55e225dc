"""Quality of the marts: each rule says which rows break it, and only those."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from order_assets.warehouse import refresh_marts
from order_assets.warehouse.marts import Reference
from order_assets.warehouse.marts_catalogue import FCT_ORDER_ITEMS, FCT_ORDERS
from order_assets.warehouse.quality import (
    MartFinding,
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
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, Rows, at


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_warehouse(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def filled(empty: Path, tmp_path: Path) -> Iterator[Filled]:
    warehouse = Filled(empty, tmp_path)
    yield warehouse
    warehouse.connection.close()


def broken(filled: Filled) -> set[tuple[str, str]]:
    return {(f.mart, f.rule) for f in check_marts(filled.connection, [DAY]) if not f.passed}


def test_a_row_that_is_there_twice_breaks_the_grain(filled: Filled) -> None:
    filled.add(a_shop(order(1), order(2)))
    assert grain_is_unique(filled.connection, FCT_ORDERS, [DAY]).passed
    filled.connection.execute("INSERT INTO marts.fct_orders SELECT * FROM marts.fct_orders WHERE order_pk = 2")

    found = grain_is_unique(filled.connection, FCT_ORDERS, [DAY])

    assert (found.passed, found.severity, found.numbers) == (False, Severity.ERROR, {"keys": 1, "rows_too_many": 1})
    assert broken(filled) == {("fct_orders", "grain_is_unique"), ("agg_daily_sales", "daily_sales_equal_orders")}
    assert grain_is_unique(filled.connection, FCT_ORDERS, [DAY + timedelta(days=1)]).passed


def test_a_row_whose_order_is_not_there_breaks_the_reference(filled: Filled) -> None:
    filled.add(a_shop(order(1), order_items=[{"order_pk": 1, "pk": 5, "position": 0}]))
    filled.connection.execute("DELETE FROM marts.fct_orders")

    found = references_resolve(filled.connection, FCT_ORDER_ITEMS, FCT_ORDER_ITEMS.references[0], [DAY])

    assert (found.passed, found.numbers["rows"], found.numbers["values"]) == (False, 1, 1)
    assert "date, order_pk in marts.fct_orders" in found.explanation


def test_an_order_without_a_channel_names_none(filled: Filled) -> None:
    filled.add(a_shop(order(1, channel_pk=None), order(2, channel_pk=99)))
    to_channel = Reference(("channel_pk",), "orders", "channels", ("pk",))

    found = references_resolve(filled.connection, FCT_ORDERS, to_channel, [DAY])

    assert (found.numbers["rows"], found.numbers["values"]) == (1, 1)


def test_amounts_that_do_not_add_up_show_how_far_they_are_off_per_currency(filled: Filled) -> None:
    items: Rows = [
        {"order_pk": pk, "pk": pk, "position": 0, "price": Decimal(price), "price_currency": None}
        for pk, price in ((1, "12.00"), (2, "9.00"), (3, "10.00"), (4, "10.00"))
    ]
    discounted = order(1, discount_amount=Decimal("4.00"), shipping_amount=Decimal("2.00"))
    filled.add(
        a_shop(discounted, order(2), order(3), order(4, currency="eur"), order(5), order_items=items)  # 5 has no items
    )

    found = amounts_add_up(filled.connection, [DAY])

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

    found = status_goes_forward(filled.connection, [DAY])

    assert (found.passed, found.severity) == (False, Severity.ERROR)
    assert found.numbers == {"500 to 450": 2, "100 to 400": 1, "550 to 500": 1}
    assert "500 to 450 in 2 orders, as 7" in found.explanation
    filled.connection.execute(f"DELETE FROM orders.order_status_history WHERE order_pk > {len(lives)}")
    assert status_goes_forward(filled.connection, [DAY]).passed


def test_sales_that_are_not_the_sum_of_their_orders_are_found_to_the_cent(filled: Filled) -> None:
    filled.add(a_shop(order(1), order(2, currency=None, channel_pk=None)))
    assert daily_sales_equal_orders(filled.connection, [DAY]).passed
    filled.connection.execute("UPDATE marts.fct_orders SET net_amount = net_amount + 0.01 WHERE order_pk = 2")

    found = daily_sales_equal_orders(filled.connection, [DAY])

    assert (found.passed, found.numbers) == (False, {"groups": 1, "days": 1})
    refresh_marts(filled.connection, [DAY])
    assert daily_sales_equal_orders(filled.connection, [DAY]).passed


def test_a_day_with_far_fewer_orders_than_the_weekday_before_is_found(filled: Filled) -> None:
    for week, orders in enumerate((4, 5, 4, 1)):
        day = DAY + timedelta(weeks=week)
        filled.add({"orders": [order(week * 10 + n) for n in range(orders)]}, day, refresh=False)
    filled.add({"orders": []}, DAY + timedelta(weeks=3, days=1), refresh=False)
    refresh_marts(filled.connection, None)
    days = [DAY + timedelta(weeks=3), DAY + timedelta(weeks=2), DAY + timedelta(weeks=3, days=1)]

    def volume(**usual: int) -> MartFinding:
        return volume_as_usual(filled.connection, days, Usual(**usual))

    found = volume(few=2)
    assert (found.passed, found.severity) == (False, Severity.WARN)
    # Two days have too few of their weekday before them.
    assert found.numbers == {"days": 3, "days_compared": 1, "days_unusual": 1}
    assert found.explanation == f"{days[0]}: 1 orders, usually 4"
    assert volume(few=3).passed
    assert volume(few=2, known_weeks=4).passed
