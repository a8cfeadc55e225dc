"""Documents in unusual but legal forms give the same exact values as ordinary ones."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from order_assets_tests.tables.days import faults, flatten, landed, order, rows_of


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
