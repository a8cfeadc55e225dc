"""Whatever happens in the shop and to the pipeline, in any order: after a last sync the warehouse is the shop."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from order_assets.landing import Landing, index_file
from order_assets.landing.index import read_index
from order_assets.landing.quarantine import landed_days
from order_assets.sandbox import Sandbox, ShopSettings, running_sandbox
from order_assets.testing.crashes import Died, dying_at
from order_assets.testing.trial import Pipeline, shop_state, warehouse_state
from order_assets_tests.late_events import differences, of_marts, of_shop

FIRST = date(2026, 3, 6)
NOW = datetime(2026, 3, 7, 12, tzinfo=UTC)
ABILITIES = [frozenset(), frozenset({"sort"}), frozenset({"date-filter"}), frozenset({"sort", "date-filter"})]
PICK = st.integers(0, 10_000)


class ShopAndPipeline(RuleBasedStateMachine):
    sandbox: Sandbox

    @initialize(abilities=st.sampled_from(ABILITIES))
    def open(self, abilities: frozenset[str]) -> None:
        shop = ShopSettings(orders_per_day=4, start=FIRST, now=NOW, capabilities=abilities, page_cap=3)
        self._serving = running_sandbox(shop)
        self.sandbox = self._serving.__enter__()
        self.root = Path(tempfile.mkdtemp(prefix="order-assets-"))
        self.pipeline = Pipeline(self.root / "data", self.sandbox.url, FIRST, last_day=date(2026, 3, 20))
        self.deleted: list[int] = []
        self.ever: set[int] = set()
        self.held: list[int] = []

    def pick(self, number: int) -> int:
        pks = sorted(self.orders())
        return pks[number % len(pks)]

    def orders(self) -> dict[int, dict[str, Any]]:
        rows = self.sandbox.shop.flat_orders()
        return {row["pk"]: row for row in rows if row["date_placed"] >= FIRST.isoformat()}

    @rule(minutes=st.integers(1, 300))
    def time_passes_and_orders_are_placed(self, minutes: int) -> None:
        self.sandbox.advance(timedelta(minutes=minutes))

    @rule(number=PICK, status=st.sampled_from(["400", "450", "500", "550"]))
    def an_order_changes(self, number: int, status: str) -> None:
        self.sandbox.advance(timedelta(seconds=1))
        self.sandbox.modify(self.pick(number), status=status)

    @rule(number=PICK, status=st.sampled_from(["450", "500"]), hours=st.integers(1, 48))
    def an_order_changes_and_its_clock_goes_back(self, number: int, status: str, hours: int) -> None:
        self.sandbox.modify(self.pick(number), at=self.sandbox.shop.now() - timedelta(hours=hours), status=status)

    @rule(number=PICK, hours=st.sampled_from([0, 0, 5, 72]))
    def an_order_is_refunded_late_and_its_clock_stays(self, number: int, hours: int) -> None:
        self.sandbox.refund(self.pick(number), "1.00", at=self.sandbox.shop.now() - timedelta(hours=hours))

    @rule(number=PICK, day=st.integers(0, 10), stays=st.booleans())
    def an_order_moves_to_another_day(self, number: int, day: int, stays: bool) -> None:
        pk, now = self.pick(number), self.sandbox.shop.now()
        modified = datetime.fromisoformat(self.orders()[pk]["modified_date"]) if stays else now
        self.sandbox.move(pk, FIRST + timedelta(days=day % ((now.date() - FIRST).days + 1)), modified)

    @rule(number=PICK)
    def an_order_is_canceled(self, number: int) -> None:
        self.sandbox.advance(timedelta(seconds=1))
        self.sandbox.cancel(self.pick(number))

    @precondition(lambda self: len(self.orders()) > 2)
    @rule(number=PICK)
    def an_order_is_deleted(self, number: int) -> None:
        self.deleted.append(self.pick(number))
        self.sandbox.delete(self.deleted[-1])

    @precondition(lambda self: self.deleted)
    @rule()
    def a_deleted_order_comes_back(self) -> None:
        self.sandbox.restore(self.deleted.pop())

    @precondition(lambda self: len(self.orders()) > 2)
    @rule(number=PICK)
    def an_order_is_late(self, number: int) -> None:
        pk = self.pick(number)
        if pk not in self.ever:
            self.sandbox.hold_back([pk])
            self.held.append(pk)

    @precondition(lambda self: self.held)
    @rule()
    def a_late_order_arrives(self) -> None:
        self.sandbox.advance(timedelta(seconds=1))
        self.sandbox.release([self.held.pop()])

    @rule()
    def sync(self) -> None:
        self.pipeline.sync()
        self.ever |= self.known()

    @precondition(lambda self: index_file(self.root / "data").exists())
    @rule()
    def refresh_and_load(self) -> None:
        days = self.pipeline.due()
        self.pipeline.refresh(days)
        self.pipeline.load(days)

    @rule(share=st.floats(0, 1))
    def sync_refresh_and_load_and_die_at_a_write(self, share: float) -> None:
        # How many writes a whole run has is learned from a copy of the data.
        copy = replace(self.pipeline, root=self.root / "copy")
        self.pipeline.root.mkdir(exist_ok=True)
        shutil.copytree(self.pipeline.root, copy.root)
        with dying_at(None) as counted:
            copy.run()
        shutil.rmtree(copy.root)
        if counted.seen:
            with dying_at(int(share * (counted.seen - 1))), pytest.raises(Died):
                self.pipeline.run()
        if index_file(self.pipeline.root).exists():
            self.ever |= self.known()

    @precondition(lambda self: bool(landed_days(self.root / "data")))
    @rule()
    def replay(self) -> None:
        done = [day for day in landed_days(self.pipeline.root) if Landing(self.pipeline.root, day).ledger_file.exists()]
        self.pipeline.load(done)

    @invariant()
    def the_ledger_adds_up_and_nothing_is_there_twice(self) -> None:
        if not hasattr(self, "pipeline") or not (self.pipeline.root / "warehouse.duckdb").exists():
            return
        doubled = "SELECT pk FROM orders.orders GROUP BY pk HAVING count(*) > 1"
        assert self.pipeline.query(doubled) == []
        ledger = [row for day in landed_days(self.pipeline.root) for row in self.ledger(day)]
        assert {row["outcome"] for row in ledger} <= {"landed", "tombstoned"}

    def ledger(self, day: date) -> list[dict[str, Any]]:
        landing = Landing(self.pipeline.root, day)
        rows = landing.ledger() if landing.ledger_file.exists() else []
        assert len({row["order_pk"] for row in rows}) == len(rows)
        return rows

    def known(self) -> set[int]:
        return set(read_index(self.pipeline.root)["pk"].to_pylist())

    def teardown(self) -> None:
        if not hasattr(self, "pipeline"):
            return
        try:
            self.finish()
        finally:
            self._serving.__exit__(None, None, None)
            shutil.rmtree(self.root)

    def finish(self) -> None:
        self.sandbox.advance(timedelta(minutes=2))
        self.pipeline.sync(whole=True)
        days = self.pipeline.due()
        self.pipeline.refresh(days)
        self.pipeline.load(days)
        assert self.ever <= self.known()
        expected, found = shop_state(self.orders().values()), warehouse_state(self.pipeline)
        assert found == expected
        assert differences(of_shop(self.sandbox.shop, FIRST), of_marts(self.pipeline)) == []


EXAMPLES = int(os.environ.get("ORDER_ASSETS_TEST_EXAMPLES", "30"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_after_any_events_the_warehouse_is_the_shop() -> None:
    run_state_machine_as_test(
        ShopAndPipeline,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            database=None,
            print_blob=True,
            # Each try runs a whole pipeline: making a failing one shorter would take hours.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
