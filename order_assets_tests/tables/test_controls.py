"""Control rules over a day: what a data engineer is told when orders contradict themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from order_assets.contract import CONTRACT, Contract, Kind
from order_assets.contract.model import Personal, Table
from order_assets.tables import (
    DayFiles,
    MissingFields,
    documented_fields_present,
    refunds_within_amount,
    rows_name_their_order,
    values_are_known,
)
from order_assets_tests.tables.days import DAY, batch, flatten, gone, landed, order


def test_a_transaction_with_a_copy_of_another_order_is_found(tmp_path: Path) -> None:
    wrong = order(101)
    wrong.detail["transaction_set"][0]["order"] |= {"pk": 999, "number": "another"}
    flatten(tmp_path, landed(wrong), landed(order(102)))
    found = rows_name_their_order(DayFiles(tmp_path, DAY))
    # The documented order's copies have its own pk, which is not that of the order made from it.
    assert not found.passed
    assert found.asset == "transactions"
    assert found.numbers["transactions.order.number"] == 1
    assert "order 101" in str(found)
    assert "another" not in str(found).replace("names another order", "")


def test_rows_that_name_their_own_order_or_none_pass(tmp_path: Path) -> None:
    plain = order()
    plain.items = [{"pk": 9, "order": 27}, {"pk": 10}]
    plain.detail["transaction_set"][0]["order"] |= {"amount": "17.77", "pk": None, "number": ""}
    flatten(tmp_path, landed(plain))
    assert rows_name_their_order(DayFiles(tmp_path, DAY)).passed


def test_an_item_a_discount_and_a_shipment_of_another_order_are_found(tmp_path: Path) -> None:
    wrong = order()
    wrong.items = [{"pk": 9, "order": 28}]
    wrong.discounts = [{"pk": 4, "order": 29}]
    wrong.detail["ordershippinginfo_set"][0]["order"] = 30
    flatten(tmp_path, landed(wrong))
    found = rows_name_their_order(DayFiles(tmp_path, DAY))
    assert found.numbers == {
        "shipping_infos.info_order_pk": 1,
        "order_items.item_order_pk": 1,
        "discount_items.discount_order_pk": 1,
    }


def transaction(pk: int, kind: str, amount: str, *, succeeded: bool = True) -> dict[str, object]:
    return {"pk": pk, "transaction_type": kind, "amount": amount, "is_succeeded": succeeded}


def test_refunds_above_the_amount_or_above_what_was_paid_are_found(tmp_path: Path) -> None:
    fine, above_amount, above_paid = order(101), order(102), order(103)
    fine.detail["transaction_set"] = [
        transaction(1, "pre_purchase", "10.00"),
        transaction(2, "purchase", "10.00"),
        transaction(3, "refund", "4.00"),
        transaction(4, "refund", "6.00"),
        transaction(5, "refund", "6.00", succeeded=False),
    ]
    above_amount.detail |= {"amount": "10.00", "refund_amount": "10.01"}
    above_paid.detail["transaction_set"] = [
        transaction(6, "pre_purchase", "10.00"),
        transaction(7, "purchase", "10.00"),
        transaction(8, "refund", "10.01"),
    ]
    flatten(tmp_path, *map(landed, (fine, above_amount, above_paid)))
    found = refunds_within_amount(DayFiles(tmp_path, DAY))
    assert not found.passed
    assert found.numbers == {"refund_above_amount": 1, "refunded_above_paid": 1}
    assert "order 102 (number" in found.examples[0]
    assert "order 103 (number" in found.examples[1]


def test_an_order_without_amounts_is_no_refund_beyond_them(tmp_path: Path) -> None:
    empty = order()
    empty.detail |= {"amount": None, "refund_amount": None, "transaction_set": [{"pk": 1, "is_succeeded": True}]}
    flatten(tmp_path, landed(empty))
    assert refunds_within_amount(DayFiles(tmp_path, DAY)).passed


def test_unknown_values_are_counted_by_column_and_load_all_the_same(tmp_path: Path) -> None:
    first, second = order(101), order(102)
    for changed in (first, second):
        changed.detail |= {"status": "777", "client_type": ""}
    second.detail["transaction_set"][0]["transaction_type"] = "void"
    flatten(tmp_path, landed(first), landed(second))
    found = values_are_known(DayFiles(tmp_path, DAY), CONTRACT)
    assert not found.passed
    assert found.numbers["orders.status"] == 2
    assert found.numbers["transactions.transaction_type"] == 1
    assert "orders.client_type" not in found.numbers
    assert 'orders.status: "777" in 2 rows' in str(found)


def test_unknown_values_of_personal_columns_are_not_shown(tmp_path: Path) -> None:
    def personal(table: Table) -> Table:
        if table.kind is Kind.HISTORY:
            return table
        columns = (replace(c, personal=Personal.GENDER) if c.name == "status" else c for c in table.columns)
        return replace(table, columns=tuple(columns))

    changed = order()
    changed.detail["status"] = "777"
    flatten(tmp_path, landed(changed))
    found = values_are_known(DayFiles(tmp_path, DAY), Contract(tuple(map(personal, CONTRACT))))
    assert found.numbers["orders.status"] == 1
    assert "777" not in str(found).partition("status_display")[0]


def test_documented_fields_that_are_missing_are_counted_by_path() -> None:
    without, refused = order(101), order(103)
    del without.detail["currency"], without.detail["transaction_set"][0]["auth_code"]
    del refused.detail["currency"]
    rows = [landed(without), landed(order(102)), landed(refused) | {"outcome": "quarantined"}, gone(104)]
    missing = MissingFields()
    assert len(list(missing.watching([batch(rows[:2]), batch(rows[2:])]))) == 2
    assert missing.orders == 2
    assert missing.by_path["detail:currency"] == 1
    assert missing.by_path["detail:transaction_set[].auth_code"] == 1
    found = documented_fields_present(missing)
    assert not found.passed
    assert "detail:currency in 1" in str(found)
    assert documented_fields_present(MissingFields()).passed
