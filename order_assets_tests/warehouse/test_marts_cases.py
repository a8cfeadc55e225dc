"""Payments, refunds, parcels and states, one order per case, each with the right value written out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse import refresh_marts
from order_assets.warehouse.marts import MARTS
from order_assets_tests.warehouse.filled import Filled, a_shop, empty_warehouse, order
from order_assets_tests.warehouse.inputs import DAY, Rows, at

NEXT = DAY + timedelta(days=1)
OPTIONS = [
    {"pk": number, "name": kind, "payment_type": kind}
    for number, kind in enumerate(("credit_card", "pay_on_delivery", "funds_transfer", "marketplace"), 1)
]
CARD, ON_DELIVERY, TRANSFER, MARKETPLACE = (option["pk"] for option in OPTIONS)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_warehouse(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def filled(empty: Path, tmp_path: Path) -> Iterator[Filled]:
    """A warehouse without rows, of a shop in Istanbul."""
    warehouse = Filled(empty, tmp_path)
    warehouse.connection.execute("UPDATE meta.settings SET time_zone = 'Europe/Istanbul'")
    yield warehouse
    warehouse.connection.close()


def card(position: int, kind: str = "purchase", amount: str = "10.00", **values: Any) -> dict[str, Any]:
    plain = {"order_pk": 1, "pk": position, "position": position, "transaction_type": kind, "amount": Decimal(amount)}
    return plain | {"is_succeeded": True, "created_date": at(10 + position)} | values


def other(order_pk: int, amount: str = "10.00", *, kind: str = "purchase", **values: Any) -> dict[str, Any]:
    raw = json.dumps({"transaction_type": kind})
    plain = {"order_pk": order_pk, "pk": order_pk, "position": 0, "amount": Decimal(amount), "raw": raw}
    return plain | {"created_date": at(10), "modified_date": at(22)} | values


def state(order_pk: int, status: str, hour: int, **values: Any) -> dict[str, Any]:
    plain = {"order_pk": order_pk, "observed_at": at(hour), "status": status}
    return plain | {"shipping_info_count": 0, "shipped_info_count": 0} | values


def shop(*orders: dict[str, Any], **others: Rows) -> dict[str, Rows]:
    return a_shop(*orders, payment_options=OPTIONS, **others)


def amounts(filled: Filled, order_pk: int = 1) -> list[tuple[Any, ...]]:
    """State, captured, authorised and expected of each attempt of an order."""
    rows = filled.query(
        "SELECT capture_state, captured_amount, authorised_amount, expected_amount FROM marts.fct_payments"
        f" WHERE order_pk = {order_pk} ORDER BY source, position"
    )
    return [tuple(row.values()) for row in rows]


# Payments


def test_an_authorisation_is_not_captured_until_a_purchase_takes_it(filled: Filled) -> None:
    reserved = card(0, "pre_purchase")
    filled.add(
        shop(order(1), order(2), transactions=[reserved, reserved | {"order_pk": 2, "pk": 9}, card(1, order_pk=2)])
    )

    assert amounts(filled) == [("authorised", 0, Decimal("10.00"), 0)]
    question = Path(__file__).parents[2] / "examples" / "questions" / "authorised_not_captured.sql"
    (answer,) = filled.query(question.read_text(encoding="utf-8"))
    assert answer == {"order_date": DAY, "order_pk": 1, "currency": "try", "authorised": Decimal("10.00")}
    assert amounts(filled, 2) == [("authorised", 0, 0, 0), ("captured", Decimal("10.00"), 0, 0)]
    kinds = filled.query(
        "SELECT attempt_kind k, is_retry r FROM marts.fct_payments WHERE order_pk = 2 ORDER BY position"
    )
    assert kinds == [{"k": "authorisation", "r": False}, {"k": "purchase", "r": False}]


def test_a_split_capture_takes_its_parts_off_the_oldest_authorisation_and_is_no_retry(filled: Filled) -> None:
    moves = [card(0, "pre_purchase", "100.00"), card(1, "pre_purchase", "50.00")]
    moves += [card(2, amount="60.00"), card(3, amount="70.00")]
    filled.add(shop(order(1, amount=Decimal("150.00")), transactions=moves))

    assert amounts(filled) == [
        ("authorised", 0, 0, 0),
        ("authorised", 0, Decimal("20.00"), 0),
        ("captured", Decimal("60.00"), 0, 0),
        ("captured", Decimal("70.00"), 0, 0),
    ]
    assert filled.query("SELECT count(*) n FROM marts.fct_payments WHERE is_retry") == [{"n": 0}]


def test_retries_after_failures_are_told_and_a_failed_attempt_names_no_bank(filled: Filled) -> None:
    tries = [card(0, is_succeeded=False), card(1, is_succeeded=False), card(2)]
    paid = order(1, installment_pk=5, installment_count=3, installment_interest_amount=Decimal("1.20"))
    cards = {
        "installments": [{"pk": 5, "card_pk": 6}],
        "cards": [{"pk": 6, "name": "Bonus", "bank_pk": 7}],
        "banks": [{"pk": 7, "name": "Garanti"}],
    }
    filled.add(shop(paid, transactions=tries, **cards))

    rows = filled.query(
        "SELECT capture_state, is_retry, bank, card_pk, interest_amount FROM marts.fct_payments ORDER BY position"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("failed", False, None, None, 0),
        ("failed", True, None, None, 0),
        ("captured", True, "Garanti", 6, Decimal("1.20")),
    ]
    assert filled.query("SELECT card_pk k, name n, bank b FROM marts.dim_cards") == [
        {"k": 6, "n": "Bonus", "b": "Garanti"}
    ]


def test_the_interest_of_a_split_capture_counts_once(filled: Filled) -> None:
    paid = order(1, installment_interest_amount=Decimal("1.20"))
    filled.add(shop(paid, transactions=[card(0, "pre_purchase"), card(1, amount="4.00"), card(2, amount="6.00")]))

    assert filled.query("SELECT sum(interest_amount) i FROM marts.fct_payments") == [{"i": Decimal("1.20")}]


def test_a_payment_on_delivery_is_expected_until_the_order_is_delivered(filled: Filled) -> None:
    statuses = {1: "350", 2: "500", 3: "550", 4: "100", 5: "50", 6: "777", 7: "600", 8: "425"}
    orders = [order(pk, status=status, payment_option_pk=ON_DELIVERY) for pk, status in statuses.items()]
    delivered = {"order_pk": 3, "pk": 30, "position": 0, "delivered_date": at(23)}
    filled.add(shop(*orders, pay_on_delivery_transactions=[other(pk) for pk in statuses], order_items=[delivered]))

    ten = Decimal("10.00")
    expected, captured, none = ("expected", 0, 0, ten), ("captured", ten, 0, 0), ("unknown", None, None, None)
    found = {pk: amounts(filled, pk)[0] for pk in statuses}
    assert found == {
        1: expected,
        2: expected,
        3: captured,
        4: ("lapsed", 0, 0, 0),
        # A cancellation that is only asked for.
        5: expected,
        # Codes that nobody knows, and orders that rest, say nothing.
        6: none,
        7: captured,
        8: none,
    }
    # Three hours ahead: the money of 23:00 UTC came in on the next day.
    dates = filled.query("SELECT payment_date d, is_estimated_date e FROM marts.fct_payments WHERE order_pk IN (2, 3)")
    assert dates == [{"d": DAY, "e": False}, {"d": NEXT, "e": True}]


def test_a_transfer_is_expected_while_the_order_waits_and_there_once_it_was_approved(filled: Filled) -> None:
    statuses = {1: "300", 2: "400", 3: "100", 4: "100", 5: "100", 6: "100"}
    orders = [order(pk, status=status, payment_option_pk=TRANSFER) for pk, status in statuses.items()]
    orders[5]["refund_amount"] = Decimal("10.00")
    seen = [state(3, "300", 10), state(3, "100", 12), state(4, "400", 10), state(4, "100", 12), state(5, "100", 12)]
    filled.add(shop(*orders, funds_transfer_transactions=[other(pk) for pk in statuses], order_status_history=seen))

    ten = Decimal("10.00")
    assert [amounts(filled, pk)[0] for pk in statuses] == [
        ("expected", 0, 0, ten),
        ("captured", ten, 0, 0),
        # Never approved, then canceled: it did not come. One that was approved did.
        ("lapsed", 0, 0, 0),
        ("captured", ten, 0, 0),
        # Seen as canceled only: nobody knows, but what went back had come.
        ("unknown", None, None, None),
        ("captured", ten, 0, 0),
    ]
    dates = filled.query("SELECT payment_date d, is_estimated_date e FROM marts.fct_payments WHERE order_pk < 3")
    # The row was changed at 22:00 UTC, when the money came.
    assert dates == [{"d": DAY, "e": False}, {"d": NEXT, "e": True}]


def test_an_order_of_a_marketplace_has_one_row_of_which_nothing_is_known(filled: Filled) -> None:
    filled.add(shop(order(1, payment_option_pk=MARKETPLACE), order(2, payment_option_pk=CARD)))

    assert filled.query("SELECT * EXCLUDE (date) FROM marts.fct_payments WHERE order_pk = 2") == []
    (row,) = filled.query("SELECT * FROM marts.fct_payments")
    assert (row["source"], row["payment_method"], row["capture_state"]) == ("orders", "marketplace", "unknown")
    assert (row["amount"], row["captured_amount"], row["payment_date"]) == (Decimal("10.00"), None, None)
    # It is no attempt.
    assert filled.query("SELECT DISTINCT payment_attempts n FROM marts.fct_orders") == [{"n": 0}]


def test_a_part_in_loyalty_money_is_told_from_the_option_that_was_chosen(filled: Filled) -> None:
    bought = order(1, payment_option_pk=CARD)
    filled.add(shop(bought, transactions=[card(1, amount="7.00")], loyalty_transactions=[other(1, "3.00")]))

    rows = filled.query(
        "SELECT payment_option_type o, payment_method m, captured_amount a FROM marts.fct_payments ORDER BY m"
    )
    assert rows == [
        {"o": "credit_card", "m": "credit_card", "a": Decimal("7.00")},
        {"o": "credit_card", "m": "loyalty_money", "a": Decimal("3.00")},
    ]


# Money by the day that it moved on


def test_cash_stands_on_the_day_that_it_moved_on_by_currency_and_means(filled: Filled) -> None:
    moves = [
        card(0, created_date=at(22)),
        card(1, amount="5.00", currency="EUR"),
        card(2, "refund", "4.00", created_date=at(3, DAY + timedelta(days=9))),
        card(3, is_succeeded=False),
        card(4, "pre_purchase"),
    ]
    market = order(2, payment_option_pk=MARKETPLACE, refund_amount=Decimal("2.00"), modified_date=at(8, NEXT))
    filled.add(shop(order(1, refund_amount=Decimal("4.00")), market, transactions=moves))

    found = filled.query("SELECT * FROM marts.agg_daily_cash ORDER BY ALL")
    assert [tuple(row.values()) for row in found] == [
        (DAY, "eur", "credit_card", 1, 0, Decimal("5.00"), 0, Decimal("5.00")),
        (NEXT, "try", "credit_card", 1, 0, Decimal("10.00"), 0, Decimal("10.00")),
        # What a marketplace paid back was never ours: what came in is not known, and so is the net.
        (NEXT, "try", "marketplace", 0, 1, None, Decimal("2.00"), None),
        (DAY + timedelta(days=9), "try", "credit_card", 0, 1, 0, Decimal("4.00"), Decimal("-4.00")),
    ]


def test_a_refund_in_another_currency_is_cash_once(filled: Filled) -> None:
    moves = [card(0), card(1, "refund", "3.00", currency="USD")]
    filled.add(shop(order(1, refund_amount=Decimal("10.00")), transactions=moves))

    found = filled.query("SELECT currency c, refunds n, refunded_amount a FROM marts.agg_daily_cash ORDER BY c")
    assert found == [{"c": "try", "n": 0, "a": 0}, {"c": "usd", "n": 1, "a": Decimal("3.00")}]


# Refunds


def test_the_reason_of_a_refund_tells_cancellations_returns_and_shipping_apart(filled: Filled) -> None:
    back = Decimal("4.00")
    orders = [
        order(1, status="100", refund_amount=back),
        order(2, status="600", refund_amount=back),
        order(3, status="550", refund_amount=back, shipping_refund_amount=back),
        order(4, status="550", refund_amount=back),
        order(5, status="550", refund_amount=back),
        order(6, status="550", refund_amount=back),
    ]
    plans = [
        {"order_pk": pk, "pk": number, "position": number, "plan_type": kind, "status": "completed", "raw": "{}"}
        for number, (pk, kind) in enumerate(((4, "refund"), (5, "cancel"), (5, "refund"), (2, "cancel")))
    ]
    filled.add(shop(*orders, cancellation_plans=plans))

    found = filled.query("SELECT order_pk, reason_kind FROM marts.fct_refunds ORDER BY order_pk")
    assert [row["reason_kind"] for row in found] == [
        "cancellation",
        "cancellation",
        "shipping",
        "return",
        "unknown",
        "unknown",
    ]


def test_a_refund_stands_on_its_own_day_and_one_that_nothing_dates_says_so(filled: Filled) -> None:
    late = at(22, DAY + timedelta(days=4))
    orders = [
        order(1, refund_amount=Decimal("4.00")),
        order(2, refund_amount=Decimal("4.00"), modified_date=late),
        order(3, refund_amount=Decimal("4.00")),
    ]
    filled.add(shop(*orders, transactions=[card(0, "refund", "4.00", created_date=late)]))

    found = filled.query(
        "SELECT order_date o, refund_date r, is_estimated_date e FROM marts.fct_refunds ORDER BY order_pk"
    )
    fifth = DAY + timedelta(days=5)
    assert [tuple(row.values()) for row in found] == [(DAY, fifth, False), (DAY, fifth, True), (DAY, DAY, True)]


# Parcels


def test_parcels_are_told_by_carrier_and_number_and_who_shipped_wins_over_who_was_chosen(filled: Filled) -> None:
    promised = at(20)
    items = [
        {"pk": 1, "shipping_company": "ups", "tracking_number": "A", "delivered_date": at(18)},
        {"pk": 2, "shipping_company": "ups", "tracking_number": "A", "delivered_date": at(19)},
        {"pk": 3, "shipping_company": "dpd", "tracking_number": "B", "delivered_date": at(22)},
        # Not sent yet, so in no parcel.
        {"pk": 4},
    ]
    items = [{"order_pk": 1, "position": n, "estimated_delivery_date": promised, **row} for n, row in enumerate(items)]
    sent = order(1, status="550", cargo_company_pk=3)
    filled.add(shop(sent, order_items=items, cargo_companies=[{"pk": 3, "name": "Aras", "shipping_company": "aras"}]))

    found = filled.query(
        "SELECT parcel, carrier, tracking_number t, items, delivered_at, delivery_date, is_late"
        " FROM marts.fct_shipments ORDER BY parcel"
    )
    assert [tuple(row.values()) for row in found] == [
        (1, "ups", "A", 2, at(19), DAY, False),
        (2, "dpd", "B", 1, at(22), NEXT, True),
    ]
    assert filled.query("SELECT carrier c FROM marts.dim_carriers") == [{"c": "aras"}]


def test_the_carrier_that_accepted_shipped_and_without_a_promise_nothing_is_late(filled: Filled) -> None:
    infos = [
        {"order_pk": 1, "pk": 1, "position": 0, "is_send": False, "shipping_company": "aras", "created_date": at(10)},
        {"order_pk": 1, "pk": 2, "position": 1, "is_send": True, "shipping_company": "ups", "created_date": at(11)},
    ]
    chosen = order(1, status="500", cargo_company_pk=3)
    window = order(2, status="550", tracking_number="B", delivery_range=json.dumps({"end": "2026-01-01T12:00:00Z"}))
    item = {"order_pk": 2, "pk": 2, "position": 0, "delivered_date": at(13)}
    cargo = [{"pk": 3, "shipping_company": "aras"}]
    filled.add(shop(chosen, window, shipping_infos=infos, order_items=[item], cargo_companies=cargo))

    found = filled.query("SELECT carrier c, is_late l, items i FROM marts.fct_shipments ORDER BY order_pk")
    assert found == [{"c": "ups", "l": None, "i": 0}, {"c": None, "l": True, "i": 1}]


# States


def test_the_way_of_an_order_is_told_from_its_beginning_or_said_to_be_unknown(filled: Filled) -> None:
    states = [state(1, "300", 9), state(1, "400", 12), state(1, "400", 13), state(1, "500", 22), state(2, "550", 12)]
    filled.add(shop(order(1, status="500"), order(2, status="550"), order_status_history=states))

    found = filled.query(
        "SELECT order_pk, from_status, to_status, reached_date, hours_in_state, is_observed, is_history_observed"
        " FROM marts.fct_order_status_changes ORDER BY order_pk, change_number"
    )
    assert [tuple(row.values()) for row in found] == [
        (1, None, "300", DAY, 3.0, False, True),
        (1, "300", "400", DAY, 10.0, True, True),
        (1, "400", "500", NEXT, None, True, True),
        (2, None, "550", DAY, None, False, False),
    ]


# Days


def test_days_have_no_gap_and_say_which_are_loaded(filled: Filled) -> None:
    filled.connection.execute("DELETE FROM meta.days")
    filled.add(shop(order(1)), date(2026, 12, 31))
    filled.add({}, date(2027, 1, 4))

    found = filled.query("SELECT day, iso_year, iso_week, weekday, is_weekend, is_loaded FROM marts.dim_dates LIMIT 5")
    assert [tuple(row.values()) for row in found] == [
        (date(2026, 12, 31), 2026, 53, 4, False, True),
        (date(2027, 1, 1), 2026, 53, 5, False, False),
        (date(2027, 1, 2), 2026, 53, 6, True, False),
        (date(2027, 1, 3), 2026, 53, 7, True, False),
        (date(2027, 1, 4), 2027, 1, 1, False, True),
    ]
    assert filled.query("SELECT max(day) >= '2028-01-04' a FROM marts.dim_dates") == [{"a": True}]


def test_a_day_is_refreshed_alone_and_cash_follows(filled: Filled) -> None:
    filled.add(shop(order(1), transactions=[card(0)]))
    filled.add(a_shop(order(2), transactions=[card(0, order_pk=2, pk=9, created_date=at(9, NEXT))]), NEXT)
    filled.connection.execute("DELETE FROM orders.transactions WHERE order_pk = 1")
    refresh_marts(filled.connection, [DAY], MARTS, CONTRACT)

    assert [row["day"] for row in filled.query("SELECT day FROM marts.agg_daily_cash")] == [NEXT]
