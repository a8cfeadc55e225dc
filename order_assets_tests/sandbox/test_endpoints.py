"""Every documented path of the stand-in, over real HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

import order_assets.sandbox
from order_assets.sandbox import Sandbox, Shop
from order_assets_tests.sandbox.calls import NOW, Call, caller, every_page

DETAIL = "orders_integration/{}/detailed_integration/"
ITEMS = "order_item/detailed_integration/"
DISCOUNTS = "discount_items/detailed_integration/"
DOCUMENTED_FILE = Path(order_assets.sandbox.__file__).with_name("documented_order.json")


@pytest.mark.parametrize("version", ["i1", "v1"])
def test_the_documented_order_is_served_with_exactly_its_json_value(sandbox: Sandbox, version: str) -> None:
    with caller(sandbox, version) as get:
        assert get(DETAIL.format(27)).json() == json.loads(DOCUMENTED_FILE.read_text(encoding="utf-8"))


def test_the_documented_order_stays_in_the_list_and_has_neither_items_nor_discounts(get: Call) -> None:
    row = get("orders/bf7b66149236455").json()
    assert row == get(DETAIL.format(27)).json()["transaction_set"][0]["order"]
    assert [r for r in every_page(get, "orders/", limit=100) if r["pk"] == 27] == [row]
    assert get(ITEMS, order=27).json()["count"] == 0
    assert get(DISCOUNTS, order=27).json()["count"] == 0


def test_one_order_is_the_same_in_every_place_that_shows_it(get: Call) -> None:
    row = get("orders/", limit=1).json()["results"][0]
    number, pk = row["number"], row["pk"]
    for path in (f"orders/{number}", f"orders/{number}/", f"order_number/{number}/", f"orders/{pk}/"):
        assert get(path).json() == row, path
    detail = get(DETAIL.format(pk)).json()
    for key in ("pk", "number", "status", "date_placed", "amount", "refund_amount", "tracking_number"):
        assert detail[key] == row[key], key
    assert detail["customer"]["pk"] == row["customer"]
    assert detail["channel"]["pk"] == row["channel"]


def test_every_order_can_be_found_by_its_number(shop: Shop) -> None:
    for row in shop.flat_orders():
        assert shop.pk_of_number(row["number"]) == row["pk"]


def test_items_and_discounts_of_an_order_are_its_own_and_point_to_each_other(get: Call, shop: Shop) -> None:
    pk = next(pk for pk in shop.order_pks() if len(shop.discount_items(pk)) > 1)
    items, discounts = every_page(get, ITEMS, order=pk), every_page(get, DISCOUNTS, order=pk)
    assert items == shop.order_items(pk)
    assert discounts == shop.discount_items(pk)
    assert {row["order"] for row in items + discounts} == {pk}
    named = {
        (a["discount_item"], a["order_item"])
        for d in discounts
        for a in d["benefitapplicant_set"] + d["conditionapplicant_set"]
    }
    assert {discount for discount, _ in named} <= {row["pk"] for row in discounts}
    assert {item for _, item in named} <= {row["pk"] for row in items}


def test_an_order_with_many_items_needs_several_pages(get: Call, shop: Shop) -> None:
    pk = next(pk for pk in shop.order_pks() if len(shop.order_items(pk)) > 10)
    first = get(ITEMS, order=pk).json()
    assert len(first["results"]) == 10
    assert first["next"]
    assert every_page(get, ITEMS, order=pk, sort="id") == shop.order_items(pk)


@pytest.mark.parametrize("path", [ITEMS, DISCOUNTS])
def test_items_without_an_order_are_refused_rather_than_all_given(get: Call, path: str) -> None:
    assert get(path).status_code == 400
    assert get(path, order="x").status_code == 400
    assert get(path, order=5).json()["count"] == 0


@pytest.mark.parametrize(
    "path",
    [
        DETAIL.format(5),
        DETAIL.format(10**15),
        DETAIL.format("abc"),
        "orders/nothing",
        "order_number/27/",
        "orders",
        "orders_integration/27/detailed_integration",
        "orders_integration/",
        "nowhere/",
    ],
)
def test_what_is_not_there_is_a_404_in_json(get: Call, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"detail": "Not found."}


def test_order_transactions_are_those_of_the_orders(get: Call, shop: Shop) -> None:
    listed = every_page(get, "order_transactions/", limit=100)
    in_orders = [row for pk in shop.order_pks() for row in shop.order_detail(pk)["ordertransaction_set"]]
    assert sorted(listed, key=lambda row: row["pk"]) == sorted(in_orders, key=lambda row: row["pk"])


def test_order_transactions_can_be_filtered_by_their_dates(get: Call, shop: Shop) -> None:
    middle = (NOW - timedelta(days=4)).isoformat().replace("+00:00", "Z")
    rows = shop.order_transactions()
    for name, keep in (
        ("modified_date__gte", lambda row: row["modified_date"] >= middle),
        ("modified_date__lt", lambda row: row["modified_date"] < middle),
        ("created_date__gt", lambda row: row["created_date"] > middle),
        ("created_date__date__lte", lambda row: row["created_date"][:10] <= middle[:10]),
    ):
        expected = [row for row in rows if keep(row)]
        assert 0 < len(expected) < len(rows)
        assert every_page(get, "order_transactions/", limit=100, **{name: middle}) == expected, name
    assert get("order_transactions/", modified_date__gt="2100-01-01T00:00:00Z").json()["count"] == 0
    assert get("order_transactions/", modified_date__gt="yesterday").status_code == 400


def test_the_date_header_is_the_shops_own_clock(sandbox: Sandbox, get: Call) -> None:
    assert parsedate_to_datetime(get("orders/").headers["date"]) == NOW
    sandbox.advance(timedelta(days=2, seconds=5))
    assert parsedate_to_datetime(get("orders/").headers["date"]) == NOW + timedelta(days=2, seconds=5)


def test_turkish_letters_travel_as_utf8(get: Call, shop: Shop) -> None:
    bodies = b"".join(get(DETAIL.format(pk)).content for pk in shop.order_pks()[:40])
    for letter in "ğüşıöçİ":
        assert letter.encode() in bodies, letter
    assert b"\\u0" not in bodies


def test_the_request_log_tells_what_was_asked(sandbox: Sandbox, get: Call) -> None:
    get("orders/", limit=3)
    get("orders/none")
    requests.get(f"{sandbox.url}/api/v1/orders/", timeout=10)
    seen = [(r.method, r.path, r.query, r.status) for r in sandbox.requests]
    assert seen == [
        ("GET", "/api/v1/orders/", "limit=3", 200),
        ("GET", "/api/v1/orders/none", "", 404),
        ("GET", "/api/v1/orders/", "", 401),
    ]
    times = [r.at for r in sandbox.requests]
    assert times == sorted(times)
    sandbox.requests.clear()
    assert len(sandbox.requests) == 0
