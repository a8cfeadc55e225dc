"""Money and sales of orders that are not plain: what is no money is not counted, what is no sale is not sold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_assets.contract import CONTRACT, Contract
from order_assets.contract.model import Effect, Status, TransactionKind
from order_assets.contract.tables.orders import STATUSES
from order_assets.core.check_result import CheckResult
from order_assets.export.dictionary import render_dictionary
from order_assets.landing.refetch_policy import is_open
from order_assets.warehouse import refresh_marts
from order_assets.warehouse.marts import MARTS
from order_assets.warehouse.marts.mart_checks import (
    check_marts,
    kinds_are_known,
    quantities_are_read,
    refunds_agree,
    status_goes_forward,
)
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, at

SETS = ("funds_transfer", "pay_on_delivery", "loyalty", "bex", "cash_register")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_warehouse(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def filled(empty: Path, tmp_path: Path) -> Iterator[Filled]:
    warehouse = Filled(empty, tmp_path)
    yield warehouse
    warehouse.connection.close()


def move(pk: int, kind: str | None, amount: str = "10.00", **values: Any) -> dict[str, Any]:
    plain = {"order_pk": 1, "pk": pk, "position": pk, "transaction_type": kind, "amount": Decimal(amount)}
    return plain | {"is_succeeded": True, "created_date": at(10)} | values


def only(findings: Iterator[CheckResult]) -> CheckResult:
    (found,) = findings
    return found


# Kinds of transactions


def test_only_kinds_that_are_known_to_take_money_are_captured_and_others_are_named(filled: Filled) -> None:
    kinds = ("pre_purchase", "PURCHASE ", "Refund", "cancel", "void", "Void", "", "chargeback 4111")
    moves = [move(pk, kind) for pk, kind in enumerate(kinds)]
    filled.add(a_shop(order(1, refund_amount=Decimal("10.00"), amount=Decimal("20.00")), transactions=moves))

    orders = filled.query("SELECT paid_amount p, payment_attempts n, refunds r FROM marts.fct_orders")
    assert orders == [{"p": Decimal("20.00"), "n": 3, "r": 1}]
    effects = filled.query("SELECT effect e, list_sort(list(kind)) k FROM marts.money_movements GROUP BY effect")
    assert {row["e"]: row["k"] for row in effects} == {
        "take": ["purchase", "purchase"],
        "reserve": ["pre_purchase"],
        "give_back": ["refund"],
        "none": ["cancel", "chargeback 4111", "void", "void"],
    }
    found = only(kinds_are_known(filled.connection, MARTS.mart("money_movements"), [DAY]))
    assert (found.passed, found.severity) == (False, "warn")
    numbers = {"transactions: void": 2, "transactions: cancel": 1, "transactions: (not a word)": 1}
    assert found.numbers == numbers
    assert "cancel in 1 rows of transactions, as order_pk 1, position 3" in str(found)
    assert "4111" not in str(found)


@pytest.mark.parametrize("name", SETS)
def test_sets_that_nobody_documents_are_held_to_the_same_kinds(filled: Filled, name: str) -> None:
    said: tuple[Mapping[str, Any], ...] = (
        {"transaction_type": "Refund"},
        {"transaction_type": "cancel"},
        {"transaction_type": 7},
        {"transaction_type": None},
        {},
        {"is_succeeded": "perhaps"},
        {"is_succeeded": False},
    )
    rows = [
        {"order_pk": 1, "position": n, "amount": Decimal("10.00"), "raw": json.dumps(raw)} for n, raw in enumerate(said)
    ]
    # Delivered, so that money which is paid at the door is there.
    bought = order(1, status="550", refund_amount=Decimal("10.00"))
    filled.add(a_shop(bought, **{f"{name}_transactions": rows}))

    assert filled.query("SELECT paid_amount p, refunds r FROM marts.fct_orders") == [{"p": Decimal("20.00"), "r": 1}]
    found = only(kinds_are_known(filled.connection, MARTS.mart("money_movements"), [DAY]))
    assert found.numbers == {f"{name}_transactions: cancel": 1, f"{name}_transactions: (not a word)": 1}


# Refunds


def test_one_refund_in_another_currency_than_the_order_is_one_refund(filled: Filled) -> None:
    refund = move(1, "refund", "3.00", currency="USD")
    filled.add(a_shop(order(1, refund_amount=Decimal("10.00")), transactions=[move(0, "purchase"), refund]))

    assert filled.query("SELECT refunds, refunded_amount a FROM marts.fct_orders") == [
        {"refunds": 1, "a": Decimal("10.00")}
    ]
    rows = "SELECT currency c, amount a, is_order_currency o, is_restated r FROM marts.fct_refunds ORDER BY c"
    assert filled.query(rows) == [
        {"c": "try", "a": Decimal("10.00"), "o": True, "r": True},
        {"c": "usd", "a": Decimal("3.00"), "o": False, "r": False},
    ]


def test_refunds_in_both_currencies_are_counted_as_the_transactions_that_they_are(filled: Filled) -> None:
    refunds = [move(1, "refund", "4.00"), move(2, "refund", "3.00", currency="USD"), move(3, "refund", currency="EUR")]
    refunds.append(move(4, "refund", currency="EUR", is_succeeded=False))
    filled.add(
        a_shop(
            order(1, refund_amount=Decimal("9.00")),
            order(2, refund_amount=Decimal("4.00")),
            transactions=[
                *refunds,
                move(5, "refund", "4.00", order_pk=2),
                move(6, "refund", order_pk=2, currency="usd"),
            ],
        )
    )

    found = filled.query(
        "SELECT order_pk k, currency c, sum(amount) a, bool_or(is_restated) r FROM marts.fct_refunds"
        " GROUP BY ALL ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in found] == [
        (1, "eur", Decimal("10.00"), False),
        (1, "try", Decimal("9.00"), True),
        (1, "usd", Decimal("3.00"), False),
        # All that the order says moved in its own currency, so what moved in another is no part of it.
        (2, "try", Decimal("4.00"), False),
        (2, "usd", Decimal("10.00"), False),
    ]
    assert [row["refunds"] for row in filled.query("SELECT refunds FROM marts.fct_orders ORDER BY order_pk")] == [3, 2]


def test_refund_transactions_and_the_refund_amount_of_an_order_that_contradict_each_other_are_found(
    filled: Filled,
) -> None:
    said = {1: None, 2: "5.00", 3: "4.00", 4: "5.00", 5: "5.00", 6: "0.00"}
    moves = [
        *(move(pk, "purchase", order_pk=pk) for pk in (1, 2, 3, 4, 6)),
        *(move(pk + 10, "refund", "5.00", order_pk=pk) for pk in (1, 3, 4)),
        move(16, "refund", "1.00", order_pk=6, currency="usd"),
    ]
    orders = [order(pk, refund_amount=amount and Decimal(amount)) for pk, amount in said.items()]
    filled.add(a_shop(*orders, transactions=moves))

    found = only(refunds_agree(filled.connection, MARTS.mart("fct_refunds"), [DAY]))

    assert (found.passed, found.severity) == (False, "warn")
    assert found.numbers == {
        "refund transactions, but no refund_amount": 2,
        "refund transactions above refund_amount": 1,
        "refund_amount, but no refund transaction": 1,
    }
    assert "refund_amount, but no refund transaction in 1 orders, as order_pk 2" in str(found)


# Quantities

UNREADABLE = {
    "2,5": "a text",
    "iki": "a text",
    "": "a text",
    "0x10": "a text",
    "1_000": "a text",
    "1.0005": "a text",
    "NaN": "a text",
    -1: "a number",
    0: "a number",
    0.0004: "a number",
    1e9: "a number",
    10**30: "a number",
    None: "null",
    True: "true or false",
}


def items_of(*attributes: str | None) -> list[dict[str, Any]]:
    return [
        {"order_pk": 1, "pk": 10 + n, "position": n, "attributes": text, "price": Decimal(1)}
        for n, text in enumerate(attributes)
    ]


def test_a_quantity_that_cannot_be_read_is_empty_and_its_item_is_named(filled: Filled) -> None:
    given = [*((json.dumps({"quantity": value}), kind) for value, kind in UNREADABLE.items())]
    given += [('{"quantity":[2]}', "a list"), ('{"quantity":{"value":2}}', "an object")]
    given += [
        ('"{\\"quantity\\":3}"', "attributes that are no object"),
        ('[{"quantity":3}]', "attributes that are no object"),
    ]
    filled.add(a_shop(order(1), order_items=items_of(*(text for text, _ in given))))

    wrong = filled.query("SELECT item_pk, quantity FROM marts.fct_order_items WHERE quantity IS NOT NULL")
    assert wrong == []
    assert filled.query("SELECT items, quantity q FROM marts.fct_orders") == [{"items": len(given), "q": None}]
    found = only(quantities_are_read(filled.connection, MARTS.mart("fct_order_items"), [DAY]))
    kinds = [kind for _, kind in given]
    assert (found.passed, found.severity) == (False, "warn")
    assert found.numbers == {"items": len(given), **{kind: kinds.count(kind) for kind in kinds}}
    assert "item_pk 10 of order_pk 1 has a text" in str(found)
    assert "2,5" not in str(found)
    assert [
        f.name for f in check_marts(filled.connection, [DAY], MARTS, CONTRACT) if not f.passed and f.severity == "error"
    ] == []


def test_a_quantity_that_is_a_number_counts_in_any_spelling_and_one_that_is_not_there_is_one(filled: Filled) -> None:
    given = {'{"quantity":3}': 3, '{"quantity":"3"}': 3, '{"quantity":" 2.50 "}': Decimal("2.5"), '{"quantity":2.0}': 2}
    given |= {'{"quantity":0.125}': Decimal("0.125"), '{"quantity":1e2}': 100, "{}": 1, "[]": 1, '"blue"': 1}
    filled.add(a_shop(order(1), order_items=items_of(*given, None)))

    found = filled.query("SELECT quantity q FROM marts.fct_order_items ORDER BY position")
    assert [row["q"] for row in found] == [*given.values(), 1]
    assert filled.query("SELECT quantity q FROM marts.agg_daily_sales") == [{"q": sum(given.values()) + 1}]
    assert only(quantities_are_read(filled.connection, MARTS.mart("fct_order_items"), [DAY])).passed


# Sales


def test_an_order_that_the_shop_deleted_stays_visible_and_is_no_sale_anywhere(filled: Filled) -> None:
    item = {"order_pk": 1, "pk": 5, "position": 0, "price": Decimal("10.00")}
    gone = order(1, status="550", tombstoned_at=at(20), refund_amount=Decimal("2.00"))
    shop = a_shop(gone, order(2), order_items=[item], transactions=[move(1, "purchase"), move(2, "refund", "2.00")])
    filled.add(shop)

    row = filled.query("SELECT status, status_group, is_sale, tombstoned_at FROM marts.fct_orders WHERE order_pk = 1")
    assert row == [{"status": "550", "status_group": "deleted", "is_sale": False, "tombstoned_at": at(20)}]
    sold = "SELECT sum(net_amount) n, sum(orders) o FROM marts.agg_daily_sales WHERE is_sale"
    assert filled.query(sold) == [{"n": Decimal("10.00"), "o": 1}]
    assert filled.query("SELECT orders, deleted_orders d, lifetime_value v FROM marts.agg_customer_currency") == [
        {"orders": 2, "d": 1, "v": Decimal("10.00")}
    ]
    for mart in ("fct_order_items", "fct_payments", "fct_refunds", "money_movements"):
        groups = filled.query(f"SELECT DISTINCT status_group g, is_sale s FROM marts.{mart} WHERE order_pk = 1")
        assert groups == [{"g": "deleted", "s": False}], mart


def test_sales_are_neither_waiting_nor_canceled_inactive_or_deleted(filled: Filled) -> None:
    filled.add(a_shop(*(order(pk, status=status) for pk, status in enumerate([*STATUSES, "777", None], 1))))

    no_sales = filled.query("SELECT status FROM marts.fct_orders WHERE NOT is_sale ORDER BY status")
    assert [row["status"] for row in no_sales] == ["100", "200", "300", "350", "425"]
    assert filled.query("SELECT count(*) n FROM marts.fct_orders WHERE is_sale IS NULL") == [{"n": 0}]


# One more known value


def with_status(code: str, status: Status) -> Contract:
    tables = [
        replace(
            table,
            columns=tuple(
                replace(column, values={**column.values, code: status}) if column.name == "status" else column
                for column in table.columns
            ),
        )
        if table.name == "orders"
        else table
        for table in CONTRACT
    ]
    return Contract(tuple(tables))


def test_one_more_status_reaches_the_marts_the_quality_check_and_the_dictionary(filled: Filled) -> None:
    contract = with_status("555", Status("left_at_the_door", "delivered", rank=6, sale=False, final=True))
    states = [
        {"order_pk": 1, "observed_at": at(n), "status": status, "shipping_info_count": 0, "shipped_info_count": 0}
        for n, status in enumerate(("555", "500"))
    ]
    filled.add(a_shop(order(1, status="555"), order_status_history=states))
    columns = "SELECT status_group g, is_sale s FROM marts.fct_orders"
    assert filled.query(columns) == [{"g": "other", "s": True}]
    assert only(status_goes_forward(filled.connection, MARTS.mart("fct_orders"), [DAY], CONTRACT)).passed

    refresh_marts(filled.connection, [], MARTS, contract)

    assert filled.query(columns) == [{"g": "delivered", "s": False}]
    assert only(status_goes_forward(filled.connection, MARTS.mart("fct_orders"), [DAY], contract)).numbers == {
        "555 to 500": 1
    }
    assert "`555` left\\_at\\_the\\_door (delivered, no sale, final)" in render_dictionary(contract, ())


def test_one_more_status_that_is_final_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_open("555", None)
    monkeypatch.setitem(STATUSES, "555", Status("left_at_the_door", "delivered", final=True))
    assert not is_open("555", None)
    assert is_open("555", "waiting")
    assert not is_open("555", "completed")


def test_one_more_kind_of_transaction_reaches_the_marts(filled: Filled) -> None:
    tables = [
        replace(
            table,
            columns=tuple(
                replace(column, values={**column.values, "post_purchase": TransactionKind(effect=Effect.TAKE)})
                if column.name == "transaction_type"
                else column
                for column in table.columns
            ),
        )
        if table.name == "transactions"
        else table
        for table in CONTRACT
    ]
    filled.add(a_shop(order(1), transactions=[move(1, "post_purchase")]))
    assert filled.query("SELECT paid_amount p FROM marts.fct_orders") == [{"p": None}]
    refresh_marts(filled.connection, [], MARTS, Contract(tuple(tables)))
    assert filled.query("SELECT paid_amount p FROM marts.fct_orders") == [{"p": Decimal("10.00")}]
