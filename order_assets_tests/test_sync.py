"""From shop to warehouse, again and again: only what changed moves, and in the end the warehouse equals the shop."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from order_assets.landing import OrderIndexError, index_file, sync_state
from order_assets.omnitron import OmnitronError
from order_assets.omnitron.capabilities import MONEY_LISTS
from order_assets.sandbox import Sandbox, ShopSettings
from order_assets.testing.tampering import Tampered, answer, tampered_sandbox
from order_assets.testing.trial import RULES, Pipeline, files_of, shop_state, warehouse_state

FIRST = date(2026, 3, 6)
NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
MODES = {
    "filtered window, sorted": {"sort", "date-filter"},
    "filtered window": {"date-filter"},
    "descending walk": {"sort"},
    "full listing": set[str](),
}
# For tests in which the way of listing matters less: a window, and all orders.
TWO_MODES = ("filtered window, sorted", "full listing")
ALL_MODES = [pytest.param(mode, marks=pytest.mark.long if place else ()) for place, mode in enumerate(MODES)]
SORTED_LISTS = sorted(MONEY_LISTS)
Shops = Callable[..., tuple[Sandbox, Tampered, Pipeline]]


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Shops]:
    """Serve a shop that can be changed and disturbed, with a pipeline on it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def serve(
            *, orders_per_day: int = 12, capabilities: set[str], page_cap: int = 5, lacks: Collection[str] = ()
        ) -> tuple[Sandbox, Tampered, Pipeline]:
            settings = ShopSettings(
                orders_per_day=orders_per_day,
                start=FIRST,
                now=NOW,
                capabilities=frozenset(capabilities),
                page_cap=page_cap,
                lacks=frozenset(lacks),
            )
            sandbox, tampered = stack.enter_context(tampered_sandbox(settings))
            return sandbox, tampered, Pipeline(tmp_path / "data", sandbox.url, FIRST, last_day=NOW.date(), marts=())

        yield serve


def details_asked(sandbox: Sandbox) -> list[int]:
    return sorted(int(r.path.split("/")[-3]) for r in sandbox.requests if "/orders_integration/" in r.path)


def placed(sandbox: Sandbox) -> dict[int, str]:
    """The orders of the shop from the first day on, with their days."""
    rows = sandbox.shop.flat_orders()
    return {row["pk"]: row["date_placed"][:10] for row in rows if row["date_placed"] >= FIRST.isoformat()}


def assert_warehouse_is_shop(pipeline: Pipeline, sandbox: Sandbox) -> None:
    rows = [row for row in sandbox.shop.flat_orders() if row["date_placed"] >= FIRST.isoformat()]
    assert warehouse_state(pipeline) == shop_state(rows)


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_sync_without_changes_asks_for_no_order_and_one_with_some_for_exactly_those(shops: Shops, mode: str) -> None:
    sandbox, _, pipeline = shops(capabilities=MODES[mode])
    assert len(pipeline.run()) == 3
    assert_warehouse_is_shop(pipeline, sandbox)
    before = files_of(pipeline.root, "[lt]a*/**/*.parquet")
    sandbox.requests.clear()
    assert pipeline.run() == []
    assert details_asked(sandbox) == []
    assert files_of(pipeline.root, "[lt]a*/**/*.parquet") == before
    chosen = random.Random(3).sample(sorted(placed(sandbox)), 3)
    sandbox.advance(timedelta(minutes=5))
    sandbox.requests.clear()
    changed_by_itself = {pk for pk, moved in _moved_since(sandbox, NOW).items() if moved}
    sandbox.bulk_modify(chosen, status="450")
    expected = sorted({*chosen, *changed_by_itself} & placed(sandbox).keys())
    days = pipeline.run()
    assert details_asked(sandbox) == expected
    assert {day.isoformat() for day in days} == {placed(sandbox)[pk] for pk in expected}
    after = files_of(pipeline.root, "[lt]a*/**/*.parquet")
    rewritten = {path.parent.name for path in after if after[path] != before.get(path)}
    assert rewritten == {f"date={day}" for day in days}
    assert_warehouse_is_shop(pipeline, sandbox)


