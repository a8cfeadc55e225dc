"""What the stand-in's orders look like, and how they live."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_assets.sandbox import DateBound, OrderQuery, Shop, ShopSettings, documented_order, known_secrets
from order_assets.sandbox.life import LONGEST_LIFE
from order_assets_tests.sandbox.calls import NOW, SETTINGS

FREE_FORM = {
    "config",
    "conf",
    "extra_field",
    "attributes",
    "translations",
    "cancellation_info",
    "send_response",
}
UNDOCUMENTED_SETS = {
    "fundstransfertransaction_set",
    "payondeliverytransaction_set",
    "loyaltytransaction_set",
    "bextransaction_set",
    "cashregistertransaction_set",
}
AMOUNT = re.compile(r"\d+\.\d\d")


def generated(shop: Shop) -> list[int]:
    return [pk for pk in shop.order_pks() if pk != 27]


def everything(shop: Shop, pk: int) -> str:
    return json.dumps([shop.flat_order(pk), shop.order_detail(pk), shop.order_items(pk), shop.discount_items(pk)])


def differences(value: Any, documented: Any, path: str = "") -> list[str]:
    """Compare keys, their order and JSON types; null is allowed on either side, free-form are free."""
    if value is None or documented is None:
        return []
    if type(value) is not type(documented):
        return [f"{path}: {type(value).__name__} instead of {type(documented).__name__}"]
    if isinstance(value, dict):
        if path.rpartition(".")[2] in FREE_FORM:
            return []
        if list(value) != list(documented):
            return [f"{path}: keys {list(value)}"]
        return [d for key in value for d in differences(value[key], documented[key], f"{path}.{key}")]
    if isinstance(value, list) and documented:
        return [d for entry in value for d in differences(entry, documented[0], path)]
    return []


def test_generated_orders_have_the_keys_and_types_of_the_documented_one(shop: Shop) -> None:
    documented = documented_order()
    # The documented order shows these two only as null; their documented types stand in.
    documented["transaction_set"][0]["main_pos"] = documented["transaction_set"][0]["pos"]
    documented["shipping_address"]["district"]["mapping"] = []
    for pk in generated(shop)[:300]:
        assert differences(shop.order_detail(pk), documented) == [], pk
        assert differences(shop.flat_order(pk), documented["transaction_set"][0]["order"]) == [], pk


def test_every_amount_is_text_with_two_decimals_but_the_one_bare_number(shop: Shop) -> None:
    for pk in generated(shop)[:200]:
        detail = shop.order_detail(pk)
        for key, value in detail.items():
            if key.endswith("amount") and key != "net_shipping_amount":
                assert AMOUNT.fullmatch(value), (pk, key)
        bare = json.loads(json.dumps(detail["net_shipping_amount"]), parse_float=str)
        assert Decimal(bare) == Decimal(detail["shipping_amount"])
        assert len(bare.partition(".")[2]) <= 2
        assert re.fullmatch(r"\d\.\d{6}", (detail["installment"] or {"interest_rate": "0.000000"})["interest_rate"])


def test_amounts_add_up_to_the_cent(shop: Shop) -> None:
    for pk in generated(shop):
        row, items, discounts = shop.flat_order(pk), shop.order_items(pk), shop.discount_items(pk)
        prices = sum(Decimal(item["price"]) for item in items)
        discount = sum(Decimal(entry["amount"]) for entry in discounts)
        assert Decimal(row["amount"]) == prices - discount + Decimal(row["shipping_amount"]), pk
        assert Decimal(row["discount_amount"]) == discount
        assert sum(Decimal(item["discount_amount"]) for item in items) == discount
        assert 0 <= Decimal(row["refund_amount"]) <= Decimal(row["amount"])


def test_payments_cover_the_order_and_refunds_do_not_exceed_it(shop: Shop) -> None:
    for pk in generated(shop):
        detail = shop.order_detail(pk)
        paid, back = Decimal(0), Decimal(0)
        for name in ("transaction_set", *UNDOCUMENTED_SETS):
            for row in detail[name]:
                if row.get("is_succeeded", True):
                    paid += Decimal(row["amount"]) * (row["transaction_type"] == "purchase")
                    back += Decimal(row["amount"]) * (row["transaction_type"] == "refund")
        assert paid in (0, Decimal(detail["amount"])), pk
        if detail["payment_option"]["payment_type"] != "marketplace":
            assert back == Decimal(detail["refund_amount"]), pk


def test_two_shops_with_the_same_settings_give_the_same_bytes() -> None:
    one, other = Shop(SETTINGS), Shop(SETTINGS)
    # The second is read backwards: an order does not depend on those that were made before it.
    pks = list(one.order_pks())
    texts = {pk: everything(one, pk) for pk in pks}
    assert texts == {pk: everything(other, pk) for pk in reversed(pks)}
    assert everything(Shop(replace(SETTINGS, seed=4)), pks[0]) != texts[pks[0]]


def test_reading_an_order_gives_fresh_values_that_may_be_changed(shop: Shop) -> None:
    for pk in (27, generated(shop)[0]):
        before = everything(shop, pk)
        shop.order_detail(pk)["channel"]["conf"].clear()
        shop.order_detail(pk)["shipping_address"]["city"]["mapping"].clear()
        shop.flat_order(pk)["extra_field"]["x"] = 1
        assert everything(shop, pk) == before


def test_exactly_the_orders_with_events_in_between_have_a_later_modified_date(shop: Shop) -> None:
    later = shop.at(NOW + timedelta(days=3))
    lower, upper = (int(moment.timestamp() * 10**6) for moment in (NOW, NOW + timedelta(days=3)))
    for pk in generated(shop):
        moved = any(event.of_order and lower < event.at <= upper for event in shop.order_events(pk))
        before, after = shop.flat_order(pk), later.flat_order(pk)
        assert (after["modified_date"] > before["modified_date"]) is moved, pk
        if not moved:
            assert {**after, "notes": None} == {**before, "notes": None}
    assert set(later.order_pks()) > set(shop.order_pks())


def test_what_does_not_live_never_changes(shop: Shop) -> None:
    later = shop.at(NOW + timedelta(days=40))
    fixed = (
        "pk",
        "number",
        "date_placed",
        "created_date",
        "customer",
        "amount",
        "payment_option",
        "currency",
    )
    for pk in generated(shop):
        before, after = shop.flat_order(pk), later.flat_order(pk)
        assert [before[key] for key in fixed] == [after[key] for key in fixed]


def test_nothing_changes_before_the_shop_says_so(shop: Shop) -> None:
    for pk in generated(shop)[::9]:
        until = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=shop.unchanged_until(pk))
        text = everything(shop, pk)
        assert everything(shop.at(until - timedelta(microseconds=1)), pk) == text
        assert shop.unchanged_until(pk) > shop.now_micros()


def test_children_can_change_without_their_order() -> None:
    shop = Shop(replace(SETTINGS, now=NOW + timedelta(days=60)))
    behind = [
        pk
        for pk in generated(shop)[:200]
        for row in shop.order_detail(pk)["transaction_set"] + shop.order_detail(pk)["ordershippinginfo_set"]
        if row["modified_date"] > shop.flat_order(pk)["modified_date"]
    ]
    assert behind


def test_no_date_lies_in_the_future(shop: Shop) -> None:
    limit = (NOW + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    pattern = re.compile(r'"(?:modified_date|created_date|date_placed|invoice_date)": "([^"]+)"')
    for pk in generated(shop)[:150]:
        assert max(pattern.findall(everything(shop, pk))) < limit, pk


def test_a_life_is_over_in_time(shop: Shop) -> None:
    for pk in generated(shop):
        events = shop.order_events(pk)
        own = [event.at for event in events if event.of_order]
        assert max(event.at for event in events) - events[0].at < LONGEST_LIFE
        assert own[-1] - own[0] <= 15 * 86_400 * 10**6


def test_orders_keep_to_their_day_also_close_to_midnight(shop: Shop) -> None:
    for pk in generated(shop):
        placed = datetime.fromisoformat(shop.flat_order(pk)["date_placed"])
        day, index = divmod(pk - 1000, SETTINGS.orders_per_day)
        assert placed.date() == SETTINGS.start + timedelta(days=day)
        if index == 0:
            assert (placed.hour, placed.minute < 30) == (0, True)
        if index == SETTINGS.orders_per_day - 1:
            assert (placed.hour, placed.minute >= 30) == (23, True)


def test_the_shop_has_all_the_kinds_of_orders_there_are() -> None:
    shop = Shop(ShopSettings(seed=1, orders_per_day=150, now=datetime(2026, 1, 31, tzinfo=UTC)))
    rows = [shop.flat_order(pk) for pk in generated(shop)]
    statuses = {row["status"] for row in rows}
    known = {
        "50",
        "100",
        "350",
        "400",
        "425",
        "450",
        "500",
        "510",
        "520",
        "540",
        "545",
        "547",
        "550",
        "600",
        "777",
    }
    assert known <= statuses
    assert {row["currency"] for row in rows} == {"try", "aed", "eur", "usd"}
    assert len({row["channel"] for row in rows}) >= 3
    assert len({row["customer"] for row in rows}) < len(rows)
    assert {row["status"] for row in rows if row["status"] == "777"} == {"777"}
    details = [shop.order_detail(row["pk"]) for row in rows[::3]]
    for name in UNDOCUMENTED_SETS | {"transaction_set", "cancellationplan_set", "ordershippinginfo_set"}:
        assert any(detail[name] for detail in details), name
    counts = [len(shop.order_items(row["pk"])) for row in rows[::2]]
    assert min(counts) == 0
    assert 20 < max(counts) <= 31
    assert 0.6 < sum(1 <= count <= 4 for count in counts) / len(counts) < 0.95


def test_one_pk_never_means_two_things(shop: Shop) -> None:
    things: dict[tuple[str, int], str] = {}

    def visit(value: Any, key: str) -> None:
        if isinstance(value, list):
            for entry in value:
                visit(entry, key)
        elif isinstance(value, dict):
            if "pk" in value and key != "order":
                kind = "address" if key.endswith("_address") else "pos" if key == "main_pos" else key
                text = json.dumps(value)
                assert things.setdefault((kind, value["pk"]), text) == text, (kind, value["pk"])
            for name, entry in value.items():
                visit(entry, name)

    for pk in shop.order_pks():
        visit(shop.order_detail(pk), "detail")
        visit(shop.order_items(pk), "item")
        visit(shop.discount_items(pk), "discount")


def test_a_merged_item_splits_without_changing_the_sum() -> None:
    shop = Shop(ShopSettings(seed=2, orders_per_day=400, now=datetime(2026, 1, 20, tzinfo=UTC)))
    split = [
        pk
        for pk in generated(shop)
        if any(event.kind == "split" for event in shop.order_events(pk))
        and any(item["parent"] for item in shop.order_items(pk))
    ]
    assert split
    pk = split[0]
    at = next(event.at for event in shop.order_events(pk) if event.kind == "split")
    earlier = shop.at(datetime.fromtimestamp(at / 10**6, UTC) - timedelta(seconds=1))
    before, after = earlier.order_items(pk), shop.order_items(pk)
    assert len(after) == len(before) + 1
    assert sum(Decimal(i["price"]) for i in before) == sum(Decimal(i["price"]) for i in after)


def test_secrets_sit_where_the_real_api_leaks_them_and_are_all_listed(shop: Shop) -> None:
    texts = [json.dumps(shop.order_detail(pk), ensure_ascii=False) for pk in generated(shop)]
    found = {secret for secret in known_secrets() if any(secret in text for text in texts)}
    assert len(found) > 20
    for pk in generated(shop)[:60]:
        detail = shop.order_detail(pk)
        assert detail["channel"]["conf"]["password"] in known_secrets()
        for transaction in detail["transaction_set"]:
            assert any(secret in transaction["raw_request"] for secret in known_secrets())


def test_nobody_real_can_be_reached(shop: Shop) -> None:
    for pk in generated(shop)[:100]:
        text = everything(shop, pk)
        assert all("example." in host for host in re.findall(r"[\w.]+@([\w.-]+)", text))
        assert all("example." in host for host in re.findall(r"https?://([\w.-]+)", text))


def test_reads_of_lists_by_value(shop: Shop) -> None:
    assert shop.flat_orders(limit=3, offset=2) == shop.flat_orders()[2:5]
    delivered = shop.flat_orders(OrderQuery(status="550"))
    assert delivered
    assert {row["status"] for row in delivered} == {"550"}
    since = int((NOW - timedelta(days=1)).timestamp() * 10**6)
    assert len(shop.order_transactions([DateBound("created_date", at_least=since)])) > 0


@pytest.mark.parametrize("pk", [0, 26, 999, -5, 10**17])
def test_an_unknown_order_is_a_key_error(shop: Shop, pk: int) -> None:
    assert not shop.exists(pk)
    for read in (
        shop.flat_order,
        shop.order_detail,
        shop.order_items,
        shop.discount_items,
        shop.order_events,
    ):
        with pytest.raises(KeyError):
            read(pk)
