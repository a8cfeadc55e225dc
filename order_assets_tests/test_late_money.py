"""Money that moves long after an order was placed is found, whatever the order's own clock says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from order_assets.sandbox import LACKS
from order_assets_tests.late_events import FIRST, MODES, SHOP, differences, live, of_marts, of_shop, shop_and_pipeline


@pytest.mark.parametrize("mode", MODES)
def test_a_late_refund_that_leaves_the_orders_clock_alone_is_due_after_the_next_whole_listing(
    mode: str, tmp_path: Path
) -> None:
    # Without the lists of transactions nothing but the row of the order itself can tell.
    settings = replace(SHOP, capabilities=MODES[mode], lacks=LACKS - {"amounts"})
    with shop_and_pipeline(settings, tmp_path / "data") as (sandbox, pipeline):
        pipeline.sync(whole=True)
        pipeline.refresh(pipeline.due())
        order = next(row for row in sandbox.shop.flat_orders() if row["status"] == "550")
        sandbox.advance(timedelta(minutes=10))
        sandbox.refund(order["pk"], "5.00")
        assert sandbox.shop.flat_order(order["pk"])["modified_date"] == order["modified_date"]
        pipeline.sync(whole=True)
        (found,) = [found for found in pipeline.due_days() if "row_changed" in found.reasons]
        assert (found.day, found.reasons["row_changed"]) == (date.fromisoformat(order["date_placed"][:10]), 1)
        sandbox.requests.clear()
        pipeline.refresh([found.day])
        assert [r.path.split("/")[4] for r in sandbox.requests if "orders_integration" in r.path] == [str(order["pk"])]
        # What is known now is not due again.
        pipeline.sync(whole=True)
        assert [day for day in pipeline.due_days() if "row_changed" in day.reasons] == []


@pytest.mark.long
def test_after_sixty_late_events_the_marts_say_what_the_shop_says(tmp_path: Path) -> None:
    settings = replace(SHOP, capabilities=MODES["filtered"], orders_per_day=3, now=datetime(2026, 3, 2, tzinfo=UTC))
    with shop_and_pipeline(settings, tmp_path / "data") as (sandbox, pipeline):
        events = live(sandbox, pipeline, days=10, count=60, seed=7, load_every=100)
        assert min(events.done.values()) > 3
        expected = of_shop(sandbox.shop, FIRST)
        assert len(expected.refunded) > 1
        assert differences(expected, of_marts(pipeline)) == []