def _moved_since(sandbox: Sandbox, moment: datetime) -> dict[int, bool]:
    rows = sandbox.shop.flat_orders()
    return {row["pk"]: datetime.fromisoformat(row["modified_date"]) > moment for row in rows}


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_shop_that_changes_during_every_page_is_in_the_warehouse_after_two_syncs(shops: Shops, mode: str) -> None:
    sandbox, tampered, pipeline = shops(capabilities=MODES[mode])
    late = sorted(placed(sandbox))[3::9]
    sandbox.hold_back(late)
    pipeline.run()
    chance, waiting = random.Random(11), list(late)
    sandbox.advance(timedelta(hours=1))
    sandbox.bulk_modify(chance.sample(sorted(placed(sandbox)), 12))
    acts = Counter[str]()

    def disturb(address: str, _body: bytes) -> None:
        if "/orders/" not in address:
            return
        acts["pages"] += 1
        sandbox.advance(timedelta(seconds=1.5))
        sandbox.modify(chance.choice(sorted(placed(sandbox))), status=chance.choice(["450", "500", "550"]))
        if waiting:
            sandbox.release([waiting.pop()])

    tampered.rules.append(disturb)
    pipeline.run()
    tampered.rules.clear()
    assert acts["pages"] >= 2
    sandbox.release(waiting)
    sandbox.advance(timedelta(minutes=2))
    pipeline.run()
    assert_warehouse_is_shop(pipeline, sandbox)
    assert set(late) <= set(warehouse_state(pipeline))


@pytest.mark.parametrize("mode", ["full listing", pytest.param("filtered window, sorted", marks=pytest.mark.long)])
def test_a_deleted_order_becomes_a_tombstone_at_the_next_sync(shops: Shops, mode: str) -> None:
    sandbox, _, pipeline = shops(capabilities=MODES[mode])
    pipeline.run()
    gone = sorted(placed(sandbox))[7]
    sandbox.advance(timedelta(minutes=5))
    sandbox.delete(gone)
    pipeline.run()
    assert pipeline.query(f"SELECT outcome FROM meta.order_ledger WHERE order_pk = {gone}") == [("tombstoned",)]
    assert_warehouse_is_shop(pipeline, sandbox)


def test_a_changed_order_transaction_leads_to_its_order_though_the_order_did_not_move(shops: Shops) -> None:
    sandbox, _, pipeline = shops(capabilities=MODES["filtered window"])
    pipeline.run()
    ((pk,),) = pipeline.query("SELECT min(order_pk) FROM order_transactions WHERE order_pk > 100")
    sandbox.advance(timedelta(seconds=30))
    still = sandbox.shop.flat_order(pk)["modified_date"]
    sandbox.touch_children(pk, "transactions")
    assert sandbox.shop.flat_order(pk)["modified_date"] == still
    sandbox.requests.clear()
    report = pipeline.sync()
    assert report.transactions_changed >= 1
    pipeline.refresh(pipeline.due())
    assert pk in details_asked(sandbox)
    sandbox.requests.clear()
    pipeline.run()
    assert pk not in details_asked(sandbox)


def lists_asked(sandbox: Sandbox) -> list[str]:
    return sorted({name for r in sandbox.requests if (name := r.path.split("/")[-2]).endswith("transactions")})


@pytest.mark.parametrize(
    "lacks",
    [
        pytest.param((), id="all lists"),
        pytest.param(("order_transactions",), id="no order_transactions", marks=pytest.mark.long),
    ],
)
def test_a_late_refund_is_found_by_the_row_that_names_its_order_before_all_orders_are_listed(
    shops: Shops, lacks: tuple[str, ...]
) -> None:
    sandbox, _, pipeline = shops(capabilities=MODES["filtered window"], lacks=lacks)
    pipeline.run()
    pk = sorted(placed(sandbox))[7]
    sandbox.advance(timedelta(minutes=30))
    pipeline.run()
    sandbox.requests.clear()
    assert pipeline.run() == []
    quiet = lists_asked(sandbox)
    assert quiet == (SORTED_LISTS if lacks else ["order_transactions"])
    sandbox.refund(pk, "5.00")
    sandbox.requests.clear()
    report = pipeline.sync()
    assert (report.listing.whole, report.transactions_changed, report.transactions_unknown) == (False, 1, 0)
    assert lists_asked(sandbox) == sorted({*SORTED_LISTS, "order_transactions"} - set(lacks))
    (due,) = pipeline.due_days()
    assert due.reasons == {"changed below": 1}
    pipeline.refresh([due.day])
    pipeline.load([due.day])
    assert details_asked(sandbox) == [pk]
    assert_warehouse_is_shop(pipeline, sandbox)
    sandbox.requests.clear()
    assert (pipeline.run(), details_asked(sandbox), lists_asked(sandbox)) == ([], [], quiet)


