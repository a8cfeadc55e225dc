"""The plan of a run: what it says is due is what a refresh then asks for, and it touches nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from order_assets.landing import Landing, OrderIndexError
from order_assets.landing.estimate import RunPlan, plan_run
from order_assets_tests.landing.samples import gate
from order_assets_tests.landing.test_refresh import DAY, Api, index, refresh

POLICY = gate().privacy.policy


def plan(root: Path, first: date = DAY, last: date = DAY, policy: str = POLICY) -> RunPlan:
    return plan_run(root, first, last, privacy_policy=policy)


def test_before_the_first_run_every_order_takes_three_requests(tmp_path: Path) -> None:
    index(tmp_path, range(1, 251))
    planned = plan(tmp_path, date(2026, 1, 4), date(2026, 1, 6))
    assert (planned.days, planned.landed_days, planned.orders, planned.due_orders) == (3, 0, 250, 250)
    assert (dict(planned.due), planned.measured_orders) == ({"new": 250}, 0)
    assert (planned.listing_requests, planned.order_requests, planned.requests) == (3, 750, 753)
    assert planned.listed_at == datetime(2026, 1, 20, tzinfo=UTC)
    assert planned.minutes(10) == pytest.approx(753 / 600)


def test_what_is_planned_is_what_a_refresh_asks_for(tmp_path: Path) -> None:
    index(tmp_path, range(1, 7))
    refresh(tmp_path, Api(o2="bad", o3="error", o6="gone"))
    index(tmp_path, (1, 2, 3, 4, 6, 7), hour=1, o4="2026-01-08T00:00:00Z")
    planned = plan(tmp_path)
    assert planned.landed_days == 1
    assert planned.orders == 7
    report = refresh(tmp_path, Api())
    assert dict(planned.due) == dict(report.due)
    assert dict(planned.due) == {
        "new": 2,
        "quarantined": 1,
        "changed": 1,
        "gone from the list": 1,
        "listed again": 1,
    }


def test_after_a_complete_run_only_the_listing_is_left(tmp_path: Path) -> None:
    index(tmp_path, (1, 2, 3))
    refresh(tmp_path, Api())
    planned = plan(tmp_path)
    assert (planned.due_orders, planned.order_requests, planned.requests) == (0, 0, 1)


def test_other_privacy_settings_make_all_orders_due(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api())
    assert dict(plan(tmp_path, policy="drop").due) == {"privacy settings changed": 2}


def test_orders_with_many_items_are_reckoned_with_what_they_took_before(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api(o2="error"))
    landing = Landing(tmp_path, DAY)
    landing.write_ledger([row | {"requests": 7 if row["order_pk"] == 1 else 0} for row in landing.ledger()])
    planned = plan(tmp_path)
    assert (planned.measured_orders, planned.requests_per_order, planned.order_requests) == (1, 7.0, 7)


def test_planning_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api(o2="error"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    plan(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_empty_shop_costs_one_page(tmp_path: Path) -> None:
    index(tmp_path, ())
    planned = plan(tmp_path)
    assert (planned.orders, planned.requests, planned.listed_at) == (0, 1, None)


def test_without_an_index_there_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(OrderIndexError, match="materialise order_index first"):
        plan(tmp_path)
