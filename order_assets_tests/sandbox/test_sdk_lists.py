"""The lists that the vendor's own SDK reads: what their rows say, what they can be asked for, and instances without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_assets.sandbox import SDK_LISTS, Sandbox, Shop, running_sandbox
from order_assets.sandbox.value_text import instant, micros_of
from order_assets_tests.sandbox.calls import NOW, SETTINGS, Call, caller, every_page

MONEY = {
    "transactions/": "transaction_set",
    "pay_on_delivery_transactions/": "payondeliverytransaction_set",
    "loyalty_transactions/": "loyaltytransaction_set",
    "funds_transfer_transactions/": "fundstransfertransaction_set",
    "bex_transactions/": "bextransaction_set",
}
SINCE = instant(micros_of(NOW - timedelta(days=3)))


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    served.set_now(NOW)
    untouched = served.shop
    yield served
    served.replace_shop(untouched)


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Call]:
    with caller(sandbox) as call:
        yield call


@pytest.fixture(scope="module")
def details(shop: Shop) -> list[dict[str, Any]]:
    return [shop.order_detail(pk) for pk in shop.order_pks()]


def pointing(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: row[name]["pk"] for name in names if isinstance(row.get(name), dict)}


@pytest.mark.parametrize("path", MONEY)
def test_money_of_every_kind_is_listed_as_the_details_show_it_and_names_its_order(
    get: Call, details: list[dict[str, Any]], path: str
) -> None:
    shown = [pointing(row, "order", "pos", "main_pos") for detail in details for row in detail[MONEY[path]]]
    assert shown
    expected = sorted(shown, key=lambda row: row["pk"], reverse=True)
    assert every_page(get, path, limit=100) == expected
    assert {row["order"] for row in expected} <= {detail["pk"] for detail in details}
    late = [row for row in expected if row["modified_date"] >= SINCE]
    assert every_page(get, path, limit=100, modified_date__gte=SINCE) == late
    assert get(f"{path}{expected[0]['pk']}/").json() == expected[0]
    assert get(path, order=expected[-1]["order"]).json()["results"][-1] == expected[-1]
    assert get(f"{path}999999999/").status_code == 404


def test_a_late_refund_is_the_newest_row_of_its_list_and_names_its_order(sandbox: Sandbox, get: Call) -> None:
    pk = next(
        pk
        for pk in reversed(sandbox.shop.order_pks()[:-1])
        if sandbox.shop.order_detail(pk)["transaction_set"] and sandbox.shop.flat_order(pk)["status"] == "550"
    )
    before = sandbox.shop.flat_order(pk)
    get("transactions/", modified_date__gte="2026-01-21T09:30:00Z")
    sandbox.refund(pk, "5.00")
    (row,) = get("transactions/", modified_date__gte="2026-01-21T09:30:00Z").json()["results"]
    assert (row["order"], row["amount"], row["transaction_type"]) == (pk, "5.00", "refund")
    after = sandbox.shop.flat_order(pk)
    assert {name for name in after if after[name] != before[name]} == {"refund_amount"}
    # What names no order cannot be asked for those of one.
    assert "order" not in get("order_transactions/").json()["results"][0]
    assert get("order_transactions/", order=pk).json()["count"] == get("order_transactions/").json()["count"]
    sandbox.delete(pk)
    assert get("transactions/", order=pk).json()["count"] == 0
    assert get(f"transactions/{row['pk']}/").status_code == 404


def test_items_and_shipments_are_listed_flat_over_all_orders(get: Call, shop: Shop) -> None:
    items = [
        pointing(item, "product", "price_list", "stock_list")
        for pk in sorted(shop.order_pks())
        for item in shop.order_items(pk)
    ]
    assert get("order_items/", limit=100, sort="id", page=2).json()["results"] == items[100:200]
    assert get("order_items/", limit=100).json()["results"] == items[:-101:-1]
    assert get("order_items/").json()["count"] == len(items)
    assert get("order_items/", order=items[0]["order"], sort="id").json()["results"][0] == items[0]
    assert get(f"order_items/{items[0]['pk']}/").json() == items[0]
    assert get(f"order_item/{items[0]['pk']}/detailed_integration/").json() == shop.order_items(items[0]["order"])[0]
    infos = {row["pk"] for pk in shop.order_pks() for row in shop.order_detail(pk)["ordershippinginfo_set"]}
    assert {row["pk"] for row in every_page(get, "order_shipping_infos/", limit=100)} == infos
    assert get("order_shipping_infos/4/").json()["order"] == 27
    discount = next(row for pk in shop.order_pks() for row in shop.discount_items(pk))
    assert get(f"discount_items/{discount['pk']}/detailed_integration/").json() == discount


def test_a_channel_shows_its_own_orders_items_and_requests(get: Call, shop: Shop) -> None:
    rows = shop.flat_orders()
    channel = next(row["channel"] for row in rows if row["status"] == "600")
    own = [row for row in rows if row["channel"] == channel]
    assert every_page(get, f"channel/{channel}/orders/", limit=100) == own
    items = every_page(get, f"channel/{channel}/order_items/", limit=100)
    assert {item["order"] for item in items} <= {row["pk"] for row in own}
    requests = every_page(get, f"channel/{channel}/cancellation_requests/", limit=100)
    plans = [plan for row in own for plan in shop.order_detail(row["pk"])["cancellationplan_set"]]
    assert sorted(row["order_item"] for row in requests) == sorted(i for plan in plans for i in plan["cancel_items"])
    waiting = every_page(get, f"channel/{channel}/cancellation_requests/", status="completed", limit=100)
    assert waiting == [row for row in requests if row["status"] == "completed"] != []
    assert get(f"channel/{channel}/cancellation_requests/{requests[0]['id']}/").json() == requests[0]
    reasons = every_page(get, "cancellation_reasons/")
    assert {row["reason"] for row in requests} <= {reason["pk"] for reason in reasons}
    assert get(f"cancellation_reasons/{reasons[0]['pk']}/").json() == reasons[0]
    assert get("channel/999/orders/").status_code == get("cancellation_reasons/99/").status_code == 404
    assert get("active_user/").json()["username"] == "sandbox"


def test_orders_are_found_by_what_the_sdk_asks_for(get: Call, shop: Shop) -> None:
    rows = shop.flat_orders()
    row = rows[40]
    pks = [rows[5]["pk"], rows[300]["pk"], 27, 999_999]
    for params, keep in (
        ({"number": row["number"]}, lambda found: found["number"] == row["number"]),
        ({"pk__in": ",".join(map(str, pks))}, lambda found: found["pk"] in pks),
        ({"id__gt": row["pk"]}, lambda found: found["pk"] > row["pk"]),
        ({"channel": row["channel"]}, lambda found: found["channel"] == row["channel"]),
        ({"customer": row["customer"]}, lambda found: found["customer"] == row["customer"]),
        ({"status__in": "550,600"}, lambda found: found["status"] in ("550", "600")),
        (
            {"status__in": "550", "channel": row["channel"]},
            lambda f: (f["status"], f["channel"]) == ("550", row["channel"]),
        ),
        ({"pk__in": "5"}, lambda _: False),
    ):
        assert every_page(get, "orders/", limit=100, **params) == [found for found in rows if keep(found)], params
    assert get("orders/", pk__in="1,x").status_code == 400


def test_order_transactions_are_found_by_uuid_type_and_payment_option(get: Call, shop: Shop) -> None:
    rows = shop.order_transactions()
    owners = {
        row["pk"]: detail
        for detail in map(shop.order_detail, shop.order_pks())
        for row in detail["ordertransaction_set"]
    }
    row = rows[70]
    option = owners[row["pk"]]["payment_option"]["pk"]
    assert get("order_transactions/", uuid=row["uuid"]).json()["results"] == [row]
    assert get(f"order_transactions/{row['pk']}/").json() == row
    kind = {"transaction_type": "loyalty_transaction"}
    assert every_page(get, "order_transactions/", limit=100, **kind) == [
        r for r in rows if r["transaction_type"] == kind["transaction_type"]
    ]
    assert every_page(get, "order_transactions/", limit=100, payment_option=option) == [
        r for r in rows if owners[r["pk"]]["payment_option"]["pk"] == option
    ]


def test_an_instance_without_these_lists_answers_as_for_a_path_that_leads_nowhere() -> None:
    paths = {name: f"{name}/" for name in SDK_LISTS} | {
        "channel_orders": "channel/11/orders/",
        "channel_order_items": "channel/11/order_items/",
        "cancellation_requests": "channel/11/cancellation_requests/",
    }
    with running_sandbox(replace(SETTINGS, lacks=SDK_LISTS)) as sandbox, caller(sandbox) as get:
        assert {get(path).status_code for path in paths.values()} == {404}
        assert get("orders/").status_code == get("order_transactions/").status_code == 200
    with running_sandbox(replace(SETTINGS, lacks=frozenset({"transactions"}))) as sandbox, caller(sandbox) as get:
        answers = {name: get(path).status_code for name, path in paths.items()}
        assert answers == dict.fromkeys(paths, 200) | {"transactions": 404}