def test_lists_of_money_that_are_not_there_are_asked_for_by_the_probe_alone(shops: Shops) -> None:
    sandbox, _, pipeline = shops(capabilities=MODES["filtered window"], lacks=(*MONEY_LISTS, "order_transactions"))
    pipeline.run()
    sandbox.refund(sorted(placed(sandbox))[7], "5.00")
    sandbox.requests.clear()
    pipeline.sync()
    assert lists_asked(sandbox) == []


def test_an_order_whose_modified_date_goes_back_is_found_when_all_are_listed(shops: Shops) -> None:
    sandbox, _, pipeline = shops(capabilities=MODES["filtered window, sorted"])
    pipeline.run()
    pk = sorted(placed(sandbox))[12]
    sandbox.modify(pk, at=NOW - timedelta(days=300), status="600")
    pipeline.sync(whole=True)
    days = pipeline.due()
    pipeline.refresh(days)
    pipeline.load(days)
    assert_warehouse_is_shop(pipeline, sandbox)


WRONG = {
    "401": answer("/api/v1/orders/", 401, '{"detail": "Invalid token."}'),
    "403": answer("/api/v1/orders/", 403, '{"detail": "no"}'),
    "500": answer("/api/v1/orders/", 500, "<h1>Server Error</h1>", "text/html"),
    "HTML": answer("1/orders/", 200, "<html>maintenance</html>", "text/html"),
    "HTML called JSON": answer("1/orders/", 200, "<html>maintenance</html>"),
    "truncated": answer("/api/v1/orders/", 200, '{"count": 80, "next": null, "results": [{"pk": 10'),
    "count 0": answer("/api/v1/orders/", 200, json.dumps({"count": 0, "next": None, "results": []})),
    "bare and empty": answer("/api/v1/orders/", 200, "[]"),
    "empty page in the middle": answer("page=2", 200, json.dumps({"count": 80, "next": "more", "results": []})),
    "most are missing": answer("/api/v1/orders/", 200, json.dumps({"count": 0, "next": None, "results": [{"pk": 1}]})),
    "wrong rows": answer("/api/v1/orders/", 200, json.dumps({"count": 1, "next": None, "results": [{"id": 1}]})),
}


@pytest.mark.parametrize(
    ("mode", "wrong"),
    [
        pytest.param(mode, wrong, marks=pytest.mark.long if mode == "full listing" else ())
        for mode, wrong in itertools.product(TWO_MODES, WRONG)
    ],
)
def test_a_wrong_answer_while_listing_is_an_error_and_leaves_index_and_cursor(
    shops: Shops, mode: str, wrong: str
) -> None:
    sandbox, tampered, pipeline = shops(capabilities=MODES[mode])
    pipeline.sync()
    before, state = index_file(pipeline.root).read_bytes(), sync_state(pipeline.root)
    sandbox.advance(timedelta(hours=2))
    sandbox.bulk_modify(sorted(placed(sandbox)))
    tampered.rules.append(WRONG[wrong])
    with pytest.raises((OmnitronError, OrderIndexError)) as raised:
        pipeline.sync()
    assert len(str(raised.value)) > 40
    assert index_file(pipeline.root).read_bytes() == before
    assert sync_state(pipeline.root) == state
    tampered.rules.clear()
    after = pipeline.sync().index
    assert after.changed + after.new == len(placed(sandbox))


def test_all_orders_are_listed_again_after_the_set_time(shops: Shops) -> None:
    _, _, pipeline = shops(capabilities=MODES["filtered window, sorted"])
    assert pipeline.sync().listing.whole
    assert not pipeline.sync().listing.whole
    pipeline.rules = replace(RULES, whole_every=timedelta(0))
    assert pipeline.sync().listing.whole
