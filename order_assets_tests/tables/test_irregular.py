"""Documents in unusual but legal forms give the same exact values as ordinary ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_assets.contract import CONTRACT
from order_assets.tables import DayFiles, Sample, prove_day
from order_assets_tests.tables.days import DAY, Order, batch, faults, flatten, landed, order, rows_of


def lost(root: Path, *rows: Mapping[str, Any]) -> list[str]:
    """The values of these landed orders that are in no table."""
    sample = Sample(len(rows), percent=100, at_most=len(rows))
    list(sample.watching([batch(rows)]))
    return [str(value) for value in prove_day(DayFiles(root, DAY), CONTRACT, sample).lost]


def test_a_set_given_as_a_single_object_is_a_set_of_one(tmp_path: Path) -> None:
    irregular = order()
    irregular.detail["ordershippinginfo_set"] = irregular.detail["ordershippinginfo_set"][0]
    report = flatten(tmp_path / "single", landed(irregular))
    flatten(tmp_path / "set", landed(order()))
    assert rows_of(tmp_path / "single", "shipping_infos") == rows_of(tmp_path / "set", "shipping_infos")
    assert faults(tmp_path / "single", report) == []


def test_a_set_given_as_keys_has_rows_with_these_keys(tmp_path: Path) -> None:
    irregular = order()
    irregular.detail["ordertransaction_set"] = [71, 72]
    irregular.detail["bextransaction_set"] = [81]
    report = flatten(tmp_path, landed(irregular))
    found = rows_of(tmp_path, "order_transactions")
    assert [(row["order_pk"], row["position"], row["pk"]) for row in found] == [(27, 0, 71), (27, 1, 72)]
    (bex,) = rows_of(tmp_path, "bex_transactions")
    assert (bex["pk"], json.loads(bex["raw"])) == (81, {"pk": 81})
    assert faults(tmp_path, report) == []


def test_money_keeps_its_digits_however_it_is_spelled(tmp_path: Path) -> None:
    spellings = {
        101: "1234567890123456.78",
        102: '"1234567890123456.78"',
        103: "123456789012345678e-2",
        104: "1.23456789012345678E15",
    }
    rows = []
    for pk, spelling in spellings.items():
        shop_order = order(pk)
        shop_order.detail["amount"] = "AMOUNT"
        shop_order.raw = {'"AMOUNT"': spelling}
        rows.append(landed(shop_order))
    flatten(tmp_path, *rows)
    assert {row["amount"] for row in rows_of(tmp_path, "orders")} == {Decimal("1234567890123456.78")}
    assert len(rows_of(tmp_path, "orders")) == 4


def test_long_numbers_in_free_form_json_keep_every_digit(tmp_path: Path) -> None:
    digits = "12345678901234567890.0123456789"
    irregular = order()
    irregular.detail["extra_field"] = {"weight": "WEIGHT"}
    irregular.raw = {'"WEIGHT"': digits}
    flatten(tmp_path, landed(irregular))
    (found,) = rows_of(tmp_path, "orders")
    assert digits in found["extra_field"]


def test_values_inside_free_form_json_are_columns_as_well(tmp_path: Path) -> None:
    shop_order = order()
    shop_order.detail["bextransaction_set"] = [{"pk": 5, "amount": "0.10", "bank_says": [1]}]
    shop_order.items = [{"pk": 9, "order": 27, "product": {"pk": 3, "sku": "S-1", "size": {"eu": 42}}, "price": "1.00"}]
    flatten(tmp_path, landed(shop_order))
    (bex,) = rows_of(tmp_path, "bex_transactions")
    assert (bex["pk"], bex["amount"], json.loads(bex["raw"])["bank_says"]) == (5, Decimal("0.10"), [1])
    (item,) = rows_of(tmp_path, "order_items")
    assert (item["product_pk"], item["product_sku"], item["product_name"]) == (3, "S-1", None)
    assert json.loads(item["product"])["size"] == {"eu": 42}


def with_item(pk: int, raw: str) -> Order:
    """An order with one item, whose product is this JSON text."""
    shop_order = order(pk)
    shop_order.items = [{"pk": pk * 10, "order": pk, "product": "PRODUCT"}]
    return replace(shop_order, raw={'"PRODUCT"': raw})


def items_of(root: Path, raw: str) -> dict[str, Any]:
    flatten(root, landed(with_item(27, raw)))
    (found,) = rows_of(root, "order_items")
    return found


@pytest.mark.parametrize(
    "digits", ["9007199254740993.5", "1.10", "0.10000000000000000000000000000001", "1e2", "-0", "10.0", "1E-7"]
)
def test_text_columns_inside_free_form_objects_keep_the_digits_as_written(tmp_path: Path, digits: str) -> None:
    raw = f'{{"pk": 5, "sku": {digits}, "base_code": {digits}, "name": {digits}, "weight": {digits}}}'
    found = items_of(tmp_path, raw)
    assert [found[f"product_{name}"] for name in ("pk", "sku", "base_code", "name")] == [5, digits, digits, digits]
    assert f'"weight":{digits}' in found["product"]


@pytest.mark.parametrize("digits", ["1.10", "1e2", "-0"])
def test_the_status_of_a_cancellation_plan_keeps_its_digits(tmp_path: Path, digits: str) -> None:
    shop_order = order()
    shop_order.detail["cancellationplan_set"] = [{"pk": 3, "status": "STATUS", "plan_type": "refund"}]
    shop_order.raw = {'"STATUS"': digits}
    flatten(tmp_path, landed(shop_order))
    (found,) = rows_of(tmp_path, "cancellation_plans")
    assert (found["pk"], found["status"], found["plan_type"]) == (3, digits, "refund")
    assert f'"status":{digits}' in found["raw"]


@pytest.mark.parametrize("amount", ["1e2", "100.000", '"+1E2"'])
def test_money_inside_free_form_rows_is_exact_however_it_is_spelled(tmp_path: Path, amount: str) -> None:
    shop_order = order()
    shop_order.detail["bextransaction_set"] = [{"pk": 3, "amount": "AMOUNT"}]
    shop_order.raw = {'"AMOUNT"': amount}
    flatten(tmp_path, landed(shop_order))
    (found,) = rows_of(tmp_path, "bex_transactions")
    assert found["amount"] == Decimal("100.00")


def test_zero_with_a_sign_stays_as_it_was_written(tmp_path: Path) -> None:
    shop_order = order()
    shop_order.detail |= {"tracking_number": "ZERO", "amount": "ZERO", "installment_count": "ZERO"}
    shop_order.detail["extra_field"] = {"left": "ZERO"}
    shop_order.raw = {'"ZERO"': "-0"}
    row = landed(shop_order)
    assert '"tracking_number":-0' in row["detail"]
    flatten(tmp_path, row)
    (found,) = rows_of(tmp_path, "orders")
    assert (found["tracking_number"], found["extra_field"]) == ("-0", '{"left":-0}')
    assert (found["amount"], found["installment_count"]) == (Decimal("0.00"), 0)


@pytest.mark.parametrize("key", ["7", '"7"', "7.0"])
def test_what_an_order_points_to_may_be_given_as_its_key(tmp_path: Path, key: str) -> None:
    shop_order = order()
    fields = ("channel", "customer", "shipping_address", "payment_option", "installment", "cargo_company")
    shop_order.detail |= dict.fromkeys(fields, "KEY")
    shop_order.detail["billing_address"] |= dict.fromkeys(("customer", "country", "city"), "KEY")
    shop_order.detail["transaction_set"][0]["pos"] = "KEY"
    shop_order.items = [{"pk": 1, "order": 27, **dict.fromkeys(("product", "price_list", "stock_list"), "KEY")}]
    shop_order.discounts = [{"pk": 1, "order": 27, "promotion": "KEY"}]
    shop_order.raw = {'"KEY"': key}
    row = landed(shop_order)
    assert row["outcome"] == "landed", row["reason"]
    report = flatten(tmp_path, row)
    (found,) = rows_of(tmp_path, "orders")
    assert {found[f"{field}_pk"] for field in fields} == {7}
    billing = next(found for found in rows_of(tmp_path, "addresses") if found["pk"] != 7)
    assert (billing["customer_pk"], billing["country_pk"], billing["city_pk"]) == (7, 7, 7)
    assert rows_of(tmp_path, "transactions")[0]["pos_pk"] == 7
    (item,) = rows_of(tmp_path, "order_items")
    assert (item["product_pk"], item["price_list_pk"], item["stock_list_pk"]) == (7, 7, 7)
    (discount,) = rows_of(tmp_path, "discount_items")
    assert (discount["promotion_pk"], discount["promotion_name"]) == (7, None)
    assert faults(tmp_path, report) == []
    assert lost(tmp_path, row) == []


def test_the_order_of_a_transaction_may_be_given_as_its_key(tmp_path: Path) -> None:
    shop_order = order()
    shop_order.detail["transaction_set"][0]["order"] = 27
    row = landed(shop_order)
    assert (row["outcome"], json.loads(row["unmapped"])) == ("landed", [])
    flatten(tmp_path, row)
    assert lost(tmp_path, row) == []
    shop_order.detail["transaction_set"][0]["order"] = 28
    expected = {"document": "detail", "path": "transaction_set[0].order", "value": "28"}
    assert json.loads(landed(shop_order)["unmapped"]) == [expected]


def test_keys_that_are_called_id_are_keys(tmp_path: Path) -> None:
    shop_order = order()
    for place in (shop_order.detail["channel"], shop_order.detail["billing_address"]["country"]):
        place["id"] = place.pop("pk")
    shop_order.detail["transaction_set"][0]["id"] = shop_order.detail["transaction_set"][0].pop("pk")
    row = landed(shop_order)
    assert (row["outcome"], json.loads(row["unmapped"])) == ("landed", [])
    flatten(tmp_path / "id", row)
    flatten(tmp_path / "pk", landed(order()))
    for table in ("orders", "channels", "countries", "addresses", "transactions"):
        assert rows_of(tmp_path / "id", table) == rows_of(tmp_path / "pk", table)
    assert lost(tmp_path / "id", row) == []
