"""Orders of the stand-in that are changed by hand, over real HTTP and by value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_assets.sandbox import (
    CHILD_KINDS,
    LONE_SURROGATE,
    ODD_COPIES,
    DateBound,
    OrderQuery,
    Sandbox,
    Shop,
    ShopSettings,
    running_sandbox,
)
from order_assets.sandbox.life import LONGEST_LIFE
from order_assets.sandbox.value_text import instant, micros_of
from order_assets_tests.sandbox.calls import NOW, SETTINGS, Call, caller, every_page

DETAIL = "orders_integration/{}/detailed_integration/"
ITEMS = "order_item/detailed_integration/"
DISCOUNTS = "discount_items/detailed_integration/"
STAMP = "2026-01-21T09:30:00Z"
MOMENT = micros_of(NOW)
OLD = 1030  # an order of the second day
BY_MODIFIED = OrderQuery(sort="modified_date")


@pytest.fixture(scope="module")
def able() -> Iterator[Sandbox]:
    with running_sandbox(replace(SETTINGS, capabilities=frozenset({"sort", "date-filter"}))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(able: Sandbox) -> Iterator[Sandbox]:
    untouched = able.shop
    yield able
    able.replace_shop(untouched)


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Call]:
    with caller(sandbox) as call:
        yield call


def everything(shop: Shop, pk: int) -> str:
    return json.dumps([shop.flat_order(pk), shop.order_detail(pk), shop.order_items(pk), shop.discount_items(pk)])


def with_children(shop: Shop) -> int:
    """The pk of an old order paid by card, with rows of every kind but plans."""
    return next(
        pk
        for pk in reversed(shop.order_pks()[:-1])
        if shop.order_detail(pk)["transaction_set"]
        and shop.order_detail(pk)["ordershippinginfo_set"]
        and shop.discount_items(pk)
    )


def test_a_modified_order_shows_it_in_every_place_at_once(sandbox: Sandbox, get: Call) -> None:
    pk = with_children(sandbox.shop)
    before = get(DETAIL.format(pk)).json()
    number, count = before["number"], get("orders/").json()["count"]
    get(f"orders/{number}")
    sandbox.modify(pk, status="450", notes="Kapıda arayın", amount="12.30")
    detail, row = get(DETAIL.format(pk)).json(), get(f"orders/{number}").json()
    copies = [transaction["order"] for transaction in detail["transaction_set"]]
    assert copies
    for shown in (detail, row, *copies):
        assert (shown["status"], shown["notes"], shown["amount"]) == ("450", "Kapıda arayın", "12.30")
    assert detail["status_display"] == "preparing"
    assert {shown["modified_date"] for shown in (row, *copies)} == {STAMP}
    newest = get("orders/", sort="-modified_date", limit=1).json()
    assert newest["results"] == [row]
    assert newest["count"] == count
    assert pk in [r["pk"] for r in every_page(get, "orders/", limit=100, status="450")]
    assert get("orders/", modified_date__gte=STAMP).json()["results"] == [row]


def test_a_modified_date_can_go_backwards_and_forwards(sandbox: Sandbox, get: Call) -> None:
    ago, ahead = NOW - timedelta(days=400), NOW + timedelta(days=2)
    sandbox.modify(OLD, at=ago)
    # 27 is the documented order, years older than all others.
    assert [row["pk"] for row in get("orders/", sort="modified_date", limit=2).json()["results"]] == [27, OLD]
    assert get("orders/", modified_date__gte=STAMP).json()["count"] == 0
    sandbox.modify(OLD, at=ahead)
    assert get("orders/", sort="-modified_date", limit=1).json()["results"][0]["pk"] == OLD
    assert get("orders/", modified_date__gt=STAMP).json()["count"] == 1


def test_an_edited_order_lives_on_until_it_is_canceled(shop: Shop) -> None:
    pk, event = next(
        (pk, event)
        for pk in shop.order_pks()[:-1]
        for event in shop.order_events(pk)
        if event.of_order and event.at > MOMENT + 10**6
    )
    later = NOW + timedelta(microseconds=event.at - MOMENT)
    edited = shop.modify(pk, NOW - timedelta(days=90), notes="x")
    assert edited.flat_order(pk)["modified_date"] == instant(MOMENT - 90 * 86_400 * 10**6)
    assert edited.at(later).flat_order(pk)["modified_date"] == instant(event.at)
    assert edited.at(later).flat_order(pk)["notes"] == "x"
    assert pk in edited.at(later).order_pks(OrderQuery(bounds=(DateBound("modified_date", at_least=event.at),)))
    # The same, where nothing but this order moves between the two lists.
    distant = OrderQuery(bounds=(DateBound("modified_date", at_least=micros_of(NOW + timedelta(days=9000))),))
    ahead = shop.at(later - timedelta(microseconds=1)).modify(pk, NOW + timedelta(days=9999))
    assert ahead.order_pks(distant) == [pk]
    assert ahead.at(later).order_pks(distant) == []
    canceled = shop.cancel(pk).at(NOW + timedelta(days=30))
    assert canceled.flat_order(pk)["modified_date"] == STAMP
    assert canceled.flat_order(pk)["status"] == "100"
    assert canceled.order_events(pk)[-1].at <= MOMENT


def test_a_canceled_order_is_canceled_in_the_list_the_detail_and_its_items(sandbox: Sandbox, get: Call) -> None:
    pk = with_children(sandbox.shop)
    sandbox.cancel(pk, NOW - timedelta(minutes=1))
    detail = get(DETAIL.format(pk)).json()
    assert (detail["status"], detail["status_display"]) == ("100", "canceled")
    assert (detail["cancel_status"], detail["cancellation_info"]) == ("completed", {})
    assert pk in [row["pk"] for row in every_page(get, "orders/", limit=100, cancel_status="completed")]
    assert get("orders/", sort="-modified_date", modified_date__gte="2026-01-21T09:29:00Z").json()["count"] > 0
    items = every_page(get, ITEMS, order=pk)
    assert items
    assert {(i["status"], i["cancel_status"], i["modified_date"]) for i in items} == {
        ("100", "completed", "2026-01-21T09:29:00Z")
    }


@pytest.mark.parametrize("gone", [OLD, 27])
def test_a_deleted_order_is_nowhere_and_the_others_keep_their_places(sandbox: Sandbox, get: Call, gone: int) -> None:
    rows = every_page(get, "orders/", limit=100)
    number = sandbox.shop.flat_order(gone)["number"]
    sandbox.delete(gone)
    left = [row for row in rows if row["pk"] != gone]
    assert every_page(get, "orders/", limit=100) == left
    assert len(every_page(get, "orders/", limit=100, sort="pk")) == get("orders/").json()["count"] == len(left)
    for path in (DETAIL.format(gone), f"orders/{number}", f"order_number/{number}/", f"orders/{gone}/"):
        assert get(path).status_code == 404, path
    assert get(ITEMS, order=gone).json()["count"] == get(DISCOUNTS, order=gone).json()["count"] == 0
    assert not [r for r in every_page(get, "order_transactions/", limit=100) if r["pk"] // 10 == gone]
    for change in (sandbox.modify, sandbox.delete, sandbox.cancel, sandbox.touch_children):
        with pytest.raises(KeyError):
            change(gone)
    assert get("orders/").json()["count"] == len(left)


def test_a_restored_order_is_there_as_if_it_had_never_been_away(sandbox: Sandbox, get: Call) -> None:
    rows, detail = every_page(get, "orders/", limit=100), get(DETAIL.format(OLD)).json()
    with pytest.raises(ValueError, match=f"{OLD} is not deleted"):
        sandbox.restore(OLD)
    sandbox.delete(OLD)
    assert get(DETAIL.format(OLD)).status_code == 404
    sandbox.restore(OLD)
    assert (every_page(get, "orders/", limit=100), get(DETAIL.format(OLD)).json()) == (rows, detail)


@pytest.mark.parametrize(
    ("fields", "on_the_wire"),
    [
        ({"date_placed": None}, '"date_placed":null'),
        ({"pk": 2**63}, '"pk":9223372036854775808'),
        ({"pk": 10**30}, f'"pk":{10**30}'),
        ({"number": LONE_SURROGATE}, '"number":"\\ud800"'),
        ({"modified_date": "yesterday"}, '"modified_date":"yesterday"'),
    ],
)
def test_a_spoiled_row_stands_in_its_place_among_good_ones(
    sandbox: Sandbox, get: Call, fields: dict[str, Any], on_the_wire: str
) -> None:
    rows = every_page(get, "orders/", limit=100)
    place = [row["pk"] for row in rows].index(OLD)
    detail = get(DETAIL.format(OLD)).json()
    sandbox.spoil(OLD, "row", **fields)
    spoiled = every_page(get, "orders/", limit=100)
    assert spoiled[place] == rows[place] | fields
    assert spoiled[:place] + spoiled[place + 1 :] == rows[:place] + rows[place + 1 :]
    page = get("orders/", limit=1, page=place + 1).text
    assert on_the_wire in page
    assert get(DETAIL.format(OLD)).json() == detail
    sandbox.spoil(OLD, "row")
    assert every_page(get, "orders/", limit=100) == rows


def test_every_document_of_an_order_can_be_any_json(sandbox: Sandbox, get: Call) -> None:
    pk = with_children(sandbox.shop)
    for change in ODD_COPIES.values():
        before = get(DETAIL.format(pk)).json()
        sandbox.spoil(pk, "detail", change)
        assert get(DETAIL.format(pk)).json() != before
        sandbox.spoil(pk, "detail")
        assert get(DETAIL.format(pk)).json() == before
    for value in (None, [], "text", 5):
        sandbox.spoil(pk, "detail", lambda _, value=value: value)
        assert get(DETAIL.format(pk)).json() == value
    sandbox.spoil(pk, "items", lambda rows: [*rows, 5])
    assert get(ITEMS, order=pk, limit=100).json()["results"][-1] == 5
    sandbox.spoil(pk, "items", lambda _: {"count": 0, "next": None, "previous": None, "results": None})
    assert get(ITEMS, order=pk).json()["results"] is None
    sandbox.spoil(pk, "discounts", lambda rows: [row | {"amount": "1.005"} for row in rows])
    assert {row["amount"] for row in every_page(get, DISCOUNTS, order=pk)} == {"1.005"}
    with pytest.raises(ValueError, match="row, detail, items, discounts"):
        sandbox.spoil(pk, "listing", amount=1)


def test_a_refund_shows_below_the_order_but_does_not_move_it(sandbox: Sandbox, get: Call) -> None:
    pk = with_children(sandbox.shop)
    before = get(DETAIL.format(pk)).json()
    everywhere = every_page(get, "order_transactions/", limit=100)
    modified = sandbox.shop.flat_order(pk)["modified_date"]
    sandbox.refund(pk, "12.34")
    sandbox.refund(pk, Decimal("0.66"), at=NOW - timedelta(days=1))
    detail, row = get(DETAIL.format(pk)).json(), get(f"orders/{before['number']}").json()
    assert row["modified_date"] == detail["transaction_set"][-1]["order"]["modified_date"] == modified
    back = Decimal(detail["refund_amount"]) - Decimal(before["refund_amount"])
    assert (back, row["refund_amount"]) == (Decimal("13.00"), detail["refund_amount"])
    added = detail["transaction_set"][len(before["transaction_set"]) :]
    yesterday = "2026-01-20T09:30:00Z"
    assert [(t["amount"], t["transaction_type"], t["created_date"]) for t in added] == [
        ("12.34", "refund", STAMP),
        ("0.66", "refund", yesterday),
    ]
    news = detail["ordertransaction_set"][len(before["ordertransaction_set"]) :]
    assert [(t["amount"], t["modified_date"]) for t in news] == [("12.34", STAMP), ("0.66", yesterday)]
    assert not {t["pk"] for t in news} & {t["pk"] for t in everywhere}
    listed = every_page(get, "order_transactions/", limit=100)
    assert [t for t in listed if t not in everywhere] == news[::-1]
    assert get("order_transactions/", modified_date__gte=STAMP).json()["results"] == news[:1]


def test_every_kind_of_payment_can_be_refunded_and_no_transaction_pk_comes_twice(shop: Shop) -> None:
    refunded = shop
    for pk in shop.order_pks()[:60]:
        refunded = refunded.refund(pk, 1)
    pks = list(refunded.order_transaction_pks())
    assert len(pks) == len(set(pks)) == len(shop.order_transaction_pks()) + 60
    payments = set()
    for pk in shop.order_pks()[:60]:
        before, after = shop.order_detail(pk), refunded.order_detail(pk)
        longer = [name for name in after if name.endswith("transaction_set") and len(after[name]) > len(before[name])]
        assert len(longer) == 2, pk
        transfers = [row["pk"] for row in after["fundstransfertransaction_set"]]
        assert refunded.flat_order(pk)["fundstransfertransaction_set"] == transfers
        # Cash cannot go back the way it came.
        assert "refund" not in {row["transaction_type"] for row in after["payondeliverytransaction_set"]}
        payments.add(after["payment_option"]["payment_type"])
    assert len(payments) > 4


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "ten"])
def test_a_refund_of_an_impossible_amount_is_refused(shop: Shop, amount: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        shop.refund(OLD, amount)


def test_touched_children_get_a_new_date_and_their_order_keeps_its_own(sandbox: Sandbox, get: Call) -> None:
    pk = with_children(sandbox.shop)
    row, detail = sandbox.shop.flat_order(pk), get(DETAIL.format(pk)).json()
    sandbox.touch_children(pk, "items", extra_field={"picked_by": "Işıl"})
    items = every_page(get, ITEMS, order=pk)
    assert {item["modified_date"] for item in items} == {STAMP}
    assert [item["extra_field"] for item in items] == [{"picked_by": "Işıl"}] * len(items)
    assert get(DETAIL.format(pk)).json() == detail
    assert sandbox.shop.flat_order(pk) == row
    sandbox.touch_children(pk)
    touched = get(DETAIL.format(pk)).json()
    for name in ("transaction_set", "ordertransaction_set", "ordershippinginfo_set"):
        assert {child["modified_date"] for child in touched[name]} == {STAMP}
        assert [child["created_date"] for child in touched[name]] == [child["created_date"] for child in detail[name]]
    feed = get("order_transactions/", modified_date__gte=STAMP, limit=100).json()["results"]
    assert feed == touched["ordertransaction_set"][::-1]
    assert {d["modified_date"] for d in every_page(get, DISCOUNTS, order=pk)} == {STAMP}
    assert sandbox.shop.flat_order(pk) == row


def test_children_that_come_after_a_touch_have_their_own_dates(shop: Shop) -> None:
    early = shop.at(NOW - timedelta(days=18))
    pk = next(
        pk for pk in early.order_pks() if early.order_items(pk) and shop.order_detail(pk)["ordershippinginfo_set"]
    )
    touched = early.touch_children(pk).refund(pk, 5, NOW - timedelta(days=30)).at(NOW)
    info = shop.order_detail(pk)["ordershippinginfo_set"]
    assert touched.order_detail(pk)["ordershippinginfo_set"] == info
    arrived = early.hold_back([pk]).release([pk]).at(NOW)
    assert arrived.order_detail(pk)["ordershippinginfo_set"] == info
    late = touched.touch_children(pk, "transactions", transaction_type="touched")
    assert {row["modified_date"] for row in late.order_detail(pk)["ordertransaction_set"]} == {STAMP}
    assert "touched" not in {row["transaction_type"] for row in late.order_detail(pk)["ordertransaction_set"]}
    refund = late.refund(pk, 6, NOW - timedelta(days=30)).order_detail(pk)["ordertransaction_set"][-1]
    assert (refund["amount"], refund["modified_date"]) == ("6.00", instant(MOMENT - 30 * 86_400 * 10**6))


def test_held_orders_arrive_late_and_are_new_though_placed_long_ago(sandbox: Sandbox, get: Call) -> None:
    pks = [OLD, OLD + 1, OLD + 40]
    rows, count = {pk: sandbox.shop.flat_order(pk) for pk in pks}, get("orders/").json()["count"]
    sandbox.hold_back(pks)
    assert get("orders/").json()["count"] == count - 3
    assert not {row["pk"] for row in every_page(get, "orders/", limit=100)} & set(pks)
    assert not {row["pk"] for row in every_page(get, "orders/", sort="date_placed", limit=100)} & set(pks)
    assert get(DETAIL.format(OLD)).status_code == 404
    sandbox.advance(timedelta(minutes=5))
    sandbox.release(pks[:2])
    arrived = "2026-01-21T09:35:00Z"
    news = get("orders/", created_date__gte=arrived, sort="pk").json()["results"]
    assert [row["pk"] for row in news] == pks[:2]
    for row in news:
        assert row["created_date"] == row["modified_date"] == arrived
        assert row["date_placed"] == rows[row["pk"]]["date_placed"] < "2026-01-04"
        detail = get(DETAIL.format(row["pk"])).json()
        assert {child["created_date"] for child in detail["ordertransaction_set"]} <= {arrived}
        assert {item["modified_date"] for item in every_page(get, ITEMS, order=row["pk"])} <= {arrived}
    assert get(DETAIL.format(pks[2])).status_code == 404
    with pytest.raises(ValueError, match=f"{OLD}"):
        sandbox.release([OLD])
    with pytest.raises(KeyError):
        sandbox.hold_back([5])


def test_an_order_of_tomorrow_can_be_held_back_today(shop: Shop) -> None:
    pk = shop.order_pks()[0] + 3
    held, later = shop.hold_back([pk]), NOW + timedelta(days=2)
    assert pk in shop.at(later).order_pks()
    assert pk not in held.at(later).order_pks()
    # Released before it is due, it comes as if nothing had been.
    assert everything(held.release([pk]).at(later), pk) == everything(shop.at(later), pk)
    assert held.at(later).release([pk]).flat_order(pk)["created_date"] == instant(micros_of(later))


def test_an_order_can_be_moved_to_another_day(sandbox: Sandbox, get: Call) -> None:
    sandbox.modify(OLD, date_placed="2026-01-09T23:59:59.999999Z")
    assert get(DETAIL.format(OLD)).json()["date_placed"] == "2026-01-09T23:59:59.999999Z"
    day = {"date_placed__date__gte": "2026-01-09", "date_placed__lt": "2026-01-10"}
    assert OLD in [row["pk"] for row in every_page(get, "orders/", limit=100, **day)]
    window = {"date_placed__gte": "2026-01-02", "date_placed__lt": "2026-01-03"}
    assert get("orders/", **window).json()["count"] == SETTINGS.orders_per_day - 1
    before = sandbox.shop.flat_order(OLD + 1)["date_placed"]
    sandbox.move(OLD + 1, date(2026, 1, 11))
    assert get(DETAIL.format(OLD + 1)).json()["date_placed"] == before.replace("2026-01-02", "2026-01-11")
    assert get("orders/", **window).json()["count"] == SETTINGS.orders_per_day - 2


def test_thousands_of_orders_get_one_date_and_the_list_stays_sorted() -> None:
    shop = Shop(replace(SETTINGS, orders_per_day=150))
    pks = shop.order_pks()[500:2500]
    edited = shop.bulk_modify(pks, NOW, notes="toplu")
    listed = list(edited.order_pks(BY_MODIFIED))
    assert listed[-2000:] == sorted(pks)
    assert sorted(listed) == sorted(shop.order_pks())
    assert {edited.flat_order(pk)["modified_date"] for pk in listed[-2000::97]} == {STAMP}
    assert edited.order_pks(OrderQuery(sort="modified_date", descending=True)) == listed[::-1]


@pytest.mark.parametrize("query", [BY_MODIFIED, OrderQuery(status="550"), OrderQuery(sort="number", descending=True)])
def test_lists_kept_over_edits_and_moves_of_the_clock_are_as_if_made_anew(query: OrderQuery) -> None:
    settings = replace(SETTINGS, orders_per_day=8)
    kept = Shop(settings)

    def edit(shop: Shop) -> Shop:
        shop = shop.modify(OLD, status="550").cancel(OLD + 1).delete(OLD + 2).refund(OLD + 3, 1)
        shop = shop.hold_back([OLD + 4, OLD + 5]).release([OLD + 5]).modify(27, status="550")
        # At an earlier moment the newest order is not there yet.
        return shop.touch_children(OLD + 6).modify(shop.order_pks()[0], status="550")

    for days in (0, 1, 40, -10):
        moment, fresh = NOW + timedelta(days=days), Shop(settings)
        kept = kept.at(moment)
        assert kept.order_pks(query) == fresh.at(moment).order_pks(query)
        # Edited at another moment than it is listed at, with and without a list made in between.
        edited, anew = edit(kept.at(NOW)).at(moment), edit(fresh.at(NOW)).at(moment)
        assert edited.order_pks(query) == anew.order_pks(query)
        assert edited.order_transactions() == anew.order_transactions()
        assert kept.order_pks(query) == fresh.at(moment).order_pks(query)
        rows = [anew.flat_order(pk) for pk in anew.order_pks()]
        if query.status:
            assert list(edited.order_pks(query)) == [row["pk"] for row in rows if row["status"] == query.status]
        else:
            key = str(query.sort)
            ordered = sorted(rows, key=lambda row: (row[key], row["pk"]), reverse=query.descending)
            assert list(edited.order_pks(query)) == [row["pk"] for row in ordered]


def test_an_edit_gives_another_shop_and_leaves_the_first_as_it_was(shop: Shop) -> None:
    before, pks = everything(shop, OLD), list(shop.order_pks(BY_MODIFIED))
    given: dict[str, Any] = {"a": [1]}
    edited = shop.modify(OLD, extra_field=given)
    given["a"].append(2)
    edited.flat_order(OLD)["extra_field"]["a"].append(3)
    assert edited.flat_order(OLD)["extra_field"] == edited.order_detail(OLD)["extra_field"] == {"a": [1]}
    assert everything(shop, OLD) == before
    assert list(shop.order_pks(BY_MODIFIED)) == pks != list(edited.order_pks(BY_MODIFIED))
    others = [pk for pk in shop.order_pks()[:50] if pk != OLD]
    assert [everything(edited, pk) for pk in others] == [everything(shop, pk) for pk in others]


def test_edits_of_many_threads_are_all_kept(sandbox: Sandbox) -> None:
    pks = list(sandbox.shop.order_pks())[:200]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pk: sandbox.modify(pk, notes=f"n{pk}"), pks))
    assert [sandbox.shop.flat_order(pk)["notes"] for pk in pks] == [f"n{pk}" for pk in pks]
    sandbox.swap_shop(lambda shop: shop.delete(pks[0]).delete(pks[1]))
    assert pks[0] not in sandbox.shop.order_pks()
    assert pks[1] not in sandbox.shop.order_pks()


def test_two_shops_with_different_edits_do_not_see_each_others_answers(sandbox: Sandbox, get: Call) -> None:
    first = sandbox.shop
    texts = []
    for changed in (first.modify(OLD, notes="bir"), first.modify(OLD, notes="iki"), first):
        sandbox.replace_shop(changed)
        texts.append((get(DETAIL.format(OLD)).json()["notes"], get(f"orders/{OLD}/").json()["notes"]))
    assert texts == [("bir", "bir"), ("iki", "iki"), (None, None)]


@pytest.mark.parametrize("name", ["pk", "number", "modified_date", "channel", "customer", "transaction_set", "statuss"])
def test_what_cannot_be_set_by_hand_is_refused_by_name(shop: Shop, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        shop.bulk_modify([OLD], NOW, **{name: "1"})


def test_children_that_are_not_there_cannot_be_touched(shop: Shop) -> None:
    bare = next(pk for pk in shop.order_pks() if not shop.discount_items(pk))
    for kinds, fields in ((("discounts",), {}), (("nonsense",), {}), ((), {"status": "1"})):
        with pytest.raises(ValueError, match=r"discounts|status"):
            shop.touch_children(bare, *kinds, **fields)
    assert set(CHILD_KINDS) >= {"items", "discounts", "transactions"}


def test_a_page_after_an_edit_does_not_draw_the_old_orders_again() -> None:
    shop = Shop(ShopSettings(orders_per_day=30, start=date(2025, 6, 1), now=NOW))
    total, living = len(shop.order_pks(BY_MODIFIED)), (LONGEST_LIFE // (86_400 * 10**6) + 2) * 30
    lives: list[int] = []
    draw = shop._world.life
    shop._world.life = lambda pk: (lives.append(pk), draw(pk))[1]  # type: ignore[func-returns-value]
    shop.modify(OLD).order_pks(BY_MODIFIED)
    assert len(lives) < 100
    shop.at(NOW + timedelta(hours=1)).modify(OLD).order_pks(BY_MODIFIED)
    assert len(set(lives)) <= living < total / 5
