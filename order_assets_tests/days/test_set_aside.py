"""Orders that a day could not be loaded with wait in quarantine, named; their siblings are in the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from order_assets.contract import CONTRACT
from order_assets.landing import Landing, quarantined
from order_assets.pipeline import DayJob, DayTables
from order_assets.pipeline.build_day import DayBuilder
from order_assets.redaction import Privacy, PrivacyMode
from order_assets.tables import passed_days
from order_assets.tables.checks import reconciliation
from order_assets_tests.tables.days import DAY, FLATTENER, Order, landed, order, rows_of

BLOCKING = frozenset({"nothing_lost_in_sample", "transactions_belong_to_their_order"})


def land(root: Path, *rows: Mapping[str, Any]) -> None:
    landing = Landing(root, DAY)
    landing.append(rows)
    landing.write_ledger(list(landing.current().values()))


def make(root: Path) -> DayTables:
    privacy = Privacy(PrivacyMode.TOKENISE, "benchmark")
    maker = DayBuilder(DayJob(root, CONTRACT, privacy, 100, 50, frozenset(), BLOCKING))
    maker._flattener = FLATTENER  # planning its statements is most of what making a small day takes
    return maker.make(DAY)


def in_tables(root: Path) -> list[int]:
    return sorted(row["pk"] for row in rows_of(root, "orders"))


def waiting(root: Path) -> dict[int, tuple[str, str]]:
    return {found.order_pk: (found.document, found.path) for found in quarantined(root)}


def outcomes(root: Path) -> dict[int, str]:
    return {row["order_pk"]: row["outcome"] for row in Landing(root, DAY).ledger()}


def own(pk: int) -> Order:
    """An order whose rows all name it."""
    found = order(pk)
    for transaction in found.detail["transaction_set"]:
        transaction["order"]["pk"] = pk
    for info in found.detail["ordershippinginfo_set"]:
        info["order"] = pk
    return found


def with_rows(pk: int, key: int) -> Order:
    """An order with a row of each set that has keys; the rows have this key."""
    found = own(pk)
    found.detail["transaction_set"][0]["pk"] = key
    found.detail["ordershippinginfo_set"][0]["pk"] = key
    found.detail["ordertransaction_set"] = [{"pk": key}]
    found.items = [{"pk": key, "order": pk}]
    applicants = {"benefitapplicant_set": [{"pk": key, "order_item": key}]}
    found.discounts = [{"pk": key, "order": pk, **applicants}]
    return found


def in_items(found: Order) -> None:
    found.items[0]["pk"] = 1001


def in_discounts(found: Order) -> None:
    found.discounts[0]["pk"] = 1001


def in_set(name: str) -> Callable[[Order], None]:
    def change(found: Order) -> None:
        found.detail[name][0]["pk"] = 1001

    return change


SHARED = {
    "order_items": (in_items, ("items", "[0].pk")),
    "discount_items": (in_discounts, ("discounts", "[0].pk")),
    "transactions": (in_set("transaction_set"), ("detail", "transaction_set[0].pk")),
    "order_transactions": (in_set("ordertransaction_set"), ("detail", "ordertransaction_set[0].pk")),
    "shipping_infos": (in_set("ordershippinginfo_set"), ("detail", "ordershippinginfo_set[0].pk")),
}


def test_two_orders_with_one_key_wait_and_not_their_day_whatever_the_key_is_of(tmp_path: Path) -> None:
    orders = [with_rows(pk, pk * 10) for pk in range(101, 112)]
    for number, (share, _) in enumerate(SHARED.values()):
        for shop_order in orders[2 * number : 2 * number + 2]:
            share(shop_order)
    land(tmp_path, *(landed(shop_order) for shop_order in orders))
    done = make(tmp_path)
    assert done.reasons == ()
    assert passed_days(tmp_path) == [DAY]
    assert in_tables(tmp_path) == [111]
    places = [place for _, place in SHARED.values() for _ in range(2)]
    assert waiting(tmp_path) == dict(zip(range(101, 111), places, strict=True))
    assert outcomes(tmp_path) == dict.fromkeys(range(101, 111), "quarantined") | {111: "landed"}
    number = orders[1].detail["number"]
    assert f"the key of order_items, pk 1001, is also in order 102 (number {number})" in done.set_aside[101]
    assert [row["order_pk"] for row in rows_of(tmp_path, "quarantine")] == list(range(101, 111))
    (said,) = [found for found in done.controls if found.name == "no_order_set_aside"]
    assert not said.passed
    assert said.numbers == {"set_aside": 10}


def test_an_order_that_waits_for_its_key_comes_back_when_the_shop_mends_it(tmp_path: Path) -> None:
    orders = [with_rows(pk, pk * 10) for pk in (101, 102, 103)]
    for shop_order in orders[:2]:
        in_items(shop_order)
    land(tmp_path, *(landed(shop_order) for shop_order in orders))
    make(tmp_path)
    land(tmp_path, *(landed(with_rows(pk, pk * 10)) for pk in (101, 102)))
    done = make(tmp_path)
    assert (done.set_aside, done.reasons) == ({}, ())
    assert in_tables(tmp_path) == [101, 102, 103]
    assert waiting(tmp_path) == {}


def test_a_key_that_is_twice_in_one_order_keeps_that_order_out(tmp_path: Path) -> None:
    twice = own(101)
    twice.items = [{"pk": 5, "order": 101}, {"pk": 5, "order": 101}]
    land(tmp_path, landed(twice), landed(own(102)))
    done = make(tmp_path)
    assert (in_tables(tmp_path), done.reasons) == ([102], ())
    assert "there more than once" in done.set_aside[101]


def test_an_order_whose_transactions_name_another_order_waits_alone(tmp_path: Path) -> None:
    stranger = own(101)
    stranger.detail["transaction_set"][0]["order"]["number"] = "another"
    land(tmp_path, landed(stranger), landed(own(102)))
    done = make(tmp_path)
    assert (in_tables(tmp_path), done.reasons) == ([102], ())
    assert waiting(tmp_path) == {101: ("detail", "order.number")}


@pytest.mark.parametrize("irregular", [False, True])
def test_documents_that_cannot_be_flattened_cost_their_order_alone(tmp_path: Path, irregular: bool) -> None:
    rows = [landed(own(pk)) for pk in range(101, 109)]
    rows[5] |= {"detail": '{"pk": "ayse@example.com"', "irregular": irregular}
    land(tmp_path, *rows)
    done = make(tmp_path)
    assert done.reasons == ()
    assert in_tables(tmp_path) == [pk for pk in range(101, 109) if pk != 106]
    assert list(done.set_aside) == [106]
    assert "could not be flattened (" in done.set_aside[106]
    assert "ayse" not in str(done.set_aside) + str([found.reason for found in quarantined(tmp_path)])


def test_an_order_that_cannot_be_proven_waits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    land(tmp_path, landed(own(101)), landed(own(102)))
    look = reconciliation._Walk.look

    def broken(walk: Any, *arguments: Any) -> None:
        if walk.order_pk == 101:
            raise KeyError("ayse@example.com")
        look(walk, *arguments)

    monkeypatch.setattr(reconciliation._Walk, "look", broken)
    done = make(tmp_path)
    assert (in_tables(tmp_path), done.reasons) == ([102], ())
    assert done.set_aside[101].endswith("its values could not be looked for in the tables (KeyError)")


def test_a_day_full_of_shared_keys_stays_out_as_a_whole(tmp_path: Path) -> None:
    orders = [with_rows(pk, pk * 10) for pk in range(101, 131)]
    for shop_order in orders:
        in_items(shop_order)
    land(tmp_path, *(landed(shop_order) for shop_order in orders))
    done = make(tmp_path)
    assert done.set_aside == {}
    assert any("order_items, key_unique" in reason for reason in done.reasons)
    assert passed_days(tmp_path) == []
