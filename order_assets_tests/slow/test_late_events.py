"""What happens late to orders, many times and over months: the marts end up with what the shop says, to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from order_assets.sandbox import LACKS, ShopSettings
from order_assets_tests.late_events import (
    FIRST,
    MODES,
    SHOP,
    catch_up,
    differences,
    live,
    of_marts,
    of_shop,
    shop_and_pipeline,
)

pytestmark = pytest.mark.slow


@pytest.fixture(params=MODES)
def settings(request: pytest.FixtureRequest) -> ShopSettings:
    # Without the lists of transactions nothing but the row of the order itself can tell.
    return replace(SHOP, capabilities=MODES[request.param], lacks=LACKS - {"amounts"})


def test_a_late_refund_of_a_delivered_order_is_in_the_marts_after_the_next_whole_listing(
    settings: ShopSettings, tmp_path: Path
) -> None:
    with shop_and_pipeline(settings, tmp_path / "data") as (sandbox, pipeline):
        catch_up(sandbox, pipeline, whole=True)
        rows = sandbox.shop.flat_orders()
        order = [row for row in rows if (row["status"], row["refund_amount"]) == ("550", "0.00")][-2]
        sandbox.advance(timedelta(minutes=10))
        sandbox.refund(order["pk"], "5.00")
        sandbox.advance(timedelta(minutes=10))
        catch_up(sandbox, pipeline, whole=True)
        found = of_marts(pipeline)
        assert differences(of_shop(sandbox.shop, FIRST), found) == []
        back = [value for (pk, _), value in found.refunds.items() if pk == order["pk"]]
        assert back == [(order["currency"], Decimal("5.00"))]
        # What is known now is not due again.
        assert catch_up(sandbox, pipeline, whole=True) == []


def test_a_deleted_order_leaves_all_sales_and_comes_back_with_the_order(settings: ShopSettings, tmp_path: Path) -> None:
    with shop_and_pipeline(settings, tmp_path / "data") as (sandbox, pipeline):
        catch_up(sandbox, pipeline, whole=True)
        before = of_marts(pipeline)
        pk = next(pk for pk, row in before.orders.items() if row[2] == "550")
        sandbox.delete(pk)
        catch_up(sandbox, pipeline, whole=True)
        after = of_marts(pipeline)
        assert differences(of_shop(sandbox.shop, FIRST), after) == []
        assert pk not in after.orders
        deleted = f"SELECT status_group, is_sale FROM marts.fct_orders WHERE order_pk = {pk}"
        assert pipeline.query(deleted) == [("deleted", False)]
        sandbox.restore(pk)
        catch_up(sandbox, pipeline, whole=True)
        assert of_marts(pipeline) == before


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("mode", "days", "count"), [("filtered", 60, 1000), ("sorted", 15, 250), ("whole", 15, 250)])
def test_after_a_thousand_late_events_in_sixty_days_the_marts_say_what_the_shop_says(
    mode: str, days: int, count: int, tmp_path: Path
) -> None:
    settings = replace(SHOP, capabilities=MODES[mode], orders_per_day=5)
    with shop_and_pipeline(settings, tmp_path / "data") as (sandbox, pipeline):
        events = live(sandbox, pipeline, days=days, count=count, seed=2, load_every=15)
        assert sum(events.done.values()) == count
        expected = of_shop(sandbox.shop, FIRST)
        assert len(expected.refunded) > 1
        assert differences(expected, of_marts(pipeline)) == []
