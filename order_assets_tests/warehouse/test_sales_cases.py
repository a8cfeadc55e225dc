"""Sales of orders that are not plain, one order per case, each with the right values written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse import refresh_marts
from order_assets.warehouse.marts import MARTS
from order_assets.warehouse.marts.mart_checks import amounts_add_up, check_marts, quantities_are_read, sales_add_up
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, at

NEXT = DAY + timedelta(days=1)
ISTANBUL = "UPDATE meta.settings SET time_zone = 'Europe/Istanbul', prices_include_tax = true"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_warehouse(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def filled(empty: Path, tmp_path: Path) -> Iterator[Filled]:
    """A warehouse of a shop in Istanbul whose prices include tax."""
    warehouse = Filled(empty, tmp_path)
    warehouse.connection.execute(ISTANBUL)
    yield warehouse
    warehouse.connection.close()


def d(amount: float | str | None) -> Decimal | None:
    return None if amount is None else Decimal(str(amount)).quantize(Decimal("0.01"))


def item(pk: int, price: float, **values: Any) -> dict[str, Any]:
    """An item of the order whose pk is the item's without its last two digits, at 20 percent of tax."""
    amounts = {name: d(values.pop(name)) for name in ("discount_amount",) if name in values}
    plain = {"pk": pk, "order_pk": pk // 100, "position": pk % 100, "price": d(price), "tax_rate": Decimal(20)}
    return plain | {"product_sku": f"S{pk % 100}", "product_name": "Havlu"} | amounts | values


def placed(pk: int, amount: float, **values: Any) -> dict[str, Any]:
    """An order that was delivered, with its amounts in lira."""
    amounts = {name: d(values.pop(name)) for name in list(values) if name.endswith("_amount")}
    return order(pk, amount=d(amount), **{"status": "550"} | amounts | values)


@dataclass(frozen=True)
class Case:
    """An order with its items, and what it sold: the measures in the order of `MEASURES`, and the refund state."""

    what: str
    order: dict[str, Any]
    items: list[dict[str, Any]]
    sold: tuple[float | None, ...]
    refund_state: str = "none"


MEASURES = (
    "gross_sales",
    "order_discount",
    "canceled_sales",
    "returned_sales",
    "net_sales",
    "shipping_income",
    "total_sales",
    "tax_amount",
    "net_sales_excl_tax",
)
CASES = [
    Case(
        "a plain sale with a discount and shipping",
        placed(1, 110, discount_amount=20, shipping_amount=10),
        [item(100, 120, discount_amount=20)],
        (120, 20, 0, 0, 100, 10, 110, 16.67, 83.33),
    ),
    Case(
        "an item that was canceled before it was sent",
        placed(2, 100, refund_amount=40),
        [item(200, 60), item(201, 40, status="100")],
        (100, 0, 40, 0, 60, 0, 60, 10, 50),
        "partial",
    ),
    Case(
        "an item that came back, the freight did not",
        placed(3, 105, discount_amount=4, shipping_amount=5, refund_amount=30),
        [item(300, 72, discount_amount=2), item(301, 32, discount_amount=2, status="600")],
        (104, 4, 0, 30, 70, 5, 75, 11.67, 58.33),
        "partial",
    ),
    Case(
        "all came back, the freight too",
        placed(4, 60, status="600", shipping_amount=10, refund_amount=60, shipping_refund_amount=10),
        [item(400, 50)],
        (50, 0, 0, 50, 0, 0, 0, 0, 0),
        "full",
    ),
    Case(
        "only the freight was refunded",
        placed(5, 60, shipping_amount=10, refund_amount=10, shipping_refund_amount=10),
        [item(500, 50)],
        (50, 0, 0, 0, 50, 0, 50, 8.33, 41.67),
        "partial",
    ),
    Case(
        "a free order",
        placed(6, 0, discount_amount=25),
        [item(600, 25, discount_amount=25)],
        (25, 25, 0, 0, 0, 0, 0, 0, 0),
    ),
    Case(
        "an exchange: one item back, another sent in its place",
        placed(7, 80),
        [item(700, 80, status="600"), item(701, 80, parent_pk=700)],
        (160, 0, 0, 80, 80, 0, 80, 13.33, 66.67),
    ),
    Case(
        "a merged item of which one unit was split off and came back",
        placed(8, 90, refund_amount=30),
        [item(800, 60, attributes='{"quantity":2}'), item(850, 30, parent_pk=800, status="600")],
        (90, 0, 0, 30, 60, 0, 60, 10, 50),
        "partial",
    ),
    Case(
        "a cancellation that is only asked for",
        placed(9, 12, status="50"),
        [item(900, 12)],
        (12, 0, 0, 0, 12, 0, 12, 2, 10),
    ),
    Case("a canceled order", placed(10, 12, status="100", refund_amount=12), [item(1000, 12)], (0,) * 9, "full"),
    Case("an order that waits for its payment", placed(11, 12, status="300"), [item(1100, 12)], (0,) * 9),
    Case("an order that the shop deleted", placed(12, 12, tombstoned_at=at(20)), [item(1200, 12)], (0,) * 9),
    Case(
        "an item in another currency",
        placed(13, 10),
        [item(1300, 10), item(1301, 3, price_currency="EUR")],
        (10, 0, 0, 0, 10, 0, 10, 1.67, 8.33),
    ),
    Case(
        "an item whose tax rate is not known",
        placed(14, 30),
        [item(1400, 10), item(1401, 20, tax_rate=None)],
        (30, 0, 0, 0, 30, 0, 30, None, None),
    ),
    Case(
        "an unknown status", placed(15, 12, status="777"), [item(1500, 12, tax_rate=0)], (12, 0, 0, 0, 12, 0, 12, 0, 12)
    ),
]


@pytest.fixture(scope="module")
def sold(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A warehouse with all the cases in it."""
    warehouse = Filled(empty, tmp_path_factory.mktemp("sold"))
    warehouse.connection.execute(ISTANBUL)
    warehouse.add(a_shop(*(case.order for case in CASES), order_items=[item for case in CASES for item in case.items]))
    yield warehouse
    warehouse.connection.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_an_order_sold_what_is_written_beside_it(sold: Filled, case: Case) -> None:
    pk = case.order["pk"]
    (row,) = sold.query(f"SELECT * FROM marts.fct_orders WHERE order_pk = {pk}")

    assert {m: row[m] for m in MEASURES} == dict(zip(MEASURES, map(d, case.sold), strict=True))
    assert row["refund_state"] == case.refund_state
    of_items = "SELECT sum(net_sales) n, sum(gross_sales) g FROM marts.fct_order_items WHERE is_order_currency"
    assert sold.query(f"{of_items} AND order_pk = {pk}") == [{"n": row["net_sales"], "g": row["gross_sales"]}]


def test_all_cases_together_are_sums_per_currency_that_pass_their_checks(sold: Filled) -> None:
    net, total = (d(sum(case.sold[n] or 0 for case in CASES)) for n in (4, 6))
    daily = "SELECT currency c, sum(net_sales) n, sum(total_sales) t FROM marts.agg_daily_sales GROUP BY ALL"
    assert sold.query(daily) == [{"c": "try", "n": net, "t": total}]
    products = sold.query("SELECT currency c, sum(net_sales) n FROM marts.agg_daily_products GROUP BY ALL ORDER BY c")
    assert products == [{"c": "eur", "n": d(3)}, {"c": "try", "n": net}]
    assert sold.query("SELECT foreign_items f FROM marts.fct_orders WHERE order_pk = 13") == [{"f": 1}]
    assert only(sales_add_up, sold).passed
    wrong = [f for f in check_marts(sold.connection, [DAY], MARTS, CONTRACT) if not f.passed]
    # Discounts and refund transactions of their own are left out here, and an exchange has more items than amount.
    assert {f.name for f in wrong} <= {"discounts_agree", "amounts_add_up", "refunds_agree"}


def only(check: Any, filled: Filled) -> Any:
    mart = "fct_order_items" if check is quantities_are_read else "fct_orders"
    (found,) = check(filled.connection, MARTS.mart(mart), [DAY])
    return found


def test_units_that_were_canceled_or_returned_are_not_kept(filled: Filled) -> None:
    merged = '{"quantity":3}'
    items = [
        item(100, 30, attributes=merged),
        item(101, 30, attributes=merged, status="600"),
        item(102, 30, attributes=merged, status="100"),
    ]
    filled.add(a_shop(placed(1, 90), placed(2, 9, status="100"), order_items=[*items, item(200, 9)]))

    columns = "quantity q, returned_quantity r, quantity_net n, is_canceled c, is_returned b"
    found = filled.query(f"SELECT {columns} FROM marts.fct_order_items ORDER BY item_pk")
    assert [tuple(row.values()) for row in found] == [
        (3, 0, 3, False, False),
        (3, 3, 0, False, True),
        (3, 0, 0, True, False),
        (1, 0, 0, True, False),
    ]
    assert filled.query("SELECT sum(quantity_net) n, sum(returned_quantity) r FROM marts.fct_orders") == [
        {"n": 3, "r": 3}
    ]
    products = "SELECT sum(quantity) q, sum(canceled_quantity) c, sum(quantity_net) n FROM marts.agg_daily_products"
    assert filled.query(products) == [{"q": 9, "c": 3, "n": 3}]


@pytest.mark.long
@pytest.mark.parametrize(
    ("includes", "tax", "without"), [("true", "16.67", "83.33"), ("false", "20.00", "100.00"), ("NULL", None, None)]
)
def test_tax_is_taken_out_of_prices_only_where_somebody_said_that_it_is_in_them(
    filled: Filled, includes: str, tax: str | None, without: str | None
) -> None:
    filled.connection.execute(f"UPDATE meta.settings SET prices_include_tax = {includes}")
    filled.add(a_shop(placed(1, 100), order_items=[item(100, 100)]))

    for mart in ("fct_order_items", "fct_orders", "agg_daily_sales"):
        assert filled.query(f"SELECT tax_amount t, net_sales_excl_tax n FROM marts.{mart}") == [
            {"t": tax and Decimal(tax), "n": without and Decimal(without)}
        ]


@pytest.mark.long
def test_the_key_of_quantities_is_a_setting_and_another_that_looks_like_one_is_named(filled: Filled) -> None:
    filled.add(a_shop(placed(1, 10), order_items=[item(100, 10, attributes='{"renk": "Mavi", "adet": 5}')]))
    quantity = "SELECT quantity q FROM marts.fct_orders"
    assert filled.query(quantity) == [{"q": 1}]
    found = only(quantities_are_read, filled)
    assert (found.passed, found.numbers) == (False, {"items": 1, "another key: adet": 1})
    assert "ORDER_ASSETS_QUANTITY_ATTRIBUTE" in str(found)

    filled.connection.execute("UPDATE meta.settings SET quantity_attribute = 'adet'")
    refresh_marts(filled.connection, [], MARTS, CONTRACT)

    assert filled.query(quantity) == [{"q": 5}]
    assert only(quantities_are_read, filled).passed


def test_where_amounts_do_not_add_up_the_formula_that_fits_is_named(filled: Filled) -> None:
    discounted = placed(1, 100, discount_amount=20)
    with_interest = placed(2, 103, installment_interest_amount=3)
    filled.add(a_shop(discounted, with_interest, order_items=[item(100, 100), item(200, 100)]))

    found = only(amounts_add_up, filled)

    assert (found.numbers["orders_off"], found.numbers["without_discounts"], found.numbers["with_interest"]) == (
        2,
        1,
        1,
    )
    assert "with prices that have the discounts taken off already, is it in 1 of these" in str(found)


def test_money_of_a_fact_has_one_type_so_that_no_tool_has_to_choose(sold: Filled) -> None:
    types = sold.query(
        "SELECT table_name t, column_name c, data_type d FROM duckdb_columns() WHERE schema_name = 'marts'"
        " AND table_name IN ('fct_orders', 'fct_order_items', 'fct_order_discounts', 'fct_returns')"
        " AND data_type LIKE 'DECIMAL%' AND column_name NOT LIKE '%_rate'"
    )
    assert {row["d"] for row in types if "quantity" in row["c"]} == {"DECIMAL(18,3)"}
    assert {row["d"] for row in types if "quantity" not in row["c"]} == {"DECIMAL(18,2)"}


def test_each_definition_names_columns_that_are_there() -> None:
    text = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:fct|dim|agg)_\w+)\.(\w+)`", text)
    assert len(named) > 20
    assert [(mart, column) for mart, column in named if column not in MARTS.mart(mart).columns] == []


# Who bought


def test_a_customer_is_new_only_where_nothing_can_have_been_bought_before(filled: Filled) -> None:
    customers = [
        {"pk": 1, "user_type": "registered", "date_joined": at(8)},
        {"pk": 2, "user_type": "registered", "date_joined": at(8, date(2020, 1, 1))},
        {"pk": 3, "user_type": "guest", "date_joined": at(8)},
    ]
    orders = [
        placed(11, 1, customer_pk=1, status="100"),
        placed(12, 1, customer_pk=1, date_placed=at(10)),
        placed(13, 1, customer_pk=1, date_placed=at(11)),
        placed(21, 1, customer_pk=2),
        placed(31, 1, customer_pk=3),
        placed(41, 1, customer_pk=None),
    ]
    filled.add(a_shop(*orders, customers=customers))

    found = filled.query(
        "SELECT order_pk, customer_order_number, is_new_customer FROM marts.fct_orders ORDER BY order_pk"
    )
    assert [tuple(row.values()) for row in found] == [
        (11, None, None),
        (12, 1, True),
        (13, 2, False),
        (21, 1, None),
        (31, 1, None),
        (41, None, None),
    ]
    found = filled.query(
        "SELECT customer_pk, first_sale_order_pk, order_count, sale_count, is_first_order_certain"
        " FROM marts.dim_customers ORDER BY customer_pk"
    )
    assert [tuple(row.values()) for row in found] == [(1, 12, 3, 2, True), (2, 21, 1, 1, False), (3, 31, 1, 1, False)]


def test_the_number_of_an_order_follows_what_happens_on_an_older_day(filled: Filled) -> None:
    filled.add(a_shop(placed(2, 1, date_placed=at(9, NEXT))), NEXT)
    number = "SELECT customer_order_number n FROM marts.fct_orders WHERE order_pk = 2"
    assert filled.query(number) == [{"n": 1}]

    filled.add({"orders": [placed(1, 1)]})

    assert filled.query(number) == [{"n": 2}]
    filled.connection.execute("UPDATE orders.orders SET status = '100' WHERE pk = 1")
    refresh_marts(filled.connection, [DAY], MARTS, CONTRACT)
    assert filled.query(number) == [{"n": 1}]


@pytest.mark.long
def test_a_customer_has_one_row_and_an_amount_per_currency(filled: Filled) -> None:
    filled.add(a_shop(placed(1, 10), placed(2, 5, currency="EUR"), placed(3, 9, currency="EUR", status="200")))

    assert filled.query("SELECT customer_pk k, order_count o, sale_count s FROM marts.dim_customers") == [
        {"k": 7, "o": 3, "s": 2}
    ]
    amounts = "SELECT currency c, net_sales n, sale_count s FROM marts.agg_customer_currency ORDER BY c"
    assert filled.query(amounts) == [{"c": "eur", "n": d(5), "s": 1}, {"c": "try", "n": d(10), "s": 1}]


# What moved, and what is called otherwise


def test_an_order_that_moved_stands_on_its_new_day_alone_in_every_mart(filled: Filled) -> None:
    def shop(pk: int, day: date) -> dict[str, Any]:
        moved = placed(9, 10, date_placed=at(9, day), modified_date=at(10, day), refund_amount=4)
        things = {"order_items": [item(900, 10)], "cancellation_plans": [{"order_pk": 9, "position": 0, "raw": "{}"}]}
        return a_shop(moved, placed(pk, 1), **things) | {
            "transactions": [{"order_pk": 9, "pk": 1, "position": 0, "amount": d(10), "is_succeeded": True}],
        }

    filled.add(shop(1, DAY))
    rows = "SELECT date FROM marts.{} WHERE order_pk = 9"
    marts = [m.name for m in MARTS if "order_pk" in m.columns and filled.query(rows.format(m.name))]
    assert {"fct_orders", "fct_order_items", "fct_payments", "fct_refunds", "fct_returns"} <= set(marts)

    filled.add({name: of for name, of in shop(2, NEXT).items() if name not in ("channels", "customers")}, NEXT)

    for mart in marts:
        assert filled.query(rows.format(mart)) == [{"date": NEXT}], mart
    assert filled.query("SELECT date d, sum(amount) a FROM marts.agg_daily_sales GROUP BY ALL ORDER BY d") == [
        {"d": DAY, "a": d(1)},
        {"d": NEXT, "a": d(11)},
    ]
    assert not [
        f
        for f in check_marts(filled.connection, [DAY, NEXT], MARTS, CONTRACT)
        if f.severity == "error" and not f.passed
    ]
    # When the old day is refreshed nothing is left over; when the new day goes the old one counts again.
    for table in ("orders", "order_items"):
        column = "pk" if table == "orders" else "order_pk"
        filled.connection.execute(f"DELETE FROM orders.{table} WHERE {column} = 9 AND date = '{NEXT}'")
    refresh_marts(filled.connection, [NEXT], MARTS, CONTRACT)
    assert filled.query(rows.format("fct_orders")) == [{"date": DAY}]
    assert filled.query("FROM meta.superseded_orders") == []


@pytest.mark.long
def test_a_renamed_channel_has_its_newest_name_in_the_dimension_and_that_of_the_day_beside_the_order(
    filled: Filled,
) -> None:
    filled.add(a_shop(placed(1, 1)))
    filled.connection.execute("UPDATE orders.channels SET name = 'Mağaza'")
    refresh_marts(filled.connection, [], MARTS, CONTRACT)

    assert filled.query("SELECT channel_name n FROM marts.fct_orders") == [{"n": "Web"}]
    assert filled.query("SELECT channel_pk k, channel_name n FROM marts.dim_channels") == [{"k": 1, "n": "Mağaza"}]


@pytest.mark.long
def test_a_product_has_its_newest_name_and_the_days_of_its_sales(filled: Filled) -> None:
    filled.add(a_shop(placed(1, 1), order_items=[item(100, 1)]))
    second = [item(200, 1, product_name="Havlu, yeni"), item(201, 1, product_name=None, product_sku="S0")]
    filled.add({"orders": [placed(2, 1, date_placed=at(9, NEXT), status="100")], "order_items": second}, NEXT)

    found = filled.query("SELECT product_sku, product_name, first_sold, last_sold FROM marts.dim_products")
    assert [tuple(row.values()) for row in found] == [("S0", "Havlu, yeni", DAY, DAY)]


@pytest.mark.long
def test_an_order_of_the_late_evening_has_its_local_time(filled: Filled) -> None:
    filled.add(a_shop(placed(1, 1, date_placed=at(22))))
    assert filled.query("SELECT placed_local t, order_date d FROM marts.fct_orders") == [
        {"t": datetime(2026, 1, 2, 1), "d": DAY}
    ]


@pytest.mark.long
def test_what_was_paid_is_empty_where_nobody_knows_and_nothing_where_nothing_came_in(filled: Filled) -> None:
    options = [{"pk": 1, "payment_type": "marketplace"}, {"pk": 2, "payment_type": "funds_transfer"}]
    orders = (placed(1, 5, payment_option_pk=1), placed(2, 5, payment_option_pk=2, status="300"))
    filled.add(a_shop(*orders, payment_options=options))

    assert filled.query("SELECT paid_amount p FROM marts.fct_orders ORDER BY order_pk") == [{"p": None}, {"p": 0}]


# Discounts and returns


def test_amounts_that_are_none_cost_no_day_its_marts(filled: Filled) -> None:
    most = {"price": Decimal("9999999999999999.99"), "discount_amount": Decimal("-9999999999999999.99")}
    whole = placed(1, 1) | dict.fromkeys(("amount", "discount_amount", "shipping_refund_amount"), most["price"])
    filled.add(
        a_shop(
            whole | {"refund_amount": -most["price"]},
            placed(2, 1),
            order_items=[item(pk, 1, attributes='{"quantity":999999}') | most for pk in (100, 101)],
            discount_items=[{"order_pk": 1, "pk": 1, "position": 0, "amount": most["price"]}],
            discount_applicants=[
                {"order_pk": 1, "discount_item_pk": 1, "role": "benefit", "position": n, "order_item_pk": 100 + n}
                for n in (0, 1)
            ],
        )
    )

    found = filled.query("SELECT gross_sales g, net_sales n, total_sales t FROM marts.fct_orders ORDER BY order_pk")
    assert [tuple(row.values()) for row in found] == [(None, None, None), (0, d(1), d(1))]


def test_the_parts_of_a_discount_add_up_to_it_whatever_the_prices_are(filled: Filled) -> None:
    prices = {100: 10, 101: 10, 102: 10, 103: 0}
    discounts = [
        {"order_pk": 1, "pk": 1, "position": 0, "amount": d("10.00")},  # by price
        {"order_pk": 1, "pk": 2, "position": 1, "amount": d("0.01")},  # of an item without a price
        {"order_pk": 1, "pk": 3, "position": 2, "amount": d("5.00")},  # of no item that is there
        {"order_pk": 2, "pk": 4, "position": 0, "amount": d("3.00")},  # as the items say
    ]
    benefits = {1: (100, 101, 102), 2: (103,), 3: (999,), 4: (200, 201)}
    applicants = [
        {
            "order_pk": 2 if discount == 4 else 1,
            "discount_item_pk": discount,
            "role": "benefit",
            "position": n,
            "order_item_pk": pk,
        }
        for discount, items in benefits.items()
        for n, pk in enumerate(items)
    ]
    of_second = [item(200, 10, discount_amount=1), item(201, 20, discount_amount=2)]
    filled.add(
        a_shop(
            placed(1, 15, discount_amount="15.01"),
            placed(2, 27, discount_amount=3),
            order_items=[*(item(pk, price) for pk, price in prices.items()), *of_second],
            discount_items=discounts,
            discount_applicants=applicants,
        )
    )

    found = filled.query(
        "SELECT discount_item_pk, item_pk, allocated_amount, allocated_by FROM marts.fct_order_discounts ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in found] == [
        (1, 100, d("3.33"), "price"),
        (1, 101, d("3.33"), "price"),
        (1, 102, d("3.34"), "price"),
        (2, 103, d("0.01"), "price"),
        (3, None, d("5.00"), "whole"),
        (4, 200, d("1.00"), "item"),
        (4, 201, d("2.00"), "item"),
    ]


def test_a_return_names_its_item_its_reason_and_its_day_on_the_clock_of_the_shop(filled: Filled) -> None:
    raw = '{"cancel_items": [101, 999], "reasons": {"101": 4}}'
    plans = [
        {"order_pk": 1, "pk": 5, "position": 0, "plan_type": "refund", "status": "completed", "raw": raw},
        {"order_pk": 1, "pk": 6, "position": 1, "plan_type": "cancel", "status": "waiting", "raw": "{}"},
    ]
    times = {"created_date": at(22), "modified_date": at(23)}
    filled.add(
        a_shop(
            placed(1, 30, refund_amount=20),
            order_items=[item(100, 10), item(101, 20, status="600")],
            cancellation_plans=[plan | times for plan in plans],
        )
    )

    columns = "plan_pk, item_pk, is_carried_out, reason, requested_date, finished_date, quantity, amount"
    found = filled.query(f"SELECT {columns} FROM marts.fct_returns ORDER BY ALL")
    assert [tuple(row.values()) for row in found] == [
        (5, 101, True, "4", NEXT, NEXT, 1, d(20)),
        (5, 999, True, None, NEXT, NEXT, None, None),
        (6, None, False, None, NEXT, None, None, None),
    ]


@pytest.mark.long
def test_every_status_is_in_the_dimension_also_one_that_is_not_known(filled: Filled) -> None:
    filled.add(a_shop(placed(1, 1, status="777", status_display="?"), order_items=[item(100, 1, status="778")]))

    columns = "status, status_group, is_sale, is_open, is_final, is_known"
    found = filled.query(f"SELECT {columns} FROM marts.dim_statuses WHERE status IN ('50', '100', '550', '777', '778')")
    assert sorted(tuple(row.values()) for row in found) == [
        ("100", "canceled", False, False, True, True),
        ("50", "canceled", True, True, False, True),
        ("550", "delivered", True, False, True, True),
        ("777", "other", True, True, False, False),
        ("778", "other", True, True, False, False),
    ]
